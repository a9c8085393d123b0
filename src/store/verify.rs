//! Walks every table of a store, and tells what does not fit together.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::ControlFlow;

use super::codec::{self, Input};
use super::obsels::mention_keys;
use super::open::{COUNTER, Table, meta, meta_number};
use super::reading::path_key;
use super::tallies::for_each_tally;
use super::{
    Bounds, Reading, Result, Snapshot, StoreError, Tag, Tally, TraceNumber, TraceRecord, Use, graphs, links, names,
};
use crate::obsel::{Arc, Name, Obsel, Value};
use crate::rdf::{Graph, as_iri};
use crate::vocab::ktbs;

/// What was walked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Walked {
    /// Resources.
    pub resources: u64,
    /// Access control lists.
    pub lists: u64,
    /// Links from what is used to its users.
    pub links: u64,
    /// IRIs of the dictionary.
    pub names: u64,
    /// Traces.
    pub traces: u64,
    /// Obsels.
    pub obsels: u64,
}

/// Verifies a store, and calls `problem` with a sentence for each thing that is wrong, and `progress` with each trace, after how
/// many of how many.
///
/// # Errors
/// What prevents from going on: LMDB cannot read the file.
pub fn verify(
    snapshot: &Snapshot,
    problem: &mut dyn FnMut(String),
    progress: &mut dyn FnMut(&str, usize, usize),
) -> Result<Walked> {
    let mut walk = Walk {
        snapshot,
        problem,
        walked: Walked::default(),
        last_tag: 0,
        said: HashMap::new(),
        in_graphs: HashSet::new(),
    };
    let traces = walk.graphs()?;
    walk.links()?;
    walk.lists()?;
    walk.names()?;
    let known = walk.traces(&traces)?;
    for (done, (trace, path)) in traces.iter().enumerate() {
        progress(path, done, traces.len());
        if let Some(record) = known.get(trace) {
            walk.trace(TraceNumber(*trace), path, record)?;
        }
    }
    let tables = snapshot.transaction().tables();
    for (name, table) in [
        ("obsels", tables.obsels),
        ("ids", tables.ids),
        ("mentions", tables.mentions),
        ("tallies", tables.tallies),
        ("computations", tables.computations),
    ] {
        walk.orphans(name, table, &known)?;
    }
    walk.counters(known.keys().max().copied().unwrap_or(0))?;
    Ok(walk.walked)
}

struct Walk<'s> {
    snapshot: &'s Snapshot,
    problem: &'s mut dyn FnMut(String),
    walked: Walked,
    /// The greatest tag that was met.
    last_tag: u64,
    /// What the descriptions say of what they use: the keys that the table of links must have, each with the paths of the user and
    /// of what it uses.
    said: HashMap<Vec<u8>, (String, String)>,
    /// The keys of the links that stand in the graphs of what is used, where former programs wrote them.
    in_graphs: HashSet<Vec<u8>>,
}

impl Walk<'_> {
    fn tell(&mut self, sentence: String) {
        (self.problem)(sentence);
    }

    fn see(&mut self, tag: Tag) {
        self.last_tag = self.last_tag.max(tag.count);
    }

    /// Walks the resources; returns the path of each trace.
    fn graphs(&mut self) -> Result<BTreeMap<u64, String>> {
        let transaction = self.snapshot.transaction();
        let mut traces = BTreeMap::new();
        let mut paths: HashSet<String> = HashSet::new();
        for row in transaction.tables().graphs.iter(transaction.txn())? {
            let (key, value) = row?;
            self.walked.resources += 1;
            let path = key.strip_prefix(b"/").and_then(|path| std::str::from_utf8(path).ok());
            let Some(path) = path else {
                self.tell(format!("resource: the key {key:?} is no path"));
                continue;
            };
            let decoded = graphs::decode_head(transaction.instance(), path, value)
                .and_then(|(head, rest)| Ok((head, graphs::decode_graph(transaction.root(), rest)?)));
            let Ok((head, graph)) = decoded else {
                self.tell(format!("resource <{path}>: its record cannot be decoded"));
                continue;
            };
            self.see(head.tag);
            self.see_uses(path, &graph);
            let trimmed = path.strip_suffix('/').unwrap_or(path);
            let container = trimmed.rfind('/').map_or("", |slash| &path[..=slash]);
            if !path.is_empty() && !paths.contains(container) {
                self.tell(format!(
                    "resource <{path}>: there is no <{container}> in which it could be"
                ));
            }
            paths.insert(path.to_owned());
            let Some(trace) = head.trace else { continue };
            if let Some(other) = traces.insert(trace.0, path.to_owned()) {
                self.tell(format!("trace <{path}>: it shares its obsels with <{other}>"));
            }
        }
        Ok(traces)
    }

    /// Keeps what the description of a resource says of what it uses, and of what uses it.
    fn see_uses(&mut self, path: &str, graph: &Graph) {
        let root = self.snapshot.root();
        let resource = format!("{root}{path}");
        for triple in graph.iter() {
            if let Some((by, user)) = links::use_of(root, &resource, triple) {
                self.in_graphs.insert(links::key(path, by, user));
            }
        }
        for by in Use::ALL {
            let objects = graph.objects_of(&resource, by.property()).filter_map(as_iri);
            let used = objects.filter(|object| *object != resource);
            for used in used.filter_map(|object| object.strip_prefix(root)) {
                self.said
                    .insert(links::key(used, by, path), (path.to_owned(), used.to_owned()));
            }
        }
    }

    /// Walks the links from what is used to its users, and compares them with what these say.
    fn links(&mut self) -> Result<()> {
        let transaction = self.snapshot.transaction();
        let (tables, txn) = (transaction.tables(), transaction.txn());
        for row in tables.links.iter(txn)? {
            let (key, _) = row?;
            self.walked.links += 1;
            if self.said.remove(key).is_some() {
                continue;
            }
            match links::split(key) {
                Ok((by, user)) => self.tell(format!(
                    "link <{user}>: its description does not say that it uses something so (<{}>)",
                    by.property()
                )),
                Err(_) => self.tell(format!("link: the key {key:?} cannot be decoded")),
            }
        }
        for (key, (user, used)) in std::mem::take(&mut self.said) {
            // Former programs kept no link to what was not there.
            if !self.in_graphs.contains(&key) && tables.graphs.get(txn, &path_key(&used))?.is_some() {
                self.tell(format!(
                    "link <{user}>: it uses <{used}>, but cannot be found from there; put its description again"
                ));
            }
        }
        Ok(())
    }

    /// Walks the access control lists. What they say is understood elsewhere.
    fn lists(&mut self) -> Result<()> {
        let transaction = self.snapshot.transaction();
        let (tables, txn) = (transaction.tables(), transaction.txn());
        for row in tables.acls.iter(txn)? {
            let (key, _) = row?;
            self.walked.lists += 1;
            let path = key.strip_prefix(b"/").and_then(|path| std::str::from_utf8(path).ok());
            match path {
                Some(path) if tables.graphs.get(txn, key)?.is_none() => {
                    self.tell(format!("access control list <{path}>: it belongs to no resource"));
                }
                Some(_) => {}
                None => self.tell(format!("access control list: the key {key:?} is no path")),
            }
        }
        Ok(())
    }

    /// Walks the dictionary, both ways.
    fn names(&mut self) -> Result<()> {
        let transaction = self.snapshot.transaction();
        let (tables, txn) = (transaction.tables(), transaction.txn());
        for row in tables.names.iter(txn)? {
            let (number, iri) = row?;
            self.walked.names += 1;
            if codec::iri(transaction.root(), iri).is_err() {
                self.tell(format!("dictionary: the name {number:?} is no IRI"));
            }
            if tables.numbers.get(txn, iri)? != Some(number) {
                self.tell(format!("dictionary: the name {number:?} cannot be found by its IRI"));
            }
        }
        let numbers = tables.numbers.len(txn)?;
        if numbers != self.walked.names {
            let names = self.walked.names;
            self.tell(format!("dictionary: {names} names, but {numbers} IRIs"));
        }
        Ok(())
    }

    /// Walks the records of the traces, and returns them.
    fn traces(&mut self, paths: &BTreeMap<u64, String>) -> Result<BTreeMap<u64, TraceRecord>> {
        let transaction = self.snapshot.transaction();
        let mut known = BTreeMap::new();
        for row in transaction.tables().tallies.iter(transaction.txn())? {
            let (key, value) = row?;
            let Ok(number) = key.try_into().map(u64::from_be_bytes) else {
                continue;
            };
            let Ok(record) = TraceRecord::decode(transaction.instance(), value) else {
                self.tell(format!("trace number {number}: its record cannot be decoded"));
                continue;
            };
            self.walked.traces += 1;
            for tag in [
                record.tags.main,
                record.tags.strict,
                record.tags.pseudo,
                record.tags.logical,
            ] {
                self.see(tag);
            }
            if !paths.contains_key(&number) {
                self.tell(format!("trace number {number}: it belongs to no resource"));
            }
            known.insert(number, record);
        }
        for (number, path) in paths {
            if !known.contains_key(number) {
                self.tell(format!("trace <{path}>: it has no record"));
            }
        }
        Ok(known)
    }

    /// Walks the obsels of a trace, and compares all that is derived from them.
    fn trace(&mut self, trace: TraceNumber, path: &str, record: &TraceRecord) -> Result<()> {
        let has_subject = names::find(self.snapshot, ktbs::HAS_SUBJECT)?;
        let mut found = Found::default();
        let mut wrong = Vec::new();
        let snapshot = self.snapshot;
        let transaction = snapshot.transaction();
        let walked = snapshot.for_each_obsel(trace, &Bounds::ALL, &mut |obsel| {
            let of = |what: &str| format!("trace <{path}>, obsel {}: {what}", obsel.id);
            found.add(obsel, has_subject);
            let place = snapshot.place(trace, obsel.id)?;
            if place.is_none_or(|place| (place.end, place.begin) != (obsel.end, obsel.begin)) {
                wrong.push(of("it cannot be found by its id"));
            }
            if obsel.end < obsel.begin {
                wrong.push(of("it ends before it begins"));
            }
            for key in mention_keys(trace, obsel) {
                found.mentions += 1;
                if transaction
                    .tables()
                    .mentions
                    .get(transaction.txn(), &key)
                    .map_err(StoreError::from)?
                    .is_none()
                {
                    wrong.push(of("a mention of another obsel is not indexed"));
                }
            }
            Ok(ControlFlow::Continue(()))
        });
        if let Err(error) = walked {
            wrong.push(format!("trace <{path}>: its obsels cannot be read: {error}"));
        }
        for name in &found.names {
            if snapshot.iri_of(*name).is_err() {
                wrong.push(format!("trace <{path}>: the dictionary has no name {}", name.0));
            }
        }
        self.walked.obsels += found.obsels;
        let prefix = codec::trace_key(trace);
        let rows = |table: Table| -> Result<u64> {
            let mut count = 0;
            for row in table.prefix_iter(transaction.txn(), &prefix)? {
                row?;
                count += 1;
            }
            Ok(count)
        };
        let (ids, mentions) = (rows(transaction.tables().ids)?, rows(transaction.tables().mentions)?);
        for (what, kept, counted) in [
            ("obsels", record.obsels, found.obsels),
            ("triples", record.triples, found.triples),
            ("mentions", record.mentions, found.mentions),
            ("subjects", record.subjects, found.subjects()),
            ("ids", ids, found.obsels),
            ("indexed mentions", mentions, found.mentions),
        ] {
            if kept != counted {
                wrong.push(format!(
                    "trace <{path}>: {what}: {kept} are counted, there are {counted}"
                ));
            }
        }
        if found.obsels > 0 && record.min_begin != found.min_begin {
            let (kept, least) = (record.min_begin, found.min_begin);
            wrong.push(format!(
                "trace <{path}>: its least begin is kept as {kept}, but is {least}"
            ));
        }
        if record.max_duration < found.max_duration {
            let (kept, greatest) = (record.max_duration, found.max_duration);
            wrong.push(format!(
                "trace <{path}>: its longest obsel is kept as {kept}, but is {greatest}"
            ));
        }
        for row in transaction.tables().tallies.prefix_iter(transaction.txn(), &prefix)? {
            let (key, value) = row?;
            if key == prefix {
                continue;
            }
            let kept = Input(value).uint().unwrap_or(0);
            let counted = found.tallies.remove(&key[8..]).unwrap_or(0);
            if kept != counted {
                wrong.push(format!(
                    "trace <{path}>: the tally {:?}: {kept} are counted, there are {counted}",
                    &key[8..]
                ));
            }
        }
        for key in found.tallies.keys() {
            wrong.push(format!("trace <{path}>: the tally {key:?} is missing"));
        }
        for sentence in wrong {
            self.tell(sentence);
        }
        Ok(())
    }

    /// Looks for rows of traces that are not there.
    fn orphans(&mut self, name: &str, table: Table, known: &BTreeMap<u64, TraceRecord>) -> Result<()> {
        let transaction = self.snapshot.transaction();
        // LMDB knows no empty key.
        let mut key: Vec<u8> = vec![0];
        // One row of each trace is looked at; the others are skipped.
        while let Some((found, _)) = table.get_greater_than_or_equal_to(transaction.txn(), &key)? {
            let Some(number) = found
                .get(..8)
                .and_then(|bytes| bytes.try_into().ok())
                .map(u64::from_be_bytes)
            else {
                self.tell(format!("table {name}: the key {found:?} is too short"));
                return Ok(());
            };
            if !known.contains_key(&number) {
                self.tell(format!(
                    "table {name}: it has rows of the trace number {number}, which is not there"
                ));
            }
            let Some(next) = number.checked_add(1) else {
                return Ok(());
            };
            key = next.to_be_bytes().to_vec();
        }
        Ok(())
    }

    /// Checks that no number that was given can be given again.
    fn counters(&mut self, last_trace: u64) -> Result<()> {
        let transaction = self.snapshot.transaction();
        let tables = transaction.tables();
        for (what, table, key, last) in [
            ("tag", tables.main, COUNTER, self.last_tag),
            ("trace", tables.meta, meta::TRACES, last_trace),
        ] {
            let given = meta_number(table, transaction.txn(), key)?.unwrap_or(0);
            if given < last {
                self.tell(format!(
                    "the last {what} number given is kept as {given}, but {last} is in use"
                ));
            }
        }
        Ok(())
    }
}

/// What is found in a trace, counted anew.
#[derive(Debug, Default)]
struct Found {
    obsels: u64,
    triples: u64,
    mentions: u64,
    min_begin: i64,
    max_duration: u64,
    tallies: HashMap<Vec<u8>, u64>,
    names: HashSet<Name>,
}

impl Found {
    fn add(&mut self, obsel: &Obsel<'_>, has_subject: Option<Name>) {
        self.min_begin = if self.obsels == 0 {
            obsel.begin
        } else {
            self.min_begin.min(obsel.begin)
        };
        self.max_duration = self.max_duration.max(obsel.end.abs_diff(obsel.begin));
        self.obsels += 1;
        self.triples += obsel.triple_count();
        for_each_tally(obsel, has_subject, &mut |what| {
            *self.tallies.entry(what.key()).or_default() += 1
        });
        let mut value = |value: &Value<'_>| match value {
            Value::Named(name) | Value::Typed(_, name) => {
                self.names.insert(*name);
            }
            _ => {}
        };
        let mut predicates = Vec::new();
        let mut arc = |arc: &Arc<'_>| {
            predicates.push(arc.predicate);
            value(&arc.object);
        };
        obsel.arcs.iter().for_each(&mut arc);
        obsel.blank_arcs.iter().for_each(|(_, it)| arc(it));
        obsel.others.iter().for_each(|(_, it)| arc(it));
        obsel.types.iter().for_each(&mut value);
        obsel.others.iter().for_each(|(subject, _)| value(subject));
        self.names.extend(predicates);
    }

    fn subjects(&self) -> u64 {
        let is_subject = |key: &&Vec<u8>| key.first() == Some(&Tally::Subject.mark());
        self.tallies.keys().filter(is_subject).count() as u64
    }
}

#[cfg(test)]
mod test {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::ops::Bound;

    use super::*;
    use crate::rdf::iri;
    use crate::store::{Change, Entry, Head, Kind, Store};

    /// Returns a store with a trace of two obsels, one of which mentions the other, after something was done to it.
    fn problems(harm: impl FnOnce(&mut Change<'_>, TraceNumber)) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), "http://h/", 1 << 24).unwrap();
        let mut change = store.write().unwrap();
        let trace = change.create_trace().unwrap();
        for (path, kind, trace) in [
            ("", Kind::Root, None),
            ("b/", Kind::Base, None),
            ("b/t/", Kind::StoredTrace, Some(trace)),
        ] {
            let head = Head {
                path: path.to_owned(),
                kind,
                tag: Tag { instance: 0, count: 0 },
                modified: 0,
                trace,
                unit: None,
            };
            let mut graph = Graph::new();
            if path == "b/t/" {
                let [s, p, o] = ["http://h/b/t/", ktbs::HAS_METHOD, "http://h/b/"].map(iri);
                graph.insert(&s, &p, &o);
            }
            change.put(&mut Entry { head, graph }).unwrap();
        }
        change.put_link("b/", Use::Method, "b/t/").unwrap();
        let (ty, follows) = (
            change.name("http://h/m#T").unwrap(),
            change.name("http://h/m#p").unwrap(),
        );
        for (id, begin, end, object) in [("o1", 1, 5, Value::String("x")), ("o2", 2, 3, Value::Obsel("o1"))] {
            let obsel = Obsel {
                id,
                begin,
                end,
                types: vec![Value::Named(ty)],
                arcs: vec![Arc {
                    predicate: follows,
                    object,
                }],
                ..Obsel::default()
            };
            change.add_obsel(trace, &obsel).unwrap();
        }
        change.commit().unwrap();
        let mut change = store.write().unwrap();
        harm(&mut change, trace);
        change.commit().unwrap();
        let mut problems = Vec::new();
        let walked = verify(
            &store.read().unwrap(),
            &mut |problem| problems.push(problem),
            &mut |_, _, _| {},
        )
        .unwrap();
        assert!(walked.resources >= 2 && walked.names >= 2);
        problems
    }

    #[test]
    fn a_store_is_well() {
        assert_eq!(problems(|_, _| {}), Vec::<String>::new());
    }

    #[test]
    fn each_harm_is_told() {
        type Harm = fn(&mut Change<'_>, TraceNumber);
        let harms: [(Harm, &str); 14] = [
            (
                |change, _| assert!(change.delete_link("b/", Use::Method, "b/t/").unwrap()),
                "link <b/t/>: it uses <b/>, but cannot be found from there",
            ),
            (
                |change, _| assert!(change.put_link("b/t/", Use::Source, "b/").unwrap()),
                "link <b/>: its description does not say that it uses something so",
            ),
            (
                |change, trace| {
                    let table = change.inner().tables.ids;
                    table.delete(change.txn_mut(), &codec::id_key(trace, "o1")).unwrap();
                },
                "cannot be found by its id",
            ),
            (
                |change, _| {
                    let table = change.inner().tables.mentions;
                    table.clear(change.txn_mut()).unwrap();
                },
                "a mention of another obsel is not indexed",
            ),
            (
                |change, trace| {
                    let table = change.inner().tables.tallies;
                    let (from, to) = (codec::trace_key(trace), codec::trace_key(TraceNumber(trace.0 + 1)));
                    let range = (Bound::Excluded(from.as_slice()), Bound::Excluded(to.as_slice()));
                    table.delete_range(change.txn_mut(), &range).unwrap();
                },
                "is missing",
            ),
            (
                |change, trace| {
                    let table = change.inner().tables.tallies;
                    table.delete(change.txn_mut(), &codec::trace_key(trace)).unwrap();
                },
                "trace <b/t/>: it has no record",
            ),
            (
                |change, trace| change.record(trace).unwrap().tags.main.count = 1 << 40,
                "the last tag number given is kept as",
            ),
            (
                |change, trace| change.record(trace).unwrap().obsels = 7,
                "obsels: 7 are counted, there are 2",
            ),
            (
                |change, trace| change.record(trace).unwrap().min_begin = 7,
                "its least begin is kept as 7, but is 1",
            ),
            (
                |change, trace| change.record(trace).unwrap().max_duration = 0,
                "its longest obsel is kept as 0, but is 4",
            ),
            (
                |change, trace| {
                    let key = codec::obsel_key(trace, 5, 1, "o1");
                    let table = change.inner().tables.obsels;
                    table.put(change.txn_mut(), &key, b"\xff").unwrap();
                },
                "its obsels cannot be read",
            ),
            (
                |change, _| {
                    let table = change.inner().tables.graphs;
                    table.delete(change.txn_mut(), b"/b/").unwrap();
                },
                "there is no <b/> in which it could be",
            ),
            (
                |change, _| change.put_acl("b/gone/", b"x").unwrap(),
                "access control list <b/gone/>: it belongs to no resource",
            ),
            (
                |change, _| {
                    let table = change.inner().tables.obsels;
                    table
                        .put(change.txn_mut(), &codec::obsel_key(TraceNumber(9), 1, 1, "o"), b"")
                        .unwrap();
                },
                "rows of the trace number 9, which is not there",
            ),
        ];
        for (harm, expected) in harms {
            let problems = problems(harm);
            assert!(
                problems.iter().any(|problem| problem.contains(expected)),
                "{expected}: {problems:?}"
            );
        }
    }
}
