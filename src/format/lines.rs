//! Obsels one a line: newline-delimited JSON (<https://github.com/ndjson/ndjson-spec>), in and out; and what it takes to
//! read them as they come.

use std::io::{BufRead, Read, Write};

use super::json;
use crate::error::{Error, Result};
use crate::format::{Context, Prefixes};
use crate::resource::{Give, View};

/// Writes obsels as newline-delimited simple JSON, each as it may be posted to a trace of the same model.
///
/// # Errors
/// `Serialize` if the view is not one of obsels; `Gone` if the writer fails; those of the store.
pub fn write(view: &View, _prefixes: &Prefixes, out: &mut dyn Write) -> Result<()> {
    json::write_lines(view, out)
}

/// Reads obsels in simple JSON, one a line, and gives each with its line. Empty lines are skipped.
///
/// # Errors
/// `Parse` with line and column; `TooLarge` for a line longer than a literal may be; `Gone` if the body cannot be read;
/// those of `give`.
pub fn read(input: &mut dyn BufRead, context: &Context<'_>, give: &mut Give<'_>) -> Result<()> {
    let most = context.limits.literal_bytes;
    let mut bytes = Vec::new();
    for line in 1.. {
        bytes.clear();
        let length = Read::take(&mut *input, most as u64 + 1)
            .read_until(b'\n', &mut bytes)
            .map_err(Error::Gone)?;
        if length == 0 {
            break;
        }
        if length > most {
            return Err(Error::TooLarge(format!(
                "literal-bytes ({most}) was exceeded by line {line}"
            )));
        }
        let text = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&bytes).trim_ascii_end();
        match text.trim_ascii_start().first() {
            None => continue,
            Some(b'{') => {}
            Some(_) => {
                return Err(Error::Parse(format!(
                    "line {line}, column 1: a JSON object is expected on each line"
                )));
            }
        }
        let graph = json::parse_simple(text, context).map_err(|error| in_line(line, error))?;
        give(line, graph)?;
    }
    Ok(())
}

/// Returns the error of a document that is one line of another.
fn in_line(line: u64, error: Error) -> Error {
    match error {
        Error::Parse(message) => Error::Parse(match message.strip_prefix("line 1, ") {
            Some(rest) => format!("line {line}, {rest}"),
            None => format!("line {line}, column 1: {message}"),
        }),
        other => at(&format!("line {line}, column 1"), other),
    }
}

/// Returns an error that tells where it was met.
pub fn at(place: &str, error: Error) -> Error {
    match error {
        Error::Parse(message) => Error::Parse(format!("{place}: {message}")),
        Error::TooLarge(message) => Error::TooLarge(format!("{place}: {message}")),
        Error::InvalidData(diagnosis) => Error::InvalidData(diagnosis.at(place)),
        other => other,
    }
}

#[cfg(test)]
mod test {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::format::payload::{test_context, test_limits};
    use crate::resource::Shape;

    fn lines(text: &[u8]) -> Result<Vec<(u64, usize)>> {
        let limits = crate::config::PayloadLimits {
            literal_bytes: 60,
            ..test_limits()
        };
        let context = Context {
            base: "http://h/b/t/",
            shape: Shape::Trace,
            model: Some("http://h/b/m"),
            ..test_context(&limits)
        };
        let mut found = Vec::new();
        read(&mut &text[..], &context, &mut |line, graph| {
            found.push((line, graph.len()));
            Ok(())
        })?;
        Ok(found)
    }

    #[test]
    fn each_line_is_an_obsel() {
        let text = b"\xEF\xBB\xBF{\"@id\":\"a\",\"begin\":1}\r\n\n  {}\n{\"@type\":\"m:T\",\"m:x\":[1,2]}";
        assert_eq!(lines(text).unwrap(), [(1, 2), (3, 1), (4, 4)]);
        assert_eq!(lines(b"").unwrap(), []);
    }

    #[test]
    fn errors_name_line_and_column() {
        for (text, expected) in [
            (&b"{}\n{\"a\":}\n"[..], "line 2, column 6: "),
            (b"{}\n[{}]\n", "line 2, column 1: a JSON object is expected"),
            (b"{}\n\n{\"begin\": 1\n", "line 3, column "),
            (
                b"{}\n{\"a\": \"\xe9\"}\n",
                "line 2, column 1: the payload is not valid UTF-8",
            ),
            (b"{\"@id\": \"a b\"}", "line 1, column 1: "),
        ] {
            let error = lines(text).unwrap_err();
            assert!(matches!(error, Error::Parse(_)));
            assert!(error.to_string().starts_with(expected), "{error}");
        }
        let long = format!("{{}}\n{{\"a\": \"{}\"}}\n", "x".repeat(60));
        let error = lines(long.as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), "literal-bytes (60) was exceeded by line 2");
    }
}
