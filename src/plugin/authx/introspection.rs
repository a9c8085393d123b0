//! Tokens that mean something to their issuer only: it is asked about them (RFC 7662).
//!
//! What it says holds for [`REMEMBERED`] seconds, and never beyond the end of the token. Tokens that are not good are counted as wrong
//! passwords are, so that whoever tries many must wait.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use oauth2::{AccessToken, IntrospectionUrl, RequestTokenError};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::attempts::Attempts;
use super::{Caller, Found, claims, client, issuer, outgoing};
use crate::config::{Authx, Config};
use crate::error::{Error, Result};
use crate::resource::Service;
use crate::resource::access::Visitor;
use crate::time;

/// Seconds during which the issuer is not asked again about a token.
const REMEMBERED: u64 = 60;
/// Seconds during which an issuer that gave no answer is not asked again.
const PAUSE: u64 = 10;
/// Most tokens, and most issuers, that a process remembers.
const MANY: usize = 1_000;

/// What was told of tokens, by digest: until when it holds, and whose they are.
type Told = HashMap<[u8; 32], (u64, Option<Visitor>)>;

static TOLD: Mutex<Option<Told>> = Mutex::new(None);

/// Until when issuers are not asked, since they gave no answer.
static SILENT: Mutex<Option<HashMap<String, u64>>> = Mutex::new(None);

/// Tells whether the issuer can be asked.
pub(super) fn is_configured(authx: &Authx) -> bool {
    authx.introspection && !authx.issuer.is_empty() && !authx.client_id.is_empty()
}

/// Returns the user of a token.
pub(super) fn find(config: &Config, service: &Service, caller: &Caller, token: &str) -> Result<Found> {
    let authx = &config.authx;
    let mut hasher = Sha256::new_with_prefix((token.len() as u64).to_be_bytes());
    hasher.update(token);
    let digest: [u8; 32] = hasher.chain_update(format!("{authx:?}")).finalize().into();
    if let Some(told) = remembered(&digest) {
        return Ok(found(told));
    }
    let attempts = Attempts::open(service.store.directory());
    let name = format!("token {:?}", &digest[..8]);
    attempts.check(caller.address, &name)?;
    let claims = ask(config, service, token)?;
    let told = claims.as_ref().map(|claims| check(authx, claims));
    let (until, told) = match told {
        Some(Ok((until, visitor))) => (until, Some(visitor)),
        Some(Err(why)) => {
            log::warn!("what the issuer says of a token is not good: {why}");
            (u64::MAX, None)
        }
        None => (u64::MAX, None),
    };
    if told.is_none() {
        attempts.add(caller.address, &name);
    }
    let mut all = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
    let all = all.get_or_insert_default();
    if all.len() >= MANY {
        let now = time::seconds();
        all.retain(|_, (until, _)| *until > now);
    }
    if all.len() >= MANY {
        all.clear();
    }
    all.insert(digest, (until.min(time::seconds() + REMEMBERED), told.clone()));
    Ok(found(told))
}

fn found(told: Option<Visitor>) -> Found {
    told.map_or_else(
        || Found::Wrong("a token that the issuer does not know, or that is not for this server".to_owned()),
        Found::Somebody,
    )
}

fn remembered(digest: &[u8; 32]) -> Option<Option<Visitor>> {
    let told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
    let (until, visitor) = told.as_ref()?.get(digest)?;
    (*until > time::seconds()).then(|| visitor.clone())
}

/// Asks the issuer about a token; `None`: it is not active.
fn ask(config: &Config, service: &Service, token: &str) -> Result<Option<Value>> {
    let authx = &config.authx;
    let is_silent =
        |silent: &HashMap<String, u64>| silent.get(&authx.issuer).is_some_and(|until| *until > time::seconds());
    let silent = || SILENT.lock().unwrap_or_else(PoisonError::into_inner);
    if silent().as_ref().is_some_and(is_silent) {
        return Err(Error::IssuerDown);
    }
    let said = issuer::said(config, service)?;
    let down = |why: &str| {
        log::error!("the issuer cannot be asked about a token: {why}");
        let mut silent = silent();
        let silent = silent.get_or_insert_default();
        if silent.len() >= MANY {
            silent.clear();
        }
        silent.insert(authx.issuer.clone(), time::seconds() + PAUSE);
        Error::IssuerDown
    };
    let address = said.metadata.introspection_endpoint.clone();
    let address = address.ok_or_else(|| down("it has no introspection_endpoint"))?;
    let client = client::of(authx, &said.metadata)?.set_introspection_url(IntrospectionUrl::from_url(address));
    let token = AccessToken::new(token.to_owned());
    let answer = client.introspect(&token).request(&outgoing::send);
    let answer = answer.map_err(|error| match error {
        RequestTokenError::Request(error) => down(&error.to_string()),
        RequestTokenError::ServerResponse(answer) => down(&format!("it refuses us: {answer}")),
        RequestTokenError::Parse(error, _) => down(&error.to_string()),
        RequestTokenError::Other(error) => down(&error),
    })?;
    let claims = serde_json::to_value(answer).map_err(|error| Error::Internal(error.to_string()))?;
    Ok(Some(claims).filter(|claims| claims["active"] == true))
}

/// Checks what an issuer says of a token that is active; returns until when it is good, and whose it is.
fn check(authx: &Authx, claims: &Value) -> Result<(u64, Visitor), String> {
    if let Some(issuer) = claims.get("iss")
        && *issuer != *authx.issuer
    {
        return Err("it is of another issuer".to_owned());
    }
    let is_for_us = match &claims["aud"] {
        Value::String(audience) => *audience == authx.audience,
        Value::Array(audiences) => audiences.iter().any(|audience| *audience == *authx.audience),
        _ => false,
    };
    if !authx.audience.is_empty() && !is_for_us {
        return Err("its aud is not the audience of the configuration".to_owned());
    }
    let until = claims["exp"].as_u64().unwrap_or(u64::MAX);
    if until <= time::seconds() {
        return Err("it has expired".to_owned());
    }
    if claims["nbf"]
        .as_u64()
        .is_some_and(|begin| begin > time::seconds() + claims::LEEWAY)
    {
        return Err("it is not valid yet".to_owned());
    }
    Ok((until, claims::visitor(authx, claims)?))
}
