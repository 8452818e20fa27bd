//! Rust files: a first line that says what for, and sizes that fit a head.

use std::path::Path;

use proc_macro2::Span;
use syn::{
    Attribute, Block, File, ImplItemFn, ItemFn, ItemImpl, ItemMod, Meta, TraitItemFn,
    spanned::Spanned,
    visit::{self, Visit},
};

use crate::{files::Source, offence::Offence};

const FILE_LINES_MAX: usize = 400;
/// The same as clippy's in `clippy.toml`, counted the same way, but also where clippy does not look.
const FUNCTION_LINES_MAX: usize = 70;

pub(super) fn offences(source: &Source) -> Vec<Offence> {
    let Source { path, text } = source;
    let mut offences = Vec::new();
    if !text.starts_with("//!") {
        offences
            .push(Offence::of(path, "does not open with `//!`; say in one sentence what the file is for"));
    }
    let lines = text.lines().count();
    if lines > FILE_LINES_MAX {
        offences.push(Offence::of(
            path,
            format!("has {lines} lines, {FILE_LINES_MAX} at most; split it by meaning"),
        ));
    }
    match syn::parse_file(text) {
        Ok(file) => offences.extend(long_functions(path, text, &file)),
        Err(error) => {
            offences.push(Offence::at(path, error.span().start().line, format!("is not Rust: {error}")));
        }
    }
    offences
}

fn long_functions(path: &Path, text: &str, file: &File) -> Vec<Offence> {
    let lines = text.lines().collect();
    let mut reader = Functions { path, lines, excused: is_excused(&file.attrs), offences: Vec::new() };
    reader.visit_file(file);
    reader.offences
}

struct Functions<'a> {
    path: &'a Path,
    lines: Vec<&'a str>,
    /// Something around the function expects it to be long.
    excused: bool,
    offences: Vec<Offence>,
}

impl Functions<'_> {
    fn look_at(&mut self, attributes: &[Attribute], name: &syn::Ident, body: &Block) {
        let count = self.code_lines(body);
        if count > FUNCTION_LINES_MAX && !self.excused && !is_excused(attributes) {
            let what =
                format!("`{name}` has {count} lines, {FUNCTION_LINES_MAX} at most; split it by meaning");
            self.offences.push(Offence::at(self.path, line(name.span()), what));
        }
    }

    /// The lines between the braces that are neither empty nor only a comment.
    fn code_lines(&self, body: &Block) -> usize {
        let inside =
            line(body.brace_token.span.open())..line(body.brace_token.span.close()).saturating_sub(1);
        let mut in_comment = false;
        let mut count = 0;
        for text in self.lines.get(inside).into_iter().flatten() {
            let text = text.trim();
            if in_comment || text.starts_with("/*") {
                in_comment = !text.contains("*/");
            } else if !text.is_empty() && !text.starts_with("//") {
                count += 1;
            }
        }
        count
    }

    fn within(&mut self, attributes: &[Attribute], visit: impl FnOnce(&mut Self)) {
        let before = self.excused;
        self.excused |= is_excused(attributes);
        visit(self);
        self.excused = before;
    }
}

impl<'ast> Visit<'ast> for Functions<'_> {
    fn visit_item_fn(&mut self, item: &'ast ItemFn) {
        self.look_at(&item.attrs, &item.sig.ident, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast ImplItemFn) {
        self.look_at(&item.attrs, &item.sig.ident, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast TraitItemFn) {
        if let Some(body) = &item.default {
            self.look_at(&item.attrs, &item.sig.ident, body);
        }
        visit::visit_trait_item_fn(self, item);
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        self.within(&item.attrs, |reader| visit::visit_item_mod(reader, item));
    }

    fn visit_item_impl(&mut self, item: &'ast ItemImpl) {
        self.within(&item.attrs, |reader| visit::visit_item_impl(reader, item));
    }
}

/// `#[expect(clippy::too_many_lines, …)]`, with a reason or clippy objects.
fn is_excused(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) => {
            list.path.is_ident("expect") && list.tokens.to_string().contains("too_many_lines")
        }
        Meta::Path(_) | Meta::NameValue(_) => false,
    })
}

fn line(span: Span) -> usize {
    span.span().start().line
}

#[cfg(test)]
mod tests {
    use super::offences;
    use crate::{files::Source, offence::listed};

    fn check(text: &str, want: &str) {
        let source = Source { path: "a.rs".into(), text: text.to_owned() };
        assert_eq!(listed(&offences(&source)), want);
    }

    /// A function whose body has `code` lines that count.
    fn function(attributes: &str, code: usize) -> String {
        let body = "    f();\n".repeat(code);
        format!("{attributes}fn f() {{\n    // why\n\n    /* and\n    why not */\n{body}}}\n")
    }

    #[test]
    fn the_first_line_says_what_for() {
        check("//! What for.\n", "");
        check("use std::fs;\n", "a.rs: does not open with `//!`; say in one sentence what the file is for");
    }

    #[test]
    fn a_file_has_an_end() {
        let of = |lines: usize| "//! What for.\n".to_owned() + &"//\n".repeat(lines - 1);
        check(&of(400), "");
        check(&of(401), "a.rs: has 401 lines, 400 at most; split it by meaning");
    }

    #[test]
    fn a_function_has_an_end() {
        let of = |attributes, code| format!("//! What for.\n{}", function(attributes, code));
        check(&of("", 70), "");
        check(&of("", 71), "a.rs:2: `f` has 71 lines, 70 at most; split it by meaning");
        check(&of("#[expect(clippy::too_many_lines, reason = \"a table\")]\n", 71), "");
        check(
            &format!("//! What for.\nimpl X {{\n{}}}\n", function("", 90)),
            "a.rs:3: `f` has 90 lines, 70 at most; split it by meaning",
        );
        check(
            &format!(
                "//! What for.\n#[expect(clippy::too_many_lines, reason = \"tables\")]\nmod tests {{\n{}}}\n",
                function("", 90)
            ),
            "",
        );
    }

    #[test]
    fn what_is_not_rust_is_named() {
        check("//! What for.\nfn f( {\n", "a.rs:2: is not Rust: cannot parse string into token stream");
    }
}
