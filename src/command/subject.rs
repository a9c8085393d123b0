//! `ktbs subject`: protection of research data, one person at a time.

use std::io::{self, BufWriter, Write};

use anyhow::Error;
use clap::{Args, Subcommand};

use super::{Context, Ending, path_below};
use crate::format::quads::{QuadWriter, Syntax};
use crate::resource::protection::{self, Action, Report};

/// Finds, removes or renames what is about one subject: the obsels whose `hasSubject` is this text or IRI
///
/// Stored traces are changed, and computed traces are brought up to date, so that they follow. What other obsels say of these obsels, in
/// any trace, or of a subject that is an IRI, is exported, removed or renamed too. What else may speak of a person is not touched:
/// texts that have the name in them, descriptions of resources and access control lists, which are told; identifiers, the log, copies
/// made before, which are not. What was removed may stay in the free room of the store's file until it is used again: `ktbs compact`
/// makes a file without it.
#[derive(Args, Debug)]
pub struct Subject {
    #[command(subcommand)]
    action: What,
}

#[derive(Subcommand, Debug)]
enum What {
    /// Writes the obsels of the subject as N-Quads, with all that is said of them
    Export {
        #[command(flatten)]
        which: Which,
    },
    /// Removes the obsels of the subject, what refers to them, and the subject from the traces that give it to new obsels
    Erase {
        #[command(flatten)]
        which: Which,
        /// Tells what would be removed, and changes nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Gives the subject another name
    Pseudonymise {
        #[command(flatten)]
        which: Which,
        /// The other name [else: a random one, which is told]
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        /// Tells what would be renamed, and changes nothing
        #[arg(long)]
        dry_run: bool,
    },
}

#[derive(Args, Debug)]
struct Which {
    /// The subject, as the obsels have it: a text or an IRI
    subject: String,
    /// The base or trace to look into, with all that is below: its address, or its path below the root URI [else: everything]
    below: Option<String>,
}

impl Subject {
    /// Runs the command.
    ///
    /// # Errors
    /// The store cannot be used; nobody takes what is written.
    pub fn run(self, context: &Context) -> Result<Ending, Error> {
        match self.action {
            What::Export { which } => export(context, &which),
            What::Erase { which, dry_run } => apply(context, &which, &Action::Erase, dry_run),
            What::Pseudonymise { which, name, dry_run } => {
                let name = match name {
                    Some(name) => name,
                    None => protection::pseudonym()?,
                };
                let ending = apply(context, &which, &Action::Rename(name.clone()), dry_run)?;
                writeln!(io::stdout(), "new name: {name}")?;
                Ok(ending)
            }
        }
    }
}

fn export(context: &Context, which: &Which) -> Result<Ending, Error> {
    let store = context.store()?;
    let path = path_below(store.root(), which.below.as_deref().unwrap_or(""))?;
    let snapshot = store.read()?;
    let mut out = BufWriter::new(io::stdout().lock());
    let mut writer = QuadWriter::new(Syntax::NQuads, &mut out);
    protection::export(&snapshot, &path, &which.subject, &mut |name, view| {
        writer.graph(name, view)
    })?;
    out.flush()?;
    Ok(Ending::Well)
}

fn apply(context: &Context, which: &Which, action: &Action, dry_run: bool) -> Result<Ending, Error> {
    let app = context.open()?;
    context.directory(&app.config)?;
    let path = path_below(&app.config.server.root, which.below.as_deref().unwrap_or(""))?;
    let report = protection::apply(&app.service, &path, &which.subject, action, dry_run)?;
    let done = match action {
        Action::Erase => "removed",
        Action::Rename(_) => "renamed",
    };
    tell_report(&app.config.server.root, &report, done, dry_run)
}

/// Tells what was found and done, and what is left.
pub fn tell_report(root: &str, report: &Report, done: &str, dry_run: bool) -> Result<Ending, Error> {
    let mut out = io::stdout().lock();
    for (path, count) in &report.obsels {
        writeln!(out, "<{root}{path}>: {count} obsels")?;
    }
    for (path, count) in &report.references {
        writeln!(
            out,
            "<{root}{path}>: {count} other obsels that refer to these or to the subject"
        )?;
    }
    for path in &report.defaults {
        writeln!(out, "<{root}{path}>: the subject of its new obsels")?;
    }
    for path in &report.undated {
        writeln!(out, "<{root}{path}>: kept, since its obsels have no dates")?;
    }
    for left in &report.left {
        writeln!(out, "left: {left}")?;
    }
    let total: u64 = report.obsels.values().sum();
    let done = if dry_run { "found" } else { done };
    writeln!(out, "obsels {done}: {total}")?;
    if dry_run {
        writeln!(out, "nothing was changed: this was a dry run")?;
    }
    Ok(if report.left.is_empty() {
        Ending::Well
    } else {
        Ending::Wrong
    })
}
