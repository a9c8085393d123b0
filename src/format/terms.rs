//! The terms of a flat obsel as Turtle and N-Triples draft them.

use crate::error::Result;
use crate::format::output::put;
use crate::format::plan::{Draft, Written};
use crate::format::turtle::Shorthand;
use crate::obsel::{Name, Value};
use crate::resource::view::Obsels;

/// How a hole is filled.
#[derive(Clone, Copy)]
pub enum Fill<'v> {
    /// With the inside of a string.
    Text,
    /// With a language.
    Language,
    /// With a literal of this datatype, which is `xsd:integer`, where that may be written without quotes.
    Integer(Name),
    /// With another literal that may be written without quotes.
    Literal(Name),
    /// With an IRI that begins so, as [`Names::open`] has left it.
    Iri(&'v str),
    /// The same, in the directory of the document.
    Near(&'v str),
}

/// How a syntax writes names.
pub trait Names<'v> {
    /// Drafts what comes before the hole of an IRI that begins so; returns how the hole is filled, and what comes after it.
    fn open(&self, bytes: &mut Vec<u8>, start: &'v str) -> (Fill<'v>, &'static [u8]);

    /// Returns a name as it is written.
    ///
    /// # Errors
    /// Those of the store.
    fn spelt(&mut self, name: Name) -> Result<&[u8]>;

    /// Returns how some literals of a datatype are written without quotes.
    ///
    /// # Errors
    /// Those of the store.
    fn shorthand(&mut self, datatype: Name) -> Result<Shorthand>;
}

/// Drafts the IRI of the obsel.
pub fn draft_id<'v>(draft: &mut Draft<'_, Fill<'v>>, names: &impl Names<'v>, obsels: &'v Obsels) {
    let (fill, after) = names.open(&mut draft.bytes, &obsels.trace);
    draft.id(fill);
    put(&mut draft.bytes, after);
}

/// Drafts a value; `None` for a blank node.
///
/// # Errors
/// Those of the store.
pub fn draft<'t, 'v>(
    draft: &mut Draft<'t, Fill<'v>>,
    names: &mut impl Names<'v>,
    obsels: &'v Obsels,
    value: Value<'t>,
) -> Result<Written> {
    match value {
        Value::Named(name) => put(&mut draft.bytes, names.spelt(name)?),
        Value::String(lexical) => quoted(draft, lexical),
        Value::Tagged(lexical, language) => {
            quoted(draft, lexical);
            draft.bytes.push(b'@');
            draft.text(Fill::Language, language);
        }
        Value::Typed(lexical, datatype) => match names.shorthand(datatype)? {
            Shorthand::None => {
                quoted(draft, lexical);
                put(&mut draft.bytes, b"^^");
                put(&mut draft.bytes, names.spelt(datatype)?);
            }
            Shorthand::Integer => draft.text(Fill::Integer(datatype), lexical),
            _ => draft.text(Fill::Literal(datatype), lexical),
        },
        Value::Obsel(_) | Value::BelowRoot(_) | Value::Iri(_) | Value::Blank(_) => {
            let Some((start, text)) = obsels.parts(value) else {
                return Ok(None);
            };
            let (fill, after) = names.open(&mut draft.bytes, start);
            draft.text(fill, text);
            put(&mut draft.bytes, after);
        }
    }
    Ok(Some(()))
}

fn quoted<'t>(draft: &mut Draft<'t, Fill<'_>>, lexical: &'t str) {
    draft.bytes.push(b'"');
    draft.text(Fill::Text, lexical);
    draft.bytes.push(b'"');
}
