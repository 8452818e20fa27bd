//! Chats and topics, as Diun writes them: `ID`, `ID:topic;topic`, and also `@channel`.

use std::fmt;

/// The host lets one attempt make ten requests.
pub(crate) const TARGETS_MAX: usize = 10;

/// Where one message goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// A number or a name with `@`.
    pub(crate) chat: String,
    pub(crate) topic: Option<i64>,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.topic {
            Some(topic) => write!(f, "{}:{topic}", self.chat),
            None => f.write_str(&self.chat),
        }
    }
}

/// Reads a list, also one in JSON as Diun's `chatIDsFile` holds it; the error goes on after the name of what was read.
pub(crate) fn targets(text: &str) -> Result<Vec<Target>, String> {
    let separators = |char: char| char.is_whitespace() || matches!(char, ',' | '[' | ']' | '"');
    let mut targets = Vec::new();
    for word in text.split(separators).filter(|word| !word.is_empty()) {
        let refuse = || format!("has `{word}`; write a chat's ID, `@channel`, or `ID:topic;topic`");
        let (chat, topics) = word.split_once(':').map_or((word, None), |(chat, topics)| (chat, Some(topics)));
        if !is_chat(chat) {
            return Err(refuse());
        }
        let chat = chat.to_owned();
        let Some(topics) = topics else {
            targets.push(Target { chat, topic: None });
            continue;
        };
        for topic in topics.split(';') {
            let topic = topic.parse().ok().filter(|topic| *topic > 0).ok_or_else(refuse)?;
            targets.push(Target { chat: chat.clone(), topic: Some(topic) });
        }
    }
    if targets.len() > TARGETS_MAX {
        return Err(format!("must name at most {TARGETS_MAX} chats and topics"));
    }
    Ok(targets)
}

fn is_chat(chat: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    match chat.strip_prefix('@') {
        Some(name) => !name.is_empty() && name.bytes().all(is_word),
        None => chat.parse::<i64>().is_ok_and(|id| id != 0) && !chat.starts_with('+'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chats_are_read_as_diun_reads_them() {
        let check = |text: &str, want: &str| {
            let read = targets(text).map_or_else(
                |error| error,
                |targets| targets.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
            );
            assert_eq!(read, want, "{text}");
        };
        let bad = |word: &str| format!("has `{word}`; write a chat's ID, `@channel`, or `ID:topic;topic`");
        check("", "");
        check("123, -100456:4;5\n@news", "123 -100456:4 -100456:5 @news");
        check(r#"["123", "-100456:4"]"#, "123 -100456:4");
        check("jdoe", &bad("jdoe"));
        check("1:", &bad("1:"));
        check("1:2;x", &bad("1:2;x"));
        check("1:-2", &bad("1:-2"));
        check("0", &bad("0"));
        check("@a/b", &bad("@a/b"));
        check("+49123", &bad("+49123"));
        check("1 2 3 4 5 6 7 8 9 10 11", "must name at most 10 chats and topics");
    }
}
