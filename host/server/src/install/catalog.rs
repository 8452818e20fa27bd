//! What is installed, and whether it may run.
//!
//! What runs under a name is the component that was approved under it. An upgrade is installed beside it and takes
//! over with its own approval, so installing never stops a channel that works.

use std::fs;
use std::io;
use std::path::PathBuf;

use jiff::Timestamp;
use sandbell_domain::{Approval, Digest, PluginInfo};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::stored::{self, ApprovalV1, VERSION};
use super::{InfoV1, PluginName, PluginV1, State, StateError, files};

pub(super) const PLUGIN: &str = "plugin.json";
pub(super) const APPROVAL: &str = "approval.json";

/// A name, the component that was installed last under it, and the operator's word.
#[derive(Clone, Debug)]
pub(crate) struct Installed {
    pub(crate) name: PluginName,
    pub(crate) plugin: PluginV1,
    pub(crate) info: InfoV1,
    /// May be for an earlier component of this name.
    pub(crate) approval: Option<Approval>,
}

/// One name of the list, or why it cannot be read.
pub(crate) type Listed = Result<Installed, (PluginName, StateError)>;

/// Whether what is installed may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Approved,
    NotApproved,
    /// Another component was approved under this name; it keeps running until this one is.
    Upgrade {
        running: Digest,
    },
}

impl Installed {
    pub(crate) fn standing(&self) -> Standing {
        match &self.approval {
            None => Standing::NotApproved,
            Some(approval) if approval.digest == self.plugin.digest => Standing::Approved,
            Some(approval) => Standing::Upgrade { running: approval.digest },
        }
    }
}

impl State {
    /// Everything that is installed, by name; what cannot be read hides nothing else.
    pub(crate) fn list(&self) -> Result<Vec<Listed>, StateError> {
        let dir = self.plugins_dir();
        let failed = |error| StateError::io("read", &dir, error);
        let mut names: Vec<PluginName> = Vec::new();
        for entry in fs::read_dir(&dir).map_err(failed)? {
            // Other entries are nobody's plugin: a name is checked before anything is made of it.
            names.extend(entry.map_err(failed)?.file_name().to_str().and_then(|name| name.parse().ok()));
        }
        names.sort();
        let mut all = Vec::with_capacity(names.len());
        for name in names {
            match self.get(&name) {
                // A crash between two steps of an installation or a removal leaves a directory without a plugin.
                Err(StateError::NotInstalled(_)) => {}
                Ok(installed) => all.push(Ok(installed)),
                Err(error) => all.push(Err((name, error))),
            }
        }
        Ok(all)
    }

    pub(crate) fn get(&self, name: &PluginName) -> Result<Installed, StateError> {
        let dir = self.plugin_dir(name);
        let plugin: PluginV1 =
            stored::read(&dir.join(PLUGIN))?.ok_or_else(|| StateError::NotInstalled(name.clone()))?;
        let info = self.info(&plugin.digest)?;
        let approval = stored::read::<ApprovalV1>(&dir.join(APPROVAL))?.map(|form| form.approval);
        Ok(Installed { name: name.clone(), plugin, info, approval })
    }

    /// What the component that runs under this name said of itself, approved or not.
    pub(crate) fn running_info(&self, name: &PluginName) -> Result<PluginInfo, StateError> {
        let installed = self.get(name)?;
        match installed.standing() {
            Standing::Upgrade { running } => Ok(self.info(&running)?.info),
            Standing::Approved | Standing::NotApproved => Ok(installed.info.info),
        }
    }

    /// What the component of this digest said of itself.
    pub(crate) fn info(&self, digest: &Digest) -> Result<InfoV1, StateError> {
        let path = self.component_path(digest, "json");
        let missing =
            || StateError::Broken { path: path.clone(), reason: "there is no such file".to_owned() };
        let info: InfoV1 = stored::read(&path)?.ok_or_else(missing)?;
        if info.digest != *digest {
            return Err(StateError::Tampered(path));
        }
        Ok(info)
    }

    /// The component's bytes, hashed again.
    pub(crate) fn bytes(&self, digest: &Digest) -> Result<Vec<u8>, StateError> {
        let path = self.component_path(digest, "wasm");
        let bytes = fs::read(&path).map_err(|error| StateError::io("read", &path, error))?;
        if Digest::of(&bytes) != *digest {
            return Err(StateError::Tampered(path));
        }
        Ok(bytes)
    }

    /// Puts the component under the name; returns what went by that name before.
    ///
    /// The bytes come first and the name last, so a crash leaves the old plugin or the new one.
    pub(crate) fn install(
        &self,
        name: &PluginName,
        bytes: &[u8],
        info: &InfoV1,
        source: &str,
        now: Timestamp,
    ) -> Result<Option<Installed>, StateError> {
        let _lock = self.lock()?;
        let before = match self.get(name) {
            Ok(installed) => Some(installed),
            Err(StateError::NotInstalled(_) | StateError::Broken { .. } | StateError::Tampered(_)) => None,
            Err(error) => return Err(error),
        };
        let components = self.components_dir();
        let hex = info.digest.hex();
        for (name, bytes) in
            [(format!("{hex}.wasm"), bytes), (format!("{hex}.json"), &stored::to_bytes(info)[..])]
        {
            files::write(&components, &name, bytes)
                .map_err(|error| StateError::io("write", &components.join(&name), error))?;
        }
        let plugin = PluginV1 {
            version: VERSION,
            digest: info.digest,
            size_bytes: info.size_bytes,
            installed_at: now,
            source: source.to_owned(),
        };
        self.write(name, PLUGIN, &plugin)?;
        self.prune()?;
        Ok(before)
    }

    /// Keeps the operator's yes; what it is for takes over at the next start of a channel.
    ///
    /// Refused if another component came under this name since it was shown.
    pub(crate) fn approve(&self, name: &PluginName, approval: Approval) -> Result<(), ApproveError> {
        let _lock = self.lock()?;
        let installed = self.get(name)?;
        if installed.plugin.digest != approval.digest {
            return Err(ApproveError::Changed(name.clone()));
        }
        self.write(name, APPROVAL, &ApprovalV1 { version: VERSION, approval })?;
        Ok(self.prune()?)
    }

    /// Takes the operator's yes back; the next attempt finds none. Returns whether there was one.
    pub(crate) fn disapprove(&self, name: &PluginName) -> Result<bool, StateError> {
        let _lock = self.lock()?;
        self.get(name)?;
        let (dir, path) = (self.plugin_dir(name), self.plugin_dir(name).join(APPROVAL));
        match fs::remove_file(&path).and_then(|()| files::sync_dir(&dir)) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(StateError::io("remove", &path, error)),
        }
        self.prune()?;
        Ok(true)
    }

    /// Removes the name, its approval, and the bytes that no other name uses.
    pub(crate) fn remove(&self, name: &PluginName) -> Result<(), StateError> {
        let _lock = self.lock()?;
        let dir = self.plugin_dir(name);
        // The plugin goes first: without it the rest is nothing.
        match fs::remove_file(dir.join(PLUGIN)) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(StateError::NotInstalled(name.clone()));
            }
            Err(error) => return Err(StateError::io("remove", &dir.join(PLUGIN), error)),
        }
        fs::remove_dir_all(&dir).map_err(|error| StateError::io("remove", &dir, error))?;
        self.prune()
    }

    pub(super) fn plugin_dir(&self, name: &PluginName) -> PathBuf {
        self.plugins_dir().join(name.as_str())
    }

    fn component_path(&self, digest: &Digest, extension: &str) -> PathBuf {
        self.components_dir().join(format!("{}.{extension}", digest.hex()))
    }

    fn write<T: Serialize + DeserializeOwned>(
        &self,
        name: &PluginName,
        file: &str,
        form: &T,
    ) -> Result<(), StateError> {
        let dir = self.plugin_dir(name);
        files::make_dir(&dir)
            .and_then(|()| files::sync_dir(&self.plugins_dir()))
            .and_then(|()| files::sweep(&dir))
            .and_then(|()| files::write(&dir, file, &stored::to_bytes(form)))
            .map_err(|error| StateError::io("write", &dir.join(file), error))
    }

    /// Removes components that no name and no approval refers to. The caller holds the lock.
    fn prune(&self) -> Result<(), StateError> {
        // While one plugin cannot be read, nobody knows what it uses.
        let Ok(all) = self.list()?.into_iter().collect::<Result<Vec<_>, _>>() else { return Ok(()) };
        let mut used = Vec::new();
        for Installed { plugin, approval, .. } in all {
            used.push(plugin.digest.hex());
            used.extend(approval.map(|approval| approval.digest.hex()));
        }
        let dir = self.components_dir();
        let failed = |error| StateError::io("clean", &dir, error);
        files::sweep(&dir).map_err(failed)?;
        for entry in fs::read_dir(&dir).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let is_used = path.file_stem().is_some_and(|stem| used.iter().any(|hex| stem == hex.as_str()));
            if !is_used {
                fs::remove_file(&path).map_err(failed)?;
            }
        }
        Ok(())
    }
}

/// Why an approval was not kept.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApproveError {
    #[error("`{0}` was installed anew while you looked at it; look again")]
    Changed(PluginName),
    #[error(transparent)]
    State(#[from] StateError),
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;

    fn approval(bytes: &[u8]) -> Approval {
        fixture::approval(bytes, &[])
    }

    struct Fixture {
        _dir: tempfile::TempDir,
        state: State,
        name: PluginName,
    }

    fn host() -> Fixture {
        let dir = tempfile::tempdir().unwrap();
        let state = State::open_or_create(&dir.path().join("state")).unwrap();
        Fixture { _dir: dir, state, name: "test".parse().unwrap() }
    }

    fn install(fixture: &Fixture, bytes: &[u8]) -> Option<Installed> {
        fixture
            .state
            .install(&fixture.name, bytes, &fixture::info(bytes, &[]), "x.wasm", Timestamp::UNIX_EPOCH)
            .unwrap()
    }

    fn components(fixture: &Fixture) -> usize {
        fs::read_dir(fixture.state.components_dir()).unwrap().count()
    }

    #[test]
    fn an_upgrade_lets_the_approved_one_run_until_it_is_approved() {
        let fixture = host();
        let Fixture { state, name, .. } = &fixture;
        assert!(install(&fixture, b"one").is_none());
        assert_eq!(state.get(name).unwrap().standing(), Standing::NotApproved);
        state.approve(name, approval(b"one")).unwrap();
        assert_eq!(state.get(name).unwrap().standing(), Standing::Approved);

        assert!(install(&fixture, b"two").is_some());
        assert_eq!(state.get(name).unwrap().standing(), Standing::Upgrade { running: Digest::of(b"one") });
        assert_eq!(state.bytes(&Digest::of(b"one")).unwrap(), b"one");
        assert!(matches!(state.approve(name, approval(b"one")), Err(ApproveError::Changed(_))));
        assert_eq!(components(&fixture), 4);

        state.approve(name, approval(b"two")).unwrap();
        assert_eq!(state.get(name).unwrap().standing(), Standing::Approved);
        assert_eq!(components(&fixture), 2);
    }

    #[test]
    fn going_back_to_the_approved_bytes_needs_no_new_approval() {
        let fixture = host();
        install(&fixture, b"one");
        fixture.state.approve(&fixture.name, approval(b"one")).unwrap();
        install(&fixture, b"two");
        install(&fixture, b"one");
        assert_eq!(fixture.state.get(&fixture.name).unwrap().standing(), Standing::Approved);
    }

    #[test]
    fn a_yes_can_be_taken_back() {
        let fixture = host();
        let Fixture { state, name, .. } = &fixture;
        install(&fixture, b"one");
        state.approve(name, approval(b"one")).unwrap();
        install(&fixture, b"two");
        assert_eq!(components(&fixture), 4);
        assert!(state.disapprove(name).unwrap());
        assert_eq!(state.get(name).unwrap().standing(), Standing::NotApproved);
        assert_eq!(components(&fixture), 2);
        assert!(!state.disapprove(name).unwrap());
        assert!(matches!(state.disapprove(&"none".parse().unwrap()), Err(StateError::NotInstalled(_))));
    }

    #[test]
    fn removing_takes_everything_and_a_second_time_finds_nothing() {
        let fixture = host();
        let Fixture { state, name, .. } = &fixture;
        install(&fixture, b"one");
        state.remove(name).unwrap();
        assert_eq!(components(&fixture), 0);
        assert!(state.list().unwrap().is_empty());
        assert!(matches!(state.remove(name), Err(StateError::NotInstalled(_))));
        assert!(matches!(state.get(name), Err(StateError::NotInstalled(_))));
    }

    #[test]
    fn bytes_that_changed_on_disk_are_refused() {
        let fixture = host();
        install(&fixture, b"one");
        let digest = Digest::of(b"one");
        fs::write(fixture.state.component_path(&digest, "wasm"), b"two").unwrap();
        assert!(matches!(fixture.state.bytes(&digest), Err(StateError::Tampered(_))));
    }

    #[test]
    fn one_that_cannot_be_read_hides_no_other() {
        let fixture = host();
        install(&fixture, b"one");
        let other: PluginName = "other".parse().unwrap();
        let info = fixture::info(b"two", &[]);
        fixture.state.install(&other, b"two", &info, "x.wasm", Timestamp::UNIX_EPOCH).unwrap();
        fs::write(fixture.state.plugin_dir(&other).join(PLUGIN), "{").unwrap();
        let names: Vec<_> = fixture.state.list().unwrap();
        assert!(
            matches!(&names[..], [Err((broken, _)), Ok(whole)] if *broken == other && whole.name == fixture.name)
        );
    }

    #[test]
    fn a_form_that_is_newer_or_broken_is_refused_in_words() {
        let fixture = host();
        install(&fixture, b"one");
        let path = fixture.state.plugin_dir(&fixture.name).join(PLUGIN);
        let text = fs::read_to_string(&path).unwrap();
        let error = |text: &str| {
            fs::write(&path, text).unwrap();
            let error = fixture.state.get(&fixture.name).unwrap_err().to_string();
            error.replace(path.to_str().unwrap(), "PATH")
        };
        assert_eq!(
            error(&text.replace("\"version\": 1", "\"version\": 2")),
            "`PATH` has the form 2, which a newer sandbell wrote; use that one"
        );
        assert!(error(&text.replace("\"source\"", "\"surce\"")).contains("unknown field `surce`"));
        assert!(error("{").starts_with("`PATH` cannot be understood: EOF while parsing"));
    }
}
