//! A page for people: what a resource is, and a console to act on it.
//!
//! The page stands alone: its style and its script are in it, and it lets a browser ask nothing of any other server.

mod graph;
mod obsels;
mod term;

use std::io::Write;

use self::term::{Terms, link, text, uri};
use crate::error::Result;
use crate::format::output::{Output, xml_text};
use crate::format::{HTML, PARSERS, Prefixes, offers};
use crate::resource::view::Content;
use crate::resource::{Shape, View};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("console.js");

/// What a browser may do with the page (Content Security Policy, level 3). Should a text of a graph ever escape its
/// escaping, it is not executed: the style and the script that run are those of these digests.
const POLICY: &str = "default-src 'none'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; \
    style-src 'sha256-LtQvWiHCDDa4IowYZAsaWoB8zhE45V7ftGui+UkjHxY='; script-src 'sha256-Xsc97tSLmyumoTQhcNSX7rssMQ2NaRJwa7POmNEm8Tk='";

/// How many bytes of rows are written at most. Whatever the values, a page remains one that a browser can show.
const ROWS: usize = 4 << 20;

/// Writes a view as a page: the first triples, or the first obsels of a collection, in a table; then the console.
///
/// # Errors
/// `Gone` if the writer fails; `Serialize` for a term that is none of RDF 1.1; those of the store.
pub fn write(view: &View, prefixes: &Prefixes, out: &mut dyn Write) -> Result<()> {
    let mut output = Output::new(out);
    let mut terms = Terms::new(view, prefixes);
    let mut cut = Cut { left: ROWS };
    head(&mut output.bytes, view);
    match (&view.content, view.shape) {
        (Content::Obsels(obsels), Shape::Obsels) => obsels::write(view, obsels, &mut terms, &mut cut, &mut output)?,
        _ => graph::write(view, &mut terms, &mut cut, &mut output)?,
    }
    console(&mut output.bytes, view);
    output.flush()
}

/// Tells when enough was written.
struct Cut {
    left: usize,
}

impl Cut {
    fn is_full(&self) -> bool {
        self.left == 0
    }

    fn count(&mut self, bytes: usize) {
        self.left = self.left.saturating_sub(bytes);
    }
}

const fn kind(shape: Shape) -> &'static str {
    match shape {
        Shape::Root => "kTBS root",
        Shape::Base => "base",
        Shape::Model => "trace model",
        Shape::Method => "method",
        Shape::Trace => "trace",
        Shape::DataGraph => "data graph",
        Shape::Obsels => "obsels of a trace",
        Shape::Obsel => "obsel",
        Shape::Stats => "statistics of a trace",
    }
}

fn head(bytes: &mut Vec<u8>, view: &View) {
    let levels = levels(view);
    let name = levels.last().map_or("", |(name, _)| *name);
    bytes.extend_from_slice(
        b"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
        <meta http-equiv=\"Content-Security-Policy\" content=\"",
    );
    bytes.extend_from_slice(POLICY.as_bytes());
    bytes.extend_from_slice(
        b"\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
        <meta name=\"referrer\" content=\"same-origin\">\n<link rel=\"icon\" href=\"data:,\">\n<title>",
    );
    text(bytes, name);
    bytes.extend_from_slice(" – ".as_bytes());
    bytes.extend_from_slice(kind(view.shape).as_bytes());
    bytes.extend_from_slice(b"</title>\n<style>");
    bytes.extend_from_slice(STYLE.as_bytes());
    bytes.extend_from_slice(b"</style>\n</head>\n<body>\n<nav>");
    for (at, (name, iri)) in levels.iter().enumerate() {
        if at > 0 {
            bytes.extend_from_slice(" › ".as_bytes());
        }
        link(bytes, iri, name);
    }
    bytes.extend_from_slice(b"</nav>\n<h1>");
    text(bytes, name);
    bytes.extend_from_slice(b" <span class=\"kind\">");
    bytes.extend_from_slice(kind(view.shape).as_bytes());
    bytes.extend_from_slice(b"</span></h1>\n<p class=\"formats\">Also in");
    let mut listed = vec![HTML.name];
    for offer in offers(view.shape) {
        if let Some(extension) = offer.extension
            && !listed.contains(&offer.format.name)
        {
            listed.push(offer.format.name);
            bytes.push(b' ');
            link(bytes, &format!("{}.{extension}", view.iri), offer.format.name);
        }
    }
    bytes.extend_from_slice(b"</p>\n");
}

/// Returns the resource and those that contain it, from the outermost: for each its last segment and its IRI.
///
/// The root is known where there are obsels. Elsewhere, what is above it on the same server is taken for a container.
fn levels(view: &View) -> Vec<(&str, &str)> {
    let iri = view.iri.as_str();
    let root = match &view.content {
        Content::Obsels(obsels) => obsels.root().len(),
        Content::Graph(_) if view.shape == Shape::Root => iri.len(),
        Content::Graph(_) => {
            let authority = iri.find("://").map_or(0, |scheme| scheme + 3);
            iri[authority..]
                .find('/')
                .map_or(iri.len(), |slash| authority + slash + 1)
        }
    };
    let Some(rest) = iri.get(root..) else {
        return vec![(iri, iri)];
    };
    let mut levels = vec![(&iri[..root], &iri[..root])];
    let mut end = root;
    for segment in rest.split_inclusive('/') {
        end += segment.len();
        levels.push((segment, &iri[..end]));
    }
    levels
}

fn console(bytes: &mut Vec<u8>, view: &View) {
    bytes.extend_from_slice(
        b"<form id=\"request\">\n<h2>Request</h2>\n<p><select name=\"method\" aria-label=\"Method\">\
        <option>GET<option>POST<option>PUT<option>DELETE</select>\n\
        <input name=\"address\" type=\"url\" aria-label=\"Address\" required value=\"",
    );
    xml_text(bytes, &uri(&view.iri));
    bytes.extend_from_slice(b"\">\n<button>Send</button></p>\n<p><label>Content type <select name=\"type\">");
    let mut listed = Vec::new();
    for (media_type, extensions, format) in PARSERS {
        if !extensions.is_empty() && !listed.contains(&format.name) {
            listed.push(format.name);
            bytes.extend_from_slice(b"<option>");
            bytes.extend_from_slice(media_type.as_bytes());
        }
    }
    bytes.extend_from_slice(
        b"</select></label>\n<label>If-Match <input name=\"match\"></label>\n\
        <button name=\"load\" type=\"button\">Read the current state</button></p>\n\
        <textarea name=\"body\" aria-label=\"Body\" spellcheck=\"false\"></textarea>\n<output></output>\n\
        <noscript><p class=\"note\">Requests are sent by a script.</p></noscript>\n</form>\n<script>",
    );
    bytes.extend_from_slice(SCRIPT.as_bytes());
    bytes.extend_from_slice(b"</script>\n</body>\n</html>\n");
}

#[cfg(test)]
mod test;
