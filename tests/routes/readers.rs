//! Several readers of computed traces at once, as several processes are: what is stale is stored once, and nobody sees a mixture.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use ktbs::error::{Error, Result};
use ktbs::resource::{Content, Expected};
use ktbs::store::StoreError;

use super::support::{TestService, turtle};

const OBSELS: usize = 300;

/// Returns obsels that all have this value.
fn obsels(value: usize) -> String {
    (0..OBSELS)
        .map(|i| format!("<o{i}> a <../m#A>; k:hasTrace <>; k:hasBegin {i}; k:hasEnd {i}; <../m#v> {value}. "))
        .collect()
}

/// Returns a kTBS with a source and a chain of two traces computed from it.
fn ktbs() -> TestService {
    let ktbs = TestService::in_memory();
    ktbs.created("", "<> k:hasBase <b/>. <b/> a k:Base.");
    for item in [
        "<> k:contains <m>. <m> a k:TraceModel.",
        "<> k:contains <s/>. <s/> a k:StoredTrace; k:hasModel <m>; k:hasOrigin 'o'.",
        "<> k:contains <c/>. <c/> a k:ComputedTrace; k:hasMethod k:filter; k:hasSource <s/>; k:hasParameter 'after=0'.",
        "<> k:contains <d/>. <d/> a k:ComputedTrace; k:hasMethod k:fusion; k:hasSource <c/>.",
    ] {
        ktbs.created("b/", item);
    }
    ktbs.post("b/s/", &obsels(0)).unwrap();
    ktbs
}

/// Returns how many obsels a trace has, and their values, each once.
fn read(ktbs: &TestService, path: &str) -> Result<(usize, Vec<String>)> {
    let view = ktbs.view(path, &[])?;
    let Content::Obsels(obsels) = &view.content else {
        panic!("{path} has no obsels");
    };
    let (mut count, mut values) = (0, Vec::new());
    let graph = obsels.graph()?;
    obsels.for_each(&mut |_| {
        count += 1;
        Ok(())
    })?;
    for [_, predicate, object] in graph.iter() {
        if ktbs::rdf::as_iri(predicate).is_some_and(|iri| iri.ends_with("m#v")) {
            values.push(ktbs::rdf::as_literal(object).unwrap().to_owned());
        }
    }
    values.sort_unstable();
    values.dedup();
    Ok((count, values))
}

/// Returns how many tags the store has given.
fn tags_given(ktbs: &TestService) -> u64 {
    ktbs.service.store.write().unwrap().new_tag().count
}

#[test]
fn what_is_stale_is_stored_once() {
    let alone = ktbs();
    let before = tags_given(&alone);
    assert_eq!(read(&alone, "b/d/@obsels").unwrap().0, OBSELS);
    let wanted = tags_given(&alone) - before;

    let ktbs = ktbs();
    let before = tags_given(&ktbs);
    let start = Barrier::new(4);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                start.wait();
                assert_eq!(read(&ktbs, "b/d/@obsels").unwrap(), (OBSELS, vec!["0".to_owned()]));
            });
        }
    });
    assert_eq!(tags_given(&ktbs) - before, wanted);
}

#[test]
fn nobody_sees_a_mixture() {
    let ktbs = ktbs();
    let is_over = AtomicBool::new(false);
    // Told once the readers have ended, who would wait for ever for a writer that panics.
    let mut failure: Option<Error> = None;
    thread::scope(|scope| {
        let readers: Vec<_> = ["b/d/@obsels", "b/c/@obsels", "b/d/@obsels"]
            .into_iter()
            .map(|path| {
                let (ktbs, is_over) = (&ktbs, &is_over);
                scope.spawn(move || {
                    let mut seen = 0;
                    while !is_over.load(Ordering::Relaxed) || seen == 0 {
                        match read(ktbs, path) {
                            Ok((count, values)) => {
                                assert_eq!((count, values.len()), (OBSELS, 1), "{values:?}");
                                seen += 1;
                            }
                            // Its source never stays the same for long enough.
                            Err(Error::Store(StoreError::Busy)) => {}
                            Err(error) => panic!("{path}: {error}"),
                        }
                    }
                })
            })
            .collect();
        for value in 1..=20 {
            let structure = "<./> k:hasObselCollection <>. <> a k:StoredTraceObsels. ";
            let body = obsels(value)
                .replace("<o", "<./o")
                .replace("hasTrace <>", "hasTrace <./>");
            let graph = turtle("b/s/@obsels", &format!("{structure}{body}"));
            let replaced =
                (ktbs.find("b/s/@obsels")).and_then(|target| ktbs.service.replace(target, &Expected::Anything, graph));
            failure = replaced.err();
            if failure.is_some() || readers.iter().any(|reader| reader.is_finished()) {
                break;
            }
        }
        is_over.store(true, Ordering::Relaxed);
    });
    assert!(failure.is_none(), "{failure:?}");
    assert_eq!(read(&ktbs, "b/d/@obsels").unwrap(), (OBSELS, vec!["20".to_owned()]));
}
