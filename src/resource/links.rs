//! "Used by" links: a triple about a resource that stands in the graph of the resource it uses, too.
//!
//! Clients list with them the transformed traces of a trace, the users of a method, its children. They are put and
//! removed by the change that makes or ends the use, and forbid the deletion of what is used.

use indexmap::IndexSet;

use crate::error::Result;
use crate::rdf::{Graph, Term, as_iri, iri};
use crate::resource::check::shown;
use crate::resource::path::below;
use crate::store::{Change, Reading};
use crate::vocab::KTBS;

/// Moves the links of a resource from what it used to what it uses. What is not on this server has no link.
///
/// # Errors
/// Those of the store.
pub fn update(change: &mut Change<'_>, user: &str, properties: &[&str], old: &Graph, new: &Graph) -> Result<()> {
    for property in properties {
        let used = |graph: &Graph| -> IndexSet<Term> { graph.objects_of(user, property).cloned().collect() };
        let (old, new) = (used(old), used(new));
        for ended in old.difference(&new) {
            edit(change, ended, |graph| graph.remove(&iri(user), &iri(property), ended))?;
        }
        for begun in new.difference(&old) {
            edit(change, begun, |graph| graph.insert(&iri(user), &iri(property), begun))?;
        }
    }
    Ok(())
}

/// Edits the graph of a resource, if this server has it.
fn edit(change: &mut Change<'_>, resource: &Term, edit: impl FnOnce(&mut Graph) -> bool) -> Result<()> {
    let Some(path) = as_iri(resource).and_then(|iri| below(change.root(), iri)) else {
        return Ok(());
    };
    if let Some(mut entry) = change.entry(path)?
        && edit(&mut entry.graph)
    {
        change.put(&mut entry)?;
    }
    Ok(())
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
