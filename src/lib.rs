#![doc = include_str!("ARCHITECTURE.md")]

pub mod command;
pub mod config;
mod digest;
pub mod error;
pub mod fcgi;
pub mod format;
pub mod hello;
pub mod http;
pub mod logging;
pub mod method;
pub mod obsel;
pub mod owner;
pub mod plugin;
pub mod rdf;
pub mod refusal;
pub mod resource;
pub mod sparql;
pub mod store;
pub mod time;
pub mod vocab;

use std::io::{self, Read};
use std::sync::Arc;
use std::time::Duration;

use ::http::StatusCode;

use crate::config::Config;
use crate::error::{Error, Result};
use crate::http::kept::{Kept, Key};
use crate::http::told::{parameter_names, told};
use crate::logging::access::{AccessLog, Line};
use crate::resource::access::{Access, Visitor};
use crate::resource::{Service, Settings};
use crate::store::{Store, StoreError};

/// The version that the root shows. Clients of the Python kTBS look at what is before the colon.
pub const VERSION: &str = concat!("0.6:rust-", env!("CARGO_PKG_VERSION"));

/// A kTBS, open: what [`fcgi`] calls for each request.
#[derive(Debug)]
pub struct App {
    /// The configuration.
    pub config: Config,
    /// The resources.
    pub service: Service,
    kept: Kept,
    access_log: AccessLog,
}

impl App {
    /// Opens the store that a configuration names, or else a temporary one.
    ///
    /// # Errors
    /// `Store` if the store cannot be used, or no temporary one can be made.
    pub fn open(config: Config) -> Result<Self> {
        let store = match &config.store.directory {
            Some(directory) => Store::open(directory, &config.server.root, config.store.map_size)?,
            None => temporary_store(&config)?,
        };
        Ok(Self {
            service: Service::new(store, settings(&config))?,
            access_log: access_log(&config),
            config,
            kept: Kept::default(),
        })
    }

    /// Returns the same kTBS for another thread.
    pub fn share(&self) -> Self {
        Self {
            service: self.service.clone(),
            config: self.config.clone(),
            kept: Kept::default(),
            access_log: access_log(&self.config),
        }
    }
}

/// Opens a store that is lost at the end, whatever the end is: its files are removed at once, and live as long as they are open.
fn temporary_store(config: &Config) -> Result<Store> {
    let refuse = |error: io::Error| StoreError::Unusable(format!("no temporary directory can be made: {error}"));
    let directory = tempfile::Builder::new().prefix("ktbs-").tempdir().map_err(refuse)?;
    let store = Store::open(directory.path(), &config.server.root, config.store.map_size)?;
    directory.close().map_err(refuse)?;
    Ok(store)
}

fn access_log(config: &Config) -> AccessLog {
    AccessLog::new(config.access_log.filename.as_deref(), config.access_log.required)
}

fn settings(config: &Config) -> Settings {
    let external = plugin::commands(config);
    let exists = |method: &&&method::Method| !method.dangerous || external.is_some();
    Settings {
        version: VERSION.to_owned(),
        builtin_methods: method::METHODS.iter().filter(exists).map(|method| method.iri).collect(),
        stats_per_type: config.plugins.stats_per_type,
        stats_subjects: config.plugins.stats_subjects,
        id_bytes: config.limits.id_bytes,
        computing: method::Limits {
            fsa_tokens: config.limits.fsa_tokens,
            sub_methods: config.limits.sub_methods,
            allow_scope_store: config.sparql.allow_scope_store,
            external,
            queries: sparql::Limits {
                time: Duration::from_secs(config.limits.query_seconds),
                memory: config.limits.query_memory,
                ..sparql::Limits::default()
            },
            time: Duration::from_secs(config.limits.computing_seconds),
            deadline: None,
        },
    }
}

impl fcgi::Handler for App {
    /// Answers a request, and logs a line about it: status, method, path and query.
    fn handle(&mut self, params: &fcgi::Params, stdin: &mut dyn Read, reply: &mut dyn fcgi::Reply) -> io::Result<()> {
        let may_be_done = self.access_log.reserve();
        // Where answers depend on who asks, none is given to another.
        let key = Some(params)
            .filter(|_| may_be_done && !self.config.plugins.authx)
            .and_then(Key::new);
        let key = key.zip(self.service.store.state().ok());
        if let Some((key, state)) = &key
            && let Some(answer) = self.kept.find(key, *state)
            && self.access_log.append(|| line(params, None, answer.status()))
        {
            answer.log();
            return answer.send(reply);
        }
        let (mut response, asked) = match http::receive(&self.config, params, stdin) {
            Ok(request) => {
                let asked = told(request.method(), request.uri());
                let response = if may_be_done {
                    http::answer(&self.config, &self.service, request)
                } else {
                    http::refuse_at_once(&self.config, &Error::NotLogged, request)
                };
                (response, asked)
            }
            Err(error) => (http::refuse(&self.config, &error, None), "- -".to_owned()),
        };
        let access = response.extensions_mut().remove::<Arc<Access>>();
        let visitor = access.as_deref().map(Access::visitor);
        if may_be_done && !self.access_log.append(|| line(params, visitor, response.status())) {
            response = http::refuse(&self.config, &Error::NotLogged, None);
        }
        http::response::log(response.status(), &asked);
        if let Some((key, state)) = key
            && self.service.store.state().is_ok_and(|now| now == state)
        {
            self.kept.keep(key, state, &asked, &response);
        }
        http::response::send(response, reply).map_err(|error| match error {
            Error::Gone(error) => error,
            error => {
                log::error!("the answer to {asked} was cut: {error}");
                io::Error::other(error)
            }
        })
    }
}

/// Returns what the access log tells of a request. Where nobody here asks who it is, the web server may have.
fn line<'a>(params: &'a fcgi::Params, visitor: Option<&'a Visitor>, status: StatusCode) -> Line<'a> {
    let text = |name| params.get(name).and_then(|value| std::str::from_utf8(value).ok());
    let uri = text("REQUEST_URI").unwrap_or_default();
    // Scheme and authority, which may hold a password, are not told.
    let uri = match uri.split_once("://") {
        Some((_, rest)) if !uri.starts_with('/') => rest.find('/').map_or("/", |slash| &rest[slash..]),
        _ => uri,
    };
    let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
    let by_web_server = text("REMOTE_USER").filter(|user| !user.is_empty() && visitor.is_none());
    Line {
        user: visitor.and_then(|visitor| visitor.user.as_deref()).or(by_web_server),
        way: visitor
            .map(|visitor| visitor.way)
            .filter(|way| !way.is_empty())
            .or(by_web_server.map(|_| "web-server")),
        token: visitor.and_then(|visitor| visitor.token.as_deref()),
        address: text("REMOTE_ADDR"),
        method: text("REQUEST_METHOD").unwrap_or_default(),
        path,
        parameters: parameter_names(query),
        status: status.as_u16(),
        ..Line::default()
    }
}
