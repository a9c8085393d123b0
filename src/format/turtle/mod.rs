//! Turtle (<https://www.w3.org/TR/turtle/>).

mod nesting;
pub(super) mod parse;
pub(super) mod scan;
mod shorthand;
mod write;

pub use parse::parse;
pub(super) use shorthand::Shorthand;
pub use write::write;
