//! Why a configuration was refused, and why a notification was not delivered.

use std::fmt;
use std::time::Duration;

use crate::bindings::exports::sandbell::channel::plugin as wit;

pub use wit::Retry;

/// The stable words of a [`SendError`]: what kind of trouble it is.
pub mod code {
    /// The configuration cannot work.
    pub const CONFIG: &str = "config";
    /// The other side does not accept the credentials.
    pub const AUTH: &str = "auth";
    /// The contact cannot be reached: no address, or one that does not exist.
    pub const ADDRESS: &str = "address";
    /// The other side understood and said no.
    pub const REJECTED: &str = "rejected";
    /// Too much, too fast.
    pub const RATE_LIMITED: &str = "rate-limited";
    /// The other side was not there, or not well.
    pub const UNREACHABLE: &str = "unreachable";
    /// The operator has not granted it.
    pub const DENIED: &str = "denied";
    /// The other side said something that makes no sense.
    pub const PROTOCOL: &str = "protocol";
    /// A mistake of the channel or the host.
    pub const INTERNAL: &str = "internal";
}

/// Why a notification was not delivered, and whether trying again can help.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendError {
    pub retry: Retry,
    /// The earliest sensible next attempt, counted from now.
    pub after: Option<Duration>,
    /// One of [`code`].
    pub code: String,
    /// One line for the operator.
    pub message: String,
}

/// Why a configuration was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// The option to blame, if it is one.
    pub option: Option<String>,
    /// Goes on after the option's name, e.g. `must be between 1 and 65535`.
    pub message: String,
}

impl SendError {
    /// Trying again can help: the other side is away or busy.
    pub fn retry(message: impl Into<String>) -> Self {
        Self::later(code::UNREACHABLE, message)
    }

    /// Trying again gives the same answer.
    pub fn permanent(message: impl Into<String>) -> Self {
        Self::never(code::REJECTED, message)
    }

    /// The configuration cannot work, which only showed now.
    pub fn config(message: impl Into<String>) -> Self {
        Self::never(code::CONFIG, message)
    }

    /// The credentials are not accepted.
    pub fn auth(message: impl Into<String>) -> Self {
        Self::never(code::AUTH, message)
    }

    /// The contact has no address that would do.
    pub fn address(message: impl Into<String>) -> Self {
        Self::never(code::ADDRESS, message)
    }

    /// [`Retry::Later`] with a code of your choice.
    pub fn later(code: &str, message: impl Into<String>) -> Self {
        Self { retry: Retry::Later, after: None, code: code.to_owned(), message: message.into() }
    }

    /// [`Retry::Never`] with a code of your choice.
    pub fn never(code: &str, message: impl Into<String>) -> Self {
        Self { retry: Retry::Never, after: None, code: code.to_owned(), message: message.into() }
    }

    /// Says when the next attempt makes sense.
    #[must_use]
    pub fn after(mut self, wait: Duration) -> Self {
        self.after = Some(wait);
        self
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for SendError {}

impl ConfigError {
    /// Blames the configuration as a whole.
    pub fn new(message: impl Into<String>) -> Self {
        Self { option: None, message: message.into() }
    }

    /// Blames one option; the message goes on after its name.
    pub fn option(name: &str, message: impl Into<String>) -> Self {
        Self { option: Some(name.to_owned()), message: message.into() }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.option {
            Some(option) => write!(f, "`{option}` {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for ConfigError {}

impl From<SendError> for wit::SendError {
    fn from(error: SendError) -> Self {
        let SendError { retry, after, code, message } = error;
        Self { retry, retry_after_ms: after.map(millis), code, message }
    }
}

impl From<ConfigError> for wit::ConfigError {
    fn from(ConfigError { option, message }: ConfigError) -> Self {
        Self { name: option, message }
    }
}

pub(crate) fn millis(wait: Duration) -> u64 {
    u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)
}
