//! `ktbs dump` and `ktbs load`.

use std::sync::atomic::{AtomicBool, Ordering};

use ktbs::format::quads::Syntax;

use super::{Folder, PYTHON, ROOT, Store, different, graphs, name, text};
use crate::needed::{installed, skipped};
use crate::web_server::{Program, program};

#[test]
fn dump_load_dump_is_the_same_dataset() {
    let folder = Folder::new();
    let first = folder.store("first", ROOT);
    first.run(&["load", PYTHON]);
    first.call(&["refresh"], b"");
    let graphs_of_first = first.graphs();
    assert_eq!(graphs_of_first.len(), 39);
    for (syntax, format, second) in [(Syntax::NQuads, "nquads", "second"), (Syntax::TriG, "trig", "third")] {
        let dump = first.run(&["dump", "--format", format]);
        assert!(different(&graphs(syntax, dump.as_bytes()), &graphs_of_first).is_empty());
        let second = folder.store(second, ROOT);
        let output = second.call(&["load", "--format", format], dump.as_bytes());
        assert!(output.status.success(), "{}", text(&output.stderr));
        let graphs_of_second = second.graphs();
        assert_eq!(different(&graphs_of_first, &graphs_of_second), Vec::<&str>::new());
        assert!(second.run(&["verify"]).ends_with("problems: 0\n"));
        // What was computed is computed anew, to the same effect.
        second.call(&["refresh"], b"");
        let graphs_of_second = second.graphs();
        let different = different(&graphs_of_first, &graphs_of_second);
        assert_eq!(different, Vec::<&str>::new());
    }
}

#[test]
fn a_part_is_dumped_by_its_address_or_path() {
    let folder = Folder::new();
    let store = folder.store("store", ROOT);
    store.run(&["load", PYTHON]);
    let sub = store.run(&["dump", "lab/sub/"]);
    assert_eq!(sub, store.run(&["dump", &format!("{ROOT}lab/sub/")]));
    let names: Vec<String> = graphs(Syntax::NQuads, sub.as_bytes()).into_keys().collect();
    let expected = ["lab/sub/", "lab/sub/deep/", "lab/sub/deep/@obsels"];
    assert_eq!(names, expected.map(|path| format!("{ROOT}{path}")));
    assert_eq!(
        store.fails(1, &["dump", "nope/"], b""),
        format!("ktbs: there is no <{ROOT}nope/>\n")
    );
    assert!(
        store
            .fails(1, &["dump", "http://example.org/"], b"")
            .contains("is not below the root URI")
    );
}

#[test]
fn a_raw_copy_and_a_compact_one_are_stores() {
    let folder = Folder::new();
    let store = folder.store("store", ROOT);
    store.run(&["load", PYTHON]);
    store.run(&["dump", "--raw", name(&folder.path("raw"))]);
    store.run(&["compact", name(&folder.path("compact"))]);
    let expected = store.graphs();
    for copy in ["raw", "compact"] {
        let copy = folder.store(copy, ROOT);
        assert!(different(&copy.graphs(), &expected).is_empty());
        assert!(copy.run(&["verify"]).ends_with("problems: 0\n"));
    }
    let error = store.fails(1, &["dump", "--raw", name(&folder.path("raw"))], b"");
    assert!(error.contains("is not empty"), "{error}");
}

#[test]
fn only_an_empty_store_of_the_right_root_is_loaded() {
    let folder = Folder::new();
    let store = folder.store("store", ROOT);
    store.run(&["load", PYTHON]);
    assert!(
        store
            .fails(1, &["load", PYTHON], b"")
            .contains("the store is not empty")
    );

    let other = folder.store("other", "https://example.org/k/");
    let error = other.fails(1, &["load", PYTHON], b"");
    assert!(error.ends_with(&format!("give --from {ROOT}\n")), "{error}");
    other.run(&["load", "--from", ROOT, PYTHON]);
    // All IRIs follow, those in parameters too.
    let moved = other.run(&["dump"]);
    assert!(!moved.contains(ROOT), "{moved}");
    let back = folder.store("back", ROOT);
    let output = back.call(&["load", "--from", "https://example.org/k/"], moved.as_bytes());
    assert!(output.status.success());
    assert!(different(&store.graphs(), &back.graphs()).is_empty());
}

#[test]
fn what_is_wrong_is_told_and_nothing_is_loaded() {
    let folder = Folder::new();
    let store = folder.store("store", ROOT);
    let k = "http://liris.cnrs.fr/silex/2009/ktbs#";
    let quad = |s: &str, p: &str, o: &str, g: &str| format!("<{ROOT}{s}> {p} {o} <{ROOT}{g}> .\n");
    let a = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>";
    let integer = |n: i64| format!("\"{n}\"^^<http://www.w3.org/2001/XMLSchema#integer>");
    let mut dump = quad("b/", a, &format!("<{k}Base>"), "b/") + &quad("b/t/", a, &format!("<{k}StoredTrace>"), "b/t/");
    for (id, begin, end) in [("good", 1, 2), ("bad", 2, 1)] {
        let id = format!("b/t/{id}");
        dump += &quad(&id, a, &format!("<{k}Obsel>"), "b/t/@obsels");
        dump += &quad(&id, &format!("<{k}hasTrace>"), &format!("<{ROOT}b/t/>"), "b/t/@obsels");
        dump += &quad(&id, &format!("<{k}hasBegin>"), &integer(begin), "b/t/@obsels");
        dump += &quad(&id, &format!("<{k}hasEnd>"), &integer(end), "b/t/@obsels");
    }
    dump += &quad("x/y", a, &format!("<{k}Method>"), "x/y");
    let errors = store.fails(1, &["load"], dump.as_bytes());
    assert!(
        errors.contains("b/t/bad") && errors.contains("x/y") && errors.contains("nothing was loaded"),
        "{errors}"
    );
    assert!(!errors.contains("b/t/good"), "{errors}");
    assert_eq!(store.graphs().len(), 1);
    let output = store.call(&["load", "--keep-going", "--dry-run"], dump.as_bytes());
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(store.graphs().len(), 1);
    let output = store.call(&["load", "--keep-going"], dump.as_bytes());
    assert!(output.status.success());
    assert_eq!(store.graphs().len(), 4);
    assert!(store.run(&["dump"]).contains("b/t/good"));

    let error = store.fails(1, &["load"], b"<http://a> nonsense\n");
    assert!(
        error.starts_with("ktbs: -: line 1: ") && error.lines().count() == 1,
        "{error}"
    );
}

/// How many obsels each request of [`while_written`] adds.
const TOGETHER: usize = 10;

/// Calls a function while obsels are added to `lab/sub/deep/` of a store of that name, some at a time; returns how many were.
fn while_written(folder: &Folder, store: &Store<'_>, f: impl FnOnce()) -> usize {
    store.run(&["load", PYTHON]);
    let mut command = program();
    command.arg("-c").arg(store.config());
    let server = Program::start(command, &folder.path(""), "socket");
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut batches = 0_usize;
            while !over.load(Ordering::Relaxed) {
                let obsels: Vec<String> = (0..TOGETHER)
                    .map(|i| format!("{{\"@type\": \"m:Open\", \"begin\": {}}}", batches * TOGETHER + i))
                    .collect();
                let body = format!("[{}]", obsels.join(","));
                let headers = [("Content-Type", "application/json")];
                let answer = server.send("POST", "/lab/sub/deep/", &headers, body.as_bytes());
                assert_eq!(answer.expect("an answer").status, 201);
                batches += 1;
            }
            batches * TOGETHER
        });
        // Also when the function fails, so that the writer ends.
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(f));
        over.store(true, Ordering::Relaxed);
        let written = writer.join().expect("the writer is well");
        result.unwrap_or_else(|failure| std::panic::resume_unwind(failure));
        written
    })
}

/// Returns how many obsels `lab/sub/deep/` has: whole requests, in a store that is well.
fn whole_requests(store: &Store<'_>) -> usize {
    let obsels = store.run(&["dump", "lab/sub/"]).matches("#hasBegin>").count();
    assert_eq!(obsels % TOGETHER, 0);
    assert!(store.run(&["verify"]).ends_with("problems: 0\n"));
    obsels
}

#[test]
fn a_dump_is_consistent_while_others_write() {
    let folder = Folder::new();
    let store = folder.store("store", ROOT);
    let mut counts = Vec::new();
    let written = while_written(&folder, &store, || {
        counts.extend((0..5).map(|_| whole_requests(&store)))
    });
    assert!(
        counts.is_sorted() && counts[4] > 0 && counts[4] <= written,
        "{counts:?}"
    );
}

#[test]
fn copies_are_consistent_while_others_write() {
    let folder = Folder::new();
    let store = folder.store("store", ROOT);
    let mut counts = Vec::new();
    let written = while_written(&folder, &store, || {
        for i in 0..3 {
            let (raw, compact) = (format!("raw{i}"), format!("compact{i}"));
            store.run(&["dump", "--raw", name(&folder.path(&raw))]);
            counts.push(whole_requests(&folder.store(&raw, ROOT)));
            store.run(&["compact", name(&folder.path(&compact))]);
            counts.push(whole_requests(&folder.store(&compact, ROOT)));
        }
    });
    assert!(
        counts.is_sorted() && counts[5] > counts[0] && counts[5] <= written,
        "{counts:?}"
    );
    assert_eq!(whole_requests(&store), written, "the store itself has all");
}

#[test]
fn a_terminal_shows_progress() {
    let Some(script) = installed("script") else { return };
    let folder = Folder::new();
    let store = folder.store("store", ROOT);
    let config = store.config();
    let command = format!("{} load {PYTHON} -c {}", env!("CARGO_BIN_EXE_ktbs"), name(&config));
    let output = std::process::Command::new(script)
        .args(["-qec", &command, "/dev/null"])
        .env("TERM", "xterm")
        .stdin(std::process::Stdio::null())
        .output()
        .expect("script can be run");
    if text(&output.stderr).contains("pseudo-terminal") {
        return skipped("terminal that script(1) could open");
    }
    let shown = text(&output.stdout);
    assert!(output.status.success(), "{shown}");
    assert!(
        shown.contains("triples in ") && shown.contains(" traces, ") && shown.contains("obsels: "),
        "{shown:?}"
    );
    // Elsewhere nothing is shown.
    let other = folder.store("other", ROOT);
    let output = other.call(&["load", PYTHON], b"");
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{}",
        text(&output.stderr)
    );
}
