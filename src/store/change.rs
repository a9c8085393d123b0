//! Write transactions.

use std::sync::Arc;

use hashbrown::HashMap;
use heed::RwTxn;

use super::codec::{self, Input, KEY_BYTES};
use super::open::{COUNTER, Inner, meta, meta_number, put_meta_number};
use super::reading::{Reading, Transaction, path_key};
use super::sight::{Seen, Sight};
use super::tallies::Tallies;
use super::{Entry, Result, StoreError, Tag, TraceNumber, TraceRecord, graphs, names, room};
use crate::obsel::Name;
use crate::time;

/// A write transaction: it sees its own changes; dropped without `commit`, it never was.
///
/// Counts are kept in memory and put in their tables by `commit`, so that a batch writes each of them once. Meanwhile
/// only [`Change::record`] sees those of a trace.
pub struct Change<'s> {
    txn: RwTxn<'s>,
    inner: &'s Inner,
    sight: Option<Arc<dyn Sight>>,
    /// The last tag given.
    counter: u64,
    /// The records of the traces that the change touches.
    traces: HashMap<TraceNumber, TraceRecord>,
    tallies: Tallies,
    /// The names that were looked up.
    names: HashMap<String, Name>,
}

impl std::fmt::Debug for Change<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Change")
            .field("id", &self.txn.id())
            .finish_non_exhaustive()
    }
}

impl Reading for Change<'_> {
    fn transaction(&self) -> Transaction<'_> {
        Transaction::new(self.inner, &self.txn)
    }

    fn trace(&self, trace: TraceNumber) -> Result<TraceRecord> {
        if let Some(record) = self.traces.get(&trace) {
            return Ok(*record);
        }
        let value = self.inner.tables.tallies.get(&self.txn, &codec::trace_key(trace))?;
        TraceRecord::decode(self.inner.instance, value.ok_or_else(codec::damaged)?)
    }
}

impl<'s> Change<'s> {
    pub(super) fn start(inner: &'s Inner, sight: Option<Arc<dyn Sight>>) -> Result<Self> {
        let txn = inner.env.write_txn()?;
        room::keep(inner);
        let counter = meta_number(inner.tables.main, &txn, COUNTER)?.ok_or_else(codec::damaged)?;
        let (traces, tallies, names) = Default::default();
        Ok(Self {
            txn,
            inner,
            sight,
            counter,
            traces,
            tallies,
            names,
        })
    }

    /// Returns the state as it is seen by whom the store was opened for. The change itself sees all, so that nothing
    /// is overwritten unseen.
    pub fn seen(&self) -> Seen<'_> {
        Seen {
            transaction: self.transaction(),
            sight: self.sight.as_deref(),
        }
    }

    pub(super) fn inner(&self) -> &'s Inner {
        self.inner
    }

    pub(super) fn txn_mut(&mut self) -> &mut RwTxn<'s> {
        &mut self.txn
    }

    /// Returns the number that the next tag will have: no change before this one gave any so great.
    pub fn next_tag(&self) -> u64 {
        self.counter + 1
    }

    /// Returns a tag that was never given.
    pub fn new_tag(&mut self) -> Tag {
        self.counter += 1;
        Tag {
            instance: self.inner.instance,
            count: self.counter,
        }
    }

    /// Puts a resource in place of the one that has its path, if any; gives it a new tag and the present time.
    ///
    /// # Errors
    /// `Refused`: its path is too long; `Full`.
    pub fn put(&mut self, entry: &mut Entry) -> Result<()> {
        let key = path_key(&entry.head.path);
        if key.len() > KEY_BYTES {
            let bound = KEY_BYTES - 1;
            return Err(StoreError::Refused(format!(
                "the path of the resource is longer than {bound} bytes"
            )));
        }
        entry.head.tag = self.new_tag();
        entry.head.modified = time::seconds();
        self.put_head(entry)
    }

    /// Puts what the head of a resource keeps beside what is shown of it, whose tag and time so stay as they are.
    ///
    /// # Errors
    /// `Full`.
    pub fn put_head(&mut self, entry: &Entry) -> Result<()> {
        let value = graphs::encode(&self.inner.root, entry)?;
        let key = path_key(&entry.head.path);
        Ok(self.inner.tables.graphs.put(&mut self.txn, &key, &value)?)
    }

    /// Gives a new tag and the present time to a resource, if it is there: what is shown beside its graph has changed.
    ///
    /// # Errors
    /// `Full`.
    pub fn touch(&mut self, path: &str) -> Result<()> {
        let key = path_key(path);
        if key.len() > KEY_BYTES {
            return Ok(());
        }
        let (tag, inner) = (self.new_tag(), self.inner);
        let Some(value) = inner.tables.graphs.get(&self.txn, &key)? else {
            return Ok(());
        };
        let (mut head, graph) = graphs::decode_head(inner.instance, path, value)?;
        (head.tag, head.modified) = (tag, time::seconds());
        let mut value = graphs::encode_head(&head);
        value.extend_from_slice(graph.0);
        Ok(inner.tables.graphs.put(&mut self.txn, &key, &value)?)
    }

    /// Deletes a resource, with its obsels if it is a trace; returns whether it was there. What is below stays.
    ///
    /// # Errors
    /// `Full`.
    pub fn delete(&mut self, path: &str) -> Result<bool> {
        let Some(head) = self.head(path)? else {
            return Ok(false);
        };
        if let Some(trace) = head.trace {
            self.delete_obsels(trace)?;
            self.delete_computation(trace)?;
            self.traces.remove(&trace);
            self.inner
                .tables
                .tallies
                .delete(&mut self.txn, &codec::trace_key(trace))?;
        }
        self.delete_acl(path)?;
        Ok(self.inner.tables.graphs.delete(&mut self.txn, &path_key(path))?)
    }

    /// Makes an empty collection of obsels and returns its number.
    ///
    /// # Errors
    /// `Full`.
    pub fn create_trace(&mut self) -> Result<TraceNumber> {
        let table = self.inner.tables.meta;
        let number = meta_number(table, &self.txn, meta::TRACES)?.ok_or_else(codec::damaged)? + 1;
        put_meta_number(table, &mut self.txn, meta::TRACES, number)?;
        let trace = TraceNumber(number);
        let record = TraceRecord::empty(self.new_tag(), time::seconds());
        self.traces.insert(trace, record);
        Ok(trace)
    }

    /// Returns the counts and tags of a trace, to be changed.
    ///
    /// # Errors
    /// `Damaged` if there is no such trace.
    pub fn record(&mut self, trace: TraceNumber) -> Result<&mut TraceRecord> {
        if !self.traces.contains_key(&trace) {
            let record = self.trace(trace)?;
            self.traces.insert(trace, record);
        }
        self.traces.get_mut(&trace).ok_or_else(codec::damaged)
    }

    /// Renews the four tags of a collection of obsels, as after an amendment.
    ///
    /// # Errors
    /// `Damaged` if there is no such trace.
    pub fn renew_tags(&mut self, trace: TraceNumber) -> Result<()> {
        let tag = self.new_tag();
        let record = self.record(trace)?;
        record.modified = time::seconds();
        record.tags = super::Tags {
            main: tag,
            strict: tag,
            pseudo: tag,
            logical: tag,
        };
        Ok(())
    }

    /// Returns the name of an absolute IRI, which is added to the dictionary if it is new.
    ///
    /// # Errors
    /// `Refused`: the IRI is longer than the dictionary takes; `Full`.
    pub fn name(&mut self, iri: &str) -> Result<Name> {
        if let Some(name) = self.names.get(iri) {
            return Ok(*name);
        }
        let name = match names::find(self, iri)? {
            Some(name) => name,
            None => names::add(self, iri)?,
        };
        self.names.insert(iri.to_owned(), name);
        Ok(name)
    }

    pub(super) fn tallies_mut(&mut self) -> &mut Tallies {
        &mut self.tallies
    }

    /// Makes the change durable and visible to all processes.
    ///
    /// # Errors
    /// `Full`: nothing was changed.
    pub fn commit(mut self) -> Result<()> {
        let tables = self.inner.tables;
        for (trace, key, difference) in self.tallies.take() {
            let before = match tables.tallies.get(&self.txn, &key)? {
                Some(value) => Input(value).uint()?,
                None => 0,
            };
            let after = before.checked_add_signed(difference).ok_or_else(codec::damaged)?;
            if after == 0 {
                tables.tallies.delete(&mut self.txn, &key)?;
            } else {
                let mut value = Vec::new();
                codec::put_uint(&mut value, after);
                tables.tallies.put(&mut self.txn, &key, &value)?;
            }
            if key.get(8) == Some(&super::Tally::Subject.mark()) && (before == 0) != (after == 0) {
                let record = self.record(trace)?;
                record.subjects = if before == 0 {
                    record.subjects + 1
                } else {
                    record.subjects.saturating_sub(1)
                };
            }
        }
        for (trace, record) in &self.traces {
            tables
                .tallies
                .put(&mut self.txn, &codec::trace_key(*trace), &record.encode())?;
        }
        put_meta_number(tables.main, &mut self.txn, COUNTER, self.counter)?;
        Ok(self.txn.commit()?)
    }
}
