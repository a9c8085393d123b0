//! JSON as a value: what both ways of reading JSON-LD start from.

use std::borrow::Cow;
use std::collections::HashSet;

use json_event_parser::{JsonEvent, SliceJsonParser};

use crate::config::PayloadLimits;
use crate::error::{Error, Result};
use crate::format::payload::{extract, message, position, text, too_deep};

/// A JSON value that borrows what it can from the payload. Numbers are as they are written.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Json<'a> {
    Null,
    Boolean(bool),
    Number(Cow<'a, str>),
    String(Cow<'a, str>),
    Array(Vec<Json<'a>>),
    Object(Object<'a>),
}

/// The members of an object, in order; no two of them have the same key.
pub(super) type Object<'a> = Vec<(Cow<'a, str>, Json<'a>)>;

/// Values that a payload may hold per triple that it may hold: more than any shape of JSON-LD needs.
const VALUES_PER_TRIPLE: u64 = 4;

/// What is open at some point of the text.
enum Open<'a> {
    Array(Vec<Json<'a>>),
    /// The keys are gathered where they are many.
    Object(Object<'a>, Option<HashSet<Cow<'a, str>>>),
}

impl<'a> Json<'a> {
    /// Parses a payload.
    ///
    /// # Errors
    /// `Parse` with line and column if it is not JSON (RFC 8259) in UTF-8, if an object has the same key twice, or
    /// if it is neither an object nor an array; `TooLarge`.
    pub(super) fn parse(bytes: &'a [u8], limits: &PayloadLimits) -> Result<Self> {
        let text = text(bytes)?;
        let most_values = limits
            .triples
            .saturating_mul(VALUES_PER_TRIPLE)
            .saturating_add(VALUES_PER_TRIPLE);
        let mut values = 0;
        let mut parser = SliceJsonParser::new(text.as_bytes());
        let mut open: Vec<Open<'a>> = Vec::new();
        loop {
            let event = parser.parse_next().map_err(|e| {
                let offset = usize::try_from(e.location().start.offset).unwrap_or_default();
                Error::Parse(format!("{}: {}", position(text, offset), message(e.message())))
            })?;
            let value = match event {
                JsonEvent::Null => Json::Null,
                JsonEvent::Boolean(value) => Json::Boolean(value),
                JsonEvent::Number(value) => Json::Number(value),
                JsonEvent::String(value) => Json::String(value),
                JsonEvent::StartArray => {
                    open.push(Open::Array(Vec::new()));
                    check_depth(&open, limits)?;
                    continue;
                }
                JsonEvent::StartObject => {
                    open.push(Open::Object(Vec::new(), None));
                    check_depth(&open, limits)?;
                    continue;
                }
                JsonEvent::ObjectKey(key) => {
                    if let Some(Open::Object(members, keys)) = open.last_mut() {
                        add_key(members, keys, key)?;
                    }
                    continue;
                }
                JsonEvent::EndArray | JsonEvent::EndObject => match open.pop() {
                    Some(Open::Array(items)) => Json::Array(items),
                    Some(Open::Object(members, _)) => Json::Object(members),
                    None => break,
                },
                JsonEvent::Eof => break,
            };
            values += 1;
            if values > most_values {
                return Err(Error::TooLarge(format!(
                    "request-triples ({}) was exceeded: too many values",
                    limits.triples
                )));
            }
            match open.last_mut() {
                Some(Open::Array(items)) => items.push(value),
                Some(Open::Object(members, _)) => {
                    if let Some(member) = members.last_mut() {
                        member.1 = value;
                    }
                }
                None => {
                    // The parser refuses what would follow, but for spaces.
                    parser.parse_next().map_err(|e| {
                        let offset = usize::try_from(e.location().start.offset).unwrap_or_default();
                        Error::Parse(format!("{}: {}", position(text, offset), message(e.message())))
                    })?;
                    return match value {
                        Json::Array(_) | Json::Object(_) => Ok(value),
                        _ => Err(Error::Parse("a JSON object or an array is expected".to_owned())),
                    };
                }
            }
        }
        Err(Error::Parse("unexpected end of the payload".to_owned()))
    }

    /// Returns the members of an object.
    pub(super) fn as_object(&self) -> Option<&Object<'a>> {
        match self {
            Json::Object(members) => Some(members),
            _ => None,
        }
    }

    /// Returns the text of a string.
    pub(super) fn as_str(&self) -> Option<&str> {
        match self {
            Json::String(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the items of an array, or the value itself as the only one.
    pub(super) fn items(&self) -> &[Json<'a>] {
        match self {
            Json::Array(items) => items,
            _ => std::slice::from_ref(self),
        }
    }

    /// Returns how many objects and arrays are in each other, this one included.
    pub(super) fn depth(&self) -> usize {
        match self {
            Json::Array(items) => 1 + items.iter().map(Json::depth).max().unwrap_or_default(),
            Json::Object(members) => 1 + members.iter().map(|(_, value)| value.depth()).max().unwrap_or_default(),
            _ => 0,
        }
    }

    /// Writes the value as compact JSON.
    pub(super) fn write(&self, out: &mut String) {
        match self {
            Json::Null => out.push_str("null"),
            Json::Boolean(value) => out.push_str(if *value { "true" } else { "false" }),
            Json::Number(number) => out.push_str(number),
            Json::String(text) => write_string(text, out),
            Json::Array(items) => {
                out.push('[');
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    item.write(out);
                }
                out.push(']');
            }
            Json::Object(members) => {
                out.push('{');
                for (i, (key, value)) in members.iter().enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    write_string(key, out);
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }
}

/// Returns the value of a key.
pub(super) fn member<'j, 'a>(object: &'j Object<'a>, key: &str) -> Option<&'j Json<'a>> {
    object.iter().find(|member| member.0 == key).map(|member| &member.1)
}

fn write_string(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\0'..='\u{1f}' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            _ => out.push(c),
        }
    }
    out.push('"');
}

fn check_depth(open: &[Open<'_>], limits: &PayloadLimits) -> Result<()> {
    if open.len() > limits.nesting {
        return Err(too_deep(limits));
    }
    Ok(())
}

/// Adds a key whose value is still to come. Keys are compared one by one as long as they are few.
fn add_key<'a>(members: &mut Object<'a>, keys: &mut Option<HashSet<Cow<'a, str>>>, key: Cow<'a, str>) -> Result<()> {
    const FEW: usize = 16;
    let is_new = if members.len() < FEW {
        members.iter().all(|member| member.0 != key)
    } else {
        keys.get_or_insert_with(|| members.iter().map(|member| member.0.clone()).collect())
            .insert(key.clone())
    };
    if !is_new {
        return Err(Error::Parse(format!(
            "an object has the key \"{}\" twice",
            extract(&key)
        )));
    }
    members.push((key, Json::Null));
    Ok(())
}

#[cfg(test)]
mod test {
    use super::*;
    use crate::format::payload::test_limits;

    #[test]
    fn values_are_read_as_they_are_written() {
        let text = r#" {"a": [1, -2.50e+3, 12345678901234567890123, true, null, "\u00e9\ud83d\ude00\n"], "é": {}} "#;
        let limits = test_limits();
        let json = Json::parse(text.as_bytes(), &limits).expect("JSON");
        let mut written = String::new();
        json.write(&mut written);
        assert_eq!(
            written,
            r#"{"a":[1,-2.50e+3,12345678901234567890123,true,null,"é😀\u000a"],"é":{}}"#
        );
        assert_eq!(Json::parse(written.as_bytes(), &limits).expect("JSON"), json);
    }

    #[test]
    fn errors_tell_where_and_what() {
        for (text, expected) in [
            ("", "line 1, column 1: Unexpected end of file"),
            ("{\n\"é\": é}", "line 2, column 6: Unexpected"),
            ("[1,]", "line 1, column 4: "),
            ("{\"a\" 1}", "line 1, column 6: "),
            ("[1", "line 1, column 3: "),
            ("[01]", "line 1, column 3: "),
            ("[NaN]", "line 1, column 2: "),
            ("['a']", "line 1, column 2: "),
            ("[] []", "line 1, column 4: "),
            ("[\"a", "line 1, column 2: Unexpected end of file"),
            (r#"["\ud800"]"#, "line 1, column "),
            (r#"["\udc00\ud800"]"#, "line 1, column "),
            ("[\"\n\"]", "line 1, column 3: "),
            ("\"foo\"", "a JSON object or an array is expected"),
            ("1", "a JSON object or an array is expected"),
            (r#"{"a": {"b": 1, "b": 2}}"#, "an object has the key \"b\" twice"),
        ] {
            let error = Json::parse(text.as_bytes(), &test_limits())
                .expect_err(text)
                .to_string();
            assert!(error.starts_with(expected), "{text}\n{error}");
        }
        let many: String = (0..100).map(|i| format!("\"{i}\":0,")).collect();
        Json::parse(format!("{{{many}\"100\":0}}").as_bytes(), &test_limits()).expect("all different");
        for last in ["3", "99"] {
            let text = format!("{{{many}\"{last}\":0}}");
            Json::parse(text.as_bytes(), &test_limits()).expect_err("one twice");
        }
    }

    #[test]
    fn size_is_bounded() {
        let limits = PayloadLimits {
            nesting: 3,
            triples: 2,
            ..test_limits()
        };
        Json::parse(b"[[{}]]", &limits).expect("3 levels");
        for text in [
            "[[[[]]]]".to_owned(),
            "[".repeat(1_000_000),
            "{\"a\":".repeat(1_000_000),
        ] {
            let error = Json::parse(text.as_bytes(), &limits).expect_err("too deep");
            assert!(
                matches!(&error, Error::TooLarge(m) if m == "nesting (3) was exceeded"),
                "{error}"
            );
        }
        let error = Json::parse(b"[1,2,3,4,5,6,7,8,9,10,11,12,13]", &limits).expect_err("13 values");
        assert!(
            matches!(&error, Error::TooLarge(m) if m.starts_with("request-triples (2)")),
            "{error}"
        );
    }
}
