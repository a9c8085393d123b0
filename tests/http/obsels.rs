//! Posting, reading, amending and deleting obsels (kTBS documentation, "obsel" and "obsel collection").

use serde_json::{Value, json};
use sophia::api::source::TripleSource;
use sophia::api::term::SimpleTerm;
use sophia::isomorphism::isomorphic_graphs;
use sophia::turtle::parser::turtle;

use crate::support::{Answer, ROOT, TestKtbs};

const JSON: (&str, &str) = ("Accept", "application/json");
const NT: (&str, &str) = ("Accept", "text/nt");
const DATED: &str = "2020-01-01T00:00:00Z";

/// Returns a kTBS with a model `b/m` (or `b/s`, in seconds) and an empty trace `b/t/` of some origin.
fn ktbs(model: &str, origin: &str, more: &str) -> TestKtbs {
    let ktbs = TestKtbs::new();
    ktbs.post_turtle("", "<> k:hasBase <b/> . <b/> a k:Base .").expect(201);
    for (name, unit) in [("m", "millisecond"), ("s", "second"), ("q", "sequence")] {
        let model = format!("<> k:contains <{name}> . <{name}> a k:TraceModel ; k:hasUnit k:{unit} .");
        ktbs.post_turtle("b/", &model).expect(201);
    }
    let trace =
        format!("<> k:contains <t/> . <t/> a k:StoredTrace ; k:hasModel <{model}> ; k:hasOrigin \"{origin}\" {more} .");
    ktbs.post_turtle("b/", &trace).expect(201);
    ktbs
}

fn post(ktbs: &TestKtbs, obsels: &Value) -> Answer {
    ktbs.post("b/t/", "application/json", &obsels.to_string())
}

/// Returns the ids, the begins and the ends of the trace, in its order.
fn places(ktbs: &TestKtbs) -> Vec<(String, i64, i64)> {
    let document: Value = serde_json::from_str(&ktbs.get("b/t/@obsels", &[JSON]).expect(200).body).expect("JSON");
    let obsels = document["obsels"].as_array().expect("an array");
    let place = |obsel: &Value| {
        let number = |key: &str| obsel[key].as_i64().expect("a number");
        (
            obsel["@id"].as_str().expect("a string").to_owned(),
            number("begin"),
            number("end"),
        )
    };
    obsels.iter().map(place).collect()
}

/// Returns the triples of a resource, as sorted lines of N-Triples.
fn triples(ktbs: &TestKtbs, path: &str) -> Vec<String> {
    let mut lines: Vec<String> = ktbs
        .get(path, &[NT])
        .expect(200)
        .body
        .lines()
        .map(str::to_owned)
        .collect();
    lines.sort();
    lines
}

fn seconds_since(date: &str) -> i64 {
    let now = ktbs::time::now().as_micros();
    (now - ktbs::time::parse_instant(date).expect("a date").as_micros()) / 1_000_000
}

#[test]
fn post_completes_begin_and_end() {
    type Case = (
        &'static str,
        &'static str,
        Value,
        std::result::Result<(i64, i64), &'static str>,
    );
    let cases: [Case; 12] = [
        ("m", DATED, json!({"begin": 5}), Ok((5, 5))),
        (
            "m",
            DATED,
            json!({"beginDT": "2020-01-01T00:00:01.5Z", "endDT": "2020-01-01T01:00:02+01:00"}),
            Ok((1500, 2000)),
        ),
        (
            "m",
            DATED,
            json!({"beginDT": "2020-01-01T00:00:01.5Z", "begin": 1500}),
            Ok((1500, 1500)),
        ),
        (
            "m",
            DATED,
            json!({"beginDT": "2020-01-01T00:00:01.5Z", "begin": 7}),
            Err("at most 1 objects; it has 2"),
        ),
        (
            "m",
            DATED,
            json!({"beginDT": "2020-13-01T00:00:00Z"}),
            Err("2020-13-01"),
        ),
        (
            "m",
            DATED,
            json!({"end": 300}),
            Err("End timestamp is before begin timestamp"),
        ),
        (
            "m",
            DATED,
            json!({"begin": 15, "end": 10}),
            Err("End timestamp is before begin timestamp [15,10]"),
        ),
        ("s", DATED, json!({"beginDT": "2020-01-01T00:00:02.5Z"}), Ok((2, 2))),
        ("s", DATED, json!({"beginDT": "2020-01-01T00:00:01.5Z"}), Ok((2, 2))),
        (
            "m",
            "opaque",
            json!({"begin": 3, "beginDT": "2020-01-01T00:00:00Z"}),
            Ok((3, 3)),
        ),
        ("m", "opaque", json!({"@type": "m:E"}), Err("is required")),
        ("q", DATED, json!({"@type": "m:E"}), Err("is required")),
    ];
    for (model, origin, obsel, expected) in cases {
        let ktbs = ktbs(model, origin, "");
        let answer = post(&ktbs, &obsel);
        match expected {
            Ok((begin, end)) => {
                answer.expect(201);
                let places = places(&ktbs);
                assert_eq!((places[0].1, places[0].2), (begin, end), "{obsel}");
            }
            Err(text) => {
                assert_eq!(answer.status, 403, "{obsel}: {}", answer.body);
                assert!(answer.body.contains(text), "{obsel}: {}", answer.body);
                assert!(places(&ktbs).is_empty(), "{obsel}");
            }
        }
    }
}

#[test]
fn post_without_begin_is_now() {
    let ktbs = ktbs("s", DATED, "");
    post(&ktbs, &json!({})).expect(201);
    let places = places(&ktbs);
    assert!((seconds_since(DATED) - places[0].1).abs() <= 5, "{places:?}");
    assert!(places[0].0.starts_with("o-"), "{places:?}");
    assert!(ktbs.get("b/t/@obsels", &[JSON]).body.contains("\"Obsel\""));
}

#[test]
fn post_gives_the_default_subject_to_obsels_without_one() {
    for (subject, key, value) in [
        ("\"bob\"", "subject", "bob"),
        ("<http://ex.org/bob>", "hasSubject", "http://ex.org/bob"),
    ] {
        let ktbs = ktbs("m", "o", &format!("; k:hasDefaultSubject {subject}"));
        post(
            &ktbs,
            &json!([{"@id": "a", "begin": 1}, {"@id": "b", "begin": 2, "subject": "eve"}]),
        )
        .expect(201);
        let get = |id: &str| -> Value {
            serde_json::from_str(&ktbs.get(&format!("b/t/{id}"), &[JSON]).expect(200).body).expect("JSON")
        };
        assert_eq!(get("a")[key], value);
        assert_eq!(get("b")["subject"], "eve");
    }
}

#[test]
fn post_of_a_batch_is_in_order_of_begin_then_end() {
    let ktbs = ktbs("m", DATED, "");
    let batch =
        json!([{"@id": "now"}, {"@id": "c", "begin": 2}, {"@id": "b", "begin": 1, "end": 9}, {"@id": "a", "begin": 1}]);
    let answer = post(&ktbs, &batch).expect(201);
    let expected: String = ["a", "b", "c", "now"]
        .iter()
        .map(|id| format!("{ROOT}b/t/{id}\r\n"))
        .collect();
    assert_eq!(answer.body, expected);
    let ids: Vec<String> = places(&ktbs).into_iter().map(|place| place.0).collect();
    assert_eq!(ids, ["a", "c", "b", "now"]);
}

#[test]
fn the_unit_of_the_model_is_followed_and_remembered_once_the_model_is_gone() {
    let ktbs = ktbs("s", DATED, "");
    let description = ktbs.get("b/t/", &[JSON]).expect(200);
    let ends = |id: &str| {
        post(&ktbs, &json!({"@id": id, "begin": 0, "endDT": "2020-01-01T00:00:03Z"})).expect(201);
        let places = places(&ktbs);
        places.into_iter().find(|place| place.0 == id).expect("the obsel").2
    };
    assert_eq!(ends("o1"), 3);
    let model = crate::support::turtle("<./> k:contains <> . <> a k:TraceModel ; k:hasUnit k:millisecond .");
    ktbs.put("b/s.ttl", &[], &model).expect(200);
    assert_eq!(ends("o2"), 3000);
    ktbs.delete("b/s").expect(204);
    assert_eq!(ends("o3"), 3000);
    let now = ktbs.get("b/t/", &[JSON]).expect(200);
    assert_eq!(
        now.header("etag"),
        description.header("etag"),
        "the description is the same"
    );
}

#[test]
fn timestamps_that_are_no_integers_are_told_as_they_were_posted() {
    let ktbs = ktbs("m", "o", "");
    for (times, told) in [
        ("k:hasBegin 'abc'", "[abc,abc]"),
        ("k:hasBegin 1; k:hasEnd 2.5", "[1,2.5]"),
        ("k:hasEnd 'z'", "[,z]"),
    ] {
        let answer = ktbs.post_turtle("b/t/", &format!("<o> k:hasTrace <>; {times} ."));
        let body = answer.expect(403).body;
        let start = format!(
            "403 Forbidden - Invalid data\ncheck_new_graph: ko\n* Can not convert timestamps to int: {told}\n* Property <"
        );
        assert!(body.starts_with(&start), "{body}");
    }
}

#[test]
fn post_of_a_batch_is_all_or_nothing() {
    let ktbs = ktbs("m", "o", "");
    post(&ktbs, &json!({"@id": "a", "begin": 1})).expect(201);
    let etag = ktbs.get("b/t/@obsels", &[JSON]).header("etag").to_owned();
    for batch in [
        json!([{"@id": "z1", "begin": 2}, {"@id": "z2", "begin": "x"}, {"@id": "z3", "begin": 3}]),
        json!([{"@id": "z1", "begin": 2}, {"@id": "a", "begin": 3}]),
        json!([{"@id": "z1", "begin": 2}, {"@id": "b.c", "begin": 3}]),
        json!([{"@id": "z1", "begin": 2}, {"@id": "z2", "begin": 3, "k:hasModel": {"@id": "m"}}]),
    ] {
        post(&ktbs, &batch).expect(403);
        assert_eq!(places(&ktbs).len(), 1, "{batch}");
        assert_eq!(ktbs.get("b/t/@obsels", &[JSON]).header("etag"), etag, "{batch}");
    }
}

#[test]
fn post_accepts_relations_forward_backward_and_in_a_cycle() {
    let ktbs = ktbs("m", "o", "");
    ktbs.post_turtle(
        "b/t/",
        "<o1> k:hasTrace <> ; k:hasBegin 1 ; <http://x/r> <o2> . <o2> k:hasTrace <> ; k:hasBegin 2 .",
    )
    .expect(201);
    ktbs.post_turtle(
        "b/t/",
        "<o3> k:hasTrace <> ; k:hasBegin 3 ; <http://x/r> <later> . <o1> <http://x/s> <o3> .",
    )
    .expect(201);
    ktbs.post_turtle("b/t/", "<later> k:hasTrace <> ; k:hasBegin 4 .")
        .expect(201);
    let cycle =
        "_:a k:hasTrace <> ; k:hasBegin 5 ; <http://x/r> _:b . _:b k:hasTrace <> ; k:hasBegin 6 ; <http://x/r> _:a .";
    let answer = ktbs.post_turtle("b/t/", cycle).expect(201);
    assert_eq!(answer.body.lines().count(), 2);
    let all = triples(&ktbs, "b/t/@obsels");
    let related = |s: &str, p: &str, o: &str| format!("<{ROOT}b/t/{s}> <http://x/{p}> <{ROOT}b/t/{o}> .");
    for expected in [
        related("o1", "r", "o2"),
        related("o3", "r", "later"),
        related("o1", "s", "o3"),
    ] {
        assert!(all.contains(&expected), "{expected}");
    }
    assert_eq!(all.iter().filter(|line| line.contains("<http://x/r>")).count(), 4);
    // Each side shows the relation, with the trace of the other.
    let one = triples(&ktbs, "b/t/o1");
    assert!(one.contains(&related("o1", "s", "o3")), "{one:?}");
    let three = triples(&ktbs, "b/t/o3");
    let has_trace =
        |id: &str| format!("<{ROOT}b/t/{id}> <http://liris.cnrs.fr/silex/2009/ktbs#hasTrace> <{ROOT}b/t/> .");
    for expected in [
        related("o1", "s", "o3"),
        related("o3", "r", "later"),
        has_trace("o1"),
        has_trace("later"),
    ] {
        assert!(three.contains(&expected), "{expected} in {three:?}");
    }
    assert_eq!(
        three
            .iter()
            .filter(|line| line.contains(&format!("<{ROOT}b/t/o1> <http://x/r>")))
            .count(),
        0
    );
}

#[test]
fn post_of_what_a_get_shows_of_a_related_obsel_is_accepted() {
    let ktbs = ktbs("m", "o", "");
    post(&ktbs, &json!({"@id": "a", "begin": 1})).expect(201);
    post(
        &ktbs,
        &json!({"@id": "b", "begin": 2, "m:r": {"@id": "a", "hasTrace": "./"}}),
    )
    .expect(201);
    post(&ktbs, &json!({"@id": "a", "begin": 1})).expect(403);
}

#[test]
fn post_keeps_each_relation_once_and_none_is_taken_for_that_of_a_blank_value() {
    let ktbs = ktbs("m", "o", "");
    let said = "<a> k:hasTrace <> ; k:hasBegin 1 ; <http://x/r> <c> . <b> k:hasTrace <> ; k:hasBegin 2 ; <http://x/v> [ <http://x/r> <c> ] .";
    ktbs.post_turtle("b/t/", said).expect(201);
    let again = "<c> k:hasTrace <> ; k:hasBegin 3 . <a> <http://x/r> <c> . <b> <http://x/r> <c> .";
    ktbs.post_turtle("b/t/", again).expect(201);
    for path in ["b/t/c", "b/t/@obsels"] {
        let lines = triples(&ktbs, path);
        for subject in ["a", "b"] {
            let relation = format!("<{ROOT}b/t/{subject}> <http://x/r> <{ROOT}b/t/c> .");
            assert_eq!(
                lines.iter().filter(|line| **line == relation).count(),
                1,
                "{path}: {lines:?}"
            );
        }
    }
}

#[test]
fn post_stores_blank_values_whole_and_shared_ones_once_read() {
    let ktbs = ktbs("m", "o", "");
    let deep = "<a> k:hasTrace <> ; k:hasBegin 1 ; <http://x/l1> [ <http://x/l2> [ <http://x/l3> [ <http://x/l4> [ <http://x/l5> \"end\" ] ] ] ] .";
    ktbs.post_turtle("b/t/", deep).expect(201);
    for path in ["b/t/a", "b/t/@obsels", "b/t/@obsels?limit=1"] {
        assert!(
            triples(&ktbs, path)
                .iter()
                .any(|line| line.contains("<http://x/l5> \"end\"")),
            "{path}"
        );
    }
    let shared = "<c> k:hasTrace <> ; k:hasBegin 2 ; <http://x/v> _:s . <d> k:hasTrace <> ; k:hasBegin 3 ; <http://x/v> _:s . _:s <http://x/w> 1 .";
    ktbs.post_turtle("b/t/", shared).expect(201);
    let all = triples(&ktbs, "b/t/@obsels");
    let nodes: std::collections::HashSet<&str> = all
        .iter()
        .filter(|line| line.contains("<http://x/v>"))
        .map(|line| line.split(' ').nth(2).expect("an object"))
        .collect();
    assert_eq!(nodes.len(), 1, "{all:?}");
    ktbs.delete("b/t/c").expect(204);
    assert!(triples(&ktbs, "b/t/d").iter().any(|line| line.contains("<http://x/w>")));
}

#[test]
fn an_obsel_is_shown_with_the_blank_nodes_of_others_that_lead_to_it() {
    let ktbs = ktbs("m", "o", "");
    let x = "@prefix x: <http://x/> .";
    for (name, more) in [
        ("a", "<a> x:own [ x:n 1 ] ."),
        ("b", "_:n x:from <a> ; x:to <b> ; x:v [ x:w 5 ] ."),
        ("c", "<c> x:p _:n . <a> x:q _:n . _:n x:v 6 . <c> x:other [ x:v 7 ] ."),
    ] {
        let obsel = format!("{x} <{name}> k:hasTrace <> ; k:hasBegin 1 . {more}");
        ktbs.post_turtle("b/t/", &obsel).expect(201);
    }
    let expected = format!(
        "@base <{ROOT}b/t/> . {x} <a> a k:Obsel ; k:hasTrace <./> ; k:hasBegin 1 ; k:hasEnd 1 ; x:own [ x:n 1 ] ; x:q _:n .
        [] x:from <a> ; x:to <b> ; x:v [ x:w 5 ] . <c> x:p _:n . _:n x:v 6 ."
    );
    let graph = |text: &str| -> Vec<[SimpleTerm<'static>; 3]> {
        let triples: Result<_, _> = turtle::parse_str(text).collect_triples();
        triples.expect("Turtle")
    };
    let expected = graph(&crate::support::turtle(&expected));
    for media_type in ["text/turtle", "text/nt"] {
        let shown = graph(&ktbs.get("b/t/a", &[("Accept", media_type)]).expect(200).body);
        assert!(isomorphic_graphs(&shown, &expected).expect("infallible"), "{shown:?}");
    }
    let shown: Value = serde_json::from_str(&ktbs.get("b/t/a", &[JSON]).expect(200).body).expect("JSON");
    assert_eq!(shown["http://x/own"], json!({"http://x/n": 1}));
    assert_eq!(
        shown["@reverse"]["http://x/from"],
        json!({"http://x/to": {"@id": "b"}, "http://x/v": {"http://x/w": 5}})
    );
    assert_eq!(shown["@included"][0]["@id"], "c", "{shown}");
}

#[test]
fn post_refuses_what_is_no_obsel() {
    let ktbs = ktbs("m", "o", "");
    for (payload, text) in [
        ("", "No obsel found"),
        ("<a> k:hasTrace <../u/> ; k:hasBegin 1 .", "No obsel found"),
        ("<> k:hasTrace <> .", "identifier"),
        ("<http://x/a> k:hasTrace <> ; k:hasBegin 1 .", "not consistent"),
        ("<a/b> k:hasTrace <> ; k:hasBegin 1 .", "identifier"),
        ("<@a> k:hasTrace <> ; k:hasBegin 1 .", "identifier"),
        ("<a> k:hasTrace <>, <../u/> ; k:hasBegin 1 .", "at most 1"),
        ("<a> k:hasTrace <> ; k:hasBegin 1, 2 .", "at most 1"),
        ("<a> k:hasTrace <> ; k:hasBegin 1.5 .", "convert"),
        ("<a> k:hasTrace <> ; k:hasBegin <x> .", "hasBegin"),
        ("<a> k:hasTrace <> ; k:hasBegin 99999999999999999999 .", "64 bits"),
        (
            "<a> k:hasTrace <> ; k:hasBegin 1 ; k:hasSubject \"a\", \"b\" .",
            "hasSubject",
        ),
        ("<a> a k:Base ; k:hasTrace <> ; k:hasBegin 1 .", "Can not create type"),
        ("<a> a \"x\" ; k:hasTrace <> ; k:hasBegin 1 .", "type"),
        (
            "<a> k:hasTrace <> ; k:hasBegin 1 . <b> k:hasSource <a> .",
            "in-property",
        ),
    ] {
        let answer = ktbs.post_turtle("b/t/", payload);
        assert_eq!(answer.status, 403, "{payload}: {}", answer.body);
        assert!(answer.body.contains(text), "{payload}: {}", answer.body);
    }
    let long = format!("<{}> k:hasTrace <> ; k:hasBegin 1 .", "a".repeat(300));
    assert!(ktbs.post_turtle("b/t/", &long).expect(403).body.contains("id-bytes"));
    assert!(places(&ktbs).is_empty());
}

#[test]
fn delete_takes_the_relations_and_spares_the_neighbours() {
    let ktbs = ktbs("m", "o", "");
    ktbs.post_turtle(
        "b/t/",
        "<a> k:hasTrace <> ; k:hasBegin 1 . <b> k:hasTrace <> ; k:hasBegin 2 ; <http://x/r> <a> ; <http://x/n> 1 .
        <c> k:hasTrace <> ; k:hasBegin 3 ; <http://x/r> <b> . [] <http://x/about> <b> ; <http://x/k> \"v\" .",
    )
    .expect(201);
    ktbs.delete("b/t/b").expect(204);
    ktbs.delete("b/t/b").expect(404);
    ktbs.get("b/t/b", &[NT]).expect(404);
    let all = triples(&ktbs, "b/t/@obsels");
    assert!(all.iter().all(|line| !line.contains("http://x/")), "{all:?}");
    assert_eq!(places(&ktbs).len(), 2);
    assert!(
        ktbs.delete("b/t/a?x=1")
            .expect(404)
            .body
            .contains("Unsupported parameter(s):x")
    );
}

#[test]
fn put_of_the_collection_replaces_all_or_nothing() {
    let ktbs = ktbs("m", "o", "");
    post(&ktbs, &json!([{"@id": "a", "begin": 1}, {"@id": "b", "begin": 2}])).expect(201);
    let structure = "<./> k:hasObselCollection <> . <> a k:StoredTraceObsels .";
    let obsel = "<c> a <http://x/T> ; k:hasTrace <./> ; k:hasBegin 3 ; k:hasEnd 4 .";
    let put = |turtle: &str| {
        let etag = ktbs
            .get("b/t/@obsels", &[("Accept", "text/turtle")])
            .header("etag")
            .to_owned();
        let headers = [("Content-Type", "text/turtle"), ("If-Match", etag.as_str())];
        ktbs.put("b/t/@obsels", &headers, &crate::support::turtle(turtle))
    };
    for (payload, text) in [
        (obsel.to_owned(), "Can not edit"),
        (
            format!("{structure} {obsel} <http://x/y> <http://x/z> 1 ."),
            "is about no obsel",
        ),
        (
            format!("{structure} <c> a <http://x/T> ; k:hasTrace <./> ; k:hasBegin \"abc\" ; k:hasEnd 4 ."),
            "convert",
        ),
        (
            format!("{structure} <c> a <http://x/T> ; k:hasTrace <./> ; k:hasBegin 5 ; k:hasEnd 4 ."),
            "before begin",
        ),
        (
            format!("{structure} <c> a <http://x/T> ; k:hasTrace <./> ; k:hasBegin 5 ."),
            "at least 1",
        ),
    ] {
        let answer = put(&payload).expect(403);
        assert!(answer.body.contains(text), "{payload}: {}", answer.body);
        assert_eq!(places(&ktbs).len(), 2);
    }
    put(&format!("{structure} {obsel}")).expect(200);
    assert_eq!(places(&ktbs), [("c".to_owned(), 3, 4)]);
    ktbs.delete("b/t/@obsels").expect(204);
    assert!(places(&ktbs).is_empty());
    assert_eq!(triples(&ktbs, "b/t/@obsels").len(), 2);
}

#[test]
fn get_of_the_collection_in_json_can_be_put_back() {
    let ktbs = ktbs("m", "o", "");
    ktbs.post_turtle(
        "b/t/",
        "@prefix m: <m#> . <a> a m:E ; k:hasTrace <> ; k:hasBegin 1 ; k:hasEnd 3 ; k:hasSubject \"s\"@fr ; m:v 1, 2.5E0, true, \"x\" ;  m:n [ m:o 1 ] .
        <b> a m:E, m:F ; k:hasTrace <> ; k:hasBegin 2 ; m:r <a> ; k:hasSourceObsel <http://x/s> .",
    )
    .expect(201);
    for media_type in [
        "application/json",
        "application/ld+json",
        "text/turtle",
        "application/rdf+xml",
        "text/nt",
    ] {
        if media_type == "application/ld+json" {
            // Simple JSON has no way to tell these from strings and doubles.
            let typed = "<c> k:hasTrace <> ; k:hasBegin 3 ; <http://x/d> 2.5, \"2020-01-01\"^^<http://www.w3.org/2001/XMLSchema#date> .";
            ktbs.post_turtle("b/t/", typed).expect(201);
        }
        let before = triples(&ktbs, "b/t/@obsels");
        let got = ktbs.get("b/t/@obsels", &[("Accept", media_type)]).expect(200);
        let headers = [("Content-Type", media_type), ("If-Match", got.header("etag"))];
        let put = ktbs.put("b/t/@obsels", &headers, &got.body);
        assert_eq!(put.status, 200, "{media_type}: {}\n{}", put.body, got.body);
        let blank = |lines: &[String]| -> Vec<String> {
            let anonymous = |word: &str| {
                if word.starts_with("_:") {
                    "_:b".to_owned()
                } else {
                    word.to_owned()
                }
            };
            let mut lines: Vec<String> = lines
                .iter()
                .map(|line| line.split(' ').map(anonymous).collect::<Vec<_>>().join(" "))
                .collect();
            lines.sort();
            lines
        };
        assert_eq!(blank(&triples(&ktbs, "b/t/@obsels")), blank(&before), "{media_type}");
    }
}

#[test]
fn statistics_follow_the_obsels_and_keep_their_etag_meanwhile() {
    let ktbs = TestKtbs::with_trace(|config| config.plugins.stats_subjects = true);
    let stats = || -> (Value, String) {
        let answer = ktbs.get("b/t/@stats", &[JSON]).expect(200);
        (
            serde_json::from_str(&answer.body).expect("JSON"),
            answer.header("etag").to_owned(),
        )
    };
    assert_eq!(stats().0["stats:obselCount"], 0);
    assert!(stats().0.get("stats:minTime").is_none());
    post(
        &ktbs,
        &json!([
            {"@id": "a", "@type": ["m:A", "m:B"], "begin": 1, "end": 10, "subject": "x"},
            {"@id": "b", "@type": "m:A", "begin": 2, "subject": "y"},
            {"@id": "c", "@type": "m:A", "begin": 3, "subject": "x"},
        ]),
    )
    .expect(201);
    let (document, etag) = stats();
    for (key, value) in [
        ("obselCount", 3),
        ("minTime", 1),
        ("maxTime", 10),
        ("duration", 9),
        ("distinctSubjects", 2),
    ] {
        assert_eq!(document[format!("stats:{key}")], value, "{document}");
    }
    let mut types: Vec<(String, i64)> = document["stats:obselCountPerType"]
        .as_array()
        .expect("two types")
        .iter()
        .map(|row| {
            (
                row["stats:hasObselType"].as_str().unwrap_or_default().into(),
                row["stats:nb"].as_i64().unwrap_or(0),
            )
        })
        .collect();
    types.sort();
    assert_eq!(types, [("m:A".to_owned(), 3), ("m:B".to_owned(), 1)]);
    assert_eq!(stats().1, etag);
    ktbs.delete("b/t/a").expect(204);
    let (document, changed) = stats();
    assert_ne!(changed, etag);
    assert_eq!(
        (&document["stats:minTime"], &document["stats:maxTime"]),
        (&json!(2), &json!(3))
    );
    for (path, status) in [
        ("b/t/@stats?refresh=no", 200),
        ("b/t/@stats?refresh=bla", 404),
        ("b/t/@stats?x=1", 404),
    ] {
        ktbs.get(path, &[JSON]).expect(status);
    }
    ktbs.delete("b/t/@stats").expect(405);
}

#[test]
fn parameters_of_the_collection_are_checked() {
    let ktbs = ktbs("m", "o", "");
    post(&ktbs, &json!({"@id": "a", "begin": 1})).expect(201);
    for query in [
        "limit=-1",
        "offset=-1",
        "limit=abc",
        "limit=1_0",
        "limit=1&limit=2",
        "after=",
        "after=nope",
        "after=@obsels",
        "after=../u/x",
        "refresh=bla",
        "refresh",
        "quick",
        "foo=1",
        "minb=",
        "minb=1.5",
    ] {
        let answer = ktbs.get(&format!("b/t/@obsels?{query}"), &[JSON]);
        assert_eq!(answer.status, 404, "{query}: {}", answer.body);
        assert!(
            answer.body.starts_with("404 Not Found - Invalid parameters\n"),
            "{query}: {}",
            answer.body
        );
    }
    for query in [
        "limit=0",
        "limit=%2B2",
        "offset=9",
        "after=a",
        "after=./a",
        "minb=-5",
        "maxb=99999999999999999999",
        "reverse",
        "refresh=no",
    ] {
        ktbs.get(&format!("b/t/@obsels?{query}"), &[JSON]).expect(200);
    }
}

#[test]
fn combined_parameters_select_the_intersection() {
    let ktbs = ktbs("m", "o", "");
    let mut obsels = Vec::new();
    for (i, (begin, end)) in [(0, 0), (0, 5), (3, 5), (3, 5), (5, 5), (2, 8), (8, 8), (1, 12)]
        .into_iter()
        .enumerate()
    {
        obsels.push((format!("{}{i}", if i % 2 == 0 { "o" } else { "O" }), begin, end));
    }
    let payload: Vec<Value> = obsels
        .iter()
        .map(|(id, b, e)| json!({"@id": id, "begin": b, "end": e}))
        .collect();
    post(&ktbs, &json!(payload)).expect(201);
    obsels.sort_by(|a, b| (a.2, a.1, &a.0).cmp(&(b.2, b.1, &b.0)));
    let position = |id: &str| obsels.iter().position(|obsel| obsel.0 == id).expect("an obsel");
    for minb in [None, Some(0), Some(3)] {
        for maxb in [None, Some(2), Some(5)] {
            for mine in [None, Some(5)] {
                for maxe in [None, Some(5), Some(8)] {
                    for (after, before) in [
                        (None, None),
                        (Some("O1"), None),
                        (Some("o2"), Some("O7")),
                        (None, Some("o4")),
                    ] {
                        let mut query = String::new();
                        for (name, value) in [("minb", minb), ("maxb", maxb), ("mine", mine), ("maxe", maxe)] {
                            query.extend(value.map(|value| format!("{name}={value}&")));
                        }
                        for (name, value) in [("after", after), ("before", before)] {
                            query.extend(value.map(|value| format!("{name}={value}&")));
                        }
                        let fits = |(i, obsel): (usize, &(String, i64, i64))| {
                            minb.is_none_or(|min| obsel.1 >= min)
                                && maxb.is_none_or(|max| obsel.1 <= max)
                                && mine.is_none_or(|min| obsel.2 >= min)
                                && maxe.is_none_or(|max| obsel.2 <= max)
                                && after.is_none_or(|after| i > position(after))
                                && before.is_none_or(|before| i < position(before))
                        };
                        let expected: Vec<&str> = obsels
                            .iter()
                            .enumerate()
                            .filter(|row| fits(*row))
                            .map(|(_, obsel)| obsel.0.as_str())
                            .collect();
                        check_pages(&ktbs, &query, &expected);
                    }
                }
            }
        }
    }
}

/// Checks what a query selects: whole, by pages of two, and by pages of two from the end.
fn check_pages(ktbs: &TestKtbs, query: &str, expected: &[&str]) {
    let ids = |answer: &Answer| -> Vec<String> {
        let document: Value = serde_json::from_str(&answer.body).expect("JSON");
        let obsels = document["obsels"].as_array().expect("an array");
        obsels
            .iter()
            .map(|obsel| obsel["@id"].as_str().expect("a string").to_owned())
            .collect()
    };
    let whole = ktbs.get(&format!("b/t/@obsels?{query}"), &[JSON]).expect(200);
    assert_eq!(ids(&whole), expected, "{query}");
    for reverse in [false, true] {
        let mut found = Vec::new();
        let mut path = Some(format!(
            "b/t/@obsels?{query}limit=2{}",
            if reverse { "&reverse" } else { "" }
        ));
        let mut pages = 0;
        while let Some(page) = path {
            let answer = ktbs.get(&page, &[JSON]).expect(200);
            let mut page = ids(&answer);
            assert!(page.len() <= 2);
            if reverse {
                page.reverse();
            }
            found.extend(page);
            let links = answer.headers("link");
            let next = links.iter().find_map(|link| link.strip_suffix(">;rel=\"next\""));
            path = next
                .and_then(|link| link.strip_prefix('<')?.strip_prefix(ROOT))
                .map(str::to_owned);
            pages += 1;
            assert!(pages < 20, "{query} never ends");
        }
        if reverse {
            found.reverse();
        }
        assert_eq!(found, expected, "{query} reverse {reverse}");
    }
}
