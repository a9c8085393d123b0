//! `ktbs retain`: obsels are kept for a time.

use anyhow::Error;
use clap::Args;

use super::subject::tell_report;
use super::{Context, Ending, path_below};
use crate::resource::protection;

/// Removes the obsels that ended longer ago than a duration, from stored traces; computed traces follow
///
/// Traces whose origin is no date, or whose unit is no duration, are left, and told.
#[derive(Args, Debug)]
pub struct Retain {
    /// A number and a unit: s, m, h, d, w, or y (of 365 days), as 90d
    #[arg(long, value_name = "DURATION", value_parser = seconds)]
    older_than: u64,
    /// The base or trace to look into, with all that is below: its address, or its path below the root URI [else: everything]
    below: Option<String>,
    /// Tells what would be removed, and changes nothing
    #[arg(long)]
    dry_run: bool,
}

impl Retain {
    /// Runs the command.
    ///
    /// # Errors
    /// The store cannot be used.
    pub fn run(self, context: &Context) -> Result<Ending, Error> {
        let app = context.open()?;
        context.directory(&app.config)?;
        let root = &app.config.server.root;
        let path = path_below(root, self.below.as_deref().unwrap_or(""))?;
        let report = protection::retain(&app.service, &path, self.older_than, self.dry_run)?;
        tell_report(root, &report, "removed", self.dry_run)
    }
}

/// Parses a duration.
pub fn seconds(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        "w" => 7 * 86_400,
        "y" => 365 * 86_400,
        _ => return Err("write a number and s, m, h, d, w or y, as 90d".to_owned()),
    };
    let number: u64 = digits
        .parse()
        .map_err(|_| format!("{digits:?} is not a whole number"))?;
    number.checked_mul(unit).ok_or_else(|| "that is too long".to_owned())
}

#[cfg(test)]
mod test {
    use super::*;

    #[test]
    fn durations_have_a_unit() {
        assert_eq!(seconds("90d"), Ok(7_776_000));
        assert_eq!(seconds("2y"), Ok(63_072_000));
        for wrong in [
            "",
            "d",
            "9",
            "9 d",
            "-1d",
            "1.5d",
            "99999999999999999999d",
            "9999999999999999999y",
            "3é",
        ] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }
}
