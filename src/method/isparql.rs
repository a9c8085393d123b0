//! Isparql: one obsel for each row of a SELECT query (kTBS documentation, "isparql").

use std::collections::{HashMap, HashSet};

use super::params::{Parameters, is_used, substitute};
use super::term::{is_obsel_id, value};
use super::{Computed, Description, Inputs, Method, Plan, Sink, Source, Stop, constructed, query, source};
use crate::obsel::{Arc, Obsel, Value};
use crate::rdf::{Term, as_iri, as_literal};
use crate::sparql::{Context, Form, Query};
use crate::vocab::ktbs;

/// What the query must have, where the obsels of the source come in.
const PLACEHOLDER: &str = "%(__subselect__)s";

pub(super) static METHOD: Method = Method {
    iri: ktbs::ISPARQL,
    description_title: "compute_trace_description for <http://liris.cnrs.fr/silex/2009/ktbs#isparql>",
    obsels_title: "compute_obsels for <http://liris.cnrs.fr/silex/2009/ktbs#isparql>",
    dangerous: false,
    steps: None,
    describe: |inputs| prepare(inputs).0,
    compute,
};

struct Ready<'a> {
    query: Query,
    source: &'a Source,
    model: String,
}

fn prepare<'a>(inputs: &Inputs<'a>) -> (Description, Option<Ready<'a>>) {
    let mut description = Description::default();
    let source = match source::only(inputs, &format!("<{}>", ktbs::ISPARQL)) {
        Ok(source) => source,
        Err(errors) => {
            description.errors = errors;
            return (description, None);
        }
    };
    let mut parameters = Parameters::new(inputs.parameters);
    source::describe(inputs, source, &mut parameters, &mut description);
    let text = parameters.required("sparql");
    let query = text.map(|text| parse(inputs, source, text));
    let used = |name: &str| text.is_some_and(|text| is_used(text, name));
    parameters.warn_unused(used, &format!("<{}>", ktbs::ISPARQL));
    let query = query.map(|query| query.map_err(|problems| parameters.errors.extend(problems)));
    (description.errors, description.warnings) = (parameters.errors, parameters.warnings);
    let model = description.model.clone().unwrap_or_default();
    match query {
        Some(Ok(query)) if description.errors.is_empty() => (description, Some(Ready { query, source, model })),
        _ => (description, None),
    }
}

/// Parses the query, once its parameters and the obsels of the source are in it.
fn parse(inputs: &Inputs<'_>, source: &Source, text: &str) -> Plan<Query> {
    if !text.contains(PLACEHOLDER) {
        return Err(vec![format!(
            "sparql parameter must include '{PLACEHOLDER}' placeholder"
        )]);
    }
    let obsels = format!(
        "{{ SELECT (?obs as ?sourceObsel) (?b as ?sourceBegin) (?e as ?sourceEnd) WHERE {{ ?obs \
        <{}> <{}> ; <{}> ?b ; <{}> ?e }} ORDER BY ?e ?b ?obs }}",
        ktbs::HAS_TRACE,
        source.iri,
        ktbs::HAS_BEGIN,
        ktbs::HAS_END
    );
    let mut values: HashMap<&str, &str> = inputs
        .parameters
        .iter()
        .filter(|(name, _)| name != "sparql")
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    values.insert("__subselect__", &obsels);
    let text = substitute(text, &values).map_err(|problem| vec![problem])?;
    let prefixes = [("ktbs", crate::vocab::KTBS)];
    let context = Context {
        base: None,
        prefixes: &prefixes,
    };
    let query = Query::parse(&text, context, &query::limits(inputs)).map_err(|error| vec![query::reason(&error)])?;
    if query.form() != Form::Select {
        return Err(vec!["SELECT query expected".to_owned()]);
    }
    let variables = query.variables();
    let missing = ["sourceObsel", "begin", "type"]
        .iter()
        .filter(|name| !variables.iter().any(|it| it == *name));
    let missing: Vec<String> = missing.map(|name| format!("no ?{name} in the SPARQL result")).collect();
    if missing.is_empty() { Ok(query) } else { Err(missing) }
}

/// What a column of the result becomes.
enum Column {
    SourceObsel,
    Type,
    Begin,
    End,
    Property(String),
}

fn column(variable: &str, model: &str) -> Column {
    match variable {
        "sourceObsel" => Column::SourceObsel,
        "type" => Column::Type,
        "begin" => Column::Begin,
        "end" => Column::End,
        "beginDT" => Column::Property(ktbs::HAS_BEGIN_DT.to_owned()),
        "endDT" => Column::Property(ktbs::HAS_END_DT.to_owned()),
        "subject" => Column::Property(ktbs::HAS_SUBJECT.to_owned()),
        name if name.starts_with("sourceObsel") => Column::Property(ktbs::HAS_SOURCE_OBSEL.to_owned()),
        name => {
            let model = model.split('#').next().unwrap_or(model);
            Column::Property(format!("{model}#{name}"))
        }
    }
}

fn compute(inputs: &Inputs<'_>, _state: Option<&[u8]>, sink: &mut dyn Sink) -> Result<Computed, Stop> {
    let ready = match prepare(inputs) {
        (_, Some(ready)) => ready,
        (description, None) => return Err(description.errors.into()),
    };
    let dataset = query::obsels(inputs, ready.source, ready.query.predicates())?;
    let columns: Vec<Column> = ready
        .query
        .variables()
        .iter()
        .map(|name| column(name, &ready.model))
        .collect();
    sink.clear()?;
    // The first row of each source obsel makes an obsel, the others are ignored.
    let mut seen: HashSet<String> = HashSet::new();
    let mut problems = Vec::new();
    let mut failed = None;
    ready
        .query
        .select(&dataset, &mut |row| {
            match row_obsel(inputs, ready.source, &columns, &row, &mut seen, sink) {
                Ok(Some(problem)) if problems.len() < 20 => problems.push(problem),
                Ok(_) => {}
                Err(stop) => {
                    failed = Some(stop);
                    return Err(crate::error::Error::Internal("the sink failed".into()));
                }
            }
            Ok(())
        })
        .map_err(|error| failed.take().unwrap_or(Stop::Error(error)))?;
    if problems.is_empty() {
        Ok(Computed::default())
    } else {
        Err(problems.into())
    }
}

/// Gives the obsel of a row to the sink; returns why it is none.
fn row_obsel(
    inputs: &Inputs<'_>,
    source: &Source,
    columns: &[Column],
    row: &[Option<Term>],
    seen: &mut HashSet<String>,
    sink: &mut dyn Sink,
) -> Result<Option<String>, Stop> {
    let cells = || {
        columns
            .iter()
            .zip(row)
            .filter_map(|(column, cell)| Some((column, cell.as_ref()?)))
    };
    let from = cells().find_map(|(column, cell)| matches!(column, Column::SourceObsel).then_some(cell));
    let Some(from) = from else {
        return Ok(Some("a row has no ?sourceObsel".to_owned()));
    };
    let id = as_iri(from)
        .and_then(|iri| iri.strip_prefix(source.iri.as_str()))
        .filter(|id| is_obsel_id(id));
    let Some(id) = id else {
        return Ok(Some(format!("?sourceObsel is no obsel of the source: {from:?}")));
    };
    if !seen.insert(id.to_owned()) {
        return Ok(None);
    }
    let mut obsel = Obsel { id, ..Obsel::default() };
    let (mut begin, mut end) = (None, None);
    for (column, cell) in cells() {
        match column {
            Column::SourceObsel => {
                let object = value(inputs, cell, sink)?.unwrap_or(Value::Obsel(id));
                obsel.arcs.push(Arc {
                    predicate: sink.name(ktbs::HAS_SOURCE_OBSEL)?,
                    object,
                });
            }
            Column::Type => match as_iri(cell) {
                Some(class) => obsel.types.push(Value::Named(sink.name(class)?)),
                None => return Ok(Some(format!("the type of {id} is no IRI"))),
            },
            Column::Begin | Column::End => {
                let Some(time) = as_literal(cell).and_then(|text| text.trim().parse::<i64>().ok()) else {
                    return Ok(Some(format!("a timestamp of {id} is no integer (64 bits)")));
                };
                *(if matches!(column, Column::Begin) {
                    &mut begin
                } else {
                    &mut end
                }) = Some(time);
            }
            Column::Property(property) => {
                if let Some(object) = value(inputs, cell, sink)? {
                    obsel.arcs.push(Arc {
                        predicate: sink.name(property)?,
                        object,
                    });
                }
            }
        }
    }
    let Some(begin) = begin else {
        return Ok(Some(format!("{id} has no begin")));
    };
    if obsel.types.is_empty() {
        return Ok(Some(format!("{id} has no type")));
    }
    (obsel.begin, obsel.end) = (begin, end.unwrap_or(begin));
    if obsel.end < obsel.begin {
        return Ok(Some(format!("{id} ends before it begins")));
    }
    constructed::sort(&mut obsel.arcs, sink)?;
    sink.put(&obsel)?;
    Ok(None)
}
