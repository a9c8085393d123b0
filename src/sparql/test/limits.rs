//! What a query may cost.

use std::time::{Duration, Instant};

use super::*;

/// Queries that would take for ever, or all the memory, and what stops them.
#[test]
fn what_is_endless_is_stopped() {
    let mut graph = Graph::new();
    for i in 0..1000 {
        graph.insert(
            &iri(format!("http://h/t/o{i}")),
            &iri("http://h/m#v"),
            &string("x".repeat(50)),
        );
        graph.insert(
            &iri(format!("http://h/t/o{i}")),
            &iri("http://h/m#next"),
            &iri(format!("http://h/t/o{}", (i * 7 + 1) % 1000)),
        );
    }
    let dataset = Dataset::of(&graph);
    let limits = Limits {
        time: Duration::from_millis(300),
        memory: 128 << 20,
        ..Limits::default()
    };
    let empties = "{ {} UNION {} } ".repeat(40);
    let erased = (0..12)
        .map(|i| format!("{{ SELECT ?none{i} {{ ?a{i} m:v ?b }} }} "))
        .collect::<String>();
    let constants = "{ SELECT ?none { VALUES ?x { 1 2 3 4 5 6 7 8 } } } ".repeat(20);
    let values = "VALUES () { () () () () } ".repeat(30);
    let ground = "{ <o1> m:next <o8> } UNION { <o1> m:next <o8> } UNION { <o1> m:next+ <o8> } ".to_owned();
    let ground = format!("{{ {ground} }} ").repeat(12);
    let growing = (0..40)
        .map(|i| format!("BIND(CONCAT(?t{i}, ?t{i}) AS ?t{}) ", i + 1))
        .collect::<String>();
    let replaced = (0..10)
        .map(|i| format!("BIND(REPLACE(?t{i}, '.', '$0$0$0$0$0$0$0$0') AS ?t{}) ", i + 1))
        .collect::<String>();
    let many = format!("CONCAT({} ?t0)", "?t0, ".repeat(5000));
    for text in [
        "SELECT * { ?a m:v ?x . ?b m:v ?y . ?c m:v ?z }".to_owned(),
        "SELECT (COUNT(*) AS ?n) { ?a m:v ?x . ?b m:v ?y . ?c m:v ?z . ?d m:v ?w }".to_owned(),
        "SELECT * { ?a m:v ?x . ?b m:v ?y . ?c m:v ?z } ORDER BY ?a".to_owned(),
        "SELECT DISTINCT ?x { ?a m:v ?x . ?b m:v ?x . ?c m:v ?x . ?d m:v ?x }".to_owned(),
        "ASK { ?a m:v ?x . ?b m:v ?y . ?c m:v ?z FILTER(?x != ?y) FILTER(?y != ?z) }".to_owned(),
        "CONSTRUCT { ?a m:to ?d } { ?a m:v ?x . ?b m:v ?y . ?c m:v ?z . ?d m:v ?w }".to_owned(),
        "ASK { ?a m:v ?x MINUS { ?b m:v ?y . ?c m:v ?z . ?d m:v ?w } FILTER(?x = ?a) }".to_owned(),
        "SELECT (COUNT(*) AS ?n) { ?a (m:next|^m:next)* ?b . ?c (m:next|^m:next)* ?d }".to_owned(),
        "SELECT (GROUP_CONCAT(?x) AS ?n) { ?a m:v ?x . ?b m:v ?y . ?c m:v ?z }".to_owned(),
        "SELECT (COUNT(DISTINCT CONCAT(STR(?a), STR(?b), STR(?c))) AS ?n) { ?a m:v ?x . ?b m:v ?y . ?c m:v ?z }"
            .to_owned(),
        format!("SELECT (COUNT(*) AS ?n) {{ {empties} }}"),
        format!("SELECT (COUNT(*) AS ?n) {{ {erased} }}"),
        format!("SELECT (COUNT(*) AS ?n) {{ {constants} }}"),
        format!("SELECT (COUNT(*) AS ?n) {{ {values} }}"),
        format!("SELECT (COUNT(*) AS ?n) {{ {ground} }}"),
        format!("SELECT (STRLEN(?t40) AS ?n) {{ <o1> m:v ?t0 {growing} }}"),
        format!("SELECT (STRLEN(?t10) AS ?n) {{ <o1> m:v ?t0 {replaced} }}"),
        format!(
            "SELECT (STRLEN({many}) AS ?n) {{ BIND('{}' AS ?t0) }}",
            "y".repeat(100_000)
        ),
    ] {
        let query = within(&text, &limits);
        let start = Instant::now();
        let result = match query.form() {
            Form::Select => rows(&query, &dataset).map(|_| ()),
            Form::Ask => query.ask(&dataset).map(|_| ()),
            _ => query.construct(&dataset).map(|_| ()),
        };
        let took = start.elapsed();
        let text = &text[..text.len().min(200)];
        assert!(
            matches!(result, Err(Error::Timeout(_) | Error::TooComplex(_))),
            "{text}: {result:?}"
        );
        assert!(took < Duration::from_secs(5), "{text}: {took:?}");
    }
}

#[test]
fn what_is_long_to_plan_is_refused() {
    on_the_stack_of_a_server(|| {
        let dataset = Dataset::of(&Graph::new());
        let join = |n: usize| (0..n).map(|i| format!("?s m:p{i} ?v{i} . ")).collect::<String>();
        let optional = |n: usize| {
            (0..n)
                .map(|i| format!("OPTIONAL {{ ?s m:p{i} ?v{i} }} "))
                .collect::<String>()
        };
        let steps = |n: usize| format!("?s m:p{} ?o", "/m:p".repeat(n));
        let groups = |n: usize| "{ ?s ?p ?o } ".repeat(n);
        let union = |n: usize| format!("{{ {} }} ", vec!["{ ?s ?p ?o . ?o ?p ?s }"; n].join(" UNION "));
        for (text, accepted) in [
            (join(60), true),
            (join(101), false),
            (optional(60), true),
            (optional(101), false),
            (steps(60), true),
            (steps(101), false),
            (groups(60), true),
            (groups(101), false),
            (union(120), true),
            (union(200), true),
        ] {
            let start = Instant::now();
            let query = parse(&format!("SELECT * {{ {text} }}"));
            assert_eq!(query.is_ok(), accepted, "{text}: {:?}", query.err());
            if let Ok(query) = query {
                rows(&query, &dataset).unwrap();
            }
            assert!(
                start.elapsed() < Duration::from_secs(20),
                "{text}: {:?}",
                start.elapsed()
            );
        }
    });
}

#[test]
fn what_is_as_deep_as_it_may_be_is_evaluated() {
    on_the_stack_of_a_server(|| {
        let dataset = Dataset::of(&turtle(DATA));
        let nested = |open: &str, close: &str, n: usize| format!("{}?o a ?t{}", open.repeat(n), close.repeat(n));
        for text in [
            format!("SELECT * {{ ?o a ?t FILTER({}) }}", vec!["?o = <a>"; 240].join(" || ")),
            format!("SELECT * {{ ?o a ?t FILTER({}?o{}) }}", "(".repeat(44), ")".repeat(44)),
            format!("SELECT * {{ ?o a ?t FILTER({}?o) }}", "!".repeat(200)),
            format!("SELECT * {{ {} }}", vec!["{ ?o a ?t }"; 240].join(" UNION ")),
            format!(
                "SELECT * {{ ?o a ?t {} }}",
                (0..80).map(|i| format!("BIND(1 AS ?x{i}) ")).collect::<String>()
            ),
            format!("SELECT * {{ ?o a ?t {} }}", "FILTER(?o != <z>) ".repeat(120)),
            format!("SELECT * {{ {} }}", nested("{ ", "}", 45)),
            format!("SELECT * {{ {} }}", nested("?o a ?t OPTIONAL { ", "}", 40)),
            format!("SELECT * {{ {} }}", nested("?o a ?t FILTER EXISTS { ", "}", 40)),
            format!("SELECT * {{ {} }}", nested("{ SELECT * { ", "} }", 22)),
            format!("SELECT * {{ {} }}", nested("{ ?o a ?t } UNION { ", "}", 44)),
            format!("SELECT * {{ ?o a {} ?t {} }}", "[ m:p ".repeat(44), "]".repeat(44)),
            format!(
                "SELECT (SUM({}?b{}) AS ?x) {{ ?o k:hasBegin ?b }}",
                "ABS(".repeat(44),
                ")".repeat(44)
            ),
        ] {
            let query = parse(&text).unwrap_or_else(|e| panic!("{text}: {e}"));
            rows(&query, &dataset).unwrap();
        }
    });
}
