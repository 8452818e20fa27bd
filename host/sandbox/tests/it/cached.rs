//! The cache from outside: what it saves, and that nothing in it is believed.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use sandbell_sandbox::{InspectError, Settings};

use crate::guest::Guest;
use crate::rig::{sandbox_with, settings};

async fn load(dir: &Path, compiler: Option<&str>) -> Result<(), InspectError> {
    let mut settings = Settings { cache_dir: Some(dir.to_owned()), ..settings() };
    if let Some(compiler) = compiler {
        settings.compiler = PathBuf::from(compiler);
    }
    sandbox_with(settings).load(&Guest::default().build()).await.map(drop)
}

const NO_COMPILER: Option<&str> = Some("/nonexistent/sandbell");

#[tokio::test]
async fn a_plugin_is_compiled_once() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("cache");
    let refused = load(&dir, NO_COMPILER).await.unwrap_err();
    insta::assert_snapshot!(refused, @"the compiler `/nonexistent/sandbell` cannot be started: No such file or directory (os error 2); it must be this program itself");
    load(&dir, None).await.unwrap();
    load(&dir, NO_COMPILER).await.unwrap();
}

#[tokio::test]
async fn a_changed_entry_is_compiled_anew() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("cache");
    load(&dir, None).await.unwrap();
    let mut entries = std::fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().path());
    let entry = entries.find(|path| path.extension().is_some_and(|kind| kind == "artefact")).unwrap();
    let mut bytes = std::fs::read(&entry).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&entry, &bytes).unwrap();
    assert!(load(&dir, NO_COMPILER).await.is_err());
    load(&dir, None).await.unwrap();
    load(&dir, NO_COMPILER).await.unwrap();
}

#[tokio::test]
async fn without_a_private_directory_there_is_no_cache_but_a_sandbox() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("cache");
    load(&dir, None).await.unwrap();
    std::fs::set_permissions(&dir, std::fs::Permissions::from_mode(0o777)).unwrap();
    load(&dir, None).await.unwrap();
    assert!(load(&dir, NO_COMPILER).await.is_err());
}
