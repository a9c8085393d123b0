//! Fsa.

use serde_json::{Value, json};

use super::support::World;
use crate::support::ROOT;

const END: &str = "http://x/md";

/// Adds obsels, each as `id begin end type`, and properties.
fn add(world: &World, obsels: &[(&str, i64, i64, &str, &str)]) {
    for (id, begin, end, kind, properties) in obsels {
        world.obsels(
            "s",
            &format!("<{id}> a m:{kind} ; k:hasTrace <> ; k:hasBegin {begin} ; k:hasEnd {end} ; {properties} ."),
        );
    }
}

fn world() -> World {
    let world = World::new("");
    world.trace("s", "k:hasOrigin \"o\" ;");
    world
}

/// Returns an automaton that wants a type, then another.
fn two(first: &str, second: &str, end: &str) -> Value {
    json!({"states": {
        "start": {"transitions": [{"condition": first, "target": "s1"}]},
        "s1": {"transitions": [{"condition": second, "target": end}]},
        end: {"terminal": true},
    }})
}

#[test]
fn a_match_has_the_times_and_the_attributes_of_its_obsels() {
    let world = world();
    add(
        &world,
        &[
            ("a1", 1, 2, "A", "m:v 10"),
            ("b2", 3, 4, "B", "m:v 2.5"),
            ("x3", 5, 6, "X", ""),
            ("c4", 6, 8, "C", "m:v 7.0"),
        ],
    );
    let mut automaton = two("#A", "#C", "End");
    automaton["states"]["s1"]["max_noise"] = json!(9);
    let functions = ["first", "last", "count", "sum", "avg", "min", "max", "span", "concat"];
    automaton["states"]["End"]["ktbs_attributes"] = functions
        .iter()
        .map(|name| (format!("#{name}"), json!(format!("{name} #v"))))
        .collect();
    let parameters = [("fsa", automaton.to_string()), ("model", format!("{ROOT}b/md"))];
    let parameters: Vec<(&str, &str)> = parameters.iter().map(|(n, v)| (*n, v.as_str())).collect();
    assert_eq!(
        world.compute("fsa", &["s"], &parameters),
        [
            "c4 [1,8] a End ; k:hasSourceObsel s/a1 ; k:hasSourceObsel s/c4 ; md#avg \"8.5E0\"^^xsd:double ; \
          md#concat \"10 7.0\" ; md#count 2 ; md#first 10 ; md#last \"7.0\"^^xsd:decimal ; md#max 10 ; \
          md#min \"7.0\"^^xsd:decimal ; md#span \"3.0\"^^xsd:decimal ; md#sum \"17.0\"^^xsd:decimal"
        ]
    );
}

#[test]
fn each_attribute_is_computed_on_its_own() {
    let world = world();
    add(
        &world,
        &[
            (
                "a",
                1,
                1,
                "A",
                "m:v 1, 2 ; m:w \"x\", \"y\" ; m:rel <../t/o> ; m:bn [ m:z 1 ]",
            ),
            ("b", 2, 2, "B", "m:v 3 ; m:rel <a>"),
        ],
    );
    let mut automaton = two("#A", "#B", "#End");
    automaton["states"]["#End"]["ktbs_attributes"] = json!({
        "#sum": "sum #v", "#count": "count #v", "#w": "count #w", "#none": "last #none", "#zero": "count #none",
        "#rel": "#rel", "#where": "first #rel", "#bn": "#bn", "#same": "count #v",
    });
    assert_eq!(
        world.compute("fsa", &["s"], &[("fsa", &automaton.to_string())]),
        [
            "b [1,2] a m:End ; k:hasSourceObsel s/a ; k:hasSourceObsel s/b ; m:count 3 ; m:rel s/a ; m:same 3 ; m:sum 6 ; \
          m:w 2 ; m:where t/o ; m:zero 0"
        ]
    );
}

#[test]
fn attributes_are_found_wherever_they_stand() {
    let world = world();
    add(&world, &[("a", 1, 2, "A", "m:v 1")]);
    // What is said of an obsel that was there stands with the new one.
    world.obsels(
        "s",
        "<b> a m:B ; k:hasTrace <> ; k:hasBegin 5 ; k:hasEnd 9 . <a> m:rel <b> ; m:via [ m:w <b> ] .",
    );
    let mut automaton = two("#A", "#B", "#End");
    let ktbs = "http://liris.cnrs.fr/silex/2009/ktbs#";
    automaton["states"]["#End"]["ktbs_attributes"] = json!({
        "#rel": "#rel", "#rels": "count #rel", "#vias": "count #via",
        "#begins": format!("concat {ktbs}hasBegin"), "#last": format!("{ktbs}hasEnd"), "#span": format!("span {ktbs}hasEnd"),
        "#sum": format!("sum {ktbs}hasBegin"), "#types": "count http://www.w3.org/1999/02/22-rdf-syntax-ns#type",
        "#where": format!("first {ktbs}hasTrace"),
    });
    assert_eq!(
        world.compute("fsa", &["s"], &[("fsa", &automaton.to_string())]),
        [
            "b [1,9] a m:End ; k:hasSourceObsel s/a ; k:hasSourceObsel s/b ; m:begins \"1 5\" ; m:last 9 ; m:rel s/b ; \
          m:rels 1 ; m:span 7 ; m:sum 6 ; m:types 2 ; m:vias 1 ; m:where s/"
        ]
    );
}

#[test]
fn a_terminal_state_may_go_on() {
    let world = world();
    let automaton = |overlap: bool| {
        json!({
            "allow_overlap": overlap,
            "states": {
                "start": {"transitions": [{"condition": "#A", "target": "one"}]},
                "one": {"max_noise": 1, "transitions": [{"condition": "#A", "target": "#Two"}]},
                "#Two": {"terminal": true, "transitions": [{"condition": "#A", "target": "#Three"}]},
                "#Three": {"terminal": true},
            },
        })
        .to_string()
    };
    let (one, several) = (automaton(false), automaton(true));
    let mut alone = world.computation("c", "fsa", &["s"], &[("fsa", &one)]);
    let mut overlapping = world.computation("d", "fsa", &["s"], &[("fsa", &several)]);
    let obsels = [
        ("o0", 1, 2, "A"),
        ("o1", 12, 13, "B"),
        ("o2", 25, 26, "A"),
        ("o3", 26, 27, "C"),
        ("o4", 59, 60, "A"),
        ("o5", 60, 61, "B"),
    ];
    for (id, begin, end, kind) in obsels {
        add(&world, &[(id, begin, end, kind, "")]);
        for computation in [&mut alone, &mut overlapping] {
            computation.refresh().expect("a legal automaton");
            computation.assert_as_from_scratch();
        }
        let expected: &[&str] = if ["o0", "o1", "o2"].contains(&id) { &[] } else { &["o2"] };
        assert_eq!(alone.ids(), expected, "after {id}");
    }
    assert_eq!(
        overlapping.obsels(),
        [
            "o2 [1,26] a m:Two ; k:hasSourceObsel s/o0 ; k:hasSourceObsel s/o2",
            "o4 [25,60] a m:Two ; k:hasSourceObsel s/o2 ; k:hasSourceObsel s/o4",
        ]
    );
}

#[test]
fn the_automaton_goes_on_where_it_stopped() {
    let world = world();
    let text = two("#A", "#B", "#End").to_string();
    let mut computation = world.computation("c", "fsa", &["s"], &[("fsa", &text)]);
    let mut found = Vec::new();
    for (id, at, kind) in [
        ("a1", 1, "A"),
        ("b2", 3, "B"),
        ("a9", 9, "A"),
        ("b10", 10, "B"),
        ("c", 9, "C"),
    ] {
        add(&world, &[(id, at, at, kind, "")]);
        computation.refresh().expect("a legal automaton");
        computation.assert_as_from_scratch();
        found.push(computation.ids().join(" "));
    }
    assert_eq!(found, ["", "b2", "b2", "b2 b10", "b2"]);
}

#[test]
fn a_late_obsel_undoes_only_what_came_after_it() {
    let world = World::new("");
    world.trace("s", "k:hasOrigin \"o\" ; k:hasPseudoMonRange 10 ;");
    let text = two("#A", "#B", "#End").to_string();
    let mut computation = world.computation("c", "fsa", &["s"], &[("fsa", &text)]);
    for at in 0..100 {
        let kind = if at % 2 == 0 { "A" } else { "B" };
        add(&world, &[(&format!("o{at}"), at, at, kind, "")]);
        computation.refresh().expect("a legal automaton");
        assert!(computation.work.get() <= 1);
    }
    assert_eq!(computation.ids().len(), 50);
    // Between A at 94 and B at 95: the match that ends there is undone, those after it are found again.
    add(&world, &[("z", 94, 94, "X", "")]);
    computation.refresh().expect("a legal automaton");
    computation.assert_as_from_scratch();
    assert_eq!(computation.ids().len(), 49);
    assert!(!computation.ids().contains(&"o95".to_owned()));
    assert!(computation.work.get() <= 12, "{}", computation.work.get());
}

#[test]
fn colliding_names_get_the_next_suffix() {
    let world = world();
    // Two matches end with b: one when it comes, the other, which could have gone on, one obsel later.
    let automaton = json!({
        "allow_overlap": true,
        "states": {
            "start": {"transitions": [{"condition": "#A", "target": "p"}, {"condition": "#A", "target": "q"}]},
            "p": {"transitions": [{"condition": "#B", "target": "#P"}]},
            "q": {"transitions": [{"condition": "#B", "target": "#Q"}]},
            "#P": {"terminal": true},
            "#Q": {"terminal": true, "transitions": [{"condition": "#C", "target": "#R"}]},
            "#R": {"terminal": true},
        },
    })
    .to_string();
    let mut computation = world.computation("c", "fsa", &["s"], &[("fsa", &automaton)]);
    add(
        &world,
        &[
            ("b-1", 0, 0, "X", ""),
            ("a", 1, 1, "A", ""),
            ("b", 2, 2, "B", ""),
            ("x", 3, 3, "X", ""),
        ],
    );
    computation.refresh().expect("a legal automaton");
    computation.assert_as_from_scratch();
    assert_eq!(
        computation.obsels(),
        [
            "b [1,2] a m:Q ; k:hasSourceObsel s/a ; k:hasSourceObsel s/b",
            "b-1 [1,2] a m:P ; k:hasSourceObsel s/a ; k:hasSourceObsel s/b",
        ]
    );
}

#[test]
fn a_state_may_make_no_obsel() {
    let world = world();
    add(&world, &[("a", 1, 1, "A", ""), ("b", 2, 2, "B", "")]);
    let mut automaton = two("#A", "#B", "end");
    automaton["states"]["end"]["ktbs_obsel_type"] = Value::Null;
    assert_eq!(
        world.compute("fsa", &["s"], &[("fsa", &automaton.to_string())]),
        Vec::<String>::new()
    );
    automaton["states"]["end"]["ktbs_obsel_type"] = json!("http://x/T");
    assert_eq!(
        world.compute("fsa", &["s"], &[("fsa", &automaton.to_string())]),
        ["b [1,2] a <http://x/T> ; k:hasSourceObsel s/a ; k:hasSourceObsel s/b"]
    );
}

/// Returns the ids of the obsels that make a match by themselves, if this condition is asked.
fn matching(world: &World, matcher: &str, condition: Value) -> Vec<String> {
    let automaton = json!({"default_matcher": matcher, "states": {
        "start": {"transitions": [{"condition": condition, "target": "#E"}]},
        "#E": {"terminal": true},
    }})
    .to_string();
    let mut computation = world.computation("c", "fsa", &["s"], &[("fsa", &automaton)]);
    computation.refresh().expect("a legal automaton");
    computation.ids()
}

#[test]
fn matchers_ask_about_types_names_and_patterns() {
    let world = World::new("m:B k:hasSuperObselType m:A .");
    world.trace("s", "k:hasOrigin \"o\" ;");
    add(
        &world,
        &[
            ("a1", 1, 1, "A", "m:v 1"),
            ("b2", 2, 2, "B", "m:v 2"),
            ("c3", 3, 3, "C, m:A", "m:v 3"),
            ("d4", 4, 4, "D", ""),
        ],
    );
    let iri = |id: &str| format!("{ROOT}b/s/{id}");
    let cases: [(&str, Value, &[&str]); 13] = [
        ("obseltype", json!("#A"), &["a1", "b2", "c3"]),
        ("obseltype", json!(format!("{ROOT}b/m#B")), &["b2"]),
        ("obseltype", json!("A"), &[]),
        ("regexp", json!(".*/[ab][0-9]"), &["a1", "b2"]),
        ("regexp", json!("a1"), &[]),
        ("regexp", json!(r".*(?P<x>c\d)\Z"), &["c3"]),
        ("regexp", json!("x|.*d4"), &["d4"]),
        ("multiple-choices", json!([iri("a1"), iri("d4"), "z"]), &["a1", "d4"]),
        ("sparql-ask", json!("?obs a m:B"), &["b2"]),
        ("sparql-ask", json!("?obs m:v ?v FILTER(?v > 1)"), &["b2", "c3"]),
        ("sparql-ask", json!("?obs :hasBegin 4"), &["d4"]),
        (
            "sparql-ask",
            json!("FILTER(?pred = \"\" && ?first = \"\")"),
            &["a1", "b2", "c3", "d4"],
        ),
        (
            "sparql-ask",
            json!("?other m:v ?v . ?obs m:v ?w FILTER(?w > ?v)"),
            &["b2", "c3"],
        ),
    ];
    for (matcher, condition, expected) in cases {
        let shown = condition.to_string();
        assert_eq!(matching(&world, matcher, condition), expected, "{matcher} {shown}");
    }
}

#[test]
fn patterns_know_the_obsels_of_the_token() {
    let world = world();
    add(
        &world,
        &[
            ("c1", 1, 1, "C", "m:v 41"),
            ("c2", 2, 2, "C", "m:v 42"),
            ("c3", 3, 3, "C", "m:v 42"),
            ("c4", 4, 4, "C", "m:v 41"),
        ],
    );
    let automaton = |condition: &str, noise: u32| {
        json!({"default_matcher": "sparql-ask", "states": {
            "start": {"transitions": [{"condition": "?obs a m:C", "target": "one"}]},
            "one": {"max_noise": noise, "transitions": [{"condition": condition, "target": "#E"}]},
            "#E": {"terminal": true},
        }})
        .to_string()
    };
    let last = automaton("?obs m:v ?x. ?pred m:v ?x", 0);
    assert_eq!(
        world.compute("fsa", &["s"], &[("fsa", &last)]),
        ["c3 [2,3] a m:E ; k:hasSourceObsel s/c2 ; k:hasSourceObsel s/c3"]
    );
    let three = json!({"default_matcher": "sparql-ask", "states": {
        "start": {"transitions": [{"condition": "?obs a m:C", "target": "one"}]},
        "one": {"transitions": [{"condition": "?obs a m:C", "target": "two"}]},
        "two": {"max_noise": 1, "transitions": [{"condition": "?obs m:v ?x. ?first m:v ?x", "target": "#E"}]},
        "#E": {"terminal": true},
    }});
    assert_eq!(
        world.compute("fsa", &["s"], &[("fsa", &three.to_string())]),
        ["c4 [1,4] a m:E ; k:hasSourceObsel s/c1 ; k:hasSourceObsel s/c2 ; k:hasSourceObsel s/c4"]
    );
}

#[test]
fn patterns_about_the_obsels_of_the_token_let_the_automaton_go_on() {
    let world = world();
    let rises = json!({"default_matcher": "sparql-ask", "states": {
        "start": {"transitions": [{"condition": "?obs m:v ?v", "target": "one"}]},
        "one": {"transitions": [{"condition": "?obs m:v ?v . ?pred m:v ?p . FILTER(?v > ?p)", "target": "#Rise"}]},
        "#Rise": {"terminal": true},
    }})
    .to_string();
    let mut computation = world.computation("c", "fsa", &["s"], &[("fsa", &rises)]);
    for (at, value) in [3, 5, 4, 2, 6, 1, 8, 9].iter().enumerate() {
        let at = at as i64;
        add(&world, &[(&format!("o{at}"), at, at, "A", &format!("m:v {value}"))]);
        computation.refresh().expect("a legal automaton");
        assert!(computation.work.get() <= 1);
        computation.assert_as_from_scratch();
    }
    assert_eq!(computation.ids(), ["o1", "o4", "o6"]);
}

#[test]
fn problems_are_told_when_the_trace_is_described() {
    let world = world();
    let with = |condition: Value, matcher: &str| {
        let mut automaton = two("#A", "#B", "#E");
        automaton["states"]["start"]["transitions"][0] =
            json!({"condition": condition, "matcher": matcher, "target": "#E"});
        automaton.to_string()
    };
    let mut bad_forms = two("#A", "#B", "#E");
    bad_forms["states"]["#E"]["ktbs_obsel_type"] = json!(3);
    bad_forms["states"]["#E"]["ktbs_attributes"] = json!({"#x": "median #v", "#y": 1,
        "http://liris.cnrs.fr/silex/2009/ktbs#hasEnd": "#v"});
    let cases = [
        (
            String::from("start -> end"),
            "Parameter fsa has illegal value: start -> end.\n    Reason: expected value at line 1",
        ),
        (
            json!({"states": {}}).to_string(),
            "Reason: No start state\n    No terminal state",
        ),
        (
            with(json!(["a"]), "obseltype"),
            "State 'start', transition 1: \"condition\" should be a string",
        ),
        (
            with(json!("a"), "multiple-choices"),
            "State 'start', transition 1: \"condition\" should be a list of strings",
        ),
        (with(json!("("), "regexp"), "the regular expression cannot be used"),
        (with(json!(r"(a)\1"), "regexp"), "the regular expression cannot be used"),
        (
            with(json!(r"(\w{1000}){1000}"), "regexp"),
            "the regular expression takes more than",
        ),
        (with(json!("?obs ?p"), "sparql-ask"), "State 'start', transition 1: "),
        (
            with(json!("?obs <x> <y> . SERVICE <http://x/> { ?a ?b ?c }"), "sparql-ask"),
            "SERVICE",
        ),
        (with(json!("x"), "xpath"), "Unsupported matcher 'xpath'"),
        (
            bad_forms.to_string(),
            "Reason: State '#E': \"ktbs_obsel_type\" should be a string or null\n    State '#E': unknown function 'median'\n    \
             State '#E': the attribute #y should be a string\n    \
             State '#E': <http://liris.cnrs.fr/silex/2009/ktbs#hasEnd> follows from the match, and can not be an attribute",
        ),
    ];
    for (text, expected) in &cases {
        let diagnosis = world.diagnosis("fsa", &["s"], &[("fsa", text)]);
        assert!(diagnosis.contains(expected), "{text}: {diagnosis}");
        assert!(
            world
                .computation("c", "fsa", &["s"], &[("fsa", text)])
                .refresh()
                .is_err()
        );
    }
    assert_eq!(
        world.diagnosis("fsa", &["s"], &[]),
        "compute_trace_description for <http://liris.cnrs.fr/silex/2009/ktbs#fsa>: ko\n* Parameter 'fsa' is required"
    );
}

#[test]
fn tokens_are_exposed_on_demand() {
    let world = world();
    add(&world, &[("a1", 1, 2, "A", ""), ("b", 3, 4, "B", "")]);
    let text = two("#A", "#B", "#End").to_string();
    let exposed = |value: &str| {
        let mut computation = world.computation("c", "fsa", &["s"], &[("fsa", &text), ("expose_tokens", value)]);
        let properties = computation.refresh().expect("a legal automaton");
        let texts = properties.into_iter().map(|(property, value)| {
            assert_eq!(property, "tag:tweak.liris.cnrs.fr.2016.03.21.fsa4streams:tokens");
            ktbs::rdf::as_literal(&value).map(str::to_owned).unwrap_or_default()
        });
        texts.collect::<Vec<_>>()
    };
    assert_eq!(exposed("yes"), [r#"{"clock": 4, "running": {}, "pending": {}}"#]);
    for no in ["false", " No ", "0"] {
        assert_eq!(exposed(no), Vec::<String>::new());
    }
    add(&world, &[("a2", 5, 6, "A", "")]);
    let shown: Value = serde_json::from_str(&exposed("1")[0]).expect("JSON");
    assert_eq!(shown["running"]["r0"]["state"], "s1");
    assert_eq!(
        shown["running"]["r0"]["history_events"],
        json!([format!("{ROOT}b/s/a2")])
    );
}

#[test]
fn what_would_never_end_is_stopped() {
    let world = world();
    let obsels: String = (0..200)
        .map(|at| format!("<o{at}> a m:A ; k:hasTrace <> ; k:hasBegin {at} ; k:hasEnd {at} . "))
        .collect();
    world.obsels("s", &obsels);
    let doubling = json!({"allow_overlap": true, "states": {
        "start": {"transitions": [{"condition": "#A", "target": "s1"}]},
        "s1": {"transitions": [{"condition": "#A", "target": "s1"}, {"condition": "#A", "target": "s1"}]},
        "#E": {"terminal": true},
    }})
    .to_string();
    let problem = world.problems("fsa", &["s"], &[("fsa", &doubling)]);
    assert!(
        problem.contains("more than 10000 tokens (limit fsa-tokens)"),
        "{problem}"
    );
    let growing = json!({"allow_overlap": true, "states": {
        "start": {"transitions": [{"condition": "#A", "target": "s1"}]},
        "s1": {"max_noise": 1000, "transitions": [{"condition": "#B", "target": "#E"}]},
        "#E": {"terminal": true},
    }})
    .to_string();
    let mut computation = world.computation("c", "fsa", &["s"], &[("fsa", &growing)]);
    computation.limits.fsa_tokens = 100;
    let problem = computation.refresh().expect_err("there are more obsels than tokens");
    assert!(problem.contains("more than 100 tokens"), "{problem}");
    computation.limits.fsa_tokens = 1000;
    computation.limits.deadline = Some(std::time::Instant::now());
    let problem = computation.refresh().expect_err("the deadline is over");
    assert!(problem.contains("takes longer than"), "{problem}");
    let transitions = vec![json!({"condition": "#A", "target": "s1"}); 10_000];
    let many = json!({"allow_overlap": true, "states": {
        "start": {"transitions": transitions}, "s1": {"max_noise": 9, "transitions": transitions}, "#E": {"terminal": true},
    }})
    .to_string();
    assert!(
        world
            .problems("fsa", &["s"], &[("fsa", &many)])
            .contains("limit fsa-tokens")
    );
}

#[test]
fn attributes_are_bounded() {
    let world = world();
    let long = "x".repeat(100_000);
    let obsels: Vec<String> = (0..50).map(|at| format!("m:v \"{at}{long}\"")).collect();
    for (at, properties) in obsels.iter().enumerate() {
        let (id, at) = (format!("o{at}"), at as i64);
        add(&world, &[(&id, at, at, if at == 49 { "B" } else { "A" }, properties)]);
    }
    let with = |attributes: Value| {
        json!({"states": {
            "start": {"transitions": [{"condition": "#A", "target": "s1"}]},
            "s1": {"transitions": [{"condition": "#A", "target": "s1"}, {"condition": "#B", "target": "#E"}]},
            "#E": {"terminal": true, "ktbs_attributes": attributes},
        }})
        .to_string()
    };
    let problem = world.problems("fsa", &["s"], &[("fsa", &with(json!({"#all": "concat #v"})))]);
    assert!(problem.contains("would be longer than 4194304 bytes"), "{problem}");
    // The last values of many attributes are read once.
    let many: Value = (0..2000)
        .map(|i| (format!("#a{i}"), json!("count #v")))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let found = world.compute("fsa", &["s"], &[("fsa", &with(many))]);
    assert!(found.len() == 1 && found[0].contains("m:a1999 50"));
}

#[test]
fn model_and_origin_are_those_of_the_source_unless_given() {
    let world = world();
    let text = two("#A", "#B", "#End").to_string();
    let described = world.describe("fsa", &["s"], &[("fsa", &text)]);
    assert_eq!(described.model, Some(format!("{ROOT}b/m")));
    let described = world.describe("fsa", &["s"], &[("fsa", &text), ("model", END)]);
    assert_eq!(described.model.as_deref(), Some(END));
}
