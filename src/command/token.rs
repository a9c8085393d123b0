//! `ktbs token`: personal tokens, for collectors and scripts.

use std::collections::HashSet;
use std::io::{self, Write};
use std::sync::Arc;

use anyhow::{Error, bail, ensure};
use clap::{Args, Subcommand};

use super::{Context, Ending, path_below};
use crate::config::{Config, Way};
use crate::resource::Service;
use crate::resource::access::token::{self, Token as Personal};
use crate::resource::access::{Access, Limit, Rights, Visitor};
use crate::store::Reading;
use crate::time;

/// Makes, lists and revokes personal tokens, by which collectors and scripts say who they are
///
/// Whoever sends "Authorization: Bearer TOKEN" is the owner of the token, within its limits; so is whoever gives the token as
/// the password of its owner. It needs the plugin authx, and "personal" among the ways of the section authx.
#[derive(Args, Debug)]
pub struct Token {
    #[command(subcommand)]
    action: What,
}

#[derive(Subcommand, Debug)]
enum What {
    /// Makes a token, and writes it on standard output: it cannot be shown again, since only a digest is kept
    Create(Create),
    /// Lists the tokens, without their secrets: id, owner, creation, expiry, rights, resource, groups, label
    List {
        /// Only those of this user
        owner: Option<String>,
    },
    /// Makes tokens good for nothing from now on
    Revoke {
        /// The ids, as `ktbs token list` tells them
        #[arg(required_unless_present = "owner")]
        ids: Vec<String>,
        /// All the tokens of this user
        #[arg(long, value_name = "USER", conflicts_with = "ids")]
        owner: Option<String>,
    },
}

#[derive(Args, Debug)]
struct Create {
    /// The user in whose name it is to speak
    owner: String,
    /// What it is for
    #[arg(long, default_value = "")]
    label: String,
    /// When it is to expire: a date, or a number and a unit: s, m, h, d, w, or y, as 90d [else: never]
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    expires: Option<u64>,
    /// The only resource that it is for, with all that is below: its address, or its path below the root URI
    #[arg(long, value_name = "PATH")]
    on: Option<String>,
    /// The only rights that it is to have, of those of its owner, separated by commas: read, add, write, manage
    #[arg(long, value_delimiter = ',', value_parser = right)]
    rights: Vec<(String, Rights)>,
    /// A group of the owner that it is to count for
    #[arg(long = "group", value_name = "GROUP")]
    groups: Vec<String>,
}

impl Token {
    /// Runs the command.
    ///
    /// # Errors
    /// The store cannot be used; a name, a resource or a token is wrong.
    pub fn run(self, context: &Context) -> Result<Ending, Error> {
        match self.action {
            What::Create(create) => create.run(context),
            What::List { owner } => list(context, owner.as_deref()),
            What::Revoke { ids, owner } => revoke(context, ids, owner.as_deref()),
        }
    }
}

impl Create {
    fn run(self, context: &Context) -> Result<Ending, Error> {
        for name in self.groups.iter().chain([&self.owner]) {
            ensure!(
                Visitor::is_name(name),
                "{name:?} is no name: it is empty, longer than 256 bytes, or has control characters"
            );
        }
        ensure!(
            self.label.len() <= 1024 && !self.label.contains(char::is_control),
            "the label is longer than 1024 bytes, or has control characters"
        );
        let app = context.open()?;
        context.directory(&app.config)?;
        let path = match &self.on {
            Some(on) => path_below(&app.config.server.root, on)?,
            None => String::new(),
        };
        let rights = self.rights.iter().fold(Rights::NONE, |all, (_, right)| all | *right);
        let rights = if self.rights.is_empty() { Rights::ALL } else { rights };
        let created = time::seconds();
        if self.expires.is_some_and(|expires| expires <= created) {
            bail!("it would have expired already");
        }
        let limit = Limit { path, rights };
        let token = Personal {
            owner: self.owner,
            label: self.label,
            groups: self.groups,
            created,
            expires: self.expires,
            limit: Some(limit).filter(|limit| !limit.path.is_empty() || limit.rights != Rights::ALL),
        };
        let doubts = doubts(&app.config, &app.service, &token)?;
        let (id, text) = token.create(&app.service.store)?;
        writeln!(io::stdout(), "{text}")?;
        let mut told = io::stderr().lock();
        writeln!(told, "id: {id}; the token is not shown again")?;
        for doubt in doubts {
            writeln!(told, "warning: {doubt}")?;
        }
        Ok(Ending::Well)
    }
}

/// Returns why a token would be of no use as things are.
///
/// # Errors
/// The resource that it is for does not exist; those of the store.
fn doubts(config: &Config, service: &Service, token: &Personal) -> Result<Vec<String>, Error> {
    let mut doubts = Vec::new();
    if !config.plugins.authx {
        doubts.push("the plugin authx is off: tokens are not looked at".to_owned());
    } else if !config.authx.ways.contains(&Way::Personal) {
        doubts.push("personal is not among the ways of [authx]: tokens are not looked at".to_owned());
    }
    let Some(limit) = &token.limit else {
        return Ok(doubts);
    };
    let snapshot = service.store.read()?;
    let Some(head) = snapshot.head(&limit.path)? else {
        bail!("there is no resource <{}{}>", config.server.root, limit.path);
    };
    let owner = Visitor {
        user: Some(token.owner.clone()),
        groups: token.groups.clone(),
        is_admin: config.authx.admins.contains(&token.owner)
            || token
                .groups
                .iter()
                .any(|group| config.authx.admin_groups.contains(group)),
        ..Visitor::default()
    };
    let access: Arc<Access> = Access::new(owner, config.authx.policy, &service.settings);
    let had = access.rights(&snapshot.whole(), &head)?;
    if !limit.path.is_empty() && limit.rights.common(had) == Rights::NONE {
        let (owner, iri) = (&token.owner, format!("{}{}", config.server.root, limit.path));
        doubts.push(format!("{owner} has none of these rights on <{iri}> at present"));
    }
    Ok(doubts)
}

fn list(context: &Context, owner: Option<&str>) -> Result<Ending, Error> {
    let (root, tokens) = tokens(context, owner)?;
    let mut out = io::stdout().lock();
    for (id, token) in tokens {
        let date = |seconds: u64| {
            let micros = i64::try_from(seconds)
                .ok()
                .and_then(|seconds| seconds.checked_mul(1_000_000));
            let instant = micros.and_then(time::Instant::from_micros);
            instant.map_or_else(|| "never".to_owned(), time::Instant::to_xsd)
        };
        let created = date(token.created);
        let expires = token.expires.map_or("never".to_owned(), date);
        let (rights, on) = match &token.limit {
            Some(limit) => (limit.rights.names().join(","), format!("<{root}{}>", limit.path)),
            None => ("all".to_owned(), format!("<{root}>")),
        };
        let (owner, groups, label) = (token.owner, token.groups.join(","), token.label);
        writeln!(
            out,
            "{id}\t{owner}\t{created}\t{expires}\t{rights}\t{on}\t{groups}\t{label}"
        )?;
    }
    Ok(Ending::Well)
}

fn revoke(context: &Context, ids: Vec<String>, owner: Option<&str>) -> Result<Ending, Error> {
    let ids: Vec<String> = match owner {
        Some(owner) => {
            let (_, tokens) = tokens(context, Some(owner))?;
            ensure!(!tokens.is_empty(), "{owner} has no token");
            tokens.into_iter().map(|(id, _)| id).collect()
        }
        None => {
            let mut seen = HashSet::new();
            ids.into_iter().filter(|id| seen.insert(id.clone())).collect()
        }
    };
    let unknown = token::revoke(&context.store()?, &ids)?;
    ensure!(
        unknown.is_empty(),
        "there is no token {}: none was revoked",
        unknown.join(", ")
    );
    writeln!(io::stdout(), "tokens revoked: {}", ids.len())?;
    Ok(Ending::Well)
}

/// Returns the root URI, and the tokens of a user, or of all.
fn tokens(context: &Context, owner: Option<&str>) -> Result<(String, Vec<(String, Personal)>), Error> {
    let store = context.store()?;
    let mut tokens = token::list(&store)?;
    tokens.retain(|(_, token)| owner.is_none_or(|owner| token.owner == owner));
    Ok((store.root().to_owned(), tokens))
}

fn right(name: &str) -> Result<(String, Rights), String> {
    match Rights::named(name) {
        Some(rights) => Ok((name.to_owned(), rights)),
        None => Err("the rights are read, add, write and manage".to_owned()),
    }
}

/// Parses the moment of an expiry: a date, or a duration from now.
fn moment(text: &str) -> Result<u64, String> {
    if let Ok(seconds) = super::retain::seconds(text) {
        return Ok(time::seconds().saturating_add(seconds));
    }
    let instant = time::parse_instant(text).and_then(|instant| u64::try_from(instant.as_micros() / 1_000_000).ok());
    instant.ok_or_else(|| "write a date, as 2030-01-31, or a number and s, m, h, d, w or y, as 90d".to_owned())
}
