//! Tests of the module as a whole.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use sophia::api::parser::TripleParser;
use sophia::api::source::TripleSource;
use sophia::isomorphism::isomorphic_graphs;

use super::*;
use crate::error::{Error, Result};
use crate::rdf::{Graph, Term, TermId, integer, iri, string};
use crate::resource::view::Content;
use crate::resource::{Service, Settings};
use crate::store::Store;
use crate::store::views::TraceGraph;
use crate::vocab::ktbs;

const PREFIXES: [(&str, &str); 2] = [("k", crate::vocab::KTBS), ("m", "http://h/m#")];

fn turtle(text: &str) -> Graph {
    let text = format!(
        "@base <http://h/t/> . @prefix k: <{}> . @prefix m: <http://h/m#> . @prefix x: <http://example.org/> .
        @prefix xsd: <http://www.w3.org/2001/XMLSchema#> . {text}",
        crate::vocab::KTBS
    );
    sophia::turtle::parser::turtle::TurtleParser::default()
        .parse(text.as_bytes())
        .collect_triples()
        .unwrap()
}

fn context() -> Context<'static> {
    Context {
        base: Some("http://h/t/"),
        prefixes: &PREFIXES,
    }
}

fn parse(text: &str) -> Result<Query> {
    Query::parse(text, context(), &Limits::default())
}

fn within(text: &str, limits: &Limits) -> Query {
    Query::parse(text, context(), limits).unwrap()
}

/// Returns the rows of a SELECT, sorted; a term as N-Triples writes it, short of datatypes.
fn rows(query: &Query, dataset: &Dataset) -> Result<Vec<String>> {
    let mut rows = Vec::new();
    query.select(dataset, &mut |row| {
        let cells = row.iter().map(|term| match term {
            None => "-".to_owned(),
            Some(Term::Iri(iri)) => iri.replace("http://h/t/", ""),
            Some(Term::BlankNode(_)) => "_".to_owned(),
            Some(Term::LiteralDatatype(lexical, _)) => format!("'{lexical}'"),
            Some(Term::LiteralLanguage(lexical, language, _)) => format!("'{lexical}'@{}", language.as_str()),
            Some(other) => format!("{other:?}"),
        });
        rows.push(cells.collect::<Vec<_>>().join(" "));
        Ok(())
    })?;
    rows.sort();
    Ok(rows)
}

/// Does something with the stack that a thread of a server has by default; unoptimized code needs more.
fn on_the_stack_of_a_server(f: impl FnOnce() + Send + 'static) {
    let size = if cfg!(debug_assertions) { 16 << 20 } else { 2 << 20 };
    let thread = std::thread::Builder::new().stack_size(size).spawn(f).unwrap();
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

const DATA: &str = "
    <a> a m:A ; k:hasBegin 1 ; k:hasEnd 4 ; m:text \"yes\"@en, \"aaa\" ; m:next <b> .
    <b> a m:B ; k:hasBegin 2 ; k:hasEnd 3 ; m:next <c> ; m:n 1.5, \"01\"^^xsd:integer .
    <c> a m:A ; k:hasBegin 3 ; k:hasEnd 9 ; m:at [ m:x 1 ; m:y 2 ] .";

#[test]
fn selects() {
    let dataset = Dataset::of(&turtle(DATA));
    for (text, expected) in [
        ("SELECT ?o { ?o a m:A }", &["a", "c"][..]),
        ("SELECT ?o { ?o a m:A FILTER NOT EXISTS { ?o m:next ?x } }", &["c"]),
        ("SELECT ?o ?x { ?o a m:A OPTIONAL { ?o m:next ?x } }", &["a b", "c -"]),
        ("SELECT ?o { ?o a ?t MINUS { ?o a m:A } }", &["b"]),
        ("SELECT ?o { <a> m:next+ ?o }", &["b", "c"]),
        ("SELECT ?o { { ?o a m:B } UNION { ?o m:at ?x } }", &["b", "c"]),
        (
            "SELECT ?t (COUNT(?o) AS ?n) { ?o a ?t } GROUP BY ?t",
            &["http://h/m#A '2'", "http://h/m#B '1'"],
        ),
        (
            "SELECT (SUM(?e - ?b) AS ?d) { ?o k:hasBegin ?b ; k:hasEnd ?e }",
            &["'10'"],
        ),
        (
            "SELECT (SUM(?x) AS ?d) { ?o a m:B OPTIONAL { ?o m:none ?x } }",
            &["'0'"],
        ),
        ("SELECT (SUM(?b) AS ?d) { VALUES ?b { 1 UNDEF 2 } }", &["'3'"]),
        ("SELECT (SUM(?b) AS ?d) { VALUES ?b { 1 'a' } }", &["-"]),
        ("SELECT ?o { ?o k:hasBegin ?b } ORDER BY DESC(?b) LIMIT 1", &["c"]),
        ("SELECT ?p { <b> ?p <c> }", &["http://h/m#next"]),
        (
            "SELECT ?s ?p { ?s ?p 1 }",
            &["_ http://h/m#x", "a http://liris.cnrs.fr/silex/2009/ktbs#hasBegin"],
        ),
        ("SELECT ?s { ?s ?p 01 }", &["b"]),
        ("SELECT ?s { ?s m:text 'yes'@EN }", &["a"]),
        ("SELECT ?t { <a> m:text ?t }", &["'aaa'", "'yes'@en"]),
        (
            "SELECT (CONCAT(?t, '!', ?t) AS ?r) { <a> m:text ?t }",
            &["'aaa!aaa'", "'yes!yes'"],
        ),
        (
            "SELECT (CONCAT(?t) AS ?r) (CONCAT() AS ?s) { <a> m:text ?t }",
            &["'aaa' ''", "'yes'@en ''"],
        ),
        ("SELECT (CONCAT('a', 1) AS ?r) { }", &["-"]),
        (
            "SELECT (REPLACE(?t, '(a|y)(.)', '$2-$1') AS ?r) { <a> m:text ?t }",
            &["'a-aa'", "'e-ys'@en"],
        ),
        ("SELECT (REPLACE('A.a.', 'a.', '$0', 'iq') AS ?r) { }", &["'$0$0'"]),
        (
            "SELECT (REPLACE('a', '(', '') AS ?r) (REPLACE('a', 'a', '', 'z') AS ?s) { }",
            &["- -"],
        ),
        ("SELECT (GROUP_CONCAT(?b) AS ?r) { ?o k:hasBegin ?b }", &["-"]),
        (
            "SELECT (GROUP_CONCAT(DISTINCT STR(?o); SEPARATOR='') AS ?r) { <b> m:next|^m:next ?o FILTER(?o = <a>) }",
            &["'http://h/t/a'"],
        ),
        (
            "SELECT (GROUP_CONCAT(?o; SEPARATOR=',') AS ?r) { <a> m:none ?o }",
            &["''"],
        ),
        ("SELECT (m:unknown(?o, 1) AS ?r) { ?o a m:B }", &["-"]),
        ("SELECT ?o { ?o a m:B FILTER(m:unknown(?o)) }", &[]),
        ("SELECT ?o { ?o a m:B FILTER(m:unknown(?o) || true) }", &["b"]),
        ("SELECT (xsd:integer('7') + 1 AS ?r) { }", &["'8'"]),
        ("SELECT ?o { ?o <next> ?x }", &[]),
        ("SELECT ?x { ?x a skos:Concept }", &[]),
        (
            "SELECT (COUNT(DISTINCT *) AS ?n) { {} UNION {} UNION { VALUES ?x { UNDEF } } }",
            &["'1'"],
        ),
        (
            "SELECT (COUNT(*) AS ?n) { { SELECT ?none { ?o a m:A } } {} UNION {} }",
            &["'4'"],
        ),
        ("SELECT * { { SELECT ?none { ?o a m:A } } }", &["-", "-"]),
        (
            "SELECT * { VALUES (?x ?y) { (UNDEF 1) (UNDEF UNDEF) } }",
            &["- '1'", "- -"],
        ),
        ("SELECT ?g { GRAPH ?g { ?s ?p ?o } }", &[]),
        (
            "SELECT ?o (SUM(?n) AS ?sum) (COUNT(?n) AS ?count) (MIN(?n) AS ?min) (MAX(?n) AS ?max)
                { ?o a ?t OPTIONAL { ?o m:n ?n } } GROUP BY ?o",
            &["a '0' '0' - -", "b '2.5' '2' '1' '1.5'", "c '0' '0' - -"],
        ),
        (
            "SELECT (SUM(?n) AS ?sum) (AVG(?n) AS ?avg) (AVG(DISTINCT ?n) AS ?one) (MIN(?n) AS ?min) (MAX(?n) AS ?max)
                (SAMPLE(?n) AS ?any) (GROUP_CONCAT(?x) AS ?text)
                { ?o a ?t OPTIONAL { ?o k:hasBegin ?n FILTER(?n > 1) } OPTIONAL { ?o m:text ?x FILTER(LANG(?x) = '') } }",
            &["'5' '2.5' '2.5' '2' '3' '2' 'aaa'"],
        ),
        (
            "SELECT (AVG(?n) AS ?avg) (SUM(?t) AS ?bad) (SUM(?n + 1) AS ?sum) { ?o a ?t OPTIONAL { ?o m:none ?n } }",
            &["'0' - -"],
        ),
        ("SELECT ?t { ?o a ?t OPTIONAL { ?o m:n ?n } } GROUP BY ?t HAVING(SUM(?n) < 1)", &["http://h/m#A"]),
    ] {
        let query = parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
        assert_eq!(rows(&query, &dataset).unwrap(), expected, "{text}");
    }
}

#[test]
fn asks_constructs_and_describes() {
    let dataset = Dataset::of(&turtle(DATA));
    for (text, expected) in [
        ("ASK { }", true),
        ("ASK { <a> a m:A }", true),
        ("ASK { <a> a m:B }", false),
    ] {
        assert_eq!(parse(text).unwrap().ask(&dataset).unwrap(), expected, "{text}");
    }
    for (text, expected) in [
        (
            "CONSTRUCT { [ m:of ?o ; m:b ?b ] . ?b m:lost ?o } { ?o a m:A ; k:hasBegin ?b }",
            "[ m:of <a> ; m:b 1 ] . [ m:of <c> ; m:b 3 ] .",
        ),
        (
            "DESCRIBE <c>",
            "<c> a m:A ; k:hasBegin 3 ; k:hasEnd 9 ; m:at [ m:x 1 ; m:y 2 ] .",
        ),
        (
            "DESCRIBE ?o { ?o a m:B }",
            "<b> a m:B ; k:hasBegin 2 ; k:hasEnd 3 ; m:next <c> ; m:n 1.5, \"01\"^^xsd:integer .",
        ),
    ] {
        let graph = parse(text).unwrap().construct(&dataset).unwrap();
        assert!(
            isomorphic_graphs(&graph, &turtle(expected)).unwrap(),
            "{text}: {graph:?}"
        );
    }
}

#[test]
fn what_leaves_the_data_is_refused() {
    for (text, reason) in [
        ("SELECT * { SERVICE <http://h/> { ?s ?p ?o } }", "SERVICE <http://h/>"),
        (
            "SELECT * { ?s ?p ?o FILTER EXISTS { SERVICE SILENT ?s { ?s ?p ?o } } }",
            "SERVICE ?s",
        ),
        ("SELECT * FROM <http://h/> { ?s ?p ?o }", "FROM"),
        ("ASK FROM NAMED <http://h/> { ?s ?p ?o }", "FROM"),
    ] {
        let error = parse(text).unwrap_err();
        assert!(matches!(&error, Error::InvalidData(_)), "{error:?}");
        assert!(error.to_string().contains(reason), "{error}");
    }
    for text in [
        "",
        "SELECT",
        "SELECT * { ?s no:p ?o }",
        "INSERT DATA { <a> <b> 1 }",
        "SELECT * { ?s ?p \"\\ud800\" }",
    ] {
        let error = parse(text).unwrap_err();
        assert!(matches!(&error, Error::Parse(_)), "{error:?}");
    }
    let no_base = Query::parse("ASK { <a> ?p ?o }", Context::default(), &Limits::default());
    assert!(matches!(no_base, Err(Error::Parse(_))), "{no_base:?}");
}

#[test]
fn predicates_are_those_without_which_nothing_is_seen() {
    for (text, expected) in [
        (
            "SELECT * { ?s m:a ?o ; m:b/^m:c+ ?x FILTER NOT EXISTS { ?s m:d 1 } }",
            Some("abcd"),
        ),
        (
            "SELECT * { { SELECT ?s { ?s m:a ?o } } UNION { ?s m:b ?o } MINUS { ?s m:c ?o } }",
            Some("abc"),
        ),
        ("CONSTRUCT { ?s m:z ?o } { ?s m:a ?o }", Some("a")),
        ("SELECT * { ?s m:a ?o . ?s ?p ?o }", None),
        ("SELECT * { ?s m:a* ?o }", None),
        ("SELECT * { ?s m:a? ?o }", None),
        ("SELECT * { ?s !m:a ?o }", None),
        ("DESCRIBE ?s { ?s m:a ?o }", None),
    ] {
        let query = parse(text).unwrap();
        let found = query
            .predicates()
            .map(|iris| iris.iter().map(|iri| &iri["http://h/m#".len()..]).collect::<String>());
        assert_eq!(found.as_deref(), expected, "{text}");
    }
}

#[test]
fn a_query_is_filled_again_and_again() {
    let dataset = Dataset::of(&turtle(DATA));
    let mut query =
        parse("SELECT ?o ?x { VALUES (?o ?b) {} ?o k:hasBegin ?b OPTIONAL { ?o m:next ?x } FILTER(?b < 3) }").unwrap();
    assert_eq!(rows(&query, &dataset).unwrap(), [] as [&str; 0]);
    let [a, b, c] = ["a", "b", "c"].map(|id| iri(format!("http://h/t/{id}")));
    query
        .fill(
            &["o", "b"],
            &[&[Some(&a), Some(&integer(1))], &[Some(&b), Some(&integer(1))]],
        )
        .unwrap();
    assert_eq!(rows(&query, &dataset).unwrap(), ["a b"]);
    query
        .fill(&["o", "b"], &[&[Some(&b), None], &[Some(&c), None]])
        .unwrap();
    assert_eq!(rows(&query, &dataset).unwrap(), ["b c"]);
    assert!(query.fill(&["o"], &[]).is_err());
    assert!(query.fill(&["o", "b"], &[&[None]]).is_err());
    assert!(
        query
            .fill(&["o", "b"], &[&[Some(&crate::rdf::blank("x")), None]])
            .is_err()
    );
}

#[test]
fn named_graphs_are_asked_one_by_one() {
    let mut builder = Builder::new();
    for (name, text) in [
        ("http://h/t/g", "<a> m:p 1 ."),
        ("http://h/t/f", "<a> m:p 1 . <b> m:p 2 ."),
    ] {
        builder.start_graph(name);
        builder.add(&turtle(text));
    }
    let dataset = builder.finish();
    for (text, expected) in [
        ("SELECT ?s { ?s m:p ?o }", &["a", "b"][..]),
        ("SELECT ?g ?s { GRAPH ?g { ?s m:p ?o } }", &["f a", "f b", "g a"]),
        ("SELECT ?s { GRAPH <f> { ?s m:p ?o } }", &["a", "b"]),
        ("SELECT ?s { GRAPH <none> { ?s m:p ?o } }", &[]),
        ("SELECT ?g { GRAPH ?g { } }", &["f", "g"]),
        ("SELECT ?g { ?s m:p 2 GRAPH ?g { ?s m:p ?o } }", &["f"]),
    ] {
        let query = parse(text).unwrap();
        assert_eq!(query.has_graph(), text.contains("GRAPH"));
        assert_eq!(rows(&query, &dataset).unwrap(), expected, "{text}");
    }
}

#[test]
fn results_are_written_in_each_syntax() {
    let dataset = Dataset::of(&turtle(DATA));
    let written = |text: &str, syntax: Syntax| {
        let mut bytes = Vec::new();
        write(&parse(text).unwrap(), &dataset, syntax, &mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    };
    let select = "SELECT ?o ?b { ?o a m:B ; k:hasBegin ?b }";
    assert_eq!(written(select, Syntax::Csv), "o,b\r\nhttp://h/t/b,2\r\n");
    assert_eq!(written(select, Syntax::Tsv), "?o\t?b\n<http://h/t/b>\t2\n");
    assert!(written(select, Syntax::Xml).contains("<uri>http://h/t/b</uri>"));
    assert!(written(select, Syntax::Json).contains("\"value\":\"http://h/t/b\""));
    assert_eq!(written("ASK { }", Syntax::Json), "{\"head\":{},\"boolean\":true}");
    assert!(written("ASK { }", Syntax::Xml).contains("<boolean>true</boolean>"));
}

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

#[test]
fn updates_change_a_copy() {
    let before = turtle("<a> m:p 1, 2 ; m:q [ m:r 1 ] .");
    for (text, expected) in [
        (
            "INSERT DATA { <a> m:p 3 . _:b m:p _:b }",
            "<a> m:p 1, 2, 3 ; m:q [ m:r 1 ] . _:b m:p _:b .",
        ),
        (
            "DELETE DATA { <a> m:p 2 . <none> m:p 2 }",
            "<a> m:p 1 ; m:q [ m:r 1 ] .",
        ),
        ("DELETE WHERE { <a> m:p ?x }", "<a> m:q [ m:r 1 ] ."),
        (
            "DELETE { ?s m:p ?x } INSERT { ?s m:p ?y } WHERE { ?s m:p ?x BIND(?x + 1 AS ?y) }",
            "<a> m:p 2, 3 ; m:q [ m:r 1 ] .",
        ),
        (
            "INSERT { ?b m:s 2 . [] m:t ?x } WHERE { ?b m:r ?x }",
            "<a> m:p 1, 2 ; m:q [ m:r 1 ; m:s 2 ] . [] m:t 1 .",
        ),
        (
            "DELETE { ?s ?p ?b . ?b m:r ?x } WHERE { ?s ?p ?b . ?b m:r ?x }",
            "<a> m:p 1, 2 .",
        ),
        ("CLEAR DEFAULT ; INSERT DATA { <b> m:p 1 }", "<b> m:p 1 ."),
        (
            "INSERT DATA { <b> m:p 1 } ; DELETE { ?s m:p 1 } INSERT { ?s m:z 1 } WHERE { ?s m:p 1 }",
            "<a> m:p 2 ; m:z 1 ; m:q [ m:r 1 ] . <b> m:z 1 .",
        ),
        ("DROP ALL", ""),
        ("", "<a> m:p 1, 2 ; m:q [ m:r 1 ] ."),
    ] {
        let update = Update::parse(text, context(), &Limits::default()).unwrap_or_else(|e| panic!("{text}: {e}"));
        let after = update.apply(&before).unwrap();
        assert!(
            isomorphic_graphs(&after, &turtle(expected)).unwrap(),
            "{text}: {after:?}"
        );
    }
    assert_eq!(before.len(), 4);
}

#[test]
fn updates_of_other_graphs_are_refused() {
    for text in [
        "LOAD <http://h/>",
        "LOAD SILENT <file:///etc/passwd>",
        "CLEAR GRAPH <http://h/>",
        "CREATE GRAPH <http://h/>",
        "COPY DEFAULT TO <http://h/>",
        "INSERT DATA { GRAPH <g> { <a> m:p 1 } }",
        "DELETE DATA { GRAPH <g> { <a> m:p 1 } }",
        "WITH <g> DELETE { ?s ?p ?o } WHERE { ?s ?p ?o }",
        "DELETE { ?s ?p ?o } USING <g> WHERE { ?s ?p ?o }",
        "INSERT { ?s ?p ?o } WHERE { GRAPH ?g { ?s ?p ?o } }",
        "INSERT { ?s ?p ?o } WHERE { SERVICE <http://h/> { ?s ?p ?o } }",
    ] {
        let result = Update::parse(text, context(), &Limits::default());
        assert!(matches!(result, Err(Error::InvalidData(_))), "{text}: {result:?}");
    }
    for text in [
        "SELECT * { ?s ?p ?o }",
        "INSERT DATA { <a> no:p 1 }",
        "INSERT DATA { ?s ?p 1 }",
    ] {
        let result = Update::parse(text, context(), &Limits::default());
        assert!(matches!(result, Err(Error::Parse(_))), "{text}: {result:?}");
    }
    let limits = Limits {
        time: Duration::from_millis(100),
        ..Limits::default()
    };
    let endless = "INSERT { ?a m:z ?d } WHERE { ?a m:p ?b . ?c m:p ?d . ?e m:p ?f . ?g m:p ?h . ?i m:p ?j }";
    let mut graph = Graph::new();
    for i in 0..500 {
        graph.insert(&iri(format!("http://h/{i}")), &iri("http://h/m#p"), &integer(i));
    }
    let result = Update::parse(endless, context(), &limits).unwrap().apply(&graph);
    assert!(
        matches!(result, Err(Error::Timeout(_) | Error::TooComplex(_))),
        "{result:?}"
    );
}

/// Obsels with values of all kinds, relations, and blank nodes of one and of several obsels.
const OBSELS: &str = r#"
    <o1> a m:A ; k:hasTrace <> ; k:hasBegin 1 ; k:hasEnd 2 ; k:hasSubject "alice" ;
        m:text "a \"quoted\"\n", "autre"@fr ; m:n 1, -2, 3.50, 4.5e0, true ; m:date "2017-02-28"^^xsd:date ;
        m:seen x:thing, </b/other>, <none>, m:at .
    <o2> a m:B, x:T, <o9> ; k:hasTrace <> ; k:hasBegin 3 ; k:hasEnd 4 ; k:hasSubject x:bob ; m:rel <o1>, <o2> ; m:next <o3> .
    <o3> a k:Obsel ; k:hasTrace <> ; k:hasBegin 5 ; k:hasEnd 5 ; m:pos [ m:lat 1.5e0 ; m:area [ m:of <o1> ] ], [] .
    [] m:about <o3> ; m:k "v" .
    x:outside m:about <o3> .
    <o5> a m:A ; k:hasTrace <> ; k:hasBegin 7 ; k:hasEnd 7 ; m:shared _:s .
    <o6> a m:A ; k:hasTrace <> ; k:hasBegin 7 ; k:hasEnd 8 ; m:shared _:s . _:s m:v 1 ; m:w [ m:v 2 ] .
"#;

#[test]
fn obsels_are_queried_as_the_triples_that_they_are() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path(), "http://h/", 1 << 28).unwrap();
    let settings = Settings {
        version: "1".to_owned(),
        builtin_methods: Vec::new(),
        stats_per_type: true,
        stats_subjects: false,
        id_bytes: 200,
        computing: Default::default(),
    };
    let service = Service::new(store.clone(), settings).unwrap();
    let post = |address: &str, text: &str| {
        let graph = turtle(&format!("@base <{address}> . {text}"));
        service.create(&service.find(address).unwrap(), &[], graph).unwrap();
    };
    post("http://h/", "<> k:hasBase <b/> . <b/> a k:Base .");
    post(
        "http://h/b/",
        "<> k:contains <t/> . <t/> a k:StoredTrace ; k:hasModel <m> ; k:hasOrigin \"o\" .",
    );
    post("http://h/b/t/", OBSELS);
    let view = service
        .read(service.find("http://h/b/t/@obsels").unwrap(), &[])
        .unwrap();
    let Content::Obsels(_) = view.content else {
        panic!("{view:?}")
    };

    let snapshot = store.read().unwrap();
    let number = crate::store::Reading::head(&snapshot, "b/t/")
        .unwrap()
        .unwrap()
        .trace
        .unwrap();
    let whole = TraceGraph {
        snapshot: &snapshot,
        trace: number,
        iri: "http://h/b/t/",
    };
    let mut expected: Graph = sophia::api::graph::Graph::triples(&whole).collect_triples().unwrap();
    let collection = iri("http://h/b/t/@obsels");
    let class = iri(ktbs::STORED_TRACE_OBSELS);
    expected.insert(&iri("http://h/b/t/"), &iri(ktbs::HAS_OBSEL_COLLECTION), &collection);
    expected.insert(&collection, &iri(crate::vocab::rdf::TYPE), &class);

    let mut builder = Builder::new();
    add_collection(
        &mut builder,
        &snapshot,
        number,
        "http://h/b/t/",
        ktbs::STORED_TRACE_OBSELS,
    )
    .unwrap();
    let dataset = builder.finish();
    assert_eq!(dataset.len(), expected.len());
    let all = parse("CONSTRUCT { ?s ?p ?o } { ?s ?p ?o }")
        .unwrap()
        .construct(&dataset)
        .unwrap();
    assert!(isomorphic_graphs(&all, &expected).unwrap(), "{all:?}\n{expected:?}");

    // A dataset of the predicates that a query names gives it the same answer.
    let query = parse("SELECT ?o ?v { ?o a m:A ; k:hasBegin ?v OPTIONAL { ?o m:seen ?w } }").unwrap();
    let mut builder = Builder::keeping(query.predicates());
    add_collection(
        &mut builder,
        &snapshot,
        number,
        "http://h/b/t/",
        ktbs::STORED_TRACE_OBSELS,
    )
    .unwrap();
    let part = builder.finish();
    assert!(part.len() < dataset.len());
    assert_eq!(rows(&query, &part).unwrap(), rows(&query, &dataset).unwrap());
    assert_eq!(rows(&query, &part).unwrap().len(), 6);
}

/// A term of a random pattern.
#[derive(Clone, Debug)]
enum Slot {
    Known(u32),
    Variable(u32),
}

impl Slot {
    fn text(&self) -> String {
        match self {
            Slot::Known(id) => format!("<n{id}>"),
            Slot::Variable(v) => format!("?v{v}"),
        }
    }
}

/// Finds the solutions of a pattern by trying all triples for each part of it.
fn naive(
    triples: &[[u32; 3]],
    pattern: &[[Slot; 3]],
    solution: &BTreeMap<u32, u32>,
    found: &mut Vec<BTreeMap<u32, u32>>,
) {
    let Some((first, rest)) = pattern.split_first() else {
        found.push(solution.clone());
        return;
    };
    for triple in triples {
        let mut extended = solution.clone();
        let fits = first.iter().zip(triple).all(|(slot, id)| match slot {
            Slot::Known(known) => known == id,
            Slot::Variable(v) => *extended.entry(*v).or_insert(*id) == *id,
        });
        if fits {
            naive(triples, rest, &extended, found);
        }
    }
}

fn any_slot() -> impl Strategy<Value = Slot> {
    prop_oneof![1 => (0u32..5).prop_map(Slot::Known), 2 => (0u32..4).prop_map(Slot::Variable)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_pattern_has_the_solutions_that_trying_all_gives(
        triples in prop::collection::btree_set(prop::array::uniform3(0u32..5), 0..20),
        pattern in prop::collection::vec(prop::array::uniform3(any_slot()), 1..4),
        predicates in any::<bool>(),
    ) {
        let triples: Vec<[u32; 3]> = triples.into_iter().collect();
        let node = |id: TermId| iri(format!("http://h/t/n{id}"));
        let mut graph = Graph::new();
        for &[s, p, o] in &triples {
            graph.insert(&node(s), &node(p), &node(o));
        }
        let text: String = pattern.iter().map(|t| format!("{} {} {} . ", t[0].text(), t[1].text(), t[2].text())).collect();
        let query = parse(&format!("SELECT ?v0 ?v1 ?v2 ?v3 {{ {text} }}")).unwrap();
        let mut builder = Builder::keeping(if predicates { query.predicates() } else { None });
        builder.add(&graph);
        let ours = rows(&query, &builder.finish()).unwrap();

        let mut found = Vec::new();
        naive(&triples, &pattern, &BTreeMap::new(), &mut found);
        let cell = |solution: &BTreeMap<u32, u32>, v: u32| solution.get(&v).map_or("-".to_owned(), |id| format!("n{id}"));
        let mut theirs: Vec<String> = found
            .iter()
            .map(|solution| (0..4).map(|v| cell(solution, v)).collect::<Vec<_>>().join(" "))
            .collect();
        theirs.sort();
        prop_assert_eq!(ours, theirs, "{}", text);
    }
}
