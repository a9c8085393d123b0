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
        check_id(obsel.id)?;
        let trace = self.trace;
        self.obsels.push(
            |key| codec::put_obsel_key(key, trace, obsel.end, obsel.begin, obsel.id),
            |value| record::put(value, obsel),
        );
        self.ids.push(
            |key| codec::put_id_key(key, trace, obsel.id),
            |value| codec::put_id_value(value, obsel.end, obsel.begin),
        );
        let mentions = mention_keys(trace, obsel);
        for mention in &mentions {
            self.mentions.push(|key| key.extend_from_slice(mention), |_| ());
        }
        change.count_obsel(trace, obsel, mentions.len() as u64)?;
        if self.obsels.bytes.len() > RUN {
            self.write(change)?;
        }
        Ok(())
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
    /// Where each row starts, where its key ends, where it ends.
    places: Vec<[usize; 3]>,
}

impl Rows {
    fn push(&mut self, key: impl FnOnce(&mut Vec<u8>), value: impl FnOnce(&mut Vec<u8>)) {
        let start = self.bytes.len();
        key(&mut self.bytes);
        let middle = self.bytes.len();
        value(&mut self.bytes);
        self.places.push([start, middle, self.bytes.len()]);
    }

    /// Writes the rows in order, and forgets them.
    fn write(&mut self, table: Table, txn: &mut RwTxn<'_>) -> Result<()> {
        let Self { bytes, places } = self;
        let key = |&[start, middle, _]: &[usize; 3]| &bytes[start..middle];
        // Obsels that are computed in order come in order.
        if !places.is_sorted_by_key(key) {
            places.sort_unstable_by(|a, b| key(a).cmp(key(b)));
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
        for place in places.iter() {
            let value = &bytes[place[1]..place[2]];
            match table.put_with_flags(txn, flags, key(place), value) {
                Err(heed::Error::Mdb(MdbError::KeyExist)) => return Err(is_there(key(place))),
                result => result?,
            }
        }
        bytes.clear();
        places.clear();
        Ok(())
    }
}
