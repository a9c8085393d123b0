//! What every GET of a resource with a graph of its own does: add to what is stored what is generated.

use crate::error::Result;
use crate::rdf::{Graph, as_iri, iri};
use crate::resource::path::{container, link};
use crate::resource::row;
use crate::resource::view::{Content, View};
use crate::store::{Entry, Head, Reading, links};
use crate::vocab::ktbs;

/// Returns the triples of a resource that are not stored: the link from its container, those of its kind, and those of
/// what uses it, as far as it is seen.
///
/// # Errors
/// Those of the store.
pub fn generated(reading: &dyn Reading, head: &Head) -> Result<Graph> {
    let mut graph = Graph::new();
    let resource = format!("{}{}", reading.root(), head.path);
    if let Some(path) = container(&head.path) {
        let parent = format!("{}{path}", reading.root());
        graph.insert(&iri(parent), &iri(link(path)), &iri(&resource));
    }
    (row(head.kind).generate)(&resource, head, reading, &mut graph)?;
    graph.extend_from(&links::users(reading, &head.path)?);
    Ok(graph)
}

/// Returns what a GET of a resource shows, without parameters, given what is [`generated`].
pub fn view(iri: &str, entry: Entry, generated: &Graph) -> View {
    let Entry { head, mut graph } = entry;
    graph.extend_from(generated);
    let model = graph.object_of(iri, ktbs::HAS_MODEL).and_then(as_iri);
    View {
        iri: iri.to_owned(),
        shape: row(head.kind).shape,
        tags: vec![head.tag.to_string()],
        modified: Some(head.modified),
        links: Vec::new(),
        model: model.filter(|_| head.trace.is_some()).map(str::to_owned),
        content: Content::Graph(graph),
    }
}
