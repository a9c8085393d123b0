//! The method external: commands of the machine, which whoever may create a computed trace may name.
//!
//! A command runs with the rights of the server. What is done here is to bound it (time, output) and to keep it apart
//! from the server: no shell unless `[meth_external] shell` says so, hardly any environment, a folder of its own that
//! vanishes with it. What it prints is read by the parsers of payloads, within their limits.

mod child;

use std::fs::File;
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::time::{Duration, Instant};

use sophia::turtle::serializer::nt;

use crate::config::Config;
use crate::error::{Error, Result};
use crate::format::{Context, Format, JSON_LD, N_TRIPLES, Prefixes, RDF_XML, TURTLE};
use crate::method::{Command, Runner};
use crate::rdf::{Graph, Triple};
use crate::resource::{Content, Shape, View};

/// The names of formats: those of the library of the Python kTBS.
static FORMATS: [(&str, &Format); 5] = [
    ("n3", &TURTLE),
    ("turtle", &TURTLE),
    ("nt", &N_TRIPLES),
    ("xml", &RDF_XML),
    ("json-ld", &JSON_LD),
];

fn format(name: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|row| row.0 == name).map(|row| row.1)
}

/// Runs commands within the limits of a configuration.
#[derive(Debug)]
pub struct Commands {
    config: Config,
}

impl Commands {
    /// Returns what runs commands, if the configuration allows it, which is said in the log.
    pub fn allowed(config: &Config) -> Option<Self> {
        config.plugins.meth_external.then(|| Self { config: config.clone() })
    }
}

impl Runner for Commands {
    fn has_shell(&self) -> bool {
        self.config.meth_external.shell
    }

    fn knows(&self, name: &str) -> bool {
        format(name).is_some()
    }

    fn run(&self, command: &Command<'_>) -> Result<std::result::Result<Graph, String>> {
        let Some(format) = format(command.format) else {
            return Ok(Err(format!("Unknown format {}", command.format)));
        };
        let input = match command
            .input()
            .map(|source| self.input(command, source, format))
            .transpose()
        {
            Ok(input) => input,
            Err(Error::TooLarge(problem) | Error::Serialize(problem)) => return Ok(Err(problem)),
            Err(other) => return Err(other),
        };
        let options = &self.config.meth_external;
        let now = Instant::now();
        let own = now + Duration::from_secs(options.seconds);
        let limits = child::Limits {
            deadline: command.deadline.map_or(own, |deadline| deadline.min(own)),
            output: options.output_bytes,
        };
        let shell = ["/bin/sh".to_owned(), "-c".to_owned()];
        let words: Vec<&str> = (shell.iter().filter(|_| options.shell))
            .chain(&command.words)
            .map(String::as_str)
            .collect();
        log::info!("runs {words:?} for <{}>", command.base);
        let ran = child::run(&words, input, &limits);
        if !ran.errors.is_empty() {
            log::warn!("{words:?} for <{}> said: {}", command.base, ran.errors);
        }
        let output = match ran.output {
            Ok(output) => output,
            Err(problem) => {
                log::warn!("{words:?} for <{}>: {problem}", command.base);
                return Ok(Err(problem));
            }
        };
        Ok(self.parse(&output, format, command.base))
    }
}

impl Commands {
    /// Parses what a command printed.
    fn parse(&self, output: &[u8], format: &Format, base: &str) -> std::result::Result<Graph, String> {
        let parse = format.parse.ok_or_else(|| format!("{} is never read", format.name))?;
        let context = Context {
            base,
            shape: Shape::Trace,
            parent: None,
            parent_is_root: false,
            model: None,
            replacing: false,
            limits: &self.config.limits.payload,
        };
        parse(output, &context).map_err(|error| format!("The output of the command is no {}: {error}", format.name))
    }

    /// Writes the graph of `@obsels` of a trace to a file without a name. What can be written triple by triple is: only the
    /// other formats need the whole graph, and have the limit of a payload.
    fn input(&self, command: &Command<'_>, source: &str, format: &Format) -> Result<File> {
        let file = tempfile::tempfile().map_err(|error| Error::Store(error.into()))?;
        let mut out = BufWriter::new(&file);
        if [TURTLE.name, N_TRIPLES.name].contains(&format.name) {
            command.for_each_triple(&mut |triple| write_line(&mut out, &triple))?;
        } else {
            let most = self.config.limits.payload.triples;
            let mut graph = Graph::new();
            command.for_each_triple(&mut |[s, p, o]| {
                graph.insert(&s, &p, &o);
                if graph.len() as u64 > most {
                    return Err(Error::TooLarge(format!(
                        "The source has more than {most} triples (request-triples); the formats n3, turtle and nt have no limit"
                    )));
                }
                Ok(())
            })?;
            write(graph, source, format, &Prefixes(self.config.prefixes.clone()), &mut out)?;
        }
        out.flush().map_err(|error| Error::Store(error.into()))?;
        drop(out);
        let mut file = file;
        file.seek(SeekFrom::Start(0))
            .map_err(|error| Error::Store(error.into()))?;
        Ok(file)
    }
}

/// Writes a whole graph.
fn write(graph: Graph, source: &str, format: &Format, prefixes: &Prefixes, out: &mut dyn Write) -> Result<()> {
    let write = format
        .write
        .ok_or_else(|| Error::Serialize(format!("{} is never written", format.name)))?;
    let view = View {
        iri: source.to_owned(),
        shape: Shape::DataGraph,
        tags: Vec::new(),
        modified: None,
        links: Vec::new(),
        model: None,
        content: Content::Graph(graph),
    };
    write(&view, prefixes, out)
}

/// Writes a triple as a line of N-Triples, which is Turtle too.
fn write_line(out: &mut impl Write, triple: &Triple) -> Result<()> {
    let failed = |error: std::io::Error| Error::Store(error.into());
    for term in triple {
        nt::write_term::<_, _, false>(&mut *out, term).map_err(failed)?;
        out.write_all(b" ").map_err(failed)?;
    }
    out.write_all(b".\n").map_err(failed)
}
