//! The root, bases, methods and traces in JSON, and whatever else is one node and what is said of it.

use serde_json::{Value, json};

use super::node::{Describer, Manner, Object, insert, text};
use super::properties::Coercion;
use super::shorten::{NO_PREFIX, Shortener};
use super::value::Style;
use crate::error::Result;
use crate::format::triples::{Node, Triple, block_of_graph};
use crate::rdf::Graph;
use crate::resource::{Shape, View};
use crate::vocab::{CONTEXT, ktbs};

/// The key of the second label and the following, where there is a `label`.
pub const LABELS: &str = "http://www.w3.org/2004/02/skos/core#prefLabel";

/// Returns the document of a resource that is neither a model, a data graph nor statistics.
///
/// # Errors
/// `Serialize` for a term that is none of RDF 1.1.
pub fn description(view: &View, graph: &Graph, style: Style) -> Result<Value> {
    let triples = block_of_graph(graph, &view.iri)?;
    let shortener = shortener(&triples, Shortener::new(&view.iri, None, false));
    let mut describer = Describer::new(
        &triples,
        Manner {
            plain_origin: style == Style::Plain,
            labels: Some(if view.shape == Shape::Base && shortener.has_prefixes() {
                "skos:prefLabel"
            } else {
                LABELS
            }),
            ..Manner::of(&shortener)
        },
    );
    let main = Node::Iri("", &view.iri);
    let mut object = Object::new();
    object.insert("@context".to_owned(), context(&shortener, json!(CONTEXT)));
    object.insert("@id".to_owned(), view.iri.as_str().into());
    describer.types(&mut object, main)?;
    for (property, key) in [(ktbs::HAS_BASE, "hasBase"), (ktbs::CONTAINS, "contains")] {
        let mut items = Vec::new();
        for item in describer.take(main, property) {
            items.push(match item {
                Node::Iri(..) => item_of(&mut describer, item, property)?,
                // Nothing but an IRI is ever contained; yet nothing is lost.
                other => describer.value(other, Coercion::Id, 0)?,
            });
        }
        insert(&mut object, key, items, true);
    }
    describer.arcs(&mut object, main, 0)?;
    if view.shape == Shape::Method && !object.contains_key("parameter") {
        object.insert("parameter".to_owned(), json!([]));
    }
    describer.incoming(&mut object, main)?;
    let rest = describer.rest()?;
    insert(&mut object, "@included", rest, true);
    Ok(object.into())
}

fn item_of<'a>(describer: &mut Describer<'_, 'a>, item: Node<'a>, property: &str) -> Result<Value> {
    let mut object = describer.object(item)?;
    describer.types(&mut object, item)?;
    describer.arcs(&mut object, item, 0)?;
    if property == ktbs::HAS_BASE {
        // A base of which nothing is said is a mere IRI.
        if object.len() == 1 {
            return Ok(object["@id"].take());
        }
        // The Python kTBS calls a comment so, in the root only; the context has no such term: JSON-LD ignores it.
        if let Some(comment) = object.get("rdfs:comment").cloned() {
            object.insert("comment".to_owned(), comment);
        }
    }
    Ok(object.into())
}

/// Returns a shortener, without its prefixes if one of them is the scheme of an IRI among the triples.
pub fn shortener(triples: &[Triple<'_>], shortener: Shortener) -> Shortener {
    let mut iris = triples.iter().flatten().map(|node| match node {
        Node::Literal(_, datatype) => (*datatype).into(),
        other => text(*other),
    });
    if iris.any(|iri| shortener.key(&iri).is_err()) {
        shortener.without_prefixes()
    } else {
        shortener
    }
}

/// Returns the context of a document: that of the kTBS, or more if the document has no prefix.
pub fn context(shortener: &Shortener, usual: Value) -> Value {
    if shortener.has_prefixes() {
        return usual;
    }
    let mut contexts = match usual {
        Value::Array(contexts) => contexts,
        other => vec![other],
    };
    contexts.extend(serde_json::from_str::<Value>(NO_PREFIX).ok());
    contexts.into()
}
