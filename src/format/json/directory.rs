//! IRIs that differ in their last segment only, as those of the obsels of a source: the rest is made shorter once.

use super::shorten::Shortener;
use crate::format::output::{Json, escaped, put};
use crate::format::relative::Base;

/// The IRI up to its last slash of what was named last, and what stands for it.
#[derive(Debug, Default)]
pub struct Directory<'v> {
    /// Its first part.
    start: &'v str,
    /// The rest of it; empty as long as nothing was named.
    path: Vec<u8>,
    /// What comes before a name in the value of `@id`, inside a string.
    short: Vec<u8>,
}

impl<'v> Directory<'v> {
    /// Appends what names an IRI, which is given in two parts, in the value of `@id`, as the inside of a string; returns false,
    /// with nothing appended, if [`Shortener::id`] has to be asked.
    #[inline]
    pub fn put(&mut self, bytes: &mut Vec<u8>, (start, text): (&'v str, &[u8]), shortener: &Shortener) -> bool {
        let is_same = !self.path.is_empty() && self.start == start && text.starts_with(&self.path);
        if !is_same && self.enter(start, text, shortener).is_none() {
            return false;
        }
        let length = bytes.len();
        put(bytes, &self.short);
        let is_put = Base::put_name(bytes, &text[self.path.len()..]);
        if !is_put {
            bytes.truncate(length);
        }
        is_put
    }

    /// Goes to the directory of an IRI; `None`, without going anywhere, if its names have no common start.
    fn enter(&mut self, start: &'v str, text: &[u8], shortener: &Shortener) -> Option<()> {
        let slash = text.iter().rposition(|byte| *byte == b'/')?;
        let path = str::from_utf8(&text[..=slash]).ok()?;
        let short = shortener.directory(&[start, path].concat())?;
        self.start = start;
        self.path.clear();
        self.path.extend_from_slice(path.as_bytes());
        self.short.clear();
        escaped::<Json>(&mut self.short, short);
        Some(())
    }
}

#[cfg(test)]
mod test {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_iri_is_named_as_it_is_without_the_others(
            document in "http://h/([ab]/){0,2}[ab]?",
            model in "http://h/([ab]/){0,2}[ab]?[#/]?",
            iris in prop::collection::vec("(http://h/|k:|m:/|)([ab.]{0,2}[/?#]){0,3}[ab.@:\"]{0,2}", 1..20),
        ) {
            let shortener = Shortener::new(&document, Some(&model), false);
            let mut directory = Directory::default();
            for iri in &iris {
                for start in ["", "http://h/"] {
                    let Some(text) = iri.strip_prefix(start) else { continue };
                    let mut bytes = b"before".to_vec();
                    if directory.put(&mut bytes, (start, text.as_bytes()), &shortener) {
                        let mut expected = b"before".to_vec();
                        let id = shortener.id(iri).expect("what can be put is not read as something else");
                        escaped::<Json>(&mut expected, id);
                        prop_assert_eq!(String::from_utf8_lossy(&bytes), String::from_utf8_lossy(&expected), "{}", iri);
                    } else {
                        prop_assert_eq!(bytes, b"before");
                    }
                }
            }
        }
    }

    #[test]
    fn the_obsels_of_a_source_are_put_at_once() {
        let shortener = Shortener::new("http://h/b/c/@obsels", Some("http://h/b/m"), false);
        let (mut directory, mut bytes) = (Directory::default(), Vec::new());
        for (start, text) in [
            ("http://h/", "b/t/o1"),
            ("http://h/", "b/t/o2"),
            ("", "http://h/b/u/o3"),
            ("", "urn:x/y"),
        ] {
            assert!(directory.put(&mut bytes, (start, text.as_bytes()), &shortener));
            bytes.push(b' ');
        }
        assert_eq!(String::from_utf8_lossy(&bytes), "../t/o1 ../t/o2 ../u/o3 urn:x/y ");
        for text in ["b/t/", "b/t/.o", "b/t/a%20", "o"] {
            assert!(
                !directory.put(&mut bytes, ("http://h/", text.as_bytes()), &shortener),
                "{text}"
            );
        }
    }
}
