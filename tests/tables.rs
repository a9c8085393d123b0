//! What is listed in several places is the same in all of them.

use std::path::PathBuf;

use ktbs::config::options::OPTIONS;
use ktbs::config::{Config, load};

/// An option in the sample configuration, or in the table.
#[derive(Debug, PartialEq)]
struct Listed {
    section: String,
    name: String,
    default: String,
    meaning: String,
}

fn sample() -> String {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/conf/ktbs.conf");
    std::fs::read_to_string(file).expect("the sample configuration")
}

/// Returns the commented out options: a `#` and no space, below a line that tells the meaning.
fn listed() -> Vec<Listed> {
    let (mut section, mut meaning) = ("", "");
    let mut listed = Vec::new();
    let sample = sample();
    for line in sample.lines() {
        if let Some(comment) = line.strip_prefix("# ") {
            meaning = comment;
        } else if let Some((name, default)) = line.strip_prefix('#').and_then(|option| option.split_once('=')) {
            listed.push(Listed {
                section: section.to_owned(),
                name: name.trim().to_owned(),
                default: default.trim().to_owned(),
                meaning: meaning.to_owned(),
            });
        } else if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']');
        }
    }
    listed
}

#[test]
fn the_sample_configuration_lists_the_options_and_their_defaults() {
    let options: Vec<Listed> = OPTIONS
        .iter()
        .map(|row| Listed {
            section: row.section.to_owned(),
            name: row.name.to_owned(),
            default: row.default.to_owned(),
            meaning: row.meaning.to_owned(),
        })
        .collect();
    let listed = listed();
    for (listed, option) in listed.iter().zip(&options) {
        assert_eq!(listed, option);
    }
    assert_eq!(listed.len(), options.len());
}

#[test]
fn the_sample_configuration_is_that_of_no_file() {
    let uncommented: String = sample()
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(option) if !option.starts_with(' ') => format!("{option}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let defaults = text(&[]);
    for sample in [sample(), uncommented] {
        let file = folder.path().join("ktbs.conf");
        std::fs::write(&file, sample).expect("a file");
        assert_eq!(text(&[file]), defaults);
    }
}

/// Returns a configuration as text, without the names of its files.
fn text(files: &[PathBuf]) -> String {
    let (config, _) = load(files, &[]).expect("a correct configuration");
    let config = Config {
        file: None,
        files: Vec::new(),
        ..config
    };
    format!("{config:#?}")
}
