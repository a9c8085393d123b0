//! What a trace takes from its only source: the source itself, model and origin.

use sophia::iri::resolve::BaseIri;

use super::params::Parameters;
use super::{Description, Inputs, Plan, Source};
use crate::rdf::{self, Term};

/// Returns the only source of a trace.
///
/// # Errors
/// There is none, or there are several. `method` is how the message names the method.
pub fn only<'a>(inputs: &Inputs<'a>, method: &str) -> Plan<&'a Source> {
    match inputs.sources {
        [source] => Ok(source),
        _ => Err(vec![format!("Method {method} expects exactly one source")]),
    }
}

/// Fills the model and the origin of a description: those that parameters give, else those of the source.
pub fn describe(inputs: &Inputs<'_>, source: &Source, parameters: &mut Parameters<'_>, description: &mut Description) {
    description.model = model(inputs, parameters).or_else(|| source.model.clone());
    description.origin = origin(source, parameters);
}

/// Returns the origin that a parameter gives, else that of the source.
pub fn origin(source: &Source, parameters: &mut Parameters<'_>) -> Option<Term> {
    (parameters.text("origin").map(rdf::string)).or_else(|| source.origin.clone())
}

/// Returns the model that a parameter gives; a relative IRI is relative to the trace.
pub fn model(inputs: &Inputs<'_>, parameters: &mut Parameters<'_>) -> Option<String> {
    parameters.parsed("model", |text| resolve(inputs.target.iri, text))
}

/// Returns an IRI in its absolute form.
///
/// # Errors
/// A sentence: it is no IRI, or there is nothing to which it can be relative.
pub fn resolve(base: &str, relative: &str) -> Result<String, String> {
    let base = BaseIri::new(base).map_err(|error| error.to_string())?;
    match base.resolve(relative) {
        Ok(iri) => Ok(iri.as_str().to_owned()),
        Err(error) => Err(error.to_string()),
    }
}
