//! Through a real Apache with mod_fcgid: only what cannot be seen without it.

mod checklist;
mod compression;
mod configuration;
mod httpd;
mod ldap;
mod login;
mod packaging;
mod processes;
mod proxies;
mod rules;
mod samples;
mod shared;
mod site;
mod troubleshooting;
mod users;
mod wiring;

pub use site::free_ports;
