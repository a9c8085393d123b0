//! What the methods of one source that take its obsels one by one have in common: what is new in it; and, for filter and
//! hrules, which copy some of them, what relates these to each other.

use std::collections::BTreeSet;
use std::hash::Hash;

use bumpalo::Bump;

use super::copy::{Copier, Naming};
use super::progress::{News, Progress, for_each_obsel};
use super::{Computed, Inputs, Sink, Source, Stop};
use crate::obsel::{Obsel, Value};
use crate::store::{Bounds, Reading, TraceNumber};

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

/// Returns what is new in the source, and what to keep for the next time. `plan` is all that decides of the result, the
/// obsels of the source aside.
pub fn start(
    inputs: &Inputs<'_>,
    plan: &impl Hash,
    state: Option<&[u8]>,
    sink: &mut dyn Sink,
) -> Result<(News, Computed), Stop> {
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
    Ok((news, computed))
}

/// Copies the obsels that are selected in a part of the source, where the news are.
pub fn copy(
    inputs: &Inputs<'_>,
    source: &Source,
    news: &News,
    bounds: &Bounds,
    selection: &mut dyn Selection,
    sink: &mut dyn Sink,
) -> Result<(), Stop> {
    let copier = Copier::new(inputs, source, &Naming::Same, sink)?;
    let mut former = Former::new(inputs, source, news)?;
    let mut texts = Bump::new();
    for_each_obsel(inputs, source, bounds, &mut |obsel| {
        let types = selection.select(obsel)?;
        former.compare(obsel, types.is_some(), sink)?;
        if let Some(types) = types {
            put(&copier, obsel, types, &mut texts, selection, sink)?;
        }
        Ok(())
    })?;
    for id in former.related {
        if let Some(obsel) = inputs.reading.obsel(source.trace, &id)?
            && let Some(types) = selection.select(&obsel)?
        {
            put(&copier, &obsel, types, &mut texts, selection, sink)?;
        }
    }
    Ok(())
}

fn put(
    copier: &Copier<'_>,
    obsel: &Obsel<'_>,
    types: Vec<Value<'_>>,
    texts: &mut Bump,
    selection: &mut dyn Selection,
    sink: &mut dyn Sink,
) -> Result<(), Stop> {
    texts.reset();
    let copy = copier.copy(obsel, types, texts, &mut |id| selection.contains(id))?;
    Ok(sink.put(&copy)?)
}

/// What the last computation selected, where obsels that were there may have become others: what a new obsel says of them
/// is said of them.
struct Former<'a> {
    reading: &'a dyn Reading,
    source: TraceNumber,
    target: Option<TraceNumber>,
    /// When the obsels that are read again end, at least.
    since: i64,
    has_mentions: bool,
    /// The obsels that are not read again, and that name some that are selected now and were not, or the reverse.
    related: BTreeSet<String>,
}

impl<'a> Former<'a> {
    fn new(inputs: &Inputs<'a>, source: &Source, news: &News) -> Result<Self, Stop> {
        let (target, since) = match news {
            News::Since(since) => (inputs.target.trace, *since),
            News::Nothing | News::After(_) | News::Everything => (None, i64::MIN),
        };
        Ok(Self {
            reading: inputs.reading,
            source: source.trace,
            target,
            since,
            has_mentions: inputs.reading.trace(source.trace)?.mentions > 0,
            related: BTreeSet::new(),
        })
    }

    /// Compares with what was selected: what is not any more is removed.
    fn compare(&mut self, obsel: &Obsel<'_>, is_selected: bool, sink: &mut dyn Sink) -> Result<(), Stop> {
        let Some(target) = self.target else {
            return Ok(());
        };
        let was_selected = self.reading.has_obsel(target, obsel.id)?;
        if was_selected && !is_selected {
            sink.remove(obsel.id)?;
        }
        if was_selected != is_selected && self.has_mentions {
            for mention in self.reading.mentions(self.source, obsel.id)? {
                let place = self.reading.place(self.source, mention.other)?;
                if place.is_some_and(|place| place.end < self.since) {
                    self.related.insert(mention.other.to_owned());
                }
            }
        }
        Ok(())
    }
}
