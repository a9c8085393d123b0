//! JSON, in: JSON-LD as it is, and simple JSON.

use super::access;
use super::simple;
use super::tree::Json;
use super::{direct, full};
use crate::error::Result;
use crate::format::Context;
use crate::rdf::Graph;
use crate::resource::Shape;

/// Parses a payload in JSON-LD 1.1: nothing is guessed.
///
/// Relative IRIs are resolved against the target. The context of the kTBS is built in, and no other document is ever
/// loaded.
///
/// # Errors
/// `Parse` if it is not JSON (with line and column) or not JSON-LD, or says what cannot be kept; `TooLarge`.
pub fn parse(bytes: &[u8], context: &Context<'_>) -> Result<Graph> {
    let document = Json::parse(bytes, context.limits)?;
    read(&document, context)
}

/// Parses a payload in simple JSON: JSON-LD whose missing parts are guessed from its target (kTBS documentation, "JSON
/// syntax").
///
/// # Errors
/// As [`parse`]; `Parse` also for a payload that describes nothing that its target can hold.
pub fn parse_simple(bytes: &[u8], context: &Context<'_>) -> Result<Graph> {
    if context.shape == Shape::Acl {
        return access::parse(bytes, context);
    }
    let document = Json::parse(bytes, context.limits)?;
    read(&simple::complete(document, context)?, context)
}

fn read(document: &Json<'_>, context: &Context<'_>) -> Result<Graph> {
    match direct::read(document, context)? {
        Some(graph) => Ok(graph),
        None => full::read(document, context),
    }
}
