//! Secrets at rest: which keys this host has, and the way of a channel's secrets to the disk and back.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use sandbell_domain::{ChannelId, TenantId};
use sandbell_store::seal::{self, Key, Keys, SealError, SealPlace};
use sandbell_store::{Catalog as _, ChannelRecord, SealedSecret, StoreError};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value as Json};

use crate::store::Store;

/// The key file of a state directory that was given no other key.
const STATE_KEY: &str = "sandbell.key";

/// The name of systemd's credential.
const CREDENTIAL: &str = "sandbell.key";

/// A file of keys is a few lines; more is another file.
const KEY_FILE_BYTES_MAX: u64 = 64 * 1024;

/// The keys of this host.
pub(crate) struct Vault {
    keys: Keys,
}

/// Where keys may come from; the first place that has one is taken.
#[derive(Clone, Debug, Default)]
pub(crate) struct KeySources {
    /// `--key-file`, or `file` of the section `[keys]`.
    pub(crate) file: Option<PathBuf>,
    /// `$CREDENTIALS_DIRECTORY`, which systemd sets.
    pub(crate) credentials_dir: Option<PathBuf>,
    /// `$SANDBELL_KEY`.
    pub(crate) text: Option<SecretString>,
    /// Where a key is looked for last, and made if the host has nothing sealed yet.
    pub(crate) state_dir: PathBuf,
}

/// Where the keys came from, for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum KeyOrigin {
    File(PathBuf),
    Environment,
    /// There was none, so one was made.
    Made(PathBuf),
}

/// Why there are no keys, or why they are not the right ones.
#[derive(Debug, thiserror::Error)]
pub(crate) enum VaultError {
    #[error("the key file `{path}` cannot be read: {error}")]
    Read { path: PathBuf, error: io::Error },
    #[error("the key file `{0}` is open to other users; run `chmod 600 {0}`")]
    Open(PathBuf),
    #[error("the key file `{0}` is no plain file of at most {KEY_FILE_BYTES_MAX} bytes")]
    NoFile(PathBuf),
    #[error("{origin}: {error}")]
    Key { origin: String, error: SealError },
    #[error(
        "there is no key for the secrets in this state directory; give it with `[keys] file`, as systemd's credential \
         `{CREDENTIAL}` or in $SANDBELL_KEY, or put back `{0}`"
    )]
    None(PathBuf),
    #[error("the key file `{path}` cannot be written: {error}")]
    Write { path: PathBuf, error: io::Error },
    #[error(
        "none of the {} opens this host's secrets, which key `{sealed_by}` sealed; give the host that key",
        count_of(*.given)
    )]
    OtherKey { sealed_by: String, given: usize },
    #[error("the secret of option `{option}` cannot be opened: {error}; set it again")]
    Secret { option: String, error: SealError },
    #[error(transparent)]
    Seal(#[from] SealError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn count_of(keys: usize) -> String {
    if keys == 1 { "1 key that was given".to_owned() } else { format!("{keys} keys that were given") }
}

impl Vault {
    /// Finds the host's keys, and makes one if `is_new` and there is none.
    pub(crate) fn open(sources: &KeySources, is_new: bool) -> Result<(Self, KeyOrigin), VaultError> {
        let KeySources { file, credentials_dir, text, state_dir } = sources;
        if let Some(path) = file {
            return from_file(path, Private::Must);
        }
        let credential = credentials_dir.as_ref().map(|dir| dir.join(CREDENTIAL));
        if let Some(path) = credential.filter(|path| path.exists()) {
            return from_file(&path, Private::SystemdSees);
        }
        if let Some(text) = text {
            let keys = parse(text.expose_secret(), "$SANDBELL_KEY")?;
            return Ok((Self { keys }, KeyOrigin::Environment));
        }
        let path = state_dir.join(STATE_KEY);
        if path.exists() {
            return from_file(&path, Private::Must);
        }
        if !is_new {
            return Err(VaultError::None(path));
        }
        let key = Key::generate()?;
        write(&path, &key).map_err(|error| VaultError::Write { path: path.clone(), error })?;
        Ok((Self { keys: Keys::new([key])? }, KeyOrigin::Made(path)))
    }

    /// Refuses keys that do not open what this host sealed before; a host that sealed nothing yet remembers them.
    pub(crate) async fn check(&self, store: &Store) -> Result<(), VaultError> {
        let Some(sealed) = store.key_check().await? else {
            let sealed = self.keys.seal(SealPlace::KeyCheck, &SecretString::from("sandbell"))?;
            return Ok(store.set_key_check(sealed).await?);
        };
        match (self.keys.open(SealPlace::KeyCheck, &sealed), seal::key_of(&sealed)) {
            (Ok(_), _) => Ok(()),
            (Err(SealError::MissingKey { .. }), Ok(id)) => {
                Err(VaultError::OtherKey { sealed_by: id.to_string(), given: self.keys.ids().count() })
            }
            (Err(error), _) => Err(error.into()),
        }
    }

    /// All keys, for a change of them.
    pub(crate) fn keys(&self) -> &Keys {
        &self.keys
    }

    /// A secret as it may lie on the disk; it opens in its place only.
    pub(crate) fn seal(
        &self,
        tenant: TenantId,
        channel: ChannelId,
        option: &str,
        secret: &SecretString,
    ) -> Result<String, SealError> {
        self.keys.seal(SealPlace::Option { tenant, channel, option }, secret)
    }

    /// The settings of a channel with its secrets in their places, as a form would have sent them.
    pub(crate) fn unsealed(&self, record: &ChannelRecord) -> Result<Json, VaultError> {
        let ChannelRecord { tenant, id, settings, secrets, .. } = record;
        let mut config: Map<String, Json> = settings.clone();
        for SealedSecret { option, sealed, set_at: _ } in secrets {
            let secret = self
                .keys
                .open(SealPlace::Option { tenant: *tenant, channel: *id, option }, sealed)
                .map_err(|error| VaultError::Secret { option: option.clone(), error })?;
            config.insert(option.clone(), Json::from(secret.expose_secret()));
        }
        Ok(Json::Object(config))
    }
}

/// Who may see a key file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Private {
    Must,
    /// systemd hands credentials out by access lists, whose mask shows as the group's rights.
    SystemdSees,
}

fn from_file(path: &Path, private: Private) -> Result<(Vault, KeyOrigin), VaultError> {
    let read = |error| VaultError::Read { path: path.to_owned(), error };
    let metadata = fs::metadata(path).map_err(read)?;
    if !metadata.is_file() || metadata.len() > KEY_FILE_BYTES_MAX {
        return Err(VaultError::NoFile(path.to_owned()));
    }
    if private == Private::Must && metadata.mode() & 0o077 != 0 {
        return Err(VaultError::Open(path.to_owned()));
    }
    let text = SecretString::from(fs::read_to_string(path).map_err(read)?);
    let keys = parse(text.expose_secret(), &format!("`{}`", path.display()))?;
    Ok((Vault { keys }, KeyOrigin::File(path.to_owned())))
}

/// One key per line; empty lines and those that begin with `#` say nothing.
fn parse(text: &str, origin: &str) -> Result<Keys, VaultError> {
    let mut keys = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let key =
            line.parse::<Key>().map_err(|error| VaultError::Key { origin: origin.to_owned(), error })?;
        keys.push(key);
    }
    Keys::new(keys).map_err(|error| VaultError::Key { origin: origin.to_owned(), error })
}

/// Never over a file that is there: it may be the only key to something.
fn write(path: &Path, key: &Key) -> io::Result<()> {
    use std::io::Write as _;
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(key.to_text().expose_secret().as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    path.parent().map_or(Ok(()), |dir| fs::File::open(dir)?.sync_all())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn sources(dir: &Path) -> KeySources {
        KeySources { state_dir: dir.to_owned(), ..KeySources::default() }
    }

    fn file(dir: &Path, name: &str, text: &str, mode: u32) -> PathBuf {
        let path = dir.join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    fn text(key: &Key) -> String {
        key.to_text().expose_secret().to_owned()
    }

    #[test]
    fn the_first_place_that_has_keys_is_taken() {
        let dir = tempfile::tempdir().unwrap();
        let keys: Vec<Key> = (0..4).map(|_| Key::generate().unwrap()).collect();
        let id = |sources: &KeySources| {
            let (vault, origin) = Vault::open(sources, false).unwrap();
            (vault.keys.first().clone(), origin)
        };
        let own = file(dir.path(), STATE_KEY, &text(&keys[0]), 0o600);
        let mut sources = sources(dir.path());
        assert_eq!(id(&sources), (keys[0].id().clone(), KeyOrigin::File(own)));
        sources.text = Some(SecretString::from(text(&keys[1])));
        assert_eq!(id(&sources), (keys[1].id().clone(), KeyOrigin::Environment));
        let credentials = dir.path().join("credentials");
        fs::create_dir(&credentials).unwrap();
        sources.credentials_dir = Some(credentials.clone());
        assert_eq!(id(&sources).1, KeyOrigin::Environment);
        let credential = file(&credentials, CREDENTIAL, &text(&keys[2]), 0o440);
        assert_eq!(id(&sources), (keys[2].id().clone(), KeyOrigin::File(credential)));
        let given =
            file(dir.path(), "k", &format!("# first\n{}\n\n{}\n", text(&keys[3]), text(&keys[0])), 0o600);
        sources.file = Some(given.clone());
        assert_eq!(id(&sources), (keys[3].id().clone(), KeyOrigin::File(given)));
    }

    #[test]
    fn a_key_is_made_once_and_only_for_a_new_host() {
        let dir = tempfile::tempdir().unwrap();
        let sources = sources(dir.path());
        assert!(matches!(Vault::open(&sources, false), Err(VaultError::None(_))));
        let (made, origin) = Vault::open(&sources, true).unwrap();
        let path = dir.path().join(STATE_KEY);
        assert_eq!(origin, KeyOrigin::Made(path.clone()));
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        let (again, origin) = Vault::open(&sources, true).unwrap();
        assert_eq!(origin, KeyOrigin::File(path));
        assert_eq!(made.keys.first(), again.keys.first());
    }

    #[test]
    fn a_key_file_that_is_no_help_says_why() {
        let dir = tempfile::tempdir().unwrap();
        let error = |path: &Path| {
            let sources = KeySources { file: Some(path.to_owned()), ..sources(dir.path()) };
            let error = Vault::open(&sources, true).map(|_| ()).unwrap_err().to_string();
            error.replace(path.to_str().unwrap(), "FILE")
        };
        let key = Key::generate().unwrap();
        let path = file(dir.path(), "k", &text(&key), 0o640);
        assert_eq!(error(&path), "the key file `FILE` is open to other users; run `chmod 600 FILE`");
        let path = file(dir.path(), "k", "# nothing\n\n", 0o600);
        assert_eq!(error(&path), "`FILE`: no key is given; name at least one");
        let path = file(dir.path(), "k", "hunter2", 0o600);
        let bad = error(&path);
        assert!(bad.starts_with("`FILE`: ") && !bad.contains("hunter2"), "{bad}");
        assert_eq!(
            error(dir.path()),
            format!("the key file `FILE` is no plain file of at most {KEY_FILE_BYTES_MAX} bytes")
        );
    }
}
