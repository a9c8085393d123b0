//! `ktbs refresh`: computed traces brought up to date before anybody asks.

use std::thread::sleep;
use std::time::Duration;

use anyhow::Error;
use clap::Args;

use super::progress::Progress;
use super::{Context, Ending, path_below, tell};
use crate::App;
use crate::error::Error as DomainError;

/// Brings computed traces up to date in the background, so that their readers do not wait
///
/// Any number of these may run, beside the server: what two compute at once is stored once. It can be stopped at any time.
#[derive(Args, Debug)]
pub struct Refresh {
    /// The base or trace to bring up to date with all that is below it: its address, or its path below the root URI
    /// [else: everything]
    below: Option<String>,
    /// Begins again whenever the store has changed, until stopped
    #[arg(long = "loop")]
    forever: bool,
    /// How many seconds to wait between two looks at the store
    #[arg(long, value_name = "SECONDS", default_value = "2", requires = "forever")]
    every: u64,
}

impl Refresh {
    /// Runs the command.
    ///
    /// # Errors
    /// The store cannot be used.
    pub fn run(self, context: &Context) -> Result<Ending, Error> {
        let app = context.open()?;
        context.directory(&app.config)?;
        let path = path_below(&app.config.server.root, self.below.as_deref().unwrap_or(""))?;
        if !self.forever {
            return Ok(if refresh(&app, &path, true)? {
                Ending::Well
            } else {
                Ending::Wrong
            });
        }
        let mut seen = None;
        loop {
            let change = app.service.store.last_change();
            if seen != Some(change) {
                // What cannot be computed is told by its description; here, it would be told again and again.
                refresh(&app, &path, seen.is_none())?;
                seen = Some(change);
            }
            sleep(Duration::from_secs(self.every.max(1)));
        }
    }
}

/// Brings everything below a path up to date; returns whether all could be computed.
fn refresh(app: &App, path: &str, telling: bool) -> Result<bool, Error> {
    let computed = app.service.computed_traces(path)?;
    let progress = Progress::bar("computed traces");
    let mut is_well = true;
    for (done, trace) in computed.iter().enumerate() {
        progress.at(trace, done, computed.len());
        match app.service.refresh(trace) {
            Ok(()) | Err(DomainError::NotFound) => {}
            Err(error @ DomainError::Store(_)) => return Err(error.into()),
            Err(error) => {
                is_well = false;
                if telling {
                    tell(&Error::msg(format!("<{}{trace}>: {error}", app.config.server.root)));
                }
            }
        }
    }
    Ok(is_well)
}
