//! Stored traces: those that collectors feed (kTBS documentation, "stored trace").

use sophia::api::term::SimpleTerm;

use crate::error::Result;
use crate::rdf::{as_iri, as_literal, integer, iri, string, typed};
use crate::resource::check::{self, Property, Range};
use crate::resource::draft::Draft;
use crate::resource::{Row, Settings, mint, reserved, trace, unit};
use crate::store::{Change, Entry, Head, Kind, Reading};
use crate::time::{self, Unit};
use crate::vocab::{ktbs, xsd};

use super::access::{Needs, Rights};
use super::view::Shape;

pub(super) static ROW: Row = Row {
    allow: &["GET", "HEAD", "POST", "PUT", "DELETE"],
    folder: true,
    star: true,
    complete,
    check,
    settle,
    generate: trace::generate,
    check_deletable: trace::check_deletable,
    ..Row::new(
        Kind::StoredTrace,
        ktbs::STORED_TRACE,
        Shape::Trace,
        Needs {
            create: Rights::ADD,
            ..Needs::USUAL
        },
    )
};

static PROPERTIES: [Property; 9] = [
    Property::required(ktbs::HAS_MODEL, Range::Iri),
    Property::required(ktbs::HAS_ORIGIN, Range::Literal),
    Property::optional(ktbs::HAS_TRACE_BEGIN, Range::Datatype(xsd::INTEGER)),
    Property::optional(ktbs::HAS_TRACE_BEGIN_DT, Range::Datatype(xsd::DATE_TIME)),
    Property::optional(ktbs::HAS_TRACE_END, Range::Datatype(xsd::INTEGER)),
    Property::optional(ktbs::HAS_TRACE_END_DT, Range::Datatype(xsd::DATE_TIME)),
    Property::optional(ktbs::HAS_DEFAULT_SUBJECT, Range::Any),
    Property::optional(ktbs::HAS_PSEUDO_MON_RANGE, Range::Datatype(xsd::INTEGER)),
    Property::any_number(ktbs::HAS_CONTEXT, Range::Resource),
];

/// Completes the origin of a new trace, and the bounds that are given as dates.
fn complete(draft: &mut Draft, reading: &dyn Reading) -> Result<()> {
    if draft.before.is_none() {
        complete_origin(draft)?;
    }
    // The unit of a model that this server has never had is not known: dates stay dates.
    if let Some(unit) = unit(draft, reading)? {
        let unit = Unit::from_iri(Some(&unit));
        complete_bound(draft, unit, ktbs::HAS_TRACE_BEGIN_DT, ktbs::HAS_TRACE_BEGIN);
        complete_bound(draft, unit, ktbs::HAS_TRACE_END_DT, ktbs::HAS_TRACE_END);
    }
    Ok(())
}

/// Gives a random origin to a trace without one, and the present date to one whose origin is `now`.
///
/// The random origin begins with a letter, so that it is never taken for a year.
fn complete_origin(draft: &mut Draft) -> Result<()> {
    let (subject, property) = (iri(&draft.iri), iri(ktbs::HAS_ORIGIN));
    match draft.value(ktbs::HAS_ORIGIN).cloned() {
        None => {
            let origin = format!("o{}", mint::token(32)?);
            draft.graph.insert(&subject, &property, &string(origin));
        }
        Some(origin) if as_literal(&origin) == Some("now") => {
            let now = time::now().to_xsd();
            let dated = match &origin {
                SimpleTerm::LiteralDatatype(_, datatype) => typed(now, datatype.as_str()),
                _ => string(now),
            };
            draft.graph.remove(&subject, &property, &origin);
            draft.graph.insert(&subject, &property, &dated);
        }
        Some(_) => (),
    }
    Ok(())
}

/// Converts a date to a bound, where the origin is a date and the unit a duration. A bound that is there already is
/// kept beside it if it is another one, for the cardinality to tell.
fn complete_bound(draft: &mut Draft, unit: Unit, date: &str, bound: &str) {
    let instant = |property| draft.value(property).and_then(as_literal).and_then(time::parse_instant);
    let Some(offset) = instant(ktbs::HAS_ORIGIN)
        .zip(instant(date))
        .and_then(|(origin, date)| unit.offset(origin, date))
    else {
        return;
    };
    let is_same = |value| as_literal(value).and_then(|lexical| lexical.parse().ok()) == Some(offset);
    if !draft.graph.objects_of(&draft.iri, bound).any(is_same) {
        draft.graph.insert(&iri(&draft.iri), &iri(bound), &integer(offset));
    }
}

fn check(draft: &Draft, _reading: &dyn Reading, _settings: &Settings) -> Result<Vec<String>> {
    let mut problems = check::typed(draft, &PROPERTIES);
    problems.extend(reserved::check(draft, &PROPERTIES.map(|property| property.iri)));
    problems.extend(check::cardinality(draft, &PROPERTIES));
    problems.extend(range(draft));
    problems.extend(check::folder(draft));
    Ok(problems)
}

/// Checks that the pseudo-monotonicity range is a natural number that fits in 64 bits.
fn range(draft: &Draft) -> Vec<String> {
    let value = draft.value(ktbs::HAS_PSEUDO_MON_RANGE).and_then(as_literal);
    match value.filter(|lexical| check::is_integer(lexical)) {
        Some(lexical) if !lexical.parse().is_ok_and(|range: i64| range >= 0) => vec![format!(
            "Property <{}> of <{}> should be between 0 and {}; it is {}",
            ktbs::HAS_PSEUDO_MON_RANGE,
            draft.iri,
            i64::MAX,
            check::quoted(lexical)
        )],
        _ => Vec::new(),
    }
}

/// Makes the collection of obsels of a new trace, remembers the unit, and lets a greater range renew the tags of the
/// obsels (a smaller one changes no verdict that was already given).
fn settle(draft: &Draft, change: &mut Change<'_>, head: &mut Head) -> Result<()> {
    head.unit = unit(draft, change)?;
    match (head.trace, &draft.before) {
        (None, _) => head.trace = Some(change.create_trace()?),
        (Some(number), Some(before)) => {
            let former = trace::pseudo_monotonicity_range(&before.graph, &draft.iri);
            if trace::pseudo_monotonicity_range(&draft.graph, &draft.iri) > former {
                change.renew_tags(number)?;
            }
        }
        (Some(_), None) => (),
    }
    Ok(())
}

/// Returns the unit of the model if this server has it, else the one that was remembered for the same model.
fn unit(draft: &Draft, reading: &dyn Reading) -> Result<Option<String>> {
    let Some(model) = draft.value(ktbs::HAS_MODEL).and_then(as_iri) else {
        return Ok(None);
    };
    if let Some(unit) = unit::of_model(reading, model)? {
        return Ok(Some(unit));
    }
    let same = |before: &&Entry| before.graph.object_of(&draft.iri, ktbs::HAS_MODEL).and_then(as_iri) == Some(model);
    Ok(draft
        .before
        .as_ref()
        .filter(same)
        .and_then(|before| before.head.unit.clone()))
}
