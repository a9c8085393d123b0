//! Who sends a request, through a real Apache: passwords that we check, and users whom Apache names.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::httpd::{Answer, Httpd, has_module};
use crate::needed::skipped;

const KTBS: &str = env!("CARGO_BIN_EXE_ktbs");

/// `secret`, hashed by bcrypt.
const HASH: &str = "$2y$05$zQ0gwSaiOc2zy94ileMz/.yo0xjkWL9geH3a6jjpvek0yBRkq32X6";

const ALICE: &str = "Authorization: Basic YWxpY2U6c2VjcmV0\r\n";
const BOB: &str = "Authorization: Basic Ym9iOnNlY3JldA==\r\n";
const WRONG: &str = "Authorization: Basic YWxpY2U6d3Jvbmc=\r\n";
const NOBODY: &str = "";

/// Makes a file with the passwords of alice and bob.
fn passwords() -> (tempfile::TempDir, String) {
    readable("users", &format!("alice:{HASH}\nbob:{HASH}\n"))
}

/// Makes a file that Apache's user can read.
pub fn readable(name: &str, text: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("a folder of ours");
    let file = folder.path().join(name);
    fs::write(&file, text).expect("a file");
    let file = file.to_str().expect("a path in UTF-8").to_owned();
    (folder, file)
}

fn get(httpd: &Httpd, path: &str, who: &str) -> Answer {
    httpd.answer("GET", path, who, b"")
}

/// Creates, as alice, the base that has her name.
fn create_base(httpd: &Httpd) {
    let body = br#"{"@type": "Base", "@id": "alice/"}"#;
    let headers = format!(
        "{ALICE}Content-Type: application/json\r\nContent-Length: {}\r\n",
        body.len()
    );
    let created = httpd.answer("POST", "", &headers, body);
    assert_eq!(created.status, 201, "{created:?}\n{}", httpd.log());
}

#[test]
fn passwords_reach_us_and_are_checked() {
    let (_folder, file) = passwords();
    let conf = format!("[plugins]\nauthx = true\n[authx]\npolicy = private\nhtpasswd = {file}\n");
    let Some(httpd) = Httpd::start_with(KTBS, "/ktbs/", 2, &conf) else {
        return;
    };
    create_base(&httpd);
    for (who, expected) in [(ALICE, 200), (BOB, 404), (WRONG, 401), (NOBODY, 401)] {
        for path in ["alice/", "alice/.json", "alice/@acl"] {
            let answer = get(&httpd, path, who);
            assert_eq!(answer.status, expected, "{who:?} {path} {answer:?}");
            let is_asked = answer.head.to_lowercase().contains("www-authenticate: basic realm=");
            assert_eq!(is_asked, expected == 401, "{answer:?}");
        }
    }
}

#[test]
fn users_of_apache_are_ours_beside_its_own_rules() {
    let modules = ["auth_basic", "authn_core", "authn_file", "authz_core", "authz_user"];
    if let Some(module) = modules.iter().find(|module| !has_module(&format!("mod_{module}.so"))) {
        skipped(&format!("mod_{module}"));
        return;
    }
    let (_folder, file) = passwords();
    let load: String = modules
        .iter()
        .map(|module| {
            format!("<IfModule !{module}_module>\nLoadModule {module}_module ${{KTBS_MODULES}}/mod_{module}.so\n</IfModule>\n")
        })
        .collect();
    let directives = format!(
        "{load}<Location \"/ktbs/\">\nAuthType Basic\nAuthName traces\nAuthUserFile \"{file}\"\n\
         <If \"-n req('Authorization')\">\nAuthMerging And\nRequire valid-user\n</If>\n</Location>\n\
         <Location \"/ktbs/closed/\">\nRequire user alice\n</Location>\n"
    );
    let conf = "[plugins]\nauthx = true\n[authx]\npolicy = private\nways = remote-user\n";
    let Some(httpd) = Httpd::start_with_directives(KTBS, "/ktbs/", 2, conf, &directives) else {
        return;
    };
    create_base(&httpd);
    for (path, who, expected) in [
        ("alice/", ALICE, 200),
        ("alice/", BOB, 404),
        ("alice/", NOBODY, 401),
        // Apache refuses before we are asked.
        ("alice/", WRONG, 401),
        ("closed/", ALICE, 404),
        ("closed/", BOB, 401),
    ] {
        let answer = get(&httpd, path, who);
        assert_eq!(answer.status, expected, "{who:?} {path} {answer:?}\n{}", httpd.log());
    }
    assert!(!get(&httpd, "", BOB).body.contains("alice"));
    assert!(get(&httpd, "", ALICE).body.contains("alice"));
    // A client cannot name itself.
    let forged = get(&httpd, "alice/", "Remote-User: alice\r\nRemote_User: alice\r\n");
    assert_eq!(forged.status, 401, "{forged:?}");
}
