//! The relations of a new obsel with those of its trace.

use std::collections::HashSet;

use crate::error::Result;
use crate::obsel::{Mention, Obsel, Value};
use crate::store::{Change, Place, Reading, TraceNumber};

/// Drops from a new obsel the triples that the description of another holds already.
///
/// # Errors
/// Those of the store.
pub fn drop_known(change: &Change<'_>, trace: TraceNumber, obsel: &mut Obsel<'_>) -> Result<()> {
    if change.trace(trace)?.mentions == 0 {
        return Ok(());
    }
    let known: HashSet<Mention<'_>> = change.mentions(trace, obsel.id)?.into_iter().collect();
    let says = |outgoing: bool, predicate, other: &Value<'_>| match other {
        Value::Obsel(other) => known.contains(&Mention {
            outgoing,
            predicate,
            other,
        }),
        _ => false,
    };
    obsel.arcs.retain(|arc| !says(true, arc.predicate, &arc.object));
    let this = Value::Obsel(obsel.id);
    obsel
        .others
        .retain(|(subject, arc)| arc.object != this || !says(false, arc.predicate, subject));
    Ok(())
}

/// Returns the places of the obsels of the trace to which a new obsel is directly related, in either direction.
///
/// # Errors
/// Those of the store.
pub fn related(change: &Change<'_>, trace: TraceNumber, obsel: &Obsel<'_>) -> Result<Vec<Place>> {
    let mut ids: HashSet<&str> = HashSet::new();
    let named = obsel
        .arcs
        .iter()
        .map(|arc| &arc.object)
        .chain(obsel.others.iter().map(|(subject, _)| subject));
    for value in named {
        if let Value::Obsel(id) = value
            && *id != obsel.id
        {
            ids.insert(id);
        }
    }
    let mentions = if change.trace(trace)?.mentions > 0 {
        change.mentions(trace, obsel.id)?
    } else {
        Vec::new()
    };
    ids.extend(mentions.iter().map(|mention| mention.other));
    let mut places = Vec::with_capacity(ids.len());
    for id in ids {
        places.extend(change.place(trace, id)?);
    }
    Ok(places)
}
