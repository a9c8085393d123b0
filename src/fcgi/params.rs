//! Name-value pairs: the content of the PARAMS stream, of GET_VALUES and of its result.
//!
//! Each pair is the length of the name, the length of the value, the name, the value. A length below 128 is one byte;
//! any other is four, big-endian, with the highest bit set (FastCGI specification, section 3.4).

/// Most bytes of all the parameters of a request, encoded. Apache sends some 3 KiB, and by its default limits never
/// more than 800 KiB of header fields.
pub const MAX_PARAMS_BYTES: usize = 1 << 20;

/// The parameters of a request (CGI variables, RFC 3875 section 4.1), in the order in which they came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Params(pub Vec<(Vec<u8>, Vec<u8>)>);

impl Params {
    /// Returns the value of a variable, or `None` if it was not sent. The last one wins.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.0
            .iter()
            .rev()
            .find(|(n, _)| n == name.as_bytes())
            .map(|(_, v)| v.as_slice())
    }
}

/// The bytes end in the midst of a pair.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Truncated;

/// Returns the pairs that the bytes hold, in their order.
///
/// # Errors
/// [`Truncated`], also where a length goes beyond the end: nothing is allocated for what is not there.
pub(super) fn decode(mut bytes: &[u8]) -> Result<Params, Truncated> {
    let mut pairs = Vec::new();
    while !bytes.is_empty() {
        let name = length(&mut bytes)?;
        let value = length(&mut bytes)?;
        let name = bytes.split_off(..name).ok_or(Truncated)?;
        let value = bytes.split_off(..value).ok_or(Truncated)?;
        pairs.push((name.to_vec(), value.to_vec()));
    }
    Ok(Params(pairs))
}

/// Appends a pair, encoded.
///
/// # Panics
/// If the name or the value has 2^31 bytes or more: there is no encoding for it.
pub(super) fn encode(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    for part in [name, value] {
        match u32::try_from(part.len()).expect("a name or value below 4 GiB") {
            short @ 0..=0x7f => out.push(short as u8),
            long => {
                assert!(long <= i32::MAX as u32, "a name or value below 2 GiB");
                out.extend_from_slice(&(long | 1 << 31).to_be_bytes());
            }
        }
    }
    out.extend_from_slice(name);
    out.extend_from_slice(value);
}

fn length(bytes: &mut &[u8]) -> Result<usize, Truncated> {
    match bytes.first() {
        None => Err(Truncated),
        Some(&short) if short < 0x80 => {
            *bytes = &bytes[1..];
            Ok(usize::from(short))
        }
        Some(_) => {
            let (long, rest) = bytes.split_first_chunk::<4>().ok_or(Truncated)?;
            *bytes = rest;
            Ok((u32::from_be_bytes(*long) & 0x7fff_ffff) as usize)
        }
    }
}

#[cfg(test)]
mod test {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lengths_of_one_and_four_bytes() {
        let long = [b'x'; 128];
        let mut out = Vec::new();
        encode(&mut out, b"A", &long);
        encode(&mut out, b"", b"");
        assert_eq!(out[..6], [1, 0x80, 0, 0, 128, b'A']);
        assert_eq!(out[134..], [0, 0]);
        let params = decode(&out).expect("what was encoded");
        assert_eq!(params.get("A"), Some(long.as_slice()));
        assert_eq!(params.get(""), Some(b"".as_slice()));
        assert_eq!(params.get("B"), None);
    }

    #[test]
    fn four_bytes_for_a_short_length_are_accepted() {
        assert_eq!(
            decode(&[0x80, 0, 0, 1, 0x80, 0, 0, 0, b'N']),
            Ok(Params(vec![(b"N".to_vec(), vec![])]))
        );
    }

    #[test]
    fn the_last_of_equal_names_wins() {
        let params = decode(b"\x01\x01A1\x01\x01A2").expect("two pairs");
        assert_eq!(params.get("A"), Some(b"2".as_slice()));
        assert_eq!(params.0.len(), 2);
    }

    #[test]
    fn what_goes_beyond_the_end_is_refused() {
        for bytes in [
            &b"\x01"[..],
            b"\x01\x00",
            b"\x01\x02A1",
            b"\xff\xff\xff\xff\xff\xff\xff\xffA",
            b"\x80\x00\x00",
            b"\x01\x80\x00\x00",
        ] {
            assert_eq!(decode(bytes), Err(Truncated), "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn pairs_round_trip(pairs in vec((vec(any::<u8>(), 0..200), vec(any::<u8>(), 0..200)), 0..20)) {
            let mut out = Vec::new();
            for (name, value) in &pairs {
                encode(&mut out, name, value);
            }
            prop_assert_eq!(decode(&out), Ok(Params(pairs)));
        }

        #[test]
        fn garbage_never_panics(bytes in vec(any::<u8>(), 0..300)) {
            let _ = decode(&bytes);
        }
    }
}
