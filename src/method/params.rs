//! Parameters: from texts to values, or to problems that name them.

use std::collections::HashMap;
use std::fmt::Display;

/// How many characters of a value a message shows.
const SHOWN_CHARS: usize = 200;
/// How many parameters that are not used get a warning of their own.
const SHOWN_UNUSED: usize = 20;

/// The parameters of a trace while a method takes those that it knows.
#[derive(Debug)]
pub struct Parameters<'a> {
    given: &'a [(String, String)],
    known: Vec<&'static str>,
    /// What prevents the computation.
    pub errors: Vec<String>,
    /// What does not.
    pub warnings: Vec<String>,
}

impl<'a> Parameters<'a> {
    /// Starts from the effective parameters.
    pub fn new(given: &'a [(String, String)]) -> Self {
        let (known, errors, warnings) = Default::default();
        Self {
            given,
            known,
            errors,
            warnings,
        }
    }

    /// Returns the text of a parameter that the method knows.
    pub fn text(&mut self, name: &'static str) -> Option<&'a str> {
        self.known.push(name);
        find(self.given, name)
    }

    /// Returns the text of a parameter, whose absence is an error.
    pub fn required(&mut self, name: &'static str) -> Option<&'a str> {
        let text = self.text(name);
        if text.is_none() {
            self.errors.push(format!("Parameter '{name}' is required"));
        }
        text
    }

    /// Returns the value of a parameter if it is there and a function finds it legal; the function tells why not.
    pub fn parsed<T, E: Display>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&'a str) -> Result<T, E>,
    ) -> Option<T> {
        let text = self.text(name)?;
        self.legal(name, text, parse(text))
    }

    /// Returns the value that was read in the text of a parameter, or notes why it is illegal.
    pub fn legal<T, E: Display>(&mut self, name: &str, text: &str, value: Result<T, E>) -> Option<T> {
        value
            .map_err(|reason| {
                let shown = cut(text);
                self.errors.push(format!(
                    "Parameter {name} has illegal value: {shown}.\n    Reason: {reason}"
                ));
            })
            .ok()
    }

    /// Warns of the parameters that the method does not know and for which `used` does not vouch. `by` ends the sentence.
    pub fn warn_unused(&mut self, used: impl Fn(&str) -> bool, by: &str) {
        let mut unused = (self.given.iter())
            .map(|(name, _)| name.as_str())
            .filter(|name| !self.known.contains(name) && !used(name));
        let shown = unused.by_ref().take(SHOWN_UNUSED);
        let warnings = shown.map(|name| format!("Parameter {} is not used by {by}", cut(name)));
        self.warnings.extend(warnings);
        match unused.count() {
            0 => (),
            more => self
                .warnings
                .push(format!("{more} other parameters are not used by {by}")),
        }
    }
}

/// Returns the value of a parameter.
pub fn find<'a>(given: &'a [(String, String)], name: &str) -> Option<&'a str> {
    given
        .iter()
        .find(|(given, _)| given == name)
        .map(|(_, value)| value.as_str())
}

/// Returns a text as messages show it: cut if it is long.
pub fn cut(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

/// Parses an integer, around which there may be blanks, and before which there may be a sign.
///
/// # Errors
/// A sentence.
pub fn integer(text: &str) -> Result<i64, String> {
    let trimmed = text.trim();
    trimmed.parse().map_err(|_| {
        let digits = trimmed.strip_prefix(['+', '-']).unwrap_or(trimmed);
        if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
            "the integer is out of range".to_owned()
        } else {
            "an integer is expected".to_owned()
        }
    })
}

/// Replaces each `%(NAME)s` of a text by the value of that name, and each `%%` by `%`. What replaces is not looked at
/// again, so that no text grows for ever.
///
/// # Errors
/// A sentence that names the missing value, or the place of a `%` that starts neither.
pub fn substitute(text: &str, values: &HashMap<&str, &str>) -> Result<String, String> {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(percent) = rest.find('%') {
        result.push_str(&rest[..percent]);
        let after = &rest[percent + 1..];
        if let Some(after) = after.strip_prefix('%') {
            result.push('%');
            rest = after;
        } else if let Some((name, after)) = after.strip_prefix('(').and_then(|named| named.split_once(")s")) {
            let value = values
                .get(name)
                .ok_or_else(|| format!("missing parameter {}", cut(name)))?;
            result.push_str(value);
            if result.len() > LONGEST_SUBSTITUTED {
                return Err(format!(
                    "the text would be longer than {LONGEST_SUBSTITUTED} bytes once parameters are replaced"
                ));
            }
            rest = after;
        } else {
            let index = text.len() - rest.len() + percent;
            return Err(format!(
                "unsupported use of % at byte {index}; a parameter is written %(name)s, and a percent sign %%"
            ));
        }
    }
    result.push_str(rest);
    Ok(result)
}

/// The longest text that a substitution gives, in bytes: the same long value may be named many times.
const LONGEST_SUBSTITUTED: usize = 4 * 1024 * 1024;

/// Tells whether `%(NAME)s` occurs in a text.
pub fn is_used(text: &str, name: &str) -> bool {
    text.contains(&format!("%({name})s"))
}

#[cfg(test)]
mod test {
    use proptest::prelude::*;

    use super::*;

    fn given(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn integers_as_python_reads_them() {
        let cases = [
            ("11", Some(11)),
            (" 11 ", Some(11)),
            ("+11", Some(11)),
            ("-11\n", Some(-11)),
            ("9223372036854775807", Some(i64::MAX)),
            ("9223372036854775808", None),
            ("10.0", None),
            ("", None),
            ("+", None),
            ("noon", None),
            ("1 2", None),
        ];
        for (text, expected) in cases {
            assert_eq!(integer(text).ok(), expected, "{text:?}");
        }
    }

    #[test]
    fn an_illegal_value_is_told_with_its_reason() {
        let given = given(&[("after", "noon")]);
        let mut parameters = Parameters::new(&given);
        assert_eq!(parameters.parsed("after", integer), None);
        assert_eq!(
            parameters.errors,
            ["Parameter after has illegal value: noon.\n    Reason: an integer is expected"]
        );
    }

    #[test]
    fn unknown_parameters_are_warned_of_within_bounds() {
        let many: Vec<_> = (0..10_000).map(|i| (format!("p{i}"), String::new())).collect();
        let mut parameters = Parameters::new(&many);
        assert_eq!(parameters.text("p3"), Some(""));
        parameters.warn_unused(|name| name == "p4", "<m>");
        assert_eq!(parameters.warnings.len(), SHOWN_UNUSED + 1);
        assert_eq!(parameters.warnings[0], "Parameter p0 is not used by <m>");
        assert_eq!(
            parameters.warnings[SHOWN_UNUSED],
            "9978 other parameters are not used by <m>"
        );
    }

    #[test]
    fn substitution_is_done_once() {
        let values = HashMap::from([("foo", "bar"), ("loop", "%(loop)s%(foo)s"), ("", "empty")]);
        let cases: [(&str, Result<&str, &str>); 9] = [
            ("a %(foo)s b", Ok("a bar b")),
            ("100%%", Ok("100%")),
            ("%%%%", Ok("%%")),
            ("%%(foo)s", Ok("%(foo)s")),
            ("%(loop)s", Ok("%(loop)s%(foo)s")),
            ("%()s", Ok("empty")),
            ("%(no)s", Err("missing parameter no")),
            (
                "é%",
                Err("unsupported use of % at byte 2; a parameter is written %(name)s, and a percent sign %%"),
            ),
            (
                "%(foo",
                Err("unsupported use of % at byte 0; a parameter is written %(name)s, and a percent sign %%"),
            ),
        ];
        for (text, expected) in cases {
            let expected = expected.map(str::to_owned).map_err(str::to_owned);
            assert_eq!(substitute(text, &values), expected, "{text}");
        }
    }

    #[test]
    fn substitution_does_not_blow_up() {
        let long = "x".repeat(100_000);
        let values = HashMap::from([("x", long.as_str())]);
        assert!(substitute(&"%(x)s".repeat(10_000), &values).is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_substituted_or_refused(text in "[%()s a]{0,20}") {
            let _ = substitute(&text, &HashMap::from([("a", "%")]));
        }

        #[test]
        fn doubled_percents_come_back(text in ".*") {
            prop_assert_eq!(substitute(&text.replace('%', "%%"), &HashMap::new()), Ok(text));
        }
    }
}
