//! The fixed parts of records: the 8-byte header, and the bodies of BEGIN_REQUEST, END_REQUEST and UNKNOWN_TYPE.
//!
//! Numbers are big-endian; names and values are those of the FastCGI specification, version 1, section 8.

/// The only version of the protocol that exists (`FCGI_VERSION_1`).
const VERSION: u8 = 1;

/// Length of a header, and of the three fixed bodies, in bytes.
pub(super) const HEADER_LEN: usize = 8;

/// Longest content of the records that we send, in bytes: the largest multiple of 8 that the 16-bit length can say,
/// so that a full record needs no padding to keep the next one aligned (section 3.3).
pub(super) const MAX_CONTENT: usize = 65_528;

/// The id of management records, which belong to no request (`FCGI_NULL_REQUEST_ID`).
pub(super) const MANAGEMENT: u16 = 0;

/// The role of a program that receives a request and produces its answer (`FCGI_RESPONDER`).
pub(super) const RESPONDER: u16 = 1;

/// The types of records, as the header has them.
pub(super) mod kind {
    pub(crate) const BEGIN_REQUEST: u8 = 1;
    pub(crate) const ABORT_REQUEST: u8 = 2;
    pub(crate) const END_REQUEST: u8 = 3;
    pub(crate) const PARAMS: u8 = 4;
    pub(crate) const STDIN: u8 = 5;
    pub(crate) const STDOUT: u8 = 6;
    pub(crate) const STDERR: u8 = 7;
    pub(crate) const GET_VALUES: u8 = 9;
    pub(crate) const GET_VALUES_RESULT: u8 = 10;
    pub(crate) const UNKNOWN_TYPE: u8 = 11;
}

/// How a request ended, as END_REQUEST tells it (section 5.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum ProtocolStatus {
    /// The normal end, of aborted requests too.
    RequestComplete = 0,
    /// Refused: a request is already being served on this connection.
    CantMultiplex = 1,
    /// Refused: we are a responder only.
    UnknownRole = 3,
}

/// The header of a record (section 3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// One of [`kind`], or a type that we do not know.
    pub kind: u8,
    /// The request to which the record belongs, or [`MANAGEMENT`].
    pub id: u16,
    /// Length of the content that follows, in bytes.
    pub content: u16,
    /// Length of the padding that follows the content, in bytes; its value is to be ignored.
    pub padding: u8,
}

impl Header {
    /// Returns the header of a record that we send, without padding.
    pub(super) fn new(kind: u8, id: u16, content: u16) -> Self {
        Self {
            kind,
            id,
            content,
            padding: 0,
        }
    }

    /// Returns the header that the bytes hold.
    ///
    /// # Errors
    /// The version, where it is not 1.
    pub(super) fn from_bytes(bytes: [u8; HEADER_LEN]) -> Result<Self, u8> {
        let [version, kind, id1, id0, content1, content0, padding, _reserved] = bytes;
        if version != VERSION {
            return Err(version);
        }
        Ok(Self {
            kind,
            id: u16::from_be_bytes([id1, id0]),
            content: u16::from_be_bytes([content1, content0]),
            padding,
        })
    }

    /// Returns the header as it travels.
    pub(super) fn to_bytes(self) -> [u8; HEADER_LEN] {
        let [id1, id0] = self.id.to_be_bytes();
        let [content1, content0] = self.content.to_be_bytes();
        [VERSION, self.kind, id1, id0, content1, content0, self.padding, 0]
    }
}

/// The body of BEGIN_REQUEST (section 5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BeginRequest {
    /// [`RESPONDER`], or a role that we do not play.
    pub role: u16,
    /// Whether the connection outlives the request (`FCGI_KEEP_CONN`); if not, we close it after the answer.
    pub keep_connection: bool,
}

impl BeginRequest {
    /// Returns what the bytes hold. Flags that we do not know are ignored.
    pub(super) fn from_bytes(bytes: [u8; HEADER_LEN]) -> Self {
        Self {
            role: u16::from_be_bytes([bytes[0], bytes[1]]),
            keep_connection: bytes[2] & 1 != 0,
        }
    }
}

/// Returns a whole END_REQUEST record, with the application status 0.
pub(super) fn end_request(id: u16, status: ProtocolStatus) -> [u8; 2 * HEADER_LEN] {
    fixed(kind::END_REQUEST, id, [0, 0, 0, 0, status as u8, 0, 0, 0])
}

/// Returns a whole UNKNOWN_TYPE record: the answer to a management record whose type we do not know (section 4.2).
pub(super) fn unknown_type(kind: u8) -> [u8; 2 * HEADER_LEN] {
    fixed(kind::UNKNOWN_TYPE, MANAGEMENT, [kind, 0, 0, 0, 0, 0, 0, 0])
}

fn fixed(kind: u8, id: u16, body: [u8; HEADER_LEN]) -> [u8; 2 * HEADER_LEN] {
    let mut record = [0; 2 * HEADER_LEN];
    record[..HEADER_LEN].copy_from_slice(&Header::new(kind, id, 8).to_bytes());
    record[HEADER_LEN..].copy_from_slice(&body);
    record
}

#[cfg(test)]
mod test {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn begin_request_flags() {
        for (bytes, role, keep_connection) in [
            ([0, 1, 0, 0, 0, 0, 0, 0], RESPONDER, false),
            ([0, 1, 1, 9, 9, 9, 9, 9], RESPONDER, true),
            ([0, 3, 0xfe, 0, 0, 0, 0, 0], 3, false),
            ([1, 1, 0xff, 0, 0, 0, 0, 0], 257, true),
        ] {
            assert_eq!(BeginRequest::from_bytes(bytes), BeginRequest { role, keep_connection });
        }
    }

    #[test]
    fn end_and_unknown_records() {
        assert_eq!(
            end_request(0x0102, ProtocolStatus::UnknownRole),
            [1, 3, 1, 2, 0, 8, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0]
        );
        assert_eq!(unknown_type(77), [1, 11, 0, 0, 0, 8, 0, 0, 77, 0, 0, 0, 0, 0, 0, 0]);
    }

    proptest! {
        #[test]
        fn header_round_trips(kind: u8, id: u16, content: u16, padding: u8) {
            let header = Header { kind, id, content, padding };
            prop_assert_eq!(Header::from_bytes(header.to_bytes()), Ok(header));
        }

        #[test]
        fn other_versions_are_refused(version in (0u8..).prop_filter("another", |&v| v != VERSION), rest: [u8; 7]) {
            let mut bytes = [version; HEADER_LEN];
            bytes[1..].copy_from_slice(&rest);
            prop_assert_eq!(Header::from_bytes(bytes), Err(version));
        }
    }
}
