//! Isparql: one obsel for each row of a SELECT query (kTBS documentation, "isparql").

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap, HashSet};

use super::constructed::Order;
use super::params::{Parameters, is_used, substitute};
use super::progress::News;
use super::property::Property;
use super::term::{is_obsel_id, value};
use super::{Computed, Description, Inputs, Method, Plan, Sink, Source, Stop, query, selection, source};
use crate::obsel::{Arc, Obsel, Value};
use crate::rdf::{Term, as_iri, as_literal};
use crate::sparql::{Context, Dataset, Form, Query};
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
    /// The text of the query, once all is in it.
    text: String,
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
    let model = description.model.clone().unwrap_or_default();
    let query = text.map(|text| parse(inputs, source, &model, text));
    let used = |name: &str| text.is_some_and(|text| is_used(text, name));
    parameters.warn_unused(used, &format!("<{}>", ktbs::ISPARQL));
    let query = query.map(|query| query.map_err(|problems| parameters.errors.extend(problems)));
    (description.errors, description.warnings) = (parameters.errors, parameters.warnings);
    match query {
        Some(Ok((query, text))) if description.errors.is_empty() => {
            let ready = Ready {
                query,
                text,
                source,
                model,
            };
            (description, Some(ready))
        }
        _ => (description, None),
    }
}

/// Parses the query, once its parameters and the obsels of the source are in it; returns it with its text.
fn parse(inputs: &Inputs<'_>, source: &Source, model: &str, text: &str) -> Plan<(Query, String)> {
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
    let reserved = variables.iter().filter_map(|name| match column(name, model) {
        Column::Property(iri) if Property::is_reserved(&iri) && !name.starts_with("sourceObsel") => Some(iri),
        _ => None,
    });
    let reserved = reserved
        .map(|iri| format!("<{iri}> can not be an attribute: the columns of the same meaning have other names"));
    let missing: Vec<String> = missing.into_iter().chain(reserved).collect();
    if missing.is_empty() {
        Ok((query, text))
    } else {
        Err(missing)
    }
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

fn compute(inputs: &Inputs<'_>, state: Option<&[u8]>, sink: &mut dyn Sink) -> Result<Computed, Stop> {
    let mut ready = match prepare(inputs) {
        (_, Some(ready)) => ready,
        (description, None) => return Err(description.errors.into()),
    };
    // Where the rows of an obsel may depend on any other, nothing can be kept; the order that a query asks for may too.
    let is_local = ready.query.is_about("sourceObsel") && !ready.query.is_ordered();
    if is_local {
        // The obsels of the source are given in order, which then serves nothing.
        ready.query.unsort();
    }
    let (source, query) = (ready.source, &ready.query);
    let columns: Vec<Column> = (query.variables().iter())
        .map(|name| column(name, &ready.model))
        .collect();
    let (news, computed) = selection::start(inputs, &(&ready.text, &ready.model), state.filter(|_| is_local), sink)?;
    let Some(bounds) = news.bounds() else {
        return Ok(computed);
    };
    let mut problems = Vec::new();
    if is_local {
        let former = match news {
            News::Since(_) => inputs.target.trace,
            News::Nothing | News::After(_) | News::Everything => None,
        };
        query::for_each_part(inputs, source, &bounds, query.predicates(), &mut |dataset, ids| {
            let rows = Rows::of(query, source, &columns, dataset, &mut problems)?;
            // An obsel of which something new is said may have no row any more.
            for id in ids.iter().filter(|id| !rows.best.contains_key(*id)) {
                if let Some(target) = former
                    && inputs.reading.has_obsel(target, id)?
                {
                    sink.remove(id)?;
                }
            }
            rows.put(inputs, &columns, &mut problems, sink)
        })?;
    } else {
        let dataset = query::obsels(inputs, source, query.predicates())?;
        Rows::of(query, source, &columns, &dataset, &mut problems)?.put(inputs, &columns, &mut problems, sink)?;
    }
    if problems.is_empty() {
        Ok(computed)
    } else {
        problems.truncate(SHOWN);
        Err(problems.into())
    }
}

/// How many problems are told.
const SHOWN: usize = 20;

/// The rows of a query, one for each obsel of the source that has some: the first one if the query says in which order they
/// come, else the least, which does not depend on how the query is evaluated.
struct Rows {
    /// By the ids of the obsels.
    best: BTreeMap<String, Vec<Option<Term>>>,
}

impl Rows {
    fn of(
        query: &Query,
        source: &Source,
        columns: &[Column],
        dataset: &Dataset,
        problems: &mut Vec<String>,
    ) -> Result<Self, Stop> {
        let from = columns.iter().position(|column| matches!(column, Column::SourceObsel));
        let mut best: BTreeMap<String, Vec<Option<Term>>> = BTreeMap::new();
        query.select(dataset, &mut |row| {
            let term = from.and_then(|index| row.get(index)?.as_ref());
            let id = term
                .and_then(as_iri)
                .and_then(|iri| iri.strip_prefix(source.iri.as_str()));
            let Some(id) = id.filter(|id| is_obsel_id(id)) else {
                if problems.len() < SHOWN {
                    problems.push(match term {
                        Some(term) => format!("?sourceObsel is no obsel of the source: {term:?}"),
                        None => "a row has no ?sourceObsel".to_owned(),
                    });
                }
                return Ok(());
            };
            match best.get_mut(id) {
                Some(former) if !query.is_ordered() && is_less(&row, former) => *former = row,
                Some(_) => {}
                None => {
                    best.insert(id.to_owned(), row);
                }
            }
            Ok(())
        })?;
        Ok(Self { best })
    }

    /// Makes an obsel of each row.
    fn put(
        &self,
        inputs: &Inputs<'_>,
        columns: &[Column],
        problems: &mut Vec<String>,
        sink: &mut dyn Sink,
    ) -> Result<(), Stop> {
        let order = Order::new(sink)?;
        for (id, row) in &self.best {
            match obsel(inputs, columns, id, row, &order, sink)? {
                Ok(obsel) => sink.put(&obsel)?,
                Err(problem) if problems.len() < SHOWN => problems.push(problem),
                Err(_) => {}
            }
        }
        Ok(())
    }
}

/// Tells whether a row comes before another, cell by cell: unbound first, then in the order of terms.
fn is_less(row: &[Option<Term>], other: &[Option<Term>]) -> bool {
    let orders = row.iter().zip(other).map(|cells| match cells {
        (Some(a), Some(b)) => sophia::api::term::Term::cmp(a, b),
        (a, b) => a.is_some().cmp(&b.is_some()),
    });
    orders.fold(Ordering::Equal, Ordering::then).is_lt()
}

/// Returns the obsel of a row, or why it makes none.
fn obsel<'r>(
    inputs: &Inputs<'_>,
    columns: &[Column],
    id: &'r str,
    row: &'r [Option<Term>],
    order: &Order,
    sink: &mut dyn Sink,
) -> Result<Result<Obsel<'r>, String>, Stop> {
    let mut obsel = Obsel { id, ..Obsel::default() };
    let (mut begin, mut end) = (None, None);
    let cells = columns.iter().zip(row);
    for (column, cell) in cells.filter_map(|(column, cell)| Some((column, cell.as_ref()?))) {
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
                None => return Ok(Err(format!("the type of {id} is no IRI"))),
            },
            Column::Begin | Column::End => {
                let Some(time) = as_literal(cell).and_then(|text| text.trim().parse::<i64>().ok()) else {
                    return Ok(Err(format!("a timestamp of {id} is no integer (64 bits)")));
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
        return Ok(Err(format!("{id} has no begin")));
    };
    if obsel.types.is_empty() {
        return Ok(Err(format!("{id} has no type")));
    }
    (obsel.begin, obsel.end) = (begin, end.unwrap_or(begin));
    if obsel.end < obsel.begin {
        return Ok(Err(format!("{id} ends before it begins")));
    }
    order.sort(&mut obsel.arcs);
    let mut known = HashSet::new();
    obsel.arcs.retain(|arc| known.insert(*arc));
    Ok(Ok(obsel))
}
