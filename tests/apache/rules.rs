//! Row 10 of the checklist: rules for bases, traces and methods, as our sample has them, and the ways round them.

use std::sync::{Mutex, PoisonError};

use super::shared::{ALICE, BOB, TURTLE, site};
use super::site::Site;

/// Fills the kTBS of `rules`, once: the base `team/` has a trace `diary/` and one called `log/`; `open/` is for everybody.
fn fill_rules(site: &Site) {
    static FILLING: Mutex<()> = Mutex::new(());
    let _one = FILLING.lock().unwrap_or_else(PoisonError::into_inner);
    if site.get("rules", "/ktbs/open/", TURTLE).status == 200 {
        return;
    }
    let post = |path: &str, body: &str| {
        let answer = site.post("rules", path, ALICE, body);
        assert_eq!(answer.status, 201, "{answer:?}\n{}", site.log());
    };
    let base = "a k:Base ; <http://www.w3.org/2000/01/rdf-schema#label> \"SECRET label\" .";
    post("/ktbs/", &format!("<> k:hasBase <team/> . <team/> {base}"));
    post("/ktbs/team/", "<> k:contains <m> . <m> a k:TraceModel .");
    for trace in ["diary", "log"] {
        let body = format!(
            "<> k:contains <{trace}/> . <{trace}/> a k:StoredTrace ; k:hasModel <m> ; k:hasOrigin \"SECRET\" ."
        );
        post("/ktbs/team/", &body);
    }
    post("/ktbs/", "<> k:hasBase <open/> . <open/> a k:Base .");
}

#[test]
fn row_10_access_is_restricted_for_each_base_and_trace() {
    let Some(site) = site() else { return };
    fill_rules(&site);
    let status = |method: &str, path: &str, headers: &str| {
        let headers = format!("{TURTLE}{headers}");
        let answer = site.send("rules", method, &format!("/ktbs/{path}"), &headers, b"");
        answer.expect("an answer").status
    };
    for (path, strangers, bob, alice) in [
        ("open/", 200, 200, 200),
        ("team/", 401, 200, 200),
        ("team/log/@obsels", 401, 200, 200),
        ("team/log/@obsels.json", 401, 200, 200),
        ("team/diary/", 401, 401, 200),
        ("team/diary/@obsels", 401, 401, 200),
        ("team/diary/@obsels.ttl", 401, 401, 200),
        ("team/diary/@stats", 401, 401, 200),
    ] {
        assert_eq!(status("GET", path, ""), strangers, "{path}");
        assert_eq!(status("GET", path, BOB), bob, "{path}");
        assert_eq!(status("GET", path, ALICE), alice, "{path}");
        assert_eq!(status("HEAD", path, ""), strangers, "{path}");
    }
    // By method: reading is free, writing is not.
    for method in ["POST", "PUT", "DELETE", "PATCH"] {
        assert_eq!(status(method, "open/", ""), 401, "{method}");
    }
    assert_ne!(status("OPTIONS", "team/", ""), 401, "browsers ask without a password");
    // A GET can write, with the plugin post_via_get.
    for query in [
        "post=%7B%7D",
        "x=y&post=%7B%7D",
        "%70ost=%7B%7D",
        "po%73%74=%7B%7D",
        "post",
    ] {
        assert_eq!(status("GET", &format!("open/?{query}"), ""), 401, "{query}");
        assert_eq!(status("GET", &format!("team/log/?{query}"), ""), 401, "{query}");
        assert_ne!(status("GET", &format!("open/?{query}"), BOB), 401, "{query}");
    }
}

#[test]
fn row_10_other_spellings_of_an_address_lead_nowhere() {
    let Some(site) = site() else { return };
    fill_rules(&site);
    for path in [
        "/ktbs/team",
        "/ktbs/team/?a=1",
        "/ktbs/team/.json",
        "/ktbs/team.json",
        "/ktbs//team/",
        "/ktbs/./team/",
        "/ktbs/%74eam/",
        "/ktbs/%2574eam/",
        "/ktbs/team%2F",
        "/ktbs/team%2f",
        "/ktbs/team%2Flog/",
        "/ktbs/team%2Flog%2F@obsels",
        "/ktbs/%2Fteam/",
        "/ktbs/.%2Fteam/",
        "/ktbs/open/../team/",
        "/ktbs/open/..%2Fteam/",
        "/ktbs/open/%2E%2E/team/",
        "/ktbs/team;x/",
        "/ktbs/team/;x",
        "/ktbs/team%00/",
        "/ktbs/TEAM/",
        "//ktbs/team/",
        "/%6Btbs/team/",
        "/ktbs/../ktbs/team/",
        "http://rules/ktbs/team/",
        "http://rules//ktbs/team/",
        "/ktbs/team/#x",
        "/ktbs/open/team/",
    ] {
        for accept in ["", "Accept: application/json\r\n", "Accept: application/n-triples\r\n"] {
            let answer = site.get("rules", path, accept);
            assert!((300..500).contains(&answer.status), "{path}: {answer:?}");
            assert!(!answer.body.contains("SECRET"), "{path}: {answer:?}");
        }
    }
}

#[test]
fn row_10_queries_do_not_go_round_the_rules_and_lists_show_names() {
    let Some(site) = site() else { return };
    fill_rules(&site);
    let query = "SELECT ?o { GRAPH ?g { ?s ?p ?o } }";
    for path in [
        "/ktbs/?query=SELECT%20%3Fo%20%7B%3Fs%20%3Fp%20%3Fo%7D",
        "/ktbs/?a=b&%71uery=SELECT%20%3Fo%20%7B%3Fs%20%3Fp%20%3Fo%7D",
        "/ktbs/?scope=subtree&query=SELECT%20%3Fo%20%7B%3Fs%20%3Fp%20%3Fo%7D",
        "/ktbs/.json?query=SELECT%20%3Fo%20%7B%3Fs%20%3Fp%20%3Fo%7D",
        "/ktbs/@about?query=SELECT%20%3Fo%20%7B%3Fs%20%3Fp%20%3Fo%7D",
    ] {
        assert_eq!(site.get("rules", path, "").status, 403, "{path}");
    }
    for kind in [
        "application/sparql-query",
        "application/x-www-form-urlencoded",
        " application/sparql-update",
    ] {
        let headers = format!("{BOB}Content-Type: {kind}\r\n");
        let answer = site.send("rules", "POST", "/ktbs/", &headers, query.as_bytes());
        assert_eq!(answer.expect("an answer").status, 403, "{kind}");
    }
    // What an open root shows of a closed base, as the sample says: its name and, if asked so, its label.
    assert!(site.get("rules", "/ktbs/", TURTLE).body.contains("team/"));
    let all = site.get("rules", "/ktbs/?prop=label", TURTLE);
    assert_eq!(all.status, 200);
}

#[test]
fn row_10_a_closed_root_shows_no_names() {
    let Some(site) = site() else { return };
    for path in [
        "/ktbs/",
        "/ktbs/.json",
        "/ktbs/.ttl",
        "/ktbs/@about",
        "/ktbs/?prop=label",
        "/ktbs/?a",
    ] {
        let answer = site.get("closed-root", path, "");
        assert_eq!(answer.status, 401, "{path}: {answer:?}");
    }
    assert_eq!(
        site.get("closed-root", "/ktbs/", &format!("{TURTLE}{BOB}")).status,
        200,
        "{}",
        site.log()
    );
    assert_eq!(
        site.get("closed-root", "/ktbs/nothing/", TURTLE).status,
        404,
        "what is below is open"
    );
}
