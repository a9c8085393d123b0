//! Terms and small graphs: the language in which the layers speak to each other.
//!
//! Terms are Sophia's [`SimpleTerm`]s, IRIs always absolute and in their Unicode form. [`Graph`] holds each term
//! once and each triple as three numbers, so that checking and splitting a large payload compares integers.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::iter;

use hashbrown::DefaultHashBuilder;
use indexmap::{Equivalent, IndexSet};
use sophia::api::graph::{CollectibleGraph, Graph as SophiaGraph, MutableGraph};
use sophia::api::source::{StreamResult, TripleSource};
use sophia::api::term::{BnodeId, IriRef, LanguageTag, SimpleTerm, Term as SophiaTerm};
use sophia::api::triple::Triple as SophiaTriple;

/// An RDF term that owns its text.
pub type Term = SimpleTerm<'static>;

/// A triple of owned terms: subject, predicate, object.
pub type Triple = [Term; 3];

/// Returns the term of an absolute IRI; its syntax is not checked.
pub fn iri(iri: impl AsRef<str>) -> Term {
    SimpleTerm::Iri(IriRef::new_unchecked(iri.as_ref().to_owned().into()))
}

/// Returns a blank node; its label is not checked.
pub fn blank(label: impl AsRef<str>) -> Term {
    SimpleTerm::BlankNode(BnodeId::new_unchecked(label.as_ref().to_owned().into()))
}

/// Returns a simple literal, that is an `xsd:string` (RDF 1.1 Concepts, section 3.3).
pub fn string(lexical: impl AsRef<str>) -> Term {
    typed(lexical, crate::vocab::xsd::STRING)
}

/// Returns the canonical `xsd:integer` of a number.
pub fn integer(value: i64) -> Term {
    typed(value.to_string(), crate::vocab::xsd::INTEGER)
}

/// Returns a literal of a datatype, given by its IRI.
pub fn typed(lexical: impl AsRef<str>, datatype: &str) -> Term {
    SimpleTerm::LiteralDatatype(
        lexical.as_ref().to_owned().into(),
        IriRef::new_unchecked(datatype.to_owned().into()),
    )
}

/// Returns a language-tagged string; the tag is not checked.
pub fn tagged(lexical: impl AsRef<str>, language: &str) -> Term {
    SimpleTerm::LiteralLanguage(
        lexical.as_ref().to_owned().into(),
        LanguageTag::new_unchecked(language.to_owned().into()),
        None,
    )
}

/// Returns the text of an IRI, or `None` for another kind of term.
pub fn as_iri<'a>(term: &'a SimpleTerm<'_>) -> Option<&'a str> {
    match term {
        SimpleTerm::Iri(iri) => Some(iri.as_str()),
        _ => None,
    }
}

/// Returns the lexical form of a literal, or `None` for another kind of term.
pub fn as_literal<'a>(term: &'a SimpleTerm<'_>) -> Option<&'a str> {
    match term {
        SimpleTerm::LiteralDatatype(lexical, _) | SimpleTerm::LiteralLanguage(lexical, ..) => Some(lexical),
        _ => None,
    }
}

/// Tells whether a term is this IRI.
pub fn is_iri(term: &SimpleTerm<'_>, iri: &str) -> bool {
    as_iri(term) == Some(iri)
}

/// Tells whether a term is a blank node.
pub fn is_blank(term: &SimpleTerm<'_>) -> bool {
    matches!(term, SimpleTerm::BlankNode(_))
}

/// The number of a term in a [`Graph`]: dense, from 0, stable as long as the graph lives.
pub type TermId = u32;

/// A set of triples over terms that are stored once.
///
/// Terms are numbered in order of first appearance and never forgotten. Triples keep the order in which they came
/// until one is removed.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    terms: IndexSet<Term, DefaultHashBuilder>,
    triples: IndexSet<[TermId; 3], DefaultHashBuilder>,
}

/// A term to look up that may borrow its text.
struct Borrowed<'a, 'b>(&'a SimpleTerm<'b>);

impl Hash for Borrowed<'_, '_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Hash::hash(self.0, state);
    }
}

impl Equivalent<Term> for Borrowed<'_, '_> {
    fn equivalent(&self, key: &Term) -> bool {
        SophiaTerm::eq(self.0, key)
    }
}

impl Graph {
    /// Returns an empty graph.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the number of triples.
    pub fn len(&self) -> usize {
        self.triples.len()
    }

    /// Tells whether there is no triple.
    pub fn is_empty(&self) -> bool {
        self.triples.is_empty()
    }

    /// Returns the number of a term, which is added if it is new.
    pub fn intern(&mut self, term: &SimpleTerm<'_>) -> TermId {
        let index = match self.terms.get_index_of(&Borrowed(term)) {
            Some(index) => index,
            None => self.terms.insert_full(term.into_term()).0,
        };
        TermId::try_from(index).expect("the limits on payloads keep graphs far below 2^32 terms")
    }

    /// Returns the number of a term, or `None` if the graph never had it.
    pub fn id(&self, term: &SimpleTerm<'_>) -> Option<TermId> {
        let index = self.terms.get_index_of(&Borrowed(term))?;
        TermId::try_from(index).ok()
    }

    /// Returns the number of an IRI, or `None` if the graph never had it.
    pub fn iri_id(&self, iri: &str) -> Option<TermId> {
        self.id(&SimpleTerm::Iri(IriRef::new_unchecked(iri.into())))
    }

    /// Returns the term of a number that this graph gave.
    pub fn term(&self, id: TermId) -> &Term {
        &self.terms[id as usize]
    }

    /// Returns how many terms are numbered.
    pub fn term_count(&self) -> usize {
        self.terms.len()
    }

    /// Adds a triple; returns whether it is new.
    pub fn insert(&mut self, s: &SimpleTerm<'_>, p: &SimpleTerm<'_>, o: &SimpleTerm<'_>) -> bool {
        let triple = [self.intern(s), self.intern(p), self.intern(o)];
        self.triples.insert(triple)
    }

    /// Adds a triple of numbers that this graph gave; returns whether it is new.
    pub fn insert_ids(&mut self, triple: [TermId; 3]) -> bool {
        self.triples.insert(triple)
    }

    /// Removes a triple; returns whether it was there.
    pub fn remove(&mut self, s: &SimpleTerm<'_>, p: &SimpleTerm<'_>, o: &SimpleTerm<'_>) -> bool {
        match (self.id(s), self.id(p), self.id(o)) {
            (Some(s), Some(p), Some(o)) => self.triples.shift_remove(&[s, p, o]),
            _ => false,
        }
    }

    /// Keeps only the triples that satisfy a condition.
    pub fn retain(&mut self, mut keep: impl FnMut(&Term, &Term, &Term) -> bool) {
        let terms = &self.terms;
        self.triples
            .retain(|t| keep(&terms[t[0] as usize], &terms[t[1] as usize], &terms[t[2] as usize]));
    }

    /// Keeps only the triples whose numbers satisfy a condition.
    pub fn retain_ids(&mut self, keep: impl FnMut(&[TermId; 3]) -> bool) {
        self.triples.retain(keep);
    }

    /// Tells whether a triple is there.
    pub fn contains(&self, s: &SimpleTerm<'_>, p: &SimpleTerm<'_>, o: &SimpleTerm<'_>) -> bool {
        match (self.id(s), self.id(p), self.id(o)) {
            (Some(s), Some(p), Some(o)) => self.triples.contains(&[s, p, o]),
            _ => false,
        }
    }

    /// Tells whether a triple of three IRIs is there.
    pub fn contains_iris(&self, s: &str, p: &str, o: &str) -> bool {
        match (self.iri_id(s), self.iri_id(p), self.iri_id(o)) {
            (Some(s), Some(p), Some(o)) => self.triples.contains(&[s, p, o]),
            _ => false,
        }
    }

    /// Returns the triples as numbers, in order.
    pub fn ids(&self) -> impl ExactSizeIterator<Item = [TermId; 3]> + '_ {
        self.triples.iter().copied()
    }

    /// Returns the triples, in order.
    pub fn iter(&self) -> impl Iterator<Item = [&Term; 3]> + '_ {
        self.triples.iter().map(|t| t.map(|id| self.term(id)))
    }

    /// Returns the objects of a subject and a predicate, both IRIs, in order; may be empty.
    pub fn objects_of<'a>(&'a self, s: &str, p: &str) -> Box<dyn Iterator<Item = &'a Term> + 'a> {
        match (self.iri_id(s), self.iri_id(p)) {
            (Some(s), Some(p)) => Box::new(
                self.triples
                    .iter()
                    .filter(move |t| t[0] == s && t[1] == p)
                    .map(|t| self.term(t[2])),
            ),
            _ => Box::new(iter::empty()),
        }
    }

    /// Returns the first object of a subject and a predicate, both IRIs.
    pub fn object_of<'a>(&'a self, s: &str, p: &str) -> Option<&'a Term> {
        self.objects_of(s, p).next()
    }

    /// Returns the subjects of a predicate and an object, both IRIs, in order; may be empty.
    pub fn subjects_of<'a>(&'a self, p: &str, o: &str) -> Box<dyn Iterator<Item = &'a Term> + 'a> {
        match (self.iri_id(p), self.iri_id(o)) {
            (Some(p), Some(o)) => Box::new(
                self.triples
                    .iter()
                    .filter(move |t| t[1] == p && t[2] == o)
                    .map(|t| self.term(t[0])),
            ),
            _ => Box::new(iter::empty()),
        }
    }

    /// Adds all the triples of another graph.
    pub fn extend_from(&mut self, other: &Graph) {
        for [s, p, o] in other.iter() {
            self.insert(s, p, o);
        }
    }

    /// Returns the graph where some terms are replaced, wherever they stand.
    pub fn replaced(&self, replacements: &HashMap<Term, Term>) -> Graph {
        let mut graph = Graph::new();
        let with = |term| replacements.get(term).unwrap_or(term);
        for [s, p, o] in self.iter() {
            graph.insert(with(s), with(p), with(o));
        }
        graph
    }
}

impl SophiaGraph for Graph {
    type Triple<'x> = [&'x Term; 3];
    type Error = std::convert::Infallible;

    fn triples(&self) -> impl Iterator<Item = Result<Self::Triple<'_>, Self::Error>> + '_ {
        self.iter().map(Ok)
    }
}

impl CollectibleGraph for Graph {
    type CollectError = std::convert::Infallible;

    fn from_triple_source<TS: TripleSource>(mut triples: TS) -> StreamResult<Self, TS::Error, Self::CollectError> {
        let mut graph = Graph::new();
        triples
            .for_each_triple(|t| {
                graph.insert(&t.s().as_simple(), &t.p().as_simple(), &t.o().as_simple());
            })
            .map_err(sophia::api::source::StreamError::SourceError)?;
        Ok(graph)
    }
}

impl MutableGraph for Graph {
    type MutationError = std::convert::Infallible;

    fn insert<TS: SophiaTerm, TP: SophiaTerm, TO: SophiaTerm>(
        &mut self,
        s: TS,
        p: TP,
        o: TO,
    ) -> Result<bool, Self::MutationError> {
        Ok(Graph::insert(self, &s.as_simple(), &p.as_simple(), &o.as_simple()))
    }

    fn remove<TS: SophiaTerm, TP: SophiaTerm, TO: SophiaTerm>(
        &mut self,
        s: TS,
        p: TP,
        o: TO,
    ) -> Result<bool, Self::MutationError> {
        Ok(Graph::remove(self, &s.as_simple(), &p.as_simple(), &o.as_simple()))
    }
}

#[cfg(test)]
mod test {
    use super::Graph as TermGraph;
    sophia_api::test_graph_impl!(TermGraph);
}
