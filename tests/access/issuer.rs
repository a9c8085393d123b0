//! What is asked of the issuer, and what is not.

use std::time::Duration;

use serde_json::{Value, json};

use super::fake::{Issuer, Reply, age};
use super::tokens::{claims_of, forged, get, now, rsa, rsa_named};

const DESCRIPTION: &str = "/.well-known/openid-configuration";

fn token(issuer: &Issuer) -> String {
    rsa(&claims_of(&issuer.url))
}

#[test]
fn keys_come_from_the_issuer_and_are_kept() {
    let issuer = Issuer::new();
    let ktbs = issuer.ktbs(|_| {});
    // A request without token asks nothing.
    ktbs.get("", &[]).expect(401);
    assert_eq!(issuer.count(), 0);
    for _ in 0..3 {
        get(&ktbs, "", &token(&issuer)).expect(200);
    }
    let later = json!({"iss": issuer.url, "aud": "ktbs", "sub": "bob", "exp": now() + 60});
    get(&ktbs, "", &rsa(&later)).expect(200);
    assert_eq!(issuer.count(), 2);
    let asked = &issuer.asked(DESCRIPTION)[0].head;
    assert!(!asked.contains("uthorization") && !asked.contains("ookie"), "{asked}");
    // They are asked again when they are old.
    age(&ktbs, 3601, 3601);
    get(&ktbs, "", &token(&issuer)).expect(200);
    assert_eq!(issuer.count(), 4);
}

#[test]
fn a_new_key_is_fetched_and_forged_names_make_no_flood() {
    let issuer = Issuer::new();
    let all = std::fs::read(super::tokens::JWKS).expect("keys");
    let all: Value = serde_json::from_slice(&all).expect("keys");
    let mut some = all.clone();
    some["keys"]
        .as_array_mut()
        .expect("keys")
        .retain(|key| key["kid"] != "rsa");
    issuer.answer("/keys", &some);
    let ktbs = issuer.ktbs(|_| {});
    get(&ktbs, "", &token(&issuer)).expect(401);
    assert_eq!(issuer.count(), 2);
    issuer.answer("/keys", &all);
    for n in 0..5 {
        get(&ktbs, "", &rsa_named(&format!("forged{n}"), &claims_of(&issuer.url))).expect(401);
    }
    get(&ktbs, "", &token(&issuer)).expect(401);
    assert_eq!(issuer.count(), 2);
    age(&ktbs, 0, 31);
    get(&ktbs, "", &token(&issuer)).expect(200);
    assert_eq!(issuer.count(), 4);
    // A key that is withdrawn is good no more once the keys are old.
    issuer.answer("/keys", &some);
    age(&ktbs, 3601, 3601);
    let refused = get(&ktbs, "", &token(&issuer));
    assert_eq!(issuer.count(), 6);
    refused.expect(401);
}

#[test]
fn an_issuer_that_is_down_is_told_and_does_not_lock_out_at_once() {
    let issuer = Issuer::new();
    issuer.set_down(true);
    let ktbs = issuer.ktbs(|_| {});
    let refused = get(&ktbs, "", &token(&issuer)).expect(503);
    assert!(!refused.header("retry-after").is_empty());
    assert!(refused.body.contains("identity provider"), "{}", refused.body);
    let asked = issuer.count();
    get(&ktbs, "", &token(&issuer)).expect(503);
    assert_eq!(issuer.count(), asked, "it is not asked at each request");
    ktbs.get("", &[]).expect(401);
    issuer.set_down(false);
    age(&ktbs, 0, 31);
    get(&ktbs, "", &token(&issuer)).expect(200);
    issuer.set_down(true);
    age(&ktbs, 3601, 3601);
    get(&ktbs, "", &token(&issuer)).expect(200);
    age(&ktbs, 86_400, 31);
    get(&ktbs, "", &token(&issuer)).expect(503);
}

#[test]
fn bad_answers_of_the_issuer_are_no_answers() {
    let wrong = |name: &str, value: Value| {
        let name = name.to_owned();
        move |issuer: &Issuer| {
            let mut description = issuer.description();
            description[&name] = value;
            issuer.answer(DESCRIPTION, &description);
        }
    };
    type Spoil = Box<dyn FnOnce(&Issuer)>;
    let spoils: Vec<(&str, Spoil)> = vec![
        (
            "another issuer",
            Box::new(wrong("issuer", json!("https://evil.example"))),
        ),
        (
            "keys elsewhere in clear",
            Box::new(wrong("jwks_uri", json!("http://192.0.2.1/keys"))),
        ),
        (
            "keys in a file",
            Box::new(wrong("jwks_uri", json!("file:///etc/passwd"))),
        ),
        ("no keys", Box::new(wrong("jwks_uri", Value::Null))),
        ("no set of keys", Box::new(|issuer| issuer.answer("/keys", &json!([])))),
        (
            "not found",
            Box::new(|issuer| {
                let description = issuer.description();
                issuer.answer_with(DESCRIPTION, move |_| Reply::status("500 Oops", &description));
            }),
        ),
        (
            "huge",
            Box::new(|issuer| {
                let mut description = issuer.description();
                description["x"] = json!("x".repeat(1 << 20));
                issuer.answer(DESCRIPTION, &description);
            }),
        ),
        (
            "slow",
            Box::new(|issuer| {
                let description = issuer.description();
                issuer.answer_with(DESCRIPTION, move |_| Reply {
                    delay: Duration::from_secs(8),
                    ..Reply::json(&description)
                });
            }),
        ),
        (
            "a redirection",
            Box::new(|issuer| {
                let description = issuer.description();
                issuer.answer("/elsewhere", &description);
                let headers = format!("Location: {}/elsewhere\r\n", issuer.url);
                issuer.answer_with(DESCRIPTION, move |_| Reply {
                    headers: headers.clone(),
                    ..Reply::status("302 Found", &json!({}))
                });
            }),
        ),
        (
            "a page",
            Box::new(|issuer| {
                issuer.answer_with(DESCRIPTION, |_| Reply {
                    body: b"<html>".to_vec(),
                    ..Reply::json(&json!({}))
                });
            }),
        ),
    ];
    for (what, spoil) in spoils {
        let issuer = Issuer::new();
        spoil(&issuer);
        let ktbs = issuer.ktbs(|_| {});
        let begun = std::time::Instant::now();
        assert_eq!(get(&ktbs, "", &token(&issuer)).status, 503, "{what}");
        assert!(begun.elapsed() < Duration::from_secs(7), "{what}");
        assert!(issuer.asked("/elsewhere").is_empty(), "{what}");
    }
}

#[test]
fn no_address_of_a_client_is_asked() {
    let issuer = Issuer::new();
    let ktbs = issuer.ktbs(|_| {});
    get(&ktbs, "", &token(&issuer)).expect(200);
    let asked = issuer.count();
    let evil = format!("{}/evil", issuer.url);
    let signature = token(&issuer);
    let signature = signature.rsplit('.').next().expect("a signature");
    for header in [
        json!({"alg": "RS256", "kid": "rsa", "jku": evil, "x5u": evil}),
        json!({"alg": "RS256", "kid": evil}),
        json!({"alg": "RS256", "kid": "../../etc/passwd"}),
    ] {
        let mut claims = claims_of(&issuer.url);
        claims["iss"] = json!(evil);
        get(&ktbs, "", &forged(&header, &claims, signature)).expect(401);
    }
    assert_eq!(issuer.count(), asked);
    assert!(issuer.asked("/evil").is_empty());
}

#[test]
fn a_certificate_that_the_machine_does_not_trust_is_refused() {
    let issuer = Issuer::over_tls();
    let ktbs = issuer.ktbs(|_| {});
    get(&ktbs, "", &token(&issuer)).expect(503);
    assert_eq!(issuer.count(), 0, "nothing was said to it");
}
