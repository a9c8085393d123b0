//! What logs tell of a request: nothing by which somebody else could be let in.

use ::http::{Method, Uri};
use percent_encoding::percent_decode_str;

/// The parameters whose values are never told: those of OAuth 2 and OpenID Connect, and what people call their secrets.
const SECRET: [&str; 14] = [
    "access_token",
    "api_key",
    "apikey",
    "client_secret",
    "code",
    "id_token",
    "key",
    "password",
    "refresh_token",
    "secret",
    "session_state",
    "sid",
    "state",
    "token",
];

/// What personal tokens, and signed ones, begin with.
const BEGINNINGS: [&str; 2] = ["ktbs_", "eyJ"];

/// Longest name of a parameter that is told.
const NAME: usize = 32;

/// Returns the method, the path and the query of a request, without the values of parameters that may be secrets.
pub fn told(method: &Method, uri: &Uri) -> String {
    let Some(query) = uri.query() else {
        return format!("{method} {uri}");
    };
    let pairs: Vec<String> = query.split('&').map(pair).collect();
    format!("{method} {}?{}", uri.path(), pairs.join("&"))
}

fn pair(pair: &str) -> String {
    let (name, value) = match pair.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (pair, None),
    };
    let decoded = percent_decode_str(name).decode_utf8_lossy().to_lowercase();
    if looks_secret(name) {
        return "(not told)".to_owned();
    }
    match value {
        Some(value) if SECRET.contains(&decoded.trim()) || looks_secret(value) => format!("{name}=(not told)"),
        _ => pair.to_owned(),
    }
}

fn looks_secret(text: &str) -> bool {
    let decoded = percent_decode_str(text).decode_utf8_lossy();
    BEGINNINGS.iter().any(|beginning| decoded.contains(beginning))
}

/// Returns the names of the parameters of a query, as they were sent; `?` for what may be no name, but a secret.
pub fn parameter_names(query: &str) -> Vec<&str> {
    let is_name = |name: &str, has_value: bool| {
        let is_word = |b: u8| b.is_ascii_lowercase() || has_value && (b.is_ascii_alphanumeric() || b"_-.".contains(&b));
        name.len() <= NAME && name.bytes().all(is_word) && !looks_secret(name)
    };
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| match pair.split_once('=') {
            Some((name, _)) if is_name(name, true) => name,
            None if is_name(pair, false) => pair,
            _ => "?",
        })
        .collect()
}

#[cfg(test)]
mod test {
    use super::*;

    fn told_of(uri: &str) -> String {
        told(&Method::GET, &uri.parse().expect("a URI"))
    }

    #[test]
    fn queries_are_told_without_secrets() {
        for plain in ["/", "/a/?limit=1&reverse", "/?x", "/?", "/?query=ASK%7B%7D&&b=c=d"] {
            assert_eq!(told_of(plain), format!("GET {plain}"));
        }
        for (uri, expected) in [
            ("/?access_token=abc&limit=1", "/?access_token=(not told)&limit=1"),
            ("/?%41ccess_token=abc", "/?%41ccess_token=(not told)"),
            ("/?code=1&STATE=2", "/?code=(not told)&STATE=(not told)"),
            ("/?x=ktbs_1_2", "/?x=(not told)"),
            ("/?x=Bearer%20%6btbs_1_2", "/?x=(not told)"),
            ("/?eyJhbGciOi.x.y", "/?(not told)"),
            ("/?ktbs_1_2=", "/?(not told)"),
        ] {
            assert_eq!(told_of(uri), format!("GET {expected}"));
        }
    }

    #[test]
    fn names_of_parameters_are_told_without_values() {
        assert_eq!(parameter_names("limit=1&reverse&&a_b=2"), ["limit", "reverse", "a_b"]);
        assert_eq!(parameter_names("s3cret&ktbs_1&ktbs_1=2&%20=3&UPPER"), ["?"; 5]);
        assert_eq!(parameter_names(""), [""; 0]);
    }
}
