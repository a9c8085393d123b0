//! Protection of research data: what is about one subject, found, taken away, or given another name; what is old, taken away.
//!
//! Obsels are changed where they were collected, in stored traces, by transactions that are short; a tool that was stopped is run
//! again. Computed traces follow: they are brought up to date at the end, all of them, since any may have read what was changed.
//!
//! An IRI says for sure of whom or what it speaks, a text does not. So what other obsels say of an erased obsel, or of a subject that
//! is an IRI, is changed with it; texts are only [told](Report::left), as are the descriptions of resources, which their authors have
//! to change.

mod export;
mod references;

use std::collections::BTreeMap;
use std::ops::{Bound, ControlFlow};

pub use export::export;
use references::Gone;

use super::access::lists;
use super::{Service, links, unit};
use crate::error::{Error, Result};
use crate::obsel::{Obsel, Value};
use crate::rdf::{Term, as_iri, as_literal, iri, is_iri, string};
use crate::store::{Bounds, Change, Entry, Kind, Place, Reading, Snapshot, TraceNumber};
use crate::time::{self, Instant, Unit};
use crate::vocab::ktbs;

/// How many obsels are changed in one transaction, so that other writers do not wait for long.
const TOGETHER: usize = 2000;

/// What is done with the obsels of a subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// They are removed, with all the triples about them, in whatever stored trace.
    Erase,
    /// Their subject gets this name, and so does an IRI of the subject elsewhere.
    Rename(String),
}

/// What was found, and changed unless it was a dry run.
#[derive(Debug, Default)]
pub struct Report {
    /// How many obsels of each stored trace, by path.
    pub obsels: BTreeMap<String, u64>,
    /// How many other obsels of each stored trace refer to these, or to the subject, by path.
    pub references: BTreeMap<String, u64>,
    /// The traces that give the subject to their new obsels, by path.
    pub defaults: Vec<String>,
    /// The traces of which nothing is told to be old, because their obsels have no dates, by path.
    pub undated: Vec<String>,
    /// What still speaks of the subject afterwards, or could not be done: sentences.
    pub left: Vec<String>,
}

/// Tells whether a value is a subject of that name: an IRI, or the text of a literal.
fn is_named(reading: &dyn Reading, trace: &str, value: &Value<'_>, name: &str) -> Result<bool> {
    Ok(match value {
        Value::String(lexical) | Value::Tagged(lexical, _) | Value::Typed(lexical, _) => *lexical == name,
        Value::Iri(iri) => *iri == name,
        Value::Named(number) => reading.iri_of(*number)? == name,
        Value::BelowRoot(rest) => name.strip_prefix(reading.root()) == Some(*rest),
        Value::Obsel(id) => name.strip_prefix(trace) == Some(*id),
        Value::Blank(_) => false,
    })
}

/// Tells whether an obsel is one of a subject.
fn is_about(reading: &dyn Reading, trace: &str, obsel: &Obsel<'_>, subject: &str) -> Result<bool> {
    let Some(property) = reading.name_of(ktbs::HAS_SUBJECT)? else {
        return Ok(false);
    };
    for arc in obsel.arcs.iter().filter(|arc| arc.predicate == property) {
        if is_named(reading, trace, &arc.object, subject)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Returns the traces at or below a path, in the order of their paths.
fn traces(reading: &dyn Reading, path: &str) -> Result<Vec<Entry>> {
    let mut traces = Vec::new();
    reading.for_each_below(path, &mut |entry| {
        if entry.head.trace.is_some() {
            traces.push(entry);
        }
        Ok(())
    })?;
    Ok(traces)
}

/// Returns the ids of the obsels of a subject in a trace.
fn obsels_about(reading: &dyn Reading, iri: &str, number: TraceNumber, subject: &str) -> Result<Vec<String>> {
    let mut ids = Vec::new();
    reading.for_each_obsel(number, &Bounds::ALL, &mut |obsel| {
        if is_about(reading, iri, obsel, subject)? {
            ids.push(obsel.id.to_owned());
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(ids)
}

/// Does something with all the obsels of a subject in the stored traces below a path, and with what refers to them or to the
/// subject, and brings computed traces up to date.
///
/// # Errors
/// Those of the store.
pub fn apply(service: &Service, path: &str, subject: &str, action: &Action, dry_run: bool) -> Result<Report> {
    let mut report = Report::default();
    let snapshot = service.store.read()?;
    let mut found = Vec::new();
    let mut gone = Gone::new(subject, path, *action == Action::Erase);
    for entry in traces(&snapshot, path)? {
        if entry.head.kind != Kind::StoredTrace {
            continue;
        }
        let iri = format!("{}{}", snapshot.root(), entry.head.path);
        let path = entry.head.path;
        let Some(number) = entry.head.trace else { continue };
        let ids = obsels_about(&snapshot, &iri, number, subject)?;
        if !ids.is_empty() {
            report.obsels.insert(path.clone(), ids.len() as u64);
            gone.add(&path, &ids);
            found.push((path.clone(), number, ids));
        }
        let mut defaults = entry.graph.objects_of(&iri, ktbs::HAS_DEFAULT_SUBJECT);
        if defaults.any(|term| is_term(term, subject)) {
            report.defaults.push(path);
        }
    }
    let references = references::find(&snapshot, &gone)?;
    for (path, _, ids) in &references.obsels {
        report.references.insert(path.clone(), ids.len() as u64);
    }
    if dry_run {
        report.left = references.left;
        report.left.extend(what_describes(&snapshot, &gone, &report.defaults)?);
        return Ok(report);
    }
    drop(snapshot);
    // New obsels first get no such subject any more.
    for path in &report.defaults {
        change_default(service, path, subject, action)?;
    }
    for (path, number, ids) in &references.obsels {
        let trace = format!("{}{path}", service.store.root());
        in_batches(service, path, *number, ids, &mut |change, id| match action {
            Action::Erase => references::forget(change, *number, &trace, id, &gone),
            Action::Rename(name) => references::rename(change, *number, &trace, id, &gone, name),
        })?;
    }
    for (path, number, ids) in &found {
        let trace = format!("{}{path}", service.store.root());
        in_batches(service, path, *number, ids, &mut |change, id| match action {
            Action::Erase => Ok(change.remove_obsel(*number, id)?),
            Action::Rename(name) => references::rename(change, *number, &trace, id, &gone, name),
        })?;
    }
    report.left = follow(service)?;
    report.left.extend(references.left);
    let snapshot = service.store.read()?;
    report.left.extend(what_describes(&snapshot, &gone, &[])?);
    report.left.extend(what_is_left(&snapshot, path, subject)?);
    Ok(report)
}

/// Removes the obsels that ended longer ago than a number of seconds, from the stored traces below a path, and brings computed
/// traces up to date. Traces whose origin is no date, or whose unit is no duration, are left, and told.
///
/// # Errors
/// Those of the store.
pub fn retain(service: &Service, path: &str, seconds: u64, dry_run: bool) -> Result<Report> {
    let mut report = Report::default();
    let micros = i64::try_from(seconds)
        .ok()
        .and_then(|seconds| seconds.checked_mul(1_000_000));
    let limit = micros.and_then(|micros| Instant::from_micros(time::now().as_micros().checked_sub(micros)?));
    let Some(limit) = limit else {
        return Err(Error::invalid("that is longer ago than dates reach"));
    };
    let snapshot = service.store.read()?;
    let mut found = Vec::new();
    for entry in traces(&snapshot, path)? {
        let (Some(number), Kind::StoredTrace) = (entry.head.trace, entry.head.kind) else {
            continue;
        };
        if snapshot.obsel_count(number)? == 0 {
            continue;
        }
        let iri = format!("{}{}", snapshot.root(), entry.head.path);
        let origin = entry.graph.object_of(&iri, ktbs::HAS_ORIGIN).and_then(as_literal);
        let unit: Unit = unit::of_trace(&snapshot, &entry)?;
        let offset = origin
            .and_then(time::parse_instant)
            .and_then(|origin| unit.offset(origin, limit));
        let Some(offset) = offset else {
            report.undated.push(entry.head.path);
            continue;
        };
        let bounds = Bounds {
            lower: Bound::Unbounded,
            upper: Bound::Excluded(Place {
                end: offset,
                begin: i64::MIN,
                id: String::new(),
            }),
        };
        let mut ids = Vec::new();
        snapshot.for_each_place(number, &bounds, false, &mut |_, _, id| {
            ids.push(id.to_owned());
            Ok(ControlFlow::Continue(()))
        })?;
        if !ids.is_empty() {
            report.obsels.insert(entry.head.path.clone(), ids.len() as u64);
            found.push((entry.head.path, number, ids));
        }
    }
    drop(snapshot);
    if !dry_run {
        for (path, number, ids) in &found {
            in_batches(service, path, *number, ids, &mut |change, id| {
                Ok(change.remove_obsel(*number, id)?)
            })?;
        }
        report.left.extend(follow(service)?);
    }
    Ok(report)
}

/// Changes obsels of a trace, some at a time; tags are renewed with each.
fn in_batches(
    service: &Service,
    path: &str,
    number: TraceNumber,
    ids: &[String],
    f: &mut dyn FnMut(&mut Change<'_>, &str) -> Result<bool>,
) -> Result<()> {
    for batch in ids.chunks(TOGETHER) {
        let mut change = service.store.write()?;
        // It may have been deleted meanwhile, with all that was in it.
        if change.head(path)?.and_then(|head| head.trace) != Some(number) {
            return Ok(());
        }
        let mut changed = false;
        for id in batch {
            changed |= f(&mut change, id)?;
        }
        if changed {
            change.renew_tags(number)?;
            change.commit()?;
        }
    }
    Ok(())
}

fn is_term(term: &Term, name: &str) -> bool {
    as_iri(term).or_else(|| as_literal(term)) == Some(name)
}

/// Takes the subject away from what a trace gives to its new obsels, or gives it its other name.
fn change_default(service: &Service, path: &str, subject: &str, action: &Action) -> Result<()> {
    let mut change = service.store.write()?;
    let Some(mut entry) = change.entry(path)? else {
        return Ok(());
    };
    let trace = iri(format!("{}{path}", change.root()));
    let property = iri(ktbs::HAS_DEFAULT_SUBJECT);
    entry
        .graph
        .retain(|s, p, o| *s != trace || *p != property || !is_term(o, subject));
    if let Action::Rename(name) = action {
        entry.graph.insert(&trace, &property, &string(name));
    }
    change.put(&mut entry)?;
    Ok(change.commit()?)
}

/// Brings all computed traces up to date; returns what could not be.
fn follow(service: &Service) -> Result<Vec<String>> {
    let mut left = Vec::new();
    for path in service.computed_traces("")? {
        match service.refresh(&path) {
            // What cannot be computed has no obsels.
            Ok(()) | Err(Error::NotFound | Error::Conflict(_)) => {}
            Err(error @ Error::Store(_)) => return Err(error),
            Err(error) => left.push(format!(
                "<{}{path}> is not up to date, and has obsels computed before: {error}",
                service.store.root()
            )),
        }
    }
    Ok(left)
}

/// Looks for obsels that are still those of a subject: of computed traces.
fn what_is_left(snapshot: &Snapshot, path: &str, subject: &str) -> Result<Vec<String>> {
    let mut left = Vec::new();
    for entry in traces(snapshot, path)? {
        let resource = format!("{}{}", snapshot.root(), entry.head.path);
        let Some(number) = entry.head.trace else { continue };
        let count = obsels_about(snapshot, &resource, number, subject)?.len();
        if count > 0 {
            left.push(format!("<{resource}> has {count} obsels of this subject"));
        }
    }
    Ok(left)
}

/// Looks for descriptions that speak of what is gone, and for lists that name the subject as a user. The traces whose default
/// subject is going to be changed are told by their paths.
fn what_describes(snapshot: &Snapshot, gone: &Gone<'_>, defaults: &[String]) -> Result<Vec<String>> {
    let mut left = Vec::new();
    snapshot.for_each_below("", &mut |entry| {
        let entry = links::add_users(snapshot, entry)?;
        let path = &entry.head.path;
        let resource = format!("{}{path}", snapshot.root());
        let is_going = |p: &Term| is_iri(p, ktbs::HAS_DEFAULT_SUBJECT) && defaults.contains(path);
        let mut triples = entry.graph.iter().filter(|[_, p, _]| !is_going(p));
        if triples.any(|[s, _, o]| gone.is_described(snapshot.root(), path, s, o)) {
            left.push(format!("the description of <{resource}> has this text or IRI in it"));
        }
        Ok(())
    })?;
    for path in lists::naming(snapshot, gone.below, gone.subject)? {
        let root = snapshot.root();
        left.push(format!("the access control list of <{root}{path}> names this user"));
    }
    Ok(left)
}

/// Returns a random name for a subject.
///
/// # Errors
/// `Internal` if the system has no random bytes to give.
pub fn pseudonym() -> Result<String> {
    Ok(format!("subject-{}", super::mint::token(20)?))
}
