//! JSON-LD by the long way: the whole of JSON-LD 1.1, with the context of the kTBS built in and no other.

use std::collections::{HashMap, HashSet};
use std::thread;

use oxjsonld::{JsonLdParser, JsonLdRemoteDocument};
use oxrdf::{GraphName, NamedOrBlankNode, Term};

use super::number;
use super::terms::{self, Coercion, TERMS};
use super::tree::{Json, Object, member};
use crate::config::PayloadLimits;
use crate::error::{Error, Result};
use crate::format::Context;
use crate::format::payload::{Payload, extract, guarded, message, too_deep};
use crate::rdf::{Graph, TermId};
use crate::vocab::xsd;

/// Reads a document.
///
/// Native numbers outside typed terms are read as by [`super::direct`]: what is written as an integer is one,
/// however large, and the others are doubles.
///
/// # Errors
/// `Parse` if it is not JSON-LD, if it names another remote context, if it has named graphs, or says what cannot be
/// kept; `TooLarge`.
pub(super) fn read(document: &Json<'_>, context: &Context<'_>) -> Result<Graph> {
    let contexts = Contexts::read(document, context.limits)?;
    let mut text = String::new();
    contexts.write(document, None, &mut text)?;
    let parser = JsonLdParser::new()
        .with_base_iri(context.base)
        .map_err(|_| Error::Internal(format!("<{}> is no base IRI", context.base)))?;
    // The processor takes some 60 KiB of stack for each level of the document when it is not optimized.
    const STACK: usize = 1 << 20;
    const STACK_PER_LEVEL: usize = 128 << 10;
    let stack = STACK.saturating_add(STACK_PER_LEVEL.saturating_mul(contexts.levels));
    thread::scope(|scope| {
        thread::Builder::new()
            .stack_size(stack)
            .spawn_scoped(scope, || {
                guarded(|| process(&text, context.base, parser, context.limits))
            })
            .map_err(|e| Error::Internal(format!("cannot start a thread: {e}")))?
            .join()
            .unwrap_or_else(|_| Err(Error::Internal("a guarded parser panicked".to_owned())))
    })
}

/// Runs the processor.
fn process(text: &str, base: &str, parser: JsonLdParser, limits: &PayloadLimits) -> Result<Graph> {
    let mut payload = Payload::new(limits);
    let base = base.to_owned();
    let quads = parser.for_slice(text).with_load_document_callback(move |address, _| {
        if terms::is_context_address(address, &base) {
            Ok(JsonLdRemoteDocument {
                document: terms::DOCUMENT.as_bytes().to_vec(),
                document_url: address.to_owned(),
            })
        } else {
            Err("no other context than that of the kTBS is available".into())
        }
    });
    for quad in quads {
        let quad = quad.map_err(|e| Error::Parse(message(e)))?;
        if quad.graph_name != GraphName::DefaultGraph {
            return Err(Error::Parse(
                "the payload has named graphs ('@graph' beside other keys): only triples are accepted".to_owned(),
            ));
        }
        let subject = node(&mut payload, &quad.subject)?;
        let predicate = payload.iri(quad.predicate.as_str())?;
        let object = match &quad.object {
            Term::NamedNode(iri) => payload.iri(iri.as_str())?,
            Term::BlankNode(blank) => payload.blank(blank.as_str()),
            Term::Literal(literal) if literal.direction().is_some() => {
                return Err(Error::Parse("'@direction' is not accepted".to_owned()));
            }
            Term::Literal(literal) => match literal.language() {
                Some(language) => payload.tagged(literal.value(), language)?,
                None => payload.literal(literal.value(), literal.datatype().as_str())?,
            },
            Term::Triple(_) => return Err(Error::Parse("triple terms are not accepted".to_owned())),
        };
        payload.insert([subject, predicate, object])?;
    }
    Ok(payload.into_graph())
}

fn node(payload: &mut Payload<'_>, node: &NamedOrBlankNode) -> Result<TermId> {
    match node {
        NamedOrBlankNode::NamedNode(iri) => payload.iri(iri.as_str()),
        NamedOrBlankNode::BlankNode(blank) => Ok(payload.blank(blank.as_str())),
    }
}

/// Checks that a list or a set says nothing else (JSON-LD 1.1 API, section 5.1.2, step 13.13: "invalid set or list object"). The
/// processor sees it too late where the value is null.
fn check_collection(object: &Object<'_>) -> Result<()> {
    let has = |name: &str| object.iter().any(|(key, _)| key == name);
    let Some(kind) = ["@list", "@set"].into_iter().find(|kind| has(kind)) else {
        return Ok(());
    };
    let goes_with = |key: &str| key == kind || matches!(key, "@index" | "@type" | "@context");
    match object.iter().find(|(key, _)| !goes_with(key)) {
        Some((key, _)) => Err(Error::Parse(format!("{kind} stands beside {}", extract(key)))),
        None => Ok(()),
    }
}

/// Copies of values that the processor may make per triple that a payload may hold: a matter of seconds at most.
const COPIES_PER_TRIPLE: u64 = 8;

/// What the contexts of a document hold, all together.
#[derive(Default)]
struct Contexts<'d> {
    /// Contexts that stand in objects.
    embedded: u64,
    /// Contexts that stand in the definition of a term.
    scoped: u64,
    /// Terms that they define.
    terms: u64,
    /// Values outside contexts.
    values: u64,
    /// The same, each counted once for every object around it.
    copies: u64,
    /// The depth of the document, and the length of the longest chain of definitions: levels of recursion.
    levels: usize,
    /// All the terms that some context defines.
    known: HashSet<&'d str>,
    /// Whether a key that no context defines may still mean something.
    may_mean_anything: bool,
    /// What terms are said to stand for, where that is no IRI.
    names: Vec<&'d str>,
    /// Terms whose literals have a datatype, if one of their definitions says so.
    typed: HashSet<&'d str>,
    /// Terms whose values are JSON literals, if one of their definitions says so.
    json: HashSet<&'d str>,
}

impl<'d> Contexts<'d> {
    /// Examines the contexts of a document, and checks that they cost neither too much time nor too much stack.
    fn read(document: &'d Json<'_>, limits: &PayloadLimits) -> Result<Self> {
        let mut contexts = Self::default();
        contexts.examine(document, 1, limits)?;
        // The processor copies what is in an object once for each object around it.
        if contexts.copies > limits.triples.saturating_mul(COPIES_PER_TRIPLE) {
            return Err(Error::TooLarge(format!(
                "request-triples ({}) was exceeded by values times nesting",
                limits.triples
            )));
        }
        contexts.levels += document.depth();
        if let Some(name) = contexts.names.iter().find(|name| contexts.means_nothing(name)) {
            return Err(Error::Parse(format!(
                "a context defines a term as \"{}\", which is not an absolute IRI",
                extract(name)
            )));
        }
        // Each context copies the terms known where it stands, and a scoped one does so for each value it covers.
        let scoped = if contexts.scoped > 0 {
            contexts.values + contexts.terms
        } else {
            0
        };
        let cost = (contexts.embedded + scoped).saturating_mul(contexts.terms);
        if contexts.embedded + scoped > 1 && cost > limits.triples {
            return Err(Error::TooLarge(format!(
                "request-triples ({}) was exceeded by terms times contexts",
                limits.triples
            )));
        }
        Ok(contexts)
    }

    fn examine(&mut self, value: &'d Json<'_>, level: u64, limits: &PayloadLimits) -> Result<()> {
        self.values += 1;
        self.copies += level;
        match value {
            Json::Array(items) => items.iter().try_for_each(|item| self.examine(item, level, limits)),
            Json::Object(object) => {
                check_collection(object)?;
                object.iter().try_for_each(|(key, value)| {
                    if key == "@context" {
                        self.embedded += 1;
                        self.examine_context(value, limits)
                    } else {
                        self.examine(value, level + 1, limits)
                    }
                })
            }
            _ => Ok(()),
        }
    }

    fn examine_context(&mut self, context: &'d Json<'_>, limits: &PayloadLimits) -> Result<()> {
        for part in context.items() {
            match part {
                Json::String(_) => self.know_kt_terms(),
                Json::Object(definitions) => {
                    self.levels = self.levels.max(Chains::longest(definitions, limits)?);
                    for (term, definition) in definitions {
                        self.terms += 1;
                        self.known.insert(term);
                        match term.as_ref() {
                            "@import" => self.know_kt_terms(),
                            "@vocab" => self.may_mean_anything = true,
                            _ => {}
                        }
                        self.examine_definition(term, definition, limits)?;
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn know_kt_terms(&mut self) {
        self.terms += TERMS.len() as u64;
        self.known.extend(TERMS.keys().map(String::as_str));
        let typed = TERMS
            .iter()
            .filter(|(_, term)| matches!(term.coercion, Coercion::Datatype(_)));
        self.typed.extend(typed.map(|(name, _)| name.as_str()));
    }

    fn examine_definition(&mut self, term: &'d str, definition: &'d Json<'_>, limits: &PayloadLimits) -> Result<()> {
        if let Some(name) = definition.as_str().filter(|_| !term.starts_with('@')) {
            self.names.push(name);
        }
        let Some(definition) = definition.as_object() else {
            return Ok(());
        };
        self.names.extend(member(definition, "@id").and_then(Json::as_str));
        // Containers have keys that are languages, indexes or identifiers.
        self.may_mean_anything |= member(definition, "@container").is_some();
        match member(definition, "@type").and_then(Json::as_str) {
            None | Some("@id" | "@vocab" | "@none") => {}
            Some("@json") => {
                self.json.insert(term);
            }
            Some(_) => {
                self.typed.insert(term);
            }
        }
        if let Some(context) = member(definition, "@context") {
            self.scoped += 1;
            self.examine_context(context, limits)?;
        }
        Ok(())
    }

    /// Tells whether a key, or a name of a context, surely expands to nothing.
    fn means_nothing(&self, name: &str) -> bool {
        let is_iri = name.contains(':') && !name.starts_with("_:");
        !is_iri && !name.starts_with('@') && !self.may_mean_anything && !self.known.contains(name)
    }

    /// Writes a value for the processor: as it is, but for native numbers that it would read otherwise, and without
    /// properties that mean nothing, of which it would keep the types of the nodes below.
    ///
    /// `key` is that of the property whose value it is.
    fn write(&self, value: &Json<'_>, key: Option<&str>, out: &mut String) -> Result<()> {
        match value {
            Json::Number(number) if key.is_some_and(|key| !self.typed.contains(key)) => {
                write_number(number, out);
            }
            Json::Array(items) => {
                out.push('[');
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    self.write(item, key, out)?;
                }
                out.push(']');
            }
            Json::Object(object) => self.write_object(object, key, out)?,
            _ => value.write(out),
        }
        Ok(())
    }

    fn write_object(&self, object: &Object<'_>, property: Option<&str>, out: &mut String) -> Result<()> {
        let kind = member(object, "@type");
        match (object.as_slice(), member(object, "@value")) {
            ([_], Some(Json::Number(number))) if is_read_otherwise(number) => {
                write_number(number, out);
                return Ok(());
            }
            (_, Some(_)) if kind.and_then(Json::as_str) == Some("@json") => {
                Json::Object(object.clone()).write(out);
                return Ok(());
            }
            _ => {}
        }
        out.push('{');
        let meaningful = object.iter().filter(|(key, _)| !self.means_nothing(key));
        for (i, (key, value)) in meaningful.enumerate() {
            if i > 0 {
                out.push(',');
            }
            Json::String(key.clone()).write(out);
            out.push(':');
            match key.as_ref() {
                "@list" | "@set" => self.write(value, property, out)?,
                "@id" | "@type" => {
                    value
                        .items()
                        .iter()
                        .filter_map(Json::as_str)
                        .try_for_each(check_characters)?;
                    value.write(out);
                }
                "@context" => value.write(out),
                key if self.json.contains(key) => value.write(out),
                key => self.write(value, Some(key).filter(|key| !key.starts_with('@')), out)?,
            }
        }
        out.push('}');
        Ok(())
    }
}

/// Tells whether the processor would read a native number otherwise than it is written: whole ones as integers, large
/// ones as doubles.
fn is_read_otherwise(number: &str) -> bool {
    /// Digits of the integers that it leaves as they are.
    const FEW_DIGITS: usize = 20;
    number.len() > FEW_DIGITS || !number::is_integer(number)
}

/// Writes a native number so that the processor reads it as it is written.
fn write_number(number: &str, out: &mut String) {
    if !is_read_otherwise(number) {
        out.push_str(number);
    } else if number::is_integer(number) {
        out.push_str(&format!(r#"{{"@value":"{number}","@type":"{}"}}"#, xsd::INTEGER));
    } else {
        out.push_str(&format!(r#"{{"@value":{number},"@type":"{}"}}"#, xsd::DOUBLE));
    }
}

/// Checks that a name holds no character that no IRI can hold: the processor would drop the whole node in silence,
/// as JSON-LD wants.
fn check_characters(name: &str) -> Result<()> {
    let is_wrong = |c: char| c <= ' ' || matches!(c, '<' | '>' | '"' | '{' | '}' | '|' | '\\' | '^' | '`' | '\u{7f}');
    if name.contains(is_wrong) {
        return Err(Error::Parse(format!("\"{}\" cannot be part of an IRI", extract(name))));
    }
    Ok(())
}

/// The definitions of one context, which may be made of each other. The processor follows them by recursion.
struct Chains<'d, 'a> {
    definitions: HashMap<&'d str, &'d Json<'a>>,
    /// The length of the longest chain that starts with a term; 0 while it is being followed.
    lengths: HashMap<&'d str, usize>,
    limits: &'d PayloadLimits,
}

impl<'d, 'a> Chains<'d, 'a> {
    fn longest(definitions: &'d Object<'a>, limits: &'d PayloadLimits) -> Result<usize> {
        let mut chains = Self {
            definitions: definitions.iter().map(|(term, d)| (term.as_ref(), d)).collect(),
            lengths: HashMap::new(),
            limits,
        };
        let mut longest = 0;
        for (term, _) in definitions {
            longest = longest.max(chains.follow(term, 1)?);
        }
        Ok(longest)
    }

    fn follow(&mut self, term: &'d str, level: usize) -> Result<usize> {
        let known = self.lengths.get(term).copied();
        if level + known.unwrap_or_default() > self.limits.nesting {
            return Err(too_deep(self.limits));
        }
        if let Some(length) = known {
            return Ok(length);
        }
        let Some(definition) = self.definitions.get(term).copied() else {
            return Ok(0);
        };
        self.lengths.insert(term, 0);
        let mut longest = 0;
        let parts = match definition {
            Json::Object(parts) => parts.iter().filter_map(|(_, part)| part.as_str()).collect(),
            _ => definition.as_str().into_iter().collect::<Vec<_>>(),
        };
        for name in parts.into_iter().chain([term]) {
            let prefix = name.split_once(':').map(|(prefix, _)| prefix);
            for other in prefix.into_iter().chain([name]) {
                if other != term {
                    longest = longest.max(self.follow(other, level + 1)?);
                }
            }
        }
        self.lengths.insert(term, longest + 1);
        Ok(longest + 1)
    }
}
