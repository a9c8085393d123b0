//! FastCGI, responder role: bytes to one request, one reply. Knows nothing of kTBS. (Skeleton.)

use std::io;

/// The parameters of a request (CGI variables, RFC 3875 section 4.1), in the order in which they came.
#[derive(Clone, Debug, Default)]
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

/// Where a handler writes its answer (a CGI header block, then the body) and its messages for the log.
pub trait Reply: io::Write {
    /// Sends a line to the error log of the web server.
    fn log(&mut self, line: &str);
}

/// What answers requests: parameters, body, reply. The body ends with an error if it is not complete.
pub trait Handler {
    /// Answers one request.
    fn handle(&mut self, params: &Params, stdin: &mut dyn io::Read, reply: &mut dyn Reply) -> io::Result<()>;
}
