//! Methods: what each answers whatever the resource, and which are refused.

use crate::support::TestKtbs;

#[test]
fn head_is_get_without_body() {
    let ktbs = TestKtbs::with_trace(|_| {});
    for (path, accept) in [
        ("b/m", "text/turtle"),
        ("b/m.nt", ""),
        ("b/m", "image/png"),
        ("b/nothing", "*/*"),
        ("b/m?foo=1", "*/*"),
    ] {
        let get = ktbs.get(path, &[("Accept", accept)]);
        let head = ktbs.send("HEAD", path, &[("Accept", accept)], b"").expect(get.status);
        assert_eq!(head.headers, get.headers, "{path}");
        assert_eq!(head.body, "");
    }
}

#[test]
fn options_tell_what_may_be_tried() {
    let ktbs = TestKtbs::with_trace(|_| {});
    for path in ["", "b/", "b/m", "b/m.doc?foo=1", "b/t/@obsels"] {
        let answer = ktbs.send("OPTIONS", path, &[], b"").expect(200);
        assert_eq!(answer.header("allow"), "GET, HEAD, PUT, POST, DELETE");
        assert_eq!((answer.headers.len(), answer.body.as_str()), (1, ""));
    }
    ktbs.send("OPTIONS", "b/nothing", &[], b"").expect(404);
}

#[test]
fn unknown_methods_are_refused_where_there_is_something() {
    let ktbs = TestKtbs::with_trace(|_| {});
    for method in ["BREW", "PATCH", "TRACE"] {
        let answer = ktbs.send(method, "b/m", &[], b"").expect(405);
        assert_eq!(answer.header("allow"), "GET, HEAD, PUT, DELETE, OPTIONS");
        assert!(answer.body.starts_with("405 Method Not Allowed\n\nService info\n"));
        ktbs.send(method, "b/nothing", &[], b"").expect(404);
    }
}

#[test]
fn a_refused_method_tells_which_are_not() {
    let ktbs = TestKtbs::with_trace(|_| {});
    for (method, path, allow, message) in [
        ("DELETE", "", "GET, HEAD, POST, PUT, OPTIONS", "Can not delete KtbsRoot"),
        (
            "POST",
            "b/m",
            "GET, HEAD, PUT, DELETE, OPTIONS",
            "post_graph not supported",
        ),
    ] {
        for content_type in ["text/turtle", "application/json"] {
            let body = if content_type == "text/turtle" { "" } else { "{}" };
            let answer = ktbs
                .send(method, path, &[("Content-Type", content_type)], body.as_bytes())
                .expect(405);
            assert_eq!(answer.header("allow"), allow);
            assert_eq!(answer.body, format!("405 Method Not Allowed\n{message}"));
        }
    }
}

#[test]
fn post_answers_the_iris_and_delete_nothing() {
    let ktbs = TestKtbs::with_trace(|_| {});
    let answer = ktbs
        .post_turtle("b/.ttl", "<> k:contains <m2> . <m2> a k:TraceModel .")
        .expect(201);
    assert_eq!(answer.header("location"), "http://localhost:8001/ktbs/b/m2");
    assert_eq!(answer.header("content-type"), "text/uri-list");
    assert_eq!(answer.headers.len(), 2);
    assert_eq!(answer.body, "http://localhost:8001/ktbs/b/m2\r\n");

    let headers = [
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("If-Match", "\"x\""),
    ];
    let answer = ktbs.send("DELETE", "b/m2.ttl", &headers, b"").expect(204);
    assert!(answer.headers.is_empty() && answer.body.is_empty());
    ktbs.delete("b/m2").expect(404);
}
