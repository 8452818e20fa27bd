//! Where in a file something is wrong: the line, and a caret below it.

use std::fmt::{self, Write as _};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use sandbell_domain::escape;

/// A file's text, to show a line of it.
#[derive(Clone, Debug)]
pub(in crate::cli::channel) struct Source {
    pub(in crate::cli::channel) path: PathBuf,
    pub(in crate::cli::channel) text: Arc<str>,
}

/// What is wrong, and where.
#[derive(Clone, Debug)]
pub(in crate::cli::channel) struct FileError {
    path: PathBuf,
    place: Option<Place>,
    message: String,
    /// What was probably meant; stands beside the caret.
    meant: Option<String>,
}

#[derive(Clone, Debug)]
struct Place {
    line: usize,
    column: usize,
    text: String,
    carets: usize,
}

impl Source {
    /// An error at bytes of the text, which are cut to their first line.
    pub(in crate::cli::channel) fn error(&self, span: Range<usize>, message: impl Into<String>) -> FileError {
        let start = self.text.floor_char_boundary(span.start);
        let before = &self.text[..start];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let text = self.text[line_start..].lines().next().unwrap_or_default();
        let line_end = line_start + text.len();
        let end = self.text.floor_char_boundary(span.end.clamp(start, line_end.max(start)));
        let place = Place {
            line: before.matches('\n').count() + 1,
            column: self.text[line_start..start].chars().count() + 1,
            text: text.to_owned(),
            carets: self.text[start..end].chars().count().max(1),
        };
        FileError { path: self.path.clone(), place: Some(place), message: message.into(), meant: None }
    }

    /// An error of the file as a whole.
    pub(in crate::cli::channel) fn whole(path: PathBuf, message: impl Into<String>) -> FileError {
        FileError { path, place: None, message: message.into(), meant: None }
    }
}

impl FileError {
    pub(in crate::cli::channel) fn meant(mut self, word: Option<&str>) -> Self {
        self.meant = word.map(|word| format!("did you mean `{word}`?"));
        self
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = escape::line(&self.path.display().to_string());
        let Some(Place { line, column, text, carets }) = &self.place else {
            return write!(f, "{path}: {}", self.message);
        };
        let number = line.to_string();
        let indent = " ".repeat(number.len());
        // A tab is shown as one column, so that the caret stands below what it means.
        let text = escape::block(&text.replace('\t', " "));
        let mut mark = String::new();
        let _ = write!(mark, "{}{}", " ".repeat(column - 1), "^".repeat(*carets));
        if let Some(meant) = &self.meant {
            let _ = write!(mark, " {meant}");
        }
        let quoted = format!("  {number} | {text}");
        write!(f, "{path}:{line}:{column}: {}\n{}\n  {indent} | {mark}", self.message, quoted.trim_end())
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    #[test]
    fn the_caret_stands_below_what_is_wrong() {
        let text = "plugin = \"slack\"\n[settings]\nä = 1\nseverty = \"crit\"\n";
        let source = Source { path: "channels/pager.toml".into(), text: text.into() };
        let at = text.find("severty").unwrap();
        assert_snapshot!(source.error(at..at + 7, "unknown option `severty`").meant(Some("severity")), @r#"
        channels/pager.toml:4:1: unknown option `severty`
          4 | severty = "crit"
            | ^^^^^^^ did you mean `severity`?
        "#);
        assert_snapshot!(source.error(0..text.len(), "all of it"), @r#"
        channels/pager.toml:1:1: all of it
          1 | plugin = "slack"
            | ^^^^^^^^^^^^^^^^
        "#);
        let at = text.find("= 1").unwrap();
        assert_snapshot!(source.error(at..at + 1, "x"), @"
        channels/pager.toml:3:3: x
          3 | ä = 1
            |   ^
        ");
        assert_snapshot!(source.error(text.len()..text.len(), "ends here"), @"
        channels/pager.toml:5:1: ends here
          5 |
            | ^
        ");
        assert_snapshot!(Source::whole("a.toml".into(), "is no file"), @"a.toml: is no file");
    }
}
