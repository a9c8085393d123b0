//! `ktbs check`: what an administrator wants to know before Apache starts the program.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::Error;
use clap::Args;

use super::apache::Apache;
use super::apache_doubts::doubts;
use super::user::{EXECUTE, READ, User, WRITE};
use super::{Context, Ending};
use crate::config::ini::Ini;
use crate::config::{self, Config};
use crate::logging::Output;
use crate::store::{Reading, Store};

/// Tells what is wrong in the configuration, or else what it amounts to, and whether the store can be used
///
/// What is wrong goes to standard error; what is only doubtful is a warning. Ends with status 1 if anything is wrong.
#[derive(Args, Debug)]
pub struct Check {
    /// Looks into Apache's configuration too: the root URI, the limits of mod_fcgid, what Apache's user may do
    #[arg(long)]
    apache: bool,
    /// The main file of Apache's configuration [else: the usual ones]
    #[arg(long, value_name = "FILE", requires = "apache")]
    apache_conf: Option<PathBuf>,
    /// The user as whom Apache starts the program [else, with --apache: the one that its configuration names, or www-data]
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
}

/// What Apache's user is called where its configuration does not tell: Debian has it in a variable.
const USER: &str = "www-data";

impl Check {
    /// Runs the command.
    ///
    /// # Errors
    /// Nobody listens.
    pub fn run(self, context: &Context) -> Result<Ending, Error> {
        let (mut out, mut errors) = (io::stdout(), io::stderr());
        let mut is_well = config::check(&context.clues, &mut out, &mut errors)?;
        let Ok((config, _)) = context.load() else {
            return Ok(Ending::Wrong);
        };
        let mut wrong: Vec<String> = Vec::new();
        let mut told = options(&config);
        if is_well {
            told.extend(store(&config, &mut wrong));
        }
        let mut user = self.user.clone();
        if self.apache {
            match Apache::read(self.apache_conf.as_deref()) {
                Ok(apache) => {
                    told.extend(doubts(&apache, &config));
                    let named = apache.last("user").and_then(|it| it.arguments.first());
                    let named = named.filter(|name| !name.contains('$')).cloned();
                    user = user.or(named).or(Some(USER.to_owned()));
                }
                Err(error) => wrong.push(error),
            }
        }
        if let Some(name) = user {
            match User::find(&name) {
                Some(user) => wrong.extend(permissions(&user, &config)),
                None => wrong.push(format!("there is no user {name}")),
            }
        }
        for line in told {
            writeln!(out, "{line}")?;
        }
        for line in &wrong {
            writeln!(errors, "{line}")?;
        }
        is_well &= wrong.is_empty();
        Ok(if is_well { Ending::Well } else { Ending::Wrong })
    }
}

/// Lists the options that the files give.
fn options(config: &Config) -> Vec<String> {
    let mut lines = Vec::new();
    for file in &config.files {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        for section in Ini::parse(&text).map(|ini| ini.sections).unwrap_or_default() {
            for option in &section.options {
                let value = option.value.as_deref().unwrap_or_default().replace('\n', " ");
                lines.push(format!("option:        [{}] {} = {value}", section.name, option.name));
            }
        }
    }
    lines
}

/// Opens the store, if there is one.
fn store(config: &Config, wrong: &mut Vec<String>) -> Option<String> {
    let directory = config.store.directory.as_ref()?;
    if !directory.join("data.mdb").exists() {
        return Some("content:       the store is new".to_owned());
    }
    let counted = Store::open(directory, &config.server.root, config.store.map_size).and_then(|store| {
        let (size, used) = store.size()?;
        Ok((store.read()?.children("")?.len(), size, used))
    });
    match counted {
        Ok((bases, size, used)) => Some(format!(
            "content:       {bases} bases, {} KiB of {} KiB in use",
            used >> 10,
            size >> 10
        )),
        Err(error) => {
            wrong.push(error.to_string());
            None
        }
    }
}

/// Returns what a user may not do and must.
fn permissions(user: &User, config: &Config) -> Vec<String> {
    let mut checks: Vec<(PathBuf, u32)> = config.files.iter().map(|file| (file.clone(), READ)).collect();
    checks.extend(std::env::current_exe().map(|program| (program, READ | EXECUTE)));
    if let Some(directory) = &config.store.directory {
        checks.push((existing(directory), READ | WRITE | EXECUTE));
        for file in ["data.mdb", "lock.mdb"].map(|name| directory.join(name)) {
            if file.exists() {
                checks.push((file, READ | WRITE));
            }
        }
    }
    for channel in config.logging.channels().unwrap_or_default() {
        if let Output::File(file) = channel.output {
            let wanted = if file.exists() { WRITE } else { WRITE | EXECUTE };
            checks.push((existing(&file), wanted));
        }
    }
    checks
        .iter()
        .filter_map(|(path, wanted)| user.check(path, *wanted).err())
        .collect()
}

/// Returns a path, or what it would be made in.
fn existing(path: &Path) -> PathBuf {
    let found = path.ancestors().find(|ancestor| ancestor.exists());
    found.unwrap_or(Path::new("/")).to_owned()
}
