//! Obsels as a table (RFC 4180), out and in.

mod columns;
mod parse;
mod write;

pub(super) use columns::Columns;
pub use parse::read;
pub use write::write;
