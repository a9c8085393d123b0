//! What the program does without a command: it serves, or tells the web server that it cannot.

use anyhow::Error;

use super::{Context, Ending, tell};
use crate::fcgi;
use crate::refusal::Refusal;

/// Serves the requests that come on descriptor 0, until SIGTERM.
///
/// # Errors
/// The socket failed.
pub fn run(context: &Context) -> Result<Ending, Error> {
    match context.open() {
        Ok(mut app) => {
            fcgi::serve(&mut app)?;
            Ok(Ending::Well)
        }
        Err(error) => {
            tell(&error);
            // The web server still waits for an answer to the request for which it started us.
            fcgi::serve_one(&mut Refusal)?;
            Ok(Ending::Wrong)
        }
    }
}
