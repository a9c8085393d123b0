//! `[authx]` and `[authx_admin]`: how the plugin `authx` finds out who sends a request, and what holds by default.

use std::net::IpAddr;
use std::path::PathBuf;

use serde::Deserialize;

use super::notice::Notice;

/// What holds where no access control list says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Policy {
    /// Everybody may read, add and write.
    Open,
    /// Everybody may read.
    ReadOnly,
    /// Nobody may anything, but users in the bases that are theirs.
    Private,
}

/// The names of [`Policy`].
pub(super) const POLICIES: &[&str] = &["open", "read-only", "private"];

/// A way to find out who sends a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// The web server has found out.
    RemoteUser,
    /// The credentials of `[authx_admin]`.
    Admin,
    /// A token that `ktbs token` has made.
    Personal,
    /// A name and a password of the file `htpasswd`.
    Basic,
    /// A token that an issuer has signed.
    Bearer,
    /// A login in a browser.
    Login,
}

impl Way {
    /// Returns the name of the way.
    pub fn name(self) -> &'static str {
        WAYS[self as usize]
    }
}

/// The names of [`Way`], in the same order.
pub(super) const WAYS: &[&str] = &["remote-user", "admin", "personal", "basic", "bearer", "login"];

/// `[authx]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Authx {
    /// The ways, in the order in which they are tried.
    pub ways: Vec<Way>,
    /// What holds where no list says otherwise.
    pub policy: Policy,
    /// What passwords and tokens are asked for.
    pub realm: String,
    /// The FastCGI variable that holds the groups of the user, if the web server sets one.
    pub remote_groups: String,
    /// The users who may do all.
    pub admins: Vec<String>,
    /// The groups whose users may do all.
    pub admin_groups: Vec<String>,
    /// The file of names and hashes of passwords.
    pub htpasswd: Option<PathBuf>,
    /// The file of the keys of the issuer (RFC 7517); `None`: the issuer is asked.
    pub jwks: Option<PathBuf>,
    /// The issuer of tokens: `iss`.
    pub issuer: String,
    /// For whom tokens must be made: `aud`.
    pub audience: String,
    /// The claim that names the user.
    pub user_claim: String,
    /// The claim that names the groups, if any.
    pub groups_claim: String,
    /// The name of this server at the issuer.
    pub client_id: String,
    /// The file of the secret that goes with that name.
    pub client_secret_file: Option<PathBuf>,
    /// Whether the issuer is asked about tokens that it has not signed.
    pub introspection: bool,
    /// What the login in a browser asks the issuer for.
    pub scope: Vec<String>,
    /// The file of the key by which sessions are encrypted; `None`: one beside the store.
    pub session_key: Option<PathBuf>,
    /// How long a session lasts, in seconds.
    pub session_seconds: u64,
    /// Whether to log out is to log out of the issuer too.
    pub issuer_logout: bool,
    /// The section of the provider of former versions that serves in place of the issuer; empty: none.
    #[serde(rename = "oauth_flow")]
    pub oauth_flow: String,
}

/// What must stay secret: it is never shown.
#[derive(Clone, Default, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Returns a secret.
    pub fn new(secret: &str) -> Self {
        Self(secret.to_owned())
    }

    /// Returns what it is.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(secret)")
    }
}

/// `[oauth_github]`, `[oauth_claco]`: a provider of former versions, which is not of OpenID Connect.
#[derive(Clone, Debug, Deserialize)]
pub struct OldFlow {
    /// Where users log in.
    pub auth_endpoint: String,
    /// Where codes are exchanged for tokens.
    pub access_token_endpoint: String,
    /// What tells whose a token is.
    pub api_endpoint: String,
    /// The name of this server there.
    pub client_id: String,
    /// The secret that goes with that name.
    pub client_secret: Secret,
    /// Where users come back to; empty: `@login` below the root.
    pub redirect_uri: String,
}

/// The names of the sections of [`OldFlow`]; empty: none.
pub(super) const OLD_FLOWS: &[&str] = &["", "oauth_github", "oauth_claco"];

impl Authx {
    /// Returns what is correct but probably not meant.
    pub(super) fn doubts(&self) -> Vec<Notice> {
        let mut doubts = Vec::new();
        let is_safe = ["https://", "http://localhost", "http://127.", "http://[::1]"]
            .iter()
            .any(|start| self.issuer.starts_with(start));
        if self.jwks.is_none() && !self.issuer.is_empty() && !is_safe {
            doubts.push(Notice::of_option(
                "authx",
                "issuer",
                "is neither of https nor of this machine: it is not asked for anything",
            ));
        }
        if self.introspection && (self.issuer.is_empty() || self.client_id.is_empty()) {
            doubts.push(Notice::of_option(
                "authx",
                "introspection",
                "is on without issuer or client-id: nobody is asked",
            ));
        }
        if !self.issuer.is_empty() && !self.client_id.is_empty() && !self.scope.iter().any(|it| it == "openid") {
            doubts.push(Notice::of_option(
                "authx",
                "scope",
                "is without openid: the issuer will not tell who logs in",
            ));
        }
        doubts
    }
}

/// `[authx_admin]`.
#[derive(Clone, Debug, Deserialize)]
pub struct AuthxAdmin {
    /// The addresses from which the administrator may come.
    #[serde(rename = "ip_whitelist")]
    pub addresses: Vec<IpAddr>,
    /// The name.
    pub login: String,
    /// The password, in clear or as a hash.
    pub password: String,
}
