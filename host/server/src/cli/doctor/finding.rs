//! What a look at one part saw, and what can be done about it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use serde_json::{Value as Json, json};

#[derive(Clone, Debug)]
pub(super) struct Finding {
    pub(super) what: &'static str,
    pub(super) level: Level,
    pub(super) says: String,
    pub(super) hint: Option<String>,
    pub(super) fix: Option<Fix>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    Ok,
    /// Nothing is wrong with it, and somebody may wonder.
    Note,
    Bad,
}

/// What is safe to do: it takes nothing from anybody and can be done twice.
#[derive(Clone, Debug)]
pub(super) enum Fix {
    Chmod(PathBuf, u32),
    MakeDir(PathBuf),
    /// A socket that nobody serves.
    RemoveSocket(PathBuf),
}

impl Level {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Bad => "BAD",
        }
    }
}

impl Finding {
    pub(super) fn ok(what: &'static str, says: impl Into<String>) -> Self {
        Self::new(what, Level::Ok, says)
    }

    pub(super) fn note(what: &'static str, says: impl Into<String>) -> Self {
        Self::new(what, Level::Note, says)
    }

    pub(super) fn bad(what: &'static str, says: impl Into<String>) -> Self {
        Self::new(what, Level::Bad, says)
    }

    fn new(what: &'static str, level: Level, says: impl Into<String>) -> Self {
        Self { what, level, says: says.into(), hint: None, fix: None }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(super) fn fix(mut self, fix: Fix) -> Self {
        self.fix = Some(fix);
        self
    }

    pub(super) fn to_json(&self) -> Json {
        let Self { what, level, says, hint, fix } = self;
        json!({
            "what": what, "level": level.as_str().to_ascii_lowercase(), "says": says, "hint": hint,
            "can_be_fixed": fix.is_some(),
        })
    }
}

impl Fix {
    /// Does it, and says whether that went well.
    pub(super) fn run(&self) -> Finding {
        let (did, result) = match self {
            Self::Chmod(path, mode) => (
                format!("chmod {mode:o} {}", path.display()),
                fs::set_permissions(path, fs::Permissions::from_mode(*mode)),
            ),
            Self::MakeDir(path) => {
                let made = fs::create_dir_all(path)
                    .and_then(|()| fs::set_permissions(path, fs::Permissions::from_mode(0o700)));
                (format!("made {}", path.display()), made)
            }
            Self::RemoveSocket(path) => (format!("removed {}", path.display()), fs::remove_file(path)),
        };
        match result {
            Ok(()) => Finding::ok("fix", did),
            Err(error) => Finding::bad("fix", format!("{did}: {error}")),
        }
    }
}
