//! What one attempt has left: requests, bytes, time; and what it said so far.

use std::sync::{Mutex, MutexGuard, PoisonError};

use sandbell_domain::{DeliveryId, Exchange, Limits, Mode};
use secrecy::SecretString;
use tokio::time::Instant;

/// What an attempt said to the world.
#[derive(Debug, Default)]
pub struct Record {
    pub exchanges: Vec<Exchange>,
    pub sent_bytes: usize,
    pub received_bytes: usize,
}

/// A guest that is refused again and again is not written down without end.
const EXCHANGES_MAX: usize = 64;

/// A signature costs a millisecond of the host's; as many as an attempt has requests, twice.
const SIGNATURES_MAX: u32 = 20;

/// Shared by all calls of one attempt.
pub(crate) struct AttemptState {
    pub(crate) delivery: DeliveryId,
    pub(crate) mode: Mode,
    pub(crate) deadline: Instant,
    used: Mutex<Used>,
    tokens: Mutex<Vec<(String, SecretString)>>,
    record: Mutex<Record>,
}

#[derive(Default)]
struct Used {
    http_requests: u32,
    http_request_bytes: usize,
    http_response_bytes: usize,
    mails: u32,
    publishes: u32,
    signatures: u32,
}

/// A limit of the attempt that a call ran into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Exhausted {
    #[error("an attempt may send at most {0} requests, redirects included")]
    Requests(u32),
    #[error("the request has more than {0} bytes")]
    RequestBytes(usize),
    #[error("the requests of an attempt may have at most {0} bytes together")]
    RequestBytesTotal(usize),
    #[error("the answer has more than {0} bytes")]
    ResponseBytes(usize),
    #[error("the answers of an attempt may have at most {0} bytes together")]
    ResponseBytesTotal(usize),
    #[error("an attempt may send at most {0} mails")]
    Mails(u32),
    #[error("an attempt may have at most {SIGNATURES_MAX} tokens signed")]
    Signatures,
    #[error("an attempt may publish at most {0} messages")]
    Publishes(u32),
    #[error("the message has more than {0} bytes")]
    PublishBytes(usize),
}

impl Exhausted {
    /// The contract's word for it.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Requests(_) | Self::Mails(_) | Self::Publishes(_) | Self::Signatures => "denied",
            Self::RequestBytes(_)
            | Self::PublishBytes(_)
            | Self::RequestBytesTotal(_)
            | Self::ResponseBytes(_)
            | Self::ResponseBytesTotal(_) => "too-large",
        }
    }
}

impl AttemptState {
    pub(crate) fn new(delivery: DeliveryId, mode: Mode, deadline: Instant) -> Self {
        Self {
            delivery,
            mode,
            deadline,
            used: Mutex::default(),
            tokens: Mutex::default(),
            record: Mutex::default(),
        }
    }

    /// Takes one request of `bytes` from what is left.
    pub(crate) fn take_request(&self, limits: &Limits, bytes: usize) -> Result<(), Exhausted> {
        let mut used = lock(&self.used);
        if used.http_requests >= limits.http_requests_max {
            return Err(Exhausted::Requests(limits.http_requests_max));
        }
        if bytes > limits.http_request_bytes_max {
            return Err(Exhausted::RequestBytes(limits.http_request_bytes_max));
        }
        let total = used.http_request_bytes.saturating_add(bytes);
        if total > limits.http_request_bytes_total_max {
            return Err(Exhausted::RequestBytesTotal(limits.http_request_bytes_total_max));
        }
        used.http_requests += 1;
        used.http_request_bytes = total;
        Ok(())
    }

    /// Takes bytes of an answer as they come in, before they are kept.
    pub(crate) fn take_answer(&self, limits: &Limits, bytes: usize) -> Result<(), Exhausted> {
        let mut used = lock(&self.used);
        used.http_response_bytes = used.http_response_bytes.saturating_add(bytes);
        if used.http_response_bytes > limits.http_response_bytes_total_max {
            return Err(Exhausted::ResponseBytesTotal(limits.http_response_bytes_total_max));
        }
        Ok(())
    }

    /// Takes one mail from what is left and gives its number, from 1.
    pub(crate) fn take_mail(&self, limits: &Limits) -> Result<u32, Exhausted> {
        let mut used = lock(&self.used);
        if used.mails >= limits.mails_max {
            return Err(Exhausted::Mails(limits.mails_max));
        }
        used.mails += 1;
        Ok(used.mails)
    }

    /// Takes one message of `bytes` from what is left and gives its number, from 1.
    pub(crate) fn take_publish(&self, limits: &Limits, bytes: usize) -> Result<u32, Exhausted> {
        let mut used = lock(&self.used);
        if used.publishes >= limits.publishes_max {
            return Err(Exhausted::Publishes(limits.publishes_max));
        }
        if bytes > limits.publish_bytes_max {
            return Err(Exhausted::PublishBytes(limits.publish_bytes_max));
        }
        used.publishes += 1;
        Ok(used.publishes)
    }

    /// Takes signatures from what is left, before any is made.
    pub(crate) fn take_signatures(&self, count: u32) -> Result<(), Exhausted> {
        let mut used = lock(&self.used);
        let total = used.signatures.saturating_add(count);
        if total > SIGNATURES_MAX {
            return Err(Exhausted::Signatures);
        }
        used.signatures = total;
        Ok(())
    }

    /// From now on, templates of this attempt can name this token.
    pub(crate) fn hold_token(&self, name: &str, value: SecretString) {
        let mut tokens = lock(&self.tokens);
        tokens.retain(|(held, _)| held != name);
        tokens.push((name.to_owned(), value));
    }

    pub(crate) fn tokens(&self) -> Vec<(String, SecretString)> {
        lock(&self.tokens).clone()
    }

    pub(crate) fn record(&self, exchange: Exchange, sent_bytes: usize, received_bytes: usize) {
        let mut record = lock(&self.record);
        if record.exchanges.len() < EXCHANGES_MAX {
            record.exchanges.push(exchange);
        }
        record.sent_bytes += sent_bytes;
        record.received_bytes += received_bytes;
    }

    pub(crate) fn take_record(&self) -> Record {
        std::mem::take(&mut *lock(&self.record))
    }
}

/// Counters stay right when a thread panics between two of them.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
