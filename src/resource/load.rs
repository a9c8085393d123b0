//! Filling an empty store with the graphs of a dump, ours or that of the Python kTBS.
//!
//! The graphs are first gathered: descriptions in memory, obsels in an unlinked temporary file. Then one transaction stores them
//! all, or nothing. It takes its time, and what it reads back from the file is split and checked in it: the only one that may,
//! since the store is empty and nobody has anything to write in it yet.

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};

use super::access::lists;
use super::create::{new_head, row_of};
use super::draft::Draft;
use super::path::{below, container};
use super::{Row, Service, batch, links, read, row};
use crate::error::{Error, Result};
use crate::rdf::{Graph, Term, as_iri, iri, is_iri};
use crate::store::links::use_of;
use crate::store::{Change, Entry, Kind, Reading, StoreError, graphs};
use crate::vocab::ktbs;

/// How many triples of a trace are gathered before they go to the file.
const CHUNK: usize = 50_000;

/// By which the Python kTBS keeps, beside a computed trace, which traces it reads: its sources, or intermediate traces.
const EFFECTIVE_SOURCE: &str = "tag:silex.liris.cnrs.fr.2012.08.06.ktbs.metadata:effective_source";

/// The graphs of a dump, on their way into the store.
#[derive(Debug)]
pub struct Gathering {
    root: String,
    descriptions: BTreeMap<String, Graph>,
    /// The access control lists, by the path of their resource.
    lists: BTreeMap<String, Graph>,
    /// Where the obsels of each trace are in the file: the path of the trace, positions and lengths.
    obsels: BTreeMap<String, Vec<(u64, usize)>>,
    /// The path of the trace whose obsels come now, and those that are not in the file yet.
    present: (String, Graph),
    file: BufWriter<File>,
    position: u64,
    /// The traces that go through intermediate traces of the Python kTBS: path, path of one of these.
    composed: Vec<(String, String)>,
    /// How many triples were left aside, because their graph is none of a resource of this kTBS.
    pub ignored: u64,
    /// How many triples are in the graphs that are made anew: statistics, and the accounts that the Python kTBS keeps.
    pub derived: u64,
}

/// What was loaded, and what was not.
#[derive(Debug, Default)]
pub struct Loaded {
    /// How many resources there are of each kind.
    pub resources: BTreeMap<&'static str, u64>,
    /// How many access control lists.
    pub lists: u64,
    /// How many obsels.
    pub obsels: u64,
    /// What is wrong. If it is not empty, and not accepted, nothing was loaded.
    pub problems: Vec<String>,
}

impl Gathering {
    /// Returns an empty gathering for the kTBS of a root URI.
    ///
    /// # Errors
    /// `Store` if there is no room for a temporary file.
    pub fn new(root: &str) -> Result<Self> {
        let (descriptions, lists, obsels, present) = Default::default();
        Ok(Self {
            root: root.to_owned(),
            descriptions,
            lists,
            obsels,
            present,
            file: BufWriter::new(tempfile::tempfile().map_err(StoreError::from)?),
            position: 0,
            composed: Vec::new(),
            ignored: 0,
            derived: 0,
        })
    }

    /// Takes a triple of a graph.
    ///
    /// # Errors
    /// `Store` if the temporary file is full.
    pub fn add(&mut self, triple: [&Term; 3], graph: Option<&Term>) -> Result<()> {
        let path = graph.and_then(as_iri).and_then(|name| below(&self.root, name));
        let Some(path) = path else {
            self.ignored += 1;
            return Ok(());
        };
        let [s, p, o] = triple;
        if path.ends_with("#metadata") || path.ends_with("/@stats") {
            self.derived += 1;
            if is_iri(p, EFFECTIVE_SOURCE) {
                let path = |term: &Term| as_iri(term).and_then(|iri| below(&self.root, iri)).map(str::to_owned);
                self.composed.extend(path(s).zip(path(o)));
            }
        } else if let Some(trace) = path.strip_suffix("@obsels") {
            if self.present.0 != trace || self.present.1.len() >= CHUNK {
                self.put_aside()?;
                trace.clone_into(&mut self.present.0);
            }
            self.present.1.insert(s, p, o);
        } else {
            let (graphs, path) = match path.strip_suffix(lists::SUFFIX) {
                Some(path) => (&mut self.lists, path),
                None => (&mut self.descriptions, path),
            };
            match graphs.get_mut(path) {
                Some(graph) => graph.insert(s, p, o),
                None => graphs.entry(path.to_owned()).or_default().insert(s, p, o),
            };
        }
        Ok(())
    }

    /// Writes the present obsels to the file.
    fn put_aside(&mut self) -> Result<()> {
        let (path, graph) = std::mem::take(&mut self.present);
        if graph.is_empty() {
            return Ok(());
        }
        let head = new_head(&path, Kind::StoredTrace);
        let bytes = graphs::encode(&self.root, &Entry { head, graph })?;
        self.file.write_all(&bytes).map_err(StoreError::from)?;
        self.obsels.entry(path).or_default().push((self.position, bytes.len()));
        self.position += bytes.len() as u64;
        Ok(())
    }

    /// Reads the obsels of a trace back.
    fn obsels_of(&mut self, path: &str) -> Result<Graph> {
        let mut all = Graph::new();
        for (position, length) in self.obsels.remove(path).unwrap_or_default() {
            let mut bytes = vec![0; length];
            let file = self.file.get_mut();
            file.seek(SeekFrom::Start(position)).map_err(StoreError::from)?;
            file.read_exact(&mut bytes).map_err(StoreError::from)?;
            let (_, rest) = graphs::decode_head(0, path, &bytes)?;
            let graph = graphs::decode_graph(&self.root, rest)?;
            if all.is_empty() {
                all = graph;
            } else {
                all.extend_from(&graph);
            }
        }
        Ok(all)
    }

    /// Stores everything, in an empty store. What breaks a rule is left out if `accepting`, else nothing is stored; nor is
    /// anything in a dry run. Calls `progress` with the path of each trace, after how many of how many.
    ///
    /// # Errors
    /// `Conflict` if the store is not empty; those of the store.
    pub fn store(
        mut self,
        service: &Service,
        accepting: bool,
        dry_run: bool,
        progress: &mut dyn FnMut(&str, usize, usize),
    ) -> Result<Loaded> {
        self.put_aside()?;
        self.file.flush().map_err(StoreError::from)?;
        let mut loaded = Loaded::default();
        let mut change = service.store.write()?;
        if change.has_children("")? {
            return Err(Error::invalid(
                "the store is not empty: only an empty one can be loaded",
            ));
        }
        self.link_steps();
        let rows = self.rows(&mut loaded);
        for kind in Kind::ALL {
            for (path, row) in rows.iter().filter(|(_, row)| row.kind == kind) {
                put(&mut change, path, row, &self.descriptions[path])?;
                *loaded.resources.entry(links::local_name(row.class)).or_default() += 1;
            }
        }
        for path in rows.keys() {
            settle(&mut change, path)?;
        }
        for (path, graph) in &self.lists {
            let problems = match change.head(path)? {
                Some(head) => lists::load(&mut change, &head, graph)?,
                None => vec!["There is an access control list, but no resource".to_owned()],
            };
            loaded.lists += u64::from(problems.is_empty());
            let of = |problem| format!("<{}{path}>: {problem}", self.root);
            loaded.problems.extend(problems.into_iter().map(of));
        }
        let total = self.obsels.len();
        for (done, path) in self.obsels.keys().cloned().collect::<Vec<_>>().into_iter().enumerate() {
            progress(&path, done, total);
            let graph = self.obsels_of(&path)?;
            let Some(entry) = change.entry(&path)?.filter(|entry| entry.head.trace.is_some()) else {
                self.ignored += graph.len() as u64;
                loaded
                    .problems
                    .push(format!("<{}{path}> has obsels but is no trace", self.root));
                continue;
            };
            let (added, problems) = batch::load_obsels(&mut change, &entry, &graph, &service.settings)?;
            loaded.obsels += added;
            loaded.problems.extend(problems);
        }
        if !dry_run && (loaded.problems.is_empty() || accepting) {
            change.commit()?;
        }
        Ok(loaded)
    }

    /// Says which traces are intermediate ones. The Python kTBS knows it by their names: `_0_t/`, `_1_t/`… for `t/`.
    fn link_steps(&mut self) {
        for (trace, source) in std::mem::take(&mut self.composed) {
            let base = container(&trace).unwrap_or_default();
            let name = &trace[base.len()..];
            let is_step = |path: &str| {
                let number = path.strip_prefix(base).and_then(|path| path.strip_prefix('_'));
                let number = number.and_then(|rest| rest.strip_suffix(name)?.strip_suffix('_'));
                number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
            };
            if !is_step(&source) {
                continue;
            }
            let steps: Vec<String> = self.descriptions.keys().filter(|path| is_step(path)).cloned().collect();
            if let Some(graph) = self.descriptions.get_mut(&trace) {
                let subject = iri(format!("{}{trace}", self.root));
                for step in steps {
                    let step = iri(format!("{}{step}", self.root));
                    graph.insert(&subject, &iri(ktbs::HAS_INTERMEDIATE_SOURCE), &step);
                }
            }
        }
    }

    /// Returns the rules of each resource, by path, without those that have no place.
    fn rows(&self, loaded: &mut Loaded) -> BTreeMap<String, &'static Row> {
        let mut rows: BTreeMap<String, &'static Row> = BTreeMap::new();
        // A container comes before what is in it, since its path is shorter.
        for (path, graph) in &self.descriptions {
            let resource = format!("{}{path}", self.root);
            let row = match row_of(graph, &iri(&resource)) {
                Ok(row) => row,
                Err(error) => {
                    loaded.problems.push(format!("<{resource}>: {error}"));
                    continue;
                }
            };
            let is_placed = match container(path) {
                None => row.kind == Kind::Root,
                Some("") => row.kind == Kind::Base,
                Some(base) => rows.get(base).is_some_and(|row| row.kind == Kind::Base),
            };
            if !is_placed || row.folder != (path.is_empty() || path.ends_with('/')) {
                let kind = links::local_name(row.class);
                loaded
                    .problems
                    .push(format!("<{resource}>: a {kind} has no place there"));
                continue;
            }
            rows.insert(path.clone(), row);
        }
        rows
    }
}

/// Stores a description, without what is generated of it and what others add to it.
fn put(change: &mut Change<'_>, path: &str, row: &'static Row, graph: &Graph) -> Result<()> {
    let resource = format!("{}{path}", change.root());
    let mut draft = Draft {
        row,
        iri: resource.clone(),
        container: container(path).map(|path| format!("{}{path}", change.root())),
        graph: graph.clone(),
        before: None,
    };
    // What the root says of the program is that of this one.
    if let Some(current) = change.entry(path)? {
        let ours = [ktbs::HAS_VERSION, ktbs::HAS_BUILTIN_METHOD];
        draft
            .graph
            .retain(|_, p, _| !ours.iter().any(|own| as_iri(p) == Some(own)));
        draft.graph.extend_from(&current.graph);
    }
    let mut head = change.head(path)?.unwrap_or_else(|| new_head(path, row.kind));
    (row.settle)(&draft, change, &mut head)?;
    let graph = draft.into_stored(&Graph::new());
    Ok(change.put(&mut Entry { head, graph })?)
}

/// Once all the descriptions are there: takes away what is generated, and makes the links to what a resource uses.
fn settle(change: &mut Change<'_>, path: &str) -> Result<()> {
    let Some(mut entry) = change.entry(path)? else {
        return Ok(());
    };
    let resource = format!("{}{path}", change.root());
    let generated = read::generated(change, &entry.head)?;
    let root = change.root().to_owned();
    let listed: HashSet<&str> = HashSet::from([ktbs::CONTAINS, ktbs::HAS_BASE]);
    let before = entry.graph.len();
    entry.graph.retain(|s, p, o| {
        let is_list = as_iri(s) == Some(&resource) && as_iri(p).is_some_and(|p| listed.contains(p));
        !is_list && !generated.contains(s, p, o) && use_of(&root, &resource, [s, p, o]).is_none()
    });
    if entry.graph.len() != before {
        change.put(&mut entry)?;
    }
    links::update(
        change,
        &resource,
        row(entry.head.kind).uses,
        &Graph::new(),
        &entry.graph,
    )
}
