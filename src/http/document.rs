//! The documents about this kTBS that are no resources of it: the description of its API, the JSON-LD context of what it
//! shows. They are below the root, under names that no resource can have.

use ::http::{HeaderMap, HeaderValue, Method, header};

use super::conditional;
use super::response::Body;
use super::status::{self, Outcome};
use super::target::{Url, to_uri};
use crate::config::Config;
use crate::digest::fnv128;
use crate::error::{Error, Result};
use crate::format;
use crate::resource::parameter::check_known;
use crate::resource::view::Link;

/// A document.
struct Document {
    /// Its name below the root.
    name: &'static str,
    summary: &'static str,
    media_type: &'static str,
    /// The extensions that it may be given.
    extensions: &'static [&'static str],
    write: fn(&Config) -> Result<Vec<u8>>,
}

/// The name of the description of the API.
const API: &str = "@api";
/// The name of the JSON-LD context.
const CONTEXT: &str = "@context";

static DOCUMENTS: [Document; 2] = [
    Document {
        name: API,
        summary: "The description of this API.",
        media_type: "application/json",
        extensions: &["json"],
        write: |config| {
            let rows = DOCUMENTS.iter().map(|row| (row.name, row.summary, row.media_type));
            super::openapi::write(config, rows)
        },
    },
    Document {
        name: CONTEXT,
        summary: "The JSON-LD context of the kTBS.",
        media_type: "application/ld+json",
        extensions: &["jsonld", "json"],
        write: |_| Ok(format::json::CONTEXT_DOCUMENT.as_bytes().to_vec()),
    },
];

const ALLOWED: &[&str] = &["GET", "HEAD"];

/// Returns the link from the root to the description of the API (RFC 8631).
pub(super) fn link(root: &str) -> Result<Link> {
    let uri = to_uri(&format!("{root}{API}"));
    let uri = uri.to_str().map_err(|e| Error::Internal(e.to_string()))?.to_owned();
    Ok(Link {
        uri,
        rel: "service-desc",
        parameters: Vec::new(),
    })
}

/// Answers a request about a document, if the URL names one.
pub(super) fn answer(
    config: &Config,
    method: &Method,
    request: &HeaderMap,
    url: &mut Url,
) -> Option<Result<::http::Response<Body>>> {
    let name = url.iri.strip_prefix(&config.server.root)?;
    let document = DOCUMENTS.iter().find(|document| document.name == name)?;
    Some(match *method {
        Method::GET | Method::HEAD => show(document, config, request, url),
        Method::OPTIONS => Ok(status::success(Outcome::Options)),
        _ => Err(Error::NotAllowed {
            allow: ALLOWED,
            message: format!("{name} is read-only"),
        }),
    })
}

fn show(document: &Document, config: &Config, request: &HeaderMap, url: &mut Url) -> Result<::http::Response<Body>> {
    let busted = url.take_cache_buster();
    let extension = url.extension.as_deref();
    if extension.is_some_and(|extension| !document.extensions.contains(&extension)) {
        return Err(Error::BadExtension);
    }
    check_known(&[], &url.parameters)?;
    let body = (document.write)(config)?;
    let value = |text: &str| HeaderValue::from_str(text).map_err(|e| Error::Internal(e.to_string()));
    let mut headers = HeaderMap::new();
    headers.insert(header::ETAG, value(&format!("W/\"{:032x}\"", fnv128(&body)))?);
    let location = format!("{}.{}", url.iri, document.extensions[0]);
    headers.insert(header::CONTENT_LOCATION, to_uri(&location));
    let cache_control = if busted {
        "no-cache"
    } else {
        &config.server.cache_control
    };
    if !cache_control.is_empty() {
        headers.insert(header::CACHE_CONTROL, value(cache_control)?);
    }
    let outcome = if conditional::is_fresh(request, &headers) {
        Outcome::Unchanged
    } else {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(document.media_type));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        Outcome::Shown(Body::Bytes(body))
    };
    let mut response = status::success(outcome);
    *response.headers_mut() = headers;
    Ok(response)
}
