//! Compiled artefacts on disk, sealed with a key that never leaves the directory.
//!
//! An artefact is native code, so a file is believed only after its seal was verified. Whatever is wrong with an entry,
//! it is compiled anew; whatever is wrong with the directory, the host runs without it.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use hmac::{Hmac, KeyInit as _, Mac as _};
use sandbell_domain::Digest;
use sha2::Sha256;

use crate::artefact::Artefact;
use crate::compile::ARTEFACT_BYTES_MAX;

const MAGIC: &[u8; 16] = b"sandbell-cache-1";
const KEY_FILE: &str = "key";
const KEY_BYTES: usize = 32;
const SEAL_BYTES: usize = 32;
/// Magic, digest of the component, digest of the engine's settings, length of the artefact.
const HEADER_BYTES: usize = 16 + 32 + 64 + 8;

/// A private directory of artefacts.
pub(crate) struct Cache {
    dir: PathBuf,
    key: [u8; KEY_BYTES],
    /// 64 hexadecimal digits.
    compatibility: String,
}

/// Why there is no cache, or why an entry is not used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CacheError {
    #[error("{path}: {error}")]
    Io { path: String, error: std::io::Error },
    #[error("{0} is no directory; give the cache one of its own")]
    NoDirectory(String),
    #[error("{path} belongs to user {owner}, not to {user}; give the cache a directory of its own")]
    Owner { path: String, owner: u32, user: u32 },
    #[error("{path} can be read or written by others (mode {mode:o}); set its mode to {want:o}")]
    Mode { path: String, mode: u32, want: u32 },
    #[error("{0} is no key of {KEY_BYTES} bytes; remove it to get a new one")]
    Key(String),
    #[error("its header is of another version, component or engine")]
    Header,
    #[error("its length is wrong")]
    Length,
    #[error("its seal does not fit")]
    Seal,
}

impl CacheError {
    fn is_absence(&self) -> bool {
        matches!(self, Self::Io { error, .. } if error.kind() == std::io::ErrorKind::NotFound)
    }
}

impl Cache {
    /// Opens `dir`, or makes it with mode 0700. Refuses one that is not ours alone.
    pub(crate) fn open(dir: &Path, compatibility: String) -> Result<Self, CacheError> {
        if !dir.exists() {
            DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(|error| io(dir, error))?;
        }
        let metadata = std::fs::symlink_metadata(dir).map_err(|error| io(dir, error))?;
        if !metadata.is_dir() {
            return Err(CacheError::NoDirectory(dir.display().to_string()));
        }
        check_private(dir, &metadata, 0o700)?;
        let key = match read_key(&dir.join(KEY_FILE)) {
            Err(error) if error.is_absence() => make_key(dir),
            key => key,
        }?;
        Ok(Self { dir: dir.to_owned(), key, compatibility })
    }

    /// The artefact of a component, or `None` if there is no entry that can be believed.
    pub(crate) fn get(&self, digest: &Digest) -> Option<Artefact> {
        let path = self.path(digest);
        match self.read(&path, digest) {
            Ok(artefact) => Some(artefact),
            Err(error) if error.is_absence() => None,
            Err(error) => {
                tracing::warn!(
                    cache.path = %path.display(),
                    "The cached artefact of {digest} is not used and will be compiled anew: {error}"
                );
                None
            }
        }
    }

    fn read(&self, path: &Path, digest: &Digest) -> Result<Artefact, CacheError> {
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(no_follow())
            .open(path)
            .map_err(|error| io(path, error))?;
        let mut bytes = Vec::new();
        let bytes_max = (HEADER_BYTES + ARTEFACT_BYTES_MAX + SEAL_BYTES) as u64;
        file.take(bytes_max + 1).read_to_end(&mut bytes).map_err(|error| io(path, error))?;
        let body = bytes
            .len()
            .checked_sub(SEAL_BYTES)
            .filter(|end| *end >= HEADER_BYTES)
            .ok_or(CacheError::Length)?;
        let (sealed, seal) = bytes.split_at(body);
        self.hmac(sealed).verify_slice(seal).map_err(|_| CacheError::Seal)?;
        let artefact = &sealed[HEADER_BYTES..];
        if sealed[..HEADER_BYTES] != self.header(digest, artefact.len()) {
            return Err(CacheError::Header);
        }
        Ok(Artefact::vouched(artefact.to_vec()))
    }

    /// Keeps an artefact. It appears whole or not at all.
    pub(crate) fn put(&self, digest: &Digest, artefact: &Artefact) -> Result<(), CacheError> {
        let path = self.path(digest);
        let mut bytes = self.header(digest, artefact.bytes().len());
        bytes.extend_from_slice(artefact.bytes());
        let seal = self.hmac(&bytes).finalize().into_bytes();
        bytes.extend_from_slice(&seal);
        write_whole(&self.dir, &path, &bytes)
    }

    /// The engine's settings are part of the name, so two versions of the host can share a directory.
    fn path(&self, digest: &Digest) -> PathBuf {
        self.dir.join(format!("{}-{}.artefact", digest.hex(), &self.compatibility[..16]))
    }

    fn header(&self, digest: &Digest, length: usize) -> Vec<u8> {
        let mut header = Vec::with_capacity(HEADER_BYTES + length + SEAL_BYTES);
        header.extend_from_slice(MAGIC);
        header.extend_from_slice(digest.as_bytes());
        header.extend_from_slice(self.compatibility.as_bytes());
        header.extend_from_slice(&(length as u64).to_le_bytes());
        header
    }

    fn hmac(&self, bytes: &[u8]) -> Hmac<Sha256> {
        let mut hmac = Hmac::<Sha256>::new_from_slice(&self.key).expect("a key of any length fits");
        hmac.update(bytes);
        hmac
    }
}

fn read_key(path: &Path) -> Result<[u8; KEY_BYTES], CacheError> {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(no_follow())
        .open(path)
        .map_err(|error| io(path, error))?;
    check_private(path, &file.metadata().map_err(|error| io(path, error))?, 0o600)?;
    let mut key = Vec::with_capacity(KEY_BYTES);
    file.take(KEY_BYTES as u64 + 1).read_to_end(&mut key).map_err(|error| io(path, error))?;
    key.try_into().map_err(|_| CacheError::Key(path.display().to_string()))
}

/// Several processes may start at once: the first to link its key wins, and all read the winner's.
fn make_key(dir: &Path) -> Result<[u8; KEY_BYTES], CacheError> {
    let path = dir.join(KEY_FILE);
    let mut key = [0; KEY_BYTES];
    rustix::rand::getrandom(&mut key, rustix::rand::GetRandomFlags::empty())
        .map_err(|error| io(&path, error.into()))?;
    let mut file = tempfile::NamedTempFile::new_in(dir).map_err(|error| io(dir, error))?;
    file.write_all(&key).and_then(|()| file.as_file().sync_all()).map_err(|error| io(&path, error))?;
    match file.persist_noclobber(&path) {
        Ok(_) => {}
        Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(io(&path, error.error)),
    }
    read_key(&path)
}

fn write_whole(dir: &Path, path: &Path, bytes: &[u8]) -> Result<(), CacheError> {
    let mut file = tempfile::NamedTempFile::new_in(dir).map_err(|error| io(dir, error))?;
    file.write_all(bytes).and_then(|()| file.as_file().sync_all()).map_err(|error| io(path, error))?;
    file.persist(path).map_err(|error| io(path, error.error))?;
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(|error| io(dir, error))
}

fn check_private(path: &Path, metadata: &std::fs::Metadata, want: u32) -> Result<(), CacheError> {
    check_owner(path, metadata.uid(), rustix::process::geteuid().as_raw())?;
    let mode = metadata.mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(CacheError::Mode { path: path.display().to_string(), mode, want });
    }
    Ok(())
}

fn check_owner(path: &Path, owner: u32, user: u32) -> Result<(), CacheError> {
    if owner == user {
        Ok(())
    } else {
        Err(CacheError::Owner { path: path.display().to_string(), owner, user })
    }
}

fn no_follow() -> i32 {
    rustix::fs::OFlags::NOFOLLOW.bits().cast_signed()
}

fn io(path: &Path, error: std::io::Error) -> CacheError {
    CacheError::Io { path: path.display().to_string(), error }
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn open(dir: &Path, compatibility: char) -> Result<Cache, CacheError> {
        Cache::open(dir, compatibility.to_string().repeat(64))
    }

    fn mode(path: &Path) -> u32 {
        path.metadata().unwrap().mode() & 0o777
    }

    #[test]
    fn an_artefact_comes_back_and_the_files_are_private() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().join("a/b");
        let cache = open(&dir, 'c').unwrap();
        let digest = Digest::of(b"component");
        assert!(cache.get(&digest).is_none());
        cache.put(&digest, &Artefact::vouched(b"code".to_vec())).unwrap();
        assert_eq!(open(&dir, 'c').unwrap().get(&digest).unwrap().bytes(), b"code");
        assert!(open(&dir, 'd').unwrap().get(&digest).is_none());
        assert!(cache.get(&Digest::of(b"other")).is_none());
        assert_eq!((mode(&dir), mode(&dir.join("key")), mode(&cache.path(&digest))), (0o700, 0o600, 0o600));
    }

    #[test]
    fn a_changed_byte_anywhere_breaks_the_seal() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().join("cache");
        let cache = open(&dir, 'c').unwrap();
        let digest = Digest::of(b"component");
        cache.put(&digest, &Artefact::vouched(b"code".to_vec())).unwrap();
        let path = cache.path(&digest);
        let whole = std::fs::read(&path).unwrap();
        for index in 0..whole.len() {
            let mut changed = whole.clone();
            changed[index] ^= 1;
            std::fs::write(&path, changed).unwrap();
            assert!(cache.get(&digest).is_none(), "byte {index}");
        }
        for length in 0..whole.len() {
            std::fs::write(&path, &whole[..length]).unwrap();
            assert!(cache.get(&digest).is_none(), "cut at {length}");
        }
        std::fs::write(&path, whole).unwrap();
        assert!(cache.get(&digest).is_some());
    }

    #[test]
    fn an_entry_of_another_component_is_not_taken() {
        let dir = tempfile::tempdir().unwrap();
        let cache = open(&dir.path().join("cache"), 'c').unwrap();
        let (good, other) = (Digest::of(b"good"), Digest::of(b"other"));
        cache.put(&other, &Artefact::vouched(b"evil".to_vec())).unwrap();
        std::fs::rename(cache.path(&other), cache.path(&good)).unwrap();
        assert!(cache.get(&good).is_none());
    }

    #[test]
    fn a_directory_of_another_user_is_refused() {
        let refusal = check_owner(Path::new("/var/cache/sandbell"), 1000, 33).unwrap_err();
        insta::assert_snapshot!(refusal, @"/var/cache/sandbell belongs to user 1000, not to 33; give the cache a directory of its own");
        assert!(check_owner(Path::new("/"), 33, 33).is_ok());
    }

    #[test]
    fn a_directory_that_is_not_ours_alone_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let cache = dir.path().join("cache");
        let shown = |result: Result<Cache, CacheError>| {
            result.err().unwrap().to_string().replace(&dir.path().display().to_string(), "DIR")
        };
        open(&cache, 'c').unwrap();
        std::fs::set_permissions(cache.join("key"), Permissions::from_mode(0o644)).unwrap();
        insta::assert_snapshot!(shown(open(&cache, 'c')), @"DIR/cache/key can be read or written by others (mode 644); set its mode to 600");
        std::fs::set_permissions(cache.join("key"), Permissions::from_mode(0o600)).unwrap();
        std::fs::write(cache.join("key"), "short").unwrap();
        insta::assert_snapshot!(shown(open(&cache, 'c')), @"DIR/cache/key is no key of 32 bytes; remove it to get a new one");
        std::fs::set_permissions(&cache, Permissions::from_mode(0o770)).unwrap();
        insta::assert_snapshot!(shown(open(&cache, 'c')), @"DIR/cache can be read or written by others (mode 770); set its mode to 700");
        let file = dir.path().join("file");
        std::fs::write(&file, "").unwrap();
        insta::assert_snapshot!(shown(open(&file, 'c')), @"DIR/file is no directory; give the cache one of its own");
        let link = dir.path().join("link");
        std::os::unix::fs::symlink(&cache, &link).unwrap();
        insta::assert_snapshot!(shown(open(&link, 'c')), @"DIR/link is no directory; give the cache one of its own");
    }
}
