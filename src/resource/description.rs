//! Splits a graph into the descriptions of the obsels that it contains.
//!
//! The description of an obsel is all the triples that have it as subject or object and, through blank nodes, all that
//! these lead to (kTBS documentation, "obsel"). A triple between two obsels of the graph belongs to its subject alone. Blank
//! nodes are gathered into connected groups; a group that several obsels touch belongs to each of them.

use std::collections::{HashMap, HashSet};

use crate::error::{Error, Result};
use crate::rdf::{Graph, TermId, is_blank};

/// A triple of term numbers of the graph that is split.
pub type Ids = [TermId; 3];

/// The description of one obsel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Description {
    /// The node of the obsel.
    pub node: TermId,
    /// Triples of which it is the subject.
    pub own: Vec<Ids>,
    /// Triples of which it is the object, and whose subject is neither another obsel of the graph nor a blank node.
    pub incoming: Vec<Ids>,
    /// The groups of blank nodes that it touches, by number, in order.
    pub groups: Vec<usize>,
}

/// Blank nodes that lead to each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// Its blank nodes, in the order of the graph.
    pub nodes: Vec<TermId>,
    /// Triples of which a blank node of the group is the subject.
    pub own: Vec<Ids>,
    /// Triples of which a blank node of the group is the object, and whose subject is no blank node and no obsel of the
    /// graph.
    pub incoming: Vec<Ids>,
    /// How many obsels touch it.
    pub obsels: usize,
}

/// A graph, split.
#[derive(Clone, Debug, Default)]
pub struct Descriptions {
    /// One for each obsel, in the order in which they were given.
    pub obsels: Vec<Description>,
    /// The groups of blank nodes.
    pub groups: Vec<Group>,
    /// Triples that belong to no obsel.
    pub rest: Vec<Ids>,
}

/// Most triples that may be stored more than once because several obsels share their blank nodes.
const SHARED_TRIPLES: usize = 100_000;

/// Splits a graph into the descriptions of some of its nodes. Costs the triples of the graph.
///
/// # Errors
/// `TooLarge`: blank nodes shared by many obsels would have to be stored too many times.
pub fn split(graph: &Graph, obsels: &[TermId]) -> Result<Descriptions> {
    let mut split = Descriptions {
        obsels: obsels
            .iter()
            .map(|node| Description {
                node: *node,
                ..Description::default()
            })
            .collect(),
        ..Descriptions::default()
    };
    let index: HashMap<TermId, usize> = obsels.iter().enumerate().map(|(i, node)| (*node, i)).collect();
    let blank: Vec<bool> = (0..graph.term_count())
        .map(|id| is_blank(graph.term(id as TermId)))
        .collect();
    let in_group = |id: TermId| blank[id as usize] && !index.contains_key(&id);
    let group_of = connected(graph, in_group);

    split
        .groups
        .resize_with(group_of.values().max().map_or(0, |last| last + 1), Group::default);
    let mut touches: HashSet<(usize, usize)> = HashSet::new();
    let mut listed: HashSet<TermId> = HashSet::new();
    for triple in graph.ids() {
        let [s, _, o] = triple;
        let (subject, object) = (index.get(&s), index.get(&o));
        let (subject_group, object_group) = (group_of.get(&s), group_of.get(&o));
        for (node, group) in [(s, subject_group), (o, object_group)] {
            if let Some(group) = group
                && listed.insert(node)
            {
                split.groups[*group].nodes.push(node);
            }
        }
        for (obsel, group) in [(subject, object_group), (object, subject_group)] {
            if let (Some(obsel), Some(group)) = (obsel, group) {
                touches.insert((*obsel, *group));
            }
        }
        match (subject, subject_group, object, object_group) {
            (Some(subject), ..) => split.obsels[*subject].own.push(triple),
            (_, Some(group), ..) => split.groups[*group].own.push(triple),
            (_, _, Some(object), _) => split.obsels[*object].incoming.push(triple),
            (_, _, _, Some(group)) => split.groups[*group].incoming.push(triple),
            _ => split.rest.push(triple),
        }
    }
    let mut touches: Vec<_> = touches.into_iter().collect();
    touches.sort_unstable();
    for (obsel, group) in touches {
        split.obsels[obsel].groups.push(group);
        split.groups[group].obsels += 1;
    }
    for group in &mut split.groups {
        if group.obsels == 0 {
            split.rest.append(&mut group.own);
            split.rest.append(&mut group.incoming);
        }
    }
    let copies = |group: &Group| (group.own.len() + group.incoming.len()) * group.obsels.saturating_sub(1);
    if split.groups.iter().map(copies).sum::<usize>() > SHARED_TRIPLES {
        return Err(Error::TooLarge(format!(
            "blank nodes shared by several obsels stand for more than {SHARED_TRIPLES} triples"
        )));
    }
    Ok(split)
}

/// Returns the number of the group of each node that may be in one: nodes linked by a triple are in the same group.
fn connected(graph: &Graph, in_group: impl Fn(TermId) -> bool) -> HashMap<TermId, usize> {
    let mut parent: HashMap<TermId, TermId> = HashMap::new();
    fn find(parent: &mut HashMap<TermId, TermId>, node: TermId) -> TermId {
        let mut top = node;
        while let Some(&up) = parent.get(&top)
            && up != top
        {
            top = up;
        }
        // The path is flattened, so that a long chain of blank nodes is walked once.
        let mut here = node;
        while here != top {
            let up = parent.insert(here, top).unwrap_or(top);
            here = up;
        }
        top
    }
    for [s, _, o] in graph.ids() {
        for node in [s, o] {
            if in_group(node) {
                parent.entry(node).or_insert(node);
            }
        }
        if in_group(s) && in_group(o) {
            let (a, b) = (find(&mut parent, s), find(&mut parent, o));
            parent.insert(a, b);
        }
    }
    let mut nodes: Vec<TermId> = parent.keys().copied().collect();
    nodes.sort_unstable();
    let mut numbers: HashMap<TermId, usize> = HashMap::new();
    let mut groups = HashMap::new();
    for node in nodes {
        let top = find(&mut parent, node);
        let next = numbers.len();
        groups.insert(node, *numbers.entry(top).or_insert(next));
    }
    groups
}

#[cfg(test)]
mod test {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::rdf::{Term, blank, iri, string};

    /// Splits triples of short names: `_x` is a blank node, `"x` a literal, anything else an IRI.
    fn check(triples: &[[&str; 3]], obsels: &[&str]) -> (Graph, Descriptions) {
        let term = |name: &str| -> Term {
            match name.split_at(1) {
                ("_", label) => blank(label),
                ("\"", text) => string(text),
                _ => iri(format!("http://ex.org/{name}")),
            }
        };
        let mut graph = Graph::new();
        for [s, p, o] in triples {
            graph.insert(&term(s), &term(p), &term(o));
        }
        let obsels: Vec<TermId> = obsels.iter().map(|name| graph.id(&term(name)).unwrap()).collect();
        let split = split(&graph, &obsels).unwrap();
        (graph, split)
    }

    #[test]
    fn a_triple_between_obsels_belongs_to_its_subject() {
        let (_, split) = check(
            &[["a", "p", "b"], ["_c", "p", "a"], ["b", "p", "_c"]],
            &["a", "b", "_c"],
        );
        assert_eq!(
            split.obsels.iter().map(|obsel| obsel.own.len()).collect::<Vec<_>>(),
            [1, 1, 1]
        );
        assert!(
            split
                .obsels
                .iter()
                .all(|obsel| obsel.incoming.is_empty() && obsel.groups.is_empty())
        );
        assert!(split.rest.is_empty());
    }

    #[test]
    fn blank_nodes_are_crossed_both_ways() {
        let (_, split) = check(
            &[
                ["a", "p", "_x"],
                ["_x", "p", "_y"],
                ["_z", "p", "_y"],
                ["d", "p", "_z"],
                ["_u", "p", "\"v"],
                ["d", "p", "e"],
            ],
            &["a"],
        );
        assert_eq!(split.obsels[0].groups.len(), 1);
        let group = &split.groups[split.obsels[0].groups[0]];
        assert_eq!(
            (group.nodes.len(), group.own.len(), group.incoming.len(), group.obsels),
            (3, 2, 1, 1)
        );
        assert_eq!(split.rest.len(), 2);
    }

    #[test]
    fn a_shared_blank_node_belongs_to_all_that_touch_it() {
        let (_, split) = check(&[["a", "p", "_x"], ["_x", "q", "b"], ["_x", "r", "\"v"]], &["a", "b"]);
        assert_eq!(split.obsels[0].groups, split.obsels[1].groups);
        assert_eq!(split.groups[split.obsels[0].groups[0]].obsels, 2);
    }

    #[test]
    fn a_long_chain_of_blank_nodes_is_one_group() {
        let mut graph = Graph::new();
        let p = iri("http://ex.org/p");
        for i in 0..20_000 {
            graph.insert(&blank(format!("b{i}")), &p, &blank(format!("b{}", i + 1)));
        }
        graph.insert(&iri("http://ex.org/a"), &p, &blank("b0"));
        let a = graph.iri_id("http://ex.org/a").unwrap();
        assert_eq!(split(&graph, &[a]).unwrap().groups.len(), 1);
    }
}
