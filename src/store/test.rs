//! Random histories agree with a model in memory; Sophia's own tests run over the views.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Bound, ControlFlow};

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::obsel::{Arc, Mention, Obsel, Value};
use crate::vocab::ktbs;

const ROOT: &str = "http://localhost/ktbs/";
const MAP_SIZE: u64 = 1 << 26;

pub(super) fn store() -> (TempDir, Store) {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path(), ROOT, MAP_SIZE).unwrap();
    (directory, store)
}

/// An obsel of the model: begin, end, type, subject, relations (predicate, id), labels.
#[derive(Clone, Debug, PartialEq)]
struct Known {
    begin: i64,
    end: i64,
    kind: u8,
    subject: Option<u8>,
    relations: BTreeSet<(u8, u8)>,
    /// Triples of which another id is the subject and this obsel the object: predicate, id.
    incoming: BTreeSet<(u8, u8)>,
}

#[derive(Clone, Debug)]
enum Step {
    Add(u8, Known),
    Remove(u8),
    Clear,
    Commit,
    Abort,
}

fn any_known() -> impl Strategy<Value = Known> {
    let pairs = || prop::collection::btree_set((0..3u8, 0..8u8), 0..3);
    (-20..20i64, 0..6i64, 0..3u8, prop::option::of(0..3u8), pairs(), pairs()).prop_map(
        |(begin, duration, kind, subject, relations, incoming)| {
            let end = begin + duration;
            Known {
                begin,
                end,
                kind,
                subject,
                relations,
                incoming,
            }
        },
    )
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0..8u8, any_known()).prop_map(|(id, known)| Step::Add(id, known)),
        3 => (0..8u8).prop_map(Step::Remove),
        1 => Just(Step::Clear),
        4 => Just(Step::Commit),
        1 => Just(Step::Abort),
    ]
}

fn id(number: u8) -> String {
    format!("o{number}")
}

fn iri(kind: &str, number: u8) -> String {
    format!("http://ex.org/{kind}{number}")
}

fn add(change: &mut Change<'_>, trace: TraceNumber, number: u8, known: &Known) -> Result<()> {
    let ids: Vec<String> = (0..8).map(id).collect();
    let subjects: Vec<String> = (0..3).map(|n| iri("s", n)).collect();
    let own = id(number);
    let mut obsel = Obsel {
        id: &own,
        begin: known.begin,
        end: known.end,
        ..Obsel::default()
    };
    obsel.types.push(Value::Named(change.name(&iri("T", known.kind))?));
    if let Some(subject) = known.subject {
        let object = Value::Iri(&subjects[usize::from(subject)]);
        obsel.arcs.push(Arc {
            predicate: change.name(ktbs::HAS_SUBJECT)?,
            object,
        });
    }
    for (predicate, other) in &known.relations {
        let predicate = change.name(&iri("p", *predicate))?;
        obsel.arcs.push(Arc {
            predicate,
            object: Value::Obsel(&ids[usize::from(*other)]),
        });
    }
    for (predicate, other) in &known.incoming {
        let predicate = change.name(&iri("p", *predicate))?;
        obsel.others.push((
            Value::Obsel(&ids[usize::from(*other)]),
            Arc {
                predicate,
                object: Value::Obsel(&own),
            },
        ));
    }
    change.add_obsel(trace, &obsel)
}

/// Checks all that can be read of a trace against the model.
fn check(snapshot: &Snapshot, trace: TraceNumber, model: &BTreeMap<u8, Known>) {
    let record = snapshot.trace(trace).unwrap();
    assert_eq!(record.obsels, model.len() as u64);
    assert_eq!(
        record.min_begin,
        model.values().map(|known| known.begin).min().unwrap_or(0)
    );
    let subjects: BTreeSet<_> = model.values().filter_map(|known| known.subject).collect();
    assert_eq!(record.subjects, subjects.len() as u64);

    let mut expected: Vec<(i64, i64, String)> = model
        .iter()
        .map(|(number, known)| (known.end, known.begin, id(*number)))
        .collect();
    expected.sort();
    let mut places = Vec::new();
    let mut triples = 0;
    snapshot
        .for_each_obsel(trace, &Bounds::ALL, &mut |obsel| {
            places.push((obsel.end, obsel.begin, obsel.id.to_owned()));
            triples += obsel.triple_count();
            Ok(ControlFlow::Continue(()))
        })
        .unwrap();
    assert_eq!(places, expected);
    assert_eq!(record.triples, triples);
    let last = snapshot
        .last_place(trace)
        .unwrap()
        .map(|place| (place.end, place.begin, place.id));
    assert_eq!(last, expected.last().cloned());

    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for known in model.values() {
        *counts.entry(iri("T", known.kind)).or_default() += 1;
    }
    let tallies = snapshot.tallies(trace, Tally::Type).unwrap();
    let tallies: BTreeMap<String, u64> = tallies
        .into_iter()
        .map(|(name, count)| (snapshot.iri_of(name).unwrap(), count))
        .collect();
    assert_eq!(tallies, counts);

    let mut mentions = 0;
    for number in 0..8 {
        let mut expected: BTreeSet<(bool, String, String)> = BTreeSet::new();
        for (other, known) in model.iter().filter(|(other, _)| **other != number) {
            let about = |pairs: &BTreeSet<(u8, u8)>| -> Vec<String> {
                pairs
                    .iter()
                    .filter(|(_, target)| *target == number)
                    .map(|(p, _)| iri("p", *p))
                    .collect()
            };
            expected.extend(about(&known.relations).into_iter().map(|p| (false, p, id(*other))));
            expected.extend(about(&known.incoming).into_iter().map(|p| (true, p, id(*other))));
        }
        let found = snapshot.mentions(trace, &id(number)).unwrap();
        mentions += found.len() as u64;
        let found: BTreeSet<(bool, String, String)> = found
            .into_iter()
            .map(
                |Mention {
                     outgoing,
                     predicate,
                     other,
                 }| (outgoing, snapshot.iri_of(predicate).unwrap(), other.into()),
            )
            .collect();
        assert_eq!(found, expected, "about o{number}");
    }
    assert_eq!(record.mentions, mentions);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn histories_agree_with_a_model(steps in prop::collection::vec(any_step(), 1..40)) {
        let (_directory, store) = store();
        let mut change = store.write().unwrap();
        let trace = change.create_trace().unwrap();
        change.commit().unwrap();
        let mut committed: BTreeMap<u8, Known> = BTreeMap::new();
        let mut model = committed.clone();
        let mut change = store.write().unwrap();
        for step in steps {
            match step {
                Step::Add(number, known) => {
                    let added = add(&mut change, trace, number, &known);
                    prop_assert_eq!(added.is_ok(), !model.contains_key(&number));
                    model.entry(number).or_insert(known);
                }
                Step::Remove(number) => {
                    let removed = change.remove_obsel(trace, &id(number)).unwrap();
                    prop_assert_eq!(removed, model.remove(&number).is_some());
                    for known in model.values_mut() {
                        known.relations.retain(|(_, other)| *other != number);
                        known.incoming.retain(|(_, other)| *other != number);
                    }
                }
                Step::Clear => {
                    change.delete_obsels(trace).unwrap();
                    model.clear();
                }
                Step::Commit => {
                    change.commit().unwrap();
                    committed = model.clone();
                    check(&store.read().unwrap(), trace, &committed);
                    change = store.write().unwrap();
                }
                Step::Abort => {
                    drop(change);
                    model = committed.clone();
                    check(&store.read().unwrap(), trace, &committed);
                    change = store.write().unwrap();
                }
            }
        }
        change.commit().unwrap();
        check(&store.read().unwrap(), trace, &model);
    }

    #[test]
    fn parts_of_a_trace_are_those_of_a_sorted_list(
        obsels in prop::collection::btree_map("[a-zA-Z]{1,3}", (-5..5i64, 0..3i64), 0..20),
        from in prop::option::of((-6..8i64, -6..8i64, "[a-zA-Z]{0,2}")),
        to in prop::option::of((-6..8i64, -6..8i64, "[a-zA-Z]{0,2}")),
        reverse: bool,
    ) {
        let (_directory, store) = store();
        let mut change = store.write().unwrap();
        let trace = change.create_trace().unwrap();
        let neighbour = change.create_trace().unwrap();
        for (id, (begin, duration)) in &obsels {
            for trace in [trace, neighbour] {
                let obsel = Obsel { id, begin: *begin, end: begin + duration, ..Obsel::default() };
                change.add_obsel(trace, &obsel).unwrap();
            }
        }
        change.commit().unwrap();
        let place = |(end, begin, id): (i64, i64, String)| Place { end, begin, id };
        let bounds = Bounds {
            lower: from.map_or(Bound::Unbounded, |from| Bound::Excluded(place(from))),
            upper: to.map_or(Bound::Unbounded, |to| Bound::Included(place(to))),
        };
        let mut expected: Vec<Place> =
            obsels.iter().map(|(id, (begin, duration))| place((begin + duration, *begin, id.clone()))).collect();
        expected.retain(|place| {
            std::ops::RangeBounds::<Place>::contains(&(bounds.lower.as_ref(), bounds.upper.as_ref()), place)
        });
        expected.sort();
        if reverse {
            expected.reverse();
        }
        let mut found = Vec::new();
        store.read().unwrap().for_each_place(trace, &bounds, reverse, &mut |end, begin, id| {
            found.push(Place { end, begin, id: id.to_owned() });
            Ok(ControlFlow::Continue(()))
        }).unwrap();
        prop_assert_eq!(found, expected);
    }
}

fn entry(path: &str, kind: Kind) -> Entry {
    let tag = Tag { instance: 0, count: 0 };
    let head = Head {
        path: path.into(),
        kind,
        tag,
        modified: 0,
        trace: None,
        unit: None,
    };
    Entry {
        head,
        graph: Graph::new(),
    }
}

#[test]
fn children_are_direct_and_cheap_to_tell() {
    let (_directory, store) = store();
    let mut change = store.write().unwrap();
    for path in [
        "", "b/", "b/m", "b/m2", "b/sub/", "b/sub/t/", "b/sub0", "b/t/", "b-/", "b0/",
    ] {
        change.put(&mut entry(path, Kind::Base)).unwrap();
    }
    change.commit().unwrap();
    let snapshot = store.read().unwrap();
    let children = |path| {
        snapshot
            .children(path)
            .unwrap()
            .into_iter()
            .map(|head| head.path)
            .collect::<Vec<_>>()
    };
    assert_eq!(children(""), ["b-/", "b/", "b0/"]);
    assert_eq!(children("b/"), ["b/m", "b/m2", "b/sub/", "b/sub0", "b/t/"]);
    assert!(snapshot.has_children("b/sub/").unwrap());
    assert!(!snapshot.has_children("b/t/").unwrap());
}

#[test]
fn tags_are_never_given_twice() {
    let (directory, store) = store();
    let mut seen = BTreeSet::new();
    for round in 0..10 {
        let mut change = store.write().unwrap();
        let mut resource = entry("b/", Kind::Base);
        change.put(&mut resource).unwrap();
        if round % 3 == 0 {
            drop(change);
        } else {
            change.commit().unwrap();
            assert!(seen.insert(resource.head.tag.to_string()));
        }
    }
    drop(store);
    let store = Store::open(directory.path(), ROOT, MAP_SIZE).unwrap();
    let mut change = store.write().unwrap();
    assert!(seen.insert(change.new_tag().to_string()));
}

#[test]
fn a_store_follows_its_root() {
    let (directory, store) = store();
    let mut change = store.write().unwrap();
    let mut resource = entry("b/", Kind::Base);
    resource.graph.insert(
        &crate::rdf::iri(format!("{ROOT}b/")),
        &crate::rdf::iri("http://ex.org/p"),
        &crate::rdf::iri(format!("{ROOT}c/")),
    );
    change.put(&mut resource).unwrap();
    change.commit().unwrap();
    drop(store);
    let moved = Store::open(directory.path(), "https://example.org/", MAP_SIZE).unwrap();
    let resource = moved.read().unwrap().entry("b/").unwrap().unwrap();
    assert!(
        resource
            .graph
            .contains_iris("https://example.org/b/", "http://ex.org/p", "https://example.org/c/")
    );
}

#[test]
fn what_is_no_store_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("other"), "text").unwrap();
    let error = Store::open(directory.path(), ROOT, MAP_SIZE).unwrap_err();
    assert!(matches!(error, StoreError::Unusable(_)), "{error}");
    std::fs::write(directory.path().join("data.mdb"), [7; 9000]).unwrap();
    let error = Store::open(directory.path(), ROOT, MAP_SIZE).unwrap_err();
    assert!(matches!(error, StoreError::Unusable(_)), "{error}");
}

#[test]
fn another_version_is_refused() {
    let (directory, store) = store();
    let mut change = store.write().unwrap();
    let table = change.inner().tables.meta;
    open::put_meta_number(table, change.txn_mut(), open::meta::FORMAT, codec::FORMAT + 1).unwrap();
    change.commit().unwrap();
    drop(store);
    let error = Store::open(directory.path(), ROOT, MAP_SIZE).unwrap_err();
    assert!(error.to_string().contains("version"), "{error}");
}

#[test]
fn a_full_store_loses_nothing_and_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path(), ROOT, 1 << 20).unwrap();
    let mut change = store.write().unwrap();
    let trace = change.create_trace().unwrap();
    change.commit().unwrap();
    let text = "x".repeat(20_000);
    let mut added = 0;
    let error = loop {
        let result = (|| -> Result<()> {
            let mut change = store.write()?;
            let predicate = change.name("http://ex.org/p")?;
            let id = format!("o{added}");
            let arcs = vec![Arc {
                predicate,
                object: Value::String(&text),
            }];
            change.add_obsel(
                trace,
                &Obsel {
                    id: &id,
                    arcs,
                    ..Obsel::default()
                },
            )?;
            change.commit()
        })();
        match result {
            Ok(()) => added += 1,
            Err(error) => break error,
        }
        assert!(added < 1000, "the store never fills");
    };
    assert!(matches!(error, StoreError::Full(_)), "{error}");
    assert_eq!(store.read().unwrap().obsel_count(trace).unwrap(), added);
    let mut change = store.write().unwrap();
    for number in 0..added / 2 {
        assert!(change.remove_obsel(trace, &format!("o{number}")).unwrap());
    }
    change.commit().unwrap();
    let mut change = store.write().unwrap();
    change
        .add_obsel(
            trace,
            &Obsel {
                id: "again",
                ..Obsel::default()
            },
        )
        .unwrap();
    change.commit().unwrap();
    assert_eq!(store.read().unwrap().obsel_count(trace).unwrap(), added - added / 2 + 1);
}

/// Sophia's tests of a graph, over the graph of a trace that has one obsel, in whose description all the triples of the
/// test stand.
mod sophia_graph {
    use sophia::api::graph::{CollectibleGraph, Graph as SophiaGraph};
    use sophia::api::source::{StreamResult, TripleSource};
    use sophia::api::term::SimpleTerm;

    use super::store;
    use crate::obsel::{Arc, Blank, Name, Obsel, Value};
    use crate::rdf::{Graph as TermGraph, Term, Triple};
    use crate::store::views::TraceGraph;
    use crate::store::{Change, Result, Snapshot, StoreError, TraceNumber};

    const TRACE: &str = "http://localhost/ktbs/b/t/";

    #[derive(Debug)]
    pub struct TestedGraph {
        _directory: tempfile::TempDir,
        snapshot: Snapshot,
        trace: TraceNumber,
    }

    fn value<'t>(change: &mut Change<'_>, term: &'t Term) -> Value<'t> {
        match term {
            SimpleTerm::Iri(iri) => Value::Iri(iri),
            SimpleTerm::BlankNode(label) => Value::Blank(Blank::Shared(
                label.bytes().fold(0, |number, byte| number * 256 + u64::from(byte)),
            )),
            SimpleTerm::LiteralLanguage(lexical, language, _) => Value::Tagged(lexical, language),
            SimpleTerm::LiteralDatatype(lexical, datatype) if datatype.as_str() == crate::vocab::xsd::STRING => {
                Value::String(lexical)
            }
            SimpleTerm::LiteralDatatype(lexical, datatype) => Value::Typed(lexical, change.name(datatype).unwrap()),
            other => panic!("{other:?}"),
        }
    }

    impl CollectibleGraph for TestedGraph {
        type CollectError = StoreError;

        fn from_triple_source<TS: TripleSource>(triples: TS) -> StreamResult<Self, TS::Error, Self::CollectError> {
            let graph = TermGraph::from_triple_source(triples)
                .map_err(|_| StoreError::Failed("no triples".into()))
                .unwrap();
            let (directory, store) = store();
            let mut change = store.write().unwrap();
            let trace = change.create_trace().unwrap();
            let mut obsel = Obsel {
                id: "o",
                ..Obsel::default()
            };
            for [s, p, o] in graph.iter() {
                let subject = value(&mut change, s);
                let object = value(&mut change, o);
                let predicate: Name = change.name(crate::rdf::as_iri(p).unwrap()).unwrap();
                obsel.others.push((subject, Arc { predicate, object }));
            }
            change.add_obsel(trace, &obsel).unwrap();
            change.commit().unwrap();
            let snapshot = store.read().unwrap();
            Ok(Self {
                _directory: directory,
                snapshot,
                trace,
            })
        }
    }

    impl SophiaGraph for TestedGraph {
        type Triple<'x> = Triple;
        type Error = StoreError;

        fn triples(&self) -> impl Iterator<Item = Result<Self::Triple<'_>>> + '_ {
            let graph = TraceGraph {
                snapshot: &self.snapshot,
                trace: self.trace,
                iri: TRACE,
            };
            let obsel = format!("{TRACE}o");
            let triples: Vec<_> = graph.triples().collect();
            let foreign = move |triple: &Result<Triple>| !matches!(triple, Ok([s, ..]) if crate::rdf::as_iri(s) == Some(obsel.as_str()));
            triples
                .into_iter()
                .filter(foreign)
                .map(|triple| Ok(triple?.map(labelled)))
        }
    }

    /// Returns a term with the label that a blank node had before it became a number.
    fn labelled(term: Term) -> Term {
        let SimpleTerm::BlankNode(label) = &term else {
            return term;
        };
        let number = u64::from_str_radix(&label[1..], 16).unwrap();
        let bytes: Vec<u8> = number.to_be_bytes().into_iter().filter(|byte| *byte != 0).collect();
        crate::rdf::blank(String::from_utf8(bytes).unwrap())
    }

    sophia_api::test_immutable_graph_impl!(test, TestedGraph, true, false);
}

/// Sophia's tests of a dataset, over a store in which each named graph is the graph of a resource.
mod sophia_dataset {
    use sophia::api::dataset::{CollectibleDataset, Dataset};
    use sophia::api::quad::{Quad, Spog};
    use sophia::api::source::{QuadSource, StreamError, StreamResult};
    use sophia::api::term::Term as _;

    use super::{entry, store};
    use crate::rdf::{Graph as TermGraph, Term};
    use crate::store::views::StoreDataset;
    use crate::store::{Kind, Result, Snapshot, StoreError};

    /// Stands for the default graph, which a store does not have.
    const DEFAULT: &str = "tag:default";

    #[derive(Debug)]
    pub struct TestedDataset {
        _directory: tempfile::TempDir,
        snapshot: Snapshot,
        names: Vec<Option<Term>>,
    }

    impl CollectibleDataset for TestedDataset {
        type CollectError = StoreError;

        fn from_quad_source<QS: QuadSource>(mut quads: QS) -> StreamResult<Self, QS::Error, Self::CollectError> {
            let (directory, store) = store();
            let mut graphs: Vec<(Option<Term>, TermGraph)> = Vec::new();
            quads
                .for_each_quad(|quad| {
                    let name: Option<Term> = quad.g().map(|name| name.into_term());
                    let index = graphs.iter().position(|(known, _)| *known == name).unwrap_or_else(|| {
                        graphs.push((name, TermGraph::new()));
                        graphs.len() - 1
                    });
                    graphs[index]
                        .1
                        .insert(&quad.s().as_simple(), &quad.p().as_simple(), &quad.o().as_simple());
                })
                .map_err(StreamError::SourceError)?;
            let mut change = store.write().unwrap();
            let mut names = Vec::new();
            for (i, (name, graph)) in graphs.into_iter().enumerate() {
                let mut resource = entry(&format!("g{i:03}"), Kind::DataGraph);
                resource.graph = graph;
                change.put(&mut resource).unwrap();
                names.push(name);
            }
            change.commit().unwrap();
            let snapshot = store.read().unwrap();
            Ok(Self {
                _directory: directory,
                snapshot,
                names,
            })
        }
    }

    impl Dataset for TestedDataset {
        type Quad<'x> = Spog<Term>;
        type Error = StoreError;

        fn quads(&self) -> impl Iterator<Item = Result<Self::Quad<'_>>> + '_ {
            let quads: Vec<_> = StoreDataset(&self.snapshot).quads().collect();
            quads.into_iter().map(|quad| {
                let (triple, name) = quad?;
                let name = name.as_ref().and_then(crate::rdf::as_iri).unwrap_or(DEFAULT).to_owned();
                let index: usize = name.rsplit('g').next().unwrap().parse().unwrap();
                Ok((triple, self.names[index].clone()))
            })
        }
    }

    sophia_api::test_immutable_dataset_impl!(test, TestedDataset, true, false);
}
