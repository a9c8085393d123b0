//! What Apache starts, and administrators call: `ktbs::command` does what the arguments say.

use std::process::ExitCode;

fn main() -> ExitCode {
    ktbs::command::run(std::env::args_os())
}
