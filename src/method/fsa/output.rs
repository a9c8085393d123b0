//! From matches to obsels of the target.

use std::borrow::Cow;
use std::cell::RefCell;
use std::rc::Rc;

use bumpalo::Bump;
use hashbrown::{HashMap, HashSet};
use serde_json::Value as Json;
use smallvec::SmallVec;

use super::super::copy::concat;
use super::super::elsewhere;
use super::super::literal::Literal;
use super::super::progress::Clock;
use super::super::property::Property;
use super::super::source::resolve;
use super::super::term::{Names, is_obsel_id, path_of};
use super::super::{Inputs, Sink, Source, Stop};
use super::attributes::{Attribute, Function, Item, Outcome, apply};
use super::automaton::Automaton;
use super::engine::Match;
use super::history::History;
use super::tokens::Event;
use crate::obsel::{Arc, Name, Obsel, Value};
use crate::store::codec::{ID_BYTES, damaged};
use crate::store::{Reading, TraceNumber};
use crate::vocab::ktbs;

/// What the matches of a state become.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Form {
    /// The IRI of the type.
    pub kind: String,
    /// The attributes.
    pub attributes: Vec<Attribute>,
}

/// Reads what the states say of their obsels, `None` for those that make none. `model` is that of the target.
///
/// # Errors
/// One sentence for each problem.
pub fn forms<C>(
    automaton: &Automaton<C>,
    json: &Json,
    model: &str,
    source_model: &str,
) -> Result<Vec<Option<Form>>, Vec<String>> {
    let mut problems = Vec::new();
    let mut forms = Vec::with_capacity(automaton.states.len());
    for state in &automaton.states {
        let members = &json["states"][&state.id];
        let mut told = |problem: String| problems.push(format!("State '{}': {problem}", state.id));
        let kind = match members.get("ktbs_obsel_type") {
            Some(Json::Null) => None,
            None => Some(state.id.as_str()),
            Some(Json::String(kind)) => Some(kind.as_str()),
            Some(_) => {
                told("\"ktbs_obsel_type\" should be a string or null".to_owned());
                None
            }
        };
        let mut attributes = Vec::new();
        match members.get("ktbs_attributes") {
            None | Some(Json::Null) => {}
            Some(Json::Object(members)) => {
                for (key, value) in members {
                    let attribute = match value.as_str() {
                        Some(value) => Attribute::parse(key, value, model, source_model),
                        None => Err(format!("the attribute {key} should be a string")),
                    };
                    match attribute {
                        Ok(attribute) => attributes.push(attribute),
                        Err(problem) => told(problem),
                    }
                }
            }
            Some(_) => told("\"ktbs_attributes\" should be an object".to_owned()),
        }
        let kind = kind.filter(|_| state.terminal).map(|kind| resolve(model, kind));
        match kind {
            None => forms.push(None),
            Some(Ok(kind)) => forms.push(Some(Form { kind, attributes })),
            Some(Err(problem)) => told(problem),
        }
    }
    if problems.is_empty() { Ok(forms) } else { Err(problems) }
}

/// Makes obsels of matches.
pub struct Output<'a> {
    reading: &'a dyn Reading,
    source: &'a Source,
    source_path: &'a str,
    target_path: &'a str,
    forms: Vec<Option<Ready<'a>>>,
    names: Names<'a>,
    has_source_obsel: Name,
    /// Whether what is said of an obsel may stand in the record of another.
    has_mentions: bool,
    clock: RefCell<Clock>,
    datatypes: Vec<(String, Name)>,
    /// Where the obsels of the last computation are, if any is kept.
    kept: Option<TraceNumber>,
    /// Ids of obsels that were kept, and are made again.
    free: HashSet<Rc<str>>,
    /// Ids given so far.
    given: HashSet<Rc<str>>,
    /// The texts of one obsel, kept for their room.
    texts: Bump,
}

/// A form, in terms of the dictionary. What the dictionary has not, no obsel has.
struct Ready<'a> {
    kind: Name,
    /// The properties whose values are wanted, each once.
    properties: Vec<Property>,
    /// The attributes, their names, the index of the property from which each is made.
    attributes: Vec<(&'a Attribute, Name, Option<usize>)>,
}

/// The longest texts that the functions on attributes may make for one obsel, all together, in bytes.
const LONGEST_TEXTS: usize = 4 << 20;

impl<'a> Output<'a> {
    /// Prepares to make obsels of these forms. `kept` tells that those of the last computation stay, but for the ids in
    /// `free`.
    ///
    /// # Errors
    /// Those of the store and of the sink.
    pub fn new(
        inputs: &Inputs<'a>,
        source: &'a Source,
        forms: &'a [Option<Form>],
        kept: bool,
        free: &[Rc<str>],
        sink: &mut dyn Sink,
    ) -> Result<Self, Stop> {
        let reading = inputs.reading;
        let mut ready = Vec::with_capacity(forms.len());
        for form in forms {
            let Some(form) = form else {
                ready.push(None);
                continue;
            };
            let mut attributes = Vec::with_capacity(form.attributes.len());
            let mut properties = Vec::new();
            let mut known: HashMap<&str, Option<usize>> = HashMap::new();
            for attribute in &form.attributes {
                let index = match known.get(attribute.source.as_str()) {
                    Some(index) => *index,
                    None => {
                        let property = Property::find(reading, &attribute.source)?;
                        properties.extend(property);
                        let index = property.map(|_| properties.len() - 1);
                        known.insert(&attribute.source, index);
                        index
                    }
                };
                attributes.push((attribute, sink.name(&attribute.iri)?, index));
            }
            attributes.sort_by_key(|(_, name, _)| *name);
            ready.push(Some(Ready {
                kind: sink.name(&form.kind)?,
                properties,
                attributes,
            }));
        }
        Ok(Self {
            reading,
            source,
            source_path: path_of(reading.root(), &source.iri),
            target_path: path_of(reading.root(), inputs.target.iri),
            forms: ready,
            names: Names::new(reading),
            has_source_obsel: sink.name(ktbs::HAS_SOURCE_OBSEL)?,
            has_mentions: reading.trace(source.trace)?.mentions > 0,
            clock: RefCell::new(Clock::new(inputs)),
            datatypes: Vec::new(),
            kept: inputs.target.trace.filter(|_| kept),
            free: free.iter().cloned().collect(),
            given: HashSet::new(),
            texts: Bump::new(),
        })
    }

    /// Tells whether matches in a state make obsels.
    pub fn makes_obsels(&self, state: usize) -> bool {
        self.forms[state].is_some()
    }

    /// Tells whether an id was given to an obsel.
    pub fn has_given(&self, id: &str) -> bool {
        self.given.contains(id)
    }

    /// Gives the obsel of a match to the sink, and returns its id, or `None` if its state makes none. `rank` is that of the match
    /// among those of one event.
    ///
    /// # Errors
    /// Those of the store and of the sink; an id that is too long.
    pub fn put(&mut self, found: &Match<Event>, rank: usize, sink: &mut dyn Sink) -> Result<Option<Rc<str>>, Stop> {
        if !self.makes_obsels(found.state) {
            return Ok(None);
        }
        let id = self.id(&found.history.last().id, rank)?;
        let mut events: SmallVec<[&Event; 8]> = found.history.backwards().map(History::last).collect();
        events.reverse();
        let mut texts = std::mem::take(&mut self.texts);
        texts.reset();
        let times = |event: &Event| -> Result<(i64, i64), Stop> {
            if let Some(times) = event.times {
                return Ok(times);
            }
            let place = self.reading.place(self.source.trace, &event.id)?.ok_or_else(damaged)?;
            Ok((place.begin, place.end))
        };
        let mut obsel = Obsel {
            id: &id,
            begin: times(found.history.first())?.0,
            end: times(found.history.last())?.1,
            types: Vec::with_capacity(1),
            arcs: Vec::with_capacity(events.len()),
            ..Obsel::default()
        };
        for event in &events {
            obsel.arcs.push(Arc {
                predicate: self.has_source_obsel,
                object: Value::BelowRoot(concat(&texts, self.source_path, &event.id)),
            });
        }
        if let Some(form) = &self.forms[found.state] {
            obsel.types.push(Value::Named(form.kind));
        }
        for (predicate, outcome) in self.attributes(found.state, &events)? {
            let object = match outcome {
                Outcome::Value(value) => self.translated(value, &texts),
                Outcome::String(text) => Value::String(texts.alloc_str(&text)),
                Outcome::Typed(lexical, datatype) => {
                    Value::Typed(texts.alloc_str(&lexical), self.datatype(&datatype, sink)?)
                }
            };
            let arc = Arc { predicate, object };
            let alike = obsel.arcs.iter().rev().take_while(|other| other.predicate == predicate);
            if !alike.into_iter().any(|other| *other == arc) {
                obsel.arcs.push(arc);
            }
        }
        sink.put(&obsel)?;
        self.texts = texts;
        Ok(Some(id))
    }

    /// Returns an id that no other match has: that of the last obsel, with a number from the second one on.
    fn id(&mut self, last: &Rc<str>, rank: usize) -> Result<Rc<str>, Stop> {
        let mut number = rank;
        loop {
            let id = match number {
                0 => Rc::clone(last),
                number => format!("{last}-{number}").into(),
            };
            if id.len() > ID_BYTES {
                let problem = format!("The obsel {id} would have an identifier longer than {ID_BYTES} bytes");
                return Err(vec![problem].into());
            }
            let is_kept = match self.kept {
                Some(trace) if !self.free.contains(&id) => self.reading.has_obsel(trace, &id)?,
                _ => false,
            };
            if !is_kept && self.given.insert(Rc::clone(&id)) {
                return Ok(id);
            }
            number += 1;
        }
    }

    /// Returns the attributes of a match: their names, what they are.
    fn attributes(&self, state: usize, events: &[&Event]) -> Result<Vec<(Name, Outcome<'a>)>, Stop> {
        let Some(form) = self.forms[state].as_ref().filter(|form| !form.attributes.is_empty()) else {
            return Ok(Vec::new());
        };
        let mut items: Vec<Vec<Item<'a>>> = vec![Vec::new(); form.properties.len()];
        for event in events {
            let obsel = self.reading.obsel(self.source.trace, &event.id)?.ok_or_else(damaged)?;
            for (property, items) in form.properties.iter().zip(&mut items) {
                self.clock.borrow_mut().tick()?;
                self.values(&obsel, *property, items)?;
            }
        }
        let (mut outcomes, mut length) = (Vec::new(), 0);
        for (attribute, name, index) in &form.attributes {
            let items = index.map_or(&[][..], |index| &items[index]);
            for _ in 0..=items.len() / 16 {
                self.clock.borrow_mut().tick()?;
            }
            if attribute.function == Function::Concat {
                length += items.iter().map(|item| item.text.len() + 1).sum::<usize>();
                if length > LONGEST_TEXTS {
                    let problem = format!(
                        "The attributes of an obsel, <{}> among them, would be longer than {LONGEST_TEXTS} bytes",
                        attribute.iri
                    );
                    return Err(vec![problem].into());
                }
            }
            outcomes.extend(apply(attribute.function, items).map(|outcome| (*name, outcome)));
        }
        Ok(outcomes)
    }

    /// Adds the values of a property of an obsel, wherever they stand.
    fn values(&self, obsel: &Obsel<'a>, property: Property, items: &mut Vec<Item<'a>>) -> Result<(), Stop> {
        match property {
            Property::Begin => items.push(Item::time(obsel.begin)),
            Property::End => items.push(Item::time(obsel.end)),
            Property::Trace => items.push(self.item(Value::BelowRoot(self.source_path))?),
            Property::Type => {
                for value in &obsel.types {
                    items.push(self.item(*value)?);
                }
            }
            Property::Arc(name) => {
                for arc in obsel.arcs.iter().filter(|arc| arc.predicate == name) {
                    items.push(self.item(arc.object)?);
                }
                if self.has_mentions {
                    elsewhere::for_each_arc(self.reading, self.source.trace, obsel.id, &mut |_, arc| {
                        if arc.predicate == name {
                            items.push(self.item(arc.object)?);
                        }
                        Ok(())
                    })?;
                }
            }
        }
        Ok(())
    }

    /// Returns a value to apply functions to.
    fn item(&self, value: Value<'a>) -> Result<Item<'a>, Stop> {
        let (text, literal): (Cow<'a, str>, _) = match value {
            Value::Obsel(id) => (format!("{}{id}", self.source.iri).into(), None),
            Value::BelowRoot(path) => (format!("{}{path}", self.reading.root()).into(), None),
            Value::Named(name) => (self.names.spell(name)?.to_string().into(), None),
            Value::Iri(iri) => (iri.into(), None),
            Value::Blank(_) => ("".into(), None),
            Value::String(lexical) => (lexical.into(), Some(Literal::String(lexical.into()))),
            Value::Tagged(lexical, language) => (lexical.into(), Some(Literal::tagged(lexical, language))),
            Value::Typed(lexical, datatype) => {
                let datatype = self.names.spell(datatype)?;
                (lexical.into(), Some(Literal::typed(lexical, &datatype)))
            }
        };
        let value = Outcome::Value(value);
        Ok(Item { value, text, literal })
    }

    /// Returns a value of the source as it stands in the target: an obsel of the source is still that obsel.
    fn translated<'t>(&self, value: Value<'t>, texts: &'t Bump) -> Value<'t> {
        match value {
            Value::Obsel(id) => Value::BelowRoot(concat(texts, self.source_path, id)),
            Value::BelowRoot(path) => match path.strip_prefix(self.target_path).filter(|rest| is_obsel_id(rest)) {
                Some(id) => Value::Obsel(id),
                None => value,
            },
            _ => value,
        }
    }

    fn datatype(&mut self, iri: &str, sink: &mut dyn Sink) -> Result<Name, Stop> {
        if let Some((_, name)) = self.datatypes.iter().find(|(known, _)| known == iri) {
            return Ok(*name);
        }
        let name = sink.name(iri)?;
        self.datatypes.push((iri.to_owned(), name));
        Ok(name)
    }
}
