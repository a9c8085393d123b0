//! Bearer tokens (RFC 6750) that an issuer has signed (RFC 7519), checked against its public keys in a file (RFC 7517).
//!
//! The algorithm is one of RS256, ES256 and EdDSA, and must be that of the key: what the token says of itself only chooses
//! among the keys. `iss`, `aud` and `exp` are required; `nbf` holds if it is there.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use ::http::{header, request};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{Jwk, JwkSet, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::Found;
use crate::config::{Authx, Config};
use crate::resource::access::Visitor;

/// Longest token that is looked at, in bytes.
const MAX_TOKEN: usize = 8 << 10;
/// Longest name of a user or a group, in bytes.
const MAX_NAME: usize = 256;
/// By how much clocks may differ, in seconds.
const LEEWAY: u64 = 30;
/// The algorithms that are accepted.
const ALGORITHMS: [Algorithm; 3] = [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA];

/// Tells whether tokens can be checked.
pub(super) fn is_configured(authx: &Authx) -> bool {
    authx.jwks.is_some() && !authx.issuer.is_empty() && !authx.audience.is_empty()
}

/// Returns the user of the token of a request.
pub(super) fn find(config: &Config, request: &request::Parts) -> Found {
    let authx = &config.authx;
    let token = request
        .headers
        .get(header::AUTHORIZATION)
        .and_then(|header| header.as_bytes().split_at_checked(7))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case(b"bearer "))
        .map(|(_, token)| token.trim_ascii());
    match (token, &authx.jwks) {
        (Some(token), Some(file)) if is_configured(authx) => match check(authx, file, token) {
            Ok(visitor) => Found::Somebody(visitor),
            Err(why) => Found::Wrong(format!("a token that is not good: {why}")),
        },
        _ => Found::Nothing,
    }
}

/// Tokens that this process has found good: digest of the token and of all that it was checked against, until when, whose.
/// A signature stays good: only the time has to be looked at again.
static GOOD: Mutex<Option<Good>> = Mutex::new(None);

type Good = HashMap<[u8; 32], (u64, Visitor)>;

/// Most tokens that a process remembers.
const REMEMBERED: usize = 1_000;

fn check(authx: &Authx, file: &Path, token: &[u8]) -> Result<Visitor, String> {
    let token = std::str::from_utf8(token)
        .ok()
        .filter(|token| token.len() <= MAX_TOKEN)
        .ok_or("it is too long, or not in ASCII")?;
    let keys = std::fs::read(file).map_err(|error| {
        log::error!("the file jwks cannot be read: {error}");
        "there are no keys".to_owned()
    })?;
    let mut hasher = Sha256::new();
    for part in [token.as_bytes(), &keys] {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    let digest: [u8; 32] = hasher.chain_update(format!("{authx:?}")).finalize().into();
    let now = now();
    let mut good = GOOD.lock().unwrap_or_else(PoisonError::into_inner);
    let good = good.get_or_insert_default();
    if let Some((until, visitor)) = good.get(&digest)
        && *until > now
    {
        return Ok(visitor.clone());
    }
    let claims = verified(authx, &keys, token)?;
    let visitor = visitor(authx, &claims)?;
    let until = claims.get("exp").and_then(Value::as_u64).unwrap_or(0);
    if good.len() >= REMEMBERED {
        good.clear();
    }
    good.insert(digest, (until, visitor.clone()));
    Ok(visitor)
}

/// Returns the claims of a token whose signature and claims are good.
fn verified(authx: &Authx, keys: &[u8], token: &str) -> Result<Value, String> {
    check_header(token)?;
    let header = decode_header(token).map_err(|error| error.to_string())?;
    if !ALGORITHMS.contains(&header.alg) {
        return Err(format!("the algorithm {:?} is not accepted", header.alg));
    }
    let keys: JwkSet = serde_json::from_slice(keys).map_err(|error| {
        log::error!("the file jwks is no set of keys: {error}");
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
    validation.set_issuer(&[&authx.issuer]);
    validation.set_audience(&[&authx.audience]);
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

fn visitor(authx: &Authx, claims: &Value) -> Result<Visitor, String> {
    let is_name = |name: &&str| !name.is_empty() && name.len() <= MAX_NAME && !name.contains(char::is_control);
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

fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |elapsed| elapsed.as_secs())
}
