use model::{CaptureId, Label, PageKind, Seq, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{CaptureSummary, Span};

/// The rules of one kind that are in force in a theme: indicators, or site profiles.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Rules {
    /// The version of the set: the newest leaf that changed it; 0 where there never was a rule.
    pub set: u64,
    /// The rules, by name.
    pub rules: Vec<RuleSummary>,
}

/// A rule that is in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RuleSummary {
    /// Its name.
    #[schema(example = "firearms-nl")]
    pub name: String,
    /// Its version: the leaf of the evidence log that tells of it.
    pub version: u64,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    /// Who wrote this version; null when that has been erased.
    pub author: Option<String>,
    /// Why it matters, in the rule's own words; null for site profiles.
    pub why: Option<String>,
}

/// A version of a rule, with its history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Rule {
    /// Its name.
    pub name: String,
    /// The version that is shown: the leaf of the evidence log that tells of it.
    pub version: u64,
    /// Whether it is in force.
    pub is_in_force: bool,
    /// The rule, in TOML; null where this version takes it away, or was erased.
    pub text: Option<String>,
    /// How far stored documents were looked at for it; null for site profiles and removals.
    pub progress: Option<ScoringProgress>,
    /// Every version, the oldest first.
    pub history: Vec<RuleVersion>,
}

/// A version of a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RuleVersion {
    /// The leaf of the evidence log that tells of it.
    pub version: u64,
    /// When it came.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Who wrote it; null when that has been erased.
    pub author: Option<String>,
    /// Whether it takes the rule away.
    pub is_removal: bool,
    /// It is for captures up to this one; null while it is in force.
    #[schema(value_type = Option<u64>)]
    pub until: Option<Seq>,
}

/// How far the documents of a theme were looked at for a version of an indicator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ScoringProgress {
    /// Every capture up to this one was looked at.
    #[schema(value_type = u64)]
    pub up_to: Seq,
    /// The last capture that is to be looked at, as it is now.
    #[schema(value_type = u64)]
    pub of: Seq,
    /// Captures that are flagged so far.
    pub flagged: u64,
}

/// What a rule that is not kept (yet) would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IndicatorTrial {
    /// The name in the rule.
    pub name: String,
    /// Examples of the rule that do not come out as they say, in plain words; empty when all do.
    pub failures: Vec<String>,
    /// Stored documents that were looked at, the newest ones.
    pub looked_at: u64,
    /// How many of them it would flag.
    pub flagged: u64,
    /// The first of these, newest first, each with its reasons; at most 100.
    pub findings: Vec<FlaggedCapture>,
}

/// What a site profile would read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProfileTrial {
    /// The name in the profile.
    pub name: String,
    /// Stored pages that were read with it, the newest ones.
    pub looked_at: u64,
    /// Pages that are of the site and of a kind that the profile knows.
    pub fits: u64,
    /// Those of them on which something required was missing.
    pub drifted: u64,
    /// The first pages that are of the site, newest first; at most 100.
    pub pages: Vec<ProfiledPage>,
}

/// A page that was read with a site profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProfiledPage {
    /// The capture.
    pub capture: CaptureSummary,
    /// What the page is, as the profile says.
    #[schema(value_type = String)]
    pub kind: PageKind,
    /// Whether everything that the profile requires was found.
    pub matched: bool,
    /// What was read.
    #[schema(value_type = Object)]
    pub fields: model::Fields,
}

/// What an indicator found in a capture, with its reasons.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Finding {
    /// The indicator.
    pub indicator: String,
    /// Its version.
    pub version: u64,
    /// Whether that version is in force.
    pub is_in_force: bool,
    /// Why it matters, in the indicator's own words; null where that was erased.
    pub why: Option<String>,
    /// The sum of the weights.
    pub score: i64,
    /// What it is the sum of.
    pub contributions: Vec<Contribution>,
}

/// A condition that holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Contribution {
    /// The condition, in plain words.
    pub condition: String,
    /// What it adds to the score.
    pub weight: i64,
    /// How often it was met in the document.
    pub matches: u32,
    /// Where; the first places.
    pub spans: Vec<MatchedSpan>,
}

/// A place that a condition was met at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MatchedSpan {
    /// `title`, `text`, or the name of a field.
    pub place: String,
    /// Where in it, in characters.
    pub at: Span,
    /// What stands there, at most 200 characters of it.
    pub matched: String,
}

/// What was found in a capture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Findings {
    /// Theme and sequence of the capture.
    #[schema(value_type = String)]
    pub capture: CaptureId,
    /// The sum over the versions in force.
    pub score: i64,
    /// The findings, those of versions in force first.
    pub findings: Vec<Finding>,
}

/// A capture that is flagged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FlaggedCapture {
    /// The capture.
    pub capture: CaptureSummary,
    /// The score.
    pub score: i64,
    /// The reasons, where these were asked for.
    pub contributions: Vec<Contribution>,
}

/// Captures that a version of an indicator flags, the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FlaggedCaptures {
    /// The indicator.
    pub indicator: String,
    /// The version.
    pub version: u64,
    /// A page of captures.
    pub captures: Vec<FlaggedCapture>,
    /// What the next page begins with, if there is one.
    #[schema(value_type = Option<u64>)]
    pub next: Option<Seq>,
}

/// What a change of an indicator did to the captures that both versions are for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RescoringReport {
    /// The indicator.
    pub indicator: String,
    /// The version before; null where there was none.
    pub before: Option<u64>,
    /// The version after.
    pub after: u64,
    /// How far the later version has come: the report covers captures up to there.
    #[schema(value_type = u64)]
    pub up_to: Seq,
    /// The last capture that both are for.
    #[schema(value_type = u64)]
    pub of: Seq,
    /// How many became flagged.
    pub became: u64,
    /// How many ceased to be.
    pub ceased: u64,
    /// How many stayed flagged with another score.
    pub rescored: u64,
    /// How many stayed as they were.
    pub unchanged: u64,
    /// The newest changes, at most 1000, by sequence.
    pub changes: Vec<Rescored>,
}

/// A capture whose score changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Rescored {
    /// Theme and sequence of the capture.
    #[schema(value_type = String)]
    pub capture: CaptureId,
    /// The score before; null where it was not flagged.
    pub before: Option<i64>,
    /// The score after; null where it is not flagged any more.
    pub after: Option<i64>,
}

/// A label for a version of a page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewLabel {
    /// `relevant`, `not-relevant` or `unsure`; null takes away what one said before.
    #[schema(value_type = Option<String>)]
    pub label: Option<Label>,
    /// The indicator that it is about; absent where it is about the page as such.
    #[serde(default)]
    pub indicator: Option<String>,
    /// What else is to be said.
    #[serde(default)]
    pub note: Option<String>,
}

/// That somebody labelled a version, or took a label away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Labelling {
    /// The version: theme and sequence of its first capture.
    #[schema(value_type = String)]
    pub version: CaptureId,
    /// The label; null where it was taken away.
    #[schema(value_type = Option<String>)]
    pub label: Option<Label>,
    /// The indicator that it is about; null where it is about the page as such.
    pub indicator: Option<String>,
    /// Who did it; null when that has been erased.
    pub author: Option<String>,
    /// What else was said.
    pub note: Option<String>,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// The leaf of the evidence log that tells of it.
    pub leaf: u64,
}

/// The labels of a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Labels {
    /// The labels that stand: the last word of each author, by indicator.
    pub labels: Vec<Labelling>,
    /// Everything that was said, in order.
    pub history: Vec<Labelling>,
}

/// The labels of a theme.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ThemeLabels {
    /// How many there are of what was asked for.
    pub total: u64,
    /// A page of them, the newest first; without those of captures that are erased or sealed.
    pub labels: Vec<Labelling>,
    /// The leaf that the next page begins with, if there is one.
    pub next: Option<u64>,
}

/// How far two labellers agree.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Agreement {
    /// One labeller.
    pub a: String,
    /// The other.
    pub b: String,
    /// Versions that both labelled, for the same indicator or as such.
    pub both: u64,
    /// How many of them alike.
    pub alike: u64,
    /// Cohen's kappa over relevant, not relevant and unsure: 1 is full agreement, 0 what chance would give; null where it is not defined.
    pub kappa: Option<f64>,
    /// How often `a` said the first and `b` the second.
    pub pairs: Vec<LabelPair>,
    /// Versions on which they differ, at most 100.
    #[schema(value_type = Vec<String>)]
    pub differing: Vec<CaptureId>,
}

/// How often two labels met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LabelPair {
    /// What one said.
    #[schema(value_type = String)]
    pub a: Label,
    /// What the other said.
    #[schema(value_type = String)]
    pub b: Label,
    /// How often.
    pub count: u64,
}
