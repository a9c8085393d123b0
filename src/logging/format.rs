//! Lines of the log in the words of Python's `logging`: `%(levelname)s %(message)s`.

use std::fmt::Write;
use std::path::Path;
use std::sync::LazyLock;
use std::time::Instant;

use log::{Level, Record};

use crate::time::now;

/// How a record becomes a line: a Python format string (<https://docs.python.org/3/library/logging.html>,
/// "LogRecord attributes"), parsed.
#[derive(Clone, Debug, PartialEq)]
pub struct Format(Vec<Piece>);

#[derive(Clone, Debug, PartialEq)]
enum Piece {
    Literal(String),
    Field(Field, Spec),
}

/// What Python knows of a record.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Field {
    AscTime,
    Created,
    FileName,
    FuncName,
    LevelName,
    LevelNo,
    LineNo,
    Message,
    Module,
    MSecs,
    Name,
    PathName,
    Process,
    ProcessName,
    RelativeCreated,
    Thread,
    ThreadName,
}

const FIELDS: [(&str, Field); 17] = [
    ("asctime", Field::AscTime),
    ("created", Field::Created),
    ("filename", Field::FileName),
    ("funcName", Field::FuncName),
    ("levelname", Field::LevelName),
    ("levelno", Field::LevelNo),
    ("lineno", Field::LineNo),
    ("message", Field::Message),
    ("module", Field::Module),
    ("msecs", Field::MSecs),
    ("name", Field::Name),
    ("pathname", Field::PathName),
    ("process", Field::Process),
    ("processName", Field::ProcessName),
    ("relativeCreated", Field::RelativeCreated),
    ("thread", Field::Thread),
    ("threadName", Field::ThreadName),
];

/// The moment from which `relativeCreated` counts.
static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// A value of a field, before its conversion.
enum Value {
    Text(String),
    Whole(i64),
    Real(f64),
}

impl Field {
    fn is_number(self) -> bool {
        use Field::{Created, LevelNo, LineNo, MSecs, Process, RelativeCreated, Thread};
        matches!(
            self,
            Created | LevelNo | LineNo | MSecs | Process | RelativeCreated | Thread
        )
    }

    /// Returns the value for a record. Dates are in UTC; what has no meaning here is empty or 0.
    fn value(self, record: &Record<'_>) -> Value {
        let file = Path::new(record.file().unwrap_or_default());
        let text =
            |part: Option<&std::ffi::OsStr>| Value::Text(part.unwrap_or_default().to_string_lossy().into_owned());
        let micros = now().as_micros();
        match self {
            Self::AscTime => {
                let date = now().to_xsd();
                Value::Text(format!("{} {} UTC", &date[..10], &date[11..19]))
            }
            Self::Created => Value::Real(micros as f64 / 1e6),
            Self::FileName => text(file.file_name()),
            Self::FuncName => Value::Text(String::new()),
            Self::LevelName => Value::Text(level(record.level()).0.to_owned()),
            Self::LevelNo => Value::Whole(level(record.level()).1),
            Self::LineNo => Value::Whole(record.line().unwrap_or_default().into()),
            Self::Message => Value::Text(record.args().to_string()),
            Self::Module => text(file.file_stem()),
            Self::MSecs => Value::Real((micros.rem_euclid(1_000_000) / 1000) as f64),
            Self::Name => Value::Text(record.target().replace("::", ".")),
            Self::PathName => text(Some(file.as_os_str())),
            Self::Process => Value::Whole(std::process::id().into()),
            Self::ProcessName => Value::Text("MainProcess".to_owned()),
            Self::RelativeCreated => Value::Real(START.elapsed().as_secs_f64() * 1e3),
            Self::Thread => Value::Whole(0),
            Self::ThreadName => Value::Text(match std::thread::current().name() {
                None => String::new(),
                Some("main") => "MainThread".to_owned(),
                Some(name) => name.to_owned(),
            }),
        }
    }
}

/// Returns the name and the number that Python gives to a level.
fn level(level: Level) -> (&'static str, i64) {
    match level {
        Level::Error => ("ERROR", 40),
        Level::Warn => ("WARNING", 30),
        Level::Info => ("INFO", 20),
        Level::Debug | Level::Trace => ("DEBUG", 10),
    }
}

/// A conversion of Python's `%` operator: flags, width, precision, type.
#[derive(Clone, Debug, Default, PartialEq)]
struct Spec {
    left: bool,
    zeros: bool,
    width: usize,
    precision: Option<usize>,
    conversion: char,
}

impl Spec {
    /// Widths above this one are refused: a line of the log is for reading.
    const MAX_WIDTH: usize = 200;

    /// Parses what follows `%(name)`, and returns the rest.
    fn parse<'t>(text: &'t str, name: &str, field: Field) -> Result<(Self, &'t str), String> {
        let mut spec = Self::default();
        let unflagged = text.trim_start_matches(['-', '0', '+', ' ', '#']);
        let flags = &text[..text.len() - unflagged.len()];
        spec.left = flags.contains('-');
        spec.zeros = flags.contains('0') && !spec.left;
        let (width, mut rest) = number(unflagged);
        spec.width = width.unwrap_or(0);
        if let Some(after) = rest.strip_prefix('.') {
            let (precision, after) = number(after);
            spec.precision = Some(precision.unwrap_or(0));
            rest = after;
        }
        if spec.width.max(spec.precision.unwrap_or(0)) > Self::MAX_WIDTH {
            return Err(format!("%({name}) is wider than {}", Self::MAX_WIDTH));
        }
        let mut rest = rest.chars();
        spec.conversion = match rest.next() {
            Some(c @ ('s' | 'r' | 'a')) => c,
            Some(c @ ('d' | 'i' | 'u' | 'f' | 'F')) if field.is_number() => c,
            Some(c @ ('d' | 'i' | 'u' | 'f' | 'F')) => {
                return Err(format!("%({name}){c}: {name} is not a number, write %({name})s"));
            }
            Some(c) => return Err(format!("%({name}){c}: write s, d or f after %({name})")),
            None => return Err(format!("%({name}): write s, d or f after it")),
        };
        Ok((spec, rest.as_str()))
    }

    fn write(&self, value: Value, line: &mut String) {
        let text = match (self.conversion, value) {
            ('d' | 'i' | 'u', Value::Real(number)) => (number as i64).to_string(),
            ('f' | 'F', Value::Real(number)) => format!("{number:.*}", self.precision.unwrap_or(6)),
            ('f' | 'F', Value::Whole(number)) => format!("{:.*}", self.precision.unwrap_or(6), number as f64),
            (_, Value::Whole(number)) => number.to_string(),
            (_, Value::Real(number)) => format!("{number:?}"),
            (_, Value::Text(text)) => match self.precision {
                Some(precision) => text.chars().take(precision).collect(),
                None => text,
            },
        };
        let width = self.width;
        // Nothing can fail: the line is in memory.
        let _ = match (
            self.left,
            self.zeros && matches!(self.conversion, 'd' | 'i' | 'u' | 'f' | 'F'),
        ) {
            (true, _) => write!(line, "{text:<width$}"),
            (false, true) => write!(line, "{text:0>width$}"),
            (false, false) => write!(line, "{text:>width$}"),
        };
    }
}

/// Takes the decimal digits at the beginning of a text.
fn number(text: &str) -> (Option<usize>, &str) {
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let digits = &text[..text.len() - rest.len()];
    ((!digits.is_empty()).then(|| digits.parse().unwrap_or(usize::MAX)), rest)
}

impl Format {
    /// Returns the format that gives the message alone.
    pub fn bare() -> Self {
        Self(vec![Piece::Field(
            Field::Message,
            Spec {
                conversion: 's',
                ..Spec::default()
            },
        )])
    }

    /// Parses a Python format string: text, `%%`, and `%(field)s` with the flags `-` and `0`, a width, a precision, and
    /// `d` or `f` for numbers.
    ///
    /// # Errors
    /// A sentence, for an unknown field or conversion, and for an empty format.
    pub fn parse(text: &str) -> Result<Self, String> {
        LazyLock::force(&START);
        if text.is_empty() {
            return Err("an empty format".to_owned());
        }
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('%') {
            literal.push_str(before);
            if let Some(after) = after.strip_prefix('%') {
                literal.push('%');
                rest = after;
                continue;
            }
            let (name, after) = after
                .strip_prefix('(')
                .and_then(|after| after.split_once(')'))
                .ok_or("'%' must be followed by '%' or by the name of a field in brackets, as in %(message)s")?;
            let &(_, field) = FIELDS.iter().find(|(known, _)| *known == name).ok_or_else(|| {
                let known: Vec<&str> = FIELDS.iter().map(|(known, _)| *known).collect();
                format!("%({name}) is none of the known fields: {}", known.join(" "))
            })?;
            let (spec, after) = Spec::parse(after, name, field)?;
            pieces.push(Piece::Literal(std::mem::take(&mut literal)));
            pieces.push(Piece::Field(field, spec));
            rest = after;
        }
        literal.push_str(rest);
        pieces.push(Piece::Literal(literal));
        pieces.retain(|piece| *piece != Piece::Literal(String::new()));
        Ok(Self(pieces))
    }

    /// Returns the line of a record, without its end. Control characters but the tab are escaped (`\n`), so that nothing
    /// that a client sends can look like another line or drive a terminal.
    pub fn line(&self, record: &Record<'_>) -> String {
        let mut line = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Literal(text) => line.push_str(text),
                Piece::Field(field, spec) => spec.write(field.value(record), &mut line),
            }
        }
        if line.contains(is_unsafe) {
            let escape = |c: char| {
                if is_unsafe(c) {
                    c.escape_default().to_string()
                } else {
                    c.to_string()
                }
            };
            line = line.chars().map(escape).collect();
        }
        line
    }
}

fn is_unsafe(c: char) -> bool {
    c.is_control() && c != '\t'
}

#[cfg(test)]
mod test {
    use proptest::prelude::*;

    use super::*;

    fn line(format: &str) -> String {
        Format::parse(format)
            .unwrap_or_else(|error| panic!("{format}: {error}"))
            .line(
                &Record::builder()
                    .target("ktbs::http::target")
                    .level(Level::Warn)
                    .file(Some("src/http/target.rs"))
                    .line(Some(42))
                    .args(format_args!("no \u{1b}[1m\r\nsuch\tthing"))
                    .build(),
            )
    }

    #[test]
    fn fields_and_conversions() {
        let cases = [
            ("plain 100%%", "plain 100%"),
            ("%(levelname)s\t%(name)s", "WARNING\tktbs.http.target"),
            ("%(message)s", "no \\u{1b}[1m\\r\\nsuch\tthing"),
            ("a\nb", "a\\nb"),
            ("[%(levelname)-9s]", "[WARNING  ]"),
            ("[%(levelname)9s]", "[  WARNING]"),
            ("[%(levelname)09s]", "[  WARNING]"),
            ("[%(levelname).4s]", "[WARN]"),
            ("[%(levelname)6.1s]", "[     W]"),
            (
                "%(levelno)d %(levelno)s %(levelno)05d %(levelno)-4d|",
                "30 30 00030 30  |",
            ),
            ("%(levelno).1f", "30.0"),
            (
                "%(filename)s %(module)s %(pathname)s %(lineno)i",
                "target.rs target src/http/target.rs 42",
            ),
            ("<%(funcName)s> %(processName)s %(thread)d", "<> MainProcess 0"),
            ("%(name)s%(levelno)s%%", "ktbs.http.target30%"),
        ];
        for (format, expected) in cases {
            assert_eq!(line(format), expected, "{format}");
        }
    }

    #[test]
    fn every_field_can_be_written() {
        for (name, field) in FIELDS {
            line(&format!("%({name})s %({name})-8s %({name})r"));
            if field.is_number() {
                line(&format!("%({name})d %({name})06.2f"));
            }
        }
    }

    #[test]
    fn times_are_those_of_now_in_utc() {
        let date = line("%(asctime)s");
        assert_eq!(date.len(), "2020-01-01 12:00:00 UTC".len(), "{date}");
        let (day, time) = (&date[..10], &date[11..19]);
        let logged = crate::time::parse_instant(&format!("{day}T{time}Z")).expect("a date");
        let age = now().as_micros() - logged.as_micros();
        assert!((0..5_000_000).contains(&age), "{date}");
        assert_eq!(line("%(msecs)03d").len(), 3);
        assert!(line("%(created).3f").parse::<f64>().expect("a number") > 1.7e9);
    }

    #[test]
    fn wrong_formats_are_told() {
        let cases = [
            ("", "empty"),
            ("100%", "followed by"),
            ("%s", "followed by"),
            ("%(message", "followed by"),
            ("%(nope)s", "%(nope)"),
            ("%(message)", "write s"),
            ("%(message)d", "not a number"),
            ("%(levelname) %(message)s", "write s"),
            ("%(message)q", "write s"),
            ("%(message)99999999999999999999s", "wider"),
            ("%(message).999s", "wider"),
        ];
        for (format, reason) in cases {
            let error = Format::parse(format).expect_err(format);
            assert!(error.contains(reason), "{format}: {error}");
        }
    }

    proptest! {
        #[test]
        fn no_format_panics(text in "(\\PC|%|%\\(message\\)|[-0-9.sdf\n])*") {
            if let Ok(format) = Format::parse(&text) {
                let line = format.line(&Record::builder().args(format_args!("a\nb")).build());
                prop_assert!(!line.contains('\n'));
            }
        }
    }
}
