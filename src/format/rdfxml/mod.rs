//! rdfxml (skeleton).

mod parse;
mod scan;
mod write;

pub use parse::parse;
pub use write::write;
