//! What a kTBS is: resources and their rules. It knows neither HTTP nor media types. (Skeleton.)

pub mod view;

use crate::error::Result;
use crate::rdf::Graph;
use crate::store::{Entry, Snapshot, Store};
pub use view::{Shape, View};

/// Query parameters, decoded, in order; `_` was removed.
pub type Parameters = [(String, String)];

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
}

/// A kTBS: a store and the rules by which it is read and changed.
#[derive(Debug)]
pub struct Service {
    /// Where everything is.
    pub store: Store,
    /// What the configuration says.
    pub settings: Settings,
}

/// Which face of a stored resource a URI names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Aspect {
    /// The resource itself.
    Itself,
    /// `@obsels` of a trace.
    Obsels,
    /// `@stats` of a trace.
    Stats,
    /// The obsel of this id.
    Obsel(String),
}

/// An existing resource, found in a snapshot.
#[derive(Debug)]
pub struct Target {
    /// Its absolute IRI, in Unicode form.
    pub iri: String,
    /// What it is of `entry`.
    pub aspect: Aspect,
    /// The stored resource: the trace, for its aspects and obsels.
    pub entry: Entry,
    /// The state of the store in which it was found.
    pub snapshot: Snapshot,
}

/// The condition under which a resource may be replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Whatever it is now.
    Anything,
    /// Only if one of these tags (without media type) is current.
    Tags(Vec<String>),
}

impl Target {
    /// Returns the shape of its representation.
    pub fn shape(&self) -> Shape {
        todo!()
    }
    /// Returns the methods it supports, besides OPTIONS.
    pub fn allow(&self) -> &'static [&'static str] {
        todo!()
    }
    /// Returns its current tags, the most volatile first; empty for an obsel.
    pub fn tags(&self) -> Result<Vec<String>> {
        todo!()
    }
    /// Returns the IRI of its container (that of the trace for aspects and obsels); `None` for the root.
    pub fn parent(&self) -> Option<String> {
        todo!()
    }
    /// Returns the IRI of the model, for a trace and what belongs to it.
    pub fn model(&self) -> Option<&str> {
        todo!()
    }
}

impl Service {
    /// Returns the resource of an IRI (absolute, decoded, without extension).
    ///
    /// # Errors
    /// `NotFound`.
    pub fn find(&self, _iri: &str) -> Result<Target> {
        todo!()
    }
    /// Returns what a GET shows.
    pub fn read(&self, _target: Target, _parameters: &Parameters) -> Result<View> {
        todo!()
    }
    /// Creates what a posted graph describes; returns the IRIs of what was created, in order.
    pub fn create(&self, _target: &Target, _parameters: &Parameters, _graph: Graph) -> Result<Vec<String>> {
        todo!()
    }
    /// Checks that a resource can be replaced at all, before the payload is read.
    ///
    /// # Errors
    /// `NotAllowed`, `BadParameters`.
    pub fn check_replaceable(&self, _target: &Target, _parameters: &Parameters) -> Result<()> {
        todo!()
    }
    /// Replaces the graph of a resource, and returns what a GET then shows.
    pub fn replace(&self, _target: Target, _expected: &Expected, _graph: Graph) -> Result<View> {
        todo!()
    }
    /// Deletes a resource, or empties `@obsels`.
    pub fn delete(&self, _target: &Target, _parameters: &Parameters) -> Result<()> {
        todo!()
    }
}
