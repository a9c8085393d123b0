//! The part of Python's "dictionary configuration" of logging that has a meaning here: streams, files, levels, formats.

use std::collections::BTreeMap;
use std::path::Path;

use log::LevelFilter;
use serde::Deserialize;

use super::plan::{Channel, DEFAULT_FORMAT, Output};
use super::{Format, level};

/// The whole file (<https://docs.python.org/3/library/logging.config.html>, "Dictionary Schema Details").
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(default)]
    version: Option<u64>,
    #[serde(default, rename = "disable_existing_loggers")]
    _disable: Option<bool>,
    #[serde(default)]
    formatters: BTreeMap<String, Formatter>,
    #[serde(default)]
    handlers: BTreeMap<String, Handler>,
    #[serde(default)]
    loggers: BTreeMap<String, Logger>,
    #[serde(default)]
    root: Option<Logger>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Formatter {
    #[serde(default)]
    format: Option<String>,
    #[serde(default)]
    datefmt: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Handler {
    class: String,
    #[serde(default)]
    level: Option<Level>,
    #[serde(default)]
    formatter: Option<String>,
    #[serde(default)]
    stream: Option<String>,
    #[serde(default)]
    filename: Option<String>,
    #[serde(default)]
    mode: Option<String>,
    #[serde(default, rename = "encoding")]
    _encoding: Option<String>,
    #[serde(default, rename = "delay")]
    _delay: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Logger {
    #[serde(default)]
    level: Option<Level>,
    #[serde(default)]
    handlers: Vec<String>,
    #[serde(default)]
    propagate: Option<bool>,
}

/// A level, by its name or its number.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Level {
    Name(String),
    Number(i64),
}

impl Level {
    fn filter(&self) -> Result<LevelFilter, String> {
        match self {
            Self::Name(name) => level(name),
            Self::Number(number) => level(&number.to_string()),
        }
    }
}

/// The date format that this program writes, whatever is asked.
const DATE: &str = "%Y-%m-%d %H:%M:%S %Z";

/// Parses a configuration; `folder` is that of the file, and `names` the loggers that are to be active at a level even if the file
/// does not list them, on its handler `console`.
///
/// # Errors
/// A sentence that names what is not supported, and where it is.
pub fn parse(
    text: &str,
    folder: &Path,
    names: &[String],
    console: (LevelFilter, &str),
) -> Result<Vec<Channel>, String> {
    let mut document: Document = serde_json::from_str(text).map_err(|error| error.to_string())?;
    if document.version.is_some_and(|version| version != 1) {
        return Err("version: only 1 is known".to_owned());
    }
    complete(&mut document, names, console);
    let root = document.root.take().unwrap_or_default();
    for (name, logger) in document.loggers.iter().chain([(&"root".to_owned(), &root)]) {
        if let Some(unknown) = logger
            .handlers
            .iter()
            .find(|handler| !document.handlers.contains_key(*handler))
        {
            return Err(format!("{name}: there is no handler {unknown:?}"));
        }
    }
    let mut channels = Vec::new();
    for (name, handler) in &document.handlers {
        let wrong = |what: String| format!("handlers.{name}: {what}");
        let output = output(handler, folder).map_err(wrong)?;
        let format = format(&document, handler).map_err(wrong)?;
        let threshold = match &handler.level {
            Some(level) => level.filter().map_err(wrong)?,
            None => LevelFilter::Trace,
        };
        let taken = |logger: &str| -> Result<LevelFilter, String> {
            let (level, reaches) = effective(&document, &root, logger, name)?;
            Ok(if reaches {
                level.min(threshold)
            } else {
                LevelFilter::Off
            })
        };
        let loggers = document
            .loggers
            .keys()
            .map(|logger| Ok((logger.clone(), taken(logger)?)));
        let loggers = loggers.collect::<Result<Vec<_>, String>>()?;
        let others = taken("root")?;
        channels.push(Channel {
            output,
            format,
            others,
            loggers,
        });
    }
    Ok(channels)
}

/// Adds what the Python kTBS adds: the handler `console`, and the loggers of the ini file.
fn complete(document: &mut Document, names: &[String], (level, format): (LevelFilter, &str)) {
    let level = || {
        Some(Level::Name(if level == LevelFilter::Warn {
            "WARNING".to_owned()
        } else {
            level.to_string()
        }))
    };
    document.formatters.entry("simple".to_owned()).or_insert(Formatter {
        format: Some(format.to_owned()),
        datefmt: None,
    });
    let console = Handler {
        class: "logging.StreamHandler".to_owned(),
        level: level(),
        formatter: Some("simple".to_owned()),
        stream: None,
        filename: None,
        mode: None,
        _encoding: None,
        _delay: None,
    };
    document.handlers.entry("console".to_owned()).or_insert(console);
    for name in names {
        let handlers = vec!["console".to_owned()];
        let logger = Logger {
            level: level(),
            handlers,
            propagate: None,
        };
        if name == "root" {
            document.root.get_or_insert(logger);
        } else {
            document.loggers.entry(name.clone()).or_insert(logger);
        }
    }
}

fn output(handler: &Handler, folder: &Path) -> Result<Output, String> {
    match (handler.class.as_str(), &handler.filename) {
        ("logging.StreamHandler", None) => match handler.stream.as_deref() {
            None | Some("ext://sys.stderr") => Ok(Output::Console),
            Some(other) => Err(format!("stream: {other:?} is not supported: only ext://sys.stderr is")),
        },
        ("logging.FileHandler", Some(file)) => match handler.mode.as_deref() {
            None | Some("a") => Ok(Output::File(folder.join(file))),
            Some(mode) => Err(format!(
                "mode: {mode:?} is not supported: several processes write, so only \"a\" is"
            )),
        },
        ("logging.FileHandler", None) => Err("filename: it is missing".to_owned()),
        ("logging.StreamHandler", Some(_)) => Err("filename: a stream has none".to_owned()),
        (class, _) => Err(format!(
            "class: {class:?} is not supported: only logging.StreamHandler and logging.FileHandler are"
        )),
    }
}

fn format(document: &Document, handler: &Handler) -> Result<Format, String> {
    let Some(name) = &handler.formatter else {
        return Ok(Format::bare());
    };
    let Some(formatter) = document.formatters.get(name) else {
        return Err(format!("formatter: there is no {name:?}"));
    };
    if formatter.datefmt.as_deref().is_some_and(|date| date != DATE) {
        return Err(format!("formatters.{name}.datefmt: only {DATE:?} is supported"));
    }
    let format = formatter.format.as_deref().unwrap_or(DEFAULT_FORMAT);
    Format::parse(format).map_err(|error| format!("formatters.{name}.format: {error}"))
}

/// Returns the level of a logger, its own or that of the nearest one above that has one, and whether what it says reaches a handler: its
/// own, or one of those above.
fn effective(document: &Document, root: &Logger, name: &str, handler: &str) -> Result<(LevelFilter, bool), String> {
    let mut level = None;
    let mut reaches = false;
    let mut propagates = true;
    let mut here = Some(name);
    while let Some(name) = here.filter(|name| *name != "root") {
        if let Some(logger) = document.loggers.get(name) {
            if level.is_none()
                && let Some(own) = &logger.level
            {
                level = Some(own.filter().map_err(|error| format!("loggers.{name}.level: {error}"))?);
            }
            reaches |= propagates && logger.handlers.iter().any(|it| it == handler);
            propagates &= logger.propagate.unwrap_or(true);
        }
        here = name.rfind('.').map(|dot| &name[..dot]);
    }
    reaches |= propagates && root.handlers.iter().any(|it| it == handler);
    let level = match (level, &root.level) {
        (Some(level), _) => level,
        (None, Some(own)) => own.filter().map_err(|error| format!("root.level: {error}"))?,
        (None, None) => LevelFilter::Warn,
    };
    Ok((level, reaches))
}

#[cfg(test)]
mod test {
    use super::*;

    fn parsed(text: &str) -> Result<Vec<Channel>, String> {
        let names = ["ktbs".to_owned(), "ktbs.http".to_owned()];
        parse(text, Path::new("/etc/ktbs"), &names, (LevelFilter::Info, "%(message)s"))
    }

    #[test]
    fn what_is_missing_is_as_in_the_ini_file() {
        let channels = parsed("{}").expect("an empty document is correct");
        assert_eq!(channels.len(), 1);
        assert_eq!(channels[0].output, Output::Console);
        assert_eq!(channels[0].format, Format::parse("%(message)s").expect("a format"));
        let info = |name: &str| (name.to_owned(), LevelFilter::Info);
        assert_eq!(channels[0].loggers, [info("ktbs"), info("ktbs.http")]);
        assert_eq!(channels[0].others, LevelFilter::Off);
    }

    #[test]
    fn handlers_take_what_reaches_them() {
        let channels = parsed(
            r#"{"version": 1, "disable_existing_loggers": false,
            "formatters": {"long": {"format": "%(asctime)s %(message)s"}},
            "handlers": {"file": {"class": "logging.FileHandler", "filename": "ktbs.log", "mode": "a", "level": "WARN", "formatter": "long"}},
            "loggers": {"ktbs": {"level": "DEBUG", "handlers": ["console", "file"]},
                "ktbs.http": {"level": 40}, "ktbs.store": {"handlers": ["file"], "propagate": false}},
            "root": {"level": "ERROR", "handlers": ["file"]}}"#,
        )
        .expect("a correct document");
        let level = |channel: &Channel, name: &str| {
            let mut loggers = channel.loggers.iter();
            loggers.find(|(known, _)| known == name).map(|(_, level)| *level)
        };
        let [console, file] = &channels[..] else {
            panic!("{channels:?}")
        };
        assert_eq!(file.output, Output::File("/etc/ktbs/ktbs.log".into()));
        assert_eq!(level(console, "ktbs"), Some(LevelFilter::Info));
        assert_eq!(level(file, "ktbs"), Some(LevelFilter::Warn));
        assert_eq!(level(console, "ktbs.http"), Some(LevelFilter::Error));
        assert_eq!(level(console, "ktbs.store"), Some(LevelFilter::Off));
        assert_eq!(level(file, "ktbs.store"), Some(LevelFilter::Warn));
        assert_eq!((console.others, file.others), (LevelFilter::Off, LevelFilter::Error));
    }

    #[test]
    fn what_is_not_supported_is_named() {
        for (text, expected) in [
            ("{", "EOF"),
            (r#"{"version": 2}"#, "version: only 1"),
            (r#"{"filters": {}}"#, "unknown field `filters`"),
            (
                r#"{"handlers": {"h": {"class": "logging.handlers.SMTPHandler"}}}"#,
                "handlers.h: class: \"logging.handlers.SMTPHandler\"",
            ),
            (
                r#"{"handlers": {"h": {"class": "logging.FileHandler"}}}"#,
                "handlers.h: filename: it is missing",
            ),
            (
                r#"{"handlers": {"h": {"class": "logging.FileHandler", "filename": "f", "mode": "w"}}}"#,
                "handlers.h: mode: \"w\"",
            ),
            (
                r#"{"handlers": {"h": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout"}}}"#,
                "handlers.h: stream: ",
            ),
            (
                r#"{"handlers": {"h": {"class": "logging.StreamHandler", "formatter": "f"}}}"#,
                "handlers.h: formatter: there is no \"f\"",
            ),
            (
                r#"{"handlers": {"h": {"class": "logging.StreamHandler", "level": "LOUD"}}}"#,
                "handlers.h: ",
            ),
            (
                r#"{"formatters": {"simple": {"format": "%(nope)s"}}}"#,
                "formatters.simple.format: ",
            ),
            (
                r#"{"formatters": {"simple": {"datefmt": "%s"}}}"#,
                "formatters.simple.datefmt: ",
            ),
            (
                r#"{"loggers": {"l": {"handlers": ["h"]}}}"#,
                "l: there is no handler \"h\"",
            ),
        ] {
            let error = parsed(text).expect_err("a refusal");
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
