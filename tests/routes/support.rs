//! A kTBS in a temporary folder, without HTTP.

use ktbs::error::{Error, Result};
use ktbs::rdf::{Graph, Term};
use ktbs::resource::{Content, Expected, Service, Settings, Target, View};
use ktbs::store::Store;
use ktbs::vocab::ktbs as k;
use sophia::api::source::TripleSource;
use sophia::isomorphism::isomorphic_graphs;

/// The root of [`TestService`].
pub const ROOT: &str = "http://h/k/";

/// A kTBS whose store vanishes with it. Its methods take paths relative to the root, and Turtle.
#[derive(Debug)]
pub struct TestService {
    pub service: Service,
    _folder: tempfile::TempDir,
}

/// Returns the settings of [`TestService`].
pub fn settings() -> Settings {
    Settings {
        version: "0.1-test".to_owned(),
        builtin_methods: vec![k::FILTER, k::FUSION, k::PARALLEL, k::PIPE],
        stats_per_type: true,
        stats_subjects: true,
        id_bytes: 100,
        computing: Default::default(),
    }
}

impl TestService {
    /// Returns an empty kTBS.
    pub fn new() -> Self {
        Self::in_folder(tempfile::tempdir().unwrap(), settings())
    }

    /// Returns an empty kTBS with all methods, whose store is in memory where the machine has a place for that: thousands of transactions then
    /// do not wait for the disk.
    pub fn in_memory() -> Self {
        let methods = ktbs::method::METHODS.iter().filter(|method| !method.dangerous);
        let settings = Settings {
            builtin_methods: methods.map(|method| method.iri).collect(),
            ..settings()
        };
        Self::in_folder(crate::support::memory(), settings)
    }

    fn in_folder(folder: tempfile::TempDir, settings: Settings) -> Self {
        let store = Store::open(folder.path(), ROOT, 1 << 28).unwrap();
        Self {
            service: Service::new(store, settings).unwrap(),
            _folder: folder,
        }
    }

    /// Returns a kTBS with a base `b/`.
    pub fn with_base() -> Self {
        let ktbs = Self::new();
        ktbs.created("", "<> k:hasBase <b/>. <b/> a k:Base.");
        ktbs
    }

    pub fn find(&self, path: &str) -> Result<Target> {
        self.service.find(&format!("{ROOT}{path}"))
    }

    /// Tells whether a resource exists.
    pub fn has(&self, path: &str) -> bool {
        match self.find(path) {
            Ok(_) => true,
            Err(Error::NotFound) => false,
            Err(error) => panic!("{error}"),
        }
    }

    pub fn post(&self, path: &str, body: &str) -> Result<Vec<String>> {
        self.service.create(&self.find(path)?, &[], turtle(path, body))
    }

    /// Posts what must be accepted; returns the path of the first item that was created.
    pub fn created(&self, path: &str, body: &str) -> String {
        let iris = self.post(path, body).unwrap_or_else(|error| panic!("{body}: {error}"));
        iris[0].strip_prefix(ROOT).unwrap().to_owned()
    }

    /// Reads with query parameters.
    pub fn view(&self, path: &str, parameters: &[(&str, &str)]) -> Result<View> {
        let parameters: Vec<_> = parameters
            .iter()
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
            .collect();
        self.service.read(self.find(path)?, &parameters)
    }

    pub fn get(&self, path: &str) -> Graph {
        graph_of(self.view(path, &[]).unwrap())
    }

    /// Replaces whatever is there.
    pub fn put(&self, path: &str, body: &str) -> Result<Graph> {
        let view = self
            .service
            .replace(self.find(path)?, &Expected::Anything, turtle(path, body))?;
        Ok(graph_of(view))
    }

    pub fn delete(&self, path: &str) -> Result<()> {
        self.service.delete(&self.find(path)?, &[])
    }

    /// Returns the only tag of a resource.
    pub fn tag(&self, path: &str) -> String {
        let tags = self.find(path).unwrap().tags().unwrap();
        assert_eq!(tags.len(), 1, "{path}");
        tags[0].clone()
    }

    /// Checks that a GET shows this graph, up to its blank nodes.
    #[track_caller]
    pub fn shows(&self, path: &str, expected: &str) {
        same(&self.get(path), path, expected);
    }
}

/// Returns the graph of a view of something else than obsels.
pub fn graph_of(view: View) -> Graph {
    match view.content {
        Content::Graph(graph) => graph,
        Content::Obsels(_) => panic!("{} shows obsels", view.iri),
    }
}

/// Checks that a graph is this one, up to its blank nodes.
#[track_caller]
pub fn same(graph: &Graph, path: &str, expected: &str) {
    let expected = turtle(path, expected);
    let list = |graph: &Graph| {
        graph
            .iter()
            .map(|t| t.map(shown).join(" "))
            .collect::<Vec<_>>()
            .join("\n")
    };
    assert!(
        isomorphic_graphs(graph, &expected).unwrap(),
        "{path} shows\n{}\n\nand not\n{}",
        list(graph),
        list(&expected)
    );
}

fn shown(term: &Term) -> String {
    ktbs::rdf::as_iri(term)
        .or_else(|| ktbs::rdf::as_literal(term))
        .unwrap_or("_:")
        .replace(ktbs::vocab::KTBS, "k:")
}

/// Returns the graph of some Turtle sent to a path.
pub fn turtle(path: &str, body: &str) -> Graph {
    let text = format!(
        "@base <{ROOT}{path}>. @prefix k: <{}>. @prefix x: <http://ex.org/>. @prefix rdfs: <{}>. @prefix skos: <{}>.
        @prefix xsd: <{}>. {body}",
        ktbs::vocab::KTBS,
        ktbs::vocab::RDFS,
        ktbs::vocab::SKOS,
        ktbs::vocab::XSD
    );
    sophia::turtle::parser::turtle::parse_str(&text)
        .collect_triples()
        .unwrap()
}

/// Returns the message of a refusal of data, without its title and with `k:` for the namespace.
#[track_caller]
pub fn refused<T: std::fmt::Debug>(result: Result<T>) -> String {
    match result {
        Err(Error::InvalidData(diagnosis)) => diagnosis
            .problems
            .join("\n")
            .replace(ktbs::vocab::KTBS, "k:")
            .replace(ROOT, ""),
        other => panic!("{other:?}"),
    }
}

/// Returns the message of a conflict, without its title and the root.
#[track_caller]
pub fn conflict<T: std::fmt::Debug>(result: Result<T>) -> String {
    match result {
        Err(Error::Conflict(diagnosis)) => {
            assert_eq!(diagnosis.title, "check_deletable");
            diagnosis.problems.join("\n").replace(ROOT, "")
        }
        other => panic!("{other:?}"),
    }
}

/// Returns the message and the allowed methods of a method that is not.
#[track_caller]
pub fn not_allowed<T: std::fmt::Debug>(result: Result<T>) -> (String, &'static [&'static str]) {
    match result {
        Err(Error::NotAllowed { allow, message }) => (message.replace(ROOT, ""), allow),
        other => panic!("{other:?}"),
    }
}

/// Returns the message of bad parameters.
#[track_caller]
pub fn bad_parameters<T: std::fmt::Debug>(result: Result<T>) -> String {
    match result {
        Err(Error::BadParameters(message)) => message,
        other => panic!("{other:?}"),
    }
}
