//! Quay's templates: a JSON document whose strings and keys may hold `${jsonpath}` (`reference/quay.md` §3.2).
//!
//! A string that is one expression becomes what it finds, with its type: null if that is nothing, a list if it is several.
//! An expression inside a string becomes text: `(none)` if it finds nothing, with commas if it finds several.

use std::fmt;

use sandbell_sdk::serde_json::{self, Map, Value};

const NOTHING: &str = "(none)";
/// An expression like `a[*].b[*].c` multiplies; no message needs more.
const FOUND_MAX: usize = 10_000;

/// A template that was read.
#[derive(Debug)]
pub(crate) struct JsonTemplate(Node);

/// Why a text is no template.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum BadTemplate {
    Json(String),
    /// Where in the document, from `$`, and what is wrong with which expression.
    Expression {
        at: String,
        expression: String,
        column: usize,
    },
}

#[derive(Debug)]
enum Node {
    Plain(Value),
    Text(Vec<Piece>),
    List(Vec<Node>),
    Object(Vec<(Vec<Piece>, Node)>),
}

#[derive(Debug)]
enum Piece {
    Literal(String),
    Path(Vec<Step>),
}

#[derive(Debug, PartialEq, Eq)]
enum Step {
    Name(String),
    Index(usize),
    All,
}

impl JsonTemplate {
    pub(crate) fn parse(text: &str) -> Result<Self, BadTemplate> {
        let json = serde_json::from_str(text).map_err(|error| BadTemplate::Json(error.to_string()))?;
        node(json, "$").map(Self)
    }

    /// The document over what the source sent.
    pub(crate) fn render(&self, data: &Value) -> Value {
        filled(&self.0, data)
    }
}

impl fmt::Display for BadTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(reason) => write!(f, "is no JSON: {reason}"),
            Self::Expression { at, expression, column } => write!(
                f,
                "has `{expression}` at `{at}`, character {column}; write `${{name}}`, `${{a.b[0].c}}` or `${{a[*].b}}`"
            ),
        }
    }
}

fn node(json: Value, at: &str) -> Result<Node, BadTemplate> {
    Ok(match json {
        Value::String(text) => Node::Text(pieces(&text, at)?),
        Value::Array(items) => Node::List(
            items
                .into_iter()
                .enumerate()
                .map(|(index, item)| node(item, &format!("{at}[{index}]")))
                .collect::<Result<_, _>>()?,
        ),
        Value::Object(map) => Node::Object(
            map.into_iter()
                .map(|(key, item)| {
                    let at = format!("{at}.{key}");
                    Ok((pieces(&key, &at)?, node(item, &at)?))
                })
                .collect::<Result<_, _>>()?,
        ),
        plain @ (Value::Null | Value::Bool(_) | Value::Number(_)) => Node::Plain(plain),
    })
}

fn pieces(text: &str, at: &str) -> Result<Vec<Piece>, BadTemplate> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let column = text.len() - rest.len() + start;
        let column = text[..column].chars().count() + 1;
        let refuse = |expression: &str| BadTemplate::Expression {
            at: at.to_owned(),
            expression: expression.escape_debug().to_string(),
            column,
        };
        if start > 0 {
            pieces.push(Piece::Literal(rest[..start].to_owned()));
        }
        let inner = &rest[start + 2..];
        let end = inner.find('}').ok_or_else(|| refuse(&rest[start..]))?;
        let steps = steps(inner[..end].trim()).ok_or_else(|| refuse(&rest[start..start + end + 3]))?;
        pieces.push(Piece::Path(steps));
        rest = &inner[end + 1..];
    }
    if !rest.is_empty() || pieces.is_empty() {
        pieces.push(Piece::Literal(rest.to_owned()));
    }
    Ok(pieces)
}

/// `$`, names with dots, `[0]`, `[*]`, `['name']` and `*`; the `$` may be missing.
fn steps(expression: &str) -> Option<Vec<Step>> {
    let mut rest = expression.strip_prefix('$').unwrap_or(expression);
    if expression.is_empty() {
        return None;
    }
    let mut steps = Vec::new();
    let mut is_first = !expression.starts_with('$');
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            let end = inner.find(']')?;
            steps.push(bracket(&inner[..end])?);
            rest = &inner[end + 1..];
        } else {
            rest = if is_first { rest } else { rest.strip_prefix('.')? };
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            let name = &rest[..end];
            let is_name =
                !name.is_empty() && name.chars().all(|char| char.is_alphanumeric() || "_-@/".contains(char));
            steps.push(match name {
                "*" => Step::All,
                _ if is_name => Step::Name(name.to_owned()),
                _ => return None,
            });
            rest = &rest[end..];
        }
        is_first = false;
    }
    Some(steps)
}

fn bracket(inner: &str) -> Option<Step> {
    if inner == "*" {
        return Some(Step::All);
    }
    for quote in ['\'', '"'] {
        if let Some(name) = inner.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)) {
            return (!name.is_empty()).then(|| Step::Name(name.to_owned()));
        }
    }
    inner.parse().ok().map(Step::Index)
}

fn filled(node: &Node, data: &Value) -> Value {
    match node {
        Node::Plain(value) => value.clone(),
        Node::Text(pieces) => match pieces.as_slice() {
            [Piece::Path(steps)] => typed(&find(steps, data)),
            pieces => Value::String(text(pieces, data)),
        },
        Node::List(items) => items.iter().map(|item| filled(item, data)).collect(),
        Node::Object(entries) => {
            let entry = |(key, item): &(Vec<Piece>, Node)| (text(key, data), filled(item, data));
            Value::Object(entries.iter().map(entry).collect::<Map<_, _>>())
        }
    }
}

fn typed(found: &[&Value]) -> Value {
    match found {
        [] => Value::Null,
        [one] => (*one).clone(),
        several => several.iter().map(|value| (*value).clone()).collect(),
    }
}

fn text(pieces: &[Piece], data: &Value) -> String {
    let plain = |value: &Value| match value {
        Value::String(text) => text.clone(),
        // The original prints Python's words for these.
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            value.to_string()
        }
    };
    let piece = |piece: &Piece| match piece {
        Piece::Literal(text) => text.clone(),
        Piece::Path(steps) => {
            let found: Vec<_> = find(steps, data).into_iter().map(plain).collect();
            if found.is_empty() { NOTHING.to_owned() } else { found.join(",") }
        }
    };
    pieces.iter().map(piece).collect()
}

fn find<'a>(steps: &[Step], data: &'a Value) -> Vec<&'a Value> {
    let mut found = vec![data];
    for step in steps {
        let next = |value: &'a Value| -> Vec<&'a Value> {
            match (step, value) {
                (Step::Name(name), Value::Object(map)) => map.get(name).into_iter().collect(),
                (Step::Index(index), Value::Array(items)) => items.get(*index).into_iter().collect(),
                (Step::All, Value::Array(items)) => items.iter().collect(),
                (Step::All, Value::Object(map)) => map.values().collect(),
                _ => Vec::new(),
            }
        };
        found = found.into_iter().flat_map(next).take(FOUND_MAX).collect();
    }
    found
}

#[cfg(test)]
mod tests {
    use sandbell_sdk::serde_json::json;

    use super::*;

    #[test]
    fn templates_are_filled_as_quay_fills_them() {
        let data = json!({
            "repository": "devtable/api", "updated_tags": ["latest", "1.0"], "n": 5, "none": null,
            "vulnerability": { "priority": "High", "has_fix": true }, "list": [{ "a": 1 }, { "a": 2 }],
        });
        for (template, want) in [
            (r#""${repository}""#, r#""devtable/api""#),
            (r#""${$}""#, &data.to_string()),
            (r#""${$.n}""#, "5"),
            (r#""${updated_tags}""#, r#"["latest","1.0"]"#),
            (r#""${updated_tags[*]}""#, r#"["latest","1.0"]"#),
            (r#""${updated_tags[0]}""#, r#""latest""#),
            (r#""${list[*].a}""#, "[1,2]"),
            (r#""${vulnerability['priority']}""#, r#""High""#),
            (r#""${missing.deep}""#, "null"),
            (r#""a ${n} b ${missing} c""#, r#""a 5 b (none) c""#),
            (r#""tags: ${updated_tags[*]}!""#, r#""tags: latest,1.0!""#),
            (
                r#""is ${vulnerability.has_fix} ${vulnerability}""#,
                r#""is true {\"has_fix\":true,\"priority\":\"High\"}""#,
            ),
            (
                r#"{"${repository}":[1,true,null,"${n}"],"x":"plain"}"#,
                r#"{"devtable/api":[1,true,null,5],"x":"plain"}"#,
            ),
            (r#""""#, r#""""#),
        ] {
            let made = JsonTemplate::parse(template).unwrap().render(&data);
            assert_eq!(made, serde_json::from_str::<Value>(want).unwrap(), "{template}");
        }
    }

    #[test]
    fn what_is_no_template_says_where() {
        let bad = |text: &str| JsonTemplate::parse(text).unwrap_err().to_string();
        assert_eq!(bad("{"), "is no JSON: EOF while parsing an object at line 1 column 1");
        let advice = "; write `${name}`, `${a.b[0].c}` or `${a[*].b}`";
        assert_eq!(bad(r#"{"a":["é${}"]}"#), format!("has `${{}}` at `$.a[0]`, character 2{advice}"));
        assert_eq!(bad(r#"{"a${x":1}"#), format!("has `${{x` at `$.a${{x`, character 2{advice}"));
        for expression in ["a..b", "a[", "a[x]", "a b", "a.", "['']", "$a"] {
            let text = Value::from(format!("${{{expression}}}")).to_string();
            assert!(JsonTemplate::parse(&text).is_err(), "{expression}");
        }
    }

    #[test]
    fn a_path_that_multiplies_ends() {
        let list: Value = (0..500).map(|_| Value::from(vec![1; 500])).collect();
        let made = JsonTemplate::parse(r#""${$[*][*]}""#).unwrap().render(&list);
        assert_eq!(made.as_array().map(Vec::len), Some(FOUND_MAX));
    }
}
