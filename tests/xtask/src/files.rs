//! The files of the repository, as `layers` and `tidy` read them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

/// Folders that hold what was made from the files, or is not ours.
const NOT_OURS: [&str; 4] = ["target", ".git", "dist", "node_modules"];

/// A text file and where it stands below the root.
pub(crate) struct Source {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

/// The files below `folder` whose names end in one of `endings`, in order of their paths.
///
/// A missing folder has no files.
pub(crate) fn read(root: &Path, folder: &str, endings: &[&str]) -> Result<Vec<Source>> {
    let mut paths = Vec::new();
    collect(&root.join(folder), &mut paths)?;
    paths.retain(|path| endings.iter().any(|ending| path.to_string_lossy().ends_with(ending)));
    paths.sort();
    let source = |path: PathBuf| {
        let text =
            fs::read_to_string(&path).with_context(|| format!("{} is not readable text", path.display()))?;
        let path = path.strip_prefix(root).unwrap_or(&path).to_owned();
        Ok(Source { path, text })
    };
    paths.into_iter().map(source).collect()
}

/// The folders that a member pattern of a workspace means: itself, or for `a/*` everything with a manifest in `a`.
pub(crate) fn members(root: &Path, pattern: &str) -> Result<Vec<String>> {
    let Some(parent) = pattern.strip_suffix("*") else {
        return Ok(vec![pattern.to_owned()]);
    };
    let mut found = Vec::new();
    for entry in fs::read_dir(root.join(parent)).with_context(|| format!("{parent} is missing"))? {
        let entry = entry?;
        if entry.path().join("Cargo.toml").is_file() {
            found.push(format!("{parent}{}", entry.file_name().to_string_lossy()));
        }
    }
    found.sort();
    Ok(found)
}

/// A tree that a test writes, file by file.
#[cfg(test)]
pub(crate) fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) -> Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() && !NOT_OURS.iter().any(|name| entry.file_name() == *name) {
            collect(&entry.path(), paths)?;
        } else if kind.is_file() {
            paths.push(entry.path());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{members, read, tree};

    #[test]
    fn only_our_files_are_read() {
        let tree = tree(&[("b/x.rs", "//!"), ("a.rs", "//!"), ("a.md", ""), ("b/target/y.rs", "")]);
        let paths: Vec<String> = read(tree.path(), "", &[".rs"])
            .unwrap()
            .iter()
            .map(|file| file.path.display().to_string())
            .collect();
        assert_eq!(paths, ["a.rs", "b/x.rs"]);
        assert!(read(tree.path(), "no-such-folder", &[".rs"]).unwrap().is_empty());
    }

    #[test]
    fn a_pattern_means_every_folder_with_a_manifest() {
        let tree = tree(&[("c/b/Cargo.toml", ""), ("c/a/Cargo.toml", ""), ("c/README.md", "")]);
        assert_eq!(members(tree.path(), "c/*").unwrap(), ["c/a", "c/b"]);
        assert_eq!(members(tree.path(), "host/domain").unwrap(), ["host/domain"]);
    }
}
