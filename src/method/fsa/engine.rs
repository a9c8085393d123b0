//! How an automaton runs over a stream of events (fsa4streams; kTBS documentation, "fsa").
//!
//! Several tokens move from state to state at once, since an event may start a match while others are under way. A token
//! in a terminal state that may still go on is a match only if it leads to nothing better: a copy of it is kept back,
//! *pending*, which the token that goes on *inhibits*. The end of the stream is never told, so that what comes out depends
//! on the events only, and not on how many are known when one looks.

use std::collections::BTreeMap;

use hashbrown::HashMap;
use smallvec::SmallVec;

use super::automaton::{Automaton, Default as DefaultTransition, State};
use super::history::{Count, History};
use super::states::States;

/// The events, to an automaton: what it asks about them.
pub trait Events {
    /// What stands for an event in a history.
    type Event: Clone;
    /// What conditions are.
    type Condition;
    /// Why the answer may be missing.
    type Error: From<Excess>;

    /// Returns what stands for the current event.
    fn event(&self) -> Self::Event;

    /// Tells whether the current event satisfies a condition. `history` is that of the token that asks, or `None` where a
    /// new one would be made.
    ///
    /// # Errors
    /// The implementation's own.
    fn satisfies(
        &mut self,
        condition: &Self::Condition,
        history: Option<&History<Self::Event>>,
    ) -> Result<bool, Self::Error>;

    /// Is called for each unit of work that asks nothing.
    ///
    /// # Errors
    /// The implementation's own, to stop the automaton.
    fn work(&mut self) -> Result<(), Self::Error>;
}

/// What an automaton may hold in memory.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// How many tokens, running or pending.
    pub tokens: usize,
    /// How many events, in the histories of tokens.
    pub events: usize,
}

/// An automaton would hold more than it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Excess {
    /// More tokens than this.
    Tokens(usize),
    /// More events than this.
    Events(usize),
}

/// A match under way.
#[derive(Clone, Debug)]
pub struct Token<E> {
    /// The index of its state.
    pub state: usize,
    /// When it was made.
    pub created: i64,
    /// When it moved last.
    pub updated: i64,
    /// How many events were noise since it is in its state.
    pub noise_state: u64,
    /// How many events were noise since it was made.
    pub noise_total: u64,
    /// The events that moved it, but those of silent transitions.
    pub history: History<E>,
    /// The states that it left, by transitions that were not silent.
    pub left: States,
    /// The number of the pending token that is dropped if this one matches in its stead. It may be gone already.
    pub inhibits: Option<u64>,
}

/// A possible match that is kept back.
#[derive(Clone, Debug)]
pub struct Pending<E> {
    /// The token as it was.
    pub token: Token<E>,
    /// How many running tokens inhibit it.
    pub inhibitors: usize,
}

/// What an automaton found.
#[derive(Clone, Debug)]
pub struct Match<E> {
    /// The index of the terminal state.
    pub state: usize,
    /// The events.
    pub history: History<E>,
    created: i64,
    updated: i64,
}

impl<E> Match<E> {
    fn of(token: &Token<E>) -> Self {
        Self {
            state: token.state,
            history: token.history.clone(),
            created: token.created,
            updated: token.updated,
        }
    }
}

/// An automaton that runs: its tokens, between two events.
#[derive(Clone, Debug)]
pub struct Run<E> {
    /// When the last event happened.
    pub clock: Option<i64>,
    /// In the order of their creation.
    pub running: Vec<Token<E>>,
    /// By number, in the order in which they were kept back.
    pub pending: BTreeMap<u64, Pending<E>>,
    /// The number of the next pending token.
    pub next: u64,
    /// How many events the tokens hold.
    pub held: Count,
}

impl<E> Default for Run<E> {
    fn default() -> Self {
        let (clock, running, pending, next, held) = Default::default();
        Self {
            clock,
            running,
            pending,
            next,
            held,
        }
    }
}

impl<E: Clone> Run<E> {
    /// Takes one event into account, and appends the matches that come out to a list that is empty, in order.
    ///
    /// # Errors
    /// Those of `events`, and of the bounds; the tokens are then worth nothing any more.
    pub fn feed<W: Events<Event = E>>(
        &mut self,
        automaton: &Automaton<W::Condition>,
        events: &mut W,
        time: i64,
        bounds: Bounds,
        matches: &mut Vec<Match<E>>,
    ) -> Result<(), W::Error> {
        // Neither this nor the way back allocates: a token has room for the mark of one that is gone.
        let mut running = std::mem::take(&mut self.running).into_iter().map(Some).collect();
        let mut step = Step {
            automaton,
            time,
            bounds,
            running: &mut running,
            run: self,
            grown: Grown::default(),
            matches,
        };
        step.take(events)?;
        #[expect(
            clippy::filter_map_identity,
            reason = "unlike `flatten`, it leaves the tokens where they are"
        )]
        let running = running.into_iter().filter_map(std::convert::identity).collect();
        self.running = running;
        self.clock = Some(time);
        if !automaton.allow_overlap {
            self.keep_best(matches);
        }
        Ok(())
    }

    /// Keeps one match, and drops the tokens that overlap any.
    fn keep_best(&mut self, matches: &mut Vec<Match<E>>) {
        let Some(last) = matches.iter().map(|found| found.updated).max() else {
            return;
        };
        // The tokens that inhibit a pending one were created when it was, so that no count of inhibitors is wrong after it.
        self.running.retain(|token| token.created > last);
        self.pending.retain(|_, pending| pending.token.created > last);
        // The first of the minima.
        if let Some(best) = (0..matches.len()).min_by_key(|index| matches[*index].created) {
            matches.swap(0, best);
            matches.truncate(1);
        }
    }
}

/// Indices of states, or of tokens. Most automata have few tokens at once.
type Indices = SmallVec<[usize; 4]>;

/// One event being taken into account.
struct Step<'r, C, E> {
    automaton: &'r Automaton<C>,
    time: i64,
    bounds: Bounds,
    run: &'r mut Run<E>,
    /// The running tokens; `None` in place of those that are gone.
    running: &'r mut Vec<Option<Token<E>>>,
    grown: Grown<E>,
    matches: &'r mut Vec<Match<E>>,
}

/// What histories became with the event, by the addresses of what they were. Most events make no more than one grow.
struct Grown<E> {
    first: Option<(usize, History<E>)>,
    others: HashMap<usize, History<E>>,
}

impl<E> Default for Grown<E> {
    fn default() -> Self {
        let (first, others) = Default::default();
        Self { first, others }
    }
}

impl<E: Clone> Grown<E> {
    /// Returns what a history (`None`: one without any event) becomes with the event.
    fn of<W: Events<Event = E>>(
        &mut self,
        history: Option<&History<E>>,
        events: &W,
        held: &Count,
        bounds: Bounds,
    ) -> Result<History<E>, Excess> {
        let address = history.map_or(0, History::address);
        if let Some(grown) = self.get(address) {
            return Ok(grown.clone());
        }
        if held.get() >= bounds.events {
            return Err(Excess::Events(bounds.events));
        }
        let grown = History::new(history.cloned(), events.event(), held);
        self.insert(address, grown.clone());
        Ok(grown)
    }

    fn get(&self, address: usize) -> Option<&History<E>> {
        match &self.first {
            Some((first, grown)) if *first == address => Some(grown),
            Some(_) => self.others.get(&address),
            None => None,
        }
    }

    fn insert(&mut self, address: usize, grown: History<E>) {
        if self.first.is_none() {
            self.first = Some((address, grown));
        } else {
            self.others.insert(address, grown);
        }
    }
}

impl<'r, C, E: Clone> Step<'r, C, E> {
    fn take<W: Events<Event = E, Condition = C>>(&mut self, events: &mut W) -> Result<(), W::Error> {
        let mut may_start = true;
        for index in 0..self.running.len() {
            events.work()?;
            may_start &= self.move_token(index, events)?;
        }
        if may_start {
            self.start(events)?;
        }
        self.match_at_once(events)
    }

    fn state(&self, index: usize) -> &'r State<C> {
        &self.automaton.states[index]
    }

    /// Moves a token, or counts the event as noise. Returns whether new tokens may be made beside it.
    fn move_token<W: Events<Event = E, Condition = C>>(
        &mut self,
        index: usize,
        events: &mut W,
    ) -> Result<bool, W::Error> {
        let Some(token) = &mut self.running[index] else {
            return Ok(true);
        };
        let from = token.state;
        let state = &self.automaton.states[from];
        let time = self.time;
        let exceeds = |limit: Option<i64>, since: i64| limit.is_some_and(|limit| time.saturating_sub(since) > limit);
        if exceeds(state.max_total_duration, token.created) || exceeds(state.max_duration, token.updated) {
            self.retire(index);
            return Ok(true);
        }
        let mut candidates = SmallVec::<[(usize, bool); 4]>::new();
        for transition in &state.transitions {
            if events.satisfies(&transition.condition, Some(&token.history))? {
                candidates.push((transition.target, transition.silent));
            }
        }
        if candidates.is_empty()
            && let Some(DefaultTransition { target, silent }) = state.default
        {
            candidates.push((target, silent));
        }
        let Some(((target, silent), others)) = candidates.split_first() else {
            token.noise_state += 1;
            token.noise_total += 1;
            let is_too_noisy = state.max_total_noise.is_some_and(|most| token.noise_total > most);
            if token.noise_state > state.max_noise || is_too_noisy {
                self.retire(index);
            }
            return Ok(true);
        };
        if state.terminal {
            let copy = token.clone();
            let number = self.keep_back(copy, 1);
            self.inhibit(index, number, true);
        }
        self.advance(index, from, (*target, *silent), events)?;
        let Some(moved) = &self.running[index] else {
            return Ok(from != self.automaton.start);
        };
        let state = self.state(*target);
        let is_too_noisy = state.max_total_noise.is_some_and(|most| moved.noise_total > most);
        let is_over = is_too_noisy || exceeds(state.max_total_duration, moved.created);
        if !is_over && others.is_empty() {
            return Ok(from != self.automaton.start);
        }
        let moved = moved.clone();
        if is_over {
            self.running[index] = None;
            self.release(&moved, false);
        }
        for (target, _) in others {
            events.work()?;
            let mut copy = moved.clone();
            copy.state = *target;
            if let Some(pending) = copy.inhibits.and_then(|number| self.run.pending.get_mut(&number)) {
                pending.inhibitors += 1;
            }
            self.add(copy)?;
        }
        Ok(from != self.automaton.start)
    }

    /// Puts a token in another state, with the event in its history unless the transition is silent.
    fn advance<W: Events<Event = E>>(
        &mut self,
        index: usize,
        from: usize,
        (target, silent): (usize, bool),
        events: &W,
    ) -> Result<(), Excess> {
        let Some(token) = &mut self.running[index] else {
            return Ok(());
        };
        token.state = target;
        token.noise_state = 0;
        token.updated = self.time;
        if !silent {
            let held = &self.run.held;
            token.history = self.grown.of(Some(&token.history), events, held, self.bounds)?;
            token.left.insert(from);
        }
        Ok(())
    }

    fn add(&mut self, token: Token<E>) -> Result<(), Excess> {
        self.running.push(Some(token));
        if self.running.len() + self.run.pending.len() > self.bounds.tokens {
            return Err(Excess::Tokens(self.bounds.tokens));
        }
        Ok(())
    }

    /// Makes new tokens, but in states where some have just arrived: they would be redundant.
    fn start<W: Events<Event = E, Condition = C>>(&mut self, events: &mut W) -> Result<(), W::Error> {
        let arrived = self.running.iter().flatten().filter(|token| token.noise_state == 0);
        let mut arrived: Indices = arrived.map(|token| token.state).collect();
        arrived.sort_unstable();
        for transition in &self.state(self.automaton.start).transitions {
            if arrived.binary_search(&transition.target).is_ok() || !events.satisfies(&transition.condition, None)? {
                continue;
            }
            let history = self.grown.of(None, events, &self.run.held, self.bounds)?;
            self.add(Token {
                state: transition.target,
                created: self.time,
                updated: self.time,
                noise_state: 0,
                noise_total: 0,
                history,
                left: States::default(),
                inhibits: None,
            })?;
        }
        Ok(())
    }

    /// Makes matches of the tokens that no event can move any more. One whose events are those of other tokens too is kept
    /// back until the last of them ends.
    fn match_at_once<W: Events<Event = E, Condition = C>>(&mut self, events: &mut W) -> Result<(), W::Error> {
        let states = &self.automaton.states;
        let ends = |token: &Token<E>| {
            let state = &states[token.state];
            state.terminal && state.transitions.is_empty()
        };
        let ending: Indices = (0..self.running.len())
            .filter(|index| self.running[*index].as_ref().is_some_and(ends))
            .collect();
        if ending.is_empty() {
            return Ok(());
        }
        if let [index] = ending[..]
            && self.running.iter().flatten().nth(1).is_none()
        {
            self.retire(index);
            return Ok(());
        }
        let mut same: HashMap<usize, Vec<usize>> = HashMap::new();
        for (index, token) in self.running.iter().enumerate() {
            if let Some(token) = token {
                same.entry(token.history.address()).or_default().push(index);
            }
        }
        for index in ending {
            let Some(token) = &self.running[index] else {
                continue;
            };
            let same = same.get(&token.history.address()).map_or(&[][..], Vec::as_slice);
            let others = same
                .iter()
                .filter(|other| **other != index && self.running[**other].is_some());
            let others: Vec<usize> = others.copied().collect();
            if others.is_empty() {
                self.retire(index);
                continue;
            }
            let Some(token) = self.running[index].take() else {
                continue;
            };
            if let Some(pending) = token.inhibits.and_then(|number| self.run.pending.get_mut(&number)) {
                pending.inhibitors -= 1;
            }
            let (state, left) = (token.state, token.left.clone());
            let number = self.keep_back(token, others.len());
            for other in others {
                events.work()?;
                self.supersede(other, state, &left);
                self.inhibit(other, number, false);
            }
        }
        Ok(())
    }

    /// Keeps a token back, and returns its number.
    fn keep_back(&mut self, token: Token<E>, inhibitors: usize) -> u64 {
        let number = self.run.next;
        self.run.next += 1;
        self.run.pending.insert(number, Pending { token, inhibitors });
        number
    }

    /// Makes a running token inhibit a pending one. What it inhibited before is dropped if `drops`, or else left.
    fn inhibit(&mut self, index: usize, number: u64, drops: bool) {
        if let Some(token) = &mut self.running[index] {
            let before = token.inhibits.replace(number);
            if drops && let Some(before) = before {
                self.run.pending.remove(&before);
            }
        }
    }

    /// Settles what a running token inhibits, before it inhibits a token of that state: dropped if it is a shorter form of
    /// the same match, a match otherwise.
    fn supersede(&mut self, index: usize, state: usize, left: &States) {
        let inhibited = self.running[index].as_ref().and_then(|token| token.inhibits);
        if let Some(pending) = inhibited.and_then(|number| self.run.pending.remove(&number))
            && pending.token.state != state
            && !left.contains(pending.token.state)
        {
            self.matches.push(Match::of(&pending.token));
        }
    }

    /// Ends a token, which is a match if its state is terminal.
    fn retire(&mut self, index: usize) {
        let Some(token) = &self.running[index] else {
            return;
        };
        let matches = self.state(token.state).terminal;
        if matches {
            self.matches.push(Match::of(token));
        }
        if token.inhibits.is_none() {
            self.running[index] = None;
        } else if let Some(token) = self.running[index].take() {
            self.release(&token, matches);
        }
    }

    /// Settles what a token inhibits when it is gone.
    fn release(&mut self, token: &Token<E>, matched: bool) {
        let Some(number) = token.inhibits else {
            return;
        };
        let Some(pending) = self.run.pending.get_mut(&number) else {
            return;
        };
        pending.inhibitors -= 1;
        let state = pending.token.state;
        let is_shorter = matched && (state == token.state || token.left.contains(state));
        if (is_shorter || pending.inhibitors == 0)
            && let Some(pending) = self.run.pending.remove(&number)
            && !is_shorter
        {
            self.matches.push(Match::of(&pending.token));
        }
    }
}
