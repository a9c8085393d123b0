//! What every PUT on a resource with a graph of its own does: compare with what was, check, store.

use crate::error::{Error, Result};
use crate::rdf::Graph;
use crate::resource::check::refuse;
use crate::resource::draft::Draft;
use crate::resource::view::View;
use crate::resource::{Expected, Service, Target, links, read, row};
use crate::store::{Entry, Reading};

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
    if let Expected::Tags(tags) = expected
        && !tags.contains(&head.tag.to_string())
    {
        return Err(Error::EtagMismatch);
    }
    let row = row(head.kind);
    let generated = read::generated(&change, &head)?;
    let mut before = old;
    before.extend_from(&generated);
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
    (row.complete)(&mut draft, &change)?;
    refuse("check_new_graph", (row.check)(&draft, &change, &service.settings)?)?;
    if let Some(before) = &draft.before {
        links::update(&mut change, &draft.iri, row.uses, &before.graph, &draft.graph)?;
    }
    (row.settle)(&draft, &mut change, &mut head)?;
    let mut entry = Entry {
        head,
        graph: draft.into_stored(&generated),
    };
    change.put(&mut entry)?;
    // The view is made before the change is durable, and needs nothing else: what is generated is the same.
    let view = read::view(&target.iri, entry, &generated);
    change.commit()?;
    Ok(view)
}
