//! URLs to IRIs, extensions and parameters, and IRIs back to URIs.
//!
//! IRIs are kept in their Unicode form. A URL is brought to it as RFC 3987 section 3.2 says: percent-encoded bytes
//! are decoded, `%2F` too, but for characters that may not stand in an IRI or would change its meaning there.

use ::http::{HeaderValue, Uri};
use percent_encoding::{percent_decode_str, utf8_percent_encode};

use super::request::NOT_IN_URI;
use crate::error::{Error, Result};

/// What the URL of a request says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    /// The absolute IRI of the resource, without extension and parameters.
    pub iri: String,
    /// What follows the last dot of the last segment, if it is not empty: it selects a format.
    pub extension: Option<String>,
    /// The query parameters, decoded, in order.
    pub parameters: Vec<(String, String)>,
}

impl Url {
    /// Takes a URI apart; `None` if it is not below the root, which is an absolute IRI that ends with `/`.
    ///
    /// # Errors
    /// `Parse` if path or query is not UTF-8 once decoded.
    pub fn parse(uri: &Uri, root: &str) -> Result<Option<Self>> {
        let root_path = to_iri_path(path_of(root))?;
        let path = to_iri_path(uri.path())?;
        let Some(below) = path.strip_prefix(&root_path) else {
            return Ok(None);
        };
        let last_segment = below.rfind('/').map_or(0, |slash| slash + 1);
        let (below, extension) = match below[last_segment..].rfind('.') {
            Some(dot) => (
                &below[..last_segment + dot],
                Some(&below[last_segment + dot + 1..]).filter(|extension| !extension.is_empty()),
            ),
            None => (below, None),
        };
        Ok(Some(Self {
            iri: format!("{root}{below}"),
            extension: extension.map(str::to_owned),
            parameters: parameters(uri.query().unwrap_or(""))?,
        }))
    }

    /// Removes the parameters `_`, by which JavaScript libraries defeat caches; tells whether one had a value, so
    /// that the answer must not be cached either.
    pub fn take_cache_buster(&mut self) -> bool {
        let mut busted = false;
        self.parameters.retain(|(name, value)| {
            busted |= name == "_" && !value.is_empty();
            name != "_"
        });
        busted
    }
}

/// Returns the path of an absolute IRI that has an authority.
fn path_of(iri: &str) -> &str {
    let authority = iri.find("://").map_or(0, |colon| colon + 3);
    iri[authority..]
        .find('/')
        .map_or("/", |slash| &iri[authority + slash..])
}

fn decode(encoded: &str) -> Result<String> {
    match percent_decode_str(encoded).decode_utf8() {
        Ok(text) => Ok(text.into_owned()),
        Err(_) => Err(Error::Parse(format!("the URL is not in UTF-8: {encoded}"))),
    }
}

fn to_iri_path(path: &str) -> Result<String> {
    let decoded = decode(path)?;
    let mut iri = String::with_capacity(decoded.len());
    for c in decoded.chars() {
        if c.is_control() || " \"#%<>?\\^`{|}".contains(c) {
            let mut bytes = [0; 4];
            for byte in c.encode_utf8(&mut bytes).bytes() {
                iri.push_str(percent_encoding::percent_encode_byte(byte));
            }
        } else {
            iri.push(c);
        }
    }
    Ok(iri)
}

/// Decodes a query string as `application/x-www-form-urlencoded` (URL standard, section 5.1): a parameter without `=`
/// has an empty value, and `+` is a space.
pub(super) fn parameters(query: &str) -> Result<Vec<(String, String)>> {
    let text = |encoded: &str| decode(&encoded.replace('+', " "));
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((text(name)?, text(value)?))
        })
        .collect()
}

/// Returns the URI of an absolute IRI, as a header holds it: what is not ASCII is percent-encoded as UTF-8 (RFC 3987
/// section 3.1).
pub fn to_uri(iri: &str) -> HeaderValue {
    let uri = utf8_percent_encode(iri, NOT_IN_URI).to_string();
    HeaderValue::try_from(uri).expect("percent-encoded text is visible ASCII")
}

#[cfg(test)]
mod test {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use ::http::uri::PathAndQuery;
    use proptest::prelude::*;

    use super::*;

    fn url(root: &str, raw: &str) -> Result<Option<Url>> {
        Url::parse(&Uri::from(raw.parse::<PathAndQuery>().unwrap()), root)
    }

    fn split(root: &str, raw: &str) -> Option<(String, Option<String>)> {
        url(root, raw).unwrap().map(|url| (url.iri, url.extension))
    }

    #[test]
    fn path_is_decoded_then_cut_at_the_extension() {
        for (raw, iri, extension) in [
            ("/", "http://h/", None),
            ("/.jsonld", "http://h/", Some("jsonld")),
            ("/b1/", "http://h/b1/", None),
            ("/%62%31/", "http://h/b1/", None),
            ("/b1%2F", "http://h/b1/", None),
            ("/b1%2f.ttl", "http://h/b1/", Some("ttl")),
            ("/b1/.ttl", "http://h/b1/", Some("ttl")),
            ("/b1/model.ttl", "http://h/b1/model", Some("ttl")),
            ("/b1/model.foo.ttl", "http://h/b1/model.foo", Some("ttl")),
            ("/b1/.", "http://h/b1/", None),
            ("/b1/./", "http://h/b1/./", None),
            ("//b1/", "http://h//b1/", None),
            ("/b.1/t", "http://h/b.1/t", None),
            ("/caf%C3%A9/", "http://h/café/", None),
            ("/b1/t1/@obsels.json", "http://h/b1/t1/@obsels", Some("json")),
            ("/b1/t1/%40obsels", "http://h/b1/t1/@obsels", None),
            ("/b1/a%20b%3F%23%25", "http://h/b1/a%20b%3F%23%25", None),
        ] {
            let expected = (iri.to_owned(), extension.map(str::to_owned));
            assert_eq!(split("http://h/", raw), Some(expected), "{raw}");
        }
    }

    #[test]
    fn only_what_is_below_the_root_is_served() {
        let root = "http://localhost:8001/foo/bar/";
        let expected = ("http://localhost:8001/foo/bar/b1/".to_owned(), None);
        assert_eq!(split(root, "/foo/bar/b1/"), Some(expected.clone()));
        assert_eq!(split(root, "/foo%2Fbar/b1/"), Some(expected));
        for raw in ["/", "/foo/", "/foo/bar", "/foo/barb1/", "*"] {
            assert_eq!(split(root, raw), None, "{raw}");
        }
        assert_eq!(split("http://h/é/", "/%C3%A9/x").unwrap().0, "http://h/é/x");
    }

    #[test]
    fn invalid_utf8_is_refused() {
        for raw in ["/caf%E9/", "/?prop=%FF", "/?%FF"] {
            assert!(matches!(url("http://h/", raw), Err(Error::Parse(_))), "{raw}");
        }
    }

    #[test]
    fn parameters_are_decoded() {
        for (query, expected) in [
            ("", vec![]),
            ("a=1&b", vec![("a", "1"), ("b", "")]),
            ("&&a=1&", vec![("a", "1")]),
            ("a=b=c", vec![("a", "b=c")]),
            ("a+b=c+d%2B", vec![("a b", "c d+")]),
            ("a=1&a=2", vec![("a", "1"), ("a", "2")]),
            ("=x", vec![("", "x")]),
            ("p=%zz%", vec![("p", "%zz%")]),
        ] {
            let found = parameters(query).unwrap();
            let found: Vec<_> = found.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
            assert_eq!(found, expected, "{query}");
        }
    }

    #[test]
    fn cache_buster_is_taken() {
        for (raw, busted) in [("/?a=1&_=123", true), ("/?_=&a=1", false), ("/?a=1", false)] {
            let mut url = url("http://h/", raw).unwrap().unwrap();
            assert_eq!(url.take_cache_buster(), busted, "{raw}");
            assert_eq!(url.parameters, [("a".to_owned(), "1".to_owned())], "{raw}");
        }
    }

    proptest! {
        #[test]
        fn any_url_is_parsed_or_refused(raw in "/[ -~]{0,60}") {
            if let Ok(uri) = raw.parse::<PathAndQuery>() {
                let _ = Url::parse(&Uri::from(uri), "http://h/");
            }
        }

        #[test]
        fn parameters_round_trip(pairs in prop::collection::vec((any::<String>(), any::<String>()), 0..5)) {
            let pairs: Vec<_> = pairs.into_iter().filter(|(n, v)| !n.is_empty() || !v.is_empty()).collect();
            let encode = |text: &str| utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string();
            let query: Vec<_> = pairs.iter().map(|(n, v)| format!("{}={}", encode(n), encode(v))).collect();
            prop_assert_eq!(parameters(&query.join("&")).unwrap(), pairs);
        }

        #[test]
        fn uri_of_an_iri_leads_back_to_it(name in "[\\p{L}\\p{N}_@-]{1,20}") {
            let iri = format!("http://h/{name}");
            let uri = to_uri(&iri);
            let uri = Uri::from(uri.to_str().unwrap()["http://h".len()..].parse::<PathAndQuery>().unwrap());
            prop_assert_eq!(Url::parse(&uri, "http://h/").unwrap().unwrap().iri, iri);
        }
    }
}
