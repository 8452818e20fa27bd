//! Configuration: from a struct to a form, and from the form's values back to the struct.
//!
//! The host has typed every value and filled in defaults before; what is refused here is what only a host with
//! mistakes can send, and it still names the option.

use crate::bindings::exports::sandbell::channel::plugin as wit;
use crate::{ConfigError, Secret};

use wit::{Setting, Value};

/// A struct whose fields are the channel's options; derive it.
///
/// A type that no form can show is refused by the compiler:
///
/// ```compile_fail
/// # use sandbell_sdk::prelude::*;
/// #[derive(ChannelConfig)]
/// struct Config {
///     ratio: f64,
/// }
/// ```
///
/// And so is a default that is none of the choices:
///
/// ```compile_fail
/// # use sandbell_sdk::prelude::*;
/// #[derive(Choice)]
/// enum Format { Text, Html }
///
/// #[derive(ChannelConfig)]
/// struct Config {
///     #[config(default = "rtf")]
///     format: Format,
/// }
/// ```
pub trait ChannelConfig: Sized {
    /// The form, in the order of the fields.
    const OPTIONS: &'static [OptionSpec];

    /// Takes the struct's values out of what the host gives.
    fn read(settings: &mut Settings) -> Result<Self, ConfigError>;
}

/// A closed set of values, shown as a list to choose from; derive it on an enum without data.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no list of choices",
    label = "needs `#[derive(Choice)]`",
    note = "only an enum without data can derive `Choice`"
)]
pub trait Choice: Sized {
    /// Value and label of each variant.
    const CHOICES: &'static [(&'static str, &'static str)];

    /// The variant with this value.
    fn from_value(value: &str) -> Option<Self>;
}

/// A type that an option can have.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a configuration option",
    label = "no type of an option",
    note = "use `String`, `bool`, an integer, `Secret`, an enum with `#[derive(Choice)]`, a `Vec` of such an enum, or an `Option` of one of these"
)]
pub trait Field: Sized {
    const KIND: &'static str;
    /// Without a default it must be given.
    const REQUIRED: bool = true;
    const CHOICES: &'static [(&'static str, &'static str)] = &[];
    const MIN: Option<i64> = None;
    const MAX: Option<i64> = None;

    /// `None` means that nothing was given and there is no default.
    fn parse(value: Option<Value>, spec: &OptionSpec) -> Result<Self, ConfigError>;
}

/// One option of the form, as the derive writes it down.
#[derive(Clone, Copy, Debug)]
pub struct OptionSpec {
    pub name: &'static str,
    pub kind: &'static str,
    /// Locale and text.
    pub label: &'static [(&'static str, &'static str)],
    pub help: &'static [(&'static str, &'static str)],
    pub default: Option<DefaultValue>,
    pub required: bool,
    pub choices: &'static [(&'static str, &'static str)],
    pub min: Option<i64>,
    pub max: Option<i64>,
    pub hints: &'static [(&'static str, &'static str)],
}

#[derive(Clone, Copy, Debug)]
pub enum DefaultValue {
    Boolean(bool),
    Integer(i64),
    Text(&'static str),
    Many(&'static [&'static str]),
}

/// What the host gives: every option once, at most.
#[derive(Debug)]
pub struct Settings(Vec<Setting>);

impl Settings {
    pub fn new(settings: Vec<Setting>) -> Self {
        Self(settings)
    }

    /// Takes the value of one option.
    pub fn take<F: Field>(&mut self, spec: &OptionSpec) -> Result<F, ConfigError> {
        let found = self.0.iter().position(|setting| setting.name == spec.name);
        let value = found.map(|index| self.0.swap_remove(index).value);
        F::parse(value.or_else(|| spec.default.map(Value::from)), spec)
    }
}

impl OptionSpec {
    fn refuse(&self, message: impl Into<String>) -> ConfigError {
        ConfigError::option(self.name, message)
    }

    fn missing(&self) -> ConfigError {
        self.refuse("is required and has no value")
    }
}

impl From<DefaultValue> for Value {
    fn from(value: DefaultValue) -> Self {
        match value {
            DefaultValue::Boolean(value) => Self::Boolean(value),
            DefaultValue::Integer(value) => Self::Integer(value),
            DefaultValue::Text(value) => Self::Text(value.to_owned()),
            DefaultValue::Many(values) => Self::Many(values.iter().map(|&value| value.to_owned()).collect()),
        }
    }
}

impl From<&OptionSpec> for wit::ConfigOption {
    fn from(spec: &OptionSpec) -> Self {
        let OptionSpec { name, kind, label, help, default, required, choices, min, max, hints } = *spec;
        let localized = |texts: &[(&str, &str)]| {
            let one = |&(locale, text): &(&str, &str)| wit::Localized {
                locale: locale.to_owned(),
                text: text.to_owned(),
            };
            texts.iter().map(one).collect()
        };
        let choice =
            |&(value, label): &(&str, &str)| wit::Choice { value: value.to_owned(), label: label.to_owned() };
        let hint = |&(key, value): &(&str, &str)| (key.to_owned(), value.to_owned());
        Self {
            name: name.to_owned(),
            kind: kind.to_owned(),
            label: localized(label),
            help: localized(help),
            default: default.map(Value::from),
            required,
            choices: choices.iter().map(choice).collect(),
            min,
            max,
            hints: hints.iter().map(hint).collect(),
        }
    }
}

impl Field for String {
    const KIND: &'static str = "string";

    fn parse(value: Option<Value>, spec: &OptionSpec) -> Result<Self, ConfigError> {
        match value {
            Some(Value::Text(text)) if text.is_empty() && spec.required => Err(spec.missing()),
            Some(Value::Text(text)) => Ok(text),
            Some(_) => Err(spec.refuse("must be text")),
            None => Err(spec.missing()),
        }
    }
}

impl Field for bool {
    const KIND: &'static str = "bool";
    /// To a form, a required tick means that it must be set (`reference/icinga.md` §3.7).
    const REQUIRED: bool = false;

    fn parse(value: Option<Value>, spec: &OptionSpec) -> Result<Self, ConfigError> {
        match value {
            Some(Value::Boolean(value)) => Ok(value),
            Some(_) => Err(spec.refuse("must be true or false")),
            None => Ok(false),
        }
    }
}

impl Field for Secret {
    const KIND: &'static str = "secret";

    fn parse(value: Option<Value>, spec: &OptionSpec) -> Result<Self, ConfigError> {
        match value {
            Some(Value::Secret(name)) => Ok(Self::new(name)),
            Some(_) => Err(spec.refuse("must be kept as a secret by the host")),
            None => Err(spec.missing()),
        }
    }
}

impl<F: Field> Field for Option<F> {
    const KIND: &'static str = F::KIND;
    const REQUIRED: bool = false;
    const CHOICES: &'static [(&'static str, &'static str)] = F::CHOICES;
    const MIN: Option<i64> = F::MIN;
    const MAX: Option<i64> = F::MAX;

    /// A field that was emptied is as good as one that was never filled in.
    fn parse(value: Option<Value>, spec: &OptionSpec) -> Result<Self, ConfigError> {
        match value {
            None => Ok(None),
            Some(Value::Text(text)) if text.is_empty() => Ok(None),
            Some(value) => F::parse(Some(value), spec).map(Some),
        }
    }
}

impl<C: Choice> Field for Vec<C> {
    const KIND: &'static str = "options";
    const REQUIRED: bool = false;
    const CHOICES: &'static [(&'static str, &'static str)] = C::CHOICES;

    fn parse(value: Option<Value>, spec: &OptionSpec) -> Result<Self, ConfigError> {
        match value {
            None => Ok(Self::new()),
            Some(Value::Many(values)) => values.iter().map(|value| choice(value, spec)).collect(),
            Some(_) => Err(spec.refuse("must be a list of choices")),
        }
    }
}

macro_rules! integers {
    ($($type:ident: $min:expr, $max:expr;)*) => {$(
        impl Field for $type {
            const KIND: &'static str = "number";
            const MIN: Option<i64> = $min;
            const MAX: Option<i64> = $max;

            fn parse(value: Option<Value>, spec: &OptionSpec) -> Result<Self, ConfigError> {
                let number = integer(value.as_ref(), spec)?;
                Self::try_from(number).map_err(|_| out_of_bounds(spec))
            }
        }
    )*};
}

integers! {
    u8: Some(0), Some(255);
    u16: Some(0), Some(65_535);
    u32: Some(0), Some(4_294_967_295);
    u64: Some(0), None;
    i8: Some(-128), Some(127);
    i16: Some(-32_768), Some(32_767);
    i32: Some(-2_147_483_648), Some(2_147_483_647);
    i64: None, None;
}

/// Reads an enum's value; what the derive of [`Choice`](derive@crate::Choice) calls.
pub fn parse_choice<C: Choice>(value: Option<Value>, spec: &OptionSpec) -> Result<C, ConfigError> {
    match value {
        Some(Value::Text(text)) if text.is_empty() && spec.required => Err(spec.missing()),
        Some(Value::Text(text)) => choice(&text, spec),
        Some(_) => Err(spec.refuse("must be one of the choices")),
        None => Err(spec.missing()),
    }
}

/// Fails the build of a channel whose default is none of its choices.
pub const fn assert_choice(choices: &[(&str, &str)], value: &str) {
    let mut index = 0;
    while index < choices.len() {
        if is_equal(choices[index].0.as_bytes(), value.as_bytes()) {
            return;
        }
        index += 1;
    }
    panic!("the default is none of the choices");
}

const fn is_equal(left: &[u8], right: &[u8]) -> bool {
    let mut index = 0;
    while index < left.len() && index < right.len() && left[index] == right[index] {
        index += 1;
    }
    index == left.len() && index == right.len()
}

fn choice<C: Choice>(value: &str, spec: &OptionSpec) -> Result<C, ConfigError> {
    C::from_value(value).ok_or_else(|| {
        let known: Vec<_> = C::CHOICES.iter().map(|(value, _)| format!("`{value}`")).collect();
        spec.refuse(format!("must be one of {}", known.join(", ")))
    })
}

fn integer(value: Option<&Value>, spec: &OptionSpec) -> Result<i64, ConfigError> {
    let number = match value {
        Some(Value::Integer(number)) => *number,
        Some(_) => return Err(spec.refuse("must be a whole number")),
        None => return Err(spec.missing()),
    };
    let is_within = spec.min.is_none_or(|min| number >= min) && spec.max.is_none_or(|max| number <= max);
    if is_within { Ok(number) } else { Err(out_of_bounds(spec)) }
}

fn out_of_bounds(spec: &OptionSpec) -> ConfigError {
    spec.refuse(match (spec.min, spec.max) {
        (Some(min), Some(max)) => format!("must be between {min} and {max}"),
        (Some(min), None) => format!("must be at least {min}"),
        (None, Some(max)) => format!("must be at most {max}"),
        (None, None) => "is too large".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPEC: OptionSpec = OptionSpec {
        name: "a",
        kind: "string",
        label: &[],
        help: &[],
        default: None,
        required: true,
        choices: &[],
        min: None,
        max: None,
        hints: &[],
    };

    fn take<F: Field>(value: Option<Value>) -> Result<F, String> {
        let setting = |value| Setting { name: "a".to_owned(), value };
        Settings::new(value.map(setting).into_iter().collect()).take(&SPEC).map_err(|error| error.to_string())
    }

    #[test]
    fn a_host_with_mistakes_is_refused_by_name() {
        let text = || Some(Value::Text("x".to_owned()));
        assert_eq!(take::<String>(Some(Value::Boolean(true))).unwrap_err(), "`a` must be text");
        assert_eq!(take::<String>(None).unwrap_err(), "`a` is required and has no value");
        assert_eq!(take::<bool>(text()).unwrap_err(), "`a` must be true or false");
        assert_eq!(take::<u8>(text()).unwrap_err(), "`a` must be a whole number");
        assert_eq!(take::<u8>(Some(Value::Integer(256))).unwrap_err(), "`a` is too large");
        assert_eq!(take::<u8>(None).unwrap_err(), "`a` is required and has no value");
        assert_eq!(take::<Secret>(text()).unwrap_err(), "`a` must be kept as a secret by the host");
        assert_eq!(take::<Secret>(None).unwrap_err(), "`a` is required and has no value");
    }

    #[test]
    fn what_is_not_required_may_be_absent_or_emptied() {
        assert_eq!(take::<Option<String>>(None), Ok(None));
        assert_eq!(take::<Option<u8>>(Some(Value::Text(String::new()))), Ok(None));
        assert_eq!(take::<Option<u8>>(Some(Value::Integer(7))), Ok(Some(7)));
        assert_eq!(take::<bool>(None), Ok(false));
    }
}
