//! `make bench`: what requests cost, from the CGI variables to the last byte of the answer, without a web server.
//!
//! Traces of several lengths are loaded through the HTTP layer into a store in the directory that `KTBS_BENCH_DIR` names (the
//! current one by default: choose a real disk, where an fsync costs what it costs). Figures are medians. `KTBS_BENCH_OBSELS`
//! is a list of lengths; `KTBS_BENCH_ONLY` leaves only the computed traces and the queries whose names contain it. At the end of
//! each, durable commits are compared with [bare ones](commits).

#![expect(clippy::print_stdout, reason = "the figures are what this program is for")]

mod access;
mod commits;
mod methods;

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use ktbs::App;
use ktbs::config::{self, Config};
use ktbs::fcgi::{Handler, Params, Reply};

const ROOT: &str = "http://localhost/ktbs/";
const BATCH: usize = 1000;
const FORMATS: [(&str, &str); 5] = [
    ("JSON-LD", "application/ld+json"),
    ("Turtle", "text/turtle"),
    ("N-Triples", "application/n-triples"),
    ("RDF/XML", "application/rdf+xml"),
    ("CSV", "text/csv"),
];

/// A reply that keeps its beginning and counts the rest.
#[derive(Default)]
struct Counted {
    head: Vec<u8>,
    bytes: u64,
}

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.head.len() < 4096 {
            self.head.extend_from_slice(&bytes[..bytes.len().min(4096)]);
        }
        self.bytes += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Reply for Counted {
    fn log(&mut self, line: &str) {
        eprintln!("{line}");
    }
}

/// A kTBS under measure.
struct Bench {
    app: App,
    asked: usize,
}

impl Bench {
    fn open(directory: &Path) -> Result<Self> {
        Self::with(directory, |_| {})
    }

    fn with(directory: &Path, change: impl FnOnce(&mut Config)) -> Result<Self> {
        let mut config = config::load(
            &[],
            &[
                ("server", "fixed-root-uri", ROOT),
                ("plugins", "sparql_endpoints", "true"),
            ],
        )?
        .0;
        config.store.directory = Some(directory.to_owned());
        change(&mut config);
        Ok(Self {
            app: App::open(config)?,
            asked: 0,
        })
    }

    /// Sends a request and returns how long it took and how many bytes came back.
    fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<(Duration, u64)> {
        let mut params = vec![
            ("REQUEST_METHOD", method.to_owned()),
            ("REQUEST_URI", format!("/ktbs/{path}")),
            ("CONTENT_LENGTH", body.len().to_string()),
        ];
        params.extend(headers.iter().map(|(name, value)| (*name, (*value).to_owned())));
        let params = params
            .into_iter()
            .map(|(name, value)| (name.as_bytes().to_vec(), value.into_bytes()))
            .collect();
        let mut reply = Counted::default();
        let start = Instant::now();
        self.app.handle(&Params(params), &mut { body }, &mut reply)?;
        let elapsed = start.elapsed();
        let head = String::from_utf8_lossy(&reply.head);
        ensure!(head.starts_with("Status: 2"), "{method} {path}: {head}");
        Ok((elapsed, reply.bytes))
    }

    /// Sends a GET in words in which it was never sent, so that the answer is made, and not given again.
    fn get(&mut self, path: &str, accept: &str) -> Result<(Duration, u64)> {
        self.asked += 1;
        let asked = self.asked.to_string();
        self.send("GET", path, &[("HTTP_ACCEPT", accept), ("HTTP_X_ASKED", &asked)], b"")
    }

    fn post(&mut self, path: &str, media_type: &str, body: &str) -> Result<(Duration, u64)> {
        self.send("POST", path, &[("CONTENT_TYPE", media_type)], body.as_bytes())
    }

    /// Returns the median time of a workload, in microseconds.
    fn median(&mut self, times: usize, mut work: impl FnMut(&mut Self, usize) -> Result<Duration>) -> Result<f64> {
        let mut durations = (0..times).map(|i| work(self, i)).collect::<Result<Vec<_>>>()?;
        durations.sort_unstable();
        Ok(durations[times / 2].as_secs_f64() * 1e6)
    }
}

/// Returns an obsel like those of a real collector: some 8 triples, 200 bytes of JSON.
fn obsel(i: usize) -> String {
    format!(
        r#"{{"@type":"m:{}","begin":{},"end":{},"subject":"user{}","m:page":"http://example.org/page/{}","m:x":{},"m:y":{},"m:note":"event number {i}, with é text"}}"#,
        if i.is_multiple_of(3) { "Scroll" } else { "Click" },
        10 * i,
        10 * i + 5,
        i % 50,
        i % 97,
        i % 1280,
        i % 720
    )
}

fn batch(from: usize, count: usize) -> String {
    let obsels: Vec<String> = (from..from + count).map(obsel).collect();
    format!("[{}]", obsels.join(","))
}

/// Returns a figure of `/proc/self/status`, in MiB.
fn status(name: &str) -> f64 {
    let text = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let kib = line.and_then(|rest| {
        rest.trim_start_matches(':')
            .split_whitespace()
            .next()?
            .parse::<f64>()
            .ok()
    });
    kib.unwrap_or(0.0) / 1024.0
}

/// What `KTBS_BENCH_ONLY` says.
fn only() -> Option<String> {
    std::env::var("KTBS_BENCH_ONLY").ok()
}

fn row(name: &str, micros: f64) {
    println!("{name:<34} {micros:>12.1} us");
}

fn measure(directory: &Path, obsels: usize) -> Result<()> {
    println!("\n## {obsels} obsels\n");
    let mut bench = Bench::open(directory)?;
    bench.post(
        "",
        "text/turtle",
        "@prefix k: <http://liris.cnrs.fr/silex/2009/ktbs#>. <> k:hasBase <b/>. <b/> a k:Base.",
    )?;
    bench.post(
        "b/",
        "application/json",
        r#"{"@graph":[{"@id":"m","@type":"TraceModel"}]}"#,
    )?;
    bench.post(
        "b/",
        "application/json",
        r#"{"@id":"t/","@type":"StoredTrace","hasModel":"m","origin":"2020-01-01T00:00:00Z"}"#,
    )?;
    let start = Instant::now();
    let mut from = 0;
    while from < obsels {
        let count = BATCH.min(obsels - from);
        bench.post("b/t/", "application/json", &batch(from, count))?;
        from += count;
    }
    let elapsed = start.elapsed().as_secs_f64();
    println!("load in batches of {BATCH}: {:.0} obsels/s", obsels as f64 / elapsed);

    let mut next = obsels;
    if only().is_none() {
        requests(&mut bench, obsels, &mut next)?;
    }
    methods::measure(&mut bench, obsels, &mut next)?;
    drop(bench);
    if only().is_some() {
        return Ok(());
    }
    access::measure(directory)?;
    let program = std::env::current_exe()?;
    let start = Instant::now();
    let done = Command::new(program).arg("--first-answer").arg(directory).status()?;
    ensure!(done.success(), "a new process does not answer");
    println!(
        "\nstart of a process, first answer, end: {:.1} ms",
        start.elapsed().as_secs_f64() * 1e3
    );
    let bytes = fs::metadata(directory.join("data.mdb"))?.len();
    println!("store: {:.0} bytes per obsel", bytes as f64 / next as f64);
    commits::compare(directory)
}

/// Times requests about a stored trace of so many obsels, which all come before `next`.
fn requests(bench: &mut Bench, obsels: usize, next: &mut usize) -> Result<()> {
    let single = bench.median(51, |bench, _| {
        *next += 1;
        Ok(bench.post("b/t/", "application/json", &obsel(*next))?.0)
    })?;
    row("POST of one obsel", single);
    let hundred = bench.median(11, |bench, _| {
        let first = *next + 1;
        *next += 100;
        Ok(bench.post("b/t/", "application/json", &batch(first, 100))?.0)
    })?;
    row("POST of 100 obsels", hundred);
    let middle = 5 * obsels;
    let last = 10 * *next - 1000;
    for (name, path) in [
        ("GET of the root", String::new()),
        ("GET of the trace", "b/t/".to_owned()),
        ("GET of @stats", "b/t/@stats".to_owned()),
        ("page of 100 at the start", "b/t/@obsels?limit=100".to_owned()),
        (
            "page of 100 in the middle (minb)",
            format!("b/t/@obsels?limit=100&minb={middle}"),
        ),
        (
            "page of 100 at the end (minb)",
            format!("b/t/@obsels?limit=100&minb={last}"),
        ),
        (
            "page of 100 at the end (reverse)",
            "b/t/@obsels?reverse&limit=100".to_owned(),
        ),
        (
            "page of 100 of maxb",
            format!("b/t/@obsels?reverse&limit=100&maxb={middle}"),
        ),
    ] {
        row(
            name,
            bench.median(101, |bench, _| Ok(bench.get(&path, "application/json")?.0))?,
        );
    }
    let again = [("HTTP_ACCEPT", "application/json")];
    row(
        "a page, asked again",
        bench.median(101, |bench, _| {
            Ok(bench.send("GET", "b/t/@obsels?limit=100", &again, b"")?.0)
        })?,
    );
    println!(
        "\n{:<12} {:>12} {:>10} {:>10} {:>16}",
        "whole trace", "ms", "MiB", "MiB/s", "memory (anon MiB)"
    );
    for (name, media_type) in FORMATS {
        let before = status("RssAnon");
        let (elapsed, bytes) = bench.get("b/t/@obsels", media_type)?;
        let (seconds, mib) = (elapsed.as_secs_f64(), bytes as f64 / 1_048_576.0);
        let grown = status("RssAnon") - before;
        println!(
            "{name:<12} {:>12.1} {mib:>10.1} {:>10.0} {:>10.1} (+{grown:.1})",
            seconds * 1e3,
            mib / seconds,
            status("RssAnon")
        );
    }
    Ok(())
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    match arguments.next().as_deref() {
        Some("--first-answer") => {
            let directory: PathBuf = arguments.next().context("a directory")?.into();
            Bench::open(&directory)?.get("b/t/@stats", "application/json")?;
            return Ok(());
        }
        Some(task @ ("--bare-commits" | "--posts")) => return commits::work(task, arguments),
        _ => {}
    }
    let lengths = std::env::var("KTBS_BENCH_OBSELS").unwrap_or_else(|_| "1000 100000 1000000".into());
    let place: PathBuf = std::env::var_os("KTBS_BENCH_DIR").map_or_else(|| ".".into(), Into::into);
    for length in lengths.split_whitespace() {
        let directory = tempfile::tempdir_in(&place)?;
        measure(directory.path(), length.parse().context("KTBS_BENCH_OBSELS")?)?;
    }
    Ok(())
}
