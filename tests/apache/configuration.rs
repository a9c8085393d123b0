//! A configuration that is changed while Apache runs.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Signal, kill_process};

use super::httpd::Httpd;

const KTBS: &str = env!("CARGO_BIN_EXE_ktbs");

/// Kills the processes of the program, and waits until they are dead: a request that one of them has accepted dies with it.
fn kill_processes(httpd: &Httpd) {
    let processes = httpd.processes();
    for process in &processes {
        kill_process(*process, Signal::KILL).expect("signalled");
    }
    let start = Instant::now();
    for process in processes {
        let stat = format!("/proc/{}/stat", process.as_raw_nonzero());
        while fs::read_to_string(&stat).is_ok_and(|stat| !stat.contains(") Z ")) {
            assert!(start.elapsed() < Duration::from_secs(10), "a process survives SIGKILL");
            thread::sleep(Duration::from_millis(5));
        }
    }
}

#[test]
fn a_wrong_configuration_is_told_and_a_mended_one_read_at_once() {
    let good = "[server]\ncache-control = max-age=7\n";
    let Some(httpd) = Httpd::start_with(KTBS, "/ktbs/", 2, good) else {
        return;
    };
    let answer = httpd.answer("GET", "", "", b"");
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.head.contains("Cache-Control: max-age=7"), "{answer:?}");

    httpd.configure("[server]\nmax-bytes = many\n");
    kill_processes(&httpd);
    for _ in 0..50 {
        let answer = httpd.answer("GET", "", "", b"");
        assert_eq!(answer.status, 500, "{answer:?}");
        assert!(
            answer.body.contains("log") && answer.body.contains("`ktbs check`"),
            "{answer:?}"
        );
    }
    let log = httpd.log();
    assert!(log.contains("over.conf:2: [server] max-bytes: "), "{log}");

    httpd.configure("[server]\ncache-control = max-age=8\n");
    for _ in 0..10 {
        let answer = httpd.answer("GET", "", "", b"");
        assert_eq!(answer.status, 200, "{answer:?}\n{}", httpd.log());
        assert!(answer.head.contains("Cache-Control: max-age=8"), "{answer:?}");
    }
}

#[test]
fn processes_share_one_store() {
    let Some(httpd) = Httpd::start(KTBS, "/", 3) else {
        return;
    };
    let base = "@prefix k: <http://liris.cnrs.fr/silex/2009/ktbs#> . <> k:hasBase <b/> . <b/> a k:Base .";
    let headers = format!("Content-Type: text/turtle\r\nContent-Length: {}\r\n", base.len());
    assert_eq!(httpd.answer("POST", "", &headers, base.as_bytes()).status, 201);
    for _ in 0..3 {
        let answer = httpd.answer("GET", "b/", "", b"");
        assert_eq!(answer.status, 200, "{answer:?}");
        for process in httpd.processes() {
            kill_process(process, Signal::KILL).expect("signalled");
        }
        let _ = httpd.answer("GET", "b/", "", b"");
    }
}
