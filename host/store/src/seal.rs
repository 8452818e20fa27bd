//! Sealing: secrets as they lie on the disk, and the keys that open them.
//!
//! XChaCha20-Poly1305 with a random nonce of 24 bytes: so many of them can be drawn under one key that none comes twice.
//! What is sealed is bound to its place and to its key, so that a sealed text that somebody moved does not open.
//! Nothing here reads a file; where keys come from is the caller's.

use std::fmt;
use std::str::FromStr;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use chacha20poly1305::aead::{Aead as _, Generate as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use sandbell_domain::{ChannelId, TenantId};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use zeroize::{Zeroize as _, Zeroizing};

/// The first word of every sealed text: how it was sealed.
const VERSION: &str = "v1";
const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;
/// Hexadecimal digits of a key's name: enough to tell the few keys of a host apart.
const NAME_DIGITS: usize = 16;

/// The keys of a host: the first one seals, all of them open.
#[derive(Debug)]
pub struct Keys {
    first: Key,
    others: Vec<Key>,
}

/// One key. Its bytes are wiped when it goes.
pub struct Key {
    bytes: Zeroizing<[u8; KEY_BYTES]>,
    id: KeyId,
}

/// What a key is called: the beginning of its hash, which tells nothing about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyId(String);

/// Where a sealed text belongs; it opens nowhere else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SealPlace<'a> {
    /// A secret of a channel.
    Option { tenant: TenantId, channel: ChannelId, option: &'a str },
    /// What a host keeps to tell whether a key is one of its own.
    KeyCheck,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    #[error("a key is {KEY_BYTES} bytes in Base64; make one with `openssl rand -base64 {KEY_BYTES}`")]
    BadKey,
    #[error("no key is given; name at least one")]
    NoKey,
    #[error("this is no sealed text; it should begin with `{VERSION}:` and the name of a key")]
    BadText,
    #[error(
        "this was sealed with key {missing}, which is not here ({present}); name that key too, after the first one"
    )]
    MissingKey { missing: KeyId, present: String },
    #[error("this does not open with key {0}: it was changed, or it was sealed for another place")]
    Refused(KeyId),
    #[error("the system gives no random numbers ({0}); nothing can be sealed")]
    NoDice(String),
}

impl Key {
    /// A key that nobody had before.
    pub fn generate() -> Result<Self, SealError> {
        let key = chacha20poly1305::Key::try_generate();
        Ok(Self::new(key.map_err(|error| SealError::NoDice(error.to_string()))?.into()))
    }

    fn new(bytes: [u8; KEY_BYTES]) -> Self {
        let id = KeyId::of(&bytes);
        Self { bytes: Zeroizing::new(bytes), id }
    }

    pub fn id(&self) -> &KeyId {
        &self.id
    }

    /// As a file of keys holds it; [`Self::from_str`] reads it back.
    pub fn to_text(&self) -> SecretString {
        BASE64_STANDARD.encode(self.bytes.as_slice()).into()
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&*self.bytes).into())
    }
}

impl FromStr for Key {
    type Err = SealError;

    fn from_str(text: &str) -> Result<Self, SealError> {
        let bytes = BASE64_STANDARD.decode(text.trim()).map_err(|_| SealError::BadKey)?;
        let bytes = Zeroizing::new(bytes);
        let mut array = <[u8; KEY_BYTES]>::try_from(bytes.as_slice()).map_err(|_| SealError::BadKey)?;
        let key = Self::new(array);
        array.zeroize();
        Ok(key)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.id)
    }
}

impl KeyId {
    fn of(key: &[u8; KEY_BYTES]) -> Self {
        let hash = Sha256::new().chain_update(b"sandbell key name\0").chain_update(key).finalize();
        let digits = hash.iter().take(NAME_DIGITS / 2).map(|byte| format!("{byte:02x}"));
        Self(digits.collect())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl SealPlace<'_> {
    /// What is bound to a sealed text without lying in it; parts are told apart by their lengths.
    fn bind(self, key: &KeyId) -> Vec<u8> {
        let parts: [&[u8]; 5] = match &self {
            Self::Option { tenant, channel, option } => {
                [b"option", tenant.as_bytes(), channel.as_bytes(), option.as_bytes(), key.0.as_bytes()]
            }
            Self::KeyCheck => [b"key check", b"", b"", b"", key.0.as_bytes()],
        };
        parts.iter().flat_map(|part| [&(part.len() as u64).to_be_bytes(), *part].concat()).collect()
    }
}

impl Keys {
    /// In the order in which they were named. A key that is named twice counts once.
    pub fn new(keys: impl IntoIterator<Item = Key>) -> Result<Self, SealError> {
        let mut keys = keys.into_iter();
        let first = keys.next().ok_or(SealError::NoKey)?;
        let mut all = Self { first, others: Vec::new() };
        for key in keys {
            if all.find(key.id.as_str()).is_none() {
                all.others.push(key);
            }
        }
        Ok(all)
    }

    /// The name of the key that seals.
    pub fn first(&self) -> &KeyId {
        &self.first.id
    }

    pub fn ids(&self) -> impl Iterator<Item = &KeyId> {
        std::iter::once(&self.first).chain(&self.others).map(Key::id)
    }

    /// A text like `v1:<key>:<base64>`; the same secret never gives the same text twice.
    pub fn seal(&self, place: SealPlace<'_>, secret: &SecretString) -> Result<String, SealError> {
        let Key { bytes: _, id } = &self.first;
        let nonce = XNonce::try_generate().map_err(|error| SealError::NoDice(error.to_string()))?;
        let payload = Payload { msg: secret.expose_secret().as_bytes(), aad: &place.bind(id) };
        let sealed = self.first.cipher().encrypt(&nonce, payload).expect("a secret is shorter than 256 GiB");
        let bytes = [nonce.as_slice(), &sealed].concat();
        Ok(format!("{VERSION}:{id}:{}", BASE64_STANDARD.encode(bytes)))
    }

    /// Gives back what [`Self::seal`] was given, if it was for this place and a key of it is here.
    pub fn open(&self, place: SealPlace<'_>, sealed: &str) -> Result<SecretString, SealError> {
        let (id, text) = parts(sealed)?;
        let key = self.find(id.as_str()).ok_or_else(|| SealError::MissingKey {
            missing: id.clone(),
            present: self.ids().map(KeyId::as_str).collect::<Vec<_>>().join(", "),
        })?;
        let bytes = BASE64_STANDARD.decode(text).map_err(|_| SealError::BadText)?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE_BYTES).ok_or(SealError::BadText)?;
        let nonce = XNonce::try_from(nonce).map_err(|_| SealError::BadText)?;
        let refused = || SealError::Refused(id.clone());
        let payload = Payload { msg: sealed, aad: &place.bind(&id) };
        let secret = Zeroizing::new(key.cipher().decrypt(&nonce, payload).map_err(|_| refused())?);
        Ok(std::str::from_utf8(&secret).map_err(|_| refused())?.into())
    }

    fn find(&self, id: &str) -> Option<&Key> {
        std::iter::once(&self.first).chain(&self.others).find(|key| key.id.as_str() == id)
    }
}

/// Which key a sealed text needs, without opening it.
pub fn key_of(sealed: &str) -> Result<KeyId, SealError> {
    parts(sealed).map(|(id, _)| id)
}

fn parts(sealed: &str) -> Result<(KeyId, &str), SealError> {
    let (id, text) = sealed
        .strip_prefix(VERSION)
        .and_then(|rest| rest.strip_prefix(':'))
        .and_then(|rest| rest.split_once(':'))
        .ok_or(SealError::BadText)?;
    let is_name = id.len() == NAME_DIGITS && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_name { Ok((KeyId(id.to_owned()), text)) } else { Err(SealError::BadText) }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    fn key(byte: u8) -> Key {
        Key::new([byte; KEY_BYTES])
    }

    fn keys(bytes: &[u8]) -> Keys {
        Keys::new(bytes.iter().map(|byte| key(*byte))).unwrap()
    }

    fn place(option: &str) -> SealPlace<'_> {
        SealPlace::Option { tenant: TenantId::local(), channel: ChannelId::of(&[b"ops"]), option }
    }

    fn opened(keys: &Keys, place: SealPlace<'_>, sealed: &str) -> Result<String, SealError> {
        keys.open(place, sealed).map(|secret| secret.expose_secret().to_owned())
    }

    #[test]
    fn a_secret_opens_in_its_place_and_in_no_other() {
        let keys = keys(&[1]);
        for secret in ["hunter2", "", "pässwörd\n\u{1f511}", &"x".repeat(70_000)] {
            let sealed = keys.seal(place("token"), &secret.into()).unwrap();
            assert_eq!(opened(&keys, place("token"), &sealed).as_deref(), Ok(secret));
            assert!(secret.is_empty() || !sealed.contains(secret));
        }
        let sealed = keys.seal(place("token"), &"hunter2".into()).unwrap();
        let (tenant, channel) = (TenantId::local(), ChannelId::of(&[b"ops"]));
        let others = [
            place("password"),
            place("toke"),
            SealPlace::Option { tenant: TenantId::of(&[b"other"]), channel, option: "token" },
            SealPlace::Option { tenant, channel: ChannelId::of(&[b"other"]), option: "token" },
            SealPlace::KeyCheck,
        ];
        for other in others {
            assert_eq!(opened(&keys, other, &sealed), Err(SealError::Refused(key(1).id().clone())));
        }
        let check = keys.seal(SealPlace::KeyCheck, &"ok".into()).unwrap();
        assert_eq!(opened(&keys, SealPlace::KeyCheck, &check).as_deref(), Ok("ok"));
        assert!(opened(&keys, place(""), &check).is_err());
    }

    #[test]
    fn the_same_secret_is_never_the_same_text() {
        let keys = keys(&[1]);
        let seal = || keys.seal(place("token"), &"hunter2".into()).unwrap();
        let mut texts: Vec<_> = (0..100).map(|_| seal()).collect();
        texts.sort();
        texts.dedup();
        assert_eq!(texts.len(), 100);
    }

    #[test]
    fn the_first_key_seals_and_all_of_them_open() {
        let old = keys(&[1]).seal(place("token"), &"hunter2".into()).unwrap();
        let both = keys(&[2, 1, 2]);
        assert_eq!(both.ids().count(), 2);
        assert_eq!(opened(&both, place("token"), &old).as_deref(), Ok("hunter2"));
        let new = both.seal(place("token"), &"hunter2".into()).unwrap();
        assert_eq!((key_of(&new), key_of(&old)), (Ok(key(2).id().clone()), Ok(key(1).id().clone())));
        assert_eq!(both.first(), key(2).id());
    }

    #[test]
    fn a_key_that_is_missing_is_named() {
        let sealed = keys(&[1]).seal(place("token"), &"hunter2".into()).unwrap();
        assert_snapshot!(opened(&keys(&[2, 3]), place("token"), &sealed).unwrap_err(), @"this was sealed with key 5f9c58f4cdc1d1c4, which is not here (3680820c16213d57, 31fc5bf36fb3568f); name that key too, after the first one");
        // Another key under the name of the one that is missing.
        let forged = sealed.replace(key(1).id().as_str(), key(2).id().as_str());
        assert_snapshot!(opened(&keys(&[2]), place("token"), &forged).unwrap_err(), @"this does not open with key 3680820c16213d57: it was changed, or it was sealed for another place");
    }

    #[test]
    fn a_changed_byte_is_refused() {
        let keys = keys(&[1]);
        let sealed = keys.seal(place("token"), &"hunter2".into()).unwrap();
        let (id, text) = parts(&sealed).unwrap();
        let bytes = BASE64_STANDARD.decode(text).unwrap();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            let changed = format!("v1:{id}:{}", BASE64_STANDARD.encode(changed));
            assert_eq!(opened(&keys, place("token"), &changed), Err(SealError::Refused(id.clone())), "{at}");
        }
        for length in 0..bytes.len() {
            let cut = format!("v1:{id}:{}", BASE64_STANDARD.encode(&bytes[..length]));
            assert!(opened(&keys, place("token"), &cut).is_err(), "{length}");
        }
    }

    #[test]
    fn what_is_no_sealed_text_is_refused() {
        let id = key(1).id().clone();
        let bad = ["", "hunter2", "v1", "v1:", "v1::", "v2:x:y", &format!("v1:{id}"), "v1:0123:AAAA"];
        for text in bad {
            assert_eq!(opened(&keys(&[1]), place("token"), text), Err(SealError::BadText), "{text}");
        }
        for text in ["", "A", "ä", "AAAA"] {
            let text = format!("v1:{id}:{text}");
            assert_eq!(opened(&keys(&[1]), place("token"), &text), Err(SealError::BadText), "{text}");
        }
    }

    #[test]
    fn keys_are_read_and_never_shown() {
        let text = key(7).to_text();
        let read: Key = format!("{}\n", text.expose_secret()).parse().unwrap();
        assert_eq!(read.id(), key(7).id());
        assert_snapshot!(format!("{:?}", keys(&[7])), @"Keys { first: Key(d844ee2679f438e1), others: [] }");
        for bad in ["", "hunter2", &BASE64_STANDARD.encode([1; 31]), &BASE64_STANDARD.encode([1; 33])] {
            assert_eq!(bad.parse::<Key>().err(), Some(SealError::BadKey));
        }
        assert_snapshot!(SealError::BadKey, @"a key is 32 bytes in Base64; make one with `openssl rand -base64 32`");
        assert!(Keys::new([]).is_err());
        assert_ne!(Key::generate().unwrap().id(), Key::generate().unwrap().id());
    }
}
