//! Messages to MQTT brokers, published by the host: it keeps the login and waits until the broker has taken them.
//!
//! ```
//! use sandbell_sdk::prelude::*;
//!
//! fn tell(notification: &Notification, password: &Secret) -> Result<Receipt, SendError> {
//!     let server = mqtt::Server::new("mq.example.com", 8883).tls(true).login("alice", password);
//!     mqtt::to("alerts/db").qos(1).json(&notification.document()).publish(&server)?;
//!     Ok(Receipt::new())
//! }
//! ```

use serde::Serialize;

use crate::bindings::sandbell::channel::mqtt as wit;
use crate::{Secret, backend};

pub use crate::publish::Error;

/// A message in the making: `QoS` 0, not retained.
#[derive(Clone, Debug)]
#[must_use = "a message does nothing until it is published"]
pub struct Message {
    wit: wit::Message,
}

/// A broker of the channel's own configuration.
#[derive(Clone, Debug)]
#[must_use]
pub struct Server {
    wit: wit::Server,
}

/// Starts a message to a topic.
pub fn to(topic: &str) -> Message {
    let wit = wit::Message {
        topic: topic.to_owned(),
        content_type: String::new(),
        headers: Vec::new(),
        body: Vec::new(),
        qos: 0,
        retain: false,
    };
    Message { wit }
}

impl Message {
    /// 0, 1 or 2: read, taken, taken once.
    pub fn qos(mut self, qos: u8) -> Self {
        self.wit.qos = qos;
        self
    }

    /// Kept by the broker for whoever subscribes later.
    pub fn retained(mut self) -> Self {
        self.wit.retain = true;
        self
    }

    /// With version 5 only.
    pub fn content_type(mut self, content_type: &str) -> Self {
        content_type.clone_into(&mut self.wit.content_type);
        self
    }

    /// A user property; with version 5 only.
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.wit.headers.push((name.to_owned(), value.into()));
        self
    }

    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.wit.body = body.into();
        self
    }

    /// A body of JSON; its content type would need version 5, so it is not set.
    pub fn json(self, value: &impl Serialize) -> Self {
        let body = serde_json::to_vec(value).expect("what a channel sends has text for keys");
        self.body(body)
    }

    /// Hands the message over. `Ok` means that the broker has taken it.
    pub fn publish(self, server: &Server) -> Result<(), Error> {
        Ok(backend::mqtt_publish(&wit::Broker::Server(server.wit.clone()), &self.wit)?)
    }
}

impl Server {
    /// A broker that is spoken to in plain text, in MQTT 3.1.1, by a client without an id or a login.
    pub fn new(host: &str, port: u16) -> Self {
        let (host, version) = (host.to_owned(), "3.1.1".to_owned());
        Self { wit: wit::Server { host, port, tls: false, version, client_id: String::new(), login: None } }
    }

    pub fn tls(mut self, is_encrypted: bool) -> Self {
        self.wit.tls = is_encrypted;
        self
    }

    /// `3.1.1` or `5`.
    pub fn version(mut self, version: &str) -> Self {
        version.clone_into(&mut self.wit.version);
        self
    }

    /// Attempts of a channel with a client id take turns, because a broker ends the older of two connections.
    pub fn client_id(mut self, client_id: &str) -> Self {
        client_id.clone_into(&mut self.wit.client_id);
        self
    }

    pub fn login(mut self, user: &str, password: &Secret) -> Self {
        let (user, password) = (user.to_owned(), password.option().to_owned());
        self.wit.login = Some(wit::Login { user, password });
        self
    }
}
