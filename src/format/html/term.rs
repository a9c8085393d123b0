//! Terms as people read them: links under short names, and texts, all of them escaped and none too long.

use std::rc::Rc;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::error::Result;
use crate::format::Prefixes;
use crate::format::output::{Memory, integer, xml_text};
use crate::format::prefixes::{Prefix, bound, model_namespace};
use crate::format::relative::{Base, Reference};
use crate::format::triples::{Node, Speller, label};
use crate::obsel::Name;
use crate::resource::View;
use crate::vocab::KTBS;

/// What is shown of a text at most, in characters.
const TEXT: usize = 500;

/// The longest IRI that is a link, in bytes.
const LINK: usize = 4096;

/// The datatypes of literals whose form tells what they are. They are shown only when a reader asks for them.
const NATIVE: [&str; 4] = ["xsd:boolean", "xsd:decimal", "xsd:double", "xsd:integer"];

/// The ASCII characters that a URI cannot have (RFC 3986). A `%` is left as it is: an IRI is percent-encoded already
/// where it must be.
const NOT_IN_URI: AsciiSet = CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// Returns the last segment of an IRI, with its slash if it ends with one; the whole IRI if it has no path but a slash.
pub fn last_segment(iri: &str) -> &str {
    let path = iri.strip_suffix('/').unwrap_or(iri);
    let above = path.rfind('/').map_or(0, |slash| slash + 1);
    if iri[..above].ends_with("//") {
        iri
    } else {
        &iri[above..]
    }
}

/// Returns the URI of an absolute IRI (RFC 3987, section 3.1).
pub fn uri(iri: &str) -> String {
    utf8_percent_encode(iri, &NOT_IN_URI).to_string()
}

/// Appends a text, cut if it is long.
pub fn text(bytes: &mut Vec<u8>, text: &str) {
    match text.char_indices().nth(TEXT) {
        Some((end, _)) => {
            xml_text(bytes, &text[..end]);
            bytes.extend_from_slice("…".as_bytes());
        }
        None => xml_text(bytes, text),
    }
}

/// Appends a link, or what it would be labelled with if it is not to be followed: the IRIs of a graph come from anybody,
/// and some schemes are instructions to a browser.
pub fn link(bytes: &mut Vec<u8>, iri: &str, label: &str) {
    let followed = iri.len() <= LINK && (iri.starts_with("http://") || iri.starts_with("https://"));
    if !followed {
        return text(bytes, label);
    }
    bytes.extend_from_slice(b"<a href=\"");
    xml_text(bytes, &uri(iri));
    if label != iri {
        bytes.extend_from_slice(b"\" title=\"");
        text(bytes, iri);
    }
    bytes.extend_from_slice(b"\">");
    text(bytes, label);
    bytes.extend_from_slice(b"</a>");
}

/// Appends the attribute to which the links of a blank node lead; nothing for another node.
pub fn anchor(bytes: &mut Vec<u8>, node: Node<'_>) {
    if let Node::Blank(blank) = node {
        bytes.extend_from_slice(b" id=\"");
        label(bytes, 0, blank);
        bytes.push(b'"');
    }
}

/// Appends a literal and what follows it, its language or its datatype, if there is any.
fn literal(bytes: &mut Vec<u8>, lexical: &str, tag: &str) {
    bytes.extend_from_slice(b"<span class=\"text\"");
    let native = NATIVE.contains(&tag);
    if native {
        bytes.extend_from_slice(b" title=\"");
        xml_text(bytes, tag);
        bytes.push(b'"');
    }
    bytes.push(b'>');
    text(bytes, lexical);
    bytes.extend_from_slice(b"</span>");
    if !native && !tag.is_empty() {
        bytes.extend_from_slice(b" <small>");
        text(bytes, tag);
        bytes.extend_from_slice(b"</small>");
    }
}

/// Writes the terms of a view.
pub struct Terms<'v> {
    speller: Speller<'v>,
    names: Memory<Rc<str>>,
    prefixes: Vec<Prefix>,
    /// The namespace of the model, `m:` as in JSON.
    model: Option<String>,
    base: Base,
}

impl<'v> Terms<'v> {
    /// Returns the writer of the terms of a view.
    pub fn new(view: &'v View, prefixes: &Prefixes) -> Self {
        Self {
            speller: Speller::new(view),
            names: Memory::default(),
            prefixes: bound(prefixes, view),
            model: view.model.as_deref().map(model_namespace),
            base: Base::new(&view.iri),
        }
    }

    /// Appends a term; blank nodes lead to where they are the subject, see [`anchor`].
    ///
    /// # Errors
    /// Those of the store.
    pub fn node(&mut self, bytes: &mut Vec<u8>, node: Node<'_>) -> Result<()> {
        match node {
            Node::Known(known) => self.iri(bytes, known.iri()),
            Node::Named(name) => {
                let iri = self.spell(name)?;
                self.iri(bytes, &iri);
            }
            Node::Iri(start, rest) => self.iri(bytes, &format!("{start}{rest}")),
            Node::Blank(blank) => {
                bytes.extend_from_slice(b"<a href=\"#");
                label(bytes, 0, blank);
                bytes.extend_from_slice(b"\">_:");
                label(bytes, 0, blank);
                bytes.extend_from_slice(b"</a>");
            }
            Node::Integer(value) => integer(bytes, value),
            Node::String(lexical) => literal(bytes, lexical, ""),
            Node::Tagged(lexical, language) => literal(bytes, lexical, &format!("@{language}")),
            Node::Typed(lexical, datatype) => {
                let datatype = self.spell(datatype)?;
                literal(bytes, lexical, &self.short(&datatype));
            }
            Node::Literal(lexical, datatype) => literal(bytes, lexical, &self.short(datatype)),
        }
        Ok(())
    }

    /// Appends an IRI, as a link under its short name.
    pub fn iri(&self, bytes: &mut Vec<u8>, iri: &str) {
        link(bytes, iri, &self.short(iri));
    }

    fn spell(&mut self, name: Name) -> Result<Rc<str>> {
        let speller = self.speller;
        Ok(Rc::clone(self.names.get(name, || speller.iri(name))?))
    }

    /// Returns the name of a term of the kTBS or of the model, the reference to a neighbour, a prefixed name, or the IRI.
    fn short(&self, iri: &str) -> String {
        if let Some(name) = iri.strip_prefix(KTBS).filter(|name| !name.is_empty()) {
            return name.to_owned();
        }
        let model = self.model.as_deref();
        if let Some(name) = model
            .and_then(|it| iri.strip_prefix(it))
            .filter(|name| !name.is_empty())
        {
            return format!("m:{name}");
        }
        if let Some(Reference(dots, rest)) = self.base.refer(iri) {
            let steps = format!("{dots}{rest}");
            return if steps.ends_with("./") {
                last_segment(iri).to_owned()
            } else {
                steps
            };
        }
        let prefixed = self.prefixes.iter().find_map(|prefix| {
            let name = iri
                .strip_prefix(prefix.namespace.as_str())
                .filter(|it| !it.is_empty())?;
            Some(format!("{}:{name}", prefix.name))
        });
        prefixed.unwrap_or_else(|| iri.to_owned())
    }
}
