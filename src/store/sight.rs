//! What a reader of the store sees of it: a filter over every reading, which whoever opens the store for someone sets.
//!
//! The store knows no rule: it asks for each resource that it is about to give away.

use std::fmt;

use super::reading::{Reading, Transaction};
use super::{Entry, Head, Result, StoreError};
use crate::error::Error;

/// Decides what is seen. It is given the whole, in the same transaction, to decide from.
pub trait Sight: fmt::Debug + Send + Sync {
    /// Tells whether a resource is seen. One that is not is as good as absent.
    ///
    /// # Errors
    /// Those of the store.
    fn sees(&self, whole: &dyn Reading, head: &Head) -> crate::error::Result<bool>;

    /// Takes out of the graph of a resource that is seen what tells of others that are not.
    ///
    /// # Errors
    /// Those of the store.
    fn trim(&self, whole: &dyn Reading, entry: &mut Entry) -> crate::error::Result<()>;
}

/// A transaction, without any filter.
pub(super) struct Whole<'t>(pub(super) Transaction<'t>);

impl Reading for Whole<'_> {
    fn transaction(&self) -> Transaction<'_> {
        self.0
    }
}

/// A transaction as someone sees it.
pub struct Seen<'t> {
    pub(super) transaction: Transaction<'t>,
    pub(super) sight: Option<&'t dyn Sight>,
}

impl fmt::Debug for Seen<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seen")
            .field("sight", &self.sight)
            .finish_non_exhaustive()
    }
}

impl Reading for Seen<'_> {
    fn transaction(&self) -> Transaction<'_> {
        self.transaction
    }

    fn sight(&self) -> Option<&dyn Sight> {
        self.sight
    }
}

/// Tells whether a resource is seen in a reading.
pub(super) fn is_seen<R: Reading + ?Sized>(reading: &R, head: &Head) -> Result<bool> {
    match reading.sight() {
        None => Ok(true),
        Some(sight) => sight.sees(&Whole(reading.transaction()), head).map_err(to_store),
    }
}

/// Trims what is seen of a resource in a reading.
pub(super) fn trim<R: Reading + ?Sized>(reading: &R, entry: &mut Entry) -> Result<()> {
    match reading.sight() {
        None => Ok(()),
        Some(sight) => sight.trim(&Whole(reading.transaction()), entry).map_err(to_store),
    }
}

fn to_store(error: Error) -> StoreError {
    match error {
        Error::Store(error) => error,
        other => StoreError::Failed(other.to_string()),
    }
}
