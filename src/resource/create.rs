//! What every POST to the root or to a base does: find what is created, name it, complete it, check it, store it.

use std::collections::{HashMap, HashSet};

use crate::error::{Error, Result};
use crate::rdf::{Graph, Term, TermId, as_iri, as_literal, iri, is_blank};
use crate::resource::access::Acl;
use crate::resource::check::{quoted, refuse};
use crate::resource::draft::Draft;
use crate::resource::links::local_name;
use crate::resource::mint::{self, Ending};
use crate::resource::path::{PATH_BYTES, container, is_identifier};
use crate::resource::{KINDS, Row, Service, Target, links};
use crate::store::{Change, Entry, Head, Kind, Reading, Tag};
use crate::vocab::{ktbs, rdf, skos};

/// The types that are recognised besides those of [`KINDS`], so that a resource with one of them is ambiguous.
static OTHER_CLASSES: [&str; 3] = [
    ktbs::STORED_TRACE_OBSELS,
    ktbs::COMPUTED_TRACE_OBSELS,
    ktbs::TRACE_STATISTICS,
];

/// Creates the item that a graph describes in the root or in a base; returns its IRI.
///
/// # Errors
/// `InvalidData` if the graph does not describe one item that may be created there, `NotFound` if the container is
/// gone, `NotImplemented` for a kind that is not served yet, and those of the store.
pub fn create_item(service: &Service, target: &Target, graph: Graph) -> Result<Vec<String>> {
    let node = find_created(&graph, &target.iri, target.entry.head.kind)?;
    service.check_may_create(target, as_iri(&node))?;
    let mut change = service.store.write()?;
    // It may have been deleted since it was found, even be something else by now.
    let Head { path, kind, .. } = &target.entry.head;
    let parent = change
        .head(path)?
        .filter(|parent| parent.kind == *kind)
        .ok_or(Error::NotFound)?;
    let place = Place {
        container: &target.iri,
        path: &parent.path,
        id_bytes: service.settings.id_bytes,
    };
    if let Some(iri) = as_iri(&node) {
        refuse("check_posted_graph", check_posted(&place, iri, &change)?)?;
    }
    let row = row_of(&graph, &node)?;
    let (iri, graph) = if is_blank(&node) {
        let minted = place.mint(row, label(&graph, &node), &change)?;
        let named = graph.replaced(&HashMap::from([(node, iri(&minted))]));
        (minted, named)
    } else {
        (as_iri(&node).unwrap_or_default().to_owned(), graph)
    };

    let mut head = new_head(iri.strip_prefix(change.root()).unwrap_or_default(), row.kind);
    let mut draft = Draft {
        row,
        iri: iri.clone(),
        container: Some(target.iri.clone()),
        graph,
        before: None,
    };
    (row.complete)(&mut draft, &change.seen())?;
    refuse(
        "check_new_graph",
        (row.check)(&draft, &change.seen(), &service.settings)?,
    )?;
    links::update(&mut change, &iri, row.uses, &Graph::new(), &draft.graph)?;
    (row.settle)(&draft, &mut change, &mut head)?;
    let graph = draft.into_stored(&Graph::new());
    if let Some(owner) = service.creator().filter(|_| row.folder) {
        change.put_acl(&head.path, &Acl::of_owner(owner).encode())?;
    }
    change.put(&mut Entry { head, graph })?;
    // What the container lists has changed, hence its tag.
    change.touch(&parent.path)?;
    change.commit()?;
    Ok(vec![iri])
}

/// Returns the head of a resource that is to be put for the first time, when the store gives it a tag and a time.
pub fn new_head(path: &str, kind: Kind) -> Head {
    Head {
        path: path.to_owned(),
        kind,
        tag: Tag { instance: 0, count: 0 },
        modified: 0,
        trace: None,
        unit: None,
    }
}

/// Returns the node that a graph describes as a new item of a container: the only one that the container is linked to
/// by the right property, with a type that it may have there, and that is blank or directly below the container.
///
/// A base may be linked by `k:hasBase` to a base as well, because simple JSON can not tell it from the root.
///
/// # Errors
/// `InvalidData` if there is none, or several.
fn find_created(graph: &Graph, target: &str, kind: Kind) -> Result<Term> {
    let mut candidates = Vec::new();
    let items = KINDS.iter().filter(|row| row.kind != Kind::Root).map(|row| row.class);
    if kind != Kind::Root {
        candidates.extend(linked(graph, target, ktbs::CONTAINS, &items.collect::<Vec<_>>()));
    }
    candidates.extend(linked(graph, target, ktbs::HAS_BASE, &[ktbs::BASE]));
    candidates.sort_unstable();
    candidates.dedup();
    match candidates[..] {
        [node] => Ok(graph.term(node).clone()),
        _ => Err(Error::invalid("Can not find created node")),
    }
}

/// Returns the nodes that may be items of a container: linked to it by a property, with one of some types.
fn linked(graph: &Graph, target: &str, property: &str, classes: &[&str]) -> Vec<TermId> {
    let ids = |iris: &[&str]| -> Vec<TermId> { iris.iter().filter_map(|iri| graph.iri_id(iri)).collect() };
    let (Some(target_id), Some(property), Some(a)) =
        (graph.iri_id(target), graph.iri_id(property), graph.iri_id(rdf::TYPE))
    else {
        return Vec::new();
    };
    let classes = ids(classes);
    let typed = graph.ids().filter(|&[_, p, o]| p == a && classes.contains(&o));
    let typed: HashSet<TermId> = typed.map(|[s, ..]| s).collect();
    graph
        .ids()
        .filter(|&[s, p, o]| s == target_id && p == property && typed.contains(&o))
        .map(|[.., o]| o)
        .filter(|&o| {
            let node = graph.term(o);
            is_blank(node) || as_iri(node).is_some_and(|iri| !iri.contains('#') && container(iri) == Some(target))
        })
        .collect()
}

/// Returns the rules of the kind of a node.
///
/// # Errors
/// `InvalidData` if its types name no kind, or several.
pub fn row_of(graph: &Graph, node: &Term) -> Result<&'static Row> {
    let mut known = Vec::new();
    for [s, p, o] in graph.iter() {
        if s == node && as_iri(p) == Some(rdf::TYPE) {
            let class = as_iri(o).unwrap_or_default();
            if let Some(row) = KINDS.iter().find(|row| row.class == class) {
                known.push(Some(*row));
            } else if OTHER_CLASSES.contains(&class) {
                known.push(None);
            }
        }
    }
    match known[..] {
        [Some(row)] => Ok(row),
        [] | [None] => Err(Error::invalid("No recognized type for posted resource")),
        _ => Err(Error::invalid("Ambiguous type of posted resource")),
    }
}

/// Returns the label by which a node is to be named, if it has any.
fn label<'g>(graph: &'g Graph, node: &Term) -> Option<&'g str> {
    graph
        .iter()
        .filter(|[s, p, _]| *s == node && as_iri(p) == Some(skos::PREF_LABEL))
        .filter_map(|[.., o]| as_literal(o))
        .find(|label| !label.is_empty())
}

/// Where an item is to be created.
struct Place<'a> {
    /// The IRI of the container.
    container: &'a str,
    /// Its path.
    path: &'a str,
    /// Longest identifier, in bytes.
    id_bytes: usize,
}

impl Place<'_> {
    /// Longest identifier that is possible here, in bytes, without a final `/`.
    fn room(&self) -> usize {
        self.id_bytes.min(PATH_BYTES.saturating_sub(self.path.len() + 1))
    }

    /// Returns a new IRI, after the label of the item or else the name of its class.
    fn mint(&self, row: &Row, label: Option<&str>, change: &Change<'_>) -> Result<String> {
        let slug = mint::slug(label.unwrap_or_else(|| local_name(row.class)));
        let slash = if row.folder { "/" } else { "" };
        let id = mint::mint(&slug, Ending::IfTaken, self.room(), |id| {
            Ok(change.head(&format!("{}{id}{slash}", self.path))?.is_some())
        })?;
        refuse("check_posted_graph", self.check_length(&id))?;
        Ok(format!("{}{id}{slash}", self.container))
    }

    /// Checks that an identifier, without a final `/`, is not too long.
    fn check_length(&self, id: &str) -> Vec<String> {
        if id.len() > self.id_bytes {
            vec![format!(
                "The identifier of the created item is longer than id-bytes ({})",
                self.id_bytes
            )]
        } else if id.len() > self.room() {
            vec![format!(
                "The path of the created item is longer than {PATH_BYTES} bytes: it is nested too deep"
            )]
        } else {
            Vec::new()
        }
    }
}

/// Checks an IRI that the client chose: free, and made of the container's and of an identifier.
fn check_posted(place: &Place<'_>, iri: &str, change: &Change<'_>) -> Result<Vec<String>> {
    let Some(id) = iri.strip_prefix(place.container) else {
        return Ok(vec![format!(
            "The URI of the created item is not consistent with the URI of its container: <{iri}>"
        )]);
    };
    let bare = id.strip_suffix('/').unwrap_or(id);
    let mut problems = place.check_length(bare);
    if problems.is_empty() && change.head(&format!("{}{id}", place.path))?.is_some() {
        problems.push(format!("URI already in use <{iri}>"));
    }
    if !is_identifier(bare) {
        let shown = quoted(bare);
        let shown = &shown[1..shown.len() - 1];
        problems.push(format!("The identifier of the created item is invalid: [{shown}]"));
    }
    Ok(problems)
}

#[cfg(test)]
mod test {
    use super::*;
    use crate::resource::draft::test::graph;

    #[test]
    fn the_created_node_is_the_only_candidate() {
        let found = Ok("http://h/b/i/");
        let none = Err("Can not find created node");
        for (turtle, expected) in [
            ("<> k:contains <i/>. <i/> a k:Base.", found),
            ("<> k:hasBase <i/>. <i/> a k:Base.", found),
            ("<> k:hasBase <i/>; k:contains <i/>. <i/> a k:Base, x:T.", found),
            (
                "<> k:contains <i/>, 'literal', <i/#frag>, <i/deep>, <http://ex.org/>, <>. <i/> a k:StoredTrace.",
                found,
            ),
            ("<> k:contains <i/>, <untyped>. <i/> a k:Method.", found),
            ("", none),
            ("<> k:contains <i/>.", none),
            ("<i/> a k:Base.", none),
            ("<> x:p <i/>. <i/> a k:Base.", none),
            ("<> k:contains <i/>. <i/> a x:T.", none),
            ("<> k:contains <i/>. <i/> a k:KtbsRoot.", none),
            ("<> k:hasBase <i/>. <i/> a k:StoredTrace.", none),
            ("<> k:contains <i/>, <j/>. <i/> a k:Base. <j/> a k:Base.", none),
            ("<> k:contains <i/>, []. <i/> a k:Base.", found),
            ("<> k:contains <i/>, [a k:Base]. <i/> a k:Base.", none),
            ("<> k:contains <i#f>. <i#f> a k:Method.", none),
            ("<> k:contains <i/j>. <i/j> a k:Method.", none),
            ("<> k:contains <i//>. <i//> a k:Base.", none),
            ("<> k:contains <>. <> a k:Base.", none),
        ] {
            let result = find_created(&graph(turtle), "http://h/b/", Kind::Base);
            let result = result.map_err(|error| error.to_string());
            let result = result
                .as_ref()
                .map(|node| as_iri(node).unwrap_or("blank"))
                .map_err(String::as_str);
            assert_eq!(result, expected, "{turtle}");
        }
        let blank = find_created(&graph("<> k:contains [a k:Method]."), "http://h/b/", Kind::Base);
        assert!(is_blank(&blank.expect("a blank node is found")));
    }

    #[test]
    fn the_root_only_has_bases() {
        for (turtle, found) in [
            ("<> k:hasBase <i/>. <i/> a k:Base.", true),
            ("<> k:contains <i/>. <i/> a k:Base.", false),
            ("<> k:hasBase <i/>. <i/> a k:Method.", false),
        ] {
            assert_eq!(
                find_created(&graph(turtle), "http://h/b/", Kind::Root).is_ok(),
                found,
                "{turtle}"
            );
        }
    }

    #[test]
    fn the_kind_is_that_of_the_only_known_type() {
        let ambiguous = Err("Ambiguous type of posted resource".to_owned());
        let unknown = Err("No recognized type for posted resource".to_owned());
        for (types, expected) in [
            ("k:Base", Ok(Kind::Base)),
            ("k:Base, x:T, k:Nonsense", Ok(Kind::Base)),
            ("k:ComputedTrace", Ok(Kind::ComputedTrace)),
            ("k:TraceModel, k:KtbsRoot", ambiguous.clone()),
            ("k:TraceModel, k:Method", ambiguous.clone()),
            ("k:TraceModel, k:TraceStatistics", ambiguous),
            ("x:T", unknown),
        ] {
            let graph = graph(&format!("<i> a {types}."));
            let kind = row_of(&graph, &iri("http://h/b/i")).map(|row| row.kind);
            assert_eq!(kind.map_err(|error| error.to_string()), expected, "{types}");
        }
    }

    #[test]
    fn lengths_are_bounded_and_named() {
        let deep = "d/".repeat(230);
        for (path, id, expected) in [
            ("b/", "short".to_owned(), ""),
            ("b/", "a".repeat(200), ""),
            (
                "b/",
                "a".repeat(201),
                "The identifier of the created item is longer than id-bytes (200)",
            ),
            (deep.as_str(), "a".repeat(19), ""),
            (
                deep.as_str(),
                "a".repeat(20),
                "The path of the created item is longer than 480 bytes: it is nested too deep",
            ),
        ] {
            let place = Place {
                container: "http://h/b/",
                path,
                id_bytes: 200,
            };
            assert_eq!(place.check_length(&id).join(" "), expected, "{path} {id}");
        }
    }
}
