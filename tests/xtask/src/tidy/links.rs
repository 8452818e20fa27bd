//! Links between our own pages: the file is there, and so is the heading.

use std::{fs, path::Path};

use crate::{files::Source, offence::Offence};

pub(super) fn offences(root: &Path, page: &Source) -> Vec<Offence> {
    let mut offences = Vec::new();
    for (line, target) in links(&page.text) {
        let (file, heading) = target.split_once('#').unwrap_or((target, ""));
        let path = match file.strip_prefix('/') {
            Some(from_root) => root.join(from_root),
            None if file.is_empty() => root.join(&page.path),
            None => root.join(&page.path).with_file_name("").join(file),
        };
        if !path.exists() {
            offences.push(Offence::at(&page.path, line, format!("links to `{target}`, which is not there")));
        } else if !heading.is_empty() && !has_heading(&path, heading) {
            offences.push(Offence::at(
                &page.path,
                line,
                format!("links to `{target}`, but there is no such heading"),
            ));
        }
    }
    offences
}

/// The links of a page that stay in the repository, with their lines; code is left out.
fn links(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut in_code = false;
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        if in_code {
            continue;
        }
        for after in line.split("](").skip(1) {
            let target = after.split([')', ' ']).next().unwrap_or_default();
            if !target.contains("://") && !target.starts_with("mailto:") {
                found.push((index + 1, target));
            }
        }
    }
    found
}

fn has_heading(path: &Path, wanted: &str) -> bool {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().filter(|line| line.starts_with('#')).any(|line| anchor(line) == wanted)
}

/// A heading as it stands in a link: lower case, hyphens for spaces, no other signs.
fn anchor(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    text.chars()
        .filter_map(|sign| match sign {
            ' ' => Some('-'),
            '-' | '_' => Some(sign),
            _ => sign.is_alphanumeric().then_some(sign),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{anchor, offences};
    use crate::{
        files::{Source, tree},
        offence::listed,
    };

    fn check(text: &str, want: &str) {
        let tree = tree(&[("docs/a.md", text), ("docs/b.md", "# One way\n"), ("LICENSE", "")]);
        let page = Source { path: "docs/a.md".into(), text: text.to_owned() };
        assert_eq!(listed(&offences(tree.path(), &page)), want);
    }

    #[test]
    fn links_lead_somewhere() {
        check("[b](b.md), [one](b.md#one-way), [ours](../LICENSE), [theirs](https://example.com/x)\n", "");
        check(
            "# Here\n[here](#here) ![picture](c.png)\n",
            "docs/a.md:2: links to `c.png`, which is not there",
        );
        check("[two](b.md#two)\n", "docs/a.md:1: links to `b.md#two`, but there is no such heading");
        check(
            "[root](/LICENSE \"title\") [no](/b.md)\n",
            "docs/a.md:1: links to `/b.md`, which is not there",
        );
    }

    #[test]
    fn code_has_no_links() {
        check("```rust\nlet x = f[1](c.png);\n```\n", "");
    }

    #[test]
    fn headings_become_anchors() {
        assert_eq!(anchor("## What `it` does, in short"), "what-it-does-in-short");
    }
}
