//! Sparql, and the patterns of filter.

use super::support::World;
use crate::support::ROOT;

const PREFIXES: &str = "PREFIX k: <http://liris.cnrs.fr/silex/2009/ktbs#> PREFIX m: <http://localhost/m#> ";

fn query(text: &str) -> String {
    format!(
        "{}{text}",
        PREFIXES.replace("http://localhost/m#", &format!("{ROOT}b/m#"))
    )
}

fn world() -> World {
    let world = World::new("");
    world.trace("s", "k:hasOrigin \"o\" ;");
    world.obsels(
        "s",
        r#"<o1> a m:A, m:Z ; k:hasTrace <> ; k:hasBegin 10 ; k:hasEnd 12 ; m:v "x", "y" ; m:n 1 .
        <o2> a m:B ; k:hasTrace <> ; k:hasBegin 20 ; k:hasEnd 20 ; m:n 2 ; m:rel <o1> ."#,
    );
    world
}

/// Returns the obsels without their ids, sorted.
fn contents(obsels: &[String]) -> Vec<String> {
    let mut contents: Vec<String> = (obsels.iter())
        .map(|text| text.split_once(' ').expect("an id").1.to_owned())
        .collect();
    contents.sort_unstable();
    contents
}

#[test]
fn a_node_with_a_begin_makes_an_obsel_of_a_stable_name() {
    let world = world();
    let text = query(
        r#"CONSTRUCT { [ k:hasTrace <%(__destination__)s> ; a ?t ; k:hasBegin ?bb ; k:hasEnd ?bb ; k:hasSourceObsel ?o ;
            m:lab "%(foo)s 100%%" ] } WHERE { ?o a ?t ; k:hasBegin ?bb }"#,
    );
    let parameters = [("sparql", text.as_str()), ("foo", "bar")];
    let obsels = world.compute("sparql", &["s"], &parameters);
    assert_eq!(
        contents(&obsels),
        [
            "[10,10] a m:A ; k:hasSourceObsel s/o1 ; m:lab \"bar 100%\"",
            "[10,10] a m:Z ; k:hasSourceObsel s/o1 ; m:lab \"bar 100%\"",
            "[20,20] a m:B ; k:hasSourceObsel s/o2 ; m:lab \"bar 100%\"",
        ]
    );
    assert_eq!(world.compute("sparql", &["s"], &parameters), obsels);
    assert_eq!(world.diagnosis("sparql", &["s"], &parameters), "");
}

#[test]
fn what_is_not_said_is_inherited_with_all_its_values() {
    let world = world();
    let text = query("CONSTRUCT { [ k:hasSourceObsel ?o ; k:hasBegin ?e ] } WHERE { ?o k:hasEnd ?e }");
    let inherited = world.compute("sparql", &["s"], &[("sparql", &text), ("inherit", "")]);
    assert_eq!(
        contents(&inherited),
        [
            "[12,12] a m:A ; a m:Z ; k:hasSourceObsel s/o1 ; m:n 1 ; m:v \"x\" ; m:v \"y\"",
            "[20,20] a m:B ; k:hasSourceObsel s/o2 ; m:n 2 ; m:rel s/o1",
        ]
    );
    let text = query(
        "CONSTRUCT { [ k:hasSourceObsel ?o ; a m:New ; k:hasBegin ?b ; k:hasEnd 30 ; m:v 0 ] } WHERE { ?o k:hasBegin ?b }",
    );
    let some = world.compute("sparql", &["s"], &[("sparql", &text), ("inherit", "no")]);
    assert_eq!(
        contents(&some)[0],
        "[10,30] a m:New ; k:hasSourceObsel s/o1 ; m:n 1 ; m:v 0"
    );
}

#[test]
fn what_stands_elsewhere_is_inherited_too() {
    let world = World::new("");
    world.trace("s", "k:hasOrigin \"o\" ;");
    world.obsels(
        "s",
        "<a> a m:A ; k:hasTrace <> ; k:hasBegin 1 ; k:hasEnd 1 ; m:bn [ m:inner 3 ; m:deep [ m:x 4 ] ] .",
    );
    world.obsels(
        "s",
        "<b> a m:B ; k:hasTrace <> ; k:hasBegin 5 ; k:hasEnd 5 . <a> m:rel <b> .",
    );
    let text = query("CONSTRUCT { [ k:hasSourceObsel ?o ] } WHERE { ?o a m:A }");
    let inherited = world.compute("sparql", &["s"], &[("sparql", &text), ("inherit", "1")]);
    assert_eq!(
        contents(&inherited),
        [
            "[1,1] (_:0) m:deep _:1 ; (_:0) m:inner 3 ; (_:1) m:x 4 ; a m:A ; k:hasSourceObsel s/a ; m:bn _:0 ; m:rel s/b"
        ]
    );
}

#[test]
fn the_scope_tells_what_is_asked_about() {
    let world = world();
    world.trace("t", "k:hasOrigin \"o\" ;");
    world.obsels("t", "<x> a m:A ; k:hasTrace <> ; k:hasBegin 1 ; k:hasEnd 1 .");
    let text = query(
        "CONSTRUCT { [ k:hasTrace <%(__destination__)s> ; k:hasBegin ?n ] }
        WHERE { SELECT (COUNT(*) AS ?n) { ?o k:hasBegin ?b } }",
    );
    let mut computation = world.computation("c", "sparql", &["s"], &[]);
    for (scope, allowed, expected) in [
        (None, false, "[2,2]"),
        (Some("trace"), false, "[2,2]"),
        (Some("base"), false, "[3,3]"),
        (Some("store"), true, "[3,3]"),
    ] {
        computation.parameters = super::support::pairs(&[("sparql", &text)]);
        computation
            .parameters
            .extend(scope.map(|scope| ("scope".to_owned(), scope.to_owned())));
        computation.limits.allow_scope_store = allowed;
        computation.refresh().expect("a legal query");
        let obsels = computation.obsels();
        assert!(
            obsels.len() == 1 && obsels[0].contains(expected),
            "{scope:?}: {obsels:?}"
        );
    }
    for (scope, problem) in [
        ("store", "Scope 'store' must be explicitly allowed"),
        ("all", "Parameter scope has illegal value: all"),
    ] {
        let parameters = [("sparql", text.as_str()), ("scope", scope)];
        let problems = world.problems("sparql", &["s"], &parameters);
        assert!(problems.contains(problem), "{problems}");
    }
}

#[test]
fn problems_are_told() {
    let world = world();
    let cases = [
        (None, "Method ktbs:sparql requires parameter sparql"),
        (Some("SELECT * { ?s ?p ?o }"), "CONSTRUCT query expected"),
        (
            Some("CONSTRUCT { ?s ?p %(period)s } WHERE { ?s ?p ?o }"),
            "missing parameter period",
        ),
    ];
    for (text, expected) in cases {
        let parameters: Vec<(&str, &str)> = text.map(|text| ("sparql", text)).into_iter().collect();
        assert_eq!(
            world.diagnosis("sparql", &["s"], &parameters),
            format!("sparql.compute_trace_description: ko\n* {expected}")
        );
        assert_eq!(
            world.problems("sparql", &["s"], &parameters),
            format!("sparql.compute_obsels: ko\n* {expected}")
        );
    }
    assert_eq!(
        world.problems("sparql", &[], &[]),
        "sparql.compute_obsels: ko\n* Method ktbs:sparql expects exactly one source"
    );
    let elsewhere = query("CONSTRUCT { <x> k:hasTrace <%(__destination__)s> ; k:hasBegin 1 } WHERE {}");
    let problems = world.problems("sparql", &["s"], &[("sparql", &elsewhere)]);
    assert!(problems.contains("not directly below the trace"), "{problems}");
    let used = [("sparql", &*query("CONSTRUCT {} WHERE {}")), ("foo", "bar")];
    assert_eq!(
        world.diagnosis("sparql", &["s"], &used),
        "sparql.compute_trace_description: ko\n\
         * WARN: Parameter foo is not used by ktbs:sparql nor by the SPARQL query"
    );
}

#[test]
fn a_pattern_filters() {
    let world = world();
    world.trace("n", "k:hasOrigin \"o\" ;");
    // What is said of an obsel that was there stands with the new one.
    let both = "<o3> a m:C ; k:hasTrace <> ; k:hasBegin 30 ; k:hasEnd 30 . <o1> m:via [ m:w <o3> ] ; m:rel <o3> .";
    world.obsels("s", both);
    let mut computation = world.computation("c", "filter", &["s"], &[("before", "25")]);
    let types = format!("{ROOT}b/m#B");
    type Case<'a> = (&'a [(&'a str, &'a str)], &'a [&'a str]);
    let cases: [Case<'_>; 11] = [
        (&[("bgp", "?obs a m:A")], &["o1"]),
        (&[("bgp", "FILTER(?b > 10)")], &["o2"]),
        (&[("bgp", "?obs m:rel ?x . ?x m:n 1")], &["o2"]),
        (&[("bgp", "?x m:rel ?obs")], &["o1"]),
        (&[("bgp", "?obs m:n ?n FILTER(?n < 3)"), ("otypes", &types)], &["o2"]),
        (&[("bgp", "?obs m:v ?v"), ("before", "12")], &["o1"]),
        (&[("bgp", "?obs m:v \"100%\"")], &[]),
        (&[("bgp", " ")], &["o1", "o2"]),
        (&[("bgp", "?obs m:via ?x FILTER(ISBLANK(?x))")], &["o1"]),
        (&[("bgp", "?obs m:via ?x FILTER(ISIRI(?x))")], &[]),
        (&[("bgp", "?obs m:rel ?x FILTER(ISIRI(?x))")], &["o1", "o2"]),
    ];
    for (parameters, expected) in cases {
        computation.parameters = super::support::pairs(parameters);
        if !parameters.iter().any(|(name, _)| *name == "before") {
            computation.parameters.push(("before".to_owned(), "25".to_owned()));
        }
        computation.refresh().expect("a legal pattern");
        computation.assert_as_from_scratch();
        assert_eq!(computation.ids(), expected, "{parameters:?}");
    }
    let diagnosis = world.diagnosis("filter", &["s"], &[("bgp", "?obs a")]);
    assert!(
        diagnosis.contains("Parameter bgp has illegal value: ?obs a.\n    Reason: "),
        "{diagnosis}"
    );
}

#[test]
fn only_what_is_new_is_compared_with_a_pattern() {
    let world = world();
    let mut computation = world.computation("c", "filter", &["s"], &[("bgp", "?obs m:n ?n FILTER(?n > 0)")]);
    for (at, work) in [(21, 3), (22, 1), (23, 1)] {
        world.obsels(
            "s",
            &format!("<n{at}> a m:A ; k:hasTrace <> ; k:hasBegin {at} ; k:hasEnd {at} ; m:n {at} ."),
        );
        computation.refresh().expect("a legal pattern");
        computation.assert_as_from_scratch();
        assert_eq!(computation.work.get(), work, "n{at}");
    }
}
