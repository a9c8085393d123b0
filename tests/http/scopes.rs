//! Queries that see more than the source of their trace: `scope=base` and `scope=store` of the sparql method.

use serde_json::{Value, json};

use crate::support::{ROOT, TestKtbs};

/// Returns a kTBS with three obsels in `b/t/`, and one in another base, `o/u/`.
fn ktbs() -> TestKtbs {
    let ktbs = TestKtbs::with_trace(|config| config.sparql.allow_scope_store = true);
    let obsel = |id: &str, begin: u32| format!("<{id}> a <../m#A> ; k:hasTrace <> ; k:hasBegin {begin} .");
    ktbs.post_turtle("b/t/", &["a", "b", "c"].map(|id| obsel(id, 1)).join(" "))
        .expect(201);
    ktbs.post_turtle("", "<> k:hasBase <o/> . <o/> a k:Base .").expect(201);
    let trace = "<> k:contains <u/> . <u/> a k:StoredTrace ; k:hasModel <m> ; k:hasOrigin \"o\" .";
    ktbs.post_turtle("o/", trace).expect(201);
    ktbs.post_turtle("o/u/", &obsel("z", 9)).expect(201);
    ktbs
}

fn create(ktbs: &TestKtbs, id: &str, method: &str, source: &str, parameters: &[&str]) {
    let body = json!({"@id": format!("{id}/"), "@type": "ComputedTrace", "hasMethod": method, "hasSource": [source],
        "parameter": parameters});
    ktbs.post("b/", "application/json", &body.to_string()).expect(201);
}

/// The parameter of a query that copies all the obsels that it sees.
fn copies() -> String {
    format!(
        "sparql=PREFIX k: <http://liris.cnrs.fr/silex/2009/ktbs#> CONSTRUCT {{ ?new k:hasTrace <%(__destination__)s> ; a ?t ;
            k:hasBegin ?b }} WHERE {{ ?o k:hasBegin ?b ; a ?t . BIND(IRI(CONCAT('%(__destination__)s',
            REPLACE(STRAFTER(STR(?o), '{ROOT}'), '/', '.'))) AS ?new) }}"
    )
}

/// Returns the ids of the obsels of a trace.
fn ids(ktbs: &TestKtbs, trace: &str) -> Vec<String> {
    let answer = ktbs
        .get(&format!("{trace}@obsels"), &[("Accept", "application/json")])
        .expect(200);
    let shown: Value = serde_json::from_str(&answer.body).expect("JSON");
    let obsels = shown["obsels"].as_array().expect("a list").clone();
    let mut ids: Vec<String> = obsels
        .iter()
        .map(|obsel| obsel["@id"].as_str().expect("an id").to_owned())
        .collect();
    ids.sort_unstable();
    ids
}

/// Returns the etag of the obsels of a trace, and the number of the last change of the store.
fn seen(ktbs: &TestKtbs, trace: &str) -> (String, usize) {
    let answer = ktbs.get(&format!("{trace}@obsels"), &[]).expect(200);
    (answer.header("etag").to_owned(), ktbs.app.service.store.last_change())
}

#[test]
fn a_query_does_not_see_its_own_obsels() {
    let ktbs = ktbs();
    for (id, scope, expected) in [
        ("base", "base", &["b.t.a", "b.t.b", "b.t.c"][..]),
        ("store", "store", &["b.t.a", "b.t.b", "b.t.c", "o.u.z"]),
    ] {
        create(&ktbs, id, "sparql", "t/", &[&copies(), &format!("scope={scope}")]);
        let path = format!("b/{id}/");
        assert_eq!(ids(&ktbs, &path), expected);
        let before = seen(&ktbs, &path);
        // Nothing has changed: nothing is written, however often it is read or computed.
        assert_eq!(seen(&ktbs, &path), before);
        ktbs.get(&format!("{path}@obsels?refresh=force"), &[]).expect(200);
        assert_eq!(ids(&ktbs, &path), expected);
        assert_eq!(seen(&ktbs, &path).0, before.0);
        ktbs.delete(&path).expect(204);
    }
}

#[test]
fn a_query_sees_what_is_written_elsewhere() {
    let ktbs = ktbs();
    create(&ktbs, "base", "sparql", "t/", &[&copies(), "scope=base"]);
    create(&ktbs, "store", "sparql", "t/", &[&copies(), "scope=store"]);
    assert_eq!((ids(&ktbs, "b/base/").len(), ids(&ktbs, "b/store/").len()), (3, 7));
    let before = seen(&ktbs, "b/base/").0;
    ktbs.post_turtle("o/u/", "<y> a <../m#A> ; k:hasTrace <> ; k:hasBegin 10 .")
        .expect(201);
    assert_eq!(ids(&ktbs, "b/store/").len(), 8);
    assert_eq!(seen(&ktbs, "b/base/").0, before, "it is in another base");
    ktbs.post_turtle("b/t/", "<d> a <../m#A> ; k:hasTrace <> ; k:hasBegin 10 .")
        .expect(201);
    assert_eq!((ids(&ktbs, "b/store/").len(), ids(&ktbs, "b/base/").len()), (10, 4));
    ktbs.delete("b/t/d").expect(204);
    assert_eq!((ids(&ktbs, "b/store/").len(), ids(&ktbs, "b/base/").len()), (8, 3));
}

#[test]
fn what_follows_from_it_is_not_seen_and_what_else_is_computed_is_fresh() {
    let ktbs = ktbs();
    create(&ktbs, "older", "filter", "t/", &["otypes="]);
    create(&ktbs, "wide", "sparql", "t/", &[&copies(), "scope=base"]);
    create(&ktbs, "derived", "filter", "wide/", &[]);
    create(&ktbs, "both", "fusion", "derived/", &[]);
    create(&ktbs, "younger", "filter", "t/", &[]);
    create(&ktbs, "other", "sparql", "t/", &[&copies(), "scope=base"]);
    let paths = ["older", "wide", "derived", "both", "younger", "other"].map(|id| format!("b/{id}/"));
    let sizes = || paths.each_ref().map(|path| ids(&ktbs, path).len());
    // Neither was read before: they are computed for the query.
    assert_eq!(ids(&ktbs, "b/wide/").len(), 9, "t/, older/ and younger/");
    // The younger of two such queries sees the older one, and what follows from it.
    let expected = [3, 9, 9, 9, 3, 9 + 27];
    assert_eq!(sizes(), expected);
    let before = ktbs.app.service.store.last_change();
    assert_eq!(sizes(), expected);
    assert_eq!(ktbs.app.service.store.last_change(), before);
    ktbs.post_turtle("b/t/", "<d> a <../m#A> ; k:hasTrace <> ; k:hasBegin 10 .")
        .expect(201);
    assert_eq!(ids(&ktbs, "b/other/").len(), 48);
    assert_eq!(sizes(), [4, 12, 12, 12, 4, 48]);
    // One that cannot be computed is not waited for.
    create(&ktbs, "broken", "filter", "t/", &["after=noon"]);
    assert_eq!(sizes(), [4, 12, 12, 12, 4, 48]);
}

#[test]
fn a_loop_of_refreshes_comes_to_rest() {
    let ktbs = ktbs();
    for id in ["w1", "w2", "w3"] {
        create(&ktbs, id, "sparql", "t/", &[&copies(), "scope=store"]);
    }
    let refresh = || {
        let before = ktbs.app.service.store.last_change();
        for path in ktbs.app.service.computed_traces("").expect("a store") {
            ktbs.app.service.refresh(&path).expect("traces that can be computed");
        }
        ktbs.app.service.store.last_change() - before
    };
    assert!(refresh() > 0);
    let writes: Vec<usize> = (0..5).map(|_| refresh()).collect();
    assert_eq!(writes[2..], [0, 0, 0], "{writes:?}");
}
