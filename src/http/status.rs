//! What came of a request to a status, the headers that go with it, and the text of a refusal. No other module chooses
//! a status.
//!
//! Refusals have the two forms of the Python kTBS, which scripts recognize: that of the front end, which ends with a
//! description of the service, and that of an exception, whose first line is the status and a title.

use ::http::{HeaderName, HeaderValue, Response, StatusCode, header};

use super::response::{Body, reason};
use super::target::to_uri;
use crate::config::Server;
use crate::error::Error;
use crate::store::StoreError;

/// What the answer to OPTIONS says of any resource: the methods that clients may try. A 405 tells which of them the
/// resource supports. (Clients of the Python kTBS have always found the same list everywhere.)
const TRIABLE: &str = "GET, HEAD, PUT, POST, DELETE";

/// Seconds after which a client may try again what the store had no room for.
const RETRY_AFTER: &str = "1";

/// Seconds after which a client may try again whom only the issuer knows.
const ISSUER_RETRY_AFTER: &str = "10";

/// What came of a request that was not refused.
#[derive(Debug)]
pub enum Outcome {
    /// The state of a resource, after a GET, a HEAD or a PUT.
    Shown(Body),
    /// The client already has it.
    Unchanged,
    /// These resources were created, IRIs in order.
    Created(Vec<String>),
    /// The resource was deleted.
    Deleted,
    /// What follows is at this absolute URI.
    SeeOther(HeaderValue),
    /// Nothing was asked but what may be.
    Options,
    /// The URL is not below the root of this kTBS, which has nothing to say about it.
    Elsewhere,
}

fn respond(status: StatusCode, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
}

fn with(mut response: Response<Body>, name: HeaderName, value: HeaderValue) -> Response<Body> {
    response.headers_mut().insert(name, value);
    response
}

/// Returns the response to a request that was not refused, without the headers that describe a representation.
pub fn success(outcome: Outcome) -> Response<Body> {
    match outcome {
        Outcome::Shown(body) => respond(StatusCode::OK, body),
        Outcome::Unchanged => respond(StatusCode::NOT_MODIFIED, Body::Absent(None)),
        Outcome::Created(iris) => created(&iris),
        Outcome::Deleted => respond(StatusCode::NO_CONTENT, Body::empty()),
        Outcome::SeeOther(uri) => with(respond(StatusCode::SEE_OTHER, Body::empty()), header::LOCATION, uri),
        Outcome::Options => {
            let response = respond(StatusCode::OK, Body::empty());
            with(response, header::ALLOW, HeaderValue::from_static(TRIABLE))
        }
        Outcome::Elsewhere => respond(StatusCode::NOT_FOUND, Body::empty()),
    }
}

/// The body is a list of IRIs, each with its line break (RFC 2483 section 5): browser clients read it, and never
/// `Location`.
fn created(iris: &[String]) -> Response<Body> {
    let Some(first) = iris.first() else {
        return respond(StatusCode::RESET_CONTENT, Body::empty());
    };
    let list: String = iris.iter().flat_map(|iri| [iri, "\r\n"]).collect();
    let response = respond(StatusCode::CREATED, Body::Bytes(list.into_bytes()));
    let response = with(response, header::LOCATION, to_uri(first));
    with(
        response,
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/uri-list"),
    )
}

/// The text of a refusal, after the status.
enum Text {
    /// A message, if any, and a description of the service.
    FrontEnd(Option<String>),
    /// A title, if any, and a message.
    Exception(&'static str, String),
    /// The status with another reason, and a message, if any.
    Reason(&'static str, String),
    /// The list of what is offered, without the status.
    Offers(String),
}

/// Returns the response that refuses a request.
pub fn failure(error: &Error, server: &Server) -> Response<Body> {
    let (status, text) = describe(error, server.send_traceback);
    let line = format!("{} {}", status.as_u16(), reason(status));
    let text = match text {
        Text::FrontEnd(message) => {
            let message = message.map(|message| message + "\n").unwrap_or_default();
            format!(
                "{line}\n{message}\nService info\n  class name: KtbsService\n  root URI  : {}\n        ",
                server.root
            )
        }
        Text::Exception("", message) => format!("{line}\n{message}"),
        Text::Exception(title, message) => format!("{line} - {title}\n{message}"),
        Text::Reason(reason, message) if message.is_empty() => format!("{} {reason}", status.as_u16()),
        Text::Reason(reason, message) => format!("{} {reason}\n{message}", status.as_u16()),
        Text::Offers(list) => list,
    };
    let mut response = respond(status, Body::Bytes(text.into_bytes()));
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    // What a refusal quotes of the request must never be taken for a page.
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    match error {
        Error::NotAllowed { allow, .. } => {
            let allow = [allow, &["OPTIONS"][..]].concat().join(", ");
            let allow = HeaderValue::try_from(allow).expect("methods are visible ASCII");
            headers.insert(header::ALLOW, allow);
        }
        Error::NotAcceptable(_) => {
            headers.insert(header::VARY, HeaderValue::from_static("accept"));
        }
        Error::Store(StoreError::Busy) => {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER));
        }
        Error::IssuerDown => {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static(ISSUER_RETRY_AFTER));
        }
        Error::TooManyAttempts(seconds) | Error::Excess(_, seconds) => {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(*seconds));
        }
        _ => {}
    }
    response
}

/// Returns the status of an error and what the client is told; `reveal`: also the details of faults of ours.
fn describe(error: &Error, reveal: bool) -> (StatusCode, Text) {
    let front_end = |message: &str| Text::FrontEnd(Some(message.to_owned()));
    let exception = |title| Text::Exception(title, error.to_string());
    let ours = |title, else_said: &str| {
        let message = if reveal {
            error.to_string()
        } else {
            else_said.to_owned()
        };
        Text::Exception(title, message)
    };
    match error {
        Error::Parse(_) => (StatusCode::BAD_REQUEST, exception("Parse error")),
        Error::BadQuery(_) => (StatusCode::BAD_REQUEST, exception("Parse exception")),
        Error::BadUpdate(message) => {
            let text = Text::Reason("Bad update query", message.clone());
            (StatusCode::BAD_REQUEST, text)
        }
        Error::BadRequest(_) => (StatusCode::BAD_REQUEST, exception("")),
        Error::InvalidData(_) | Error::Store(StoreError::Refused(_)) => {
            (StatusCode::FORBIDDEN, exception("Invalid data"))
        }
        Error::NotFound => (StatusCode::NOT_FOUND, Text::FrontEnd(None)),
        Error::BadExtension => (StatusCode::NOT_FOUND, front_end("Bad extension")),
        Error::BadParameters(_) => (StatusCode::NOT_FOUND, exception("Invalid parameters")),
        Error::LoginRequired => (StatusCode::UNAUTHORIZED, exception("")),
        Error::Denied(_) => (StatusCode::FORBIDDEN, exception("")),
        Error::TooManyAttempts(_) => (StatusCode::TOO_MANY_REQUESTS, exception("")),
        Error::IssuerDown => (StatusCode::SERVICE_UNAVAILABLE, exception("")),
        Error::NotAllowed { message, .. } => match message.as_str() {
            "" => (StatusCode::METHOD_NOT_ALLOWED, Text::FrontEnd(None)),
            message => (StatusCode::METHOD_NOT_ALLOWED, Text::Exception("", message.to_owned())),
        },
        Error::NotAcceptable(list) => (StatusCode::NOT_ACCEPTABLE, Text::Offers(list.clone())),
        Error::Conflict(_) => (StatusCode::CONFLICT, exception("Can not proceed")),
        Error::LengthRequired => (StatusCode::LENGTH_REQUIRED, Text::FrontEnd(None)),
        Error::EtagMismatch => (StatusCode::PRECONDITION_FAILED, Text::FrontEnd(None)),
        Error::EtagRequired => {
            let reason = "Forbidden: 'if-match' is required";
            (StatusCode::FORBIDDEN, Text::Reason(reason, String::new()))
        }
        Error::TooLarge(message) => (StatusCode::PAYLOAD_TOO_LARGE, front_end(message)),
        Error::AnswerTooLarge(message) => (StatusCode::FORBIDDEN, front_end(message)),
        Error::UnsupportedType(message) => (StatusCode::UNSUPPORTED_MEDIA_TYPE, front_end(message)),
        Error::Serialize(_) => (serialize_error(), exception("")),
        Error::NotImplemented(_) => (StatusCode::NOT_IMPLEMENTED, exception("")),
        Error::Store(StoreError::Full(_)) => (
            StatusCode::INSUFFICIENT_STORAGE,
            ours("", "the store is full; nothing was changed"),
        ),
        Error::Store(StoreError::Busy) => (
            StatusCode::SERVICE_UNAVAILABLE,
            ours("", "the store is busy; try again"),
        ),
        Error::NotLogged | Error::Timeout(_) | Error::TooComplex(_) | Error::Excess(..) => {
            (StatusCode::SERVICE_UNAVAILABLE, exception(""))
        }
        // Nobody may be there to read this.
        Error::Gone(_) => (StatusCode::BAD_REQUEST, ours("Parse error", "the body is not complete")),
        Error::Store(StoreError::Unusable(_) | StoreError::Damaged(_) | StoreError::Failed(_)) | Error::Internal(_) => {
            (
                StatusCode::INTERNAL_SERVER_ERROR,
                ours("Unexpected exception", "the log of the server says more"),
            )
        }
    }
}

/// Returns the status of a state that cannot be written in the syntax that was asked. It is not registered; clients of
/// the kTBS know it.
fn serialize_error() -> StatusCode {
    StatusCode::from_u16(550).expect("550 has three digits")
}

#[cfg(test)]
mod test {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::io;

    use super::*;
    use crate::error::Diagnosis;
    use crate::plugin::test::config;

    fn text(response: Response<Body>) -> String {
        match response.into_body() {
            Body::Bytes(bytes) => String::from_utf8(bytes).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    const INFO: &str = "\n\nService info\n  class name: KtbsService\n  root URI  : http://localhost:8101/\n        ";

    #[test]
    fn every_error_has_its_status_and_text() {
        let server = config().server;
        let text_of = String::from;
        for (error, status, expected) in [
            (
                Error::Parse(text_of("line 1")),
                400,
                text_of("400 Bad Request - Parse error\nline 1"),
            ),
            (
                Error::BadQuery(text_of("line 1")),
                400,
                text_of("400 Bad Request - Parse exception\nline 1"),
            ),
            (
                Error::BadUpdate(text_of("line 1")),
                400,
                text_of("400 Bad update query\nline 1"),
            ),
            (
                Error::BadRequest(text_of("no query")),
                400,
                text_of("400 Bad Request\nno query"),
            ),
            (
                Error::InvalidData(Diagnosis {
                    title: "check_new_graph",
                    problems: vec![text_of("a"), text_of("b")],
                }),
                403,
                text_of("403 Forbidden - Invalid data\ncheck_new_graph: ko\n* a\n* b"),
            ),
            (
                Error::invalid("No obsel found in posted graph"),
                403,
                text_of("403 Forbidden - Invalid data\nNo obsel found in posted graph"),
            ),
            (
                Error::Store(StoreError::Refused(text_of("too long"))),
                403,
                text_of("403 Forbidden - Invalid data\ntoo long"),
            ),
            (Error::NotFound, 404, format!("404 Not Found{INFO}")),
            (Error::BadExtension, 404, format!("404 Not Found\nBad extension{INFO}")),
            (
                Error::BadParameters(text_of("Unsupported parameter(s):foo, z")),
                404,
                text_of("404 Not Found - Invalid parameters\nUnsupported parameter(s):foo, z"),
            ),
            (
                Error::NotAllowed {
                    allow: &["GET", "HEAD"],
                    message: text_of("post_graph not supported"),
                },
                405,
                text_of("405 Method Not Allowed\npost_graph not supported"),
            ),
            (
                Error::NotAllowed {
                    allow: &[],
                    message: text_of(""),
                },
                405,
                format!("405 Method Not Allowed{INFO}"),
            ),
            (Error::NotAcceptable(text_of("a/b\nc/d")), 406, text_of("a/b\nc/d")),
            (
                Error::Conflict(Diagnosis {
                    title: "check_deletable",
                    problems: vec![text_of("Can not delete non-empty Base")],
                }),
                409,
                text_of("409 Conflict - Can not proceed\ncheck_deletable: ko\n* Can not delete non-empty Base"),
            ),
            (
                Error::IssuerDown,
                503,
                text_of(
                    "503 Service Unavailable\nwho you are cannot be found out: the identity provider gives no usable \
                    answer; try again later",
                ),
            ),
            (Error::LengthRequired, 411, format!("411 Length Required{INFO}")),
            (Error::EtagMismatch, 412, format!("412 Precondition Failed{INFO}")),
            (
                Error::EtagRequired,
                403,
                text_of("403 Forbidden: 'if-match' is required"),
            ),
            (
                Error::TooLarge(text_of("max_bytes (900) was exceeded")),
                413,
                format!("413 Payload Too Large\nmax_bytes (900) was exceeded{INFO}"),
            ),
            (
                Error::AnswerTooLarge(text_of("max_triple (12) was exceeded")),
                403,
                format!("403 Forbidden\nmax_triple (12) was exceeded{INFO}"),
            ),
            (
                Error::UnsupportedType(text_of("no parser")),
                415,
                format!("415 Unsupported Media Type\nno parser{INFO}"),
            ),
            (
                Error::Serialize(text_of("no QName")),
                550,
                text_of("550 Serialize Error\nno QName"),
            ),
            (
                Error::NotImplemented(text_of("later")),
                501,
                text_of("501 Not Implemented\nlater"),
            ),
            (
                Error::Store(StoreError::Full(text_of("/var/lib"))),
                507,
                text_of("507 Insufficient Storage\nthe store is full; nothing was changed"),
            ),
            (
                Error::Store(StoreError::Busy),
                503,
                text_of("503 Service Unavailable\nthe store is busy; try again"),
            ),
            (
                Error::Excess(
                    Diagnosis {
                        title: "compute_obsels",
                        problems: vec![text_of("too long")],
                    },
                    60,
                ),
                503,
                text_of("503 Service Unavailable\ncompute_obsels: ko\n* too long"),
            ),
            (
                Error::Store(StoreError::Damaged(text_of("/var/lib"))),
                500,
                text_of("500 Internal Error - Unexpected exception\nthe log of the server says more"),
            ),
            (
                Error::Internal(text_of("secret")),
                500,
                text_of("500 Internal Error - Unexpected exception\nthe log of the server says more"),
            ),
            (
                Error::Gone(io::ErrorKind::BrokenPipe.into()),
                400,
                text_of("400 Bad Request - Parse error\nthe body is not complete"),
            ),
        ] {
            let response = failure(&error, &server);
            assert_eq!(response.status().as_u16(), status, "{error}");
            assert_eq!(response.headers()["content-type"], "text/plain; charset=utf-8");
            assert_eq!(response.headers()["x-content-type-options"], "nosniff");
            assert_eq!(text(response), expected);
        }
    }

    #[test]
    fn the_description_of_the_service_has_the_known_length() {
        assert_eq!(text(failure(&Error::NotFound, &config().server)).len(), 99);
    }

    #[test]
    fn details_of_our_faults_are_told_on_demand_only() {
        let mut server = config().server;
        server.send_traceback = true;
        let response = failure(&Error::Internal("secret".to_owned()), &server);
        assert_eq!(text(response), "500 Internal Error - Unexpected exception\nsecret");
    }

    #[test]
    fn refusals_have_the_headers_that_their_status_asks() {
        let server = config().server;
        let header_of = |error: Error, name: &str| {
            let response = failure(&error, &server);
            response.headers().get(name).map(|v| v.to_str().unwrap().to_owned())
        };
        let not_allowed = Error::NotAllowed {
            allow: &["GET", "HEAD", "PUT"],
            message: String::new(),
        };
        assert_eq!(
            header_of(not_allowed, "allow").as_deref(),
            Some("GET, HEAD, PUT, OPTIONS")
        );
        assert_eq!(
            header_of(Error::NotAcceptable(String::new()), "vary").as_deref(),
            Some("accept")
        );
        assert_eq!(
            header_of(Error::Store(StoreError::Busy), "retry-after").as_deref(),
            Some("1")
        );
        let excess = Diagnosis {
            title: "",
            problems: vec!["too long".to_owned()],
        };
        assert_eq!(
            header_of(Error::Excess(excess, 60), "retry-after").as_deref(),
            Some("60")
        );
        assert_eq!(header_of(Error::NotFound, "vary"), None);
    }

    #[test]
    fn successes() {
        let created = success(Outcome::Created(vec![
            "http://h/é/".to_owned(),
            "http://h/b".to_owned(),
        ]));
        assert_eq!(created.status(), 201);
        assert_eq!(created.headers()["location"], "http://h/%C3%A9/");
        assert_eq!(created.headers()["content-type"], "text/uri-list");
        assert_eq!(text(created), "http://h/é/\r\nhttp://h/b\r\n");

        let options = success(Outcome::Options);
        assert_eq!(options.status(), 200);
        assert_eq!(options.headers()["allow"], "GET, HEAD, PUT, POST, DELETE");

        let elsewhere = success(Outcome::SeeOther(HeaderValue::from_static("http://h/login")));
        assert_eq!(elsewhere.status(), 303);
        assert_eq!(elsewhere.headers()["location"], "http://h/login");

        assert_eq!(success(Outcome::Deleted).status(), 204);
        assert_eq!(success(Outcome::Unchanged).status(), 304);
        assert_eq!(success(Outcome::Created(vec![])).status(), 205);

        let elsewhere = success(Outcome::Elsewhere);
        assert_eq!(elsewhere.status(), 404);
        assert!(elsewhere.headers().is_empty());
        assert_eq!(text(elsewhere), "");
    }
}
