//! IRIs made shorter: references relative to the IRI of a document (RFC 3986, section 5).

use super::output::{Escapes, plain};

/// The IRI of a document, cut at the places from which others can be told.
#[derive(Clone, Debug)]
pub struct Base {
    iri: String,
    /// Where the last segment begins, if the IRI has a path.
    directory: Option<usize>,
    /// Where the segment before it begins, if there is one.
    parent: Option<usize>,
}

/// A reference that resolves to an IRI: both parts, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reference<'a>(pub &'static str, pub &'a str);

impl Base {
    /// Returns the base of a document. An IRI that has no path is a base from which nothing is shortened.
    pub fn new(iri: &str) -> Self {
        let path = iri
            .find("://")
            .and_then(|scheme| iri[scheme + 3..].find('/').map(|slash| scheme + 3 + slash))
            // A base with dot segments or empty ones would need the whole algorithm of the RFC; none is ever minted.
            .filter(|path| !iri.contains(['?', '#']) && is_regular(&iri[path + 1..]));
        let directory = path.and_then(|_| iri.rfind('/'));
        let parent = path.zip(directory).and_then(|(path, slash)| {
            let above = iri[..slash].rfind('/')?;
            (above >= path).then_some(above + 1)
        });
        Self {
            iri: iri.to_owned(),
            directory: directory.map(|slash| slash + 1),
            parent,
        }
    }

    /// Returns the IRI of the document.
    pub fn iri(&self) -> &str {
        &self.iri
    }

    /// Tells whether an IRI is that of the directory of the document.
    pub fn is_directory(&self, iri: &str) -> bool {
        self.directory.is_some_and(|it| &self.iri[..it] == iri)
    }

    /// Appends a text if it is, without escapes, a relative reference to what has that name in the directory; returns false,
    /// with nothing appended, if that is not certain.
    #[inline]
    pub fn put_name(bytes: &mut Vec<u8>, text: &[u8]) -> bool {
        !matches!(text, [] | [b'.', ..]) && plain::<Unreserved>(bytes, text)
    }

    /// Returns the shortest reference to an IRI among `#fragment`, what follows the directory of the document
    /// (after `./` where it would be read as something else), and `../` and what follows the parent of the
    /// directory; `None` where only the IRI itself is safe.
    ///
    /// An empty reference is never given: to the document itself, the reference is its last segment, or `./`.
    pub fn refer<'a>(&self, iri: &'a str) -> Option<Reference<'a>> {
        if let Some(fragment) = iri.strip_prefix(self.iri.as_str())
            && fragment.starts_with('#')
        {
            return Some(Reference("", fragment));
        }
        if let Some(rest) = self.directory.and_then(|it| iri.strip_prefix(&self.iri[..it])) {
            return is_regular(rest).then(|| Reference(if is_plain(rest) { "" } else { "./" }, rest));
        }
        let rest = iri.strip_prefix(&self.iri[..self.parent?])?;
        is_regular(rest).then_some(Reference("../", rest))
    }
}

/// The characters that mean nothing in an IRI but themselves (RFC 3986, section 2.3).
enum Unreserved {}

impl Escapes for Unreserved {
    #[inline]
    fn is_special(byte: u8) -> bool {
        let (letter, digit) = ((byte | 0x20).wrapping_sub(b'a') < 26, byte.wrapping_sub(b'0') < 10);
        !(letter | digit | (byte == b'_') | (byte == b'-') | (byte == b'.') | (byte == b'~'))
    }

    fn replacement(_: u8) -> Option<&'static str> {
        None
    }
}

/// Tells whether a relative path can be appended to a directory and resolved without further ado: no empty segment
/// but the last, no dot segment.
fn is_regular(rest: &str) -> bool {
    let path = &rest[..rest.find(['?', '#']).unwrap_or(rest.len())];
    if path.is_empty() {
        return true;
    }
    let (head, last) = path.rsplit_once('/').unwrap_or(("", path));
    let regular = |segment: &str| !matches!(segment, "" | "." | "..");
    (head.is_empty() && !path.starts_with('/') || !head.is_empty() && head.split('/').all(regular))
        && (last.is_empty() || regular(last))
}

/// Tells whether a relative path is read as one although nothing precedes it: no `:` in its first segment, which
/// would make it a scheme, and no `@`, which would make it a keyword of JSON-LD.
fn is_plain(rest: &str) -> bool {
    let first = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
    !first.is_empty() && !first.starts_with('@') && !first.contains(':')
}

#[cfg(test)]
mod test {
    use super::*;
    use proptest::prelude::*;
    use sophia::iri::resolve::BaseIri;

    fn resolve(base: &str, reference: &str) -> String {
        BaseIri::new(base.to_owned())
            .expect("the base is an IRI")
            .resolve(reference)
            .expect("the reference resolves")
            .as_str()
            .to_owned()
    }

    #[test]
    fn the_shortest_form_is_chosen() {
        for (base, iri, reference) in [
            ("http://h/b1/t1/@obsels", "http://h/b1/t1/o1", "o1"),
            ("http://h/b1/t1/@obsels", "http://h/b1/t1/", "./"),
            ("http://h/b1/t1/@obsels", "http://h/b1/t1/@obsels", "./@obsels"),
            ("http://h/b1/t1/@obsels", "http://h/b1/model", "../model"),
            ("http://h/b1/t1/@obsels", "http://h/b1/", "../"),
            ("http://h/b1/t1/@obsels", "http://h/b2/", "http://h/b2/"),
            ("http://h/b1/t1/", "http://h/b1/t1/@stats", "./@stats"),
            ("http://h/b1/t1/", "http://h/b1/t1/a:b", "./a:b"),
            ("http://h/b1/t1/", "http://h/b1/t1/c/a:b", "c/a:b"),
            ("http://h/b1/t1/", "http://h/b1/t1/#x", "#x"),
            ("http://h/b1/t1/o1", "http://h/b1/t1/#x", "./#x"),
            ("http://h/b1/t1/o1", "http://h/b1/t1/?x", "./?x"),
            ("http://h/b1/t1/o1", "http://h/b1/t1/o10", "o10"),
            ("http://h/b1/model", "http://h/b1/model#OT", "#OT"),
            ("http://h/b1/mod", "http://h/b1/model", "model"),
            ("http://h/b1/model", "http://h/b1/", "./"),
            ("http://h/", "http://h/b1/", "b1/"),
            ("http://h/", "http://h/", "./"),
            ("http://h/b1/", "http://h/", "../"),
            ("http://h/b1", "http://h/", "./"),
            ("http://h/b1/", "http://h/b1//x", "http://h/b1//x"),
            ("http://h/b1/", "http://h/b1/../x", "http://h/b1/../x"),
            ("http://h/b1/", "http://h/b1/c/./x", "http://h/b1/c/./x"),
            ("http://h/b1/", "http://h/b1/..", "http://h/b1/.."),
            ("http://h/b1/", "http://other/", "http://other/"),
            ("http://h/b1/", "urn:x", "urn:x"),
            ("urn:x:y", "urn:x:z", "urn:x:z"),
            ("http://h/café/", "http://h/café/o", "o"),
        ] {
            let short = match Base::new(base).refer(iri) {
                Some(Reference(dots, rest)) => format!("{dots}{rest}"),
                None => iri.to_owned(),
            };
            assert_eq!(short, reference, "{iri} from {base}");
        }
    }

    proptest! {
        #[test]
        fn references_resolve_to_what_they_stand_for(
            base in "(http://h|urn:h)[/:?#]{0,2}([ab.]{0,2}[/?]){0,3}[ab.@:]{0,2}",
            iri in "(http://h|urn:h)[/:?#]{0,2}([ab.:@]{0,2}[/?#]){0,3}[ab.@:]{0,2}",
        ) {
            prop_assume!(BaseIri::new(base.clone()).is_ok());
            prop_assume!(sophia::iri::Iri::new(iri.clone()).is_ok());
            if let Some(Reference(dots, rest)) = Base::new(&base).refer(&iri) {
                prop_assert_eq!(resolve(&base, &format!("{dots}{rest}")), iri);
            }
        }
    }
}
