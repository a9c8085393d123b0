//! The template of a CONSTRUCT, filled with each row of its pattern (SPARQL 1.1 Query Language, section 16.2).
//!
//! The evaluator can do this too, but spells out each term of each triple, and keeps copies to give each triple once;
//! here a row spells its terms once, and triples are numbers of the graph that is made.

use oxrdf::{BlankNode, Variable};
use spareval::QuerySolution;
use spargebra::algebra::GraphPattern;
use spargebra::term::{NamedNodePattern, TermPattern, TriplePattern};

use super::convert::borrowed;
use crate::rdf::{Graph, Term, TermId, as_iri, blank, is_blank};

/// A template, and the query that gives its rows.
#[derive(Clone, Debug)]
pub(super) struct Template {
    triples: Vec<[Slot; 3]>,
    blanks: usize,
    /// A SELECT of the variables of the template.
    pub(super) rows: spargebra::Query,
}

/// What stands at a place of a triple.
#[derive(Clone, Debug)]
enum Slot {
    Term(Term),
    Variable(usize),
    Blank(usize),
}

impl Template {
    /// Returns the template of a CONSTRUCT, or `None` if it is left to the evaluator: it has triple terms, or the query is of
    /// another form.
    pub(super) fn of(query: &spargebra::Query) -> Option<Self> {
        let spargebra::Query::Construct {
            template,
            dataset,
            pattern,
            base_iri,
        } = query
        else {
            return None;
        };
        let (mut variables, mut blanks) = (Vec::new(), Vec::new());
        let mut triples = Vec::with_capacity(template.len());
        for TriplePattern {
            subject,
            predicate,
            object,
        } in template
        {
            let predicate = match predicate {
                NamedNodePattern::NamedNode(node) => TermPattern::NamedNode(node.clone()),
                NamedNodePattern::Variable(variable) => TermPattern::Variable(variable.clone()),
            };
            let mut slot = |term: &TermPattern| slot(term, &mut variables, &mut blanks);
            triples.push([slot(subject)?, slot(&predicate)?, slot(object)?]);
        }
        let pattern = GraphPattern::Project {
            inner: Box::new(pattern.clone()),
            variables,
        };
        let (dataset, base_iri) = (dataset.clone(), base_iri.clone());
        Some(Self {
            triples,
            blanks: blanks.len(),
            rows: spargebra::Query::Select {
                dataset,
                pattern,
                base_iri,
            },
        })
    }

    /// Returns what fills the template.
    pub(super) fn start(&self) -> Filler<'_> {
        let mut graph = Graph::new();
        let known = (self.triples.iter())
            .map(|triple| {
                triple.each_ref().map(|slot| match slot {
                    Slot::Term(term) => Some(graph.intern(term)),
                    Slot::Variable(_) | Slot::Blank(_) => None,
                })
            })
            .collect();
        Filler {
            template: self,
            known,
            graph,
            label: BlankNode::default(),
            rows: 0,
        }
    }
}

fn slot(term: &TermPattern, variables: &mut Vec<Variable>, blanks: &mut Vec<BlankNode>) -> Option<Slot> {
    Some(match term {
        TermPattern::NamedNode(node) => Slot::Term(super::convert::from_oxrdf(&node.clone().into())),
        TermPattern::Literal(literal) => Slot::Term(super::convert::from_oxrdf(&literal.clone().into())),
        TermPattern::Variable(variable) => Slot::Variable(place(variables, variable)),
        TermPattern::BlankNode(node) => Slot::Blank(place(blanks, node)),
        TermPattern::Triple(_) => return None,
    })
}

/// Returns the place of something in a list, where it is put if it is not there.
fn place<T: PartialEq + Clone>(list: &mut Vec<T>, item: &T) -> usize {
    list.iter().position(|other| other == item).unwrap_or_else(|| {
        list.push(item.clone());
        list.len() - 1
    })
}

/// A graph that is being made from a template.
pub(super) struct Filler<'t> {
    template: &'t Template,
    /// The numbers of the terms of the template.
    known: Vec<[Option<TermId>; 3]>,
    graph: Graph,
    /// What the labels of the blank nodes start with, so that no data has them.
    label: BlankNode,
    rows: usize,
}

impl Filler<'_> {
    /// Adds the triples of a row; what would be no triple is left out.
    pub(super) fn add(&mut self, row: &QuerySolution) {
        let graph = &mut self.graph;
        let values: Vec<Option<TermId>> = (row.values().iter())
            .map(|term| term.as_ref().map(|term| graph.intern(&borrowed(term))))
            .collect();
        let (label, rows) = (self.label.as_str(), self.rows);
        let blanks: Vec<TermId> = (0..self.template.blanks)
            .map(|number| graph.intern(&blank(format!("{label}x{rows:x}x{number}"))))
            .collect();
        self.rows += 1;
        for (slots, known) in self.template.triples.iter().zip(&self.known) {
            let number = |place: usize| match slots[place] {
                Slot::Term(_) => known[place],
                Slot::Variable(variable) => values.get(variable).copied().flatten(),
                Slot::Blank(number) => Some(blanks[number]),
            };
            if let (Some(s), Some(p), Some(o)) = (number(0), number(1), number(2))
                && (as_iri(graph.term(s)).is_some() || is_blank(graph.term(s)))
                && as_iri(graph.term(p)).is_some()
            {
                graph.insert_ids([s, p, o]);
            }
        }
    }

    /// Returns the graph.
    pub(super) fn finish(self) -> Graph {
        self.graph
    }
}
