//! Updates.

use std::time::Duration;

use super::*;

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
