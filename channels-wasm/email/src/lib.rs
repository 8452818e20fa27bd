//! E-mail through the operator's own mail server, as Icinga's bundled channel sends it (`reference/icinga.md` §4.1), and
//! with the texts of Diun's, Quay's, Argus' and Cloudforet's.

mod content; // subject, text and HTML

use sandbell_chat_text::GoText;
use sandbell_sdk::mail::{Accepted, Encryption, Server};
use sandbell_sdk::prelude::*;

use crate::content::Content;

#[derive(ChannelConfig)]
pub struct Config {
    #[config(label = "SMTP Host", label(de_DE = "SMTP-Host"))]
    host: String,
    #[config(label = "SMTP Port", label(de_DE = "SMTP-Port"), min = 1, max = 65535)]
    port: u16,
    #[config(label = "Sender Name", label(de_DE = "Absendername"), default = "Icinga", required)]
    sender_name: String,
    #[config(label = "Sender Address", label(de_DE = "Absenderadresse"))]
    sender_mail: String,
    /// A password must also be set.
    #[config(
        label = "SMTP User",
        label(de_DE = "SMTP-Benutzer"),
        help(de_DE = "Es muss auch ein Passwort gesetzt sein.")
    )]
    user: Option<String>,
    #[config(label = "SMTP Password", label(de_DE = "SMTP-Passwort"))]
    password: Option<Secret>,
    #[config(label = "SMTP Transport Encryption", label(de_DE = "SMTP-Transportverschlüsselung"))]
    encryption: Transport,
    /// How user and password are given to the server. By default the best way that the server offers.
    #[config(
        label = "Authentication Method",
        label(de_DE = "Authentifizierungsverfahren"),
        help(
            de_DE = "Wie Benutzer und Passwort an den Server gegeben werden. Ohne Angabe auf die beste Weise, die der Server anbietet."
        )
    )]
    auth_method: Option<AuthMethod>,
    /// Whose mail it is: that of the mail channel of Icinga, Diun, Quay, Argus or Cloudforet. By default that of the system
    /// that the notification came from.
    #[config(
        default = "auto",
        label = "Style",
        label(de_DE = "Stil"),
        help(
            de_DE = "Wessen Mail es ist: die des Mail-Kanals von Icinga, Diun, Quay, Argus oder Cloudforet. Ohne Angabe die des Systems, von dem die Benachrichtigung kam."
        )
    )]
    style: Style,
    /// A Go template with Diun's helpers, in the place of the subject.
    #[config(
        label = "Subject Template",
        label(de_DE = "Betreff-Template"),
        help(de_DE = "Ein Go-Template mit Diuns Funktionen, anstelle des Betreffs.")
    )]
    template_title: Option<String>,
    /// A Go template in Markdown, with Diun's helpers, in the place of the text.
    #[config(
        multiline,
        label = "Body Template",
        label(de_DE = "Text-Template"),
        help(de_DE = "Ein Go-Template in Markdown, mit Diuns Funktionen, anstelle des Textes.")
    )]
    template_body: Option<String>,
}

#[derive(Clone, Copy, Choice)]
enum Style {
    #[choice(label = "By source")]
    Auto,
    #[choice(label = "Icinga")]
    Icinga,
    #[choice(label = "Diun")]
    Diun,
    #[choice(label = "Quay")]
    Quay,
    #[choice(label = "Argus")]
    Argus,
    #[choice(label = "Cloudforet")]
    Cloudforet,
}

#[derive(Choice)]
enum Transport {
    None,
    #[choice(rename = "starttls", label = "STARTTLS")]
    StartTls,
    #[choice(label = "TLS")]
    Tls,
}

#[derive(Choice)]
enum AuthMethod {
    #[choice(rename = "PLAIN", label = "PLAIN")]
    Plain,
    #[choice(rename = "LOGIN", label = "LOGIN")]
    Login,
    #[choice(rename = "XOAUTH2", label = "XOAUTH2 (the password is an access token)")]
    XOauth2,
}

pub struct Email {
    server: Server,
    sender_name: String,
    sender_mail: String,
    style: Style,
    template: GoText,
}

impl Channel for Email {
    type Config = Config;

    fn info() -> Info {
        Info::new("Email")
            .version(env!("CARGO_PKG_VERSION"))
            .author("Sandbell")
            .address_type("email")
            .wants_smtp("{host}:{port}", "Hands each notification to the mail server.")
    }

    fn new(config: Config) -> Result<Self, ConfigError> {
        let template = GoText::new(config.template_title.as_deref(), config.template_body.as_deref(), true)?;
        let style = config.style;
        let Config { host, port, sender_name, sender_mail, user, password, encryption, auth_method, .. } =
            config;
        let mut server = Server::new(host.trim(), port).encryption(match encryption {
            Transport::None => Encryption::None,
            Transport::StartTls => Encryption::Starttls,
            Transport::Tls => Encryption::Tls,
        });
        match (user, password) {
            (Some(user), Some(password)) => server = server.login(&user, &password),
            (None, None) if auth_method.is_some() => {
                return Err(ConfigError::option("auth_method", "needs a user and a password"));
            }
            (None, None) => {}
            (Some(_), None) | (None, Some(_)) => {
                return Err(ConfigError::new("user and password fields must both be set or empty"));
            }
        }
        if let Some(method) = auth_method {
            server = server.mechanism(match method {
                AuthMethod::Plain => "plain",
                AuthMethod::Login => "login",
                AuthMethod::XOauth2 => "xoauth2",
            });
        }
        Ok(Self { server, sender_name, sender_mail, style, template })
    }

    fn send(&self, notification: &Notification) -> Result<Receipt, SendError> {
        let name = notification.contact.full_name.as_str();
        let recipients: Vec<_> = notification.addresses("email").map(|address| (name, address)).collect();
        if recipients.is_empty() {
            return Err(SendError::address(format!("contact user {name} does not have an e-mail address")));
        }
        let Content { subject, text, html } = self.content(notification)?;
        let mut mail = mail::to_all(recipients)
            .from((self.sender_name.as_str(), self.sender_mail.as_str()))
            .subject(subject)
            .text(text)
            .server(&self.server);
        if let Some(html) = html {
            mail = mail.html(html);
        }
        Ok(receipt(mail.send()?))
    }
}

export!(Email);

impl Email {
    fn content(&self, notification: &Notification) -> Result<Content, SendError> {
        let content = match self.style.of(notification) {
            Style::Auto | Style::Icinga => content::icinga(notification),
            Style::Diun => content::diun(notification),
            Style::Quay => content::quay(notification),
            Style::Argus => content::argus(notification),
            Style::Cloudforet => content::cloudforet(notification),
        };
        let (title, body) = (self.template.title(notification)?, self.template.body(notification)?);
        Ok(content::with_templates(content, title.as_deref(), body))
    }
}

impl Style {
    /// The style of the notification's own system, where the form does not name another.
    fn of(self, notification: &Notification) -> Self {
        match (self, notification.source.system.as_str()) {
            (Self::Auto, "diun") => Self::Diun,
            (Self::Auto, "quay") => Self::Quay,
            (Self::Auto, "argus") => Self::Argus,
            (Self::Auto, "cloudforet") => Self::Cloudforet,
            (Self::Auto, _) => Self::Icinga,
            (named, _) => named,
        }
    }
}

/// A recipient who was refused is a line in the log and in the receipt: the others have the mail, and a second try would
/// send it to them again.
fn receipt(accepted: Accepted) -> Receipt {
    let Accepted { message_id, reply, refused } = accepted;
    let detail = if refused.is_empty() {
        reply
    } else {
        let replies: Vec<_> = refused.iter().map(|refusal| refusal.reply.as_str()).collect();
        log::warn!(refused = refused.len(); "The server refused {} of the recipients", refused.len());
        format!("{reply}; {} refused: {}", refused.len(), replies.join("; "))
    };
    Receipt::new().id(message_id).detail(detail)
}

#[cfg(test)]
mod tests;
