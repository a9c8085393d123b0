//! The obsels that a method gives, kept aside while it computes and stored when it has ended.
//!
//! A method may run for long, and the store has one writer at a time: nothing is written to the store meanwhile. What the
//! method gives is kept in memory and, beyond some size, in an unlinked temporary file.

use std::io::{BufReader, Read, Seek, SeekFrom, Write};

use hashbrown::HashMap;
use tempfile::SpooledTempFile;

use super::monotonicity::Monotonicity;
use super::recording::Dictionary;
use super::relations;
use crate::error::{Error, Result};
use crate::method::Sink;
use crate::obsel::{Name, Obsel, Value};
use crate::store::codec::{Input, put_int, put_text};
use crate::store::{Change, Counts, Filling, Place, Reading, Tags, TraceNumber, record};
use crate::vocab::ktbs;

/// How much is kept in memory, in bytes.
const IN_MEMORY: usize = 16 << 20;

/// How much one computation may give, in bytes: some twenty million obsels of a few properties.
const MOST: u64 = 4 << 30;

/// Numbers from here on are given by the harvest to IRIs that the dictionary of the store did not have.
const FIRST_NEW_NAME: u32 = 1 << 31;

/// A mark, then the length of the body in 8 bytes.
const HEADER: usize = 9;

const CLEAR: u8 = 0;
const PUT: u8 = 1;
const REMOVE: u8 = 2;
/// A put after a clear, of a plain obsel, which speaks of no other and whose names the dictionary has: its record is stored as
/// it is, and it is counted already.
const PUT_PLAIN: u8 = 3;

/// What a method gave.
pub struct Harvest<'r> {
    reading: &'r dyn Reading,
    kept: SpooledTempFile,
    /// The change that is being written, kept for its room.
    change: Vec<u8>,
    count: u64,
    bytes: u64,
    new_names: Vec<String>,
    numbers: HashMap<String, Name>,
    /// The name of `k:hasSubject`, if the dictionary has it.
    has_subject: Option<Name>,
    /// Of the plain obsels; `None` before a clear.
    counts: Option<Counts>,
    /// The trace that it is for, if that is known.
    trace: Option<TraceNumber>,
    /// The first plain obsels after a clear, ready to be written to that trace.
    filling: Option<Filling>,
}

impl<'r> Harvest<'r> {
    /// Returns an empty harvest for a trace; names are looked up in a state of the store.
    pub fn of(reading: &'r dyn Reading, trace: Option<TraceNumber>) -> Self {
        Self {
            trace,
            ..Self::new(reading)
        }
    }

    /// Returns an empty harvest for a trace that is told when it is stored.
    pub fn new(reading: &'r dyn Reading) -> Self {
        let kept = SpooledTempFile::new(IN_MEMORY);
        Self {
            reading,
            kept,
            change: Vec::new(),
            count: 0,
            bytes: 0,
            new_names: Vec::new(),
            numbers: HashMap::new(),
            has_subject: None,
            counts: None,
            trace: None,
            filling: None,
        }
    }

    /// Returns what is to be stored, free of the state of the store.
    ///
    /// # Errors
    /// `Internal` if the temporary file cannot be read.
    pub fn finish(mut self) -> Result<Changes> {
        self.kept.seek(SeekFrom::Start(0)).map_err(spool)?;
        Ok(Changes {
            kept: self.kept,
            count: self.count,
            new_names: self.new_names,
            counts: self.counts,
            filling: self.filling,
        })
    }

    /// Keeps a mark, and the body that a function writes.
    fn keep(&mut self, mark: u8, write: impl FnOnce(&mut Vec<u8>)) -> Result<()> {
        let change = &mut self.change;
        change.clear();
        change.extend_from_slice(&[mark, 0, 0, 0, 0, 0, 0, 0, 0]);
        write(change);
        let length = (change.len() - HEADER) as u64;
        self.bytes += change.len() as u64;
        check_size(self.bytes)?;
        change[1..HEADER].copy_from_slice(&length.to_be_bytes());
        self.kept.write_all(change).map_err(spool)?;
        self.count += 1;
        Ok(())
    }
}

impl Dictionary for Harvest<'_> {
    fn name(&mut self, iri: &str) -> Result<Name> {
        Sink::name(self, iri)
    }

    fn root(&self) -> &str {
        self.reading.root()
    }
}

impl Sink for Harvest<'_> {
    fn clear(&mut self) -> Result<()> {
        self.has_subject = self.reading.name_of(ktbs::HAS_SUBJECT)?;
        self.counts = Some(Counts::default());
        self.filling = self.trace.map(Filling::of);
        self.keep(CLEAR, |_| ())
    }

    fn put(&mut self, obsel: &Obsel<'_>) -> Result<()> {
        let mark = match &mut self.counts {
            Some(counts) if is_plain(obsel) => {
                counts.add(obsel, self.has_subject);
                let place = (obsel.end, obsel.begin, obsel.id);
                if let Some(filling) = &mut self.filling
                    && filling.keep(place, |value| record::put(value, obsel))?
                {
                    return Ok(());
                }
                PUT_PLAIN
            }
            _ => PUT,
        };
        self.keep(mark, |body| {
            put_text(body, obsel.id);
            put_int(body, obsel.begin);
            put_int(body, obsel.end);
            record::put(body, obsel);
        })
    }

    fn remove(&mut self, id: &str) -> Result<()> {
        self.keep(REMOVE, |body| body.extend_from_slice(id.as_bytes()))
    }

    fn name(&mut self, iri: &str) -> Result<Name> {
        if let Some(name) = self.numbers.get(iri) {
            return Ok(*name);
        }
        let name = match self.reading.name_of(iri)? {
            Some(name) => name,
            None => {
                self.new_names.push(iri.to_owned());
                Name(FIRST_NEW_NAME + (self.new_names.len() - 1) as u32)
            }
        };
        self.numbers.insert(iri.to_owned(), name);
        Ok(name)
    }
}

/// The changes to the obsels of a trace, ready to be stored.
pub struct Changes {
    kept: SpooledTempFile,
    count: u64,
    new_names: Vec<String>,
    counts: Option<Counts>,
    filling: Option<Filling>,
}

impl Changes {
    /// Tells whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Calls a function with each obsel that was put, in order, in a harvest of [`Harvest::new`].
    ///
    /// # Errors
    /// Those of the function, and of the store; `Internal` if the temporary file cannot be read.
    pub fn for_each_put<'c>(
        self,
        change: &mut Change<'c>,
        f: &mut dyn FnMut(&mut Change<'c>, &mut Obsel<'_>) -> Result<()>,
    ) -> Result<()> {
        let names = self.names(change)?;
        let mut kept = BufReader::new(self.kept);
        let mut body = Vec::new();
        for _ in 0..self.count {
            if [PUT, PUT_PLAIN].contains(&read_change(&mut kept, &mut body).map_err(spool)?) {
                f(change, &mut decode(&body, &names)?)?;
            }
        }
        Ok(())
    }

    /// Returns the names in the store of those that the harvest gave.
    fn names(&self, change: &mut Change<'_>) -> Result<Vec<Name>> {
        let names = self.new_names.iter().map(|iri| change.name(iri));
        Ok(names.collect::<Result<_, _>>()?)
    }

    /// Stores the changes, and renews the tags that they break.
    ///
    /// # Errors
    /// Those of the store; `Internal` if the temporary file cannot be read.
    pub fn store(mut self, change: &mut Change<'_>, trace: TraceNumber) -> Result<()> {
        let names = self.names(change)?;
        let mut kept = BufReader::new(self.kept);
        // What comes after all was dropped is not compared with what there is.
        let mut filling: Option<Filling> = None;
        let mut counts = self.counts;
        // A computed trace has no pseudo-monotonicity range of its own.
        let mut monotonicity = Monotonicity::new(change.last_place(trace)?, 0);
        let (mut only_adds, mut adds) = (true, false);
        let mut body = Vec::new();
        for _ in 0..self.count {
            let mark = read_change(&mut kept, &mut body).map_err(spool)?;
            match mark {
                CLEAR => {
                    change.delete_obsels(trace)?;
                    filling = Some(self.filling.take().unwrap_or_else(|| Filling::of(trace)));
                    only_adds = false;
                }
                REMOVE => {
                    if let Some(filling) = &mut filling {
                        filling.write(change)?;
                        change.count(trace, counts.take().unwrap_or_default())?;
                    }
                    let id = std::str::from_utf8(&body).map_err(|error| Error::Internal(error.to_string()))?;
                    only_adds &= !change.remove_obsel(trace, id)?;
                }
                PUT_PLAIN => {
                    let (id, begin, end, record) = split(&body)?;
                    if let Some(filling) = &mut filling {
                        filling.add_record(change, (end, begin, id), record)?;
                    }
                }
                _ => {
                    let obsel = decode(&body, &names)?;
                    if let Some(filling) = &mut filling {
                        filling.add(change, &obsel)?;
                        continue;
                    }
                    match change.obsel(trace, obsel.id)? {
                        Some(known) if known == obsel => {}
                        Some(_) => {
                            change.replace_obsel(trace, &obsel)?;
                            only_adds = false;
                        }
                        None => {
                            change.add_obsel(trace, &obsel)?;
                            adds = true;
                            if only_adds {
                                let related = relations::related(change, trace, &obsel)?;
                                let place = Place {
                                    end: obsel.end,
                                    begin: obsel.begin,
                                    id: obsel.id.to_owned(),
                                };
                                monotonicity.add(place, &related);
                            }
                        }
                    }
                }
            }
        }
        if let Some(mut filling) = filling {
            filling.write(change)?;
            change.count(trace, counts.unwrap_or_default())?;
        }
        if !only_adds {
            change.renew_tags(trace)?;
        } else if adds {
            let tag = change.new_tag();
            let tags = &mut change.record(trace)?.tags;
            let verdict = monotonicity.verdict;
            *tags = Tags {
                main: tag,
                strict: if verdict.strict { tags.strict } else { tag },
                pseudo: if verdict.pseudo { tags.pseudo } else { tag },
                logical: tags.logical,
            };
        }
        Ok(())
    }
}

/// Tells whether an obsel speaks of no other, and the dictionary has all its names.
fn is_plain(obsel: &Obsel<'_>) -> bool {
    let is_known = |name: &Name| name.0 < FIRST_NEW_NAME;
    let is_plain = |value: &Value<'_>| match value {
        Value::Obsel(id) => *id == obsel.id,
        Value::Named(name) | Value::Typed(_, name) => is_known(name),
        _ => true,
    };
    obsel.types.iter().all(is_plain)
        && obsel
            .triples()
            .all(|(subject, arc)| is_plain(&subject) && is_known(&arc.predicate) && is_plain(&arc.object))
}

/// Returns the id, the begin, the end and the record of an obsel that was put.
fn split(body: &[u8]) -> Result<(&str, i64, i64, &[u8])> {
    let mut input = Input(body);
    Ok((input.text()?, input.int()?, input.int()?, input.0))
}

/// Returns the obsel that was put, with the names that the store now has.
fn decode<'b>(body: &'b [u8], names: &[Name]) -> Result<Obsel<'b>> {
    let (id, begin, end, record) = split(body)?;
    let mut obsel = Obsel {
        id,
        begin,
        end,
        ..Obsel::default()
    };
    record::decode(record, &mut obsel)?;
    if !names.is_empty() {
        obsel.rename(&|name| match name.0.checked_sub(FIRST_NEW_NAME) {
            Some(new) => names[new as usize],
            None => name,
        });
    }
    Ok(obsel)
}

/// Reads a mark and, into `body`, what follows it.
fn read_change(kept: &mut impl Read, body: &mut Vec<u8>) -> std::io::Result<u8> {
    let mut header = [0; HEADER];
    kept.read_exact(&mut header)?;
    let [mark, length @ ..] = header;
    body.resize(
        usize::try_from(u64::from_be_bytes(length)).map_err(std::io::Error::other)?,
        0,
    );
    kept.read_exact(body)?;
    Ok(mark)
}

/// Checks how much a computation gave.
fn check_size(bytes: u64) -> Result<()> {
    if bytes > MOST {
        return Err(Error::TooComplex(format!(
            "the computation gives obsels of more than {} MiB",
            MOST >> 20
        )));
    }
    Ok(())
}

fn spool(error: std::io::Error) -> Error {
    Error::Store(error.into())
}

#[cfg(test)]
mod test {
    use super::*;

    #[test]
    fn what_a_computation_gives_is_bounded() {
        assert!(check_size(MOST).is_ok());
        assert!(matches!(check_size(MOST + 1), Err(Error::TooComplex(text)) if text.contains("more than 4096 MiB")));
    }
}
