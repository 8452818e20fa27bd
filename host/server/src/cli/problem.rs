//! What went wrong, why, and what to do about it; the only place where errors get exit codes and hints.

use std::borrow::Cow;
use std::error::Error;
use std::fmt::Write as _;
use std::io::ErrorKind;
use std::path::Path;

use sandbell_domain::escape;
use sandbell_sandbox::InspectError;
use sandbell_store::StoreError;
use serde_json::{Value as Json, json};

use super::exit::Exit;
use crate::client::{ClientError, Place, Refusal};
use crate::engine::EngineError;
use crate::install::{ApproveError, BadName, PrepareError, StateError, TlsError};

/// An error for people (`error:`, `because:`, `hint:`) and for programs (`--json`).
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) exit: Exit,
    /// Stable, for programs.
    code: Cow<'static, str>,
    what: String,
    because: Option<String>,
    hint: Option<String>,
}

impl Problem {
    pub(crate) fn new(exit: Exit, code: impl Into<Cow<'static, str>>, what: impl Into<String>) -> Self {
        Self { exit, code: code.into(), what: what.into(), because: None, hint: None }
    }

    pub(crate) fn because(mut self, because: impl Into<String>) -> Self {
        self.because = Some(because.into());
        self
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn file(path: &Path, action: &str, error: &std::io::Error) -> Self {
        let exit = if error.kind() == ErrorKind::NotFound {
            Exit::NotFound
        } else if error.kind() == ErrorKind::PermissionDenied {
            Exit::NotAllowed
        } else {
            Exit::Failed
        };
        Self::new(exit, "file", format!("cannot {action} `{}`", escape::line(&path.display().to_string())))
            .because(error.to_string())
    }

    /// The sentence alone.
    pub(crate) fn what(&self) -> &str {
        &self.what
    }

    /// Lines for stderr. What others wrote is escaped here, whoever put it in.
    pub(crate) fn to_text(&self) -> String {
        let mut text = format!("error: {}\n", escape::block(&self.what));
        if let Some(because) = &self.because {
            let _ = writeln!(text, "because: {}", escape::block(because));
        }
        if let Some(hint) = &self.hint {
            let _ = writeln!(text, "hint: {}", escape::block(hint));
        }
        text
    }

    pub(crate) fn to_json(&self) -> Json {
        let Self { exit, code, what, because, hint } = self;
        json!({ "error": { "code": code, "message": what, "because": because, "hint": hint, "exit": exit.code() } })
    }

    fn plain(exit: Exit, code: &'static str, error: &dyn Error) -> Self {
        Self::new(exit, code, error.to_string())
    }
}

impl From<StateError> for Problem {
    fn from(error: StateError) -> Self {
        use StateError as E;
        match &error {
            E::Absent(_) => Self::plain(Exit::NotFound, "nothing_installed", &error)
                .hint("`sandbell plugin install FILE` installs a plugin"),
            E::NotInstalled(_) => Self::plain(Exit::NotFound, "not_installed", &error)
                .hint("`sandbell plugin list` shows what is installed"),
            E::Owner { .. } => Self::plain(Exit::NotAllowed, "state_owner", &error),
            E::Open(_) => Self::plain(Exit::NotAllowed, "state_open", &error),
            E::Locked { .. } => Self::plain(Exit::Conflict, "state_locked", &error),
            E::Newer { .. } => Self::plain(Exit::Conflict, "state_newer", &error),
            E::Io { error: io, .. } if io.kind() == ErrorKind::PermissionDenied => {
                Self::plain(Exit::NotAllowed, "state_io", &error).hint(
                    "set SANDBELL_STATE to a directory of yours, or run this as the user who owns the state",
                )
            }
            E::Io { .. } => Self::plain(Exit::Failed, "state_io", &error),
            E::NoDirectory(_) => Self::plain(Exit::Failed, "state_no_directory", &error),
            E::Broken { .. } => Self::plain(Exit::Failed, "state_broken", &error),
            E::Tampered(_) => Self::plain(Exit::Failed, "state_tampered", &error),
        }
    }
}

impl From<ApproveError> for Problem {
    fn from(error: ApproveError) -> Self {
        match error {
            ApproveError::State(error) => error.into(),
            ApproveError::Changed(_) => Self::plain(Exit::Conflict, "changed", &error),
        }
    }
}

impl From<PrepareError> for Problem {
    fn from(error: PrepareError) -> Self {
        match error {
            PrepareError::State(error) => error.into(),
            PrepareError::Tls(error) => error.into(),
            PrepareError::NotApproved(name) => {
                Self::new(Exit::NotAllowed, "not_approved", format!("plugin `{name}` is not approved"))
                    .hint(format!("`sandbell plugin approve {name}` shows what it wants and asks"))
            }
            PrepareError::Config(error) => {
                Self::new(Exit::Failed, "config", "the configuration is refused").because(error.to_string())
            }
        }
    }
}

impl From<TlsError> for Problem {
    fn from(error: TlsError) -> Self {
        Self::plain(Exit::Failed, "tls_file", &error)
    }
}

impl From<BadName> for Problem {
    fn from(error: BadName) -> Self {
        Self::plain(Exit::Usage, "name", &error)
    }
}

impl From<ClientError> for Problem {
    fn from(error: ClientError) -> Self {
        use ClientError as E;
        match error {
            E::Unreachable { ref place, ref because } => {
                Self::plain(Exit::Unreachable, "unreachable", &error).because(because).hint(match place {
                    Place::Socket(_) => {
                        "`systemctl start sandbell` starts the installed daemon, `sandbell serve` one here"
                    }
                    Place::Url(_) => "look at --server, and whether the daemon listens there",
                })
            }
            E::TimedOut => Self::plain(Exit::Failed, "timed_out", &error).hint("`--timeout` gives it longer"),
            E::Broken(_) => Self::plain(Exit::Failed, "broken", &error),
            E::Foreign { .. } => Self::plain(Exit::Failed, "foreign", &error),
            E::Start(_) => Self::plain(Exit::Failed, "client", &error),
            E::Token { .. } => Self::plain(Exit::NotAllowed, "token_file", &error),
            E::Authorities { .. } => Self::plain(Exit::Failed, "ca_file", &error),
            E::Refused(refusal) => refused(*refusal),
        }
    }
}

/// The daemon's own words, with the exit code that its status stands for.
fn refused(refusal: Refusal) -> Problem {
    let exit = match refusal.status {
        401 | 403 => Exit::NotAllowed,
        404 => Exit::NotFound,
        409 | 412 | 428 => Exit::Conflict,
        429 | 503 => Exit::Later,
        _ => Exit::Failed,
    };
    let problem = Problem::new(exit, refusal.code.clone(), refusal.to_string());
    match (refusal.hint, refusal.status) {
        (Some(hint), _) => problem.hint(hint),
        (None, 401) => problem.hint("`--token-file FILE` names the file with the token"),
        (None, _) => problem,
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let exit = match &error {
            StoreError::NoBackup { .. }
            | StoreError::Locked(_)
            | StoreError::Newer { .. }
            | StoreError::OtherSchema { .. } => Exit::Conflict,
            StoreError::ReadOnly(_) => Exit::NotAllowed,
            StoreError::OtherContent(_)
            | StoreError::UnknownTenant(_)
            | StoreError::Full(_)
            | StoreError::Damaged { .. }
            | StoreError::CannotOpen { .. }
            | StoreError::DiskFailed { .. }
            | StoreError::Unexpected { .. }
            | StoreError::Closed => Exit::Failed,
        };
        Self::plain(exit, "store", &error)
    }
}

impl From<EngineError> for Problem {
    fn from(error: EngineError) -> Self {
        Self::plain(Exit::Failed, "engine", &error)
    }
}

impl From<InspectError> for Problem {
    fn from(error: InspectError) -> Self {
        Self::plain(Exit::Failed, "no_plugin", &error)
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    #[test]
    fn a_problem_says_what_why_and_what_next() {
        let problem = Problem::from(PrepareError::NotApproved("slack".parse().unwrap()));
        assert_snapshot!(problem.to_text(), @r"
        error: plugin `slack` is not approved
        hint: `sandbell plugin approve slack` shows what it wants and asks
        ");
        assert_snapshot!(problem.to_json(), @r#"{"error":{"because":null,"code":"not_approved","exit":4,"hint":"`sandbell plugin approve slack` shows what it wants and asks","message":"plugin `slack` is not approved"}}"#);
    }

    #[test]
    fn what_others_wrote_does_not_move_the_cursor() {
        let problem = Problem::new(Exit::Failed, "x", "a\x1b[31m").because("b\u{202e}");
        assert_snapshot!(problem.to_text(), @r"
        error: a\u{1b}[31m
        because: b\u{202e}
        ");
    }
}
