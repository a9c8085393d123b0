//! `ktbs token`.

use super::{Folder, text};

const ROOT: &str = "http://localhost:8630/";

#[test]
fn tokens_are_made_listed_and_revoked() {
    let folder = Folder::new();
    let store = folder.store("store", ROOT);
    let made = store.call(
        &["token", "create", "alice", "--label", "the café", "--expires", "90d"],
        b"",
    );
    assert!(made.status.success(), "{made:?}");
    let token = text(&made.stdout);
    let token = token.trim_end();
    assert!(token.starts_with("ktbs_") && token.len() > 60, "{token}");
    let told = text(&made.stderr);
    let id = &token[5..21];
    assert!(
        told.contains(&format!("id: {id}")) && told.contains("authx is off"),
        "{told}"
    );
    assert!(!told.contains(token), "{told}");
    store.run(&[
        "token", "create", "bob", "--rights", "add,read", "--on", ROOT, "--group", "staff",
    ]);

    let list = store.run(&["token", "list"]);
    let rows: Vec<Vec<&str>> = list.lines().map(|line| line.split('\t').collect()).collect();
    assert_eq!(rows.len(), 2, "{list}");
    assert!(!list.contains(&token[22..]), "{list}");
    let alice = rows.iter().find(|row| row[1] == "alice").expect("a row");
    assert_eq!((alice[0], alice[4], alice[7]), (id, "all", "the café"));
    assert!(alice[3] > alice[2], "{list}");
    let bob = rows.iter().find(|row| row[1] == "bob").expect("a row");
    assert_eq!(bob[3..], ["never", "read,add", "<http://localhost:8630/>", "staff", ""]);
    assert_eq!(store.run(&["token", "list", "carol"]), "");

    let unknown = store.fails(1, &["token", "revoke", id, "0000000000000000"], b"");
    assert!(
        unknown.contains("no token 0000000000000000") && unknown.contains("none was revoked"),
        "{unknown}"
    );
    assert_eq!(store.run(&["token", "revoke", id, id]), "tokens revoked: 1\n");
    assert_eq!(store.run(&["token", "revoke", "--owner", "bob"]), "tokens revoked: 1\n");
    assert_eq!(store.run(&["token", "list"]), "");
    store.fails(1, &["token", "revoke", "--owner", "bob"], b"");
}

#[test]
fn what_makes_no_token_is_told() {
    let folder = Folder::new();
    let store = folder.store("store", ROOT);
    for (status, arguments, named) in [
        (
            1,
            &["alice", "--on", "none/"][..],
            "no resource <http://localhost:8630/none/>",
        ),
        (1, &["alice", "--on", "http://example.org/x/"], "not below the root URI"),
        (1, &["alice", "--expires", "2001-01-01"], "expired already"),
        (2, &["alice", "--expires", "soon"], "write a date"),
        (2, &["alice", "--rights", "fly"], "read, add, write and manage"),
        (1, &["a\nb"], "is no name"),
        (1, &[""], "is no name"),
        (1, &["alice", "--group", ""], "is no name"),
    ] {
        let arguments = [&["token", "create"], arguments].concat();
        let errors = store.fails(status, &arguments, b"");
        assert!(errors.contains(named), "{arguments:?}: {errors}");
    }
    assert_eq!(store.run(&["token", "list"]), "");
}
