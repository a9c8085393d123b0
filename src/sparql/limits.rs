//! The limits of a query, and how a query that goes beyond them is stopped.
//!
//! The evaluator hands rows from one step to the next for as long as it takes, and some of its loops (a product of two
//! patterns, say) never come back to the data. But there is nothing that it does at length without copying a number of
//! a term, reading a triple or spelling out a term, and these are ours: each calls [`tick`], which looks at the clock
//! and at the memory from time to time, and unwinds the stack when there is no more of either. [`watch`] is where the
//! unwinding ends, as an error. It is not a panic: no hook is called, nothing is logged.

use std::cell::{Cell, RefCell};
use std::panic::{self, AssertUnwindSafe};
use std::time::{Duration, Instant};

use crate::error::{Error, Result};

/// What one query, or one computation made of many, may take.
#[derive(Clone, Debug)]
pub struct Limits {
    /// How long it may run.
    pub time: Duration,
    /// By how many bytes the memory of the process may grow.
    pub memory: u64,
    /// The length of the text of a query, in bytes.
    pub length: usize,
    /// How deep `(`, `[` and `{` may be nested.
    pub nesting: usize,
    /// The length of a text that a function makes, in bytes.
    pub literal: usize,
}

impl Default for Limits {
    /// 20 seconds, which is below the 40 that Apache waits for a program by default; 256 MiB.
    fn default() -> Self {
        Self {
            time: Duration::from_secs(20),
            memory: 256 << 20,
            length: 256 << 10,
            nesting: 48,
            literal: 1 << 20,
        }
    }
}

/// How many ticks pass between two looks at the clock: some hundred microseconds.
const TICKS: u64 = 1 << 16;

/// How much time passes at least between two looks at the memory, which cost some 20 microseconds.
const MEMORY_PERIOD: Duration = Duration::from_millis(2);

thread_local! {
    static LEFT: Cell<u64> = const { Cell::new(TICKS) };
    static WATCH: RefCell<Option<Watch>> = const { RefCell::new(None) };
}

/// A computation under way in this thread.
#[derive(Clone, Debug)]
struct Watch {
    limits: Limits,
    deadline: Instant,
    /// When the memory was last looked at, and how much there was the first time.
    memory: Option<(Instant, u64)>,
}

/// What unwinds the stack.
struct Stopped(Error);

/// Does something within limits. One `watch` in another has no more time than what is left to the other.
///
/// # Errors
/// `Timeout`, `TooComplex`: a limit was reached; those of the function.
pub fn watch<T>(limits: &Limits, f: impl FnOnce() -> Result<T>) -> Result<T> {
    let outer = WATCH.take();
    let now = Instant::now();
    let mut deadline = now + limits.time;
    let mut memory = None;
    if let Some(outer) = &outer {
        deadline = deadline.min(outer.deadline);
        memory = outer.memory;
    }
    WATCH.set(Some(Watch {
        limits: limits.clone(),
        deadline,
        memory,
    }));
    // What the function has built is dropped on the way: nobody sees it half-made.
    let result = panic::catch_unwind(AssertUnwindSafe(f));
    WATCH.set(outer);
    match result {
        Ok(result) => result,
        Err(payload) => match payload.downcast::<Stopped>() {
            Ok(stopped) => Err(stopped.0),
            Err(payload) => panic::resume_unwind(payload),
        },
    }
}

/// Tells that some work was done: one unit is a row, or some bytes of text. Outside of [`watch`], it does nothing.
///
/// Does not return if a limit is reached.
#[inline]
pub(super) fn tick(units: u64) {
    LEFT.with(|left| match left.get().checked_sub(units) {
        Some(rest) => left.set(rest),
        None => {
            left.set(TICKS);
            look();
        }
    });
}

/// Tells that a text was copied.
#[inline]
pub(super) fn tick_text(text: &str) {
    tick(1 + text.len() as u64 / 64);
}

/// Returns the length that a text may have; unbounded outside of [`watch`].
pub(super) fn literal() -> usize {
    WATCH.with_borrow(|watch| watch.as_ref().map_or(usize::MAX, |watch| watch.limits.literal))
}

/// Stops the computation under way in this thread, up to its [`watch`].
pub(super) fn stop(error: Error) -> ! {
    panic::resume_unwind(Box::new(Stopped(error)))
}

#[cold]
fn look() {
    let error = WATCH.with_borrow_mut(|watch| watch.as_mut().and_then(Watch::look));
    if let Some(error) = error {
        stop(error);
    }
}

impl Watch {
    fn look(&mut self) -> Option<Error> {
        let now = Instant::now();
        if now >= self.deadline {
            return Some(Error::Timeout(format!(
                "the query was cancelled: it takes more than {} s (query-seconds)",
                self.limits.time.as_secs_f64()
            )));
        }
        match &mut self.memory {
            Some((looked, _)) if now - *looked < MEMORY_PERIOD => None,
            Some((looked, before)) => {
                *looked = now;
                let more = memory()?.saturating_sub(*before);
                (more > self.limits.memory).then(|| {
                    Error::TooComplex(format!(
                        "the query was cancelled: it takes more than {} MiB of memory (query-memory)",
                        self.limits.memory >> 20
                    ))
                })
            }
            None => {
                self.memory = memory().map(|bytes| (now, bytes));
                None
            }
        }
    }
}

/// Returns how many bytes of memory this process holds, files that are mapped aside; `None` where the system does not
/// tell (proc(5), `/proc/self/status`).
fn memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib << 10)
}

#[cfg(test)]
mod test {
    use super::*;

    fn quick(time_ms: u64) -> Limits {
        Limits {
            time: Duration::from_millis(time_ms),
            ..Limits::default()
        }
    }

    fn spin() -> ! {
        loop {
            tick(100);
        }
    }

    #[test]
    fn time_is_bounded() {
        let start = Instant::now();
        let result: Result<()> = watch(&quick(20), || spin());
        assert!(matches!(result, Err(Error::Timeout(_))), "{result:?}");
        assert!(start.elapsed() < Duration::from_secs(2));
    }

    #[test]
    fn memory_is_bounded() {
        let limits = Limits {
            memory: 64 << 20,
            ..Limits::default()
        };
        let result: Result<()> = watch(&limits, || {
            let mut all = Vec::new();
            loop {
                all.push(vec![1u8; 1000]);
                tick(10);
            }
        });
        assert!(matches!(result, Err(Error::TooComplex(_))), "{result:?}");
    }

    #[test]
    fn an_inner_watch_has_no_more_time_than_the_outer_one() {
        let result: Result<()> = watch(&quick(20), || watch(&Limits::default(), || spin()));
        assert!(matches!(result, Err(Error::Timeout(_))), "{result:?}");
    }

    #[test]
    fn other_panics_go_through() {
        let result = panic::catch_unwind(|| {
            watch(&Limits::default(), || -> Result<()> {
                panic::resume_unwind(Box::new(3))
            })
        });
        assert_eq!(result.err().and_then(|e| e.downcast::<i32>().ok()), Some(Box::new(3)));
        // The watch is over.
        assert_eq!(literal(), usize::MAX);
    }

    #[test]
    fn the_system_tells_how_much_memory_there_is() {
        if cfg!(target_os = "linux") {
            assert!(memory().is_some_and(|bytes| bytes > 100_000));
        }
    }
}
