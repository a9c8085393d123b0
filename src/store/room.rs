//! Room ahead: the file of the store is kept longer than what is in use.
//!
//! A commit that makes a file longer has the file system write where the new blocks are, and wait for that, before it has what the
//! blocks hold: milliseconds, where one that writes over blocks of the file takes a tenth of one. So the file is made longer by
//! many pages at once, of zeros, since blocks that were never written would have to be told of just so when they are.
//!
//! LMDB knows which pages are in use whatever the length of the file, and copies no others.

use std::fs::File;
use std::io;
use std::ops::RangeInclusive;
use std::os::unix::fs::FileExt;

use rustix::fs::fstatvfs;
use rustix::process::{Resource, getrlimit};

use super::open::Inner;

/// More is made when fewer bytes than this are left: enough for the commits of a few requests.
const LOW: u64 = 128 << 10;

/// How many bytes are made at once: an eighth of what is in use, within these bounds.
const STEP: RangeInclusive<u64> = (256 << 10)..=(8 << 20);

/// None is made on a disk that does not have so many times as much left.
const RESERVE: u64 = 16;

/// Makes room in the file of the store if little is left. The caller holds the lock of writers, and has written nothing: what is
/// beyond the last page in use is then nobody's.
///
/// What goes wrong here does no harm: the commit that needs the room will make it, or tell why it cannot.
pub(super) fn keep(inner: &Inner) {
    let (info, page) = (inner.env.info(), u64::from(inner.env.stat().page_size));
    let used = (info.last_page_number as u64 + 1) * page;
    let Ok(length) = inner.env.real_disk_size() else {
        return;
    };
    if length.saturating_sub(used) >= LOW {
        return;
    }
    let from = length.max(used);
    let step = (used / 8).clamp(*STEP.start(), *STEP.end()) / page * page;
    let to = (from + step).min(info.map_size as u64);
    if to <= from || getrlimit(Resource::Fsize).current.is_some_and(|most| to > most) {
        return;
    }
    if let Ok(file) = inner.env.try_clone_inner_file()
        && lengthen(&file, from, to).is_err()
    {
        // Others may need what is left of the disk more.
        let _ = file.set_len(length);
    }
}

/// Writes zeros in a file, which is so long as `from` or less.
fn lengthen(file: &File, from: u64, to: u64) -> io::Result<()> {
    let disk = fstatvfs(file)?;
    if disk.f_bavail.saturating_mul(disk.f_frsize) / RESERVE < to - from {
        return Ok(());
    }
    let zeros = vec![0; *STEP.start() as usize];
    let mut at = from;
    while at < to {
        let piece = zeros.len().min((to - at) as usize);
        file.write_all_at(&zeros[..piece], at)?;
        at += piece as u64;
    }
    file.sync_data()
}

#[cfg(test)]
mod test {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::collections::BTreeSet;
    use std::fs;

    use super::super::{Reading, Store};
    use super::*;
    use crate::obsel::{Arc, Obsel, Value};

    /// Adds so many obsels of two KiB to a new trace, in a commit each, and returns the lengths that the file had.
    fn fill(store: &Store, obsels: u64) -> BTreeSet<u64> {
        let mut change = store.write().unwrap();
        let trace = change.create_trace().unwrap();
        let predicate = change.name("http://ex.org/p").unwrap();
        change.commit().unwrap();
        let (mut lengths, text) = (BTreeSet::new(), "x".repeat(2000));
        for number in 0..obsels {
            let mut change = store.write().unwrap();
            let object = Value::String(&text);
            let obsel = Obsel {
                id: &number.to_string(),
                arcs: vec![Arc { predicate, object }],
                ..Obsel::default()
            };
            change.add_obsel(trace, &obsel).unwrap();
            change.commit().unwrap();
            lengths.insert(store.size().unwrap().0);
        }
        assert_eq!(store.read().unwrap().obsel_count(trace).unwrap(), obsels);
        lengths
    }

    #[test]
    fn the_file_grows_in_steps() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path(), "http://h/", 1 << 30).unwrap();
        let lengths = fill(&store, 500);
        let (length, used) = store.size().unwrap();
        assert!(
            used > 1 << 20 && length > used && length < used + (1 << 20),
            "{length} {used}"
        );
        assert!((3..12).contains(&lengths.len()), "{lengths:?}");
    }

    #[test]
    fn a_copy_has_no_room() {
        let (directory, copies) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let store = Store::open(directory.path(), "http://h/", 1 << 30).unwrap();
        fill(&store, 10);
        let length = store.size().unwrap().0;
        for compact in [false, true] {
            let copy = copies.path().join(compact.to_string());
            store.copy(&copy, compact).unwrap();
            assert!(fs::metadata(copy.join("data.mdb")).unwrap().len() + LOW <= length);
        }
    }

    #[test]
    fn the_file_is_not_made_longer_than_the_map() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path(), "http://h/", 1 << 20).unwrap();
        let lengths = fill(&store, 200);
        assert_eq!(lengths.last(), Some(&(1 << 20)));
    }

    #[test]
    fn what_a_file_has_no_room_for_leaves_it_as_it_was() {
        let directory = tempfile::tempdir().unwrap();
        let name = directory.path().join("file");
        fs::write(&name, [7; 5000]).unwrap();
        let file = fs::File::open(&name).unwrap();
        // It cannot be written.
        assert!(lengthen(&file, 5000, 9000).is_err());
        assert_eq!(fs::read(&name).unwrap(), [7; 5000]);
        let file = fs::OpenOptions::new().write(true).open(&name).unwrap();
        // No disk has so much.
        lengthen(&file, 5000, 1 << 60).unwrap();
        assert_eq!(fs::metadata(&name).unwrap().len(), 5000);
        lengthen(&file, 5000, 1_000_000).unwrap();
        let bytes = fs::read(&name).unwrap();
        assert_eq!((bytes.len(), &bytes[..5000]), (1_000_000, &[7; 5000][..]));
        assert!(bytes[5000..].iter().all(|byte| *byte == 0));
    }
}
