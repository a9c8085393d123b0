//! Opening a store: the directory, the environment of LMDB, the tables, the version of the format.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use heed::types::Bytes;
use heed::{Database, Env, EnvOpenOptions, RwTxn, WithoutTls};

use super::codec::FORMAT;
use super::{Result, Store, StoreError};

/// A table whose keys and values are bytes.
pub(super) type Table = Database<Bytes, Bytes>;

/// How many processes and requests may read at once. LMDB keeps one slot for each.
const MAX_READERS: u32 = 1022;

/// The file of LMDB that holds the data.
pub(super) const DATA_FILE: &str = "data.mdb";

/// The environment of LMDB and its tables, shared by all that the store gives.
#[derive(Debug)]
pub(super) struct Inner {
    pub(super) env: Env<WithoutTls>,
    pub(super) root: String,
    pub(super) instance: u64,
    pub(super) tables: Tables,
    /// When stale readers were last cleared, in seconds since the epoch.
    pub(super) readers_cleared: AtomicU64,
}

/// The tables; `codec` tells their keys and values.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tables {
    pub(super) meta: Table,
    pub(super) graphs: Table,
    pub(super) names: Table,
    pub(super) numbers: Table,
    pub(super) traces: Table,
    pub(super) obsels: Table,
    pub(super) ids: Table,
    pub(super) mentions: Table,
    pub(super) tallies: Table,
    pub(super) computations: Table,
    pub(super) acls: Table,
    pub(super) tokens: Table,
}

const TABLES: [&str; 12] = [
    "meta",
    "graphs",
    "names",
    "numbers",
    "traces",
    "obsels",
    "ids",
    "mentions",
    "tallies",
    "computations",
    "acls",
    "tokens",
];

impl Tables {
    fn of(tables: [Table; 12]) -> Self {
        let [
            meta,
            graphs,
            names,
            numbers,
            traces,
            obsels,
            ids,
            mentions,
            tallies,
            computations,
            acls,
            tokens,
        ] = tables;
        Self {
            meta,
            graphs,
            names,
            numbers,
            traces,
            obsels,
            ids,
            mentions,
            tallies,
            computations,
            acls,
            tokens,
        }
    }
}

/// Keys of the table `meta`.
pub(super) mod meta {
    /// The version of the format.
    pub const FORMAT: &[u8] = b"format";
    /// A number drawn when the store was made, so that tags of two stores differ.
    pub const INSTANCE: &[u8] = b"instance";
    /// The last tag given.
    pub const COUNTER: &[u8] = b"counter";
    /// The last trace number given.
    pub const TRACES: &[u8] = b"traces";
}

/// Returns a number of the table `meta`.
pub(super) fn meta_number(table: Table, txn: &heed::RoTxn<'_>, key: &[u8]) -> Result<Option<u64>> {
    let Some(value) = table.get(txn, key)? else {
        return Ok(None);
    };
    let bytes = value.try_into().map_err(|_| super::codec::damaged())?;
    Ok(Some(u64::from_be_bytes(bytes)))
}

/// Sets a number of the table `meta`.
pub(super) fn put_meta_number(table: Table, txn: &mut RwTxn<'_>, key: &[u8], value: u64) -> Result<()> {
    Ok(table.put(txn, key, &value.to_be_bytes())?)
}

/// Opens the store of a directory, which is made if it does not exist; see [`Store::open`].
pub(super) fn open(directory: &Path, root: &str, map_size: u64) -> Result<Store> {
    check_directory(directory)?;
    let map_size = usize::try_from(map_size).map_err(|_| StoreError::Unusable("map-size is too large".into()))?;
    let mut options = EnvOpenOptions::new().read_txn_without_tls();
    options
        .map_size(map_size - map_size % 65_536)
        .max_readers(MAX_READERS)
        .max_dbs(TABLES.len() as u32);
    #[expect(
        unsafe_code,
        reason = "LMDB maps the file: nobody else may write to it; the documentation says so"
    )]
    let env = unsafe { options.open(directory) }.map_err(|error| unusable(directory, error))?;
    env.clear_stale_readers()?;
    let existing = existing_tables(&env)?;
    let tables = match existing {
        Some(tables) => tables,
        None => create(&env)?,
    };
    let txn = env.read_txn()?;
    let format = meta_number(tables.meta, &txn, meta::FORMAT)?;
    if format != Some(FORMAT) {
        let format = format.map_or("none".to_owned(), |format| format.to_string());
        return Err(StoreError::Unusable(format!(
            "{}: its format is version {format}; this program reads version {FORMAT}",
            directory.display()
        )));
    }
    let instance = meta_number(tables.meta, &txn, meta::INSTANCE)?.ok_or_else(super::codec::damaged)?;
    drop(txn);
    let readers_cleared = AtomicU64::new(0);
    let inner = Inner {
        env,
        root: root.to_owned(),
        instance,
        tables,
        readers_cleared,
    };
    Ok(Store(Arc::new(inner), None))
}

/// Makes the directory if need be, and refuses what cannot be a store.
fn check_directory(directory: &Path) -> Result<()> {
    let refuse = |why: String| Err(StoreError::Unusable(format!("{}: {why}", directory.display())));
    if let Err(error) = fs::create_dir_all(directory) {
        return refuse(format!("cannot be made a directory ({error})"));
    }
    let mut files = match fs::read_dir(directory) {
        Ok(files) => files.peekable(),
        Err(error) => return refuse(format!("cannot be read ({error})")),
    };
    if files.peek().is_some() && !directory.join(DATA_FILE).exists() {
        return refuse("is neither empty nor a store of this program".into());
    }
    /// `f_type` of NFS (statfs(2)).
    const NFS: u64 = 0x6969;
    match rustix::fs::statfs(directory) {
        Ok(stat) if stat.f_type as u64 == NFS => {
            refuse("is on NFS, whose locks and maps cannot be relied upon; choose a local disk".into())
        }
        _ => Ok(()),
    }
}

fn unusable(directory: &Path, error: heed::Error) -> StoreError {
    match StoreError::from(error) {
        full @ StoreError::Full(_) => full,
        other => StoreError::Unusable(format!("{}: {other}", directory.display())),
    }
}

/// Returns the tables, or `None` if the store has not been made yet, or lacks one that is newer than it.
///
/// LMDB keeps a table open only if the transaction that opened it commits.
fn existing_tables(env: &Env<WithoutTls>) -> Result<Option<Tables>> {
    let txn = env.read_txn()?;
    let mut tables = Vec::new();
    for name in TABLES {
        match env.open_database::<Bytes, Bytes>(&txn, Some(name))? {
            Some(table) => tables.push(table),
            None => return Ok(None),
        }
    }
    txn.commit()?;
    Ok(tables.try_into().ok().map(Tables::of))
}

/// Makes the tables, in one transaction; another process may have done so in the meantime.
fn create(env: &Env<WithoutTls>) -> Result<Tables> {
    let mut txn = env.write_txn()?;
    let mut tables = Vec::new();
    for name in TABLES {
        tables.push(env.create_database::<Bytes, Bytes>(&mut txn, Some(name))?);
    }
    let tables: [Table; 12] = tables.try_into().map_err(|_| super::codec::damaged())?;
    let tables = Tables::of(tables);
    if meta_number(tables.meta, &txn, meta::FORMAT)?.is_none() {
        let instance = getrandom::u64().map_err(|error| StoreError::Failed(error.to_string()))?;
        put_meta_number(tables.meta, &mut txn, meta::FORMAT, FORMAT)?;
        put_meta_number(tables.meta, &mut txn, meta::INSTANCE, instance)?;
        put_meta_number(tables.meta, &mut txn, meta::COUNTER, 0)?;
        put_meta_number(tables.meta, &mut txn, meta::TRACES, 0)?;
    }
    txn.commit()?;
    Ok(tables)
}
