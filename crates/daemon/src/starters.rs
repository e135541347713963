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

/// Gives each theme whose indicators, or site profiles, nobody has touched those of the starter set that it does not have. What analysts write, change or
/// take away stays as they left it.
pub(crate) fn plant(store: &Store, config: &Config, themes: &[Theme], now: Timestamp) -> Result<(), Failure> {
    let mut profiles = Vec::new();
    for path in files(&config.sites_dir)? {
        let Some(text) = read(&path)? else { continue };
        let profile = extract::SiteProfile::parse(&text).map_err(|error| problem(&path, error.to_string()))?;
        profiles.push((profile.name().to_owned(), text));
    }
    for theme in themes {
        let path = config.indicators_dir.join(format!("{}.toml", theme.id));
        let text = read(&path)?.unwrap_or_default();
        let indicators = assess::parse_set(&text).map_err(|error| problem(&path, error.to_string()))?;
        let indicators: Vec<_> = indicators.into_iter().map(|(text, rule)| (rule.name().to_owned(), text)).collect();
        plant_some(store, theme.id, RuleKind::Indicator, &indicators, now)?;
        plant_some(store, theme.id, RuleKind::SiteProfile, &profiles, now)?;
    }
    Ok(())
}

fn plant_some(
    store: &Store,
    theme: ThemeId,
    kind: RuleKind,
    rules: &[(String, String)],
    now: Timestamp,
) -> Result<(), Failure> {
    let grant = Grant::system(Purpose::Maintenance);
    let there = store.rules(&grant, theme, kind)?;
    for rule in &there {
        let is_planted = match rule.versions[..] {
            [only] => store.rule_text(&grant, theme, only.leaf)?.author.as_deref() == Some(AUTHOR),
            _ => false,
        };
        if !is_planted {
            return Ok(());
        }
    }
    // A start that broke off may have planted some of them.
    for (name, text) in rules.iter().filter(|(name, _)| there.iter().all(|rule| rule.name != *name)) {
        let change = RuleChange { kind, name, text: Some(text), author: AUTHOR, replaces: Some(None), at: now };
        store.change_rule(&grant, theme, &change)?;
    }
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
pub(crate) fn files(directory: &Path) -> Result<Vec<PathBuf>, Failure> {
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

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: &str = "[[indicator]]\nname = \"NAME\"\nwhy = \"w\"\n[[indicator.any]]\nterms = [\"t\"]\n";

    #[test]
    fn a_theme_begins_with_the_starter_set_and_keeps_what_people_make_of_it() {
        let dir = tempfile::tempdir().unwrap();
        let key = store::CredentialKey::from_bytes(&[7; 32]);
        let store = Store::open(&dir.path().join("store"), &store::Config::default(), key).unwrap();
        let config = Config {
            indicators_dir: dir.path().join("indicators"),
            sites_dir: dir.path().join("none"),
            ..Config::default()
        };
        let theme = Theme {
            requires_purpose: false,
            id: "marketplace".parse().unwrap(),
            title: "t".into(),
            description: "d".into(),
            retention: model::Retention::default(),
            observables: model::ObservableSettings::default(),
        };
        let now = Timestamp::from_micros(1);
        let grant = Grant::system(Purpose::Maintenance);
        let set = |names: &[&str]| {
            fs::create_dir_all(&config.indicators_dir).unwrap();
            let text: String = names.iter().map(|name| RULE.replace("NAME", name)).collect();
            fs::write(config.indicators_dir.join("marketplace.toml"), text).unwrap();
        };
        let plant = || plant(&store, &config, std::slice::from_ref(&theme), now);
        let names = || -> Vec<String> {
            let rules = store.rules(&grant, theme.id, RuleKind::Indicator).unwrap();
            rules.into_iter().filter(|rule| rule.present().is_some()).map(|rule| rule.name).collect()
        };
        plant().unwrap();
        assert!(names().is_empty(), "no file, no rules");
        set(&["a"]);
        plant().unwrap();
        set(&["a", "b"]);
        plant().unwrap();
        assert_eq!(names(), ["a", "b"], "a start that broke off is made good");
        let size = store.log_head().size;
        plant().unwrap();
        assert_eq!(store.log_head().size, size, "what is there is not written again");
        let away =
            RuleChange { kind: RuleKind::Indicator, name: "a", text: None, author: "ann", replaces: None, at: now };
        store.change_rule(&grant, theme.id, &away).unwrap();
        set(&["a", "b", "c"]);
        plant().unwrap();
        assert_eq!(names(), ["b"], "somebody has touched them");
        fs::write(config.indicators_dir.join("marketplace.toml"), "[[indicator]]\n").unwrap();
        assert!(plant().unwrap_err().to_string().contains("marketplace.toml"));
    }
}
