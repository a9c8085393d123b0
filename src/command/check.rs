//! `ktbs check`: what an administrator wants to know before Apache starts the program.

use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::Error;
use clap::Args;

use super::apache::Apache;
use super::apache_doubts::doubts;
use super::user::{EXECUTE, READ, User, WRITE};
use super::{Context, Ending};
use crate::config::ini::Ini;
use crate::config::options::find;
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
        wrong.dedup();
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

/// Lists the options that the files give, without what is secret; tells of secrets that all users of this machine may read.
fn options(config: &Config) -> Vec<String> {
    let (mut lines, mut warnings) = (Vec::new(), Vec::new());
    let authx = &config.authx;
    for file in [&authx.htpasswd, &authx.client_secret_file, &authx.session_key]
        .into_iter()
        .flatten()
    {
        warnings.extend(open_to_all(file));
    }
    for file in &config.files {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        let sections = Ini::parse(&text).map(|ini| ini.sections).unwrap_or_default();
        let mut has_secrets = false;
        for (section, option) in sections
            .iter()
            .flat_map(|it| it.options.iter().map(move |option| (&it.name, option)))
        {
            let mut value = option.value.as_deref().unwrap_or_default().replace('\n', " ");
            // Nobody knows what an option is of which there is no row: a former kTBS had keys and secrets elsewhere.
            if !value.is_empty() && find(section, &option.name).is_none_or(|row| row.secret) {
                has_secrets = true;
                "(not told)".clone_into(&mut value);
            }
            lines.push(format!("option:        [{section}] {} = {value}", option.name));
        }
        warnings.extend(open_to_all(file).filter(|_| has_secrets));
    }
    lines.extend(warnings);
    lines
}

/// Returns a warning if all users of this machine may read a file that has secrets.
fn open_to_all(file: &Path) -> Option<String> {
    let mode = std::fs::metadata(file).ok()?.permissions().mode();
    (mode & 0o004 != 0).then(|| {
        format!(
            "warning:       {} has secrets, and all users of this machine may read it: chmod o= makes it safe",
            file.display()
        )
    })
}

/// Opens the store, if there is one.
fn store(config: &Config, wrong: &mut Vec<String>) -> Option<String> {
    let directory = config.store.directory.as_ref()?;
    if directory.exists()
        && let Err(error) = Store::check(directory)
    {
        wrong.push(error.to_string());
        return None;
    }
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
    let authx = &config.authx;
    let files = [
        &authx.htpasswd,
        &authx.jwks,
        &authx.client_secret_file,
        &authx.session_key,
    ];
    checks.extend(files.into_iter().flatten().map(|file| (file.clone(), READ)));
    checks.extend(std::env::current_exe().map(|program| (program, READ | EXECUTE)));
    if let Some(directory) = &config.store.directory {
        checks.push((existing(directory), READ | WRITE | EXECUTE));
        for file in ["data.mdb", "lock.mdb"].map(|name| directory.join(name)) {
            if file.exists() {
                checks.push((file, READ | WRITE));
            }
        }
    }
    if let Some(file) = &config.access_log.filename {
        let wanted = if file.exists() { WRITE } else { WRITE | EXECUTE };
        checks.push((existing(file), wanted));
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
