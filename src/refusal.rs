//! What answers when the program could not start: it stands beside `http`, on `fcgi`, and needs no configuration.

use std::io::{self, Read};

use crate::fcgi::{Handler, Params, Reply};

const TEXT: &str = "500 Internal Server Error\n\n\
    This kTBS could not start: its configuration or its store cannot be used.\n\
    The reason is in the error log of the web server; `ktbs check`, run on its machine, tells it too.\n";

/// Answers 500 to any request.
///
/// The answer points to the log and tells nothing of it: its reader may be anybody.
#[derive(Debug)]
pub struct Refusal;

impl Handler for Refusal {
    fn handle(&mut self, _: &Params, _: &mut dyn Read, reply: &mut dyn Reply) -> io::Result<()> {
        write!(
            reply,
            "Status: 500 Internal Server Error\r\nContent-Type: text/plain; charset=utf-8\r\n\
             X-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\nContent-Length: {}\r\n\r\n{TEXT}",
            TEXT.len()
        )
    }
}
