//! RDF/XML, in.

use std::cell::Cell;
use std::io::{self, BufRead, Read};

use sophia::api::parser::TripleParser;
use sophia::api::prelude::Triple;
use sophia::api::source::{StreamError, TripleSource};
use sophia::api::term::Term;
use sophia::iri::Iri;
use sophia::xml::parser::RdfXmlParser;

use super::scan::{self, Checked};
use crate::error::{Error, Result};
use crate::format::Context;
use crate::format::payload::{Payload, guarded, message, position, text};
use crate::rdf::Graph;

/// Parses a payload in RDF/XML (RDF 1.1), in UTF-8; relative IRIs are resolved against the target.
///
/// Language tags come in lower case, as the parser makes them.
///
/// # Errors
/// `Parse`, with a position near the fault, if it is not RDF/XML, or says what cannot be kept; `TooLarge`.
pub fn parse(bytes: &[u8], context: &Context<'_>) -> Result<Graph> {
    let Checked { text, end } = scan::check(text(bytes)?, context.limits)?;
    let text = &*text;
    let base =
        Iri::new(context.base.to_owned()).map_err(|_| Error::Internal(format!("<{}> is no base IRI", context.base)))?;
    guarded(|| {
        let mut payload = Payload::new(context.limits);
        let read = Cell::new(0);
        let counted = Counted {
            rest: text.as_bytes(),
            read: &read,
        };
        RdfXmlParser { base: Some(base) }
            .parse(counted)
            .try_for_each_triple(|t| payload.insert_terms([&t.s().as_simple(), &t.p().as_simple(), &t.o().as_simple()]))
            .map_err(|e| match e {
                StreamError::SourceError(e) => {
                    Error::Parse(format!("before {}: {}", position(text, read.get()), message(e)))
                }
                StreamError::SinkError(e) => e,
            })?;
        end?;
        Ok(payload.into_graph())
    })
}

/// A text that tells how much of it was read: the parser's errors have no position.
struct Counted<'t> {
    rest: &'t [u8],
    read: &'t Cell<usize>,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.rest.read(buffer)?;
        self.read.set(self.read.get() + length);
        Ok(length)
    }
}

impl BufRead for Counted<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        Ok(self.rest)
    }

    fn consume(&mut self, length: usize) {
        self.rest = &self.rest[length..];
        self.read.set(self.read.get() + length);
    }
}

#[cfg(test)]
mod test {
    use proptest::prelude::*;
    use sophia::isomorphism::isomorphic_graphs;

    use super::*;
    use crate::format::payload::{check_any_payload, test_context, test_limits};
    use crate::format::{RDF_XML, turtle};

    fn parse_xml(text: &str) -> Result<Graph> {
        parse(text.as_bytes(), &test_context(&test_limits()))
    }

    const DOCUMENT: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://liris.cnrs.fr/silex/2009/ktbs#"
    xmlns:m="http://h/b/m#">
  <!-- a trace -->
  <StoredTrace rdf:about="t/">
    <hasModel rdf:resource="model"/>
    <m:text xml:lang="de">Größe &lt;<![CDATA[<&]]></m:text>
    <m:node rdf:parseType="Resource"><m:n rdf:datatype="http://www.w3.org/2001/XMLSchema#integer">007</m:n></m:node>
    <m:list rdf:parseType="Collection"><rdf:Description rdf:nodeID="x"/></m:list>
  </StoredTrace>
  <rdf:Description rdf:nodeID="x" m:label="é"/>
</rdf:RDF>
"#;

    #[test]
    fn a_document_gives_its_triples() {
        let expected = r#"
            @prefix : <http://liris.cnrs.fr/silex/2009/ktbs#> .
            @prefix m: <http://h/b/m#> .
            <t/> a :StoredTrace ; :hasModel <model> ; m:text "Größe <<&"@de ; m:node [ m:n 007 ] ; m:list ( _:x ) .
            _:x m:label "é" .
        "#;
        let parsed = parse_xml(DOCUMENT).expect("RDF/XML");
        let expected = turtle::parse(expected.as_bytes(), &test_context(&test_limits())).expect("Turtle");
        assert!(isomorphic_graphs(&parsed, &expected).expect("infallible"));
    }

    fn in_rdf(content: &str) -> String {
        format!("<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns:m='urn:m#'>{content}</rdf:RDF>")
    }

    #[test]
    fn errors_tell_where_and_what() {
        for (text, expected) in [
            ("<a>\n<b></a>".to_owned(), "before line 2, column"),
            (String::new(), "an XML document has an element"),
            (
                "<?xml version='1.0'?><!-- <a/> -->".to_owned(),
                "an XML document has an element",
            ),
            (in_rdf("<m:T rdf:about='\u{1}'/>"), "before line 1"),
            (in_rdf("<m:T rdf:about='a b'/>"), "before line 1"),
            (in_rdf("<m:T m:a='&lol;'/>"), "before line 1"),
            (in_rdf("<m:T m:a='&#0;'/>"), "before line 1"),
            (in_rdf("<m:T xml:lang='e n' m:a='b'/>"), "before line 1"),
            (in_rdf("<m:T m:a='\0'/>"), "the character U+0000"),
            (
                "<?xml version='1.0' encoding='ISO-8859-1'?><a/>".to_owned(),
                "before line 1",
            ),
            (
                format!("<!DOCTYPE x [<!ENTITY x 'x'>]>{}", in_rdf("")),
                "line 1, column 1: document type",
            ),
            (in_rdf(&"<m:T><m:p>".repeat(40)), "nesting (64) was exceeded"),
            (
                in_rdf("\n<m:T m:a='b'/>").replace("</rdf:RDF>", ""),
                "line 1, column 1: this element is not closed",
            ),
            (
                in_rdf("\n<m:T><m:a>b</m:a>").replace("</rdf:RDF>", ""),
                "line 2, column 1: this element is not closed",
            ),
            (
                format!("{}\n<!-- a -->{}", in_rdf(""), in_rdf("")),
                "line 2, column 11: an XML document has one element at the top, this is another",
            ),
            (
                "<m:T xmlns:m='urn:m#'/>".repeat(2),
                "line 1, column 24: an XML document has one",
            ),
        ] {
            let error = parse_xml(&text).expect_err(&text).to_string();
            assert!(error.starts_with(expected), "{text}\n{error}");
        }
    }

    #[test]
    fn only_rdf_1_1_is_accepted() {
        let text = "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns:m='urn:m#' \
            xmlns:its='http://www.w3.org/2005/11/its' its:version='2.0' rdf:version='1.2'>\
            <m:T><m:p xml:lang='ar' its:dir='rtl'>x</m:p></m:T></rdf:RDF>";
        // Whether or not the parser knows base directions, none is kept.
        if let Err(error) = parse_xml(text) {
            assert!(error.to_string().contains("base direction"), "{error}");
        }
        let text = in_rdf(
            "<m:T><m:p rdf:parseType='Triple'><rdf:Description rdf:about='x'><m:q>y</m:q></rdf:Description></m:p></m:T>",
        );
        if let Err(error) = parse_xml(&text) {
            assert!(error.to_string().contains("triple term"), "{error}");
        }
    }

    fn pieces() -> impl Strategy<Value = String> {
        let piece = prop::sample::select(vec![
            "<",
            ">",
            "/",
            "/>",
            "</",
            "<a>",
            "</a>",
            "<m:a>",
            "</m:a>",
            "'",
            "\"",
            "=",
            " ",
            "\n",
            "&",
            "&lt;",
            "&#0;",
            "&#x41;",
            "&lol;",
            "<!--",
            "-->",
            "<![CDATA[",
            "]]>",
            "<?",
            "?>",
            "<!DOCTYPE",
            "[",
            "xmlns:",
            "xmlns=",
            "rdf:about",
            "rdf:ID",
            "rdf:nodeID",
            "rdf:parseType='Literal'",
            "rdf:parseType='Triple'",
            "rdf:resource",
            "rdf:li",
            "rdf:datatype",
            "xml:lang='en'",
            "xml:base",
            "é",
            "\u{0}",
            "a",
            ":",
            "rdf:bagID",
            "rdf:annotation",
        ]);
        prop::collection::vec(piece, 0..20).prop_map(|p| p.concat())
    }

    proptest! {
        #[test]
        fn any_bytes_are_parsed_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            check_any_payload(RDF_XML.parse.expect("a parser"), &bytes, &test_context(&test_limits()));
        }

        #[test]
        fn any_pieces_are_parsed_or_refused(text in pieces()) {
            let limits = test_limits();
            check_any_payload(RDF_XML.parse.expect("a parser"), text.as_bytes(), &test_context(&limits));
            check_any_payload(RDF_XML.parse.expect("a parser"), in_rdf(&text).as_bytes(), &test_context(&limits));
        }

        #[test]
        fn a_mutated_document_is_parsed_or_refused(
            text in crate::format::payload::mutated(DOCUMENT, pieces())
        ) {
            check_any_payload(RDF_XML.parse.expect("a parser"), text.as_bytes(), &test_context(&test_limits()));
        }
    }
}
