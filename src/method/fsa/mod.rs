//! Fsa: the matches of a finite state automaton in a trace (kTBS documentation, "fsa").
//!
//! * [`automaton`], [`states`], [`history`], [`engine`]: the language of automata and how they run. They know no trace.
//! * [`condition`], [`pattern`], [`feeding`]: what conditions ask of obsels. [`attributes`], [`output`]: how matches become obsels.
//! * [`tokens`]: what is kept of an automaton that runs, from one computation to the next.
//!
//! The automaton goes on from where it stopped. So that obsels that come a little late do not make it start again, its
//! tokens are also kept as they were a pseudo-monotonicity range before the end: what it found since is then found anew.

mod attributes;
mod automaton;
mod condition;
mod engine;
mod feeding;
mod history;
mod output;
mod pattern;
mod states;
#[cfg(test)]
mod test;
mod tokens;

use std::collections::BTreeSet;
use std::hash::Hash;
use std::ops::Bound;
use std::rc::Rc;

use super::params::{Parameters, listed};
use super::progress::{News, Progress, first_place, for_each_typed};
use super::{Computed, Description, Inputs, Method, Plan, Sink, Source, Stop, source};
use crate::rdf::{self, Term};
use crate::store::codec::{Input, put_int, put_text, put_uint};
use crate::store::{Bounds, StoreError};
use crate::vocab::ktbs;
use automaton::Automaton;
use condition::{Condition, Conditions};
use feeding::Feeding;
use output::{Form, Output};
use tokens::Tokens;

/// The longest list of tokens that is put in the description of a trace, in bytes.
const EXPOSED_BYTES: usize = 64 * 1024;
/// The property of a trace whose value is the list of its tokens.
const TOKENS: &str = "tag:tweak.liris.cnrs.fr.2016.03.21.fsa4streams:tokens";

pub(super) static METHOD: Method = Method {
    iri: ktbs::FSA,
    description_title: "compute_trace_description for <http://liris.cnrs.fr/silex/2009/ktbs#fsa>",
    obsels_title: "compute_obsels for <http://liris.cnrs.fr/silex/2009/ktbs#fsa>",
    dangerous: false,
    steps: None,
    describe: |inputs| prepare(inputs).0,
    compute,
};

/// What was read in the parameters.
struct Prepared<'a> {
    source: &'a Source,
    text: &'a str,
    automaton: Automaton<usize>,
    conditions: Vec<Condition>,
    forms: Vec<Option<Form>>,
    exposes_tokens: bool,
}

impl Prepared<'_> {
    /// Returns all that decides of the result: the text of the automaton, and what was read elsewhere.
    fn plan(&self) -> impl Hash {
        let types = self.conditions.iter().filter_map(|condition| match condition {
            Condition::Types(types) => Some(types),
            _ => None,
        });
        let types: Vec<&Rc<BTreeSet<String>>> = types.collect();
        (self.text, &self.forms, types, self.exposes_tokens)
    }
}

fn prepare<'a>(inputs: &Inputs<'a>) -> (Description, Option<Prepared<'a>>) {
    let mut description = Description::default();
    let source = match source::only(inputs, &format!("<{}>", ktbs::FSA)) {
        Ok(source) => source,
        Err(errors) => {
            description.errors = errors;
            return (description, None);
        }
    };
    let mut parameters = Parameters::new(inputs.parameters);
    source::describe(inputs, source, &mut parameters, &mut description);
    let exposes_tokens = parameters.text("expose_tokens").is_some_and(is_true);
    let prepared = parameters.required("fsa").and_then(|text| {
        let prepared = read(inputs, source, description.model.as_deref(), text, exposes_tokens);
        parameters.legal("fsa", text, prepared.map_err(|problems| listed(&problems)))
    });
    parameters.warn_unused(|_| false, &format!("<{}>", ktbs::FSA));
    (description.errors, description.warnings) = (parameters.errors, parameters.warnings);
    let ready = prepared.filter(|_| description.errors.is_empty());
    (description, ready)
}

fn is_true(text: &str) -> bool {
    !["false", "no", "0"].contains(&text.trim().to_lowercase().as_str())
}

fn read<'a>(
    inputs: &Inputs<'a>,
    source: &'a Source,
    model: Option<&str>,
    text: &'a str,
    exposes_tokens: bool,
) -> Plan<Prepared<'a>> {
    let json = serde_json::from_str(text).map_err(|error| vec![error.to_string()])?;
    let mut conditions = Conditions::new(inputs, source);
    let automaton = automaton::read(&json, &mut conditions)?;
    let model = model.unwrap_or(inputs.target.iri);
    let source_model = source.model.as_deref().unwrap_or(&source.iri);
    let forms = output::forms(&automaton, &json, model, source_model)?;
    Ok(Prepared {
        source,
        text,
        automaton,
        conditions: conditions.list,
        forms,
        exposes_tokens,
    })
}

/// What is kept from one computation to the next.
#[derive(Default)]
struct Kept {
    /// The tokens after the last obsel.
    tokens: Tokens,
    /// The tokens after the last obsel that ends before `horizon`.
    early: Tokens,
    /// A pseudo-monotonicity range before the end of the last obsel.
    horizon: i64,
    /// The ids of the obsels made since `early`, in order.
    recent: Vec<Rc<str>>,
}

impl Kept {
    fn write(&self, state: &mut Vec<u8>) {
        tokens::write(state, &self.tokens);
        tokens::write(state, &self.early);
        put_int(state, self.horizon);
        put_uint(state, self.recent.len() as u64);
        for id in &self.recent {
            put_text(state, id);
        }
    }

    fn read(state: &[u8], states: usize) -> Result<Self, StoreError> {
        let mut input = Input(state);
        let (tokens, early) = (tokens::read(&mut input, states)?, tokens::read(&mut input, states)?);
        let horizon = input.int()?;
        let mut recent = Vec::new();
        for _ in 0..input.uint()? {
            recent.push(input.text()?.into());
        }
        Ok(Self {
            tokens,
            early,
            horizon,
            recent,
        })
    }
}

fn compute(inputs: &Inputs<'_>, state: Option<&[u8]>, sink: &mut dyn Sink) -> Result<Computed, Stop> {
    let prepared = match prepare(inputs) {
        (_, Some(ready)) => ready,
        (description, None) => return Err(description.errors.into()),
    };
    let progress = Progress::now(inputs, &prepared.plan())?;
    // The answer of some patterns may depend on any obsel: nothing can be kept.
    let mut conditions = prepared.conditions.iter();
    let sees_all = conditions.any(|condition| matches!(condition, Condition::Ask(pattern) if !pattern.is_confined()));
    let known = progress.since(inputs, state.filter(|_| !sees_all));
    let known = known.and_then(|(news, rest)| {
        let kept = Kept::read(rest, prepared.automaton.states.len()).ok()?;
        Some((news.into_iter().next()?, kept))
    });
    let (news, kept) = match known {
        Some(known) => known,
        None => {
            sink.clear()?;
            (News::Everything, Kept::default())
        }
    };
    let kept = advance(inputs, &prepared, news, kept, sink)?;
    let mut computed = Computed::default();
    progress.write(&mut computed.state);
    kept.write(&mut computed.state);
    if prepared.exposes_tokens {
        computed.properties.push((TOKENS, exposed(&kept.tokens, &prepared)));
    }
    Ok(computed)
}

/// Feeds the automaton with what is new, and returns what to keep.
fn advance(
    inputs: &Inputs<'_>,
    prepared: &Prepared<'_>,
    news: News,
    mut kept: Kept,
    sink: &mut dyn Sink,
) -> Result<Kept, Stop> {
    let source = prepared.source;
    let Some(last) = inputs
        .reading
        .last_place(source.trace)?
        .filter(|_| news != News::Nothing)
    else {
        return Ok(kept);
    };
    let horizon = last.end.saturating_sub(source.pseudo_range);
    let mut feeding = Feeding::new(inputs, prepared.source, &prepared.automaton, &prepared.conditions)?;
    let mut again = Vec::new();
    let lower = match &news {
        News::Since(_) => {
            kept.tokens = kept.early.clone();
            again = std::mem::take(&mut kept.recent);
            Bound::Included(first_place(kept.horizon))
        }
        news => news.bounds().map_or(Bound::Unbounded, |bounds| bounds.lower),
    };
    // Whether the early tokens are met on the way to the end, or are behind what was read already.
    let mut passes_horizon = match &news {
        News::After(Some(place)) => place.end < horizon,
        _ => true,
    };
    if !passes_horizon && horizon > kept.horizon {
        let between = Bounds {
            lower: Bound::Included(first_place(kept.horizon)),
            upper: Bound::Excluded(first_place(horizon)),
        };
        let mut made = 0;
        for_each_typed(inputs, source, &between, &mut |obsel| {
            let found = feeding.feed(&mut kept.early, obsel)?;
            made += found.filter(|found| prepared.forms[found.state].is_some()).count();
            Ok(())
        })?;
        kept.recent.drain(..made.min(kept.recent.len()));
        kept.horizon = horizon;
    }
    let is_kept = news != News::Everything;
    let mut output = Output::new(inputs, source, &prepared.forms, is_kept, &again, sink)?;
    let rest = Bounds {
        lower,
        upper: Bound::Unbounded,
    };
    for_each_typed(inputs, source, &rest, &mut |obsel| {
        if passes_horizon && obsel.end >= horizon {
            passes_horizon = false;
            (kept.early, kept.horizon) = (kept.tokens.clone(), horizon);
            kept.recent.clear();
        }
        for (rank, found) in feeding.feed(&mut kept.tokens, obsel)?.enumerate() {
            kept.recent.extend(output.put(&found, rank, sink)?);
        }
        Ok(())
    })?;
    for id in again.iter().filter(|id| !output.has_given(id)) {
        sink.remove(id)?;
    }
    Ok(kept)
}

/// Returns the tokens as a literal, or how many there are if it would be too long.
fn exposed(tokens: &Tokens, prepared: &Prepared<'_>) -> Term {
    let remembered = tokens.held.get();
    if remembered < EXPOSED_BYTES / 32 {
        let text = tokens::shown(tokens, &prepared.automaton, &prepared.source.iri);
        if text.len() <= EXPOSED_BYTES {
            return rdf::string(text);
        }
    }
    let clock = tokens.clock;
    let (running, pending) = (tokens.running.len(), tokens.pending.len());
    rdf::string(serde_json::json!({"clock": clock, "running": running, "pending": pending}).to_string())
}
