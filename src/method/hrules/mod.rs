//! Hrules: obsels get a new type from rules on their types and attributes (kTBS documentation, "hrules").
//!
//! The subrules are tried one after the other, the most precise first, and an obsel belongs to the rule of the first that
//! it satisfies. An obsel that belongs to a rule that is not visible, or to none, is not copied.

mod rule;

use std::collections::BTreeSet;
use std::rc::Rc;

use hashbrown::{HashMap, HashSet};

use super::elsewhere;
use super::literal::Literal;
use super::model::Vocabulary;
use super::params::Parameters;
use super::progress::Clock;
use super::property::Property;
use super::selection::{self, Selection};
use super::term::Names;
use super::{Computed, Description, Inputs, Method, Sink, Source, Stop, source};
use crate::obsel::{Name, Obsel, Value};
use crate::store::Reading;
use crate::vocab::ktbs;
use rule::{Operator, Subrule};

pub(super) static METHOD: Method = Method {
    iri: ktbs::HRULES,
    description_title: "compute_trace_description for <http://liris.cnrs.fr/silex/2009/ktbs#hrules>",
    obsels_title: "compute_obsels for <http://liris.cnrs.fr/silex/2009/ktbs#hrules>",
    dangerous: false,
    steps: None,
    describe: |inputs| prepare(inputs).0,
    compute,
};

/// Reads the parameters. The subrules are sorted, those that are tried first before.
fn prepare<'a>(inputs: &Inputs<'a>) -> (Description, Option<(Vec<Subrule>, &'a Source)>) {
    let mut description = Description::default();
    let source = match source::only(inputs, &format!("<{}>", ktbs::HRULES)) {
        Ok(source) => source,
        Err(errors) => {
            description.errors = errors;
            return (description, None);
        }
    };
    let mut parameters = Parameters::new(inputs.parameters);
    parameters.required("model");
    description.model = source::model(inputs, &mut parameters);
    description.origin = source::origin(source, &mut parameters);
    let rules = parameters.required("rules");
    let subrules = match (&description.model, rules) {
        (Some(model), Some(text)) => {
            let vocabulary = Vocabulary::read(source.model.as_deref(), inputs.model);
            let parsed = rule::parse(text, model, &vocabulary, &mut parameters.warnings);
            parameters.legal("rules", text, parsed)
        }
        _ => None,
    };
    parameters.warn_unused(|_| false, &format!("<{}>", ktbs::HRULES));
    (description.errors, description.warnings) = (parameters.errors, parameters.warnings);
    let ready = subrules.filter(|_| description.errors.is_empty());
    (description, ready.map(|subrules| (subrules, source)))
}

fn compute(inputs: &Inputs<'_>, state: Option<&[u8]>, sink: &mut dyn Sink) -> Result<Computed, Stop> {
    let (subrules, source) = match prepare(inputs) {
        (_, Some(ready)) => ready,
        (description, None) => return Err(description.errors.into()),
    };
    let (news, computed) = selection::start(inputs, &subrules, state, sink)?;
    if let Some(bounds) = news.bounds() {
        let mut rules = Rules::new(inputs, source, &subrules, sink)?;
        selection::copy(inputs, source, &news, &bounds, &mut rules, sink)?;
    }
    Ok(computed)
}

/// The subrules, in terms of the dictionary of the store.
struct Rules<'a> {
    reading: &'a dyn Reading,
    source: &'a Source,
    subrules: Vec<Compiled<'a>>,
    names: Names<'a>,
    /// Whether an obsel may be related by what another says.
    has_mentions: bool,
    clock: Clock,
}

/// A subrule: the type that it gives, or `None` if its rule is not visible; the types of which an obsel must have one;
/// its constraints. What the dictionary has not, no obsel has.
struct Compiled<'a> {
    given: Option<Name>,
    types: Option<Rc<HashSet<Name>>>,
    constraints: Vec<(Option<Property>, Operator, &'a Literal<'static>)>,
}

impl<'a> Rules<'a> {
    fn new(
        inputs: &Inputs<'a>,
        source: &'a Source,
        subrules: &'a [Subrule],
        sink: &mut dyn Sink,
    ) -> Result<Self, Stop> {
        let reading = inputs.reading;
        let mut known: HashMap<&str, Option<Property>> = HashMap::new();
        let mut find = |iri: &'a str| -> Result<Option<Property>, Stop> {
            match known.get(iri) {
                Some(property) => Ok(*property),
                None => {
                    let property = Property::find(reading, iri)?;
                    known.insert(iri, property);
                    Ok(property)
                }
            }
        };
        // Subrules on the same type share what it stands for.
        let mut named: HashMap<*const BTreeSet<String>, Rc<HashSet<Name>>> = HashMap::new();
        let mut compiled = Vec::with_capacity(subrules.len());
        for subrule in subrules {
            let types = match &subrule.types {
                None => None,
                Some(types) => Some(match named.get(&Rc::as_ptr(types)) {
                    Some(names) => Rc::clone(names),
                    None => {
                        let mut names = HashSet::new();
                        for iri in types.iter() {
                            names.extend(reading.name_of(iri)?);
                        }
                        let names = Rc::new(names);
                        named.insert(Rc::as_ptr(types), Rc::clone(&names));
                        names
                    }
                }),
            };
            let mut constraints = Vec::with_capacity(subrule.constraints.len());
            for constraint in &subrule.constraints {
                constraints.push((find(&constraint.attribute)?, constraint.operator, &*constraint.constant));
            }
            let given = subrule.visible.then(|| sink.name(&subrule.id)).transpose()?;
            compiled.push(Compiled {
                given,
                types,
                constraints,
            });
        }
        Ok(Self {
            reading,
            source,
            subrules: compiled,
            names: Names::new(reading),
            has_mentions: reading.trace(source.trace)?.mentions > 0,
            clock: Clock::new(inputs),
        })
    }

    /// Returns the type that the rules give to an obsel, or `None` if they give none.
    fn given(&mut self, obsel: &Obsel<'_>) -> Result<Option<Name>, Stop> {
        let values = Values { rules: self, obsel };
        let mut ticks = 0;
        let mut found = None;
        for subrule in &self.subrules {
            ticks += 1 + subrule.constraints.len() / 8;
            if values.satisfy(subrule)? {
                found = subrule.given;
                break;
            }
        }
        for _ in 0..ticks / 8 {
            self.clock.tick()?;
        }
        Ok(found)
    }
}

impl Selection for Rules<'_> {
    fn select<'t>(&mut self, obsel: &Obsel<'t>) -> Result<Option<Vec<Value<'t>>>, Stop> {
        Ok(self.given(obsel)?.map(|name| vec![Value::Named(name)]))
    }

    fn contains(&mut self, id: &str) -> Result<bool, Stop> {
        match self.reading.obsel(self.source.trace, id)? {
            Some(obsel) => Ok(self.given(&obsel)?.is_some()),
            None => Ok(false),
        }
    }
}

/// What is said of an obsel.
struct Values<'r, 'a, 't> {
    rules: &'r Rules<'a>,
    obsel: &'r Obsel<'t>,
}

impl Values<'_, '_, '_> {
    fn satisfy(&self, subrule: &Compiled<'_>) -> Result<bool, Stop> {
        if let Some(types) = &subrule.types
            && !self
                .obsel
                .types
                .iter()
                .any(|value| matches!(value, Value::Named(name) if types.contains(name)))
        {
            return Ok(false);
        }
        for (attribute, operator, constant) in &subrule.constraints {
            let Some(attribute) = attribute else {
                return Ok(false);
            };
            if !self.any(*attribute, *operator, constant)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Tells whether some value of an attribute satisfies a constraint.
    fn any(&self, attribute: Property, operator: Operator, constant: &Literal<'_>) -> Result<bool, Stop> {
        let time = |time: i64| operator.holds(&time.to_string(), &Literal::integer(time), constant);
        let attribute = match attribute {
            Property::Begin => return Ok(time(self.obsel.begin)),
            Property::End => return Ok(time(self.obsel.end)),
            Property::Trace => return Ok(operator.holds_for_iri(&self.rules.source.iri, constant)),
            Property::Type => {
                for value in &self.obsel.types {
                    if self.holds(value, operator, constant)? {
                        return Ok(true);
                    }
                }
                return Ok(false);
            }
            Property::Arc(name) => name,
        };
        for arc in self.obsel.arcs.iter().filter(|arc| arc.predicate == attribute) {
            if self.holds(&arc.object, operator, constant)? {
                return Ok(true);
            }
        }
        if self.rules.has_mentions {
            let (reading, mut found) = (self.rules.reading, false);
            elsewhere::for_each_arc(reading, self.rules.source.trace, self.obsel.id, &mut |_, arc| {
                found = found || (arc.predicate == attribute && self.holds(&arc.object, operator, constant)?);
                Ok(())
            })?;
            return Ok(found);
        }
        Ok(false)
    }

    fn holds(&self, value: &Value<'_>, operator: Operator, constant: &Literal<'_>) -> Result<bool, Stop> {
        let names = &self.rules.names;
        let iri: Rc<str> = match *value {
            Value::Obsel(id) => format!("{}{id}", self.rules.source.iri).into(),
            Value::BelowRoot(path) => format!("{}{path}", self.rules.reading.root()).into(),
            Value::Named(name) => names.spell(name)?,
            Value::Iri(iri) => iri.into(),
            // A blank node is different from any constant, and has no text.
            Value::Blank(_) => return Ok(operator == Operator::Different),
            Value::String(lexical) => {
                return Ok(operator.holds(lexical, &Literal::String(lexical.into()), constant));
            }
            Value::Tagged(lexical, language) => {
                return Ok(operator.holds(lexical, &Literal::tagged(lexical, language), constant));
            }
            Value::Typed(lexical, datatype) => {
                let datatype = names.spell(datatype)?;
                return Ok(operator.holds(lexical, &Literal::typed(lexical, &datatype), constant));
            }
        };
        Ok(operator.holds_for_iri(&iri, constant))
    }
}
