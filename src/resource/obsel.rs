//! One obsel (stub).
use crate::error::Result;
use crate::resource::{Service, Target, View};

/// Returns what a GET of an obsel shows.
pub fn read(_service: &Service, _target: Target, _id: &str) -> Result<View> {
    todo!()
}
/// Deletes an obsel of a stored trace.
pub fn delete(_service: &Service, _target: &Target, _id: &str) -> Result<()> {
    todo!()
}
