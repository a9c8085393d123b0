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

/// Returns a store where obsels of other traces, blank nodes, texts, a model and a list refer to the two subjects `alice` and
/// `<http://example.org/bob>`.
fn referring<'f>(folder: &'f Folder, name: &'f str) -> Store<'f> {
    let store = folder.store(name, ROOT);
    let dump = format!(
        r#"@prefix k: <http://liris.cnrs.fr/silex/2009/ktbs#> . @prefix m: <{ROOT}b/m#> . @prefix e: <http://example.org/> .
        @prefix acl: <http://www.w3.org/ns/auth/acl#> .
        <{ROOT}b/> {{ <{ROOT}b/> a k:Base . }}
        <{ROOT}b/@acl> {{ <{ROOT}b/> acl:owner <urn:ktbs:user:alice> . }}
        <{ROOT}b/m> {{ <{ROOT}b/m> a k:TraceModel . m:T a k:ObselType ; m:example <{ROOT}b/one/o1> . }}
        <{ROOT}b/one/> {{ <{ROOT}b/one/> a k:StoredTrace ; k:hasModel <{ROOT}b/m> ; k:hasOrigin "o" . }}
        <{ROOT}b/one/@obsels> {{
            <{ROOT}b/one/o1> a m:T ; k:hasTrace <{ROOT}b/one/> ; k:hasBegin 1 ; k:hasEnd 1 ; k:hasSubject "alice" .
            <{ROOT}b/one/o2> a m:T ; k:hasTrace <{ROOT}b/one/> ; k:hasBegin 2 ; k:hasEnd 2 ; k:hasSubject e:bob ; m:with e:bob . }}
        <{ROOT}c/> {{ <{ROOT}c/> a k:Base . }}
        <{ROOT}c/two/> {{ <{ROOT}c/two/> a k:StoredTrace ; k:hasModel <{ROOT}b/m> ; k:hasOrigin "o" . }}
        <{ROOT}c/two/@obsels> {{
            <{ROOT}c/two/p1> a m:T ; k:hasTrace <{ROOT}c/two/> ; k:hasBegin 1 ; k:hasEnd 1 ; k:hasSubject "carol" ;
                k:hasSourceObsel <{ROOT}b/one/o1>, <{ROOT}b/one/o2> ; m:with e:bob, e:dan ; m:says "alice was here" .
            <{ROOT}b/one/o1> m:before <{ROOT}c/two/p1> .
            <{ROOT}c/two/p2> a m:T ; k:hasTrace <{ROOT}c/two/> ; k:hasBegin 2 ; k:hasEnd 2 ; k:hasSubject "dan" ;
                m:part [ m:of <{ROOT}b/one/o1> ; m:rank 1 ], [ m:of <{ROOT}b/one/o2> ; m:rank 2 ] .
            <{ROOT}c/two/p3> a m:T ; k:hasTrace <{ROOT}c/two/> ; k:hasBegin 3 ; k:hasEnd 3 ; k:hasSubject "dan" ;
                m:says "see <{ROOT}b/one/o2>", "malice" ; m:with <{ROOT}b/one/o12> . }}"#
    );
    let output = store.call(&["load", "--format", "trig"], dump.as_bytes());
    assert!(output.status.success(), "{}", text(&output.stderr));
    store
}

/// Runs a command about a subject, with `--dry-run` first, which must tell the same; returns the report.
fn report(store: &Store<'_>, arguments: &[&str]) -> String {
    let before = store.graphs();
    let dry = store.call(&[&["subject"], arguments, &["--dry-run"]].concat(), b"");
    assert!(super::different(&before, &store.graphs()).is_empty());
    let done = store.call(&[&["subject"], arguments].concat(), b"");
    let lines = |output: &std::process::Output| -> Vec<String> {
        let told = text(&output.stdout);
        let lines = told.lines().filter(|line| line.contains(ROOT));
        lines.map(str::to_owned).collect()
    };
    assert_eq!(lines(&dry), lines(&done));
    assert_eq!(dry.status.code(), done.status.code());
    assert!(store.run(&["verify"]).ends_with("problems: 0\n"));
    text(&done.stdout)
}

#[test]
fn what_refers_to_erased_obsels_is_erased_in_all_traces() {
    let folder = Folder::new();
    let store = referring(&folder, "store");
    let told = report(&store, &["erase", "alice", "b/"]);
    for line in [
        "b/one/>: 1 obsels\n",
        "c/two/>: 2 other obsels that refer to these or to the subject\n",
        "left: the description of <http://localhost:8630/b/m> has this text or IRI in it\n",
        "left: the access control list of <http://localhost:8630/b/> names this user\n",
    ] {
        assert!(told.contains(line), "{line}: {told}");
    }
    // Only below b/ was she to be looked for.
    assert!(!told.contains("texts of"), "{told}");
    let left = store.run(&["dump", "c/two/"]);
    assert!(!left.contains("b/one/o1>") && !left.contains("b/m#before"), "{left}");
    assert!(
        left.contains("b/one/o2>") && left.contains("example.org/bob>"),
        "{left}"
    );
    // What else is said of the blank node is not about it.
    assert_eq!(left.matches("b/m#of>").count(), 1, "{left}");
    assert_eq!(left.matches("b/m#rank>").count(), 2, "{left}");

    let told = report(&store, &["erase", "alice"]);
    assert!(
        told.contains("left: texts of 1 obsels of <http://localhost:8630/c/two/>"),
        "{told}"
    );
}

#[test]
fn what_names_a_subject_by_its_iri_is_erased_or_renamed() {
    let folder = Folder::new();
    let store = referring(&folder, "store");
    let told = report(&store, &["erase", "http://example.org/bob"]);
    assert!(told.contains("c/two/>: 2 other obsels that refer"), "{told}");
    assert!(
        told.contains("left: texts of 1 obsels of <http://localhost:8630/c/two/>"),
        "{told}"
    );
    let left = store.run(&["dump"]);
    assert!(
        !left.contains("example.org/bob") && left.contains("example.org/dan"),
        "{left}"
    );
    assert_eq!(left.matches("b/one/o2>").count(), 1, "but for the text: {left}");

    let store = referring(&folder, "other");
    let told = report(&store, &["pseudonymise", "--name", "p9", "http://example.org/bob"]);
    assert!(
        told.contains("b/one/>: 1 obsels\n") && told.contains("c/two/>: 1 other obsels"),
        "{told}"
    );
    let left = store.run(&["dump"]);
    assert!(!left.contains("example.org/bob"), "{left}");
    assert_eq!(left.matches("b/m#with> \"p9\"").count(), 2, "{left}");
    assert_eq!(left.matches("#hasSubject> \"p9\"").count(), 1, "{left}");
    // They are the same obsels.
    assert!(
        left.contains("#hasSourceObsel> <http://localhost:8630/b/one/o2>"),
        "{left}"
    );
}

#[test]
fn an_export_has_what_others_say_too() {
    let folder = Folder::new();
    let store = referring(&folder, "store");
    let export = store.run(&["subject", "export", "alice"]);
    let exported = graphs(Syntax::NQuads, export.as_bytes());
    let names: Vec<&str> = exported.keys().map(|name| &name[ROOT.len()..]).collect();
    assert_eq!(names, ["b/@acl", "b/one/@obsels", "c/two/@obsels"]);
    let two = &exported[&format!("{ROOT}c/two/@obsels")];
    assert_eq!(two.len(), 3, "{export}");
    let export = store.run(&["subject", "export", "http://example.org/bob", "c/"]);
    let exported = graphs(Syntax::NQuads, export.as_bytes());
    assert_eq!(exported[&format!("{ROOT}c/two/@obsels")].len(), 1, "{export}");
}
