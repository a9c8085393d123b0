//! Through a real Apache with mod_fcgid: only what cannot be seen without it.

mod checklist;
mod configuration;
mod httpd;
mod processes;
mod proxies;
mod samples;
mod site;
mod troubleshooting;
mod wiring;

pub use site::free_ports;
