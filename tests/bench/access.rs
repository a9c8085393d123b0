//! What it costs to be asked who one is: the same GET without the plugin authx, and with it, for each way.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use ktbs::config::Policy;
use ktbs::resource::access::token::Token;
use serde_json::json;

use super::Bench;

const KEYS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/access/keys/");
/// How often each request is sent.
const TIMES: usize = 2001;

/// Prints a row for each way, in a store that has the trace `b/t/`.
pub fn measure(directory: &Path) -> Result<()> {
    println!(
        "\n{:<34} {:>12} {:>12} {:>12}",
        "GET, by who asks", "median us", "more", "least us"
    );
    let passwords = tempfile::NamedTempFile::new()?;
    let hash = bcrypt::hash("secret", 10)?;
    std::fs::write(passwords.path(), format!("alice:{hash}\n"))?;
    let token = Token {
        owner: "alice".to_owned(),
        label: String::new(),
        groups: Vec::new(),
        created: 0,
        expires: None,
        limit: None,
    };
    let personal = token.create(&Bench::open(directory)?.app.service.store)?.1;
    let claims = json!({"iss": "https://issuer.example", "aud": "ktbs", "sub": "alice", "exp": now()? + 3600});
    let key = EncodingKey::from_rsa_pem(&std::fs::read(format!("{KEYS}rsa.pem"))?)?;
    let mut header = Header::new(Algorithm::RS256);
    header.kid = Some("rsa".to_owned());
    let signed = encode(&header, &claims, &key)?;
    let basic = BASE64_STANDARD.encode("alice:secret");
    let asked = |bench: &mut Bench, path: &str, headers: &[(&str, &str)]| -> Result<(f64, f64)> {
        let mut times = Vec::with_capacity(TIMES);
        for number in 0..TIMES {
            // No answer is given again.
            let number = number.to_string();
            let headers = [
                headers,
                &[("HTTP_X_ASKED", &number), ("HTTP_ACCEPT", "application/json")],
            ]
            .concat();
            times.push(bench.send("GET", path, &headers, b"")?.0);
        }
        times.sort_unstable();
        let micros = |duration: Duration| duration.as_secs_f64() * 1e6;
        Ok((micros(times[TIMES / 2]), micros(times[0])))
    };
    for (what, path) in [("trace", "b/t/"), ("page of 10", "b/t/@obsels?limit=10")] {
        let (base, least) = asked(&mut Bench::open(directory)?, path, &[])?;
        println!(
            "{:<34} {base:>12.1} {:>12} {least:>12.1}",
            format!("{what}, no authx"),
            ""
        );
        let mut with = Bench::with(directory, |config| {
            config.plugins.authx = true;
            config.authx.policy = Policy::ReadOnly;
            config.authx.htpasswd = Some(passwords.path().to_owned());
            config.authx.jwks = Some(format!("{KEYS}jwks.json").into());
            config.authx.issuer = "https://issuer.example".to_owned();
            config.authx.audience = "ktbs".to_owned();
        })?;
        for (way, header) in [
            ("stranger", None),
            ("REMOTE_USER", Some(("REMOTE_USER", "alice".to_owned()))),
            (
                "personal token",
                Some(("HTTP_AUTHORIZATION", format!("Bearer {personal}"))),
            ),
            ("signed token", Some(("HTTP_AUTHORIZATION", format!("Bearer {signed}")))),
            ("password", Some(("HTTP_AUTHORIZATION", format!("Basic {basic}")))),
        ] {
            let headers: Vec<(&str, &str)> = header.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let (median, least) = asked(&mut with, path, &headers)?;
            let more = median - base;
            println!(
                "{:<34} {median:>12.1} {more:>+12.1} {least:>12.1}",
                format!("{what}, {way}")
            );
        }
    }
    Ok(())
}

fn now() -> Result<u64> {
    Ok(SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .context("after 1970")?
        .as_secs())
}
