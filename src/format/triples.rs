//! The triples of a view, in blocks: what all the serializers of RDF have in common.
//!
//! A block is a set of triples whose blank nodes, but for the shared ones, occur in no other block: an obsel with its
//! description, or a whole small graph. It is grouped by subject, and by predicate in each subject, so that a
//! serializer never has to look back.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use sophia::api::term::SimpleTerm;

use crate::error::{Error, Result};
use crate::obsel::{Arc, Blank, Name, Obsel, Value};
use crate::rdf::{Graph, TermId};
use crate::resource::view::{Content, Obsels, Row};
use crate::resource::{Shape, View};
use crate::vocab::{ktbs, rdf, xsd};

/// A term, which borrows its text.
///
/// In one block, two terms are the same if and only if they are equal; but for `rdf:type`, which is [`Known::Type`] for
/// the obsels and may be a name for the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Node<'a> {
    /// An IRI of the vocabulary.
    Known(Known),
    /// An IRI of the dictionary of the store.
    Named(Name),
    /// An IRI in two parts, one after the other.
    Iri(&'a str, &'a str),
    /// A blank node.
    Blank(Blank),
    /// A canonical `xsd:integer`.
    Integer(i64),
    /// A simple literal.
    String(&'a str),
    /// A language-tagged string: lexical form, language.
    Tagged(&'a str, &'a str),
    /// A literal whose datatype is in the dictionary of the store.
    Typed(&'a str, Name),
    /// A literal, with the IRI of its datatype.
    Literal(&'a str, &'a str),
}

/// A triple: subject, predicate, object.
pub type Triple<'a> = [Node<'a>; 3];

/// The IRIs that do not come from a graph or a dictionary, because they follow from where an obsel stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Known {
    /// `rdf:type`, first in the order of predicates.
    Type,
    /// `k:hasTrace`
    HasTrace,
    /// `k:hasBegin`
    HasBegin,
    /// `k:hasEnd`
    HasEnd,
    /// `k:hasObselCollection`
    HasObselCollection,
}

impl Known {
    /// All of them, in order.
    pub const ALL: [Self; 5] = [
        Self::Type,
        Self::HasTrace,
        Self::HasBegin,
        Self::HasEnd,
        Self::HasObselCollection,
    ];

    /// Returns the IRI.
    pub const fn iri(self) -> &'static str {
        match self {
            Self::Type => rdf::TYPE,
            Self::HasTrace => ktbs::HAS_TRACE,
            Self::HasBegin => ktbs::HAS_BEGIN,
            Self::HasEnd => ktbs::HAS_END,
            Self::HasObselCollection => ktbs::HAS_OBSEL_COLLECTION,
        }
    }
}

/// Spells out the names of a view.
#[derive(Clone, Copy)]
pub struct Speller<'a>(&'a Content);

impl<'a> Speller<'a> {
    /// Returns the speller of a view.
    pub fn new(view: &'a View) -> Self {
        Self(&view.content)
    }

    /// Returns the obsels of the view, if it is one of obsels.
    pub fn obsels(self) -> Option<&'a Obsels> {
        match self.0 {
            Content::Obsels(obsels) => Some(obsels),
            Content::Graph(_) => None,
        }
    }

    /// Returns the absolute IRI of a name.
    ///
    /// # Errors
    /// Those of the store.
    pub fn iri(self, name: Name) -> Result<Rc<str>> {
        match self.0 {
            Content::Obsels(obsels) => obsels.iri(name),
            Content::Graph(_) => Err(Error::Internal(format!(
                "{name:?} in a graph, where there are no names"
            ))),
        }
    }
}

/// What a serializer does with a view.
pub trait Serializer {
    /// Writes a block.
    ///
    /// # Errors
    /// `Gone` if the writer fails; `Serialize` for what the syntax cannot say; those of the store.
    fn block(&mut self, block: &[Triple<'_>]) -> Result<()>;

    /// Writes a flat obsel: one of which all that is to be said is what it is, in the order in which it says it, without
    /// any blank node. It may return false, having written nothing, to be given a block instead.
    ///
    /// Nearly all obsels are flat, and writing them is nearly all the work.
    ///
    /// # Errors
    /// As for `block`.
    fn flat(&mut self, _row: &mut Row<'_>) -> Result<bool> {
        Ok(false)
    }
}

/// A serializer that is given blocks only.
pub struct Blocks<F>(pub F);

impl<F: FnMut(&[Triple<'_>]) -> Result<()>> Serializer for Blocks<F> {
    fn block(&mut self, block: &[Triple<'_>]) -> Result<()> {
        (self.0)(block)
    }
}

/// Gives a view to a serializer, one block after the other.
///
/// # Errors
/// Those of the serializer and of the store; `Serialize` for a term that is none of RDF 1.1.
pub fn serialize(view: &View, serializer: &mut impl Serializer) -> Result<()> {
    match &view.content {
        Content::Graph(graph) => serializer.block(&block_of_graph(graph, &view.iri)?),
        Content::Obsels(obsels) => each_obsel(view, obsels, serializer),
    }
}

/// Returns a graph as one block, the resource first, then the other subjects in order of appearance; types are the
/// first arcs of a subject.
///
/// # Errors
/// `Serialize` for a term that is none of RDF 1.1.
pub fn block_of_graph<'a>(graph: &'a Graph, main: &str) -> Result<Vec<Triple<'a>>> {
    let main = graph.iri_id(main);
    let types = graph.iri_id(rdf::TYPE);
    let mut subjects = HashMap::new();
    let mut predicates = HashMap::new();
    let rank = |ranks: &mut HashMap<TermId, usize>, id, first| {
        if Some(id) == first {
            return 0;
        }
        let next = ranks.len() + 1;
        *ranks.entry(id).or_insert(next)
    };
    let mut triples: Vec<_> = graph
        .ids()
        .map(|[s, p, o]| (rank(&mut subjects, s, main), rank(&mut predicates, p, types), [s, p, o]))
        .collect();
    triples.sort_by_key(|(s, p, _)| (*s, *p));
    let node = |id| node_of_term(graph.term(id), id);
    triples
        .into_iter()
        .map(|(.., [s, p, o])| {
            let predicate = match node(p)? {
                Node::Iri(_, rdf::TYPE) => Node::Known(Known::Type),
                other => other,
            };
            Ok([node(s)?, predicate, node(o)?])
        })
        .collect()
}

/// A blank node of a graph is known by the number of its term. A base direction, which RDF 1.1 does not have, is
/// not shown.
fn node_of_term<'a>(term: &'a SimpleTerm<'_>, id: TermId) -> Result<Node<'a>> {
    Ok(match term {
        SimpleTerm::Iri(iri) => Node::Iri("", iri.as_str()),
        SimpleTerm::BlankNode(_) => Node::Blank(Blank::Own(id)),
        SimpleTerm::LiteralDatatype(lexical, datatype) => match datatype.as_str() {
            xsd::STRING => Node::String(lexical),
            datatype => Node::Literal(lexical, datatype),
        },
        SimpleTerm::LiteralLanguage(lexical, language, _) => Node::Tagged(lexical, language.as_str()),
        SimpleTerm::Triple(_) => return Err(Error::Serialize("triple terms are not supported".to_owned())),
        SimpleTerm::Variable(_) => return Err(Error::Serialize("variables are not supported".to_owned())),
    })
}

/// How many neighbours of a slice are remembered as said to be in the trace.
const NEIGHBOURS: usize = 16 * 1024;

fn each_obsel(view: &View, obsels: &Obsels, serializer: &mut impl Serializer) -> Result<()> {
    let trace = Node::Iri(&obsels.trace, "");
    let alone = view.shape == Shape::Obsel;
    if !alone {
        let collection = Node::Iri(&view.iri, "");
        serializer.block(&[
            [trace, Node::Known(Known::HasObselCollection), collection],
            [
                collection,
                Node::Known(Known::Type),
                Node::Iri("", obsels.collection_type),
            ],
        ])?;
    }
    let (mut said, mut told) = (HashSet::new(), HashSet::new());
    // Where no obsel names another, there is nothing to be said of one that it does not say.
    let all_is_said = !alone && (!obsels.partial || !obsels.has_mentions()?);
    let nodes = Nodes {
        trace: &obsels.trace,
        root: obsels.root(),
    };
    obsels.for_each_row(&mut |row| {
        if all_is_said && row.is_flat()? && serializer.flat(row)? {
            return Ok(());
        }
        let obsel = row.obsel()?;
        let mentions = if alone || obsels.partial {
            obsels.relations(obsel.id)?
        } else {
            Vec::new()
        };
        let mut block = Vec::with_capacity(8 + obsel.arcs.len() + obsel.blank_arcs.len() + mentions.len());
        nodes.describe(obsel, &mut block);
        if alone || obsels.partial {
            block.extend(
                obsels
                    .beyond(obsel, &mut told)?
                    .into_iter()
                    .map(|triple| nodes.triple(triple)),
            );
            // The triples that stand in the description of another obsel, unless that obsel is written as well.
            let mut foreign = Vec::new();
            for mention in &mentions {
                if !obsels.selects(mention.other)? {
                    foreign.push(mention);
                }
            }
            let this = nodes.obsel(obsel.id);
            for mention in foreign.iter().filter(|it| it.outgoing) {
                block.push([this, Node::Named(mention.predicate), nodes.obsel(mention.other)]);
            }
            for mention in foreign.iter().filter(|it| !it.outgoing) {
                block.push([nodes.obsel(mention.other), Node::Named(mention.predicate), this]);
            }
            let mut neighbours: BTreeSet<&str> = foreign.iter().map(|it| it.other).collect();
            for id in related(obsel) {
                if !obsels.selects(id)? && obsels.is_obsel(id)? {
                    neighbours.insert(id);
                }
            }
            if said.len() > NEIGHBOURS {
                said.clear();
            }
            for id in neighbours {
                if !said.contains(id) {
                    said.insert(id.to_owned());
                    block.push([nodes.obsel(id), Node::Known(Known::HasTrace), trace]);
                }
            }
        }
        if mentions.len() + obsel.others.len() > 0 || obsels.partial {
            group(&mut block);
        }
        serializer.block(&block)
    })
}

/// Returns what an obsel is directly related to, either way, among what its description says.
pub fn related<'o, 't>(obsel: &'o Obsel<'t>) -> impl Iterator<Item = &'t str> + 'o {
    let to = obsel.arcs.iter().filter_map(|arc| match arc.object {
        Value::Obsel(id) => Some(id),
        _ => None,
    });
    let from = obsel
        .others
        .iter()
        .filter_map(|(subject, arc)| match (*subject, arc.object) {
            (Value::Obsel(other), Value::Obsel(id)) if id == obsel.id => Some(other),
            _ => None,
        });
    to.chain(from)
}

/// Brings together the triples of each subject, and those of each predicate in it, in order of first appearance.
pub fn group(block: &mut [Triple<'_>]) {
    let mut subjects = HashMap::new();
    let mut predicates = HashMap::new();
    for (at, [s, p, _]) in block.iter().enumerate() {
        subjects.entry(*s).or_insert(at);
        predicates.entry((*s, *p)).or_insert(at);
    }
    block.sort_by_key(|[s, p, _]| (subjects[s], predicates[&(*s, *p)]));
}

/// Makes nodes of the values of one trace.
#[derive(Clone, Copy)]
pub struct Nodes<'a> {
    /// The IRI of the trace.
    pub trace: &'a str,
    /// The root URI.
    pub root: &'a str,
}

impl<'a> Nodes<'a> {
    /// Returns the node of the obsel of an id.
    pub fn obsel(self, id: &'a str) -> Node<'a> {
        Node::Iri(self.trace, id)
    }

    /// Returns the node of a value.
    pub fn value(self, value: Value<'a>) -> Node<'a> {
        match value {
            Value::Obsel(id) => Node::Iri(self.trace, id),
            Value::BelowRoot(rest) => Node::Iri(self.root, rest),
            Value::Named(name) => Node::Named(name),
            Value::Iri(iri) => Node::Iri("", iri),
            Value::Blank(blank) => Node::Blank(blank),
            Value::String(lexical) => Node::String(lexical),
            Value::Tagged(lexical, language) => Node::Tagged(lexical, language),
            Value::Typed(lexical, datatype) => Node::Typed(lexical, datatype),
        }
    }

    /// Returns the nodes of a triple.
    pub fn triple(self, (subject, arc): (Value<'a>, Arc<'a>)) -> Triple<'a> {
        [self.value(subject), Node::Named(arc.predicate), self.value(arc.object)]
    }

    /// Appends the description of an obsel, grouped.
    pub fn describe(self, obsel: &Obsel<'a>, block: &mut Vec<Triple<'a>>) {
        let this = self.obsel(obsel.id);
        for ty in &obsel.types {
            block.push([this, Node::Known(Known::Type), self.value(*ty)]);
        }
        block.extend([
            [this, Node::Known(Known::HasTrace), Node::Iri(self.trace, "")],
            [this, Node::Known(Known::HasBegin), Node::Integer(obsel.begin)],
            [this, Node::Known(Known::HasEnd), Node::Integer(obsel.end)],
        ]);
        block.extend(obsel.triples().map(|triple| self.triple(triple)));
    }
}

/// Returns the groups of a grouped block: for each subject in turn, its triples.
pub fn subjects<'b, 'a>(block: &'b [Triple<'a>]) -> impl Iterator<Item = &'b [Triple<'a>]> {
    block.chunk_by(|one, next| one[0] == next[0])
}

/// Appends a name for a blank node, unique in the document and of letters and digits only; `block` is the number of
/// its block.
pub fn label(bytes: &mut Vec<u8>, block: u64, blank: Blank) {
    let mut number = itoa::Buffer::new();
    match blank {
        Blank::Own(own) => {
            bytes.push(b'b');
            bytes.extend_from_slice(number.format(own).as_bytes());
            bytes.push(b'o');
            bytes.extend_from_slice(number.format(block).as_bytes());
        }
        Blank::Shared(shared) => {
            bytes.push(b's');
            bytes.extend_from_slice(number.format(shared).as_bytes());
        }
    }
}

#[cfg(test)]
mod test {
    use sophia::turtle::parser::nt::NTriplesParser;
    use sophia::turtle::parser::turtle::TurtleParser;
    use sophia::xml::parser::RdfXmlParser;

    use crate::format::sample::{
        Ktbs, OBSELS, TRACE, assert_same_graphs, normalized, read, read_json, turtle, views, written,
    };
    use crate::format::{json, ntriples, rdfxml, turtle as turtle_format};

    #[test]
    fn all_the_syntaxes_say_the_same() {
        let ktbs = Ktbs::with(OBSELS);
        for view in views(&ktbs) {
            let bytes = written(ntriples::write, &view);
            let expected = read(NTriplesParser::default(), &bytes);
            let bytes = written(turtle_format::write, &view);
            assert_same_graphs(&expected, &read(TurtleParser::default(), &bytes), &bytes);
            let bytes = written(rdfxml::write, &view);
            assert_same_graphs(&expected, &read(RdfXmlParser::default(), &bytes), &bytes);
            let bytes = written(json::write, &view);
            assert_same_graphs(
                &normalized(&expected),
                &normalized(&read_json(&view.iri, &bytes)),
                &bytes,
            );
        }
    }

    fn shown(ktbs: &Ktbs, path: &str, parameters: &[(&str, &str)], expected: &str) {
        let bytes = written(ntriples::write, &ktbs.view(path, parameters));
        assert_same_graphs(
            &turtle(TRACE, expected),
            &read(NTriplesParser::default(), &bytes),
            &bytes,
        );
    }

    const COLLECTION: &str = "<> k:hasObselCollection <@obsels> . <@obsels> a k:StoredTraceObsels . ";

    #[test]
    fn the_whole_collection_is_what_was_posted() {
        let ktbs = Ktbs::with(OBSELS);
        shown(&ktbs, "@obsels", &[], &format!("{COLLECTION}{OBSELS}"));
        shown(&Ktbs::with(""), "@obsels", &[], COLLECTION);
    }

    #[test]
    fn a_slice_shows_relations_with_its_neighbours() {
        let ktbs = Ktbs::with("<q1> a m:Q ; k:hasTrace <> ; k:hasBegin 1 ; m:text \"moon\" .");
        ktbs.post(TRACE, "<c1> a m:C ; k:hasTrace <> ; k:hasBegin 2 ; m:on <q1> .");
        ktbs.post(
            TRACE,
            "<c2> a m:C ; k:hasTrace <> ; k:hasBegin 3 ; m:on <q1> ; m:then <c1>, <none> .",
        );
        let q1 = "<q1> a m:Q ; k:hasTrace <> ; k:hasBegin 1 ; k:hasEnd 1 ; m:text \"moon\" . \
            <c1> k:hasTrace <> ; m:on <q1> . <c2> k:hasTrace <> ; m:on <q1> .";
        shown(&ktbs, "@obsels", &[("maxe", "1")], &format!("{COLLECTION}{q1}"));
        shown(&ktbs, "q1", &[], q1);
        let c1 = "<c1> a m:C ; k:hasTrace <> ; k:hasBegin 2 ; k:hasEnd 2 ; m:on <q1> . <q1> k:hasTrace <> . \
            <c2> k:hasTrace <> ; m:then <c1> .";
        shown(
            &ktbs,
            "@obsels",
            &[("minb", "2"), ("maxb", "2")],
            &format!("{COLLECTION}{c1}"),
        );
        shown(&ktbs, "c1", &[], c1);
        shown(
            &ktbs,
            "@obsels",
            &[("minb", "3")],
            &format!(
                "{COLLECTION} <c2> a m:C ; k:hasTrace <> ; k:hasBegin 3 ; k:hasEnd 3 ; m:on <q1> ; m:then <c1>, <none> .
                <q1> k:hasTrace <> . <c1> k:hasTrace <> ."
            ),
        );
    }
}
