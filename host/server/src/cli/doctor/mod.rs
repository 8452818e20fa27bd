//! `sandbell doctor`: looks at everything that can be looked at, says what to do, and does what is safe.

mod finding; // what was seen
mod look; // the parts that are looked at

use std::fmt::Write as _;

use clap::Args;
use sandbell_domain::escape;
use serde_json::json;

use super::args::SettingsFile;
use super::exit::Exit;
use super::remote::Remote;
use super::run::Context;
use finding::{Finding, Level};

/// Look at everything that can be wrong, and say what to do
#[derive(Args, Debug)]
pub(crate) struct Doctor {
    #[command(flatten)]
    remote: Remote,
    #[command(flatten)]
    settings: SettingsFile,
    /// Do what is safe: rights of own files, missing directories, a socket that nobody serves
    #[arg(long)]
    fix: bool,
}

pub(super) fn run(context: &Context, args: &Doctor) -> Exit {
    let mut findings = look::all(context, &args.remote, &args.settings);
    if args.fix {
        let fixes: Vec<_> = findings.iter().filter_map(|finding| finding.fix.as_ref()).collect();
        let done: Vec<_> = fixes.iter().map(|fix| fix.run()).collect();
        if !done.is_empty() {
            findings = look::all(context, &args.remote, &args.settings);
            findings.extend(done);
        }
    }
    context.output.result(
        || text(&findings),
        || json!({ "findings": findings.iter().map(Finding::to_json).collect::<Vec<_>>() }),
    );
    let is_bad = findings.iter().any(|finding| finding.level == Level::Bad);
    if is_bad { Exit::Failed } else { Exit::Ok }
}

fn text(findings: &[Finding]) -> String {
    let width = findings.iter().map(|finding| finding.what.len()).max().unwrap_or(0);
    let mut text = String::new();
    for Finding { what, level, says, hint, fix } in findings {
        let _ = writeln!(text, "{:4}  {what:width$}  {}", level.as_str(), escape::line(says));
        let by_fix = if fix.is_some() && *level == Level::Bad { " (--fix does it)" } else { "" };
        if let Some(hint) = hint {
            let _ = writeln!(text, "{:4}  {:width$}  hint: {}{by_fix}", "", "", escape::line(hint));
        }
    }
    let bad = findings.iter().filter(|finding| finding.level == Level::Bad).count();
    let _ = match bad {
        0 => writeln!(text, "\nNothing is wrong."),
        1 => writeln!(text, "\n1 thing is wrong."),
        many => writeln!(text, "\n{many} things are wrong."),
    };
    text
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::finding::Fix;
    use super::*;

    #[test]
    fn findings_say_what_to_do() {
        let findings = [
            Finding::ok("state", "/var/lib/sandbell is the own one of sandbell"),
            Finding::bad("key", "`/var/lib/sandbell/sandbell.key` is open to other users")
                .hint("chmod 600 /var/lib/sandbell/sandbell.key")
                .fix(Fix::Chmod("/var/lib/sandbell/sandbell.key".into(), 0o600)),
            Finding::note("daemon", "no daemon answers\x1b[2J").hint("`sandbell serve` starts one"),
        ];
        assert_snapshot!(text(&findings), @r"
        ok    state   /var/lib/sandbell is the own one of sandbell
        BAD   key     `/var/lib/sandbell/sandbell.key` is open to other users
                      hint: chmod 600 /var/lib/sandbell/sandbell.key (--fix does it)
        note  daemon  no daemon answers\u{1b}[2J
                      hint: `sandbell serve` starts one

        1 thing is wrong.
        ");
        assert_snapshot!(findings[1].to_json(), @r#"{"can_be_fixed":true,"hint":"chmod 600 /var/lib/sandbell/sandbell.key","level":"bad","says":"`/var/lib/sandbell/sandbell.key` is open to other users","what":"key"}"#);
    }
}
