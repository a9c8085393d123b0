//! Trace models in JSON: the model, then its elements.

use serde_json::{Value, json};

use super::description::{LABELS, context, shortener};
use super::node::{Describer, Manner, Object};
use super::shorten::Shortener;
use crate::error::Result;
use crate::format::triples::{Node, block_of_graph};
use crate::rdf::Graph;
use crate::resource::View;
use crate::vocab::{CONTEXT, ktbs};

/// Returns the document of a model: a graph whose first node is the model, followed by its types of obsels, of
/// attributes and of relations, then by whatever else is in it.
///
/// # Errors
/// `Serialize` for a term that is none of RDF 1.1.
pub fn model(view: &View, graph: &Graph) -> Result<Value> {
    let triples = block_of_graph(graph, &view.iri)?;
    let shortener = shortener(&triples, Shortener::new(&view.iri, None, false));
    let mut describer = Describer::new(
        &triples,
        Manner {
            labels: Some(LABELS),
            ..Manner::of(&shortener)
        },
    );
    let main = Node::Iri("", &view.iri);
    let mut object = Object::new();
    object.insert("@id".to_owned(), view.iri.as_str().into());
    describer.types(&mut object, main)?;
    describer.arcs(&mut object, main, 0)?;
    let mut nodes = vec![Value::Null];
    for class in [ktbs::OBSEL_TYPE, ktbs::ATTRIBUTE_TYPE, ktbs::RELATION_TYPE] {
        for element in describer.subjects_of_type(class) {
            if matches!(element, Node::Iri(..)) && element != main {
                let mut object = describer.object(element)?;
                describer.types(&mut object, element)?;
                describer.arcs(&mut object, element, 0)?;
                nodes.push(object.into());
            }
        }
    }
    // What the elements say of the model is said by now.
    describer.incoming(&mut object, main)?;
    nodes[0] = object.into();
    nodes.extend(describer.rest()?);
    Ok(json!({"@context": context(&shortener, json!(CONTEXT)), "@graph": nodes}))
}
