//! What answers look like in the formats that no other file is about (kTBS documentation, "Formats").

use serde_json::{Value, json};

use crate::support::{ROOT, TestKtbs};

/// A kTBS whose trace has one obsel with these properties.
fn with_obsel(properties: &str) -> TestKtbs {
    let ktbs = TestKtbs::with_trace(|_| {});
    let obsel = format!(
        "@prefix m: <m#> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
        @prefix geo: <http://www.w3.org/2003/01/geo/wgs84_pos#> .
        <o> a <../m#T> ; k:hasTrace <> ; k:hasBegin 1 ; {properties} ."
    );
    ktbs.post_turtle("b/t/", &obsel).expect(201);
    ktbs
}

fn json(ktbs: &TestKtbs, path: &str, accept: &str) -> Value {
    let answer = ktbs.get(path, &[("Accept", accept)]).expect(200);
    serde_json::from_str(&answer.body).expect("JSON")
}

#[test]
fn a_state_that_a_syntax_cannot_express_is_550() {
    let ktbs = with_obsel("<http://x/1> 1");
    for path in ["b/t/o", "b/t/@obsels"] {
        for media_type in ["application/rdf+xml", "application/xml"] {
            let answer = ktbs.get(path, &[("Accept", media_type)]).expect(550);
            assert!(answer.body.starts_with("550 Serialize Error\n"), "{}", answer.body);
            assert!(answer.body.contains("<http://x/1>"), "{}", answer.body);
            assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
            assert_eq!(answer.header("etag"), "");
        }
        ktbs.get(path, &[("Accept", "text/turtle")]).expect(200);
    }
}

#[test]
fn geojson_has_the_longitude_first_and_both_types() {
    let ktbs = with_obsel("geo:lat 45.81 ; geo:long 4.8291 ; k:hasSubject \"foo\"");
    ktbs.post_turtle("b/t/", "<p> k:hasTrace <> ; k:hasBegin 2 .")
        .expect(201);
    let expected = json!({"type": "FeatureCollection", "features": [{
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [4.8291, 45.81]},
        "properties": {"begin": 1, "end": 1, "subject": "foo"}
    }]});
    for (path, accept, media_type) in [
        ("b/t/@obsels.geojson", "*/*", "application/vnd.geo+json"),
        ("b/t/@obsels", "application/vnd.geo+json", "application/vnd.geo+json"),
        ("b/t/@obsels", "application/geo+json", "application/geo+json"),
    ] {
        assert_eq!(json(&ktbs, path, accept), expected);
        let answer = ktbs.get(path, &[("Accept", accept)]);
        assert_eq!(answer.header("content-type"), media_type);
        assert!(answer.header("etag").starts_with(&format!("W/\"{media_type}/")));
    }
    for path in ["b/t/o", "b/t/", "b/t/@stats"] {
        ktbs.get(path, &[("Accept", "application/geo+json")]).expect(406);
        ktbs.get(&format!("{path}.geojson"), &[]).expect(404);
    }
}

#[test]
fn json_shows_values_as_old_clients_know_them_and_json_ld_loses_nothing() {
    let ktbs = with_obsel(
        "<../m#date> \"2020-01-01\"^^xsd:date ; <../m#int> \"5\"^^xsd:int ; <../m#dec> 2.5 ; <../m#n> 3 ; <../m#yes> true ;
        <../m#fr> \"salut\"@fr ; <../m#text> \"a \\\"b\\\"\" ; <../m#inf> \"INF\"^^xsd:double ; <../m#term> k:filter ;
        <../m#node> [ <../m#in> 1 ]",
    );
    let typed = |value: &str, datatype: &str| json!({"@value": value, "@type": datatype});
    for path in ["b/t/o", "b/t/@obsels"] {
        let shown = |media_type: &str| {
            let document = json(&ktbs, path, media_type);
            document
                .get("obsels")
                .map_or(document.clone(), |obsels| obsels[0].clone())
        };
        let (simple, exact) = (shown("application/json"), shown("application/ld+json"));
        for (key, value) in [
            ("m:n", json!(3)),
            ("m:yes", json!(true)),
            ("m:fr", json!({"@value": "salut", "@language": "fr"})),
            ("m:text", json!("a \"b\"")),
            ("m:term", json!({"@id": "k:filter"})),
            ("m:node", json!({"m:in": 1})),
        ] {
            assert_eq!((&simple[key], &exact[key]), (&value, &value), "{path} {key}");
        }
        assert_eq!(
            (&simple["m:date"], &simple["m:dec"]),
            (&json!("2020-01-01"), &json!(2.5))
        );
        assert_eq!(exact["m:date"], typed("2020-01-01", "xsd:date"));
        assert_eq!(exact["m:int"], typed("5", "xsd:int"));
        assert_eq!(exact["m:dec"], typed("2.5", "xsd:decimal"));
        assert_eq!(exact["m:inf"], typed("INF", "xsd:double"));
    }
}

#[test]
fn the_collection_of_a_computed_trace_has_a_type_that_json_ld_knows() {
    let ktbs = with_obsel("<../m#a> 1");
    let trace = json!({"@type": "ComputedTrace", "@id": "c/", "hasMethod": "filter", "hasSource": "t/"});
    ktbs.post("b/", "application/json", &trace.to_string()).expect(201);
    for (media_type, collection) in [
        ("application/json", "ComputedTraceObsels"),
        ("application/ld+json", "k:ComputedTraceObsels"),
    ] {
        let shown = json(&ktbs, "b/c/@obsels", media_type);
        assert_eq!(shown["hasObselList"], json!({"@id": "", "@type": collection}));
    }
    let shown = json(&ktbs, "b/c/@obsels", "application/json");
    assert_eq!(shown["@context"][1]["m"], format!("{ROOT}b/m#"));
    let expected = json!([{"@id": "o", "@type": "m:T", "begin": 1, "end": 1, "hasSourceObsel": ["../t/o"], "m:a": 1}]);
    assert_eq!(shown["obsels"], expected);
}

#[test]
fn repeated_parameters_are_refused_but_for_prop() {
    let ktbs = with_obsel("<../m#a> 1");
    for path in ["?prop=label&prop=comment", "b/?prop=hasModel&prop=obselCount"] {
        ktbs.get(path, &[]).expect(200);
    }
    let items = json(&ktbs, "b/?prop=hasModel&prop=obselCount", "application/json");
    let items = items["contains"].as_array().expect("an array").clone();
    assert!(
        items
            .iter()
            .any(|item| item["hasModel"] == "m" && item["obselCount"] == 1),
        "{items:?}"
    );
    for path in [
        "b/t/@obsels?limit=1&limit=1",
        "b/t/@obsels?reverse&reverse",
        "b/t/@stats?refresh=no&refresh=no",
    ] {
        let refused = ktbs.get(path, &[]).expect(404);
        assert!(
            refused.body.starts_with("404 Not Found - Invalid parameters\n"),
            "{path}"
        );
    }
}
