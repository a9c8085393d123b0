//! An issuer on this machine, that says what a test wants.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};

use crate::support::TestKtbs;
use ktbs::config::Config;

/// A request that the issuer got.
#[derive(Clone, Debug)]
pub struct Asked {
    pub path: String,
    pub head: String,
    pub body: String,
}

/// What the issuer answers.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: &'static str,
    pub headers: String,
    pub body: Vec<u8>,
    /// How long it takes between the head and the body.
    pub delay: Duration,
}

impl Reply {
    pub fn json(value: &Value) -> Self {
        Self {
            status: "200 OK",
            headers: "Content-Type: application/json\r\n".to_owned(),
            body: value.to_string().into_bytes(),
            delay: Duration::ZERO,
        }
    }

    pub fn status(status: &'static str, value: &Value) -> Self {
        Self {
            status,
            ..Self::json(value)
        }
    }
}

type Answer = Box<dyn FnMut(&Asked) -> Reply + Send>;

#[derive(Default)]
struct State {
    answers: HashMap<String, Answer>,
    asked: Vec<Asked>,
    is_down: bool,
}

/// The issuer. It is at `/`; its description names `keys`, `token`, `introspect`, `auth` and `end`.
pub struct Issuer {
    pub url: String,
    state: Arc<Mutex<State>>,
}

/// A kTBS that is a client of an issuer.
pub struct Site {
    pub issuer: Issuer,
    pub ktbs: TestKtbs,
    _folder: tempfile::TempDir,
}

impl Site {
    /// Returns one with the name and the secret of the client.
    pub fn new(id: &str, secret: &str, change: impl FnOnce(&mut Config)) -> Self {
        let issuer = Issuer::new();
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("secret");
        std::fs::write(&file, format!("{secret}\n")).expect("a file");
        let ktbs = issuer.ktbs(|config| {
            config.authx.client_id = id.to_owned();
            config.authx.client_secret_file = Some(file);
            change(config);
        });
        Self {
            issuer,
            ktbs,
            _folder: folder,
        }
    }
}

impl Issuer {
    pub fn new() -> Self {
        Self::with("http", None)
    }

    /// Returns one whose certificate is of an authority that this machine does not trust.
    pub fn over_tls() -> Self {
        let certificate = CertificateDer::from_pem_slice(include_bytes!("keys/tls.pem")).expect("a certificate");
        let key = PrivateKeyDer::from_pem_slice(include_bytes!("keys/tls-key.pem")).expect("a key");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .expect("a certificate and its key");
        Self::with("https", Some(Arc::new(config)))
    }

    fn with(scheme: &str, tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!(
            "{scheme}://127.0.0.1:{}",
            listener.local_addr().expect("an address").port()
        );
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&shared);
                let tls = tls.clone();
                thread::spawn(move || match tls {
                    None => answer(stream, &state),
                    Some(config) => {
                        let connection = ServerConnection::new(config).expect("a connection");
                        answer(StreamOwned::new(connection, stream), &state);
                    }
                });
            }
        });
        let issuer = Self { url, state };
        issuer.answer("/.well-known/openid-configuration", &issuer.description());
        let keys = std::fs::read(super::tokens::JWKS).expect("keys");
        issuer.answer("/keys", &serde_json::from_slice(&keys).expect("keys"));
        issuer
    }

    /// Returns what the issuer says of itself.
    pub fn description(&self) -> Value {
        let url = &self.url;
        json!({
            "issuer": url,
            "jwks_uri": format!("{url}/keys"),
            "authorization_endpoint": format!("{url}/auth?tenant=1"),
            "token_endpoint": format!("{url}/token"),
            "introspection_endpoint": format!("{url}/introspect"),
            "end_session_endpoint": format!("{url}/end"),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("the lock")
    }

    pub fn answer(&self, path: &str, value: &Value) {
        let reply = Reply::json(value);
        self.answer_with(path, move |_| reply.clone());
    }

    pub fn answer_with(&self, path: &str, answer: impl FnMut(&Asked) -> Reply + Send + 'static) {
        self.state().answers.insert(path.to_owned(), Box::new(answer));
    }

    /// Makes it hang up without an answer, or answer again.
    pub fn set_down(&self, is_down: bool) {
        self.state().is_down = is_down;
    }

    /// Returns the requests that it got so far, of a path.
    pub fn asked(&self, path: &str) -> Vec<Asked> {
        let asked = self.state().asked.clone();
        asked.into_iter().filter(|asked| asked.path == path).collect()
    }

    /// Returns how many requests it got so far.
    pub fn count(&self) -> usize {
        self.state().asked.len()
    }

    /// Returns a kTBS where this is the issuer.
    pub fn ktbs(&self, change: impl FnOnce(&mut Config)) -> TestKtbs {
        TestKtbs::with(|config| {
            config.plugins.authx = true;
            config.authx.issuer.clone_from(&self.url);
            config.authx.audience = "ktbs".to_owned();
            change(config);
        })
    }
}

/// Changes what a kTBS has kept of its issuer, as time would.
pub fn age(ktbs: &TestKtbs, fetched: u64, tried: u64) {
    let directory = ktbs.app.config.store.directory.clone().expect("a directory");
    let file = directory.join("issuer.json");
    let mut kept: Value = serde_json::from_slice(&std::fs::read(&file).expect("kept")).expect("JSON");
    kept["fetched"] = json!(kept["fetched"].as_u64().expect("a date").saturating_sub(fetched));
    kept["tried"] = json!(kept["tried"].as_u64().expect("a date").saturating_sub(tried));
    let new = directory.join("issuer.new");
    std::fs::write(&new, kept.to_string()).expect("a file");
    std::fs::rename(new, file).expect("the file");
}

fn answer(mut stream: impl Read + Write, state: &Mutex<State>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        if stream.read(&mut byte).unwrap_or(0) == 0 {
            return;
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).expect("ASCII");
    let length = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .map_or(0, |(_, length)| length.trim().parse().unwrap_or(0));
    let mut body = vec![0; length];
    if stream.read_exact(&mut body).is_err() {
        return;
    }
    let asked = Asked {
        path: head.split(' ').nth(1).unwrap_or("").to_owned(),
        body: String::from_utf8(body).unwrap_or_default(),
        head,
    };
    let reply = {
        let mut state = state.lock().expect("the lock");
        state.asked.push(asked.clone());
        if state.is_down {
            return;
        }
        let path = asked.path.split('?').next().unwrap_or("");
        match state.answers.get_mut(path) {
            Some(answer) => answer(&asked),
            None => Reply::status("404 Not Found", &json!({})),
        }
    };
    let Reply {
        status,
        headers,
        body,
        delay,
    } = reply;
    // The client may be gone, or have had enough.
    let head = format!(
        "HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let _ = stream.write_all(head.as_bytes());
    thread::sleep(delay);
    let _ = stream.write_all(&body).and_then(|()| stream.flush());
}
