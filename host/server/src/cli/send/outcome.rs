//! How a delivery ended, in words and as an exit code.

use std::fmt::Write as _;

use sandbell_domain::{Attempt, Failure, FailureKind, Outcome, Receipt, escape};
use serde_json::{Value as Json, json};

use super::super::args;
use super::super::exit::Exit;
use super::super::problem::Problem;
use super::super::run::{Context, Done};
use super::render::{self, millis};

pub(super) fn print(context: &Context, args: &args::Send, attempt: &Attempt) -> Done {
    if context.output.is_json {
        context.output.result(String::new, || to_json(attempt, args.dry_run));
        return Ok(exit(&attempt.outcome));
    }
    let is_shown = args.verbose || args.dry_run;
    context.output.result(
        || {
            let mut text = if is_shown { render::to_text(&attempt.exchanges) } else { String::new() };
            if args.verbose {
                text.push_str(&log_text(attempt));
            }
            if let Outcome::Delivered { receipt } = &attempt.outcome {
                text.push_str(&delivered(args, receipt, attempt));
            }
            text
        },
        || Json::Null,
    );
    match &attempt.outcome {
        Outcome::Delivered { .. } => Ok(Exit::Ok),
        Outcome::Failed(failure) => Err(problem(args.plugin.as_str(), failure)),
    }
}

const fn exit(outcome: &Outcome) -> Exit {
    match outcome {
        Outcome::Delivered { .. } => Exit::Ok,
        Outcome::Failed(failure) => match failure.kind {
            FailureKind::Transient | FailureKind::TimedOut => Exit::Later,
            FailureKind::Permanent
            | FailureKind::Misconfigured
            | FailureKind::Denied
            | FailureKind::Trapped => Exit::Dead,
        },
    }
}

fn delivered(args: &args::Send, receipt: &Receipt, attempt: &Attempt) -> String {
    let Receipt { provider_id, detail, links } = receipt;
    if args.dry_run {
        return "dry run: nothing was sent\n".to_owned();
    }
    let mut text = format!("{} delivered it in {} ms\n", args.plugin, attempt.usage.wall.as_millis());
    for line in provider_id
        .iter()
        .map(|id| format!("  as {id}"))
        .chain(detail.iter().map(|detail| format!("  {detail}")))
    {
        let _ = writeln!(text, "{}", escape::line(&line));
    }
    for link in links {
        let _ = writeln!(text, "  {}: {}", escape::line(&link.label), escape::line(&link.url));
    }
    text
}

fn log_text(attempt: &Attempt) -> String {
    let mut text = String::new();
    for line in &attempt.log {
        let _ = write!(text, "log {}: {}", line.level.as_str(), line.message);
        for (key, value) in &line.fields {
            let _ = write!(text, " {key}={value}");
        }
        text.push('\n');
    }
    text
}

fn problem(plugin: &str, failure: &Failure) -> Problem {
    let Failure { kind, code, detail, retry_after } = failure;
    let what = format!("{plugin} did not deliver the notification ({}, {code})", kind.as_str());
    let hint = match kind {
        FailureKind::Transient | FailureKind::TimedOut => match retry_after {
            Some(wait) => {
                format!("trying again can help, not before {} s from now", wait.as_secs_f64().ceil())
            }
            None => "trying again can help".to_owned(),
        },
        FailureKind::Permanent => {
            "trying again cannot help: look at the configuration and the address".to_owned()
        }
        FailureKind::Misconfigured => {
            format!("the configuration must change; `sandbell plugin show {plugin}` lists the options")
        }
        FailureKind::Denied => format!(
            "it is not granted; `sandbell plugin approve {plugin} --allow TARGET` or `--network NET` allows more"
        ),
        FailureKind::Trapped => "the plugin broke down; `-v` and `--verbose` show what it wrote".to_owned(),
    };
    Problem::new(exit(&Outcome::Failed(failure.clone())), "delivery", what).because(detail.clone()).hint(hint)
}

/// A dry run delivers nothing; `complete` says that the plugin had said all that it wanted to say.
fn to_json(attempt: &Attempt, is_dry_run: bool) -> Json {
    let Attempt { outcome, exchanges, log, usage } = attempt;
    let outcome = match outcome {
        Outcome::Delivered { .. } if is_dry_run => json!({ "delivered": false, "complete": true }),
        Outcome::Delivered { receipt } => json!({ "delivered": true, "receipt": receipt }),
        Outcome::Failed(Failure { kind, code, detail, retry_after }) => json!({
            "delivered": false, "kind": kind, "code": code, "detail": detail,
            "retry_after_ms": retry_after.map(millis),
        }),
    };
    json!({
        "dry_run": is_dry_run, "outcome": outcome, "exchanges": render::to_json(exchanges), "log": log,
        "usage": {
            "wall_ms": millis(usage.wall), "cpu_ms": millis(usage.cpu),
            "memory_peak_bytes": usage.memory_peak_bytes, "host_calls": usage.host_calls,
            "sent_bytes": usage.sent_bytes, "received_bytes": usage.received_bytes,
        },
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use insta::assert_snapshot;
    use sandbell_domain::Usage;

    use super::*;

    #[test]
    fn a_failure_is_told_with_what_to_do() {
        let failure = |kind| Failure {
            kind,
            code: "rate-limited".to_owned(),
            detail: "the server answered 429".to_owned(),
            retry_after: Some(Duration::from_millis(1500)),
        };
        assert_snapshot!(problem("slack", &failure(FailureKind::Transient)).to_text(), @r"
        error: slack did not deliver the notification (transient, rate-limited)
        because: the server answered 429
        hint: trying again can help, not before 2 s from now
        ");
        let check = |kind, want| assert_eq!(exit(&Outcome::Failed(failure(kind))), want);
        check(FailureKind::Transient, Exit::Later);
        check(FailureKind::TimedOut, Exit::Later);
        check(FailureKind::Permanent, Exit::Dead);
        check(FailureKind::Misconfigured, Exit::Dead);
        check(FailureKind::Denied, Exit::Dead);
        check(FailureKind::Trapped, Exit::Dead);
        assert_eq!(exit(&Outcome::Delivered { receipt: Receipt::default() }), Exit::Ok);
    }

    #[test]
    fn a_dry_run_has_delivered_nothing() {
        let attempt = Attempt {
            outcome: Outcome::Delivered { receipt: Receipt::default() },
            exchanges: Vec::new(),
            log: Vec::new(),
            usage: Usage::default(),
        };
        let outcome = |is_dry_run| to_json(&attempt, is_dry_run)["outcome"].to_string();
        assert_eq!(outcome(true), r#"{"complete":true,"delivered":false}"#);
        assert!(outcome(false).contains(r#""delivered":true"#));
    }
}
