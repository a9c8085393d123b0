//! `?prop=` of the root and of bases: some properties of their items, read with the list.
//!
//! They are read as stored, without refreshing anything: those of a computed trace may be older than its sources
//! (kTBS documentation, "base").

use crate::error::Result;
use crate::rdf::{Graph, integer, iri};
use crate::resource::parameter::{Form, Parameter, check_known};
use crate::resource::{Parameters, Target, no_parameters};
use crate::store::{Kind, Reading};
use crate::vocab::{ktbs, rdfs, skos};

/// The parameters of a GET on the root.
pub static OF_ROOT: [Parameter; 1] = [prop(&["label", "comment"])];

/// The parameters of a GET on a base.
pub static OF_BASE: [Parameter; 1] = [prop(&[
    "label",
    "comment",
    "hasModel",
    "hasSource",
    "hasMethod",
    "obselCount",
])];

const fn prop(names: &'static [&'static str]) -> Parameter {
    Parameter {
        name: "prop",
        form: Form::Some(names),
        meaning: "Which properties of the items are shown with the list.",
    }
}

/// What can be asked about the bases of the root.
static ABOUT_BASES: [(&str, &[&str]); 2] = [
    ("label", &[rdfs::LABEL, skos::PREF_LABEL]),
    ("comment", &[rdfs::COMMENT]),
];

/// What can be asked about the items of a base, besides `obselCount`.
static ABOUT_ITEMS: [(&str, &[&str]); 5] = [
    ("label", &[rdfs::LABEL, skos::PREF_LABEL]),
    ("comment", &[rdfs::COMMENT]),
    ("hasModel", &[ktbs::HAS_MODEL]),
    ("hasSource", &[ktbs::HAS_SOURCE]),
    ("hasMethod", &[ktbs::HAS_METHOD]),
];

/// Adds to the description of the root or of a base what `prop` asks about its items. Several `prop` are one; names
/// that are not known are ignored.
///
/// # Errors
/// `BadParameters` if there is another parameter, or `prop` for another kind of resource; those of the store.
pub fn add(target: &Target, parameters: &Parameters, graph: &mut Graph) -> Result<()> {
    let kind = target.entry.head.kind;
    let known: &[(&str, &[&str])] = match kind {
        Kind::Root => &ABOUT_BASES,
        Kind::Base => &ABOUT_ITEMS,
        _ => return no_parameters(parameters),
    };
    check_known(&OF_ROOT, parameters)?;
    let asked: Vec<&str> = parameters
        .iter()
        .flat_map(|(_, names)| names.split(','))
        .map(str::trim)
        .collect();
    let properties: Vec<&str> = known
        .iter()
        .filter(|(name, _)| asked.contains(name))
        .flat_map(|(_, properties)| properties.iter().copied())
        .collect();
    let counted = kind == Kind::Base && asked.contains(&"obselCount");
    if properties.is_empty() && !counted {
        return Ok(());
    }

    let reading = &target.snapshot;
    for head in reading.children(&target.entry.head.path)? {
        let item = format!("{}{}", reading.root(), head.path);
        if counted && let Some(trace) = head.trace {
            let count = i64::try_from(reading.obsel_count(trace)?).unwrap_or(i64::MAX);
            graph.insert(&iri(&item), &iri(ktbs::HAS_OBSEL_COUNT), &integer(count));
        }
        let Some(entry) = reading.entry(&head.path)?.filter(|_| !properties.is_empty()) else {
            continue;
        };
        for property in &properties {
            for value in entry.graph.objects_of(&item, property) {
                graph.insert(&iri(&item), &iri(property), value);
            }
        }
    }
    Ok(())
}
