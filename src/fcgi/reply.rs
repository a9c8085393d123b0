//! From an answer to records: what the handler writes goes out in STDOUT records as large as they may be.

use std::cell::RefCell;
use std::io::{self, ErrorKind, IoSlice, Write};

use super::Reply;
use super::connection::{Connection, Stream};
use super::record::{self, HEADER_LEN, Header, MAX_CONTENT, ProtocolStatus, kind};

/// Longest line that [`Reply::log`] sends, in bytes. Apache cuts them at some 8,000 bytes too.
const MAX_LOG_LINE: usize = 8000;

/// Most records in one system call: 2 MiB, more than any socket takes at once.
const MAX_BATCH: usize = 32;

/// Least bytes, written at once, that leave as they are, in records of their own, rather than being copied to fill the one
/// that waits.
const DIRECT: usize = 16 << 10;

/// The answer to one request. The first [`MAX_CONTENT`] bytes are kept until there are more, so that a short answer
/// is one system call, and nothing of it has left if the handler fails.
pub(super) struct RecordWriter<'c, 'b, S> {
    connection: &'c RefCell<Connection<'b, S>>,
    id: u16,
    /// Content that has not left: at most [`MAX_CONTENT`] bytes.
    content: &'c mut Vec<u8>,
    begun: bool,
    logged: bool,
    broken: bool,
}

impl<'c, 'b, S: Stream> RecordWriter<'c, 'b, S> {
    /// Returns an empty answer to the request with that id. The buffer is only there to be used again.
    pub(super) fn new(connection: &'c RefCell<Connection<'b, S>>, id: u16, content: &'c mut Vec<u8>) -> Self {
        content.clear();
        Self {
            connection,
            id,
            content,
            begun: false,
            logged: false,
            broken: false,
        }
    }

    /// Tells whether some of the answer has left, so that it can only be completed or cut.
    pub(super) fn has_begun(&self) -> bool {
        self.begun
    }

    /// Tells whether the connection failed, so that nobody is there to be answered.
    pub(super) fn is_broken(&self) -> bool {
        self.broken
    }

    /// Forgets what was written and has not left.
    pub(super) fn clear(&mut self) {
        self.content.clear();
    }

    /// Sends the rest of the answer and ends the request.
    ///
    /// # Errors
    /// The connection is broken.
    pub(super) fn finish(self) -> io::Result<()> {
        let mut connection = self.connection.borrow_mut();
        connection.drop_body();
        connection.release()?;
        let header = self.header(kind::STDOUT, self.content.len());
        let empty = self.header(kind::STDOUT, 0);
        let no_more_errors = self.header(kind::STDERR, 0);
        let end = record::end_request(self.id, ProtocolStatus::RequestComplete);
        connection.send(&mut [
            // Without content, the first header would be an end of the stream, and there is another below.
            IoSlice::new(if self.content.is_empty() { &[] } else { &header }),
            IoSlice::new(self.content),
            IoSlice::new(&empty),
            IoSlice::new(if self.logged { &no_more_errors } else { &[] }),
            IoSlice::new(&end),
        ])
    }

    fn header(&self, kind: u8, content: usize) -> [u8; HEADER_LEN] {
        let content = u16::try_from(content).expect("records are cut at MAX_CONTENT");
        Header::new(kind, self.id, content).to_bytes()
    }

    fn send(&mut self, slices: &mut [IoSlice<'_>]) -> io::Result<()> {
        if self.broken {
            return Err(ErrorKind::BrokenPipe.into());
        }
        let mut connection = self.connection.borrow_mut();
        let sent = connection.send(slices);
        self.broken = sent.is_err();
        sent?;
        if connection.is_aborted() {
            return Err(ErrorKind::ConnectionAborted.into());
        }
        Ok(())
    }

    /// Sends the kept content, if any, then the bytes, up to [`MAX_BATCH`] records. Returns how many of the bytes have left.
    fn send_records(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.begun {
            self.begun = true;
            self.connection.borrow_mut().drop_body();
        }
        let kept = std::mem::take(self.content);
        let first = self.header(kind::STDOUT, kept.len());
        let full = self.header(kind::STDOUT, MAX_CONTENT);
        let last = self.header(kind::STDOUT, bytes.len() % MAX_CONTENT);
        let mut slices = Vec::with_capacity(2 + 2 * MAX_BATCH.min(bytes.len().div_ceil(MAX_CONTENT)));
        if !kept.is_empty() {
            slices.extend([IoSlice::new(&first), IoSlice::new(&kept)]);
        }
        let mut sent = 0;
        for piece in bytes.chunks(MAX_CONTENT).take(MAX_BATCH) {
            let header = if piece.len() == MAX_CONTENT { &full } else { &last };
            slices.extend([IoSlice::new(header), IoSlice::new(piece)]);
            sent += piece.len();
        }
        let result = self.send(&mut slices);
        drop(slices);
        *self.content = kept;
        self.content.clear();
        result.map(|()| sent)
    }
}

impl<S: Stream> Write for RecordWriter<'_, '_, S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.broken {
            return Err(ErrorKind::BrokenPipe.into());
        }
        let room = MAX_CONTENT - self.content.len();
        let direct = bytes.len() >= DIRECT;
        if direct && (self.begun || bytes.len() > room) {
            return self.send_records(bytes);
        }
        let (now, later) = bytes.split_at(bytes.len().min(room));
        self.content.extend_from_slice(now);
        if !later.is_empty() {
            self.send_records(&[])?;
            self.content.extend_from_slice(later);
        }
        Ok(bytes.len())
    }

    /// Sends what was written so far. Not needed at the end, where it would cost a record and a system call more.
    fn flush(&mut self) -> io::Result<()> {
        if !self.content.is_empty() {
            self.send_records(&[])?;
        }
        Ok(())
    }
}

impl<S: Stream> Reply for RecordWriter<'_, '_, S> {
    fn log(&mut self, line: &str) {
        let end = (0..=MAX_LOG_LINE)
            .rev()
            .find(|&end| line.is_char_boundary(end))
            .unwrap_or(0);
        let line = &line[..end];
        if line.is_empty() {
            return;
        }
        self.logged = true;
        let header = self.header(kind::STDERR, line.len() + 1);
        let sent = self.send(&mut [
            IoSlice::new(&header),
            IoSlice::new(line.as_bytes()),
            IoSlice::new(b"\n"),
        ]);
        if sent.is_err() {
            log::error!("{line}");
        }
    }
}
