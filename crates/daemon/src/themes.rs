//! The themes, as their files describe them.

use std::{fs, path::Path};

use model::Theme;

use crate::failure::Failure;

/// Reads every `*.toml` of the directory, in order of name.
pub(crate) fn load(directory: &Path) -> Result<Vec<Theme>, Failure> {
    let problem = |path: &Path, problem: String| Failure::Configuration { path: path.to_owned(), problem };
    let entries = fs::read_dir(directory).map_err(|error| problem(directory, error.to_string()))?;
    let mut themes = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| problem(directory, error.to_string()))?.path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let text = fs::read_to_string(&path).map_err(|error| problem(&path, error.to_string()))?;
        let theme: Theme = toml::from_str(&text).map_err(|error| problem(&path, error.to_string()))?;
        if path.file_stem().is_none_or(|stem| stem != theme.id.as_str()) {
            return Err(problem(&path, format!("the id {:?} is not the name of the file", theme.id.as_str())));
        }
        themes.push(theme);
    }
    themes.sort_by_key(|theme| theme.id);
    if themes.is_empty() { Err(problem(directory, "no theme is described here".into())) } else { Ok(themes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_themes_are_well_formed() {
        let themes = load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/themes")).unwrap();
        assert_eq!(themes.iter().map(|theme| theme.id.as_str()).collect::<Vec<_>>(), ["cybercrime", "marketplace"]);
    }

    #[test]
    fn a_theme_says_how_long_things_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        let check = |retention: &str| {
            let text = format!("id = \"a\"\ntitle = \"A\"\ndescription = \"A.\"\n{retention}");
            fs::write(dir.path().join("a.toml"), text).unwrap();
            load(dir.path()).map(|themes| (themes[0].retention.content_days, themes[0].retention.attempts_days))
        };
        assert_eq!(check("").unwrap(), (None, None));
        assert_eq!(check("[retention]\ncontent_days = 30").unwrap(), (Some(30), None));
        for wrong in ["[retention]\ncontent = 30", "[retention]\nattempts_days = -1"] {
            assert!(check(wrong).unwrap_err().to_string().contains("line 5"));
        }
    }

    #[test]
    fn a_theme_in_a_file_of_another_name_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("b.toml"), "id = \"a\"\ntitle = \"A\"\ndescription = \"A.\"").unwrap();
        assert!(load(dir.path()).unwrap_err().to_string().contains("not the name of the file"));
        assert!(load(&dir.path().join("none")).is_err());
    }
}
