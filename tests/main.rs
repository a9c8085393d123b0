//! All the integration tests, in one program.

mod http;
mod support;
