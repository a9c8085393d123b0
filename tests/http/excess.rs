//! Computations beyond their limits: each is told so, and is not tried again at each read.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::{Answer, ROOT, TestKtbs};

/// Returns a kTBS with a trace computed from `b/t/` by a query that never ends once `b/t/` has 300 obsels.
fn ktbs(count: usize) -> TestKtbs {
    let ktbs = TestKtbs::with_trace(|config| {
        config.plugins.sparql_endpoints = true;
        config.limits.query_seconds = 1;
        config.limits.computing_seconds = 1;
    });
    add(&ktbs, 0..count);
    let product = "?x ktbs:hasBegin ?b1 . ?y ktbs:hasBegin ?b2 . ?z ktbs:hasBegin ?b3 . FILTER(?b1 + ?b2 + ?b3 < -1)";
    let bgp = format!("FILTER NOT EXISTS {{ {product} }}");
    let body = json!({"@id": "c/", "@type": "ComputedTrace", "hasMethod": "filter", "hasSource": ["t/"],
        "parameter": [format!("bgp={bgp}")]});
    ktbs.post("b/", "application/json", &body.to_string()).expect(201);
    ktbs
}

fn add(ktbs: &TestKtbs, obsels: std::ops::Range<usize>) {
    let obsel = |i: usize| format!("<o{i}> a <../m#A> ; k:hasTrace <> ; k:hasBegin {i} . ");
    let obsels: String = obsels.map(obsel).collect();
    ktbs.post_turtle("b/t/", &obsels).expect(201);
}

/// Reads obsels; tells how long it took.
fn read(ktbs: &TestKtbs, query: &str) -> (Answer, Duration) {
    let start = Instant::now();
    let answer = ktbs.get(&format!("b/c/@obsels{query}"), &[("Accept", "text/nt")]);
    (answer, start.elapsed())
}

/// Less than a computation takes.
const AT_ONCE: Duration = Duration::from_millis(700);

#[test]
fn what_takes_too_long_is_not_tried_again_at_each_read() {
    let ktbs = ktbs(300);
    let (first, spent) = read(&ktbs, "");
    assert!(spent > AT_ONCE, "{spent:?}");
    assert_eq!(first.status, 503, "{first:?}");
    let text = "503 Service Unavailable\ncompute_obsels for <http://liris.cnrs.fr/silex/2009/ktbs#filter>: ko\n* ";
    assert!(first.body.starts_with(text), "{}", first.body);
    for part in ["(query-seconds)", "it is tried again at 20", "refresh=force"] {
        assert!(first.body.contains(part), "{}", first.body);
    }
    let seconds: u64 = first.header("retry-after").parse().expect("seconds");
    assert!((1..=60).contains(&seconds), "{seconds}");
    // All that needs it is told the same, at once; what does not is there.
    let written = ktbs.app.service.store.last_change();
    for path in ["b/c/@obsels", "b/c/@stats", "b/c/o1"] {
        let start = Instant::now();
        let answer = ktbs.get(path, &[]).expect(503);
        assert_eq!(answer.body, first.body);
        assert!(start.elapsed() < AT_ONCE, "{path}: {:?}", start.elapsed());
    }
    ktbs.get("b/c/", &[]).expect(200);
    read(&ktbs, "?refresh=no").0.expect(200);
    let start = Instant::now();
    ktbs.get("b/?scope=subtree&query=ASK%20%7B%7D", &[]).expect(200);
    assert!(start.elapsed() < AT_ONCE, "{:?}", start.elapsed());
    assert_eq!(ktbs.app.service.store.last_change(), written);
    // A trace computed from it has the same problem, told in the same words.
    let body = json!({"@id": "d/", "@type": "ComputedTrace", "hasMethod": "fusion", "hasSource": ["c/"]});
    ktbs.post("b/", "application/json", &body.to_string()).expect(201);
    assert_eq!(ktbs.get("b/d/@obsels", &[]).expect(503).body, first.body);
    // Whoever insists has it tried.
    let (answer, spent) = read(&ktbs, "?refresh=force");
    assert!(answer.status == 503 && spent > AT_ONCE, "{spent:?} {answer:?}");
}

#[test]
fn it_is_tried_again_when_something_changes() {
    let ktbs = ktbs(300);
    read(&ktbs, "").0.expect(503);
    add(&ktbs, 300..301);
    let (answer, spent) = read(&ktbs, "");
    assert!(answer.status == 503 && spent > AT_ONCE, "{spent:?} {answer:?}");
    for i in 5..301 {
        ktbs.delete(&format!("b/t/o{i}")).expect(204);
    }
    let answer = read(&ktbs, "").0.expect(200);
    assert!(answer.body.contains(&format!("{ROOT}b/c/o4")), "{}", answer.body);
    // What was computed stays until it can be computed again.
    add(&ktbs, 5..301);
    read(&ktbs, "").0.expect(503);
    let kept = read(&ktbs, "?refresh=no").0.expect(200).body;
    assert!(kept.contains("b/c/o4>") && !kept.contains("b/c/o5>"), "{kept}");
    // Other parameters make another computation, of which nothing is there yet.
    let shown = ktbs.get("b/c/", &[("Accept", "application/json")]).expect(200);
    let mut body: serde_json::Value = serde_json::from_str(&shown.body).expect("JSON");
    let parameter = body["parameter"][0]
        .as_str()
        .expect("a parameter")
        .replace("-1)", "-2)");
    body["parameter"] = json!([parameter]);
    let headers = [("Content-Type", "application/json"), ("If-Match", shown.header("etag"))];
    ktbs.put("b/c/", &headers, &body.to_string()).expect(200);
    read(&ktbs, "").0.expect(503);
    assert!(!read(&ktbs, "?refresh=no").0.expect(200).body.contains("hasBegin"));
}

#[test]
fn it_is_tried_again_under_other_limits() {
    let mut ktbs = ktbs(20);
    let mut obsels = |time: Duration| {
        let settings = Arc::get_mut(&mut ktbs.app.service.settings).expect("nobody else has them");
        (settings.computing.time, settings.computing.queries.time) = (time, time);
        ktbs.app.service.refresh("b/c/").map_err(|error| error.to_string())
    };
    // 8,000 rows take more than nothing.
    let (none, much) = (Duration::ZERO, Duration::from_secs(600));
    let problem = obsels(none).expect_err("no time at all");
    assert!(problem.contains("it is tried again at"), "{problem}");
    assert_eq!(obsels(none).expect_err("kept"), problem);
    assert_eq!(obsels(much), Ok(()));
    // What was computed is not computed again because limits are others.
    assert_eq!(obsels(none), Ok(()));
}
