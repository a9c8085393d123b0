//! `@stats`, the statistics of a trace: a reading of the counts that each write keeps.

use super::parameter::{Parameter, check_known};
use super::slice::{REFRESH, Refresh};
use super::view::{Content, Shape, View};
use super::{Parameters, Service, Target};
use crate::error::{Error, Result};
use crate::rdf::{self, Graph};
use crate::store::{Reading, Tally, TraceRecord};
use crate::vocab::{self, ktbs, stats};

/// The parameters of a GET on `@stats`.
pub(super) static PARAMETERS: [Parameter; 1] = [REFRESH];

/// Returns what a GET on `@stats` shows (kTBS documentation, "trace statistics").
///
/// # Errors
/// `BadParameters`, and those of the store.
pub(super) fn read(service: &Service, target: Target, parameters: &Parameters) -> Result<View> {
    refresh(parameters)?;
    let trace = target.trace_number()?;
    let iri = target.trace_iri();
    let record = target.snapshot.trace(trace)?;
    let subject = rdf::iri(&iri);
    let mut graph = Graph::new();
    let mut add = |property: &str, value: rdf::Term| graph.insert(&subject, &rdf::iri(property), &value);
    let collection = rdf::iri(&target.iri);
    add(ktbs::HAS_TRACE_STATISTICS, collection.clone());
    add(stats::OBSEL_COUNT, unsigned(record.obsels));
    if let Some(last) = target.snapshot.last_place(trace)? {
        add(stats::MIN_TIME, rdf::integer(record.min_begin));
        add(stats::MAX_TIME, rdf::integer(last.end));
        add(stats::DURATION, unsigned(last.end.abs_diff(record.min_begin)));
    }
    if service.settings.stats_subjects && record.subjects > 0 {
        add(stats::DISTINCT_SUBJECTS, unsigned(record.subjects));
    }
    if service.settings.stats_per_type {
        for (i, (name, count)) in target.snapshot.tallies(trace, Tally::Type)?.into_iter().enumerate() {
            let node = rdf::blank(format!("type{i}"));
            graph.insert(&subject, &rdf::iri(stats::OBSEL_COUNT_PER_TYPE), &node);
            graph.insert(
                &node,
                &rdf::iri(stats::HAS_OBSEL_TYPE),
                &rdf::iri(target.snapshot.iri_of(name)?),
            );
            graph.insert(&node, &rdf::iri(stats::NB), &unsigned(count));
        }
    }
    graph.insert(
        &collection,
        &rdf::iri(vocab::rdf::TYPE),
        &rdf::iri(ktbs::TRACE_STATISTICS),
    );
    let tags = vec![tag(&target, &record)?];
    let modified = match target.in_part {
        false => Some(record.modified.max(target.entry.head.modified)),
        true => None,
    };
    let model = target.model().map(str::to_owned);
    let content = Content::Graph(graph);
    Ok(View {
        iri: target.iri,
        shape: Shape::Stats,
        tags,
        modified,
        links: Vec::new(),
        model,
        content,
    })
}

/// Returns the tag of the statistics: they follow from the obsels, their JSON also from the model.
///
/// # Errors
/// Those of the store.
pub(super) fn tag(target: &Target, record: &TraceRecord) -> Result<String> {
    Ok(if target.in_part {
        format!("{}{}", record.tags.main, target.description_tag()?)
    } else {
        format!("{}{:x}", record.tags.main, target.entry.head.tag.count)
    })
}

fn unsigned(value: u64) -> rdf::Term {
    rdf::typed(value.to_string(), vocab::xsd::INTEGER)
}

/// Returns when to refresh, the only parameter of statistics.
///
/// # Errors
/// `BadParameters`.
pub(super) fn refresh(parameters: &Parameters) -> Result<Refresh> {
    check_known(&PARAMETERS, parameters)?;
    match parameters {
        [] => Ok(Refresh::Default),
        [(_, value)] => Refresh::parse(value),
        _ => Err(Error::BadParameters("Parameter 'refresh' is repeated".into())),
    }
}
