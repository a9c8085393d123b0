//! The other end of the connection, for tests: makes the records that a web server sends, and reads ours.

use std::collections::BTreeMap;

use super::params;
use super::record::{HEADER_LEN, Header};

/// Returns a record with so many bytes of padding.
pub(super) fn record(kind: u8, id: u16, content: &[u8], padding: u8) -> Vec<u8> {
    let length = u16::try_from(content.len()).expect("content below 64 KiB");
    let header = Header {
        padding,
        ..Header::new(kind, id, length)
    };
    [&header.to_bytes(), content, &vec![0xaa; padding.into()]].concat()
}

/// Returns a BEGIN_REQUEST record.
pub(super) fn begin(id: u16, role: u16, flags: u8) -> Vec<u8> {
    let [role1, role0] = role.to_be_bytes();
    record(1, id, &[role1, role0, flags, 0, 0, 0, 0, 0], 0)
}

/// Returns a complete stream: the content in records of at most so many bytes, then the empty record.
pub(super) fn stream(kind: u8, id: u16, content: &[u8], record_len: usize, padding: u8) -> Vec<u8> {
    let mut records: Vec<u8> = content
        .chunks(record_len)
        .flat_map(|c| record(kind, id, c, padding))
        .collect();
    records.extend(record(kind, id, b"", padding));
    records
}

/// Returns name-value pairs, encoded.
pub(super) fn pairs(pairs: &[(&str, &str)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, value) in pairs {
        params::encode(&mut out, name.as_bytes(), value.as_bytes());
    }
    out
}

/// Returns a whole request with one parameter.
pub(super) fn request(id: u16, flags: u8, body: &[u8]) -> Vec<u8> {
    [
        begin(id, 1, flags),
        stream(4, id, &pairs(&[("REQUEST_METHOD", "POST")]), 65_535, 0),
        stream(5, id, body, 65_535, 0),
    ]
    .concat()
}

/// What the program sent, by request id and type of record.
#[derive(Debug, Default)]
pub(super) struct Received {
    /// The streams, joined; STDOUT is 6, STDERR 7.
    pub streams: BTreeMap<(u16, u8), Vec<u8>>,
    /// The types of all records, in order, with their ids.
    pub records: Vec<(u8, u16)>,
    /// Bytes of an incomplete last record.
    pub rest: usize,
}

impl Received {
    /// Returns what the bytes hold.
    pub(super) fn from_bytes(mut bytes: &[u8]) -> Self {
        let mut received = Self::default();
        while let Some((header, rest)) = bytes.split_first_chunk::<HEADER_LEN>() {
            let header = Header::from_bytes(*header).expect("version 1");
            let content = usize::from(header.content);
            if rest.len() < content + usize::from(header.padding) {
                break;
            }
            received.records.push((header.kind, header.id));
            received
                .streams
                .entry((header.id, header.kind))
                .or_default()
                .extend_from_slice(&rest[..content]);
            bytes = &rest[content + usize::from(header.padding)..];
        }
        received.rest = bytes.len();
        received
    }

    /// Returns the STDOUT of a request.
    pub(super) fn stdout(&self, id: u16) -> &[u8] {
        self.streams.get(&(id, 6)).map_or(&[], Vec::as_slice)
    }

    /// Returns the STDERR of a request.
    pub(super) fn stderr(&self, id: u16) -> String {
        String::from_utf8_lossy(self.streams.get(&(id, 7)).map_or(&[], Vec::as_slice)).into_owned()
    }

    /// Tells whether the request was ended normally.
    pub(super) fn ended(&self, id: u16) -> bool {
        self.streams.get(&(id, 3)).is_some_and(|body| body == &[0; 8])
    }
}
