//! "Used by" links: a triple about a resource that is shown in the description of the resource it uses, too.
//!
//! Clients list with them the transformed traces of a trace, the users of a method, its children. They are kept beside what is
//! used (`store/links.rs`) by the change that makes or ends the use, shown by `read::generated`, and forbid the deletion of what
//! is used.

use indexmap::IndexSet;

use crate::error::Result;
use crate::rdf::{Graph, as_iri};
use crate::resource::check::shown;
use crate::resource::path::below;
use crate::store::{Change, Entry, Reading, Use, links};
use crate::vocab::KTBS;

/// Moves the links of a resource from what it used to what it uses. What is not on this server has no link.
///
/// What is used gets a new tag, since more is shown of it; its graph is neither read nor written.
///
/// # Errors
/// Those of the store.
pub fn update(change: &mut Change<'_>, user: &str, uses: &[Use], old: &Graph, new: &Graph) -> Result<()> {
    let root = change.root().to_owned();
    let Some(path) = below(&root, user) else {
        return Ok(());
    };
    for by in uses {
        let used = |graph: &Graph| -> IndexSet<String> {
            let objects = graph.objects_of(user, by.property()).filter_map(as_iri);
            let paths = objects
                .filter(|object| *object != user)
                .filter_map(|object| below(&root, object));
            paths.map(str::to_owned).collect()
        };
        let (old, new) = (used(old), used(new));
        for ended in old.difference(&new) {
            if change.delete_link(ended, *by, path)? {
                change.touch(ended)?;
            }
        }
        for begun in &new {
            if change.put_link(begun, *by, path)? {
                change.touch(begun)?;
            }
        }
    }
    Ok(())
}

/// Adds to the graph of a resource the triples of those that use it, as far as they are seen.
///
/// # Errors
/// Those of the store.
pub fn add_users(reading: &dyn Reading, mut entry: Entry) -> Result<Entry> {
    entry.graph.extend_from(&links::users(reading, &entry.head.path)?);
    Ok(entry)
}

/// Returns one problem for each link to a resource by one of these properties.
pub fn users(graph: &Graph, used: &str, properties: &[&str]) -> Vec<String> {
    let users = |property| move |user| format!("<{used}> is used (ktbs:{}) by {}", local_name(property), shown(user));
    properties
        .iter()
        .flat_map(|property| graph.subjects_of(property, used).map(users(property)))
        .collect()
}

/// Returns the name of a term in the `k:` namespace.
pub fn local_name(iri: &str) -> &str {
    iri.strip_prefix(KTBS).unwrap_or(iri)
}
