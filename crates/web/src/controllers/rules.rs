//! What indicators and site profiles have in common: each is a text with a name, whose versions are acts.

use axum::{
    Json,
    extract::{FromRequestParts, RawPathParams},
    http::request::Parts,
    response::IntoResponse,
};
use model::{Grant, Phase, ThemeId};
use store::{RuleChange, RuleKind};
use utoipa::IntoParams;

use crate::{
    api::{Rule, RuleSummary, RuleVersion, Rules},
    app::{Running, Shared},
    authentication::Who,
    precondition::{IfMatch, tagged},
    refusal::Refusal,
    request::{AtTheme, Parameters},
};

/// A path that points at a rule of a theme.
#[derive(Debug, Clone, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct AtRule {
    /// The name of a theme.
    #[param(value_type = String, example = "marketplace")]
    pub(crate) theme: ThemeId,
    /// The name of a rule.
    #[param(example = "firearms-nl")]
    pub(crate) name: String,
    #[param(ignore)]
    pub(crate) who: Who,
}

impl AtRule {
    pub(crate) fn grant(&self, running: &Running) -> Grant {
        running.app.authority.grant(self.who.name(), self.theme, Phase::Analysis)
    }
}

impl FromRequestParts<Shared> for AtRule {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, running: &Shared) -> Result<Self, Refusal> {
        let AtTheme { theme, who } = AtTheme::from_request_parts(parts, running).await?;
        let path = RawPathParams::from_request_parts(parts, &()).await.map_err(|_| Refusal::NoRoute)?;
        let name = path.iter().find(|(key, _)| *key == "name").map(|(_, name)| name.to_owned());
        Ok(Self { theme, name: name.ok_or(Refusal::NoRule)?, who })
    }
}

/// What whoever changes a rule has seen of it.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ChangeParameters {
    /// The version that was seen: refused when another one is in force; 0 where the rule is new. Absent: whatever is there.
    pub(crate) replaces: Option<u64>,
}

impl ChangeParameters {
    pub(crate) fn read(query: Option<&str>) -> Result<Self, Refusal> {
        Ok(Self { replaces: Parameters::read(query, &["replaces"])?.one("replaces")? })
    }
}

/// Which version of a rule is meant.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct VersionParameters {
    /// The version; absent: the newest one.
    pub(crate) version: Option<u64>,
}

impl VersionParameters {
    pub(crate) fn read(query: Option<&str>) -> Result<Self, Refusal> {
        Ok(Self { version: Parameters::read(query, &["version"])?.one("version")? })
    }
}

/// The text of a rule, which must be UTF-8.
pub(crate) fn text(body: &[u8]) -> Result<&str, Refusal> {
    std::str::from_utf8(body).map_err(|_| Refusal::Invalid { field: "rule", problem: "it is not UTF-8".into() })
}

/// The rules in force. `why` tells from the text of a rule why it matters.
pub(crate) fn list(
    running: &Running,
    grant: &Grant,
    theme: ThemeId,
    kind: RuleKind,
    why: impl Fn(&str) -> Option<String>,
) -> Result<Rules, Refusal> {
    let store = &running.app.store;
    let all = store.rules(grant, theme, kind)?;
    let set = all.iter().flat_map(|rule| &rule.versions).map(|version| version.leaf).max().unwrap_or(0);
    let mut rules = Vec::new();
    for rule in all {
        let Some(version) = rule.present() else { continue };
        let written = store.rule_text(grant, theme, version.leaf)?;
        rules.push(RuleSummary {
            name: rule.name,
            version: version.leaf,
            since: written.at,
            author: written.author,
            why: written.text.as_deref().and_then(&why),
        });
    }
    Ok(Rules { set, rules })
}

/// A rule of this name and kind, which there must be.
pub(crate) fn rule(running: &Running, at: &AtRule, kind: RuleKind) -> Result<store::Rule, Refusal> {
    running.app.store.rule(&at.grant(running), at.theme, kind, &at.name)?.ok_or(Refusal::NoRule)
}

/// One of the versions of a rule; without a word which, the newest.
pub(crate) fn version_of(rule: &store::Rule, asked: Option<u64>) -> Result<store::RuleVersion, Refusal> {
    let found = match asked {
        Some(leaf) => rule.versions.iter().find(|version| version.leaf == leaf),
        None => rule.versions.last(),
    };
    found.copied().ok_or(Refusal::NoRule)
}

/// A version of a rule with its history, without its progress.
pub(crate) fn detail(
    running: &Running,
    at: &AtRule,
    rule: &store::Rule,
    version: store::RuleVersion,
) -> Result<Rule, Refusal> {
    let (grant, store) = (at.grant(running), &running.app.store);
    let mut history = Vec::with_capacity(rule.versions.len());
    for version in &rule.versions {
        let written = store.rule_text(&grant, at.theme, version.leaf)?;
        history.push(RuleVersion {
            version: version.leaf,
            at: written.at,
            author: written.author,
            is_removal: version.is_removal,
            until: version.until,
        });
    }
    Ok(Rule {
        name: rule.name.clone(),
        version: version.leaf,
        is_in_force: rule.present() == Some(version),
        text: store.rule_text(&grant, at.theme, version.leaf)?.text,
        progress: None,
        history,
    })
}

/// Changes a rule, or takes it away.
pub(crate) fn change(
    running: &Running,
    at: &AtRule,
    kind: RuleKind,
    text: Option<&str>,
    parameters: &ChangeParameters,
    if_match: &IfMatch,
) -> Result<(), Refusal> {
    let (grant, store) = (at.grant(running), &running.app.store);
    let mut replaces = parameters.replaces.map(|seen| Some(seen).filter(|seen| *seen != 0));
    if if_match.is_given() {
        let present = store.rule(&grant, at.theme, kind, &at.name)?.and_then(|rule| Some(rule.present()?.leaf));
        if_match.demand_one(present)?;
        // The store compares it once more, when nobody can come between.
        replaces.get_or_insert(present);
    }
    let change =
        RuleChange { kind, name: &at.name, text, author: at.who.name(), replaces, at: running.app.clock.now() };
    store.change_rule(&grant, at.theme, &change)?;
    Ok(())
}

/// A rule with the entity tag of its version.
pub(crate) fn tagged_rule(rule: Rule) -> impl IntoResponse {
    (tagged(rule.version), Json(rule))
}
