//! Obsels posted in the query string of a GET.

use crate::support::TestKtbs;

const OBSEL: &str = "<o1> <http://liris.cnrs.fr/silex/2009/ktbs%23hasTrace> <> ; \
                     <http://liris.cnrs.fr/silex/2009/ktbs%23hasBegin> 4 .";

fn ktbs() -> TestKtbs {
    TestKtbs::with_trace(|config| config.plugins.post_via_get = true)
}

#[test]
fn a_payload_in_the_url_is_posted() {
    let ktbs = ktbs();
    let path = format!("b/t/?ctype=text/turtle&post={OBSEL}&other=ignored&_=1");
    let answer = ktbs.get(&path, &[("Accept", "text/turtle")]).expect(200);
    assert_eq!(answer.header("content-type"), "text/turtle;charset=utf-8");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("etag"), "");
    assert!(!answer.body.contains("StoredTrace"), "{}", answer.body);
    ktbs.get("b/t/o1.nt", &[]).expect(200);
    ktbs.get(&path, &[("Accept", "text/turtle")]).expect(403);
}

#[test]
fn payload_and_answer_are_json_by_default() {
    let ktbs = ktbs();
    let answer = ktbs.get("b/t/?post={\"@id\":\"o1\",\"begin\":3}", &[]).expect(200);
    assert_eq!(answer.header("content-type"), "application/ld+json");
    assert_eq!(answer.header("etag"), "");
    assert!(answer.body.contains("StoredTrace"), "{}", answer.body);
    ktbs.get("b/t/o1", &[]).expect(200);
}

#[test]
fn each_payload_is_posted() {
    let ktbs = ktbs();
    let second = OBSEL.replace("o1", "o2");
    let path = format!("b/t/?post={OBSEL}&content-type=text/turtle&post={second}");
    ktbs.get(&path, &[("Accept", "text/nt")]).expect(200);
    ktbs.get("b/t/o1.nt", &[]).expect(200);
    ktbs.get("b/t/o2.nt", &[]).expect(200);
}

#[test]
fn several_payloads_are_posted_together_or_not_at_all() {
    let ktbs = ktbs();
    let one = r#"{"@id": "o1", "begin": 1, "m:to": {"m:v": 1}}"#;
    for (other, status) in [
        (r#"{"@id": "o2", "begin": "x"}"#, 403),
        (r#"{"@id": "o2", "#, 400),
        ("[]", 403),
        (r#"{"@id": "o1", "begin": 2}"#, 403),
    ] {
        for path in [
            format!("b/t/?post={one}&post={other}"),
            format!("b/t/?post={other}&post={one}"),
        ] {
            ktbs.get(&path, &[]).expect(status);
            ktbs.get("b/t/o1", &[]).expect(404);
        }
    }
    // The blank nodes of each are its own, whatever they are called.
    let two = r#"{"@id": "o2", "begin": 2, "m:to": {"m:v": 2}}"#;
    ktbs.get(&format!("b/t/?post={one}&post={two}"), &[]).expect(200);
    for (obsel, value) in [("o1", 1), ("o2", 2)] {
        let body = ktbs.get(&format!("b/t/{obsel}"), &[]).expect(200).body;
        assert_eq!(body.matches("\"m:v\"").count(), 1, "{body}");
        assert!(body.contains(&format!("\"m:v\": {value}")), "{body}");
    }
}

#[test]
fn what_is_refused_is_not_posted() {
    let ktbs = ktbs();
    let path = |ctype: &str, post: &str| format!("b/t/?ctype={ctype}&post={post}");
    let accept = |accept| [("Accept", accept)];
    ktbs.get(&path("text/turtle", OBSEL), &accept("image/png")).expect(406);
    let answer = ktbs.get(&path("text/sgml", "x"), &accept("text/nt")).expect(400);
    assert_eq!(
        answer.body,
        "400 Bad Request - Parse error\nunknown content-type text/sgml"
    );
    ktbs.get(&path("text/turtle", "<> a"), &accept("text/nt")).expect(400);
    ktbs.get(&path("text/turtle", ""), &accept("text/nt")).expect(403);
    ktbs.send("HEAD", &path("text/turtle", OBSEL), &accept("text/nt"), b"")
        .expect(404);
    ktbs.get("b/t/o1.nt", &[]).expect(404);
}

#[test]
fn only_a_stored_trace_takes_it_and_only_when_it_is_on() {
    let ktbs = ktbs();
    for path in ["b/?post=x", "b/m?post=x", "b/t/@obsels?post=x"] {
        ktbs.get(path, &[("Accept", "text/nt")]).expect(404);
    }
    let off = TestKtbs::with_trace(|_| {});
    off.get("b/t/?post=x", &[("Accept", "text/nt")]).expect(404);
}
