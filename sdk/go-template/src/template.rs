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
