//! The plugin `xgereco_obsel_table`: obsels as a table in HTML.

use crate::support::TestKtbs;

const TABLE: (&str, &str) = ("Accept", "x-gereco/table");

fn ktbs(is_on: bool) -> TestKtbs {
    let ktbs = TestKtbs::with_trace(|config| config.plugins.xgereco_obsel_table = is_on);
    let obsels = r#"[{"@id": "a", "@type": "m:E", "begin": 1}, {"@id": "b", "@type": "m:E", "begin": 2}]"#;
    ktbs.post("b/t/", "application/json", obsels).expect(201);
    ktbs
}

#[test]
fn obsels_are_offered_as_a_table_where_that_is_asked_for() {
    let (on, off) = (ktbs(true), ktbs(false));
    for path in ["b/t/@obsels", "b/t/@obsels?limit=1", "b/t/a"] {
        off.get(path, &[TABLE]).expect(406);
        let answer = on.get(path, &[TABLE]).expect(200);
        assert_eq!(answer.header("content-type"), "x-gereco/table");
        assert_eq!(
            (answer.header("vary"), answer.header("content-location")),
            ("accept", "")
        );
        let rows = answer.body.matches("<tr id=").count();
        assert_eq!(rows, if path.contains("limit") { 1 } else { 2 }, "{path}");
        let head = on.send("HEAD", path, &[TABLE], b"").expect(200);
        assert_eq!((&head.headers, &*head.body), (&answer.headers, ""));
    }
    // The next page of a slice, and the validators, are told as for any other type.
    let slice = on.get("b/t/@obsels?limit=1", &[TABLE]).expect(200);
    assert!(slice.headers("link").iter().any(|link| link.contains(";rel=\"next\"")));
    let tag = on.get("b/t/@obsels", &[TABLE]).expect(200).header("etag").to_owned();
    assert!(tag.contains("\"x-gereco/table/"), "{tag}");
    on.get("b/t/@obsels", &[TABLE, ("If-None-Match", &tag)]).expect(304);
    // What is no obsel has no table.
    for path in ["", "b/", "b/t/", "b/m", "b/t/@stats"] {
        on.get(path, &[TABLE]).expect(406);
    }
    on.get("b/t/none", &[TABLE]).expect(404);
}

#[test]
fn it_comes_after_json_and_changes_no_default() {
    let (on, off) = (ktbs(true), ktbs(false));
    for path in ["b/t/@obsels", "b/t/a"] {
        for accept in [
            "*/*",
            "application/*",
            "text/*",
            "text/html, x-gereco/table;q=0.9",
            "x-gereco/*;q=0.1, text/turtle",
        ] {
            let types = [&on, &off].map(|it| it.get(path, &[("Accept", accept)]).header("content-type").to_owned());
            assert_eq!(types[0], types[1], "{path} {accept}");
        }
        let any = on.get(path, &[("Accept", "x-gereco/*, text/turtle")]).expect(200);
        assert_eq!(any.header("content-type"), "x-gereco/table");
        let listed = on.get(path, &[("Accept", "image/png")]).expect(406).body;
        let at = |media_type: &str| {
            listed
                .lines()
                .position(|line| line.split(' ').next() == Some(media_type))
        };
        assert_eq!(
            at("x-gereco/table"),
            at("application/json").map(|at| at + 1),
            "{listed}"
        );
        let unlisted = off.get(path, &[("Accept", "image/png")]).expect(406).body;
        assert_eq!(listed.replace("x-gereco/table\n", ""), unlisted);
    }
}

#[test]
fn the_table_of_a_computed_trace_is_up_to_date() {
    let ktbs = ktbs(true);
    ktbs.post_turtle(
        "b/",
        "<> k:contains <c/> . <c/> a k:ComputedTrace ; k:hasMethod k:filter ; k:hasSource <t/> ; k:hasParameter \"after=2\" .",
    )
    .expect(201);
    let rows = |path: &str| ktbs.get(path, &[TABLE]).expect(200).body.matches("<tr id=").count();
    assert_eq!(rows("b/c/@obsels"), 1);
    ktbs.post("b/t/", "application/json", r#"{"@id": "c", "begin": 3}"#)
        .expect(201);
    assert_eq!((rows("b/c/c"), rows("b/c/@obsels")), (2, 2));
}
