//! MQTT: publishes each notification as JSON, as Diun's channel of that name does (`reference/diun.md` §1.3).

use sandbell_sdk::prelude::*;

#[derive(ChannelConfig)]
pub struct Config {
    /// `mqtts` encrypts the connection.
    #[config(
        default = "mqtt",
        label = "Scheme",
        label(de_DE = "Schema"),
        help(de_DE = "mqtts verschlüsselt die Verbindung.")
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
    /// Usually 1883, and 8883 with encryption.
    #[config(
        default = 1883,
        label = "Port",
        label(de_DE = "Port"),
        help(de_DE = "Üblich sind 1883 und, verschlüsselt, 8883."),
        min = 1,
        max = 65535
    )]
    port: u16,
    /// Together with a password.
    #[config(
        label = "User Name",
        label(de_DE = "Benutzername"),
        help(de_DE = "Zusammen mit einem Passwort.")
    )]
    username: Option<String>,
    #[config(label = "Password", label(de_DE = "Passwort"))]
    password: Option<Secret>,
    /// The client id; a broker lets each be connected once.
    #[config(
        label = "Client ID",
        label(de_DE = "Client-ID"),
        help(de_DE = "Ein Broker lässt jede nur einmal verbunden sein.")
    )]
    client: String,
    #[config(label = "Topic", label(de_DE = "Topic"))]
    topic: String,
    /// 0: read by the broker, 1: taken at least once, 2: taken once.
    #[config(
        default = 0,
        label = "QoS",
        label(de_DE = "QoS"),
        help(de_DE = "0: vom Broker gelesen, 1: mindestens einmal, 2: genau einmal angenommen."),
        min = 0,
        max = 2
    )]
    qos: u8,
    /// Kept by the broker for whoever subscribes later.
    #[config(
        default = false,
        label = "Retain",
        label(de_DE = "Aufbewahren"),
        help(de_DE = "Der Broker hebt die letzte Nachricht für spätere Abonnenten auf.")
    )]
    retain: bool,
    /// Version of the protocol.
    #[config(
        default = "3.1.1",
        label = "Protocol Version",
        label(de_DE = "Protokollversion"),
        help(de_DE = "Version des Protokolls.")
    )]
    version: Version,
}

#[derive(Choice)]
pub enum Scheme {
    #[choice(rename = "mqtt", label = "mqtt")]
    Mqtt,
    #[choice(rename = "mqtts", label = "mqtts (TLS)")]
    Mqtts,
}

#[derive(Choice)]
pub enum Version {
    #[choice(rename = "3.1.1", label = "3.1.1")]
    V311,
    #[choice(rename = "5", label = "5")]
    V5,
}

pub struct Mqtt {
    server: mqtt::Server,
    topic: String,
    qos: u8,
    retain: bool,
    is_version_5: bool,
}

impl Channel for Mqtt {
    type Config = Config;

    fn info() -> Info {
        Info::new("MQTT")
            .version(env!("CARGO_PKG_VERSION"))
            .author("Sandbell")
            .address_type("mqtt")
            .wants_mqtt("{scheme}://{host}:{port} topic:{topic}", "Publishes each notification to the topic.")
    }

    fn new(config: Config) -> Result<Self, ConfigError> {
        let Config { scheme, host, port, username, password, client, topic, qos, retain, version } = config;
        let topic = topic.trim().to_owned();
        if topic.contains(['+', '#']) {
            return Err(ConfigError::option("topic", "is where to publish, so it has neither `+` nor `#`"));
        }
        let is_version_5 = matches!(version, Version::V5);
        let server = mqtt::Server::new(host.trim(), port)
            .tls(matches!(scheme, Scheme::Mqtts))
            .version(if is_version_5 { "5" } else { "3.1.1" })
            .client_id(client.trim());
        let server = match (username, password) {
            (Some(username), Some(password)) => server.login(&username, &password),
            (None, None) => server,
            (Some(_), None) => {
                return Err(ConfigError::option("password", "is missing beside the user name"));
            }
            (None, Some(_)) => return Err(ConfigError::option("username", "is missing beside the password")),
        };
        Ok(Self { server, topic, qos, retain, is_version_5 })
    }

    /// What comes from Diun is passed on as Diun sent it, byte for byte.
    fn send(&self, notification: &Notification) -> Result<Receipt, SendError> {
        let message = mqtt::to(&self.topic).qos(self.qos);
        let message = if self.retain { message.retained() } else { message };
        let message = if self.is_version_5 { message.content_type("application/json") } else { message };
        let message = match notification.payload_of("diun") {
            Some(_) => message.body(notification.source.payload.as_str()),
            None => message.json(&notification.document()),
        };
        message.publish(&self.server)?;
        Ok(Receipt::new())
    }
}

export!(Mqtt);

#[cfg(test)]
mod tests;
