//! Secrets on their way in: from a file, from a pipe, or typed by a person and not shown.

use std::fs::File;
use std::io::{self, BufRead as _, IsTerminal as _, Read as _, Write as _};
use std::path::Path;

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use super::exit::Exit;
use super::problem::Problem;

/// Longest secret, in bytes: what one setting may have.
const SECRET_BYTES_MAX: u64 = 64 * 1024;

/// The text of a file without its final newline, if it has one; everything else stays.
pub(super) fn from_file(path: &Path) -> Result<String, Problem> {
    let mut text = String::new();
    File::open(path)
        .and_then(|file| file.take(SECRET_BYTES_MAX + 1).read_to_string(&mut text))
        .map_err(|error| Problem::file(path, "read", &error))?;
    checked(&text, &format!("`{}`", path.display()))
}

/// Asks on the terminal without showing what is typed; without a terminal, what stdin holds.
pub(super) fn from_person(what: &str) -> Result<String, Problem> {
    let failed = |error: io::Error| {
        Problem::new(Exit::Failed, "secret", format!("the secret cannot be read: {error}"))
    };
    let stdin = io::stdin();
    let mut text = String::new();
    if stdin.is_terminal() {
        let mut stderr = io::stderr();
        let _ = write!(stderr, "{what}: ").and_then(|()| stderr.flush());
        let hidden = Hidden::new().map_err(failed)?;
        stdin.lock().read_line(&mut text).map_err(failed)?;
        drop(hidden);
        let _ = writeln!(stderr);
    } else {
        stdin.lock().take(SECRET_BYTES_MAX + 1).read_to_string(&mut text).map_err(failed)?;
    }
    checked(&text, "what was given")
}

fn checked(text: &str, place: &str) -> Result<String, Problem> {
    let trimmed = without_final_newline(text);
    if trimmed.is_empty() {
        return Err(Problem::new(
            Exit::Failed,
            "empty_secret",
            format!("{place} holds no secret: it is empty"),
        ));
    }
    if text.len() as u64 > SECRET_BYTES_MAX {
        let what = format!("{place} has more than {SECRET_BYTES_MAX} bytes");
        return Err(Problem::new(Exit::Failed, "too_large", what));
    }
    Ok(trimmed.to_owned())
}

/// One newline, with or without a carriage return: editors and `echo` put it there.
fn without_final_newline(text: &str) -> &str {
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.strip_suffix('\r').unwrap_or(text)
}

/// While it lives, the terminal does not show what is typed.
struct Hidden(Termios);

impl Hidden {
    fn new() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut hidden = before.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Flush, &hidden)?;
        Ok(Self(before))
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_final_newline_is_not_part_of_a_secret() {
        let check = |text: &str, want: &str| assert_eq!(without_final_newline(text), want);
        check("s3cret\n", "s3cret");
        check("s3cret\r\n", "s3cret");
        check("s3cret\n\n", "s3cret\n");
        check(" s3cret ", " s3cret ");
        check("-----BEGIN\nEND-----\n", "-----BEGIN\nEND-----");
        assert!(checked("\n", "x").is_err());
    }
}
