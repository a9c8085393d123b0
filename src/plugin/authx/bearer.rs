//! Bearer tokens (RFC 6750): those that an issuer has signed ([`claims`]); others are
//! [asked about](super::introspection).

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ::http::{header, request};
use jsonwebtoken::decode_header;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{Caller, Found, claims, introspection};
use crate::config::{Authx, Config};
use crate::error::Result;
use crate::resource::Service;
use crate::resource::access::Visitor;
use crate::time;

/// Longest token that is looked at, in bytes.
const MAX_TOKEN: usize = 8 << 10;

/// Tells whether tokens can be told from others.
pub(super) fn is_configured(authx: &Authx) -> bool {
    is_signed_accepted(authx) || introspection::is_configured(authx)
}

/// Tells whether tokens that the issuer has signed are accepted.
fn is_signed_accepted(authx: &Authx) -> bool {
    !authx.issuer.is_empty() && !authx.audience.is_empty()
}

/// Returns the user of the token of a request.
pub(super) fn find(config: &Config, service: &Service, caller: &Caller, request: &request::Parts) -> Result<Found> {
    let authx = &config.authx;
    let token = request
        .headers
        .get(header::AUTHORIZATION)
        .and_then(|header| header.as_bytes().split_at_checked(7))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case(b"bearer "))
        .map(|(_, token)| token.trim_ascii());
    let Some(token) = token.filter(|_| is_configured(authx)) else {
        return Ok(Found::Nothing);
    };
    let is_short = token.len() <= MAX_TOKEN && !token.is_empty() && token.iter().all(u8::is_ascii_graphic);
    let Some(token) = std::str::from_utf8(token).ok().filter(|_| is_short) else {
        return Ok(Found::Wrong(
            "a token that is empty, too long, or not in ASCII".to_owned(),
        ));
    };
    let is_signed = is_signed_accepted(authx) && decode_header(token).is_ok();
    if !is_signed && introspection::is_configured(authx) {
        return introspection::find(config, service, caller, token);
    }
    Ok(match check(config, service, token)? {
        Ok(visitor) => Found::Somebody(visitor),
        Err(why) => Found::Wrong(format!("a token that is not good: {why}")),
    })
}

/// Tokens that this process has found good: digest of the token and of all that it was checked against, until when, whose.
/// A signature stays good: only the time has to be looked at again.
static GOOD: Mutex<Option<Good>> = Mutex::new(None);

type Good = HashMap<[u8; 32], (u64, Visitor)>;

/// Most tokens that a process remembers.
const REMEMBERED: usize = 1_000;

fn check(config: &Config, service: &Service, token: &str) -> Result<Result<Visitor, String>> {
    let authx = &config.authx;
    let digest = |keys: &[u8]| -> [u8; 32] {
        let mut hasher = Sha256::new();
        for part in [token.as_bytes(), keys] {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
        hasher.chain_update(format!("{authx:?}")).finalize().into()
    };
    let known = digest(&claims::keys(config, service, None)?);
    if let Some((until, visitor)) = good().get_or_insert_default().get(&known)
        && *until > time::seconds()
    {
        return Ok(Ok(visitor.clone()));
    }
    let claims = match claims::verified(config, service, token, &authx.audience)? {
        Ok(claims) => claims,
        Err(why) => return Ok(Err(why)),
    };
    // The keys may have been fetched again for it.
    let known = digest(&claims::keys(config, service, None)?);
    Ok(claims::visitor(authx, &claims).inspect(|visitor| {
        let until = claims.get("exp").and_then(Value::as_u64).unwrap_or(0);
        let mut good = good();
        let good = good.get_or_insert_default();
        if good.len() >= REMEMBERED {
            good.clear();
        }
        good.insert(known, (until, visitor.clone()));
    }))
}

fn good() -> MutexGuard<'static, Option<Good>> {
    GOOD.lock().unwrap_or_else(PoisonError::into_inner)
}
