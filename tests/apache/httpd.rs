//! A private Apache, started by the script of `make run` with the configuration that we ship.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::needed::skipped;

/// Apache, with a program behind it, until it is dropped.
pub struct Httpd {
    script: Child,
    /// The port on localhost.
    pub port: u16,
    /// The path of the root, with both slashes.
    pub path: &'static str,
    folder: tempfile::TempDir,
}

/// An answer, its parts as they came.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Httpd {
    /// Starts Apache with the program; `None`, and a line that says so, where there is no Apache.
    pub fn start(program: &str, path: &'static str, processes: u32) -> Option<Self> {
        Self::start_with(program, path, processes, "")
    }

    /// Starts as [`Self::start`], with the text of an ini file that is laid over the default configuration.
    pub fn start_with(program: &str, path: &'static str, processes: u32, conf: &str) -> Option<Self> {
        Self::start_with_directives(program, path, processes, conf, "")
    }

    /// Starts as [`Self::start_with`], with directives for Apache too.
    pub fn start_with_directives(
        program: &str,
        path: &'static str,
        processes: u32,
        conf: &str,
        directives: &str,
    ) -> Option<Self> {
        if !is_installed() {
            skipped("httpd");
            return None;
        }
        let folder = tempfile::tempdir().expect("a folder");
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = free.local_addr().expect("an address").port();
        drop(free);
        // Apache's user is to read the file where it is, so that a change is seen.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("a folder of ours");
        fs::write(folder.path().join("over.conf"), conf).expect("a file");
        fs::write(folder.path().join("directives.conf"), directives).expect("a file");
        let log = fs::File::create(folder.path().join("log")).expect("a log");
        let mut script = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/conf/run.sh"))
            .arg(program)
            .env("PORT", port.to_string())
            .env("ROOT_PATH", path)
            .env("PROCESSES", processes.to_string())
            .env("STORE", folder.path().join("store"))
            .env("CONF", folder.path().join("over.conf"))
            .env("DIRECTIVES", folder.path().join("directives.conf"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("the script starts");
        let mut line = String::new();
        BufReader::new(script.stdout.take().expect("piped"))
            .read_line(&mut line)
            .expect("a line");
        let httpd = Self {
            script,
            port,
            path,
            folder,
        };
        assert_eq!(
            line,
            format!("listening on http://localhost:{port}{path}\n"),
            "{}",
            httpd.log()
        );
        Some(httpd)
    }

    /// Changes the ini file that is laid over the default configuration.
    pub fn configure(&self, conf: &str) {
        fs::write(self.folder.path().join("over.conf"), conf).expect("written");
    }

    /// Returns what Apache and the program have logged.
    pub fn log(&self) -> String {
        // The script copies the log a moment after it is written.
        thread::sleep(Duration::from_millis(200));
        fs::read_to_string(self.folder.path().join("log")).expect("a log")
    }

    /// Sends a request for a path below the root, with header lines and a body that are sent as they are.
    pub fn send(&self, method: &str, path: &str, headers: &str, body: &[u8]) -> std::io::Result<Answer> {
        let mut connection = TcpStream::connect(("127.0.0.1", self.port))?;
        let root = self.path;
        let head = format!("{method} {root}{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n");
        exchange(&mut connection, head.as_bytes(), body)
    }

    /// Sends a GET for any path of the server.
    pub fn get_outside(&self, path: &str) -> Answer {
        let mut connection = TcpStream::connect(("127.0.0.1", self.port)).expect("a connection");
        let head = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        exchange(&mut connection, head.as_bytes(), b"").expect("an answer")
    }

    /// Sends a request as [`Self::send`] that must be answered.
    pub fn answer(&self, method: &str, path: &str, headers: &str, body: &[u8]) -> Answer {
        self.send(method, path, headers, body).expect("an answer")
    }

    /// Returns the pid of Apache itself.
    pub fn apache(&self) -> Pid {
        let children = children(Pid::from_child(&self.script));
        let is_apache = |name: &str| matches!(name, "apache2" | "httpd");
        children
            .into_iter()
            .find(|(_, name)| is_apache(name))
            .expect("Apache runs")
            .0
    }

    /// Returns the pids of the processes of the program.
    pub fn processes(&self) -> Vec<Pid> {
        let managers = children(self.apache());
        let processes = managers.into_iter().flat_map(|(manager, _)| children(manager));
        processes
            .filter(|(_, name)| name == "ktbs.fcgi")
            .map(|(pid, _)| pid)
            .collect()
    }

    /// Kills all processes of the program, and returns when they have ended.
    pub fn kill_processes(&self) {
        for process in self.processes() {
            // It may have ended by itself meanwhile.
            let _ = kill_process(process, Signal::KILL);
        }
        let start = Instant::now();
        while !self.processes().is_empty() {
            assert!(start.elapsed() < Duration::from_secs(5), "a killed process goes on");
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Ends everything, and returns the exit status of the script.
    pub fn stop(&mut self) -> Option<i32> {
        kill_process(Pid::from_child(&self.script), Signal::TERM).expect("signalled");
        self.script.wait().expect("a child").code()
    }
}

impl Drop for Httpd {
    fn drop(&mut self) {
        if matches!(self.script.try_wait(), Ok(None)) {
            self.stop();
        }
    }
}

impl Answer {
    /// Returns the answer that the bytes are.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        let (head, body) = end.map_or((bytes, &b""[..]), |end| (&bytes[..end], &bytes[end + 4..]));
        let head = String::from_utf8_lossy(head);
        let is_chunked = head.to_lowercase().contains("\r\ntransfer-encoding: chunked");
        let body = if is_chunked { joined(body) } else { body.to_owned() };
        Self {
            status: head
                .split(' ')
                .nth(1)
                .and_then(|status| status.parse().ok())
                .unwrap_or(0),
            head: head.into_owned(),
            body: String::from_utf8_lossy(&body).into_owned(),
        }
    }

    /// Returns the rest of the first line of the body that begins so.
    pub fn line(&self, beginning: &str) -> Option<&str> {
        self.body.lines().find_map(|line| line.strip_prefix(beginning))
    }
}

/// Returns the body that chunks hold (RFC 9112 section 7.1), as far as it has come.
fn joined(mut chunks: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = chunks.windows(2).position(|two| two == b"\r\n") {
        let length = std::str::from_utf8(&chunks[..end]).ok();
        let length = length.and_then(|length| usize::from_str_radix(length, 16).ok());
        let rest = &chunks[end + 2..];
        let Some(length) = length.filter(|length| (1..=rest.len()).contains(length)) else {
            break;
        };
        body.extend_from_slice(&rest[..length]);
        chunks = rest.get(length + 2..).unwrap_or_default();
    }
    body
}

/// Sends a request that is to be the last on a connection, and reads the answer.
pub fn exchange(connection: &mut TcpStream, head: &[u8], body: &[u8]) -> std::io::Result<Answer> {
    connection.set_read_timeout(Some(Duration::from_secs(300)))?;
    connection.write_all(head)?;
    connection.write_all(body)?;
    let mut all = Vec::new();
    connection.read_to_end(&mut all)?;
    Ok(Answer::from_bytes(&all))
}

fn is_installed() -> bool {
    has_module("mod_fcgid.so")
}

/// Tells whether Apache has a module, given its file.
pub fn has_module(file: &str) -> bool {
    [
        "/usr/lib/apache2/modules",
        "/usr/lib64/httpd/modules",
        "/usr/lib/httpd/modules",
        "/usr/libexec/apache2",
    ]
    .iter()
    .any(|modules| Path::new(modules).join(file).exists())
}

/// Returns the pids and names of the children of a process that have not ended.
fn children(parent: Pid) -> Vec<(Pid, String)> {
    let mut children = Vec::new();
    for entry in fs::read_dir("/proc").expect("/proc").flatten() {
        let pid = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
            .and_then(Pid::from_raw);
        let Some(pid) = pid else { continue };
        // pid (name) state parent …
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let Some((name, rest)) = stat.split_once(" (").and_then(|(_, rest)| rest.split_once(") ")) else {
            continue;
        };
        let has_ended = rest.starts_with('Z');
        if !has_ended && rest.split(' ').nth(1) == Some(parent.as_raw_nonzero().to_string().as_str()) {
            children.push((pid, name.to_owned()));
        }
    }
    children
}
