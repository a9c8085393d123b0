//! A store of the Python kTBS, with a resource of each kind, answers the same here.

use super::{Folder, PYTHON, ROOT, different, graphs, text};
use ktbs::format::quads::Syntax;

#[test]
fn a_store_of_the_python_ktbs_answers_the_same() {
    let folder = Folder::new();
    let store = folder.store("store", ROOT);
    let loaded = store.run(&["load", PYTHON]);
    for line in ["Base: 2\n", "ComputedTrace: 13\n", "StoredTrace: 3\n", "obsels: 37\n"] {
        assert!(loaded.contains(line), "{loaded}");
    }
    assert!(store.run(&["verify"]).ends_with("problems: 0\n"));
    // The method hrules of that store wants a model, there and here.
    let refreshed = store.call(&["refresh"], b"");
    assert_eq!(refreshed.status.code(), Some(1));
    let errors = text(&refreshed.stderr);
    assert!(errors.contains("lab/hr/") && errors.lines().count() == 1, "{errors}");
    assert!(store.run(&["verify"]).ends_with("problems: 0\n"));

    let python = std::fs::read(PYTHON).expect("the dump");
    let mut python = graphs(Syntax::NQuads, &python);
    python.retain(|name, _| !name.ends_with("#metadata") && !name.ends_with("@stats"));
    let ours = store.graphs();
    assert_eq!(python.len(), ours.len());
    let different = different(&python, &ours);
    let expected = [
        // The version and the methods are ours.
        "",
        // Here, intermediate traces are linked to what goes through them; the diagnosis of the latter is not "None".
        "lab/_0_par/",
        "lab/_0_pipe/",
        "lab/_1_par/",
        "lab/_1_pipe/",
        // A warning does not prevent the computation.
        "lab/bad/@obsels",
        // The Python kTBS loses what blank nodes lead to.
        "lab/fu/@obsels",
        // A diagnosis.
        "lab/hr/",
        "lab/par/",
        "lab/pipe/",
        // The origin keeps its datatype; obsels made by a query have other names.
        "lab/sp/",
        "lab/sp/@obsels",
    ];
    assert_eq!(different, expected.map(|path| format!("{ROOT}{path}")));
}
