//! The stages of each request and the time they took, told in `Server-Timing` (W3C Server Timing), which the tools of
//! browsers show.
//!
//! A body that is too large to be held is written when the headers have been sent: its time is told by nobody.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use ::http::{HeaderName, HeaderValue, request, response};

use super::{NOTHING, Steps};
use crate::config::Config;

/// What the plugin does.
pub const STEPS: Steps = Steps {
    takes: &["profiler"],
    after: tell,
    ..NOTHING
};

const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// Measures the stages of a request.
#[derive(Debug)]
pub struct Stages {
    start: Instant,
    past: RefCell<Vec<(&'static str, Duration)>>,
}

/// What was measured: the stages in their order, then all of it.
#[derive(Clone, Debug)]
pub struct Measured(Vec<(&'static str, Duration)>);

impl Default for Stages {
    fn default() -> Self {
        Self {
            start: Instant::now(),
            past: RefCell::default(),
        }
    }
}

impl Stages {
    /// Does a stage; one that is done several times is one.
    pub fn time<T>(&self, stage: &'static str, f: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let done = f();
        let elapsed = start.elapsed();
        let mut past = self.past.borrow_mut();
        match past.iter_mut().find(|it| it.0 == stage) {
            Some(known) => known.1 += elapsed,
            None => past.push((stage, elapsed)),
        }
        done
    }

    /// Returns what was measured so far.
    pub fn measured(&self) -> Measured {
        let mut measured = self.past.borrow().clone();
        measured.push(("total", self.start.elapsed()));
        Measured(measured)
    }
}

fn tell(_: &Config, _: &request::Parts, response: &mut response::Parts) {
    let Some(Measured(stages)) = response.extensions.remove::<Measured>() else {
        return;
    };
    let stages: Vec<String> = stages
        .iter()
        .map(|(stage, time)| format!("{stage};dur={:.3}", time.as_secs_f64() * 1000.0))
        .collect();
    if let Ok(value) = HeaderValue::from_str(&stages.join(", ")) {
        response.headers.insert(SERVER_TIMING, value);
    }
}

#[cfg(test)]
mod test {
    use super::*;

    #[test]
    fn stages_are_told_in_their_order() {
        let stages = Stages::default();
        assert_eq!(stages.time("find", || 1), 1);
        stages.time("write", || std::thread::sleep(Duration::from_millis(3)));
        stages.time("find", || ());
        let Measured(measured) = stages.measured();
        let names: Vec<_> = measured.iter().map(|it| it.0).collect();
        assert_eq!(names, ["find", "write", "total"]);
        assert!(measured[1].1 >= Duration::from_millis(3) && measured[2].1 >= measured[1].1);
    }
}
