//! Views for the tests of the serializers, and what it takes to read them back.

#![expect(clippy::unwrap_used, reason = "tests")]

use proptest::collection::vec;
use proptest::prelude::*;
use sophia::api::parser::TripleParser;
use sophia::api::source::TripleSource;

use crate::format::{Prefixes, WriteView};
use crate::rdf::{Graph, Term, blank, integer, iri, string, tagged, typed};
use crate::resource::view::Content;
use crate::resource::{Service, Settings, Shape, View};
use crate::store::Store;
use crate::vocab::{KTBS, RDF, XSD, ktbs, rdf, xsd};

/// Returns a view of a graph.
pub fn view(iri: &str, shape: Shape, graph: Graph) -> View {
    View {
        iri: iri.to_owned(),
        shape,
        tags: Vec::new(),
        modified: None,
        links: Vec::new(),
        model: None,
        content: Content::Graph(graph),
    }
}

/// Returns the graph of a Turtle document, where the prefixes of the kTBS are declared.
pub fn turtle(base: &str, text: &str) -> Graph {
    let text = format!(
        "@base <{base}> . @prefix k: <{KTBS}> . @prefix xsd: <{XSD}> . @prefix rdf: <{RDF}> .
        @prefix skos: <http://www.w3.org/2004/02/skos/core#> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
        @prefix st: <http://tbs-platform.org/2016/trace-stats#> . @prefix m: <http://h/b/model#> .
        @prefix x: <http://example.org/> . {text}"
    );
    read(sophia::turtle::parser::turtle::TurtleParser::default(), text.as_bytes())
}

/// Reads a document with one of Sophia's parsers.
pub fn read<'b, P: TripleParser<&'b [u8]>>(parser: P, bytes: &'b [u8]) -> Graph {
    parser
        .parse(bytes)
        .collect_triples()
        .map_err(|e| format!("{e:?}\n{}", String::from_utf8_lossy(bytes)))
        .unwrap()
}

/// Writes a view.
pub fn written(write: WriteView, view: &View) -> Vec<u8> {
    let mut bytes = Vec::new();
    let prefixes = Prefixes(vec![
        (String::new(), KTBS.to_owned()),
        ("ex".to_owned(), "http://example.org/".to_owned()),
        ("<>".to_owned(), "no prefix".to_owned()),
    ]);
    write(view, &prefixes, &mut bytes).unwrap();
    bytes
}

/// Any IRI below or beside a document, or elsewhere, or in a vocabulary.
pub fn any_iri() -> impl Strategy<Value = Term> {
    prop_oneof![
        "http://h/(b/)?(t/)?[a-c@:.é#?%]{0,3}",
        Just("http://h/b/t/".to_owned()),
        "http://example[.]org/[a-z.0-9/-]{0,4}",
        "urn:[a-z]{1,2}:[a-z0-9]{0,3}",
        "[xk]:[a-z]{1,2}",
        prop::sample::select(vec![
            "Base", "Obsel", "contains", "hasModel", "hasTrace", "filter", "nothing", "a/b"
        ])
        .prop_map(|local| format!("{KTBS}{local}")),
        prop::sample::select(vec!["type", "first", "rest", "nil", "_1"]).prop_map(|local| format!("{RDF}{local}")),
    ]
    .prop_filter("an IRI", |text| sophia::iri::Iri::new(text.as_str()).is_ok())
    .prop_map(iri)
}

/// Any predicate; `xml`: only those that RDF/XML can express.
pub fn any_predicate(xml: bool) -> impl Strategy<Value = Term> {
    prop_oneof![
        "http://h/b/model#[a-z][a-zé_-]{0,2}".boxed(),
        "http://example[.]org/[a-z]{1,2}[a-z0-9.-]{0,2}".boxed(),
        "urn:p:[a-z]{1,2}".boxed(),
        prop::sample::select(vec![
            "hasModel",
            "contains",
            "hasBegin",
            "hasTrace",
            "hasMethod",
            "nothing"
        ])
        .prop_map(|local| format!("{KTBS}{local}"))
        .boxed(),
        prop::sample::select(vec!["type", "first", "rest", "_1"])
            .prop_map(|local| format!("{RDF}{local}"))
            .boxed(),
        Just("http://www.w3.org/2004/02/skos/core#prefLabel".to_owned()).boxed(),
        if xml {
            Just("urn:q".to_owned()).boxed()
        } else {
            "http://example[.]org/([0-9]{1,2}|[a-z]/)".boxed()
        },
    ]
    .prop_map(iri)
}

/// Any literal; `xml`: only of characters that XML allows.
pub fn any_literal(xml: bool) -> impl Strategy<Value = Term> {
    let text = if xml {
        "[ -~é\t\n\r\u{85}\u{2028}🎈]{0,6}"
    } else {
        "[\\x00-\\x1f -~é\u{7f}\u{85}\u{2028}\u{ffff}🎈]{0,6}"
    };
    prop_oneof![
        text.prop_map(string),
        (text, "[a-z]{2}(-[A-Z]{2})?").prop_map(|(lexical, language)| tagged(lexical, &language)),
        (
            "[-+]?[0-9]{0,3}(\\.[0-9]{0,2})?([eE][-+]?[0-9]{0,2})?|[0-9]{20,24}|INF|NaN|true|false",
            prop::sample::select(vec![
                "integer", "decimal", "double", "boolean", "float", "dateTime", "string"
            ]),
        )
            .prop_map(|(lexical, datatype)| typed(lexical, &format!("{XSD}{datatype}"))),
        (text, "http://example[.]org/[a-z]{0,2}").prop_map(|(lexical, datatype)| typed(lexical, &datatype)),
    ]
}

fn any_blank() -> impl Strategy<Value = Term> {
    "[a-h]".prop_map(blank)
}

/// Any graph about a resource, with blank nodes in every shape.
pub fn any_graph(xml: bool) -> impl Strategy<Value = Graph> {
    let subject = prop_oneof![3 => any_iri(), 4 => any_blank(), 3 => Just(iri("http://h/b/t/"))];
    let object = prop_oneof![2 => any_iri(), 4 => any_blank(), 1 => Just(iri("http://h/b/t/")), 4 => any_literal(xml)];
    vec((subject, any_predicate(xml), object), 0..24).prop_map(|triples| {
        let mut graph = Graph::new();
        for (s, p, o) in &triples {
            graph.insert(s, p, o);
        }
        graph
    })
}

/// Any flat obsels of [`TRACE`], of a few kinds that come again and again with other texts, which may relate to one another
/// (`related`) or not.
pub fn any_flat_obsels(related: bool) -> impl Strategy<Value = Graph> {
    let number = "[-+]?[0-9]{1,3}(\\.[0-9]{0,2})?|0[0-9]|-0|[0-9]{19}|[0-9]e[0-9]|INF|NaN|true|1|é|\"";
    let literal = |datatypes: Vec<&'static str>| {
        (number, prop::sample::select(datatypes))
            .prop_map(|(lexical, datatype)| typed(lexical, &format!("{XSD}{datatype}")))
    };
    let text = || prop_oneof!["[ -~é\t\n\r\"\\\\🎈]{0,40}", Just(String::new())];
    let tagged_text = (text(), "[a-z]{2}(-[A-Z]{2})?").prop_map(|(text, language)| tagged(text, &language));
    let other = move |ids: &'static str| prop_oneof![ids, "http://h/b/c/[a-z:]{1,2}", "x:[a-z]"].prop_map(iri);
    let relation = if related {
        "http://h/b/t/o[1-9]{1,2}"
    } else {
        "http://h/b/t/q[1-9]"
    };
    let values = (
        vec(literal(vec!["integer"]), 0..2),
        vec(literal(vec!["double", "decimal", "boolean"]), 0..3),
        vec(prop_oneof![4 => text().prop_map(string), 1 => tagged_text], 0..3),
        vec(literal(vec!["date", "integer"]), 0..2),
        vec(other(relation), 0..3),
        vec(
            prop_oneof![text().prop_map(string), other("http://h/b/t/q1").boxed()],
            0..2,
        ),
    );
    let types = prop::sample::select(vec![
        vec!["m:A"],
        vec!["http://h/b/model#B"],
        vec!["http://h/b/model#B", "x:T"],
        vec!["http://h/b/c"],
    ]);
    vec((types, values), 1..40).prop_map(|obsels| {
        let mut graph = Graph::new();
        for (n, (types, (integers, numbers, texts, dates, others, subject))) in (1..).zip(obsels) {
            let obsel = iri(format!("{TRACE}o{n}"));
            graph.insert(&obsel, &iri(ktbs::HAS_TRACE), &iri(TRACE));
            graph.insert(&obsel, &iri(ktbs::HAS_BEGIN), &integer(n));
            for class in types {
                graph.insert(&obsel, &iri(rdf::TYPE), &iri(class));
            }
            for (property, values) in [
                ("http://h/b/model#integer", integers),
                ("http://h/b/model#number", numbers),
                ("http://h/b/model#text", texts),
                ("http://h/b/model#date", dates),
                ("http://h/b/model#other", others),
                (ktbs::HAS_SUBJECT, subject),
            ] {
                for value in &values {
                    graph.insert(&obsel, &iri(property), value);
                }
            }
        }
        graph
    })
}

/// Returns the graph of a view, and fails the test unless it is that of the view.
pub fn assert_same(view: &View, read: &Graph, bytes: &[u8]) {
    let Content::Graph(graph) = &view.content else {
        panic!("the view of a graph")
    };
    assert_same_graphs(graph, read, bytes);
}

/// Fails the test unless two graphs are isomorphic.
pub fn assert_same_graphs(expected: &Graph, read: &Graph, bytes: &[u8]) {
    assert!(
        sophia::isomorphism::isomorphic_graphs(expected, read).unwrap(),
        "expected {:#?}\nread {:#?}\nin {}",
        expected.iter().collect::<Vec<_>>(),
        read.iter().collect::<Vec<_>>(),
        String::from_utf8_lossy(bytes)
    );
}

/// Reads a JSON-LD document with a processor that knows the context of the kTBS only.
pub fn read_json(base: &str, bytes: &[u8]) -> Graph {
    use oxjsonld::{JsonLdParser, JsonLdRemoteDocument};
    let parser = JsonLdParser::new()
        .with_base_iri(base)
        .unwrap()
        .for_slice(bytes)
        .with_load_document_callback(|url, _| {
            assert_eq!(url, crate::vocab::CONTEXT);
            Ok(JsonLdRemoteDocument {
                document: include_bytes!("json/context.jsonld").to_vec(),
                document_url: url.to_owned(),
            })
        });
    let mut graph = Graph::new();
    for quad in parser {
        let quad = quad
            .map_err(|e| format!("{e}\n{}", String::from_utf8_lossy(bytes)))
            .unwrap();
        assert!(quad.graph_name.is_default_graph());
        graph.insert(
            &subject(quad.subject),
            &iri(quad.predicate.as_str()),
            &object(quad.object),
        );
    }
    graph
}

fn subject(node: oxrdf::NamedOrBlankNode) -> Term {
    match node {
        oxrdf::NamedOrBlankNode::NamedNode(node) => iri(node.as_str()),
        oxrdf::NamedOrBlankNode::BlankNode(node) => blank(node.as_str()),
    }
}

fn object(term: oxrdf::Term) -> Term {
    match term {
        oxrdf::Term::NamedNode(node) => iri(node.as_str()),
        oxrdf::Term::BlankNode(node) => blank(node.as_str()),
        oxrdf::Term::Literal(literal) => match literal.language() {
            Some(language) => tagged(literal.value(), language),
            None => typed(literal.value(), literal.datatype().as_str()),
        },
        oxrdf::Term::Triple(_) => panic!("a triple term"),
    }
}

/// Returns a graph where each double has one lexical form.
pub fn normalized(graph: &Graph) -> Graph {
    let mut same = Graph::new();
    for [s, p, o] in graph.iter() {
        let double = match o {
            Term::LiteralDatatype(lexical, datatype) if datatype.as_str() == xsd::DOUBLE => {
                lexical.parse::<f64>().ok().filter(|value| value.is_finite())
            }
            _ => None,
        };
        match double {
            Some(value) => same.insert(s, p, &typed(format!("{value:e}"), xsd::DOUBLE)),
            None => same.insert(s, p, o),
        };
    }
    same
}

/// A kTBS in a temporary directory, with the base `http://h/b/` and its stored trace `t/`, whose model is `model`.
pub struct Ktbs {
    _directory: tempfile::TempDir,
    service: Service,
}

/// The trace of [`Ktbs`].
pub const TRACE: &str = "http://h/b/t/";

impl Ktbs {
    /// Returns a kTBS whose trace has the obsels that a Turtle document describes, posted at once.
    pub fn with(obsels: &str) -> Self {
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
        let service = Service::new(store, settings).unwrap();
        let ktbs = Self {
            _directory: directory,
            service,
        };
        ktbs.post("http://h/", "<> k:hasBase <b/> . <b/> a k:Base .");
        ktbs.post(
            "http://h/b/",
            "<> k:contains <t/> . <t/> a k:StoredTrace ; k:hasModel <model> ; k:hasOrigin \"o\" .",
        );
        if !obsels.is_empty() {
            ktbs.post(TRACE, obsels);
        }
        ktbs
    }

    /// Posts a Turtle document.
    pub fn post(&self, address: &str, text: &str) {
        self.post_graph(address, turtle(address, text));
    }

    /// Posts a graph.
    pub fn post_graph(&self, address: &str, graph: Graph) {
        let target = self.service.find(address).unwrap();
        self.service.create(&target, &[], graph).unwrap();
    }

    /// Returns the view of a resource, whose path is relative to the trace, with parameters.
    pub fn view(&self, path: &str, parameters: &[(&str, &str)]) -> View {
        let address = sophia::iri::resolve::BaseIri::new(TRACE)
            .unwrap()
            .resolve(path)
            .unwrap();
        let target = self.service.find(address.as_str()).unwrap();
        let parameters: Vec<_> = parameters
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        self.service.read(target, &parameters).unwrap()
    }
}

/// Obsels in every shape: relations both ways and to come, blank nodes nested, shared, pointing back and in a ring,
/// values of all kinds.
pub const OBSELS: &str = r#"
    <o1> a m:A ; k:hasTrace <> ; k:hasBegin 1 ; k:hasEnd 2 ; k:hasSubject "alice" ;
        m:text "a \"quoted\" \\ é 🎈\n", "autre"@fr ; m:n 1, -2, 3.50, 4.5e0, 1e3, true ; m:date "2017-02-28"^^xsd:date ;
        m:seen x:thing, </b/other>, </b/t/none>, m:at .
    <o2> a m:B, x:T, <o9> ; k:hasTrace <> ; k:hasBegin 3 ; k:hasEnd 4 ; k:hasSubject x:bob ;
        k:hasBeginDT "1970-01-01T00:00:03Z"^^xsd:dateTime ; k:hasSourceObsel x:s, <o1> ; m:rel <o1>, <o2> ; m:next <o3> .
    <o3> a k:Obsel ; k:hasTrace <> ; k:hasBegin 5 ; k:hasEnd 5 ;
        m:pos [ a m:Point ; m:lat 1.5e0 ; m:area [ m:name "square" ; m:of <o1> ] ], [] ; skos:prefLabel "third" .
    [] m:about <o3> ; m:k "v" .
    x:outside m:about <o3> .
    <o4> a m:A ; k:hasTrace <> ; k:hasBegin 6 ; k:hasEnd 6 ; m:ring _:r1 . _:r1 m:to _:r2 . _:r2 m:to _:r1 ; m:back <o4> .
    <o5> a m:A ; k:hasTrace <> ; k:hasBegin 7 ; k:hasEnd 7 ; m:shared _:s ; <m:clash> <k:clash>, 1 .
    <o6> a m:A ; k:hasTrace <> ; k:hasBegin 7 ; k:hasEnd 8 ; m:shared _:s . _:s m:v 1 ; m:w [ m:v 2 ] .
    <o7> a m:A ; k:hasTrace <> ; k:hasBegin 9 ; k:hasEnd 9 ; m:rel <o7>, <o1> .
"#;

/// The views of these obsels that differ in what they show.
pub fn views(ktbs: &Ktbs) -> Vec<View> {
    let mut views = vec![ktbs.view("@obsels", &[])];
    for (min, max) in [("1", "1"), ("3", "3"), ("5", "5"), ("6", "7"), ("1", "9"), ("20", "30")] {
        views.push(ktbs.view("@obsels", &[("minb", min), ("maxb", max)]));
    }
    views.extend(["o1", "o2", "o3", "o4", "o5", "o6"].map(|id| ktbs.view(id, &[])));
    views
}
