//! URLs, extensions, query parameters (kTBS documentation, "REST API").

use crate::support::TestKtbs;

#[test]
fn all_forms_of_a_url_lead_to_the_resource() {
    let ktbs = TestKtbs::with_trace(|_| {});
    for path in [
        "b/",
        "%62/",
        "b%2F",
        "b%2f",
        "b/.ttl",
        "b/.",
        "b/?",
        "http://foo.example:99/ktbs/b/",
        "/%6Btbs/b/",
    ] {
        let answer = ktbs.get(path, &[("Accept", "text/turtle")]).expect(200);
        assert_eq!(
            answer.header("content-location"),
            "http://localhost:8001/ktbs/b/.ttl",
            "{path}"
        );
    }
    for path in ["b", "b//", "b/./", "b/t", "b/m/", "b/m.foo.ttl", "/ktbs//b/"] {
        ktbs.get(path, &[]).expect(404);
    }
}

#[test]
fn a_name_in_unicode_is_reached_raw_and_encoded() {
    let ktbs = TestKtbs::new();
    let created = ktbs
        .post_turtle("", "<> k:hasBase <café/> . <café/> a k:Base .")
        .expect(201);
    assert_eq!(created.header("location"), "http://localhost:8001/ktbs/caf%C3%A9/");
    assert_eq!(created.body, "http://localhost:8001/ktbs/café/\r\n");
    for path in ["café/", "caf%C3%A9/"] {
        let answer = ktbs.get(path, &[("Accept", "text/turtle")]).expect(200);
        let location = answer.header("content-location");
        assert_eq!(location, "http://localhost:8001/ktbs/caf%C3%A9/.ttl");
        assert!(answer.body.contains("café"), "{}", answer.body);
    }
}

#[test]
fn what_is_outside_of_the_root_gets_a_bare_404() {
    let ktbs = TestKtbs::new();
    for path in ["/", "/ktbs", "/ktbsb/", "/other/", "*"] {
        let answer = ktbs.get(path, &[]).expect(404);
        assert!(answer.headers.is_empty() && answer.body.is_empty(), "{answer:?}");
    }
}

#[test]
fn invalid_utf8_in_a_url_is_refused() {
    let ktbs = TestKtbs::new();
    for path in ["caf%E9/", "?prop=%FF"] {
        let answer = ktbs.get(path, &[]).expect(400);
        assert!(
            answer.body.starts_with("400 Bad Request - Parse error\n"),
            "{}",
            answer.body
        );
    }
}

#[test]
fn unknown_parameters_are_refused_by_each_method() {
    let ktbs = TestKtbs::with_trace(|_| {});
    let etag = ktbs.get("b/m", &[("Accept", "text/turtle")]).header("etag").to_owned();
    for (method, path) in [
        ("GET", "b/?foo=1"),
        ("HEAD", "b/m?foo=1"),
        ("POST", "b/?foo=1"),
        ("PUT", "b/m?foo=1"),
        ("DELETE", "b/m?foo=1"),
        ("POST", "b/?_=1"),
        ("PUT", "b/m?_=1"),
        ("DELETE", "b/m?_=1"),
    ] {
        let headers = [("Content-Type", "text/turtle"), ("If-Match", etag.as_str())];
        let answer = ktbs.send(method, path, &headers, b"<> a <http://x/> .").expect(404);
        if method != "HEAD" {
            let name = if path.contains('_') { "_" } else { "foo" };
            assert_eq!(
                answer.body,
                format!("404 Not Found - Invalid parameters\nUnsupported parameter(s):{name}"),
                "{method} {path}"
            );
        }
    }
    ktbs.get("b/m.nt", &[]).expect(200);
    let answer = ktbs.get("b/?foo=1&z", &[]).expect(404);
    assert!(
        answer.body.ends_with("Unsupported parameter(s):foo, z"),
        "{}",
        answer.body
    );
}

#[test]
fn the_cache_buster_is_dropped() {
    let ktbs = TestKtbs::with_trace(|_| {});
    for (path, cache_control) in [
        ("b/", "max-age=1"),
        ("b/?_=123", "no-cache"),
        ("b/?_=", "max-age=1"),
        ("b/?_", "max-age=1"),
        ("b/?prop=label&_=1", "no-cache"),
    ] {
        let accept = [("Accept", "text/turtle")];
        let answer = ktbs.get(path, &accept).expect(200);
        assert_eq!(answer.header("cache-control"), cache_control, "{path}");
    }
}
