//! The integration tests: one program, one module for each subject.

mod http;
mod routes;
mod support;
mod tables;
