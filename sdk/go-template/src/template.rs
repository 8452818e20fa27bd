//! A parsed template, ready to be rendered.

use crate::{
    ExecError, Functions, Limits, ParseError, Value,
    exec::Run,
    node::Node,
    parser::{self, Tree},
};

/// A parsed template. Rendering does not change it, so one can be kept and shared.
pub struct Template {
    pub(crate) name: String,
    pub(crate) text: String,
    /// The template itself and those that `define` and `block` made.
    pub(crate) trees: Vec<Tree>,
    pub(crate) functions: Functions,
    pub(crate) limits: Limits,
}

impl Template {
    /// Parses a template that uses Go's built-in functions only.
    ///
    /// The name appears in error texts, and is what `{{template}}` calls this template.
    pub fn parse(name: &str, text: &str) -> Result<Self, ParseError> {
        Self::parse_with(name, text, Functions::new())
    }

    /// Parses a template that may use these functions as well.
    pub fn parse_with(name: &str, text: &str, functions: Functions) -> Result<Self, ParseError> {
        let trees = parser::parse(name, text, &functions)?;
        Ok(Self { name: name.to_owned(), text: text.to_owned(), trees, functions, limits: Limits::DEFAULT })
    }

    /// The same template with other limits.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Renders the template over a value.
    pub fn render(&self, value: &Value) -> Result<String, ExecError> {
        Run::new(self).render(value).map_err(|fault| *fault.0)
    }

    /// The text before the first action, which every rendering starts with.
    ///
    /// For a URL it is what a host can be granted by. It is empty if the template starts with an action.
    pub fn leading_literal(&self) -> &str {
        match self.root() {
            [Node::Text(text), ..] => text,
            _ => "",
        }
    }

    /// Whether the template is more than literal text.
    pub fn has_actions(&self) -> bool {
        !matches!(self.root(), [] | [Node::Text(_)])
    }

    fn root(&self) -> &[Node] {
        self.tree(&self.name).map_or(&[], |(_, nodes)| nodes)
    }

    pub(crate) fn tree(&self, name: &str) -> Option<&Tree> {
        self.trees.iter().find(|(known, _)| **known == *name)
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::{CallError, Params};

    #[test]
    fn the_literal_before_the_first_action_is_known() {
        let check = |text: &str, leading: &str, has_actions: bool| {
            let template = Template::parse("t", text).unwrap();
            assert_eq!(
                (template.leading_literal(), template.has_actions()),
                (leading, has_actions),
                "{text}"
            );
        };
        check("", "", false);
        check("https://example.com/x", "https://example.com/x", false);
        check("https://example.com/{{.}}", "https://example.com/", true);
        check("{{.}}https://example.com/", "", true);
        check("https:// {{- .}}", "https://", true);
        check("https://{{/* no action */}}example.com", "https://", true);
        check("{{define \"a\"}}x{{end}}https://example.com/", "https://example.com/", false);
        check("https://{{if .}}a{{else}}b{{end}}/", "https://", true);
    }

    #[test]
    fn an_error_knows_its_place() {
        let template = Template::parse("body", "first\n  {{.Contact.Nope}}").unwrap();
        let value: Value = [("Contact".to_owned(), "x".to_owned())].into_iter().collect();
        let error = template.render(&value).unwrap_err();
        assert_eq!((error.line, error.column, &*error.at), (2, 12, ".Contact.Nope"));
        assert_snapshot!(error, @r#"template: body:2:12: executing "body" at <.Contact.Nope>: can't evaluate field Nope in type string"#);
        let error = Template::parse("body", "first\n{{.Int}").map(|_| ()).unwrap_err();
        assert_eq!(error.line, 2);
        assert_snapshot!(error, @"template: body:2: bad character U+007D '}'");
    }

    #[test]
    fn a_function_may_be_added_and_may_refuse() {
        let functions = Functions::new()
            .with("twice", Params::strings(1), |args, _| {
                Ok([args[0].as_str().unwrap_or("?"); 2].concat().into())
            })
            .with("print", Params::at_least(0), |_, _| Ok("mine".into()))
            .with("fail", Params::exactly(1), |_, _| Err("it does not".into()))
            .with("huge", Params::exactly(0), |_, _| Err(CallError::TooLarge));
        let render = |text: &str| {
            Template::parse_with("t", text, functions.clone())
                .unwrap()
                .render(&Value::Nil)
                .map_err(|error| error.to_string())
        };
        assert_eq!(render("{{twice \"ab\"}}{{\"c\" | twice}}{{print 1}}").as_deref(), Ok("ababccmine"));
        let text = |text: &str| render(text).unwrap_err();
        assert_snapshot!(text("{{fail 1}}"), @r#"template: t:1:2: executing "t" at <fail 1>: error calling fail: it does not"#);
        assert_snapshot!(text("{{huge}}"), @r#"template: t:1:2: executing "t" at <huge>: output is larger than 1048576 bytes"#);
        assert_snapshot!(text("{{twice 1}}"), @r#"template: t:1:8: executing "t" at <1>: expected string; found 1"#);
        assert_snapshot!(text("{{twice}}"), @r#"template: t:1:2: executing "t" at <twice>: wrong number of args for twice: want 1 got 0"#);
    }

    #[test]
    fn nil_data_has_no_value_and_no_fields() {
        let template = Template::parse("t", "{{.}} {{.x}}").unwrap();
        assert_eq!(template.render(&Value::Nil).as_deref(), Ok("<no value> <no value>"));
    }
}
