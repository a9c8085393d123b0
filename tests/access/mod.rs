//! Who may do what, with the plugin authx.

mod browser;
pub mod fake;
mod introspection;
mod issuer;
mod lists;
mod login;
mod personal;
mod table;
pub mod tokens;

use crate::support::{Answer, TestKtbs, turtle};
use ktbs::config::Policy;

/// Returns a kTBS where one must tell who one is, with the user `root` as administrator.
pub fn ktbs(policy: Policy) -> TestKtbs {
    TestKtbs::with(|config| {
        config.plugins.authx = true;
        config.plugins.sparql_endpoints = true;
        config.plugins.post_via_get = true;
        config.sparql.allow_scope_store = true;
        config.authx.policy = policy;
        config.authx.admins = vec!["root".to_owned()];
        config.authx.remote_groups = "REMOTE_GROUPS".to_owned();
    })
}

/// Posts Turtle as a user.
pub fn post(ktbs: &TestKtbs, user: &str, path: &str, body: &str) -> Answer {
    let headers = [("Content-Type", "text/turtle")];
    ktbs.send_as(user, "POST", path, &headers, turtle(body).as_bytes())
}

/// Gets a resource as a user.
pub fn get(ktbs: &TestKtbs, user: &str, path: &str) -> Answer {
    ktbs.send_as(user, "GET", path, &[], b"")
}

/// Deletes a resource as a user.
pub fn delete(ktbs: &TestKtbs, user: &str, path: &str) -> Answer {
    ktbs.send_as(user, "DELETE", path, &[], b"")
}

/// Puts what a user gets, changed, as JSON.
pub fn put(ktbs: &TestKtbs, user: &str, path: &str, body: &str) -> Answer {
    let before = ktbs.send_as(user, "GET", path, &[("Accept", "application/json")], b"");
    let headers = [
        ("Content-Type", "application/json"),
        ("If-Match", before.header("etag")),
    ];
    ktbs.send_as(user, "PUT", path, &headers, body.as_bytes())
}

/// Gives a list to a resource.
pub fn grant(ktbs: &TestKtbs, user: &str, path: &str, list: &str) -> Answer {
    put(ktbs, user, &format!("{path}@acl"), list)
}

/// Makes, as alice, the base `alice/` with a model `m` and a trace `t/` of two obsels.
pub fn with_alice(policy: Policy) -> TestKtbs {
    let ktbs = ktbs(policy);
    post(&ktbs, "alice", "", "<> k:hasBase <alice/> . <alice/> a k:Base .").expect(201);
    post(&ktbs, "alice", "alice/", "<> k:contains <m> . <m> a k:TraceModel .").expect(201);
    trace(&ktbs, "alice/", "t/");
    ktbs
}

/// Makes, as alice, a stored trace with two obsels in a base.
pub fn trace(ktbs: &TestKtbs, base: &str, id: &str) {
    let body = format!("<> k:contains <{id}> . <{id}> a k:StoredTrace ; k:hasModel <m> ; k:hasOrigin \"o\" .");
    post(ktbs, "alice", base, &body).expect(201);
    let obsel = |n: u32| format!("<o{n}> a <m#O> ; k:hasTrace <> ; k:hasBegin {n} ; k:hasSubject \"s\" .");
    post(ktbs, "alice", &format!("{base}{id}"), &(obsel(1) + &obsel(2))).expect(201);
}

/// Makes, as alice, a computed trace.
pub fn computed(ktbs: &TestKtbs, base: &str, id: &str, method: &str, source: &str, parameters: &str) {
    let body = format!(
        "<> k:contains <{id}> . <{id}> a k:ComputedTrace ; k:hasMethod {method} ; k:hasSource <{source}> {parameters} ."
    );
    post(ktbs, "alice", base, &body).expect(201);
}
