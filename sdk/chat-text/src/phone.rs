//! Telephone numbers as people write them.

/// `+` and 7 to 15 digits (E.164), without the blanks, dashes, dots and parentheses that make a number readable.
///
/// A number without its country is none: the gateway would guess one.
pub fn phone_number(text: &str) -> Option<String> {
    let is_ornament = |char: char| char.is_whitespace() || matches!(char, '-' | '.' | '(' | ')' | '/');
    let plain: String = text.chars().filter(|char| !is_ornament(*char)).collect();
    let plain = plain.strip_prefix("00").map_or(plain.clone(), |rest| format!("+{rest}"));
    let digits = plain.strip_prefix('+')?;
    let is_number = (7..=15).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && !digits.starts_with('0');
    is_number.then_some(plain)
}

/// The numbers in a list with commas, semicolons or line breaks; the first text that is no number is the error.
pub fn phone_numbers(text: &str, read: fn(&str) -> Option<String>) -> Result<Vec<String>, &str> {
    let words = text.split([',', ';', '\n']).map(str::trim).filter(|word| !word.is_empty());
    words.map(|word| read(word).ok_or(word)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_people_write_them() {
        for (text, want) in [
            ("+47 900 12 345", Some("+4790012345")),
            ("+49 (151) 123-456.78", Some("+4915112345678")),
            ("0047 90012345", Some("+4790012345")),
            ("90012345", None),
            ("+0123456789", None),
            ("+12345", None),
            ("+1234567890123456", None),
            ("+4790012a45", None),
            ("", None),
        ] {
            assert_eq!(phone_number(text).as_deref(), want, "{text}");
        }
        let read = |text| phone_numbers(text, phone_number);
        assert_eq!(
            read("+4790012345, 0047 90012346\n"),
            Ok(vec!["+4790012345".to_owned(), "+4790012346".to_owned()])
        );
        assert_eq!(read("+4790012345;jdoe"), Err("jdoe"));
        assert_eq!(read(" ,"), Ok(Vec::new()));
    }
}
