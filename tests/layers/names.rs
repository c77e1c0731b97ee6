//! The modules of a crate, the names that each has, and what a path means there.

use std::collections::BTreeMap;

use syn::visit::{self, Visit};
use syn::{ImplItemFn, Item, ItemMod, ItemUse, UseTree, Visibility};

use crate::source::{Sources, attributes, is_test, path_attribute};

/// One name that a `use` brings in.
#[derive(Clone)]
pub struct Import {
    pub path: Vec<String>,
    /// The name; `*` of all names.
    pub name: String,
    /// Whether others can take it from here: `pub use` and its like.
    pub is_reexport: bool,
}

enum Definition {
    Item,
    Module(usize),
    Import(Vec<String>),
}

/// A module, in a file of its own or not.
pub struct Module {
    /// Its path below the crate.
    pub path: Vec<String>,
    pub file: String,
    /// Its items but for modules and what is for tests alone.
    pub items: Vec<Item>,
    pub imports: Vec<Import>,
    parent: usize,
    names: BTreeMap<String, Vec<Definition>>,
}

/// What a path means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    Module(usize),
    /// An item, by the module that defines it.
    Item {
        module: usize,
        name: String,
    },
}

/// The modules of a crate; the crate itself is the first.
pub struct Tree {
    pub modules: Vec<Module>,
}

/// A module's place among the files.
struct Place<'a> {
    file: &'a str,
    /// Where the files of its modules lie.
    directory: String,
}

impl Tree {
    /// # Errors
    /// A file cannot be parsed, or a module has none.
    pub fn new(sources: &Sources) -> Result<Self, String> {
        let mut builder = Builder { sources, tree: Self { modules: Vec::new() } };
        let root = Place { file: "lib.rs", directory: String::new() };
        builder.add(Vec::new(), &root, parse(sources, "lib.rs")?, 0)?;
        Ok(builder.tree)
    }

    /// What `path` means in the module `at`; nothing where it leads out of the crate.
    pub fn find(&self, at: usize, path: &[String]) -> Vec<Found> {
        self.find_once(at, path, &mut Vec::new())
    }

    /// As [`Tree::find`]; `seen` are the names that are being looked up, so that none is for ever.
    fn find_once(&self, at: usize, path: &[String], seen: &mut Vec<(usize, String)>) -> Vec<Found> {
        let Some((first, rest)) = path.split_first() else { return Vec::new() };
        let mut found = match first.as_str() {
            "crate" => vec![Found::Module(0)],
            "self" => vec![Found::Module(at)],
            "super" => vec![Found::Module(self.modules[at].parent)],
            name => self.look_up(at, name, seen),
        };
        for name in rest {
            // A function may have the name of a module: then nothing lies below it.
            let through_module = found.iter().any(|found| matches!(found, Found::Module(_)));
            let next = |found: &Found| match found {
                Found::Module(module) if name == "super" => vec![Found::Module(self.modules[*module].parent)],
                Found::Module(module) => self.look_up(*module, name, seen),
                // A variant or an associated item.
                Found::Item { .. } if through_module => Vec::new(),
                Found::Item { .. } => vec![found.clone()],
            };
            found = found.iter().flat_map(next).collect();
        }
        found
    }

    fn look_up(&self, at: usize, name: &str, seen: &mut Vec<(usize, String)>) -> Vec<Found> {
        let key = (at, name.to_owned());
        // A module may hand on what its child of the same name defines: the child is found then, and no import again.
        let is_again = seen.contains(&key);
        seen.push(key);
        let mut found = Vec::new();
        for definition in self.modules[at].names.get(name).into_iter().flatten() {
            match definition {
                Definition::Item => found.push(Found::Item { module: at, name: name.to_owned() }),
                Definition::Module(module) => found.push(Found::Module(*module)),
                Definition::Import(_) if is_again => {}
                Definition::Import(path) => found.extend(self.find_once(at, path, seen)),
            }
        }
        if found.is_empty() && !is_again {
            for glob in self.modules[at].imports.iter().filter(|import| import.name == "*") {
                for target in self.find_once(at, &glob.path, seen) {
                    if let Found::Module(module) = target {
                        found.extend(self.look_up(module, name, seen));
                    }
                }
            }
        }
        seen.pop();
        found
    }

    /// Whether the module `below` is `above` or lies in it.
    pub fn is_within(&self, below: usize, above: usize) -> bool {
        self.modules[below].path.starts_with(&self.modules[above].path)
    }
}

/// A tree while its files are read.
struct Builder<'a> {
    sources: &'a Sources,
    tree: Tree,
}

impl Builder<'_> {
    fn add(
        &mut self,
        path: Vec<String>,
        place: &Place<'_>,
        items: Vec<Item>,
        parent: usize,
    ) -> Result<usize, String> {
        let this = self.tree.modules.len();
        let file = place.file.to_owned();
        let (imports, names) = (Vec::new(), BTreeMap::new());
        self.tree.modules.push(Module {
            path: path.clone(),
            file,
            items: Vec::new(),
            imports,
            parent,
            names,
        });
        for item in items {
            if is_test(attributes(&item)) {
                continue;
            }
            if let Item::Mod(module) = item {
                let name = module.ident.to_string();
                let mut path = path.clone();
                path.push(name.clone());
                let child = self.add_child(path, place, module, this)?;
                self.define(this, name, Definition::Module(child));
                continue;
            }
            if let Some(name) = defined(&item) {
                self.define(this, name, Definition::Item);
            }
            let mut uses = Uses(Vec::new());
            uses.visit_item(&item);
            for import in uses.0 {
                self.define(this, import.name.clone(), Definition::Import(import.path.clone()));
                self.tree.modules[this].imports.push(import);
            }
            self.tree.modules[this].items.push(item);
        }
        Ok(this)
    }

    fn add_child(
        &mut self,
        path: Vec<String>,
        place: &Place<'_>,
        module: ItemMod,
        parent: usize,
    ) -> Result<usize, String> {
        let name = module.ident.to_string();
        let below = format!("{}{name}", place.directory);
        if let Some((_, items)) = module.content {
            let inline = Place { file: place.file, directory: format!("{below}/") };
            return self.add(path, &inline, items, parent);
        }
        let candidates = match path_attribute(&module.attrs) {
            Some(given) => {
                let beside = place.file.rfind('/').map_or("", |end| &place.file[..=end]);
                vec![format!("{beside}{given}")]
            }
            None => vec![format!("{below}.rs"), format!("{below}/mod.rs")],
        };
        let file = candidates.iter().find(|file| self.sources.contains_key(*file));
        let file = file.ok_or_else(|| format!("{}: no file of `mod {name}`", place.file))?;
        let directory = match path_attribute(&module.attrs) {
            Some(_) => file.rfind('/').map_or("", |end| &file[..=end]).to_owned(),
            None => format!("{below}/"),
        };
        self.add(path, &Place { file, directory }, parse(self.sources, file)?, parent)
    }

    fn define(&mut self, module: usize, name: String, definition: Definition) {
        self.tree.modules[module].names.entry(name).or_default().push(definition);
    }
}

fn parse(sources: &Sources, file: &str) -> Result<Vec<Item>, String> {
    let text = sources.get(file).ok_or_else(|| format!("no file {file}"))?;
    syn::parse_file(text).map(|file| file.items).map_err(|error| format!("{file}: {error}"))
}

/// The name that an item gives to what it defines.
fn defined(item: &Item) -> Option<String> {
    let name = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        _ => return None,
    };
    Some(name.to_string())
}

/// Every `use` of an item, those within functions too.
struct Uses(Vec<Import>);

impl Visit<'_> for Uses {
    fn visit_impl_item_fn(&mut self, function: &ImplItemFn) {
        if !is_test(&function.attrs) {
            visit::visit_impl_item_fn(self, function);
        }
    }

    fn visit_item_use(&mut self, item: &ItemUse) {
        let is_reexport = !matches!(item.vis, Visibility::Inherited);
        expand(&item.tree, &mut Vec::new(), is_reexport, &mut self.0);
    }
}

fn expand(tree: &UseTree, before: &mut Vec<String>, is_reexport: bool, imports: &mut Vec<Import>) {
    let mut import = |path: &[String], last: Option<String>, name: String| {
        let path = path.iter().cloned().chain(last).collect();
        imports.push(Import { path, name, is_reexport });
    };
    match tree {
        UseTree::Path(path) => {
            before.push(path.ident.to_string());
            expand(&path.tree, before, is_reexport, imports);
            before.pop();
        }
        UseTree::Name(name) if name.ident == "self" => {
            import(before, None, before.last().cloned().unwrap_or_default());
        }
        UseTree::Name(name) => import(before, Some(name.ident.to_string()), name.ident.to_string()),
        UseTree::Rename(rename) => {
            let original = (rename.ident != "self").then(|| rename.ident.to_string());
            import(before, original, rename.rename.to_string());
        }
        UseTree::Glob(_) => import(before, None, "*".to_owned()),
        UseTree::Group(group) => {
            for tree in &group.items {
                expand(tree, before, is_reexport, imports);
            }
        }
    }
}
