//! Answers to GET and HEAD that are given again, byte for byte, as long as the store has not changed.
//!
//! Browsers and dashboards ask the same things again and again, in the same words. Such a request needs not be
//! understood a second time: the variables that may change its answer are the key, and what is kept is what was sent.
//!
//! No truth is kept in memory: an answer is given again only if the [state](crate::store::Store::state) of the store,
//! which any write of any process changes, is the one in which it was made. So all answers are forgotten at once.

use std::collections::HashMap;
use std::io::{self, Write};

use ::http::{Response, StatusCode};

use super::response::{self, Body, head};
use crate::fcgi::Params;

/// Longest key that is kept, in bytes. Browsers send some 1,000.
const MAX_KEY: usize = 4 << 10;

/// Longest answer that is kept, in bytes.
const MAX_ANSWER: usize = 64 << 10;

/// Most bytes of all that is kept, keys included.
const MAX_KEPT: usize = 4 << 20;

/// Marks a response that depends on the request and on the store alone, and whose making changes nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lasting;

/// What distinguishes a request from all others that may be answered otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key(Vec<u8>);

impl Key {
    /// Returns the key of a request, or `None` if its answer is never kept: it is neither GET nor HEAD, has a body, or
    /// is very long.
    pub fn new(params: &Params) -> Option<Self> {
        if !matches!(params.get("REQUEST_METHOD"), Some(b"GET" | b"HEAD")) {
            return None;
        }
        let mut key = Vec::with_capacity(1024);
        for (name, value) in &params.0 {
            match name.as_slice() {
                b"CONTENT_LENGTH" if !matches!(value.as_slice(), b"" | b"0") => return None,
                b"REQUEST_METHOD" | b"REQUEST_URI" | b"SCRIPT_NAME" | b"PATH_INFO" | b"QUERY_STRING" => {}
                b"CONTENT_TYPE" | b"Authorization" | b"REMOTE_USER" => {}
                header if header.starts_with(b"HTTP_") => {}
                _ => continue,
            }
            for part in [name, value] {
                key.extend_from_slice(&part.len().to_be_bytes());
                key.extend_from_slice(part);
            }
            if key.len() > MAX_KEY {
                return None;
            }
        }
        Some(Self(key))
    }
}

/// An answer as it was sent.
#[derive(Debug)]
pub struct Answer {
    status: StatusCode,
    asked: String,
    bytes: Vec<u8>,
}

impl Answer {
    /// Returns its status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Logs the request as if it were answered anew.
    pub fn log(&self) {
        response::log(self.status, &self.asked);
    }

    /// Sends it again.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn send(&self, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(&self.bytes)
    }
}

/// The answers of one state of the store.
#[derive(Debug, Default)]
pub struct Kept {
    state: u64,
    answers: HashMap<Key, Answer>,
    bytes: usize,
}

impl Kept {
    /// Returns what was answered to that request in that state of the store.
    pub fn find(&self, key: &Key, state: u64) -> Option<&Answer> {
        if self.state == state {
            self.answers.get(key)
        } else {
            None
        }
    }

    /// Keeps the answer to a request, if it may be: it is small and made for that, and the store was in that state both
    /// before and after it was made.
    pub fn keep(&mut self, key: Key, state: u64, asked: &str, response: &Response<Body>) {
        let body: &[u8] = match response.body() {
            Body::Bytes(bytes) => bytes,
            Body::Absent(_) => &[],
            Body::Stream(_) => return,
        };
        if response.extensions().get::<Lasting>().is_none() || body.len() > MAX_ANSWER {
            return;
        }
        let mut bytes = head(response);
        bytes.extend_from_slice(body);
        let size = key.0.len() + asked.len() + bytes.len();
        if self.state != state || self.bytes + size > MAX_KEPT {
            self.answers.clear();
            self.bytes = 0;
            self.state = state;
        }
        self.bytes += size;
        let status = response.status();
        let asked = asked.to_owned();
        self.answers.insert(key, Answer { status, asked, bytes });
    }
}

#[cfg(test)]
mod test {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn params(variables: &[(&str, &str)]) -> Params {
        let bytes = |text: &str| text.as_bytes().to_vec();
        Params(variables.iter().map(|(n, v)| (bytes(n), bytes(v))).collect())
    }

    fn key(uri: &str) -> Key {
        Key::new(&params(&[("REQUEST_METHOD", "GET"), ("REQUEST_URI", uri)])).unwrap()
    }

    fn response(body: &[u8]) -> Response<Body> {
        let mut response = Response::new(Body::Bytes(body.to_vec()));
        response.extensions_mut().insert(Lasting);
        response
    }

    fn sent(kept: &Kept, key: &Key, state: u64) -> Option<String> {
        kept.find(key, state).map(|answer| {
            let mut bytes = Vec::new();
            answer.send(&mut bytes).unwrap();
            String::from_utf8(bytes).unwrap()
        })
    }

    #[test]
    fn what_may_change_an_answer_is_in_the_key() {
        let get = [("REQUEST_METHOD", "GET"), ("REQUEST_URI", "/"), ("REMOTE_PORT", "1")];
        let with = |more: (&'static str, &'static str)| Key::new(&params(&[&get[..], &[more]].concat()));
        assert_eq!(with(("REMOTE_PORT", "2")), Key::new(&params(&get)));
        let distinct = [
            ("HTTP_ACCEPT", "text/turtle"),
            ("HTTP_IF_NONE_MATCH", "*"),
            ("HTTP_ORIGIN", "http://a"),
            ("REMOTE_USER", "me"),
            ("CONTENT_TYPE", "text/turtle"),
            ("REQUEST_METHOD", "HEAD"),
            ("HTTP_", ""),
        ];
        for (at, &one) in distinct.iter().enumerate() {
            assert_ne!(with(one), Key::new(&params(&get)), "{one:?}");
            for &other in &distinct[..at] {
                assert_ne!(with(one), with(other), "{one:?} {other:?}");
            }
        }
    }

    #[test]
    fn what_is_no_reading_has_no_key() {
        let long = "x".repeat(MAX_KEY);
        for more in [
            ("REQUEST_METHOD", "POST"),
            ("REQUEST_METHOD", "get"),
            ("CONTENT_LENGTH", "1"),
            ("HTTP_COOKIE", long.as_str()),
        ] {
            assert_eq!(
                Key::new(&params(&[("REQUEST_METHOD", "GET"), ("REQUEST_URI", "/"), more])),
                None
            );
        }
    }

    #[test]
    fn an_answer_serves_one_state() {
        let mut kept = Kept::default();
        kept.keep(key("/a"), 7, "", &response(b"A"));
        let expected = "Status: 200 OK\r\nContent-Length: 1\r\n\r\nA";
        assert_eq!(sent(&kept, &key("/a"), 7).as_deref(), Some(expected));
        assert_eq!(sent(&kept, &key("/a"), 8), None);
        assert_eq!(sent(&kept, &key("/b"), 7), None);
        kept.keep(key("/b"), 8, "", &response(b"B"));
        assert_eq!(sent(&kept, &key("/a"), 8), None);
        assert_eq!(sent(&kept, &key("/a"), 7), None);
        assert!(sent(&kept, &key("/b"), 8).is_some());
    }

    #[test]
    fn only_what_lasts_and_is_small_is_kept() {
        let mut kept = Kept::default();
        kept.keep(key("/"), 1, "", &Response::new(Body::Bytes(Vec::new())));
        kept.keep(key("/"), 1, "", &response(&[b'x'; MAX_ANSWER + 1]));
        let stream: Body = Body::Stream(Box::new(|_| Ok(())));
        kept.keep(key("/"), 1, "", &response(b"").map(|_| stream));
        assert!(kept.find(&key("/"), 1).is_none());
    }

    #[test]
    fn memory_is_bounded() {
        let mut kept = Kept::default();
        for n in 0..1000 {
            kept.keep(key(&n.to_string()), 1, "", &response(&[b'x'; MAX_ANSWER]));
            let held: usize = kept
                .answers
                .iter()
                .map(|(key, it)| key.0.len() + it.asked.len() + it.bytes.len())
                .sum();
            assert!(held <= MAX_KEPT && held == kept.bytes, "{held}");
        }
        assert!(kept.find(&key("999"), 1).is_some());
    }
}
