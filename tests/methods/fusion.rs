//! Fusion.

use super::support::World;

fn two_sources() -> World {
    let world = World::new("");
    world.trace("s1", "k:hasOrigin \"o\" ;");
    world.trace("s2", "k:hasOrigin \"o\" ;");
    world.obsels("s1", "<o1> a m:A ; k:hasTrace <> ; k:hasBegin 10 ; k:hasEnd 10 .");
    world.obsels("s2", "<p1> a m:A ; k:hasTrace <> ; k:hasBegin 5 ; k:hasEnd 5 .");
    world.obsels(
        "s2",
        "<p2> a m:A ; k:hasTrace <> ; k:hasBegin 15 ; k:hasEnd 15 ; m:rel <p1> .",
    );
    world
}

#[test]
fn obsels_are_named_after_their_sources() {
    let world = two_sources();
    let expected = [
        "s2_p1 [5,5] a m:A ; k:hasSourceObsel s2/p1",
        "s1_o1 [10,10] a m:A ; k:hasSourceObsel s1/o1",
        "s2_p2 [15,15] a m:A ; k:hasSourceObsel s2/p2 ; m:rel u/s2_p1",
    ];
    let mut fusion = world.computation("u", "fusion", &["s1", "s2"], &[]);
    fusion.refresh().expect("common model and origin");
    assert_eq!(fusion.obsels(), expected);
    let mut again = world.computation("uu", "fusion", &[], &[]).reads(&fusion);
    again.refresh().expect("common model and origin");
    assert_eq!(again.ids(), ["u_s2_p1", "u_s1_o1", "u_s2_p2"]);
    assert_eq!(
        again.obsels()[2],
        "u_s2_p2 [15,15] a m:A ; k:hasSourceObsel u/s2_p2 ; m:rel uu/u_s2_p1"
    );
}

#[test]
fn late_obsels_and_deletions_are_followed() {
    let world = two_sources();
    let mut fusion = world.computation("u", "fusion", &["s1", "s2"], &[]);
    fusion.refresh().expect("common model and origin");
    world.obsels("s1", "<o0> a m:A ; k:hasTrace <> ; k:hasBegin 1 ; k:hasEnd 1 .");
    fusion.refresh().expect("common model and origin");
    fusion.assert_as_from_scratch();
    assert_eq!(fusion.ids(), ["s1_o0", "s2_p1", "s1_o1", "s2_p2"]);
    world.obsels("s2", "<p3> a m:A ; k:hasTrace <> ; k:hasBegin 16 ; k:hasEnd 16 .");
    fusion.refresh().expect("common model and origin");
    fusion.assert_as_from_scratch();
    assert_eq!(fusion.work.get(), 1);
    world.delete("s2", "p1");
    fusion.refresh().expect("common model and origin");
    fusion.assert_as_from_scratch();
    assert_eq!(fusion.ids(), ["s1_o0", "s1_o1", "s2_p2", "s2_p3"]);
}

#[test]
fn what_is_said_of_a_source_is_said_of_the_target() {
    let world = World::new("");
    world.trace("s", "k:hasOrigin \"o\" ;");
    world.trace("t", "k:hasOrigin \"o\" ;");
    world.obsels(
        "s",
        "<a> a m:A ; k:hasTrace <> ; k:hasBegin 1 ; k:hasEnd 1 ; m:self <a> ; m:tr <> ; m:next <b> ; m:oth <../t/p> .
         [] m:about <a> .",
    );
    assert_eq!(
        world.compute("fusion", &["s", "t"], &[]),
        [
            "s_a [1,1] (_:0) m:about c/s_a ; a m:A ; k:hasSourceObsel s/a ; m:next c/s_b ; m:oth t/p ; m:self c/s_a ; m:tr c/"
        ]
    );
}

#[test]
fn different_models_and_origins_must_be_settled() {
    let world = World::new("");
    world.trace("s", "k:hasOrigin \"o\" ;");
    world.post("b/", "<> k:contains <m2> . <m2> a k:TraceModel .");
    world.post(
        "b/",
        "<> k:contains <t/> . <t/> a k:StoredTrace ; k:hasModel <m2> ; k:hasOrigin \"p\" .",
    );
    assert_eq!(
        world.diagnosis("fusion", &["s", "t"], &[("colour", "red")]),
        "fusion.compute_trace_description: ko\n\
         * Sources have different models and no target model is explicitly specified\n\
         * Sources have different origins and no target origin is explicitly specified\n\
         * WARN: Parameter colour is not used by ktbs:fusion"
    );
    let description = world.describe("fusion", &["s", "t"], &[]);
    assert_eq!((description.model, description.origin), (None, None));
    assert_eq!(
        world.problems("fusion", &["s", "t"], &[("model", "http://ex.org/m")]),
        "fusion.compute_obsels: ko\n* Sources have different origins and no target origin is explicitly specified"
    );
    assert_eq!(
        world.diagnosis("fusion", &[], &[]),
        "fusion.compute_trace_description: ko\n* Method ktbs:fusion expects at least one source"
    );
    let settled = [("model", "http://ex.org/m"), ("origin", "q")];
    assert_eq!(world.diagnosis("fusion", &["s", "t"], &settled), "");
    assert_eq!(world.compute("fusion", &["s", "t"], &settled), Vec::<String>::new());
}

#[test]
fn two_obsels_never_become_one() {
    let world = World::new("");
    world.trace("a", "k:hasOrigin \"o\" ;");
    world.trace("a_b", "k:hasOrigin \"o\" ;");
    world.obsels("a", "<x> a m:A ; k:hasTrace <> ; k:hasBegin 1 ; k:hasEnd 1 .");
    world.obsels("a_b", "<c> a m:A ; k:hasTrace <> ; k:hasBegin 2 ; k:hasEnd 2 .");
    let mut fusion = world.computation("u", "fusion", &["a", "a_b"], &[]);
    fusion.refresh().expect("distinct names");
    assert_eq!(fusion.ids(), ["a_x", "a_b_c"]);
    world.obsels("a", "<b_c> a m:A ; k:hasTrace <> ; k:hasBegin 3 ; k:hasEnd 3 .");
    let problem = fusion.refresh().expect_err("a/b_c and a_b/c have the same name");
    assert!(
        problem.contains("Two obsels would have the same identifier a_b_c"),
        "{problem}"
    );
}

#[test]
fn a_name_that_is_too_long_is_told() {
    let world = World::new("");
    world.trace("s", "k:hasOrigin \"o\" ;");
    let long = "x".repeat(239);
    world.obsels(
        "s",
        &format!("<{long}> a m:A ; k:hasTrace <> ; k:hasBegin 1 ; k:hasEnd 1 ."),
    );
    assert!(world.problems("fusion", &["s"], &[]).contains("longer than 240 bytes"));
}
