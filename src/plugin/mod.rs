//! Steps around a request, switched on in `[plugins]`.
//!
//! [`PLUGINS`] has one row for each. A plugin may answer a request before anything is looked at, take a GET in place
//! of the resource, and change the headers of any answer. It reaches data through [`Service`], like everyone else.

pub mod authx;
mod cors;
mod meth_external;
mod post_via_get;
pub mod profiler;
mod sparql_endpoints;
mod xgereco_obsel_table;

use std::sync::Arc;

use ::http::{HeaderValue, Method, Response};
use ::http::{request, response};

use crate::config::{Config, Plugins};
use crate::error::{Error, Result};
use crate::format::{self, Offer};
use crate::method::Runner;
use crate::rdf::Graph;
use crate::resource::access::{Access, Rights};
use crate::resource::view::Link;
use crate::resource::{Parameters, Service, Shape, Target, View};

/// A plugin.
#[derive(Debug)]
pub struct Plugin {
    /// Its name in `[plugins]`.
    pub name: &'static str,
    /// Its switch.
    pub is_on: fn(&Plugins) -> bool,
    /// What the visitor must be granted on a resource before the plugin may take or answer a request about it. There is
    /// no default: a plugin says what it needs.
    pub needs: Rights,
    /// Where its work is done.
    pub work: Work,
}

/// Where the work of a plugin is done.
#[derive(Debug)]
pub enum Work {
    /// Here.
    Steps(Steps),
    /// By the resources, which know the switch.
    Resources,
}

/// Finds out who sends a request; `None`: does not ask.
pub type Who = fn(&Config, &Service, &request::Parts) -> Option<Result<Arc<Access>>>;

/// What a plugin does around a request; the default is nothing.
#[derive(Debug)]
pub struct Steps {
    /// The query parameters that are the plugin's own: resources never see them.
    pub takes: &'static [&'static str],
    /// May answer a request, whatever it asks.
    pub before: fn(&Config, &request::Parts) -> Option<Response<()>>,
    /// May answer a request for what is the plugin's own, below the root, and no resource.
    pub own: fn(&Own<'_>) -> Option<Reply>,
    /// What that is, for the description of the API.
    pub addresses: fn(&Config) -> &'static [Address],
    /// May find out who sends a request, and so restrict what all that follows sees and does.
    pub who: Who,
    /// May take a GET of an existing resource; the view is then shown, and never cached.
    pub take: fn(&Get<'_>) -> Option<Result<View>>,
    /// May answer a GET or a POST of an existing resource, whatever the resource would say.
    pub answer: fn(&Asked<'_>) -> Option<Result<Answer>>,
    /// May refuse a request to people: with a page in HTML, in place of the text for clients.
    pub page: fn(&Config, &request::Parts, &Error) -> Option<String>,
    /// May tell something of who looks at a page, with a link.
    pub link: fn(&Config, &Service, &request::Parts) -> Option<Link>,
    /// The media types that resources of a shape offer too, after those of their shape.
    pub offers: fn(Shape) -> &'static [Offer],
    /// May change the status line and the headers of any answer.
    pub after: fn(&Config, &request::Parts, &mut response::Parts),
}

/// Steps that do nothing.
const NOTHING: Steps = Steps {
    takes: &[],
    before: |_, _| None,
    own: |_| None,
    addresses: |_| &[],
    who: |_, _, _| None,
    take: |_| None,
    answer: |_| None,
    page: |_, _, _| None,
    link: |_, _, _| None,
    offers: |_| &[],
    after: |_, _, _| {},
};

/// What is a plugin's own, and leads elsewhere.
#[derive(Clone, Copy, Debug)]
pub struct Address {
    /// Its name, below the root.
    pub name: &'static str,
    /// What it is for.
    pub summary: &'static str,
    /// The query parameters that it takes: name, meaning.
    pub parameters: &'static [(&'static str, &'static str)],
}

/// A request, before anything is looked for.
pub struct Own<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// The kTBS, as nobody sees it.
    pub service: &'a Service,
    /// The request.
    pub request: &'a request::Parts,
    /// The absolute IRI that is asked for, without extension and parameters.
    pub iri: &'a str,
    /// The query parameters.
    pub parameters: &'a Parameters,
}

impl Own<'_> {
    /// Returns the first value of a parameter.
    fn parameter(&self, name: &str) -> Option<&str> {
        let mut parameters = self.parameters.iter();
        parameters.find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// Tells whether a parameter comes twice.
    fn is_repeated(&self) -> bool {
        let mut names: Vec<&str> = self.parameters.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        names.windows(2).any(|pair| pair[0] == pair[1])
    }
}

impl std::fmt::Debug for Own<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Own").field("iri", &self.iri).finish_non_exhaustive()
    }
}

/// What a plugin answers to a request for what is its own.
#[derive(Debug)]
pub struct Reply {
    /// The absolute URI to go to, or why not.
    pub to: Result<String>,
    /// The cookies to set.
    pub cookies: Vec<HeaderValue>,
}

impl Reply {
    /// Returns a reply that sends the browser elsewhere.
    fn to(uri: String, cookies: Vec<HeaderValue>) -> Self {
        Self { to: Ok(uri), cookies }
    }

    /// Returns a refusal.
    fn refused(error: Error) -> Self {
        Self {
            to: Err(error),
            cookies: Vec::new(),
        }
    }
}

/// A GET of an existing resource, whose format was chosen.
pub struct Get<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// The kTBS.
    pub service: &'a Service,
    /// The resource.
    pub target: &'a Target,
    /// The query parameters.
    pub parameters: &'a Parameters,
    /// The format of the answer.
    pub offer: &'static Offer,
    /// Parses a payload for the resource, as that of a POST: media type, bytes in UTF-8.
    pub parse: &'a dyn Fn(&str, &[u8]) -> Result<Graph>,
}

impl std::fmt::Debug for Get<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Get")
            .field("iri", &self.target.iri)
            .field("parameters", &self.parameters)
            .finish_non_exhaustive()
    }
}

/// Reads the names and the values of a form.
pub type ReadForm = dyn Fn(&str) -> Result<Vec<(String, String)>>;

/// A GET or a POST of an existing resource, before anything else is made of it.
pub struct Asked<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// The kTBS.
    pub service: &'a Service,
    /// The resource.
    pub target: &'a Target,
    /// The method.
    pub method: &'a Method,
    /// The query parameters.
    pub parameters: &'a Parameters,
    /// The media type of the body, lower case, without parameters.
    pub media_type: &'a str,
    /// Reads the body, which can be done once.
    pub body: &'a dyn Fn() -> Result<String>,
    /// Reads the parameters of a form.
    pub form: &'a ReadForm,
    /// Returns the index of the media type that the client prefers, or `None` if it accepts none of them.
    pub preferred: &'a dyn Fn(&[&str]) -> Option<usize>,
}

impl std::fmt::Debug for Asked<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Asked")
            .field("iri", &self.target.iri)
            .finish_non_exhaustive()
    }
}

/// What a plugin answers in place of a resource: its media type follows from what the client accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The media type, without parameters.
    pub media_type: &'static str,
    /// The body.
    pub body: Vec<u8>,
}

/// Returns the media types of the results of SPARQL endpoints; some may come twice.
pub fn sparql_results() -> impl Iterator<Item = &'static str> {
    sparql_endpoints::results()
}

/// The plugins, in the order in which they see a request; they see the answer in the reverse order.
pub static PLUGINS: [Plugin; 9] = [
    Plugin {
        name: "cors",
        is_on: |plugins| plugins.cors,
        needs: Rights::NONE,
        work: Work::Steps(cors::STEPS),
    },
    Plugin {
        name: "authx",
        is_on: |plugins| plugins.authx,
        needs: Rights::NONE,
        work: Work::Steps(authx::STEPS),
    },
    Plugin {
        name: "post_via_get",
        is_on: |plugins| plugins.post_via_get,
        needs: Rights::ADD,
        work: Work::Steps(post_via_get::STEPS),
    },
    Plugin {
        name: "sparql_endpoints",
        is_on: |plugins| plugins.sparql_endpoints,
        needs: Rights::READ,
        work: Work::Steps(sparql_endpoints::STEPS),
    },
    Plugin {
        name: "stats_per_type",
        is_on: |plugins| plugins.stats_per_type,
        needs: Rights::READ,
        work: Work::Resources,
    },
    Plugin {
        name: "stats_subjects",
        is_on: |plugins| plugins.stats_subjects,
        needs: Rights::READ,
        work: Work::Resources,
    },
    Plugin {
        name: "meth_external",
        is_on: |plugins| plugins.meth_external,
        needs: Rights::WRITE,
        work: Work::Resources,
    },
    Plugin {
        name: "xgereco_obsel_table",
        is_on: |plugins| plugins.xgereco_obsel_table,
        needs: Rights::READ,
        work: Work::Steps(xgereco_obsel_table::STEPS),
    },
    Plugin {
        name: "profiler",
        is_on: |plugins| plugins.profiler,
        needs: Rights::NONE,
        work: Work::Steps(profiler::STEPS),
    },
];

/// Returns the steps of the plugins that are on, with what they need.
fn steps(config: &Config) -> impl DoubleEndedIterator<Item = (Rights, &'static Steps)> {
    PLUGINS
        .iter()
        .filter(|plugin| (plugin.is_on)(&config.plugins))
        .filter_map(|plugin| match &plugin.work {
            Work::Steps(steps) => Some((plugin.needs, steps)),
            Work::Resources => None,
        })
}

/// Tells whether a query parameter is for a plugin only.
pub fn takes(config: &Config, parameter: &str) -> bool {
    steps(config).any(|(_, steps)| steps.takes.contains(&parameter))
}

/// Returns the answer of the first plugin that has one for a request.
pub fn before(config: &Config, request: &request::Parts) -> Option<Response<()>> {
    steps(config).find_map(|(_, steps)| (steps.before)(config, request))
}

/// Returns the answer of the first plugin whose own is asked for.
pub fn own(own: &Own<'_>) -> Option<Reply> {
    steps(own.config).find_map(|(_, steps)| (steps.own)(own))
}

/// Returns what is the own of the plugins that are on.
pub fn addresses(config: &Config) -> impl Iterator<Item = &'static Address> {
    steps(config).flat_map(move |(_, steps)| (steps.addresses)(config))
}

/// Returns the page that refuses a request to people, if a plugin has one.
pub fn page(config: &Config, request: &request::Parts, error: &Error) -> Option<String> {
    steps(config).find_map(|(_, steps)| (steps.page)(config, request, error))
}

/// Returns the link by which a page tells of who looks at it: `login`, `logout` or `user`.
pub fn link(config: &Config, service: &Service, request: &request::Parts) -> Option<Link> {
    steps(config).find_map(|(_, steps)| (steps.link)(config, service, request))
}

/// Returns the access of whoever sends a request; `None` where no plugin asks.
///
/// # Errors
/// `LoginRequired`, `TooManyAttempts`: they claim to be somebody, and do not prove it.
pub fn who(config: &Config, service: &Service, request: &request::Parts) -> Option<Result<Arc<Access>>> {
    steps(config).find_map(|(_, steps)| (steps.who)(config, service, request))
}

/// Returns what the first plugin that takes a GET shows.
pub fn take(get: &Get<'_>) -> Option<Result<View>> {
    let may = |needs| get.service.may(get.target, needs);
    steps(get.config).find_map(|(needs, steps)| may(needs).then(|| (steps.take)(get)).flatten())
}

/// Returns what a resource of a shape offers, the preferred first, with what plugins add.
pub fn offers(config: &Config, shape: Shape) -> Vec<&'static Offer> {
    let added = steps(config).flat_map(|(_, steps)| (steps.offers)(shape));
    format::offers_with(shape, added).collect()
}

/// Returns the answer of the first plugin that has one in place of a resource.
pub fn answer(asked: &Asked<'_>) -> Option<Result<Answer>> {
    let may = |needs| asked.service.may(asked.target, needs);
    steps(asked.config).find_map(|(needs, steps)| may(needs).then(|| (steps.answer)(asked)).flatten())
}

/// Lets all plugins change the headers of an answer.
pub fn after(config: &Config, request: &request::Parts, response: &mut response::Parts) {
    for (_, steps) in steps(config).rev() {
        (steps.after)(config, request, response);
    }
}

/// Returns what runs the commands of the method external, if the configuration allows that method.
pub fn commands(config: &Config) -> Option<Arc<dyn Runner>> {
    Some(Arc::new(meth_external::Commands::allowed(config)?))
}

#[cfg(test)]
pub(crate) mod test {
    use super::*;

    /// Returns the default configuration.
    pub(crate) fn config() -> Config {
        let root = ("server", "fixed-root-uri", "http://localhost:8101/");
        crate::config::load(&[], &[root]).expect("the defaults are correct").0
    }

    #[test]
    fn names_are_unique() {
        for (i, plugin) in PLUGINS.iter().enumerate() {
            assert!(PLUGINS[..i].iter().all(|other| other.name != plugin.name));
        }
    }
}
