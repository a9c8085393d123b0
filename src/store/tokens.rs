//! Personal tokens: a record for each, found by its id.
//!
//! The bytes belong to whoever decides: the store only keeps them.

use super::change::Change;
use super::reading::Reading;
use super::{Result, codec};

/// Returns the record of a token, or `None` if there is none of that id.
///
/// # Errors
/// Those of LMDB.
pub fn token(reading: &(impl Reading + ?Sized), id: &str) -> Result<Option<Vec<u8>>> {
    let transaction = reading.transaction();
    if id.is_empty() || id.len() > codec::KEY_BYTES {
        return Ok(None);
    }
    let value = transaction.tables().tokens.get(transaction.txn(), id.as_bytes())?;
    Ok(value.map(<[u8]>::to_vec))
}

/// Returns the id and the record of each token, in the order of the ids.
///
/// # Errors
/// Those of LMDB; `Damaged` if an id is no text.
pub fn tokens(reading: &(impl Reading + ?Sized)) -> Result<Vec<(String, Vec<u8>)>> {
    let transaction = reading.transaction();
    let mut all = Vec::new();
    for row in transaction.tables().tokens.iter(transaction.txn())? {
        let (id, value) = row?;
        let id = std::str::from_utf8(id).map_err(|_| codec::damaged())?;
        all.push((id.to_owned(), value.to_vec()));
    }
    Ok(all)
}

impl Change<'_> {
    /// Keeps the record of a token.
    ///
    /// # Errors
    /// `Full`.
    pub fn put_token(&mut self, id: &str, bytes: &[u8]) -> Result<()> {
        let table = self.inner().tables.tokens;
        Ok(table.put(self.txn_mut(), id.as_bytes(), bytes)?)
    }

    /// Forgets a token; returns whether it was there.
    ///
    /// # Errors
    /// `Full`.
    pub fn delete_token(&mut self, id: &str) -> Result<bool> {
        let table = self.inner().tables.tokens;
        Ok(table.delete(self.txn_mut(), id.as_bytes())?)
    }
}
