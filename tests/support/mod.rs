//! What several integration tests need.

pub mod web_server;
