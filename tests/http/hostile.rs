//! Whatever a client sends, it gets an answer, and never one that says that the server failed.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use ktbs::fcgi::Params;
use proptest::prelude::*;

use crate::support::TestKtbs;

const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "BREW"];

const RESOURCES: [&str; 8] = [
    "/ktbs/",
    "/ktbs/b/",
    "/ktbs/b/m",
    "/ktbs/b/t/",
    "/ktbs/b/t/@obsels",
    "/ktbs/b/t/@stats",
    "/ktbs/b/t/o1",
    "/",
];

const SUFFIXES: [&str; 10] = [
    "",
    "",
    "",
    ".ttl",
    ".json",
    "?limit=1&minb=x",
    "?reverse&after=o1",
    "?prop=label,hasModel",
    "?ctype=text/turtle&post=",
    "?_=1",
];

const TYPES: [&str; 7] = [
    "text/turtle",
    "text/nt",
    "application/rdf+xml",
    "application/json",
    "application/ld+json",
    "text/csv",
    "*/*",
];

/// Pieces that lead deeper into the parsers than noise does.
const PIECES: [&str; 24] = [
    "<>",
    "<b2/>",
    "<m#x>",
    "<http://[>",
    "k:hasBase",
    "k:contains",
    "k:hasTrace",
    "k:hasBegin",
    " a ",
    "k:Base",
    "k:StoredTrace",
    "k:TraceModel",
    "_:b",
    "[",
    "]",
    "(",
    ")",
    "\"é\"",
    "99999999999999999999",
    "-1",
    " . ",
    " ; ",
    "{\"@id\":",
    "}",
];

fn noise() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..30)
}

/// JSON with keys and values that mean something to a kTBS, not always together.
fn json() -> impl Strategy<Value = String> {
    const KEYS: [&str; 16] = [
        "@id",
        "@type",
        "@context",
        "@graph",
        "@value",
        "@list",
        "@reverse",
        "@language",
        "hasTrace",
        "begin",
        "beginDT",
        "subject",
        "obsels",
        "inBase",
        "m:a",
        "http://x/p",
    ];
    const LEAVES: [&str; 16] = [
        "\"\"",
        "\"./\"",
        "\"b2/\"",
        "\"_:b\"",
        "\"m:E\"",
        "\"Base\"",
        "\"StoredTrace\"",
        "\"TraceModel\"",
        "\"m\"",
        "\"http://liris.cnrs.fr/silex/2011/ktbs-jsonld-context\"",
        "-1",
        "1.5e400",
        "99999999999999999999",
        "null",
        "true",
        "\"\\ud800\"",
    ];
    let leaf = prop::sample::select(&LEAVES[..]).prop_map(str::to_owned);
    leaf.prop_recursive(4, 24, 4, |value| {
        let member = (prop::sample::select(&KEYS[..]), value.clone()).prop_map(|(k, v)| format!("\"{k}\": {v}"));
        prop_oneof![
            prop::collection::vec(value, 0..4).prop_map(|values| format!("[{}]", values.join(", "))),
            prop::collection::vec(member, 0..5).prop_map(|members| format!("{{{}}}", members.join(", "))),
        ]
    })
}

fn payload() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop::collection::vec(prop::sample::select(&PIECES[..]), 0..20);
    let prefix = "@prefix k: <http://liris.cnrs.fr/silex/2009/ktbs#> . ";
    prop_oneof![
        noise(),
        pieces.prop_map(move |pieces| format!("{prefix}{}", pieces.join(" ")).into_bytes()),
        json().prop_map(String::into_bytes),
    ]
}

fn uri() -> impl Strategy<Value = Vec<u8>> {
    let resource = prop::sample::select(&RESOURCES[..]);
    let suffix = prop::sample::select(&SUFFIXES[..]);
    (resource, suffix, rarely(noise())).prop_map(|(resource, suffix, noise)| {
        let mut uri = [resource, suffix].concat().into_bytes();
        uri.extend(noise);
        uri
    })
}

fn rarely(noise: impl Strategy<Value = Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![5 => Just(Vec::new()), 1 => noise]
}

fn header() -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
    let name = prop::sample::select(vec![
        "HTTP_ACCEPT",
        "CONTENT_TYPE",
        "HTTP_IF_MATCH",
        "HTTP_IF_NONE_MATCH",
        "HTTP_IF_MODIFIED_SINCE",
        "HTTP_ORIGIN",
    ]);
    let value = prop_oneof![
        3 => prop::sample::select(&TYPES[..]).prop_map(|media_type| media_type.as_bytes().to_vec()),
        1 => prop::collection::vec(b' '.., 0..30),
    ];
    (name, value).prop_map(|(name, value)| (name.as_bytes().to_vec(), value))
}

#[test]
fn any_request_is_answered() {
    let ktbs = TestKtbs::with_trace(|config| {
        config.plugins.cors = true;
        config.plugins.post_via_get = true;
    });
    let requests = (
        prop::sample::select(&METHODS[..]),
        uri(),
        prop::collection::vec(header(), 0..4),
        payload(),
    );
    let mut runner = prop::test_runner::TestRunner::new(ProptestConfig {
        cases: 2000,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    runner
        .run(&requests, |(method, mut uri, mut params, body)| {
            if method == "DELETE" {
                // What is deleted could not be asked any more.
                uri.extend(b"?x");
            }
            params.push((b"REQUEST_METHOD".to_vec(), method.as_bytes().to_vec()));
            params.push((b"REQUEST_URI".to_vec(), uri));
            params.push((b"CONTENT_LENGTH".to_vec(), body.len().to_string().into_bytes()));
            let answer = ktbs.answer(&Params(params), &body);
            prop_assert!(answer.status < 500 || answer.status == 501, "{answer:?}");
            Ok(())
        })
        .unwrap();
}
