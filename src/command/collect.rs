//! `ktbs collect`: what comes on standard input becomes obsels of a trace, without any server.

use std::io::{self, BufRead, BufReader, Read, Write};

use anyhow::{Error, bail};
use clap::Args;

use super::{Context, Ending, path_below, tell};
use crate::App;
use crate::error::{Error as DomainError, Result as DomainResult};
use crate::format::{self, json};
use crate::rdf::{Graph, blank, iri, string};
use crate::resource::{Aspect, Target};
use crate::store::Kind;
use crate::vocab::{ktbs, rdf};

/// Adds an obsel to a stored trace for each line of standard input
///
/// Lines are texts, or objects in the simple JSON of the kTBS, as a client would post them. An obsel without `begin` happens
/// when its line is read. Lines that come together are stored together. A line that cannot be stored is told, and the others are
/// stored all the same.
#[derive(Args, Debug)]
pub struct Collect {
    /// The stored trace: its address, or its path below the root URI
    trace: String,
    /// Lines are JSON objects (NDJSON)
    #[arg(short, long)]
    json: bool,
    /// The type of the obsels made of texts
    #[arg(long = "type", value_name = "IRI", default_value = SIMPLE_OBSEL)]
    obsel_type: String,
    /// The attribute that has the text
    #[arg(long, value_name = "IRI", default_value = TEXT)]
    attribute: String,
    /// Makes the trace, and its base, if they are not there
    #[arg(long)]
    create: bool,
}

/// The model of texts, known from the collector of the Python kTBS.
const MODEL: &str = "http://liris.cnrs.fr/silex/2011/simple-trace-model";
const SIMPLE_OBSEL: &str = "http://liris.cnrs.fr/silex/2011/simple-trace-model#SimpleObsel";
const TEXT: &str = "http://liris.cnrs.fr/silex/2011/simple-trace-model#Text";

/// How many lines are stored at once, when more come at once.
const BATCH: usize = 1000;

/// The longest line, in bytes.
const LINE_BYTES: u64 = 16 << 20;

impl Collect {
    /// Runs the command.
    ///
    /// # Errors
    /// There is no such trace; the store cannot be written; standard input cannot be read.
    pub fn run(self, context: &Context) -> Result<Ending, Error> {
        let app = context.open()?;
        context.directory(&app.config)?;
        let root = &app.config.server.root;
        let trace = format!("{root}{}", path_below(root, &self.trace)?);
        let target = self.find(&app, &trace)?;
        if !matches!(target.aspect, Aspect::Itself) || target.entry.head.kind != Kind::StoredTrace {
            bail!("<{trace}> is no stored trace");
        }
        drop(target);
        let mut input = BufReader::new(io::stdin().lock());
        let (mut number, mut refused, mut stored) = (0_u64, 0_u64, 0_u64);
        loop {
            let lines = batch(&mut input)?;
            if lines.is_empty() {
                break;
            }
            let first = number + 1;
            number += lines.len() as u64;
            let wanted: Vec<(u64, &str)> = (first..)
                .zip(&lines)
                .map(|(number, line)| (number, line.as_str()))
                .filter(|(_, line)| !line.trim().is_empty())
                .collect();
            let texts: Vec<&str> = wanted.iter().map(|(_, line)| *line).collect();
            if texts.is_empty() {
                continue;
            }
            match self.add(&app, &trace, &texts) {
                Ok(added) => stored += added,
                Err(error @ DomainError::Store(_)) => return Err(error.into()),
                // One of them is wrong: which?
                Err(_) => {
                    for (number, line) in wanted {
                        match self.add(&app, &trace, &[line]) {
                            Ok(added) => stored += added,
                            Err(error @ DomainError::Store(_)) => return Err(error.into()),
                            Err(error) => {
                                refused += 1;
                                tell(&Error::msg(format!("line {number}: {error}")));
                            }
                        }
                    }
                }
            }
        }
        writeln!(io::stdout(), "obsels: {stored}, lines refused: {refused}")?;
        Ok(if refused == 0 { Ending::Well } else { Ending::Wrong })
    }

    /// Finds the trace, or makes it if that is asked.
    fn find(&self, app: &App, trace: &str) -> Result<Target, Error> {
        let service = &app.service;
        match service.find(trace) {
            Err(DomainError::NotFound) if self.create => {}
            Err(DomainError::NotFound) => bail!("there is no <{trace}>: --create makes it"),
            found => return Ok(found?),
        }
        let base = trace.trim_end_matches('/').rfind('/').map(|slash| &trace[..=slash]);
        let (Some(base), true) = (
            base.filter(|base| base.starts_with(service.store.root())),
            trace.ends_with('/'),
        ) else {
            bail!("<{trace}> cannot be a trace: its address ends with /, and is in a base");
        };
        if base == service.store.root() {
            bail!("<{trace}> cannot be a trace: it must be in a base");
        }
        if let Err(DomainError::NotFound) = service.find(base) {
            let mut graph = Graph::new();
            graph.insert(&iri(service.store.root()), &iri(ktbs::HAS_BASE), &iri(base));
            graph.insert(&iri(base), &iri(rdf::TYPE), &iri(ktbs::BASE));
            service.create(&service.find(service.store.root())?, &[], graph)?;
        }
        let mut graph = Graph::new();
        let subject = iri(trace);
        graph.insert(&iri(base), &iri(ktbs::CONTAINS), &subject);
        graph.insert(&subject, &iri(rdf::TYPE), &iri(ktbs::STORED_TRACE));
        graph.insert(&subject, &iri(ktbs::HAS_MODEL), &iri(MODEL));
        graph.insert(&subject, &iri(ktbs::HAS_ORIGIN), &string("now"));
        service.create(&service.find(base)?, &[], graph)?;
        Ok(service.find(trace)?)
    }

    /// Stores lines as obsels, all or none; returns how many obsels there are.
    fn add(&self, app: &App, trace: &str, lines: &[&str]) -> DomainResult<u64> {
        let target = app.service.find(trace)?;
        let graph = if self.json {
            let parent = target.parent();
            let context = format::Context {
                base: &target.iri,
                shape: target.shape(),
                parent: parent.as_deref(),
                parent_is_root: parent.as_ref() == Some(&app.config.server.root),
                model: target.model(),
                replacing: false,
                limits: &app.config.limits.payload,
            };
            json::parse_simple(format!("[{}]", lines.join(",")).as_bytes(), &context)?
        } else {
            let mut graph = Graph::new();
            for (i, line) in lines.iter().enumerate() {
                let obsel = blank(format!("l{i}"));
                graph.insert(&obsel, &iri(ktbs::HAS_TRACE), &iri(trace));
                graph.insert(&obsel, &iri(rdf::TYPE), &iri(&self.obsel_type));
                graph.insert(&obsel, &iri(&self.attribute), &string(line));
            }
            graph
        };
        Ok(app.service.create(&target, &[], graph)?.len() as u64)
    }
}

/// Reads the lines that are there now: at least one, unless it is the end.
fn batch(input: &mut BufReader<impl Read>) -> io::Result<Vec<String>> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if input.take(LINE_BYTES).read_line(&mut line)? == 0 {
            break;
        }
        if !line.ends_with('\n') && line.len() as u64 == LINE_BYTES {
            return Err(io::Error::other(format!("a line is longer than {LINE_BYTES} bytes")));
        }
        lines.push(line.trim_end_matches(['\n', '\r']).to_owned());
        if lines.len() == BATCH || input.buffer().is_empty() {
            break;
        }
    }
    Ok(lines)
}
