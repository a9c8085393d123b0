//! `ktbs collect`.

use super::{Folder, ROOT, text};

#[test]
fn lines_become_obsels() {
    let folder = Folder::new();
    let store = folder.store("store", ROOT);
    let error = store.fails(1, &["collect", "b/t/"], b"one\n");
    assert!(error.contains("--create"), "{error}");
    let output = store.call(&["collect", "--create", "b/t/"], "one\n\ntwo \"é\"\nlast".as_bytes());
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(text(&output.stdout), "obsels: 3, lines refused: 0\n");
    let dump = store.run(&["dump", "b/t/"]);
    for line in ["\"one\"", "\"two \\\"é\\\"\"", "\"last\""] {
        assert!(
            dump.contains(&format!(
                "<http://liris.cnrs.fr/silex/2011/simple-trace-model#Text> {line} "
            )),
            "{dump}"
        );
    }
    assert!(
        store
            .fails(1, &["collect", "b/"], b"one\n")
            .contains("is no stored trace")
    );
}

#[test]
fn a_wrong_line_is_told_and_the_others_are_stored() {
    let folder = Folder::new();
    let store = folder.store("store", ROOT);
    let lines = b"{\"@type\": \"m:A\", \"begin\": 1}\n{\"@type\": \"m:A\", \"begin\": 2\n{\"@type\": \"m:A\", \"begin\": 3, \"end\": 2}\n{\"@id\": \"four\", \"@type\": \"m:A\", \"begin\": 4}\n";
    let output = store.call(&["collect", "--json", "--create", "b/t/"], lines);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stdout), "obsels: 2, lines refused: 2\n");
    let errors = text(&output.stderr);
    let starts: Vec<&str> = errors.lines().filter_map(|line| line.get(..12)).collect();
    assert_eq!(starts, ["ktbs: line 2", "ktbs: line 3"]);
    assert!(store.run(&["dump", "b/t/"]).contains("b/t/four>"));
}
