//! Completes and checks the description of a new obsel (kTBS documentation, "obsel").

use sophia::api::term::SimpleTerm;

use super::check::{self, Property, Range};
use super::description::Description;
use super::unit;
use crate::error::Result;
use crate::rdf::{Graph, Term, TermId, as_literal};
use crate::store::{Entry, Reading};
use crate::time::{self, Instant, Unit};
use crate::vocab::{KTBS, ktbs, rdf, xsd};

/// What the store keeps of an obsel beside its triples, and cannot do without.
static TIMES: [Property; 4] = [
    Property::required(ktbs::HAS_BEGIN, Range::Datatype(xsd::INTEGER)),
    Property::required(ktbs::HAS_END, Range::Datatype(xsd::INTEGER)),
    Property::optional(ktbs::HAS_BEGIN_DT, Range::Datatype(xsd::DATE_TIME)),
    Property::optional(ktbs::HAS_END_DT, Range::Datatype(xsd::DATE_TIME)),
];

/// What a trace says of its obsels.
#[derive(Clone, Debug, PartialEq)]
pub struct Rules {
    /// The IRI of the trace.
    pub trace: String,
    /// Its origin, if it is a date.
    origin: Option<Instant>,
    unit: Unit,
    /// The subject of the obsels that have none.
    pub default_subject: Option<Term>,
    /// Whether what is missing is added; if not, it is a problem.
    completes: bool,
}

impl Rules {
    /// Reads what a trace says.
    ///
    /// # Errors
    /// Those of the store.
    pub fn of(reading: &dyn Reading, entry: &Entry, completes: bool) -> Result<Self> {
        let trace = format!("{}{}", reading.root(), entry.head.path);
        let origin = entry
            .graph
            .object_of(&trace, ktbs::HAS_ORIGIN)
            .and_then(as_literal)
            .and_then(time::parse_instant);
        let unit = unit::of_trace(reading, entry)?;
        let default_subject = entry
            .graph
            .object_of(&trace, ktbs::HAS_DEFAULT_SUBJECT)
            .filter(|_| completes)
            .cloned();
        Ok(Self {
            trace,
            origin,
            unit,
            default_subject,
            completes,
        })
    }

    fn offset(&self, date: Instant) -> Option<i64> {
        self.unit.offset(self.origin?, date)
    }
}

/// The terms of a graph that have a meaning for obsels.
#[derive(Debug)]
pub struct Terms {
    rdf_type: Option<TermId>,
    has_trace: Option<TermId>,
    has_begin: Option<TermId>,
    has_end: Option<TermId>,
    has_begin_dt: Option<TermId>,
    has_end_dt: Option<TermId>,
    has_subject: Option<TermId>,
    has_source_obsel: Option<TermId>,
    obsel: Option<TermId>,
    reserved: Vec<bool>,
}

impl Terms {
    /// Finds the terms in a graph.
    pub fn of(graph: &Graph) -> Self {
        let is_reserved = |term: &Term| matches!(term, SimpleTerm::Iri(iri) if iri.starts_with(KTBS));
        Self {
            rdf_type: graph.iri_id(rdf::TYPE),
            has_trace: graph.iri_id(ktbs::HAS_TRACE),
            has_begin: graph.iri_id(ktbs::HAS_BEGIN),
            has_end: graph.iri_id(ktbs::HAS_END),
            has_begin_dt: graph.iri_id(ktbs::HAS_BEGIN_DT),
            has_end_dt: graph.iri_id(ktbs::HAS_END_DT),
            has_subject: graph.iri_id(ktbs::HAS_SUBJECT),
            has_source_obsel: graph.iri_id(ktbs::HAS_SOURCE_OBSEL),
            obsel: graph.iri_id(ktbs::OBSEL),
            reserved: (0..graph.term_count())
                .map(|id| is_reserved(graph.term(id as TermId)))
                .collect(),
        }
    }

    /// Tells whether a predicate says what the store keeps apart from the arcs: type, trace, begin, end.
    pub fn is_kept_apart(&self, predicate: TermId) -> bool {
        let predicate = Some(predicate);
        predicate == self.rdf_type
            || predicate == self.has_trace
            || predicate == self.has_begin
            || predicate == self.has_end
    }

    /// Tells whether a predicate is `rdf:type`.
    pub fn is_type(&self, predicate: TermId) -> bool {
        Some(predicate) == self.rdf_type
    }

    fn is_reserved(&self, id: TermId) -> bool {
        self.reserved[id as usize]
    }
}

/// What a description says, or is completed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// Whether the obsel is numbered when it is added, since it counts in a sequence and says nothing else: begin and end
    /// are then to be ignored.
    pub is_numbered: bool,
    /// Begin, in units of the trace since its origin.
    pub begin: i64,
    /// End, not before the begin.
    pub end: i64,
    /// Whether the trace gives the subject.
    pub takes_default_subject: bool,
}

/// Where an obsel comes in its batch: by begin, then by end, as posted. One without a begin comes last, since it begins
/// now; one without an end ends as it begins.
pub fn rank(graph: &Graph, description: &Description, terms: &Terms) -> (i128, i128) {
    let value = |predicate| values(description, predicate).find_map(|o| as_literal(graph.term(o))?.parse().ok());
    let begin: i128 = value(terms.has_begin).unwrap_or(i128::MAX);
    (begin, value(terms.has_end).unwrap_or(begin))
}

/// Completes the begin and the end of a description, and checks all of it. `obsels` tells which nodes of the graph are
/// obsels of the same payload.
///
/// # Errors
/// The problems, in words.
pub fn complete(
    graph: &Graph,
    description: &Description,
    terms: &Terms,
    rules: &Rules,
    is_obsel: &dyn Fn(TermId) -> bool,
) -> Result<Times, Vec<String>> {
    let about = check::shown(graph.term(description.node));
    let mut problems = Vec::new();
    check_timestamps(graph, description, terms, &mut problems);
    check_types(graph, description, terms, rules, &about, &mut problems);
    check_reserved(graph, description, terms, is_obsel, &about, &mut problems);

    for (predicate, property) in [
        (terms.has_begin, &TIMES[0]),
        (terms.has_end, &TIMES[1]),
        (terms.has_begin_dt, &TIMES[2]),
        (terms.has_end_dt, &TIMES[3]),
    ] {
        check_values(graph, description, predicate, property, &about, &mut problems);
    }
    let subjects = values(description, terms.has_subject).count();
    if subjects > 1 {
        problems.push(check::too_many(ktbs::HAS_SUBJECT, &about, 1, subjects));
    }
    let traces = values(description, terms.has_trace).count();
    if traces > 1 {
        problems.push(check::too_many(ktbs::HAS_TRACE, &about, 1, traces));
    }
    if !problems.is_empty() {
        return Err(problems);
    }

    let begin = time_of(
        graph,
        description,
        terms.has_begin,
        terms.has_begin_dt,
        ktbs::HAS_BEGIN,
        rules,
        &about,
    )?;
    let end = time_of(
        graph,
        description,
        terms.has_end,
        terms.has_end_dt,
        ktbs::HAS_END,
        rules,
        &about,
    )?;
    let is_numbered = rules.completes && rules.unit == Unit::Sequence && begin.is_none() && end.is_none();
    let begin = match begin {
        Some(begin) => begin,
        None if is_numbered => 0,
        None if rules.completes => rules.offset(time::now()).ok_or_else(|| {
            vec![format!(
                "Property <{}> of {about} is required: the origin and the unit of the trace do not tell the present time",
                ktbs::HAS_BEGIN
            )]
        })?,
        None => return Err(vec![check::too_few(ktbs::HAS_BEGIN, &about, 1, 0)]),
    };
    let end = match end {
        Some(end) => end,
        None if rules.completes => begin,
        None => return Err(vec![check::too_few(ktbs::HAS_END, &about, 1, 0)]),
    };
    if end < begin {
        return Err(vec![format!("End timestamp is before begin timestamp [{begin},{end}]")]);
    }
    Ok(Times {
        is_numbered,
        begin,
        end,
        takes_default_subject: subjects == 0 && rules.default_subject.is_some(),
    })
}

fn values(description: &Description, predicate: Option<TermId>) -> impl Iterator<Item = TermId> {
    description
        .own
        .iter()
        .filter(move |triple| Some(triple[1]) == predicate)
        .map(|triple| triple[2])
}

/// Checks that the begin and the end, as posted, look like integers. An obsel without an end ends as it begins.
fn check_timestamps(graph: &Graph, description: &Description, terms: &Terms, problems: &mut Vec<String>) {
    let lexical = |predicate| values(description, predicate).find_map(|o| as_literal(graph.term(o)));
    let (begin, end) = (lexical(terms.has_begin), lexical(terms.has_end));
    if [begin, end].into_iter().flatten().all(check::is_integer) {
        return;
    }
    let shown = |value: Option<&str>, other: Option<&str>| check::cut(value.or(other).unwrap_or_default());
    problems.push(format!(
        "Can not convert timestamps to int: [{},{}]",
        shown(begin, None),
        shown(end, begin)
    ));
}

fn check_types(
    graph: &Graph,
    description: &Description,
    terms: &Terms,
    rules: &Rules,
    about: &str,
    problems: &mut Vec<String>,
) {
    let mut count = 0;
    for value in values(description, terms.rdf_type) {
        count += 1;
        let term = graph.term(value);
        if terms.is_reserved(value) && Some(value) != terms.obsel {
            problems.push(format!("Can not create type {} for {about}", check::shown(term)));
        } else if !matches!(term, SimpleTerm::Iri(_)) {
            problems.push(format!(
                "Property <{}> of {about} expects an IRI, got {}",
                rdf::TYPE,
                check::shown(term)
            ));
        }
    }
    if count == 0 && !rules.completes {
        problems.push(check::too_few(rdf::TYPE, about, 1, 0));
    }
}

/// Checks that nothing else is said in the `k:` namespace than what makes an obsel.
fn check_reserved(
    graph: &Graph,
    description: &Description,
    terms: &Terms,
    is_obsel: &dyn Fn(TermId) -> bool,
    about: &str,
    problems: &mut Vec<String>,
) {
    let allowed = [
        terms.has_trace,
        terms.has_begin,
        terms.has_end,
        terms.has_begin_dt,
        terms.has_end_dt,
        terms.has_subject,
        terms.has_source_obsel,
    ];
    for [_, p, _] in &description.own {
        if terms.is_reserved(*p) && !allowed.contains(&Some(*p)) {
            problems.push(format!(
                "Can not create out-property {} of {about}",
                check::shown(graph.term(*p))
            ));
        }
    }
    for [s, p, _] in &description.incoming {
        // What one obsel of the payload says of another is that obsel's own business.
        if terms.is_reserved(*p) && !is_obsel(*s) {
            problems.push(format!(
                "Can not create in-property {} to {about}",
                check::shown(graph.term(*p))
            ));
        }
    }
}

fn check_values(
    graph: &Graph,
    description: &Description,
    predicate: Option<TermId>,
    property: &Property,
    about: &str,
    problems: &mut Vec<String>,
) {
    let mut count = 0;
    for value in values(description, predicate) {
        count += 1;
        if let Some(problem) = check::mismatch(property.range, graph.term(value)) {
            problems.push(format!("Property <{}> of {about} {problem}", property.iri));
        }
    }
    if count > property.max {
        problems.push(check::too_many(property.iri, about, property.max, count));
    }
}

/// Returns a time of an obsel: what is given as a number or, with the completion of new obsels, as a date.
fn time_of(
    graph: &Graph,
    description: &Description,
    number: Option<TermId>,
    date: Option<TermId>,
    property: &str,
    rules: &Rules,
    about: &str,
) -> Result<Option<i64>, Vec<String>> {
    let lexical = |predicate| values(description, predicate).find_map(|o| as_literal(graph.term(o)));
    let given = match lexical(number) {
        None => None,
        Some(lexical) => Some(lexical.parse::<i64>().map_err(|_| {
            vec![format!(
                "Property <{property}> of {about} is out of range (64 bits): {}",
                check::quoted(lexical)
            )]
        })?),
    };
    let converted = match lexical(date).filter(|_| rules.completes).and_then(time::parse_instant) {
        Some(date) => rules.offset(date),
        None => None,
    };
    match (given, converted) {
        (Some(given), Some(converted)) if given != converted => Err(vec![format!(
            "{} ({given}, and {converted} from the date)",
            check::too_many(property, about, 1, 2)
        )]),
        _ => Ok(given.or(converted)),
    }
}
