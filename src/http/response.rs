//! An HTTP response to a CGI header block and a body (RFC 3875 section 6).

use std::io::{self, Write};

use ::http::{HeaderName, Response, StatusCode, header};

use crate::error::{Error, Result};

/// Writes a body that is too large to be held.
pub type Stream = Box<dyn FnOnce(&mut dyn Write) -> Result<()>>;

/// The body of a response.
pub enum Body {
    /// Held whole; the response says its length.
    Bytes(Vec<u8>),
    /// Written while it is sent.
    Stream(Stream),
    /// Not sent at all, as HEAD and 304 ask; its length, if it is known.
    Absent(Option<usize>),
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "Bytes({})", bytes.len()),
            Self::Stream(_) => f.write_str("Stream"),
            Self::Absent(length) => write!(f, "Absent({length:?})"),
        }
    }
}

impl Body {
    /// Returns an empty body.
    pub fn empty() -> Self {
        Self::Bytes(Vec::new())
    }

    /// Returns what an answer to HEAD says of this body.
    pub fn absent(self) -> Self {
        match self {
            Self::Bytes(bytes) => Self::Absent(Some(bytes.len())),
            Self::Stream(_) => Self::Absent(None),
            Self::Absent(length) => Self::Absent(length),
        }
    }
}

/// Returns the text beside a status: that of the kTBS where it differs from the standard one.
pub fn reason(status: StatusCode) -> &'static str {
    match status.as_u16() {
        500 => "Internal Error",
        550 => "Serialize Error",
        _ => status.canonical_reason().unwrap_or("Unknown"),
    }
}

/// Logs a request and how it was answered: status, method, path and query.
pub fn log(status: StatusCode, asked: &str) {
    log::info!(target: "ktbs::server", "{} {asked}", status.as_u16());
}

/// Sends a response: always `Status:` first, so that the web server neither guesses one nor follows `Location` itself
/// (RFC 3875 section 6.2.2), then the headers, then the body.
///
/// # Errors
/// Those of `out`, as `Gone`; those of a streamed body, when it is too late to tell the client but by breaking the
/// connection.
pub fn send(response: Response<Body>, out: &mut dyn Write) -> Result<()> {
    out.write_all(&head(&response)).map_err(Error::Gone)?;
    match response.into_body() {
        Body::Bytes(bytes) => out.write_all(&bytes).map_err(Error::Gone),
        Body::Stream(stream) => {
            // What serializers hand over is larger, and goes through untouched.
            let mut out = io::BufWriter::with_capacity(16 << 10, out);
            stream(&mut out)?;
            out.flush().map_err(Error::Gone)
        }
        Body::Absent(_) => Ok(()),
    }
}

/// Returns all that is sent before the body.
pub(super) fn head(response: &Response<Body>) -> Vec<u8> {
    let mut head = Vec::with_capacity(512);
    let status = response.status();
    head.extend_from_slice(b"Status: ");
    head.extend_from_slice(status.as_str().as_bytes());
    head.push(b' ');
    head.extend_from_slice(reason(status).as_bytes());
    head.extend_from_slice(b"\r\n");
    // A header value holds no line break, as `HeaderValue` guarantees.
    for (name, value) in response.headers() {
        write_name(name, &mut head);
        head.extend_from_slice(b": ");
        head.extend_from_slice(value.as_bytes());
        head.extend_from_slice(b"\r\n");
    }
    let length = match response.body() {
        Body::Bytes(bytes) => Some(bytes.len()).filter(|_| may_have_length(status)),
        Body::Absent(length) => *length,
        Body::Stream(_) => None,
    };
    if let Some(length) = length {
        head.extend_from_slice(b"Content-Length: ");
        head.extend_from_slice(itoa::Buffer::new().format(length).as_bytes());
        head.extend_from_slice(b"\r\n");
    }
    head.extend_from_slice(b"\r\n");
    head
}

/// A 204 has no length (RFC 9110 section 8.6).
fn may_have_length(status: StatusCode) -> bool {
    status != StatusCode::NO_CONTENT
}

/// Writes a header name in its usual case: clients that read headers as raw text exist.
fn write_name(name: &HeaderName, out: &mut Vec<u8>) {
    if name == header::ETAG {
        out.extend_from_slice(b"ETag");
        return;
    }
    let mut starts = true;
    for byte in name.as_str().bytes() {
        out.push(if starts { byte.to_ascii_uppercase() } else { byte });
        starts = byte == b'-';
    }
}

#[cfg(test)]
mod test {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use ::http::HeaderValue;

    use super::*;

    fn sent(response: Response<Body>) -> String {
        let mut out = Vec::new();
        send(response, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_response_begins_with_its_status_and_says_its_length() {
        let response = Response::builder()
            .header(header::ETAG, "W/\"a\"")
            .header("x-etags", "W/\"a\"")
            .header(header::LINK, "<a>;rel=\"canonical\"")
            .header(header::LINK, "<b>;rel=\"next\"")
            .body(Body::Bytes(b"hello".to_vec()))
            .unwrap();
        assert_eq!(
            sent(response),
            "Status: 200 OK\r\nETag: W/\"a\"\r\nX-Etags: W/\"a\"\r\nLink: <a>;rel=\"canonical\"\r\n\
             Link: <b>;rel=\"next\"\r\nContent-Length: 5\r\n\r\nhello"
        );
    }

    #[test]
    fn status_lines() {
        for (code, expected) in [
            (204, "Status: 204 No Content\r\n\r\n"),
            (304, "Status: 304 Not Modified\r\n\r\n"),
            (500, "Status: 500 Internal Error\r\n\r\n"),
            (507, "Status: 507 Insufficient Storage\r\n\r\n"),
            (550, "Status: 550 Serialize Error\r\n\r\n"),
        ] {
            let response = Response::builder().status(code).body(Body::Absent(None)).unwrap();
            assert_eq!(sent(response), expected);
        }
        let deleted = Response::builder().status(204).body(Body::empty()).unwrap();
        assert_eq!(sent(deleted), "Status: 204 No Content\r\n\r\n");
        assert_eq!(
            sent(Response::new(Body::empty())),
            "Status: 200 OK\r\nContent-Length: 0\r\n\r\n"
        );
    }

    #[test]
    fn an_absent_body_may_have_a_length() {
        let response = Response::new(Body::Bytes(vec![0; 7]).absent());
        assert_eq!(sent(response), "Status: 200 OK\r\nContent-Length: 7\r\n\r\n");
        let stream = Body::Stream(Box::new(|_| panic!("nobody should write this body")));
        assert_eq!(sent(Response::new(stream.absent())), "Status: 200 OK\r\n\r\n");
    }

    #[test]
    fn a_stream_is_written_after_the_headers_and_its_failure_is_told() {
        let stream = Body::Stream(Box::new(|out| out.write_all(b"hello").map_err(Error::Gone)));
        assert_eq!(sent(Response::new(stream)), "Status: 200 OK\r\n\r\nhello");
        let failing = Body::Stream(Box::new(|_| Err(Error::Serialize("no".to_owned()))));
        let error = send(Response::new(failing), &mut Vec::new()).unwrap_err();
        assert!(matches!(error, Error::Serialize(_)));
    }

    #[test]
    fn headers_cannot_be_injected() {
        assert!(HeaderValue::from_str("a\r\nSet-Cookie: b").is_err());
    }
}
