//! The root.

use ktbs::resource::{Expected, Service};
use ktbs::store::Store;
use ktbs::vocab::ktbs as k;

use super::support::{TestService, bad_parameters, graph_of, not_allowed, refused, same, settings, turtle};

const FRESH: &str = "<> a k:KtbsRoot; k:hasVersion '0.1-test'; k:hasBuiltinMethod k:filter, k:fusion, k:pipe.";

#[test]
fn get_fresh_has_version_and_methods() {
    TestService::new().shows("", FRESH);
}

#[test]
fn get_lists_direct_bases_without_type() {
    let ktbs = TestService::with_base();
    ktbs.created("b/", "<> k:contains <sub/>. <sub/> a k:Base.");
    ktbs.shows("", &format!("{FRESH} <> k:hasBase <b/>."));
}

#[test]
fn get_below_or_beside_the_root_is_not_found() {
    let ktbs = TestService::with_base();
    for path in ["b", "b//", "c/", "b/@obsels", "@stats", "b/../b/", &"x/".repeat(1000)] {
        assert!(!ktbs.has(path), "{path}");
    }
    for iri in ["http://h/k", "http://h/", "http://other/k/", ""] {
        assert!(ktbs.service.find(iri).is_err(), "{iri}");
    }
}

#[test]
fn start_with_other_methods_updates_the_root_and_its_tag() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), "http://h/k/", 1 << 28).unwrap();
    let tag = |service: &Service| service.find("http://h/k/").unwrap().tags().unwrap();

    let service = Service::new(store.clone(), settings()).unwrap();
    let put = turtle("", &format!("{FRESH} <> rdfs:label 'kept'."));
    service
        .replace(service.find("http://h/k/").unwrap(), &Expected::Anything, put)
        .unwrap();
    let first = tag(&service);
    let service = Service::new(store.clone(), settings()).unwrap();
    assert_eq!(tag(&service), first, "nothing changed");

    let mut other = settings();
    other.version = "0.2-test".to_owned();
    other.builtin_methods = vec![k::FILTER, k::EXTERNAL];
    let service = Service::new(store, other).unwrap();
    assert_ne!(tag(&service), first);
    let view = service.read(service.find("http://h/k/").unwrap(), &[]).unwrap();
    let expected = "<> a k:KtbsRoot; k:hasVersion '0.2-test'; k:hasBuiltinMethod k:filter, k:external;
        rdfs:label 'kept'.";
    same(&graph_of(view), "", expected);
}

#[test]
fn delete_is_not_allowed() {
    let (message, allow) = not_allowed(TestService::new().delete(""));
    assert_eq!(message, "Can not delete KtbsRoot");
    assert_eq!(allow, ["GET", "HEAD", "POST", "PUT"]);
}

#[test]
fn put_of_a_label_is_kept() {
    let ktbs = TestService::with_base();
    let all = format!("{FRESH} <> k:hasBase <b/>; rdfs:label 'root'; x:about [x:p 1].");
    same(&ktbs.put("", &all).unwrap(), "", &all);
    ktbs.shows("", &all);
}

#[test]
fn put_without_generated_triples_is_refused() {
    let ktbs = TestService::with_base();
    assert_eq!(
        refused(ktbs.put(
            "",
            "<> a k:KtbsRoot; k:hasBuiltinMethod k:filter, k:fusion; k:hasVersion 'mine'."
        )),
        "Can not edit out-property <k:hasVersion> of <>\n\
         Can not edit out-property <k:hasBase> of <>\n\
         Can not edit out-property <k:hasVersion> of <>"
    );
    ktbs.shows("", &format!("{FRESH} <> k:hasBase <b/>."));
}

#[test]
fn get_prop_adds_labels_and_comments_of_bases() {
    let ktbs = TestService::new();
    ktbs.created(
        "",
        "<> k:hasBase <b/>. <b/> a k:Base; skos:prefLabel 'B'; rdfs:label 'b'@en; rdfs:comment 'c'; x:p 1.",
    );
    let plain = format!("{FRESH} <> k:hasBase <b/>.");
    let labels = "<b/> skos:prefLabel 'B'; rdfs:label 'b'@en.";
    let comments = "<b/> rdfs:comment 'c'.";
    for (parameters, expected) in [
        (vec![("prop", "label")], vec![labels]),
        (vec![("prop", "comment")], vec![comments]),
        (vec![("prop", "comment,label")], vec![labels, comments]),
        (vec![("prop", "comment"), ("prop", "label")], vec![labels, comments]),
        (vec![("prop", "foo,label")], vec![labels]),
        (vec![("prop", "foo")], vec![]),
        (vec![("prop", "")], vec![]),
        (vec![("prop", "hasModel,obselCount")], vec![]),
    ] {
        let view = ktbs.view("", &parameters).unwrap();
        assert_eq!(view.tags, [ktbs.tag("")]);
        same(&graph_of(view), "", &format!("{plain} {}", expected.join(" ")));
    }
}

#[test]
fn any_verb_with_an_unknown_parameter_is_refused() {
    let ktbs = TestService::with_base();
    let parameters = ["foo", "z", "foo"].map(|name| (name.to_owned(), "1".to_owned()));
    let target = || ktbs.find("").unwrap();
    let post = turtle("", "<> k:hasBase <c/>. <c/> a k:Base.");
    for message in [
        bad_parameters(ktbs.service.read(target(), &parameters)),
        bad_parameters(ktbs.service.create(&target(), &parameters, post)),
        bad_parameters(ktbs.service.check_replaceable(&target(), &parameters)),
        bad_parameters(ktbs.service.delete(&ktbs.find("b/").unwrap(), &parameters)),
    ] {
        assert_eq!(message, "Unsupported parameter(s):foo, z");
    }
    let prop = [("prop".to_owned(), "label".to_owned())];
    let message = bad_parameters(ktbs.service.check_replaceable(&target(), &prop));
    assert_eq!(message, "Unsupported parameter(s):prop");
    assert!(ktbs.has("b/") && !ktbs.has("c/"));
}

#[test]
fn post_of_anything_but_one_base_is_refused() {
    let ktbs = TestService::new();
    for body in [
        "<> k:contains <c/>. <c/> a k:Base.",
        "<> k:hasBase <t/>. <t/> a k:StoredTrace; k:hasModel <http://ex.org/m>.",
        "<> k:hasBase <c/>, <d/>. <c/> a k:Base. <d/> a k:Base.",
        "<> k:hasBase <http://ex.org/c/>. <http://ex.org/c/> a k:Base.",
        "<> k:hasBase <c/d/>. <c/d/> a k:Base.",
        "<> k:hasBase <c/#d>. <c/#d> a k:Base.",
        "<> k:hasBase <>. <> a k:Base.",
        "<> k:hasBase 'c'.",
    ] {
        assert_eq!(refused(ktbs.post("", body)), "Can not find created node", "{body}");
    }
    ktbs.shows("", FRESH);
}
