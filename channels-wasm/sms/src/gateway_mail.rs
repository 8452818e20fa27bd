//! A mail that becomes a message: to the gateway with the number in the subject, as Argus does, or to an address made of
//! the number, as Argus' manual says.

use sandbell_sdk::mail::{Encryption, Server};
use sandbell_sdk::prelude::*;

use crate::{Config, Transport, needed};

const PLACE: &str = "{number}";

pub(crate) struct MailGateway {
    server: Server,
    sender: String,
    to: String,
}

impl MailGateway {
    pub(crate) fn new(config: Config) -> Result<Self, ConfigError> {
        let host = needed(config.host, "host", "mail")?;
        let mut server = Server::new(host.trim(), config.port).encryption(match config.encryption {
            Transport::None => Encryption::None,
            Transport::StartTls => Encryption::Starttls,
            Transport::Tls => Encryption::Tls,
        });
        match (config.user, config.password) {
            (Some(user), Some(password)) => server = server.login(&user, &password),
            (None, None) => {}
            (Some(_), None) | (None, Some(_)) => {
                return Err(ConfigError::new("user and password must both be set or empty"));
            }
        }
        let sender = needed(config.sender_mail, "sender_mail", "mail")?.trim().to_owned();
        let to = needed(config.mail_to, "mail_to", "mail")?.trim().to_owned();
        if !to.split_once('@').is_some_and(|(user, host)| !user.is_empty() && !host.is_empty()) {
            return Err(ConfigError::option(
                "mail_to",
                "must be a mail address like `sms@gateway.example.com` or `{number}@gateway.example.com`",
            ));
        }
        Ok(Self { server, sender, to })
    }

    /// One mail: the host sends one for each attempt, so a gateway that reads the subject reaches one number.
    pub(crate) fn send(&self, numbers: &[String], text: &str) -> Result<Receipt, SendError> {
        let has_place = self.to.contains(PLACE);
        let (first, others) =
            numbers.split_first().ok_or_else(|| SendError::address("there is no number"))?;
        let recipients: Vec<_> = if has_place {
            numbers.iter().map(|number| self.to.replace(PLACE, number)).collect()
        } else {
            vec![self.to.clone()]
        };
        let accepted = mail::to_all(recipients.iter().map(String::as_str))
            .from(self.sender.as_str())
            .subject(format!("sms {first}"))
            .text(text)
            .server(&self.server)
            .send()?;
        let mut detail = accepted.reply;
        if !accepted.refused.is_empty() {
            detail = format!("{detail}; {} refused", accepted.refused.len());
        }
        if !has_place && !others.is_empty() {
            detail = format!("{detail}; {} more numbers of the contact get nothing", others.len());
        }
        Ok(Receipt::new().id(accepted.message_id).detail(detail))
    }
}
