//! The rules of each kind of resource, through the service: one file for each kind.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod base;
mod computed_trace;
mod data_graph;
mod histories;
mod links;
mod method;
mod model;
mod overtaken;
mod readers;
mod root;
mod steps;
mod stored_trace;
mod support;
