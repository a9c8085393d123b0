//! Tests of both kinds of JSON, at the level of graphs.

use proptest::prelude::*;
use sophia::isomorphism::isomorphic_graphs;

use super::tree::Json;
use super::{direct, full, parse, parse_simple};
use crate::config::PayloadLimits;
use crate::error::{Error, Result};
use crate::format::payload::{check_any_payload, mutated, test_context, test_limits};
use crate::format::turtle;
use crate::format::{Context, Parse, WriteView, ntriples, sample};
use crate::rdf::Graph;
use crate::resource::Shape;

const ROOT: Target = (Shape::Root, "http://h/", None, false);
const BASE: Target = (Shape::Base, "http://h/b/", Some("http://h/"), false);
const TRACE: Target = (Shape::Trace, "http://h/b/t/", Some("http://h/b/"), false);
const PUT_ROOT: Target = (Shape::Root, "http://h/", None, true);
const PUT_BASE: Target = (Shape::Base, "http://h/b/", Some("http://h/"), true);
const PUT_SUB: Target = (Shape::Base, "http://h/b/s/", Some("http://h/b/"), true);
const PUT_TRACE: Target = (Shape::Trace, "http://h/b/t/", Some("http://h/b/"), true);
const PUT_MODEL: Target = (Shape::Model, "http://h/b/model", Some("http://h/b/"), true);
const PUT_METHOD: Target = (Shape::Method, "http://h/b/m1", Some("http://h/b/"), true);
const PUT_GRAPH: Target = (Shape::DataGraph, "http://h/b/d1", Some("http://h/b/"), true);
const PUT_OBSELS: Target = (Shape::Obsels, "http://h/b/t/@obsels", Some("http://h/b/"), true);

/// A shape, the IRI of a resource, that of its container, and whether it is replaced.
type Target = (Shape, &'static str, Option<&'static str>, bool);

fn context((shape, base, parent, replacing): Target, limits: &PayloadLimits) -> Context<'_> {
    Context {
        base,
        shape,
        parent,
        parent_is_root: parent == Some("http://h/"),
        model: Some("http://h/b/model"),
        replacing,
        limits,
    }
}

fn simple(target: Target, text: &str) -> Result<Graph> {
    parse_simple(text.as_bytes(), &context(target, &test_limits()))
}

fn json_ld(text: &str) -> Result<Graph> {
    parse(text.as_bytes(), &test_context(&test_limits()))
}

/// Checks that a graph is the one that some Turtle gives, relative to a base.
fn check_graph(parsed: &Graph, base: &str, expected: &str, told: &str) {
    let prefixes = "@prefix : <http://liris.cnrs.fr/silex/2009/ktbs#> . @prefix m: <http://h/b/model#> . \
        @prefix xsd: <http://www.w3.org/2001/XMLSchema#> . @prefix skos: <http://www.w3.org/2004/02/skos/core#> . \
        @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . @prefix x: <http://ex.org/> .\n";
    let limits = test_limits();
    let context = Context {
        base,
        ..test_context(&limits)
    };
    let expected = turtle::parse(format!("{prefixes}{expected}").as_bytes(), &context).expect(expected);
    let is_same = isomorphic_graphs(parsed, &expected).expect("infallible");
    assert!(is_same, "{told}\n{:#?}", parsed.iter().collect::<Vec<_>>());
}

#[test]
fn simple_json_is_completed_for_its_target() {
    let cases: &[(Target, &str, &str)] = &[
        (
            ROOT,
            r#"{"@type":"Base","@id":"b1/","label":"My base"}"#,
            r#"<> :hasBase <b1/> . <b1/> a :Base ; skos:prefLabel "My base" ."#,
        ),
        (ROOT, r#"{"@type":"Base"}"#, "<> :hasBase [ a :Base ] ."),
        (
            ROOT,
            r#"{"@type":["x","Base"],"@id":""}"#,
            "<> :hasBase [ a :Base, <x> ] .",
        ),
        (
            ROOT,
            r#"{"@type":"Base","@id":"x1/","inRoot":""}"#,
            "<> :hasBase <x1/> . <x1/> a :Base .",
        ),
        (
            ROOT,
            r#"{"@graph":[{"@type":"Base","@id":"x1/"}]}"#,
            "<> :hasBase <x1/> . <x1/> a :Base .",
        ),
        (
            BASE,
            r#"{"@type":"Base","@id":"sub/"}"#,
            "<> :contains <sub/> . <sub/> a :Base .",
        ),
        (
            BASE,
            r#"{"@type":"Base","@id":"sub/","inRoot":""}"#,
            "<> :hasBase <sub/> . <sub/> a :Base .",
        ),
        (
            BASE,
            r#"{"@type":"Base","@id":"sub/","inBase":"./"}"#,
            "<> :contains <sub/> . <sub/> a :Base .",
        ),
        (
            BASE,
            r#"{"@graph":[{"@type":"ObselType","@id":"y3#t"},{"@type":"TraceModel","@id":"y3"}]}"#,
            "<> :contains <y3> . <y3> a :TraceModel . <y3#t> a :ObselType .",
        ),
        (
            BASE,
            r#"{"@type":"StoredTrace","@id":"t1/","hasModel":"model","origin":"now"}"#,
            "<> :contains <t1/> . <t1/> a :StoredTrace ; :hasModel <model> ; :hasOrigin 'now' .",
        ),
        (
            BASE,
            r#"{"@type":"ComputedTrace","@id":"c1/","hasMethod":"filter","hasSource":"t1/"}"#,
            "<> :contains <c1/> . <c1/> a :ComputedTrace ; :hasMethod :filter ; :hasSource <t1/> .",
        ),
        (
            BASE,
            r#"{"@type":"k:ComputedTrace","@id":"c1/","hasMethod":"m1","hasSource":["t1/",{"@id":"t2/"}]}"#,
            "<> :contains <c1/> . <c1/> a :ComputedTrace ; :hasMethod <m1> ; :hasSource <t1/>, <t2/> .",
        ),
        (
            BASE,
            r#"{"@type":"Method","@id":"y9","hasParentMethod":"sparql","parameter":["a=b","c=d"]}"#,
            "<> :contains <y9> . <y9> a :Method ; :hasParentMethod :sparql ; :hasParameter 'a=b', 'c=d' .",
        ),
        (
            BASE,
            r#"{"@context":{"@vocab":"http://liris.cnrs.fr/silex/2009/ktbs#"},"@type":"DataGraph","@id":"d"}"#,
            "<d> a :DataGraph ; :inBase 'http://h/b/' .",
        ),
        (
            TRACE,
            r#"{"@type":"m:OT1","begin":1,"m:at":"x"}"#,
            "[] a m:OT1 ; :hasTrace <> ; :hasBegin 1 ; m:at 'x' .",
        ),
        (TRACE, "{}", "[] :hasTrace <> ."),
        (TRACE, "[{}]", "[] :hasTrace <> ."),
        (TRACE, "[]", ""),
        (
            TRACE,
            r#"{"@type":"m:OT1","begin":1,"hasTrace":"../t2/"}"#,
            "[] a m:OT1 ; :hasBegin 1 ; :hasTrace <../t2/> .",
        ),
        (
            TRACE,
            r#"{"@type":"m:OT1","hasTrace":""}"#,
            "[] a m:OT1 ; :hasTrace <> .",
        ),
        (
            TRACE,
            r#"{"@type":"m:OT1","hasTrace":null}"#,
            "[] a m:OT1 ; :hasTrace <> .",
        ),
        // What an older collector sends: no prefix, and an empty id.
        (
            TRACE,
            r#"[{"@id":"","@type":"Click","begin":10,"end":11,"subject":"alice","x":1},{"@id":"","@type":"Click"}]"#,
            "[] a <Click> ; :hasTrace <> ; :hasBegin 10 ; :hasEnd 11 ; :hasSubject 'alice' . [] a <Click> ; :hasTrace <> .",
        ),
        (
            TRACE,
            r#"[{"@id":"o1","m:rel":{"@id":"_:b"}},{"@id":"_:b","m:rel":[{"@id":"o1","hasTrace":"./"},{"m:x":{}}]}]"#,
            "<o1> :hasTrace <> ; m:rel _:b . _:b :hasTrace <> ; m:rel <o1>, [ m:x [] ] .",
        ),
        (
            TRACE,
            r#"{"@graph":[{"@id":"o1"},{"@id":"o2","m:r":{"@id":"o1"}}]}"#,
            "<o1> :hasTrace <> . <o2> :hasTrace <> ; m:r <o1> .",
        ),
        (
            TRACE,
            r#"{"@context":["http://liris.cnrs.fr/silex/2011/ktbs-jsonld-context",{"m":"http://ex.org/"}],
                "@id":"./","obsels":[{"@id":"","@type":"m:T"}]}"#,
            "[] a x:T ; :hasTrace <> .",
        ),
        (
            TRACE,
            r#"{"@context":"http://liris.cnrs.fr/silex/2011/ktbs-jsonld-context","@type":"m:T"}"#,
            "[] a <m:T> ; :hasTrace <> .",
        ),
        (
            PUT_ROOT,
            r#"{"@id":"","@type":"KtbsRoot","label":"x"}"#,
            "<> a :KtbsRoot ; skos:prefLabel 'x' .",
        ),
        (
            PUT_BASE,
            r#"{"@id":"","@type":"Base"}"#,
            "<../> :hasBase <> . <> a :Base .",
        ),
        (PUT_SUB, r#"{"@type":"Base"}"#, "<../> :contains <> . <> a :Base ."),
        (
            PUT_SUB,
            r#"{"@id":"","@type":"Base","inBase":"../"}"#,
            "<../> :contains <> . <> a :Base .",
        ),
        (
            PUT_TRACE,
            r#"{"@id":"","@type":"StoredTrace"}"#,
            "<../> :contains <> . <> a :StoredTrace .",
        ),
        (
            PUT_MODEL,
            r##"{"@graph":[{"@id":"#t","@type":"ObselType"},{"@id":"","@type":"TraceModel"}]}"##,
            "<./> :contains <> . <> a :TraceModel . <#t> a :ObselType .",
        ),
        (
            PUT_MODEL,
            r#"{"@graph":{"@id":"","@type":"TraceModel","inBase":"./"}}"#,
            "<./> :contains <> . <> a :TraceModel .",
        ),
        (
            PUT_OBSELS,
            r#"[{"@id":"o1","@type":"m:T","begin":1,"end":2}]"#,
            "<./> :hasObselCollection <> . <> a :StoredTraceObsels . \
                <o1> a m:T ; :hasBegin 1 ; :hasEnd 2 ; :hasTrace <./> .",
        ),
        (
            PUT_OBSELS,
            "[]",
            "<./> :hasObselCollection <> . <> a :StoredTraceObsels .",
        ),
        (
            PUT_OBSELS,
            r#"{"obsels":[]}"#,
            "<./> :hasObselCollection <> . <> a :StoredTraceObsels .",
        ),
    ];
    for (target, text, expected) in cases {
        let parsed = simple(*target, text).unwrap_or_else(|e| panic!("{text}\n{e}"));
        check_graph(&parsed, target.1, expected, text);
    }
}

#[test]
fn simple_json_that_describes_nothing_is_refused() {
    for target in [ROOT, BASE] {
        for text in [
            "{}",
            "[]",
            "[{\"@type\":\"Base\"}]",
            r#"{"@type":"base"}"#,
            r#"{"@type":7}"#,
            r#"{"@graph":[]}"#,
        ] {
            let error = simple(target, text).expect_err(text);
            assert!(matches!(error, Error::Parse(_)), "{error}");
        }
    }
    for (target, text) in [
        (ROOT, r#"{"@type":"Obsel"}"#),
        (TRACE, "\"foo\""),
        (TRACE, "12"),
        (TRACE, "[12]"),
        (PUT_BASE, "[]"),
    ] {
        let error = simple(target, text).expect_err(text);
        assert!(matches!(error, Error::Parse(_)), "{error}");
    }
}

/// The documents that a GET gives can be sent back.
#[test]
fn what_is_shown_can_be_put_back() {
    let cases: &[(Target, &str, &str)] = &[
        (
            PUT_ROOT,
            r#"{"@context":"http://liris.cnrs.fr/silex/2011/ktbs-jsonld-context","@id":"http://h/","@type":"KtbsRoot",
                "version":"1","hasBuiltinMethod":["filter","fsa"],"hasBase":["b/",{"@id":"c/","rdfs:label":"C"}],
                "rdfs:comment":{"@value":"c","@language":"fr"}}"#,
            "<> a :KtbsRoot ; :hasVersion '1' ; :hasBuiltinMethod :filter, :fsa ; :hasBase <b/>, <c/> ; rdfs:comment 'c'@fr .
                <c/> rdfs:label 'C' .",
        ),
        (
            PUT_BASE,
            r#"{"@context":"http://liris.cnrs.fr/silex/2011/ktbs-jsonld-context","@id":"http://h/b/","@type":"Base",
                "contains":[{"@id":"t1/","@type":"StoredTrace"},{"@id":"d","@type":"DataGraph"}],
                "additionalType":["http://ex.org/T"],"label":"a","skos:prefLabel":["b"],
                "@reverse":{"http://ex.org/p":{"@id":"http://ex.org/s"}},"inRoot":"../"}"#,
            "<../> :hasBase <> . <> a :Base, x:T ; :contains <t1/>, <d> ; skos:prefLabel 'a', 'b' . <t1/> a :StoredTrace .
                <d> a :DataGraph . x:s x:p <> .",
        ),
        (
            PUT_MODEL,
            r##"{"@context":"http://liris.cnrs.fr/silex/2011/ktbs-jsonld-context","@graph":[
                {"@id":"http://h/b/model","@type":"TraceModel","inBase":"./","hasUnit":"millisecond","hasParentModel":["m2"]},
                {"@id":"#t","@type":"ObselType","hasSuperObselType":["#u"],"suggestedColor":"red"},
                {"@id":"#a","@type":"AttributeType","hasAttributeObselType":["#t"],"hasAttributeDatatype":["xsd:string"]},
                {"@id":"#r","@type":"RelationType","hasRelationOrigin":["#t"],"hasRelationDestination":["#u"]}]}"##,
            "<./> :contains <> . <> a :TraceModel ; :hasUnit :millisecond ; :hasParentModel <m2> .
                <#t> a :ObselType ; :hasSuperObselType <#u> ; :hasSuggestedColor 'red' .
                <#a> a :AttributeType ; :hasAttributeDomain <#t> ; :hasAttributeRange xsd:string .
                <#r> a :RelationType ; :hasRelationDomain <#t> ; :hasRelationRange <#u> .",
        ),
        (
            PUT_METHOD,
            r#"{"@context":"http://liris.cnrs.fr/silex/2011/ktbs-jsonld-context","@id":"http://h/b/m1","@type":"Method",
                "hasParentMethod":"filter","parameter":["after=1"],"isMethodOf":["c1/"],"inBase":"./"}"#,
            "<./> :contains <> . <> a :Method ; :hasParentMethod :filter ; :hasParameter 'after=1' . <c1/> :hasMethod <> .",
        ),
        (
            PUT_TRACE,
            r#"{"@context":"http://liris.cnrs.fr/silex/2011/ktbs-jsonld-context","@id":"http://h/b/t/",
                "@type":"ComputedTrace","hasObselList":"./@obsels","hasTraceStatistics":"./@stats","hasModel":"../model",
                "origin":"1970-01-01T00:00:00Z","traceBegin":1,"traceBeginDT":"1970-01-01T00:00:00Z",
                "k:hasPseudoMonRange":5,"defaultSubject":"x","hasSource":["../t1/"],"hasMethod":"../m1",
                "parameter":["before=9"],"isSourceOf":["../c2/"],"inBase":"../",
                "http://ex.org/d":{"@value":"2020-01-01","@type":"xsd:date"},"http://ex.org/e":3.0}"#,
            "<../> :contains <> . <> a :ComputedTrace ; :hasObselCollection <@obsels> ; :hasTraceStatistics <@stats> ;
                :hasModel <../model> ; :hasOrigin '1970-01-01T00:00:00Z' ; :hasTraceBegin 1 ;
                :hasTraceBeginDT '1970-01-01T00:00:00Z'^^xsd:dateTime ; :hasPseudoMonRange 5 ; :hasDefaultSubject 'x' ;
                :hasSource <../t1/> ; :hasMethod <../m1> ; :hasParameter 'before=9' ; x:d '2020-01-01'^^xsd:date ; x:e 3.0E0 .
                <../c2/> :hasSource <> .",
        ),
        (
            PUT_OBSELS,
            r#"{"@context":["http://liris.cnrs.fr/silex/2011/ktbs-jsonld-context",{"m":"http://h/b/model#"}],
                "@id":"./","hasObselList":{"@id":"","@type":"StoredTraceObsels"},"obsels":[
                {"@id":"o1","@type":"m:OT1","begin":1000,"end":2000,"subject":"alice",
                    "@reverse":{"m:rt1":{"@id":"o2","hasTrace":"./"}}},
                {"@id":"o2","@type":["m:OT2","http://ex.org/T","Obsel"],"begin":3000,"beginDT":"1970-01-01T00:00:03Z",
                    "end":4000,"hasSubject":"http://ex.org/bob","hasSourceObsel":["http://ex.org/x"],
                    "m:at1":[1,2.5,true,"2020-01-01",{"@value":"salut","@language":"fr"}],"skos:prefLabel":"l",
                    "m:rt1":{"@id":"o1","hasTrace":"./"},"m:n":{"m:x":[{"@id":"_:b"},{"@id":"_:b","m:y":1}]}}]}"#,
            "<./> :hasObselCollection <> . <> a :StoredTraceObsels .
                <o1> a m:OT1 ; :hasTrace <./> ; :hasBegin 1000 ; :hasEnd 2000 ; :hasSubject 'alice' .
                <o2> a m:OT2, x:T, :Obsel ; :hasTrace <./> ; :hasBegin 3000 ; :hasEnd 4000 ;
                    :hasBeginDT '1970-01-01T00:00:03Z'^^xsd:dateTime ; :hasSubject x:bob ; :hasSourceObsel x:x ;
                    m:at1 1, 2.5E0, true, '2020-01-01', 'salut'@fr ; skos:prefLabel 'l' ; m:rt1 <o1> ; m:n [ m:x _:b ] .
                _:b m:y 1 .",
        ),
        (
            PUT_GRAPH,
            r#"{"@context":"http://liris.cnrs.fr/silex/2011/ktbs-jsonld-context","@graph":[
                {"@id":"./","k:contains":[{"@id":"d1"}]},
                {"@id":"d1","http://www.w3.org/1999/02/22-rdf-syntax-ns#type":[{"@id":"k:DataGraph"}],"http://ex.org/p":[{"@id":"_:a"}]},
                {"@id":"_:a","http://ex.org/q":[1.5e0,{"@value":"1.5","@type":"xsd:decimal"},{"@value":"x","@type":"xsd:double"}]}]}"#,
            "<./> :contains <d1> . <d1> a :DataGraph ; x:p [ x:q 1.5E0, 1.5, 'x'^^xsd:double ] .",
        ),
    ];
    for (target, text, expected) in cases {
        let parsed = simple(*target, text).unwrap_or_else(|e| panic!("{text}\n{e}"));
        check_graph(&parsed, target.1, expected, text);
        let limits = test_limits();
        let context = context(*target, &limits);
        let document = Json::parse(text.as_bytes(), &limits).expect("JSON");
        assert!(
            direct::read(&document, &context).expect(text).is_some(),
            "not the short way: {text}"
        );
        check_graph(&full::read(&document, &context).expect(text), target.1, expected, text);
    }
}

/// The same, with the documents that our own writer gives, of obsels in every shape.
#[test]
fn what_is_written_is_read_back() {
    let ktbs = sample::Ktbs::with(sample::OBSELS);
    let limits = test_limits();
    for view in sample::views(&ktbs) {
        let context = Context {
            base: &view.iri,
            shape: view.shape,
            parent: Some("http://h/b/"),
            parent_is_root: false,
            model: view.model.as_deref(),
            replacing: true,
            limits: &limits,
        };
        let read = |parse: Parse, write: WriteView| {
            let bytes = sample::written(write, &view);
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let graph = parse(&bytes, &context).unwrap_or_else(|e| panic!("{text}\n{e}"));
            (sample::normalized(&graph), text)
        };
        let (shown, _) = read(ntriples::parse, ntriples::write);
        for (parse, write) in [
            (parse as Parse, super::write as WriteView),
            (turtle::parse, turtle::write),
        ] {
            let (graph, text) = read(parse, write);
            assert!(
                isomorphic_graphs(&graph, &shown).expect("infallible"),
                "{text}\n{graph:#?}"
            );
        }
        // A single obsel cannot be replaced, and would be completed as a resource in a base.
        if view.shape == Shape::Obsels {
            let (graph, text) = read(parse_simple, super::write);
            assert!(
                isomorphic_graphs(&graph, &shown).expect("infallible"),
                "{text}\n{graph:#?}"
            );
        }
    }
}

#[test]
fn json_ld_is_read_as_it_is() {
    for (text, expected) in [
        (
            r#"{"@context":"http://liris.cnrs.fr/silex/2011/ktbs-jsonld-context","@type":"Base","@id":"x1/","inRoot":""}"#,
            "<> :hasBase <x1/> . <x1/> a :Base .",
        ),
        (
            r#"{"@context":"https://liris.cnrs.fr/silex/2011/ktbs-jsonld-context","@id":"","hasBase":{"@type":"Base","@id":"x2/"}}"#,
            "<> :hasBase <x2/> . <x2/> a :Base .",
        ),
        (r#"{"@type":"Base","label":"x"}"#, "[] a <Base> ."),
        (
            r#"{"@id":"http://h/t/ld2","@type":["http://h/m#Made"],
                "http://liris.cnrs.fr/silex/2009/ktbs#hasTrace":{"@id":"http://h/t/"},
                "http://liris.cnrs.fr/silex/2009/ktbs#hasBegin":7}"#,
            "<http://h/t/ld2> a <http://h/m#Made> ; :hasTrace <http://h/t/> ; :hasBegin 7 .",
        ),
        (
            r#"{"@context":["http://liris.cnrs.fr/silex/2011/ktbs-jsonld-context",{"x":"http://ex.org/"}],"@id":"ld","@type":"x:T",
                "hasTrace":"./","begin":6,"x:num":{"@value":"1.10","@type":"xsd:decimal"}}"#,
            "<ld> a x:T ; :hasTrace <> ; :hasBegin 6 ; x:num 1.10 .",
        ),
        // Features of the long way.
        (
            r#"{"@context":{"@vocab":"http://ex.org/","ref":{"@type":"@id"}},"@id":"a","ref":"b","list":{"@list":[1,2.0]},
                "n":[3.0,1e2,123456789012345678901234567890],"in":{"@context":{"q":"http://ex.org/r"},"q":5}}"#,
            "<a> x:ref <b> ; x:list (1 2.0E0) ; x:n 3.0E0, 1.0E2, 123456789012345678901234567890 ; x:in [ x:r 5 ] .",
        ),
        (
            r#"{"@context":{"p":{"@id":"http://ex.org/p","@type":"http://www.w3.org/2001/XMLSchema#float"},
                "j":{"@id":"http://ex.org/j","@type":"@json"}},"@id":"a","p":[2.0,2.5],"j":{"b":[1.50,"@id"],"a":1}}"#,
            r#"<a> x:p "2"^^xsd:float, "2.5E0"^^xsd:float ;
                x:j "{\"a\":1,\"b\":[1.5,\"@id\"]}"^^<http://www.w3.org/1999/02/22-rdf-syntax-ns#JSON> ."#,
        ),
        (
            r#"{"@context":{"@language":"en","l":{"@id":"http://ex.org/l","@container":"@language"}},"@id":"a",
                "l":{"fr":"x"},"http://ex.org/m":"y"}"#,
            "<a> x:l 'x'@fr ; x:m 'y'@en .",
        ),
        // Numbers.
        (
            r#"{"@context":"http://liris.cnrs.fr/silex/2011/ktbs-jsonld-context","@id":"a","begin":[1,"2",1.5,3.0,-0],
                "http://ex.org/n":[12345678901234567890123,-0,-0.0,1.50,1E2,3.0,{"@value":4.0},{"@value":5},
                {"@value":1.5,"@type":"xsd:float"}],"beginDT":{"@value":7}}"#,
            "<a> :hasBegin 1, 2, '1.5E0'^^xsd:integer, 3, 0 ; x:n 12345678901234567890123, 0, 0.0E0, 1.5E0, 1.0E2, 3.0E0, 4.0E0, 5,
                '1.5E0'^^xsd:float ; :hasBeginDT 7 .",
        ),
    ] {
        let parsed = json_ld(text).unwrap_or_else(|e| panic!("{text}\n{e}"));
        check_graph(&parsed, "http://h/b/", expected, text);
        let limits = test_limits();
        let context = test_context(&limits);
        let document = Json::parse(text.as_bytes(), &limits).expect("JSON");
        check_graph(&full::read(&document, &context).expect(text), "http://h/b/", expected, text);
    }
}

#[test]
fn errors_of_json_ld_name_the_obstacle() {
    for (text, expected) in [
        (r#"{"@context":"http://ex.org/c","a":1}"#, "http://ex.org/c"),
        (r#"{"@context":"c.json"}"#, "http://h/b/c.json"),
        (r#"{"@context":"file:///etc/passwd"}"#, "file:///etc/passwd"),
        (r#"{"@context":{"@import":"http://ex.org/c"}}"#, "http://ex.org/c"),
        (r#"{"@context":{"m":"model#"},"m:a":1}"#, "model#"),
        (
            r#"{"@id":"a","@graph":[{"@id":"b","http://ex.org/p":1}]}"#,
            "named graphs",
        ),
        (
            r#"{"http://ex.org/p":{"@value":"x","@language":"en","@direction":"ltr"}}"#,
            "@direction",
        ),
        (r#"{"@id":"a b"}"#, "a b"),
        (r#"{"@id":7}"#, "@id"),
        (r#"{"@id":"a","@type":"http://ex.org/<"}"#, "http://ex.org/<"),
        (r#"{"@id":"a","http://ex.org/p":"\u0000"}"#, "U+0000"),
        (r#"{"@id":"a","http://ex.org/p":"\ud800"}"#, "line 1"),
        (
            r#"{"@id":"a","http://ex.org/p":{"@value":"x","@language":"e n"}}"#,
            "e n",
        ),
        (r#"{"@id":"a","@reverse":{"http://ex.org/p":"x"}}"#, "reverse"),
        (r#"{"@id":"a","http://ex.org/p":{"@value":"x","@id":"y"}}"#, "@id"),
        (r#"{"@id":"a","http://ex.org/p":{"@value":"x","@type":"_:y"}}"#, "@type"),
    ] {
        let error = json_ld(text).expect_err(text);
        assert!(
            matches!(&error, Error::Parse(m) if m.contains(expected)),
            "{text}\n{error}"
        );
    }
    let error = parse(b"{\"a\":\"\xe9\"}", &test_context(&test_limits()))
        .expect_err("Latin-1")
        .to_string();
    assert!(error.contains("not valid UTF-8"), "{error}");
}

#[test]
fn the_long_way_is_bounded() {
    let chain: String = (0..100).map(|i| format!("\"a{i}\":\"a{}:x\",", i + 1)).collect();
    let chain = format!(r#"{{"@context":{{{chain}"a100":"http://ex.org/"}},"@id":"x"}}"#);
    let cycle: String = (0..100_000).map(|i| format!("\"a{i}\":\"a{}:x\",", i + 1)).collect();
    let cycle = format!(r#"{{"@context":{{{cycle}"a100000":"a0:x"}},"@id":"x"}}"#);
    let terms: String = (0..2000).map(|i| format!(",\"a{i}\":\"http://ex.org/\"")).collect();
    let objects = r#",{"@context":{},"@id":"x"}"#.repeat(2000);
    let many = format!(r#"{{"@context":{{"b":"http://ex.org/"{terms}}},"b":[1{objects}]}}"#);
    let scoped = r#",{"b":1}"#.repeat(2000);
    let scoped = format!(r#"{{"@context":{{"b":{{"@id":"http://ex.org/","@context":{{}}}}{terms}}},"b":[1{scoped}]}}"#);
    let nested = format!(
        "{}{}1{}",
        r#"{"http://ex.org/p":["#.repeat(28),
        r#"{"@set":[]},"#.repeat(20_000),
        "]}".repeat(28)
    );
    for text in [chain, cycle, many, scoped, nested] {
        let error = json_ld(&text).expect_err("too costly");
        assert!(matches!(error, Error::TooLarge(_)), "{error}");
    }
    // As deep as the limit allows, in all ways that recurse.
    let depth = test_limits().nesting - 2;
    for (open, close) in [
        (r#"{"http://ex.org/p":"#, "}"),
        (r#"{"@included":"#, "}"),
        (r#"{"@nest":"#, "}"),
        (r#"{"http://ex.org/p":{"@list":["#, "]}}"),
        (r#"{"@reverse":{"http://ex.org/p":"#, "}}"),
        (r#"{"@context":{"@propagate":false},"http://ex.org/p":"#, "}"),
        (r#"{"@context":{"p":{"@id":"http://ex.org/p","@context":"#, "}}}"),
        ("[", "]"),
    ] {
        let levels = depth / open.matches(['{', '[']).count();
        let inner = format!("{}{{}}{}", open.repeat(levels), close.repeat(levels));
        let text = format!(r#"{{"@context":[],"@id":"a","http://ex.org/q":{inner}}}"#);
        match json_ld(&text) {
            Ok(_) | Err(Error::Parse(_)) => {}
            Err(other) => panic!("{other}"),
        }
    }
}

/// Strings that mean something in JSON-LD, valid as IRIs or not dropped.
fn names() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "",
        "./",
        "a",
        "o1",
        "#x",
        "../m",
        "filter",
        "Base",
        "m:OT1",
        "k:Obsel",
        "xsd:string",
        "http://ex.org/a",
        "urn:x",
        "_:b",
        "_:c",
        "é",
        "millisecond",
        "label",
        "begin",
        "x/y?z",
        "m:",
        "skos:a:b",
        "@foo",
        "@obsels",
    ])
}

fn keys() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "m:at",
        "m:rel",
        "http://ex.org/p",
        "k:hasBegin",
        "begin",
        "end",
        "beginDT",
        "subject",
        "hasSubject",
        "hasMethod",
        "hasUnit",
        "hasSource",
        "hasTrace",
        "obsels",
        "inBase",
        "isMethodOf",
        "label",
        "skos:prefLabel",
        "additionalType",
        "contains",
        "hasObselList",
        "parameter",
        "m:",
        "m",
        "xsd",
        "rdfs:label",
        "Base",
        "urn:y",
        "origin",
        "obselCount",
    ])
}

fn scalars() -> impl Strategy<Value = String> {
    prop_oneof![
        names().prop_map(|name| format!("\"{name}\"")),
        prop::sample::select(vec![
            "null",
            "true",
            "false",
            "0",
            "-0",
            "1",
            "-12",
            "1.5",
            "3.0",
            "1e3",
            "1E-3",
            "-0.0",
            "12345678901234567890",
            "123456789012345678901",
            "1e20",
            "1e21",
            "1e400",
            "100000000000000000000.0",
        ])
        .prop_map(str::to_owned),
    ]
}

fn literals() -> impl Strategy<Value = String> {
    let datatype = prop::sample::select(vec![
        "xsd:double",
        "xsd:decimal",
        "xsd:integer",
        "m:x",
        "http://ex.org/d",
    ]);
    prop_oneof![
        scalars().prop_map(|value| format!("{{\"@value\":{value}}}")),
        (scalars(), datatype).prop_map(|(value, datatype)| format!("{{\"@value\":{value},\"@type\":\"{datatype}\"}}")),
        names().prop_map(|name| format!("{{\"@value\":\"{name}\",\"@language\":\"fr-BE\"}}")),
    ]
}

/// Values of properties: nested, but mostly valid.
fn values() -> impl Strategy<Value = String> + Clone {
    let leaf = prop_oneof![4 => scalars(), 1 => literals()];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            1 => prop::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(","))),
            3 => nodes(inner),
        ]
    })
}

fn nodes(inner: impl Strategy<Value = String> + Clone) -> impl Strategy<Value = String> {
    let types = prop_oneof![
        2 => Just(None),
        2 => names().prop_map(|name| Some(format!("\"{name}\""))),
        1 => prop::collection::vec(names(), 0..3).prop_map(|names| Some(format!("{names:?}"))),
    ];
    let properties = prop::collection::btree_map(keys(), inner.clone(), 0..4);
    let reverse = prop::option::weighted(0.2, prop::collection::btree_map(keys(), inner, 0..3));
    (prop::option::of(names()), types, properties, reverse).prop_map(|(id, types, properties, reverse)| {
        let object = |map: std::collections::BTreeMap<&str, String>| {
            let members: Vec<_> = map.iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
            members.join(",")
        };
        let mut members = vec![object(properties)];
        members.extend(id.map(|id| format!("\"@id\":\"{id}\"")));
        members.extend(types.map(|types| format!("\"@type\":{types}")));
        members.extend(reverse.map(|map| format!("\"@reverse\":{{{}}}", object(map))));
        members.retain(|member| !member.is_empty());
        format!("{{{}}}", members.join(","))
    })
}

fn documents() -> impl Strategy<Value = String> {
    let contexts = prop::sample::select(vec![
        "",
        r#""@context":"http://liris.cnrs.fr/silex/2011/ktbs-jsonld-context","#,
        r#""@context":["http://liris.cnrs.fr/silex/2011/ktbs-jsonld-context",{"m":"http://h/b/model#"}],"#,
        r#""@context":[{"m":"http://h/b/model/"}],"#,
    ]);
    (contexts, prop::collection::vec(nodes(values()), 1..3)).prop_map(|(context, nodes)| match nodes.as_slice() {
        [node] => format!("{{{context}{}", &node[1..]).replace(",}", "}"),
        _ => format!("{{{context}\"@graph\":[{}]}}", nodes.join(",")),
    })
}

const DOCUMENT: &str = r#"{"@context":["http://liris.cnrs.fr/silex/2011/ktbs-jsonld-context",{"m":"http://h/b/model#"}],
    "@id":"./","obsels":[{"@id":"o1","@type":["m:OT1","x"],"begin":1000,"end":2.5,"m:a":[true,null,"é",{"@value":"s","@language":"fr"}],
    "@reverse":{"m:rt1":{"@id":"o2","hasTrace":"./"}}},{"m:l":{"@list":[1,{"@id":"_:b"}]},"hasMethod":"filter"}]}"#;

fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\\",
        "\\u0000",
        "\\ud800",
        "null",
        "true",
        "1",
        "1e5",
        "-",
        "@id",
        "\"@id\":",
        "\"@type\":",
        "\"@context\":",
        "\"@graph\":",
        "\"@list\":",
        "\"@set\":",
        "\"@value\":",
        "\"@language\":",
        "\"@index\":",
        "\"@nest\":",
        "\"@included\":",
        "\"@reverse\":",
        "\"@container\":\"@index\",",
        "\"@direction\":\"ltr\",",
        "\"@vocab\":\"\",",
        "\"@type\":\"@json\",",
        "\"@propagate\":false,",
        "\"@base\":\"x:y\",",
        "\"@version\":1.1,",
        "\"@protected\":true,",
        "{}",
        "[]",
        "\"a\"",
        "m:x",
        "_:x",
        "é",
        " ",
        "\n",
        "http://x/",
        "\"@container\":[\"@graph\",\"@id\"],",
        "\"@import\":\"x\",",
        "@none",
    ]);
    prop::collection::vec(piece, 0..6).prop_map(|p| p.concat())
}

/// Values for the long way: nested objects with any keyword anywhere.
fn wild() -> impl Strategy<Value = String> {
    let key = prop::sample::select(vec![
        "@id",
        "@type",
        "@context",
        "@graph",
        "@list",
        "@set",
        "@value",
        "@language",
        "@index",
        "@nest",
        "@included",
        "@reverse",
        "@container",
        "@direction",
        "@vocab",
        "@base",
        "@none",
        "@json",
        "@propagate",
        "@version",
        "@import",
        "@protected",
        "@prefix",
        "a",
        "b",
        "m",
        "begin",
        "obsels",
        "http://ex.org/p",
        "_:p",
    ]);
    let scalar = prop::sample::select(vec![
        "null",
        "true",
        "1",
        "2.0",
        "\"\"",
        "\"a\"",
        "\"@id\"",
        "\"@json\"",
        "\"@index\"",
        "\"@language\"",
        "\"@list\"",
        "\"@set\"",
        "\"@graph\"",
        "\"@nest\"",
        "\"@none\"",
        "\"@type\"",
        "\"http://ex.org/\"",
        "\"b:c\"",
        "\"ltr\"",
        "\"en\"",
        "\"@vocab\"",
        "\"@id\"",
        "\"http://liris.cnrs.fr/silex/2011/ktbs-jsonld-context\"",
        "{}",
        "[]",
    ]);
    scalar.prop_map(str::to_owned).prop_recursive(5, 32, 5, move |inner| {
        let members = prop::collection::btree_map(key.clone(), inner.clone(), 0..5);
        prop_oneof![
            1 => prop::collection::vec(inner, 0..4).prop_map(|items| format!("[{}]", items.join(","))),
            4 => members.prop_map(|members| {
                let members: Vec<_> = members.iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    })
}

#[test]
fn a_list_beside_something_else_is_refused() {
    let limits = test_limits();
    for (payload, expected) in [
        (r#"{"@list":null,"a":{"@container":"@graph"}}"#, "@list stands beside a"),
        (r#"{"@set":[],"@id":"http://h/"}"#, "@set stands beside @id"),
    ] {
        match parse(payload.as_bytes(), &test_context(&limits)) {
            Err(Error::Parse(message)) => assert!(message.contains(expected), "{message}"),
            other => panic!("{other:?}"),
        }
    }
}

proptest! {
    #[test]
    fn both_ways_give_the_same_graph(text in documents()) {
        let limits = test_limits();
        let context = test_context(&limits);
        let document = Json::parse(text.as_bytes(), &limits).expect("JSON");
        if let Ok(Some(short)) = direct::read(&document, &context) {
            let long = full::read(&document, &context);
            prop_assert!(long.is_ok(), "{text}\n{long:?}");
            let long = long.unwrap_or_default();
            prop_assert!(isomorphic_graphs(&short, &long).expect("infallible"), "{text}\n{short:#?}\n{long:#?}");
        }
    }

    #[test]
    fn any_bytes_are_parsed_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        let limits = test_limits();
        check_any_payload(parse, &bytes, &test_context(&limits));
        check_any_payload(parse_simple, &bytes, &test_context(&limits));
    }

    #[test]
    fn a_mutated_document_is_parsed_or_refused(text in mutated(DOCUMENT, pieces())) {
        let limits = test_limits();
        check_any_payload(parse, text.as_bytes(), &test_context(&limits));
        for target in [ROOT, BASE, TRACE, PUT_TRACE, PUT_MODEL, PUT_OBSELS] {
            check_any_payload(parse_simple, text.as_bytes(), &context(target, &limits));
        }
    }

    #[test]
    fn any_keywords_anywhere_are_parsed_or_refused(value in wild()) {
        let limits = test_limits();
        check_any_payload(parse, value.as_bytes(), &test_context(&limits));
        let text = format!("{{\"@context\":{value},\"a\":{value},\"b\":{value}}}");
        check_any_payload(parse, text.as_bytes(), &test_context(&limits));
        for target in [BASE, TRACE, PUT_TRACE, PUT_MODEL, PUT_OBSELS] {
            check_any_payload(parse_simple, value.as_bytes(), &context(target, &limits));
        }
    }
}
