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

    /// The words of each command that a text names: at the beginning of a line or of a quotation, or run by another command.
    fn named(text: &str) -> Vec<Vec<&str>> {
        let begins = |at: usize| ["\n", "`", "$(", "-- "].iter().any(|before| text[..at].ends_with(before));
        let places = text.match_indices("nachtwacht ").filter(|(at, _)| begins(*at));
        let commands = places.map(|(at, name)| {
            let rest = &text[at + name.len()..];
            rest[..rest.find(['`', '\n', '|', '>', ')', ';', '#']).unwrap_or(rest.len())].split_whitespace().collect()
        });
        commands.collect()
    }

    /// What of a command is not there: a command beneath another one, or an option.
    fn missing<'a>(words: &[&'a str]) -> Option<&'a str> {
        let mut root = Cli::command();
        root.build();
        let mut command = &root;
        for word in words {
            if let Some(option) = word.strip_prefix("--") {
                let name = option.split('=').next().unwrap_or_default();
                if !name.is_empty() && command.get_arguments().all(|argument| argument.get_long() != Some(name)) {
                    return Some(word);
                }
            } else if let Some(below) = command.find_subcommand(word) {
                command = below;
            } else if command.is_subcommand_required_set() && word.starts_with(|c: char| c.is_ascii_lowercase()) {
                return Some(word);
            }
        }
        None
    }

    #[test]
    fn commands_in_the_documents_are_there() {
        let documents = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
        let mut count = 0;
        for entry in std::fs::read_dir(documents).unwrap() {
            let path = entry.unwrap().path();
            // What enters into digests begins with the same word, and is no command.
            if path.ends_with("export-format.md") {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            for words in named(&text) {
                count += 1;
                assert_eq!(missing(&words), None, "{}: nachtwacht {}", path.display(), words.join(" "));
            }
        }
        assert!(count > 60, "{count}");
        let check = |text: &str| named(text).iter().find_map(|words| missing(words)).map(str::to_owned);
        assert_eq!(check("run `nachtwacht target heal --all`"), Some("heal".into()));
        assert_eq!(check("\nnachtwacht backup --into /mnt"), Some("--into".into()));
        assert_eq!(check("`nachtwacht --json target health --all`"), None);
    }

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
