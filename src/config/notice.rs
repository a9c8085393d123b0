//! What is told of a configuration: one line with its place.

use std::fmt;
use std::path::{Path, PathBuf};

/// Something to tell of a configuration, in one line: `FILE:LINE: [SECTION] OPTION: TEXT`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notice {
    /// The file; `None` for the command line, and for what several options make together.
    pub file: Option<PathBuf>,
    /// The line of the file, from 1.
    pub line: Option<usize>,
    /// The section.
    pub section: Option<String>,
    /// The option.
    pub option: Option<String>,
    /// What there is to tell, for an administrator.
    pub text: String,
}

/// A remark on a configuration that can be used.
pub type Warning = Notice;

/// Why a configuration cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(pub Notice);

impl Notice {
    /// Returns a notice about an option, in no file.
    pub fn of_option(section: &str, option: &str, text: impl Into<String>) -> Self {
        Self {
            section: Some(section.to_owned()),
            option: Some(option.to_owned()),
            text: text.into(),
            ..Self::default()
        }
    }

    /// Returns a notice about a file as a whole.
    pub fn of_file(file: &Path, text: impl Into<String>) -> Self {
        Self {
            file: Some(file.to_owned()),
            text: text.into(),
            ..Self::default()
        }
    }

    /// Returns the same notice, with its place in a file.
    pub fn at(mut self, file: &Path, line: usize) -> Self {
        self.file = Some(file.to_owned());
        self.line = Some(line);
        self
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = String::new();
        if let Some(file) = &self.file {
            line.push_str(&file.to_string_lossy());
            if let Some(number) = self.line {
                line.push_str(&format!(":{number}"));
            }
            line.push_str(": ");
        }
        if let Some(section) = &self.section {
            line.push_str(&format!("[{section}] "));
        }
        if let Some(option) = &self.option {
            line.push_str(&format!("{option}: "));
        }
        line.push_str(&self.text);
        // It stays one line, whatever the names and values in it.
        for c in line.chars() {
            if c.is_control() {
                write!(f, "{}", c.escape_default())?;
            } else {
                write!(f, "{c}")?;
            }
        }
        Ok(())
    }
}
