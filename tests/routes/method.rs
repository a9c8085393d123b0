//! Methods.

use super::support::{TestService, conflict, not_allowed, refused, same};

/// Returns a kTBS with a method `b/m1`, and `b/m2` that inherits it.
fn with_methods() -> TestService {
    let ktbs = TestService::with_base();
    ktbs.created(
        "b/",
        "<> k:contains <m1>. <m1> a k:Method; k:hasParentMethod k:filter; k:hasParameter 'before=1'.",
    );
    ktbs.created("b/", "<> k:contains <m2>. <m2> a k:Method; k:hasParentMethod <m1>.");
    ktbs
}

#[test]
fn post_is_shown_in_its_parent() {
    let ktbs = TestService::with_base();
    ktbs.created(
        "b/",
        "<> k:contains <m1>. <m1> a k:Method; k:hasParentMethod k:filter; k:hasParameter 'a=b=c', 'd='.",
    );
    let tag = ktbs.tag("b/m1");
    ktbs.created(
        "b/",
        "<> k:contains [a k:Method; k:hasParentMethod <m1>; skos:prefLabel 'My Meth!?'].",
    );
    ktbs.shows(
        "b/m1",
        "<./> k:contains <>. <> a k:Method; k:hasParentMethod k:filter; k:hasParameter 'a=b=c', 'd='.
         <my-meth-> k:hasParentMethod <>.",
    );
    assert_ne!(ktbs.tag("b/m1"), tag);
    ktbs.shows(
        "b/my-meth-",
        "<./> k:contains <>. <> a k:Method; k:hasParentMethod <m1>; skos:prefLabel 'My Meth!?'.",
    );
}

#[test]
fn post_with_a_bad_parent_is_refused() {
    let ktbs = with_methods();
    ktbs.created("b/", "<> k:contains <model>. <model> a k:TraceModel.");
    ktbs.created("b/", "<> k:contains <sub/>. <sub/> a k:Base.");
    let property = "Property <k:hasParentMethod> of <b/bad>";
    let elsewhere = |iri: &str| format!("Parent method is neither in same base nor built-in <{iri}>");
    for (values, expected) in [
        ("", format!("{property} should have at least 1 objects; it only has 0")),
        (
            "; k:hasParentMethod k:filter, k:fusion",
            format!("{property} should have at most 1 objects; it has 2"),
        ),
        (
            "; k:hasParentMethod 'filter'",
            format!("{property} expects resources, got literal \"filter\""),
        ),
        (
            "; k:hasParentMethod []",
            format!("{property} expects an IRI, got a blank node"),
        ),
        (
            "; k:hasParentMethod <nowhere>",
            "Parent method does not exist <b/nowhere>".to_owned(),
        ),
        (
            "; k:hasParentMethod <model>",
            "Parent <b/model> is not a method".to_owned(),
        ),
        ("; k:hasParentMethod <sub/m>", elsewhere("b/sub/m")),
        ("; k:hasParentMethod <http://ex.org/m>", elsewhere("http://ex.org/m")),
        ("; k:hasParentMethod k:external", elsewhere("k:external")),
    ] {
        let body = format!("<> k:contains <bad>. <bad> a k:Method{values}.");
        assert_eq!(refused(ktbs.post("b/", &body)), expected);
    }
    let other = "<> k:contains <bad>. <bad> a k:Method; k:hasParentMethod <../m1>.";
    assert_eq!(refused(ktbs.post("b/sub/", other)), elsewhere("b/m1"));
}

#[test]
fn post_with_bad_parameters_is_refused() {
    let ktbs = TestService::with_base();
    for (values, expected) in [
        ("'after'", "Parameter is ill-formatted: \"after\""),
        ("'=1'", "Parameter is ill-formatted: \"=1\""),
        ("'after=1', 'after=2'", "Parameter after specified more than once"),
        ("<p>", "Parameters should be literals; got <b/p>"),
    ] {
        let body =
            format!("<> k:contains <bad>. <bad> a k:Method; k:hasParentMethod k:filter; k:hasParameter {values}.");
        assert_eq!(refused(ktbs.post("b/", &body)), expected);
    }
}

#[test]
fn post_and_put_of_inherits_sets_the_parent() {
    let ktbs = TestService::with_base();
    ktbs.created("b/", "<> k:contains <m>. <m> a k:Method; k:inherits k:fusion.");
    let as_fusion = "<./> k:contains <m>. <m> a k:Method; k:inherits k:fusion; k:hasParentMethod k:fusion.";
    ktbs.shows("b/m", as_fusion);
    let both = "<./> k:contains <m>. <m> a k:Method; k:inherits k:filter; k:hasParentMethod k:fusion.";
    let as_filter = "<./> k:contains <m>. <m> a k:Method; k:inherits k:filter; k:hasParentMethod k:filter.";
    same(&ktbs.put("b/m", both).unwrap(), "b/m", as_filter);
    same(&ktbs.put("b/m", as_filter).unwrap(), "b/m", as_filter);
    let without = "<./> k:contains <m>. <m> a k:Method; k:hasParentMethod k:filter, k:fusion.";
    let new = "<./> k:contains <m>. <m> a k:Method; k:hasParentMethod k:fusion.";
    same(&ktbs.put("b/m", without).unwrap(), "b/m", new);
}

#[test]
fn post_to_a_method_is_not_allowed() {
    assert_eq!(
        not_allowed(with_methods().post("b/m1", "<> k:hasParameter 'a=1'.")).0,
        "post_graph not supported"
    );
}

#[test]
fn put_moves_the_link_from_parent_to_parent() {
    let ktbs = with_methods();
    ktbs.created("b/", "<> k:contains <m3>. <m3> a k:Method; k:hasParentMethod k:filter.");
    let body = "<./> k:contains <>. <> a k:Method; k:hasParentMethod <m3>; k:hasParameter 'a=1'; rdfs:label 'two'.";
    let (old, new) = (ktbs.tag("b/m1"), ktbs.tag("b/m3"));
    same(&ktbs.put("b/m2", body).unwrap(), "b/m2", body);
    ktbs.shows(
        "b/m1",
        "<./> k:contains <>. <> a k:Method; k:hasParentMethod k:filter; k:hasParameter 'before=1'.",
    );
    ktbs.shows(
        "b/m3",
        "<./> k:contains <>. <> a k:Method; k:hasParentMethod k:filter. <m2> k:hasParentMethod <>.",
    );
    assert!(ktbs.tag("b/m1") != old && ktbs.tag("b/m3") != new);
    let built_in = "<./> k:contains <>. <> a k:Method; k:hasParentMethod k:fusion.";
    ktbs.put("b/m2", built_in).unwrap();
    ktbs.shows("b/m3", "<./> k:contains <>. <> a k:Method; k:hasParentMethod k:filter.");
}

#[test]
fn put_of_a_cycle_is_refused() {
    let ktbs = with_methods();
    ktbs.created("b/", "<> k:contains <m3>. <m3> a k:Method; k:hasParentMethod <m2>.");
    let body = |parent: &str| {
        format!("<./> k:contains <>. <> a k:Method; k:hasParentMethod <{parent}>. <m2> k:hasParentMethod <>.")
    };
    for parent in ["m2", "m3"] {
        let expected = format!("Parent method would create a cycle <b/{parent}>");
        assert_eq!(refused(ktbs.put("b/m1", &body(parent))), expected);
    }
    assert!(refused(ktbs.put("b/m1", &body("m1"))).contains("Parent method would create a cycle <b/m1>"));
}

#[test]
fn put_without_or_with_more_users_is_refused() {
    let ktbs = with_methods();
    let own = "<./> k:contains <>. <> a k:Method; k:hasParentMethod k:filter; k:hasParameter 'before=2'.";
    let expected = "Can not edit in-property <k:hasParentMethod> to <b/m1>";
    assert_eq!(refused(ktbs.put("b/m1", own)), expected);
    let forged = format!("{own} <m2> k:hasParentMethod <>. <m3> k:hasParentMethod <>.");
    assert_eq!(refused(ktbs.put("b/m1", &forged)), expected);
    let all = format!("{own} <m2> k:hasParentMethod <>.");
    same(&ktbs.put("b/m1", &all).unwrap(), "b/m1", &all);
}

#[test]
fn delete_while_used_is_a_conflict() {
    let ktbs = with_methods();
    assert_eq!(
        conflict(ktbs.delete("b/m1")),
        "<b/m1> is used (ktbs:hasParentMethod) by <b/m2>"
    );
    ktbs.delete("b/m2").unwrap();
    ktbs.shows(
        "b/m1",
        "<./> k:contains <>. <> a k:Method; k:hasParentMethod k:filter; k:hasParameter 'before=1'.",
    );
    ktbs.delete("b/m1").unwrap();
    assert!(!ktbs.has("b/m1"));
    ktbs.delete("b/").unwrap();
}
