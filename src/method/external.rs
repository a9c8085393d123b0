//! External: the obsels that a command of the machine makes of traces (kTBS documentation, "external").
//!
//! It exists only where the administrator switches it on. What runs the command is given by whoever calls: this module
//! knows neither processes nor syntaxes.

use std::collections::HashMap;
use std::fmt;
use std::ops::ControlFlow;
use std::time::Instant;

use super::params::{Parameters, cut, integer, is_used, substitute};
use super::{Computed, Description, Inputs, Method, Plan, Sink, Source, Stop, constructed, source};
use crate::error::Result;
use crate::rdf::{self, Graph, Triple};
use crate::store::views::Speller;
use crate::store::{Bounds, Reading};
use crate::vocab::ktbs;

const NAME: &str = "ktbs:external";

pub(super) static METHOD: Method = Method {
    iri: ktbs::EXTERNAL,
    description_title: "external.compute_trace_description",
    obsels_title: "external.compute_obsels",
    dangerous: true,
    steps: None,
    describe: |inputs| prepare(inputs).0,
    compute,
};

/// What a command prints if it does not say so: Turtle.
const DEFAULT_FORMAT: &str = "n3";

/// Runs commands of the machine.
pub trait Runner: fmt::Debug + Send + Sync {
    /// Tells whether a shell reads the command line. If not, it is cut into words before parameters are put in it.
    fn has_shell(&self) -> bool;

    /// Tells whether a format, by its name in the parameter `format`, can be read and written.
    fn knows(&self, format: &str) -> bool;

    /// Runs a command, and returns the graph that it printed, or what the diagnosis is to say.
    ///
    /// # Errors
    /// Those of the store.
    fn run(&self, command: &Command<'_>) -> Result<std::result::Result<Graph, String>>;
}

/// A command to run.
#[derive(Clone)]
pub struct Command<'a> {
    /// The program and its arguments; a single text if a shell reads it.
    pub words: Vec<String>,
    /// The name of the format of what it prints and reads.
    pub format: &'a str,
    /// The IRI of the trace to compute, to which what is printed is relative.
    pub base: &'a str,
    /// The trace whose obsels it reads from its standard input, if any.
    input: Option<&'a Source>,
    reading: &'a dyn Reading,
    /// When it must have ended, if it must.
    pub deadline: Option<Instant>,
}

impl fmt::Debug for Command<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Command")
            .field("words", &self.words)
            .field("format", &self.format)
            .finish_non_exhaustive()
    }
}

impl Command<'_> {
    /// Returns the IRI of the trace whose obsels the command reads from its standard input, if it reads any.
    pub fn input(&self) -> Option<&str> {
        Some(&self.input?.iri)
    }

    /// Calls a function with each triple of the obsels that the command reads from its standard input.
    ///
    /// # Errors
    /// Those of the function, and of the store.
    pub fn for_each_triple(&self, f: &mut dyn FnMut(Triple) -> Result<()>) -> Result<()> {
        let Some(source) = self.input else {
            return Ok(());
        };
        let speller = Speller::new(self.reading, &source.iri);
        self.reading.for_each_obsel(source.trace, &Bounds::ALL, &mut |obsel| {
            let mut result = Ok(());
            speller.for_each_triple(obsel, &mut |triple| {
                if result.is_ok() {
                    result = f(triple);
                }
            })?;
            result.map(|()| ControlFlow::Continue(()))
        })
    }
}

fn prepare<'a>(inputs: &Inputs<'a>) -> (Description, Option<Command<'a>>) {
    let mut parameters = Parameters::new(inputs.parameters);
    let description = describe(inputs, &mut parameters);
    let count = inputs.sources.len() as i64;
    if let Some(min) = parameters.parsed("min-sources", integer).filter(|min| count < *min) {
        parameters
            .errors
            .push(format!("Too few sources ({count}, min is {min})"));
    }
    let max = parameters.parsed("max-sources", integer).filter(|max| *max > 0);
    if let Some(max) = max.filter(|max| count > *max) {
        parameters
            .errors
            .push(format!("Too many sources ({count}, max is {max})"));
    }
    // Any text but the empty one is a yes.
    let feeds = parameters.text("feed-to-stdin").is_some_and(|text| !text.is_empty());
    let input = inputs.sources.first().filter(|_| feeds);
    if feeds && input.is_none() {
        parameters
            .errors
            .push("Parameter feed-to-stdin needs a source".to_owned());
    }
    let runner = inputs.limits.external.as_deref();
    let known = parameters.parsed("format", |text| match runner {
        Some(runner) if !runner.knows(text) => Err("n3, turtle, nt, xml or json-ld is expected"),
        _ => Ok(text),
    });
    let line = parameters.text("command-line");
    let words = match (line, runner) {
        (Some(line), Some(runner)) => words(inputs, line, runner.has_shell()),
        (None, Some(_)) => Err(vec![format!("Method {NAME} requires parameter command-line")]),
        (_, None) => Err(super::unknown(METHOD.iri).problems),
    };
    parameters.warn_unused(
        |name| line.is_some_and(|line| is_used(line, name)),
        &format!("{NAME} nor by the command line"),
    );
    let words = words
        .map_err(|problems| parameters.errors.extend(problems))
        .unwrap_or_default();
    let description = Description {
        errors: parameters.errors,
        warnings: parameters.warnings,
        ..description
    };
    let command = description.errors.is_empty().then(|| Command {
        words,
        format: known.unwrap_or(DEFAULT_FORMAT),
        base: inputs.target.iri,
        input,
        reading: inputs.reading,
        deadline: inputs.limits.deadline,
    });
    (description, command)
}

/// Returns the model and the origin: those that parameters give, else those that all the sources have.
fn describe(inputs: &Inputs<'_>, parameters: &mut Parameters<'_>) -> Description {
    let mut description = Description::default();
    let is_given = parameters.text("model").is_some();
    description.model = source::model(inputs, parameters);
    if !is_given {
        match common(inputs, |source| source.model.as_ref()) {
            Some(model) => description.model = Some(model.clone()),
            None => parameters
                .errors
                .push("Can not infer model from sources and no target model is explicitly specified".to_owned()),
        }
    }
    description.origin = parameters.text("origin").map(rdf::string);
    if description.origin.is_none() {
        match common(inputs, |source| source.origin.as_ref()) {
            Some(origin) => description.origin = Some(origin.clone()),
            None => parameters
                .errors
                .push("Can not infer origin from sources and no target origin is explicitly specified".to_owned()),
        }
    }
    description
}

/// Returns what all the sources have, if there are any.
fn common<'a, T: PartialEq>(inputs: &Inputs<'a>, of: impl Fn(&'a Source) -> Option<&'a T>) -> Option<&'a T> {
    let first = of(inputs.sources.first()?)?;
    (inputs.sources.iter())
        .all(|source| of(source) == Some(first))
        .then_some(first)
}

/// Returns the words of a command. Without a shell, a parameter never makes one word into two, whatever its value; but a word
/// that is only `%(__sources__)s` becomes one for each source.
fn words(inputs: &Inputs<'_>, line: &str, has_shell: bool) -> Plan<Vec<String>> {
    let iris: Vec<&str> = inputs.sources.iter().map(|source| source.iri.as_str()).collect();
    let sources = iris.join(" ");
    let mut values: HashMap<&str, &str> = (inputs.parameters.iter())
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    values.insert("__destination__", inputs.target.iri);
    values.insert("__sources__", &sources);
    let fill = |text: &str| match substitute(text, &values) {
        Ok(text) if text.contains('\0') => Err(vec!["The command line has a NUL character".to_owned()]),
        Ok(text) => Ok(text),
        Err(problem) => Err(vec![problem]),
    };
    if has_shell {
        return Ok(vec![fill(line)?]);
    }
    let Some(cut_line) = shlex::split(line) else {
        return Err(vec![format!("The command line has an open quote: {}", cut(line))]);
    };
    let mut words = Vec::with_capacity(cut_line.len());
    for word in &cut_line {
        if word == "%(__sources__)s" {
            words.extend(iris.iter().map(|iri| (*iri).to_owned()));
        } else {
            words.push(fill(word)?);
        }
    }
    match words.first() {
        Some(program) if !program.is_empty() => Ok(words),
        _ => Err(vec!["The command line is empty".to_owned()]),
    }
}

fn compute(inputs: &Inputs<'_>, _state: Option<&[u8]>, sink: &mut dyn Sink) -> Result<Computed, Stop> {
    let (Some(runner), (description, command)) = (&inputs.limits.external, prepare(inputs)) else {
        return Err(super::unknown(METHOD.iri).problems.into());
    };
    let Some(command) = command else {
        return Err(description.errors.into());
    };
    let graph = match runner.run(&command)? {
        Ok(graph) => graph,
        Err(problem) => return Err(vec![problem].into()),
    };
    sink.clear()?;
    let problems = constructed::put(inputs, &graph, sink)?;
    if problems.is_empty() {
        Ok(Computed::default())
    } else {
        Err(problems.into())
    }
}
