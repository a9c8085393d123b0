//! Trace models: the unit of traces, and a free vocabulary of obsels (kTBS documentation, "trace model").

use crate::error::Result;
use crate::rdf::{as_iri, iri};
use crate::resource::check::{self, Property, Range};
use crate::resource::draft::Draft;
use crate::resource::{Row, Settings, reserved};
use crate::store::{Change, Head, Kind, Reading};
use crate::vocab::ktbs;

use super::access::Needs;
use super::view::Shape;

pub(super) static ROW: Row = Row {
    complete,
    check,
    settle,
    ..Row::new(Kind::TraceModel, ktbs::TRACE_MODEL, Shape::Model, Needs::USUAL)
};

static PROPERTIES: [Property; 2] = [
    Property::optional(ktbs::HAS_UNIT, Range::Iri),
    Property::any_number(ktbs::HAS_PARENT_MODEL, Range::Iri),
];

/// Adds the default unit to a new model. A model may lose its unit later, which then is the millisecond all the same.
fn complete(draft: &mut Draft, _reading: &dyn Reading) -> Result<()> {
    if draft.before.is_none() && draft.value(ktbs::HAS_UNIT).is_none() {
        draft
            .graph
            .insert(&iri(&draft.iri), &iri(ktbs::HAS_UNIT), &iri(ktbs::MILLISECOND));
    }
    Ok(())
}

fn check(draft: &Draft, _reading: &dyn Reading, _settings: &Settings) -> Result<Vec<String>> {
    let mut problems = check::typed(draft, &PROPERTIES);
    problems.extend(reserved::check(draft, &[ktbs::HAS_UNIT, ktbs::HAS_PARENT_MODEL]));
    problems.extend(check::cardinality(draft, &PROPERTIES));
    Ok(problems)
}

/// Keeps the unit beside the graph, so that a trace finds it without reading a whole vocabulary.
fn settle(draft: &Draft, _change: &mut Change<'_>, head: &mut Head) -> Result<()> {
    head.unit = draft.value(ktbs::HAS_UNIT).and_then(as_iri).map(str::to_owned);
    Ok(())
}
