//! What a read gives: all that a format may print, in one value that owns its snapshot. (Skeleton.)

use std::rc::Rc;

pub use crate::obsel::{Arc, Blank, Mention, Name, Obsel, Value};

use crate::error::Result;
use crate::rdf::Graph;

/// The shape of a representation: which JSON document it is, and which specific formats apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shape {
    /// The root.
    Root,
    /// A base.
    Base,
    /// A trace model.
    Model,
    /// A method.
    Method,
    /// A stored or computed trace.
    Trace,
    /// A data graph.
    DataGraph,
    /// `@obsels` of a trace.
    Obsels,
    /// One obsel.
    Obsel,
    /// `@stats` of a trace.
    Stats,
}

/// What a GET shows.
#[derive(Debug)]
pub struct View {
    /// The absolute IRI of the resource, in Unicode form, without parameters.
    pub iri: String,
    /// Its shape.
    pub shape: Shape,
    /// Its tags (without media type), from the most volatile to the most stable; empty for an obsel.
    pub tags: Vec<String>,
    /// Time of the last edition, in seconds since the epoch; `None` for an obsel.
    pub modified: Option<u64>,
    /// Links of a slice, in order.
    pub links: Vec<Link>,
    /// The IRI of the model, for a trace and what belongs to it.
    pub model: Option<String>,
    /// The number of triples, where it is known without writing them all.
    pub triples: u64,
    /// The state.
    pub content: Content,
}

/// A `Link` of a slice of `@obsels` (kTBS documentation, "obsel collection").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The absolute URI, percent-encoded.
    pub uri: String,
    /// `canonical` or `next`.
    pub rel: &'static str,
    /// Other parameters, in order: name, value.
    pub parameters: Vec<(&'static str, String)>,
}

/// The state of a resource.
#[derive(Debug)]
pub enum Content {
    /// A small graph, whole.
    Graph(Graph),
    /// Obsels, read from the store as they are written: `@obsels`, a slice of it, or one obsel.
    Obsels(Obsels),
}

/// A selection of the obsels of one trace, in a snapshot.
#[derive(Debug)]
pub struct Obsels {
    /// The IRI of the trace.
    pub trace: String,
    /// `k:StoredTraceObsels` or `k:ComputedTraceObsels`.
    pub collection_type: &'static str,
    /// True if some obsels of the trace may be absent from the selection: their arcs to and from those selected are
    /// shown, with their `k:hasTrace` and nothing else.
    pub partial: bool,
}

impl Obsels {
    /// Calls a function with each obsel of the selection, in ascending order (end, begin, id).
    pub fn for_each(&self, _f: &mut dyn FnMut(&Obsel<'_>) -> Result<()>) -> Result<()> {
        todo!()
    }
    /// Returns the triples about an obsel that stand in the descriptions of others (whole collection), so that
    /// JSON can show relations backwards and a slice its neighbours. Ordered by direction, predicate, other.
    pub fn mentions(&self, _id: &str) -> Result<Vec<(bool, Name, String)>> {
        todo!()
    }
    /// Tells whether the trace has an obsel of this id.
    pub fn is_obsel(&self, _id: &str) -> Result<bool> {
        todo!()
    }
    /// Tells whether the selection contains the obsel of this id.
    pub fn selects(&self, _id: &str) -> Result<bool> {
        todo!()
    }
    /// Returns the absolute IRI of a name.
    pub fn iri(&self, _name: Name) -> Result<Rc<str>> {
        todo!()
    }
    /// Returns the root URI.
    pub fn root(&self) -> &str {
        todo!()
    }
    /// Returns the predicates of the selected obsels, as absolute IRIs, sorted; for a whole collection, at the cost
    /// of their number. (Used for the columns of CSV.)
    pub fn predicates(&self) -> Result<Vec<String>> {
        todo!()
    }
}
