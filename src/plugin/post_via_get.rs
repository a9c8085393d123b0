//! Obsels posted in the query string of a GET of their trace, for clients that can only read: `post` is the payload,
//! `ctype` its media type (kTBS documentation, "post_via_get").

use super::{Get, NOTHING, Steps};
use crate::error::{Error, Result};
use crate::rdf::{Graph, Term, blank, is_iri};
use crate::resource::access::Rights;
use crate::resource::view::Content;
use crate::resource::{Shape, View};
use crate::vocab::ktbs;

/// What the plugin does.
pub const STEPS: Steps = Steps { take: post, ..NOTHING };

/// Creates the obsels of each `post`, if there is one and the resource is a stored trace. Other parameters are ignored.
/// The answer shows the trace in JSON, and an empty graph in other formats.
fn post(get: &Get<'_>) -> Option<Result<View>> {
    // Computed traces take no POST.
    let is_stored_trace = get.target.shape() == Shape::Trace && get.target.allow().contains(&"POST");
    let posts = is_stored_trace && get.parameters.iter().any(|(name, _)| name == "post");
    posts.then(|| create(get).and_then(|()| acknowledge(get)))
}

/// Creates what all the payloads hold, or nothing: a request is one transaction.
fn create(get: &Get<'_>) -> Result<()> {
    let media_type = media_type(get.parameters);
    let mut all = Graph::new();
    let payloads = get.parameters.iter().filter(|(name, _)| name == "post");
    for (n, (_, payload)) in payloads.enumerate() {
        let graph = (get.parse)(&media_type, payload.as_bytes()).map_err(|error| match error {
            Error::UnsupportedType(_) => Error::Parse(format!("unknown content-type {media_type}")),
            error => error,
        })?;
        if !graph.iter().any(|[_, p, _]| is_iri(p, ktbs::HAS_TRACE)) {
            return Err(Error::invalid("No obsel found in posted graph"));
        }
        if n == 0 {
            all = graph;
        } else {
            all.extend_from(&apart(&graph, n));
        }
    }
    get.service.create(get.target, &[], all)?;
    Ok(())
}

/// Returns a graph whose blank nodes are those of no other payload.
fn apart(graph: &Graph, n: usize) -> Graph {
    let renamed = |term: &Term| match term {
        Term::BlankNode(label) => Some((term.clone(), blank(format!("{}-{n}", label.as_str())))),
        _ => None,
    };
    graph.replaced(&graph.iter().flatten().filter_map(renamed).collect())
}

/// Returns the media type of the payloads. Some collectors write `content-type` for `ctype`.
fn media_type(parameters: &[(String, String)]) -> String {
    let ctype = parameters
        .iter()
        .find(|(name, _)| name == "ctype" || name == "content-type")
        .map_or("application/json", |(_, value)| value);
    ctype.split(';').next().unwrap_or("").trim().to_ascii_lowercase()
}

fn acknowledge(get: &Get<'_>) -> Result<View> {
    let trace = get.service.find(&get.target.iri)?;
    if !get.service.may(&trace, Rights::READ) {
        return Ok(View {
            iri: trace.iri,
            shape: Shape::Trace,
            tags: Vec::new(),
            modified: None,
            links: Vec::new(),
            model: None,
            content: Content::Graph(Graph::new()),
        });
    }
    let view = get.service.read(trace, &[])?;
    let content = if get.offer.media_type.ends_with("json") {
        view.content
    } else {
        Content::Graph(Graph::new())
    };
    // What is shown is not a state of the trace, which its tags would name.
    Ok(View {
        tags: Vec::new(),
        modified: None,
        content,
        ..view
    })
}

#[cfg(test)]
mod test {
    use super::*;

    #[test]
    fn media_type_of_the_payload() {
        for (parameters, expected) in [
            (&[][..], "application/json"),
            (&[("ctype", "Text/Turtle; charset=utf-8")], "text/turtle"),
            (&[("post", "x"), ("content-type", "text/nt")], "text/nt"),
        ] {
            let parameters: Vec<_> = parameters
                .iter()
                .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
                .collect();
            assert_eq!(media_type(&parameters), expected);
        }
    }
}
