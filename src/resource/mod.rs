//! What a kTBS is: resources and their rules. It knows neither HTTP nor media types.
//!
//! [`Service`] reads, creates, replaces and deletes. What is the same for all the resources with a graph of their own
//! is in `create`, `read`, `edit` and `delete`; what a kind of resource has of its own is a row of `KINDS`, in
//! the file of that kind, which lists its checks in order. Obsels, their collection and the statistics of a trace are
//! faces of the trace ([`Aspect`]) and have files of their own.
//!
//! A resource is stored without what follows from where it stands: the link from its container, the list of its
//! items, the links of a trace to its aspects. These are generated at each reading, and a client who replaces a
//! description must repeat them: a base of 100,000 items costs nothing to add to.

pub mod access;
mod base;
mod batch;
mod bulk;
pub mod catalog;
mod check;
mod completion;
mod computation;
mod computed_trace;
mod create;
mod data_graph;
mod delete;
mod description;
mod draft;
pub mod dump;
mod edit;
mod harvest;
mod inputs;
mod intermediate;
mod links;
pub mod load;
mod method;
mod mint;
mod model;
mod monotonicity;
mod obsel;
mod obsels;
pub mod parameter;
mod path;
mod prop;
pub mod protection;
mod read;
pub mod rebase;
mod recording;
mod refresh;
mod relations;
mod reserved;
mod root;
mod rules;
mod service;
mod slice;
mod star;
mod stats;
mod stored_trace;
mod target;
mod trace;
mod unit;
pub mod view;
mod wide;

use crate::error::{Error, Result};
use crate::method::Limits as Computing;
use crate::rdf::Graph;
use crate::store::{Kind, Snapshot, Tag, TraceNumber};
use rules::Row;
pub use service::Service;
pub use target::{Aspect, Target};
pub use view::{Content, Shape, View};

/// Query parameters, decoded, in order; `_` was removed.
pub type Parameters = [(String, String)];

/// The kinds of resources, in the order of [`Kind`].
static KINDS: [&Row; 7] = [
    &root::ROW,
    &base::ROW,
    &model::ROW,
    &method::ROW,
    &data_graph::ROW,
    &stored_trace::ROW,
    &computed_trace::ROW,
];

/// Returns the kinds of resources, each with the IRI of its class and the methods that it supports: what tests go through, so
/// that none is forgotten.
pub fn kinds() -> impl Iterator<Item = (Kind, &'static str, &'static [&'static str])> {
    KINDS.iter().map(|row| (row.kind, row.class, row.allow))
}

/// Returns the rules of a kind.
fn row(kind: Kind) -> &'static Row {
    KINDS[kind as usize]
}

/// The part of the configuration that resources depend on.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `k:hasVersion` of the root.
    pub version: String,
    /// IRIs of the built-in methods that the root lists.
    pub builtin_methods: Vec<&'static str>,
    /// Whether `@stats` counts obsels per type.
    pub stats_per_type: bool,
    /// Whether `@stats` counts subjects.
    pub stats_subjects: bool,
    /// Longest identifier of a resource or of an obsel, in bytes.
    pub id_bytes: usize,
    /// What the computation of a trace, or a query, may use. Without what runs its commands, the method external does not
    /// exist.
    pub computing: Computing,
}

/// A graph of the store, under its name.
#[derive(Debug)]
pub enum Part<'a> {
    /// The description of a resource: its IRI, its graph.
    Graph(&'a str, &'a Graph),
    /// The obsels of a trace, under the IRI of `@obsels`.
    Obsels {
        /// The state of the store in which they are.
        snapshot: &'a Snapshot,
        /// The IRI of the trace.
        trace: &'a str,
        /// The number of the trace.
        number: TraceNumber,
        /// The class of the collection.
        collection_type: &'static str,
    },
}

/// Takes obsels as they come: the number of its line, the graph of its description.
pub type Give<'a> = dyn FnMut(u64, Graph) -> Result<()> + 'a;

/// The condition under which a resource may be replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Whatever it is now.
    Anything,
    /// Only if one of these tags (without media type) is current.
    Tags(Vec<String>),
}

impl Expected {
    /// Checks that a tag is among those that are expected.
    ///
    /// # Errors
    /// `EtagMismatch`.
    fn check(&self, tag: Tag) -> Result<()> {
        match self {
            Self::Tags(tags) if !tags.contains(&tag.to_string()) => Err(Error::EtagMismatch),
            _ => Ok(()),
        }
    }
}

/// Checks that there is no parameter.
///
/// # Errors
/// `BadParameters`, which names them, each once, in order.
fn no_parameters(parameters: &Parameters) -> Result<()> {
    parameter::check_known(&[], parameters)
}

#[cfg(test)]
mod test {
    use super::*;

    #[test]
    fn rows_are_in_the_order_of_kinds() {
        for (i, row) in KINDS.iter().enumerate() {
            assert_eq!(row.kind as usize, i, "{row:?}");
        }
    }
}
