//! A plugin's mail as a MIME message: lettre builds it, and what lettre lets through is refused before.
//!
//! Every part is base64 or quoted-printable, so no line of the message is a plugin's own (RUSTSEC-2026-0561), and the
//! finished bytes are checked once more (`reference/security.md` §4.6).

mod mailbox;

use std::time::SystemTime;

use jiff::Timestamp;
use lettre::Address;
use lettre::address::Envelope;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment, Body, Message, MessageBuilder, MultiPart, SinglePart};
use sandbell_domain::{Limits, escape};

use crate::value::{self, Mail};

const ATTACHMENTS_MAX: usize = 32;
const HEADERS_MAX: usize = 32;
const HEADER_BYTES_MAX: usize = 4 * 1024;

/// A line of a message, without its end (RFC 5322 §2.1.1).
const LINE_BYTES_MAX: usize = 998;

/// A message that is fit for a server's DATA, and its envelope.
#[derive(Debug)]
pub(crate) struct Letter {
    pub(crate) from: Address,
    pub(crate) to: Vec<Address>,
    /// ASCII in lines of at most 998 bytes that end in CR LF.
    pub(crate) bytes: Vec<u8>,
    /// With its angle brackets.
    pub(crate) message_id: String,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum MailError {
    #[error("`{0}` is no mail address; write `name@example.com`, without quotes, routes or comments")]
    Address(String),
    #[error("the {0} holds a line feed or another control character; remove it")]
    Control(&'static str),
    #[error("the {what} has more than {bytes_max} bytes")]
    Long { what: &'static str, bytes_max: usize },
    #[error("the mail has no recipient")]
    NoRecipient,
    #[error("the mail has no sender, and only a relay that the operator declared has one of its own")]
    NoSender,
    #[error("the mail has {count} {what}; at most {max} are allowed")]
    Many { what: &'static str, count: usize, max: usize },
    #[error(
        "the header `{0}` is not a plugin's to set; write X-…, List-…, In-Reply-To, References or Auto-Submitted"
    )]
    Header(String),
    #[error("`{0}` is no content type of an attachment; write e.g. `image/png`")]
    ContentType(String),
    #[error("`{0}` is no id of an inline attachment; write letters, digits, `.`, `-`, `_` and `@`")]
    InlineId(String),
    #[error("`{0}` is no file name of an attachment; write one without a path")]
    Filename(String),
    #[error("the mail cannot be built: a header is too long to be folded or holds what cannot be sent")]
    Unsafe,
}

/// Builds the message. `id` tells this mail from all others and is the same on every attempt.
pub(crate) fn letter(mail: &Mail, id: &str, now: Timestamp, limits: &Limits) -> Result<Letter, MailError> {
    check_sizes(mail, limits)?;
    let sender = mail.sender.as_ref().ok_or(MailError::NoSender)?;
    let from = mailbox::mailbox(sender, "sender's name")?;
    let message_id = format!("<{id}@{}>", from.email.domain());
    let mut to = Vec::new();
    let mut builder = Message::builder()
        .date(SystemTime::from(now))
        .message_id(Some(message_id.clone()))
        .from(from.clone());
    if let Some(reply_to) = &mail.reply_to {
        builder = builder.reply_to(mailbox::mailbox(reply_to, "name of a reply address")?);
    }
    for recipient in &mail.to {
        let mailbox = mailbox::mailbox(recipient, "recipient's name")?;
        to.push(mailbox.email.clone());
        builder = builder.to(mailbox);
    }
    for recipient in &mail.cc {
        let mailbox = mailbox::mailbox(recipient, "recipient's name")?;
        to.push(mailbox.email.clone());
        builder = builder.cc(mailbox);
    }
    for recipient in &mail.bcc {
        // In the envelope only: nobody else sees it.
        to.push(mailbox::mailbox(recipient, "recipient's name")?.email);
    }
    check_text(&mail.subject, "subject")?;
    builder = headers(builder.subject(mail.subject.clone()), mail)?;
    let envelope = Envelope::new(Some(from.email.clone()), to.clone()).map_err(|_| MailError::NoRecipient)?;
    let message = body(builder.envelope(envelope), mail, id)?;
    let bytes = message.formatted();
    if bytes.len() > limits.mail_bytes_max {
        return Err(MailError::Long { what: "mail", bytes_max: limits.mail_bytes_max });
    }
    if !is_safe(&bytes) {
        return Err(MailError::Unsafe);
    }
    Ok(Letter { from: from.email, to, bytes, message_id })
}

fn check_sizes(mail: &Mail, limits: &Limits) -> Result<(), MailError> {
    let check = |what, count: usize, max| {
        if count > max { Err(MailError::Many { what, count, max }) } else { Ok(()) }
    };
    let recipients = mail.to.len() + mail.cc.len() + mail.bcc.len();
    if recipients == 0 {
        return Err(MailError::NoRecipient);
    }
    check("recipients", recipients, limits.mail_recipients_max)?;
    check("attachments", mail.attachments.len(), ATTACHMENTS_MAX)?;
    check("headers", mail.headers.len(), HEADERS_MAX)?;
    let html = mail.html.as_ref().map_or(0, String::len);
    let data: usize = mail.attachments.iter().map(|attachment| attachment.data.len()).sum();
    if mail.text.len().saturating_add(html).saturating_add(data) > limits.mail_bytes_max {
        return Err(MailError::Long { what: "mail", bytes_max: limits.mail_bytes_max });
    }
    Ok(())
}

/// lettre panics on a line end in some places and encodes it in others (`reference/security.md` §4.6): neither is
/// reached.
fn check_text(text: &str, what: &'static str) -> Result<(), MailError> {
    if text.chars().any(char::is_control) {
        return Err(MailError::Control(what));
    }
    if text.len() > HEADER_BYTES_MAX {
        return Err(MailError::Long { what, bytes_max: HEADER_BYTES_MAX });
    }
    Ok(())
}

/// The plugin's headers, and the mark that no human wrote this (RFC 3834) unless the plugin sets its own.
fn headers(mut builder: MessageBuilder, mail: &Mail) -> Result<MessageBuilder, MailError> {
    let own = |name: &str| mail.headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name));
    if !own("auto-submitted") {
        let name = HeaderName::new_from_ascii_str("Auto-Submitted");
        builder = builder.raw_header(HeaderValue::new(name, "auto-generated".to_owned()));
    }
    for (name, value) in &mail.headers {
        let refuse = || MailError::Header(escape::line(&escape::cut(name, 64)));
        if !is_header_allowed(name) {
            return Err(refuse());
        }
        check_text(value, "value of a header")?;
        let name = HeaderName::new_from_ascii(name.clone()).map_err(|_| refuse())?;
        builder = builder.raw_header(HeaderValue::new(name, value.clone()));
    }
    Ok(builder)
}

fn is_header_allowed(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let is_token = (1..=64).contains(&lower.len())
        && lower.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    let after = |prefix| lower.strip_prefix(prefix).is_some_and(|rest: &str| !rest.is_empty());
    is_token
        && (after("x-")
            || after("list-")
            || matches!(lower.as_str(), "in-reply-to" | "references" | "auto-submitted"))
}

/// text; text and HTML; with pictures inside the HTML; with attachments around it all.
fn body(builder: MessageBuilder, mail: &Mail, id: &str) -> Result<Message, MailError> {
    let built = |result: Result<Message, lettre::error::Error>| result.map_err(|_| MailError::Unsafe);
    let (inline, attached): (Vec<_>, Vec<_>) =
        mail.attachments.iter().partition(|attachment| attachment.inline_id.is_some() && mail.html.is_some());
    let text = text_part(&mail.text, ContentType::TEXT_PLAIN);
    let content = match &mail.html {
        None => None,
        Some(html) => {
            let html = text_part(html, ContentType::TEXT_HTML);
            let alternative = MultiPart::alternative().boundary(boundary(id, "a")).singlepart(text.clone());
            Some(if inline.is_empty() {
                alternative.singlepart(html)
            } else {
                let mut related = MultiPart::related().boundary(boundary(id, "r")).singlepart(html);
                for attachment in inline {
                    related = related.singlepart(attachment_part(attachment)?);
                }
                alternative.multipart(related)
            })
        }
    };
    if attached.is_empty() {
        return built(match content {
            Some(content) => builder.multipart(content),
            None => builder.singlepart(text),
        });
    }
    let mixed = MultiPart::mixed().boundary(boundary(id, "m"));
    let mut mixed = match content {
        Some(content) => mixed.multipart(content),
        None => mixed.singlepart(text),
    };
    for attachment in attached {
        mixed = mixed.singlepart(attachment_part(attachment)?);
    }
    built(builder.multipart(mixed))
}

/// `=_` never occurs in base64 or quoted-printable, so no part can end early, and every attempt has the same bytes.
fn boundary(id: &str, level: &str) -> String {
    format!("=_{level}_{id}")
}

fn text_part(text: &str, content_type: ContentType) -> SinglePart {
    // The line end that closes the text is the part's own.
    let text = with_crlf(text.strip_suffix('\n').unwrap_or(text));
    // As Icinga's own channel chooses (`reference/icinga.md` §4.1): readable while it is mostly ASCII.
    let foreign = text.bytes().filter(|byte| !byte.is_ascii()).count();
    let encoding = if foreign * 5 >= text.len().max(1) {
        ContentTransferEncoding::Base64
    } else {
        ContentTransferEncoding::QuotedPrintable
    };
    SinglePart::builder().header(content_type).body(encoded(text.into_bytes(), encoding))
}

fn attachment_part(attachment: &value::Attachment) -> Result<SinglePart, MailError> {
    let value::Attachment { filename, content_type, data, inline_id } = attachment;
    check_text(filename, "file name of an attachment")?;
    if filename.is_empty() || filename.len() > 255 || filename.contains(['/', '\\']) {
        return Err(MailError::Filename(escape::line(&escape::cut(filename, 64))));
    }
    let bad_type = || MailError::ContentType(escape::line(&escape::cut(content_type, 64)));
    check_text(content_type, "content type of an attachment")?;
    let lower = content_type.to_ascii_lowercase();
    // A part with parts of its own would have to be read to know what is in it.
    if lower.starts_with("multipart/") || lower.starts_with("message/") || lower.len() > 255 {
        return Err(bad_type());
    }
    let parsed = ContentType::parse(content_type).map_err(|_| bad_type())?;
    let part = match inline_id {
        None => Attachment::new(filename.clone()),
        Some(id) => {
            let is_token = (1..=128).contains(&id.len())
                && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_@".contains(&byte));
            if !is_token {
                return Err(MailError::InlineId(escape::line(&escape::cut(id, 64))));
            }
            Attachment::new_inline_with_name(id.clone(), filename.clone())
        }
    };
    Ok(part.body(encoded(data.clone(), ContentTransferEncoding::Base64), parsed))
}

fn encoded(bytes: Vec<u8>, encoding: ContentTransferEncoding) -> Body {
    Body::new_with_encoding(bytes, encoding).expect("base64 and quoted-printable take every byte")
}

/// Every CR LF, CR and LF as CR LF.
fn with_crlf(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 32);
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '\r' => {
                chars.next_if_eq(&'\n');
                out.push_str("\r\n");
            }
            '\n' => out.push_str("\r\n"),
            char => out.push(char),
        }
    }
    out
}

/// The gate before the wire: no bare CR, no bare LF, no NUL, ASCII, lines of at most 998 bytes, a line end at the end.
fn is_safe(message: &[u8]) -> bool {
    let Some(body) = message.strip_suffix(b"\r\n") else { return false };
    let mut lines = body.split(|byte| *byte == b'\n').peekable();
    while let Some(line) = lines.next() {
        // Every line but the last, whose end is taken off already, must have its CR before the LF.
        let line = if lines.peek().is_some() { line.strip_suffix(b"\r") } else { Some(line) };
        let is_fit = |line: &[u8]| {
            line.len() <= LINE_BYTES_MAX
                && line.iter().all(|byte| byte.is_ascii() && !matches!(byte, 0 | b'\r'))
        };
        if !line.is_some_and(is_fit) {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests;
