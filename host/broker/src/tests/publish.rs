//! Messages: real brokers, and brokers that mean harm.

mod amqp;
mod hostile;
mod mqtt;

use crate::value::PublishError;

/// How a publish ended, with the port that a test happened to get left out.
pub(super) fn said(outcome: Result<(), PublishError>, port: u16) -> String {
    match outcome {
        Ok(()) => "published".to_owned(),
        Err(PublishError { code, message }) => {
            format!("{code}: {}", message.replace(&port.to_string(), "PORT"))
        }
    }
}
