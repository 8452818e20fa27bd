//! `cargo xtask tidy`: what a reader may count on in every file.

use std::path::Path;

use anyhow::Result;

mod contract; // a released contract stays as it was released
mod links; // links between our pages lead somewhere
mod rust; // how long a file and a function may be
mod text; // whitespace and loose ends

use crate::{
    files,
    house::House,
    offence::{self, Offence},
    say,
};

/// Check sizes, first lines, loose ends, links and the released contract.
#[derive(clap::Args)]
pub(crate) struct Tidy {}

impl Tidy {
    #[expect(clippy::unused_self, reason = "every verb is called alike")]
    pub(crate) fn run(&self, house: &House) -> Result<()> {
        say::step("looks for loose ends");
        offence::report("tidy", &offences(&house.root)?)
    }
}

/// Everything in the tree that is not as a reader may expect it.
fn offences(root: &Path) -> Result<Vec<Offence>> {
    let mut offences = Vec::new();
    for source in files::read(root, "", &[".rs", ".toml", ".md", ".wit", ".ci/run", ".editorconfig"])? {
        if source.path.starts_with("tests/fixtures") {
            continue; // other people's words, kept as they came
        }
        offences.extend(text::offences(&source));
        match source.path.extension().and_then(|ending| ending.to_str()) {
            Some("rs") => offences.extend(rust::offences(&source)),
            Some("md") => offences.extend(links::offences(root, &source)),
            Some(_) | None => {}
        }
    }
    offences.extend(contract::offences(root)?);
    Ok(offences)
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::offences;
    use crate::{files::tree, offence::listed};

    #[test]
    fn a_tree_is_read_as_a_whole() {
        let tree = tree(&[
            ("host/a.rs", "fn f() {} \n"),
            ("README.md", "[the plan](PLAN.md)\n"),
            ("wit/channel.wit", "package sandbell:channel@0.1.0;\n"),
            ("wit/golden/0.1.0.wit", "package sandbell:channel@0.1.0;\n\n"),
            ("tests/fixtures/quay/x.md", "left as it came \n"),
            ("target/a.rs", "made, not written "),
        ]);
        assert_snapshot!(listed(&offences(tree.path()).unwrap()), @r"
        README.md:1: links to `PLAN.md`, which is not there
        host/a.rs:1: ends in whitespace
        host/a.rs: does not open with `//!`; say in one sentence what the file is for
        wit/golden/0.1.0.wit: ends in empty lines
        wit/channel.wit: 0.1.0 is released, and this is not what was released (wit/golden/0.1.0.wit); a change is a new version
        ");
    }
}
