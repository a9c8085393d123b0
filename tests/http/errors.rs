//! Payloads that cannot be read, and the text of refusals.

use crate::support::TestKtbs;

#[test]
fn an_unknown_resource_is_described_by_the_front_end() {
    let ktbs = TestKtbs::new();
    for method in ["GET", "POST", "PUT", "DELETE", "OPTIONS", "BREW"] {
        let answer = ktbs.send(method, "nothing", &[], b"").expect(404);
        assert_eq!(
            answer.body,
            "404 Not Found\n\nService info\n  class name: KtbsService\n  root URI  : http://localhost:8001/ktbs/\n        "
        );
        assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
}

#[test]
fn payloads_that_cannot_be_read_are_refused() {
    let ktbs = TestKtbs::with_trace(|_| {});
    let turtle = "<> <http://liris.cnrs.fr/silex/2009/ktbs#contains> <m2> .";
    for (content_type, body, status) in [
        ("text/turtle", "<> <p> ".as_bytes(), 400),
        ("text/turtle", b"<> <p> \"\xE9\" .", 400),
        ("text/turtle;charset=us-ascii", "<> <p> \"é\" .".as_bytes(), 400),
        ("text/turtle;charset=klingon", turtle.as_bytes(), 415),
        ("application/vnd.ms-excel", b"begin;end", 415),
        ("text/json", b"{}", 415),
        ("multipart/form-data; boundary=x", b"--x", 415),
    ] {
        let headers = [("Content-Type", content_type)];
        let answer = ktbs.send("POST", "b/", &headers, body).expect(status);
        assert_eq!(
            answer.header("content-type"),
            "text/plain; charset=utf-8",
            "{content_type}"
        );
    }
}

#[test]
fn a_payload_is_read_before_a_resource_that_takes_none_refuses_it() {
    let ktbs = TestKtbs::with_trace(|_| {});
    ktbs.post("b/t/", "application/json", r#"{"@id": "o", "begin": 1}"#)
        .expect(201);
    for path in ["b/m", "b/t/@obsels", "b/t/@stats", "b/t/o"] {
        ktbs.post(path, "text/turtle", "<> <p> ").expect(400);
        ktbs.post(path, "application/json", "{").expect(400);
        ktbs.post(path, "text/json", "{}").expect(415);
        ktbs.post(path, "text/turtle", "<> a <T> .").expect(405);
        ktbs.post(path, "application/json", r##"{"@type": "ObselType", "@id": "#T"}"##)
            .expect(405);
    }
}

#[test]
fn simple_json_of_a_known_class_in_the_wrong_place_is_invalid_data() {
    let ktbs = TestKtbs::new();
    let post = |class: &str| {
        ktbs.post(
            "",
            "application/json",
            &format!("{{\"@id\": \"x/\", \"@type\": \"{class}\"}}"),
        )
    };
    assert_eq!(
        post("StoredTrace").expect(403).body,
        "403 Forbidden - Invalid data\nCan not find created node"
    );
    assert_eq!(
        post("Obsel").expect(400).body,
        "400 Bad Request - Parse error\nno object with one of these as '@type' was found: Base"
    );
    post("Base").expect(201);
}

#[test]
fn payloads_are_decoded_by_their_charset() {
    let ktbs = TestKtbs::with_trace(|_| {});
    let body = |name: &str| {
        crate::support::turtle(&format!(
            "<> k:contains <{name}> . <{name}> a k:TraceModel ; <http://x/p> \"é\" ."
        ))
    };
    let latin1: Vec<u8> = body("m1").chars().map(|c| u8::try_from(c).unwrap_or(b'?')).collect();
    let utf16: Vec<u8> = body("m2").encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (name, charset, body) in [
        ("m1", "TEXT/Turtle; charset=ISO-8859-1", latin1),
        ("m2", "text/turtle;charset=\"utf-16le\"", utf16),
        ("m3", "", body("m3").into_bytes()),
    ] {
        ktbs.send("POST", "b/", &[("Content-Type", charset)], &body).expect(201);
        let answer = ktbs.get(&format!("b/{name}.nt"), &[]).expect(200);
        assert!(answer.body.contains("\"é\""), "{charset}: {}", answer.body);
    }
}
