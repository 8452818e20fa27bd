//! What an attempt shows: of the destination that it went to, and of the channel.

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
    /// Whether it counts among the channel's failures in a row; absent: it is no news of the channel.
    pub(super) is_failure: Option<bool>,
}

/// Whether the host had no room for the attempt, which is then none.
pub(super) fn is_busy(attempt: &Attempt) -> bool {
    matches!(&attempt.outcome, Outcome::Failed(failure) if failure.code == "busy")
}

pub(super) fn shown(attempt: &Attempt) -> Shown {
    let destination = attempt.exchanges.last().map(destination);
    let (signal, is_failure) = match &attempt.outcome {
        Outcome::Delivered { .. } => (Signal::Good, Some(false)),
        Outcome::Failed(failure) if OF_THE_HOST.contains(&failure.code.as_str()) => (Signal::Nothing, None),
        Outcome::Failed(failure) => {
            let signal = match failure.kind {
                FailureKind::Transient | FailureKind::TimedOut => {
                    Signal::Bad { retry_after: failure.retry_after }
                }
                // It answered: this delivery is refused, others may not be.
                FailureKind::Permanent => Signal::Good,
                FailureKind::Misconfigured | FailureKind::Denied | FailureKind::Trapped => Signal::Nothing,
            };
            (signal, Some(true))
        }
    };
    Shown { destination, signal, is_failure }
}

fn destination(exchange: &Exchange) -> String {
    match exchange {
        Exchange::Http(http) => Url::parse(&http.url)
            .ok()
            .map(|url| url.origin().ascii_serialization())
            .unwrap_or_else(|| "http".to_owned()),
        Exchange::Smtp(smtp) => smtp.server.clone(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use sandbell_domain::delivery::HttpExchange;
    use sandbell_domain::{Failure, Receipt, Usage};

    use super::*;

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
        Attempt { outcome, exchanges: url.map(exchange).into_iter().collect(), log: vec![], usage: Usage::default() }
    }

    fn failed(kind: FailureKind, code: &str, retry_after: Option<Duration>) -> Outcome {
        Outcome::Failed(Failure { kind, code: code.to_owned(), detail: String::new(), retry_after })
    }

    #[test]
    fn only_a_destination_that_does_not_answer_is_bad() {
        let check = |outcome: Outcome, signal: Signal, is_failure: Option<bool>| {
            let shown = shown(&attempt(outcome.clone(), None));
            assert_eq!((shown.signal, shown.is_failure), (signal, is_failure), "{outcome:?}");
        };
        use FailureKind as K;
        let minute = Some(Duration::from_mins(1));
        check(Outcome::Delivered { receipt: Receipt::default() }, Signal::Good, Some(false));
        check(failed(K::Transient, "http-status:429", minute), Signal::Bad { retry_after: minute }, Some(true));
        check(failed(K::TimedOut, "timeout", None), Signal::Bad { retry_after: None }, Some(true));
        check(failed(K::Permanent, "http-status:404", None), Signal::Good, Some(true));
        check(failed(K::Misconfigured, "config", None), Signal::Nothing, Some(true));
        check(failed(K::Trapped, "trap", None), Signal::Nothing, Some(true));
        check(failed(K::Transient, "busy", None), Signal::Nothing, None);
        check(failed(K::Transient, "host-bug", None), Signal::Nothing, None);
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
