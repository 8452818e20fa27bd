//! Messages to AMQP 0-9-1 brokers such as `RabbitMQ`, published by the host: it keeps the login and waits for the
//! confirmation of the broker.
//!
//! ```
//! use sandbell_sdk::prelude::*;
//!
//! fn tell(notification: &Notification, password: &Secret) -> Result<Receipt, SendError> {
//!     let server = amqp::Server::new("mq.example.com", 5671).tls(true).vhost("shop").login("alice", password);
//!     amqp::to_exchange("alerts", "db.down").json(&notification.document()).publish(&server)?;
//!     Ok(Receipt::new())
//! }
//! ```

use serde::Serialize;

use crate::bindings::sandbell::channel::amqp as wit;
use crate::{Secret, backend};

pub use crate::publish::Error;

/// A message in the making: it survives a restart of the broker, and fails if no queue takes it.
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

/// Starts a message to a queue, by the default exchange.
pub fn to_queue(queue: &str) -> Message {
    to_exchange("", queue)
}

/// Starts a message to an exchange; an empty name is the default one, whose routing keys are queues' names.
pub fn to_exchange(exchange: &str, routing_key: &str) -> Message {
    let wit = wit::Message {
        exchange: exchange.to_owned(),
        routing_key: routing_key.to_owned(),
        content_type: String::new(),
        headers: Vec::new(),
        body: Vec::new(),
        persistent: true,
        mandatory: true,
    };
    Message { wit }
}

impl Message {
    pub fn content_type(mut self, content_type: &str) -> Self {
        content_type.clone_into(&mut self.wit.content_type);
        self
    }

    /// A text; the host refuses `CC`, `BCC` and `x-…`.
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.wit.headers.push((name.to_owned(), value.into()));
        self
    }

    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.wit.body = body.into();
        self
    }

    /// A body of JSON, and its content type.
    pub fn json(self, value: &impl Serialize) -> Self {
        let body = serde_json::to_vec(value).expect("what a channel sends has text for keys");
        self.content_type("application/json").body(body)
    }

    /// Lost when the broker restarts.
    pub fn transient(mut self) -> Self {
        self.wit.persistent = false;
        self
    }

    /// Taken even if no queue is there to hold it.
    pub fn optional(mut self) -> Self {
        self.wit.mandatory = false;
        self
    }

    /// Hands the message over. `Ok` means that the broker has confirmed it.
    pub fn publish(self, server: &Server) -> Result<(), Error> {
        Ok(backend::amqp_publish(&wit::Broker::Server(server.wit.clone()), &self.wit)?)
    }
}

impl Server {
    /// A broker that is spoken to in plain text, in the virtual host `/`, as `guest`.
    pub fn new(host: &str, port: u16) -> Self {
        let (host, vhost) = (host.to_owned(), "/".to_owned());
        Self { wit: wit::Server { host, port, tls: false, vhost, login: None } }
    }

    pub fn tls(mut self, is_encrypted: bool) -> Self {
        self.wit.tls = is_encrypted;
        self
    }

    /// An empty one is `/`.
    pub fn vhost(mut self, vhost: &str) -> Self {
        (if vhost.is_empty() { "/" } else { vhost }).clone_into(&mut self.wit.vhost);
        self
    }

    pub fn login(mut self, user: &str, password: &Secret) -> Self {
        let (user, password) = (user.to_owned(), password.option().to_owned());
        self.wit.login = Some(wit::Login { user, password });
        self
    }
}
