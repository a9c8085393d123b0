//! The ini dialect: text to sections and options, with the numbers of their lines.
//!
//! Administrators bring the files of their Python kTBS, so the dialect is the one of Python's `ConfigParser` with
//! values optional (<https://docs.python.org/3/library/configparser.html#supported-ini-file-structure>):
//!
//! * `[section]`, then `name = value` or `name: value`, or `name` alone. Names of options are lower-cased; values are
//!   trimmed, and keep their case and quotes.
//! * A line indented more than its option's continues the value. Blank lines inside a value are kept.
//! * `#` and `;` begin a comment only as the first character of a line.
//! * The options of `[DEFAULT]` are found in all sections.
//! * `%(name)s` in a value stands for another option, `%%` for a percent sign, when the value is
//!   [interpolated](Ini::interpolate).
//!
//! Two things are accepted that Python refuses: a byte-order mark, and text that is not in the encoding of the system
//! but in UTF-8.

use std::collections::HashSet;

/// The section whose options are found in all the others.
pub const DEFAULT: &str = "DEFAULT";

/// How many times an interpolated value may lead to another, as in Python.
const MAX_DEPTH: usize = 10;

/// How many options a value may lead to: a few short ones can refer to each other and make a huge one.
const MAX_REPLACEMENTS: usize = 1000;

/// The content of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ini {
    /// In the order of the file. Names are unique.
    pub sections: Vec<Section>,
}

/// A section of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// What stands between the brackets, blanks included.
    pub name: String,
    /// The line of the brackets, from 1.
    pub line: usize,
    /// In the order of the file. Names are unique.
    pub options: Vec<OptionLine>,
}

/// An option of a section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionLine {
    /// In lower case.
    pub name: String,
    /// The line where it begins, from 1.
    pub line: usize,
    /// As written, the lines joined by line feeds; `None` for a name without `=` nor `:`.
    pub value: Option<String>,
}

/// Why a text is not an ini file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct SyntaxError {
    /// The line, from 1.
    pub line: usize,
    /// The section where it happened, if any.
    pub section: Option<String>,
    /// What is wrong, in one line.
    pub reason: String,
}

impl Ini {
    /// Parses a file.
    ///
    /// # Errors
    /// The first line that is not understood, or that repeats a section, or an option of the section.
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        let mut parser = Parser::default();
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        for (index, line) in lines(text).enumerate() {
            parser.line(index + 1, line).map_err(|reason| SyntaxError {
                line: index + 1,
                section: parser.section().map(|section| section.name.clone()),
                reason,
            })?;
        }
        parser.end_value();
        Ok(parser.ini)
    }

    /// Returns a section by its name.
    pub fn section(&self, name: &str) -> Option<&Section> {
        self.sections.iter().find(|section| section.name == name)
    }

    /// Returns a section by its name, made empty at the end if it is not there.
    pub fn section_mut(&mut self, name: &str) -> &mut Section {
        let index = self
            .sections
            .iter()
            .position(|section| section.name == name)
            .unwrap_or_else(|| {
                self.sections.push(Section {
                    name: name.to_owned(),
                    line: 0,
                    options: Vec::new(),
                });
                self.sections.len() - 1
            });
        &mut self.sections[index]
    }

    /// Returns an option that a section has, be it given there or in `[DEFAULT]`.
    pub fn option(&self, section: &str, name: &str) -> Option<&OptionLine> {
        [section, DEFAULT]
            .iter()
            .find_map(|section| self.section(section)?.options.iter().find(|option| option.name == name))
    }

    /// Replaces each `%(name)s` of a value by the option of that name, of the same section or of `[DEFAULT]`, and
    /// each `%%` by `%`.
    ///
    /// # Errors
    /// A sentence, where there is another `%`, an unknown name, a circle, or more than 1000 replacements.
    pub fn interpolate(&self, section: &str, value: &str) -> Result<String, String> {
        let mut interpolation = Interpolation {
            ini: self,
            section,
            replacements: 0,
            result: String::new(),
        };
        interpolation.append(value, 1)?;
        Ok(interpolation.result)
    }
}

struct Interpolation<'i> {
    ini: &'i Ini,
    section: &'i str,
    replacements: usize,
    result: String,
}

impl Interpolation<'_> {
    fn append(&mut self, value: &str, depth: usize) -> Result<(), String> {
        let mut rest = value;
        while let Some((before, after)) = rest.split_once('%') {
            if depth > MAX_DEPTH {
                return Err(format!(
                    "more than {MAX_DEPTH} levels of %(name)s; does an option refer to itself?"
                ));
            }
            self.result.push_str(before);
            rest = if let Some(after) = after.strip_prefix('%') {
                self.result.push('%');
                after
            } else if let Some(after) = after.strip_prefix('(') {
                self.append_option(after, depth)?
            } else {
                return Err("'%' must be followed by '%' or '('; write '%%' for a percent sign".to_owned());
            };
        }
        self.result.push_str(rest);
        Ok(())
    }

    /// Appends the option whose name follows `%(`, and returns what follows its `)s`.
    fn append_option<'v>(&mut self, text: &'v str, depth: usize) -> Result<&'v str, String> {
        let (name, rest) = text
            .split_once(')')
            .and_then(|(name, rest)| Some((name, rest.strip_prefix('s')?)))
            .filter(|(name, _)| !name.is_empty())
            .ok_or("'%(' must begin %(name)s; write '%%(' for a percent sign and a bracket")?;
        let (ini, section) = (self.ini, self.section);
        let value = ini
            .option(section, &name.to_lowercase())
            .map(|option| option.value.as_deref().unwrap_or_default())
            .ok_or_else(|| format!("%({name})s: there is no such option in [{section}] or [{DEFAULT}]"))?;
        self.replacements += 1;
        if self.replacements > MAX_REPLACEMENTS {
            return Err(format!("more than {MAX_REPLACEMENTS} %(name)s to replace"));
        }
        self.append(value, depth + 1)?;
        Ok(rest)
    }
}

/// Splits a text where a line ends: `\n`, `\r\n` or `\r`.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split('\n')
        .flat_map(|line| line.strip_suffix('\r').unwrap_or(line).split('\r'))
}

#[derive(Default)]
struct Parser {
    ini: Ini,
    /// The section of the line, as an index.
    current: Option<usize>,
    option_names: HashSet<(usize, String)>,
    /// The indentation of the last line that was not a continuation, in characters.
    indent: usize,
    /// True while a more indented line would continue the last option.
    in_option: bool,
}

impl Parser {
    /// Takes a line, without its end.
    fn line(&mut self, number: usize, line: &str) -> Result<(), String> {
        let content = line.trim();
        if content.starts_with(['#', ';']) {
            return Ok(());
        }
        if content.is_empty() {
            if let Some(value) = self.value_under_way() {
                value.push('\n');
            }
            return Ok(());
        }
        let indent = line.chars().take_while(|c| c.is_whitespace()).count();
        if self.in_option && indent > self.indent {
            let value = self
                .value_under_way()
                .ok_or("a line that is more indented than the previous one continues its value, but it has none")?;
            value.push('\n');
            value.push_str(content);
            return Ok(());
        }
        self.end_value();
        self.indent = indent;
        match section_header(content) {
            Some(name) => self.begin_section(number, name),
            None => self.begin_option(number, content),
        }
    }

    fn begin_section(&mut self, number: usize, name: &str) -> Result<(), String> {
        let known = self.ini.sections.iter().position(|section| section.name == name);
        // Python lets the default section come again, that one only.
        if known.is_some() && name != DEFAULT {
            return Err(format!("there is already a section [{name}]"));
        }
        self.current = known.or(Some(self.ini.sections.len()));
        if known.is_none() {
            self.ini.sections.push(Section {
                name: name.to_owned(),
                line: number,
                options: Vec::new(),
            });
        }
        Ok(())
    }

    fn section(&mut self) -> Option<&mut Section> {
        self.ini.sections.get_mut(self.current?)
    }

    fn begin_option(&mut self, number: usize, content: &str) -> Result<(), String> {
        let section = self.current.ok_or("a file begins with a [section]")?;
        let (name, value) = match content.split_once(['=', ':']) {
            Some((name, value)) => (name.trim_end(), Some(value.trim().to_owned())),
            None => (content, None),
        };
        let name = name.to_lowercase();
        if name.is_empty() {
            return Err("there is no name before the '=' or ':'".to_owned());
        }
        if !self.option_names.insert((section, name.clone())) {
            return Err(format!("there is already an option {name} in this section"));
        }
        self.ini.sections[section].options.push(OptionLine {
            name,
            line: number,
            value,
        });
        self.in_option = true;
        Ok(())
    }

    fn last_option(&mut self) -> Option<&mut OptionLine> {
        if self.in_option {
            self.section()?.options.last_mut()
        } else {
            None
        }
    }

    fn value_under_way(&mut self) -> Option<&mut String> {
        self.last_option()?.value.as_mut()
    }

    /// Removes the blank lines that turned out to be after the value, not inside.
    fn end_value(&mut self) {
        if let Some(value) = self.value_under_way() {
            value.truncate(value.trim_end().len());
        }
        self.in_option = false;
    }
}

/// Returns the name of the section, if the line opens one: all until the *last* closing bracket.
fn section_header(content: &str) -> Option<&str> {
    let (name, _) = content.strip_prefix('[')?.rsplit_once(']')?;
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod test;
