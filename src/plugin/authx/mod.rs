//! Who sends a request, found out in the ways that `[authx]` lists, in that order: one file for each.
//!
//! What they may then do is decided by [`crate::resource::access`]. A way either knows the sender, or has nothing to say,
//! or refuses: credentials that are not good never make a stranger.

mod attempts;
mod basic;
mod bearer;
mod claims;
mod client;
mod introspection;
mod issuer;
mod login;
mod outgoing;
mod page;
mod password;
mod personal;
mod provider;
mod remote_user;
mod session;

use std::net::IpAddr;
use std::sync::Arc;

use ::http::header::{AUTHORIZATION, CACHE_CONTROL, COOKIE, LINK, SET_COOKIE, VARY, WWW_AUTHENTICATE};
use ::http::{HeaderValue, StatusCode, request, response};

use super::{NOTHING, Steps};
use crate::config::{Config, Policy, Way};
use crate::error::{Error, Result};
use crate::resource::Service;
use crate::resource::access::{Access, Visitor};

/// What the plugin does.
pub const STEPS: Steps = Steps {
    own: login::answer,
    addresses: login::addresses,
    who: |config, service, request| Some(who(config, service, request)),
    page: page::refusal,
    link: page::link,
    after,
    ..NOTHING
};

/// What the web server tells of the sender of a request. Nothing of it is in a header, which anybody may send.
#[derive(Clone, Debug, Default)]
pub struct Caller {
    /// `REMOTE_USER`, if it is not empty.
    user: Option<String>,
    /// The groups of that user.
    groups: Vec<String>,
    /// `REMOTE_ADDR`.
    address: Option<IpAddr>,
}

impl Caller {
    /// Reads the FastCGI variables that tell of the sender.
    pub fn new<'v>(config: &Config, variable: &dyn Fn(&str) -> Option<&'v [u8]>) -> Self {
        let text = |name: &str| {
            let value = std::str::from_utf8(variable(name)?).ok()?.trim();
            Some(value.to_owned()).filter(|value| !value.is_empty() && !value.contains(char::is_control))
        };
        let groups = Some(config.authx.remote_groups.as_str()).filter(|name| !name.is_empty());
        let groups = groups.and_then(text).unwrap_or_default();
        Self {
            user: text("REMOTE_USER"),
            groups: groups
                .split([',', ' '])
                .filter(|group| !group.is_empty())
                .map(str::to_owned)
                .collect(),
            address: text("REMOTE_ADDR").and_then(|address| address.parse().ok()),
        }
    }
}

/// What one way has found out.
#[derive(Debug)]
enum Found {
    /// The request tells nothing that this way knows.
    Nothing,
    /// It comes from them.
    Somebody(Visitor),
    /// Its credentials are of this way, and not good; why, for the log.
    Wrong(String),
}

fn who(config: &Config, service: &Service, request: &request::Parts) -> Result<Arc<Access>> {
    let visitor = identify(config, service, request)?;
    Ok(Access::new(visitor, config.authx.policy, &service.settings))
}

fn identify(config: &Config, service: &Service, request: &request::Parts) -> Result<Visitor> {
    let nobody = Caller::default();
    let caller = request.extensions.get::<Caller>().unwrap_or(&nobody);
    for way in &config.authx.ways {
        let found = match way {
            Way::RemoteUser => remote_user::find(caller),
            Way::Admin => basic::find_admin(config, service, caller, request)?,
            Way::Personal => personal::find(service, caller, request)?,
            Way::Basic => basic::find_user(config, service, caller, request)?,
            Way::Bearer => bearer::find(config, service, caller, request)?,
            Way::Login => session::find(config, service, request)?,
        };
        match found {
            Found::Nothing => {}
            Found::Somebody(visitor) => {
                return Ok(promoted(
                    config,
                    Visitor {
                        way: way.name(),
                        ..visitor
                    },
                ));
            }
            Found::Wrong(why) => return Err(refused(caller, &why)),
        }
    }
    if request.headers.contains_key(AUTHORIZATION) {
        return Err(refused(caller, "credentials of a scheme that is not accepted"));
    }
    Ok(Visitor::default())
}

/// Returns the visitor, who may do all if the configuration says so.
fn promoted(config: &Config, mut visitor: Visitor) -> Visitor {
    let is_listed = visitor
        .user
        .as_ref()
        .is_some_and(|user| config.authx.admins.contains(user));
    let is_in_group = visitor
        .groups
        .iter()
        .any(|group| config.authx.admin_groups.contains(group));
    visitor.is_admin |= is_listed || is_in_group;
    visitor
}

fn refused(caller: &Caller, why: &str) -> Error {
    let address = caller
        .address
        .map_or("an unknown address".to_owned(), |address| address.to_string());
    log::warn!("a request from {address} was refused: {why}");
    Error::LoginRequired
}

/// Tells what is accepted where it may help, and that answers are for those who asked.
fn after(config: &Config, request: &request::Parts, response: &mut response::Parts) {
    let headers = &mut response.headers;
    let is_asked = response.status == StatusCode::UNAUTHORIZED
        // What is not found may be hidden (RFC 9110 section 11.6.1: a challenge may stand in any answer).
        || (response.status == StatusCode::NOT_FOUND && config.authx.policy == Policy::Open);
    if is_asked {
        for challenge in challenges(config, page::is_wanted(request)) {
            headers.append(WWW_AUTHENTICATE, challenge);
        }
        for link in login_links(config) {
            headers.append(LINK, link);
        }
    }
    if response.status == StatusCode::UNAUTHORIZED && session::is_sent(config, request) {
        headers.extend(session::removal(config, session::SESSION).map(|cookie| (SET_COOKIE, cookie)));
    }
    let vary = match headers.get(VARY).and_then(|vary| vary.to_str().ok()) {
        Some(vary) => format!("{vary}, {AUTHORIZATION}, {COOKIE}"),
        None => format!("{AUTHORIZATION}, {COOKIE}"),
    };
    if let Ok(vary) = HeaderValue::from_str(&vary) {
        headers.insert(VARY, vary);
    }
    if let Some(control) = headers.get(CACHE_CONTROL).and_then(|control| control.to_str().ok())
        && let Ok(control) = HeaderValue::from_str(&format!("private, {control}"))
    {
        headers.insert(CACHE_CONTROL, control);
    }
}

/// Returns what is accepted: passwords, where there are any or nothing else is known (the web server may ask for them);
/// tokens, where they can be checked; the login of browsers, by the name that the Python kTBS gave it. For who sees a page with a link to
/// that login, passwords are not named: browsers would ask for one before they show the page.
fn challenges(config: &Config, is_page: bool) -> impl Iterator<Item = HeaderValue> {
    let authx = &config.authx;
    let realm = authx.realm.replace('\\', "\\\\").replace('"', "\\\"");
    let login = provider::is_configured(config);
    let signed = authx.ways.contains(&Way::Bearer) && bearer::is_configured(authx);
    let bearer = signed || authx.ways.contains(&Way::Personal);
    let basic = authx.htpasswd.is_some() || !config.authx_admin.login.is_empty() || !(signed || login);
    let basic = (basic && !(login && is_page)).then(|| format!("Basic realm=\"{realm}\", charset=\"UTF-8\""));
    let bearer = bearer.then(|| format!("Bearer realm=\"{realm}\""));
    let login = login.then(|| format!("OAuth2 realm=\"{realm}\""));
    [basic, bearer, login]
        .into_iter()
        .flatten()
        .filter_map(|challenge| HeaderValue::from_str(&challenge).ok())
}

/// Returns the links by which clients of the Python kTBS find the login.
fn login_links(config: &Config) -> impl Iterator<Item = HeaderValue> {
    let login = login::address(config, "").filter(|_| provider::is_configured(config));
    let links = login.map(|login| {
        [
            (login.to_string(), "oauth_resource_server"),
            (config.server.root.clone(), "successful_login_redirect"),
        ]
    });
    links
        .into_iter()
        .flatten()
        .filter_map(|(uri, rel)| HeaderValue::from_str(&format!("<{uri}>;rel=\"{rel}\"")).ok())
}
