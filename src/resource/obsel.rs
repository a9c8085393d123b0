//! One obsel (stub).
use crate::error::Result;
use crate::resource::{Parameters, Service, Target, View};

/// Returns what a GET of an obsel shows.
pub(super) fn read(_target: Target, _id: &str, _parameters: &Parameters) -> Result<View> {
    todo!()
}
/// Deletes an obsel of a stored trace.
pub(super) fn delete(_service: &Service, _target: &Target, _id: &str, _parameters: &Parameters) -> Result<()> {
    todo!()
}
