//! One obsel, as the store holds it and as methods and formats see it.
//!
//! The values borrow from the read transaction, so that writing a trace of a million obsels allocates nothing per
//! value. IRIs that come again and again (types, predicates, datatypes) are [`Name`]s, which whoever gives the obsel
//! can spell out.

use std::collections::{HashMap, HashSet};

/// The number of an IRI in the dictionary of the store. Numbers are never given twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(pub u32);

/// A node or a literal in the description of an obsel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value<'t> {
    /// An IRI directly below the trace: the rest of the IRI. It is a relation if there is an obsel of that id.
    Obsel(&'t str),
    /// An IRI below the root: the rest of the IRI.
    BelowRoot(&'t str),
    /// An IRI of the dictionary.
    Named(Name),
    /// Any other IRI.
    Iri(&'t str),
    /// A blank node; see [`Blank`].
    Blank(Blank),
    /// A simple literal (an `xsd:string`).
    String(&'t str),
    /// A language-tagged string: lexical form, language.
    Tagged(&'t str, &'t str),
    /// Any other literal: lexical form, datatype.
    Typed(&'t str, Name),
}

impl<'t> Value<'t> {
    /// Returns its texts, in order.
    pub fn texts(self) -> impl Iterator<Item = &'t str> {
        let (first, second) = match self {
            Self::Obsel(text) | Self::BelowRoot(text) | Self::Iri(text) | Self::String(text) | Self::Typed(text, _) => {
                (Some(text), None)
            }
            Self::Tagged(lexical, language) => (Some(lexical), Some(language)),
            Self::Named(_) | Self::Blank(_) => (None, None),
        };
        first.into_iter().chain(second)
    }
}

/// A blank node in the description of an obsel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Blank {
    /// Known to this obsel only: its number in the description, from 0.
    Own(u32),
    /// Shared by several obsels of the trace, which each describe it: a number unique in the trace.
    Shared(u64),
}

/// A predicate and an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Arc<'t> {
    /// The predicate.
    pub predicate: Name,
    /// The object.
    pub object: Value<'t>,
}

/// An obsel and its bounded description.
///
/// `k:hasTrace`, `k:hasBegin` and `k:hasEnd` are not among the arcs: they follow from where the obsel stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Obsel<'t> {
    /// What follows the IRI of the trace in the IRI of the obsel.
    pub id: &'t str,
    /// Begin, in units of the trace since its origin.
    pub begin: i64,
    /// End, same unit, never before the begin.
    pub end: i64,
    /// Its types, at least one; `k:Obsel` if it has no other.
    pub types: Vec<Value<'t>>,
    /// Its other arcs, those of one predicate together: `k:` predicates first (`hasBeginDT`, `hasEndDT`,
    /// `hasSubject`, `hasSourceObsel`), then attributes and relations.
    pub arcs: Vec<Arc<'t>>,
    /// The arcs of the blank nodes of the description, those of one node together, those of one predicate together.
    pub blank_arcs: Vec<(Blank, Arc<'t>)>,
    /// Triples whose subject is neither this obsel nor a blank node: what points to it or to its blank nodes.
    /// A subject that is an obsel of the same trace is a [`Value::Obsel`].
    pub others: Vec<(Value<'t>, Arc<'t>)>,
}

impl<'t> Obsel<'t> {
    /// Returns the number of triples of the description, `hasTrace`, `hasBegin` and `hasEnd` included.
    pub fn triple_count(&self) -> u64 {
        (3 + self.types.len() + self.arcs.len() + self.blank_arcs.len() + self.others.len()) as u64
    }

    /// Tells whether all that it says is about itself, without any blank node.
    pub fn is_flat(&self) -> bool {
        let is_blank = |value: &Value<'_>| matches!(value, Value::Blank(_));
        let mut objects = self.arcs.iter().map(|arc| &arc.object);
        self.blank_arcs.is_empty()
            && self.others.is_empty()
            && !objects.any(is_blank)
            && !self.types.iter().any(is_blank)
    }

    /// Returns the triples of those of its blank nodes that lead to or from some other obsels, directly or through each
    /// other.
    pub fn beside(&self, is_one: &dyn Fn(&str) -> bool) -> Vec<(Value<'t>, Arc<'t>)> {
        let is_one = |value: &Value<'_>| matches!(value, Value::Obsel(id) if is_one(id));
        let mut next: HashMap<Blank, Vec<Blank>> = HashMap::new();
        let mut pending = Vec::new();
        for (blank, arc) in &self.blank_arcs {
            match arc.object {
                Value::Blank(object) => {
                    next.entry(*blank).or_default().push(object);
                    next.entry(object).or_default().push(*blank);
                }
                object if is_one(&object) => pending.push(*blank),
                _ => {}
            }
        }
        pending.extend(self.others.iter().filter_map(|(subject, arc)| match arc.object {
            Value::Blank(blank) if is_one(subject) => Some(blank),
            _ => None,
        }));
        let mut reached = HashSet::new();
        while let Some(blank) = pending.pop() {
            if reached.insert(blank) {
                pending.extend(next.get(&blank).into_iter().flatten());
            }
        }
        let is_reached = |value: &Value<'_>| matches!(value, Value::Blank(blank) if reached.contains(blank));
        self.triples()
            .filter(|(subject, arc)| is_reached(subject) || is_reached(&arc.object))
            .collect()
    }

    /// Returns the triples of the description, but for the types and for what follows from where the obsel stands.
    pub fn triples(&self) -> impl Iterator<Item = (Value<'t>, Arc<'t>)> {
        let own = self.arcs.iter().map(|arc| (Value::Obsel(self.id), *arc));
        let of_blanks = self.blank_arcs.iter().map(|(blank, arc)| (Value::Blank(*blank), *arc));
        own.chain(of_blanks).chain(self.others.iter().copied())
    }

    /// Returns a number above those of the blank nodes that only this obsel knows.
    pub fn blanks_end(&self) -> u32 {
        let end = |value| match value {
            Value::Blank(Blank::Own(number)) => number.saturating_add(1),
            _ => 0,
        };
        self.triples()
            .map(|(subject, arc)| end(subject).max(end(arc.object)))
            .max()
            .unwrap_or(0)
    }

    /// Drops the blank nodes to which nothing of the description leads any more.
    pub fn keep_reachable_blanks(&mut self) {
        let blank = |value: &Value<'_>| match value {
            Value::Blank(blank) => Some(*blank),
            _ => None,
        };
        let this = Value::Obsel(self.id);
        let mut reached: HashSet<_> = self.arcs.iter().filter_map(|arc| blank(&arc.object)).collect();
        reached.extend(self.others.iter().filter_map(|(_, arc)| blank(&arc.object)));
        reached.extend(
            self.blank_arcs
                .iter()
                .filter(|(_, arc)| arc.object == this)
                .map(|(node, _)| *node),
        );
        loop {
            let before = reached.len();
            for (node, arc) in &self.blank_arcs {
                let target = blank(&arc.object);
                if reached.contains(node) {
                    reached.extend(target);
                } else if target.is_some_and(|target| reached.contains(&target)) {
                    reached.insert(*node);
                }
            }
            if reached.len() == before {
                break;
            }
        }
        self.blank_arcs.retain(|(node, _)| reached.contains(node));
    }

    /// Changes the names of the description, wherever they stand.
    pub fn rename(&mut self, new: &dyn Fn(Name) -> Name) {
        let value = |value: &mut Value<'_>| match value {
            Value::Named(name) | Value::Typed(_, name) => *name = new(*name),
            _ => {}
        };
        let arc = |arc: &mut Arc<'_>| {
            arc.predicate = new(arc.predicate);
            value(&mut arc.object);
        };
        self.types.iter_mut().for_each(value);
        self.arcs.iter_mut().for_each(arc);
        self.blank_arcs.iter_mut().for_each(|(_, blank_arc)| arc(blank_arc));
        for (subject, other) in &mut self.others {
            value(subject);
            arc(other);
        }
    }
}

/// A triple about an obsel that stands in the description of *another* obsel of the trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mention<'t> {
    /// True: the obsel is the subject; false: it is the object.
    pub outgoing: bool,
    /// The predicate.
    pub predicate: Name,
    /// The id of the other obsel, in whose description the triple stands.
    pub other: &'t str,
}

impl Mention<'_> {
    /// Tells whether the mention of the obsel `id` is a triple between it and the other, whose description is given: not
    /// one of a blank node of the other.
    pub fn relates(&self, id: &str, other: &Obsel<'_>) -> bool {
        let (predicate, this) = (self.predicate, Value::Obsel(id));
        if self.outgoing {
            let object = Value::Obsel(other.id);
            other.others.contains(&(this, Arc { predicate, object }))
        } else {
            let object = this;
            other.arcs.contains(&Arc { predicate, object })
        }
    }
}
