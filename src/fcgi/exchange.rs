//! From a request to its end: calls the handler, and answers in its place where it cannot.

use std::any::Any;
use std::cell::RefCell;
use std::io::{self, Read, Write};
use std::panic::{self, AssertUnwindSafe};

use super::connection::{Connection, Stream};
use super::params::{MAX_PARAMS_BYTES, Params};
use super::reply::RecordWriter;
use super::request::{BadParams, Request};
use super::{Handler, Reply};

/// Memory that is used again from one connection to the next.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    input: Vec<u8>,
    output: Vec<u8>,
}

/// Answers the requests of a connection, one after the other, until it is of no more use.
///
/// # Errors
/// The connection is broken, or what arrives is not FastCGI, or a handler could not complete an answer that had begun
/// to leave. The connection is to be dropped: that is how a web server learns that an answer is not complete.
pub(super) fn serve_connection<S: Stream>(
    stream: S,
    buffers: &mut Buffers,
    handler: &mut dyn Handler,
) -> io::Result<()> {
    let connection = RefCell::new(Connection::new(stream, &mut buffers.input));
    loop {
        let Some(request) = connection.borrow_mut().next_request()? else {
            return Ok(());
        };
        let keep = request.keep_connection;
        exchange(&connection, request, &mut buffers.output, handler)?;
        connection.borrow_mut().finish(keep)?;
    }
}

fn exchange<S: Stream>(
    connection: &RefCell<Connection<'_, S>>,
    request: Request,
    output: &mut Vec<u8>,
    handler: &mut dyn Handler,
) -> io::Result<()> {
    let mut reply = RecordWriter::new(connection, request.id, output);
    let params = match request.params {
        Ok(params) => params,
        Err(bad) => {
            refuse(&mut reply, bad)?;
            return reply.finish();
        }
    };
    let handled = panic::catch_unwind(AssertUnwindSafe(|| {
        handler.handle(&params, &mut BodyReader(connection), &mut reply)
    }));
    let failure = match handled {
        Ok(Ok(())) => return reply.finish(),
        Ok(Err(e)) if reply.is_broken() => return Err(e),
        Ok(Err(e)) if connection.borrow().is_cut() => return Err(e),
        Ok(Err(_)) if connection.borrow().is_aborted() => {
            reply.clear();
            return reply.finish();
        }
        Ok(Err(e)) => format!("failed: {e}"),
        Err(panic) => format!("panicked: {}", panic_message(&*panic)),
    };
    reply.log(&format!("{} {failure}", name(&params)));
    if reply.has_begun() {
        return Err(io::Error::other(failure));
    }
    reply.clear();
    answer(
        &mut reply,
        "500 Internal Server Error",
        "Internal error; details are in the error log of the web server.",
    )?;
    reply.finish()
}

fn refuse(reply: &mut dyn Reply, bad: BadParams) -> io::Result<()> {
    let (status, text) = match bad {
        BadParams::TooLong => (
            "431 Request Header Fields Too Large",
            format!("The variables of the request take more than {MAX_PARAMS_BYTES} bytes."),
        ),
        BadParams::Malformed => (
            "400 Bad Request",
            "The variables of the request are not name-value pairs of FastCGI.".to_owned(),
        ),
    };
    reply.log(&text);
    answer(reply, status, &text)
}

fn answer(reply: &mut dyn Write, status: &str, text: &str) -> io::Result<()> {
    write!(
        reply,
        "Status: {status}\r\nContent-Type: text/plain; charset=utf-8\r\nX-Content-Type-Options: nosniff\r\n\
         Content-Length: {}\r\n\r\n{text}\r\n",
        text.len() + 2
    )
}

/// Returns method and URI, for the log, without the control characters that a client may have put there.
fn name(params: &Params) -> String {
    let variable = |name| String::from_utf8_lossy(params.get(name).unwrap_or(b"?")).into_owned();
    format!("{} {}", variable("REQUEST_METHOD"), variable("REQUEST_URI")).replace(char::is_control, "?")
}

fn panic_message(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("with a value that is no text")
}

/// The body of the present request.
struct BodyReader<'c, 'b, S>(&'c RefCell<Connection<'b, S>>);

impl<S: Stream> Read for BodyReader<'_, '_, S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.borrow_mut().read_body(buffer)
    }
}
