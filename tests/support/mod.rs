//! A kTBS to test: requests enter where the web server's would, without socket nor process.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{self, Cursor, Write};
use std::path::PathBuf;

use ::http::HeaderMap;
use ktbs::App;
use ktbs::config::Config;
use ktbs::fcgi::{Params, Reply};
use ktbs::http::response::Body;
use tempfile::TempDir;

/// Where the kTBS under test is: below a path, as most are.
pub const ROOT: &str = "http://localhost:8001/ktbs/";

/// A kTBS whose store is in a temporary directory, and lost with it.
pub struct TestKtbs {
    pub app: App,
    _directory: Option<TempDir>,
}

/// What was sent, headers and body, as the FastCGI layer is given it.
#[derive(Default)]
pub struct Sent(pub Vec<u8>);

impl Write for Sent {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Reply for Sent {
    fn log(&mut self, _: &str) {}
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
    /// Whether the body was streamed, so that its length was not told.
    pub streamed: bool,
}

impl Answer {
    /// Returns a header; empty if it did not come.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Returns all the values of a header.
    pub fn headers(&self, name: &str) -> Vec<&str> {
        self.headers
            .get_all(name)
            .iter()
            .map(|value| value.to_str().unwrap())
            .collect()
    }

    /// Checks the status, and returns the answer.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }
}

impl TestKtbs {
    /// Returns an empty kTBS with the default configuration.
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    /// Returns an empty kTBS with a changed configuration.
    pub fn with(change: impl FnOnce(&mut Config)) -> Self {
        Self::in_directory(tempfile::tempdir().unwrap(), change)
    }

    /// Returns an empty kTBS whose store is in memory where the machine has a place for that: thousands of transactions then
    /// do not wait for the disk.
    pub fn in_memory() -> Self {
        Self::in_directory(memory(), |_| {})
    }

    fn in_directory(directory: TempDir, change: impl FnOnce(&mut Config)) -> Self {
        let mut ktbs = Self::at(directory.path().to_owned(), change);
        ktbs._directory = Some(directory);
        ktbs
    }

    /// Returns a kTBS whose store is where somebody else keeps it.
    pub fn at(directory: PathBuf, change: impl FnOnce(&mut Config)) -> Self {
        let mut config = config();
        config.store.directory = Some(directory);
        change(&mut config);
        Self {
            app: App::open(config).unwrap(),
            _directory: None,
        }
    }

    /// Returns a kTBS with a base `b/` that has a model `b/m` and an empty stored trace `b/t/`.
    pub fn with_trace(change: impl FnOnce(&mut Config)) -> Self {
        let ktbs = Self::with(change);
        ktbs.post_turtle("", "<> k:hasBase <b/> . <b/> a k:Base .").expect(201);
        ktbs.post_turtle("b/", "<> k:contains <m> . <m> a k:TraceModel .")
            .expect(201);
        ktbs.post_turtle(
            "b/",
            "<> k:contains <t/> . <t/> a k:StoredTrace ; k:hasModel <m> ; k:hasOrigin \"o\" .",
        )
        .expect(201);
        ktbs
    }

    /// Sends a request of a user whom the web server knows; an empty name: of a stranger.
    pub fn send_as(&self, user: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut params = self.params(method, path, headers, body);
        params.push(("REMOTE_ADDR".to_owned(), "192.0.2.1".to_owned()));
        if !user.is_empty() {
            params.push(("REMOTE_USER".to_owned(), user.to_owned()));
        }
        self.answer(&to_params(params), body)
    }

    /// Sends a request; the path, with its query, is below the root, unless it begins with `/`.
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        self.answer(&to_params(self.params(method, path, headers, body)), body)
    }

    fn params(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<(String, String)> {
        let mut params = vec![
            ("REQUEST_METHOD".to_owned(), method.to_owned()),
            ("REQUEST_URI".to_owned(), request_uri(path)),
        ];
        if !body.is_empty() {
            params.push(("CONTENT_LENGTH".to_owned(), body.len().to_string()));
        }
        for (name, value) in headers {
            let name = name.to_ascii_uppercase().replace('-', "_");
            let name = match name.as_str() {
                "CONTENT_TYPE" | "CONTENT_LENGTH" => name,
                _ => format!("HTTP_{name}"),
            };
            params.push((name, (*value).to_owned()));
        }
        params
    }

    /// Answers a request that CGI variables describe.
    pub fn answer(&self, params: &Params, body: &[u8]) -> Answer {
        let App { config, service, .. } = &self.app;
        let mut body = Cursor::new(body);
        let response = match ktbs::http::receive(config, params, &mut body) {
            Ok(request) => ktbs::http::answer(config, service, request),
            Err(error) => ktbs::http::refuse(config, &error, None),
        };
        let (head, body) = response.into_parts();
        let streamed = matches!(body, Body::Stream(_));
        let body = match body {
            Body::Bytes(bytes) => bytes,
            Body::Absent(_) => Vec::new(),
            Body::Stream(stream) => {
                let mut bytes = Vec::new();
                stream(&mut bytes).unwrap();
                bytes
            }
        };
        Answer {
            status: head.status.as_u16(),
            headers: head.headers,
            body: String::from_utf8(body).unwrap(),
            streamed,
        }
    }

    /// Gets a resource.
    pub fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.send("GET", path, headers, b"")
    }

    /// Posts a payload.
    pub fn post(&self, path: &str, content_type: &str, body: &str) -> Answer {
        self.send("POST", path, &[("Content-Type", content_type)], body.as_bytes())
    }

    /// Posts Turtle in which `k:` is declared.
    pub fn post_turtle(&self, path: &str, body: &str) -> Answer {
        self.post(path, "text/turtle", &turtle(body))
    }

    /// Puts a payload.
    pub fn put(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        self.send("PUT", path, headers, body.as_bytes())
    }

    /// Deletes a resource.
    pub fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, &[], b"")
    }
}

/// Returns variables as a web server sends them.
pub fn to_params(variables: Vec<(String, String)>) -> Params {
    let variables = variables.into_iter();
    Params(variables.map(|(n, v)| (n.into_bytes(), v.into_bytes())).collect())
}

/// Returns a temporary directory, in memory where the machine has a place for that.
pub fn memory() -> TempDir {
    let memory = tempfile::tempdir_in("/dev/shm");
    memory.unwrap_or_else(|_| tempfile::tempdir().unwrap())
}

fn request_uri(path: &str) -> String {
    if path.starts_with('/') || path == "*" || path.starts_with("http://") {
        path.to_owned()
    } else {
        format!("/ktbs/{path}")
    }
}

/// Returns a Turtle document in which `k:` is declared.
pub fn turtle(body: &str) -> String {
    format!("@prefix k: <http://liris.cnrs.fr/silex/2009/ktbs#> .\n{body}")
}

/// Returns the default configuration, but for the root.
fn config() -> Config {
    ktbs::config::load(&[], &[("server", "fixed-root-uri", ROOT)])
        .unwrap()
        .0
}
