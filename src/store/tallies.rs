//! How many obsels of each trace have a type, a subject, a predicate: what a change adds to these counts.

use hashbrown::HashMap;

use super::{TraceNumber, codec, record};
use crate::obsel::{Name, Obsel, Value};

/// What is tallied in each trace: how many obsels have a type, a subject, a predicate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Tally {
    /// Obsels of a type.
    Type,
    /// Obsels of a subject.
    Subject,
    /// Obsels that have a predicate of their own, `hasTrace`, `hasBegin`, `hasEnd` and `rdf:type` aside.
    Predicate,
    /// Obsels in whose description a predicate occurs elsewhere: on a blank node, or pointing to the obsel.
    Elsewhere,
}

impl Tally {
    pub(super) fn mark(self) -> u8 {
        match self {
            Self::Type => 0,
            Self::Subject => 1,
            Self::Predicate => 2,
            Self::Elsewhere => 3,
        }
    }
}

/// By how much the tallies of traces change.
#[derive(Debug, Default)]
pub(super) struct Tallies(HashMap<TraceNumber, HashMap<Vec<u8>, i64>>);

impl Tallies {
    /// Counts an obsel, or discounts it.
    pub(super) fn count(&mut self, trace: TraceNumber, obsel: &Obsel<'_>, has_subject: Name, difference: i64) {
        let tallies = self.0.entry(trace).or_default();
        for_each_tally(obsel, Some(has_subject), &mut |what| {
            *tallies.entry_ref(what).or_default() += difference;
        });
    }

    /// Forgets those of a trace.
    pub(super) fn forget(&mut self, trace: TraceNumber) {
        self.0.remove(&trace);
    }

    /// Takes those that are not as they were: trace, key in the table, difference; in the order of the keys.
    pub(super) fn take(&mut self) -> Vec<(TraceNumber, Vec<u8>, i64)> {
        let mut all = Vec::new();
        for (trace, tallies) in self.0.drain() {
            for (what, difference) in tallies.into_iter().filter(|(_, difference)| *difference != 0) {
                let mut key = codec::trace_key(trace);
                key.extend_from_slice(&what);
                all.push((trace, key, difference));
            }
        }
        all.sort_unstable_by(|(_, a, _), (_, b, _)| a.cmp(b));
        all
    }
}

/// Calls a function with each thing that an obsel counts for: its key in `tallies`, without the trace.
pub(super) fn for_each_tally(obsel: &Obsel<'_>, has_subject: Option<Name>, f: &mut dyn FnMut(&[u8])) {
    let named = |tally: Tally, name: Name| {
        let [a, b, c, d] = name.0.to_be_bytes();
        [tally.mark(), a, b, c, d]
    };
    for value in &obsel.types {
        if let Value::Named(name) = value {
            f(&named(Tally::Type, *name));
        }
    }
    let mut last = None;
    for arc in &obsel.arcs {
        if last != Some(arc.predicate) {
            last = Some(arc.predicate);
            f(&named(Tally::Predicate, arc.predicate));
        }
        if Some(arc.predicate) == has_subject {
            f(&subject_key(&arc.object));
        }
    }
    let blank = obsel.blank_arcs.iter().map(|(_, arc)| arc.predicate);
    let mut elsewhere: Vec<Name> = blank.chain(obsel.others.iter().map(|(_, arc)| arc.predicate)).collect();
    elsewhere.sort_unstable();
    elsewhere.dedup();
    for name in elsewhere {
        f(&named(Tally::Elsewhere, name));
    }
}

/// Returns what stands for a subject in a key: its value, or a digest of a long one.
fn subject_key(value: &Value<'_>) -> Vec<u8> {
    /// Leaves room for the trace and the kind in a key of LMDB.
    const LONGEST: usize = 256;
    let mut key = vec![Tally::Subject.mark()];
    record::put_value(&mut key, value);
    if key.len() > 1 + LONGEST {
        let digest = crate::digest::fnv128(&key[1..]);
        key.truncate(1 + LONGEST - 16);
        key.extend_from_slice(&digest.to_be_bytes());
    }
    key
}
