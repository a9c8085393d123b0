//! The configuration, typed, immutable after start. (Skeleton.)

pub mod ini;

use std::path::PathBuf;

/// The whole configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// The file it was read from, if any.
    pub file: Option<PathBuf>,
    /// `[server]`.
    pub server: Server,
    /// `[rdf_database]`.
    pub store: StoreConfig,
    /// `[ns_prefix]`: prefix (empty for the default one), namespace, in order.
    pub prefixes: Vec<(String, String)>,
    /// `[plugins]`.
    pub plugins: Plugins,
    /// `[cors] allow-origin`.
    pub cors_allow_origin: Vec<String>,
    /// `[limits]`.
    pub limits: Limits,
    /// `[logging]`.
    pub logging: Logging,
}

/// `[server]`.
#[derive(Clone, Debug)]
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
#[derive(Clone, Debug)]
pub struct StoreConfig {
    /// Directory of the store; `None`: a temporary one, lost at exit.
    pub directory: Option<PathBuf>,
    /// Room reserved for the store, in bytes of address space.
    pub map_size: u64,
}

/// `[plugins]`: which are on.
#[derive(Clone, Debug, PartialEq, Eq)]
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
}

/// `[limits]`.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Largest request body, in bytes, whatever `max-bytes` says.
    pub request_bytes: u64,
    /// Longest identifier of a resource or of an obsel, in bytes.
    pub id_bytes: usize,
    /// Bounds on payloads.
    pub payload: PayloadLimits,
}

/// `[logging]`.
#[derive(Clone, Debug)]
pub struct Logging {
    /// Names of the active loggers; empty: warnings and errors only.
    pub loggers: Vec<String>,
    /// Threshold of the console.
    pub console_level: log::LevelFilter,
    /// Python format string of the console.
    pub console_format: String,
}

/// Bounds on payloads; each error that they cause names the option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PayloadLimits {
    /// Most triples in a payload.
    pub triples: u64,
    /// Deepest nesting of brackets, objects or elements.
    pub nesting: usize,
    /// Longest literal or IRI, in bytes.
    pub literal_bytes: usize,
}
