//! The integration tests: one program, one module for each subject.

mod program;
mod tables;
mod web_server;
