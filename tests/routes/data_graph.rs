//! Data graphs.

use super::support::{TestService, not_allowed, refused, same};

#[test]
fn post_keeps_any_triple() {
    let ktbs = TestService::with_base();
    let data = "<d> a k:DataGraph; x:p 'v'@en. <http://ex.org/s> k:hasModel <http://ex.org/m>; x:p [x:q []], <d>.
        <http://ex.org/o> k:hasTrace <http://ex.org/t>. <t/> a k:StoredTrace.";
    ktbs.created("b/", &format!("<> k:contains <d>. {data}"));
    ktbs.shows("b/d", &format!("<./> k:contains <d>. {data}"));
    ktbs.shows(
        "b/",
        "<../> k:hasBase <>. <> a k:Base; k:contains <d>. <d> a k:DataGraph.",
    );
    assert!(!ktbs.has("b/t/"));
    assert_eq!(
        ktbs.created("b/", "<> k:contains [a k:DataGraph; skos:prefLabel '']."),
        "b/datagraph"
    );
}

#[test]
fn post_of_reserved_properties_of_itself_is_refused() {
    let ktbs = TestService::with_base();
    let body = "<> k:contains <d>. <d> a k:DataGraph; k:hasModel <m>. <t/> k:hasContext <d>.";
    assert_eq!(
        refused(ktbs.post("b/", body)),
        "Can not create out-property <k:hasModel> of <b/d>\n\
         Can not create in-property <k:hasContext> to <b/d>"
    );
}

#[test]
fn put_replaces_all_but_the_link_and_the_type() {
    let ktbs = TestService::with_base();
    ktbs.created("b/", "<> k:contains <d>. <d> a k:DataGraph. <http://ex.org/s> x:p 1.");
    let body = "<./> k:contains <d>. <d> a k:DataGraph. <http://ex.org/s> x:p [x:q 2].";
    same(&ktbs.put("b/d", body).unwrap(), "b/d", body);
    ktbs.shows("b/d", body);
    assert_eq!(
        refused(ktbs.put("b/d", "<http://ex.org/s> x:p 3.")),
        "Can not edit type <k:DataGraph> for <b/d>\nCan not edit in-property <k:contains> to <b/d>"
    );
}

#[test]
fn post_to_a_data_graph_is_not_allowed() {
    let ktbs = TestService::with_base();
    ktbs.created("b/", "<> k:contains <d>. <d> a k:DataGraph.");
    assert_eq!(not_allowed(ktbs.post("b/d", "<> x:p 1.")).0, "post_graph not supported");
}

#[test]
fn delete_while_it_is_a_context_is_accepted() {
    let ktbs = TestService::with_base();
    ktbs.created("b/", "<> k:contains <d>. <d> a k:DataGraph.");
    ktbs.created(
        "b/",
        "<> k:contains <t/>. <t/> a k:StoredTrace; k:hasModel <m>; k:hasContext <d>.",
    );
    ktbs.delete("b/d").unwrap();
    assert!(!ktbs.has("b/d") && ktbs.has("b/t/"));
}
