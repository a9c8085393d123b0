//! Protection of research data: what is about one subject, found, taken away, or given another name; what is old, taken away.
//!
//! Obsels are changed where they were collected, in stored traces, by transactions that are short; a tool that was stopped is run
//! again. Computed traces follow: they are brought up to date at the end, all of them, since any may have read what was changed.

use std::collections::BTreeMap;
use std::ops::{Bound, ControlFlow};

use sophia::api::term::SimpleTerm;

use super::{Service, trace};
use crate::error::{Error, Result};
use crate::obsel::{Obsel, Value};
use crate::rdf::{Graph, Term, as_iri, as_literal, iri, string};
use crate::store::views::Speller;
use crate::store::{Bounds, Change, Entry, Kind, Place, Reading, Snapshot, TraceNumber};
use crate::time::{self, Instant, Unit};
use crate::vocab::ktbs;

/// How many obsels are changed in one transaction, so that other writers do not wait for long.
const TOGETHER: usize = 2000;

/// What is done with the obsels of a subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// They are removed, with all the triples about them in their trace.
    Erase,
    /// Their subject gets this name.
    Rename(String),
}

/// What was found, and changed unless it was a dry run.
#[derive(Debug, Default)]
pub struct Report {
    /// How many obsels of each stored trace, by path.
    pub obsels: BTreeMap<String, u64>,
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

/// Calls a function with the obsels of a subject in each trace below a path, stored or computed, as a graph: the IRI of the trace,
/// the triples about these obsels, wherever they stand.
///
/// # Errors
/// Those of the function, and of the store.
pub fn export(
    snapshot: &Snapshot,
    path: &str,
    subject: &str,
    f: &mut dyn FnMut(&str, Graph) -> Result<()>,
) -> Result<()> {
    for entry in traces(snapshot, path)? {
        let trace = format!("{}{}", snapshot.root(), entry.head.path);
        let Some(number) = entry.head.trace else { continue };
        let speller = Speller::new(snapshot, &trace);
        let mut graph = Graph::new();
        for id in obsels_about(snapshot, &trace, number, subject)? {
            let Some(obsel) = snapshot.obsel(number, &id)? else {
                continue;
            };
            speller.for_each_triple(&obsel, &mut |[s, p, o]| {
                graph.insert(&s, &p, &o);
            })?;
            let this = iri(format!("{trace}{id}"));
            for mention in snapshot.mentions(number, &id)? {
                let other = iri(format!("{trace}{}", mention.other));
                let property = speller.name(mention.predicate)?;
                match mention.outgoing {
                    true => graph.insert(&this, &property, &other),
                    false => graph.insert(&other, &property, &this),
                };
            }
        }
        if !graph.is_empty() {
            f(&trace, graph)?;
        }
    }
    Ok(())
}

/// Does something with all the obsels of a subject in the stored traces below a path, and brings computed traces up to date.
///
/// # Errors
/// Those of the store.
pub fn apply(service: &Service, path: &str, subject: &str, action: &Action, dry_run: bool) -> Result<Report> {
    let mut report = Report::default();
    let snapshot = service.store.read()?;
    let all = traces(&snapshot, path)?;
    let mut found = Vec::new();
    for entry in all.iter().filter(|entry| entry.head.kind == Kind::StoredTrace) {
        let iri = format!("{}{}", snapshot.root(), entry.head.path);
        let Some(number) = entry.head.trace else { continue };
        let ids = obsels_about(&snapshot, &iri, number, subject)?;
        if !ids.is_empty() {
            report.obsels.insert(entry.head.path.clone(), ids.len() as u64);
            found.push((entry.head.path.clone(), iri.clone(), number, ids));
        }
        if entry
            .graph
            .objects_of(&iri, ktbs::HAS_DEFAULT_SUBJECT)
            .any(|term| is_term(term, subject))
        {
            report.defaults.push(entry.head.path.clone());
        }
    }
    drop(snapshot);
    if dry_run {
        return Ok(report);
    }
    // New obsels first get no such subject any more.
    for path in &report.defaults {
        change_default(service, path, subject, action)?;
    }
    for (path, trace, number, ids) in &found {
        in_batches(service, path, *number, ids, &mut |change, id| match action {
            Action::Erase => Ok(change.remove_obsel(*number, id)?),
            Action::Rename(name) => rename(change, *number, trace, id, subject, name),
        })?;
    }
    report.left = follow(service)?;
    report.left.extend(what_is_left(service, path, subject)?);
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
        let unit: Unit = trace::unit_of(&snapshot, &entry)?;
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

/// Gives another name to the subject of an obsel. An IRI becomes a text: it would name a resource otherwise.
fn rename(
    change: &mut Change<'_>,
    number: TraceNumber,
    trace: &str,
    id: &str,
    subject: &str,
    name: &str,
) -> Result<bool> {
    let Some(property) = change.name_of(ktbs::HAS_SUBJECT)? else {
        return Ok(false);
    };
    // The record is taken out of the transaction, which is going to be written to.
    let Some((place, record)) = change.raw_obsel(number, id)? else {
        return Ok(false);
    };
    let mut obsel = Obsel {
        id: &place.id,
        begin: place.begin,
        end: place.end,
        ..Obsel::default()
    };
    crate::store::record::decode(&record, &mut obsel)?;
    let mut changed = false;
    for arc in obsel.arcs.iter_mut().filter(|arc| arc.predicate == property) {
        if is_named(change, trace, &arc.object, subject)? {
            arc.object = match arc.object {
                Value::Tagged(_, language) => Value::Tagged(name, language),
                Value::Typed(_, datatype) => Value::Typed(name, datatype),
                _ => Value::String(name),
            };
            changed = true;
        }
    }
    if changed {
        change.replace_obsel(number, &obsel)?;
    }
    Ok(changed)
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

/// Looks for what still speaks of a subject: obsels of computed traces, literals and IRIs of descriptions.
fn what_is_left(service: &Service, path: &str, subject: &str) -> Result<Vec<String>> {
    let snapshot = service.store.read()?;
    let mut left = Vec::new();
    snapshot.for_each_below(path, &mut |entry| {
        let resource = format!("{}{}", snapshot.root(), entry.head.path);
        if entry
            .graph
            .iter()
            .any(|[s, _, o]| is_term(o, subject) || as_iri(s) == Some(subject) || is_inside(o, subject))
        {
            left.push(format!("the description of <{resource}> has this text or IRI in it"));
        }
        if let Some(number) = entry.head.trace {
            let count = obsels_about(&snapshot, &resource, number, subject)?.len();
            if count > 0 {
                left.push(format!("<{resource}> has {count} obsels of this subject"));
            }
        }
        Ok(())
    })?;
    Ok(left)
}

/// Tells whether a parameter quotes a subject, as a whole word.
fn is_inside(object: &Term, subject: &str) -> bool {
    let SimpleTerm::LiteralDatatype(lexical, _) = object else {
        return false;
    };
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    lexical.match_indices(subject).any(|(at, found)| {
        !subject.is_empty()
            && !lexical[..at].chars().next_back().is_some_and(is_word)
            && !lexical[at + found.len()..].chars().next().is_some_and(is_word)
    })
}

/// Returns a random name for a subject.
///
/// # Errors
/// `Internal` if the system has no random bytes to give.
pub fn pseudonym() -> Result<String> {
    Ok(format!("subject-{}", super::mint::token(20)?))
}
