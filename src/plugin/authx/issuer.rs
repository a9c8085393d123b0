//! What the issuer says of itself (OpenID Connect Discovery 1.0) and its public keys (RFC 7517), where no file has them.
//!
//! They are asked for at most every [`FRESH`] seconds, or when a token names a key that is not known; after each attempt nothing is asked for
//! [`PAUSE`] seconds, whatever comes: strangers cannot make this program send requests. A file beside the store holds them for all
//! processes. When the issuer gives no answer, what it said is good for [`STALE`] seconds.

use std::collections::HashMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use jsonwebtoken::jwk::Jwk;
use oauth2::url::Url;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::outgoing;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::resource::Service;
use crate::time;

/// The name of the file, in the directory of the store.
const FILE: &str = "issuer.json";
/// Seconds during which what was said is not asked again.
const FRESH: u64 = 3600;
/// Seconds during which what was said is good, if the issuer gives no answer.
const STALE: u64 = 24 * 3600;
/// Seconds between two attempts.
const PAUSE: u64 = 30;
/// Most stores of which a process remembers what their issuers said.
const REMEMBERED: usize = 64;

/// What an issuer says of itself.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Metadata {
    issuer: String,
    jwks_uri: Url,
    /// Where users log in.
    pub(super) authorization_endpoint: Option<Url>,
    /// Where codes are exchanged for tokens.
    pub(super) token_endpoint: Option<Url>,
    /// Where tokens are asked about.
    pub(super) introspection_endpoint: Option<Url>,
    /// Where users log out.
    pub(super) end_session_endpoint: Option<Url>,
    /// How a client may tell its secret.
    #[serde(default)]
    pub(super) token_endpoint_auth_methods_supported: Vec<String>,
    /// Whether `iss` comes with each code (RFC 9207).
    #[serde(default)]
    pub(super) authorization_response_iss_parameter_supported: bool,
}

/// What an issuer has said.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Said {
    pub(super) metadata: Metadata,
    /// Its keys, as a JSON text of those that can be used here.
    pub(super) keys: String,
}

impl Said {
    fn has_key(&self, name: &str) -> bool {
        let keys: Value = serde_json::from_str(&self.keys).unwrap_or_default();
        let mut keys = keys["keys"].as_array().into_iter().flatten();
        keys.any(|key| key["kid"] == name)
    }
}

/// What is known of an issuer.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Known {
    issuer: String,
    /// When it was asked.
    tried: u64,
    /// When it answered.
    fetched: u64,
    said: Option<Arc<Said>>,
}

impl Known {
    fn is_younger(&self, seconds: u64) -> bool {
        // A date to come is of a clock that was set back.
        (self.fetched..=self.fetched.saturating_add(seconds)).contains(&time::seconds())
    }
}

/// Which version of the file it is; `None`: there is none.
type Stamp = Option<(u64, i64, i64)>;

/// What this process has read from, or could not write to, the files of some stores.
static KNOWN: Mutex<Option<HashMap<PathBuf, (Stamp, Known)>>> = Mutex::new(None);

/// Returns what the issuer says of itself, and its keys.
///
/// # Errors
/// `IssuerDown`.
pub(super) fn said(config: &Config, service: &Service) -> Result<Arc<Said>> {
    known(&config.authx.issuer, service.store.directory(), &|_| true)
}

/// Returns the keys of the issuer, among them that of a name, if the issuer has it.
///
/// # Errors
/// `IssuerDown`.
pub(super) fn with_key(config: &Config, service: &Service, name: &str) -> Result<Arc<Said>> {
    known(&config.authx.issuer, service.store.directory(), &|said| {
        said.has_key(name)
    })
}

fn known(issuer: &str, directory: &Path, is_enough: &dyn Fn(&Said) -> bool) -> Result<Arc<Said>> {
    let file = directory.join(FILE);
    let mut known = recall(&file)
        .filter(|known| known.issuer == issuer)
        .unwrap_or_else(|| Known {
            issuer: issuer.to_owned(),
            tried: 0,
            fetched: 0,
            said: None,
        });
    let is_current = known.is_younger(FRESH) && known.said.as_deref().is_some_and(is_enough);
    let is_pausing = (known.tried..known.tried.saturating_add(PAUSE)).contains(&time::seconds());
    if !is_current && !is_pausing {
        known.tried = time::seconds();
        // Others must not ask too while this process waits.
        remember(&file, &known);
        match ask(issuer) {
            Ok(said) => {
                known.said = Some(Arc::new(said));
                known.fetched = time::seconds();
                remember(&file, &known);
            }
            Err(error) => log::error!("the issuer gives no usable answer: {error}"),
        }
    }
    known
        .said
        .clone()
        .filter(|_| known.is_younger(STALE))
        .ok_or(Error::IssuerDown)
}

/// Asks the issuer.
fn ask(issuer: &str) -> Result<Said, String> {
    let address = Url::parse(issuer).map_err(|error| format!("{issuer:?}: {error}"))?;
    let document = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
    let document = Url::parse(&document).map_err(|error| format!("{issuer:?}: {error}"))?;
    let text = outgoing::get(&document).map_err(|error| error.to_string())?;
    let mut metadata: Metadata = serde_json::from_slice(&text).map_err(|error| format!("{document}: {error}"))?;
    if metadata.issuer != issuer {
        return Err(format!(
            "{document}: it is about {:?}, not about {issuer:?}",
            metadata.issuer
        ));
    }
    for endpoint in [
        &mut metadata.authorization_endpoint,
        &mut metadata.token_endpoint,
        &mut metadata.introspection_endpoint,
        &mut metadata.end_session_endpoint,
    ] {
        if let Some(refused) = endpoint.take_if(|endpoint| !outgoing::may_name(&address, endpoint)) {
            log::error!("{document}: the address {refused} is not used: it is neither of https nor of this machine");
        }
    }
    if !outgoing::may_name(&address, &metadata.jwks_uri) {
        return Err(format!(
            "{document}: the address of the keys is not safe: {}",
            metadata.jwks_uri
        ));
    }
    let text = outgoing::get(&metadata.jwks_uri).map_err(|error| error.to_string())?;
    let keys = usable(&text).ok_or_else(|| format!("{}: this is no set of keys", metadata.jwks_uri))?;
    Ok(Said { metadata, keys })
}

/// Returns the keys of a set that are of a known kind. Others do not spoil them (RFC 7517 section 5).
fn usable(text: &[u8]) -> Option<String> {
    let set: Value = serde_json::from_slice(text).ok()?;
    let keys = set.get("keys")?.as_array()?;
    let is_known = |key: &&Value| serde_json::from_value::<Jwk>((*key).clone()).is_ok();
    let keys: Vec<&Value> = keys.iter().filter(is_known).collect();
    Some(json!({"keys": keys}).to_string())
}

fn stamp(file: &Path) -> Stamp {
    let found = fs::metadata(file).ok()?;
    Some((found.ino(), found.mtime(), found.mtime_nsec()))
}

/// Returns what was kept, by this process or by another one.
fn recall(file: &Path) -> Option<Known> {
    let now = stamp(file);
    let mut all = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let all = all.get_or_insert_default();
    if let Some((stamp, known)) = all.get(file)
        && *stamp == now
    {
        return Some(known.clone());
    }
    let known: Known = serde_json::from_slice(&fs::read(file).ok()?).ok()?;
    insert(all, file, (now, known.clone()));
    Some(known)
}

/// Keeps what is known for all processes; for this one, where there is no directory, as for a store that is temporary.
fn remember(file: &Path, known: &Known) {
    if let Err(error) = write(file, known) {
        log::debug!("what the issuer says is not kept: {error}");
    }
    let mut all = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    insert(all.get_or_insert_default(), file, (stamp(file), known.clone()));
}

fn insert(all: &mut HashMap<PathBuf, (Stamp, Known)>, file: &Path, known: (Stamp, Known)) {
    if all.len() >= REMEMBERED && !all.contains_key(file) {
        all.clear();
    }
    all.insert(file.to_owned(), known);
}

/// Writes the file at once, so that nobody reads half of it.
fn write(file: &Path, known: &Known) -> std::io::Result<()> {
    let directory = file.parent().unwrap_or(Path::new("."));
    let mut new = tempfile::NamedTempFile::new_in(directory)?;
    new.write_all(&serde_json::to_vec(known)?)?;
    new.persist(file).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(test)]
mod test {
    use super::*;

    #[test]
    fn keys_of_an_unknown_kind_do_not_spoil_the_others() {
        let key = r#"{"kty": "OKP", "crv": "Ed25519", "kid": "a", "x": "ngvwmX4_TQo_8oxkiBMLDhHVynACF489uUpaOeSyD_M"}"#;
        let set =
            format!(r#"{{"keys": [{{"kty": "new", "kid": "b"}}, {key}, 7, {{"kty": "EC", "crv": "P-999", "x": 1}}]}}"#);
        let keys = usable(set.as_bytes()).expect("a set");
        assert!(keys.contains("\"a\"") && !keys.contains('7'), "{keys}");
        assert!(
            serde_json::from_str::<jsonwebtoken::jwk::JwkSet>(&keys).is_ok(),
            "{keys}"
        );
        assert_eq!(usable(b"[]"), None);
        assert_eq!(usable(b"<html>"), None);
    }

    #[test]
    fn what_is_known_is_shared_by_a_file_and_survives_without() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join(FILE);
        let known = Known {
            issuer: "https://issuer.example".to_owned(),
            tried: 5,
            fetched: 0,
            said: None,
        };
        remember(&file, &known);
        let mut other = known.clone();
        other.tried = 7;
        // Another process writes.
        write(&file, &other).expect("a file");
        assert_eq!(recall(&file).map(|known| known.tried), Some(7));
        let nowhere = folder.path().join("none").join(FILE);
        remember(&nowhere, &known);
        assert_eq!(recall(&nowhere).map(|known| known.tried), Some(5));
    }
}
