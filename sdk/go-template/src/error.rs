//! What can go wrong, in the words of Go.

use std::fmt;

use crate::quote;

/// A text that is not a template.
///
/// Prints as Go does: `template: NAME:LINE: unexpected "}" in operand`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("template: {name}:{line}: {reason}")]
pub struct ParseError {
    /// The name given to the template.
    pub name: String,
    /// The line of the last token that was read, from 1.
    pub line: usize,
    pub reason: String,
}

/// A template that could not be rendered over the given value.
///
/// Prints as Go does: `template: NAME:LINE:COLUMN: executing "NAME" at <.Foo.Bar>: REASON`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ExecError {
    pub kind: ExecErrorKind,
    /// The name given to the template when it was parsed.
    pub name: String,
    /// The line of the failing part, from 1.
    pub line: usize,
    /// The byte of that line, from 0, as Go counts.
    pub column: usize,
    /// The template that was executing: the same as `name`, or one made by `define` or `block`.
    pub executing: String,
    /// The failing part in canonical form, such as `.Foo.Bar` or `index .List 3`.
    pub at: String,
    pub reason: String,
}

/// Whose fault an [`ExecError`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExecErrorKind {
    /// The template and the value do not fit, or a function refused its arguments.
    Template,
    /// The output, or a text on the way to it, is larger than [`Limits::output_bytes_max`](crate::Limits).
    Output,
    /// Rendering took more than [`Limits::steps_max`](crate::Limits).
    Steps,
    /// Templates and blocks nest deeper than [`Limits::depth_max`](crate::Limits).
    Depth,
}

impl fmt::Display for ExecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind: _, name, line, column, executing, at, reason } = self;
        let mut quoted = String::new();
        quote::double(&mut quoted, executing, false);
        write!(f, "template: {name}:{line}:{column}: executing {quoted} at <{at}>: {reason}")
    }
}
