//! Tests of the kTBS from outside: one binary.
#![expect(clippy::unwrap_used, reason = "a test that can not go on fails")]

mod routes;
mod support;
