//! The terms of the JSON-LD context of the kTBS, as the serializers use them.

use crate::vocab::{KTBS, ktbs};

/// What the context says of the values of a term.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coercion {
    /// Nothing: values are what they look like.
    None,
    /// Strings are IRIs.
    Id,
    /// Strings are terms or IRIs.
    Vocab,
    /// Values are `xsd:integer`s.
    Integer,
    /// Values are `xsd:dateTime`s.
    DateTime,
}

/// A property that has a term.
#[derive(Clone, Copy, Debug)]
pub struct Property {
    /// Its IRI.
    pub iri: &'static str,
    /// Its term.
    pub term: &'static str,
    /// What the context says of its values.
    pub coercion: Coercion,
    /// True if clients expect an array even for one value.
    pub array: bool,
    /// The term to use instead where the value is a literal.
    pub literal: Option<&'static str>,
}

const fn property(iri: &'static str, term: &'static str, coercion: Coercion) -> Property {
    Property {
        iri,
        term,
        coercion,
        array: false,
        literal: None,
    }
}

const fn array(iri: &'static str, term: &'static str, coercion: Coercion) -> Property {
    Property {
        array: true,
        ..property(iri, term, coercion)
    }
}

const fn either(iri: &'static str, term: &'static str, literal: &'static str) -> Property {
    Property {
        literal: Some(literal),
        ..property(iri, term, Coercion::Id)
    }
}

use Coercion::{DateTime, Id, Integer, None as Plain, Vocab};

/// The properties that have a term, in the order in which documents show them.
pub static PROPERTIES: [Property; 37] = [
    property(ktbs::HAS_VERSION, "version", Plain),
    array(ktbs::HAS_BUILTIN_METHOD, "hasBuiltinMethod", Vocab),
    array(ktbs::HAS_BASE, "hasBase", Id),
    array(ktbs::CONTAINS, "contains", Id),
    property(ktbs::HAS_UNIT, "hasUnit", Vocab),
    array(ktbs::HAS_PARENT_MODEL, "hasParentModel", Id),
    array(ktbs::HAS_SUPER_OBSEL_TYPE, "hasSuperObselType", Id),
    array(ktbs::HAS_ATTRIBUTE_DOMAIN, "hasAttributeObselType", Id),
    array(ktbs::HAS_ATTRIBUTE_RANGE, "hasAttributeDatatype", Id),
    array(ktbs::HAS_SUPER_RELATION_TYPE, "hasSuperRelationType", Id),
    array(ktbs::HAS_RELATION_DOMAIN, "hasRelationOrigin", Id),
    array(ktbs::HAS_RELATION_RANGE, "hasRelationDestination", Id),
    property(ktbs::HAS_SUGGESTED_COLOR, "suggestedColor", Plain),
    property(ktbs::HAS_SUGGESTED_SYMBOL, "suggestedSymbol", Plain),
    property(ktbs::HAS_OBSEL_COLLECTION, "hasObselList", Id),
    property(ktbs::HAS_TRACE_STATISTICS, "hasTraceStatistics", Id),
    property(ktbs::HAS_DIAGNOSIS, "diagnosis", Plain),
    property(ktbs::HAS_MODEL, "hasModel", Id),
    property(ktbs::HAS_ORIGIN, "origin", Plain),
    property(ktbs::HAS_TRACE_BEGIN, "traceBegin", Integer),
    property(ktbs::HAS_TRACE_BEGIN_DT, "traceBeginDT", DateTime),
    property(ktbs::HAS_TRACE_END, "traceEnd", Integer),
    property(ktbs::HAS_TRACE_END_DT, "traceEndDT", DateTime),
    either(ktbs::HAS_DEFAULT_SUBJECT, "hasDefaultSubject", "defaultSubject"),
    array(ktbs::HAS_SOURCE, "hasSource", Id),
    property(ktbs::HAS_METHOD, "hasMethod", Vocab),
    property(ktbs::HAS_PARENT_METHOD, "hasParentMethod", Vocab),
    array(ktbs::HAS_PARAMETER, "parameter", Plain),
    array(ktbs::HAS_CONTEXT, "hasContext", Id),
    property(ktbs::HAS_TRACE, "hasTrace", Id),
    property(ktbs::HAS_BEGIN, "begin", Integer),
    property(ktbs::HAS_END, "end", Integer),
    either(ktbs::HAS_SUBJECT, "hasSubject", "subject"),
    array(ktbs::HAS_SOURCE_OBSEL, "hasSourceObsel", Id),
    property(ktbs::HAS_BEGIN_DT, "beginDT", DateTime),
    property(ktbs::HAS_END_DT, "endDT", DateTime),
    property(ktbs::HAS_OBSEL_COUNT, "obselCount", Integer),
];

/// Properties backwards: the IRI, the term, and whether clients expect an array even for one value.
pub static REVERSES: [(&str, &str, bool); 5] = [
    (ktbs::HAS_METHOD, "isMethodOf", true),
    (ktbs::HAS_PARENT_METHOD, "isParentMethodOf", true),
    (ktbs::HAS_SOURCE, "isSourceOf", true),
    (ktbs::HAS_BASE, "inRoot", false),
    (ktbs::CONTAINS, "inBase", false),
];

/// Classes, methods and units whose term is their local name.
static NAMES: [&str; 26] = [
    "AttributeType",
    "Base",
    "BuiltinMethod",
    "ComputedTrace",
    "DataGraph",
    "KtbsRoot",
    "Method",
    "Obsel",
    "ObselType",
    "RelationType",
    "StoredTrace",
    "StoredTraceObsels",
    "TraceStatistics",
    "TraceModel",
    "external",
    "filter",
    "fsa",
    "fusion",
    "hrules",
    "isparql",
    "parallel",
    "pipe",
    "sparql",
    "sequence",
    "second",
    "millisecond",
];

/// Other terms of the contexts of our documents.
static OTHERS: [&str; 9] = [
    "xsd",
    "skos",
    "k",
    "rdfs",
    "m",
    "stats",
    "label",
    "additionalType",
    "obsels",
];

/// Returns the property of an IRI that has a term, and its rank in the order of documents.
pub fn property_of(iri: &str) -> Option<(usize, &'static Property)> {
    if !iri.starts_with(KTBS) {
        return None;
    }
    PROPERTIES.iter().enumerate().find(|(_, it)| it.iri == iri)
}

/// Returns the term of a class, a method or a unit.
pub fn name_of(iri: &str) -> Option<&str> {
    let local = iri.strip_prefix(KTBS)?;
    NAMES.contains(&local).then_some(local)
}

/// Tells whether a text is a term of the context, so that it cannot be a relative IRI where terms are looked for.
pub fn is_term(text: &str) -> bool {
    NAMES.contains(&text)
        || OTHERS.contains(&text)
        || PROPERTIES.iter().any(|it| it.term == text || it.literal == Some(text))
        || REVERSES.iter().any(|it| it.1 == text)
}
