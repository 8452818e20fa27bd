//! The contract: what was released stays, byte for byte, and what is not yet released does not move unseen.
//!
//! `wit/golden/0.1.0.wit` is the text of a released version, as it was released. `wit/golden/next.wit` is the resolved text
//! of `wit/`, without comments: what a component is compared with. The second one is compared in a test, because resolving
//! needs more than `cargo xtask` should be made of.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use crate::{files, offence::Offence};

const CURRENT: &str = "wit/channel.wit";
const GOLDEN: &str = "wit/golden";
const NEXT: &str = "next.wit";

/// Released versions whose text has moved.
pub(super) fn offences(root: &Path) -> Result<Vec<Offence>> {
    let Ok(current) = fs::read_to_string(root.join(CURRENT)) else {
        return Ok(vec![Offence::of(Path::new(CURRENT), "is missing; it is the contract")]);
    };
    let Some(version) = version(&current) else {
        return Ok(vec![Offence::of(
            Path::new(CURRENT),
            "names no version; write `package sandbell:channel@0.1.0;`",
        )]);
    };
    let mut offences = Vec::new();
    for released in files::read(root, GOLDEN, &[".wit"])? {
        let name = released.path.file_stem().context("a golden has a name")?.to_string_lossy();
        if released.path.ends_with(NEXT) {
            continue;
        }
        // The newest is the contract itself; older ones stand in folders of their own.
        let living = if name == version {
            PathBuf::from(CURRENT)
        } else {
            Path::new("wit").join(&*name).join("channel.wit")
        };
        if !matches!(fs::read_to_string(root.join(&living)), Ok(text) if text == released.text) {
            let what = format!(
                "{name} is released, and this is not what was released ({}); a change is a new version",
                released.path.display()
            );
            offences.push(Offence::of(&living, what));
        }
    }
    Ok(offences)
}

/// `0.1.0` of `package sandbell:channel@0.1.0;`.
fn version(text: &str) -> Option<&str> {
    let line = text.lines().find_map(|line| line.strip_prefix("package sandbell:channel@"))?;
    line.strip_suffix(';')
}

#[cfg(test)]
mod tests {
    use std::fs;

    use insta::assert_snapshot;
    use wit_component::WitPrinter;
    use wit_parser::Resolve;

    use super::{GOLDEN, NEXT, offences, version};
    use crate::{files::tree, house::House, offence::listed};

    const V1: &str = "package sandbell:channel@0.1.0;\n";
    const V2: &str = "package sandbell:channel@0.2.0;\n";

    fn check(files: &[(&str, &str)]) -> String {
        listed(&offences(tree(files).path()).unwrap())
    }

    #[test]
    fn a_released_contract_stays() {
        assert_eq!(check(&[("wit/channel.wit", V1)]), "");
        assert_eq!(
            check(&[("wit/channel.wit", V1), ("wit/golden/0.1.0.wit", V1), ("wit/golden/next.wit", "")]),
            ""
        );
        assert_eq!(
            check(&[("wit/channel.wit", V2), ("wit/0.1.0/channel.wit", V1), ("wit/golden/0.1.0.wit", V1)]),
            ""
        );
    }

    #[test]
    fn a_released_contract_that_moved_is_caught() {
        let changed = format!("{V1}// one more word\n");
        assert_snapshot!(
            check(&[("wit/channel.wit", &changed), ("wit/golden/0.1.0.wit", V1)]),
            @"wit/channel.wit: 0.1.0 is released, and this is not what was released (wit/golden/0.1.0.wit); a change is a new version"
        );
        assert_snapshot!(
            check(&[("wit/channel.wit", V2), ("wit/golden/0.1.0.wit", V1)]),
            @"wit/0.1.0/channel.wit: 0.1.0 is released, and this is not what was released (wit/golden/0.1.0.wit); a change is a new version"
        );
        assert_snapshot!(check(&[]), @"wit/channel.wit: is missing; it is the contract");
        assert_snapshot!(
            check(&[("wit/channel.wit", "package sandbell:channel;\n")]),
            @"wit/channel.wit: names no version; write `package sandbell:channel@0.1.0;`"
        );
    }

    #[test]
    fn a_version_is_read() {
        assert_eq!(version("/// What for.\npackage sandbell:channel@0.1.0;\n"), Some("0.1.0"));
    }

    /// What a component is compared with is what it was. If the change is meant, copy the file that this test writes.
    #[test]
    fn the_contract_resolves_to_its_golden() {
        let house = House::find().unwrap();
        let mut resolve = Resolve::default();
        let (package, _) = resolve.push_dir(house.root.join("wit")).unwrap();
        let mut printer = WitPrinter::default();
        printer.emit_docs(false);
        printer.print(&resolve, package, &[]).unwrap();
        let resolved = printer.output.to_string();
        let golden = house.root.join(GOLDEN).join(NEXT);
        if fs::read_to_string(&golden).unwrap_or_default() != resolved {
            let new = house.target.join(NEXT);
            fs::write(&new, resolved).unwrap();
            panic!("the contract has changed; if it is meant: cp {} {}", new.display(), golden.display());
        }
    }
}
