//! `cargo xtask dist`: the Debian package, and the proof that it installs, starts, stops and goes.

mod chroot; // a Debian of its own to try it in

use std::{fs, path::PathBuf, process::Command};

use anyhow::{Context, Result, bail};

use crate::{channels::Channels, codegen::Codegen, house::House, run, say, tools};

/// What a package must hold: the ends of paths, because the root of the unit differs from one Debian to the next.
const CONTENTS: [&str; 12] = [
    "./usr/bin/sandbell",
    "./etc/sandbell/sandbell.toml",
    "lib/systemd/system/sandbell.service",
    "./usr/lib/sysusers.d/sandbell.conf",
    "./usr/lib/tmpfiles.d/sandbell.conf",
    "./usr/lib/sandbell/channels/slack.wasm",
    "./usr/share/man/man1/sandbell.1.gz",
    "./usr/share/bash-completion/completions/sandbell",
    "./usr/share/zsh/vendor-completions/_sandbell",
    "./usr/share/fish/vendor_completions.d/sandbell.fish",
    "./usr/share/doc/sandbell/examples/prometheus/alerts.yml",
    "./usr/share/doc/sandbell/examples/grafana/sandbell.json",
];

/// Build the Debian package, and try it in a Debian of its own
#[derive(clap::Args)]
pub(crate) struct Dist {
    /// Pack the program as the tests built it, to try the package and not to give it away
    #[arg(long)]
    quick: bool,
    /// Only build it
    #[arg(long)]
    no_try: bool,
}

impl Dist {
    pub(crate) fn run(&self, house: &House) -> Result<()> {
        let cargo_deb = tools::CARGO_DEB.ensure(house)?;
        Codegen { check: false }.run(house)?;
        Channels { check_imports: false }.run(house)?;
        ship_channels(house)?;
        if !self.quick {
            say::step("builds the program as it is given away");
            run::run(house.cargo().args(["build", "--locked", "--package=sandbell", "--release"]))?;
        }
        let profile = if self.quick { "dev" } else { "release" };
        let deb = pack(house, &cargo_deb, profile)?;
        check_contents(&deb)?;
        if self.no_try {
            return Ok(());
        }
        chroot::try_out(house, &deb)
    }
}

/// Beside the man pages: what is packed lies in `dist`, wherever it was built.
fn ship_channels(house: &House) -> Result<()> {
    let dist = house.root.join("dist/channels");
    fs::create_dir_all(&dist)?;
    for entry in fs::read_dir(house.target.join("channels"))? {
        let entry = entry?;
        fs::copy(entry.path(), dist.join(entry.file_name()))?;
    }
    Ok(())
}

fn pack(house: &House, cargo_deb: &PathBuf, profile: &str) -> Result<PathBuf> {
    say::step("packs it");
    let folder = house.target.join("debian");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    let mut deb = house.command(cargo_deb);
    deb.args(["deb", "--package=sandbell", "--no-build", "--locked", "--profile", profile, "--output"])
        .arg(&folder);
    deb.env("CARGO_TARGET_DIR", &house.target);
    run::run(&mut deb)?;
    let mut made = fs::read_dir(&folder)?.filter_map(|entry| Some(entry.ok()?.path()));
    made.find(|path| path.extension().is_some_and(|extension| extension == "deb"))
        .context("cargo deb made no package")
}

fn check_contents(deb: &PathBuf) -> Result<()> {
    let list = run::output(Command::new("dpkg-deb").arg("--contents").arg(deb))?;
    let missing = missing(&list);
    if !missing.is_empty() {
        bail!("the package lacks {}", missing.join(", "));
    }
    let bytes = fs::metadata(deb)?.len();
    say::note(&format!("{} ({} KiB) holds all that it must", deb.display(), bytes.div_ceil(1024)));
    Ok(())
}

fn missing(list: &str) -> Vec<&'static str> {
    let paths: Vec<&str> = list.lines().filter_map(|line| line.split_whitespace().nth(5)).collect();
    CONTENTS.into_iter().filter(|path| !paths.iter().any(|packed| packed.ends_with(path))).collect()
}

#[cfg(test)]
mod tests {
    use super::{CONTENTS, missing};

    #[test]
    fn what_is_not_packed_is_missed() {
        let line = |path: &str| format!("-rwxr-xr-x root/root   1 2026-11-24 18:00 {path}");
        let all = CONTENTS.map(line).join("\n");
        assert!(missing(&all).is_empty());
        let without_unit = CONTENTS.iter().filter(|path| !path.ends_with(".service")).map(|path| line(path));
        let list = without_unit.collect::<Vec<_>>().join("\n");
        assert_eq!(missing(&list), ["lib/systemd/system/sandbell.service"]);
    }
}
