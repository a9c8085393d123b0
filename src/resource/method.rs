//! Methods: parameters for another method, which is built-in or of the same base (kTBS documentation, "method").

use std::collections::HashSet;

use crate::error::Result;
use crate::rdf::{Graph, Term, as_iri, iri};
use crate::resource::check::{self, Property, Range};
use crate::resource::draft::Draft;
use crate::resource::path::{below, container};
use crate::resource::{Row, Settings, links, reserved};
use crate::store::{Entry, Kind, Reading, Use};
use crate::vocab::ktbs;

use super::access::Needs;
use super::view::Shape;

pub(super) static ROW: Row = Row {
    star: true,
    uses: &[Use::ParentMethod],
    complete,
    check,
    check_deletable,
    ..Row::new(Kind::Method, ktbs::METHOD, Shape::Method, Needs::USUAL)
};

static PROPERTIES: [Property; 1] = [Property::required(ktbs::HAS_PARENT_METHOD, Range::Iri)];

static EDITABLE: [&str; 3] = [ktbs::HAS_PARENT_METHOD, ktbs::HAS_PARAMETER, ktbs::INHERITS];

/// Follows `k:inherits`, the former name of `k:hasParentMethod`: to state one is to state the other, and to take it
/// back in an edition takes back the other.
fn complete(draft: &mut Draft, _reading: &dyn Reading) -> Result<()> {
    let (method, parent) = (iri(&draft.iri), iri(ktbs::HAS_PARENT_METHOD));
    let inherited = |graph: &Graph| -> Vec<Term> { graph.objects_of(&draft.iri, ktbs::INHERITS).cloned().collect() };
    let new = inherited(&draft.graph);
    let old = draft
        .before
        .as_ref()
        .map(|before| inherited(&before.graph))
        .unwrap_or_default();
    for value in old.iter().filter(|value| !new.contains(value)) {
        draft.graph.remove(&method, &parent, value);
    }
    for value in new.iter().filter(|value| !old.contains(value)) {
        draft.graph.insert(&method, &parent, value);
    }
    Ok(())
}

fn check(draft: &Draft, reading: &dyn Reading, settings: &Settings) -> Result<Vec<String>> {
    let mut problems = check::typed(draft, &PROPERTIES);
    problems.extend(reserved::check(draft, &EDITABLE));
    problems.extend(check::cardinality(draft, &PROPERTIES));
    problems.extend(parent(draft, reading, settings)?);
    problems.extend(check::parameters(draft));
    Ok(problems)
}

/// Checks a new parent: a built-in method, or a method of the same base that does not descend from this one.
fn parent(draft: &Draft, reading: &dyn Reading, settings: &Settings) -> Result<Vec<String>> {
    let Some(parent) = draft.value(ktbs::HAS_PARENT_METHOD).and_then(as_iri) else {
        return Ok(Vec::new());
    };
    let former = draft
        .before
        .as_ref()
        .and_then(|before| before.graph.object_of(&draft.iri, ktbs::HAS_PARENT_METHOD));
    if former.and_then(as_iri) == Some(parent) || settings.builtin_methods.contains(&parent) {
        return Ok(Vec::new());
    }
    let problem = match below(reading.root(), parent) {
        Some(path) if container(parent) == draft.container.as_deref() => {
            match reading.head(path)?.map(|head| head.kind) {
                None => format!("Parent method does not exist <{parent}>"),
                Some(Kind::Method) if descends(reading, parent, &draft.iri)? => {
                    format!("Parent method would create a cycle <{parent}>")
                }
                Some(Kind::Method) => return Ok(Vec::new()),
                Some(_) => format!("Parent <{parent}> is not a method"),
            }
        }
        _ => format!("Parent method is neither in same base nor built-in <{parent}>"),
    };
    Ok(vec![problem])
}

/// Tells whether a stored method is another or descends from it.
fn descends(reading: &dyn Reading, method: &str, ancestor: &str) -> Result<bool> {
    let mut seen = HashSet::new();
    let mut current = method.to_owned();
    while current != ancestor {
        let entry = match below(reading.root(), &current) {
            Some(path) => reading.entry(path)?,
            None => None,
        };
        let parent = entry.and_then(|entry| {
            let parent = entry.graph.object_of(&current, ktbs::HAS_PARENT_METHOD)?;
            as_iri(parent).map(str::to_owned)
        });
        match parent {
            Some(parent) if seen.insert(parent.clone()) => current = parent,
            _ => return Ok(false),
        }
    }
    Ok(true)
}

fn check_deletable(entry: &Entry, iri: &str, _reading: &dyn Reading) -> Result<Vec<String>> {
    Ok(links::users(
        &entry.graph,
        iri,
        &[ktbs::HAS_METHOD, ktbs::HAS_PARENT_METHOD],
    ))
}
