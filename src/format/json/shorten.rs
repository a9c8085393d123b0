//! IRIs as a JSON document of the kTBS writes them (kTBS documentation, "JSON format").

use crate::format::prefixes::model_namespace;
use crate::format::relative::{Base, Reference};
use crate::vocab::{KTBS, RDFS, SKOS, STATS, XSD};

use super::properties::{is_term, name_of};

/// Shortens the IRIs of one document, whose own IRI is the base of relative references.
#[derive(Clone, Debug)]
pub struct Shortener {
    base: Base,
    /// Prefix, namespace. The first that fits is used.
    prefixes: Vec<(&'static str, String)>,
}

/// An absolute IRI that would be read as a prefixed one, because its scheme is a prefix of the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clash;

/// The prefixes of the context, and those that some documents add to it.
const PREFIXES: [&str; 6] = ["k", "m", "xsd", "skos", "rdfs", "stats"];

/// The context that undoes all the prefixes, for descriptions with IRIs whose scheme is one of them.
pub const NO_PREFIX: &str = r#"{"k":null,"m":null,"xsd":null,"skos":null,"rdfs":null,"stats":null}"#;

impl Shortener {
    /// Returns the shortener of a document. `model` is the IRI of the model if the document has a prefix for it;
    /// `stats` tells whether it has one for statistics.
    pub fn new(iri: &str, model: Option<&str>, stats: bool) -> Self {
        let mut prefixes = vec![("k", KTBS.to_owned())];
        prefixes.extend(model.map(|model| ("m", model_namespace(model))));
        prefixes.extend([("xsd", XSD), ("skos", SKOS), ("rdfs", RDFS)].map(|(name, ns)| (name, ns.to_owned())));
        if stats {
            prefixes.push(("stats", STATS.to_owned()));
        }
        Self {
            base: Base::new(iri),
            prefixes,
        }
    }

    /// Returns the shortener of a description where all prefixes are undone.
    pub fn without_prefixes(&self) -> Self {
        Self {
            base: self.base.clone(),
            prefixes: Vec::new(),
        }
    }

    /// Tells whether there are prefixes.
    pub fn has_prefixes(&self) -> bool {
        !self.prefixes.is_empty()
    }

    /// Returns what names an IRI in the value of `@id`, or of a term whose values are IRIs.
    ///
    /// # Errors
    /// `Clash`, for which the description has to be written without prefixes.
    pub fn id(&self, iri: &str) -> Result<String, Clash> {
        if let Some(prefixed) = self.prefixed(iri) {
            return Ok(prefixed);
        }
        match self.base.refer(iri) {
            Some(Reference(dots, rest)) => Ok(format!("{dots}{rest}")),
            None => self.whole(iri),
        }
    }

    /// Returns what comes before a name in what [`Shortener::id`] gives of an IRI that is a directory, which ends with `/`, and a
    /// name that [`Base::put_name`] takes, whichever it is; `None` if that cannot be told.
    pub fn directory(&self, iri: &str) -> Option<String> {
        // No namespace ends within a name: they end with `#` or `/`. All else that decides is in the directory.
        debug_assert!(
            self.prefixes
                .iter()
                .all(|(_, namespace)| namespace.ends_with(['#', '/']))
        );
        let mut id = self.id(&format!("{iri}x")).ok()?;
        (id.pop() == Some('x')).then_some(id)
    }

    /// Returns what names an IRI in the value of `@type`, or of a term whose values may be terms.
    ///
    /// # Errors
    /// As for `id`.
    pub fn vocab(&self, iri: &str) -> Result<String, Clash> {
        if let Some(name) = name_of(iri) {
            return Ok(name.to_owned());
        }
        let id = self.id(iri)?;
        Ok(if is_term(&id) { format!("./{id}") } else { id })
    }

    /// Returns what names a property that has no term.
    ///
    /// # Errors
    /// As for `id`.
    pub fn key(&self, iri: &str) -> Result<String, Clash> {
        self.prefixed(iri).map_or_else(|| self.whole(iri), Ok)
    }

    fn prefixed(&self, iri: &str) -> Option<String> {
        self.prefixes.iter().find_map(|(prefix, namespace)| {
            let rest = iri.strip_prefix(namespace.as_str())?;
            // Two slashes after a colon are always read as those of an absolute IRI.
            (!rest.starts_with("//")).then(|| format!("{prefix}:{rest}"))
        })
    }

    fn whole(&self, iri: &str) -> Result<String, Clash> {
        let clashes = |(scheme, rest): (&str, &str)| PREFIXES.contains(&scheme) && !rest.starts_with("//");
        if !self.prefixes.is_empty() && iri.split_once(':').is_some_and(clashes) {
            return Err(Clash);
        }
        Ok(iri.to_owned())
    }
}

#[cfg(test)]
mod test {
    use super::*;

    #[test]
    fn iris_are_shortened_by_the_first_rule_that_applies() {
        let model = Some("http://h/b1/model");
        for (document, iri, id, vocab) in [
            (
                "http://h/b1/t1/",
                "http://liris.cnrs.fr/silex/2009/ktbs#filter",
                "k:filter",
                "filter",
            ),
            (
                "http://h/b1/t1/",
                "http://liris.cnrs.fr/silex/2009/ktbs#foo",
                "k:foo",
                "k:foo",
            ),
            (
                "http://h/b1/t1/",
                "http://liris.cnrs.fr/silex/2009/ktbs",
                "http://liris.cnrs.fr/silex/2009/ktbs",
                "http://liris.cnrs.fr/silex/2009/ktbs",
            ),
            ("http://h/b1/t1/", "http://h/b1/model#OT", "m:OT", "m:OT"),
            ("http://h/b1/t1/", "http://h/b1/model", "../model", "../model"),
            ("http://h/b1/t1/", "http://h/b1/", "../", "../"),
            ("http://h/b1/t1/", "http://h/", "http://h/", "http://h/"),
            ("http://h/b1/t1/", "http://h/b1/t1/@obsels", "./@obsels", "./@obsels"),
            (
                "http://h/b1/t1/",
                "http://www.w3.org/2001/XMLSchema#string",
                "xsd:string",
                "xsd:string",
            ),
            (
                "http://h/b1/t1/",
                "http://www.w3.org/2001/XMLSchema#//",
                "http://www.w3.org/2001/XMLSchema#//",
                "http://www.w3.org/2001/XMLSchema#//",
            ),
            ("http://h/b1/m1", "http://h/b1/filter", "filter", "./filter"),
            ("http://h/b1/m1", "http://h/b1/k", "k", "./k"),
            ("http://h/b1/m1", "http://h/b1/m2", "m2", "m2"),
        ] {
            let shortener = Shortener::new(document, model, false);
            assert_eq!(shortener.id(iri).as_deref(), Ok(id), "{iri}");
            assert_eq!(shortener.vocab(iri).as_deref(), Ok(vocab), "{iri}");
        }
    }

    #[test]
    fn properties_are_prefixed_or_absolute() {
        let shortener = Shortener::new("http://h/b1/t1/o1", Some("http://h/b1/model#"), false);
        for (iri, key) in [
            ("http://h/b1/model#at", "m:at"),
            ("http://h/b1/t1/rel", "http://h/b1/t1/rel"),
            ("http://www.w3.org/2000/01/rdf-schema#label", "rdfs:label"),
            (
                "http://liris.cnrs.fr/silex/2009/ktbs#hasPseudoMonRange",
                "k:hasPseudoMonRange",
            ),
        ] {
            assert_eq!(shortener.key(iri).as_deref(), Ok(key));
        }
    }

    #[test]
    fn a_scheme_that_is_a_prefix_needs_a_document_without_prefixes() {
        let shortener = Shortener::new("http://h/", None, false);
        assert_eq!(shortener.id("m:x"), Err(Clash));
        assert_eq!(shortener.key("xsd:x"), Err(Clash));
        assert_eq!(shortener.id("k://x").as_deref(), Ok("k://x"));
        let bare = shortener.without_prefixes();
        assert_eq!(bare.id("m:x").as_deref(), Ok("m:x"));
        assert_eq!(bare.key(&format!("{KTBS}foo")), Ok(format!("{KTBS}foo")));
    }
}
