//! What every PUT on a resource with a graph of its own does: compare with what was, check, store.

use crate::error::{Error, Result};
use crate::rdf::Graph;
use crate::resource::check::refuse;
use crate::resource::draft::Draft;
use crate::resource::view::{Content, View};
use crate::resource::{Expected, Service, Target, access, links, read, row};
use crate::store::{Change, Entry, Head, Reading};

/// Replaces the graph of a resource; returns what a GET then shows.
///
/// All that was generated must be there again, as a client does who reads, alters and puts back.
///
/// # Errors
/// `NotFound` if the resource is gone, `EtagMismatch`, `InvalidData` if the new graph may not replace the old one,
/// and those of the store. Nothing can fail once the change is durable.
pub fn replace_graph(service: &Service, target: &Target, expected: &Expected, graph: Graph) -> Result<View> {
    let mut change = service.store.write()?;
    let Entry { mut head, graph: old } = change.entry(&target.entry.head.path)?.ok_or(Error::NotFound)?;
    let row = row(head.kind);
    let generated = read::generated(&change, &head)?;
    let mut before = old;
    before.extend_from(&generated);
    let hidden = if target.in_part {
        hidden(&change, &head, &before)?
    } else {
        Graph::new()
    };
    let current = if target.in_part {
        let mut shown = before.clone();
        shown.retain(|s, p, o| !hidden.contains(s, p, o));
        access::tag_of(&shown)
    } else {
        head.tag.to_string()
    };
    if let Expected::Tags(tags) = expected
        && !tags.contains(&current)
    {
        return Err(Error::EtagMismatch);
    }
    // What the visitor was not shown is not for them to repeat, nor to take away.
    let mut graph = graph;
    graph.extend_from(&hidden);
    let mut draft = Draft {
        row,
        iri: target.iri.clone(),
        container: target.parent(),
        graph,
        before: Some(Entry {
            head: head.clone(),
            graph: before,
        }),
    };
    (row.complete)(&mut draft, &change.seen())?;
    refuse(
        "check_new_graph",
        (row.check)(&draft, &change.seen(), &service.settings)?,
    )?;
    if let Some(before) = &draft.before {
        links::update(&mut change, &draft.iri, row.uses, &before.graph, &draft.graph)?;
    }
    access::settle_edition(&mut change, &draft)?;
    (row.settle)(&draft, &mut change, &mut head)?;
    let mut entry = Entry {
        head,
        graph: draft.into_stored(&generated),
    };
    change.put(&mut entry)?;
    // The view is made before the change is durable, and needs nothing else: what is generated is the same.
    let mut view = read::view(&target.iri, entry, &generated);
    if let Content::Graph(graph) = &mut view.content {
        graph.retain(|s, p, o| !hidden.contains(s, p, o));
    }
    if target.in_part {
        access::hide_edition(&mut view);
    }
    change.commit()?;
    Ok(view)
}

/// Returns the part of a description that the visitor is not shown: it tells of what they may not read.
fn hidden(change: &Change<'_>, head: &Head, whole: &Graph) -> Result<Graph> {
    let seen = change.seen();
    let mut hidden = whole.clone();
    if let Some(entry) = seen.entry(&head.path)? {
        hidden.retain(|s, p, o| !entry.graph.contains(s, p, o));
    }
    let generated = read::generated(&seen, head)?;
    hidden.retain(|s, p, o| !generated.contains(s, p, o));
    Ok(hidden)
}
