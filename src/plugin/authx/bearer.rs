//! Bearer tokens (RFC 6750): those that an issuer has signed (RFC 7519), checked against its public keys (RFC 7517), of a file or
//! of [the issuer itself](super::issuer); others are [asked about](super::introspection).
//!
//! The algorithm is one of RS256, ES256 and EdDSA, and must be that of the key: what the token says of itself only chooses
//! among the keys. `iss`, `aud` and `exp` are required; `nbf` holds if it is there.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ::http::{header, request};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{Jwk, JwkSet, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation, decode, decode_header};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{Caller, Found, introspection, issuer};
use crate::config::{Authx, Config};
use crate::error::Result;
use crate::resource::Service;
use crate::resource::access::Visitor;
use crate::time;

/// Longest token that is looked at, in bytes.
const MAX_TOKEN: usize = 8 << 10;
/// By how much clocks may differ, in seconds.
pub(super) const LEEWAY: u64 = 30;
/// The algorithms that are accepted.
const ALGORITHMS: [Algorithm; 3] = [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA];

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

/// Returns the keys of the issuer; with that of a name, if it has one.
///
/// # Errors
/// `IssuerDown`.
pub(super) fn keys(config: &Config, service: &Service, name: Option<&str>) -> Result<Vec<u8>> {
    if let Some(file) = &config.authx.jwks {
        return Ok(std::fs::read(file).unwrap_or_else(|error| {
            log::error!("the file jwks cannot be read: {error}");
            Vec::new()
        }));
    }
    let said = match name {
        Some(name) => issuer::with_key(config, service, name)?,
        None => issuer::said(config, service)?,
    };
    Ok(said.keys.clone().into_bytes())
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
    let known = digest(&keys(config, service, None)?);
    if let Some((until, visitor)) = good().get_or_insert_default().get(&known)
        && *until > time::seconds()
    {
        return Ok(Ok(visitor.clone()));
    }
    let claims = match verified(config, service, token, &authx.audience)? {
        Ok(claims) => claims,
        Err(why) => return Ok(Err(why)),
    };
    // The keys may have been fetched again for it.
    let known = digest(&keys(config, service, None)?);
    Ok(visitor(authx, &claims).inspect(|visitor| {
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

/// Returns the claims of a token that the issuer has signed for an audience; else why they are not good.
///
/// # Errors
/// `IssuerDown`.
pub(super) fn verified(
    config: &Config,
    service: &Service,
    token: &str,
    audience: &str,
) -> Result<Result<Value, String>> {
    let header = match header(token) {
        Ok(header) => header,
        Err(why) => return Ok(Err(why)),
    };
    let keys = keys(config, service, header.kid.as_deref())?;
    Ok(claims(&config.authx.issuer, audience, &keys, &header, token))
}

/// Returns the header of a token, if it can be of a token that is accepted.
fn header(token: &str) -> Result<Header, String> {
    check_header(token)?;
    let header = decode_header(token).map_err(|error| error.to_string())?;
    if ALGORITHMS.contains(&header.alg) {
        Ok(header)
    } else {
        Err(format!("the algorithm {:?} is not accepted", header.alg))
    }
}

/// Returns the claims of a token whose signature and claims are good.
fn claims(issuer: &str, audience: &str, keys: &[u8], header: &Header, token: &str) -> Result<Value, String> {
    let keys: JwkSet = serde_json::from_slice(keys).map_err(|error| {
        log::error!("the keys of the issuer are no set of keys: {error}");
        "there are no keys".to_owned()
    })?;
    let fits = |key: &&Jwk| {
        let common = &key.common;
        let is_for_signatures = common
            .public_key_use
            .as_ref()
            .is_none_or(|it| *it == PublicKeyUse::Signature);
        let is_named = header.kid.is_none() || common.key_id == header.kid;
        let has_algorithm = common
            .key_algorithm
            .is_none_or(|algorithm| algorithm.to_string() == format!("{:?}", header.alg));
        is_for_signatures && is_named && has_algorithm
    };
    let mut validation = Validation::new(header.alg);
    validation.set_issuer(&[issuer]);
    validation.set_audience(&[audience]);
    validation.set_required_spec_claims(&["exp", "iss", "aud"]);
    validation.validate_nbf = true;
    validation.leeway = LEEWAY;
    let mut why = "no key is of its algorithm and name".to_owned();
    for key in keys.keys.iter().filter(fits) {
        let Ok(key) = DecodingKey::from_jwk(key) else {
            continue;
        };
        match decode::<Value>(token, &key, &validation) {
            Ok(decoded) => return Ok(decoded.claims),
            Err(error) => why = error.to_string(),
        }
    }
    Err(why)
}

/// Refuses a header that asks for extensions to be understood: there are none here (RFC 7515 section 4.1.11).
fn check_header(token: &str) -> Result<(), String> {
    let malformed = || "its header is not well-formed".to_owned();
    let header = token.split('.').next().unwrap_or_default();
    let header = BASE64_URL_SAFE_NO_PAD.decode(header).map_err(|_| malformed())?;
    let header: Value = serde_json::from_slice(&header).map_err(|_| malformed())?;
    match header.get("crit") {
        None => Ok(()),
        Some(_) => Err("its header asks for extensions".to_owned()),
    }
}

/// Returns the user whom claims name; else why there is none.
pub(super) fn visitor(authx: &Authx, claims: &Value) -> Result<Visitor, String> {
    let is_name = |name: &&str| Visitor::is_name(name);
    let user = claims.get(&authx.user_claim).and_then(Value::as_str).filter(is_name);
    let user = user.ok_or_else(|| format!("its claim {} is no name", authx.user_claim))?;
    let groups = match claims.get(&authx.groups_claim) {
        Some(Value::Array(groups)) => groups.iter().filter_map(Value::as_str).filter(is_name).collect(),
        Some(Value::String(groups)) => groups.split([',', ' ']).filter(is_name).collect(),
        _ => Vec::new(),
    };
    Ok(Visitor {
        user: Some(user.to_owned()),
        groups: groups.into_iter().map(str::to_owned).collect(),
        ..Visitor::default()
    })
}
