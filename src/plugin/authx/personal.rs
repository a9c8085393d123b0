//! Personal tokens, which `ktbs token` makes: as Bearer, or as the password of their owner for collectors that know Basic only.
//!
//! A good one is always let in at once. Those that are not are counted for their address, and told to wait; but nobody else is, since
//! a secret that long cannot be guessed.

use ::http::{header, request};

use super::attempts::Attempts;
use super::{Caller, Found, basic};
use crate::error::Result;
use crate::resource::Service;
use crate::resource::access::Visitor;
use crate::resource::access::token::{self, PREFIX, Shown};
use crate::time;

/// Returns the owner of the personal token of a request.
pub(super) fn find(service: &Service, caller: &Caller, request: &request::Parts) -> Result<Found> {
    let Some((login, text)) = shown(request) else {
        return Ok(Found::Nothing);
    };
    let why = match token::check(&service.store, &text, time::seconds())? {
        Shown::Good(id, token) if login.as_ref().is_none_or(|login| *login == token.owner) => {
            return Ok(Found::Somebody(Visitor {
                user: Some(token.owner),
                groups: token.groups,
                limit: token.limit,
                token: Some(id),
                ..Visitor::default()
            }));
        }
        Shown::Good(id, _) => format!("the personal token {id} came with the name of another"),
        Shown::Wrong(why) => why,
    };
    let attempts = Attempts::open(service.store.directory());
    attempts.check_token(caller.address)?;
    attempts.add_token(caller.address);
    Ok(Found::Wrong(why))
}

/// Returns what may be a personal token, with the name that came with it if any did.
fn shown(request: &request::Parts) -> Option<(Option<String>, String)> {
    let header = request.headers.get(header::AUTHORIZATION)?.as_bytes();
    let bearer = header
        .split_at_checked(7)
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case(b"bearer "));
    let (login, text) = match bearer {
        Some((_, text)) => (None, std::str::from_utf8(text.trim_ascii()).ok()?.to_owned()),
        None => {
            let credentials = basic::Credentials::of(request)?.ok()?;
            (Some(credentials.login), credentials.password)
        }
    };
    text.starts_with(PREFIX).then_some((login, text))
}
