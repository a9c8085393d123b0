//! The login in a browser: OAuth2 authorization code with PKCE and `state`, and OpenID Connect with `nonce` (or, for the sections
//! `[oauth_…]` of former versions, a question to the API of the provider).
//!
//! ```text
//! <root>@login?to=ADDRESS        a cookie keeps state, nonce, verifier and address; the browser goes to the provider
//! <root>@login?code=…&state=…    the code is exchanged, who it is is checked, a cookie is the session; the browser goes to the address
//! <root>@logout                  the cookie goes away
//! ```

use ::http::{Method, request};
use oauth2::url::Url;
use oauth2::{AuthUrl, CsrfToken, PkceCodeChallenge, RedirectUrl, Scope};
use serde::{Deserialize, Serialize};

use super::attempts::Attempts;
use super::provider::{self, Answer, Identity};
use super::session::{self, SESSION, Session};
use super::{Caller, issuer, password};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::plugin::{Address, Own, Reply};
use crate::resource::Service;
use crate::time;

/// The name of the login, below the root.
const LOGIN: &str = "@login";
/// The name of the logout, below the root.
const LOGOUT: &str = "@logout";
/// The name of the cookie of a login that is not finished.
const BEGUN: &str = "ktbs_login";
/// Seconds that a login may take.
const PATIENCE: u64 = 600;
/// Longest address to which a login returns, in bytes.
const MAX_ADDRESS: usize = 2000;
/// Longest code that is sent to the provider, in bytes.
const MAX_CODE: usize = 4096;

/// A login that was begun.
#[derive(Debug, Deserialize, Serialize)]
struct Begun {
    root: String,
    state: String,
    nonce: String,
    verifier: String,
    /// Where the browser returns.
    to: String,
    until: u64,
}

/// What is answered here.
static ADDRESSES: [Address; 2] = [
    Address {
        name: LOGIN,
        summary: "Leads a browser to the identity provider, and from there back.",
        parameters: &[
            ("to", "The address to which the browser returns, below the root."),
            ("code", "What the provider gives to the browser that comes back."),
            ("state", "What tells the provider's answer to this browser from others."),
            ("iss", "The provider (RFC 9207)."),
            ("error", "Why the provider refuses."),
        ],
    },
    Address {
        name: LOGOUT,
        summary: "Ends the session of a browser.",
        parameters: &[],
    },
];

/// Returns what is answered here, where one can log in with a browser.
pub(super) fn addresses(config: &Config) -> &'static [Address] {
    if provider::is_configured(config) {
        &ADDRESSES
    } else {
        &[]
    }
}

/// Returns the address of the login, for a page to which it shall return.
pub(super) fn address(config: &Config, page: &str) -> Option<Url> {
    let mut address = own_address(config, LOGIN)?;
    address.query_pairs_mut().append_pair("to", page);
    Some(address)
}

/// Returns the address of the logout.
pub(super) fn logout_address(config: &Config) -> Option<Url> {
    own_address(config, LOGOUT)
}

fn own_address(config: &Config, name: &str) -> Option<Url> {
    Url::parse(&config.server.root).ok()?.join(name).ok()
}

/// Tells whether a path is of the login or of the logout.
pub(super) fn is_own(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    let name = name.replace("%40", "@");
    name.starts_with(LOGIN) || name.starts_with(LOGOUT)
}

/// Answers what is asked of the login and of the logout.
pub(super) fn answer(own: &Own<'_>) -> Option<Reply> {
    let Own {
        config,
        service,
        request,
        ..
    } = own;
    let name = own.iri.strip_prefix(&config.server.root)?;
    let is_back = own.parameter("state").is_some() || own.parameter("error").is_some();
    let is_redirect = is_back && redirect(config).is_some_and(|redirect| is_at(&redirect, own.iri));
    // Pages of former versions log out with a parameter, anywhere.
    let is_logout = name == LOGOUT || (config.old_flow().is_some() && own.parameter("logout").is_some());
    let is_ours = name == LOGIN || is_logout || is_redirect;
    if !is_ours || request.method == Method::OPTIONS || !provider::is_configured(config) {
        return None;
    }
    if request.method != Method::GET {
        return Some(Reply::refused(Error::NotAllowed {
            allow: &["GET"],
            message: format!("{name} is for browsers"),
        }));
    }
    Some(if is_logout {
        log_out(config, service, request)
    } else if is_back {
        let forget = session::removal(config, BEGUN);
        let mut reply = finish(own).unwrap_or_else(Reply::refused);
        // Whatever came of it, it is over.
        reply.cookies.extend(forget);
        reply
    } else {
        begin(config, service, own.parameter("to").unwrap_or_default()).unwrap_or_else(Reply::refused)
    })
}

/// Returns the address to which the provider sends the browser back.
fn redirect(config: &Config) -> Option<String> {
    match config.old_flow() {
        Some((_, flow)) if !flow.redirect_uri.is_empty() => Some(flow.redirect_uri.clone()),
        _ => own_address(config, LOGIN).map(String::from),
    }
}

fn redirect_url(config: &Config) -> Result<RedirectUrl> {
    let address = redirect(config).ok_or_else(|| Error::Internal("the root URI is no URL".to_owned()))?;
    RedirectUrl::new(address).map_err(|error| Error::Internal(error.to_string()))
}

fn is_at(address: &str, iri: &str) -> bool {
    match (Url::parse(address), Url::parse(iri)) {
        (Ok(address), Ok(iri)) => address == iri,
        _ => false,
    }
}

fn begin(config: &Config, service: &Service, to: &str) -> Result<Reply> {
    let provider = provider::find(config, service)?;
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let nonce = CsrfToken::new_random();
    let client = provider
        .client
        .set_auth_uri(AuthUrl::from_url(provider.login))
        .set_redirect_uri(redirect_url(config)?);
    let mut asked = client
        .authorize_url(CsrfToken::new_random)
        .set_pkce_challenge(challenge)
        .add_scopes(provider.scopes.into_iter().map(Scope::new));
    if matches!(provider.identity, Identity::Token(_)) {
        asked = asked.add_extra_param("nonce", nonce.secret());
    }
    let (address, state) = asked.url();
    let begun = Begun {
        root: config.server.root.clone(),
        state: state.secret().clone(),
        nonce: nonce.secret().clone(),
        verifier: verifier.secret().clone(),
        to: return_address(config, to),
        until: time::seconds() + PATIENCE,
    };
    let key = session::key(config, service)?;
    let cookie = session::seal(config, &key, BEGUN, &begun, PATIENCE)?;
    Ok(Reply::to(address.into(), vec![cookie]))
}

/// Returns the address to which a login returns: below the root, as a browser understands it, or the root.
fn return_address(config: &Config, to: &str) -> String {
    let Ok(root) = Url::parse(&config.server.root) else {
        return config.server.root.clone();
    };
    let is_below = |address: &Url| {
        address.origin() == root.origin()
            && address.username().is_empty()
            && address.password().is_none()
            && address.path().starts_with(root.path())
            && !is_own(address.path())
            && address.as_str().len() <= MAX_ADDRESS
    };
    root.join(to).ok().filter(is_below).unwrap_or(root).into()
}

fn finish(own: &Own<'_>) -> Result<Reply> {
    let Own {
        config,
        service,
        request,
        ..
    } = own;
    let refused = |why: &str| {
        log::warn!("a login was refused: {why}");
        Error::BadRequest("this login is not good, was finished before, or took too long; begin it again".to_owned())
    };
    if own.is_repeated() {
        return Err(refused("a parameter comes twice"));
    }
    let key = session::key(config, service)?;
    let state = own.parameter("state").unwrap_or_default();
    let begun = session::open(config, request, &key, BEGUN).find(|begun: &Begun| {
        begun.root == config.server.root
            && begun.until > time::seconds()
            && password::same(begun.state.as_bytes(), state.as_bytes())
    });
    let begun = begun.ok_or_else(|| refused("it was not begun by this browser, or too long ago"))?;
    if let Some(error) = own.parameter("error") {
        return Err(refused(&format!(
            "the provider says {:?}",
            error.chars().take(40).collect::<String>()
        )));
    }
    let code = own.parameter("code").filter(|code| code.len() <= MAX_CODE);
    let code = code.ok_or_else(|| refused("there is no code, or a very long one"))?;
    let nobody = Caller::default();
    let caller = request.extensions.get::<Caller>().unwrap_or(&nobody);
    // Each code makes a request be sent.
    let attempts = Attempts::open(service.store.directory());
    attempts.check(caller.address, LOGIN)?;
    let answer = Answer {
        code,
        issuer: own.parameter("iss"),
        redirect: redirect_url(config)?,
        nonce: &begun.nonce,
        verifier: begun.verifier,
    };
    let visitor = provider::identify(config, service, answer);
    if matches!(visitor, Ok(Ok(_))) {
        attempts.forget(caller.address, LOGIN);
    } else {
        attempts.add(caller.address, LOGIN);
    }
    let visitor = visitor?.map_err(|why| refused(&why))?;
    let seconds = config.authx.session_seconds;
    let session = Session {
        root: config.server.root.clone(),
        by: provider::name(config),
        user: visitor.user.unwrap_or_default(),
        groups: visitor.groups,
        until: time::seconds() + seconds,
    };
    let cookie = session::seal(config, &key, SESSION, &session, seconds)?;
    Ok(Reply::to(begun.to, vec![cookie]))
}

fn log_out(config: &Config, service: &Service, request: &request::Parts) -> Reply {
    let root = Url::parse(&config.server.root).map_or_else(|_| config.server.root.clone(), String::from);
    if session::is_from_elsewhere(request) {
        // Pages of others do not log anybody out.
        return Reply::to(root, Vec::new());
    }
    let is_asked = config.authx.issuer_logout && config.old_flow().is_none();
    let said = Some(())
        .filter(|()| is_asked)
        .and_then(|()| issuer::said(config, service).ok());
    let end = said.and_then(|said| said.metadata.end_session_endpoint.clone());
    let to = match end {
        None => root,
        Some(mut end) => {
            end.query_pairs_mut()
                .append_pair("client_id", &config.authx.client_id)
                .append_pair("post_logout_redirect_uri", &root);
            end.into()
        }
    };
    Reply::to(to, session::removal(config, SESSION).into_iter().collect())
}

#[cfg(test)]
mod test {
    use super::*;

    #[test]
    fn a_login_returns_below_the_root_only() {
        let mut config = crate::plugin::test::config();
        config.server.root = "https://example.org/ktbs/é/".to_owned();
        let root = "https://example.org/ktbs/%C3%A9/";
        for (to, expected) in [
            ("/ktbs/%C3%A9/b/?a=1", "https://example.org/ktbs/%C3%A9/b/?a=1"),
            ("b/t/@obsels", "https://example.org/ktbs/%C3%A9/b/t/@obsels"),
            ("https://example.org/ktbs/é/x", "https://example.org/ktbs/%C3%A9/x"),
        ] {
            assert_eq!(return_address(&config, to), expected, "{to}");
        }
        let long = "x".repeat(MAX_ADDRESS);
        for elsewhere in [
            "",
            "//evil.example/ktbs/é/",
            "/\\evil.example/",
            "\\\\evil.example",
            "https://evil.example/ktbs/%C3%A9/",
            "https://example.org.evil.example/ktbs/%C3%A9/",
            "https://example.org@evil.example/ktbs/%C3%A9/",
            "https://user@example.org/ktbs/%C3%A9/",
            "http://example.org/ktbs/%C3%A9/",
            "https://example.org:444/ktbs/%C3%A9/",
            "/ktbs/",
            "/ktbs/%C3%A9/../../other",
            "../..//evil.example/",
            "/\t/evil.example",
            "javascript:alert(1)",
            "data:text/html,x",
            "@login?to=x",
            "@logout",
            "%40logout",
            &long,
        ] {
            assert_eq!(return_address(&config, elsewhere), root, "{elsewhere}");
        }
    }
}
