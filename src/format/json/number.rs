//! JSON numbers as the lexical forms of RDF literals.

/// A JSON number, taken apart: `0.digits` times ten to the power of `magnitude`.
struct Number {
    is_negative: bool,
    digits: String,
    magnitude: i64,
}

impl Number {
    fn parse(text: &str) -> Option<Self> {
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = [whole, fraction].concat();
        let significant = all.trim_start_matches('0');
        let zeros = i64::try_from(all.len() - significant.len()).ok()?;
        let exponent: i64 = exponent.parse().ok()?;
        let digits = significant.trim_end_matches('0').to_owned();
        Some(Self {
            is_negative: text.starts_with('-') && !digits.is_empty(),
            magnitude: i64::try_from(whole.len())
                .ok()?
                .checked_add(exponent)?
                .checked_sub(zeros)?,
            digits,
        })
    }

    fn sign(&self) -> &'static str {
        if self.is_negative { "-" } else { "" }
    }

    fn double(&self) -> Option<String> {
        if self.digits.is_empty() {
            return Some("0.0E0".to_owned());
        }
        let (first, others) = self.digits.split_at(1);
        let others = if others.is_empty() { "0" } else { others };
        let exponent = self.magnitude.checked_sub(1)?;
        Some(format!("{}{first}.{others}E{exponent}", self.sign()))
    }
}

/// Tells whether a JSON number is written as an integer: no fraction, no exponent.
pub(super) fn is_integer(number: &str) -> bool {
    !number.contains(['.', 'e', 'E'])
}

/// Returns the canonical `xsd:integer` of a JSON number that is written as one, of any size.
pub(super) fn integer(number: &str) -> &str {
    if number == "-0" { "0" } else { number }
}

/// Returns the canonical `xsd:double` of a JSON number (`1.5E0`), without rounding; `None` if its exponent is beyond
/// 64 bits.
pub(super) fn double(number: &str) -> Option<String> {
    Number::parse(number)?.double()
}

/// Returns what JSON-LD makes of a number of a given datatype other than `xsd:double` (JSON-LD 1.1 API, "data round
/// tripping"): an integer if it is whole, however it is written, or else a canonical double. `None` if it is very
/// large.
pub(super) fn typed(number: &str) -> Option<String> {
    const LARGE: i64 = 20;
    let number = Number::parse(number)?;
    if number.digits.is_empty() {
        return Some("0".to_owned());
    }
    if number.magnitude > LARGE {
        return None;
    }
    match usize::try_from(number.magnitude) {
        Ok(length) if length >= number.digits.len() => Some(format!("{}{:0<length$}", number.sign(), number.digits)),
        _ => number.double(),
    }
}

#[cfg(test)]
mod test {
    use super::*;

    #[test]
    fn doubles_are_canonical() {
        for (number, expected) in [
            ("0", "0.0E0"),
            ("-0.0", "0.0E0"),
            ("0e9", "0.0E0"),
            ("1.5", "1.5E0"),
            ("-1.50", "-1.5E0"),
            ("3.0", "3.0E0"),
            ("12e2", "1.2E3"),
            ("0.00120", "1.2E-3"),
            ("120.00E-1", "1.2E1"),
            (
                "123456789012345678901234567890.5",
                "1.234567890123456789012345678905E29",
            ),
            ("1e400", "1.0E400"),
        ] {
            assert_eq!(double(number).as_deref(), Some(expected), "{number}");
        }
        assert_eq!(double("1e99999999999999999999"), None);
        assert_eq!(double("0.1e-9223372036854775808"), None);
    }

    #[test]
    fn whole_numbers_of_a_datatype_are_integers() {
        for (number, expected) in [
            ("0", Some("0")),
            ("-0.00e7", Some("0")),
            ("12", Some("12")),
            ("1200", Some("1200")),
            ("-12.0", Some("-12")),
            ("1.2e3", Some("1200")),
            ("120e-1", Some("12")),
            ("1.5", Some("1.5E0")),
            ("0.1e0", Some("1.0E-1")),
            ("99999999999999999999", Some("99999999999999999999")),
            ("100000000000000000000", None),
            ("1e20", None),
        ] {
            assert_eq!(typed(number).as_deref(), expected, "{number}");
        }
    }
}
