//! What refers to the obsels of a subject, or to the subject, from elsewhere.

use std::collections::HashSet;
use std::ops::ControlFlow;

use super::{is_named, traces};
use crate::error::Result;
use crate::obsel::{Arc, Obsel, Value};
use crate::rdf::{Term, as_iri, as_literal};
use crate::store::{Bounds, Change, Kind, Place, Reading, TraceNumber, record};
use crate::vocab::ktbs;

/// A subject and its obsels.
#[derive(Debug)]
pub struct Gone<'g> {
    /// The subject.
    pub subject: &'g str,
    /// The path below which the subject is looked for.
    pub below: &'g str,
    /// The obsels, by their IRIs below the root.
    obsels: HashSet<String>,
    /// Whether what refers to the obsels matters too: not where they stay.
    with_obsels: bool,
}

impl<'g> Gone<'g> {
    /// Returns a subject that has no obsels yet.
    pub fn new(subject: &'g str, below: &'g str, with_obsels: bool) -> Self {
        let obsels = HashSet::new();
        Self {
            subject,
            below,
            obsels,
            with_obsels,
        }
    }

    /// Adds obsels of a trace.
    pub fn add(&mut self, trace: &str, ids: &[String]) {
        self.obsels.extend(ids.iter().map(|id| format!("{trace}{id}")));
    }

    /// Tells whether an obsel of a trace is one of the subject.
    pub fn is_own(&self, trace: &str, id: &str) -> bool {
        self.obsels.contains(&format!("{trace}{id}"))
    }

    /// Tells whether something below the root is one of the obsels, and matters.
    fn is_gone(&self, below: &str) -> bool {
        self.with_obsels && self.obsels.contains(below)
    }

    /// Tells whether a text has the subject in it, as a whole word, or the IRI of one of the obsels.
    fn is_quoted(&self, root: &str, text: &str, with_subject: bool) -> bool {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let has_subject = || {
            text.match_indices(self.subject).any(|(at, found)| {
                !self.subject.is_empty()
                    && !text[..at].chars().next_back().is_some_and(is_word)
                    && !text[at + found.len()..].chars().next().is_some_and(is_word)
            })
        };
        let ends = |c: char| c.is_whitespace() || "<>\"'`{}|\\^()[],;".contains(c);
        let has_obsel = || {
            text.match_indices(root).any(|(at, _)| {
                let rest = &text[at + root.len()..];
                self.is_gone(rest.split(ends).next().unwrap_or_default())
            })
        };
        (with_subject && has_subject()) || has_obsel()
    }

    /// Tells whether a triple of the description of a resource speaks of the subject, if the resource is where the subject is
    /// looked for, or of one of the obsels.
    pub fn is_described(&self, root: &str, path: &str, subject: &Term, object: &Term) -> bool {
        let with_subject = path.starts_with(self.below);
        let names = |term: &Term| {
            as_iri(term).is_some_and(|iri| {
                (with_subject && iri == self.subject) || iri.strip_prefix(root).is_some_and(|below| self.is_gone(below))
            })
        };
        let quotes = as_literal(object).is_some_and(|text| self.is_quoted(root, text, with_subject));
        names(subject) || names(object) || quotes
    }
}

/// What refers to a subject or its obsels.
#[derive(Debug, Default)]
pub struct References {
    /// The obsels of stored traces that do so by IRI, and are not those of the subject: path and number of the trace, ids.
    pub obsels: Vec<(String, TraceNumber, Vec<String>)>,
    /// Sentences about those that do so in texts.
    pub left: Vec<String>,
}

/// Looks into all stored traces. What refers to the subject matters below its path only, what refers to its obsels anywhere.
///
/// # Errors
/// Those of the store.
pub fn find(reading: &dyn Reading, gone: &Gone<'_>) -> Result<References> {
    let mut found = References::default();
    let has_subject = reading.name_of(ktbs::HAS_SUBJECT)?;
    for entry in traces(reading, "")? {
        let (path, Some(number), Kind::StoredTrace) = (entry.head.path, entry.head.trace, entry.head.kind) else {
            continue;
        };
        let with_subject = path.starts_with(gone.below);
        let trace = format!("{}{path}", reading.root());
        let (mut ids, mut texts) = (Vec::new(), 0_u64);
        reading.for_each_obsel(number, &Bounds::ALL, &mut |obsel| {
            let is_own = gone.is_own(&path, obsel.id);
            let (mut refers_to, mut quotes) = (false, false);
            for (subject, arc) in obsel.triples() {
                refers_to |= refers(reading, &trace, &subject, &arc, gone)?;
                if let Value::String(text) | Value::Tagged(text, _) = arc.object {
                    quotes |= Some(arc.predicate) != has_subject && gone.is_quoted(reading.root(), text, with_subject);
                }
            }
            // Those of the subject go as a whole, or stay as those of another name.
            if refers_to && !is_own {
                ids.push(obsel.id.to_owned());
            }
            texts += u64::from(quotes && !(is_own && gone.with_obsels));
            Ok(ControlFlow::Continue(()))
        })?;
        if texts > 0 {
            let left = format!("texts of {texts} obsels of <{trace}> have this name or IRI in them");
            found.left.push(left);
        }
        if !ids.is_empty() {
            found.obsels.push((path, number, ids));
        }
    }
    Ok(found)
}

/// Tells whether a triple of an obsel refers, by IRI, to the subject or to one of its obsels.
pub fn refers(reading: &dyn Reading, trace: &str, subject: &Value<'_>, arc: &Arc<'_>, gone: &Gone<'_>) -> Result<bool> {
    Ok(names(reading, trace, subject, gone)? || names(reading, trace, &arc.object, gone)?)
}

/// Tells whether a value is the IRI of the subject or of one of its obsels, in another trace: where they are removed, what their
/// own trace says of them goes with them.
fn names(reading: &dyn Reading, trace: &str, value: &Value<'_>, gone: &Gone<'_>) -> Result<bool> {
    let is_gone = match value {
        Value::BelowRoot(rest) => gone.is_gone(rest),
        Value::Iri(iri) => iri.strip_prefix(reading.root()).is_some_and(|rest| gone.is_gone(rest)),
        _ => false,
    };
    let path = trace.strip_prefix(reading.root()).unwrap_or(trace);
    Ok(is_gone || (path.starts_with(gone.below) && is_subject(reading, trace, value, gone.subject)?))
}

/// Tells whether a value is an IRI, and the subject.
fn is_subject(reading: &dyn Reading, trace: &str, value: &Value<'_>, subject: &str) -> Result<bool> {
    Ok(match value {
        Value::String(_) | Value::Tagged(..) | Value::Typed(..) => false,
        _ => is_named(reading, trace, value, subject)?,
    })
}

/// Removes from an obsel the triples that refer to the subject or to its obsels; returns whether there were any.
///
/// # Errors
/// Those of the store.
pub fn forget(change: &mut Change<'_>, number: TraceNumber, trace: &str, id: &str, gone: &Gone<'_>) -> Result<bool> {
    // The record is taken out of the transaction, which is going to be written to.
    let Some((place, bytes)) = change.raw_obsel(number, id)? else {
        return Ok(false);
    };
    let mut obsel = decode(&place, &bytes)?;
    let before = obsel.clone();
    let mut is_gone = HashSet::new();
    for triple in before.triples() {
        if refers(change, trace, &triple.0, &triple.1, gone)? {
            is_gone.insert(triple);
        }
    }
    obsel.arcs.retain(|arc| !is_gone.contains(&(Value::Obsel(id), *arc)));
    obsel
        .blank_arcs
        .retain(|(blank, arc)| !is_gone.contains(&(Value::Blank(*blank), *arc)));
    obsel.others.retain(|triple| !is_gone.contains(triple));
    put(change, number, &before, obsel)
}

/// Gives the subject of an obsel another name, and what else in it is the IRI of the subject. An IRI becomes a text: it would name a
/// resource otherwise. What the subject is the subject of is dropped, since a text cannot be. Returns whether anything changed.
///
/// # Errors
/// Those of the store.
pub fn rename(
    change: &mut Change<'_>,
    number: TraceNumber,
    trace: &str,
    id: &str,
    gone: &Gone<'_>,
    name: &str,
) -> Result<bool> {
    let has_subject = change.name_of(ktbs::HAS_SUBJECT)?;
    let Some((place, bytes)) = change.raw_obsel(number, id)? else {
        return Ok(false);
    };
    let mut obsel = decode(&place, &bytes)?;
    let before = obsel.clone();
    obsel.others.clear();
    for (subject, arc) in &before.others {
        if !is_subject(change, trace, subject, gone.subject)? {
            obsel.others.push((*subject, *arc));
        }
    }
    let arcs = obsel.arcs.iter_mut();
    let arcs = arcs.chain(obsel.blank_arcs.iter_mut().map(|(_, arc)| arc));
    for arc in arcs.chain(obsel.others.iter_mut().map(|(_, arc)| arc)) {
        let is_found = match Some(arc.predicate) == has_subject {
            true => is_named(change, trace, &arc.object, gone.subject)?,
            false => is_subject(change, trace, &arc.object, gone.subject)?,
        };
        if is_found {
            arc.object = match arc.object {
                Value::Tagged(_, language) => Value::Tagged(name, language),
                Value::Typed(_, datatype) => Value::Typed(name, datatype),
                _ => Value::String(name),
            };
        }
    }
    put(change, number, &before, obsel)
}

fn decode<'t>(place: &'t Place, bytes: &'t [u8]) -> Result<Obsel<'t>> {
    let mut obsel = Obsel {
        id: &place.id,
        begin: place.begin,
        end: place.end,
        ..Obsel::default()
    };
    record::decode(bytes, &mut obsel)?;
    Ok(obsel)
}

/// Puts an obsel in the place of what it was, if it is another one; returns whether it is.
fn put(change: &mut Change<'_>, number: TraceNumber, before: &Obsel<'_>, mut obsel: Obsel<'_>) -> Result<bool> {
    obsel.keep_reachable_blanks();
    if obsel == *before {
        return Ok(false);
    }
    change.replace_obsel(number, &obsel)?;
    Ok(true)
}
