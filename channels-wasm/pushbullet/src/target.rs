//! Where a push goes.

use std::fmt;

/// The host lets one attempt make ten requests.
pub(crate) const TARGETS_MAX: usize = 10;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// All devices of the account.
    Everything,
    /// A person, with Pushbullet or by mail.
    Email(String),
    /// Everybody who follows a channel.
    Channel(String),
    Device(String),
}

impl Target {
    /// Pushbullet's word for it.
    pub(crate) fn field(&self) -> Option<(&'static str, &str)> {
        match self {
            Self::Everything => None,
            Self::Email(address) => Some(("email", address)),
            Self::Channel(tag) => Some(("channel_tag", tag)),
            Self::Device(id) => Some(("device_iden", id)),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everything => f.write_str("all devices"),
            Self::Channel(tag) => write!(f, "#{tag}"),
            Self::Email(text) | Self::Device(text) => f.write_str(text),
        }
    }
}

/// Reads a list; the error goes on after the name of what was read.
pub(crate) fn targets(text: &str) -> Result<Vec<Target>, String> {
    let words = text.split(|char: char| char.is_whitespace() || char == ',').filter(|word| !word.is_empty());
    let targets = words.map(target).collect::<Result<Vec<_>, _>>()?;
    if targets.len() > TARGETS_MAX {
        return Err(format!("must name at most {TARGETS_MAX}"));
    }
    Ok(targets)
}

fn target(word: &str) -> Result<Target, String> {
    let is_word = |text: &str| {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        !text.is_empty() && text.len() <= 64 && text.bytes().all(is_allowed)
    };
    if let Some(tag) = word.strip_prefix('#').filter(|tag| is_word(tag)) {
        return Ok(Target::Channel(tag.to_owned()));
    }
    let is_mail = word.split_once('@').is_some_and(|(user, host)| !user.is_empty() && host.contains('.'));
    match () {
        () if is_mail => Ok(Target::Email(word.to_owned())),
        () if is_word(word) => Ok(Target::Device(word.to_owned())),
        () => Err(format!(
            "has `{}`; write a mail address, the `#tag` of a channel or the ID of a device",
            word.escape_debug()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_mails_tags_and_devices() {
        let check = |text: &str, want: &str| {
            let read = targets(text).map_or_else(|error| error, |targets| format!("{targets:?}"));
            assert_eq!(read, want, "{text}");
        };
        check("", "[]");
        check(
            "a@x.example, #ops\nujpah72o0",
            r#"[Email("a@x.example"), Channel("ops"), Device("ujpah72o0")]"#,
        );
        let bad = |word: &str| {
            format!("has `{word}`; write a mail address, the `#tag` of a channel or the ID of a device")
        };
        for word in ["#", "@x.example", "a@b", "a/b", "é"] {
            check(word, &bad(word));
        }
        check(&"a ".repeat(11), "must name at most 10");
    }
}
