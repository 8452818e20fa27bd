//! What a `Cargo.toml` depends on, in whichever of its tables.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use toml::{Table, Value};

const KINDS: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];

/// The packages that the manifest at `path` depends on, under their own names.
///
/// A dependency that the workspace describes is looked up in `workspace`, the root's manifest.
pub(super) fn dependencies(path: &Path, workspace: &Table) -> Result<Vec<String>> {
    let manifest = read(path)?;
    let shared = workspace.get("workspace").and_then(|it| it.get("dependencies")).and_then(Value::as_table);
    let mut names = Vec::new();
    let mut add = |table: &Table| {
        for kind in KINDS {
            let entries = table.get(kind).and_then(Value::as_table);
            for (key, value) in entries.into_iter().flatten() {
                let renamed = value.get("package").or_else(|| shared?.get(key)?.get("package"));
                names.push(renamed.and_then(Value::as_str).unwrap_or(key).to_owned());
            }
        }
    };
    add(&manifest);
    let targets = manifest.get("target").and_then(Value::as_table);
    targets.into_iter().flat_map(Table::values).filter_map(Value::as_table).for_each(add);
    names.sort();
    names.dedup();
    Ok(names)
}

/// The member patterns of the workspace.
pub(super) fn members(workspace: &Table) -> Vec<String> {
    let list = workspace.get("workspace").and_then(|it| it.get("members")).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

pub(super) fn read(path: &Path) -> Result<Table> {
    let text = fs::read_to_string(path).with_context(|| format!("{} is missing", path.display()))?;
    text.parse().with_context(|| format!("{} is not TOML", path.display()))
}

#[cfg(test)]
mod tests {
    use indoc::indoc;

    use super::{dependencies, members, read};
    use crate::files::tree;

    #[test]
    fn no_table_hides_a_dependency() {
        let tree = tree(&[
            (
                "Cargo.toml",
                "[workspace]\nmembers = [\"a\"]\n[workspace.dependencies]\nnet = { package = \"reqwest\", version = \"1\" }",
            ),
            (
                "a/Cargo.toml",
                indoc! {r#"
                    [dependencies]
                    net.workspace = true
                    [dev-dependencies]
                    tokio = "1"
                    [build-dependencies]
                    engine = { package = "wasmtime", version = "1" }
                    [target.'cfg(unix)'.dependencies]
                    rustix = "1"
                "#},
            ),
        ]);
        let workspace = read(&tree.path().join("Cargo.toml")).unwrap();
        assert_eq!(members(&workspace), ["a"]);
        assert_eq!(
            dependencies(&tree.path().join("a/Cargo.toml"), &workspace).unwrap(),
            ["reqwest", "rustix", "tokio", "wasmtime"]
        );
    }
}
