//! Adding and removing obsels: the record, its index, its mentions, what is counted of it.

use std::collections::HashSet;
use std::ops::{Bound, ControlFlow};

use heed::{MdbError, PutFlags};

use super::change::Change;
use super::codec::{self, ID_BYTES, KEY_BYTES};
use super::reading::{Bounds, Reading, decode_obsel};
use super::traces::{Counts, Totals};
use super::{Place, Result, StoreError, TraceNumber, record};
use crate::obsel::{Arc, Name, Obsel, Value};
use crate::time;
use crate::vocab;

impl Change<'_> {
    /// Adds an obsel to a trace. Tags are the caller's to renew.
    ///
    /// # Errors
    /// `Refused`: there is an obsel of this id already, or the id is longer than [`ID_BYTES`]; `Full`.
    pub fn add_obsel(&mut self, trace: TraceNumber, obsel: &Obsel<'_>) -> Result<()> {
        check_id(obsel.id)?;
        let tables = self.inner().tables;
        let key = codec::id_key(trace, obsel.id);
        let value = codec::id_value(obsel.end, obsel.begin);
        match tables
            .ids
            .put_with_flags(self.txn_mut(), PutFlags::NO_OVERWRITE, &key, &value)
        {
            Err(heed::Error::Mdb(MdbError::KeyExist)) => return Err(is_there(&key)),
            result => result?,
        }
        let key = codec::obsel_key(trace, obsel.end, obsel.begin, obsel.id);
        tables.obsels.put(self.txn_mut(), &key, &record::encode(obsel))?;
        let mentions = mention_keys(trace, obsel);
        for key in &mentions {
            tables.mentions.put(self.txn_mut(), key, &[])?;
        }
        self.count_obsel(trace, obsel, mentions.len() as u64)
    }

    /// Counts an obsel that was added, with the mentions that it gives.
    pub(super) fn count_obsel(&mut self, trace: TraceNumber, obsel: &Obsel<'_>, mentions: u64) -> Result<()> {
        self.tally_obsel(trace, obsel, 1)?;
        let record = self.record(trace)?;
        record.count(Totals::of(obsel, mentions));
        record.modified = time::seconds();
        Ok(())
    }

    /// Counts obsels that were added.
    ///
    /// # Errors
    /// `Damaged` if there is no such trace.
    pub fn count(&mut self, trace: TraceNumber, counts: Counts) -> Result<()> {
        self.tallies_mut().of(trace).add(counts.tallies);
        let record = self.record(trace)?;
        record.count(counts.totals);
        record.modified = time::seconds();
        Ok(())
    }

    /// Removes an obsel from a trace, with all the triples about it, wherever they stand; returns whether it was there.
    /// Tags are the caller's to renew.
    ///
    /// # Errors
    /// `Full`.
    pub fn remove_obsel(&mut self, trace: TraceNumber, id: &str) -> Result<bool> {
        let others: HashSet<String> = self
            .mentions(trace, id)?
            .into_iter()
            .map(|mention| mention.other.to_owned())
            .collect();
        for other in others {
            self.forget_in(trace, &other, id)?;
        }
        let Some(removed) = self.take_obsel(trace, id)? else {
            return Ok(false);
        };
        let begin = removed.begin;
        let record = self.record(trace)?;
        if record.obsels == 0 {
            (record.min_begin, record.max_duration) = (0, 0);
        } else if begin == record.min_begin {
            self.find_min_begin(trace)?;
        }
        Ok(true)
    }

    /// Puts an obsel in place of the one that has its id, if any. What other obsels say of it stays. Tags are the caller's
    /// to renew.
    ///
    /// # Errors
    /// `Refused`: the id is longer than [`ID_BYTES`]; `Full`.
    pub fn replace_obsel(&mut self, trace: TraceNumber, obsel: &Obsel<'_>) -> Result<()> {
        let replaced = self.take_obsel(trace, obsel.id)?;
        self.add_obsel(trace, obsel)?;
        match replaced {
            Some(place) if place.begin == self.record(trace)?.min_begin => self.find_min_begin(trace),
            _ => Ok(()),
        }
    }

    /// Removes all the obsels of a trace. Tags are the caller's to renew.
    ///
    /// # Errors
    /// `Full`.
    pub fn delete_obsels(&mut self, trace: TraceNumber) -> Result<()> {
        let tables = self.inner().tables;
        let (lower, upper) = (codec::trace_key(trace), codec::trace_key(TraceNumber(trace.0 + 1)));
        let range = (Bound::Included(lower.as_slice()), Bound::Excluded(upper.as_slice()));
        for table in [tables.obsels, tables.ids, tables.mentions, tables.tallies] {
            table.delete_range(self.txn_mut(), &range)?;
        }
        self.tallies_mut().forget(trace);
        let record = self.record(trace)?;
        (record.obsels, record.triples, record.subjects, record.mentions) = (0, 0, 0, 0);
        (record.min_begin, record.max_duration) = (0, 0);
        record.modified = time::seconds();
        Ok(())
    }

    /// Removes the record of an obsel and all that was derived from it, and returns where it was.
    fn take_obsel(&mut self, trace: TraceNumber, id: &str) -> Result<Option<Place>> {
        let Some(place) = self.place(trace, id)? else {
            return Ok(None);
        };
        let tables = self.inner().tables;
        let key = codec::obsel_key(trace, place.end, place.begin, id);
        let value = tables
            .obsels
            .get(self.txn_mut(), &key)?
            .ok_or_else(codec::damaged)?
            .to_vec();
        let mut obsel = Obsel::default();
        decode_obsel(&key, &value, &mut obsel)?;
        tables.obsels.delete(self.txn_mut(), &key)?;
        tables.ids.delete(self.txn_mut(), &codec::id_key(trace, id))?;
        let mentions = mention_keys(trace, &obsel);
        for key in &mentions {
            tables.mentions.delete(self.txn_mut(), key)?;
        }
        self.tally_obsel(trace, &obsel, -1)?;
        let record = self.record(trace)?;
        record.obsels = record.obsels.saturating_sub(1);
        record.triples = record.triples.saturating_sub(obsel.triple_count());
        record.mentions = record.mentions.saturating_sub(mentions.len() as u64);
        record.modified = time::seconds();
        Ok(Some(place))
    }

    /// Removes the triples about an obsel from the description of another.
    fn forget_in(&mut self, trace: TraceNumber, other: &str, id: &str) -> Result<()> {
        let Some(place) = self.place(trace, other)? else {
            return Ok(());
        };
        let key = codec::obsel_key(trace, place.end, place.begin, other);
        let value = self
            .inner()
            .tables
            .obsels
            .get(self.txn_mut(), &key)?
            .ok_or_else(codec::damaged)?
            .to_vec();
        let mut obsel = Obsel::default();
        decode_obsel(&key, &value, &mut obsel)?;
        let about = Value::Obsel(id);
        obsel.arcs.retain(|arc| arc.object != about);
        obsel.blank_arcs.retain(|(_, arc)| arc.object != about);
        obsel
            .others
            .retain(|(subject, arc)| *subject != about && arc.object != about);
        obsel.keep_reachable_blanks();
        self.take_obsel(trace, other)?;
        self.add_obsel(trace, &obsel)
    }

    /// Counts the types, the subject and the predicates of an obsel, or discounts them.
    fn tally_obsel(&mut self, trace: TraceNumber, obsel: &Obsel<'_>, difference: i64) -> Result<()> {
        let has_subject = self.name(vocab::ktbs::HAS_SUBJECT)?;
        self.tallies_mut().of(trace).count(obsel, Some(has_subject), difference);
        Ok(())
    }

    /// Looks for the least begin again. Since no obsel lasts longer than `max_duration`, the obsel that begins first
    /// cannot end later than the begin of the first one to end, plus that duration.
    fn find_min_begin(&mut self, trace: TraceNumber) -> Result<()> {
        let longest = self.record(trace)?.max_duration;
        let mut least: Option<i64> = None;
        self.for_each_place(trace, &Bounds::ALL, false, &mut |end, begin, _| {
            let so_far = least.map_or(begin, |least| least.min(begin));
            least = Some(so_far);
            let horizon = i128::from(so_far) + i128::from(longest);
            Ok(if i128::from(end) > horizon {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            })
        })?;
        self.record(trace)?.min_begin = least.unwrap_or(0);
        Ok(())
    }
}

/// Checks that an identifier is not too long.
pub(super) fn check_id(id: &str) -> Result<()> {
    if id.len() > ID_BYTES {
        return Err(StoreError::Refused(format!(
            "the identifier of the obsel is longer than {ID_BYTES} bytes: {id}"
        )));
    }
    Ok(())
}

/// Returns the error of an obsel whose key in `ids` is there already.
pub(super) fn is_there(key: &[u8]) -> StoreError {
    let id = String::from_utf8_lossy(key.get(8..).unwrap_or_default());
    StoreError::Refused(format!("there is an obsel {id} already"))
}

/// Returns the keys of `mentions` that a description gives, each once: one for each other obsel that a triple names.
pub(super) fn mention_keys(trace: TraceNumber, obsel: &Obsel<'_>) -> Vec<Vec<u8>> {
    let mut keys = Vec::new();
    let mut mention = |value: &Value<'_>, outgoing: bool, predicate: Name| {
        if let Value::Obsel(id) = value
            && *id != obsel.id
        {
            keys.push(codec::mention_key(trace, id, outgoing, predicate.0, obsel.id));
        }
    };
    for Arc { predicate, object } in &obsel.arcs {
        mention(object, false, *predicate);
    }
    for (_, arc) in &obsel.blank_arcs {
        mention(&arc.object, false, arc.predicate);
    }
    for (subject, arc) in &obsel.others {
        mention(subject, true, arc.predicate);
        mention(&arc.object, false, arc.predicate);
    }
    keys.sort_unstable();
    keys.dedup();
    debug_assert!(keys.iter().all(|key| key.len() <= KEY_BYTES));
    keys
}
