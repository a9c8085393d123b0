//! Limits of the administrator on requests and answers: at the limit, and one above.

use crate::support::{TestKtbs, turtle};

#[test]
fn requests_above_max_bytes_are_refused() {
    let body = turtle("<> k:contains <m2> . <m2> a k:TraceModel .");
    let mut ktbs = TestKtbs::with_trace(|_| {});
    ktbs.app.config.server.max_bytes = Some(body.len() as u64);
    ktbs.post("b/", "text/turtle", &body).expect(201);
    let refused = ktbs.post("b/", "text/turtle", &(body.clone() + " ")).expect(413);
    let message = format!(
        "413 Payload Too Large\nmax_bytes ({}) was exceeded\n\nService info\n",
        body.len()
    );
    assert!(refused.body.starts_with(&message), "{}", refused.body);
    ktbs.post("b/", "text/turtle", "").expect(411);
}

#[test]
fn requests_above_max_triples_are_refused() {
    let ktbs = TestKtbs::with_trace(|config| config.server.max_triples = Some(5));
    let post = |count: usize| {
        let labels: String = (2..count).map(|i| format!("<m2> <http://x/p> {i} . ")).collect();
        ktbs.post_turtle("b/", &format!("<> k:contains <m2> . <m2> a k:TraceModel . {labels}"))
    };
    let refused = post(6).expect(413);
    assert!(
        refused.body.contains("\nmax_triples (5) was exceeded\n"),
        "{}",
        refused.body
    );
    post(5).expect(201);
}

#[test]
fn requests_above_the_limit_of_the_server_are_refused() {
    let ktbs = TestKtbs::with_trace(|config| config.limits.request_bytes = 1000);
    let refused = ktbs.post("b/", "text/turtle", &" ".repeat(1001)).expect(413);
    assert!(
        refused.body.contains("\nrequest-bytes (1000) was exceeded\n"),
        "{}",
        refused.body
    );
}

#[test]
fn a_body_that_is_not_as_long_as_announced_is_not_stored() {
    let ktbs = TestKtbs::with_trace(|_| {});
    let body = turtle("<> k:contains <m2> . <m2> a k:TraceModel .");
    for length in [body.len() - 1, body.len() + 1] {
        let length = length.to_string();
        let params = [
            ("REQUEST_METHOD", "POST"),
            ("REQUEST_URI", "/ktbs/b/"),
            ("CONTENT_TYPE", "text/turtle"),
            ("CONTENT_LENGTH", &length),
        ];
        let params = params.map(|(n, v)| (n.as_bytes().to_vec(), v.as_bytes().to_vec()));
        ktbs.answer(&ktbs::fcgi::Params(params.to_vec()), body.as_bytes())
            .expect(400);
    }
    ktbs.get("b/m2", &[]).expect(404);
}

#[test]
fn answers_above_max_bytes_are_refused() {
    let length = TestKtbs::with_trace(|_| {}).get("b/m.nt", &[]).expect(200).body.len() as u64;
    for (max_bytes, status) in [(length + 1, 200), (length, 200), (length - 1, 403)] {
        let mut ktbs = TestKtbs::with_trace(|_| {});
        // The requests that made the model are larger.
        ktbs.app.config.server.max_bytes = Some(max_bytes);
        let answer = ktbs.get("b/m.nt", &[]).expect(status);
        if status == 403 {
            let message = format!("403 Forbidden\nmax_bytes ({max_bytes}) was exceeded\n\nService info\n");
            assert!(answer.body.starts_with(&message), "{}", answer.body);
        }
    }
}

#[test]
fn answers_above_max_triples_are_refused() {
    let mut ktbs = TestKtbs::with_trace(|_| {});
    ktbs.app.config.server.max_triples = Some(3);
    let answer = ktbs.get("b/m.nt", &[]).expect(200);
    assert_eq!(answer.body.lines().count(), 3);
    let answer = ktbs.get("b/t/.nt", &[]).expect(403);
    assert!(
        answer.body.starts_with("403 Forbidden\nmax_triple (3) was exceeded\n"),
        "{}",
        answer.body
    );
}

#[test]
fn large_answers_are_streamed() {
    let ktbs = TestKtbs::with_trace(|_| {});
    let label = "x".repeat(1 << 19);
    let body = turtle(&format!(
        "<./> k:contains <> . <> a k:TraceModel ; k:hasUnit k:millisecond ; <http://x/p> \"1{label}\", \"2{label}\", \"3{label}\" ."
    ));
    let put = ktbs.put("b/m.ttl", &[], &body).expect(200);
    assert!(put.streamed && put.body.len() > 3 << 19);
    let head = ktbs.send("HEAD", "b/m.ttl", &[], b"").expect(200);
    assert_eq!((head.streamed, head.body.as_str()), (false, ""));
    assert!(!ktbs.get("b/.ttl", &[]).expect(200).streamed);
}
