//! `ktbs check`: what an administrator wants to know before Apache starts the program.

use std::io::{self, Write};
use std::path::Path;

use rustix::fs::{Access, access, statvfs};

use super::{Clues, Config, Warning, load};

/// Checks the configuration and the directory of the store, and writes a summary to `out`, or to `errors` the line that
/// tells what is wrong. Returns whether all is well.
///
/// # Errors
/// Those of writing.
pub fn check(clues: &Clues, out: &mut dyn Write, errors: &mut dyn Write) -> io::Result<bool> {
    let loaded = match clues.files() {
        Ok(files) => load(&files, &[]).map_err(|error| error.to_string()),
        Err(error) => Err(error),
    };
    match loaded {
        Ok((config, warnings)) => summarise(&config, &warnings, out, errors),
        Err(error) => {
            writeln!(errors, "{error}")?;
            Ok(false)
        }
    }
}

fn summarise(config: &Config, warnings: &[Warning], out: &mut dyn Write, errors: &mut dyn Write) -> io::Result<bool> {
    for file in &config.files {
        writeln!(out, "configuration: {}", file.display())?;
    }
    writeln!(out, "root URI:      {}", config.server.root)?;
    let store = match &config.store.directory {
        None => Ok("temporary".to_owned()),
        Some(directory) => state(directory).map(|state| format!("{} ({state})", directory.display())),
    };
    if let Ok(store) = &store {
        writeln!(out, "store:         {store}")?;
    }
    let user = rustix::process::geteuid().as_raw();
    writeln!(
        out,
        "checked as:    user {user} (Apache starts the program as its own user)"
    )?;
    for warning in warnings {
        writeln!(out, "warning:       {warning}")?;
    }
    for warning in little_room(config) {
        writeln!(out, "warning:       {warning}")?;
    }
    if let Err(error) = &store {
        writeln!(errors, "{error}")?;
    }
    Ok(store.is_ok())
}

/// Returns what there is to know of the directory of a store.
///
/// # Errors
/// A sentence that tells why it cannot be used by this user.
fn state(directory: &Path) -> Result<String, String> {
    let usable = Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK;
    if !directory.exists() {
        let parent = existing_ancestor(directory);
        if !parent.is_dir() || access(parent, usable).is_err() {
            return Err(format!(
                "the store {} does not exist, and this user cannot create it in {}",
                directory.display(),
                parent.display()
            ));
        }
        return Ok(format!("does not exist yet, can be created, {} free", free(parent)));
    }
    if !directory.is_dir() {
        return Err(format!("the store {} is not a directory", directory.display()));
    }
    access(directory, usable).map_err(|_| format!("the store {} is not writable by this user", directory.display()))?;
    Ok(format!("exists, writable, {} free", free(directory)))
}

fn existing_ancestor(path: &Path) -> &Path {
    path.ancestors()
        .find(|ancestor| ancestor.exists())
        .unwrap_or(Path::new("/"))
}

/// Below how many MiB of free room an administrator is warned.
const LITTLE: u64 = 512;

/// Returns the MiB that are free on the disk of a directory.
fn free_mib(directory: &Path) -> Option<u64> {
    let disk = statvfs(existing_ancestor(directory)).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize) >> 20)
}

/// Returns a warning for each disk that is nearly full: that of the store, and that of the temporary files, in which what is large
/// waits on its way.
fn little_room(config: &Config) -> Vec<String> {
    let temporary = std::env::temp_dir();
    let store = config
        .store
        .directory
        .as_ref()
        .map(|directory| ("the store", directory.as_path()));
    let disks = store.into_iter().chain([("temporary files", temporary.as_path())]);
    disks
        .filter_map(|(what, directory)| {
            let mib = free_mib(directory).filter(|mib| *mib < LITTLE)?;
            let place = directory.display();
            Some(format!(
                "only {mib} MiB are free for {what} ({place}): when it is full, writes are answered 507"
            ))
        })
        .collect()
}

/// Returns the room on the disk of a directory, for a reader.
fn free(directory: &Path) -> String {
    let Some(mib) = free_mib(directory) else {
        return "an unknown amount".to_owned();
    };
    if mib < 10_240 {
        format!("{mib} MiB")
    } else {
        format!("{} GiB", mib >> 10)
    }
}

#[cfg(test)]
mod test {
    use std::path::PathBuf;

    use super::*;

    /// Checks a file with this content, and returns whether all is well, the summary, and the errors.
    fn checked(folder: &Path, text: &str) -> (bool, String, String) {
        let file = folder.join("ktbs.conf");
        std::fs::write(&file, text).expect("a file");
        let clues = Clues {
            given: vec![file],
            ..Clues::default()
        };
        let (mut out, mut errors) = (Vec::new(), Vec::new());
        let is_well = check(&clues, &mut out, &mut errors).expect("memory can be written");
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        (is_well, text(out), text(errors))
    }

    #[test]
    fn a_correct_configuration_is_summarised() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let text =
            "[server]\nfixed-root-uri = http://example.org/\nthreads = 2\n[rdf_database]\nrepository = a/store\n";
        let (is_well, out, errors) = checked(folder.path(), text);
        assert!(is_well, "{errors}");
        let path = folder.path().display();
        for part in [
            format!("configuration: {path}/ktbs.conf\n"),
            "root URI:      http://example.org/\n".to_owned(),
            format!("store:         {path}/a/store (does not exist yet, can be created, "),
            "checked as:    user ".to_owned(),
            format!("warning:       {path}/ktbs.conf:3: [server] threads: has no effect"),
        ] {
            assert!(out.contains(&part), "{part} is not in\n{out}");
        }
        std::fs::create_dir_all(folder.path().join("a/store")).expect("a folder");
        let (is_well, out, _) = checked(folder.path(), text);
        assert!(is_well && out.contains("a/store (exists, writable, "), "{out}");
    }

    #[test]
    fn a_wrong_configuration_is_one_line_of_errors() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (is_well, out, errors) = checked(folder.path(), "[server]\n\nport = many\n");
        assert!(!is_well && out.is_empty());
        let expected = format!(
            "{}/ktbs.conf:3: [server] port: \"many\" is not a whole number\n",
            folder.path().display()
        );
        assert_eq!(errors, expected);
    }

    #[test]
    fn no_configuration_is_one_line_of_errors() {
        let (mut out, mut errors) = (Vec::new(), Vec::new());
        let clues = Clues {
            directory: PathBuf::from("/nonexistent"),
            ..Clues::default()
        };
        assert!(!check(&clues, &mut out, &mut errors).expect("memory can be written"));
        assert!(out.is_empty() && errors.ends_with(b"\n"));
    }

    #[test]
    fn a_store_that_is_a_file_is_an_error() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (is_well, _, errors) = checked(folder.path(), "[rdf_database]\nrepository = ktbs.conf\n");
        assert!(!is_well && errors.contains("is not a directory"), "{errors}");
        let (is_well, _, errors) = checked(folder.path(), "[rdf_database]\nrepository = ktbs.conf/store\n");
        assert!(!is_well && errors.contains("cannot create"), "{errors}");
    }
}
