//! What a query with a wider scope than its source sees: the resources of a base, or of the whole store.
//!
//! Its own obsels must not be among what it sees, or they would grow at each computation. Nor may those that follow from
//! them: of traces computed from its own, and of other traces that see as much, which would see each other. Of these, the
//! younger see the older: there is then no cycle, and a last one to compute.

use std::collections::{HashMap, HashSet};

use super::inputs::{Gathered, is_wide};
use super::links;
use crate::digest::fnv128;
use crate::error::Result;
use crate::rdf::{Graph, as_iri};
use crate::store::{Entry, Kind, Reading};
use crate::vocab::ktbs;

/// What a query sees beyond the source of its trace.
#[derive(Clone, Debug, Default)]
pub struct Wide {
    /// The paths of the computed traces whose obsels it sees, in order.
    pub computed: Vec<String>,
    /// The IRIs of the traces whose obsels it does not see.
    pub hidden: HashSet<String>,
    /// A number that changes with what it sees.
    pub digest: u64,
}

impl Wide {
    /// Finds out what the query of a computed trace sees; `None` if it sees its source only.
    ///
    /// # Errors
    /// Those of the store.
    pub fn of(reading: &dyn Reading, entry: &Entry, gathered: &Gathered) -> Result<Option<Self>> {
        let Some(scope) = gathered.scope(reading.root()) else {
            return Ok(None);
        };
        let root = reading.root();
        let target = format!("{root}{}", entry.head.path);
        let mut seen = String::new();
        let mut traces = Vec::new();
        let mut graphs: HashMap<String, Graph> = HashMap::new();
        let mut roots = vec![target.clone()];
        let mut heads = Vec::new();
        reading.for_each_below(&scope, &mut |other| {
            heads.push((other.head.path.clone(), other.head.tag.count));
            if let Some(trace) = other.head.trace {
                traces.push((other.head.path.clone(), trace, other.head.kind));
            }
            if other.head.kind == Kind::ComputedTrace {
                let iri = format!("{root}{}", other.head.path);
                if other.head.trace >= entry.head.trace && is_wide(reading, &other)? {
                    roots.push(iri.clone());
                }
                graphs.insert(iri, links::add_users(reading, other)?.graph);
            }
            Ok(())
        })?;
        let mut hidden = HashSet::new();
        while let Some(trace) = roots.pop() {
            if !hidden.insert(trace.clone()) {
                continue;
            }
            if let Some(graph) = graphs.get(&trace) {
                for property in [ktbs::HAS_SOURCE, ktbs::HAS_INTERMEDIATE_SOURCE] {
                    let users = graph.subjects_of(property, &trace).filter_map(as_iri);
                    roots.extend(users.map(str::to_owned));
                }
            }
        }
        for (path, tag) in heads {
            // What the target says of itself is no news to it.
            if path != entry.head.path {
                seen.push_str(&format!("{path:?}{tag}"));
            }
        }
        let mut computed = Vec::new();
        for (path, trace, kind) in traces {
            if hidden.contains(&format!("{root}{path}")) {
                continue;
            }
            seen.push_str(&format!("{path:?}{}", reading.trace(trace)?.tags.main.count));
            if kind == Kind::ComputedTrace {
                computed.push(path);
            }
        }
        Ok(Some(Self {
            computed,
            hidden,
            digest: fnv128(seen.as_bytes()) as u64,
        }))
    }
}
