//! Turtle, in.

use std::io::Read;

use sophia::api::parser::TripleParser;
use sophia::api::prelude::Triple;
use sophia::api::source::{StreamError, TripleSource};
use sophia::api::term::Term;
use sophia::iri::resolve::BaseIriRef;
use sophia::turtle::parser::turtle::TurtleParser;
use sophia::turtle::parser::{Error as SyntaxError, ErrorKind};

use super::scan;
use crate::error::{Error, Result};
use crate::format::Context;
use crate::format::payload::{Payload, extract, guarded, text};
use crate::rdf::Graph;

/// Parses a payload in Turtle (RDF 1.1); relative IRIs are resolved against the target.
///
/// # Errors
/// `Parse` with line and column if it is not Turtle, or says what cannot be kept; `TooLarge`.
pub fn parse(bytes: &[u8], context: &Context<'_>) -> Result<Graph> {
    let text = text(bytes)?;
    scan::check(text, context.limits)?;
    let base = BaseIriRef::new(Box::from(context.base))
        .map_err(|_| Error::Internal(format!("<{}> is no base IRI", context.base)))?;
    let parser = TurtleParser::new()
        .with_base(Some(base))
        .with_preserve_bn_labels(true);
    collect(text, parser, context)
}

/// Parses a text with a parser of the Turtle family.
pub(in crate::format) fn collect<P>(text: &str, parser: P, context: &Context<'_>) -> Result<Graph>
where
    P: for<'t> TripleParser<Lines<'t>>,
    for<'t> <P as TripleParser<Lines<'t>>>::Source: TripleSource<Error = SyntaxError>,
{
    guarded(|| {
        let mut payload = Payload::new(context.limits);
        // The parsers look one character ahead, and panic where a statement is cut by the end of the text rather
        // than by that of a line.
        let lines: Lines<'_> = text.as_bytes().chain(b"\n".as_slice());
        parser
            .parse(lines)
            .try_for_each_triple(|t| payload.insert_terms([&t.s().as_simple(), &t.p().as_simple(), &t.o().as_simple()]))
            .map_err(|e| match e {
                StreamError::SourceError(e) => Error::Parse(describe(text, &e)),
                StreamError::SinkError(e) => e,
            })?;
        Ok(payload.into_graph())
    })
}

/// A text that ends with an end of line.
pub(in crate::format) type Lines<'t> = std::io::Chain<&'t [u8], &'static [u8]>;

/// Returns the message of a syntax error: where, and what. The parser counts from 0, and columns in bytes.
fn describe(text: &str, error: &SyntaxError) -> String {
    let (line, column) = error.position();
    let what = match error.kind() {
        ErrorKind::Expected(what) => format!("expected {what}"),
        // The rest of this message is the inner state of the parser.
        ErrorKind::EOF(_) => return "unexpected end of the payload".to_owned(),
        ErrorKind::UnknownPrefix(prefix) => format!("unknown prefix \"{}:\"", extract(prefix)),
        ErrorKind::Bnode => "invalid label of a blank node".to_owned(),
        ErrorKind::InvalidEscape => "invalid escape sequence".to_owned(),
        other => extract(&other.to_string()),
    };
    let line_text = text.split('\n').nth(line).unwrap_or_default();
    let column = line_text.char_indices().take_while(|(i, _)| *i < column).count();
    format!("line {}, column {}: {what}", line + 1, column + 1)
}
