//! All that is about one subject, as graphs.

use std::ops::ControlFlow;

use super::references::{self, Gone};
use super::{obsels_about, traces};
use crate::error::Result;
use crate::rdf::{Graph, iri};
use crate::resource::access::lists;
use crate::resource::view::{Content, Shape, View};
use crate::store::views::Speller;
use crate::store::{Bounds, Reading, Snapshot};

/// Calls a function with the name and a view of each graph that has something about a subject, below a path: of the obsels of each
/// trace, stored or computed, that are those of the subject, or that refer to them or to the subject, what says so; of access control
/// lists, what names the subject as a user.
///
/// # Errors
/// Those of the function, and of the store.
pub fn export(
    snapshot: &Snapshot,
    path: &str,
    subject: &str,
    f: &mut dyn FnMut(&str, &View) -> Result<()>,
) -> Result<()> {
    let mut gone = Gone::new(subject, path, true);
    let traces = traces(snapshot, path)?;
    for entry in &traces {
        let trace = format!("{}{}", snapshot.root(), entry.head.path);
        let Some(number) = entry.head.trace else { continue };
        gone.add(&entry.head.path, &obsels_about(snapshot, &trace, number, subject)?);
    }
    for entry in &traces {
        let trace = format!("{}{}", snapshot.root(), entry.head.path);
        let Some(number) = entry.head.trace else { continue };
        let speller = Speller::new(snapshot, &trace);
        let mut graph = Graph::new();
        snapshot.for_each_obsel(number, &Bounds::ALL, &mut |obsel| {
            if gone.is_own(&entry.head.path, obsel.id) {
                speller.for_each_triple(obsel, &mut |[s, p, o]| {
                    graph.insert(&s, &p, &o);
                })?;
                let this = iri(format!("{trace}{}", obsel.id));
                for mention in snapshot.mentions(number, obsel.id)? {
                    let other = iri(format!("{trace}{}", mention.other));
                    let property = speller.name(mention.predicate)?;
                    match mention.outgoing {
                        true => graph.insert(&this, &property, &other),
                        false => graph.insert(&other, &property, &this),
                    };
                }
            } else {
                for (value, arc) in obsel.triples() {
                    if references::refers(snapshot, &trace, &value, &arc, &gone)? {
                        let term = |value| speller.term(obsel.id, value);
                        graph.insert(&term(&value)?, &speller.name(arc.predicate)?, &term(&arc.object)?);
                    }
                }
            }
            Ok(ControlFlow::Continue(()))
        })?;
        if !graph.is_empty() {
            let view = View {
                iri: trace.clone(),
                shape: Shape::Obsels,
                tags: Vec::new(),
                modified: None,
                links: Vec::new(),
                model: None,
                content: Content::Graph(graph),
            };
            f(&format!("{trace}@obsels"), &view)?;
        }
    }
    for path in lists::naming(snapshot, path, subject)? {
        let Some(head) = snapshot.head(&path)? else { continue };
        if let Some(view) = lists::about(snapshot, &head, subject)? {
            f(&format!("{}{}", view.iri, lists::SUFFIX), &view)?;
        }
    }
    Ok(())
}
