//! N-Triples: one triple a line (<https://www.w3.org/TR/n-triples/>).

mod parse;
mod write;

pub use parse::parse;
pub use write::write;
pub(super) use write::{iri, label, string, write_lines};
