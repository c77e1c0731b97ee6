//! What the edges must not be.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;

use crate::edges::Edge;

/// The rooms from the top down; those of one line lie side by side and do not name each other.
const LAYERS: &[&[&str]] = &[
    &["fuzzing"],
    &["cli"],
    &["run"],
    &["report", "image"],
    &["steps"],
    &["changes"],
    &["platform", "vcenter"],
    &["facts"],
    &["profile", "state"],
    &["host"],
];

/// The circles of the files that a circle holds, at most so many each.
const SHOWN: usize = 12;

fn layer(room: &str) -> Option<usize> {
    LAYERS.iter().position(|rooms| rooms.contains(&room))
}

/// A line for every item of a room that is named from below or beside it.
pub fn violations(edges: &BTreeSet<Edge>) -> Vec<String> {
    let mut violations = BTreeSet::new();
    for edge in edges {
        let Some(from) = &edge.from.room else { continue };
        let line = format!("{} names {} of {}", edge.from.file, edge.item, edge.to.file);
        let Some(above) = layer(from) else {
            violations.insert(format!("{}: the room `{from}` has no place in the order", edge.from.file));
            continue;
        };
        match &edge.to.room {
            None => _ = violations.insert(format!("{line}, the crate's own")),
            Some(to) if to == from => {}
            Some(to) if layer(to).is_none_or(|below| below <= above) => {
                violations.insert(line);
            }
            Some(_) => {}
        }
    }
    violations.into_iter().collect()
}

/// Files of which each leads to every other.
pub struct Circle {
    pub files: BTreeSet<String>,
    chains: Vec<String>,
}

impl fmt::Display for Circle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} files:", self.files.len())?;
        self.chains.iter().try_for_each(|chain| write!(f, "\n  {chain}"))
    }
}

type Graph<'a> = BTreeMap<&'a str, BTreeMap<&'a str, &'a str>>;

/// The circles, each with the short chains that it is made of.
pub fn circles(edges: &BTreeSet<Edge>) -> Vec<Circle> {
    let mut graph: Graph<'_> = BTreeMap::new();
    for edge in edges {
        graph.entry(&edge.from.file).or_default().entry(&edge.to.file).or_insert(&edge.item);
    }
    let mut reversed: Graph<'_> = BTreeMap::new();
    for edge in edges {
        reversed.entry(&edge.to.file).or_default().insert(&edge.from.file, &edge.item);
    }
    let mut circles: Vec<Circle> = Vec::new();
    for start in graph.keys() {
        if circles.iter().any(|circle| circle.files.contains(*start)) {
            continue;
        }
        let files = &reached(&graph, start) & &reached(&reversed, start);
        if files.is_empty() {
            continue;
        }
        let mut chains: BTreeSet<(usize, String)> = BTreeSet::new();
        for file in &files {
            let cycle = shortest(&graph, file);
            // From the same file, whichever it was found from.
            let first = cycle.iter().enumerate().min_by_key(|(_, file)| **file).map_or(0, |(at, _)| at);
            let turned: Vec<&str> = cycle[first..].iter().chain(&cycle[..=first]).copied().collect();
            chains.insert((turned.len(), written(&graph, &turned)));
        }
        let chains = chains.into_iter().take(SHOWN).map(|(_, chain)| chain).collect();
        circles.push(Circle { files: files.into_iter().map(str::to_owned).collect(), chains });
    }
    circles
}

/// What `from` leads to; itself only where it lies on a circle.
fn reached<'a>(graph: &Graph<'a>, from: &str) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut left = vec![from];
    while let Some(file) = left.pop() {
        for next in graph.get(file).into_iter().flatten().map(|(next, _)| *next) {
            if reached.insert(next) {
                left.push(next);
            }
        }
    }
    reached
}

/// The shortest way from `file` to itself, without its end.
fn shortest<'a>(graph: &Graph<'a>, file: &'a str) -> Vec<&'a str> {
    let mut ways = VecDeque::from([vec![file]]);
    let mut seen = BTreeSet::new();
    while let Some(way) = ways.pop_front() {
        for next in graph.get(way[way.len() - 1]).into_iter().flatten().map(|(next, _)| *next) {
            if next == file {
                return way;
            }
            if seen.insert(next) {
                ways.push_back(way.iter().copied().chain([next]).collect());
            }
        }
    }
    Vec::new()
}

fn written(graph: &Graph<'_>, way: &[&str]) -> String {
    let mut line = way[0].to_owned();
    for pair in way.windows(2) {
        line += &format!(" -> {} ({})", pair[1], graph[pair[0]][pair[1]]);
    }
    line
}
