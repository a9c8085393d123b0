//! The program on a socket of its own: `ktbs listen`.

use std::fs;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::needed::installed;
use crate::web_server::{Answer, program, send, send_on};

const TURTLE: [(&str, &str); 1] = [("Accept", "text/turtle")];

/// `ktbs listen`, until it is dropped.
pub struct Listening {
    child: Child,
    /// The socket.
    pub socket: PathBuf,
}

impl Listening {
    /// Starts it on a socket in a folder where its store is too; the root is `http://localhost/ktbs/`.
    pub fn start(folder: &Path, arguments: &[&str]) -> Self {
        let socket = folder.join("ktbs.sock");
        let address = format!("unix:{}", socket.display());
        let listening = Self {
            child: start(folder, &[&[address.as_str()], arguments].concat(), Stdio::null()),
            socket,
        };
        let begin = Instant::now();
        while UnixStream::connect(&listening.socket).is_err() {
            assert!(begin.elapsed() < Duration::from_secs(20), "{}", log(folder));
            thread::sleep(Duration::from_millis(10));
        }
        listening
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("signalled");
    }

    fn end(mut self) -> Option<i32> {
        self.child.wait().expect("a child").code()
    }

    fn get(&self) -> io::Result<Answer> {
        send(&self.socket, "GET", "/ktbs/", &TURTLE, b"")
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn start(folder: &Path, arguments: &[&str], stdin: Stdio) -> Child {
    let file = folder.join("ktbs.conf");
    let text = "[server]\nfixed-root-uri = http://localhost/ktbs/\n[rdf_database]\nrepository = store\n";
    fs::write(&file, text).expect("written");
    let log = fs::File::create(folder.join("log")).expect("a log");
    let mut command = program();
    command.arg("-c").arg(file).arg("listen").args(arguments);
    command.stdin(stdin).stdout(Stdio::null()).stderr(log);
    command.spawn().expect("the program can be run")
}

fn log(folder: &Path) -> String {
    fs::read_to_string(folder.join("log")).unwrap_or_default()
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

fn keep(connection: &UnixStream) -> u16 {
    let answer = send_on(connection, true, "GET", "/ktbs/", &TURTLE, b"");
    answer.expect("an answer").status
}

#[test]
fn several_connections_are_served_at_once_and_kept() {
    let folder = folder();
    let ktbs = Listening::start(folder.path(), &["--threads", "3"]);
    let connections: Vec<_> = (0..3)
        .map(|_| UnixStream::connect(&ktbs.socket).expect("connected"))
        .collect();
    for _ in 0..3 {
        for connection in &connections {
            assert_eq!(keep(connection), 200);
        }
    }
    // All threads wait for the next requests of these connections: one makes room for a fourth.
    let begin = Instant::now();
    assert_eq!(ktbs.get().expect("an answer").status, 200);
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
}

#[test]
fn threads_share_one_store() {
    let folder = folder();
    let ktbs = Listening::start(folder.path(), &["--threads", "4"]);
    let base = |name: &str| crate::support::turtle(&format!("<> k:hasBase <{name}/> . <{name}/> a k:Base ."));
    thread::scope(|scope| {
        for client in 0..4 {
            let (ktbs, base) = (&ktbs, &base);
            scope.spawn(move || {
                let connection = UnixStream::connect(&ktbs.socket).expect("connected");
                for number in 0..10 {
                    let body = base(&format!("b{client}-{number}"));
                    let headers = [("Content-Type", "text/turtle")];
                    let made = send_on(&connection, true, "POST", "/ktbs/", &headers, body.as_bytes());
                    assert_eq!(made.expect("an answer").status, 201);
                }
            });
        }
    });
    let all = ktbs.get().expect("an answer").text();
    assert_eq!(
        all.matches("hasBase").count().max(all.matches("-9/").count()),
        4,
        "{all}"
    );
}

#[test]
fn sigterm_completes_the_requests_and_removes_the_socket() {
    for signal in [Signal::TERM, Signal::INT] {
        let folder = folder();
        let ktbs = Listening::start(folder.path(), &["--threads", "2"]);
        let idle = UnixStream::connect(&ktbs.socket).expect("connected");
        assert_eq!(keep(&idle), 200);
        let mut half = UnixStream::connect(&ktbs.socket).expect("connected");
        half.write_all(&[1, 1, 0, 1, 0, 8, 0, 0, 0, 1, 0]).expect("sent");
        thread::sleep(Duration::from_millis(100));
        ktbs.signal(signal);
        thread::sleep(Duration::from_millis(100));
        half.write_all(b"\0\0\0\0\0\x01\x04\0\x01\0\0\0\0\x01\x05\0\x01\0\0\0\0")
            .expect("sent");
        let mut answer = Vec::new();
        half.read_to_end(&mut answer).expect("an answer");
        assert!(
            String::from_utf8_lossy(&answer).contains("Status: "),
            "{}",
            log(folder.path())
        );
        let socket = ktbs.socket.clone();
        assert_eq!(ktbs.end(), Some(0), "{}", log(folder.path()));
        assert!(!socket.exists());
    }
}

#[test]
fn a_killed_one_leaves_nothing_in_the_way() {
    let folder = folder();
    let ktbs = Listening::start(folder.path(), &[]);
    ktbs.signal(Signal::KILL);
    let socket = ktbs.socket.clone();
    ktbs.end();
    assert!(socket.exists());
    let ktbs = Listening::start(folder.path(), &["--mode", "600"]);
    let mode = fs::metadata(&ktbs.socket).expect("a socket").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(ktbs.get().expect("an answer").status, 200);

    let mut second = start(
        folder.path(),
        &[&format!("unix:{}", ktbs.socket.display())],
        Stdio::null(),
    );
    assert_eq!(second.wait().expect("a child").code(), Some(1));
    assert!(
        log(folder.path()).contains("another program listens there"),
        "{}",
        log(folder.path())
    );
    assert_eq!(ktbs.get().expect("an answer").status, 200, "the first goes on");
}

#[test]
fn a_socket_of_systemd_is_descriptor_0() {
    let folder = folder();
    let path = folder.path().join("socket");
    let socket = UnixListener::bind(&path).expect("a listening socket");
    let child = start(folder.path(), &[], Stdio::from(OwnedFd::from(socket)));
    let ktbs = Listening { child, socket: path };
    let first = UnixStream::connect(&ktbs.socket).expect("connected");
    assert_eq!(keep(&first), 200);
    assert_eq!(ktbs.get().expect("an answer").status, 200, "another thread");
    ktbs.signal(Signal::TERM);
    let socket = ktbs.socket.clone();
    assert_eq!(ktbs.end(), Some(0));
    assert!(socket.exists(), "it is not ours to remove");
}

#[test]
fn ports_are_for_this_machine_unless_web_servers_are_named() {
    let folder = folder();
    let [port, _] = crate::apache::free_ports();
    let mut public = start(folder.path(), &[&format!("0.0.0.0:{port}")], Stdio::null());
    assert_eq!(public.wait().expect("a child").code(), Some(2));
    assert!(
        log(folder.path()).contains("FCGI_WEB_SERVER_ADDRS"),
        "{}",
        log(folder.path())
    );

    let address = format!("127.0.0.1:{port}");
    let child = start(folder.path(), &[&address], Stdio::null());
    let _ktbs = Listening {
        child,
        socket: PathBuf::new(),
    };
    let begin = Instant::now();
    while TcpStream::connect(&address).is_err() {
        assert!(begin.elapsed() < Duration::from_secs(20), "{}", log(folder.path()));
        thread::sleep(Duration::from_millis(10));
    }
    for wrong in [
        &["9000"][..],
        &["unix:"],
        &["unix:/x", "--mode", "999"],
        &["unix:/x", "--threads", "0"],
        &[],
    ] {
        let mut child = start(folder.path(), wrong, Stdio::null());
        assert_eq!(child.wait().expect("a child").code(), Some(2), "{wrong:?}");
    }
}

#[test]
fn the_units_of_systemd_are_taken() {
    let Some(systemd_analyze) = installed("systemd-analyze") else {
        return;
    };
    let folder = folder();
    let units = ["ktbs.service", "ktbs.socket"].map(|name| {
        let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("conf/samples").join(name);
        let text = fs::read_to_string(sample).expect("a sample");
        let unit = folder.path().join(name);
        fs::write(&unit, text.replace("/usr/bin/ktbs", env!("CARGO_BIN_EXE_ktbs"))).expect("written");
        unit
    });
    let output = std::process::Command::new(systemd_analyze)
        .args(["verify", "--man=no"])
        .args(units)
        .output()
        .expect("systemd-analyze can be run");
    // It looks at what the units need of this machine, too.
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    let ours: Vec<&str> = told.lines().filter(|line| line.contains("ktbs")).collect();
    assert!(ours.is_empty(), "{told}");
}
