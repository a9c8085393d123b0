//! logrotate, run for real with the rule that we ship, while several processes log.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use crate::needed::installed;
use crate::web_server::{Program, program};

const RULE: &str = include_str!("../packaging/logrotate");

/// Rotates six times while two processes log; each line must be in one of the files, once and whole.
fn rotate(logrotate: &str, rule: &str) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path();
    let configuration = "[rdf_database]\nrepository = store\n[logging]\nloggers = ktbs\nconsole-level = ERROR\n\
         filename = log/ktbs.log\nfile-level = INFO\n";
    fs::write(path.join("ktbs.conf"), configuration).expect("a file");
    fs::create_dir(path.join("log")).expect("a folder");
    let me = user_of_this();
    let rule = rule
        .replace("/var/log/ktbs/", &format!("{}/", path.join("log").display()))
        .replace("www-data www-data", &me);
    fs::write(path.join("rule"), rule).expect("a file");
    let processes = ["one.socket", "two.socket"].map(|name| {
        let mut command = program();
        command.arg("-c").arg(path.join("ktbs.conf"));
        Program::start(command, path, name)
    });
    let (over, sent) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        for process in &processes {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    let number = sent.fetch_add(1, Ordering::Relaxed);
                    let answer = process.send("GET", &format!("/nope{number}"), &[], b"");
                    assert_eq!(answer.expect("an answer").status, 404);
                }
            });
        }
        let rotated = std::panic::catch_unwind(|| {
            for _ in 0..6 {
                thread::sleep(std::time::Duration::from_millis(100));
                run(logrotate, path);
            }
        });
        thread::sleep(std::time::Duration::from_millis(100));
        over.store(true, Ordering::Relaxed);
        rotated.unwrap_or_else(|failure| std::panic::resume_unwind(failure));
    });
    drop(processes);
    let files: Vec<_> = fs::read_dir(path.join("log")).expect("a folder").flatten().collect();
    assert!(files.len() >= 7, "{files:?}");
    let output = Command::new("zcat")
        .arg("-f")
        .args(files.iter().map(fs::DirEntry::path))
        .output();
    let text = String::from_utf8(output.expect("zcat can be run").stdout).expect("UTF-8");
    let mut numbers: Vec<usize> = text
        .lines()
        .map(|line| {
            let number = line
                .rsplit_once("\tktbs.server\t404 GET /nope")
                .and_then(|(_, number)| number.parse().ok());
            number.unwrap_or_else(|| panic!("{line}"))
        })
        .collect();
    numbers.sort_unstable();
    assert!(numbers.len() > 50, "{}", numbers.len());
    assert_eq!(numbers, (0..sent.into_inner()).collect::<Vec<_>>());
}

fn run(logrotate: &str, folder: &Path) {
    let output = Command::new(logrotate)
        .args(["--force", "--state"])
        .arg(folder.join("state"))
        .arg(folder.join("rule"))
        .output()
        .expect("logrotate can be run");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Returns the user and the group of the tests, who write the log here.
fn user_of_this() -> String {
    let name = |flag| {
        let output = Command::new("id").arg(flag).output().expect("an id");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    };
    format!("{} {}", name("-un"), name("-gn"))
}

#[test]
fn the_rule_that_we_ship_loses_no_line() {
    let Some(logrotate) = installed("logrotate") else {
        return;
    };
    rotate(&logrotate, RULE);
}

#[test]
fn a_rule_that_makes_the_file_anew_loses_no_line() {
    let Some(logrotate) = installed("logrotate") else {
        return;
    };
    rotate(&logrotate, &RULE.replace("nocreate", "create 640"));
}
