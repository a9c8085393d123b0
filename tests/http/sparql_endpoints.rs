//! The SPARQL protocol (plugin `sparql_endpoints`): who is asked, how, and what comes back.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::support::{Answer, ROOT, TestKtbs};

const JSON: &str = "application/sparql-results+json";
const XML: &str = "application/sparql-results+xml";
const FORM: &str = "application/x-www-form-urlencoded";
const QUERY: &str = "application/sparql-query";
const UPDATE: &str = "application/sparql-update";

/// Returns a kTBS with two obsels in `b/t/`, and a trace `b/c/` computed from it.
fn ktbs(updates: bool) -> TestKtbs {
    let ktbs = TestKtbs::with_trace(|config| {
        config.plugins.sparql_endpoints = true;
        config.plugins.cors = true;
        config.cors_allow_origin = vec!["*".to_owned()];
        config.sparql.update_endpoints = updates;
    });
    let obsels = "<a> a <../m#A> ; k:hasTrace <> ; k:hasBegin 1 ; <../m#v> \"x\"@en . <b> a <../m#B> ; k:hasTrace <> ; k:hasBegin 2 .";
    ktbs.post_turtle("b/t/", obsels).expect(201);
    let trace = "<> k:contains <c/> . <c/> a k:ComputedTrace ; k:hasMethod k:filter ; k:hasSource <t/> .";
    ktbs.post_turtle("b/", trace).expect(201);
    ktbs
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

fn get(ktbs: &TestKtbs, path: &str, query: &str, accept: &str) -> Answer {
    let separator = if path.contains('?') { '&' } else { '?' };
    let headers: &[(&str, &str)] = if accept.is_empty() { &[] } else { &[("Accept", accept)] };
    ktbs.get(&format!("{path}{separator}query={}", encoded(query)), headers)
}

/// Returns how many rows a query of the variable `n` counts.
fn count(ktbs: &TestKtbs, path: &str, pattern: &str) -> u64 {
    let answer = get(ktbs, path, &format!("SELECT (COUNT(*) AS ?n) {{ {pattern} }}"), JSON).expect(200);
    let shown: serde_json::Value = serde_json::from_str(&answer.body).expect("JSON");
    let value = &shown["results"]["bindings"][0]["n"]["value"];
    value.as_str().and_then(|value| value.parse().ok()).expect("a number")
}

const BEGIN: &str = "<http://liris.cnrs.fr/silex/2009/ktbs#hasBegin>";

#[test]
fn it_is_a_plugin() {
    let ktbs = TestKtbs::with_trace(|_| {});
    get(&ktbs, "b/t/@obsels", "ASK { }", "*/*").expect(404);
    ktbs.post("b/t/", QUERY, "ASK { }").expect(415);
    ktbs.post("b/t/", FORM, "query=ASK%20%7B%7D").expect(415);
}

#[test]
fn the_three_ways_to_ask_give_the_same() {
    let ktbs = ktbs(false);
    let text = format!("SELECT ?o {{ ?o {BEGIN} ?b }} ORDER BY ?b");
    let answers = [
        get(&ktbs, "b/t/@obsels", &text, JSON),
        ktbs.send(
            "POST",
            "b/t/@obsels",
            &[("Content-Type", QUERY), ("Accept", JSON)],
            text.as_bytes(),
        ),
        ktbs.send(
            "POST",
            "b/t/@obsels",
            &[("Content-Type", &format!("{QUERY}; charset=utf-8")), ("Accept", JSON)],
            text.as_bytes(),
        ),
        ktbs.send(
            "POST",
            "b/t/@obsels?scope=ignored",
            &[("Content-Type", FORM), ("Accept", JSON)],
            format!("scope=graph&query={}", encoded(&text)).as_bytes(),
        ),
    ];
    for answer in answers {
        let answer = answer.expect(200);
        assert_eq!(answer.header("content-type"), JSON);
        assert_eq!((answer.header("etag"), answer.header("cache-control")), ("", ""));
        let shown: serde_json::Value = serde_json::from_str(&answer.body).expect("JSON");
        let rows = shown["results"]["bindings"].as_array().expect("rows").clone();
        let values: Vec<_> = rows
            .iter()
            .map(|row| row["o"]["value"].as_str().expect("an IRI"))
            .collect();
        assert_eq!(values, [format!("{ROOT}b/t/a"), format!("{ROOT}b/t/b")]);
    }
}

#[test]
fn results_have_the_type_that_the_client_prefers() {
    let ktbs = ktbs(false);
    let (select, ask) = ("SELECT ?s { ?s ?p 1 }", "ASK { ?s ?p 1 }");
    let construct = "CONSTRUCT { ?s <x:p> ?o } WHERE { ?s ?p ?o FILTER(?o = 1) }";
    for (query, accept, expected) in [
        (select, "", XML),
        (select, "*/*", XML),
        (select, JSON, JSON),
        (select, "text/csv", "text/csv"),
        (select, "text/tab-separated-values", "text/tab-separated-values"),
        (
            select,
            "application/sparql-results+json;q=0.5, application/sparql-results+xml;q=0.4",
            JSON,
        ),
        (select, "image/png", JSON),
        (ask, "*/*", XML),
        (ask, "text/csv", JSON),
        (construct, "", "text/turtle"),
        (construct, "application/rdf+xml", "application/rdf+xml"),
        (construct, "application/n-triples", "application/n-triples"),
        (construct, "text/plain", "text/plain"),
        (construct, "*/*", "text/turtle"),
        (construct, "application/ld+json", "application/ld+json"),
        (construct, "application/*", "application/rdf+xml"),
        (
            construct,
            "text/turtle;q=0.1, application/ld+json;q=0.2",
            "application/ld+json",
        ),
        (construct, "text/turtle;q=0, */*;q=0.1", "application/rdf+xml"),
        (select, "application/json", JSON),
        (select, "text/*", "text/csv"),
        (
            select,
            "text/csv;q=0.3, text/tab-separated-values;q=0.4",
            "text/tab-separated-values",
        ),
        (select, "application/sparql-results+xml;q=0, */*", JSON),
        (
            ask,
            "text/tab-separated-values, application/sparql-results+xml;q=0.1",
            XML,
        ),
        (construct, "image/png", "text/turtle"),
        ("DESCRIBE <b>", "text/turtle", "text/turtle"),
    ] {
        let answer = get(&ktbs, "b/t/@obsels", query, accept).expect(200);
        let media_type = answer.header("content-type");
        assert_eq!(media_type.split(';').next(), Some(expected), "{query} {accept}");
        let has_charset = media_type.contains("; charset=utf-8");
        let is_text = expected.starts_with("text/") || expected.ends_with("xml");
        assert_eq!(has_charset, is_text, "{media_type}");
        assert!(
            answer
                .headers("vary")
                .iter()
                .any(|vary| vary.to_ascii_lowercase().contains("accept")),
            "{answer:?}"
        );
        assert!(!answer.body.is_empty());
    }
    let csv = get(
        &ktbs,
        "b/t/@obsels",
        &format!("SELECT ?o ?b {{ ?o {BEGIN} ?b }} ORDER BY DESC(?b)"),
        "text/csv",
    );
    assert_eq!(
        csv.body.lines().collect::<Vec<_>>(),
        ["o,b", &format!("{ROOT}b/t/b,2"), &format!("{ROOT}b/t/a,1")]
    );
    let yes = get(&ktbs, "b/t/@obsels", ask, JSON).body;
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&yes).expect("JSON")["boolean"],
        true
    );
}

#[test]
fn the_data_are_those_of_the_resource() {
    let ktbs = ktbs(false);
    let obsels = format!("?o {BEGIN} ?b");
    for (path, pattern, expected) in [
        ("b/t/@obsels", &*obsels, 2),
        ("b/t/@obsels", "<a> ?p ?o FILTER(ISLITERAL(?o) && LANG(?o) = 'en')", 1),
        ("b/t/a", &obsels, 1),
        ("b/t/", &obsels, 0),
        ("b/t/", "?s a <http://liris.cnrs.fr/silex/2009/ktbs#StoredTrace>", 1),
        (
            "b/t/@stats",
            "?s <http://tbs-platform.org/2016/trace-stats#obselCount> 2",
            1,
        ),
        // What is computed is brought up to date first.
        ("b/c/@obsels", &obsels, 2),
        ("b/c/b", &obsels, 1),
        ("b/", &obsels, 0),
        ("b/?scope=subtree", &obsels, 4),
        (
            "b/?scope=subtree",
            "GRAPH ?g { ?o ?p 1 } FILTER(STRENDS(STR(?g), 'c/@obsels'))",
            2,
        ),
        ("?scope=subtree", "?s a <http://liris.cnrs.fr/silex/2009/ktbs#Base>", 1),
        ("b/t/?scope=subtree", &obsels, 2),
        // The usual prefixes are known.
        (
            "b/t/@obsels",
            "?s rdf:type ?t OPTIONAL { ?s rdfs:label ?l ; skos:note ?n }",
            3,
        ),
    ] {
        assert_eq!(count(&ktbs, path, pattern), expected, "{path} {pattern}");
    }
    ktbs.post_turtle("b/t/", "<z> a <../m#A> ; k:hasTrace <> ; k:hasBegin 9 .")
        .expect(201);
    assert_eq!(count(&ktbs, "b/c/@obsels", &obsels), 3);
    assert_eq!(count(&ktbs, "b/?scope=subtree", &obsels), 6);
}

#[test]
fn types_are_found_wherever_they_stand() {
    let ktbs = ktbs(false);
    let (path, types) = ("b/t/@obsels", "?x a ?type");
    // Types and times alone: nothing else of the obsels is read.
    assert_eq!(count(&ktbs, path, &format!("?x a ?type ; {BEGIN} ?b")), 2);
    let before = count(&ktbs, path, types);
    let obsel = "<c> a <../m#C> ; k:hasTrace <> ; k:hasBegin 3 ; <../m#seen> [ a <../m#Thing> ; <../m#size> 2 ] .";
    ktbs.post_turtle("b/t/", obsel).expect(201);
    assert_eq!(count(&ktbs, path, types), before + 2);
    assert_eq!(
        count(&ktbs, path, "?x a ?type . ?o ?p ?x"),
        2,
        "the collection, and the thing"
    );
    assert_eq!(count(&ktbs, path, &format!("?x a ?type ; {BEGIN} ?b")), 3);
}

#[test]
fn what_is_wrong_is_told() {
    let ktbs = ktbs(false);
    for (path, query, status, text) in [
        ("b/nothing", "ASK { }", 404, ""),
        ("b/t/@obsels", "SELECT ?x WHERE ?x ?y ?z }", 400, "Parse exception"),
        ("b/t/@obsels", "", 400, "Parse exception"),
        ("b/t/@obsels", "INSERT DATA { <a> <b> <c> }", 400, "Parse exception"),
        (
            "b/t/@obsels",
            "SELECT * { ?s unknown:p ?o }",
            400,
            "the prefix of unknown:p is not declared",
        ),
        (
            "b/t/@obsels",
            "SELECT * { GRAPH ?g { ?s ?p ?o } }",
            403,
            "You performed a query operation requiring a dataset",
        ),
        (
            "b/t/@obsels",
            "SELECT * FROM <http://example.org/> { ?s ?p ?o }",
            403,
            "FROM",
        ),
        (
            "b/t/@obsels",
            "SELECT * { SERVICE <http://127.0.0.1:9/> { ?s ?p ?o } }",
            403,
            "SERVICE",
        ),
        ("b/?scope=universe", "ASK { }", 400, "Unsupported scope 'universe'."),
        (
            "b/?scope=graph&scope=subtree",
            "ASK { }",
            400,
            "Multiple values for 'scope'.",
        ),
        ("b/?default-graph-uri=x", "ASK { }", 400, "default-graph-uri"),
        ("b/?named-graph-uri=x", "ASK { }", 400, "named-graph-uri"),
    ] {
        let answer = get(&ktbs, path, query, JSON);
        assert_eq!(answer.status, status, "{path} {query}: {}", answer.body);
        assert!(answer.body.contains(text), "{path} {query}: {}", answer.body);
        assert!(answer.header("content-type").starts_with("text/plain"), "{answer:?}");
    }
    let empty = ktbs.post("b/", FORM, "scope=graph").expect(400);
    assert!(empty.body.contains("Query not provided"), "{}", empty.body);
    ktbs.send("HEAD", "b/?query=ASK%20%7B%7D", &[], b"").expect(404);
    // Pages of other sites see answers and errors.
    for query in ["ASK { }", "ASK {"] {
        let answer = ktbs.get(
            &format!("b/?query={}", encoded(query)),
            &[("Origin", "https://a.example")],
        );
        assert_ne!(answer.header("access-control-allow-origin"), "", "{answer:?}");
    }
    // What cannot be computed is told as its own GET would.
    let trace = "<> k:contains <d/> . <d/> a k:ComputedTrace ; k:hasMethod k:filter ; k:hasSource <t/> ; k:hasParameter \"after=x\" .";
    ktbs.post_turtle("b/", trace).expect(201);
    get(&ktbs, "b/d/@obsels", "ASK { }", JSON).expect(409);
    assert_eq!(count(&ktbs, "b/?scope=subtree", &format!("?o {BEGIN} ?b")), 4);
}

#[test]
fn updates_are_refused_unless_they_are_allowed() {
    let off = ktbs(false);
    let update = "INSERT DATA { <> <http://www.w3.org/2000/01/rdf-schema#label> \"t\" }";
    off.post("b/t/", UPDATE, update).expect(403);
    off.post("b/t/", FORM, &format!("update={}", encoded(update)))
        .expect(403);
    let on = ktbs(true);
    let answer = on.post("b/t/", UPDATE, update).expect(200);
    assert_eq!(answer.body, "200 Ok\nUpdate query executed");
    let again = update.replace("\"t\"", "\"u\"");
    on.post("b/t/", FORM, &format!("update={}", encoded(&again)))
        .expect(200);
    assert_eq!(count(&on, "b/t/", "<> rdfs:label ?l"), 2);
    // The rules are those of a PUT, and what breaks them is told in the same way whatever it is.
    for (path, update, expected) in [
        (
            "b/t/",
            "INSERT DATA { <> <http://liris.cnrs.fr/silex/2009/ktbs#hasObselCollection> <x> }",
            "Can not edit out-property",
        ),
        ("b/t/", "DELETE WHERE { ?s ?p ?o }", "Can not edit"),
        ("b/t/", "LOAD <http://127.0.0.1:9/>", "LOAD"),
        ("b/t/", "INSERT DATA { GRAPH <x:g> { <a> <b> <c> } }", "GRAPH"),
        ("b/t/", "nonsense", "error at 1:"),
        ("b/t/", "ASK { }", "error at 1:"),
        (
            "b/t/@obsels",
            "INSERT { <a> <x:p> ?o } WHERE { SERVICE <http://127.0.0.1:9/> { ?s ?p ?o } }",
            "SERVICE",
        ),
        (
            "b/t/@obsels",
            "DELETE { <a> ?p 1 } INSERT { <a> ?p 'noon' } WHERE { <a> ?p 1 }",
            "hasBegin",
        ),
        (
            "b/c/@obsels",
            "DELETE WHERE { ?s ?p ?o }",
            "Can not directly edit obsels of computed trace.",
        ),
    ] {
        for (content_type, body) in [
            (UPDATE, update.to_owned()),
            (FORM, format!("update={}", encoded(update))),
        ] {
            let answer = on.post(path, content_type, &body).expect(400);
            assert!(
                answer.body.starts_with("400 Bad update query\n") && answer.body.contains(expected),
                "{path} {update}: {}",
                answer.body
            );
        }
    }
    let answer = on.post("b/t/?scope=subtree", UPDATE, "INSERT DATA { <> rdfs:label \"v\" }");
    assert_eq!(
        answer.expect(400).body,
        "400 Bad Request\nUnsupported scope 'subtree' for SPARQL update."
    );
    on.post("b/nothing", UPDATE, again.as_str()).expect(404);
    // An empty update changes nothing.
    on.post("b/t/", UPDATE, "").expect(200);
    assert_eq!(count(&on, "b/t/", "<> rdfs:label ?l"), 2);
    let both = format!("query=ASK%20%7B%7D&update={}", encoded(update));
    on.post("b/t/", FORM, &both).expect(400);
    on.get(&format!("b/t/?update={}", encoded(update)), &[]).expect(404);
    // Obsels are changed by the rules of their own PUT.
    let retype = "DELETE { <a> a ?t } INSERT { <a> a <../m#C> } WHERE { <a> a ?t }";
    on.post("b/t/@obsels", UPDATE, retype).expect(200);
    assert_eq!(count(&on, "b/t/@obsels", "<a> a <../m#C>"), 1);
    assert_eq!(count(&on, "b/c/@obsels", "<a> a <../m#C>"), 1);
}

#[test]
fn requests_have_the_forms_of_the_protocol() {
    let ktbs = ktbs(true);
    let ask = |text: &str| encoded(&format!("ASK {{ {text} }}"));
    let answer_of = |answer: Answer| -> bool {
        let shown: serde_json::Value = serde_json::from_str(&answer.expect(200).body).expect("JSON");
        shown["boolean"].as_bool().expect("a boolean")
    };
    let (yes, no) = (ask("<a> ?p ?o"), ask("<z> ?p ?o"));
    let json = [("Accept", JSON)];
    // Of several queries, the first counts; parameters that the protocol does not know are left aside; extensions too.
    for (path, expected) in [
        (format!("b/t/@obsels?query={yes}&query={no}"), true),
        (format!("b/t/@obsels?query={no}&query={yes}"), false),
        (format!("b/t/@obsels?query={yes}&foo=1&_=2"), true),
        (format!("b/t/@obsels.ttl?query={yes}"), true),
        (format!("b/t/@obsels?format=xml&query={yes}"), true),
    ] {
        assert_eq!(answer_of(ktbs.get(&path, &json)), expected, "{path}");
    }
    let form = |content_type: &str, body: &str| {
        ktbs.send(
            "POST",
            "b/t/@obsels",
            &[("Content-Type", content_type), ("Accept", JSON)],
            body.as_bytes(),
        )
    };
    assert!(answer_of(form(FORM, &format!("query={yes}&query={no}"))));
    assert!(answer_of(form(
        &format!("{FORM}; charset=UTF-8"),
        &format!("query={}", yes.replace("%20", "+"))
    )));
    assert!(answer_of(form(
        "Application/X-WWW-Form-Urlencoded",
        &format!("query={yes}")
    )));
    form(FORM, "").expect(400);
    form(FORM, "default-graph-uri=x&query=ASK%20%7B%7D").expect(400);
    ktbs.post("b/t/", "multipart/form-data; boundary=x", "--x--")
        .expect(415);
    // A charset is that of the body.
    let latin = "ASK { BIND('\u{e9}' AS ?x) FILTER(STRLEN(?x) = 1) }"
        .chars()
        .map(|c| c as u8)
        .collect::<Vec<u8>>();
    let content_type = format!("{QUERY}; charset=iso-8859-1");
    let answer = ktbs.send(
        "POST",
        "b/t/@obsels",
        &[("Content-Type", &*content_type), ("Accept", JSON)],
        &latin,
    );
    assert!(answer_of(answer));
    ktbs.send("POST", "b/t/@obsels", &[("Content-Type", QUERY)], &latin)
        .expect(400);
    let unknown = format!("{QUERY}; charset=klingon");
    ktbs.send("POST", "b/t/@obsels", &[("Content-Type", &*unknown)], b"ASK { }")
        .expect(415);
    // Long ones.
    let long = format!("ASK {{ <a> ?p ?o }} # {}", "x".repeat(200_000));
    assert!(answer_of(form(QUERY, &long)));
    let answer = form(QUERY, &format!("ASK {{ <a> ?p ?o }} # {}", "x".repeat(300_000))).expect(400);
    assert!(answer.body.len() < 1000, "{}", answer.body);
    // Neither a HEAD nor a PUT is of the protocol.
    ktbs.send("HEAD", &format!("b/t/?query={yes}"), &[], b"").expect(404);
    ktbs.put("b/t/", &[("Content-Type", QUERY)], "ASK { }").expect(403);
}

#[test]
fn graphs_are_the_same_in_each_syntax() {
    let ktbs = ktbs(false);
    let construct = "CONSTRUCT { ?o <x:p> [ <x:q> ?v, '\\u00e9\\n'@fr, 1.50, <../x> ] } WHERE { ?o <../m#v> ?v }";
    let parsed = |media_type: &str| {
        let answer = get(&ktbs, "b/t/@obsels", construct, media_type).expect(200);
        let parse = ktbs::format::parser(media_type)
            .and_then(|format| format.parse)
            .expect("a parser");
        let context = ktbs::format::Context {
            base: &format!("{ROOT}b/t/@obsels"),
            shape: ktbs::resource::Shape::DataGraph,
            parent: None,
            parent_is_root: false,
            model: None,
            replacing: true,
            limits: &ktbs.app.config.limits.payload,
        };
        parse(answer.body.as_bytes(), &context).unwrap_or_else(|error| panic!("{media_type}: {error}"))
    };
    let expected = parsed("text/plain");
    assert_eq!(expected.len(), 5);
    for media_type in [
        "text/turtle",
        "application/rdf+xml",
        "application/n-triples",
        "application/ld+json",
        "text/n3",
        "application/xml",
    ] {
        let found = parsed(media_type);
        let same = sophia::isomorphism::isomorphic_graphs(&expected, &found).expect("graphs in memory");
        assert!(same, "{media_type}: {found:?}");
    }
}
