//! Checks that kinds of resources share: typed properties, cardinality, parameters. See also `reserved`.
//!
//! Each returns problems in words, of which the client sees all those of one stage.

use std::fmt::Write;

use indexmap::IndexSet;
use sophia::api::term::SimpleTerm;

use crate::error::{Diagnosis, Error, Result};
use crate::rdf::{Term, as_literal, is_blank};
use crate::resource::draft::Draft;
use crate::time;
use crate::vocab::{ktbs, rdf, xsd};

/// Longest literal that a message repeats, in characters.
const SHOWN_CHARS: usize = 100;
/// Most problems that a diagnosis lists.
const SHOWN_PROBLEMS: usize = 50;

/// What the values of a property may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range {
    /// IRIs.
    Iri,
    /// IRIs and blank nodes.
    Resource,
    /// Literals of any datatype.
    Literal,
    /// Literals of this datatype, exactly: an `xsd:int` is no `xsd:integer`.
    Datatype(&'static str),
    /// Any node.
    Any,
}

/// What is expected of a property in the `k:` namespace.
#[derive(Clone, Copy, Debug)]
pub struct Property {
    /// Its IRI.
    pub iri: &'static str,
    /// What its values may be.
    pub range: Range,
    /// Fewest values.
    pub min: usize,
    /// Most values.
    pub max: usize,
}

impl Property {
    /// Returns a property with any number of values.
    pub const fn any_number(iri: &'static str, range: Range) -> Self {
        Self {
            iri,
            range,
            min: 0,
            max: usize::MAX,
        }
    }
    /// Returns a property with at most one value.
    pub const fn optional(iri: &'static str, range: Range) -> Self {
        Self {
            iri,
            range,
            min: 0,
            max: 1,
        }
    }
    /// Returns a property with exactly one value.
    pub const fn required(iri: &'static str, range: Range) -> Self {
        Self {
            iri,
            range,
            min: 1,
            max: 1,
        }
    }
}

/// Turns problems into a refusal of the data, if there are any.
///
/// # Errors
/// `InvalidData`, with all the problems but for those beyond the fiftieth, which are counted.
pub fn refuse(title: &'static str, problems: Vec<String>) -> Result<()> {
    Diagnosis::check(title, bounded(problems)).map_err(Error::InvalidData)
}

/// Turns problems into a conflict with the state of the store, if there are any.
///
/// # Errors
/// `Conflict`, as for [`refuse`].
pub fn conflict(title: &'static str, problems: Vec<String>) -> Result<()> {
    Diagnosis::check(title, bounded(problems)).map_err(Error::Conflict)
}

fn bounded(mut problems: Vec<String>) -> Vec<String> {
    if problems.len() > SHOWN_PROBLEMS {
        let others = problems.len() - SHOWN_PROBLEMS;
        problems.truncate(SHOWN_PROBLEMS);
        problems.push(format!("... and {others} more"));
    }
    problems
}

/// Returns a term as messages show it: `<iri>`, `_:label`, or the lexical form between quotes, on one line.
pub fn shown(term: &Term) -> String {
    match term {
        SimpleTerm::Iri(iri) => format!("<{}>", iri.as_str()),
        SimpleTerm::BlankNode(label) => format!("_:{}", label.as_str()),
        _ => quoted(as_literal(term).unwrap_or("...")),
    }
}

/// Returns a text between quotes, on one line, cut if it is long.
pub fn quoted(text: &str) -> String {
    format!("\"{}\"", cut(text))
}

/// Returns a text on one line, cut if it is long.
pub fn cut(text: &str) -> String {
    let mut line = String::new();
    for (i, c) in text.chars().enumerate() {
        if i == SHOWN_CHARS {
            line.push_str("...");
            break;
        }
        if c.is_control() {
            let _ = write!(line, "{}", c.escape_default());
        } else {
            line.push(c);
        }
    }
    line
}

/// Returns names on one line, each cut if it is long, and not more of them than a client reads.
pub fn listed(names: &[&str]) -> String {
    let mut shown: Vec<String> = names.iter().take(SHOWN_PROBLEMS).map(|name| cut(name)).collect();
    if names.len() > SHOWN_PROBLEMS {
        shown.push(format!("... and {} more", names.len() - SHOWN_PROBLEMS));
    }
    shown.join(", ")
}

/// Checks that the values of properties are what they should.
pub fn typed(draft: &Draft, properties: &[Property]) -> Vec<String> {
    let mut problems = Vec::new();
    for property in properties {
        for value in draft.graph.objects_of(&draft.iri, property.iri) {
            if let Some(problem) = mismatch(property.range, value) {
                problems.push(format!("Property <{}> of <{}> {problem}", property.iri, draft.iri));
            }
        }
    }
    problems
}

/// Says in what a value is not in a range, if it is not.
pub fn mismatch(range: Range, value: &Term) -> Option<String> {
    let literal = as_literal(value);
    match range {
        Range::Any => None,
        Range::Iri if is_blank(value) => Some("expects an IRI, got a blank node".to_owned()),
        Range::Iri | Range::Resource => literal.map(|_| format!("expects resources, got literal {}", shown(value))),
        Range::Literal if literal.is_none() => Some(format!("expects literal, got {}", shown(value))),
        Range::Literal => None,
        Range::Datatype(expected) => {
            let Some(lexical) = literal else {
                return Some(format!("expects literal, got {}", shown(value)));
            };
            let datatype = match value {
                SimpleTerm::LiteralDatatype(_, datatype) => datatype.as_str(),
                _ => rdf::LANG_STRING,
            };
            if datatype != expected {
                return Some(format!("expects datatype <{expected}>, got <{datatype}>"));
            }
            let valid = match expected {
                xsd::INTEGER => is_integer(lexical),
                xsd::DATE_TIME => time::parse_instant(lexical).is_some(),
                _ => true,
            };
            (!valid).then(|| format!("expects datatype <{expected}>, got {}, which is none", quoted(lexical)))
        }
    }
}

/// Tells whether a text is an `xsd:integer` (XML Schema Datatypes, section 3.4.13).
pub fn is_integer(lexical: &str) -> bool {
    let digits = lexical.strip_prefix(['+', '-']).unwrap_or(lexical);
    !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
}

/// Checks that properties have as many values as they should.
pub fn cardinality(draft: &Draft, properties: &[Property]) -> Vec<String> {
    let mut problems = Vec::new();
    let about = format!("<{}>", draft.iri);
    for property in properties {
        let count = draft.graph.objects_of(&draft.iri, property.iri).count();
        if count < property.min {
            problems.push(too_few(property.iri, &about, property.min, count));
        }
        if count > property.max {
            problems.push(too_many(property.iri, &about, property.max, count));
        }
    }
    problems
}

/// Says that a property of a node (as [`shown`]) has fewer values than it should.
pub fn too_few(property: &str, about: &str, min: usize, count: usize) -> String {
    format!("Property <{property}> of {about} should have at least {min} objects; it only has {count}")
}

/// Says that a property of a node (as [`shown`]) has more values than it should.
pub fn too_many(property: &str, about: &str, max: usize, count: usize) -> String {
    format!("Property <{property}> of {about} should have at most {max} objects; it has {count}")
}

/// Checks that the IRI of a container ends with `/`.
pub fn folder(draft: &Draft) -> Vec<String> {
    if draft.row.folder && !draft.iri.ends_with('/') {
        vec!["URI must end with '/'".to_owned()]
    } else {
        Vec::new()
    }
}

/// Checks the parameters of a method or of a computed trace: literals of the form `name=value`, one for each name.
pub fn parameters(draft: &Draft) -> Vec<String> {
    let mut problems = Vec::new();
    let mut names = IndexSet::new();
    let mut repeated = IndexSet::new();
    for value in draft.graph.objects_of(&draft.iri, ktbs::HAS_PARAMETER) {
        let Some(lexical) = as_literal(value) else {
            problems.push(format!("Parameters should be literals; got {}", shown(value)));
            continue;
        };
        match lexical.split_once('=') {
            Some((name, _)) if !name.is_empty() => {
                if !names.insert(name) {
                    repeated.insert(name);
                }
            }
            _ => problems.push(format!("Parameter is ill-formatted: {}", quoted(lexical))),
        }
    }
    let shown_name = |name: &str| quoted(name).trim_matches('"').to_owned();
    problems.extend(
        repeated
            .into_iter()
            .map(|name| format!("Parameter {} specified more than once", shown_name(name))),
    );
    problems
}

#[cfg(test)]
mod test {
    use super::*;
    use crate::resource::draft::test::draft;
    use crate::store::Kind;

    #[test]
    fn quoted_is_one_short_line() {
        assert_eq!(quoted("a\n\u{0}b"), "\"a\\n\\u{0}b\"");
        assert_eq!(quoted(&"é".repeat(1000)).chars().count(), SHOWN_CHARS + 5);
    }

    #[test]
    fn a_list_of_names_is_one_short_line() {
        assert_eq!(listed(&["foo", "z"]), "foo, z");
        assert_eq!(listed(&["\0", "a\nb"]), "\\u{0}, a\\nb");
        assert!(listed(&["é"; 1000]).ends_with("é, ... and 950 more"));
    }

    #[test]
    fn a_diagnosis_is_bounded() {
        let problems = vec!["no".to_owned(); 1000];
        let Err(Error::InvalidData(diagnosis)) = refuse("check_new_graph", problems) else {
            panic!("problems are refused");
        };
        assert_eq!(diagnosis.problems.len(), SHOWN_PROBLEMS + 1);
        assert_eq!(diagnosis.problems.last().map(String::as_str), Some("... and 950 more"));
    }

    #[test]
    fn integers_are_those_of_xml_schema() {
        for lexical in ["0", "+5", "-007", "123456789012345678901234567890"] {
            assert!(is_integer(lexical), "{lexical}");
        }
        for lexical in ["", "+", "1.0", " 1", "1e3", "١"] {
            assert!(!is_integer(lexical), "{lexical}");
        }
    }

    #[test]
    fn typed_tells_what_the_value_should_be() {
        for (range, value, expected) in [
            (Range::Iri, "<x>", ""),
            (Range::Iri, "[]", "expects an IRI, got a blank node"),
            (Range::Iri, "'v'", "expects resources, got literal \"v\""),
            (Range::Resource, "[]", ""),
            (Range::Resource, "1", "expects resources, got literal \"1\""),
            (Range::Any, "'v'@en", ""),
            (Range::Literal, "'v'@en", ""),
            (Range::Literal, "<x>", "expects literal, got <http://h/b/x>"),
            (Range::Datatype(xsd::INTEGER), "1", ""),
            (
                Range::Datatype(xsd::INTEGER),
                "<x>",
                "expects literal, got <http://h/b/x>",
            ),
            (
                Range::Datatype(xsd::INTEGER),
                "'1'^^xsd:int",
                "expects datatype <http://www.w3.org/2001/XMLSchema#integer>, \
                 got <http://www.w3.org/2001/XMLSchema#int>",
            ),
            (
                Range::Datatype(xsd::INTEGER),
                "'1'",
                "expects datatype <http://www.w3.org/2001/XMLSchema#integer>, \
                 got <http://www.w3.org/2001/XMLSchema#string>",
            ),
            (
                Range::Datatype(xsd::INTEGER),
                "'abc'^^xsd:integer",
                "expects datatype <http://www.w3.org/2001/XMLSchema#integer>, got \"abc\", which is none",
            ),
            (
                Range::Datatype(xsd::DATE_TIME),
                "'2020-01-01T00:00:00Z'^^xsd:dateTime",
                "",
            ),
            (
                Range::Datatype(xsd::DATE_TIME),
                "'2020-13-01T00:00:00Z'^^xsd:dateTime",
                "expects datatype <http://www.w3.org/2001/XMLSchema#dateTime>, \
                 got \"2020-13-01T00:00:00Z\", which is none",
            ),
        ] {
            let draft = draft(Kind::TraceModel, &format!("<r> k:hasUnit {value}."), None);
            let expected = if expected.is_empty() {
                Vec::new()
            } else {
                vec![format!("Property <{}> of <http://h/b/r> {expected}", ktbs::HAS_UNIT)]
            };
            assert_eq!(
                typed(&draft, &[Property::optional(ktbs::HAS_UNIT, range)]),
                expected,
                "{value}"
            );
        }
    }

    #[test]
    fn cardinality_counts_values() {
        let about = format!("Property <{}> of <http://h/b/r> should have", ktbs::HAS_UNIT);
        for (turtle, property, expected) in [
            (
                "<r> k:hasUnit <a>.",
                Property::required(ktbs::HAS_UNIT, Range::Iri),
                None,
            ),
            ("", Property::optional(ktbs::HAS_UNIT, Range::Iri), None),
            (
                "",
                Property::required(ktbs::HAS_UNIT, Range::Iri),
                Some("at least 1 objects; it only has 0"),
            ),
            (
                "<r> k:hasUnit <a>, <b>.",
                Property::optional(ktbs::HAS_UNIT, Range::Iri),
                Some("at most 1 objects; it has 2"),
            ),
            (
                "<r> k:hasUnit <a>, <b>.",
                Property::any_number(ktbs::HAS_UNIT, Range::Iri),
                None,
            ),
        ] {
            let problems = cardinality(&draft(Kind::TraceModel, turtle, None), &[property]);
            assert_eq!(
                problems,
                expected.iter().map(|end| format!("{about} {end}")).collect::<Vec<_>>(),
                "{turtle}"
            );
        }
    }

    #[test]
    fn parameters_are_named_once() {
        for (values, expected) in [
            ("'a=1', 'b=', 'c=d=e'", vec![]),
            ("'foo'", vec!["Parameter is ill-formatted: \"foo\""]),
            ("'=x'", vec!["Parameter is ill-formatted: \"=x\""]),
            ("'a=1', 'a=2', 'a=3'", vec!["Parameter a specified more than once"]),
            ("<r>", vec!["Parameters should be literals; got <http://h/b/r>"]),
        ] {
            let draft = draft(Kind::Method, &format!("<r> k:hasParameter {values}."), None);
            assert_eq!(parameters(&draft), expected, "{values}");
        }
    }
}
