//! The session of whoever has logged in with a browser: a cookie, encrypted and authenticated with a key that all processes read.
//!
//! Browsers send a cookie whatever page makes them send the request. So what changes something must come from a page of this server:
//! `SameSite=Lax` says it to the browser, and `Sec-Fetch-Site` or `Origin` to us.

use std::fs;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::OnceLock;

use ::http::header::{COOKIE, ORIGIN};
use ::http::{HeaderName, HeaderValue, Method, request};
use cookie::{Cookie, CookieJar, Key, SameSite};
use oauth2::url::{Url, form_urlencoded};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Found, provider};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::resource::Service;
use crate::resource::access::Visitor;
use crate::time;

/// The name of the file of the key, in the directory of the store, where the configuration names no other.
const FILE: &str = "session-key";
/// Fewest bytes of a key.
const MIN_KEY: usize = 32;
/// Longest cookie that is sent: browsers drop those of more than 4096 bytes, without a word.
const MAX_COOKIE: usize = 4000;
/// The name of the cookie of a session.
pub(super) const SESSION: &str = "ktbs_session";

/// Where a request comes from, as a browser tells (Fetch Metadata).
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// A session.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Session {
    /// The root of the kTBS, and who has told who it is: a key may be shared, and the configuration may change.
    pub(super) root: String,
    pub(super) by: String,
    pub(super) user: String,
    pub(super) groups: Vec<String>,
    /// When it ends, in seconds since the epoch.
    pub(super) until: u64,
}

/// Returns the user whose session a request has.
pub(super) fn find(config: &Config, service: &Service, request: &request::Parts) -> Result<Found> {
    if !provider::is_configured(config) || !is_sent(config, request) {
        return Ok(Found::Nothing);
    }
    let is_good = |session: &Session| {
        session.root == config.server.root && session.by == provider::name(config) && session.until > time::seconds()
    };
    let key = key(config, service)?;
    let Some(session) = open(config, request, &key, SESSION).find(is_good) else {
        return Ok(Found::Wrong(
            "a session that is over, or is not of this server".to_owned(),
        ));
    };
    if may_change(config, request) && !is_from_here(config, request) {
        return Err(Error::Denied(
            "with a session, what changes something must come from a page of this server: this request comes from \
            another one, or does not tell"
                .to_owned(),
        ));
    }
    Ok(Found::Somebody(Visitor {
        user: Some(session.user),
        groups: session.groups,
        ..Visitor::default()
    }))
}

/// Tells whether a request has the cookie of a session, good or not.
pub(super) fn is_sent(config: &Config, request: &request::Parts) -> bool {
    let name = full_name(config, SESSION);
    cookies(request).any(|cookie| cookie.name() == name)
}

/// Tells whether a request may change something. That with `post` is a GET for clients that know nothing else.
fn may_change(config: &Config, request: &request::Parts) -> bool {
    let is_get = matches!(request.method, Method::GET | Method::HEAD);
    let query = request.uri.query().unwrap_or_default();
    let has_post = || form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "post");
    !is_get || (config.plugins.post_via_get && has_post())
}

/// Tells whether a request was sent by a page of this server.
fn is_from_here(config: &Config, request: &request::Parts) -> bool {
    if let Some(site) = request.headers.get(SEC_FETCH_SITE) {
        return site == "same-origin";
    }
    let Ok(root) = Url::parse(&config.server.root) else {
        return false;
    };
    let origin = root.origin().ascii_serialization();
    request.headers.get(ORIGIN).is_some_and(|sent| sent == origin.as_str())
}

/// Tells whether a GET was sent from elsewhere, as far as the browser tells.
pub(super) fn is_from_elsewhere(request: &request::Parts) -> bool {
    let site = request.headers.get(SEC_FETCH_SITE);
    site.is_some_and(|site| site != "same-origin" && site != "none")
}

fn cookies(request: &request::Parts) -> impl Iterator<Item = Cookie<'_>> {
    let headers = request.headers.get_all(COOKIE).iter();
    headers
        .filter_map(|header| header.to_str().ok())
        .flat_map(Cookie::split_parse)
        .flatten()
}

/// Returns what the cookies of a name hold. There may be several: of a kTBS above this one, or planted.
pub(super) fn open<T: DeserializeOwned>(
    config: &Config,
    request: &request::Parts,
    key: &Key,
    name: &str,
) -> impl Iterator<Item = T> {
    let name = full_name(config, name);
    cookies(request)
        .filter(move |cookie| cookie.name() == name)
        .filter_map(|cookie| CookieJar::new().private(key).decrypt(cookie.into_owned()))
        .filter_map(|cookie| serde_json::from_str(cookie.value()).ok())
}

/// Returns the header that sets a cookie.
pub(super) fn seal<T: Serialize>(
    config: &Config,
    key: &Key,
    name: &str,
    value: &T,
    seconds: u64,
) -> Result<HeaderValue> {
    let internal = |error: String| Error::Internal(format!("a cookie cannot be made: {error}"));
    let value = serde_json::to_string(value).map_err(|error| internal(error.to_string()))?;
    let mut cookie = empty(config, name);
    cookie.set_value(value);
    cookie.set_max_age(cookie::time::Duration::seconds(seconds.try_into().unwrap_or(i64::MAX)));
    let mut jar = CookieJar::new();
    let name = cookie.name().to_owned();
    jar.private_mut(key).add(cookie);
    let text = jar.get(&name).map(ToString::to_string).unwrap_or_default();
    if text.len() > MAX_COOKIE {
        return Err(internal("it is too long; the user may be in many groups".to_owned()));
    }
    HeaderValue::try_from(text).map_err(|error| internal(error.to_string()))
}

/// Returns the header that makes a browser forget a cookie.
pub(super) fn removal(config: &Config, name: &str) -> Option<HeaderValue> {
    let mut cookie = empty(config, name);
    cookie.set_max_age(cookie::time::Duration::ZERO);
    HeaderValue::try_from(cookie.to_string()).ok()
}

fn empty(config: &Config, name: &str) -> Cookie<'static> {
    let path = Url::parse(&config.server.root).map_or_else(|_| "/".to_owned(), |root| root.path().to_owned());
    Cookie::build(full_name(config, name))
        .path(path)
        .http_only(true)
        .secure(is_https(config))
        .same_site(SameSite::Lax)
        .build()
}

fn is_https(config: &Config) -> bool {
    config.server.root.starts_with("https:")
}

/// With `__Secure-`, browsers take the cookie over https only: nobody on the way can plant one.
fn full_name(config: &Config, name: &str) -> String {
    let prefix = if is_https(config) { "__Secure-" } else { "" };
    format!("{prefix}{name}")
}

/// Reads the key of cookies, or makes it, beside the store.
pub(super) fn key(config: &Config, service: &Service) -> Result<Key> {
    let bytes = match &config.authx.session_key {
        Some(file) => given(file),
        None => own(service.store.directory()),
    };
    let bytes = bytes.map_err(|error| Error::Internal(format!("the key of the sessions: {error}")))?;
    Ok(Key::derive_from(&bytes))
}

fn given(file: &Path) -> Result<Vec<u8>, String> {
    let failed = |error| format!("the file session-key cannot be read: {error}");
    if fs::metadata(file).map_err(failed)?.permissions().mode() & 0o007 != 0 {
        return Err("the file session-key is open to all users of the machine; chmod o= makes it safe".to_owned());
    }
    let bytes = fs::read(file).map_err(failed)?;
    let bytes = bytes.trim_ascii();
    if bytes.len() < MIN_KEY {
        return Err(format!("the file session-key has fewer than {MIN_KEY} bytes"));
    }
    Ok(bytes.to_owned())
}

/// Reads the key of a store; the first who needs it makes it, at once, so that all have the same.
fn own(directory: &Path) -> Result<Vec<u8>, String> {
    let file = directory.join(FILE);
    let read = || fs::read(&file).ok().filter(|key| key.len() >= MIN_KEY);
    if let Some(key) = read() {
        return Ok(key);
    }
    match make(&file) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        // The store is temporary: its files have no name any more, and no other process has it.
        Err(error) if error.kind() == ErrorKind::NotFound => return temporary(),
        Err(error) => return Err(format!("{} cannot be made: {error}", file.display())),
    }
    read().ok_or_else(|| format!("{} cannot be read, or is too short", file.display()))
}

fn make(file: &Path) -> std::io::Result<()> {
    let mut key = [0; 64];
    getrandom::fill(&mut key).map_err(std::io::Error::other)?;
    // It is open to its owner only.
    let mut new = tempfile::NamedTempFile::new_in(file.parent().unwrap_or(Path::new(".")))?;
    new.write_all(&key)?;
    new.persist_noclobber(file).map_err(|error| error.error)?;
    Ok(())
}

fn temporary() -> Result<Vec<u8>, String> {
    static KEY: OnceLock<Option<[u8; 64]>> = OnceLock::new();
    let key = KEY.get_or_init(|| {
        let mut key = [0; 64];
        getrandom::fill(&mut key).ok().map(|()| key)
    });
    key.map(Vec::from).ok_or_else(|| "there is no randomness".to_owned())
}

#[cfg(test)]
mod test {
    use super::*;

    #[test]
    fn the_key_is_made_once_for_its_owner_only() {
        let folder = tempfile::tempdir().expect("a folder");
        let key = own(folder.path()).expect("a key");
        assert_eq!(own(folder.path()), Ok(key));
        let mode = fs::metadata(folder.path().join(FILE))
            .expect("a file")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        let nowhere = folder.path().join("none");
        assert_eq!(own(&nowhere), own(&nowhere));
    }

    #[test]
    fn a_key_that_is_open_or_short_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("key");
        for (text, mode, is_good) in [
            ("k".repeat(32), 0o600, true),
            ("k".repeat(32) + "\n", 0o640, true),
            ("k".repeat(32), 0o644, false),
            ("k".repeat(31) + "\n", 0o600, false),
            (String::new(), 0o600, false),
        ] {
            fs::write(&file, &text).expect("a file");
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).expect("a mode");
            assert_eq!(given(&file).is_ok(), is_good, "{text:?} {mode:o}");
        }
    }
}
