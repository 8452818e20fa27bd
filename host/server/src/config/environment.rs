//! What the environment says, read once at start; nothing else reads it.

use std::env;
use std::ffi::OsString;
use std::io;
use std::path::{self, PathBuf};

/// The name that starts the command line; any other one, without arguments, is that of a channel.
pub(crate) const PROGRAM: &str = env!("CARGO_PKG_NAME");

/// The settings of this process.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// Where plugins, approvals and compiled artefacts are kept.
    pub(crate) state_dir: PathBuf,
    /// `SANDBELL_LOG`: what is written to stderr, in the words of `tracing`, e.g. `info,sandbell_broker=debug`.
    pub(crate) log_filter: Option<String>,
    /// This program, with every link resolved.
    pub(crate) program: PathBuf,
}

/// A variable of the environment, if it is set to something that is text.
pub(crate) fn variable(name: &str) -> Option<String> {
    env::var_os(name).and_then(|value| value.into_string().ok()).filter(|value| !value.is_empty())
}

impl Config {
    pub(crate) fn from_env() -> io::Result<Self> {
        let is_root = rustix::process::geteuid().is_root();
        let state_dir = state_dir(|name| env::var_os(name).filter(|value| !value.is_empty()), is_root);
        let log_filter = env::var_os("SANDBELL_LOG").and_then(|filter| filter.into_string().ok());
        Ok(Self { state_dir: path::absolute(state_dir)?, log_filter, program: env::current_exe()? })
    }
}

/// `$SANDBELL_STATE`; for root and for a process without a home, the system's place; else the user's.
fn state_dir(variable: impl Fn(&str) -> Option<OsString>, is_root: bool) -> PathBuf {
    if let Some(dir) = variable("SANDBELL_STATE") {
        return PathBuf::from(dir);
    }
    let home = || variable("HOME").map(|home| PathBuf::from(home).join(".local/share"));
    let data = variable("XDG_DATA_HOME").map(PathBuf::from).filter(|dir| dir.is_absolute()).or_else(home);
    match data {
        Some(data) if !is_root => data.join("sandbell"),
        Some(_) | None => PathBuf::from("/var/lib/sandbell"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_is_where_the_environment_says_or_where_the_platform_keeps_it() {
        let check = |variables: &[(&str, &str)], is_root, want: &str| {
            let find = |name: &str| {
                variables.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value))
            };
            assert_eq!(state_dir(find, is_root), PathBuf::from(want), "{variables:?}");
        };
        check(&[("SANDBELL_STATE", "/s"), ("HOME", "/home/me")], true, "/s");
        check(&[("HOME", "/root"), ("XDG_DATA_HOME", "/x")], true, "/var/lib/sandbell");
        check(&[("HOME", "/home/me"), ("XDG_DATA_HOME", "/x")], false, "/x/sandbell");
        check(
            &[("HOME", "/home/me"), ("XDG_DATA_HOME", "relative")],
            false,
            "/home/me/.local/share/sandbell",
        );
        check(&[("HOME", "/home/me")], false, "/home/me/.local/share/sandbell");
        check(&[], false, "/var/lib/sandbell");
    }
}
