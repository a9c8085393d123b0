//! Where the configuration is.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The variable that names the files, set for Apache by `FcgidInitialEnv`; several are separated by `:`.
pub const VARIABLE: &str = "KTBS_CONFIG";

/// What tells where the configuration is.
#[derive(Clone, Debug, Default)]
pub struct Clues {
    /// The files given by option `-c`.
    pub given: Vec<PathBuf>,
    /// The value of [`VARIABLE`].
    pub variable: Option<OsString>,
    /// The path by which the program was called (`argv[0]`).
    pub program: Option<OsString>,
    /// The working directory.
    pub directory: PathBuf,
}

impl Clues {
    /// Returns the clues that this process was given.
    pub fn of_process(given: Vec<PathBuf>) -> Self {
        Self {
            given,
            variable: std::env::var_os(VARIABLE),
            program: std::env::args_os().next(),
            directory: std::env::current_dir().unwrap_or_default(),
        }
    }

    /// Returns the files of the configuration, absolute; a later one is laid over the earlier ones.
    ///
    /// They are those given; else those of the variable; else the one beside the program that has the same name and
    /// `.conf` added, as `ktbs.fcgi.conf`. Since a link is called by its own path, each link has its own.
    ///
    /// # Errors
    /// A sentence that tells these three places, where none has a file.
    pub fn files(&self) -> Result<Vec<PathBuf>, String> {
        let absolute = |file: &Path| self.directory.join(file).components().collect::<PathBuf>();
        if !self.given.is_empty() {
            return Ok(self.given.iter().map(|file| absolute(file)).collect());
        }
        let named = self.variable.as_deref().unwrap_or_default().as_bytes();
        let named: Vec<PathBuf> = named
            .split(|&byte| byte == b':')
            .filter(|name| !name.is_empty())
            .map(|name| absolute(Path::new(OsStr::from_bytes(name))))
            .collect();
        if !named.is_empty() {
            return Ok(named);
        }
        let beside = self.program.as_ref().map(|program| {
            let mut name = absolute(Path::new(program)).into_os_string();
            name.push(".conf");
            PathBuf::from(name)
        });
        match beside {
            Some(file) if file.exists() => Ok(vec![file]),
            beside => Err(format!(
                "there is no configuration file: no option -c, no variable {VARIABLE}, and {} does not exist",
                beside.map_or("a file beside the program".to_owned(), |file| file
                    .display()
                    .to_string())
            )),
        }
    }
}

#[cfg(test)]
mod test {
    use super::*;

    fn clues(given: &[&str], variable: Option<&str>, program: Option<&str>, directory: &Path) -> Clues {
        Clues {
            given: given.iter().map(PathBuf::from).collect(),
            variable: variable.map(OsString::from),
            program: program.map(OsString::from),
            directory: directory.to_owned(),
        }
    }

    #[test]
    fn files_given_come_first_then_the_variable() {
        let here = Path::new("/here");
        let cases: [(&[&str], Option<&str>, &[&str]); 4] = [
            (&["a.conf", "/b.conf"], Some("/c.conf"), &["/here/a.conf", "/b.conf"]),
            (&["./a.conf"], None, &["/here/a.conf"]),
            (&[], Some("/c.conf"), &["/c.conf"]),
            (&[], Some("/c.conf::d.conf:"), &["/c.conf", "/here/d.conf"]),
        ];
        for (given, variable, expected) in cases {
            let files = clues(given, variable, Some("/p"), here).files().expect("some files");
            assert_eq!(files, expected.iter().map(PathBuf::from).collect::<Vec<_>>());
        }
    }

    #[test]
    fn else_the_file_beside_the_program() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("ktbs.fcgi.conf");
        std::fs::write(&file, "").expect("a file");
        for program in [
            "ktbs.fcgi",
            "./ktbs.fcgi",
            file.to_str().expect("UTF-8").trim_end_matches(".conf"),
        ] {
            for variable in [None, Some(""), Some(":")] {
                let files = clues(&[], variable, Some(program), folder.path())
                    .files()
                    .expect("a file");
                assert_eq!(files[0].file_name(), file.file_name());
                assert!(files[0].is_absolute());
            }
        }
    }

    #[test]
    fn no_file_is_an_error_that_tells_the_three_places() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for program in [Some("ktbs"), None] {
            let error = clues(&[], None, program, folder.path()).files().expect_err("no file");
            for place in ["-c", "KTBS_CONFIG", "program"] {
                assert!(error.contains(place) || error.contains("/ktbs.conf"), "{error}");
            }
        }
    }
}
