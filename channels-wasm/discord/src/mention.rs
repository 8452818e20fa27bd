//! Who is alerted, and nobody else: what a source writes alerts no one.

use std::str::FromStr;

use sandbell_sdk::prelude::*;
use sandbell_sdk::serde_json::Value;

/// Half of a message: the other half is for what happened.
const TEXT_BYTES_MAX: usize = 1000;
/// Discord's limit of `users` and of `roles`.
const IDS_MAX: usize = 100;
/// A snowflake is a number of 64 bits.
const ID_DIGITS_MAX: usize = 20;

/// In the order of the form.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Mentions(Vec<Mention>);

#[derive(Debug, PartialEq, Eq)]
enum Mention {
    Here,
    Everyone,
    User(String),
    Role(String),
}

impl Mentions {
    /// As the message shows them.
    pub(crate) fn text(&self) -> String {
        let text = |mention: &Mention| match mention {
            Mention::Here => "@here".to_owned(),
            Mention::Everyone => "@everyone".to_owned(),
            Mention::User(id) => format!("<@{id}>"),
            Mention::Role(id) => format!("<@&{id}>"),
        };
        self.0.iter().map(text).collect::<Vec<_>>().join(" ")
    }

    /// The `allowed_mentions` of the message.
    pub(crate) fn allowed(&self) -> Value {
        let (mut parse, mut users, mut roles) = (Vec::new(), Vec::new(), Vec::new());
        for mention in &self.0 {
            match mention {
                // Discord's word for both.
                Mention::Here | Mention::Everyone => parse = vec!["everyone"],
                Mention::User(id) => users.push(id),
                Mention::Role(id) => roles.push(id),
            }
        }
        json!({ "parse": parse, "users": users, "roles": roles })
    }
}

impl FromStr for Mentions {
    type Err = ConfigError;

    /// Takes what Diun takes: the texts that Discord itself shows for a mention.
    fn from_str(text: &str) -> Result<Self, ConfigError> {
        let words =
            text.split(|char: char| char.is_whitespace() || char == ',').filter(|word| !word.is_empty());
        let mentions = words.map(str::parse).collect::<Result<Vec<Mention>, _>>()?;
        let mentions = Self(mentions);
        if mentions.text().len() > TEXT_BYTES_MAX || mentions.0.len() > IDS_MAX {
            return Err(ConfigError::option("mentions", "must be at most 100, of 1,000 characters together"));
        }
        Ok(mentions)
    }
}

impl FromStr for Mention {
    type Err = ConfigError;

    fn from_str(word: &str) -> Result<Self, ConfigError> {
        let id = |text: &str| {
            let id = text.strip_suffix('>')?;
            (!id.is_empty() && id.len() <= ID_DIGITS_MAX && id.bytes().all(|byte| byte.is_ascii_digit()))
                .then(|| id.to_owned())
        };
        let found = match word {
            "@here" | "here" => Some(Self::Here),
            "@everyone" | "everyone" => Some(Self::Everyone),
            _ => match word.strip_prefix("<@&") {
                Some(rest) => id(rest).map(Self::Role),
                None => {
                    word.strip_prefix("<@").and_then(|rest| id(rest.trim_start_matches('!'))).map(Self::User)
                }
            },
        };
        found.ok_or_else(|| {
            ConfigError::option(
                "mentions",
                format!("has `{word}`; write `@here`, `@everyone`, a user `<@ID>` or a role `<@&ID>`"),
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mentions_are_those_of_discord() {
        for (text, shown, allowed) in [
            ("", "", r#"{"parse":[],"roles":[],"users":[]}"#),
            ("@here", "@here", r#"{"parse":["everyone"],"roles":[],"users":[]}"#),
            (
                " everyone,@here <@1> <@!2>\n<@&3> ",
                "@everyone @here <@1> <@2> <@&3>",
                r#"{"parse":["everyone"],"roles":["3"],"users":["1","2"]}"#,
            ),
        ] {
            let mentions: Mentions = text.parse().unwrap();
            assert_eq!((mentions.text().as_str(), mentions.allowed().to_string().as_str()), (shown, allowed));
        }
        for text in ["jdoe", "<@>", "<@&x>", "<@1", "@", "<@123456789012345678901>"] {
            let error = text.parse::<Mentions>().unwrap_err();
            assert_eq!(
                error.to_string(),
                format!(
                    "`mentions` has `{text}`; write `@here`, `@everyone`, a user `<@ID>` or a role `<@&ID>`"
                )
            );
        }
        for many in ["<@12345678901234567890> ".repeat(42), "<@1> ".repeat(101)] {
            assert_eq!(
                many.parse::<Mentions>().unwrap_err().to_string(),
                "`mentions` must be at most 100, of 1,000 characters together"
            );
        }
        assert!("<@12345678901234567890> ".repeat(41).parse::<Mentions>().is_ok());
    }
}
