//! `ktbs load`: a dump into an empty store.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::PathBuf;

use anyhow::{Context as _, Error, bail};
use clap::Args;

use super::dump::Format;
use super::progress::Progress;
use super::{Context, Ending};
use crate::error::Result as DomainResult;
use crate::format::quads::{self, ReadQuad, Syntax};
use crate::rdf::{Term, is_iri};
use crate::resource::load::Gathering;
use crate::resource::rebase::Rebase;
use crate::vocab::{ktbs, rdf};

/// Fills an empty store with a dump: one of `ktbs dump`, or one of the Python kTBS, made by its `sc_dump`
///
/// All of it is loaded, or nothing. Computed traces are computed again when they are first read.
#[derive(Args, Debug)]
pub struct Load {
    /// The dump; `-` is standard input
    #[arg(default_value = "-")]
    file: PathBuf,
    /// The syntax [else: told by the name of the file; N-Quads if it does not tell]
    #[arg(short, long, value_enum)]
    format: Option<Format>,
    /// The root URI that the dump was made under, where it is another one
    #[arg(long, value_name = "ROOT-URI")]
    from: Option<String>,
    /// Leaves out the obsels and resources that break a rule, instead of loading nothing
    #[arg(long)]
    keep_going: bool,
    /// Tells what would be loaded, and loads nothing
    #[arg(long)]
    dry_run: bool,
}

/// How many problems are told one by one.
const TOLD: usize = 20;

impl Load {
    /// Runs the command.
    ///
    /// # Errors
    /// The dump cannot be read, the store is not empty or cannot be written.
    pub fn run(self, context: &Context) -> Result<Ending, Error> {
        let app = context.open()?;
        context.directory(&app.config)?;
        let root = app.config.server.root.as_str();
        let name = self.file.display().to_string();
        let input: Box<dyn BufRead> = if name == "-" {
            Box::new(io::stdin().lock())
        } else {
            let file = File::open(&self.file).with_context(|| name.clone())?;
            Box::new(BufReader::with_capacity(1 << 16, file))
        };
        let rebase = self.from.as_deref().map(|from| Rebase::new(from, root)).transpose()?;
        let mut gathering = Gathering::new(root)?;
        let mut other_root = None;
        let progress = Progress::counting("triples");
        quads::parse(self.syntax(), input, &mut |quad| {
            progress.tick();
            take(&mut gathering, rebase.as_ref(), root, &mut other_root, quad)
        })
        .with_context(|| name.clone())?;
        drop(progress);
        if let Some(other) = other_root {
            bail!("{name} was made under the root URI {other}, and this kTBS has {root}: give --from {other}");
        }
        let (ignored, derived) = (gathering.ignored, gathering.derived);
        let progress = Progress::bar("traces");
        let accepting = self.keep_going && !self.dry_run;
        let loaded = gathering.store(&app.service, accepting, self.dry_run, &mut |path, done, total| {
            progress.at(path, done, total);
        })?;
        drop(progress);
        let mut errors = io::stderr().lock();
        for problem in loaded.problems.iter().take(TOLD) {
            writeln!(errors, "ktbs: {}", problem.replace('\n', " "))?;
        }
        if loaded.problems.len() > TOLD {
            writeln!(errors, "ktbs: and {} more like these", loaded.problems.len() - TOLD)?;
        }
        let mut out = io::stdout().lock();
        for (kind, count) in &loaded.resources {
            writeln!(out, "{kind}: {count}")?;
        }
        if loaded.lists > 0 {
            writeln!(out, "access control lists: {}", loaded.lists)?;
        }
        writeln!(out, "obsels: {}", loaded.obsels)?;
        if derived > 0 {
            writeln!(out, "triples that are made anew: {derived}")?;
        }
        if ignored > 0 {
            writeln!(
                out,
                "triples in graphs of no resource below {root}, left aside: {ignored}"
            )?;
        }
        let is_well = loaded.problems.is_empty();
        if self.dry_run {
            writeln!(out, "nothing was loaded: this was a dry run")?;
        } else if !is_well && !accepting {
            writeln!(errors, "ktbs: nothing was loaded; --keep-going loads the rest")?;
        }
        Ok(if is_well || accepting {
            Ending::Well
        } else {
            Ending::Wrong
        })
    }

    fn syntax(&self) -> Syntax {
        let by_name = self.file.extension().is_some_and(|extension| extension == "trig");
        match self.format {
            Some(format) => format.into(),
            None if by_name => Syntax::TriG,
            None => Syntax::NQuads,
        }
    }
}

/// Takes a quad, brought to the present root. Notes the root of the dump if it is another.
fn take(
    gathering: &mut Gathering,
    rebase: Option<&Rebase>,
    root: &str,
    other_root: &mut Option<String>,
    (s, p, o, g): ReadQuad<'_>,
) -> DomainResult<()> {
    let Some(rebase) = rebase else {
        if is_iri(p, rdf::TYPE)
            && is_iri(o, ktbs::KTBS_ROOT)
            && g == Some(s)
            && let Some(iri) = crate::rdf::as_iri(s).filter(|iri| *iri != root)
        {
            *other_root = Some(iri.to_owned());
        }
        return gathering.add([s, p, o], g);
    };
    let moved = |term: &Term| rebase.term(term).unwrap_or_else(|| term.clone());
    let object = rebase.object(p, o).unwrap_or_else(|| o.clone());
    let graph = g.map(moved);
    gathering.add([&moved(s), &moved(p), &object], graph.as_ref())
}
