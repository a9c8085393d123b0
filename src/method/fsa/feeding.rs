//! The obsels of a source, as the events of an automaton.

use std::vec::Drain;

use hashbrown::HashSet;

use super::super::progress::Clock;
use super::super::{Inputs, Source, Stop, query};
use super::automaton::Automaton;
use super::condition::Condition;
use super::engine::{Bounds, Events, Excess, Match};
use super::history::History;
use super::tokens::{Event, Tokens};
use crate::obsel::{Name, Obsel, Value};
use crate::sparql::Dataset;
use crate::store::Reading;

/// How many events the tokens may remember, all together.
const REMEMBERED: usize = 1_000_000;

/// Feeds tokens with obsels.
pub struct Feeding<'a> {
    automaton: &'a Automaton<usize>,
    bounds: Bounds,
    asked: Asked<'a>,
    /// Those that come out with an obsel, kept for their room.
    matches: Vec<Match<Event>>,
}

/// What conditions are asked about.
struct Asked<'a> {
    reading: &'a dyn Reading,
    source: &'a Source,
    conditions: Vec<Condition>,
    /// The types of each condition, those that the dictionary has.
    types: Vec<HashSet<Name>>,
    /// What each condition that depends on the obsel alone answered last, and about which obsel: its rank.
    answers: Vec<(u64, bool)>,
    rank: u64,
    clock: Clock,
    /// All the obsels, for patterns that may see any.
    dataset: Option<Dataset>,
}

impl<'a> Feeding<'a> {
    /// Prepares to feed an automaton that has these conditions.
    ///
    /// # Errors
    /// Those of the store.
    pub fn new(
        inputs: &Inputs<'a>,
        source: &'a Source,
        automaton: &'a Automaton<usize>,
        conditions: &[Condition],
    ) -> Result<Self, Stop> {
        let mut types = Vec::with_capacity(conditions.len());
        let mut sees_all = false;
        for condition in conditions {
            let mut names = HashSet::new();
            match condition {
                Condition::Types(iris) => {
                    for iri in iris.iter() {
                        names.extend(inputs.reading.name_of(iri)?);
                    }
                }
                Condition::Ask(pattern) => sees_all |= !pattern.is_confined(),
                _ => {}
            }
            types.push(names);
        }
        let dataset = if sees_all {
            Some(query::obsels(inputs, source, None)?)
        } else {
            None
        };
        Ok(Self {
            automaton,
            bounds: Bounds {
                tokens: inputs.limits.fsa_tokens,
                events: REMEMBERED,
            },
            asked: Asked {
                reading: inputs.reading,
                source,
                answers: vec![(0, false); conditions.len()],
                conditions: conditions.to_vec(),
                types,
                rank: 0,
                clock: Clock::new(inputs),
                dataset,
            },
            matches: Vec::new(),
        })
    }

    /// Feeds tokens with an obsel, and returns the matches that come out.
    ///
    /// # Errors
    /// Too many tokens, or too many events to remember; those of the store and of queries; the deadline.
    pub fn feed(&mut self, tokens: &mut Tokens, obsel: &Obsel<'_>) -> Result<Drain<'_, Match<Event>>, Stop> {
        self.asked.rank += 1;
        let mut question = Question {
            asked: &mut self.asked,
            obsel,
        };
        let (bounds, matches) = (self.bounds, &mut self.matches);
        tokens.feed(self.automaton, &mut question, obsel.end, bounds, matches)?;
        Ok(self.matches.drain(..))
    }
}

impl From<Excess> for Stop {
    fn from(excess: Excess) -> Self {
        Self::Problems(vec![match excess {
            Excess::Tokens(most) => format!("The automaton needs more than {most} tokens (limit fsa-tokens)"),
            Excess::Events(most) => format!("The tokens of the automaton have to remember more than {most} obsels"),
        }])
    }
}

/// An obsel about which conditions are asked.
struct Question<'q, 'a, 't> {
    asked: &'q mut Asked<'a>,
    obsel: &'q Obsel<'t>,
}

impl Events for Question<'_, '_, '_> {
    type Event = Event;
    type Condition = usize;
    type Error = Stop;

    fn event(&self) -> Event {
        Event::of(self.obsel)
    }

    fn satisfies(&mut self, condition: &usize, history: Option<&History<Event>>) -> Result<bool, Stop> {
        self.work()?;
        if matches!(self.asked.conditions[*condition], Condition::Ask(_)) {
            return self.asked.ask(*condition, self.obsel.id, history);
        }
        let (rank, answer) = self.asked.answers[*condition];
        if rank == self.asked.rank {
            return Ok(answer);
        }
        let answer = self.asked.answer(*condition, self.obsel);
        self.asked.answers[*condition] = (self.asked.rank, answer);
        Ok(answer)
    }

    fn work(&mut self) -> Result<(), Stop> {
        self.asked.clock.tick()
    }
}

impl Asked<'_> {
    /// Answers a condition that depends on the obsel alone.
    fn answer(&self, condition: usize, obsel: &Obsel<'_>) -> bool {
        let iri = || format!("{}{}", self.source.iri, obsel.id);
        match &self.conditions[condition] {
            Condition::Types(_) => {
                let types = &self.types[condition];
                (obsel.types.iter()).any(|value| matches!(value, Value::Named(name) if types.contains(name)))
            }
            Condition::Regexp(regexp) => regexp.is_match(&iri()),
            Condition::Choices(choices) => choices.contains(&iri()),
            Condition::Ask(_) => false,
        }
    }

    /// Answers a pattern.
    fn ask(&mut self, condition: usize, id: &str, history: Option<&History<Event>>) -> Result<bool, Stop> {
        match &mut self.conditions[condition] {
            Condition::Ask(pattern) => {
                let token = history.map(|history| (&*history.last().id, &*history.first().id));
                pattern.holds(self.reading, self.source, id, token, self.dataset.as_ref())
            }
            _ => Ok(false),
        }
    }
}
