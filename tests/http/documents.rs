//! What is below the root and is no resource: the description of the API, the JSON-LD context.

use serde_json::{Value, json};

use crate::support::{ROOT, TestKtbs};

#[test]
fn the_root_leads_to_the_description_of_the_api() {
    let ktbs = TestKtbs::with_trace(|_| {});
    let link = format!("<{ROOT}@api>;rel=\"service-desc\"");
    for method in ["GET", "HEAD"] {
        let root = ktbs.send(method, "", &[], b"").expect(200);
        assert_eq!(root.headers("link"), [link.as_str()]);
    }
    assert_eq!(ktbs.get("b/", &[]).expect(200).header("link"), "");
    for path in ["@api", "@api.json", "%40api", "@api?_=1"] {
        let answer = ktbs.get(path, &[("Accept", "image/png")]).expect(200);
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(answer.header("content-location"), format!("{ROOT}@api.json"));
        assert_eq!(answer.header("vary"), "");
        let description: Value = serde_json::from_str(&answer.body).expect("JSON");
        assert_eq!(description["openapi"], "3.1.0");
        assert_eq!(description["servers"][0]["url"], ROOT.trim_end_matches('/'));
    }
}

#[test]
fn the_context_is_served_and_known_at_the_root() {
    let ktbs = TestKtbs::with_trace(|_| {});
    for path in ["@context", "@context.jsonld", "@context.json"] {
        let answer = ktbs.get(path, &[]).expect(200);
        assert_eq!(answer.header("content-type"), "application/ld+json");
        let context: Value = serde_json::from_str(&answer.body).expect("JSON");
        assert_eq!(
            context["@context"]["hasModel"],
            json!({"@id": "k:hasModel", "@type": "@id"})
        );
    }
    for (context, media_type) in [
        (json!(format!("{ROOT}@context")), "application/ld+json"),
        (json!(format!("{ROOT}@context")), "application/json"),
        (json!("../../@context"), "application/ld+json"),
        (
            json!([format!("{ROOT}@context"), {"x": "http://x/"}]),
            "application/ld+json",
        ),
    ] {
        let obsel = json!({"@context": context, "begin": 1, "hasTrace": "", "label": "l"});
        ktbs.post("b/t/", media_type, &obsel.to_string()).expect(201);
    }
    for elsewhere in ["http://example.org/@context", "http://localhost:8001/ktb@context"] {
        let obsel = json!({"@context": elsewhere, "begin": 1, "hasTrace": ""});
        ktbs.post("b/t/", "application/ld+json", &obsel.to_string()).expect(400);
    }
}

#[test]
fn documents_are_read_only_and_validated() {
    let ktbs = TestKtbs::new();
    for path in ["@api", "@context"] {
        let etag = ktbs.get(path, &[]).expect(200).header("etag").to_owned();
        let again = ktbs.get(path, &[("If-None-Match", &etag)]).expect(304);
        assert_eq!((again.header("etag"), again.body.as_str()), (etag.as_str(), ""));
        assert_eq!(again.header("content-type"), "");
        for method in ["POST", "PUT", "DELETE", "PATCH"] {
            let refused = ktbs.send(method, path, &[], b"").expect(405);
            assert_eq!(refused.header("allow"), "GET, HEAD, OPTIONS");
        }
        ktbs.send("OPTIONS", path, &[], b"").expect(200);
        ktbs.get(&format!("{path}.ttl"), &[]).expect(404);
        let refused = ktbs.get(&format!("{path}?foo=1"), &[]).expect(404);
        assert!(
            refused.body.ends_with("Unsupported parameter(s):foo"),
            "{}",
            refused.body
        );
        ktbs.get(&format!("{path}/"), &[]).expect(404);
    }
}
