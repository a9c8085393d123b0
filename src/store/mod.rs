//! LMDB behind Sophia's traits (skeleton; bodies follow).

mod error;

use std::path::Path;

pub use error::StoreError;

use crate::rdf::Graph;

/// The result of an operation of the store.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// What kind of resource a graph describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The root of the kTBS.
    Root,
    /// A base.
    Base,
    /// A trace model.
    TraceModel,
    /// A method.
    Method,
    /// A data graph.
    DataGraph,
    /// A stored trace.
    StoredTrace,
    /// A computed trace.
    ComputedTrace,
}

/// A version, never given twice by a store. Written as 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tag {
    /// The instance of the store.
    pub instance: u64,
    /// The store's counter when the tag was made.
    pub count: u64,
}

/// The number of a trace in the store, never given twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TraceNumber(pub u64);

/// What the store knows of a resource, but for its graph.
#[derive(Clone, Debug)]
pub struct Head {
    /// The IRI relative to the root: empty for the root itself, else `b1/`, `b1/model`, `b1/t1/`…
    pub path: String,
    /// The kind of resource.
    pub kind: Kind,
    /// Renewed at each edition.
    pub tag: Tag,
    /// Time of the last edition, in seconds since the epoch.
    pub modified: u64,
    /// Where its obsels are, for a trace.
    pub trace: Option<TraceNumber>,
    /// The last known unit of the model, for a trace.
    pub unit: Option<String>,
}

/// A resource: what the store knows of it, and its graph, in absolute IRIs.
#[derive(Clone, Debug)]
pub struct Entry {
    /// All but the graph.
    pub head: Head,
    /// The graph as it was put.
    pub graph: Graph,
}

/// A store, open for reading and writing. Several processes may open the same directory.
#[derive(Debug)]
pub struct Store {}

impl Store {
    /// Opens the store of a directory, which is created if it does not exist.
    pub fn open(_directory: &Path, _root: &str, _map_size: u64) -> Result<Self> {
        todo!()
    }
    /// Returns the root URI, which ends with `/`.
    pub fn root(&self) -> &str {
        todo!()
    }
    /// Starts a read transaction.
    pub fn read(&self) -> Result<Snapshot> {
        todo!()
    }
    /// Starts a write transaction; waits for the one that is under way in any process.
    pub fn write(&self) -> Result<Change<'_>> {
        todo!()
    }
}

/// A read transaction: the store as it was at one moment. Owned, may travel.
#[derive(Debug)]
pub struct Snapshot {}

/// A write transaction: it sees its own changes; dropped without `commit`, it never was.
#[derive(Debug)]
pub struct Change<'s> {
    _store: &'s Store,
}

/// What can be read in both kinds of transaction.
pub trait Reading {
    /// Returns the root URI, which ends with `/`.
    fn root(&self) -> &str;
    /// Returns a resource without its graph.
    fn head(&self, path: &str) -> Result<Option<Head>>;
    /// Returns a resource.
    fn entry(&self, path: &str) -> Result<Option<Entry>>;
    /// Returns the direct children of a base (or of the root, path empty), in the order of their paths.
    fn children(&self, path: &str) -> Result<Vec<Head>>;
    /// Tells whether a base (or the root) has a child, without listing them.
    fn has_children(&self, path: &str) -> Result<bool>;
    /// Returns the number of obsels of a trace.
    fn obsel_count(&self, trace: TraceNumber) -> Result<u64>;
    /// Tells whether a trace has an obsel of this id.
    fn has_obsel(&self, trace: TraceNumber, id: &str) -> Result<bool>;
}

impl Reading for Snapshot {
    fn root(&self) -> &str {
        todo!()
    }
    fn head(&self, _path: &str) -> Result<Option<Head>> {
        todo!()
    }
    fn entry(&self, _path: &str) -> Result<Option<Entry>> {
        todo!()
    }
    fn children(&self, _path: &str) -> Result<Vec<Head>> {
        todo!()
    }
    fn has_children(&self, _path: &str) -> Result<bool> {
        todo!()
    }
    fn obsel_count(&self, _trace: TraceNumber) -> Result<u64> {
        todo!()
    }
    fn has_obsel(&self, _trace: TraceNumber, _id: &str) -> Result<bool> {
        todo!()
    }
}

impl Reading for Change<'_> {
    fn root(&self) -> &str {
        todo!()
    }
    fn head(&self, _path: &str) -> Result<Option<Head>> {
        todo!()
    }
    fn entry(&self, _path: &str) -> Result<Option<Entry>> {
        todo!()
    }
    fn children(&self, _path: &str) -> Result<Vec<Head>> {
        todo!()
    }
    fn has_children(&self, _path: &str) -> Result<bool> {
        todo!()
    }
    fn obsel_count(&self, _trace: TraceNumber) -> Result<u64> {
        todo!()
    }
    fn has_obsel(&self, _trace: TraceNumber, _id: &str) -> Result<bool> {
        todo!()
    }
}

impl Change<'_> {
    /// Returns a tag that was never given.
    pub fn new_tag(&mut self) -> Tag {
        todo!()
    }
    /// Puts a resource in place of the one that has its path, if any; gives it a new tag and the present time.
    pub fn put(&mut self, _entry: &mut Entry) -> Result<()> {
        todo!()
    }
    /// Deletes a resource, with its obsels if it is a trace; returns whether it was there.
    pub fn delete(&mut self, _path: &str) -> Result<bool> {
        todo!()
    }
    /// Makes an empty collection of obsels and returns its number.
    pub fn create_trace(&mut self) -> Result<TraceNumber> {
        todo!()
    }
    /// Renews the four tags of a collection of obsels, as after an amendment.
    pub fn renew_tags(&mut self, _trace: TraceNumber) -> Result<()> {
        todo!()
    }
    /// Makes the change durable and visible to all processes.
    pub fn commit(self) -> Result<()> {
        todo!()
    }
}
