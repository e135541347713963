use std::collections::BTreeMap;

use model::PageKind;
use regex::{Regex, RegexBuilder};
use scraper::Selector;
use serde::Deserialize;

use super::{FieldRule, InvalidProfile, PageRule, SiteProfile, When};

/// The memory that one compiled pattern may take, in bytes.
const MAX_PATTERN: usize = 1 << 20;

/// The longest name, in bytes.
const MAX_NAME: usize = 64;

/// Pages and fields of a profile.
const MAX_RULES: usize = 64;

/// A profile as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    name: String,
    #[serde(default)]
    hosts: Vec<String>,
    fingerprint: Option<RawWhen>,
    page: Vec<RawPage>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawWhen {
    selector: Option<String>,
    path: Option<String>,
    title: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPage {
    kind: PageKind,
    when: RawWhen,
    each: Option<String>,
    #[serde(default)]
    require: Vec<String>,
    fields: BTreeMap<String, RawField>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RawField {
    Selector(String),
    Rule(RawRule),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRule {
    select: String,
    attribute: Option<String>,
    pattern: Option<String>,
}

/// The fields of a kind of page, and whether they are of each record of a list.
fn fields_of(kind: PageKind) -> Option<(&'static [&'static str], bool)> {
    match kind {
        PageKind::Listing => Some((
            &["title", "price", "vendor", "ships_from", "ships_to", "category", "stock", "sold", "escrow", "payment"],
            false,
        )),
        PageKind::Vendor | PageKind::Feedback | PageKind::Pgp => {
            Some((&["name", "joined", "last_seen", "rating", "sales", "level", "ships_from", "ships_to"], false))
        }
        PageKind::Index | PageKind::Search => Some((&["title", "vendor", "price", "href"], true)),
        PageKind::Thread => Some((&["author", "time", "text"], true)),
        _ => None,
    }
}

pub(super) fn compile(raw: Raw) -> Result<SiteProfile, InvalidProfile> {
    let name = raw.name;
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if name.is_empty() || name.len() > MAX_NAME || !name.bytes().all(is_plain) {
        return Err(InvalidProfile::Name(name.chars().take(MAX_NAME).collect()));
    }
    let fingerprint = raw.fingerprint.map(|when| compile_when(&name, "fingerprint", &when)).transpose()?;
    if raw.hosts.is_empty() && fingerprint.is_none() {
        return Err(InvalidProfile::Nowhere(name));
    }
    if raw.page.is_empty() || raw.page.len() > MAX_RULES {
        let what = format!("wants between one and {MAX_RULES} pages");
        return Err(InvalidProfile::Page { profile: name, place: "page".to_owned(), what });
    }
    let pages = raw.page.iter().map(|page| compile_page(&name, page)).collect::<Result<_, _>>()?;
    Ok(SiteProfile { name, hosts: raw.hosts, fingerprint, pages })
}

fn compile_page(profile: &str, raw: &RawPage) -> Result<PageRule, InvalidProfile> {
    let place = format!("page {}", raw.kind);
    let wrong = |what: String| InvalidProfile::Page { profile: profile.to_owned(), place: place.clone(), what };
    let (known, is_list) = fields_of(raw.kind).ok_or_else(|| wrong("pages of this kind have no fields".to_owned()))?;
    if raw.each.is_some() != is_list {
        let what = if is_list { "a list needs `each`" } else { "`each` is for lists" };
        return Err(wrong(what.to_owned()));
    }
    if raw.fields.len() > MAX_RULES {
        return Err(wrong(format!("has more than {MAX_RULES} fields")));
    }
    if let Some(name) = raw.require.iter().find(|name| !raw.fields.contains_key(*name)) {
        return Err(wrong(format!("requires `{name}` and does not say where it stands")));
    }
    let fields = raw.fields.iter().map(|(name, field)| {
        if !known.contains(&name.as_str()) {
            return Err(wrong(format!("has no field `{name}`; it may have {}", known.join(", "))));
        }
        let (select, attribute, pattern) = match field {
            RawField::Selector(select) => (select, None, None),
            RawField::Rule(rule) => (&rule.select, rule.attribute.clone(), rule.pattern.as_deref()),
        };
        let place = format!("{place}: {name}");
        Ok(FieldRule {
            name: name.clone(),
            is_required: raw.require.contains(name),
            select: selector(profile, &place, select)?,
            attribute,
            pattern: pattern.map(|pattern| regex(profile, &place, pattern)).transpose()?,
        })
    });
    let fields = fields.collect::<Result<_, _>>()?;
    let each = raw.each.as_deref().map(|each| selector(profile, &format!("{place}: each"), each)).transpose()?;
    Ok(PageRule { kind: raw.kind, when: compile_when(profile, &format!("{place}: when"), &raw.when)?, each, fields })
}

fn compile_when(profile: &str, place: &str, raw: &RawWhen) -> Result<When, InvalidProfile> {
    let when = When {
        selector: raw.selector.as_deref().map(|text| selector(profile, place, text)).transpose()?,
        path: raw.path.as_deref().map(|text| regex(profile, place, text)).transpose()?,
        title: raw.title.as_deref().map(|text| regex(profile, place, text)).transpose()?,
    };
    if when.selector.is_none() && when.path.is_none() && when.title.is_none() {
        let what = "fits every page; give a selector, a path or a title".to_owned();
        return Err(InvalidProfile::Page { profile: profile.to_owned(), place: place.to_owned(), what });
    }
    Ok(when)
}

fn selector(profile: &str, place: &str, text: &str) -> Result<Selector, InvalidProfile> {
    Selector::parse(text).map_err(|_| InvalidProfile::Selector {
        profile: profile.to_owned(),
        place: place.to_owned(),
        selector: text.to_owned(),
    })
}

fn regex(profile: &str, place: &str, text: &str) -> Result<Regex, InvalidProfile> {
    RegexBuilder::new(text).size_limit(MAX_PATTERN).build().map_err(|source| InvalidProfile::Pattern {
        profile: profile.to_owned(),
        place: place.to_owned(),
        source: Box::new(source),
    })
}
