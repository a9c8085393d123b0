//! From a graph that a query constructed to the obsels of the target (kTBS documentation, "sparql").

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::ControlFlow;

use super::term::{is_obsel_id, value};
use super::{Inputs, Sink, Stop};
use crate::digest::fnv128;
use crate::obsel::{Arc, Blank, Obsel, Value};
use crate::rdf::{self, Graph, Term, TermId, as_iri, as_literal, is_blank};
use crate::store::Bounds;
use crate::vocab::{self, ktbs};

/// How deep blank nodes are followed to name an obsel after what is said of it.
const NAMING_DEPTH: usize = 4;

/// Gives an IRI, and the target as trace, to the blank nodes that have a begin: an IRI that follows from what is said of the
/// node, so that it is the same from one computation to the next.
pub(super) fn named(graph: &Graph, target: &str) -> Graph {
    let begin = graph.iri_id(ktbs::HAS_BEGIN);
    let nodes: BTreeSet<TermId> = graph
        .ids()
        .filter(|[s, p, _]| Some(*p) == begin && is_blank(graph.term(*s)))
        .map(|[s, ..]| s)
        .collect();
    if nodes.is_empty() {
        return graph.clone();
    }
    let contents = contents(graph);
    let mut by_content: BTreeMap<u128, Vec<TermId>> = BTreeMap::new();
    for node in nodes {
        let content = contents.get(&node).copied().unwrap_or_default();
        by_content.entry(content).or_default().push(node);
    }
    let mut names: HashMap<Term, Term> = HashMap::new();
    let mut last = None;
    for (digest, nodes) in by_content {
        // Digests that start alike follow each other here.
        let start = digest >> 64;
        let mut rank = match last {
            Some((other, rank)) if other == start => rank,
            _ => 0,
        };
        for node in nodes {
            let iri = loop {
                let suffix = if rank == 0 { String::new() } else { format!("-{rank}") };
                let iri = format!("{target}o-{start:016x}{suffix}");
                rank += 1;
                // The query may have named a node so itself.
                if graph.iri_id(&iri).is_none() {
                    break iri;
                }
            };
            names.insert(graph.term(node).clone(), rdf::iri(iri));
        }
        last = Some((start, rank));
    }
    let mut named = graph.replaced(&names);
    for iri in names.values() {
        named.insert(iri, &rdf::iri(ktbs::HAS_TRACE), &rdf::iri(target));
    }
    named
}

/// Returns digests of what is said of the blank nodes, which do not depend on their labels. In each round, a node takes in the
/// digests that those to which it leads had before: the cost is that of the graph, whatever its shape.
fn contents(graph: &Graph) -> HashMap<TermId, u128> {
    let mut own: HashMap<TermId, Vec<(u128, TermId)>> = HashMap::new();
    let digest = |id: TermId| fnv128(format!("{:?}", graph.term(id)).as_bytes());
    for [s, p, o] in graph.ids().filter(|[s, ..]| is_blank(graph.term(*s))) {
        own.entry(s).or_default().push((digest(p), o));
    }
    let mut known: HashMap<TermId, u128> = HashMap::new();
    for _ in 0..=NAMING_DEPTH {
        let content = |arcs: &Vec<(u128, TermId)>| {
            let mut lines: Vec<[u128; 2]> = (arcs.iter())
                .map(|(p, o)| {
                    let object = match is_blank(graph.term(*o)) {
                        true => known.get(o).copied().unwrap_or_default(),
                        false => digest(*o),
                    };
                    [*p, object]
                })
                .collect();
            lines.sort_unstable();
            let bytes: Vec<u8> = lines.iter().flatten().flat_map(|word| word.to_be_bytes()).collect();
            fnv128(&bytes)
        };
        known = own.iter().map(|(node, arcs)| (*node, content(arcs))).collect();
    }
    known
}

/// Gives the obsels of a constructed graph to a sink: the nodes whose trace is the target. Those that the target has already
/// are left as they are, so that a query that gives the same again changes nothing. Returns the problems of those that cannot
/// be obsels.
///
/// # Errors
/// Those of the store and of the sink.
pub(super) fn put(inputs: &Inputs<'_>, graph: &Graph, sink: &mut dyn Sink) -> Result<Vec<String>, Stop> {
    let mut own: HashMap<TermId, Vec<(TermId, TermId)>> = HashMap::new();
    for [s, p, o] in graph.ids() {
        own.entry(s).or_default().push((p, o));
    }
    let (has_trace, target) = (graph.iri_id(ktbs::HAS_TRACE), graph.iri_id(inputs.target.iri));
    let mut problems = Vec::new();
    let former = match inputs.target.trace {
        Some(trace) if inputs.reading.obsel_count(trace)? > 0 => Some(trace),
        _ => None,
    };
    let (mut given, mut gone): (HashSet<&str>, Vec<String>) = Default::default();
    let members = graph
        .ids()
        .filter(|[_, p, o]| Some(*p) == has_trace && Some(*o) == target);
    for [node, ..] in members.collect::<Vec<_>>() {
        match obsel(inputs, graph, &own, node, sink)? {
            Ok(obsel) => match former {
                Some(trace) => {
                    if inputs.reading.obsel(trace, obsel.id)?.as_ref() != Some(&obsel) {
                        sink.put(&obsel)?;
                    }
                    given.insert(obsel.id);
                }
                None => sink.put(&obsel)?,
            },
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

/// Returns a node as an obsel, or why it is none. Without an end, it ends as it begins.
fn obsel<'g>(
    inputs: &Inputs<'_>,
    graph: &'g Graph,
    own: &HashMap<TermId, Vec<(TermId, TermId)>>,
    node: TermId,
    sink: &mut dyn Sink,
) -> Result<Result<Obsel<'g>, String>, Stop> {
    let term = graph.term(node);
    let id = as_iri(term)
        .and_then(|iri| iri.strip_prefix(inputs.target.iri))
        .filter(|id| is_obsel_id(id));
    let Some(id) = id else {
        return Ok(Err(format!(
            "An obsel is not directly below the trace: {}",
            as_iri(term).unwrap_or("a blank node")
        )));
    };
    let mut obsel = Obsel { id, ..Obsel::default() };
    let (mut begin, mut end) = (None, None);
    let mut blanks: HashMap<TermId, u32> = HashMap::new();
    for (p, o) in own.get(&node).into_iter().flatten() {
        let property = as_iri(graph.term(*p)).unwrap_or_default();
        let integer = || as_literal(graph.term(*o)).and_then(|text| text.trim().parse::<i64>().ok());
        match property {
            ktbs::HAS_TRACE => {}
            ktbs::HAS_BEGIN | ktbs::HAS_END => {
                let Some(time) = integer() else {
                    return Ok(Err(format!("<{property}> of the obsel {id} is no integer (64 bits)")));
                };
                *(if property == ktbs::HAS_BEGIN {
                    &mut begin
                } else {
                    &mut end
                }) = Some(time);
            }
            vocab::rdf::TYPE => {
                if let Some(class) = as_iri(graph.term(*o)) {
                    obsel.types.push(Value::Named(sink.name(class)?));
                }
            }
            _ => {
                if let Some(object) = node_value(inputs, graph, *o, &mut blanks, sink)? {
                    obsel.arcs.push(Arc {
                        predicate: sink.name(property)?,
                        object,
                    });
                }
            }
        }
    }
    describe_blanks(inputs, graph, own, &mut blanks, &mut obsel, sink)?;
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
    sort(&mut obsel.arcs, sink)?;
    Ok(Ok(obsel))
}

/// Adds what is said of the blank nodes to which an obsel leads.
fn describe_blanks<'g>(
    inputs: &Inputs<'_>,
    graph: &'g Graph,
    own: &HashMap<TermId, Vec<(TermId, TermId)>>,
    blanks: &mut HashMap<TermId, u32>,
    obsel: &mut Obsel<'g>,
    sink: &mut dyn Sink,
) -> Result<(), Stop> {
    let mut pending: Vec<(TermId, u32)> = blanks.iter().map(|(node, number)| (*node, *number)).collect();
    pending.sort_unstable_by_key(|(_, number)| std::cmp::Reverse(*number));
    while let Some((node, number)) = pending.pop() {
        for (p, o) in own.get(&node).into_iter().flatten() {
            let known = blanks.len();
            if let Some(object) = node_value(inputs, graph, *o, blanks, sink)? {
                let predicate = sink.name(as_iri(graph.term(*p)).unwrap_or_default())?;
                obsel.blank_arcs.push((Blank::Own(number), Arc { predicate, object }));
            }
            if blanks.len() > known {
                pending.push((*o, known as u32));
            }
        }
    }
    obsel.blank_arcs.sort_by_key(|(node, arc)| (*node, arc.predicate));
    Ok(())
}

fn node_value<'g>(
    inputs: &Inputs<'_>,
    graph: &'g Graph,
    id: TermId,
    blanks: &mut HashMap<TermId, u32>,
    sink: &mut dyn Sink,
) -> Result<Option<Value<'g>>, Stop> {
    let term = graph.term(id);
    if is_blank(term) {
        let next = blanks.len() as u32;
        return Ok(Some(Value::Blank(Blank::Own(*blanks.entry(id).or_insert(next)))));
    }
    value(inputs, term, sink)
}

/// Puts the arcs of one predicate together, those of the kTBS first, as records have them.
pub(super) fn sort(arcs: &mut [Arc<'_>], sink: &mut dyn Sink) -> Result<(), Stop> {
    let mut first = Vec::with_capacity(4);
    for property in [
        ktbs::HAS_BEGIN_DT,
        ktbs::HAS_END_DT,
        ktbs::HAS_SUBJECT,
        ktbs::HAS_SOURCE_OBSEL,
    ] {
        first.push(sink.name(property)?);
    }
    arcs.sort_by_key(|arc| {
        let rank = first
            .iter()
            .position(|name| *name == arc.predicate)
            .unwrap_or(first.len());
        (rank, arc.predicate)
    });
    Ok(())
}
