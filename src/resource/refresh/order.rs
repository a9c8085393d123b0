//! On which computed traces one depends, and in which order they are computed.

use std::collections::{HashMap, HashSet};

use super::{ATTEMPTS, Level};
use crate::error::{Error, Result};
use crate::resource::inputs::Gathered;
use crate::resource::path::below;
use crate::resource::wide::Wide;
use crate::resource::{Service, Settings, intermediate};
use crate::store::{Kind, Reading, StoreError};

/// A computed trace on which another depends.
#[derive(Clone, Debug)]
pub(super) struct Dependency {
    pub path: String,
    /// Whether it is the trace itself, or one of its sources, directly or not. The others are only seen by queries with a
    /// wide scope.
    pub is_source: bool,
}

/// Returns the computed traces on which a computed trace depends, sources first, itself last. Intermediate traces are
/// made, changed or deleted on the way, where a method wants others.
pub(super) fn stale_first(service: &Service, path: &str, level: Level) -> Result<Vec<Dependency>> {
    // Each level of intermediate traces that have some themselves takes one round.
    for _ in 0..2 * ATTEMPTS {
        let snapshot = service.store.whole().read()?;
        let (order, unsettled) = order(&snapshot, path, level, &service.settings)?;
        if unsettled.is_empty() {
            return Ok(order);
        }
        drop(snapshot);
        for path in unsettled {
            let mut change = service.store.write()?;
            if let Some(entry) = change.entry(&path)? {
                intermediate::settle(&mut change, entry, &service.settings)?;
                change.commit()?;
            }
        }
    }
    Err(Error::Store(StoreError::Busy))
}

/// Returns the computed traces on which one depends, sources first, and those whose intermediate traces are not those
/// that their methods want.
fn order(
    reading: &dyn Reading,
    path: &str,
    level: Level,
    settings: &Settings,
) -> Result<(Vec<Dependency>, Vec<String>)> {
    let (mut order, mut unsettled) = (Vec::new(), Vec::new());
    let mut seen = HashSet::new();
    let mut sources: HashMap<String, Vec<String>> = HashMap::new();
    // Each trace is met twice: its sources are listed the first time, itself the second.
    let mut pending = vec![(path.to_owned(), false)];
    while let Some((path, listed)) = pending.pop() {
        if listed {
            order.push(path);
            continue;
        }
        // A trace that was met but not listed yet is met again above what needs it, and listed before.
        if !seen.insert(path.clone()) {
            continue;
        }
        let Some(entry) = reading
            .entry(&path)?
            .filter(|entry| entry.head.kind == Kind::ComputedTrace)
        else {
            continue;
        };
        let gathered = Gathered::of(reading, &entry, settings)?;
        if !intermediate::is_settled(reading, &entry, &gathered) {
            unsettled.push(path.clone());
        }
        pending.push((path.clone(), true));
        let own = gathered.sources.iter().chain(&gathered.declared);
        let own = own.filter_map(|source| below(reading.root(), &source.iri).map(str::to_owned));
        let own: Vec<String> = own.collect();
        if level == Level::Obsels
            && let Some(wide) = Wide::of(reading, &entry, &gathered)?
        {
            pending.extend(wide.computed.into_iter().map(|path| (path, false)));
        }
        let new = own.iter().filter(|path| !seen.contains(*path));
        pending.extend(new.map(|path| (path.clone(), false)));
        sources.insert(path, own);
    }
    let mut needed = HashSet::new();
    let mut pending = vec![path];
    while let Some(path) = pending.pop() {
        if needed.insert(path) {
            pending.extend(sources.get(path).into_iter().flatten().map(String::as_str));
        }
    }
    let order = order.into_iter().map(|path| Dependency {
        is_source: needed.contains(path.as_str()),
        path,
    });
    Ok((order.collect(), unsettled))
}
