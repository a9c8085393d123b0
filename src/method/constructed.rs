//! From a graph that a query constructed to the obsels of the target (kTBS documentation, "sparql").

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::ControlFlow;

use sophia::api::term::SimpleTerm;

use super::term::{is_obsel_id, value};
use super::{Inputs, Sink, Stop};
use crate::digest::fnv128;
use crate::obsel::{Arc, Blank, Name, Obsel, Value};
use crate::rdf::{Graph, Term, TermId, as_iri, as_literal, is_blank};
use crate::store::Bounds;
use crate::vocab::{self, ktbs};

/// How deep blank nodes are followed to name an obsel after what is said of it.
const NAMING_DEPTH: usize = 4;

/// Gives the obsels of a constructed graph to a sink: the nodes whose trace is the target, and the blank nodes that have a
/// begin, which are named after what is said of them, so that their names are the same from one computation to the next. Obsels
/// that the target has already are left as they are, so that a query that gives the same again changes nothing. Returns the
/// problems of those that cannot be obsels.
///
/// # Errors
/// Those of the store and of the sink.
pub(super) fn put(inputs: &Inputs<'_>, graph: &Graph, sink: &mut dyn Sink) -> Result<Vec<String>, Stop> {
    let own = Own::of(graph);
    let names = names(&own, inputs.target.iri);
    let (has_trace, target) = (graph.iri_id(ktbs::HAS_TRACE), graph.iri_id(inputs.target.iri));
    let mut members: Vec<TermId> = graph
        .ids()
        .filter(|[_, p, o]| Some(*p) == has_trace && Some(*o) == target)
        .map(|[node, ..]| node)
        .chain(names.keys().copied())
        .collect();
    members.sort_unstable();
    members.dedup();
    let mut maker = Maker {
        inputs,
        own: &own,
        names: &names,
        roles: vec![None; graph.term_count()],
        order: Order::new(sink)?,
    };
    let mut problems = Vec::new();
    let former = match inputs.target.trace {
        Some(trace) if inputs.reading.obsel_count(trace)? > 0 => Some(trace),
        _ => None,
    };
    let (mut given, mut gone): (HashSet<&str>, Vec<String>) = Default::default();
    let mut is_begun = former.is_some();
    for node in members {
        match maker.obsel(node, sink)? {
            Ok(obsel) => {
                if !is_begun {
                    // All is new, and is stored as such.
                    sink.clear()?;
                    is_begun = true;
                }
                match former {
                    Some(trace) => {
                        if inputs.reading.obsel(trace, obsel.id)?.as_ref() != Some(&obsel) {
                            sink.put(&obsel)?;
                        }
                        given.insert(obsel.id);
                    }
                    None => sink.put(&obsel)?,
                }
            }
            Err(problem) => problems.push(problem),
        }
    }
    if let Some(trace) = former {
        inputs
            .reading
            .for_each_place(trace, &Bounds::ALL, false, &mut |_, _, id| {
                if !given.contains(id) {
                    gone.push(id.to_owned());
                }
                Ok(ControlFlow::Continue(()))
            })?;
    }
    for id in gone {
        sink.remove(&id)?;
    }
    Ok(problems)
}

/// The triples of a graph, by subject.
struct Own<'g> {
    graph: &'g Graph,
    /// Where those of each subject start in `pairs`, and where those of the last one end.
    starts: Vec<usize>,
    /// Predicate, object.
    pairs: Vec<(TermId, TermId)>,
}

impl<'g> Own<'g> {
    fn of(graph: &'g Graph) -> Self {
        let mut starts = vec![0; graph.term_count() + 1];
        for [s, ..] in graph.ids() {
            starts[s as usize + 1] += 1;
        }
        for subject in 1..starts.len() {
            starts[subject] += starts[subject - 1];
        }
        let mut next = starts.clone();
        let mut pairs = vec![(0, 0); graph.len()];
        for [s, p, o] in graph.ids() {
            pairs[next[s as usize]] = (p, o);
            next[s as usize] += 1;
        }
        Self { graph, starts, pairs }
    }

    fn pairs(&self, subject: TermId) -> &[(TermId, TermId)] {
        let subject = subject as usize;
        &self.pairs[self.starts[subject]..self.starts[subject + 1]]
    }
}

/// Returns the ids of the blank nodes that have a begin: each follows from what is said of the node.
fn names(own: &Own<'_>, target: &str) -> HashMap<TermId, String> {
    let begin = own.graph.iri_id(ktbs::HAS_BEGIN);
    let is_obsel = |node: &TermId| own.pairs(*node).iter().any(|(p, _)| Some(*p) == begin);
    let blanks: Vec<TermId> = (0..own.graph.term_count() as TermId)
        .filter(|node| is_blank(own.graph.term(*node)))
        .collect();
    let contents = contents(own, &blanks);
    let mut by_content: BTreeMap<u128, Vec<TermId>> = BTreeMap::new();
    for node in blanks.into_iter().filter(is_obsel) {
        by_content.entry(contents[node as usize]).or_default().push(node);
    }
    let mut names = HashMap::new();
    let mut last = None;
    for (digest, nodes) in by_content {
        // Digests that start alike follow each other here.
        let start = digest >> 64;
        let mut rank = match last {
            Some((other, rank)) if other == start => rank,
            _ => 0,
        };
        for node in nodes {
            let id = loop {
                let suffix = if rank == 0 { String::new() } else { format!("-{rank}") };
                let id = format!("o-{start:016x}{suffix}");
                rank += 1;
                // The query may have named a node so itself.
                if own.graph.iri_id(&format!("{target}{id}")).is_none() {
                    break id;
                }
            };
            names.insert(node, id);
        }
        last = Some((start, rank));
    }
    names
}

/// Returns digests of what is said of the blank nodes, by term, which do not depend on their labels. In each round, a node takes
/// in the digests that those to which it leads had before: the cost is that of the graph, whatever its shape.
fn contents(own: &Own<'_>, blanks: &[TermId]) -> Vec<u128> {
    let graph = own.graph;
    let mut terms: Vec<Option<u64>> = vec![None; graph.term_count()];
    let mut of_term = |id: TermId| *terms[id as usize].get_or_insert_with(|| digest(graph.term(id)));
    let leads_on = |node: &TermId| own.pairs(*node).iter().any(|(_, o)| is_blank(graph.term(*o)));
    // Where none leads to another, all is known after the first.
    let rounds = if blanks.iter().any(leads_on) {
        NAMING_DEPTH + 1
    } else {
        1
    };
    let mut known: Vec<u128> = vec![0; graph.term_count()];
    let (mut lines, mut bytes) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let mut next = known.clone();
        for &node in blanks {
            lines.clear();
            for &(p, o) in own.pairs(node) {
                let object = match is_blank(graph.term(o)) {
                    true => known[o as usize],
                    false => of_term(o).into(),
                };
                lines.push((of_term(p), object));
            }
            lines.sort_unstable();
            bytes.clear();
            for (predicate, object) in &lines {
                bytes.extend_from_slice(&predicate.to_be_bytes());
                bytes.extend_from_slice(&object.to_be_bytes());
            }
            next[node as usize] = fnv128(&bytes);
        }
        known = next;
    }
    known
}

/// Returns the digest of a term that is no blank node.
fn digest(term: &Term) -> u64 {
    let text = match term {
        SimpleTerm::Iri(iri) => format!("<{iri}"),
        SimpleTerm::LiteralDatatype(lexical, datatype) => format!("{datatype}\"{lexical}"),
        SimpleTerm::LiteralLanguage(lexical, language, _) => format!("@{}\"{lexical}", language.as_str()),
        other => format!("{other:?}"),
    };
    (fnv128(text.as_bytes()) >> 64) as u64
}

/// What an arc of a predicate becomes.
#[derive(Clone, Copy)]
enum Role {
    Trace,
    Begin,
    End,
    Type,
    Property(Name),
}

/// Makes obsels of nodes.
struct Maker<'a, 'g> {
    inputs: &'a Inputs<'a>,
    own: &'a Own<'g>,
    /// The ids of the blank nodes that are obsels.
    names: &'g HashMap<TermId, String>,
    /// What the predicates that were met become.
    roles: Vec<Option<Role>>,
    order: Order,
}

impl<'g> Maker<'_, 'g> {
    /// Returns a node as an obsel, or why it is none. Without an end, it ends as it begins.
    fn obsel(&mut self, node: TermId, sink: &mut dyn Sink) -> Result<Result<Obsel<'g>, String>, Stop> {
        let (graph, own) = (self.own.graph, self.own);
        let iri = as_iri(graph.term(node));
        let given = || {
            iri.and_then(|iri| iri.strip_prefix(self.inputs.target.iri))
                .filter(|id| is_obsel_id(id))
        };
        let Some(id) = self.names.get(&node).map(String::as_str).or_else(given) else {
            return Ok(Err(format!(
                "An obsel is not directly below the trace: {}",
                iri.unwrap_or("a blank node")
            )));
        };
        let mut obsel = Obsel { id, ..Obsel::default() };
        let (mut begin, mut end) = (None, None);
        let mut blanks: HashMap<TermId, u32> = HashMap::new();
        for &(p, o) in own.pairs(node) {
            let time = || as_literal(graph.term(o)).and_then(|text| text.trim().parse::<i64>().ok());
            match self.role(p, sink)? {
                Role::Trace => {}
                role @ (Role::Begin | Role::End) => {
                    let Some(time) = time() else {
                        let property = as_iri(graph.term(p)).unwrap_or_default();
                        return Ok(Err(format!("<{property}> of the obsel {id} is no integer (64 bits)")));
                    };
                    *(if matches!(role, Role::Begin) {
                        &mut begin
                    } else {
                        &mut end
                    }) = Some(time);
                }
                Role::Type => {
                    if let Some(class) = as_iri(graph.term(o)) {
                        obsel.types.push(Value::Named(sink.name(class)?));
                    }
                }
                Role::Property(predicate) => {
                    if let Some(object) = self.object(o, &mut blanks, sink)? {
                        obsel.arcs.push(Arc { predicate, object });
                    }
                }
            }
        }
        self.describe_blanks(&mut blanks, &mut obsel, sink)?;
        let Some(begin) = begin else {
            return Ok(Err(format!("The obsel {id} has no begin")));
        };
        (obsel.begin, obsel.end) = (begin, end.unwrap_or(begin));
        if obsel.end < obsel.begin {
            return Ok(Err(format!("The obsel {id} ends before it begins")));
        }
        if obsel.types.is_empty() {
            obsel.types.push(Value::Named(sink.name(ktbs::OBSEL)?));
        }
        obsel.types.sort_unstable();
        obsel.arcs.sort_unstable();
        self.order.sort(&mut obsel.arcs);
        Ok(Ok(obsel))
    }

    /// Adds what is said of the blank nodes to which an obsel leads.
    fn describe_blanks(
        &self,
        blanks: &mut HashMap<TermId, u32>,
        obsel: &mut Obsel<'g>,
        sink: &mut dyn Sink,
    ) -> Result<(), Stop> {
        let (graph, own) = (self.own.graph, self.own);
        let mut pending: Vec<(TermId, u32)> = blanks.iter().map(|(node, number)| (*node, *number)).collect();
        pending.sort_unstable_by_key(|(_, number)| std::cmp::Reverse(*number));
        while let Some((node, number)) = pending.pop() {
            for &(p, o) in own.pairs(node) {
                let known = blanks.len();
                if let Some(object) = self.object(o, blanks, sink)? {
                    let predicate = sink.name(as_iri(graph.term(p)).unwrap_or_default())?;
                    obsel.blank_arcs.push((Blank::Own(number), Arc { predicate, object }));
                }
                if blanks.len() > known {
                    pending.push((o, known as u32));
                }
            }
        }
        obsel.blank_arcs.sort_by_key(|(node, arc)| (*node, arc.predicate));
        Ok(())
    }

    fn object(
        &self,
        id: TermId,
        blanks: &mut HashMap<TermId, u32>,
        sink: &mut dyn Sink,
    ) -> Result<Option<Value<'g>>, Stop> {
        let term: &'g Term = self.own.graph.term(id);
        if !is_blank(term) {
            return value(self.inputs, term, sink);
        }
        if let Some(id) = self.names.get(&id) {
            return Ok(Some(Value::Obsel(id)));
        }
        let next = blanks.len() as u32;
        Ok(Some(Value::Blank(Blank::Own(*blanks.entry(id).or_insert(next)))))
    }

    fn role(&mut self, predicate: TermId, sink: &mut dyn Sink) -> Result<Role, Stop> {
        if let Some(role) = self.roles[predicate as usize] {
            return Ok(role);
        }
        let role = match as_iri(self.own.graph.term(predicate)).unwrap_or_default() {
            ktbs::HAS_TRACE => Role::Trace,
            ktbs::HAS_BEGIN => Role::Begin,
            ktbs::HAS_END => Role::End,
            vocab::rdf::TYPE => Role::Type,
            property => Role::Property(sink.name(property)?),
        };
        self.roles[predicate as usize] = Some(role);
        Ok(role)
    }
}

/// The order in which records have arcs: those of one predicate together, those of the kTBS first.
pub(super) struct Order([Name; 4]);

impl Order {
    pub(super) fn new(sink: &mut dyn Sink) -> Result<Self, Stop> {
        Ok(Self([
            sink.name(ktbs::HAS_BEGIN_DT)?,
            sink.name(ktbs::HAS_END_DT)?,
            sink.name(ktbs::HAS_SUBJECT)?,
            sink.name(ktbs::HAS_SOURCE_OBSEL)?,
        ]))
    }

    pub(super) fn sort(&self, arcs: &mut [Arc<'_>]) {
        let Self(first) = self;
        arcs.sort_by_key(|arc| {
            let rank = first.iter().position(|name| *name == arc.predicate);
            (rank.unwrap_or(first.len()), arc.predicate)
        });
    }
}
