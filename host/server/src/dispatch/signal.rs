//! What an attempt shows of the destination that it went to.

use sandbell_domain::{Attempt, Exchange, FailureKind, Outcome};
use url::Url;

use crate::circuits::Signal;

/// Failures that are the host's own: they say nothing of channel and destination.
const OF_THE_HOST: [&str; 3] = ["busy", "host", "host-bug"];

/// What there is to note after an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shown {
    /// Where the last exchange went, e.g. `https://chat.example.com`. Absent: it came to none.
    pub(super) destination: Option<String>,
    pub(super) signal: Signal,
}

/// Whether the host had no room for the attempt, which is then none.
pub(super) fn is_busy(attempt: &Attempt) -> bool {
    matches!(&attempt.outcome, Outcome::Failed(failure) if failure.code == "busy")
}

pub(super) fn shown(attempt: &Attempt) -> Shown {
    let destination = attempt.exchanges.last().map(destination);
    let signal = match &attempt.outcome {
        Outcome::Delivered { .. } => Signal::Good,
        Outcome::Failed(failure) if OF_THE_HOST.contains(&failure.code.as_str()) => Signal::Nothing,
        Outcome::Failed(failure) => match failure.kind {
            FailureKind::Transient | FailureKind::TimedOut => {
                Signal::Bad { retry_after: failure.retry_after }
            }
            // It answered: this delivery is refused, others may not be.
            FailureKind::Permanent => Signal::Good,
            FailureKind::Misconfigured | FailureKind::Denied | FailureKind::Trapped => Signal::Nothing,
        },
    };
    Shown { destination, signal }
}

fn destination(exchange: &Exchange) -> String {
    match exchange {
        Exchange::Http(http) => {
            Url::parse(&http.url).map_or_else(|_| "http".to_owned(), |url| url.origin().ascii_serialization())
        }
        Exchange::Smtp(smtp) => smtp.server.clone(),
        Exchange::Publish(publish) => publish.broker.clone(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use sandbell_domain::delivery::HttpExchange;
    use sandbell_domain::{Failure, Receipt, Usage};

    use super::*;
    use FailureKind as K;

    fn attempt(outcome: Outcome, url: Option<&str>) -> Attempt {
        let exchange = |url: &str| {
            Exchange::Http(HttpExchange {
                method: "POST".to_owned(),
                url: url.to_owned(),
                headers: vec![],
                body: vec![],
                answer: None,
                error: None,
                duration: Duration::ZERO,
            })
        };
        Attempt {
            outcome,
            exchanges: url.map(exchange).into_iter().collect(),
            log: vec![],
            usage: Usage::default(),
        }
    }

    fn failed(kind: FailureKind, code: &str, retry_after: Option<Duration>) -> Outcome {
        Outcome::Failed(Failure { kind, code: code.to_owned(), detail: String::new(), retry_after })
    }

    #[test]
    fn only_a_destination_that_does_not_answer_is_bad() {
        let check = |outcome: Outcome, signal: Signal| {
            let shown = shown(&attempt(outcome.clone(), None));
            assert_eq!(shown.signal, signal, "{outcome:?}");
        };
        let minute = Some(Duration::from_mins(1));
        check(Outcome::Delivered { receipt: Receipt::default() }, Signal::Good);
        check(failed(K::Transient, "http-status:429", minute), Signal::Bad { retry_after: minute });
        check(failed(K::TimedOut, "timeout", None), Signal::Bad { retry_after: None });
        check(failed(K::Permanent, "http-status:404", None), Signal::Good);
        check(failed(K::Misconfigured, "config", None), Signal::Nothing);
        check(failed(K::Trapped, "trap", None), Signal::Nothing);
        check(failed(K::Transient, "busy", None), Signal::Nothing);
        check(failed(K::Transient, "host-bug", None), Signal::Nothing);
    }

    #[test]
    fn a_destination_is_scheme_host_and_port() {
        let check = |url: &str, want: &str| {
            let outcome = Outcome::Delivered { receipt: Receipt::default() };
            assert_eq!(shown(&attempt(outcome, Some(url))).destination.as_deref(), Some(want));
        };
        check("https://hooks.example.com/services/<secret>", "https://hooks.example.com");
        check("http://127.0.0.1:8080/a?b", "http://127.0.0.1:8080");
        check("<secret>", "http");
        assert_eq!(shown(&attempt(failed(FailureKind::Denied, "denied", None), None)).destination, None);
    }
}
