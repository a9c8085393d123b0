//! The data that a query sees: a default graph, named graphs, and how they are filled.

use hashbrown::HashSet;

use super::index::{Heap, Index};
use super::limits;
use super::terms::{Parts, Terms};
use crate::error::{Error, Result};
use crate::rdf::{Graph, Term, TermId, as_iri, is_blank};

/// A default graph and named graphs, over terms that are stored once.
///
/// It cannot be changed, and may be shared by threads and by queries.
#[derive(Debug)]
pub struct Dataset {
    pub(super) terms: Terms,
    pub(super) default: Index,
    /// In the order of the numbers of the names.
    pub(super) named: Vec<(TermId, Index)>,
}

impl Dataset {
    /// Returns a default graph alone.
    pub fn of(graph: &Graph) -> Self {
        let mut builder = Builder::new();
        builder.add(graph);
        builder.finish()
    }

    /// Returns the number of triples of the default graph.
    pub fn len(&self) -> usize {
        self.default.len()
    }

    /// Tells whether the default graph is empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns roughly how many bytes this takes.
    pub fn bytes(&self) -> usize {
        let named: usize = self.named.iter().map(|(_, index)| index.bytes()).sum();
        self.terms.bytes() + self.default.bytes() + named
    }

    pub(super) fn graph(&self, name: TermId) -> Option<&Index> {
        let place = self.named.binary_search_by_key(&name, |(name, _)| *name).ok()?;
        Some(&self.named[place].1)
    }
}

/// A dataset while it is filled.
///
/// Each triple goes to the default graph, and to the named graph that was started last. So the default graph is the
/// union of all, where each triple is once (SPARQL 1.1 Query Language, section 13.1, leaves that choice).
#[derive(Debug, Default)]
pub struct Builder {
    pub(super) terms: Terms,
    default: Heap,
    named: Vec<(TermId, Heap)>,
    only: Option<HashSet<TermId>>,
    /// How many triples were added, each as often as it was.
    triples: usize,
}

/// How much memory the data of a query may take, in bytes, before it is asked: some ten million obsels of a few properties.
const MOST_BYTES: usize = 2 << 30;

impl Builder {
    /// Returns a builder that keeps all that it is given.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns a builder that keeps only the triples of some predicates, given by their IRIs; `None`: of all.
    pub fn keeping(predicates: Option<&[String]>) -> Self {
        let mut builder = Self::new();
        builder.only = predicates.map(|iris| iris.iter().map(|iri| builder.terms.intern(Parts::Iri(iri))).collect());
        builder
    }

    /// Starts a named graph; its blank nodes are its own.
    pub fn start_graph(&mut self, name: &str) {
        let name = self.terms.intern(Parts::Iri(name));
        self.named.push((name, Heap::default()));
    }

    /// Adds a graph.
    pub fn add(&mut self, graph: &Graph) {
        let mut numbers: Vec<Option<TermId>> = vec![None; graph.term_count()];
        for triple in graph.ids() {
            let [s, p, o] = triple.map(|id| {
                *numbers[id as usize].get_or_insert_with(|| {
                    limits::tick(1);
                    self.number(graph.term(id))
                })
            });
            if let Some(piles) = self.piles(p) {
                self.put(piles, s, o);
            }
        }
    }

    /// Adds a triple.
    pub fn add_triple(&mut self, s: &Term, p: &Term, o: &Term) {
        let p = self.number(p);
        if let Some(piles) = self.piles(p) {
            let (s, o) = (self.number(s), self.number(o));
            self.put(piles, s, o);
        }
    }

    /// Checks that the data is not too large to be held; to be called now and then while it is added.
    ///
    /// # Errors
    /// `TooComplex`.
    pub fn check(&self) -> Result<()> {
        self.check_within(MOST_BYTES)
    }

    fn check_within(&self, most: usize) -> Result<()> {
        let graphs = if self.named.is_empty() { 1 } else { 2 };
        let triples = self.triples * graphs * size_of::<[TermId; 2]>();
        if self.terms.bytes() + triples > most {
            return Err(Error::TooComplex(format!(
                "the data of the query takes more than {} MiB of memory",
                most >> 20
            )));
        }
        Ok(())
    }

    /// Returns the dataset.
    pub fn finish(self) -> Dataset {
        let mut named: Vec<(TermId, Index)> = self.named.into_iter().map(|(name, heap)| (name, heap.sort())).collect();
        named.sort_by_key(|(name, _)| *name);
        Dataset {
            terms: self.terms,
            default: self.default.sort(),
            named,
        }
    }

    /// Returns the number of a term.
    pub(super) fn number(&mut self, term: &Term) -> TermId {
        if self.named.is_empty() || as_iri(term).is_some() || !has_blank(term) {
            return self.terms.intern_term(term);
        }
        self.terms.intern_term(&relabelled(term, self.named.len()))
    }

    /// Tells whether the triples of a predicate are kept.
    pub(super) fn keeps(&self, predicate: &str) -> bool {
        let is_asked = |only: &HashSet<TermId>| {
            let number = self.terms.find(Parts::Iri(predicate));
            number.is_some_and(|number| only.contains(&number))
        };
        self.only.as_ref().is_none_or(is_asked)
    }

    /// Returns where the triples of a predicate go, or `None` if they are not kept.
    pub(super) fn piles(&mut self, predicate: TermId) -> Option<Piles> {
        if self.only.as_ref().is_some_and(|only| !only.contains(&predicate)) {
            return None;
        }
        Some(Piles {
            default: self.default.pile(predicate),
            named: self.named.last_mut().map(|(_, heap)| heap.pile(predicate)),
        })
    }

    /// Adds a triple, given where those of its predicate go.
    pub(super) fn put(&mut self, piles: Piles, subject: TermId, object: TermId) {
        limits::tick(1);
        self.triples += 1;
        self.default.put(piles.default, subject, object);
        if let (Some(pile), Some((_, heap))) = (piles.named, self.named.last_mut()) {
            heap.put(pile, subject, object);
        }
    }
}

/// Where the triples of a predicate go; good until a graph is started.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piles {
    default: usize,
    named: Option<usize>,
}

fn has_blank(term: &Term) -> bool {
    match term {
        Term::Triple(triple) => triple.iter().any(has_blank),
        term => is_blank(term),
    }
}

/// Returns a term whose blank nodes have labels that no other graph gives.
fn relabelled(term: &Term, graph: usize) -> Term {
    match term {
        Term::BlankNode(label) => crate::rdf::blank(format!("g{graph}x{}", label.as_str())),
        Term::Triple(triple) => Term::Triple(Box::new(triple.each_ref().map(|term| relabelled(term, graph)))),
        term => term.clone(),
    }
}

#[cfg(test)]
mod test {
    use super::*;
    use crate::rdf::{blank, iri};

    fn graph(triples: &[[Term; 3]]) -> Graph {
        let mut graph = Graph::new();
        for [s, p, o] in triples {
            graph.insert(s, p, o);
        }
        graph
    }

    #[test]
    fn too_much_data_is_refused() {
        let mut builder = Builder::new();
        let add = |builder: &mut Builder, numbers: std::ops::Range<u32>| {
            for number in numbers {
                builder.add_triple(
                    &iri(format!("http://h/{number}")),
                    &iri("http://h/p"),
                    &iri("http://h/o"),
                );
            }
        };
        add(&mut builder, 0..1000);
        assert!(builder.check_within(1 << 20).is_ok());
        add(&mut builder, 1000..50_000);
        let error = builder.check_within(1 << 20).expect_err("more than a mebibyte");
        assert!(error.to_string().contains("more than 1 MiB"), "{error}");
        assert!(builder.check().is_ok());
    }

    #[test]
    fn the_default_graph_is_the_union_of_all_each_triple_once() {
        let triple = [iri("http://h/a"), iri("http://h/p"), iri("http://h/b")];
        let of_a_blank = [blank("b"), iri("http://h/p"), iri("http://h/b")];
        let mut builder = Builder::new();
        for name in ["http://h/g2", "http://h/g1"] {
            builder.start_graph(name);
            builder.add(&graph(&[triple.clone(), of_a_blank.clone()]));
        }
        let dataset = builder.finish();
        assert_eq!(dataset.len(), 3, "blank nodes of two graphs are not the same");
        for name in ["http://h/g2", "http://h/g1"] {
            let name = dataset.terms.find(Parts::Iri(name)).expect("it was given");
            assert_eq!(dataset.graph(name).map(Index::len), Some(2));
        }
    }

    #[test]
    fn only_the_predicates_that_are_asked_are_kept() {
        let mut builder = Builder::keeping(Some(&["http://h/q".to_owned()]));
        for predicate in ["http://h/p", "http://h/q"] {
            builder.add(&graph(&[[iri("http://h/a"), iri(predicate), iri("http://h/b")]]));
            builder.add_triple(&iri("http://h/b"), &iri(predicate), &iri("http://h/b"));
        }
        assert_eq!(builder.finish().len(), 2);
    }
}
