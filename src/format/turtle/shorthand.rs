//! Literals that Turtle writes without quotes (RDF 1.1 Turtle, section 2.5).

use crate::vocab::xsd;

/// What the literals of a datatype look like without quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shorthand {
    /// Digits.
    Integer,
    /// Digits and a point.
    Decimal,
    /// Digits and an exponent.
    Double,
    /// A word.
    Boolean,
    /// Nothing: they always have quotes.
    None,
}

impl Shorthand {
    /// Returns the shorthand of a datatype.
    pub fn of(datatype: &str) -> Self {
        match datatype {
            xsd::INTEGER => Self::Integer,
            xsd::DECIMAL => Self::Decimal,
            xsd::DOUBLE => Self::Double,
            xsd::BOOLEAN => Self::Boolean,
            _ => Self::None,
        }
    }

    /// Tells whether a literal can be written as its lexical form alone, and be read as the same one.
    pub fn has(self, lexical: &str) -> bool {
        let unsigned = lexical.strip_prefix('-').unwrap_or(lexical);
        match self {
            Self::Integer => is_whole(unsigned) && lexical != "-0",
            Self::Decimal => is_fixed(unsigned),
            Self::Boolean => matches!(lexical, "true" | "false"),
            Self::Double => unsigned.split_once(['e', 'E']).is_some_and(|(mantissa, exponent)| {
                let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
                (is_whole(mantissa) || is_fixed(mantissa)) && is_digits(exponent)
            }),
            Self::None => false,
        }
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Tells whether a text is a natural number, without useless zeros.
fn is_whole(text: &str) -> bool {
    is_digits(text) && (text == "0" || !text.starts_with('0'))
}

fn is_fixed(text: &str) -> bool {
    text.split_once('.')
        .is_some_and(|(whole, fraction)| is_whole(whole) && is_digits(fraction))
}

#[cfg(test)]
mod test {
    use super::*;

    #[test]
    fn only_plain_forms_stand_alone() {
        for (lexical, datatype, expected) in [
            ("1", xsd::INTEGER, true),
            ("-1", xsd::INTEGER, true),
            ("0", xsd::INTEGER, true),
            ("123456789012345678901234567890", xsd::INTEGER, true),
            ("-0", xsd::INTEGER, false),
            ("+1", xsd::INTEGER, false),
            ("01", xsd::INTEGER, false),
            ("", xsd::INTEGER, false),
            ("1.", xsd::INTEGER, false),
            ("un", xsd::INTEGER, false),
            ("1.50", xsd::DECIMAL, true),
            ("-0.5", xsd::DECIMAL, true),
            ("1", xsd::DECIMAL, false),
            (".5", xsd::DECIMAL, false),
            ("1.", xsd::DECIMAL, false),
            ("1.5E3", xsd::DOUBLE, true),
            ("1e+25", xsd::DOUBLE, true),
            ("1.5", xsd::DOUBLE, false),
            ("1e", xsd::DOUBLE, false),
            ("INF", xsd::DOUBLE, false),
            ("true", xsd::BOOLEAN, true),
            ("1", xsd::BOOLEAN, false),
            ("1", xsd::STRING, false),
        ] {
            assert_eq!(
                Shorthand::of(datatype).has(lexical),
                expected,
                "{lexical} as {datatype}"
            );
        }
    }
}
