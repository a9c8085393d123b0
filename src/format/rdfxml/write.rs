//! RDF/XML out (RDF 1.1 XML Syntax): one `rdf:Description` for each subject of a block.

use std::io::Write;

use super::qname::{QName, qname};
use crate::error::{Error, Result};
use crate::format::Prefixes;
use crate::format::output::{Memory, Output, integer, xml_text};
use crate::format::prefixes::{Prefix, bound};
use crate::format::relative::{Base, Reference};
use crate::format::triples::{Blocks, Known, Node, Serializer, Speller, Triple, label, serialize, subjects};
use crate::obsel::Name;
use crate::resource::View;
use crate::vocab::{RDF, xsd};

/// Writes a view as RDF/XML.
///
/// The whole view is read once before the first byte is written, so that what XML cannot express is told in time.
///
/// # Errors
/// `Serialize` if a predicate is no XML name or a text has a character that XML forbids; `Gone` if the writer fails;
/// those of the store.
pub fn write(view: &View, prefixes: &Prefixes, out: &mut dyn Write) -> Result<()> {
    let mut prefixes = bound(prefixes, view);
    prefixes.retain(|it| it.name != "rdf" && it.namespace != RDF);
    prefixes.push(Prefix {
        name: "rdf".to_owned(),
        namespace: RDF.to_owned(),
    });
    let mut terms = Terms::new(view, prefixes)?;
    serialize(view, &mut Blocks(|block: &[Triple<'_>]| terms.check(block)))?;

    let mut writer = Writer {
        output: Output::new(out),
        terms,
        block: 0,
    };
    writer.head();
    serialize(view, &mut writer)?;
    writer.output.bytes.extend_from_slice(b"</rdf:RDF>\n");
    writer.output.flush()
}

struct Writer<'w, 'v> {
    output: Output<'w>,
    terms: Terms<'v>,
    /// The number of the present block, part of the labels of its blank nodes.
    block: u64,
}

impl Serializer for Writer<'_, '_> {
    fn block(&mut self, block: &[Triple<'_>]) -> Result<()> {
        for triples in subjects(block) {
            self.output.bytes.extend_from_slice(b"<rdf:Description");
            self.terms
                .reference(&mut self.output.bytes, self.block, triples[0][0], "about")?;
            self.output.bytes.extend_from_slice(b">\n");
            for [_, predicate, object] in triples {
                self.property(*predicate, *object)?;
            }
            self.output.bytes.extend_from_slice(b"</rdf:Description>\n");
            self.output.pass()?;
        }
        self.block += 1;
        Ok(())
    }
}

impl Writer<'_, '_> {
    fn head(&mut self) {
        let bytes = &mut self.output.bytes;
        bytes.extend_from_slice(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<rdf:RDF");
        for prefix in &self.terms.prefixes {
            let colon = if prefix.name.is_empty() { "" } else { ":" };
            bytes.extend_from_slice(format!("\n  xmlns{colon}{}=\"", prefix.name).as_bytes());
            xml_text(bytes, &prefix.namespace);
            bytes.push(b'"');
        }
        bytes.extend_from_slice(b"\n  xml:base=\"");
        xml_text(bytes, self.terms.base.iri());
        bytes.extend_from_slice(b"\">\n");
    }

    fn property(&mut self, predicate: Node<'_>, object: Node<'_>) -> Result<()> {
        let bytes = &mut self.output.bytes;
        bytes.extend_from_slice(b"  <");
        let name_at = bytes.len();
        let name_end = self.terms.open(bytes, predicate)?;
        let name = name_at..name_end;
        match object {
            Node::Known(_) | Node::Named(_) | Node::Iri(..) | Node::Blank(_) => {
                self.terms.reference(bytes, self.block, object, "resource")?;
                bytes.extend_from_slice(b"/>\n");
                return Ok(());
            }
            Node::Integer(value) => {
                bytes.extend_from_slice(b" rdf:datatype=\"");
                bytes.extend_from_slice(xsd::INTEGER.as_bytes());
                bytes.extend_from_slice(b"\">");
                integer(bytes, value);
            }
            Node::String(lexical) => {
                bytes.push(b'>');
                xml_text(bytes, lexical);
            }
            Node::Tagged(lexical, language) => {
                bytes.extend_from_slice(b" xml:lang=\"");
                xml_text(bytes, language);
                bytes.extend_from_slice(b"\">");
                xml_text(bytes, lexical);
            }
            Node::Typed(lexical, datatype) => {
                bytes.extend_from_slice(b" rdf:datatype=\"");
                bytes.extend_from_slice(&self.terms.name(datatype)?.reference);
                bytes.extend_from_slice(b"\">");
                xml_text(bytes, lexical);
            }
            Node::Literal(lexical, datatype) => {
                bytes.extend_from_slice(b" rdf:datatype=\"");
                xml_text(bytes, datatype);
                bytes.extend_from_slice(b"\">");
                xml_text(bytes, lexical);
            }
        }
        bytes.extend_from_slice(b"</");
        bytes.extend_from_within(name);
        bytes.extend_from_slice(b">\n");
        Ok(())
    }
}

/// Terms as they are written in one document.
struct Terms<'v> {
    speller: Speller<'v>,
    base: Base,
    prefixes: Vec<Prefix>,
    names: Memory<Spelling>,
    known: Vec<QName>,
    /// An IRI in one part.
    whole: String,
}

/// A name, in the places where it may stand.
struct Spelling {
    /// As an element; `None` if it cannot be one, which is told only where it has to be.
    element: Option<QName>,
    /// As the value of an attribute.
    reference: Vec<u8>,
}

impl<'v> Terms<'v> {
    fn new(view: &'v View, prefixes: Vec<Prefix>) -> Result<Self> {
        Ok(Self {
            speller: Speller::new(view),
            base: Base::new(&view.iri),
            known: Known::ALL
                .iter()
                .map(|known| qname(known.iri(), &prefixes))
                .collect::<Result<_>>()?,
            prefixes,
            names: Memory::default(),
            whole: String::new(),
        })
    }

    /// Checks that a block can be expressed.
    fn check(&mut self, block: &[Triple<'_>]) -> Result<()> {
        for triple in block {
            match triple[1] {
                Node::Named(name) if self.name(name)?.element.is_none() => {
                    qname(&self.speller.iri(name)?, &self.prefixes)?;
                }
                Node::Iri(start, rest) => {
                    qname(&format!("{start}{rest}"), &self.prefixes)?;
                }
                _ => {}
            }
            for node in [triple[0], triple[2]] {
                match node {
                    Node::String(text)
                    | Node::Tagged(text, _)
                    | Node::Typed(text, _)
                    | Node::Literal(text, _)
                    | Node::Iri(_, text) => check_characters(text)?,
                    Node::Known(_) | Node::Named(_) | Node::Blank(_) | Node::Integer(_) => {}
                }
            }
        }
        Ok(())
    }

    fn name(&mut self, name: Name) -> Result<&Spelling> {
        self.names.get(name, || {
            let iri = self.speller.iri(name)?;
            check_characters(&iri)?;
            let mut reference = Vec::new();
            refer(&mut reference, &self.base, &iri);
            Ok(Spelling {
                element: qname(&iri, &self.prefixes).ok(),
                reference,
            })
        })
    }

    /// Appends the beginning of a start tag, after its `<`; returns where the name of the element ends.
    fn open(&mut self, bytes: &mut Vec<u8>, predicate: Node<'_>) -> Result<usize> {
        match predicate {
            Node::Known(known) => Ok(open(bytes, &self.known[known as usize])),
            Node::Named(name) => match &self.name(name)?.element {
                Some(element) => Ok(open(bytes, element)),
                None => qname(&self.speller.iri(name)?, &self.prefixes).map(|it| open(bytes, &it)),
            },
            Node::Iri(start, rest) => qname(&format!("{start}{rest}"), &self.prefixes).map(|it| open(bytes, &it)),
            other => Err(Error::Internal(format!("{other:?} as a predicate"))),
        }
    }

    /// Appends the attribute that names a node: `rdf:nodeID`, or the one given if it is an IRI.
    fn reference(&mut self, bytes: &mut Vec<u8>, block: u64, node: Node<'_>, attribute: &str) -> Result<()> {
        if let Node::Blank(blank) = node {
            bytes.extend_from_slice(b" rdf:nodeID=\"");
            label(bytes, block, blank);
            bytes.push(b'"');
            return Ok(());
        }
        bytes.extend_from_slice(b" rdf:");
        bytes.extend_from_slice(attribute.as_bytes());
        bytes.extend_from_slice(b"=\"");
        match node {
            Node::Named(name) => bytes.extend_from_slice(&self.name(name)?.reference),
            Node::Known(known) => refer(bytes, &self.base, known.iri()),
            Node::Iri(start, rest) => {
                self.whole.clear();
                self.whole.push_str(start);
                self.whole.push_str(rest);
                refer(bytes, &self.base, &self.whole);
            }
            other => return Err(Error::Internal(format!("{other:?} as a node"))),
        }
        bytes.push(b'"');
        Ok(())
    }
}

fn open(bytes: &mut Vec<u8>, element: &QName) -> usize {
    bytes.extend_from_slice(element.name.as_bytes());
    let end = bytes.len();
    if let Some(namespace) = &element.declared {
        bytes.extend_from_slice(b" xmlns:n=\"");
        xml_text(bytes, namespace);
        bytes.push(b'"');
    }
    end
}

fn refer(bytes: &mut Vec<u8>, base: &Base, iri: &str) {
    match base.refer(iri) {
        Some(Reference(dots, rest)) => {
            bytes.extend_from_slice(dots.as_bytes());
            xml_text(bytes, rest);
        }
        None => xml_text(bytes, iri),
    }
}

/// Checks that a text has no character that XML 1.0 forbids even as a reference (production Char).
fn check_characters(text: &str) -> Result<()> {
    // Nearly all texts pass this test, which looks at bytes: the two forbidden characters above begin with 0xEF. It looks
    // at all of them, which is quicker than to stop at the first.
    if !text
        .bytes()
        .fold(false, |found, byte| found | (byte < 0x20) | (byte == 0xEF))
    {
        return Ok(());
    }
    let forbidden =
        |c: char| matches!(c, '\0'..='\u{8}' | '\u{B}' | '\u{C}' | '\u{E}'..='\u{1F}' | '\u{FFFE}' | '\u{FFFF}');
    match text.chars().find(|c| forbidden(*c)) {
        None => Ok(()),
        Some(c) => Err(Error::Serialize(format!(
            "XML cannot express the character U+{:04X}",
            u32::from(c)
        ))),
    }
}

#[cfg(test)]
mod test {
    use proptest::prelude::*;
    use sophia::xml::parser::RdfXmlParser;

    use super::*;
    use crate::format::sample::{any_graph, assert_same, read, turtle, view, written};
    use crate::resource::Shape;

    proptest! {
        #[test]
        fn what_is_written_is_read_back(graph in any_graph(true)) {
            let view = view("http://h/b/t/", Shape::Trace, graph);
            let bytes = written(write, &view);
            assert_same(&view, &read(RdfXmlParser::default(), &bytes), &bytes);
        }

        #[test]
        fn the_rest_is_refused_before_the_first_byte(graph in any_graph(false)) {
            let view = view("http://h/b/t/", Shape::Trace, graph);
            let mut bytes = Vec::new();
            match write(&view, &Prefixes::default(), &mut bytes) {
                Ok(()) => assert_same(&view, &read(RdfXmlParser::default(), &bytes), &bytes),
                Err(error) => {
                    prop_assert!(matches!(error, Error::Serialize(_)));
                    prop_assert!(bytes.is_empty());
                }
            }
        }
    }

    #[test]
    fn errors_name_what_xml_cannot_express() {
        for (text, expected) in [
            (
                "<> <http://example.org/1> 1 .",
                "RDF/XML cannot express the predicate <http://example.org/1>: it does not end with an XML name",
            ),
            ("<> x:p \"a\\u0001\" .", "XML cannot express the character U+0001"),
        ] {
            let view = view("http://h/b/t/", Shape::Trace, turtle("http://h/b/t/", text));
            let error = write(&view, &Prefixes::default(), &mut Vec::new()).expect_err("it cannot be written");
            assert_eq!(error.to_string(), expected);
        }
    }
}
