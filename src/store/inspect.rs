//! What the tools of the administrator ask of a store: copies, sizes.

use std::fs;
use std::path::Path;

use heed::CompactionOption;

use super::reading::Reading;
use super::{Result, Store, StoreError, codec};

impl Store {
    /// Copies the store to a new directory, as it is at one moment, whatever other processes do meanwhile; with or without the
    /// room that is free in its file.
    ///
    /// # Errors
    /// `Unusable` if the directory cannot be made, or is not empty; those of the disk.
    pub fn copy(&self, directory: &Path, compact: bool) -> Result<()> {
        let refuse = |why: String| Err(StoreError::Unusable(format!("{}: {why}", directory.display())));
        if let Err(error) = fs::create_dir_all(directory) {
            return refuse(format!("cannot be made ({error})"));
        }
        match fs::read_dir(directory).map(|mut files| files.next().is_some()) {
            Ok(false) => {}
            Ok(true) => return refuse("is not empty".into()),
            Err(error) => return refuse(format!("cannot be read ({error})")),
        }
        let compaction = if compact {
            CompactionOption::Enabled
        } else {
            CompactionOption::Disabled
        };
        let file = self
            .inner()
            .env
            .copy_to_path(directory.join(super::open::DATA_FILE), compaction)?;
        Ok(file.sync_all()?)
    }
}

/// Returns the IRIs of the dictionary that are below the root and yet stored whole: they were there before it was the root.
///
/// # Errors
/// Those of LMDB.
pub fn names_below_root(reading: &(impl Reading + ?Sized)) -> Result<Vec<String>> {
    let transaction = reading.transaction();
    let mut found = Vec::new();
    for row in transaction.tables().names.iter(transaction.txn())? {
        let (_, value) = row?;
        if let Some(iri) = codec::whole(value)?.filter(|iri| iri.starts_with(transaction.root())) {
            found.push(iri.to_owned());
        }
    }
    Ok(found)
}
