//! The access log: who read or changed what.

use std::fs;
use std::path::Path;

use ktbs::fcgi::Handler;
use serde_json::{Value, json};

use crate::support::{Sent, TestKtbs, to_params, turtle};

fn handle(ktbs: &mut TestKtbs, method: &str, path: &str, variables: &[(&str, &str)], body: &str) -> String {
    let uri = format!("/ktbs/{path}");
    let length = body.len().to_string();
    let mut params = vec![
        ("REQUEST_METHOD", method),
        ("REQUEST_URI", &uri),
        ("REMOTE_ADDR", "192.0.2.5"),
        ("CONTENT_LENGTH", &length),
    ];
    params.extend_from_slice(variables);
    let params = params.into_iter().map(|(n, v)| (n.to_owned(), v.to_owned()));
    let mut sent = Sent::default();
    ktbs.app
        .handle(&to_params(params.collect()), &mut body.as_bytes(), &mut sent)
        .expect("the reply never fails");
    String::from_utf8(sent.0).expect("UTF-8")
}

/// Returns the lines of a log, without time and process.
fn lines(file: &Path) -> Vec<Value> {
    let text = fs::read_to_string(file).unwrap_or_default();
    let lines = text.lines().map(|line| {
        let mut line: Value = serde_json::from_str(line).expect("JSON");
        let object = line.as_object_mut().expect("an object");
        let time = object.shift_remove("time").expect("a time");
        assert!(time.as_str().is_some_and(|time| time.ends_with('Z')), "{time}");
        assert_eq!(object.shift_remove("pid"), Some(std::process::id().into()));
        line
    });
    lines.collect()
}

#[test]
fn each_request_has_a_line_even_where_nobody_asks_who_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("access.log");
    let mut ktbs = TestKtbs::with_trace(|config| config.access_log.filename = Some(file.clone()));
    assert!(lines(&file).is_empty());
    for _ in 0..2 {
        // The second answer is the first one, given again.
        let answer = handle(&mut ktbs, "GET", "b/t/@obsels?limit=1", &[("REMOTE_USER", "alice")], "");
        assert!(answer.starts_with("Status: 200"), "{answer}");
    }
    handle(&mut ktbs, "DELETE", "b/none/", &[], "");
    handle(&mut ktbs, "G\u{e9}T", "b/", &[], "");
    let line = |user: Value, way: Value, method: &str, path: &str, parameters: Value, status: u16| {
        json!({"user": user, "way": way, "token": null, "address": "192.0.2.5", "method": method, "path": path,
            "parameters": parameters, "status": status})
    };
    let get = line(
        json!("alice"),
        json!("web-server"),
        "GET",
        "/ktbs/b/t/@obsels",
        json!(["limit"]),
        200,
    );
    let expected = [
        get.clone(),
        get,
        line(Value::Null, Value::Null, "DELETE", "/ktbs/b/none/", json!([]), 404),
        line(Value::Null, Value::Null, "G\u{e9}T", "/ktbs/b/", json!([]), 400),
    ];
    assert_eq!(lines(&file), expected);
}

#[test]
fn users_and_what_they_were_refused_are_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("access.log");
    let mut ktbs = TestKtbs::with(|config| {
        config.plugins.authx = true;
        config.access_log.filename = Some(file.clone());
    });
    let alice = [("REMOTE_USER", "alice"), ("CONTENT_TYPE", "text/turtle")];
    let base = turtle("<> k:hasBase <alice/> . <alice/> a k:Base .");
    handle(&mut ktbs, "POST", "", &alice, &base);
    handle(&mut ktbs, "GET", "alice/", &[("REMOTE_USER", "bob")], "");
    handle(&mut ktbs, "GET", "alice/", &[], "");
    handle(&mut ktbs, "GET", "alice/", &[("HTTP_AUTHORIZATION", "Bearer x")], "");
    let told: Vec<Value> = lines(&file)
        .iter()
        .map(|line| json!([line["user"], line["way"], line["method"], line["path"], line["status"]]))
        .collect();
    let expected = [
        json!(["alice", "remote-user", "POST", "/ktbs/", 201]),
        json!(["bob", "remote-user", "GET", "/ktbs/alice/", 404]),
        json!([null, null, "GET", "/ktbs/alice/", 401]),
        json!([null, null, "GET", "/ktbs/alice/", 401]),
    ];
    assert_eq!(told, expected);
}

#[test]
fn where_lines_are_required_nothing_is_done_without() {
    for (required, expected) in [(false, "Status: 201"), (true, "Status: 503")] {
        let mut ktbs = TestKtbs::with(|config| {
            config.plugins.cors = true;
            config.cors_allow_origin = vec!["https://app.example".to_owned()];
            config.access_log.filename = Some("/dev/full".into());
            config.access_log.required = required;
        });
        let variables = [("CONTENT_TYPE", "text/turtle"), ("HTTP_ORIGIN", "https://app.example")];
        let base = turtle("<> k:hasBase <b/> . <b/> a k:Base .");
        let answer = handle(&mut ktbs, "POST", "", &variables, &base);
        assert!(answer.starts_with(expected), "{answer}");
        assert!(
            answer.contains("Access-Control-Allow-Origin: https://app.example"),
            "{answer}"
        );
        assert_eq!(answer.contains("access log"), required, "{answer}");
        assert_eq!(ktbs.get("b/", &[]).status, if required { 404 } else { 200 });
        let answer = handle(&mut ktbs, "GET", "", &[], "");
        assert!(
            answer.starts_with(if required { "Status: 503" } else { "Status: 200" }),
            "{answer}"
        );
    }
}
