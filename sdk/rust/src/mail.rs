//! Mail, sent by the host: it speaks SMTP, keeps the login and builds the MIME message.
//!
//! ```
//! use sandbell_sdk::prelude::*;
//!
//! fn tell(notification: &Notification) -> Result<Receipt, SendError> {
//!     let accepted = mail::to("oncall@example.com")
//!         .from(("Monitoring", "monitoring@example.com"))
//!         .subject(notification.subject())
//!         .text(notification.body())
//!         .send()?;
//!     Ok(Receipt::new().id(accepted.message_id))
//! }
//! ```

use std::fmt;

use crate::bindings::sandbell::channel::smtp as wit;
use crate::error::code;
use crate::{Secret, SendError, backend};

pub use wit::{Accepted, Encryption, Mailbox, Refusal};

/// A mail in the making; it goes through the host's relay `default` unless told otherwise.
#[derive(Clone, Debug)]
#[must_use = "a mail does nothing until it is sent"]
pub struct Mail {
    relay: wit::Relay,
    mail: wit::Mail,
}

/// A mail server of the channel's own configuration.
#[derive(Clone, Debug)]
#[must_use]
pub struct Server {
    wit: wit::Server,
}

/// Why no recipient was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// `denied`, `invalid-mail`, `dns`, `connect`, `tls`, `auth`, `timeout`, `rate-limited`, `rejected`, `protocol` or
    /// `internal`.
    pub code: String,
    /// The server's three digits, if it came to that.
    pub reply_code: Option<u16>,
    pub message: String,
}

/// Starts a mail to one recipient: an address, or a name and an address.
pub fn to(recipient: impl Into<Mailbox>) -> Mail {
    to_all([recipient])
}

/// Starts one mail to several recipients.
pub fn to_all<R: Into<Mailbox>>(recipients: impl IntoIterator<Item = R>) -> Mail {
    let mail = wit::Mail {
        sender: None,
        reply_to: None,
        to: recipients.into_iter().map(Into::into).collect(),
        cc: Vec::new(),
        bcc: Vec::new(),
        subject: String::new(),
        text: String::new(),
        html: None,
        headers: Vec::new(),
        attachments: Vec::new(),
    };
    Mail { relay: wit::Relay::Named("default".to_owned()), mail }
}

impl Mail {
    /// The sender; without one the relay's own is used.
    pub fn from(mut self, sender: impl Into<Mailbox>) -> Self {
        self.mail.sender = Some(sender.into());
        self
    }

    pub fn reply_to(mut self, mailbox: impl Into<Mailbox>) -> Self {
        self.mail.reply_to = Some(mailbox.into());
        self
    }

    pub fn cc(mut self, recipient: impl Into<Mailbox>) -> Self {
        self.mail.cc.push(recipient.into());
        self
    }

    pub fn bcc(mut self, recipient: impl Into<Mailbox>) -> Self {
        self.mail.bcc.push(recipient.into());
        self
    }

    /// A line break becomes a blank, because a header is one line.
    pub fn subject(mut self, subject: impl Into<String>) -> Self {
        self.mail.subject = one_line(&subject.into());
        self
    }

    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.mail.text = text.into();
        self
    }

    /// Shown instead of the text by readers that can.
    pub fn html(mut self, html: impl Into<String>) -> Self {
        self.mail.html = Some(html.into());
        self
    }

    /// `X-…`, `List-…`, `In-Reply-To`, `References` or `Auto-Submitted`; the host refuses others.
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.mail.headers.push((name.to_owned(), value.into()));
        self
    }

    pub fn attach(mut self, filename: &str, content_type: &str, data: impl Into<Vec<u8>>) -> Self {
        self.mail.attachments.push(attachment(filename, content_type, data.into(), None));
        self
    }

    /// An image that the HTML shows as `<img src="cid:ID">`.
    pub fn inline(mut self, id: &str, filename: &str, content_type: &str, data: impl Into<Vec<u8>>) -> Self {
        self.mail.attachments.push(attachment(filename, content_type, data.into(), Some(id.to_owned())));
        self
    }

    /// Goes through a relay that the operator declared.
    pub fn relay(mut self, name: &str) -> Self {
        self.relay = wit::Relay::Named(name.to_owned());
        self
    }

    /// Goes through a server of the channel's own configuration.
    pub fn server(mut self, server: &Server) -> Self {
        self.relay = wit::Relay::Server(server.wit.clone());
        self
    }

    /// Hands the mail over. `Ok` means that at least one recipient was accepted; look at [`Accepted::refused`].
    pub fn send(self) -> Result<Accepted, Error> {
        backend::smtp_send(&self.relay, &self.mail).map_err(Error::from)
    }
}

impl Server {
    /// A server that is spoken to in plain text.
    pub fn new(host: &str, port: u16) -> Self {
        Self { wit: wit::Server { host: host.to_owned(), port, encryption: Encryption::None, login: None } }
    }

    pub fn encryption(mut self, encryption: Encryption) -> Self {
        self.wit.encryption = encryption;
        self
    }

    /// Logs in by the best mechanism that the server offers.
    pub fn login(mut self, user: &str, password: &Secret) -> Self {
        let password = password.option().to_owned();
        self.wit.login = Some(wit::Login { user: user.to_owned(), password, mechanism: None });
        self
    }

    /// Logs in by `plain`, `login` or `xoauth2` only; says nothing without a login.
    pub fn mechanism(mut self, mechanism: &str) -> Self {
        if let Some(login) = &mut self.wit.login {
            login.mechanism = Some(mechanism.to_owned());
        }
        self
    }
}

impl From<&str> for Mailbox {
    fn from(address: &str) -> Self {
        Self { name: None, address: address.to_owned() }
    }
}

impl From<(&str, &str)> for Mailbox {
    /// A name and an address; an empty name is none, and a line break in it becomes a blank.
    fn from((name, address): (&str, &str)) -> Self {
        Self { name: (!name.is_empty()).then(|| one_line(name)), address: address.to_owned() }
    }
}

impl Error {
    /// An error as the host would give it, for tests.
    pub fn new(code: &str, reply_code: Option<u16>, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), reply_code, message: message.into() }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl From<wit::Error> for Error {
    fn from(wit::Error { code, reply_code, message }: wit::Error) -> Self {
        Self { code, reply_code, message }
    }
}

/// A reply of 400 to 499 asks for another try, whatever it was about (RFC 5321 §4.2.1).
impl From<Error> for SendError {
    fn from(error: Error) -> Self {
        let Error { code, reply_code, message } = error;
        let is_temporary = matches!(reply_code, Some(400..=499));
        match code.as_str() {
            "denied" => Self::never(code::DENIED, message),
            "auth" if is_temporary => Self::later(code::AUTH, message),
            "auth" => Self::never(code::AUTH, message),
            "rejected" if is_temporary => Self::later(code::REJECTED, message),
            "rejected" | "invalid-mail" => Self::never(code::REJECTED, message),
            "rate-limited" => Self::later(code::RATE_LIMITED, message),
            "dns" | "connect" | "tls" | "timeout" => Self::later(code::UNREACHABLE, message),
            "protocol" => Self::later(code::PROTOCOL, message),
            _ => Self::later(code::INTERNAL, message),
        }
    }
}

fn attachment(
    filename: &str,
    content_type: &str,
    data: Vec<u8>,
    inline_id: Option<String>,
) -> wit::Attachment {
    wit::Attachment { filename: filename.to_owned(), content_type: content_type.to_owned(), data, inline_id }
}

fn one_line(text: &str) -> String {
    text.chars().map(|char| if char.is_control() { ' ' } else { char }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Retry::{Later, Never};

    #[test]
    fn an_error_decides_what_becomes_of_the_notification() {
        for (code, reply, retry, want) in [
            ("denied", None, Never, code::DENIED),
            ("invalid-mail", None, Never, code::REJECTED),
            ("connect", None, Later, code::UNREACHABLE),
            ("tls", None, Later, code::UNREACHABLE),
            ("auth", Some(535), Never, code::AUTH),
            ("auth", Some(454), Later, code::AUTH),
            ("rejected", Some(550), Never, code::REJECTED),
            ("rejected", Some(451), Later, code::REJECTED),
            ("rate-limited", None, Later, code::RATE_LIMITED),
            ("protocol", None, Later, code::PROTOCOL),
            ("news", None, Later, code::INTERNAL),
        ] {
            let error = SendError::from(Error::new(code, reply, "no"));
            assert_eq!((error.retry, error.code.as_str()), (retry, want), "{code} {reply:?}");
        }
    }
}
