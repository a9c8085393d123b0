//! Logs of all levels, the access log, answers and `ktbs check` tell no password, no token, no cookie.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

use super::tokens::{JWKS, claims, rsa, with};
use crate::web_server::{Answer, Program, program};

/// `secret-of-alice`, hashed by bcrypt.
fn passwords() -> String {
    let hash = bcrypt::hash_with_salt("secret-of-alice", 4, [7; 16]).expect("a hash");
    format!("alice:{hash}\nodd:{{SHA}}5en6G6MezRroT3XKqkdPOmY/BfQ=\n")
}

fn configure(folder: &Path) {
    fs::write(folder.join("passwords"), passwords()).expect("a file");
    let text = format!(
        "[server]\nfixed-root-uri = http://localhost/ktbs/\nsend-traceback = true\n[rdf_database]\nrepository = store\n\
         [plugins]\nauthx = true\ncors = true\npost_via_get = true\nsparql_endpoints = true\nprofiler = true\n\
         [cors]\nallow-origin = *\n\
         [authx]\nhtpasswd = passwords\njwks = {JWKS}\nissuer = https://issuer.example\naudience = ktbs\n\
         [authx_admin]\nip_whitelist = 192.0.2.1\nlogin = boss\npassword = secret-of-the-boss\n\
         [oauth_github]\nclient_secret = secret-of-the-client\nvalidate_key = secret-key\n\
         access_token_endpoint = http://h/?client_secret=secret-in-address\n\
         [logging]\nloggers = root\nconsole-level = 1\nfilename = all.log\nfile-level = 1\n\
         [access_log]\nfilename = access.log\n"
    );
    fs::write(folder.join("ktbs.conf"), text).expect("a file");
}

fn command(folder: &Path, arguments: &[&str]) -> String {
    let output = program()
        .args(arguments)
        .arg("-c")
        .arg(folder.join("ktbs.conf"))
        .output()
        .expect("the program can be run");
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

#[test]
fn nothing_that_is_written_down_or_answered_holds_a_secret() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    configure(folder);
    let personal = || {
        let told = command(folder, &["token", "create", "alice"]);
        told.split_whitespace()
            .find(|word| word.starts_with("ktbs_"))
            .expect("a token")
            .to_owned()
    };
    let (good, cut, revoked) = (personal(), personal(), personal());
    command(folder, &["token", "revoke", &revoked[5..21]]);
    let mut serve = program();
    serve.arg("-c").arg(folder.join("ktbs.conf"));
    let ktbs = Program::start(serve, folder, "ktbs.sock");

    let signed = rsa(&claims());
    let refused = rsa(&with("aud", "secret-claim".into()));
    let forged = signed.rsplit_once('.').expect("a token").0.to_owned() + ".secret-signature";
    let basic =
        |login: &str, password: &str| format!("Basic {}", BASE64_STANDARD.encode(format!("{login}:{password}")));
    let bearer = |token: &str| format!("Bearer {token}");
    let credentials = [
        basic("alice", "secret-of-alice"),
        basic("alice", "secret-but-wrong"),
        basic("secret-as-name", "secret-of-nobody"),
        basic("odd", "secret-of-odd"),
        basic("boss", "secret-of-the-boss"),
        basic("boss", "secret-not-of-the-boss"),
        basic("alice", &good),
        basic("bob", &good),
        "Basic secret-not-in-base64!".to_owned(),
        "Basic \u{1}secret-control".to_owned(),
        "secret-scheme secret-value".to_owned(),
        bearer(&good),
        bearer(&cut[..cut.len() - 1]),
        bearer(&revoked),
        bearer("ktbs_secret_secret"),
        bearer(&signed),
        bearer(&refused),
        bearer(&forged),
        bearer("secret-opaque"),
        String::new(),
    ];
    // Where a secret stands without any quoting, parts of it are looked for too.
    let parts = credentials.iter().flat_map(|text| text.split([' ', '.', '_']));
    let mut secrets: Vec<String> = parts.filter(|part| part.len() > 15).map(str::to_owned).collect();
    // The ids of tokens are told, and what all signed ones begin with is none.
    secrets.retain(|part| {
        ![&good, &cut, &revoked].iter().any(|token| part == &token[5..21]) && !signed.starts_with(part.as_str())
    });
    secrets.push("secret-".to_owned());
    secrets.push("secret_".to_owned());
    let mut answers: Vec<Answer> = Vec::new();
    for authorization in &credentials {
        for (method, uri) in [
            ("GET", "/ktbs/"),
            ("GET", "/ktbs/alice/none/"),
            ("GET", "/ktbs/@acl"),
            ("GET", "/elsewhere"),
            ("OPTIONS", "/ktbs/"),
            ("POST", "/ktbs/"),
            ("PUT", "/ktbs/"),
            ("DELETE", "/ktbs/"),
            ("GET", "/ktbs/?access_token=secret-1&id_token=secret-2&limit=3"),
            ("GET", "/ktbs/?code=secret-3&state=secret-4"),
            ("GET", "http://alice:secret-5@localhost/ktbs/?token=secret-6"),
        ] {
            let headers = [
                ("Authorization", authorization.as_str()),
                ("Cookie", "sid=secret-cookie; ktbs=secret-session"),
                ("Content-Type", "text/turtle"),
                ("If-Match", "\"x\""),
            ];
            let headers = if authorization.is_empty() {
                &headers[1..]
            } else {
                &headers[..]
            };
            answers.push(ktbs.send(method, uri, headers, b"not Turtle").expect("an answer"));
        }
    }
    ktbs.terminate();
    assert!(ktbs.wait().success());

    let read = |name: &str| fs::read_to_string(folder.join(name)).expect("a log");
    let (console, file, access) = (read("ktbs.sock.log"), read("all.log"), read("access.log"));
    let answers_text: String = answers
        .iter()
        .map(|answer| format!("{:?}\n{}\n", answer.headers, answer.text()))
        .collect();
    let check = command(folder, &["check"]);
    for (what, text) in [
        ("console", &console),
        ("file", &file),
        ("access log", &access),
        ("answers", &answers_text),
        ("check", &check),
    ] {
        for secret in &secrets {
            let found = text.lines().find(|line| line.contains(secret.as_str()));
            assert_eq!(found, None, "{what} has {secret}");
        }
    }
    // They are not silent.
    assert!(
        console.contains("was refused: wrong password of \"alice\"") && console.contains("INFO"),
        "{console}"
    );
    assert!(file.contains("was refused: the personal token"), "{file}");
    assert!(
        check.contains("[authx_admin] password = (not told)") && check.contains("[authx] issuer = https"),
        "{check}"
    );
    assert!(check.contains("[oauth_github] client_secret = (not told)"), "{check}");
    for status in [200, 401, 403, 404, 429] {
        assert!(answers.iter().any(|answer| answer.status == status), "{status}");
    }
    let lines: Vec<Value> = access
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(lines.len(), answers.len());
    for (line, answer) in lines.iter().zip(&answers) {
        assert_eq!(line["status"], answer.status, "{line}");
        assert_eq!(line["address"], "192.0.2.1", "{line}");
    }
    for (way, user) in [
        ("personal", "alice"),
        ("basic", "alice"),
        ("bearer", "alice"),
        ("admin", "boss"),
    ] {
        let is_it = |line: &&Value| line["way"] == way && line["user"] == user && line["status"] == 200;
        let line = lines.iter().find(is_it).expect(way);
        assert_eq!(line["token"] == good[5..21], way == "personal", "{line}");
    }
    let queried = lines
        .iter()
        .find(|line| line["parameters"][0] == "access_token")
        .expect("a query");
    assert_eq!(queried["path"], "/ktbs/");
    assert_eq!(
        queried["parameters"],
        serde_json::json!(["access_token", "id_token", "limit"])
    );
}

#[test]
fn what_nobody_knows_is_not_told_and_secrets_that_all_may_read_are() {
    let folder = tempfile::tempdir().expect("a folder");
    let [file, key] = ["ktbs.conf", "key"].map(|name| folder.path().join(name));
    let text = "[server]\nfixed-root-uri = http://h/\n[beaker]\nsession.encrypt = 0123\n[authx]\nsession-key = key\n\
        [oauth_github]\naccess_token_endpoint = https://example.org/?client_secret=4567\n";
    fs::write(&file, text).expect("a file");
    fs::write(&key, "k".repeat(40)).expect("a file");
    let open = |modes: [u32; 2]| {
        for (file, mode) in [&file, &key].into_iter().zip(modes) {
            fs::set_permissions(file, fs::Permissions::from_mode(mode)).expect("an own file");
        }
        let check = command(folder.path(), &["check"]);
        assert!(check.contains("[beaker] session.encrypt = (not told)"), "{check}");
        assert!(!check.contains("0123") && !check.contains("4567"), "{check}");
        [&file, &key].map(|file| check.contains(&format!("{} has secrets, and all users", file.display())))
    };
    assert_eq!(open([0o640, 0o600]), [false, false]);
    assert_eq!(open([0o644, 0o604]), [true, true]);
    // A file without secrets is nobody's concern.
    fs::write(&file, "[server]\nfixed-root-uri = http://h/\n").expect("a file");
    assert!(!command(folder.path(), &["check"]).contains("has secrets"));
}

#[test]
fn what_is_wrong_in_a_secret_is_told_without_it() {
    let folder = tempfile::tempdir().expect("a folder");
    for password in ["secret-%", "secret-%(secret-name)s", "secret-%(secret-", "secret-%x"] {
        let text = format!("[server]\nfixed-root-uri = http://h/\n[authx_admin]\npassword = {password}\n");
        fs::write(folder.path().join("ktbs.conf"), text).expect("a file");
        let check = command(folder.path(), &["check"]);
        assert!(
            check.contains("[authx_admin] password: ") && !check.contains("secret-"),
            "{check}"
        );
    }
}
