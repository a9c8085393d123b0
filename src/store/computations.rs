//! What the last computation of a trace has seen and left, kept for the next one.
//!
//! The bytes belong to whoever computes: the store only keeps them in the transaction that stores the obsels.

use super::change::Change;
use super::reading::Reading;
use super::{Result, TraceNumber, codec};

/// Returns what was kept for a trace, or `None` if it was never computed.
///
/// # Errors
/// Those of LMDB.
pub fn computation(reading: &(impl Reading + ?Sized), trace: TraceNumber) -> Result<Option<Vec<u8>>> {
    let transaction = reading.transaction();
    let value = transaction
        .tables()
        .computations
        .get(transaction.txn(), &codec::trace_key(trace))?;
    Ok(value.map(<[u8]>::to_vec))
}

impl Change<'_> {
    /// Keeps bytes for the next computation of a trace.
    ///
    /// # Errors
    /// `Full`.
    pub fn put_computation(&mut self, trace: TraceNumber, bytes: &[u8]) -> Result<()> {
        let table = self.inner().tables.computations;
        Ok(table.put(self.txn_mut(), &codec::trace_key(trace), bytes)?)
    }

    /// Forgets what was kept for a trace.
    ///
    /// # Errors
    /// `Full`.
    pub fn delete_computation(&mut self, trace: TraceNumber) -> Result<()> {
        let table = self.inner().tables.computations;
        table.delete(self.txn_mut(), &codec::trace_key(trace))?;
        Ok(())
    }
}
