//! What Apache does to the processes, and what they do to its clients.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::httpd::{Answer, Httpd};

const HELLO: &str = env!("CARGO_BIN_EXE_hello");

/// Sends requests from some threads while something is done to the server; returns all answers, with their times.
fn under_load(httpd: &Httpd, clients: usize, act: impl FnOnce()) -> Vec<(std::io::Result<Answer>, Duration)> {
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let clients: Vec<_> = (0..clients)
            .map(|_| {
                scope.spawn(|| {
                    let mut answers = Vec::new();
                    while !stop.load(Ordering::Relaxed) {
                        let start = Instant::now();
                        answers.push((httpd.send("POST", "t/", "Content-Length: 1\r\n", b"x"), start.elapsed()));
                    }
                    answers
                })
            })
            .collect();
        act();
        stop.store(true, Ordering::Relaxed);
        clients
            .into_iter()
            .flat_map(|client| client.join().expect("a client"))
            .collect()
    })
}

fn pid_of(answer: &Answer) -> Pid {
    let pid = answer.line("pid: ").expect("hello says its pid");
    Pid::from_raw(pid.parse().expect("a number")).expect("a pid")
}

#[test]
fn twenty_graceful_restarts_under_load_fail_no_request() {
    let Some(httpd) = Httpd::start(HELLO, "/ktbs/", 4) else {
        return;
    };
    let apache = httpd.apache();
    let answers = under_load(&httpd, 4, || {
        for _ in 0..20 {
            // A request that needs another process just when mod_fcgid's process manager is replaced waits for ever: so as
            // many as there are clients are to be there before.
            let start = Instant::now();
            while httpd.processes().len() < 4 && start.elapsed() < Duration::from_secs(8) {
                thread::sleep(Duration::from_millis(100));
            }
            kill_process(apache, Signal::USR1).expect("signalled");
            thread::sleep(Duration::from_secs(1));
        }
        thread::sleep(Duration::from_secs(1));
    });
    let failed: Vec<_> = answers
        .iter()
        .filter(|(a, _)| !matches!(a, Ok(Answer { status: 200, .. })))
        .collect();
    assert!(
        failed.is_empty(),
        "{} of {}: {:?}\n{}",
        failed.len(),
        answers.len(),
        failed[0],
        httpd.log()
    );
    assert!(answers.len() > 100, "{} answers", answers.len());
}

#[test]
fn processes_killed_under_load_fail_their_own_request_at_most() {
    let Some(httpd) = Httpd::start(HELLO, "/ktbs/", 4) else {
        return;
    };
    let kills = 12;
    let answers = under_load(&httpd, 4, || {
        for _ in 0..kills {
            thread::sleep(Duration::from_millis(250));
            let _ = kill_process(pid_of(&httpd.answer("GET", "", "", b"")), Signal::KILL);
        }
        thread::sleep(Duration::from_millis(500));
    });
    let failed = answers
        .iter()
        .filter(|(a, _)| !matches!(a, Ok(Answer { status: 200, .. })))
        .count();
    let longest = answers.iter().map(|(_, took)| *took).max().expect("some answers");
    assert!(failed <= kills, "{failed} of {}\n{}", answers.len(), httpd.log());
    assert!(longest < Duration::from_secs(5), "{longest:?}\n{}", httpd.log());
    assert_eq!(httpd.answer("GET", "", "", b"").status, 200);
}

#[test]
fn processes_are_called_ktbs_fcgi_and_end_with_apache() {
    let Some(mut httpd) = Httpd::start(HELLO, "/ktbs/", 2) else {
        return;
    };
    let pid = pid_of(&httpd.answer("GET", "", "", b""));
    let name = std::fs::read_to_string(format!("/proc/{}/comm", pid.as_raw_nonzero())).expect("a process");
    assert_eq!(name.trim(), "ktbs.fcgi");
    assert_eq!(httpd.stop(), Some(0));
    assert!(rustix::process::test_kill_process(pid).is_err(), "the process is gone");
}
