//! The intermediate traces of a pipe or of a parallel: computed traces next to it, which come and go with it.
//!
//! A trace and its intermediate traces know each other by `k:hasIntermediateSource`, in the graphs of both.

use std::collections::HashSet;

use super::inputs::Gathered;
use super::{Settings, links};
use crate::error::{Error, Result};
use crate::method::Step;
use crate::rdf::{Graph, as_iri, iri};
use crate::resource::path::{below, container};
use crate::store::{Change, Entry, Head, Kind, Reading, Tag, Use};
use crate::vocab::{ktbs, rdf};

/// How an intermediate trace uses others.
static USES: [Use; 2] = [Use::Source, Use::Method];

/// Tells whether a computed trace has the intermediate traces that its method wants.
pub fn is_settled(reading: &dyn Reading, entry: &Entry, gathered: &Gathered) -> bool {
    let target = format!("{}{}", reading.root(), entry.head.path);
    let wanted = wanted(reading, &target, gathered);
    let names: HashSet<&str> = wanted.iter().map(|step| step.iri.as_str()).collect();
    let has: HashSet<&str> = gathered.intermediate.iter().map(String::as_str).collect();
    names == has && wanted.iter().all(|step| is_as_wanted(reading, step).unwrap_or(false))
}

/// Returns the steps of a method; none if something prevents them.
fn wanted(reading: &dyn Reading, target: &str, gathered: &Gathered) -> Vec<Step> {
    match gathered.steps(target, reading) {
        Some(Ok(steps)) => steps,
        _ => Vec::new(),
    }
}

fn is_as_wanted(reading: &dyn Reading, step: &Step) -> Result<bool> {
    let Some(entry) = below(reading.root(), &step.iri)
        .map(|path| reading.entry(path))
        .transpose()?
        .flatten()
    else {
        return Ok(false);
    };
    let is = |property: &str, value: &str| {
        let mut values = entry.graph.objects_of(&step.iri, property);
        values.next().and_then(as_iri) == Some(value) && values.next().is_none()
    };
    Ok(is(ktbs::HAS_METHOD, &step.method) && is(ktbs::HAS_SOURCE, &step.source))
}

/// Makes, changes and deletes intermediate traces, so that a computed trace has those that its method wants.
///
/// # Errors
/// Those of the store.
pub fn settle(change: &mut Change<'_>, mut entry: Entry, settings: &Settings) -> Result<()> {
    let target = format!("{}{}", change.root(), entry.head.path);
    let gathered = Gathered::of(change, &entry, settings)?;
    let wanted = wanted(change, &target, &gathered);
    for old in &gathered.intermediate {
        if !wanted.iter().any(|step| step.iri == *old) {
            remove(change, old)?;
        }
    }
    for step in &wanted {
        put(change, &target, step)?;
    }
    let (subject, property) = (iri(&target), iri(ktbs::HAS_INTERMEDIATE_SOURCE));
    // The links of the steps may have changed the entry.
    entry = change.entry(&entry.head.path)?.ok_or(Error::NotFound)?;
    entry.graph.retain(|s, p, _| *s != subject || *p != property);
    for step in &wanted {
        entry.graph.insert(&subject, &property, &iri(&step.iri));
    }
    change.put(&mut entry)?;
    touch_container(change, &entry.head.path)
}

/// Deletes the intermediate traces of a computed trace that is deleted.
///
/// # Errors
/// Those of the store.
pub fn remove_all(change: &mut Change<'_>, target: &str, graph: &Graph) -> Result<()> {
    let steps: Vec<String> = graph
        .objects_of(target, ktbs::HAS_INTERMEDIATE_SOURCE)
        .filter_map(as_iri)
        .map(str::to_owned)
        .collect();
    for step in steps {
        remove(change, &step)?;
    }
    Ok(())
}

fn remove(change: &mut Change<'_>, step: &str) -> Result<()> {
    let Some(path) = below(change.root(), step).map(str::to_owned) else {
        return Ok(());
    };
    if let Some(entry) = change.entry(&path)? {
        // A step may be a composition itself. How deep they are nested is bounded where steps are made.
        remove_all(change, step, &entry.graph)?;
        links::update(change, step, &USES, &entry.graph, &Graph::new())?;
        change.delete(&path)?;
    }
    Ok(())
}

fn put(change: &mut Change<'_>, target: &str, step: &Step) -> Result<()> {
    let Some(path) = below(change.root(), &step.iri).map(str::to_owned) else {
        return Ok(());
    };
    let (subject, old) = (iri(&step.iri), change.entry(&path)?);
    let mut graph = old.as_ref().map_or_else(Graph::new, |entry| entry.graph.clone());
    graph.retain(|s, p, _| *s != subject || !USES.iter().any(|by| as_iri(p) == Some(by.property())));
    graph.insert(&subject, &iri(rdf::TYPE), &iri(ktbs::COMPUTED_TRACE));
    graph.insert(&subject, &iri(ktbs::HAS_METHOD), &iri(&step.method));
    graph.insert(&subject, &iri(ktbs::HAS_SOURCE), &iri(&step.source));
    graph.insert(&iri(target), &iri(ktbs::HAS_INTERMEDIATE_SOURCE), &subject);
    let before = old.as_ref().map_or_else(Graph::new, |entry| entry.graph.clone());
    links::update(change, &step.iri, &USES, &before, &graph)?;
    let head = match old {
        Some(entry) => entry.head,
        None => {
            let (kind, tag) = (Kind::ComputedTrace, Tag { instance: 0, count: 0 });
            let trace = Some(change.create_trace()?);
            Head {
                path,
                kind,
                tag,
                modified: 0,
                trace,
                unit: None,
            }
        }
    };
    Ok(change.put(&mut Entry { head, graph })?)
}

/// Renews the tag of the container, whose list has changed.
fn touch_container(change: &mut Change<'_>, path: &str) -> Result<()> {
    if let Some(path) = container(path) {
        change.touch(path)?;
    }
    Ok(())
}

/// Returns the traces that go through a trace, given its graph; it belongs to them, and is not to be edited.
pub fn owners(graph: &Graph, step: &str) -> Vec<String> {
    graph
        .subjects_of(ktbs::HAS_INTERMEDIATE_SOURCE, step)
        .map(super::check::shown)
        .collect()
}
