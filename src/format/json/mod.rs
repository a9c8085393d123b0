//! JSON-LD and simple JSON (skeleton).

mod data_graph;
mod description;
mod model;
mod node;
mod obsel;
mod obsels;
mod parse;
mod properties;
mod shorten;
mod stats;
mod value;
mod write;

pub use parse::{parse, parse_simple};
pub use write::{write, write_simple};
