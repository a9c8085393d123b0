//! `ktbs info`: what is in the store.

use std::collections::BTreeMap;
use std::io::{self, Write};

use anyhow::Error;
use clap::Args;

use super::{Context, DETAILS, Ending};
use crate::store::{Kind, Reading};

/// Tells what this program and its store are: versions, sizes, numbers of resources and obsels
#[derive(Args, Debug)]
pub struct Info {}

impl Info {
    /// Runs the command.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn run(self, context: &Context) -> Result<Ending, Error> {
        let mut out = io::stdout().lock();
        writeln!(out, "version: {}", *DETAILS)?;
        let store = context.store()?;
        writeln!(out, "root URI: {}", store.root())?;
        writeln!(out, "store: {}", store.directory().display())?;
        let (size, used) = store.size()?;
        writeln!(out, "bytes: {size}, in use: {used}")?;
        let snapshot = store.read()?;
        let mut kinds: BTreeMap<&str, u64> = BTreeMap::new();
        let (mut obsels, mut triples) = (0, 0);
        snapshot.for_each_below("", &mut |entry| {
            *kinds.entry(name(entry.head.kind)).or_default() += 1;
            if let Some(trace) = entry.head.trace {
                let record = snapshot.trace(trace)?;
                obsels += record.obsels;
                triples += record.triples;
            }
            Ok(())
        })?;
        for (kind, count) in kinds {
            writeln!(out, "{kind}: {count}")?;
        }
        writeln!(out, "obsels: {obsels}")?;
        writeln!(out, "triples of obsels: {triples}")?;
        Ok(Ending::Well)
    }
}

fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Root => "roots",
        Kind::Base => "bases",
        Kind::TraceModel => "models",
        Kind::Method => "methods",
        Kind::DataGraph => "data graphs",
        Kind::StoredTrace => "stored traces",
        Kind::ComputedTrace => "computed traces",
    }
}
