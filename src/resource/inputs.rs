//! What a computed trace is computed from: its method and parameters, its sources, and the models that they name.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashSet};

use crate::error::{Diagnosis, Error, Result};
use crate::method::{self, Method, Source};
use crate::rdf::{Graph, as_iri, as_literal};
use crate::resource::path::below;
use crate::resource::{Settings, trace, unit};
use crate::store::{Entry, Kind, Reading};
use crate::vocab::ktbs;

/// What was gathered about a computed trace, but for the graphs of models.
#[derive(Clone, Debug)]
pub struct Gathered {
    /// The built-in method to which its method leads, or the IRI that leads nowhere.
    pub method: std::result::Result<&'static Method, String>,
    /// The effective parameters, each name once.
    pub parameters: Vec<(String, String)>,
    /// The traces that it declares as sources, in the order of their IRIs.
    pub declared: Vec<Source>,
    /// The intermediate traces that it has now.
    pub intermediate: Vec<String>,
    /// The traces from which its obsels are computed: the effective ones among the intermediate traces if it has any,
    /// else the declared sources.
    pub sources: Vec<Source>,
    limits: method::Limits,
}

impl Gathered {
    /// Gathers what the computed trace of an entry depends on.
    ///
    /// # Errors
    /// Those of the store.
    pub fn of(reading: &dyn Reading, entry: &Entry, settings: &Settings) -> Result<Self> {
        let iri = format!("{}{}", reading.root(), entry.head.path);
        let mut parameters = parameters_of(&entry.graph, &iri);
        let start = entry
            .graph
            .object_of(&iri, ktbs::HAS_METHOD)
            .and_then(as_iri)
            .unwrap_or_default();
        let method = match follow(reading, start, &mut parameters)? {
            // It does not exist where it is not allowed.
            Ok(method) if method.dangerous && settings.computing.external.is_none() => Err(method.iri.to_owned()),
            method => method,
        };
        let declared = sources(reading, &iris(&entry.graph, &iri, ktbs::HAS_SOURCE))?;
        let intermediate = iris(&entry.graph, &iri, ktbs::HAS_INTERMEDIATE_SOURCE);
        let mut gathered = Self {
            method,
            parameters,
            declared,
            intermediate,
            sources: Vec::new(),
            limits: settings.computing.clone(),
        };
        gathered.sources = match gathered.effective(&iri, reading) {
            Some(effective) => sources(reading, &effective)?,
            None => gathered.declared.clone(),
        };
        Ok(gathered)
    }

    /// Returns the path below which the query of the trace sees all; `None` if it sees its source only.
    pub fn scope(&self, root: &str) -> Option<String> {
        let sources: Vec<&str> = self.declared.iter().map(|source| source.iri.as_str()).collect();
        self.method
            .as_ref()
            .ok()?
            .scope(&self.parameters, &sources, root, &self.limits)
    }

    /// Returns the intermediate traces from which the obsels are computed, if the method goes through any.
    fn effective(&self, iri: &str, reading: &dyn Reading) -> Option<Vec<String>> {
        let steps = self.steps(iri, reading)?.ok()?;
        Some(
            steps
                .into_iter()
                .filter(|step| step.effective)
                .map(|step| step.iri)
                .collect(),
        )
    }

    /// Returns the steps of the method, if it has any; the error is what prevents them.
    pub fn steps(&self, iri: &str, reading: &dyn Reading) -> Option<Result<Vec<method::Step>>> {
        let method = *self.method.as_ref().ok()?;
        let models = Models::new(reading);
        let lookup = |iri: &str| models.graph(iri);
        let target = method::Target { iri, trace: None };
        let inputs = method::Inputs {
            parameters: &self.parameters,
            target,
            sources: &self.declared,
            model: &lookup,
            hidden: &HashSet::new(),
            reading,
            limits: &self.limits,
        };
        let steps = method.steps(&inputs)?;
        Some(steps.and_then(|steps| {
            let mut problems = Vec::new();
            for step in &steps {
                if !is_free(reading, iri, &step.iri)? {
                    problems.push(format!(
                        "The intermediate trace <{}> would take the place of another resource",
                        step.iri
                    ));
                }
            }
            Diagnosis::check(method.description_title, problems).map_err(Error::Conflict)?;
            Ok(steps)
        }))
    }

    /// Returns a digest of all that the description of the trace follows from, models aside.
    pub fn digest(&self) -> u128 {
        let mut text = match &self.method {
            Ok(method) => method.iri.to_owned(),
            Err(iri) => format!("?{iri}"),
        };
        // The debug form of each part is quoted, so that two different lists never give one text.
        text.push_str(&format!("{:?}{:?}{:?}", self.parameters, self.declared, self.sources));
        crate::digest::fnv128(text.as_bytes())
    }
}

/// Returns the IRIs that are values of a property of a resource, sorted.
fn iris(graph: &Graph, iri: &str, property: &str) -> Vec<String> {
    let mut iris: Vec<String> = graph
        .objects_of(iri, property)
        .filter_map(as_iri)
        .map(str::to_owned)
        .collect();
    iris.sort_unstable();
    iris
}

/// Returns the own parameters of a trace or of a method: name, value, in the order of the names.
fn parameters_of(graph: &Graph, iri: &str) -> Vec<(String, String)> {
    let literals = graph.objects_of(iri, ktbs::HAS_PARAMETER).filter_map(as_literal);
    let mut parameters: Vec<(String, String)> = literals
        .filter_map(|literal| literal.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    parameters.sort_unstable();
    parameters.dedup_by(|next, kept| next.0 == kept.0);
    parameters
}

/// Follows a method to the built-in one from which it descends, and adds the parameters that are not overridden. Returns
/// the last IRI where it leads nowhere.
fn follow(
    reading: &dyn Reading,
    start: &str,
    parameters: &mut Vec<(String, String)>,
) -> Result<std::result::Result<&'static Method, String>> {
    let mut known: HashSet<String> = parameters.iter().map(|(name, _)| name.clone()).collect();
    let mut seen = HashSet::new();
    let mut current = start.to_owned();
    loop {
        if let Some(method) = method::find(&current) {
            return Ok(Ok(method));
        }
        let entry = match below(reading.root(), &current) {
            Some(path) => reading.entry(path)?.filter(|entry| entry.head.kind == Kind::Method),
            None => None,
        };
        let Some(entry) = entry.filter(|_| seen.insert(current.clone())) else {
            return Ok(Err(current));
        };
        for (name, value) in parameters_of(&entry.graph, &current) {
            if known.insert(name.clone()) {
                parameters.push((name, value));
            }
        }
        match entry
            .graph
            .object_of(&current, ktbs::HAS_PARENT_METHOD)
            .and_then(as_iri)
        {
            Some(parent) => current = parent.to_owned(),
            None => return Ok(Err(current)),
        }
    }
}

/// Tells whether the query of a computed trace sees more than its source.
///
/// # Errors
/// Those of the store.
pub fn is_wide(reading: &dyn Reading, entry: &Entry) -> Result<bool> {
    let iri = format!("{}{}", reading.root(), entry.head.path);
    let mut parameters = parameters_of(&entry.graph, &iri);
    let start = entry.graph.object_of(&iri, ktbs::HAS_METHOD).and_then(as_iri);
    let method = follow(reading, start.unwrap_or_default(), &mut parameters)?;
    Ok(method.is_ok_and(|method| method.sees_more_than_sources(&parameters)))
}

/// Returns what a method must know of traces; those that do not exist are left out.
fn sources(reading: &dyn Reading, iris: &[String]) -> Result<Vec<Source>> {
    let mut sources = Vec::with_capacity(iris.len());
    for iri in iris {
        let entry = match below(reading.root(), iri) {
            Some(path) => reading.entry(path)?,
            None => None,
        };
        let Some((trace, entry)) = entry.and_then(|entry| Some((entry.head.trace?, entry))) else {
            continue;
        };
        let model = entry
            .graph
            .object_of(iri, ktbs::HAS_MODEL)
            .and_then(as_iri)
            .map(str::to_owned);
        let unit = match &model {
            Some(model) => unit::of_model(reading, model)?,
            None => None,
        };
        sources.push(Source {
            iri: iri.clone(),
            trace,
            origin: entry.graph.object_of(iri, ktbs::HAS_ORIGIN).cloned(),
            unit: unit.or(entry.head.unit),
            pseudo_range: trace::pseudo_monotonicity_range(&entry.graph, iri),
            model,
        });
    }
    Ok(sources)
}

/// Gives the graphs of models, and remembers which were asked for, so that it can be told later whether they changed.
pub struct Models<'r> {
    reading: &'r dyn Reading,
    asked: RefCell<BTreeMap<String, u64>>,
}

impl<'r> Models<'r> {
    /// Returns the models of a state of the store.
    pub fn new(reading: &'r dyn Reading) -> Self {
        Self {
            reading,
            asked: RefCell::default(),
        }
    }

    /// Returns the graph of a model of this server, or `None`.
    pub fn graph(&self, iri: &str) -> Option<Graph> {
        let path = below(self.reading.root(), iri)?;
        // An unreadable model is as good as none here: the read that needs it will tell.
        let entry = self.reading.entry(path).ok().flatten();
        let tag = entry.as_ref().map_or(0, |entry| entry.head.tag.count);
        self.asked.borrow_mut().insert(path.to_owned(), tag);
        entry
            .filter(|entry| entry.head.kind == Kind::TraceModel)
            .map(|entry| entry.graph)
    }

    /// Returns the paths of the models that were asked for, with the count of their tags, 0 if there was none.
    pub fn asked(&self) -> Vec<(String, u64)> {
        self.asked
            .borrow()
            .iter()
            .map(|(path, tag)| (path.clone(), *tag))
            .collect()
    }
}

/// Tells whether the IRI of an intermediate trace is free, or taken by an intermediate trace of the same target.
fn is_free(reading: &dyn Reading, target: &str, step: &str) -> Result<bool> {
    let Some(entry) = below(reading.root(), step)
        .map(|path| reading.entry(path))
        .transpose()?
        .flatten()
    else {
        return Ok(true);
    };
    Ok(entry.graph.contains_iris(target, ktbs::HAS_INTERMEDIATE_SOURCE, step))
}
