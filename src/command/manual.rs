//! `ktbs manual`: the manual page, and what shells need to complete commands.

use std::io::{self, Write};

use anyhow::Error;
use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::{Arguments, Context, ENDINGS, Ending};

/// Where packages put what is not the program.
const FILES: [(&str, &str); 3] = [
    (
        "/etc/ktbs/ktbs.conf",
        "The configuration; each option is there, with its default.",
    ),
    ("/usr/share/ktbs/samples", "Samples for web servers."),
    ("/var/lib/ktbs", "The store."),
];

/// Writes the manual page of this program, or what a shell needs to complete its commands
#[derive(Args, Debug)]
pub struct Manual {
    /// Writes the completions of this shell instead of the page
    #[arg(long, value_name = "SHELL")]
    completions: Option<Shell>,
}

impl Manual {
    /// Runs the command.
    ///
    /// # Errors
    /// Nobody takes what is written.
    pub fn run(self, _: &Context) -> Result<Ending, Error> {
        let mut command = Arguments::command();
        let mut text = Vec::new();
        match self.completions {
            Some(shell) => clap_complete::generate(shell, &mut command, "ktbs", &mut text),
            None => page(command, &mut text)?,
        }
        io::stdout().write_all(&text)?;
        Ok(Ending::Well)
    }
}

/// Writes a page in roff, in which each command has its section.
fn page(mut command: clap::Command, out: &mut Vec<u8>) -> io::Result<()> {
    command.build();
    let page = clap_mangen::Man::new(command.clone());
    page.render_title(out)?;
    page.render_name_section(out)?;
    page.render_synopsis_section(out)?;
    page.render_description_section(out)?;
    page.render_options_section(out)?;
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        let name = sub.get_name().to_uppercase();
        writeln!(out, ".SH {name}")?;
        let page = clap_mangen::Man::new(sub.clone());
        let mut section = Vec::new();
        page.render_synopsis_section(&mut section)?;
        page.render_description_section(&mut section)?;
        page.render_options_section(&mut section)?;
        // Its headings are below that of the command.
        out.extend_from_slice(
            String::from_utf8_lossy(&section)
                .replace("\n.SH ", "\n.SS ")
                .replace(".SH SYNOPSIS", ".SS SYNOPSIS")
                .as_bytes(),
        );
    }
    writeln!(out, ".SH \"EXIT STATUS\"\n{ENDINGS}\n.SH FILES")?;
    for (file, what) in FILES {
        writeln!(out, ".TP\n{file}\n{what}")?;
    }
    Ok(())
}
