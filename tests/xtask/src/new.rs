//! `cargo xtask new`: a skeleton to start from, with a test that fails until it says something.

use std::{fs, path::Path};

use anyhow::{Context, Result, bail};
use clap::ValueEnum;

use crate::{house::House, run, say};

/// Start a channel: a folder that compiles, with a test that fails.
#[derive(clap::Args)]
pub(crate) struct New {
    kind: Kind,
    /// In lower case, with hyphens: `pushover`, `google-chat`
    name: String,
}

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    Channel,
    Door,
    Engine,
}

/// The files of a channel and their texts; `{name}` and `{Type}` stand for the channel's own.
const CHANNEL: [(&str, &str); 4] = [
    ("Cargo.toml", include_str!("new/channel/Cargo.toml.txt")),
    ("README.md", include_str!("new/channel/README.md.txt")),
    ("example.json", include_str!("new/channel/example.json.txt")),
    ("src/lib.rs", include_str!("new/channel/lib.rs.txt")),
];

impl New {
    pub(crate) fn run(&self, house: &House) -> Result<()> {
        check_name(&self.name)?;
        match self.kind {
            Kind::Channel => {
                write_channel(&house.root, &self.name)?;
                // The lock file gets the new package, so that `--locked` builds go on.
                run::output(house.cargo().args(["metadata", "--format-version=1"]))?;
                say::note(&format!(
                    "channels-wasm/{} is there; next: cargo test --package channel-{0}",
                    self.name
                ));
                Ok(())
            }
            Kind::Door => bail!(
                "there is no skeleton for a door yet: `icinga` is the only one; start from host/server/src/doors/icinga"
            ),
            Kind::Engine => bail!(
                "there is no skeleton for an engine yet: SQLite is the only one; start from host/store/src/sqlite and conformance"
            ),
        }
    }
}

fn check_name(name: &str) -> Result<()> {
    let is_good = name.starts_with(|sign: char| sign.is_ascii_lowercase())
        && !name.ends_with('-')
        && name.chars().all(|sign| sign.is_ascii_lowercase() || sign.is_ascii_digit() || sign == '-');
    if is_good {
        Ok(())
    } else {
        bail!("`{name}` is no name for it; write lower case letters, digits and hyphens, like `google-chat`")
    }
}

fn write_channel(root: &Path, name: &str) -> Result<()> {
    let folder = root.join("channels-wasm").join(name);
    if folder.exists() {
        bail!("channels-wasm/{name} is there already");
    }
    for (path, text) in CHANNEL {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().context("a file stands in a folder")?)?;
        fs::write(path, text.replace("{name}", name).replace("{Type}", &type_name(name)))?;
    }
    Ok(())
}

/// `google-chat` becomes `GoogleChat`.
fn type_name(name: &str) -> String {
    let capital = |word: &str| {
        let (first, rest) = word.split_at(usize::from(!word.is_empty()));
        first.to_ascii_uppercase() + rest
    };
    name.split('-').map(capital).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use insta::assert_snapshot;

    use super::{check_name, type_name, write_channel};
    use crate::files::tree;

    #[test]
    fn a_channel_is_four_files() {
        let tree = tree(&[]);
        write_channel(tree.path(), "google-chat").unwrap();
        let folder = tree.path().join("channels-wasm/google-chat");
        let manifest: toml::Table = fs::read_to_string(folder.join("Cargo.toml")).unwrap().parse().unwrap();
        assert_eq!(manifest["package"]["name"].as_str(), Some("channel-google-chat"));
        let code = fs::read_to_string(folder.join("src/lib.rs")).unwrap();
        syn::parse_file(&code).unwrap();
        assert!(code.contains("export!(GoogleChat);"), "{code}");
        let example = fs::read_to_string(folder.join("example.json")).unwrap();
        assert!(serde_json::from_str::<serde_json::Value>(&example).unwrap().is_object());
        assert!(fs::read_to_string(folder.join("README.md")).unwrap().starts_with("# google-chat\n"));
        assert_snapshot!(
            write_channel(tree.path(), "google-chat").unwrap_err(),
            @"channels-wasm/google-chat is there already"
        );
    }

    #[test]
    fn a_name_is_checked() {
        for good in ["slack", "google-chat", "ms365"] {
            check_name(good).unwrap();
        }
        for bad in ["", "Slack", "../up", "3com", "a_b", "a-"] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
        assert_snapshot!(
            check_name("Slack").unwrap_err(),
            @"`Slack` is no name for it; write lower case letters, digits and hyphens, like `google-chat`"
        );
    }

    #[test]
    fn a_type_is_named_after_the_channel() {
        assert_eq!(type_name("google-chat"), "GoogleChat");
        assert_eq!(type_name("ms365"), "Ms365");
    }
}
