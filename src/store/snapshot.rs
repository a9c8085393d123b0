//! Read transactions.

use std::sync::Arc;

use heed::{RoTxn, WithoutTls};

use super::open::Inner;
use super::reading::{Reading, Transaction};
use super::sight::{Seen, Sight};
use super::{Result, Store};

/// The store as it was at one moment. Owned, may travel.
pub struct Snapshot {
    // The transaction is dropped before the environment it belongs to.
    txn: RoTxn<'static, WithoutTls>,
    inner: Arc<Inner>,
    sight: Option<Arc<dyn Sight>>,
}

impl Snapshot {
    pub(super) fn start(inner: &Arc<Inner>, sight: Option<Arc<dyn Sight>>) -> Result<Self> {
        let txn = inner.env.clone().static_read_txn()?;
        Ok(Self {
            txn,
            inner: Arc::clone(inner),
            sight,
        })
    }

    /// Returns the number of the write that led to this state.
    pub(super) fn state(&self) -> u64 {
        self.txn.id() as u64
    }

    /// Returns the whole of this state, without any filter. What is read from it is for decisions, not for clients.
    pub fn whole(&self) -> Seen<'_> {
        Seen {
            transaction: self.transaction(),
            sight: None,
        }
    }

    /// Returns the store of which this is a state.
    pub fn store(&self) -> Store {
        Store(Arc::clone(&self.inner), self.sight.clone())
    }
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Snapshot")
            .field("id", &self.txn.id())
            .finish_non_exhaustive()
    }
}

impl Reading for Snapshot {
    fn transaction(&self) -> Transaction<'_> {
        Transaction::new(&self.inner, &self.txn)
    }

    fn sight(&self) -> Option<&dyn Sight> {
        self.sight.as_deref()
    }
}
