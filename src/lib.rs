#![doc = include_str!("ARCHITECTURE.md")]

pub mod config;
pub mod error;
pub mod fcgi;
pub mod format;
pub mod http;
pub mod method;
pub mod obsel;
pub mod plugin;
pub mod rdf;
pub mod resource;
pub mod store;
pub mod time;
pub mod vocab;
