//! `ktbs verify`: whether all the tables of the store fit together.

use std::io::{self, Write};

use anyhow::Error;
use clap::Args;

use super::progress::Progress;
use super::{Context, Ending};
use crate::resource::access::lists;
use crate::store;

/// Walks every table of the store, and tells what does not fit together: counts, indexes, orphans
///
/// It reads one state of the store, and changes nothing; the server may go on meanwhile. Ends with status 1 if it finds anything.
#[derive(Args, Debug)]
pub struct Verify {}

impl Verify {
    /// Runs the command.
    ///
    /// # Errors
    /// The store cannot be opened, or its file cannot be read.
    pub fn run(self, context: &Context) -> Result<Ending, Error> {
        let store = context.store()?;
        let snapshot = store.read()?;
        let progress = Progress::bar("traces");
        let mut problems = Vec::new();
        let walked = store::verify::verify(
            &snapshot,
            &mut |problem| problems.push(problem),
            &mut |path, done, total| {
                progress.at(path, done, total);
            },
        )?;
        drop(progress);
        for path in lists::unreadable(&snapshot)? {
            problems.push(format!("access control list <{path}>: its record cannot be decoded"));
        }
        let mut out = io::stdout().lock();
        for problem in &problems {
            writeln!(out, "wrong: {problem}")?;
        }
        writeln!(
            out,
            "walked: {} resources, {} links, {} access control lists, {} traces, {} obsels, {} names",
            walked.resources, walked.links, walked.lists, walked.traces, walked.obsels, walked.names
        )?;
        writeln!(out, "problems: {}", problems.len())?;
        Ok(if problems.is_empty() {
            Ending::Well
        } else {
            Ending::Wrong
        })
    }
}
