//! What filter and hrules have in common: some obsels of the only source are copied, with what relates them to each other.

use std::hash::Hash;

use bumpalo::Bump;

use super::copy::{Copier, Naming};
use super::progress::{News, Progress, for_each_obsel};
use super::{Computed, Inputs, Sink, Source, Stop};
use crate::obsel::{Obsel, Value};
use crate::store::Bounds;

/// Which obsels are copied. Whether one is depends on what is said of it, and of nothing else.
pub trait Selection {
    /// What an obsel becomes: its types, or `None` if it is not copied.
    ///
    /// # Errors
    /// Those of the store, and of limits.
    fn select<'t>(&mut self, obsel: &Obsel<'t>) -> Result<Option<Vec<Value<'t>>>, Stop>;

    /// Tells whether the source has an obsel of this id, and it is copied.
    ///
    /// # Errors
    /// Those of the store, and of limits.
    fn contains(&mut self, id: &str) -> Result<bool, Stop>;
}

/// Returns what is to be read of the source, or `None` if there is nothing new, and what to keep for the next time.
/// `plan` is all that decides of the result, the obsels of the source aside.
pub fn start(
    inputs: &Inputs<'_>,
    plan: &impl Hash,
    state: Option<&[u8]>,
    sink: &mut dyn Sink,
) -> Result<(Option<Bounds>, Computed), Stop> {
    let progress = Progress::now(inputs, plan)?;
    let news = match progress.since(inputs, state) {
        Some((news, _)) => news.into_iter().next().unwrap_or(News::Everything),
        None => {
            sink.clear()?;
            News::Everything
        }
    };
    let mut computed = Computed::default();
    progress.write(&mut computed.state);
    Ok((news.bounds(), computed))
}

/// Copies the obsels that are selected in a part of the source.
pub fn copy(
    inputs: &Inputs<'_>,
    source: &Source,
    bounds: &Bounds,
    selection: &mut dyn Selection,
    sink: &mut dyn Sink,
) -> Result<(), Stop> {
    let copier = Copier::new(inputs, source, &Naming::Same, sink)?;
    for_each_obsel(inputs, source, bounds, &mut |obsel| {
        if let Some(types) = selection.select(obsel)? {
            let texts = Bump::new();
            let mut copy = copier.copy(obsel, &texts, &mut |id| selection.contains(id))?;
            copy.types = types;
            sink.put(&copy)?;
        }
        Ok(())
    })
}
