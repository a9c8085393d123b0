//! Methods: how a computed trace is made from others (kTBS documentation, "methods").
//!
//! A method is one file and one row of [`METHODS`]. It is pure: from parameters, sources and what it kept last time it
//! makes a description (model, origin, problems) and obsels. It reads the store and writes nothing: obsels go to a
//! [`Sink`], and what it wants to find again the next time is a state that the caller keeps for it. It knows neither
//! resources nor HTTP.
//!
//! Whoever calls decides only *whether* to compute. What can be kept of the last computation is decided here, by
//! comparing what the state says was seen with what is there (`progress.rs`), so that a computation with a state gives
//! exactly what one without would give, at the cost of what is new.
//!
//! Pipe and parallel go through other traces, which the caller makes: [`Method::steps`] says which.

mod composition;
mod constructed;
mod copy;
mod elsewhere;
mod external;
mod filter;
mod fsa;
mod fusion;
mod hrules;
mod isparql;
mod literal;
mod model;
mod parallel;
mod params;
mod pipe;
mod progress;
mod property;
mod query;
mod selection;
mod source;
mod sparql;
mod term;

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::error::{Diagnosis, Error, Result};
use crate::obsel::{Name, Obsel};
use crate::rdf::{Graph, Term};
use crate::sparql::Limits as QueryLimits;
use crate::store::{Reading, StoreError, TraceNumber};
pub use external::{Command, Runner};

/// The methods, in the order in which the root lists them.
pub static METHODS: &[&Method] = &[
    &external::METHOD,
    &filter::METHOD,
    &fsa::METHOD,
    &fusion::METHOD,
    &hrules::METHOD,
    &isparql::METHOD,
    &parallel::METHOD,
    &pipe::METHOD,
    &sparql::METHOD,
];

/// Returns the built-in method of an IRI.
pub fn find(iri: &str) -> Option<&'static Method> {
    METHODS.iter().copied().find(|method| method.iri == iri)
}

/// Returns the diagnosis of a trace whose method leads to no built-in one. It serves for the description and for the
/// obsels.
pub fn unknown(iri: &str) -> Diagnosis {
    Diagnosis {
        title: "_FakeMethod",
        problems: vec![format!(
            "<{iri}> is unreachable and unimplemented; can not compute trace"
        )],
    }
}

/// Lists the traces through which a method goes.
type Steps = fn(&Inputs<'_>) -> Plan<Vec<Step>>;

/// Computes obsels, from what there is and from the state that the last computation left.
type Compute = fn(&Inputs<'_>, Option<&[u8]>, &mut dyn Sink) -> Result<Computed, Stop>;

/// A built-in method.
#[derive(Debug)]
pub struct Method {
    /// Its IRI.
    pub iri: &'static str,
    /// The title of its diagnoses of a description.
    pub description_title: &'static str,
    /// The title of its diagnoses of a computation.
    pub obsels_title: &'static str,
    /// Whether it runs something on the machine, so that it exists only where the configuration says so.
    pub dangerous: bool,
    steps: Option<Steps>,
    describe: fn(&Inputs<'_>) -> Description,
    compute: Compute,
}

impl Method {
    /// Returns the traces through which the method goes, in order, or `None` if it reads the sources of the trace itself.
    ///
    /// The caller makes each a computed trace next to the target, and then describes and computes the target from the
    /// *effective* sources: for a pipe, the last of these traces; for a parallel, all of them.
    ///
    /// # Errors
    /// `Conflict`: the problems to put in the diagnosis of the target, which then has no intermediate trace.
    pub fn steps(&self, inputs: &Inputs<'_>) -> Option<Result<Vec<Step>>> {
        let steps = self.steps?;
        Some(steps(inputs).map_err(|problems| {
            Error::Conflict(Diagnosis {
                title: self.description_title,
                problems,
            })
        }))
    }

    /// Tells whether the target depends on more than its sources and models: on whatever [`Method::scope`] says.
    pub fn sees_more_than_sources(&self, parameters: &[(String, String)]) -> bool {
        self.iri == sparql::METHOD.iri && sparql::is_wide(parameters)
    }

    /// Returns the path below which the target depends on all that there is; `None` if it depends on its sources and models
    /// only, or cannot be computed. `sources` are the IRIs of the sources.
    pub fn scope(
        &self,
        parameters: &[(String, String)],
        sources: &[&str],
        root: &str,
        limits: &Limits,
    ) -> Option<String> {
        if !self.sees_more_than_sources(parameters) {
            return None;
        }
        match sources {
            [source] => sparql::scope_path(parameters, source, root, limits),
            _ => None,
        }
    }

    /// Returns the model and the origin of the target, and what is wrong. Never fails: what is wrong is in the diagnosis.
    pub fn describe(&self, inputs: &Inputs<'_>) -> Description {
        (self.describe)(inputs)
    }

    /// Computes the obsels of the target.
    ///
    /// `state` is what the last computation that was stored gave, or `None` to start from scratch. It may be of other
    /// parameters, models, sources, or of another version of this program: it is then not used.
    ///
    /// # Errors
    /// `Conflict`: the trace cannot be computed; its text is for the client, and what the sink received is to be
    /// dropped. Those of the store and of the sink.
    pub fn compute(&self, inputs: &Inputs<'_>, state: Option<&[u8]>, sink: &mut dyn Sink) -> Result<Computed> {
        (self.compute)(inputs, state, sink).map_err(|stop| match stop {
            Stop::Problems(problems) => Error::Conflict(Diagnosis {
                title: self.obsels_title,
                problems,
            }),
            Stop::Error(error) => error,
        })
    }
}

/// What a method is given.
pub struct Inputs<'a> {
    /// The effective parameters, each name once: inherited ones, overridden by the nearer ones.
    pub parameters: &'a [(String, String)],
    /// The trace to compute.
    pub target: Target<'a>,
    /// The sources. In any order: they are a set.
    pub sources: &'a [Source],
    /// Gives the graph of a model of this server, or `None`. Nothing is ever fetched from elsewhere.
    pub model: &'a dyn Fn(&str) -> Option<Graph>,
    /// The IRIs of the traces whose obsels a query does not see, although they are in its scope: the target, and what follows
    /// from it.
    pub hidden: &'a HashSet<String>,
    /// The state of the store, where the target has the obsels that the last computation gave.
    pub reading: &'a dyn Reading,
    /// What a computation may use.
    pub limits: &'a Limits,
}

impl fmt::Debug for Inputs<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inputs")
            .field("parameters", &self.parameters)
            .field("target", &self.target)
            .field("sources", &self.sources)
            .finish_non_exhaustive()
    }
}

/// The trace to compute.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// Its IRI, which ends with `/`.
    pub iri: &'a str,
    /// Where its obsels are, or `None` while it has no place in the store: at its creation.
    pub trace: Option<TraceNumber>,
}

/// A trace from which another is computed.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its IRI, which ends with `/`.
    pub iri: String,
    /// Where its obsels are.
    pub trace: TraceNumber,
    /// The IRI of its model.
    pub model: Option<String>,
    /// Its origin, a literal.
    pub origin: Option<Term>,
    /// The IRI of its unit; `None`: milliseconds.
    pub unit: Option<String>,
    /// Its pseudo-monotonicity range, in its unit.
    pub pseudo_range: i64,
}

/// What a computation may use. Each limit is named in the diagnosis that it causes.
#[derive(Clone, Debug)]
pub struct Limits {
    /// How many tokens an automaton may have at once, running or pending.
    pub fsa_tokens: usize,
    /// How many methods a pipe or a parallel may have.
    pub sub_methods: usize,
    /// Whether a query may be asked about the whole store.
    pub allow_scope_store: bool,
    /// What runs commands, where that is allowed.
    pub external: Option<Arc<dyn Runner>>,
    /// What each query may take.
    pub queries: QueryLimits,
    /// How long a computation may take.
    pub time: Duration,
    /// When the present computation must have ended.
    pub deadline: Option<Instant>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            fsa_tokens: 10_000,
            sub_methods: 32,
            allow_scope_store: false,
            external: None,
            queries: QueryLimits::default(),
            time: Duration::from_secs(120),
            deadline: None,
        }
    }
}

/// What a method says of a trace before computing it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Description {
    /// The model, an absolute IRI.
    pub model: Option<String>,
    /// The origin, a literal.
    pub origin: Option<Term>,
    /// What prevents the computation.
    pub errors: Vec<String>,
    /// What does not.
    pub warnings: Vec<String>,
}

impl Description {
    /// Returns the diagnosis to keep in the trace, or `None` if there is nothing to say.
    pub fn diagnosis(&self, method: &Method) -> Option<Diagnosis> {
        let warnings = self.warnings.iter().map(|warning| format!("WARN: {warning}"));
        let problems = self.errors.iter().cloned().chain(warnings).collect();
        Diagnosis::check(method.description_title, problems).err()
    }
}

/// Where the obsels of the target go.
///
/// It starts with the obsels that the last computation gave. Nothing tells the end: the method returns.
pub trait Sink {
    /// Drops all the obsels of the target. Called first or never.
    ///
    /// # Errors
    /// The sink's own.
    fn clear(&mut self) -> Result<()>;

    /// Adds an obsel, or puts it in place of the one that has its id. In any order, but each id once after `clear`.
    ///
    /// # Errors
    /// The sink's own.
    fn put(&mut self, obsel: &Obsel<'_>) -> Result<()>;

    /// Drops the obsel of an id, which is there.
    ///
    /// # Errors
    /// The sink's own.
    fn remove(&mut self, id: &str) -> Result<()>;

    /// Returns the name of an IRI, for an obsel that is put in this sink. If the dictionary of the store has it not, the
    /// sink gives a number of its own, and writes the true one when it writes the obsels.
    ///
    /// # Errors
    /// Those of the store.
    fn name(&mut self, iri: &str) -> Result<Name>;
}

/// What a computation gives, beside the obsels.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Computed {
    /// To be given back the next time. Opaque.
    pub state: Vec<u8>,
    /// Statements to put in the description of the target, in place of those of the same predicate: predicate, object.
    pub properties: Vec<(&'static str, Term)>,
}

/// One of the traces through which a pipe or a parallel goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The IRI of the trace.
    pub iri: String,
    /// The IRI of its method.
    pub method: String,
    /// The IRI of its only source.
    pub source: String,
    /// Whether the target is computed from it.
    pub effective: bool,
}

/// Something that can be prepared from the inputs, or the problems that prevent it.
type Plan<T> = std::result::Result<T, Vec<String>>;

/// Why a computation stops.
#[derive(Debug)]
enum Stop {
    /// The trace cannot be computed.
    Problems(Vec<String>),
    /// The machine failed.
    Error(Error),
}

impl From<Vec<String>> for Stop {
    fn from(problems: Vec<String>) -> Self {
        Self::Problems(problems)
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Error(error.into())
    }
}
