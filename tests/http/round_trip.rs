//! A client that gets a resource, edits it elsewhere, and puts it back, changes nothing else: whatever the resource, and
//! in each format that can be put.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use ktbs::rdf::Graph;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Number, Value};
use sophia::api::parser::TripleParser;
use sophia::api::source::TripleSource;
use sophia::isomorphism::isomorphic_graphs;
use sophia::turtle::parser::nt::NTriplesParser;

use crate::support::TestKtbs;

const FORMATS: [&str; 11] = [
    "application/json",
    "application/ld+json",
    "text/turtle",
    "text/n3",
    "text/x-turtle",
    "application/x-turtle",
    "application/rdf+xml",
    "application/xml",
    "text/nt",
    "text/plain",
    "application/n-triples",
];

fn state(ktbs: &TestKtbs, path: &str) -> Graph {
    let text = ktbs.get(path, &[("Accept", "application/n-triples")]).expect(200).body;
    let graph: Graph = NTriplesParser::default()
        .parse(text.as_bytes())
        .collect_triples()
        .unwrap();
    normalized(&graph)
}

/// Returns a graph where doubles have one lexical form: JSON-LD keeps their values only.
fn normalized(graph: &Graph) -> Graph {
    let mut same = Graph::new();
    for [s, p, o] in graph.iter() {
        let text = format!("{o:?}");
        let double = ktbs::rdf::as_literal(o)
            .filter(|_| text.contains("XMLSchema#double"))
            .and_then(|lexical| lexical.parse::<f64>().ok())
            .filter(|value| value.is_finite());
        match double {
            Some(value) => same.insert(s, p, &ktbs::rdf::typed(format!("{value:e}"), ktbs::vocab::xsd::DOUBLE)),
            None => same.insert(s, p, o),
        };
    }
    same
}

/// Puts back what a GET gave, changed by a function, and checks that the state is the same.
fn check(ktbs: &TestKtbs, path: &str, format: &str, edit: &dyn Fn(String) -> String) {
    let before = state(ktbs, path);
    let got = ktbs.get(path, &[("Accept", format)]).expect(200);
    let etag = got.header("etag").to_owned();
    let body = edit(got.body.clone());
    let put = ktbs.put(
        path,
        &[("Content-Type", format), ("If-Match", &etag), ("Accept", format)],
        &body,
    );
    assert_eq!(put.status, 200, "{path} in {format}: {}\n{body}", put.body);
    assert_ne!(put.header("etag"), "", "{path}");
    assert_ne!(put.header("etag"), etag, "{path}");
    let after = state(ktbs, path);
    assert!(
        isomorphic_graphs(&before, &after).unwrap(),
        "{path} in {format}\n{body}\nlost {:#?}\nnew {:#?}",
        lines_of(&before, &after),
        lines_of(&after, &before)
    );
}

/// Returns the triples that are in a graph and not in another, whatever their blank nodes are.
fn lines_of(graph: &Graph, other: &Graph) -> Vec<String> {
    let lines = |graph: &Graph| -> Vec<String> {
        let shown = |term| match ktbs::rdf::is_blank(term) {
            true => "_:".to_owned(),
            false => format!("{term:?}"),
        };
        graph.iter().map(|triple| triple.map(shown).join(" ")).collect()
    };
    let others = lines(other);
    lines(graph).into_iter().filter(|line| !others.contains(line)).collect()
}

fn as_it_is(body: String) -> String {
    body
}

/// What a browser makes of a document that it reads and writes.
fn through_javascript(body: String) -> String {
    fn again(value: &mut Value) {
        match value {
            Value::Number(number) => {
                let float: f64 = number.to_string().parse().unwrap();
                *number = if float.fract() == 0.0 && float.abs() < 1e21 {
                    serde_json::from_str(&format!("{float:.0}")).unwrap()
                } else {
                    Number::from_f64(float).unwrap()
                };
            }
            Value::Array(items) => items.iter_mut().for_each(again),
            Value::Object(members) => members.values_mut().for_each(again),
            _ => {}
        }
    }
    let mut document: Value = serde_json::from_str(&body).unwrap();
    again(&mut document);
    document.to_string()
}

/// A kTBS with a resource of each kind, full of what is hard to write: their paths.
fn everything() -> (TestKtbs, [&'static str; 10]) {
    let ktbs = TestKtbs::with_trace(|_| {});
    let model = r##"<> k:contains <m2> . <m2> a k:TraceModel ; k:hasUnit k:second ; k:hasParentModel <m> ;
        <http://x/p> [ <http://x/q> "é"@fr-CA, 1.50 ] .
        <m2#T> a k:ObselType ; k:hasSuperObselType <m2#U> ; k:hasSuggestedColor "#fff" . <m2#U> a k:ObselType .
        <m2#a> a k:AttributeType ; k:hasAttributeDomain <m2#T> ;
            k:hasAttributeRange <http://www.w3.org/2001/XMLSchema#date> .
        <m2#r> a k:RelationType ; k:hasRelationDomain <m2#T> ; k:hasRelationRange <m2#U> ."##;
    let values = r#"<http://www.w3.org/2004/02/skos/core#prefLabel> "one", "deux"@fr, "x \" \\ \n & < ] }" ;
        <http://x/date> "2017-02-28"^^<http://www.w3.org/2001/XMLSchema#date> ; <http://x/n> 1, 2.50, 3e0,
        123456789012345678901234567890, 007, "x"^^<http://x/t> ; <http://x/l> ( 1 "a"@en ) ;
        <http://x/b> [ <http://x/c> [ <http://x/d> k:filter ], _:shared ] ; <http://x/e> _:shared . _:shared <http://x/f> <> ."#;
    ktbs.post_turtle("b/", model).expect(201);
    for item in [
        "<> k:contains <m1> . <m1> a k:Method ; k:hasParentMethod k:filter ; k:hasParameter \"after=1\" ;",
        "<> k:contains <dated/> . <dated/> a k:StoredTrace ; k:hasModel <m2> ; k:hasDefaultSubject \"me\"@en ; \
         k:hasPseudoMonRange 5 ; k:hasTraceBegin 0 ; \
         k:hasOrigin \"2020-01-01T00:00:00Z\"^^<http://www.w3.org/2001/XMLSchema#dateTime> ;",
        "<> k:contains <c/> . <c/> a k:ComputedTrace ; k:hasMethod <m1> ; k:hasSource <t/> ; \
         k:hasParameter \"before=99\" ;",
        "<> k:contains <d> . <d> a k:DataGraph . <d#x>",
        "<> k:contains <sub/> . <sub/> a k:Base ;",
    ] {
        ktbs.post_turtle("b/", &format!("{item} {values}")).expect(201);
    }
    ktbs.post_turtle("b/dated/", OBSELS).expect(201);
    let paths = [
        "",
        "b/",
        "b/sub/",
        "b/m2",
        "b/m1",
        "b/t/",
        "b/dated/",
        "b/c/",
        "b/d",
        "b/dated/@obsels",
    ];
    (ktbs, paths)
}

const OBSELS: &str = r#"
    @prefix m: <m2#> . @prefix x: <http://example.org/> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
    <o1> a m:T, x:T ; k:hasTrace <> ; k:hasBegin 1 ; k:hasEnd 2 ; k:hasSubject "a"@en-GB ;
        k:hasBeginDT "2020-01-01T00:00:01Z"^^xsd:dateTime ; m:date "2017-02-28"^^xsd:date ;
        m:n 1.50, 3e0, 4e400, 007, true, "1"^^xsd:boolean, "INF"^^xsd:double, 123456789012345678901234567890 ;
        m:same "2017"^^xsd:gYear, "2017", "2017"^^xsd:int ; m:close 1, 1.0, 1e0 ; m:l ( 1.0 "x"^^x:t ) ;
        m:text "\u2028 \t\r\n \"", "<&>]]>" ; m:pos [ m:lat 45.0 ; m:at "2017-02-28"^^xsd:date ], [ m:lat 46.0 ] .
    <o2> a m:T ; k:hasTrace <> ; k:hasBegin 3 ; k:hasEnd 3 ; k:hasSubject 7.0 ; m:r <o1>, <later>, <o2> ;
        k:hasSourceObsel <o1> ; m:v [ m:d "1"^^x:a ], [ m:d "1" ] ; m:chain [ m:to [ m:to [ m:to "x"^^x:a ] ] ] .
    [] m:about <o2> ; m:note "y"^^x:a . x:elsewhere m:about <o2> .
"#;

#[test]
fn each_kind_of_resource_survives_each_format() {
    let (ktbs, paths) = everything();
    for path in paths {
        for format in FORMATS {
            check(&ktbs, path, format, &as_it_is);
        }
        check(&ktbs, path, "application/json", &through_javascript);
    }
}

/// Any literal as it may be the value of an attribute.
fn any_value() -> impl Strategy<Value = String> {
    let datatypes = [
        "integer", "decimal", "double", "boolean", "float", "date", "dateTime", "int",
    ];
    prop_oneof![
        "[ a-c\"\\\\é\n]{0,3}".prop_map(|text| format!("{text:?}")),
        ("[a-c]{0,2}", "[a-z]{2}(-[A-Z]{2})?").prop_map(|(text, language)| format!("\"{text}\"@{language}")),
        (
            "-?[0-9]{1,2}(\\.[0-9]{0,2})?(e[0-9])?|[0-9]{17,24}|true|2017-02-28",
            prop::sample::select(datatypes.to_vec()),
        )
            .prop_map(|(text, datatype)| format!("\"{text}\"^^<http://www.w3.org/2001/XMLSchema#{datatype}>")),
        ("[a-b]", "[a-b]").prop_map(|(text, datatype)| format!("\"{text}\"^^<http://example.org/{datatype}>")),
        "o[0-3]".prop_map(|id| format!("<{id}>")),
        "[a-d]".prop_map(|label| format!("_:{label}")),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]
    #[test]
    fn any_obsels_survive(
        values in vec(("o[0-3]|_:[a-d]", "[p-r]", any_value()), 0..12),
        format in prop::sample::select(vec!["application/json", "application/ld+json", "text/turtle", "application/rdf+xml"]),
    ) {
        let ktbs = TestKtbs::with_trace(|_| {});
        let mut text = String::new();
        for id in 0..4 {
            text.push_str(&format!("<o{id}> a <T> ; k:hasTrace <> ; k:hasBegin {id} ; <http://x/a> _:a{id} . _:a{id} <http://x/id> {id} .\n"));
        }
        // Blank nodes that hang on nothing are not obsels' own: each hangs on one at least.
        for (label, id) in ["a", "b", "c", "d"].iter().zip(0..) {
            text.push_str(&format!("<o{id}> <http://x/s{label}> _:{label} . _:{label} <http://x/is> \"{label}\" .\n"));
        }
        for (subject, predicate, value) in values {
            let subject = if subject.starts_with('_') { subject } else { format!("<{subject}>") };
            text.push_str(&format!("{subject} <http://x/{predicate}> {value} .\n"));
        }
        ktbs.post_turtle("b/t/", &text).expect(201);
        check(&ktbs, "b/t/@obsels", format, &as_it_is);
    }
}

#[test]
fn what_a_client_does_edit_in_json_is_changed() {
    let ktbs = TestKtbs::with_trace(|_| {});
    ktbs.post_turtle(
        "b/t/",
        "<o> a <T> ; k:hasTrace <> ; k:hasBegin 1 ; <http://x/a> 1.5, \
         \"2017-02-28\"^^<http://www.w3.org/2001/XMLSchema#date> ; <http://x/b> 9007199254740993 .",
    )
    .expect(201);
    let edit = |body: String| {
        let edited = body
            .replace("2017-02-28", "2018")
            .replace("9007199254740993", "9007199254740992");
        assert_ne!(edited, body);
        edited
    };
    let got = ktbs.get("b/t/@obsels", &[("Accept", "application/json")]).expect(200);
    ktbs.put(
        "b/t/@obsels",
        &[("Content-Type", "application/json"), ("If-Match", got.header("etag"))],
        &edit(got.body.clone()),
    )
    .expect(200);
    let lines = ktbs.get("b/t/o", &[("Accept", "text/nt")]).expect(200).body;
    for expected in [
        "\"1.5\"^^<http://www.w3.org/2001/XMLSchema#decimal>",
        "<http://x/a> \"2018\" .",
        "\"9007199254740992\"^^<http://www.w3.org/2001/XMLSchema#integer>",
    ] {
        assert!(lines.contains(expected), "{expected} in {lines}");
    }
    assert!(!lines.contains("993"), "{lines}");
}
