//! What is made from the command line's own description: completions for shells, and manual pages.

use std::path::Path;

use anyhow::Context as _;
use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::{cli::Cli, failure::Failure, print};

/// Prints what a shell needs to complete commands and options.
pub(super) fn completions(shell: Shell) {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "nachtwacht", &mut script);
    print::script(&String::from_utf8_lossy(&script));
}

/// Writes a manual page for each command into `directory`, which is made where there is none.
pub(super) fn manual(directory: &Path) -> Result<(), Failure> {
    let write = || {
        std::fs::create_dir_all(directory)?;
        clap_mangen::generate_to(Cli::command(), directory)
    };
    write().with_context(|| format!("{} cannot be written", directory.display())).map_err(Failure::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_page_and_every_shell_its_script() {
        let dir = tempfile::tempdir().unwrap();
        manual(dir.path()).unwrap();
        let page = std::fs::read_to_string(dir.path().join("nachtwacht-user-give.1")).unwrap();
        assert!(page.contains("qualification"), "{page}");
        for command in Cli::command().get_subcommands() {
            assert!(dir.path().join(format!("nachtwacht-{}.1", command.get_name())).exists(), "{}", command.get_name());
        }
        for shell in [Shell::Bash, Shell::Fish, Shell::Zsh] {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "nachtwacht", &mut script);
            assert!(String::from_utf8(script).unwrap().contains("token-file"), "{shell}");
        }
    }

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
