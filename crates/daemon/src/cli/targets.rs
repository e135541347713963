//! Commands about targets: proposals, decisions, and what people want of a target.

use clap::{Args, Subcommand};
use model::{Credibility, InvalidTimestamp, Reliability, TargetId, ThemeId, Timestamp};

#[derive(Debug, Subcommand)]
pub(crate) enum TargetCommand {
    /// Proposes to watch a new target; a second person must approve before anything is fetched.
    Propose {
        /// The theme that it belongs to.
        #[arg(long)]
        theme: ThemeId,
        /// What people call it.
        #[arg(long)]
        name: String,
        #[command(flatten)]
        terms: Box<TermsArgs>,
        #[command(flatten)]
        found: FoundArgs,
    },
    /// Proposes to change what was decided about a target; what is not given stays.
    Change {
        #[command(flatten)]
        target: TargetRef,
        #[command(flatten)]
        terms: Box<TermsArgs>,
        #[command(flatten)]
        found: FoundArgs,
    },
    /// Proposes to look at one page once, to see whether a site is fake or dead; a second person must approve.
    Probe {
        #[command(flatten)]
        target: TargetRef,
        /// The page.
        #[arg(long)]
        uri: String,
        /// What points to it.
        #[arg(long)]
        grounds: String,
        /// The provision that the fetch rests on.
        #[arg(long)]
        legal_basis: String,
        /// Lets it be reached through a Tor exit.
        #[arg(long)]
        allow_exit: bool,
        /// The moment at which the leave lapses: RFC 3339, or a date. In a week, where it is not given.
        #[arg(long, value_name = "TIME", value_parser = moment)]
        ends: Option<Timestamp>,
    },
    /// Says how the sources of a theme are: those that a person should look at, why, and since when.
    Health {
        #[arg(long)]
        theme: ThemeId,
        /// Also those that are well.
        #[arg(long)]
        all: bool,
    },
    /// Lists the open proposals of a theme, or all that were made about a target.
    Proposals {
        #[arg(long)]
        theme: ThemeId,
        /// Every proposal about this target, whatever became of it.
        #[arg(long)]
        target: Option<TargetId>,
    },
    /// Shows a proposal, with hints and probes that may help to decide on it.
    Proposal {
        #[command(flatten)]
        target: TargetRef,
        /// The proposal, by its leaf.
        proposal: u64,
    },
    /// Approves a proposal of somebody else; it is in force at once.
    Approve(AnswerArgs),
    /// Rejects a proposal of somebody else.
    Reject(AnswerArgs),
    /// Takes a proposal of one's own back.
    Withdraw(AnswerArgs),
    /// Ends a decision before its time; nothing more is fetched under it.
    End {
        #[command(flatten)]
        target: TargetRef,
        /// The number of the decision.
        decision: u32,
        /// Why.
        #[arg(long)]
        reasons: String,
    },
    /// Prints all that was proposed, decided and wanted of a target.
    History(TargetRef),
    /// Lists the targets of a theme, or of all.
    List {
        #[arg(long)]
        theme: Option<ThemeId>,
    },
    /// Shows a target, its decisions and its crawl.
    Show(TargetRef),
    /// Gives a target another name.
    Rename {
        #[command(flatten)]
        target: TargetRef,
        /// What people call it.
        name: String,
    },
    /// Lets a target rest.
    Pause(TargetRef),
    /// Goes on with a target, also after it needed attention.
    Resume(TargetRef),
    /// Ends a target; what was captured stays.
    Retire(TargetRef),
    /// Hands over a session: reads cookies, one `name=value` a line, from standard input. None ends the session.
    Login(TargetRef),
}

#[derive(Debug, Args)]
pub(crate) struct TargetRef {
    /// The theme.
    pub(crate) theme: ThemeId,
    /// The target's id.
    pub(crate) id: TargetId,
}

#[derive(Debug, Args)]
pub(crate) struct AnswerArgs {
    #[command(flatten)]
    pub(crate) target: TargetRef,
    /// The proposal, by its leaf.
    pub(crate) proposal: u64,
    /// Why.
    #[arg(long)]
    pub(crate) reasons: String,
}

#[derive(Debug, Args)]
#[expect(clippy::struct_field_names, reason = "the fields are the options")]
pub(crate) struct FoundArgs {
    /// The capture that shows the source, by its sequence in the theme.
    #[arg(long, value_name = "SEQUENCE")]
    pub(crate) found_in: Option<u64>,
    /// The service that names the source, or whose mirror or copy it seems to be.
    #[arg(long, value_name = "HOST")]
    pub(crate) found_at: Option<String>,
    /// The link to the source, as the capture has it.
    #[arg(long, value_name = "URI")]
    pub(crate) found_link: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct TermsArgs {
    /// Where the crawl begins; may be given several times.
    #[arg(long = "seed", value_name = "URI")]
    pub(crate) seeds: Vec<String>,
    /// What points to this source.
    #[arg(long)]
    pub(crate) grounds: Option<String>,
    /// What it is expected to add.
    #[arg(long)]
    pub(crate) expected_value: Option<String>,
    /// The provision that the crawl rests on.
    #[arg(long)]
    pub(crate) legal_basis: Option<String>,
    /// Why the same cannot be had by lesser means.
    #[arg(long)]
    pub(crate) necessity: Option<String>,
    /// Why the intrusion is in proportion to what is expected.
    #[arg(long)]
    pub(crate) proportionality: Option<String>,
    /// How far the source can be relied on: A to F, as the Admiralty code has it.
    #[arg(long, value_name = "LETTER")]
    pub(crate) reliability: Option<Reliability>,
    /// How far what it says can be believed: 1 to 6, as the Admiralty code has it.
    #[arg(long, value_name = "DIGIT")]
    pub(crate) credibility: Option<Credibility>,
    /// When a person must look at it again: RFC 3339, or a date.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(crate) review: Option<Timestamp>,
    /// The moment at which the decision lapses: RFC 3339, or a date.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(crate) ends: Option<Timestamp>,
    /// How long content is kept, in days, where that is shorter than the theme says; 0 for as long as the theme says.
    #[arg(long, value_name = "DAYS")]
    pub(crate) retention_days: Option<u32>,
    /// A further host that belongs to it; may be given several times.
    #[arg(long = "host", value_name = "HOST")]
    pub(crate) hosts: Vec<String>,
    /// A pattern over path and query of which at least one must match; may be given several times.
    #[arg(long, value_name = "PATTERN")]
    pub(crate) include: Vec<String>,
    /// A pattern over path and query of which none may match; may be given several times.
    #[arg(long, value_name = "PATTERN")]
    pub(crate) exclude: Vec<String>,
    /// The greatest number of links from a seed.
    #[arg(long)]
    pub(crate) max_depth: Option<u16>,
    /// The greatest number of captures a day.
    #[arg(long)]
    pub(crate) pages_per_day: Option<u32>,
    /// The least time between two requests, in milliseconds.
    #[arg(long)]
    pub(crate) delay_ms: Option<u32>,
    /// The greatest number of requests at once.
    #[arg(long)]
    pub(crate) concurrency: Option<u16>,
    /// The shortest time until a page that changes is visited again, in seconds.
    #[arg(long)]
    pub(crate) revisit_min_s: Option<u32>,
    /// The longest time until a page that never changes is visited again, in seconds.
    #[arg(long)]
    pub(crate) revisit_max_s: Option<u32>,
    /// Lets images be fetched, which may themselves be illegal to hold.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "YES")]
    pub(crate) images: Option<bool>,
    /// Makes robots.txt bind.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "YES")]
    pub(crate) obey_robots: Option<bool>,
    /// Lets hosts of the clear net that are in scope be reached through a Tor exit.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "YES")]
    pub(crate) allow_exit: Option<bool>,
    /// Lets the service's demand for a proof of work be met.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "YES")]
    pub(crate) allow_proof_of_work: Option<bool>,
    /// Lets validators be sent; they can also track a visitor.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "YES")]
    pub(crate) allow_conditional_requests: Option<bool>,
}

/// A moment as people write it: a bare date means its first moment in UTC.
fn moment(text: &str) -> Result<Timestamp, InvalidTimestamp> {
    text.parse().or_else(|error| format!("{text}T00:00:00Z").parse().map_err(|_| error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_its_first_moment() {
        let midnight: Timestamp = "2026-06-01T00:00:00Z".parse().unwrap();
        assert_eq!(moment("2026-06-01").ok(), Some(midnight));
        assert_eq!(moment("2026-06-01T02:00:00+02:00").ok(), Some(midnight));
        assert!(moment("tomorrow").is_err());
    }
}
