//! The tokens of an automaton as bytes, from one computation to the next, and as JSON, to be looked at.

use std::collections::HashMap;
use std::rc::Rc;

use serde_json::{Map, Value, json};

use super::automaton::Automaton;
use super::engine::{Pending, Run, Token};
use super::history::History;
use super::states::States;
use crate::obsel::Obsel;
use crate::store::codec::{Input, damaged, put_int, put_text, put_uint};
use crate::store::{Result, StoreError};

/// An obsel of the source, to an automaton.
#[derive(Clone, Debug)]
pub struct Event {
    /// Its id.
    pub id: Rc<str>,
    /// Its begin and its end. Those of the last computations are looked up when they are wanted.
    pub times: Option<(i64, i64)>,
}

impl Event {
    /// Returns the event that an obsel is.
    pub fn of(obsel: &Obsel<'_>) -> Self {
        Self {
            id: obsel.id.into(),
            times: Some((obsel.begin, obsel.end)),
        }
    }
}

/// The tokens of a trace.
pub type Tokens = Run<Event>;

/// Appends tokens. What histories have in common is written once.
pub fn write(out: &mut Vec<u8>, tokens: &Tokens) {
    let mut nodes = Vec::new();
    let mut ranks = HashMap::new();
    let pending = tokens.pending.values().map(|pending| &pending.token);
    for token in tokens.running.iter().chain(pending) {
        let new = token
            .history
            .backwards()
            .take_while(|node| !ranks.contains_key(&node.address()));
        let new: Vec<&History<Event>> = new.collect();
        for node in new.into_iter().rev() {
            ranks.insert(node.address(), nodes.len() as u64 + 1);
            nodes.push(node);
        }
    }
    put_uint(out, nodes.len() as u64);
    for node in &nodes {
        let previous = node.previous().and_then(|previous| ranks.get(&previous.address()));
        put_uint(out, previous.copied().unwrap_or(0));
        put_text(out, &node.last().id);
    }
    put_uint(out, u64::from(tokens.clock.is_some()));
    put_int(out, tokens.clock.unwrap_or(0));
    put_uint(out, tokens.next);
    put_uint(out, tokens.running.len() as u64);
    for token in &tokens.running {
        put_token(out, token, &ranks);
    }
    put_uint(out, tokens.pending.len() as u64);
    for (number, pending) in &tokens.pending {
        put_uint(out, *number);
        put_uint(out, pending.inhibitors as u64);
        put_token(out, &pending.token, &ranks);
    }
}

fn put_token(out: &mut Vec<u8>, token: &Token<Event>, ranks: &HashMap<usize, u64>) {
    put_uint(out, token.state as u64);
    put_int(out, token.created);
    put_int(out, token.updated);
    put_uint(out, token.noise_state);
    put_uint(out, token.noise_total);
    put_uint(out, ranks.get(&token.history.address()).copied().unwrap_or(0));
    put_uint(out, token.left.len() as u64);
    for state in token.left.iter() {
        put_uint(out, state as u64);
    }
    put_uint(out, token.inhibits.map_or(0, |number| number + 1));
}

/// Reads what [`write()`] wrote, for an automaton of so many states.
///
/// # Errors
/// `Damaged`.
pub fn read(input: &mut Input<'_>, states: usize) -> Result<Tokens> {
    let mut tokens = Tokens::default();
    let mut nodes: Vec<History<Event>> = Vec::new();
    for _ in 0..input.uint()? {
        let previous = match size(input)?.checked_sub(1) {
            None => None,
            Some(rank) => Some(nodes.get(rank).ok_or_else(damaged)?.clone()),
        };
        let event = Event {
            id: input.text()?.into(),
            times: None,
        };
        nodes.push(History::new(previous, event, &tokens.held));
    }
    let has_clock = input.uint()? != 0;
    tokens.clock = Some(input.int()?).filter(|_| has_clock);
    tokens.next = input.uint()?;
    for _ in 0..input.uint()? {
        tokens.running.push(token(input, &nodes, states)?);
    }
    for _ in 0..input.uint()? {
        let number = input.uint()?;
        let inhibitors = size(input)?;
        let token = token(input, &nodes, states)?;
        tokens.pending.insert(number, Pending { token, inhibitors });
    }
    Ok(tokens)
}

fn token(input: &mut Input<'_>, nodes: &[History<Event>], states: usize) -> Result<Token<Event>> {
    let state = |input: &mut Input<'_>| -> Result<usize> {
        Some(size(input)?).filter(|state| *state < states).ok_or_else(damaged)
    };
    Ok(Token {
        state: state(input)?,
        created: input.int()?,
        updated: input.int()?,
        noise_state: input.uint()?,
        noise_total: input.uint()?,
        history: (size(input)?.checked_sub(1))
            .and_then(|rank| nodes.get(rank))
            .ok_or_else(damaged)?
            .clone(),
        left: {
            let mut left = States::default();
            for _ in 0..input.uint()? {
                left.insert(state(input)?);
            }
            left
        },
        inhibits: input.uint()?.checked_sub(1),
    })
}

fn size(input: &mut Input<'_>) -> Result<usize, StoreError> {
    input.uint()?.try_into().map_err(|_| damaged())
}

/// Returns tokens as JSON, for a person who looks for what an automaton does. `iri` is that of the source.
pub fn shown<C>(tokens: &Tokens, automaton: &Automaton<C>, iri: &str) -> String {
    let running = tokens.running.iter().enumerate();
    let running: Map<String, Value> = running
        .map(|(rank, token)| (format!("r{rank}"), shown_token(token, automaton, iri)))
        .collect();
    let pending: Map<String, Value> = (tokens.pending.iter())
        .map(|(number, pending)| (format!("p{number}"), shown_token(&pending.token, automaton, iri)))
        .collect();
    spaced(&json!({"clock": tokens.clock, "running": running, "pending": pending}))
}

/// Writes JSON with a space after each comma and colon, as the Python kTBS does, so that the literal is the same.
fn spaced(json: &Value) -> String {
    match json {
        Value::Object(members) => {
            let members: Vec<String> = members
                .iter()
                .map(|(name, value)| format!("{}: {}", Value::from(name.as_str()), spaced(value)))
                .collect();
            format!("{{{}}}", members.join(", "))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(spaced).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}

fn shown_token<C>(token: &Token<Event>, automaton: &Automaton<C>, iri: &str) -> Value {
    let events = token.history.events();
    let events: Vec<String> = events.iter().map(|event| format!("{iri}{}", event.id)).collect();
    let left: Vec<&str> = token
        .left
        .iter()
        .map(|state| automaton.states[state].id.as_str())
        .collect();
    let mut shown = json!({
        "state": automaton.states[token.state].id,
        "created": token.created,
        "updated": token.updated,
        "noise_state": token.noise_state,
        "noise_total": token.noise_total,
        "history_events": events,
        "history_states": left,
    });
    if let Some(number) = token.inhibits {
        shown["inhibits"] = json!(format!("p{number}"));
    }
    shown
}
