//! Computed traces: those that a method makes from others (kTBS documentation, "computed trace").
//!
//! Model, origin and diagnosis follow from the method and the sources: `refresh` keeps them.

use std::collections::HashSet;

use crate::error::Result;
use crate::rdf::{as_iri, iri};
use crate::resource::check::{self, Property, Range};
use crate::resource::draft::Draft;
use crate::resource::path::below;
use crate::resource::{Row, Settings, intermediate, links, reserved, trace};
use crate::store::{Change, Entry, Head, Kind, Reading, Use};
use crate::vocab::ktbs;

use super::access::Needs;
use super::view::Shape;

pub(super) static ROW: Row = Row {
    folder: true,
    star: true,
    uses: &[Use::Source, Use::Method],
    complete,
    check,
    settle,
    unsettle: intermediate::remove_all,
    generate: trace::generate,
    check_deletable,
    ..Row::new(Kind::ComputedTrace, ktbs::COMPUTED_TRACE, Shape::Trace, Needs::USUAL)
};

static PROPERTIES: [Property; 2] = [
    Property::required(ktbs::HAS_METHOD, Range::Iri),
    Property::any_number(ktbs::HAS_SOURCE, Range::Iri),
];

static EDITABLE: [&str; 3] = [ktbs::HAS_METHOD, ktbs::HAS_SOURCE, ktbs::HAS_PARAMETER];

/// The properties that follow from the others.
static COMPUTED: [&str; 4] = [
    ktbs::HAS_MODEL,
    ktbs::HAS_ORIGIN,
    ktbs::HAS_DIAGNOSIS,
    ktbs::HAS_INTERMEDIATE_SOURCE,
];

/// Repeats what is computed where an edition leaves it out, since it is going to be computed again. To change it is
/// refused.
fn complete(draft: &mut Draft, _reading: &dyn Reading) -> Result<()> {
    let Some(before) = &draft.before else {
        return Ok(());
    };
    for property in COMPUTED {
        if draft.graph.object_of(&draft.iri, property).is_none() {
            for value in before.graph.objects_of(&draft.iri, property) {
                draft.graph.insert(&iri(&draft.iri), &iri(property), value);
            }
        }
    }
    Ok(())
}

fn check(draft: &Draft, reading: &dyn Reading, _settings: &Settings) -> Result<Vec<String>> {
    let mut problems = check::typed(draft, &PROPERTIES);
    problems.extend(reserved::check(draft, &EDITABLE));
    problems.extend(check::cardinality(draft, &PROPERTIES));
    problems.extend(check::parameters(draft));
    let is_new = |source: &str| {
        let before = draft.before.as_ref();
        !before.is_some_and(|before| before.graph.contains_iris(&draft.iri, ktbs::HAS_SOURCE, source))
    };
    let sources = draft.graph.objects_of(&draft.iri, ktbs::HAS_SOURCE).filter_map(as_iri);
    for source in sources.filter(|source| is_new(source)) {
        problems.extend(source_problem(draft, source, reading)?);
    }
    if let Some(before) = &draft.before {
        for owner in intermediate::owners(&before.graph, &draft.iri) {
            problems.push(format!("Can not edit an intermediate trace of {owner}; edit that one"));
        }
    }
    problems.extend(check::folder(draft));
    Ok(problems)
}

/// Checks a new source: a trace of the same base (or of a base in it) that does not depend on this trace.
fn source_problem(draft: &Draft, source: &str, reading: &dyn Reading) -> Result<Option<String>> {
    let base = draft.container.as_deref().unwrap_or_default();
    let head = match below(reading.root(), source).filter(|_| source.starts_with(base)) {
        Some(path) => reading.head(path)?,
        None => None,
    };
    if source == draft.iri || depends(reading, source, &draft.iri)? {
        return Ok(Some(format!("Source <{source}> would create a cycle")));
    }
    let is_trace = head.is_some_and(|head| head.trace.is_some());
    Ok((!is_trace).then(|| format!("Source <{source}> is not a trace from the same base")))
}

/// Tells whether a trace is computed from another, directly or not.
fn depends(reading: &dyn Reading, trace: &str, on: &str) -> Result<bool> {
    let mut seen = HashSet::new();
    let mut pending = vec![trace.to_owned()];
    while let Some(trace) = pending.pop() {
        if trace == on {
            return Ok(true);
        }
        let entry = match below(reading.root(), &trace) {
            Some(path) => reading.entry(path)?,
            None => None,
        };
        for source in entry
            .iter()
            .flat_map(|entry| entry.graph.objects_of(&trace, ktbs::HAS_SOURCE))
        {
            if let Some(source) = as_iri(source).filter(|source| seen.insert((*source).to_owned())) {
                pending.push(source.to_owned());
            }
        }
    }
    Ok(false)
}

/// Makes the collection of obsels of a new trace.
fn settle(_draft: &Draft, change: &mut Change<'_>, head: &mut Head) -> Result<()> {
    if head.trace.is_none() {
        head.trace = Some(change.create_trace()?);
    }
    Ok(())
}

/// Checks that neither the trace nor its intermediate traces are used by others.
fn check_deletable(entry: &Entry, iri: &str, reading: &dyn Reading) -> Result<Vec<String>> {
    let mut problems = links::users(&entry.graph, iri, &[ktbs::HAS_SOURCE, ktbs::HAS_INTERMEDIATE_SOURCE]);
    let steps: Vec<&str> = entry
        .graph
        .objects_of(iri, ktbs::HAS_INTERMEDIATE_SOURCE)
        .filter_map(as_iri)
        .collect();
    for step in &steps {
        let entry = match below(reading.root(), step) {
            Some(path) => reading.entry(path)?,
            None => None,
        };
        let Some(entry) = entry else { continue };
        let mut others = links::add_users(reading, entry)?.graph;
        others.retain(|s, _, _| as_iri(s).is_none_or(|user| !steps.contains(&user)));
        problems.extend(links::users(&others, step, &[ktbs::HAS_SOURCE]));
    }
    Ok(problems)
}
