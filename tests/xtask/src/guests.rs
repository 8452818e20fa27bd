//! `cargo xtask guests`: builds the hostile components that the tests run.
//!
//! They are a workspace of their own: what they do is wrong on purpose, and neither lints nor layers apply to them.

use std::{fs, path::Path};

use anyhow::{Context, Result};

use crate::{
    house::{GUEST_TARGET, House},
    run, say, tools,
};

const FOLDER: &str = "tests/guests";
pub(crate) const MANIFEST: &str = "tests/guests/Cargo.toml";

/// Build the hostile components into `target/guests`.
#[derive(clap::Args)]
pub(crate) struct Guests {}

impl Guests {
    #[expect(clippy::unused_self, reason = "every verb is called alike")]
    pub(crate) fn run(&self, house: &House) -> Result<()> {
        if !are_there(house) {
            say::note(&format!("there are no guests to build: {MANIFEST} is missing"));
            return Ok(());
        }
        tools::ensure_guest_target()?;
        say::step(&format!("builds the hostile guests for {GUEST_TARGET}"));
        let build = house.target.join("guests-build");
        let mut cargo = house.cargo();
        cargo.args(["build", "--locked", "--workspace", "--profile=channel", "--target", GUEST_TARGET]);
        run::run(cargo.args(["--manifest-path", MANIFEST, "--target-dir"]).arg(&build))?;
        let count = collect(&build.join(GUEST_TARGET).join("channel"), &house.target.join("guests"))?;
        say::note(&format!("{count} guests in {}", house.target.join("guests").display()));
        Ok(())
    }
}

/// True when this tree has guests.
pub(crate) fn are_there(house: &House) -> bool {
    house.root.join(FOLDER).join("Cargo.toml").is_file()
}

/// `guest_log_flood.wasm` is known as `log-flood.wasm`. Guests that are gone from the tree are gone here too.
fn collect(made: &Path, folder: &Path) -> Result<usize> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder)?;
    let mut count = 0;
    for entry in fs::read_dir(made).with_context(|| format!("{} was not built", made.display()))? {
        let path = entry?.path();
        if path.extension().is_none_or(|ending| ending != "wasm") {
            continue;
        }
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        fs::copy(&path, folder.join(name.trim_start_matches("guest_").replace('_', "-")))?;
        count += 1;
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::collect;
    use crate::files::tree;

    #[test]
    fn guests_get_their_short_names() {
        let tree = tree(&[
            ("made/guest_log_flood.wasm", "x"),
            ("made/guest_exits.d", "x"),
            ("guests/gone.wasm", "x"),
        ]);
        assert_eq!(collect(&tree.path().join("made"), &tree.path().join("guests")).unwrap(), 1);
        assert!(tree.path().join("guests/log-flood.wasm").is_file());
        assert!(!tree.path().join("guests/gone.wasm").exists());
        assert!(collect(&tree.path().join("nothing"), &tree.path().join("guests")).is_err());
    }
}
