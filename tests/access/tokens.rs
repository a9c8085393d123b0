//! Tokens that an issuer has signed, and those that somebody else has made up.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use crate::support::{Answer, TestKtbs};

pub const JWKS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/access/keys/jwks.json");
static RSA: &[u8] = include_bytes!("keys/rsa.pem");
static EC: &[u8] = include_bytes!("keys/ec.pem");
static ED: &[u8] = include_bytes!("keys/ed.pem");
static STRANGER: &[u8] = include_bytes!("keys/stranger.pem");

fn ktbs() -> TestKtbs {
    TestKtbs::with(|config| {
        config.plugins.authx = true;
        config.authx.jwks = Some(JWKS.into());
        config.authx.issuer = "https://issuer.example".to_owned();
        config.authx.audience = "ktbs".to_owned();
        config.authx.admin_groups = vec!["wheel".to_owned()];
    })
}

/// Returns the time, in seconds since the epoch.
pub fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970")
        .as_secs()
}

pub fn claims() -> Value {
    json!({"iss": "https://issuer.example", "aud": "ktbs", "sub": "alice", "exp": now() + 600})
}

pub fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    match value {
        Value::Null => claims.as_object_mut().expect("an object").shift_remove(name),
        value => claims
            .as_object_mut()
            .expect("an object")
            .insert(name.to_owned(), value),
    };
    claims
}

fn header(algorithm: Algorithm, kid: &str) -> Header {
    let mut header = Header::new(algorithm);
    header.kid = Some(kid.to_owned()).filter(|kid| !kid.is_empty());
    header
}

/// Returns a token that the issuer has signed.
pub fn rsa(claims: &Value) -> String {
    let key = EncodingKey::from_rsa_pem(RSA).expect("a key");
    encode(&header(Algorithm::RS256, "rsa"), claims, &key).expect("a token")
}

/// Returns the same with another name of the key.
pub fn rsa_named(kid: &str, claims: &Value) -> String {
    let key = EncodingKey::from_rsa_pem(RSA).expect("a key");
    encode(&header(Algorithm::RS256, kid), claims, &key).expect("a token")
}

/// Returns what a token of an issuer says of alice.
pub fn claims_of(issuer: &str) -> Value {
    with("iss", json!(issuer))
}

/// Returns a token of a header and claims, with the signature of another.
pub fn forged(header: &Value, claims: &Value, signature: &str) -> String {
    let encode = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.{signature}", encode(header), encode(claims))
}

/// Gets a resource with a token.
pub fn get(ktbs: &TestKtbs, path: &str, token: &str) -> Answer {
    ktbs.get(path, &[("Authorization", &format!("Bearer {token}"))])
}

#[test]
fn tokens_of_the_issuer_are_accepted() {
    let ktbs = ktbs();
    for _ in 0..2 {
        get(&ktbs, "", &rsa(&claims())).expect(200);
    }
    let ec = EncodingKey::from_ec_pem(EC).expect("a key");
    let ed = EncodingKey::from_ed_pem(ED).expect("a key");
    get(
        &ktbs,
        "",
        &encode(&header(Algorithm::ES256, "ec"), &claims(), &ec).expect("a token"),
    )
    .expect(200);
    get(
        &ktbs,
        "",
        &encode(&header(Algorithm::EdDSA, "ed"), &claims(), &ed).expect("a token"),
    )
    .expect(200);
    get(
        &ktbs,
        "",
        &encode(&header(Algorithm::EdDSA, ""), &claims(), &ed).expect("a token"),
    )
    .expect(200);
    get(&ktbs, "", &rsa(&with("aud", json!(["other", "ktbs"])))).expect(200);
    get(&ktbs, "", &rsa(&with("nbf", json!(now() - 5)))).expect(200);
    get(&ktbs, "@acl", &rsa(&with("groups", json!(["wheel"])))).expect(200);
    get(&ktbs, "@acl", &rsa(&with("groups", json!("a wheel")))).expect(200);
    get(&ktbs, "@acl", &rsa(&with("groups", json!(["wheels"])))).expect(403);
}

#[test]
fn forged_tokens_are_refused() {
    let ktbs = ktbs();
    let good = rsa(&claims());
    let signature = good.rsplit('.').next().expect("a signature").to_owned();
    let none = json!({"alg": "none", "typ": "JWT"});
    let rs256 = json!({"alg": "RS256", "kid": "rsa"});
    let stranger = EncodingKey::from_rsa_pem(STRANGER).expect("a key");
    let by_stranger = |kid: &str| encode(&header(Algorithm::RS256, kid), &claims(), &stranger).expect("a token");
    // The public key, which everybody knows, as the secret of an HMAC.
    let jwks = std::fs::read(JWKS).expect("keys");
    let keys: Value = serde_json::from_slice(&jwks).expect("keys");
    let modulus = BASE64_URL_SAFE_NO_PAD
        .decode(keys["keys"][0]["n"].as_str().expect("a modulus"))
        .expect("base64");
    let confused = |secret: &[u8], kid: &str| {
        let key = EncodingKey::from_secret(secret);
        encode(&header(Algorithm::HS256, kid), &claims(), &key).expect("a token")
    };
    let rsa512 = {
        let key = EncodingKey::from_rsa_pem(RSA).expect("a key");
        encode(&header(Algorithm::RS512, "rsa"), &claims(), &key).expect("a token")
    };
    let ec_named_rsa = {
        let key = EncodingKey::from_ec_pem(EC).expect("a key");
        encode(&header(Algorithm::ES256, "rsa"), &claims(), &key).expect("a token")
    };
    let critical = json!({"alg": "RS256", "kid": "rsa", "crit": ["x"]});
    let embedded = json!({"alg": "RS256", "kid": "other", "jwk": keys["keys"][0], "jku": "http://evil.example/"});
    for (what, token) in [
        ("no signature", forged(&none, &claims(), "")),
        ("alg none with a signature", forged(&none, &claims(), &signature)),
        ("alg NONE", forged(&json!({"alg": "NONE"}), &claims(), "")),
        (
            "another algorithm",
            forged(&json!({"alg": "HS256", "kid": "rsa"}), &claims(), &signature),
        ),
        ("other claims", forged(&rs256, &with("sub", json!("root")), &signature)),
        ("a cut signature", good[..good.len() - 4].to_owned()),
        ("an empty signature", good[..good.len() - signature.len()].to_owned()),
        ("the key of a stranger", by_stranger("rsa")),
        ("the key of a stranger, unnamed", by_stranger("")),
        ("the key of a stranger, of another name", by_stranger("stranger")),
        ("the key set as a secret", confused(&jwks, "rsa")),
        ("the modulus as a secret", confused(&modulus, "rsa")),
        ("the modulus as a secret, unnamed", confused(&modulus, "")),
        ("an algorithm that is not accepted", rsa512),
        ("the key of another algorithm", ec_named_rsa),
        ("a critical extension", forged(&critical, &claims(), &signature)),
        ("a key in the header", forged(&embedded, &claims(), &signature)),
        ("expired", rsa(&with("exp", json!(now() - 60)))),
        ("no end", rsa(&with("exp", Value::Null))),
        ("an end that is no number", rsa(&with("exp", json!("tomorrow")))),
        ("not yet valid", rsa(&with("nbf", json!(now() + 600)))),
        ("a begin that is no number", rsa(&with("nbf", json!("now")))),
        ("another audience", rsa(&with("aud", json!("other")))),
        ("no audience", rsa(&with("aud", Value::Null))),
        ("another issuer", rsa(&with("iss", json!("https://evil.example")))),
        ("no issuer", rsa(&with("iss", Value::Null))),
        ("nobody", rsa(&with("sub", Value::Null))),
        ("an empty name", rsa(&with("sub", json!("")))),
        ("a name with a line break", rsa(&with("sub", json!("a\nb")))),
        ("a long name", rsa(&with("sub", json!("a".repeat(300))))),
        ("a long token", rsa(&with("x", json!("a".repeat(9_000))))),
        ("dots", "..".to_owned()),
        ("nothing", String::new()),
        ("words", "not a token".to_owned()),
    ] {
        assert_eq!(get(&ktbs, "", &token).status, 401, "{what}");
    }
    get(&ktbs, "", &good).expect(200);
}

#[test]
fn an_accepted_token_expires_and_keys_are_rotated() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("jwks.json");
    std::fs::copy(JWKS, &file).expect("a copy");
    let ktbs = TestKtbs::with(|config| {
        config.plugins.authx = true;
        config.authx.jwks = Some(file.clone());
        config.authx.issuer = "https://issuer.example".to_owned();
        config.authx.audience = "ktbs".to_owned();
    });
    let token = rsa(&claims());
    get(&ktbs, "", &token).expect(200);
    std::fs::write(&file, r#"{"keys": []}"#).expect("a file");
    get(&ktbs, "", &token).expect(401);
    std::fs::write(&file, "not JSON").expect("a file");
    get(&ktbs, "", &token).expect(401);
    std::fs::remove_file(&file).expect("removed");
    get(&ktbs, "", &token).expect(401);
    std::fs::copy(JWKS, &file).expect("a copy");
    get(&ktbs, "", &token).expect(200);
}

#[test]
fn what_is_accepted_is_told() {
    let refused = ktbs().get("", &[]).expect(401);
    assert_eq!(refused.headers("www-authenticate"), ["Bearer realm=\"kTBS\""]);
    let without_keys = TestKtbs::with(|config| config.plugins.authx = true);
    get(&without_keys, "", &rsa(&claims())).expect(401);
}
