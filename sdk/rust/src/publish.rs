//! What messages to AMQP and MQTT brokers have in common: why one was not taken.

use std::fmt;

use crate::SendError;
use crate::bindings::sandbell::channel::{amqp, mqtt};
use crate::error::code;

/// Why a broker did not take a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// `denied`, `invalid-message`, `dns`, `connect`, `tls`, `auth`, `timeout`, `unroutable`, `nacked`, `rejected`,
    /// `rate-limited`, `too-large`, `protocol` or `internal`.
    pub code: String,
    pub message: String,
}

impl Error {
    /// An error as the host would give it, for tests.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into() }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl From<amqp::Error> for Error {
    fn from(amqp::Error { code, message }: amqp::Error) -> Self {
        Self { code, message }
    }
}

impl From<mqtt::Error> for Error {
    fn from(mqtt::Error { code, message }: mqtt::Error) -> Self {
        Self { code, message }
    }
}

/// A broker that is away, full or busy may take it later; one that said no says it again.
impl From<Error> for SendError {
    fn from(error: Error) -> Self {
        let Error { code, message } = error;
        match code.as_str() {
            "denied" => Self::never(code::DENIED, message),
            "auth" => Self::never(code::AUTH, message),
            "unroutable" | "rejected" | "invalid-message" | "too-large" => {
                Self::never(code::REJECTED, message)
            }
            "nacked" => Self::later(code::REJECTED, message),
            "rate-limited" => Self::later(code::RATE_LIMITED, message),
            "dns" | "connect" | "tls" | "timeout" => Self::later(code::UNREACHABLE, message),
            "protocol" => Self::later(code::PROTOCOL, message),
            _ => Self::later(code::INTERNAL, message),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Retry::{Later, Never};

    #[test]
    fn an_error_decides_what_becomes_of_the_notification() {
        for (code, retry, want) in [
            ("denied", Never, code::DENIED),
            ("auth", Never, code::AUTH),
            ("unroutable", Never, code::REJECTED),
            ("invalid-message", Never, code::REJECTED),
            ("nacked", Later, code::REJECTED),
            ("connect", Later, code::UNREACHABLE),
            ("timeout", Later, code::UNREACHABLE),
            ("rate-limited", Later, code::RATE_LIMITED),
            ("protocol", Later, code::PROTOCOL),
            ("news", Later, code::INTERNAL),
        ] {
            let error = SendError::from(Error::new(code, "no"));
            assert_eq!((error.retry, error.code.as_str()), (retry, want), "{code}");
        }
    }
}
