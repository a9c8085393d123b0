//! HTTP meaning: a request to a response, one stage after the other.
//!
//! Resources know neither headers nor formats: both sides of a call to them are here. Before it, what would refuse the
//! request whatever the resource says; after it, validators, limits and the writing of the answer.

mod conditional;
mod document;
mod exchange;
pub mod kept;
mod negotiate;
mod openapi;
mod represent;
pub mod request;
pub mod response;
mod status;
mod target;
pub mod told;

use std::cell::OnceCell;
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use ::http::request::Parts;
use ::http::{HeaderValue, Method, Request, Response, StatusCode, header};

use self::exchange::Exchange;
use self::request::Incoming;
use self::response::Body;
use self::status::Outcome;
use self::target::Url;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::fcgi::Params;
use crate::plugin::authx::Caller;
use crate::plugin::{self, profiler::Stages};
use crate::resource::Service;
use crate::resource::access::Access;

/// Answers a request; the response carries the [`Access`] of whoever sent it, where somebody asks who it is.
///
/// A panic is a fault of ours that concerns this request only: it is logged, and answered as such.
pub fn answer(config: &Config, service: &Service, request: Request<Incoming<'_>>) -> Response<Body> {
    let (stages, visited) = (Stages::default(), OnceCell::new());
    let (request, body) = request.into_parts();
    let response = match plugin::before(config, &request) {
        Some(response) => response.map(|()| Body::empty()),
        None => catch_unwind(AssertUnwindSafe(|| {
            respond(config, service, &request, body, &stages, &visited)
        }))
        .unwrap_or_else(|_| Err(Error::Internal("a panic, told above".to_owned())))
        .unwrap_or_else(|error| refuse_visitor(config, &error, &request)),
    };
    let (mut head, body) = response.into_parts();
    if config.plugins.profiler {
        head.extensions.insert(stages.measured());
    }
    if let Some(access) = visited.into_inner() {
        head.extensions.insert::<Arc<Access>>(access);
    }
    plugin::after(config, &request, &mut head);
    let body = if request.method == Method::HEAD {
        body.absent()
    } else {
        body
    };
    Response::from_parts(head, body)
}

/// Returns the request that FastCGI variables describe, with what they tell of its sender where somebody asks.
///
/// # Errors
/// As [`request::parse`].
pub fn receive<'a>(config: &Config, params: &Params, stdin: &'a mut dyn Read) -> Result<Request<Incoming<'a>>> {
    let mut request = request::parse(params, stdin)?;
    if config.plugins.authx {
        let caller = Caller::new(config, &|name| params.get(name));
        request.extensions_mut().insert(caller);
    }
    Ok(request)
}

/// Returns the response that refuses a request (`None`: one that could not even be understood), and logs what the client
/// is not told.
pub fn refuse(config: &Config, error: &Error, request: Option<&Parts>) -> Response<Body> {
    let response = status::failure(error, &config.server);
    let status = response.status();
    if status.is_server_error() && status != StatusCode::NOT_IMPLEMENTED {
        let asked = request.map(|request| format!(" {}", told::told(&request.method, &request.uri)));
        log::error!("{}{}: {error}", status.as_u16(), asked.unwrap_or_default());
    }
    response
}

/// Refuses a request, to people with a page if a plugin has one.
fn refuse_visitor(config: &Config, error: &Error, request: &Parts) -> Response<Body> {
    let mut response = refuse(config, error, Some(request));
    if let Some(page) = plugin::page(config, request, error) {
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/html; charset=utf-8"),
        );
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        *response.body_mut() = Body::Bytes(page.into_bytes());
    }
    response
}

/// Answers with what a plugin says of what is its own; no cache keeps it.
fn replied(config: &Config, request: &Parts, reply: plugin::Reply) -> Result<Response<Body>> {
    let mut response = match reply.to {
        Ok(uri) => {
            let uri = HeaderValue::try_from(uri).map_err(|error| Error::Internal(error.to_string()))?;
            status::success(Outcome::SeeOther(uri))
        }
        Err(error) => refuse_visitor(config, &error, request),
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    for cookie in reply.cookies {
        headers.append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// Returns the response that refuses a request before anything is looked at, with the headers that all answers have.
pub fn refuse_at_once(config: &Config, error: &Error, request: Request<Incoming<'_>>) -> Response<Body> {
    let (request, _) = request.into_parts();
    let (mut head, body) = refuse(config, error, Some(&request)).into_parts();
    plugin::after(config, &request, &mut head);
    Response::from_parts(head, body)
}

fn respond(
    config: &Config,
    service: &Service,
    request: &Parts,
    body: Incoming<'_>,
    stages: &Stages,
    visited: &OnceCell<Arc<Access>>,
) -> Result<Response<Body>> {
    let Some(mut url) = Url::parse(&request.uri, &config.server.root)? else {
        return Ok(status::success(Outcome::Elsewhere));
    };
    url.parameters.retain(|(name, _)| !plugin::takes(config, name));
    if let Some(answer) = document::answer(config, &request.method, &request.headers, &mut url) {
        return answer;
    }
    let own = plugin::Own {
        config,
        service,
        request,
        iri: &url.iri,
        parameters: &url.parameters,
    };
    if let Some(reply) = plugin::own(&own) {
        return replied(config, request, reply);
    }
    if config.plugins.authx && request.method == Method::OPTIONS {
        // Browsers ask it without credentials, and what may be tried does not depend on what there is.
        return Ok(status::success(Outcome::Options));
    }
    let as_seen = match plugin::who(config, service, request) {
        Some(access) => {
            let access = access?;
            let access = visited.get_or_init(|| access);
            Some(service.for_visitor(Arc::clone(access)))
        }
        None => None,
    };
    let service = as_seen.as_ref().unwrap_or(service);
    let target = stages.time("find", || service.find(&url.iri))?;
    let exchange = Exchange {
        config,
        service,
        request,
        url,
        stages,
    };
    match request.method {
        Method::GET | Method::HEAD => exchange.get(target),
        Method::POST => exchange.post(&target, body),
        Method::PUT => exchange.put(target, body),
        Method::DELETE => exchange.delete(&target),
        Method::OPTIONS => Ok(status::success(Outcome::Options)),
        _ => Err(Error::NotAllowed {
            allow: target.allow(),
            message: String::new(),
        }),
    }
}
