//! Starts other programs: shows the command first, and a failure names it.

use std::{
    collections::VecDeque,
    ffi::OsStr,
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};

use crate::say;

/// Runs a command whose output goes straight to the terminal.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    say::command(&line(command));
    let status = command.status().with_context(|| format!("`{}` did not start", name(command)))?;
    if !status.success() {
        bail!("`{}` failed ({status})", line(command));
    }
    Ok(())
}

/// Runs a command without showing anything, and gives its standard output.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("`{}` did not start", name(command)))?;
    if !output.status.success() {
        bail!(
            "`{}` failed ({}): {}",
            line(command),
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{}` did not print UTF-8", line(command)))
}

/// Runs a command, passes its standard error on line by line, and gives its last lines, at most `lines_max`.
pub(crate) fn run_and_keep(command: &mut Command, lines_max: usize) -> Result<Vec<String>> {
    say::command(&line(command));
    let mut child = command
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("`{}` did not start", name(command)))?;
    let stderr = child.stderr.take().context("standard error was not piped")?;
    let mut last = VecDeque::with_capacity(lines_max);
    for text in BufReader::new(stderr).lines() {
        let text = text?;
        say::pass_on(&text);
        if last.len() == lines_max {
            last.pop_front();
        }
        last.push_back(text);
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("`{}` failed ({status})", line(command));
    }
    Ok(last.into())
}

/// The command as it could be typed, without the settings of its environment.
fn line(command: &Command) -> String {
    let mut words = vec![name(command)];
    words.extend(command.get_args().map(word));
    words.join(" ")
}

fn name(command: &Command) -> String {
    word(command.get_program())
}

fn word(text: &OsStr) -> String {
    let text = text.to_string_lossy();
    if text.contains(' ') { format!("'{text}'") } else { text.into_owned() }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use insta::assert_snapshot;

    use super::{output, run, run_and_keep};

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_failure_names_the_command() {
        assert_snapshot!(run(&mut shell("exit 3")).unwrap_err(), @"`sh -c 'exit 3'` failed (exit status: 3)");
        assert_snapshot!(
            output(&mut shell("echo no disk >&2; exit 1")).unwrap_err(),
            @"`sh -c 'echo no disk >&2; exit 1'` failed (exit status: 1): no disk"
        );
        assert_snapshot!(
            format!("{:#}", run(&mut Command::new("no-such-program")).unwrap_err()),
            @"`no-such-program` did not start: No such file or directory (os error 2)"
        );
    }

    #[test]
    fn the_last_lines_are_kept() {
        let lines = run_and_keep(&mut shell("for i in 1 2 3 4; do echo $i >&2; done"), 2).unwrap();
        assert_eq!(lines, ["3", "4"]);
        assert!(run_and_keep(&mut shell("echo x >&2; exit 1"), 2).is_err());
    }
}
