//! In (skeleton).

use crate::error::Result;
use crate::format::Context;
use crate::rdf::Graph;

/// Parses a payload.
pub fn parse(_bytes: &[u8], _context: &Context<'_>) -> Result<Graph> {
    todo!()
}
