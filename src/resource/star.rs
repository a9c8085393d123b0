//! Star-shaped graphs: what is said of one resource, and nothing else.

use std::collections::{HashMap, HashSet};

use crate::rdf::{Graph, TermId, is_blank};

/// Returns the triples that touch a resource, as subject or object, and, through blank nodes, those that touch them.
///
/// The graphs of the root, of bases, of traces and of methods must be star-shaped (kTBS documentation, "resources").
/// Clients that read a base with `?prop=label` send the labels of its items back with it: dropping what is about
/// another resource serves them better than a refusal.
pub fn star(graph: &Graph, centre: &str) -> Graph {
    let mut result = Graph::new();
    let Some(centre) = graph.iri_id(centre) else {
        return result;
    };
    let blank: Vec<bool> = (0..graph.term_count())
        .map(|id| is_blank(graph.term(id as TermId)))
        .collect();
    let is_blank = |id: TermId| blank[id as usize];

    // Triples are indexed by their blank nodes, so that each is visited once, however long the chains are.
    let mut arcs: HashMap<TermId, Vec<usize>> = HashMap::new();
    let triples: Vec<[TermId; 3]> = graph.ids().collect();
    let mut pending = Vec::new();
    for (index, &[s, _, o]) in triples.iter().enumerate() {
        for node in [s, o] {
            if is_blank(node) {
                arcs.entry(node).or_default().push(index);
            }
        }
        if s == centre || o == centre {
            pending.push(index);
        }
    }
    let mut kept = HashSet::new();
    while let Some(index) = pending.pop() {
        if kept.insert(index) {
            let [s, _, o] = triples[index];
            for node in [s, o] {
                if let Some(indexes) = arcs.remove(&node) {
                    pending.extend(indexes);
                }
            }
        }
    }
    for (index, triple) in triples.iter().enumerate() {
        if kept.contains(&index) {
            let [s, p, o] = triple.map(|id| graph.term(id));
            result.insert(s, p, o);
        }
    }
    result
}

#[cfg(test)]
mod test {
    use super::*;
    use crate::rdf::{blank, iri, string};

    fn graph(triples: &[(&str, &str)]) -> Graph {
        let term = |name: &str| match name.split_at(1) {
            ("_", label) => blank(label),
            ("\"", text) => string(text),
            _ => iri(name),
        };
        let mut graph = Graph::new();
        for (s, o) in triples {
            graph.insert(&term(s), &iri("x:p"), &term(o));
        }
        graph
    }

    #[test]
    fn star_keeps_what_touches_the_centre_and_its_blank_nodes() {
        let all = graph(&[
            ("x:r", "\"label"),
            ("x:other", "\"label"),
            ("x:up", "x:r"),
            ("x:up", "\"label"),
            ("x:r", "_a"),
            ("_a", "_b"),
            ("_b", "x:other"),
            ("_c", "x:r"),
            ("_c", "\"deep"),
            ("_d", "\"lonely"),
            ("x:r", "x:r"),
        ]);
        let kept = graph(&[
            ("x:r", "\"label"),
            ("x:up", "x:r"),
            ("x:r", "_a"),
            ("_a", "_b"),
            ("_b", "x:other"),
            ("_c", "x:r"),
            ("_c", "\"deep"),
            ("x:r", "x:r"),
        ]);
        assert!(star(&all, "x:r").iter().eq(kept.iter()));
        assert!(star(&all, "x:absent").is_empty());
    }

    #[test]
    fn star_follows_long_chains_without_recursion() {
        let mut chain = Graph::new();
        chain.insert(&iri("x:r"), &iri("x:p"), &blank("b0"));
        for i in 0..50_000 {
            chain.insert(&blank(format!("b{i}")), &iri("x:p"), &blank(format!("b{}", i + 1)));
        }
        assert_eq!(star(&chain, "x:r").len(), chain.len());
    }
}
