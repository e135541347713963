//! The command line.

mod accounts;
mod rules;
mod targets;
mod watches;

use std::path::PathBuf;

pub(crate) use accounts::{AuditArgs, GiveArgs, TokenCommand, UserCommand};
use clap::{Args, Parser, Subcommand, ValueEnum};
use model::{AccountName, CaptureId, ObservableKind, TargetId, ThemeId, Timestamp};
pub(crate) use rules::{IndicatorsCommand, LabelAbout, LabelCommand, RuleCommand, RuleRef, SiteCommand, TrialArgs};
pub(crate) use targets::{AnswerArgs, FoundArgs, TargetCommand, TargetRef, TermsArgs};
pub(crate) use watches::{AlertsCommand, DossierCommand, WatchArgs, WatchCommand};

/// Watches hidden services: fetches through Tor, keeps evidence, lets authorised people search.
#[derive(Debug, Parser)]
#[command(name = "nachtwacht", disable_version_flag = true)]
pub(crate) struct Cli {
    /// The configuration file.
    #[arg(long, global = true, default_value = "/etc/nachtwacht/nachtwacht.toml", value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// Answers as JSON, for programs.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// The file with the token of whoever asks; the one that `nachtwacht login` keeps, where it is not given.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// What it is for: a purpose, or the number of a case. The audit log keeps it, and some themes ask for it.
    #[arg(long, global = true, value_name = "TEXT")]
    pub(crate) purpose: Option<String>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Runs the daemon until it is told to stop.
    Serve,
    /// Makes the data directory, the keys, and the accounts `administrator` and `approver`.
    Init {
        /// Makes a new key for the evidence log; checkpoints that the old one signed stay good.
        #[arg(long)]
        new_log_key: bool,
    },
    /// Says what is wrong with the configuration, with line and key.
    CheckConfig,
    /// Looks at everything that must be right for the appliance to do its work, and says what to do.
    Doctor {
        /// Also whether a circuit to this onion service comes about, with a Tor client of its own; nothing is asked of the service.
        #[arg(long, value_name = "ADDRESS")]
        onion: Option<String>,
    },
    /// Makes the daemon read configuration, themes, block lists and certificate anew, and waits until it has.
    Reload,
    /// Logs in: the password is asked for, or read from standard input.
    Login { name: AccountName },
    /// Forgets who is logged in.
    Logout,
    /// Says who is logged in, and with which roles.
    Whoami,
    /// Sets one's password: the old one and the new one are asked for, or read from standard input.
    Password,
    /// Makes accounts, and gives and ends roles.
    #[command(subcommand)]
    User(UserCommand),
    /// Makes and revokes tokens for programs.
    #[command(subcommand)]
    Token(TokenCommand),
    /// Shows who asked for what, and what became of it.
    Audit(AuditArgs),
    /// Proposes targets, decides on proposals, and steers targets.
    #[command(subcommand)]
    Target(TargetCommand),
    /// Searches what was captured, or exports what is found.
    Search(SearchArgs),
    /// Keeps queries that tell when something matches them.
    #[command(subcommand)]
    Watch(WatchCommand),
    /// Shows what watches found, and says who has seen to it.
    #[command(subcommand)]
    Alerts(AlertsCommand),
    /// Releases versions to somebody's operational use, and reads what was released.
    #[command(subcommand)]
    Dossier(DossierCommand),
    /// Says where an address, a key or a name was seen, and with which others.
    Observable(ObservableArgs),
    /// Checks, tries and changes indicators: what to look for.
    #[command(subcommand)]
    Indicators(IndicatorsCommand),
    /// Says what the indicators found in a capture, such as marketplace/17, and why.
    Findings { capture: CaptureId },
    /// Labels versions of pages, and compares labellers.
    #[command(subcommand)]
    Label(LabelCommand),
    /// Tries and changes site profiles: where the fields of a site's pages stand.
    #[command(subcommand)]
    Site(SiteCommand),
    /// Shows what a service shows, who names it, and of which services it is a mirror or a suspected clone.
    Service(ServiceArgs),
    /// Lists services that are the same behind several addresses, or copies of each other.
    Clusters(PageArgs),
    /// Lists onion services that are held to be mirrors of watched ones; nothing is crawled for being listed.
    Proposals(PageArgs),
    /// Shows what the item of a capture cost over time, on all mirrors.
    Price(PriceArgs),
    /// Shows with whom verified keys link a seller over services.
    Vendor(VendorArgs),
    /// Shows captures and what was received.
    #[command(subcommand)]
    Capture(CaptureCommand),
    /// Sets, lifts and lists holds: what may not be erased.
    #[command(subcommand)]
    Hold(HoldCommand),
    /// Hides captures with illegal content until somebody decides about them.
    #[command(subcommand)]
    Seal(SealCommand),
    /// Erases captures; their leaves stay, with the ground.
    Erase(EraseArgs),
    /// Erases what was kept as long as the theme says.
    Retention {
        #[arg(long)]
        theme: ThemeId,
        /// Says what would go, and erases nothing.
        #[arg(long)]
        dry_run: bool,
    },
    /// Writes captures with their proofs to a WARC or WACZ file; the evidence log notes it first.
    Export(ExportArgs),
    /// Checks the evidence: every leaf, hash, commitment, payload and signature.
    Verify(VerifyArgs),
    /// Shows, signs and time-stamps checkpoints of the evidence log.
    #[command(subcommand)]
    Checkpoint(CheckpointCommand),
    /// Makes an encrypted backup while the daemon works; deletes those that have expired.
    Backup(BackupArgs),
    /// Restores a backup into an empty data directory, without the daemon, and checks everything.
    Restore(RestoreArgs),
    /// Exports what was erased, and lists what is not complete.
    #[command(subcommand)]
    Erasures(ErasuresCommand),
    /// Says how Tor, crawl, analysis and disk are.
    Status {
        /// Keeps showing it until Ctrl-C.
        #[arg(long)]
        watch: bool,
    },
    /// Prints a script by which a shell completes commands and options.
    Completions { shell: clap_complete::Shell },
    /// Writes the manual pages into a directory.
    Manual { directory: PathBuf },
    /// Lists, shows, names and compares versions of a page; alone it prints the version of the program.
    Version {
        #[command(subcommand)]
        command: Option<VersionCommand>,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum SortArg {
    Relevance,
    Newest,
    Oldest,
    /// By currency, the cheapest first.
    Price,
    /// What indicators score highest first.
    Score,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum VersionsArg {
    /// Every capture that matches.
    All,
    /// Of those that match, the latest of each URI.
    Latest,
}

#[derive(Debug, Args)]
pub(crate) struct ObservableArgs {
    /// The theme; every theme that one reads, where it is not given.
    #[arg(long)]
    pub(crate) theme: Option<ThemeId>,
    /// What it is, such as btc, onion-v3 or pgp-fingerprint.
    pub(crate) kind: ObservableKind,
    /// The observable, in any way of writing it.
    pub(crate) value: String,
    /// From this capture down, as the page before says.
    #[arg(long)]
    pub(crate) from: Option<u64>,
    #[arg(long, default_value_t = 20)]
    pub(crate) limit: usize,
}

#[derive(Debug, Args)]
pub(crate) struct ServiceArgs {
    #[arg(long)]
    pub(crate) theme: ThemeId,
    /// Its onion address, or its domain.
    pub(crate) host: String,
    /// Only what is of this kind: an observable's, such as btc, or mention, or called-mirror.
    #[arg(long)]
    pub(crate) kind: Option<String>,
    /// From this on, as the page before says.
    #[arg(long)]
    pub(crate) from: Option<String>,
    #[arg(long, default_value_t = 50)]
    pub(crate) limit: usize,
    /// As CSV.
    #[arg(long)]
    pub(crate) csv: bool,
}

#[derive(Debug, Args)]
pub(crate) struct PageArgs {
    #[arg(long)]
    pub(crate) theme: ThemeId,
    /// From this on, as the page before says.
    #[arg(long)]
    pub(crate) from: Option<String>,
    #[arg(long, default_value_t = 50)]
    pub(crate) limit: usize,
    /// As CSV.
    #[arg(long)]
    pub(crate) csv: bool,
}

#[derive(Debug, Args)]
pub(crate) struct PriceArgs {
    /// A capture that shows the item, as `theme/sequence`.
    pub(crate) capture: CaptureId,
    /// As CSV.
    #[arg(long)]
    pub(crate) csv: bool,
}

#[derive(Debug, Args)]
pub(crate) struct VendorArgs {
    #[arg(long)]
    pub(crate) theme: ThemeId,
    /// The seller's name.
    pub(crate) name: String,
    /// As CSV.
    #[arg(long)]
    pub(crate) csv: bool,
}

#[derive(Debug, Args)]
pub(crate) struct SearchArgs {
    /// The theme to search in.
    #[arg(long)]
    pub(crate) theme: ThemeId,
    /// What to look for: words, "phrases", "words near"~5, pass*, lantern~, AND, OR, NOT, parentheses, `field:value`.
    pub(crate) query: Vec<String>,
    /// Only captures of these targets.
    #[arg(long)]
    pub(crate) target: Vec<TargetId>,
    /// Only pages in these languages, ISO 639-3.
    #[arg(long)]
    pub(crate) language: Vec<String>,
    /// Only pages of these kinds.
    #[arg(long)]
    pub(crate) kind: Vec<String>,
    /// Only captures that ended so.
    #[arg(long)]
    pub(crate) outcome: Vec<String>,
    /// Only versions with one of these labels.
    #[arg(long)]
    pub(crate) label: Vec<model::Label>,
    /// Only what one of these indicators flags.
    #[arg(long)]
    pub(crate) indicator: Vec<String>,
    /// Captured at or after this moment.
    #[arg(long)]
    pub(crate) from: Option<Timestamp>,
    /// Captured before this moment.
    #[arg(long)]
    pub(crate) until: Option<Timestamp>,
    /// Which captures of a page.
    #[arg(long, value_enum)]
    pub(crate) versions: Option<VersionsArg>,
    /// Only the state in which each page was at this moment.
    #[arg(long)]
    pub(crate) as_of: Option<Timestamp>,
    /// Also count the matches by these: target, language, kind, outcome, indicator, label, observable, cluster, day, week,
    /// month.
    #[arg(long, value_delimiter = ',')]
    pub(crate) facets: Vec<String>,
    #[arg(long, value_enum)]
    pub(crate) sort: Option<SortArg>,
    /// As of this state, which an earlier answer named.
    #[arg(long)]
    pub(crate) generation: Option<String>,
    /// The greatest number of hits.
    #[arg(long, default_value_t = 10)]
    pub(crate) limit: usize,
    /// Where the page before ended.
    #[arg(long)]
    pub(crate) after: Option<String>,
    /// Writes all that is found to this file, which must not exist yet; the evidence log notes it first.
    #[arg(long, value_name = "FILE", requires = "purpose")]
    pub(crate) export: Option<PathBuf>,
    /// Of an export: csv or jsonl; as the file's name ends, where it is not given, or else csv.
    #[arg(long, value_enum, requires = "export")]
    pub(crate) format: Option<ResultsFormat>,
    /// Of an export: what for; the evidence log keeps it.
    #[arg(long, requires = "export")]
    pub(crate) purpose: Option<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum ResultsFormat {
    Csv,
    Jsonl,
}

impl ResultsFormat {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
        }
    }
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct SubjectArgs {
    /// One capture, such as 17.
    #[arg(long, value_name = "SEQUENCE")]
    pub(crate) capture: Option<u64>,
    /// The version that this capture belongs to.
    #[arg(long, value_name = "SEQUENCE")]
    pub(crate) version: Option<u64>,
    /// Every capture of a URI.
    #[arg(long)]
    pub(crate) uri: Option<String>,
    /// Every capture that was made for a target.
    #[arg(long)]
    pub(crate) target: Option<TargetId>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum HoldCommand {
    /// Sets a hold; prints the leaf that names it.
    Set {
        #[arg(long)]
        theme: ThemeId,
        #[command(flatten)]
        subject: SubjectArgs,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Lifts a hold.
    Lift {
        #[arg(long)]
        theme: ThemeId,
        /// The leaf that names it.
        leaf: u64,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Lists the holds of a theme.
    List {
        #[arg(long)]
        theme: ThemeId,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum SealCommand {
    /// Seals a capture, such as marketplace/17, and every other one of the theme with the same payload.
    Set {
        capture: CaptureId,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Lifts the seal on a capture, and on every other one with the same payload.
    Lift {
        capture: CaptureId,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Lists the sealed captures of a theme, about which a decision is pending.
    List {
        #[arg(long)]
        theme: ThemeId,
    },
}

#[derive(Debug, Args)]
pub(crate) struct EraseArgs {
    #[arg(long)]
    pub(crate) theme: ThemeId,
    #[command(flatten)]
    pub(crate) subject: SubjectArgs,
    /// On what ground.
    #[arg(long)]
    pub(crate) ground: String,
    /// Lets the crawl forget the URIs of which nothing is left.
    #[arg(long)]
    pub(crate) forget_uris: bool,
    /// Says what would go, and erases nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("selection").required(true)))]
pub(crate) struct ExportArgs {
    /// A capture, such as marketplace/17; may be given several times, all of one theme.
    #[arg(long = "capture", group = "selection", value_name = "CAPTURE")]
    pub(crate) captures: Vec<CaptureId>,
    /// The version to which a capture belongs, such as marketplace/17.
    #[arg(long, group = "selection", value_name = "CAPTURE")]
    pub(crate) version: Option<CaptureId>,
    /// What a dossier, such as marketplace/4711, holds.
    #[arg(long, group = "selection", value_name = "DOSSIER")]
    pub(crate) dossier: Option<CaptureId>,
    /// All captures of a target.
    #[arg(long, group = "selection", requires = "theme")]
    pub(crate) target: Option<TargetId>,
    /// Goes on with an export that broke off: its theme and leaf, such as marketplace/4711.
    #[arg(long = "continue", group = "selection", value_name = "EXPORT", conflicts_with_all = ["purpose", "revisits", "checkpoint"])]
    pub(crate) unfinished: Option<CaptureId>,
    /// The theme of the target.
    #[arg(long, conflicts_with_all = ["captures", "version", "dossier", "unfinished"])]
    pub(crate) theme: Option<ThemeId>,
    /// Of a target: captured at or after this moment.
    #[arg(long, conflicts_with_all = ["captures", "version", "dossier", "unfinished"])]
    pub(crate) from: Option<Timestamp>,
    /// Of a target: captured before this moment.
    #[arg(long, visible_alias = "until", conflicts_with_all = ["captures", "version", "dossier", "unfinished"])]
    pub(crate) to: Option<Timestamp>,
    /// What for; the evidence log keeps it.
    #[arg(long, required_unless_present = "unfinished")]
    pub(crate) purpose: Option<String>,
    /// Leaves out payloads that the export holds already for the same URI; less of it can be checked.
    #[arg(long)]
    pub(crate) revisits: bool,
    /// The size of the log at the checkpoint that proofs rest on, such as one that others kept; a new one where it is not given.
    #[arg(long, value_name = "SIZE")]
    pub(crate) checkpoint: Option<u64>,
    /// The file, `.warc.gz` or `.wacz`; it must not exist yet, unless the export goes on.
    #[arg(long, short)]
    pub(crate) output: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// Checks only the end of the log: its last 10,000 leaves.
    #[arg(long)]
    pub(crate) quick: bool,
    /// Opens the store itself, while no daemon runs.
    #[arg(long)]
    pub(crate) offline: bool,
    /// A checkpoint that was kept elsewhere: is today's log its continuation? May be given several times.
    #[arg(long, value_name = "FILE")]
    pub(crate) against: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct BackupArgs {
    /// The directory of backups, best on another disk. What is in it already is not written again.
    #[arg(long, value_name = "DIR")]
    pub(crate) to: PathBuf,
    /// How many days the backup may be restored; after that it is refused, and the next backup deletes it.
    #[arg(long, default_value_t = 90, value_name = "DAYS")]
    pub(crate) keep_days: u32,
}

#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    /// The directory of backups.
    #[arg(long, value_name = "DIR")]
    pub(crate) from: PathBuf,
    /// The newest backup that was made by then (RFC 3339); the newest of all where it is not given.
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<Timestamp>,
    /// What was erased, as `nachtwacht erasures export` last told; the list beside the backup knows nothing of later erasures.
    #[arg(long, value_name = "FILE")]
    pub(crate) erasures: PathBuf,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ErasuresCommand {
    /// Prints the list that a restore demands; keep it apart from the machine, and anew after each erasure.
    Export,
    /// Lists what is not carried out to the end: erasures, seals, and files of exports that could not be deleted.
    Pending {
        #[arg(long)]
        theme: ThemeId,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum CheckpointCommand {
    /// Prints the newest checkpoint, a signed note.
    Show,
    /// Signs what the log is now, and prints it.
    Sign,
    /// Lists the checkpoints, newest first.
    List,
    /// Writes what a time-stamping authority is asked (RFC 3161).
    Request {
        /// The size of the log at the checkpoint, in leaves.
        size: u64,
        /// The file; it must not exist yet.
        #[arg(long, short)]
        output: PathBuf,
    },
    /// Keeps the answer of a time-stamping authority with its checkpoint.
    Attach {
        /// The size of the log at the checkpoint, in leaves.
        size: u64,
        /// The answer, a `TimeStampResp`.
        file: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum VersionCommand {
    /// Lists the versions of a URI, newest first.
    List {
        #[arg(long)]
        theme: ThemeId,
        #[arg(long)]
        uri: String,
        #[arg(long, default_value_t = 20)]
        limit: usize,
    },
    /// Shows the version that a capture, such as marketplace/17, belongs to, and how it came to its name.
    Show { capture: CaptureId },
    /// Names the version that a capture belongs to; an earlier name stays in the history.
    Name { capture: CaptureId, name: String },
    /// Takes the name of a version away; it stays in the history.
    Unname { capture: CaptureId },
    /// Shows what differs between two captures of one theme.
    Compare {
        old: CaptureId,
        new: CaptureId,
        /// Shows also what the digest rule takes for noise, such as clocks.
        #[arg(long)]
        noise: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum CaptureCommand {
    /// Lists captures, newest first.
    List {
        #[arg(long)]
        theme: ThemeId,
        #[arg(long)]
        target: Option<TargetId>,
        #[arg(long)]
        uri: Option<String>,
        #[arg(long, default_value_t = 20)]
        limit: usize,
    },
    /// Shows what is known of one capture, such as marketplace/17.
    Show { capture: String },
    /// Prints the text of one capture.
    Text { capture: String },
    /// Prints the proof that the capture is in the evidence log (C2SP tlog-proof).
    Proof { capture: String },
    /// Writes what was received, byte for byte, to a file.
    Raw {
        capture: String,
        /// The file; it must not exist yet.
        #[arg(long, short)]
        output: PathBuf,
    },
}
