//! `#[derive(ChannelConfig)]`.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Error, Field, Fields, GenericArgument, PathArguments, Result, Type};

use crate::attribute::{DefaultValue, OptionAttributes};
use crate::words;

/// What the name of a field's type says about it; the rest is checked by the compiler.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Text,
    Boolean,
    Number,
    Secret,
    Choice,
    Choices,
}

pub(crate) fn derive(input: &DeriveInput) -> Result<TokenStream> {
    let Data::Struct(data) = &input.data else {
        return Err(Error::new_spanned(&input.ident, "only a struct can derive `ChannelConfig`"));
    };
    let fields: Vec<&Field> = match &data.fields {
        Fields::Named(fields) => fields.named.iter().collect(),
        Fields::Unit => Vec::new(),
        Fields::Unnamed(fields) => {
            return Err(Error::new_spanned(fields, "options need names; write `{ name: Type }`"));
        }
    };
    let (mut names, mut specs, mut reads, mut checks) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (index, field) in fields.iter().enumerate() {
        let option = FormOption::parse(field)?;
        if names.contains(&option.name) {
            return Err(Error::new_spanned(field, format!("`{}` is there already", option.name)));
        }
        specs.push(option.spec());
        checks.push(option.check_default());
        let (ident, ty) = (&field.ident, &field.ty);
        reads.push(quote_spanned! { ty.span() => #ident: settings.take::<#ty>(&Self::OPTIONS[#index])? });
        names.push(option.name);
    }
    let name = &input.ident;
    Ok(quote! {
        impl ::sandbell_sdk::ChannelConfig for #name {
            const OPTIONS: &'static [::sandbell_sdk::__rt::OptionSpec] = &[#(#specs),*];

            fn read(
                settings: &mut ::sandbell_sdk::__rt::Settings,
            ) -> ::std::result::Result<Self, ::sandbell_sdk::ConfigError> {
                ::std::result::Result::Ok(Self { #(#reads),* })
            }
        }

        #(#checks)*
    })
}

/// One field, with all that is known about it.
struct FormOption<'a> {
    name: String,
    ty: &'a Type,
    shape: Shape,
    attributes: OptionAttributes,
}

impl<'a> FormOption<'a> {
    fn parse(field: &'a Field) -> Result<Self> {
        let attributes = OptionAttributes::parse(&field.attrs)?;
        let ident = field.ident.as_ref().map(ToString::to_string).unwrap_or_default();
        let ident = ident.trim_start_matches("r#");
        let (shape, is_optional) = shape(&field.ty);
        let name = attributes.rename.clone().unwrap_or_else(|| ident.to_owned());
        let option = Self { name, ty: &field.ty, shape, attributes };
        option.check(is_optional)?;
        Ok(option)
    }

    fn check(&self, is_optional: bool) -> Result<()> {
        let attributes = &self.attributes;
        let refuse = |span, message| Err(Error::new(span, message));
        if let Some((_, span)) = attributes.min.filter(|_| self.shape != Shape::Number) {
            return refuse(span, "`min` only applies to a number");
        }
        if let Some((_, span)) = attributes.max.filter(|_| self.shape != Shape::Number) {
            return refuse(span, "`max` only applies to a number");
        }
        if let Some(span) = attributes.multiline.filter(|_| self.shape != Shape::Text) {
            return refuse(span, "`multiline` only applies to a `String`");
        }
        if let Some(span) = attributes.required.filter(|_| is_optional || self.shape == Shape::Boolean) {
            return refuse(span, "`required` contradicts the type");
        }
        let Some(default) = &attributes.default else { return Ok(()) };
        if is_optional {
            return refuse(default.span, "what has a default is never absent; drop the `Option`");
        }
        let bounds = |number: i64| {
            attributes.min.is_none_or(|(min, _)| number >= min)
                && attributes.max.is_none_or(|(max, _)| number <= max)
        };
        match (self.shape, &default.value) {
            (Shape::Number, DefaultValue::Integer(number)) if !bounds(*number) => {
                refuse(default.span, "the default is out of bounds")
            }
            (Shape::Text | Shape::Choice, DefaultValue::Text(_))
            | (Shape::Boolean, DefaultValue::Boolean(_))
            | (Shape::Number, DefaultValue::Integer(_))
            | (Shape::Choices, DefaultValue::Many(_)) => Ok(()),
            (Shape::Secret, _) => {
                refuse(default.span, "a secret cannot have a default: everybody would know it")
            }
            (Shape::Text, _) => refuse(default.span, "the default of a `String` is text"),
            (Shape::Boolean, _) => refuse(default.span, "the default of a `bool` is `true` or `false`"),
            (Shape::Number, _) => refuse(default.span, "the default of a number is a whole number"),
            (Shape::Choice, _) => refuse(default.span, "the default of a choice is its value as text"),
            (Shape::Choices, _) => {
                refuse(default.span, "the default of several choices is a list of their values")
            }
        }
    }

    fn spec(&self) -> TokenStream {
        let Self { name, ty, shape, attributes } = self;
        let OptionAttributes { label, help, default, required, min, max, multiline, rename: _, hints } =
            attributes;
        let field = quote_spanned! { ty.span() => <#ty as ::sandbell_sdk::__rt::Field> };
        let kind = if multiline.is_some() { quote!("text") } else { quote!(#field::KIND) };
        let mut label = label.clone();
        if !label.iter().any(|(locale, _)| locale == "en_US") {
            label.insert(0, ("en_US".to_owned(), words::label(name)));
        }
        let (label, help, hints) = (pairs(&label), pairs(help), pairs(hints));
        let must = required.is_some();
        let has_default = default.is_some();
        let default = match default.as_ref().map(|default| &default.value) {
            Some(value) => {
                let value = default_value(value);
                quote!(::std::option::Option::Some(#value))
            }
            // A tick that was never touched is not set, and a form can show so.
            None if *shape == Shape::Boolean && !is_option(ty) => {
                let value = default_value(&DefaultValue::Boolean(false));
                quote!(::std::option::Option::Some(#value))
            }
            None => quote!(::std::option::Option::None),
        };
        let bound = |bound: &Option<(i64, _)>, own| match bound {
            Some((number, _)) => quote!(::std::option::Option::Some(#number)),
            None => own,
        };
        let (min, max) = (bound(min, quote!(#field::MIN)), bound(max, quote!(#field::MAX)));
        quote! {
            ::sandbell_sdk::__rt::OptionSpec {
                name: #name,
                kind: #kind,
                label: &[#label],
                help: &[#help],
                default: #default,
                required: #must || (#field::REQUIRED && !#has_default),
                choices: #field::CHOICES,
                min: #min,
                max: #max,
                hints: &[#hints],
            }
        }
    }

    /// The choices are known to the compiler alone, so it is the one to compare a default with them.
    fn check_default(&self) -> TokenStream {
        let Some(default) = &self.attributes.default else { return TokenStream::new() };
        let values: Vec<&String> = match (self.shape, &default.value) {
            (Shape::Choice, DefaultValue::Text(value)) => vec![value],
            (Shape::Choices, DefaultValue::Many(values)) => values.iter().collect(),
            _ => return TokenStream::new(),
        };
        let (ty, span) = (self.ty, default.span);
        let field = quote_spanned! { ty.span() => <#ty as ::sandbell_sdk::__rt::Field> };
        quote_spanned! { span => #(const _: () = ::sandbell_sdk::__rt::assert_choice(#field::CHOICES, #values);)* }
    }
}

fn pairs(pairs: &[(String, String)]) -> TokenStream {
    let (keys, values): (Vec<_>, Vec<_>) = pairs.iter().cloned().unzip();
    quote!(#((#keys, #values)),*)
}

fn default_value(value: &DefaultValue) -> TokenStream {
    let path = quote!(::sandbell_sdk::__rt::DefaultValue);
    match value {
        DefaultValue::Boolean(value) => quote!(#path::Boolean(#value)),
        DefaultValue::Integer(value) => quote!(#path::Integer(#value)),
        DefaultValue::Text(value) => quote!(#path::Text(#value)),
        DefaultValue::Many(values) => quote!(#path::Many(&[#(#values),*])),
    }
}

fn is_option(ty: &Type) -> bool {
    shape(ty).1
}

/// The shape, and whether it is wrapped in an `Option`.
fn shape(ty: &Type) -> (Shape, bool) {
    let Type::Path(path) = ty else { return (Shape::Choice, false) };
    let Some(last) = path.path.segments.last() else { return (Shape::Choice, false) };
    let inner = match &last.arguments {
        PathArguments::AngleBracketed(arguments) => arguments.args.first(),
        PathArguments::None | PathArguments::Parenthesized(_) => None,
    };
    match (last.ident.to_string().as_str(), inner) {
        ("Option", Some(GenericArgument::Type(inner))) => (shape(inner).0, true),
        ("Vec", Some(_)) => (Shape::Choices, false),
        ("String", None) => (Shape::Text, false),
        ("bool", None) => (Shape::Boolean, false),
        ("Secret", None) => (Shape::Secret, false),
        ("u8" | "u16" | "u32" | "u64" | "i8" | "i16" | "i32" | "i64", None) => (Shape::Number, false),
        _ => (Shape::Choice, false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(input: &str) -> String {
        derive(&syn::parse_str(input).unwrap()).unwrap_err().to_string()
    }

    #[test]
    fn what_contradicts_itself_is_refused_by_name() {
        for (field, want) in [
            (
                "#[config(lable = \"x\")] a: String",
                "`lable`: unknown attribute; there are label, help, default, required, min, max, multiline, rename, placeholder, pattern",
            ),
            ("#[config(min = 1)] a: String", "`min` only applies to a number"),
            ("#[config(max = 1)] a: bool", "`max` only applies to a number"),
            ("#[config(multiline)] a: u8", "`multiline` only applies to a `String`"),
            ("#[config(required)] a: Option<String>", "`required` contradicts the type"),
            ("#[config(required)] a: bool", "`required` contradicts the type"),
            (
                "#[config(default = \"x\")] a: Option<String>",
                "what has a default is never absent; drop the `Option`",
            ),
            (
                "#[config(default = \"x\")] a: Secret",
                "a secret cannot have a default: everybody would know it",
            ),
            ("#[config(default = 1)] a: String", "the default of a `String` is text"),
            ("#[config(default = \"yes\")] a: bool", "the default of a `bool` is `true` or `false`"),
            ("#[config(default = \"1\")] a: u8", "the default of a number is a whole number"),
            ("#[config(default = 5, min = 6)] a: u8", "the default is out of bounds"),
            ("#[config(default = 1)] a: Format", "the default of a choice is its value as text"),
            (
                "#[config(default = \"x\")] a: Vec<Format>",
                "the default of several choices is a list of their values",
            ),
            (
                "#[config(default = f())] a: u8",
                "write a literal: text, a whole number, `true`, `false` or a list of texts",
            ),
            ("a: String, #[config(rename = \"a\")] b: String", "`a` is there already"),
        ] {
            assert_eq!(refusal(&format!("struct Config {{ {field} }}")), want, "{field}");
        }
        assert_eq!(refusal("struct Config(String);"), "options need names; write `{ name: Type }`");
        assert_eq!(refusal("enum Config { A }"), "only a struct can derive `ChannelConfig`");
    }

    #[test]
    fn what_is_right_is_taken() {
        for field in [
            "#[config(default = -5, min = -6, max = 6)] a: i64",
            "#[config(label(de_DE = \"x\", fr_FR = \"y\"), help = \"z\")] a: std::string::String",
            "a: ::std::option::Option<Vec<Format>>",
            "",
        ] {
            assert!(
                derive(&syn::parse_str(&format!("struct Config {{ {field} }}")).unwrap()).is_ok(),
                "{field}"
            );
        }
    }
}
