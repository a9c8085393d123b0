//! The method external, as clients see it: a plugin, off by default.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::{Duration, Instant};

use ktbs::config::Config;

use crate::support::{Answer, ROOT, TestKtbs};

/// The name and the value of a parameter.
type Pair = (&'static str, &'static str);

fn on(config: &mut Config) {
    config.plugins.meth_external = true;
}

fn with_shell(config: &mut Config) {
    on(config);
    config.meth_external.shell = true;
}

/// Returns a kTBS with two obsels in `b/t/`.
fn ktbs(change: impl FnOnce(&mut Config)) -> TestKtbs {
    let ktbs = TestKtbs::with_trace(change);
    let obsels = "<o1> a <m#A> ; k:hasTrace <> ; k:hasBegin 1 ; k:hasSubject \"it's\" . <o2> a <m#B> ; k:hasTrace <> ; k:hasBegin 2 .";
    ktbs.post_turtle("b/t/", obsels).expect(201);
    ktbs
}

/// Returns Turtle literals of parameters.
fn parameters(parameters: &[(&str, &str)]) -> String {
    let literals = parameters.iter().map(|(name, value)| {
        format!(
            "\"\"\"{name}={}\"\"\"",
            value.replace('\\', "\\\\").replace('"', "\\\"")
        )
    });
    literals.collect::<Vec<_>>().join(", ")
}

fn create(ktbs: &TestKtbs, id: &str, sources: &str, given: &[(&str, &str)]) {
    let body = format!(
        "<> k:contains <{id}/> . <{id}/> a k:ComputedTrace ; k:hasMethod k:external ; {sources} k:hasParameter {} .",
        parameters(given)
    );
    ktbs.post_turtle("b/", &body).expect(201);
}

/// Computes a trace from `b/t/`.
fn compute(ktbs: &TestKtbs, id: &str, given: &[(&str, &str)]) -> Answer {
    create(ktbs, id, "k:hasSource <t/> ;", given);
    obsels(ktbs, id)
}

fn obsels(ktbs: &TestKtbs, id: &str) -> Answer {
    ktbs.get(&format!("b/{id}/@obsels"), &[("Accept", "text/nt")])
}

fn description(ktbs: &TestKtbs, id: &str) -> String {
    ktbs.get(&format!("b/{id}/"), &[("Accept", "text/nt")]).expect(200).body
}

const PREFIX: &str = "@prefix k: <http://liris.cnrs.fr/silex/2009/ktbs#> .";

#[test]
fn it_does_not_exist_unless_it_is_switched_on() {
    let ktbs = ktbs(|_| {});
    let root = ktbs.get("", &[("Accept", "text/nt")]).expect(200).body;
    assert!(!root.contains("external"), "{root}");
    let answer = compute(&ktbs, "c", &[("command-line", "touch /tmp/ktbs-was-here")]).expect(409);
    assert!(answer.body.contains("_FakeMethod: ko"), "{}", answer.body);
    assert!(
        answer
            .body
            .contains("is unreachable and unimplemented; can not compute trace")
    );
    assert!(description(&ktbs, "c").contains("_FakeMethod: ko"));
    assert!(!std::path::Path::new("/tmp/ktbs-was-here").exists());
    let method = "<> k:contains <m2> . <m2> a k:Method ; k:hasParentMethod k:external .";
    ktbs.post_turtle("b/", method).expect(403);
}

#[test]
fn traces_follow_the_switch() {
    let directory = tempfile::tempdir().unwrap();
    let given = [("command-line", "printf ''")];
    let off = ktbs(|config| config.store.directory = Some(directory.path().to_owned()));
    compute(&off, "c", &given).expect(409);
    drop(off);
    let start = |change: fn(&mut Config)| {
        TestKtbs::with(|config| {
            change(config);
            config.store.directory = Some(directory.path().to_owned());
        })
    };
    let switched = start(on);
    assert!(
        switched
            .get("", &[("Accept", "text/nt")])
            .body
            .contains("ktbs#external")
    );
    obsels(&switched, "c").expect(200);
    assert!(!description(&switched, "c").contains("hasDiagnosis"));
    drop(switched);
    obsels(&start(|_| {}), "c").expect(409);
}

#[test]
fn what_the_command_prints_becomes_obsels() {
    let ktbs = ktbs(on);
    let text = format!(
        "{PREFIX} <x> k:hasTrace <> ; a <../m#N> ; k:hasBegin 5 ; k:hasSourceObsel <../t/o1> .
        [ k:hasTrace <> ; k:hasBegin 7 ; k:hasEnd 9 ] ."
    );
    let answer = compute(
        &ktbs,
        "c",
        &[("command-line", "printf %%s '%(text)s'"), ("text", &text)],
    )
    .expect(200);
    assert_eq!(answer.body.matches("#hasTrace>").count(), 2, "{}", answer.body);
    assert!(answer.body.contains(&format!(
        "<{ROOT}b/c/x> <http://liris.cnrs.fr/silex/2009/ktbs#hasBegin>"
    )));
    assert!(answer.body.contains(&format!("<{ROOT}b/c/o-")), "{}", answer.body);
    let shown = description(&ktbs, "c");
    assert!(shown.contains(&format!("#hasModel> <{ROOT}b/m>")) && shown.contains("#hasOrigin> \"o\""));
    assert!(!shown.contains("hasDiagnosis"), "{shown}");
}

#[test]
fn no_shell_reads_parameters() {
    let ktbs = ktbs(on);
    let evil = "a b; touch /tmp/ktbs-evil $(touch /tmp/ktbs-evil) `touch /tmp/ktbs-evil` \" ' | & > /tmp/ktbs-evil";
    let line = "printf '%s\\n' %(evil)s %(__destination__)s %(__sources__)s";
    // What is printed is no Turtle: the first line of the message tells what the words were.
    let answer = compute(
        &ktbs,
        "c",
        &[
            (
                "command-line",
                "printf '<x> <y> \"%%s|%%s|%%s\".' %(evil)s %(__destination__)s %(__sources__)s",
            ),
            ("evil", "p q; r"),
        ],
    );
    assert_eq!(answer.status, 200, "{}", answer.body);
    compute(
        &ktbs,
        "d",
        &[("command-line", &line.replace("%s", "%%s")), ("evil", evil)],
    )
    .expect(409);
    assert!(!std::path::Path::new("/tmp/ktbs-evil").exists());
}

#[test]
fn a_shell_reads_the_line_where_the_administrator_says_so() {
    let ktbs = ktbs(with_shell);
    let line = "N=`echo 3 | tr 3 4`; echo \"<x> <http://liris.cnrs.fr/silex/2009/ktbs#hasTrace> <>; <http://liris.cnrs.fr/silex/2009/ktbs#hasBegin> $N.\"";
    let answer = compute(&ktbs, "c", &[("command-line", line)]).expect(200);
    assert!(answer.body.contains("\"4\"^^"), "{}", answer.body);
}

#[test]
fn the_obsels_of_the_source_are_read_from_the_standard_input() {
    let ktbs = ktbs(with_shell);
    for format in ["n3", "turtle", "nt", "xml", "json-ld"] {
        // Copies, in which one trace takes the place of the other.
        let line = format!("sed 's|{ROOT}b/t/|{ROOT}b/c-{format}/|g'");
        let id = format!("c-{format}");
        let answer = compute(
            &ktbs,
            &id,
            &[("command-line", &line), ("feed-to-stdin", "false"), ("format", format)],
        );
        assert_eq!(answer.status, 200, "{format}: {}", answer.body);
        for name in ["o1", "o2"] {
            assert!(
                answer.body.contains(&format!("<{ROOT}b/{id}/{name}>")),
                "{format}: {}",
                answer.body
            );
        }
        assert!(answer.body.contains("\"it's\""), "{format}: {}", answer.body);
    }
    let answer = compute(&ktbs, "empty", &[("command-line", "cat"), ("feed-to-stdin", "")]).expect(200);
    assert!(!answer.body.contains("hasBegin"));
}

#[test]
fn failures_are_told_and_what_was_printed_is_dropped() {
    let ktbs = ktbs(with_shell);
    let printed = "echo '<x> <http://liris.cnrs.fr/silex/2009/ktbs#hasTrace> <>; <http://liris.cnrs.fr/silex/2009/ktbs#hasBegin> 1.'";
    let cases = [
        (format!("{printed}; exit 3"), "command-line ended with error: 3"),
        ("echo '<x> <y'".to_owned(), "The output of the command is no Turtle: "),
        ("echo %(nothing)s".to_owned(), "missing parameter nothing"),
        (
            "echo '<x> <http://liris.cnrs.fr/silex/2009/ktbs#hasTrace> <>.'".to_owned(),
            "The obsel x has no begin",
        ),
    ];
    for (i, (line, problem)) in cases.iter().enumerate() {
        let answer = compute(&ktbs, &format!("c{i}"), &[("command-line", line)]).expect(409);
        assert!(answer.body.contains("external.compute_obsels: ko"), "{}", answer.body);
        assert!(answer.body.contains(problem), "{}", answer.body);
        let stored = ktbs.get(&format!("b/c{i}/@obsels?refresh=no"), &[("Accept", "text/nt")]);
        assert!(!stored.expect(200).body.contains("hasBegin"));
    }
}

#[test]
fn descriptions_tell_what_is_wrong() {
    let ktbs = ktbs(on);
    let cases: [(&str, &[Pair], &str); 9] = [
        (
            "k:hasSource <t/> ;",
            &[("x", "y")],
            "Method ktbs:external requires parameter command-line",
        ),
        (
            "k:hasSource <t/> ;",
            &[("command-line", "cat"), ("min-sources", "2")],
            "Too few sources (1, min is 2)",
        ),
        (
            "k:hasSource <t/>, <u/> ;",
            &[("command-line", "cat"), ("max-sources", "1")],
            "Too many sources (2, max is 1)",
        ),
        (
            "k:hasSource <t/> ;",
            &[("command-line", "cat"), ("max-sources", "x")],
            "Parameter max-sources has illegal value: x.",
        ),
        (
            "k:hasSource <t/> ;",
            &[("command-line", "cat"), ("format", "csv")],
            "Parameter format has illegal value: csv.",
        ),
        (
            "k:hasSource <t/> ;",
            &[("command-line", "cat '")],
            "The command line has an open quote: cat '",
        ),
        (
            "",
            &[("command-line", "cat"), ("origin", "x")],
            "Can not infer model from sources and no target model is explicitly specified",
        ),
        (
            "k:hasSource <t/>, <u/> ;",
            &[("command-line", "cat")],
            "Can not infer origin from sources and no target origin is explicitly specified",
        ),
        (
            "",
            &[("command-line", "cat"), ("feed-to-stdin", "1")],
            "Parameter feed-to-stdin needs a source",
        ),
    ];
    ktbs.post_turtle(
        "b/",
        "<> k:contains <u/> . <u/> a k:StoredTrace ; k:hasModel <m> ; k:hasOrigin \"p\" .",
    )
    .expect(201);
    for (i, (sources, given, problem)) in cases.iter().enumerate() {
        let id = format!("c{i}");
        create(&ktbs, &id, sources, given);
        let shown = description(&ktbs, &id);
        assert!(shown.contains("external.compute_trace_description: ko"), "{shown}");
        assert!(shown.contains(problem), "{problem}: {shown}");
        let answer = obsels(&ktbs, &id).expect(409);
        assert!(answer.body.contains(problem), "{}", answer.body);
    }
    // No source at all, and a parameter that nothing uses.
    create(
        &ktbs,
        "none",
        "",
        &[
            ("command-line", "printf ''"),
            ("model", "m"),
            ("origin", "x"),
            ("foo", "1"),
            ("max-sources", "0"),
        ],
    );
    assert!(
        description(&ktbs, "none").contains("WARN: Parameter foo is not used by ktbs:external nor by the command line")
    );
    obsels(&ktbs, "none").expect(200);
}

#[test]
fn limits_are_told_and_kept() {
    let ktbs = ktbs(|config| {
        on(config);
        config.meth_external.seconds = 1;
        config.meth_external.output_bytes = 10_000;
        config.limits.payload.nesting = 8;
    });
    let start = Instant::now();
    let cases = [
        ("sleep 100", "(seconds, "),
        ("yes", "(output-bytes)"),
        ("printf '<x> <y> [[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]].'", "nesting"),
        ("no-such-program-", "The command could not be run"),
    ];
    for (i, (line, problem)) in cases.iter().enumerate() {
        let answer = compute(&ktbs, &format!("c{i}"), &[("command-line", line)]).expect(409);
        assert!(answer.body.contains(problem), "{}", answer.body);
    }
    assert!(start.elapsed() < Duration::from_secs(20));
}

#[test]
fn it_is_computed_again_when_its_source_has_changed_and_when_it_is_forced() {
    let ktbs = ktbs(with_shell);
    let line = format!("sed 's|{ROOT}b/t/|{ROOT}b/c/|g'");
    let method = format!(
        "<> k:contains <copy> . <copy> a k:Method ; k:hasParentMethod k:external ; k:hasParameter {} .",
        parameters(&[("command-line", &line), ("feed-to-stdin", "1")])
    );
    ktbs.post_turtle("b/", &method).expect(201);
    let trace = "<> k:contains <c/> . <c/> a k:ComputedTrace ; k:hasMethod <copy> ; k:hasSource <t/> .";
    ktbs.post_turtle("b/", trace).expect(201);
    let etag = |path: &str| {
        ktbs.get(path, &[("Accept", "text/nt")])
            .expect(200)
            .header("etag")
            .to_owned()
    };
    let first = etag("b/c/@obsels");
    assert_eq!(etag("b/c/@obsels"), first);
    ktbs.post_turtle("b/t/", "<o3> a <m#A> ; k:hasTrace <> ; k:hasBegin 3 .")
        .expect(201);
    assert!(obsels(&ktbs, "c").expect(200).body.contains(&format!("<{ROOT}b/c/o3>")));
    assert_ne!(etag("b/c/@obsels"), first);
    ktbs.get("b/c/@obsels?refresh=force", &[("Accept", "text/nt")])
        .expect(200);
}
