//! JSON-LD (<https://www.w3.org/TR/json-ld11/>) and simple JSON, which is JSON-LD with parts left out.
//!
//! On the way in, `parse` takes what is nearly always sent through a direct path (`direct`), and anything else through a full
//! processor (`full`); `simple` guesses what is left out. On the way out, each shape has a document of its own
//! (kTBS documentation, "JSON").

mod access;
mod data_graph;
mod description;
mod direct;
mod directory;
mod flat;
mod full;
mod image;
mod model;
mod node;
mod number;
mod obsel;
mod obsels;
mod parse;
mod properties;
mod restore;
mod shorten;
mod simple;
mod stats;
mod terms;
mod tree;
mod value;
mod write;

pub use parse::{parse, parse_simple};
pub use restore::restore;
pub use terms::DOCUMENT as CONTEXT_DOCUMENT;
pub use write::{write, write_lines, write_simple};

#[cfg(test)]
mod parse_test;
