//! The brokers of one attempt, and what outlives it: the connections of its channel.

use std::sync::Arc;

use sandbell_domain::{Channel, DeliveryId, Exchange, Mode};
use tokio::runtime::Handle;
use tokio::time::Instant;

use crate::value::{Accepted, HttpError, HttpRequest, HttpResponse, Mail, Relay, SmtpError};

/// What the brokers of a process share: a runtime for their I/O and the system's certificate authorities.
pub struct Egress {
    io: Handle,
}

#[derive(Clone, Debug)]
pub struct EgressSettings {
    /// Names the program to the servers that it calls.
    pub user_agent: String,
}

/// The connections of one configured channel. They are never shared with another, and end with it.
pub struct ChannelEgress {}

/// The powers of one attempt; without a grant there is no broker, and the call is refused by its absence.
#[derive(Clone)]
pub struct Brokers {}

/// What an attempt said to the world.
#[derive(Debug, Default)]
pub struct Record {
    pub exchanges: Vec<Exchange>,
    pub sent_bytes: usize,
    pub received_bytes: usize,
}

#[derive(Debug, thiserror::Error)]
pub enum EgressError {
    #[error("the certificate authorities cannot be read: {0}")]
    Authorities(String),
    #[error("the client certificate or its key cannot be read: {0}")]
    Identity(String),
}

impl Egress {
    /// `io` runs every connection; guests run elsewhere, so that a spinning one delays no answer.
    pub fn new(io: Handle, settings: EgressSettings) -> Result<Self, EgressError> {
        let _ = settings;
        Ok(Self { io })
    }

    pub fn channel(&self, channel: &Channel) -> Result<ChannelEgress, EgressError> {
        let _ = (channel, &self.io);
        Ok(ChannelEgress {})
    }
}

impl ChannelEgress {
    /// The brokers of one attempt, with its budgets. Every call ends before `deadline`.
    pub fn attempt(&self, delivery: DeliveryId, mode: Mode, deadline: Instant) -> Brokers {
        let _ = (delivery, mode, deadline);
        Brokers {}
    }
}

impl Brokers {
    /// Runs on the I/O runtime; may be awaited from any other. Dropping the future cancels the call.
    pub async fn http(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let _ = request;
        todo!()
    }

    pub async fn http_all(&self, requests: Vec<HttpRequest>) -> Vec<Result<HttpResponse, HttpError>> {
        let _ = requests;
        todo!()
    }

    pub async fn smtp(&self, relay: Relay, mail: Mail) -> Result<Accepted, SmtpError> {
        let _ = (relay, mail);
        todo!()
    }

    /// Masks the channel's secrets, in all the forms that they can take, in text that leaves the sandbox.
    pub fn scrub(&self, text: &str) -> String {
        text.to_owned()
    }

    /// What was said so far; empties it.
    pub fn take_record(&self) -> Record {
        Record::default()
    }
}

#[expect(dead_code, reason = "the skeleton")]
fn assert_sendable(brokers: Brokers) -> Arc<dyn Send + Sync> {
    Arc::new(brokers)
}
