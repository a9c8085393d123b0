//! JSON-LD and simple JSON (skeleton).

mod parse;
mod write;

pub use parse::{parse, parse_simple};
pub use write::write;
