//! `@acl` in simple JSON: who owns, and for each right the list of who has it.
//!
//! ```json
//! {
//!   "@id": "http://localhost:8001/base1/@acl",
//!   "owner": "alice",
//!   "inherited": false,
//!   "read": ["everybody"],
//!   "add": ["logged-in"],
//!   "write": ["user:bob", "group:staff"],
//!   "manage": []
//! }
//! ```
//!
//! A right is listed where it is the strongest: who may write may also read and add, and who may manage may do all. A computed
//! trace also has `ignoresSources`.

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::{Map, Value, json};

use crate::error::{Error, Result};
use crate::format::Context;
use crate::rdf::{Graph, Term, as_iri, iri, typed};
use crate::resource::View;
use crate::vocab::{access, acl, foaf, rdf, xsd};

/// The rights, each with its mode, the strongest first.
static RIGHTS: [(&str, &str); 4] = [
    ("manage", acl::CONTROL),
    ("write", acl::WRITE),
    ("add", acl::APPEND),
    ("read", acl::READ),
];

/// The classes of agents.
static CLASSES: [(&str, &str); 2] = [("everybody", foaf::AGENT), ("logged-in", acl::AUTHENTICATED_AGENT)];

/// Returns the IRI of the resource of a list.
fn resource(list: &str) -> &str {
    list.strip_suffix("@acl").unwrap_or(list)
}

/// Returns the document of `@acl`.
pub fn access(view: &View, graph: &Graph) -> Value {
    let resource = resource(&view.iri);
    let owner = graph.object_of(resource, acl::OWNER);
    let name = |term: &Term, prefix: &str| {
        let iri = as_iri(term).unwrap_or_default();
        let encoded = iri.strip_prefix(prefix).unwrap_or(iri);
        percent_decode_str(encoded).decode_utf8_lossy().into_owned()
    };
    let mut lists: Map<String, Value> = ["read", "add", "write", "manage"]
        .iter()
        .map(|right| ((*right).to_owned(), json!([])))
        .collect();
    let (mut inherited, mut seen) = (true, std::collections::HashSet::new());
    for [authorization, p, holder] in graph.iter() {
        if as_iri(p) != Some(acl::ACCESS_TO) || !seen.insert(authorization.clone()) {
            continue;
        }
        inherited &= as_iri(holder) != Some(resource);
        let authorization = as_iri(authorization).unwrap_or_default();
        let has = |mode: &str| graph.contains_iris(authorization, acl::MODE, mode);
        let strongest = RIGHTS.iter().position(|(_, mode)| has(mode));
        // Who may write may read and add: these are listed apart only where they stand alone.
        let rights = match strongest {
            Some(index @ (0 | 1)) => &RIGHTS[index..=index],
            _ => &RIGHTS[2..],
        };
        let agents = graph.objects_of(authorization, acl::AGENT);
        let groups = graph.objects_of(authorization, acl::AGENT_GROUP);
        let classes = graph.objects_of(authorization, acl::AGENT_CLASS);
        let mut who: Vec<String> = agents
            .filter(|agent| Some(*agent) != owner)
            .map(|agent| format!("user:{}", name(agent, access::USER)))
            .collect();
        who.extend(groups.map(|group| format!("group:{}", name(group, access::GROUP))));
        who.extend(classes.filter_map(|class| {
            let row = CLASSES.iter().find(|(_, iri)| as_iri(class) == Some(iri));
            row.map(|(name, _)| (*name).to_owned())
        }));
        for (right, _) in rights.iter().filter(|(_, mode)| has(mode)) {
            if let Some(Value::Array(list)) = lists.get_mut(*right) {
                list.extend(who.iter().map(|who| Value::from(who.as_str())));
            }
        }
    }
    let mut object = Map::new();
    object.insert("@id".to_owned(), view.iri.as_str().into());
    object.insert(
        "owner".to_owned(),
        owner.map_or(Value::Null, |owner| name(owner, access::USER).into()),
    );
    object.insert("inherited".to_owned(), inherited.into());
    object.extend(lists);
    if graph.object_of(resource, access::IGNORES_SOURCES).is_some() {
        object.insert("ignoresSources".to_owned(), true.into());
    }
    object.into()
}

/// Parses the same, where each member may be left out: no owner, no grant. With `"inherited": true` the lists are those of
/// the container, and are left aside.
///
/// # Errors
/// `Parse` if it is not JSON, or names a member or somebody in another way.
pub fn parse(bytes: &[u8], context: &Context<'_>) -> Result<Graph> {
    let document: Value = serde_json::from_slice(bytes).map_err(|error| Error::Parse(error.to_string()))?;
    let Value::Object(object) = document else {
        return Err(Error::Parse("an object is expected".into()));
    };
    let list = resource(context.base);
    let mut graph = Graph::new();
    let inherited = match object.get("inherited") {
        None | Some(Value::Bool(false)) => false,
        Some(Value::Bool(true)) => true,
        Some(other) => return Err(Error::Parse(format!("inherited is neither true nor false: {other}"))),
    };
    if !inherited {
        // Even an empty list takes the place of that of the container.
        let none = iri(format!("{}#owner", context.base));
        graph.insert(&none, &iri(rdf::TYPE), &iri(acl::AUTHORIZATION));
        graph.insert(&none, &iri(acl::ACCESS_TO), &iri(list));
    }
    for (member, value) in &object {
        match (member.as_str(), value) {
            ("@id" | "@context" | "inherited", _) | ("owner", Value::Null) => {}
            ("owner", Value::String(owner)) => {
                graph.insert(&iri(list), &iri(acl::OWNER), &agent(access::USER, owner));
            }
            ("ignoresSources", Value::Bool(ignores)) => {
                if *ignores {
                    graph.insert(&iri(list), &iri(access::IGNORES_SOURCES), &typed("true", xsd::BOOLEAN));
                }
            }
            (right, Value::Array(grantees)) => {
                let Some((_, mode)) = RIGHTS.iter().find(|(name, _)| *name == right) else {
                    return Err(unknown(right));
                };
                for grantee in grantees.iter().filter(|_| !inherited) {
                    let name = grantee.as_str().unwrap_or_default();
                    let (property, to) = grantee_of(name).ok_or_else(|| {
                        Error::Parse(format!(
                            "{grantee} is neither everybody, logged-in, user:NAME nor group:NAME"
                        ))
                    })?;
                    let authorization = iri(format!("{}#{right}-{}", context.base, graph.len()));
                    graph.insert(&authorization, &iri(rdf::TYPE), &iri(acl::AUTHORIZATION));
                    graph.insert(&authorization, &iri(acl::ACCESS_TO), &iri(list));
                    graph.insert(&authorization, &iri(property), &to);
                    graph.insert(&authorization, &iri(acl::MODE), &iri(mode));
                }
            }
            (other, _) => return Err(unknown(other)),
        }
    }
    Ok(graph)
}

fn unknown(member: &str) -> Error {
    Error::Parse(format!(
        "{} is no member of an access control list, or not of this type",
        member.escape_debug()
    ))
}

fn agent(prefix: &str, name: &str) -> Term {
    iri(format!("{prefix}{}", utf8_percent_encode(name, NON_ALPHANUMERIC)))
}

fn grantee_of(name: &str) -> Option<(&'static str, Term)> {
    if let Some((_, class)) = CLASSES.iter().find(|(class, _)| *class == name) {
        return Some((acl::AGENT_CLASS, iri(class)));
    }
    match name.split_once(':')? {
        ("user", name) => Some((acl::AGENT, agent(access::USER, name))),
        ("group", name) => Some((acl::AGENT_GROUP, agent(access::GROUP, name))),
        _ => None,
    }
}
