//! The commands of the program: one file each, one line each in the table.
//!
//! Without a command, the program [serves](serve) the requests that a web server passes to it. All commands find the
//! configuration in the same way ([`Clues`]) and end with the same [codes](Ending). Errors are one line on standard error;
//! standard output is for what was asked.

mod apache;
mod apache_doubts;
mod check;
mod collect;
mod compact;
mod dump;
mod hello;
mod info;
mod listen;
mod load;
mod manual;
mod progress;
mod rebase;
mod refresh;
mod retain;
mod serve;
mod subject;
mod token;
mod user;
mod verify;

use std::env::consts::{ARCH, OS};
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::LazyLock;

use anyhow::{Error, bail};
use clap::{CommandFactory, Parser, Subcommand};

use crate::config::{self, Clues, Config};
use crate::store::Store;
use crate::{App, fcgi, logging};

/// Makes the subcommands of clap out of the table. The first lines of the documentation of each type are its help.
macro_rules! commands {
    ($($module:ident::$name:ident),* $(,)?) => {
        #[derive(Subcommand)]
        enum Command {
            $($name($module::$name)),*
        }

        impl Command {
            fn run(self, context: &Context) -> Result<Ending, Error> {
                match self {
                    $(Self::$name(command) => command.run(context)),*
                }
            }
        }
    };
}

commands! {
    check::Check,
    dump::Dump,
    load::Load,
    rebase::Rebase,
    verify::Verify,
    compact::Compact,
    info::Info,
    refresh::Refresh,
    collect::Collect,
    subject::Subject,
    retain::Retain,
    token::Token,
    manual::Manual,
    hello::Hello,
    listen::Listen,
}

/// A kernel for trace-based systems: a REST store of traces, started by Apache's mod_fcgid.
///
/// Without a command, it serves the requests that come on the listening socket which the web server gives it as
/// descriptor 0.
#[derive(Parser)]
#[command(name = "ktbs", version, long_version = DETAILS.as_str(), after_help = ENDINGS)]
struct Arguments {
    /// Configuration file; the next ones are laid over it [else: those of the variable KTBS_CONFIG, separated by ':';
    /// else: the path of this program, with '.conf' added]
    #[arg(short, long = "config", value_name = "FILE", global = true)]
    config: Vec<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

const ENDINGS: &str =
    "Ends with status 0 when all is done and well, 1 when something failed or is wrong, 2 when it was called wrongly.";

/// What bug reports need to tell.
static DETAILS: LazyLock<String> = LazyLock::new(|| {
    let version = env!("CARGO_PKG_VERSION");
    let commit = option_env!("KTBS_COMMIT").unwrap_or("unknown");
    let build = if cfg!(debug_assertions) { "debug" } else { "release" };
    let format = crate::store::codec::FORMAT;
    let shown = crate::VERSION;
    format!(
        "{version}\ncommit: {commit}\nbuild: {build}\nplatform: {OS} {ARCH}\nformat of the store: {format}\nshown to clients as: {shown}"
    )
});

/// How a command ended, when it could do its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// All is done and well: status 0.
    Well,
    /// Something is wrong in what was looked at, and was told: status 1.
    Wrong,
    /// It was called in a way that makes no sense, and that was told: status 2.
    Misused,
}

impl From<Ending> for ExitCode {
    fn from(ending: Ending) -> Self {
        match ending {
            Ending::Well => Self::SUCCESS,
            Ending::Wrong => Self::from(1),
            Ending::Misused => Self::from(2),
        }
    }
}

/// What all commands share: where the configuration is.
#[derive(Debug)]
pub struct Context {
    /// Where the configuration is.
    pub clues: Clues,
}

impl Context {
    /// Returns the configuration, and what is doubtful in it.
    ///
    /// # Errors
    /// The first thing that is wrong in it.
    pub fn load(&self) -> Result<(Config, Vec<config::Warning>), Error> {
        let files = self.clues.files().map_err(Error::msg)?;
        Ok(config::load(&files, &[])?)
    }

    /// Starts the log, and opens the store.
    ///
    /// # Errors
    /// The configuration or the store cannot be used.
    pub fn open(&self) -> Result<App, Error> {
        let (config, warnings) = self.load()?;
        logging::start(&config.logging.channels().map_err(|(_, error)| Error::msg(error))?);
        for warning in warnings {
            log::warn!(target: "ktbs", "{warning}");
        }
        Ok(App::open(config)?)
    }

    /// Opens the store that the configuration names, which must be there, as it is.
    ///
    /// # Errors
    /// The configuration or the store cannot be used; there is no store.
    pub fn store(&self) -> Result<Store, Error> {
        let (config, _) = self.load()?;
        let directory = self.directory(&config)?;
        if !directory.exists() {
            bail!("there is no store: {} does not exist", directory.display());
        }
        Ok(Store::open(directory, &config.server.root, config.store.map_size)?)
    }

    /// Returns the directory of the store.
    ///
    /// # Errors
    /// The configuration names none: what a command does in a temporary store would be lost.
    pub fn directory<'c>(&self, config: &'c Config) -> Result<&'c Path, Error> {
        let Some(directory) = &config.store.directory else {
            bail!("the configuration names no store: set repository in [rdf_database]");
        };
        Ok(directory)
    }
}

/// Returns the path of a resource, given its address or its path below the root URI.
///
/// # Errors
/// The address is not below the root URI.
pub fn path_below(root: &str, given: &str) -> Result<String, Error> {
    match given.strip_prefix(root) {
        Some(path) => Ok(path.to_owned()),
        None if given.contains("://") => bail!("{given} is not below the root URI {root}"),
        None => Ok(given.trim_start_matches('/').to_owned()),
    }
}

/// Runs the program with its arguments, the first of which is its own path.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = Arguments::try_parse_from(arguments).unwrap_or_else(|error| error.exit());
    let context = Context {
        clues: Clues::of_process(arguments.config),
    };
    let result = match arguments.command {
        Some(command) => command.run(&context),
        None if fcgi::has_socket() => serve::run(&context),
        None => Ok(help()),
    };
    result.map_or_else(
        |error| {
            tell(&error);
            ExitCode::FAILURE
        },
        ExitCode::from,
    )
}

fn help() -> Ending {
    let help = Arguments::command().render_long_help();
    misused(&format!("{help}\nktbs: {NO_SOCKET}: nothing to serve"))
}

const NO_SOCKET: &str = "descriptor 0 is no listening socket";

/// Tells why a call makes no sense.
fn misused(why: &str) -> Ending {
    // Nobody is left to be told that this failed.
    let _ = writeln!(io::stderr(), "{why}");
    Ending::Misused
}

/// Writes an error as one line, in a single write, which the web server adds to its error log.
fn tell(error: &Error) {
    let line = format!("ktbs: {}\n", format!("{error:#}").replace('\n', " "));
    // Nobody is left to be told that this failed.
    let _ = io::stderr().write_all(line.as_bytes());
}
