//! Modules use only what is below them (`src/ARCHITECTURE.md`, "Code map"), and files keep to one subject.

use std::fs;
use std::path::{Path, PathBuf};

/// The modules, and those of this crate that each may use, itself aside.
const LAYERS: [(&str, &[&str]); 18] = [
    (
        "command",
        &[
            "config", "error", "fcgi", "format", "hello", "logging", "obsel", "rdf", "resource", "store", "time",
            "vocab",
        ],
    ),
    ("fcgi", &[]),
    ("hello", &["config", "fcgi"]),
    (
        "http",
        &[
            "config", "digest", "error", "fcgi", "format", "plugin", "rdf", "resource", "sparql", "store", "time",
        ],
    ),
    (
        "plugin",
        &[
            "config", "error", "format", "method", "rdf", "resource", "sparql", "time", "vocab",
        ],
    ),
    (
        "format",
        &["config", "error", "obsel", "rdf", "resource", "time", "vocab"],
    ),
    (
        "resource",
        &[
            "config", "digest", "error", "method", "obsel", "rdf", "sparql", "store", "time", "vocab",
        ],
    ),
    (
        "method",
        &["digest", "error", "obsel", "rdf", "sparql", "store", "time", "vocab"],
    ),
    ("sparql", &["error", "obsel", "rdf", "store", "vocab"]),
    ("store", &["digest", "error", "obsel", "owner", "rdf", "time", "vocab"]),
    ("config", &["logging"]),
    ("logging", &["owner", "time"]),
    ("error", &["store"]),
    ("obsel", &[]),
    ("owner", &[]),
    ("rdf", &["vocab"]),
    ("time", &["vocab"]),
    ("vocab", &[]),
];

/// Above this many lines, tests aside, a file is asked how many subjects it has.
const LONG: usize = 600;

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of the checkout") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Returns the source files, with the module at the top of the crate to which each belongs.
fn modules() -> Vec<(String, PathBuf)> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    sources(&src, &mut found);
    let module = |path: &Path| {
        let first = path
            .strip_prefix(&src)
            .expect("below src")
            .components()
            .next()
            .expect("a name");
        first.as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned()
    };
    found
        .into_iter()
        .filter(|path| !is_test(path))
        .map(|path| (module(&path), path))
        .collect()
}

/// Tells whether a file is compiled for tests only: by its name, or that of its folder.
fn is_test(path: &Path) -> bool {
    let is_of_tests = |name: &str| name == "test" || name == "sample" || name.ends_with("_test");
    path.with_extension("")
        .iter()
        .any(|name| name.to_str().is_some_and(is_of_tests))
}

/// Returns the code of a file, without what is compiled for tests only.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).expect("a source file");
    text.split("#[cfg(test)]").next().unwrap_or_default().to_owned()
}

#[test]
fn modules_use_only_what_is_below_them() {
    let mut wrong = Vec::new();
    for (module, path) in modules() {
        if ["lib", "refusal", "digest"].contains(&module.as_str()) {
            continue;
        }
        let Some((_, allowed)) = LAYERS.iter().find(|layer| layer.0 == module) else {
            wrong.push(format!("{module} has no row in this table"));
            continue;
        };
        for (i, line) in code(&path).lines().enumerate() {
            let line = line.trim();
            if line.starts_with("//") {
                continue;
            }
            for rest in line.split("crate::").skip(1) {
                let used: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                let known = LAYERS.iter().any(|layer| layer.0 == used) || used == "digest";
                if known && used != module && !allowed.contains(&used.as_str()) {
                    wrong.push(format!("{}:{}: {module} uses {used}", path.display(), i + 1));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn files_keep_to_one_subject() {
    for (_, path) in modules() {
        let lines = code(&path).lines().count();
        assert!(
            lines <= LONG,
            "{}: {lines} lines; how many subjects has it?",
            path.display()
        );
    }
}
