//! What every DELETE of a resource with a graph of its own does: check that nothing needs it, take it away.

use crate::error::{Error, Result};
use crate::rdf::Graph;
use crate::resource::check::conflict;
use crate::resource::path::container;
use crate::resource::{Service, Target, links, row};
use crate::store::{Change, Entry, Reading};

/// Deletes a resource, its aspects and obsels if it is a trace, and the links to it.
///
/// # Errors
/// `NotFound` if it is gone, `Conflict` if it is used or not empty, and those of the store.
pub fn delete_resource(service: &Service, target: &Target) -> Result<()> {
    let path = &target.entry.head.path;
    let mut change = service.store.write()?;
    let entry = links::add_users(&change, change.entry(path)?.ok_or(Error::NotFound)?)?;
    let row = row(entry.head.kind);
    check_deletable(&change, &entry, &target.iri)?;
    links::update(&mut change, &target.iri, row.uses, &entry.graph, &Graph::new())?;
    (row.unsettle)(&mut change, &target.iri, &entry.graph)?;
    change.delete(path)?;
    // What the container lists has changed, hence its tag.
    if let Some(path) = container(path) {
        change.touch(path)?;
    }
    change.commit()?;
    Ok(())
}

/// Checks that nothing needs a resource. What the visitor may not read is not named.
fn check_deletable(change: &Change<'_>, entry: &Entry, iri: &str) -> Result<()> {
    let check = row(entry.head.kind).check_deletable;
    let seen = change.seen();
    if let Some(visible) = seen.entry(&entry.head.path)? {
        let visible = links::add_users(&seen, visible)?;
        conflict("check_deletable", check(&visible, iri, &seen)?)?;
    }
    if check(entry, iri, change)?.is_empty() {
        return Ok(());
    }
    conflict(
        "check_deletable",
        vec![format!("<{iri}> is used by what you may not read")],
    )
}
