//! The statistics of a trace (stub).
use crate::error::Result;
use crate::resource::{Parameters, Service, Target, View};
use crate::store::{Entry, TraceRecord};

/// Returns the tag of the statistics: they follow from the obsels, their JSON also from the model.
pub(super) fn tag(entry: &Entry, record: &TraceRecord) -> String {
    format!("{}{:x}", record.tags.main, entry.head.tag.count)
}
/// Returns what a GET of the statistics shows.
pub(super) fn read(_service: &Service, _target: Target, _parameters: &Parameters) -> Result<View> {
    todo!()
}
