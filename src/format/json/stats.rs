//! Statistics of traces in JSON.

use serde_json::{Value, json};

use super::description::{context, shortener};
use super::node::{Describer, Manner, Object, insert};
use super::properties::Coercion;
use super::shorten::Shortener;
use crate::error::Result;
use crate::format::prefixes::model_namespace;
use crate::format::triples::{Node, block_of_graph};
use crate::rdf::Graph;
use crate::resource::View;
use crate::vocab::{CONTEXT, STATS, ktbs, stats};

/// Returns the document of `@stats`: everything hangs on the trace.
///
/// # Errors
/// `Serialize` for a term that is none of RDF 1.1.
pub fn statistics(view: &View, graph: &Graph) -> Result<Value> {
    let triples = block_of_graph(graph, &view.iri)?;
    let shortener = shortener(&triples, Shortener::new(&view.iri, view.model.as_deref(), true));
    let mut describer = Describer::new(
        &triples,
        Manner {
            ids: if shortener.has_prefixes() {
                &[stats::HAS_OBSEL_TYPE]
            } else {
                &[]
            },
            ..Manner::of(&shortener)
        },
    );
    let mut local = Object::new();
    local.insert("stats".to_owned(), STATS.into());
    local.insert("stats:hasObselType".to_owned(), json!({"@type": "@id"}));
    if let Some(model) = &view.model {
        local.insert("m".to_owned(), model_namespace(model).into());
    }
    let statistics = Node::Iri("", &view.iri);
    let trace = graph
        .subjects_of(ktbs::HAS_TRACE_STATISTICS, &view.iri)
        .find_map(crate::rdf::as_iri);
    let mut object = Object::new();
    object.insert("@context".to_owned(), context(&shortener, json!([CONTEXT, local])));
    if let Some(trace) = trace {
        let trace = Node::Iri("", trace);
        object.extend(describer.object(trace)?);
        if describer.take(trace, ktbs::HAS_TRACE_STATISTICS) == [statistics] {
            let mut inner = Object::new();
            inner.insert("@id".to_owned(), "".into());
            describer.types(&mut inner, statistics)?;
            describer.arcs(&mut inner, statistics, 0)?;
            object.insert("hasTraceStatistics".to_owned(), inner.into());
        }
        for property in [
            stats::OBSEL_COUNT,
            stats::MIN_TIME,
            stats::MAX_TIME,
            stats::DURATION,
            stats::DISTINCT_SUBJECTS,
            stats::OBSEL_COUNT_PER_TYPE,
        ] {
            let values = describer.take(trace, property);
            let values = values
                .into_iter()
                .map(|it| describer.value(it, Coercion::None, 0))
                .collect::<Result<_>>()?;
            insert(&mut object, &shortener.key(property)?, values, false);
        }
        describer.arcs(&mut object, trace, 0)?;
    }
    let rest = describer.rest()?;
    insert(&mut object, "@included", rest, true);
    Ok(object.into())
}
