//! The language of rules: from JSON to subrules, in the order in which they are tried.

use std::cmp::{Ordering, Reverse};
use std::collections::BTreeSet;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::rc::Rc;

use serde_json::{Map, Value};

use super::super::literal::Literal;
use super::super::model::Vocabulary;
use super::super::params::{cut, listed};
use super::super::source::resolve;
use crate::vocab::xsd;

/// A subrule, with what it takes from its rule.
#[derive(Clone, Debug, PartialEq, Hash)]
pub struct Subrule {
    /// The IRI of the type that the rule gives.
    pub id: String,
    /// Whether the obsels of the rule are copied.
    pub visible: bool,
    /// The IRIs of the types of which an obsel must have one, subtypes included.
    pub types: Option<Rc<BTreeSet<String>>>,
    /// All must hold.
    pub constraints: Vec<Constraint>,
}

/// What some value of an attribute must satisfy.
#[derive(Clone, Debug, PartialEq, Hash)]
pub struct Constraint {
    /// The IRI of the attribute.
    pub attribute: String,
    /// How the value and the constant must compare.
    pub operator: Operator,
    /// The constant.
    pub constant: Constant,
}

/// A constant of a rule, with the text of it: numbers have no hash.
#[derive(Clone, Debug, PartialEq)]
pub struct Constant {
    literal: Literal<'static>,
    lexical: String,
    datatype: String,
}

impl Deref for Constant {
    type Target = Literal<'static>;

    fn deref(&self) -> &Self::Target {
        &self.literal
    }
}

impl Hash for Constant {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.lexical, &self.datatype).hash(state);
    }
}

/// How a value is compared with a constant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operator {
    /// `==`
    Equal,
    /// `!=`
    Different,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
    /// `contains`
    Contains,
    /// One that is not of the language.
    Never,
}

impl Operator {
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "==" => Self::Equal,
            "!=" => Self::Different,
            "<" => Self::Less,
            "<=" => Self::AtMost,
            ">" => Self::Greater,
            ">=" => Self::AtLeast,
            "contains" => Self::Contains,
            _ => return None,
        })
    }

    /// Tells whether it holds for a literal, given also by its lexical form. A type error does not hold.
    pub fn holds(self, lexical: &str, value: &Literal<'_>, constant: &Literal<'_>) -> bool {
        let order = || value.compare(constant);
        match self {
            Self::Equal => value.equals(constant) == Some(true),
            Self::Different => value.equals(constant) == Some(false),
            Self::Less => order() == Some(Ordering::Less),
            Self::AtMost => matches!(order(), Some(Ordering::Less | Ordering::Equal)),
            Self::Greater => order() == Some(Ordering::Greater),
            Self::AtLeast => matches!(order(), Some(Ordering::Greater | Ordering::Equal)),
            Self::Contains => contains(lexical, constant),
            Self::Never => false,
        }
    }

    /// Tells whether it holds for an IRI, which is different from any literal and is not ordered with any.
    pub fn holds_for_iri(self, iri: &str, constant: &Literal<'_>) -> bool {
        match self {
            Self::Different => true,
            Self::Contains => contains(iri, constant),
            _ => false,
        }
    }
}

/// Tells whether a text contains that of a constant. A constant of any datatype was written as a text in the rule, but
/// only strings are kept as they were written.
fn contains(text: &str, constant: &Literal<'_>) -> bool {
    match constant {
        Literal::String(part) | Literal::Tagged(part, _) | Literal::Other(part, _) => text.contains(&**part),
        _ => false,
    }
}

/// Reads the subrules, and sorts them: those on a type first, then those of more constraints, then those of rules that
/// come before.
///
/// # Errors
/// One line for each problem.
pub fn parse(
    text: &str,
    model: &str,
    vocabulary: &Vocabulary,
    warnings: &mut Vec<String>,
) -> Result<Vec<Subrule>, String> {
    let json: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let rules = match json {
        Value::Array(rules) => rules,
        Value::Object(members) if members.is_empty() => Vec::new(),
        _ => return Err("a list of rules is expected".to_owned()),
    };
    let mut reader = Reader {
        model,
        vocabulary,
        warnings,
        problems: Vec::new(),
    };
    let mut subrules = Vec::new();
    for (index, rule) in rules.iter().enumerate() {
        subrules.extend(reader.rule(&format!("rule {}", index + 1), rule));
    }
    if !reader.problems.is_empty() {
        return Err(listed(&reader.problems));
    }
    subrules.sort_by_key(|subrule| (subrule.types.is_none(), Reverse(subrule.constraints.len())));
    Ok(subrules)
}

struct Reader<'a> {
    model: &'a str,
    vocabulary: &'a Vocabulary,
    warnings: &'a mut Vec<String>,
    problems: Vec<String>,
}

impl Reader<'_> {
    fn rule(&mut self, place: &str, rule: &Value) -> Vec<Subrule> {
        let Some(rule) = self.object(place, rule) else {
            return Vec::new();
        };
        let id = self.text(place, rule, "id").map(|id| self.type_iri(place, id));
        let visible = match rule.get("visible") {
            None | Some(Value::Null) => true,
            Some(Value::Bool(visible)) => *visible,
            Some(_) => {
                self.problems
                    .push(format!("{place}: \"visible\" should be true or false"));
                true
            }
        };
        let id = id.unwrap_or_default();
        let mut subrules = Vec::new();
        match rule.get("rules") {
            Some(Value::Array(list)) => {
                for (index, subrule) in list.iter().enumerate() {
                    let place = format!("{place}, subrule {}", index + 1);
                    subrules.extend(self.subrule(&place, subrule, &id, visible));
                }
            }
            Some(_) => self.problems.push(format!("{place}: \"rules\" should be a list")),
            None => self.problems.push(format!("{place}: \"rules\" is missing")),
        }
        subrules
    }

    /// Returns the IRI of a type; a bare name is one of the model.
    fn type_iri(&mut self, place: &str, id: &str) -> String {
        let iri = if id.contains(['/', '#', ':']) {
            resolve(self.model, id)
        } else {
            let separator = if self.model.ends_with('#') { "" } else { "#" };
            resolve(self.model, &format!("{}{separator}{id}", self.model))
        };
        iri.unwrap_or_else(|reason| {
            self.problems.push(format!("{place}: \"id\" is no IRI: {reason}"));
            String::new()
        })
    }

    fn subrule(&mut self, place: &str, subrule: &Value, id: &str, visible: bool) -> Option<Subrule> {
        let subrule = self.object(place, subrule)?;
        let types = match subrule.get("type") {
            None | Some(Value::Null) => None,
            Some(Value::String(iri)) if iri.is_empty() => None,
            Some(_) => {
                let found = self
                    .text(place, subrule, "type")
                    .map(|iri| self.vocabulary.subtypes_of(iri));
                found.and_then(|found| found.map_err(|problem| self.problems.push(problem)).ok())
            }
        };
        let mut constraints = Vec::new();
        match subrule.get("attributes") {
            None | Some(Value::Null) => {}
            Some(Value::Array(list)) => {
                for (index, constraint) in list.iter().enumerate() {
                    let place = format!("{place}, attribute {}", index + 1);
                    constraints.extend(self.constraint(&place, constraint));
                }
            }
            Some(_) => self.problems.push(format!("{place}: \"attributes\" should be a list")),
        }
        Some(Subrule {
            id: id.to_owned(),
            visible,
            types,
            constraints,
        })
    }

    fn constraint(&mut self, place: &str, constraint: &Value) -> Option<Constraint> {
        let constraint = self.object(place, constraint)?;
        let attribute = self.text(place, constraint, "uri")?.to_owned();
        let operator = self.text(place, constraint, "operator")?;
        let operator = Operator::parse(operator).unwrap_or_else(|| {
            let warning = format!("unrecognized operator {}", cut(operator));
            if !self.warnings.contains(&warning) {
                self.warnings.push(warning);
            }
            Operator::Never
        });
        let constant = match constraint.get("value") {
            None => {
                self.problems.push(format!("{place}: \"value\" is missing"));
                return None;
            }
            Some(value) => self.constant(&attribute, value),
        };
        let Some(constant) = constant else {
            self.problems.push(format!(
                "{place}: \"value\" should be a string, a number, true, false, or an object with \"@value\""
            ));
            return None;
        };
        let constant = match operator {
            // Only the texts matter.
            Operator::Contains => constant_of(constant.lexical, xsd::STRING),
            _ => constant,
        };
        Some(Constraint {
            attribute,
            operator,
            constant,
        })
    }

    /// Returns the constant that a JSON value stands for, as in JSON-LD; the datatype of a bare string is the one that the
    /// model gives to the attribute.
    fn constant(&self, attribute: &str, value: &Value) -> Option<Constant> {
        Some(match value {
            Value::String(text) => {
                let datatype = self.vocabulary.datatype(attribute).unwrap_or(xsd::STRING);
                constant_of(text.clone(), datatype)
            }
            Value::Number(number) => {
                let text = number.to_string();
                let is_integer = text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
                constant_of(text, if is_integer { xsd::INTEGER } else { xsd::DOUBLE })
            }
            Value::Bool(value) => constant_of(value.to_string(), xsd::BOOLEAN),
            Value::Object(members) => return self.value_object(members),
            Value::Null | Value::Array(_) => return None,
        })
    }

    /// Reads a value object of JSON-LD, in which the datatype may be called `@datatype` too.
    fn value_object(&self, members: &Map<String, Value>) -> Option<Constant> {
        let text = |name: &str| match members.get(name) {
            None => Some(None),
            Some(Value::String(text)) => Some(Some(text.as_str())),
            Some(_) => None,
        };
        let (datatype, language) = (text("@type")?.or(text("@datatype")?), text("@language")?);
        let value = members.get("@value").filter(|value| !value.is_object())?;
        let native = self.constant("", value)?;
        Some(match (datatype, language) {
            (Some(datatype), _) => constant_of(native.lexical, datatype),
            (None, Some(language)) => Constant {
                literal: Literal::tagged(native.lexical.clone(), language),
                lexical: native.lexical,
                datatype: format!("@{language}"),
            },
            (None, None) => native,
        })
    }

    fn object<'v>(&mut self, place: &str, value: &'v Value) -> Option<&'v Map<String, Value>> {
        let object = value.as_object();
        if object.is_none() {
            self.problems.push(format!("{place} should be an object"));
        }
        object
    }

    fn text<'v>(&mut self, place: &str, object: &'v Map<String, Value>, name: &str) -> Option<&'v str> {
        match object.get(name) {
            Some(Value::String(text)) => return Some(text),
            Some(_) => self.problems.push(format!("{place}: \"{name}\" should be a string")),
            None => self.problems.push(format!("{place}: \"{name}\" is missing")),
        }
        None
    }
}

fn constant_of(lexical: String, datatype: &str) -> Constant {
    Constant {
        literal: Literal::typed(lexical.clone(), datatype),
        lexical,
        datatype: datatype.to_owned(),
    }
}

#[cfg(test)]
mod test {
    use super::*;

    fn parsed(text: &str) -> Result<Vec<Subrule>, String> {
        parse(text, "http://x/m", &Vocabulary::default(), &mut Vec::new())
    }

    #[test]
    fn a_bare_name_is_one_of_the_model() {
        let id = |id: &str, model: &str| {
            let text = format!(r#"[{{"id": "{id}", "rules": [{{}}]}}]"#);
            parse(&text, model, &Vocabulary::default(), &mut Vec::new()).expect("legal rules")[0]
                .id
                .clone()
        };
        assert_eq!(id("R", "http://x/m"), "http://x/m#R");
        assert_eq!(id("R", "http://x/m#"), "http://x/m#R");
        assert_eq!(id("#R", "http://x/m"), "http://x/m#R");
        assert_eq!(id("http://y/R", "http://x/m#"), "http://y/R");
        assert_eq!(id("urn:R", "http://x/m#"), "urn:R");
    }

    #[test]
    fn the_most_precise_come_first() {
        let constraint = r#"{"uri": "http://x/a", "operator": "==", "value": 1}"#;
        let text = format!(
            r#"[{{"id": "all", "rules": [{{}}]}},
                {{"id": "typed", "rules": [{{"type": "http://x/T"}}]}},
                {{"id": "later", "rules": [{{"type": "http://x/T"}}]}},
                {{"id": "two", "rules": [{{"attributes": [{constraint}, {constraint}]}}]}},
                {{"id": "both", "rules": [{{"type": "http://x/T", "attributes": [{constraint}]}}]}}]"#
        );
        let ids: Vec<String> = (parsed(&text).expect("legal rules").into_iter())
            .map(|subrule| subrule.id.rsplit('#').next().map(str::to_owned).unwrap_or_default())
            .collect();
        assert_eq!(ids, ["both", "typed", "later", "two", "all"]);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let cases = [
            ("", "EOF while parsing a value at line 1 column 0"),
            ("3", "a list of rules is expected"),
            ("[3]", "rule 1 should be an object"),
            (r#"[{"rules": []}]"#, "rule 1: \"id\" is missing"),
            (r#"[{"id": "R"}]"#, "rule 1: \"rules\" is missing"),
            (r#"[{"id": "R", "rules": {}}]"#, "rule 1: \"rules\" should be a list"),
            (r#"[{"id": 3, "rules": []}]"#, "rule 1: \"id\" should be a string"),
            (
                r#"[{"id": "R", "visible": 0, "rules": []}]"#,
                "rule 1: \"visible\" should be true or false",
            ),
            (
                r#"[{"id": "R", "rules": [{"type": 1}, {"attributes": [{}]}]}]"#,
                "rule 1, subrule 1: \"type\" should be a string\n    \
                 rule 1, subrule 2, attribute 1: \"uri\" is missing",
            ),
            (
                r#"[{"id": "R", "rules": [{"attributes": [{"uri": "u", "operator": "<", "value": []}]}]}]"#,
                "rule 1, subrule 1, attribute 1: \"value\" should be a string, a number, true, false, or an object with \
                 \"@value\"",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(parsed(text), Err(expected.to_owned()), "{text}");
        }
        assert_eq!(parsed("[]"), Ok(Vec::new()));
        assert_eq!(parsed("{}"), Ok(Vec::new()));
        let many = format!("[{}]", vec!["3"; 10_000].join(","));
        assert!(parsed(&many).expect_err("illegal rules").ends_with("and 9980 more"));
        assert!(parsed(&"[".repeat(100_000)).is_err());
    }

    #[test]
    fn an_unknown_operator_is_a_warning_and_never_holds() {
        let text = r#"[{"id": "R", "rules": [{"attributes": [{"uri": "u", "operator": "~", "value": ""}]}]}]"#;
        let mut warnings = Vec::new();
        let subrules = parse(text, "http://x/m", &Vocabulary::default(), &mut warnings).expect("legal rules");
        assert_eq!(subrules[0].constraints[0].operator, Operator::Never);
        assert_eq!(warnings, ["unrecognized operator ~"]);
    }

    #[test]
    fn operators_hold_within_a_kind_only() {
        let cases = [
            ("==", "10", r#""10""#, true),
            ("!=", "10", r#""9""#, true),
            (
                "!=",
                "10",
                r#"{"@value": "9", "@type": "http://www.w3.org/2001/XMLSchema#integer"}"#,
                false,
            ),
            ("==", "chat", r#"{"@value": "chat", "@language": "fr"}"#, false),
            ("<", "400", r#""50""#, true),
            ("<", "400", "50", false),
            ("contains", "a50b", "50", true),
            ("contains", "a50b", r#""51""#, false),
        ];
        for (operator, lexical, constant, expected) in cases {
            let text = format!(
                r#"[{{"id": "R", "rules": [{{"attributes": [{{"uri": "u", "operator": "{operator}", "value": {constant}}}]}}]}}]"#
            );
            let subrules = parsed(&text).expect("legal rules");
            let constraint = &subrules[0].constraints[0];
            let value = Literal::String(lexical.into());
            let holds = constraint.operator.holds(lexical, &value, &constraint.constant);
            assert_eq!(holds, expected, "{lexical} {operator} {constant}");
        }
    }
}
