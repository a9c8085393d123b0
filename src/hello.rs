//! A diagnostic: answers any request with what an administrator who sets up Apache needs to see.
//!
//! It stands beside `http`, on `fcgi`, and works without a valid configuration.

use std::collections::BTreeMap;
use std::env;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process;

use rustix::fs::Access;

use crate::fcgi::{Handler, Params, Reply};

/// Says where the store is according to configuration files; `None`: nowhere, it is a temporary one. Fails with a
/// sentence where the files are not valid.
pub type FindStore<'a> = dyn Fn(&[PathBuf]) -> Result<Option<PathBuf>, String> + 'a;

/// The handler of the diagnostic: each request looks at the files anew, so that what was mended shows at once.
pub struct Hello<'a> {
    /// The configuration files that the program would read.
    pub files: Vec<PathBuf>,
    /// What tells the directory of the store.
    pub find_store: &'a FindStore<'a>,
}

impl Hello<'_> {
    /// Returns the text of the answer.
    pub fn text(&self, params: &Params) -> String {
        let mut text = String::new();
        let mut line = |name: &str, value: &str| _ = writeln!(text, "{name}: {value}");
        line("program", concat!("ktbs ", env!("CARGO_PKG_VERSION"), ", diagnostic"));
        line("pid", &process::id().to_string());
        line("uid", &rustix::process::geteuid().as_raw().to_string());
        line("gid", &rustix::process::getegid().as_raw().to_string());
        let directory = env::current_dir();
        line(
            "working directory",
            &directory.map_or_else(|e| format!("unknown: {e}"), |d| d.display().to_string()),
        );
        line(
            "role",
            &params.get("FCGI_ROLE").map_or_else(|| "RESPONDER".into(), escape),
        );
        if self.files.is_empty() {
            line(
                "configuration",
                "no file: KTBS_CONFIG is not set, and there is none beside the program",
            );
        }
        for file in &self.files {
            line("configuration", &describe_file(file));
        }
        line("store", &self.describe_store());
        text.push('\n');
        let variables: BTreeMap<_, _> = params.0.iter().map(|(name, value)| (name, value)).collect();
        for (name, value) in variables {
            let value = if is_secret(name) {
                format!("({} bytes, hidden)", value.len())
            } else {
                escape(value)
            };
            _ = writeln!(text, "{}={value}", escape(name));
        }
        text
    }

    fn describe_store(&self) -> String {
        match (self.find_store)(&self.files) {
            Ok(None) => "none: the data would be lost when the process ends".to_owned(),
            Err(e) => format!("unknown: {e}"),
            Ok(Some(directory)) => {
                let wanted = Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK;
                let (place, note) = match nearest(&directory) {
                    existing if existing == directory => (existing, ""),
                    above => (above, ", to be created"),
                };
                match rustix::fs::access(place, wanted) {
                    Ok(()) if place.is_dir() => format!("{}{note}, writable", directory.display()),
                    Ok(()) => format!("{}{note}: {} is not a directory", directory.display(), place.display()),
                    Err(e) => format!(
                        "{}{note}: {} is NOT WRITABLE: {e}",
                        directory.display(),
                        place.display()
                    ),
                }
            }
        }
    }
}

impl Handler for Hello<'_> {
    fn handle(&mut self, params: &Params, _: &mut dyn Read, reply: &mut dyn Reply) -> io::Result<()> {
        let text = self.text(params);
        write!(
            reply,
            "Status: 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nX-Content-Type-Options: nosniff\r\n\
             Cache-Control: no-store\r\nContent-Length: {}\r\n\r\n",
            text.len()
        )?;
        reply.write_all(text.as_bytes())
    }
}

fn describe_file(file: &Path) -> String {
    match File::open(file).and_then(|mut open| open.read(&mut [0])) {
        Ok(_) => format!("{}, readable", file.display()),
        Err(e) => format!("{}: NOT READABLE: {e}", file.display()),
    }
}

/// Returns the path itself, or the nearest folder above it that exists.
fn nearest(path: &Path) -> &Path {
    path.ancestors()
        .find(|place| place.symlink_metadata().is_ok())
        .unwrap_or(path)
}

/// Tells whether a variable holds what nobody should read over the administrator's shoulder: `Authorization`,
/// `Proxy-Authorization`, `Cookie`, whatever Apache has put before their name (`HTTP_`, `REDIRECT_`).
fn is_secret(name: &[u8]) -> bool {
    let name = name.to_ascii_uppercase();
    [&b"AUTHORIZATION"[..], b"COOKIE", b"COOKIE2"]
        .iter()
        .any(|secret| name.ends_with(secret))
}

/// Returns text on one line.
fn escape(bytes: &[u8]) -> String {
    let mut line = String::new();
    for c in String::from_utf8_lossy(bytes).chars() {
        if c.is_control() {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
    }
    line
}

#[cfg(test)]
mod test {
    use std::fs;

    use super::*;

    fn params(pairs: &[(&str, &str)]) -> Params {
        Params(
            pairs
                .iter()
                .map(|(n, v)| (n.as_bytes().to_vec(), v.as_bytes().to_vec()))
                .collect(),
        )
    }

    fn text(files: Vec<PathBuf>, find_store: &FindStore<'_>, pairs: &[(&str, &str)]) -> String {
        Hello { files, find_store }.text(&params(pairs))
    }

    #[test]
    fn variables_are_sorted_one_per_line() {
        let text = text(vec![], &|_| Ok(None), &[("B", "2"), ("A", "1\nC=3"), ("É", "ü")]);
        assert!(text.ends_with("\n\nA=1\\nC=3\nB=2\nÉ=ü\n"), "{text}");
        assert!(text.contains("\nconfiguration: no file"), "{text}");
        assert!(text.contains("\nstore: none"), "{text}");
        assert!(text.contains("\nrole: RESPONDER\n"), "{text}");
    }

    #[test]
    fn secrets_are_hidden() {
        for name in [
            "HTTP_AUTHORIZATION",
            "Authorization",
            "HTTP_PROXY_AUTHORIZATION",
            "REDIRECT_HTTP_AUTHORIZATION",
            "REDIRECT_REDIRECT_HTTP_COOKIE",
            "HTTP_COOKIE",
            "Cookie",
        ] {
            let text = text(vec![], &|_| Ok(None), &[(name, "Basic c2VjcmV0")]);
            assert!(!text.contains("c2VjcmV0"), "{text}");
            assert!(text.contains(&format!("\n{name}=(14 bytes, hidden)\n")), "{text}");
        }
        assert!(!is_secret(b"REQUEST_URI"));
    }

    #[test]
    fn files_and_store_are_examined() {
        let folder = tempfile::tempdir().expect("a folder");
        let good = folder.path().join("good.conf");
        fs::write(&good, "[server]\n").expect("written");
        let missing = folder.path().join("missing.conf");
        let store = folder.path().join("data/store");
        let text = text(vec![good.clone(), missing.clone()], &|_| Ok(Some(store.clone())), &[]);
        assert!(
            text.contains(&format!("\nconfiguration: {}, readable\n", good.display())),
            "{text}"
        );
        assert!(
            text.contains(&format!(
                "\nconfiguration: {}: NOT READABLE: No such file",
                missing.display()
            )),
            "{text}"
        );
        assert!(
            text.contains(&format!("\nstore: {}, to be created, writable\n", store.display())),
            "{text}"
        );

        let hello = |store: &Path| {
            let store = store.to_owned();
            super::Hello {
                files: vec![],
                find_store: &move |_: &[PathBuf]| Ok(Some(store.clone())),
            }
            .describe_store()
        };
        assert!(hello(folder.path()).ends_with(", writable"));
        assert!(hello(&good).contains("NOT WRITABLE") || hello(&good).contains("is not a directory"));
    }

    #[test]
    fn a_wrong_configuration_is_told() {
        let text = text(vec![], &|_| Err("line 3: what?".to_owned()), &[]);
        assert!(text.contains("\nstore: unknown: line 3: what?\n"), "{text}");
    }
}
