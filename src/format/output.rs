//! Bytes on their way out, and the memory of what was already spelt.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io::Write;

use crate::error::{Error, Result};
use crate::obsel::Name;

/// Bytes gathered before they are handed over at once.
const CHUNK: usize = 64 * 1024;

/// Gathers what the serializers write, and hands it over in chunks of some 64 KiB.
///
/// Serializers push to `bytes` directly, and call [`Output::pass`] wherever it suits them, at least once per obsel.
pub struct Output<'w> {
    /// What was written and not yet handed over.
    pub bytes: Vec<u8>,
    writer: &'w mut dyn Write,
}

impl<'w> Output<'w> {
    /// Returns an empty output.
    pub fn new(writer: &'w mut dyn Write) -> Self {
        let bytes = Vec::with_capacity(CHUNK + CHUNK / 4);
        Self { bytes, writer }
    }

    /// Hands the bytes over if there are enough of them.
    ///
    /// # Errors
    /// `Gone` if the writer fails.
    pub fn pass(&mut self) -> Result<()> {
        if self.bytes.len() >= CHUNK {
            self.flush()
        } else {
            Ok(())
        }
    }

    /// Hands all the bytes over.
    ///
    /// # Errors
    /// `Gone` if the writer fails.
    pub fn flush(&mut self) -> Result<()> {
        self.writer.write_all(&self.bytes).map_err(Error::Gone)?;
        self.bytes.clear();
        Ok(())
    }
}

/// Appends an integer in decimal.
pub fn integer(bytes: &mut Vec<u8>, value: i64) {
    bytes.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Which bytes have to be replaced, and by what.
///
/// The table is what makes writing fast: nearly all the bytes of nearly all texts are looked at, and copied as they are.
pub struct Escapes {
    is_special: [bool; 256],
    replace: fn(u8) -> Option<&'static str>,
}

impl Escapes {
    /// Returns the escapes of ASCII characters: those of which `specials` has the code, or that are control characters.
    /// `replace` returns what stands for such a character, or nothing if it stands for itself.
    pub const fn new(specials: &[u8], replace: fn(u8) -> Option<&'static str>) -> Self {
        let mut is_special = [false; 256];
        let mut at = 0;
        while at < 0x20 {
            is_special[at] = true;
            at += 1;
        }
        at = 0;
        while at < specials.len() {
            is_special[specials[at] as usize] = true;
            at += 1;
        }
        Self { is_special, replace }
    }

    /// Appends a text, escaped.
    pub fn append(&self, bytes: &mut Vec<u8>, text: &str) {
        let mut rest = text.as_bytes();
        while let Some(at) = rest.iter().position(|byte| self.is_special[usize::from(*byte)]) {
            bytes.extend_from_slice(&rest[..at]);
            match (self.replace)(rest[at]) {
                Some(replacement) => bytes.extend_from_slice(replacement.as_bytes()),
                None => bytes.push(rest[at]),
            }
            rest = &rest[at + 1..];
        }
        bytes.extend_from_slice(rest);
    }
}

/// Appends a JSON string, with its quotes (RFC 8259, section 7).
pub fn json_string(bytes: &mut Vec<u8>, text: &str) {
    bytes.push(b'"');
    json_characters(bytes, text);
    bytes.push(b'"');
}

/// Appends the inside of a JSON string.
pub fn json_characters(bytes: &mut Vec<u8>, text: &str) {
    JSON.append(bytes, text);
}

static JSON: Escapes = Escapes::new(b"\"\\", |byte| match byte {
    b'"' => Some("\\\""),
    b'\\' => Some("\\\\"),
    0..0x20 => Some(JSON_CONTROLS[usize::from(byte)]),
    _ => None,
});

/// How JSON writes the control characters, by code.
const JSON_CONTROLS: [&str; 32] = [
    "\\u0000", "\\u0001", "\\u0002", "\\u0003", "\\u0004", "\\u0005", "\\u0006", "\\u0007", "\\b", "\\t", "\\n",
    "\\u000b", "\\f", "\\r", "\\u000e", "\\u000f", "\\u0010", "\\u0011", "\\u0012", "\\u0013", "\\u0014", "\\u0015",
    "\\u0016", "\\u0017", "\\u0018", "\\u0019", "\\u001a", "\\u001b", "\\u001c", "\\u001d", "\\u001e", "\\u001f",
];

/// Appends a text escaped for the content of an element or for a quoted attribute, in XML and in HTML.
///
/// White space that a parser would normalise is written as references.
pub fn xml_text(bytes: &mut Vec<u8>, text: &str) {
    XML.append(bytes, text);
}

static XML: Escapes = Escapes::new(b"&<>\"'", |byte| match byte {
    b'&' => Some("&amp;"),
    b'<' => Some("&lt;"),
    b'>' => Some("&gt;"),
    b'"' => Some("&quot;"),
    b'\'' => Some("&#39;"),
    b'\t' => Some("&#9;"),
    b'\n' => Some("&#10;"),
    b'\r' => Some("&#13;"),
    _ => None,
});

/// How many names are remembered at most: a trace may have any number of predicates.
const REMEMBERED: usize = 16 * 1024;

/// What a serializer makes of each name, made once as long as there are not too many.
///
/// Names are numbers given in their order, and those that come again and again came early: the first ones are found by
/// their place.
pub struct Memory<T> {
    early: Vec<Option<T>>,
    late: HashMap<Name, T>,
}

impl<T> Default for Memory<T> {
    fn default() -> Self {
        let (early, late) = (Vec::new(), HashMap::new());
        Self { early, late }
    }
}

impl<T> Memory<T> {
    /// Returns what was made of a name, and makes it if need be.
    ///
    /// # Errors
    /// Those of `make`.
    #[inline]
    pub fn get(&mut self, name: Name, make: impl FnOnce() -> Result<T>) -> Result<&T> {
        let place = name.0 as usize;
        if place >= REMEMBERED {
            return self.get_late(name, make);
        }
        if self.early.len() <= place {
            self.early.resize_with(place + 1, || None);
        }
        match &mut self.early[place] {
            Some(known) => Ok(known),
            new => Ok(new.insert(make()?)),
        }
    }

    fn get_late(&mut self, name: Name, make: impl FnOnce() -> Result<T>) -> Result<&T> {
        if self.late.len() >= REMEMBERED && !self.late.contains_key(&name) {
            self.late.clear();
        }
        Ok(match self.late.entry(name) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(make()?),
        })
    }
}

#[cfg(test)]
mod test {
    use super::*;

    #[test]
    fn json_strings_are_those_of_serde() {
        let text: String = (0..0x100)
            .filter_map(char::from_u32)
            .chain("é\u{2028}🎈\\\"".chars())
            .collect();
        let mut bytes = Vec::new();
        json_string(&mut bytes, &text);
        assert_eq!(
            serde_json::from_slice::<String>(&bytes).expect("it is a JSON string"),
            text
        );
    }

    #[test]
    fn a_memory_forgets_rather_than_grow() {
        let mut memory = Memory::default();
        for round in 0..3 {
            for n in 0..40_000 {
                assert_eq!(
                    *memory.get(Name(n), || Ok(n + 1)).expect("made"),
                    n + 1,
                    "round {round}"
                );
            }
        }
        assert!(memory.early.len() <= REMEMBERED && memory.late.len() <= REMEMBERED);
    }

    #[test]
    fn output_is_handed_over_in_chunks() {
        let mut written = Vec::new();
        let mut output = Output::new(&mut written);
        output.bytes.extend_from_slice(&[b'a'; 10]);
        output.pass().expect("a vector takes all");
        assert_eq!(output.bytes.len(), 10);
        output.bytes.extend_from_slice(&[b'b'; CHUNK]);
        output.pass().expect("a vector takes all");
        assert!(output.bytes.is_empty());
        output.flush().expect("a vector takes all");
        assert_eq!(written.len(), CHUNK + 10);
    }
}
