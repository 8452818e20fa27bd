//! From a name in code to words for people.

/// Words that are written in capitals.
const ACRONYMS: [&str; 12] =
    ["api", "dns", "html", "http", "https", "id", "json", "smtp", "tls", "ui", "uri", "url"];

/// `webhook_url` becomes `Webhook URL`.
pub(crate) fn label(name: &str) -> String {
    let mut label = String::new();
    for word in name.split('_').filter(|word| !word.is_empty()) {
        if !label.is_empty() {
            label.push(' ');
        }
        if ACRONYMS.contains(&word) {
            label.push_str(&word.to_ascii_uppercase());
        } else if label.is_empty() {
            let mut chars = word.chars();
            label.extend(chars.next().into_iter().flat_map(char::to_uppercase));
            label.push_str(chars.as_str());
        } else {
            label.push_str(word);
        }
    }
    label
}

/// `StartTls` becomes `start_tls`.
pub(crate) fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for char in name.chars() {
        if char.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(char.to_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_words() {
        for (name, want) in [
            ("webhook_url", "Webhook URL"),
            ("id", "ID"),
            ("sender_name", "Sender name"),
            ("_private", "Private"),
            ("über", "Über"),
        ] {
            assert_eq!(label(name), want);
        }
        for (name, want) in [("StartTls", "start_tls"), ("None", "none"), ("A", "a")] {
            assert_eq!(snake_case(name), want);
        }
    }
}
