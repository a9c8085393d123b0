//! Filter: the obsels of a trace that satisfy conditions on time, type, and what is said of them (kTBS documentation,
//! "filter").

use std::collections::{BTreeSet, HashSet};
use std::ops::Bound;

use super::model::Vocabulary;
use super::params::{Parameters, integer};
use super::progress::first_place;
use super::selection::{self, Selection};
use super::{Computed, Description, Inputs, Method, Sink, Source, Stop, source};
use crate::obsel::{Name, Obsel, Value};
use crate::rdf::as_literal;
use crate::store::{Bounds, Place, Reading};
use crate::time::{Unit, parse_instant};
use crate::vocab::ktbs;

pub(super) static METHOD: Method = Method {
    iri: ktbs::FILTER,
    description_title: "compute_trace_description for <http://liris.cnrs.fr/silex/2009/ktbs#filter>",
    obsels_title: "compute_obsels for <http://liris.cnrs.fr/silex/2009/ktbs#filter>",
    dangerous: false,
    steps: None,
    describe: |inputs| prepare(inputs).0,
    compute,
};

/// The conditions. An obsel must satisfy them all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Filter {
    /// Least begin.
    after: Option<i64>,
    /// Greatest end.
    before: Option<i64>,
    /// The IRIs of the types of which an obsel must have one.
    types: Option<BTreeSet<String>>,
}

impl Filter {
    fn accepts_times(&self, begin: i64, end: i64) -> bool {
        self.after.is_none_or(|after| after <= begin) && self.before.is_none_or(|before| end <= before)
    }

    /// Narrows what is to be read: an obsel that ends before the lower bound begins before it.
    fn narrowed(&self, bounds: Bounds) -> Bounds {
        let lower = match self.after.map(first_place) {
            Some(place) if is_below(&bounds.lower, &place) => Bound::Included(place),
            _ => bounds.lower,
        };
        let upper = match self.before.and_then(|before| before.checked_add(1)) {
            Some(end) => Bound::Excluded(first_place(end)),
            None => bounds.upper,
        };
        Bounds { lower, upper }
    }
}

/// Tells whether a lower bound is below a place.
fn is_below(lower: &Bound<Place>, place: &Place) -> bool {
    match lower {
        Bound::Included(lower) | Bound::Excluded(lower) => lower < place,
        Bound::Unbounded => true,
    }
}

/// Reads the parameters.
fn prepare<'a>(inputs: &Inputs<'a>) -> (Description, Option<(Filter, &'a Source)>) {
    let mut description = Description::default();
    let source = match source::only(inputs, &format!("<{}>", ktbs::FILTER)) {
        Ok(source) => source,
        Err(errors) => {
            description.errors = errors;
            return (description, None);
        }
    };
    let mut parameters = Parameters::new(inputs.parameters);
    source::describe(inputs, source, &mut parameters, &mut description);
    let mut clock = SourceTime::new(source);
    let filter = Filter {
        after: bound(&mut parameters, "after", "afterDT", &mut clock),
        before: bound(&mut parameters, "before", "beforeDT", &mut clock),
        types: parameters.text("otypes").and_then(|text| types(inputs, source, text)),
    };
    parameters.errors.extend(clock.problems());
    parameters.warn_unused(|_| false, &format!("<{}>", ktbs::FILTER));
    (description.errors, description.warnings) = (parameters.errors, parameters.warnings);
    let ready = description.errors.is_empty();
    (description, ready.then_some((filter, source)))
}

/// Returns the types that satisfy `otypes`, subtypes included; `None` if it names none.
fn types(inputs: &Inputs<'_>, source: &Source, text: &str) -> Option<BTreeSet<String>> {
    let mut given = text.split_ascii_whitespace().peekable();
    given.peek()?;
    let vocabulary = Vocabulary::read(source.model.as_deref(), inputs.model);
    Some(vocabulary.with_subtypes(given))
}

/// Returns a bound, which is given as an integer or as a date.
fn bound(
    parameters: &mut Parameters<'_>,
    integer_name: &'static str,
    date_name: &'static str,
    clock: &mut SourceTime<'_>,
) -> Option<i64> {
    let date = parameters.text(date_name);
    if parameters.text(integer_name).is_some() {
        if date.is_some() {
            parameters.warnings.push(format!(
                "'{integer_name}' and '{date_name}' are both specified; the latter will be ignored"
            ));
        }
        return parameters.parsed(integer_name, integer);
    }
    let date = date?;
    clock.used = true;
    let instant = parse_instant(date.trim()).ok_or("a date is expected");
    let instant = parameters.legal(date_name, date, instant)?;
    clock.unit.offset(clock.origin?, instant)
}

/// How dates become timestamps of the source.
struct SourceTime<'a> {
    origin: Option<crate::time::Instant>,
    unit: Unit,
    unit_iri: &'a str,
    used: bool,
}

impl<'a> SourceTime<'a> {
    fn new(source: &'a Source) -> Self {
        let unit_iri = source.unit.as_deref().unwrap_or(ktbs::MILLISECOND);
        Self {
            origin: source.origin.as_ref().and_then(as_literal).and_then(parse_instant),
            unit: Unit::from_iri(Some(unit_iri)),
            unit_iri,
            used: false,
        }
    }

    /// Returns what prevents the conversion of the dates that were given.
    fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.used && self.origin.is_none() {
            problems.push("'beforeDT' and/or 'afterDT' used, but trace origin is not a valid dateTime".to_owned());
        }
        if self.used && !self.unit.is_convertible() {
            problems.push(format!(
                "'beforeDT' and/or 'afterDT' used, but no converter is available for unit <{}>",
                self.unit_iri
            ));
        }
        problems
    }
}

/// Tells which obsels of the source are in the result.
struct Members<'a> {
    filter: &'a Filter,
    source: &'a Source,
    reading: &'a dyn Reading,
    /// The types of the filter that the dictionary has.
    types: Option<HashSet<Name>>,
}

impl Members<'_> {
    fn has_type(&self, types: &[Value<'_>]) -> bool {
        let named = |wanted: &HashSet<Name>| {
            (types.iter()).any(|value| matches!(value, Value::Named(name) if wanted.contains(name)))
        };
        self.types.as_ref().is_none_or(named)
    }
}

impl Selection for Members<'_> {
    fn select<'t>(&mut self, obsel: &Obsel<'t>) -> Result<Option<Vec<Value<'t>>>, Stop> {
        let accepted = self.filter.accepts_times(obsel.begin, obsel.end) && self.has_type(&obsel.types);
        Ok(accepted.then(|| obsel.types.clone()))
    }

    fn contains(&mut self, id: &str) -> Result<bool, Stop> {
        if self.types.is_none() {
            let place = self.reading.place(self.source.trace, id)?;
            return Ok(place.is_some_and(|place| self.filter.accepts_times(place.begin, place.end)));
        }
        match self.reading.obsel(self.source.trace, id)? {
            Some(obsel) => Ok(self.select(&obsel)?.is_some()),
            None => Ok(false),
        }
    }
}

fn compute(inputs: &Inputs<'_>, state: Option<&[u8]>, sink: &mut dyn Sink) -> Result<Computed, Stop> {
    let (filter, source) = match prepare(inputs) {
        (_, Some(ready)) => ready,
        (description, None) => return Err(description.errors.into()),
    };
    let (bounds, computed) = selection::start(inputs, &filter, state, sink)?;
    if let Some(bounds) = bounds {
        let types = filter
            .types
            .as_ref()
            .map(|types| names(inputs.reading, types))
            .transpose()?;
        let mut members = Members {
            filter: &filter,
            source,
            reading: inputs.reading,
            types,
        };
        selection::copy(inputs, source, &filter.narrowed(bounds), &mut members, sink)?;
    }
    Ok(computed)
}

/// Returns the names of IRIs, those that the dictionary has.
fn names(reading: &dyn Reading, iris: &BTreeSet<String>) -> Result<HashSet<Name>, Stop> {
    let mut names = HashSet::new();
    for iri in iris {
        names.extend(reading.name_of(iri)?);
    }
    Ok(names)
}
