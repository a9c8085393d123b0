//! One file (or the command line) as a layer of the configuration: known options, checked, with their places.

use std::fs;
use std::path::Path;

use ::config::{Map, Source, Value, ValueKind};

use super::ini::{DEFAULT, Ini, OptionLine};
use super::kind::{Kind, prefix};
use super::notice::{ConfigError, Notice, Warning};
use super::options::{OPTIONS, Row, find, is_section};

/// The options that one source gives, ready for the `config` crate to lay over others.
#[derive(Clone, Debug, Default)]
pub(super) struct Layer {
    values: Map<String, Value>,
    pub(super) warnings: Vec<Warning>,
}

impl Source for Layer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, ::config::ConfigError> {
        Ok(self.values.clone())
    }
}

/// The sections whose names of options are the administrator's: those of `[DEFAULT]` are not meant for them.
const OWN_OPTIONS_ONLY: [&str; 2] = ["plugins", "ns_prefix"];

impl Layer {
    /// Returns what every option is worth when nothing gives it.
    pub(super) fn defaults() -> Self {
        let mut layer = Self::default();
        for row in OPTIONS.iter().filter(|row| row.without_effect.is_none()) {
            let value = row.kind.parse(row.default, Path::new(""));
            layer.set(row.section, row.name, value.expect("a test parses all the defaults"));
        }
        layer
    }

    /// Returns what the command line gives: section, option, value. Values are not interpolated; a relative directory
    /// is relative to `folder`.
    pub(super) fn overrides(overrides: &[(&str, &str, &str)], folder: &Path) -> Result<Self, ConfigError> {
        let mut layer = Self::default();
        for &(section, name, text) in overrides {
            let wrong = |reason: String| ConfigError(Notice::of_option(section, name, reason));
            let name = name.to_lowercase();
            let kind = kind_of(section, &name).map_err(wrong)?;
            let kind = kind.ok_or_else(|| wrong("there is no such option".to_owned()))?;
            let value = kind.parse(text, folder).map_err(wrong)?;
            layer.set(section, &name, value);
        }
        Ok(layer)
    }

    /// Reads a file.
    pub(super) fn read(file: &Path) -> Result<Self, ConfigError> {
        let bytes = fs::read(file)
            .map_err(|error| ConfigError(Notice::of_file(file, format!("this file cannot be read: {error}"))))?;
        let text = String::from_utf8(bytes).map_err(|error| {
            let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = valid.iter().filter(|&&byte| byte == b'\n').count() + 1;
            ConfigError(Notice::of_file(file, "this line is not in UTF-8").at(file, line))
        })?;
        let mut ini = Ini::parse(&text).map_err(|error| {
            ConfigError(Notice {
                section: error.section,
                ..Notice::of_file(file, error.reason).at(file, error.line)
            })
        })?;
        modernise(&mut ini).map_err(|(option, reason)| {
            ConfigError(Notice::of_option("server", &option.name, reason).at(file, option.line))
        })?;
        Reader {
            file,
            folder: file.parent().unwrap_or(Path::new("")),
            ini: &ini,
            layer: Self::default(),
        }
        .read()
    }

    fn set(&mut self, section: &str, option: &str, value: ValueKind) {
        let table = self
            .values
            .entry(section.to_owned())
            .or_insert_with(|| Map::<String, Value>::new().into());
        if let ValueKind::Table(table) = &mut table.kind {
            table.insert(option.to_owned(), value.into());
        }
    }
}

/// Returns the kind of an option that has an effect: that of its row, that of any prefix, or none.
fn kind_of(section: &str, name: &str) -> Result<Option<Kind>, String> {
    if section == "ns_prefix" {
        return prefix(name).map(|_| Some(Kind::Namespace));
    }
    Ok(find(section, name).map(|row| row.kind))
}

/// Gives the options that replace deprecated ones the values that these had, unless they have their own.
///
/// # Errors
/// A deprecated option, and what is wrong in its value.
fn modernise(ini: &mut Ini) -> Result<(), (OptionLine, String)> {
    if let Some(no_cache) = ini.option("server", "no-cache").cloned().filter(has_value) {
        let value = ini.interpolate("server", no_cache.value.as_deref().unwrap_or_default());
        let is_true = value.and_then(|text| {
            let value = Kind::Boolean.parse(&text, Path::new(""));
            value.map_err(|reason| explain(reason, &text))
        });
        match is_true {
            Ok(value) if value == true.into() => replace(ini, &no_cache, ("server", "cache-control"), ""),
            Ok(_) => {}
            Err(reason) => return Err((no_cache, reason)),
        }
    }
    if let Some(origins) = ini.option("server", "cors-allow-origin").cloned().filter(has_value) {
        match ini.interpolate("server", origins.value.as_deref().unwrap_or_default()) {
            Ok(value) => replace(ini, &origins, ("cors", "allow-origin"), &value.replace('%', "%%")),
            Err(reason) => return Err((origins, reason)),
        }
    }
    Ok(())
}

fn has_value(option: &OptionLine) -> bool {
    option.value.as_ref().is_some_and(|value| !value.is_empty())
}

/// Gives an option a value in place of a deprecated one, unless it has its own.
fn replace(ini: &mut Ini, deprecated: &OptionLine, (section, name): (&str, &str), value: &str) {
    if ini.option(section, name).is_none() {
        ini.section_mut(section).options.push(OptionLine {
            name: name.to_owned(),
            line: deprecated.line,
            value: Some(value.to_owned()),
        });
    }
}

/// Reads one file.
struct Reader<'f> {
    file: &'f Path,
    folder: &'f Path,
    ini: &'f Ini,
    layer: Layer,
}

impl Reader<'_> {
    fn read(mut self) -> Result<Layer, ConfigError> {
        for section in &self.ini.sections {
            match section.name.as_str() {
                DEFAULT => self.read_default(&section.options)?,
                name if is_section(name) => {
                    for option in &section.options {
                        self.read_option(name, option)?;
                    }
                }
                name => self.layer.warnings.push(Notice {
                    section: Some(name.to_owned()),
                    ..Notice::of_file(self.file, "this section is not known, and is ignored")
                        .at(self.file, section.line)
                }),
            }
        }
        Ok(self.layer)
    }

    /// Reads the options that all sections have unless they give them. Those of them that are no option of ours are
    /// there to be interpolated.
    fn read_default(&mut self, options: &[OptionLine]) -> Result<(), ConfigError> {
        for option in options {
            for row in OPTIONS.iter().filter(|row| row.name == option.name) {
                let given = self
                    .ini
                    .section(row.section)
                    .into_iter()
                    .flat_map(|section| &section.options);
                if !OWN_OPTIONS_ONLY.contains(&row.section) && !given.into_iter().any(|own| own.name == row.name) {
                    self.read_option(row.section, option)?;
                }
            }
        }
        Ok(())
    }

    fn read_option(&mut self, section: &str, option: &OptionLine) -> Result<(), ConfigError> {
        let notice = |text: String| Notice::of_option(section, &option.name, text).at(self.file, option.line);
        let text = option.value.as_deref().unwrap_or_default();
        let row = find(section, &option.name);
        let kind = kind_of(section, &option.name).map_err(|reason| ConfigError(notice(reason)))?;
        let is_raw = row.is_some_and(|row| row.raw);
        let value = |kind: Kind| {
            let text = if is_raw {
                text.to_owned()
            } else {
                self.ini.interpolate(section, text).map_err(|reason| match row {
                    // The name of another option may be a part of a secret.
                    Some(Row { secret: true, .. }) => {
                        "what follows '%' is no %(name)s of an option; write '%%' for a percent sign".to_owned()
                    }
                    _ => reason,
                })?
            };
            kind.parse(&text, self.folder).map_err(|reason| explain(reason, &text))
        };
        match (row, kind) {
            (
                Some(Row {
                    without_effect: Some(why),
                    ..
                }),
                _,
            ) => {
                if !text.is_empty() {
                    let warning = notice((*why).to_owned());
                    self.layer.warnings.push(warning);
                }
            }
            (_, Some(kind)) => {
                let value = value(kind).map_err(|reason| ConfigError(notice(reason)))?;
                self.layer.set(section, &option.name, value);
            }
            (None, None) if section == "plugins" => {
                if value(Kind::Boolean).map_err(|reason| ConfigError(notice(reason)))? == true.into() {
                    return Err(ConfigError(notice(format!("there is no plugin {}", option.name))));
                }
                let warning = notice("there is no such plugin".to_owned());
                self.layer.warnings.push(warning);
            }
            (_, None) => {
                let warning = notice("this option is not known, and is ignored".to_owned());
                self.layer.warnings.push(warning);
            }
        }
        Ok(())
    }
}

/// Adds to a reason what is often behind it: in Python 2 a comment could follow a value.
fn explain(reason: String, text: &str) -> String {
    let has_comment = text.split_whitespace().skip(1).any(|word| word.starts_with([';', '#']));
    if has_comment {
        format!("{reason}; inline comments are not supported, put the comment on a line of its own")
    } else {
        reason
    }
}
