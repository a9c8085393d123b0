//! Trace models.

use super::support::{TestService, not_allowed, refused, same};

#[test]
fn post_without_unit_is_in_milliseconds() {
    let ktbs = TestService::with_base();
    ktbs.created("b/", "<> k:contains <m>. <m> a k:TraceModel.");
    ktbs.shows(
        "b/m",
        "<./> k:contains <m>. <m> a k:TraceModel; k:hasUnit k:millisecond.",
    );
    assert_eq!(
        ktbs.created("b/", "<> k:contains [a k:TraceModel; skos:prefLabel 'Coffee Machine']."),
        "b/coffee-machine"
    );
}

#[test]
fn post_keeps_the_whole_vocabulary() {
    let ktbs = TestService::with_base();
    let model = "<m> a k:TraceModel; k:hasUnit k:second; k:hasParentModel <other>, <http://ex.org/m>.
        <m#T> a k:ObselType; k:hasSuperObselType <m#U>; x:p [x:q 1]. <http://ex.org/foreign> k:contains <m#T>.";
    ktbs.created("b/", &format!("<> k:contains <m>. {model}"));
    ktbs.shows("b/m", &format!("<./> k:contains <m>. {model}"));
}

#[test]
fn post_with_bad_values_is_refused() {
    let ktbs = TestService::with_base();
    let unit = "Property <k:hasUnit> of <b/m>";
    for (values, expected) in [
        (
            "k:hasUnit k:second, k:millisecond",
            format!("{unit} should have at most 1 objects; it has 2"),
        ),
        (
            "k:hasUnit 'second'",
            format!("{unit} expects resources, got literal \"second\""),
        ),
        ("k:hasUnit []", format!("{unit} expects an IRI, got a blank node")),
        (
            "k:hasModel <n>",
            "Can not create out-property <k:hasModel> of <b/m>".to_owned(),
        ),
    ] {
        let body = format!("<> k:contains <m>. <m> a k:TraceModel; {values}.");
        assert_eq!(refused(ktbs.post("b/", &body)), expected);
    }
}

#[test]
fn post_to_a_model_is_not_allowed() {
    let ktbs = TestService::with_base();
    ktbs.created("b/", "<> k:contains <m>. <m> a k:TraceModel.");
    let (message, allow) = not_allowed(ktbs.post("b/m", "<> k:hasUnit k:second."));
    assert_eq!(message, "post_graph not supported");
    assert_eq!(allow, ["GET", "HEAD", "PUT", "DELETE"]);
}

#[test]
fn put_may_change_the_unit_and_the_vocabulary() {
    let ktbs = TestService::with_base();
    ktbs.created("b/", "<> k:contains <m>. <m> a k:TraceModel. <m#old> a k:ObselType.");
    for properties in [
        "",
        "<> k:hasUnit k:sequence; k:hasParentModel <n>, <http://ex.org/m>. <#T> a k:ObselType.",
        "<> k:hasUnit k:second; rdfs:label 'm'. <#T> a k:ObselType; x:p [x:q 1].",
    ] {
        let body = format!("<./> k:contains <>. <> a k:TraceModel. {properties}");
        same(&ktbs.put("b/m", &body).unwrap(), "b/m", &body);
        ktbs.shows("b/m", &body);
    }
    assert_eq!(
        refused(ktbs.put("b/m", "<> a k:TraceModel; k:hasUnit k:second.")),
        "Can not edit in-property <k:contains> to <b/m>"
    );
}

#[test]
fn delete_while_used_is_accepted() {
    let ktbs = TestService::with_base();
    ktbs.created("b/", "<> k:contains <m>. <m> a k:TraceModel.");
    ktbs.created(
        "b/",
        "<> k:contains <t/>. <t/> a k:StoredTrace; k:hasModel <m>; k:hasOrigin 'o'.",
    );
    ktbs.delete("b/m").unwrap();
    assert!(!ktbs.has("b/m"));
    ktbs.shows(
        "b/t/",
        "<../> k:contains <>. <> a k:StoredTrace; k:hasModel <../m>; k:hasOrigin 'o';
         k:hasObselCollection <@obsels>; k:hasTraceStatistics <@stats>.",
    );
}
