//! Adding obsels to a stored trace, one or many in one transaction, and replacing them all.
//!
//! Everything that can be done without the store is done before the transaction starts: splitting the graph,
//! completing, checking. In the transaction, names are looked up, identifiers minted, records written.

use std::collections::HashSet;

use super::completion::{self, Rules, Terms, Times};
use super::description::{self, Description, Descriptions};
use super::monotonicity::Monotonicity;
use super::recording::Recorder;
use super::{Expected, Service, Settings, Target, check, mint, path, relations, trace, unit};
use crate::error::{Error, Result};
use crate::rdf::{Graph, TermId, as_iri, as_literal, is_blank};
use crate::store::codec::ID_BYTES;
use crate::store::{Change, Entry, Place, Reading, Tags, TraceNumber};
use crate::vocab::{ktbs, skos};

/// What new obsels without a label are called, before a random token.
const BARE_NAME: &str = "o";

/// Obsels on their way into a trace, split, completed and checked, in the order in which they are to be added.
pub(super) struct Batch<'g> {
    graph: &'g Graph,
    /// The descriptions of the obsels.
    pub descriptions: Descriptions,
    /// What means something in the graph.
    pub terms: Terms,
    rules: &'g Rules,
    /// Which description, when.
    pub order: Vec<(usize, Times)>,
}

/// Adds the obsels of a posted graph to a stored trace; returns their IRIs, in the order (begin, end) in which they
/// were added. All or none are.
///
/// # Errors
/// `InvalidData`: there is no obsel in the graph, or one breaks a rule; `NotFound` if the trace was deleted in the meantime.
pub(super) fn create_obsels(service: &Service, target: &Target, graph: &Graph) -> Result<Vec<String>> {
    let trace = target.trace_iri();
    let candidates = candidates(graph, &trace, &target.snapshot, target.trace_number()?)?;
    if candidates.is_empty() {
        return Err(Error::invalid("No obsel found in posted graph"));
    }
    check_identifiers(graph, &candidates, &trace, &service.settings)?;
    let mut entry = target.entry.clone();
    loop {
        let rules = Rules::of(&service.store.read()?, &entry, true)?;
        let batch = Batch::prepare(graph, &candidates, &rules)?;
        let mut change = service.store.write()?;
        check_current(&change, target)?;
        match change.entry(&entry.head.path)? {
            Some(current) if current.head.tag != entry.head.tag => entry = current,
            _ => {
                let iris = batch.add(&mut change, &entry, &service.settings)?;
                let unit = unit::of_trace_model(&change, &entry)?;
                unit::remember(&mut change, &entry.head.path, unit.as_deref())?;
                change.commit()?;
                return Ok(iris);
            }
        }
    }
}

/// Replaces all the obsels of a stored trace by those of a graph, without completing them.
///
/// # Errors
/// `InvalidData`: an obsel breaks a rule, or a triple is about something else; `EtagMismatch`; `NotFound` if the trace was deleted
/// in the meantime.
pub(super) fn replace_obsels(service: &Service, target: &Target, expected: &Expected, graph: &Graph) -> Result<()> {
    let trace = target.trace_iri();
    let number = target.trace_number()?;
    let candidates = subjects_of_trace(graph, &trace);
    check_identifiers(graph, &candidates, &trace, &service.settings)?;
    let rules = Rules::of(&target.snapshot, &target.entry, false)?;
    let batch = Batch::prepare(graph, &candidates, &rules)?;
    batch.check_nothing_else()?;
    let mut change = service.store.write()?;
    check_current(&change, target)?;
    expected.check(change.trace(number)?.tags.main)?;
    change.delete_obsels(number)?;
    batch.add(&mut change, &target.entry, &service.settings)?;
    change.renew_tags(number)?;
    Ok(change.commit()?)
}

/// Adds the obsels of a dump to an empty trace, without completing them; returns how many, and what is wrong with those that
/// were left out.
///
/// # Errors
/// Those of the store.
pub(super) fn load_obsels(
    change: &mut Change<'_>,
    entry: &Entry,
    graph: &Graph,
    settings: &Settings,
) -> Result<(u64, Vec<String>)> {
    let rules = Rules::of(change, entry, false)?;
    let mut problems = Vec::new();
    let mut nodes = subjects_of_trace(graph, &rules.trace);
    nodes.retain(|node| {
        let checked = check_identifiers(graph, &[*node], &rules.trace, settings);
        let is_right = checked.is_ok();
        problems.extend(checked.err().map(|error| error.to_string()));
        is_right
    });
    let (batch, wrong) = Batch::split(graph, &nodes, &rules)?;
    let shown = |(node, problem)| format!("{}: {problem}", check::shown(graph.term(node)));
    problems.extend(wrong.into_iter().map(shown));
    let added = batch.add(change, entry, settings)?;
    Ok((added.len() as u64, problems))
}

/// Checks that the trace to which a target belongs is still there.
///
/// # Errors
/// `NotFound`.
pub(super) fn check_current(change: &Change<'_>, target: &Target) -> Result<()> {
    let current = change.head(&target.entry.head.path)?;
    match current.filter(|head| head.trace == target.entry.head.trace) {
        Some(_) => Ok(()),
        None => Err(Error::NotFound),
    }
}

/// Returns the number of the next obsel of a trace that counts in a sequence, from 1.
///
/// # Errors
/// `InvalidData` if there is no greater number; those of the store.
pub(super) fn next_number(change: &Change<'_>, trace: TraceNumber) -> Result<i64> {
    match change.last_place(trace)? {
        None => Ok(1),
        Some(last) => last.end.checked_add(1).ok_or_else(|| {
            Error::invalid(format!(
                "Property <{}> is required: no number is left after that of the last obsel",
                ktbs::HAS_BEGIN
            ))
        }),
    }
}

/// Returns the nodes that a graph places in a trace, in the order of the graph.
fn subjects_of_trace(graph: &Graph, trace: &str) -> Vec<TermId> {
    let (Some(has_trace), Some(trace)) = (graph.iri_id(ktbs::HAS_TRACE), graph.iri_id(trace)) else {
        return Vec::new();
    };
    graph
        .ids()
        .filter(|[_, p, o]| *p == has_trace && *o == trace)
        .map(|[s, ..]| s)
        .collect()
}

/// Returns the nodes of which a posted graph makes obsels: those that it places in the trace, but for the obsels that
/// are there already and of which it says nothing else. (What a GET shows of related obsels may so be posted back.)
///
/// # Errors
/// Those of the store.
pub(super) fn candidates(
    graph: &Graph,
    trace: &str,
    reading: &dyn Reading,
    number: TraceNumber,
) -> Result<Vec<TermId>> {
    let nodes = subjects_of_trace(graph, trace);
    let mut says: std::collections::HashMap<TermId, usize> = nodes.iter().map(|node| (*node, 0)).collect();
    for [s, ..] in graph.ids() {
        if let Some(count) = says.get_mut(&s) {
            *count += 1;
        }
    }
    let mut candidates = Vec::with_capacity(nodes.len());
    for node in nodes {
        let known = says[&node] == 1
            && match as_iri(graph.term(node)).and_then(|iri| iri.strip_prefix(trace)) {
                Some(id) => !id.is_empty() && reading.has_obsel(number, id)?,
                None => false,
            };
        if !known {
            candidates.push(node);
        }
    }
    Ok(candidates)
}

/// Checks the IRIs of the obsels of a payload, whatever the store holds.
///
/// # Errors
/// `InvalidData`.
pub(super) fn check_identifiers(graph: &Graph, nodes: &[TermId], trace: &str, settings: &Settings) -> Result<()> {
    let most = settings.id_bytes.min(ID_BYTES);
    let mut problems = Vec::new();
    for node in nodes {
        let Some(iri) = as_iri(graph.term(*node)) else {
            continue;
        };
        let Some(id) = iri.strip_prefix(trace) else {
            problems.push(format!(
                "The URI of the created item is not consistent with the URI of its container: <{}>",
                check::cut(iri)
            ));
            continue;
        };
        if !path::is_identifier(id.strip_suffix('/').unwrap_or(id)) {
            problems.push(format!(
                "The identifier of the created item is invalid: [{}]",
                check::cut(id)
            ));
        } else if id.len() > most {
            problems.push(format!(
                "The identifier of the created item is longer than id-bytes ({most}): [{}]",
                check::cut(id)
            ));
        }
    }
    check::refuse("check_posted_graph", problems)
}

impl<'g> Batch<'g> {
    /// Splits a graph into obsels, completes and checks them, and orders them.
    ///
    /// # Errors
    /// `InvalidData`, `TooLarge`.
    pub(super) fn prepare(graph: &'g Graph, nodes: &[TermId], rules: &'g Rules) -> Result<Self> {
        let (batch, problems) = Self::split(graph, nodes, rules)?;
        check::refuse(
            "check_new_graph",
            problems.into_iter().map(|(_, problem)| problem).collect(),
        )?;
        Ok(batch)
    }

    /// Does the same with the obsels that break no rule, and returns what is wrong with the others: node, problem.
    fn split(graph: &'g Graph, nodes: &[TermId], rules: &'g Rules) -> Result<(Self, Vec<(TermId, String)>)> {
        let descriptions = description::split(graph, nodes)?;
        let terms = Terms::of(graph);
        let known: HashSet<TermId> = nodes.iter().copied().collect();
        let is_obsel = |id: TermId| known.contains(&id);
        let mut order = Vec::with_capacity(nodes.len());
        let mut problems = Vec::new();
        for (i, description) in descriptions.obsels.iter().enumerate() {
            match completion::complete(graph, description, &terms, rules, &is_obsel) {
                Ok(times) => order.push((i, times)),
                Err(found) => problems.extend(found.into_iter().map(|problem| (description.node, problem))),
            }
        }
        order.sort_by_cached_key(|(i, _)| completion::rank(graph, &descriptions.obsels[*i], &terms));
        let batch = Self {
            graph,
            descriptions,
            terms,
            rules,
            order,
        };
        Ok((batch, problems))
    }

    /// Checks that all the triples describe obsels, but for those by which the collection hangs on its trace.
    fn check_nothing_else(&self) -> Result<()> {
        let collection = format!("{}@obsels", self.rules.trace);
        let mut problems = Vec::new();
        for triple in &self.descriptions.rest {
            let [s, p, o] = triple.map(|id| self.graph.term(id));
            let iri = |term| as_iri(term).unwrap_or("");
            let is_structural =
                (iri(s) == collection && iri(p) == crate::vocab::rdf::TYPE && iri(o) == ktbs::STORED_TRACE_OBSELS)
                    || (iri(s) == self.rules.trace && iri(p) == ktbs::HAS_OBSEL_COLLECTION && iri(o) == collection);
            if !is_structural {
                problems.push(format!(
                    "The triple {} {} {} is about no obsel of the trace",
                    check::shown(s),
                    check::shown(p),
                    check::shown(o)
                ));
            }
        }
        check::refuse("check_new_graph", problems)
    }

    /// Adds the obsels and renews the tags of the trace; returns the IRIs of the obsels.
    fn add(&self, change: &mut Change<'_>, entry: &Entry, settings: &Settings) -> Result<Vec<String>> {
        let number = entry.head.trace.ok_or(Error::NotFound)?;
        let ids = self.identifiers(change, number, settings)?;
        let range = trace::pseudo_monotonicity_range(&entry.graph, &self.rules.trace);
        let mut monotonicity = Monotonicity::new(change.last_place(number)?, range);
        let mut recorder = Recorder::new(self.graph, &self.descriptions, &self.terms, self.rules, &ids)?;
        let mut iris = Vec::with_capacity(self.order.len());
        for (i, times) in &self.order {
            let mut obsel = recorder.obsel(change, *i, *times)?;
            if times.is_numbered {
                let next = next_number(change, number)?;
                (obsel.begin, obsel.end) = (next, next);
            }
            relations::drop_known(change, number, &mut obsel)?;
            let related = relations::related(change, number, &obsel)?;
            change.add_obsel(number, &obsel)?;
            let place = Place {
                end: obsel.end,
                begin: obsel.begin,
                id: obsel.id.to_owned(),
            };
            monotonicity.add(place, &related);
            iris.push(format!("{}{}", self.rules.trace, obsel.id));
        }
        let tag = change.new_tag();
        let record = change.record(number)?;
        let verdict = monotonicity.verdict;
        record.tags = Tags {
            main: tag,
            strict: if verdict.strict { record.tags.strict } else { tag },
            pseudo: if verdict.pseudo { record.tags.pseudo } else { tag },
            logical: record.tags.logical,
        };
        Ok(iris)
    }

    /// Returns the identifier of each description: that of its IRI, or a minted one.
    fn identifiers(&self, change: &Change<'_>, number: TraceNumber, settings: &Settings) -> Result<Vec<String>> {
        let most = settings.id_bytes.min(ID_BYTES);
        let mut taken: HashSet<String> = HashSet::new();
        let mut problems = Vec::new();
        let mut ids = Vec::with_capacity(self.descriptions.obsels.len());
        for description in &self.descriptions.obsels {
            let id = match as_iri(self.graph.term(description.node)) {
                Some(iri) => {
                    let id = iri.strip_prefix(self.rules.trace.as_str()).unwrap_or(iri).to_owned();
                    if change.has_obsel(number, &id)? {
                        problems.push(format!("URI already in use <{iri}>"));
                    }
                    id
                }
                None => {
                    let slug = self.label(description).map_or(BARE_NAME.to_owned(), mint::slug);
                    mint::mint(&slug, mint::Bare::Never, most, |id| {
                        Ok(taken.contains(id) || change.has_obsel(number, id)?)
                    })?
                }
            };
            taken.insert(id.clone());
            ids.push(id);
        }
        check::refuse("check_posted_graph", problems)?;
        Ok(ids)
    }

    /// Returns the label from which the name of an obsel is minted, if it has one.
    pub(super) fn label(&self, description: &Description) -> Option<&'g str> {
        debug_assert!(is_blank(self.graph.term(description.node)));
        let label = self.graph.iri_id(skos::PREF_LABEL)?;
        let mut labels = description.own.iter().filter(|[_, p, _]| *p == label);
        labels
            .find_map(|[.., o]| as_literal(self.graph.term(*o)))
            .filter(|label| !label.is_empty())
    }
}
