//! A dataset as the evaluator reads it.

use std::cell::RefCell;
use std::convert::Infallible;
use std::slice;

use indexmap::IndexSet;
use spareval::{InternalQuad, QueryableDataset};

use super::dataset::Dataset;
use super::index::{Index, Matches};
use super::{convert, functions, limits};
use crate::rdf::TermId;

/// A dataset during the evaluation of one query, with the terms that the query adds to those of the data.
#[derive(Debug)]
pub(super) struct Sight<'d> {
    dataset: &'d Dataset,
    /// Numbered from the number of terms of the dataset.
    computed: RefCell<IndexSet<oxrdf::Term>>,
}

impl<'d> Sight<'d> {
    /// Returns a dataset for one query.
    pub(super) fn new(dataset: &'d Dataset) -> Self {
        Self {
            dataset,
            computed: RefCell::default(),
        }
    }
}

/// The number of a term, as it stands in a row. To copy it counts: see [`limits`].
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Node(TermId);

impl Clone for Node {
    #[inline]
    fn clone(&self) -> Self {
        limits::tick(1);
        Self(self.0)
    }
}

impl<'d> QueryableDataset<'d> for Sight<'d> {
    type InternalTerm = Node;
    type Error = Infallible;

    fn internal_quads_for_pattern(
        &self,
        subject: Option<&Node>,
        predicate: Option<&Node>,
        object: Option<&Node>,
        graph: Option<Option<&Node>>,
    ) -> impl Iterator<Item = Result<InternalQuad<Node>, Infallible>> + use<'d> {
        limits::tick(1);
        let dataset = self.dataset;
        let pattern = [subject, predicate, object].map(|node| node.map(|node| node.0));
        match graph {
            Some(None) => Quads::new(Some((None, &dataset.default)), &[], pattern),
            Some(Some(name)) => Quads::new(dataset.graph(name.0).map(|graph| (Some(name.0), graph)), &[], pattern),
            None => Quads::new(None, &dataset.named, pattern),
        }
    }

    fn internal_named_graphs(&self) -> impl Iterator<Item = Result<Node, Infallible>> + use<'d> {
        self.dataset.named.iter().map(|(name, _)| {
            limits::tick(1);
            Ok(Node(*name))
        })
    }

    fn contains_internal_graph_name(&self, name: &Node) -> Result<bool, Infallible> {
        Ok(self.dataset.graph(name.0).is_some())
    }

    fn internalize_term(&self, term: oxrdf::Term) -> Result<Node, Infallible> {
        if let Some(id) = convert::find(&self.dataset.terms, &term) {
            return Ok(Node(id));
        }
        if let oxrdf::Term::Literal(literal) = &term {
            limits::tick_text(literal.value());
            let limit = limits::literal();
            if literal.value().len() > limit {
                functions::too_long(limit);
            }
        }
        let (place, _) = self.computed.borrow_mut().insert_full(term);
        let id = self.dataset.terms.len() + place;
        Ok(Node(
            TermId::try_from(id).expect("the limit on memory keeps terms far below 2^32"),
        ))
    }

    fn externalize_term(&self, Node(id): Node) -> Result<oxrdf::Term, Infallible> {
        let known = &self.dataset.terms;
        let term = match (id as usize).checked_sub(known.len()) {
            None => convert::spell(known, id),
            Some(place) => self.computed.borrow()[place].clone(),
        };
        match &term {
            oxrdf::Term::Literal(literal) => limits::tick_text(literal.value()),
            _ => limits::tick(1),
        }
        Ok(term)
    }
}

/// The quads of a pattern: those of one graph, then those of others.
struct Quads<'d> {
    pattern: [Option<TermId>; 3],
    name: Option<TermId>,
    matches: Option<Matches<'d>>,
    others: slice::Iter<'d, (TermId, Index)>,
}

impl<'d> Quads<'d> {
    fn new(
        first: Option<(Option<TermId>, &'d Index)>,
        others: &'d [(TermId, Index)],
        pattern: [Option<TermId>; 3],
    ) -> Self {
        let [s, p, o] = pattern;
        Self {
            pattern,
            name: first.and_then(|(name, _)| name),
            matches: first.map(|(_, graph)| graph.find(s, p, o)),
            others: others.iter(),
        }
    }
}

impl Iterator for Quads<'_> {
    type Item = Result<InternalQuad<Node>, Infallible>;

    fn next(&mut self) -> Option<Self::Item> {
        limits::tick(1);
        loop {
            if let Some([s, p, o]) = self.matches.as_mut().and_then(Iterator::next) {
                return Some(Ok(InternalQuad {
                    subject: Node(s),
                    predicate: Node(p),
                    object: Node(o),
                    graph_name: self.name.map(Node),
                }));
            }
            let (name, graph) = self.others.next()?;
            limits::tick(1);
            let [s, p, o] = self.pattern;
            self.name = Some(*name);
            self.matches = Some(graph.find(s, p, o));
        }
    }
}
