//! What can go wrong in the domain. No HTTP here: `http/status.rs` gives each variant its status.

use std::fmt;

use crate::store::StoreError;

/// The result of whatever a kTBS does for a client.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a request could not be satisfied, told to the client in words that name the obstacle.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The payload is not in the syntax it claims. Raised by `format` on the way in; the text has a line and a
    /// column where the parser knows them.
    #[error("{0}")]
    Parse(String),
    /// What should be a SPARQL query or update is none.
    #[error("{0}")]
    BadQuery(String),
    /// An update that SPARQL describes cannot be done: it is none, or breaks a rule of what it would change. Raised by the
    /// plugin `sparql_endpoints`.
    #[error("{0}")]
    BadUpdate(String),
    /// The request is not of the protocol that it claims: something is missing, or comes twice. Raised by plugins.
    #[error("{0}")]
    BadRequest(String),
    /// The payload is well-formed but not acceptable (the `check_…` diagnoses of the kTBS). Raised by `resource`.
    #[error("{0}")]
    InvalidData(Diagnosis),
    /// No such resource.
    #[error("no such resource")]
    NotFound,
    /// The extension of the URL names no format of this resource.
    #[error("Bad extension")]
    BadExtension,
    /// A query parameter is unknown, repeated, or has a bad value.
    #[error("{0}")]
    BadParameters(String),
    /// A stranger may not do this, or may not know that there is no such resource. Raised by `resource::access`, and by the
    /// plugin `authx` for credentials that are not good.
    #[error("who you are must be told, or was told wrongly")]
    LoginRequired,
    /// The user may not do this. Raised by `resource::access`.
    #[error("{0}")]
    Denied(String),
    /// Too many wrong credentials came from there. Raised by the plugin `authx`.
    #[error("too many failed attempts; try again in {0} s")]
    TooManyAttempts(u64),
    /// The issuer of the configuration gives no usable answer. Raised by the plugin `authx`.
    #[error("who you are cannot be found out: the identity provider gives no usable answer; try again later")]
    IssuerDown,
    /// The resource does not support the method; `allow` lists those it does.
    #[error("{message}")]
    NotAllowed {
        /// The methods that the resource supports.
        allow: &'static [&'static str],
        /// Why, for the client.
        message: String,
    },
    /// No format of the resource suits the request; the text lists the offers.
    #[error("{0}")]
    NotAcceptable(String),
    /// The state of the resource, or of another, forbids the action.
    #[error("{0}")]
    Conflict(Diagnosis),
    /// A limited request came without its length.
    #[error("the length of the body is required")]
    LengthRequired,
    /// None of the etags of `If-Match` is current.
    #[error("the etag does not match")]
    EtagMismatch,
    /// A `PUT` came without `If-Match`, or with `*`.
    #[error("'if-match' is required")]
    EtagRequired,
    /// The request is larger than a limit, which the text names.
    #[error("{0}")]
    TooLarge(String),
    /// The answer is larger than a limit, which the text names.
    #[error("{0}")]
    AnswerTooLarge(String),
    /// No parser for the media type of the payload, or for its charset.
    #[error("{0}")]
    UnsupportedType(String),
    /// The state cannot be written in the requested syntax.
    #[error("{0}")]
    Serialize(String),
    /// What the request asks is not part of this version.
    #[error("{0}")]
    NotImplemented(String),
    /// A query takes more time than it may; the text names the limit. Raised by `sparql`.
    #[error("{0}")]
    Timeout(String),
    /// A query takes more memory than it may; the text names the limit. Raised by `sparql`.
    #[error("{0}")]
    TooComplex(String),
    /// A trace cannot be computed within limits, and it is not tried again before some seconds. Raised by
    /// `resource::refresh`.
    #[error("{0}")]
    Excess(Diagnosis, u64),
    /// The store failed; `StoreError` tells a full disk from the rest.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The site asks for a line in the access log about each request, and none can be written. Raised by `App`.
    #[error("the access log cannot be written, and no request is answered without it; try again later")]
    NotLogged,
    /// The client went away, or stopped sending: nothing can be answered to anybody.
    #[error("the client is gone: {0}")]
    Gone(std::io::Error),
    /// A fault of ours. Details go to the log only.
    #[error("{0}")]
    Internal(String),
}

/// A titled list of problems, printed as the kTBS does: the title, `: ko`, then one line `* problem` each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnosis {
    /// The check that failed: `check_posted_graph`, `check_new_graph`, `check_deletable`…; empty: a single sentence.
    pub title: &'static str,
    /// The problems, in the order in which they were found; not empty.
    pub problems: Vec<String>,
}

impl Diagnosis {
    /// Returns `Ok` where there is no problem, and the diagnosis otherwise.
    ///
    /// # Errors
    /// The diagnosis itself, where `problems` is not empty.
    pub fn check(title: &'static str, problems: Vec<String>) -> std::result::Result<(), Self> {
        if problems.is_empty() {
            Ok(())
        } else {
            Err(Self { title, problems })
        }
    }

    /// Returns the diagnosis of a part of a payload: each problem tells where it was met.
    #[must_use]
    pub fn at(mut self, place: &str) -> Self {
        for problem in &mut self.problems {
            problem.insert_str(0, &format!("{place}: "));
        }
        self
    }
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.title.is_empty() {
            return f.write_str(&self.problems.join("\n"));
        }
        write!(f, "{}: ko", self.title)?;
        for problem in &self.problems {
            write!(f, "\n* {problem}")?;
        }
        Ok(())
    }
}

impl Error {
    /// Returns `InvalidData` with a single sentence and no title.
    pub fn invalid(sentence: impl Into<String>) -> Self {
        Self::InvalidData(Diagnosis {
            title: "",
            problems: vec![sentence.into()],
        })
    }
}
