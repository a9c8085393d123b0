//! Many obsels in one request, read as they come: newline-delimited JSON and CSV.

use serde_json::Value;

use crate::support::{ROOT, TestKtbs};

const NDJSON: &str = "application/x-ndjson";

fn count(ktbs: &TestKtbs) -> usize {
    let document: Value = serde_json::from_str(&ktbs.get("b/t/@obsels.json", &[]).expect(200).body).expect("JSON");
    document["obsels"].as_array().expect("an array").len()
}

#[test]
fn obsels_come_in_as_lines_and_go_out_as_the_same_lines() {
    let ktbs = TestKtbs::with_trace(|_| {});
    let lines = "{\"@id\":\"a\",\"@type\":\"m:T\",\"begin\":1,\"end\":2,\"subject\":\"me\",\"m:n\":[1,true],\
                 \"m:r\":{\"@id\":\"b\",\"hasTrace\":\"./\"}}\n\
                 {\"@id\":\"b\",\"@type\":[\"m:T\",\"m:U\"],\"begin\":3,\"end\":3,\"m:v\":{\"m:w\":\"x\"},\
                 \"@reverse\":{\"m:r\":{\"@id\":\"a\",\"hasTrace\":\"./\"}}}\n";
    let answer = ktbs.post("b/t/", NDJSON, lines);
    // The relation is told from both ends, and is one.
    let answer = answer.expect(201);
    assert_eq!(answer.body, format!("{ROOT}b/t/a\r\n{ROOT}b/t/b\r\n"));
    assert_eq!(answer.header("location"), format!("{ROOT}b/t/a"));
    assert_eq!(answer.header("content-type"), "text/uri-list");
    let got = ktbs.get("b/t/@obsels", &[("Accept", NDJSON)]).expect(200);
    assert_eq!(got.header("content-type"), NDJSON);
    assert_eq!(got.header("content-location"), format!("{ROOT}b/t/@obsels.ndjson"));
    let values = |text: &str| -> Vec<Value> {
        text.lines()
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect()
    };
    assert_eq!(values(&got.body), values(lines));
    assert_eq!(
        ktbs.get("b/t/@obsels.ndjson?limit=1", &[])
            .expect(200)
            .body
            .lines()
            .count(),
        1
    );
    assert_eq!(ktbs.get("b/t/@obsels.ndjson?minb=9", &[]).expect(200).body, "");
    ktbs.get("b/t/.ndjson", &[]).expect(404);
}

#[test]
fn what_csv_shows_is_what_it_takes() {
    let ktbs = TestKtbs::with_trace(|_| {});
    let table = "id,type,begin,end,subject,at1,n,sourceObsel\r\n\
                 a,T,1,2,me,\"a, \"\"b\"\"\",1 | 2.5,\r\n\
                 b,T | U,3,,,,,a\r\n";
    ktbs.post("b/t/", "text/csv;charset=UTF-8", table).expect(201);
    let got = ktbs.get("b/t/@obsels.csv", &[]).expect(200).body;
    let m = format!("{ROOT}b/m#");
    let expected = format!(
        "id,type,begin,end,subject,at1,n,sourceObsel\r\n\
         {ROOT}b/t/a,{m}T,1,2,me,\"a, \"\"b\"\"\",1 | 2.5,\r\n{ROOT}b/t/b,{m}T | {m}U,3,3,,,,{ROOT}b/t/a\r\n"
    );
    assert_eq!(got, expected);
    let other = TestKtbs::with_trace(|_| {});
    other.post("b/t/", "text/csv", &got).expect(201);
    assert_eq!(other.get("b/t/@obsels.csv", &[]).body, got);
    let state = |ktbs: &TestKtbs| ktbs.get("b/t/@obsels.nt", &[]).body;
    assert_eq!(state(&other), state(&ktbs));
}

#[test]
fn a_batch_is_added_whole_or_not_at_all_and_its_fault_is_told_by_line_and_column() {
    let ktbs = TestKtbs::with_trace(|_| {});
    ktbs.post("b/t/", NDJSON, "{\"@id\":\"z\",\"begin\":0}").expect(201);
    let etag = ktbs.get("b/t/@obsels.json", &[]).header("etag").to_owned();
    let first = "{\"@id\":\"a\",\"begin\":1}\n";
    for (line, status, expected) in [
        (
            "{\"begin\":}",
            400,
            "400 Bad Request - Parse error\nline 2, column 10: ",
        ),
        ("{\"begin\":\"x\"}", 403, "* line 2, column 1: "),
        (
            "{\"begin\":5,\"end\":1}",
            403,
            "line 2, column 1: End timestamp is before begin timestamp [5,1]",
        ),
        (
            "{\"@id\":\"a\",\"begin\":1}",
            403,
            "line 2, column 1: URI already in use <",
        ),
        (
            "{\"@id\":\"z\",\"begin\":1}",
            403,
            "line 2, column 1: URI already in use <",
        ),
        (
            "{\"@id\":\"b.c\",\"begin\":1}",
            403,
            "line 2, column 1: The identifier of the created item is invalid",
        ),
        (
            "{\"begin\":1,\"hasTrace\":\"../u/\"}",
            403,
            "line 2, column 1: No obsel found in posted graph",
        ),
        ("[]", 400, "line 2, column 1: a JSON object is expected"),
    ] {
        let answer = ktbs.post("b/t/", NDJSON, &format!("{first}{line}\n")).expect(status);
        assert!(answer.body.contains(expected), "{line}: {}", answer.body);
        assert_eq!(count(&ktbs), 1, "{line}");
        assert_eq!(ktbs.get("b/t/@obsels.json", &[]).header("etag"), etag, "{line}");
    }
    let answer = ktbs.post("b/t/", "text/csv", "id,begin\na,1\nb,soon\n").expect(403);
    assert!(answer.body.contains("line 3, column 2 (begin): "), "{}", answer.body);
    ktbs.post("b/t/", NDJSON, "").expect(403);
    ktbs.post("b/t/", "text/csv", "id,begin\n").expect(403);
    assert_eq!(count(&ktbs), 1);
}

#[test]
fn only_a_stored_trace_takes_lines_and_limits_hold() {
    let ktbs = TestKtbs::with_trace(|config| config.limits.payload.triples = 7);
    for path in ["", "b/"] {
        ktbs.post(path, NDJSON, "{}").expect(415);
        ktbs.post(path, "text/csv", "id").expect(415);
    }
    ktbs.post("b/m", NDJSON, "{}").expect(405);
    ktbs.post("b/t/@obsels", NDJSON, "{}").expect(405);
    ktbs.post("b/t/?foo=1", NDJSON, "{}").expect(404);
    ktbs.post("b/t/", "text/csv;charset=latin1", "id").expect(415);
    let etag = ktbs.get("b/t/@obsels.json", &[]).header("etag").to_owned();
    ktbs.put(
        "b/t/@obsels",
        &[("Content-Type", "text/csv"), ("If-Match", &etag)],
        "id",
    )
    .expect(412);
    ktbs.put("b/t/@obsels.csv", &[], "id").expect(404);
    for media_type in ["text/csv", NDJSON] {
        let etag = ktbs
            .get("b/t/@obsels", &[("Accept", media_type)])
            .header("etag")
            .to_owned();
        let headers = [("Content-Type", media_type), ("If-Match", etag.as_str())];
        let refused = ktbs.put("b/t/@obsels", &headers, "id").expect(415);
        assert!(
            refused.body.contains("by a POST to their stored trace"),
            "{}",
            refused.body
        );
    }
    let answer = ktbs.post("b/t/", NDJSON, &"{\"begin\":1}\n".repeat(4)).expect(413);
    assert!(answer.body.contains("line 4, column 1: 7 triples"), "{}", answer.body);
    ktbs.post("b/t/", NDJSON, &"{\"begin\":1}\n".repeat(3)).expect(201);
    let short = TestKtbs::with_trace(|config| config.limits.request_bytes = 300);
    let answer = short.post("b/t/", NDJSON, &"{\"begin\":1}\n".repeat(40)).expect(413);
    assert!(
        answer.body.contains("request-bytes (300) was exceeded"),
        "{}",
        answer.body
    );
}

#[test]
fn a_body_that_is_cut_adds_nothing() {
    let ktbs = TestKtbs::with_trace(|_| {});
    let body = b"{\"begin\":1}\n{\"begin\":2}\n";
    let headers = [("Content-Type", NDJSON), ("Content-Length", "60")];
    let answer = ktbs.send("POST", "b/t/", &headers, body).expect(400);
    assert!(answer.body.contains("were announced"), "{}", answer.body);
    assert_eq!(count(&ktbs), 0);
}

#[test]
fn many_obsels_in_one_request() {
    let ktbs = TestKtbs::with_trace(|_| {});
    let mut lines = String::new();
    let mut table = "type,begin,end,n\r\n".to_owned();
    for n in 0..5_000 {
        lines.push_str(&format!("{{\"@type\":\"m:T\",\"begin\":{n},\"m:n\":\"text {n}\"}}\n"));
        table.push_str(&format!("T,{n},{n},text {n}\r\n"));
    }
    let created = ktbs.post("b/t/", NDJSON, &lines).expect(201).body;
    assert_eq!(created.lines().count(), 5_000);
    ktbs.post("b/t/", "text/csv", &table).expect(201);
    assert_eq!(count(&ktbs), 10_000);
    let last = created.lines().last().expect("a line");
    ktbs.get(last.strip_prefix(ROOT).expect("below the root"), &[])
        .expect(200);
}
