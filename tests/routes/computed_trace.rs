//! Computed traces as resources: creation, edition, deletion, and what their descriptions follow.

use ktbs::error::Error;
use ktbs::resource::Content;

use super::support::{TestService, conflict, not_allowed, refused};

/// Returns a kTBS with a model, a method `b/m`, a stored trace `b/t/`, and a computed trace `b/c/` that uses both.
fn with_computed_trace() -> TestService {
    let ktbs = TestService::with_base();
    for item in [
        "<> k:contains <model>. <model> a k:TraceModel; k:hasUnit k:second.",
        "<> k:contains <m>. <m> a k:Method; k:hasParentMethod k:filter; k:hasParameter 'after=2'.",
        "<> k:contains <t/>. <t/> a k:StoredTrace; k:hasModel <model>; k:hasOrigin 'o'.",
        "<> k:contains <c/>. <c/> a k:ComputedTrace; k:hasMethod <m>; k:hasSource <t/>.",
    ] {
        ktbs.created("b/", item);
    }
    ktbs
}

/// What is generated of the description of a computed trace, but for what uses it.
const GENERATED: &str = "<../> k:contains <>. <> a k:ComputedTrace; k:hasObselCollection <@obsels>;
    k:hasTraceStatistics <@stats>. ";

/// The rest of the description of `b/c/`.
const FILTERED: &str = "<> k:hasSource <../t/>; k:hasMethod <../m>; k:hasModel <../model>; k:hasOrigin 'o'. ";

fn obsels(ktbs: &TestService, path: &str) -> Vec<String> {
    let view = ktbs.view(path, &[]).unwrap();
    let Content::Obsels(obsels) = &view.content else {
        panic!("{path} has no obsels");
    };
    let mut ids = Vec::new();
    obsels
        .for_each(&mut |obsel| {
            ids.push(obsel.id.to_owned());
            Ok(())
        })
        .unwrap();
    ids
}

#[test]
fn get_shows_the_model_and_the_origin_of_the_source() {
    with_computed_trace().shows("b/c/", &format!("{GENERATED}{FILTERED}"));
}

#[test]
fn get_follows_obsels_parameters_methods_and_sources() {
    let ktbs = with_computed_trace();
    let three = "<o1> k:hasTrace <>; k:hasBegin 1. <o2> k:hasTrace <>; k:hasBegin 2. <o3> k:hasTrace <>; k:hasBegin 3.";
    ktbs.post("b/t/", three).unwrap();
    assert_eq!(obsels(&ktbs, "b/c/@obsels"), ["o2", "o3"]);
    ktbs.post("b/t/", "<o4> k:hasTrace <>; k:hasBegin 4.").unwrap();
    assert_eq!(obsels(&ktbs, "b/c/@obsels"), ["o2", "o3", "o4"]);
    ktbs.delete("b/t/o3").unwrap();
    assert_eq!(obsels(&ktbs, "b/c/@obsels"), ["o2", "o4"]);

    let own = format!("{GENERATED}{FILTERED} <> k:hasParameter 'after=3'.");
    ktbs.put("b/c/", &own).unwrap();
    assert_eq!(obsels(&ktbs, "b/c/@obsels"), ["o4"]);
    ktbs.put("b/c/", &format!("{GENERATED}{FILTERED}")).unwrap();
    assert_eq!(obsels(&ktbs, "b/c/@obsels"), ["o2", "o4"]);

    let method = "<./> k:contains <>. <> a k:Method; k:hasParentMethod k:filter; k:hasParameter 'before=1'.
        <c/> k:hasMethod <>.";
    ktbs.put("b/m", method).unwrap();
    assert_eq!(obsels(&ktbs, "b/c/@obsels"), ["o1"]);

    ktbs.created(
        "b/",
        "<> k:contains <u/>. <u/> a k:StoredTrace; k:hasModel <model>; k:hasOrigin 'p'.",
    );
    ktbs.post("b/u/", "<v> k:hasTrace <>; k:hasBegin 0.").unwrap();
    let elsewhere = FILTERED.replace("<../t/>", "<../u/>");
    ktbs.put("b/c/", &format!("{GENERATED}{elsewhere}")).unwrap();
    assert_eq!(obsels(&ktbs, "b/c/@obsels"), ["v"]);
    ktbs.shows("b/c/", &format!("{GENERATED}{}", elsewhere.replace("'o'", "'p'")));
}

#[test]
fn get_of_a_chain_follows_its_first_source() {
    let ktbs = with_computed_trace();
    for item in [
        "<> k:contains <d/>. <d/> a k:ComputedTrace; k:hasMethod k:filter; k:hasSource <c/>; k:hasParameter 'before=5'.",
        "<> k:contains <e/>. <e/> a k:ComputedTrace; k:hasMethod k:fusion; k:hasSource <d/>, <t/>.",
    ] {
        ktbs.created("b/", item);
    }
    let three = "<o1> k:hasTrace <>; k:hasBegin 1. <o3> k:hasTrace <>; k:hasBegin 3. <o7> k:hasTrace <>; k:hasBegin 7.";
    ktbs.post("b/t/", three).unwrap();
    let mut ids = obsels(&ktbs, "b/e/@obsels");
    ids.sort();
    assert_eq!(ids, ["d_o3", "t_o1", "t_o3", "t_o7"]);
    ktbs.post("b/t/", "<o4> k:hasTrace <>; k:hasBegin 4.").unwrap();
    assert!(obsels(&ktbs, "b/e/@obsels").contains(&"d_o4".to_owned()));
}

#[test]
fn get_computes_what_two_sources_have_in_common_first() {
    let ktbs = with_computed_trace();
    for (id, sources) in [
        ("d", "<c/>"),
        ("a", "<c/>, <d/>"),
        ("z", "<d/>"),
        ("e", "<c/>, <z/>, <d/>, <a/>"),
    ] {
        ktbs.created(
            "b/",
            &format!("<> k:contains <{id}/>. <{id}/> a k:ComputedTrace; k:hasMethod k:fusion; k:hasSource {sources}."),
        );
    }
    for count in 1..4 {
        let obsel = format!("<o{count}> k:hasTrace <>; k:hasBegin {}.", count + 1);
        ktbs.post("b/t/", &obsel).unwrap();
        // c, z (of d of c), d (of c), a (of c and d).
        assert_eq!(obsels(&ktbs, "b/e/@obsels").len(), count * (1 + 1 + 1 + 2));
    }
}

#[test]
fn get_leaves_what_is_up_to_date_as_it_is() {
    let ktbs = with_computed_trace();
    ktbs.post("b/t/", "<o3> k:hasTrace <>; k:hasBegin 3.").unwrap();
    let tags = |path: &str| ktbs.view(path, &[]).unwrap().tags;
    let (description, collection) = (tags("b/c/"), tags("b/c/@obsels"));
    ktbs.created(
        "b/",
        "<> k:contains <d/>. <d/> a k:ComputedTrace; k:hasMethod k:filter; k:hasSource <t/>.",
    );
    assert_eq!(tags("b/c/"), description);
    assert_eq!(tags("b/c/@obsels"), collection);
    assert_ne!(
        ktbs.view("b/c/@obsels", &[("refresh", "force")]).unwrap().tags,
        collection
    );
}

#[test]
fn an_obsel_is_found_before_the_collection_was_ever_read() {
    let ktbs = with_computed_trace();
    ktbs.post("b/t/", "<o3> k:hasTrace <>; k:hasBegin 3.").unwrap();
    assert!(ktbs.has("b/c/o3"));
    assert!(!ktbs.has("b/c/o4"));
}

#[test]
fn what_cannot_be_computed_is_diagnosed_mended_and_deleted() {
    let ktbs = with_computed_trace();
    ktbs.created(
        "b/",
        "<> k:contains <x/>. <x/> a k:ComputedTrace; k:hasMethod k:filter; k:hasSource <t/>, <c/>.",
    );
    for path in ["b/x/@obsels", "b/x/@stats"] {
        let error = ktbs.view(path, &[]).unwrap_err();
        assert!(
            matches!(&error, Error::Conflict(why) if why.to_string().contains("exactly one source")),
            "{error}"
        );
    }
    assert!(ktbs.view("b/x/@obsels", &[("refresh", "no")]).is_ok());
    let graph = ktbs.get("b/x/");
    let diagnosis = graph.object_of("http://h/k/b/x/", ktbs::vocab::ktbs::HAS_DIAGNOSIS);
    let diagnosis = diagnosis.and_then(ktbs::rdf::as_literal).unwrap();
    let mended =
        format!("{GENERATED} <> k:hasSource <../t/>; k:hasMethod k:filter; k:hasDiagnosis \"\"\"{diagnosis}\"\"\".");
    ktbs.put("b/x/", &mended).unwrap();
    assert!(obsels(&ktbs, "b/x/@obsels").is_empty());
    ktbs.delete("b/x/").unwrap();
}

#[test]
fn an_unknown_method_is_diagnosed_and_never_fetched() {
    let ktbs = with_computed_trace();
    for method in ["http://example.org/method", "model", "t/", "nothing"] {
        let path = ktbs.created(
            "b/",
            &format!("<> k:contains [a k:ComputedTrace; k:hasMethod <{method}>; k:hasSource <t/>]."),
        );
        let error = ktbs.view(&format!("{path}@obsels"), &[]).unwrap_err();
        assert!(
            matches!(&error, Error::Conflict(why) if why.to_string().contains("unreachable")),
            "{error}"
        );
        ktbs.delete(&path).unwrap();
    }
}

#[test]
fn a_deleted_or_changed_model_never_freezes_a_trace() {
    let ktbs = with_computed_trace();
    ktbs.created(
        "b/",
        "<> k:contains <f/>. <f/> a k:ComputedTrace; k:hasMethod k:filter; k:hasSource <t/>;
            k:hasParameter 'otypes=http://h/k/b/model#A'.",
    );
    ktbs.post(
        "b/t/",
        "<a> a <../model#A>; k:hasTrace <>; k:hasBegin 1. <b> a <../model#B>; k:hasTrace <>; k:hasBegin 2.",
    )
    .unwrap();
    assert_eq!(obsels(&ktbs, "b/f/@obsels"), ["a"]);
    let subtype = "<./> k:contains <>. <> a k:TraceModel; k:hasUnit k:second. <#A> a k:ObselType.
        <#B> a k:ObselType; k:hasSuperObselType <#A>.";
    ktbs.put("b/model", subtype).unwrap();
    assert_eq!(obsels(&ktbs, "b/f/@obsels"), ["a", "b"]);
    ktbs.delete("b/model").unwrap();
    assert_eq!(obsels(&ktbs, "b/f/@obsels"), ["a"]);
}

#[test]
fn the_last_unit_of_a_model_outlives_it() {
    let ktbs = TestService::with_base();
    for item in [
        "<> k:contains <model>. <model> a k:TraceModel.",
        "<> k:contains <t/>. <t/> a k:StoredTrace; k:hasModel <model>; k:hasOrigin '2020-01-01T00:00:00Z'.",
        "<> k:contains <c/>. <c/> a k:ComputedTrace; k:hasMethod k:filter; k:hasSource <t/>;
            k:hasParameter 'afterDT=2020-01-01T00:00:05Z'.",
    ] {
        ktbs.created("b/", item);
    }
    ktbs.post(
        "b/t/",
        "<a> k:hasTrace <>; k:hasBegin 1. <b> k:hasTrace <>; k:hasBegin 10.",
    )
    .unwrap();
    assert!(obsels(&ktbs, "b/c/@obsels").is_empty());
    ktbs.put("b/model", "<./> k:contains <>. <> a k:TraceModel; k:hasUnit k:second.")
        .unwrap();
    assert_eq!(obsels(&ktbs, "b/c/@obsels"), ["b"]);
    ktbs.delete("b/model").unwrap();
    assert_eq!(obsels(&ktbs, "b/c/@obsels"), ["b"]);
}

#[test]
fn cycles_and_ill_formed_descriptions_are_refused() {
    let ktbs = with_computed_trace();
    ktbs.created(
        "b/",
        "<> k:contains <d/>. <d/> a k:ComputedTrace; k:hasMethod k:filter; k:hasSource <c/>.",
    );
    for (description, text) in [
        ("k:hasMethod k:filter; k:hasSource <y/>", "cycle"),
        (
            "k:hasMethod k:filter; k:hasSource <z/>",
            "not a trace from the same base",
        ),
        (
            "k:hasMethod k:filter; k:hasSource <m>",
            "not a trace from the same base",
        ),
        ("k:hasMethod 'filter'; k:hasSource <t/>", "hasMethod"),
        ("k:hasSource <t/>", "at least 1"),
        ("k:hasMethod k:filter; k:hasParameter 'foo'", "ill-formatted"),
        ("k:hasMethod k:filter; k:hasParameter 'a=1', 'a=2'", "more than once"),
        ("k:hasMethod k:filter; k:hasModel <model>", "hasModel"),
    ] {
        let problems = refused(ktbs.post(
            "b/",
            &format!("<> k:contains <y/>. <y/> a k:ComputedTrace; {description}."),
        ));
        assert!(problems.contains(text), "{description}: {problems}");
    }
    let without_slash = "<> k:contains <y>. <y> a k:ComputedTrace; k:hasMethod k:filter; k:hasSource <t/>.";
    assert_eq!(refused(ktbs.post("b/", without_slash)), "URI must end with '/'");
    let cycle = FILTERED.replace("<../t/>", "<../d/>");
    let problems = refused(ktbs.put("b/c/", &format!("{GENERATED}{cycle} <../d/> k:hasSource <>.")));
    assert!(problems.contains("cycle"), "{problems}");
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
    ktbs.shows(
        "b/m",
        "<./> k:contains <>. <> a k:Method; k:hasParentMethod k:filter; k:hasParameter 'after=2'.",
    );
    ktbs.delete("b/t/").unwrap();
    ktbs.delete("b/m").unwrap();
    ktbs.delete("b/model").unwrap();
    ktbs.delete("b/").unwrap();
}

/// Returns a kTBS with a trace of obsels `a` to `d`, that begin at 1 to 4, and two methods, `b/m` (from 2 on) and `b/n` (until 3).
fn with_methods() -> TestService {
    let ktbs = with_computed_trace();
    ktbs.created("b/", "<> k:contains <n>. <n> a k:Method; k:hasParentMethod k:filter; k:hasParameter 'before=3', 'model=http://ex.org/n'.");
    let obsels: String = "abcd"
        .chars()
        .enumerate()
        .map(|(i, id)| format!("<{id}> k:hasTrace <>; k:hasBegin {}. ", i + 1))
        .collect();
    ktbs.post("b/t/", &obsels).unwrap();
    ktbs
}

fn paths(ktbs: &TestService) -> Vec<String> {
    let graph = ktbs.get("b/");
    let items = graph
        .objects_of("http://h/k/b/", ktbs::vocab::ktbs::CONTAINS)
        .filter_map(ktbs::rdf::as_iri);
    let mut items: Vec<String> = items.map(|item| item["http://h/k/b/".len()..].to_owned()).collect();
    items.sort();
    items
}

#[test]
fn a_pipe_goes_through_traces_that_come_and_go_with_it() {
    let ktbs = with_methods();
    ktbs.created(
        "b/",
        "<> k:contains <p/>. <p/> a k:ComputedTrace; k:hasSource <t/>; k:hasMethod k:pipe;
            k:hasParameter 'methods=http://h/k/b/m http://h/k/b/n'.",
    );
    assert_eq!(obsels(&ktbs, "b/p/@obsels"), ["_1_p_b", "_1_p_c"]);
    assert_eq!(paths(&ktbs), ["_0_p/", "_1_p/", "c/", "m", "model", "n", "p/", "t/"]);
    let description = "<> k:hasSource <../t/>; k:hasMethod k:pipe; k:hasOrigin 'o'; ";
    ktbs.shows(
        "b/p/",
        &format!(
            "{GENERATED}{description} k:hasParameter 'methods=http://h/k/b/m http://h/k/b/n'; k:hasModel x:n;
                k:hasIntermediateSource <../_0_p/>, <../_1_p/>."
        ),
    );
    ktbs.post("b/t/", "<bb> k:hasTrace <>; k:hasBegin 2.").unwrap();
    assert_eq!(obsels(&ktbs, "b/p/@obsels").len(), 3);
    assert!(conflict(ktbs.delete("b/_0_p/")).contains("hasIntermediateSource"));
    assert!(
        refused(ktbs.put("b/_1_p/", &format!("{GENERATED} <> k:hasMethod k:filter.")))
            .contains("intermediate trace of")
    );

    let shorter = format!(
        "{GENERATED}{description} k:hasParameter 'methods=http://h/k/b/m'; k:hasModel x:n;
            k:hasIntermediateSource <../_0_p/>, <../_1_p/>."
    );
    ktbs.put("b/p/", &shorter).unwrap();
    assert_eq!(obsels(&ktbs, "b/p/@obsels").len(), 4);
    assert_eq!(paths(&ktbs), ["_0_p/", "c/", "m", "model", "n", "p/", "t/"]);
    ktbs.delete("b/p/").unwrap();
    assert_eq!(paths(&ktbs), ["c/", "m", "model", "n", "t/"]);
    ktbs.delete("b/c/").unwrap();
    ktbs.delete("b/t/").unwrap();
}

#[test]
fn a_parallel_merges_what_its_methods_give() {
    let ktbs = with_methods();
    let item = |more: &str| {
        format!(
            "<> k:contains <q/>. <q/> a k:ComputedTrace; k:hasSource <t/>; k:hasMethod k:parallel;
                k:hasParameter 'methods=http://h/k/b/m http://h/k/b/n' {more}."
        )
    };
    ktbs.created("b/", &item(""));
    let error = ktbs.view("b/q/@obsels", &[]).unwrap_err();
    assert!(error.to_string().contains("different models"), "{error}");
    ktbs.delete("b/q/").unwrap();
    ktbs.created("b/", &item(", 'model=http://ex.org/q'"));
    let mut ids = obsels(&ktbs, "b/q/@obsels");
    ids.sort();
    assert_eq!(ids, ["_0_q_b", "_0_q_c", "_0_q_d", "_1_q_a", "_1_q_b", "_1_q_c"]);
    ktbs.post("b/t/", "<e> k:hasTrace <>; k:hasBegin 5.").unwrap();
    assert!(obsels(&ktbs, "b/q/@obsels").contains(&"_0_q_e".to_owned()));
}

#[test]
fn a_pipe_through_itself_ends_with_a_diagnosis() {
    let ktbs = with_methods();
    ktbs.created("b/", "<> k:contains <self>. <self> a k:Method; k:hasParentMethod k:pipe; k:hasParameter 'methods=http://h/k/b/self'.");
    ktbs.created(
        "b/",
        "<> k:contains <p/>. <p/> a k:ComputedTrace; k:hasSource <t/>; k:hasMethod <self>.",
    );
    let error = ktbs.view("b/p/@obsels", &[]).unwrap_err();
    assert!(error.to_string().contains("goes through itself"), "{error}");
    ktbs.delete("b/p/").unwrap();
    assert_eq!(paths(&ktbs), ["c/", "m", "model", "n", "self", "t/"]);
}

#[test]
fn the_name_of_an_intermediate_trace_is_never_taken_over() {
    let ktbs = with_methods();
    ktbs.created(
        "b/",
        "<> k:contains <_0_p/>. <_0_p/> a k:StoredTrace; k:hasModel <model>; k:hasOrigin 'mine'.",
    );
    ktbs.created("b/", "<> k:contains <p/>. <p/> a k:ComputedTrace; k:hasSource <t/>; k:hasMethod k:pipe; k:hasParameter 'methods=http://h/k/b/m'.");
    let error = ktbs.view("b/p/@obsels", &[]).unwrap_err();
    assert!(matches!(error, Error::Conflict(_)), "{error}");
    assert!(
        ktbs.get("b/_0_p/")
            .objects_of("http://h/k/b/_0_p/", ktbs::vocab::ktbs::HAS_ORIGIN)
            .count()
            == 1
    );
    ktbs.delete("b/p/").unwrap();
    assert!(ktbs.has("b/_0_p/"));
}
