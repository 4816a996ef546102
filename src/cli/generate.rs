//! What is made from the definition of the command line: completion scripts and manual pages.

use super::{Cli, help};
use clap::{Command, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};
use std::io;

/// The completion script for the shell.
///
/// It is made in memory, because clap panics where its writer fails, as a closed pipe does.
pub fn completions(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "pgmedic", &mut script);
    script
}

/// A page of section 1 of the manual.
#[derive(Debug)]
pub struct ManPage {
    /// Such as `pgmedic-grants.1`.
    pub file: String,
    /// In the language of man pages, roff.
    pub text: Vec<u8>,
}

/// The page of pgmedic first, and then one of each command.
///
/// # Errors
///
/// None in practice: the pages are written to memory.
pub fn man_pages() -> io::Result<Vec<ManPage>> {
    let mut command = Cli::command();
    command.build();
    let mut pages = Vec::new();
    add_pages(&command, "pgmedic", &mut pages)?;
    Ok(pages)
}

fn add_pages(command: &Command, name: &str, pages: &mut Vec<ManPage>) -> io::Result<()> {
    pages.push(ManPage { file: format!("{name}.1"), text: render(command, name)? });
    for below in command.get_subcommands().filter(|below| below.get_name() != "help") {
        add_pages(below, &format!("{name}-{}", below.get_name()), pages)?;
    }
    Ok(())
}

fn render(command: &Command, name: &str) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    let man = Man::new(command.clone()).title(name).source(format!("pgmedic {}", crate::build_info::VERSION));
    man.render_title(&mut text)?;
    man.render_name_section(&mut text)?;
    man.render_synopsis_section(&mut text)?;
    man.render_description_section(&mut text)?;
    man.render_options_section(&mut text)?;
    if command.get_subcommands().next().is_some() {
        man.render_subcommands_section(&mut text)?;
    }
    let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let mut roff = Roff::new();
    for (title, lines) in help::sections(&after) {
        roff.control("SH", [title.to_uppercase().as_str()]);
        // As they stand: examples and codes are not filled.
        roff.control("nf", []);
        for line in lines {
            roff.text([roman(line)]);
        }
        roff.control("fi", []);
    }
    roff.to_writer(&mut text)?;
    Ok(text)
}
