use std::collections::HashSet;

use serde::Deserialize;
use toml::Table;

use super::{Indicator, MAX_SET};
use crate::InvalidIndicator;

/// A file of indicators.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    indicator: Vec<Table>,
}

/// Reads a file of several `[[indicator]]`s, or of one indicator by itself. Each comes with its own text, comments and all, as it would be kept by itself.
pub fn parse_set(text: &str) -> Result<Vec<(String, Indicator)>, InvalidIndicator> {
    if text.len() > MAX_SET {
        return Err(InvalidIndicator::SetTooLong);
    }
    if toml::from_str::<Table>(text).is_ok_and(|table| table.contains_key("name")) {
        return Ok(vec![(text.to_owned(), Indicator::parse(text)?)]);
    }
    let File { indicator: tables } = toml::from_str(text).map_err(|error| InvalidIndicator::syntax(&error, text))?;
    let texts = cut(text);
    let mut names = HashSet::new();
    let mut indicators = Vec::new();
    for (at, table) in tables.iter().enumerate() {
        // Cutting goes by lines; that it cut where TOML does is not taken on trust.
        let own = texts.get(at).filter(|own| toml::from_str::<Table>(own).is_ok_and(|own| own == *table));
        let own = own.ok_or(InvalidIndicator::Layout(at + 1))?;
        let indicator = Indicator::parse(own)?;
        if !names.insert(indicator.name().to_owned()) {
            return Err(InvalidIndicator::Twice(indicator.name().to_owned()));
        }
        indicators.push((own.clone(), indicator));
    }
    Ok(indicators)
}

/// The text below each line `[[indicator]]`, with the headers of its tables made to stand by themselves.
fn cut(text: &str) -> Vec<String> {
    let mut texts: Vec<String> = Vec::new();
    for line in text.lines() {
        let header = line.trim_end();
        if header == "[[indicator]]" {
            texts.push(String::new());
        } else if let Some(own) = texts.last_mut() {
            let bare = [("[[indicator.", "[["), ("[indicator.", "[")]
                .into_iter()
                .find_map(|(long, short)| header.strip_prefix(long).map(|rest| format!("{short}{rest}")));
            own.push_str(bare.as_deref().unwrap_or(line));
            own.push('\n');
        }
    }
    texts.into_iter().map(|text| format!("{}\n", without_last_comment(&text))).collect()
}

/// The text without the comment at its end, which is about what comes next in the file.
fn without_last_comment(text: &str) -> &str {
    let mut text = text.trim_end();
    while let Some((before, _)) = text.rsplit_once('\n').filter(|(_, last)| last.starts_with('#')) {
        text = before.trim_end();
    }
    text
}
