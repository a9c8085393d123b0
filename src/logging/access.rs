//! The access log: a line of JSON about each request, who asked what and how it was answered, for sites that must show it.
//!
//! All processes append to one file: each line is a single write at its end. A file that was renamed or removed is made anew, so
//! that it can be rotated. Nothing is ever waited for.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use rustix::fs::{FallocateFlags, OFlags};
use rustix::io::Errno;
use serde::Serialize;

use super::file::Appended;
use crate::time;

/// How much room is kept on the disk beyond the end of the file, in bytes, where lines are required: a line of each process.
const ROOM: u64 = 1 << 20;
/// Longest text of a member, in bytes; the rest is cut.
const LONGEST: usize = 4096;

/// What is told of a request. Nothing of it is a secret: no header, no value of a parameter.
#[derive(Debug, Default, Serialize)]
pub struct Line<'a> {
    /// When it was answered; set by [`AccessLog::append`].
    pub time: String,
    /// The process; set by [`AccessLog::append`].
    pub pid: u32,
    /// The user, if they told who they are.
    pub user: Option<&'a str>,
    /// In which way they did.
    pub way: Option<&'a str>,
    /// The id of the personal token that they have shown.
    pub token: Option<&'a str>,
    /// From where it came.
    pub address: Option<&'a str>,
    /// The method of HTTP; for a command its name.
    pub method: &'a str,
    /// The path that was asked, as it was sent.
    pub path: &'a str,
    /// The names of the parameters of the query.
    pub parameters: Vec<&'a str>,
    /// The status of the answer: 401, 403 and 429 are refusals, 404 may be one.
    pub status: u16,
}

/// The access log of one process, or of one thread.
#[derive(Debug, Default)]
pub struct AccessLog {
    path: Option<PathBuf>,
    is_required: bool,
    appended: Option<Appended>,
    /// Whether it is known that it cannot be written.
    is_failing: bool,
    /// Whether this process left a part of a line at the end.
    is_cut: bool,
}

impl AccessLog {
    /// Returns the log in a file, or one to which nothing is written. Where it is required, nothing is done without it.
    pub fn new(path: Option<&Path>, is_required: bool) -> Self {
        Self {
            path: path.map(Path::to_owned),
            is_required,
            ..Self::default()
        }
    }

    /// Tells whether anything is written.
    pub fn is_on(&self) -> bool {
        self.path.is_some()
    }

    /// Makes sure that a line can be written about what is to be done, where that is required; returns whether it may be done.
    pub fn reserve(&mut self) -> bool {
        if !self.is_required || !self.is_on() {
            return true;
        }
        let reserved = self.try_reserve();
        self.tell(reserved)
    }

    /// Writes a line; returns whether what it tells may be answered: always, where it is not required.
    pub fn append<'l>(&mut self, line: impl FnOnce() -> Line<'l>) -> bool {
        if !self.is_on() {
            return true;
        }
        let mut line = line();
        line.time = time::now().to_xsd();
        line.pid = std::process::id();
        line.path = cut(line.path);
        line.method = cut(line.method);
        line.user = line.user.map(cut);
        line.parameters.truncate(32);
        line.parameters.iter_mut().for_each(|name| *name = cut(name));
        let written = serde_json::to_vec(&line)
            .map_err(io::Error::other)
            .and_then(|text| self.try_append(text));
        self.tell(written) || !self.is_required
    }

    fn try_append(&mut self, mut text: Vec<u8>) -> io::Result<()> {
        text.push(b'\n');
        if self.is_cut {
            text.insert(0, b'\n');
        }
        let mut file = self.opened()?;
        // The end and the write are one step for the system: lines of several processes do not mix.
        let written = file.write(&text)?;
        self.is_cut = written < text.len() && !(self.is_cut && written == 0);
        if written == text.len() {
            Ok(())
        } else {
            Err(io::Error::from(io::ErrorKind::StorageFull))
        }
    }

    fn try_reserve(&mut self) -> io::Result<()> {
        let file = self.opened()?;
        let size = file.metadata()?.len();
        let allocated = rustix::fs::fallocate(file.as_fd(), FallocateFlags::KEEP_SIZE, size, ROOM);
        match allocated {
            // Where a file system knows no such thing, the write will tell.
            Ok(()) | Err(Errno::OPNOTSUPP | Errno::NOSYS) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns the file that has the path at this moment.
    fn opened(&mut self) -> io::Result<&File> {
        let path = self.path.as_deref().unwrap_or(Path::new(""));
        let appended = match self.appended.take().filter(|appended| appended.is_at(path)) {
            Some(appended) => appended,
            None => {
                self.is_cut = false;
                // A pipe that nobody reads must not hold a request.
                Appended::open(path, OFlags::NONBLOCK)?
            }
        };
        Ok(&self.appended.insert(appended).file)
    }

    /// Tells once that the log cannot be written, and once that it can be again; returns whether it can.
    fn tell(&mut self, result: io::Result<()>) -> bool {
        let path = self.path.as_deref().unwrap_or(Path::new("")).display();
        match (&result, self.is_failing) {
            (Ok(()), true) => log::warn!("the access log {path} is written again"),
            (Err(error), false) => {
                let what = if self.is_required {
                    "requests are refused"
                } else {
                    "requests go on without it"
                };
                log::error!("the access log {path} cannot be written, {what}: {error}");
            }
            _ => {}
        }
        self.is_failing = result.is_err();
        result.is_ok()
    }
}

fn cut(text: &str) -> &str {
    let end = (0..=text.len().min(LONGEST))
        .rev()
        .find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or(0)]
}

#[cfg(test)]
mod test {
    use std::fs;
    use std::thread;

    use super::*;

    fn line(path: &str) -> Line<'_> {
        Line {
            method: "GET",
            path,
            status: 200,
            ..Line::default()
        }
    }

    fn paths(file: &Path) -> Vec<String> {
        let text = fs::read_to_string(file).expect("a log");
        let parse = |line: &str| serde_json::from_str::<serde_json::Value>(line).expect("JSON");
        text.lines()
            .map(|line| parse(line)["path"].as_str().expect("a path").to_owned())
            .collect()
    }

    #[test]
    fn several_append_at_once_and_no_line_is_lost_nor_mixed() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("log");
        thread::scope(|scope| {
            for writer in 0..4 {
                let file = &file;
                scope.spawn(move || {
                    let mut log = AccessLog::new(Some(file), writer % 2 == 0);
                    for number in 0..250 {
                        let path = format!("/{writer}/{number}/{}", "x".repeat(number * 10));
                        assert!(log.reserve() && log.append(|| line(&path)));
                    }
                });
            }
        });
        let paths = paths(&file);
        assert_eq!(paths.len(), 1000);
        for writer in 0..4 {
            let begin = format!("/{writer}/");
            let numbers: Vec<usize> = paths
                .iter()
                .filter_map(|path| path.strip_prefix(&begin)?.split('/').next()?.parse().ok())
                .collect();
            assert!(numbers.iter().copied().eq(0..250), "{numbers:?}");
        }
    }

    #[test]
    fn a_file_that_was_rotated_is_made_anew() {
        let folder = tempfile::tempdir().expect("a folder");
        let (file, old) = (folder.path().join("log"), folder.path().join("log.1"));
        let mut log = AccessLog::new(Some(&file), true);
        assert!(log.reserve() && log.append(|| line("/a")));
        fs::rename(&file, &old).expect("renamed");
        assert!(log.reserve() && log.append(|| line("/b")));
        fs::remove_file(&file).expect("removed");
        assert!(log.append(|| line("/c")) && log.reserve() && log.append(|| line("/d")));
        // As copytruncate of logrotate does.
        File::create(&file).expect("emptied");
        assert!(log.reserve() && log.append(|| line("/e")));
        assert_eq!(
            (paths(&old), paths(&file)),
            (vec!["/a".to_owned()], vec!["/e".to_owned()])
        );
    }

    #[test]
    fn what_cannot_be_written_holds_nobody_and_is_refused_where_it_is_required() {
        let folder = tempfile::tempdir().expect("a folder");
        let nowhere = folder.path().join("none/log");
        let pipe = folder.path().join("pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0).expect("a pipe");
        for file in [Path::new("/dev/full"), &nowhere, folder.path(), &pipe] {
            let mut log = AccessLog::new(Some(file), false);
            assert!(log.reserve() && log.append(|| line("/")), "{}", file.display());
            let mut log = AccessLog::new(Some(file), true);
            assert!(!log.reserve() && !log.append(|| line("/")), "{}", file.display());
        }
        let mut log = AccessLog::new(Some(&nowhere), true);
        assert!(!log.reserve());
        fs::create_dir(folder.path().join("none")).expect("a folder");
        assert!(log.reserve() && log.append(|| line("/again")));
        assert_eq!(paths(&nowhere), ["/again"]);
        let mut off = AccessLog::new(None, true);
        assert!(!off.is_on() && off.reserve() && off.append(|| line("/")));
    }

    #[test]
    fn a_part_of_a_line_is_ended_before_the_next_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("log");
        let mut log = AccessLog::new(Some(&file), false);
        log.append(|| line("/a"));
        fs::OpenOptions::new()
            .append(true)
            .open(&file)
            .expect("a log")
            .write_all(b"{\"par")
            .expect("written");
        log.is_cut = true;
        log.append(|| line("/b"));
        let text = fs::read_to_string(&file).expect("a log");
        let lines: Vec<&str> = text.lines().collect();
        assert!(
            lines.len() == 3 && lines[1] == "{\"par" && lines[2].contains("/b"),
            "{text}"
        );
    }
}
