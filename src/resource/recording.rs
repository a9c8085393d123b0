//! Brings the description of an obsel from the terms of a payload to the values of a record.

use std::collections::HashMap;

use sophia::api::term::SimpleTerm;

use super::completion::{Rules, Terms, Times};
use super::description::Descriptions;
use crate::error::{Error, Result};
use crate::obsel::{Arc, Blank, Name, Obsel, Value};
use crate::rdf::{Graph, Term, TermId};
use crate::store::codec::ID_BYTES;
use crate::store::{Change, Reading};
use crate::vocab::{ktbs, xsd};

/// What gives IRIs their names: the store, or something that waits for it.
pub trait Dictionary {
    /// Returns the name of an absolute IRI, which is given one if it has none.
    ///
    /// # Errors
    /// Those of the store.
    fn name(&mut self, iri: &str) -> Result<Name>;

    /// Returns the IRI of the root.
    fn root(&self) -> &str;
}

impl Dictionary for Change<'_> {
    fn name(&mut self, iri: &str) -> Result<Name> {
        Ok(Change::name(self, iri)?)
    }

    fn root(&self) -> &str {
        Reading::root(self)
    }
}

/// Makes records of the descriptions of one payload.
pub struct Recorder<'a> {
    graph: &'a Graph,
    descriptions: &'a Descriptions,
    terms: &'a Terms,
    rules: &'a Rules,
    /// The identifiers of the descriptions.
    ids: &'a [String],
    /// Which description a node is.
    obsels: HashMap<TermId, usize>,
    /// The numbers of the blank nodes that several obsels share.
    shared: HashMap<TermId, u64>,
    /// Names of the predicates, types and datatypes met so far.
    names: HashMap<TermId, Name>,
    datatypes: HashMap<String, Name>,
}

impl<'a> Recorder<'a> {
    /// Prepares to record the descriptions of a graph under these identifiers.
    ///
    /// # Errors
    /// `Internal` if the system has no random bytes to give.
    pub fn new(
        graph: &'a Graph,
        descriptions: &'a Descriptions,
        terms: &'a Terms,
        rules: &'a Rules,
        ids: &'a [String],
    ) -> Result<Self> {
        let obsels = descriptions
            .obsels
            .iter()
            .enumerate()
            .map(|(i, description)| (description.node, i))
            .collect();
        let mut shared = HashMap::new();
        for group in descriptions.groups.iter().filter(|group| group.obsels > 1) {
            for node in &group.nodes {
                let number = getrandom::u64().map_err(|error| Error::Internal(format!("no random bytes: {error}")))?;
                shared.insert(*node, number);
            }
        }
        let (names, datatypes) = Default::default();
        Ok(Self {
            graph,
            descriptions,
            terms,
            rules,
            ids,
            obsels,
            shared,
            names,
            datatypes,
        })
    }

    /// Returns the record of a description.
    ///
    /// # Errors
    /// Those of the store, whose dictionary learns new names.
    pub fn obsel(&mut self, names: &mut dyn Dictionary, index: usize, times: Times) -> Result<Obsel<'a>> {
        let description = &self.descriptions.obsels[index];
        let mut obsel = Obsel {
            id: &self.ids[index],
            begin: times.begin,
            end: times.end,
            ..Obsel::default()
        };
        let mut blanks = HashMap::new();
        for [_, p, o] in &description.own {
            if self.terms.is_type(*p) {
                let name = self.name(names, *o)?;
                obsel.types.push(Value::Named(name));
            } else if !self.terms.is_kept_apart(*p) {
                let arc = self.arc(names, *p, *o, &mut blanks)?;
                obsel.arcs.push(arc);
            }
        }
        if obsel.types.is_empty() {
            obsel.types.push(Value::Named(names.name(ktbs::OBSEL)?));
        }
        if let Some(subject) = self
            .rules
            .default_subject
            .as_ref()
            .filter(|_| times.takes_default_subject)
        {
            let object = self.value_of(names, subject)?;
            obsel.arcs.push(Arc {
                predicate: names.name(ktbs::HAS_SUBJECT)?,
                object,
            });
        }
        sort_arcs(names, &mut obsel.arcs)?;
        for group in &description.groups {
            let group = &self.descriptions.groups[*group];
            for [s, p, o] in &group.own {
                let Value::Blank(node) = self.value(names, *s, &mut blanks)? else {
                    continue;
                };
                let arc = self.arc(names, *p, *o, &mut blanks)?;
                obsel.blank_arcs.push((node, arc));
            }
            for [s, p, o] in &group.incoming {
                let subject = self.value(names, *s, &mut blanks)?;
                let arc = self.arc(names, *p, *o, &mut blanks)?;
                obsel.others.push((subject, arc));
            }
        }
        obsel.blank_arcs.sort_by_key(|(node, arc)| (*node, arc.predicate));
        for [s, p, o] in &description.incoming {
            let subject = self.value(names, *s, &mut blanks)?;
            let arc = self.arc(names, *p, *o, &mut blanks)?;
            obsel.others.push((subject, arc));
        }
        Ok(obsel)
    }

    fn arc(
        &mut self,
        names: &mut dyn Dictionary,
        predicate: TermId,
        object: TermId,
        blanks: &mut HashMap<TermId, u32>,
    ) -> Result<Arc<'a>> {
        let predicate = self.name(names, predicate)?;
        let object = self.value(names, object, blanks)?;
        Ok(Arc { predicate, object })
    }

    /// Returns the value of a node; `blanks` numbers the blank nodes of one description.
    fn value(
        &mut self,
        names: &mut dyn Dictionary,
        id: TermId,
        blanks: &mut HashMap<TermId, u32>,
    ) -> Result<Value<'a>> {
        if let Some(index) = self.obsels.get(&id) {
            return Ok(Value::Obsel(&self.ids[*index]));
        }
        let term = self.graph.term(id);
        if let SimpleTerm::BlankNode(_) = term {
            let next = blanks.len() as u32;
            return Ok(Value::Blank(match self.shared.get(&id) {
                Some(number) => Blank::Shared(*number),
                None => Blank::Own(*blanks.entry(id).or_insert(next)),
            }));
        }
        self.value_of(names, term)
    }

    fn value_of(&mut self, names: &mut dyn Dictionary, term: &'a Term) -> Result<Value<'a>> {
        Ok(match term {
            SimpleTerm::Iri(iri) => self.iri_value(names.root(), iri.as_str()),
            SimpleTerm::LiteralDatatype(lexical, datatype) if datatype.as_str() == xsd::STRING => {
                Value::String(lexical)
            }
            SimpleTerm::LiteralDatatype(lexical, datatype) => {
                let name = match self.datatypes.get(datatype.as_str()) {
                    Some(name) => *name,
                    None => {
                        let name = names.name(datatype.as_str())?;
                        self.datatypes.insert(datatype.as_str().to_owned(), name);
                        name
                    }
                };
                Value::Typed(lexical, name)
            }
            SimpleTerm::LiteralLanguage(lexical, language, _) => Value::Tagged(lexical, language),
            other => return Err(Error::invalid(format!("a term is not of RDF 1.1: {other:?}"))),
        })
    }

    /// Returns the value of an IRI. Directly below the trace, it names an obsel, be there one or not.
    fn iri_value(&self, root: &str, iri: &'a str) -> Value<'a> {
        let is_id = |id: &&str| {
            let bare = id.strip_suffix('/').unwrap_or(id);
            !bare.is_empty() && id.len() <= ID_BYTES && !bare.starts_with('@') && !bare.contains(['/', '#', '?', '\0'])
        };
        if let Some(id) = iri.strip_prefix(self.rules.trace.as_str()).filter(is_id) {
            Value::Obsel(id)
        } else if let Some(rest) = iri.strip_prefix(root) {
            Value::BelowRoot(rest)
        } else {
            Value::Iri(iri)
        }
    }

    fn name(&mut self, names: &mut dyn Dictionary, id: TermId) -> Result<Name> {
        if let Some(name) = self.names.get(&id) {
            return Ok(*name);
        }
        let SimpleTerm::Iri(iri) = self.graph.term(id) else {
            return Err(Error::invalid("a predicate or a type is no IRI"));
        };
        let name = names.name(iri.as_str())?;
        self.names.insert(id, name);
        Ok(name)
    }
}

/// Puts the arcs of one predicate together, the predicates of the kTBS first.
fn sort_arcs(names: &mut dyn Dictionary, arcs: &mut [Arc<'_>]) -> Result<()> {
    let mut first = [Name(0); 4];
    let known = [
        ktbs::HAS_BEGIN_DT,
        ktbs::HAS_END_DT,
        ktbs::HAS_SUBJECT,
        ktbs::HAS_SOURCE_OBSEL,
    ];
    for (name, iri) in first.iter_mut().zip(known) {
        *name = names.name(iri)?;
    }
    arcs.sort_by_key(|arc| {
        let rank = first
            .iter()
            .position(|name| *name == arc.predicate)
            .unwrap_or(first.len());
        (rank, arc.predicate)
    });
    Ok(())
}
