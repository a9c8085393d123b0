//! What people see who must log in: a page with a link, in place of the text of a refusal.

use ::http::header::ACCEPT;
use ::http::{Method, request};
use oauth2::url::Url;

use super::{login, provider, session};
use crate::config::{Config, Policy, Way};
use crate::error::Error;
use crate::resource::Service;
use crate::resource::view::Link;

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;color:#1c2430;background:#f5f6f8;margin:3rem auto;max-width:36rem;padding:0 1.2rem}\
    h1{font-size:1.5rem}a{color:#0b5cad}";

/// Tells whether a request is of somebody who looks at pages.
pub(super) fn is_wanted(request: &request::Parts) -> bool {
    let accepts = |value: &::http::HeaderValue| value.to_str().is_ok_and(|value| value.contains("text/html"));
    request.method == Method::GET && request.headers.get_all(ACCEPT).iter().any(accepts)
}

/// Returns the page that refuses a request, where to log in may help.
pub(super) fn refusal(config: &Config, request: &request::Parts, error: &Error) -> Option<String> {
    if !provider::is_configured(config) || !is_wanted(request) {
        return None;
    }
    let is_login = login::is_own(request.uri.path());
    let (title, text) = match error {
        Error::LoginRequired if session::is_sent(config, request) => {
            ("Your session has ended", "Log in again to go on.")
        }
        Error::LoginRequired => ("You must log in", "What you ask for is not open to everybody."),
        Error::NotFound if config.authx.policy == Policy::Open && !session::is_sent(config, request) => (
            "Not found",
            "There is no such thing here, or it is not open to everybody.",
        ),
        Error::BadRequest(_) if is_login => (
            "You are not logged in",
            "This login is not good, was finished before, or took too long.",
        ),
        Error::IssuerDown => (
            "You cannot log in now",
            "The identity provider gives no usable answer. Try again later.",
        ),
        _ => return None,
    };
    let page = if is_login { "" } else { asked(request) };
    let address = escaped(&login::address(config, page)?);
    Some(format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta http-equiv=\"Content-Security-Policy\" \
        content=\"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'\"><meta name=\"viewport\" \
        content=\"width=device-width\"><title>{title} – kTBS</title><style>{STYLE}</style></head>\n<body><h1>{title}</h1>\
        <p>{text}</p><p><a rel=\"nofollow\" href=\"{address}\">Log in</a></p></body></html>\n"
    ))
}

/// Returns the path that a request asks for, with its query.
fn asked(request: &request::Parts) -> &str {
    request.uri.path_and_query().map_or("", |path| path.as_str())
}

/// Returns an address as it stands in an attribute. Quotes and brackets are percent-encoded in it.
fn escaped(address: &Url) -> String {
    address
        .as_str()
        .replace('&', "&amp;")
        .replace('"', "&quot;")
        .replace('<', "&lt;")
}

/// Returns what a page tells of who looks at it: a link to log in or out, whose title is the name of the user.
pub(super) fn link(config: &Config, service: &Service, request: &request::Parts) -> Option<Link> {
    let visitor = service.visitor()?;
    let user = visitor.user.clone();
    let link = |rel, address: Option<Url>| Link {
        uri: address.map(String::from).unwrap_or_default(),
        rel,
        parameters: user.clone().map(|user| ("title", user)).into_iter().collect(),
    };
    let can_log_in = provider::is_configured(config);
    match &user {
        Some(_) if visitor.way == Way::Login.name() => Some(link("logout", login::logout_address(config))),
        Some(_) => Some(link("user", None)),
        None if can_log_in => Some(link("login", login::address(config, asked(request)))),
        None => None,
    }
}
