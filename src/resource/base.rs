//! Bases: they contain all the rest, other bases included (kTBS documentation, "base").

use crate::error::Result;
use crate::rdf::{Graph, iri};
use crate::resource::draft::Draft;
use crate::resource::{Row, Settings, check, reserved, row};
use crate::store::{Entry, Head, Kind, Reading};
use crate::vocab::{ktbs, rdf};

use super::access::Needs;
use super::view::Shape;

pub(super) static ROW: Row = Row {
    allow: &["GET", "HEAD", "POST", "PUT", "DELETE"],
    folder: true,
    star: true,
    check,
    generate,
    check_deletable,
    ..Row::new(Kind::Base, ktbs::BASE, Shape::Base, Needs::USUAL)
};

fn check(draft: &Draft, _reading: &dyn Reading, _settings: &Settings) -> Result<Vec<String>> {
    let mut problems = reserved::check(draft, &[]);
    problems.extend(reserved::check_item_types(draft));
    problems.extend(check::folder(draft));
    Ok(problems)
}

/// Adds the links to the items, with their type.
fn generate(base: &str, head: &Head, reading: &dyn Reading, graph: &mut Graph) -> Result<()> {
    let (base, contains, a) = (iri(base), iri(ktbs::CONTAINS), iri(rdf::TYPE));
    for item in reading.children(&head.path)? {
        let subject = iri(format!("{}{}", reading.root(), item.path));
        graph.insert(&base, &contains, &subject);
        graph.insert(&subject, &a, &iri(row(item.kind).class));
    }
    Ok(())
}

fn check_deletable(entry: &Entry, _iri: &str, reading: &dyn Reading) -> Result<Vec<String>> {
    Ok(if reading.has_children(&entry.head.path)? {
        vec!["Can not delete non-empty Base".to_owned()]
    } else {
        Vec::new()
    })
}
