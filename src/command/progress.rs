//! What is shown on a terminal while something takes long. Elsewhere, nothing is.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// A line at the bottom of the terminal, on standard error; cleared when it is dropped.
#[derive(Debug)]
pub struct Progress(ProgressBar);

/// How often the line is drawn anew.
const TICK: Duration = Duration::from_millis(200);

impl Progress {
    /// Returns a counter of something, whose total is not known.
    pub fn counting(what: &str) -> Self {
        Self::with("{spinner} {human_pos} {prefix} in {elapsed} {wide_msg}", what)
    }

    /// Returns a bar, whose total is told later.
    pub fn bar(what: &str) -> Self {
        Self::with(
            "{bar:40} {human_pos} of {human_len} {prefix}, {eta} left {wide_msg}",
            what,
        )
    }

    fn with(template: &str, what: &str) -> Self {
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::no_length().with_style(style).with_prefix(what.to_owned());
        bar.enable_steady_tick(TICK);
        Self(bar)
    }

    /// Counts one more.
    pub fn tick(&self) {
        self.0.inc(1);
    }

    /// Counts one more, and shows its name.
    pub fn step(&self, name: &str) {
        self.0.set_message(name.to_owned());
        self.0.inc(1);
    }

    /// Shows how many are done of how many, and the name of the present one.
    pub fn at(&self, name: &str, done: usize, total: usize) {
        self.0.set_length(total as u64);
        self.0.set_position(done as u64);
        self.0.set_message(name.to_owned());
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
