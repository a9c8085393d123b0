//! The integration tests: one program, one module for each subject.

mod routes;
