//! N-Triples, in.

use sophia::turtle::parser::nt::NTriplesParser;

use crate::error::Result;
use crate::format::Context;
use crate::format::payload::text;
use crate::format::turtle::{parse::collect, scan};
use crate::rdf::Graph;

/// Parses a payload in N-Triples (RDF 1.1), in UTF-8.
///
/// # Errors
/// `Parse` with line and column if it is not N-Triples, or says what cannot be kept; `TooLarge`.
pub fn parse(bytes: &[u8], context: &Context<'_>) -> Result<Graph> {
    let text = text(bytes)?;
    let text = scan::check(text, context.limits)?;
    collect(&text, NTriplesParser::new(), context)
}
