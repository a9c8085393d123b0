//! Answers given again: always those that would be given anew, whoever wrote meanwhile.

use std::io::empty;

use ktbs::fcgi::{Handler, Params};
use ktbs::http;
use proptest::prelude::*;

use crate::support::{Sent, TestKtbs};

fn get(path: &str, accept: &str) -> Params {
    let variables = [
        ("REQUEST_METHOD", "GET".to_owned()),
        ("REQUEST_URI", format!("/ktbs/{path}")),
        ("HTTP_ACCEPT", accept.to_owned()),
    ];
    Params(
        variables
            .into_iter()
            .map(|(name, value)| (name.as_bytes().to_vec(), value.into_bytes()))
            .collect(),
    )
}

/// Returns what a process that has answered before answers.
fn handled(ktbs: &mut TestKtbs, request: &Params) -> String {
    let mut sent = Sent::default();
    ktbs.app
        .handle(request, &mut empty(), &mut sent)
        .expect("the reply never fails");
    String::from_utf8(sent.0).expect("all of it is text")
}

/// Returns what a process that keeps nothing answers.
fn anew(ktbs: &TestKtbs, request: &Params) -> String {
    let mut body = empty();
    let response = match http::request::parse(request, &mut body) {
        Ok(request) => http::answer(&ktbs.app.config, &ktbs.app.service, request),
        Err(error) => http::refuse(&ktbs.app.config, &error, None),
    };
    let mut sent = Vec::new();
    http::response::send(response, &mut sent).expect("a vector takes all");
    String::from_utf8(sent).expect("all of it is text")
}

/// A kTBS with a stored trace `b/t/`, and a trace `b/c/` computed from it.
fn ktbs() -> TestKtbs {
    let ktbs = TestKtbs::with_trace(|config| config.plugins.cors = true);
    ktbs.post_turtle(
        "b/",
        "<> k:contains <c/> . <c/> a k:ComputedTrace ; k:hasMethod k:filter ; k:hasSource <t/> ; k:hasParameter \"after=2\" .",
    )
    .expect(201);
    ktbs
}

fn post(ktbs: &TestKtbs, begin: u8) {
    let body = format!("{{\"@type\": \"m:A\", \"begin\": {begin}}}");
    ktbs.post("b/t/", "application/json", &body).expect(201);
}

const PATHS: [&str; 11] = [
    "",
    "b/",
    "b/m",
    "b/t/",
    "b/t/@obsels",
    "b/t/@obsels?limit=2",
    "b/t/@stats",
    "b/c/",
    "b/c/@obsels",
    "b/x",
    "b/t/@obsels.csv",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn answers_given_again_are_those_given_anew(
        steps in prop::collection::vec((0..4_u8, 0..PATHS.len(), 0..9_u8), 1..40),
    ) {
        let mut ktbs = ktbs();
        for (step, path, number) in steps {
            match step {
                0 => post(&ktbs, number),
                1 if number == 0 => drop(ktbs.delete("b/t/@obsels")),
                _ => {
                    let accept = ["*/*", "application/json", "text/html"][usize::from(number) % 3];
                    let request = get(PATHS[path], accept);
                    let expected = anew(&ktbs, &request);
                    for _ in 0..2 {
                        prop_assert_eq!(&handled(&mut ktbs, &request), &expected);
                    }
                }
            }
        }
    }
}

#[test]
fn a_write_of_another_process_is_seen() {
    let mut ktbs = ktbs();
    let count = |answer: String| answer.matches("\"begin\"").count();
    for path in ["b/t/@obsels", "b/c/@obsels"] {
        assert_eq!(count(handled(&mut ktbs, &get(path, "application/json"))), 0);
    }
    post(&ktbs, 5);
    for path in ["b/t/@obsels", "b/c/@obsels"] {
        assert_eq!(count(handled(&mut ktbs, &get(path, "application/json"))), 1);
    }
}

#[test]
fn what_is_to_be_computed_anew_is() {
    let mut ktbs = ktbs();
    post(&ktbs, 5);
    let force = get("b/c/@obsels?refresh=force", "application/json");
    let etag = |answer: String| answer.lines().find(|line| line.starts_with("ETag")).map(str::to_owned);
    let first = etag(handled(&mut ktbs, &force));
    assert!(first.is_some());
    assert_ne!(first, etag(handled(&mut ktbs, &force)));
}
