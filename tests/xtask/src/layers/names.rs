//! Every path that a file names: in `use`, in code, in attributes and inside macros.

use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::{
    ItemExternCrate, ItemMod, ItemUse, Macro, MetaList, Path, UseTree, VisRestricted,
    spanned::Spanned,
    visit::{self, Visit},
};

/// A path, absolute (`crate::…`) where the file says so, and as it is written elsewhere.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) segments: Vec<String>,
    pub(super) line: usize,
}

/// The names of a file that is the module `module` of its crate.
pub(super) fn of(file: &syn::File, module: &[String]) -> Vec<Name> {
    let mut reader = Reader { module: module.to_vec(), names: Vec::new() };
    reader.visit_file(file);
    reader.names
}

struct Reader {
    module: Vec<String>,
    names: Vec<Name>,
}

impl Reader {
    fn add(&mut self, segments: Vec<String>, line: usize) {
        self.names.push(Name { segments: absolute(&self.module, segments), line });
    }

    fn add_tree(&mut self, before: &[String], tree: &UseTree) {
        let joined = |name: &Ident| {
            let mut segments = before.to_vec();
            segments.push(name.to_string());
            segments
        };
        match tree {
            UseTree::Path(path) => self.add_tree(&joined(&path.ident), &path.tree),
            UseTree::Name(name) if name.ident == "self" => {
                self.add(before.to_vec(), name.span().start().line);
            }
            UseTree::Name(name) => self.add(joined(&name.ident), name.span().start().line),
            UseTree::Rename(rename) if rename.ident == "self" => {
                self.add(before.to_vec(), rename.span().start().line);
            }
            UseTree::Rename(rename) => self.add(joined(&rename.ident), rename.span().start().line),
            UseTree::Glob(glob) => {
                let mut segments = before.to_vec();
                segments.push("*".to_owned());
                self.add(segments, glob.span().start().line);
            }
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.add_tree(before, tree)),
        }
    }

    /// A macro's input is not Rust until the macro has run, but its paths look the same.
    fn add_tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<Ident> = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    if colons != 2 {
                        self.add_idents(&mut path);
                    }
                    path.push(ident);
                    colons = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                TokenTree::Group(group) => {
                    self.add_idents(&mut path);
                    colons = 0;
                    self.add_tokens(group.stream());
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => {
                    self.add_idents(&mut path);
                    colons = 0;
                }
            }
        }
        self.add_idents(&mut path);
    }

    fn add_idents(&mut self, path: &mut Vec<Ident>) {
        if path.len() > 1 {
            let line = path[0].span().start().line;
            self.add(path.iter().map(Ident::to_string).collect(), line);
        }
        path.clear();
    }
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        self.module.push(item.ident.to_string());
        visit::visit_item_mod(self, item);
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.add_tree(&[], &item.tree);
    }

    fn visit_item_extern_crate(&mut self, item: &'ast ItemExternCrate) {
        self.add(vec![item.ident.to_string()], item.span().start().line);
    }

    fn visit_path(&mut self, path: &'ast Path) {
        let segments = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.add(segments, path.span().start().line);
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        visit::visit_macro(self, call);
        self.add_tokens(call.tokens.clone());
    }

    fn visit_meta_list(&mut self, list: &'ast MetaList) {
        visit::visit_meta_list(self, list);
        self.add_tokens(list.tokens.clone());
    }

    /// `pub(crate)` names nothing that is used.
    fn visit_vis_restricted(&mut self, _: &'ast VisRestricted) {}
}

/// `self` and `super` follow the module that they stand in.
fn absolute(module: &[String], segments: Vec<String>) -> Vec<String> {
    let mut here = module.to_vec();
    let mut rest = segments.as_slice();
    match rest.first().map(String::as_str) {
        Some("self" | "super") => {}
        _ => return segments,
    }
    while let Some((first, others)) = rest.split_first() {
        match first.as_str() {
            "self" => {}
            "super" => drop(here.pop()),
            _ => break,
        }
        rest = others;
    }
    let mut absolute = vec!["crate".to_owned()];
    absolute.extend(here);
    absolute.extend_from_slice(rest);
    absolute
}

#[cfg(test)]
mod tests {
    use super::of;

    /// The names of a file in `doors::icinga` that start in the crate or have more than one segment.
    fn read(text: &str) -> Vec<String> {
        let module = ["doors", "icinga"].map(str::to_owned);
        let names = of(&syn::parse_file(text).unwrap(), &module);
        let long = names.into_iter().filter(|name| name.segments.len() > 1);
        long.map(|name| format!("{} {}", name.line, name.segments.join("::"))).collect()
    }

    #[test]
    fn imports_are_taken_apart() {
        assert_eq!(
            read("use crate::{app, doors::{self, quay as q}};\nuse super::auth::*;"),
            ["1 crate::app", "1 crate::doors", "1 crate::doors::quay", "2 crate::doors::auth::*"]
        );
    }

    #[test]
    fn code_is_read_too() {
        assert_eq!(
            read("fn f(x: crate::app::App) { super::quay::g() }"),
            ["1 crate::app::App", "1 crate::doors::quay::g"]
        );
        assert_eq!(read("fn f() -> Vec<crate::cli::X> { h() }"), ["1 crate::cli::X"]);
        assert_eq!(read("#[derive(clap::Args)]\nstruct S;"), ["1 clap::Args"]);
    }

    #[test]
    fn a_macro_hides_nothing() {
        assert_eq!(
            read("fn f() { println!(\"{} {}\", crate::app::name(), [super::super::dispatch::X]); }"),
            ["1 crate::app::name", "1 crate::dispatch::X"]
        );
    }

    #[test]
    fn a_nested_module_moves_super() {
        assert_eq!(
            read("mod tests { use super::*; use super::super::quay; }"),
            ["1 crate::doors::icinga::*", "1 crate::doors::quay"]
        );
    }

    #[test]
    fn visibility_is_no_use() {
        assert!(read("pub(crate) struct S; pub(in crate::doors) fn f() {}").is_empty());
    }
}
