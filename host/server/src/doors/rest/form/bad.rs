//! A field that is wrong: which, and what to write instead.

use std::fmt;

/// Where a value stands in a JSON document, as RFC 6901 writes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pointer(String);

impl Pointer {
    pub(crate) fn of(field: &str) -> Self {
        Self::default().then(field)
    }

    /// One step further in.
    pub(crate) fn then(&self, part: impl fmt::Display) -> Self {
        let part = part.to_string().replace('~', "~0").replace('/', "~1");
        Self(format!("{}/{part}", self.0))
    }

    /// The same place in a document that stands at `outer` in another one.
    pub(crate) fn within(&self, outer: &Self) -> Self {
        Self(format!("{}{}", outer.0, self.0))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&serde_path_to_error::Path> for Pointer {
    fn from(path: &serde_path_to_error::Path) -> Self {
        use serde_path_to_error::Segment as S;
        path.iter().fold(Self::default(), |pointer, segment| match segment {
            S::Seq { index } => pointer.then(index),
            S::Map { key } => pointer.then(key),
            S::Enum { variant } => pointer.then(variant),
            S::Unknown => pointer,
        })
    }
}

/// A value that was understood and is not allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{message}", dotted(pointer))]
pub(crate) struct BadField {
    pub(crate) pointer: Pointer,
    pub(crate) message: String,
}

impl BadField {
    pub(crate) fn new(pointer: Pointer, message: impl Into<String>) -> Self {
        Self { pointer, message: message.into() }
    }
}

/// `event.time: `, as people write it.
fn dotted(pointer: &Pointer) -> String {
    match pointer.0.strip_prefix('/') {
        None => String::new(),
        Some(path) => format!("{}: ", path.replace('/', ".").replace("~1", "/").replace("~0", "~")),
    }
}

/// Refuses a text that is longer than `chars_max`.
pub(crate) fn text(pointer: &Pointer, text: &str, chars_max: usize) -> Result<(), BadField> {
    // Bytes are counted first: most texts are short, and then their characters are few, too.
    if text.len() <= chars_max {
        return Ok(());
    }
    let chars = text.chars().count();
    if chars <= chars_max {
        return Ok(());
    }
    Err(BadField::new(pointer.clone(), format!("has {chars} characters; at most {chars_max} are allowed")))
}

/// Refuses a list that is longer than `items_max`.
pub(crate) fn items(pointer: &Pointer, items: usize, items_max: usize) -> Result<(), BadField> {
    if items <= items_max {
        return Ok(());
    }
    Err(BadField::new(pointer.clone(), format!("has {items} entries; at most {items_max} are allowed")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_named_for_programs_and_for_people() {
        let pointer = Pointer::of("links").then(3).then("a/b~c");
        assert_eq!(pointer.as_str(), "/links/3/a~1b~0c");
        assert_eq!(BadField::new(pointer, "is bad").to_string(), "links.3.a/b~c: is bad");
        assert_eq!(BadField::new(Pointer::default(), "is bad").to_string(), "is bad");
    }

    #[test]
    fn lengths_are_counted_in_characters() {
        let pointer = Pointer::of("x");
        assert_eq!(text(&pointer, "äöü", 3), Ok(()));
        assert_eq!(
            text(&pointer, "äöüß", 3).unwrap_err().to_string(),
            "x: has 4 characters; at most 3 are allowed"
        );
        assert_eq!(items(&pointer, 3, 3), Ok(()));
        assert_eq!(items(&pointer, 4, 3).unwrap_err().to_string(), "x: has 4 entries; at most 3 are allowed");
    }
}
