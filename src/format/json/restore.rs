//! Gives back to a payload in simple JSON what this syntax could not tell the client who read, edited and sends it.
//!
//! Simple JSON writes `"2017-02-28"^^xsd:date` as a string, as clients of the kTBS have always got it. Who puts a
//! collection back after an edition elsewhere in it does not mean to change that date into a string. So where the
//! payload has, at the same place of the same obsel, what such a literal looked like, the literal is meant.

use std::collections::{HashMap, HashSet};

use sophia::api::term::SimpleTerm;

use super::image::{Image, is_ambiguous, walk};
use super::value::Datatype;
use crate::error::Result;
use crate::obsel::{Name, Obsel, Value};
use crate::rdf::{Graph, TermId, as_literal, iri, string, typed};
use crate::resource::View;
use crate::resource::view::{Content, Obsels};
use crate::vocab::{ktbs, xsd};

/// Returns the graph that a payload in simple JSON means, which replaces the state that a view shows.
///
/// # Errors
/// Those of the store.
pub fn restore(graph: Graph, view: &View) -> Result<Graph> {
    match &view.content {
        Content::Graph(state) => Ok(with_origin(graph, state, &view.iri)),
        Content::Obsels(obsels) => Restorer::new(graph, obsels).all(),
    }
}

/// The origin of a trace is the only literal of small graphs that simple JSON writes without its datatype.
fn with_origin(mut graph: Graph, state: &Graph, trace: &str) -> Graph {
    let Some(origin) = state.object_of(trace, ktbs::HAS_ORIGIN) else {
        return graph;
    };
    let (subject, predicate) = (iri(trace), iri(ktbs::HAS_ORIGIN));
    if let Some(plain) = as_literal(origin).map(string)
        && plain != *origin
        && graph.remove(&subject, &predicate, &plain)
    {
        graph.insert(&subject, &predicate, origin);
    }
    graph
}

struct Restorer<'v> {
    graph: Graph,
    obsels: &'v Obsels,
    /// The arcs of each node: predicate, object.
    arcs: HashMap<TermId, Vec<(TermId, TermId)>>,
    /// The blank nodes from which arcs lead to a node: predicate, subject.
    towards: HashMap<TermId, Vec<(TermId, TermId)>>,
    predicates: HashMap<Name, Option<TermId>>,
    datatypes: HashMap<Name, Datatype>,
    removed: HashSet<[TermId; 3]>,
    added: Vec<[TermId; 3]>,
}

impl<'v> Restorer<'v> {
    fn new(graph: Graph, obsels: &'v Obsels) -> Self {
        let mut arcs: HashMap<_, Vec<_>> = HashMap::new();
        let mut towards: HashMap<_, Vec<_>> = HashMap::new();
        for [s, p, o] in graph.ids() {
            arcs.entry(s).or_default().push((p, o));
            if crate::rdf::is_blank(graph.term(s)) {
                towards.entry(o).or_default().push((p, s));
            }
        }
        let (predicates, datatypes, removed, added) = Default::default();
        Self {
            graph,
            obsels,
            arcs,
            towards,
            predicates,
            datatypes,
            removed,
            added,
        }
    }

    fn all(mut self) -> Result<Graph> {
        let obsels = self.obsels;
        obsels.for_each(&mut |obsel| self.obsel(obsel))?;
        let mut graph = self.graph;
        if !self.removed.is_empty() {
            graph.retain_ids(|triple| !self.removed.contains(triple));
        }
        for triple in self.added {
            graph.insert_ids(triple);
        }
        Ok(graph)
    }

    fn obsel(&mut self, obsel: &Obsel<'_>) -> Result<()> {
        let is_typed = |value: &Value<'_>| matches!(value, Value::Typed(..));
        let blank_objects = obsel.blank_arcs.iter().map(|(_, arc)| &arc.object);
        if !obsel
            .arcs
            .iter()
            .map(|arc| &arc.object)
            .chain(blank_objects)
            .any(is_typed)
        {
            return Ok(());
        }
        if is_ambiguous(obsel, &mut |name| self.datatype(name))? {
            // It was written exactly.
            return Ok(());
        }
        let Some(node) = self.graph.iri_id(&format!("{}{}", self.obsels.trace, obsel.id)) else {
            return Ok(());
        };
        // Both functions need the whole of this.
        let this = std::cell::RefCell::new(self);
        let seen = std::cell::RefCell::new(HashSet::new());
        walk(
            obsel,
            vec![node],
            &mut |nodes, literals| this.borrow_mut().literals(nodes, &literals),
            &mut |nodes, (forwards, predicate)| {
                let mut this = this.borrow_mut();
                let Some(predicate) = this.predicate(predicate)? else {
                    return Ok(None);
                };
                let ways = if forwards { &this.arcs } else { &this.towards };
                let mut next = Vec::new();
                for (by, other) in nodes.iter().filter_map(|node| ways.get(node)).flatten() {
                    let is_new = *by == predicate
                        && crate::rdf::is_blank(this.graph.term(*other))
                        && seen.borrow_mut().insert(*other);
                    if is_new {
                        next.push(*other);
                    }
                }
                Ok(Some(next).filter(|next| !next.is_empty()))
            },
        )
    }

    /// Restores literals where the nodes of the payload have what they looked like.
    fn literals(&mut self, nodes: &[TermId], literals: &[(Name, Value<'_>)]) -> Result<()> {
        let mut kept: HashMap<(TermId, Image<'_>), Value<'_>> = HashMap::new();
        for (name, value) in literals {
            let (lexical, datatype) = match value {
                Value::String(lexical) => (*lexical, Datatype::String),
                Value::Typed(lexical, datatype) => (*lexical, self.datatype(*datatype)?),
                _ => continue,
            };
            if let (Some(predicate), Some(image)) = (self.predicate(*name)?, Image::of(lexical, datatype)) {
                kept.insert((predicate, image), *value);
            }
        }
        for node in nodes {
            for (predicate, object) in self.arcs.get(node).cloned().unwrap_or_default() {
                let (lexical, datatype) = match self.graph.term(object) {
                    SimpleTerm::LiteralDatatype(lexical, datatype) => (lexical.to_string(), datatype.as_str()),
                    _ => continue,
                };
                let datatype = Datatype::of(datatype);
                let is_native = matches!(
                    datatype,
                    Datatype::String | Datatype::Integer | Datatype::Double | Datatype::Boolean
                );
                let Some(image) = Image::of(&lexical, datatype).filter(|_| is_native) else {
                    continue;
                };
                if let Some(Value::Typed(original, name)) = kept.get(&(predicate, image)) {
                    let meant = (*original, &*self.obsels.iri(*name)?);
                    self.one([*node, predicate, object], (&lexical, datatype), meant);
                }
            }
        }
        Ok(())
    }

    /// Puts a literal in the place of one that looks like it.
    fn one(&mut self, triple: [TermId; 3], found: (&str, Datatype), (original, iri): (&str, &str)) {
        // Two integers are the same or not, however large: no client rounds one to another integer.
        if found.1 == Datatype::Integer && iri == xsd::INTEGER && whole(original) != whole(found.0) {
            return;
        }
        let [node, predicate, object] = triple;
        let meant = self.graph.intern(&typed(original, iri));
        if meant != object {
            self.removed.insert(triple);
            self.added.push([node, predicate, meant]);
        }
    }

    fn predicate(&mut self, name: Name) -> Result<Option<TermId>> {
        if let Some(known) = self.predicates.get(&name) {
            return Ok(*known);
        }
        let predicate = self.graph.iri_id(&self.obsels.iri(name)?);
        self.predicates.insert(name, predicate);
        Ok(predicate)
    }

    fn datatype(&mut self, name: Name) -> Result<Datatype> {
        if let Some(known) = self.datatypes.get(&name) {
            return Ok(*known);
        }
        let datatype = Datatype::of(&self.obsels.iri(name)?);
        self.datatypes.insert(name, datatype);
        Ok(datatype)
    }
}

/// Returns the sign and the digits of an integer, without leading zeros.
fn whole(lexical: &str) -> (bool, &str) {
    let digits = lexical.trim_start_matches(['+', '-']).trim_start_matches('0');
    (lexical.starts_with('-') && !digits.is_empty(), digits)
}
