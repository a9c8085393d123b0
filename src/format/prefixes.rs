//! The prefixes that a document in Turtle or RDF/XML declares.

use crate::format::Prefixes;
use crate::resource::View;
use crate::vocab::{KTBS, RDF, RDFS, SKOS, XSD};

/// A prefix and its namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prefix {
    /// The prefix, without its colon; may be empty.
    pub name: String,
    /// The namespace.
    pub namespace: String,
}

/// Returns the namespace of the terms of a model: its IRI, and `#` if it ends with neither `#` nor `/` (kTBS
/// documentation, "JSON format").
pub fn model_namespace(model: &str) -> String {
    if model.ends_with(['#', '/']) {
        model.to_owned()
    } else {
        format!("{model}#")
    }
}

/// Returns the prefixes offered to the documents of a view, one for each namespace: those of the configuration, those
/// of the vocabularies that are always at hand, then `ns1` (or the next that is free) for the model.
///
/// What could not be declared, in Turtle or in XML, is left out.
pub fn bound(prefixes: &Prefixes, view: &View) -> Vec<Prefix> {
    let mut bound: Vec<Prefix> = Vec::new();
    let mut bind = |name: &str, namespace: &str| {
        let taken = |it: &Prefix| it.name == name || it.namespace == namespace;
        if is_prefix(name) && is_namespace(namespace) && !bound.iter().any(taken) {
            bound.push(Prefix {
                name: name.to_owned(),
                namespace: namespace.to_owned(),
            });
            return true;
        }
        bound.iter().any(|it| it.namespace == namespace)
    };
    for (name, namespace) in &prefixes.0 {
        bind(name, namespace);
    }
    for (name, namespace) in [("", KTBS), ("rdf", RDF), ("rdfs", RDFS), ("skos", SKOS), ("xsd", XSD)] {
        bind(name, namespace);
    }
    if let Some(model) = &view.model {
        let namespace = model_namespace(model);
        (1..=prefixes.0.len() + 1).any(|n| bind(&format!("ns{n}"), &namespace));
    }
    bound
}

/// Tells whether a prefix can be used as it is in Turtle and in XML. (ASCII is enough for what people write, and
/// names that begin with `xml` are reserved.)
fn is_prefix(name: &str) -> bool {
    name.is_empty()
        || name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
            && !name.to_ascii_lowercase().starts_with("xml")
}

/// Tells whether a namespace can be declared: not empty, and of characters that an IRI can have.
fn is_namespace(namespace: &str) -> bool {
    let forbidden = |c: char| c <= ' ' || matches!(c, '<' | '>' | '"' | '{' | '}' | '|' | '^' | '`' | '\\');
    !namespace.is_empty() && !namespace.contains(forbidden)
}

/// Tells whether a text is an XML name without colon (Namespaces in XML, production NCName).
pub fn is_ncname(text: &str) -> bool {
    text.starts_with(is_name_start) && text.chars().all(is_name_character)
}

/// Tells whether an XML name without colon can start with a character.
pub fn is_name_start(c: char) -> bool {
    matches!(c, 'A'..='Z' | 'a'..='z' | '_' | '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{2FF}'
        | '\u{370}'..='\u{37D}' | '\u{37F}'..='\u{1FFF}' | '\u{200C}'..='\u{200D}' | '\u{2070}'..='\u{218F}'
        | '\u{2C00}'..='\u{2FEF}' | '\u{3001}'..='\u{D7FF}' | '\u{F900}'..='\u{FDCF}' | '\u{FDF0}'..='\u{FFFD}'
        | '\u{10000}'..='\u{EFFFF}')
}

/// Tells whether an XML name without colon can contain a character.
pub fn is_name_character(c: char) -> bool {
    is_name_start(c) || matches!(c, '-' | '.' | '0'..='9' | '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}'..='\u{2040}')
}
