//! The commands of the administrator, as they are called.

mod acl;
mod collect;
mod dump;
mod lists;
mod migration;
mod owner;
mod protection;
mod rebase;
mod refresh;
mod token;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use ktbs::format::quads::{self, Syntax};
use ktbs::rdf::{Graph, as_iri};
use sophia::isomorphism::isomorphic_graphs;
use tempfile::TempDir;

use crate::web_server::program;

/// The root URI of the dump of a Python kTBS.
pub const ROOT: &str = "http://localhost:8630/";

/// What the `sc_dump` of a Python kTBS wrote, with a resource of each kind and a computed trace of each method.
pub const PYTHON: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tools/python.nq");

/// A folder with stores and their configurations.
pub struct Folder(TempDir);

impl Folder {
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Returns a store of that name, under a root.
    pub fn store<'f>(&'f self, name: &'f str, root: &str) -> Store<'f> {
        let text = format!("[server]\nfixed-root-uri = {root}\n[rdf_database]\nrepository = {name}\n");
        std::fs::write(self.path(&format!("{name}.conf")), text).expect("a file");
        Store { folder: self, name }
    }
}

/// A store, and the commands about it.
pub struct Store<'f> {
    folder: &'f Folder,
    name: &'f str,
}

impl Store<'_> {
    pub fn config(&self) -> PathBuf {
        self.folder.path(&format!("{}.conf", self.name))
    }

    /// Runs a command with something on its standard input.
    pub fn call(&self, arguments: &[&str], input: &[u8]) -> Output {
        let mut child = program()
            .args(arguments)
            .arg("-c")
            .arg(self.config())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program can be run");
        let mut stdin = child.stdin.take().expect("a pipe");
        let input = input.to_vec();
        let writer = std::thread::spawn(move || {
            // A command may end before it has read everything.
            let _ = stdin.write_all(&input);
        });
        let output = child.wait_with_output().expect("the process is ours");
        writer.join().expect("nobody panicked");
        output
    }

    /// Runs a command that must end well, and returns what it wrote.
    #[track_caller]
    pub fn run(&self, arguments: &[&str]) -> String {
        let output = self.call(arguments, b"");
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
        text(&output.stdout)
    }

    /// Runs a command that must end with that status, and returns its errors.
    #[track_caller]
    pub fn fails(&self, status: i32, arguments: &[&str], input: &[u8]) -> String {
        let output = self.call(arguments, input);
        let errors = text(&output.stderr);
        assert_eq!(output.status.code(), Some(status), "{errors}");
        errors
    }

    /// Returns the store as a dataset.
    pub fn graphs(&self) -> BTreeMap<String, Graph> {
        graphs(Syntax::NQuads, self.run(&["dump"]).as_bytes())
    }
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

pub fn name(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// Parses a dataset, whose graphs all have names.
pub fn graphs(syntax: Syntax, bytes: &[u8]) -> BTreeMap<String, Graph> {
    let mut graphs = BTreeMap::<String, Graph>::new();
    quads::parse(syntax, bytes, &mut |(s, p, o, g)| {
        let name = g.and_then(as_iri).expect("a graph with a name").to_owned();
        graphs.entry(name).or_default().insert(s, p, o);
        Ok(())
    })
    .expect("a correct dump");
    graphs
}

/// Returns the names of the graphs that differ.
pub fn different<'g>(one: &'g BTreeMap<String, Graph>, two: &'g BTreeMap<String, Graph>) -> Vec<&'g str> {
    let empty = Graph::new();
    let mut names: Vec<&str> = one.keys().chain(two.keys()).map(String::as_str).collect();
    names.sort_unstable();
    names.dedup();
    names.retain(|name| {
        let graph = |graphs: &'g BTreeMap<String, Graph>| graphs.get(*name);
        let (one, two) = (graph(one).unwrap_or(&empty), graph(two).unwrap_or(&empty));
        !isomorphic_graphs(one, two).expect("graphs in memory can be read")
    });
    names
}
