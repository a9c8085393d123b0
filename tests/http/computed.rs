//! Computed traces as clients use them: the examples of the documentation that no other test has, from the method that a user
//! writes to the obsels, their statistics and their slices.

use serde_json::{Value, json};

use crate::support::{Answer, ROOT, TestKtbs};

/// Returns a kTBS with a model `b/m` in which B is a subtype of A, and obsels in `b/t/`.
fn ktbs() -> TestKtbs {
    let ktbs = TestKtbs::with_trace(|config| config.plugins.stats_subjects = true);
    let obsels = "@prefix m: <../m#> .
        <o1> a m:T1 ; k:hasTrace <> ; k:hasBegin 1 ; k:hasEnd 2 ; k:hasSubject \"ann\" .
        <o2> a m:T2 ; k:hasTrace <> ; k:hasBegin 12 ; k:hasEnd 13 ; k:hasSubject \"bob\" .
        <o3> a m:T2 ; k:hasTrace <> ; k:hasBegin 25 ; k:hasEnd 26 .
        <o4> a m:T3 ; k:hasTrace <> ; k:hasBegin 26 ; k:hasEnd 27 .
        <o5> a m:T3 ; k:hasTrace <> ; k:hasBegin 59 ; k:hasEnd 60 .";
    ktbs.post_turtle("b/t/", obsels).expect(201);
    ktbs
}

fn create(ktbs: &TestKtbs, kind: &str, id: &str, method: &str, parameters: &[&str]) {
    let mut body = json!({"@id": id, "@type": kind, "parameter": parameters});
    if kind == "Method" {
        body["hasParentMethod"] = method.into();
    } else {
        body["hasMethod"] = method.into();
        body["hasSource"] = json!(["t/"]);
    }
    ktbs.post("b/", "application/json", &body.to_string()).expect(201);
}

fn get(ktbs: &TestKtbs, path: &str) -> Answer {
    ktbs.get(path, &[("Accept", "application/json")])
}

fn parsed(answer: Answer) -> Value {
    serde_json::from_str(&answer.expect(200).body).expect("JSON")
}

/// Returns the ids of the obsels that a path shows.
fn ids(ktbs: &TestKtbs, path: &str) -> Vec<String> {
    let shown = parsed(get(ktbs, path));
    let obsels = shown["obsels"].as_array().expect("a list");
    obsels
        .iter()
        .map(|obsel| obsel["@id"].as_str().expect("an id").to_owned())
        .collect()
}

/// Changes the parameters of a computed trace or of a method.
fn parameters(ktbs: &TestKtbs, path: &str, parameters: &[&str]) {
    let answer = get(ktbs, path).expect(200);
    let etag = answer.header("etag").to_owned();
    let mut body: Value = parsed(answer);
    body["parameter"] = json!(parameters);
    let headers = [("Content-Type", "application/json"), ("If-Match", &*etag)];
    ktbs.put(path, &headers, &body.to_string()).expect(200);
}

/// Returns `[begin,end] count` of each obsel of statistics.
fn counts(ktbs: &TestKtbs, path: &str) -> Vec<String> {
    let shown = parsed(get(ktbs, path));
    let obsels = shown["obsels"].as_array().expect("a list");
    let count = |obsel: &Value| {
        let count = obsel
            .as_object()
            .and_then(|obsel| obsel.iter().find(|(name, _)| name.ends_with("obselCount")));
        format!("[{},{}] {}", obsel["begin"], obsel["end"], count.expect("a count").1)
    };
    obsels.iter().map(count).collect()
}

#[test]
fn statistics_that_users_write_in_sparql() {
    let ktbs = ktbs();
    let head = "sparql=PREFIX k: <http://liris.cnrs.fr/silex/2009/ktbs#>
        PREFIX st: <http://liris.cnrs.fr/silex/2013/stat#>
        CONSTRUCT { [] a st:Stat ; k:hasTrace <%(__destination__)s> ; k:hasSubject <%(__source__)s> ;
            k:hasBegin ?from ; k:hasEnd ?to ; st:obselCount ?n . } WHERE ";
    let model = "model=http://liris.cnrs.fr/silex/2013/stat#";
    let all = format!(
        "{head} {{ SELECT (COUNT(?o) AS ?n) (MIN(?b) AS ?from) (MAX(?e) AS ?to)
            {{ ?o k:hasTrace <%(__source__)s> ; k:hasBegin ?b ; k:hasEnd ?e }} }}"
    );
    create(&ktbs, "Method", "all", "sparql", &[model, &all]);
    create(&ktbs, "ComputedTrace", "c1/", "all", &[]);
    assert_eq!(counts(&ktbs, "b/c1/@obsels"), ["[1,60] 5"]);
    let shown = get(&ktbs, "b/c1/@obsels").body;
    assert!(
        shown.contains(&format!("\"subject\": \"{ROOT}b/t/\"")) || shown.contains("../t/"),
        "{shown}"
    );

    let periods = format!(
        "{head} {{ SELECT (COUNT(?o) AS ?n) (xsd:integer(?i * ?w) AS ?from) (xsd:integer(?i * ?w + ?w - 1) AS ?to)
            {{ {{ SELECT ?o (%(period)s AS ?w) (ROUND(?b / ?w) AS ?i) {{ ?o k:hasTrace <%(__source__)s> ; k:hasBegin ?b }} }} }}
            GROUP BY ?w ?i }}"
    );
    create(&ktbs, "Method", "periods", "sparql", &[model, &periods]);
    create(&ktbs, "ComputedTrace", "c2/", "periods", &["period=10"]);
    assert_eq!(
        counts(&ktbs, "b/c2/@obsels"),
        ["[0,9] 1", "[10,19] 1", "[30,39] 2", "[60,69] 1"]
    );
    // Names stay, whatever is computed again.
    let names = ids(&ktbs, "b/c2/@obsels");
    assert_eq!(ids(&ktbs, "b/c2/@obsels?refresh=force"), names);

    create(&ktbs, "ComputedTrace", "c3/", "periods", &[]);
    let answer = get(&ktbs, "b/c3/@obsels").expect(409);
    assert!(answer.body.contains("missing parameter period"), "{}", answer.body);
    assert!(
        get(&ktbs, "b/c3/")
            .expect(200)
            .body
            .contains("missing parameter period")
    );
    parameters(&ktbs, "b/c3/", &["period=100"]);
    assert_eq!(counts(&ktbs, "b/c3/@obsels"), ["[0,99] 4", "[100,199] 1"]);
}

#[test]
fn nearer_parameters_override_those_of_methods() {
    let ktbs = ktbs();
    let otypes = |name: &str| format!("otypes={ROOT}b/m#{name}");
    create(&ktbs, "Method", "far", "filter", &[&otypes("T1"), "before=50"]);
    create(&ktbs, "Method", "near", "far", &["after=1"]);
    create(&ktbs, "ComputedTrace", "c/", "near", &[]);
    assert_eq!(ids(&ktbs, "b/c/@obsels"), ["o1"]);
    parameters(&ktbs, "b/c/", &[&otypes("T2")]);
    assert_eq!(ids(&ktbs, "b/c/@obsels"), ["o2", "o3"]);
    parameters(&ktbs, "b/near", &["after=20", &otypes("T3")]);
    assert_eq!(ids(&ktbs, "b/c/@obsels"), ["o3"]);
    parameters(&ktbs, "b/c/", &[]);
    assert_eq!(ids(&ktbs, "b/c/@obsels"), ["o4"]);
    parameters(&ktbs, "b/far", &["before=5"]);
    assert_eq!(ids(&ktbs, "b/c/@obsels"), Vec::<String>::new());
    parameters(&ktbs, "b/near", &[]);
    assert_eq!(ids(&ktbs, "b/c/@obsels"), ["o1"]);
}

#[test]
fn refresh_says_what_is_computed() {
    let ktbs = ktbs();
    create(&ktbs, "ComputedTrace", "c/", "filter", &["before=13"]);
    assert_eq!(ids(&ktbs, "b/c/@obsels?refresh=no"), Vec::<String>::new());
    let stats = |query: &str| parsed(get(&ktbs, &format!("b/c/@stats{query}")))["stats:obselCount"].clone();
    assert_eq!(stats("?refresh=no"), 0);
    assert_eq!(stats(""), 2);
    ktbs.post_turtle("b/t/", "<o0> a <../m#T1> ; k:hasTrace <> ; k:hasBegin 0 .")
        .expect(201);
    assert_eq!(ids(&ktbs, "b/c/@obsels?refresh=no"), ["o1", "o2"]);
    for value in ["default", "yes", "force", "recursive"] {
        assert_eq!(
            ids(&ktbs, &format!("b/c/@obsels?refresh={value}")),
            ["o0", "o1", "o2"],
            "{value}"
        );
        assert_eq!(stats(&format!("?refresh={value}")), 3, "{value}");
    }
    for path in ["b/c/@obsels", "b/c/@stats"] {
        let answer = get(&ktbs, &format!("{path}?refresh=maybe")).expect(404);
        assert!(
            answer.body.contains("Invalid value for 'refresh' (maybe)"),
            "{}",
            answer.body
        );
    }
    let answer = get(&ktbs, "b/c/@obsels?quick").expect(404);
    assert!(
        answer
            .body
            .contains("Deprecated parameter 'quick', use refresh=no instead"),
        "{}",
        answer.body
    );
    get(&ktbs, "b/c/?refresh=yes").expect(404);
}

#[test]
fn statistics_and_slices_are_those_of_any_trace() {
    let ktbs = ktbs();
    create(&ktbs, "ComputedTrace", "c/", "filter", &["after=2"]);
    let stats = parsed(get(&ktbs, "b/c/@stats"));
    assert_eq!(stats["stats:obselCount"], 4, "{stats}");
    assert_eq!(
        (&stats["stats:minTime"], &stats["stats:maxTime"]),
        (&json!(12), &json!(60)),
        "{stats}"
    );
    assert_eq!(ids(&ktbs, "b/c/@obsels?minb=20&maxe=30"), ["o3", "o4"]);
    assert_eq!(ids(&ktbs, "b/c/@obsels?limit=2"), ["o2", "o3"]);
    assert_eq!(ids(&ktbs, "b/c/@obsels?limit=2&reverse"), ["o4", "o5"]);
    let page = get(&ktbs, "b/c/@obsels?limit=2").expect(200);
    assert!(
        page.headers("link").iter().any(|link| link.contains("rel=\"next\"")),
        "{page:?}"
    );
    let after = format!("b/c/@obsels?after={ROOT}b/c/o3");
    assert_eq!(ids(&ktbs, &after), ["o4", "o5"]);
    // An obsel, and what cannot be done with it.
    let obsel = ktbs.get("b/c/o3", &[("Accept", "text/nt")]).expect(200).body;
    assert!(obsel.contains(&format!("#hasSourceObsel> <{ROOT}b/t/o3>")), "{obsel}");
    get(&ktbs, "b/c/o1").expect(404);
    let answer = ktbs.delete("b/c/o3").expect(405);
    assert!(
        answer.body.contains("Can not directly edit obsels of computed trace."),
        "{}",
        answer.body
    );
}

#[test]
fn models_and_origins_follow_the_source_unless_they_are_given() {
    let ktbs = ktbs();
    ktbs.post_turtle(
        "b/",
        "<> k:contains <sec> . <sec> a k:TraceModel ; k:hasUnit k:second .",
    )
    .expect(201);
    create(&ktbs, "ComputedTrace", "c/", "filter", &[]);
    create(&ktbs, "ComputedTrace", "d/", "filter", &["model=sec", "origin=now"]);
    create(&ktbs, "ComputedTrace", "e/", "filter", &["origin="]);
    let shown = |path: &str| ktbs.get(path, &[("Accept", "text/nt")]).expect(200).body;
    assert!(shown("b/c/").contains(&format!("#hasModel> <{ROOT}b/m>")) && shown("b/c/").contains("#hasOrigin> \"o\""));
    // A relative model is relative to the trace; an origin is a text like another.
    assert!(
        shown("b/d/").contains(&format!("#hasModel> <{ROOT}b/d/sec>")),
        "{}",
        shown("b/d/")
    );
    assert!(shown("b/d/").contains("#hasOrigin> \"now\""));
    assert!(shown("b/e/").contains("#hasOrigin> \"\""));
}

#[test]
fn intermediate_traces_follow_the_methods_and_are_items_of_the_base() {
    let ktbs = ktbs();
    for (id, parameter) in [("m1", "after=2"), ("m2", "before=30"), ("m3", "after=25")] {
        create(&ktbs, "Method", id, "filter", &[parameter]);
    }
    let methods = |names: &[&str]| {
        let iris: Vec<String> = names.iter().map(|name| format!("{ROOT}b/{name}")).collect();
        format!("methods={}", iris.join(" "))
    };
    let items = || {
        let shown = parsed(get(&ktbs, "b/"));
        let items = shown["contains"].as_array().expect("a list").clone();
        let names = items.iter().filter_map(|item| item["@id"].as_str().map(str::to_owned));
        names.filter(|name| name.contains('_')).collect::<Vec<_>>()
    };
    create(&ktbs, "ComputedTrace", "p/", "pipe", &[&methods(&["m1", "m2"])]);
    assert_eq!(ids(&ktbs, "b/p/@obsels"), ["_1_p_o2", "_1_p_o3", "_1_p_o4"]);
    assert_eq!(items(), ["_0_p/", "_1_p/"]);
    parameters(&ktbs, "b/p/", &[&methods(&["m1", "m2", "m3"])]);
    assert_eq!(ids(&ktbs, "b/p/@obsels"), ["_2_p_o3", "_2_p_o4"]);
    assert_eq!(items(), ["_0_p/", "_1_p/", "_2_p/"]);
    parameters(&ktbs, "b/p/", &[&methods(&["m3"])]);
    assert_eq!(ids(&ktbs, "b/p/@obsels"), ["_0_p_o3", "_0_p_o4", "_0_p_o5"]);
    assert_eq!(items(), ["_0_p/"]);
    assert_eq!(ids(&ktbs, "b/_0_p/@obsels"), ["o3", "o4", "o5"]);
    ktbs.delete("b/p/").expect(204);
    assert_eq!(items(), Vec::<String>::new());
}

#[test]
fn queries_know_their_base_and_the_usual_prefixes() {
    let ktbs = ktbs();
    let head = "sparql=PREFIX k: <http://liris.cnrs.fr/silex/2009/ktbs#> CONSTRUCT";
    for (i, (query, expected)) in [
        // Relative IRIs are relative to the obsels of the source.
        (format!("{head} {{ <../c0/x> k:hasTrace <../c0/> ; k:hasBegin ?b }} WHERE {{ <o3> k:hasBegin ?b }}"), 1),
        (
            format!("{head} {{ [] k:hasTrace <../c1/> ; k:hasBegin ?b ; rdfs:label ?l ; skos:note ?o }} WHERE {{ ?o k:hasBegin ?b BIND(xsd:string(?b) AS ?l) }}"),
            5,
        ),
        // A semicolon more than is needed.
        (format!("{head} {{ [ k:hasTrace <../c2/> ; k:hasBegin ?b ; ] }} WHERE {{ ?o k:hasBegin ?b ; . }}"), 5),
        // The collection is described as well.
        (
            format!("{head} {{ [] k:hasTrace <../c3/> ; k:hasBegin 1 ; k:hasSubject ?t }} WHERE {{ ?x a ?t . <../t/> k:hasObselCollection ?x }}"),
            1,
        ),
    ]
    .iter()
    .enumerate()
    {
        create(&ktbs, "ComputedTrace", &format!("c{i}/"), "sparql", &[query]);
        let answer = get(&ktbs, &format!("b/c{i}/@obsels"));
        assert_eq!(answer.status, 200, "{query}: {}", answer.body);
        assert_eq!(ids(&ktbs, &format!("b/c{i}/@obsels")).len(), *expected, "{query}");
    }
    for (i, query) in ["sparql=ASK { }", "sparql=SELECT * { ?s ?p ?o }", "sparql=DESCRIBE <x>"]
        .iter()
        .enumerate()
    {
        create(&ktbs, "ComputedTrace", &format!("d{i}/"), "sparql", &[query]);
        let answer = get(&ktbs, &format!("b/d{i}/@obsels")).expect(409);
        assert!(answer.body.contains("CONSTRUCT query expected"), "{}", answer.body);
    }
}

#[test]
fn a_model_with_a_fragment_keeps_no_pattern_from_being_asked() {
    let ktbs = ktbs();
    let trace =
        "<> k:contains <u/> . <u/> a k:StoredTrace ; k:hasModel <http://ex.org/models#one> ; k:hasOrigin \"o\" .";
    ktbs.post_turtle("b/", trace).expect(201);
    ktbs.post_turtle("b/u/", "<o1> a <http://ex.org/T> ; k:hasTrace <> ; k:hasBegin 1 .")
        .expect(201);
    let fsa = json!({"default_matcher": "sparql-ask", "states": {
        "start": {"transitions": [{"condition": "?obs :hasBegin 1", "target": "#E"}]}, "#E": {"terminal": true}}});
    for (id, method, parameter) in [
        ("c", "filter", "bgp=?obs ktbs:hasBegin 1".to_owned()),
        ("d", "fsa", format!("fsa={fsa}")),
    ] {
        let body = json!({"@id": format!("{id}/"), "@type": "ComputedTrace", "hasMethod": method, "hasSource": ["u/"],
            "parameter": [parameter]});
        ktbs.post("b/", "application/json", &body.to_string()).expect(201);
        assert_eq!(ids(&ktbs, &format!("b/{id}/@obsels")), ["o1"]);
    }
}

#[test]
fn a_method_that_comes_or_changes_is_followed() {
    let ktbs = ktbs();
    create(&ktbs, "ComputedTrace", "c/", "later", &[]);
    get(&ktbs, "b/c/@obsels").expect(409);
    assert!(get(&ktbs, "b/c/").expect(200).body.contains("_FakeMethod: ko"));
    create(&ktbs, "Method", "later", "filter", &["after=30"]);
    assert_eq!(ids(&ktbs, "b/c/@obsels"), ["o5"]);
    assert!(!get(&ktbs, "b/c/").expect(200).body.contains("iagnosis"));
    // It is used, though it came after the trace.
    ktbs.delete("b/later").expect(409);
    // Another parent.
    let shown = get(&ktbs, "b/later").expect(200);
    let etag = shown.header("etag").to_owned();
    let mut body = parsed(shown);
    body["hasParentMethod"] = "fusion".into();
    body["parameter"] = json!([]);
    let headers = [("Content-Type", "application/json"), ("If-Match", &*etag)];
    ktbs.put("b/later", &headers, &body.to_string()).expect(200);
    assert_eq!(ids(&ktbs, "b/c/@obsels"), ["t_o1", "t_o2", "t_o3", "t_o4", "t_o5"]);
    ktbs.delete("b/c/").expect(204);
    ktbs.delete("b/later").expect(204);
}

#[test]
fn parameters_of_a_trace_are_checked_as_those_of_a_method() {
    let ktbs = ktbs();
    for (parameters, problem) in [
        ("\"after=1\", \"after=2\"", "Parameter after specified more than once"),
        ("\"after\"", "Parameter is ill-formatted"),
        ("<x>", "Parameters should be literals; got"),
    ] {
        let body = format!(
            "<> k:contains <c/> . <c/> a k:ComputedTrace ; k:hasMethod k:filter ; k:hasSource <t/> ; k:hasParameter {parameters} ."
        );
        let answer = ktbs.post_turtle("b/", &body).expect(403);
        assert!(answer.body.contains(problem), "{}", answer.body);
    }
    // The value is all that follows the first sign, blanks included.
    create(
        &ktbs,
        "ComputedTrace",
        "c/",
        "filter",
        &["bgp=?obs k:hasBegin ?x FILTER(?x = 12 || 1 = 2)"
            .replace("k:", "ktbs:")
            .as_str()],
    );
    assert_eq!(ids(&ktbs, "b/c/@obsels"), ["o2"]);
}
