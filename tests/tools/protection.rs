//! `ktbs subject` and `ktbs retain`.

use ktbs::format::quads::Syntax;

use super::{Folder, PYTHON, ROOT, Store, graphs, text};

/// Returns a store of the Python kTBS, computed, where two collections mention each other's obsels.
fn loaded<'f>(folder: &'f Folder, name: &'f str) -> Store<'f> {
    let store = folder.store(name, ROOT);
    store.run(&["load", PYTHON]);
    store.call(&["refresh"], b"");
    store
}

#[test]
fn what_is_about_a_subject_is_exported() {
    let folder = Folder::new();
    let store = loaded(&folder, "store");
    let export = store.run(&["subject", "export", "carol"]);
    let exported = graphs(Syntax::NQuads, export.as_bytes());
    assert!(exported.contains_key(&format!("{ROOT}lab/alice/@obsels")));
    // Computed traces too.
    assert!(exported.contains_key(&format!("{ROOT}lab/f/@obsels")));
    assert!(
        export.contains("lab/alice/o3>") && !export.contains("lab/alice/o4>"),
        "{export}"
    );
    // The IRI of a subject, in one base.
    let export = store.run(&["subject", "export", "http://example.org/bob", "lab/bob/"]);
    let exported = graphs(Syntax::NQuads, export.as_bytes());
    assert_eq!(exported.len(), 1);
    assert!(
        export.contains("lab/bob/p2>") && !export.contains("lab/bob/p1>"),
        "{export}"
    );
    assert_eq!(store.run(&["subject", "export", "nobody"]), "");
}

#[test]
fn a_subject_is_erased_and_computed_traces_follow() {
    let folder = Folder::new();
    let store = loaded(&folder, "store");
    let before = store.run(&["dump"]);
    let dry = store.run(&["subject", "erase", "--dry-run", "alice"]);
    assert!(
        dry.contains("obsels found: 3\n") && dry.contains("nothing was changed"),
        "{dry}"
    );
    assert_eq!(store.run(&["dump"]), before);

    let report = store.run(&["subject", "erase", "alice"]);
    for line in [
        "lab/alice/>: 3 obsels\n",
        "lab/alice/>: the subject of its new obsels\n",
        "obsels removed: 3\n",
    ] {
        assert!(report.contains(line), "{report}");
    }
    let after = store.run(&["dump"]);
    assert!(!after.contains("\"alice\""), "{after}");
    // Carol's obsel stays, but does not mention those of Alice any more; in no trace.
    assert!(
        after.contains("lab/alice/o3>") && !after.contains("lab/alice/o2>"),
        "{after}"
    );
    assert!(after.contains("lab/f/o3>") && !after.contains("lab/f/o2>"), "{after}");
    assert!(store.run(&["verify"]).ends_with("problems: 0\n"));
    assert_eq!(store.run(&["subject", "export", "alice"]), "");
    assert!(
        store
            .run(&["subject", "erase", "alice"])
            .ends_with("obsels removed: 0\n")
    );
}

#[test]
fn what_is_left_of_a_subject_is_told() {
    let folder = Folder::new();
    let store = loaded(&folder, "store");
    // A query of this store gives this subject to all that it makes.
    let output = store.call(&["subject", "erase", "x"], b"");
    assert_eq!(output.status.code(), Some(1));
    let report = text(&output.stdout);
    assert!(
        report.contains(&format!("left: <{ROOT}lab/sp/> has 3 obsels of this subject\n")),
        "{report}"
    );
    assert!(
        report.contains(&format!(
            "left: the description of <{ROOT}lab/sp/> has this text or IRI in it\n"
        )),
        "{report}"
    );
}

#[test]
fn a_subject_gets_another_name() {
    let folder = Folder::new();
    let store = loaded(&folder, "store");
    let report = store.run(&["subject", "pseudonymise", "--name", "p1", "alice"]);
    assert!(report.ends_with("obsels renamed: 3\nnew name: p1\n"), "{report}");
    let after = store.run(&["dump"]);
    assert!(
        !after.contains("\"alice\"") && after.contains("#hasDefaultSubject> \"p1\""),
        "{after}"
    );
    assert!(
        after.contains("<http://localhost:8630/lab/f/o2> <http://liris.cnrs.fr/silex/2009/ktbs#hasSubject> \"p1\"")
    );
    assert!(store.run(&["verify"]).ends_with("problems: 0\n"));
    let named = store.run(&["subject", "pseudonymise", "http://example.org/bob"]);
    let name = named
        .lines()
        .last()
        .and_then(|line| line.strip_prefix("new name: "))
        .expect("a name");
    assert!(store.run(&["subject", "export", name]).contains("lab/bob/p2>"));
}

#[test]
fn old_obsels_are_removed() {
    let folder = Folder::new();
    let store = loaded(&folder, "store");
    // Those of alice/ are of 2020-01-01; those of bob/ have no dates.
    assert!(
        store
            .run(&["retain", "--older-than", "1000y"])
            .ends_with("obsels removed: 0\n")
    );
    let dry = store.run(&["retain", "--older-than", "30d", "--dry-run"]);
    assert!(dry.contains("obsels found: 4\n"), "{dry}");
    let report = store.run(&["retain", "--older-than", "30d"]);
    assert!(
        report.contains("lab/bob/>: kept, since its obsels have no dates\n"),
        "{report}"
    );
    assert!(report.ends_with("obsels removed: 4\n"), "{report}");
    let after = store.run(&["dump"]);
    assert!(
        !after.contains("lab/alice/o") && !after.contains("lab/f/o") && after.contains("lab/bob/p1>"),
        "{after}"
    );
    assert!(store.run(&["verify"]).ends_with("problems: 0\n"));
    assert_eq!(
        store.call(&["retain", "--older-than", "30"], b"").status.code(),
        Some(2)
    );
}
