//! The program as a user and as Apache see it.

use std::fs;
use std::path::Path;
use std::process::{Output, Stdio};

use crate::web_server::{Program, program};

fn run(arguments: &[&str]) -> Output {
    program()
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("the program can be run")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Starts the program with a configuration.
fn started(folder: &Path, configuration: &str, arguments: &[&str]) -> Program {
    let file = folder.join("ktbs.conf");
    fs::write(&file, configuration).expect("a file");
    let mut command = program();
    command.arg("-c").arg(file).args(arguments);
    Program::start(command, folder, "ktbs.socket")
}

#[test]
fn on_a_terminal_it_helps_and_ends() {
    let output = run(&[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("Usage: ktbs"), "{}", text(&output.stderr));
    assert!(output.stdout.is_empty());
    assert_eq!(run(&["hello"]).status.code(), Some(2));
    assert_eq!(run(&["--nope"]).status.code(), Some(2));
}

#[test]
fn version_tells_what_bug_reports_need() {
    let output = run(&["--version"]);
    let text = text(&output.stdout);
    assert!(output.status.success());
    for part in [concat!("ktbs ", env!("CARGO_PKG_VERSION")), "platform: ", "commit: "] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn each_command_has_a_help() {
    let help = text(&run(&["--help"]).stdout);
    let commands = help.split("Commands:\n").nth(1).expect("a list of commands");
    for line in commands.lines().take_while(|line| line.starts_with("  ")) {
        if line.starts_with("  help ") {
            continue;
        }
        let mut words = line.split_whitespace();
        let name = words.next().expect("a name");
        assert!(words.next().is_some(), "{name} has no help");
        let output = run(&["help", name]);
        assert!(output.status.success() && output.stderr.is_empty(), "{name}");
    }
}

#[test]
fn check_tells_the_first_error_in_one_line() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("ktbs.conf");
    let name = file.to_str().expect("UTF-8");
    fs::write(&file, "[server]\nport = 80 # http\n").expect("a file");
    let output = run(&["check", "-c", name]);
    assert_eq!(output.status.code(), Some(1));
    let line = text(&output.stderr);
    assert!(
        line.starts_with(&format!("{name}:2: [server] port: ")) && line.lines().count() == 1,
        "{line}"
    );

    fs::write(&file, "[server]\nfixed-root-uri = http://example.org/ktbs/\n").expect("a file");
    let output = run(&["check", "-c", name]);
    assert!(output.status.success());
    assert!(text(&output.stdout).contains("root URI:      http://example.org/ktbs/\n"));
}

#[test]
fn check_looks_at_the_variable_too() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (first, second) = (folder.path().join("1.conf"), folder.path().join("2.conf"));
    fs::write(&first, "[server]\nport = 1\n").expect("a file");
    fs::write(&second, "[server]\nport = 2\n").expect("a file");
    let list = format!("{}:{}", first.display(), second.display());
    let output = program()
        .arg("check")
        .env("KTBS_CONFIG", list)
        .output()
        .expect("the program can be run");
    assert!(
        text(&output.stdout).contains("http://localhost:2/"),
        "{}",
        text(&output.stderr)
    );
}

#[test]
fn sigterm_ends_it_well() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let ktbs = started(folder.path(), "[rdf_database]\nrepository = store\n", &[]);
    assert_eq!(
        ktbs.send("GET", "/", &[("Accept", "text/turtle")], b"")
            .expect("an answer")
            .status,
        200
    );
    ktbs.terminate();
    assert_eq!(ktbs.wait().code(), Some(0));
    assert!(folder.path().join("store").is_dir());
}

#[test]
fn a_wrong_configuration_is_answered_500_and_told_in_the_log() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let ktbs = started(folder.path(), "[server]\nport = many\n", &[]);
    let answer = ktbs
        .send("GET", "/", &[("Accept", "text/turtle")], b"")
        .expect("an answer");
    assert_eq!(answer.status, 500);
    assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
    assert_eq!(
        answer.header("content-length"),
        Some(answer.body.len().to_string().as_str())
    );
    let body = answer.text();
    assert!(body.contains("log") && body.contains("`ktbs check`"), "{body}");
    assert!(!body.contains("port") && !body.contains("ktbs.conf"), "{body}");
    assert_eq!(ktbs.wait().code(), Some(1));
    let log = fs::read_to_string(folder.path().join("ktbs.socket.log")).expect("a log");
    let expected = format!(
        "ktbs: {}/ktbs.conf:2: [server] port: \"many\" is not a whole number\n",
        folder.path().display()
    );
    assert_eq!(log, expected);

    let mended = started(folder.path(), "[rdf_database]\nrepository = store\n", &[]);
    assert_eq!(
        mended
            .send("GET", "/", &[("Accept", "text/turtle")], b"")
            .expect("an answer")
            .status,
        200
    );
}

#[test]
fn a_store_that_cannot_be_opened_is_answered_500_and_told_in_the_log() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let ktbs = started(folder.path(), "[rdf_database]\nrepository = ktbs.conf\n", &[]);
    assert_eq!(
        ktbs.send("POST", "/", &[], &[b'x'; 200_000]).expect("an answer").status,
        500
    );
    assert_eq!(ktbs.wait().code(), Some(1));
    let log = fs::read_to_string(folder.path().join("ktbs.socket.log")).expect("a log");
    assert!(log.starts_with("ktbs: ") && log.lines().count() == 1, "{log}");
}

#[test]
fn hello_answers_for_a_wrong_configuration() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let hello = started(folder.path(), "[server]\nport = many\n", &["hello"]);
    let answer = hello
        .send("GET", "/any/where", &[("Cookie", "secret")], b"")
        .expect("an answer");
    assert_eq!(answer.status, 200);
    let body = answer.text();
    assert!(
        body.contains("REQUEST_URI=/any/where") && body.contains("is not a whole number"),
        "{body}"
    );
    assert!(!body.contains("secret"), "{body}");
}

#[test]
fn the_log_has_the_configured_form() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let configuration = "[server]\nthreads = 2\n[rdf_database]\nrepository = store\n\
        [logging]\nloggers = ktbs\nconsole-format = <%(levelname)-8s|%(name)s> %(message)s\n";
    let ktbs = started(folder.path(), configuration, &[]);
    assert_eq!(ktbs.send("GET", "/nope", &[], b"").expect("an answer").status, 404);
    ktbs.terminate();
    ktbs.wait();
    let log = fs::read_to_string(folder.path().join("ktbs.socket.log")).expect("a log");
    assert!(log.contains("<WARNING |ktbs> "), "{log}");
    assert!(log.contains("<INFO    |ktbs.server> 404 GET /nope\n"), "{log}");
}
