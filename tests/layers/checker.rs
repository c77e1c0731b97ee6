//! The checker itself, on small crates.

use std::collections::BTreeSet;

use crate::edges::{self, Edge};
use crate::names::Tree;
use crate::rules;
use crate::source::Sources;

fn edges_of(files: &[(&str, &str)]) -> BTreeSet<Edge> {
    let sources: Sources = files.iter().map(|(file, text)| ((*file).into(), (*text).into())).collect();
    edges::of(&Tree::new(&sources).unwrap())
}

/// A crate of the rooms cli, facts and host.
fn of_rooms(files: &[(&str, &str)]) -> BTreeSet<Edge> {
    let mut all = vec![("lib.rs", "pub mod cli; pub mod facts; pub mod host;")];
    for room in ["cli.rs", "facts.rs", "host.rs"] {
        if !files.iter().any(|(file, _)| *file == room) {
            all.push((room, ""));
        }
    }
    all.extend(files);
    edges_of(&all)
}

fn lines(edges: &BTreeSet<Edge>) -> Vec<String> {
    edges.iter().map(|edge| format!("{} {} {}", edge.from.file, edge.to.file, edge.item)).collect()
}

fn circles(edges: &BTreeSet<Edge>) -> Vec<String> {
    rules::circles(edges).iter().map(ToString::to_string).collect()
}

#[test]
fn a_room_may_name_what_lies_below_it_and_not_what_lies_above() {
    let downwards = of_rooms(&[("cli.rs", "use crate::host::Host;"), ("host.rs", "pub struct Host;")]);
    assert_eq!(rules::violations(&downwards), [""; 0]);
    let upwards = of_rooms(&[("host.rs", "use crate::cli::Options;"), ("cli.rs", "pub struct Options;")]);
    assert_eq!(rules::violations(&upwards), ["host.rs names Options of cli.rs"]);
    let beside = edges_of(&[
        ("lib.rs", "mod report; mod image;"),
        ("report.rs", "fn f() { super::image::seal(); }"),
        ("image.rs", "pub fn seal() {}"),
    ]);
    assert_eq!(rules::violations(&beside), ["report.rs names seal of image.rs"]);
    let unknown = edges_of(&[
        ("lib.rs", "mod attic; mod host;"),
        ("attic.rs", "use crate::host::H;"),
        ("host.rs", "pub struct H;"),
    ]);
    assert_eq!(rules::violations(&unknown), ["attic.rs: the room `attic` has no place in the order"]);
    let own = edges_of(&[("lib.rs", "mod host; pub struct All;"), ("host.rs", "use crate::All;")]);
    assert_eq!(rules::violations(&own), ["host.rs names All of lib.rs, the crate's own"]);
}

#[test]
fn every_way_to_name_an_item_counts() {
    for text in [
        "use crate::cli::Options;",
        "use super::cli::{self, *, Options as Other};",
        "use crate::cli; fn f(options: cli::Options) {}",
        "use crate::cli::*; fn f(options: Options) {}",
        "fn f() { let _ = crate::cli::Options::default(); }",
        "fn f() -> Option<Vec<crate::cli::Options>> { None }",
        "fn f() { use crate::cli::Options; }",
        "fn f() { println!(\"{}\", [crate::cli::Options::NAME].len()); }",
        "impl crate::cli::Options { fn f() {} }",
        "fn f(x: u8) -> bool { matches!(x, crate::cli::Options) }",
        "mod inner { fn f(x: super::super::cli::Options) {} }",
        "pub use crate::cli::Options;",
        "struct S { #[serde(default = \"crate::cli::Options::new\")] key: u8 }",
    ] {
        let edges = of_rooms(&[("facts.rs", text), ("cli.rs", "pub struct Options;")]);
        assert_eq!(rules::violations(&edges), ["facts.rs names Options of cli.rs"], "{text}");
    }
    for text in [
        "#[cfg(test)] mod tests { use crate::cli::Options; }",
        "#[cfg(test)] mod none;",
        "#[cfg(test)] use crate::cli::Options;",
        "struct S; impl S { #[cfg(test)] fn f() { crate::cli::Options; } }",
        "use std::cli::Options; fn f() { other::cli::Options; }",
        "/// [`crate::cli::Options`]\nstruct S;",
        "use crate::cli;",
    ] {
        let edges = of_rooms(&[("facts.rs", text), ("cli.rs", "pub struct Options;")]);
        assert_eq!(lines(&edges), [""; 0], "{text}");
    }
}

#[test]
fn a_name_leads_to_the_file_that_defines_it() {
    let edges = of_rooms(&[
        ("cli.rs", "use crate::facts::{Fact, disks, read}; fn f() { disks::Disk; Fact::Known; read(); }"),
        ("facts.rs", "mod disks; mod fact; mod read; pub use self::fact::*; pub use read::read;"),
        ("facts/fact.rs", "pub enum Fact { Known }"),
        ("facts/read.rs", "use super::Fact; pub fn read() -> Fact { loop {} }"),
        ("facts/disks/mod.rs", "#[path = \"kind.rs\"] mod kinds; pub(crate) use kinds::Kind as Disk;"),
        ("facts/disks/kind.rs", "pub struct Kind; fn f(fact: super::super::Fact) {}"),
    ]);
    let expected = [
        "cli.rs facts/disks/kind.rs Kind",
        "cli.rs facts/fact.rs Fact",
        "cli.rs facts/read.rs read",
        "facts/disks/kind.rs facts/fact.rs Fact",
        "facts/read.rs facts/fact.rs Fact",
    ];
    assert_eq!(lines(&edges), expected);
    assert_eq!(circles(&edges), [""; 0], "who declares and hands on imports nothing");
}

#[test]
fn files_that_import_each_other_are_a_circle() {
    let parent = of_rooms(&[
        ("facts.rs", "mod disks; pub struct Fact; fn f() { disks::load(); }"),
        ("facts/disks.rs", "pub fn load() -> super::Fact { loop {} }"),
    ]);
    assert_eq!(circles(&parent), ["2 files:\n  facts.rs -> facts/disks.rs (load) -> facts.rs (Fact)"]);
    let handed_on = of_rooms(&[
        ("facts.rs", "mod a; pub use a::A; struct All { a: A } pub struct Fact;"),
        ("facts/a.rs", "use super::Fact; pub struct A;"),
    ]);
    assert_eq!(circles(&handed_on), ["2 files:\n  facts.rs -> facts/a.rs (A) -> facts.rs (Fact)"]);
    let round = of_rooms(&[
        ("facts.rs", "mod a; mod b; mod c; mod d;"),
        ("facts/a.rs", "pub fn a() { super::b::b() }"),
        ("facts/b.rs", "pub fn b() { super::c::c() }"),
        ("facts/c.rs", "pub fn c() { super::a::a() }"),
        ("facts/d.rs", "pub fn d() { super::a::a() }"),
    ]);
    let chain = "facts/a.rs -> facts/b.rs (b) -> facts/c.rs (c) -> facts/a.rs (a)";
    assert_eq!(circles(&round), [format!("3 files:\n  {chain}")]);
}

#[test]
fn what_cannot_be_read_is_an_error() {
    let error = |files: &[(&str, &str)]| {
        let sources: Sources = files.iter().map(|(file, text)| ((*file).into(), (*text).into())).collect();
        Tree::new(&sources).err().unwrap()
    };
    assert_eq!(error(&[("lib.rs", "mod none;")]), "lib.rs: no file of `mod none`");
    assert!(error(&[("lib.rs", "fn fn")]).starts_with("lib.rs: expected "));
}
