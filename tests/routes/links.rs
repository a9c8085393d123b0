//! Who uses what: what shows in a description is kept beside it, so that a method that thousands of traces use costs no
//! more than another.

use std::collections::BTreeSet;

use ktbs::error::Error;
use ktbs::rdf::{as_iri, iri, is_iri};
use ktbs::resource::Expected;
use ktbs::store::verify::verify;
use ktbs::vocab::ktbs as k;
use proptest::prelude::*;
use proptest::test_runner::Config;

use super::support::{ROOT, TestService, conflict, turtle};

/// Returns how many bytes this thread has asked the system to write: LMDB writes its pages so.
fn written() -> u64 {
    let io = std::fs::read_to_string("/proc/thread-self/io").unwrap();
    let line = io.lines().find_map(|line| line.strip_prefix("wchar: ")).unwrap();
    line.parse().unwrap()
}

/// Returns how many bytes something writes.
fn cost(f: impl FnOnce()) -> u64 {
    let before = written();
    f();
    written() - before
}

/// Returns a kTBS with a method `b/m`, and a source `b/s/`.
fn with_method() -> TestService {
    let ktbs = TestService::in_memory();
    ktbs.created("", "<> k:hasBase <b/>. <b/> a k:Base.");
    ktbs.created("b/", "<> k:contains <m>. <m> a k:Method; k:hasParentMethod k:filter.");
    ktbs.created(
        "b/",
        "<> k:contains <s/>. <s/> a k:StoredTrace; k:hasModel <http://ex.org/m>; k:hasOrigin 'o'.",
    );
    ktbs
}

fn create(ktbs: &TestService, id: &str) {
    ktbs.created(
        "b/",
        &format!("<> k:contains <{id}/>. <{id}/> a k:ComputedTrace; k:hasMethod <m>; k:hasSource <s/>."),
    );
}

#[test]
fn a_use_costs_the_same_however_many_there_are() {
    let ktbs = with_method();
    let mut tenth = 0;
    let mut last = 0;
    for number in 1..=600 {
        last = cost(|| create(&ktbs, &format!("t{number:05}")));
        if number == 10 {
            tenth = last;
        }
    }
    assert!(last < 2 * tenth, "created: the 10th {tenth} bytes, the 600th {last}");
    let edited = cost(|| {
        ktbs.put(
            "b/t00300/",
            "<../> k:contains <>. <> a k:ComputedTrace; k:hasMethod k:filter; k:hasSource <../s/>;
             k:hasObselCollection <@obsels>; k:hasTraceStatistics <@stats>.",
        )
        .unwrap();
    });
    assert!(edited < 2 * tenth, "edited: {edited} bytes");
    let deleted = cost(|| ktbs.delete("b/t00301/").unwrap());
    assert!(deleted < 2 * tenth, "deleted: {deleted} bytes");
}

#[test]
fn a_use_of_what_comes_later_is_shown_once_it_is_there() {
    let ktbs = with_method();
    ktbs.created(
        "b/",
        "<> k:contains <t/>. <t/> a k:ComputedTrace; k:hasMethod <late>; k:hasSource <s/>.",
    );
    ktbs.created(
        "b/",
        "<> k:contains <late>. <late> a k:Method; k:hasParentMethod k:filter.",
    );
    ktbs.shows(
        "b/late",
        "<./> k:contains <>. <> a k:Method; k:hasParentMethod k:filter. <t/> k:hasMethod <>.",
    );
    assert_eq!(
        conflict(ktbs.delete("b/late")),
        "<b/late> is used (ktbs:hasMethod) by <b/t/>"
    );
    ktbs.delete("b/t/").unwrap();
    ktbs.delete("b/late").unwrap();
    well(&ktbs);
}

/// Checks that what descriptions say of what they use, and the links, are the same.
fn well(ktbs: &TestService) {
    let mut problems = Vec::new();
    verify(
        &ktbs.service.store.read().unwrap(),
        &mut |problem| problems.push(problem),
        &mut |_, _, _| {},
    )
    .unwrap();
    assert_eq!(problems, Vec::<String>::new());
    // What is read may make its intermediate traces first, or unmake them.
    for path in ITEMS.iter().filter(|path| ktbs.has(path)) {
        ktbs.get(path);
    }
    let graphs: Vec<_> = ITEMS
        .iter()
        .filter(|path| ktbs.has(path))
        .map(|path| ktbs.get(path))
        .collect();
    let mut paths = ITEMS.iter().filter(|path| ktbs.has(path));
    for graph in &graphs {
        let own = format!("{ROOT}{}", paths.next().unwrap());
        for property in [k::HAS_SOURCE, k::HAS_METHOD, k::HAS_PARENT_METHOD] {
            let shown: BTreeSet<_> = graph.subjects_of(property, &own).filter_map(as_iri).collect();
            let said = graphs.iter().flat_map(|other| {
                other
                    .iter()
                    .filter(|[s, p, o]| is_iri(p, property) && is_iri(o, &own) && !is_iri(s, &own))
                    .filter_map(|[s, ..]| as_iri(s))
            });
            assert_eq!(shown, said.collect(), "{own} {property}");
        }
    }
}

/// What random histories make and unmake.
const ITEMS: [&str; 9] = [
    "b/s/", "b/m", "b/m0", "b/m1", "b/pipe", "b/t0/", "b/t1/", "b/_0_t0/", "b/_0_t1/",
];

/// Does something with one of the items, be it possible or not.
fn step(ktbs: &TestService, what: u8, item: u8, method: u8, source: u8) {
    let method = ["<m>", "<m0>", "<m1>", "<pipe>", "k:filter"][usize::from(method % 5)];
    let source = ["<s/>", "<t0/>", "<t1/>"][usize::from(source % 3)];
    let (id, body) = match item % 5 {
        0 | 1 => {
            let id = format!("m{}", item % 5);
            let body = format!("a k:Method; k:hasParentMethod {method}");
            (id, body)
        }
        2 => {
            let methods = format!("k:hasParameter 'methods={ROOT}b/m {ROOT}b/m0'");
            (
                "pipe".to_owned(),
                format!("a k:Method; k:hasParentMethod k:pipe; {methods}"),
            )
        }
        number => {
            let id = format!("t{}/", number - 3);
            (
                id,
                format!("a k:ComputedTrace; k:hasMethod {method}; k:hasSource {source}"),
            )
        }
    };
    let path = format!("b/{id}");
    let done = match what % 4 {
        0 | 1 if !ktbs.has(&path) => ktbs
            .post("b/", &format!("<> k:contains <{id}>. <{id}> {body}."))
            .map(|_| ()),
        0 | 1 => {
            // What is generated is repeated; the rest becomes another.
            let mut graph = ktbs.get(&path);
            let own = iri(format!("{ROOT}{path}"));
            let edited = [k::HAS_METHOD, k::HAS_SOURCE, k::HAS_PARENT_METHOD, k::HAS_PARAMETER];
            graph.retain(|s, p, _| *s != own || !edited.iter().any(|property| is_iri(p, property)));
            graph.extend_from(&turtle("b/", &format!("<{id}> {body}.")));
            let target = ktbs.find(&path).unwrap();
            ktbs.service.replace(target, &Expected::Anything, graph).map(|_| ())
        }
        2 => ktbs.find(&path).and_then(|target| ktbs.service.delete(&target, &[])),
        _ => ktbs.view(&path, &[]).map(|_| ()),
    };
    match done {
        Ok(()) | Err(Error::InvalidData(_) | Error::Conflict(_) | Error::NotFound) => {}
        Err(other) => panic!("{other:?}"),
    }
}

proptest! {
    #![proptest_config(Config { cases: 24, ..Config::default() })]

    #[test]
    fn links_are_what_descriptions_say(steps in prop::collection::vec(any::<(u8, u8, u8, u8)>(), 1..40)) {
        let ktbs = with_method();
        for (what, item, method, source) in steps {
            step(&ktbs, what, item, method, source);
        }
        well(&ktbs);
    }
}
