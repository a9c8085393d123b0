//! Through a real Apache with mod_fcgid: only what cannot be seen without it.

mod compression;
mod configuration;
mod httpd;
mod processes;
mod wiring;
