//! Validators and preconditions (RFC 9110 sections 8.8 and 13; kTBS documentation, "Concurrency").

use crate::support::{TestKtbs, turtle};

const TURTLE: (&str, &str) = ("Accept", "text/turtle");

fn model(label: &str) -> String {
    turtle(&format!(
        "<./> k:contains <> . <> a k:TraceModel ; k:hasUnit k:millisecond ; <http://x/label> \"{label}\" ."
    ))
}

#[test]
fn an_etag_lives_as_long_as_the_state() {
    let ktbs = TestKtbs::with_trace(|_| {});
    let got = ktbs.get("b/m", &[TURTLE]).expect(200);
    let etag = got.header("etag").to_owned();
    assert!(etag.starts_with("W/\"text/turtle/") && etag.ends_with('"'), "{etag}");
    assert_eq!(got.header("x-etags"), etag);
    assert_eq!(ktbs.get("b/m", &[TURTLE]).header("etag"), etag);

    let put = |label, if_match: Option<&str>| {
        let mut headers = vec![("Content-Type", "text/turtle"), TURTLE];
        headers.extend(if_match.map(|etag| ("If-Match", etag)));
        ktbs.put("b/m", &headers, &model(label))
    };
    let new = put("1", Some(&etag)).expect(200).header("etag").to_owned();
    assert_ne!(new, etag);
    assert_eq!(ktbs.get("b/m", &[TURTLE]).header("etag"), new);
    put("2", Some(&etag)).expect(412);

    let gzip = format!("{}-gzip\"", &new[..new.len() - 1]);
    let new = put("2", Some(&gzip)).expect(200).header("etag").to_owned();
    let json = new.replace("text/turtle", "application/json");
    put("3", Some(&json)).expect(412);
    let refused = put("3", None).expect(403);
    assert_eq!(refused.body, "403 Forbidden: 'if-match' is required");
    put("3", Some("*")).expect(403);
    put("3", Some(new.trim_start_matches("W/"))).expect(200);

    let with_extension = |if_match: Option<&str>| {
        let headers: Vec<_> = if_match.map(|etag| ("If-Match", etag)).into_iter().collect();
        ktbs.put("b/m.ttl", &headers, &model("4"))
    };
    let answer = with_extension(None).expect(200);
    assert_eq!(answer.header("content-type"), "text/turtle;charset=utf-8");
    with_extension(Some(&new)).expect(412);
    with_extension(Some(answer.header("etag"))).expect(200);
}

#[test]
fn a_put_answers_as_a_get() {
    let ktbs = TestKtbs::with_trace(|_| {});
    let put = ktbs.put("b/m.ttl", &[], &model("x")).expect(200);
    let get = ktbs.get("b/m.ttl", &[]).expect(200);
    assert_eq!(put.headers, get.headers);
    assert_eq!(put.body, get.body);
    assert_eq!(put.header("cache-control"), "max-age=1");
}

#[test]
fn the_checks_of_a_put_have_an_order() {
    let ktbs = TestKtbs::with_trace(|config| config.server.max_bytes = Some(3000));
    let etag = ktbs.get("b/m", &[TURTLE]).header("etag").to_owned();
    let markdown = etag.replace("text/turtle", "text/markdown");
    let large = " ".repeat(3001);
    let put = |headers: &[(&str, &str)], body: &str| ktbs.put("b/m", headers, body).status;
    let typed = |media_type| ("Content-Type", media_type);

    // What could not be answered is not done.
    let unacceptable = [
        typed("text/turtle"),
        ("Accept", "image/png"),
        ("If-Match", etag.as_str()),
    ];
    assert_eq!(put(&unacceptable, &model("lost")), 406);
    assert_eq!(put(&[typed("text/markdown")], &large), 403);
    assert_eq!(put(&[typed("text/markdown"), ("If-Match", &etag)], &large), 412);
    assert_eq!(put(&[typed("text/markdown"), ("If-Match", &markdown)], &large), 415);
    assert_eq!(put(&[("If-Match", &etag)], &large), 413);
    assert_eq!(put(&[("If-Match", &etag)], "<> a"), 400);
    assert_eq!(put(&[("If-Match", &etag)], ""), 411);
    assert_eq!(ktbs.put("b/m.csv", &[], "").status, 404);
    assert_eq!(ktbs.get("b/m", &[TURTLE]).header("etag"), etag);
}

#[test]
fn who_has_it_gets_304() {
    let ktbs = TestKtbs::with_trace(|_| {});
    let got = ktbs.get("b/m", &[TURTLE]).expect(200);
    let etag = got.header("etag");
    let list = format!("\"something-else\", {etag}");
    let gzip = format!("{}-gzip\"", &etag[..etag.len() - 1]);
    for method in ["GET", "HEAD"] {
        for if_none_match in [etag, &list, &gzip, "*"] {
            let headers = [TURTLE, ("If-None-Match", if_none_match)];
            let answer = ktbs.send(method, "b/m", &headers, b"").expect(304);
            assert_eq!(answer.body, "");
            let mut expected = got.headers.clone();
            expected.remove("content-type");
            expected.remove("x-content-type-options");
            assert_eq!(answer.headers, expected);
        }
    }
    for if_none_match in ["\"something-else\"", "", &etag.replace("turtle", "nt")] {
        ktbs.get("b/m", &[TURTLE, ("If-None-Match", if_none_match)]).expect(200);
    }
    let modified = got.header("last-modified");
    ktbs.get("b/m", &[TURTLE, ("If-Modified-Since", modified)]).expect(304);
    ktbs.get("b/m", &[TURTLE, ("If-Modified-Since", "Thu, 01 Jan 1970 00:00:00 GMT")])
        .expect(200);
    let both = [TURTLE, ("If-None-Match", "\"x\""), ("If-Modified-Since", modified)];
    ktbs.get("b/m", &both).expect(200);
    ktbs.get("b/m", &[TURTLE, ("If-Match", "\"x\"")]).expect(200);
}
