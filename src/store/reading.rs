//! What can be read in both kinds of transaction.

use std::ops::{Bound, ControlFlow};

use heed::RoTxn;

use super::codec::{self, Input, Place, damaged};
use super::open::{Inner, Tables};
use super::sight::{Sight, is_seen, trim};
use super::{Entry, Head, Result, Row, Tally, TraceNumber, TraceRecord, graphs, names, record};
use crate::error;
use crate::obsel::{Mention, Name, Obsel};

/// A transaction under way; opaque outside of the store.
#[derive(Clone, Copy)]
pub struct Transaction<'t> {
    inner: &'t Inner,
    txn: &'t RoTxn<'t>,
}

impl<'t> Transaction<'t> {
    pub(super) fn new(inner: &'t Inner, txn: &'t RoTxn<'t>) -> Self {
        Self { inner, txn }
    }

    pub(super) fn tables(&self) -> &'t Tables {
        &self.inner.tables
    }

    pub(super) fn txn(&self) -> &'t RoTxn<'t> {
        self.txn
    }

    pub(super) fn root(&self) -> &'t str {
        &self.inner.root
    }

    pub(super) fn instance(&self) -> u64 {
        self.inner.instance
    }
}

/// A part of a trace in its total order: from a place to a place.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// Where it starts.
    pub lower: Bound<Place>,
    /// Where it stops.
    pub upper: Bound<Place>,
}

impl Bounds {
    /// The whole trace.
    pub const ALL: Self = Self {
        lower: Bound::Unbounded,
        upper: Bound::Unbounded,
    };
}

/// Visits the end, the begin and the id of an obsel, and tells whether to go on.
pub type VisitPlace<'f> = dyn FnMut(i64, i64, &str) -> Result<ControlFlow<()>> + 'f;

/// What can be read, in a [`Snapshot`](super::Snapshot) or in a [`Change`](super::Change), which sees its own writes.
pub trait Reading {
    /// Returns the transaction.
    fn transaction(&self) -> Transaction<'_>;

    /// Returns what hides a part of the store, if anything does.
    fn sight(&self) -> Option<&dyn Sight> {
        None
    }

    /// Returns the root URI, which ends with `/`.
    fn root(&self) -> &str {
        self.transaction().root()
    }

    /// Returns a resource without its graph. `path` is relative to the root, empty for the root itself.
    fn head(&self, path: &str) -> Result<Option<Head>> {
        let transaction = self.transaction();
        let Some(value) = get_path(&transaction, path)? else {
            return Ok(None);
        };
        let head = graphs::decode_head(transaction.instance(), path, value)?.0;
        Ok(if is_seen(self, &head)? { Some(head) } else { None })
    }

    /// Returns a resource.
    fn entry(&self, path: &str) -> Result<Option<Entry>> {
        let transaction = self.transaction();
        let Some(value) = get_path(&transaction, path)? else {
            return Ok(None);
        };
        let (head, rest) = graphs::decode_head(transaction.instance(), path, value)?;
        if !is_seen(self, &head)? {
            return Ok(None);
        }
        let graph = graphs::decode_graph(transaction.root(), rest)?;
        let mut entry = Entry { head, graph };
        trim(self, &mut entry)?;
        Ok(Some(entry))
    }

    /// Returns the direct children of a base (or of the root, path empty), in the order of their paths.
    fn children(&self, path: &str) -> Result<Vec<Head>> {
        let mut children = Vec::new();
        let mut after = Bound::Excluded(path_key(path));
        let transaction = self.transaction();
        while let Some((key, value)) = next_below(&transaction, path, &after)? {
            let child = std::str::from_utf8(&key[1..]).map_err(|_| damaged())?;
            let head = graphs::decode_head(transaction.instance(), child, value)?.0;
            if is_seen(self, &head)? {
                children.push(head);
            }
            // What is below a child is skipped, whatever its size.
            after = match codec::after_prefix(key).filter(|_| key.ends_with(b"/")) {
                Some(next) => Bound::Included(next),
                None => Bound::Excluded(key.to_vec()),
            };
        }
        Ok(children)
    }

    /// Tells whether a base (or the root) has a child, without listing them.
    fn has_children(&self, path: &str) -> Result<bool> {
        if self.sight().is_some() {
            return Ok(!self.children(path)?.is_empty());
        }
        Ok(next_below(&self.transaction(), path, &Bound::Excluded(path_key(path)))?.is_some())
    }

    /// Calls a function with the path and the head of each resource at or below a path, in the order of the paths.
    fn for_each_below(&self, path: &str, f: &mut dyn FnMut(Entry) -> error::Result<()>) -> error::Result<()> {
        let transaction = self.transaction();
        let iter = transaction
            .tables()
            .graphs
            .prefix_iter(transaction.txn(), &path_key(path))
            .map_err(store)?;
        for row in iter {
            let (key, value) = row.map_err(store)?;
            let path = std::str::from_utf8(&key[1..]).map_err(|_| damaged())?;
            let (head, rest) = graphs::decode_head(transaction.instance(), path, value)?;
            if !is_seen(self, &head)? {
                continue;
            }
            let graph = graphs::decode_graph(transaction.root(), rest)?;
            let mut entry = Entry { head, graph };
            trim(self, &mut entry)?;
            f(entry)?;
        }
        Ok(())
    }

    /// Returns the counts and tags of a trace.
    ///
    /// # Errors
    /// `Damaged` if there is no such trace.
    fn trace(&self, trace: TraceNumber) -> Result<TraceRecord> {
        let transaction = self.transaction();
        let value = transaction
            .tables()
            .tallies
            .get(transaction.txn(), &codec::trace_key(trace))?;
        TraceRecord::decode(transaction.instance(), value.ok_or_else(damaged)?)
    }

    /// Returns the number of obsels of a trace.
    fn obsel_count(&self, trace: TraceNumber) -> Result<u64> {
        Ok(self.trace(trace)?.obsels)
    }

    /// Returns the place of an obsel, or `None` if the trace has no such obsel.
    fn place(&self, trace: TraceNumber, id: &str) -> Result<Option<Place>> {
        if id.len() > codec::ID_BYTES {
            return Ok(None);
        }
        let transaction = self.transaction();
        let Some(value) = transaction
            .tables()
            .ids
            .get(transaction.txn(), &codec::id_key(trace, id))?
        else {
            return Ok(None);
        };
        let (end, begin) = codec::split_id_value(value)?;
        Ok(Some(Place {
            end,
            begin,
            id: id.to_owned(),
        }))
    }

    /// Tells whether a trace has an obsel of this id.
    fn has_obsel(&self, trace: TraceNumber, id: &str) -> Result<bool> {
        Ok(self.place(trace, id)?.is_some())
    }

    /// Returns the place of the last obsel of a trace, or `None` if it is empty.
    fn last_place(&self, trace: TraceNumber) -> Result<Option<Place>> {
        let mut last = None;
        self.for_each_place(trace, &Bounds::ALL, true, &mut |end, begin, id| {
            last = Some(Place {
                end,
                begin,
                id: id.to_owned(),
            });
            Ok(ControlFlow::Break(()))
        })?;
        Ok(last)
    }

    /// Calls a function with the end, the begin and the id of each obsel of a part of a trace, until it breaks.
    fn for_each_place(&self, trace: TraceNumber, bounds: &Bounds, reverse: bool, f: &mut VisitPlace<'_>) -> Result<()> {
        let transaction = self.transaction();
        let (lower, upper) = key_bounds(trace, bounds);
        if is_empty(&lower, &upper) {
            return Ok(());
        }
        let range = (as_slice(&lower), as_slice(&upper));
        let (obsels, txn) = (transaction.tables().obsels, transaction.txn());
        let mut visit = |key: &[u8]| -> Result<ControlFlow<()>> {
            let (end, begin, id) = codec::split_obsel_key(key)?;
            f(end, begin, id)
        };
        if reverse {
            for row in obsels.rev_range(txn, &range)? {
                if visit(row?.0)?.is_break() {
                    break;
                }
            }
        } else {
            for row in obsels.range(txn, &range)? {
                if visit(row?.0)?.is_break() {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Calls a function with each obsel of a part of a trace, in order, until it breaks.
    ///
    /// # Errors
    /// Those of the function, and of the store.
    fn for_each_obsel(
        &self,
        trace: TraceNumber,
        bounds: &Bounds,
        f: &mut dyn FnMut(&Obsel<'_>) -> error::Result<ControlFlow<()>>,
    ) -> error::Result<()> {
        let mut obsel = Obsel::default();
        for_each_record(&self.transaction(), trace, bounds, &mut |key, record| {
            decode_obsel(key, record, &mut obsel)?;
            f(&obsel)
        })
    }

    /// As [`Reading::for_each_obsel`], for whoever asks for nothing but the ids, the times and the types: nothing else is decoded,
    /// and the obsels have no arcs.
    ///
    /// # Errors
    /// Those of the function, and of the store.
    fn for_each_typed(
        &self,
        trace: TraceNumber,
        bounds: &Bounds,
        f: &mut dyn FnMut(&Obsel<'_>) -> error::Result<ControlFlow<()>>,
    ) -> error::Result<()> {
        let mut obsel = Obsel::default();
        for_each_record(&self.transaction(), trace, bounds, &mut |key, record| {
            (obsel.end, obsel.begin, obsel.id) = codec::split_obsel_key(key)?;
            record::decode_types(record, &mut obsel)?;
            f(&obsel)
        })
    }

    /// As `for_each_obsel`, for whoever need not have most of the obsels decoded.
    ///
    /// # Errors
    /// Those of the function, and of the store.
    fn for_each_row<'t>(
        &'t self,
        trace: TraceNumber,
        bounds: &Bounds,
        f: &mut dyn FnMut(&mut Row<'t>) -> error::Result<ControlFlow<()>>,
    ) -> error::Result<()> {
        let mut row = Row::default();
        for_each_record(&self.transaction(), trace, bounds, &mut |key, record| {
            row.read(key, record)?;
            f(&mut row)
        })
    }

    /// Returns an obsel, or `None` if the trace has it not.
    fn obsel(&self, trace: TraceNumber, id: &str) -> Result<Option<Obsel<'_>>> {
        let Some(place) = self.place(trace, id)? else {
            return Ok(None);
        };
        let transaction = self.transaction();
        let key = codec::obsel_key(trace, place.end, place.begin, id);
        let (key, value) = transaction
            .tables()
            .obsels
            .get_greater_than_or_equal_to(transaction.txn(), &key)?
            .filter(|row| row.0 == key)
            .ok_or_else(damaged)?;
        let mut obsel = Obsel::default();
        decode_obsel(key, value, &mut obsel)?;
        Ok(Some(obsel))
    }

    /// Returns where an obsel is and its record, as they are stored, to be changed.
    fn raw_obsel(&self, trace: TraceNumber, id: &str) -> Result<Option<(Place, Vec<u8>)>> {
        let Some(place) = self.place(trace, id)? else {
            return Ok(None);
        };
        let transaction = self.transaction();
        let key = codec::obsel_key(trace, place.end, place.begin, id);
        let value = transaction.tables().obsels.get(transaction.txn(), &key)?;
        Ok(Some((place, value.ok_or_else(damaged)?.to_vec())))
    }

    /// Returns the triples about an obsel (or about an id that is none) which stand in the descriptions of other obsels,
    /// incoming first, then by predicate and other obsel.
    fn mentions(&self, trace: TraceNumber, id: &str) -> Result<Vec<Mention<'_>>> {
        let transaction = self.transaction();
        let prefix = codec::mention_prefix(trace, id);
        let mut mentions = Vec::new();
        if prefix.len() > codec::KEY_BYTES {
            return Ok(mentions);
        }
        for row in transaction.tables().mentions.prefix_iter(transaction.txn(), &prefix)? {
            let (outgoing, predicate, other) = codec::split_mention_key(&row?.0[prefix.len()..])?;
            mentions.push(Mention {
                outgoing,
                predicate: Name(predicate),
                other,
            });
        }
        Ok(mentions)
    }

    /// Returns the names that are tallied in a trace, with their counts, in the order of the names. Not for subjects.
    fn tallies(&self, trace: TraceNumber, tally: Tally) -> Result<Vec<(Name, u64)>> {
        let transaction = self.transaction();
        let mut prefix = codec::trace_key(trace);
        prefix.push(tally.mark());
        let mut tallies = Vec::new();
        for row in transaction.tables().tallies.prefix_iter(transaction.txn(), &prefix)? {
            let (key, value) = row?;
            let name = key[prefix.len()..].try_into().map_err(|_| damaged())?;
            tallies.push((Name(u32::from_be_bytes(name)), Input(value).uint()?));
        }
        Ok(tallies)
    }

    /// Returns the absolute IRI of a name.
    ///
    /// # Errors
    /// `Damaged` if the dictionary has it not.
    fn iri_of(&self, name: Name) -> Result<String> {
        names::iri(self, name)
    }

    /// Returns the name of an absolute IRI, or `None` if the dictionary has it not.
    fn name_of(&self, iri: &str) -> Result<Option<Name>> {
        names::find(self, iri)
    }
}

/// Visits the key and the record of an obsel, and tells whether to go on.
type VisitRecord<'t, 'f> = dyn FnMut(&'t [u8], &'t [u8]) -> error::Result<ControlFlow<()>> + 'f;

/// Calls a function with each obsel of a part of a trace, in order, until it breaks.
fn for_each_record<'t>(
    transaction: &Transaction<'t>,
    trace: TraceNumber,
    bounds: &Bounds,
    f: &mut VisitRecord<'t, '_>,
) -> error::Result<()> {
    let (lower, upper) = key_bounds(trace, bounds);
    if is_empty(&lower, &upper) {
        return Ok(());
    }
    let range = (as_slice(&lower), as_slice(&upper));
    let rows = transaction.tables().obsels.range(transaction.txn(), &range);
    for row in rows.map_err(store)? {
        let (key, record) = row.map_err(store)?;
        if f(key, record)?.is_break() {
            break;
        }
    }
    Ok(())
}

/// Brings an error of LMDB to the domain.
fn store(error: heed::Error) -> error::Error {
    error::Error::Store(error.into())
}

/// The key of a resource: a byte, since LMDB has no empty key, then its path.
pub(super) fn path_key(path: &str) -> Vec<u8> {
    let mut key = Vec::with_capacity(1 + path.len());
    key.push(b'/');
    key.extend_from_slice(path.as_bytes());
    key
}

/// Returns the value of a resource; a path that is longer than a key names none.
fn get_path<'t>(transaction: &Transaction<'t>, path: &str) -> Result<Option<&'t [u8]>> {
    let key = path_key(path);
    if key.len() > codec::KEY_BYTES {
        return Ok(None);
    }
    Ok(transaction.tables().graphs.get(transaction.txn(), &key)?)
}

fn next_below<'t>(
    transaction: &Transaction<'t>,
    path: &str,
    after: &Bound<Vec<u8>>,
) -> Result<Option<(&'t [u8], &'t [u8])>> {
    let range = (as_slice(after), Bound::Unbounded);
    let mut rows = transaction.tables().graphs.range(transaction.txn(), &range)?;
    let row = rows.next().transpose()?;
    Ok(row.filter(|(key, _)| key.starts_with(&path_key(path))))
}

fn as_slice(bound: &Bound<Vec<u8>>) -> Bound<&[u8]> {
    match bound {
        Bound::Included(key) => Bound::Included(key),
        Bound::Excluded(key) => Bound::Excluded(key),
        Bound::Unbounded => Bound::Unbounded,
    }
}

/// Returns the keys between which a part of a trace lies.
fn key_bounds(trace: TraceNumber, bounds: &Bounds) -> (Bound<Vec<u8>>, Bound<Vec<u8>>) {
    let key = |place: &Place| codec::obsel_key(trace, place.end, place.begin, &place.id);
    let lower = match &bounds.lower {
        Bound::Included(place) => Bound::Included(key(place)),
        Bound::Excluded(place) => Bound::Excluded(key(place)),
        Bound::Unbounded => Bound::Included(codec::trace_key(trace)),
    };
    let upper = match &bounds.upper {
        Bound::Included(place) => Bound::Included(key(place)),
        Bound::Excluded(place) => Bound::Excluded(key(place)),
        Bound::Unbounded => Bound::Excluded(codec::trace_key(TraceNumber(trace.0 + 1))),
    };
    (lower, upper)
}

/// Tells whether no key can lie between two bounds; LMDB would not notice that the first is above the second.
fn is_empty(lower: &Bound<Vec<u8>>, upper: &Bound<Vec<u8>>) -> bool {
    match (lower, upper) {
        (Bound::Included(lower), Bound::Included(upper)) => lower > upper,
        (Bound::Included(lower) | Bound::Excluded(lower), Bound::Included(upper) | Bound::Excluded(upper)) => {
            lower >= upper
        }
        _ => false,
    }
}

/// Decodes the key and the value of an obsel.
pub(super) fn decode_obsel<'t>(key: &'t [u8], value: &'t [u8], obsel: &mut Obsel<'t>) -> Result<()> {
    (obsel.end, obsel.begin, obsel.id) = codec::split_obsel_key(key)?;
    record::decode(value, obsel)
}
