//! Filter: the obsels of a trace that satisfy conditions on time, type, and what is said of them (kTBS documentation,
//! "filter").

use std::collections::{BTreeSet, HashSet};
use std::ops::Bound;

use super::model::Vocabulary;
use super::params::{Parameters, integer};
use super::progress::{News, first_place};
use super::selection::{self, Selection};
use super::{Computed, Description, Inputs, Method, Sink, Source, Stop, query, source};
use crate::obsel::{Name, Obsel, Value};
use crate::rdf::{Term, as_iri, as_literal};
use crate::sparql::{Context, Query};
use crate::store::{Bounds, Place, Reading, TraceNumber};
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
    /// The text of a group of SPARQL that must have a solution for the obsel.
    bgp: Option<String>,
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
        bgp: parameters
            .text("bgp")
            .filter(|text| !text.trim().is_empty())
            .map(str::to_owned),
    };
    if let Some(bgp) = &filter.bgp {
        let query = pattern_query(inputs, source, bgp).map_err(|error| query::reason(&error));
        parameters.legal("bgp", bgp, query);
    }
    parameters.errors.extend(clock.problems());
    parameters.warn_unused(|_| false, &format!("<{}>", ktbs::FILTER));
    (description.errors, description.warnings) = (parameters.errors, parameters.warnings);
    let ready = description.errors.is_empty();
    (description, ready.then_some((filter, source)))
}

/// Returns the query that gives the obsels for which a group of SPARQL has a solution. `?obs`, `?b` and `?e` are the obsel,
/// its begin and its end.
fn pattern_query(inputs: &Inputs<'_>, source: &Source, bgp: &str) -> crate::error::Result<Query> {
    let text = format!(
        "SELECT DISTINCT ?obs {{ ?obs <{}> <{}> ; <{}> ?b ; <{}> ?e .\n{bgp}\n}}",
        ktbs::HAS_TRACE,
        source.iri,
        ktbs::HAS_BEGIN,
        ktbs::HAS_END
    );
    let prefixes = query::prefixes(source);
    let prefixes: Vec<(&str, &str)> = prefixes.iter().map(|(prefix, iri)| (*prefix, iri.as_str())).collect();
    Query::parse(
        &text,
        Context {
            base: Some(&source.iri),
            prefixes: &prefixes,
        },
        &query::limits(inputs),
    )
}

/// The obsels of a source for which a group of SPARQL has a solution.
struct Matching<'a> {
    ids: HashSet<String>,
    /// The obsels that end before this were not asked about; those that match are in this trace, the target.
    before: Option<(i64, TraceNumber)>,
    reading: &'a dyn Reading,
    source: TraceNumber,
}

impl<'a> Matching<'a> {
    /// Asks about the obsels of a part of a source if the pattern looks at them one by one, else about all.
    fn find(inputs: &Inputs<'a>, source: &Source, query: &Query, news: &News, bounds: &Bounds) -> Result<Self, Stop> {
        let mut ids = HashSet::new();
        let mut add = |row: Vec<Option<Term>>| {
            let iri = row.first().and_then(Option::as_ref).and_then(as_iri);
            ids.extend(
                iri.and_then(|iri| iri.strip_prefix(source.iri.as_str()))
                    .map(str::to_owned),
            );
            Ok(())
        };
        if is_local(query) {
            query::for_each_part(inputs, source, bounds, query.predicates(), &mut |dataset, _| {
                Ok(query.select(dataset, &mut add)?)
            })?;
        } else {
            query.select(&query::obsels(inputs, source, query.predicates())?, &mut add)?;
        }
        let before = match news {
            News::Since(end) => inputs.target.trace.map(|target| (*end, target)),
            News::Nothing | News::After(_) | News::Everything => None,
        };
        Ok(Self {
            ids,
            before,
            reading: inputs.reading,
            source: source.trace,
        })
    }

    fn contains(&self, id: &str) -> Result<bool, Stop> {
        if self.ids.contains(id) {
            return Ok(true);
        }
        let Some((end, target)) = self.before else {
            return Ok(false);
        };
        let place = self.reading.place(self.source, id)?;
        Ok(place.is_some_and(|place| place.end < end) && self.reading.has_obsel(target, id)?)
    }
}

/// Tells whether what the pattern of a filter says of an obsel does not depend on the others.
fn is_local(query: &Query) -> bool {
    query.is_about("obs")
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
    /// The obsels that satisfy the pattern of the filter.
    matching: Option<Matching<'a>>,
}

impl Members<'_> {
    fn matches(&self, id: &str) -> Result<bool, Stop> {
        self.matching
            .as_ref()
            .map_or(Ok(true), |matching| matching.contains(id))
    }

    fn has_type(&self, types: &[Value<'_>]) -> bool {
        let named = |wanted: &HashSet<Name>| {
            (types.iter()).any(|value| matches!(value, Value::Named(name) if wanted.contains(name)))
        };
        self.types.as_ref().is_none_or(named)
    }
}

impl Selection for Members<'_> {
    fn select<'t>(&mut self, obsel: &Obsel<'t>) -> Result<Option<Vec<Value<'t>>>, Stop> {
        let accepted = self.filter.accepts_times(obsel.begin, obsel.end)
            && self.has_type(&obsel.types)
            && self.matches(obsel.id)?;
        Ok(accepted.then(|| obsel.types.clone()))
    }

    fn contains(&mut self, id: &str) -> Result<bool, Stop> {
        if self.types.is_none() {
            let place = self.reading.place(self.source.trace, id)?;
            let is_within = place.is_some_and(|place| self.filter.accepts_times(place.begin, place.end));
            return Ok(is_within && self.matches(id)?);
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
    let pattern = match &filter.bgp {
        Some(bgp) => Some(pattern_query(inputs, source, bgp)?),
        None => None,
    };
    // Where what a pattern says of an obsel may depend on any other, nothing can be kept.
    let state = state.filter(|_| pattern.as_ref().is_none_or(is_local));
    // The prefix `m:` of a pattern is the model.
    let (news, computed) = selection::start(inputs, &(&filter, &source.model), state, sink)?;
    if let Some(bounds) = news.bounds() {
        let bounds = filter.narrowed(bounds);
        let types = (filter.types.as_ref())
            .map(|types| names(inputs.reading, types))
            .transpose()?;
        let matching = (pattern.as_ref())
            .map(|query| Matching::find(inputs, source, query, &news, &bounds))
            .transpose()?;
        let mut members = Members {
            filter: &filter,
            source,
            reading: inputs.reading,
            types,
            matching,
        };
        selection::copy(inputs, source, &news, &bounds, &mut members, sink)?;
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
