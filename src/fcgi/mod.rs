//! FastCGI, responder role: bytes to one request, one reply. Knows nothing of kTBS.
//!
//! The whole role is served, as the [FastCGI specification] has it: several records per stream, padding, parameters of
//! any length up to 1 MiB, connections that are kept open, aborts, and the questions of GET_VALUES. What is refused, is
//! refused as it says: other roles (UNKNOWN_ROLE), a second request while one is served (CANT_MPX_CONN), unknown
//! management records (UNKNOWN_TYPE). What is not FastCGI at all ends the connection.
//!
//! ```text
//! listen       a socket of our own, where no web server gives one
//! socket       accepts, waits, ends on SIGTERM; the only code that knows signals
//!   exchange   calls the handler; a panic is caught here, logged, and answered 500
//!     connection   what arrives, what leaves, and in which order
//!       request    bytes -> events    (record, params)
//!       reply      answer -> records
//!       spool      where an answer waits for a slow client
//! ```
//!
//! One request is served at a time by each thread, with blocking calls. On descriptor 0 there is one thread: Apache's
//! mod_fcgid never sends a second request to a process that is busy.
//!
//! [FastCGI specification]: https://fastcgi-archives.github.io/FastCGI_Specification.html

mod connection;
mod exchange;
mod listen;
mod params;
mod record;
mod reply;
mod request;
mod socket;
mod spool;
#[cfg(test)]
mod test;
#[cfg(test)]
mod web_server;

use std::io;

pub use listen::{Address, Bound};
pub use params::{MAX_PARAMS_BYTES, Params};
pub use socket::{WEB_SERVER_ADDRS, has_socket, serve, serve_threads};
pub use spool::PATIENCE;

/// Where a handler writes its answer (a CGI header block, then the body) and its messages for the log.
///
/// What is written is kept until there are 64 KiB, or the handler returns. From then on it goes to the web server as it
/// is written; but a handler never waits for a slow client much longer than [`PATIENCE`]: then the rest goes to a
/// temporary file and is sent when the handler has returned. `flush` sends at once what is there; it is not needed.
///
/// Once something has left, the rest of the request's body is dropped: a handler reads what it wants to read first.
pub trait Reply: io::Write {
    /// Sends a line to the error log of the web server, at once. What is longer than 8,000 bytes is cut.
    fn log(&mut self, line: &str);
}

/// What answers requests: parameters, body, reply.
pub trait Handler {
    /// Answers one request.
    ///
    /// `stdin` yields the body as it comes, without regard to `CONTENT_LENGTH`. It fails with `UnexpectedEof` if the
    /// connection ends before the body, and with `ConnectionAborted` if the web server aborts the request. The body need
    /// not be read to its end.
    ///
    /// # Errors
    /// What `stdin` and `reply` fail with is to be returned: the exchange is then given up. With any other error, as
    /// with a panic, the client gets a 500 if nothing of the answer has left, and otherwise an incomplete answer.
    fn handle(&mut self, params: &Params, stdin: &mut dyn io::Read, reply: &mut dyn Reply) -> io::Result<()>;
}
