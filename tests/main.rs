//! One binary for all integration tests.

mod apache;
mod fcgi;
