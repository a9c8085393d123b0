//! What methods read in trace models: subtypes and datatypes of attributes, parent models included.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use crate::rdf::{Graph, as_iri};
use crate::vocab::ktbs;

/// A model and all those from which it inherits that this server has.
#[derive(Debug, Default)]
pub struct Vocabulary {
    graphs: Vec<Graph>,
    /// The direct subtypes of types.
    subtypes: HashMap<String, Vec<String>>,
    /// What was found of single types, and how much that is.
    known: RefCell<HashMap<String, Rc<BTreeSet<String>>>>,
    found: Cell<usize>,
}

/// How many subtypes the types that are named one by one may have, all together: a type that is a subtype of all the others
/// counts for each.
const MOST_SUBTYPES: usize = 100_000;

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
        let subtypes = subtypes(&graphs);
        Self {
            graphs,
            subtypes,
            ..Self::default()
        }
    }

    /// Returns what has a type when it has this one, as [`Vocabulary::with_subtypes`]. To ask again costs nothing.
    ///
    /// # Errors
    /// A sentence: there are too many.
    pub fn subtypes_of(&self, class: &str) -> Result<Rc<BTreeSet<String>>, String> {
        if let Some(known) = self.known.borrow().get(class) {
            return Ok(Rc::clone(known));
        }
        let found = Rc::new(self.with_subtypes([class]));
        self.found.set(self.found.get() + found.len());
        if self.found.get() > MOST_SUBTYPES {
            return Err(format!(
                "the types have more than {MOST_SUBTYPES} subtypes, all together"
            ));
        }
        self.known.borrow_mut().insert(class.to_owned(), Rc::clone(&found));
        Ok(found)
    }

    /// Returns what has a type when it has one of those: the types themselves and their subtypes, sorted.
    pub fn with_subtypes<'a>(&self, types: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
        let mut found: BTreeSet<String> = types.into_iter().map(str::to_owned).collect();
        let mut todo: Vec<String> = found.iter().cloned().collect();
        while let Some(super_type) = todo.pop() {
            for subtype in self.subtypes.get(super_type.as_str()).into_iter().flatten() {
                if found.insert(subtype.clone()) {
                    todo.push(subtype.clone());
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
}

/// Returns the direct subtypes of types, as models tell them.
fn subtypes(graphs: &[Graph]) -> HashMap<String, Vec<String>> {
    let mut subtypes: HashMap<String, Vec<String>> = HashMap::new();
    for graph in graphs {
        let Some(predicate) = graph.iri_id(ktbs::HAS_SUPER_OBSEL_TYPE) else {
            continue;
        };
        for [s, _, o] in graph.ids().filter(|[_, p, _]| *p == predicate) {
            if let (Some(s), Some(o)) = (as_iri(graph.term(s)), as_iri(graph.term(o))) {
                subtypes.entry(o.to_owned()).or_default().push(s.to_owned());
            }
        }
    }
    subtypes
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
    fn types_that_share_too_many_subtypes_are_refused() {
        let mut graph = Graph::new();
        let class = |number: usize| format!("http://x/m#T{number}");
        for number in 1..5_000 {
            graph.insert(
                &iri(class(number)),
                &iri(ktbs::HAS_SUPER_OBSEL_TYPE),
                &iri(class(number - 1)),
            );
        }
        let vocabulary = Vocabulary::read(Some("http://x/m"), &|_| Some(graph.clone()));
        let start = std::time::Instant::now();
        let found = (0..5_000).map(|number| vocabulary.subtypes_of(&class(number)).map(|found| found.len()));
        let found: Vec<_> = found.take_while(Result::is_ok).collect();
        assert_eq!(found[1], Ok(4_999));
        assert_eq!(found.len(), 20);
        assert!(
            start.elapsed() < std::time::Duration::from_secs(30),
            "{:?}",
            start.elapsed()
        );
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
