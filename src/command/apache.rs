//! What Apache's configuration says of mod_fcgid and of a kTBS, as far as it can be read from its files.
//!
//! Includes are followed, variables replaced. Conditions are not evaluated: what stands in `<IfModule>` counts, and what stands in
//! `<IfDefine>` does if it agrees with the `Define`s that were met. Good enough to warn, not to prove.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The files that are looked for, unless one is given: Debian's, then those of other systems.
const FILES: [&str; 3] = [
    "/etc/apache2/apache2.conf",
    "/etc/httpd/conf/httpd.conf",
    "/usr/local/apache2/conf/httpd.conf",
];

/// How deep files may include each other.
const DEPTH: usize = 16;

/// A directive, where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directive {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1.
    pub line: usize,
    /// The name, in lower case.
    pub name: String,
    /// The arguments, without their quotes.
    pub arguments: Vec<String>,
    /// The argument of the innermost `<Location>`, if it stands in one.
    pub location: Option<String>,
}

/// The directives of a configuration, in order.
#[derive(Debug, Default)]
pub struct Apache {
    /// All but the sections.
    pub directives: Vec<Directive>,
    defined: HashMap<String, String>,
    root: PathBuf,
    read: HashSet<PathBuf>,
}

impl Apache {
    /// Reads the configuration of a file, else of the first of the usual ones that exists.
    ///
    /// # Errors
    /// A sentence: there is none, or it cannot be read.
    pub fn read(given: Option<&Path>) -> Result<Self, String> {
        let file = match given {
            Some(file) => file.to_owned(),
            None => FILES
                .iter()
                .map(PathBuf::from)
                .find(|file| file.exists())
                .ok_or_else(|| {
                    format!(
                        "Apache's configuration is not found: none of {} exists",
                        FILES.join(", ")
                    )
                })?,
        };
        let mut apache = Self {
            root: file.parent().unwrap_or(Path::new("/")).to_owned(),
            ..Self::default()
        };
        apache.include(&file, 0)?;
        Ok(apache)
    }

    /// Returns the last directive of a name, which wins over the others.
    pub fn last(&self, name: &str) -> Option<&Directive> {
        self.directives.iter().rev().find(|directive| directive.name == name)
    }

    /// Returns the directives of a name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Directive> {
        self.directives.iter().filter(move |directive| directive.name == name)
    }

    fn include(&mut self, file: &Path, depth: usize) -> Result<(), String> {
        if depth > DEPTH || !self.read.insert(file.to_owned()) {
            return Ok(());
        }
        let bytes = fs::read(file).map_err(|error| format!("{} cannot be read: {error}", file.display()))?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let mut locations: Vec<String> = Vec::new();
        // How many conditions of those that are open do not hold.
        let mut conditions: Vec<bool> = Vec::new();
        let mut pending = String::new();
        for (i, line) in text.lines().enumerate() {
            pending.push_str(line.trim());
            if pending.ends_with('\\') {
                pending.pop();
                pending.push(' ');
                continue;
            }
            let words = words(&self.replace(&std::mem::take(&mut pending)));
            let Some((name, arguments)) = words.split_first() else {
                continue;
            };
            let name = name.to_lowercase();
            match name.as_str() {
                "<ifdefine" => {
                    let condition = arguments.first().map(|it| it.trim_end_matches('>')).unwrap_or_default();
                    let holds = match condition.strip_prefix('!') {
                        Some(name) => !self.defined.contains_key(name),
                        None => self.defined.contains_key(condition),
                    };
                    conditions.push(holds);
                }
                "</ifdefine>" => {
                    conditions.pop();
                }
                _ if name.starts_with('#') || conditions.contains(&false) => {}
                "<location" => locations.push(
                    arguments
                        .first()
                        .map(|it| it.trim_end_matches('>').to_owned())
                        .unwrap_or_default(),
                ),
                "</location>" => {
                    locations.pop();
                }
                _ if name.starts_with('<') => {}
                "serverroot" => self.root = arguments.first().map(PathBuf::from).unwrap_or_default(),
                "define" => {
                    if let Some(name) = arguments.first() {
                        let value = arguments.get(1).cloned().unwrap_or_default();
                        self.defined.insert(name.clone(), value);
                    }
                }
                "include" | "includeoptional" => {
                    for file in arguments
                        .first()
                        .map(|pattern| matching(&self.root.join(pattern)))
                        .unwrap_or_default()
                    {
                        self.include(&file, depth + 1)?;
                    }
                }
                _ => self.directives.push(Directive {
                    file: file.to_owned(),
                    line: i + 1,
                    name,
                    arguments: arguments.to_vec(),
                    location: locations.last().cloned(),
                }),
            }
        }
        Ok(())
    }

    /// Replaces the variables of a line.
    fn replace(&self, line: &str) -> String {
        let mut line = line.to_owned();
        if line.contains("${") {
            for (name, value) in &self.defined {
                line = line.replace(&format!("${{{name}}}"), value);
            }
        }
        line
    }
}

/// Returns the words of a line, without their quotes.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '"' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            c if c.is_whitespace() && !quoted => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// Returns the files of a path whose last parts may have `*`, in order; those of a directory.
fn matching(pattern: &Path) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::new()];
    for part in pattern.components() {
        let name = part.as_os_str().to_string_lossy();
        let Some((before, after)) = name.split_once('*') else {
            found.iter_mut().for_each(|path| path.push(part));
            continue;
        };
        let mut next = Vec::new();
        for folder in &found {
            let entries = fs::read_dir(folder).into_iter().flatten().flatten();
            next.extend(entries.map(|entry| entry.path()).filter(|path| {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                name.len() >= before.len() + after.len() && name.starts_with(before) && name.ends_with(after)
            }));
        }
        next.sort_unstable();
        found = next;
    }
    let mut files = Vec::new();
    for path in found {
        if path.is_dir() {
            let mut inside: Vec<PathBuf> = fs::read_dir(&path)
                .into_iter()
                .flatten()
                .flatten()
                .map(|it| it.path())
                .collect();
            inside.sort_unstable();
            files.extend(inside.into_iter().filter(|path| path.is_file()));
        } else if path.exists() {
            files.push(path);
        }
    }
    files
}

#[cfg(test)]
mod test {
    use super::*;

    #[test]
    fn includes_variables_and_conditions_are_followed() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("a file");
        fs::create_dir(folder.path().join("sites")).expect("a folder");
        let root = folder.path().display();
        write(
            "a.conf",
            &format!("ServerRoot \"{root}\"\nDefine WHERE /k/\nInclude sites/*.conf\n# User nobody\nUser www\n"),
        );
        write(
            "sites/1.conf",
            "<IfDefine !WHERE>\nDefine WHERE /other/\n</IfDefine>\n<VirtualHost *:80>\nScriptAlias \"${WHERE}\" \\\n  \"/opt/a b/\"\n</VirtualHost>\n",
        );
        write(
            "sites/2.conf",
            "<Location /x>\nFcgidWrapper \"/opt/k -c f\" virtual\n</Location>\nFcgidMaxRequestLen 5\n",
        );
        write("sites/3.txt", "User wrong\n");
        let apache = Apache::read(Some(&folder.path().join("a.conf"))).expect("a configuration");
        assert_eq!(
            apache.last("user").map(|it| it.arguments.clone()),
            Some(vec!["www".to_owned()])
        );
        let alias = apache.last("scriptalias").expect("an alias");
        assert_eq!(
            (alias.line, alias.arguments.clone()),
            (6, vec!["/k/".to_owned(), "/opt/a b/".to_owned()])
        );
        let wrapper = apache.last("fcgidwrapper").expect("a wrapper");
        assert_eq!(wrapper.location.as_deref(), Some("/x"));
        assert_eq!(
            apache.last("fcgidmaxrequestlen").and_then(|it| it.location.clone()),
            None
        );
        assert!(Apache::read(Some(Path::new("/nonexistent"))).is_err());
    }
}
