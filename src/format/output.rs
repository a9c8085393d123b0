//! Bytes on their way out, and the memory of what was already spelt.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io::Write;

use crate::error::{Error, Result};
use crate::obsel::Name;

/// Bytes gathered before they are handed over at once: a record of FastCGI has room for them and for one more obsel.
const CHUNK: usize = 60 * 1024;

/// Gathers what the serializers write, and hands it over in chunks of some 60 KiB.
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
#[inline]
pub fn integer(bytes: &mut Vec<u8>, value: i64) {
    put(bytes, itoa::Buffer::new().format(value).as_bytes());
}

/// Tells whether a text is a natural number of at most 18 digits without useless zeros, as all syntaxes write it.
#[inline]
pub fn is_natural(text: &[u8]) -> bool {
    match text {
        b"0" => true,
        [b'1'..=b'9', rest @ ..] => rest.len() < 18 && rest.iter().all(u8::is_ascii_digit),
        _ => false,
    }
}

/// How a syntax writes the characters that it cannot write as they are.
pub trait Escapes {
    /// Tells whether a byte has to be looked at closely. Nearly all the bytes of all texts are asked for: where few
    /// comparisons tell it, the compiler compares many bytes at once.
    fn is_special(byte: u8) -> bool;

    /// Returns what stands for a special byte, or nothing if it stands for itself.
    fn replacement(byte: u8) -> Option<&'static str>;
}

/// Appends a text, escaped.
#[inline]
pub fn escaped<E: Escapes>(bytes: &mut Vec<u8>, text: impl AsRef<[u8]>) {
    if !plain::<E>(bytes, text.as_ref()) {
        append_escaped::<E>(bytes, text.as_ref());
    }
}

/// Appends bytes as they are. Made for a few of them: up to 32 are copied without a call of a function.
#[inline]
pub fn put(bytes: &mut Vec<u8>, text: &[u8]) {
    plain::<Verbatim>(bytes, text);
}

/// What is written as it is.
enum Verbatim {}

impl Escapes for Verbatim {
    fn is_special(_: u8) -> bool {
        false
    }

    fn replacement(_: u8) -> Option<&'static str> {
        None
    }
}

/// Appends a text; returns false, with nothing appended, if some of its bytes are special.
#[inline]
pub fn plain<E: Escapes>(bytes: &mut Vec<u8>, text: &[u8]) -> bool {
    match text.len() {
        0 => true,
        n @ 1..4 => {
            let three = [text[0], text[n / 2], text[n - 1]];
            let is_plain = !has_special::<E, 3>(&three);
            if is_plain {
                bytes.extend_from_slice(&three);
                bytes.truncate(bytes.len() - (3 - n));
            }
            is_plain
        }
        4..8 => plain_two::<E, 4>(bytes, text),
        8..16 => plain_two::<E, 8>(bytes, text),
        16..=32 => plain_two::<E, 16>(bytes, text),
        _ => plain_many::<E>(bytes, text),
    }
}

/// As [`plain`], for a text of N to 2 N bytes, which is two pieces that overlap.
#[inline]
fn plain_two<E: Escapes, const N: usize>(bytes: &mut Vec<u8>, text: &[u8]) -> bool {
    let (Some(first), Some(last)) = (text.first_chunk::<N>(), text.last_chunk::<N>()) else {
        return false;
    };
    if has_special::<E, N>(first) | has_special::<E, N>(last) {
        return false;
    }
    bytes.extend_from_slice(first);
    bytes.truncate(bytes.len() - (2 * N - text.len()));
    bytes.extend_from_slice(last);
    true
}

/// As [`plain`], for a text of at least 16 bytes.
fn plain_many<E: Escapes>(bytes: &mut Vec<u8>, text: &[u8]) -> bool {
    let (pieces, _) = text.as_chunks::<16>();
    let last = text.last_chunk::<16>();
    if pieces.iter().chain(last).any(has_special::<E, 16>) {
        return false;
    }
    bytes.extend_from_slice(text);
    true
}

#[inline]
fn has_special<E: Escapes, const N: usize>(piece: &[u8; N]) -> bool {
    piece.iter().fold(false, |any, byte| any | E::is_special(*byte))
}

#[cold]
fn append_escaped<E: Escapes>(bytes: &mut Vec<u8>, text: &[u8]) {
    let mut rest = text;
    while let Some(at) = rest.iter().position(|byte| E::is_special(*byte)) {
        bytes.extend_from_slice(&rest[..at]);
        match E::replacement(rest[at]) {
            Some(replacement) => bytes.extend_from_slice(replacement.as_bytes()),
            None => bytes.push(rest[at]),
        }
        rest = &rest[at + 1..];
    }
    bytes.extend_from_slice(rest);
}

/// Appends a JSON string, with its quotes (RFC 8259, section 7).
#[inline]
pub fn json_string(bytes: &mut Vec<u8>, text: &str) {
    bytes.push(b'"');
    escaped::<Json>(bytes, text);
    bytes.push(b'"');
}

/// The inside of a JSON string.
pub enum Json {}

impl Escapes for Json {
    #[inline]
    fn is_special(byte: u8) -> bool {
        Quoted::is_special(byte)
    }

    fn replacement(byte: u8) -> Option<&'static str> {
        match byte {
            b'\x08' => Some("\\b"),
            b'\x0c' => Some("\\f"),
            0x0b => Some("\\u000b"),
            0x0e => Some("\\u000e"),
            0x0f => Some("\\u000f"),
            0x1a..=0x1f => {
                Some(["\\u001a", "\\u001b", "\\u001c", "\\u001d", "\\u001e", "\\u001f"][usize::from(byte - 0x1a)])
            }
            _ => Quoted::replacement(byte),
        }
    }
}

/// The inside of a string in Turtle and in N-Triples (production STRING_LITERAL_QUOTE).
pub enum Quoted {}

impl Escapes for Quoted {
    #[inline]
    fn is_special(byte: u8) -> bool {
        (byte < 0x20) | (byte == b'"') | (byte == b'\\')
    }

    fn replacement(byte: u8) -> Option<&'static str> {
        match byte {
            b'"' => Some("\\\""),
            b'\\' => Some("\\\\"),
            b'\t' => Some("\\t"),
            b'\n' => Some("\\n"),
            b'\r' => Some("\\r"),
            0..0x20 => Some(CONTROLS[usize::from(byte)]),
            _ => None,
        }
    }
}

/// The escapes of the control characters and of the space, by code.
pub const CONTROLS: [&str; 33] = [
    "\\u0000", "\\u0001", "\\u0002", "\\u0003", "\\u0004", "\\u0005", "\\u0006", "\\u0007", "\\u0008", "\\u0009",
    "\\u000A", "\\u000B", "\\u000C", "\\u000D", "\\u000E", "\\u000F", "\\u0010", "\\u0011", "\\u0012", "\\u0013",
    "\\u0014", "\\u0015", "\\u0016", "\\u0017", "\\u0018", "\\u0019", "\\u001A", "\\u001B", "\\u001C", "\\u001D",
    "\\u001E", "\\u001F", "\\u0020",
];

/// Appends a text escaped for the content of an element or for a quoted attribute, in XML and in HTML.
///
/// White space that a parser would normalise is written as references.
#[inline]
pub fn xml_text(bytes: &mut Vec<u8>, text: &str) {
    escaped::<Xml>(bytes, text);
}

enum Xml {}

impl Escapes for Xml {
    #[inline]
    fn is_special(byte: u8) -> bool {
        (byte < 0x20) | (byte == b'&') | (byte == b'<') | (byte == b'>') | (byte == b'"') | (byte == b'\'')
    }

    fn replacement(byte: u8) -> Option<&'static str> {
        match byte {
            b'&' => Some("&amp;"),
            b'<' => Some("&lt;"),
            b'>' => Some("&gt;"),
            b'"' => Some("&quot;"),
            b'\'' => Some("&#39;"),
            b'\t' => Some("&#9;"),
            b'\n' => Some("&#10;"),
            b'\r' => Some("&#13;"),
            _ => None,
        }
    }
}

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
            String::from_utf8_lossy(&bytes),
            serde_json::to_string(&text).expect("it can be written")
        );
    }

    #[test]
    fn special_characters_are_escaped_wherever_they_stand() {
        for length in 0..70 {
            let plain = "é".repeat(length / 2) + &"x".repeat(length % 2);
            let mut bytes = b"before".to_vec();
            put(&mut bytes, plain.as_bytes());
            assert_eq!(bytes, format!("before{plain}").as_bytes());
            for at in 0..length {
                let text = format!("{}\"{}", "a".repeat(at), "b".repeat(length - at - 1));
                let mut bytes = b"before".to_vec();
                json_string(&mut bytes, &text);
                assert_eq!(bytes, format!("before\"{}\"", text.replace('"', "\\\"")).as_bytes());
            }
        }
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
