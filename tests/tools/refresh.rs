//! `ktbs refresh`, `ktbs info` and `ktbs manual`.

use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::{Folder, PYTHON, ROOT};
use crate::web_server::program;

#[test]
fn several_refresh_at_once() {
    let folder = Folder::new();
    let store = folder.store("store", ROOT);
    store.run(&["load", PYTHON]);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| store.run(&["refresh", "lab/pipe/"]));
        }
    });
    assert!(store.run(&["verify"]).ends_with("problems: 0\n"));
}

#[test]
fn a_loop_follows_what_is_written() {
    let folder = Folder::new();
    let store = folder.store("store", ROOT);
    store.run(&["load", PYTHON]);
    let mut looping = program()
        .args(["refresh", "--loop", "--every", "1", "lab/f/"])
        .arg("-c")
        .arg(store.config())
        .stdin(Stdio::null())
        .spawn()
        .expect("the program can be run");
    let output = store.call(
        &["collect", "--json", "lab/alice/"],
        b"{\"@type\": \"m:Turn\", \"@id\": \"fresh\", \"begin\": 99}\n",
    );
    assert!(output.status.success());
    let start = Instant::now();
    let has_followed = loop {
        if store.run(&["dump", "lab/f/"]).contains("lab/f/fresh>") {
            break true;
        }
        if start.elapsed() > Duration::from_secs(20) {
            break false;
        }
        sleep(Duration::from_millis(200));
    };
    looping.kill().expect("the process is ours");
    looping.wait().expect("the process is ours");
    assert!(has_followed);
}

#[test]
fn info_counts() {
    let folder = Folder::new();
    let store = folder.store("store", ROOT);
    assert!(store.fails(1, &["info"], b"").starts_with("ktbs: there is no store: "));
    store.run(&["load", PYTHON]);
    let info = store.run(&["info"]);
    for line in [
        "bases: 2\n",
        "computed traces: 13\n",
        "obsels: 37\n",
        "format of the store: 2\n",
    ] {
        assert!(info.contains(line), "{info}");
    }
}

#[test]
fn the_manual_has_all_the_commands() {
    let folder = Folder::new();
    let store = folder.store("store", ROOT);
    let page = store.run(&["manual"]);
    for text in ["\n.SH \"EXIT STATUS\"\nEnds with status 0 ", "\n.SH FILES\n"] {
        assert!(page.contains(text), "{page}");
    }
    let completions = store.run(&["manual", "--completions", "bash"]);
    for command in ["DUMP", "LOAD", "CHECK", "MANUAL", "SUBJECT ERASE"] {
        assert!(page.contains(&format!("\n.SH \"{command}\"\n")), "{command}");
        assert!(
            completions.contains(&command.to_lowercase().replace(' ', "__subcmd__")),
            "{command}"
        );
    }
    assert_eq!(
        store
            .call(&["manual", "--completions", "nosuchshell"], b"")
            .status
            .code(),
        Some(2)
    );
}
