//! What stored and computed traces have in common: their aspects, their unit, their being sources.

use crate::error::Result;
use crate::rdf::{Graph, as_iri, as_literal, iri};
use crate::resource::{links, model};
use crate::store::{Change, Entry, Head, Reading};
use crate::time::Unit;
use crate::vocab::ktbs;

/// Adds the links to the collection of obsels and to the statistics.
pub(super) fn generate(trace: &str, _head: &Head, _reading: &dyn Reading, graph: &mut Graph) -> Result<()> {
    let subject = iri(trace);
    graph.insert(
        &subject,
        &iri(ktbs::HAS_OBSEL_COLLECTION),
        &iri(format!("{trace}@obsels")),
    );
    graph.insert(
        &subject,
        &iri(ktbs::HAS_TRACE_STATISTICS),
        &iri(format!("{trace}@stats")),
    );
    Ok(())
}

/// Checks that a trace is the source of no other.
pub(super) fn check_deletable(entry: &Entry, iri: &str, _reading: &dyn Reading) -> Result<Vec<String>> {
    Ok(links::users(&entry.graph, iri, &[ktbs::HAS_SOURCE]))
}

/// Returns the unit of a trace: that of its model now, else the last that was known, else the millisecond.
///
/// # Errors
/// Those of the store.
pub fn unit_of(reading: &dyn Reading, entry: &Entry) -> Result<Unit> {
    let unit = model_unit(reading, entry)?;
    Ok(Unit::from_iri(unit.as_deref().or(entry.head.unit.as_deref())))
}

/// Returns the unit of the model of a trace, or `None` if this server does not have the model.
///
/// # Errors
/// Those of the store.
pub fn model_unit(reading: &dyn Reading, entry: &Entry) -> Result<Option<String>> {
    let trace = format!("{}{}", reading.root(), entry.head.path);
    match entry.graph.object_of(&trace, ktbs::HAS_MODEL).and_then(as_iri) {
        Some(model) => model::unit(reading, model),
        None => Ok(None),
    }
}

/// Remembers the unit of a trace to which obsels are added, or from which others are computed, if it is another than it
/// had: these obsels are in that unit, even once the model is gone.
///
/// # Errors
/// Those of the store.
pub fn remember_unit(change: &mut Change<'_>, path: &str, unit: Option<&str>) -> Result<()> {
    let known = change.head(path)?.and_then(|head| head.unit);
    if unit.is_none() || unit == known.as_deref() {
        return Ok(());
    }
    if let Some(mut entry) = change.entry(path)? {
        entry.head.unit = unit.map(str::to_owned);
        change.put_head(&entry)?;
    }
    Ok(())
}

/// Returns how far before its end, in units, a trace may grow and still be deemed monotonic; 0 by default.
pub fn pseudo_monotonicity_range(graph: &Graph, trace: &str) -> i64 {
    graph
        .object_of(trace, ktbs::HAS_PSEUDO_MON_RANGE)
        .and_then(as_literal)
        .and_then(|lexical| lexical.parse().ok())
        .unwrap_or(0)
}
