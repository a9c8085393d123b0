//! `ktbs rebase`: the store under another root URI.

use std::io::{self, Write};

use anyhow::{Error, bail};
use clap::Args;

use super::{Context, Ending};
use crate::resource;

/// Brings a store from a root URI to another: rewrites the parameters that quote the former one, and tells what else does
///
/// Addresses need no rewriting: they are stored relative to the root. Stop the server, set the new root URI in the
/// configuration, run this, start the server again. The store is changed in place; copy it first with `ktbs dump --raw`.
#[derive(Args, Debug)]
pub struct Rebase {
    /// The former root URI
    old: String,
    /// The new one, which must be that of the configuration
    new: String,
    /// Tells what would be rewritten, and changes nothing
    #[arg(long)]
    dry_run: bool,
}

impl Rebase {
    /// Runs the command.
    ///
    /// # Errors
    /// The URIs are none, or not that of the configuration; the store cannot be used.
    pub fn run(self, context: &Context) -> Result<Ending, Error> {
        let rebase = resource::rebase::Rebase::new(&self.old, &self.new)?;
        let app = context.open()?;
        context.directory(&app.config)?;
        let root = &app.config.server.root;
        if *root != self.new {
            bail!(
                "the root URI of the configuration is {root}: set it to {} first",
                self.new
            );
        }
        let report = resource::rebase::rebase(&app.service, &rebase, self.dry_run)?;
        let mut out = io::stdout().lock();
        for (resource, parameter) in &report.parameters {
            writeln!(out, "rewritten: parameter {parameter} of <{resource}>")?;
        }
        for (resource, property) in &report.literals {
            writeln!(out, "left as it is: a literal of {property} in <{resource}>")?;
        }
        if report.obsels > 0 {
            writeln!(out, "left as they are: literals of {} obsels", report.obsels)?;
        }
        for iri in &report.foreign {
            writeln!(
                out,
                "doubtful: <{iri}> was in the store before this root: load a dump with --from instead"
            )?;
        }
        writeln!(out, "parameters rewritten: {}", report.parameters.len())?;
        if self.dry_run {
            writeln!(out, "nothing was changed: this was a dry run")?;
        }
        Ok(if report.foreign.is_empty() {
            Ending::Well
        } else {
            Ending::Wrong
        })
    }
}
