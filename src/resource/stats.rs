//! The statistics of a trace (stub).
use crate::error::Result;
use crate::resource::{Parameters, Service, Target, View};

/// Returns the tag of the statistics.
pub fn tags(_target: &Target) -> Result<Vec<String>> {
    todo!()
}
/// Returns what a GET of the statistics shows.
pub fn read(_service: &Service, _target: Target, _parameters: &Parameters) -> Result<View> {
    todo!()
}
