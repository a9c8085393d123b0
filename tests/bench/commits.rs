//! Durable commits, ours beside bare ones of LMDB: what the disk allows, and what is left of it.
//!
//! A bare commit puts one value of the length of an obsel's record in a table of its own, in a store opened as ours is: as LMDB makes
//! it, and with room ahead in its file, as ours has. One of ours is the POST of one obsel. All are made by one process, then by
//! four at once, in the same directory, turn by turn.

use std::fs;
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use heed::types::Bytes;
use heed::{Database, Env, EnvOpenOptions, WithoutTls};

use crate::{Bench, obsel};

/// How long each process makes commits.
const TURN: Duration = Duration::from_secs(2);
/// How often each side has its turn.
const TURNS: usize = 3;
/// How long processes wait for each other before they begin.
const GATHERING: Duration = Duration::from_millis(500);
/// How much room there is in the file of bare commits that has room, in bytes: more than they need.
const ROOM: usize = 64 << 20;
/// The length of the value of a bare commit, in bytes.
const VALUE: usize = 200;

/// Compares the commits of both sides in a store that has a trace `b/t/`.
///
/// # Errors
/// A process failed.
pub fn compare(directory: &Path) -> Result<()> {
    let (bare, roomy) = (directory.join("bare"), directory.join("roomy"));
    for directory in [&bare, &roomy] {
        fs::create_dir(directory)?;
        open_bare(directory)?;
    }
    let mut file = fs::OpenOptions::new().write(true).open(roomy.join("data.mdb"))?;
    file.seek(SeekFrom::End(0))?;
    file.write_all(&vec![0; ROOM])?;
    file.sync_all()?;
    println!(
        "\n{:<20} {:>12} {:>12} {:>12} {:>12} {:>12}",
        "durable commits", "bare LMDB/s", "with room/s", "POST/s", "of bare", "of with room"
    );
    for processes in [1, 4] {
        let mut rates = [Vec::new(), Vec::new(), Vec::new()];
        for turn in 0..TURNS {
            rates[0].push(rate("--bare-commits", &bare, processes, turn)?);
            rates[1].push(rate("--bare-commits", &roomy, processes, turn)?);
            rates[2].push(rate("--posts", directory, processes, turn)?);
        }
        let [bare, roomy, ours] = rates.map(|mut rates| {
            rates.sort_by(f64::total_cmp);
            rates[TURNS / 2]
        });
        println!(
            "{:<20} {bare:>12.0} {roomy:>12.0} {ours:>12.0} {:>12.2} {:>12.2}",
            format!("{processes} at once"),
            ours / bare,
            ours / roomy
        );
    }
    fs::remove_dir_all(roomy)?;
    fs::remove_dir_all(bare)?;
    Ok(())
}

/// Opens a store of bare commits, as ours is opened, and its table.
fn open_bare(directory: &Path) -> Result<(Env<WithoutTls>, Database<Bytes, Bytes>)> {
    let mut options = EnvOpenOptions::new().read_txn_without_tls();
    options.map_size(1 << 34).max_readers(1022).max_dbs(1);
    #[expect(unsafe_code, reason = "nobody but these processes, which all use LMDB, has the file")]
    let env = unsafe { options.open(directory) }?;
    let mut txn = env.write_txn()?;
    let table = env.create_database(&mut txn, Some("obsels"))?;
    txn.commit()?;
    Ok((env, table))
}

/// Returns the commits per second of some processes that are given a task at the same moment.
fn rate(task: &str, directory: &Path, processes: usize, turn: usize) -> Result<f64> {
    let start = (SystemTime::now() + GATHERING).duration_since(UNIX_EPOCH)?;
    let mut children = Vec::new();
    for number in 0..processes {
        let child = Command::new(std::env::current_exe()?)
            .arg(task)
            .arg(directory)
            .arg(start.as_millis().to_string())
            .arg((turn * processes + number).to_string())
            .stdout(Stdio::piped())
            .spawn()?;
        children.push(child);
    }
    let mut commits = 0;
    for child in children {
        let output = child.wait_with_output()?;
        ensure!(output.status.success(), "{task}: a process failed");
        commits += String::from_utf8(output.stdout)?.trim().parse::<u64>()?;
    }
    Ok(commits as f64 / TURN.as_secs_f64())
}

/// What a process does that was started with a task: prints how many commits it made in its turn.
///
/// # Errors
/// A commit failed.
pub fn work(task: &str, mut arguments: impl Iterator<Item = String>) -> Result<()> {
    let directory: PathBuf = arguments.next().context("a directory")?.into();
    let start = Duration::from_millis(arguments.next().context("a moment")?.parse()?);
    let number: usize = arguments.next().context("a number")?.parse()?;
    let commits = if task == "--posts" {
        let mut bench = Bench::open(&directory)?;
        commits(start, |n| {
            let obsel = obsel(100_000_000 + number * 1_000_000 + n);
            bench.post("b/t/", "application/json", &obsel).map(|_| ())
        })?
    } else {
        let (env, table) = open_bare(&directory)?;
        commits(start, |n| {
            let mut txn = env.write_txn()?;
            let key = (number as u64 * 1_000_000 + n as u64).to_be_bytes();
            table.put(&mut txn, &key, &[b'x'; VALUE])?;
            Ok(txn.commit()?)
        })?
    };
    println!("{commits}");
    Ok(())
}

/// Makes commits from a moment on (since the epoch), and returns how many there were in a turn.
fn commits(start: Duration, mut commit: impl FnMut(usize) -> Result<()>) -> Result<usize> {
    let wait = (UNIX_EPOCH + start)
        .duration_since(SystemTime::now())
        .unwrap_or_default();
    std::thread::sleep(wait);
    let start = Instant::now();
    let mut done = 0;
    while start.elapsed() < TURN {
        commit(done)?;
        done += 1;
    }
    Ok(done)
}
