//! One connection with the web server, whatever it runs on: requests come in, records go out.

use std::io::{self, ErrorKind, IoSlice, Read};
use std::mem;
use std::ops::Range;
use std::time::{Duration, Instant};

use super::request::{Event, Parser, Request};
use super::spool::{PATIENCE, Spool};

/// Size of the buffer for what arrives, in bytes.
const INPUT_LEN: usize = 64 << 10;

/// How long a request may take to arrive, from its first byte to its last parameter. Web servers send that at once.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// How long, after the answer, we take the rest of a body that nobody reads. Apache's mod_fcgid sends the whole body
/// before it reads the answer, and takes a connection closed before for a failure.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(30);

/// Most bytes of protocol answers that wait to be sent. A web server that sends questions and reads no answers is none.
const MAX_PENDING: usize = 64 << 10;

/// What a connection runs on. `receive` and `send` never wait: they fail with [`ErrorKind::WouldBlock`].
pub(super) trait Stream {
    /// Receives some bytes and returns how many; 0: the other end sends no more.
    fn receive(&mut self, buffer: &mut [u8]) -> io::Result<usize>;

    /// Sends some of the bytes and returns how many.
    fn send(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize>;

    /// Waits until one can receive (if so wanted) or send (if so wanted), or the deadline has passed: then neither is
    /// said of the result. A broken connection is ready for both.
    fn wait(&mut self, receive: bool, send: bool, deadline: Option<Instant>) -> io::Result<Ready>;

    /// Waits for the first byte of a request; `false`: the program is asked to end, so none should be begun. `fresh`
    /// tells that the connection was just made, so that its request must be on its way.
    fn wait_for_request(&mut self, fresh: bool) -> io::Result<bool>;
}

/// What one can do with a [`Stream`] without waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ready {
    pub receive: bool,
    pub send: bool,
}

/// How far the body of the present request has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Body {
    /// More may come.
    Open,
    /// It is complete.
    Complete,
    /// The web server aborted the request.
    Aborted,
    /// The connection ended before it.
    Cut,
}

/// A connection, with at most one request being served.
pub(super) struct Connection<'b, S> {
    stream: S,
    parser: Parser,
    /// What was received. `unparsed` has not been looked at; `piece`, just before it, is body that nobody has read.
    input: &'b mut Vec<u8>,
    unparsed: Range<usize>,
    piece: Range<usize>,
    body: Body,
    /// Whether the answer has begun: the rest of the body is dropped as it comes.
    body_dropped: bool,
    /// The other end sends no more.
    input_ended: bool,
    /// The connection is to be closed without waiting for more requests.
    closing: bool,
    fresh: bool,
    /// Protocol answers to be sent when no other record is half sent.
    pending: Vec<u8>,
    output: Output,
}

/// How what is sent leaves.
enum Output {
    /// At once, however long that takes: the handler has returned, or nothing else is possible.
    Direct,
    /// At once, but not beyond the deadline, which begins to run with the first wait.
    Hurried(Option<Instant>),
    /// To a file first.
    Spooled(Spool),
}

impl<'b, S: Stream> Connection<'b, S> {
    /// Returns a connection on which nothing has been received. The buffer is only there to be used again.
    pub(super) fn new(stream: S, input: &'b mut Vec<u8>) -> Self {
        input.resize(INPUT_LEN, 0);
        Self {
            stream,
            parser: Parser::default(),
            input,
            unparsed: 0..0,
            piece: 0..0,
            body: Body::Complete,
            body_dropped: false,
            input_ended: false,
            closing: false,
            fresh: true,
            pending: Vec::new(),
            output: Output::Direct,
        }
    }

    /// Returns the next request, or `None` where there is none: the web server closed the connection, or the program
    /// is asked to end.
    ///
    /// # Errors
    /// The connection is broken, or what arrives is not FastCGI, or stops in the midst of a request for 30 s.
    pub(super) fn next_request(&mut self) -> io::Result<Option<Request>> {
        let mut deadline = None;
        loop {
            if let Some(event) = self.parse()? {
                match event {
                    Event::Request(request) => {
                        self.body = Body::Open;
                        self.body_dropped = false;
                        self.fresh = false;
                        self.output = Output::Hurried(None);
                        return Ok(Some(request));
                    }
                    other => self.apply(other)?,
                }
                self.send(&mut [])?;
                continue;
            }
            if self.closing {
                return Ok(None);
            }
            if self.input_ended {
                return if self.parser.is_idle() {
                    Ok(None)
                } else {
                    Err(ErrorKind::UnexpectedEof.into())
                };
            }
            if self.receive()? {
                continue;
            }
            if self.parser.is_idle() {
                if !self.stream.wait_for_request(self.fresh)? {
                    return Ok(None);
                }
            } else {
                let deadline = *deadline.get_or_insert_with(|| Instant::now() + REQUEST_TIMEOUT);
                if !self.stream.wait(true, false, Some(deadline))?.receive {
                    return Err(ErrorKind::TimedOut.into());
                }
            }
        }
    }

    /// Reads some of the body of the present request; 0: it is complete.
    ///
    /// # Errors
    /// `UnexpectedEof`: the connection ended before the body; `ConnectionAborted`: the request was aborted; `Other`: the
    /// answer has begun.
    pub(super) fn read_body(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.body_dropped {
                return Err(io::Error::other(
                    "the rest of the body was dropped when the answer began",
                ));
            }
            if !self.piece.is_empty() || buffer.is_empty() {
                let n = (&self.input[self.piece.clone()]).read(buffer)?;
                self.piece.start += n;
                return Ok(n);
            }
            match self.body {
                Body::Open => {}
                Body::Complete => return Ok(0),
                Body::Aborted => return Err(ErrorKind::ConnectionAborted.into()),
                Body::Cut => return Err(ErrorKind::UnexpectedEof.into()),
            }
            if let Some(event) = self.parse()? {
                self.apply(event)?;
                self.send(&mut [])?;
            } else if !self.receive()? && !self.input_ended {
                self.stream.wait(true, false, None)?;
            }
        }
    }

    /// Drops what is unread of the body, and what comes of it from now on.
    pub(super) fn drop_body(&mut self) {
        self.body_dropped = true;
        self.piece = 0..0;
    }

    /// Tells whether the answer is of no more use to the web server.
    pub(super) fn is_aborted(&self) -> bool {
        self.body == Body::Aborted
    }

    /// Tells whether the connection ended before the body did.
    pub(super) fn is_cut(&self) -> bool {
        self.body == Body::Cut
    }

    /// Sends all the bytes, or puts them where [`Self::release`] will find them.
    ///
    /// # Errors
    /// The connection is broken.
    pub(super) fn send(&mut self, slices: &mut [IoSlice<'_>]) -> io::Result<()> {
        if !self.pending.is_empty() {
            let pending = mem::take(&mut self.pending);
            self.send_all(&mut [IoSlice::new(&pending)])?;
        }
        self.send_all(slices)
    }

    /// Lets all that follows take as long as it takes, after what was put in a file. To be called when the handler has
    /// returned.
    ///
    /// # Errors
    /// The connection is broken, or the file cannot be read.
    pub(super) fn release(&mut self) -> io::Result<()> {
        if let Output::Spooled(spool) = mem::replace(&mut self.output, Output::Direct) {
            let mut reader = spool.into_reader()?;
            let mut buffer = vec![0; INPUT_LEN];
            loop {
                let n = reader.read(&mut buffer)?;
                if n == 0 {
                    break;
                }
                self.send_all(&mut [IoSlice::new(&buffer[..n])])?;
            }
        }
        Ok(())
    }

    /// Forgets the present request, whose answer is complete; `keep`: another may follow on this connection. If none
    /// does, takes the rest of the body first.
    ///
    /// # Errors
    /// The connection is broken, which is of no importance any more.
    pub(super) fn finish(&mut self, keep: bool) -> io::Result<()> {
        self.drop_body();
        if !keep {
            self.closing = true;
            let mut deadline = None;
            loop {
                self.apply_all()?;
                if self.body != Body::Open || self.input_ended {
                    break;
                }
                if !self.receive()? && !self.input_ended {
                    let deadline = *deadline.get_or_insert_with(|| Instant::now() + DRAIN_TIMEOUT);
                    if !self.stream.wait(true, false, Some(deadline))?.receive {
                        break;
                    }
                }
            }
        }
        self.parser.finish();
        Ok(())
    }

    fn send_all(&mut self, mut left: &mut [IoSlice<'_>]) -> io::Result<()> {
        IoSlice::advance_slices(&mut left, 0);
        while !left.is_empty() {
            let sent = match &mut self.output {
                Output::Spooled(spool) => spool.append(left),
                _ => self.stream.send(left),
            };
            match (sent, &self.output) {
                (Ok(0), _) => return Err(ErrorKind::WriteZero.into()),
                (Ok(n), _) => IoSlice::advance_slices(&mut left, n),
                (Err(e), _) if e.kind() == ErrorKind::Interrupted => {}
                (Err(e), Output::Spooled(_)) => {
                    log::warn!("no room to keep an answer for a slow client, the handler waits for it: {e}");
                    self.release()?;
                }
                (Err(e), _) if e.kind() == ErrorKind::WouldBlock => self.wait_for_room()?,
                (Err(e), _) => return Err(e),
            }
        }
        Ok(())
    }

    /// Waits until one can send, or turns to a file where that takes too long. Whatever the web server sends meanwhile
    /// is taken, since it may not read before we have.
    fn wait_for_room(&mut self) -> io::Result<()> {
        let deadline = match &mut self.output {
            Output::Hurried(deadline) => Some(*deadline.get_or_insert_with(|| Instant::now() + PATIENCE)),
            _ => None,
        };
        let receive = self.body_dropped && !self.input_ended;
        let ready = self.stream.wait(receive, true, deadline)?;
        if ready.receive {
            self.apply_all()?;
            self.receive()?;
            self.apply_all()?;
        }
        if !ready.receive && !ready.send {
            self.output = match Spool::create() {
                Ok(spool) => Output::Spooled(spool),
                Err(e) => {
                    log::warn!("no file to keep an answer for a slow client, the handler waits for it: {e}");
                    Output::Direct
                }
            };
        }
        Ok(())
    }

    /// Returns what the received bytes mean next; `None`: there are no more.
    fn parse(&mut self) -> io::Result<Option<Event>> {
        while !self.unparsed.is_empty() {
            let (taken, event) = self
                .parser
                .parse(&self.input[self.unparsed.clone()])
                .map_err(|e| io::Error::new(ErrorKind::InvalidData, e))?;
            self.unparsed.start += taken;
            if event.is_some() {
                return Ok(event);
            }
        }
        Ok(None)
    }

    fn apply_all(&mut self) -> io::Result<()> {
        while let Some(event) = self.parse()? {
            self.apply(event)?;
        }
        Ok(())
    }

    /// Takes note of an event. What it wants sent waits for the next [`Self::send`].
    fn apply(&mut self, event: Event) -> io::Result<()> {
        match event {
            Event::Stdin(n) if !self.body_dropped => self.piece = self.unparsed.start - n..self.unparsed.start,
            Event::StdinEnd => self.body = Body::Complete,
            Event::Abort => self.body = Body::Aborted,
            Event::Answer { record, close } => {
                if self.pending.len() + record.len() > MAX_PENDING {
                    return Err(io::Error::other("the web server asks much and reads nothing"));
                }
                self.pending.extend(record);
                self.closing |= close;
            }
            Event::Stdin(_) | Event::Request(_) => {}
        }
        Ok(())
    }

    /// Receives what there is, once all that came before is parsed; `false`: nothing now, or nothing any more.
    fn receive(&mut self) -> io::Result<bool> {
        match self.stream.receive(self.input) {
            Ok(0) => {
                self.input_ended = true;
                if self.body == Body::Open {
                    self.body = Body::Cut;
                }
                Ok(false)
            }
            Ok(n) => {
                self.unparsed = 0..n;
                Ok(true)
            }
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => Ok(false),
            Err(e) => Err(e),
        }
    }
}
