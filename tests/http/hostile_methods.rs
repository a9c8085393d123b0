//! Methods and queries that would take for ever, or all the memory: each ends soon, with a diagnosis or a status that says so, and
//! the trace can be described, mended and deleted.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fmt::Write;
use std::time::{Duration, Instant};

use ktbs::config::Config;

use crate::support::{Answer, ROOT, TestKtbs};

/// How long any of the requests may take: far above the limits, which are those of a loaded machine too.
const SOON: Duration = Duration::from_secs(15);

fn limited(config: &mut Config) {
    config.plugins.sparql_endpoints = true;
    config.limits.query_seconds = 1;
    config.limits.query_memory = 128 << 20;
    config.limits.computing_seconds = 2;
}

/// Returns a kTBS with obsels in `b/t/`, one a unit of time, of the types A and B in turn, each related to the previous one.
fn ktbs(count: usize) -> TestKtbs {
    let ktbs = TestKtbs::with_trace(limited);
    let mut obsels = String::new();
    for i in 0..count {
        let (kind, text) = (["A", "B"][i % 2], "x".repeat(50));
        writeln!(
            obsels,
            "<o{i}> a <../m#{kind}> ; k:hasTrace <> ; k:hasBegin {i} ; <../m#v> \"{text}\" ; <../m#next> <o{}> .",
            i.saturating_sub(1)
        )
        .unwrap();
    }
    ktbs.post_turtle("b/t/", &obsels).expect(201);
    ktbs
}

/// Creates a trace computed from `b/t/`, in JSON.
fn create(ktbs: &TestKtbs, id: &str, method: &str, parameters: &[String]) -> Answer {
    let body = serde_json::json!({"@id": format!("{id}/"), "@type": "ComputedTrace", "hasMethod": method, "hasSource": ["t/"],
        "parameter": parameters});
    ktbs.post("b/", "application/json", &body.to_string())
}

/// Checks that the obsels of a computed trace are soon answered so, and that the trace is no burden.
#[track_caller]
fn ends(ktbs: &TestKtbs, method: &str, parameters: &[String], statuses: &[u16], text: &str) {
    let start = Instant::now();
    let shown = parameters[0].chars().take(200).collect::<String>();
    create(ktbs, "c", method, parameters).expect(201);
    let answer = ktbs.get("b/c/@obsels", &[("Accept", "text/nt")]);
    assert!(
        statuses.contains(&answer.status),
        "{shown}: {} {}",
        answer.status,
        answer.body
    );
    if answer.status != 200 {
        assert!(answer.body.contains(text), "{shown}: {}", answer.body);
        assert!(answer.body.len() < 20_000, "{shown}: {} bytes", answer.body.len());
    }
    ktbs.get("b/c/", &[]).expect(200);
    ktbs.get("b/c/@obsels?refresh=no", &[]).expect(200);
    ktbs.delete("b/c/").expect(204);
    assert!(start.elapsed() < SOON, "{shown}: {:?}", start.elapsed());
}

fn constructs(pattern: &str) -> Vec<String> {
    vec![format!(
        "sparql=PREFIX m: <{ROOT}b/m#> PREFIX k: <http://liris.cnrs.fr/silex/2009/ktbs#>
        CONSTRUCT {{ ?a m:to ?b . ?a m:text ?t }} WHERE {{ {pattern} }}"
    )]
}

#[test]
fn queries_that_explode_are_stopped() {
    let ktbs = ktbs(1000);
    let (limits, deep) = (&[503][..], &[409][..]);
    let doubled = (0..40)
        .map(|i| format!("BIND(CONCAT(?t{i}, ?t{i}) AS ?t{}) ", i + 1))
        .collect::<String>();
    let nested = |open: &str, n: usize, close: &str| format!("{}?a ?p ?b{}", open.repeat(n), close.repeat(n));
    for (pattern, statuses, text) in [
        ("?a m:v ?x . ?b m:v ?y . ?c m:v ?z".to_owned(), limits, "query"),
        (format!("?a m:v ?t0 {doubled} BIND(?t40 AS ?t)"), &[200, 503], "query"),
        (
            "?a m:next* ?b . ?c m:next* ?d . ?d m:next* ?e".to_owned(),
            limits,
            "query",
        ),
        (
            "{ SELECT (GROUP_CONCAT(?x) AS ?t) { ?a m:v ?x . ?b m:v ?y . ?c m:v ?z } }".to_owned(),
            limits,
            "query",
        ),
        (nested("{ ", 10_000, " }"), deep, "nested more than 48 deep"),
        (
            nested("?x ?y ?z OPTIONAL { ", 200, " }"),
            deep,
            "nested more than 48 deep",
        ),
        (
            format!("?a ?p ?b FILTER({}true)", "!".repeat(100_000)),
            deep,
            "too deep",
        ),
        (format!("?a ?p ?b FILTER(1{})", "+1".repeat(100_000)), deep, "too deep"),
        ("?a ?p ?b . ".repeat(100_000), deep, "bytes"),
        (
            format!(
                "VALUES ?a {{ {} }} VALUES ?b {{ {} }}",
                "<x> ".repeat(20_000),
                "<y> ".repeat(20_000)
            ),
            &[503],
            "query",
        ),
        ("SERVICE <http://127.0.0.1:9/> { ?a ?p ?b }".to_owned(), deep, "SERVICE"),
    ] {
        ends(&ktbs, "sparql", &constructs(&pattern), statuses, text);
    }
}

#[test]
fn the_same_holds_for_the_other_methods_that_query() {
    let ktbs = ktbs(1000);
    let v = format!("<{ROOT}b/m#v>");
    let product = format!("?x {v} ?y . ?z {v} ?w . ?p {v} ?q FILTER(?y != ?w && ?w != ?q)");
    ends(&ktbs, "filter", &[format!("bgp={product}")], &[503], "query");
    let rows = format!(
        "sparql=SELECT ?sourceObsel (<http://x/T> AS ?type) (?sourceBegin AS ?begin) {{ %(__subselect__)s {product} }}"
    );
    ends(&ktbs, "isparql", &[rows], &[503], "query");
    let fsa = serde_json::json!({"states": {
        "start": {"transitions": [{"matcher": "sparql-ask", "condition": product, "target": "#T"}]},
        "#T": {"terminal": true}}});
    ends(&ktbs, "fsa", &[format!("fsa={fsa}")], &[503, 409], "");
}

#[test]
fn expressions_that_backtrack_do_not() {
    let ktbs = ktbs(200);
    let pattern = |text: &str| constructs(&format!("?a m:v ?t FILTER(REGEX(CONCAT(?t, '!'), '{text}'))"));
    for text in ["^(x+)+$", "^(x|xx)*$", "(.*)*y", "^(x?){50}x{50}$"] {
        ends(&ktbs, "sparql", &pattern(text), &[200], "");
        let fsa = serde_json::json!({"default_matcher": "regexp", "states": {
            "start": {"transitions": [{"condition": format!(".*{}!", text.trim_matches(['^', '$'])), "target": "#T"}]},
            "#T": {"terminal": true}}});
        ends(&ktbs, "fsa", &[format!("fsa={fsa}")], &[200], "");
    }
    // What would be huge once compiled matches nothing, in a query, and is told, in an automaton.
    ends(&ktbs, "sparql", &pattern("(((x{100}){100}){100}){100}"), &[200], "");
}

#[test]
fn automata_that_overlap_without_end_are_stopped() {
    let ktbs = ktbs(1000);
    let forks: Vec<_> = (0..4)
        .map(|i| serde_json::json!({"condition": "#A", "target": format!("s{i}")}))
        .collect();
    let noisy = |terminal: bool| serde_json::json!({"max_noise": 100_000, "terminal": terminal, "transitions": forks});
    let automaton = serde_json::json!({"allow_overlap": true, "states": {
        "start": {"transitions": forks}, "s0": noisy(true), "s1": noisy(false), "s2": noisy(false), "s3": noisy(false)}});
    ends(
        &ktbs,
        "fsa",
        &[format!("fsa={automaton}")],
        &[409],
        "(limit fsa-tokens)",
    );
    // 10,000 states, and 100,000 levels of JSON.
    let states: serde_json::Map<_, _> = (0..10_000)
        .map(|i| {
            (
                format!("q{i}"),
                serde_json::json!({"transitions": [{"condition": "#A", "target": format!("q{}", i + 1)}]}),
            )
        })
        .chain([
            ("q10000".to_owned(), serde_json::json!({"terminal": true})),
            (
                "start".to_owned(),
                serde_json::json!({"transitions": [{"condition": "#A", "target": "q0"}]}),
            ),
        ])
        .collect();
    let long = serde_json::json!({"states": states});
    ends(&ktbs, "fsa", &[format!("fsa={long}")], &[200], "");
    ends(
        &ktbs,
        "fsa",
        &[format!("fsa={}", "[".repeat(100_000))],
        &[409],
        "Parameter fsa has illegal value",
    );
    ends(
        &ktbs,
        "hrules",
        &["model=m".to_owned(), format!("rules={}", "[".repeat(100_000))],
        &[409],
        "Parameter rules has illegal value",
    );
}

#[test]
fn parameters_that_name_each_other_do_not_grow() {
    let ktbs = ktbs(10);
    let mut parameters = constructs("?a m:v ?t FILTER(?t != \"%(a)s\")");
    parameters.extend([
        "a=%(b)s%(b)s".to_owned(),
        "b=%(a)s%(a)s".to_owned(),
        "c=%(c)s".to_owned(),
    ]);
    ends(&ktbs, "sparql", &parameters, &[200], "");
    // A short text that names a long one thousands of times.
    let mut parameters = constructs(&format!("?a m:v ?t FILTER(?t != \"{}\")", "%(a)s".repeat(10_000)));
    parameters.push(format!("a={}", "x".repeat(100_000)));
    ends(&ktbs, "sparql", &parameters, &[409], "the text would be longer than");
}

#[test]
fn ten_thousand_parameters_are_no_burden() {
    let ktbs = ktbs(10);
    let parameters: Vec<String> = (0..10_000).map(|i| format!("p{i}=v{i}")).collect();
    for method in [
        "filter", "fusion", "isparql", "sparql", "hrules", "fsa", "pipe", "parallel",
    ] {
        let mut parameters = parameters.clone();
        parameters.push("methods=nowhere".to_owned());
        ends(&ktbs, method, &parameters, &[200, 409], "");
    }
    // They are inherited, too.
    let body =
        serde_json::json!({"@id": "m1", "@type": "Method", "hasParentMethod": "filter", "parameter": parameters});
    ktbs.post("b/", "application/json", &body.to_string()).expect(201);
    ends(&ktbs, "m1", &["after=3".to_owned()], &[200], "");
    // A chain of methods, one above the other.
    let start = Instant::now();
    for i in 2..60 {
        let body = serde_json::json!({"@id": format!("m{i}"), "@type": "Method", "hasParentMethod": format!("m{}", i - 1),
            "parameter": [format!("q{i}=1")]});
        ktbs.post("b/", "application/json", &body.to_string()).expect(201);
    }
    assert!(start.elapsed() < 4 * SOON, "{:?}", start.elapsed());
    ends(&ktbs, "m59", &["after=3".to_owned()], &[200], "");
}

#[test]
fn compositions_without_end_are_refused() {
    let ktbs = ktbs(10);
    let method = |id: &str, parent: &str, methods: &str| {
        let body = serde_json::json!({"@id": id, "@type": "Method", "hasParentMethod": parent,
            "parameter": [format!("methods={methods}")]});
        ktbs.post("b/", "application/json", &body.to_string()).expect(201);
    };
    let iri = |id: &str| format!("{ROOT}b/{id}");
    method("self", "pipe", &iri("self"));
    method("ping", "parallel", &iri("pong"));
    method("pong", "pipe", &iri("ping"));
    // Each doubles the previous one.
    method("double0", "parallel", &[iri("self2"), iri("self2")].join(" "));
    for i in 1..30 {
        let previous = iri(&format!("double{}", i - 1));
        method(&format!("double{i}"), "parallel", &format!("{previous} {previous}"));
    }
    let through = |name: &str| vec![format!("methods={}", iri(name))];
    ends(&ktbs, "pipe", &through("self"), &[409], "goes through itself");
    ends(&ktbs, "pipe", &through("pong"), &[409], "goes through itself");
    ends(&ktbs, "pipe", &through("double29"), &[409], "(sub-methods)");
    ends(&ktbs, "self", &["x=1".to_owned()], &[409], "goes through itself");
    let many = vec![format!("methods={}", [&*iri("self")].repeat(10_000).join(" "))];
    ends(&ktbs, "parallel", &many, &[409], "");
    let items = ktbs.get("b/", &[("Accept", "text/nt")]).expect(200).body;
    assert!(!items.contains("/_"), "intermediate traces are left: {items}");
}

#[test]
fn templates_of_many_blank_nodes_are_no_burden() {
    let ktbs = ktbs(10);
    // Each leads to all: to tell them apart by what is said of them must not follow all the ways.
    let nodes: Vec<String> = (0..60).map(|i| format!("_:b{i}")).collect();
    let mut template = String::new();
    for node in &nodes {
        let arcs: String = nodes.iter().map(|other| format!("m:to {other} ; ")).collect();
        write!(template, "{node} {arcs} k:hasBegin 1 . ").unwrap();
    }
    let query = format!(
        "sparql=PREFIX m: <{ROOT}b/m#> PREFIX k: <http://liris.cnrs.fr/silex/2009/ktbs#>
        CONSTRUCT {{ {template} }} WHERE {{ <o1> k:hasBegin ?b }}"
    );
    ends(&ktbs, "sparql", &[query], &[200], "");
}

#[test]
fn types_that_are_subtypes_of_each_other_are_no_burden() {
    let ktbs = ktbs(10);
    let types: String = (1..2000)
        .map(|i| format!("<m2#T{i}> a k:ObselType ; k:hasSuperObselType <m2#T{}> . ", i - 1))
        .collect();
    ktbs.post_turtle("b/", &format!("<> k:contains <m2> . <m2> a k:TraceModel . {types}"))
        .expect(201);
    ktbs.post_turtle(
        "b/",
        "<> k:contains <t2/> . <t2/> a k:StoredTrace ; k:hasModel <m2> ; k:hasOrigin \"o\" .",
    )
    .expect(201);
    ktbs.post_turtle("b/t2/", "<o> a <../m2#T1500> ; k:hasTrace <> ; k:hasBegin 1 .")
        .expect(201);
    let rules = |count: usize| {
        let subrules: Vec<_> = (0..count)
            .map(|i| serde_json::json!({"type": format!("{ROOT}b/m2#T{}", i % 2000)}))
            .collect();
        vec![
            "model=m".to_owned(),
            format!("rules={}", serde_json::json!([{"id": "R", "rules": subrules}])),
        ]
    };
    let start = Instant::now();
    for (count, status) in [(30, 200), (3_000, 409)] {
        let body = serde_json::json!({"@id": "c/", "@type": "ComputedTrace", "hasMethod": "hrules", "hasSource": ["t2/"],
            "parameter": rules(count)});
        ktbs.post("b/", "application/json", &body.to_string()).expect(201);
        let answer = ktbs.get("b/c/@obsels", &[("Accept", "text/nt")]).expect(status);
        assert!(
            status == 200 || answer.body.contains("subtypes, all together"),
            "{}",
            answer.body
        );
        ktbs.delete("b/c/").expect(204);
    }
    // The same type again and again costs nothing more.
    let same = vec![serde_json::json!({"type": format!("{ROOT}b/m2#T0")}); 10_000];
    let same = serde_json::json!([{"id": "R", "rules": same}]);
    let body = serde_json::json!({"@id": "c/", "@type": "ComputedTrace", "hasMethod": "hrules", "hasSource": ["t2/"],
        "parameter": ["model=m", format!("rules={same}")]});
    ktbs.post("b/", "application/json", &body.to_string()).expect(201);
    assert!(
        ktbs.get("b/c/@obsels", &[("Accept", "text/nt")])
            .expect(200)
            .body
            .contains("b/c/o>")
    );
    assert!(start.elapsed() < 3 * SOON, "{:?}", start.elapsed());
}

#[test]
fn numbers_and_dates_of_any_size_are_told_or_bounded() {
    let ktbs = ktbs(10);
    let digits = "9".repeat(50_000);
    for (method, parameters, status, text) in [
        ("filter", vec![format!("after={digits}")], 409, "the integer is out of range"),
        ("filter", vec![format!("before=-{digits}")], 409, "the integer is out of range"),
        ("filter", vec![format!("afterDT={digits}-01-01")], 409, "a date is expected"),
        ("filter", vec!["after=-9223372036854775808".to_owned(), "before=9223372036854775807".to_owned()], 200, ""),
        ("filter", vec![format!("bgp=FILTER(?b < {digits})")], 200, ""),
        ("filter", vec![format!("bgp=FILTER(?b < {digits}.{digits} || ?b < 1e{digits})")], 200, ""),
        ("hrules", vec![format!("rules=[{{\"id\": \"R\", \"rules\": [{{\"attributes\": [{{\"uri\": \"x:a\", \"operator\": \"<\",
            \"value\": {digits}}}]}}]}}]"), "model=m".to_owned()], 200, ""),
        ("hrules", vec![format!("rules=[{{\"id\": \"R\", \"rules\": [{{\"attributes\": [{{\"uri\": \"x:a\", \"operator\": \"<\",
            \"value\": {{\"@value\": \"{digits}\", \"@type\": \"http://www.w3.org/2001/XMLSchema#integer\"}}}}]}}]}}]"), "model=m".to_owned()],
            200, ""),
        ("fsa", vec![format!("fsa={{\"states\": {{\"start\": {{\"max_noise\": {digits}}}}}}}")], 409, "Parameter fsa"),
        ("fsa", vec!["fsa={\"states\": {\"start\": {\"max_duration\": 18446744073709551615, \"terminal\": true, \"transitions\":
            [{\"condition\": \"#A\", \"target\": \"start\"}]}}}".to_owned()], 200, ""),
        ("sparql", constructs(&format!("?a m:v ?t LIMIT {digits}")), 409, "error at"),
        ("sparql", constructs("?a m:v ?t FILTER(SUBSTR(?t, 9223372036854775807, 9223372036854775807) = '')"), 200, ""),
    ] {
        ends(&ktbs, method, &parameters, &[status], text);
    }
}

#[test]
fn endpoints_are_stopped_too() {
    let ktbs = ktbs(1000);
    for (query, statuses) in [
        ("SELECT * { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }".to_owned(), &[503][..]),
        (
            "CONSTRUCT { ?a ?e ?i } { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }".to_owned(),
            &[503],
        ),
        (
            "ASK { ?a (<../m#next>|^<../m#next>)+ ?b . ?c (<../m#next>|^<../m#next>)+ ?d FILTER(?a = ?x) }".to_owned(),
            &[503, 200],
        ),
        (
            format!("SELECT * {}?a ?b ?c{}", "{".repeat(50_000), "}".repeat(50_000)),
            &[400],
        ),
        ("LOAD <http://127.0.0.1:9/>".to_owned(), &[400]),
    ] {
        let start = Instant::now();
        let answer = ktbs.post("b/t/@obsels", "application/sparql-query", &query);
        let shown = &query[..query.len().min(100)];
        assert!(
            statuses.contains(&answer.status),
            "{shown}: {} {}",
            answer.status,
            answer.body
        );
        assert!(start.elapsed() < SOON, "{shown}: {:?}", start.elapsed());
    }
}
