//! The tag of a description, for a visitor who may not see everything: it follows from what they are shown.
//!
//! The tag that the store gives changes with the whole: when something that they may not read is created in a container, or
//! begins to use a trace. It would tell them so.

use sha2::{Digest, Sha256};
use sophia::api::term::SimpleTerm;

use crate::rdf::{Graph, Term};
use crate::resource::view::{Content, View};

/// Gives the view of a description, whole but for what is hidden, a tag that follows from it, and no time: those of the store
/// change with what is hidden.
pub(in crate::resource) fn hide_edition(view: &mut View) {
    if let Content::Graph(graph) = &view.content {
        view.tags = vec![tag_of(graph)];
        view.modified = None;
    }
}

/// Returns the tag of a graph, whatever the order of its triples.
pub(in crate::resource) fn tag_of(graph: &Graph) -> String {
    let mut triples: Vec<[u8; 32]> = graph
        .iter()
        .map(|triple| {
            let mut hasher = Sha256::new();
            for term in triple {
                feed(&mut hasher, term);
            }
            hasher.finalize().into()
        })
        .collect();
    triples.sort_unstable();
    let mut hasher = Sha256::new();
    for triple in triples {
        hasher.update(triple);
    }
    let digest = hasher.finalize();
    digest[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

fn feed(hasher: &mut Sha256, term: &Term) {
    let mut part = |mark: u8, text: &str| {
        hasher.update([mark]);
        hasher.update((text.len() as u64).to_be_bytes());
        hasher.update(text);
    };
    match term {
        SimpleTerm::Iri(iri) => part(0, iri),
        SimpleTerm::BlankNode(label) => part(1, label),
        SimpleTerm::LiteralDatatype(lexical, datatype) => {
            part(2, lexical);
            part(3, datatype);
        }
        SimpleTerm::LiteralLanguage(lexical, language, _) => {
            part(2, lexical);
            part(4, language);
        }
        // The store has no other terms.
        other => part(5, &format!("{other:?}")),
    }
}

#[cfg(test)]
mod test {
    use super::*;
    use crate::rdf::{iri, string, tagged};

    #[test]
    fn a_tag_follows_from_the_triples_alone() {
        let [a, b] = ["http://h/a", "http://h/b"].map(iri);
        let triples = [
            [a.clone(), b.clone(), string("x")],
            [a.clone(), b.clone(), tagged("x", "fr")],
            [a.clone(), a.clone(), iri("x")],
        ];
        let graph = |order: &[usize]| {
            let mut graph = Graph::new();
            for &index in order {
                let [s, p, o] = &triples[index];
                graph.insert(s, p, o);
            }
            tag_of(&graph)
        };
        assert_eq!(graph(&[0, 1, 2]), graph(&[2, 0, 1]));
        let all = [&[][..], &[0], &[1], &[2], &[0, 1], &[0, 2], &[1, 2], &[0, 1, 2]].map(graph);
        for (i, tag) in all.iter().enumerate() {
            assert!(tag.len() == 32 && !all[..i].contains(tag), "{all:?}");
        }
    }
}
