//! Hrules.

use super::support::World;
use crate::support::ROOT;

const MODEL: &str =
    "m:n k:hasAttributeRange xsd:integer . m:t k:hasAttributeRange xsd:string . m:SubC k:hasSuperObselType m:C .";

/// Returns rules in which `m:` stands for the model.
fn rules(text: &str) -> String {
    text.replace("m:", &format!("{ROOT}b/m#"))
}

fn world() -> World {
    let world = World::new(MODEL);
    world.trace("s", "k:hasOrigin \"o\" ;");
    world.obsels(
        "s",
        r#"<o1> a m:A ; k:hasTrace <> ; k:hasBegin 1 ; k:hasEnd 1 ; m:n 5 .
        <o2> a m:A ; k:hasTrace <> ; k:hasBegin 2 ; k:hasEnd 2 ; m:n 50 ; m:t "foo" .
        <o3> a m:B ; k:hasTrace <> ; k:hasBegin 3 ; k:hasEnd 3 ; m:n 500 ; m:rel <o2> .
        <o4> a m:C ; k:hasTrace <> ; k:hasBegin 4 ; k:hasEnd 4 ; m:n 5 ; m:t "foobar" .
        <o5> a m:C, m:A ; k:hasTrace <> ; k:hasBegin 5 ; k:hasEnd 7 ."#,
    );
    world
}

/// Returns `id type` of each obsel of the result.
fn retyped(world: &World, text: &str) -> Vec<String> {
    let text = rules(text);
    let obsels = world.compute("hrules", &["s"], &[("model", "http://x/m"), ("rules", &text)]);
    let kind = |text: &str| {
        text.split(" a <http://x/m#")
            .nth(1)?
            .split('>')
            .next()
            .map(str::to_owned)
    };
    (obsels.iter())
        .map(|text| {
            let id = text.split(' ').next().unwrap_or_default();
            format!("{id} {}", kind(text).unwrap_or_default())
        })
        .collect()
}

#[test]
fn the_most_precise_subrule_wins() {
    let world = world();
    let text = rules(
        r#"[{"id": "X", "rules": [{"type": "m:A"}]},
            {"id": "Y", "rules": [{"type": "m:A", "attributes": [{"uri": "m:n", "operator": ">", "value": "10"}]}]},
            {"id": "Z", "rules": [{"attributes": [{"uri": "m:n", "operator": "<", "value": "10"},
                                                  {"uri": "m:t", "operator": "contains", "value": "foo"}]}]},
            {"id": "W", "rules": [{}]}]"#,
    );
    assert_eq!(
        world.compute("hrules", &["s"], &[("model", "http://x/m"), ("rules", &text)]),
        [
            "o1 [1,1] a <http://x/m#X> ; k:hasSourceObsel s/o1 ; m:n 5",
            "o2 [2,2] a <http://x/m#Y> ; k:hasSourceObsel s/o2 ; m:n 50 ; m:t \"foo\"",
            "o3 [3,3] a <http://x/m#W> ; k:hasSourceObsel s/o3 ; m:n 500 ; m:rel c/o2",
            "o4 [4,4] a <http://x/m#Z> ; k:hasSourceObsel s/o4 ; m:n 5 ; m:t \"foobar\"",
            "o5 [5,7] a <http://x/m#X> ; k:hasSourceObsel s/o5",
        ]
    );
}

#[test]
fn the_first_rule_wins_among_equals() {
    let world = world();
    let (x, y) = (
        r#"{"id": "X", "rules": [{"type": "m:A"}]}"#,
        r#"{"id": "Y", "rules": [{"type": "m:C"}]}"#,
    );
    assert_eq!(
        retyped(&world, &format!("[{x}, {y}]")),
        ["o1 X", "o2 X", "o4 Y", "o5 X"]
    );
    assert_eq!(
        retyped(&world, &format!("[{y}, {x}]")),
        ["o1 X", "o2 X", "o4 Y", "o5 Y"]
    );
}

#[test]
fn a_rule_that_is_not_visible_hides_what_it_matches() {
    let world = world();
    let text = r#"[{"id": "X", "visible": false,
                    "rules": [{"type": "m:A", "attributes": [{"uri": "m:n", "operator": "==", "value": "5"}]}]},
                   {"id": "Y", "rules": [{"type": "m:A"}]}]"#;
    assert_eq!(retyped(&world, text), ["o2 Y", "o5 Y"]);
}

#[test]
fn subtypes_count() {
    let world = world();
    world.obsels("s", "<o6> a m:SubC ; k:hasTrace <> ; k:hasBegin 8 ; k:hasEnd 8 .");
    assert_eq!(
        retyped(&world, r#"[{"id": "X", "rules": [{"type": "m:C"}]}]"#),
        ["o4 X", "o5 X", "o6 X"]
    );
    world.put_model("");
    assert_eq!(
        retyped(&world, r#"[{"id": "X", "rules": [{"type": "m:C"}]}]"#),
        ["o4 X", "o5 X"]
    );
}

#[test]
fn operators_compare_values_of_the_declared_datatype() {
    let world = World::new(MODEL);
    world.trace("s", "k:hasOrigin \"o\" ;");
    for (index, value) in [0, 5, 10, 15, 20].iter().enumerate() {
        let begin = index + 1;
        world.obsels(
            "s",
            &format!("<d{value}> a m:A ; k:hasTrace <> ; k:hasBegin {begin} ; k:hasEnd {begin} ; m:n {value}.0 ."),
        );
    }
    for (index, value) in [0, 1, 4, 9, 16, 25].iter().enumerate() {
        let begin = index + 10;
        world.obsels(
            "s",
            &format!("<s{value}> a m:A ; k:hasTrace <> ; k:hasBegin {begin} ; k:hasEnd {begin} ; m:t \"{value}\" ."),
        );
    }
    let cases: [(&str, &str, &str, &[u32]); 13] = [
        ("n", "10", "==", &[10]),
        ("n", "10", "!=", &[0, 5, 15, 20]),
        ("n", "10", "<", &[0, 5]),
        ("n", "10", ">", &[15, 20]),
        ("n", "10", "<=", &[0, 5, 10]),
        ("n", "10", ">=", &[10, 15, 20]),
        ("t", "2", "==", &[]),
        ("t", "2", "!=", &[0, 1, 4, 9, 16, 25]),
        ("t", "2", "<", &[0, 1, 16]),
        ("t", "2", ">", &[4, 9, 25]),
        ("t", "2", "contains", &[25]),
        ("n", "5.0", "contains", &[5, 15]),
        ("n", "2", "~", &[]),
    ];
    for (attribute, constant, operator, expected) in cases {
        let text = format!(
            r#"[{{"id": "X", "rules": [{{"attributes": [{{"uri": "m:{attribute}", "operator": "{operator}", "value": "{constant}"}}]}}]}}]"#
        );
        let prefix = if attribute == "n" { 'd' } else { 's' };
        let expected: Vec<String> = expected.iter().map(|value| format!("{prefix}{value} X")).collect();
        assert_eq!(retyped(&world, &text), expected, "{operator} {constant}");
    }
}

#[test]
fn any_value_may_satisfy_a_constraint() {
    let world = World::new("");
    world.trace("s", "k:hasOrigin \"o\" ;");
    world.obsels(
        "s",
        r#"<a> a m:A ; k:hasTrace <> ; k:hasBegin 1 ; k:hasEnd 1 ; m:v 1, 9, "x", <http://x/y>, [ m:w 1 ] .
        <b> a m:A ; k:hasTrace <> ; k:hasBegin 2 ; k:hasEnd 2 . <a> m:rel <b> ."#,
    );
    // Not a relation of `a` to `c`: there is a node between them.
    world.obsels(
        "s",
        "<c> a m:B ; k:hasTrace <> ; k:hasBegin 3 ; k:hasEnd 3 . <a> m:via [ m:w <c> ] .",
    );
    let matches = |constraints: &str| {
        !retyped(
            &world,
            &format!(r#"[{{"id": "X", "rules": [{{"attributes": [{constraints}]}}]}}]"#),
        )
        .is_empty()
    };
    let cases = [
        (
            r#"{"uri": "m:v", "operator": "<", "value": 2}, {"uri": "m:v", "operator": ">", "value": 8}"#,
            true,
        ),
        (r#"{"uri": "m:v", "operator": "==", "value": 5}"#, false),
        (r#"{"uri": "m:v", "operator": "==", "value": "1"}"#, false),
        (r#"{"uri": "m:v", "operator": "contains", "value": "http://x"}"#, true),
        (r#"{"uri": "m:rel", "operator": "contains", "value": "/s/b"}"#, true),
        (r#"{"uri": "m:rel", "operator": "contains", "value": "/s/c"}"#, false),
        (r#"{"uri": "m:via", "operator": "contains", "value": "/s/c"}"#, false),
        (r#"{"uri": "m:via", "operator": "!=", "value": 0}"#, true),
        (r#"{"uri": "m:none", "operator": "!=", "value": 0}"#, false),
        (
            r#"{"uri": "m:v", "operator": "==", "value": {"@value": "9.0", "@datatype": "http://www.w3.org/2001/XMLSchema#decimal"}}"#,
            true,
        ),
        (
            r#"{"uri": "m:v", "operator": "==", "value": {"@value": 9, "@type": "http://www.w3.org/2001/XMLSchema#double"}}"#,
            true,
        ),
        (
            r#"{"uri": "m:v", "operator": "==", "value": {"@value": "x", "@language": "en"}}"#,
            false,
        ),
    ];
    for (constraints, expected) in cases {
        assert_eq!(matches(constraints), expected, "{constraints}");
    }
}

#[test]
fn what_every_obsel_has_is_compared_like_attributes() {
    let world = world();
    let integer = r#""@datatype": "http://www.w3.org/2001/XMLSchema#integer""#;
    let retyped = |uri: &str, operator: &str, value: &str| {
        let text = format!(
            r#"[{{"id": "X", "rules": [{{"attributes": [{{"uri": "{uri}", "operator": "{operator}", "value": {value}}}]}}]}}]"#
        );
        let obsels = retyped(&world, &text);
        obsels
            .iter()
            .map(|text| text.replace(" X", ""))
            .collect::<Vec<_>>()
            .join(" ")
    };
    let ktbs = |name: &str| format!("http://liris.cnrs.fr/silex/2009/ktbs#{name}");
    let number = |value: &str| format!(r#"{{"@value": "{value}", {integer}}}"#);
    assert_eq!(retyped(&ktbs("hasBegin"), ">=", &number("4")), "o4 o5");
    assert_eq!(retyped(&ktbs("hasBegin"), "<", "2"), "o1");
    assert_eq!(retyped(&ktbs("hasEnd"), "==", &number("7")), "o5");
    assert_eq!(retyped(&ktbs("hasEnd"), ">", r#""0""#), "", "a number and a text");
    assert_eq!(retyped(&ktbs("hasTrace"), "contains", r#""/s/""#), "o1 o2 o3 o4 o5");
    let kind = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type";
    assert_eq!(retyped(kind, "contains", r##""#C""##), "o4 o5");
    assert_eq!(retyped(kind, "==", r##""#C""##), "");
}

#[test]
fn a_subrule_may_have_empty_members() {
    let world = world();
    for subrule in [
        r#"{"type": ""}"#,
        r#"{"type": null, "attributes": null}"#,
        r#"{"attributes": []}"#,
    ] {
        let text = format!(r#"[{{"id": "X", "visible": null, "rules": [{subrule}]}}]"#);
        assert_eq!(retyped(&world, &text).len(), 5, "{subrule}");
    }
}

#[test]
fn problems_are_told_in_the_words_of_the_ktbs() {
    let world = world();
    let titled = |problem: &str| {
        format!("compute_trace_description for <http://liris.cnrs.fr/silex/2009/ktbs#hrules>: ko\n* {problem}")
    };
    let model = ("model", "http://x/m");
    let cases: [(&[(&str, &str)], &str); 5] = [
        (&[], "Parameter 'model' is required\n* Parameter 'rules' is required"),
        (&[model], "Parameter 'rules' is required"),
        (
            &[model, ("rules", "[{}]")],
            "Parameter rules has illegal value: [{}].\n    Reason: rule 1: \"id\" is missing\n    rule 1: \"rules\" is missing",
        ),
        (
            &[model, ("rules", "[")],
            "Parameter rules has illegal value: [.\n    Reason: EOF while parsing a list at line 1 column 1",
        ),
        (
            &[
                model,
                (
                    "rules",
                    r#"[{"id": "X", "rules": [{"attributes": [{"uri": "u", "operator": "~", "value": 1}]}]}]"#,
                ),
                ("foo", "bar"),
            ],
            "WARN: unrecognized operator ~\n\
             * WARN: Parameter foo is not used by <http://liris.cnrs.fr/silex/2009/ktbs#hrules>",
        ),
    ];
    for (parameters, expected) in cases {
        assert_eq!(world.diagnosis("hrules", &["s"], parameters), titled(expected));
    }
    assert_eq!(world.diagnosis("hrules", &["s"], &[model, ("rules", "[]")]), "");
    assert_eq!(
        world.compute("hrules", &["s"], &[model, ("rules", "{}")]),
        Vec::<String>::new()
    );
}

#[test]
fn many_rules_end_at_the_deadline() {
    let world = world();
    let constraint = r#"{"uri": "m:n", "operator": "contains", "value": "x"}"#;
    let subrule = format!(r#"{{"attributes": [{constraint}]}}"#);
    let text = rules(&format!(
        r#"[{{"id": "X", "rules": [{}]}}]"#,
        vec![subrule; 10_000].join(",")
    ));
    let mut computation = world.computation("c", "hrules", &["s"], &[("model", "http://x/m"), ("rules", &text)]);
    computation.limits.deadline = Some(std::time::Instant::now());
    let problem = computation.refresh().expect_err("the deadline is over");
    assert!(problem.contains("takes longer than"), "{problem}");
    computation.limits.deadline = None;
    assert!(computation.refresh().is_ok());
}
