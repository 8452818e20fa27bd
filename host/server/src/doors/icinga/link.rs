//! The link in the daemon's channels directory: how it is made, and which plugin it means.
//!
//! `CHANNELS_DIR/LINK` → `STATE/icinga/PLUGIN/LINK` → this program. The first step tells a process without environment
//! and without arguments where the state is and which plugin it is.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process;
use std::str::FromStr;

use super::connect::{self, Connect};
use crate::install::{BadName, PluginName, State};

/// Longest name, in bytes: the daemon's column is a varchar(255).
const NAME_BYTES_MAX: usize = 255;

/// A file name that the daemon takes for a channel type (`reference/icinga.md` §3.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LinkName(String);

/// A file name that no daemon takes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadLinkName {
    #[error("the daemon ignores the name `{0}`; write letters and digits only, e.g. `slack`")]
    Letters(String),
    #[error("a name of {0} bytes is too long for the daemon; write at most {NAME_BYTES_MAX}")]
    Long(usize),
    #[error(
        "`sandbell` is the name of this program, so a link cannot have it; write another one with --name"
    )]
    Program,
}

/// What a process learns from the name that it was started by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    /// The daemon's word for this type of channel.
    pub(crate) name: String,
    pub(crate) plugin: PluginName,
    pub(crate) state_dir: PathBuf,
    /// The serving host that does the work; absent: this process.
    pub(crate) connect: Option<Connect>,
}

/// Why a process cannot tell which channel it is.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FollowError {
    #[error(transparent)]
    Name(#[from] BadName),
    #[error(
        "what is kept beside `{}` cannot be read: {error}; make the link again with `sandbell icinga link`",
        link.display()
    )]
    Connect { link: PathBuf, error: io::Error },
}

/// Why no link was made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LinkError {
    #[error("`{0}` is no directory; write the daemon's `channels-dir`")]
    NoDirectory(PathBuf),
    #[error(
        "`{0}` is there already and is no link of ours; remove it first or choose another name with --name"
    )]
    Foreign(PathBuf),
    #[error(
        "`{link}` leads to the plugin `{plugin}`; --replace lets it lead to another one, --name makes one beside it"
    )]
    Taken { link: PathBuf, plugin: PluginName },
    #[error("this user may not write to `{dir}`")]
    Forbidden { dir: PathBuf, link: PathBuf, target: PathBuf },
    #[error("cannot link `{path}`: {error}")]
    Io { path: PathBuf, error: io::Error },
}

impl LinkName {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Released daemons (up to v0.2.0) take letters and digits only; later ones also `_` and `-`.
    pub(crate) fn is_for_released_daemons(&self) -> bool {
        self.0.bytes().all(|byte| byte.is_ascii_alphanumeric())
    }
}

impl FromStr for LinkName {
    type Err = BadLinkName;

    fn from_str(text: &str) -> Result<Self, BadLinkName> {
        if text.len() > NAME_BYTES_MAX {
            return Err(BadLinkName::Long(text.len()));
        }
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        if text.is_empty() || !text.bytes().all(is_word) {
            return Err(BadLinkName::Letters(sandbell_domain::escape::line(text)));
        }
        if text == crate::config::PROGRAM {
            return Err(BadLinkName::Program);
        }
        Ok(Self(text.to_owned()))
    }
}

impl Link {
    /// Reads the link that this process was started by; `state_dir` is for links that somebody made by hand.
    pub(crate) fn follow(argv0: &Path, state_dir: &Path) -> Result<Self, FollowError> {
        let name = argv0.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let target = fs::read_link(argv0).ok();
        let target = target.map(|target| argv0.parent().unwrap_or(Path::new("")).join(target));
        for path in target.as_deref().into_iter().chain([argv0]) {
            if let Some((plugin, state_dir)) = parse(path).filter(|(_, dir)| dir.join("plugins").is_dir()) {
                let (of_plugin, link) = (path.parent().unwrap_or(Path::new("")), path.file_name());
                let link = link.unwrap_or_default().to_string_lossy();
                let connect = connect::read(of_plugin, &link)
                    .map_err(|error| FollowError::Connect { link: path.to_owned(), error })?;
                return Ok(Self { name, plugin, state_dir, connect });
            }
        }
        Ok(Self { plugin: name.parse()?, name, state_dir: state_dir.to_owned(), connect: None })
    }
}

/// Takes `STATE/icinga/PLUGIN/LINK` apart.
fn parse(path: &Path) -> Option<(PluginName, PathBuf)> {
    let of_plugin = path.parent()?;
    let plugin = of_plugin.file_name()?.to_str()?.parse().ok()?;
    let icinga = of_plugin.parent()?;
    (icinga.file_name()? == "icinga").then_some((plugin, icinga.parent()?.to_owned()))
}

/// Makes both links. Replaces links of ours and nothing else, one to another plugin only if `may_replace`. Returns the
/// one in `dir`.
pub(crate) fn make_link(
    state: &State,
    program: &Path,
    plugin: &PluginName,
    name: &LinkName,
    dir: &Path,
    may_replace: bool,
) -> Result<PathBuf, LinkError> {
    let link = dir.join(name.as_str());
    if !dir.is_dir() {
        return Err(LinkError::NoDirectory(dir.to_owned()));
    }
    match fs::symlink_metadata(&link) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(LinkError::Io { path: link, error }),
        Ok(_) => {
            let target = fs::read_link(&link).ok().and_then(|target| parse(&target));
            match target {
                None => return Err(LinkError::Foreign(link)),
                Some((other, _)) if other != *plugin && !may_replace => {
                    return Err(LinkError::Taken { link, plugin: other });
                }
                Some(_) => {}
            }
        }
    }
    let of_plugin = state.icinga_dir(plugin).map_err(|error| LinkError::Io { path: link.clone(), error })?;
    let target = of_plugin.join(name.as_str());
    replace_link(program, &target).map_err(|error| LinkError::Io { path: target.clone(), error })?;
    match replace_link(&target, &link) {
        Ok(()) => Ok(link),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            Err(LinkError::Forbidden { dir: dir.to_owned(), link, target })
        }
        Err(error) => Err(LinkError::Io { path: link, error }),
    }
}

/// Puts a link in place in one step.
fn replace_link(target: &Path, link: &Path) -> io::Result<()> {
    let name = link.file_name().unwrap_or_default().to_string_lossy();
    let unfinished = link.with_file_name(format!(".{name}.{}", process::id()));
    let _ = fs::remove_file(&unfinished);
    symlink(target, &unfinished)?;
    fs::rename(&unfinished, link).inspect_err(|_| {
        let _ = fs::remove_file(&unfinished);
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_has_a_name_that_the_daemon_takes() {
        let check = |name: &str| name.parse::<LinkName>().map(|name| name.is_for_released_daemons());
        assert_eq!(check("Slack2"), Ok(true));
        assert_eq!(check("my_slack-2"), Ok(false));
        assert_eq!(check("slack.wasm"), Err(BadLinkName::Letters("slack.wasm".to_owned())));
        assert_eq!(check("a/b"), Err(BadLinkName::Letters("a/b".to_owned())));
        assert_eq!(check(""), Err(BadLinkName::Letters(String::new())));
        assert_eq!(check("sandbell"), Err(BadLinkName::Program));
        assert_eq!(check(&"a".repeat(256)), Err(BadLinkName::Long(256)));
    }

    #[test]
    fn a_link_leads_to_its_plugin_and_its_state() {
        let parent = tempfile::tempdir().unwrap();
        let state = State::open_or_create(&parent.path().join("state")).unwrap();
        let channels = parent.path().join("channels");
        fs::create_dir(&channels).unwrap();
        let plugin: PluginName = "my-slack".parse().unwrap();
        let name: LinkName = "slack".parse().unwrap();
        let program = Path::new("/usr/bin/sandbell");
        for _ in 0..2 {
            let link = make_link(&state, program, &plugin, &name, &channels, false).unwrap();
            assert_eq!(fs::read_dir(&channels).unwrap().count(), 1);
            let found = Link::follow(&link, Path::new("/elsewhere")).unwrap();
            let want = Link {
                name: "slack".to_owned(),
                plugin: plugin.clone(),
                state_dir: state.dir().to_owned(),
                connect: None,
            };
            assert_eq!(found, want);
        }

        let by_hand = channels.join("webhook");
        symlink(program, &by_hand).unwrap();
        let found = Link::follow(&by_hand, Path::new("/elsewhere")).unwrap();
        assert_eq!((found.plugin.as_str(), found.state_dir), ("webhook", PathBuf::from("/elsewhere")));
        assert!(Link::follow(&channels.join("No.Plugin"), Path::new("/elsewhere")).is_err());
    }

    #[test]
    fn what_is_not_ours_is_not_replaced() {
        let parent = tempfile::tempdir().unwrap();
        let state = State::open_or_create(&parent.path().join("state")).unwrap();
        let make = |name: &str, dir: &Path| {
            make_link(&state, Path::new("/p"), &"slack".parse().unwrap(), &name.parse().unwrap(), dir, false)
        };
        fs::write(parent.path().join("native"), b"").unwrap();
        symlink("/usr/libexec/email", parent.path().join("email")).unwrap();
        for name in ["native", "email"] {
            assert!(matches!(make(name, parent.path()), Err(LinkError::Foreign(_))), "{name}");
        }
        assert!(matches!(make("x", &parent.path().join("nowhere")), Err(LinkError::NoDirectory(_))));
    }

    #[test]
    fn a_link_to_another_plugin_is_replaced_only_if_that_was_asked_for() {
        let parent = tempfile::tempdir().unwrap();
        let state = State::open_or_create(&parent.path().join("state")).unwrap();
        let make = |plugin: &str, may_replace| {
            let (plugin, name) = (plugin.parse().unwrap(), "chat".parse().unwrap());
            make_link(&state, Path::new("/p"), &plugin, &name, parent.path(), may_replace)
        };
        let link = make("slack", false).unwrap();
        assert!(
            matches!(make("zulip", false), Err(LinkError::Taken { plugin, .. }) if plugin.as_str() == "slack")
        );
        assert_eq!(Link::follow(&link, Path::new("/")).unwrap().plugin.as_str(), "slack");
        make("zulip", true).unwrap();
        assert_eq!(Link::follow(&link, Path::new("/")).unwrap().plugin.as_str(), "zulip");
    }
}
