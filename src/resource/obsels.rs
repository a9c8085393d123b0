//! `@obsels`, the collection of the obsels of a trace: reading it or a slice of it, amending it, emptying it.

use super::slice::{Query, Slice, Sliced};
use super::view::{Content, Obsels, Shape, View};
use super::{Expected, Parameters, Service, Target, batch, check, no_parameters, trace};
use crate::error::Result;
use crate::rdf::Graph;
use crate::store::{Kind, Reading};
use crate::vocab::{ktbs, rdf};

/// Returns what a GET on `@obsels` shows.
///
/// # Errors
/// `BadParameters`, and those of the store.
pub(super) fn read(target: Target, parameters: &Parameters) -> Result<View> {
    let query = Query::parse(parameters)?;
    let iri = target.trace_iri();
    let number = target.trace_number()?;
    let model = target.model().map(str::to_owned);
    let record = target.snapshot.trace(number)?;
    let modified = Some(record.modified);
    let slice = if query.is_slice {
        let pseudo_range = trace::pseudo_monotonicity_range(&target.entry.graph, &iri);
        let sliced = Sliced {
            iri: &iri,
            number,
            pseudo_range,
        };
        Some(Slice::select(&query, sliced, &target.snapshot)?)
    } else {
        None
    };
    let mut obsels = Obsels::whole(target.snapshot, iri, number, collection_type(target.entry.head.kind));
    let (mut tags, mut links) = (vec![record.tags.main.to_string()], Vec::new());
    if let Some(slice) = slice {
        obsels = obsels.narrowed(slice.bounds, slice.begins);
        (tags, links) = (slice.tags, slice.links);
    }
    let content = Content::Obsels(obsels);
    Ok(View {
        iri: target.iri,
        shape: Shape::Obsels,
        tags,
        modified,
        links,
        model,
        content,
    })
}

/// Replaces all the obsels of a stored trace.
///
/// # Errors
/// `InvalidData`: a structural triple is missing, something else than obsels is described, or an obsel breaks a rule;
/// `EtagMismatch`; `NotFound` if the trace was deleted in the meantime.
pub(super) fn replace(service: &Service, target: Target, expected: &Expected, graph: &Graph) -> Result<View> {
    let iri = target.trace_iri();
    check_structure(graph, &iri)?;
    batch::replace_obsels(service, &target, expected, graph)?;
    read(service.find(&target.iri)?, &[])
}

/// Empties the collection of a stored trace.
///
/// # Errors
/// `BadParameters`; `NotFound` if the trace was deleted in the meantime.
pub(super) fn delete(service: &Service, target: &Target, parameters: &Parameters) -> Result<()> {
    no_parameters(parameters)?;
    let number = target.trace_number()?;
    let mut change = service.store.write()?;
    batch::check_current(&change, target)?;
    change.delete_obsels(number)?;
    change.renew_tags(number)?;
    Ok(change.commit()?)
}

/// Returns the type of the collection of a kind of trace.
pub(super) fn collection_type(kind: Kind) -> &'static str {
    match kind {
        Kind::ComputedTrace => ktbs::COMPUTED_TRACE_OBSELS,
        _ => ktbs::STORED_TRACE_OBSELS,
    }
}

/// Checks that the two triples by which the collection hangs on its trace are there.
fn check_structure(graph: &Graph, trace: &str) -> Result<()> {
    let collection = format!("{trace}@obsels");
    let is = |s: &str, p: &str, o: &str| graph.contains_iris(s, p, o);
    let mut problems = Vec::new();
    if !is(&collection, rdf::TYPE, ktbs::STORED_TRACE_OBSELS) {
        problems.push(format!(
            "Can not edit type <{}> for <{collection}>",
            ktbs::STORED_TRACE_OBSELS
        ));
    }
    if !is(trace, ktbs::HAS_OBSEL_COLLECTION, &collection) {
        let property = ktbs::HAS_OBSEL_COLLECTION;
        problems.push(format!("Can not edit in-property <{property}> to <{collection}>"));
    }
    check::refuse("check_new_graph", problems)
}
