//! Programs on descriptor 0, without any web server: how they start and how they end.

use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// A request without parameters nor body: BEGIN_REQUEST, the empty PARAMS record, the empty STDIN record.
const REQUEST: &[u8] = b"\x01\x01\x00\x01\x00\x08\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\
                         \x01\x04\x00\x01\x00\x00\x00\x00\x01\x05\x00\x01\x00\x00\x00\x00";

struct Program {
    child: Child,
    folder: tempfile::TempDir,
}

impl Program {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let socket = UnixListener::bind(folder.path().join("socket")).expect("a listening socket");
        let child = Command::new(env!("CARGO_BIN_EXE_hello"))
            .stdin(OwnedFd::from(socket))
            .spawn()
            .expect("hello starts");
        Self { child, folder }
    }

    fn connect(&self) -> UnixStream {
        UnixStream::connect(self.folder.path().join("socket")).expect("connected")
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("signalled");
    }

    fn end(&mut self) -> ExitStatus {
        wait(&mut self.child)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn wait(child: &mut Child) -> ExitStatus {
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(10) {
        if let Some(status) = child.try_wait().expect("a child") {
            return status;
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("the program does not end");
}

fn answer(mut connection: &UnixStream) -> String {
    let mut all = Vec::new();
    connection.read_to_end(&mut all).expect("an answer");
    String::from_utf8_lossy(&all).into_owned()
}

#[test]
fn sigterm_while_waiting_ends_with_status_0() {
    let mut program = Program::start();
    let mut connection = program.connect();
    connection.write_all(REQUEST).expect("sent");
    assert!(answer(&connection).contains("Status: 200 OK"));
    program.signal(Signal::TERM);
    assert_eq!(program.end().code(), Some(0));
}

#[test]
fn sigterm_in_the_midst_of_a_request_lets_it_be_completed() {
    for cut in [0, 3, 16, REQUEST.len() - 1] {
        let mut program = Program::start();
        let mut first = program.connect();
        first.write_all(REQUEST).expect("sent");
        answer(&first);
        let mut connection = program.connect();
        connection.write_all(&REQUEST[..cut]).expect("sent");
        thread::sleep(Duration::from_millis(200));
        program.signal(Signal::TERM);
        thread::sleep(Duration::from_millis(200));
        connection.write_all(&REQUEST[cut..]).expect("sent");
        assert!(
            answer(&connection).contains("Status: 200 OK"),
            "{cut} bytes before the signal"
        );
        assert_eq!(program.end().code(), Some(0));
    }
}

#[test]
fn a_web_server_that_says_nothing_does_not_keep_the_program_alive() {
    let mut program = Program::start();
    let _silent = program.connect();
    thread::sleep(Duration::from_millis(200));
    program.signal(Signal::TERM);
    assert_eq!(program.end().code(), Some(0));
}

#[test]
fn a_connection_that_breaks_does_not_end_the_program() {
    let program = Program::start();
    for sent in [&REQUEST[..0], &REQUEST[..20], REQUEST, b"GET / HTTP/1.1\r\n\r\n"] {
        program.connect().write_all(sent).expect("sent");
    }
    let mut connection = program.connect();
    connection.write_all(REQUEST).expect("sent");
    assert!(answer(&connection).contains("Status: 200 OK"));
}

#[test]
fn without_a_socket_hello_says_how_it_is_started() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_hello"))
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("hello starts");
    assert_eq!(wait(&mut child).code(), Some(2));
    let mut message = String::new();
    child
        .stderr
        .take()
        .expect("piped")
        .read_to_string(&mut message)
        .expect("text");
    assert!(message.contains("mod_fcgid"), "{message}");
}
