//! A view to what the client gets of it: the headers that describe the representation, and its body.

use std::io::{self, Write};

use ::http::{HeaderMap, HeaderValue, header};

use super::conditional;
use super::response::Body;
use super::target::to_uri;
use crate::error::{Error, Result};
use crate::format::{Format, Offer, Prefixes, WriteView, html};
use crate::resource::View;
use crate::resource::view::Link;

/// Largest body that is held in memory, in bytes. Up to there the answer has a length, and may still become a refusal.
/// Not more, since what was held of a larger one is written again.
pub const HELD: u64 = 256 << 10;

/// Returns the headers of a representation but `Cache-Control`. Where the format was negotiated, they say so.
///
/// # Errors
/// `Internal` if a link is not a URI.
pub fn headers(view: &View, offer: &Offer, negotiated: bool) -> Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    let charset = if offer.media_type.starts_with("text/") {
        ";charset=utf-8"
    } else {
        ""
    };
    headers.insert(header::CONTENT_TYPE, value(format!("{}{charset}", offer.media_type))?);
    if let Some(extension) = offer.extension {
        headers.insert(header::CONTENT_LOCATION, to_uri(&format!("{}.{extension}", view.iri)));
    }
    if negotiated {
        headers.insert(header::VARY, HeaderValue::from_static("accept"));
    }
    conditional::add_validators(&mut headers, view, offer.media_type);
    for link in &view.links {
        headers.append(header::LINK, value(link_value(link))?);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if offer.media_type == "text/html" {
        headers.insert(
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static(html::policy()),
        );
    }
    Ok(headers)
}

fn value(text: String) -> Result<HeaderValue> {
    HeaderValue::try_from(text).map_err(|e| Error::Internal(e.to_string()))
}

/// Writes a link without any space, and `rel` first: browser clients cut the header at `;` and compare the second part
/// with `rel="next"`.
fn link_value(link: &Link) -> String {
    let mut text = format!("<{}>;rel=\"{}\"", link.uri, link.rel);
    for (name, value) in &link.parameters {
        text.push_str(&format!(";{name}=\"{value}\""));
    }
    text
}

/// Returns the body that shows a view.
///
/// It is held whole if it is not larger than [`HELD`]. Otherwise what was written is dropped, and the view, which is a
/// snapshot and gives the same bytes again, is written anew when the headers have been sent: formats need not know how
/// to pause, at the price of writing its beginning twice. A view that is known to be long is written once only.
///
/// # Errors
/// `AnswerTooLarge` if the body has more than `max_bytes`, which is then counted to the end; the errors of the format.
pub fn body(view: View, format: &Format, prefixes: Prefixes, max_bytes: Option<u64>) -> Result<Body> {
    let write = format
        .write
        .ok_or_else(|| Error::Serialize(format!("{} is never written", format.name)))?;
    if max_bytes.is_none() && !format.may_refuse && view.is_long()? {
        return Ok(streamed(view, write, prefixes));
    }
    let mut held = Held {
        bytes: Vec::new(),
        length: 0,
        max_bytes,
    };
    let written = write(&view, &prefixes, &mut held);
    if let Some(max_bytes) = held.exceeded() {
        return Err(Error::AnswerTooLarge(format!("max_bytes ({max_bytes}) was exceeded")));
    }
    if held.length > HELD && max_bytes.is_none() {
        return Ok(streamed(view, write, prefixes));
    }
    written?;
    if held.length > HELD {
        return Ok(streamed(view, write, prefixes));
    }
    Ok(Body::Bytes(held.bytes))
}

fn streamed(view: View, write: WriteView, prefixes: Prefixes) -> Body {
    Body::Stream(Box::new(move |out| write(&view, &prefixes, out)))
}

/// Keeps what is written as long as it is small, and stops the writer when it need not go on.
struct Held {
    bytes: Vec<u8>,
    length: u64,
    max_bytes: Option<u64>,
}

impl Held {
    /// Returns the administrator's limit, if it was exceeded.
    fn exceeded(&self) -> Option<u64> {
        self.max_bytes.filter(|&max_bytes| self.length > max_bytes)
    }
}

impl Write for Held {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.length += bytes.len() as u64;
        if self.length <= HELD {
            self.bytes.extend_from_slice(bytes);
            return Ok(());
        }
        self.bytes = Vec::new();
        if self.max_bytes.is_none() || self.exceeded().is_some() {
            return Err(io::Error::other("larger than what is held"));
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod test {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::format;
    use crate::rdf::Graph;
    use crate::resource::{Shape, view::Content};

    /// A view whose date says how many bytes `write` below makes of it.
    fn view(bytes: u64) -> View {
        View {
            iri: "http://h/é/".to_owned(),
            shape: Shape::Base,
            tags: vec!["1".to_owned()],
            modified: Some(bytes),
            links: vec![],
            model: None,
            content: Content::Graph(Graph::new()),
        }
    }

    fn write(view: &View, _: &Prefixes, out: &mut dyn Write) -> Result<()> {
        let mut left = view.modified.unwrap();
        while left > 0 {
            let n = left.min(1000);
            out.write_all(&vec![b'x'; usize::try_from(n).unwrap()])
                .map_err(Error::Gone)?;
            left -= n;
        }
        Ok(())
    }

    fn fail(view: &View, prefixes: &Prefixes, out: &mut dyn Write) -> Result<()> {
        write(view, prefixes, out)?;
        Err(Error::Serialize("no".to_owned()))
    }

    fn format(write: WriteView) -> Format {
        Format {
            write: Some(write),
            ..format::JSON
        }
    }

    fn offer_of(extension: &str) -> &'static Offer {
        format::offers(Shape::Base)
            .find(|offer| offer.extension == Some(extension))
            .unwrap()
    }

    #[test]
    fn small_bodies_are_held_and_large_ones_streamed() {
        for (bytes, max_bytes, expected) in [
            (0, None, "Bytes(0)"),
            (HELD, None, "Bytes(262144)"),
            (HELD + 1, None, "Stream"),
            (900, Some(900), "Bytes(900)"),
            (HELD + 1, Some(HELD + 1), "Stream"),
        ] {
            let found = body(view(bytes), &format(write), Prefixes::default(), max_bytes).unwrap();
            assert_eq!(format!("{found:?}"), expected);
            if let Body::Stream(stream) = found {
                let mut out = Vec::new();
                stream(&mut out).unwrap();
                assert_eq!(out.len() as u64, bytes);
            }
        }
    }

    #[test]
    fn the_limit_on_answers_is_exact() {
        for (bytes, max_bytes) in [(901, 900), (HELD + 2, HELD + 1), (2, 0)] {
            let error = body(view(bytes), &format(write), Prefixes::default(), Some(max_bytes)).unwrap_err();
            assert_eq!(error.to_string(), format!("max_bytes ({max_bytes}) was exceeded"));
            assert!(matches!(error, Error::AnswerTooLarge(_)));
        }
    }

    #[test]
    fn a_failure_is_told_as_long_as_it_can_be() {
        for (bytes, max_bytes) in [(10, None), (HELD + 1, Some(HELD * 2))] {
            let error = body(view(bytes), &format(fail), Prefixes::default(), max_bytes).unwrap_err();
            assert!(matches!(error, Error::Serialize(_)));
        }
        let late = body(view(HELD + 1), &format(fail), Prefixes::default(), None).unwrap();
        let Body::Stream(stream) = late else { panic!("{late:?}") };
        assert!(matches!(stream(&mut io::sink()), Err(Error::Serialize(_))));
    }

    #[test]
    fn headers_describe_the_representation() {
        let mut view = view(0);
        view.links = vec![
            Link {
                uri: "http://h/t/@obsels".to_owned(),
                rel: "canonical",
                parameters: vec![("etag", "1".to_owned()), ("mstable-etag", "1s".to_owned())],
            },
            Link {
                uri: "http://h/t/@obsels?limit=2&after=o2".to_owned(),
                rel: "next",
                parameters: vec![],
            },
        ];
        let found = headers(&view, offer_of("ttl"), true).unwrap();
        assert_eq!(found["content-type"], "text/turtle;charset=utf-8");
        assert_eq!(found["content-location"], "http://h/%C3%A9/.ttl");
        assert_eq!(found["vary"], "accept");
        assert_eq!(found["etag"], "W/\"text/turtle/1\"");
        assert_eq!(found["last-modified"], "Thu, 01 Jan 1970 00:00:00 GMT");
        let links: Vec<_> = found.get_all("link").iter().collect();
        assert_eq!(
            links,
            [
                "<http://h/t/@obsels>;rel=\"canonical\";etag=\"1\";mstable-etag=\"1s\"",
                "<http://h/t/@obsels?limit=2&after=o2>;rel=\"next\""
            ]
        );
        let found = headers(&view, offer_of("json"), false).unwrap();
        assert_eq!(found["content-type"], "application/json");
        assert_eq!(found.get("vary"), None);
    }
}
