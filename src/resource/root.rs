//! The root of a kTBS: it lists the bases, the built-in methods and the version (kTBS documentation, "kTBS root").

use crate::error::Result;
use crate::rdf::{Graph, iri, string};
use crate::resource::create::new_head;
use crate::resource::draft::Draft;
use crate::resource::{Row, Settings, reserved};
use crate::store::{Entry, Head, Kind, Reading, Store};
use crate::vocab::{ktbs, rdf};

use super::access::Needs;
use super::view::Shape;

pub(super) static ROW: Row = Row {
    allow: &["GET", "HEAD", "POST", "PUT"],
    folder: true,
    star: true,
    check,
    generate,
    ..Row::new(Kind::Root, ktbs::KTBS_ROOT, Shape::Root, Needs::USUAL)
};

fn check(draft: &Draft, _reading: &dyn Reading, _settings: &Settings) -> Result<Vec<String>> {
    Ok(reserved::check(draft, &[]))
}

/// Adds the links to the bases, without their type.
fn generate(root: &str, _head: &Head, reading: &dyn Reading, graph: &mut Graph) -> Result<()> {
    let (root, has_base) = (iri(root), iri(ktbs::HAS_BASE));
    for base in reading.children("")? {
        graph.insert(&root, &has_base, &iri(format!("{}{}", reading.root(), base.path)));
    }
    Ok(())
}

/// Creates the root in a new store, and brings its version and its built-in methods up to date in another.
///
/// They are kept with the description, not generated at each reading, so that its tag is renewed when they change.
///
/// # Errors
/// Those of the store.
pub(super) fn prepare(store: &Store, settings: &Settings) -> Result<()> {
    let current = store.read()?.entry("")?;
    if current.is_some_and(|entry| describe(&entry.graph, store.root(), settings).is_none()) {
        return Ok(());
    }
    let mut change = store.write()?;
    // Another process may have been here while this one waited.
    let mut entry = change.entry("")?.unwrap_or_else(|| Entry {
        head: new_head("", Kind::Root),
        graph: Graph::new(),
    });
    if let Some(graph) = describe(&entry.graph, store.root(), settings) {
        entry.graph = graph;
        change.put(&mut entry)?;
        change.commit()?;
    }
    Ok(())
}

/// Returns the graph of the root as the settings want it, or `None` if it is so already.
fn describe(graph: &Graph, root: &str, settings: &Settings) -> Option<Graph> {
    let subject = iri(root);
    let mut wanted = vec![
        (iri(rdf::TYPE), iri(ktbs::KTBS_ROOT)),
        (iri(ktbs::HAS_VERSION), string(&settings.version)),
    ];
    wanted.extend(
        settings
            .builtin_methods
            .iter()
            .map(|method| (iri(ktbs::HAS_BUILTIN_METHOD), iri(method))),
    );

    let current = [ktbs::HAS_VERSION, ktbs::HAS_BUILTIN_METHOD]
        .map(|property| graph.objects_of(root, property).count())
        .into_iter()
        .sum::<usize>();
    if wanted.len() == current + 1 && wanted.iter().all(|(p, o)| graph.contains(&subject, p, o)) {
        return None;
    }
    let mut described = graph.clone();
    for property in [ktbs::HAS_VERSION, ktbs::HAS_BUILTIN_METHOD] {
        described.retain(|s, p, _| *s != subject || *p != iri(property));
    }
    for (p, o) in &wanted {
        described.insert(&subject, p, o);
    }
    Some(described)
}
