//! What a read gives: all that a format may print, in one value that owns its snapshot.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::ControlFlow;
use std::rc::Rc;

pub use crate::obsel::{Arc, Blank, Mention, Name, Obsel, Value};
pub use crate::store::Row;

use crate::error::Result;
use crate::rdf::{self, Graph};
use crate::store::views::Speller;
use crate::store::{Bounds, Place, Reading, Snapshot, Tally, TraceNumber};
use crate::vocab::{self, ktbs};

/// How many obsels beside a slice tell of their blank nodes.
const TOLD: usize = 16 * 1024;

/// The shape of a representation: which JSON document it is, and which specific formats apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shape {
    /// The root.
    Root,
    /// A base.
    Base,
    /// A trace model.
    Model,
    /// A method.
    Method,
    /// A stored or computed trace.
    Trace,
    /// A data graph.
    DataGraph,
    /// `@obsels` of a trace.
    Obsels,
    /// One obsel.
    Obsel,
    /// `@stats` of a trace.
    Stats,
    /// `@acl` of the root, a base or a trace.
    Acl,
}

/// What a GET shows.
#[derive(Debug)]
pub struct View {
    /// The absolute IRI of the resource, in Unicode form, without parameters.
    pub iri: String,
    /// Its shape.
    pub shape: Shape,
    /// Its tags (without media type), from the most volatile to the most stable; empty for an obsel.
    pub tags: Vec<String>,
    /// Time of the last edition, in seconds since the epoch; `None` for an obsel.
    pub modified: Option<u64>,
    /// Links of a slice, in order.
    pub links: Vec<Link>,
    /// The IRI of the model, for a trace and what belongs to it.
    pub model: Option<String>,
    /// The state.
    pub content: Content,
}

impl View {
    /// Returns the number of triples of the state: at once for a small graph or a whole collection, at the cost of a
    /// read for other selections, whose neighbours are not counted.
    ///
    /// # Errors
    /// Those of the store.
    pub fn triples(&self) -> Result<u64> {
        match &self.content {
            Content::Graph(graph) => Ok(graph.len() as u64),
            Content::Obsels(obsels) => obsels.triples(),
        }
    }

    /// Tells whether it is a whole collection of many obsels, which is some hundreds of KiB in any syntax: known at once.
    ///
    /// # Errors
    /// Those of the store.
    pub fn is_long(&self) -> Result<bool> {
        /// How many triples are many.
        const MANY: u64 = 16 << 10;
        match &self.content {
            Content::Obsels(obsels) if !obsels.partial => Ok(obsels.triples()? >= MANY),
            Content::Obsels(_) | Content::Graph(_) => Ok(false),
        }
    }
}

/// A `Link` of a slice of `@obsels` (kTBS documentation, "obsel collection").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The absolute URI, percent-encoded.
    pub uri: String,
    /// `canonical` or `next`; `service-desc` for the root.
    pub rel: &'static str,
    /// Other parameters, in order: name, value.
    pub parameters: Vec<(&'static str, String)>,
}

/// The state of a resource.
#[derive(Debug)]
pub enum Content {
    /// A small graph, whole.
    Graph(Graph),
    /// Obsels, read from the store as they are written: `@obsels`, a slice of it, or one obsel.
    Obsels(Obsels),
}

/// Bounds on the begin of obsels, both included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Begins {
    /// Least begin.
    pub min: Option<i64>,
    /// Greatest begin.
    pub max: Option<i64>,
}

impl Begins {
    /// Tells whether a begin is within the bounds.
    pub fn contain(self, begin: i64) -> bool {
        self.min.is_none_or(|min| min <= begin) && self.max.is_none_or(|max| begin <= max)
    }
}

/// A selection of the obsels of one trace, in a snapshot.
#[derive(Debug)]
pub struct Obsels {
    /// The IRI of the trace.
    pub trace: String,
    /// `k:StoredTraceObsels` or `k:ComputedTraceObsels`.
    pub collection_type: &'static str,
    /// True if some obsels of the trace may be absent from the selection: their arcs to and from those selected are
    /// shown, with their `k:hasTrace` and nothing else.
    pub partial: bool,
    snapshot: Rc<Snapshot>,
    number: TraceNumber,
    /// Where the selection lies in the order of the trace; `None` if it is empty.
    bounds: Option<Bounds>,
    begins: Begins,
    names: RefCell<HashMap<Name, Rc<str>>>,
}

impl Obsels {
    /// Returns all the obsels of a trace.
    pub fn whole(
        snapshot: impl Into<Rc<Snapshot>>,
        trace: String,
        number: TraceNumber,
        collection_type: &'static str,
    ) -> Self {
        let snapshot = snapshot.into();
        let (begins, names) = Default::default();
        let bounds = Some(Bounds::ALL);
        Self {
            trace,
            collection_type,
            partial: false,
            snapshot,
            number,
            bounds,
            begins,
            names,
        }
    }

    /// Returns the selection narrowed to a part of the trace, from which obsels may be absent.
    pub fn narrowed(self, bounds: Option<Bounds>, begins: Begins) -> Self {
        Self {
            partial: true,
            bounds,
            begins,
            ..self
        }
    }

    /// Returns all the obsels of the trace of a selection.
    pub fn widened(&self) -> Self {
        let snapshot = Rc::clone(&self.snapshot);
        Self::whole(snapshot, self.trace.clone(), self.number, self.collection_type)
    }

    /// Returns the state of the store that is shown.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// Returns the number of the trace in the store.
    pub fn number(&self) -> TraceNumber {
        self.number
    }

    /// Returns the selection as a graph in memory, as a PUT would send it.
    ///
    /// # Errors
    /// Those of the store.
    pub fn graph(&self) -> Result<Graph> {
        let mut graph = Graph::new();
        let collection = rdf::iri(format!("{}@obsels", self.trace));
        graph.insert(
            &rdf::iri(&self.trace),
            &rdf::iri(ktbs::HAS_OBSEL_COLLECTION),
            &collection,
        );
        graph.insert(
            &collection,
            &rdf::iri(vocab::rdf::TYPE),
            &rdf::iri(self.collection_type),
        );
        let speller = Speller::new(self.snapshot(), &self.trace);
        self.for_each(&mut |obsel| {
            speller.for_each_triple(obsel, &mut |[s, p, o]| {
                graph.insert(&s, &p, &o);
            })?;
            Ok(())
        })?;
        Ok(graph)
    }

    /// Calls a function with each obsel of the selection, in ascending order (end, begin, id).
    ///
    /// # Errors
    /// Those of the function, and of the store.
    pub fn for_each(&self, f: &mut dyn FnMut(&Obsel<'_>) -> Result<()>) -> Result<()> {
        let Some(bounds) = &self.bounds else {
            return Ok(());
        };
        self.snapshot.for_each_obsel(self.number, bounds, &mut |obsel| {
            if self.begins.contain(obsel.begin) {
                f(obsel)?;
            }
            Ok(ControlFlow::Continue(()))
        })
    }

    /// As `for_each`, for whoever need not have most of the obsels decoded.
    ///
    /// # Errors
    /// Those of the function, and of the store.
    pub fn for_each_row<'t>(&'t self, f: &mut dyn FnMut(&mut Row<'t>) -> Result<()>) -> Result<()> {
        let Some(bounds) = &self.bounds else {
            return Ok(());
        };
        self.snapshot.for_each_row(self.number, bounds, &mut |row| {
            if self.begins.contain(row.begin) {
                f(row)?;
            }
            Ok(ControlFlow::Continue(()))
        })
    }

    /// Returns the triples about an obsel that stand in the descriptions of other obsels, selected or not: incoming
    /// ones first, then by predicate and other obsel. Costs nothing in a trace without relations.
    ///
    /// # Errors
    /// Those of the store.
    pub fn mentions(&self, id: &str) -> Result<Vec<Mention<'_>>> {
        Ok(self.snapshot.mentions(self.number, id)?)
    }

    /// Returns the triples that relate an obsel to another, in whose description they stand: the [`Obsels::mentions`]
    /// that are not about a blank node. Reads the description of each other obsel.
    ///
    /// # Errors
    /// Those of the store.
    pub fn relations(&self, id: &str) -> Result<Vec<Mention<'_>>> {
        let mut mentions = self.mentions(id)?;
        let mut failure = None;
        mentions.retain(|mention| {
            self.relates(mention, id).unwrap_or_else(|e| {
                failure = Some(e);
                false
            })
        });
        failure.map_or(Ok(mentions), Err)
    }

    fn relates(&self, mention: &Mention<'_>, id: &str) -> Result<bool> {
        let other = self.snapshot.obsel(self.number, mention.other)?;
        Ok(other.is_some_and(|other| mention.relates(id, &other)))
    }

    /// Returns the triples that lead from an obsel through blank nodes of obsels that are not selected, in whose
    /// descriptions they stand: a description does not end where that of another begins, but where no blank node leads
    /// further. The blank nodes are numbered as if they were the obsel's own. Reads the description of each obsel that
    /// mentions it.
    ///
    /// `told` holds the obsels whose blank nodes were told before, with all that leads from them to the selection. Once it
    /// is large, no more are told: a slice may be cut there.
    ///
    /// # Errors
    /// Those of the store.
    pub fn beyond(&self, obsel: &Obsel<'_>, told: &mut HashSet<String>) -> Result<Vec<(Value<'_>, Arc<'_>)>> {
        let mut others: BTreeSet<&str> = self.mentions(obsel.id)?.iter().map(|it| it.other).collect();
        others.retain(|other| !told.contains(*other));
        if others.is_empty() || told.len() > TOLD {
            return Ok(Vec::new());
        }
        let failure = Cell::new(None);
        let is_selected = |id: &str| {
            self.selects(id).unwrap_or_else(|e| {
                failure.set(Some(e));
                false
            })
        };
        let mut known: HashSet<(Value<'_>, Arc<'_>)> = obsel.triples().collect();
        let mut triples = Vec::new();
        let mut first = obsel.blanks_end();
        for id in others {
            if is_selected(id) {
                continue;
            }
            let Some(other) = self.snapshot.obsel(self.number, id)? else {
                continue;
            };
            let renumbered = |value| match value {
                Value::Blank(Blank::Own(number)) => Value::Blank(Blank::Own(number.saturating_add(first))),
                value => value,
            };
            for (subject, arc) in other.beside(&is_selected) {
                let object = renumbered(arc.object);
                let triple = (renumbered(subject), Arc { object, ..arc });
                // Several obsels may hold what their shared blank nodes say.
                if known.insert(triple) {
                    triples.push(triple);
                }
            }
            first = first.saturating_add(other.blanks_end());
            told.insert(id.to_owned());
        }
        failure.into_inner().map_or(Ok(triples), Err)
    }

    /// Tells whether any obsel of the trace names another. If not, [`Obsels::mentions`] has nothing to tell.
    ///
    /// # Errors
    /// Those of the store.
    pub fn has_mentions(&self) -> Result<bool> {
        Ok(self.snapshot.trace(self.number)?.mentions > 0)
    }

    /// Tells whether the trace has an obsel of this id.
    ///
    /// # Errors
    /// Those of the store.
    pub fn is_obsel(&self, id: &str) -> Result<bool> {
        Ok(self.snapshot.has_obsel(self.number, id)?)
    }

    /// Tells whether the selection contains the obsel of this id.
    ///
    /// # Errors
    /// Those of the store.
    pub fn selects(&self, id: &str) -> Result<bool> {
        let (Some(bounds), Some(place)) = (&self.bounds, self.snapshot.place(self.number, id)?) else {
            return Ok(false);
        };
        let within = (bounds.lower.as_ref(), bounds.upper.as_ref());
        Ok(self.begins.contain(place.begin) && std::ops::RangeBounds::<Place>::contains(&within, &place))
    }

    /// Returns the absolute IRI of a name.
    ///
    /// # Errors
    /// Those of the store.
    pub fn iri(&self, name: Name) -> Result<Rc<str>> {
        if let Some(iri) = self.names.borrow().get(&name) {
            return Ok(Rc::clone(iri));
        }
        let iri: Rc<str> = self.snapshot.iri_of(name)?.into();
        self.names.borrow_mut().insert(name, Rc::clone(&iri));
        Ok(iri)
    }

    /// Returns an IRI that is no name in two parts, one after the other: what the trace, or the root, or nothing gives of it,
    /// and the rest, which is the text of the value.
    pub fn parts<'t>(&self, value: Value<'t>) -> Option<(&str, &'t str)> {
        match value {
            Value::Obsel(id) => Some((&self.trace, id)),
            Value::BelowRoot(rest) => Some((self.root(), rest)),
            Value::Iri(iri) => Some(("", iri)),
            _ => None,
        }
    }

    /// Returns the root URI.
    pub fn root(&self) -> &str {
        self.snapshot.root()
    }

    /// Returns the predicates of the selected obsels (those of which they are the subject, but `rdf:type`, `k:hasTrace`,
    /// `k:hasBegin` and `k:hasEnd`) as absolute IRIs, sorted; for a whole collection, at the cost of their number.
    ///
    /// # Errors
    /// Those of the store.
    pub fn predicates(&self) -> Result<Vec<String>> {
        let mut names = BTreeSet::new();
        if self.partial {
            self.for_each(&mut |obsel| {
                names.extend(obsel.arcs.iter().map(|arc| arc.predicate));
                for mention in self.relations(obsel.id)? {
                    if mention.outgoing {
                        names.insert(mention.predicate);
                    }
                }
                Ok(())
            })?;
        } else {
            names.extend(self.tallied(Tally::Predicate)?);
        }
        self.spell(names)
    }

    /// Returns all the predicates of the trace, wherever they stand in the descriptions of its obsels, as absolute IRIs,
    /// sorted, at the cost of their number.
    ///
    /// # Errors
    /// Those of the store.
    pub fn all_predicates(&self) -> Result<Vec<String>> {
        let mut names: BTreeSet<Name> = self.tallied(Tally::Predicate)?.collect();
        names.extend(self.tallied(Tally::Elsewhere)?);
        self.spell(names)
    }

    fn tallied(&self, tally: Tally) -> Result<impl Iterator<Item = Name>> {
        Ok(self
            .snapshot
            .tallies(self.number, tally)?
            .into_iter()
            .map(|(name, _)| name))
    }

    fn spell(&self, names: BTreeSet<Name>) -> Result<Vec<String>> {
        let mut iris = names
            .into_iter()
            .map(|name| Ok(self.iri(name)?.to_string()))
            .collect::<Result<Vec<_>>>()?;
        iris.sort_unstable();
        Ok(iris)
    }

    fn triples(&self) -> Result<u64> {
        /// The collection, its type and its link to the trace.
        const STRUCTURAL: u64 = 2;
        if !self.partial {
            return Ok(STRUCTURAL + self.snapshot.trace(self.number)?.triples);
        }
        let mut triples = STRUCTURAL;
        self.for_each(&mut |obsel| {
            triples += obsel.triple_count();
            Ok(())
        })?;
        Ok(triples)
    }
}
