//! The dictionary: a number for each IRI that comes again and again (predicates, types, datatypes).
//!
//! Numbers are given in order and never taken back, so what a reader learnt stays true for its snapshot.

use super::change::Change;
use super::codec::{self, KEY_BYTES, damaged, put_iri};
use super::reading::Reading;
use super::{Result, StoreError};
use crate::obsel::Name;

/// Returns the absolute IRI of a name.
pub(super) fn iri(reading: &(impl Reading + ?Sized), name: Name) -> Result<String> {
    let transaction = reading.transaction();
    let (tables, txn) = (transaction.tables(), transaction.txn());
    let bytes = tables.names.get(txn, &name.0.to_be_bytes())?.ok_or_else(damaged)?;
    codec::iri(transaction.root(), bytes)
}

/// Returns the name of an absolute IRI, or `None` if the dictionary has it not.
pub(super) fn find(reading: &(impl Reading + ?Sized), iri: &str) -> Result<Option<Name>> {
    let transaction = reading.transaction();
    let mut key = Vec::with_capacity(iri.len());
    put_iri(&mut key, transaction.root(), iri);
    if key.len() > KEY_BYTES {
        return Ok(None);
    }
    let Some(value) = transaction.tables().numbers.get(transaction.txn(), &key)? else {
        return Ok(None);
    };
    let number = value.try_into().map_err(|_| damaged())?;
    Ok(Some(Name(u32::from_be_bytes(number))))
}

/// Adds an absolute IRI to the dictionary.
pub(super) fn add(change: &mut Change<'_>, iri: &str) -> Result<Name> {
    let inner = change.inner();
    let (tables, root) = (inner.tables, &inner.root);
    let mut key = Vec::with_capacity(iri.len());
    put_iri(&mut key, root, iri);
    if key.len() > KEY_BYTES {
        return Err(StoreError::Refused(format!(
            "an IRI used as type, predicate or datatype is longer than {} bytes: <{iri}>",
            KEY_BYTES - 1
        )));
    }
    let txn = change.txn_mut();
    let last = tables
        .names
        .last(txn)?
        .map(|(key, _)| key.try_into().map(u32::from_be_bytes));
    let number = match last {
        None => 0,
        Some(last) => last
            .map_err(|_| damaged())?
            .checked_add(1)
            .ok_or_else(|| StoreError::Refused("the dictionary of IRIs is full".into()))?,
    };
    tables.names.put(txn, &number.to_be_bytes(), &key)?;
    tables.numbers.put(txn, &key, &number.to_be_bytes())?;
    Ok(Name(number))
}
