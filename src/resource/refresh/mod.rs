//! Brings computed traces up to date before they are read, sources first (kTBS documentation, "computed trace").
//!
//! What is stale is listed as data, then computed one by one: from a snapshot, without a write lock; then a short
//! transaction checks that what was read is still so, and stores the result. Two processes may compute the same thing at
//! once: one stores it, the other finds it done. A process that is killed meanwhile has changed nothing.

mod order;

use std::collections::HashSet;
use std::time::{Duration, Instant};

use crate::error::{Diagnosis, Error, Result};
use crate::method::{self, Description};
use crate::rdf::{Graph, Term, as_iri, iri, string};
use crate::resource::computation::{Computation, Excess};
use crate::resource::harvest::{Changes, Harvest};
use crate::resource::inputs::{Gathered, Models};
use crate::resource::path::below;
use crate::resource::slice::Refresh;
use crate::resource::wide::Wide;
use crate::resource::{Service, Settings, unit};
use crate::store::{Change, Entry, Reading, StoreError};
use crate::time;
use crate::vocab::ktbs;
use order::{Dependency, stale_first};

/// How many times a computation is begun again because its sources have changed meanwhile.
const ATTEMPTS: usize = 5;

/// Brings the description of a computed trace up to date: its model, its origin, its diagnosis.
///
/// # Errors
/// `Busy` if the store keeps changing; those of the store.
pub fn description(service: &Service, path: &str) -> Result<()> {
    for dependency in stale_first(service, path, Level::Description)? {
        bring(service, &dependency.path, Level::Description, false)?;
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
    let order = stale_first(service, path, Level::Obsels)?;
    let last = order.len().saturating_sub(1);
    for (i, Dependency { path, is_source }) in order.iter().enumerate() {
        let forced = refresh == Refresh::Recursive || (refresh == Refresh::Force && i == last);
        match bring(service, path, Level::Obsels, forced) {
            // A query with a wide scope goes without those that cannot be computed.
            Err(Error::Conflict(_) | Error::Excess(..) | Error::NotFound) if !is_source => {}
            result => result?,
        }
    }
    Ok(())
}

/// How far a computed trace is brought up to date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    Description,
    Obsels,
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
///
/// What is stored follows from a state of the store that is not older than the call, be it computed here or by another
/// process: obsels that come meanwhile make neither wait.
fn bring(service: &Service, path: &str, level: Level, forced: bool) -> Result<()> {
    let mut overtaken = 0;
    for _ in 0..ATTEMPTS {
        let snapshot = service.store.whole().read()?;
        let Some(entry) = snapshot.entry(path)? else {
            return Err(Error::NotFound);
        };
        let gathered = Gathered::of(&snapshot, &entry, &service.settings)?;
        let Some(trace) = entry.head.trace else {
            return Err(Error::NotFound);
        };
        let wide = match level {
            Level::Obsels => Wide::of(&snapshot, &entry, &gathered)?,
            Level::Description => None,
        };
        let known = Computation::read(&snapshot, trace)?;
        // Who has overtaken this process twice began the second time after this call did.
        if (!forced && is_current(&snapshot, &gathered, wide.as_ref(), &known, level, service)?) || overtaken > 1 {
            return refusal(&gathered, &known, level);
        }
        let attempt = Attempt {
            service,
            reading: &snapshot,
            entry: &entry,
            gathered: &gathered,
            wide: wide.as_ref(),
            known: &known,
        };
        let computed = attempt.compute(level, forced)?;
        drop(snapshot);
        match store(service, path, &entry, &gathered, &known, computed)? {
            Stored::Here(computation) => return refusal(&gathered, &computation, level),
            Stored::ByAnother => overtaken += 1,
            Stored::Nowhere => overtaken = 0,
        }
    }
    Err(Error::Store(StoreError::Busy))
}

/// Tells whether what is kept follows from what there is now.
fn is_current(
    reading: &dyn Reading,
    gathered: &Gathered,
    wide: Option<&Wide>,
    known: &Computation,
    level: Level,
    service: &Service,
) -> Result<bool> {
    if known.digest != gathered.digest() {
        return Ok(false);
    }
    for (path, tag) in &known.models {
        if reading.head(path)?.map_or(0, |head| head.tag.count) != *tag {
            return Ok(false);
        }
    }
    if level == Level::Description || !known.errors.is_empty() {
        return Ok(true);
    }
    let sources = source_tags(reading, gathered, wide)?;
    let is_kept = |excess: &Excess| {
        excess.sources == sources
            && excess.limits == limits_digest(&service.settings)
            && (time::seconds()..time::seconds() + LONGEST_PAUSE.as_secs() + 1).contains(&excess.until)
    };
    Ok(known.excess.as_ref().is_some_and(is_kept) || (known.excess.is_none() && known.sources == Some(sources)))
}

/// Returns the numbers of the sources, and the counts of their main tags; and, for a query that sees more, a number that
/// changes with it.
fn source_tags(reading: &dyn Reading, gathered: &Gathered, wide: Option<&Wide>) -> Result<Vec<(u64, u64)>> {
    let tag = |source: &method::Source| Ok((source.trace.0, reading.trace(source.trace)?.tags.main.count));
    let mut tags = gathered.sources.iter().map(tag).collect::<Result<Vec<_>>>()?;
    tags.extend(wide.map(|wide| (u64::MAX, wide.digest)));
    Ok(tags)
}

/// A computation that goes beyond a limit is not tried again before ten times as long as it took, at least so long and at most
/// so long: the machine may be less busy then.
const SHORTEST_PAUSE: Duration = Duration::from_secs(60);
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);

fn pause(spent: Duration) -> Duration {
    (spent * 10).clamp(SHORTEST_PAUSE, LONGEST_PAUSE)
}

/// Returns a number that changes with the limits on time and memory.
fn limits_digest(settings: &Settings) -> u64 {
    let (computing, queries) = (&settings.computing, &settings.computing.queries);
    let text = format!("{:?} {:?} {}", computing.time, queries.time, queries.memory);
    crate::digest::fnv128(text.as_bytes()) as u64
}

/// Returns the conflict that a computation ended with, where obsels are wanted.
fn refusal(gathered: &Gathered, computation: &Computation, level: Level) -> Result<()> {
    if level == Level::Description {
        return Ok(());
    }
    let excess = computation.excess.as_ref().filter(|_| computation.errors.is_empty());
    let problems = match excess {
        Some(excess) => {
            let time = jiff::Timestamp::from_second(i64::try_from(excess.until).unwrap_or(i64::MAX));
            let time = time.map_or_else(|_| "later".to_owned(), |time| format!("at {time}"));
            vec![format!(
                "{}; it is tried again {time}, or when something that it is computed from changes, or with refresh=force",
                excess.problem
            )]
        }
        None if computation.errors.is_empty() => computation.failure.clone(),
        None => computation.errors.clone(),
    };
    if problems.is_empty() {
        return Ok(());
    }
    let diagnosis = match &gathered.method {
        Ok(method) => Diagnosis {
            title: method.obsels_title,
            problems,
        },
        Err(iri) => method::unknown(iri),
    };
    Err(match excess {
        Some(excess) => Error::Excess(diagnosis, excess.until.saturating_sub(time::seconds()).max(1)),
        None => Error::Conflict(diagnosis),
    })
}

/// What a computation starts from: a state of the store, and what there is of the trace in it.
struct Attempt<'a> {
    service: &'a Service,
    reading: &'a dyn Reading,
    entry: &'a Entry,
    gathered: &'a Gathered,
    wide: Option<&'a Wide>,
    known: &'a Computation,
}

impl Attempt<'_> {
    /// Computes what is wanted.
    fn compute(&self, level: Level, forced: bool) -> Result<Computed> {
        let Self {
            service,
            reading,
            entry,
            gathered,
            wide,
            known,
        } = *self;
        let nothing = HashSet::new();
        let start = Instant::now();
        let target = format!("{}{}", reading.root(), entry.head.path);
        let models = Models::new(reading);
        let lookup = |iri: &str| models.graph(iri);
        let computing = &service.settings.computing;
        let limits = method::Limits {
            deadline: Some(start + computing.time),
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
            hidden: wide.map_or(&nothing, |wide| &wide.hidden),
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
            let mut harvest = Harvest::of(reading, entry.head.trace);
            let state = known.state.as_deref().filter(|_| !forced && known.failure.is_empty());
            let sources = source_tags(reading, gathered, wide)?;
            result.computation.sources = Some(sources.clone());
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
                Err(Error::Timeout(problem) | Error::TooComplex(problem)) => {
                    // The obsels are still those of the last computation that ended, if it was one of the same thing.
                    let is_same = known.digest == result.computation.digest;
                    result.computation.sources = known.sources.clone().filter(|_| is_same);
                    result.computation.failure = known.failure.clone();
                    if result.computation.sources.is_none() {
                        result.computation.state = None;
                        result.obsels = Some(cleared(reading)?);
                    }
                    result.computation.excess = Some(Excess {
                        problem,
                        sources,
                        limits: limits_digest(&service.settings),
                        until: time::seconds() + pause(start.elapsed()).as_secs(),
                    });
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

/// Where a computation was stored.
enum Stored {
    /// By this process.
    Here(Box<Computation>),
    /// By another process, meanwhile.
    ByAnother,
    /// It was not: what it was a computation of has changed meanwhile.
    Nowhere,
}

/// Stores what was computed, unless the trace, its sources or its models have become others meanwhile. Obsels that came since
/// make the result an older one, and not a wrong one: it says what it has seen.
fn store(
    service: &Service,
    path: &str,
    entry: &Entry,
    gathered: &Gathered,
    known: &Computation,
    computed: Computed,
) -> Result<Stored> {
    let mut change = service.store.write()?;
    let Some(mut current) = change.entry(path)? else {
        return Err(Error::NotFound);
    };
    let Some(trace) = current.head.trace else {
        return Err(Error::NotFound);
    };
    let now = Gathered::of(&change, &current, &service.settings)?;
    let is_same = current.head.trace == entry.head.trace && now.digest() == gathered.digest();
    if is_same && Computation::read(&change, trace)? != *known {
        return Ok(Stored::ByAnother);
    }
    if !is_same || current.head.tag != entry.head.tag || !models_are(&change, &computed.computation.models)? {
        return Ok(Stored::Nowhere);
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
            unit::remember(&mut change, path, source.unit.as_deref())?;
        }
    }
    change.put_computation(trace, &computed.computation.encode())?;
    change.commit()?;
    Ok(Stored::Here(Box::new(computed.computation)))
}

fn models_are(change: &Change<'_>, models: &[(String, u64)]) -> Result<bool> {
    for (path, tag) in models {
        if change.head(path)?.map_or(0, |head| head.tag.count) != *tag {
            return Ok(false);
        }
    }
    Ok(true)
}
