//! Headers of the operator, one on a line: `Name: value`, where the value may be a Go template.

use sandbell_go_template::{Functions, Template, Value};

/// The host writes these itself.
const RESERVED: [&str; 8] =
    ["connection", "content-length", "host", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"];
const HEADERS_MAX: usize = 20;

pub(crate) struct Headers(Vec<(String, Template)>);

impl Headers {
    /// The error goes on after the option's name.
    pub(crate) fn parse(text: &str, functions: &Functions) -> Result<Self, String> {
        let mut headers = Vec::new();
        for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let line_number = index + 1;
            let refuse = |reason: &str| format!("has {reason} in line {line_number}; write `Name: value`");
            let (name, value) = line.split_once(':').ok_or_else(|| refuse("no colon"))?;
            let name = name.trim();
            let is_sign = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
            if name.is_empty() || !name.bytes().all(is_sign) {
                return Err(refuse("no name of a header"));
            }
            if RESERVED.contains(&name.to_ascii_lowercase().as_str()) {
                return Err(format!("has `{name}` in line {line_number}, which the host writes itself"));
            }
            let template = Template::parse_with(name, value.trim(), functions.clone()).map_err(|error| {
                format!("has a template that cannot be parsed in line {line_number}: {error}")
            })?;
            headers.push((name.to_owned(), template));
        }
        if headers.len() > HEADERS_MAX {
            return Err(format!("must be at most {HEADERS_MAX} headers"));
        }
        Ok(Self(headers))
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known.eq_ignore_ascii_case(name))
    }

    /// Names and values; a line break that a source brought becomes a blank, so that it begins no other header.
    pub(crate) fn render<'a>(&'a self, data: &Value) -> Result<Vec<(&'a str, String)>, String> {
        let one = |(name, template): &'a (String, Template)| {
            let value = template.render(data).map_err(|error| error.to_string())?;
            let value: String =
                value.chars().map(|char| if char.is_control() { ' ' } else { char }).collect();
            Ok((name.as_str(), value.trim().to_owned()))
        };
        self.0.iter().map(one).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_lines() {
        let functions = Functions::new().with_json().with_text_helpers();
        let headers = Headers::parse("X-Team: ops\n\n X-Name : {{ upper . }} \n", &functions).unwrap();
        let made = headers.render(&Value::from("a\r\nX-Evil: 1")).unwrap();
        assert_eq!(made, [("X-Team", "ops".to_owned()), ("X-Name", "A  X-EVIL: 1".to_owned())]);
        assert!(headers.has("x-team") && !headers.has("x"));
        let bad = |text: &str| Headers::parse(text, &functions).map(|_| ()).unwrap_err();
        assert_eq!(bad("a\n"), "has no colon in line 1; write `Name: value`");
        assert_eq!(bad("x: 1\nä: 2"), "has no name of a header in line 2; write `Name: value`");
        assert_eq!(bad("Host: x"), "has `Host` in line 1, which the host writes itself");
        assert_eq!(
            bad("X: {{"),
            "has a template that cannot be parsed in line 1: template: X:1: unclosed action"
        );
        assert_eq!(bad(&"X: 1\n".repeat(21)), "must be at most 20 headers");
        assert!(Headers::parse("X: {{ .Nope }}", &functions).unwrap().render(&Value::from("x")).is_err());
    }
}
