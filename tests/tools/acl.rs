//! `ktbs acl`.

use serde_json::{Value, json};

use super::{Folder, PYTHON, Store, text};

const ROOT: &str = super::ROOT;

fn loaded<'f>(folder: &'f Folder) -> Store<'f> {
    let store = folder.store("store", ROOT);
    store.run(&["load", PYTHON]);
    store
}

fn list(text: &str) -> Value {
    let mut list: Value = serde_json::from_str(text).expect("JSON");
    list.as_object_mut().expect("an object").shift_remove("@id");
    list
}

#[test]
fn rights_are_granted_and_revoked_from_what_holds() {
    let folder = Folder::new();
    let store = loaded(&folder);
    let show = |path: &str| list(&store.run(&["acl", "show", path]));
    let of = |inherited: bool, read: Value, add: Value, write: Value, manage: Value| json!({"owner": null, "inherited": inherited, "read": read, "add": add, "write": write, "manage": manage});
    let none = json!([]);
    assert_eq!(
        show("lab/"),
        of(true, none.clone(), none.clone(), none.clone(), none.clone())
    );

    let dry = store.run(&["acl", "grant", "--dry-run", "lab/", "read", "everybody"]);
    assert_eq!(list(&dry)["read"], json!(["everybody"]));
    assert_eq!(show("lab")["inherited"], true);
    let told = store.run(&["acl", "grant", "lab", "write", "group:staff", "user:bob"]);
    let staff = of(
        false,
        none.clone(),
        none.clone(),
        json!(["group:staff", "user:bob"]),
        none.clone(),
    );
    assert_eq!(list(&told), staff);
    assert_eq!(show(&format!("{ROOT}lab/")), staff);

    // A list of its own begins with what holds.
    store.run(&["acl", "grant", "lab/alice/", "add", "everybody"]);
    let alice = of(
        false,
        none.clone(),
        json!(["everybody"]),
        json!(["group:staff", "user:bob"]),
        none.clone(),
    );
    assert_eq!(show("lab/alice/"), alice);
    // Who may no longer write may still do what that included.
    store.run(&["acl", "revoke", "lab/alice/", "write", "user:bob"]);
    assert_eq!(show("lab/alice/")["read"], json!(["user:bob"]));
    assert_eq!(show("lab/alice/")["add"], json!(["user:bob", "everybody"]));
    store.run(&["acl", "revoke", "lab/alice/", "read", "group:staff"]);
    assert_eq!(show("lab/alice/")["write"], none);
    store.run(&[
        "acl",
        "revoke",
        "lab/alice/",
        "all",
        "group:staff",
        "user:bob",
        "everybody",
    ]);
    assert_eq!(
        show("lab/alice/"),
        of(false, none.clone(), none.clone(), none.clone(), none.clone())
    );
    assert_eq!(show("lab/"), staff);
    assert!(
        store
            .run(&["acl", "show", "lab/", "--format", "turtle"])
            .contains("auth/acl#")
    );
}

#[test]
fn a_list_is_replaced_whole() {
    let folder = Folder::new();
    let store = loaded(&folder);
    let new = br#"{"owner": "alice", "read": ["logged-in"]}"#;
    let set = |arguments: &[&str], input: &[u8]| {
        let output = store.call(&[&["acl", "set", "lab/"], arguments].concat(), input);
        assert!(output.status.success(), "{}", text(&output.stderr));
        assert!(text(&output.stderr).contains("authx is off"));
        list(&text(&output.stdout))
    };
    assert_eq!(set(&["--dry-run"], new)["owner"], "alice");
    assert_eq!(list(&store.run(&["acl", "show", "lab/"]))["owner"], Value::Null);
    let told = set(&[], new);
    assert_eq!(
        (&told["owner"], &told["read"]),
        (&json!("alice"), &json!(["logged-in"]))
    );
    let turtle = store.run(&["acl", "show", "lab/", "--format", "turtle"]);
    assert_eq!(set(&["--format", "turtle", "-"], turtle.as_bytes()), told);
    let file = folder.path("list");
    std::fs::write(&file, r#"{"inherited": true}"#).expect("a file");
    let told = set(&[super::name(&file)], b"");
    assert_eq!((&told["owner"], &told["inherited"]), (&Value::Null, &json!(true)));
}

#[test]
fn what_is_wrong_is_told_and_changes_nothing() {
    let folder = Folder::new();
    let store = loaded(&folder);
    let before = store.run(&["acl", "show", ""]);
    for (status, arguments, input, named) in [
        (
            1,
            &["show", "none/"][..],
            "",
            "no base nor trace <http://localhost:8630/none/>",
        ),
        (1, &["show", "http://example.org/"], "", "not below the root URI"),
        (2, &["grant", "", "fly", "everybody"], "", "read, add, write and manage"),
        (1, &["grant", "", "read", "bob"], "", "user:NAME nor group:NAME"),
        (1, &["grant", "", "read", "user:"], "", "urn:ktbs:user:"),
        (2, &["grant", "", "read"], "", "WHO"),
        (1, &["revoke", "", "read", "user:bob"], "", "user:bob has no such right"),
        (1, &["set", "", "/nonexistent"], "", "/nonexistent"),
        (1, &["set", ""], "{", "line 1"),
        (1, &["set", ""], r#"{"reads": []}"#, "reads"),
        (1, &["set", "", "--dry-run"], r#"{"ignoresSources": true}"#, "computed"),
        (1, &["set", "", "--format", "turtle"], "<a> <b>", "unexpected end"),
    ] {
        let errors = store.fails(status, &[&["acl"], arguments].concat(), input.as_bytes());
        assert!(errors.contains(named), "{arguments:?}: {errors}");
    }
    assert_eq!(store.run(&["acl", "show", ""]), before);
}

#[test]
fn changes_at_once_are_all_done() {
    let folder = Folder::new();
    let store = loaded(&folder);
    std::thread::scope(|scope| {
        for number in 0..4 {
            let store = &store;
            scope.spawn(move || store.run(&["acl", "grant", "lab/", "read", &format!("user:u{number}")]));
        }
    });
    let shown = list(&store.run(&["acl", "show", "lab/"]));
    assert_eq!(shown["read"].as_array().expect("a list").len(), 4, "{shown}");
}
