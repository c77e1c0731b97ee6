//! The layer rule (src/lib.rs), and that no two files import each other, held against the source as Rust resolves its names.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "the project's own source, not files of a host"
)]

mod checker;
mod edges;
mod names;
mod rules;
mod source;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::LazyLock;

use self::edges::Edge;
use self::names::Tree;

static EDGES: LazyLock<BTreeSet<Edge>> = LazyLock::new(|| {
    let sources = source::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    edges::of(&Tree::new(&sources).unwrap())
});

#[test]
fn a_lower_room_never_names_a_higher_one() {
    let violations = rules::violations(&EDGES);
    assert!(violations.is_empty(), "{} violations:\n{}", violations.len(), violations.join("\n"));
}

#[test]
fn no_two_files_import_each_other() {
    let circles = rules::circles(&EDGES);
    let shown: Vec<String> = circles.iter().map(ToString::to_string).collect();
    assert!(circles.is_empty(), "{} circles:\n{}", circles.len(), shown.join("\n"));
}
