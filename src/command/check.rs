//! `ktbs check`: what an administrator wants to know before Apache starts the program.

use std::io;

use anyhow::Error;
use clap::Args;

use super::{Context, Ending};
use crate::config;

/// Tells what is wrong in the configuration, or else what it amounts to, and whether the store can be used
#[derive(Args, Debug)]
pub struct Check {}

impl Check {
    /// Runs the command.
    ///
    /// # Errors
    /// Nobody listens.
    pub fn run(self, context: &Context) -> Result<Ending, Error> {
        let is_well = config::check(&context.clues, &mut io::stdout(), &mut io::stderr())?;
        Ok(if is_well { Ending::Well } else { Ending::Wrong })
    }
}
