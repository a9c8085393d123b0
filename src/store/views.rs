//! Sophia's traits over what the store holds: a trace as a graph, the whole store as a dataset.
//!
//! (The graph of a resource is a [`crate::rdf::Graph`], which is a Sophia graph by itself.)

use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::ControlFlow;

use sophia::api::dataset::Dataset;
use sophia::api::graph::Graph;
use sophia::api::quad::Spog;
use sophia::api::term::SimpleTerm;

use super::{Bounds, Reading, Result, Snapshot, StoreError, TraceNumber, links};
use crate::error::Error;
use crate::obsel::{Arc, Blank, Name, Obsel, Value};
use crate::rdf::{self, Term, Triple};
use crate::vocab;

/// Spells out obsels as triples: names become IRIs, relative IRIs absolute.
#[derive(Debug)]
pub struct Speller<'s, R: Reading + ?Sized> {
    reading: &'s R,
    /// The IRI of the trace.
    trace: &'s str,
    names: RefCell<HashMap<Name, Term>>,
}

impl<'s, R: Reading + ?Sized> Speller<'s, R> {
    /// Returns a speller of the obsels of the trace of an IRI.
    pub fn new(reading: &'s R, trace: &'s str) -> Self {
        Self {
            reading,
            trace,
            names: RefCell::default(),
        }
    }

    /// Returns the term of a value. Own blank nodes are labelled after the obsel.
    ///
    /// # Errors
    /// `Damaged`: a name is not in the dictionary.
    pub fn term(&self, obsel: &str, value: &Value<'_>) -> Result<Term> {
        Ok(match *value {
            Value::Obsel(id) => rdf::iri(format!("{}{id}", self.trace)),
            Value::BelowRoot(rest) => rdf::iri(format!("{}{rest}", self.reading.root())),
            Value::Named(name) => self.name(name)?,
            Value::Iri(iri) => rdf::iri(iri),
            Value::Blank(Blank::Own(number)) => rdf::blank(own_label(obsel, number)),
            Value::Blank(Blank::Shared(number)) => rdf::blank(format!("s{number:x}")),
            Value::String(lexical) => rdf::string(lexical),
            Value::Tagged(lexical, language) => rdf::tagged(lexical, language),
            Value::Typed(lexical, datatype) => match self.name(datatype)? {
                SimpleTerm::Iri(iri) => rdf::typed(lexical, iri.as_str()),
                _ => return Err(super::codec::damaged()),
            },
        })
    }

    /// Returns the term of a name.
    ///
    /// # Errors
    /// `Damaged`: it is not in the dictionary.
    pub fn name(&self, name: Name) -> Result<Term> {
        if let Some(term) = self.names.borrow().get(&name) {
            return Ok(term.clone());
        }
        let term = rdf::iri(self.reading.iri_of(name)?);
        self.names.borrow_mut().insert(name, term.clone());
        Ok(term)
    }

    /// Calls a function with each triple of the description of an obsel.
    ///
    /// # Errors
    /// `Damaged`: a name is not in the dictionary.
    pub fn for_each_triple(&self, obsel: &Obsel<'_>, f: &mut dyn FnMut(Triple)) -> Result<()> {
        let this = rdf::iri(format!("{}{}", self.trace, obsel.id));
        let mut own = |predicate: &str, object: Term| f([this.clone(), rdf::iri(predicate), object]);
        own(vocab::ktbs::HAS_TRACE, rdf::iri(self.trace));
        own(vocab::ktbs::HAS_BEGIN, rdf::integer(obsel.begin));
        own(vocab::ktbs::HAS_END, rdf::integer(obsel.end));
        for value in &obsel.types {
            own(vocab::rdf::TYPE, self.term(obsel.id, value)?);
        }
        let mut arc = |subject: Term, arc: &Arc<'_>| -> Result<()> {
            f([subject, self.name(arc.predicate)?, self.term(obsel.id, &arc.object)?]);
            Ok(())
        };
        for own in &obsel.arcs {
            arc(this.clone(), own)?;
        }
        for (node, blank_arc) in &obsel.blank_arcs {
            arc(self.term(obsel.id, &Value::Blank(*node))?, blank_arc)?;
        }
        for (subject, other) in &obsel.others {
            arc(self.term(obsel.id, subject)?, other)?;
        }
        Ok(())
    }
}

/// Returns a label for a blank node of one obsel: its id in hexadecimal, since not all ids make labels.
fn own_label(obsel: &str, number: u32) -> String {
    let mut label = String::from("o");
    for byte in obsel.bytes() {
        label.push_str(&format!("{byte:02x}"));
    }
    format!("{label}b{number}")
}

/// The obsels of a trace, as a graph.
#[derive(Debug)]
pub struct TraceGraph<'s> {
    /// The state of the store.
    pub snapshot: &'s Snapshot,
    /// The trace.
    pub trace: TraceNumber,
    /// The IRI of the trace.
    pub iri: &'s str,
}

impl TraceGraph<'_> {
    fn collect(&self) -> Result<Vec<Triple>> {
        let speller = Speller::new(self.snapshot, self.iri);
        let mut triples = Vec::new();
        let result = self.snapshot.for_each_obsel(self.trace, &Bounds::ALL, &mut |obsel| {
            speller.for_each_triple(obsel, &mut |triple| triples.push(triple))?;
            Ok(ControlFlow::Continue(()))
        });
        match result {
            Ok(()) => Ok(triples),
            Err(Error::Store(error)) => Err(error),
            Err(other) => Err(StoreError::Failed(other.to_string())),
        }
    }
}

/// Turns a list that could not be made into an iterator of one error.
fn each<T>(list: Result<Vec<T>>) -> impl Iterator<Item = Result<T>> {
    let (list, error) = match list {
        Ok(list) => (list, None),
        Err(error) => (Vec::new(), Some(Err(error))),
    };
    list.into_iter().map(Ok).chain(error)
}

impl Graph for TraceGraph<'_> {
    type Triple<'x>
        = Triple
    where
        Self: 'x;
    type Error = StoreError;

    fn triples(&self) -> impl Iterator<Item = Result<Self::Triple<'_>>> + '_ {
        each(self.collect())
    }
}

/// The whole store as a dataset: the graph of each resource under its IRI, the obsels of each trace under that of
/// `@obsels`. The default graph is empty.
#[derive(Debug)]
pub struct StoreDataset<'s>(pub &'s Snapshot);

impl StoreDataset<'_> {
    fn collect(&self) -> Result<Vec<Spog<Term>>> {
        let root = self.0.root();
        let mut quads: Vec<Spog<Term>> = Vec::new();
        let result = self.0.for_each_below("", &mut |mut entry| {
            let iri = format!("{root}{}", entry.head.path);
            entry.graph.extend_from(&links::users(self.0, &entry.head.path)?);
            for [s, p, o] in entry.graph.iter() {
                quads.push(([s.clone(), p.clone(), o.clone()], Some(rdf::iri(&iri))));
            }
            if let Some(trace) = entry.head.trace {
                let name = rdf::iri(format!("{iri}@obsels"));
                let graph = TraceGraph {
                    snapshot: self.0,
                    trace,
                    iri: &iri,
                };
                quads.extend(graph.collect()?.into_iter().map(|triple| (triple, Some(name.clone()))));
            }
            Ok(())
        });
        match result {
            Ok(()) => Ok(quads),
            Err(Error::Store(error)) => Err(error),
            Err(other) => Err(StoreError::Failed(other.to_string())),
        }
    }
}

impl Dataset for StoreDataset<'_> {
    type Quad<'x>
        = Spog<Term>
    where
        Self: 'x;
    type Error = StoreError;

    fn quads(&self) -> impl Iterator<Item = Result<Self::Quad<'_>>> + '_ {
        each(self.collect())
    }
}
