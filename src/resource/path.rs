//! Paths and identifiers: where a resource stands below the root.

use crate::vocab::ktbs;

/// Longest path of a resource, in bytes: it is a key of the store, with room for the table's own prefix.
pub const PATH_BYTES: usize = 480;

/// Returns the container of an IRI or of a path: what comes before its last segment, whose final `/` does not count.
/// Empty for the path of a base of the root; `None` where there is nothing to cut.
pub fn container(iri: &str) -> Option<&str> {
    let trimmed = iri.strip_suffix('/').unwrap_or(iri);
    match trimmed.rfind('/') {
        Some(slash) => Some(&iri[..=slash]),
        None if trimmed.is_empty() => None,
        None => Some(""),
    }
}

/// Returns the path of an IRI, relative to the root; `None` if it is not below the root, or too far to be stored.
pub fn below<'a>(root: &str, iri: &'a str) -> Option<&'a str> {
    iri.strip_prefix(root).filter(|path| path.len() <= PATH_BYTES)
}

/// Tells whether an identifier is made of letters, digits, `_` and `-`, with at least one of them.
pub fn is_identifier(id: &str) -> bool {
    !id.is_empty() && id.chars().all(|c| is_word(c) || c == '-')
}

/// Tells whether a character is a letter, a digit (in any script) or `_`.
pub fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Returns the property that links a container to its items: the root has bases, a base contains.
pub fn link(container_path: &str) -> &'static str {
    if container_path.is_empty() {
        ktbs::HAS_BASE
    } else {
        ktbs::CONTAINS
    }
}

#[cfg(test)]
mod test {
    use super::*;

    #[test]
    fn container_is_cut_after_the_last_inner_slash() {
        for (iri, expected) in [
            ("http://h/k/b/", Some("http://h/k/")),
            ("http://h/k/b/m", Some("http://h/k/b/")),
            ("http://h/k/b/t/", Some("http://h/k/b/")),
            ("http://h/k/b//", Some("http://h/k/b/")),
            ("b/", Some("")),
            ("b/m", Some("b/")),
            ("", None),
        ] {
            assert_eq!(container(iri), expected, "{iri}");
        }
    }

    #[test]
    fn identifiers_are_words_of_any_script() {
        for id in ["a", "été", "Ω_1", "-", "a-b", "日本"] {
            assert!(is_identifier(id), "{id}");
        }
        for id in ["", "a.b", "@obsels", "a b", "a/b", "a%20", "a?", "a#b", "a\0"] {
            assert!(!is_identifier(id), "{id}");
        }
    }
}
