//! What stored and computed traces have in common: their aspects, their being sources, how late obsels may come.

use crate::error::Result;
use crate::rdf::{Graph, as_literal, iri};
use crate::resource::links;
use crate::store::{Entry, Head, Reading};
use crate::vocab::ktbs;

/// Adds the links to the collection of obsels and to the statistics.
pub(super) fn generate(trace: &str, _head: &Head, _reading: &dyn Reading, graph: &mut Graph) -> Result<()> {
    let subject = iri(trace);
    graph.insert(
        &subject,
        &iri(ktbs::HAS_OBSEL_COLLECTION),
        &iri(format!("{trace}@obsels")),
    );
    graph.insert(
        &subject,
        &iri(ktbs::HAS_TRACE_STATISTICS),
        &iri(format!("{trace}@stats")),
    );
    Ok(())
}

/// Checks that a trace is the source of no other.
pub(super) fn check_deletable(entry: &Entry, iri: &str, _reading: &dyn Reading) -> Result<Vec<String>> {
    Ok(links::users(&entry.graph, iri, &[ktbs::HAS_SOURCE]))
}

/// Returns how far before its end, in units, a trace may grow and still be deemed monotonic; 0 by default.
pub fn pseudo_monotonicity_range(graph: &Graph, trace: &str) -> i64 {
    graph
        .object_of(trace, ktbs::HAS_PSEUDO_MON_RANGE)
        .and_then(as_literal)
        .and_then(|lexical| lexical.parse().ok())
        .unwrap_or(0)
}
