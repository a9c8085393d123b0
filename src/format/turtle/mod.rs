//! turtle (skeleton).

mod parse;
mod write;

pub use parse::parse;
pub use write::write;
