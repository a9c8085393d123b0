//! What tests need of the machine beyond Apache: other web servers, a directory, tools. Where it is missing, the test is skipped
//! and says so; `make test-all` installs it, and lets nothing be skipped.

use std::io::{self, Write};
use std::path::Path;

/// Says that a test is skipped, and why; fails where nothing may be.
#[track_caller]
pub fn skipped(missing: &str) {
    assert!(
        std::env::var_os("KTBS_TEST_ALL").is_none(),
        "{missing} is missing, and KTBS_TEST_ALL says that nothing may be skipped"
    );
    // Not by a macro, whose output nobody sees where the test passes.
    let _ = writeln!(io::stderr(), "skipped: no {missing}");
}

/// Returns the path of a program, or says that the test is skipped.
#[track_caller]
pub fn installed(name: &str) -> Option<String> {
    let folders = ["/usr/sbin", "/usr/bin", "/usr/local/bin", "/usr/lib/openldap"];
    let found = folders.map(|folder| format!("{folder}/{name}"));
    let found = found.into_iter().find(|path| Path::new(path).exists());
    if found.is_none() {
        skipped(name);
    }
    found
}
