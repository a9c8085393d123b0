//! The integration tests: one program, one module for each subject.

mod access;
mod apache;
mod durability;
mod fcgi;
mod http;
mod layers;
mod listen;
mod methods;
mod needed;
mod program;
mod rotation;
mod routes;
mod sparql_w3c;
mod support;
mod tables;
mod tools;
mod web_server;
