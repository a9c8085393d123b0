//! The relations of a new obsel with those of its trace.

use std::collections::HashSet;

use crate::error::Result;
use crate::obsel::{Mention, Name, Obsel, Value};
use crate::store::{Change, Place, Reading, TraceNumber};

/// Drops from a new obsel the triples that the description of another holds already.
///
/// # Errors
/// Those of the store.
pub fn drop_known(change: &Change<'_>, trace: TraceNumber, obsel: &mut Obsel<'_>) -> Result<()> {
    if change.trace(trace)?.mentions == 0 {
        return Ok(());
    }
    let this = Value::Obsel(obsel.id);
    let others = Others {
        change,
        trace,
        mentions: change.mentions(trace, obsel.id)?.into_iter().collect(),
        id: obsel.id,
    };
    let mut known = HashSet::new();
    for arc in &obsel.arcs {
        if others.say(true, arc.predicate, &arc.object)? {
            known.insert((this, *arc));
        }
    }
    for (subject, arc) in &obsel.others {
        if arc.object == this && others.say(false, arc.predicate, subject)? {
            known.insert((*subject, *arc));
        }
    }
    obsel.arcs.retain(|arc| !known.contains(&(this, *arc)));
    obsel.others.retain(|triple| !known.contains(triple));
    Ok(())
}

/// What the other obsels of the trace say of one.
struct Others<'c> {
    change: &'c Change<'c>,
    trace: TraceNumber,
    mentions: HashSet<Mention<'c>>,
    id: &'c str,
}

impl Others<'_> {
    /// Tells whether the description of the other obsel holds the triple between the two.
    fn say(&self, outgoing: bool, predicate: Name, other: &Value<'_>) -> Result<bool> {
        let &Value::Obsel(other_id) = other else {
            return Ok(false);
        };
        let mention = Mention {
            outgoing,
            predicate,
            other: other_id,
        };
        if !self.mentions.contains(&mention) {
            return Ok(false);
        }
        let description = self.change.obsel(self.trace, other_id)?;
        Ok(description.is_some_and(|description| mention.relates(self.id, &description)))
    }
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
