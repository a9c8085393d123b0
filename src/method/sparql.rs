//! Sparql: the obsels that a CONSTRUCT query makes of a trace (kTBS documentation, "sparql").

use std::collections::{HashMap, HashSet};

use super::elsewhere;
use super::params::{Parameters, is_used, substitute};
use super::term::path_of;
use super::{Computed, Description, Inputs, Method, Plan, Sink, Source, Stop, constructed, query, source};
use crate::rdf::{self, Graph};
use crate::sparql::{Builder, Context, Dataset, Form, Query, add_collection};
use crate::store::{Kind, links};
use crate::vocab::ktbs;

const NAME: &str = "ktbs:sparql";

pub(super) static METHOD: Method = Method {
    iri: ktbs::SPARQL,
    description_title: "sparql.compute_trace_description",
    obsels_title: "sparql.compute_obsels",
    dangerous: false,
    steps: None,
    describe: |inputs| prepare(inputs).0,
    compute,
};

/// What a query is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    /// The obsels of the source.
    Trace,
    /// The base of the source, sub-bases included.
    Base,
    /// The whole store.
    Store,
}

/// A query, ready.
struct Ready<'a> {
    query: Query,
    scope: Scope,
    inherits: bool,
    source: &'a Source,
}

fn prepare<'a>(inputs: &Inputs<'a>) -> (Description, Option<Ready<'a>>) {
    let mut description = Description::default();
    let source = match source::only(inputs, NAME) {
        Ok(source) => source,
        Err(errors) => {
            description.errors = errors;
            return (description, None);
        }
    };
    let mut parameters = Parameters::new(inputs.parameters);
    // An empty origin is none here, unlike elsewhere.
    description.model = source::model(inputs, &mut parameters).or_else(|| source.model.clone());
    description.origin = parameters
        .text("origin")
        .filter(|origin| !origin.is_empty())
        .map(rdf::string)
        .or_else(|| source.origin.clone());
    let scope = parameters
        .text("scope")
        .map_or(Ok(Scope::Trace), |scope| self::scope(scope, inputs));
    let inherits = parameters.text("inherit").is_some();
    let text = parameters.text("sparql");
    if text.is_none() {
        parameters
            .errors
            .push(format!("Method {NAME} requires parameter sparql"));
    }
    let query = text.map(|text| parse(inputs, source, text));
    parameters.warn_unused(
        |name| text.is_some_and(|text| is_used(text, name)),
        &format!("{NAME} nor by the SPARQL query"),
    );
    let mut errors = std::mem::take(&mut parameters.errors);
    let scope = scope.map_err(|problem| errors.push(problem));
    let query = query.map(|query| query.map_err(|problems| errors.extend(problems)));
    (description.errors, description.warnings) = (errors, parameters.warnings);
    match (query, scope) {
        (Some(Ok(query)), Ok(scope)) if description.errors.is_empty() => (
            description,
            Some(Ready {
                query,
                scope,
                inherits,
                source,
            }),
        ),
        _ => (description, None),
    }
}

fn scope(text: &str, inputs: &Inputs<'_>) -> Result<Scope, String> {
    match text {
        "trace" | "graph" => Ok(Scope::Trace),
        "base" => Ok(Scope::Base),
        "store" if inputs.limits.allow_scope_store => Ok(Scope::Store),
        "store" => {
            Err("Scope 'store' must be explicitly allowed in the configuration, as it raises privacy issues".into())
        }
        other => Err(format!(
            "Parameter scope has illegal value: {}",
            super::params::cut(other)
        )),
    }
}

/// Parses the query, once its parameters are in it.
fn parse(inputs: &Inputs<'_>, source: &Source, text: &str) -> Plan<Query> {
    let mut values: HashMap<&str, &str> = inputs
        .parameters
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    values.insert("__destination__", inputs.target.iri);
    values.insert("__source__", &source.iri);
    let text = substitute(text, &values).map_err(|problem| vec![problem])?;
    let base = format!("{}@obsels", source.iri);
    let context = Context {
        base: Some(&base),
        prefixes: &[],
    };
    let query = Query::parse(&text, context, &query::limits(inputs)).map_err(|error| vec![query::reason(&error)])?;
    match query.form() {
        Form::Construct => Ok(query),
        _ => Err(vec!["CONSTRUCT query expected".to_owned()]),
    }
}

/// Tells whether parameters make a query see more than the source of the trace.
pub(super) fn is_wide(parameters: &[(String, String)]) -> bool {
    super::params::find(parameters, "scope").is_some_and(|scope| scope == "base" || scope == "store")
}

/// Returns the path of what a query sees besides the source of its trace.
pub(super) fn scope_path(
    parameters: &[(String, String)],
    source: &str,
    root: &str,
    limits: &super::Limits,
) -> Option<String> {
    match super::params::find(parameters, "scope")? {
        "base" => Some(base_of(path_of(root, source)).to_owned()),
        "store" if limits.allow_scope_store => Some(String::new()),
        _ => None,
    }
}

/// Returns the path of the base of a trace, given its own.
fn base_of(path: &str) -> &str {
    let end = path.trim_end_matches('/').rfind('/');
    end.map_or("", |slash| &path[..=slash])
}

fn compute(inputs: &Inputs<'_>, _state: Option<&[u8]>, sink: &mut dyn Sink) -> Result<Computed, Stop> {
    let ready = match prepare(inputs) {
        (_, Some(ready)) => ready,
        (description, None) => return Err(description.errors.into()),
    };
    let dataset = match ready.scope {
        // What is inherited is read from the obsels themselves.
        Scope::Trace => query::obsels(inputs, ready.source, ready.query.predicates())?,
        Scope::Base => below(inputs, base_of(path_of(inputs.reading.root(), &ready.source.iri)))?,
        Scope::Store => below(inputs, "")?,
    };
    let mut graph = ready.query.construct(&dataset)?;
    if ready.inherits {
        inherit(inputs, ready.source, &mut graph)?;
    }
    let problems = constructed::put(inputs, &graph, sink)?;
    if problems.is_empty() {
        Ok(Computed::default())
    } else {
        Err(problems.into())
    }
}

/// Returns the graphs of the resources at and below a path, and the obsels of all the traces that are not hidden.
fn below(inputs: &Inputs<'_>, path: &str) -> Result<Dataset, Stop> {
    let root = inputs.reading.root();
    let mut builder = Builder::new();
    let mut traces = Vec::new();
    inputs.reading.for_each_below(path, &mut |entry| {
        let iri = format!("{root}{}", entry.head.path);
        builder.start_graph(&iri);
        builder.add(&entry.graph);
        builder.add(&links::users(inputs.reading, &entry.head.path)?);
        builder.check()?;
        if let Some(number) = entry.head.trace
            && !inputs.hidden.contains(&iri)
        {
            traces.push((iri, number, entry.head.kind));
        }
        Ok(())
    })?;
    for (iri, number, kind) in &traces {
        let class = if *kind == Kind::ComputedTrace {
            ktbs::COMPUTED_TRACE_OBSELS
        } else {
            ktbs::STORED_TRACE_OBSELS
        };
        builder.start_graph(&format!("{iri}@obsels"));
        add_collection(&mut builder, inputs.reading, *number, iri, class)?;
    }
    Ok(builder.finish())
}

/// Gives to each new obsel the properties of the obsel it comes from that it does not have itself, each with all its
/// values.
fn inherit(inputs: &Inputs<'_>, source: &Source, graph: &mut Graph) -> Result<(), Stop> {
    let Some(has_source) = graph.iri_id(ktbs::HAS_SOURCE_OBSEL) else {
        return Ok(());
    };
    let derived: Vec<(rdf::Term, rdf::Term)> = graph
        .ids()
        .filter(|triple| triple[1] == has_source)
        .map(|[s, _, o]| (graph.term(s).clone(), graph.term(o).clone()))
        .collect();
    let mut has: HashSet<(rdf::Term, rdf::Term)> = graph.iter().map(|[s, p, _]| (s.clone(), p.clone())).collect();
    let has_trace = rdf::iri(ktbs::HAS_TRACE);
    let speller = crate::store::views::Speller::new(inputs.reading, &source.iri);
    for (new, old) in derived {
        graph.insert(&new, &has_trace, &rdf::iri(inputs.target.iri));
        has.insert((new.clone(), has_trace.clone()));
        let Some(id) = rdf::as_iri(&old).and_then(|iri| iri.strip_prefix(source.iri.as_str())) else {
            continue;
        };
        let Some(obsel) = inputs.reading.obsel(source.trace, id)? else {
            continue;
        };
        let mut description = Vec::new();
        speller.for_each_triple(&obsel, &mut |triple| description.push(triple))?;
        elsewhere::for_each_arc(inputs.reading, source.trace, id, &mut |other, _| {
            Ok(speller.for_each_triple(other, &mut |triple| {
                if triple[0] == old || rdf::is_blank(&triple[0]) {
                    description.push(triple);
                }
            })?)
        })?;
        let mut blanks = Vec::new();
        let mut insert = |subject: &rdf::Term, p: &rdf::Term, o: &rdf::Term, blanks: &mut Vec<rdf::Term>| {
            if graph.insert(subject, p, o) && rdf::is_blank(o) {
                blanks.push(o.clone());
            }
        };
        for [s, p, o] in &description {
            if *s == old && !has.contains(&(new.clone(), p.clone())) {
                insert(&new, p, o, &mut blanks);
            }
        }
        // A blank node comes with what is said of it.
        while let Some(node) = blanks.pop() {
            for [s, p, o] in &description {
                if *s == node {
                    insert(s, p, o, &mut blanks);
                }
            }
        }
    }
    Ok(())
}
