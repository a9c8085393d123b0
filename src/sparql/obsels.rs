//! The obsels of a trace as triples to query, straight from the records of the store.

use std::ops::ControlFlow;

use hashbrown::HashMap;

use super::dataset::{Builder, Piles};
use super::limits;
use super::terms::Parts;
use crate::error::Result;
use crate::obsel::{Arc, Name, Obsel, Value};
use crate::rdf::{TermId, iri};
use crate::store::views::Speller;
use crate::store::{Bounds, Reading, Tally, TraceNumber};
use crate::vocab::{self, ktbs, xsd};

/// Adds the graph of `@obsels` of a trace to a dataset: the collection, given its class, and all the obsels.
///
/// # Errors
/// Those of the store.
pub fn add_collection(
    builder: &mut Builder,
    reading: &dyn Reading,
    number: TraceNumber,
    trace: &str,
    collection_type: &str,
) -> Result<()> {
    let collection = iri(format!("{trace}@obsels"));
    builder.add_triple(&iri(trace), &iri(ktbs::HAS_OBSEL_COLLECTION), &collection);
    builder.add_triple(&collection, &iri(vocab::rdf::TYPE), &iri(collection_type));
    // Each obsel has at least its IRI and its times, which most often no other has.
    builder
        .terms
        .reserve(usize::try_from(3 * reading.obsel_count(number)?.min(MOST_FORESEEN)).unwrap_or(0));
    let keeps_arcs = keeps_arcs(builder, reading, number)?;
    let mut obsels = Obsels::new(builder, reading, trace);
    let mut add = |obsel: &Obsel<'_>| {
        obsels.add(obsel)?;
        Ok(ControlFlow::Continue(()))
    };
    if keeps_arcs {
        reading.for_each_obsel(number, &Bounds::ALL, &mut add)
    } else {
        reading.for_each_typed(number, &Bounds::ALL, &mut add)
    }
}

/// Tells whether any triple is kept that is neither one of the types of an obsel, nor of its trace and times: the store counts the
/// predicates of the others.
fn keeps_arcs(builder: &Builder, reading: &dyn Reading, number: TraceNumber) -> Result<bool> {
    for tally in [Tally::Predicate, Tally::Elsewhere] {
        for (predicate, _) in reading.tallies(number, tally)? {
            if builder.keeps(&reading.iri_of(predicate)?) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// For how many obsels room is made in advance, at most.
const MOST_FORESEEN: u64 = 4_000_000;

/// Adds obsels of a trace to a dataset, one by one.
pub struct Obsels<'b, 's> {
    builder: &'b mut Builder,
    speller: Speller<'s, dyn Reading + 's>,
    /// The IRI of the trace, then the id of an obsel.
    iri: String,
    prefix: usize,
    root: &'s str,
    trace: TermId,
    integer: TermId,
    has_trace: Option<Piles>,
    has_begin: Option<Piles>,
    has_end: Option<Piles>,
    has_type: Option<Piles>,
    names: HashMap<Name, TermId>,
    predicates: HashMap<Name, Option<Piles>>,
}

impl std::fmt::Debug for Obsels<'_, '_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Obsels")
            .field("trace", &&self.iri[..self.prefix])
            .finish_non_exhaustive()
    }
}

impl<'b, 's> Obsels<'b, 's> {
    /// Starts to add obsels of a trace, given its IRI.
    pub fn new(builder: &'b mut Builder, reading: &'s dyn Reading, trace: &'s str) -> Self {
        let mut piles = |predicate| {
            let predicate = builder.terms.intern(Parts::Iri(predicate));
            builder.piles(predicate)
        };
        Self {
            has_trace: piles(ktbs::HAS_TRACE),
            has_begin: piles(ktbs::HAS_BEGIN),
            has_end: piles(ktbs::HAS_END),
            has_type: piles(vocab::rdf::TYPE),
            trace: builder.terms.intern(Parts::Iri(trace)),
            integer: builder.terms.intern(Parts::Iri(xsd::INTEGER)),
            builder,
            speller: Speller::new(reading, trace),
            iri: trace.to_owned(),
            prefix: trace.len(),
            root: reading.root(),
            names: HashMap::new(),
            predicates: HashMap::new(),
        }
    }

    /// Adds an obsel: the triples of its description.
    ///
    /// # Errors
    /// `Damaged`: a name is not in the dictionary.
    pub fn add(&mut self, obsel: &Obsel<'_>) -> Result<()> {
        self.builder.check()?;
        let this = self.below(obsel.id);
        if let Some(piles) = self.has_trace {
            self.builder.put(piles, this, self.trace);
        }
        for (piles, time) in [(self.has_begin, obsel.begin), (self.has_end, obsel.end)] {
            if let Some(piles) = piles {
                let time = self.integer(time);
                self.builder.put(piles, this, time);
            }
        }
        if let Some(piles) = self.has_type {
            for value in &obsel.types {
                let value = self.value(obsel.id, value)?;
                self.builder.put(piles, this, value);
            }
        }
        for arc in &obsel.arcs {
            self.arc(obsel.id, Some(this), None, arc)?;
        }
        for (node, arc) in &obsel.blank_arcs {
            self.arc(obsel.id, None, Some(&Value::Blank(*node)), arc)?;
        }
        for (subject, arc) in &obsel.others {
            self.arc(obsel.id, None, Some(subject), arc)?;
        }
        Ok(())
    }

    /// Adds an arc of a subject, whose number is known or not.
    fn arc(&mut self, id: &str, known: Option<TermId>, subject: Option<&Value<'_>>, arc: &Arc<'_>) -> Result<()> {
        let piles = match self.predicates.get(&arc.predicate) {
            Some(piles) => *piles,
            None => {
                let predicate = self.name(arc.predicate)?;
                let piles = self.builder.piles(predicate);
                self.predicates.insert(arc.predicate, piles);
                piles
            }
        };
        let Some(piles) = piles else {
            return Ok(());
        };
        let subject = match (known, subject) {
            (Some(known), _) => known,
            (None, Some(subject)) => self.value(id, subject)?,
            (None, None) => return Ok(()),
        };
        let object = self.value(id, &arc.object)?;
        self.builder.put(piles, subject, object);
        Ok(())
    }

    fn below(&mut self, id: &str) -> TermId {
        self.iri.truncate(self.prefix);
        self.iri.push_str(id);
        self.builder.terms.intern(Parts::Iri(&self.iri))
    }

    fn integer(&mut self, value: i64) -> TermId {
        let mut digits = itoa::Buffer::new();
        self.builder
            .terms
            .intern(Parts::Typed(digits.format(value), self.integer))
    }

    fn name(&mut self, name: Name) -> Result<TermId> {
        if let Some(&number) = self.names.get(&name) {
            return Ok(number);
        }
        let number = self.builder.terms.intern_term(&self.speller.name(name)?);
        self.names.insert(name, number);
        Ok(number)
    }

    fn value(&mut self, id: &str, value: &Value<'_>) -> Result<TermId> {
        let terms = &mut self.builder.terms;
        Ok(match *value {
            Value::Obsel(other) => self.below(other),
            Value::Named(name) => self.name(name)?,
            Value::BelowRoot(rest) => terms.intern(Parts::Iri(&format!("{}{rest}", self.root))),
            Value::Iri(iri) => terms.intern(Parts::Iri(iri)),
            Value::String(lexical) => terms.intern(Parts::String(lexical)),
            Value::Tagged(lexical, language) => terms.intern(Parts::Tagged(lexical, language, None)),
            Value::Typed(lexical, datatype) => {
                let datatype = self.name(datatype)?;
                limits::tick_text(lexical);
                self.builder.terms.intern(Parts::Typed(lexical, datatype))
            }
            Value::Blank(_) => {
                let term = self.speller.term(id, value)?;
                self.builder.number(&term)
            }
        })
    }
}
