//! Pipe and parallel, with their intermediate traces.

use ktbs::error::Error;
use ktbs::obsel::Value;
use ktbs::rdf::{as_iri, as_literal, iri, is_iri, string};
use ktbs::resource::{Content, Expected};
use ktbs::vocab::ktbs as k;

use super::support::{ROOT, TestService, refused};

/// Returns a kTBS with the source and the methods of the examples of the documentation.
fn with_methods() -> TestService {
    let ktbs = TestService::with_base();
    for item in [
        "<> k:contains <model>. <model> a k:TraceModel.",
        "<> k:contains <md>. <md> a k:TraceModel.",
        "<> k:contains <m1>. <m1> a k:Method; k:hasParentMethod k:filter; k:hasParameter 'after=2'.",
        "<> k:contains <m2>. <m2> a k:Method; k:hasParentMethod k:filter; k:hasParameter 'before=20', 'model=http://h/k/b/md'.",
        "<> k:contains <s/>. <s/> a k:StoredTrace; k:hasModel <model>; k:hasOrigin 'o'.",
    ] {
        ktbs.created("b/", item);
    }
    ktbs.post(
        "b/s/",
        "<o1> a <../model#A>; k:hasTrace <>; k:hasBegin 1. <o2> a <../model#B>; k:hasTrace <>; k:hasBegin 2; <../model#rel> <o1>.
        <o3> a <../model#A>; k:hasTrace <>; k:hasBegin 30.",
    )
    .unwrap();
    ktbs
}

/// Creates a computed trace.
fn create(ktbs: &TestService, id: &str, method: &str, parameters: &[&str]) {
    let parameters: String = parameters
        .iter()
        .map(|parameter| format!("; k:hasParameter '{parameter}'"))
        .collect();
    ktbs.created(
        "b/",
        &format!(
            "<> k:contains <{id}/>. <{id}/> a k:ComputedTrace; k:hasMethod {method}; k:hasSource <s/>{parameters}."
        ),
    );
}

/// Returns the obsels of a trace: id, source obsel, and what they are related to.
fn obsels(ktbs: &TestService, path: &str) -> Vec<String> {
    let view = ktbs.view(&format!("{path}@obsels"), &[]).unwrap();
    let Content::Obsels(obsels) = &view.content else {
        panic!("{path} has no obsels");
    };
    let mut lines = Vec::new();
    obsels
        .for_each(&mut |obsel| {
            let mut line = obsel.id.to_owned();
            for arc in &obsel.arcs {
                match arc.object {
                    Value::BelowRoot(other) => line += &format!(" {}", other.strip_prefix("b/").unwrap()),
                    Value::Obsel(id) => line += &format!(" {}{id}", path.strip_prefix("b/").unwrap()),
                    _ => {}
                }
            }
            lines.push(line);
            Ok(())
        })
        .unwrap();
    lines
}

/// Returns the model, the origin and the diagnosis of a trace.
fn described(ktbs: &TestService, path: &str) -> [String; 3] {
    let graph = ktbs.get(path);
    [k::HAS_MODEL, k::HAS_ORIGIN, k::HAS_DIAGNOSIS].map(|property| {
        let value = graph.object_of(&format!("{ROOT}{path}"), property);
        value
            .and_then(|value| as_iri(value).or(as_literal(value)))
            .unwrap_or_default()
            .to_owned()
    })
}

fn failure(ktbs: &TestService, path: &str) -> String {
    match ktbs.view(&format!("{path}@obsels"), &[]) {
        Err(Error::Conflict(why)) => why.to_string(),
        other => panic!("{path} can be computed: {other:?}"),
    }
}

/// Changes the method and the parameters of a trace.
fn put(ktbs: &TestService, id: &str, method: &str, parameters: &[&str]) {
    let path = format!("b/{id}/");
    let mut graph = ktbs.get(&path);
    let subject = iri(format!("{ROOT}{path}"));
    let edited = [k::HAS_METHOD, k::HAS_PARAMETER];
    graph.retain(|s, p, _| *s != subject || !edited.iter().any(|property| is_iri(p, property)));
    graph.insert(&subject, &iri(k::HAS_METHOD), &iri(method));
    for parameter in parameters {
        graph.insert(&subject, &iri(k::HAS_PARAMETER), &string(parameter));
    }
    let target = ktbs.find(&path).unwrap();
    ktbs.service.replace(target, &Expected::Anything, graph).unwrap();
}

const BOTH: &str = "methods=http://h/k/b/m1 http://h/k/b/m2";

#[test]
fn a_pipe_goes_through_each_method() {
    let ktbs = with_methods();
    create(&ktbs, "p", "k:pipe", &[BOTH]);
    assert_eq!(described(&ktbs, "b/p/"), ["http://h/k/b/md", "o", ""]);
    assert_eq!(obsels(&ktbs, "b/p/"), ["_1_p_o2 _1_p/o2"]);
    assert_eq!(obsels(&ktbs, "b/_0_p/"), ["o2 s/o2", "o3 s/o3"]);
    assert_eq!(obsels(&ktbs, "b/_1_p/"), ["o2 _0_p/o2"]);
    ktbs.post("b/s/", "<o4> k:hasTrace <>; k:hasBegin 15.").unwrap();
    assert_eq!(obsels(&ktbs, "b/p/"), ["_1_p_o2 _1_p/o2", "_1_p_o4 _1_p/o4"]);
}

#[test]
fn a_parallel_merges_what_each_method_gives() {
    let ktbs = with_methods();
    create(&ktbs, "q", "k:parallel", &[BOTH]);
    let different = "Sources have different models and no target model is explicitly specified";
    assert_eq!(
        described(&ktbs, "b/q/"),
        [
            "",
            "o",
            &format!("parallel.compute_trace_description: ko\n* {different}\n")
        ]
    );
    assert_eq!(
        failure(&ktbs, "b/q/"),
        format!("parallel.compute_obsels: ko\n* {different}")
    );
    put(&ktbs, "q", k::PARALLEL, &[BOTH, "model=http://h/k/b/md"]);
    assert_eq!(described(&ktbs, "b/q/"), ["http://h/k/b/md", "o", ""]);
    assert_eq!(
        obsels(&ktbs, "b/q/"),
        [
            "_1_q_o1 _1_q/o1",
            "_0_q_o2 _0_q/o2",
            "_1_q_o2 _1_q/o2 q/_1_q_o1",
            "_0_q_o3 _0_q/o3",
        ]
    );
}

#[test]
fn intermediate_traces_come_and_go_with_the_trace() {
    let ktbs = with_methods();
    create(&ktbs, "p", "k:pipe", &[BOTH]);
    let has = |indexes: [bool; 4]| {
        obsels(&ktbs, "b/p/");
        let found = [0, 1, 2, 3].map(|index| ktbs.has(&format!("b/_{index}_p/")));
        assert_eq!(found, indexes);
    };
    has([true, true, false, false]);
    put(
        &ktbs,
        "p",
        k::PIPE,
        &["methods=http://h/k/b/m1 http://h/k/b/m2 http://liris.cnrs.fr/silex/2009/ktbs#fusion"],
    );
    has([true, true, true, false]);
    assert_eq!(obsels(&ktbs, "b/p/"), ["_2_p__1_p_o2 _2_p/_1_p_o2"]);
    put(&ktbs, "p", k::PIPE, &["methods=http://h/k/b/m2"]);
    has([true, false, false, false]);
    assert_eq!(obsels(&ktbs, "b/p/"), ["_0_p_o1 _0_p/o1", "_0_p_o2 _0_p/o2 p/_0_p_o1"]);
    let problems = refused(ktbs.put(
        "b/_0_p/",
        "<../> k:contains <>. <> a k:ComputedTrace; k:hasMethod k:filter; k:hasSource <../s/>.",
    ));
    assert!(problems.contains("intermediate trace"), "{problems}");
    put(&ktbs, "p", k::FILTER, &[]);
    assert_eq!(obsels(&ktbs, "b/p/").len(), 3);
    assert!(!ktbs.has("b/_0_p/"));
    put(&ktbs, "p", k::PIPE, &[BOTH]);
    has([true, true, false, false]);
    ktbs.delete("b/p/").unwrap();
    assert!(!ktbs.has("b/_0_p/") && !ktbs.has("b/_1_p/"));
    ktbs.delete("b/m1").unwrap();
}

#[test]
fn what_prevents_the_steps_is_told() {
    let ktbs = with_methods();
    ktbs.created(
        "b/",
        "<> k:contains <_0_taken/>. <_0_taken/> a k:StoredTrace; k:hasModel <model>; k:hasOrigin 'o'.",
    );
    for (id, method) in [("self", "pipe"), ("other", "parallel")] {
        ktbs.created(
            "b/",
            &format!(
                "<> k:contains <{id}>. <{id}> a k:Method; k:hasParentMethod k:{method};
                 k:hasParameter 'methods=http://h/k/b/self http://h/k/b/other'."
            ),
        );
    }
    let many = format!("methods={}", "http://h/k/b/m1 ".repeat(33));
    let cases: [(&str, &str, &[&str], &str); 8] = [
        ("a", "k:pipe", &[], "Method ktbs:pipe requires parameter methods"),
        (
            "b",
            "k:pipe",
            &["methods="],
            "Method ktbs:pipe must have at least one method",
        ),
        (
            "c",
            "k:parallel",
            &[],
            "Method ktbs:parallel requires parameter methods",
        ),
        (
            "d",
            "k:pipe",
            &["methods=http://h/k/b/none http://h/k/b/m1 http://h/k/b/model"],
            "Sub-method <http://h/k/b/none> is not accessible\n* Sub-method <http://h/k/b/model> is not accessible",
        ),
        (
            "taken",
            "k:pipe",
            &["methods=http://h/k/b/m1"],
            "The intermediate trace <http://h/k/b/_0_taken/> would take the place of another resource",
        ),
        (
            "e",
            "k:pipe",
            &[&many],
            "Method ktbs:pipe goes through more than 32 methods",
        ),
        ("f", "<self>", &[], "goes through itself"),
        ("g", "<other>", &[], "goes through itself"),
    ];
    for (id, method, parameters, expected) in cases {
        create(&ktbs, id, method, parameters);
        let problems = failure(&ktbs, &format!("b/{id}/"));
        assert!(problems.contains(expected), "{id}: {problems}");
        let [model, origin, diagnosis] = described(&ktbs, &format!("b/{id}/"));
        assert_eq!([model, origin], ["", ""], "{id}");
        assert!(diagnosis.contains(expected), "{id}: {diagnosis}");
        assert_eq!(ktbs.has(&format!("b/_0_{id}/")), id == "taken");
    }
    put(&ktbs, "a", k::PIPE, &["methods=http://h/k/b/m1", "model=x"]);
    assert_eq!(
        described(&ktbs, "b/a/")[2],
        "pipe.compute_trace_description: ko\n* WARN: Method ktbs:pipe does not support additional parameters yet\n"
    );
    assert_eq!(obsels(&ktbs, "b/a/").len(), 2);
}

#[test]
fn steps_may_go_through_others() {
    let ktbs = with_methods();
    ktbs.created(
        "b/",
        &format!("<> k:contains <both>. <both> a k:Method; k:hasParentMethod k:pipe; k:hasParameter '{BOTH}'."),
    );
    create(
        &ktbs,
        "q",
        "k:parallel",
        &["methods=http://h/k/b/both http://h/k/b/m2", "model=http://h/k/b/md"],
    );
    let expected = [
        "_1_q_o1 _1_q/o1",
        "_0_q__1__0_q_o2 _0_q/_1__0_q_o2",
        "_1_q_o2 _1_q/o2 q/_1_q_o1",
    ];
    assert_eq!(obsels(&ktbs, "b/q/"), expected);
    ktbs.post("b/s/", "<o4> k:hasTrace <>; k:hasBegin 15.").unwrap();
    assert_eq!(obsels(&ktbs, "b/q/").len(), 5);
    ktbs.delete("b/q/").unwrap();
    for path in ["b/_0_q/", "b/_1_q/", "b/_1__0_q/"] {
        assert!(!ktbs.has(path), "{path}");
    }
}
