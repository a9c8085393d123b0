//! A child process, bounded in time and in output, and killed with all that it has started.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

/// How much of what a command says on its standard error is kept, in bytes.
const ERRORS: usize = 8 << 10;

/// How long the end of a command goes unnoticed at most, where something that it started keeps its output open.
const PAUSE: Duration = Duration::from_millis(20);

/// Where programs are found, if the server's own environment does not say.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// What a command may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// When it must have ended.
    pub deadline: Instant,
    /// How much it may print, in bytes.
    pub output: u64,
}

/// What a command did.
#[derive(Debug)]
pub struct Ran {
    /// What it printed, or why that cannot be used.
    pub output: Result<Vec<u8>, String>,
    /// What it said on its standard error: the first kilobytes, in printable characters.
    pub errors: String,
}

/// Runs a program with arguments. What it reads is a file, not a pipe, so that nobody waits for anybody.
pub fn run(words: &[&str], input: Option<File>, limits: &Limits) -> Ran {
    let mut errors = Vec::new();
    let output = output(words, input, limits, &mut errors);
    let errors = String::from_utf8_lossy(&errors).trim().escape_debug().to_string();
    Ran { output, errors }
}

fn output(words: &[&str], input: Option<File>, limits: &Limits, errors: &mut Vec<u8>) -> Result<Vec<u8>, String> {
    let Some((program, arguments)) = words.split_first() else {
        return Err("The command line is empty".to_owned());
    };
    let not_run = |error: io::Error| format!("The command could not be run: {error}");
    // Removed with what the command has left there.
    let folder = tempfile::tempdir().map_err(not_run)?;
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_else(|| PATH.into()))
        .env("LANG", "C.UTF-8")
        .envs(std::env::var_os("PYTHONPATH").map(|path| ("PYTHONPATH", path)))
        .current_dir(folder.path())
        .stdin(input.map_or_else(Stdio::null, Stdio::from))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    let mut group = Group::start(&mut command, limits).map_err(not_run)?;
    let output = group.watch(limits, errors)?;
    let status = group.end().map_err(not_run)?;
    match (status.code(), status.signal()) {
        (Some(0), _) => Ok(output),
        // A signal is told as Python tells it.
        (code, signal) => Err(format!(
            "command-line ended with error: {}",
            code.or(signal.map(|signal| -signal)).unwrap_or(-1)
        )),
    }
}

/// A child and what it has started, unless that left its process group. Killed when dropped.
struct Group {
    child: Child,
    pid: Pid,
    is_reaped: bool,
}

impl Group {
    fn start(command: &mut Command, limits: &Limits) -> io::Result<Self> {
        let child = command.spawn()?;
        let pid = Pid::from_child(&child);
        limit_processor(pid, limits);
        Ok(Self {
            child,
            pid,
            is_reaped: false,
        })
    }

    /// Reads what the child prints until it ends; keeps the first kilobytes of what it says on its standard error.
    fn watch(&mut self, limits: &Limits, errors: &mut Vec<u8>) -> Result<Vec<u8>, String> {
        let unread = |error: io::Error| format!("The output of the command could not be read: {error}");
        let mut out = self.child.stdout.take();
        let mut err = self.child.stderr.take();
        let unblocked = [out.as_ref().map(AsFd::as_fd), err.as_ref().map(AsFd::as_fd)];
        for fd in unblocked.into_iter().flatten() {
            let flags = fcntl_getfl(fd).map_err(|error| unread(error.into()))?;
            fcntl_setfl(fd, flags | OFlags::NONBLOCK).map_err(|error| unread(error.into()))?;
        }
        let mut output = Vec::new();
        loop {
            // Whether it had ended is asked before what it printed is read, so that nothing is missed.
            let has_ended = self.has_ended().map_err(unread)?;
            read_some(&mut out, |bytes| {
                output.extend_from_slice(bytes);
                output.len() as u64 <= limits.output
            })
            .map_err(unread)?;
            if output.len() as u64 > limits.output {
                let most = limits.output;
                return Err(format!(
                    "The command was stopped: it printed more than {most} bytes (output-bytes)"
                ));
            }
            read_some(&mut err, |bytes| {
                let room = ERRORS.saturating_sub(errors.len());
                errors.extend_from_slice(&bytes[..bytes.len().min(room)]);
                true
            })
            .map_err(unread)?;
            if has_ended {
                return Ok(output);
            }
            let Some(left) = limits.deadline.checked_duration_since(Instant::now()) else {
                return Err(
                    "The command was stopped: it took longer than it may (seconds, or computing-seconds)".to_owned(),
                );
            };
            wait(
                &[out.as_ref().map(AsFd::as_fd), err.as_ref().map(AsFd::as_fd)],
                left.min(PAUSE),
            )
            .map_err(unread)?;
        }
    }

    /// Tells whether the child has ended. It stays a zombie, so that nobody else can have its number.
    fn has_ended(&self) -> io::Result<bool> {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        Ok(waitid(WaitId::Pid(self.pid), options)?.is_some())
    }

    /// Kills what is left, and returns how the child ended.
    fn end(&mut self) -> io::Result<std::process::ExitStatus> {
        // The group is gone if its last process is: nothing to do.
        let _ = kill_process_group(self.pid, Signal::KILL);
        self.is_reaped = true;
        self.child.wait()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if !self.is_reaped {
            // Nobody is left to be told.
            let _ = self.end();
        }
    }
}

/// Bounds the processor time of a child, so that it ends even if this process is killed before.
#[cfg(target_os = "linux")]
fn limit_processor(pid: Pid, limits: &Limits) {
    use rustix::process::{Resource, Rlimit, prlimit};
    let seconds = limits.deadline.saturating_duration_since(Instant::now()).as_secs() + 1;
    let bound = |most: u64| Rlimit {
        current: Some(most),
        maximum: Some(most),
    };
    // A child that has already ended needs no limit.
    let _ = prlimit(Some(pid), Resource::Cpu, bound(seconds));
    let _ = prlimit(Some(pid), Resource::Core, bound(0));
}

#[cfg(not(target_os = "linux"))]
fn limit_processor(_pid: Pid, _limits: &Limits) {}

/// Reads what there is now, and closes a pipe at its end or when the function has seen enough.
fn read_some<R: Read>(pipe: &mut Option<R>, mut enough: impl FnMut(&[u8]) -> bool) -> io::Result<()> {
    let mut bytes = [0; 16 << 10];
    // Each call has an end, however fast the command writes.
    for _ in 0..64 {
        let Some(open) = pipe else {
            return Ok(());
        };
        match open.read(&mut bytes) {
            Ok(0) => *pipe = None,
            Ok(count) => {
                if !enough(&bytes[..count]) {
                    return Ok(());
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Waits until one of these can be read, or for some time.
fn wait(pipes: &[Option<std::os::fd::BorrowedFd<'_>>], time: Duration) -> io::Result<()> {
    let mut open: Vec<PollFd<'_>> = (pipes.iter().flatten())
        .map(|fd| PollFd::from_borrowed_fd(*fd, PollFlags::IN))
        .collect();
    // Where all the pipes are closed, the end is near.
    let time = if open.is_empty() {
        time.min(Duration::from_millis(1))
    } else {
        time
    };
    let time = Timespec {
        tv_sec: time.as_secs() as i64,
        tv_nsec: time.subsec_nanos().into(),
    };
    match poll(&mut open, Some(&time)) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod test {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::io::{Seek, SeekFrom, Write};

    use super::*;

    fn within(time_ms: u64, output: u64) -> Limits {
        Limits {
            deadline: Instant::now() + Duration::from_millis(time_ms),
            output,
        }
    }

    fn shell(script: &str, limits: &Limits) -> Ran {
        run(&["/bin/sh", "-c", script], None, limits)
    }

    #[test]
    fn what_is_printed_comes_back() {
        let ran = run(&["printf", "%s|", "a b", "$HOME"], None, &within(5000, 100));
        assert_eq!(ran.output.as_deref(), Ok(&b"a b|$HOME|"[..]));
        assert_eq!(ran.errors, "");
    }

    #[test]
    fn a_large_input_and_a_large_output_do_not_wait_for_each_other() {
        let mut file = tempfile::tempfile().unwrap();
        let line = "x".repeat(99) + "\n";
        for _ in 0..50_000 {
            file.write_all(line.as_bytes()).unwrap();
        }
        file.seek(SeekFrom::Start(0)).unwrap();
        let ran = run(&["cat"], Some(file), &within(20_000, 10_000_000));
        assert_eq!(ran.output.map(|output| output.len()), Ok(5_000_000));
    }

    #[test]
    fn a_failure_tells_its_number_and_what_was_said() {
        let ran = shell("echo oh >&2; echo 'b\tc' >&2; exit 3", &within(5000, 100));
        assert_eq!(ran.output, Err("command-line ended with error: 3".to_owned()));
        assert_eq!(ran.errors, "oh\\nb\\tc");
        let ran = shell("kill -TERM $$", &within(5000, 100));
        assert_eq!(ran.output, Err("command-line ended with error: -15".to_owned()));
    }

    #[test]
    fn what_is_said_is_bounded() {
        let ran = shell("head -c 3000000 /dev/zero | tr '\\0' e >&2", &within(20_000, 100));
        assert_eq!(ran.output.as_deref(), Ok(&b""[..]));
        assert_eq!(ran.errors.len(), ERRORS);
    }

    #[test]
    fn a_program_that_does_not_exist_is_told() {
        let problem = run(&["no-such-program-"], None, &within(5000, 100)).output.unwrap_err();
        assert!(problem.starts_with("The command could not be run: "), "{problem}");
    }

    #[test]
    fn time_is_bounded_and_nothing_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let mark = folder.path().join("mark");
        let start = Instant::now();
        // Neither the child nor what it has started in the background lives on.
        let script = format!("(sleep 1; touch {}) & sleep 60", mark.display());
        let problem = shell(&script, &within(200, 100)).output.unwrap_err();
        assert!(problem.contains("(seconds, "), "{problem}");
        assert!(start.elapsed() < Duration::from_secs(10));
        std::thread::sleep(Duration::from_millis(1500));
        assert!(!mark.exists());
    }

    #[test]
    fn what_lives_on_in_the_background_is_killed_at_the_end() {
        let start = Instant::now();
        let ran = shell("echo x; sleep 60 &", &within(30_000, 100));
        assert_eq!(ran.output.as_deref(), Ok(&b"x\n"[..]));
        assert!(start.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn a_child_that_closes_its_output_is_waited_for() {
        let ran = shell("exec >&- 2>&-; sleep 0.1; exit 4", &within(20_000, 100));
        assert_eq!(ran.output, Err("command-line ended with error: 4".to_owned()));
    }

    #[test]
    fn output_is_bounded() {
        let start = Instant::now();
        let problem = run(&["yes"], None, &within(30_000, 100_000)).output.unwrap_err();
        assert!(problem.contains("more than 100000 bytes"), "{problem}");
        assert!(start.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn there_is_hardly_any_environment_and_a_folder_of_its_own() {
        let ran = run(&["env"], None, &within(5000, 10_000));
        let text = String::from_utf8(ran.output.unwrap()).unwrap();
        let names = ["PATH", "LANG", "PYTHONPATH"];
        for line in text.lines() {
            let name = line.split('=').next().unwrap();
            assert!(names.contains(&name), "{line}");
        }
        let ran = shell("pwd; ls -A; touch left", &within(5000, 10_000));
        let text = String::from_utf8(ran.output.unwrap()).unwrap();
        let folder = std::path::Path::new(text.trim());
        assert!(folder.is_absolute() && !folder.exists(), "{text}");
    }
}
