//! What a plugin may be called on this host.

use std::fmt;
use std::str::FromStr;

/// `slack`, `my-mail_2`: safe as a file name, as an argument and in a log.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PluginName(String);

/// Longest name, in bytes.
const NAME_BYTES_MAX: usize = 63;

/// A text that is no name of a plugin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no plugin name; write lower-case letters, digits, `-` and `_`, a letter or a digit first, at most \
     {NAME_BYTES_MAX}, e.g. `slack`"
)]
pub(crate) struct BadName(String);

impl PluginName {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PluginName {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Self, BadName> {
        let first = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let rest = |byte: u8| first(byte) || matches!(byte, b'-' | b'_');
        let is_name =
            text.len() <= NAME_BYTES_MAX && text.bytes().next().is_some_and(first) && text.bytes().all(rest);
        let shown = || BadName(sandbell_domain::escape::cut(&sandbell_domain::escape::line(text), 80));
        if is_name { Ok(Self(text.to_owned())) } else { Err(shown()) }
    }
}

impl fmt::Display for PluginName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_file_name_that_leads_nowhere_else() {
        for name in ["slack", "0", "my-mail_2", &"a".repeat(63)] {
            assert_eq!(name.parse::<PluginName>().unwrap().as_str(), name);
        }
        for name in [
            "",
            ".",
            "..",
            "a/b",
            "../a",
            "a\0",
            "a.wasm",
            "-a",
            "_a",
            "A",
            "é",
            "a b",
            "a\n",
            &"a".repeat(64),
        ] {
            assert!(name.parse::<PluginName>().is_err(), "{name:?}");
        }
        assert_eq!(
            "../a".parse::<PluginName>().unwrap_err().to_string(),
            "`../a` is no plugin name; write lower-case letters, digits, `-` and `_`, a letter or a digit first, at \
             most 63, e.g. `slack`"
        );
    }
}
