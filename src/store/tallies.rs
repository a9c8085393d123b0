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

/// What is tallied.
#[derive(Clone, Copy, Debug)]
pub(super) enum What<'k> {
    /// A name. Not for subjects.
    Name(Tally, Name),
    /// A subject, as it stands in the key.
    Subject(&'k [u8]),
}

impl What<'_> {
    /// Returns the key in the table, without the trace.
    pub(super) fn key(self) -> Vec<u8> {
        let (tally, name);
        let (mark, rest) = match self {
            Self::Name(of, what) => {
                (tally, name) = (of, what.0.to_be_bytes());
                (tally.mark(), &name[..])
            }
            Self::Subject(key) => (Tally::Subject.mark(), key),
        };
        [&[mark], rest].concat()
    }
}

/// By how much the tallies of a trace change.
#[derive(Debug, Default)]
pub(super) struct Differences {
    names: HashMap<(Tally, Name), i64>,
    subjects: HashMap<Vec<u8>, i64>,
    /// By all that an obsel counts for but its subject, what is to be added to `names`. The obsels of a trace are of a few kinds,
    /// so that most are counted at once.
    kinds: HashMap<Vec<(Tally, Name)>, i64>,
    /// The kind of the obsel that was counted last, and what is to be added to those of its kind.
    last: (Vec<(Tally, Name)>, i64),
    /// The kind of the obsel that is counted, kept for its room.
    kind: Vec<(Tally, Name)>,
}

/// How many kinds of obsels are counted before they are added.
const KINDS: usize = 64;

impl Differences {
    /// Counts an obsel, or discounts it.
    pub(super) fn count(&mut self, obsel: &Obsel<'_>, has_subject: Option<Name>, difference: i64) {
        self.kind.clear();
        for_each_tally(obsel, has_subject, &mut |what| match what {
            What::Name(tally, name) => self.kind.push((tally, name)),
            What::Subject(key) => *self.subjects.entry_ref(key).or_default() += difference,
        });
        if self.kind != self.last.0 {
            self.add_last();
            std::mem::swap(&mut self.kind, &mut self.last.0);
        }
        self.last.1 += difference;
    }

    /// Adds all that was counted to `names`.
    fn settle(&mut self) {
        self.add_last();
        self.add_kinds();
    }

    fn add_last(&mut self) {
        let (kind, difference) = &mut self.last;
        if *difference != 0 {
            *self.kinds.entry_ref(kind.as_slice()).or_default() += std::mem::take(difference);
        }
        if self.kinds.len() > KINDS {
            self.add_kinds();
        }
    }

    fn add_kinds(&mut self) {
        for (kind, difference) in self.kinds.drain() {
            for name in kind {
                *self.names.entry(name).or_default() += difference;
            }
        }
    }

    /// Adds others.
    pub(super) fn add(&mut self, mut others: Self) {
        others.settle();
        for (name, difference) in others.names {
            *self.names.entry(name).or_default() += difference;
        }
        for (key, difference) in others.subjects {
            *self.subjects.entry(key).or_default() += difference;
        }
    }
}

/// By how much the tallies of traces change.
#[derive(Debug, Default)]
pub(super) struct Tallies(HashMap<TraceNumber, Differences>);

impl Tallies {
    /// Returns those of a trace.
    pub(super) fn of(&mut self, trace: TraceNumber) -> &mut Differences {
        self.0.entry(trace).or_default()
    }

    /// Forgets those of a trace.
    pub(super) fn forget(&mut self, trace: TraceNumber) {
        self.0.remove(&trace);
    }

    /// Takes those that are not as they were: trace, key in the table, difference; in the order of the keys.
    pub(super) fn take(&mut self) -> Vec<(TraceNumber, Vec<u8>, i64)> {
        let mut all = Vec::new();
        for (trace, mut differences) in self.0.drain() {
            differences.settle();
            let Differences { names, subjects, .. } = differences;
            let mut add = |what: What<'_>, difference: i64| {
                if difference != 0 {
                    let key = [codec::trace_key(trace), what.key()].concat();
                    all.push((trace, key, difference));
                }
            };
            for ((tally, name), difference) in names {
                add(What::Name(tally, name), difference);
            }
            for (key, difference) in subjects {
                add(What::Subject(&key), difference);
            }
        }
        all.sort_unstable_by(|(_, a, _), (_, b, _)| a.cmp(b));
        all
    }
}

/// Calls a function with each thing that an obsel counts for.
pub(super) fn for_each_tally(obsel: &Obsel<'_>, has_subject: Option<Name>, f: &mut impl FnMut(What<'_>)) {
    for value in &obsel.types {
        if let Value::Named(name) = value {
            f(What::Name(Tally::Type, *name));
        }
    }
    let mut last = None;
    for arc in &obsel.arcs {
        if last != Some(arc.predicate) {
            last = Some(arc.predicate);
            f(What::Name(Tally::Predicate, arc.predicate));
        }
        if Some(arc.predicate) == has_subject {
            f(What::Subject(&subject_key(&arc.object)));
        }
    }
    let blank = obsel.blank_arcs.iter().map(|(_, arc)| arc.predicate);
    let mut elsewhere: Vec<Name> = blank.chain(obsel.others.iter().map(|(_, arc)| arc.predicate)).collect();
    elsewhere.sort_unstable();
    elsewhere.dedup();
    for name in elsewhere {
        f(What::Name(Tally::Elsewhere, name));
    }
}

/// Returns what stands for a subject in a key: its value, or a digest of a long one.
fn subject_key(value: &Value<'_>) -> Vec<u8> {
    /// Leaves room for the trace and the kind in a key of LMDB.
    const LONGEST: usize = 256;
    let mut key = Vec::with_capacity(32);
    record::put_value(&mut key, value);
    if key.len() > LONGEST {
        let digest = crate::digest::fnv128(&key);
        key.truncate(LONGEST - 16);
        key.extend_from_slice(&digest.to_be_bytes());
    }
    key
}
