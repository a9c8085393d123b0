//! RDF/XML (<https://www.w3.org/TR/rdf-syntax-grammar/>).

mod parse;
mod qname;
mod scan;
mod write;

pub use parse::parse;
pub use write::write;
