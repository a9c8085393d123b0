//! The web server's side: starts the program with a listening socket as descriptor 0, and sends it requests.
//!
//! As mod_fcgid does: a socket for each process, a connection for each request.

use std::fs;
use std::io::{self, Error, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

/// A process of the program.
#[derive(Debug)]
pub struct Program {
    pub child: Child,
    socket: PathBuf,
}

/// What a request was answered.
#[derive(Debug, Default)]
pub struct Answer {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Returns a command that runs the program, without the variables of this process.
pub fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ktbs"));
    command.env_clear();
    command
}

impl Program {
    /// Starts a command that listens on a new socket of that name in a folder; its standard error goes to a file beside.
    pub fn start(mut command: Command, folder: &Path, name: &str) -> Self {
        let socket = folder.join(name);
        let _ = fs::remove_file(&socket);
        let listener = UnixListener::bind(&socket).expect("a listening socket");
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(folder.join(format!("{name}.log")));
        let child = command
            .stdin(Stdio::from(OwnedFd::from(listener)))
            .stdout(Stdio::null())
            .stderr(log.expect("a log"))
            .spawn()
            .expect("the program can be run");
        Self { child, socket }
    }

    /// Sends a request: method, path and query, headers, body.
    ///
    /// # Errors
    /// The process is gone, or the answer is not complete, or nothing comes for 30 seconds.
    pub fn send(&self, method: &str, uri: &str, headers: &[(&str, &str)], body: &[u8]) -> io::Result<Answer> {
        send(&self.socket, method, uri, headers, body)
    }

    pub fn socket(&self) -> &Path {
        &self.socket
    }

    pub fn terminate(&self) {
        let pid = i32::try_from(self.child.id())
            .ok()
            .and_then(rustix::process::Pid::from_raw);
        let pid = pid.expect("a process has a number");
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("the process is ours");
    }

    pub fn wait(mut self) -> ExitStatus {
        self.child.wait().expect("the process is ours")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const BEGIN_REQUEST: u8 = 1;
const END_REQUEST: u8 = 3;
const PARAMS: u8 = 4;
const STDIN: u8 = 5;
const STDOUT: u8 = 6;

/// Sends a request to the process that listens on a socket; see [`Program::send`].
pub fn send(socket: &Path, method: &str, uri: &str, headers: &[(&str, &str)], body: &[u8]) -> io::Result<Answer> {
    send_on(&UnixStream::connect(socket)?, false, method, uri, headers, body)
}

/// Sends a request on a connection, to be kept open or not; see [`Program::send`].
pub fn send_on(
    mut connection: &UnixStream,
    keep: bool,
    method: &str,
    uri: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> io::Result<Answer> {
    connection.set_read_timeout(Some(Duration::from_secs(30)))?;
    let mut sent = Vec::new();
    push_stream(&mut sent, BEGIN_REQUEST, &[0, 1, u8::from(keep), 0, 0, 0, 0, 0]);
    push_stream(&mut sent, PARAMS, &params(method, uri, headers, body.len()));
    push_stream(&mut sent, PARAMS, &[]);
    push_stream(&mut sent, STDIN, body);
    if !body.is_empty() {
        push_stream(&mut sent, STDIN, &[]);
    }
    connection.write_all(&sent)?;
    let mut stdout = Vec::new();
    loop {
        let mut header = [0; 8];
        connection.read_exact(&mut header)?;
        let length = usize::from(u16::from_be_bytes([header[4], header[5]]));
        let mut content = vec![0; length + usize::from(header[6])];
        connection.read_exact(&mut content)?;
        match header[1] {
            STDOUT => stdout.extend_from_slice(&content[..length]),
            END_REQUEST => return parse(&stdout).ok_or_else(|| Error::other("no CGI answer")),
            _ => {}
        }
    }
}

/// Appends a stream as records; a single empty one for an empty stream.
fn push_stream(sent: &mut Vec<u8>, kind: u8, content: &[u8]) {
    let mut chunks = content.chunks(65_528);
    let first = chunks.next().unwrap_or_default();
    for chunk in std::iter::once(first).chain(chunks) {
        let [high, low] = u16::try_from(chunk.len()).expect("at most 65,528").to_be_bytes();
        sent.extend_from_slice(&[1, kind, 0, 1, high, low, 0, 0]);
        sent.extend_from_slice(chunk);
    }
}

/// Returns the variables that Apache would set, as name-value pairs.
fn params(method: &str, uri: &str, headers: &[(&str, &str)], length: usize) -> Vec<u8> {
    let query = uri.split_once('?').map_or("", |(_, query)| query);
    let mut variables = vec![
        ("REQUEST_METHOD".to_owned(), method.to_owned()),
        ("REQUEST_URI".to_owned(), uri.to_owned()),
        ("QUERY_STRING".to_owned(), query.to_owned()),
        ("SCRIPT_NAME".to_owned(), String::new()),
        ("REMOTE_ADDR".to_owned(), "192.0.2.1".to_owned()),
        ("SERVER_PROTOCOL".to_owned(), "HTTP/1.1".to_owned()),
    ];
    if length > 0 {
        variables.push(("CONTENT_LENGTH".to_owned(), length.to_string()));
    }
    for (name, value) in headers {
        let name = name.to_uppercase().replace('-', "_");
        let name = if name == "CONTENT_TYPE" {
            name
        } else {
            format!("HTTP_{name}")
        };
        variables.push((name, (*value).to_owned()));
    }
    let mut pairs = Vec::new();
    for (name, value) in &variables {
        for text in [name, value] {
            let length = u32::try_from(text.len()).expect("a short text");
            pairs.extend_from_slice(&(length | 0x8000_0000).to_be_bytes());
        }
        pairs.extend_from_slice(name.as_bytes());
        pairs.extend_from_slice(value.as_bytes());
    }
    pairs
}

/// Parses a CGI answer (RFC 3875 section 6).
fn parse(stdout: &[u8]) -> Option<Answer> {
    let end = stdout.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&stdout[..end]).ok()?;
    let mut answer = Answer {
        status: 200,
        headers: Vec::new(),
        body: stdout[end + 4..].to_vec(),
    };
    for line in head.lines() {
        let (name, value) = line.split_once(':')?;
        let (name, value) = (name.to_lowercase(), value.trim());
        if name == "status" {
            answer.status = value.split(' ').next()?.parse().ok()?;
        }
        answer.headers.push((name, value.to_owned()));
    }
    Some(answer)
}
