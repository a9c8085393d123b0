//! The query parameters that reads take: one table for those who check them and those who describe them.

use super::{Parameters, check};
use crate::error::{Error, Result};

/// A query parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// What its values look like.
    pub form: Form,
    /// What it does, in a sentence.
    pub meaning: &'static str,
}

/// What the values of a parameter look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// An integer.
    Integer,
    /// An integer that is not negative.
    Natural,
    /// The id or the IRI of an obsel.
    Obsel,
    /// Any text.
    Text,
    /// Present or not.
    Flag,
    /// Some of these words, with commas between them.
    Some(&'static [&'static str]),
    /// One of these words.
    One(&'static [&'static str]),
}

/// Checks that there is no parameter but those of a table.
///
/// # Errors
/// `BadParameters`, which names the others, each once, in order.
pub fn check_known(known: &[Parameter], parameters: &Parameters) -> Result<()> {
    let mut unknown: Vec<&str> = Vec::new();
    for (name, _) in parameters {
        if !known.iter().any(|it| it.name == name) && !unknown.contains(&name.as_str()) {
            unknown.push(name);
        }
    }
    if unknown.is_empty() {
        return Ok(());
    }
    let names = check::listed(&unknown);
    Err(Error::BadParameters(format!("Unsupported parameter(s):{names}")))
}
