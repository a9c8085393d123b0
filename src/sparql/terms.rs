//! Terms that are stored once and known by their number, their text in one buffer.

use std::hash::{BuildHasher, Hash, Hasher};

use hashbrown::{DefaultHashBuilder, HashTable};
use sophia::api::term::{BaseDirection, SimpleTerm};

use crate::rdf::TermId;
use crate::vocab::xsd;

/// A set of terms, numbered in the order in which they came.
///
/// A term takes its text, once, and some 32 bytes. Language tags are the same whatever their case, and keep the case in
/// which they came first.
#[derive(Debug, Default)]
pub(super) struct Terms {
    text: String,
    records: Vec<Record>,
    table: HashTable<Entry>,
    hasher: DefaultHashBuilder,
}

/// A term in the table, with a part of its hash, so that the text is looked at only when it is likely the right one.
#[derive(Clone, Copy, Debug)]
struct Entry {
    hash: u32,
    id: TermId,
}

/// Returns the hash for the table, which looks at the first bits and at the last ones.
fn spread(hash: u32) -> u64 {
    u64::from(hash) << 32 | u64::from(hash)
}

/// A term, whose text is in the buffer.
#[derive(Clone, Copy, Debug)]
enum Record {
    Iri(Span),
    Blank(Span),
    String(Span),
    Tagged(Span, Span, Option<BaseDirection>),
    Typed(Span, TermId),
    Triple([TermId; 3]),
}

/// A part of the buffer.
#[derive(Clone, Copy, Debug)]
struct Span {
    start: usize,
    len: u32,
}

/// A term, as it is looked up and told: what it is made of is borrowed, or known by its number.
#[derive(Clone, Copy, Debug)]
pub(super) enum Parts<'t> {
    /// An IRI.
    Iri(&'t str),
    /// The label of a blank node.
    Blank(&'t str),
    /// An `xsd:string`.
    String(&'t str),
    /// A lexical form, a language and maybe a direction.
    Tagged(&'t str, &'t str, Option<BaseDirection>),
    /// A lexical form, and the number of a datatype that is neither `xsd:string` nor `rdf:langString`.
    Typed(&'t str, TermId),
    /// A triple term.
    Triple([TermId; 3]),
}

impl PartialEq for Parts<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (*self, *other) {
            (Parts::Iri(a), Parts::Iri(b))
            | (Parts::Blank(a), Parts::Blank(b))
            | (Parts::String(a), Parts::String(b)) => a == b,
            (Parts::Tagged(a, language, direction), Parts::Tagged(b, other, other_direction)) => {
                a == b && language.eq_ignore_ascii_case(other) && direction == other_direction
            }
            (Parts::Typed(a, datatype), Parts::Typed(b, other)) => datatype == other && a == b,
            (Parts::Triple(a), Parts::Triple(b)) => a == b,
            _ => false,
        }
    }
}

impl Hash for Parts<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // Terms that differ by what is left out of the hash are rare.
        match self {
            Parts::Iri(text) => (0u8, *text).hash(state),
            Parts::Blank(text) => (1u8, *text).hash(state),
            Parts::String(text) => (2u8, *text).hash(state),
            Parts::Tagged(text, ..) => (3u8, *text).hash(state),
            Parts::Typed(text, datatype) => (4u8, *text, *datatype).hash(state),
            Parts::Triple(triple) => (5u8, *triple).hash(state),
        }
    }
}

impl Terms {
    /// Returns how many terms there are.
    pub(super) fn len(&self) -> usize {
        self.records.len()
    }

    /// Returns roughly how many bytes this takes.
    pub(super) fn bytes(&self) -> usize {
        self.text.capacity()
            + self.records.capacity() * size_of::<Record>()
            + self.table.capacity() * (size_of::<Entry>() + 1)
    }

    /// Returns what a number stands for.
    pub(super) fn parts(&self, id: TermId) -> Parts<'_> {
        parts(&self.text, self.records[id as usize])
    }

    /// Makes room for so many more terms.
    pub(super) fn reserve(&mut self, terms: usize) {
        self.records.reserve(terms);
        self.table.reserve(terms, |entry| spread(entry.hash));
    }

    /// Returns the number of a term, which is added if it is new.
    pub(super) fn intern(&mut self, term: Parts<'_>) -> TermId {
        let hash = self.hash(term);
        if let Some(id) = self.find_hashed(term, hash) {
            return id;
        }
        let id = TermId::try_from(self.records.len()).expect("the limit on memory keeps graphs far below 2^32 terms");
        let record = match term {
            Parts::Iri(iri) => Record::Iri(self.keep(iri)),
            Parts::Blank(label) => Record::Blank(self.keep(label)),
            Parts::String(lexical) => Record::String(self.keep(lexical)),
            Parts::Tagged(lexical, language, direction) => {
                Record::Tagged(self.keep(lexical), self.keep(language), direction)
            }
            Parts::Typed(lexical, datatype) => Record::Typed(self.keep(lexical), datatype),
            Parts::Triple(triple) => Record::Triple(triple),
        };
        self.records.push(record);
        self.table
            .insert_unique(spread(hash), Entry { hash, id }, |entry| spread(entry.hash));
        id
    }

    /// Returns the number of a term, or `None` if it is not there.
    pub(super) fn find(&self, term: Parts<'_>) -> Option<TermId> {
        self.find_hashed(term, self.hash(term))
    }

    fn hash(&self, term: Parts<'_>) -> u32 {
        // Half of the bits are enough: see `Entry`.
        (self.hasher.hash_one(term) >> 32) as u32
    }

    fn find_hashed(&self, term: Parts<'_>, hash: u32) -> Option<TermId> {
        let same = |entry: &Entry| entry.hash == hash && self.parts(entry.id) == term;
        self.table.find(spread(hash), same).map(|entry| entry.id)
    }

    fn keep(&mut self, text: &str) -> Span {
        let start = self.text.len();
        self.text.push_str(text);
        let len = u32::try_from(text.len()).expect("the limit on payloads keeps texts far below 4 GiB");
        Span { start, len }
    }

    /// Returns the number of a term of ours, which is added if it is new. A variable, which no graph holds, counts as a
    /// blank node.
    pub(super) fn intern_term(&mut self, term: &SimpleTerm<'_>) -> TermId {
        match term {
            SimpleTerm::Iri(iri) => self.intern(Parts::Iri(iri)),
            SimpleTerm::BlankNode(label) => self.intern(Parts::Blank(label)),
            SimpleTerm::Variable(name) => self.intern(Parts::Blank(name)),
            SimpleTerm::LiteralLanguage(lexical, language, direction) => {
                self.intern(Parts::Tagged(lexical, language, *direction))
            }
            SimpleTerm::LiteralDatatype(lexical, datatype) => self.intern_typed(lexical, datatype),
            SimpleTerm::Triple(triple) => {
                let [s, p, o] = &**triple;
                let triple = [self.intern_term(s), self.intern_term(p), self.intern_term(o)];
                self.intern(Parts::Triple(triple))
            }
        }
    }

    /// Returns the number of a literal of a datatype, given by its IRI, which is added if it is new.
    pub(super) fn intern_typed(&mut self, lexical: &str, datatype: &str) -> TermId {
        if datatype == xsd::STRING {
            return self.intern(Parts::String(lexical));
        }
        let datatype = self.intern(Parts::Iri(datatype));
        self.intern(Parts::Typed(lexical, datatype))
    }
}

fn parts(text: &str, record: Record) -> Parts<'_> {
    let at = |span: Span| &text[span.start..span.start + span.len as usize];
    match record {
        Record::Iri(iri) => Parts::Iri(at(iri)),
        Record::Blank(label) => Parts::Blank(at(label)),
        Record::String(lexical) => Parts::String(at(lexical)),
        Record::Tagged(lexical, language, direction) => Parts::Tagged(at(lexical), at(language), direction),
        Record::Typed(lexical, datatype) => Parts::Typed(at(lexical), datatype),
        Record::Triple(triple) => Parts::Triple(triple),
    }
}

#[cfg(test)]
mod test {
    use super::*;
    use crate::rdf;

    #[test]
    fn equal_terms_have_one_number_and_others_have_another() {
        let mut terms = Terms::default();
        let all = [
            rdf::iri("http://h/a"),
            rdf::blank("a"),
            rdf::string("a"),
            rdf::string("http://h/a"),
            rdf::tagged("a", "en"),
            rdf::tagged("a", "fr"),
            rdf::typed("a", "http://h/a"),
            rdf::integer(1),
            rdf::typed("01", xsd::INTEGER),
            rdf::typed("1", xsd::DECIMAL),
            SimpleTerm::Triple(Box::new([
                rdf::iri("http://h/a"),
                rdf::iri("http://h/p"),
                rdf::string("a"),
            ])),
        ];
        let ids: Vec<TermId> = all.iter().map(|term| terms.intern_term(term)).collect();
        for (i, id) in ids.iter().enumerate() {
            assert_eq!(ids.iter().position(|other| other == id), Some(i), "{:?}", all[i]);
            assert_eq!(terms.intern_term(&all[i]), *id);
            assert_eq!(terms.find(terms.parts(*id)), Some(*id));
        }
        assert_eq!(terms.intern_term(&rdf::tagged("a", "EN")), ids[4]);
        assert_eq!(terms.intern_term(&rdf::typed("a", xsd::STRING)), ids[2]);
        assert_eq!(terms.find(Parts::Iri("http://h/b")), None);
    }
}
