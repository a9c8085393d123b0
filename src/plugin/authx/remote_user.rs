//! `REMOTE_USER`: the web server has found out who it is (Basic, LDAP, Kerberos, OpenID Connect).

use super::{Caller, Found};
use crate::resource::access::Visitor;

/// Returns the user whom the web server tells of, with their groups.
pub(super) fn find(caller: &Caller) -> Found {
    match &caller.user {
        None => Found::Nothing,
        Some(user) => Found::Somebody(Visitor {
            user: Some(user.clone()),
            groups: caller.groups.clone(),
            ..Visitor::default()
        }),
    }
}
