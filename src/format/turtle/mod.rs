//! turtle (skeleton).

pub(super) mod parse;
pub(super) mod scan;
mod write;

pub use parse::parse;
pub use write::write;
