//! The JSON-LD context of the kTBS (kTBS documentation, "JSON-LD context").

use std::collections::HashMap;
use std::sync::LazyLock;

use super::tree::{Json, member};
use crate::config::PayloadLimits;
use crate::vocab;

/// The document at [`vocab::CONTEXT`].
pub const DOCUMENT: &str = include_str!("context.jsonld");

/// Tells whether an address is that of [`DOCUMENT`], wherever it is published or at the root of the kTBS, below which
/// the document is whose base is given. (No resource is ever called `@context`.)
pub(super) fn is_context_address(address: &str, base: &str) -> bool {
    let root = address.strip_suffix("@context").filter(|root| root.ends_with('/'));
    if root.is_some_and(|root| base.starts_with(root)) {
        return true;
    }
    address
        .strip_prefix("https:")
        .or_else(|| address.strip_prefix("http:"))
        .is_some_and(|rest| vocab::CONTEXT.strip_prefix("http:") == Some(rest))
}

/// How a value is read, according to its term.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coercion {
    /// As it is.
    None,
    /// A string is an IRI.
    Id,
    /// A string is a term, or else an IRI.
    Vocab,
    /// A literal has this datatype.
    Datatype(&'static str),
}

/// The definition of a term.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Term {
    /// What it stands for.
    pub(super) iri: String,
    /// How its values are read.
    pub(super) coercion: Coercion,
    /// Whether its values are subjects rather than objects.
    pub(super) is_reverse: bool,
    /// Whether it can be the prefix of a compact IRI.
    pub(super) is_prefix: bool,
}

/// The terms of [`DOCUMENT`].
pub(super) static TERMS: LazyLock<HashMap<String, Term>> = LazyLock::new(read_document);

/// Tells whether an IRI can be that of a prefix (JSON-LD 1.1 API, "create term definition").
pub(super) fn ends_like_prefix(iri: &str) -> bool {
    iri.ends_with([':', '/', '?', '#', '[', ']', '@'])
}

fn read_document() -> HashMap<String, Term> {
    let limits = PayloadLimits {
        triples: u64::MAX,
        nesting: 3,
        literal_bytes: usize::MAX,
    };
    let document = Json::parse(DOCUMENT.as_bytes(), &limits).expect("our own document is JSON");
    let definitions = document
        .as_object()
        .and_then(|document| member(document, "@context"))
        .and_then(Json::as_object)
        .expect("our own document is a context");
    let iri_of = |name: &str| match name.split_once(':') {
        Some((prefix, rest)) if !rest.starts_with("//") => {
            let prefix = member(definitions, prefix).and_then(Json::as_str);
            [prefix.expect("our own prefixes are defined"), rest].concat()
        }
        _ => name.to_owned(),
    };
    let mut terms = HashMap::new();
    for (name, definition) in definitions {
        let part = |key| {
            definition
                .as_object()
                .and_then(|d| member(d, key))
                .and_then(Json::as_str)
        };
        let reverse = part("@reverse");
        let iri = definition.as_str().or_else(|| part("@id")).or(reverse);
        let iri = iri_of(iri.expect("our own terms have an IRI"));
        let coercion = match part("@type") {
            None => Coercion::None,
            Some("@id") => Coercion::Id,
            Some("@vocab") => Coercion::Vocab,
            Some("xsd:integer") => Coercion::Datatype(vocab::xsd::INTEGER),
            Some(other) => {
                assert_eq!(other, "xsd:dateTime", "our own datatypes are two");
                Coercion::Datatype(vocab::xsd::DATE_TIME)
            }
        };
        let term = Term {
            coercion,
            is_reverse: reverse.is_some(),
            is_prefix: definition.as_str().is_some() && ends_like_prefix(&iri),
            iri,
        };
        terms.insert(name.to_string(), term);
    }
    terms
}

#[cfg(test)]
mod test {
    use super::*;

    #[test]
    fn the_document_is_known_by_two_addresses() {
        assert!(is_context_address(
            "http://liris.cnrs.fr/silex/2011/ktbs-jsonld-context",
            "http://h/b/"
        ));
        assert!(is_context_address(
            "https://liris.cnrs.fr/silex/2011/ktbs-jsonld-context",
            "http://h/b/"
        ));
        for other in [
            "",
            "http://liris.cnrs.fr/silex/2011/ktbs-jsonld-context/",
            "ftp://liris.cnrs.fr",
            "http:",
        ] {
            assert!(!is_context_address(other, "http://h/b/"), "{other}");
        }
    }

    #[test]
    fn terms_stand_for_what_is_documented() {
        let term = |name: &str| {
            let term = TERMS.get(name).unwrap_or_else(|| panic!("no term {name}"));
            (term.iri.as_str(), term.coercion, term.is_reverse, term.is_prefix)
        };
        let integer = Coercion::Datatype(vocab::xsd::INTEGER);
        let date_time = Coercion::Datatype(vocab::xsd::DATE_TIME);
        assert_eq!(TERMS.len(), 4 + 15 + 9 + 3 + 39 + 2 + 6);
        assert_eq!(term("k"), (vocab::KTBS, Coercion::None, false, true));
        assert_eq!(term("xsd"), (vocab::XSD, Coercion::None, false, true));
        assert_eq!(term("skos"), (vocab::SKOS, Coercion::None, false, true));
        assert_eq!(term("rdfs"), (vocab::RDFS, Coercion::None, false, true));
        assert_eq!(term("Base"), (vocab::ktbs::BASE, Coercion::None, false, false));
        assert_eq!(term("sparql"), (vocab::ktbs::SPARQL, Coercion::None, false, false));
        assert_eq!(
            term("hasMethod"),
            (vocab::ktbs::HAS_METHOD, Coercion::Vocab, false, false)
        );
        assert_eq!(
            term("hasObselList"),
            (vocab::ktbs::HAS_OBSEL_COLLECTION, Coercion::Id, false, false)
        );
        assert_eq!(term("begin"), (vocab::ktbs::HAS_BEGIN, integer, false, false));
        assert_eq!(term("endDT"), (vocab::ktbs::HAS_END_DT, date_time, false, false));
        assert_eq!(
            term("subject"),
            (vocab::ktbs::HAS_SUBJECT, Coercion::None, false, false)
        );
        assert_eq!(
            term("hasSubject"),
            (vocab::ktbs::HAS_SUBJECT, Coercion::Id, false, false)
        );
        assert_eq!(term("label"), (vocab::skos::PREF_LABEL, Coercion::None, false, false));
        assert_eq!(term("additionalType"), (vocab::rdf::TYPE, Coercion::Id, false, false));
        assert_eq!(term("obsels"), (vocab::ktbs::HAS_TRACE, Coercion::Id, true, false));
        assert_eq!(term("inRoot"), (vocab::ktbs::HAS_BASE, Coercion::Id, true, false));
        assert_eq!(term("inBase"), (vocab::ktbs::CONTAINS, Coercion::Id, true, false));
        assert_eq!(
            term("ComputedTraceObsels"),
            (vocab::ktbs::COMPUTED_TRACE_OBSELS, Coercion::None, false, false)
        );
    }
}
