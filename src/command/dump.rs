//! `ktbs dump`: the store as a dataset, or as a copy of its files.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::rc::Rc;

use anyhow::{Error, bail};
use clap::{Args, ValueEnum};

use super::progress::Progress;
use super::{Context, Ending};
use crate::format::quads::{QuadWriter, Syntax};
use crate::resource::dump::for_each_graph;
use crate::store::Reading;

/// Writes the whole store, or one base, on standard output, as it is at one moment
///
/// The server may go on meanwhile. Nothing is computed: a computed trace is written as it was when last read. Access control lists
/// are written too, in the graphs `@acl`: who passes a dump on passes the names of users on. What is written can be read by `ktbs
/// load`, and by any RDF database.
#[derive(Args, Debug)]
pub struct Dump {
    /// The base (or other resource) to write with all that is below it: its address, or its path below the root URI
    /// [else: everything]
    below: Option<String>,
    /// The syntax
    #[arg(short, long, value_enum, default_value = "nquads")]
    format: Format,
    /// Copies the files of the store to this new directory instead: quicker, but for this program only
    #[arg(long, value_name = "DIRECTORY", conflicts_with_all = ["below", "format"])]
    raw: Option<PathBuf>,
}

/// A syntax of dumps, as it is named on the command line.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Format {
    #[value(name = "nquads")]
    NQuads,
    #[value(name = "trig")]
    TriG,
}

impl From<Format> for Syntax {
    fn from(format: Format) -> Self {
        match format {
            Format::NQuads => Self::NQuads,
            Format::TriG => Self::TriG,
        }
    }
}

impl Dump {
    /// Runs the command.
    ///
    /// # Errors
    /// The store cannot be read; nobody takes what is written.
    pub fn run(self, context: &Context) -> Result<Ending, Error> {
        let store = context.store()?;
        if let Some(directory) = self.raw {
            store.copy(&directory, false)?;
            return Ok(Ending::Well);
        }
        let syntax = self.format.into();
        let path = super::path_below(store.root(), self.below.as_deref().unwrap_or(""))?;
        let snapshot = Rc::new(store.read()?);
        if snapshot.head(&path)?.is_none() {
            bail!("there is no <{}{path}>", store.root());
        }
        let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
        let mut writer = QuadWriter::new(syntax, &mut out);
        let progress = Progress::counting("graphs");
        for_each_graph(&snapshot, &path, &mut |name, view| {
            progress.step(name);
            writer.graph(name, view)
        })?;
        out.flush()?;
        Ok(Ending::Well)
    }
}
