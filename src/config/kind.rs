//! Kinds of values: how the text of an option is parsed and checked.

use std::net::IpAddr;
use std::path::Path;

use ::config::ValueKind;
use oxrdf::NamedNode;

use super::root::root_iri;
use crate::logging;

/// The kind of value that an option takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `1 yes true on` or `0 no false off`, in any case.
    Boolean,
    /// A whole number between two bounds, inclusive.
    Whole {
        /// The least value.
        min: u64,
        /// The greatest value.
        max: u64,
    },
    /// The same, with an optional suffix: `k`, `M`, `G` or `T` (1024, 1024²…), in any case.
    Size {
        /// The least value.
        min: u64,
        /// The greatest value.
        max: u64,
    },
    /// An integer; a negative one is no limit.
    Limit,
    /// A TCP port.
    Port,
    /// Any text.
    Text,
    /// Words separated by blanks.
    Words,
    /// One of some words.
    OneOf(&'static [&'static str]),
    /// Some of some words, separated by blanks.
    WordsOf(&'static [&'static str]),
    /// Addresses of hosts, separated by blanks.
    Addresses,
    /// The name of a variable that the web server sets, or nothing.
    Variable,
    /// What can be sent in a header of HTTP: printable ASCII.
    HeaderValue,
    /// A [root URI](super::root_iri), or nothing.
    RootIri,
    /// The name or the address of a host.
    HostName,
    /// A path, with or without slashes at its ends; it gets one before, none after.
    BasePath,
    /// A directory, relative to the folder of the file, or nothing.
    Directory,
    /// An absolute IRI.
    Namespace,
    /// A level of Python's `logging`, by its name or number.
    Level,
    /// The same, or nothing.
    OptionalLevel,
    /// A file, relative to the folder of the file that names it, or nothing.
    File,
    /// A [format](logging::Format) of lines of the log.
    LogFormat,
    /// A plugin that does not exist here: `false`, or the error.
    Unavailable(&'static str),
}

impl Kind {
    /// Parses a value, trimmed; `folder` is that of the file.
    ///
    /// # Errors
    /// A sentence that quotes the value.
    pub fn parse(self, text: &str, folder: &Path) -> Result<ValueKind, String> {
        match self {
            Self::Boolean => boolean(text).map(ValueKind::Boolean),
            Self::Whole { min, max } => between(min, max, whole(text)?, text),
            Self::Size { min, max } => between(min, max, size(text)?, text),
            Self::Limit => limit(text),
            Self::Port => between(1, 65535, whole(text)?, text),
            Self::Text => Ok(text.into()),
            Self::Words => Ok(text
                .split_whitespace()
                .map(ToOwned::to_owned)
                .collect::<Vec<String>>()
                .into()),
            Self::OneOf(words) if words.contains(&text) => Ok(text.into()),
            Self::OneOf(words) => Err(format!("{text:?} is none of {}", words.join(", "))),
            Self::WordsOf(words) => match text.split_whitespace().find(|word| !words.contains(word)) {
                Some(word) => Err(format!("{word:?} is none of {}", words.join(", "))),
                None => Self::Words.parse(text, folder),
            },
            Self::Addresses => match text.split_whitespace().find(|word| word.parse::<IpAddr>().is_err()) {
                Some(word) => Err(format!("{word:?} is not the address of a host")),
                None => Self::Words.parse(text, folder),
            },
            Self::Variable => variable(text),
            Self::HeaderValue => header_value(text),
            Self::RootIri if text.is_empty() => Ok(ValueKind::Nil),
            Self::RootIri => root_iri(text).map(ValueKind::String),
            Self::HostName => host_name(text).map(ValueKind::String),
            Self::BasePath => base_path(text).map(ValueKind::String),
            Self::Directory => directory(text, folder),
            Self::Namespace => namespace(text),
            Self::Level => logging::level(text).map(|level| level.as_str().into()),
            Self::OptionalLevel if text.is_empty() => Ok(ValueKind::Nil),
            Self::OptionalLevel => logging::level(text).map(|level| level.as_str().into()),
            Self::File if text.is_empty() => Ok(ValueKind::Nil),
            Self::File => path(text, folder),
            Self::LogFormat => logging::Format::parse(text).map(|_| text.into()),
            Self::Unavailable(why) => match boolean(text)? {
                false => Ok(ValueKind::Boolean(false)),
                true => Err(why.to_owned()),
            },
        }
    }
}

/// Checks the name of a variable. Those that begin with `HTTP_` hold what clients send: they can be trusted in nothing.
fn variable(text: &str) -> Result<ValueKind, String> {
    if text.starts_with("HTTP_") {
        return Err(format!("{text:?} holds a header, which any client can send"));
    }
    if text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        Ok(text.into())
    } else {
        Err(format!("{text:?} is not the name of a variable"))
    }
}

fn boolean(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "yes" | "true" | "on" => Ok(true),
        "0" | "no" | "false" | "off" => Ok(false),
        _ => Err(format!("{text:?} is neither true nor false")),
    }
}

fn whole(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("{text:?} is not a whole number"))
}

fn size(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let shift = match text[digits.len()..].to_ascii_lowercase().as_str() {
        "" => 0,
        "k" => 10,
        "m" => 20,
        "g" => 30,
        "t" => 40,
        _ => {
            return Err(format!(
                "{text:?} is not a number of bytes, such as 4096, 64k, 16M, 2G or 1T"
            ));
        }
    };
    whole(digits)
        .ok()
        .and_then(|number| number.checked_mul(1 << shift))
        .ok_or_else(|| format!("{text:?} is not a number of bytes, such as 4096, 64k, 16M, 2G or 1T"))
}

fn between(min: u64, max: u64, value: u64, text: &str) -> Result<ValueKind, String> {
    if (min..=max).contains(&value) {
        Ok(value.into())
    } else {
        Err(format!("{text} is not between {min} and {max}"))
    }
}

fn limit(text: &str) -> Result<ValueKind, String> {
    let number: i64 = text.parse().map_err(|_| format!("{text:?} is not an integer"))?;
    Ok(u64::try_from(number).ok().into())
}

fn header_value(text: &str) -> Result<ValueKind, String> {
    if text.bytes().all(|b| (b' '..=b'~').contains(&b)) {
        Ok(text.into())
    } else {
        Err(format!(
            "{text:?} cannot be sent in a header: one line of ASCII is expected"
        ))
    }
}

/// Returns a host as it stands in a URI: an IPv6 address gets its brackets.
fn host_name(text: &str) -> Result<String, String> {
    let host = match text.contains(':') && !text.starts_with('[') {
        true => format!("[{text}]"),
        false => text.to_owned(),
    };
    let has_port = host.starts_with('[') && !host.ends_with(']');
    if text.is_empty() || has_port || text.contains(['/', '@']) || root_iri(&format!("http://{host}/")).is_err() {
        return Err(format!("{text:?} is not the name or the address of a host"));
    }
    Ok(host)
}

fn base_path(text: &str) -> Result<String, String> {
    let path = match text.trim_matches('/') {
        "" => String::new(),
        path => format!("/{path}"),
    };
    root_iri(&format!("http://localhost{path}/")).map_err(|reason| format!("{text:?}: {reason}"))?;
    Ok(path)
}

fn directory(text: &str, folder: &Path) -> Result<ValueKind, String> {
    if text.is_empty() {
        return Ok(ValueKind::Nil);
    }
    if text.starts_with(':') {
        return Err(format!(
            "{text:?}: stores of the form :TYPE:CONFIG are not supported; give a directory, which will hold the store"
        ));
    }
    path(text, folder)
}

fn path(text: &str, folder: &Path) -> Result<ValueKind, String> {
    let path = folder.join(text);
    // The folder comes from the system, and might be anything; the text is always UTF-8.
    let path = path
        .to_str()
        .ok_or("the folder of this file has a name that is not UTF-8")?;
    Ok(path.into())
}

fn namespace(text: &str) -> Result<ValueKind, String> {
    match NamedNode::new(text) {
        Ok(_) => Ok(text.into()),
        Err(_) => Err(format!("{text:?} is not an absolute URI")),
    }
}

/// Checks that a name can be a prefix in Turtle and in XML (`PN_PREFIX` of the grammar of Turtle, section 6.5), and
/// returns it; `_` stands for the empty prefix, since an option cannot have an empty name.
///
/// # Errors
/// A sentence.
pub fn prefix(name: &str) -> Result<&str, String> {
    let is_correct = name == "_"
        || (name.starts_with(is_base) && !name.ends_with('.') && name.chars().all(|c| is_base(c) || is_inner(c)));
    is_correct.then_some(name).ok_or_else(|| {
        format!("{name:?} cannot be a prefix: it must begin with a letter, then letters, digits, '-' and '_'")
    })
}

/// Tells whether a character is in `PN_CHARS_BASE` of the grammar of Turtle.
fn is_base(c: char) -> bool {
    matches!(c,
        'A'..='Z' | 'a'..='z' | '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{2FF}'
        | '\u{370}'..='\u{37D}' | '\u{37F}'..='\u{1FFF}' | '\u{200C}'..='\u{200D}' | '\u{2070}'..='\u{218F}'
        | '\u{2C00}'..='\u{2FEF}' | '\u{3001}'..='\u{D7FF}' | '\u{F900}'..='\u{FDCF}' | '\u{FDF0}'..='\u{FFFD}'
        | '\u{10000}'..='\u{EFFFF}')
}

fn is_inner(c: char) -> bool {
    matches!(c, '0'..='9' | '-' | '_' | '.' | '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}'..='\u{2040}')
}

#[cfg(test)]
mod test {
    use proptest::prelude::*;

    use super::*;

    fn parse(kind: Kind, text: &str) -> Result<ValueKind, String> {
        kind.parse(text, Path::new("/opt/ktbs"))
    }

    const SIZE: Kind = Kind::Size { min: 1, max: 1 << 50 };
    const WHOLE: Kind = Kind::Whole { min: 8, max: 100 };

    #[test]
    fn correct_values() {
        let cases: Vec<(Kind, &str, ValueKind)> = vec![
            (Kind::Boolean, "1", true.into()),
            (Kind::Boolean, "Yes", true.into()),
            (Kind::Boolean, "TRUE", true.into()),
            (Kind::Boolean, "on", true.into()),
            (Kind::Boolean, "0", false.into()),
            (Kind::Boolean, "no", false.into()),
            (Kind::Boolean, "False", false.into()),
            (Kind::Boolean, "off", false.into()),
            (WHOLE, "8", 8_u64.into()),
            (WHOLE, "100", 100_u64.into()),
            (SIZE, "10", 10_u64.into()),
            (SIZE, "3k", 3072_u64.into()),
            (SIZE, "16M", (16_u64 << 20).into()),
            (SIZE, "2g", (2_u64 << 30).into()),
            (SIZE, "1T", (1_u64 << 40).into()),
            (Kind::Limit, "-1", ValueKind::Nil),
            (Kind::Limit, "0", 0_u64.into()),
            (Kind::Limit, "+5", 5_u64.into()),
            (Kind::Port, "65535", 65535_u64.into()),
            (Kind::Text, "\"quoted\"", "\"quoted\"".into()),
            (Kind::Words, " a\tb\n c ", vec!["a", "b", "c"].into()),
            (Kind::Words, "", Vec::<String>::new().into()),
            (Kind::HeaderValue, "", "".into()),
            (Kind::HeaderValue, "max-age=1, public", "max-age=1, public".into()),
            (Kind::RootIri, "", ValueKind::Nil),
            (Kind::RootIri, "http://h/caf%C3%A9/", "http://h/café/".into()),
            (Kind::HostName, "0.0.0.0", "0.0.0.0".into()),
            (Kind::HostName, "::1", "[::1]".into()),
            (Kind::HostName, "[::1]", "[::1]".into()),
            (Kind::BasePath, "", "".into()),
            (Kind::BasePath, "/", "".into()),
            (Kind::BasePath, "a", "/a".into()),
            (Kind::BasePath, "/a/", "/a".into()),
            (Kind::BasePath, "//a/b//", "/a/b".into()),
            (Kind::Directory, "", ValueKind::Nil),
            (Kind::Directory, "store", "/opt/ktbs/store".into()),
            (Kind::Directory, "/var/ktbs", "/var/ktbs".into()),
            (Kind::Namespace, "http://example.org/#", "http://example.org/#".into()),
            (Kind::Namespace, "urn:x:", "urn:x:".into()),
            (Kind::Level, "debug", "DEBUG".into()),
            (Kind::Level, "NotSet", "TRACE".into()),
            (Kind::Level, "warning", "WARN".into()),
            (Kind::Level, "FATAL", "ERROR".into()),
            (Kind::Level, "15", "INFO".into()),
            (Kind::Level, "10", "DEBUG".into()),
            (Kind::Level, "-3", "TRACE".into()),
            (Kind::LogFormat, "%(message)s", "%(message)s".into()),
            (Kind::Unavailable("no"), "off", false.into()),
        ];
        for (kind, text, expected) in cases {
            assert_eq!(parse(kind, text), Ok(expected), "{kind:?} {text:?}");
        }
    }

    #[test]
    fn wrong_values_are_told() {
        let cases = [
            (Kind::Boolean, "", "neither true nor false"),
            (Kind::Boolean, "y", "\"y\" is neither"),
            (WHOLE, "7", "between 8 and 100"),
            (WHOLE, "101", "between 8 and 100"),
            (WHOLE, "-1", "not a whole number"),
            (WHOLE, "", "not a whole number"),
            (WHOLE, "99999999999999999999", "not a whole number"),
            (SIZE, "0", "between"),
            (SIZE, "1P", "number of bytes"),
            (SIZE, "k", "number of bytes"),
            (SIZE, "1 k", "number of bytes"),
            (SIZE, "9999999999T", "number of bytes"),
            (Kind::Limit, "1.5", "not an integer"),
            (Kind::Limit, "", "not an integer"),
            (Kind::Port, "0", "between 1 and 65535"),
            (Kind::Port, "65536", "between"),
            (Kind::HeaderValue, "a\nb", "header"),
            (Kind::HeaderValue, "é", "header"),
            (Kind::RootIri, "http://h/ktbs", "end with '/'"),
            (Kind::HostName, "", "host"),
            (Kind::HostName, "a/b", "host"),
            (Kind::HostName, "a b", "host"),
            (Kind::HostName, "me@h", "host"),
            (Kind::HostName, "h:8001", "host"),
            (Kind::HostName, "[::1]:8001", "host"),
            (Kind::BasePath, "/a b/", "\"/a b/\""),
            (Kind::BasePath, "/a?b", "query"),
            (Kind::Directory, ":BerkeleyDB:/path", "give a directory"),
            (Kind::Namespace, "", "absolute URI"),
            (Kind::Namespace, "no/scheme", "absolute URI"),
            (Kind::Level, "LOUD", "not a level"),
            (Kind::Level, "", "not a level"),
            (Kind::LogFormat, "%(nope)s", "%(nope)"),
            (Kind::Unavailable("use that instead"), "true", "use that instead"),
        ];
        for (kind, text, reason) in cases {
            let error = parse(kind, text).expect_err(text);
            assert!(error.contains(reason), "{kind:?} {text:?}: {error}");
        }
    }

    #[test]
    fn prefixes() {
        for name in ["_", "skos", "a", "été", "a-b_c.d", "x1"] {
            assert!(prefix(name).is_ok(), "{name}");
        }
        for name in ["", "1x", "-a", "a.", "a b", "__", "a/b", "a#"] {
            assert!(prefix(name).is_err(), "{name}");
        }
    }

    proptest! {
        #[test]
        fn no_value_panics(text in "\\PC*") {
            for kind in [Kind::Boolean, WHOLE, SIZE, Kind::Limit, Kind::Words, Kind::HeaderValue, Kind::RootIri, Kind::HostName,
                Kind::BasePath, Kind::Directory, Kind::Namespace, Kind::Level, Kind::LogFormat] {
                let _ = parse(kind, &text);
            }
            let _ = prefix(&text);
        }
    }
}
