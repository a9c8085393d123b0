//! The documents of the kTBS in JSON, by shape (kTBS documentation, "JSON format").
//!
//! All are JSON-LD under the context of the kTBS, with the resource as base.

use std::collections::HashSet;
use std::io::Write;

use super::access::access;
use super::data_graph::data_graph;
use super::description::description;
use super::model::model;
use super::obsel::Objects;
use super::obsels::{collection, lines};
use super::shorten::Shortener;
use super::stats::statistics;
use super::value::Style;
use crate::error::{Error, Result};
use crate::format::Prefixes;
use crate::format::output::Output;
use crate::resource::view::{Content, Obsels};
use crate::resource::{Shape, View};

/// Writes a view as JSON-LD, from which its very graph can be read back.
///
/// # Errors
/// `Gone` if the writer fails; `Serialize` for a term that is none of RDF 1.1; those of the store.
pub fn write(view: &View, _prefixes: &Prefixes, out: &mut dyn Write) -> Result<()> {
    document(view, Style::Exact, out)
}

/// Writes a view as simple JSON: the same document, where the attributes of obsels and the origins of traces whose
/// datatypes JSON does not have are mere strings or numbers, as clients of the kTBS have always got them.
///
/// # Errors
/// As for [`write()`].
pub fn write_simple(view: &View, _prefixes: &Prefixes, out: &mut dyn Write) -> Result<()> {
    document(view, Style::Plain, out)
}

/// Writes obsels as simple JSON without a context, one a line: what they share is described in each.
///
/// # Errors
/// `Serialize` if the view is not one of obsels; `Gone` if the writer fails; those of the store.
pub fn write_lines(view: &View, out: &mut dyn Write) -> Result<()> {
    match &view.content {
        Content::Obsels(obsels) => lines(view, obsels, Output::new(out)),
        Content::Graph(_) => Err(Error::Serialize("only obsels can be written one a line".to_owned())),
    }
}

fn document(view: &View, style: Style, out: &mut dyn Write) -> Result<()> {
    let mut output = Output::new(out);
    let document = match &view.content {
        Content::Obsels(obsels) if view.shape == Shape::Obsel => one(view, obsels, style)?,
        Content::Obsels(obsels) => return collection(view, obsels, style, output),
        Content::Graph(graph) => match view.shape {
            Shape::Model => model(view, graph)?,
            Shape::DataGraph => data_graph(view, graph)?,
            Shape::Stats => statistics(view, graph)?,
            Shape::Acl if style == Style::Plain => access(view, graph),
            _ => description(view, graph, style)?,
        },
    };
    serde_json::to_writer_pretty(&mut output.bytes, &document).map_err(|e| Error::Internal(e.to_string()))?;
    output.bytes.push(b'\n');
    output.flush()
}

fn one(view: &View, obsels: &Obsels, style: Style) -> Result<serde_json::Value> {
    let shortener = Shortener::new(&view.iri, view.model.as_deref(), false);
    let mut objects = Objects::new(view, obsels, &shortener, style);
    let mut document = serde_json::Value::Null;
    obsels.for_each(&mut |obsel| {
        let mentions = obsels.relations(obsel.id)?;
        let beyond = obsels.beyond(obsel, &mut HashSet::new())?;
        document = objects.object(obsel, &mentions, &beyond, true)?.into();
        Ok(())
    })?;
    Ok(document)
}

#[cfg(test)]
mod test {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::format::sample::{any_graph, assert_same_graphs, normalized, read_json, turtle, view, written};

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            graph in any_graph(false),
            shape in prop::sample::select(vec![
                Shape::Root, Shape::Base, Shape::Model, Shape::Method, Shape::Trace, Shape::DataGraph, Shape::Stats,
            ]),
        ) {
            let expected = normalized(&graph);
            let view = view("http://h/b/t/", shape, graph);
            let bytes = written(write, &view);
            assert_same_graphs(&expected, &normalized(&read_json(&view.iri, &bytes)), &bytes);
        }
    }

    /// Returns the document of the resource at an address, whose graph is given in Turtle.
    fn document(address: &str, shape: Shape, text: &str) -> Value {
        let mut view = view(address, shape, turtle(address, text));
        view.model = Some("http://h/b/model".to_owned());
        let bytes = written(write_simple, &view);
        serde_json::from_slice(&bytes).expect("it is JSON")
    }

    const CTX: &str = crate::vocab::CONTEXT;

    #[test]
    fn root() {
        let text = "<> a k:KtbsRoot ; k:hasVersion \"1\" ; k:hasBuiltinMethod k:filter ; k:hasBase <a/>, <b/>, <c/> .
            <a/> skos:prefLabel \"A\" . <b/> rdfs:label \"B\"@en ; rdfs:comment \"c\", \"d\" .";
        let expected = json!({
            "@context": CTX, "@id": "http://h/", "@type": "KtbsRoot", "version": "1", "hasBuiltinMethod": ["filter"],
            "hasBase": [
                {"@id": "a/", "label": "A"},
                {"@id": "b/", "comment": ["c", "d"], "rdfs:comment": ["c", "d"],
                 "rdfs:label": {"@value": "B", "@language": "en"}},
                "c/",
            ],
        });
        assert_eq!(document("http://h/", Shape::Root, text), expected);
    }

    #[test]
    fn base() {
        let text = "<> a k:Base, x:B ; k:contains <t/>, <c/>, <d> ; skos:prefLabel \"one\", \"two\" ; x:p 1 . <../> k:hasBase <> .
            <t/> a k:StoredTrace . <d> a k:DataGraph . x:y x:q <> . [] x:r <> ; x:s 1 .
            <c/> a k:ComputedTrace ; k:hasMethod k:filter ; k:hasSource <t/> ; k:hasObselCount 0 ; k:hasModel <m> .";
        let expected = json!({
            "@context": CTX, "@id": "http://h/b/", "@type": "Base", "additionalType": ["http://example.org/B"],
            "contains": [
                {"@id": "t/", "@type": "StoredTrace"},
                {"@id": "c/", "@type": "ComputedTrace", "hasMethod": "filter", "hasSource": ["t/"], "obselCount": 0,
                 "hasModel": "m"},
                {"@id": "d", "@type": "DataGraph"},
            ],
            "label": "one", "skos:prefLabel": ["two"], "http://example.org/p": 1,
            "inRoot": "../",
            "@reverse": {
                "http://example.org/q": {"@id": "http://example.org/y"},
                "http://example.org/r": {"http://example.org/s": 1},
            },
        });
        assert_eq!(document("http://h/b/", Shape::Base, text), expected);
    }

    #[test]
    fn model() {
        let text = "</b/> k:contains <> . <> a k:TraceModel ; k:hasUnit k:second ; k:hasParentModel </b/other> .
            <#T> a k:ObselType ; k:hasSuperObselType <#U> ; k:hasSuggestedColor \"red\" .
            <#at> a k:AttributeType ; k:hasAttributeDomain <#T> ; k:hasAttributeRange xsd:string .
            <#rt> a k:RelationType ; k:hasSuperRelationType <#ru> ; k:hasRelationDomain <#T> ; k:hasRelationRange <#T>, <#U> .
            x:y x:z 1 .";
        let expected = json!({
            "@context": CTX,
            "@graph": [
                {"@id": "http://h/b/model", "@type": "TraceModel", "hasUnit": "second", "hasParentModel": ["other"], "inBase": "./"},
                {"@id": "#T", "@type": "ObselType", "hasSuperObselType": ["#U"], "suggestedColor": "red"},
                {"@id": "#at", "@type": "AttributeType", "hasAttributeObselType": ["#T"], "hasAttributeDatatype": ["xsd:string"]},
                {"@id": "#rt", "@type": "RelationType", "hasSuperRelationType": ["#ru"], "hasRelationOrigin": ["#T"],
                 "hasRelationDestination": ["#T", "#U"]},
                {"@id": "http://example.org/y", "http://example.org/z": 1},
            ],
        });
        assert_eq!(document("http://h/b/model", Shape::Model, text), expected);
    }

    #[test]
    fn method() {
        let text = "<> a k:Method ; k:hasParentMethod k:filter . </b/> k:contains <> .
            </b/c/> k:hasMethod <> . </b/sub> k:hasParentMethod <> .";
        let expected = json!({
            "@context": CTX, "@id": "http://h/b/m1", "@type": "Method", "hasParentMethod": "filter", "parameter": [],
            "isMethodOf": ["c/"], "isParentMethodOf": ["sub"], "inBase": "./",
        });
        assert_eq!(document("http://h/b/m1", Shape::Method, text), expected);
    }

    #[test]
    fn computed_trace() {
        let text = "<> a k:ComputedTrace ; k:hasObselCollection <@obsels> ; k:hasTraceStatistics <@stats> ;
            k:hasDiagnosis \"a \\\"quoted\\\" reason\" ; k:hasModel <../model> ; k:hasOrigin \"1970-01-01T00:00:00Z\"^^xsd:dateTime ;
            k:hasTraceBegin 1 ; k:hasTraceEndDT \"1970-01-01T00:00:01Z\"^^xsd:dateTime ; k:hasDefaultSubject \"me\" ;
            k:hasSource <../s/> ; k:hasMethod <../gone> ; k:hasParameter \"a=1\" ; k:hasContext x:c ; k:hasPseudoMonRange 5 .
            <../> k:contains <> . <../d/> k:hasSource <> .";
        let expected = json!({
            "@context": CTX, "@id": "http://h/b/t/", "@type": "ComputedTrace",
            "hasObselList": "./@obsels", "hasTraceStatistics": "./@stats", "diagnosis": "a \"quoted\" reason",
            "hasModel": "../model", "origin": "1970-01-01T00:00:00Z", "traceBegin": 1,
            "traceEndDT": "1970-01-01T00:00:01Z", "defaultSubject": "me", "hasSource": ["../s/"],
            "hasMethod": "../gone", "parameter": ["a=1"], "hasContext": ["http://example.org/c"],
            "isSourceOf": ["../d/"], "k:hasPseudoMonRange": 5, "inBase": "../",
        });
        assert_eq!(document("http://h/b/t/", Shape::Trace, text), expected);
    }

    #[test]
    fn statistics() {
        let text = "<./> k:hasTraceStatistics <> ; st:obselCount 3 ; st:minTime 1 ;
            st:obselCountPerType [ st:hasObselType m:A ; st:nb 2 ] . <> a k:TraceStatistics .";
        let expected = json!({
            "@context": [CTX, {"stats": "http://tbs-platform.org/2016/trace-stats#",
                "stats:hasObselType": {"@type": "@id"}, "m": "http://h/b/model#"}],
            "@id": "./", "hasTraceStatistics": {"@id": "", "@type": "TraceStatistics"},
            "stats:obselCount": 3, "stats:minTime": 1,
            "stats:obselCountPerType": {"stats:hasObselType": "m:A", "stats:nb": 2},
        });
        assert_eq!(document("http://h/b/t/@stats", Shape::Stats, text), expected);
    }

    #[test]
    fn data_graph() {
        let text =
            "</b/> k:contains <> . <> a k:DataGraph ; x:p 1, \"2017-02-28\"^^xsd:date, [ x:q k:filter ], <a:b> .";
        let expected = json!({
            "@context": CTX,
            "@graph": [
                {"@id": "./", "contains": [{"@id": "d1"}]},
                {
                    "@id": "d1",
                    "http://www.w3.org/1999/02/22-rdf-syntax-ns#type": [{"@id": "k:DataGraph"}],
                    "http://example.org/p": [
                        1,
                        {"@value": "2017-02-28", "@type": "xsd:date"},
                        {"http://example.org/q": [{"@id": "k:filter"}]},
                        {"@id": "a:b"},
                    ],
                },
            ],
        });
        assert_eq!(document("http://h/b/d1", Shape::DataGraph, text), expected);
    }

    #[test]
    fn a_long_chain_of_blank_nodes_is_cut() {
        let mut text = String::from("<> x:p _:b0 .\n");
        for n in 0..5_000 {
            text.push_str(&format!("_:b{n} x:p _:b{} .\n", n + 1));
        }
        let view = view("http://h/b/t/", Shape::Trace, turtle("http://h/b/t/", &text));
        let bytes = written(write, &view);
        assert_eq!(read_json(&view.iri, &bytes).len(), 5_001);
    }
}
