//! Personal tokens: who has one is its owner, within its limits.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ktbs::config::{Policy, Way};
use ktbs::resource::access::token::{Token, revoke};
use ktbs::resource::access::{Limit, Rights};

use super::{computed, grant, post, trace, with_alice};
use crate::support::{Answer, TestKtbs, turtle};

const OBSEL: &str = "[] a <m#O> ; k:hasTrace <> ; k:hasBegin 7 ; k:hasSubject \"s\" .";

/// Makes a token of alice; `limit`: a path and rights.
fn token(ktbs: &TestKtbs, limit: Option<(&str, Rights)>) -> (String, String) {
    of("alice", ktbs, limit)
}

fn of(owner: &str, ktbs: &TestKtbs, limit: Option<(&str, Rights)>) -> (String, String) {
    let token = Token {
        owner: owner.to_owned(),
        label: "a label".to_owned(),
        groups: Vec::new(),
        created: 1,
        expires: None,
        limit: limit.map(|(path, rights)| Limit {
            path: path.to_owned(),
            rights,
        }),
    };
    token.create(&ktbs.app.service.store).expect("a token")
}

fn send(ktbs: &TestKtbs, token: &str, method: &str, path: &str, body: &str) -> Answer {
    let authorization = format!("Bearer {token}");
    let headers = [
        ("Authorization", authorization.as_str()),
        ("Content-Type", "text/turtle"),
    ];
    ktbs.send(method, path, &headers, turtle(body).as_bytes())
}

fn get(ktbs: &TestKtbs, token: &str, path: &str) -> Answer {
    ktbs.get(path, &[("Authorization", &format!("Bearer {token}"))])
}

#[test]
fn who_has_a_token_is_its_owner() {
    let ktbs = with_alice(Policy::Private);
    let (id, text) = token(&ktbs, None);
    get(&ktbs, &text, "alice/t/@obsels").expect(200);
    get(&ktbs, &text, "alice/t/@acl").expect(200);
    send(&ktbs, &text, "POST", "alice/t/", OBSEL).expect(201);
    let (_, bobs) = of("bob", &ktbs, None);
    get(&ktbs, &bobs, "alice/t/").expect(404);
    send(&ktbs, &bobs, "POST", "", "<> k:hasBase <bob/> . <bob/> a k:Base .").expect(201);
    // An administrator is one by name.
    let (_, roots) = of("root", &ktbs, None);
    get(&ktbs, &roots, "@acl").expect(200);

    let basic = |login: &str| {
        let basic = format!("Basic {}", BASE64_STANDARD.encode(format!("{login}:{text}")));
        ktbs.get("alice/t/", &[("Authorization", &basic)]).status
    };
    assert_eq!([basic("alice"), basic("bob"), basic("")], [200, 401, 401]);

    revoke(&ktbs.app.service.store, &[id]).expect("revoked");
    get(&ktbs, &text, "alice/t/").expect(401);
    get(&ktbs, &bobs, "bob/").expect(200);
    get(&ktbs, &format!("{bobs}A"), "bob/").expect(401);
}

#[test]
fn tokens_are_looked_at_only_where_that_way_is_listed() {
    for ways in [vec![Way::Basic, Way::Bearer], vec![Way::RemoteUser]] {
        let ktbs = TestKtbs::with(|config| {
            config.plugins.authx = true;
            config.authx.ways = ways;
        });
        let (_, text) = token(&ktbs, None);
        get(&ktbs, &text, "").expect(401);
    }
    let ktbs = TestKtbs::with(|config| config.plugins.authx = true);
    let challenges = ktbs.get("", &[]).expect(401);
    assert!(
        challenges
            .headers("www-authenticate")
            .contains(&"Bearer realm=\"kTBS\"")
    );
}

#[test]
fn the_token_of_a_collector_can_only_add_to_one_trace() {
    let ktbs = with_alice(Policy::Private);
    trace(&ktbs, "alice/", "u/");
    let (_, text) = token(&ktbs, Some(("alice/t/", Rights::ADD)));
    send(&ktbs, &text, "POST", "alice/t/", OBSEL).expect(201);
    for path in [
        "",
        "alice/",
        "alice/m",
        "alice/u/",
        "alice/u/@obsels",
        "none/",
        "alice/?query=ASK%7B%7D",
    ] {
        get(&ktbs, &text, path).expect(404);
        send(&ktbs, &text, "DELETE", path, "").expect(404);
    }
    for path in [
        "alice/t/",
        "alice/t/@obsels",
        "alice/t/@stats",
        "alice/t/o1",
        "alice/t/o9",
    ] {
        get(&ktbs, &text, path).expect(403);
        send(&ktbs, &text, "DELETE", path, "").expect(403);
        send(&ktbs, &text, "PUT", path, "").expect(403);
    }
    get(&ktbs, &text, "alice/t/@acl").expect(403);
    send(&ktbs, &text, "POST", "alice/u/", OBSEL).expect(404);
    send(
        &ktbs,
        &text,
        "POST",
        "alice/",
        "<> k:contains <n> . <n> a k:TraceModel .",
    )
    .expect(404);
    send(
        &ktbs,
        &text,
        "POST",
        "",
        "<> k:hasBase <alice2/> . <alice2/> a k:Base .",
    )
    .expect(404);
    // What its owner may no longer do, it may not.
    grant(&ktbs, "root", "alice/", r#"{"owner": "root"}"#).expect(200);
    let (_, bobs) = of("bob", &ktbs, Some(("alice/t/", Rights::ADD)));
    send(&ktbs, &bobs, "POST", "alice/t/", OBSEL).expect(404);
    grant(&ktbs, "root", "alice/t/", r#"{"add": ["user:bob"]}"#).expect(200);
    send(&ktbs, &bobs, "POST", "alice/t/", OBSEL).expect(201);
    grant(&ktbs, "root", "alice/t/", r#"{"read": ["user:bob"]}"#).expect(200);
    send(&ktbs, &bobs, "POST", "alice/t/", OBSEL).expect(404);
    get(&ktbs, &bobs, "alice/t/").expect(404);
}

#[test]
fn a_limit_on_rights_alone_holds_everywhere() {
    let ktbs = with_alice(Policy::Private);
    let (_, reads) = token(&ktbs, Some(("", Rights::READ)));
    get(&ktbs, &reads, "").expect(200);
    get(&ktbs, &reads, "alice/t/@obsels").expect(200);
    get(&ktbs, &reads, "alice/t/@acl").expect(403);
    send(&ktbs, &reads, "POST", "alice/t/", OBSEL).expect(403);
    let (_, bobs) = of("bob", &ktbs, Some(("", Rights::READ)));
    send(&ktbs, &bobs, "POST", "", "<> k:hasBase <bob/> . <bob/> a k:Base .").expect(403);
    // Of administrators too.
    for (rights, acl, root) in [
        (Rights::READ, 403, 200),
        (Rights::WRITE, 403, 200),
        (Rights::MANAGE, 200, 200),
    ] {
        let (_, roots) = of("root", &ktbs, Some(("", rights)));
        get(&ktbs, &roots, "alice/t/@acl").expect(acl);
        get(&ktbs, &roots, "alice/t/").expect(root);
    }
    let (_, roots) = of("root", &ktbs, Some(("alice/t/", Rights::ALL)));
    get(&ktbs, &roots, "alice/").expect(404);
    get(&ktbs, &roots, "alice/t/@acl").expect(200);
}

#[test]
fn a_limit_is_not_got_round_by_what_is_computed() {
    let ktbs = with_alice(Policy::Private);
    post(&ktbs, "alice", "alice/", "<> k:contains <sub/> . <sub/> a k:Base .").expect(201);
    trace(&ktbs, "alice/sub/", "v/");
    computed(&ktbs, "alice/", "c/", "k:filter", "t/", "");
    // Who only reads may read what its owner has computed, from whatever.
    let (_, reads) = token(&ktbs, Some(("alice/c/", Rights::READ)));
    let seen = get(&ktbs, &reads, "alice/c/@obsels").expect(200).body;
    assert!(seen.contains("o1"), "{seen}");
    get(&ktbs, &reads, "alice/t/@obsels").expect(404);
    // Who may change computed traces reads none that looks out of the limit.
    let (_, writes) = token(&ktbs, Some(("alice/c/", Rights::WRITE)));
    get(&ktbs, &writes, "alice/c/@obsels").expect(403);
    let (_, writes) = token(&ktbs, Some(("alice/sub/", Rights::WRITE)));
    get(&ktbs, &writes, "alice/sub/v/@obsels").expect(200);
    for (id, method, status) in [
        ("d", "k:filter", 200),
        (
            "e",
            "k:sparql ; k:hasParameter \"scope=base\", \"sparql=CONSTRUCT {} {}\"",
            200,
        ),
        (
            "f",
            "k:sparql ; k:hasParameter \"scope=store\", \"sparql=CONSTRUCT {} {}\"",
            403,
        ),
        ("g", "<../m>", 403),
    ] {
        let body =
            format!("<> k:contains <{id}/> . <{id}/> a k:ComputedTrace ; k:hasMethod {method} ; k:hasSource <v/> .");
        let created = send(&ktbs, &writes, "POST", "alice/sub/", &body).status;
        let read = get(&ktbs, &writes, &format!("alice/sub/{id}/")).status;
        assert_eq!((created, read), (201, status), "{id}");
    }
}

#[test]
fn tokens_that_are_not_good_must_wait_and_others_need_not() {
    let ktbs = with_alice(Policy::Private);
    let (_, text) = token(&ktbs, None);
    let from = |address: &str, token: &str| {
        let authorization = format!("Bearer {token}");
        let params = [
            ("REQUEST_METHOD", "GET"),
            ("REQUEST_URI", "/ktbs/alice/t/"),
            ("REMOTE_ADDR", address),
            ("HTTP_AUTHORIZATION", &authorization),
        ];
        let params = params.map(|(n, v)| (n.to_owned(), v.to_owned()));
        ktbs.answer(&crate::support::to_params(params.to_vec()), b"")
    };
    let statuses: Vec<u16> = (0..30)
        .map(|_| from("192.0.2.7", "ktbs_0123456789abcdef_x").status)
        .collect();
    assert_eq!(statuses[..20], [401; 20]);
    assert_eq!(statuses[25..], [429; 5]);
    assert!(
        !from("192.0.2.7", "ktbs_other")
            .expect(429)
            .header("retry-after")
            .is_empty()
    );
    from("192.0.2.7", &text).expect(200);
    from("192.0.2.8", "ktbs_other").expect(401);
}
