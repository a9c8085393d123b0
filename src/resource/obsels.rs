//! The collection of obsels of a trace (stub).
use crate::error::{Error, Result};
use crate::rdf::Graph;
use crate::resource::{Expected, Parameters, Service, Target, View};
use crate::store::TraceNumber;

/// Returns what a GET of the collection, or of a slice of it, shows.
pub(super) fn read(_target: Target, _parameters: &Parameters) -> Result<View> {
    todo!()
}
/// Replaces the whole collection of a stored trace; returns what a GET then shows.
pub(super) fn replace(_service: &Service, _target: Target, _expected: &Expected, _graph: &Graph) -> Result<View> {
    todo!()
}
/// Empties the collection of a stored trace.
pub(super) fn delete(_service: &Service, _target: &Target, _parameters: &Parameters) -> Result<()> {
    todo!()
}
/// Returns the number of the trace to which a target belongs.
pub(super) fn number(target: &Target) -> Result<TraceNumber> {
    target
        .entry
        .head
        .trace
        .ok_or_else(|| Error::Internal(format!("<{}> is no trace", target.iri)))
}
