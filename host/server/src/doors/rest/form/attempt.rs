//! One try: how it ended, what was said to the world, what the plugin wrote, what it used up.
//!
//! Secrets are masked before any of this is made.

use std::time::Duration;

use sandbell_domain::delivery::{HttpAnswer, HttpExchange, PublishExchange, SmtpExchange};
use sandbell_domain::{Attempt, Exchange, Failure, FailureKind, LogLevel, LogLine, Outcome, Receipt, Usage};
use serde::Serialize;
use utoipa::ToSchema;

use super::text;

/// One try, as `sandbell send --json` and a test of a channel show it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Attempt)]
pub(crate) struct AttemptForm {
    /// Nothing was sent.
    pub(super) dry_run: bool,
    pub(super) outcome: OutcomeForm,
    /// What was said to the world, in order, with secrets masked.
    pub(super) exchanges: Vec<ExchangeForm>,
    /// What the plugin wrote.
    pub(super) log: Vec<LogLineForm>,
    pub(super) usage: UsageForm,
}

/// How a try ended: with a receipt, or with a failure.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Outcome)]
pub(crate) struct OutcomeForm {
    /// Never in a dry run.
    delivered: bool,
    /// Only in a dry run: the plugin had said all that it wanted to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    complete: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    receipt: Option<ReceiptForm>,
    #[serde(flatten)]
    failure: Option<FailureForm>,
}

/// What the provider gave in return.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Receipt)]
struct ReceiptForm {
    provider_id: Option<String>,
    detail: Option<String>,
    links: Vec<SeenLink>,
}

/// A place where the delivery can be seen.
#[derive(Debug, Serialize, ToSchema)]
struct SeenLink {
    label: String,
    url: String,
}

/// Why a try failed. The code is stable, the detail is for people.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Failure)]
pub(crate) struct FailureForm {
    #[schema(schema_with = text::failure_kind)]
    kind: FailureKind,
    #[schema(example = "http-status:503")]
    code: String,
    detail: String,
    /// How long the other side asked to wait.
    retry_after_ms: Option<u64>,
}

/// One brokered conversation.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
#[schema(as = Exchange)]
pub(super) enum ExchangeForm {
    Http {
        method: String,
        url: String,
        /// In the order in which they were sent.
        headers: Vec<(String, String)>,
        body: BytesForm,
        answer: Option<AnswerForm>,
        error: Option<String>,
        duration_ms: u64,
    },
    Smtp {
        /// Host and port, and how it is encrypted.
        server: String,
        login: Option<String>,
        from: String,
        to: Vec<String>,
        message: BytesForm,
        /// The server's last reply.
        answer: Option<String>,
        error: Option<String>,
        duration_ms: u64,
    },
    /// A message that was given to a broker of messages.
    Publish {
        #[schema(example = "amqp")]
        capability: &'static str,
        broker: String,
        login: Option<String>,
        /// Exchange and routing key, or topic.
        place: String,
        headers: Vec<(String, String)>,
        body: BytesForm,
        answer: Option<String>,
        error: Option<String>,
        duration_ms: u64,
    },
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Answer)]
pub(super) struct AnswerForm {
    status: u16,
    headers: Vec<(String, String)>,
    body: BytesForm,
}

/// Text as it is; other bytes in hexadecimal.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = Bytes)]
pub(super) enum BytesForm {
    Text(String),
    Bytes { hex: String },
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LogLine)]
pub(super) struct LogLineForm {
    level: LevelForm,
    message: String,
    fields: Vec<(String, String)>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = Level)]
enum LevelForm {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
}

/// What a try used up.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Usage)]
pub(super) struct UsageForm {
    wall_ms: u64,
    /// Waiting is free.
    cpu_ms: u64,
    memory_peak_bytes: usize,
    host_calls: u32,
    sent_bytes: usize,
    received_bytes: usize,
}

impl AttemptForm {
    pub(crate) fn new(attempt: &Attempt, dry_run: bool) -> Self {
        let Attempt { outcome, exchanges, log, usage } = attempt;
        let outcome = match outcome {
            Outcome::Delivered { .. } if dry_run => OutcomeForm::complete(),
            Outcome::Delivered { .. } | Outcome::Failed(_) => outcome.into(),
        };
        Self {
            dry_run,
            outcome,
            exchanges: exchanges.iter().map(Into::into).collect(),
            log: log.iter().map(Into::into).collect(),
            usage: (*usage).into(),
        }
    }
}

impl OutcomeForm {
    /// Of a dry run, which delivers nothing.
    const fn complete() -> Self {
        Self { delivered: false, complete: Some(true), receipt: None, failure: None }
    }
}

impl From<&Outcome> for OutcomeForm {
    fn from(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Delivered { receipt: Receipt { provider_id, detail, links } } => {
                let links = links.iter();
                let links = links.map(|link| SeenLink { label: link.label.clone(), url: link.url.clone() });
                let receipt = ReceiptForm {
                    provider_id: provider_id.clone(),
                    detail: detail.clone(),
                    links: links.collect(),
                };
                Self { delivered: true, complete: None, receipt: Some(receipt), failure: None }
            }
            Outcome::Failed(failure) => {
                Self { delivered: false, complete: None, receipt: None, failure: Some(failure.into()) }
            }
        }
    }
}

impl From<&Failure> for FailureForm {
    fn from(failure: &Failure) -> Self {
        let Failure { kind, code, detail, retry_after } = failure;
        Self {
            kind: *kind,
            code: code.clone(),
            detail: detail.clone(),
            retry_after_ms: retry_after.map(millis),
        }
    }
}

impl From<&Exchange> for ExchangeForm {
    fn from(exchange: &Exchange) -> Self {
        match exchange.clone() {
            Exchange::Http(HttpExchange { method, url, headers, body, answer, error, duration }) => {
                let answer = answer.map(|HttpAnswer { status, headers, body }| AnswerForm {
                    status,
                    headers,
                    body: body.into(),
                });
                let (body, duration_ms) = (body.into(), millis(duration));
                Self::Http { method, url, headers, body, answer, error, duration_ms }
            }
            Exchange::Smtp(SmtpExchange { server, login, from, to, message, answer, error, duration }) => {
                let (message, duration_ms) = (message.into(), millis(duration));
                Self::Smtp { server, login, from, to, message, answer, error, duration_ms }
            }
            Exchange::Publish(PublishExchange {
                capability,
                broker,
                login,
                place,
                headers,
                body,
                answer,
                error,
                duration,
            }) => {
                let (capability, body, duration_ms) = (capability.as_str(), body.into(), millis(duration));
                Self::Publish { capability, broker, login, place, headers, body, answer, error, duration_ms }
            }
        }
    }
}

impl From<Vec<u8>> for BytesForm {
    fn from(bytes: Vec<u8>) -> Self {
        use std::fmt::Write as _;
        match String::from_utf8(bytes) {
            Ok(text) => Self::Text(text),
            Err(error) => {
                let hex = error.as_bytes().iter().fold(String::new(), |mut hex, byte| {
                    let _ = write!(hex, "{byte:02x}");
                    hex
                });
                Self::Bytes { hex }
            }
        }
    }
}

impl From<&LogLine> for LogLineForm {
    fn from(line: &LogLine) -> Self {
        let LogLine { level, message, fields } = line;
        let level = match level {
            LogLevel::Trace => LevelForm::Trace,
            LogLevel::Debug => LevelForm::Debug,
            LogLevel::Info => LevelForm::Info,
            LogLevel::Warn => LevelForm::Warn,
            LogLevel::Error => LevelForm::Error,
        };
        Self { level, message: message.clone(), fields: fields.clone() }
    }
}

impl From<Usage> for UsageForm {
    fn from(usage: Usage) -> Self {
        let Usage { wall, cpu, memory_peak_bytes, host_calls, sent_bytes, received_bytes } = usage;
        let (wall_ms, cpu_ms) = (millis(wall), millis(cpu));
        Self { wall_ms, cpu_ms, memory_peak_bytes, host_calls, sent_bytes, received_bytes }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    fn http() -> Exchange {
        Exchange::Http(HttpExchange {
            method: "POST".to_owned(),
            url: "https://hooks.example.com/<secret:url>".to_owned(),
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: br#"{"text":"disk full"}"#.to_vec(),
            answer: Some(HttpAnswer { status: 200, headers: vec![], body: b"ok\x1b[31m".to_vec() }),
            error: None,
            duration: Duration::from_millis(12),
        })
    }

    #[test]
    fn a_try_is_shown_whole() {
        let attempt = Attempt {
            outcome: Outcome::Failed(Failure {
                kind: FailureKind::TimedOut,
                code: "timeout".to_owned(),
                detail: "no answer".to_owned(),
                retry_after: Some(Duration::from_millis(1500)),
            }),
            exchanges: vec![http()],
            log: vec![LogLine { level: LogLevel::Warn, message: "hm".to_owned(), fields: vec![] }],
            usage: Usage { wall: Duration::from_millis(30), ..Usage::default() },
        };
        assert_snapshot!(serde_json::to_string_pretty(&AttemptForm::new(&attempt, true)).unwrap(), @r#"
        {
          "dry_run": true,
          "outcome": {
            "delivered": false,
            "kind": "timed-out",
            "code": "timeout",
            "detail": "no answer",
            "retry_after_ms": 1500
          },
          "exchanges": [
            {
              "kind": "http",
              "method": "POST",
              "url": "https://hooks.example.com/<secret:url>",
              "headers": [
                [
                  "content-type",
                  "application/json"
                ]
              ],
              "body": "{\"text\":\"disk full\"}",
              "answer": {
                "status": 200,
                "headers": [],
                "body": "ok\u001b[31m"
              },
              "error": null,
              "duration_ms": 12
            }
          ],
          "log": [
            {
              "level": "warn",
              "message": "hm",
              "fields": []
            }
          ],
          "usage": {
            "wall_ms": 30,
            "cpu_ms": 0,
            "memory_peak_bytes": 0,
            "host_calls": 0,
            "sent_bytes": 0,
            "received_bytes": 0
          }
        }
        "#);
    }

    #[test]
    fn a_dry_run_has_delivered_nothing() {
        let attempt = Attempt {
            outcome: Outcome::Delivered { receipt: Receipt::default() },
            exchanges: vec![],
            log: vec![],
            usage: Usage::default(),
        };
        let outcome = |is_dry| serde_json::to_string(&AttemptForm::new(&attempt, is_dry).outcome).unwrap();
        assert_eq!(outcome(true), r#"{"delivered":false,"complete":true}"#);
        assert!(outcome(false).starts_with(r#"{"delivered":true,"receipt":"#));
    }

    #[test]
    fn programs_get_the_bytes() {
        assert_eq!(BytesForm::from(b"a\x1b".to_vec()), BytesForm::Text("a\x1b".to_owned()));
        assert_eq!(BytesForm::from(b"\xff\x00".to_vec()), BytesForm::Bytes { hex: "ff00".to_owned() });
    }
}
