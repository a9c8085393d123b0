//! The site of the checklist: one Apache with a virtual host for each row.

use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::site::{Folder, Site};

pub const KTBS: &str = env!("CARGO_BIN_EXE_ktbs");
pub const HELLO: &str = env!("CARGO_BIN_EXE_hello");
const SAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/conf");
/// `alice:secret`
pub const ALICE: &str = "Authorization: Basic YWxpY2U6c2VjcmV0\r\n";
/// `bob:secret`
pub const BOB: &str = "Authorization: Basic Ym9iOnNlY3JldA==\r\n";
pub const TURTLE: &str = "Accept: text/turtle\r\n";

static SHARED: Mutex<Weak<Site>> = Mutex::new(Weak::new());

/// Returns the site of these tests, which lasts as long as one of them uses it.
pub fn site() -> Option<Arc<Site>> {
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(site) = shared.upgrade() {
        return Some(site);
    }
    let site = Arc::new(Site::start(&["cgid"], configuration)?);
    *shared = Arc::downgrade(&site);
    Some(site)
}

/// Each row has a virtual host of its own, chosen by its name, and each kTBS a program, a configuration and a store.
fn configuration(folder: &Folder<'_>) -> String {
    let dir = folder.path.display();
    let certificate = make_certificate(folder.path, "secure");
    // The passwords are `secret`.
    let passwords = folder.write(
        "passwords",
        "alice:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\nbob:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n",
    );
    for name in [
        "mapped", "renamed", "recycled", "alone", "few", "kept", "one", "two", "ktbs",
    ] {
        folder.ktbs(name, "http://localhost/k/", "");
    }
    folder.conf("wrapped.conf", "wrapped", "http://localhost/wrapped/", "");
    folder.conf("variable.conf", "variable", "http://localhost/variable/", "");
    folder.conf("one.fcgi.conf", "one", "http://localhost/one/", "");
    folder.conf("second.conf", "two", "http://localhost/two/", "");
    folder.conf("third.conf", "three", "http://localhost/three/", "");
    folder.conf("ktbs.conf", "secure", "https://localhost/ktbs/", "");
    folder.conf(
        "rules.conf",
        "rules",
        "http://rules/ktbs/",
        "[plugins]\nsparql_endpoints = true\npost_via_get = true\n",
    );
    folder.program("variable.fcgi", KTBS);
    folder.program("rules/ktbs.fcgi", KTBS);
    for name in ["hello", "users/ktbs", "closed"] {
        folder.program(&format!("{name}.fcgi"), HELLO);
    }
    folder.write(
        "script.cgi",
        "#!/bin/sh\nprintf 'Content-Type: text/plain\\r\\n\\r\\nby CGI'\n",
    );
    let _ = Command::new("chmod")
        .arg("755")
        .arg(folder.path.join("script.cgi"))
        .status();
    let basic = format!("AuthType Basic\nAuthName x\nAuthUserFile {passwords}\n");
    let tls = certificate.map_or_else(String::new, |(certificate, key)| {
        format!(
            "Listen 127.0.0.1:{tls}\nDefine KTBS_HOST secure\nDefine KTBS_CERTIFICATE {certificate}\n\
             Define KTBS_KEY {key}\nDefine KTBS_SAMPLES {SAMPLES}\nDefine KTBS_HTTP_PORT {port}\n\
             Define KTBS_HTTPS_PORT {tls}\nDefine KTBS_PATH /ktbs/\nDefine KTBS_PROGRAM {dir}/ktbs.fcgi\n\
             Define KTBS_CONFIG {dir}/ktbs.conf\nInclude {SAMPLES}/samples/https.conf\n",
            tls = folder.other_port,
            port = folder.port,
        )
    });
    let port = folder.port;
    let host = |name: &str, text: &str| format!("<VirtualHost *:{port}>\nServerName {name}\n{text}\n</VirtualHost>\n");
    let alias = |name: &str| format!("ScriptAlias /k/ {dir}/{name}.fcgi/\n");
    [
        format!("<Directory {dir}>\n<Files *.fcgi>\nSetHandler fcgid-script\nRequire all granted\n</Files>\n</Directory>\n"),
        format!("ScriptSock {dir}/cgid.sock\n"),
        tls,
        host(
            "mapped",
            &format!(
                "{}<Location /wrapped>\nSetHandler fcgid-script\nOptions +ExecCGI\nRequire all granted\n\
                 FcgidWrapper \"{dir}/mapped.fcgi -c {dir}/wrapped.conf\" virtual\n</Location>\n\
                 ScriptAlias /variable/ {dir}/variable.fcgi/\n\
                 FcgidCmdOptions {dir}/variable.fcgi InitialEnv KTBS_CONFIG={dir}/variable.conf\n",
                alias("mapped")
            ),
        ),
        host("renamed", &alias("renamed")),
        host("recycled", &(alias("recycled") + "FcgidMaxRequestsPerProcess 3\n")),
        host("alone", &(alias("alone") + "FcgidMaxProcessesPerClass 1\n")),
        host("few", &(alias("few") + "FcgidMaxProcessesPerClass 3\n")),
        host("kept", &alias("kept")),
        host(
            "several",
            &format!("Define KTBS_FOLDER {dir}\nInclude {SAMPLES}/samples/several.conf\n"),
        ),
        host(
            "users",
            &format!(
                "Define KTBS_PATH /ktbs/\nDefine KTBS_PROGRAM {dir}/users/ktbs.fcgi\nDefine KTBS_PASSWORDS {passwords}\n\
                 Include {SAMPLES}/apache.conf\nInclude {SAMPLES}/samples/users.conf\nInclude {SAMPLES}/samples/monitoring.conf\n"
            ),
        ),
        host(
            "rules",
            &format!(
                "Define KTBS_PROGRAM {dir}/rules/ktbs.fcgi\nDefine KTBS_CONFIG {dir}/rules.conf\n\
                 Include {SAMPLES}/apache.conf\nInclude {SAMPLES}/samples/rules.conf\n"
            ),
        ),
        host(
            "closed-root",
            &format!(
                "Define KTBS_CLOSED_ROOT\nInclude {SAMPLES}/apache.conf\nInclude {SAMPLES}/samples/rules.conf\n\
                 UnDefine KTBS_CLOSED_ROOT\n"
            ),
        ),
        host(
            "closed",
            &format!("{}<Location /k>\n{basic}Require user alice\n</Location>\n", alias("closed")),
        ),
        host(
            "hello",
            &format!(
                "{}<Location /k/passed/>\nCGIPassAuth On\n</Location>\n\
                 <Location /k/set/>\nSetEnvIf Authorization \"(.*)\" HTTP_AUTHORIZATION=$1\n</Location>\n",
                alias("hello")
            ),
        ),
        host("passing", &(alias("hello") + "FcgidPassHeader Authorization\n")),
        host(
            "mixed",
            &format!(
                "{}ScriptAlias /cgi {dir}/script.cgi\n<Files script.cgi>\nSetHandler cgi-script\nRequire all granted\n</Files>\n",
                alias("kept")
            ),
        ),
    ]
    .concat()
}

/// Returns the files of a certificate for a host, by its name or the address of this machine, and of its key, where there is a program to make them.
pub fn make_certificate(folder: &Path, host: &str) -> Option<(String, String)> {
    let [certificate, key] = ["certificate.pem", "key.pem"].map(|name| folder.join(name).display().to_string());
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
        ])
        .args([
            "-subj",
            &format!("/CN={host}"),
            "-addext",
            &format!("subjectAltName=DNS:{host},IP:127.0.0.1"),
            "-days",
            "2",
            "-keyout",
            &key,
            "-out",
            &certificate,
        ])
        .output();
    made.is_ok_and(|made| made.status.success())
        .then_some((certificate, key))
}
