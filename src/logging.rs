//! The log: lines on standard error, which Apache adds to its error log.
//!
//! Administrators keep the `[logging]` of their Python kTBS: names of loggers, a level, and a [`Format`] in Python's
//! words. What Rust calls the target `ktbs::http` is here the logger `ktbs.http`.

mod format;

use std::io::Write;

use env_logger::{Builder, Target};
use log::LevelFilter;

pub use format::Format;

/// Starts to log what the named loggers say, down to a level; of all others, warnings and errors only.
///
/// * `ktbs` is the whole program, `ktbs.store` a part of it. `rdfrest`, the name of a layer of the Python kTBS, is
///   also the whole program; `root` is the program and its libraries.
/// * Without any name, warnings and errors are written as bare messages, as Python does when nothing is configured.
///
/// Each record is one line and a single write, so that the lines of several processes do not mix.
/// A second call has no effect.
pub fn start(loggers: &[String], level: LevelFilter, format: &Format) {
    let result = builder(loggers, level, format).target(Target::Stderr).try_init();
    if result.is_err() {
        log::debug!("the log was started before");
    }
}

fn builder(loggers: &[String], level: LevelFilter, format: &Format) -> Builder {
    let mut builder = Builder::new();
    builder.filter_level(LevelFilter::Warn);
    for logger in loggers {
        match logger.as_str() {
            "root" => builder.filter_level(level),
            "rdfrest" => builder.filter_module("ktbs", level),
            name => builder.filter_module(&name.replace('.', "::"), level),
        };
    }
    let format = if loggers.is_empty() {
        Format::bare()
    } else {
        format.clone()
    };
    builder.format(move |out, record| writeln!(out, "{}", format.line(record)));
    builder
}

#[cfg(test)]
mod test {
    use std::io;
    use std::sync::{Arc, Mutex};

    use log::{Level, Log, Record};

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
        let logger = builder(&loggers, level, &format)
            .target(Target::Pipe(Box::new(writes.clone())))
            .build();
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
    fn without_loggers_warnings_and_errors_are_bare() {
        assert_eq!(written(&[], LevelFilter::Debug), ["two\\nlines\n"; 6]);
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
