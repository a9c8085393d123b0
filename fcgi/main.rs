//! What Apache starts: finds the configuration, opens the store, serves. The same program checks a configuration by hand.

use std::env::consts::{ARCH, OS};
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::LazyLock;

use anyhow::Error;
use clap::{CommandFactory, Parser, Subcommand};
use ktbs::config::{self, Clues};
use ktbs::hello::Hello;
use ktbs::refusal::Refusal;
use ktbs::{App, fcgi, logging};

/// A kernel for trace-based systems: a REST store of traces, started by Apache's mod_fcgid.
///
/// Without a command, it serves the requests that come on the listening socket which the web server gives it as
/// descriptor 0.
#[derive(Parser)]
#[command(name = "ktbs", version, long_version = DETAILS.as_str())]
struct Arguments {
    /// Configuration file; the next ones are laid over it [else: those of the variable KTBS_CONFIG, separated by ':';
    /// else: the path of this program, with '.conf' added]
    #[arg(short, long = "config", value_name = "FILE", global = true)]
    config: Vec<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Tells what is wrong in the configuration, or else what it amounts to, and whether the store can be used
    Check,
    /// Answers each request with what the web server has set up, even if the configuration is wrong
    Hello,
}

/// What bug reports need to tell.
static DETAILS: LazyLock<String> = LazyLock::new(|| {
    let version = env!("CARGO_PKG_VERSION");
    let commit = option_env!("KTBS_COMMIT").unwrap_or("unknown");
    format!(
        "{version}\ncommit: {commit}\nplatform: {OS} {ARCH}\nshown to clients as: {}",
        ktbs::VERSION
    )
});

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let clues = Clues::of_process(arguments.config);
    let result = match arguments.command {
        Some(Command::Check) => check(&clues),
        _ if !fcgi::has_socket() => Ok(help()),
        Some(Command::Hello) => hello(&clues),
        None => serve(&clues),
    };
    result.unwrap_or_else(|error| {
        tell(&error);
        ExitCode::FAILURE
    })
}

fn help() -> ExitCode {
    let help = Arguments::command().render_long_help();
    let _ = writeln!(
        io::stderr(),
        "{help}\nktbs: descriptor 0 is no listening socket: nothing to serve"
    );
    ExitCode::from(2)
}

fn check(clues: &Clues) -> Result<ExitCode, Error> {
    let is_well = config::check(clues, &mut io::stdout(), &mut io::stderr())?;
    Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Writes an error as one line, in a single write, which the web server adds to its error log.
fn tell(error: &Error) {
    let line = format!("ktbs: {}\n", format!("{error:#}").replace('\n', " "));
    // Nobody is left to be told that this failed.
    let _ = io::stderr().write_all(line.as_bytes());
}

fn serve(clues: &Clues) -> Result<ExitCode, Error> {
    match open(clues) {
        Ok(mut app) => {
            fcgi::serve(&mut app)?;
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            tell(&error);
            // The web server still waits for an answer to the request for which it started us.
            fcgi::serve_one(&mut Refusal)?;
            Ok(ExitCode::FAILURE)
        }
    }
}

fn open(clues: &Clues) -> Result<App, Error> {
    let files = clues.files().map_err(Error::msg)?;
    let (config, warnings) = config::load(&files, &[])?;
    let format = logging::Format::parse(&config.logging.console_format).map_err(Error::msg)?;
    logging::start(&config.logging.loggers, config.logging.console_level, &format);
    for warning in warnings {
        log::warn!("{warning}");
    }
    Ok(App::open(config)?)
}

fn hello(clues: &Clues) -> Result<ExitCode, Error> {
    let mut hello = Hello {
        files: clues.files().unwrap_or_default(),
        find_store: &|files| match config::load(files, &[]) {
            Ok((config, _)) => Ok(config.store.directory),
            Err(error) => Err(error.to_string()),
        },
    };
    fcgi::serve(&mut hello)?;
    Ok(ExitCode::SUCCESS)
}
