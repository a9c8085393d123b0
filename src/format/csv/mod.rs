//! Obsels as a table (RFC 4180), out and in.

mod parse;
mod write;

pub use parse::read;
pub use write::write;
