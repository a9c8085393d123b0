//! The log: lines on standard error, which Apache adds to its error log, and in files.
//!
//! Administrators keep the `[logging]` of their Python kTBS: names of loggers, a level, and a [`Format`] in Python's
//! words. What Rust calls the target `ktbs::http` is here the logger `ktbs.http`.

mod file;
mod format;
pub mod json;
pub mod plan;

use env_logger::Logger;
use log::{LevelFilter, Log, Metadata, Record};

pub use format::Format;
pub use plan::{Channel, Output};

/// Starts to log to some channels. Each record is one line and a single write, so that the lines of several processes do not
/// mix. What cannot be opened is told on the others. A second call has no effect.
pub fn start(channels: &[Channel]) {
    let mut all = All(Vec::new());
    let mut failures = Vec::new();
    for channel in channels {
        match channel.logger() {
            Ok(logger) => all.0.push(logger),
            Err(failure) => failures.push(failure),
        }
    }
    let level = all.0.iter().map(Logger::filter).max().unwrap_or(LevelFilter::Off);
    if log::set_boxed_logger(Box::new(all)).is_ok() {
        log::set_max_level(level);
    }
    for failure in failures {
        log::warn!(target: "ktbs", "{failure}");
    }
}

/// Several loggers, each of which takes what it wants.
struct All(Vec<Logger>);

impl Log for All {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.0.iter().any(|logger| logger.enabled(metadata))
    }

    fn log(&self, record: &Record<'_>) {
        for logger in &self.0 {
            logger.log(record);
        }
    }

    fn flush(&self) {
        self.0.iter().for_each(Log::flush);
    }
}

/// Returns the level of a name or a number of Python's `logging`.
///
/// # Errors
/// A sentence that quotes the text.
pub fn level(text: &str) -> Result<LevelFilter, String> {
    let number = match text.to_ascii_uppercase().as_str() {
        "NOTSET" => 0,
        "DEBUG" => 10,
        "INFO" => 20,
        "WARNING" | "WARN" => 30,
        "ERROR" => 40,
        "CRITICAL" | "FATAL" => 50,
        _ => text
            .parse::<i64>()
            .map_err(|_| format!("{text:?} is not a level: DEBUG, INFO, WARNING, ERROR, CRITICAL or a number"))?,
    };
    Ok(match number {
        ..10 => LevelFilter::Trace,
        10 => LevelFilter::Debug,
        11..=20 => LevelFilter::Info,
        21..=30 => LevelFilter::Warn,
        31.. => LevelFilter::Error,
    })
}

#[cfg(test)]
mod test {
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    use env_logger::Target;
    use log::Level;

    use super::*;

    /// Where each write is kept apart.
    #[derive(Clone, Default)]
    struct Writes(Arc<Mutex<Vec<String>>>);

    impl Write for Writes {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let text = String::from_utf8(bytes.to_vec()).expect("UTF-8");
            self.0.lock().expect("no test panicked").push(text);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Logs a record of each target and level, and returns what was written.
    fn written(loggers: &[&str], level: LevelFilter) -> Vec<String> {
        let loggers: Vec<String> = loggers.iter().map(|&name| name.to_owned()).collect();
        let format = Format::parse("%(name)s %(levelname)s %(message)s").expect("a correct format");
        let writes = Writes::default();
        let channel = Channel::new(Output::Console, format, &loggers, level);
        let logger = channel.builder().target(Target::Pipe(Box::new(writes.clone()))).build();
        for target in ["ktbs", "ktbs::http", "heed"] {
            for level in [Level::Error, Level::Warn, Level::Info, Level::Debug] {
                logger.log(
                    &Record::builder()
                        .target(target)
                        .level(level)
                        .args(format_args!("two\nlines"))
                        .build(),
                );
            }
        }
        writes.0.lock().expect("no test panicked").clone()
    }

    #[test]
    fn loggers_are_opened_down_to_the_level() {
        let cases: &[(&[&str], LevelFilter, &[usize; 3])] = &[
            (&["ktbs"], LevelFilter::Info, &[3, 3, 2]),
            (&["rdfrest"], LevelFilter::Info, &[3, 3, 2]),
            (&["root"], LevelFilter::Debug, &[4, 4, 4]),
            (&["ktbs.http"], LevelFilter::Debug, &[2, 4, 2]),
            (&["ktbs", "ktbs.http"], LevelFilter::Error, &[1, 1, 2]),
        ];
        for (loggers, level, expected) in cases {
            let lines = written(loggers, *level);
            let count = |name: &str| lines.iter().filter(|line| line.starts_with(name)).count();
            let counts = [count("ktbs "), count("ktbs.http "), count("heed ")];
            assert_eq!(counts, **expected, "{loggers:?} {level}");
        }
    }

    #[test]
    fn a_record_is_one_line_in_one_write() {
        assert_eq!(
            written(&["ktbs.http"], LevelFilter::Info)[2],
            "ktbs.http ERROR two\\nlines\n"
        );
    }
}
