//! A sink that keeps what a computation gives until it is written to the store.
//!
//! To compute is long and to write must be short, since the store has one writer. In between, obsels are kept as
//! compact records, in memory while they are few, then in a temporary file.

use std::collections::HashMap;
use std::io::{BufReader, Read, Seek, SeekFrom, Write};

use tempfile::SpooledTempFile;

use super::Sink;
use crate::error::{Error, Result};
use crate::obsel::{Arc, Name, Obsel, Value};
use crate::store::codec::{Input, put_int, put_text};
use crate::store::{Reading, record};

/// How many bytes are kept in memory.
const MEMORY_BYTES: usize = 4 * 1024 * 1024;
/// How many bytes are gathered before they go to the file.
const WRITE_BYTES: usize = 64 * 1024;

/// A change of the obsels of the target.
#[derive(Clone, Copy, Debug)]
pub enum Action<'t> {
    /// Add an obsel, or put it in place of the one of its id.
    Put(&'t Obsel<'t>),
    /// Drop the obsel of an id.
    Remove(&'t str),
}

/// What a computation gave, in order.
pub struct Spool<'r> {
    reading: &'r dyn Reading,
    cleared: bool,
    actions: u64,
    /// Each action: its length (`u32`), then [`put_int`] of begin and end, id, record; the id alone for a removal.
    file: SpooledTempFile,
    gathered: Vec<u8>,
    names: HashMap<String, Name>,
    /// The IRIs that the dictionary has not, by the distance of their numbers from the greatest.
    new_names: Vec<String>,
}

impl std::fmt::Debug for Spool<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Spool")
            .field("cleared", &self.cleared)
            .field("actions", &self.actions)
            .finish_non_exhaustive()
    }
}

const PUT: u8 = 0;
const REMOVE: u8 = 1;

impl<'r> Spool<'r> {
    /// Returns an empty spool for a computation that reads this state of the store.
    pub fn new(reading: &'r dyn Reading) -> Self {
        let (cleared, actions, gathered, names, new_names) = Default::default();
        Self {
            reading,
            cleared,
            actions,
            file: SpooledTempFile::new(MEMORY_BYTES),
            gathered,
            names,
            new_names,
        }
    }

    /// Tells whether the obsels of the last computation are to be dropped first.
    pub fn is_cleared(&self) -> bool {
        self.cleared
    }

    /// Returns how many actions there are, the clearing aside.
    pub fn len(&self) -> u64 {
        self.actions
    }

    /// Tells whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        !self.cleared && self.actions == 0
    }

    /// Calls a function with each action, in order, once the names that the dictionary had not are given by another.
    ///
    /// # Errors
    /// Those of the functions; `Internal` if the temporary file cannot be read.
    pub fn replay(
        mut self,
        name: &mut dyn FnMut(&str) -> Result<Name>,
        f: &mut dyn FnMut(Action<'_>) -> Result<()>,
    ) -> Result<()> {
        self.flush()?;
        self.file.seek(SeekFrom::Start(0)).map_err(failed)?;
        let mut new_names = Vec::with_capacity(self.new_names.len());
        for iri in &self.new_names {
            new_names.push(name(iri)?);
        }
        let mut file = BufReader::with_capacity(WRITE_BYTES, self.file);
        let mut bytes = Vec::new();
        for _ in 0..self.actions {
            let mut length = [0; 4];
            file.read_exact(&mut length).map_err(failed)?;
            bytes.resize(u32::from_le_bytes(length) as usize, 0);
            file.read_exact(&mut bytes).map_err(failed)?;
            let mut input = Input(&bytes);
            if input.byte()? == REMOVE {
                f(Action::Remove(input.text()?))?;
                continue;
            }
            let (begin, end, id) = (input.int()?, input.int()?, input.text()?);
            let mut obsel = Obsel::default();
            record::decode(input.0, &mut obsel)?;
            (obsel.begin, obsel.end, obsel.id) = (begin, end, id);
            if !new_names.is_empty() {
                rename(&mut obsel, &new_names);
            }
            f(Action::Put(&obsel))?;
        }
        Ok(())
    }

    fn push(&mut self, bytes: &[u8]) -> Result<()> {
        let length = u32::try_from(bytes.len()).map_err(|_| Error::Internal("an obsel is too large".into()))?;
        self.gathered.extend_from_slice(&length.to_le_bytes());
        self.gathered.extend_from_slice(bytes);
        self.actions += 1;
        if self.gathered.len() >= WRITE_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        self.file.write_all(&self.gathered).map_err(failed)?;
        self.gathered.clear();
        Ok(())
    }
}

impl Sink for Spool<'_> {
    fn clear(&mut self) -> Result<()> {
        self.cleared = true;
        Ok(())
    }

    fn put(&mut self, obsel: &Obsel<'_>) -> Result<()> {
        let mut bytes = vec![PUT];
        put_int(&mut bytes, obsel.begin);
        put_int(&mut bytes, obsel.end);
        put_text(&mut bytes, obsel.id);
        bytes.extend_from_slice(&record::encode(obsel));
        self.push(&bytes)
    }

    fn remove(&mut self, id: &str) -> Result<()> {
        let mut bytes = vec![REMOVE];
        put_text(&mut bytes, id);
        self.push(&bytes)
    }

    fn name(&mut self, iri: &str) -> Result<Name> {
        if let Some(name) = self.names.get(iri) {
            return Ok(*name);
        }
        let name = match self.reading.name_of(iri)? {
            Some(name) => name,
            None => {
                self.new_names.push(iri.to_owned());
                Name(u32::MAX - (self.new_names.len() - 1) as u32)
            }
        };
        self.names.insert(iri.to_owned(), name);
        Ok(name)
    }
}

/// Brings an error of the temporary file to the domain.
fn failed(error: std::io::Error) -> Error {
    Error::Internal(format!("what was computed cannot be kept in a temporary file: {error}"))
}

/// Puts the true names in place of those that the spool gave.
fn rename(obsel: &mut Obsel<'_>, new_names: &[Name]) {
    let name = |name: &mut Name| {
        if let Some(new) = new_names.get((u32::MAX - name.0) as usize) {
            *name = *new;
        }
    };
    let value = |value: &mut Value<'_>| {
        if let Value::Named(it) | Value::Typed(_, it) = value {
            name(it);
        }
    };
    let arc = |arc: &mut Arc<'_>| {
        name(&mut arc.predicate);
        value(&mut arc.object);
    };
    obsel.types.iter_mut().for_each(value);
    obsel.arcs.iter_mut().for_each(arc);
    obsel.blank_arcs.iter_mut().for_each(|(_, blank_arc)| arc(blank_arc));
    for (subject, other) in &mut obsel.others {
        value(subject);
        arc(other);
    }
}
