//! Requests that this program sends: to the issuer of the configuration, and to nobody else.
//!
//! An address comes from the configuration, or from what that issuer says of itself, never from a client. It is one of https, or
//! of this machine. Time and size of an answer are limited, and redirections are not followed.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use oauth2::url::{Host, Url};
use oauth2::{HttpRequest, HttpResponse};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Proxy};

/// How long a connection may take.
const CONNECTING: Duration = Duration::from_secs(3);
/// How long a request may take, from the name of the host to the end of the answer.
const ASKING: Duration = Duration::from_secs(5);
/// Largest answer, in bytes.
const MAX_ANSWER: u64 = 256 << 10;

/// Why there is no usable answer, for the log.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Unanswered(String);

/// Tells whether an address is one of this machine.
fn is_local(address: &Url) -> bool {
    match address.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Tells whether requests may be sent to an address: others on the way must not read nor change them.
pub(super) fn is_safe(address: &Url) -> bool {
    match address.scheme() {
        "https" => address.has_host(),
        "http" => is_local(address),
        _ => false,
    }
}

/// Tells whether what an issuer says of itself may name an address: one that is not of this machine names none of this machine.
pub(super) fn may_name(issuer: &Url, address: &Url) -> bool {
    is_safe(address) && (is_local(issuer) || !is_local(address))
}

/// Sends a request.
pub(super) fn send(request: HttpRequest) -> Result<HttpResponse, Unanswered> {
    let address = Url::parse(&request.uri().to_string()).map_err(|error| Unanswered(error.to_string()))?;
    if !is_safe(&address) {
        return Err(Unanswered(format!("{address} is neither of https nor of this machine")));
    }
    let failed = |error: ureq::Error| Unanswered(format!("{}{}: {error}", address.authority(), address.path()));
    let (head, mut body) = agent(is_local(&address)).run(request).map_err(failed)?.into_parts();
    let body = body.with_config().limit(MAX_ANSWER).read_to_vec().map_err(failed)?;
    Ok(HttpResponse::from_parts(head, body))
}

/// Gets a document in JSON.
pub(super) fn get(address: &Url) -> Result<Vec<u8>, Unanswered> {
    let request = ::http::Request::get(address.as_str())
        .header(::http::header::ACCEPT, "application/json")
        .body(Vec::new())
        .map_err(|error| Unanswered(format!("{address}: {error}")))?;
    let answer = send(request)?;
    match answer.status() {
        ::http::StatusCode::OK => Ok(answer.into_body()),
        status => Err(Unanswered(format!("{address}: the answer is {status}"))),
    }
}

/// Returns what sends requests. The certificates that the machine trusts are read at the first one. A proxy that the environment
/// names (`HTTPS_PROXY`, `NO_PROXY`) leads to other machines.
fn agent(is_local: bool) -> Agent {
    static AGENTS: [OnceLock<Agent>; 2] = [OnceLock::new(), OnceLock::new()];
    let agent = AGENTS[usize::from(is_local)].get_or_init(|| {
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::PlatformVerifier)
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .build();
        Agent::config_builder()
            .tls_config(tls)
            .proxy(Proxy::try_from_env().filter(|_| !is_local))
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .max_idle_connections(0)
            .timeout_connect(Some(CONNECTING))
            .timeout_global(Some(ASKING))
            .user_agent(concat!("ktbs/", env!("CARGO_PKG_VERSION")))
            .build()
            .new_agent()
    });
    agent.clone()
}

#[cfg(test)]
mod test {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).expect(text)
    }

    #[test]
    fn only_https_and_this_machine_are_asked() {
        for safe in [
            "https://issuer.example/x",
            "https://10.0.0.1/",
            "http://localhost:8080/",
            "http://127.0.0.1/",
            "http://127.8.9.1:1/",
            "http://[::1]:8080/a",
        ] {
            assert!(is_safe(&url(safe)), "{safe}");
        }
        for unsafe_one in [
            "http://issuer.example/",
            "http://localhost.example/",
            "http://169.254.169.254/latest/",
            "http://[::2]/",
            "ftp://localhost/",
            "file:///etc/passwd",
            "urn:x",
        ] {
            assert!(!is_safe(&url(unsafe_one)), "{unsafe_one}");
            let request = ::http::Request::get(unsafe_one).body(Vec::new());
            if let Ok(request) = request {
                assert!(send(request).is_err(), "{unsafe_one}");
            }
        }
    }

    #[test]
    fn who_is_elsewhere_names_nothing_of_this_machine() {
        let (far, near) = (url("https://issuer.example"), url("http://localhost:1"));
        assert!(may_name(&far, &url("https://keys.example/")));
        assert!(may_name(&near, &url("http://127.0.0.1:2/")));
        assert!(may_name(&near, &url("https://keys.example/")));
        for local in ["https://localhost/", "http://127.0.0.1:2/", "https://[::1]/"] {
            assert!(!may_name(&far, &url(local)), "{local}");
        }
    }
}
