//! Data graphs in JSON: one object for each subject, each value in an array.

use serde_json::{Value, json};

use super::description::{context, shortener};
use super::node::{Describer, Manner};
use super::shorten::Shortener;
use crate::error::Result;
use crate::format::triples::block_of_graph;
use crate::rdf::Graph;
use crate::resource::View;
use crate::vocab::CONTEXT;

/// Returns the document of a data graph, its subjects sorted.
///
/// # Errors
/// `Serialize` for a term that is none of RDF 1.1.
pub fn data_graph(view: &View, graph: &Graph) -> Result<Value> {
    let triples = block_of_graph(graph, &view.iri)?;
    let shortener = shortener(&triples, Shortener::new(&view.iri, None, false));
    let mut describer = Describer::new(
        &triples,
        Manner {
            flat: true,
            ..Manner::of(&shortener)
        },
    );
    let mut nodes = describer.rest()?;
    nodes.sort_by_cached_key(|node| node["@id"].as_str().map(str::to_owned));
    Ok(json!({"@context": context(&shortener, json!(CONTEXT)), "@graph": nodes}))
}
