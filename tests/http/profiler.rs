//! The plugin `profiler`: the stages of a request in `Server-Timing`.

use crate::support::TestKtbs;

/// Returns the names of the stages that an answer tells.
fn stages(timing: &str) -> Vec<&str> {
    timing
        .split(", ")
        .filter_map(|stage| {
            let (name, time) = stage.split_once(";dur=")?;
            time.parse::<f64>().ok().map(|_| name)
        })
        .collect()
}

#[test]
fn the_stages_of_each_request_are_told() {
    let ktbs = TestKtbs::with_trace(|config| config.plugins.profiler = true);
    for path in ["b/m", "b/m?profiler", "b/t/@obsels?profiler=1&limit=3"] {
        let answer = ktbs.get(path, &[]).expect(200);
        assert_eq!(
            stages(answer.header("server-timing")),
            ["find", "read", "write", "total"]
        );
    }
    let posted = ktbs.post("b/t/", "application/json", "{\"begin\": 1}").expect(201);
    assert_eq!(
        stages(posted.header("server-timing")),
        ["find", "receive", "parse", "create", "total"]
    );
    let lines = ktbs.post("b/t/", "application/x-ndjson", "{\"begin\": 1}").expect(201);
    assert_eq!(stages(lines.header("server-timing")), ["find", "create", "total"]);
    let put = ktbs.put("b/m.ttl", &[], "x").expect(400);
    assert_eq!(
        stages(put.header("server-timing")),
        ["find", "receive", "parse", "total"]
    );
    assert_eq!(
        stages(ktbs.get("none", &[]).expect(404).header("server-timing")),
        ["find", "total"]
    );
    ktbs.get("b/m?profile", &[]).expect(404);
}

#[test]
fn without_the_plugin_nothing_is_told_and_its_parameter_is_unknown() {
    let ktbs = TestKtbs::with_trace(|_| {});
    assert_eq!(ktbs.get("b/m", &[]).expect(200).header("server-timing"), "");
    let refused = ktbs.get("b/m?profiler", &[]).expect(404);
    assert!(
        refused.body.ends_with("Unsupported parameter(s):profiler"),
        "{}",
        refused.body
    );
}
