//! An attempt as the daemon tells it, for people: the same words as `sandbell send`.

use std::time::Duration;

use sandbell_domain::delivery::{HttpAnswer, HttpExchange, PublishExchange, SmtpExchange};
use sandbell_domain::{Capability, Exchange, FailureKind, LogLine, Receipt};
use serde::Deserialize;
use serde_json::Value as Json;

use super::exit::Exit;
use super::send::render;

/// One try of a delivery, or of a test.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct AttemptForm {
    pub(super) outcome: OutcomeForm,
    #[serde(default)]
    exchanges: Vec<ExchangeForm>,
    #[serde(default)]
    log: Vec<LogLine>,
    #[serde(default)]
    pub(super) usage: UsageForm,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct OutcomeForm {
    pub(super) delivered: bool,
    #[serde(default)]
    pub(super) receipt: Receipt,
    #[serde(default)]
    pub(super) kind: Option<FailureKind>,
    #[serde(default)]
    pub(super) code: String,
    #[serde(default)]
    pub(super) detail: String,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct UsageForm {
    pub(super) wall_ms: u64,
    pub(super) cpu_ms: u64,
    pub(super) memory_peak_bytes: u64,
    pub(super) sent_bytes: u64,
    pub(super) received_bytes: u64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum ExchangeForm {
    Http {
        method: String,
        url: String,
        headers: Vec<(String, String)>,
        body: Bytes,
        answer: Option<AnswerForm>,
        error: Option<String>,
        duration_ms: u64,
    },
    Smtp {
        server: String,
        login: Option<String>,
        from: String,
        to: Vec<String>,
        message: Bytes,
        answer: Option<String>,
        error: Option<String>,
        duration_ms: u64,
    },
    Publish {
        capability: Capability,
        broker: String,
        login: Option<String>,
        place: String,
        headers: Vec<(String, String)>,
        body: Bytes,
        answer: Option<String>,
        error: Option<String>,
        duration_ms: u64,
    },
}

#[derive(Clone, Debug, Deserialize)]
struct AnswerForm {
    status: u16,
    headers: Vec<(String, String)>,
    body: Bytes,
}

/// Text, or `{"hex": …}`.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "Json")]
struct Bytes(Vec<u8>);

impl From<Json> for Bytes {
    fn from(json: Json) -> Self {
        if let Some(text) = json.as_str() {
            return Self(text.as_bytes().to_vec());
        }
        let hex = json["hex"].as_str().unwrap_or_default().as_bytes();
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
        Self(hex.chunks(2).filter_map(byte).collect())
    }
}

impl AttemptForm {
    /// What was said to the world.
    pub(super) fn exchanges_text(&self) -> String {
        let exchanges: Vec<Exchange> = self.exchanges.iter().cloned().map(Exchange::from).collect();
        render::to_text(&exchanges)
    }

    /// What the plugin wrote.
    pub(super) fn log_text(&self) -> String {
        render::log_text(&self.log)
    }

    pub(super) const fn exit(&self) -> Exit {
        match self.outcome.kind {
            None => Exit::Ok,
            Some(FailureKind::Transient | FailureKind::TimedOut) => Exit::Later,
            Some(
                FailureKind::Permanent
                | FailureKind::Misconfigured
                | FailureKind::Denied
                | FailureKind::Trapped,
            ) => Exit::Dead,
        }
    }
}

impl OutcomeForm {
    /// `delivered`, or the kind and the code of the failure.
    pub(super) fn word(&self) -> String {
        match self.kind {
            _ if self.delivered => "delivered".to_owned(),
            Some(kind) => format!("{}, {}", kind.as_str(), self.code),
            None => "failed".to_owned(),
        }
    }
}

impl From<ExchangeForm> for Exchange {
    fn from(form: ExchangeForm) -> Self {
        match form {
            ExchangeForm::Http { method, url, headers, body, answer, error, duration_ms } => {
                Self::Http(HttpExchange {
                    method,
                    url,
                    headers,
                    body: body.0,
                    answer: answer.map(|AnswerForm { status, headers, body }| HttpAnswer {
                        status,
                        headers,
                        body: body.0,
                    }),
                    error,
                    duration: Duration::from_millis(duration_ms),
                })
            }
            ExchangeForm::Smtp { server, login, from, to, message, answer, error, duration_ms } => {
                Self::Smtp(SmtpExchange {
                    server,
                    login,
                    from,
                    to,
                    message: message.0,
                    answer,
                    error,
                    duration: Duration::from_millis(duration_ms),
                })
            }
            ExchangeForm::Publish {
                capability,
                broker,
                login,
                place,
                headers,
                body,
                answer,
                error,
                duration_ms,
            } => Self::Publish(PublishExchange {
                capability,
                broker,
                login,
                place,
                headers,
                body: body.0,
                answer,
                error,
                duration: Duration::from_millis(duration_ms),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use serde_json::json;

    use super::*;

    #[test]
    fn an_attempt_reads_as_send_shows_it() {
        let json = json!({
            "outcome": {
                "delivered": false, "kind": "permanent", "code": "auth", "detail": "no_service", "retry_after_ms": null,
            },
            "exchanges": [{
                "kind": "http", "method": "POST", "url": "https://hooks.example.com/<secret:url>",
                "headers": [["content-type", "text/plain"]], "body": "hi", "error": null, "duration_ms": 12,
                "answer": { "status": 404, "headers": [], "body": { "hex": "fffe" } },
            }],
            "log": [{ "level": "info", "message": "posts", "fields": [["room", "#ops"]] }],
            "usage": { "wall_ms": 14 },
        });
        let attempt = AttemptForm::deserialize(&json).unwrap();
        assert_eq!(attempt.exit(), Exit::Dead);
        assert_eq!(attempt.outcome.word(), "permanent, auth");
        assert_snapshot!(format!("{}{}", attempt.exchanges_text(), attempt.log_text()), @"
        to https://hooks.example.com
        POST /<secret:url> HTTP/1.1
        content-type: text/plain

        hi

        answered 404 in 12 ms

        (2 bytes that are no text)


        log info: posts room=#ops
        ");
    }
}
