//! SPARQL over graphs of ours: what methods and endpoints ask.
//!
//! A [`Dataset`] is made in one pass from graphs and from the records of obsels, by a [`Builder`]; it holds each term
//! once and the triples as sorted arrays of numbers. A [`Query`] is parsed once and evaluated over any dataset, within
//! [`Limits`]; it sees that dataset and nothing else, whatever it says. The parser is `spargebra` and the evaluator
//! `spareval`, whose terms are Oxigraph's: nobody outside of this module sees them.
//!
//! * In: [`scan`] bounds the text before the parser recurses; [`algebra`] finds what the query needs, refuses what it
//!   must not have, and replaces what has no bound by [`functions`] that do, and [`aggregates`] by tolerant ones.
//!   [`fault`] tells what is wrong in a text, [`local`] which queries can be asked about a part of the data at a time.
//! * Data: [`terms`] and [`index`] are the arrays, [`dataset`] a default graph and named ones, [`obsels`] fills it from
//!   the store, [`evaluate`] shows it to the evaluator, [`convert`] brings terms from one side to the other.
//! * Out: rows and graphs from [`query`], bytes from [`results`], the next state of a graph from [`update`].

mod aggregates;
mod algebra;
mod convert;
mod dataset;
mod evaluate;
mod fault;
mod functions;
mod index;
mod limits;
mod local;
mod obsels;
mod query;
mod results;
mod scan;
mod template;
mod terms;
mod update;

#[cfg(test)]
mod test;

pub use dataset::{Builder, Dataset};
pub use limits::{Limits, watch};
pub use obsels::{Obsels, add_collection};
pub use query::{Context, Form, Query};
pub use results::{Syntax, write};
pub use update::Update;
