//! Keys and values as bytes: the format of the files.
//!
//! Integers in keys are big-endian, so that the order of LMDB is the order of numbers; signed ones have their sign
//! bit flipped. Integers in values are LEB128 varints, signed ones in zigzag. A text is its length in bytes (varint),
//! then its UTF-8. IRIs below the root are kept relative to it, so that the same files serve another root URI.
//!
//! | table | key | value |
//! |---|---|---|
//! | of LMDB | 0, `counter` | `u64` big-endian |
//! | `meta` | `format`, `instance`, `traces` | `u64` big-endian |
//! | `graphs` | path of the resource, relative to the root | [head and graph](super::graphs) |
//! | `names` | number, `u32` | [IRI](put_iri) |
//! | `numbers` | [IRI](put_iri), at most [`KEY_BYTES`] | number, `u32` |
//! | `obsels` | trace `u64`, end `i64`, begin `i64`, id | [record](super::record) |
//! | `ids` | trace `u64`, id | end `i64`, begin `i64`, as in the key of `obsels` |
//! | `mentions` | trace `u64`, id, 0, direction `u8`, predicate `u32`, other id | nothing |
//! | `computations` | trace `u64` | what its last computation has seen, and the state of its method; opaque here |
//! | `links` | digest of the path of what is used, use `u8`, path of the user | nothing; see [`links`](super::links) |
//! | `acls` | path, as in `graphs` | who may do what with the resource; opaque here |
//! | `tokens` | id | a personal token, without its secret; opaque here |
//! | `tallies` | trace `u64` | [`TraceRecord`](super::TraceRecord) |
//! | `tallies` | trace `u64`, kind `u8`, what is counted | count, varint |
//!
//! A commit writes, for each row that changes, the pages from there to the root of its table. So what changes with each obsel
//! stands together: what is counted of a trace in few pages, the last tag given in one that is always written.

use super::{Result, StoreError, TraceNumber};

/// The version of this format. A store of the former one is converted, any other is refused.
pub const FORMAT: u64 = 2;

/// The longest key that LMDB takes, in bytes.
pub const KEY_BYTES: usize = 511;

/// The longest identifier of an obsel, in bytes: two of them and a predicate must fit in a key.
pub const ID_BYTES: usize = 240;

/// Marks an IRI below the root, stored without the root.
const BELOW_ROOT: u8 = 1;
/// Marks an IRI stored whole.
const WHOLE: u8 = 0;

/// Appends an unsigned integer.
pub fn put_uint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a signed integer.
pub fn put_int(out: &mut Vec<u8>, value: i64) {
    put_uint(out, ((value << 1) ^ (value >> 63)) as u64);
}

/// Appends a text.
pub fn put_text(out: &mut Vec<u8>, text: &str) {
    put_uint(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

/// Appends an absolute IRI, relative to the root if it is below: one byte that tells which, then the rest, to the end.
pub fn put_iri(out: &mut Vec<u8>, root: &str, iri: &str) {
    match iri.strip_prefix(root) {
        Some(rest) => {
            out.push(BELOW_ROOT);
            out.extend_from_slice(rest.as_bytes());
        }
        None => {
            out.push(WHOLE);
            out.extend_from_slice(iri.as_bytes());
        }
    }
}

/// Returns the absolute IRI of what [`put_iri`] wrote.
pub fn iri(root: &str, bytes: &[u8]) -> Result<String> {
    let (mark, rest) = bytes.split_first().ok_or_else(damaged)?;
    let rest = std::str::from_utf8(rest).map_err(|_| damaged())?;
    Ok(match *mark {
        BELOW_ROOT => format!("{root}{rest}"),
        _ => rest.to_owned(),
    })
}

/// Returns the IRI of what [`put_iri`] wrote, if it is stored whole.
pub fn whole(bytes: &[u8]) -> Result<Option<&str>> {
    match bytes.split_first().ok_or_else(damaged)? {
        (&WHOLE, iri) => Ok(Some(std::str::from_utf8(iri).map_err(|_| damaged())?)),
        _ => Ok(None),
    }
}

/// Returns the error of bytes that cannot be understood.
pub fn damaged() -> StoreError {
    StoreError::Damaged("a record cannot be decoded".into())
}

/// Bytes being decoded, from the front.
#[derive(Clone, Copy, Debug)]
pub struct Input<'t>(pub &'t [u8]);

impl<'t> Input<'t> {
    /// Takes one byte.
    #[inline]
    pub fn byte(&mut self) -> Result<u8> {
        self.next_byte().ok_or_else(damaged)
    }

    /// Takes an unsigned integer.
    #[inline]
    pub fn uint(&mut self) -> Result<u64> {
        self.next_uint().ok_or_else(damaged)
    }

    /// Takes an unsigned integer of 32 bits.
    #[inline]
    pub fn uint32(&mut self) -> Result<u32> {
        self.next_uint32().ok_or_else(damaged)
    }

    /// Takes a signed integer.
    pub fn int(&mut self) -> Result<i64> {
        let value = self.uint()?;
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    /// Takes a number of bytes.
    #[inline]
    pub fn bytes(&mut self, length: usize) -> Result<&'t [u8]> {
        self.take(length).ok_or_else(damaged)
    }

    /// Takes a text.
    #[inline]
    pub fn text(&mut self) -> Result<&'t str> {
        self.next_text().ok_or_else(damaged)
    }

    /// As [`Input::byte`]; what is damaged has none.
    #[inline]
    pub(super) fn next_byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    /// As [`Input::uint`].
    #[inline]
    pub(super) fn next_uint(&mut self) -> Option<u64> {
        match self.0 {
            // Nearly all are short.
            [byte @ ..0x80, rest @ ..] => {
                self.0 = rest;
                Some(u64::from(*byte))
            }
            _ => self.next_long_uint(),
        }
    }

    fn next_long_uint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.next_byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    /// As [`Input::uint32`].
    #[inline]
    pub(super) fn next_uint32(&mut self) -> Option<u32> {
        self.next_uint()?.try_into().ok()
    }

    #[inline]
    fn take(&mut self, length: usize) -> Option<&'t [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    /// As [`Input::text`].
    #[inline]
    pub(super) fn next_text(&mut self) -> Option<&'t str> {
        text(self.next_bytes()?)
    }

    /// As [`Input::text`], without looking whether it is UTF-8.
    #[inline]
    pub(super) fn next_bytes(&mut self) -> Option<&'t [u8]> {
        let length = self.next_uint()?.try_into().ok()?;
        self.take(length)
    }
}

/// Returns bytes as a text, if they are UTF-8.
///
/// Most texts are short and ASCII, and nearly all the texts of a trace pass here when it is read.
#[inline]
fn text(bytes: &[u8]) -> Option<&str> {
    if is_ascii(bytes) {
        #[expect(unsafe_code, reason = "what was just found to be ASCII is UTF-8")]
        return Some(unsafe { std::str::from_utf8_unchecked(bytes) });
    }
    std::str::from_utf8(bytes).ok()
}

/// Tells whether bytes are ASCII, by pieces of a fixed size that overlap; those that are longer than two are left to the
/// standard library.
#[inline]
fn is_ascii(bytes: &[u8]) -> bool {
    fn both<const N: usize>(bytes: &[u8]) -> bool {
        match (bytes.first_chunk::<N>(), bytes.last_chunk::<N>()) {
            (Some(first), Some(last)) => first.iter().chain(last).fold(0, |all, byte| all | byte) < 0x80,
            _ => false,
        }
    }
    match bytes.len() {
        0..4 => bytes.iter().all(u8::is_ascii),
        4..8 => both::<4>(bytes),
        8..16 => both::<8>(bytes),
        16..=32 => both::<16>(bytes),
        _ => bytes.is_ascii(),
    }
}

/// Appends a signed integer as it stands in keys.
fn push_key_int(key: &mut Vec<u8>, value: i64) {
    key.extend_from_slice(&(value as u64 ^ (1 << 63)).to_be_bytes());
}

/// Returns a signed integer of a key.
fn key_int(bytes: &[u8]) -> Result<i64> {
    let bytes = bytes.try_into().map_err(|_| damaged())?;
    Ok((u64::from_be_bytes(bytes) ^ (1 << 63)) as i64)
}

/// The place of an obsel in its trace: ordered by end, begin, id (kTBS documentation, "obsel collection").
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// End.
    pub end: i64,
    /// Begin.
    pub begin: i64,
    /// Id.
    pub id: String,
}

/// Returns the prefix of all the keys of a trace.
pub fn trace_key(trace: TraceNumber) -> Vec<u8> {
    trace.0.to_be_bytes().to_vec()
}

/// Returns the key of an obsel in `obsels`.
pub fn obsel_key(trace: TraceNumber, end: i64, begin: i64, id: &str) -> Vec<u8> {
    let mut key = Vec::with_capacity(24 + id.len());
    put_obsel_key(&mut key, trace, end, begin, id);
    key
}

/// Appends the key of an obsel in `obsels`.
pub fn put_obsel_key(out: &mut Vec<u8>, trace: TraceNumber, end: i64, begin: i64, id: &str) {
    out.extend_from_slice(&trace.0.to_be_bytes());
    put_id_value(out, end, begin);
    out.extend_from_slice(id.as_bytes());
}

/// Returns the end, the begin and the id of a key of `obsels`.
pub fn split_obsel_key(key: &[u8]) -> Result<(i64, i64, &str)> {
    let (fixed, id) = key.split_at_checked(24).ok_or_else(damaged)?;
    let id = text(id).ok_or_else(damaged)?;
    Ok((key_int(&fixed[8..16])?, key_int(&fixed[16..24])?, id))
}

/// Returns the key of an obsel in `ids`.
pub fn id_key(trace: TraceNumber, id: &str) -> Vec<u8> {
    let mut key = Vec::with_capacity(8 + id.len());
    put_id_key(&mut key, trace, id);
    key
}

/// Appends the key of an obsel in `ids`.
pub fn put_id_key(out: &mut Vec<u8>, trace: TraceNumber, id: &str) {
    out.extend_from_slice(&trace.0.to_be_bytes());
    out.extend_from_slice(id.as_bytes());
}

/// Returns the value of an obsel in `ids`.
pub fn id_value(end: i64, begin: i64) -> Vec<u8> {
    let mut value = Vec::with_capacity(16);
    put_id_value(&mut value, end, begin);
    value
}

/// Appends the value of an obsel in `ids`.
pub fn put_id_value(out: &mut Vec<u8>, end: i64, begin: i64) {
    push_key_int(out, end);
    push_key_int(out, begin);
}

/// Returns the end and the begin of a value of `ids`.
pub fn split_id_value(value: &[u8]) -> Result<(i64, i64)> {
    let (end, begin) = value.split_at_checked(8).ok_or_else(damaged)?;
    Ok((key_int(end)?, key_int(begin)?))
}

/// Returns the prefix of the keys of `mentions` about one obsel.
pub fn mention_prefix(trace: TraceNumber, id: &str) -> Vec<u8> {
    let mut key = id_key(trace, id);
    key.push(0);
    key
}

/// Returns the key of a mention: `other` describes a triple whose subject (`outgoing`) or object is `id`.
pub fn mention_key(trace: TraceNumber, id: &str, outgoing: bool, predicate: u32, other: &str) -> Vec<u8> {
    let mut key = mention_prefix(trace, id);
    key.push(outgoing.into());
    key.extend_from_slice(&predicate.to_be_bytes());
    key.extend_from_slice(other.as_bytes());
    key
}

/// Returns the direction, the predicate and the other id of what follows the prefix in a key of `mentions`.
pub fn split_mention_key(rest: &[u8]) -> Result<(bool, u32, &str)> {
    let (outgoing, rest) = rest.split_first().ok_or_else(damaged)?;
    let (predicate, other) = rest.split_at_checked(4).ok_or_else(damaged)?;
    let predicate = u32::from_be_bytes(predicate.try_into().map_err(|_| damaged())?);
    Ok((
        *outgoing != 0,
        predicate,
        std::str::from_utf8(other).map_err(|_| damaged())?,
    ))
}

/// Returns the least key above all those that start with a prefix; `None` if there is none.
pub fn after_prefix(prefix: &[u8]) -> Option<Vec<u8>> {
    let mut key = prefix.to_vec();
    while let Some(last) = key.pop() {
        if last < 0xff {
            key.push(last + 1);
            return Some(key);
        }
    }
    None
}

#[cfg(test)]
mod test {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn integers_and_texts_come_back(u: u64, i: i64, s: String) {
            let mut out = Vec::new();
            put_uint(&mut out, u);
            put_int(&mut out, i);
            put_text(&mut out, &s);
            let mut input = Input(&out);
            prop_assert_eq!(input.uint().unwrap(), u);
            prop_assert_eq!(input.int().unwrap(), i);
            prop_assert_eq!(input.text().unwrap(), s.as_str());
            prop_assert!(input.0.is_empty());
        }

        #[test]
        fn any_bytes_decode_or_fail(bytes: Vec<u8>) {
            let _ = Input(&bytes).uint();
            let _ = Input(&bytes).text();
            let _ = split_obsel_key(&bytes);
            let _ = split_mention_key(&bytes);
            let _ = split_id_value(&bytes);
            let _ = iri("http://h/", &bytes);
        }

        #[test]
        fn keys_are_ordered_as_places(a: (i64, i64, String), b: (i64, i64, String)) {
            let key = |p: &(i64, i64, String)| obsel_key(TraceNumber(7), p.0, p.1, &p.2);
            prop_assert_eq!(a.cmp(&b), key(&a).cmp(&key(&b)));
            let ka = key(&a);
            prop_assert_eq!(split_obsel_key(&ka).unwrap(), (a.0, a.1, a.2.as_str()));
        }
    }

    #[test]
    fn a_text_is_utf8_wherever_it_is_not_ascii() {
        for length in 0..70 {
            let ascii = vec![b'x'; length];
            assert_eq!(text(&ascii).map(str::len), Some(length));
            for at in 0..length {
                let mut bytes = ascii.clone();
                bytes[at] = 0xff;
                assert_eq!(text(&bytes), None, "{length} {at}");
                if at + 1 < length {
                    bytes[at..at + 2].copy_from_slice("é".as_bytes());
                    assert!(text(&bytes).is_some_and(|text| text.contains('é')), "{length} {at}");
                }
            }
        }
    }

    #[test]
    fn iris_below_the_root_are_relative() {
        let mut out = Vec::new();
        put_iri(&mut out, "http://h/k/", "http://h/k/b/");
        assert_eq!(iri("http://other/", &out).unwrap(), "http://other/b/");
    }
}
