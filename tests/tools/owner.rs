//! Commands called by root, as administrators do: what they make belongs to the server.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};

use super::{Folder, ROOT};

/// Whom the folders of the server belong to: another user than root, where the tests may make it so.
fn give_away(folder: &std::path::Path) -> u32 {
    fs::create_dir(folder).expect("a folder");
    if rustix::process::geteuid().is_root() {
        chown(folder, Some(65534), Some(65534)).expect("root may");
    }
    fs::metadata(folder).expect("a folder").uid()
}

#[test]
fn what_root_makes_belongs_to_whom_its_folder_belongs_to() {
    let folder = Folder::new();
    let store = folder.store("s", ROOT);
    let owner = give_away(&folder.path("s"));
    give_away(&folder.path("log"));
    let log = "[logging]\nloggers = ktbs\nfilename = log/ktbs.log\n";
    let text = fs::read_to_string(store.config()).expect("a file");
    fs::write(store.config(), text + log).expect("written");
    for command in [&["info"][..], &["collect", "b/t/", "--create"], &["verify"]] {
        let output = store.call(command, b"a line\n");
        assert!(
            output.status.success(),
            "{command:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    for file in ["s/data.mdb", "s/lock.mdb", "log/ktbs.log"] {
        let found = fs::metadata(folder.path(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert_eq!(found.uid(), owner, "{file}");
        assert_eq!(found.mode() & 0o007, 0, "{file}");
    }
}

#[test]
fn what_was_there_is_nobody_elses_now() {
    let folder = Folder::new();
    let store = folder.store("s", ROOT);
    assert!(store.call(&["info"], b"").status.code().is_some());
    let own = folder.path("own");
    fs::write(&own, "mine").expect("written");
    let owner = fs::metadata(&own).expect("a file").uid();
    give_away(&folder.path("log"));
    // Whoever owns the folder could name any file there.
    std::os::unix::fs::symlink(&own, folder.path("log/ktbs.log")).expect("a link");
    let text = fs::read_to_string(store.config()).expect("a file");
    let log = "[logging]\nloggers = ktbs\nfilename = log/ktbs.log\n";
    fs::write(store.config(), text + log).expect("written");
    let output = store.call(&["collect", "b/t/", "--create"], b"a line\n");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(fs::metadata(&own).expect("a file").uid(), owner);
}
