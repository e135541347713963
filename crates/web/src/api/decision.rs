use model::{CaptureId, MediaPolicy, Outcome, RobotsPolicy, Seq, TargetId, ThemeId, Timestamp, Uri};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Pace, Scope, schema};

/// Why a source is watched, what of it, how, and until when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Terms {
    /// Where a crawl begins.
    #[schema(value_type = Vec<String>)]
    pub seeds: Vec<Uri>,
    /// What belongs to the target.
    pub scope: Scope,
    /// How fast it is crawled.
    pub pace: Pace,
    /// What points to this source.
    pub grounds: String,
    /// What it is expected to add.
    pub expected_value: String,
    /// The provision that the crawl rests on.
    pub legal_basis: String,
    /// Why the same cannot be had by lesser means.
    pub necessity: String,
    /// Why the intrusion is in proportion to what is expected.
    pub proportionality: String,
    /// How far the source can be relied on: the letter of the Admiralty code, from `A` to `F`.
    #[schema(example = "C")]
    pub reliability: String,
    /// How far what it says can be believed: the digit of the Admiralty code, from 1 to 6.
    #[schema(example = 3)]
    pub credibility: u8,
    /// Whether images are fetched.
    #[schema(schema_with = schema::media)]
    pub media: MediaPolicy,
    /// Whether `robots.txt` is only recorded, or binds.
    #[schema(schema_with = schema::robots)]
    pub robots: RobotsPolicy,
    /// Whether hosts of the clear net that are in scope may be reached through a Tor exit.
    pub allows_exit: bool,
    /// Whether the service's demand for a proof of work may be met.
    pub allows_proof_of_work: bool,
    /// Whether validators may be sent.
    pub allows_conditional_requests: bool,
    /// How long content is kept, in days, where that is shorter than the theme says.
    pub retention_days: Option<u32>,
    /// When a person must look at it again.
    #[schema(value_type = String, format = DateTime)]
    pub review_at: Timestamp,
    /// The moment at which the decision lapses.
    #[schema(value_type = String, format = DateTime)]
    pub ends_at: Timestamp,
}

/// Leave to fetch one page once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Probe {
    /// The page.
    #[schema(value_type = String)]
    pub uri: Uri,
    /// What points to it.
    pub grounds: String,
    /// The provision that the fetch rests on.
    pub legal_basis: String,
    /// Whether it may be reached through a Tor exit.
    pub allows_exit: bool,
    /// The moment at which the leave lapses.
    #[schema(value_type = String, format = DateTime)]
    pub ends_at: Timestamp,
}

/// A proposal that a second person approved. It is about crawling, and has terms, or a probe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Decision {
    /// Counted from 1; captures name the one that they were made under.
    pub number: u32,
    /// The proposal, by its leaf in the evidence log.
    pub proposal: u64,
    /// Who proposed it.
    pub proposed_by: String,
    /// Who approved it.
    pub approved_by: String,
    /// Why.
    pub reasons: String,
    /// When it came into force.
    #[schema(value_type = String, format = DateTime)]
    pub made_at: Timestamp,
    /// Its end before its time, if somebody ended it.
    pub ended: Option<Ending>,
    /// What was decided about crawling.
    pub terms: Option<Terms>,
    /// The page that may be looked at once.
    pub probe: Option<Probe>,
    /// What the probe came to, once it was made.
    pub result: Option<ProbeResult>,
}

/// What a probe came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProbeResult {
    /// The capture.
    #[schema(value_type = String, example = "marketplace/17")]
    pub capture: CaptureId,
    /// How the attempt ended; null where the capture was erased or is sealed.
    #[schema(value_type = Option<String>, example = "Ok")]
    pub outcome: Option<Outcome>,
}

/// The end that an approver made of a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Ending {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// Proposals about targets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TargetProposals {
    /// The earliest of each target first.
    pub proposals: Vec<TargetProposal>,
}

/// What somebody proposes about a target: to crawl it on certain terms, or to probe a page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TargetProposal {
    /// Its leaf in the evidence log, which names it.
    pub proposal: u64,
    /// The theme.
    #[schema(value_type = String)]
    pub theme: ThemeId,
    /// The target.
    #[schema(value_type = String)]
    pub target: TargetId,
    /// What people call the target.
    pub name: String,
    /// `open`, `approved`, `rejected` or `withdrawn`.
    #[schema(example = "open")]
    pub state: String,
    /// Who proposed it.
    pub by: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Where the source was come by.
    pub found_in: Option<FoundIn>,
    /// The decision that it would replace.
    pub replaces: Option<u32>,
    /// The terms to crawl it on.
    pub terms: Option<Terms>,
    /// The page to look at once.
    pub probe: Option<Probe>,
    /// In what the terms differ from those of the decision that it would replace; of a first proposal, every field.
    pub changes: Vec<TermsChange>,
    /// What became of it, if anything.
    pub answer: Option<ProposalAnswer>,
}

/// A proposal, and what may help to decide on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TargetProposalDetail {
    /// The proposal.
    #[serde(flatten)]
    pub proposal: TargetProposal,
    /// Hints that the address is a copy of a known service, or watched already.
    pub hints: Vec<ProposalHint>,
    /// The probes of the target that were decided, with what they came to.
    pub probes: Vec<Decision>,
}

/// Something about a proposed address that whoever decides should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProposalHint {
    /// `duplicate`, `look-alike`, `mirror`, `suspected-phishing-clone` or `related`.
    #[schema(example = "look-alike")]
    pub kind: String,
    /// The proposed host.
    pub host: String,
    /// The known host that it is about.
    pub other: String,
    /// In a sentence.
    pub because: String,
}

/// Where a source was come by.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FoundIn {
    /// A capture of the theme that shows it.
    #[schema(value_type = Option<u64>)]
    pub capture: Option<Seq>,
    /// The service that names it, or whose mirror or copy it seems to be.
    pub service: Option<String>,
    /// The link, as the capture has it.
    #[schema(value_type = Option<String>)]
    pub link: Option<Uri>,
}

/// A field that is another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TermsChange {
    /// The field.
    #[schema(example = "scope.max_depth")]
    pub field: String,
    /// What it was; null where there was nothing before.
    pub from: Option<String>,
    /// What it becomes.
    pub to: String,
}

/// What became of a proposal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProposalAnswer {
    /// Its leaf in the evidence log.
    pub leaf: u64,
    /// The decision that it became, if it was approved.
    pub decision: Option<u32>,
    /// Who answered.
    pub by: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Why.
    pub reasons: String,
}

/// All that was proposed, decided and wanted of a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TargetHistory {
    /// Its theme.
    #[schema(value_type = String)]
    pub theme: ThemeId,
    /// Its id.
    #[schema(value_type = String)]
    pub target: TargetId,
    /// What people call it now.
    pub name: String,
    /// In order of their leaves.
    pub steps: Vec<HistoryStep>,
}

/// A step in the history of a target; each is a leaf of the evidence log. What a person said or is called may have been erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HistoryStep {
    /// The leaf.
    pub leaf: u64,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// `proposed`, `approved`, `rejected`, `withdrawn`, `ended`, `paused`, `resumed`, `retired` or `renamed`.
    #[schema(example = "approved")]
    pub step: String,
    /// Who did it; null where the name was erased.
    pub who: Option<String>,
    /// Why, where that was asked.
    pub reasons: Option<String>,
    /// What is proposed or decided: `crawl` or `probe`.
    pub matter: Option<String>,
    /// The proposal that it is about.
    pub proposal: Option<u64>,
    /// The decision that it made or ended.
    pub decision: Option<u32>,
    /// Where the source was come by.
    pub found_in: Option<FoundIn>,
    /// What the target was called then, where that is told.
    pub name: Option<String>,
    /// Of a proposal: in what it differs from what was in force, or all of it. Of an approval: what changed by it.
    pub changes: Vec<TermsChange>,
    /// What the probe that was approved came to, once it was made.
    pub result: Option<ProbeResult>,
}
