//! One obsel: reading it, deleting it.

use std::ops::Bound;

use super::obsels::collection_type;
use super::view::{Begins, Content, Obsels, Shape, View};
use super::{Parameters, Service, Target, batch, no_parameters};
use crate::error::{Error, Result};
use crate::store::{Bounds, Reading};

/// Returns what a GET on an obsel shows: its bounded description, and the `k:hasTrace` of the obsels that are directly
/// related to it.
///
/// # Errors
/// `BadParameters`; `NotFound` if the trace has no such obsel.
pub(super) fn read(target: Target, id: &str, parameters: &Parameters) -> Result<View> {
    no_parameters(parameters)?;
    let trace = target.trace_number()?;
    let place = target.snapshot.place(trace, id)?.ok_or(Error::NotFound)?;
    let bounds = Bounds {
        lower: Bound::Included(place.clone()),
        upper: Bound::Included(place),
    };
    let iri = target.trace_iri();
    let model = target.model().map(str::to_owned);
    let obsels = Obsels::whole(target.snapshot, iri, trace, collection_type(target.entry.head.kind));
    let content = Content::Obsels(obsels.narrowed(Some(bounds), Begins::default()));
    let (tags, links) = Default::default();
    Ok(View {
        iri: target.iri,
        shape: Shape::Obsel,
        tags,
        modified: None,
        links,
        model,
        content,
    })
}

/// Deletes an obsel of a stored trace, with all the triples about it.
///
/// # Errors
/// `BadParameters`; `NotFound` if it, or its trace, was deleted in the meantime.
pub(super) fn delete(service: &Service, target: &Target, id: &str, parameters: &Parameters) -> Result<()> {
    no_parameters(parameters)?;
    let trace = target.trace_number()?;
    let mut change = service.store.write()?;
    batch::check_current(&change, target)?;
    if !change.remove_obsel(trace, id)? {
        return Err(Error::NotFound);
    }
    change.renew_tags(trace)?;
    Ok(change.commit()?)
}
