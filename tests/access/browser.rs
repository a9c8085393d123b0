//! The login in a browser, and what others may try with it.

use std::collections::BTreeMap;
use std::fs;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use oauth2::url::Url;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::fake::{Asked, Issuer, Reply, Site};
use super::tokens::{forged, now, rsa};
use crate::support::{Answer, ROOT, TestKtbs, turtle};
use ktbs::config::{Config, OldFlow, Policy, Secret};

/// A browser: it keeps cookies, and shows pages.
#[derive(Clone, Default)]
struct Browser {
    cookies: BTreeMap<String, String>,
}

impl Browser {
    fn send(&mut self, ktbs: &TestKtbs, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let cookies: Vec<String> = self.cookies.iter().map(|(n, v)| format!("{n}={v}")).collect();
        let cookies = cookies.join("; ");
        let mut all = vec![("Accept", "text/html,*/*;q=0.8")];
        if !cookies.is_empty() {
            all.push(("Cookie", &cookies));
        }
        all.extend_from_slice(headers);
        let answer = ktbs.send(method, path, &all, body.as_bytes());
        for cookie in answer.headers("set-cookie") {
            let (pair, attributes) = cookie.split_once(';').expect("attributes");
            let (name, value) = pair.split_once('=').expect("a value");
            if attributes.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }

    fn get(&mut self, ktbs: &TestKtbs, path: &str) -> Answer {
        self.send(ktbs, "GET", path, &[], "")
    }

    /// Begins a login; returns what the provider is told.
    fn begin(&mut self, ktbs: &TestKtbs, to: &str) -> BTreeMap<String, String> {
        let mut query = Url::parse("http://x/").expect("a URL");
        query.query_pairs_mut().append_pair("to", to);
        let path = format!("@login?{}", query.query().expect("a query"));
        let begun = self.get(ktbs, &path).expect(303);
        let location = Url::parse(begun.header("location")).expect("an address");
        location.query_pairs().into_owned().collect()
    }

    /// Comes back from the provider.
    fn come_back(&mut self, ktbs: &TestKtbs, state: &str, more: &str) -> Answer {
        self.get(ktbs, &format!("@login?code=c0de&state={state}{more}"))
    }

    /// Logs in as alice.
    fn log_in(&mut self, site: &Site) {
        let asked = self.begin(&site.ktbs, "");
        site.grant(&asked["nonce"], &json!({}));
        self.come_back(&site.ktbs, &asked["state"], "").expect(303);
        assert!(self.session().is_some());
    }

    fn session(&self) -> Option<&String> {
        self.cookies.get("ktbs_session")
    }
}

fn site(change: impl FnOnce(&mut Config)) -> Site {
    Site::new("client", "s3cret", change)
}

impl Site {
    /// Returns what a token of alice says after a login.
    fn claims(&self, nonce: &str) -> Value {
        json!({"iss": self.issuer.url, "aud": "client", "sub": "alice", "exp": now() + 60, "nonce": nonce})
    }

    /// Makes the provider accept a code, with some claims that are other than usual.
    fn grant(&self, nonce: &str, changes: &Value) {
        let mut claims = self.claims(nonce);
        for (name, value) in changes.as_object().expect("an object") {
            claims[name] = value.clone();
        }
        self.give(&rsa(&claims));
    }

    fn give(&self, id_token: &str) {
        let answer = json!({"access_token": "x", "token_type": "Bearer", "expires_in": 60, "id_token": id_token});
        self.issuer.answer("/token", &answer);
    }
}

const JSON: (&str, &str) = ("Content-Type", "application/json");

/// Creates the base of alice; returns the status.
fn create(browser: &mut Browser, ktbs: &TestKtbs, id: &str, headers: &[(&str, &str)]) -> u16 {
    let body = format!(r#"{{"@type": "Base", "@id": "{id}/"}}"#);
    let headers = [&[JSON], headers].concat();
    browser.send(ktbs, "POST", "", &headers, &body).status
}

const FROM_HERE: (&str, &str) = ("Sec-Fetch-Site", "same-origin");

#[test]
fn whoever_meets_a_refusal_logs_in_and_comes_back() {
    let site = site(|_| {});
    let ktbs = &site.ktbs;
    let mut browser = Browser::default();
    let refused = browser.get(ktbs, "alice/?limit=1&x=%22").expect(401);
    assert_eq!(refused.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(
        refused.headers("www-authenticate"),
        ["Bearer realm=\"kTBS\"", "OAuth2 realm=\"kTBS\""]
    );
    let link = refused
        .body
        .split("href=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .expect("a link");
    assert_eq!(
        link,
        "http://localhost:8001/ktbs/@login?to=%2Fktbs%2Falice%2F%3Flimit%3D1%26x%3D%2522"
    );
    assert_eq!(site.issuer.count(), 0);

    let begun = browser.get(ktbs, &link[ROOT.len()..]).expect(303);
    assert!(begun.header("cache-control").contains("no-store"));
    let location = begun.header("location");
    assert!(
        location.starts_with(&format!("{}/auth?tenant=1&", site.issuer.url)),
        "{location}"
    );
    let asked: BTreeMap<String, String> = Url::parse(location)
        .expect("an address")
        .query_pairs()
        .into_owned()
        .collect();
    assert_eq!(asked["response_type"], "code");
    assert_eq!(asked["client_id"], "client");
    assert_eq!(asked["scope"], "openid");
    assert_eq!(asked["redirect_uri"], "http://localhost:8001/ktbs/@login");
    assert_eq!(asked["code_challenge_method"], "S256");

    site.grant(&asked["nonce"], &json!({}));
    let back = browser.come_back(ktbs, &asked["state"], "").expect(303);
    assert_eq!(
        back.header("location"),
        "http://localhost:8001/ktbs/alice/?limit=1&x=%22"
    );
    let cookie = back
        .headers("set-cookie")
        .into_iter()
        .find(|it| it.starts_with("ktbs_session="))
        .expect("a session");
    for attribute in ["HttpOnly", "SameSite=Lax", "Path=/ktbs/", "Max-Age=28800"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    assert!(!cookie.contains("Secure") && !cookie.contains("alice"), "{cookie}");
    assert_eq!(browser.cookies.len(), 1, "the login is over");
    let exchanged = site.issuer.asked("/token").remove(0);
    let form: BTreeMap<String, String> = Url::parse(&format!("http://x/?{}", exchanged.body))
        .expect("a form")
        .query_pairs()
        .into_owned()
        .collect();
    let challenge = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(&form["code_verifier"]));
    assert_eq!(
        (&form["code"], &challenge),
        (&"c0de".to_owned(), &asked["code_challenge"])
    );
    assert_eq!(form["redirect_uri"], asked["redirect_uri"]);
    assert!(
        exchanged.head.contains("uthorization: Basic Y2xpZW50OnMzY3JldA=="),
        "{}",
        exchanged.head
    );

    // The session is alice's, and of her browser only.
    assert_eq!(create(&mut browser, ktbs, "alice", &[FROM_HERE]), 201);
    let page = browser.get(ktbs, "alice/").expect(200);
    assert!(
        page.body
            .contains("alice <a href=\"http://localhost:8001/ktbs/@logout\">Log out</a>"),
        "{}",
        page.body
    );
    Browser::default().get(ktbs, "alice/").expect(401);

    let out = browser.get(ktbs, "@logout").expect(303);
    assert_eq!(out.header("location"), ROOT);
    assert!(browser.session().is_none());
    browser.get(ktbs, "alice/").expect(401);
}

#[test]
fn clients_that_are_no_browsers_are_refused_as_before() {
    let ktbs = site(|config| config.authx.htpasswd = Some("/nonexistent".into())).ktbs;
    let refused = ktbs.get("alice/", &[("Accept", "application/json")]).expect(401);
    assert_eq!(refused.header("content-type"), "text/plain; charset=utf-8");
    assert_eq!(
        refused.headers("www-authenticate"),
        [
            "Basic realm=\"kTBS\", charset=\"UTF-8\"",
            "Bearer realm=\"kTBS\"",
            "OAuth2 realm=\"kTBS\""
        ]
    );
    assert_eq!(
        refused.headers("link"),
        [
            "<http://localhost:8001/ktbs/@login?to=>;rel=\"oauth_resource_server\"",
            "<http://localhost:8001/ktbs/>;rel=\"successful_login_redirect\""
        ]
    );
    ktbs.send("POST", "@login", &[], b"x").expect(405);
    ktbs.send("HEAD", "@login", &[], b"").expect(405);
    ktbs.send("OPTIONS", "@login", &[], b"").expect(200);
}

#[test]
fn without_its_options_there_is_no_login() {
    for change in [
        |config: &mut Config| config.authx.client_id = String::new(),
        |config: &mut Config| config.authx.issuer = String::new(),
        |config: &mut Config| config.authx.ways.retain(|way| *way != ktbs::config::Way::Login),
        |config: &mut Config| config.authx.oauth_flow = "oauth_github".to_owned(),
    ] {
        let site = site(change);
        let mut browser = Browser::default();
        let refused = browser.get(&site.ktbs, "@login?to=").expect(401);
        assert!(!refused.body.contains("@login"), "{}", refused.body);
        assert_eq!(site.issuer.count(), 0);
    }
    TestKtbs::new().get("@login", &[]).expect(404);
}

#[test]
fn a_login_that_this_browser_has_not_begun_is_refused() {
    let site = site(|_| {});
    let mut browser = Browser::default();
    let asked = browser.begin(&site.ktbs, "");
    site.grant(&asked["nonce"], &json!({}));
    let state = asked["state"].clone();
    let mut victim = Browser::default();
    let mut third = Browser::default();
    third.begin(&site.ktbs, "");
    for (browser, query) in [
        (&mut victim, format!("code=c0de&state={state}")),
        (&mut third, format!("code=c0de&state={state}")),
        (&mut browser.clone(), "code=c0de&state=forged".to_owned()),
        (&mut browser.clone(), "code=c0de&state=".to_owned()),
        (&mut browser.clone(), format!("code=c0de&state={state}&state={state}")),
        (&mut browser.clone(), format!("state={state}")),
        (
            &mut browser.clone(),
            format!("code={}&state={state}", "x".repeat(5_000)),
        ),
        (&mut browser.clone(), format!("error=access_denied&state={state}")),
        (&mut browser.clone(), "error=%3Cscript%3E".to_owned()),
        (
            &mut browser.clone(),
            format!("code=c0de&state={state}&iss=https%3A%2F%2Fevil.example"),
        ),
    ] {
        let refused = browser.get(&site.ktbs, &format!("@login?{query}")).expect(400);
        assert!(browser.session().is_none(), "{query}");
        assert!(
            refused.body.contains("@login") && !refused.body.contains("script"),
            "{}",
            refused.body
        );
    }
    assert!(site.issuer.asked("/token").is_empty());
    browser
        .come_back(&site.ktbs, &state, &format!("&iss={}", site.issuer.url))
        .expect(303);
    // It is over: the same address again is refused, without a question.
    browser.come_back(&site.ktbs, &state, "").expect(400);
    assert_eq!(site.issuer.asked("/token").len(), 1);
}

#[test]
fn a_provider_that_names_itself_must_do_it_each_time() {
    let site = site(|_| {});
    let mut description = site.issuer.description();
    description["authorization_response_iss_parameter_supported"] = json!(true);
    site.issuer.answer("/.well-known/openid-configuration", &description);
    let mut browser = Browser::default();
    let asked = browser.begin(&site.ktbs, "");
    site.grant(&asked["nonce"], &json!({}));
    browser.clone().come_back(&site.ktbs, &asked["state"], "").expect(400);
    browser
        .come_back(&site.ktbs, &asked["state"], &format!("&iss={}", site.issuer.url))
        .expect(303);
}

#[test]
fn a_token_that_is_not_of_this_login_is_refused() {
    for (what, changes) in [
        ("another nonce", json!({"nonce": "other"})),
        ("no nonce", json!({"nonce": null})),
        ("expired", json!({"exp": now() - 60})),
        ("not yet valid", json!({"nbf": now() + 600})),
        ("another issuer", json!({"iss": "https://evil.example"})),
        ("another audience", json!({"aud": "other"})),
        ("the audience of programs", json!({"aud": "ktbs"})),
        ("another party", json!({"azp": "other"})),
        ("several audiences", json!({"aud": ["client", "other"]})),
        ("nobody", json!({"sub": null})),
        ("a name with a line break", json!({"sub": "a\nb"})),
    ] {
        let site = site(|_| {});
        let mut browser = Browser::default();
        let asked = browser.begin(&site.ktbs, "");
        site.grant(&asked["nonce"], &changes);
        assert_eq!(browser.come_back(&site.ktbs, &asked["state"], "").status, 400, "{what}");
        assert!(browser.session().is_none(), "{what}");
    }
    let site = site(|_| {});
    let mut browser = Browser::default();
    let asked = browser.begin(&site.ktbs, "");
    site.give(&forged(&json!({"alg": "none"}), &site.claims(&asked["nonce"]), ""));
    browser.clone().come_back(&site.ktbs, &asked["state"], "").expect(400);
    site.issuer
        .answer("/token", &json!({"access_token": "x", "token_type": "Bearer"}));
    browser.clone().come_back(&site.ktbs, &asked["state"], "").expect(400);
    site.grant(&asked["nonce"], &json!({"aud": ["client", "other"], "azp": "client"}));
    browser.come_back(&site.ktbs, &asked["state"], "").expect(303);
}

#[test]
fn a_code_that_was_used_is_refused_and_who_tries_many_must_wait() {
    let site = site(|_| {});
    let mut browser = Browser::default();
    let asked = browser.begin(&site.ktbs, "");
    site.grant(&asked["nonce"], &json!({}));
    browser.clone().come_back(&site.ktbs, &asked["state"], "").expect(303);
    site.issuer.answer_with("/token", |_| {
        Reply::status("400 Bad Request", &json!({"error": "invalid_grant"}))
    });
    // The cookie of the login was kept by somebody.
    browser.clone().come_back(&site.ktbs, &asked["state"], "").expect(400);
    let statuses: Vec<u16> = (0..20)
        .map(|_| browser.clone().come_back(&site.ktbs, &asked["state"], "").status)
        .collect();
    assert!(statuses.contains(&429), "{statuses:?}");
}

#[test]
fn a_provider_that_gives_no_answer_is_told_to_people() {
    let site = site(|_| {});
    site.issuer.set_down(true);
    let mut browser = Browser::default();
    let refused = browser.get(&site.ktbs, "@login?to=").expect(503);
    assert!(
        refused.body.contains("<h1>You cannot log in now</h1>"),
        "{}",
        refused.body
    );
    site.issuer.set_down(false);
    super::fake::age(&site.ktbs, 0, 31);
    let asked = browser.begin(&site.ktbs, "");
    let redirect = format!("Location: {}/elsewhere\r\n", site.issuer.url);
    for reply in [
        Reply::status("500 Oops", &json!({})),
        Reply::json(&json!([])),
        Reply::json(&json!({"access_token": "x".repeat(1 << 20), "token_type": "Bearer"})),
        Reply {
            headers: redirect,
            ..Reply::status("307 Temporary Redirect", &json!({}))
        },
        Reply {
            delay: Duration::from_secs(8),
            ..Reply::json(&json!({"access_token": "x", "token_type": "Bearer"}))
        },
    ] {
        site.issuer.answer_with("/token", move |_| reply.clone());
        browser.clone().come_back(&site.ktbs, &asked["state"], "").expect(503);
    }
    assert!(site.issuer.asked("/elsewhere").is_empty());
    site.issuer.set_down(true);
    browser.clone().come_back(&site.ktbs, &asked["state"], "").expect(503);
}

#[test]
fn cookies_that_are_not_ours_are_refused_and_forgotten() {
    let site = site(|_| {});
    let mut browser = Browser::default();
    browser.log_in(&site);
    let good = browser.session().expect("a session").clone();
    let flipped = |at: usize| {
        let mut bytes = good.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        String::from_utf8(bytes).expect("ASCII")
    };
    let other_site = self::site(|_| {});
    let mut other = Browser::default();
    other.log_in(&other_site);
    let mut begun = Browser::default();
    begun.begin(&site.ktbs, "");
    for (what, value) in [
        ("the first byte", flipped(0)),
        ("a byte in the middle", flipped(good.len() / 2)),
        ("the last bytes", flipped(good.len() - 6)),
        ("cut", good[..good.len() / 2].to_owned()),
        ("empty", String::new()),
        ("plain", r#"{"user":"alice"}"#.replace('"', "%22")),
        ("of another key", other.session().expect("a session").clone()),
        ("of another name", begun.cookies["ktbs_login"].clone()),
    ] {
        let mut forger = Browser::default();
        forger.cookies.insert("ktbs_session".to_owned(), value);
        let refused = forger.get(&site.ktbs, "").expect(401);
        assert!(refused.body.contains("Your session has ended"), "{what}");
        assert!(forger.session().is_none(), "{what}");
    }
    for length in [1, 11, 12, 13, 27, 28, 29, 100] {
        let value = base64::prelude::BASE64_STANDARD.encode(vec![b'x'; length]);
        site.ktbs
            .get("", &[("Cookie", &format!("ktbs_session={value}"))])
            .expect(401);
    }
    let long = format!("ktbs_session={}", "A".repeat(60_000));
    for header in [
        "ktbs_session",
        "ktbs_session=",
        "=ktbs_session",
        ";;=;",
        "a=b; ktbs_session=\u{fc}",
        &long,
    ] {
        let answer = site.ktbs.get("", &[("Cookie", header)]);
        assert_eq!(answer.status, 401, "{header:.40}");
    }
    browser.get(&site.ktbs, "").expect(200);
    // Another cookie of that name, of a kTBS above or planted, does no harm.
    let both = format!("ktbs_session=planted; ktbs_session={good}");
    site.ktbs.get("", &[("Cookie", &both)]).expect(200);
    // A key that is replaced ends all sessions.
    let directory = site.ktbs.app.config.store.directory.clone().expect("a directory");
    fs::write(directory.join("session-key"), [7; 64]).expect("a file");
    browser.get(&site.ktbs, "").expect(401);
}

#[test]
fn a_session_ends_and_is_of_one_provider_and_root() {
    let ended = site(|config| config.authx.session_seconds = 0);
    let mut browser = Browser::default();
    let asked = browser.begin(&ended.ktbs, "");
    ended.grant(&asked["nonce"], &json!({}));
    let back = browser.come_back(&ended.ktbs, &asked["state"], "").expect(303);
    let cookie = back
        .headers("set-cookie")
        .into_iter()
        .find(|it| it.starts_with("ktbs_session="))
        .expect("a session");
    let cookie = cookie.split(';').next().expect("a pair");
    ended.ktbs.get("", &[("Cookie", cookie)]).expect(401);

    let folder = tempfile::tempdir().expect("a folder");
    let key = folder.path().join("key");
    fs::write(&key, "0123456789abcdef0123456789abcdef\n").expect("a file");
    fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("a mode");
    let one = site(|config| config.authx.session_key = Some(key.clone()));
    let mut browser = Browser::default();
    browser.log_in(&one);
    browser.get(&one.ktbs, "").expect(200);
    // The same key, another provider.
    let other = site(|config| config.authx.session_key = Some(key.clone()));
    browser.clone().get(&other.ktbs, "").expect(401);
    // A file that others can read is refused, and told in the log only.
    fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o644)).expect("a mode");
    let refused = browser.get(&one.ktbs, "").expect(500);
    assert!(!refused.body.contains("key"), "{}", refused.body);
}

#[test]
fn pages_of_others_change_nothing() {
    let site = site(|config| {
        config.plugins.cors = true;
        config.plugins.post_via_get = true;
        config.cors_allow_origin = vec!["https://app.example".to_owned()];
    });
    let ktbs = &site.ktbs;
    let mut browser = Browser::default();
    browser.log_in(&site);
    for elsewhere in [
        &[][..],
        &[("Origin", "https://evil.example")],
        &[("Origin", "https://app.example")],
        &[("Origin", "null")],
        &[("Origin", "http://localhost")],
        &[("Sec-Fetch-Site", "cross-site"), ("Origin", "http://localhost:8001")],
        &[("Sec-Fetch-Site", "same-site")],
        &[("Sec-Fetch-Site", "none")],
    ] {
        assert_eq!(create(&mut browser, ktbs, "alice", elsewhere), 403, "{elsewhere:?}");
    }
    assert_eq!(
        create(&mut browser, ktbs, "alice", &[("Origin", "http://localhost:8001")]),
        201
    );
    let headers = [("Content-Type", "text/turtle"), FROM_HERE];
    let body = turtle(
        "<> k:contains <m>, <t/> . <m> a k:TraceModel . <t/> a k:StoredTrace ; k:hasModel <m> ; k:hasOrigin \"o\" .",
    );
    for part in body_parts(&body) {
        browser.send(ktbs, "POST", "alice/", &headers, &part).expect(201);
    }
    let post = "alice/t/?ctype=text%2Fturtle&%70ost=%3Co%3E%20a%20%3Cm%23O%3E%3B%3Chttp%3A%2F%2Fliris.cnrs.fr%2Fsilex%2F2009%2Fktbs%23hasTrace%3E%3C%3E%3B%3Chttp%3A%2F%2Fliris.cnrs.fr%2Fsilex%2F2009%2Fktbs%23hasBegin%3E1.";
    browser
        .send(ktbs, "GET", post, &[("Sec-Fetch-Site", "cross-site")], "")
        .expect(403);
    browser.send(ktbs, "GET", post, &[FROM_HERE], "").expect(200);
    // To read is harmless: a link from elsewhere works.
    browser
        .send(
            ktbs,
            "GET",
            "alice/t/@obsels?limit=1",
            &[("Sec-Fetch-Site", "cross-site")],
            "",
        )
        .expect(200);
    let delete =
        |browser: &mut Browser, headers: &[(&str, &str)]| browser.send(ktbs, "DELETE", "alice/t/", headers, "").status;
    assert_eq!(delete(&mut browser, &[("Sec-Fetch-Site", "cross-site")]), 403);
    // Nor do they log anybody out.
    browser
        .send(ktbs, "GET", "@logout", &[("Sec-Fetch-Site", "cross-site")], "")
        .expect(303);
    assert!(browser.session().is_some());
    browser.send(ktbs, "GET", "@logout", &[FROM_HERE], "").expect(303);
    assert!(browser.session().is_none());
}

/// Cuts the Turtle that creates a model and a trace in two payloads.
fn body_parts(body: &str) -> [String; 2] {
    let model = body
        .replace("<m>, <t/>", "<m>")
        .replace("<t/> a k:StoredTrace ; k:hasModel <m> ; k:hasOrigin \"o\" .", "");
    let trace = body.replace("<m>, <t/>", "<t/>").replace("<m> a k:TraceModel .", "");
    [model, trace]
}

#[test]
fn a_login_returns_to_this_server_only() {
    for (to, expected) in [
        ("/ktbs/b/", "http://localhost:8001/ktbs/b/"),
        ("//evil.example/ktbs/", ROOT),
        ("https://evil.example/", ROOT),
        ("/\\evil.example", ROOT),
        ("/other/", ROOT),
        ("/ktbs/../other/", ROOT),
        ("http://localhost:8001@evil.example/ktbs/", ROOT),
        ("/ktbs/@logout", ROOT),
        (
            "/ktbs/\r\nSet-Cookie: a=b",
            "http://localhost:8001/ktbs/Set-Cookie:%20a=b",
        ),
    ] {
        let site = site(|_| {});
        let mut browser = Browser::default();
        let asked = browser.begin(&site.ktbs, to);
        site.grant(&asked["nonce"], &json!({}));
        let back = browser.come_back(&site.ktbs, &asked["state"], "").expect(303);
        assert_eq!(back.header("location"), expected, "{to:?}");
    }
}

#[test]
fn over_https_cookies_are_secure() {
    let site = site(|config| config.server.root = "https://localhost:8001/ktbs/".to_owned());
    let mut browser = Browser::default();
    let asked = browser.begin(&site.ktbs, "");
    assert_eq!(asked["redirect_uri"], "https://localhost:8001/ktbs/@login");
    site.grant(&asked["nonce"], &json!({}));
    let back = browser.come_back(&site.ktbs, &asked["state"], "").expect(303);
    for cookie in back.headers("set-cookie") {
        assert!(
            cookie.starts_with("__Secure-ktbs_") && cookie.contains("Secure;"),
            "{cookie}"
        );
    }
    browser.get(&site.ktbs, "").expect(200);
    // One without the prefix, which an attacker on the way can plant, is nothing.
    let secure = &browser.cookies["__Secure-ktbs_session"];
    site.ktbs
        .get("", &[("Cookie", &format!("ktbs_session={secure}"))])
        .expect(401);
}

#[test]
fn pages_tell_who_looks_at_them() {
    let site = site(|config| config.authx.policy = Policy::ReadOnly);
    let mut browser = Browser::default();
    let before = browser.get(&site.ktbs, "?prop=label").expect(200);
    let link = "<a href=\"http://localhost:8001/ktbs/@login?to=%2Fktbs%2F%3Fprop%3Dlabel\">Log in</a>";
    assert!(before.body.contains(link), "{}", before.body);
    let etag = before.header("etag").to_owned();
    browser
        .send(&site.ktbs, "GET", "?prop=label", &[("If-None-Match", &etag)], "")
        .expect(304);
    browser.log_in(&site);
    let after = browser
        .send(&site.ktbs, "GET", "?prop=label", &[("If-None-Match", &etag)], "")
        .expect(200);
    assert!(
        after
            .body
            .contains("alice <a href=\"http://localhost:8001/ktbs/@logout\">"),
        "{}",
        after.body
    );
    assert!(after.headers("vary").concat().contains("cookie"));
    // Other formats are the same for all.
    let json = |browser: &mut Browser| {
        browser
            .send(&site.ktbs, "GET", ".json", &[], "")
            .header("etag")
            .to_owned()
    };
    assert_eq!(json(&mut browser), json(&mut Browser::default()));
    let by_server = site.ktbs.send_as("<bob>", "GET", "", &[("Accept", "text/html")], b"");
    assert!(
        by_server.body.contains("&lt;bob&gt;") && !by_server.body.contains("Log "),
        "{}",
        by_server.body
    );
}

#[test]
fn groups_of_the_provider_count() {
    let site = site(|config| config.authx.admin_groups = vec!["wheel".to_owned()]);
    let mut browser = Browser::default();
    browser.log_in(&site);
    browser.get(&site.ktbs, "@acl").expect(403);
    let asked = browser.begin(&site.ktbs, "");
    site.grant(&asked["nonce"], &json!({"groups": ["staff", "wheel"]}));
    browser.come_back(&site.ktbs, &asked["state"], "").expect(303);
    browser.get(&site.ktbs, "@acl").expect(200);
    // More than a cookie holds is told in the log, and is no session.
    let many: Vec<String> = (0..400).map(|n| format!("group number {n}")).collect();
    let mut other = Browser::default();
    let asked = other.begin(&site.ktbs, "");
    site.grant(&asked["nonce"], &json!({"groups": many}));
    other.come_back(&site.ktbs, &asked["state"], "").expect(500);
    assert!(other.session().is_none());
}

#[test]
fn to_log_out_may_be_to_log_out_of_the_issuer() {
    let site = site(|config| config.authx.issuer_logout = true);
    let mut browser = Browser::default();
    browser.log_in(&site);
    let out = browser.get(&site.ktbs, "@logout").expect(303);
    let expected = format!(
        "{}/end?client_id=client&post_logout_redirect_uri=http%3A%2F%2Flocalhost%3A8001%2Fktbs%2F",
        site.issuer.url
    );
    assert_eq!(out.header("location"), expected);
    assert!(browser.session().is_none());
}

#[test]
fn the_sections_of_former_versions_serve() {
    for (section, claim, user) in [
        ("oauth_github", "id", json!(42)),
        ("oauth_claco", "user_id", json!("u42")),
    ] {
        let issuer = Issuer::new();
        let url = issuer.url.clone();
        let seen: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let record = Arc::clone(&seen);
        issuer.answer_with("/token", move |asked| {
            record.lock().expect("the lock").push(asked.clone());
            Reply::json(&json!({"access_token": "t0ken", "token_type": "bearer", "scope": "a,b"}))
        });
        issuer.answer("/user", &json!({claim: user, "login": "alice"}));
        let ktbs = TestKtbs::with(|config| {
            config.plugins.authx = true;
            config.authx.oauth_flow = section.to_owned();
            let flow = OldFlow {
                auth_endpoint: format!(
                    "{url}/auth?client_id=c&redirect_uri=http%3A%2F%2Fx&response_type=code&scope=user"
                ),
                access_token_endpoint: format!("{url}/token?client_id=c&client_secret=s3cret"),
                api_endpoint: format!("{url}/user"),
                client_id: "c".to_owned(),
                client_secret: Secret::new("s3cret"),
                redirect_uri: if claim == "id" { String::new() } else { ROOT.to_owned() },
            };
            *(if claim == "id" {
                &mut config.oauth_github
            } else {
                &mut config.oauth_claco
            }) = flow;
        });
        assert!(!format!("{:?}", ktbs.app.config).contains("\"s3cret\""));
        let mut browser = Browser::default();
        let begun = browser.get(&ktbs, "@login?to=").expect(303);
        let location = Url::parse(begun.header("location")).expect("an address");
        let asked: Vec<(String, String)> = location.query_pairs().into_owned().collect();
        let names: Vec<&str> = asked.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            names.iter().filter(|name| **name == "client_id").count(),
            1,
            "{names:?}"
        );
        let asked: BTreeMap<String, String> = asked.into_iter().collect();
        assert_eq!((asked["scope"].as_str(), asked["client_id"].as_str()), ("user", "c"));
        let path = if claim == "id" { "@login" } else { "" };
        assert_eq!(asked["redirect_uri"], format!("{ROOT}{path}"));
        browser
            .get(&ktbs, &format!("{path}?code=c0de&state={}", asked["state"]))
            .expect(303);
        let exchanged = seen.lock().expect("the lock").remove(0);
        assert_eq!(exchanged.path, "/token");
        assert!(exchanged.body.contains("client_secret=s3cret") && exchanged.body.contains("code_verifier="));
        let api = issuer.asked("/user").remove(0);
        assert!(api.head.contains("uthorization: Bearer t0ken"), "{}", api.head);
        // Users own the base named after their id.
        let id = user.to_string().replace('"', "");
        assert_eq!(create(&mut browser, &ktbs, &id, &[FROM_HERE]), 201);
        let out = browser.send(&ktbs, "GET", "?logout", &[FROM_HERE], "").expect(303);
        assert_eq!(out.header("location"), ROOT);
        assert!(browser.session().is_none());
        // A refusal with the status 200, as GitHub's.
        issuer.answer("/token", &json!({"error": "bad_verification_code"}));
        let mut other = Browser::default();
        let begun = other.get(&ktbs, "@login?to=").expect(303);
        let location = Url::parse(begun.header("location")).expect("an address");
        let state = location
            .query_pairs()
            .find(|(name, _)| name == "state")
            .expect("a state")
            .1
            .into_owned();
        other.get(&ktbs, &format!("{path}?code=c0de&state={state}")).expect(400);
    }
}
