//! The provider of the login: where a browser is sent, and who comes back with a code, by a token that is signed (OpenID Connect) or,
//! for the sections `[oauth_…]` of former versions, by the answer of an API.

use ::http::StatusCode;
use ::http::header::{ACCEPT, AUTHORIZATION};
use oauth2::url::Url;
use oauth2::{
    AuthType, AuthorizationCode, ClientId, ClientSecret, PkceCodeVerifier, RedirectUrl, RequestTokenError,
    TokenResponse, TokenUrl,
};
use serde_json::Value;

use super::client::{self, Client, Extra};
use super::{claims, issuer, outgoing, password};
use crate::config::{Config, OldFlow, Way};
use crate::error::{Error, Result};
use crate::resource::Service;
use crate::resource::access::Visitor;

/// Who tells who it is.
pub(super) struct Provider {
    pub client: Client,
    /// Where it asks the user.
    pub login: Url,
    /// Where it takes codes.
    token: Url,
    pub scopes: Vec<String>,
    pub identity: Identity,
}

/// What a browser brings back, and what was kept of its login.
pub(super) struct Answer<'a> {
    pub code: &'a str,
    /// The issuer that it names (RFC 9207).
    pub issuer: Option<&'a str>,
    /// The address to which it was sent back.
    pub redirect: RedirectUrl,
    pub nonce: &'a str,
    pub verifier: String,
}

/// How it is told.
pub(super) enum Identity {
    /// By a token that is signed (OpenID Connect). True: `iss` comes with each code.
    Token(bool),
    /// By the answer of this address, which has the user under this name.
    Api(Url, &'static str),
}

/// Tells whether one can log in with a browser.
pub(super) fn is_configured(config: &Config) -> bool {
    let authx = &config.authx;
    let is_known = match config.old_flow() {
        Some((_, flow)) => !flow.client_id.is_empty() && !flow.auth_endpoint.is_empty(),
        None => !authx.issuer.is_empty() && !authx.client_id.is_empty(),
    };
    is_known && authx.ways.contains(&Way::Login)
}

/// Returns what tells the provider from others.
pub(super) fn name(config: &Config) -> String {
    match config.old_flow() {
        Some((_, flow)) => format!("{} {}", flow.access_token_endpoint, flow.client_id),
        None => format!("{} {}", config.authx.issuer, config.authx.client_id),
    }
}

/// Returns the provider of the configuration.
///
/// # Errors
/// `IssuerDown` if what it says of itself cannot be had.
pub(super) fn find(config: &Config, service: &Service) -> Result<Provider> {
    if let Some((claim, flow)) = config.old_flow() {
        return old(flow, claim);
    }
    let said = issuer::said(config, service)?;
    let endpoint = |endpoint: &Option<Url>, name: &str| {
        endpoint.clone().ok_or_else(|| {
            log::error!("the issuer names no {name}: nobody can log in");
            Error::IssuerDown
        })
    };
    let metadata = &said.metadata;
    Ok(Provider {
        client: client::of(&config.authx, metadata)?,
        login: endpoint(&metadata.authorization_endpoint, "authorization_endpoint")?,
        token: endpoint(&metadata.token_endpoint, "token_endpoint")?,
        scopes: config.authx.scope.clone(),
        identity: Identity::Token(metadata.authorization_response_iss_parameter_supported),
    })
}

/// Returns the provider of a section of former versions. Its addresses had the parameters of requests in them, secrets too: they are
/// left out, and sent as RFC 6749 says.
fn old(flow: &OldFlow, claim: &'static str) -> Result<Provider> {
    let parse = |address: &str| {
        Url::parse(address).map_err(|error| Error::Internal(format!("[oauth_…]: the address {address:?}: {error}")))
    };
    let bare = |address: &str| {
        parse(address).map(|mut address| {
            address.set_query(None);
            address
        })
    };
    let mut login = parse(&flow.auth_endpoint)?;
    const OURS: [&str; 4] = ["client_id", "redirect_uri", "response_type", "state"];
    let kept: Vec<_> = login
        .query_pairs()
        .into_owned()
        .filter(|(name, _)| !OURS.contains(&name.as_str()))
        .collect();
    login.set_query(None);
    if !kept.is_empty() {
        login.query_pairs_mut().extend_pairs(kept);
    }
    let client = Client::new(ClientId::new(flow.client_id.clone())).set_auth_type(AuthType::RequestBody);
    let secret = flow.client_secret.reveal();
    Ok(Provider {
        client: if secret.is_empty() {
            client
        } else {
            client.set_client_secret(ClientSecret::new(secret.to_owned()))
        },
        login,
        token: bare(&flow.access_token_endpoint)?,
        scopes: Vec::new(),
        identity: Identity::Api(bare(&flow.api_endpoint)?, claim),
    })
}

/// Exchanges a code, and returns the user; else why there is none.
///
/// # Errors
/// `IssuerDown` if the provider does not answer, or nothing that can be used.
pub(super) fn identify(config: &Config, service: &Service, told: Answer<'_>) -> Result<Result<Visitor, String>> {
    let provider = find(config, service)?;
    if let Identity::Token(names_issuer) = provider.identity {
        match told.issuer {
            None if names_issuer => return Ok(Err("the provider does not tell that it is itself".to_owned())),
            Some(issuer) if issuer != config.authx.issuer => {
                return Ok(Err("it comes from another provider".to_owned()));
            }
            _ => {}
        }
    }
    let answer = provider
        .client
        .set_token_uri(TokenUrl::from_url(provider.token))
        .set_redirect_uri(told.redirect)
        .exchange_code(AuthorizationCode::new(told.code.to_owned()))
        .set_pkce_verifier(PkceCodeVerifier::new(told.verifier))
        .request(&outgoing::send);
    let down = |why: &str| {
        log::error!("the provider gives no usable answer to a login: {why}");
        Error::IssuerDown
    };
    let answer = match answer {
        Ok(answer) => answer,
        Err(RequestTokenError::ServerResponse(answer)) => return Ok(Err(format!("the code: {answer}"))),
        // Some give their refusals the status 200.
        Err(RequestTokenError::Parse(_, body)) if tells_error(&body) => {
            return Ok(Err("the provider does not accept the code".to_owned()));
        }
        Err(RequestTokenError::Parse(error, _)) => return Err(down(&error.to_string())),
        Err(RequestTokenError::Request(error)) => return Err(down(&error.to_string())),
        Err(RequestTokenError::Other(error)) => return Err(down(&error)),
    };
    match provider.identity {
        Identity::Token(_) => by_token(config, service, answer.extra_fields(), told.nonce),
        Identity::Api(address, claim) => {
            let user = by_api(&address, claim, answer.access_token().secret()).map_err(|error| down(&error))?;
            Ok(user)
        }
    }
}

fn tells_error(body: &[u8]) -> bool {
    serde_json::from_slice::<Value>(body).is_ok_and(|body| body.get("error").is_some())
}

/// Returns the user of an ID token (OpenID Connect Core section 3.1.3.7).
fn by_token(config: &Config, service: &Service, extra: &Extra, nonce: &str) -> Result<Result<Visitor, String>> {
    let Some(token) = extra.all.get("id_token").and_then(Value::as_str) else {
        return Ok(Err("there is no id_token; the scope must have openid".to_owned()));
    };
    let client = config.authx.client_id.as_str();
    let claims = match claims::verified(config, service, token, client)? {
        Ok(claims) => claims,
        Err(why) => return Ok(Err(format!("the id_token: {why}"))),
    };
    let said = claims["nonce"].as_str().unwrap_or_default();
    if !password::same(said.as_bytes(), nonce.as_bytes()) {
        return Ok(Err("the id_token is of another login: its nonce is not ours".to_owned()));
    }
    let audiences = claims["aud"].as_array().map_or(1, Vec::len);
    let party = claims.get("azp").and_then(Value::as_str);
    if party.is_some_and(|party| party != client) || (audiences > 1 && party.is_none()) {
        return Ok(Err("the id_token was made for another client".to_owned()));
    }
    Ok(claims::visitor(&config.authx, &claims))
}

/// Asks the API of a provider of former versions whose token it is.
fn by_api(address: &Url, claim: &str, token: &str) -> Result<Result<Visitor, String>, String> {
    let request = ::http::Request::get(address.as_str())
        .header(ACCEPT, "application/json")
        .header(AUTHORIZATION, format!("Bearer {token}"))
        .body(Vec::new())
        .map_err(|error| error.to_string())?;
    let answer = outgoing::send(request).map_err(|error| error.to_string())?;
    if answer.status() != StatusCode::OK {
        return Err(format!("{address}: the answer is {}", answer.status()));
    }
    let answer: Value = serde_json::from_slice(answer.body()).map_err(|error| format!("{address}: {error}"))?;
    let user = match &answer[claim] {
        Value::String(user) => Some(user.clone()),
        Value::Number(user) => Some(user.to_string()),
        _ => None,
    };
    let user = user.filter(|user| Visitor::is_name(user));
    Ok(user
        .map(|user| Visitor {
            user: Some(user),
            ..Visitor::default()
        })
        .ok_or_else(|| format!("{claim} is no name")))
}
