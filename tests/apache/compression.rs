//! Behind what a web server may put between: mod_deflate, mod_brotli, HTTP/2.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use rustix::process::Pid;

use super::httpd::{Answer, Httpd, has_module};
use crate::needed::skipped;

const KTBS: &str = env!("CARGO_BIN_EXE_ktbs");

fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    let mut lines = answer.head.lines().skip(1);
    lines
        .find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(value)
        })
        .unwrap_or("")
}

fn send(httpd: &Httpd, method: &str, path: &str, headers: &str, body: &str) -> Answer {
    let headers = format!("{headers}Content-Length: {}\r\n", body.len());
    httpd.answer(method, path, &headers, body.as_bytes())
}

/// Starts Apache with some modules and directives, with a base `b/` and its trace `b/t/`; `None` if a module is absent.
fn start(modules: &[&str], directives: &str) -> Option<Httpd> {
    if let Some(module) = modules.iter().find(|module| !has_module(&format!("mod_{module}.so"))) {
        skipped(&format!("mod_{module}"));
        return None;
    }
    let load: String = modules
        .iter()
        .map(|module| format!("LoadModule {module}_module ${{KTBS_MODULES}}/mod_{module}.so\n"))
        .collect();
    let httpd = Httpd::start_with_directives(KTBS, "/ktbs/", 2, "", &(load + directives))?;
    let json = "Content-Type: application/json\r\n";
    for (path, item) in [
        ("", "{\"@type\":\"Base\",\"@id\":\"b/\"}"),
        ("b/", "{\"@graph\":[{\"@type\":\"TraceModel\",\"@id\":\"m\"}]}"),
        (
            "b/",
            "{\"@type\":\"StoredTrace\",\"@id\":\"t/\",\"hasModel\":\"m\",\"origin\":\"o\"}",
        ),
    ] {
        assert_eq!(send(&httpd, "POST", path, json, item).status, 201, "{item}");
    }
    Some(httpd)
}

#[test]
fn etags_that_compression_alters_are_known() {
    let Some(httpd) = start(
        &["filter", "deflate", "brotli"],
        "SetOutputFilter BROTLI_COMPRESS;DEFLATE\n",
    ) else {
        return;
    };
    for (encoding, suffix) in [("gzip", "-gzip\""), ("br", "-br\"")] {
        let accept = format!("Accept: application/json\r\nAccept-Encoding: {encoding}\r\n");
        let got = httpd.answer("GET", "b/t/", &accept, b"");
        assert_eq!(got.status, 200);
        assert_eq!(header(&got, "Content-Encoding"), encoding, "{}", got.head);
        let vary = got.head.to_ascii_lowercase();
        assert!(
            vary.contains("accept-encoding") && vary.contains("vary: accept"),
            "{}",
            got.head
        );
        let etag = header(&got, "ETag");
        assert!(etag.ends_with(suffix), "{etag}");
        let again = httpd.answer("GET", "b/t/", &format!("{accept}If-None-Match: {etag}\r\n"), b"");
        assert_eq!(again.status, 304, "{etag}: {}", again.head);

        let plain = httpd.answer("GET", "b/t/", "Accept: application/json\r\n", b"");
        let put = |etag: &str| {
            let headers = format!("{accept}Content-Type: application/json\r\nIf-Match: {etag}\r\n");
            send(&httpd, "PUT", "b/t/", &headers, &plain.body)
        };
        let first = put(etag);
        assert_eq!(first.status, 200, "{etag}: {}", first.head);
        assert_eq!(put(etag).status, 412);
        // The etag of a PUT serves for the next one, as altered.
        let next = header(&first, "ETag").to_owned();
        assert!(next.ends_with(suffix), "{next}");
        assert_eq!(put(&next).status, 200);
    }
}

#[test]
fn http_2_carries_the_same_answers() {
    if !matches!(Command::new("curl").arg("--version").output(), Ok(it) if String::from_utf8_lossy(&it.stdout).contains("HTTP2"))
    {
        skipped("curl that knows HTTP/2");
        return;
    }
    let Some(httpd) = start(&["http2"], "Protocols h2c http/1.1\n") else {
        return;
    };
    let root = format!("http://localhost:{}/ktbs/", httpd.port);
    let curl = |arguments: &[&str]| -> String {
        let output = Command::new("curl")
            .args([
                "-sS",
                "--http2-prior-knowledge",
                "-w",
                "\n%{http_version} %{response_code}",
            ])
            .args(arguments)
            .output()
            .expect("curl runs");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let trace = format!("{root}b/t/");
    let posted = curl(&[
        "-H",
        "Content-Type: application/json",
        "-d",
        "{\"@id\":\"o\",\"begin\":1}",
        &trace,
    ]);
    assert_eq!(posted, format!("{trace}o\r\n\n2 201"));
    let got = curl(&["-i", "-H", "Accept: text/nt", &format!("{trace}@obsels?limit=1")]);
    assert!(got.ends_with("\n2 200") && got.contains("\nlink: <"), "{got}");
    assert!(
        got.contains(&format!("<{trace}@obsels?limit=1&after=o>;rel=\"next\"")),
        "{got}"
    );
    let head = curl(&["-I", &trace]);
    assert!(
        head.contains("\ncontent-length: ") && head.ends_with("\n2 200"),
        "{head}"
    );
    assert!(curl(&["-X", "DELETE", &format!("{trace}o")]).ends_with("\n2 204"));
    assert!(curl(&[&format!("{trace}o")]).ends_with("\n2 404"));
}

/// Returns the most memory of its own, in KiB, that a process of the program has while something is done.
fn most_memory<T>(httpd: &Httpd, act: impl FnOnce() -> T) -> (T, u64) {
    let is_done = AtomicBool::new(false);
    let own = |pid: Pid| {
        let status = fs::read_to_string(format!("/proc/{}/status", pid.as_raw_nonzero())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"))?;
        line.trim().trim_end_matches(" kB").parse().ok()
    };
    thread::scope(|scope| {
        let watched = scope.spawn(|| {
            let mut most = 0;
            while !is_done.load(Ordering::Relaxed) {
                most = httpd.processes().into_iter().filter_map(own).fold(most, u64::max);
                thread::sleep(Duration::from_millis(10));
            }
            most
        });
        // Also if it panics: what is spawned is waited for.
        let done = catch_unwind(AssertUnwindSafe(act));
        is_done.store(true, Ordering::Relaxed);
        let most = watched.join().expect("watched");
        (done.unwrap_or_else(|panic| resume_unwind(panic)), most)
    })
}

#[test]
fn a_hundred_thousand_obsels_come_in_one_request_and_take_little_memory() {
    const MANY: u32 = 100_000;
    let Some(httpd) = start(&[], "") else {
        return;
    };
    let text = "x".repeat(200);
    let line = |n: u32| format!("{{\"@type\":\"m:T\",\"begin\":{n},\"m:text\":\"{text}\"}}\n");
    let lines: String = (0..MANY).map(line).collect();
    let ndjson = "Content-Type: application/x-ndjson\r\n";
    let (posted, memory) = most_memory(&httpd, || send(&httpd, "POST", "b/t/", ndjson, &lines));
    assert_eq!(posted.status, 201, "{}", posted.head);
    assert_eq!(posted.body.lines().count(), MANY as usize);
    // The payload alone has 24 MB, and what is made of it more. What LMDB has not written yet is in memory too.
    assert!(memory > 0 && memory < 64 << 10, "{memory} KiB");
    let broken = send(&httpd, "POST", "b/t/", ndjson, &(lines + "{\"begin\":}\n"));
    assert_eq!(broken.status, 400);
    assert!(broken.body.contains("line 100001, column 10"), "{}", broken.body);
    let stats = httpd.answer("GET", "b/t/@stats.json", "", b"");
    assert!(stats.body.contains("\"stats:obselCount\": 100000"), "{}", stats.body);
}
