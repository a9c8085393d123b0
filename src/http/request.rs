//! CGI variables to an HTTP request (RFC 3875 section 4.1), and the reading of its body within limits.

use std::io::{self, Read};

use ::http::uri::{PathAndQuery, Uri};
use ::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, header};
use percent_encoding::{AsciiSet, CONTROLS, percent_encode};

use crate::config::Config;
use crate::error::{Error, Result};
use crate::fcgi::Params;

/// Most bytes that are reserved for a body before any of them came.
const RESERVE: u64 = 1 << 20;

/// What may not stand as it is in a URI (RFC 3986 section 2), although servers let it through. `%` stays.
pub(super) const NOT_IN_URI: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// The body of a request, not read yet.
pub struct Incoming<'a> {
    /// Its length in bytes, where the client or the web server tells it.
    pub length: Option<u64>,
    /// Its bytes. An error means that the body is not complete.
    pub bytes: &'a mut dyn Read,
}

impl std::fmt::Debug for Incoming<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Incoming")
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}

/// Returns the request that CGI variables describe, with its body.
///
/// Path and query come from `REQUEST_URI`, as the client sent them: `SCRIPT_NAME` and `PATH_INFO` are decoded, and cut
/// differently by each way to mount the program (seen with httpd 2.4: below `<Location /deep/er>`, `SCRIPT_NAME` is
/// `/deep`). They serve where a web server gives no `REQUEST_URI`, which RFC 3875 does not require. Bytes that may not
/// stand in a URI are percent-encoded, so that raw and encoded forms are one. The URI of the request has neither
/// scheme nor authority: those of an absolute form (RFC 9112 section 3.2.2) are dropped, for the root of a kTBS is
/// that of its configuration, whatever the client calls it.
///
/// # Errors
/// `Parse` if the method, the URI, the length or a header is not well-formed.
pub fn parse<'a>(params: &Params, bytes: &'a mut dyn Read) -> Result<Request<Incoming<'a>>> {
    let length = length(params)?;
    let mut request = Request::new(Incoming { length, bytes });
    *request.method_mut() = method(params)?;
    *request.uri_mut() = uri(params)?;
    *request.headers_mut() = headers(params)?;
    Ok(request)
}

fn malformed(what: &str, value: &[u8]) -> Error {
    Error::Parse(format!("{what} is not well-formed: {}", value.escape_ascii()))
}

fn method(params: &Params) -> Result<Method> {
    let method = params.get("REQUEST_METHOD").unwrap_or(b"");
    Method::from_bytes(method).map_err(|_| malformed("the method", method))
}

fn uri(params: &Params) -> Result<Uri> {
    let raw = match params.get("REQUEST_URI") {
        Some(raw) => encoded(origin_form(raw).ok_or_else(|| malformed("the URI", raw))?, NOT_IN_URI),
        None => mounted(params),
    };
    PathAndQuery::try_from(raw.as_bytes())
        .map(Uri::from)
        .map_err(|e| match e.to_string() {
            e if e == "uri too long" => Error::Parse("the URI is too long".to_owned()),
            _ => malformed("the URI", raw.as_bytes()),
        })
}

fn encoded(bytes: &[u8], set: &'static AsciiSet) -> String {
    percent_encode(bytes, set).to_string()
}

/// Removes scheme and authority, if any.
fn origin_form(raw: &[u8]) -> Option<&[u8]> {
    if raw.starts_with(b"/") || raw == b"*" {
        return Some(raw);
    }
    let colon = raw.iter().position(|&b| b == b':')?;
    let rest = raw[colon + 1..].strip_prefix(b"//")?;
    match rest.iter().position(|&b| b == b'/' || b == b'?') {
        Some(slash) if rest[slash] == b'/' => Some(&rest[slash..]),
        Some(_) => None,
        None => Some(b"/"),
    }
}

/// Builds path and query from where the program is mounted, the decoded path below, and the raw query.
fn mounted(params: &Params) -> String {
    const IN_PATH: &AsciiSet = &NOT_IN_URI.add(b'%').add(b'?');
    let part = |name| params.get(name).unwrap_or(b"");
    let mut uri = encoded(part("SCRIPT_NAME"), IN_PATH) + &encoded(part("PATH_INFO"), IN_PATH);
    if uri.is_empty() {
        uri.push('/');
    }
    let query = part("QUERY_STRING");
    if !query.is_empty() {
        uri.push('?');
        uri.push_str(&encoded(query, NOT_IN_URI));
    }
    uri
}

fn headers(params: &Params) -> Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    for (name, value) in &params.0 {
        let name = match name.strip_prefix(b"HTTP_") {
            // The variables without prefix are the ones that tell the truth about the body.
            Some(b"CONTENT_TYPE" | b"CONTENT_LENGTH") => continue,
            Some(name) => name.iter().map(|&b| if b == b'_' { b'-' } else { b }).collect(),
            None if name == b"CONTENT_TYPE" && !value.is_empty() => b"content-type".to_vec(),
            None => continue,
        };
        // What is no header name is a variable of the web server's own.
        let Ok(name) = HeaderName::from_bytes(&name) else {
            continue;
        };
        let value = HeaderValue::from_bytes(value)
            .map_err(|_| Error::Parse(format!("the header {name} is not well-formed")))?;
        headers.append(name, value);
    }
    Ok(headers)
}

fn length(params: &Params) -> Result<Option<u64>> {
    match params.get("CONTENT_LENGTH") {
        None | Some(b"") => Ok(None),
        Some(text) => std::str::from_utf8(text)
            .ok()
            .filter(|text| text.bytes().all(|b| b.is_ascii_digit()))
            .and_then(|text| text.parse().ok())
            .map(Some)
            .ok_or_else(|| malformed("the length of the body", text)),
    }
}

/// Returns the value of a header as text; `None` if it is absent or not made of visible ASCII characters. A header
/// that came several times is the comma-separated list of its values (RFC 9110 section 5.3).
pub fn text(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    let mut values = headers.get_all(name).iter();
    let mut text = values.next()?.to_str().ok()?.to_owned();
    for value in values {
        text.push_str(", ");
        text.push_str(value.to_str().ok()?);
    }
    Some(text)
}

impl Incoming<'_> {
    /// Reads the whole body, if its length is within the limits, without ever holding more than they allow.
    ///
    /// # Errors
    /// * `LengthRequired` if the administrator limits requests (`max-bytes`) and the length is not told;
    /// * `TooLarge`, before anything is read where the length is told;
    /// * `Parse` if the body has not the length that was told;
    /// * `Gone` if the client or the web server stopped sending.
    pub fn read(self, config: &Config) -> Result<Vec<u8>> {
        let length = self.length.unwrap_or(0);
        let mut bounded = self.bounded(config)?;
        let mut body = Vec::with_capacity(usize::try_from(length.min(RESERVE)).unwrap_or(0));
        bounded.read_to_end(&mut body).map_err(incomplete)?;
        Ok(body)
    }

    /// Returns a reader of the body that fails where the body is longer than the limits, or is not as long as was told.
    /// [`incomplete`] tells why it failed.
    ///
    /// # Errors
    /// `LengthRequired`, `TooLarge` as for [`Incoming::read`].
    pub fn bounded(self, config: &Config) -> Result<impl Read> {
        let limit = Limit::of(config);
        if self.length.is_none() && config.server.max_bytes.is_some() {
            return Err(Error::LengthRequired);
        }
        if self.length.is_some_and(|length| length > limit.bytes) {
            return Err(limit.exceeded());
        }
        Ok(Bounded {
            announced: self.length,
            bytes: self.bytes.take(limit.bytes.saturating_add(1)),
            limit,
            read: 0,
        })
    }
}

/// The body of a request, as it comes.
struct Bounded<R> {
    bytes: R,
    announced: Option<u64>,
    limit: Limit,
    read: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.bytes.read(buffer)?;
        self.read += n as u64;
        if self.read > self.limit.bytes {
            return Err(io::Error::other(self.limit.exceeded()));
        }
        let is_end = n == 0 && !buffer.is_empty();
        match self.announced {
            Some(length) if self.read > length || is_end && self.read < length => {
                let read = self.read;
                let message = format!("the body has {read} bytes, and {length} were announced");
                Err(io::Error::other(Error::Parse(message)))
            }
            _ => Ok(n),
        }
    }
}

/// Returns why a body could not be read to its end.
pub fn incomplete(error: io::Error) -> Error {
    let error = match error.downcast::<Error>() {
        Ok(known) => return known,
        Err(error) => error,
    };
    match error.kind() {
        io::ErrorKind::UnexpectedEof => Error::Parse("the body is not complete".to_owned()),
        _ => Error::Gone(error),
    }
}

/// The smallest of the limits on the size of a body, with its name.
struct Limit {
    name: &'static str,
    bytes: u64,
}

impl Limit {
    fn of(config: &Config) -> Self {
        let always = config.limits.request_bytes;
        match config.server.max_bytes {
            Some(bytes) if bytes <= always => Self {
                name: "max_bytes",
                bytes,
            },
            _ => Self {
                name: "request-bytes",
                bytes: always,
            },
        }
    }

    fn exceeded(&self) -> Error {
        Error::TooLarge(format!("{} ({}) was exceeded", self.name, self.bytes))
    }
}

/// Returns the media type of a payload, lower case and without parameters, and its charset, if told. A request without
/// a type is Turtle (kTBS documentation, "Accepted formats").
pub fn content_type(headers: &HeaderMap) -> (String, Option<String>) {
    let header = text(headers, header::CONTENT_TYPE).unwrap_or_default();
    let mut parts = header.split(';');
    let media_type = parts.next().unwrap_or("").trim().to_ascii_lowercase();
    let charset = parts
        .filter_map(|parameter| parameter.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))
        .map(|(_, value)| value.trim().trim_matches('"').to_owned());
    if media_type.is_empty() {
        ("text/turtle".to_owned(), charset)
    } else {
        (media_type, charset)
    }
}

#[cfg(test)]
mod test {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::io::{Cursor, empty};

    use proptest::prelude::*;

    use super::*;
    use crate::plugin::test::config;

    fn params(variables: &[(&str, &str)]) -> Params {
        let bytes = |text: &str| text.as_bytes().to_vec();
        Params(variables.iter().map(|(n, v)| (bytes(n), bytes(v))).collect())
    }

    fn uri_of(variables: &[(&str, &str)]) -> Option<String> {
        let mut params = params(variables);
        params.0.push((b"REQUEST_METHOD".to_vec(), b"GET".to_vec()));
        parse(&params, &mut empty()).ok().map(|r| r.uri().to_string())
    }

    #[test]
    fn request_uri_is_the_source_of_path_and_query() {
        for (raw, expected) in [
            ("/ktbs/b1/?a=b", "/ktbs/b1/?a=b"),
            ("/b1%2Ft1//x", "/b1%2Ft1//x"),
            ("//b1/", "//b1/"),
            ("/café/", "/caf%C3%A9/"),
            ("/t/?post={\"a\": 1}", "/t/?post=%7B%22a%22:%201%7D"),
            ("http://foo.example:99/b1/?x", "/b1/?x"),
            ("http://foo.example", "/"),
            ("*", "*"),
        ] {
            let found = uri_of(&[
                ("REQUEST_URI", raw),
                ("SCRIPT_NAME", "/no"),
                ("PATH_INFO", "/no"),
                ("QUERY_STRING", "no"),
            ]);
            assert_eq!(found.as_deref(), Some(expected), "{raw}");
        }
        for raw in ["", "b1/", "foo:bar", "http://h?x"] {
            assert_eq!(uri_of(&[("REQUEST_URI", raw)]), None, "{raw}");
        }
        assert_eq!(uri_of(&[("REQUEST_URI", &format!("/{}", "a".repeat(70_000)))]), None);
    }

    #[test]
    fn without_request_uri_the_mount_point_and_the_decoded_path_serve() {
        let found = uri_of(&[
            ("SCRIPT_NAME", "/ktbs"),
            ("PATH_INFO", "/é%?/"),
            ("QUERY_STRING", "a=%20b"),
        ]);
        assert_eq!(found.as_deref(), Some("/ktbs/%C3%A9%25%3F/?a=%20b"));
        assert_eq!(uri_of(&[]).as_deref(), Some("/"));
    }

    #[test]
    fn headers_come_from_variables() {
        let params = params(&[
            ("REQUEST_METHOD", "POST"),
            ("REQUEST_URI", "/"),
            ("HTTP_IF_NONE_MATCH", "\"a\""),
            ("HTTP_CONTENT_TYPE", "a/b"),
            ("CONTENT_TYPE", "text/turtle"),
            ("HTTP_", "no name"),
            ("Authorization", "hidden"),
        ]);
        let mut stdin = empty();
        let request = parse(&params, &mut stdin).unwrap();
        assert_eq!(request.headers().len(), 2);
        assert_eq!(request.headers()["if-none-match"], "\"a\"");
        assert_eq!(request.headers()["content-type"], "text/turtle");
        assert_eq!(request.body().length, None);
    }

    #[test]
    fn what_is_malformed_is_refused() {
        let base = [("REQUEST_METHOD", "GET"), ("REQUEST_URI", "/")];
        for (name, value) in [
            ("REQUEST_METHOD", ""),
            ("REQUEST_METHOD", "G T"),
            ("CONTENT_LENGTH", "-1"),
            ("CONTENT_LENGTH", "+1"),
            ("CONTENT_LENGTH", "99999999999999999999999"),
            ("HTTP_ACCEPT", "a\r\nb"),
        ] {
            let params = params(&[base[0], base[1], (name, value)]);
            let error = parse(&params, &mut empty()).unwrap_err();
            assert!(matches!(error, Error::Parse(_)), "{name}={value}: {error}");
        }
    }

    proptest! {
        #[test]
        fn any_variables_give_a_request_or_an_error(
            variables in prop::collection::vec(
                (prop::sample::select(vec![
                    "REQUEST_METHOD", "REQUEST_URI", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "CONTENT_TYPE",
                    "CONTENT_LENGTH", "HTTP_ACCEPT", "HTTP_X",
                ]), prop::collection::vec(any::<u8>(), 0..40)),
                0..9,
            )
        ) {
            let params = Params(variables.into_iter().map(|(n, v)| (n.as_bytes().to_vec(), v)).collect());
            let _ = parse(&params, &mut empty());
        }
    }

    fn read(body: &[u8], length: Option<u64>, max_bytes: Option<u64>, request_bytes: u64) -> Result<Vec<u8>> {
        let mut config = config();
        config.server.max_bytes = max_bytes;
        config.limits.request_bytes = request_bytes;
        let mut bytes = Cursor::new(body);
        Incoming {
            length,
            bytes: &mut bytes,
        }
        .read(&config)
    }

    #[test]
    fn a_body_is_read_within_limits() {
        assert_eq!(read(b"abc", Some(3), None, 3).unwrap(), b"abc");
        assert_eq!(read(b"abc", None, None, 3).unwrap(), b"abc");
        assert_eq!(read(b"", None, None, 3).unwrap(), b"");
        assert_eq!(read(b"abc", Some(3), Some(3), 9).unwrap(), b"abc");
        let error = |result: Result<_>| result.unwrap_err().to_string();
        assert_eq!(error(read(b"abc", Some(3), Some(2), 9)), "max_bytes (2) was exceeded");
        assert_eq!(
            error(read(b"abc", Some(3), Some(9), 2)),
            "request-bytes (2) was exceeded"
        );
        assert_eq!(error(read(b"abc", None, None, 2)), "request-bytes (2) was exceeded");
        assert!(matches!(read(b"abc", None, Some(9), 9), Err(Error::LengthRequired)));
    }

    #[test]
    fn a_body_of_another_length_than_announced_is_refused() {
        for length in [2, 4] {
            assert!(matches!(read(b"abc", Some(length), None, 9), Err(Error::Parse(_))));
        }
    }

    #[test]
    fn a_large_body_is_refused_before_it_is_read() {
        struct Deaf;
        impl Read for Deaf {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                panic!("nobody should read this body")
            }
        }
        let incoming = Incoming {
            length: Some(1 << 30),
            bytes: &mut Deaf,
        };
        assert!(matches!(incoming.read(&config()), Err(Error::TooLarge(_))));
    }

    #[test]
    fn media_type_and_charset_of_a_payload() {
        for (header, media_type, charset) in [
            ("", "text/turtle", None),
            ("TEXT/Turtle", "text/turtle", None),
            ("application/json; charset=UTF-8", "application/json", Some("UTF-8")),
            ("text/nt;a=b; Charset=\"latin1\"", "text/nt", Some("latin1")),
            (";charset=utf-8", "text/turtle", Some("utf-8")),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(header));
            let (found, found_charset) = content_type(&headers);
            assert_eq!(
                (found.as_str(), found_charset.as_deref()),
                (media_type, charset),
                "{header}"
            );
        }
    }
}
