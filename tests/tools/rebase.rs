//! `ktbs rebase`.

use super::{Folder, PYTHON, ROOT, different};

const NEW: &str = "https://example.org/k/";

#[test]
fn a_store_follows_its_root() {
    let folder = Folder::new();
    let store = folder.store("store", ROOT);
    store.run(&["load", PYTHON]);
    store.call(&["refresh"], b"");
    let error = store.fails(1, &["rebase", ROOT, NEW], b"");
    assert!(error.contains("the root URI of the configuration is"), "{error}");

    let store = folder.store("store", NEW);
    let dry = store.run(&["rebase", "--dry-run", ROOT, NEW]);
    assert!(
        dry.contains("parameters rewritten: 8\n") && dry.contains("nothing was changed"),
        "{dry}"
    );
    assert!(store.run(&["dump"]).contains(ROOT));
    let report = store.run(&["rebase", ROOT, NEW]);
    assert!(
        report.contains(&format!("rewritten: parameter otypes of <{NEW}lab/turns>\n")),
        "{report}"
    );
    assert!(store.run(&["rebase", ROOT, NEW]).ends_with("parameters rewritten: 0\n"));
    assert!(!store.run(&["dump"]).contains(ROOT));
    assert!(store.run(&["verify"]).ends_with("problems: 0\n"));

    // It is what a dump loaded under the new root is.
    let other = folder.store("other", NEW);
    other.run(&["load", "--from", ROOT, PYTHON]);
    for store in [&store, &other] {
        store.call(&["refresh"], b"");
    }
    let (rebased, loaded) = (store.graphs(), other.graphs());
    assert_eq!(different(&rebased, &loaded), Vec::<&str>::new());
}
