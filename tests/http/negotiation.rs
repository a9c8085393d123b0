//! Content negotiation (RFC 9110 section 12).

use crate::support::TestKtbs;

#[test]
fn the_format_is_told() {
    let ktbs = TestKtbs::with_trace(|_| {});
    for (accept, content_type, location) in [
        ("*/*", "application/ld+json", "b/m.jsonld"),
        ("foo", "application/ld+json", "b/m.jsonld"),
        ("application/ld+json;profile=\"x\"", "application/ld+json", "b/m.jsonld"),
        ("text/turtle, application/json", "application/json", "b/m.json"),
        ("text/turtle", "text/turtle;charset=utf-8", "b/m.ttl"),
        ("text/nt", "text/nt;charset=utf-8", "b/m.nt"),
        ("text/n3", "text/n3;charset=utf-8", "b/m.n3"),
        ("text/plain", "text/plain;charset=utf-8", "b/m.txt"),
        ("text/x-turtle", "text/x-turtle;charset=utf-8", ""),
        ("application/x-turtle", "application/x-turtle", ""),
        ("application/n-triples", "application/n-triples", ""),
        (
            "*/*;q=0.1, text/*;q=0.2, text/html;q=0",
            "text/turtle;charset=utf-8",
            "b/m.ttl",
        ),
    ] {
        let answer = ktbs.get("b/m", &[("Accept", accept)]).expect(200);
        assert_eq!(answer.header("content-type"), content_type);
        let expected = if location.is_empty() {
            String::new()
        } else {
            format!("http://localhost:8001/ktbs/{location}")
        };
        assert_eq!(answer.header("content-location"), expected, "{accept}");
        assert_eq!(answer.header("vary"), "accept");
        assert_eq!(answer.header("cache-control"), "max-age=1");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
}

#[test]
fn an_extension_selects_the_format_and_nothing_varies() {
    let ktbs = TestKtbs::with_trace(|_| {});
    let answer = ktbs.get("b/m.nt", &[("Accept", "image/png")]).expect(200);
    assert_eq!(answer.header("content-type"), "text/nt;charset=utf-8");
    assert_eq!(answer.header("vary"), "");
    for path in ["b/m.doc", "b/m.csv", "b/.csv"] {
        let answer = ktbs.get(path, &[]).expect(404);
        assert!(
            answer
                .body
                .starts_with("404 Not Found\nBad extension\n\nService info\n")
        );
    }
}

#[test]
fn what_is_offered_is_listed_when_nothing_suits() {
    let ktbs = TestKtbs::with_trace(|_| {});
    for accept in ["image/png", "", "x-gereco/*", "text/turtle;q=0"] {
        let answer = ktbs.get("b/m", &[("Accept", accept)]).expect(406);
        assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
        assert_eq!(answer.header("vary"), "accept");
        assert!(
            answer.body.starts_with(
                "application/ld+json <http://localhost:8001/ktbs/b/m.jsonld>\n\
                 application/json <http://localhost:8001/ktbs/b/m.json>\n\
                 text/turtle <http://localhost:8001/ktbs/b/m.ttl>\n"
            ),
            "{}",
            answer.body
        );
    }
}

#[test]
fn a_bad_extension_or_accept_prevails_over_bad_parameters() {
    let ktbs = TestKtbs::with_trace(|_| {});
    ktbs.get("b/m?foo=1", &[("Accept", "image/png")]).expect(406);
    let answer = ktbs.get("b/m.doc?foo=1", &[]).expect(404);
    assert!(answer.body.contains("Bad extension"), "{}", answer.body);
}
