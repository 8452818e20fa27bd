//! `#[derive(Choice)]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Error, Fields, Result};

use crate::attribute::ChoiceAttributes;
use crate::words;

pub(crate) fn derive(input: &DeriveInput) -> Result<TokenStream> {
    let Data::Enum(data) = &input.data else {
        return Err(Error::new_spanned(&input.ident, "only an enum can derive `Choice`"));
    };
    let (mut values, mut labels, mut variants) = (Vec::new(), Vec::new(), Vec::new());
    for variant in &data.variants {
        if !matches!(variant.fields, Fields::Unit) {
            return Err(Error::new_spanned(variant, "a choice cannot hold data"));
        }
        let attributes = ChoiceAttributes::parse(&variant.attrs)?;
        let snake = words::snake_case(&variant.ident.to_string());
        labels.push(attributes.label.unwrap_or_else(|| words::label(&snake)));
        let value = attributes.rename.unwrap_or(snake);
        if values.contains(&value) {
            return Err(Error::new_spanned(variant, format!("`{value}` is there already")));
        }
        values.push(value);
        variants.push(&variant.ident);
    }
    let name = &input.ident;
    Ok(quote! {
        impl ::sandbell_sdk::Choice for #name {
            const CHOICES: &'static [(&'static str, &'static str)] = &[#((#values, #labels)),*];

            fn from_value(value: &str) -> ::std::option::Option<Self> {
                match value {
                    #(#values => ::std::option::Option::Some(Self::#variants),)*
                    _ => ::std::option::Option::None,
                }
            }
        }

        impl ::sandbell_sdk::__rt::Field for #name {
            const KIND: &'static str = "option";
            const CHOICES: &'static [(&'static str, &'static str)] = <Self as ::sandbell_sdk::Choice>::CHOICES;

            fn parse(
                value: ::std::option::Option<::sandbell_sdk::__rt::Value>,
                spec: &::sandbell_sdk::__rt::OptionSpec,
            ) -> ::std::result::Result<Self, ::sandbell_sdk::ConfigError> {
                ::sandbell_sdk::__rt::parse_choice(value, spec)
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_list_of_choices_is_refused() {
        for (input, want) in [
            ("struct Format;", "only an enum can derive `Choice`"),
            ("enum Format { A(u8) }", "a choice cannot hold data"),
            ("enum Format { A, #[choice(rename = \"a\")] B }", "`a` is there already"),
            (
                "enum Format { #[choice(value = \"a\")] A }",
                "`value`: unknown attribute; there are label, rename",
            ),
        ] {
            assert_eq!(derive(&syn::parse_str(input).unwrap()).unwrap_err().to_string(), want);
        }
    }
}
