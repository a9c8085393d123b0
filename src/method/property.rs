//! What an IRI names of an obsel.
//!
//! A query finds the begin of an obsel as it finds an attribute. So do methods that read obsels themselves, although their
//! records have the one and the other in different places.

use crate::obsel::Name;
use crate::store::{Reading, Result};
use crate::vocab::{ktbs, rdf};

/// A property of obsels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Property {
    /// `k:hasBegin`.
    Begin,
    /// `k:hasEnd`.
    End,
    /// `k:hasTrace`.
    Trace,
    /// `rdf:type`.
    Type,
    /// Any other: an attribute, a relation, the subject.
    Arc(Name),
}

impl Property {
    /// Returns the property of an IRI; `None` if the dictionary has it not, so that no obsel has it either.
    ///
    /// # Errors
    /// Those of the store.
    pub fn find(reading: &dyn Reading, iri: &str) -> Result<Option<Self>> {
        Ok(match iri {
            ktbs::HAS_BEGIN => Some(Self::Begin),
            ktbs::HAS_END => Some(Self::End),
            ktbs::HAS_TRACE => Some(Self::Trace),
            rdf::TYPE => Some(Self::Type),
            _ => reading.name_of(iri)?.map(Self::Arc),
        })
    }

    /// Tells whether an IRI names what each obsel has by being one, so that it can be no attribute.
    pub fn is_reserved(iri: &str) -> bool {
        [
            ktbs::HAS_BEGIN,
            ktbs::HAS_END,
            ktbs::HAS_TRACE,
            ktbs::HAS_SOURCE_OBSEL,
            rdf::TYPE,
        ]
        .contains(&iri)
    }
}
