//! Turtle (<https://www.w3.org/TR/turtle/>).

mod nesting;
mod parse;
mod shorthand;
mod write;

pub use parse::parse;
pub use write::write;
