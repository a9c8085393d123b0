//! All the access control lists of a store, for the tools: written in dumps, loaded, verified, searched.
//!
//! In a dump, the list of a resource is the graph `@acl` below it: what is recorded of it, in the words in which `@acl` shows it, and
//! nothing that it inherits.

use std::ops::ControlFlow;

use super::{Acl, Grantee, aspect};
use crate::error::Result;
use crate::rdf::Graph;
use crate::resource::row;
use crate::resource::view::{Content, Shape, View};
use crate::store::{Change, Head, Reading, acls};

/// What follows the IRI of a resource in the name of the graph of its list.
pub const SUFFIX: &str = "@acl";

/// Returns what is recorded of a resource, to be written in a dump; `None` if nothing is.
///
/// # Errors
/// Those of the store; `Damaged` if the record cannot be read.
pub fn view(whole: &dyn Reading, head: &Head) -> Result<Option<View>> {
    let path = &head.path;
    let own = aspect::own(whole, path)?;
    if own == Acl::default() {
        return Ok(None);
    }
    Ok(Some(to_view(whole.root(), head, &own)))
}

/// Returns the part of a list that names a user.
///
/// # Errors
/// As [`view`].
pub fn about(whole: &dyn Reading, head: &Head, user: &str) -> Result<Option<View>> {
    let mut own = aspect::own(whole, &head.path)?;
    if !names(&own, user) {
        return Ok(None);
    }
    own.owner.take_if(|owner| owner != user);
    if let Some(grants) = &mut own.grants {
        grants.retain(|grant| grant.to == Grantee::User(user.to_owned()));
    }
    own.grants.take_if(|grants| grants.is_empty());
    own.ignores_sources = false;
    Ok(Some(to_view(whole.root(), head, &own)))
}

fn to_view(root: &str, head: &Head, own: &Acl) -> View {
    View {
        iri: format!("{root}{}", head.path),
        shape: Shape::Acl,
        tags: Vec::new(),
        modified: None,
        links: Vec::new(),
        model: None,
        content: Content::Graph(aspect::recorded(root, &head.path, own)),
    }
}

/// Tells whether a list names a user.
fn names(acl: &Acl, user: &str) -> bool {
    let grants = acl.grants.iter().flatten();
    acl.owner.as_deref() == Some(user)
        || grants
            .into_iter()
            .any(|grant| grant.to == Grantee::User(user.to_owned()))
}

/// Records the list that a graph of a dump describes. Returns what is wrong in it: then nothing is recorded.
///
/// # Errors
/// Those of the store.
pub fn load(change: &mut Change<'_>, head: &Head, graph: &Graph) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    if !row(head.kind).folder {
        problems.push("It is of a kind that has no access control list".to_owned());
    }
    let acl = aspect::list(graph, change.root(), head, &mut problems);
    if acl == Acl::default() {
        problems.push("Its access control list says nothing about it".to_owned());
    }
    if problems.is_empty() {
        change.put_acl(&head.path, &acl.encode())?;
    }
    Ok(problems)
}

/// Calls a function with the path of each list at or below a path, and what is recorded; `None` if that cannot be read.
///
/// # Errors
/// Those of the store.
fn for_each(whole: &dyn Reading, path: &str, f: &mut dyn FnMut(&str, Option<Acl>)) -> Result<()> {
    acls::for_each_acl_below(whole, path, &mut |path, bytes| {
        f(path, Acl::decode(bytes).ok());
        Ok(ControlFlow::Continue(()))
    })
}

/// Returns the path of each record that cannot be read: nobody is let in by it.
///
/// # Errors
/// Those of the store.
pub fn unreadable(whole: &dyn Reading) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for_each(whole, "", &mut |path, acl| {
        if acl.is_none() {
            found.push(path.to_owned());
        }
    })?;
    Ok(found)
}

/// Returns the path of each list at or below a path that names a user.
///
/// # Errors
/// Those of the store.
pub fn naming(whole: &dyn Reading, path: &str, user: &str) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for_each(whole, path, &mut |path, acl| {
        if acl.is_some_and(|acl| names(&acl, user)) {
            found.push(path.to_owned());
        }
    })?;
    Ok(found)
}

/// Returns the path of each list with a user or a group in whose name there is a text.
///
/// # Errors
/// Those of the store.
pub fn quoting(whole: &dyn Reading, text: &str) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for_each(whole, "", &mut |path, acl| {
        let Some(acl) = acl else { return };
        let grantees = acl.grants.iter().flatten().filter_map(|grant| match &grant.to {
            Grantee::User(name) | Grantee::Group(name) => Some(name),
            Grantee::Everybody | Grantee::LoggedIn => None,
        });
        if grantees.chain(&acl.owner).any(|name| name.contains(text)) {
            found.push(path.to_owned());
        }
    })?;
    Ok(found)
}
