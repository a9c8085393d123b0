//! How an obsel of a source becomes one of the target: what is renamed, what is left out.

use std::collections::{HashMap, HashSet};

use bumpalo::Bump;

use super::term::{is_obsel_id, path_of};
use super::{Inputs, Sink, Source, Stop};
use crate::obsel::{Arc, Blank, Name, Obsel, Value};
use crate::store::TraceNumber;
use crate::vocab::ktbs;

/// How the copies are named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Naming {
    /// As the obsels that they copy.
    Same,
    /// The identifier of the source, `_`, and that of the obsel.
    AfterSource,
}

/// Copies the obsels of one source.
///
/// A copy has all that the obsel says, its own `k:hasSourceObsel` aside, and says from which obsel it comes. Where the
/// obsel names another one of its trace, the copy names the copy of the other; where it names its trace, the target.
#[derive(Debug)]
pub struct Copier<'a> {
    source: &'a str,
    target: &'a str,
    trace: TraceNumber,
    /// What comes before the id, for [`Naming::AfterSource`].
    prefix: Option<String>,
    /// `hasBeginDT`, `hasEndDT`, `hasSubject`: the arcs of an obsel that come before its `hasSourceObsel`.
    first: [Name; 3],
    has_source_obsel: Name,
}

impl<'a> Copier<'a> {
    /// Prepares to copy from a source to the target.
    ///
    /// # Errors
    /// Those of the sink.
    pub fn new(inputs: &Inputs<'a>, source: &'a Source, naming: &Naming, sink: &mut dyn Sink) -> Result<Self, Stop> {
        let root = inputs.reading.root();
        let prefix = match naming {
            Naming::Same => None,
            Naming::AfterSource => Some(format!("{}_", identifier(&source.iri))),
        };
        Ok(Self {
            source: path_of(root, &source.iri),
            target: path_of(root, inputs.target.iri),
            trace: source.trace,
            prefix,
            first: [
                sink.name(ktbs::HAS_BEGIN_DT)?,
                sink.name(ktbs::HAS_END_DT)?,
                sink.name(ktbs::HAS_SUBJECT)?,
            ],
            has_source_obsel: sink.name(ktbs::HAS_SOURCE_OBSEL)?,
        })
    }

    /// Returns the id of the copy of an obsel.
    pub fn id<'t>(&self, id: &'t str, texts: &'t Bump) -> &'t str {
        match &self.prefix {
            None => id,
            Some(prefix) => concat(texts, prefix, id),
        }
    }

    /// Returns a copy, of some types. What names an obsel for which `keep` answers no is left out; it is not asked about the obsel itself.
    /// The texts that the copy does not borrow from the obsel are put in `texts`.
    ///
    /// # Errors
    /// Those of `keep`.
    pub fn copy<'t>(
        &self,
        obsel: &Obsel<'t>,
        types: Vec<Value<'t>>,
        texts: &'t Bump,
        keep: &mut dyn FnMut(&str) -> Result<bool, Stop>,
    ) -> Result<Obsel<'t>, Stop> {
        let mut dropped = false;
        let mut value = |value: Value<'t>| -> Result<Option<Value<'t>>, Stop> {
            if let Value::Obsel(id) = value
                && id != obsel.id
                && !keep(id)?
            {
                dropped = true;
                return Ok(None);
            }
            Ok(Some(self.value(value, texts)))
        };
        let mut copy = Obsel {
            id: self.id(obsel.id, texts),
            begin: obsel.begin,
            end: obsel.end,
            types,
            arcs: Vec::with_capacity(obsel.arcs.len() + 1),
            blank_arcs: Vec::with_capacity(obsel.blank_arcs.len()),
            others: Vec::with_capacity(obsel.others.len()),
        };
        let mut arc = |arc: &Arc<'t>| -> Result<Option<Arc<'t>>, Stop> {
            let predicate = arc.predicate;
            Ok(value(arc.object)?.map(|object| Arc { predicate, object }))
        };
        let comes_first = |own: &&Arc<'t>| self.first.contains(&own.predicate);
        for own in obsel.arcs.iter().filter(comes_first) {
            copy.arcs.extend(arc(own)?);
        }
        copy.arcs.push(Arc {
            predicate: self.has_source_obsel,
            object: Value::BelowRoot(concat(texts, self.source, obsel.id)),
        });
        let comes_after = |own: &&Arc<'t>| !comes_first(own) && own.predicate != self.has_source_obsel;
        for own in obsel.arcs.iter().filter(comes_after) {
            copy.arcs.extend(arc(own)?);
        }
        for (node, blank_arc) in &obsel.blank_arcs {
            copy.blank_arcs
                .extend(arc(blank_arc)?.map(|arc| (self.blank(*node), arc)));
        }
        for (subject, other) in &obsel.others {
            let Some(subject) = value(*subject)? else {
                continue;
            };
            let predicate = other.predicate;
            let object = value(other.object)?;
            copy.others
                .extend(object.map(|object| (subject, Arc { predicate, object })));
        }
        if dropped && !copy.blank_arcs.is_empty() {
            keep_attached_blanks(&mut copy);
        }
        Ok(copy)
    }

    /// Returns a value as it stands in the target.
    fn value<'t>(&self, value: Value<'t>, texts: &'t Bump) -> Value<'t> {
        match value {
            Value::Obsel(id) => Value::Obsel(self.id(id, texts)),
            Value::Blank(blank) => Value::Blank(self.blank(blank)),
            Value::BelowRoot(path) if path == self.source => Value::BelowRoot(texts.alloc_str(self.target)),
            Value::BelowRoot(path) => match (path.strip_prefix(self.source), path.strip_prefix(self.target)) {
                (Some(rest), _) if self.prefix.is_none() => Value::BelowRoot(concat(texts, self.target, rest)),
                (_, Some(rest)) if is_obsel_id(rest) => Value::Obsel(rest),
                _ => value,
            },
            _ => value,
        }
    }

    /// Returns a blank node. Nodes that several obsels share are distinct in copies of distinct sources.
    fn blank(&self, blank: Blank) -> Blank {
        match blank {
            Blank::Shared(number) if self.prefix.is_some() => {
                Blank::Shared(number.rotate_left(17) ^ self.trace.0.wrapping_mul(0x9e37_79b9_7f4a_7c15))
            }
            _ => blank,
        }
    }
}

/// Returns the last segment of the IRI of a trace, which ends with `/`.
pub fn identifier(iri: &str) -> &str {
    let trimmed = iri.strip_suffix('/').unwrap_or(iri);
    trimmed.rsplit('/').next().unwrap_or(trimmed)
}

/// Puts two texts together.
pub fn concat<'t>(texts: &'t Bump, start: &str, end: &str) -> &'t str {
    let mut text = bumpalo::collections::String::with_capacity_in(start.len() + end.len(), texts);
    text.push_str(start);
    text.push_str(end);
    text.into_bump_str()
}

/// Drops the blank nodes that nothing ties to the obsel any more.
fn keep_attached_blanks(obsel: &mut Obsel<'_>) {
    let this = Value::Obsel(obsel.id);
    let blank = |value: &Value<'_>| match value {
        Value::Blank(blank) => Some(*blank),
        _ => None,
    };
    let mut neighbours: HashMap<Blank, Vec<Blank>> = HashMap::new();
    for (node, arc) in &obsel.blank_arcs {
        if let Some(object) = blank(&arc.object) {
            neighbours.entry(*node).or_default().push(object);
            neighbours.entry(object).or_default().push(*node);
        }
    }
    let pointed = obsel.arcs.iter().chain(obsel.others.iter().map(|(_, arc)| arc));
    let mut todo: Vec<Blank> = pointed.filter_map(|arc| blank(&arc.object)).collect();
    let pointing = obsel.blank_arcs.iter().filter(|(_, arc)| arc.object == this);
    todo.extend(pointing.map(|(node, _)| *node));
    let mut attached: HashSet<Blank> = HashSet::new();
    while let Some(node) = todo.pop() {
        if attached.insert(node) {
            todo.extend(neighbours.get(&node).into_iter().flatten());
        }
    }
    obsel.blank_arcs.retain(|(node, _)| attached.contains(node));
}
