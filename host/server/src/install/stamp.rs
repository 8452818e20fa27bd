//! Tells cheaply whether what runs under a name may have changed: files are replaced whole, so looking at two is enough.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::catalog::{APPROVAL, PLUGIN};
use super::{PluginName, State};

/// Which files say what runs under a name. Two that are equal say the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    plugin: Option<File>,
    approval: Option<File>,
}

/// A file, told from every other that stood in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct File {
    inode: u64,
    modified: (i64, i64),
    changed: (i64, i64),
    size: u64,
}

impl State {
    /// Two looks at a directory: a few microseconds, so that it can be asked before every attempt.
    pub(crate) fn stamp(&self, name: &PluginName) -> Stamp {
        let dir = self.plugin_dir(name);
        Stamp { plugin: look(&dir.join(PLUGIN)), approval: look(&dir.join(APPROVAL)) }
    }
}

fn look(path: &Path) -> Option<File> {
    let metadata = path.metadata().ok()?;
    Some(File {
        inode: metadata.ino(),
        modified: (metadata.mtime(), metadata.mtime_nsec()),
        changed: (metadata.ctime(), metadata.ctime_nsec()),
        size: metadata.size(),
    })
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::super::fixture;
    use super::*;

    #[test]
    fn every_change_shows_and_looking_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let state = State::open_or_create(&dir.path().join("state")).unwrap();
        let name: PluginName = "test".parse().unwrap();
        let mut seen = vec![state.stamp(&name)];
        let mut changed = |state: &State| {
            let stamp = state.stamp(&name);
            assert_eq!(stamp, state.stamp(&name));
            assert!(!seen.contains(&stamp), "{stamp:?}");
            seen.push(stamp);
        };
        let install = |bytes: &[u8]| {
            let info = fixture::info(bytes, &[]);
            state.install(&"test".parse().unwrap(), bytes, &info, "x.wasm", Timestamp::UNIX_EPOCH).unwrap();
        };
        install(b"one");
        changed(&state);
        state.approve(&"test".parse().unwrap(), fixture::approval(b"one", &[])).unwrap();
        changed(&state);
        state.approve(&"test".parse().unwrap(), fixture::approval(b"one", &[])).unwrap();
        changed(&state);
        install(b"two");
        changed(&state);
    }
}
