//! A page for people: the description of a resource, links to its other formats, a form to send requests.
//!
//! The page is whole by itself: its style and its script are in it, and nothing is requested from elsewhere. All that comes
//! from the store is escaped, and [`policy`] forbids all other scripts and styles, should that ever fail.

mod form;
pub mod table;

use std::io::{self, Write};
use std::sync::LazyLock;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use sha2::{Digest, Sha256};

use super::output::{Output, xml_text};
use super::prefixes::{Prefix, bound, model_namespace};
use super::triples::{Blocks, Node, Speller, Triple, label, serialize};
use super::{Prefixes, offers};
use crate::error::{Error, Result};
use crate::resource::View;
use crate::resource::view::{Content, Link};
use crate::vocab::{STATS, xsd};

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

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// Returns the content security policy of pages: their own style and script, and requests to their own server only.
pub fn policy() -> &'static str {
    static POLICY: LazyLock<String> = LazyLock::new(|| {
        let hash = |text| BASE64_STANDARD.encode(Sha256::digest(text));
        format!(
            "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; connect-src 'self'; form-action 'none'; \
             base-uri 'none'; frame-ancestors 'self'",
            hash(STYLE),
            hash(SCRIPT)
        )
    });
    &POLICY
}

/// Writes a view as an HTML page.
///
/// # Errors
/// `Gone` if the writer fails; `Serialize` for a term that is none of RDF 1.1; those of the store.
pub fn write(view: &View, prefixes: &Prefixes, out: &mut dyn Write) -> Result<()> {
    let mut page = Page {
        output: Output::new(out),
        prefixes: abbreviations(prefixes, view),
        speller: Speller::new(view),
        iri: &view.iri,
        shown: 0,
        block: 0,
    };
    page.head(view);
    page.description(view)?;
    page.form(view);
    page.text("</main><script>");
    page.text(SCRIPT);
    page.text("</script></body></html>\n");
    page.output.flush()
}

/// Returns the prefixes of a view; `m` for its model and `stats` for statistics, as in JSON.
fn abbreviations(prefixes: &Prefixes, view: &View) -> Vec<Prefix> {
    let mut prefixes = bound(prefixes, view);
    let model = view.model.as_deref().map(model_namespace);
    if prefixes.iter().all(|prefix| prefix.name != "m")
        && let Some(prefix) = prefixes.iter_mut().find(|it| Some(&it.namespace) == model.as_ref())
    {
        prefix.name = "m".to_owned();
    }
    prefixes.push(Prefix {
        name: "stats".to_owned(),
        namespace: STATS.to_owned(),
    });
    prefixes
}

struct Page<'v, 'w> {
    output: Output<'w>,
    prefixes: Vec<Prefix>,
    speller: Speller<'v>,
    /// The IRI of the resource.
    iri: &'v str,
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

    fn link(&mut self, address: &str, text: &str) {
        link(&mut self.output.bytes, address, text);
    }

    fn head(&mut self, view: &View) {
        let title = form::title(view);
        self.text("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">");
        self.text("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>");
        self.escaped(name(&view.iri));
        self.text(" – kTBS</title><style>");
        self.text(STYLE);
        self.text("</style></head>\n<body data-uri=\"");
        self.escaped(&utf8_percent_encode(&view.iri, ADDRESS).to_string());
        self.text("\" data-tag=\"");
        self.escaped(view.tags.first().map_or("", String::as_str));
        self.text("\"><header><nav>");
        self.breadcrumb(&view.iri);
        self.text("</nav>");
        self.visitor(view);
        self.text("<h1>");
        self.escaped(name(&view.iri));
        self.text(&format!(" <small>{title}</small></h1><p>Also as "));
        let mut seen = Vec::new();
        for offer in offers(view.shape) {
            if let Some(extension) = offer.extension.filter(|it| *it != "html" && !seen.contains(it)) {
                seen.push(extension);
                self.link(&format!("{}.{extension}", view.iri), &format!(".{extension}"));
            }
        }
        self.text("</p></header>\n<main>");
        for link in view.links.iter().filter(|link| link.rel == "next") {
            self.text("<p>");
            self.link(&link.uri, "Next page");
            self.text("</p>");
        }
    }

    /// Appends who looks at the page, with a link to log in or out, where anybody asks.
    fn visitor(&mut self, view: &View) {
        let is_visitor = |link: &&Link| matches!(link.rel, "login" | "logout" | "user");
        let Some(link) = view.links.iter().find(is_visitor) else {
            return;
        };
        self.text("<p class=\"visitor\">");
        for (_, user) in link.parameters.iter().filter(|(name, _)| *name == "title") {
            self.escaped(user);
            self.text(" ");
        }
        match link.rel {
            "login" => self.link(&link.uri, "Log in"),
            "logout" => self.link(&link.uri, "Log out"),
            _ => {}
        }
        self.text("</p>");
    }

    /// Appends links to what contains a resource, from the host on.
    fn breadcrumb(&mut self, iri: &str) {
        let path = path_start(iri);
        let mut start = 0;
        for (at, _) in iri.match_indices('/') {
            if at >= path && at + 1 < iri.len() {
                self.link(&iri[..=at], &iri[start..=at]);
                self.text(" ");
                start = at + 1;
            }
        }
        self.escaped(&iri[start..]);
    }

    /// Appends the triples, one block per subject, one line per value.
    fn description(&mut self, view: &View) -> Result<()> {
        self.text("<h2>Description</h2>\n");
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
            return Ok(());
        }
        let advice = match view.content {
            Content::Obsels(_) => "<a href=\"?limit=100\">read all by pages</a>",
            Content::Graph(_) => "the other formats have the rest",
        };
        self.text(&format!("<p>Only the first {SHOWN} subjects are shown: {advice}.</p>"));
        Ok(())
    }

    fn subject(&mut self, triples: &[Triple<'_>]) -> Result<()> {
        self.text("<section><h3>");
        self.node(triples[0][0])?;
        self.text("</h3><dl>");
        for group in triples.chunk_by(|a, b| a[1] == b[1]) {
            self.text("<dt>");
            self.node(group[0][1])?;
            self.text("</dt>");
            for [_, _, object] in group {
                self.text("<dd>");
                self.node(*object)?;
                self.text("</dd>");
            }
        }
        self.text("</dl></section>\n");
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
                self.typed(text, &datatype);
            }
            Node::Literal(text, datatype) => self.typed(text, datatype),
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

    /// Appends a literal with its datatype, where that is not plain to see.
    fn typed(&mut self, text: &str, datatype: &str) {
        self.literal(text);
        if datatype != xsd::INTEGER {
            let datatype = self.abbreviated(datatype);
            self.note(&datatype);
        }
    }

    fn note(&mut self, text: &str) {
        self.text(" <small>");
        self.escaped(text);
        self.text("</small>");
    }

    /// Returns an IRI with a prefix, if one fits; else what tells it from the resource, or from its server.
    fn abbreviated(&self, iri: &str) -> String {
        let fitting = self.prefixes.iter().find_map(|prefix| {
            let rest = iri.strip_prefix(&*prefix.namespace).filter(|rest| !rest.is_empty())?;
            let colon = if prefix.name.is_empty() { "" } else { ":" };
            Some(format!("{}{colon}{rest}", prefix.name))
        });
        let below = |start: &str| iri.strip_prefix(start).filter(|rest| !rest.is_empty());
        let folder = self.iri.rfind('/').map_or("", |slash| &self.iri[..=slash]);
        match (fitting, below(folder)) {
            (Some(fitting), _) => fitting,
            (None, _) if iri == self.iri => name(iri).to_owned(),
            (None, Some(rest)) => rest.to_owned(),
            (None, None) => below(&self.iri[..path_start(self.iri)]).unwrap_or(iri).to_owned(),
        }
    }

    fn form(&mut self, view: &View) {
        self.text(
            "<h2>Requests</h2><noscript><p>The form needs JavaScript.</p></noscript>\
            <form id=\"request\" autocomplete=\"off\"><label>Do <select name=\"action\">",
        );
        for action in form::actions(view) {
            self.text(&format!("<option value=\"{}\"", action.method));
            if !action.template.is_empty() {
                self.text(" data-template=\"");
                self.escaped(action.template);
                self.text("\"");
            }
            self.text(&format!(">{}</option>", action.label));
        }
        self.text("</select></label><label>Format <select name=\"type\">");
        let mut seen = Vec::new();
        for offer in offers(view.shape) {
            if offer.format.parse.is_some() && !seen.contains(&offer.format.name) {
                seen.push(offer.format.name);
                let selected = if offer.media_type == "application/json" {
                    " selected"
                } else {
                    ""
                };
                self.text(&format!("<option{selected}>{}</option>", offer.media_type));
            }
        }
        self.text(
            "</select></label><button title=\"Ctrl+Enter\">Send</button>\
            <textarea name=\"body\" spellcheck=\"false\" aria-label=\"Payload\" hidden></textarea></form>\
            <div id=\"answer\" role=\"status\"></div>",
        );
    }
}

/// Appends a link, if the address is one that a browser follows to a page; else only its text.
fn link(bytes: &mut Vec<u8>, address: &str, text: &str) {
    if !address.starts_with("http://") && !address.starts_with("https://") {
        xml_text(bytes, text);
        return;
    }
    bytes.extend_from_slice(b"<a href=\"");
    xml_text(bytes, &utf8_percent_encode(address, ADDRESS).to_string());
    bytes.extend_from_slice(b"\">");
    xml_text(bytes, text);
    bytes.extend_from_slice(b"</a>");
}

/// Returns where the path of an absolute IRI starts.
fn path_start(iri: &str) -> usize {
    let authority = iri.find("://").map_or(0, |at| at + 3);
    iri[authority..].find('/').map_or(iri.len(), |at| authority + at)
}

/// Returns the last segment of an IRI, with its final `/`.
fn name(iri: &str) -> &str {
    let trimmed = iri.strip_suffix('/').unwrap_or(iri);
    trimmed.rfind('/').map_or(iri, |slash| &iri[slash + 1..])
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
        assert_eq!(whole.matches("<section>").count() as u64, SHOWN);
        assert!(whole.contains("<a href=\"?limit=100\">"));
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
