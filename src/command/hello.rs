//! `ktbs hello`: the diagnostic in the place of the server.

use anyhow::Error;
use clap::Args;

use super::{Context, Ending, NO_SOCKET, misused};
use crate::{config, fcgi, hello};

/// Answers each request with what the web server has set up, even if the configuration is wrong
#[derive(Args, Debug)]
pub struct Hello {}

impl Hello {
    /// Runs the command.
    ///
    /// # Errors
    /// The socket failed.
    pub fn run(self, context: &Context) -> Result<Ending, Error> {
        if !fcgi::has_socket() {
            return Ok(misused(&format!("ktbs: {NO_SOCKET}: nobody to answer to")));
        }
        fcgi::serve(&mut hello::Hello {
            files: context.clues.files().unwrap_or_default(),
            find_store: &|files| match config::load(files, &[]) {
                Ok((config, _)) => Ok(config.store.directory),
                Err(error) => Err(error.to_string()),
            },
        })?;
        Ok(Ending::Well)
    }
}
