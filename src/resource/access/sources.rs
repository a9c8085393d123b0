//! Computed traces: readable only if all that they are computed from is, unless their manager says otherwise.
//!
//! What a computation has seen is then in its obsels, whoever asks for them. So whoever may read them could have
//! computed them: the sources, what a query sees beyond them, the methods and the models are theirs to read.

use std::collections::HashSet;

use super::{Access, Acl, Rights};
use crate::error::Result;
use crate::rdf::{Graph, as_iri};
use crate::resource::computation::Computation;
use crate::resource::inputs::Gathered;
use crate::resource::path::{below, container};
use crate::store::{Entry, Head, Kind, Reading, Sight, acls};
use crate::vocab::ktbs;

/// The properties by which a resource is mentioned in the graph of another that it uses.
static BACKLINKS: [&str; 4] = [
    ktbs::HAS_SOURCE,
    ktbs::HAS_METHOD,
    ktbs::HAS_PARENT_METHOD,
    ktbs::HAS_INTERMEDIATE_SOURCE,
];

impl Sight for Access {
    fn sees(&self, whole: &dyn Reading, head: &Head) -> Result<bool> {
        Ok(self.rights(whole, head)?.include(Rights::READ))
    }

    fn trim(&self, whole: &dyn Reading, entry: &mut Entry) -> Result<()> {
        for link in self.hidden_links(whole, &entry.head, &entry.graph)? {
            entry.graph.remove(&link[0], &link[1], &link[2]);
        }
        Ok(())
    }
}

impl Access {
    /// Returns the links in the graph of a resource from others that use it, and that the visitor may not read.
    ///
    /// A triple of the same form that somebody wrote there is no such link: taking it out would tell whether its subject
    /// exists.
    fn hidden_links(&self, whole: &dyn Reading, head: &Head, graph: &Graph) -> Result<Vec<crate::rdf::Triple>> {
        let mut hidden = Vec::new();
        if self.may_all() {
            return Ok(hidden);
        }
        let own = format!("{}{}", whole.root(), head.path);
        for [s, p, o] in graph.iter() {
            let (Some(user), Some(property)) = (as_iri(s), as_iri(p)) else {
                continue;
            };
            if user == own || as_iri(o) != Some(own.as_str()) || !BACKLINKS.contains(&property) {
                continue;
            }
            let Some(user) = below(whole.root(), user)
                .map(|path| whole.entry(path))
                .transpose()?
                .flatten()
            else {
                continue;
            };
            if user.graph.contains(s, p, o) && !self.sees(whole, &user.head)? {
                hidden.push([s.clone(), p.clone(), o.clone()]);
            }
        }
        Ok(hidden)
    }
}

/// Returns the trace of which a computed trace is an intermediate one, if it is.
pub(super) fn owner(whole: &dyn Reading, entry: &Entry) -> Result<Option<Head>> {
    let iri = format!("{}{}", whole.root(), entry.head.path);
    let mut owners = entry.graph.subjects_of(ktbs::HAS_INTERMEDIATE_SOURCE, &iri);
    let Some(owner) = owners.next().and_then(as_iri) else {
        return Ok(None);
    };
    let owns = |other: &Entry| other.graph.contains_iris(owner, ktbs::HAS_INTERMEDIATE_SOURCE, &iri);
    let other = below(whole.root(), owner)
        .map(|path| whole.entry(path))
        .transpose()?
        .flatten();
    Ok(other.filter(owns).map(|other| other.head))
}

/// Tells whether a visitor may read all that a computed trace is computed from. `met`: the traces being looked at.
pub(super) fn are_readable(
    access: &Access,
    whole: &dyn Reading,
    entry: &Entry,
    met: &mut HashSet<String>,
) -> Result<bool> {
    let ignores_sources = match acls::acl(whole, &entry.head.path)? {
        Some(bytes) => Acl::decode(&bytes)?.ignores_sources,
        None => false,
    };
    met.insert(entry.head.path.clone());
    part_is_readable(access, whole, entry, ignores_sources, met)
}

/// Tells the same of a trace and of its intermediate traces, which have no list of their own.
fn part_is_readable(
    access: &Access,
    whole: &dyn Reading,
    entry: &Entry,
    ignores_sources: bool,
    met: &mut HashSet<String>,
) -> Result<bool> {
    let gathered = Gathered::of(whole, entry, &access.settings)?;
    // What a manager may open are the sources that they name, never what a query goes and looks for.
    if let Ok(method) = &gathered.method
        && method.sees_more_than_sources(&gathered.parameters)
        && !reads_scope(access, whole, &gathered)?
    {
        return Ok(false);
    }
    for step in &gathered.intermediate {
        let step = below(whole.root(), step)
            .map(|path| whole.entry(path))
            .transpose()?
            .flatten();
        if let Some(step) = step.filter(|step| step.head.kind == Kind::ComputedTrace)
            && met.insert(step.head.path.clone())
            && !part_is_readable(access, whole, &step, ignores_sources, met)?
        {
            return Ok(false);
        }
    }
    if ignores_sources {
        return Ok(true);
    }
    let iri = format!("{}{}", whole.root(), entry.head.path);
    for source in entry.graph.objects_of(&iri, ktbs::HAS_SOURCE).filter_map(as_iri) {
        let head = below(whole.root(), source)
            .map(|path| whole.head(path))
            .transpose()?
            .flatten();
        if let Some(head) = head
            && !met.contains(&head.path)
            && !access.rights_met(whole, &head, met)?.include(Rights::READ)
        {
            return Ok(false);
        }
    }
    uses_are_readable(access, whole, entry, &iri)
}

/// Tells whether a visitor may read the method of a computed trace, and the models that were looked at.
fn uses_are_readable(access: &Access, whole: &dyn Reading, entry: &Entry, iri: &str) -> Result<bool> {
    let methods = entry.graph.objects_of(iri, ktbs::HAS_METHOD).filter_map(as_iri);
    for path in methods.filter_map(|method| below(whole.root(), method)) {
        if !access.granted(whole, path)?.include(Rights::READ) {
            return Ok(false);
        }
    }
    if let Some(trace) = entry.head.trace {
        for (path, _) in Computation::read(whole, trace)?.models {
            if !access.granted(whole, &path)?.include(Rights::READ) {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// Tells whether a visitor may read all that a query sees beyond the sources of its trace.
fn reads_scope(access: &Access, whole: &dyn Reading, gathered: &Gathered) -> Result<bool> {
    let is_base = gathered
        .parameters
        .iter()
        .any(|(name, value)| name == "scope" && value == "base");
    if !is_base {
        return access.reads_all_below(whole, "");
    }
    for source in &gathered.declared {
        let base = below(whole.root(), &source.iri).and_then(container).unwrap_or("");
        if !access.reads_all_below(whole, base)? {
            return Ok(false);
        }
    }
    Ok(true)
}
