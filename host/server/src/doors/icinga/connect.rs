//! Which serving host does a link's work: kept beside the link, where a process finds it in an empty environment.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::link::LinkName;
use crate::install::{PluginName, State};

/// Where the kernel's name of a socket ends, in bytes, without its last NUL.
const SOCKET_BYTES_MAX: usize = 107;

/// The socket of a serving host, written `unix:/path`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Connect(PathBuf);

/// A text that leads to no serving host.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadConnect {
    #[error("`{0}` is no socket; write its absolute path, e.g. `unix:/run/sandbell/icinga.sock`")]
    Form(String),
    #[error("a socket's path of {0} bytes is too long for the system; write at most {SOCKET_BYTES_MAX}")]
    Long(usize),
}

impl Connect {
    pub(crate) fn socket(&self) -> &Path {
        &self.0
    }
}

/// Which serving host somebody asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ConnectTo {
    /// The one of the same state directory, whose settings do not say otherwise; written `own`.
    Own,
    At(Connect),
}

impl FromStr for ConnectTo {
    type Err = BadConnect;

    fn from_str(text: &str) -> Result<Self, BadConnect> {
        if text == "own" { Ok(Self::Own) } else { text.parse().map(Self::At) }
    }
}

impl ConnectTo {
    pub(crate) fn resolve(self, state_dir: &Path) -> Result<Connect, BadConnect> {
        match self {
            Self::Own => format!("unix:{}", state_dir.join("run/icinga.sock").display()).parse(),
            Self::At(connect) => Ok(connect),
        }
    }
}

impl FromStr for Connect {
    type Err = BadConnect;

    fn from_str(text: &str) -> Result<Self, BadConnect> {
        let path = text.strip_prefix("unix:").filter(|path| path.starts_with('/') && !path.contains('\0'));
        let path = path.ok_or_else(|| {
            BadConnect::Form(sandbell_domain::escape::cut(&sandbell_domain::escape::line(text), 200))
        })?;
        if path.len() > SOCKET_BYTES_MAX {
            return Err(BadConnect::Long(path.len()));
        }
        Ok(Self(PathBuf::from(path)))
    }
}

impl fmt::Display for Connect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unix:{}", self.0.display())
    }
}

/// Where it is kept for a link; no link has a dot in its name.
fn file(of_plugin: &Path, link: &str) -> PathBuf {
    of_plugin.join(format!("{link}.connect"))
}

/// From its next start on, the link's work is done by this serving host, or by the link's own process.
pub(crate) fn keep_connect(
    state: &State,
    plugin: &PluginName,
    link: &LinkName,
    connect: Option<&Connect>,
) -> io::Result<()> {
    let path = file(&state.icinga_dir(plugin)?, link.as_str());
    let Some(connect) = connect else {
        return match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        };
    };
    let unfinished = path.with_extension(format!("connect.{}", std::process::id()));
    fs::write(&unfinished, format!("{connect}\n"))?;
    fs::rename(&unfinished, &path)
}

/// What was kept for a link.
pub(super) fn read(of_plugin: &Path, link: &str) -> io::Result<Option<Connect>> {
    match fs::read_to_string(file(of_plugin, link)) {
        Ok(text) => {
            let connect = text.trim_end().parse();
            connect.map(Some).map_err(|error: BadConnect| io::Error::new(io::ErrorKind::InvalidData, error))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_is_an_absolute_path() {
        let read = |text: &str| text.parse::<Connect>().map(|connect| connect.to_string());
        assert_eq!(read("unix:/run/x.sock"), Ok("unix:/run/x.sock".to_owned()));
        for bad in ["", "/run/x.sock", "unix:", "unix:x.sock", "tcp:127.0.0.1:1", "unix:/a\0b"] {
            assert!(matches!(read(bad), Err(BadConnect::Form(_))), "{bad:?}");
        }
        assert_eq!(read(&format!("unix:/{}", "a".repeat(107))), Err(BadConnect::Long(108)));
    }

    #[test]
    fn what_is_kept_is_read_and_goes_again() {
        let parent = tempfile::tempdir().unwrap();
        let state = State::open_or_create(&parent.path().join("state")).unwrap();
        let (plugin, link) = ("slack".parse().unwrap(), "chat".parse().unwrap());
        let dir = state.icinga_dir(&plugin).unwrap();
        assert_eq!(read(&dir, "chat").unwrap(), None);
        let connect: Connect = "unix:/run/x.sock".parse().unwrap();
        keep_connect(&state, &plugin, &link, Some(&connect)).unwrap();
        assert_eq!(read(&dir, "chat").unwrap(), Some(connect));
        assert_eq!(read(&dir, "other").unwrap(), None);
        for _ in 0..2 {
            keep_connect(&state, &plugin, &link, None).unwrap();
            assert_eq!(read(&dir, "chat").unwrap(), None);
        }
        fs::write(file(&dir, "chat"), "nonsense").unwrap();
        assert!(read(&dir, "chat").unwrap_err().to_string().contains("is no socket"));
    }
}
