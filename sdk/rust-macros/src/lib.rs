//! The derives of sandbell-sdk; use them through it.

mod attribute; // what may be written in #[config(…)] and #[choice(…)]
mod choice;
mod config;
mod words; // from a name in code to words for people

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Makes a form out of a struct, and the struct out of the form's values.
///
/// | field's type | element of the form |
/// | --- | --- |
/// | `String` | a line of text; with `multiline`, several |
/// | `bool` | a tick, not set unless `default = true` |
/// | `u8` … `i64` | a number within `min` and `max` and the type's own bounds |
/// | `Secret` | a password, which the channel can place but not read |
/// | an enum with `#[derive(Choice)]`, a `Vec` of one | a list to choose one or several from |
/// | `Option` of any of these | the same, not required |
///
/// A field is required unless it is an `Option`, a `bool`, a `Vec`, or has a default. The doc comment is the help, the
/// field's name in words is the label. In `#[config(…)]`:
///
/// | attribute | says |
/// | --- | --- |
/// | `label = "…"`, `label(de_DE = "…")` | the label, in en_US and in other languages |
/// | `help = "…"`, `help(de_DE = "…")` | the help, likewise |
/// | `default = …` | text, a number, a bool, a choice's value, or `["…", "…"]` |
/// | `required` | must be filled in although there is a default |
/// | `min = …`, `max = …` | bounds of a number |
/// | `multiline` | a text of several lines |
/// | `rename = "…"` | the option's name, if it is not the field's |
/// | `placeholder = "…"`, `pattern = "…"` | hints for the form |
#[proc_macro_derive(ChannelConfig, attributes(config))]
pub fn channel_config(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    config::derive(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Makes an option's list of choices out of an enum without data.
///
/// A variant's value is its name in `snake_case`, its label the name in words; `#[choice(rename = "…", label = "…")]`
/// says otherwise.
#[proc_macro_derive(Choice, attributes(choice))]
pub fn choice(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    choice::derive(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}
