//! Web servers that start no programs, with the samples that we ship, in front of `ktbs listen`.

use std::fs::{self, Permissions};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::httpd::{Answer, exchange};
use super::site::{Site, free_ports};
use crate::listen::Listening;
use crate::needed::installed;

const SAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/conf/samples");

/// A web server, until it is dropped.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = kill_process(Pid::from_child(&self.0), Signal::TERM);
        let _ = self.0.wait();
    }
}

/// Returns a sample, for another socket and another port.
fn sample(name: &str, socket: &Path, port: u16) -> String {
    let text = fs::read_to_string(Path::new(SAMPLES).join(name)).expect("a sample");
    let socket = socket.display().to_string();
    for part in ["/run/ktbs/ktbs.sock", "80"] {
        assert!(text.contains(part) || name == "lighttpd.conf", "{name} has no {part}");
    }
    text.replace("/run/ktbs/ktbs.sock", &socket)
        .replace("listen 80;", &format!("listen 127.0.0.1:{port};"))
        .replace("\n:80 {", &format!("\n:{port} {{\n\tbind 127.0.0.1"))
}

/// Starts a web server, and waits until it answers.
fn start(command: &mut Command, folder: &Path, port: u16) -> Server {
    let log = fs::File::create(folder.join("server.log")).expect("a log");
    command
        .stdin(Stdio::null())
        .stdout(log.try_clone().expect("a log"))
        .stderr(log);
    let mut server = Server(command.spawn().expect("the web server can be run"));
    let begin = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        let ended = server.0.try_wait().expect("a child").is_some();
        let log = fs::read_to_string(folder.join("server.log")).unwrap_or_default();
        assert!(!ended && begin.elapsed() < Duration::from_secs(20), "{log}");
        thread::sleep(Duration::from_millis(20));
    }
    server
}

fn send(port: u16, method: &str, path: &str, headers: &str, body: &[u8]) -> std::io::Result<Answer> {
    let mut connection = TcpStream::connect(("127.0.0.1", port))?;
    let length = if body.is_empty() {
        String::new()
    } else {
        format!("Content-Length: {}\r\n", body.len())
    };
    let head = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{length}{headers}\r\n");
    exchange(&mut connection, head.as_bytes(), body)
}

/// What must work behind any web server.
fn check(port: u16) {
    let get = |path: &str, headers: &str| send(port, "GET", path, headers, b"").expect("an answer");
    let turtle = "Accept: text/turtle\r\n";
    let root = get("/ktbs/", turtle);
    assert_eq!(root.status, 200, "{root:?}");
    let post = |path: &str, body: &str| {
        let body = crate::support::turtle(body);
        let headers = "Content-Type: text/turtle\r\n";
        send(port, "POST", path, headers, body.as_bytes()).expect("an answer")
    };
    let made = post("/ktbs/", "<> k:hasBase <b/> . <b/> a k:Base .");
    assert_eq!(made.status, 201, "{made:?}");
    let made = made.head.to_ascii_lowercase();
    assert!(
        made.lines().any(|line| line == "location: http://localhost/ktbs/b/"),
        "{made}"
    );
    // More than fits in the buffers of web servers.
    let long = format!(
        "<> k:contains <m> . <m> a k:TraceModel ; <x:y> \"{}\" .",
        "x".repeat(300_000)
    );
    let made = post("/ktbs/b/", &long);
    assert_eq!(made.status, 201, "{made:?}");
    assert!(get("/ktbs/b/m", turtle).body.len() > 300_000);
    for path in [
        "/ktbs/b/",
        "/ktbs/b%2F",
        "/ktbs/%62/",
        "/ktbs/b/?prop=label&prop=comment",
    ] {
        assert_eq!(get(path, turtle).status, 200, "{path}");
    }
    assert_eq!(get("/ktbs/b//", turtle).status, 404);
    let head = send(port, "HEAD", "/ktbs/b/m", turtle, b"").expect("an answer");
    assert_eq!((head.status, head.body.as_str()), (200, ""), "{head:?}");
    let tag = head.head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("etag").then_some(value)
    });
    let tag = tag.expect("an etag");
    assert_eq!(
        get("/ktbs/b/m", &format!("{turtle}If-None-Match: {tag}\r\n")).status,
        304
    );
    assert_eq!(
        send(port, "DELETE", "/ktbs/b/m", "", b"").expect("an answer").status,
        204
    );
    assert_eq!(get("/ktbs/b/nothing", turtle).status, 404);
}

/// Returns a folder which the user of a web server may enter, and a kTBS in it to which it may connect.
fn listening() -> (tempfile::TempDir, Listening) {
    let folder = tempfile::tempdir().expect("a folder");
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).expect("ours");
    let ktbs = Listening::start(folder.path(), &["--mode", "666", "--threads", "8"]);
    (folder, ktbs)
}

#[test]
fn nginx() {
    let Some(program) = installed("nginx") else { return };
    let (folder, ktbs) = listening();
    let [port, _] = free_ports();
    let dir = folder.path().display();
    let paths =
        ["client_body", "fastcgi", "proxy", "uwsgi", "scgi"].map(|kind| format!("{kind}_temp_path {dir}/{kind};"));
    let text = format!(
        "daemon off;\npid {dir}/pid;\nerror_log {dir}/error.log;\nworker_processes 2;\nevents {{ }}\n\
         http {{\naccess_log off;\n{}\n{}\n}}\n",
        paths.concat(),
        sample("nginx.conf", &ktbs.socket, port)
    );
    let file = folder.path().join("nginx.conf");
    fs::write(&file, text).expect("written");
    let _server = start(Command::new(program).arg("-c").arg(file), folder.path(), port);
    check(port);
}

#[test]
fn lighttpd() {
    let Some(program) = installed("lighttpd") else { return };
    let (folder, ktbs) = listening();
    let [port, _] = free_ports();
    let text = format!(
        "server.document-root = \"/nonexistent\"\nserver.bind = \"127.0.0.1\"\nserver.port = {port}\n{}",
        sample("lighttpd.conf", &ktbs.socket, port)
    );
    let file = folder.path().join("lighttpd.conf");
    fs::write(&file, text).expect("written");
    let _server = start(Command::new(program).arg("-D").arg("-f").arg(file), folder.path(), port);
    check(port);
}

#[test]
fn caddy() {
    let Some(program) = installed("caddy") else { return };
    let (folder, ktbs) = listening();
    let [port, _] = free_ports();
    let file = folder.path().join("Caddyfile");
    let text = sample("Caddyfile", &ktbs.socket, port);
    fs::write(&file, format!("{{\n\tadmin off\n\tauto_https off\n}}\n{text}")).expect("written");
    let mut command = Command::new(program);
    command.args(["run", "--adapter", "caddyfile", "--config"]).arg(file);
    command.env("HOME", folder.path());
    let _server = start(&mut command, folder.path(), port);
    check(port);
}

fn proxy_fcgi(ktbs: &Listening) -> Option<Site> {
    Site::start(&[], |_| {
        let socket = ktbs.socket.display();
        format!(
            "Define KTBS_PATH /ktbs/\nDefine KTBS_SOCKET {socket}\nInclude {SAMPLES}/proxy-fcgi.conf\n<Location /ktbs/>\nRequire all granted\n</Location>\n"
        )
    })
}

#[test]
fn mod_proxy_fcgi() {
    let (_folder, ktbs) = listening();
    let Some(site) = proxy_fcgi(&ktbs) else { return };
    check(site.port);
}

#[test]
fn mod_proxy_fcgi_loses_nothing_in_twenty_graceful_restarts() {
    let (_folder, ktbs) = listening();
    let Some(site) = proxy_fcgi(&ktbs) else { return };
    let stop = AtomicBool::new(false);
    let answers: Vec<_> = thread::scope(|scope| {
        let clients: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let mut answers = Vec::new();
                    while !stop.load(Ordering::Relaxed) {
                        let answer = send(site.port, "GET", "/ktbs/", "Accept: text/turtle\r\n", b"");
                        answers.push(answer.map(|answer| answer.status).map_err(|error| error.to_string()));
                    }
                    answers
                })
            })
            .collect();
        for _ in 0..20 {
            thread::sleep(Duration::from_millis(400));
            site.signal(Signal::USR1);
        }
        thread::sleep(Duration::from_millis(500));
        stop.store(true, Ordering::Relaxed);
        clients
            .into_iter()
            .flat_map(|client| client.join().expect("a client"))
            .collect()
    });
    let failed: Vec<_> = answers.iter().filter(|answer| **answer != Ok(200)).collect();
    assert!(
        failed.is_empty(),
        "{} of {}: {:?}\n{}",
        failed.len(),
        answers.len(),
        failed[0],
        site.log()
    );
    assert!(answers.len() > 100, "{}", answers.len());
}
