//! Everything at once: the graphs of all the resources below a path, as of one moment.

use std::rc::Rc;

use super::access::lists;
use super::view::{Content, Obsels, Shape, View};
use super::{obsels, read};
use crate::error::Result;
use crate::store::{Reading, Snapshot};

/// Calls a function with each graph below a path (empty: of the whole store), in the order of the paths: the name of the graph,
/// and a view of it. What follows a description has a name below its own: `@acl` for the access control list, `@obsels` for the obsels.
///
/// Nothing is computed: the obsels of a computed trace are those of its last computation.
///
/// # Errors
/// Those of the function, and of the store.
pub fn for_each_graph(snapshot: &Rc<Snapshot>, path: &str, f: &mut dyn FnMut(&str, &View) -> Result<()>) -> Result<()> {
    let root = snapshot.root();
    snapshot.for_each_below(path, &mut |entry| {
        let iri = format!("{root}{}", entry.head.path);
        let (trace, kind) = (entry.head.trace, entry.head.kind);
        let generated = read::generated(snapshot.as_ref(), &entry.head)?;
        let list = lists::view(snapshot.as_ref(), &entry.head)?;
        f(&iri, &read::view(&iri, entry, &generated))?;
        if let Some(list) = list {
            f(&format!("{iri}{}", lists::SUFFIX), &list)?;
        }
        let Some(number) = trace else {
            return Ok(());
        };
        let name = format!("{iri}@obsels");
        let obsels = Obsels::whole(Rc::clone(snapshot), iri, number, obsels::collection_type(kind));
        let view = View {
            iri: name.clone(),
            shape: Shape::Obsels,
            tags: Vec::new(),
            modified: None,
            links: Vec::new(),
            model: None,
            content: Content::Obsels(obsels),
        };
        f(&name, &view)
    })
}
