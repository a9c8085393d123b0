//! What an administrator sees when something is wrong: each row of the table in the README, and what is logged of it. The
//! first test is also the row of the checklist about permissions.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::{PermissionsExt, chown};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Signal, kill_process};

use super::httpd::Answer;
use super::site::{Folder, Site};

const TURTLE: &str = "Accept: text/turtle\r\n";
const HANDLER: &str = "SetHandler fcgid-script\n";
const EVERYBODY: &str = "Require all granted\n";

fn configuration(folder: &Folder<'_>) -> String {
    let dir = folder.path.display();
    for name in [
        "unreadable",
        "unwritable",
        "not-executable",
        "closed",
        "plain",
        "small",
        "slow",
        "elsewhere",
        "full",
        "temporary",
    ] {
        folder.ktbs(name, "http://localhost/k/", "");
    }
    // A copy of its own: a link would share the permissions of the program.
    let program = folder.path.join("not-executable.fcgi");
    fs::remove_file(&program).expect("a file");
    fs::write(&program, "#!/bin/false\n").expect("written");
    let set_mode = |name: &str, mode| {
        fs::set_permissions(folder.path.join(name), fs::Permissions::from_mode(mode)).expect("ours");
    };
    set_mode("not-executable.fcgi", 0o644);
    set_mode("unreadable.fcgi.conf", 0);
    set_mode("stores/unwritable", 0o555);
    if rustix::process::geteuid().is_root() {
        chown(folder.path.join("stores/unwritable"), Some(0), Some(0)).expect("root's");
    }
    folder.conf("elsewhere.fcgi.conf", "elsewhere", "http://elsewhere.example/k/", "");
    folder.write(
        "temporary.fcgi.conf",
        "[server]\nfixed-root-uri = http://localhost/k/\n",
    );
    let host = |name: &str, more: &str, files: &str| {
        format!(
            "<VirtualHost *:{port}>\nServerName {name}\nScriptAlias /k/ {dir}/{name}.fcgi/\n{more}\
             <Directory {dir}>\n<Files {name}.fcgi>\n{files}</Files>\n</Directory>\n</VirtualHost>\n",
            port = folder.port
        )
    };
    let usual = format!("{HANDLER}{EVERYBODY}");
    [
        host("unreadable", "", &usual),
        host("unwritable", "", &usual),
        host("not-executable", "", &usual),
        host("closed", "", HANDLER),
        // Alias and no handler: the file is sent as any other.
        host("plain", "", EVERYBODY)
            .replace("ScriptAlias /k/", "Alias /file")
            .replace(".fcgi/\n", ".fcgi.conf\n")
            .replace("plain.fcgi>", "plain.fcgi.conf>"),
        host("small", "FcgidMaxRequestLen 1000\n", &usual),
        host("slow", "FcgidIOTimeout 1\n", &usual),
        host("full", "FcgidMaxProcessesPerClass 1\nFcgidIOTimeout 100\n", &usual),
        host("elsewhere", "", &usual),
        host("temporary", "", &usual),
    ]
    .concat()
}

#[test]
fn row_16_permissions_and_other_troubles_are_told() {
    let Some(site) = Site::start(&[], configuration) else {
        return;
    };
    let status = |host: &str| site.get(host, "/k/", TURTLE).status;

    // The program, its configuration, its store.
    assert!(matches!(status("not-executable"), 403 | 500 | 503), "{}", site.log());
    site.expect_log("not-executable.fcgi");
    let answer = site.get("unreadable", "/k/", TURTLE);
    assert_eq!(answer.status, 500, "{answer:?}");
    assert!(
        answer.body.contains("log") && !answer.body.contains("unreadable"),
        "{answer:?}"
    );
    site.expect_log("unreadable.fcgi.conf");
    let answer = site.get("unwritable", "/k/", TURTLE);
    assert_eq!(answer.status, 500, "{answer:?}");
    site.expect_log("stores/unwritable");

    assert_eq!(status("closed"), 403);
    site.expect_log("client denied by server configuration");

    let file = site.get("plain", "/file", "");
    assert!(
        file.status == 200 && file.body.contains("repository"),
        "without a handler, files are sent: {file:?}"
    );

    let large = site.post("small", "/k/", "", &"# a comment\n".repeat(200));
    assert_eq!(large.status, 500, "{large:?}");
    site.expect_log("exceeds MaxRequestLen (1000)");

    let links = site.get("elsewhere", "/k/", "Accept: application/n-triples\r\n");
    assert!(links.body.contains("<http://elsewhere.example/k/>"), "{links:?}");
}

#[test]
fn an_answer_that_takes_too_long_to_begin_is_500() {
    let Some(site) = Site::start(&[], configuration) else {
        return;
    };
    assert_eq!(site.get("slow", "/k/", TURTLE).status, 200);
    for process in site.processes("slow.fcgi") {
        kill_process(process, Signal::STOP).expect("signalled");
    }
    let start = Instant::now();
    assert_eq!(site.get("slow", "/k/", TURTLE).status, 500);
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    site.expect_log("read data timeout in 1 seconds");
    // It is replaced.
    assert_eq!(site.get("slow", "/k/", TURTLE).status, 200, "{}", site.log());
}

#[test]
fn without_a_repository_data_end_with_the_process() {
    let Some(site) = Site::start(&[], configuration) else {
        return;
    };
    let made = site.post("temporary", "/k/", "", "<> k:hasBase <b/> . <b/> a k:Base .");
    assert_eq!(made.status, 201, "{made:?}");
    for process in site.processes("temporary.fcgi") {
        kill_process(process, Signal::TERM).expect("signalled");
    }
    thread::sleep(Duration::from_millis(500));
    // The next request may still be for the process that has ended.
    let _ = site.send("temporary", "GET", "/k/b/", TURTLE, b"");
    assert_eq!(site.get("temporary", "/k/b/", TURTLE).status, 404);
}

#[test]
#[ignore = "mod_fcgid takes a minute"]
fn when_all_processes_are_busy_for_a_minute_it_is_503() {
    let Some(site) = Site::start(&[], configuration) else {
        return;
    };
    assert_eq!(site.get("full", "/k/", TURTLE).status, 200);
    let [process] = site.processes("full.fcgi")[..] else {
        panic!("one process")
    };
    kill_process(process, Signal::STOP).expect("signalled");
    thread::scope(|scope| {
        // Its answer comes when the process goes on, or after its own patience.
        scope.spawn(|| site.send("full", "GET", "/k/", TURTLE, b""));
        thread::sleep(Duration::from_millis(500));
        let head = format!("GET /k/ HTTP/1.0\r\nHost: full\r\n{TURTLE}\r\n");
        let mut connection = TcpStream::connect(("127.0.0.1", site.port)).expect("connected");
        connection.write_all(head.as_bytes()).expect("sent");
        let mut answer = Vec::new();
        connection.read_to_end(&mut answer).expect("an answer");
        kill_process(process, Signal::CONT).expect("signalled");
        assert_eq!(Answer::from_bytes(&answer).status, 503);
    });
    site.expect_log("can't apply process slot");
}
