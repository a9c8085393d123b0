//! JSON-LD and simple JSON (skeleton).

mod direct;
mod full;
mod number;
mod parse;
mod simple;
mod terms;
mod tree;
mod write;

pub use parse::{parse, parse_simple};
pub use write::write;

#[cfg(test)]
mod parse_test;
