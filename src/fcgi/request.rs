//! From bytes to one request at a time: a parser that is fed whatever pieces arrive and does no input of its own.

use super::params::{self, MAX_PARAMS_BYTES, Params};
use super::record::{self, BeginRequest, HEADER_LEN, Header, MANAGEMENT, ProtocolStatus, RESPONDER, kind};

/// What the bytes meant.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// A request begins: its parameters are complete, its body follows.
    Request(Request),
    /// The last so many bytes that the parser took are part of the body; never zero.
    Stdin(usize),
    /// The body is complete.
    StdinEnd,
    /// The web server wants no answer any more.
    Abort,
    /// A whole record to send, which concerns the protocol only.
    Answer {
        /// The record.
        record: Vec<u8>,
        /// Whether the connection is of no more use once it is sent.
        close: bool,
    },
}

/// The beginning of a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Request {
    /// The id that all the records about it bear.
    pub id: u16,
    /// Whether the connection outlives the request.
    pub keep_connection: bool,
    /// The parameters, or why there are none.
    pub params: Result<Params, BadParams>,
}

/// Why the parameters of a request cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BadParams {
    /// There are more than [`MAX_PARAMS_BYTES`].
    TooLong,
    /// They end in the midst of a pair.
    Malformed,
}

/// Why the connection cannot go on: what arrives is not FastCGI.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ProtocolError {
    /// The header has another version than 1.
    #[error("a record of version {0} instead of 1: is this a FastCGI connection?")]
    Version(u8),
    /// The body of BEGIN_REQUEST has fewer than 8 bytes.
    #[error("BEGIN_REQUEST with {0} bytes instead of 8")]
    ShortBegin(u16),
    /// BEGIN_REQUEST for the request that is being served.
    #[error("request {0} begins twice")]
    BeginTwice(u16),
    /// PARAMS after their end, or STDIN before it.
    #[error("a record of type {0} out of order")]
    OutOfOrder(u8),
}

/// Where the records of one connection have led.
#[derive(Debug, Default)]
pub(super) struct Parser {
    step: Step,
    active: Option<Active>,
    /// The content of PARAMS so far, never more than [`MAX_PARAMS_BYTES`].
    params: Vec<u8>,
    params_too_long: bool,
    /// The content of the present record, where it is needed whole: at most 65,535 bytes.
    content: Vec<u8>,
}

/// The part of a record that comes next.
#[derive(Debug)]
enum Step {
    Header { bytes: [u8; HEADER_LEN], filled: usize },
    Content { purpose: Purpose, left: usize, padding: u8 },
    Padding { left: usize },
}

/// What the content of a record is for.
#[derive(Clone, Copy, Debug)]
enum Purpose {
    Begin(u16),
    Busy(u16),
    Abort,
    Params,
    ParamsEnd,
    Stdin,
    StdinEnd,
    GetValues,
    Unknown(u8),
    Nothing,
}

#[derive(Clone, Copy, Debug)]
struct Active {
    id: u16,
    keep_connection: bool,
    phase: Phase,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Params,
    Stdin,
    Complete,
}

impl Default for Step {
    fn default() -> Self {
        Self::Header {
            bytes: [0; HEADER_LEN],
            filled: 0,
        }
    }
}

impl Parser {
    /// Returns how many bytes were taken from the beginning of `input`, and what they meant; `None`: all were taken,
    /// and more are needed.
    ///
    /// # Errors
    /// The connection must be given up: where the next record begins is not known.
    pub(super) fn parse(&mut self, input: &[u8]) -> Result<(usize, Option<Event>), ProtocolError> {
        let mut taken = 0;
        loop {
            let rest = &input[taken..];
            match &mut self.step {
                Step::Header { bytes, filled } => {
                    let n = rest.len().min(HEADER_LEN - *filled);
                    bytes[*filled..*filled + n].copy_from_slice(&rest[..n]);
                    *filled += n;
                    taken += n;
                    if *filled < HEADER_LEN {
                        return Ok((taken, None));
                    }
                    let header = Header::from_bytes(*bytes).map_err(ProtocolError::Version)?;
                    self.content.clear();
                    self.step = Step::Content {
                        purpose: self.purpose(header)?,
                        left: header.content.into(),
                        padding: header.padding,
                    };
                }
                Step::Content {
                    purpose,
                    left: 0,
                    padding,
                } => {
                    let purpose = *purpose;
                    self.step = Step::Padding {
                        left: (*padding).into(),
                    };
                    if let Some(event) = self.end_of_content(purpose) {
                        return Ok((taken, Some(event)));
                    }
                }
                Step::Content { purpose, left, .. } => {
                    let n = rest.len().min(*left);
                    if n == 0 {
                        return Ok((taken, None));
                    }
                    *left -= n;
                    taken += n;
                    match purpose {
                        Purpose::Stdin => return Ok((taken, Some(Event::Stdin(n)))),
                        Purpose::Params if self.params.len() + n <= MAX_PARAMS_BYTES => {
                            self.params.extend_from_slice(&rest[..n]);
                        }
                        Purpose::Params => self.params_too_long = true,
                        Purpose::Begin(_) | Purpose::GetValues => self.content.extend_from_slice(&rest[..n]),
                        _ => {}
                    }
                }
                Step::Padding { left: 0 } => self.step = Step::default(),
                Step::Padding { left } => {
                    let n = rest.len().min(*left);
                    if n == 0 {
                        return Ok((taken, None));
                    }
                    *left -= n;
                    taken += n;
                }
            }
        }
    }

    /// Forgets the request that was being served: what still arrives about it is ignored.
    pub(super) fn finish(&mut self) {
        self.active = None;
        if let Step::Content { purpose, .. } = &mut self.step
            && matches!(purpose, Purpose::Stdin | Purpose::StdinEnd | Purpose::Abort)
        {
            *purpose = Purpose::Nothing;
        }
    }

    /// Tells whether no request has begun and no record is incomplete.
    pub(super) fn is_idle(&self) -> bool {
        self.active.is_none() && matches!(self.step, Step::Header { filled: 0, .. } | Step::Padding { left: 0 })
    }

    fn purpose(&self, header: Header) -> Result<Purpose, ProtocolError> {
        let Header { kind, id, content, .. } = header;
        if id == MANAGEMENT {
            return Ok(match kind {
                kind::GET_VALUES => Purpose::GetValues,
                _ => Purpose::Unknown(kind),
            });
        }
        match (kind, self.active) {
            (kind::BEGIN_REQUEST, _) if usize::from(content) < HEADER_LEN => Err(ProtocolError::ShortBegin(content)),
            (kind::BEGIN_REQUEST, None) => Ok(Purpose::Begin(id)),
            (kind::BEGIN_REQUEST, Some(active)) if active.id == id => Err(ProtocolError::BeginTwice(id)),
            (kind::BEGIN_REQUEST, Some(_)) => Ok(Purpose::Busy(id)),
            (_, Some(active)) if active.id == id => match (kind, active.phase) {
                (kind::ABORT_REQUEST, _) => Ok(Purpose::Abort),
                (kind::PARAMS, Phase::Params) if content == 0 => Ok(Purpose::ParamsEnd),
                (kind::PARAMS, Phase::Params) => Ok(Purpose::Params),
                (kind::STDIN, Phase::Stdin) if content == 0 => Ok(Purpose::StdinEnd),
                (kind::STDIN, Phase::Stdin) => Ok(Purpose::Stdin),
                (kind::PARAMS, _) | (kind::STDIN, Phase::Params) => Err(ProtocolError::OutOfOrder(kind)),
                _ => Ok(Purpose::Nothing),
            },
            // Records of finished requests, and of those that were refused, may still be on their way.
            _ => Ok(Purpose::Nothing),
        }
    }

    fn end_of_content(&mut self, purpose: Purpose) -> Option<Event> {
        match purpose {
            Purpose::Begin(id) => {
                let body = self
                    .content
                    .first_chunk()
                    .copied()
                    .expect("BEGIN_REQUEST has 8 bytes or more");
                let BeginRequest { role, keep_connection } = BeginRequest::from_bytes(body);
                if role != RESPONDER {
                    return Some(Event::Answer {
                        record: record::end_request(id, ProtocolStatus::UnknownRole).to_vec(),
                        close: !keep_connection,
                    });
                }
                self.active = Some(Active {
                    id,
                    keep_connection,
                    phase: Phase::Params,
                });
                self.params.clear();
                self.params_too_long = false;
                None
            }
            Purpose::Busy(id) => Some(Event::Answer {
                record: record::end_request(id, ProtocolStatus::CantMultiplex).to_vec(),
                close: false,
            }),
            Purpose::Abort => match self.active {
                // Nobody has heard of the request yet, so its end is told from here.
                Some(active) if active.phase == Phase::Params => {
                    self.active = None;
                    Some(Event::Answer {
                        record: record::end_request(active.id, ProtocolStatus::RequestComplete).to_vec(),
                        close: !active.keep_connection,
                    })
                }
                _ => Some(Event::Abort),
            },
            Purpose::ParamsEnd => {
                let active = self.active.as_mut()?;
                active.phase = Phase::Stdin;
                let params = if self.params_too_long {
                    Err(BadParams::TooLong)
                } else {
                    params::decode(&self.params).map_err(|_| BadParams::Malformed)
                };
                // A request with unusually many parameters does not make the process large for ever.
                self.params.clear();
                self.params.shrink_to(16 << 10);
                Some(Event::Request(Request {
                    id: active.id,
                    keep_connection: active.keep_connection,
                    params,
                }))
            }
            Purpose::StdinEnd => {
                self.active.as_mut()?.phase = Phase::Complete;
                Some(Event::StdinEnd)
            }
            Purpose::GetValues => Some(Event::Answer {
                record: values_result(&self.content),
                close: false,
            }),
            Purpose::Unknown(kind) => Some(Event::Answer {
                record: record::unknown_type(kind).to_vec(),
                close: false,
            }),
            Purpose::Params | Purpose::Stdin | Purpose::Nothing => None,
        }
    }
}

/// Returns the answer to GET_VALUES: those of our variables that it names (section 4.1). Names that we do not know,
/// and content that is not made of pairs, are left out of the answer.
fn values_result(content: &[u8]) -> Vec<u8> {
    let asked = params::decode(content).unwrap_or_default();
    let mut result = Vec::new();
    for (name, value) in [
        ("FCGI_MAX_CONNS", "1"),
        ("FCGI_MAX_REQS", "1"),
        ("FCGI_MPXS_CONNS", "0"),
    ] {
        if asked.get(name).is_some() {
            params::encode(&mut result, name.as_bytes(), value.as_bytes());
        }
    }
    let length = u16::try_from(result.len()).expect("three short pairs");
    let mut record = Header::new(kind::GET_VALUES_RESULT, MANAGEMENT, length)
        .to_bytes()
        .to_vec();
    record.append(&mut result);
    record
}

#[cfg(test)]
mod test {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::super::web_server::{begin, pairs, record, stream};
    use super::*;

    /// Feeds the bytes in pieces of the given lengths, repeated for ever; joins the pieces of the body.
    fn parse(bytes: &[u8], cuts: &[usize]) -> Result<(Vec<Event>, Vec<u8>), ProtocolError> {
        let mut parser = Parser::default();
        let (mut events, mut body) = (Vec::new(), Vec::new());
        let mut rest = bytes;
        for cut in cuts.iter().cycle() {
            let (mut piece, after) = rest.split_at((*cut).min(rest.len()));
            rest = after;
            loop {
                let (taken, event) = parser.parse(piece)?;
                let event = event.inspect(|event| {
                    if let Event::Stdin(n) = event {
                        body.extend_from_slice(&piece[taken - n..taken]);
                    }
                });
                piece = &piece[taken..];
                match event {
                    None => break,
                    Some(Event::Stdin(_)) => {}
                    Some(event) => events.push(event),
                }
            }
            assert!(piece.is_empty(), "all is taken before more is asked for");
            if rest.is_empty() {
                break;
            }
        }
        Ok((events, body))
    }

    fn whole(bytes: &[u8]) -> Result<(Vec<Event>, Vec<u8>), ProtocolError> {
        parse(bytes, &[usize::MAX])
    }

    fn answer(record: impl Into<Vec<u8>>, close: bool) -> Event {
        Event::Answer {
            record: record.into(),
            close,
        }
    }

    #[test]
    fn management_records_are_answered_before_and_during_a_request() {
        let asked = pairs(&[
            ("FCGI_MPXS_CONNS", ""),
            ("FCGI_OTHER", ""),
            ("FCGI_MAX_REQS", ""),
            ("FCGI_MAX_REQS", ""),
        ]);
        let expected = record(10, 0, &pairs(&[("FCGI_MAX_REQS", "1"), ("FCGI_MPXS_CONNS", "0")]), 0);
        let bytes = [
            record(9, 0, &asked, 3),
            begin(7, 1, 0),
            record(99, 0, b"what?", 0),
            record(9, 0, b"\xff", 0),
        ]
        .concat();
        let (events, _) = whole(&bytes).expect("a good connection");
        assert_eq!(
            events,
            [
                answer(expected, false),
                answer(record::unknown_type(99), false),
                answer(record(10, 0, b"", 0), false)
            ]
        );
    }

    #[test]
    fn other_roles_are_refused() {
        for (flags, close) in [(0, true), (1, false)] {
            let bytes = [begin(7, 2, flags), stream(4, 7, b"", 9, 0), stream(5, 7, b"x", 9, 0)].concat();
            let (events, body) = whole(&bytes).expect("a good connection");
            assert_eq!(
                events,
                [answer(record::end_request(7, ProtocolStatus::UnknownRole), close)]
            );
            assert!(body.is_empty());
        }
    }

    #[test]
    fn a_second_request_is_refused_while_the_first_is_served() {
        let bytes = [
            begin(1, 1, 1),
            begin(2, 1, 1),
            stream(4, 2, &pairs(&[("OTHER", "x")]), 99, 0),
            stream(4, 1, &pairs(&[("A", "b")]), 99, 0),
            stream(5, 2, b"not this", 99, 0),
            stream(5, 1, b"this", 99, 0),
        ]
        .concat();
        let (events, body) = whole(&bytes).expect("a good connection");
        assert_eq!(body, b"this");
        assert_eq!(
            events[0],
            answer(record::end_request(2, ProtocolStatus::CantMultiplex), false)
        );
        assert!(matches!(&events[1], Event::Request(r) if r.id == 1 && r.keep_connection));
        assert_eq!(events[2..], [Event::StdinEnd]);
    }

    #[test]
    fn an_abort_is_told_or_answered() {
        let (events, _) = whole(&[begin(3, 1, 0), record(2, 3, b"", 0)].concat()).expect("a good connection");
        assert_eq!(
            events,
            [answer(record::end_request(3, ProtocolStatus::RequestComplete), true)]
        );

        let bytes = [
            begin(3, 1, 0),
            record(2, 9, b"", 0),
            stream(4, 3, b"", 9, 0),
            record(2, 3, b"", 0),
        ]
        .concat();
        let (events, _) = whole(&bytes).expect("a good connection");
        assert!(matches!(events[..], [Event::Request(_), Event::Abort]));
    }

    #[test]
    fn what_is_not_fastcgi_ends_the_connection() {
        let params = stream(4, 1, b"", 9, 0);
        for (bytes, error) in [
            (b"GET / HTTP/1.1\r\n".to_vec(), ProtocolError::Version(b'G')),
            (record(1, 1, b"\x00\x01", 0), ProtocolError::ShortBegin(2)),
            ([begin(1, 1, 0), begin(1, 1, 0)].concat(), ProtocolError::BeginTwice(1)),
            (
                [begin(1, 1, 0), record(5, 1, b"x", 0)].concat(),
                ProtocolError::OutOfOrder(5),
            ),
            (
                [begin(1, 1, 0), params.clone(), params].concat(),
                ProtocolError::OutOfOrder(4),
            ),
        ] {
            assert_eq!(whole(&bytes), Err(error));
        }
    }

    #[test]
    fn too_many_and_malformed_params_are_told() {
        let value = "x".repeat(MAX_PARAMS_BYTES);
        for (params, bad) in [
            (pairs(&[("A", &value)]), BadParams::TooLong),
            (b"\x05\x05A".to_vec(), BadParams::Malformed),
        ] {
            let bytes = [
                begin(1, 1, 0),
                stream(4, 1, &params, 65_535, 0),
                stream(5, 1, b"body", 9, 0),
            ]
            .concat();
            let (events, body) = whole(&bytes).expect("a good connection");
            assert!(matches!(&events[0], Event::Request(r) if r.params == Err(bad)));
            assert_eq!(body, b"body");
        }
    }

    #[test]
    fn requests_follow_each_other_once_finished() {
        let mut parser = Parser::default();
        assert!(parser.is_idle());
        let bytes = [begin(1, 1, 1), stream(4, 1, b"", 9, 0), record(5, 1, b"unread", 2)].concat();
        let (taken, event) = parser.parse(&bytes).expect("a good connection");
        assert!(matches!(event, Some(Event::Request(_))));
        assert!(!parser.is_idle());
        parser.finish();
        let (more, event) = parser.parse(&bytes[taken..]).expect("a good connection");
        assert_eq!((taken + more, event), (bytes.len(), None));
        assert!(parser.is_idle());
        let (_, event) = parser.parse(&bytes).expect("a good connection");
        assert!(matches!(event, Some(Event::Request(_))));
    }

    proptest! {
        #[test]
        fn any_cut_padding_and_foreign_records_give_the_same_request(
            id in 1u16..,
            pairs_sent in vec(("[A-Z_]{0,9}", "[ -~]{0,300}"), 0..8),
            body in vec(any::<u8>(), 0..3000),
            record_len in 1usize..700,
            padding: u8,
            cuts in vec(1usize..900, 1..9),
            foreign in vec((0u8..12, any::<u16>(), vec(any::<u8>(), 8..40)), 0..6),
        ) {
            let refs: Vec<_> = pairs_sent.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
            let mut records = vec![begin(id, 1, 1)];
            for (kind, content) in [(4, pairs(&refs)), (5, body.clone())] {
                records.extend(content.chunks(record_len).map(|c| record(kind, id, c, padding)));
                records.push(record(kind, id, b"", padding));
            }
            let mut answers = 0;
            for (n, (kind, other, content)) in foreign.into_iter().enumerate() {
                if other != id {
                    // A foreign BEGIN_REQUEST ahead of ours would be served: it comes behind ours.
                    records.insert(1 + n % records.len(), record(kind, other, &content, padding));
                    answers += usize::from(kind == 1 || other == 0);
                }
            }
            let (events, read) = parse(&records.concat(), &cuts).expect("a good connection");
            let (answered, events): (Vec<_>, Vec<_>) =
                events.into_iter().partition(|event| matches!(event, Event::Answer { .. }));
            let params = Params(pairs_sent.into_iter().map(|(n, v)| (n.into_bytes(), v.into_bytes())).collect());
            let request = Request { id, keep_connection: true, params: Ok(params) };
            prop_assert_eq!(events, [Event::Request(request), Event::StdinEnd]);
            prop_assert_eq!(read, body);
            prop_assert_eq!(answered.len(), answers);
        }

        #[test]
        fn garbage_never_panics_nor_hangs(bytes in vec(any::<u8>(), 0..2000), cuts in vec(1usize..300, 1..5)) {
            let _ = parse(&bytes, &cuts);
        }

        #[test]
        fn garbage_behind_good_headers_never_panics_nor_hangs(
            records in vec((0u8..13, 0u16..3, vec(any::<u8>(), 0..40), any::<u8>()), 0..40),
            cuts in vec(1usize..300, 1..5),
        ) {
            let bytes: Vec<u8> = records.into_iter().flat_map(|(kind, id, c, padding)| record(kind, id, &c, padding)).collect();
            let _ = parse(&bytes, &cuts);
        }
    }
}
