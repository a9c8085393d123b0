//! Literals as values, compared and added as SPARQL does (SPARQL 1.1, section 17.3; XML Schema 1.1 part 2).

use std::borrow::Cow;
use std::cmp::Ordering;

use oxsdatatypes::{Boolean, Date, DateTime, Decimal, Double, Duration, Float, Integer, Time};

use crate::vocab::{XSD, xsd};

/// The value of a literal.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal<'t> {
    /// An `xsd:string`.
    String(Cow<'t, str>),
    /// A language-tagged string: lexical form, language in lower case.
    Tagged(Cow<'t, str>, String),
    /// An `xsd:boolean`.
    Boolean(Boolean),
    /// A number.
    Number(Number),
    /// An `xsd:dateTime`.
    DateTime(DateTime),
    /// An `xsd:date`.
    Date(Date),
    /// An `xsd:time`.
    Time(Time),
    /// An `xsd:duration`, or one of its subtypes.
    Duration(Duration),
    /// A literal of another datatype, or that is ill-typed: lexical form, datatype.
    Other(Cow<'t, str>, String),
}

/// A number of one of the datatypes that SPARQL calculates with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// An `xsd:integer`, or one of its subtypes.
    Integer(Integer),
    /// An `xsd:decimal`.
    Decimal(Decimal),
    /// An `xsd:float`.
    Float(Float),
    /// An `xsd:double`.
    Double(Double),
}

impl<'t> Literal<'t> {
    /// Returns the value of a literal of a datatype, which is not `rdf:langString`.
    pub fn typed(lexical: impl Into<Cow<'t, str>>, datatype: &str) -> Self {
        let lexical = lexical.into();
        let trimmed = lexical.trim();
        let value = match datatype.strip_prefix(XSD).unwrap_or_default() {
            "string" => return Self::String(lexical),
            "boolean" => trimmed.parse().map(Self::Boolean).ok(),
            "integer" | "byte" | "int" | "long" | "short" | "negativeInteger" | "nonNegativeInteger"
            | "nonPositiveInteger" | "positiveInteger" | "unsignedByte" | "unsignedInt" | "unsignedLong"
            | "unsignedShort" => integer(trimmed).map(Self::Number),
            "decimal" => trimmed.parse().map(Number::Decimal).map(Self::Number).ok(),
            "float" => trimmed.parse().map(Number::Float).map(Self::Number).ok(),
            "double" => trimmed.parse().map(Number::Double).map(Self::Number).ok(),
            "dateTime" | "dateTimeStamp" => trimmed.parse().map(Self::DateTime).ok(),
            "date" => trimmed.parse().map(Self::Date).ok(),
            "time" => trimmed.parse().map(Self::Time).ok(),
            "duration" | "dayTimeDuration" | "yearMonthDuration" => trimmed.parse().map(Self::Duration).ok(),
            _ => None,
        };
        value.unwrap_or_else(|| Self::Other(lexical, datatype.to_owned()))
    }

    /// Returns the value of an integer.
    pub fn integer(value: i64) -> Self {
        Self::Number(Number::Integer(value.into()))
    }

    /// Returns the value of a language-tagged string.
    pub fn tagged(lexical: impl Into<Cow<'t, str>>, language: &str) -> Self {
        Self::Tagged(lexical.into(), language.to_ascii_lowercase())
    }

    /// Compares two values, for `<` and the like; `None` for a type error, or where the order is not determined.
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::String(a), Self::String(b)) => Some(a.cmp(b)),
            (Self::Tagged(a, la), Self::Tagged(b, lb)) if la == lb => Some(a.cmp(b)),
            (Self::Boolean(a), Self::Boolean(b)) => Some(bool::from(*a).cmp(&bool::from(*b))),
            (Self::Number(a), Self::Number(b)) => a.compare(*b),
            (Self::DateTime(a), Self::DateTime(b)) => a.partial_cmp(b),
            (Self::Date(a), Self::Date(b)) => a.partial_cmp(b),
            (Self::Time(a), Self::Time(b)) => a.partial_cmp(b),
            (Self::Duration(a), Self::Duration(b)) => a.partial_cmp(b),
            _ => None,
        }
    }

    /// Tells whether two values are equal, for `=` and `!=`; `None` for a type error.
    pub fn equals(&self, other: &Self) -> Option<bool> {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => Some(a.compare(*b) == Some(Ordering::Equal)),
            (Self::Duration(a), Self::Duration(b)) => Some(a == b),
            (Self::Tagged(..), Self::Tagged(..)) => Some(self == other),
            (Self::Other(..), Self::Other(..)) => (self == other).then_some(true),
            _ => self.compare(other).map(|order| order == Ordering::Equal),
        }
    }
}

/// Reads an integer; one that has more than 64 bits is as good as a decimal.
fn integer(text: &str) -> Option<Number> {
    match text.parse() {
        Ok(integer) => Some(Number::Integer(integer)),
        Err(_) if text.contains('.') => None,
        Err(_) => text.parse().map(Number::Decimal).ok(),
    }
}

impl Number {
    /// Compares two numbers; `None` if one is not a number.
    pub fn compare(self, other: Self) -> Option<Ordering> {
        match self.promoted(other) {
            (Self::Integer(a), Self::Integer(b)) => a.partial_cmp(&b),
            (Self::Decimal(a), Self::Decimal(b)) => a.partial_cmp(&b),
            (Self::Float(a), Self::Float(b)) => a.partial_cmp(&b),
            (a, b) => a.double().partial_cmp(&b.double()),
        }
    }

    /// Adds two numbers, as doubles where the exact sum is out of range.
    pub fn add(self, other: Self) -> Self {
        let exact = match self.promoted(other) {
            (Self::Integer(a), Self::Integer(b)) => a.checked_add(b).map(Self::Integer),
            (Self::Decimal(a), Self::Decimal(b)) => a.checked_add(b).map(Self::Decimal),
            (Self::Float(a), Self::Float(b)) => Some(Self::Float(a + b)),
            _ => None,
        };
        exact.unwrap_or_else(|| Self::Double(self.double() + other.double()))
    }

    /// Subtracts a number, as doubles where the exact difference is out of range.
    pub fn subtract(self, other: Self) -> Self {
        let exact = match self.promoted(other) {
            (Self::Integer(a), Self::Integer(b)) => a.checked_sub(b).map(Self::Integer),
            (Self::Decimal(a), Self::Decimal(b)) => a.checked_sub(b).map(Self::Decimal),
            (Self::Float(a), Self::Float(b)) => Some(Self::Float(a - b)),
            _ => None,
        };
        exact.unwrap_or_else(|| Self::Double(self.double() - other.double()))
    }

    /// Returns the number as a double.
    pub fn double(self) -> Double {
        match self {
            Self::Integer(number) => number.into(),
            Self::Decimal(number) => number.into(),
            Self::Float(number) => number.into(),
            Self::Double(number) => number,
        }
    }

    /// Returns the lexical form and the datatype.
    pub fn spelled(self) -> (String, &'static str) {
        match self {
            Self::Integer(number) => (number.to_string(), xsd::INTEGER),
            Self::Decimal(number) => (with_point(number.to_string()), xsd::DECIMAL),
            Self::Float(number) => (with_exponent(f32::from(number).into()), xsd::FLOAT),
            Self::Double(number) => (with_exponent(number.into()), xsd::DOUBLE),
        }
    }

    /// Returns two numbers in the datatype in which SPARQL calculates with them; doubles are left to the caller.
    fn promoted(self, other: Self) -> (Self, Self) {
        match (self, other) {
            (Self::Integer(a), Self::Decimal(_)) => (Self::Decimal(a.into()), other),
            (Self::Decimal(_), Self::Integer(b)) => (self, Self::Decimal(b.into())),
            (Self::Float(_), Self::Integer(b)) => (self, Self::Float(b.into())),
            (Self::Float(_), Self::Decimal(b)) => (self, Self::Float(b.into())),
            (Self::Integer(a), Self::Float(_)) => (Self::Float(a.into()), other),
            (Self::Decimal(a), Self::Float(_)) => (Self::Float(a.into()), other),
            pair => pair,
        }
    }
}

/// Returns a decimal with a point, since some readers take one without for an integer.
fn with_point(decimal: String) -> String {
    if decimal.contains('.') { decimal } else { decimal + ".0" }
}

/// Returns the canonical form of a double (XML Schema 1.1 part 2, section E.1).
fn with_exponent(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "INF" } else { "-INF" }.to_owned();
    }
    let text = format!("{number:E}");
    match text.split_once('E') {
        Some((mantissa, exponent)) if !mantissa.contains('.') => format!("{mantissa}.0E{exponent}"),
        _ => text,
    }
}

#[cfg(test)]
mod test {
    use super::*;

    fn literal(text: &'static str) -> Literal<'static> {
        if let Some((lexical, language)) = text.split_once('@') {
            return Literal::tagged(lexical, language);
        }
        match text.split_once("^^") {
            Some((lexical, datatype)) => Literal::typed(lexical, &format!("{XSD}{datatype}")),
            None => Literal::typed(text, xsd::STRING),
        }
    }

    #[test]
    fn values_compare_as_in_sparql() {
        use Ordering::{Equal, Greater, Less};
        let cases = [
            ("9^^integer", "10^^integer", Some(Less)),
            ("9^^int", "10.5^^decimal", Some(Less)),
            ("10^^integer", "10.0^^decimal", Some(Equal)),
            ("10^^integer", "1e1^^double", Some(Equal)),
            ("0.5^^float", "0.5^^decimal", Some(Equal)),
            ("NaN^^double", "NaN^^double", None),
            ("123456789012345678901^^integer", "5^^integer", Some(Greater)),
            ("9", "10", Some(Greater)),
            ("a@en", "b@EN", Some(Less)),
            ("a@en", "b@fr", None),
            ("a@en", "b", None),
            ("5^^integer", "5", None),
            ("false^^boolean", "true^^boolean", Some(Less)),
            (
                "2020-01-01T01:00:00+01:00^^dateTime",
                "2020-01-01T00:00:00Z^^dateTime",
                Some(Equal),
            ),
            ("2020-01-01^^date", "2020-01-02^^date", Some(Less)),
            ("2020-01-01^^date", "2020-01-02T00:00:00Z^^dateTime", None),
            ("PT1H^^duration", "PT61M^^dayTimeDuration", Some(Less)),
            ("abc^^integer", "abc^^integer", None),
            ("a^^other", "b^^other", None),
        ];
        for (a, b, expected) in cases {
            assert_eq!(literal(a).compare(&literal(b)), expected, "{a} {b}");
            assert_eq!(
                literal(b).compare(&literal(a)),
                expected.map(Ordering::reverse),
                "{b} {a}"
            );
        }
    }

    #[test]
    fn equality_is_unknown_between_kinds() {
        let cases = [
            ("5^^integer", "5.0^^decimal", Some(true)),
            ("5^^integer", "6^^integer", Some(false)),
            ("NaN^^double", "NaN^^double", Some(false)),
            ("5^^integer", "5", None),
            ("5^^integer", "6", None),
            ("a", "a", Some(true)),
            ("a", "b", Some(false)),
            ("a@en", "a@EN", Some(true)),
            ("a@en", "a@fr", Some(false)),
            ("a@en", "a", None),
            ("a^^other", "a^^other", Some(true)),
            ("a^^other", "b^^other", None),
            ("abc^^integer", "abc^^integer", Some(true)),
            ("abc^^integer", "5^^integer", None),
        ];
        for (a, b, expected) in cases {
            assert_eq!(literal(a).equals(&literal(b)), expected, "{a} {b}");
            assert_eq!(literal(b).equals(&literal(a)), expected, "{b} {a}");
        }
    }

    fn number(text: &'static str) -> Number {
        match literal(text) {
            Literal::Number(number) => number,
            other => panic!("{other:?} is no number"),
        }
    }

    #[test]
    fn sums_are_of_the_widest_type() {
        let cases = [
            ("9^^integer", "11^^integer", "20", "integer", "-2"),
            ("10^^integer", "2.5^^decimal", "12.5", "decimal", "7.5"),
            ("10^^integer", "7.0^^decimal", "17.0", "decimal", "3.0"),
            ("9.5^^decimal", "1e1^^double", "1.95E1", "double", "-5.0E-1"),
            ("1^^integer", "0.5^^float", "1.5", "float", "0.5"),
        ];
        for (a, b, sum, datatype, difference) in cases {
            let (a, b) = (number(a), number(b));
            let (lexical, sum_datatype) = a.add(b).spelled();
            assert_eq!(sum_datatype, format!("{XSD}{datatype}"));
            assert_eq!(literal_of(&lexical, sum_datatype), literal_of(sum, sum_datatype));
            let (lexical, _) = a.subtract(b).spelled();
            assert_eq!(literal_of(&lexical, sum_datatype), literal_of(difference, sum_datatype));
        }
        let greatest = number("9223372036854775807^^integer");
        assert_eq!(greatest.add(greatest).spelled().1, xsd::DOUBLE);
    }

    fn literal_of(lexical: &str, datatype: &str) -> Literal<'static> {
        Literal::typed(lexical.to_owned(), datatype)
    }
}
