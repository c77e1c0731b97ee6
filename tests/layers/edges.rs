//! Which file names what of which other.

use std::collections::BTreeSet;

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, Expr, ExprCall, ImplItemFn, Macro, Meta};

use crate::names::{Found, Tree};
use crate::source::is_test;

/// One file names an item of another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    pub from: End,
    pub to: End,
    pub item: String,
}

/// A file, and the room in which its module lies; none of the crate's own file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct End {
    pub file: String,
    pub room: Option<String>,
}

/// Every edge of the crate. A module that is named is none: what is taken from it is.
pub fn of(tree: &Tree) -> BTreeSet<Edge> {
    let mut edges = BTreeSet::new();
    for at in 0..tree.modules.len() {
        let module = &tree.modules[at];
        let mut named = Named(BTreeSet::new());
        for item in &module.items {
            named.visit_item(item);
        }
        let paths = module.imports.iter().map(|import| (&import.path, import.is_reexport));
        for (path, is_reexport) in paths.chain(named.0.iter().map(|path| (path, false))) {
            for found in tree.find(at, path) {
                let Found::Item { module: target, name } = found else { continue };
                // A parent that hands on what a child defines imports nothing.
                if tree.modules[target].file == module.file || is_reexport && tree.is_within(target, at) {
                    continue;
                }
                edges.insert(Edge { from: end(tree, at), to: end(tree, target), item: name });
            }
        }
    }
    edges
}

fn end(tree: &Tree, module: usize) -> End {
    let module = &tree.modules[module];
    End { file: module.file.clone(), room: module.path.first().cloned() }
}

/// Every path of the code. One of a single word counts where it is a type's, a constant's or what is called: any other may be
/// a variable.
struct Named(BTreeSet<Vec<String>>);

impl Named {
    fn insert(&mut self, path: Vec<String>) {
        if path.len() > 1 || path[0].starts_with(|first: char| first.is_ascii_uppercase()) {
            self.0.insert(path);
        }
    }

    /// The paths in what a macro is given, which may be of any grammar.
    fn scan(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut rest = tokens.as_slice();
        while let Some(token) = rest.first() {
            if let TokenTree::Group(group) = token {
                self.scan(group.stream());
            }
            let TokenTree::Ident(first) = token else {
                rest = &rest[1..];
                continue;
            };
            let mut path = vec![first.to_string()];
            rest = &rest[1..];
            while let [TokenTree::Punct(one), TokenTree::Punct(two), TokenTree::Ident(next), left @ ..] = rest
                && one.as_char() == ':'
                && two.as_char() == ':'
            {
                path.push(next.to_string());
                rest = left;
            }
            match rest.first() {
                Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis => {
                    self.0.insert(path);
                }
                _ => self.insert(path),
            }
        }
    }
}

impl Visit<'_> for Named {
    fn visit_impl_item_fn(&mut self, function: &ImplItemFn) {
        if !is_test(&function.attrs) {
            visit::visit_impl_item_fn(self, function);
        }
    }

    fn visit_path(&mut self, path: &syn::Path) {
        self.insert(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        visit::visit_path(self, path);
    }

    fn visit_expr_call(&mut self, call: &ExprCall) {
        if let Expr::Path(callee) = &*call.func {
            self.0.insert(callee.path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        }
        visit::visit_expr_call(self, call);
    }

    fn visit_macro(&mut self, call: &Macro) {
        self.scan(call.tokens.clone());
        visit::visit_macro(self, call);
    }

    /// serde names functions in strings.
    fn visit_attribute(&mut self, attribute: &Attribute) {
        let Meta::List(list) = &attribute.meta else { return };
        for token in list.tokens.clone() {
            let TokenTree::Literal(literal) = token else { continue };
            let text = literal.to_string();
            let path: Vec<String> = text.trim_matches('"').split("::").map(str::to_owned).collect();
            if attribute.path().is_ident("serde") && path.len() > 1 {
                self.0.insert(path);
            }
        }
    }
}
