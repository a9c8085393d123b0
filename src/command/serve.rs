//! What the program does without a command: it serves, or tells the web server that it cannot.

use std::io::{self, Read};

use anyhow::Error;

use super::{Context, Ending, tell};
use crate::App;
use crate::fcgi::{self, Handler, Params, Reply};
use crate::refusal::Refusal;

/// Serves the requests that come on descriptor 0, until SIGTERM.
///
/// # Errors
/// The socket failed.
pub fn run(context: &Context) -> Result<Ending, Error> {
    let mut server = Server {
        context,
        app: None,
        told: String::new(),
    };
    server.open();
    fcgi::serve(&mut server)?;
    Ok(match server.app {
        Some(_) => Ending::Well,
        None => Ending::Wrong,
    })
}

/// A kTBS, or what answers in its place as long as it cannot be opened.
///
/// It does not end then: a request that Apache passes to a process while it ends is answered by Apache in its own words.
/// It tries again at each request instead, so that whatever was mended is seen at once.
struct Server<'c> {
    context: &'c Context,
    app: Option<App>,
    /// Why it could not be opened, as the log was told.
    told: String,
}

impl Server<'_> {
    /// Opens the kTBS, or tells why that is not possible, once for each reason.
    fn open(&mut self) {
        match self.context.open() {
            Ok(app) => self.app = Some(app),
            Err(error) => {
                let reason = format!("{error:#}");
                if reason != self.told {
                    tell(&error);
                    self.told = reason;
                }
            }
        }
    }
}

impl Handler for Server<'_> {
    fn handle(&mut self, params: &Params, stdin: &mut dyn Read, reply: &mut dyn Reply) -> io::Result<()> {
        if self.app.is_none() {
            self.open();
        }
        match &mut self.app {
            Some(app) => app.handle(params, stdin, reply),
            None => Refusal.handle(params, stdin, reply),
        }
    }
}
