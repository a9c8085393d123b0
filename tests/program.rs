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
    let again = ktbs.send("GET", "/", &[], b"").expect("an answer");
    assert_eq!((again.status, again.text()), (500, body));
    let log = fs::read_to_string(folder.path().join("ktbs.socket.log")).expect("a log");
    let expected = format!(
        "ktbs: {}/ktbs.conf:2: [server] port: \"many\" is not a whole number\n",
        folder.path().display()
    );
    assert_eq!(log, expected);

    // The same process reads the file that was mended, or spoilt in another way.
    let configure = |text: &str| fs::write(folder.path().join("ktbs.conf"), text).expect("written");
    configure("[server]\nport = none\n");
    assert_eq!(ktbs.send("GET", "/", &[], b"").expect("an answer").status, 500);
    configure("[rdf_database]\nrepository = store\n");
    let answer = ktbs
        .send("GET", "/", &[("Accept", "text/turtle")], b"")
        .expect("an answer");
    assert_eq!(answer.status, 200);
    let log = fs::read_to_string(folder.path().join("ktbs.socket.log")).expect("a log");
    assert!(log.contains("[server] port: \"none\""), "{log}");
    ktbs.terminate();
    assert_eq!(ktbs.wait().code(), Some(0));
}

#[test]
fn a_store_that_cannot_be_opened_is_answered_500_and_told_in_the_log() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let ktbs = started(folder.path(), "[rdf_database]\nrepository = ktbs.conf\n", &[]);
    assert_eq!(
        ktbs.send("POST", "/", &[], &[b'x'; 200_000]).expect("an answer").status,
        500
    );
    ktbs.terminate();
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

#[test]
fn a_temporary_store_is_told_once_and_leaves_nothing_when_killed() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let room = folder.path().join("room");
    fs::create_dir(&room).expect("a folder");
    let file = folder.path().join("ktbs.conf");
    fs::write(&file, "[logging]\nloggers = ktbs\n").expect("a file");
    let mut command = program();
    command.arg("-c").arg(file).env("TMPDIR", &room);
    let ktbs = Program::start(command, folder.path(), "ktbs.socket");
    let base = b"{\"@id\": \"b/\", \"@type\": \"Base\"}";
    let posted = ktbs.send("POST", "/", &[("Content-Type", "application/json")], base);
    assert_eq!(posted.expect("an answer").status, 201);
    assert_eq!(ktbs.send("GET", "/b/", &[], b"").expect("an answer").status, 200);
    assert_eq!(fs::read_dir(&room).expect("a folder").count(), 0);
    drop(ktbs);
    let log = fs::read_to_string(folder.path().join("ktbs.socket.log")).expect("a log");
    assert_eq!(log.matches("the store is temporary").count(), 1, "{log}");
}

#[test]
fn the_log_is_added_to_a_file_by_all_processes() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("ktbs.log");
    fs::write(&file, "before\n").expect("a file");
    let configuration = "[rdf_database]\nrepository = store\n\
        [logging]\nloggers = ktbs\nconsole-level = ERROR\nfilename = ktbs.log\nfile-level = INFO\n";
    let first = started(folder.path(), configuration, &[]);
    let mut command = program();
    command.arg("-c").arg(folder.path().join("ktbs.conf"));
    let second = Program::start(command, folder.path(), "second.socket");
    for ktbs in [&first, &second, &first] {
        assert_eq!(ktbs.send("GET", "/nope", &[], b"").expect("an answer").status, 404);
    }
    let log = fs::read_to_string(&file).expect("a log");
    let lines: Vec<&str> = log.lines().collect();
    assert_eq!(lines.len(), 4, "{log}");
    assert_eq!(lines[0], "before");
    assert!(
        lines[1..]
            .iter()
            .all(|line| line.starts_with("INFO\t") && line.ends_with("\tktbs.server\t404 GET /nope"))
    );
    let console = fs::read_to_string(folder.path().join("ktbs.socket.log")).expect("a log");
    assert_eq!(console, "");
}

#[test]
fn the_log_follows_a_json_configuration_or_refuses_it() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let json = r#"{"version": 1, "handlers": {"file": {"class": "logging.FileHandler", "filename": "json.log", "level": "INFO"}},
        "loggers": {"ktbs": {"level": "DEBUG", "handlers": ["file"]}}}"#;
    fs::write(folder.path().join("logging.json"), json).expect("a file");
    let configuration = "[rdf_database]\nrepository = store\n[logging]\njson-configuration-filename = logging.json\n";
    let ktbs = started(folder.path(), configuration, &[]);
    assert_eq!(ktbs.send("GET", "/nope", &[], b"").expect("an answer").status, 404);
    let log = fs::read_to_string(folder.path().join("json.log")).expect("a log");
    assert_eq!(log, "404 GET /nope\n");
    fs::write(
        folder.path().join("logging.json"),
        json.replace("FileHandler", "SysLogHandler"),
    )
    .expect("a file");
    let file = folder.path().join("ktbs.conf");
    let output = run(&["check", "-c", file.to_str().expect("UTF-8")]);
    assert_eq!(output.status.code(), Some(1));
    let error = text(&output.stderr);
    assert!(
        error.contains("[logging] json-configuration-filename: ") && error.contains("handlers.file: class: "),
        "{error}"
    );
}

#[test]
fn check_tells_options_content_and_what_apache_says() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let ktbs = started(
        folder.path(),
        "[server]\nport = 8009\n[rdf_database]\nrepository = store\n",
        &[],
    );
    assert_eq!(ktbs.send("GET", "/", &[], b"").expect("an answer").status, 200);
    let apache = folder.path().join("apache.conf");
    fs::write(
        &apache,
        "ScriptAlias / /opt/ktbs/\nFcgidMaxRequestLen 1\nUser nosuchuser\n",
    )
    .expect("a file");
    let name = |path: &Path| path.to_str().expect("UTF-8").to_owned();
    let file = name(&folder.path().join("ktbs.conf"));
    let output = run(&["check", "-c", &file]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let told = text(&output.stdout);
    assert!(
        told.contains("option:        [server] port = 8009\n") && told.contains("content:       0 bases, "),
        "{told}"
    );
    let output = run(&["check", "-c", &file, "--apache", "--apache-conf", &name(&apache)]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output.stdout).contains("warning:       FcgidMaxRequestLen is 1: "),
        "{}",
        text(&output.stdout)
    );
    assert_eq!(text(&output.stderr), "there is no user nosuchuser\n");
    // What is no store is told, too.
    let other = folder.path().join("other");
    fs::create_dir(&other).expect("a folder");
    fs::write(other.join("letter"), "dear").expect("a file");
    let other_file = folder.path().join("other.conf");
    fs::write(&other_file, "[rdf_database]\nrepository = other\n").expect("a file");
    let output = run(&["check", "-c", &name(&other_file)]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stdout));
    let told = text(&output.stderr);
    assert!(
        told.contains("other: is neither empty nor a store of this program\n"),
        "{told}"
    );
    fs::write(folder.path().join("store/data.mdb"), "nonsense").expect("a file");
    assert_eq!(run(&["check", "-c", &file]).status.code(), Some(1));
}
