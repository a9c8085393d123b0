//! The dataset of the obsels of a trace.

use super::*;
use crate::resource::view::Content;
use crate::resource::{Service, Settings};
use crate::store::Store;
use crate::store::views::TraceGraph;
use crate::vocab::ktbs;

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
