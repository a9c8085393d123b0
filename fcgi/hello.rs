//! The diagnostic as a program of its own: Apache starts it in the place of `ktbs`, to see whether the wiring works.

use std::process::ExitCode;

use ktbs::config::{self, Clues};
use ktbs::fcgi;
use ktbs::hello::Hello;

fn main() -> ExitCode {
    if !fcgi::has_socket() {
        eprintln!("hello: to be started by Apache's mod_fcgid (descriptor 0 is no listening socket)");
        return ExitCode::from(2);
    }
    let mut hello = Hello {
        files: Clues::of_process(Vec::new()).files().unwrap_or_default(),
        find_store: &|files| match config::load(files, &[]) {
            Ok((config, _)) => Ok(config.store.directory),
            Err(error) => Err(error.to_string()),
        },
    };
    match fcgi::serve(&mut hello) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("hello: {e}");
            ExitCode::FAILURE
        }
    }
}
