//! Stores of the former version of the format, which are brought to this one when they are opened.
//!
//! Version 1 had the last tag given in the table `meta`, and the records of traces in a table of their own, so that the addition of an
//! obsel wrote pages that hold little else.

use heed::types::Bytes;
use heed::{Env, WithoutTls};

use super::Result;
use super::codec::{self, damaged};
use super::open::{COUNTER, Table, meta, meta_number, put_meta_number};

/// The former version.
pub(super) const FORMAT: u64 = 1;

/// The tables that are no more.
pub(super) const TABLES: [&str; 1] = [TRACES];

const TRACES: &str = "traces";

/// Where the last tag given was, in the table `meta`.
const FORMER_COUNTER: &[u8] = b"counter";

/// Converts a store, in one transaction; another process may have done so in the meantime. What a former program that still runs
/// looks for is then gone, so that it fails rather than writes what nobody would read.
pub(super) fn convert(env: &Env<WithoutTls>) -> Result<()> {
    let mut txn = env.write_txn()?;
    let open = |txn: &mut heed::RwTxn<'_>, name: Option<&str>| -> Result<Table> {
        Ok(env.create_database::<Bytes, Bytes>(txn, name)?)
    };
    let main = open(&mut txn, None)?;
    let meta = open(&mut txn, Some("meta"))?;
    if meta_number(meta, &txn, meta::FORMAT)? != Some(FORMAT) {
        return Ok(());
    }
    let (traces, tallies) = (open(&mut txn, Some(TRACES))?, open(&mut txn, Some("tallies"))?);
    let mut after = codec::trace_key(super::TraceNumber(0));
    while let Some((key, value)) = traces.get_greater_than_or_equal_to(&txn, &after)? {
        let (key, value) = (key.to_vec(), value.to_vec());
        tallies.put(&mut txn, &key, &value)?;
        after = codec::after_prefix(&key).ok_or_else(damaged)?;
    }
    traces.clear(&mut txn)?;
    let counter = meta_number(meta, &txn, FORMER_COUNTER)?.ok_or_else(damaged)?;
    put_meta_number(main, &mut txn, COUNTER, counter)?;
    meta.delete(&mut txn, FORMER_COUNTER)?;
    put_meta_number(meta, &mut txn, meta::FORMAT, codec::FORMAT)?;
    Ok(txn.commit()?)
}
