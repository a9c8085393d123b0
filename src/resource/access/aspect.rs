//! `@acl`, the access control list of the root, a base or a trace, as a graph in the vocabulary of Web Access Control
//! (<https://solidproject.org/TR/wac>).
//!
//! Users and groups are not resources: their IRIs, `urn:ktbs:user:NAME` and `urn:ktbs:group:NAME`, only name them. A list that is inherited is shown with `acl:accessTo` the resource that has it.

use std::collections::HashSet;

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::{Access, Acl, Grant, Grantee, Policy, Rights, Visitor};
use crate::error::{Error, Result};
use crate::rdf::{Graph, Term, as_iri, as_literal, iri, typed};
use crate::resource::check::refuse;
use crate::resource::draft::Draft;
use crate::resource::path::container;
use crate::resource::view::{Content, Shape, View};
use crate::resource::{Expected, Service, Target};
use crate::store::{Change, Head, Kind, Reading, acls};
use crate::vocab::{access, acl, foaf, ktbs, rdf, xsd};

/// Most grants of a list.
const GRANTS: usize = 1_000;

/// The modes, with the right that each stands for. Those that a right includes are listed with it.
static MODES: [(&str, Rights); 4] = [
    (acl::READ, Rights::READ),
    (acl::APPEND, Rights::ADD),
    (acl::WRITE, Rights::WRITE),
    (acl::CONTROL, Rights::MANAGE),
];

/// Returns what a GET on `@acl` shows.
///
/// # Errors
/// Those of the store.
pub(in crate::resource) fn read(target: &Target, who: &Access) -> Result<View> {
    let whole = target.snapshot.whole();
    let path = &target.entry.head.path;
    let own = own(&whole, path)?;
    let (holder, grants) = effective(&whole, path, who.policy)?;
    Ok(View {
        iri: target.iri.clone(),
        shape: Shape::Acl,
        tags: vec![tag(&whole, path)?],
        modified: Some(target.entry.head.modified),
        links: Vec::new(),
        model: None,
        content: Content::Graph(graph(whole.root(), path, &own, &holder, &grants)),
    })
}

/// Returns the tag of the list of a resource: it changes with all the lists from which it follows.
///
/// # Errors
/// Those of the store.
pub(in crate::resource) fn tag(whole: &dyn Reading, path: &str) -> Result<String> {
    let mut all = Vec::new();
    let mut current = Some(path);
    while let Some(place) = current {
        let record = acls::acl(whole, place)?.unwrap_or_default();
        all.extend_from_slice(&(record.len() as u64).to_be_bytes());
        all.extend_from_slice(&record);
        current = container(place);
    }
    Ok(format!("{:032x}", crate::digest::fnv128(&all)))
}

/// Replaces the list of a resource; returns what a GET then shows.
///
/// # Errors
/// `EtagMismatch`; `InvalidData` if the graph is no list; `NotFound` if the resource is gone.
pub(in crate::resource) fn replace(
    service: &Service,
    target: &Target,
    expected: &Expected,
    graph: &Graph,
) -> Result<View> {
    let acl = parse(graph, target)?;
    put(service, target, expected, &acl)
}

/// Lets a resource be as its container again, but for its owner.
///
/// # Errors
/// `NotFound` if the resource is gone.
pub(in crate::resource) fn reset(service: &Service, target: &Target) -> Result<()> {
    let owner = own(&target.snapshot.whole(), &target.entry.head.path)?.owner;
    let acl = Acl {
        owner,
        ..Acl::default()
    };
    put(service, target, &Expected::Anything, &acl).map(|_| ())
}

/// Takes back that the sources of a computed trace are ignored, where an edition changes what it is computed from: that
/// was said of others.
pub(in crate::resource) fn settle_edition(change: &mut Change<'_>, draft: &Draft) -> Result<()> {
    let Some(before) = &draft.before else {
        return Ok(());
    };
    if before.head.kind != Kind::ComputedTrace {
        return Ok(());
    }
    let path = &before.head.path;
    let mut acl = own(change, path)?;
    let is_same = [ktbs::HAS_SOURCE, ktbs::HAS_METHOD, ktbs::HAS_PARAMETER]
        .iter()
        .all(|property| {
            let values = |graph: &Graph| -> HashSet<Term> { graph.objects_of(&draft.iri, property).cloned().collect() };
            values(&before.graph) == values(&draft.graph)
        });
    if acl.ignores_sources && !is_same {
        acl.ignores_sources = false;
        change.put_acl(path, &acl.encode())?;
    }
    Ok(())
}

fn put(service: &Service, target: &Target, expected: &Expected, acl: &Acl) -> Result<View> {
    let path = &target.entry.head.path;
    let mut change = service.store.write()?;
    let mut entry = change.entry(path)?.ok_or(Error::NotFound)?;
    if let Expected::Tags(tags) = expected
        && !tags.contains(&tag(&change, path)?)
    {
        return Err(Error::EtagMismatch);
    }
    if *acl == Acl::default() {
        change.delete_acl(path)?;
    } else {
        change.put_acl(path, &acl.encode())?;
    }
    // What it and its container show, and to whom, has changed, hence their tags.
    change.put(&mut entry)?;
    if let Some(path) = container(path)
        && let Some(mut parent) = change.entry(path)?
    {
        change.put(&mut parent)?;
    }
    change.commit()?;
    read(&service.find(&target.iri)?, service.access()?)
}

/// Returns what is recorded of a resource.
pub(super) fn own(whole: &dyn Reading, path: &str) -> Result<Acl> {
    Ok(match acls::acl(whole, path)? {
        Some(bytes) => Acl::decode(&bytes)?,
        None => Acl::default(),
    })
}

/// Returns the path of the resource whose grants hold for another, and these grants.
fn effective(whole: &dyn Reading, path: &str, policy: Policy) -> Result<(String, Vec<Grant>)> {
    let mut current = Some(path);
    while let Some(place) = current {
        if let Some(grants) = own(whole, place)?.grants {
            return Ok((place.to_owned(), grants));
        }
        current = container(place);
    }
    let rights = match policy {
        Policy::Open => Rights::WRITE,
        Policy::ReadOnly => Rights::READ,
        Policy::Private => return Ok(("@policy".to_owned(), Vec::new())),
    };
    let to = Grantee::Everybody;
    Ok(("@policy".to_owned(), vec![Grant { to, rights }]))
}

/// Returns what the graph of a list says of the resource itself.
fn own_graph(root: &str, path: &str, own: &Acl) -> Graph {
    let mut graph = Graph::new();
    let resource = iri(format!("{root}{path}"));
    if let Some(owner) = &own.owner {
        graph.insert(&resource, &iri(acl::OWNER), &user(owner));
    }
    if own.ignores_sources {
        graph.insert(&resource, &iri(access::IGNORES_SOURCES), &typed("true", xsd::BOOLEAN));
    }
    graph
}

/// Returns the graph of what is recorded of a resource, and of nothing that it inherits.
pub(super) fn recorded(root: &str, path: &str, own: &Acl) -> Graph {
    match &own.grants {
        Some(grants) => graph(root, path, own, path, grants),
        None => own_graph(root, path, own),
    }
}

/// Returns the graph of a list: `own` is that of the resource, `grants` are those of `holder`, which hold for it.
fn graph(root: &str, path: &str, own: &Acl, holder: &str, grants: &[Grant]) -> Graph {
    let mut graph = own_graph(root, path, own);
    let holder = iri(format!("{root}{holder}"));
    let mut authorize = |name: String, to: Option<(&str, Term)>, rights: Rights| {
        let authorization = iri(format!("{root}{path}@acl#{name}"));
        let mut add = |property: &str, value: &Term| graph.insert(&authorization, &iri(property), value);
        add(rdf::TYPE, &iri(acl::AUTHORIZATION));
        add(acl::ACCESS_TO, &holder);
        add(acl::DEFAULT, &holder);
        if let Some((property, to)) = to {
            add(property, &to);
        }
        for (mode, right) in &MODES {
            if rights.include(*right) {
                add(acl::MODE, &iri(mode));
            }
        }
    };
    // Even an empty list is one: it takes the place of that of the container.
    authorize(
        "owner".to_owned(),
        own.owner.as_deref().map(|owner| (acl::AGENT, user(owner))),
        own.owner.as_deref().map_or(Rights::NONE, |_| Rights::ALL),
    );
    for (i, grant) in grants.iter().enumerate() {
        let to = match &grant.to {
            Grantee::Everybody => (acl::AGENT_CLASS, iri(foaf::AGENT)),
            Grantee::LoggedIn => (acl::AGENT_CLASS, iri(acl::AUTHENTICATED_AGENT)),
            Grantee::User(name) => (acl::AGENT, user(name)),
            Grantee::Group(name) => (acl::AGENT_GROUP, named(access::GROUP, name)),
        };
        authorize(format!("grant{i}"), Some(to), grant.rights);
    }
    graph
}

fn user(name: &str) -> Term {
    named(access::USER, name)
}

fn named(prefix: &str, name: &str) -> Term {
    iri(format!("{prefix}{}", utf8_percent_encode(name, NON_ALPHANUMERIC)))
}

/// Returns the name of a user or of a group.
fn name(prefix: &str, term: &Term) -> Option<String> {
    let encoded = as_iri(term)?.strip_prefix(prefix)?;
    let name = percent_decode_str(encoded).decode_utf8().ok()?.into_owned();
    Visitor::is_name(&name).then_some(name)
}

/// Returns the list that a graph describes, where the visitor may say so.
fn parse(graph: &Graph, target: &Target) -> Result<Acl> {
    let head = &target.entry.head;
    let mut problems = Vec::new();
    let list = list(graph, target.snapshot.root(), head, &mut problems);
    if list.ignores_sources && !target.rights.include(Rights::READ) {
        problems.push("Only who may read the sources of a trace may let others ignore them".to_owned());
    }
    refuse("check_new_graph", problems)?;
    Ok(list)
}

/// Returns the list of a resource that a graph describes, and adds what is wrong in it to the problems.
pub(super) fn list(graph: &Graph, root: &str, head: &Head, problems: &mut Vec<String>) -> Acl {
    let resource = format!("{root}{}", head.path);
    let mut owners = graph.objects_of(&resource, acl::OWNER);
    let owner = owners.next().map(|owner| name(access::USER, owner));
    if owner == Some(None) || owners.next().is_some() {
        problems.push(format!("The owner is not one user, as <{}NAME>", access::USER));
    }
    let owner = owner.flatten();
    let ignores = graph.object_of(&resource, access::IGNORES_SOURCES).and_then(as_literal);
    let ignores_sources = matches!(ignores, Some("true" | "1"));
    if ignores_sources && head.kind != Kind::ComputedTrace {
        problems.push("Only a computed trace has sources to ignore".to_owned());
    }
    let mut grants: Option<Vec<Grant>> = None;
    for authorization in graph.subjects_of(acl::ACCESS_TO, &resource) {
        let grants = grants.get_or_insert_default();
        let rights = rights(graph, authorization, problems);
        for to in grantees(graph, authorization, problems) {
            // The owner needs no grant: what shows an empty list is not one.
            if matches!(&to, Grantee::User(name) if Some(name) == owner.as_ref()) {
                continue;
            }
            match grants.iter_mut().find(|grant| grant.to == to) {
                Some(grant) => grant.rights = grant.rights | rights,
                None => grants.push(Grant { to, rights }),
            }
        }
    }
    if grants.as_ref().is_some_and(|grants| grants.len() > GRANTS) {
        problems.push(format!("There are more than {GRANTS} grants"));
    }
    Acl {
        owner,
        grants,
        ignores_sources,
    }
}

fn rights(graph: &Graph, authorization: &Term, problems: &mut Vec<String>) -> Rights {
    let mut rights = Rights::NONE;
    for [.., mode] in graph
        .iter()
        .filter(|[s, p, _]| *s == authorization && as_iri(p) == Some(acl::MODE))
    {
        match MODES.iter().find(|(known, _)| as_iri(mode) == Some(known)) {
            Some((_, right)) => rights = rights | *right,
            None => problems.push(format!(
                "{} is not a mode of access",
                crate::resource::check::shown(mode)
            )),
        }
    }
    rights
}

fn grantees(graph: &Graph, authorization: &Term, problems: &mut Vec<String>) -> Vec<Grantee> {
    let mut grantees = Vec::new();
    for [_, p, o] in graph.iter().filter(|[s, ..]| *s == authorization) {
        let grantee = match as_iri(p) {
            Some(acl::AGENT) => name(access::USER, o).map(Grantee::User),
            Some(acl::AGENT_GROUP) => name(access::GROUP, o).map(Grantee::Group),
            Some(acl::AGENT_CLASS) => match as_iri(o) {
                Some(foaf::AGENT) => Some(Grantee::Everybody),
                Some(acl::AUTHENTICATED_AGENT) => Some(Grantee::LoggedIn),
                _ => None,
            },
            _ => continue,
        };
        match grantee {
            Some(grantee) => grantees.push(grantee),
            None => problems.push(format!(
                "{} is nobody that rights can be granted to",
                crate::resource::check::shown(o)
            )),
        }
    }
    grantees
}
