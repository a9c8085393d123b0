//! What all parsers have in common: the graph they fill, what they refuse, and how they tell where.
//!
//! Whatever a [`Payload`] accepts can be written in N-Triples and Turtle, and read back from them: IRIs are absolute
//! and valid (RFC 3987), literals hold no NUL, language tags are well-formed (BCP 47), and there is nothing but RDF
//! 1.1 (no triple term, no base direction).

use std::any::Any;
use std::collections::{HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use sophia::api::term::{BnodeId, IriRef, LanguageTag, SimpleTerm};
use sophia::iri::is_absolute_iri_ref;

use crate::config::PayloadLimits;
use crate::error::{Error, Result};
use crate::rdf::{Graph, TermId};
use crate::vocab::{RDF, xsd};

/// Prefix declarations in one payload, or in scope at one place of it. Parsers search them one by one, so that
/// more of them would let a payload of a few megabytes take minutes.
pub(super) const MAX_PREFIXES: usize = 256;

/// The graph of a payload, in the making: each term is checked when it is first met.
///
/// Blank nodes are renamed `b0`, `b1`… in order of appearance, so that no label of a client goes further.
pub(super) struct Payload<'l> {
    graph: Graph,
    /// The IRIs that took time to check.
    iris: HashMap<Box<str>, TermId>,
    blanks: HashMap<String, TermId>,
    minted: u32,
    datatypes: HashSet<String>,
    limits: &'l PayloadLimits,
}

impl<'l> Payload<'l> {
    /// Returns an empty payload.
    pub(super) fn new(limits: &'l PayloadLimits) -> Self {
        Self {
            graph: Graph::new(),
            iris: HashMap::new(),
            blanks: HashMap::new(),
            minted: 0,
            datatypes: HashSet::new(),
            limits,
        }
    }

    /// Returns the graph.
    pub(super) fn into_graph(self) -> Graph {
        self.graph
    }

    /// Returns the number of an IRI.
    ///
    /// # Errors
    /// `Parse` if it is relative or invalid, `TooLarge`.
    pub(super) fn iri(&mut self, iri: &str) -> Result<TermId> {
        if is_plain_web_iri(iri) {
            self.check_length(iri)?;
            return Ok(self.graph.intern(&SimpleTerm::Iri(IriRef::new_unchecked(iri.into()))));
        }
        if let Some(id) = self.iris.get(iri) {
            return Ok(*id);
        }
        self.check_iri(iri)?;
        let id = self.graph.intern(&SimpleTerm::Iri(IriRef::new_unchecked(iri.into())));
        self.iris.insert(iri.into(), id);
        Ok(id)
    }

    /// Returns the number of the blank node of a label; the same label is the same node.
    pub(super) fn blank(&mut self, label: &str) -> TermId {
        if let Some(id) = self.blanks.get(label) {
            return *id;
        }
        let id = self.fresh_blank();
        self.blanks.insert(label.to_owned(), id);
        id
    }

    /// Returns the number of a blank node that has no label.
    pub(super) fn fresh_blank(&mut self) -> TermId {
        let label = format!("b{}", self.minted);
        self.minted += 1;
        self.graph
            .intern(&SimpleTerm::BlankNode(BnodeId::new_unchecked(label.into())))
    }

    /// Returns the number of a literal that has no language; its lexical form is kept as it is.
    ///
    /// # Errors
    /// `Parse` if it holds a NUL, or if its datatype is not valid, `TooLarge`.
    pub(super) fn literal(&mut self, lexical: &str, datatype: &str) -> Result<TermId> {
        self.check_lexical(lexical)?;
        if datatype != xsd::STRING && !self.datatypes.contains(datatype) {
            self.check_iri(datatype)?;
            if matches!(datatype.strip_prefix(RDF), Some("langString" | "dirLangString")) {
                return Err(Error::Parse(format!(
                    "the literal \"{}\" has the datatype <{datatype}> but no language",
                    extract(lexical)
                )));
            }
            self.datatypes.insert(datatype.to_owned());
        }
        Ok(self.graph.intern(&SimpleTerm::LiteralDatatype(
            lexical.into(),
            IriRef::new_unchecked(datatype.into()),
        )))
    }

    /// Returns the number of a language-tagged string.
    ///
    /// # Errors
    /// `Parse` if it holds a NUL, or if its language tag is not well-formed, `TooLarge`.
    pub(super) fn tagged(&mut self, lexical: &str, language: &str) -> Result<TermId> {
        self.check_lexical(lexical)?;
        let Ok(language) = LanguageTag::new(language) else {
            return Err(Error::Parse(format!("\"{}\" is no language tag", extract(language))));
        };
        Ok(self.graph.intern(&SimpleTerm::LiteralLanguage(
            lexical.into(),
            language.map_unchecked(Into::into),
            None,
        )))
    }

    /// Adds a triple of numbers that this payload gave.
    ///
    /// # Errors
    /// `TooLarge`.
    pub(super) fn insert(&mut self, triple: [TermId; 3]) -> Result<()> {
        self.graph.insert_ids(triple);
        if self.graph.len() as u64 > self.limits.triples {
            return Err(Error::TooLarge(format!(
                "request-triples ({}) was exceeded",
                self.limits.triples
            )));
        }
        Ok(())
    }

    /// Adds a triple of Sophia's terms.
    ///
    /// # Errors
    /// `Parse` if it is not a valid triple of RDF 1.1, `TooLarge`.
    pub(super) fn insert_terms(&mut self, [s, p, o]: [&SimpleTerm<'_>; 3]) -> Result<()> {
        let subject = match s {
            SimpleTerm::Iri(_) | SimpleTerm::BlankNode(_) => self.term(s)?,
            _ => return Err(beyond_rdf_11("a subject that is neither an IRI nor a blank node")),
        };
        let predicate = match p {
            SimpleTerm::Iri(_) => self.term(p)?,
            _ => return Err(beyond_rdf_11("a predicate that is not an IRI")),
        };
        let object = self.term(o)?;
        self.insert([subject, predicate, object])
    }

    fn term(&mut self, term: &SimpleTerm<'_>) -> Result<TermId> {
        match term {
            SimpleTerm::Iri(iri) => self.iri(iri.as_str()),
            SimpleTerm::BlankNode(label) => Ok(self.blank(label.as_str())),
            SimpleTerm::LiteralDatatype(lexical, datatype) => self.literal(lexical, datatype.as_str()),
            SimpleTerm::LiteralLanguage(lexical, language, None) => self.tagged(lexical, language.as_str()),
            SimpleTerm::LiteralLanguage(_, _, Some(_)) => Err(beyond_rdf_11("a base direction")),
            SimpleTerm::Triple(_) => Err(beyond_rdf_11("a triple term")),
            SimpleTerm::Variable(_) => Err(beyond_rdf_11("a variable")),
        }
    }

    fn check_iri(&self, iri: &str) -> Result<()> {
        self.check_length(iri)?;
        if is_plain_web_iri(iri) || is_absolute_iri_ref(iri) {
            Ok(())
        } else {
            Err(Error::Parse(format!("<{}> is not a valid absolute IRI", extract(iri))))
        }
    }

    fn check_lexical(&self, lexical: &str) -> Result<()> {
        self.check_length(lexical)?;
        if lexical.as_bytes().contains(&0) {
            return Err(Error::Parse(format!(
                "the character U+0000 is not allowed in a literal: \"{}\"",
                extract(lexical)
            )));
        }
        Ok(())
    }

    fn check_length(&self, text: &str) -> Result<()> {
        if text.len() > self.limits.literal_bytes {
            return Err(Error::TooLarge(format!(
                "literal-bytes ({}) was exceeded by \"{}\"",
                self.limits.literal_bytes,
                extract(text)
            )));
        }
        Ok(())
    }
}

fn beyond_rdf_11(what: &str) -> Error {
    Error::Parse(format!("only RDF 1.1 is accepted, and this payload has {what}"))
}

/// Returns the error of a payload that is nested more deeply than the limit.
pub(super) fn too_deep(limits: &PayloadLimits) -> Error {
    Error::TooLarge(format!("nesting ({}) was exceeded", limits.nesting))
}

/// Returns a payload as text, without the byte order mark it may start with.
///
/// # Errors
/// `Parse` if it is not UTF-8.
pub(super) fn text(bytes: &[u8]) -> Result<&str> {
    let text = std::str::from_utf8(bytes).map_err(|e| {
        Error::Parse(format!(
            "the payload is not valid UTF-8: wrong byte at offset {}",
            e.valid_up_to()
        ))
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// Returns where an offset (in bytes) stands in a text, as people count: `line 1, column 1` is the start, and a
/// column is a character.
pub(super) fn position(text: &str, offset: usize) -> String {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    let before = &text[..offset];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!("line {line}, column {column}")
}

/// Returns the start of something that a client sent, short enough for a message and without control characters.
pub(super) fn extract(text: &str) -> String {
    shorten(text, 80)
}

/// Returns the message of a parser: it may quote what the client sent at any length.
pub(super) fn message(error: impl ToString) -> String {
    shorten(&error.to_string(), 300)
}

fn shorten(text: &str, length: usize) -> String {
    let mut short: String = text
        .chars()
        .take(length)
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect();
    if text.chars().nth(length).is_some() {
        short.push('…');
    }
    short
}

/// Tells whether an IRI is surely valid: one of the web, in ASCII, without anything special.
///
/// Most are, and the regular expression for all IRIs costs a hundred times more.
fn is_plain_web_iri(iri: &str) -> bool {
    let Some(rest) = iri.strip_prefix("http://").or_else(|| iri.strip_prefix("https://")) else {
        return false;
    };
    let host = rest
        .bytes()
        .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'))
        .count();
    let after_host = &rest.as_bytes()[host..];
    let port = match after_host.strip_prefix(b":") {
        Some(digits) => 1 + digits.iter().take_while(|b| b.is_ascii_digit()).count(),
        None => 0,
    };
    let path = &after_host[port..];
    let mut fragments = 0;
    host > 0
        && matches!(path.first(), None | Some(b'/'))
        && path.iter().all(|b| {
            fragments += usize::from(*b == b'#');
            b.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/?#".contains(b)
        })
        && fragments <= 1
}

/// Tells whether a text is a valid absolute IRI.
pub(super) fn is_iri(text: &str) -> bool {
    is_plain_web_iri(text) || is_absolute_iri_ref(text)
}

/// Runs a parser that is not ours, so that what makes it panic is the client's fault and not ours.
///
/// # Rationale
/// None of them is known to panic on what passes our own checks, but they are full of assertions about their
/// state, and no payload may ever cause a 5xx.
pub(super) fn guarded<T>(parse: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(parse)).unwrap_or_else(|panic: Box<dyn Any + Send>| {
        let message = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied());
        log::error!("a parser panicked: {}", message.unwrap_or("no message"));
        Err(Error::Parse(
            "the parser could not make sense of the payload".to_owned(),
        ))
    })
}

/// Returns the limits of tests: far above what they need.
#[cfg(test)]
pub(super) fn test_limits() -> PayloadLimits {
    PayloadLimits {
        triples: 100_000,
        nesting: 64,
        literal_bytes: 100_000,
    }
}

/// Returns what a parser would know of a base `http://h/b/`.
#[cfg(test)]
pub(super) fn test_context(limits: &PayloadLimits) -> crate::format::Context<'_> {
    crate::format::Context {
        base: "http://h/b/",
        shape: crate::resource::Shape::Base,
        parent: Some("http://h/"),
        parent_is_root: true,
        model: None,
        replacing: false,
        limits,
    }
}

/// Checks what must hold of any payload: it is parsed without a panic, or refused with a 4xx, and what is accepted
/// can be written in N-Triples and read back.
#[cfg(test)]
pub(super) fn check_any_payload(parse: crate::format::Parse, bytes: &[u8], context: &crate::format::Context<'_>) {
    use sophia::api::prelude::{Stringifier, TripleSerializer};

    match parse(bytes, context) {
        Ok(graph) => {
            let mut nt = sophia::turtle::serializer::nt::NTriplesSerializer::new_stringifier();
            nt.serialize_graph(&graph).expect("what is accepted can be written");
            let read = crate::format::ntriples::parse(nt.to_string().as_bytes(), context)
                .expect("what is accepted can be read back");
            assert_eq!(read.len(), graph.len(), "{}", nt.as_str());
        }
        Err(Error::Parse(message)) => {
            assert!(!message.contains("could not make sense"), "the parser panicked");
        }
        Err(Error::TooLarge(_)) => {}
        Err(other) => panic!("{other}"),
    }
}

/// A document with a few characters removed or inserted.
#[cfg(test)]
pub(super) fn mutated(
    document: &'static str,
    pieces: impl proptest::strategy::Strategy<Value = String>,
) -> impl proptest::strategy::Strategy<Value = String> {
    use proptest::prelude::*;

    let edit = (any::<prop::sample::Index>(), 0..4_usize, pieces);
    prop::collection::vec(edit, 1..4).prop_map(move |edits| {
        let mut characters: Vec<char> = document.chars().collect();
        for (at, removed, inserted) in edits {
            let at = at.index(characters.len() + 1);
            let end = (at + removed).min(characters.len());
            characters.splice(at..end, inserted.chars());
        }
        characters.into_iter().collect()
    })
}

#[cfg(test)]
mod test {
    use super::*;

    #[test]
    fn terms_that_could_not_be_read_back_are_refused() {
        let limits = test_limits();
        let mut payload = Payload::new(&limits);
        for iri in [
            "",
            "a",
            "/b",
            "http://h/a b",
            "http://h/\0",
            "http://h/<",
            "http://h/%zz",
            "a:b\n",
            "_:b",
        ] {
            let error = payload.iri(iri).expect_err(iri).to_string();
            assert!(error.ends_with("is not a valid absolute IRI"), "{error}");
        }
        for iri in ["http://h/é", "urn:x", "http://h/?a#b", "tag:x,2012:y", "http://[::1]/"] {
            payload.iri(iri).expect(iri);
        }
        for language in ["", "é", "en_US", "en--ltr", "123456789", "x y"] {
            payload.tagged("a", language).expect_err(language);
        }
        for language in ["en", "EN-us", "zh-Hant-TW", "x-private"] {
            payload.tagged("a", language).expect(language);
        }
        payload.literal("a\0b", xsd::STRING).expect_err("NUL");
        payload.literal("a", "b").expect_err("a relative datatype");
        payload
            .literal("a", crate::vocab::rdf::LANG_STRING)
            .expect_err("no language");
        payload
            .literal("\u{1}\u{fffe}\n", xsd::STRING)
            .expect("other control characters");
    }

    proptest::proptest! {
        #[test]
        fn plain_iris_are_valid(
            iri in "https?://[a-z0-9.:@\\[-]{0,5}[/?#a-zA-Z0-9._~!$&'()*+,;=:@%é \"<-]{0,12}"
        ) {
            proptest::prop_assert!(!is_plain_web_iri(&iri) || is_absolute_iri_ref(&iri));
        }
    }

    #[test]
    fn limits_are_named() {
        let limits = PayloadLimits {
            triples: 2,
            nesting: 1,
            literal_bytes: 8,
        };
        let mut payload = Payload::new(&limits);
        let id = payload.iri("urn:x").expect("an IRI");
        let blank = payload.fresh_blank();
        payload.insert([id, id, id]).expect("the first");
        payload.insert([id, id, id]).expect("the same");
        payload.insert([blank, id, id]).expect("the second");
        let error = payload.insert([blank, id, blank]).expect_err("the third");
        assert!(
            matches!(&error, Error::TooLarge(m) if m == "request-triples (2) was exceeded"),
            "{error}"
        );
        payload.literal("12345678", xsd::STRING).expect("8 bytes");
        let error = payload.literal("123456789", xsd::STRING).expect_err("9 bytes");
        assert!(
            matches!(&error, Error::TooLarge(m) if m.starts_with("literal-bytes (8)")),
            "{error}"
        );
        payload.iri("urn:123456").expect_err("9 bytes");
    }

    #[test]
    fn positions_count_characters() {
        assert_eq!(position("", 0), "line 1, column 1");
        assert_eq!(position("é\nàb", 5), "line 2, column 2");
        assert_eq!(position("é", 1), "line 1, column 1");
        assert_eq!(position("a\n", 99), "line 2, column 1");
    }

    #[test]
    fn text_is_utf_8() {
        assert_eq!(text(b"\xef\xbb\xbfa").expect("a mark"), "a");
        let error = text(b"ab\xe9c").expect_err("Latin-1").to_string();
        assert_eq!(error, "the payload is not valid UTF-8: wrong byte at offset 2");
    }

    #[test]
    fn panics_of_parsers_are_errors() {
        let error = guarded::<()>(|| panic!("inner {}", "secret")).expect_err("a panic");
        assert!(!error.to_string().contains("secret"));
    }
}
