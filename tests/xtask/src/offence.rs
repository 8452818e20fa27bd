//! What `layers` and `tidy` hand back: a place, and what is wrong there.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use anyhow::{Result, bail};

use crate::say;

/// One thing that is wrong in one place.
#[derive(Debug)]
pub(crate) struct Offence {
    path: PathBuf,
    /// Counted from 1; 0 is the file as a whole.
    line: usize,
    what: String,
}

impl Offence {
    pub(crate) fn at(path: &Path, line: usize, what: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, what: what.into() }
    }

    pub(crate) fn of(path: &Path, what: impl Into<String>) -> Self {
        Self::at(path, 0, what)
    }
}

impl fmt::Display for Offence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, line, what } = self;
        match line {
            0 => write!(f, "{}: {what}", path.display()),
            line => write!(f, "{}:{line}: {what}", path.display()),
        }
    }
}

/// Shows every offence, and fails if there is one.
pub(crate) fn report(verb: &str, offences: &[Offence]) -> Result<()> {
    for offence in offences {
        say::pass_on(&offence.to_string());
    }
    match offences.len() {
        0 => Ok(()),
        1 => bail!("{verb} found an offence"),
        count => bail!("{verb} found {count} offences"),
    }
}

/// Every offence as a line, for a snapshot.
#[cfg(test)]
pub(crate) fn listed(offences: &[Offence]) -> String {
    offences.iter().map(Offence::to_string).collect::<Vec<_>>().join("\n")
}
