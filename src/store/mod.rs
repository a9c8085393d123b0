//! The store: LMDB behind Sophia's traits.
//!
//! A [`Store`] gives [`Snapshot`]s (read transactions, owned) and [`Change`]s (write transactions). [`Reading`] is what
//! both can read. Nobody above knows LMDB. Several processes open the same directory at once; readers never wait;
//! a process killed at any moment leaves nothing behind. The store knows graphs and obsels, and no rule of the kTBS.
//!
//! * [`codec`]: the format of the files. [`graphs`]: the graph of each resource. [`record`]: one record per obsel.
//! * [`names`]: the dictionary of IRIs. [`traces`]: counts and tags. [`computations`]: what computed traces have seen. [`views`]: Sophia's traits. [`inspect`]: what tools ask.
//! * [`links`]: who uses what. [`acls`]: who may do what. [`tokens`]: personal tokens. `room`: the length of the file. `former`: stores of a former version. A store may be opened for someone who sees a part of it only ([`Sight`]).

pub mod acls;
mod change;
pub mod codec;
pub mod computations;
mod error;
mod filling;
mod former;
pub mod graphs;
pub mod inspect;
mod layout;
pub mod links;
pub mod names;
mod obsels;
mod open;
mod reading;
pub mod record;
mod room;
mod sight;
mod snapshot;
mod tallies;
#[cfg(test)]
mod test;
pub mod tokens;
mod traces;
pub mod verify;
pub mod views;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

pub use change::Change;
pub use codec::Place;
pub use error::StoreError;
pub use filling::Filling;
pub use layout::Row;
pub use links::Use;
pub use reading::{Bounds, Reading, Transaction, VisitPlace};
pub use sight::{Seen, Sight};
pub use snapshot::Snapshot;
pub use tallies::Tally;
pub use traces::{Counts, Tags, TraceRecord};

use crate::rdf::Graph;
use crate::time;

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

impl Kind {
    /// All of them. Their order is that in which those of a dump are stored, since the unit of a trace is that of its model; their
    /// position is what a head keeps, so that a new one goes to the end.
    pub const ALL: [Self; 7] = [
        Self::Root,
        Self::Base,
        Self::TraceModel,
        Self::Method,
        Self::DataGraph,
        Self::StoredTrace,
        Self::ComputedTrace,
    ];
}

/// A version, never given twice by a store. Written as 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tag {
    /// The instance of the store.
    pub instance: u64,
    /// The store's counter when the tag was made.
    pub count: u64,
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}{:016x}", self.instance, self.count)
    }
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
    /// The unit, for a trace model; the last known unit of the model, for a trace.
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

/// A store, open for reading and writing. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store(Arc<open::Inner>, Option<Arc<dyn Sight>>);

/// How often a process that writes looks for readers that were killed, in seconds. They pin pages, and the file grows.
const CLEAR_READERS_S: u64 = 5;

impl Store {
    /// Opens the store of a directory, which is made if it does not exist. `root` is the root URI, which ends with `/`;
    /// `map_size` the address space reserved, in bytes, which bounds the size of the store.
    ///
    /// # Errors
    /// `Unusable`: the directory is not a store of this program, is of another version, cannot be written, or is on NFS.
    pub fn open(directory: &Path, root: &str, map_size: u64) -> Result<Self> {
        open::open(directory, root, map_size)
    }

    /// Tells whether a directory, which exists, may hold a store, or is to become one; what is in the files is not looked at.
    ///
    /// # Errors
    /// `Unusable`: it has other files, cannot be read, or is on NFS.
    pub fn check(directory: &Path) -> Result<()> {
        open::check_directory(directory)
    }

    /// Returns the same store, of which only a part is read.
    pub fn seen_by(&self, sight: Arc<dyn Sight>) -> Self {
        Self(Arc::clone(&self.0), Some(sight))
    }

    /// Returns the same store, all of which is read. What is read from it is for decisions and computations, not for
    /// clients.
    pub fn whole(&self) -> Self {
        Self(Arc::clone(&self.0), None)
    }

    /// Returns the root URI, which ends with `/`.
    pub fn root(&self) -> &str {
        &self.0.root
    }

    fn inner(&self) -> &open::Inner {
        &self.0
    }

    /// Returns the number of the last transaction that changed the store.
    pub fn last_change(&self) -> usize {
        self.0.env.info().last_txn_id
    }

    /// Returns the size of the file of the store, and how much of it is in use, in bytes.
    ///
    /// # Errors
    /// Those of LMDB.
    pub fn size(&self) -> Result<(u64, u64)> {
        Ok((self.0.env.real_disk_size()?, self.0.env.non_free_pages_size()?))
    }

    /// Returns the directory of the store.
    pub fn directory(&self) -> &Path {
        self.0.env.path()
    }

    /// Starts a read transaction. It never waits, but pins the pages that it sees: keep it short.
    ///
    /// # Errors
    /// `Busy`: too many readers, even once those of killed processes are cleared.
    pub fn read(&self) -> Result<Snapshot> {
        match Snapshot::start(&self.0, self.1.clone()) {
            Err(StoreError::Busy) => {
                self.0.env.clear_stale_readers()?;
                Snapshot::start(&self.0, self.1.clone())
            }
            result => result,
        }
    }

    /// Returns the number of the last write, of whatever process: as long as it is the same, nothing has changed.
    ///
    /// # Errors
    /// As for [`Store::read`].
    pub fn state(&self) -> Result<u64> {
        Ok(self.read()?.state())
    }

    /// Starts a write transaction, and waits for the one that is under way in any process. Never compute, parse or
    /// talk to a client while holding one.
    ///
    /// # Errors
    /// `Full`, `Failed`.
    pub fn write(&self) -> Result<Change<'_>> {
        let now = time::seconds();
        if now.saturating_sub(self.0.readers_cleared.load(Ordering::Relaxed)) >= CLEAR_READERS_S {
            self.0.readers_cleared.store(now, Ordering::Relaxed);
            self.0.env.clear_stale_readers()?;
        }
        Change::start(&self.0, self.1.clone())
    }
}
