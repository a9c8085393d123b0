//! Access control lists: what they grant, how they are inherited, how they are edited.

use serde_json::{Value, json};

use super::{computed, delete, get, grant, ktbs, post, put, trace, with_alice};
use crate::support::{TestKtbs, turtle};
use ktbs::config::Policy;

const OBSEL: &str = "[] a <m#O> ; k:hasTrace <> ; k:hasBegin 7 ; k:hasSubject \"s\" .";

fn list(ktbs: &TestKtbs, user: &str, path: &str) -> Value {
    let answer = get(ktbs, user, &format!("{path}@acl.json")).expect(200);
    serde_json::from_str(&answer.body).expect("JSON")
}

#[test]
fn a_user_owns_the_base_of_their_name_and_may_create_no_other() {
    let ktbs = with_alice(Policy::Private);
    get(&ktbs, "alice", "alice/t/@obsels").expect(200);
    post(&ktbs, "bob", "", "<> k:hasBase <other/> . <other/> a k:Base .").expect(403);
    post(&ktbs, "bob", "", "<> k:hasBase [ a k:Base ] .").expect(403);
    post(&ktbs, "bob", "", "<> k:hasBase <alice/> . <alice/> a k:Base .").expect(403);
    post(&ktbs, "bob", "", "<> k:hasBase <bob/> . <bob/> a k:Base .").expect(201);
    post(&ktbs, "", "", "<> k:hasBase <x/> . <x/> a k:Base .").expect(401);
    post(&ktbs, "root", "", "<> k:hasBase <other/> . <other/> a k:Base .").expect(201);
    delete(&ktbs, "bob", "bob/").expect(204);
    assert!(list(&ktbs, "root", "other/")["owner"] == "root");
}

#[test]
fn what_is_hidden_is_as_good_as_absent() {
    let ktbs = with_alice(Policy::Private);
    for (user, status) in [("bob", 404), ("", 401)] {
        for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH"] {
            for (hidden, absent) in [
                ("alice/", "none/"),
                ("alice/t/", "alice/u/"),
                ("alice/m", "alice/n"),
                ("alice/t/@obsels", "alice/u/@obsels"),
                ("alice/t/@stats", "alice/u/@stats"),
                ("alice/t/@acl", "alice/u/@acl"),
                ("alice/t/o1", "alice/t/o9"),
                ("alice/t/?foo=1", "alice/u/?foo=1"),
                ("alice/t/@obsels.csv", "alice/u/@obsels.csv"),
                ("alice/t/.nonsense", "alice/u/.nonsense"),
                ("alice/?query=ASK%7B%7D", "none/?query=ASK%7B%7D"),
            ] {
                let headers = [("Content-Type", "text/turtle"), ("If-Match", "\"x\"")];
                let hidden_answer = ktbs.send_as(user, method, hidden, &headers, b"");
                let absent_answer = ktbs.send_as(user, method, absent, &headers, b"");
                assert_eq!(hidden_answer.status, status, "{user} {method} {hidden}");
                assert_eq!(hidden_answer.headers, absent_answer.headers, "{user} {method} {hidden}");
                assert_eq!(hidden_answer.body, absent_answer.body, "{user} {method} {hidden}");
            }
        }
    }
}

#[test]
fn rights_are_granted_one_by_one() {
    let ktbs = with_alice(Policy::Private);
    let trial = |user: &str| {
        let add = post(&ktbs, user, "alice/t/", OBSEL).status;
        let lines = [("Content-Type", "application/x-ndjson")];
        let obsel = br#"{"@type": "m:O", "begin": 7, "subject": "s"}"#;
        assert_eq!(ktbs.send_as(user, "POST", "alice/t/", &lines, obsel).status, add);
        let write = delete(&ktbs, user, "alice/t/@obsels").status;
        [
            get(&ktbs, user, "alice/t/@obsels").status,
            add,
            write,
            get(&ktbs, user, "alice/t/@acl").status,
        ]
    };
    assert_eq!(trial("bob"), [404; 4]);
    for (right, expected) in [
        ("read", [200, 403, 403, 403]),
        ("add", [403, 201, 403, 403]),
        ("write", [200, 201, 204, 403]),
        ("manage", [200, 201, 204, 200]),
    ] {
        grant(
            &ktbs,
            "alice",
            "alice/t/",
            &json!({"owner": "alice", right: ["user:bob"]}).to_string(),
        )
        .expect(200);
        assert_eq!(trial("bob"), expected, "{right}");
        assert_eq!(trial("carol"), [404; 4], "{right}");
        assert_eq!(list(&ktbs, "alice", "alice/t/")[right], json!(["user:bob"]));
    }
}

#[test]
fn a_right_to_add_shows_nothing_of_what_is_there() {
    let ktbs = with_alice(Policy::Private);
    grant(
        &ktbs,
        "alice",
        "alice/t/",
        r#"{"owner": "alice", "add": ["everybody"]}"#,
    )
    .expect(200);
    for path in [
        "alice/t/",
        "alice/t/@obsels",
        "alice/t/o1",
        "alice/t/o9",
        "alice/t/@stats",
    ] {
        get(&ktbs, "bob", path).expect(403);
        get(&ktbs, "", path).expect(401);
    }
    post(&ktbs, "", "alice/t/", OBSEL).expect(201);
    let obsel = "alice/t/?post={\"@type\":\"m:O\",\"begin\":3,\"subject\":\"s\"}";
    let answer = get(&ktbs, "", &obsel.replace('"', "%22")).expect(200);
    assert!(!answer.body.contains("hasModel"), "{answer:?}");
    assert!(get(&ktbs, "alice", "alice/t/@stats").body.contains('4'));
}

#[test]
fn groups_and_whoever_logged_in() {
    let ktbs = with_alice(Policy::Private);
    let of_group = |groups: &str| {
        let params = [
            ("REQUEST_METHOD", "GET"),
            ("REQUEST_URI", "/ktbs/alice/t/"),
            ("REMOTE_USER", "bob"),
            ("REMOTE_GROUPS", groups),
            ("HTTP_REMOTE_GROUPS", "staff"),
        ];
        let params = params.map(|(n, v)| (n.to_owned(), v.to_owned()));
        ktbs.answer(&crate::support::to_params(params.to_vec()), b"").status
    };
    grant(
        &ktbs,
        "alice",
        "alice/t/",
        r#"{"owner": "alice", "read": ["group:staff"]}"#,
    )
    .expect(200);
    assert_eq!(
        [
            of_group("staff"),
            of_group("a,staff b"),
            of_group("staffs"),
            of_group("")
        ],
        [200, 200, 404, 404]
    );
    grant(
        &ktbs,
        "alice",
        "alice/t/",
        r#"{"owner": "alice", "read": ["logged-in"]}"#,
    )
    .expect(200);
    get(&ktbs, "bob", "alice/t/").expect(200);
    get(&ktbs, "", "alice/t/").expect(401);
}

#[test]
fn a_list_holds_for_what_is_below_until_another_takes_its_place() {
    let ktbs = with_alice(Policy::Private);
    trace(&ktbs, "alice/", "p/");
    grant(
        &ktbs,
        "alice",
        "alice/",
        r#"{"read": ["user:bob"], "manage": ["user:carol"]}"#,
    )
    .expect(200);
    get(&ktbs, "bob", "alice/p/@obsels").expect(200);
    assert_eq!(list(&ktbs, "alice", "alice/p/")["inherited"], true);
    assert_eq!(list(&ktbs, "alice", "alice/p/")["read"], json!(["user:bob"]));

    grant(&ktbs, "alice", "alice/p/", r#"{"owner": "alice"}"#).expect(200);
    assert_eq!(list(&ktbs, "alice", "alice/p/")["inherited"], false);
    get(&ktbs, "bob", "alice/p/@obsels").expect(404);
    // Managers keep their rights on what is below.
    get(&ktbs, "carol", "alice/p/@obsels").expect(200);
    let seen = get(&ktbs, "bob", "alice/.json?prop=label,obselCount,hasModel")
        .expect(200)
        .body;
    assert!(seen.contains("t/") && !seen.contains("p/"), "{seen}");
    // What bob puts back does not take away what he was not shown.
    grant(&ktbs, "alice", "alice/", r#"{"write": ["user:bob"]}"#).expect(200);
    let seen = get(&ktbs, "bob", "alice/.json").expect(200).body;
    assert!(!seen.contains("p/"), "{seen}");
    let put = put(&ktbs, "bob", "alice/", &seen).expect(200);
    assert!(!put.body.contains("p/"), "{}", put.body);
    assert!(get(&ktbs, "alice", "alice/.json").body.contains("p/"));

    delete(&ktbs, "alice", "alice/p/@acl").expect(204);
    get(&ktbs, "bob", "alice/p/@obsels").expect(200);
    assert_eq!(list(&ktbs, "alice", "alice/p/")["owner"], "alice");
}

#[test]
fn policies_hold_where_no_list_does() {
    for (policy, stranger, bob) in [
        (Policy::Open, [200, 201, 404], [200, 201, 404]),
        (Policy::ReadOnly, [200, 401, 401], [200, 403, 404]),
        (Policy::Private, [401, 401, 401], [404, 404, 404]),
    ] {
        let ktbs = with_alice(policy);
        for (user, expected) in [("", stranger), ("bob", bob)] {
            let found = [
                get(&ktbs, user, "alice/t/@obsels").status,
                post(&ktbs, user, "alice/t/", OBSEL).status,
                get(&ktbs, user, "alice/none/").status,
            ];
            assert_eq!(found, expected, "{policy:?} {user}");
        }
    }
}

#[test]
fn what_is_not_found_where_all_is_open_may_be_hidden() {
    let ktbs = with_alice(Policy::Open);
    grant(&ktbs, "alice", "alice/t/", r#"{"owner": "alice"}"#).expect(200);
    let hidden = get(&ktbs, "", "alice/t/").expect(404);
    assert!(hidden.header("www-authenticate").starts_with("Basic"));
    let absent = get(&ktbs, "", "alice/none/").expect(404);
    assert_eq!((hidden.headers, hidden.body), (absent.headers, absent.body));
}

#[test]
fn a_computed_trace_is_readable_only_if_its_sources_are() {
    let ktbs = with_alice(Policy::Private);
    grant(&ktbs, "alice", "alice/", r#"{"read": ["user:bob"]}"#).expect(200);
    computed(&ktbs, "alice/", "c/", "k:filter", "t/", "");
    computed(&ktbs, "alice/", "cc/", "k:filter", "c/", "");
    computed(
        &ktbs,
        "alice/",
        "p/",
        "k:pipe",
        "t/",
        "; k:hasParameter \"methods=f f\"",
    );
    computed(
        &ktbs,
        "alice/",
        "wide/",
        "k:sparql",
        "t/",
        "; k:hasParameter \"scope=base\", \"sparql=CONSTRUCT {} {}\"",
    );
    trace(&ktbs, "alice/", "u/");
    computed(
        &ktbs,
        "alice/",
        "all/",
        "k:sparql",
        "u/",
        "; k:hasParameter \"scope=store\", \"sparql=CONSTRUCT {} {}\"",
    );
    for path in ["c/", "cc/", "p/", "c/@obsels", "wide/", "alice/wide/@obsels"].map(|p| p.trim_start_matches("alice/"))
    {
        assert_ne!(get(&ktbs, "bob", &format!("alice/{path}")).status, 404, "{path}");
    }
    // A query about the whole store sees the bases of others.
    post(&ktbs, "carol", "", "<> k:hasBase <carol/> . <carol/> a k:Base .").expect(201);
    get(&ktbs, "bob", "alice/all/").expect(404);
    get(&ktbs, "root", "alice/all/").expect(200);

    grant(&ktbs, "alice", "alice/t/", r#"{"owner": "alice"}"#).expect(200);
    for path in [
        "c/",
        "cc/",
        "c/@obsels",
        "c/@stats",
        "c/o1",
        "p/",
        "wide/",
        "wide/@obsels",
    ] {
        get(&ktbs, "bob", &format!("alice/{path}")).expect(404);
    }
    let seen = get(&ktbs, "bob", "alice/.ttl?prop=hasSource").expect(200).body;
    assert!(
        !seen.contains("<c/>") && !seen.contains("<t/>") && seen.contains("<u/>"),
        "{seen}"
    );

    // The manager says otherwise.
    let open = r#"{"owner": "alice", "inherited": true, "ignoresSources": true}"#;
    grant(&ktbs, "alice", "alice/c/", open).expect(200);
    get(&ktbs, "bob", "alice/c/@obsels").expect(200);
    get(&ktbs, "bob", "alice/cc/@obsels").expect(200);
    get(&ktbs, "bob", "alice/p/").expect(404);
    // But never of what a query sees beyond the sources.
    grant(&ktbs, "alice", "alice/wide/", open).expect(200);
    get(&ktbs, "bob", "alice/wide/@obsels").expect(404);
    // What is said of some sources is not said of others.
    let body = get(&ktbs, "alice", "alice/c/.json").body;
    put(&ktbs, "alice", "alice/c/", &body.replace("[]", "[\"after=1\"]")).expect(200);
    let changed = get(&ktbs, "alice", "alice/c/.ttl").body;
    assert!(!changed.contains("after=1") || get(&ktbs, "bob", "alice/c/").status == 404);
}

#[test]
fn who_may_not_read_a_source_cannot_compute_from_it() {
    let ktbs = with_alice(Policy::Private);
    trace(&ktbs, "alice/", "u/");
    grant(&ktbs, "alice", "alice/", r#"{"write": ["user:bob"]}"#).expect(200);
    grant(&ktbs, "alice", "alice/t/", r#"{"owner": "alice"}"#).expect(200);
    let body = |id: &str, source: &str| {
        format!("<> k:contains <{id}/> . <{id}/> a k:ComputedTrace ; k:hasMethod k:filter ; k:hasSource <{source}/> .")
    };
    let hidden = post(&ktbs, "bob", "alice/", &body("c", "t")).expect(403);
    let absent = post(&ktbs, "bob", "alice/", &body("c", "z")).expect(403);
    assert_eq!(hidden.body.replace("alice/t/", "alice/z/"), absent.body);
    post(&ktbs, "bob", "alice/", &body("c", "u")).expect(201);
    // Somebody else's use of a trace is told to those who may read it only.
    grant(&ktbs, "bob", "alice/c/", r#"{"owner": "bob"}"#).expect(200);
    grant(&ktbs, "alice", "alice/", r#"{"write": ["user:carol"]}"#).expect(200);
    let seen = get(&ktbs, "carol", "alice/u/.ttl").expect(200).body;
    assert!(!seen.contains("hasSource"), "{seen}");
    let refused = delete(&ktbs, "carol", "alice/u/").expect(409);
    assert!(!refused.body.contains("alice/c/"), "{}", refused.body);
    assert!(
        get(&ktbs, "bob", "alice/c/").status == 403,
        "his source is not readable any more"
    );
}

#[test]
fn lists_come_back_in_each_syntax() {
    let ktbs = with_alice(Policy::Private);
    let json = json!({
        "owner": "alice",
        "inherited": false,
        "read": ["everybody", "user:é@x/y"],
        "add": ["everybody", "logged-in"],
        "write": ["group:my staff"],
        "manage": ["user:bob"],
    });
    grant(&ktbs, "alice", "alice/t/", &json.to_string()).expect(200);
    let mut shown = list(&ktbs, "alice", "alice/t/");
    shown.as_object_mut().expect("an object").shift_remove("@id");
    let sorted = |list: &Value| {
        let mut list = list.clone();
        for (_, who) in list.as_object_mut().expect("an object") {
            if let Some(who) = who.as_array_mut() {
                who.sort_by_key(ToString::to_string);
            }
        }
        list
    };
    assert_eq!(sorted(&shown), sorted(&json));
    for (extension, media_type) in [
        ("ttl", "text/turtle"),
        ("nt", "text/nt"),
        ("rdf", "application/rdf+xml"),
        ("jsonld", "application/ld+json"),
        ("json", "application/json"),
    ] {
        let before = get(&ktbs, "alice", &format!("alice/t/@acl.{extension}")).expect(200);
        let (etag, accept) = (before.header("etag").to_owned(), ("Accept", media_type));
        let headers = [("Content-Type", media_type), ("If-Match", etag.as_str()), accept];
        ktbs.send_as("alice", "PUT", "alice/t/@acl", &headers, before.body.as_bytes())
            .expect(200);
        let mut after = list(&ktbs, "alice", "alice/t/");
        after.as_object_mut().expect("an object").shift_remove("@id");
        assert_eq!(sorted(&after), sorted(&json), "{extension}");
    }
    assert!(
        get(&ktbs, "alice", "alice/t/@acl.html")
            .expect(200)
            .body
            .contains("auth/acl#")
    );
}

#[test]
fn what_is_no_list_is_refused_by_name() {
    let ktbs = with_alice(Policy::Private);
    for (list, status, named) in [
        ("[]", 400, "object"),
        ("{", 400, "line 1"),
        (r#"{"reads": []}"#, 400, "reads"),
        (r#"{"read": ["bob"]}"#, 400, "bob"),
        (r#"{"read": "everybody"}"#, 400, "read"),
        (r#"{"inherited": 1}"#, 400, "inherited"),
        (r#"{"read": ["user:"]}"#, 403, "urn:ktbs:user:"),
        (r#"{"ignoresSources": true}"#, 403, "computed"),
    ] {
        let refused = grant(&ktbs, "alice", "alice/t/", list).expect(status);
        assert!(refused.body.contains(named), "{list}: {}", refused.body);
    }
    let etag = get(&ktbs, "alice", "alice/t/@acl.ttl").header("etag").to_owned();
    let headers = [("Content-Type", "text/turtle"), ("If-Match", etag.as_str())];
    let body = turtle(
        "<#a> <http://www.w3.org/ns/auth/acl#accessTo> <http://localhost:8001/ktbs/alice/t/> ;
        <http://www.w3.org/ns/auth/acl#mode> <http://www.w3.org/ns/auth/acl#Fly> .",
    );
    let refused = ktbs
        .send_as("alice", "PUT", "alice/t/@acl", &headers, body.as_bytes())
        .expect(403);
    assert!(refused.body.contains("acl#Fly"), "{}", refused.body);
    ktbs.send_as(
        "alice",
        "PUT",
        "alice/t/@acl",
        &[("Content-Type", "application/json")],
        b"{}",
    )
    .expect(403);
    let stale = [
        ("Content-Type", "application/json"),
        ("If-Match", "W/\"application/json/0\""),
    ];
    ktbs.send_as("alice", "PUT", "alice/t/@acl", &stale, b"{}").expect(412);
}

#[test]
fn lists_belong_to_the_root_bases_and_traces_and_go_with_them() {
    let ktbs = with_alice(Policy::Private);
    get(&ktbs, "alice", "alice/m@acl").expect(404);
    get(&ktbs, "alice", "alice/m/@acl").expect(404);
    get(&ktbs, "alice", "@acl").expect(403);
    grant(&ktbs, "root", "", r#"{"read": ["everybody"]}"#).expect(200);
    get(&ktbs, "", "alice/t/@obsels").expect(200);
    grant(&ktbs, "alice", "alice/t/", r#"{"read": ["user:bob"]}"#).expect(200);
    delete(&ktbs, "alice", "alice/t/").expect(204);
    trace(&ktbs, "alice/", "t/");
    assert_eq!(list(&ktbs, "alice", "alice/t/")["inherited"], true);
}

#[test]
fn without_the_plugin_nobody_asks() {
    let ktbs = TestKtbs::with_trace(|_| {});
    ktbs.get("b/@acl", &[]).expect(404);
    ktbs.get("@acl", &[]).expect(404);
    let answer = ktbs.send_as("bob", "GET", "b/t/", &[], b"").expect(200);
    assert_eq!(answer.header("vary"), "accept");
    assert_eq!(answer.header("cache-control"), "max-age=1");
}

#[test]
fn conditions_follow_the_lists() {
    let ktbs = with_alice(Policy::Private);
    grant(&ktbs, "alice", "alice/", r#"{"read": ["user:bob"]}"#).expect(200);
    let before = get(&ktbs, "bob", "alice/.json").header("etag").to_owned();
    grant(&ktbs, "alice", "alice/t/", r#"{"owner": "alice"}"#).expect(200);
    let again = ktbs.send_as("bob", "GET", "alice/.json", &[("If-None-Match", &before)], b"");
    assert_eq!(again.status, 200);
    assert!(!again.body.contains("t/\""), "{}", again.body);
    assert!(again.header("vary").contains("authorization"));
    assert!(again.header("cache-control").starts_with("private"));
    let _ = ktbs;
}

#[test]
fn strangers_who_create_own_nothing() {
    let ktbs = ktbs(Policy::Open);
    post(&ktbs, "", "", "<> k:hasBase <x/> . <x/> a k:Base .").expect(201);
    assert_eq!(list(&ktbs, "root", "x/")["owner"], Value::Null);
    get(&ktbs, "", "x/@acl").expect(401);
    delete(&ktbs, "", "x/").expect(204);
}

#[test]
fn a_tag_tells_nothing_of_what_is_hidden() {
    let ktbs = with_alice(Policy::Private);
    trace(&ktbs, "alice/", "u/");
    grant(&ktbs, "alice", "alice/", r#"{"write": ["user:bob"]}"#).expect(200);
    grant(&ktbs, "alice", "alice/u/", r#"{"owner": "alice"}"#).expect(200);
    let validators = |user: &str, path: &str| {
        let answer = get(&ktbs, user, path).expect(200);
        let modified = answer.header("last-modified").to_owned();
        (
            answer.header("etag").to_owned(),
            answer.header("x-etags").to_owned(),
            modified,
        )
    };
    let paths = ["", "alice/", "alice/t/", "alice/t/@stats", "alice/t/@obsels", "alice/m"];
    let before = paths.map(|path| validators("bob", path));
    let of_alice = validators("alice", "alice/t/");
    // Somebody else makes things that bob may not see: in the root, in the base, out of the trace that he reads.
    post(&ktbs, "carol", "", "<> k:hasBase <carol/> . <carol/> a k:Base .").expect(201);
    computed(&ktbs, "alice/", "hid/", "k:fusion", "t/> , <u/", "");
    get(&ktbs, "alice", "alice/hid/@obsels").expect(200);
    get(&ktbs, "bob", "alice/hid/").expect(403);
    assert_eq!(paths.map(|path| validators("bob", path)), before);
    assert_ne!(validators("alice", "alice/t/"), of_alice);
    // What he has read he may put back, and is told what it has become.
    let read = get(&ktbs, "bob", "alice/.json").body;
    let headers = [("Content-Type", "application/json"), ("Accept", "application/json")];
    let etag = ktbs
        .send_as("bob", "GET", "alice/", &headers, b"")
        .header("etag")
        .to_owned();
    delete(&ktbs, "alice", "alice/hid/").expect(204);
    let with = |etag: &str, body: &str| {
        let headers = [headers[0], headers[1], ("If-Match", etag)];
        ktbs.send_as("bob", "PUT", "alice/", &headers, body.as_bytes())
    };
    let labelled = read.replacen('{', "{\"label\": \"by bob\", ", 1);
    let put = with(&etag, &labelled).expect(200);
    assert_ne!(put.header("etag"), etag);
    let shown = ktbs.send_as("bob", "GET", "alice/", &headers, b"");
    assert_eq!(shown.header("etag"), put.header("etag"));
    with(&etag, &labelled).expect(412);
    // What he does see changes it.
    let seen = validators("bob", "alice/");
    trace(&ktbs, "alice/", "v/");
    assert_ne!(validators("bob", "alice/"), seen);
}

#[test]
fn who_manages_a_trace_without_reading_its_sources_still_manages_it() {
    let ktbs = with_alice(Policy::Private);
    let list = r#"{"owner": "alice", "read": ["user:bob"]}"#;
    grant(&ktbs, "alice", "alice/", r#"{"write": ["user:bob"]}"#).expect(200);
    for id in ["c", "d"] {
        let body =
            format!("<> k:contains <{id}/> . <{id}/> a k:ComputedTrace ; k:hasMethod k:filter ; k:hasSource <t/> .");
        post(&ktbs, "bob", "alice/", &body).expect(201);
    }
    grant(
        &ktbs,
        "bob",
        "alice/c/",
        r#"{"owner": "bob", "read": ["everybody"], "ignoresSources": true}"#,
    )
    .expect(200);
    get(&ktbs, "", "alice/c/@obsels").expect(200);
    grant(&ktbs, "alice", "alice/t/", r#"{"owner": "alice"}"#).expect(200);
    get(&ktbs, "bob", "alice/d/@obsels").expect(403);
    // He may close it and delete it, but let nobody see what he does not.
    grant(&ktbs, "bob", "alice/d/", r#"{"owner": "bob", "ignoresSources": true}"#).expect(403);
    grant(&ktbs, "bob", "alice/d/", r#"{"owner": "bob", "read": ["user:carol"]}"#).expect(200);
    get(&ktbs, "carol", "alice/d/").expect(404);
    put(&ktbs, "bob", "alice/d/", "{}").expect(403);
    grant(&ktbs, "bob", "alice/c/", r#"{"owner": "bob"}"#).expect(200);
    get(&ktbs, "", "alice/c/@obsels").expect(401);
    for id in ["alice/c/", "alice/d/"] {
        delete(&ktbs, "bob", id).expect(204);
    }
    grant(&ktbs, "alice", "alice/t/", list).expect(200);
    get(&ktbs, "bob", "alice/t/@acl").expect(403);
}
