//! The unit of time of a model, and of a trace.

use crate::error::Result;
use crate::rdf::as_iri;
use crate::resource::path::below;
use crate::store::{Change, Entry, Kind, Reading};
use crate::time::Unit;
use crate::vocab::ktbs;

/// Returns the IRI of the unit of a model, or `None` if this server has no such model.
///
/// Units are not inherited from parent models.
///
/// # Errors
/// Those of the store.
pub fn of_model(reading: &dyn Reading, model: &str) -> Result<Option<String>> {
    let Some(path) = below(reading.root(), model) else {
        return Ok(None);
    };
    let head = reading.head(path)?.filter(|head| head.kind == Kind::TraceModel);
    Ok(head.map(|head| head.unit.unwrap_or_else(|| ktbs::MILLISECOND.to_owned())))
}

/// Returns the unit of a trace: that of its model now, else the last that was known, else the millisecond.
///
/// # Errors
/// Those of the store.
pub fn of_trace(reading: &dyn Reading, entry: &Entry) -> Result<Unit> {
    let unit = of_trace_model(reading, entry)?;
    Ok(Unit::from_iri(unit.as_deref().or(entry.head.unit.as_deref())))
}

/// Returns the unit of the model of a trace, or `None` if this server does not have the model.
///
/// # Errors
/// Those of the store.
pub fn of_trace_model(reading: &dyn Reading, entry: &Entry) -> Result<Option<String>> {
    let trace = format!("{}{}", reading.root(), entry.head.path);
    match entry.graph.object_of(&trace, ktbs::HAS_MODEL).and_then(as_iri) {
        Some(model) => of_model(reading, model),
        None => Ok(None),
    }
}

/// Remembers the unit of a trace to which obsels are added, or from which others are computed, if it is another than it
/// had: these obsels are in that unit, even once the model is gone.
///
/// # Errors
/// Those of the store.
pub fn remember(change: &mut Change<'_>, path: &str, unit: Option<&str>) -> Result<()> {
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
