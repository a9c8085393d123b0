//! Validators and preconditions (RFC 9110 sections 8.8 and 13).
//!
//! The etag of a representation is weak, and is the tag of the resource tainted with the media type:
//! `W/"text/turtle/4f…"`. So whoever replaces a resource must have read it in the format in which it is written (kTBS
//! documentation, "Concurrency").

use std::time::{Duration, SystemTime};

use ::http::{HeaderMap, HeaderName, HeaderValue, header};

use super::request::text;
use crate::error::{Error, Result};
use crate::resource::{Expected, View};

/// All the etags of a representation, from the most volatile to the most stable, separated by spaces; `ETag` is the
/// last (kTBS documentation, "obsel collection").
pub const X_ETAGS: HeaderName = HeaderName::from_static("x-etags");

/// What web servers append to an etag when they compress what it names (seen with mod_deflate and mod_brotli of httpd
/// 2.4, and with Jetty).
const COMPRESSED: [&str; 9] = [
    "--gzip", "-gzip", ";gzip", "-br", ";br", "-deflate", ";deflate", "-zstd", ";zstd",
];

/// Adds `ETag`, `X-Etags` and `Last-Modified` to the headers of an answer that shows a view in a media type.
pub fn add_validators(headers: &mut HeaderMap, view: &View, media_type: &str) {
    let etags: Vec<_> = view
        .tags
        .iter()
        .map(|tag| format!("W/\"{media_type}/{tag}\""))
        .collect();
    let value = |text: &str| HeaderValue::from_str(text).expect("tags and media types are visible ASCII");
    if let Some(etag) = etags.last() {
        headers.insert(header::ETAG, value(etag));
        headers.insert(X_ETAGS, value(&etags.join(" ")));
    }
    if let Some(modified) = view.modified {
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(modified);
        headers.insert(header::LAST_MODIFIED, value(&httpdate::fmt_http_date(time)));
    }
}

/// Tells whether the client already has what would be answered, by the validators of the answer: `If-None-Match`, or
/// if it did not come, `If-Modified-Since`.
pub fn is_fresh(request: &HeaderMap, answer: &HeaderMap) -> bool {
    if request.contains_key(header::IF_NONE_MATCH) {
        let Some(etag) = text(answer, header::ETAG) else {
            return false;
        };
        let listed = text(request, header::IF_NONE_MATCH).unwrap_or_default();
        return listed.trim() == "*" || opaque_tags(&listed).any(|tag| opaque_tags(&etag).any(|etag| etag == tag));
    }
    let date = |headers, name| text(headers, name).and_then(|date| httpdate::parse_http_date(&date).ok());
    match (
        date(request, header::IF_MODIFIED_SINCE),
        date(answer, header::LAST_MODIFIED),
    ) {
        (Some(since), Some(modified)) => modified <= since,
        _ => false,
    }
}

/// Returns the condition under which a `PUT` may replace a resource, by `If-Match`. `tag` is the present tag of the
/// resource, if it has any; `media_type` is that of the payload. With an extension in the URL, `If-Match` is optional.
///
/// # Errors
/// `EtagRequired` if `If-Match` is missing, or `*`, and is not optional; `EtagMismatch` if it names another state.
pub fn expected(request: &HeaderMap, tag: Option<&str>, media_type: &str, optional: bool) -> Result<Expected> {
    let Some(tag) = tag else {
        return Ok(Expected::Anything);
    };
    let listed = text(request, header::IF_MATCH).unwrap_or_default();
    if matches!(listed.trim(), "" | "*") {
        return if optional {
            Ok(Expected::Anything)
        } else {
            Err(Error::EtagRequired)
        };
    }
    let current = opaque_tags(&listed).any(|listed| {
        listed
            .strip_prefix(media_type)
            .and_then(|listed| listed.strip_prefix('/'))
            .is_some_and(|listed| listed == tag)
    });
    if current {
        // It is checked again in the transaction that replaces the resource.
        Ok(Expected::Tags(vec![tag.to_owned()]))
    } else {
        Err(Error::EtagMismatch)
    }
}

/// Returns what stands between the quotes of a list of etags, for weak comparison, without what compression appends.
/// A list without any quote is one etag, for clients that do not quote theirs.
fn opaque_tags(list: &str) -> impl Iterator<Item = &str> {
    let quoted = list.split('"').skip(1).step_by(2);
    let bare = Some(list.trim()).filter(|list| !list.contains('"'));
    let bare = bare.map(|bare| bare.strip_prefix("W/").unwrap_or(bare));
    quoted.chain(bare).map(|tag| {
        COMPRESSED
            .iter()
            .find_map(|suffix| tag.strip_suffix(suffix))
            .unwrap_or(tag)
    })
}

#[cfg(test)]
mod test {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::rdf::Graph;
    use crate::resource::{Shape, view::Content};

    fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap()))
            .collect()
    }

    fn validators(tags: &[&str], modified: Option<u64>) -> HeaderMap {
        let view = View {
            iri: String::new(),
            shape: Shape::Obsels,
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            modified,
            links: vec![],
            model: None,
            content: Content::Graph(Graph::new()),
        };
        let mut headers = HeaderMap::new();
        add_validators(&mut headers, &view, "text/turtle");
        headers
    }

    #[test]
    fn etag_is_the_most_stable_and_x_etags_lists_all() {
        let headers = validators(&["1", "2s", "3p"], Some(784_111_777));
        assert_eq!(headers[header::ETAG], "W/\"text/turtle/3p\"");
        assert_eq!(
            headers[X_ETAGS],
            "W/\"text/turtle/1\" W/\"text/turtle/2s\" W/\"text/turtle/3p\""
        );
        assert_eq!(headers[header::LAST_MODIFIED], "Sun, 06 Nov 1994 08:49:37 GMT");
        assert!(validators(&[], None).is_empty());
    }

    #[test]
    fn if_none_match_prevails_over_if_modified_since() {
        let answer = validators(&["1", "2s"], Some(784_111_777));
        for (listed, fresh) in [
            ("W/\"text/turtle/2s\"", true),
            ("\"text/turtle/2s\"", true),
            ("text/turtle/2s", true),
            ("W/text/turtle/2s", true),
            ("\"a\", W/\"text/turtle/2s\"", true),
            ("W/\"text/turtle/2s-gzip\"", true),
            ("W/\"text/turtle/2s;gzip\"", true),
            ("*", true),
            ("W/\"text/turtle/1\"", false),
            ("W/\"application/json/2s\"", false),
            ("", false),
        ] {
            let request = headers(&[
                (header::IF_NONE_MATCH, listed),
                (header::IF_MODIFIED_SINCE, "Sun, 06 Nov 2044 08:49:37 GMT"),
            ]);
            assert_eq!(is_fresh(&request, &answer), fresh, "{listed}");
        }
        let any = headers(&[(header::IF_NONE_MATCH, "*")]);
        assert!(!is_fresh(&any, &HeaderMap::new()));
    }

    #[test]
    fn if_modified_since_compares_dates() {
        let answer = validators(&["1"], Some(784_111_777));
        for (since, fresh) in [
            ("Sun, 06 Nov 1994 08:49:37 GMT", true),
            ("Sunday, 06-Nov-94 08:49:38 GMT", true),
            ("Sun, 06 Nov 1994 08:49:36 GMT", false),
            ("yesterday", false),
        ] {
            let request = headers(&[(header::IF_MODIFIED_SINCE, since)]);
            assert_eq!(is_fresh(&request, &answer), fresh, "{since}");
            assert!(!is_fresh(&request, &HeaderMap::new()), "{since}");
        }
    }

    #[test]
    fn if_match_names_the_state_in_the_type_of_the_payload() {
        let check = |listed: Option<&str>, optional| {
            let request = listed.map_or_else(HeaderMap::new, |listed| headers(&[(header::IF_MATCH, listed)]));
            expected(&request, Some("1"), "text/turtle", optional)
        };
        for listed in [
            "W/\"text/turtle/1\"",
            "\"text/turtle/1\"",
            "text/turtle/1",
            "\"x\", \"text/turtle/1\"",
            "W/\"text/turtle/1-gzip\"",
            "W/\"text/turtle/1-br\"",
        ] {
            for optional in [false, true] {
                let found = check(Some(listed), optional).unwrap();
                assert_eq!(found, Expected::Tags(vec!["1".to_owned()]), "{listed}");
            }
        }
        for listed in ["W/\"application/json/1\"", "\"text/turtle/11\"", "\"1\"", "\"*\""] {
            for optional in [false, true] {
                assert!(
                    matches!(check(Some(listed), optional), Err(Error::EtagMismatch)),
                    "{listed}"
                );
            }
        }
        for listed in [None, Some("*"), Some("")] {
            assert!(matches!(check(listed, false), Err(Error::EtagRequired)), "{listed:?}");
            assert_eq!(check(listed, true).unwrap(), Expected::Anything, "{listed:?}");
        }
        assert_eq!(
            expected(&HeaderMap::new(), None, "text/turtle", false).unwrap(),
            Expected::Anything
        );
    }
}
