//! Cross-origin requests: every answer can be read by the scripts of the listed origins.

use crate::support::{Answer, TestKtbs};

const TRUSTED: &str = "http://trusted.example.org";

fn ktbs() -> TestKtbs {
    TestKtbs::with_trace(|config| {
        config.plugins.cors = true;
        config.cors_allow_origin = vec![TRUSTED.to_owned()];
    })
}

fn allowed(answer: &Answer) -> &str {
    answer.header("access-control-allow-origin")
}

#[test]
fn every_answer_can_be_read() {
    let ktbs = ktbs();
    for (method, path, status) in [
        ("GET", "b/m.ttl", 200),
        ("GET", "b/nothing", 404),
        ("GET", "b/m?foo=1", 404),
        ("GET", "b/%FF", 400),
        ("DELETE", "", 405),
        ("BREW", "b/m", 405),
        ("PUT", "b/m", 403),
        ("OPTIONS", "b/m", 200),
    ] {
        let answer = ktbs.send(method, path, &[("Origin", TRUSTED)], b"").expect(status);
        assert_eq!(allowed(&answer), TRUSTED, "{method} {path}");
        assert_eq!(answer.header("access-control-allow-credentials"), "true");
        for exposed in [
            "etag",
            "x-etags",
            "location",
            "link",
            "content-location",
            "last-modified",
        ] {
            assert!(answer.header("access-control-expose-headers").contains(exposed));
        }
        for origin in [&[][..], &[("Origin", "http://evil.example.org")]] {
            let answer = ktbs.send(method, path, origin, b"").expect(status);
            assert_eq!(allowed(&answer), "");
            assert_eq!(answer.header("access-control-allow-methods"), "");
            assert!(answer.header("vary").ends_with("origin"));
        }
    }
    let answer = ktbs.get("b/m", &[("Accept", "text/turtle")]);
    assert_eq!(answer.header("vary"), "accept, origin");
}

#[test]
fn a_preflight_is_answered_even_where_there_is_nothing() {
    let ktbs = ktbs();
    let asking = |origin, path| {
        let headers = [
            ("Origin", origin),
            ("Access-Control-Request-Method", "PUT"),
            ("Access-Control-Request-Headers", "content-type, if-match"),
        ];
        ktbs.send("OPTIONS", path, &headers, b"")
    };
    for path in ["b/m", "b/nothing", "b/m.doc?foo=1"] {
        let answer = asking(TRUSTED, path).expect(200);
        assert_eq!(answer.body, "");
        assert_eq!(allowed(&answer), TRUSTED);
        assert_eq!(
            answer.header("access-control-allow-methods"),
            "GET, HEAD, PUT, POST, DELETE"
        );
        assert_eq!(answer.header("access-control-allow-headers"), "content-type, if-match");
    }
    assert_eq!(allowed(&asking("http://evil.example.org", "b/m").expect(200)), "");
    asking("http://evil.example.org", "b/nothing").expect(404);
}

#[test]
fn nothing_is_said_when_it_is_off() {
    let ktbs = TestKtbs::with_trace(|_| {});
    let answer = ktbs
        .get("b/m", &[("Accept", "text/turtle"), ("Origin", TRUSTED)])
        .expect(200);
    assert_eq!(allowed(&answer), "");
    assert_eq!(answer.header("vary"), "accept");
}
