//! Opening a store: the directory, the environment of LMDB, the tables, the version of the format.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use heed::types::Bytes;
use heed::{Database, Env, EnvOpenOptions, RwTxn, WithoutTls};

use super::codec::FORMAT;
use super::{Result, Store, StoreError, former};

/// A table whose keys and values are bytes.
pub(super) type Table = Database<Bytes, Bytes>;

/// How many processes and requests may read at once. LMDB keeps one slot for each.
const MAX_READERS: u32 = 1022;

/// The file of LMDB that holds the data.
pub(super) const DATA_FILE: &str = "data.mdb";

/// The file of LMDB that holds its locks.
const LOCK_FILE: &str = "lock.mdb";

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
    /// The table that LMDB itself keeps, in which it says where the others are.
    pub(super) main: Table,
    pub(super) meta: Table,
    pub(super) graphs: Table,
    pub(super) names: Table,
    pub(super) numbers: Table,
    pub(super) obsels: Table,
    pub(super) ids: Table,
    pub(super) mentions: Table,
    pub(super) tallies: Table,
    pub(super) computations: Table,
    pub(super) acls: Table,
    pub(super) tokens: Table,
    pub(super) links: Table,
}

const TABLES: [&str; 12] = [
    "meta",
    "graphs",
    "names",
    "numbers",
    "obsels",
    "ids",
    "mentions",
    "tallies",
    "computations",
    "acls",
    "tokens",
    "links",
];

impl Tables {
    fn of(main: Table, tables: [Table; 12]) -> Self {
        let [
            meta,
            graphs,
            names,
            numbers,
            obsels,
            ids,
            mentions,
            tallies,
            computations,
            acls,
            tokens,
            links,
        ] = tables;
        Self {
            main,
            meta,
            graphs,
            names,
            numbers,
            obsels,
            ids,
            mentions,
            tallies,
            computations,
            acls,
            tokens,
            links,
        }
    }
}

/// Keys of the table `meta`.
pub(super) mod meta {
    /// The version of the format.
    pub const FORMAT: &[u8] = b"format";
    /// A number drawn when the store was made, so that tags of two stores differ.
    pub const INSTANCE: &[u8] = b"instance";
    /// The last trace number given.
    pub const TRACES: &[u8] = b"traces";
}

/// The key of the table of LMDB under which the last tag given is kept: a commit writes the page of that table anyway. The byte 0
/// tells the tools of LMDB that it is no table.
pub(super) const COUNTER: &[u8] = b"\0counter";

/// Returns a number of the table `meta`, or of that of LMDB.
pub(super) fn meta_number(table: Table, txn: &heed::RoTxn<'_>, key: &[u8]) -> Result<Option<u64>> {
    let Some(value) = table.get(txn, key)? else {
        return Ok(None);
    };
    let bytes = value.try_into().map_err(|_| super::codec::damaged())?;
    Ok(Some(u64::from_be_bytes(bytes)))
}

/// Sets a number of the table `meta`, or of that of LMDB.
pub(super) fn put_meta_number(table: Table, txn: &mut RwTxn<'_>, key: &[u8], value: u64) -> Result<()> {
    Ok(table.put(txn, key, &value.to_be_bytes())?)
}

/// Opens the store of a directory, which is made if it does not exist; see [`Store::open`].
pub(super) fn open(directory: &Path, root: &str, map_size: u64) -> Result<Store> {
    let refuse = |why: String| StoreError::Unusable(format!("{}: {why}", directory.display()));
    fs::create_dir_all(directory).map_err(|error| refuse(format!("cannot be made a directory ({error})")))?;
    check_directory(directory)?;
    for file in [DATA_FILE, LOCK_FILE] {
        crate::owner::make(&directory.join(file), 0o600)
            .map_err(|error| refuse(format!("{file} cannot be made ({error})")))?;
    }
    let map_size = usize::try_from(map_size).map_err(|_| StoreError::Unusable("map-size is too large".into()))?;
    let mut options = EnvOpenOptions::new().read_txn_without_tls();
    options
        .map_size(map_size - map_size % 65_536)
        .max_readers(MAX_READERS)
        .max_dbs((TABLES.len() + former::TABLES.len()) as u32);
    #[expect(
        unsafe_code,
        reason = "LMDB maps the file: nobody else may write to it; the documentation says so"
    )]
    let env = unsafe { options.open(directory) }.map_err(|error| unusable(directory, error))?;
    env.clear_stale_readers()?;
    if check_format(&env, directory)? == Some(former::FORMAT) {
        former::convert(&env)?;
    }
    let existing = existing_tables(&env)?;
    let tables = match existing {
        Some(tables) => tables,
        None => create(&env)?,
    };
    let txn = env.read_txn()?;
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

/// Refuses what another version, or another program, has made, before anything is changed in it; returns the version of the format
/// of what is there.
fn check_format(env: &Env<WithoutTls>, directory: &Path) -> Result<Option<u64>> {
    let txn = env.read_txn()?;
    let format = match env.open_database::<Bytes, Bytes>(&txn, Some("meta"))? {
        Some(meta) => meta_number(meta, &txn, meta::FORMAT)?,
        None => None,
    };
    let is_new = || -> Result<bool> {
        let tables = env.open_database::<Bytes, Bytes>(&txn, None)?;
        Ok(tables.map(|tables| tables.is_empty(&txn)).transpose()?.unwrap_or(true))
    };
    if matches!(format, Some(FORMAT | former::FORMAT)) || format.is_none() && is_new()? {
        return Ok(format);
    }
    let format = format.map_or("none".to_owned(), |format| format.to_string());
    Err(StoreError::Unusable(format!(
        "{}: its format is version {format}; this program reads versions {} and {FORMAT}",
        directory.display(),
        former::FORMAT
    )))
}

/// Refuses a directory that cannot be a store; see [`Store::check`].
pub(super) fn check_directory(directory: &Path) -> Result<()> {
    let refuse = |why: String| Err(StoreError::Unusable(format!("{}: {why}", directory.display())));
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
    let Some(main) = env.open_database::<Bytes, Bytes>(&txn, None)? else {
        return Ok(None);
    };
    let mut tables = Vec::new();
    for name in TABLES {
        match env.open_database::<Bytes, Bytes>(&txn, Some(name))? {
            Some(table) => tables.push(table),
            None => return Ok(None),
        }
    }
    txn.commit()?;
    Ok(tables.try_into().ok().map(|tables| Tables::of(main, tables)))
}

/// Makes the tables, in one transaction; another process may have done so in the meantime.
fn create(env: &Env<WithoutTls>) -> Result<Tables> {
    let mut txn = env.write_txn()?;
    let main = env.create_database::<Bytes, Bytes>(&mut txn, None)?;
    let mut tables = Vec::new();
    for name in TABLES {
        tables.push(env.create_database::<Bytes, Bytes>(&mut txn, Some(name))?);
    }
    let tables: [Table; 12] = tables.try_into().map_err(|_| super::codec::damaged())?;
    let tables = Tables::of(main, tables);
    if meta_number(tables.meta, &txn, meta::FORMAT)?.is_none() {
        let instance = getrandom::u64().map_err(|error| StoreError::Failed(error.to_string()))?;
        put_meta_number(tables.meta, &mut txn, meta::FORMAT, FORMAT)?;
        put_meta_number(tables.meta, &mut txn, meta::INSTANCE, instance)?;
        put_meta_number(tables.main, &mut txn, COUNTER, 0)?;
        put_meta_number(tables.meta, &mut txn, meta::TRACES, 0)?;
    }
    txn.commit()?;
    Ok(tables)
}

#[cfg(test)]
mod test {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::obsel::{Obsel, Value};
    use crate::rdf::{Graph, iri};
    use crate::store::{Bounds, Entry, Head, Kind, Reading, Tag, Tally, acls, tokens};

    const ROOT: &str = "http://h/";

    fn open_as_lmdb(directory: &Path) -> Env<WithoutTls> {
        let mut options = EnvOpenOptions::new().read_txn_without_tls();
        options.map_size(1 << 24).max_dbs(TABLES.len() as u32 + 1);
        #[expect(unsafe_code, reason = "nobody else has this file")]
        unsafe { options.open(directory) }.unwrap()
    }

    /// Copies some tables of a store into another.
    fn copy_of(store: &Store, directory: &Path, tables: &[&str]) {
        let env = open_as_lmdb(directory);
        let (from, mut to) = (store.0.env.read_txn().unwrap(), env.write_txn().unwrap());
        for name in tables {
            let source: Table = store.0.env.open_database(&from, Some(name)).unwrap().unwrap();
            let target: Table = env.create_database(&mut to, Some(name)).unwrap();
            for row in source.iter(&from).unwrap() {
                let (key, value) = row.unwrap();
                target.put(&mut to, key, value).unwrap();
            }
        }
        to.commit().unwrap();
    }

    /// Brings a store to the former version of the format, as former programs made it.
    fn make_former(directory: &Path) {
        let env = open_as_lmdb(directory);
        let mut txn = env.write_txn().unwrap();
        let table = |txn: &mut RwTxn<'_>, name| env.create_database::<Bytes, Bytes>(txn, name).unwrap();
        let (main, meta) = (table(&mut txn, None), table(&mut txn, Some("meta")));
        let (tallies, traces) = (table(&mut txn, Some("tallies")), table(&mut txn, Some("traces")));
        let rows: Vec<(Vec<u8>, Vec<u8>)> = tallies
            .iter(&txn)
            .unwrap()
            .map(|row| row.map(|(key, value)| (key.to_vec(), value.to_vec())).unwrap())
            .collect();
        for (key, value) in rows.iter().filter(|(key, _)| key.len() == 8) {
            traces.put(&mut txn, key, value).unwrap();
            tallies.delete(&mut txn, key).unwrap();
        }
        let counter = main.get(&txn, COUNTER).unwrap().unwrap().to_vec();
        meta.put(&mut txn, b"counter", &counter).unwrap();
        main.delete(&mut txn, COUNTER).unwrap();
        put_meta_number(meta, &mut txn, meta::FORMAT, former::FORMAT).unwrap();
        txn.commit().unwrap();
    }

    fn filled(directory: &Path) -> Store {
        let store = Store::open(directory, ROOT, 1 << 24).unwrap();
        let mut change = store.write().unwrap();
        let trace = change.create_trace().unwrap();
        let mut graph = Graph::new();
        graph.insert(&iri("http://h/t/"), &iri("http://ex.org/p"), &iri("http://h/m"));
        for (path, trace) in [("", None), ("t/", Some(trace))] {
            let head = Head {
                path: path.to_owned(),
                kind: if path.is_empty() { Kind::Root } else { Kind::StoredTrace },
                tag: Tag { instance: 0, count: 0 },
                modified: 0,
                trace,
                unit: None,
            };
            let graph = graph.clone();
            change.put(&mut Entry { head, graph }).unwrap();
        }
        change.commit().unwrap();
        store
    }

    #[test]
    fn a_store_of_a_former_program_is_converted() {
        let directory = tempfile::tempdir().unwrap();
        let store = filled(directory.path());
        let mut change = store.write().unwrap();
        let (first, second) = (change.create_trace().unwrap(), change.create_trace().unwrap());
        let types = vec![Value::Named(change.name("http://ex.org/T").unwrap())];
        let obsel = Obsel {
            id: "o",
            types,
            ..Obsel::default()
        };
        for trace in [first, second] {
            change.add_obsel(trace, &obsel).unwrap();
        }
        let last = change.new_tag();
        change.commit().unwrap();
        let before = store.read().unwrap();
        let records = [first, second].map(|trace| before.trace(trace).unwrap());
        let tallies = [first, second].map(|trace| before.tallies(trace, Tally::Type).unwrap());
        assert!(tallies.iter().all(|tallies| tallies.len() == 1));
        drop((before, store));
        make_former(directory.path());

        for _ in 0..2 {
            let store = Store::open(directory.path(), ROOT, 1 << 24).unwrap();
            // Another process may have been about to convert it too.
            former::convert(&store.0.env).unwrap();
            let after = store.read().unwrap();
            assert_eq!([first, second].map(|trace| after.trace(trace).unwrap()), records);
            let types = |trace| after.tallies(trace, Tally::Type).unwrap();
            assert_eq!([first, second].map(types), tallies);
            let mut change = store.write().unwrap();
            assert!(change.new_tag().count > last.count);
            assert!(change.remove_obsel(first, "o").unwrap());
            assert!(change.create_trace().unwrap() > second);
        }
    }

    #[test]
    fn a_store_of_a_former_program_gets_the_tables_that_it_lacks() {
        let (new, old) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let made = filled(new.path());
        let former = &TABLES[..9];
        assert!(["acls", "tokens", "links"].iter().all(|newer| !former.contains(newer)));
        copy_of(&made, old.path(), former);
        let counter = made.read().unwrap().transaction().tables().main;
        let counter = meta_number(counter, &made.0.env.read_txn().unwrap(), COUNTER)
            .unwrap()
            .unwrap();
        {
            let env = open_as_lmdb(old.path());
            let mut txn = env.write_txn().unwrap();
            let main: Table = env.create_database(&mut txn, None).unwrap();
            put_meta_number(main, &mut txn, COUNTER, counter).unwrap();
            txn.commit().unwrap();
        }
        make_former(old.path());

        let store = Store::open(old.path(), ROOT, 1 << 24).unwrap();
        let snapshot = store.read().unwrap();
        let entry = snapshot.entry("t/").unwrap().unwrap();
        assert_eq!(
            entry.head.tag,
            made.read().unwrap().entry("t/").unwrap().unwrap().head.tag
        );
        assert_eq!((entry.head.kind, entry.graph.len()), (Kind::StoredTrace, 1));
        snapshot
            .for_each_obsel(entry.head.trace.unwrap(), &Bounds::ALL, &mut |_| unreachable!())
            .unwrap();
        assert_eq!(acls::acl(&snapshot, "t/").unwrap(), None);
        assert!(tokens::tokens(&snapshot).unwrap().is_empty());
        drop(snapshot);
        let mut change = store.write().unwrap();
        change.put_acl("t/", b"x").unwrap();
        change.put_token("id", b"y").unwrap();
        change.commit().unwrap();
        drop(store);

        let again = Store::open(old.path(), ROOT, 1 << 24).unwrap();
        let snapshot = again.read().unwrap();
        assert_eq!(acls::acl(&snapshot, "t/").unwrap().as_deref(), Some(&b"x"[..]));
        assert_eq!(tokens::token(&snapshot, "id").unwrap().as_deref(), Some(&b"y"[..]));
    }

    #[test]
    fn a_store_that_lacks_its_version_or_has_another_is_refused() {
        let (new, old) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        copy_of(&filled(new.path()), old.path(), &TABLES[..9]);
        let foreign = tempfile::tempdir().unwrap();
        copy_of(&filled(new.path()), foreign.path(), &TABLES[1..3]);
        {
            let env = open_as_lmdb(old.path());
            let mut txn = env.write_txn().unwrap();
            let meta: Table = env.open_database(&txn, Some("meta")).unwrap().unwrap();
            put_meta_number(meta, &mut txn, meta::FORMAT, FORMAT + 1).unwrap();
            txn.commit().unwrap();
        }
        for (directory, version, tables) in [(&old, (FORMAT + 1).to_string(), 9), (&foreign, "none".to_owned(), 2)] {
            let refused = Store::open(directory.path(), ROOT, 1 << 24).map(|_| ());
            let refused = refused.unwrap_err().to_string();
            assert!(refused.contains(&format!("version {version}")), "{refused}");
            // Nothing is changed in it.
            let env = open_as_lmdb(directory.path());
            let txn = env.read_txn().unwrap();
            let all: Table = env.open_database(&txn, None).unwrap().unwrap();
            assert_eq!(all.len(&txn).unwrap(), tables);
        }
    }
}
