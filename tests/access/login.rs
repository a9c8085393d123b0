//! Who sends a request: from the web server, by a password.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::post;
use crate::support::{Answer, TestKtbs, to_params};
use ktbs::config::{Config, Policy, Way};

/// A file where alice has the password `secret` (bcrypt), bob `geheim` (argon2), and carol one of a kind that is refused.
struct Passwords(tempfile::TempDir);

impl Passwords {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let bcrypt = bcrypt::hash_with_salt("secret", 4, [7; 16])
            .expect("a hash")
            .to_string();
        let argon2 = argon2_hash();
        let lines = format!("# users\nalice:{bcrypt}\nbob:{argon2}\r\ncarol:{{SHA}}5en6G6MezRroT3XKqkdPOmY/BfQ=\n");
        std::fs::write(folder.path().join("users"), lines).expect("a file");
        Self(folder)
    }

    fn ktbs(&self, change: impl FnOnce(&mut Config)) -> TestKtbs {
        TestKtbs::with(|config| {
            config.plugins.authx = true;
            config.plugins.cors = true;
            config.cors_allow_origin = vec!["https://app.example".to_owned()];
            config.authx.htpasswd = Some(self.0.path().join("users"));
            change(config);
        })
    }
}

fn argon2_hash() -> String {
    use argon2::password_hash::PasswordHasher;
    let params = argon2::Params::new(8, 1, 1, None).expect("parameters");
    let argon2 = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
    let hash = argon2.hash_password_with_salt(b"geheim", b"0123456789abcdef");
    hash.expect("a hash").to_string()
}

fn basic(login: &str, password: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(format!("{login}:{password}")))
}

fn get(ktbs: &TestKtbs, path: &str, variables: &[(&str, &str)]) -> Answer {
    let uri = format!("/ktbs/{path}");
    let mut params = vec![("REQUEST_METHOD", "GET"), ("REQUEST_URI", &uri)];
    if !variables.iter().any(|(name, _)| *name == "REMOTE_ADDR") {
        params.push(("REMOTE_ADDR", "192.0.2.1"));
    }
    params.extend_from_slice(variables);
    let params = params.into_iter().map(|(n, v)| (n.to_owned(), v.to_owned()));
    ktbs.answer(&to_params(params.collect()), b"")
}

fn with_password(ktbs: &TestKtbs, login: &str, password: &str) -> Answer {
    get(ktbs, "", &[("HTTP_AUTHORIZATION", &basic(login, password))])
}

#[test]
fn the_web_server_is_believed_and_headers_are_not() {
    let passwords = Passwords::new();
    let ktbs = passwords.ktbs(|_| {});
    get(&ktbs, "", &[("REMOTE_USER", "alice")]).expect(200);
    for header in [
        "HTTP_REMOTE_USER",
        "HTTP_X_REMOTE_USER",
        "HTTP_X_FORWARDED_USER",
        "remote_user",
        "Authorization",
    ] {
        get(&ktbs, "", &[(header, "alice")]).expect(401);
    }
    get(&ktbs, "", &[("REMOTE_USER", "")]).expect(401);
    get(&ktbs, "", &[("REMOTE_USER", "a\nb")]).expect(401);
    let ktbs = passwords.ktbs(|config| config.authx.ways = vec![Way::Basic]);
    get(&ktbs, "", &[("REMOTE_USER", "alice")]).expect(401);
}

#[test]
fn passwords_of_the_file() {
    let ktbs = Passwords::new();
    let ktbs = ktbs.ktbs(|_| {});
    with_password(&ktbs, "alice", "secret").expect(200);
    with_password(&ktbs, "alice", "secret").expect(200);
    with_password(&ktbs, "bob", "geheim").expect(200);
    for (login, password) in [
        ("alice", "geheim"),
        ("alice", ""),
        ("alice", "secret "),
        ("", "secret"),
        ("nobody", "secret"),
        ("# users", ""),
        ("carol", "password"),
        ("carol", "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ="),
    ] {
        with_password(&ktbs, login, password).expect(401);
    }
    for wrong in [
        "Basic",
        "Basic ",
        "Basic !!!",
        "Basic YQ==",
        "basic bm8=",
        "Digest x",
        "Bearer x.y.z",
        "\u{fc}",
    ] {
        get(&ktbs, "", &[("HTTP_AUTHORIZATION", wrong)]).expect(401);
    }
    let long = basic("alice", &"x".repeat(5_000));
    get(&ktbs, "", &[("HTTP_AUTHORIZATION", &long)]).expect(401);
}

#[test]
fn a_changed_file_holds_at_once() {
    let passwords = Passwords::new();
    let ktbs = passwords.ktbs(|_| {});
    with_password(&ktbs, "alice", "secret").expect(200);
    std::fs::write(passwords.0.path().join("users"), "").expect("a file");
    with_password(&ktbs, "alice", "secret").expect(401);
}

#[test]
fn wrong_passwords_are_slowed_down_where_they_come_from() {
    let passwords = Passwords::new();
    let ktbs = passwords.ktbs(|_| {});
    for _ in 0..6 {
        with_password(&ktbs, "alice", "guess").expect(401);
    }
    let slowed = with_password(&ktbs, "alice", "secret").expect(429);
    assert!(!slowed.header("retry-after").is_empty());
    with_password(&ktbs, "bob", "geheim").expect(200);
    let elsewhere = [
        ("HTTP_AUTHORIZATION", basic("alice", "secret")),
        ("REMOTE_ADDR", "192.0.2.9".to_owned()),
    ];
    get(&ktbs, "", &elsewhere.each_ref().map(|(n, v)| (*n, v.as_str()))).expect(200);
    // Whoever the web server knows is not concerned.
    get(&ktbs, "", &[("REMOTE_USER", "alice")]).expect(200);
}

#[test]
fn the_administrator_of_former_versions_comes_from_some_addresses() {
    let passwords = Passwords::new();
    let ktbs = passwords.ktbs(|config| {
        config.authx_admin.addresses = vec!["192.0.2.1".parse().expect("an address")];
        config.authx_admin.login = "boss".to_owned();
        config.authx_admin.password = "in clear".to_owned();
    });
    post(&ktbs, "alice", "", "<> k:hasBase <alice/> . <alice/> a k:Base .").expect(201);
    let boss = basic("boss", "in clear");
    get(&ktbs, "alice/@acl", &[("HTTP_AUTHORIZATION", &boss)]).expect(200);
    get(&ktbs, "", &[("HTTP_AUTHORIZATION", &basic("boss", "wrong"))]).expect(401);
    get(
        &ktbs,
        "",
        &[("HTTP_AUTHORIZATION", &boss), ("REMOTE_ADDR", "192.0.2.2")],
    )
    .expect(401);
    with_password(&ktbs, "bob", "geheim").expect(200);
}

#[test]
fn the_order_of_the_ways_decides() {
    let passwords = Passwords::new();
    let header = basic("alice", "wrong");
    let both = [("REMOTE_USER", "bob"), ("HTTP_AUTHORIZATION", header.as_str())];
    let ktbs = passwords.ktbs(|_| {});
    get(&ktbs, "", &both).expect(200);
    let ktbs = passwords.ktbs(|config| config.authx.ways = vec![Way::Basic, Way::RemoteUser]);
    get(&ktbs, "", &both).expect(401);
}

#[test]
fn refusals_can_be_read_by_scripts_and_preflights_need_no_login() {
    let passwords = Passwords::new();
    let ktbs = passwords.ktbs(|_| {});
    let origin = ("Origin", "https://app.example");
    let refused = ktbs.send("GET", "alice/", &[origin], b"").expect(401);
    assert_eq!(refused.header("access-control-allow-origin"), "https://app.example");
    assert_eq!(
        refused.header("www-authenticate"),
        "Basic realm=\"kTBS\", charset=\"UTF-8\""
    );
    let denied = ktbs
        .send_as(
            "bob",
            "POST",
            "",
            &[origin, ("Content-Type", "text/turtle")],
            crate::support::turtle("<> k:hasBase <x/> . <x/> a k:Base .").as_bytes(),
        )
        .expect(403);
    assert_eq!(denied.header("access-control-allow-origin"), "https://app.example");
    assert_eq!(denied.header("www-authenticate"), "");
    let asked = ("Access-Control-Request-Method", "PUT");
    for headers in [
        &[origin, asked][..],
        &[("Origin", "https://evil.example"), asked],
        &[],
        &[("Authorization", "Basic !")],
    ] {
        for path in ["", "alice/", "none/"] {
            ktbs.send("OPTIONS", path, headers, b"").expect(200);
        }
    }
}

#[test]
fn administrators_may_do_all() {
    let passwords = Passwords::new();
    let ktbs = passwords.ktbs(|config| {
        config.authx.admins = vec!["bob".to_owned()];
        config.authx.admin_groups = vec!["wheel".to_owned()];
        config.authx.remote_groups = "GROUPS".to_owned();
        config.authx.policy = Policy::Private;
    });
    with_password(&ktbs, "bob", "geheim").expect(200);
    let acl = |variables: &[(&str, &str)]| get(&ktbs, "@acl", variables).status;
    assert_eq!(acl(&[("HTTP_AUTHORIZATION", &basic("bob", "geheim"))]), 200);
    assert_eq!(acl(&[("REMOTE_USER", "x"), ("GROUPS", "a wheel")]), 200);
    assert_eq!(acl(&[("REMOTE_USER", "x"), ("GROUPS", "wheels")]), 403);
    assert_eq!(acl(&[("HTTP_GROUPS", "wheel"), ("REMOTE_USER", "x")]), 403);
}
