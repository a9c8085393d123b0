//! Access control lists, in the tools.

use std::fs;

use ktbs::format::quads::Syntax;

use super::{Folder, ROOT, different, graphs, text};
use crate::access::grant;
use crate::support::TestKtbs;

/// Returns a kTBS of `boss` with lists of all sorts.
fn ktbs(folder: &Folder) -> TestKtbs {
    fs::create_dir(folder.path("first")).expect("a folder");
    let ktbs = TestKtbs::at(folder.path("first"), |config| {
        config.plugins.authx = true;
        config.authx.admins = vec!["boss".to_owned()];
    });
    let put = |user: &str, path: &str, list: &str| {
        grant(&ktbs, user, path, list).expect(200);
    };
    let post = |user: &str, path: &str, body: &str| {
        crate::access::post(&ktbs, user, path, body).expect(201);
    };
    put(
        "boss",
        "",
        r#"{"write": ["user:ann", "group:staff"], "read": ["everybody"]}"#,
    );
    post("ann", "", "<> k:hasBase <b/> . <b/> a k:Base .");
    post("ann", "b/", "<> k:contains <m> . <m> a k:TraceModel .");
    post(
        "ann",
        "b/",
        "<> k:contains <f> . <f> a k:Method ; k:hasParentMethod k:filter .",
    );
    post(
        "ann",
        "b/",
        "<> k:contains <t/> . <t/> a k:StoredTrace ; k:hasModel <m> ; k:hasOrigin \"o\" .",
    );
    post(
        "ann",
        "b/",
        "<> k:contains <c/> . <c/> a k:ComputedTrace ; k:hasMethod <f> ; k:hasSource <t/> .",
    );
    // A list without anybody is one.
    put("ann", "b/t/", r#"{"owner": "ann", "read": []}"#);
    put(
        "ann",
        "b/c/",
        r#"{"owner": "ann", "manage": ["user:bea ü/@"], "read": ["logged-in"], "ignoresSources": true}"#,
    );
    post("boss", "", "<> k:hasBase <d/> . <d/> a k:Base .");
    ktbs
}

/// What three users are answered about each resource.
fn rights(ktbs: &TestKtbs) -> Vec<u16> {
    let mut all = Vec::new();
    for path in ["", "b/", "b/t/", "b/c/", "d/"] {
        for user in ["", "ann", "bea ü/@", "cy"] {
            for (method, aspect) in [("GET", ""), ("GET", "@acl")] {
                all.push(ktbs.send_as(user, method, &format!("{path}{aspect}"), &[], b"").status);
            }
        }
    }
    all
}

#[test]
fn dump_load_dump_keeps_them() {
    let folder = Folder::new();
    let before = rights(&ktbs(&folder));
    assert!(before.contains(&200) && before.contains(&404), "{before:?}");
    let root = crate::support::ROOT;
    let first = folder.store("first", root);
    let graphs_of_first = first.graphs();
    let lists: Vec<&str> = graphs_of_first
        .keys()
        .filter_map(|name| name.strip_suffix("@acl"))
        .collect();
    assert_eq!(
        lists,
        ["", "b/", "b/c/", "b/t/", "d/"].map(|path| format!("{root}{path}"))
    );
    assert!(first.run(&["verify"]).contains(" 5 access control lists, "));
    for (syntax, format, second) in [(Syntax::NQuads, "nquads", "second"), (Syntax::TriG, "trig", "third")] {
        let dump = first.run(&["dump", "--format", format]);
        assert!(different(&graphs(syntax, dump.as_bytes()), &graphs_of_first).is_empty());
        let store = folder.store(second, root);
        let output = store.call(&["load", "--format", format], dump.as_bytes());
        assert!(output.status.success(), "{}", text(&output.stderr));
        assert!(text(&output.stdout).contains("access control lists: 5\n"));
        assert_eq!(store.run(&["dump", "--format", format]), dump);
        assert!(store.run(&["verify"]).ends_with("problems: 0\n"));
        let again = TestKtbs::at(folder.path(second), |config| {
            config.plugins.authx = true;
            config.authx.admins = vec!["boss".to_owned()];
        });
        assert_eq!(rights(&again), before);
    }
    // Under another root, too.
    let moved = folder.store("moved", ROOT);
    let output = moved.call(&["load", "--from", root], first.run(&["dump"]).as_bytes());
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(
        moved
            .run(&["dump", "b/t/"])
            .contains(&format!("<{ROOT}b/t/> <http://www.w3.org/ns/auth/acl#owner>"))
    );
}

#[test]
fn wrong_ones_are_told_and_nothing_is_loaded() {
    let folder = Folder::new();
    let store = folder.store("store", ROOT);
    let acl = "http://www.w3.org/ns/auth/acl#";
    let dump = format!(
        "@prefix k: <http://liris.cnrs.fr/silex/2009/ktbs#> . @prefix acl: <{acl}> .
        <{ROOT}b/> {{ <{ROOT}b/> a k:Base . }}
        <{ROOT}b/m> {{ <{ROOT}b/m> a k:TraceModel . }}
        <{ROOT}b/@acl> {{ <{ROOT}b/@acl#x> acl:accessTo <{ROOT}b/> ; acl:agent <http://x/> ; acl:mode acl:Fly . }}
        <{ROOT}b/m@acl> {{ <{ROOT}b/m> acl:owner <urn:ktbs:user:a> . }}
        <{ROOT}b/gone/@acl> {{ <{ROOT}b/gone/> acl:owner <urn:ktbs:user:a> . }}"
    );
    let errors = store.fails(1, &["load", "--format", "trig"], dump.as_bytes());
    for expected in [
        "b/>: <http://x/> is nobody that rights can be granted to",
        "is not a mode of access",
        "b/m>: It is of a kind that has no access control list",
        "b/gone/>: There is an access control list, but no resource",
        "nothing was loaded",
    ] {
        assert!(errors.contains(expected), "{expected}: {errors}");
    }
    assert_eq!(store.graphs().len(), 1);
}

#[test]
fn what_cannot_be_read_is_told_by_verify() {
    let folder = Folder::new();
    drop(ktbs(&folder));
    let first = folder.store("first", crate::support::ROOT);
    assert!(first.run(&["verify"]).ends_with("problems: 0\n"));
    {
        let store = ktbs::store::Store::open(&folder.path("first"), crate::support::ROOT, 1 << 30).expect("a store");
        let mut change = store.write().expect("a change");
        change.put_acl("b/", b"\xff").expect("put");
        change.put_acl("gone/", &[0, 0, 0]).expect("put");
        change.commit().expect("committed");
    }
    let output = first.call(&["verify"], b"");
    assert_eq!(output.status.code(), Some(1));
    let told = text(&output.stdout);
    for expected in [
        "wrong: access control list <b/>: its record cannot be decoded\n",
        "wrong: access control list <gone/>: it belongs to no resource\n",
        "problems: 2\n",
    ] {
        assert!(told.contains(expected), "{told}");
    }
}
