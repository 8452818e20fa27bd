//! How a delivery ended, in words and as an exit code.

use std::fmt::Write as _;

use sandbell_domain::{Attempt, Failure, FailureKind, Outcome, Receipt, escape};
use serde_json::{Value as Json, json};

use super::super::args;
use super::super::exit::Exit;
use super::super::problem::Problem;
use super::super::run::{Context, Done};
use super::render;
use crate::doors::rest::form::AttemptForm;

pub(super) fn print(context: &Context, args: &args::Send, attempt: &Attempt) -> Done {
    if context.output.is_json {
        context.output.result(String::new, || json!(AttemptForm::new(attempt, args.dry_run)));
        return Ok(exit(&attempt.outcome));
    }
    let is_shown = args.verbose || args.dry_run;
    context.output.result(
        || {
            let mut text = if is_shown { render::to_text(&attempt.exchanges) } else { String::new() };
            if args.verbose {
                text.push_str(&render::log_text(&attempt.log));
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use insta::assert_snapshot;

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
}
