//! What was acknowledged is there: with several processes at once, after kills, on a full disk.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::needed::skipped;
use crate::web_server::{Program, program, send};

const PREFIXES: &str = "@prefix k: <http://liris.cnrs.fr/silex/2009/ktbs#> . @prefix m: <http://example.org/m#> .\n";

/// How long a request may last while others write, and processes are killed.
const PATIENCE: Duration = Duration::from_secs(5);

/// A folder with a configuration, in which programs are started on the same store.
struct Site {
    folder: TempDir,
    configuration: PathBuf,
}

impl Site {
    /// Makes a site with a base `b/` and a trace `b/t/`.
    fn new(store: &str, more: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let configuration = folder.path().join("ktbs.conf");
        fs::write(&configuration, format!("[rdf_database]\nrepository = {store}\n{more}")).expect("a file");
        let site = Self { folder, configuration };
        let ktbs = site.start("setup");
        let base = format!("{PREFIXES}<> k:hasBase <b/> . <b/> a k:Base .");
        let trace =
            format!("{PREFIXES}<> k:contains <t/> . <t/> a k:StoredTrace ; k:hasModel m:model ; k:hasOrigin \"o\" .");
        for (path, body) in [("/", base), ("/b/", trace)] {
            let answer = ktbs.send("POST", path, &[("Content-Type", "text/turtle")], body.as_bytes());
            let answer = answer.expect("an answer");
            assert_eq!(answer.status, 201, "{}", answer.text());
        }
        site
    }

    fn start(&self, name: &str) -> Program {
        let mut command = program();
        command.arg("-c").arg(&self.configuration);
        Program::start(command, self.folder.path(), name)
    }

    /// Returns what the trace holds, read by a new process.
    fn read_anew(&self) -> Trace {
        let ktbs = self.start("reader");
        read(ktbs.socket()).expect("a complete answer")
    }
}

/// Obsels that are sent together: `w1n5x20` is the sixth of writer 1, and has 20.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Batch {
    writer: usize,
    number: usize,
    size: usize,
}

impl Batch {
    fn name(&self) -> String {
        format!("w{}n{}x{}", self.writer, self.number, self.size)
    }

    fn size_of(name: &str) -> usize {
        let size = name.rsplit_once('x').and_then(|(_, size)| size.parse().ok());
        size.expect("a name of ours")
    }

    fn turtle(&self) -> String {
        let name = self.name();
        let mut text = PREFIXES.to_owned();
        for i in 0..self.size {
            // Anywhere in the trace, so that writers meet in the same pages.
            let begin = (self.number * 7919 + i * 104_729 + self.writer) % 1000;
            text.push_str(&format!(
                "<{name}i{i}> a m:T ; k:hasTrace <> ; k:hasBegin {begin} ; m:batch \"{name}\" ; m:text \"{}\" .\n",
                "x".repeat(200)
            ));
        }
        text
    }

    /// Sends the obsels, and returns the status, or `None` if no complete answer came.
    fn post(&self, socket: &Path) -> Option<u16> {
        let start = Instant::now();
        let headers = [("Content-Type", "text/turtle")];
        let answer = send(socket, "POST", "/b/t/", &headers, self.turtle().as_bytes());
        assert!(start.elapsed() < PATIENCE, "{self:?} waited {:?}", start.elapsed());
        Some(answer.ok()?.status)
    }
}

/// What was read of the trace.
#[derive(Debug)]
struct Trace {
    etag: String,
    /// Begin and IRI of each obsel, in the order in which they came.
    obsels: Vec<(i64, String)>,
    /// How many obsels of each batch.
    batches: BTreeMap<String, usize>,
}

/// Reads the whole trace; `None` if no complete answer comes.
fn read(socket: &Path) -> Option<Trace> {
    let start = Instant::now();
    let answer = send(
        socket,
        "GET",
        "/b/t/@obsels",
        &[("Accept", "application/n-triples")],
        b"",
    )
    .ok()?;
    assert!(start.elapsed() < PATIENCE, "a reader waited {:?}", start.elapsed());
    assert_eq!(answer.status, 200, "{}", answer.text());
    let mut trace = Trace {
        etag: answer.header("etag").expect("an etag").to_owned(),
        obsels: Vec::new(),
        batches: BTreeMap::new(),
    };
    let text = answer.text();
    for line in text.lines() {
        let mut terms = line.splitn(3, ' ');
        let (Some(subject), Some(predicate), Some(object)) = (terms.next(), terms.next(), terms.next()) else {
            continue;
        };
        let lexical = || object.split('"').nth(1).expect("a literal");
        if predicate == "<http://liris.cnrs.fr/silex/2009/ktbs#hasBegin>" {
            trace
                .obsels
                .push((lexical().parse().expect("an integer"), subject.to_owned()));
        } else if predicate == "<http://example.org/m#batch>" {
            *trace.batches.entry(lexical().to_owned()).or_default() += 1;
        }
    }
    Some(trace)
}

impl Trace {
    /// Checks that each batch is whole, and that each obsel is there once and in order.
    fn check(&self) {
        for (name, &count) in &self.batches {
            assert_eq!(count, Batch::size_of(name), "half of {name} is there");
        }
        assert_eq!(self.obsels.len(), self.batches.values().sum::<usize>());
        assert!(
            self.obsels.is_sorted_by(|a, b| a < b),
            "obsels are out of order, or come twice"
        );
    }

    /// Checks that what was acknowledged is there, and nothing that was not sent.
    fn check_against(&self, acknowledged: &[Batch], sent: &[Batch]) {
        self.check();
        for batch in acknowledged {
            assert!(
                self.batches.contains_key(&batch.name()),
                "{batch:?} was acknowledged, and is lost"
            );
        }
        let sent: Vec<String> = sent.iter().map(Batch::name).collect();
        for name in self.batches.keys() {
            assert!(sent.contains(name), "{name} was not sent");
        }
    }
}

/// Returns the number of obsels that `@stats` tells.
fn counted(socket: &Path) -> usize {
    let answer = send(
        socket,
        "GET",
        "/b/t/@stats",
        &[("Accept", "application/n-triples")],
        b"",
    )
    .expect("an answer");
    let text = answer.text();
    let line = text.lines().find(|line| line.contains("trace-stats#obselCount>"));
    let count = line.and_then(|line| line.split('"').nth(1)?.parse().ok());
    count.unwrap_or_else(|| panic!("no count in {text}"))
}

#[test]
fn several_processes_write_and_read_at_once() {
    const BATCHES: usize = 25;
    let site = Site::new("store", "");
    let programs: Vec<Program> = (0..4).map(|number| site.start(&format!("ktbs{number}"))).collect();
    let is_done = AtomicBool::new(false);
    // What each etag was seen with: the names of the batches.
    let etags: Mutex<HashMap<String, Vec<String>>> = Mutex::default();
    let sent = Mutex::new(Vec::new());
    thread::scope(|scope| {
        let readers: Vec<_> = programs
            .iter()
            .map(|ktbs| {
                scope.spawn(|| {
                    let mut known = 0;
                    while !is_done.load(Ordering::Relaxed) {
                        let trace = read(ktbs.socket()).expect("a complete answer");
                        trace.check();
                        assert!(trace.obsels.len() >= known, "obsels have gone");
                        known = trace.obsels.len();
                        let batches: Vec<String> = trace.batches.into_keys().collect();
                        let mut etags = etags.lock().expect("no reader panicked");
                        let seen = etags.entry(trace.etag).or_insert_with(|| batches.clone());
                        assert_eq!(*seen, batches, "two states have the same etag");
                    }
                })
            })
            .collect();
        let writers: Vec<_> = programs
            .iter()
            .enumerate()
            .map(|(writer, ktbs)| {
                let sent = &sent;
                scope.spawn(move || {
                    for number in 0..BATCHES {
                        let size = if number % 2 == 0 { 1 } else { 20 };
                        let batch = Batch { writer, number, size };
                        assert_eq!(batch.post(ktbs.socket()), Some(201), "{batch:?}");
                        sent.lock().expect("no writer panicked").push(batch);
                    }
                })
            })
            .collect();
        let written: Vec<_> = writers.into_iter().map(thread::ScopedJoinHandle::join).collect();
        is_done.store(true, Ordering::Relaxed);
        for result in written
            .into_iter()
            .chain(readers.into_iter().map(thread::ScopedJoinHandle::join))
        {
            result.expect("no thread panicked");
        }
    });
    let sent = sent.into_inner().expect("no writer panicked");
    let trace = read(programs[0].socket()).expect("a complete answer");
    trace.check_against(&sent, &sent);
    assert_eq!(trace.batches.len(), 4 * BATCHES);
    for ktbs in &programs {
        assert_eq!(counted(ktbs.socket()), trace.obsels.len());
    }
}

#[test]
fn kills_lose_nothing_that_was_acknowledged() {
    const KILLS: usize = 60;
    const PROGRAMS: usize = 3;
    let site = Site::new("store", "");
    let is_done = AtomicBool::new(false);
    let acknowledged = Mutex::new(Vec::new());
    let sent = Mutex::new(Vec::new());
    let mut programs: Vec<Program> = (0..PROGRAMS)
        .map(|number| site.start(&format!("ktbs{number}")))
        .collect();
    thread::scope(|scope| {
        for (writer, ktbs) in programs.iter().enumerate() {
            let socket = ktbs.socket().to_owned();
            let (is_done, acknowledged, sent) = (&is_done, &acknowledged, &sent);
            scope.spawn(move || {
                for number in 0.. {
                    if is_done.load(Ordering::Relaxed) {
                        break;
                    }
                    let size = if number % 3 == 0 { 20 } else { 1 };
                    let batch = Batch { writer, number, size };
                    sent.lock().expect("no writer panicked").push(batch.clone());
                    match batch.post(&socket) {
                        Some(201) => acknowledged.lock().expect("no writer panicked").push(batch),
                        Some(status) => panic!("{batch:?} was answered {status}"),
                        None => thread::sleep(Duration::from_millis(2)),
                    }
                }
            });
            let socket = ktbs.socket().to_owned();
            scope.spawn(move || {
                while !is_done.load(Ordering::Relaxed) {
                    match read(&socket) {
                        Some(trace) => trace.check(),
                        None => thread::sleep(Duration::from_millis(2)),
                    }
                }
            });
        }
        // Even if an assertion fails here, the threads must end.
        let end = Ends(&is_done);
        let mut kills = 0;
        // On a slow disk, go on until there was something to lose.
        while kills < KILLS || acknowledged.lock().expect("no writer panicked").len() < KILLS {
            let victim = kills % PROGRAMS;
            thread::sleep(Duration::from_micros(random_below(40_000)));
            programs[victim].child.kill().expect("the process is ours");
            programs[victim].child.wait().expect("the process is ours");
            programs[victim] = site.start(&format!("ktbs{victim}"));
            kills += 1;
            assert!(kills < 100 * KILLS, "hardly anything is acknowledged");
        }
        drop(end);
    });
    drop(programs);
    let (acknowledged, sent) = (
        acknowledged.into_inner().expect("no panic"),
        sent.into_inner().expect("no panic"),
    );
    let trace = site.read_anew();
    trace.check_against(&acknowledged, &sent);

    let ktbs = site.start("last");
    assert_eq!(counted(ktbs.socket()), trace.obsels.len());
    let batch = Batch {
        writer: PROGRAMS,
        number: 0,
        size: 1,
    };
    assert_eq!(batch.post(ktbs.socket()), Some(201));
}

/// Tells the threads to end when it goes out of scope.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn random_below(bound: u64) -> u64 {
    getrandom::u64().expect("the system has random numbers") % bound
}

/// Fills the store until it answers 507, checks that nothing is lost and that reading goes on, and returns what was
/// acknowledged and what was sent.
fn fill(ktbs: &Program) -> (Vec<Batch>, Vec<Batch>) {
    let (mut acknowledged, mut sent) = (Vec::new(), Vec::new());
    loop {
        let batch = Batch {
            writer: 0,
            number: sent.len(),
            size: 50,
        };
        sent.push(batch.clone());
        match batch.post(ktbs.socket()) {
            Some(201) => acknowledged.push(batch),
            Some(507) => break,
            other => panic!("{batch:?} was answered {other:?}"),
        }
        assert!(sent.len() < 10_000, "the store is never full");
    }
    assert!(!acknowledged.is_empty());
    let trace = read(ktbs.socket()).expect("a complete answer");
    trace.check_against(&acknowledged, &acknowledged);
    assert_eq!(counted(ktbs.socket()), trace.obsels.len());
    (acknowledged, sent)
}

#[test]
fn a_full_map_is_answered_507_and_goes_on_when_there_is_room() {
    let site = Site::new("store", "map-size = 2M\n");
    let ktbs = site.start("ktbs");
    let (acknowledged, sent) = fill(&ktbs);
    drop(ktbs);
    fs::write(
        &site.configuration,
        "[rdf_database]\nrepository = store\nmap-size = 8M\n",
    )
    .expect("a file");
    site.read_anew().check_against(&acknowledged, &sent);
    let ktbs = site.start("ktbs");
    let more = Batch {
        writer: 1,
        number: 0,
        size: 50,
    };
    assert_eq!(more.post(ktbs.socket()), Some(201));
}

/// A file system of a few megabytes.
struct SmallDisk(TempDir);

impl SmallDisk {
    /// Mounts a small file system, or returns `None` where this user may not.
    fn mount(megabytes: u32) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", &format!("size={megabytes}m"), "tmpfs"])
            .arg(folder.path());
        let output = mount.output().ok()?;
        output.status.success().then_some(Self(folder))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}

#[test]
fn check_warns_of_a_disk_that_is_nearly_full() {
    let Some(disk) = SmallDisk::mount(4) else {
        skipped("right to mount a small file system");
        return;
    };
    let store = disk.path().join("store");
    let site = Site::new(store.to_str().expect("UTF-8"), "");
    let mut command = program();
    let output = command.args(["check", "-c"]).arg(&site.configuration).output();
    let output = output.expect("the program can be run");
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "a warning is no error");
    let place = store.display();
    assert!(
        told.contains("warning:       only ") && told.contains(&format!(" MiB are free for the store ({place}): ")),
        "{told}"
    );
}

#[test]
fn a_full_disk_is_answered_507_and_goes_on_when_there_is_room() {
    let Some(disk) = SmallDisk::mount(4) else {
        skipped("right to mount a small file system");
        return;
    };
    let ballast = disk.path().join("ballast");
    fs::write(&ballast, vec![0; 1 << 20]).expect("a file");
    let store = disk.path().join("store");
    let site = Site::new(store.to_str().expect("UTF-8"), "");
    let ktbs = site.start("ktbs");
    let (acknowledged, sent) = fill(&ktbs);

    fs::remove_file(&ballast).expect("the ballast is there");
    let more = Batch {
        writer: 1,
        number: 0,
        size: 50,
    };
    assert_eq!(more.post(ktbs.socket()), Some(201), "there is room again");
    drop(ktbs);
    let all = |mut batches: Vec<Batch>| {
        batches.push(more.clone());
        batches
    };
    site.read_anew().check_against(&all(acknowledged), &all(sent));
}
