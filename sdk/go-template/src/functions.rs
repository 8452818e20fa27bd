//! The functions a template may call.

use crate::{Value, builtins, escape, helpers, json};

/// A function's body: the arguments, and how many bytes a text it makes may have.
///
/// The number of arguments has been checked against the [`Params`], and the leading strings are strings.
pub type Call = fn(args: &[Value], bytes_max: usize) -> Result<Value, CallError>;

/// Why a function gave no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallError {
    /// The text that follows `error calling NAME: `.
    Refused(String),
    /// The text it makes would be larger than allowed.
    TooLarge,
}

/// What a function takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Params {
    /// How many arguments, or how many at least.
    pub(crate) count: usize,
    /// How many of the first arguments must be of type `string`.
    pub(crate) strings: usize,
    pub(crate) is_variadic: bool,
}

/// A function, its name, and what it takes.
#[derive(Clone, Copy)]
pub(crate) struct Function {
    pub(crate) name: &'static str,
    pub(crate) params: Params,
    pub(crate) call: Call,
}

/// The functions a template has beside Go's built-in ones.
#[derive(Clone, Default)]
pub struct Functions {
    own: Vec<Function>,
}

impl From<String> for CallError {
    fn from(reason: String) -> Self {
        Self::Refused(reason)
    }
}

impl From<&str> for CallError {
    fn from(reason: &str) -> Self {
        Self::Refused(reason.to_owned())
    }
}

impl Params {
    /// So many arguments of any type.
    pub const fn exactly(count: usize) -> Self {
        Self { count, strings: 0, is_variadic: false }
    }

    /// So many arguments or more, of any type.
    pub const fn at_least(count: usize) -> Self {
        Self { count, strings: 0, is_variadic: true }
    }

    /// So many arguments, all of type `string`.
    pub const fn strings(count: usize) -> Self {
        Self { count, strings: count, is_variadic: false }
    }
}

impl Functions {
    /// Go's built-in functions only.
    pub const fn new() -> Self {
        Self { own: Vec::new() }
    }

    /// Adds a function, or replaces one; a built-in one too.
    #[must_use]
    pub fn with(mut self, name: &'static str, params: Params, call: Call) -> Self {
        self.own.retain(|known| known.name != name);
        self.own.push(Function { name, params, call });
        self
    }

    /// Adds `json`: Go's `encoding/json.Marshal` as a string.
    #[must_use]
    pub fn with_json(self) -> Self {
        self.with("json", Params::exactly(1), json::call)
    }

    /// Adds Diun's helpers: `lower`, `upper`, `trim`, `trimPrefix`, `trimSuffix`, `replace` and, with the
    /// crate's feature `regex`, `regexReplaceAll` (`reference/diun.md` §1.2).
    ///
    /// The text is always the last argument, so that it can come through a pipe. What takes long in a regular
    /// expression is not counted as steps: the host's own limit of time must hold.
    #[must_use]
    pub fn with_text_helpers(self) -> Self {
        let this = self
            .with("lower", Params::strings(1), helpers::lower)
            .with("upper", Params::strings(1), helpers::upper)
            .with("trim", Params::strings(1), helpers::trim)
            .with("trimPrefix", Params::strings(2), helpers::trim_prefix)
            .with("trimSuffix", Params::strings(2), helpers::trim_suffix)
            .with("replace", Params::strings(3), helpers::replace);
        #[cfg(feature = "regex")]
        let this = this.with("regexReplaceAll", Params::strings(3), helpers::regex_replace_all);
        this
    }

    /// Adds Diun's `escapeMarkdown`, which only its mail and Telegram templates have.
    #[must_use]
    pub fn with_escape_markdown(self) -> Self {
        self.with("escapeMarkdown", Params::strings(1), helpers::escape_markdown)
    }

    pub(crate) fn knows(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// The function of this name, and whether it is a built-in one.
    pub(crate) fn find(&self, name: &str) -> Option<(Function, bool)> {
        if let Some(own) = self.own.iter().find(|known| known.name == name) {
            return Some((*own, false));
        }
        let (call, params): (Call, Params) = match name {
            // The two stop at the first argument that decides, so evaluation does them itself.
            "and" | "or" => (builtins::last, Params::at_least(1)),
            "call" => (builtins::call, Params::at_least(1)),
            "eq" => (builtins::eq, Params::at_least(1)),
            "ge" => (builtins::ge, Params::exactly(2)),
            "gt" => (builtins::gt, Params::exactly(2)),
            "html" => (escape::html, Params::at_least(0)),
            "index" => (builtins::index, Params::at_least(1)),
            "js" => (escape::js, Params::at_least(0)),
            "le" => (builtins::le, Params::exactly(2)),
            "len" => (builtins::len, Params::exactly(1)),
            "lt" => (builtins::lt, Params::exactly(2)),
            "ne" => (builtins::ne, Params::exactly(2)),
            "not" => (builtins::not, Params::exactly(1)),
            "print" => (builtins::print, Params::at_least(0)),
            "printf" => (builtins::printf, Params { count: 1, strings: 1, is_variadic: true }),
            "println" => (builtins::println, Params::at_least(0)),
            "slice" => (builtins::slice, Params::at_least(1)),
            "urlquery" => (escape::url_query, Params::at_least(0)),
            _ => return None,
        };
        Some((Function { name: "", params, call }, true))
    }
}
