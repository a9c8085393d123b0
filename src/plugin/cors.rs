//! Cross-origin resource sharing (Fetch standard, section 3.2), for the origins of `[cors] allow-origin`.
//!
//! Every answer gets the headers, refusals too: a script that cannot read a 401 or a 404 cannot tell its user.

use ::http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, ALLOW, ORIGIN, VARY,
};
use ::http::{HeaderValue, Method, Response, request, response};

use super::{NOTHING, Steps};
use crate::config::Config;

/// What the plugin does.
pub const STEPS: Steps = Steps {
    before: preflight,
    after: share,
    ..NOTHING
};

const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, PUT, POST, DELETE");
const EXPOSED: HeaderValue = HeaderValue::from_static("etag, x-etags, location, link, content-location, last-modified");

/// Returns what `Access-Control-Allow-Origin` says to a request, if its origin is allowed: the origin if it is listed,
/// else `*` if that is.
fn allowed_origin(config: &Config, request: &request::Parts) -> Option<HeaderValue> {
    let origin = request.headers.get(ORIGIN)?;
    let listed = |text: &[u8]| {
        config
            .cors_allow_origin
            .iter()
            .any(|allowed| allowed.as_bytes() == text)
    };
    if listed(origin.as_bytes()) && origin != "*" {
        Some(origin.clone())
    } else if listed(b"*") {
        Some(HeaderValue::from_static("*"))
    } else {
        None
    }
}

/// Answers a preflight from an allowed origin, even about a resource that does not exist: a browser would hide the 404
/// of the request itself behind that of the preflight.
fn preflight(config: &Config, request: &request::Parts) -> Option<Response<()>> {
    if request.method != Method::OPTIONS || !request.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD) {
        return None;
    }
    allowed_origin(config, request)?;
    let mut response = Response::new(());
    response.headers_mut().insert(ALLOW, METHODS);
    Some(response)
}

fn share(config: &Config, request: &request::Parts, response: &mut response::Parts) {
    let headers = &mut response.headers;
    let vary = match headers.get(VARY).and_then(|vary| vary.to_str().ok()) {
        Some(vary) => HeaderValue::from_str(&format!("{vary}, origin")),
        None => Ok(HeaderValue::from_static("origin")),
    };
    headers.insert(VARY, vary.expect("what was a header value and ASCII text is one"));
    let Some(origin) = allowed_origin(config, request) else {
        return;
    };
    // Any site could act with the rights of its visitors, if credentials went with `*`.
    if origin != "*" {
        headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    }
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    if request.method == Method::OPTIONS {
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
        if let Some(asked) = request.headers.get(ACCESS_CONTROL_REQUEST_HEADERS) {
            headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, asked.clone());
        }
    }
}

#[cfg(test)]
mod test {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use ::http::Request;

    use super::*;
    use crate::plugin::test::config;

    fn config_with(origins: &[&str]) -> Config {
        let mut config = config();
        config.cors_allow_origin = origins.iter().map(|origin| (*origin).to_owned()).collect();
        config
    }

    fn request(method: Method, headers: &[(&str, &str)]) -> request::Parts {
        let mut request = Request::builder().method(method);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    fn shared(config: &Config, request: &request::Parts, vary: Option<&'static str>) -> response::Parts {
        let mut response = Response::new(()).into_parts().0;
        if let Some(vary) = vary {
            response.headers.insert(VARY, HeaderValue::from_static(vary));
        }
        share(config, request, &mut response);
        response
    }

    #[test]
    fn a_listed_origin_is_allowed_with_credentials() {
        let config = config_with(&["http://a.example", "http://b.example"]);
        let get = request(Method::GET, &[("origin", "http://b.example")]);
        let headers = shared(&config, &get, Some("accept")).headers;
        assert_eq!(headers[ACCESS_CONTROL_ALLOW_ORIGIN], "http://b.example");
        assert_eq!(headers[ACCESS_CONTROL_ALLOW_CREDENTIALS], "true");
        assert_eq!(headers[ACCESS_CONTROL_EXPOSE_HEADERS], EXPOSED);
        assert_eq!(headers[VARY], "accept, origin");
        assert_eq!(headers.len(), 4);
    }

    #[test]
    fn another_origin_gets_vary_only() {
        let config = config_with(&["http://a.example"]);
        for headers in [&[][..], &[("origin", "http://evil.example")], &[("origin", "*")]] {
            let options = request(Method::OPTIONS, headers);
            let headers = shared(&config, &options, None).headers;
            assert_eq!(headers[VARY], "origin");
            assert_eq!(headers.len(), 1);
        }
    }

    #[test]
    fn any_origin_is_allowed_without_credentials() {
        let config = config_with(&["*", "http://a.example"]);
        let get = request(Method::GET, &[("origin", "http://b.example")]);
        let headers = shared(&config, &get, None).headers;
        assert_eq!(headers[ACCESS_CONTROL_ALLOW_ORIGIN], "*");
        assert!(!headers.contains_key(ACCESS_CONTROL_ALLOW_CREDENTIALS));
        let get = request(Method::GET, &[("origin", "http://a.example")]);
        let headers = shared(&config, &get, None).headers;
        assert_eq!(headers[ACCESS_CONTROL_ALLOW_ORIGIN], "http://a.example");
        assert_eq!(headers[ACCESS_CONTROL_ALLOW_CREDENTIALS], "true");
    }

    #[test]
    fn a_preflight_from_an_allowed_origin_is_answered() {
        let config = config_with(&["http://a.example"]);
        let asking = |origin| {
            request(
                Method::OPTIONS,
                &[
                    ("origin", origin),
                    ("access-control-request-method", "PUT"),
                    ("access-control-request-headers", "content-type, if-match"),
                ],
            )
        };
        let trusted = asking("http://a.example");
        assert_eq!(preflight(&config, &trusted).unwrap().status(), 200);
        let headers = shared(&config, &trusted, None).headers;
        assert_eq!(headers[ACCESS_CONTROL_ALLOW_METHODS], "GET, HEAD, PUT, POST, DELETE");
        assert_eq!(headers[ACCESS_CONTROL_ALLOW_HEADERS], "content-type, if-match");
        assert!(preflight(&config, &asking("http://evil.example")).is_none());
        let plain = request(Method::OPTIONS, &[("origin", "http://a.example")]);
        assert!(preflight(&config, &plain).is_none());
    }
}
