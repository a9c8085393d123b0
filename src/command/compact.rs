//! `ktbs compact`: the store without the room that is free in its file.

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::Error;
use clap::Args;

use super::{Context, Ending};

/// Writes a copy of the store without the room that is free in its file
///
/// LMDB uses free room again, but never gives it back. The copy is as of one moment: to put it in the place of the store without
/// losing what is written after, stop the server before, then rename the directories.
#[derive(Args, Debug)]
pub struct Compact {
    /// The new directory
    directory: PathBuf,
}

impl Compact {
    /// Runs the command.
    ///
    /// # Errors
    /// The store cannot be read, the copy not be written.
    pub fn run(self, context: &Context) -> Result<Ending, Error> {
        let store = context.store()?;
        let (size, used) = store.size()?;
        store.copy(&self.directory, true)?;
        let mut out = io::stdout().lock();
        writeln!(out, "store: {size} bytes, {used} of them in use")?;
        let copied = std::fs::metadata(self.directory.join("data.mdb"))?.len();
        writeln!(out, "copy:  {copied} bytes, in {}", self.directory.display())?;
        Ok(Ending::Well)
    }
}
