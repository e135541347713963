//! The starter sets: indicators and site profiles that a theme begins with.

use std::{
    fs,
    path::{Path, PathBuf},
};

use model::{Grant, Purpose, Theme, ThemeId, Timestamp};
use store::{RuleChange, RuleKind, Store};

use crate::{config::Config, failure::Failure};

/// Who wrote them, in the evidence log.
const AUTHOR: &str = "starter set";

/// Gives each theme that never had an indicator, or a site profile, those of the starter set. What analysts change or take away stays as they left it.
pub(crate) fn plant(store: &Store, config: &Config, themes: &[Theme], now: Timestamp) -> Result<(), Failure> {
    for theme in themes {
        if is_bare(store, theme.id, RuleKind::Indicator)? {
            let path = config.indicators_dir.join(format!("{}.toml", theme.id));
            for (text, indicator) in read(&path)?.map_or(Ok(Vec::new()), |text| {
                assess::parse_set(&text).map_err(|error| problem(&path, error.to_string()))
            })? {
                write(store, theme.id, RuleKind::Indicator, indicator.name(), &text, now)?;
            }
        }
        if is_bare(store, theme.id, RuleKind::SiteProfile)? {
            for path in files(&config.sites_dir)? {
                let Some(text) = read(&path)? else { continue };
                let profile = extract::SiteProfile::parse(&text).map_err(|error| problem(&path, error.to_string()))?;
                write(store, theme.id, RuleKind::SiteProfile, profile.name(), &text, now)?;
            }
        }
    }
    Ok(())
}

fn is_bare(store: &Store, theme: ThemeId, kind: RuleKind) -> Result<bool, Failure> {
    Ok(store.rules(&Grant::system(Purpose::Maintenance), theme, kind)?.is_empty())
}

fn write(store: &Store, theme: ThemeId, kind: RuleKind, name: &str, text: &str, at: Timestamp) -> Result<(), Failure> {
    let change = RuleChange { kind, name, text: Some(text), author: AUTHOR, replaces: Some(None), at };
    store.change_rule(&Grant::system(Purpose::Maintenance), theme, &change)?;
    Ok(())
}

/// The text of a file; none where there is no such file.
fn read(path: &Path) -> Result<Option<String>, Failure> {
    match fs::read_to_string(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        read => read.map(Some).map_err(|error| problem(path, error.to_string())),
    }
}

/// The `*.toml` of a directory, in order of name; none where there is no such directory.
fn files(directory: &Path) -> Result<Vec<PathBuf>, Failure> {
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(|error| problem(directory, error.to_string()))?,
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| problem(directory, error.to_string()))?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
    }
    files.sort_unstable();
    Ok(files)
}

fn problem(path: &Path, problem: String) -> Failure {
    Failure::Configuration { path: path.to_owned(), problem }
}
