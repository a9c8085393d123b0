//! A description on its way into the store: what a client posted or put, about one resource.

use crate::rdf::{Graph, Term, as_iri, is_iri};
use crate::resource::Row;
use crate::resource::star::star;
use crate::store::Entry;
use crate::vocab::ktbs;

/// A new description of a resource, complete or not, checked or not.
#[derive(Debug)]
pub struct Draft {
    /// The rules of its kind.
    pub row: &'static Row,
    /// Its absolute IRI.
    pub iri: String,
    /// The absolute IRI of its container; `None` for the root.
    pub container: Option<String>,
    /// All that the client said, and what was added to it.
    pub graph: Graph,
    /// The resource as a GET shows it, generated triples included; `None` for one that is being created.
    pub before: Option<Entry>,
}

impl Draft {
    /// Returns `create` or `edit`, for messages.
    pub fn verb(&self) -> &'static str {
        if self.before.is_some() { "edit" } else { "create" }
    }

    /// Returns the first value of a property of the resource.
    pub fn value(&self, property: &str) -> Option<&Term> {
        self.graph.object_of(&self.iri, property)
    }

    /// Tells whether a triple is the link from the container.
    pub fn is_link(&self, [s, p, o]: [&Term; 3]) -> bool {
        is_iri(o, &self.iri)
            && as_iri(s).is_some_and(|s| Some(s) == self.container.as_deref())
            && (is_iri(p, ktbs::CONTAINS) || is_iri(p, ktbs::HAS_BASE))
    }

    /// Returns what the store is to keep: all but what is generated at each reading, and, where the kind asks for
    /// it, what is about other resources.
    pub fn into_stored(mut self, generated: &Graph) -> Graph {
        let mut stored = std::mem::take(&mut self.graph);
        if self.row.star {
            stored = star(&stored, &self.iri);
        }
        stored.retain(|s, p, o| !self.is_link([s, p, o]) && !generated.contains(s, p, o));
        stored
    }
}

#[cfg(test)]
pub(super) mod test {
    use sophia::api::source::TripleSource;

    use super::*;
    use crate::resource::row;
    use crate::store::{Head, Kind, Tag};

    /// Returns the graph of some Turtle, where `k:`, `x:`, `rdfs:`, `skos:` and `xsd:` are bound, and `<>` is
    /// `http://h/b/`.
    pub fn graph(turtle: &str) -> Graph {
        let prefixes = format!(
            "@base <http://h/b/>. @prefix k: <{}>. @prefix x: <http://ex.org/>. @prefix rdfs: <{}>.
            @prefix skos: <{}>. @prefix xsd: <{}>. ",
            crate::vocab::KTBS,
            crate::vocab::RDFS,
            crate::vocab::SKOS,
            crate::vocab::XSD
        );
        let text = prefixes + turtle;
        sophia::turtle::parser::turtle::parse_str(&text)
            .collect_triples()
            .expect("the Turtle of a test is correct")
    }

    /// Returns a draft of `http://h/b/r` or `http://h/b/r/`, which replaces `before` if that is given.
    pub fn draft(kind: Kind, new: &str, before: Option<&str>) -> Draft {
        let row = row(kind);
        let path = if row.folder { "b/r/" } else { "b/r" };
        Draft {
            row,
            iri: format!("http://h/{path}"),
            container: Some("http://h/b/".to_owned()),
            graph: graph(new),
            before: before.map(|turtle| Entry {
                head: Head {
                    path: path.to_owned(),
                    kind,
                    tag: Tag { instance: 0, count: 0 },
                    modified: 0,
                    trace: None,
                    unit: None,
                },
                graph: graph(turtle),
            }),
        }
    }

    #[test]
    fn stored_graph_of_a_method_is_a_star_without_the_link() {
        let draft = draft(
            Kind::Method,
            "<> k:contains <r>; rdfs:label 'b'. <r> a k:Method; k:hasParentMethod k:filter; x:p [x:q 1]. <s> x:p 1.",
            None,
        );
        let stored = draft.into_stored(&Graph::new());
        let expected = graph("<r> a k:Method; k:hasParentMethod k:filter; x:p [x:q 1].");
        assert!(sophia::isomorphism::isomorphic_graphs(&stored, &expected).expect("no error is possible"));
    }

    #[test]
    fn stored_graph_of_a_model_is_all_but_the_link() {
        let draft = draft(
            Kind::TraceModel,
            "<> k:contains <r>; rdfs:label 'b'. <r> a k:TraceModel. <r#T> x:p 1.",
            None,
        );
        let stored = draft.into_stored(&Graph::new());
        let expected = graph("<> rdfs:label 'b'. <r> a k:TraceModel. <r#T> x:p 1.");
        assert!(sophia::isomorphism::isomorphic_graphs(&stored, &expected).expect("no error is possible"));
    }
}
