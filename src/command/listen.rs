//! `ktbs listen`: the server on a socket of its own.

use std::env;
use std::num::NonZeroU16;

use anyhow::{Context as _, Error};
use clap::Args;

use super::{Context, Ending, NO_SOCKET, misused};
use crate::fcgi::{self, Address, Bound};

/// Serves FastCGI on a socket of its own, for nginx, Caddy, lighttpd and Apache's mod_proxy_fcgi, until SIGTERM
#[derive(Args, Debug)]
pub struct Listen {
    /// unix:PATH, or HOST:PORT; without it, descriptor 0, as systemd gives it
    address: Option<Address>,
    /// How many connections are served at once; the others wait
    #[arg(long, value_name = "NUMBER", default_value = "16")]
    threads: NonZeroU16,
    /// Who may connect to unix:PATH, as for chmod
    #[arg(long, default_value = "660", value_parser = parse_mode)]
    mode: u32,
}

fn parse_mode(text: &str) -> Result<u32, String> {
    u32::from_str_radix(text, 8)
        .ok()
        .filter(|mode| *mode <= 0o777)
        .ok_or_else(|| "three octal digits are wanted".to_owned())
}

impl Listen {
    /// Runs the command.
    ///
    /// # Errors
    /// The configuration, the store or the address cannot be used, or the socket failed.
    pub fn run(self, context: &Context) -> Result<Ending, Error> {
        let public = self.address.as_ref().is_some_and(Address::is_public);
        if public && env::var_os(fcgi::WEB_SERVER_ADDRS).is_none() {
            return Ok(misused(
                "ktbs: whoever can reach that address can say that they are anybody: give 127.0.0.1, or the addresses of the \
                 web servers in the variable FCGI_WEB_SERVER_ADDRS",
            ));
        }
        if self.address.is_none() && !fcgi::has_socket() {
            return Ok(misused(&format!("ktbs: {NO_SOCKET}: an address is needed")));
        }
        let app = context.open()?;
        let bound = match &self.address {
            Some(address) => Some(Bound::new(address, self.mode).context("cannot listen")?),
            None => None,
        };
        log::info!(target: "ktbs::server", "PID: {}", std::process::id());
        fcgi::serve_threads(bound.as_ref(), self.threads, &|| Box::new(app.share()))?;
        Ok(Ending::Well)
    }
}
