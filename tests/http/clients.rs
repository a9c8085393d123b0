//! What existing clients send and rely on, as read in their sources: each test is named after one.

use serde_json::{Value, json};

use crate::support::{ROOT, TestKtbs};

const JSON: (&str, &str) = ("Accept", "application/json");

fn read(ktbs: &TestKtbs, path: &str) -> Value {
    serde_json::from_str(&ktbs.get(path, &[JSON]).expect(200).body).expect("JSON")
}

fn post(ktbs: &TestKtbs, path: &str, body: &Value) -> String {
    let answer = ktbs.post(path, "application/json", &body.to_string()).expect(201);
    // `new URL(responseText)`: a line break at the end is all that it forgives.
    let uri = answer.body.trim_end().to_owned();
    assert!(uri.starts_with(ROOT) && !uri.contains('\n'), "{uri}");
    uri
}

/// A kTBS with a computed trace of one parameter and one source, as this client makes them.
fn ktbs() -> TestKtbs {
    let ktbs = TestKtbs::with_trace(|config| {
        config.plugins.cors = true;
        config.cors_allow_origin = vec!["http://a.example".to_owned()];
        config.plugins.sparql_endpoints = true;
    });
    post(
        &ktbs,
        "b/",
        &json!({"@type": "ComputedTrace", "@id": "c/", "hasMethod": "filter", "hasSource": ["t/"], "parameter": ["after=0"]}),
    );
    ktbs
}

#[test]
fn taaabs3_finds_the_next_page_by_cutting_the_header() {
    let ktbs = ktbs();
    let batch: Vec<Value> = (1..=5).map(|n| json!({"@id": format!("o{n}"), "begin": n})).collect();
    ktbs.post("b/t/", "application/json", &json!(batch).to_string())
        .expect(201);
    let (mut path, mut ids) = ("b/t/@obsels?limit=2".to_owned(), Vec::new());
    for _ in 0..4 {
        let answer = ktbs.get(&path, &[JSON]).expect(200);
        let page: Value = serde_json::from_str(&answer.body).expect("JSON");
        let obsels = page["obsels"].as_array().expect("an array").iter();
        ids.extend(obsels.map(|obsel| obsel["@id"].as_str().expect("a string").to_owned()));
        // What comes through mod_fcgid is one header.
        let header = answer.headers("link").join(", ");
        let next = header.split(", ").find_map(|link| {
            let parts: Vec<&str> = link.split(';').collect();
            (parts.len() == 2 && parts[1] == "rel=\"next\"").then(|| parts[0].trim_matches(['<', '>']).to_owned())
        });
        let Some(next) = next else { break };
        let (_, after) = next.split_once("after=").expect("the parameter after");
        path = format!("b/t/@obsels?limit=2&after={after}");
    }
    assert_eq!(ids, ["o1", "o2", "o3", "o4", "o5"]);
}

#[test]
fn taaabs3_puts_back_what_it_read_with_the_etag_of_prop_and_then_that_of_the_put() {
    let ktbs = ktbs();
    for path in ["", "b/"] {
        let got = ktbs.get(&format!("{path}?prop=label"), &[JSON]).expect(200);
        let mut document = read(&ktbs, path);
        let mut etag = got.header("etag").to_owned();
        for label in ["one", "two"] {
            document["label"] = json!(label);
            let headers = [JSON, ("Content-Type", "application/json"), ("If-Match", etag.as_str())];
            let put = ktbs.put(path, &headers, &document.to_string()).expect(200);
            assert_ne!(put.header("etag"), etag);
            etag = put.header("etag").to_owned();
        }
        assert_eq!(read(&ktbs, path)["label"], "two");
        let delete = ktbs.send("DELETE", path, &[("If-Match", &etag)], b"");
        assert_eq!(delete.status, if path.is_empty() { 405 } else { 409 });
    }
}

#[test]
fn taaabs3_reads_arrays_that_stay_arrays() {
    let ktbs = ktbs();
    post(
        &ktbs,
        "b/t/",
        &json!({"@id": "o", "@type": "m:T", "begin": 1, "hasSourceObsel": "http://x/o", "m:a": "v"}),
    );
    let root = read(&ktbs, "?prop=label");
    assert!(
        root["hasBuiltinMethod"].is_array() && root["hasBase"].is_array(),
        "{root}"
    );
    assert!(root["version"].is_string());
    let base = read(&ktbs, "b/?prop=label");
    for item in base["contains"].as_array().expect("an array") {
        assert!(item["@id"].is_string() && item["@type"].is_string(), "{item}");
    }
    assert_eq!(base["inRoot"], "../");
    let (source, computed) = (read(&ktbs, "b/t/"), read(&ktbs, "b/c/"));
    assert_eq!(source["isSourceOf"], json!(["../c/"]));
    assert_eq!(source["hasModel"], "../m");
    assert_eq!(source["hasObselList"], "./@obsels");
    assert_eq!(source["hasTraceStatistics"], "./@stats");
    assert_eq!(computed["hasSource"], json!(["../t/"]));
    assert_eq!(computed["parameter"], json!(["after=0"]));
    assert_eq!(computed["hasMethod"], "filter");
    let model = read(&ktbs, "b/m");
    assert_eq!(model["@graph"][0]["@type"], "TraceModel");
    let obsels = read(&ktbs, "b/t/@obsels");
    assert_eq!(obsels["@context"][1]["m"], format!("{ROOT}b/m#"));
    let expected =
        json!([{"@id": "o", "@type": "m:T", "begin": 1, "end": 1, "hasSourceObsel": ["http://x/o"], "m:a": "v"}]);
    assert_eq!(obsels["obsels"], expected);
    let stats = read(&ktbs, "b/t/@stats");
    assert_eq!(
        (&stats["stats:obselCount"], &stats["stats:maxTime"]),
        (&json!(1), &json!(1))
    );
}

#[test]
fn taaabs3_asks_for_the_values_of_an_attribute_by_sparql() {
    let ktbs = ktbs();
    post(&ktbs, "b/t/", &json!({"@type": "m:T", "begin": 1, "m:a": "v"}));
    let query = format!("SELECT DISTINCT ?v {{ ?o <{ROOT}b/m#a> ?v }}");
    let answer = ktbs.send(
        "POST",
        "b/t/@obsels",
        &[
            ("Content-Type", "application/sparql-query"),
            ("Accept", "application/sparql-results+json"),
            ("If-Match", "W/\"application/json/1\""),
        ],
        query.as_bytes(),
    );
    let results: Value = serde_json::from_str(&answer.expect(200).body).expect("JSON");
    assert_eq!(results["results"]["bindings"][0]["v"]["value"], "v");
}

#[test]
fn every_answer_reaches_the_script_of_an_allowed_origin() {
    let ktbs = ktbs();
    let origin = ("Origin", "http://a.example");
    let preflight = [
        origin,
        ("Access-Control-Request-Method", "PUT"),
        (
            "Access-Control-Request-Headers",
            "authorization,content-type,if-match,if-none-match,x-requested-with",
        ),
    ];
    for path in ["", "b/", "nowhere", "b/t/nothing", "@api", "/elsewhere"] {
        let answer = ktbs.send("OPTIONS", path, &preflight, b"").expect(200);
        assert_eq!(answer.header("access-control-allow-headers"), preflight[2].1, "{path}");
        assert_eq!(
            answer.header("access-control-allow-methods"),
            "GET, HEAD, PUT, POST, DELETE"
        );
    }
    for (method, path, status) in [
        ("GET", "b/", 200),
        ("HEAD", "b/", 200),
        ("GET", "nowhere", 404),
        ("GET", "b/.doc", 404),
        ("GET", "/elsewhere", 404),
        ("GET", "%FF", 400),
        ("PUT", "b/", 403),
        ("PUT", "b/.ttl", 400),
        ("POST", "b/m", 400),
        ("PATCH", "b/", 405),
        ("DELETE", "b/", 409),
        ("GET", "@context", 200),
        ("POST", "@api", 405),
        ("GET", "b/?query=x", 400),
    ] {
        let answer = ktbs.send(method, path, &[origin], b"!").expect(status);
        let exposed = answer.header("access-control-expose-headers");
        for name in [
            "etag",
            "x-etags",
            "location",
            "link",
            "content-location",
            "last-modified",
        ] {
            assert!(exposed.split(", ").any(|it| it == name), "{method} {path}: {exposed}");
        }
        assert_eq!(
            answer.header("access-control-allow-origin"),
            "http://a.example",
            "{method} {path}"
        );
        assert!(answer.header("vary").ends_with("origin"), "{method} {path}");
        let other = ktbs
            .send(method, path, &[("Origin", "http://b.example")], b"!")
            .expect(status);
        assert_eq!(other.header("access-control-allow-origin"), "", "{method} {path}");
    }
}

#[test]
fn moodle_reads_by_extension_and_deletes_with_the_type_of_a_form() {
    let ktbs = ktbs();
    let got = ktbs.get("b/t/@obsels.json", &[]).expect(200);
    assert_eq!(got.header("content-type"), "application/json");
    let headers = [("If-Match", got.header("etag")), ("Content-Type", "application/json")];
    let list = json!({"@context": ["http://liris.cnrs.fr/silex/2011/ktbs-jsonld-context", {"m": format!("{ROOT}b/m#")}],
        "@id": "./", "hasObselList": {"@id": "", "@type": "StoredTraceObsels"},
        "obsels": [{"@id": "o1", "@type": "m:T", "begin": 1, "end": 1}]});
    ktbs.put("b/t/@obsels", &headers, &list.to_string()).expect(200);
    // Its writer makes Latin-1 of what is not ASCII.
    let latin = ktbs.send(
        "POST",
        "b/t/",
        &[("Content-Type", "application/json")],
        b"{\"subject\": \"\xe9\"}",
    );
    assert!(latin.expect(400).body.starts_with("400 Bad Request - Parse error\n"));
    ktbs.send(
        "DELETE",
        "b/t/o1",
        &[("Content-Type", "application/x-www-form-urlencoded")],
        b"",
    )
    .expect(204);
}

#[test]
fn ktbs4j_speaks_rdf_xml_and_keeps_what_it_has() {
    let ktbs = ktbs();
    let xml = ("Accept", "application/rdf+xml");
    let got = ktbs.get("b/c/", &[xml]).expect(200);
    let etag = got.header("etag").to_owned();
    ktbs.get("b/c/", &[xml, ("If-None-Match", &etag)]).expect(304);
    let headers = [
        xml,
        ("Content-Type", "application/rdf+xml"),
        ("If-Match", etag.as_str()),
    ];
    ktbs.put("b/c/", &headers, &got.body).expect(200);
    let base = "<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\" \
        xmlns=\"http://liris.cnrs.fr/silex/2009/ktbs#\"><Base rdf:about=\"x/\"/>\
        <rdf:Description rdf:about=\"\"><hasBase rdf:resource=\"x/\"/></rdf:Description></rdf:RDF>";
    let created = ktbs.post("", "application/rdf+xml", base).expect(201);
    assert_eq!(created.header("location"), format!("{ROOT}x/"));
    ktbs.delete("x/").expect(204);
}

#[test]
fn ktbs4js_leaves_ids_empty_and_samotraces_traces() {
    let ktbs = ktbs();
    let obsels = json!([
        {"@id": "", "@type": "Click", "begin": 1, "end": 2, "subject": "me", "x": 1},
        {"@id": "", "@type": "Click", "begin": 3, "end": 3, "subject": "me", "y": 2},
    ]);
    let answer = ktbs.post("b/t/", "application/json", &obsels.to_string()).expect(201);
    assert_eq!(answer.body.lines().count(), 2);
    let turtle = "@prefix : <http://liris.cnrs.fr/silex/2009/ktbs#>.\n@prefix m: <model#>.\n\n\
        [ :hasTrace <> ;\n  a m:Click ;\n  :hasBegin 5 ;\n  :hasEnd 5 ;\n  :hasSubject \"me\" ;\n  m:x 1;\n] .\n";
    ktbs.post("b/t/", "text/turtle", turtle).expect(201);
    let obsel = json!({"@context": ["http://liris.cnrs.fr/silex/2011/ktbs-jsonld-context", {"m": format!("{ROOT}b/m#")}],
        "@type": "m:Click", "hasTrace": "", "begin": 7, "end": 7});
    post(&ktbs, "b/t/", &obsel);
    assert_eq!(read(&ktbs, "b/t/@stats")["stats:obselCount"], 4);
    let refused = ktbs.get("b/t/@obsels?begin=1&end=2&reverse=true", &[]).expect(404);
    assert!(
        refused.body.ends_with("Unsupported parameter(s):begin, end"),
        "{}",
        refused.body
    );
    let busted = ktbs.get("b/t/@obsels?_=123", &[JSON]).expect(200);
    assert_eq!(busted.header("cache-control"), "no-cache");
}

#[test]
fn tconnect_speaks_turtle_only_and_cuts_the_raw_header() {
    let ktbs = ktbs();
    let turtle = "@prefix : <http://liris.cnrs.fr/silex/2009/ktbs#> .\n<> :hasBase <base1/> .\n<base1/> a :Base .";
    ktbs.send("POST", "", &[("Content-type", "text/turtle")], turtle.as_bytes())
        .expect(201);
    let undeclared = turtle.replace("a :Base", "a :Base ; rdfs:label \"x\"");
    let refused = ktbs
        .post("", "text/turtle", &undeclared.replace("base1", "base2"))
        .expect(400);
    assert!(refused.body.contains("line 3"), "{}", refused.body);
    // No Accept: what comes first.
    let got = ktbs.get("base1/", &[]).expect(200);
    assert_eq!(got.header("content-type"), "application/ld+json");
    assert!(got.header("etag").starts_with("W/\"application/ld+json/"));
}

#[test]
fn ktbs4as_and_older_clients_find_their_media_types_and_extensions() {
    let ktbs = ktbs();
    let graph = |name: &str| {
        let base = format!("{ROOT}b/");
        let k = "http://liris.cnrs.fr/silex/2009/ktbs#";
        format!(
            "<{base}> <{k}contains> <{base}{name}> .\n<{base}{name}> <{}type> <{k}DataGraph> .\n",
            "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
        )
    };
    for (n, media_type) in [
        "text/nt",
        "text/n3",
        "text/x-turtle",
        "application/turtle",
        "application/x-turtle",
    ]
    .into_iter()
    .enumerate()
    {
        ktbs.post("b/", media_type, &graph(&format!("d{n}"))).expect(201);
        let answer = ktbs.get("b/", &[("Accept", media_type)]).expect(200);
        assert!(answer.header("content-type").starts_with(media_type), "{answer:?}");
    }
    for (extension, media_type) in [
        ("nt", "text/nt;charset=utf-8"),
        ("rdf", "application/rdf+xml"),
        ("xml", "application/xml"),
        ("ttl", "text/turtle;charset=utf-8"),
        ("n3", "text/n3;charset=utf-8"),
        ("json", "application/json"),
        ("jsonld", "application/ld+json"),
        ("html", "text/html;charset=utf-8"),
    ] {
        for path in ["b/", "b/t/", "b/t/@obsels", "b/m"] {
            let answer = ktbs.get(&format!("{path}.{extension}"), &[]).expect(200);
            assert_eq!(answer.header("content-type"), media_type, "{path}.{extension}");
        }
    }
}

#[test]
fn what_clients_met_as_oddities_is_as_they_would_have_it() {
    let ktbs = ktbs();
    post(
        &ktbs,
        "b/",
        &json!({"@type": "StoredTrace", "@id": "now/", "hasModel": "m", "origin": "now"}),
    );
    let origin = read(&ktbs, "b/now/")["origin"].as_str().expect("a string").to_owned();
    assert!(origin.ends_with('Z') && !origin.contains('+'), "{origin}");
    // Without begin: now.
    let obsel = post(&ktbs, "b/now/", &json!({"@type": "m:Click", "m:attr": "v"}));
    let obsel = read(&ktbs, obsel.trim_start_matches(ROOT));
    assert!(
        obsel["begin"].is_u64() && obsel["@type"] == "m:Click" && obsel["m:attr"] == "v",
        "{obsel}"
    );
    for (body, expected) in [
        (
            json!({"begin": 5, "end": 3}),
            "End timestamp is before begin timestamp [5,3]",
        ),
        (json!({"begin": "2020-01-01T00:00:00Z"}), "Can not convert timestamps"),
        (
            json!([{"@id": "o", "begin": 1}, {"@id": "o2", "begin": "x"}]),
            "Can not convert timestamps",
        ),
    ] {
        let refused = ktbs.post("b/now/", "application/json", &body.to_string()).expect(403);
        assert!(refused.body.contains(expected), "{}", refused.body);
    }
    ktbs.get("b/now/o", &[JSON]).expect(404);
    ktbs.post("b/t/", "application/json", r#"{"@id": "o", "begin": 1}"#)
        .expect(201);
    let again = ktbs
        .post("b/t/", "application/json", r#"{"@id": "o", "begin": 1}"#)
        .expect(403);
    assert!(
        again.body.contains(&format!("URI already in use <{ROOT}b/t/o>")),
        "{}",
        again.body
    );
    let refused = ktbs
        .put("b/t/", &[("Content-Type", "application/json")], "{}")
        .expect(403);
    assert_eq!(refused.body, "403 Forbidden: 'if-match' is required");
    let refused = ktbs.delete("b/").expect(409);
    assert!(
        refused.body.contains("Can not delete non-empty Base"),
        "{}",
        refused.body
    );
    ktbs.send("PATCH", "b/", &[], b"").expect(405);
    let ranged = ktbs.get("b/", &[("Range", "bytes=0-3")]).expect(200);
    assert!(ranged.body.len() > 4);
    // A computed trace whose method is gone, or never was, can be deleted.
    post(
        &ktbs,
        "b/",
        &json!({"@type": "Method", "@id": "f", "hasParentMethod": "filter"}),
    );
    let lost =
        json!({"@type": "ComputedTrace", "@id": "lost/", "hasMethod": "f", "hasSource": ["t/"], "parameter": ["x=y"]});
    post(&ktbs, "b/", &lost);
    ktbs.delete("b/f").expect(409);
    ktbs.delete("b/lost/").expect(204);
    ktbs.delete("b/f").expect(204);
}
