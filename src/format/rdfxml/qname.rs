//! Predicates as names of XML elements (RDF 1.1 XML Syntax, sections 5.1 and 7.2.14).

use crate::error::{Error, Result};
use crate::format::prefixes::{Prefix, is_name_character, is_name_start, is_ncname};
use crate::vocab::RDF;

/// The name of an element: where its start tag ends with `declaration`, and its end tag with `name`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QName {
    /// The name, with its prefix.
    pub name: String,
    /// The namespace, where no prefix of the document stands for it.
    pub declared: Option<String>,
}

/// Names of RDF/XML itself, which cannot be predicates.
const RESERVED: [&str; 12] = [
    "Description",
    "RDF",
    "ID",
    "about",
    "parseType",
    "resource",
    "nodeID",
    "datatype",
    "bagID",
    "aboutEach",
    "aboutEachPrefix",
    "li",
];

/// Namespaces that no prefix can be bound to (Namespaces in XML, section 3).
const UNBINDABLE: [&str; 2] = ["http://www.w3.org/XML/1998/namespace", "http://www.w3.org/2000/xmlns/"];

/// Returns the name of the element that stands for a predicate.
///
/// # Errors
/// `Serialize` if the IRI cannot be cut into a namespace and a name, or is reserved.
pub fn qname(iri: &str, prefixes: &[Prefix]) -> Result<QName> {
    let refuse = |why| {
        Err(Error::Serialize(format!(
            "RDF/XML cannot express the predicate <{iri}>: {why}"
        )))
    };
    if iri.strip_prefix(RDF).is_some_and(|local| RESERVED.contains(&local)) {
        return refuse("the name is reserved");
    }
    for prefix in prefixes {
        if let Some(local) = iri.strip_prefix(prefix.namespace.as_str())
            && is_ncname(local)
        {
            let colon = if prefix.name.is_empty() { "" } else { ":" };
            return Ok(QName {
                name: format!("{}{colon}{local}", prefix.name),
                declared: None,
            });
        }
    }
    let tail = iri
        .rfind(|c| !is_name_character(c))
        .map_or(0, |at| at + iri[at..].chars().next().map_or(0, char::len_utf8));
    match iri[tail..].find(is_name_start) {
        Some(skipped) if tail + skipped > 0 && !UNBINDABLE.contains(&&iri[..tail + skipped]) => {
            let (namespace, local) = iri.split_at(tail + skipped);
            Ok(QName {
                name: format!("n:{local}"),
                declared: Some(namespace.to_owned()),
            })
        }
        _ => refuse("it does not end with an XML name"),
    }
}

#[cfg(test)]
mod test {
    use super::*;

    #[test]
    fn iris_are_cut_before_their_last_name() {
        let prefix = |name: &str, namespace: &str| Prefix {
            name: name.to_owned(),
            namespace: namespace.to_owned(),
        };
        let prefixes = [prefix("", "http://k#"), prefix("x", "http://x/")];
        for (iri, expected) in [
            ("http://k#a", Some(("a", None))),
            ("http://x/a-1.é", Some(("x:a-1.é", None))),
            ("http://x/1", None),
            ("http://x/1a", Some(("n:a", Some("http://x/1")))),
            ("http://x/y/z", Some(("n:z", Some("http://x/y/")))),
            ("urn:é", Some(("n:é", Some("urn:")))),
            ("http://y/", None),
            ("http://www.w3.org/2000/xmlns/a", None),
            ("http://www.w3.org/1999/02/22-rdf-syntax-ns#li", None),
            ("http://www.w3.org/1999/02/22-rdf-syntax-ns#about", None),
            (
                "http://www.w3.org/1999/02/22-rdf-syntax-ns#first",
                Some(("n:first", Some("http://www.w3.org/1999/02/22-rdf-syntax-ns#"))),
            ),
        ] {
            let name = qname(iri, &prefixes).ok();
            let name = name.as_ref().map(|it| (it.name.as_str(), it.declared.as_deref()));
            assert_eq!(name, expected, "{iri}");
        }
    }
}
