//! What may be written in `#[config(…)]` and `#[choice(…)]`.

use proc_macro2::Span;
use syn::meta::ParseNestedMeta;
use syn::spanned::Spanned;
use syn::{Attribute, Expr, ExprLit, ExprUnary, Ident, Lit, LitStr, Meta, Result, Token, UnOp};

const FALLBACK_LOCALE: &str = "en_US";

/// A text in several languages, in the order in which they were written.
pub(crate) type Localized = Vec<(String, String)>;

/// Everything about one option that its type does not say.
#[derive(Default)]
pub(crate) struct OptionAttributes {
    pub(crate) label: Localized,
    pub(crate) help: Localized,
    pub(crate) default: Option<Default>,
    pub(crate) required: Option<Span>,
    pub(crate) min: Option<(i64, Span)>,
    pub(crate) max: Option<(i64, Span)>,
    pub(crate) multiline: Option<Span>,
    pub(crate) rename: Option<String>,
    pub(crate) hints: Vec<(String, String)>,
}

pub(crate) struct Default {
    pub(crate) value: DefaultValue,
    pub(crate) span: Span,
}

pub(crate) enum DefaultValue {
    Boolean(bool),
    Integer(i64),
    Text(String),
    Many(Vec<String>),
}

#[derive(Default)]
pub(crate) struct ChoiceAttributes {
    pub(crate) label: Option<String>,
    pub(crate) rename: Option<String>,
}

impl OptionAttributes {
    pub(crate) fn parse(attributes: &[Attribute]) -> Result<Self> {
        let mut parsed = Self { help: doc_comment(attributes), ..Self::default() };
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("config")) {
            attribute.parse_nested_meta(|meta| parsed.one(&meta))?;
        }
        Ok(parsed)
    }

    fn one(&mut self, meta: &ParseNestedMeta<'_>) -> Result<()> {
        let name = meta.path.get_ident().map(Ident::to_string).unwrap_or_default();
        let span = meta.path.span();
        match name.as_str() {
            "label" => localized(meta, &mut self.label)?,
            "help" => localized(meta, &mut self.help)?,
            "default" => self.default = Some(default(&meta.value()?.parse()?)?),
            "required" => self.required = Some(span),
            "min" => self.min = Some((integer(&meta.value()?.parse()?)?, span)),
            "max" => self.max = Some((integer(&meta.value()?.parse()?)?, span)),
            "multiline" => self.multiline = Some(span),
            "rename" => self.rename = Some(text(meta)?),
            "placeholder" | "pattern" => self.hints.push((name, text(meta)?)),
            _ => {
                let known =
                    "label, help, default, required, min, max, multiline, rename, placeholder, pattern";
                return Err(unknown(meta, known));
            }
        }
        Ok(())
    }
}

impl ChoiceAttributes {
    pub(crate) fn parse(attributes: &[Attribute]) -> Result<Self> {
        let mut parsed = Self::default();
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("choice")) {
            attribute.parse_nested_meta(|meta| {
                let place = match meta.path.get_ident().map(Ident::to_string).as_deref() {
                    Some("label") => &mut parsed.label,
                    Some("rename") => &mut parsed.rename,
                    _ => return Err(unknown(&meta, "label, rename")),
                };
                *place = Some(text(&meta)?);
                Ok(())
            })?;
        }
        Ok(parsed)
    }
}

/// Both `label = "…"` and `label(de_DE = "…")`; a language that is there already is replaced.
fn localized(meta: &ParseNestedMeta<'_>, texts: &mut Localized) -> Result<()> {
    let mut put = |locale: String, text: String| {
        texts.retain(|(found, _)| *found != locale);
        texts.push((locale, text));
    };
    if meta.input.peek(Token![=]) {
        put(FALLBACK_LOCALE.to_owned(), text(meta)?);
        return Ok(());
    }
    meta.parse_nested_meta(|inner| {
        let locale =
            inner.path.get_ident().ok_or_else(|| inner.error("write a locale, e.g. `de_DE`"))?.to_string();
        put(locale, text(&inner)?);
        Ok(())
    })
}

fn text(meta: &ParseNestedMeta<'_>) -> Result<String> {
    meta.value()?.parse::<LitStr>().map(|text| text.value())
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "a literal is meant; what else syn comes to know is refused"
)]
fn default(expr: &Expr) -> Result<Default> {
    let value = match expr {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => DefaultValue::Text(text.value()),
        Expr::Lit(ExprLit { lit: Lit::Bool(value), .. }) => DefaultValue::Boolean(value.value),
        Expr::Array(array) => {
            let text = |expr: &Expr| match expr {
                Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Ok(text.value()),
                _ => Err(syn::Error::new(expr.span(), "write the choices' values as text")),
            };
            DefaultValue::Many(array.elems.iter().map(text).collect::<Result<_>>()?)
        }
        _ => DefaultValue::Integer(integer(expr)?),
    };
    Ok(Default { value, span: expr.span() })
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "a literal is meant; what else syn comes to know is refused"
)]
fn integer(expr: &Expr) -> Result<i64> {
    match expr {
        Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => number.base10_parse(),
        Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. }) => integer(expr).map(|number| -number),
        _ => Err(syn::Error::new(
            expr.span(),
            "write a literal: text, a whole number, `true`, `false` or a list of texts",
        )),
    }
}

fn unknown(meta: &ParseNestedMeta<'_>, known: &str) -> syn::Error {
    let name =
        meta.path.segments.iter().map(|segment| segment.ident.to_string()).collect::<Vec<_>>().join("::");
    meta.error(format!("`{name}`: unknown attribute; there are {known}"))
}

/// The doc comment as one help text: a line break becomes a blank, an empty line a line break.
fn doc_comment(attributes: &[Attribute]) -> Localized {
    let mut help = String::new();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("doc")) {
        let Meta::NameValue(pair) = &attribute.meta else { continue };
        let Expr::Lit(ExprLit { lit: Lit::Str(line), .. }) = &pair.value else { continue };
        let line = line.value();
        match line.trim() {
            "" => help.push('\n'),
            line if help.is_empty() || help.ends_with('\n') => help.push_str(line),
            line => {
                help.push(' ');
                help.push_str(line);
            }
        }
    }
    let help = help.trim();
    if help.is_empty() { Vec::new() } else { vec![(FALLBACK_LOCALE.to_owned(), help.to_owned())] }
}
