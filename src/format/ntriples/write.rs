//! N-Triples out: UTF-8, one triple a line (RDF 1.1 N-Triples).

use std::io::Write;

use crate::error::Result;
use crate::format::Prefixes;
use crate::format::output::{CONTROLS, Escapes, Memory, Output, Quoted, escaped, integer, put};
use crate::format::plan::{Draft, Planner, Plans, Written, utf8};
use crate::format::terms::{self, Fill, Names};
use crate::format::triples::{Known, Node, Serializer, Speller, Triple, serialize, subjects};
use crate::format::turtle::Shorthand;
use crate::obsel::{Blank, Name, Obsel};
use crate::resource::View;
use crate::resource::view::Row;

/// Writes a view as N-Triples.
///
/// # Errors
/// `Gone` if the writer fails; those of the store.
pub fn write(view: &View, _prefixes: &Prefixes, out: &mut dyn Write) -> Result<()> {
    write_lines(view, b" .\n", 0, out).map(|_| ())
}

/// Writes the triples of a view, each followed by what ends a line; returns the number of its last block, plus one.
///
/// Blank nodes of other blocks have other labels: the views of one document must not share `first_block`.
///
/// # Errors
/// `Gone` if the writer fails; those of the store.
pub(in crate::format) fn write_lines(view: &View, end: &[u8], first_block: u64, out: &mut dyn Write) -> Result<u64> {
    let mut writer = Writer {
        output: Output::new(out),
        terms: Terms::new(view, end),
        plans: Plans::default(),
        subject: Vec::new(),
        block: first_block,
    };
    serialize(view, &mut writer)?;
    writer.output.flush()?;
    Ok(writer.block)
}

struct Writer<'w> {
    output: Output<'w>,
    terms: Terms<'w>,
    plans: Plans<Fill<'w>>,
    /// The present subject, as it is written.
    subject: Vec<u8>,
    /// The number of the present block, part of the labels of its blank nodes.
    block: u64,
}

/// Terms as they are written.
struct Terms<'w> {
    speller: Speller<'w>,
    /// Names, with their angle brackets.
    names: Memory<Vec<u8>>,
    /// The IRIs of the vocabulary, as well.
    known: [Vec<u8>; Known::ALL.len()],
    /// What ends a line, from the space before the full stop.
    end: &'w [u8],
}

/// What comes after the digits of a canonical `xsd:integer`.
const INTEGER: &[u8] = b"\"^^<http://www.w3.org/2001/XMLSchema#integer>";

impl Serializer for Writer<'_> {
    fn block(&mut self, block: &[Triple<'_>]) -> Result<()> {
        for triples in subjects(block) {
            let start = self.output.bytes.len();
            self.terms.node(&mut self.output.bytes, self.block, triples[0][0])?;
            self.subject.clear();
            self.subject.extend_from_slice(&self.output.bytes[start..]);
            for (at, [_, predicate, object]) in triples.iter().enumerate() {
                if at > 0 {
                    self.output.bytes.extend_from_slice(&self.subject);
                }
                self.output.bytes.push(b' ');
                self.terms.node(&mut self.output.bytes, self.block, *predicate)?;
                self.output.bytes.push(b' ');
                self.terms.node(&mut self.output.bytes, self.block, *object)?;
                self.output.bytes.extend_from_slice(self.terms.end);
            }
            self.output.pass()?;
        }
        self.block += 1;
        Ok(())
    }

    fn flat(&mut self, row: &mut Row<'_>) -> Result<bool> {
        let written = self.plans.write(&mut self.terms, &mut self.output.bytes, row)?;
        self.block += u64::from(written.is_some());
        self.output.pass()?;
        Ok(written.is_some())
    }
}

impl<'w> Planner for Terms<'w> {
    type Fill = Fill<'w>;

    fn draft<'t>(&mut self, draft: &mut Draft<'t, Fill<'w>>, obsel: &Obsel<'t>) -> Result<Written> {
        let Some(obsels) = self.speller.obsels() else {
            return Ok(None);
        };
        let known = |terms: &Self, draft: &mut Draft<'t, Fill<'w>>, known| {
            terms::draft_id(draft, terms, obsels);
            draft.bytes.push(b' ');
            put(&mut draft.bytes, &terms.known[known as usize]);
            draft.bytes.push(b' ');
        };
        for class in &obsel.types {
            known(self, draft, Known::Type);
            if terms::draft(draft, self, obsels, *class)?.is_none() {
                return Ok(None);
            }
            put(&mut draft.bytes, self.end);
        }
        known(self, draft, Known::HasTrace);
        iri(&mut draft.bytes, &obsels.trace, "");
        put(&mut draft.bytes, self.end);
        known(self, draft, Known::HasBegin);
        draft.bytes.push(b'"');
        draft.begin();
        put(&mut draft.bytes, INTEGER);
        put(&mut draft.bytes, self.end);
        known(self, draft, Known::HasEnd);
        draft.bytes.push(b'"');
        draft.end();
        put(&mut draft.bytes, INTEGER);
        put(&mut draft.bytes, self.end);
        for arc in &obsel.arcs {
            terms::draft_id(draft, self, obsels);
            draft.bytes.push(b' ');
            put(&mut draft.bytes, self.spelt(arc.predicate)?);
            draft.bytes.push(b' ');
            if terms::draft(draft, self, obsels, arc.object)?.is_none() {
                return Ok(None);
            }
            put(&mut draft.bytes, self.end);
        }
        Ok(Some(()))
    }

    #[inline]
    fn fill(&mut self, bytes: &mut Vec<u8>, fill: Fill<'w>, text: &[u8]) -> Result<Written> {
        match fill {
            Fill::Text => escaped::<Quoted>(bytes, text),
            Fill::Language => put(bytes, text),
            Fill::Iri(_) | Fill::Near(_) => escaped::<Iri>(bytes, text),
            Fill::Integer(datatype) | Fill::Literal(datatype) => {
                self.node(bytes, 0, Node::Typed(utf8(text)?, datatype))?;
            }
        }
        Ok(Some(()))
    }
}

impl<'w> Names<'w> for Terms<'w> {
    fn open(&self, bytes: &mut Vec<u8>, start: &'w str) -> (Fill<'w>, &'static [u8]) {
        bytes.push(b'<');
        escaped::<Iri>(bytes, start);
        (Fill::Iri(start), b">")
    }

    fn spelt(&mut self, name: Name) -> Result<&[u8]> {
        Ok(self.names.get(name, || Ok(spelt(&self.speller.iri(name)?)))?)
    }

    fn shorthand(&mut self, _: Name) -> Result<Shorthand> {
        Ok(Shorthand::None)
    }
}

impl<'w> Terms<'w> {
    fn new(view: &'w View, end: &'w [u8]) -> Self {
        Self {
            speller: Speller::new(view),
            names: Memory::default(),
            known: Known::ALL.map(|known| spelt(known.iri())),
            end,
        }
    }

    #[inline]
    fn node(&mut self, bytes: &mut Vec<u8>, block: u64, node: Node<'_>) -> Result<()> {
        match node {
            Node::Known(known) => put(bytes, &self.known[known as usize]),
            Node::Named(name) => put(bytes, self.spelt(name)?),
            Node::Iri(start, rest) => iri(bytes, start, rest),
            Node::Blank(blank) => label(bytes, block, blank),
            Node::Integer(value) => {
                bytes.push(b'"');
                integer(bytes, value);
                put(bytes, INTEGER);
            }
            Node::String(lexical) => string(bytes, lexical),
            Node::Tagged(lexical, language) => {
                string(bytes, lexical);
                bytes.push(b'@');
                bytes.extend_from_slice(language.as_bytes());
            }
            Node::Typed(lexical, datatype) => {
                string(bytes, lexical);
                bytes.extend_from_slice(b"^^");
                put(bytes, self.spelt(datatype)?);
            }
            Node::Literal(lexical, datatype) => {
                string(bytes, lexical);
                bytes.extend_from_slice(b"^^");
                iri(bytes, datatype, "");
            }
        }
        Ok(())
    }
}

/// Returns an IRI with its angle brackets.
fn spelt(whole: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    iri(&mut bytes, whole, "");
    bytes
}

/// Appends an IRI in two parts, with its angle brackets.
///
/// The characters that an IRI cannot have (production IRIREF) are escaped all the same, so that whatever the graph
/// holds, a triple stays a triple.
pub(in crate::format) fn iri(bytes: &mut Vec<u8>, start: &str, rest: &str) {
    bytes.push(b'<');
    escaped::<Iri>(bytes, start);
    escaped::<Iri>(bytes, rest);
    bytes.push(b'>');
}

enum Iri {}

impl Escapes for Iri {
    #[inline]
    fn is_special(byte: u8) -> bool {
        (byte <= b' ')
            | (byte == b'<')
            | (byte == b'>')
            | (byte == b'"')
            | (byte == b'{')
            | (byte == b'}')
            | (byte == b'|')
            | (byte == b'^')
            | (byte == b'`')
            | (byte == b'\\')
    }

    fn replacement(byte: u8) -> Option<&'static str> {
        match byte {
            0..=0x20 => Some(CONTROLS[usize::from(byte)]),
            b'<' => Some("\\u003C"),
            b'>' => Some("\\u003E"),
            b'"' => Some("\\u0022"),
            b'{' => Some("\\u007B"),
            b'}' => Some("\\u007D"),
            b'|' => Some("\\u007C"),
            b'^' => Some("\\u005E"),
            b'`' => Some("\\u0060"),
            b'\\' => Some("\\u005C"),
            _ => None,
        }
    }
}

/// Appends a string, with its quotes (production STRING_LITERAL_QUOTE).
pub(in crate::format) fn string(bytes: &mut Vec<u8>, lexical: &str) {
    bytes.push(b'"');
    escaped::<Quoted>(bytes, lexical);
    bytes.push(b'"');
}

/// Appends the label of a blank node, unique in the document; `block` is the number of its block.
pub(in crate::format) fn label(bytes: &mut Vec<u8>, block: u64, blank: Blank) {
    bytes.extend_from_slice(b"_:");
    crate::format::triples::label(bytes, block, blank);
}

#[cfg(test)]
mod test {
    use proptest::prelude::*;
    use sophia::turtle::parser::nt::NTriplesParser;

    use super::*;
    use crate::format::plan::test::assert_as_drafted;
    use crate::format::sample::{Ktbs, TRACE, any_flat_obsels, any_graph, assert_same, read, turtle, view, written};
    use crate::resource::Shape;

    proptest! {
        #[test]
        fn what_is_written_is_read_back(graph in any_graph(false)) {
            let view = view("http://h/b/t/", Shape::Trace, graph);
            let bytes = written(write, &view);
            assert_same(&view, &read(NTriplesParser::default(), &bytes), &bytes);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn plans_write_what_is_drafted(obsels in any_flat_obsels(true)) {
            let ktbs = Ktbs::with("");
            ktbs.post_graph(TRACE, obsels);
            let view = ktbs.view("@obsels", &[]);
            assert_as_drafted(Speller::new(&view).obsels().expect("obsels"), || Terms::new(&view, b" .\n"));
        }
    }

    #[test]
    fn the_text_is_utf8() {
        let view = view(
            "http://h/b/t/",
            Shape::Trace,
            turtle("http://h/b/t/", "<> x:p \"naïve 漢字\"@fr ."),
        );
        assert_eq!(
            String::from_utf8(written(write, &view)).expect("UTF-8"),
            "<http://h/b/t/> <http://example.org/p> \"naïve 漢字\"@fr .\n"
        );
    }
}
