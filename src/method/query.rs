//! What the methods that query have in common: limits, prefixes, the obsels of a source as a dataset.

use std::ops::{Bound, ControlFlow};
use std::time::{Duration, Instant};

use super::progress::Clock;
use super::{Inputs, Source, Stop, elsewhere};
use crate::error::Error;
use crate::rdf::iri;
use crate::sparql::{Builder, Dataset, Limits, Obsels, add_collection};
use crate::store::views::Speller;
use crate::store::{Bounds, Kind, Place, Reading};
use crate::vocab::{KTBS, ktbs};

/// Returns what a query may take: what is left to the computation.
pub(super) fn limits(inputs: &Inputs<'_>) -> Limits {
    let limits = inputs.limits.queries.clone();
    let left = inputs.limits.deadline.map_or(Duration::MAX, |deadline| {
        deadline.saturating_duration_since(Instant::now())
    });
    Limits {
        time: limits.time.min(left),
        ..limits
    }
}

/// Returns the prefixes that a query about a source may use without declaring them, besides the well-known ones: `ktbs`,
/// and `m` for the model of the source, unless no name could follow its IRI: there is a fragment in it already.
pub(super) fn prefixes(source: &Source) -> Vec<(&'static str, String)> {
    let mut prefixes = vec![("ktbs", KTBS.to_owned())];
    let has_fragment = |model: &&String| model.trim_end_matches('#').contains('#');
    if let Some(model) = source.model.as_ref().filter(|model| !has_fragment(model)) {
        let end = if model.ends_with(['#', '/']) { "" } else { "#" };
        prefixes.push(("m", format!("{model}{end}")));
    }
    prefixes
}

/// Returns the graph of `@obsels` of a source as a dataset, with the predicates that a query needs.
///
/// # Errors
/// Those of the store, and of the limits.
pub(super) fn obsels(inputs: &Inputs<'_>, source: &Source, predicates: Option<&[String]>) -> Result<Dataset, Stop> {
    let mut builder = Builder::keeping(predicates);
    add_collection(
        &mut builder,
        inputs.reading,
        source.trace,
        &source.iri,
        collection_type(inputs.reading, source)?,
    )?;
    Ok(builder.finish())
}

/// How many obsels are queried at a time where the rows about one do not depend on the others: enough for what it costs to
/// start a query to be nothing.
const PART: usize = 10_000;

/// Visits a dataset, given the ids of the obsels that it describes.
pub(super) type VisitPart<'f> = dyn FnMut(&Dataset, Vec<String>) -> Result<(), Stop> + 'f;

/// Calls a function with datasets of some obsels each, of a part of a source, and with the ids of these obsels. Each dataset
/// has all the triples whose subjects are its obsels, and nothing is said of the others.
///
/// # Errors
/// Those of the function and of the store; the deadline.
pub(super) fn for_each_part(
    inputs: &Inputs<'_>,
    source: &Source,
    bounds: &Bounds,
    predicates: Option<&[String]>,
    f: &mut VisitPart<'_>,
) -> Result<(), Stop> {
    let reading = inputs.reading;
    let has_mentions = reading.trace(source.trace)?.mentions > 0;
    let mut bounds = bounds.clone();
    let mut clock = Clock::new(inputs);
    loop {
        let mut builder = Builder::keeping(predicates);
        let mut obsels = Obsels::new(&mut builder, reading, &source.iri);
        let mut ids: Vec<String> = Vec::new();
        let mut last = None;
        reading.for_each_obsel(source.trace, &bounds, &mut |obsel| {
            obsels.add(obsel)?;
            ids.push(obsel.id.to_owned());
            if ids.len() < PART {
                return Ok(ControlFlow::Continue(()));
            }
            last = Some((obsel.end, obsel.begin));
            Ok(ControlFlow::Break(()))
        })?;
        for id in &ids {
            clock.tick()?;
            if has_mentions {
                add_mentions(&mut builder, reading, source, id)?;
            }
        }
        let next = last.zip(ids.last()).map(|((end, begin), id)| Place {
            end,
            begin,
            id: id.clone(),
        });
        if !ids.is_empty() {
            f(&builder.finish(), ids)?;
        }
        match next {
            Some(place) => bounds.lower = Bound::Excluded(place),
            None => return Ok(()),
        }
    }
}

/// Adds the triples about an obsel that stand in the records of others.
pub(super) fn add_mentions(
    builder: &mut Builder,
    reading: &dyn Reading,
    source: &Source,
    id: &str,
) -> Result<(), Stop> {
    let speller = Speller::new(reading, &source.iri);
    elsewhere::for_each_arc(reading, source.trace, id, &mut |other, arc| {
        builder.add_triple(
            &iri(format!("{}{id}", source.iri)),
            &speller.name(arc.predicate)?,
            &speller.term(other.id, &arc.object)?,
        );
        Ok(())
    })
}

/// Returns the type of the collection of obsels of a trace.
pub(super) fn collection_type(reading: &dyn Reading, source: &Source) -> Result<&'static str, Stop> {
    let path = source.iri.strip_prefix(reading.root()).unwrap_or(&source.iri);
    let head = reading.head(path)?;
    Ok(match head.map(|head| head.kind) {
        Some(Kind::ComputedTrace) => ktbs::COMPUTED_TRACE_OBSELS,
        _ => ktbs::STORED_TRACE_OBSELS,
    })
}

/// Returns the sentence of an error of a query, for a diagnosis.
pub(super) fn reason(error: &Error) -> String {
    match error {
        Error::Parse(text) => text.clone(),
        other => other.to_string(),
    }
}
