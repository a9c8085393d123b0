//! Which blank nodes can be written inside the triple that refers to them.

use std::collections::HashMap;
use std::ops::Range;

use crate::format::triples::{Node, Triple};
use crate::obsel::Blank;

/// Deepest nesting of brackets that is written. Readers have limits as well, and so has the stack.
const DEEPEST: usize = 32;

/// The blank nodes of a block.
#[derive(Debug, Default)]
pub struct Nesting {
    nodes: HashMap<u32, Place>,
}

#[derive(Debug, Default)]
struct Place {
    /// How many triples have the node as object.
    references: usize,
    /// The subject of the last of them, if it is a blank node of the block.
    parent: Option<u32>,
    /// Where its own triples are in the block.
    triples: Range<usize>,
    nested: bool,
}

impl Nesting {
    /// Decides for each blank node of a grouped block. A node is nested if exactly one triple refers to it, from a
    /// subject that is written before it, not too deep. Takes a time proportional to the size of the block.
    pub fn of(block: &[Triple<'_>]) -> Self {
        let mut nesting = Self::default();
        if !block
            .iter()
            .any(|[subject, _, object]| own(*subject).or(own(*object)).is_some())
        {
            return nesting;
        }
        let mut at = 0;
        for triples in crate::format::triples::subjects(block) {
            let end = at + triples.len();
            let subject = own(triples[0][0]);
            if let Some(subject) = subject {
                nesting.nodes.entry(subject).or_default().triples = at..end;
            }
            for [.., object] in triples {
                if let Some(object) = own(*object) {
                    let place = nesting.nodes.entry(object).or_default();
                    place.references += 1;
                    place.parent = subject;
                }
            }
            at = end;
        }
        nesting.decide();
        nesting
    }

    fn decide(&mut self) {
        let mut children: HashMap<Option<u32>, Vec<u32>> = HashMap::new();
        for (node, place) in &self.nodes {
            if place.references == 1 {
                // From a node that is itself never nested, one starts anew, as from an IRI.
                let parent = place.parent.filter(|it| self.nodes[it].references == 1);
                children.entry(parent).or_default().push(*node);
            }
        }
        // Nodes that refer to each other in a ring are never reached, hence never nested, and so are written.
        let mut reached: Vec<_> = children
            .remove(&None)
            .unwrap_or_default()
            .into_iter()
            .map(|it| (it, 1))
            .collect();
        while let Some((node, depth)) = reached.pop() {
            let nested = depth <= DEEPEST;
            if let Some(place) = self.nodes.get_mut(&node) {
                place.nested = nested;
            }
            let below = if nested { depth + 1 } else { 1 };
            reached.extend(
                children
                    .remove(&Some(node))
                    .unwrap_or_default()
                    .into_iter()
                    .map(|it| (it, below)),
            );
        }
    }

    /// Returns where the triples of a blank node are, if it is to be nested.
    pub fn nested(&self, node: Node<'_>) -> Option<Range<usize>> {
        let place = self.nodes.get(&own(node)?)?;
        place.nested.then(|| place.triples.clone())
    }

    /// Tells whether a subject is a blank node to which nothing refers.
    pub fn is_anonymous(&self, node: Node<'_>) -> bool {
        own(node).is_some_and(|it| self.nodes.get(&it).is_some_and(|place| place.references == 0))
    }
}

fn own(node: Node<'_>) -> Option<u32> {
    match node {
        Node::Blank(Blank::Own(number)) => Some(number),
        _ => None,
    }
}
