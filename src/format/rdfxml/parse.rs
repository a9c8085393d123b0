//! RDF/XML, in.

use std::cell::Cell;
use std::io::{self, BufRead, Read};

use sophia::api::parser::TripleParser;
use sophia::api::prelude::Triple;
use sophia::api::source::{StreamError, TripleSource};
use sophia::api::term::Term;
use sophia::iri::Iri;
use sophia::xml::parser::RdfXmlParser;

use super::scan;
use crate::error::{Error, Result};
use crate::format::Context;
use crate::format::payload::{Payload, extract, guarded, position, text};
use crate::rdf::Graph;

/// Parses a payload in RDF/XML (RDF 1.1), in UTF-8; relative IRIs are resolved against the target.
///
/// Language tags come in lower case, as the parser makes them.
///
/// # Errors
/// `Parse`, with a position near the fault, if it is not RDF/XML, or says what cannot be kept; `TooLarge`.
pub fn parse(bytes: &[u8], context: &Context<'_>) -> Result<Graph> {
    let text = text(bytes)?;
    scan::check(text, context.limits)?;
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
                StreamError::SourceError(e) => Error::Parse(format!(
                    "before {}: {}",
                    position(text, read.get()),
                    extract(&e.to_string())
                )),
                StreamError::SinkError(e) => e,
            })?;
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
