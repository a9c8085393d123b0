//! Adding obsels by the thousand: each table is written in its order.

use heed::{MdbError, PutFlags, RwTxn};

use super::change::Change;
use super::obsels::{check_id, is_there, mention_keys};
use super::open::Table;
use super::{Result, TraceNumber, codec, record};
use crate::obsel::Obsel;

/// How many bytes of rows are sorted and written at once.
const RUN: usize = 4 << 20;

/// Obsels on their way to a trace, which has none of them yet.
///
/// They are kept until there are many, and each table then gets its rows in order: a B-tree takes those at a fraction of what
/// the same rows cost in any order, and where they come after all the others it keeps its pages full.
#[derive(Debug)]
pub struct Filling {
    trace: TraceNumber,
    obsels: Rows,
    ids: Rows,
    mentions: Rows,
}

impl Filling {
    /// Starts to fill a trace.
    pub fn of(trace: TraceNumber) -> Self {
        let (obsels, ids, mentions) = Default::default();
        Self {
            trace,
            obsels,
            ids,
            mentions,
        }
    }

    /// Adds an obsel, which the trace has for sure after [`Filling::write`]. Tags are the caller's to renew.
    ///
    /// # Errors
    /// `Refused`: there is an obsel of some id already, or the id is too long; `Full`.
    pub fn add(&mut self, change: &mut Change<'_>, obsel: &Obsel<'_>) -> Result<()> {
        let mentions = mention_keys(self.trace, obsel);
        for mention in &mentions {
            self.mentions.push(|key| key.extend_from_slice(mention), |_| ());
        }
        change.count_obsel(self.trace, obsel, mentions.len() as u64)?;
        self.push(change, (obsel.end, obsel.begin, obsel.id), |value| {
            record::put(value, obsel)
        })
    }

    /// Adds an obsel that speaks of no other, given its end, its begin, its id and its record. It is counted apart, by
    /// [`Change::count`].
    ///
    /// # Errors
    /// As for [`Filling::add`].
    pub fn add_record(&mut self, change: &mut Change<'_>, place: (i64, i64, &str), record: &[u8]) -> Result<()> {
        self.push(change, place, |value| value.extend_from_slice(record))
    }

    /// As [`Filling::add_record`], before there is a change; returns false, with nothing added, when there is enough to write.
    ///
    /// # Errors
    /// `Refused`: the id is too long.
    pub fn keep(&mut self, place: (i64, i64, &str), record: impl FnOnce(&mut Vec<u8>)) -> Result<bool> {
        if self.is_full() {
            return Ok(false);
        }
        self.append(place, record)?;
        Ok(true)
    }

    fn push(
        &mut self,
        change: &mut Change<'_>,
        place: (i64, i64, &str),
        record: impl FnOnce(&mut Vec<u8>),
    ) -> Result<()> {
        self.append(place, record)?;
        if self.is_full() {
            self.write(change)?;
        }
        Ok(())
    }

    fn append(&mut self, (end, begin, id): (i64, i64, &str), record: impl FnOnce(&mut Vec<u8>)) -> Result<()> {
        check_id(id)?;
        let trace = self.trace;
        self.obsels
            .push(|key| codec::put_obsel_key(key, trace, end, begin, id), record);
        self.ids.push(
            |key| codec::put_id_key(key, trace, id),
            |value| codec::put_id_value(value, end, begin),
        );
        Ok(())
    }

    fn is_full(&self) -> bool {
        self.obsels.bytes.len() > RUN
    }

    /// Writes what is kept.
    ///
    /// # Errors
    /// As for [`Filling::add`].
    pub fn write(&mut self, change: &mut Change<'_>) -> Result<()> {
        let tables = change.inner().tables;
        let txn = change.txn_mut();
        self.ids.write(tables.ids, txn)?;
        self.obsels.write(tables.obsels, txn)?;
        self.mentions.write(tables.mentions, txn)
    }
}

/// Rows of a table, on their way.
#[derive(Debug, Default)]
struct Rows {
    bytes: Vec<u8>,
    places: Vec<Row>,
}

/// Where a row is in the bytes of [`Rows`].
#[derive(Clone, Copy, Debug)]
struct Row {
    /// What follows the trace in the key, as a number: most rows are sorted by it alone.
    rank: u64,
    start: usize,
    /// Where its key ends.
    middle: usize,
    end: usize,
}

impl Rows {
    fn push(&mut self, key: impl FnOnce(&mut Vec<u8>), value: impl FnOnce(&mut Vec<u8>)) {
        let start = self.bytes.len();
        key(&mut self.bytes);
        let middle = self.bytes.len();
        value(&mut self.bytes);
        let mut rank = [0; 8];
        let after_trace = self.bytes[start..middle].iter().skip(8);
        rank.iter_mut().zip(after_trace).for_each(|(rank, byte)| *rank = *byte);
        self.places.push(Row {
            rank: u64::from_be_bytes(rank),
            start,
            middle,
            end: self.bytes.len(),
        });
    }

    /// Writes the rows in order, and forgets them.
    fn write(&mut self, table: Table, txn: &mut RwTxn<'_>) -> Result<()> {
        let Self { bytes, places } = self;
        let key = |row: &Row| &bytes[row.start..row.middle];
        // All are of one trace. Those of obsels that are computed in order come in order.
        let compare = |a: &Row, b: &Row| a.rank.cmp(&b.rank).then_with(|| key(a).cmp(key(b)));
        if !places.is_sorted_by(|a, b| compare(a, b).is_le()) {
            places.sort_unstable_by(compare);
        }
        let Some(first) = places.first() else {
            return Ok(());
        };
        let comes_last = table.last(txn)?.is_none_or(|(last, _)| last < key(first));
        // Both refuse a key that is there.
        let flags = if comes_last {
            PutFlags::APPEND
        } else {
            PutFlags::NO_OVERWRITE
        };
        for row in places.iter() {
            let value = &bytes[row.middle..row.end];
            match table.put_with_flags(txn, flags, key(row), value) {
                Err(heed::Error::Mdb(MdbError::KeyExist)) => return Err(is_there(key(row))),
                result => result?,
            }
        }
        bytes.clear();
        places.clear();
        Ok(())
    }
}
