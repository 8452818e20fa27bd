//! The stored forms of notifications and attempts: JSON, each with its version in its type's name.
//!
//! They are types of their own, so that a change of the domain's cannot change what lies on the disk unnoticed.

use std::time::Duration;

use sandbell_domain::delivery::{HttpAnswer, HttpExchange, PublishExchange, SmtpExchange};
use sandbell_domain::{
    Attempt, Capability, Contact, Event, Exchange, Failure, FailureKind, Incident, Link, LogLine,
    Notification, NotificationId, Object, Outcome, Receipt, Source, TenantId, Usage,
};
use serde::{Deserialize, Serialize};

/// A notification without its ids and its contact, which have columns.
#[derive(Serialize, Deserialize)]
pub(super) struct NotificationV1 {
    object: Object,
    incident: Option<Incident>,
    event: Event,
    links: Vec<Link>,
    extra: Vec<(String, String)>,
    source: Source,
}

impl NotificationV1 {
    pub(super) fn of(notification: &Notification) -> Self {
        let Notification { id: _, tenant: _, contact: _, object, incident, event, links, extra, source } =
            notification.clone();
        Self { object, incident, event, links, extra, source }
    }

    pub(super) fn into_notification(
        self,
        id: NotificationId,
        tenant: TenantId,
        contact: Contact,
    ) -> Notification {
        let Self { object, incident, event, links, extra, source } = self;
        Notification { id, tenant, contact, object, incident, event, links, extra, source }
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct FailureV1 {
    kind: FailureKind,
    code: String,
    detail: String,
    retry_after: Option<Duration>,
}

impl From<Failure> for FailureV1 {
    fn from(failure: Failure) -> Self {
        let Failure { kind, code, detail, retry_after } = failure;
        Self { kind, code, detail, retry_after }
    }
}

impl From<FailureV1> for Failure {
    fn from(form: FailureV1) -> Self {
        let FailureV1 { kind, code, detail, retry_after } = form;
        Self { kind, code, detail, retry_after }
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct AttemptV1 {
    outcome: OutcomeV1,
    exchanges: Vec<ExchangeV1>,
    log: Vec<LogLine>,
    usage: Usage,
    pub(super) verdict: VerdictV1,
}

impl AttemptV1 {
    pub(super) fn new(attempt: Attempt, verdict: VerdictV1) -> Self {
        let Attempt { outcome, exchanges, log, usage } = attempt;
        let outcome = match outcome {
            Outcome::Delivered { receipt } => OutcomeV1::Delivered(receipt),
            Outcome::Failed(failure) => OutcomeV1::Failed(failure.into()),
        };
        Self { outcome, exchanges: exchanges.into_iter().map(Into::into).collect(), log, usage, verdict }
    }

    pub(super) fn into_attempt(self) -> Attempt {
        let Self { outcome, exchanges, log, usage, verdict: _ } = self;
        let outcome = match outcome {
            OutcomeV1::Delivered(receipt) => Outcome::Delivered { receipt },
            OutcomeV1::Failed(failure) => Outcome::Failed(failure.into()),
        };
        Attempt { outcome, exchanges: exchanges.into_iter().map(Into::into).collect(), log, usage }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum OutcomeV1 {
    Delivered(Receipt),
    Failed(FailureV1),
}

/// Times are microseconds since 1970, as in the columns.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum VerdictV1 {
    Delivered,
    RetryAt(i64),
    Dead(sandbell_domain::DeadReason),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ExchangeV1 {
    Http {
        method: String,
        url: String,
        headers: Vec<(String, String)>,
        body: BytesV1,
        answer: Option<AnswerV1>,
        error: Option<String>,
        duration: Duration,
    },
    Smtp {
        server: String,
        login: Option<String>,
        from: String,
        to: Vec<String>,
        message: BytesV1,
        answer: Option<String>,
        error: Option<String>,
        duration: Duration,
    },
    Publish {
        capability: Capability,
        broker: String,
        login: Option<String>,
        place: String,
        headers: Vec<(String, String)>,
        body: BytesV1,
        answer: Option<String>,
        error: Option<String>,
        duration: Duration,
    },
}

#[derive(Serialize, Deserialize)]
struct AnswerV1 {
    status: u16,
    headers: Vec<(String, String)>,
    body: BytesV1,
}

impl From<Exchange> for ExchangeV1 {
    fn from(exchange: Exchange) -> Self {
        match exchange {
            Exchange::Http(HttpExchange { method, url, headers, body, answer, error, duration }) => {
                let answer = answer.map(|HttpAnswer { status, headers, body }| AnswerV1 {
                    status,
                    headers,
                    body: body.into(),
                });
                Self::Http { method, url, headers, body: body.into(), answer, error, duration }
            }
            Exchange::Smtp(SmtpExchange { server, login, from, to, message, answer, error, duration }) => {
                Self::Smtp { server, login, from, to, message: message.into(), answer, error, duration }
            }
            Exchange::Publish(exchange) => {
                let PublishExchange {
                    capability,
                    broker,
                    login,
                    place,
                    headers,
                    body,
                    answer,
                    error,
                    duration,
                } = exchange;
                let body = body.into();
                Self::Publish { capability, broker, login, place, headers, body, answer, error, duration }
            }
        }
    }
}

impl From<ExchangeV1> for Exchange {
    fn from(form: ExchangeV1) -> Self {
        match form {
            ExchangeV1::Http { method, url, headers, body, answer, error, duration } => {
                let answer = answer.map(|AnswerV1 { status, headers, body }| HttpAnswer {
                    status,
                    headers,
                    body: body.into(),
                });
                Self::Http(HttpExchange { method, url, headers, body: body.into(), answer, error, duration })
            }
            ExchangeV1::Smtp { server, login, from, to, message, answer, error, duration } => {
                let message = message.into();
                Self::Smtp(SmtpExchange { server, login, from, to, message, answer, error, duration })
            }
            ExchangeV1::Publish {
                capability,
                broker,
                login,
                place,
                headers,
                body,
                answer,
                error,
                duration,
            } => {
                let body = body.into();
                let exchange = PublishExchange {
                    capability,
                    broker,
                    login,
                    place,
                    headers,
                    body,
                    answer,
                    error,
                    duration,
                };
                Self::Publish(exchange)
            }
        }
    }
}

/// Text where it is text, so that a person can read the file.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum BytesV1 {
    Text(String),
    Base64(#[serde(with = "base64_text")] Vec<u8>),
}

impl From<Vec<u8>> for BytesV1 {
    fn from(bytes: Vec<u8>) -> Self {
        String::from_utf8(bytes).map_or_else(|error| Self::Base64(error.into_bytes()), Self::Text)
    }
}

impl From<BytesV1> for Vec<u8> {
    fn from(form: BytesV1) -> Self {
        match form {
            BytesV1::Text(text) => text.into_bytes(),
            BytesV1::Base64(bytes) => bytes,
        }
    }
}

mod base64_text {
    use base64::{Engine as _, prelude::BASE64_STANDARD};
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64_STANDARD.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        BASE64_STANDARD.decode(String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}
