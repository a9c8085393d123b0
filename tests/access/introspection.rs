//! Tokens about which the issuer is asked.

use std::thread;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::fake::{Reply, Site};
use super::tokens::{get, now};
use ktbs::config::Config;

fn site(change: impl FnOnce(&mut Config)) -> Site {
    Site::new("kt bs", "s3cret:%", |config| {
        config.authx.introspection = true;
        change(config);
    })
}

fn active() -> Value {
    json!({"active": true, "sub": "alice", "aud": ["other", "ktbs"], "exp": now() + 600, "groups": ["wheel"], "scope": "a b"})
}

fn with(name: &str, value: Value) -> Value {
    let mut answer = active();
    answer[name] = value;
    answer
}

#[test]
fn the_issuer_is_asked_once_with_our_secret() {
    let site = site(|config| config.authx.admin_groups = vec!["wheel".to_owned()]);
    site.issuer.answer("/introspect", &active());
    for _ in 0..3 {
        get(&site.ktbs, "@acl", "opaque-1").expect(200);
    }
    let asked = site.issuer.asked("/introspect");
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].body, "token=opaque-1");
    let expected = BASE64_STANDARD.encode("kt+bs:s3cret%3A%25");
    assert!(
        asked[0].head.contains(&format!("Basic {expected}\r\n")),
        "{}",
        asked[0].head
    );
    // Other credentials are not sent.
    site.ktbs.get("", &[("Authorization", "Basic YTpi")]).expect(401);
    assert_eq!(site.issuer.asked("/introspect").len(), 1);
}

#[test]
fn what_is_not_good_is_refused_and_remembered() {
    for (what, answer) in [
        ("not active", json!({"active": false})),
        ("another audience", with("aud", json!("other"))),
        ("no audience", with("aud", Value::Null)),
        ("another issuer", with("iss", json!("https://evil.example"))),
        ("expired", with("exp", json!(now() - 5))),
        ("not yet valid", with("nbf", json!(now() + 600))),
        ("nobody", with("sub", Value::Null)),
        ("a name with a line break", with("sub", json!("a\nb"))),
    ] {
        let site = site(|_| {});
        site.issuer.answer("/introspect", &answer);
        for _ in 0..3 {
            assert_eq!(get(&site.ktbs, "", "opaque").status, 401, "{what}");
        }
        assert_eq!(site.issuer.asked("/introspect").len(), 1, "{what}");
    }
    let site = site(|config| config.authx.audience = String::new());
    site.issuer.answer("/introspect", &with("aud", Value::Null));
    get(&site.ktbs, "", "opaque").expect(200);
}

#[test]
fn a_token_is_not_good_beyond_its_end() {
    let site = site(|_| {});
    site.issuer.answer("/introspect", &with("exp", json!(now() + 2)));
    get(&site.ktbs, "", "opaque").expect(200);
    site.issuer.answer("/introspect", &json!({"active": false}));
    get(&site.ktbs, "", "opaque").expect(200);
    thread::sleep(Duration::from_millis(2_100));
    get(&site.ktbs, "", "opaque").expect(401);
}

#[test]
fn who_tries_many_tokens_must_wait() {
    let site = site(|_| {});
    site.issuer.answer("/introspect", &json!({"active": false}));
    let statuses: Vec<u16> = (0..200)
        .map(|n| get(&site.ktbs, "", &format!("guess{n}")).status)
        .collect();
    assert!(statuses.contains(&429), "{statuses:?}");
    assert!(site.issuer.asked("/introspect").len() < 100);
}

#[test]
fn an_issuer_that_gives_no_answer_is_told() {
    for (what, reply) in [
        (
            "not ours",
            Reply::status("401 Unauthorized", &json!({"error": "invalid_client"})),
        ),
        ("broken", Reply::status("500 Oops", &json!({}))),
        ("no answer", Reply::json(&json!({"activ": true}))),
        ("huge", Reply::json(&json!({"active": true, "x": "x".repeat(1 << 20)}))),
    ] {
        let site = site(|_| {});
        site.issuer.answer_with("/introspect", move |_| reply.clone());
        for n in 0..3 {
            assert_eq!(get(&site.ktbs, "", &format!("opaque{n}")).status, 503, "{what}");
        }
        assert_eq!(site.issuer.asked("/introspect").len(), 1, "{what}");
    }
}

#[test]
fn nobody_is_asked_unless_the_configuration_says_so() {
    let site = site(|config| config.authx.introspection = false);
    site.issuer.answer("/introspect", &active());
    get(&site.ktbs, "", "opaque").expect(401);
    assert!(site.issuer.asked("/introspect").is_empty());
    // A token that the issuer has signed is not asked about.
    let site = self::site(|_| {});
    get(
        &site.ktbs,
        "",
        &super::tokens::rsa(&super::tokens::claims_of(&site.issuer.url)),
    )
    .expect(200);
    assert!(site.issuer.asked("/introspect").is_empty());
}
