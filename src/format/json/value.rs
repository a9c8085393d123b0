//! Literals in JSON.

use std::borrow::Cow;

use crate::format::output::is_natural;
use crate::vocab::xsd;

/// How literals are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// So that JSON-LD gives the same literals back, but for the lexical forms of doubles.
    Exact,
    /// As JSON values, which is what the clients of the kTBS expect of the attributes of obsels: datatypes that JSON
    /// does not have are lost.
    Plain,
}

/// The datatypes that matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Datatype {
    /// `xsd:string`
    String,
    /// `xsd:integer`
    Integer,
    /// `xsd:decimal`
    Decimal,
    /// `xsd:double`
    Double,
    /// `xsd:boolean`
    Boolean,
    /// `xsd:dateTime`
    DateTime,
    /// Any other.
    Other,
}

impl Datatype {
    /// Returns the datatype of an IRI.
    pub fn of(iri: &str) -> Self {
        match iri {
            xsd::STRING => Self::String,
            xsd::INTEGER => Self::Integer,
            xsd::DECIMAL => Self::Decimal,
            xsd::DOUBLE => Self::Double,
            xsd::BOOLEAN => Self::Boolean,
            xsd::DATE_TIME => Self::DateTime,
            _ => Self::Other,
        }
    }
}

/// What a typed literal becomes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Form<'a> {
    /// A number.
    Number(Cow<'a, str>),
    /// A boolean.
    Boolean(bool),
    /// A string.
    String,
    /// An object with `@value` and `@type`.
    Object,
}

/// The number of digits up to which all processors read a whole number as the same `xsd:integer`. (JSON-LD 1.1 API,
/// section 8.2, says 21; oxjsonld stops at 20, and most people have 64 bits.)
const INTEGER_DIGITS: usize = 18;

/// Returns the form of all the literals of a datatype where the context says nothing of it, if they have the same.
pub fn common_form(datatype: Datatype, style: Style) -> Option<Form<'static>> {
    match (datatype, style) {
        (Datatype::String, _) => Some(Form::String),
        (Datatype::Integer | Datatype::Boolean | Datatype::Double, _) | (Datatype::Decimal, Style::Plain) => None,
        (_, Style::Plain) => Some(Form::String),
        (_, Style::Exact) => Some(Form::Object),
    }
}

/// Returns the form of a literal where the context says nothing of its datatype.
pub fn form<'a>(lexical: &'a str, datatype: Datatype, style: Style) -> Form<'a> {
    if let Some(common) = common_form(datatype, style) {
        return common;
    }
    match (datatype, lexical, style) {
        (Datatype::Integer, ..) => integer(lexical, style),
        (Datatype::Boolean, "true", _) | (Datatype::Boolean, "1", Style::Plain) => Form::Boolean(true),
        (Datatype::Boolean, "false", _) | (Datatype::Boolean, "0", Style::Plain) => Form::Boolean(false),
        (Datatype::Boolean, ..) => Form::Object,
        (Datatype::Decimal, ..) if lexical.bytes().any(|byte| byte.is_ascii_alphabetic()) => Form::String,
        _ => double(lexical, style),
    }
}

fn integer(lexical: &str, style: Style) -> Form<'_> {
    // Nearly all are written as JSON has them.
    if is_natural(lexical.as_bytes()) {
        return Form::Number(lexical.into());
    }
    let digits = lexical.strip_prefix('-').unwrap_or(lexical);
    if style == Style::Exact {
        return if is_json_number(lexical) && is_digits(digits) && lexical != "-0" && digits.len() <= INTEGER_DIGITS {
            Form::Number(lexical.into())
        } else {
            Form::Object
        };
    }
    if is_json_number(lexical) && is_digits(digits) {
        return Form::Number(lexical.into());
    }
    let digits = digits.strip_prefix('+').unwrap_or(digits);
    if !is_digits(digits) {
        return Form::Object;
    }
    let sign = if lexical.starts_with('-') { "-" } else { "" };
    let significant = digits.trim_start_matches('0');
    Form::Number(format!("{sign}{}", if significant.is_empty() { "0" } else { significant }).into())
}

fn double(lexical: &str, style: Style) -> Form<'_> {
    // Rust reads more than XML Schema allows: names of the infinities.
    if !lexical
        .bytes()
        .all(|byte| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E'))
    {
        return Form::Object;
    }
    let Some(value) = lexical.parse::<f64>().ok().filter(|value| value.is_finite()) else {
        return Form::Object;
    };
    // JSON-LD reads whole numbers as integers, up to a limit, however they are written.
    if style == Style::Exact && value.fract() == 0.0 && value.abs() < 1e21 {
        return Form::Object;
    }
    if is_json_number(lexical) && lexical.contains(['.', 'e', 'E']) {
        return Form::Number(lexical.into());
    }
    Form::Number(format!("{value:?}").into())
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Tells whether a text is a number of JSON (RFC 8259, section 6).
fn is_json_number(text: &str) -> bool {
    let text = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    is_digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(is_digits)
        && exponent.is_none_or(|it| is_digits(it.strip_prefix(['+', '-']).unwrap_or(it)))
}

#[cfg(test)]
mod test {
    use super::*;

    #[test]
    fn literals_are_native_where_json_has_them() {
        let number = |text: &str| Form::Number(text.to_owned().into());
        for (lexical, datatype, exact, plain) in [
            ("42", xsd::INTEGER, number("42"), number("42")),
            ("-7", xsd::INTEGER, number("-7"), number("-7")),
            ("007", xsd::INTEGER, Form::Object, number("7")),
            ("+7", xsd::INTEGER, Form::Object, number("7")),
            ("-0", xsd::INTEGER, Form::Object, number("-0")),
            ("seven", xsd::INTEGER, Form::Object, Form::Object),
            (
                "123456789012345678",
                xsd::INTEGER,
                number("123456789012345678"),
                number("123456789012345678"),
            ),
            (
                "1234567890123456789012",
                xsd::INTEGER,
                Form::Object,
                number("1234567890123456789012"),
            ),
            ("1.5e3", xsd::DOUBLE, Form::Object, number("1.5e3")),
            ("1.5", xsd::DOUBLE, number("1.5"), number("1.5")),
            ("1e25", xsd::DOUBLE, number("1e25"), number("1e25")),
            ("+.5", xsd::DOUBLE, number("0.5"), number("0.5")),
            ("3", xsd::DOUBLE, Form::Object, number("3.0")),
            ("INF", xsd::DOUBLE, Form::Object, Form::Object),
            ("inf", xsd::DOUBLE, Form::Object, Form::Object),
            ("NaN", xsd::DOUBLE, Form::Object, Form::Object),
            ("1e400", xsd::DOUBLE, Form::Object, Form::Object),
            ("2.50", xsd::DECIMAL, Form::Object, number("2.50")),
            ("2", xsd::DECIMAL, Form::Object, number("2.0")),
            ("true", xsd::BOOLEAN, Form::Boolean(true), Form::Boolean(true)),
            ("0", xsd::BOOLEAN, Form::Object, Form::Boolean(false)),
            (
                "2017-02-28",
                "http://www.w3.org/2001/XMLSchema#date",
                Form::Object,
                Form::String,
            ),
            ("a", xsd::STRING, Form::String, Form::String),
        ] {
            assert_eq!(
                form(lexical, Datatype::of(datatype), Style::Exact),
                exact,
                "{lexical} as {datatype}"
            );
            assert_eq!(
                form(lexical, Datatype::of(datatype), Style::Plain),
                plain,
                "{lexical} as {datatype}"
            );
        }
    }
}
