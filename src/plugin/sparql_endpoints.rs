//! Every resource as a SPARQL endpoint (SPARQL 1.1 Protocol): queries by GET, by a form, or as the body of a POST;
//! updates where `[sparql] update_endpoints` allows them.

use super::{Answer, Asked, NOTHING, Steps};
use crate::error::{Error, Result};
use crate::format::{Format, JSON_LD, N_TRIPLES, Prefixes, RDF_XML, TURTLE};
use crate::rdf::Graph;
use crate::resource::view::Content;
use crate::resource::{Expected, Part, Shape, View};
use crate::sparql::{self, Builder, Context, Dataset, Form, Obsels, Query, Syntax, Update, add_collection};

/// What the plugin does.
pub const STEPS: Steps = Steps { answer, ..NOTHING };

const QUERY: &str = "application/sparql-query";
const UPDATE: &str = "application/sparql-update";
const FORM: &str = "application/x-www-form-urlencoded";

/// How many times an update is begun again because the resource has changed meanwhile.
const ATTEMPTS: usize = 5;

/// The syntaxes of rows, the preferred first. A client that accepts none gets JSON.
static ROWS: [Syntax; 4] = [Syntax::Xml, Syntax::Json, Syntax::Csv, Syntax::Tsv];

/// The media types of graphs, the preferred first. A client that accepts none gets the first one. Those that the Python
/// kTBS does not know come last, so that no default changes.
static GRAPHS: [(&str, &Format); 10] = [
    ("text/turtle", &TURTLE),
    ("application/rdf+xml", &RDF_XML),
    ("application/n-triples", &N_TRIPLES),
    ("text/plain", &N_TRIPLES),
    ("application/ld+json", &JSON_LD),
    ("text/n3", &TURTLE),
    ("application/x-turtle", &TURTLE),
    ("application/turtle", &TURTLE),
    ("application/xml", &RDF_XML),
    ("text/nt", &N_TRIPLES),
];

/// Returns the media types of all that may be answered; some come twice.
pub(super) fn results() -> impl Iterator<Item = &'static str> {
    let graphs = GRAPHS.iter().map(|(media_type, _)| *media_type);
    ROWS.iter().map(|syntax| syntax.media_type()).chain(graphs)
}

/// What a query or an update is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    /// The state of the resource, as one graph.
    Graph,
    /// All the graphs whose names start with the IRI of the resource, and their union.
    Subtree,
}

/// Answers a GET with `query`, and a POST of one of the media types of the protocol.
fn answer(asked: &Asked<'_>) -> Option<Result<Answer>> {
    let is_get = asked.method == ::http::Method::GET;
    if is_get && asked.parameters.iter().any(|(name, _)| name == "query") {
        return Some(check(asked.parameters).and_then(|scope| by_parameters(asked, asked.parameters, scope)));
    }
    if asked.method != ::http::Method::POST || ![QUERY, UPDATE, FORM].contains(&asked.media_type) {
        return None;
    }
    Some((asked.body)().and_then(|body| match asked.media_type {
        FORM => {
            let form = (asked.form)(&body)?;
            by_parameters(asked, &form, check(&form)?)
        }
        QUERY => query(asked, &body, check(asked.parameters)?),
        _ => update(asked, &body, check(asked.parameters)?),
    }))
}

/// Checks the parameters of the protocol, and returns the scope.
fn check(parameters: &[(String, String)]) -> Result<Scope> {
    if let Some((name, _)) = parameters.iter().find(|(name, _)| name.ends_with("graph-uri")) {
        return Err(Error::BadRequest(format!(
            "{name} is not supported: the data is that of the resource"
        )));
    }
    let mut scopes = parameters
        .iter()
        .filter(|(name, _)| name == "scope")
        .map(|(_, value)| value.as_str());
    match (scopes.next(), scopes.next()) {
        (_, Some(_)) => Err(Error::BadRequest("Multiple values for 'scope'.".into())),
        (None | Some("graph"), None) => Ok(Scope::Graph),
        (Some("subtree"), None) => Ok(Scope::Subtree),
        (Some(other), None) => Err(Error::BadRequest(format!(
            "Unsupported scope '{}'.",
            other.escape_debug()
        ))),
    }
}

fn by_parameters(asked: &Asked<'_>, parameters: &[(String, String)], scope: Scope) -> Result<Answer> {
    let value = |name: &str| {
        parameters
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, value)| value.as_str())
    };
    match (value("query"), value("update")) {
        (Some(text), None) => query(asked, text, scope),
        (None, Some(text)) if asked.method == ::http::Method::POST => update(asked, text, scope),
        (Some(_), Some(_)) => Err(Error::BadRequest("Both a query and an update".into())),
        _ => Err(Error::BadRequest("Query not provided".into())),
    }
}

fn query(asked: &Asked<'_>, text: &str, scope: Scope) -> Result<Answer> {
    let context = Context {
        base: Some(&asked.target.iri),
        prefixes: &[],
    };
    let query = Query::parse(text, context, &asked.service.settings.computing.queries).map_err(bad_query)?;
    if scope == Scope::Graph && query.has_graph() {
        return Err(Error::invalid(
            "You performed a query operation requiring a dataset (i.e. ConjunctiveGraph), but operating currently on a \
            single graph.",
        ));
    }
    let dataset = match scope {
        Scope::Graph => graph(asked, query.predicates())?,
        Scope::Subtree => subtree(asked)?,
    };
    match query.form() {
        Form::Select => rows(asked, &query, &dataset, &ROWS),
        Form::Ask => rows(asked, &query, &dataset, &ROWS[..2]),
        Form::Construct | Form::Describe => constructed(asked, &query, &dataset),
    }
}

/// Tells a query that cannot be parsed from a payload that cannot.
fn bad_query(error: Error) -> Error {
    match error {
        Error::Parse(text) => Error::BadQuery(text),
        other => other,
    }
}

fn rows(asked: &Asked<'_>, query: &Query, dataset: &Dataset, syntaxes: &[Syntax]) -> Result<Answer> {
    let media_types: Vec<&str> = syntaxes.iter().map(|syntax| syntax.media_type()).collect();
    let syntax = (asked.preferred)(&media_types).map_or(Syntax::Json, |index| syntaxes[index]);
    let mut body = Vec::new();
    sparql::write(query, dataset, syntax, &mut body)?;
    Ok(Answer {
        media_type: syntax.media_type(),
        body,
    })
}

fn constructed(asked: &Asked<'_>, query: &Query, dataset: &Dataset) -> Result<Answer> {
    let (media_type, format) =
        (asked.preferred)(&GRAPHS.map(|(media_type, _)| media_type)).map_or(GRAPHS[0], |index| GRAPHS[index]);
    let view = View {
        iri: asked.target.iri.clone(),
        shape: Shape::DataGraph,
        tags: Vec::new(),
        modified: None,
        links: Vec::new(),
        model: None,
        content: Content::Graph(query.construct(dataset)?),
    };
    let write = format
        .write
        .ok_or_else(|| Error::Serialize(format!("{} is never written", format.name)))?;
    let mut body = Vec::new();
    write(&view, &Prefixes(asked.config.prefixes.clone()), &mut body)?;
    Ok(Answer { media_type, body })
}

/// Returns the state of the resource as a dataset, with the predicates that a query needs.
fn graph(asked: &Asked<'_>, predicates: Option<&[String]>) -> Result<Dataset> {
    let view = asked.service.read(asked.service.find(&asked.target.iri)?, &[])?;
    let mut builder = Builder::keeping(predicates);
    match &view.content {
        Content::Graph(graph) => builder.add(graph),
        Content::Obsels(obsels) if view.shape == Shape::Obsel => {
            let mut added = Obsels::new(&mut builder, obsels.snapshot(), &obsels.trace);
            obsels.for_each(&mut |obsel| added.add(obsel))?;
        }
        Content::Obsels(obsels) => {
            add_collection(
                &mut builder,
                obsels.snapshot(),
                obsels.number(),
                &obsels.trace,
                obsels.collection_type,
            )?;
        }
    }
    Ok(builder.finish())
}

/// Returns the graphs of the resource and of all that is below it.
fn subtree(asked: &Asked<'_>) -> Result<Dataset> {
    let mut builder = Builder::new();
    asked.service.for_each_graph(&asked.target.iri, &mut |part| {
        match part {
            Part::Graph(name, graph) => {
                builder.start_graph(name);
                builder.add(graph);
                builder.check()?;
            }
            Part::Obsels {
                snapshot,
                trace,
                number,
                collection_type,
            } => {
                builder.start_graph(&format!("{trace}@obsels"));
                add_collection(&mut builder, snapshot, number, trace, collection_type)?;
            }
        }
        Ok(())
    })?;
    Ok(builder.finish())
}

/// Applies an update to the state of the resource, under the rules of a PUT.
fn update(asked: &Asked<'_>, text: &str, scope: Scope) -> Result<Answer> {
    if !asked.config.sparql.update_endpoints {
        return Err(Error::invalid(
            "SPARQL updates are not allowed: update_endpoints is off in [sparql]",
        ));
    }
    if scope == Scope::Subtree {
        return Err(Error::BadRequest(
            "Unsupported scope 'subtree' for SPARQL update.".into(),
        ));
    }
    apply(asked, text).map_err(bad_update)?;
    Ok(Answer {
        media_type: "text/plain",
        body: b"200 Ok\nUpdate query executed".to_vec(),
    })
}

/// Applies an update to what the resource is now; begins again if it changes meanwhile.
fn apply(asked: &Asked<'_>, text: &str) -> Result<()> {
    let service = asked.service;
    service.check_replaceable(asked.target, &[])?;
    let context = Context {
        base: Some(&asked.target.iri),
        prefixes: &[],
    };
    let update = Update::parse(text, context, &service.settings.computing.queries)?;
    for _ in 0..ATTEMPTS {
        let target = service.find(&asked.target.iri)?;
        let expected = Expected::Tags(target.tags()?);
        let view = service.read(target, &[])?;
        let before = match view.content {
            Content::Graph(graph) => graph,
            Content::Obsels(obsels) => obsels.graph()?,
        };
        let after: Graph = update.apply(&before)?;
        match service.replace(service.find(&asked.target.iri)?, &expected, after) {
            Err(Error::EtagMismatch) => {}
            result => return result.map(|_| ()),
        }
    }
    Err(Error::Timeout("the resource keeps changing; try again".to_owned()))
}

/// Says of an update what a PUT says of the state that it would make.
fn bad_update(error: Error) -> Error {
    match error {
        Error::Parse(text) => Error::BadUpdate(text),
        Error::InvalidData(diagnosis) | Error::Conflict(diagnosis) => Error::BadUpdate(diagnosis.to_string()),
        Error::NotAllowed { message, .. } => Error::BadUpdate(message),
        other => other,
    }
}
