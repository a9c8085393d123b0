//! Posting obsels (stub).
use crate::error::Result;
use crate::rdf::Graph;
use crate::resource::{Service, Target};

/// Creates the obsels that a graph describes in a stored trace; returns their IRIs, in the order of creation.
pub(super) fn create_obsels(_service: &Service, _target: &Target, _graph: Graph) -> Result<Vec<String>> {
    todo!()
}
