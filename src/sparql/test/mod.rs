//! Tests of the module as a whole.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use sophia::api::parser::TripleParser;
use sophia::api::source::TripleSource;
use sophia::isomorphism::isomorphic_graphs;

use super::*;
use crate::error::{Error, Result};
use crate::rdf::{Graph, Term, TermId, integer, iri, string};

mod limits;
mod obsels;
mod patterns;
mod updates;

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
