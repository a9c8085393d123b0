//! From terms to the values of obsels of the target, in the form that the store expects of each.

use std::cell::RefCell;
use std::rc::Rc;

use hashbrown::HashMap;
use sophia::api::term::SimpleTerm;

use super::{Inputs, Sink, Stop};
use crate::obsel::{Name, Value};
use crate::rdf::Term;
use crate::store::codec::ID_BYTES;
use crate::store::{Reading, StoreError};
use crate::vocab::xsd;

/// Returns the path of a trace, which is below the root.
pub fn path_of<'a>(root: &str, iri: &'a str) -> &'a str {
    iri.strip_prefix(root).unwrap_or(iri)
}

/// Tells whether what follows the IRI of a trace can be the id of an obsel.
pub fn is_obsel_id(rest: &str) -> bool {
    let bare = rest.strip_suffix('/').unwrap_or(rest);
    !bare.is_empty() && rest.len() <= ID_BYTES && !bare.starts_with('@') && !bare.contains(['/', '#', '?', '\0'])
}

/// Returns the value of an IRI in an obsel of the target.
pub fn iri_value<'t>(inputs: &Inputs<'_>, iri: &'t str) -> Value<'t> {
    if let Some(id) = iri.strip_prefix(inputs.target.iri).filter(|id| is_obsel_id(id)) {
        Value::Obsel(id)
    } else if let Some(path) = iri.strip_prefix(inputs.reading.root()) {
        Value::BelowRoot(path)
    } else {
        Value::Iri(iri)
    }
}

/// Returns the value of a term in an obsel of the target, or `None` for a blank node or a term that is not of RDF 1.1.
///
/// # Errors
/// Those of the sink, which names the datatype.
pub fn value<'t>(inputs: &Inputs<'_>, term: &'t Term, sink: &mut dyn Sink) -> Result<Option<Value<'t>>, Stop> {
    Ok(Some(match term {
        SimpleTerm::Iri(iri) => iri_value(inputs, iri.as_str()),
        SimpleTerm::LiteralDatatype(lexical, datatype) if datatype.as_str() == xsd::STRING => Value::String(lexical),
        SimpleTerm::LiteralDatatype(lexical, datatype) => Value::Typed(lexical, sink.name(datatype.as_str())?),
        SimpleTerm::LiteralLanguage(lexical, language, _) => Value::Tagged(lexical, language),
        _ => return Ok(None),
    }))
}

/// Spells the names that the records of the store use, and remembers them.
pub struct Names<'r> {
    reading: &'r dyn Reading,
    known: RefCell<HashMap<Name, Rc<str>>>,
}

impl<'r> Names<'r> {
    /// Returns the names of a state of the store.
    pub fn new(reading: &'r dyn Reading) -> Self {
        let known = RefCell::default();
        Self { reading, known }
    }

    /// Returns the absolute IRI of a name.
    ///
    /// # Errors
    /// `Damaged`: the dictionary has it not.
    pub fn spell(&self, name: Name) -> Result<Rc<str>, StoreError> {
        if let Some(iri) = self.known.borrow().get(&name) {
            return Ok(Rc::clone(iri));
        }
        let iri: Rc<str> = self.reading.iri_of(name)?.into();
        self.known.borrow_mut().insert(name, Rc::clone(&iri));
        Ok(iri)
    }
}
