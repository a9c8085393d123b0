//! The configuration: files and command line, checked once, then typed and immutable.
//!
//! The files are in the [ini dialect](ini) of the Python kTBS. Each [option](options::OPTIONS) has one row, which checks
//! it; the `config` crate lays defaults, files and command line over each other, and serde fills [`Config`].

mod authx;
mod check;
mod find;
pub mod ini;
mod kind;
mod layer;
mod notice;
pub mod options;
mod root;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer};

pub use authx::{Authx, AuthxAdmin, OldFlow, Policy, Secret, Way};
pub use check::check;
pub use find::{Clues, VARIABLE};
pub use kind::Kind;
pub use notice::{ConfigError, Notice, Warning};
pub use root::root_iri;

use crate::logging::plan::DEFAULT_FORMAT;
use crate::logging::{self, Channel, Format, Output};
use layer::Layer;

/// The whole configuration.
#[derive(Clone, Debug, Deserialize)]
pub struct Config {
    /// The first of [`Config::files`], if any.
    #[serde(skip)]
    pub file: Option<PathBuf>,
    /// The files from which it was read, a later one laid over the earlier ones.
    #[serde(skip)]
    pub files: Vec<PathBuf>,
    /// `[server]`.
    pub server: Server,
    /// `[rdf_database]`.
    #[serde(rename = "rdf_database")]
    pub store: StoreConfig,
    /// `[ns_prefix]`: prefix (empty for the default one), namespace, in the order of the prefixes.
    #[serde(rename = "ns_prefix", deserialize_with = "prefixes")]
    pub prefixes: Vec<(String, String)>,
    /// `[plugins]`.
    pub plugins: Plugins,
    /// `[cors] allow-origin`.
    #[serde(rename = "cors", deserialize_with = "allowed_origins")]
    pub cors_allow_origin: Vec<String>,
    /// `[authx]`.
    pub authx: Authx,
    /// `[authx_admin]`.
    pub authx_admin: AuthxAdmin,
    /// `[oauth_github]`.
    pub oauth_github: OldFlow,
    /// `[oauth_claco]`.
    pub oauth_claco: OldFlow,
    /// `[sparql]`.
    pub sparql: Sparql,
    /// `[meth_external]`.
    pub meth_external: MethExternal,
    /// `[limits]`.
    pub limits: Limits,
    /// `[logging]`.
    pub logging: Logging,
    /// `[access_log]`.
    pub access_log: AccessLogConfig,
}

impl Config {
    /// Returns the provider of former versions that `oauth_flow` names, if any, and what its API calls the user.
    pub fn old_flow(&self) -> Option<(&'static str, &OldFlow)> {
        match self.authx.oauth_flow.as_str() {
            "oauth_github" => Some(("id", &self.oauth_github)),
            "oauth_claco" => Some(("user_id", &self.oauth_claco)),
            _ => None,
        }
    }
}

/// `[server]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "ServerOptions")]
pub struct Server {
    /// The root URI, ending with `/`, in Unicode form.
    pub root: String,
    /// Largest request or answer, in bytes; `None`: no limit of the administrator's.
    pub max_bytes: Option<u64>,
    /// Largest request or answer, in triples; `None`: no limit of the administrator's.
    pub max_triples: Option<u64>,
    /// `Cache-Control` of answers to GET; empty: no such header.
    pub cache_control: String,
    /// Whether the answer to a fault of ours tells its details.
    pub send_traceback: bool,
}

/// `[rdf_database]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct StoreConfig {
    /// Directory of the store; `None`: a temporary one, lost at exit.
    #[serde(rename = "repository")]
    pub directory: Option<PathBuf>,
    /// Room reserved for the store, in bytes of address space.
    pub map_size: u64,
}

/// `[plugins]`: which are on.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Plugins {
    /// `cors`
    pub cors: bool,
    /// `post_via_get`
    pub post_via_get: bool,
    /// `sparql_endpoints`
    pub sparql_endpoints: bool,
    /// `stats_per_type`
    pub stats_per_type: bool,
    /// `stats_subjects`
    pub stats_subjects: bool,
    /// `meth_external`
    pub meth_external: bool,
    /// `profiler`
    pub profiler: bool,
    /// `xgereco_obsel_table`
    pub xgereco_obsel_table: bool,
    /// `authx`
    pub authx: bool,
}

/// `[sparql]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "SparqlOptions")]
pub struct Sparql {
    /// Whether the method `sparql` may query the whole store.
    pub allow_scope_store: bool,
    /// Whether endpoints accept updates.
    pub update_endpoints: bool,
}

/// `[meth_external]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct MethExternal {
    /// Whether a shell reads the command lines.
    pub shell: bool,
    /// How long a command may run, in seconds.
    pub seconds: u64,
    /// How much a command may print, in bytes.
    pub output_bytes: u64,
}

/// `[limits]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Limits {
    /// Largest request body, in bytes, whatever `max-bytes` says.
    pub request_bytes: u64,
    /// Longest identifier of a resource or of an obsel, in bytes.
    pub id_bytes: usize,
    /// How long a query may take, in seconds.
    pub query_seconds: u64,
    /// How much memory a query may take, in bytes.
    pub query_memory: u64,
    /// How long the computation of a trace may take, in seconds.
    pub computing_seconds: u64,
    /// Most tokens of an automaton.
    pub fsa_tokens: usize,
    /// Most methods of a pipe or of a parallel.
    pub sub_methods: usize,
    /// Bounds on payloads.
    #[serde(flatten)]
    pub payload: PayloadLimits,
}

/// `[logging]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Logging {
    /// Names of the active loggers; empty: warnings and errors only.
    pub loggers: Vec<String>,
    /// Threshold of the console.
    #[serde(deserialize_with = "level")]
    pub console_level: log::LevelFilter,
    /// Python format string of the console.
    pub console_format: String,
    /// A file to which the log is added too.
    pub filename: Option<PathBuf>,
    /// Threshold of the file, if it has its own.
    #[serde(deserialize_with = "optional_level")]
    pub file_level: Option<log::LevelFilter>,
    /// A file in JSON, for Python's `logging`.
    #[serde(rename = "json-configuration-filename")]
    pub json: Option<PathBuf>,
}

/// `[access_log]`.
#[derive(Clone, Debug, Deserialize)]
pub struct AccessLogConfig {
    /// The file; `None`: no access log.
    pub filename: Option<PathBuf>,
    /// Whether requests are refused where no line can be written about them.
    pub required: bool,
}

impl Logging {
    /// Returns what is logged where.
    ///
    /// # Errors
    /// The option that is wrong, and a sentence.
    pub fn channels(&self) -> Result<Vec<Channel>, (&'static str, String)> {
        let format = |text: &str| Format::parse(text).map_err(|error| ("console-format", error));
        let mut channels = match &self.json {
            Some(file) => {
                let wrong = |error: String| ("json-configuration-filename", format!("{}: {error}", file.display()));
                let text = std::fs::read_to_string(file).map_err(|error| wrong(error.to_string()))?;
                let folder = file.parent().unwrap_or(Path::new(""));
                let console = (self.console_level, self.console_format.as_str());
                logging::json::parse(&text, folder, &self.loggers, console).map_err(wrong)?
            }
            None => {
                let format = if self.loggers.is_empty() {
                    Format::bare()
                } else {
                    format(&self.console_format)?
                };
                vec![Channel::new(Output::Console, format, &self.loggers, self.console_level)]
            }
        };
        if let Some(file) = &self.filename {
            let level = self
                .file_level
                .unwrap_or(self.console_level.max(log::LevelFilter::Warn));
            let (output, format) = (Output::File(file.clone()), format(DEFAULT_FORMAT)?);
            channels.push(Channel::new(output, format, &self.loggers, level));
        }
        Ok(channels)
    }
}

/// Bounds on payloads; each error that they cause names the option.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct PayloadLimits {
    /// Most triples in a payload.
    #[serde(rename = "request-triples")]
    pub triples: u64,
    /// Deepest nesting of brackets, objects or elements.
    pub nesting: usize,
    /// Longest literal or IRI, in bytes.
    pub literal_bytes: usize,
}

/// Reads the configuration: the defaults, over them the files in their order, over them what the command line gives
/// (section, option, value). A relative `repository` is relative to the folder of the file that gives it.
///
/// # Errors
/// The first file that cannot be read or is not in the dialect, the first option that is not correct.
pub fn load(files: &[PathBuf], overrides: &[(&str, &str, &str)]) -> Result<(Config, Vec<Warning>), ConfigError> {
    let mut builder = ::config::Config::builder().add_source(Layer::defaults());
    let mut warnings = Vec::new();
    for file in files {
        let mut layer = Layer::read(file)?;
        warnings.append(&mut layer.warnings);
        builder = builder.add_source(layer);
    }
    let directory = std::env::current_dir().unwrap_or_default();
    builder = builder.add_source(Layer::overrides(overrides, &directory)?);
    let mut config: Config = builder
        .build()
        .and_then(::config::Config::try_deserialize)
        .map_err(|error| {
            // The rows have checked each value, so this is a row that disagrees with its field.
            ConfigError(Notice {
                file: files.last().cloned(),
                text: error.to_string(),
                ..Notice::default()
            })
        })?;
    config.logging.channels().map_err(|(option, text)| {
        ConfigError(Notice {
            file: files.last().cloned(),
            ..Notice::of_option("logging", option, text)
        })
    })?;
    config.file = files.first().cloned();
    config.files = files.to_vec();
    warnings.extend(doubts(&config));
    Ok((config, warnings))
}

/// Returns what is correct but probably not meant.
fn doubts(config: &Config) -> Vec<Warning> {
    let mut doubts = Vec::new();
    if config.store.directory.is_none() {
        doubts.push(Notice::of_option(
            "rdf_database",
            "repository",
            "is empty: the store is temporary, and is lost when this process ends",
        ));
    }
    if config.plugins.cors && config.cors_allow_origin.is_empty() {
        doubts.push(Notice::of_option(
            "cors",
            "allow-origin",
            "is empty: the plugin cors is on, but no origin is allowed",
        ));
    }
    for origin in config.cors_allow_origin.iter().filter(|origin| !is_origin(origin)) {
        doubts.push(Notice::of_option(
            "cors",
            "allow-origin",
            format!(
                "{origin:?} is no origin, and allows nobody: give a scheme and a host in lower case, without a path"
            ),
        ));
    }
    if config.plugins.authx && !config.authx_admin.password.is_empty() && !config.authx_admin.password.starts_with('$')
    {
        doubts.push(Notice::of_option(
            "authx_admin",
            "password",
            "is in clear: whoever reads this file may do all; give its hash, as htpasswd -B makes it",
        ));
    }
    if config.plugins.authx
        && config.authx.jwks.is_some()
        && (config.authx.issuer.is_empty() || config.authx.audience.is_empty())
    {
        doubts.push(Notice::of_option(
            "authx",
            "jwks",
            "is given without issuer or audience: no token is accepted",
        ));
    }
    if config.plugins.authx {
        doubts.extend(config.authx.doubts());
        if let Some((_, flow)) = config.old_flow()
            && !flow.client_secret.reveal().is_empty()
        {
            doubts.push(Notice::of_option(
                &config.authx.oauth_flow,
                "client_secret",
                "is in clear: whoever reads this file can pass for this server; a provider of OpenID Connect (issuer, \
                client-secret-file in [authx]) needs no secret here",
            ));
        }
    }
    if config.plugins.authx && config.plugins.meth_external {
        doubts.push(Notice::of_option(
            "plugins",
            "meth_external",
            "is on with authx: a command sees all that this program sees, whoever may not",
        ));
    }
    if config.plugins.meth_external {
        doubts.push(Notice::of_option(
            "plugins",
            "meth_external",
            "is on: whoever may create a computed trace here can run any command on this machine, with the rights of this \
            program. It is meant for a server of one user, on a machine of their own",
        ));
    }
    doubts
        .into_iter()
        .map(|doubt| Notice {
            file: config.files.last().cloned(),
            ..doubt
        })
        .collect()
}

/// `[server]` as it is in files.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct ServerOptions {
    fixed_root_uri: Option<String>,
    host_name: String,
    port: u16,
    base_path: String,
    max_bytes: Option<u64>,
    max_triples: Option<u64>,
    cache_control: String,
    send_traceback: bool,
}

impl From<ServerOptions> for Server {
    fn from(options: ServerOptions) -> Self {
        let ServerOptions {
            host_name,
            port,
            base_path,
            ..
        } = options;
        let root = options.fixed_root_uri.unwrap_or_else(|| {
            let root = format!("http://{host_name}:{port}{base_path}/");
            root_iri(&root).expect("the host and the path were checked as parts of a root URI")
        });
        Self {
            root,
            max_bytes: options.max_bytes,
            max_triples: options.max_triples,
            cache_control: options.cache_control,
            send_traceback: options.send_traceback,
        }
    }
}

/// `[sparql]` as it is in files.
#[derive(Deserialize)]
struct SparqlOptions {
    #[serde(rename = "allow-scope-store")]
    allow_scope_store: bool,
    #[serde(rename = "allow-scope-ktbs")]
    allow_scope_ktbs: bool,
    update_endpoints: bool,
}

impl From<SparqlOptions> for Sparql {
    fn from(options: SparqlOptions) -> Self {
        Self {
            // The Python kTBS documents one name and reads the other.
            allow_scope_store: options.allow_scope_store || options.allow_scope_ktbs,
            update_endpoints: options.update_endpoints,
        }
    }
}

/// Tells whether a browser could send this as the origin of a page.
fn is_origin(text: &str) -> bool {
    let host = text.split_once("://").map(|(_, host)| host);
    let is_plain = |host: &str| !host.is_empty() && !host.contains(['/', '?', '#', '@']);
    matches!(text, "*" | "null") || (host.is_some_and(is_plain) && !text.contains(|c: char| c.is_ascii_uppercase()))
}

fn prefixes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<(String, String)>, D::Error> {
    let prefixes = std::collections::BTreeMap::<String, String>::deserialize(deserializer)?;
    let named = |name: String| if name == "_" { String::new() } else { name };
    Ok(prefixes
        .into_iter()
        .map(|(name, namespace)| (named(name), namespace))
        .collect())
}

fn allowed_origins<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "kebab-case")]
    struct Cors {
        allow_origin: Vec<String>,
    }
    Ok(Cors::deserialize(deserializer)?.allow_origin)
}

fn level<'de, D: Deserializer<'de>>(deserializer: D) -> Result<log::LevelFilter, D::Error> {
    String::deserialize(deserializer)?
        .parse()
        .map_err(serde::de::Error::custom)
}

fn optional_level<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<log::LevelFilter>, D::Error> {
    let level = Option::<String>::deserialize(deserializer)?;
    level
        .map(|level| level.parse().map_err(serde::de::Error::custom))
        .transpose()
}

#[cfg(test)]
mod test;
