//! The diagnostic as a program of its own: Apache starts it in the place of `ktbs`, to see whether the wiring works.

use std::env;
use std::path::PathBuf;
use std::process::ExitCode;

use ktbs::fcgi;
use ktbs::hello::Hello;

fn main() -> ExitCode {
    if !fcgi::has_socket() {
        eprintln!("hello: to be started by Apache's mod_fcgid (descriptor 0 is no listening socket)");
        return ExitCode::from(2);
    }
    let mut hello = Hello {
        files: files(),
        find_store: &|_| Err("not looked for".to_owned()),
    };
    match fcgi::serve(&mut hello) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("hello: {e}");
            ExitCode::FAILURE
        }
    }
}

/// Returns the files that `ktbs` would read: those of `KTBS_CONFIG`, or else its own path followed by `.conf`.
fn files() -> Vec<PathBuf> {
    if let Some(list) = env::var_os("KTBS_CONFIG") {
        return env::split_paths(&list).collect();
    }
    let mut own = env::args_os().next().unwrap_or_default();
    own.push(".conf");
    vec![own.into()]
}
