//! Whose commands these are: the token that `nachtwacht login` keeps, in a file that its owner alone can read.

use std::{
    env, fs,
    io::{BufRead as _, IsTerminal as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use anyhow::Context as _;

use crate::failure::Failure;

/// Where the token lies where nobody says otherwise: `$XDG_CONFIG_HOME/nachtwacht/token`, or the same beneath `~/.config`.
pub(crate) fn default_file() -> Option<PathBuf> {
    let home = || env::var_os("HOME").map(|home| PathBuf::from(home).join(".config"));
    let config = env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).or_else(home);
    config.map(|config| config.join("nachtwacht").join("token"))
}

/// The token in `file`; none where there is no such file.
pub(crate) fn read(file: &Path) -> Result<Option<String>, Failure> {
    match fs::read_to_string(file) {
        Ok(text) => Ok(Some(text.trim().to_owned()).filter(|token| !token.is_empty())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(anyhow::anyhow!("the token in {} cannot be read: {error}", file.display()).into()),
    }
}

/// Keeps a token, for its owner's eyes only.
pub(crate) fn write(file: &Path, token: &str) -> Result<(), Failure> {
    let write = || {
        if let Some(directory) = file.parent() {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
        }
        let beside = file.with_extension("new");
        let mut new = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
        writeln!(new, "{token}")?;
        fs::rename(&beside, file)
    };
    write().with_context(|| format!("{} cannot be written", file.display())).map_err(Failure::from)
}

/// Forgets the token.
pub(crate) fn forget(file: &Path) -> Result<(), Failure> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(anyhow::anyhow!("{} cannot be removed: {error}", file.display()).into())
        }
        _ => Ok(()),
    }
}

/// Asks for a password: at a terminal without showing it, and otherwise the next line of standard input.
pub(crate) fn ask_password(prompt: &str) -> Result<String, Failure> {
    if std::io::stdin().is_terminal() {
        return Ok(rpassword::prompt_password(format!("{prompt}: ")).context("no password can be read")?);
    }
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).context("no password can be read from standard input")?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_token_is_kept_for_its_owner_and_forgotten() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a").join("token");
        assert_eq!(read(&file).unwrap(), None);
        write(&file, "nw_1").unwrap();
        write(&file, "nw_2").unwrap();
        assert_eq!(read(&file).unwrap().as_deref(), Some("nw_2"));
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        forget(&file).unwrap();
        forget(&file).unwrap();
        assert_eq!(read(&file).unwrap(), None);
    }
}
