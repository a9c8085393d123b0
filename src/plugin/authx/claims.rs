//! What a token claims that an issuer has signed (RFC 7519), checked against its public keys (RFC 7517), of a file or of
//! [the issuer itself](super::issuer); and whom claims name.
//!
//! The algorithm is one of RS256, ES256 and EdDSA, and must be that of the key: what the token says of itself only chooses
//! among the keys. `iss`, `aud` and `exp` are required; `nbf` holds if it is there.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{Jwk, JwkSet, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation, decode, decode_header};
use serde_json::Value;

use super::issuer;
use crate::config::{Authx, Config};
use crate::error::Result;
use crate::resource::Service;
use crate::resource::access::Visitor;

/// By how much clocks may differ, in seconds.
pub(super) const LEEWAY: u64 = 30;
/// The algorithms that are accepted.
const ALGORITHMS: [Algorithm; 3] = [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA];

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
