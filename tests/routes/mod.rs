//! One file for each kind of resource.

mod base;
mod computed_trace;
mod data_graph;
mod method;
mod model;
mod root;
mod stored_trace;
