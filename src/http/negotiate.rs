//! Which format suits a request: the one that its extension names, else the best that `Accept` lets choose (RFC 9110
//! section 12.5.1); and how the bytes of a payload become UTF-8 text.

use std::borrow::Cow;

use ::http::{HeaderMap, header};
use encoding_rs::{Encoding, UTF_8};

use super::request::text;
use crate::error::{Error, Result};
use crate::format::Offer;

/// Returns the format of the answer about a resource, among what it offers.
///
/// # Errors
/// `BadExtension` if an extension was given and no format of the resource has it; `NotAcceptable`, with the list of
/// all the formats, if none suits `Accept`.
pub fn answer(
    headers: &HeaderMap,
    extension: Option<&str>,
    iri: &str,
    offers: &[&'static Offer],
) -> Result<&'static Offer> {
    if let Some(extension) = extension {
        let named = offers.iter().find(|offer| offer.extension == Some(extension));
        return named.copied().ok_or(Error::BadExtension);
    }
    let ranges = text(headers, header::ACCEPT).and_then(|accept| parse_accept(&accept));
    let Some(ranges) = ranges else {
        return offers.first().copied().ok_or(Error::BadExtension);
    };
    let mut best: Option<(u16, &'static Offer)> = None;
    for offer in offers {
        let quality = quality(&ranges, offer.media_type);
        if quality > best.map_or(0, |(quality, _)| quality) {
            best = Some((quality, offer));
        }
    }
    best.map(|(_, offer)| offer)
        .ok_or_else(|| Error::NotAcceptable(list(iri, offers)))
}

/// Returns the index of the media type that a client prefers among some, the first of those that suit it best, or `None`
/// if it accepts none.
pub fn among(headers: &HeaderMap, media_types: &[&str]) -> Option<usize> {
    let Some(ranges) = text(headers, header::ACCEPT).and_then(|accept| parse_accept(&accept)) else {
        return (!media_types.is_empty()).then_some(0);
    };
    let mut best: Option<(u16, usize)> = None;
    for (index, media_type) in media_types.iter().enumerate() {
        let quality = quality(&ranges, media_type);
        if quality > best.map_or(0, |(quality, _)| quality) {
            best = Some((quality, index));
        }
    }
    best.map(|(_, index)| index)
}

/// Lists what a resource offers: one media type a line, with the IRI that selects it.
fn list(iri: &str, offers: &[&Offer]) -> String {
    let line = |offer: &&Offer| match offer.extension {
        Some(extension) => format!("{} <{iri}.{extension}>", offer.media_type),
        None => offer.media_type.to_owned(),
    };
    offers.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// A range of media types, lower case, and its quality in thousandths.
#[derive(Debug, PartialEq, Eq)]
struct Range {
    media_type: String,
    quality: u16,
}

/// Parses `Accept`; `None` if it is not well-formed, so that it is as if it had not come. An empty list accepts
/// nothing. Parameters but `q` are ignored, for no format has any.
fn parse_accept(accept: &str) -> Option<Vec<Range>> {
    let mut ranges = Vec::new();
    for element in split_outside_quotes(accept, ',') {
        let mut parts = split_outside_quotes(element, ';').map(str::trim);
        let media_type = parts.next().unwrap_or("").to_ascii_lowercase();
        if media_type.is_empty() {
            continue;
        }
        if !is_range(&media_type) {
            return None;
        }
        let mut quality = 1000;
        for part in parts.filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=')?;
            if name.trim().eq_ignore_ascii_case("q") {
                quality = parse_quality(value.trim())?;
                break;
            }
        }
        ranges.push(Range { media_type, quality });
    }
    Some(ranges)
}

fn split_outside_quotes(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(move |c| {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ => return c == separator && !quoted,
        }
        false
    })
}

fn is_range(media_type: &str) -> bool {
    let is_token = |text: &str| {
        !text.is_empty()
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
    };
    match media_type.split_once('/') {
        Some(("*", subtype)) => subtype == "*",
        Some((kind, subtype)) => is_token(kind) && is_token(subtype),
        None => false,
    }
}

/// Parses a quality: from 0 to 1, three decimals at most (RFC 9110 section 12.4.2).
fn parse_quality(text: &str) -> Option<u16> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    if decimals.len() > 3 || !decimals.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let thousandths: u16 = format!("{decimals:0<3}").parse().ok()?;
    match whole {
        "0" => Some(thousandths),
        "1" if thousandths == 0 => Some(1000),
        _ => None,
    }
}

/// Returns the quality of the most specific range that contains a media type; 0 if there is none.
fn quality(ranges: &[Range], media_type: &str) -> u16 {
    let kind = media_type.split('/').next().unwrap_or("");
    let of = |range: &str| ranges.iter().filter(|r| r.media_type == range).map(|r| r.quality).max();
    of(media_type)
        .or_else(|| of(&format!("{kind}/*")))
        .or_else(|| of("*/*"))
        .unwrap_or(0)
}

/// Returns a payload in UTF-8, without byte order mark. The charset is a label of the Encoding standard; by default
/// the payload is in UTF-8.
///
/// # Errors
/// `UnsupportedType` if the charset is unknown; `Parse` if the bytes are not in the charset.
pub fn decode<'a>(payload: &'a [u8], charset: Option<&str>) -> Result<Cow<'a, [u8]>> {
    let label = charset.unwrap_or("utf-8");
    let encoding = Encoding::for_label_no_replacement(label.as_bytes())
        .ok_or_else(|| Error::UnsupportedType(format!("unknown charset {label}")))?;
    // The standard makes US-ASCII a name of a larger set; RFC 20 does not.
    if label.to_ascii_lowercase().ends_with("ascii") && !payload.is_ascii() {
        return Err(Error::Parse("the payload is not in US-ASCII".to_owned()));
    }
    // A byte order mark tells the order of UTF-16, whichever label came (RFC 2781 section 4.3).
    let encoding = match Encoding::for_bom(payload) {
        Some((marked, _)) if label.to_ascii_lowercase().starts_with("utf-16") && marked != UTF_8 => marked,
        _ => encoding,
    };
    if encoding == UTF_8 {
        let payload = payload.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(payload);
        return match std::str::from_utf8(payload) {
            Ok(_) => Ok(Cow::Borrowed(payload)),
            Err(e) => Err(Error::Parse(format!(
                "the payload is not in UTF-8: byte {} is not valid",
                e.valid_up_to()
            ))),
        };
    }
    let (text, malformed) = encoding.decode_with_bom_removal(payload);
    if malformed {
        return Err(Error::Parse(format!("the payload is not in {}", encoding.name())));
    }
    Ok(match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    })
}

#[cfg(test)]
mod test {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use ::http::HeaderValue;
    use proptest::prelude::*;

    use super::*;
    use crate::format;
    use crate::resource::Shape;

    fn offers(shape: Shape) -> Vec<&'static Offer> {
        format::offers(shape).collect()
    }

    fn chosen(shape: Shape, accept: Option<&str>) -> Option<&'static str> {
        let mut headers = HeaderMap::new();
        if let Some(accept) = accept {
            headers.insert(header::ACCEPT, HeaderValue::from_str(accept).unwrap());
        }
        answer(&headers, None, "http://h/b1/", &offers(shape))
            .ok()
            .map(|o| o.media_type)
    }

    #[test]
    fn the_best_offer_is_chosen_from_accept() {
        for (accept, expected) in [
            (None, Some("application/ld+json")),
            (Some("*/*"), Some("application/ld+json")),
            (Some("application/*"), Some("application/ld+json")),
            (Some("foo"), Some("application/ld+json")),
            (Some("text/html, image/gif, *; q=.2"), Some("application/ld+json")),
            (Some("text/*"), Some("text/csv")),
            (Some("text/turtle, application/json"), Some("application/json")),
            (Some("text/turtle;q=0.5, application/json;q=0.4"), Some("text/turtle")),
            (
                Some("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
                Some("text/html"),
            ),
            (Some("text/*;q=0.5, text/turtle;q=0.1"), Some("text/csv")),
            (Some("*/*;q=0.1, application/ld+json;q=0"), Some("text/csv")),
            (Some("TEXT/TURTLE"), Some("text/turtle")),
            (Some("application/json;charset=utf-8"), Some("application/json")),
            (
                Some("application/ld+json;profile=\"http://a/b, c;d\""),
                Some("application/ld+json"),
            ),
            (Some("text/turtle; Q=0.3, , text/nt ;q=0.300"), Some("text/turtle")),
            (Some("application/n-triples"), Some("application/n-triples")),
            (Some("application/geo+json"), Some("application/geo+json")),
            (Some("x-gereco/*"), None),
            (Some("image/png"), None),
            (Some("text/turtle;q=0"), None),
            (Some(""), None),
        ] {
            assert_eq!(chosen(Shape::Obsels, accept), expected, "{accept:?}");
        }
        assert_eq!(chosen(Shape::Base, Some("text/*")), Some("text/turtle"));
        assert_eq!(chosen(Shape::Base, Some("text/csv")), None);
    }

    #[test]
    fn an_extension_selects_whatever_accept_says() {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static("image/png"));
        let chosen = |extension, shape| {
            answer(&headers, Some(extension), "", &offers(shape))
                .ok()
                .map(|o| o.media_type)
        };
        for (extension, expected) in [
            ("jsonld", Some("application/ld+json")),
            ("json", Some("application/json")),
            ("ttl", Some("text/turtle")),
            ("n3", Some("text/n3")),
            ("nt", Some("text/nt")),
            ("txt", Some("text/plain")),
            ("rdf", Some("application/rdf+xml")),
            ("xml", Some("application/xml")),
            ("html", Some("text/html")),
            ("csv", None),
            ("foo", None),
        ] {
            assert_eq!(chosen(extension, Shape::Base), expected, "{extension}");
        }
        assert_eq!(chosen("csv", Shape::Obsels), Some("text/csv"));
        assert_eq!(chosen("geojson", Shape::Obsels), Some("application/vnd.geo+json"));
    }

    #[test]
    fn the_offers_are_listed_when_none_suits() {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static("image/png"));
        let Err(Error::NotAcceptable(list)) = answer(&headers, None, "http://localhost:8101/b1/", &offers(Shape::Base))
        else {
            panic!("image/png is not offered");
        };
        let expected = "application/ld+json <http://localhost:8101/b1/.jsonld>\n\
                        application/json <http://localhost:8101/b1/.json>\n\
                        text/turtle <http://localhost:8101/b1/.ttl>\n\
                        application/rdf+xml <http://localhost:8101/b1/.rdf>\n\
                        text/html <http://localhost:8101/b1/.html>\n\
                        text/nt <http://localhost:8101/b1/.nt>\n\
                        application/ld+json <http://localhost:8101/b1/.jsonld>\n\
                        application/xml <http://localhost:8101/b1/.xml>\n\
                        application/x-turtle\n\
                        application/turtle\n\
                        text/x-turtle\n\
                        text/n3 <http://localhost:8101/b1/.n3>\n\
                        text/plain <http://localhost:8101/b1/.txt>\n\
                        application/json <http://localhost:8101/b1/.json>\n\
                        application/n-triples";
        assert_eq!(list, expected);
    }

    #[test]
    fn qualities() {
        for (text, expected) in [
            ("1", Some(1000)),
            ("1.000", Some(1000)),
            ("0", Some(0)),
            ("0.", Some(0)),
            ("0.05", Some(50)),
            ("0.999", Some(999)),
            ("1.1", None),
            ("2", None),
            ("-1", None),
            (".5", None),
            ("0.1234", None),
            ("", None),
        ] {
            assert_eq!(parse_quality(text), expected, "{text}");
        }
    }

    #[test]
    fn payloads_are_decoded() {
        let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
        let utf16_be = |text: &str| text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<_>>();
        for (payload, charset, expected) in [
            (b"\xC3\xA9".to_vec(), None, Some("é")),
            (b"\xEF\xBB\xBFa".to_vec(), None, Some("a")),
            (b"\xC3\xA9".to_vec(), Some("UTF-8"), Some("é")),
            (b"\xE9".to_vec(), Some("iso-8859-1"), Some("é")),
            (b"\xE9".to_vec(), Some("latin1"), Some("é")),
            (b"a".to_vec(), Some("us-ascii"), Some("a")),
            (utf16("é"), Some("utf-16le"), Some("é")),
            (utf16("\u{FEFF}é"), Some("utf-16"), Some("é")),
            (utf16_be("\u{FEFF}é"), Some("UTF-16"), Some("é")),
            (utf16_be("é"), Some("utf-16be"), Some("é")),
            (b"\xE9".to_vec(), None, None),
            (b"\xE9".to_vec(), Some("us-ascii"), None),
            (b"\x00\xD8".to_vec(), Some("utf-16le"), None),
        ] {
            match decode(&payload, charset) {
                Ok(text) => assert_eq!(Some(text.as_ref()), expected.map(str::as_bytes), "{payload:?}"),
                Err(Error::Parse(_)) => assert_eq!(expected, None, "{payload:?}"),
                Err(e) => panic!("{payload:?}: {e}"),
            }
        }
        assert!(matches!(decode(b"", Some("klingon")), Err(Error::UnsupportedType(_))));
        assert!(matches!(
            decode(b"", Some("iso-2022-kr")),
            Err(Error::UnsupportedType(_))
        ));
    }

    proptest! {
        #[test]
        fn any_accept_is_parsed(accept in "[ -~]{0,60}") {
            let _ = parse_accept(&accept);
        }
    }
}
