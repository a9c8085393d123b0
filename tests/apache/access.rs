//! The plugin authx through a real Apache: how credentials reach us, preflights, attempts and the access log in several processes.

use std::collections::HashSet;
use std::fs;
use std::net::{Ipv4Addr, SocketAddrV4, TcpStream};
use std::process::Command;
use std::thread;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rustix::net::{AddressFamily, SocketType, bind, connect, socket};
use serde_json::Value;

use super::httpd::{Answer, exchange};
use super::site::{Site, own};
use crate::access::tokens::{JWKS, claims, rsa, with};

const KTBS: &str = env!("CARGO_BIN_EXE_ktbs");

/// The hosts by which Authorization comes to the program, in one way or another.
const PASSING: [&str; 3] = ["passheader", "passauth", "both"];

/// Starts a site of its own, with the base `alice/` and its trace `t/`.
fn site() -> Option<Site> {
    let site = Site::start(&["authz_core"], |folder| {
        let (dir, port) = (folder.path.display(), folder.port);
        let hash = bcrypt::hash_with_salt("secret", 4, [7; 16])
            .expect("a hash")
            .to_string();
        let passwords = folder.write("users", &format!("alice:{hash}\nbob:{hash}\n"));
        own(&folder.path.join("logs"));
        folder.ktbs(
            "ktbs",
            "http://localhost/k/",
            &format!(
                "[plugins]\nauthx = true\ncors = true\n[cors]\nallow-origin = https://app.example\n\
                 [authx]\nhtpasswd = {passwords}\njwks = {JWKS}\nissuer = https://issuer.example\naudience = ktbs\n\
                 [access_log]\nfilename = logs/access.ndjson\n"
            ),
        );
        // Apache's user is to read the keys where it may.
        let keys = folder.write("jwks.json", &fs::read_to_string(JWKS).expect("keys"));
        let conf = fs::read_to_string(folder.path.join("ktbs.fcgi.conf")).expect("a file");
        folder.write("ktbs.fcgi.conf", &conf.replace(JWKS, &keys));
        let host = |name: &str, text: &str| {
            format!(
                "<VirtualHost *:{port}>\nServerName {name}\nScriptAlias /k/ {dir}/ktbs.fcgi/\n{text}\n</VirtualHost>\n"
            )
        };
        let apache = format!("AuthType Basic\nAuthName x\nAuthUserFile {passwords}\n");
        let passed = "<Location /k/>\nCGIPassAuth On\n</Location>\n";
        [
            format!("<Directory {dir}>\n<Files *.fcgi>\nSetHandler fcgid-script\nRequire all granted\n</Files>\n</Directory>\n"),
            host("passheader", "FcgidPassHeader Authorization\n"),
            host("passauth", passed),
            host("unpassed", ""),
            // Rules of Apache for one base, one trace, and methods, beside ours.
            host(
                "both",
                &format!(
                    "{passed}<Location /k/closed>\n{apache}Require user alice\n</Location>\n\
                     <Location /k/alice/t>\n{apache}Require valid-user\n</Location>\n\
                     <Location /k/alice/m>\n{apache}<LimitExcept GET HEAD OPTIONS>\nRequire user bob\n</LimitExcept>\n</Location>\n"
                ),
            ),
        ]
        .concat()
    })?;
    let alice = basic("alice", "secret");
    for (path, body) in [
        ("/k/", "<> k:hasBase <alice/> . <alice/> a k:Base ."),
        ("/k/alice/", "<> k:contains <m> . <m> a k:TraceModel ."),
        (
            "/k/alice/",
            "<> k:contains <t/> . <t/> a k:StoredTrace ; k:hasModel <m> ; k:hasOrigin \"o\" .",
        ),
    ] {
        let created = site.post("passauth", path, &alice, body);
        assert_eq!(created.status, 201, "{created:?}\n{}", site.log());
    }
    Some(site)
}

fn basic(login: &str, password: &str) -> String {
    let encoded = BASE64_STANDARD.encode(format!("{login}:{password}"));
    format!("Authorization: Basic {encoded}\r\n")
}

fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}\r\n")
}

/// Makes a token by the command, while the processes of Apache run.
fn token(site: &Site, arguments: &[&str]) -> String {
    let made = Command::new(KTBS)
        .args(["token", "create"])
        .args(arguments)
        .arg("-c")
        .arg(site.path("ktbs.fcgi.conf"))
        .output()
        .expect("the program can be run");
    assert!(made.status.success(), "{made:?}");
    String::from_utf8_lossy(&made.stdout).trim().to_owned()
}

#[test]
fn passwords_and_tokens_reach_us_where_apache_passes_them() {
    let Some(site) = site() else { return };
    let personal = token(&site, &["alice"]);
    let reads = token(&site, &["alice", "--on", "alice/t/", "--rights", "read"]);
    let alice = rsa(&claims());
    let bob = rsa(&with("sub", "bob".into()));
    let expired = rsa(&with("exp", 1.into()));
    for (what, credentials, expected) in [
        ("a password", basic("alice", "secret"), 200),
        ("a password of another", basic("bob", "secret"), 404),
        ("a wrong password", basic("alice", "wrong"), 401),
        ("a personal token", bearer(&personal), 200),
        ("a personal token as a password", basic("alice", &personal), 200),
        ("a narrowed token", bearer(&reads), 404),
        ("a cut token", bearer(&personal[..50]), 401),
        ("a signed token", bearer(&alice), 200),
        ("a signed token of another", bearer(&bob), 404),
        ("an expired token", bearer(&expired), 401),
        ("nothing", String::new(), 401),
    ] {
        for host in PASSING {
            let answer = site.get(host, "/k/alice/", &credentials);
            assert_eq!(answer.status, expected, "{host}: {what}: {answer:?}\n{}", site.log());
        }
        assert_eq!(site.get("unpassed", "/k/alice/", &credentials).status, 401, "{what}");
    }
    assert_eq!(site.get("passheader", "/k/alice/t/", &bearer(&reads)).status, 200);
    assert_eq!(
        site.post(
            "passheader",
            "/k/alice/t/",
            &bearer(&reads),
            "[] a <m#O> ; k:hasTrace <> ; k:hasBegin 1 ."
        )
        .status,
        403
    );
}

#[test]
fn rules_of_apache_hold_beside_ours() {
    let Some(site) = site() else { return };
    let status = |method: &str, path: &str, who: &str| {
        let answer = site.send("both", method, path, &format!("Accept: text/turtle\r\n{who}"), b"");
        answer.expect("an answer").status
    };
    let (alice, bob) = (basic("alice", "secret"), basic("bob", "secret"));
    for (method, path, of_alice, of_bob, of_strangers) in [
        ("GET", "/k/closed/", 404, 401, 401),
        ("GET", "/k/alice/t/", 200, 404, 401),
        ("GET", "/k/alice/t/@obsels", 200, 404, 401),
        ("GET", "/k/alice/m", 200, 404, 401),
        // Apache lets only bob change it, and we only alice.
        ("DELETE", "/k/alice/m", 401, 404, 401),
        ("GET", "/k/alice/", 200, 404, 401),
    ] {
        assert_eq!(status(method, path, &alice), of_alice, "{method} {path}");
        assert_eq!(status(method, path, &bob), of_bob, "{method} {path}");
        assert_eq!(status(method, path, ""), of_strangers, "{method} {path}");
    }
    // Where Apache asks for a password of its own, a token does not pass.
    let personal = token(&site, &["alice"]);
    assert_eq!(status("GET", "/k/alice/t/", &bearer(&personal)), 401);
    assert_eq!(status("GET", "/k/alice/", &bearer(&personal)), 200);
}

#[test]
fn preflights_need_no_login_and_refusals_can_be_read_by_scripts() {
    let Some(site) = site() else { return };
    let has = |answer: &Answer, header: &str| answer.head.to_lowercase().contains(&header.to_lowercase());
    let origin = "Origin: https://app.example\r\n";
    let asked = "Access-Control-Request-Method: PUT\r\nAccess-Control-Request-Headers: authorization, if-match\r\n";
    for host in ["passheader", "passauth", "unpassed"] {
        for path in ["/k/", "/k/alice/", "/k/alice/t/@obsels", "/k/none/"] {
            let answer = site
                .send(host, "OPTIONS", path, &format!("{origin}{asked}"), b"")
                .expect("an answer");
            assert_eq!(answer.status, 200, "{answer:?}");
            assert!(
                has(&answer, "access-control-allow-origin: https://app.example"),
                "{answer:?}"
            );
            assert!(
                has(&answer, "access-control-allow-headers: authorization, if-match"),
                "{answer:?}"
            );
            assert!(has(&answer, "PUT") && !has(&answer, "www-authenticate"), "{answer:?}");
            for (credentials, status) in [
                ("", 401),
                (bearer("ktbs_x").as_str(), 401),
                (&basic("bob", "secret"), 404),
            ] {
                let answer = site.get(host, path, &format!("{origin}{credentials}"));
                let expected = match (host, path, status) {
                    ("unpassed", ..) => 401,
                    (_, "/k/", 404) => 200,
                    _ => status,
                };
                assert_eq!(answer.status, expected, "{host} {path} {answer:?}");
                assert!(
                    has(&answer, "access-control-allow-origin: https://app.example"),
                    "{answer:?}"
                );
                assert_eq!(has(&answer, "www-authenticate: basic"), expected == 401, "{answer:?}");
                assert_eq!(has(&answer, "bearer realm="), expected == 401, "{answer:?}");
            }
        }
    }
}

/// Gets the base of alice from another address of this machine.
fn get_from(site: &Site, last: u8, credentials: &str) -> u16 {
    let stream = socket(AddressFamily::INET, SocketType::STREAM, None).expect("a socket");
    bind(&stream, &SocketAddrV4::new(Ipv4Addr::new(127, 0, 0, last), 0)).expect("an address of ours");
    connect(&stream, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, site.port)).expect("connected");
    let head = format!("GET /k/alice/ HTTP/1.1\r\nHost: passauth\r\nConnection: close\r\n{credentials}\r\n");
    exchange(&mut TcpStream::from(stream), head.as_bytes(), b"")
        .expect("an answer")
        .status
}

/// Sends the same request from several clients at once, so that several processes answer.
fn at_once(site: &Site, clients: usize, times: usize, last: u8, credentials: &str) -> Vec<u16> {
    thread::scope(|scope| {
        let clients: Vec<_> = (0..clients)
            .map(|_| {
                scope.spawn(|| {
                    (0..times)
                        .map(|_| get_from(site, last, credentials))
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        clients
            .into_iter()
            .flat_map(|client| client.join().expect("a client"))
            .collect()
    })
}

#[test]
fn attempts_are_counted_and_requests_logged_by_all_processes_together() {
    let Some(site) = site() else { return };
    let log = site.path("logs/access.ndjson");
    let lines = || -> Vec<Value> {
        let text = fs::read_to_string(&log).unwrap_or_default();
        text.lines()
            .map(|line| serde_json::from_str(line).expect("a whole line"))
            .collect()
    };
    let before = lines().len();
    assert_eq!(before, 3, "those that made the base");
    let (right, wrong) = (basic("alice", "secret"), basic("alice", "wrong"));
    let personal = bearer(&token(&site, &["alice"]));
    let junk = bearer("ktbs_0123456789abcdef_x");

    let found = at_once(&site, 4, 5, 1, &wrong);
    assert!(found.iter().all(|status| matches!(status, 401 | 429)), "{found:?}");
    assert!(found.contains(&401) && found.contains(&429), "{found:?}");
    let mut sent = found.len();
    // Who guesses keeps nobody else out, and a token is no guess.
    for (last, credentials, expected) in [
        (1, &right, 429),
        (2, &right, 200),
        (1, &personal, 200),
        (2, &personal, 200),
        (1, &basic("bob", "secret"), 404),
    ] {
        assert_eq!(
            get_from(&site, last, credentials),
            expected,
            "127.0.0.{last} {credentials}"
        );
        sent += 1;
    }
    let found = at_once(&site, 4, 12, 3, &junk);
    assert!(found.contains(&401) && found.contains(&429), "{found:?}");
    sent += found.len();
    for (last, credentials, expected) in [(3, &junk, 429), (3, &personal, 200), (3, &right, 200), (4, &junk, 401)] {
        assert_eq!(
            get_from(&site, last, credentials),
            expected,
            "127.0.0.{last} {credentials}"
        );
        sent += 1;
    }

    let told = lines();
    assert_eq!(told.len(), before + sent);
    let pids: HashSet<u64> = told.iter().filter_map(|line| line["pid"].as_u64()).collect();
    assert!(pids.len() > 1, "{pids:?}");
    let of = |address: &str, status: u64| {
        let is_it = |line: &&Value| line["address"] == address && line["status"] == status;
        told.iter().filter(is_it).count()
    };
    assert_eq!(
        (of("127.0.0.2", 200), of("127.0.0.4", 401), of("127.0.0.3", 200)),
        (2, 1, 2)
    );

    // It is rotated under load: no line is lost, nor cut.
    let old = site.path("logs/access.ndjson.1");
    thread::scope(|scope| {
        let clients: Vec<_> = (0..3)
            .map(|_| scope.spawn(|| (0..40).all(|_| get_from(&site, 5, &personal) == 200)))
            .collect();
        thread::sleep(std::time::Duration::from_millis(20));
        fs::rename(&log, &old).expect("renamed");
        assert_eq!(get_from(&site, 5, &personal), 200);
        assert!(clients.into_iter().all(|client| client.join().expect("a client")));
    });
    let all = fs::read_to_string(&old).expect("a log") + &fs::read_to_string(&log).expect("a log");
    let of_clients = |line: &&str| {
        let line: Value = serde_json::from_str(line).expect("a whole line");
        line["address"] == "127.0.0.5"
    };
    assert_eq!(all.lines().filter(of_clients).count(), 121);
}
