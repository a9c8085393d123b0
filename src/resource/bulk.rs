//! Adding any number of obsels to a stored trace, one after the other as they come: all or none.
//!
//! Each is completed and checked when it comes, and kept aside, in memory and then in an unlinked file. The transaction, in
//! which nothing is waited for, only names and stores them.

use std::collections::HashSet;

use super::batch::{self, Batch};
use super::completion::Rules;
use super::harvest::Harvest;
use super::monotonicity::Monotonicity;
use super::recording::Recorder;
use super::{Service, Target, check, mint, relations, trace};
use crate::error::{Diagnosis, Error, Result};
use crate::method::Sink;
use crate::rdf::{Graph, TermId, as_iri, is_blank};
use crate::store::{Place, Reading, Tags};
use crate::vocab::ktbs;

/// Room for the number of an obsel after the token of its request, in a minted identifier.
const TOKEN: usize = 10;

/// Obsels on their way into a trace.
pub(super) struct Bulk<'a> {
    service: &'a Service,
    target: &'a Target,
    rules: Rules,
    harvest: Harvest<'a>,
    /// Of each obsel, the line it came from, and whether it is to be numbered.
    lines: Vec<(u64, bool)>,
    /// What the names of this request have in common, and those of no other.
    token: String,
    triples: u64,
}

impl<'a> Bulk<'a> {
    /// Starts to add obsels to a stored trace.
    ///
    /// # Errors
    /// Those of the store.
    pub fn new(service: &'a Service, target: &'a Target) -> Result<Self> {
        Ok(Self {
            service,
            target,
            rules: Rules::of(&target.snapshot, &target.entry, true)?,
            harvest: Harvest::new(&target.snapshot),
            lines: Vec::new(),
            token: mint::token(TOKEN)?,
            triples: 0,
        })
    }

    /// Checks the obsel that a line describes, and keeps it.
    ///
    /// # Errors
    /// `InvalidData`, which tells the line; `TooLarge`; those of the store.
    pub fn add(&mut self, line: u64, graph: &Graph) -> Result<()> {
        self.triples += graph.len() as u64;
        self.check_and_keep(line, graph).map_err(|error| in_line(line, error))
    }

    /// Returns the number of triples so far.
    pub fn triples(&self) -> u64 {
        self.triples
    }

    fn check_and_keep(&mut self, line: u64, graph: &Graph) -> Result<()> {
        let trace = self.target.trace_iri();
        let nodes = batch::candidates(graph, &trace, &self.target.snapshot, self.target.trace_number()?)?;
        let nodes = without_references(graph, nodes);
        if nodes.is_empty() {
            return Err(Error::invalid("No obsel found in posted graph"));
        }
        batch::check_identifiers(graph, &nodes, &trace, &self.service.settings)?;
        let batch = Batch::prepare(graph, &nodes, &self.rules)?;
        let mut ids = Vec::with_capacity(nodes.len());
        for (rank, description) in batch.descriptions.obsels.iter().enumerate() {
            ids.push(match as_iri(graph.term(description.node)) {
                Some(iri) => iri.strip_prefix(trace.as_str()).unwrap_or(iri).to_owned(),
                None => {
                    let rank = if rank == 0 { String::new() } else { format!("-{rank}") };
                    let end = format!("-{}-{line}{rank}", self.token);
                    let most = self.service.settings.id_bytes.saturating_sub(end.len());
                    let slug = batch.label(description).map_or("o".to_owned(), mint::slug);
                    format!("{}{end}", mint::cut(&slug, most))
                }
            });
        }
        let mut recorder = Recorder::new(graph, &batch.descriptions, &batch.terms, &self.rules, &ids)?;
        for (index, times) in &batch.order {
            let obsel = recorder.obsel(&mut self.harvest, *index, *times)?;
            self.harvest.put(&obsel)?;
            self.lines.push((line, times.is_numbered));
        }
        Ok(())
    }

    /// Stores the obsels that were kept; returns their IRIs, in the order in which they came.
    ///
    /// # Errors
    /// `InvalidData`: there is none, or an identifier is in use; `Conflict`: the trace was edited meanwhile, so that what was
    /// checked may be wrong; `NotFound` if it was deleted; those of the store.
    pub fn store(self) -> Result<Vec<String>> {
        if self.lines.is_empty() {
            return Err(Error::invalid("No obsel found in posted graph"));
        }
        let trace_number = self.target.trace_number()?;
        let changes = self.harvest.finish()?;
        let mut change = self.service.store.write()?;
        batch::check_current(&change, self.target)?;
        let entry = change.entry(&self.target.entry.head.path)?.ok_or(Error::NotFound)?;
        if Rules::of(&change, &entry, true)? != self.rules {
            return Err(Error::Conflict(Diagnosis {
                title: "",
                problems: vec!["the trace was edited while its obsels came; nothing was added: try again".to_owned()],
            }));
        }
        let range = trace::pseudo_monotonicity_range(&entry.graph, &self.rules.trace);
        let mut monotonicity = Monotonicity::new(change.last_place(trace_number)?, range);
        let mut iris = Vec::with_capacity(self.lines.len());
        changes.for_each_put(&mut change, &mut |change, obsel| {
            let (line, is_numbered) = self.lines[iris.len()];
            let iri = format!("{}{}", self.rules.trace, obsel.id);
            if change.has_obsel(trace_number, obsel.id)? {
                let problems = vec![format!("URI already in use <{iri}>")];
                return check::refuse("check_posted_graph", problems).map_err(|error| in_line(line, error));
            }
            if is_numbered {
                let next = batch::next_number(change, trace_number)?;
                (obsel.begin, obsel.end) = (next, next);
            }
            relations::drop_known(change, trace_number, obsel)?;
            let related = relations::related(change, trace_number, obsel)?;
            change.add_obsel(trace_number, obsel)?;
            let place = Place {
                end: obsel.end,
                begin: obsel.begin,
                id: obsel.id.to_owned(),
            };
            monotonicity.add(place, &related);
            iris.push(iri);
            Ok(())
        })?;
        let tag = change.new_tag();
        let tags = &mut change.record(trace_number)?.tags;
        let verdict = monotonicity.verdict;
        *tags = Tags {
            main: tag,
            strict: if verdict.strict { tags.strict } else { tag },
            pseudo: if verdict.pseudo { tags.pseudo } else { tag },
            logical: tags.logical,
        };
        change.commit()?;
        Ok(iris)
    }
}

/// Returns the nodes of a line but those that it only refers to: named obsels of which it says that they are in the trace,
/// and what relates them to the others. What a GET shows of related obsels may so be posted before or after them.
fn without_references(graph: &Graph, nodes: Vec<TermId>) -> Vec<TermId> {
    if nodes.len() < 2 {
        return nodes;
    }
    let has_trace = graph.iri_id(ktbs::HAS_TRACE);
    let all: HashSet<TermId> = nodes.iter().copied().collect();
    let mut described: HashSet<TermId> = nodes
        .iter()
        .copied()
        .filter(|node| is_blank(graph.term(*node)))
        .collect();
    for [s, p, o] in graph.ids() {
        if all.contains(&s) && Some(p) != has_trace && (s == o || !all.contains(&o)) {
            described.insert(s);
        }
    }
    if described.is_empty() {
        return nodes;
    }
    nodes.into_iter().filter(|node| described.contains(node)).collect()
}

/// Returns an error that tells the line of the obsel that caused it.
fn in_line(line: u64, error: Error) -> Error {
    match error {
        Error::InvalidData(diagnosis) => Error::InvalidData(diagnosis.at(&format!("line {line}, column 1"))),
        Error::TooLarge(message) => Error::TooLarge(format!("line {line}, column 1: {message}")),
        other => other,
    }
}
