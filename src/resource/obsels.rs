//! The collection of obsels of a trace (stub).
use crate::error::Result;
use crate::rdf::Graph;
use crate::resource::{Expected, Parameters, Service, Target, View};

/// Returns the tags of the collection, the most volatile first.
pub fn tags(_target: &Target) -> Result<Vec<String>> {
    todo!()
}
/// Returns what a GET of the collection, or of a slice of it, shows.
pub fn read(_service: &Service, _target: Target, _parameters: &Parameters) -> Result<View> {
    todo!()
}
/// Replaces the whole collection of a stored trace; returns what a GET then shows.
pub fn replace(_service: &Service, _target: &Target, _expected: &Expected, _graph: Graph) -> Result<View> {
    todo!()
}
/// Empties the collection of a stored trace.
pub fn delete(_service: &Service, _target: &Target) -> Result<()> {
    todo!()
}
