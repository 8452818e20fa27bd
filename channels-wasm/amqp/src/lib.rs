//! AMQP: publishes each notification as JSON, as Diun's channel of that name does (`reference/diun.md` §1.3).

use sandbell_sdk::prelude::*;

#[derive(ChannelConfig)]
pub struct Config {
    /// `amqps` encrypts the connection.
    #[config(
        default = "amqp",
        label = "Scheme",
        label(de_DE = "Schema"),
        help(de_DE = "amqps verschlüsselt die Verbindung.")
    )]
    scheme: Scheme,
    /// Name or address of the broker.
    #[config(
        default = "localhost",
        label = "Host",
        label(de_DE = "Host"),
        help(de_DE = "Name oder Adresse des Brokers.")
    )]
    host: String,
    /// Usually 5672, and 5671 with encryption.
    #[config(
        default = 5672,
        label = "Port",
        label(de_DE = "Port"),
        help(de_DE = "Üblich sind 5672 und, verschlüsselt, 5671."),
        min = 1,
        max = 65535
    )]
    port: u16,
    /// Together with a password; without both, the user is `guest`.
    #[config(
        label = "User Name",
        label(de_DE = "Benutzername"),
        help(de_DE = "Zusammen mit einem Passwort; ohne beides ist der Benutzer guest.")
    )]
    username: Option<String>,
    #[config(label = "Password", label(de_DE = "Passwort"))]
    password: Option<Secret>,
    /// Virtual host; without one it is `/`.
    #[config(label = "Virtual Host", label(de_DE = "Virtual Host"), help(de_DE = "Ohne Angabe ist es /."))]
    vhost: Option<String>,
    /// Without one, messages go straight to the queue.
    #[config(
        label = "Exchange",
        label(de_DE = "Exchange"),
        help(de_DE = "Ohne Angabe gehen Nachrichten direkt an die Queue.")
    )]
    exchange: Option<String>,
    /// Name of the queue, or the routing key of the exchange. The queue must exist.
    #[config(
        label = "Queue",
        label(de_DE = "Queue"),
        help(de_DE = "Name der Queue oder Routing Key des Exchange. Die Queue muss es geben.")
    )]
    queue: String,
}

#[derive(Choice)]
pub enum Scheme {
    #[choice(rename = "amqp", label = "amqp")]
    Amqp,
    #[choice(rename = "amqps", label = "amqps (TLS)")]
    Amqps,
}

pub struct Amqp {
    server: amqp::Server,
    exchange: String,
    queue: String,
}

impl Channel for Amqp {
    type Config = Config;

    fn info() -> Info {
        Info::new("AMQP")
            .version(env!("CARGO_PKG_VERSION"))
            .author("Sandbell")
            .address_type("amqp")
            .wants_amqp(
                "{scheme}://{host}:{port}/{vhost?} exchange:{exchange?} key:{queue}",
                "Publishes each notification to the queue.",
            )
    }

    fn new(config: Config) -> Result<Self, ConfigError> {
        let Config { scheme, host, port, username, password, vhost, exchange, queue } = config;
        let server = amqp::Server::new(host.trim(), port)
            .tls(matches!(scheme, Scheme::Amqps))
            .vhost(vhost.as_deref().unwrap_or_default().trim());
        let server = match (username, password) {
            (Some(username), Some(password)) => server.login(&username, &password),
            (None, None) => server,
            (Some(_), None) => {
                return Err(ConfigError::option("password", "is missing beside the user name"));
            }
            (None, Some(_)) => return Err(ConfigError::option("username", "is missing beside the password")),
        };
        Ok(Self {
            server,
            exchange: exchange.unwrap_or_default().trim().to_owned(),
            queue: queue.trim().to_owned(),
        })
    }

    /// What comes from Diun is passed on as Diun sent it, byte for byte.
    fn send(&self, notification: &Notification) -> Result<Receipt, SendError> {
        let message = amqp::to_exchange(&self.exchange, &self.queue);
        let message = match notification.payload_of("diun") {
            Some(_) => message.content_type("application/json").body(notification.source.payload.as_str()),
            None => message.json(&notification.document()),
        };
        message.publish(&self.server)?;
        Ok(Receipt::new())
    }
}

export!(Amqp);

#[cfg(test)]
mod tests;
