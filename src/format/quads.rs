//! N-Quads and TriG, for dumps: the graphs of many resources in one document.
//!
//! TriG is written as the N-Triples of each graph between braces: it is as long as N-Quads without the names, and as quick.

use std::io::{BufRead, Write};

use sophia::api::parser::QuadParser;
use sophia::api::quad::Quad;
use sophia::api::source::{QuadSource, StreamError};
use sophia::api::term::Term as _;
use sophia::turtle::parser::Error as SyntaxError;
use sophia::turtle::parser::nq::NQuadsParser;
use sophia::turtle::parser::trig::TriGParser;

use super::ntriples::{iri, write_lines};
use super::payload::message;
use crate::error::{Error, Result};
use crate::rdf::Term;
use crate::resource::View;

/// A syntax of datasets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syntax {
    /// N-Quads (RDF 1.1 N-Quads).
    NQuads,
    /// TriG (RDF 1.1 TriG).
    TriG,
}

/// A quad being read: subject, predicate, object, name of the graph.
pub type ReadQuad<'q> = (&'q Term, &'q Term, &'q Term, Option<&'q Term>);

/// Writes graphs, one after the other.
pub struct QuadWriter<'w> {
    out: &'w mut dyn Write,
    syntax: Syntax,
    /// How many blocks were written, so that blank nodes of two graphs never have the same label.
    blocks: u64,
}

impl<'w> QuadWriter<'w> {
    /// Returns a writer of an empty document.
    pub fn new(syntax: Syntax, out: &'w mut dyn Write) -> Self {
        let blocks = 0;
        Self { out, syntax, blocks }
    }

    /// Writes what a view shows, as the graph of that name.
    ///
    /// # Errors
    /// `Gone` if the writer fails; those of the store.
    pub fn graph(&mut self, name: &str, view: &View) -> Result<()> {
        let mut bytes = Vec::new();
        match self.syntax {
            Syntax::NQuads => {
                bytes.push(b' ');
                iri(&mut bytes, name, "");
                bytes.extend_from_slice(b" .\n");
                self.blocks = write_lines(view, &bytes, self.blocks, self.out)?;
            }
            Syntax::TriG => {
                iri(&mut bytes, name, "");
                bytes.extend_from_slice(b" {\n");
                self.out.write_all(&bytes).map_err(Error::Gone)?;
                self.blocks = write_lines(view, b" .\n", self.blocks, self.out)?;
                self.out.write_all(b"}\n").map_err(Error::Gone)?;
            }
        }
        Ok(())
    }
}

/// Reads a document as it comes, and calls a function with each quad; labels of blank nodes are kept.
///
/// # Errors
/// `Parse`, with the line; those of the function.
pub fn parse(syntax: Syntax, input: impl BufRead, f: &mut dyn FnMut(ReadQuad<'_>) -> Result<()>) -> Result<()> {
    match syntax {
        Syntax::NQuads => each(NQuadsParser::new().with_preserve_bn_labels(true).parse(input), f),
        Syntax::TriG => each(TriGParser::new().with_preserve_bn_labels(true).parse(input), f),
    }
}

fn each(mut source: impl QuadSource<Error = SyntaxError>, f: &mut dyn FnMut(ReadQuad<'_>) -> Result<()>) -> Result<()> {
    source
        .try_for_each_quad(|quad| {
            let [s, p, o] = [quad.s().into_term::<Term>(), quad.p().into_term(), quad.o().into_term()];
            let g = quad.g().map(|g| g.into_term::<Term>());
            f((&s, &p, &o, g.as_ref()))
        })
        .map_err(|error| match error {
            StreamError::SourceError(error) => {
                let line = error.position().0 + 1;
                Error::Parse(format!("line {line}: {}", message(error.kind())))
            }
            StreamError::SinkError(error) => error,
        })
}

#[cfg(test)]
mod test {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::format::sample::{any_graph, assert_same, view};
    use crate::rdf::{Graph, as_iri};
    use crate::resource::Shape;

    fn read(syntax: Syntax, bytes: &[u8]) -> BTreeMap<String, Graph> {
        let mut graphs = BTreeMap::<String, Graph>::new();
        parse(syntax, bytes, &mut |(s, p, o, g)| {
            let name = as_iri(g.unwrap()).unwrap().to_owned();
            graphs.entry(name).or_default().insert(s, p, o);
            Ok(())
        })
        .unwrap();
        graphs
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn graphs_come_back_under_their_names(one in any_graph(false), two in any_graph(false)) {
            for syntax in [Syntax::NQuads, Syntax::TriG] {
                let views = [view("http://h/a", Shape::Model, one.clone()), view("http://h/b", Shape::Model, two.clone())];
                let mut bytes = Vec::new();
                let mut writer = QuadWriter::new(syntax, &mut bytes);
                for view in &views {
                    writer.graph(&view.iri, view).unwrap();
                }
                let mut graphs = read(syntax, &bytes);
                for view in &views {
                    assert_same(view, &graphs.remove(&view.iri).unwrap_or_default(), &bytes);
                }
                prop_assert!(graphs.is_empty());
            }
        }
    }

    #[test]
    fn a_fault_is_told_with_its_line() {
        let text = "<http://h/a> <http://h/p> \"x\" <http://h/g> .\n<http://h/a> nonsense\n";
        for syntax in [Syntax::NQuads, Syntax::TriG] {
            let error = parse(syntax, text.as_bytes(), &mut |_| Ok(())).unwrap_err().to_string();
            assert!(error.starts_with("line "), "{error}");
        }
    }
}
