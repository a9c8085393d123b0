//! What the methods that query have in common: limits, prefixes, the obsels of a source as a dataset.

use std::time::{Duration, Instant};

use super::{Inputs, Source, Stop};
use crate::error::Error;
use crate::sparql::{Builder, Dataset, Limits, add_collection};
use crate::store::{Kind, Reading};
use crate::vocab::{KTBS, ktbs};

/// Returns what a query may take: what is left to the computation.
pub(super) fn limits(inputs: &Inputs<'_>) -> Limits {
    let limits = Limits::default();
    let left = inputs.limits.deadline.map_or(Duration::MAX, |deadline| {
        deadline.saturating_duration_since(Instant::now())
    });
    Limits {
        time: limits.time.min(left),
        ..limits
    }
}

/// Returns the prefixes that a query about a source may use without declaring them, besides the well-known ones: `ktbs`,
/// and `m` for the model of the source.
pub(super) fn prefixes(source: &Source) -> Vec<(&'static str, String)> {
    let mut prefixes = vec![("ktbs", KTBS.to_owned())];
    if let Some(model) = &source.model {
        let end = if model.ends_with(['#', '/']) { "" } else { "#" };
        prefixes.push(("m", format!("{model}{end}")));
    }
    prefixes
}

/// Returns the graph of `@obsels` of a source as a dataset, with the predicates that a query needs.
///
/// # Errors
/// Those of the store, and of the limits.
pub(super) fn obsels(inputs: &Inputs<'_>, source: &Source, predicates: Option<&[String]>) -> Result<Dataset, Stop> {
    let mut builder = Builder::keeping(predicates);
    add_collection(
        &mut builder,
        inputs.reading,
        source.trace,
        &source.iri,
        collection_type(inputs.reading, source)?,
    )?;
    Ok(builder.finish())
}

/// Returns the type of the collection of obsels of a trace.
pub(super) fn collection_type(reading: &dyn Reading, source: &Source) -> Result<&'static str, Stop> {
    let path = source.iri.strip_prefix(reading.root()).unwrap_or(&source.iri);
    let head = reading.head(path)?;
    Ok(match head.map(|head| head.kind) {
        Some(Kind::ComputedTrace) => ktbs::COMPUTED_TRACE_OBSELS,
        _ => ktbs::STORED_TRACE_OBSELS,
    })
}

/// Returns the sentence of an error of a query, for a diagnosis.
pub(super) fn reason(error: &Error) -> String {
    match error {
        Error::Parse(text) => text.clone(),
        other => other.to_string(),
    }
}
