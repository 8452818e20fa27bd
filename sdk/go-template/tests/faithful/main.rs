//! What Go's own `text/template` gives, case by case.
//!
//! The cases and Go's answers are in `cases/*.txt`; `main.go` writes the answers.

#![expect(clippy::unwrap_used, reason = "a test stops where its data is wrong")]

use sandbell_go_template::{Functions, Template};

mod data;
mod limits;

/// Where this crate knowingly gives something else: the template, and what it gives.
const DIFFERENCES: &[(&str, &str)] = &[
    // `%b` of a float has no user but Go itself.
    (r#"{{printf "%b %o" 5.0 5}}"#, "> %!b(float64=5) 5"),
];

#[test]
fn execution_is_as_in_go() {
    compare(include_str!("cases/exec.txt"));
}

#[test]
fn parse_errors_are_as_in_go() {
    compare(include_str!("cases/parse.txt"));
}

#[test]
fn printf_is_as_in_go() {
    compare(include_str!("cases/printf.txt"));
}

#[test]
fn escaping_json_helpers_and_time_are_as_in_go() {
    compare(include_str!("cases/text.txt"));
}

#[cfg(feature = "regex")]
#[test]
fn regular_expressions_are_as_in_go() {
    compare(include_str!("cases/regex.txt"));
}

/// Checks every case of a golden file and shows all that differ.
fn compare(golden: &str) {
    let mut lines = golden.lines().filter(|line| !line.starts_with('#'));
    let mut failures = String::new();
    let mut cases = 0;
    while let Some(line) = lines.next() {
        let text = line.strip_prefix("< ").unwrap_or_else(|| panic!("not a case: {line}"));
        let of_go = lines.next().unwrap();
        let known = DIFFERENCES.iter().find(|(template, _)| *template == text);
        let want = known.map_or(of_go, |(_, ours)| ours);
        assert!(known.is_none_or(|(_, ours)| *ours != of_go), "no difference any more: {text}");
        let got = result(&text.replace('⏎', "\n")).replace('\n', "⏎");
        if got != want {
            failures.push_str(&["\n< ", text, "\nwant ", want, "\n got ", &got, "\n"].concat());
        }
        cases += 1;
    }
    assert!(cases > 0, "no cases");
    assert!(failures.is_empty(), "{failures}");
}

fn result(text: &str) -> String {
    let functions = Functions::new().with_json().with_text_helpers().with_escape_markdown();
    let template = match Template::parse_with("t", text, functions) {
        Ok(template) => template,
        Err(error) => return format!("! {error}"),
    };
    match template.render(&data::request()) {
        Ok(output) => format!("> {output}"),
        Err(error) => format!("! {error}"),
    }
}
