//! Stored traces, but for their obsels.

use ktbs::rdf::{as_iri, as_literal};
use ktbs::store::Reading;
use ktbs::time;
use ktbs::vocab::ktbs as k;

use super::support::{ROOT, TestService, not_allowed, refused, same};

/// What is generated in each trace.
const ASPECTS: &str =
    "<../> k:contains <>. <> a k:StoredTrace; k:hasObselCollection <@obsels>; k:hasTraceStatistics <@stats>.";

/// Returns a kTBS with models in milliseconds, seconds and sequence: `b/ms`, `b/s`, `b/seq`.
fn with_models() -> TestService {
    let ktbs = TestService::with_base();
    for (id, unit) in [("ms", "millisecond"), ("s", "second"), ("seq", "sequence")] {
        ktbs.created(
            "b/",
            &format!("<> k:contains <{id}>. <{id}> a k:TraceModel; k:hasUnit k:{unit}."),
        );
    }
    ktbs
}

/// Posts a trace `b/t/` with these properties.
fn post(ktbs: &TestService, properties: &str) -> ktbs::error::Result<Vec<String>> {
    ktbs.post(
        "b/",
        &format!("<> k:contains <t/>. <t/> a k:StoredTrace; {properties}."),
    )
}

#[test]
fn post_generates_aspects() {
    let ktbs = with_models();
    post(&ktbs, "k:hasModel <ms>; k:hasOrigin 'o'; rdfs:label 't'; x:p [x:q 1]").unwrap();
    ktbs.shows(
        "b/t/",
        &format!("{ASPECTS} <> k:hasModel <../ms>; k:hasOrigin 'o'; rdfs:label 't'; x:p [x:q 1]."),
    );
    assert!(ktbs.has("b/t/@obsels") && ktbs.has("b/t/@stats"));
    for path in [
        "b/t",
        "b/t/nope",
        "b/t/nope/",
        "b/t/@nope",
        "b/t/@obsels/",
        "b/t/@obsels/x",
        "b/ms/@obsels",
    ] {
        assert!(!ktbs.has(path), "{path}");
    }
    let target = ktbs.find("b/t/@obsels").unwrap();
    assert_eq!(target.parent().as_deref(), Some("http://h/k/b/t/"));
    assert_eq!(target.model(), Some("http://h/k/b/ms"));
}

#[test]
fn post_with_bad_properties_is_refused() {
    let ktbs = with_models();
    let of = |property: &str| format!("Property <k:{property}> of <b/t/>");
    for (properties, expected) in [
        (
            "k:hasOrigin 'o'",
            format!("{} should have at least 1 objects; it only has 0", of("hasModel")),
        ),
        (
            "k:hasModel <ms>, <s>",
            format!("{} should have at most 1 objects; it has 2", of("hasModel")),
        ),
        (
            "k:hasModel 'ms'",
            format!("{} expects resources, got literal \"ms\"", of("hasModel")),
        ),
        (
            "k:hasModel []",
            format!("{} expects an IRI, got a blank node", of("hasModel")),
        ),
        (
            "k:hasModel <ms>; k:hasOrigin 'a', 'b'",
            format!("{} should have at most 1 objects; it has 2", of("hasOrigin")),
        ),
        (
            "k:hasModel <ms>; k:hasOrigin <o>",
            format!("{} expects literal, got <b/o>", of("hasOrigin")),
        ),
        (
            "k:hasModel <ms>; k:hasTraceBegin '1'^^xsd:int",
            format!(
                "{} expects datatype <http://www.w3.org/2001/XMLSchema#integer>, \
                 got <http://www.w3.org/2001/XMLSchema#int>",
                of("hasTraceBegin")
            ),
        ),
        (
            "k:hasModel <ms>; k:hasTraceEndDT '2020-02-30T00:00:00Z'^^xsd:dateTime",
            format!(
                "{} expects datatype <http://www.w3.org/2001/XMLSchema#dateTime>, \
                 got \"2020-02-30T00:00:00Z\", which is none",
                of("hasTraceEndDT")
            ),
        ),
        (
            "k:hasModel <ms>; k:hasPseudoMonRange -1",
            format!(
                "{} should be between 0 and 9223372036854775807; it is \"-1\"",
                of("hasPseudoMonRange")
            ),
        ),
        (
            "k:hasModel <ms>; k:hasPseudoMonRange 9223372036854775808",
            format!(
                "{} should be between 0 and 9223372036854775807; it is \"9223372036854775808\"",
                of("hasPseudoMonRange")
            ),
        ),
        (
            "k:hasModel <ms>; k:hasContext 'c'",
            format!("{} expects resources, got literal \"c\"", of("hasContext")),
        ),
        (
            "k:hasModel <ms>; k:hasSource <u/>",
            "Can not create out-property <k:hasSource> of <b/t/>".to_owned(),
        ),
        (
            "k:hasModel <ms>; k:hasObselCollection <t/@obsels>",
            "Can not create out-property <k:hasObselCollection> of <b/t/>".to_owned(),
        ),
    ] {
        assert_eq!(refused(post(&ktbs, properties)), expected, "{properties}");
    }
    let no_slash = "<> k:contains <t>. <t> a k:StoredTrace; k:hasModel <ms>.";
    assert_eq!(refused(ktbs.post("b/", no_slash)), "URI must end with '/'");
    assert!(!ktbs.has("b/t/") && !ktbs.has("b/t"));
}

#[test]
fn post_without_origin_has_a_random_one() {
    let ktbs = with_models();
    post(&ktbs, "k:hasModel <ms>").unwrap();
    let graph = ktbs.get("b/t/");
    let origin = graph
        .object_of("http://h/k/b/t/", k::HAS_ORIGIN)
        .and_then(as_literal)
        .unwrap();
    assert!(origin.len() == 33 && origin.starts_with('o'), "{origin}");
    assert!(time::parse_instant(origin).is_none());
}

#[test]
fn post_with_origin_now_has_the_date() {
    let ktbs = with_models();
    let before = time::now();
    post(&ktbs, "k:hasModel <ms>; k:hasOrigin 'now'").unwrap();
    let graph = ktbs.get("b/t/");
    let origin = graph
        .object_of("http://h/k/b/t/", k::HAS_ORIGIN)
        .and_then(as_literal)
        .unwrap();
    assert!(origin.ends_with('Z') && !origin.contains('+'), "{origin}");
    let origin = time::parse_instant(origin).unwrap();
    assert!(before <= origin && origin <= time::now());

    let put = format!("{ASPECTS} <> k:hasModel <../ms>; k:hasOrigin 'now'.");
    same(&ktbs.put("b/t/", &put).unwrap(), "b/t/", &put);
}

#[test]
fn post_of_dates_gives_bounds() {
    let dates = "k:hasTraceBeginDT '2020-01-01T00:00:01.5Z'^^xsd:dateTime;
        k:hasTraceEndDT '2020-01-01T01:00:02+01:00'^^xsd:dateTime";
    let dated = "k:hasOrigin '2020-01-01T00:00:00Z'";
    for (model, origin, bounds) in [
        ("ms", dated, "k:hasTraceBegin 1500; k:hasTraceEnd 2000"),
        ("s", dated, "k:hasTraceBegin 2; k:hasTraceEnd 2"),
        ("seq", dated, ""),
        ("unknown", dated, ""),
        ("ms", "k:hasOrigin 'opaque'", ""),
    ] {
        let ktbs = with_models();
        post(&ktbs, &format!("k:hasModel <{model}>; {origin}; {dates}")).unwrap();
        ktbs.shows(
            "b/t/",
            &format!("{ASPECTS} <> k:hasModel <../{model}>; {origin}; {dates}; {bounds}."),
        );
    }
}

#[test]
fn post_of_dates_and_bounds_that_agree_is_accepted() {
    let ktbs = with_models();
    let dates = "k:hasModel <ms>; k:hasOrigin '2020-01-01'; k:hasTraceBeginDT '2020-01-01T00:00:01Z'^^xsd:dateTime";
    for other in ["1", "'1001'^^xsd:integer"] {
        assert_eq!(
            refused(post(&ktbs, &format!("{dates}; k:hasTraceBegin {other}"))),
            "Property <k:hasTraceBegin> of <b/t/> should have at most 1 objects; it has 2"
        );
    }
    post(&ktbs, &format!("{dates}; k:hasTraceBegin '+01000'^^xsd:integer")).unwrap();
}

#[test]
fn put_may_change_each_editable_property() {
    let ktbs = with_models();
    post(
        &ktbs,
        "k:hasModel <ms>; k:hasOrigin 'o'; k:hasTraceBegin 1; k:hasDefaultSubject 'old'",
    )
    .unwrap();
    for properties in [
        "k:hasModel <../s>; k:hasOrigin 'p'; k:hasTraceEnd 3; k:hasContext <http://ex.org/c>, <d>; rdfs:label 't'",
        "k:hasModel <http://ex.org/m>; k:hasOrigin '2020'; k:hasDefaultSubject <http://ex.org/me>",
        "k:hasModel <../ms>; k:hasOrigin 42; k:hasPseudoMonRange 5; x:p [x:q []]",
    ] {
        let body = format!("{ASPECTS} <> {properties}.");
        same(&ktbs.put("b/t/", &body).unwrap(), "b/t/", &body);
        ktbs.shows("b/t/", &body);
    }
}

#[test]
fn put_completes_bounds_from_dates() {
    let ktbs = with_models();
    let own = "k:hasModel <../ms>; k:hasOrigin '2020-01-01T00:00:00Z'";
    post(&ktbs, "k:hasModel <ms>; k:hasOrigin '2020-01-01T00:00:00Z'").unwrap();
    let date = "k:hasTraceBeginDT '2020-01-01T00:00:01Z'^^xsd:dateTime";
    let shown = ktbs.put("b/t/", &format!("{ASPECTS} <> {own}; {date}.")).unwrap();
    same(
        &shown,
        "b/t/",
        &format!("{ASPECTS} <> {own}; {date}; k:hasTraceBegin 1000."),
    );
    let moved = "k:hasTraceBeginDT '2020-01-01T00:00:11Z'^^xsd:dateTime";
    assert_eq!(
        refused(ktbs.put("b/t/", &format!("{ASPECTS} <> {own}; {moved}; k:hasTraceBegin 1000."))),
        "Property <k:hasTraceBegin> of <b/t/> should have at most 1 objects; it has 2"
    );
}

#[test]
fn put_of_generated_or_reserved_triples_is_refused() {
    let ktbs = with_models();
    post(&ktbs, "k:hasModel <ms>; k:hasOrigin 'o'").unwrap();
    let own = "<> k:hasModel <../ms>; k:hasOrigin 'o'.";
    for (body, expected) in [
        (
            format!("<../> k:contains <>. <> a k:StoredTrace. {own}"),
            "Can not edit out-property <k:hasObselCollection> of <b/t/>\n\
             Can not edit out-property <k:hasTraceStatistics> of <b/t/>",
        ),
        (
            format!("{ASPECTS} {own} <> k:hasSource <../u/>."),
            "Can not edit out-property <k:hasSource> of <b/t/>",
        ),
        (
            format!("{ASPECTS} {own} <../u/> k:hasSource <>."),
            "Can not edit in-property <k:hasSource> to <b/t/>",
        ),
        (
            format!("{ASPECTS} {own} <> a k:ComputedTrace."),
            "Can not edit type <k:ComputedTrace> for <b/t/>",
        ),
        (
            format!("{ASPECTS} {own} <> k:madeUp 1."),
            "Can not edit out-property <k:madeUp> of <b/t/>",
        ),
        (
            format!("{ASPECTS} <> k:hasOrigin 'o'."),
            "Property <k:hasModel> of <b/t/> should have at least 1 objects; it only has 0",
        ),
    ] {
        assert_eq!(refused(ktbs.put("b/t/", &body)), expected);
    }
    ktbs.shows("b/t/", &format!("{ASPECTS} {own}"));
}

#[test]
fn put_of_a_greater_range_renews_the_tags_of_obsels() {
    let ktbs = with_models();
    post(&ktbs, "k:hasModel <ms>; k:hasOrigin 'o'; k:hasPseudoMonRange 5").unwrap();
    let tags = || {
        let target = ktbs.find("b/t/").unwrap();
        target.snapshot.trace(target.entry.head.trace.unwrap()).unwrap().tags
    };
    let put = |range: &str| {
        let body = format!("{ASPECTS} <> k:hasModel <../ms>; k:hasOrigin 'o'; k:hasPseudoMonRange {range}.");
        ktbs.put("b/t/", &body).unwrap();
    };
    let first = tags();
    put("5");
    put("4");
    assert_eq!(tags(), first);
    put("6");
    let (second, renewed) = (tags(), |old, new| old != new);
    assert!(renewed(first.main, second.main) && renewed(first.pseudo, second.pseudo));
}

#[test]
fn the_unit_is_remembered_once_the_model_is_gone() {
    let ktbs = with_models();
    post(&ktbs, "k:hasModel <s>; k:hasOrigin '2020'").unwrap();
    ktbs.delete("b/s").unwrap();
    let date = "k:hasTraceBeginDT '2020-01-01T00:00:03Z'^^xsd:dateTime";
    let own = format!("{ASPECTS} <> k:hasOrigin '2020'; {date}");
    let shown = ktbs.put("b/t/", &format!("{own}; k:hasModel <../s>.")).unwrap();
    same(&shown, "b/t/", &format!("{own}; k:hasModel <../s>; k:hasTraceBegin 3."));
    // That of a model that was never there is not known, so dates are not converted.
    let unknown = format!("{own}; k:hasModel <../other>.");
    same(&ktbs.put("b/t/", &unknown).unwrap(), "b/t/", &unknown);
}

#[test]
fn the_model_of_a_view_is_that_of_the_trace() {
    let ktbs = with_models();
    post(&ktbs, "k:hasModel <ms>").unwrap();
    assert_eq!(ktbs.view("b/t/", &[]).unwrap().model, Some(format!("{ROOT}b/ms")));
    assert_eq!(ktbs.view("b/", &[]).unwrap().model, None);
    assert_eq!(
        as_iri(
            ktbs.get("b/t/")
                .object_of(&format!("{ROOT}b/t/"), k::HAS_MODEL)
                .unwrap()
        ),
        Some("http://h/k/b/ms")
    );
}

#[test]
fn delete_takes_the_aspects_away() {
    let ktbs = with_models();
    post(&ktbs, "k:hasModel <ms>; k:hasOrigin 'o'").unwrap();
    let number = ktbs.find("b/t/").unwrap().entry.head.trace;
    ktbs.delete("b/t/").unwrap();
    for path in ["b/t/", "b/t/@obsels", "b/t/@stats"] {
        assert!(!ktbs.has(path), "{path}");
    }
    ktbs.shows(
        "b/",
        "<../> k:hasBase <>. <> a k:Base; k:contains <ms>, <s>, <seq>. <ms> a k:TraceModel. <s> a k:TraceModel.
         <seq> a k:TraceModel.",
    );
    post(&ktbs, "k:hasModel <ms>; k:hasOrigin 'o'").unwrap();
    assert_ne!(ktbs.find("b/t/").unwrap().entry.head.trace, number);
}

#[test]
fn verbs_on_aspects_are_those_that_make_sense() {
    let ktbs = with_models();
    post(&ktbs, "k:hasModel <ms>; k:hasOrigin 'o'").unwrap();
    let stats = ktbs.find("b/t/@stats").unwrap();
    assert_eq!(stats.allow(), ["GET", "HEAD"]);
    assert_eq!(
        not_allowed(ktbs.service.check_replaceable(&stats, &[])).0,
        "@stats is read-only"
    );
    let message = "Can not delete trace statistics; delete its owning trace instead.";
    assert_eq!(not_allowed(ktbs.delete("b/t/@stats")).0, message);
    for path in ["b/t/@stats", "b/t/@obsels"] {
        assert_eq!(not_allowed(ktbs.post(path, "")).0, "post_graph not supported");
    }
    assert_eq!(
        ktbs.find("b/t/@obsels").unwrap().allow(),
        ["GET", "HEAD", "PUT", "DELETE"]
    );
    assert_eq!(
        ktbs.find("b/t/").unwrap().allow(),
        ["GET", "HEAD", "POST", "PUT", "DELETE"]
    );
}

#[test]
fn post_of_obsels_keeps_the_tag_of_the_description() {
    let ktbs = with_models();
    post(&ktbs, "k:hasModel <ms>; k:hasOrigin 'o'").unwrap();
    let (trace, obsels) = (ktbs.tag("b/t/"), ktbs.tag("b/t/@obsels"));
    assert!(!ktbs.has("b/t/o1"));
    ktbs.created("b/t/", "<o1> k:hasTrace <>; k:hasBegin 1.");
    assert!(ktbs.has("b/t/o1"));
    assert_eq!(ktbs.tag("b/t/"), trace);
    assert_ne!(ktbs.tag("b/t/@obsels"), obsels);
}

#[test]
fn verbs_on_an_obsel_are_get_and_delete() {
    let ktbs = with_models();
    post(&ktbs, "k:hasModel <ms>; k:hasOrigin 'o'").unwrap();
    ktbs.created("b/t/", "<o1> k:hasTrace <>; k:hasBegin 1.");
    let target = ktbs.find("b/t/o1").unwrap();
    assert_eq!(target.allow(), ["GET", "HEAD", "DELETE"]);
    assert_eq!(target.parent().as_deref(), Some("http://h/k/b/t/"));
    assert!(target.tags().unwrap().is_empty());
    assert_eq!(not_allowed(ktbs.post("b/t/o1", "")).0, "Can not post to obsel <b/t/o1>");
    let message = "Edit individual obsel not supported yet; edit through ObselCollection instead";
    assert_eq!(not_allowed(ktbs.service.check_replaceable(&target, &[])).0, message);
    let parameters = [("foo".to_owned(), String::new())];
    assert!(ktbs.service.read(ktbs.find("b/t/o1").unwrap(), &parameters).is_err());
    assert!(ktbs.service.delete(&target, &parameters).is_err());
    ktbs.delete("b/t/o1").unwrap();
    assert!(!ktbs.has("b/t/o1"));
}
