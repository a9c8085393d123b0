//! What is logged where: outputs, each with what it takes from which loggers.

use std::path::PathBuf;

use env_logger::{Builder, Logger, Target};
use log::LevelFilter;

use super::Format;
use super::file::LogFile;

/// Where lines go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Standard error, which Apache adds to its error log.
    Console,
    /// The end of a file.
    File(PathBuf),
}

/// An output, and what it takes.
#[derive(Clone, Debug, PartialEq)]
pub struct Channel {
    /// Where lines go.
    pub output: Output,
    /// How a record becomes a line.
    pub format: Format,
    /// What is taken of loggers that are not listed.
    pub others: LevelFilter,
    /// What is taken of each logger and of those below it: name in Python's words, level.
    pub loggers: Vec<(String, LevelFilter)>,
}

/// The form of the lines of a file, and of the console unless it has its own, as the Python kTBS has it.
pub const DEFAULT_FORMAT: &str = "%(levelname)s\t%(asctime)s\t%(name)s\t%(message)s";

impl Channel {
    /// Returns a channel that takes what the named loggers say, down to a level, and warnings and errors of the others.
    pub fn new(output: Output, format: Format, names: &[String], level: LevelFilter) -> Self {
        let mut others = LevelFilter::Warn;
        let mut loggers = Vec::new();
        for name in names {
            match name.as_str() {
                "root" => others = level,
                name => loggers.push((name.to_owned(), level)),
            }
        }
        Self {
            output,
            format,
            others,
            loggers,
        }
    }

    /// Returns what writes the lines.
    ///
    /// # Errors
    /// A sentence: the file cannot be opened.
    pub(super) fn logger(&self) -> Result<Logger, String> {
        let target = match &self.output {
            Output::Console => Target::Stderr,
            Output::File(path) => Target::Pipe(Box::new(LogFile::open(path)?)),
        };
        Ok(self.builder().target(target).build())
    }

    pub(super) fn builder(&self) -> Builder {
        let mut builder = Builder::new();
        builder.filter_level(self.others);
        for (name, level) in &self.loggers {
            // `rdfrest`, the name of a layer of the Python kTBS, is also the whole program.
            let module = if name == "rdfrest" {
                "ktbs".to_owned()
            } else {
                name.replace('.', "::")
            };
            builder.filter_module(&module, *level);
        }
        let format = self.format.clone();
        builder.format(move |out, record| {
            use std::io::Write;
            writeln!(out, "{}", format.line(record))
        });
        builder
    }
}
