//! kTBS program.
fn main() {}
