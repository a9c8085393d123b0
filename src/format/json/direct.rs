//! JSON-LD by the short way: straight from JSON to triples, for the documents that most clients send.
//!
//! It knows the context of the kTBS, prefixes defined beside it, `@id`, `@type`, `@value`, `@language`, `@reverse`,
//! a `@graph` at the top, and nested objects and arrays. It gives up on anything else, and on anything wrong, which
//! is then the business of [`super::full`]; where it does not give up, both give the same graph.

use std::collections::HashMap;

use sophia::api::term::BnodeId;
use sophia::iri::resolve::BaseIri;

use super::number;
use super::terms::{Coercion, TERMS, ends_like_prefix, is_context_address};
use super::tree::{Json, Object, member};
use crate::error::{Error, Result};
use crate::format::Context;
use crate::format::payload::{Payload, extract};
use crate::rdf::{Graph, TermId};
use crate::vocab::{rdf, xsd};

/// Reads a document; `None` if it is not one for the short way.
///
/// # Errors
/// `Parse` if it holds what is no IRI, language tag or literal; `TooLarge`.
pub(super) fn read(document: &Json<'_>, context: &Context<'_>) -> Result<Option<Graph>> {
    let Some(definitions) = Definitions::read(document, context.base) else {
        return Ok(None);
    };
    let base = BaseIri::new(context.base).map_err(|_| Error::Internal(format!("<{}> is no base IRI", context.base)))?;
    let mut payload = Payload::new(context.limits);
    let rdf_type = payload.iri(rdf::TYPE)?;
    let mut reader = Reader {
        payload,
        rdf_type,
        base,
        definitions,
        keys: HashMap::new(),
        iri: String::new(),
    };
    match reader.document(document) {
        Ok(()) => Ok(Some(reader.payload.into_graph())),
        Err(Stop::Unknown) => Ok(None),
        Err(Stop::Refused(error)) => Err(error),
    }
}

/// Why the short way ends early.
enum Stop {
    /// There is something that it does not know.
    Unknown,
    /// There is something that is wrong in any case.
    Refused(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

/// What the context defines.
struct Definitions<'d> {
    /// Whether the terms of the kTBS are known.
    has_terms: bool,
    /// Other prefixes, and their namespaces.
    prefixes: Vec<(&'d str, &'d str)>,
}

impl<'d> Definitions<'d> {
    fn read(document: &'d Json<'_>, base: &str) -> Option<Self> {
        let mut definitions = Self {
            has_terms: false,
            prefixes: Vec::new(),
        };
        let context = document.as_object().and_then(|object| member(object, "@context"));
        for part in context.map(Json::items).unwrap_or_default() {
            match part {
                Json::String(address) if is_context_address(address, base) => definitions.has_terms = true,
                Json::Object(prefixes) => {
                    for (prefix, namespace) in prefixes {
                        let namespace = namespace.as_str()?;
                        let is_plain = !prefix.is_empty()
                            && !prefix.contains([':', '/', '@'])
                            && !TERMS.contains_key(prefix.as_ref());
                        let is_namespace =
                            namespace.contains("://") && ends_like_prefix(namespace) && BaseIri::new(namespace).is_ok();
                        if !is_plain || !is_namespace {
                            return None;
                        }
                        definitions.prefixes.retain(|known| known.0 != prefix);
                        definitions.prefixes.push((prefix, namespace));
                    }
                }
                _ => return None,
            }
        }
        Some(definitions)
    }

    /// Returns what a name stands for as a whole, and how its values are read.
    fn term(&self, name: &str) -> Option<(&str, Coercion, bool)> {
        if let Some(term) = TERMS.get(name).filter(|_| self.has_terms) {
            return Some((&term.iri, term.coercion, term.is_reverse));
        }
        self.namespace(name).map(|namespace| (namespace, Coercion::None, false))
    }

    /// Returns the namespace of a prefix.
    fn namespace(&self, prefix: &str) -> Option<&str> {
        if let Some((_, namespace)) = self.prefixes.iter().find(|known| known.0 == prefix) {
            return Some(namespace);
        }
        let term = TERMS.get(prefix).filter(|term| self.has_terms && term.is_prefix)?;
        Some(&term.iri)
    }
}

/// What a key of an object is.
#[derive(Clone, Copy)]
enum Key {
    Context,
    Graph,
    Id,
    Language,
    Reverse,
    Type,
    Value,
    /// It expands to nothing, so that it is ignored with its value.
    Nothing,
    Property(Property),
}

#[derive(Clone, Copy)]
struct Property {
    predicate: TermId,
    coercion: Coercion,
    is_reverse: bool,
}

struct Reader<'d> {
    payload: Payload<'d>,
    rdf_type: TermId,
    base: BaseIri<&'d str>,
    definitions: Definitions<'d>,
    keys: HashMap<&'d str, Key>,
    /// The IRI that [`Reader::expand`] gave last; kept only to spare allocations.
    iri: String,
}

impl<'d> Reader<'d> {
    fn document(&mut self, document: &'d Json<'_>) -> Result<(), Stop> {
        let Json::Object(object) = document else {
            return self.nodes(document);
        };
        let Some(graph) = member(object, "@graph") else {
            self.node(object, true)?;
            return Ok(());
        };
        for (key, _) in object {
            if !matches!(self.key(key)?, Key::Context | Key::Graph) {
                return Err(Stop::Unknown);
            }
        }
        self.nodes(graph)
    }

    /// Reads nodes that stand at the top. Literals there mean nothing.
    fn nodes(&mut self, value: &'d Json<'_>) -> Result<(), Stop> {
        match value {
            Json::Array(items) => items.iter().try_for_each(|item| self.nodes(item)),
            Json::Object(object) if object.is_empty() => Ok(()),
            Json::Object(object) => self.node(object, false).map(|_| ()),
            _ => Ok(()),
        }
    }

    /// Reads a node, and all that it holds.
    fn node(&mut self, object: &'d Object<'_>, is_top: bool) -> Result<TermId, Stop> {
        let node = match member(object, "@id") {
            None => self.payload.fresh_blank(),
            Some(Json::String(id)) => self.reference(id, false)?.ok_or(Stop::Unknown)?,
            Some(_) => return Err(Stop::Unknown),
        };
        for (key, value) in object {
            match self.key(key)? {
                Key::Id | Key::Nothing => {}
                Key::Context if is_top => {}
                Key::Type => {
                    for name in value.items() {
                        let name = name.as_str().ok_or(Stop::Unknown)?;
                        if let Some(class) = self.reference(name, true)? {
                            self.payload.insert([node, self.rdf_type, class])?;
                        }
                    }
                }
                Key::Reverse => {
                    for (key, value) in value.as_object().ok_or(Stop::Unknown)? {
                        match self.key(key)? {
                            Key::Property(mut property) => {
                                property.is_reverse = !property.is_reverse;
                                self.values(node, property, value)?;
                            }
                            Key::Nothing => {}
                            _ => return Err(Stop::Unknown),
                        }
                    }
                }
                Key::Property(property) => self.values(node, property, value)?,
                Key::Context | Key::Graph | Key::Language | Key::Value => return Err(Stop::Unknown),
            }
        }
        Ok(node)
    }

    /// Reads the values of a property of a node.
    fn values(&mut self, node: TermId, property: Property, value: &'d Json<'_>) -> Result<(), Stop> {
        let Property {
            predicate,
            coercion,
            is_reverse,
        } = property;
        let literal = match value {
            Json::Null => return Ok(()),
            Json::Array(items) => {
                return items.iter().try_for_each(|item| self.values(node, property, item));
            }
            Json::Object(object) if member(object, "@value").is_some() => match self.value_object(object)? {
                Some(literal) => literal,
                None if is_reverse => return Err(Stop::Unknown),
                None => return Ok(()),
            },
            Json::Object(object) => {
                let other = self.node(object, false)?;
                return self.link(node, property, other);
            }
            Json::String(name) if matches!(coercion, Coercion::Id | Coercion::Vocab) => {
                return match self.reference(name, coercion == Coercion::Vocab)? {
                    Some(other) => self.link(node, property, other),
                    None if coercion == Coercion::Vocab => Err(Stop::Unknown),
                    None => Ok(()),
                };
            }
            Json::String(text) => {
                let datatype = match coercion {
                    Coercion::Datatype(datatype) => datatype,
                    _ => xsd::STRING,
                };
                self.payload.literal(text, datatype)?
            }
            Json::Number(_) | Json::Boolean(_) => match coercion {
                Coercion::Datatype(datatype) => self.native(value, Some(datatype))?,
                _ => self.native(value, None)?,
            },
        };
        if is_reverse {
            return Err(Stop::Unknown);
        }
        self.payload.insert([node, predicate, literal])?;
        Ok(())
    }

    fn link(&mut self, node: TermId, property: Property, other: TermId) -> Result<(), Stop> {
        let (subject, object) = if property.is_reverse {
            (other, node)
        } else {
            (node, other)
        };
        self.payload.insert([subject, property.predicate, object])?;
        Ok(())
    }

    /// Reads an object that has a `@value`; `None` if that is null.
    fn value_object(&mut self, object: &'d Object<'_>) -> Result<Option<TermId>, Stop> {
        let mut value = &Json::Null;
        let mut datatype = None;
        let mut language = None;
        for (key, part) in object {
            match self.key(key)? {
                Key::Value => value = part,
                Key::Type => datatype = Some(part.as_str().ok_or(Stop::Unknown)?),
                Key::Language => language = Some(part.as_str().ok_or(Stop::Unknown)?),
                _ => return Err(Stop::Unknown),
            }
        }
        let datatype = match datatype {
            Some(name) if self.expand(name, true, true) && !self.iri.starts_with("_:") => Some(self.iri.clone()),
            Some(_) => return Err(Stop::Unknown),
            None => None,
        };
        match (value, datatype, language) {
            (Json::Null, _, _) => Ok(None),
            (Json::String(text), Some(datatype), None) => Ok(Some(self.payload.literal(text, &datatype)?)),
            (Json::String(text), None, Some(language)) => Ok(Some(self.payload.tagged(text, language)?)),
            (Json::String(text), None, None) => Ok(Some(self.payload.literal(text, xsd::STRING)?)),
            (Json::Number(_) | Json::Boolean(_), datatype, None) => Ok(Some(self.native(value, datatype.as_deref())?)),
            _ => Err(Stop::Unknown),
        }
    }

    /// Returns the literal of a number or a boolean.
    fn native(&mut self, value: &Json<'_>, datatype: Option<&str>) -> Result<TermId, Stop> {
        let literal = match (value, datatype) {
            (Json::Boolean(value), _) => {
                let lexical = if *value { "true" } else { "false" };
                self.payload.literal(lexical, datatype.unwrap_or(xsd::BOOLEAN))?
            }
            (Json::Number(number), None) if number::is_integer(number) => {
                self.payload.literal(number::integer(number), xsd::INTEGER)?
            }
            (Json::Number(number), None | Some(xsd::DOUBLE)) => {
                let lexical = number::double(number).ok_or(Stop::Unknown)?;
                self.payload.literal(&lexical, xsd::DOUBLE)?
            }
            (Json::Number(number), Some(datatype)) => {
                let lexical = number::typed(number).ok_or(Stop::Unknown)?;
                self.payload.literal(&lexical, datatype)?
            }
            _ => return Err(Stop::Unknown),
        };
        Ok(literal)
    }

    /// Returns the node of an `@id` or, with `vocab`, of a `@type`; `None` where a keyword stands for it.
    fn reference(&mut self, name: &str, vocab: bool) -> Result<Option<TermId>, Stop> {
        if !self.expand(name, vocab, true) {
            return Ok(None);
        }
        match self.iri.strip_prefix("_:") {
            Some(label) if BnodeId::new(label).is_ok() => Ok(Some(self.payload.blank(label))),
            Some(_) => Err(Stop::Refused(Error::Parse(format!(
                "\"{}\" is not a valid blank node",
                extract(&self.iri)
            )))),
            None => Ok(Some(self.payload.iri(&self.iri)?)),
        }
    }

    /// Returns what a key is; each is examined once.
    fn key(&mut self, key: &'d str) -> Result<Key, Stop> {
        if let Some(known) = self.keys.get(key) {
            return Ok(*known);
        }
        let found = match key {
            "@context" => Key::Context,
            "@graph" => Key::Graph,
            "@id" => Key::Id,
            "@language" => Key::Language,
            "@reverse" => Key::Reverse,
            "@type" => Key::Type,
            "@value" => Key::Value,
            _ if has_keyword_form(key) => return Err(Stop::Unknown),
            _ => {
                self.expand(key, true, false);
                if self.iri.contains(':') && !self.iri.starts_with("_:") {
                    let (_, coercion, is_reverse) = self.definitions.term(key).unwrap_or(("", Coercion::None, false));
                    Key::Property(Property {
                        predicate: self.payload.iri(&self.iri)?,
                        coercion,
                        is_reverse,
                    })
                } else {
                    Key::Nothing
                }
            }
        };
        self.keys.insert(key, found);
        Ok(found)
    }

    /// Writes in `self.iri` what a name stands for (JSON-LD 1.1 API, "IRI expansion"); returns false if it looks
    /// like a keyword, which stands for nothing.
    ///
    /// With `vocab` it may be a term, with `relative` an IRI relative to the target.
    fn expand(&mut self, name: &str, vocab: bool, relative: bool) -> bool {
        if has_keyword_form(name) {
            return false;
        }
        self.iri.clear();
        if vocab && let Some((iri, ..)) = self.definitions.term(name) {
            self.iri.push_str(iri);
            return true;
        }
        if let Some((prefix, suffix)) = name.split_once(':') {
            if prefix == "_" || suffix.starts_with("//") {
                self.iri.push_str(name);
                return true;
            }
            if let Some(namespace) = self.definitions.namespace(prefix) {
                self.iri.push_str(namespace);
                self.iri.push_str(suffix);
                return true;
            }
            if BaseIri::new(name).is_ok() {
                self.iri.push_str(name);
                return true;
            }
        }
        if relative && self.base.resolve_into(name, &mut self.iri).is_ok() {
            return true;
        }
        self.iri.clear();
        self.iri.push_str(name);
        true
    }
}

/// Tells whether a name is reserved: a keyword, or what may become one.
fn has_keyword_form(name: &str) -> bool {
    name.strip_prefix('@')
        .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_alphabetic()))
}
