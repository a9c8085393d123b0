//! HTTP Basic (RFC 7617): names and passwords of a file, and those of `[authx_admin]`.

use std::fs;

use ::http::{header, request};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::attempts::Attempts;
use super::{Caller, Found, password};
use crate::config::Config;
use crate::error::Result;
use crate::resource::Service;
use crate::resource::access::Visitor;

/// Longest credentials that are looked at, in bytes. Hashing must not cost more because a client sends more.
const MAX_CREDENTIALS: usize = 1024;

/// A name and a password.
pub(super) struct Credentials {
    pub(super) login: String,
    pub(super) password: String,
}

impl Credentials {
    /// Reads the credentials of a request; `None` if it has none of this scheme, an error if they are not well-formed.
    pub(super) fn of(request: &request::Parts) -> Option<std::result::Result<Self, String>> {
        let header = request.headers.get(header::AUTHORIZATION)?.as_bytes();
        let (scheme, encoded) = header.split_at_checked(6)?;
        if !scheme.eq_ignore_ascii_case(b"basic ") {
            return None;
        }
        let malformed = || "credentials that are not well-formed".to_owned();
        Some(
            Some(encoded.trim_ascii())
                .filter(|encoded| encoded.len() <= MAX_CREDENTIALS)
                .and_then(|encoded| BASE64_STANDARD.decode(encoded).ok())
                .and_then(|decoded| String::from_utf8(decoded).ok())
                .and_then(|decoded| {
                    let (login, password) = decoded.split_once(':')?;
                    Some(Self {
                        login: login.to_owned(),
                        password: password.to_owned(),
                    })
                })
                .filter(|credentials| !credentials.login.contains(char::is_control))
                .ok_or_else(malformed),
        )
    }
}

/// Returns the administrator, where a request from one of their addresses has their name and their password.
pub(super) fn find_admin(
    config: &Config,
    service: &Service,
    caller: &Caller,
    request: &request::Parts,
) -> Result<Found> {
    let admin = &config.authx_admin;
    let is_listed = caller.address.is_some_and(|address| admin.addresses.contains(&address));
    if admin.login.is_empty() || admin.password.is_empty() || !is_listed {
        return Ok(Found::Nothing);
    }
    let Some(Ok(credentials)) = Credentials::of(request) else {
        return Ok(Found::Nothing);
    };
    if !password::same(credentials.login.as_bytes(), admin.login.as_bytes()) {
        return Ok(Found::Nothing);
    }
    let visitor = Visitor {
        user: Some(admin.login.clone()),
        is_admin: true,
        ..Visitor::default()
    };
    check(service, caller, &credentials, &admin.password, visitor)
}

/// Returns the user of the file whose name and password a request has.
pub(super) fn find_user(
    config: &Config,
    service: &Service,
    caller: &Caller,
    request: &request::Parts,
) -> Result<Found> {
    let Some(file) = &config.authx.htpasswd else {
        return Ok(Found::Nothing);
    };
    let credentials = match Credentials::of(request) {
        None => return Ok(Found::Nothing),
        Some(Err(why)) => return Ok(Found::Wrong(why)),
        Some(Ok(credentials)) => credentials,
    };
    let text = fs::read_to_string(file).unwrap_or_else(|error| {
        log::error!("the file htpasswd cannot be read: {error}");
        String::new()
    });
    let hash = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.trim_end().split_once(':'))
        .find(|(login, _)| *login == credentials.login)
        .map(|(_, hash)| hash);
    let visitor = Visitor {
        user: Some(credentials.login.clone()),
        ..Visitor::default()
    };
    // Whether a name is known must not be told by the time that it takes.
    check(service, caller, &credentials, hash.unwrap_or(password::NOBODY), visitor)
}

fn check(
    service: &Service,
    caller: &Caller,
    credentials: &Credentials,
    expected: &str,
    visitor: Visitor,
) -> Result<Found> {
    let attempts = Attempts::open(service.store.directory());
    // Even a password that is known to be right must wait, or else those that are not would be told at once.
    attempts.check(caller.address, &credentials.login)?;
    let is_right = password::was_right(&credentials.login, &credentials.password, expected)
        || password::is_right(&credentials.login, &credentials.password, expected);
    if is_right {
        attempts.forget(caller.address, &credentials.login);
        Ok(Found::Somebody(visitor))
    } else {
        attempts.add(caller.address, &credentials.login);
        Ok(Found::Wrong(format!("wrong password of {:?}", credentials.login)))
    }
}
