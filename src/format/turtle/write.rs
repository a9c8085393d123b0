//! Turtle out (RDF 1.1 Turtle): grouped by subject and predicate, abbreviated, one block at a time.

use std::io::Write;

use super::nesting::Nesting;
use super::shorthand::Shorthand;
use crate::error::Result;
use crate::format::Prefixes;
use crate::format::ntriples::{iri, label, string};
use crate::format::output::{Memory, Output, Quoted, escaped, integer, is_natural, put};
use crate::format::plan::{Draft, Planner, Plans, Written, utf8};
use crate::format::prefixes::{Prefix, bound};
use crate::format::relative::{Base, Reference};
use crate::format::terms::{self, Fill, Names};
use crate::format::triples::{Known, Node, Serializer, Speller, Triple, serialize, subjects};
use crate::obsel::{Arc, Name, Obsel};
use crate::resource::View;
use crate::resource::view::{Content, Row};

/// Writes a view as Turtle.
///
/// A small graph declares the prefixes that it uses; obsels, which are written as they are read, declare all those
/// that are bound.
///
/// # Errors
/// `Gone` if the writer fails; `Serialize` for a term that is none of RDF 1.1; those of the store.
pub fn write(view: &View, prefixes: &Prefixes, out: &mut dyn Write) -> Result<()> {
    let mut terms = Terms::new(view, bound(prefixes, view));
    if let Content::Graph(_) = view.content {
        terms.used = vec![false; terms.prefixes.len()];
        let mut nowhere = std::io::sink();
        terms = body(view, terms, Output::new(&mut nowhere))?;
        let mut used = terms.used.iter();
        let kept = terms
            .prefixes
            .into_iter()
            .filter(|_| used.next() == Some(&true))
            .collect();
        terms = Terms::new(view, kept);
    }
    let mut output = Output::new(out);
    head(&terms, &mut output);
    body(view, terms, output).map(|_| ())
}

fn head(terms: &Terms<'_>, output: &mut Output<'_>) {
    output.bytes.extend_from_slice(b"@base ");
    iri(&mut output.bytes, terms.base.iri(), "");
    output.bytes.extend_from_slice(b" .\n");
    for prefix in &terms.prefixes {
        output
            .bytes
            .extend_from_slice(format!("@prefix {}: ", prefix.name).as_bytes());
        iri(&mut output.bytes, &prefix.namespace, "");
        output.bytes.extend_from_slice(b" .\n");
    }
}

fn body<'v>(view: &View, terms: Terms<'v>, output: Output<'_>) -> Result<Terms<'v>> {
    let mut writer = Writer {
        output,
        terms,
        plans: Plans::default(),
        block: 0,
    };
    serialize(view, &mut writer)?;
    writer.output.flush()?;
    Ok(writer.terms)
}

struct Writer<'w, 'v> {
    output: Output<'w>,
    terms: Terms<'v>,
    plans: Plans<Fill<'v>>,
    /// The number of the present block, part of the labels of its blank nodes.
    block: u64,
}

impl Serializer for Writer<'_, '_> {
    fn block(&mut self, block: &[Triple<'_>]) -> Result<()> {
        let nesting = Nesting::of(block);
        for triples in subjects(block) {
            let subject = triples[0][0];
            if nesting.nested(subject).is_some() {
                continue;
            }
            self.output.bytes.push(b'\n');
            if nesting.is_anonymous(subject) {
                self.output.bytes.extend_from_slice(b"[]");
            } else {
                self.terms.node(&mut self.output.bytes, self.block, subject)?;
            }
            self.output.bytes.push(b' ');
            self.arcs(block, &nesting, triples, BETWEEN)?;
            self.output.bytes.extend_from_slice(b" .\n");
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

impl<'v> Planner for Terms<'v> {
    type Fill = Fill<'v>;

    fn draft<'t>(&mut self, draft: &mut Draft<'t, Fill<'v>>, obsel: &Obsel<'t>) -> Result<Written> {
        let Some(obsels) = self.speller.obsels() else {
            return Ok(None);
        };
        put(&mut draft.bytes, b"\n");
        terms::draft_id(draft, self, obsels);
        put(&mut draft.bytes, b" a ");
        for (at, class) in obsel.types.iter().enumerate() {
            put(&mut draft.bytes, if at > 0 { b", " } else { b"" });
            if terms::draft(draft, self, obsels, *class)?.is_none() {
                return Ok(None);
            }
        }
        put(&mut draft.bytes, &arc(&self.known[Known::HasTrace as usize]));
        self.iri(&mut draft.bytes, &obsels.trace);
        put(&mut draft.bytes, &arc(&self.known[Known::HasBegin as usize]));
        draft.begin();
        put(&mut draft.bytes, &arc(&self.known[Known::HasEnd as usize]));
        draft.end();
        let mut last = None;
        for Arc { predicate, object } in &obsel.arcs {
            if last == Some(predicate) {
                put(&mut draft.bytes, b", ");
            } else {
                put(&mut draft.bytes, &arc(&self.name(*predicate)?.spelt));
                last = Some(predicate);
            }
            if terms::draft(draft, self, obsels, *object)?.is_none() {
                return Ok(None);
            }
        }
        put(&mut draft.bytes, b" .\n");
        Ok(Some(()))
    }

    #[inline]
    fn fill(&mut self, bytes: &mut Vec<u8>, fill: Fill<'v>, text: &[u8]) -> Result<Written> {
        match fill {
            Fill::Text => escaped::<Quoted>(bytes, text),
            Fill::Integer(_) if is_natural(text) => put(bytes, text),
            Fill::Near(start) => self.near(bytes, start, text)?,
            other => self.fill_otherwise(bytes, other, text)?,
        }
        Ok(Some(()))
    }
}

impl<'v> Names<'v> for Terms<'v> {
    fn open(&self, _: &mut Vec<u8>, start: &'v str) -> (Fill<'v>, &'static [u8]) {
        if self.base.is_directory(start) {
            (Fill::Near(start), b"")
        } else {
            (Fill::Iri(start), b"")
        }
    }

    fn spelt(&mut self, name: Name) -> Result<&[u8]> {
        Ok(&self.name(name)?.spelt)
    }

    fn shorthand(&mut self, datatype: Name) -> Result<Shorthand> {
        Ok(self.name(datatype)?.shorthand)
    }
}

impl Writer<'_, '_> {
    /// Writes the arcs of one subject, those of one predicate together.
    fn arcs(&mut self, block: &[Triple<'_>], nesting: &Nesting, triples: &[Triple<'_>], between: &[u8]) -> Result<()> {
        let mut last = None;
        for [_, predicate, object] in triples {
            if last == Some(*predicate) {
                self.output.bytes.extend_from_slice(b", ");
            } else {
                if last.is_some() {
                    self.output.bytes.extend_from_slice(between);
                }
                self.terms.predicate(&mut self.output.bytes, *predicate)?;
                self.output.bytes.push(b' ');
                last = Some(*predicate);
            }
            match nesting.nested(*object) {
                None => self.terms.node(&mut self.output.bytes, self.block, *object)?,
                Some(inside) if inside.is_empty() => self.output.bytes.extend_from_slice(b"[]"),
                Some(inside) => {
                    self.output.bytes.extend_from_slice(b"[ ");
                    self.arcs(block, nesting, &block[inside], b" ; ")?;
                    self.output.bytes.extend_from_slice(b" ]");
                }
            }
        }
        Ok(())
    }
}

/// What comes between two predicates of a subject.
const BETWEEN: &[u8] = b" ;\n    ";

/// A name: how it is written, and how literals are whose datatype it is.
struct Spelling {
    spelt: Vec<u8>,
    shorthand: Shorthand,
}

/// Terms as they are written in one document.
struct Terms<'v> {
    speller: Speller<'v>,
    base: Base,
    prefixes: Vec<Prefix>,
    /// Which prefixes were used, where that is asked for.
    used: Vec<bool>,
    names: Memory<Spelling>,
    known: Vec<Vec<u8>>,
    /// An IRI in one part.
    whole: String,
}

impl<'v> Terms<'v> {
    /// Appends an IRI in the directory of the document, which obsels mostly are: it need not be looked at so closely.
    #[inline]
    fn near(&mut self, bytes: &mut Vec<u8>, start: &str, text: &[u8]) -> Result<()> {
        bytes.push(b'<');
        if Base::put_name(bytes, text) {
            bytes.push(b'>');
        } else {
            bytes.pop();
            self.far(bytes, start, utf8(text)?);
        }
        Ok(())
    }

    /// Appends an IRI in two parts.
    fn far(&mut self, bytes: &mut Vec<u8>, start: &str, rest: &str) {
        let mut whole = std::mem::take(&mut self.whole);
        whole.clear();
        whole.push_str(start);
        whole.push_str(rest);
        self.iri(bytes, &whole);
        self.whole = whole;
    }

    /// Fills a hole in a way that few need.
    #[inline(never)]
    fn fill_otherwise(&mut self, bytes: &mut Vec<u8>, fill: Fill<'_>, text: &[u8]) -> Result<()> {
        match fill {
            Fill::Text => escaped::<Quoted>(bytes, text),
            Fill::Language => put(bytes, text),
            Fill::Integer(datatype) | Fill::Literal(datatype) => {
                self.node(bytes, 0, Node::Typed(utf8(text)?, datatype))?;
            }
            Fill::Iri(start) | Fill::Near(start) => self.far(bytes, start, utf8(text)?),
        }
        Ok(())
    }

    fn new(view: &'v View, prefixes: Vec<Prefix>) -> Self {
        let mut terms = Self {
            speller: Speller::new(view),
            base: Base::new(&view.iri),
            prefixes,
            used: Vec::new(),
            names: Memory::default(),
            known: Vec::new(),
            whole: String::new(),
        };
        terms.known = Known::ALL
            .iter()
            .map(|known| {
                let mut bytes = Vec::new();
                match known {
                    Known::Type => bytes.push(b'a'),
                    _ => terms.iri(&mut bytes, known.iri()),
                }
                bytes
            })
            .collect();
        terms
    }

    fn predicate(&mut self, bytes: &mut Vec<u8>, predicate: Node<'_>) -> Result<()> {
        match predicate {
            Node::Known(known) => bytes.extend_from_slice(&self.known[known as usize]),
            other => self.node(bytes, 0, other)?,
        }
        Ok(())
    }

    #[inline]
    fn node(&mut self, bytes: &mut Vec<u8>, block: u64, node: Node<'_>) -> Result<()> {
        match node {
            Node::Known(known) => self.iri(bytes, known.iri()),
            Node::Named(name) => put(bytes, &self.name(name)?.spelt),
            Node::Iri("", rest) => self.iri(bytes, rest),
            Node::Iri(start, rest) if self.base.is_directory(start) => self.near(bytes, start, rest.as_bytes())?,
            Node::Iri(start, rest) => self.far(bytes, start, rest),
            Node::Blank(blank) => label(bytes, block, blank),
            Node::Integer(value) => integer(bytes, value),
            Node::String(lexical) => string(bytes, lexical),
            Node::Tagged(lexical, language) => {
                string(bytes, lexical);
                bytes.push(b'@');
                bytes.extend_from_slice(language.as_bytes());
            }
            Node::Typed(lexical, datatype) => {
                let name = self.name(datatype)?;
                if name.shorthand.has(lexical) {
                    put(bytes, lexical.as_bytes());
                } else {
                    string(bytes, lexical);
                    put(bytes, b"^^");
                    put(bytes, &name.spelt);
                }
            }
            Node::Literal(lexical, datatype) => {
                if Shorthand::of(datatype).has(lexical) {
                    bytes.extend_from_slice(lexical.as_bytes());
                } else {
                    string(bytes, lexical);
                    bytes.extend_from_slice(b"^^");
                    self.iri(bytes, datatype);
                }
            }
        }
        Ok(())
    }

    fn name(&mut self, name: Name) -> Result<&Spelling> {
        self.names.get(name, || {
            let iri = self.speller.iri(name)?;
            let mut spelt = Vec::new();
            abbreviate(&mut spelt, &iri, &self.prefixes, &mut self.used, &self.base);
            let shorthand = Shorthand::of(&iri);
            Ok(Spelling { spelt, shorthand })
        })
    }

    fn iri(&mut self, bytes: &mut Vec<u8>, whole: &str) {
        abbreviate(bytes, whole, &self.prefixes, &mut self.used, &self.base);
    }
}

/// Returns a predicate that is not the first, with all that is between the object before it and its own.
fn arc(predicate: &[u8]) -> Vec<u8> {
    [BETWEEN, predicate, b" "].concat()
}

/// Appends an IRI as a prefixed name, else as a relative reference, else as it is.
fn abbreviate(bytes: &mut Vec<u8>, whole: &str, prefixes: &[Prefix], used: &mut [bool], base: &Base) {
    for (at, prefix) in prefixes.iter().enumerate() {
        if let Some(local) = whole.strip_prefix(prefix.namespace.as_str())
            && is_local(local)
        {
            if let Some(used) = used.get_mut(at) {
                *used = true;
            }
            bytes.extend_from_slice(prefix.name.as_bytes());
            bytes.push(b':');
            bytes.extend_from_slice(local.as_bytes());
            return;
        }
    }
    match base.refer(whole) {
        Some(Reference(dots, rest)) => iri(bytes, dots, rest),
        None => iri(bytes, whole, ""),
    }
}

/// Tells whether a text can be the local part of a prefixed name as it is: a part of what the production PN_LOCAL
/// allows, without dots, colons and escapes.
fn is_local(text: &str) -> bool {
    use crate::format::prefixes::{is_name_character, is_name_start};
    text.starts_with(|c: char| is_name_start(c) || c.is_ascii_digit())
        && text.chars().all(|c| is_name_character(c) && c != '.')
}

#[cfg(test)]
mod test {
    use proptest::prelude::*;
    use sophia::turtle::parser::nt::NTriplesParser;
    use sophia::turtle::parser::turtle::TurtleParser;

    use super::*;
    use crate::format::plan::test::assert_as_drafted;
    use crate::format::sample::{
        Ktbs, TRACE, any_flat_obsels, any_graph, assert_same, assert_same_graphs, read, turtle, view, written,
    };
    use crate::resource::Shape;

    proptest! {
        #[test]
        fn what_is_written_is_read_back(graph in any_graph(false)) {
            let view = view("http://h/b/t/", Shape::Trace, graph);
            let bytes = written(write, &view);
            assert_same(&view, &read(TurtleParser::default(), &bytes), &bytes);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn plans_write_what_is_drafted(obsels in any_flat_obsels(true)) {
            let ktbs = Ktbs::with("");
            ktbs.post_graph(TRACE, obsels);
            let view = ktbs.view("@obsels", &[]);
            let prefixes = bound(&Prefixes::default(), &view);
            assert_as_drafted(Speller::new(&view).obsels().expect("obsels"), || Terms::new(&view, prefixes.clone()));
            let triples = read(NTriplesParser::default(), &written(crate::format::ntriples::write, &view));
            let bytes = written(write, &view);
            assert_same_graphs(&triples, &read(TurtleParser::default(), &bytes), &bytes);
        }
    }

    fn text(turtle_text: &str) -> String {
        let view = view("http://h/b/t/", Shape::Trace, turtle("http://h/b/t/", turtle_text));
        String::from_utf8(written(write, &view)).expect("UTF-8")
    }

    #[test]
    fn the_document_is_grouped_and_abbreviated() {
        let document = text(
            "<> k:hasModel <../m> ; a k:StoredTrace ; x:p 1, 2.5, true, [ x:q [] ; a x:C ] . <../> k:contains <> .",
        );
        assert_eq!(
            document,
            "@base <http://h/b/t/> .\n@prefix : <http://liris.cnrs.fr/silex/2009/ktbs#> .\n\
            @prefix ex: <http://example.org/> .\n\n\
            <./> a :StoredTrace ;\n    :hasModel <../m> ;\n    ex:p 1, 2.5, true, [ a ex:C ; ex:q [] ] .\n\n\
            <../> :contains <./> .\n"
        );
    }

    #[test]
    fn owl_same_as_is_not_notation3() {
        assert!(text("<> <http://www.w3.org/2002/07/owl#sameAs> x:y .").contains("#sameAs>"));
    }

    #[test]
    fn a_long_chain_of_blank_nodes_neither_recurses_nor_takes_for_ever() {
        let mut chain = String::from("<> x:p _:b0 .\n");
        for n in 0..20_000 {
            chain.push_str(&format!("_:b{n} x:p _:b{} .\n", n + 1));
        }
        let graph = turtle("http://h/b/t/", &chain);
        let view = view("http://h/b/t/", Shape::Trace, graph);
        let bytes = written(write, &view);
        let deepest = bytes
            .split(|byte| *byte == b'\n')
            .map(|line| line.iter().filter(|b| **b == b'[').count())
            .max();
        assert!(deepest <= Some(33));
        assert_eq!(read(TurtleParser::default(), &bytes).len(), 20_001);
    }
}
