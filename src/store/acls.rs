//! Who may do what with a resource: a record beside it, which goes when it goes.
//!
//! The bytes belong to whoever decides: the store only keeps them.

use std::ops::ControlFlow;

use super::change::Change;
use super::reading::{Reading, path_key};
use super::{Result, codec};
use crate::error;

/// Returns the record of a resource, or `None` if it has none.
///
/// # Errors
/// Those of LMDB.
pub fn acl(reading: &(impl Reading + ?Sized), path: &str) -> Result<Option<Vec<u8>>> {
    let key = path_key(path);
    if key.len() > codec::KEY_BYTES {
        return Ok(None);
    }
    let transaction = reading.transaction();
    let value = transaction.tables().acls.get(transaction.txn(), &key)?;
    Ok(value.map(<[u8]>::to_vec))
}

/// Visits the path and the record of a resource, and tells whether to go on.
pub type VisitAcl<'f> = dyn FnMut(&str, &[u8]) -> error::Result<ControlFlow<()>> + 'f;

/// Calls a function with the path and the record of each resource at or below a path that has one, until it breaks.
///
/// # Errors
/// Those of the function, and of LMDB.
pub fn for_each_acl_below(reading: &(impl Reading + ?Sized), path: &str, f: &mut VisitAcl<'_>) -> error::Result<()> {
    let transaction = reading.transaction();
    let rows = transaction
        .tables()
        .acls
        .prefix_iter(transaction.txn(), &path_key(path))
        .map_err(|error| error::Error::Store(error.into()))?;
    for row in rows {
        let (key, value) = row.map_err(|error| error::Error::Store(error.into()))?;
        let path = std::str::from_utf8(&key[1..]).map_err(|_| codec::damaged())?;
        if f(path, value)?.is_break() {
            break;
        }
    }
    Ok(())
}

impl Change<'_> {
    /// Keeps a record for a resource.
    ///
    /// # Errors
    /// `Full`.
    pub fn put_acl(&mut self, path: &str, bytes: &[u8]) -> Result<()> {
        let table = self.inner().tables.acls;
        Ok(table.put(self.txn_mut(), &path_key(path), bytes)?)
    }

    /// Forgets the record of a resource.
    ///
    /// # Errors
    /// `Full`.
    pub fn delete_acl(&mut self, path: &str) -> Result<()> {
        let table = self.inner().tables.acls;
        table.delete(self.txn_mut(), &path_key(path))?;
        Ok(())
    }
}
