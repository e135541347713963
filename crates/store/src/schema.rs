use std::fmt;

/// The format of the store that this release writes.
///
/// History: 1, the first, never released. 2: captures are leaves of the evidence log and are found by their payload, and versions have numbers and names.
/// 3: accounts, tokens and the audit log; a decision holds what it decides, and was proposed by one person and approved by another.
pub const FORMAT: u32 = 3;

/// Whether a table is evidence, or can be made again from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Cannot be made again. Never deleted but by a lawful act.
    Truth,
    /// May be deleted at any time and comes back equal.
    Derived,
}

macro_rules! tables {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $kind:ident;)*) => {
        /// Every table, with its name and its kind. Keys are fixed-width big-endian, and their order is the order of what they encode.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Table { $($(#[$doc])* $variant,)* }

        impl Table {
            /// Every table.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name of its column family.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Whether it is truth or derived.
            pub const fn kind(self) -> Kind {
                match self { $(Self::$variant => Kind::$kind,)* }
            }
        }
    };
}

tables! {
    /// `"format"` → the format version.
    Format = "format", Truth;
    /// theme, target → `Target`.
    Targets = "targets", Truth;
    /// theme, target, leaf → `Proposal`.
    Proposals = "proposals", Truth;
    /// theme, target, leaf → nothing: an act in the history of a target's decisions.
    DecisionsByTarget = "decisions_by_target", Truth;
    /// theme, target, number of a decision → the sequence of the capture that the probe came to.
    ProbeCaptures = "probe_captures", Truth;
    /// theme, target → `CrawlState`.
    CrawlStates = "crawl_states", Truth;
    /// theme, target, URI → `UriRecord`.
    Uris = "uris", Truth;
    /// theme, target, service, priority, due, URI → nothing: a visit that is owed.
    FrontierByDue = "frontier_by_due", Truth;
    /// theme, target, SHA-256 of the template → `TemplateRecord`.
    UriTemplates = "uri_templates", Truth;
    /// service → `HostRecord`: politeness, which belongs to the service and to no theme.
    Hosts = "hosts", Truth;
    /// theme, sequence → `CaptureRow`: the capture's record, and what its leaf is opened with.
    Captures = "captures", Truth;
    /// theme, URI, sequence → nothing.
    CapturesByUri = "captures_by_uri", Truth;
    /// theme, target, sequence → nothing.
    CapturesByTarget = "captures_by_target", Truth;
    /// theme, SHA-256 of the payload, sequence → nothing.
    CapturesByPayload = "captures_by_payload", Truth;
    /// theme, sequence → nothing: a capture that was erased.
    ErasedCaptures = "erased_captures", Truth;
    /// theme, SHA-256 → the payload, compressed, perhaps as a delta.
    Payloads = "payloads", Truth;
    /// theme, SHA-256 of a payload, SHA-256 of one that builds on it → nothing.
    PayloadDependants = "payload_dependants", Truth;
    /// leaf → the leaf, in the deterministic CBOR that its hash is over.
    LogLeaves = "log_leaves", Truth;
    /// level, index → the hash of a complete subtree of the log.
    LogHashes = "log_hashes", Truth;
    /// `"head"` → size and root of the log.
    LogHead = "log_head", Truth;
    /// leaf of the act that began it → a key that signs checkpoints.
    LogKeys = "log_keys", Truth;
    /// size of the log → a signed checkpoint with its time-stamps.
    Checkpoints = "checkpoints", Truth;
    /// theme, leaf → `ActRow`: what may be erased of an act, and what its leaf is opened with.
    Acts = "acts", Truth;
    /// theme, URI, first capture of a version → the leaves of the acts that named it, in order.
    VersionNames = "version_names", Truth;
    /// theme, subject, leaf of the act → `Hold`.
    Holds = "holds", Truth;
    /// theme, sequence → `Seal`.
    Seals = "seals", Truth;
    /// SHA-256, theme → leaf of the act: a payload that is not to be kept again, in any theme.
    BlockedPayloads = "blocked_payloads", Truth;
    /// theme, leaf of the act → `ViewChange`: what was erased, sealed or unsealed, until views, index and files have followed.
    ViewChanges = "view_changes", Truth;
    /// Theme, SHA-256 of the path → `LocalCopy`: a file outside the store that holds captures.
    LocalCopies = "local_copies", Truth;
    /// theme, target → cookies that a person handed over, encrypted.
    Logins = "logins", Truth;
    /// theme, SHA-256 of the name → `RuleRow`: the versions of an indicator.
    Indicators = "indicators", Truth;
    /// theme, SHA-256 of the name → `RuleRow`: the versions of a site profile.
    SiteProfiles = "site_profiles", Truth;
    /// theme, URI, first capture of a version → the leaves of the acts that labelled it, in order.
    Labels = "labels", Truth;
    /// leaf → the leaf of the audit log.
    AuditLeaves = "audit_leaves", Truth;
    /// level, index → the hash of a complete subtree of the audit log.
    AuditHashes = "audit_hashes", Truth;
    /// `"head"` → size and root of the audit log.
    AuditHead = "audit_head", Truth;
    /// leaf of the audit log → `ActRow`: what may be erased of it, and what its leaf is opened with.
    AuditActs = "audit_acts", Truth;
    /// name, zero-padded → `Account`: its password's hash, and its roles.
    Accounts = "accounts", Truth;
    /// SHA-256 of the secret → `Token`: of a browser session, or of a program.
    Tokens = "tokens", Truth;
    /// SHA-256 of account and key → `KeyedRequest`: what was begun under an idempotency key, for a day.
    RequestKeys = "request_keys", Truth;
    /// theme, leaf of the act that made it → `WatchRow`: a watch, with the leaves of its versions.
    Watches = "watches", Truth;
    /// theme, number → `Alert`: what a watch found, by sequence; nothing of what the captures say.
    Alerts = "alerts", Truth;
    /// theme, leaf of the act that released it → `Dossier`: the versions that it holds, by URI and sequence.
    Dossiers = "dossiers", Truth;
    /// name of a follower, theme → the sequence it has dealt with; and further notes of how far things are.
    Cursors = "cursors", Truth;
    /// theme, sequence → `Document`, without its links.
    Documents = "documents", Derived;
    /// theme, sequence → the links of the document.
    Links = "links", Derived;
    /// theme, SHA-256 of kind and value of an observable, sequence → nothing.
    Sightings = "sightings", Derived;
    /// theme, sequence, leaf of the indicator's version → `Finding`.
    Findings = "findings", Derived;
    /// theme, leaf of the indicator's version, sequence → the score.
    FindingsByVersion = "findings_by_version", Derived;
    /// theme, sequence → `Sketch`: by what the page's service is compared with others.
    Sketches = "sketches", Derived;
    /// theme, service, `Mark` of the path, sequence → nothing.
    PagesByService = "pages_by_service", Derived;
    /// theme, service, kind of element, `Mark` of its value, sequence → kind and value.
    ElementsByService = "elements_by_service", Derived;
    /// theme, `Mark`, service, sequence → nothing: what pages of several services may share.
    Traces = "traces", Derived;
    /// theme, sequence → `CrawlHint`.
    CrawlHints = "crawl_hints", Derived;
    /// theme, URI, first sequence → `Version`: a run of captures with one content digest.
    VersionsByUri = "versions_by_uri", Derived;
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
