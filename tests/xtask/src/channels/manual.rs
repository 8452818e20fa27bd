//! `docs/channels.md`: what every channel says about itself, an example, and what arrives.

use std::fmt::Write as _;

use super::inspected::{ConfigOption, Inspected, Want};

/// One chapter.
pub(crate) struct Chapter {
    /// The folder's name, e.g. `rocketchat`.
    pub(crate) folder: String,
    /// One sentence, from the manifest.
    pub(crate) description: String,
    pub(crate) inspected: Inspected,
    /// The example configuration, as it stands in the folder.
    pub(crate) example: String,
    /// What a dry run with it would send.
    pub(crate) picture: String,
}

const HEAD: &str = "\
# Channels

What each channel says about itself, written by `cargo xtask codegen` from the components. The README in a channel's folder has the rest:
what its options do together, addresses, limits, and what becomes of each answer.

An example is a file for `sandbell send --config`; below it stands what goes out for one notification of Icinga (`db1!disk` is critical, the
contact is Jane Doe), as `--dry-run` shows it: secrets are masked, and the bodies are spread out for reading.
";

/// The whole page.
pub(crate) fn page(chapters: &[Chapter]) -> String {
    let mut page = String::from(HEAD);
    page.push_str("\n| channel | is called | sends through | addresses |\n| --- | --- | --- | --- |\n");
    for Chapter { folder, inspected, .. } in chapters {
        let (imports, addresses) = (inspected.imports.join(", "), inspected.address_types.join(", "));
        // Writing to a String cannot fail.
        let _ =
            writeln!(page, "| [{folder}](#{folder}) | {} | {imports} | {addresses} |", cell(&inspected.name));
    }
    page.extend(chapters.iter().map(text));
    page
}

fn text(chapter: &Chapter) -> String {
    let Chapter { folder, description, inspected, example, picture } = chapter;
    let mut text =
        format!("\n## {folder}\n\n{}. [README](../channels-wasm/{folder}/README.md)\n", description.trim());
    text.push_str("\n| option | type | required | default | |\n| --- | --- | --- | --- | --- |\n");
    text.extend(inspected.options.iter().map(option_row));
    text.push_str("\n| asks for | target | why |\n| --- | --- | --- |\n");
    for Want { capability, target, reason } in &inspected.wants {
        let _ = writeln!(text, "| {capability} | `{}` | {} |", cell(target), cell(reason));
    }
    let _ = write!(text, "\n```json\n{}\n```\n", example.trim());
    let fence = fence(picture);
    let _ = write!(text, "\n{fence}text\n{}\n{fence}\n", picture.trim_end());
    text
}

fn option_row(option: &ConfigOption) -> String {
    let ConfigOption { name, kind, is_required, default, help } = option;
    let default = default.as_ref().map_or("–".to_owned(), |text| format!("`{}`", cell(text)));
    let must = if *is_required { "yes" } else { "no" };
    let help = cell(help);
    format!("| `{name}` | {kind} | {must} | {default} | {help} |\n").replace("|  |", "| |")
}

/// What would end a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

/// Longer than any fence in the text.
fn fence(text: &str) -> String {
    let longest = text.split(|sign| sign != '`').map(str::len).max().unwrap_or_default();
    "`".repeat(longest.max(2) + 1)
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::channels::inspected::EXAMPLE;

    #[test]
    fn a_chapter_has_options_wants_an_example_and_a_picture() {
        let chapter = Chapter {
            folder: "push".to_owned(),
            description: "Push: pushes".to_owned(),
            inspected: Inspected::parse(EXAMPLE).unwrap(),
            example: "{ \"url\": \"https://x.example\" }\n".to_owned(),
            picture: "POST <secret:url>\n\n```\n".to_owned(),
        };
        assert_snapshot!(page(&[chapter]).strip_prefix(HEAD).unwrap(), @r#"

        | channel | is called | sends through | addresses |
        | --- | --- | --- | --- |
        | [push](#push) | Push | http | push |

        ## push

        Push: pushes. [README](../channels-wasm/push/README.md)

        | option | type | required | default | |
        | --- | --- | --- | --- | --- |
        | `url` | secret | yes | – | Where to \| what. |
        | `level` | `low`, `high` | no | `low` | |
        | `retries` | number, 0 to 9 | no | `3` | |

        | asks for | target | why |
        | --- | --- | --- |
        | http | `POST {url}` | Pushes. |

        ```json
        { "url": "https://x.example" }
        ```

        ````text
        POST <secret:url>

        ```
        ````
        "#);
    }
}
