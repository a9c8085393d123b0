//! `ktbs acl`: who may do what with a base or a trace, the lists that `@acl` shows.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::PathBuf;

use anyhow::{Context as _, Error, bail, ensure};
use clap::{Args, Subcommand, ValueEnum};
use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::{Context, Ending, path_below};
use crate::App;
use crate::error::Error as DomainError;
use crate::format::{self, Context as ParseContext, Prefixes};
use crate::rdf::Graph;
use crate::resource::access::{Access, Rights, Visitor};
use crate::resource::{Expected, Service, Shape, Target, View};

/// Shows and changes who may do what with the root, a base or a trace, and with what is below
///
/// WHO is everybody, logged-in, user:NAME or group:NAME; a right is read, add (obsels), write (with both) or manage (with all).
/// A list takes the place of that of the container: `grant` and `revoke` begin with what holds now, so that nothing else changes.
#[derive(Args, Debug)]
pub struct Acl {
    #[command(subcommand)]
    action: What,
}

#[derive(Subcommand, Debug)]
enum What {
    /// Writes the list that holds, as @acl shows it to a manager
    Show {
        #[command(flatten)]
        which: Which,
        /// The syntax
        #[arg(long, value_enum, default_value = "json")]
        format: Syntax,
    },
    /// Replaces the list by another, with its owner; {"inherited": true} gives it that of its container again
    Set {
        #[command(flatten)]
        which: Which,
        /// The new list; `-` is standard input
        #[arg(default_value = "-")]
        file: PathBuf,
        /// The syntax
        #[arg(long, value_enum, default_value = "json")]
        format: Syntax,
        #[command(flatten)]
        trial: Trial,
    },
    /// Adds a right
    Grant(Step),
    /// Takes back a right, and those that include it: without read, neither write nor manage is left
    Revoke(Step),
}

/// A right more or less.
#[derive(Args, Debug)]
struct Step {
    #[command(flatten)]
    which: Which,
    /// The right; `all` for all of them
    #[arg(value_parser = right)]
    right: Right,
    /// Whose right
    #[arg(required = true)]
    who: Vec<String>,
    #[command(flatten)]
    trial: Trial,
}

#[derive(Args, Debug)]
struct Trial {
    /// Tells what the list would be, and changes nothing
    #[arg(long)]
    dry_run: bool,
}

#[derive(Args, Debug)]
struct Which {
    /// The base or trace: its address, or its path below the root URI; empty for the root
    path: String,
}

/// A right by its name; `None`: all.
type Right = Option<Rights>;

fn right(name: &str) -> Result<Right, String> {
    match Rights::named(name) {
        None if name != "all" => Err("the rights are read, add, write and manage".to_owned()),
        right => Ok(right),
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Syntax {
    /// As access control lists are in simple JSON
    Json,
    /// Turtle, in the vocabulary of Web Access Control
    Turtle,
}

impl Syntax {
    fn extension(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Turtle => "ttl",
        }
    }
}

/// How often a list that others change meanwhile is read again.
const TRIALS: usize = 5;

impl Acl {
    /// Runs the command.
    ///
    /// # Errors
    /// The store cannot be used; there is no such base or trace; what is given is no list.
    pub fn run(self, context: &Context) -> Result<Ending, Error> {
        let app = context.open()?;
        context.directory(&app.config)?;
        if !app.config.plugins.authx {
            writeln!(
                io::stderr(),
                "warning: the plugin authx is off: lists are not looked at"
            )?;
        }
        let lists = Lists::new(&app);
        match self.action {
            What::Show { which, format } => {
                let target = lists.find(&which.path)?;
                let view = lists.service.read(target, &[])?;
                io::stdout().write_all(&lists.written(&view, format)?)?;
            }
            What::Set {
                which,
                file,
                format,
                trial,
            } => {
                let mut text = Vec::new();
                if file.as_os_str() == "-" {
                    io::stdin().read_to_end(&mut text)?;
                } else {
                    let name = || file.display().to_string();
                    File::open(&file)
                        .with_context(name)?
                        .read_to_end(&mut text)
                        .with_context(name)?;
                }
                let target = lists.find(&which.path)?;
                let graph = lists.parsed(&target, &text, format)?;
                lists.replace(target, graph, &Expected::Anything, trial.dry_run)?;
            }
            What::Grant(step) => lists.change(&step, &mut |had, _, _| Ok(had | step.right.unwrap_or(Rights::ALL)))?,
            What::Revoke(step) => lists.change(&step, &mut |had, name, iri| {
                let left = step.right.map_or(Rights::NONE, |right| had.without(right));
                ensure!(had != left, "{name} has no such right in the list of <{iri}>");
                Ok(left)
            })?,
        }
        Ok(Ending::Well)
    }
}

/// Whoever the rights belong to, as the list calls them, in its order.
type Granted = IndexMap<String, Rights>;

/// The lists of a kTBS, as an administrator finds them.
struct Lists<'a> {
    app: &'a App,
    service: Service,
}

impl<'a> Lists<'a> {
    fn new(app: &'a App) -> Self {
        let administrator = Visitor {
            is_admin: true,
            ..Visitor::default()
        };
        let access = Access::new(administrator, app.config.authx.policy, &app.service.settings);
        let service = app.service.for_visitor(access);
        Self { app, service }
    }

    fn find(&self, path: &str) -> Result<Target, Error> {
        let root = &self.app.config.server.root;
        let mut path = path_below(root, path)?;
        if !path.is_empty() && !path.ends_with('/') {
            path.push('/');
        }
        match self.service.find(&format!("{root}{path}@acl")) {
            Err(DomainError::NotFound | DomainError::LoginRequired) => {
                bail!("there is no base nor trace <{root}{path}>")
            }
            found => Ok(found?),
        }
    }

    fn written(&self, view: &View, syntax: Syntax) -> Result<Vec<u8>, Error> {
        let mut offers = format::offers(Shape::Acl);
        let offer = offers.find(|offer| offer.extension == Some(syntax.extension()));
        let write = offer
            .and_then(|offer| offer.format.write)
            .context("this syntax is not written")?;
        let mut out = Vec::new();
        write(view, &Prefixes(self.app.config.prefixes.clone()), &mut out)?;
        if !out.ends_with(b"\n") {
            out.push(b'\n');
        }
        Ok(out)
    }

    fn parsed(&self, target: &Target, text: &[u8], syntax: Syntax) -> Result<Graph, Error> {
        let (_, format) = format::parser_of_extension(syntax.extension()).context("this syntax is not read")?;
        let parse = format.parse.context("this syntax is not read")?;
        let parent = target.parent();
        let context = ParseContext {
            base: &target.iri,
            shape: Shape::Acl,
            parent: parent.as_deref(),
            parent_is_root: false,
            model: None,
            replacing: true,
            limits: &self.app.config.limits.payload,
        };
        Ok(parse(text, &context)?)
    }

    /// Changes the rights of a list, and nothing else of it: `change` is given what somebody had, who that is and the list's IRI.
    fn change(
        &self,
        step: &Step,
        change: &mut dyn FnMut(Rights, &str, &str) -> Result<Rights, Error>,
    ) -> Result<(), Error> {
        for trial in 1.. {
            let target = self.find(&step.which.path)?;
            let expected = Expected::Tags(target.tags()?);
            let view = self.service.read(self.find(&step.which.path)?, &[])?;
            let mut list: Map<String, Value> = serde_json::from_slice(&self.written(&view, Syntax::Json)?)?;
            let mut granted = granted(&list);
            for name in &step.who {
                let had = granted.entry(name.clone()).or_default();
                *had = change(*had, name, target.iri.trim_end_matches("@acl"))?;
            }
            list.insert("inherited".to_owned(), false.into());
            put(&mut list, &granted);
            let graph = self.parsed(&target, &serde_json::to_vec(&list)?, Syntax::Json)?;
            match self.replace(target, graph, &expected, step.trial.dry_run) {
                Err(error) if trial < TRIALS && matches!(error.downcast_ref(), Some(DomainError::EtagMismatch)) => {}
                done => return done,
            }
        }
        Ok(())
    }

    /// Replaces a list, or tries it, and tells what it is then.
    fn replace(&self, target: Target, graph: Graph, expected: &Expected, dry_run: bool) -> Result<(), Error> {
        let mut out = io::stdout().lock();
        let view = if dry_run {
            self.service.try_list(&target, &graph)?
        } else {
            self.service.replace(target, expected, graph)?
        };
        out.write_all(&self.written(&view, Syntax::Json)?)?;
        if dry_run {
            writeln!(io::stderr(), "nothing was changed: this was a dry run")?;
        }
        Ok(())
    }
}

/// Returns what a list in simple JSON grants.
fn granted(list: &Map<String, Value>) -> Granted {
    let mut granted = Granted::new();
    for (name, right) in Rights::each() {
        for who in list.get(name).and_then(Value::as_array).into_iter().flatten() {
            let who = who.as_str().unwrap_or_default();
            let had = granted.entry(who.to_owned()).or_default();
            *had = *had | right;
        }
    }
    granted
}

/// Puts into a list in simple JSON what it is to grant.
fn put(list: &mut Map<String, Value>, granted: &Granted) {
    for (right, _) in Rights::each() {
        let names = granted.iter().filter(|(_, rights)| rights.names().contains(&right));
        let names: Vec<Value> = names.map(|(name, _)| name.as_str().into()).collect();
        list.insert(right.to_owned(), names.into());
    }
}
