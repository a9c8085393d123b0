//! Brings computed traces up to date before they are read, sources first (kTBS documentation, "computed trace").
//!
//! What is stale is listed as data, then computed one by one: from a snapshot, without a write lock; then a short
//! transaction checks that what was read is still so, and stores the result. Two processes may compute the same thing at
//! once: one stores it, the other finds it done. A process that is killed meanwhile has changed nothing.

use std::collections::HashSet;
use std::time::Instant;

use super::computation::Computation;
use super::harvest::{Changes, Harvest};
use super::inputs::{Gathered, Models};
use super::slice::Refresh;
use super::{Service, Settings, intermediate, trace};
use crate::error::{Diagnosis, Error, Result};
use crate::method::{self, Description};
use crate::rdf::{Graph, Term, as_iri, iri, string};
use crate::resource::path::below;
use crate::store::{Change, Entry, Kind, Reading, StoreError};
use crate::vocab::ktbs;

/// How many times a computation is begun again because its sources have changed meanwhile.
const ATTEMPTS: usize = 5;

/// Brings the description of a computed trace up to date: its model, its origin, its diagnosis.
///
/// # Errors
/// `Busy` if the store keeps changing; those of the store.
pub fn description(service: &Service, path: &str) -> Result<()> {
    for path in stale_first(service, path)? {
        bring(service, &path, Level::Description, false)?;
    }
    Ok(())
}

/// Brings the obsels of a computed trace up to date, and its description.
///
/// # Errors
/// `Conflict` if it, or one of its sources, cannot be computed; `Busy` if the store keeps changing; those of the store.
pub fn obsels(service: &Service, path: &str, refresh: Refresh) -> Result<()> {
    if refresh == Refresh::No {
        return Ok(());
    }
    let order = stale_first(service, path)?;
    let last = order.len().saturating_sub(1);
    for (i, path) in order.iter().enumerate() {
        let forced = refresh == Refresh::Recursive || (refresh == Refresh::Force && i == last);
        bring(service, path, Level::Obsels, forced)?;
    }
    Ok(())
}

/// How far a computed trace is brought up to date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    Description,
    Obsels,
}

/// Returns the computed traces on which a computed trace depends, sources first, itself last. Intermediate traces are
/// made, changed or deleted on the way, where a method wants others.
fn stale_first(service: &Service, path: &str) -> Result<Vec<String>> {
    // Each level of intermediate traces that have some themselves takes one round.
    for _ in 0..2 * ATTEMPTS {
        let snapshot = service.store.whole().read()?;
        let (order, unsettled) = order(&snapshot, path, &service.settings)?;
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
fn order(reading: &dyn Reading, path: &str, settings: &Settings) -> Result<(Vec<String>, Vec<String>)> {
    let (mut order, mut unsettled) = (Vec::new(), Vec::new());
    let mut seen = HashSet::from([path.to_owned()]);
    // Each trace is met twice: its sources are listed the first time, itself the second.
    let mut pending = vec![(path.to_owned(), false)];
    while let Some((path, listed)) = pending.pop() {
        if listed {
            order.push(path);
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
        pending.push((path, true));
        for source in gathered.sources.iter().chain(&gathered.declared) {
            if let Some(path) = below(reading.root(), &source.iri)
                && seen.insert(path.to_owned())
            {
                pending.push((path.to_owned(), false));
            }
        }
    }
    Ok((order, unsettled))
}

/// What was computed, to be stored if nothing it was computed from has changed.
struct Computed {
    computation: Computation,
    /// The description to show, if it changed.
    description: Option<Graph>,
    obsels: Option<Changes>,
    properties: Vec<(&'static str, Term)>,
}

/// Brings one computed trace up to date; its sources are already.
fn bring(service: &Service, path: &str, level: Level, forced: bool) -> Result<()> {
    for _ in 0..ATTEMPTS {
        let snapshot = service.store.whole().read()?;
        let Some(entry) = snapshot.entry(path)? else {
            return Err(Error::NotFound);
        };
        let gathered = Gathered::of(&snapshot, &entry, &service.settings)?;
        let Some(trace) = entry.head.trace else {
            return Err(Error::NotFound);
        };
        let known = Computation::read(&snapshot, trace)?;
        if !forced && is_current(&snapshot, &gathered, &known, level)? {
            return refusal(&gathered, &known, level);
        }
        let computed = compute(service, &snapshot, &entry, &gathered, &known, level, forced)?;
        drop(snapshot);
        if let Some(computation) = store(service, path, &entry, &gathered, &known, computed)? {
            return refusal(&gathered, &computation, level);
        }
    }
    Err(Error::Store(StoreError::Busy))
}

/// Tells whether what is kept follows from what there is now.
fn is_current(reading: &dyn Reading, gathered: &Gathered, known: &Computation, level: Level) -> Result<bool> {
    if known.digest != gathered.digest() {
        return Ok(false);
    }
    for (path, tag) in &known.models {
        if reading.head(path)?.map_or(0, |head| head.tag.count) != *tag {
            return Ok(false);
        }
    }
    let sees_more = gathered
        .method
        .as_ref()
        .is_ok_and(|method| method.sees_more_than_sources(&gathered.parameters));
    if level == Level::Obsels && sees_more {
        return Ok(false);
    }
    Ok(level == Level::Description
        || !known.errors.is_empty()
        || known.sources == Some(source_tags(reading, gathered)?))
}

/// Returns the numbers of the sources, and the counts of their main tags.
fn source_tags(reading: &dyn Reading, gathered: &Gathered) -> Result<Vec<(u64, u64)>> {
    let tag = |source: &method::Source| Ok((source.trace.0, reading.trace(source.trace)?.tags.main.count));
    gathered.sources.iter().map(tag).collect()
}

/// Returns the conflict that a computation ended with, where obsels are wanted.
fn refusal(gathered: &Gathered, computation: &Computation, level: Level) -> Result<()> {
    let problems = if computation.errors.is_empty() {
        &computation.failure
    } else {
        &computation.errors
    };
    if level == Level::Description || problems.is_empty() {
        return Ok(());
    }
    Err(Error::Conflict(match &gathered.method {
        Ok(method) => Diagnosis {
            title: method.obsels_title,
            problems: problems.clone(),
        },
        Err(iri) => method::unknown(iri),
    }))
}

/// Computes what is wanted, from a snapshot.
fn compute(
    service: &Service,
    reading: &dyn Reading,
    entry: &Entry,
    gathered: &Gathered,
    known: &Computation,
    level: Level,
    forced: bool,
) -> Result<Computed> {
    let target = format!("{}{}", reading.root(), entry.head.path);
    let models = Models::new(reading);
    let lookup = |iri: &str| models.graph(iri);
    let computing = &service.settings.computing;
    let limits = method::Limits {
        deadline: Some(Instant::now() + computing.time),
        ..computing.clone()
    };
    let inputs = method::Inputs {
        parameters: &gathered.parameters,
        target: method::Target {
            iri: &target,
            trace: entry.head.trace,
        },
        sources: &gathered.sources,
        model: &lookup,
        reading,
        limits: &limits,
    };
    let (described, diagnosis) = match (&gathered.method, gathered.steps(&target, reading)) {
        (_, Some(Err(Error::Conflict(diagnosis)))) => {
            let errors = diagnosis.problems.clone();
            (
                Description {
                    errors,
                    ..Description::default()
                },
                Some(diagnosis),
            )
        }
        (_, Some(Err(other))) => return Err(other),
        (Ok(method), _) => {
            let described = method.describe(&inputs);
            let diagnosis = described.diagnosis(method);
            (described, diagnosis)
        }
        (Err(iri), _) => {
            let diagnosis = method::unknown(iri);
            let errors = diagnosis.problems.clone();
            (
                Description {
                    errors,
                    ..Description::default()
                },
                Some(diagnosis),
            )
        }
    };
    let graph = describe(&entry.graph, &target, &described, diagnosis.as_ref());
    let description = (!same(&graph, &entry.graph)).then_some(graph);
    let mut result = Computed {
        computation: Computation {
            digest: gathered.digest(),
            errors: described.errors,
            state: known.state.clone(),
            ..Computation::default()
        },
        description,
        obsels: None,
        properties: Vec::new(),
    };
    if level == Level::Obsels
        && result.computation.errors.is_empty()
        && let Ok(method) = &gathered.method
    {
        let mut harvest = Harvest::new(reading);
        let state = known.state.as_deref().filter(|_| !forced && known.failure.is_empty());
        result.computation.sources = Some(source_tags(reading, gathered)?);
        match method.compute(&inputs, state, &mut harvest) {
            Ok(computed) => {
                result.computation.state = Some(computed.state);
                result.properties = computed.properties;
                result.obsels = Some(harvest.finish()?);
            }
            Err(Error::Conflict(diagnosis)) => {
                result.computation.failure = diagnosis.problems;
                result.computation.state = None;
                result.obsels = Some(cleared(reading)?);
            }
            Err(other) => return Err(other),
        }
    } else if !result.computation.errors.is_empty() {
        // What cannot be computed has no obsels, rather than those of other parameters.
        result.computation.state = None;
        result.obsels = Some(cleared(reading)?);
    }
    result.computation.models = models.asked();
    Ok(result)
}

fn cleared(reading: &dyn Reading) -> Result<Changes> {
    let mut harvest = Harvest::new(reading);
    method::Sink::clear(&mut harvest)?;
    harvest.finish()
}

/// Returns a description where model, origin and diagnosis are new.
fn describe(graph: &Graph, target: &str, described: &Description, diagnosis: Option<&Diagnosis>) -> Graph {
    let mut graph = graph.clone();
    let computed = [ktbs::HAS_MODEL, ktbs::HAS_ORIGIN, ktbs::HAS_DIAGNOSIS];
    graph.retain(|s, p, _| as_iri(s) != Some(target) || !computed.iter().any(|iri| as_iri(p) == Some(iri)));
    let subject = iri(target);
    let mut add = |property: &str, value: &Term| graph.insert(&subject, &iri(property), value);
    if let Some(model) = &described.model {
        add(ktbs::HAS_MODEL, &iri(model));
    }
    if let Some(origin) = &described.origin {
        add(ktbs::HAS_ORIGIN, origin);
    }
    if let Some(diagnosis) = diagnosis {
        add(ktbs::HAS_DIAGNOSIS, &string(format!("{diagnosis}\n")));
    }
    graph
}

/// Tells whether two graphs have the same triples, blank nodes by label.
fn same(a: &Graph, b: &Graph) -> bool {
    a.len() == b.len() && a.iter().all(|[s, p, o]| b.contains(s, p, o))
}

/// Stores what was computed; returns what is now kept, or `None` if what it was computed from has changed meanwhile.
fn store(
    service: &Service,
    path: &str,
    entry: &Entry,
    gathered: &Gathered,
    known: &Computation,
    computed: Computed,
) -> Result<Option<Computation>> {
    let mut change = service.store.write()?;
    let Some(mut current) = change.entry(path)? else {
        return Err(Error::NotFound);
    };
    let Some(trace) = current.head.trace else {
        return Err(Error::NotFound);
    };
    if current.head.trace != entry.head.trace || Computation::read(&change, trace)? != *known {
        return Ok(None);
    }
    let now = Gathered::of(&change, &current, &service.settings)?;
    let is_same = now.digest() == gathered.digest()
        && current.head.tag == entry.head.tag
        && computed
            .computation
            .sources
            .as_ref()
            .is_none_or(|seen| source_tags(&change, &now).is_ok_and(|now| *seen == now));
    if !is_same || !models_are(&change, &computed.computation.models)? {
        return Ok(None);
    }
    if let Some(obsels) = computed.obsels.filter(|obsels| !obsels.is_empty()) {
        obsels.store(&mut change, trace)?;
    }
    let mut graph = computed.description.unwrap_or_else(|| current.graph.clone());
    for (property, value) in &computed.properties {
        let subject = iri(format!("{}{path}", change.root()));
        graph.retain(|s, p, _| *s != subject || as_iri(p) != Some(property));
        graph.insert(&subject, &iri(property), value);
    }
    if !same(&graph, &current.graph) {
        current.graph = graph;
        change.put(&mut current)?;
    }
    for source in &now.sources {
        if let Some(path) = below(service.store.root(), &source.iri) {
            trace::remember_unit(&mut change, path, source.unit.as_deref())?;
        }
    }
    change.put_computation(trace, &computed.computation.encode())?;
    change.commit()?;
    Ok(Some(computed.computation))
}

fn models_are(change: &Change<'_>, models: &[(String, u64)]) -> Result<bool> {
    for (path, tag) in models {
        if change.head(path)?.map_or(0, |head| head.tag.count) != *tag {
            return Ok(false);
        }
    }
    Ok(true)
}
