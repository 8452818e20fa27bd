//! Whitespace, and promises to do something later.

use crate::{files::Source, offence::Offence};

/// Words that promise work; split so that this file does not promise any.
const PROMISES: [&str; 2] = [concat!("TO", "DO"), concat!("FIX", "ME")];

pub(super) fn offences(source: &Source) -> Vec<Offence> {
    let Source { path, text } = source;
    let mut offences = Vec::new();
    for (index, line) in text.split('\n').enumerate() {
        if line.ends_with([' ', '\t', '\r']) {
            offences.push(Offence::at(path, index + 1, "ends in whitespace"));
        }
        if let Some(promise) = promise(source, line) {
            offences.push(Offence::at(
                path,
                index + 1,
                format!("{promise} without an issue; write `{promise}(#12)`"),
            ));
        }
    }
    if !text.is_empty() && !text.ends_with('\n') {
        offences.push(Offence::of(path, "does not end in a newline"));
    }
    if text.ends_with("\n\n") {
        offences.push(Offence::of(path, "ends in empty lines"));
    }
    offences
}

/// The promise in a line's comment that names no issue.
fn promise(source: &Source, line: &str) -> Option<&'static str> {
    let sign = match source.path.extension()?.to_str()? {
        "rs" | "wit" => "//",
        "toml" => "#",
        _ => return None,
    };
    let (_, comment) = line.split_once(sign)?;
    let names_issue =
        || comment.split('#').skip(1).any(|after| after.starts_with(|first: char| first.is_ascii_digit()));
    PROMISES.into_iter().find(|word| comment.contains(word)).filter(|_| !names_issue())
}

#[cfg(test)]
mod tests {
    use super::{PROMISES, offences};
    use crate::{files::Source, offence::listed};

    fn check(path: &str, text: &str, want: &str) {
        let source = Source { path: path.into(), text: text.to_owned() };
        assert_eq!(listed(&offences(&source)), want);
    }

    #[test]
    fn whitespace_is_seen() {
        check("a.rs", "fn f() {}\n", "");
        check("a.md", "one\t\ntwo\n", "a.md:1: ends in whitespace");
        check("a.md", "one\r\n", "a.md:1: ends in whitespace");
        check("a.md", "one", "a.md: does not end in a newline");
        check("a.md", "one\n\n", "a.md: ends in empty lines");
    }

    #[test]
    fn a_promise_names_an_issue() {
        let [later, broken] = PROMISES;
        check(
            "a.rs",
            &format!("f(); // {later}: faster\n"),
            &format!("a.rs:1: {later} without an issue; write `{later}(#12)`"),
        );
        check(
            "a.toml",
            &format!("# {broken} #\n"),
            &format!("a.toml:1: {broken} without an issue; write `{broken}(#12)`"),
        );
        check("a.rs", &format!("// {later}(#7): faster\n"), "");
        check("a.rs", &format!("let {later} = 1;\n"), "");
        check("a.md", &format!("# {later}\n"), "");
    }
}
