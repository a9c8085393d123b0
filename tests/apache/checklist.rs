//! What an administrator is promised: one test for each row of the checklist that came with the Python kTBS, in its order. Row
//! 10 is in `rules`, row 16 in `troubleshooting`.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Signal, kill_process};

use super::httpd::Answer;
use super::shared::{ALICE, BOB, KTBS, TURTLE, site};
use super::site::{Site, user};
use crate::needed::skipped;

/// Creates a base, and checks that it is there.
fn use_ktbs(site: &Site, host: &str, root: &str) {
    let made = site.post(host, root, "", "<> k:hasBase <b/> . <b/> a k:Base .");
    assert_eq!(made.status, 201, "{made:?}\n{}", site.log());
    assert_eq!(site.get(host, &format!("{root}b/"), TURTLE).status, 200);
}

/// The texts of the tests.
fn tests() -> Vec<String> {
    fn read(path: &Path, texts: &mut Vec<String>) {
        if path.is_dir() {
            let entries = fs::read_dir(path).expect("a folder");
            entries.for_each(|entry| read(&entry.expect("an entry").path(), texts));
        } else if path.extension().is_some_and(|end| end == "rs" || end == "sh") {
            texts.push(fs::read_to_string(path).expect("a text"));
        }
    }
    let mut texts = Vec::new();
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests"), &mut texts);
    texts
}

#[test]
fn each_row_has_a_test() {
    let tests = tests().concat();
    for row in 1..=19 {
        let name = format!("#[test]\nfn row_{row:02}_");
        assert!(tests.contains(&name), "row {row}");
    }
}

#[test]
fn each_sample_is_named_by_a_test() {
    let tests = tests().concat();
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("conf/samples");
    for sample in fs::read_dir(samples).expect("a folder") {
        let name = sample.expect("an entry").file_name();
        let name = name.to_str().expect("UTF-8");
        assert!(tests.contains(name), "{name}");
    }
}

#[test]
fn row_01_apache_and_mod_fcgid_are_all_it_needs() {
    let Some(site) = site() else { return };
    assert_eq!(site.get("kept", "/k/", TURTLE).status, 200);
    let process = site.processes("kept.fcgi")[0].as_raw_nonzero();
    let maps = fs::read_to_string(format!("/proc/{process}/maps")).unwrap_or_default();
    let libraries = maps
        .lines()
        .filter_map(|line| line.rsplit('/').next())
        .filter(|name| name.contains(".so"));
    for library in libraries {
        let known = ["libc", "libm", "libgcc_s", "ld-", "libpthread", "libdl", "librt"];
        assert!(known.iter().any(|known| library.starts_with(known)), "{library}");
    }
}

#[test]
fn row_02_no_port_is_opened() {
    let Some(site) = site() else { return };
    assert_eq!(site.get("kept", "/k/", TURTLE).status, 200);
    let process = site.processes("kept.fcgi")[0].as_raw_nonzero();
    let sockets: Vec<String> = fs::read_dir(format!("/proc/{process}/fd"))
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            fs::read_link(entry.path())
                .ok()?
                .to_str()?
                .strip_prefix("socket:[")?
                .strip_suffix(']')
                .map(str::to_owned)
        })
        .collect();
    let has = |file: &str| {
        let table = fs::read_to_string(file).expect("a table of sockets");
        table.lines().any(|line| {
            line.split_whitespace()
                .any(|word| sockets.iter().any(|socket| socket == word))
        })
    };
    assert!(has("/proc/net/unix"), "{sockets:?}");
    assert!(!has("/proc/net/tcp") && !has("/proc/net/tcp6"), "{sockets:?}");
}

#[test]
fn row_03_apache_starts_restarts_and_recycles_it() {
    let Some(site) = site() else { return };
    assert!(site.processes("recycled.fcgi").is_empty(), "nobody has asked yet");
    use_ktbs(&site, "recycled", "/k/");
    let first = site.processes("recycled.fcgi");
    assert_eq!(first.len(), 1, "the first request has started it");
    let start = Instant::now();
    while site.processes("recycled.fcgi") == first {
        assert_eq!(site.get("recycled", "/k/b/", TURTLE).status, 200);
        assert!(start.elapsed() < Duration::from_secs(20), "never recycled");
        thread::sleep(Duration::from_millis(20));
    }
    for process in site.processes("recycled.fcgi") {
        let _ = kill_process(process, Signal::KILL);
    }
    // The next request may still meet the one that was killed.
    let _ = site.send("recycled", "GET", "/k/", TURTLE, b"");
    assert_eq!(site.get("recycled", "/k/b/", TURTLE).status, 200);
}

#[test]
fn row_04_a_url_is_mapped_to_it() {
    let Some(site) = site() else { return };
    use_ktbs(&site, "mapped", "/k/");
    use_ktbs(&site, "mapped", "/wrapped/");
    assert_eq!(site.get("mapped", "/elsewhere/", TURTLE).status, 403, "not ours");
}

#[test]
fn row_05_an_unmodified_program_finds_its_configuration() {
    let Some(site) = site() else { return };
    // Beside the program, by an argument, by a variable: each has its own root.
    for root in ["/k/", "/wrapped/", "/variable/"] {
        let answer = site.get("mapped", root, "Accept: application/n-triples\r\n");
        assert!(
            answer.body.starts_with(&format!("<http://localhost{root}> ")),
            "{answer:?}\n{}",
            site.log()
        );
    }
}

#[test]
fn row_06_the_process_has_a_name() {
    let Some(site) = site() else { return };
    assert_eq!(site.get("renamed", "/k/", TURTLE).status, 200);
    let process = site.processes("renamed.fcgi")[0].as_raw_nonzero();
    let name = fs::read_to_string(format!("/proc/{process}/comm")).expect("a process");
    assert_eq!(name.trim(), "renamed.fcgi");
}

#[test]
fn row_07_the_number_of_processes_is_chosen() {
    let Some(site) = site() else { return };
    let most = |host: &'static str| {
        thread::scope(|scope| {
            let clients: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| (0..30).all(|_| site.get(host, "/k/", TURTLE).status == 200)))
                .collect();
            let mut most = 0;
            while clients.iter().any(|client| !client.is_finished()) {
                most = most.max(site.processes(&format!("{host}.fcgi")).len());
                thread::sleep(Duration::from_millis(20));
            }
            assert!(clients.into_iter().all(|client| client.join().expect("a client")));
            most
        })
    };
    assert_eq!(most("alone"), 1);
    let few = most("few");
    assert!((1..=3).contains(&few), "{few}");
}

#[test]
fn row_08_https() {
    let Some(site) = site() else { return };
    if !site.path("certificate.pem").exists() {
        skipped("openssl to make a certificate");
        return;
    }
    let moved = site.get("secure", "/ktbs/b/?a=1", "");
    assert_eq!(moved.status, 308, "{moved:?}");
    assert!(
        moved.head.contains("Location: https://secure/ktbs/b/?a=1\r"),
        "{moved:?}"
    );

    let configuration = fs::read_to_string(site.path("apache.conf")).expect("a configuration");
    let port = configuration
        .lines()
        .find_map(|line| line.strip_prefix("Define KTBS_HTTPS_PORT "))
        .expect("a port");
    let request = "GET /ktbs/ HTTP/1.1\r\nHost: secure\r\nConnection: close\r\nAccept: application/n-triples\r\n\r\n";
    let folder = site.path("request");
    fs::write(&folder, request).expect("written");
    let output = Command::new("openssl")
        .args(["s_client", "-quiet", "-ign_eof", "-servername", "secure", "-CAfile"])
        .arg(site.path("certificate.pem"))
        .args(["-verify_return_error", "-connect", &format!("127.0.0.1:{port}")])
        .stdin(fs::File::open(folder).expect("written"))
        .output()
        .expect("openssl can be run");
    let answer = Answer::from_bytes(&output.stdout);
    assert_eq!(answer.status, 200, "{answer:?}\n{}", site.log());
    assert!(answer.body.contains("<https://localhost/ktbs/> "), "{answer:?}");
    assert!(answer.head.contains("Strict-Transport-Security: "), "{answer:?}");
}

#[test]
fn row_09_all_access_is_restricted() {
    let Some(site) = site() else { return };
    for path in ["/k", "/k/", "/k/b/t/@obsels", "/k%2F", "/x/../k/", "//k/"] {
        let strangers = site.get("closed", path, "");
        assert!(matches!(strangers.status, 401 | 403 | 404), "{path}: {strangers:?}");
        assert!(!strangers.body.contains("REQUEST_URI"), "{path}: {strangers:?}");
    }
    assert_eq!(site.get("closed", "/k/", "").status, 401);
    assert_eq!(site.get("closed", "/k/", BOB).status, 401);
    assert_eq!(site.get("closed", "/k/", ALICE).status, 200);
}

#[test]
fn row_11_apache_authenticates() {
    let Some(site) = site() else { return };
    let answer = site.get("users", "/ktbs/", "");
    assert_eq!(answer.status, 401, "{answer:?}");
    assert!(
        answer.head.contains("WWW-Authenticate: Basic realm=\"kTBS\""),
        "{answer:?}"
    );
    assert_eq!(
        site.send("users", "OPTIONS", "/ktbs/", "", b"")
            .expect("an answer")
            .status,
        200
    );
    let answer = site.get("users", "/ktbs/", ALICE);
    assert_eq!(answer.line("REMOTE_USER="), Some("alice"), "{answer:?}");
    assert_eq!(answer.line("AUTH_TYPE="), Some("Basic"), "{answer:?}");
}

#[test]
fn row_12_authorization_reaches_the_program_in_three_ways() {
    let Some(site) = site() else { return };
    let seen = |host: &str, path: &str| {
        let answer = site.get(host, path, ALICE);
        assert_eq!(answer.status, 200, "{answer:?}\n{}", site.log());
        answer.line("HTTP_AUTHORIZATION=").map(str::to_owned)
    };
    assert_eq!(seen("hello", "/k/"), None, "Apache keeps it");
    let hidden = Some("(22 bytes, hidden)".to_owned());
    assert_eq!(seen("hello", "/k/passed/"), hidden);
    assert_eq!(seen("hello", "/k/set/"), hidden);
    assert_eq!(seen("passing", "/k/"), hidden);
}

#[test]
fn row_13_several_ktbs_in_one_virtual_host_in_three_ways() {
    let Some(site) = site() else { return };
    let roots = ["/one/", "/two/", "/three/"];
    for root in roots {
        use_ktbs(&site, "several", root);
    }
    for root in roots {
        let answer = site.get("several", root, "Accept: application/n-triples\r\n");
        assert!(
            answer.body.contains(&format!("<http://localhost{root}b/> ")),
            "{answer:?}"
        );
        let others = roots.iter().filter(|other| **other != root);
        for other in others {
            assert!(!answer.body.contains(&format!("http://localhost{other}")), "{answer:?}");
        }
    }
    for program in ["one.fcgi", "two.fcgi", "ktbs.fcgi"] {
        assert!(
            !site.processes(program).is_empty(),
            "{program} has a process of its own"
        );
    }
}

#[test]
fn row_14_hello_shows_the_setting() {
    let Some(site) = site() else { return };
    let answer = site.get("hello", "/k/b/t/?a=1", "X-Some: thing\r\n");
    assert_eq!(answer.status, 200, "{answer:?}");
    for line in [
        "program: ktbs ",
        "pid: ",
        "uid: ",
        "working directory: ",
        "role: RESPONDER",
        "configuration: ",
        "store: ",
        "HTTP_X_SOME=thing",
        "QUERY_STRING=a=1",
        "REQUEST_URI=/k/b/t/?a=1",
        "SCRIPT_NAME=/k",
    ] {
        assert!(answer.line(line).is_some(), "{line}: {answer:?}");
    }
}

#[test]
fn row_15_it_runs_as_the_user_of_apache() {
    let Some(site) = site() else { return };
    let answer = site.get("hello", "/k/", "");
    let uid = Command::new("id").args(["-u", &user().0]).output().expect("an id");
    assert_eq!(answer.line("uid: "), Some(String::from_utf8_lossy(&uid.stdout).trim()));
    use_ktbs(&site, "renamed", "/k/");
    let process = site.processes("renamed.fcgi")[0].as_raw_nonzero();
    let status = fs::read_to_string(format!("/proc/{process}/status")).expect("a process");
    let mask = status.lines().find_map(|line| line.strip_prefix("Umask:"));
    assert_eq!(mask.map(str::trim), Some("0022"));
}

#[test]
fn row_17_nothing_must_not_coexist_with_it() {
    let Some(site) = site() else { return };
    let answer = site.get("mixed", "/cgi", "");
    assert!(answer.status == 200 && answer.body.contains("by CGI"), "{}", site.log());
    assert_eq!(site.get("mixed", "/k/", TURTLE).status, 200);
}

#[test]
fn row_18_versions_are_told() {
    let Some(site) = site() else { return };
    let output = Command::new(KTBS)
        .arg("--version")
        .output()
        .expect("the program can be run");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains(env!("CARGO_PKG_VERSION")), "{text}");
    let answer = site.get("kept", "/k/", TURTLE);
    assert!(answer.body.contains(env!("CARGO_PKG_VERSION")), "{answer:?}");
    assert!(answer.head.contains("mod_fcgid/"), "{answer:?}");
}

#[test]
fn monitoring_sees_the_processes() {
    let Some(site) = site() else { return };
    assert_eq!(site.get("users", "/ktbs/", ALICE).status, 200);
    let page = site.get("users", "/server-status", "");
    assert_eq!(page.status, 200, "{page:?}");
    assert!(
        page.body.contains("Process name: <i>ktbs.fcgi</i>") || page.body.contains("ktbs.fcgi"),
        "{}",
        page.body
    );
}

#[test]
fn row_19_data_outlive_a_restart_under_load() {
    let site = Site::start(&[], |folder| {
        folder.ktbs("ktbs", "http://localhost/k/", "");
        let dir = folder.path.display();
        format!(
            "ScriptAlias /k/ {dir}/ktbs.fcgi/\n<Directory {dir}>\n<Files *.fcgi>\nSetHandler fcgid-script\n\
             Require all granted\n</Files>\n</Directory>\n"
        )
    });
    let Some(site) = site else { return };
    let stop = AtomicBool::new(false);
    let created: Vec<String> = thread::scope(|scope| {
        let (site, stop) = (&site, &stop);
        let clients: Vec<_> = (0..3)
            .map(|client| {
                scope.spawn(move || {
                    let mut created = Vec::new();
                    for number in (0..).take_while(|_| !stop.load(Ordering::Relaxed)) {
                        let name = format!("b{client}-{number}");
                        let body = crate::support::turtle(&format!("<> k:hasBase <{name}/> . <{name}/> a k:Base ."));
                        let headers = "Content-Type: text/turtle\r\n";
                        let answer = site.send("localhost", "POST", "/k/", headers, body.as_bytes());
                        if matches!(answer, Ok(Answer { status: 201, .. })) {
                            created.push(name);
                        }
                    }
                    created
                })
            })
            .collect();
        // Not graceful: connections are closed, and processes get SIGTERM in the midst of what they do.
        for _ in 0..2 {
            thread::sleep(Duration::from_secs(1));
            site.signal(Signal::HUP);
        }
        thread::sleep(Duration::from_secs(2));
        stop.store(true, Ordering::Relaxed);
        clients
            .into_iter()
            .flat_map(|client| client.join().expect("a client"))
            .collect()
    });
    assert!(created.len() > 10, "{}\n{}", created.len(), site.log());
    let all = site.get("localhost", "/k/", "Accept: application/n-triples\r\n");
    assert_eq!(all.status, 200, "{}", site.log());
    for name in &created {
        assert!(
            all.body.contains(&format!("<http://localhost/k/{name}/>")),
            "{name} was acknowledged, and lost"
        );
    }
}
