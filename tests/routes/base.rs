//! Bases.

use ktbs::error::Error;
use ktbs::resource::Expected;

use super::support::{ROOT, TestService, conflict, graph_of, refused, same, turtle};

#[test]
fn post_with_an_iri_creates_it() {
    let ktbs = TestService::new();
    let before = ktbs.tag("");
    let iris = ktbs
        .post(
            "",
            "<> k:hasBase <b/>. <b/> a k:Base, x:T; rdfs:label 'b'; x:p [x:q 1].",
        )
        .unwrap();
    assert_eq!(iris, [format!("{ROOT}b/")]);
    ktbs.shows(
        "b/",
        "<../> k:hasBase <>. <> a k:Base, x:T; rdfs:label 'b'; x:p [x:q 1].",
    );
    assert_ne!(ktbs.tag(""), before, "the root lists one more base");
    assert_ne!(ktbs.tag(""), ktbs.tag("b/"));
}

#[test]
fn post_without_an_iri_mints_one() {
    let ktbs = TestService::new();
    let post = |label: &str| ktbs.created("", &format!("<> k:hasBase [a k:Base{label}]."));
    assert_eq!(post(""), "base/");
    let second = post("");
    assert!(
        second.starts_with("base-") && second.len() == 8 && second.ends_with('/'),
        "{second}"
    );
    assert!(ktbs.has(&second));
    assert_eq!(post("; skos:prefLabel 'My Base é! 2'"), "my-base-é-2/");
    assert_eq!(
        post("; skos:prefLabel ''; rdfs:label 'not this'").split('-').next(),
        Some("base")
    );
    assert_eq!(
        post(&format!("; skos:prefLabel '{}'", "long ".repeat(200))).len(),
        100 - 16 + 1
    );
}

#[test]
fn post_with_a_bad_iri_is_refused() {
    let ktbs = TestService::with_base();
    let long = "a".repeat(101);
    for (id, expected) in [
        ("c", "URI must end with '/'".to_owned()),
        (
            "c.d/",
            "The identifier of the created item is invalid: [c.d]".to_owned(),
        ),
        ("@c/", "The identifier of the created item is invalid: [@c]".to_owned()),
        ("b/", "URI already in use <b/>".to_owned()),
        (
            &format!("{long}/"),
            "The identifier of the created item is longer than id-bytes (100)".to_owned(),
        ),
    ] {
        assert_eq!(
            refused(ktbs.post("", &format!("<> k:hasBase <{id}>. <{id}> a k:Base."))),
            expected
        );
    }
    assert!(!ktbs.has("c"));
}

#[test]
fn post_nested_too_deep_is_refused() {
    let ktbs = TestService::with_base();
    let id = format!("{}/", "d".repeat(99));
    let mut path = "b/".to_owned();
    let error = loop {
        match ktbs.post(&path, &format!("<> k:contains <{id}>. <{id}> a k:Base.")) {
            Ok(_) => path.push_str(&id),
            Err(error) => break error,
        }
        assert!(path.len() < 600);
    };
    assert!(error.to_string().contains("nested too deep"), "{error}");
    let minted = ktbs.created(
        &path,
        "<> k:contains [a k:Base; skos:prefLabel 'a label that is much too long for the room \
        that is left at this depth, where only some eighty bytes remain'].",
    );
    assert!(ktbs.has(&minted));
}

#[test]
fn post_of_anything_but_one_item_is_refused() {
    let ktbs = TestService::with_base();
    for body in [
        "<> k:contains <c/>.",
        "<> x:p <c/>. <c/> a k:Base.",
        "<> k:contains <c/>. <c/> a x:Base.",
        "<> k:contains <c/>, <m>. <c/> a k:Base. <m> a k:TraceModel.",
        "<> k:contains <../c/>. <../c/> a k:Base.",
        "<> k:contains <c/d/>. <c/d/> a k:Base.",
    ] {
        assert_eq!(refused(ktbs.post("b/", body)), "Can not find created node", "{body}");
    }
    let ambiguous = "<> k:contains <m>. <m> a k:TraceModel, k:KtbsRoot.";
    assert_eq!(refused(ktbs.post("b/", ambiguous)), "Ambiguous type of posted resource");
    ktbs.shows("b/", "<../> k:hasBase <>. <> a k:Base.");
}

#[test]
fn post_of_reserved_triples_is_refused() {
    let ktbs = TestService::with_base();
    for (triples, expected) in [
        (
            "<c/> k:contains <c/d>.",
            "Can not create out-property <k:contains> of <b/c/>",
        ),
        (
            "<c/> k:hasModel <m>.",
            "Can not create out-property <k:hasModel> of <b/c/>",
        ),
        ("<c/> a k:Nonsense.", "Can not create type <k:Nonsense> for <b/c/>"),
        (
            "<d/> k:contains <c/>.",
            "Can not create in-property <k:contains> to <b/c/>",
        ),
        (
            "<d/> k:hasSource <c/>.",
            "Can not create in-property <k:hasSource> to <b/c/>",
        ),
    ] {
        let body = format!("<> k:contains <c/>. <c/> a k:Base. {triples}");
        assert_eq!(refused(ktbs.post("b/", &body)), expected);
        assert!(!ktbs.has("b/c/"));
    }
}

#[test]
fn post_of_a_sub_base_by_either_link_is_a_contains() {
    let ktbs = TestService::with_base();
    ktbs.created("b/", "<> k:contains <c/>. <c/> a k:Base; rdfs:label 'c'.");
    ktbs.created("b/", "<> k:hasBase <d/>. <d/> a k:Base.");
    ktbs.created("b/", "<> k:hasBase [a k:Base].");
    ktbs.shows("b/c/", "<../> k:contains <>. <> a k:Base; rdfs:label 'c'.");
    ktbs.shows("b/d/", "<../> k:contains <>. <> a k:Base.");
    ktbs.shows(
        "b/",
        "<../> k:hasBase <>. <> a k:Base; k:contains <base/>, <c/>, <d/>. <base/> a k:Base. <c/> a k:Base.
         <d/> a k:Base.",
    );
    ktbs.created("b/c/", "<> k:contains <e/>. <e/> a k:Base.");
    ktbs.shows(
        "b/c/",
        "<../> k:contains <>. <> a k:Base; rdfs:label 'c'; k:contains <e/>. <e/> a k:Base.",
    );
}

#[test]
fn post_keeps_what_is_about_the_base_only() {
    let ktbs = TestService::new();
    ktbs.created(
        "",
        "<> k:hasBase <b/>; rdfs:label 'forged'. <b/> a k:Base; x:p [x:q [x:r <http://ex.org/end>]]. <c/> a k:Base.
         <http://ex.org/end> x:p 1. [x:about <b/>; x:q 2].",
    );
    ktbs.shows(
        "b/",
        "<../> k:hasBase <>. <> a k:Base; x:p [x:q [x:r <http://ex.org/end>]]. [x:about <>; x:q 2].",
    );
}

#[test]
fn put_may_change_what_is_not_reserved() {
    let ktbs = TestService::with_base();
    ktbs.created("b/", "<> k:contains <m>. <m> a k:TraceModel.");
    let all = "<../> k:hasBase <>. <> a k:Base, x:T; k:contains <m>; rdfs:label 'b'; x:p [x:q 1]. <m> a k:TraceModel.";
    let before = ktbs.tag("b/");
    same(&ktbs.put("b/", all).unwrap(), "b/", all);
    ktbs.shows("b/", all);
    assert_ne!(ktbs.tag("b/"), before);
    ktbs.created("b/", "<> k:contains <n>. <n> a k:TraceModel.");
    ktbs.shows("b/", &format!("{all} <> k:contains <n>. <n> a k:TraceModel."));
}

#[test]
fn put_of_what_was_read_with_prop_is_accepted() {
    let ktbs = TestService::with_base();
    ktbs.created("b/", "<> k:contains <m>. <m> a k:TraceModel; skos:prefLabel 'model'.");
    let read = ktbs.view("b/", &[("prop", "label")]).unwrap();
    let tags = read.tags.clone();
    let mut graph = graph_of(read);
    graph.extend_from(&turtle("b/", "<> skos:prefLabel 'base'."));
    let view = ktbs
        .service
        .replace(ktbs.find("b/").unwrap(), &Expected::Tags(tags), graph)
        .unwrap();
    assert_eq!(view.tags, [ktbs.tag("b/")]);
    let expected = "<../> k:hasBase <>. <> a k:Base; k:contains <m>; skos:prefLabel 'base'. <m> a k:TraceModel.";
    same(&graph_of(view), "b/", expected);
    ktbs.shows("b/", expected);
}

#[test]
fn put_of_generated_or_reserved_triples_is_refused() {
    let ktbs = TestService::with_base();
    ktbs.created("b/", "<> k:contains <m>. <m> a k:TraceModel.");
    let before = ktbs.tag("b/");
    for (body, expected) in [
        (
            "<> a k:Base.",
            "Can not edit in-property <k:hasBase> to <b/>\n\
             Can not edit out-property <k:contains> of <b/>\n\
             Can not edit type <k:TraceModel> for <b/m>",
        ),
        (
            "<../> k:hasBase <>. <> a k:Base; k:contains <m>.",
            "Can not edit type <k:TraceModel> for <b/m>",
        ),
        (
            "<../> k:hasBase <>. <> a k:Base; k:contains <m>. <m> a k:TraceModel, k:StoredTrace.",
            "Can not edit type <k:StoredTrace> for <b/m>",
        ),
        (
            "<../> k:hasBase <>. <> a k:Base, k:Method; k:contains <m>, <n>; k:hasModel <m>. <m> a k:TraceModel.",
            "Can not edit type <k:Method> for <b/>\n\
             Can not edit out-property <k:contains> of <b/>\n\
             Can not edit out-property <k:hasModel> of <b/>",
        ),
        (
            "<../> k:hasBase <>; k:contains <>. <> a k:Base; k:contains <m>. <m> a k:TraceModel.",
            "Can not edit in-property <k:contains> to <b/>",
        ),
    ] {
        assert_eq!(refused(ktbs.put("b/", body)), expected, "{body}");
    }
    assert_eq!(ktbs.tag("b/"), before);
}

#[test]
fn put_with_a_stale_tag_is_a_mismatch() {
    let ktbs = TestService::with_base();
    let put = |tags: &[&str]| {
        let expected = Expected::Tags(tags.iter().map(|tag| (*tag).to_owned()).collect());
        let body = turtle("b/", "<../> k:hasBase <>. <> a k:Base.");
        ktbs.service.replace(ktbs.find("b/").unwrap(), &expected, body)
    };
    let first = ktbs.tag("b/");
    assert!(matches!(put(&["other"]), Err(Error::EtagMismatch)));
    assert!(matches!(put(&[]), Err(Error::EtagMismatch)));
    assert_eq!(ktbs.tag("b/"), first);
    put(&["other", &first]).unwrap();
    assert_ne!(ktbs.tag("b/"), first, "even the same content is another version");
    assert!(matches!(put(&[&first]), Err(Error::EtagMismatch)));
}

#[test]
fn writes_to_a_base_that_is_gone_are_not_found() {
    let ktbs = TestService::with_base();
    let found = || ktbs.find("b/").unwrap();
    let (first, second, third) = (found(), found(), found());
    ktbs.delete("b/").unwrap();
    let body = turtle("b/", "<> k:contains <c/>. <c/> a k:Base.");
    assert!(matches!(
        ktbs.service.create(&first, &[], body.clone()),
        Err(Error::NotFound)
    ));
    assert!(matches!(ktbs.service.delete(&second, &[]), Err(Error::NotFound)));
    assert!(matches!(
        ktbs.service.replace(third, &Expected::Anything, body),
        Err(Error::NotFound)
    ));
    assert!(!ktbs.has("b/c/"));
}

#[test]
fn delete_empty_is_gone_from_its_container() {
    let ktbs = TestService::with_base();
    ktbs.created("b/", "<> k:contains <c/>. <c/> a k:Base; x:p 1.");
    let (root, base) = (ktbs.tag(""), ktbs.tag("b/"));
    ktbs.delete("b/c/").unwrap();
    assert!(!ktbs.has("b/c/"));
    ktbs.shows("b/", "<../> k:hasBase <>. <> a k:Base.");
    assert_ne!(ktbs.tag("b/"), base);
    assert_eq!(ktbs.tag(""), root);
    ktbs.created("b/", "<> k:contains <c/>. <c/> a k:Base.");
    ktbs.shows("b/c/", "<../> k:contains <>. <> a k:Base.");
}

#[test]
fn delete_non_empty_is_a_conflict() {
    let ktbs = TestService::with_base();
    ktbs.created("b/", "<> k:contains <m>. <m> a k:TraceModel.");
    assert_eq!(conflict(ktbs.delete("b/")), "Can not delete non-empty Base");
    ktbs.delete("b/m").unwrap();
    ktbs.delete("b/").unwrap();
    assert!(!ktbs.has("b/"));
}

#[test]
fn get_prop_adds_what_is_stored_of_items() {
    let ktbs = TestService::with_base();
    ktbs.created(
        "b/",
        "<> k:contains <m>. <m> a k:TraceModel; skos:prefLabel 'M'; rdfs:comment 'draft'.",
    );
    ktbs.created(
        "b/",
        "<> k:contains <t/>. <t/> a k:StoredTrace; k:hasModel <m>; k:hasOrigin 'o'; rdfs:label 't'@en.",
    );
    let plain = "<../> k:hasBase <>. <> a k:Base; k:contains <m>, <t/>. <m> a k:TraceModel. <t/> a k:StoredTrace.";
    for (names, added) in [
        ("", ""),
        ("foo", ""),
        ("label", "<m> skos:prefLabel 'M'. <t/> rdfs:label 't'@en."),
        ("comment", "<m> rdfs:comment 'draft'."),
        ("hasModel,hasSource,hasMethod", "<t/> k:hasModel <m>."),
        ("obselCount", "<t/> k:hasObselCount 0."),
        (
            "foo,obselCount,comment",
            "<t/> k:hasObselCount 0. <m> rdfs:comment 'draft'.",
        ),
    ] {
        let view = ktbs.view("b/", &[("prop", names)]).unwrap();
        same(&graph_of(view), "b/", &format!("{plain} {added}"));
    }
}

#[test]
fn get_of_items_with_and_without_slash_differs() {
    let ktbs = TestService::with_base();
    ktbs.created("b/", "<> k:contains <t>. <t> a k:TraceModel.");
    ktbs.created("b/", "<> k:contains <t/>. <t/> a k:Base.");
    ktbs.created("b/", "<> k:contains <m/>. <m/> a k:TraceModel.");
    ktbs.shows("b/t/", "<../> k:contains <>. <> a k:Base.");
    ktbs.shows(
        "b/t",
        "<./> k:contains <t>. <t> a k:TraceModel; k:hasUnit k:millisecond.",
    );
    assert!(!ktbs.has("b/m"));
}

#[test]
fn get_prop_counts_the_obsels_of_the_trace_only() {
    let ktbs = TestService::with_base();
    ktbs.created(
        "b/",
        "<> k:contains <t/>. <t/> a k:StoredTrace; k:hasModel <m>; k:hasOrigin 'o'.",
    );
    ktbs.created("b/", "<> k:contains <d>. <d> a k:DataGraph. <t/x> k:hasTrace <t/>.");
    ktbs.created(
        "b/t/",
        "<o1> k:hasTrace <>; k:hasBegin 1. <o2> k:hasTrace <>; k:hasBegin 2.",
    );
    let view = ktbs.view("b/", &[("prop", "obselCount")]).unwrap();
    same(
        &graph_of(view),
        "b/",
        "<../> k:hasBase <>. <> a k:Base; k:contains <d>, <t/>. <d> a k:DataGraph.
         <t/> a k:StoredTrace; k:hasObselCount 2.",
    );
}
