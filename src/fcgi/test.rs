//! Whole exchanges, on a stream in memory that cuts, blocks and ends as it is told.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice, Read};
use std::time::Instant;

use proptest::collection::vec;
use proptest::prelude::*;

use super::connection::{Ready, Stream};
use super::exchange::{Buffers, serve_connection};
use super::web_server::{Received, begin, pairs, record, request, stream};
use super::{Handler, MAX_PARAMS_BYTES, Params, Reply};

/// A connection in memory. Each wait that is not for input alone lets one more piece of `room` be sent.
#[derive(Default)]
struct Script {
    input: VecDeque<Vec<u8>>,
    output: Vec<u8>,
    /// How many bytes can be sent before the next wait; `None`: any number.
    room: Option<usize>,
    /// How much room a wait gives; 0: it goes on to its deadline, if it has one.
    room_after_wait: usize,
    sends: usize,
}

impl Script {
    fn new(input: &[u8]) -> Self {
        Self::cut(input, &[usize::MAX])
    }

    fn cut(mut input: &[u8], cuts: &[usize]) -> Self {
        let mut pieces = VecDeque::new();
        for cut in cuts.iter().cycle() {
            if input.is_empty() {
                break;
            }
            let (piece, rest) = input.split_at((*cut).min(input.len()));
            pieces.push_back(piece.to_vec());
            input = rest;
        }
        Self {
            input: pieces,
            ..Self::default()
        }
    }
}

impl Stream for &mut Script {
    fn receive(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(mut piece) = self.input.pop_front() else {
            return Ok(0);
        };
        let n = piece.len().min(buffer.len());
        buffer[..n].copy_from_slice(&piece[..n]);
        if n < piece.len() {
            piece.drain(..n);
            self.input.push_front(piece);
        }
        Ok(n)
    }

    fn send(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.sends += 1;
        let all: Vec<u8> = slices.iter().flat_map(|slice| slice.iter().copied()).collect();
        let n = self.room.unwrap_or(usize::MAX).min(all.len());
        if n == 0 {
            return Err(ErrorKind::WouldBlock.into());
        }
        self.room = self.room.map(|room| room - n);
        self.output.extend(&all[..n]);
        Ok(n)
    }

    fn wait(&mut self, receive: bool, send: bool, deadline: Option<Instant>) -> io::Result<Ready> {
        let late = deadline.is_some() && self.room_after_wait == 0;
        if send && !late {
            self.room = (self.room_after_wait > 0).then_some(self.room_after_wait);
        }
        Ok(Ready {
            receive: receive && !late,
            send: send && !late,
        })
    }

    fn wait_for_request(&mut self, _fresh: bool) -> io::Result<bool> {
        Ok(true)
    }
}

/// A handler made of a closure.
struct Answer<F>(F);

impl<F: FnMut(&Params, &mut dyn Read, &mut dyn Reply) -> io::Result<()>> Handler for Answer<F> {
    fn handle(&mut self, params: &Params, stdin: &mut dyn Read, reply: &mut dyn Reply) -> io::Result<()> {
        self.0(params, stdin, reply)
    }
}

fn serve(
    script: &mut Script,
    handler: impl FnMut(&Params, &mut dyn Read, &mut dyn Reply) -> io::Result<()>,
) -> (io::Result<()>, Received) {
    let result = serve_connection(&mut *script, &mut Buffers::default(), &mut Answer(handler));
    (result, Received::from_bytes(&script.output))
}

fn echo(_: &Params, stdin: &mut dyn Read, reply: &mut dyn Reply) -> io::Result<()> {
    io::copy(stdin, reply).map(drop)
}

fn ok(_: &Params, _: &mut dyn Read, reply: &mut dyn Reply) -> io::Result<()> {
    reply.write_all(b"Status: 200 OK\r\n\r\nok")
}

/// Bytes that repeat with no short period, so that a piece lost or exchanged shows.
fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i % 251) as u8).collect()
}

#[test]
fn a_short_answer_is_one_send() {
    let mut script = Script::new(&request(1, 0, b"hello"));
    let (result, received) = serve(&mut script, echo);
    result.expect("served");
    assert_eq!(received.records, [(6, 1), (6, 1), (3, 1)]);
    assert_eq!(received.stdout(1), b"hello");
    assert!(received.ended(1));
    assert_eq!(script.sends, 1);
}

#[test]
fn an_empty_answer_is_an_empty_stream() {
    let (result, received) = serve(&mut Script::new(&request(1, 0, b"")), |_, _, _| Ok(()));
    result.expect("served");
    assert_eq!(received.records, [(6, 1), (3, 1)]);
}

#[test]
fn a_kept_connection_serves_requests_in_turn() {
    let bytes = [
        request(1, 1, b"one"),
        request(2, 1, b"two"),
        request(1, 0, b"three"),
        request(9, 0, b"no"),
    ]
    .concat();
    let (result, received) = serve(&mut Script::new(&bytes), echo);
    result.expect("served");
    assert_eq!(received.stdout(1), b"onethree");
    assert_eq!(received.stdout(2), b"two");
    assert!(
        received.stdout(9).is_empty(),
        "the third request did not want the connection kept"
    );
}

#[test]
fn a_large_answer_is_large_records_in_few_sends() {
    let body = pattern(5_000_000);
    for piece in [1_000, 65_528, 300_000, 5_000_000] {
        let mut script = Script::new(&request(1, 0, b""));
        let (result, received) = serve(&mut script, |_, _, reply| {
            body.chunks(piece).try_for_each(|piece| reply.write_all(piece))
        });
        result.expect("served");
        assert!(received.stdout(1) == body, "pieces of {piece}");
        let records = 5_000_000_usize.div_ceil(piece.max(65_528)) * piece.div_ceil(65_528);
        assert!(received.records.len() <= records + 4, "pieces of {piece}");
        assert!(
            script.sends <= 5_000_000 / piece.max(65_528) + 4,
            "pieces of {piece}: {} sends",
            script.sends
        );
    }
}

#[test]
fn pieces_of_any_length_come_in_order() {
    let body = pattern(400_000);
    for lengths in [
        &[65_528, 1][..],
        &[65_527, 1, 1],
        &[500, 70_000, 3],
        &[20_000, 20_000, 60_000, 5],
        &[1, 300_000],
    ] {
        let mut script = Script::new(&request(1, 0, b""));
        let (result, received) = serve(&mut script, |_, _, reply| {
            let mut rest = &body[..];
            for length in lengths {
                let (piece, after) = rest.split_at(*length);
                reply.write_all(piece)?;
                rest = after;
            }
            Ok(())
        });
        result.expect("served");
        let sum = lengths.iter().sum();
        assert!(received.stdout(1) == &body[..sum], "{lengths:?}");
    }
}

#[test]
fn what_a_handler_does_not_read_is_taken_and_dropped() {
    let bytes = [request(1, 1, &pattern(3_000_000)), request(1, 0, &pattern(2_000_000))].concat();
    let (result, received) = serve(&mut Script::new(&bytes), |_, stdin, reply| {
        stdin.read_exact(&mut [0; 10])?;
        ok(&Params::default(), stdin, reply)
    });
    result.expect("served");
    assert_eq!(received.stdout(1), b"Status: 200 OK\r\n\r\nok".repeat(2));
}

#[test]
fn the_body_cannot_be_read_once_the_answer_has_begun() {
    let (result, received) = serve(&mut Script::new(&request(1, 0, b"body")), |_, stdin, reply| {
        reply.write_all(b"early")?;
        reply.flush()?;
        assert_eq!(stdin.read(&mut [0; 4]).expect_err("dropped").kind(), ErrorKind::Other);
        Ok(())
    });
    result.expect("served");
    assert_eq!(received.stdout(1), b"early");
}

#[test]
fn a_cut_body_is_an_error_and_nothing_is_answered() {
    let whole = request(1, 0, b"complete");
    for lost in 1..=20 {
        let mut script = Script::new(&whole[..whole.len() - lost]);
        let mut kind = None;
        let (result, received) = serve(&mut script, |_, stdin, _| {
            let e = stdin
                .read_to_end(&mut Vec::new())
                .expect_err("the body is not complete");
            kind = Some(e.kind());
            Err(e)
        });
        assert_eq!(kind, Some(ErrorKind::UnexpectedEof));
        assert!(result.is_err());
        assert!(received.records.is_empty());
    }
}

#[test]
fn an_aborted_request_is_ended_and_the_next_one_served() {
    let begun = [begin(1, 1, 1), stream(4, 1, b"", 9, 0), record(5, 1, b"half", 0)].concat();
    let bytes = [begun, record(2, 1, b"", 0), request(1, 0, b"next")].concat();
    let mut kinds = Vec::new();
    let (result, received) = serve(&mut Script::new(&bytes), |_, stdin, reply| {
        reply.write_all(b"got ")?;
        let read = io::copy(stdin, reply);
        kinds.push(read.as_ref().map_err(io::Error::kind).copied());
        read.map(drop)
    });
    result.expect("served");
    assert_eq!(kinds, [Err(ErrorKind::ConnectionAborted), Ok(4)]);
    assert_eq!(received.stdout(1), b"got next");
    assert_eq!(received.records.iter().filter(|&&r| r == (3, 1)).count(), 2);
}

#[test]
fn an_abort_in_the_midst_of_the_answer_stops_the_handler() {
    let mut script = Script::new(&request(1, 1, b""));
    script.input.push_back(record(2, 1, b"", 0));
    (script.room, script.room_after_wait) = (Some(1000), 100_000);
    let (result, received) = serve(&mut script, |_, _, reply| {
        let e = std::iter::repeat_with(|| reply.write_all(&pattern(60_000))).find_map(Result::err);
        Err(e.expect("an endless answer is stopped"))
    });
    result.expect("served");
    assert!(received.stdout(1).len() < 1_000_000);
    assert!(received.ended(1));
}

#[test]
fn a_panic_is_logged_and_answered_if_nothing_has_left() {
    let (result, received) = serve(&mut Script::new(&request(1, 0, b"body")), |_, _, reply| {
        reply.write_all(b"Status: 200 OK\r\n\r\nhalf of it")?;
        panic!("oh {}", "no");
    });
    result.expect("served");
    let answer = String::from_utf8_lossy(received.stdout(1));
    assert!(
        answer.starts_with("Status: 500 Internal Server Error\r\nContent-Type: text/plain"),
        "{answer}"
    );
    assert!(!answer.contains("half") && !answer.contains("oh no"), "{answer}");
    assert_eq!(received.stderr(1), "POST ? panicked: oh no\n");
    assert!(received.ended(1));
}

#[test]
fn a_panic_in_the_midst_of_the_answer_drops_the_connection() {
    let (result, received) = serve(&mut Script::new(&request(1, 1, b"")), |_, _, reply| {
        reply.write_all(&pattern(100_000))?;
        panic!("oh no");
    });
    assert!(result.is_err());
    assert!(!received.ended(1));
    assert!(!received.records.contains(&(3, 1)));
}

#[test]
fn an_error_of_the_handler_is_answered() {
    let params = stream(
        4,
        1,
        &pairs(&[("REQUEST_METHOD", "GET"), ("REQUEST_URI", "/a\nb")]),
        99,
        0,
    );
    let bytes = [begin(1, 1, 0), params, stream(5, 1, b"", 9, 0)].concat();
    let (result, received) = serve(&mut Script::new(&bytes), |_, _, _| {
        Err(io::Error::other("no such luck"))
    });
    result.expect("served");
    assert!(received.stdout(1).starts_with(b"Status: 500 "));
    assert_eq!(received.stderr(1), "GET /a?b failed: no such luck\n");
}

#[test]
fn params_that_cannot_be_used_are_refused() {
    let long = pairs(&[("HTTP_COOKIE", &"x".repeat(MAX_PARAMS_BYTES))]);
    for (params, status) in [(long, "Status: 431 "), (b"\x05\x05A".to_vec(), "Status: 400 ")] {
        let bytes = [
            begin(1, 1, 1),
            stream(4, 1, &params, 65_535, 0),
            stream(5, 1, b"x", 9, 0),
        ]
        .concat();
        let (result, received) = serve(&mut Script::new(&[bytes, request(1, 0, b"next")].concat()), echo);
        result.expect("served");
        assert!(received.stdout(1).starts_with(status.as_bytes()));
        assert!(received.stdout(1).ends_with(b"next"));
    }
}

#[test]
fn log_lines_are_sent_at_once_and_cut() {
    let mut script = Script::new(&request(1, 0, b"body"));
    let (result, received) = serve(&mut script, |_, stdin, reply| {
        reply.log("before the body is read");
        reply.log("");
        reply.log(&"é".repeat(8000));
        echo(&Params::default(), stdin, reply)
    });
    result.expect("served");
    let lines = received.stderr(1);
    assert_eq!(lines.lines().map(str::len).collect::<Vec<_>>(), [23, 8000]);
    assert_eq!(received.stdout(1), b"body");
    assert_eq!(received.records.first(), Some(&(7, 1)));
}

#[test]
fn questions_in_the_midst_of_a_body_are_answered() {
    let question = record(9, 0, &pairs(&[("FCGI_MAX_REQS", "")]), 0);
    let begun = [begin(1, 1, 0), stream(4, 1, b"", 9, 0), record(5, 1, b"a", 0)].concat();
    let bytes = [
        question.clone(),
        begun,
        question,
        begin(2, 1, 1),
        stream(5, 1, b"b", 9, 0),
    ]
    .concat();
    let (result, received) = serve(&mut Script::new(&bytes), echo);
    result.expect("served");
    assert_eq!(received.stdout(1), b"ab");
    assert_eq!(received.records[..3], [(10, 0), (10, 0), (3, 2)]);
}

#[test]
fn a_slow_client_gets_everything_and_holds_the_handler_no_longer_than_patience() {
    let body = pattern(3_000_000);
    // All waits go on to the deadline while there is one: the handler is never let send more than the first bytes.
    let mut script = Script::new(&request(1, 0, b""));
    (script.room, script.room_after_wait) = (Some(100_001), 0);
    let (result, received) = serve(&mut script, |_, _, reply| {
        for piece in body.chunks(100_000) {
            reply.write_all(piece)?;
            reply.log("a line");
        }
        Ok(())
    });
    result.expect("served");
    assert!(received.stdout(1) == body);
    assert_eq!(received.stderr(1), "a line\n".repeat(30));
    assert!(received.ended(1));
}

#[test]
fn a_connection_that_is_not_fastcgi_is_given_up() {
    let (result, received) = serve(&mut Script::new(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"), echo);
    assert_eq!(result.expect_err("not FastCGI").kind(), ErrorKind::InvalidData);
    assert!(received.records.is_empty());
}

#[test]
fn a_flood_of_questions_without_reading_is_given_up() {
    let question = record(9, 0, &pairs(&[("FCGI_MAX_REQS", "")]), 0);
    let bytes = [request(1, 1, b""), question.repeat(100_000)].concat();
    let mut script = Script::cut(&bytes, &[request(1, 1, b"").len(), 60_000]);
    (script.room, script.room_after_wait) = (Some(10), 1);
    let (result, _) = serve(&mut script, |_, _, reply| reply.write_all(&pattern(200_000)));
    assert!(result.is_err());
}

proptest! {
    #[test]
    fn any_cut_and_any_room_give_the_same_answer(
        len in 0usize..200_000,
        cuts in vec(100usize..70_000, 1..6),
        write in 100usize..80_000,
        room in 100usize..70_000,
    ) {
        let body = pattern(len);
        let mut script = Script::cut(&request(5, 0, &body), &cuts);
        (script.room, script.room_after_wait) = (Some(room), room);
        let (result, received) = serve(&mut script, |_, stdin, reply| {
            let mut all = Vec::new();
            stdin.read_to_end(&mut all)?;
            all.chunks(write).try_for_each(|piece| reply.write_all(piece))
        });
        prop_assert!(result.is_ok());
        prop_assert!(received.stdout(5) == body);
        prop_assert!(received.ended(5));
        prop_assert_eq!(received.rest, 0);
    }

    #[test]
    fn garbage_never_panics_nor_hangs(
        records in vec((0u8..13, 0u16..3, vec(any::<u8>(), 0..40), any::<u8>()), 0..40),
        tail in vec(any::<u8>(), 0..40),
        cuts in vec(1usize..300, 1..5),
    ) {
        let mut bytes: Vec<u8> = records.into_iter().flat_map(|(kind, id, c, p)| record(kind, id, &c, p)).collect();
        bytes.extend(tail);
        let _ = serve(&mut Script::cut(&bytes, &cuts), echo);
    }
}
