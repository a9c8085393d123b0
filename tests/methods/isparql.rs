//! Isparql.

use super::support::World;
use crate::support::ROOT;

/// Returns a query in which `m:` is the model.
fn query(text: &str) -> String {
    format!("PREFIX m: <{ROOT}b/m#> {text}")
}

fn world() -> World {
    let world = World::new("");
    world.trace("s", "k:hasOrigin \"o\" ; k:hasPseudoMonRange 7 ;");
    world.obsels(
        "s",
        "<o1> a m:A ; k:hasTrace <> ; k:hasBegin 10 ; k:hasEnd 12 ; m:n 1 .
         <o2> a m:A ; k:hasTrace <> ; k:hasBegin 20 ; k:hasEnd 20 ; m:n 2 .",
    );
    world
}

const EXAMPLE: &str = "SELECT ?sourceObsel (m:N as ?type) (?sourceBegin as ?begin) ?foo {
    %(__subselect__)s OPTIONAL { ?sourceObsel m:n ?foo } }";

#[test]
fn a_row_makes_an_obsel() {
    let world = world();
    let example = query(EXAMPLE);
    assert_eq!(
        world.compute("isparql", &["s"], &[("sparql", &example)]),
        [
            "o1 [10,10] a m:N ; k:hasSourceObsel s/o1 ; m:foo 1",
            "o2 [20,20] a m:N ; k:hasSourceObsel s/o2 ; m:foo 2",
        ]
    );
    assert_eq!(
        world.compute(
            "isparql",
            &["s"],
            &[("sparql", &example), ("model", "http://ex.org/model/")]
        )[0],
        "o1 [10,10] <http://ex.org/model/#foo> 1 ; a m:N ; k:hasSourceObsel s/o1"
    );
    let all = query(
        "SELECT ?sourceObsel ?sourceObsel2 (m:N as ?type) (?sourceBegin as ?begin) (?sourceEnd as ?end)
            ('me' as ?subject) ('2020' as ?beginDT) ('2021' as ?endDT) ('%(who)s 100%%' as ?who)
        { %(__subselect__)s OPTIONAL { ?sourceObsel2 m:n 2 } }",
    );
    assert_eq!(
        world.compute("isparql", &["s"], &[("sparql", &all), ("who", "%(loop)s")])[0],
        "o1 [10,12] a m:N ; k:hasBeginDT \"2020\" ; k:hasEndDT \"2021\" ; k:hasSourceObsel s/o1 ; \
         k:hasSourceObsel s/o2 ; k:hasSubject \"me\" ; m:who \"%(loop)s 100%\""
    );
    assert_eq!(
        world.diagnosis("isparql", &["s"], &[("sparql", &all), ("who", "x")]),
        ""
    );
}

#[test]
fn one_row_of_each_obsel_counts() {
    let world = world();
    let types = |rest: &str| {
        let text = query(&format!(
            "SELECT ?sourceObsel ?type (?sourceBegin as ?begin) {{ %(__subselect__)s {rest}"
        ));
        let obsels = world.compute("isparql", &["s"], &[("sparql", &text)]);
        let kind = |text: &String| text.split(' ').nth(3).unwrap_or_default().to_owned();
        obsels.iter().map(kind).collect::<Vec<_>>()
    };
    assert_eq!(types("VALUES ?type { m:N2 m:N1 } }"), ["m:N1", "m:N1"]);
    assert_eq!(
        types("VALUES ?type { m:N1 m:N2 } } ORDER BY DESC(?type)"),
        ["m:N2", "m:N2"]
    );
}

#[test]
fn only_what_is_new_is_asked_about() {
    let world = world();
    let example = query(EXAMPLE);
    let mut computation = world.computation("c", "isparql", &["s"], &[("sparql", &example)]);
    let mut add = |at: u32, more: &str, expected_work: usize| {
        world.obsels(
            "s",
            &format!("<n{at}> a m:A ; k:hasTrace <> ; k:hasBegin {at} ; k:hasEnd {at} . {more}"),
        );
        computation.refresh().expect("a legal query");
        computation.assert_as_from_scratch();
        assert_eq!(computation.work.get(), expected_work, "n{at}");
    };
    add(21, "", 3);
    add(22, "", 1);
    add(15, "", 4);
    add(30, "<n30> m:rel <n22> .", 5);
}

#[test]
fn an_obsel_that_has_no_row_any_more_goes() {
    let world = world();
    let text = query(
        "SELECT ?sourceObsel (m:N as ?type) (?sourceBegin as ?begin) {
            %(__subselect__)s FILTER NOT EXISTS { ?sourceObsel m:rel ?x } }",
    );
    let mut computation = world.computation("c", "isparql", &["s"], &[("sparql", &text)]);
    computation.refresh().expect("a legal query");
    assert_eq!(computation.ids(), ["o1", "o2"]);
    world.obsels(
        "s",
        "<o3> a m:A ; k:hasTrace <> ; k:hasBegin 21 ; k:hasEnd 21 . <o2> m:rel <o3> .",
    );
    computation.refresh().expect("a legal query");
    computation.assert_as_from_scratch();
    assert_eq!(computation.ids(), ["o1", "o3"]);
}

#[test]
fn problems_are_told() {
    let world = world();
    let titled = |problem: &str| {
        format!("compute_trace_description for <http://liris.cnrs.fr/silex/2009/ktbs#isparql>: ko\n* {problem}")
    };
    let cases = [
        (None, "Parameter 'sparql' is required"),
        (
            Some("SELECT * { ?s ?p ?o }"),
            "sparql parameter must include '%(__subselect__)s' placeholder",
        ),
        (
            Some("SELECT ?x { %(__subselect__)s }"),
            "no ?sourceObsel in the SPARQL result\n* no ?begin in the SPARQL result\n* no ?type in the SPARQL result",
        ),
        (Some("ASK { %(__subselect__)s }"), "SELECT query expected"),
        (
            Some("SELECT * { %(__subselect__)s ?x %(none)s ?y }"),
            "missing parameter none",
        ),
    ];
    for (text, expected) in cases {
        let parameters: Vec<(&str, &str)> = text.map(|text| ("sparql", text)).into_iter().collect();
        assert_eq!(
            world.diagnosis("isparql", &["s"], &parameters),
            titled(expected),
            "{text:?}"
        );
        assert!(
            world
                .computation("c", "isparql", &["s"], &parameters)
                .refresh()
                .is_err()
        );
    }
    let unused = [("sparql", &*query(EXAMPLE)), ("foo", "bar")];
    assert_eq!(
        world.diagnosis("isparql", &["s"], &unused),
        titled("WARN: Parameter foo is not used by <http://liris.cnrs.fr/silex/2009/ktbs#isparql>")
    );
    assert_eq!(world.compute("isparql", &["s"], &unused).len(), 2);
    let ktbs =
        query("SELECT ?sourceObsel (m:N as ?type) (?sourceBegin as ?begin) (3 as ?hasEnd) { %(__subselect__)s }");
    let problem = world.problems(
        "isparql",
        &["s"],
        &[("sparql", &ktbs), ("model", "http://liris.cnrs.fr/silex/2009/ktbs")],
    );
    assert!(problem.contains("#hasEnd> can not be an attribute"), "{problem}");
    let wrong = |select: &str| {
        let obsels = "{ SELECT ?sourceBegin ?source { %(__subselect__)s BIND(?sourceObsel AS ?source) } }";
        let text = query(&format!("SELECT {select} {{ {obsels} }}"));
        world.problems("isparql", &["s"], &[("sparql", &text)])
    };
    let begin = wrong("(?source as ?sourceObsel) (m:N as ?type) ('noon' as ?begin)");
    assert!(begin.contains("a timestamp of o1 is no integer"), "{begin}");
    let kind = wrong("(?source as ?sourceObsel) ('N' as ?type) (?sourceBegin as ?begin)");
    assert!(kind.contains("the type of o1 is no IRI"), "{kind}");
    let other = wrong("(m:N as ?type) (?sourceBegin as ?begin) (m:x as ?sourceObsel)");
    assert!(other.contains("?sourceObsel"), "{other}");
}
