//! A page for people: the triples of a resource as a table, links to its other formats, a form to send requests.
//!
//! The page is whole by itself: its style and its script are in it, and nothing is requested from elsewhere. All that comes
//! from the store is escaped, and a policy forbids scripts from other places, should that ever fail.

use std::io::{self, Write};

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::output::{Output, xml_text};
use super::prefixes::{Prefix, bound};
use super::triples::{Blocks, Node, Speller, Triple, label, serialize};
use super::{Prefixes, offers};
use crate::error::{Error, Result};
use crate::resource::view::Content;
use crate::resource::{Shape, View};

/// How many obsels, or subjects, a page shows at most.
const SHOWN: u64 = 500;

/// The longest literal that a page shows whole, in characters.
const LONGEST: usize = 2000;

/// What is percent-encoded in the address of a link, besides non-ASCII characters.
const ADDRESS: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'`')
    .add(b'{')
    .add(b'}')
    .add(b'\\')
    .add(b'^');

const STYLE: &str = include_str!("html.css");
const SCRIPT: &str = include_str!("html.js");
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; \
    form-action 'none'; base-uri 'none'";

/// Writes a view as an HTML page.
///
/// # Errors
/// `Gone` if the writer fails; `Serialize` for a term that is none of RDF 1.1; those of the store.
pub fn write(view: &View, prefixes: &Prefixes, out: &mut dyn Write) -> Result<()> {
    let mut page = Page {
        output: Output::new(out),
        prefixes: bound(prefixes, view),
        speller: Speller::new(view),
        shown: 0,
        block: 0,
    };
    page.head(view);
    page.table(view)?;
    page.form(view);
    page.text("</main><script>");
    page.text(SCRIPT);
    page.text("</script></body></html>\n");
    page.output.flush()
}

struct Page<'v, 'w> {
    output: Output<'w>,
    prefixes: Vec<Prefix>,
    speller: Speller<'v>,
    /// How many subjects were shown so far.
    shown: u64,
    /// The number of the present block, part of the labels of its blank nodes.
    block: u64,
}

impl Page<'_, '_> {
    /// Appends markup.
    fn text(&mut self, markup: &str) {
        self.output.bytes.extend_from_slice(markup.as_bytes());
    }

    /// Appends text, escaped.
    fn escaped(&mut self, text: &str) {
        xml_text(&mut self.output.bytes, text);
    }

    /// Appends a link, if the address is one that a browser follows to a page; else only its text.
    fn link(&mut self, address: &str, text: &str) {
        if !address.starts_with("http://") && !address.starts_with("https://") {
            self.escaped(text);
            return;
        }
        self.text("<a href=\"");
        self.escaped(&utf8_percent_encode(address, ADDRESS).to_string());
        self.text("\">");
        self.escaped(text);
        self.text("</a>");
    }

    fn head(&mut self, view: &View) {
        self.text("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta http-equiv=\"Content-Security-Policy\" content=\"");
        self.text(POLICY);
        self.text("\"><meta name=\"viewport\" content=\"width=device-width\"><title>");
        self.escaped(name(&view.iri));
        self.text(" – kTBS</title><style>");
        self.text(STYLE);
        self.text("</style></head>\n<body data-uri=\"");
        self.escaped(&utf8_percent_encode(&view.iri, ADDRESS).to_string());
        self.text("\"><header><nav>");
        self.breadcrumb(&view.iri);
        self.text("</nav><h1>");
        self.escaped(name(&view.iri));
        self.text(" <small>");
        self.text(title(view.shape));
        self.text("</small></h1><p class=\"formats\">Also as ");
        let mut seen = Vec::new();
        for offer in offers(view.shape) {
            if let Some(extension) = offer.extension.filter(|it| *it != "html" && !seen.contains(it)) {
                seen.push(extension);
                self.link(&format!("{}.{extension}", view.iri), offer.media_type);
            }
        }
        self.text("</p></header>\n<main>");
        for link in view.links.iter().filter(|link| link.rel == "next") {
            self.text("<p>");
            self.link(&link.uri, "Next page");
            self.text("</p>");
        }
    }

    /// Appends links to what contains a resource, from the host on.
    fn breadcrumb(&mut self, iri: &str) {
        let path = iri.find("://").and_then(|at| Some(at + 3 + iri[at + 3..].find('/')?));
        let mut start = 0;
        for (at, _) in iri.match_indices('/') {
            if path.is_some_and(|path| at >= path) && at + 1 < iri.len() {
                self.link(&iri[..=at], &iri[start..=at]);
                self.text(" ");
                start = at + 1;
            }
        }
        self.escaped(&iri[start..]);
    }

    /// Appends the triples, one group of rows per subject, one row per predicate.
    fn table(&mut self, view: &View) -> Result<()> {
        self.text(
            "<h2>Description</h2><table><thead><tr><th>Subject</th><th>Property</th><th>Values</th></tr></thead>\n",
        );
        let mut cut = false;
        let mut write = Blocks(|block: &[Triple<'_>]| {
            for subject in block.chunk_by(|a, b| a[0] == b[0]) {
                if self.shown >= SHOWN {
                    cut = true;
                    return Err(Error::Gone(io::Error::other("enough is shown")));
                }
                self.subject(subject)?;
            }
            self.block += 1;
            self.output.pass()
        });
        let blocks = serialize(view, &mut write);
        // A page that is long enough ends the walk by an error, since nothing else does.
        if !cut {
            blocks?;
        }
        self.text("</table>\n");
        if cut {
            let advice = match view.content {
                Content::Obsels(_) => "add ?limit=100 to the address to read the rest by pages",
                Content::Graph(_) => "the other formats have the rest",
            };
            self.text(&format!("<p>Only the first {SHOWN} subjects are shown: {advice}.</p>"));
        }
        Ok(())
    }

    fn subject(&mut self, triples: &[Triple<'_>]) -> Result<()> {
        let groups: Vec<_> = triples.chunk_by(|a, b| a[1] == b[1]).collect();
        self.text("<tbody>");
        for (i, group) in groups.iter().enumerate() {
            self.text("<tr>");
            if i == 0 {
                self.text(&format!("<th rowspan=\"{}\">", groups.len()));
                self.node(group[0][0])?;
                self.text("</th>");
            }
            self.text("<td class=\"p\">");
            self.node(group[0][1])?;
            self.text("</td><td>");
            for (j, [_, _, object]) in group.iter().enumerate() {
                if j > 0 {
                    self.text("<br>");
                }
                self.node(*object)?;
            }
            self.text("</td></tr>\n");
        }
        self.text("</tbody>");
        self.shown += 1;
        Ok(())
    }

    fn node(&mut self, node: Node<'_>) -> Result<()> {
        match node {
            Node::Known(known) => self.iri(known.iri()),
            Node::Named(name) => {
                let iri = self.speller.iri(name)?;
                self.iri(&iri);
            }
            Node::Iri(start, rest) => self.iri(&format!("{start}{rest}")),
            Node::Blank(blank) => {
                self.text("_:");
                label(&mut self.output.bytes, self.block, blank);
            }
            Node::Integer(value) => self.text(&value.to_string()),
            Node::String(text) => self.literal(text),
            Node::Tagged(text, language) => {
                self.literal(text);
                self.note(language);
            }
            Node::Typed(text, name) => {
                let datatype = self.speller.iri(name)?;
                self.literal(text);
                let datatype = self.abbreviated(&datatype);
                self.note(&datatype);
            }
            Node::Literal(text, datatype) => {
                self.literal(text);
                let datatype = self.abbreviated(datatype);
                self.note(&datatype);
            }
        }
        Ok(())
    }

    fn iri(&mut self, iri: &str) {
        let text = self.abbreviated(iri);
        self.link(iri, &text);
    }

    fn literal(&mut self, text: &str) {
        match text.char_indices().nth(LONGEST) {
            Some((end, _)) => {
                self.escaped(&text[..end]);
                self.text("…");
            }
            None => self.escaped(text),
        }
    }

    fn note(&mut self, text: &str) {
        self.text(" <small>");
        self.escaped(text);
        self.text("</small>");
    }

    /// Returns an IRI with a prefix, if one fits.
    fn abbreviated(&self, iri: &str) -> String {
        let fitting = self.prefixes.iter().find_map(|prefix| {
            let rest = iri.strip_prefix(&*prefix.namespace).filter(|rest| !rest.is_empty())?;
            Some(format!("{}:{rest}", prefix.name))
        });
        fitting.unwrap_or_else(|| iri.to_owned())
    }

    fn form(&mut self, view: &View) {
        self.text(
            "<h2>Send a request</h2><form id=\"request\"><label>Method <select name=\"method_name\">\
            <option>PUT</option><option>POST</option><option>DELETE</option></select></label>\
            <label>Format <select name=\"type\">",
        );
        let mut seen = Vec::new();
        for offer in offers(view.shape) {
            if offer.format.parse.is_some() && !seen.contains(&offer.format.name) {
                seen.push(offer.format.name);
                self.text(&format!("<option>{}</option>", offer.media_type));
            }
        }
        self.text(
            "</select></label><button type=\"button\" id=\"load\">Load the present state</button>\
            <textarea name=\"body\" spellcheck=\"false\" aria-label=\"Payload\"></textarea>\
            <button>Send</button></form><pre id=\"answer\"></pre>",
        );
    }
}

/// Returns the last segment of an IRI, with its final `/`.
fn name(iri: &str) -> &str {
    let trimmed = iri.strip_suffix('/').unwrap_or(iri);
    trimmed.rfind('/').map_or(iri, |slash| &iri[slash + 1..])
}

/// Returns what a resource of a shape is called.
fn title(shape: Shape) -> &'static str {
    match shape {
        Shape::Root => "kTBS",
        Shape::Base => "base",
        Shape::Model => "trace model",
        Shape::Method => "method",
        Shape::Trace => "trace",
        Shape::DataGraph => "data graph",
        Shape::Obsels => "obsels",
        Shape::Obsel => "obsel",
        Shape::Stats => "statistics",
        Shape::Acl => "access",
    }
}

#[cfg(test)]
mod test {
    use super::*;
    use crate::format::sample::{Ktbs, written};

    fn page(ktbs: &Ktbs, path: &str, parameters: &[(&str, &str)]) -> String {
        String::from_utf8(written(write, &ktbs.view(path, parameters))).expect("UTF-8")
    }

    #[test]
    fn what_comes_from_the_store_is_escaped() {
        let ktbs = Ktbs::with(
            "<a> a m:E ; k:hasTrace <> ; k:hasBegin 1 ; m:v \"</script><script>alert('1')</script>\" ;
            m:w <javascript:alert(1)> ; m:x <http://example.org/?a=1&b=%22%3E> ; m:y \"é\"@fr .",
        );
        for path in ["@obsels", "a", "", "@stats"] {
            let page = page(&ktbs, path, &[]);
            assert_eq!(page.matches("<script>").count(), 1, "{page}");
            assert!(!page.contains("href=\"javascript:"), "{page}");
            assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>\n"));
        }
        let page = page(&ktbs, "a", &[]);
        assert!(
            page.contains("&lt;/script&gt;&lt;script&gt;alert(&#39;1&#39;)"),
            "{page}"
        );
        assert!(page.contains("href=\"http://example.org/?a=1&amp;b=%22%3E\""), "{page}");
        assert!(page.contains("é <small>fr</small>"), "{page}");
    }

    #[test]
    fn a_long_page_is_cut_and_says_so() {
        let obsels: String = (0..=SHOWN)
            .map(|i| format!("<o{i}> a m:E ; k:hasTrace <> ; k:hasBegin {i} . "))
            .collect();
        let ktbs = Ktbs::with(&obsels);
        let whole = page(&ktbs, "@obsels", &[]);
        assert!(whole.contains("Only the first 500 subjects are shown"));
        assert_eq!(whole.matches("<tbody>").count() as u64, SHOWN);
        let slice = page(&ktbs, "@obsels", &[("limit", "2")]);
        assert!(!slice.contains("Only the first") && slice.contains(">Next page</a>"));
    }

    #[test]
    fn a_blank_node_has_one_label() {
        let ktbs = Ktbs::with("<a> a m:E ; k:hasTrace <> ; k:hasBegin 1 ; m:at [ m:in [ m:x 1 ] ] .");
        let page = page(&ktbs, "@obsels", &[]);
        for label in ["_:b0o1", "_:b1o1"] {
            assert_eq!(page.matches(label).count(), 2, "{page}");
        }
    }

    #[test]
    fn containers_are_linked() {
        let ktbs = Ktbs::with("<a> a m:E ; k:hasTrace <> ; k:hasBegin 1 .");
        let page = page(&ktbs, "a", &[]);
        for link in [
            "<a href=\"http://h/\">http://h/</a>",
            "<a href=\"http://h/b/\">b/</a>",
            "<a href=\"http://h/b/t/\">t/</a>",
        ] {
            assert!(page.contains(link), "{link} in {page}");
        }
    }
}
