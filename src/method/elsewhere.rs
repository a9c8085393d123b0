//! What is said of an obsel in the records of others.
//!
//! A triple between two obsels stands in the record of the one that brought it, and so does what leads from an obsel that
//! was there to a blank node of a new one.

use std::collections::BTreeSet;

use super::Stop;
use crate::obsel::{Arc, Obsel, Value};
use crate::store::{Reading, TraceNumber};

/// Calls a function with each arc of an obsel that stands in the record of another, and with that other.
///
/// # Errors
/// Those of the function and of the store.
pub fn for_each_arc<'r>(
    reading: &'r dyn Reading,
    trace: TraceNumber,
    id: &str,
    f: &mut dyn FnMut(&Obsel<'r>, &Arc<'r>) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let mentions = reading.mentions(trace, id)?;
    let others: BTreeSet<&str> = (mentions.iter().filter(|mention| mention.outgoing))
        .map(|mention| mention.other)
        .collect();
    for other in others {
        if let Some(other) = reading.obsel(trace, other)? {
            for (_, arc) in other.others.iter().filter(|(subject, _)| *subject == Value::Obsel(id)) {
                f(&other, arc)?;
            }
        }
    }
    Ok(())
}
