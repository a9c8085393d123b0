//! The language of automata, from JSON (fsa4streams; kTBS documentation, "fsa").
//!
//! What a condition is, the caller says: the automaton only keeps what the caller made of it.

use std::collections::HashMap;

use serde_json::{Map, Value};

/// The identifier of the state in which tokens start.
pub const START: &str = "start";

/// A finite state automaton over a stream of events.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Automaton<C> {
    /// The states, in the order in which they were given.
    pub states: Vec<State<C>>,
    /// The index of the state in which tokens start.
    pub start: usize,
    /// Whether an event may belong to several matches.
    pub allow_overlap: bool,
}

/// A state of an automaton.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State<C> {
    /// Its identifier.
    pub id: String,
    /// Whether a token that ends here is a match.
    pub terminal: bool,
    /// How many events in a row may be noise to a token in this state.
    pub max_noise: u64,
    /// How many events may be noise to a token since it was created.
    pub max_total_noise: Option<u64>,
    /// How long a token may wait here; at least 1.
    pub max_duration: Option<i64>,
    /// How long a token may live, when it is here; at least 1.
    pub max_total_duration: Option<i64>,
    /// The transitions, in the order in which they are tried.
    pub transitions: Vec<Transition<C>>,
    /// Where an event leads that satisfies no condition.
    pub default: Option<Default>,
}

/// A transition that an event allows if it satisfies a condition.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Transition<C> {
    /// The condition.
    pub condition: C,
    /// The index of the state to which it leads.
    pub target: usize,
    /// Whether the event is left out of the history.
    pub silent: bool,
}

/// The transition for any event that allows no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Default {
    /// The index of the state to which it leads.
    pub target: usize,
    /// Whether the event is left out of the history.
    pub silent: bool,
}

/// What conditions are, and how they are written.
pub trait Matchers {
    /// A condition, as the automaton keeps it.
    type Condition;

    /// The matcher of an automaton that names none.
    const DEFAULT: &'static str;

    /// Tells whether a matcher is known.
    fn knows(&self, matcher: &str) -> bool;

    /// Reads a condition; `None` if it is not given.
    ///
    /// # Errors
    /// A sentence.
    fn condition(&mut self, matcher: &str, json: Option<&Value>) -> Result<Self::Condition, String>;
}

/// Reads an automaton, or lists all that is wrong with it. Members that are not of the language are ignored.
///
/// # Errors
/// One sentence for each problem.
pub fn read<M: Matchers>(json: &Value, matchers: &mut M) -> Result<Automaton<M::Condition>, Vec<String>> {
    let Some(members) = json.as_object() else {
        return Err(vec!["an object is expected".to_owned()]);
    };
    let mut reader = Reader {
        matchers,
        states: HashMap::new(),
        default_matcher: M::DEFAULT.to_owned(),
        problems: Vec::new(),
    };
    let automaton = reader.automaton(members);
    if reader.problems.is_empty() {
        Ok(automaton)
    } else {
        Err(reader.problems)
    }
}

struct Reader<'a, M> {
    matchers: &'a mut M,
    /// The indexes of the states.
    states: HashMap<&'a str, usize>,
    default_matcher: String,
    problems: Vec<String>,
}

impl<'a, M: Matchers> Reader<'a, M> {
    fn automaton(&mut self, members: &'a Map<String, Value>) -> Automaton<M::Condition> {
        let empty = Map::new();
        let states = match members.get("states") {
            Some(Value::Object(states)) => Some(states),
            Some(_) => {
                self.problems.push("\"states\" should be an object".to_owned());
                None
            }
            None => {
                self.problems.push("\"states\" is missing".to_owned());
                None
            }
        };
        self.states = (states.into_iter().flatten().enumerate())
            .map(|(index, (id, _))| (id.as_str(), index))
            .collect();
        if let Some(matcher) = self.text("the automaton", members, "default_matcher") {
            if !self.matchers.knows(matcher) {
                self.problems.push(format!("Unsupported default matcher '{matcher}'"));
            }
            self.default_matcher = matcher.to_owned();
        }
        let allow_overlap = self.boolean("the automaton", members, "allow_overlap");
        let defaults = match members.get("state_defaults") {
            None | Some(Value::Null) => &empty,
            Some(Value::Object(defaults)) => defaults,
            Some(_) => {
                self.problems.push("\"state_defaults\" should be an object".to_owned());
                &empty
            }
        };
        let states: Vec<_> = (states.into_iter().flatten())
            .filter_map(|(id, state)| self.state(id, state, defaults))
            .collect();
        let start = self.states.get(START).copied();
        if start.is_none() {
            self.problems.push("No start state".to_owned());
        }
        if !states.iter().any(|state| state.terminal) {
            self.problems.push("No terminal state".to_owned());
        }
        Automaton {
            states,
            start: start.unwrap_or_default(),
            allow_overlap,
        }
    }

    fn state(&mut self, id: &str, json: &Value, defaults: &Map<String, Value>) -> Option<State<M::Condition>> {
        let place = format!("State '{id}'");
        let Some(own) = json.as_object() else {
            self.problems.push(format!("{place} should be an object"));
            return None;
        };
        let with = |name: &str| if own.contains_key(name) { own } else { defaults };
        let state = State {
            id: id.to_owned(),
            terminal: self.boolean(&place, with("terminal"), "terminal"),
            max_noise: self.number(&place, with("max_noise"), "max_noise").unwrap_or(0),
            max_total_noise: self.number(&place, with("max_total_noise"), "max_total_noise"),
            max_duration: self.duration(&place, with("max_duration"), "max_duration"),
            max_total_duration: self.duration(&place, with("max_total_duration"), "max_total_duration"),
            transitions: self.transitions(&place, own),
            default: self.default(&place, with("default_transition")),
        };
        // One whose target is wrong was meant as one.
        let has_default = is_given(with("default_transition"), "default_transition");
        if has_default && state.max_noise > 0 {
            self.problems.push(format!(
                "State '{id}' can not have both a default transition and max_noise > 0"
            ));
        }
        let has_some = own
            .get("transitions")
            .and_then(Value::as_array)
            .is_some_and(|list| !list.is_empty());
        if !state.terminal && !has_some && !has_default {
            self.problems
                .push(format!("Non-terminal state '{id}' has no transition"));
        }
        Some(state)
    }

    fn transitions(&mut self, place: &str, state: &Map<String, Value>) -> Vec<Transition<M::Condition>> {
        let list = match state.get("transitions") {
            None | Some(Value::Null) => return Vec::new(),
            Some(Value::Array(list)) => list,
            Some(_) => {
                self.problems.push(format!("{place}: \"transitions\" should be a list"));
                return Vec::new();
            }
        };
        let mut transitions = Vec::with_capacity(list.len());
        for (index, json) in list.iter().enumerate() {
            let place = format!("{place}, transition {}", index + 1);
            let Some(members) = json.as_object() else {
                self.problems.push(format!("{place} should be an object"));
                continue;
            };
            let target = self.target(&place, members);
            let silent = self.boolean(&place, members, "silent");
            let condition = self.condition(&place, members);
            if let (Some(condition), Some(target)) = (condition, target) {
                transitions.push(Transition {
                    condition,
                    target,
                    silent,
                });
            }
        }
        transitions
    }

    fn condition(&mut self, place: &str, transition: &Map<String, Value>) -> Option<M::Condition> {
        let matcher = match self.text(place, transition, "matcher") {
            Some(matcher) if !self.matchers.knows(matcher) => {
                self.problems.push(format!("Unsupported matcher '{matcher}'"));
                return None;
            }
            Some(matcher) => matcher,
            // That the default one is not known was told.
            None if !self.matchers.knows(&self.default_matcher) => return None,
            None => &self.default_matcher,
        };
        let condition = self.matchers.condition(matcher, transition.get("condition"));
        condition
            .map_err(|problem| self.problems.push(format!("{place}: {problem}")))
            .ok()
    }

    fn default(&mut self, place: &str, state: &Map<String, Value>) -> Option<Default> {
        let place = format!("{place}, default transition");
        match state.get("default_transition") {
            None | Some(Value::Null) => None,
            Some(Value::Object(members)) => {
                let target = self.target(&place, members);
                let silent = self.boolean(&place, members, "silent");
                target.map(|target| Default { target, silent })
            }
            Some(_) => {
                self.problems.push(format!("{place} should be an object"));
                None
            }
        }
    }

    fn target(&mut self, place: &str, transition: &Map<String, Value>) -> Option<usize> {
        if !is_given(transition, "target") {
            self.problems.push(format!("{place}: \"target\" is missing"));
            return None;
        }
        let id = self.text(place, transition, "target")?;
        let target = self.states.get(id).copied();
        if target.is_none() {
            self.problems.push(format!("Transition to non-existing state '{id}'"));
        }
        target
    }

    fn text<'v>(&mut self, place: &str, members: &'v Map<String, Value>, name: &str) -> Option<&'v str> {
        match members.get(name) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text),
            Some(_) => {
                self.problems.push(format!("{place}: \"{name}\" should be a string"));
                None
            }
        }
    }

    fn boolean(&mut self, place: &str, members: &Map<String, Value>, name: &str) -> bool {
        match members.get(name) {
            None | Some(Value::Null) => false,
            Some(Value::Bool(value)) => *value,
            Some(_) => {
                self.problems
                    .push(format!("{place}: \"{name}\" should be true or false"));
                false
            }
        }
    }

    fn number(&mut self, place: &str, members: &Map<String, Value>, name: &str) -> Option<u64> {
        match members.get(name) {
            None | Some(Value::Null) => None,
            Some(value) => {
                let number = value.as_u64();
                if number.is_none() {
                    let problem = format!("{place}: \"{name}\" should be an integer, 0 or more");
                    self.problems.push(problem);
                }
                number
            }
        }
    }

    /// Returns a duration; 0 is none.
    fn duration(&mut self, place: &str, members: &Map<String, Value>, name: &str) -> Option<i64> {
        let duration = self.number(place, members, name)?;
        Some(i64::try_from(duration).unwrap_or(i64::MAX)).filter(|duration| *duration > 0)
    }
}

fn is_given(members: &Map<String, Value>, name: &str) -> bool {
    members.get(name).is_some_and(|value| !value.is_null())
}

#[cfg(test)]
pub mod test {
    use serde_json::json;

    use super::*;

    /// Conditions are strings, equal to the event that they want.
    pub struct Letters;

    impl Matchers for Letters {
        type Condition = String;
        const DEFAULT: &'static str = "equal";

        fn knows(&self, matcher: &str) -> bool {
            matcher == "equal"
        }

        fn condition(&mut self, _: &str, json: Option<&Value>) -> Result<String, String> {
            let text = json.and_then(Value::as_str);
            text.map(str::to_owned).ok_or_else(|| "a letter is expected".to_owned())
        }
    }

    #[test]
    fn defaults_of_states_apply_to_their_options() {
        let json = json!({
            "allow_overlap": true,
            "state_defaults": {"max_noise": 1, "max_duration": 5, "terminal": null, "transitions": 3},
            "states": {
                "end": {"terminal": true, "max_noise": 0, "max_total_duration": 0, "comment": ["ignored"]},
                "start": {"transitions": [{"condition": "a", "target": "end", "silent": true}], "max_total_noise": 7},
            },
        });
        let automaton = read(&json, &mut Letters).expect("a legal automaton");
        let [end, start] = &automaton.states[..] else {
            panic!("two states");
        };
        assert!(automaton.allow_overlap);
        assert_eq!(automaton.start, 1);
        assert_eq!(
            (end.max_noise, end.max_duration, end.max_total_duration),
            (0, Some(5), None)
        );
        assert_eq!(
            (start.max_noise, start.max_duration, start.max_total_noise),
            (1, Some(5), Some(7))
        );
        assert!(end.terminal && !start.terminal);
        let transition = Transition {
            condition: "a".to_owned(),
            target: 0,
            silent: true,
        };
        assert_eq!(start.transitions, [transition]);
        let json = json!({
            "state_defaults": {"default_transition": {"target": "start"}},
            "states": {"start": {}, "end": {"terminal": true, "default_transition": null}},
        });
        let automaton = read(&json, &mut Letters).expect("a legal automaton");
        let default = Default {
            target: 0,
            silent: false,
        };
        assert_eq!(
            (automaton.states[0].default, automaton.states[1].default),
            (Some(default), None)
        );
    }

    #[test]
    fn all_that_is_wrong_is_told() {
        let end = json!({"terminal": true});
        let to = |target: &str| json!({"transitions": [{"condition": "a", "target": target}]});
        let cases = [
            (json!([]), &["an object is expected"][..]),
            (
                json!({}),
                &["\"states\" is missing", "No start state", "No terminal state"],
            ),
            (
                json!({"states": {"a": {}, "b": to("c")}}),
                &[
                    "Non-terminal state 'a' has no transition",
                    "Transition to non-existing state 'c'",
                    "No start state",
                    "No terminal state",
                ],
            ),
            (
                json!({"states": {"start": {"max_noise": 1, "default_transition": {"target": "end"}}, "end": end}}),
                &["State 'start' can not have both a default transition and max_noise > 0"],
            ),
            (
                json!({"states": {"start": {"default_transition": {"target": "no"}}, "end": end}}),
                &["Transition to non-existing state 'no'"],
            ),
            (
                json!({"states": {"start": {"max_noise": 1, "default_transition": {"target": "no"}}, "end": end}}),
                &[
                    "Transition to non-existing state 'no'",
                    "State 'start' can not have both a default transition and max_noise > 0",
                ],
            ),
            (
                json!({"default_matcher": "x", "states": {"start": to("end"), "end": end}}),
                &["Unsupported default matcher 'x'"],
            ),
            (
                json!({"states": {"end": end, "start": {"transitions": [
                    {"condition": "a", "target": "end", "matcher": "x"}, 3, {"target": "end"}, {"condition": "a"},
                    {"condition": "a", "target": 1, "silent": "no"},
                ]}}}),
                &[
                    "Unsupported matcher 'x'",
                    "State 'start', transition 2 should be an object",
                    "State 'start', transition 3: a letter is expected",
                    "State 'start', transition 4: \"target\" is missing",
                    "State 'start', transition 5: \"target\" should be a string",
                    "State 'start', transition 5: \"silent\" should be true or false",
                ],
            ),
            (
                json!({"allow_overlap": 1, "state_defaults": [], "states": {"start": to("end"), "x": 1, "end": {
                    "terminal": "no", "max_noise": "3", "max_total_noise": -1, "max_duration": 1.5,
                    "max_total_duration": [], "transitions": {}, "default_transition": "start"}}}),
                &[
                    "the automaton: \"allow_overlap\" should be true or false",
                    "\"state_defaults\" should be an object",
                    "State 'x' should be an object",
                    "State 'end': \"terminal\" should be true or false",
                    "State 'end': \"max_noise\" should be an integer, 0 or more",
                    "State 'end': \"max_total_noise\" should be an integer, 0 or more",
                    "State 'end': \"max_duration\" should be an integer, 0 or more",
                    "State 'end': \"max_total_duration\" should be an integer, 0 or more",
                    "State 'end': \"transitions\" should be a list",
                    "State 'end', default transition should be an object",
                    "No terminal state",
                ],
            ),
        ];
        for (json, expected) in cases {
            assert_eq!(
                read(&json, &mut Letters).expect_err("an illegal automaton"),
                expected,
                "{json}"
            );
        }
    }
}
