//! Processes killed while they compute: nothing is half stored, nobody waits for them, nothing is left behind.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::web_server::{Program, program, send};

const PREFIXES: &str = "@prefix k: <http://liris.cnrs.fr/silex/2009/ktbs#> . @prefix m: <http://example.org/m#> .\n";

/// How many processes are killed.
const KILLS: usize = 24;
/// How many obsels the source has at first, and how long the text of each is: more than a computation keeps in memory.
const OBSELS: usize = 900;
const TEXT_BYTES: usize = 20_000;
/// How long a writer may wait for others.
const PATIENCE: Duration = Duration::from_secs(5);
const TURTLE: [(&str, &str); 1] = [("Content-Type", "text/turtle")];
const N_TRIPLES: [(&str, &str); 1] = [("Accept", "application/n-triples")];

/// A store in which `b/f/` is a part of `b/t/`, `b/u/` the fusion of both, and `b/a/` what an automaton finds in `b/u/`.
struct Site {
    folder: TempDir,
    configuration: PathBuf,
    /// Where processes may put what they do not want to keep in memory.
    temporary: PathBuf,
}

impl Site {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let configuration = folder.path().join("ktbs.conf");
        fs::write(&configuration, "[rdf_database]\nrepository = store\n").expect("a file");
        let temporary = folder.path().join("temporary");
        fs::create_dir(&temporary).expect("a folder");
        let site = Self {
            folder,
            configuration,
            temporary,
        };
        let ktbs = site.start("setup");
        let post = |path: &str, body: &str| {
            let answer = ktbs.send("POST", path, &TURTLE, format!("{PREFIXES}{body}").as_bytes());
            let answer = answer.expect("an answer");
            assert_eq!(answer.status, 201, "{}", answer.text());
        };
        post("/", "<> k:hasBase <b/> . <b/> a k:Base .");
        for id in ["t", "w"] {
            let trace = "a k:StoredTrace ; k:hasModel m:model ; k:hasOrigin \"o\" .";
            post("/b/", &format!("<> k:contains <{id}/> . <{id}/> {trace}"));
        }
        for start in (0..OBSELS).step_by(100) {
            post("/b/t/", &(start..start + 100).map(obsel).collect::<String>());
        }
        let automaton = r##"{\"states\": {\"start\": {\"transitions\": [{\"condition\": \"http://example.org/m#A\", \"target\": \"s\"}]},
            \"s\": {\"max_noise\": 3, \"transitions\": [{\"condition\": \"http://example.org/m#B\", \"target\": \"#E\"}]},
            \"#E\": {\"terminal\": true, \"ktbs_attributes\": {\"#text\": \"http://example.org/m#text\"}}}}"##;
        for (id, method, sources, parameter) in [
            (
                "f",
                "filter",
                "<t/>",
                "bgp=?obs <http://example.org/m#number> ?n FILTER(?n >= 10)".to_owned(),
            ),
            ("u", "fusion", "<t/>, <f/>", "origin=o".to_owned()),
            ("a", "fsa", "<u/>", format!("fsa={}", automaton.replace('\n', " "))),
        ] {
            post(
                "/b/",
                &format!(
                    "<> k:contains <{id}/> . <{id}/> a k:ComputedTrace ; k:hasMethod k:{method} ; k:hasSource {sources} ;
                        k:hasParameter \"{parameter}\" ."
                ),
            );
        }
        site
    }

    fn start(&self, name: &str) -> Program {
        let mut command = program();
        command
            .arg("-c")
            .arg(&self.configuration)
            .env("TMPDIR", &self.temporary);
        Program::start(command, self.folder.path(), name)
    }
}

fn obsel(number: usize) -> String {
    let kind = ["A", "B"][number % 2];
    let text = "x".repeat(TEXT_BYTES);
    format!("<o{number}> a m:{kind} ; k:hasTrace <> ; k:hasBegin {number} ; m:number {number} ; m:text \"{text}\" .\n")
}

/// Returns the lines of the obsels of a trace; an error if no complete answer comes.
fn read(socket: &Path, trace: &str, query: &str) -> std::io::Result<BTreeSet<String>> {
    let answer = send(socket, "GET", &format!("/b/{trace}/@obsels{query}"), &N_TRIPLES, b"")?;
    assert_eq!(answer.status, 200, "{}", answer.text());
    Ok(answer.text().lines().map(str::to_owned).collect())
}

/// Returns how many obsels a trace has.
fn count(socket: &Path, trace: &str, query: &str) -> usize {
    let answer = send(socket, "GET", &format!("/b/{trace}/@stats{query}"), &N_TRIPLES, b"").expect("an answer");
    let text = answer.text();
    let line = text.lines().find(|line| line.contains("trace-stats#obselCount>"));
    let count = line.and_then(|line| line.split('"').nth(1)?.parse().ok());
    count.unwrap_or_else(|| panic!("{trace}: no count in {text}"))
}

/// How many obsels the computed traces have when the source has so many.
fn expected(obsels: usize) -> [(&'static str, usize); 3] {
    [("f", obsels - 10), ("u", obsels + obsels - 10), ("a", obsels / 2)]
}

/// Writes to another trace until it is told to stop, and returns the longest wait.
fn write_meanwhile(socket: &Path, is_over: &AtomicBool, written: &AtomicUsize) -> Duration {
    let mut longest = Duration::ZERO;
    while !is_over.load(Ordering::Relaxed) {
        let number = written.load(Ordering::Relaxed);
        let body = format!("{PREFIXES}<w{number}> a m:A ; k:hasTrace <> ; k:hasBegin {number} .");
        let start = Instant::now();
        let answer = send(socket, "POST", "/b/w/", &TURTLE, body.as_bytes()).expect("an answer");
        assert_eq!(answer.status, 201, "{}", answer.text());
        longest = longest.max(start.elapsed());
        written.fetch_add(1, Ordering::Relaxed);
        thread::sleep(Duration::from_millis(5));
    }
    longest
}

#[test]
fn kills_in_the_midst_of_computations_leave_no_trace() {
    let site = Site::new();
    let witness = site.start("witness");
    let start = Instant::now();
    for (trace, count_of) in expected(OBSELS) {
        assert_eq!(count(witness.socket(), trace, ""), count_of, "{trace}");
    }
    let one_computation = start.elapsed();
    let (is_over, written) = (AtomicBool::new(false), AtomicUsize::new(0));
    let mut obsels = OBSELS;
    let mut interrupted = 0;
    let longest = thread::scope(|scope| {
        let writer = site.start("writer");
        let writing = scope.spawn({
            let (is_over, written) = (&is_over, &written);
            move || write_meanwhile(writer.socket(), is_over, written)
        });
        let end = Ends(&is_over);
        for kill in 0..KILLS {
            // In turn: all from scratch, and what follows from a new obsel.
            let query = if kill % 2 == 0 { "?refresh=recursive" } else { "" };
            if kill % 2 == 1 {
                let body = format!("{PREFIXES}{}", obsel(obsels));
                let answer = witness
                    .send("POST", "/b/t/", &TURTLE, body.as_bytes())
                    .expect("an answer");
                assert_eq!(answer.status, 201, "{}", answer.text());
                obsels += 1;
            }
            let mut victim = site.start(&format!("victim{kill}"));
            let socket = victim.socket().to_owned();
            let asked = scope.spawn(move || read(&socket, "a", query).is_err());
            let most = if kill % 2 == 0 {
                one_computation
            } else {
                one_computation / 10
            };
            thread::sleep(Duration::from_micros(random_below(most.as_micros() as u64)));
            victim.child.kill().expect("the process is ours");
            victim.child.wait().expect("the process is ours");
            interrupted += usize::from(asked.join().expect("a reader that is not answered ends"));
            // What is stored is what was computed before, or what is computed now; nothing in between.
            for (trace, count_of) in expected(obsels) {
                let stored = count(witness.socket(), trace, "?refresh=no");
                let before = expected(obsels - kill % 2)
                    .iter()
                    .find(|(id, _)| *id == trace)
                    .map(|(_, count)| *count);
                assert!(stored == count_of || Some(stored) == before, "{trace}: {stored}");
            }
            for (trace, count_of) in expected(obsels) {
                assert_eq!(count(witness.socket(), trace, ""), count_of, "{trace}");
            }
            let left: Vec<_> = fs::read_dir(&site.temporary).expect("a folder").collect();
            assert!(left.is_empty(), "{left:?}");
        }
        drop(end);
        writing.join().expect("the writer ends")
    });
    assert!(
        interrupted >= KILLS / 2,
        "only {interrupted} processes were computing when they were killed"
    );
    assert!(longest < PATIENCE, "a writer waited {longest:?}");
    assert_eq!(count(witness.socket(), "w", ""), written.into_inner());
    for (trace, _) in expected(obsels) {
        let kept = read(witness.socket(), trace, "").expect("an answer");
        let anew = read(witness.socket(), trace, "?refresh=recursive").expect("an answer");
        assert!(kept == anew, "{trace} is not what a computation from scratch gives");
    }
    drop(witness);
    let mut verify = program();
    verify.arg("verify").arg("-c").arg(&site.configuration);
    let verified = verify.output().expect("the program can be run");
    let told = String::from_utf8_lossy(&verified.stdout).into_owned();
    assert!(
        told.ends_with("problems: 0\n"),
        "{told}{}",
        String::from_utf8_lossy(&verified.stderr)
    );
}

/// Tells the writer to end when it goes out of scope, even if an assertion fails.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn random_below(bound: u64) -> u64 {
    getrandom::u64().expect("the system has random numbers") % bound.max(1)
}
