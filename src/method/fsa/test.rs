//! What the language of automata promises, told as streams of letters.

use serde_json::{Value, json};

use super::automaton::test::Letters;
use super::automaton::{Automaton, read};
use super::engine::{Bounds, Events, Excess, Run};
use super::history::History;

/// Events such as `a1`: a letter, a time.
struct Stream<'a>(&'a str);

impl Events for Stream<'_> {
    type Event = String;
    type Condition = String;
    type Error = Excess;

    fn event(&self) -> String {
        self.0.to_owned()
    }

    fn satisfies(&mut self, condition: &String, _: Option<&History<String>>) -> Result<bool, Excess> {
        Ok(self.0.starts_with(condition.as_str()))
    }

    fn work(&mut self) -> Result<(), Excess> {
        Ok(())
    }
}

const BOUNDS: Bounds = Bounds {
    tokens: 100,
    events: 1000,
};

/// Returns the matches, each as `state:events@event at which it comes out`, or what made the automaton stop.
fn run(automaton: &Automaton<String>, events: &str, bounds: Bounds) -> Result<Vec<String>, Excess> {
    let mut tokens = Run::default();
    let mut found = Vec::new();
    for event in events.split(' ') {
        let time = event[1..].parse().expect("a time");
        let mut matches = Vec::new();
        tokens.feed(automaton, &mut Stream(event), time, bounds, &mut matches)?;
        for token in matches {
            let state = &automaton.states[token.state].id;
            found.push(format!("{state}:{}@{event}", token.history.events().join(" ")));
        }
    }
    Ok(found)
}

/// Returns an automaton from transitions such as `start a s1`, in which `!` after the condition makes it silent, and `*` is
/// the default transition. States whose name starts with `T` are terminal. Options are put over it: names of states, with
/// what they say, or members of the automaton.
fn automaton(transitions: &[&str], options: &Value) -> Automaton<String> {
    let mut automaton = json!({"states": {}});
    let states = automaton["states"].as_object_mut().expect("it was just made");
    for transition in transitions {
        let [from, condition, to] = transition.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{transition} has three parts");
        };
        for state in [from, to] {
            let new = || json!({"terminal": state.starts_with('T'), "transitions": []});
            states.entry(state).or_insert_with(new);
        }
        let (condition, silent) = match condition.strip_suffix('!') {
            Some(condition) => (condition, true),
            None => (condition, false),
        };
        if condition == "*" {
            states[from]["default_transition"] = json!({"target": to, "silent": silent});
        } else {
            let list = states[from]["transitions"].as_array_mut().expect("it is a list");
            list.push(json!({"condition": condition, "target": to, "silent": silent}));
        }
    }
    let mut others = Vec::new();
    for (name, option) in options.as_object().into_iter().flatten() {
        match states.get_mut(name) {
            Some(state) => {
                for (name, value) in option.as_object().into_iter().flatten() {
                    state[name] = value.clone();
                }
            }
            None => others.push((name, option)),
        }
    }
    for (name, option) in others {
        automaton[name] = option.clone();
    }
    read(&automaton, &mut Letters).expect("a legal automaton")
}

#[track_caller]
fn check(transitions: &[&str], cases: &[(&str, Value, &[&str])]) {
    for (events, options, expected) in cases {
        let found = run(&automaton(transitions, options), events, BOUNDS).expect("few tokens");
        assert_eq!(found, *expected, "{events} {options}");
    }
}

#[test]
fn a_then_b() {
    check(
        &["start a s1", "s1 b Tend"],
        &[
            ("a1 b2", json!({}), &["Tend:a1 b2@b2"]),
            ("a1 a2 b3", json!({}), &["Tend:a2 b3@b3"]),
            ("a1 x2 b3", json!({}), &[]),
            ("a1 x2 b3", json!({"s1": {"max_noise": 1}}), &["Tend:a1 b3@b3"]),
            ("a1 x2 x3 b4", json!({"s1": {"max_noise": 1}}), &[]),
            ("a1 a2 b3", json!({"s1": {"max_noise": 1}}), &["Tend:a1 b3@b3"]),
            (
                "a1 a2 b3",
                json!({"s1": {"max_noise": 1}, "allow_overlap": true}),
                &["Tend:a1 b3@b3", "Tend:a2 b3@b3"],
            ),
            (
                "a1 x2 x3 b4",
                json!({"s1": {"max_noise": 5, "max_total_noise": 1}}),
                &[],
            ),
            (
                "a1 x2 b3",
                json!({"state_defaults": {"max_noise": 1}}),
                &["Tend:a1 b3@b3"],
            ),
            ("a1 b1 a1 b2", json!({}), &["Tend:a1 b1@b1", "Tend:a1 b2@b2"]),
        ],
    );
}

#[test]
fn the_longest_match_waits_for_what_ends_it() {
    check(
        &["start a Ts", "Ts a Ts"],
        &[
            ("a1 a2 a3", json!({}), &[]),
            ("a1 a2 a3 b4", json!({}), &["Ts:a1 a2 a3@b4"]),
            ("a1 a2 a3 b4", json!({"allow_overlap": true}), &["Ts:a1 a2 a3@b4"]),
            ("a1 x2 a3 x4 x5 a6", json!({"Ts": {"max_noise": 1}}), &["Ts:a1 a3@x5"]),
        ],
    );
}

#[test]
fn a_shorter_match_is_freed() {
    check(
        &["start a Ts1", "Ts1 b s2", "s2 c Ts3"],
        &[
            ("a1 b2 c3", json!({}), &["Ts3:a1 b2 c3@c3"]),
            ("a1 b2 x3", json!({}), &["Ts1:a1@x3"]),
            ("a1 x2", json!({}), &["Ts1:a1@x2"]),
            ("a1 a2 b3 c4", json!({}), &["Ts1:a1@a2", "Ts3:a2 b3 c4@c4"]),
            ("a1 b2 a3 b4", json!({}), &["Ts1:a1@a3"]),
        ],
    );
}

#[test]
fn branches_are_followed_together() {
    check(
        &["start a s1", "start a s2", "s1 b Tx", "s2 b Ty"],
        &[
            ("a1 b2", json!({}), &["Ty:a1 b2@b2"]),
            ("a1 b2", json!({"allow_overlap": true}), &["Ty:a1 b2@b2", "Tx:a1 b2@b2"]),
        ],
    );
    check(
        &["start a T1", "start a s2", "s2 b T2"],
        &[
            ("a1 b2", json!({}), &["T2:a1 b2@b2"]),
            ("a1 x2", json!({}), &["T1:a1@x2"]),
            ("a1 b2", json!({"allow_overlap": true}), &["T2:a1 b2@b2", "T1:a1@b2"]),
        ],
    );
}

#[test]
fn default_transitions_are_for_what_nothing_else_takes() {
    check(
        &["start a s1", "s1 b Tend", "s1 * s1"],
        &[
            ("a1 x2 y3 b4", json!({}), &["Tend:a1 x2 y3 b4@b4"]),
            ("a1 a2 b3", json!({}), &["Tend:a1 a2 b3@b3"]),
            ("a1 a2 b3", json!({"allow_overlap": true}), &["Tend:a1 a2 b3@b3"]),
        ],
    );
    check(
        &["start a s1", "s1 b Tend", "s1 *! s1"],
        &[("a1 x2 y3 b4", json!({}), &["Tend:a1 b4@b4"])],
    );
}

#[test]
fn silent_transitions_leave_no_event_but_the_first() {
    check(&["start a! s1", "s1 b! Tend"], &[("a1 b2", json!({}), &["Tend:a1@b2"])]);
}

#[test]
fn durations_are_limits_included() {
    let of_s1 = |name: &str| json!({"s1": {name: 5}});
    check(
        &["start a s1", "s1 a s1", "s1 b Tend"],
        &[
            ("a0 b5", of_s1("max_duration"), &["Tend:a0 b5@b5"]),
            ("a0 b6", of_s1("max_duration"), &[]),
            ("a0 a4 b9", of_s1("max_duration"), &["Tend:a0 a4 b9@b9"]),
            ("a0 a6 b9", of_s1("max_duration"), &["Tend:a6 b9@b9"]),
            ("a0 a4 b5", of_s1("max_total_duration"), &["Tend:a0 a4 b5@b5"]),
            ("a0 a4 b6", of_s1("max_total_duration"), &[]),
            ("a0 b6", json!({"Tend": {"max_total_duration": 5}}), &[]),
            ("a0 b5", json!({"Tend": {"max_total_duration": 5}}), &["Tend:a0 b5@b5"]),
            ("a-9223372036854775808 b9223372036854775807", of_s1("max_duration"), &[]),
        ],
    );
}

#[test]
fn a_token_that_goes_beyond_two_limits_ends_once() {
    check(
        &["start a s1", "s1 b Tend"],
        &[(
            "a0 x1 b5 a6 b7",
            json!({"s1": {"max_noise": 1}, "Tend": {"max_total_noise": 0, "max_total_duration": 1}}),
            &["Tend:a6 b7@b7"],
        )],
    );
    check(
        &["start a Ts1", "Ts1 b s2", "s2 c Ts3"],
        &[(
            "a1 x2 b9",
            json!({"Ts1": {"max_noise": 5}, "s2": {"max_total_noise": 0, "max_total_duration": 1}}),
            &["Ts1:a1@b9"],
        )],
    );
}

#[test]
fn a_token_may_come_back_to_the_start() {
    check(
        &["start a start", "start b Tend"],
        &[
            ("a1 a2 b3", json!({}), &["Tend:a1 a2 b3@b3"]),
            ("a1 a2 x3 b4", json!({}), &["Tend:b4@b4"]),
            ("b1", json!({}), &["Tend:b1@b1"]),
        ],
    );
}

#[test]
fn tokens_that_multiply_are_stopped() {
    let doubling = automaton(
        &["start a s1", "s1 a s1", "s1 a s1", "s1 a s2", "s2 b Tend"],
        &json!({"allow_overlap": true}),
    );
    let events: Vec<String> = (0..100).map(|time| format!("a{time}")).collect();
    assert_eq!(run(&doubling, &events.join(" "), BOUNDS), Err(Excess::Tokens(100)));
}

#[test]
fn histories_that_grow_are_stopped() {
    let growing = automaton(&["start a s1", "s1 a s1", "s1 b Tend"], &json!({}));
    let events: Vec<String> = (0..1001).map(|time| format!("a{time}")).collect();
    assert_eq!(run(&growing, &events.join(" "), BOUNDS), Err(Excess::Events(1000)));
}
