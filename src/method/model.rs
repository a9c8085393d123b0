//! What methods read in trace models: subtypes and datatypes of attributes, parent models included.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::rdf::{Graph, as_iri};
use crate::vocab::ktbs;

/// A model and all those from which it inherits that this server has.
#[derive(Debug, Default)]
pub struct Vocabulary {
    graphs: Vec<Graph>,
}

impl Vocabulary {
    /// Reads a model and, transitively, its parents. A model that is not there teaches nothing.
    pub fn read(model: Option<&str>, get: &dyn Fn(&str) -> Option<Graph>) -> Self {
        let mut graphs = Vec::new();
        let mut seen: HashSet<String> = model.map(str::to_owned).into_iter().collect();
        let mut todo: Vec<String> = seen.iter().cloned().collect();
        while let Some(model) = todo.pop() {
            let Some(graph) = get(&model) else {
                continue;
            };
            for parent in graph.objects_of(&model, ktbs::HAS_PARENT_MODEL).filter_map(as_iri) {
                if seen.insert(parent.to_owned()) {
                    todo.push(parent.to_owned());
                }
            }
            graphs.push(graph);
        }
        Self { graphs }
    }

    /// Returns what has a type when it has one of those: the types themselves and their subtypes, sorted.
    pub fn with_subtypes<'a>(&self, types: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
        let mut found: BTreeSet<String> = types.into_iter().map(str::to_owned).collect();
        let subtypes = self.pairs(ktbs::HAS_SUPER_OBSEL_TYPE);
        let mut todo: Vec<String> = found.iter().cloned().collect();
        while let Some(super_type) = todo.pop() {
            for subtype in subtypes.get(super_type.as_str()).into_iter().flatten() {
                if found.insert((*subtype).to_owned()) {
                    todo.push((*subtype).to_owned());
                }
            }
        }
        found
    }

    /// Returns the datatype of the values of an attribute, if there is exactly one.
    pub fn datatype(&self, attribute: &str) -> Option<&str> {
        let ranges = self
            .graphs
            .iter()
            .flat_map(|graph| graph.objects_of(attribute, ktbs::HAS_ATTRIBUTE_RANGE));
        let ranges: BTreeSet<&str> = ranges.filter_map(as_iri).collect();
        let mut ranges = ranges.into_iter();
        ranges.next().filter(|_| ranges.next().is_none())
    }

    /// Returns the subjects of a property by its objects.
    fn pairs(&self, predicate: &str) -> BTreeMap<&str, Vec<&str>> {
        let mut pairs: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for graph in &self.graphs {
            let Some(predicate) = graph.iri_id(predicate) else {
                continue;
            };
            for [s, _, o] in graph.ids().filter(|[_, p, _]| *p == predicate) {
                if let (Some(s), Some(o)) = (as_iri(graph.term(s)), as_iri(graph.term(o))) {
                    pairs.entry(o).or_default().push(s);
                }
            }
        }
        pairs
    }
}

#[cfg(test)]
mod test {
    use super::*;
    use crate::rdf::iri;
    use crate::vocab::xsd;

    /// `m` and its parent `p` are each other's parent. C is a subtype of B, of A; `p` says that D is one of A too.
    fn models(model: &str) -> Option<Graph> {
        let triples: &[[&str; 3]] = match model {
            "http://x/m" => &[
                ["http://x/m", ktbs::HAS_PARENT_MODEL, "http://x/p"],
                ["http://x/m", ktbs::HAS_PARENT_MODEL, "http://elsewhere/"],
                ["http://x/m#B", ktbs::HAS_SUPER_OBSEL_TYPE, "http://x/p#A"],
                ["http://x/m#C", ktbs::HAS_SUPER_OBSEL_TYPE, "http://x/m#B"],
                ["http://x/m#B", ktbs::HAS_SUPER_OBSEL_TYPE, "http://x/m#C"],
                ["http://x/m#two", ktbs::HAS_ATTRIBUTE_RANGE, xsd::INTEGER],
            ],
            "http://x/p" => &[
                ["http://x/p", ktbs::HAS_PARENT_MODEL, "http://x/m"],
                ["http://x/p#D", ktbs::HAS_SUPER_OBSEL_TYPE, "http://x/p#A"],
                ["http://x/p#one", ktbs::HAS_ATTRIBUTE_RANGE, xsd::INTEGER],
                ["http://x/m#two", ktbs::HAS_ATTRIBUTE_RANGE, xsd::DECIMAL],
            ],
            _ => return None,
        };
        let mut graph = Graph::new();
        for [s, p, o] in triples {
            graph.insert(&iri(s), &iri(p), &iri(o));
        }
        Some(graph)
    }

    #[test]
    fn subtypes_are_found_in_parent_models_and_cycles_end() {
        let vocabulary = Vocabulary::read(Some("http://x/m"), &models);
        let found: Vec<_> = vocabulary
            .with_subtypes(["http://x/p#A", "http://y/E"])
            .into_iter()
            .collect();
        let expected = [
            "http://x/m#B",
            "http://x/m#C",
            "http://x/p#A",
            "http://x/p#D",
            "http://y/E",
        ];
        assert_eq!(found, expected);
        let found: Vec<_> = vocabulary.with_subtypes(["http://x/m#C"]).into_iter().collect();
        assert_eq!(found, ["http://x/m#B", "http://x/m#C"]);
    }

    #[test]
    fn a_datatype_counts_if_it_is_the_only_one() {
        let vocabulary = Vocabulary::read(Some("http://x/m"), &models);
        assert_eq!(vocabulary.datatype("http://x/p#one"), Some(xsd::INTEGER));
        assert_eq!(vocabulary.datatype("http://x/m#two"), None);
        assert_eq!(vocabulary.datatype("http://x/m#three"), None);
    }

    #[test]
    fn a_model_that_is_not_there_teaches_nothing() {
        let vocabulary = Vocabulary::read(Some("http://elsewhere/"), &models);
        let found: Vec<_> = vocabulary.with_subtypes(["http://x/p#A"]).into_iter().collect();
        assert_eq!(found, ["http://x/p#A"]);
        assert!(Vocabulary::read(None, &models).graphs.is_empty());
    }
}
