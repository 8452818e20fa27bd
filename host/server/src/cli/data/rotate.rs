//! `sandbell secret rotate-key`: a new key, and everything sealed with it.
//!
//! The new key is in the file before anything is sealed with it, and the old one leaves after everything is: whenever this
//! is broken off, every secret opens, and it can be run again.

use std::fs;
use std::io::Write as _;
use std::num::NonZeroUsize;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use sandbell_store::{Catalog as _, Key, Keys, SealPlace, SealedPlace};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use super::super::exit::Exit;
use super::super::problem::Problem;
use super::super::run::{Context, Done};
use super::local::runtime;
use super::{Local, RotateKey};
use crate::store::Store;
use crate::vault::{KeyOrigin, Vault};

/// Secrets that are sealed anew between two looks at the store.
const STEP: NonZeroUsize = NonZeroUsize::MIN.saturating_add(255);

pub(in crate::cli) fn run(context: &Context, args: &RotateKey) -> Done {
    let local = Local::open(context, &args.settings)?;
    let _lock = local.lock()?;
    let store = local.store()?;
    let runtime = runtime()?;
    let (vault, origin) = local.vault()?;
    runtime.block_on(vault.check(&store))?;
    let made = match &origin {
        KeyOrigin::File(path) | KeyOrigin::Made(path) if is_own(&local, path) => {
            prepend(path)?;
            Some(path.clone())
        }
        KeyOrigin::File(_) | KeyOrigin::Made(_) | KeyOrigin::Environment => None,
    };
    let (vault, _) = local.vault()?;
    let count = runtime.block_on(reseal(&store, &vault))?;
    let first = vault.keys().first().to_string();
    if let Some(path) = made.as_deref().filter(|_| args.drop_old) {
        keep_first(path)?;
    }
    context.output.result(
        || {
            let secrets = if count == 1 { "1 secret is".to_owned() } else { format!("{count} secrets are") };
            match &made {
                Some(path) => {
                    format!("{secrets} sealed with the new key {first}, the first in {}\n", path.display())
                }
                None => format!("{secrets} sealed with the first key, {first}\n"),
            }
        },
        || json!({ "key": first, "resealed": count, "file": made }),
    );
    Ok(Exit::Ok)
}

/// A file that the host's own user keeps; a credential is systemd's.
fn is_own(local: &Local, path: &Path) -> bool {
    local.key_sources().credentials_dir.is_none_or(|dir| !path.starts_with(dir))
}

/// Writes a new key in front of the others.
fn prepend(path: &Path) -> Result<(), Problem> {
    let failed = |error: std::io::Error| Problem::file(path, "write", &error);
    let key = Key::generate().map_err(|error| {
        Problem::new(Exit::Failed, "key", "no key can be made").because(error.to_string())
    })?;
    let old = SecretString::from(fs::read_to_string(path).map_err(failed)?);
    let new = format!("{}\n{}", key.to_text().expose_secret(), old.expose_secret());
    replace(path, &SecretString::from(new)).map_err(failed)
}

/// Leaves only the first key.
fn keep_first(path: &Path) -> Result<(), Problem> {
    let failed = |error: std::io::Error| Problem::file(path, "write", &error);
    let all = SecretString::from(fs::read_to_string(path).map_err(failed)?);
    let is_key = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    let first = all.expose_secret().lines().find(is_key).unwrap_or_default();
    replace(path, &SecretString::from(format!("{first}\n"))).map_err(failed)
}

/// The whole new file or the whole old one, and readable by nobody else at any time.
fn replace(path: &Path, text: &SecretString) -> std::io::Result<()> {
    let new = path.with_extension("key.new");
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    file.write_all(text.expose_secret().as_bytes())?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    fs::File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
}

/// Seals everything that another key sealed; gives how much that was.
async fn reseal(store: &Store, vault: &Vault) -> Result<u64, Problem> {
    let keys = vault.keys();
    let mut count = 0;
    let mut after = 0;
    loop {
        let places = store.sealed(after, STEP).await?;
        let Some(last) = places.last() else { break };
        after = last.place;
        for SealedPlace { place, tenant, channel, option, sealed } in places {
            if is_first(keys, &sealed) {
                continue;
            }
            let at = SealPlace::Option { tenant, channel, option: &option };
            let bad = |error: sandbell_store::seal::SealError| {
                Problem::new(
                    Exit::Failed,
                    "sealed",
                    format!("the secret `{option}` of {channel} cannot be sealed anew"),
                )
                .because(error.to_string())
            };
            let anew = keys.open(at, &sealed).and_then(|secret| keys.seal(at, &secret)).map_err(bad)?;
            if store.reseal(place, sealed, anew).await? {
                count += 1;
            }
        }
    }
    let check = keys.seal(SealPlace::KeyCheck, &SecretString::from("sandbell"));
    let check = check.map_err(|error| Problem::new(Exit::Failed, "sealed", error.to_string()))?;
    store.set_key_check(check).await?;
    Ok(count)
}

fn is_first(keys: &Keys, sealed: &str) -> bool {
    sandbell_store::seal::key_of(sealed).is_ok_and(|id| id == *keys.first())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_key_stands_before_the_old_ones_until_they_are_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sandbell.key");
        fs::write(&path, "# mine\nold\n").unwrap();
        prepend(&path).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        let [new, comment, old] = text.lines().collect::<Vec<_>>()[..] else { panic!("{text}") };
        assert!(new.parse::<Key>().is_ok());
        assert_eq!((comment, old), ("# mine", "old"));
        keep_first(&path).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("{new}\n"));
        let mode = std::os::unix::fs::MetadataExt::mode(&fs::metadata(&path).unwrap());
        assert_eq!(mode & 0o777, 0o600);
    }
}
