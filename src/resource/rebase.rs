//! Another root URI for what was written under a former one.
//!
//! The store keeps IRIs below the root relative to it, so that little is left to do: the parameters of methods and of computed
//! traces, which quote IRIs in texts.

use std::ops::ControlFlow;

use sophia::api::term::SimpleTerm;

use crate::error::{Error, Result};
use crate::obsel::{Obsel, Value};
use crate::rdf::{Term, as_iri, as_literal, iri, is_iri, string, tagged, typed};
use crate::resource::access::lists;
use crate::resource::{Service, links};
use crate::store::{Bounds, Reading, inspect};
use crate::vocab::ktbs;

/// A former root URI and the present one.
#[derive(Debug)]
pub struct Rebase {
    old: String,
    new: String,
}

/// What a change of root has changed in a store, and what it has left.
#[derive(Debug, Default)]
pub struct Report {
    /// The parameters that were rewritten: IRI of the resource, name of the parameter.
    pub parameters: Vec<(String, String)>,
    /// Other literals that have the former root in them, and were left: IRI of the resource, property; or `@acl`, for the name of a
    /// user or a group.
    pub literals: Vec<(String, String)>,
    /// How many obsels have a literal with the former root in it. They are left as they are.
    pub obsels: u64,
    /// IRIs below the present root that were in the store already, as those of another server.
    pub foreign: Vec<String>,
}

impl Rebase {
    /// Returns what brings one root to another. Both end with `/`.
    ///
    /// # Errors
    /// `InvalidData` if one does not, or they are the same.
    pub fn new(old: &str, new: &str) -> Result<Self> {
        for root in [old, new] {
            if !root.ends_with('/') || !root.contains("://") {
                return Err(Error::invalid(format!(
                    "{root} is no root URI: it must be absolute and end with /"
                )));
            }
        }
        if old == new {
            return Err(Error::invalid(format!(
                "the former root URI and the present one are both {old}"
            )));
        }
        let (old, new) = (old.to_owned(), new.to_owned());
        Ok(Self { old, new })
    }

    /// Returns an IRI in its new form, if it is below the former root.
    pub fn term(&self, term: &Term) -> Option<Term> {
        let rest = as_iri(term)?.strip_prefix(&self.old)?;
        Some(iri(format!("{}{rest}", self.new)))
    }

    /// Returns the object of a property in its new form, if that is another one: an IRI, a datatype, or a parameter that quotes
    /// IRIs.
    pub fn object(&self, property: &Term, object: &Term) -> Option<Term> {
        match object {
            SimpleTerm::Iri(_) => self.term(object),
            SimpleTerm::LiteralDatatype(lexical, datatype) => {
                let text = self.parameter(property, lexical);
                let moved = datatype.strip_prefix(self.old.as_str());
                if text.is_none() && moved.is_none() {
                    return None;
                }
                let text = text.unwrap_or_else(|| lexical.to_string());
                Some(match moved {
                    Some(rest) => typed(text, &format!("{}{rest}", self.new)),
                    None if datatype.as_str() == crate::vocab::xsd::STRING => string(text),
                    None => typed(text, datatype.as_str()),
                })
            }
            SimpleTerm::LiteralLanguage(lexical, language, _) => {
                Some(tagged(self.parameter(property, lexical)?, language.as_str()))
            }
            _ => None,
        }
    }

    fn parameter(&self, property: &Term, lexical: &str) -> Option<String> {
        is_iri(property, ktbs::HAS_PARAMETER)
            .then(|| self.text(lexical))
            .flatten()
    }

    /// Returns a text where the IRIs below the former root are below the new one; `None` if there are none. One that stands
    /// inside of another IRI is not one.
    pub fn text(&self, text: &str) -> Option<String> {
        let mut result = String::with_capacity(text.len());
        let mut rest = text;
        let mut last = None;
        let mut found = false;
        while let Some(at) = rest.find(&self.old) {
            let (before, after) = rest.split_at(at);
            last = before.chars().next_back().or(last);
            result.push_str(before);
            let is_inside = last.is_some_and(|c| c.is_alphanumeric() || "/:%#?&.-_~+@".contains(c));
            result.push_str(if is_inside { &self.old } else { &self.new });
            found |= !is_inside;
            rest = &after[self.old.len()..];
            last = Some('/');
        }
        result.push_str(rest);
        found.then_some(result)
    }
}

/// Rewrites what quotes the former root in a store that is open under the present one.
///
/// # Errors
/// Those of the store.
pub fn rebase(service: &Service, rebase: &Rebase, dry_run: bool) -> Result<Report> {
    let mut report = Report::default();
    let mut change = service.store.write()?;
    let mut edited = Vec::new();
    let mut traces = Vec::new();
    change.for_each_below("", &mut |mut entry| {
        let resource = format!("{}{}", rebase.new, entry.head.path);
        traces.extend(entry.head.trace);
        let mut rewritten = Vec::new();
        for [s, p, o] in entry.graph.iter() {
            if let Some(object) = rebase.object(p, o).filter(|_| is_iri(p, ktbs::HAS_PARAMETER)) {
                let name = as_literal(o).and_then(|text| text.split('=').next());
                report
                    .parameters
                    .push((resource.clone(), name.unwrap_or_default().to_owned()));
                rewritten.push(([s.clone(), p.clone(), o.clone()], object));
            } else if as_literal(o).is_some_and(|text| text.contains(&rebase.old)) {
                let property = as_iri(p).map(links::local_name).unwrap_or_default();
                report.literals.push((resource.clone(), property.to_owned()));
            }
        }
        if !rewritten.is_empty() {
            for ([s, p, o], object) in &rewritten {
                entry.graph.remove(s, p, o);
                entry.graph.insert(s, p, object);
            }
            edited.push(entry);
        }
        Ok(())
    })?;
    for entry in &mut edited {
        change.put(entry)?;
    }
    for trace in &traces {
        // It may quote the former root.
        change.delete_computation(*trace)?;
        change.for_each_obsel(*trace, &Bounds::ALL, &mut |obsel| {
            report.obsels += u64::from(has_text(obsel, &rebase.old));
            Ok(ControlFlow::Continue(()))
        })?;
    }
    for path in lists::quoting(&change, &rebase.old)? {
        report
            .literals
            .push((format!("{}{path}", rebase.new), lists::SUFFIX.to_owned()));
    }
    report.foreign = inspect::names_below_root(&change)?;
    if !dry_run {
        change.commit()?;
    }
    Ok(report)
}

/// Tells whether a literal of a description has a text in it.
fn has_text(obsel: &Obsel<'_>, text: &str) -> bool {
    let arcs = obsel.arcs.iter().chain(obsel.blank_arcs.iter().map(|(_, arc)| arc));
    arcs.chain(obsel.others.iter().map(|(_, arc)| arc))
        .any(|arc| match arc.object {
            Value::String(lexical) | Value::Tagged(lexical, _) | Value::Typed(lexical, _) => lexical.contains(text),
            _ => false,
        })
}

#[cfg(test)]
mod test {
    use super::*;

    #[test]
    fn texts_are_rewritten_where_an_iri_begins() {
        let rebase = Rebase::new("http://old/k/", "https://new.example/");
        let rebase = rebase.expect("two roots");
        for (text, expected) in [
            (
                "sparql=SELECT <http://old/k/b/m#T> {}",
                Some("sparql=SELECT <https://new.example/b/m#T> {}"),
            ),
            (
                "methods=http://old/k/a http://old/k/b",
                Some("methods=https://new.example/a https://new.example/b"),
            ),
            (
                "{\"id\":\"http://old/k/m#A\"}",
                Some("{\"id\":\"https://new.example/m#A\"}"),
            ),
            ("http://old/k/", Some("https://new.example/")),
            ("é,http://old/k/x", Some("é,https://new.example/x")),
            ("url=http://proxy/http://old/k/", None),
            ("url=xhttp://old/k/", None),
            ("http://old/k", None),
            ("http://other/k/", None),
        ] {
            assert_eq!(rebase.text(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn roots_are_checked() {
        for (old, new) in [
            ("http://h/k", "http://h/"),
            ("http://h/", "h/"),
            ("http://h/", "http://h/"),
        ] {
            assert!(Rebase::new(old, new).is_err(), "{old} {new}");
        }
    }
}
