//! `KEY=VALUE` on the command line.

use std::str::FromStr;

/// What stands before and after the first `=`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) key: String,
    pub(super) value: String,
}

#[derive(Debug, thiserror::Error)]
#[error("write KEY=VALUE")]
pub(super) struct NoPair;

impl FromStr for Pair {
    type Err = NoPair;

    fn from_str(text: &str) -> Result<Self, NoPair> {
        match text.split_once('=') {
            Some((key, value)) if !key.is_empty() => {
                Ok(Self { key: key.to_owned(), value: value.to_owned() })
            }
            Some(_) | None => Err(NoPair),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_equals_sign_parts() {
        let pair: Pair = "url=https://a/?b=c".parse().unwrap();
        assert_eq!((pair.key.as_str(), pair.value.as_str()), ("url", "https://a/?b=c"));
        assert_eq!("a=".parse::<Pair>().unwrap().value, "");
        assert!("a".parse::<Pair>().is_err() && "=a".parse::<Pair>().is_err());
    }
}
