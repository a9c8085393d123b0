//! Updates of one graph.

use std::collections::HashMap;

use oxrdf::{BlankNode, NamedOrBlankNode};
use spareval::{DeleteInsertQuad, QueryEvaluator};
use spargebra::GraphUpdateOperation;
use spargebra::algebra::GraphTarget;
use spargebra::term::{GraphName, GraphNamePattern, GroundTerm};

use super::algebra::Needs;
use super::dataset::Dataset;
use super::evaluate::Sight;
use super::limits::{Limits, watch};
use super::query::{Context, failure};
use super::{convert, fault, functions};
use crate::error::{Error, Result};
use crate::rdf::{Graph, Term, iri};

/// An update of one graph (SPARQL 1.1 Update): INSERT DATA, DELETE DATA, DELETE and INSERT with WHERE, CLEAR, DROP, in
/// any number.
///
/// There is no other graph: `GRAPH`, `WITH`, `USING`, LOAD, CREATE, COPY, MOVE, ADD are refused, and so is `SERVICE`.
pub struct Update {
    algebra: spargebra::Update,
    /// One for each operation.
    evaluators: Vec<QueryEvaluator>,
    limits: Limits,
}

impl std::fmt::Debug for Update {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Update")
            .field("algebra", &self.algebra)
            .finish_non_exhaustive()
    }
}

impl Update {
    /// Parses an update, whose evaluation will have these limits.
    ///
    /// # Errors
    /// `Parse`: the text is no update, or is too long, or too deep; `InvalidData`: it has something that is refused.
    pub fn parse(text: &str, context: Context<'_>, limits: &Limits) -> Result<Self> {
        let parser = context.parser(text, limits)?;
        let mut algebra = parser
            .parse_update(text)
            .map_err(|error| Error::Parse(fault::describe(text, &error.to_string())))?;
        let mut evaluators = Vec::with_capacity(algebra.operations.len());
        for operation in &mut algebra.operations {
            let mut needs = Needs::default();
            check(operation)?;
            if let GraphUpdateOperation::DeleteInsert { pattern, .. } = operation {
                needs.visit(pattern)?;
                if needs.named_graphs {
                    return Err(other_graph());
                }
            }
            evaluators.push(functions::evaluator(&needs.separators, needs.unknown));
        }
        Ok(Self {
            algebra,
            evaluators,
            limits: limits.clone(),
        })
    }

    /// Returns what the update makes of a graph.
    ///
    /// # Errors
    /// `Timeout`, `TooComplex`: beyond a limit.
    pub fn apply(&self, graph: &Graph) -> Result<Graph> {
        watch(&self.limits, || {
            let mut graph = graph.clone();
            for (operation, evaluator) in self.algebra.operations.iter().zip(&self.evaluators) {
                self.step(operation, evaluator, &mut graph)?;
            }
            Ok(graph)
        })
    }

    fn step(&self, operation: &GraphUpdateOperation, evaluator: &QueryEvaluator, graph: &mut Graph) -> Result<()> {
        match operation {
            GraphUpdateOperation::InsertData { data } => {
                let mut fresh = HashMap::new();
                for quad in data {
                    let subject = convert::from_node(&quad.subject);
                    let object = convert::from_oxrdf(&quad.object);
                    let [s, o] = [subject, object].map(|term| renamed(term, &mut fresh));
                    graph.insert(&s, &iri(quad.predicate.as_str()), &o);
                }
            }
            GraphUpdateOperation::DeleteData { data } => {
                for quad in data {
                    let object = match quad.object.clone() {
                        GroundTerm::NamedNode(node) => node.into(),
                        GroundTerm::Literal(literal) => literal.into(),
                        GroundTerm::Triple(triple) => oxrdf::Term::Triple(Box::new(oxrdf::Triple::from(*triple))),
                    };
                    graph.remove(
                        &iri(quad.subject.as_str()),
                        &iri(quad.predicate.as_str()),
                        &convert::from_oxrdf(&object),
                    );
                }
            }
            GraphUpdateOperation::DeleteInsert {
                delete,
                insert,
                pattern,
                ..
            } => {
                let dataset = Dataset::of(graph);
                let changes = evaluator
                    .prepare_delete_insert(
                        delete.clone(),
                        insert.clone(),
                        self.algebra.base_iri.clone(),
                        None,
                        pattern,
                    )
                    .execute(Sight::new(&dataset))
                    .map_err(failure)?
                    .collect::<std::result::Result<Vec<_>, _>>()
                    .map_err(failure)?;
                // All that is deleted goes before anything is inserted (section 3.1.3).
                for change in &changes {
                    if let DeleteInsertQuad::Delete(quad) = change {
                        let [s, p, o] = triple(quad);
                        graph.remove(&s, &p, &o);
                    }
                }
                for change in &changes {
                    if let DeleteInsertQuad::Insert(quad) = change {
                        let [s, p, o] = triple(quad);
                        graph.insert(&s, &p, &o);
                    }
                }
            }
            // Others were refused.
            _ => *graph = Graph::new(),
        }
        Ok(())
    }
}

fn triple(quad: &oxrdf::Quad) -> [Term; 3] {
    [
        convert::from_node(&quad.subject),
        iri(quad.predicate.as_str()),
        convert::from_oxrdf(&quad.object),
    ]
}

fn other_graph() -> Error {
    Error::invalid("an update concerns the graph of the resource only: GRAPH, WITH and USING are refused")
}

/// Checks that an operation concerns the default graph only.
fn check(operation: &GraphUpdateOperation) -> Result<()> {
    let own = match operation {
        GraphUpdateOperation::InsertData { data } => data.iter().all(|quad| quad.graph_name == GraphName::DefaultGraph),
        GraphUpdateOperation::DeleteData { data } => data.iter().all(|quad| quad.graph_name == GraphName::DefaultGraph),
        GraphUpdateOperation::DeleteInsert {
            delete, insert, using, ..
        } => {
            using.is_none()
                && delete
                    .iter()
                    .all(|quad| quad.graph_name == GraphNamePattern::DefaultGraph)
                && insert
                    .iter()
                    .all(|quad| quad.graph_name == GraphNamePattern::DefaultGraph)
        }
        GraphUpdateOperation::Clear { graph, .. } | GraphUpdateOperation::Drop { graph, .. } => {
            matches!(graph, GraphTarget::DefaultGraph | GraphTarget::AllGraphs)
        }
        GraphUpdateOperation::Load { source, .. } => {
            return Err(Error::invalid(format!(
                "LOAD {source} is refused: updates do not leave this server"
            )));
        }
        GraphUpdateOperation::Create { .. } => false,
    };
    if own { Ok(()) } else { Err(other_graph()) }
}

/// Returns a term whose blank nodes are new: a label of an update has nothing to do with those of the graph.
fn renamed(term: Term, fresh: &mut HashMap<String, Term>) -> Term {
    match term {
        Term::BlankNode(label) => fresh
            .entry(label.as_str().to_owned())
            .or_insert_with(|| convert::from_node(&NamedOrBlankNode::BlankNode(BlankNode::default())))
            .clone(),
        Term::Triple(triple) => Term::Triple(Box::new((*triple).map(|term| renamed(term, fresh)))),
        term => term,
    }
}
