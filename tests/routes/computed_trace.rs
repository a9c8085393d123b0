//! Computed traces, as far as they are served: what was stored can be read and deleted.

use ktbs::error::Error;
use ktbs::store::{Entry, Head, Kind, Reading, Tag};

use super::support::{TestService, conflict, not_allowed, turtle};

/// Returns a kTBS with a model, a method `b/m`, a stored trace `b/t/`, and a computed trace `b/c/` that uses both.
fn with_computed_trace() -> TestService {
    let ktbs = TestService::with_base();
    ktbs.created("b/", "<> k:contains <m>. <m> a k:Method; k:hasParentMethod k:filter.");
    ktbs.created(
        "b/",
        "<> k:contains <t/>. <t/> a k:StoredTrace; k:hasModel <model>; k:hasOrigin 'o'.",
    );
    let mut change = ktbs.service.store.write().unwrap();
    let links = ["<c/> k:hasSource <t/>.", "<c/> k:hasMethod <m>."];
    for (path, link) in [("b/t/", links[0]), ("b/m", links[1])] {
        let mut entry = change.entry(path).unwrap().unwrap();
        entry.graph.extend_from(&turtle("b/", link));
        change.put(&mut entry).unwrap();
    }
    let head = Head {
        path: "b/c/".to_owned(),
        kind: Kind::ComputedTrace,
        tag: Tag { instance: 0, count: 0 },
        modified: 0,
        trace: Some(change.create_trace().unwrap()),
        unit: None,
    };
    let graph = turtle(
        "b/",
        &format!("<c/> a k:ComputedTrace; k:hasModel <model>. {}", links.join(" ")),
    );
    change.put(&mut Entry { head, graph }).unwrap();
    change.commit().unwrap();
    ktbs
}

#[test]
fn post_is_not_implemented() {
    let ktbs = TestService::with_base();
    let result = ktbs.post(
        "b/",
        "<> k:contains <c/>. <c/> a k:ComputedTrace; k:hasMethod k:filter.",
    );
    assert!(
        matches!(&result, Err(Error::NotImplemented(text)) if text.contains("Computed traces")),
        "{result:?}"
    );
    assert!(!ktbs.has("b/c/"));
}

#[test]
fn get_has_aspects() {
    with_computed_trace().shows(
        "b/c/",
        "<../> k:contains <>. <> a k:ComputedTrace; k:hasModel <../model>; k:hasSource <../t/>; k:hasMethod <../m>;
         k:hasObselCollection <@obsels>; k:hasTraceStatistics <@stats>.",
    );
}

#[test]
fn verbs_on_what_is_computed_are_not_allowed() {
    let ktbs = with_computed_trace();
    assert_eq!(
        not_allowed(ktbs.post("b/c/", "<o> k:hasTrace <>.")),
        (
            "post_graph not supported".to_owned(),
            ["GET", "HEAD", "PUT", "DELETE"].as_slice()
        )
    );
    let obsels = ktbs.find("b/c/@obsels").unwrap();
    let read_only = ["GET", "HEAD"].as_slice();
    assert_eq!(
        not_allowed(ktbs.service.check_replaceable(&obsels, &[])),
        ("Can not directly edit obsels of computed trace.".to_owned(), read_only)
    );
    assert_eq!(
        not_allowed(ktbs.delete("b/c/@obsels")),
        ("Can not empty a computed trace.".to_owned(), read_only)
    );
}

#[test]
fn delete_frees_what_it_uses() {
    let ktbs = with_computed_trace();
    assert_eq!(
        conflict(ktbs.delete("b/t/")),
        "<b/t/> is used (ktbs:hasSource) by <b/c/>"
    );
    assert_eq!(conflict(ktbs.delete("b/m")), "<b/m> is used (ktbs:hasMethod) by <b/c/>");
    ktbs.delete("b/c/").unwrap();
    ktbs.shows("b/m", "<./> k:contains <>. <> a k:Method; k:hasParentMethod k:filter.");
    ktbs.delete("b/t/").unwrap();
    ktbs.delete("b/m").unwrap();
    ktbs.delete("b/").unwrap();
}
