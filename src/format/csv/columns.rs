//! The columns of a table of obsels (kTBS documentation, "CSV").

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::error::Result;
use crate::resource::view::Obsels;
use crate::vocab::{KTBS, ktbs};

/// The columns: that of the id, that of the types, then one for each property.
#[derive(Debug)]
pub struct Columns {
    /// The IRIs of the properties: those of the kTBS, the others in the order of their IRIs, the source obsels.
    pub properties: Vec<String>,
    /// The names of all the columns, each once, in ASCII letters, digits and underscores.
    pub names: Vec<String>,
}

impl Columns {
    /// Returns the columns that some obsels need.
    ///
    /// # Errors
    /// Those of the store.
    pub fn of(obsels: &Obsels) -> Result<Self> {
        let properties = properties(obsels)?;
        let names = names(&properties);
        Ok(Self { properties, names })
    }
}

/// Returns the IRIs of the properties in use, in the order of columns. Begin and end always are.
fn properties(obsels: &Obsels) -> Result<Vec<String>> {
    let mut used: BTreeSet<String> = obsels.predicates()?.into_iter().collect();
    if !obsels.partial && obsels.has_mentions()? && obsels.all_predicates()?.len() > used.len() {
        // Some predicates occur where they may relate an obsel from the description of another.
        obsels.for_each(&mut |obsel| {
            for relation in obsels.relations(obsel.id)?.iter().filter(|it| it.outgoing) {
                used.insert(obsels.iri(relation.predicate)?.to_string());
            }
            Ok(())
        })?;
    }
    used.remove(ktbs::HAS_TRACE);
    used.extend([ktbs::HAS_BEGIN, ktbs::HAS_END].map(str::to_owned));
    let source = used.take(ktbs::HAS_SOURCE_OBSEL);
    let (of_ktbs, others): (Vec<_>, Vec<_>) = used.into_iter().partition(|iri| iri.starts_with(KTBS));
    Ok(of_ktbs.into_iter().chain(others).chain(source).collect())
}

/// Returns the names of the columns: where a name is taken, it is followed by the first number, from 2, that is free.
fn names(properties: &[String]) -> Vec<String> {
    let mut names = vec!["id".to_owned(), "type".to_owned()];
    let mut taken: HashSet<String> = names.iter().cloned().collect();
    // Numbers below are known to be taken: any number of properties may have the same last segment.
    let mut next: HashMap<String, u64> = HashMap::new();
    for iri in properties {
        let mut name = column(iri);
        if taken.contains(&name) {
            let number = next.entry(name.clone()).or_insert(2);
            while taken.contains(&format!("{name}{number}")) {
                *number += 1;
            }
            name = format!("{name}{number}");
        }
        taken.insert(name.clone());
        names.push(name);
    }
    names
}

/// Returns the name of the column of a property, before it is made unique: its last segment, without a leading `has`,
/// in ASCII letters, digits and underscores.
fn column(iri: &str) -> String {
    let iri = iri.strip_suffix(['/', '#']).unwrap_or(iri);
    let segment = iri.rsplit(['/', '#']).next().unwrap_or(iri);
    let mut name = segment.to_owned();
    if let Some(rest) = segment.strip_prefix("has") {
        if let Some(rest) = rest.strip_prefix(['_', '-']) {
            name = rest.to_owned();
        } else if rest.starts_with(|c: char| c.is_uppercase()) {
            let mut characters = rest.chars();
            name = characters
                .next()
                .into_iter()
                .flat_map(char::to_lowercase)
                .chain(characters)
                .collect();
        }
    }
    name.replace(|c: char| !c.is_ascii_alphanumeric() && c != '_', "_")
}

#[cfg(test)]
mod test {
    use super::*;

    #[test]
    fn columns_have_distinct_names() {
        let properties = [
            "http://a/x",
            "http://b/x",
            "http://c/x2",
            "http://d/x",
            "http://e/id",
            "http://f/hasX",
        ];
        let names_of = |properties: [&str; 6]| names(&properties.map(str::to_owned));
        assert_eq!(
            names_of(properties),
            ["id", "type", "x", "x2", "x22", "x3", "id2", "x4"]
        );
        let many: Vec<_> = (0..20_000).map(|n| format!("http://h/{n}/x")).collect();
        assert_eq!(names(&many).len(), 20_002);
    }

    #[test]
    fn columns_are_named_after_properties() {
        for (iri, name) in [
            ("http://h/m#hasPrice", "price"),
            ("http://h/m#has_price", "price"),
            ("http://h/m#has-price", "price"),
            ("http://h/m#hash", "hash"),
            ("http://h/m#has", "has"),
            ("http://h/m/", "m"),
            ("http://h/m#", "m"),
            ("http://h/m/é-1.x", "__1_x"),
            ("http://h/m#hasÉtat", "_tat"),
        ] {
            assert_eq!(column(iri), name, "{iri}");
        }
    }
}
