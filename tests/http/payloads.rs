//! Payloads: each media type and extension, and what simple JSON may leave unsaid (kTBS documentation, "Formats").

use serde_json::{Value, json};

use crate::support::{ROOT, TestKtbs, turtle};

const K: &str = "http://liris.cnrs.fr/silex/2009/ktbs#";
const CONTEXT: &str = "http://liris.cnrs.fr/silex/2011/ktbs-jsonld-context";

/// The same obsel in each syntax.
fn syntaxes() -> [(&'static [&'static str], String); 5] {
    [
        (
            &[
                "text/turtle",
                "text/x-turtle",
                "application/turtle",
                "application/x-turtle",
                "text/n3",
                "TEXT/Turtle; charset=UTF-8",
                "",
            ],
            turtle("[] k:hasTrace <> ; k:hasBegin 3 ; k:hasSubject \"é\" ."),
        ),
        (
            &["application/rdf+xml", "application/xml"],
            format!(
                "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns='{K}'><rdf:Description>
                <hasTrace rdf:resource=''/><hasSubject>é</hasSubject>
                <hasBegin rdf:datatype='http://www.w3.org/2001/XMLSchema#integer'>3</hasBegin></rdf:Description></rdf:RDF>"
            ),
        ),
        (
            &["text/nt", "text/plain", "application/n-triples"],
            format!(
                "_:o <{K}hasTrace> <{ROOT}b/t/> .\n_:o <{K}hasSubject> \"\\u00e9\" .
                _:o <{K}hasBegin> \"3\"^^<http://www.w3.org/2001/XMLSchema#integer> ."
            ),
        ),
        (
            &["application/json"],
            json!({"begin": 3, "subject": "é"}).to_string(),
        ),
        (
            &["application/ld+json"],
            json!({"@context": CONTEXT, "hasTrace": "", "begin": 3, "subject": "é"}).to_string(),
        ),
    ]
}

#[test]
fn each_media_type_is_read() {
    let ktbs = TestKtbs::with_trace(|_| {});
    for (media_types, body) in &syntaxes() {
        for media_type in *media_types {
            // An extension says nothing of the payload of a POST.
            for path in ["b/t/", "b/t/.json", "b/t/.ttl"] {
                let created = ktbs.post(path, media_type, body).expect(201);
                let obsel = created.body.trim_end().strip_prefix(ROOT).expect("below the root");
                let shown: Value = serde_json::from_str(&ktbs.get(obsel, &[]).expect(200).body).expect("JSON");
                assert_eq!(shown["begin"], 3, "{media_type}");
                assert_eq!(shown["subject"], "é", "{media_type}");
            }
        }
    }
}

#[test]
fn an_extension_selects_the_parser_of_a_put() {
    let ktbs = TestKtbs::with_trace(|_| {});
    for extension in ["ttl", "n3", "nt", "txt", "rdf", "xml", "json", "jsonld"] {
        let path = format!("b/m.{extension}");
        let shown = ktbs.get(&path, &[]).expect(200).body;
        let put = ktbs.put(&path, &[("Content-Type", "image/png")], &shown).expect(200);
        assert_eq!(put.header("vary"), "", "{extension}");
    }
    for path in [
        "b/m.html",
        "b/m.csv",
        "b/m.foo",
        "b/t/@obsels.csv",
        "b/t/@obsels.geojson",
        "b/t/@obsels.ndjson",
    ] {
        let refused = ktbs
            .put(path, &[("Content-Type", "text/turtle")], "<> a <x:T> .")
            .expect(404);
        assert!(refused.body.starts_with("404 Not Found\nBad extension\n"), "{path}");
    }
}

#[test]
fn notation3_is_tolerated_under_its_own_type_only() {
    let ktbs = TestKtbs::with_trace(|_| {});
    let body = turtle("<> is k:hasTrace of <o> . <o> has k:hasBegin 3 ; = <http://x/o> .");
    ktbs.post("b/t/", "text/turtle", &body).expect(400);
    ktbs.post("b/t/", "text/n3", &body).expect(201);
    let shown = ktbs.get("b/t/o.n3", &[]).expect(200);
    assert_eq!(shown.header("content-type"), "text/n3;charset=utf-8");
    assert!(shown.body.contains("sameAs"), "{}", shown.body);
    let put = body.replace(
        "<> is k:hasTrace of <o>",
        "<./> k:hasObselCollection <> . <> a k:StoredTraceObsels . <o> a k:Obsel",
    ) + " <o> k:hasTrace <./> ; k:hasEnd 4 .";
    ktbs.put("b/t/@obsels.ttl", &[], &put).expect(400);
    ktbs.put("b/t/@obsels.n3", &[], &put).expect(200);
    ktbs.post("b/t/", "text/n3", "{ <a> <b> <c> } => { <d> <e> <f> } .")
        .expect(400);
}

#[test]
fn simple_json_is_completed_from_what_it_is_posted_to() {
    let ktbs = TestKtbs::with_trace(|_| {});
    let stored =
        |id: &str, origin: Value| json!({"@type": "StoredTrace", "@id": id, "hasModel": "m", "origin": origin});
    for (path, body, status, said) in [
        (
            "",
            json!({"@type": "Base", "@id": "b1/", "label": "My base"}),
            201,
            "b1/",
        ),
        ("", json!({"@type": "Base"}), 201, "base/"),
        ("", json!({"@type": "Base"}), 201, "base-"),
        ("", json!({"@type": ["Base"], "@id": "b2/"}), 201, "b2/"),
        ("", json!({"@type": "Base", "label": "café À b"}), 201, "café-à-b/"),
        ("", json!({"@type": "Base", "@id": "x5"}), 403, "URI must end with '/'"),
        (
            "",
            json!({"@type": "Base", "@id": "a.b/"}),
            403,
            "the created item is invalid: [a.b]",
        ),
        ("b/", json!({"@type": "Base", "@id": "s1/"}), 201, "b/s1/"),
        ("b/", json!({"@type": "Base", "@id": "s2/", "inRoot": ""}), 201, "b/s2/"),
        (
            "b/",
            json!({"@type": "Base", "@id": "s3/", "inBase": "./"}),
            201,
            "b/s3/",
        ),
        (
            "b/",
            json!({"@graph": [{"@type": "TraceModel", "@id": "m1"}, {"@type": "ObselType", "@id": "m1#t"}]}),
            201,
            "b/m1",
        ),
        (
            "b/",
            json!({"@graph": [{"@type": "ObselType", "@id": "m2#t"}, {"@type": "TraceModel", "@id": "m2"}]}),
            201,
            "b/m2",
        ),
        (
            "b/",
            json!({"@graph": {"@type": "TraceModel", "@id": "m3"}}),
            201,
            "b/m3",
        ),
        ("b/", json!({"@graph": []}), 400, ""),
        ("b/", stored("now/", json!("now")), 201, "b/now/"),
        ("b/", stored("date/", json!("1970-01-01T00:00:00Z")), 201, "b/date/"),
        (
            "b/",
            json!({"@type": "ComputedTrace", "@id": "c/", "hasMethod": "filter", "hasSource": "t/"}),
            201,
            "b/c/",
        ),
        (
            "b/",
            json!({"@type": "Method", "@id": "f", "hasParentMethod": "sparql", "parameter": "a=b"}),
            201,
            "b/f",
        ),
        ("b/date/", json!({}), 201, "b/date/o-"),
        ("b/date/", json!([{}]), 201, "b/date/o-"),
        ("b/date/", json!([]), 403, "No obsel found in posted graph"),
        (
            "b/date/",
            json!({"@type": "m:T", "begin": 1, "hasTrace": "../t/"}),
            403,
            "No obsel found in posted graph",
        ),
        ("b/date/", json!({"begin": "12"}), 201, "b/date/o-"),
        (
            "b/date/",
            json!({"begin": 1.5}),
            403,
            "Can not convert timestamps to int: [1.5",
        ),
        (
            "b/date/",
            json!({"begin": 15, "end": 10}),
            403,
            "End timestamp is before begin timestamp [15,10]",
        ),
        ("b/t/", json!({}), 403, ""),
        ("", json!({}), 400, ""),
        ("", json!([]), 400, ""),
        ("", json!({"@type": "base"}), 400, ""),
        ("b/", json!({}), 400, ""),
        ("b/", json!([]), 400, ""),
        ("b/", json!("foo"), 400, ""),
        ("b/t/", json!(1), 400, ""),
        ("b/c/", json!({"begin": 1}), 405, ""),
        ("b/m", json!({"@type": "ObselType", "@id": "#T"}), 405, ""),
    ] {
        let answer = ktbs.post(path, "application/json", &body.to_string());
        assert_eq!(answer.status, status, "{path} {body}: {}", answer.body);
        let said = if status == 201 {
            format!("{ROOT}{said}")
        } else {
            said.to_owned()
        };
        assert!(answer.body.contains(&said), "{path} {body}: {}", answer.body);
    }
}

#[test]
fn nothing_of_json_ld_is_guessed() {
    let ktbs = TestKtbs::with_trace(|_| {});
    for (path, body, status) in [
        (
            "",
            json!({"@context": CONTEXT, "@type": "Base", "@id": "x1/", "inRoot": ""}),
            201,
        ),
        (
            "",
            json!({"@context": CONTEXT, "@id": "", "hasBase": {"@type": "Base", "@id": "x2/"}}),
            201,
        ),
        (
            "b/",
            json!({"@context": CONTEXT, "@id": "", "hasBase": {"@type": "Base", "@id": "x3/"}}),
            201,
        ),
        ("", json!({"@context": CONTEXT, "@type": "Base", "@id": "x4/"}), 403),
        ("", json!({"@type": "Base", "@id": "x5/", "inRoot": ""}), 403),
        (
            "b/t/",
            json!({"@context": [CONTEXT, {"m": "model#"}], "hasTrace": "", "begin": 1}),
            400,
        ),
        (
            "b/t/",
            json!({"@context": ["http://example.org/context"], "hasTrace": "", "begin": 1}),
            400,
        ),
        (
            "b/t/",
            json!({"@context": CONTEXT, "hasTrace": "", "begin": 1, "k:v": {"@value": "1.5", "@type": "xsd:double"}}),
            403,
        ),
        (
            "b/t/",
            json!({"@context": CONTEXT, "hasTrace": "", "begin": 1, "x:v": {"@value": "1.5", "@type": "xsd:double"}}),
            201,
        ),
    ] {
        let answer = ktbs.post(path, "application/ld+json", &body.to_string());
        assert_eq!(answer.status, status, "{path} {body}: {}", answer.body);
    }
}

#[test]
fn an_array_may_take_the_place_of_the_collection() {
    let ktbs = TestKtbs::with_trace(|_| {});
    let etag = ktbs
        .get("b/t/@obsels", &[("Accept", "application/json")])
        .header("etag")
        .to_owned();
    let headers = [("Content-Type", "application/json"), ("If-Match", etag.as_str())];
    let body = json!([{"@id": "o", "@type": "m:T", "begin": 1, "end": 2}]).to_string();
    let put = ktbs.put("b/t/@obsels", &headers, &body).expect(200);
    let put: Value = serde_json::from_str(&put.body).expect("JSON");
    assert_eq!(
        put["obsels"],
        json!([{"@id": "o", "@type": "m:T", "begin": 1, "end": 2}])
    );
}
