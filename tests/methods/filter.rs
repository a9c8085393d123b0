//! Filter.

use super::support::World;

/// The source of the example of copies: obsels that name each other, themselves, their trace, blank nodes.
fn copies() -> World {
    let world = World::new("");
    world.trace("s", "k:hasOrigin \"o\" ;");
    world.obsels(
        "s",
        r#"<o00> a m:A ; k:hasTrace <> ; k:hasBegin 0 ; k:hasEnd 0 ; m:x 1 ; k:hasSubject "me" .
        <o10> a m:A ; k:hasTrace <> ; k:hasBegin 10 ; k:hasEnd 15 ; m:rel <o00> ; m:tags "a", "b" .
        <o12> a m:B ; k:hasTrace <> ; k:hasBegin 12 ; k:hasEnd 20 ; m:rel <o10> ; m:self <o12> ; m:bn [ m:inner 3 ] ;
            m:tr <> ; m:ext <http://ex.org/x> .
        <o15> a m:B ; k:hasTrace <> ; k:hasBegin 15 ; k:hasEnd 21 ."#,
    );
    world
}

#[test]
fn copies_name_copies() {
    let world = copies();
    let expected = [
        "o10 [10,15] a m:A ; k:hasSourceObsel s/o10 ; m:tags \"a\" ; m:tags \"b\"",
        "o12 [12,20] (_:0) m:inner 3 ; a m:B ; k:hasSourceObsel s/o12 ; m:bn _:0 ; m:ext <http://ex.org/x> ; \
         m:rel c/o10 ; m:self c/o12 ; m:tr c/",
    ];
    assert_eq!(
        world.compute("filter", &["s"], &[("after", "10"), ("before", "20")]),
        expected
    );
    let all = world.compute("filter", &["s"], &[]);
    assert_eq!(all.len(), 4);
    assert_eq!(
        all[0],
        "o00 [0,0] a m:A ; k:hasSourceObsel s/o00 ; k:hasSubject \"me\" ; m:x 1"
    );
    assert_eq!(
        all[1],
        "o10 [10,15] a m:A ; k:hasSourceObsel s/o10 ; m:rel c/o00 ; m:tags \"a\" ; m:tags \"b\""
    );
}

#[test]
fn bounds_are_inclusive_and_both_apply() {
    let world = World::new("");
    world.trace("s", "k:hasOrigin \"o\" ;");
    let spans = [(8, 15), (9, 15), (10, 15), (15, 20), (15, 21), (20, 20)];
    for (begin, end) in spans {
        world.obsels(
            "s",
            &format!("<o{begin}-{end}> a m:A ; k:hasTrace <> ; k:hasBegin {begin} ; k:hasEnd {end} ."),
        );
    }
    let mut computation = world.computation("c", "filter", &["s"], &[("after", " 10"), ("before", "20 ")]);
    computation.refresh().expect("legal parameters");
    assert_eq!(computation.ids(), ["o10-15", "o15-20", "o20-20"]);
}

#[test]
fn dates_are_bounds_rounded_to_even() {
    let world = World::new("<m> k:hasUnit k:second .");
    world.trace("s", "k:hasOrigin \"2020-01-01T00:00:00Z\" ;");
    for begin in 0..5 {
        world.obsels(
            "s",
            &format!("<o{begin}> a m:A ; k:hasTrace <> ; k:hasBegin {begin} ; k:hasEnd {begin} ."),
        );
    }
    let cases: [(&str, &str, &[&str]); 6] = [
        ("afterDT", "2020-01-01T00:00:01.5Z", &["o2", "o3", "o4"]),
        ("afterDT", "2020-01-01T00:00:02.5Z", &["o2", "o3", "o4"]),
        ("afterDT", "2020-01-01T01:00:03+01:00", &["o3", "o4"]),
        ("afterDT", "2020-01-01T00:00:03", &["o3", "o4"]),
        ("beforeDT", "2020-01-01", &["o0"]),
        ("beforeDT", "2020-01-01T00:00:01.2Z", &["o0", "o1"]),
    ];
    for (name, value, expected) in cases {
        let mut computation = world.computation("c", "filter", &["s"], &[(name, value)]);
        computation.refresh().expect("legal parameters");
        assert_eq!(computation.ids(), expected, "{name}={value}");
    }
    let both = [("before", "1"), ("beforeDT", "2020-01-01T00:00:03Z")];
    assert_eq!(world.compute("filter", &["s"], &both).len(), 2);
    assert_eq!(
        world.diagnosis("filter", &["s"], &both),
        "compute_trace_description for <http://liris.cnrs.fr/silex/2009/ktbs#filter>: ko\n\
         * WARN: 'before' and 'beforeDT' are both specified; the latter will be ignored"
    );
}

#[test]
fn subtypes_count_through_parent_models() {
    let world = World::new(
        "<m> k:hasParentModel <p> . m:B k:hasSuperObselType m:A . m:C k:hasSuperObselType <p#P> . m:D a k:ObselType .",
    );
    world.post(
        "b/",
        "<> k:contains <p> . <p> a k:TraceModel . <p#Q> k:hasSuperObselType <p#P> .",
    );
    world.trace("s", "k:hasOrigin \"o\" ;");
    world.obsels(
        "s",
        "<a> a m:A ; k:hasTrace <> ; k:hasBegin 1 ; k:hasEnd 1 . <b> a m:B, m:D ; k:hasTrace <> ; k:hasBegin 2 ; k:hasEnd 2 .
         <c> a m:C ; k:hasTrace <> ; k:hasBegin 3 ; k:hasEnd 3 . <q> a <../p#Q> ; k:hasTrace <> ; k:hasBegin 4 ; k:hasEnd 4 .
         <x> a <http://x/X> ; k:hasTrace <> ; k:hasBegin 5 ; k:hasEnd 5 .",
    );
    let root = crate::support::ROOT;
    let cases: [(String, &[&str]); 6] = [
        (format!("{root}b/m#A"), &["a", "b"]),
        (format!("{root}b/m#B {root}b/m#D"), &["b"]),
        (format!("{root}b/p#P  http://x/X"), &["c", "q", "x"]),
        ("m#A".to_owned(), &[]),
        (String::new(), &["a", "b", "c", "q", "x"]),
        ("  ".to_owned(), &["a", "b", "c", "q", "x"]),
    ];
    for (types, expected) in cases {
        let mut computation = world.computation("c", "filter", &["s"], &[("otypes", &types)]);
        computation.refresh().expect("legal parameters");
        assert_eq!(computation.ids(), expected, "otypes={types}");
    }
    let a = format!("{root}b/m#A");
    let mut computation = world.computation("c", "filter", &["s"], &[("otypes", &a)]);
    computation.refresh().expect("legal parameters");
    world.put_model("m:X k:hasSuperObselType m:A . m:D k:hasSuperObselType m:X .");
    computation.refresh().expect("legal parameters");
    assert_eq!(computation.ids(), ["a", "b"], "b is of type D, a subtype of A now");
    world.put_model("m:X k:hasSuperObselType m:A .");
    computation.refresh().expect("legal parameters");
    assert_eq!(computation.ids(), ["a"]);
}

#[test]
fn only_what_is_new_is_copied() {
    let world = World::new("");
    world.trace("s", "k:hasOrigin \"o\" ; k:hasPseudoMonRange 20 ;");
    let mut computation = world.computation("c", "filter", &["s"], &[("after", "10"), ("before", "20")]);
    let mut sizes = Vec::new();
    let mut work = Vec::new();
    for at in [0, 5, 10, 15, 20, 25, 30, 27, 17, 7, 35] {
        world.obsels(
            "s",
            &format!("<o{at}> a m:A ; k:hasTrace <> ; k:hasBegin {at} ; k:hasEnd {at} ."),
        );
        computation.refresh().expect("legal parameters");
        computation.assert_as_from_scratch();
        sizes.push(computation.obsels().len());
        work.push(computation.work.get());
    }
    assert_eq!(sizes, [0, 0, 1, 2, 3, 3, 3, 3, 4, 4, 4]);
    assert_eq!(work, [0, 0, 1, 1, 1, 0, 0, 3, 4, 4, 0]);
    for (id, expected) in [("o15", 3), ("o25", 3)] {
        world.delete("s", id);
        computation.refresh().expect("legal parameters");
        computation.assert_as_from_scratch();
        assert_eq!(computation.obsels().len(), expected);
    }
}

#[test]
fn relations_are_copied_between_members_only() {
    let world = World::new("");
    world.trace("s", "k:hasOrigin \"o\" ;");
    let mut computation = world.computation("c", "filter", &["s"], &[("after", "10"), ("before", "20")]);
    let steps: [&[(u32, &str)]; 11] = [
        &[(0, "")],
        &[(5, "")],
        &[(10, "m:r <o0>")],
        &[(11, ""), (12, "")],
        &[(13, "")],
        &[(14, "m:r <o12>")],
        &[(15, "")],
        &[(25, "")],
        &[(30, "m:r <o13>")],
        &[],
        &[(31, "m:r <o31>")],
    ];
    for step in steps {
        for (at, relation) in step {
            world.obsels(
                "s",
                &format!("<o{at}> a m:A ; k:hasTrace <> ; k:hasBegin {at} ; k:hasEnd {at} ; {relation} ."),
            );
        }
        computation.refresh().expect("legal parameters");
        computation.assert_as_from_scratch();
    }
    world.obsels(
        "s",
        "<o16> a m:A ; k:hasTrace <> ; k:hasBegin 16 ; k:hasEnd 16 . <o05> m:r <o16> . <o13> m:q <o16> .",
    );
    computation.refresh().expect("legal parameters");
    computation.assert_as_from_scratch();
    let relations: Vec<String> = (computation.obsels().iter())
        .filter(|text| text.contains("m:r ") || text.contains("m:q "))
        .cloned()
        .collect();
    assert_eq!(
        relations,
        [
            "o14 [14,14] a m:A ; k:hasSourceObsel s/o14 ; m:r c/o12",
            "o16 [16,16] (c/o13) m:q c/o16 ; a m:A ; k:hasSourceObsel s/o16",
        ]
    );
}

#[test]
fn problems_are_told_in_the_words_of_the_ktbs() {
    let world = World::new("<m> k:hasUnit k:sequence .");
    world.trace("s", "k:hasOrigin \"o\" ;");
    world.trace("t", "k:hasOrigin \"2020\" ;");
    let titled = |problem: &str| {
        format!("compute_trace_description for <http://liris.cnrs.fr/silex/2009/ktbs#filter>: ko\n* {problem}")
    };
    type Case<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)], &'a str);
    let cases: [Case<'_>; 8] = [
        (&["s"], &[], ""),
        (
            &[],
            &[],
            "Method <http://liris.cnrs.fr/silex/2009/ktbs#filter> expects exactly one source",
        ),
        (
            &["s", "t"],
            &[],
            "Method <http://liris.cnrs.fr/silex/2009/ktbs#filter> expects exactly one source",
        ),
        (
            &["s"],
            &[("after", "noon"), ("before", "1.0")],
            "Parameter after has illegal value: noon.\n    Reason: an integer is expected\n\
             * Parameter before has illegal value: 1.0.\n    Reason: an integer is expected",
        ),
        (
            &["t"],
            &[("afterDT", "2020-13-01")],
            "Parameter afterDT has illegal value: 2020-13-01.\n    Reason: a date is expected\n\
             * 'beforeDT' and/or 'afterDT' used, but no converter is available for unit \
             <http://liris.cnrs.fr/silex/2009/ktbs#sequence>",
        ),
        (
            &["s"],
            &[("beforeDT", "2020")],
            "'beforeDT' and/or 'afterDT' used, but trace origin is not a valid dateTime\n\
             * 'beforeDT' and/or 'afterDT' used, but no converter is available for unit \
             <http://liris.cnrs.fr/silex/2009/ktbs#sequence>",
        ),
        (
            &["s"],
            &[("colour", "red")],
            "WARN: Parameter colour is not used by <http://liris.cnrs.fr/silex/2009/ktbs#filter>",
        ),
        (
            &["s"],
            &[("after", "noon"), ("colour", "red")],
            "Parameter after has illegal value: noon.\n    Reason: an integer is expected\n\
             * WARN: Parameter colour is not used by <http://liris.cnrs.fr/silex/2009/ktbs#filter>",
        ),
    ];
    for (sources, parameters, expected) in cases {
        let expected = if expected.is_empty() {
            String::new()
        } else {
            titled(expected)
        };
        assert_eq!(world.diagnosis("filter", sources, parameters), expected);
        let errors = world.describe("filter", sources, parameters).errors;
        assert_eq!(
            world.computation("c", "filter", sources, parameters).refresh().is_err(),
            !errors.is_empty(),
            "{parameters:?}"
        );
    }
    assert_eq!(
        world.problems("filter", &["s"], &[("after", "noon")]),
        "compute_obsels for <http://liris.cnrs.fr/silex/2009/ktbs#filter>: ko\n\
         * Parameter after has illegal value: noon.\n    Reason: an integer is expected"
    );
}

#[test]
fn model_and_origin_are_those_of_the_source_unless_given() {
    let world = World::new("");
    world.trace("s", "k:hasOrigin \"o\" ;");
    let root = crate::support::ROOT;
    let described = |parameters: &[(&str, &str)]| {
        let description = world.describe("filter", &["s"], parameters);
        let origin = description
            .origin
            .as_ref()
            .and_then(ktbs::rdf::as_literal)
            .map(str::to_owned);
        (description.model.unwrap_or_default(), origin.unwrap_or_default())
    };
    assert_eq!(described(&[]), (format!("{root}b/m"), "o".to_owned()));
    assert_eq!(
        described(&[("model", "http://ex.org/m"), ("origin", "now")]),
        ("http://ex.org/m".to_owned(), "now".to_owned())
    );
    assert_eq!(
        described(&[("model", "m2"), ("origin", "")]),
        (format!("{root}b/c/m2"), String::new())
    );
}
