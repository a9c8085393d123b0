//! The login in a browser, through a real Apache: what one process has begun another one ends.

use std::thread;

use serde_json::json;

use super::httpd::{Answer, Httpd};
use crate::access::fake::Issuer;
use crate::access::tokens::{claims_of, now, rsa};
use oauth2::url::Url;

const KTBS: &str = env!("CARGO_BIN_EXE_ktbs");

/// Returns the values of a header.
fn headers<'a>(answer: &'a Answer, name: &str) -> Vec<&'a str> {
    let lines = answer.head.lines().filter_map(|line| line.split_once(": "));
    lines
        .filter(|(n, _)| n.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
        .collect()
}

/// Returns the pair of the cookie of a name that an answer sets.
fn cookie<'a>(answer: &'a Answer, name: &str) -> &'a str {
    let cookies = headers(answer, "set-cookie");
    let cookie = cookies
        .into_iter()
        .find(|cookie| cookie.starts_with(name))
        .expect("a cookie");
    cookie.split(';').next().expect("a pair")
}

#[test]
fn a_session_serves_all_processes_which_ask_the_issuer_once() {
    let issuer = Issuer::new();
    let conf = format!(
        "[plugins]\nauthx = true\n[authx]\nissuer = {}\naudience = ktbs\nclient-id = client\n",
        issuer.url
    );
    let Some(httpd) = Httpd::start_with(KTBS, "/ktbs/", 4, &conf) else {
        return;
    };
    let get = |path: &str, headers: &str| httpd.answer("GET", path, &format!("Accept: text/html\r\n{headers}"), b"");
    let refused = get("", "");
    assert_eq!(refused.status, 401, "{refused:?}\n{}", httpd.log());
    assert!(refused.body.contains("@login?to=%2Fktbs%2F\""), "{}", refused.body);

    let begun = get("@login?to=", "");
    assert_eq!(begun.status, 303, "{begun:?}\n{}", httpd.log());
    let location = Url::parse(headers(&begun, "location")[0]).expect("an address");
    let asked = |name: &str| {
        let mut pairs = location.query_pairs();
        pairs.find(|(n, _)| n == name).expect("a parameter").1.into_owned()
    };
    let claims =
        json!({"iss": issuer.url, "aud": "client", "sub": "alice", "exp": now() + 60, "nonce": asked("nonce")});
    let answer = json!({"access_token": "x", "token_type": "Bearer", "id_token": rsa(&claims)});
    issuer.answer("/token", &answer);
    let back = format!("@login?code=c0de&state={}", asked("state"));
    let back = get(&back, &format!("Cookie: {}\r\n", cookie(&begun, "ktbs_login=")));
    assert_eq!(back.status, 303, "{back:?}\n{}", httpd.log());

    let session = format!("Cookie: a=b; {}\r\n", cookie(&back, "ktbs_session="));
    let bearer = format!("Authorization: Bearer {}\r\n", rsa(&claims_of(&issuer.url)));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for who in [&session, &bearer, &session, &bearer] {
                    let answer = get("", who);
                    assert_eq!(answer.status, 200, "{answer:?}\n{}", httpd.log());
                }
            });
        }
    });
    assert_eq!(issuer.asked("/keys").len(), 1);
    assert_eq!(get("", &session.replace("session=", "session=x")).status, 401);
}

#[test]
fn an_authority_that_the_machine_trusts_is_trusted() {
    let issuer = Issuer::over_tls();
    let conf = format!(
        "[plugins]\nauthx = true\n[authx]\nissuer = {}\naudience = ktbs\n",
        issuer.url
    );
    let (folder, file) = super::users::readable("ca.pem", include_str!("../access/keys/ca.pem"));
    let trust = format!("FcgidInitialEnv SSL_CERT_FILE \"{file}\"\n");
    let bearer = format!("Authorization: Bearer {}\r\n", rsa(&claims_of(&issuer.url)));
    for (directives, expected) in [(trust.as_str(), 200), ("", 503)] {
        let Some(httpd) = Httpd::start_with_directives(KTBS, "/ktbs/", 1, &conf, directives) else {
            return;
        };
        let answer = httpd.answer("GET", "", &bearer, b"");
        assert_eq!(answer.status, expected, "{answer:?}\n{}", httpd.log());
    }
    drop(folder);
}
