//! What analysts write and say: indicators, site profiles, labels.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use model::{CaptureId, Label, ThemeId};

#[derive(Debug, Subcommand)]
pub(crate) enum IndicatorsCommand {
    /// Checks files of indicators: what is wrong, and which examples do not come out. It needs no daemon.
    Check {
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Tries the indicators of a file on the newest stored captures; nothing is kept.
    Test(TrialArgs),
    /// Says what a change of an indicator did to stored captures: what became flagged, and what ceased to be.
    Report {
        #[command(flatten)]
        rule: RuleRef,
        /// The version before; the one before that after, where it is not given.
        #[arg(long)]
        before: Option<u64>,
        /// The version after; the newest, where it is not given.
        #[arg(long)]
        after: Option<u64>,
    },
    /// Lists what an indicator flags, the newest capture first.
    Flagged {
        #[command(flatten)]
        rule: RuleRef,
        /// One of its versions; the newest, where it is not given.
        #[arg(long)]
        version: Option<u64>,
        /// From this capture down, as the page before says.
        #[arg(long)]
        from: Option<u64>,
        #[arg(long, default_value_t = 20)]
        limit: usize,
    },
    #[command(flatten)]
    Rule(RuleCommand),
}

#[derive(Debug, Subcommand)]
pub(crate) enum SiteCommand {
    /// Tries the site profile of a file on the newest stored captures; nothing is kept.
    Test(TrialArgs),
    #[command(flatten)]
    Rule(RuleCommand),
}

/// What is done with both kinds of rules.
#[derive(Debug, Subcommand)]
pub(crate) enum RuleCommand {
    /// Lists those in force.
    List {
        #[arg(long)]
        theme: ThemeId,
    },
    /// Shows one, with its history.
    Show {
        #[command(flatten)]
        rule: RuleRef,
        /// One of its versions; the newest, where it is not given.
        #[arg(long)]
        version: Option<u64>,
    },
    /// Writes what a file holds as new versions.
    Put {
        #[arg(long)]
        theme: ThemeId,
        file: PathBuf,
    },
    /// Takes one away. What an indicator found stays; pages that a site profile read are read again without it.
    Remove {
        #[command(flatten)]
        rule: RuleRef,
    },
}

#[derive(Debug, Args)]
pub(crate) struct RuleRef {
    #[arg(long)]
    pub(crate) theme: ThemeId,
    /// Its name.
    pub(crate) name: String,
}

#[derive(Debug, Args)]
pub(crate) struct TrialArgs {
    #[arg(long)]
    pub(crate) theme: ThemeId,
    pub(crate) file: PathBuf,
    /// The number of the newest captures that are looked at.
    #[arg(long, default_value_t = 2000)]
    pub(crate) captures: u64,
}

#[derive(Debug, Subcommand)]
pub(crate) enum LabelCommand {
    /// Labels the version that a capture belongs to: relevant, not-relevant or unsure.
    Set {
        /// A capture, such as marketplace/17.
        capture: CaptureId,
        label: Label,
        #[command(flatten)]
        about: LabelAbout,
        /// What else is to be said.
        #[arg(long)]
        note: Option<String>,
    },
    /// Takes back what one said of the same.
    Remove {
        /// A capture, such as marketplace/17.
        capture: CaptureId,
        #[command(flatten)]
        about: LabelAbout,
    },
    /// Shows the labels of the version that a capture belongs to, with their history.
    Show { capture: CaptureId },
    /// Lists the labels of a theme, the newest first.
    List {
        #[arg(long)]
        theme: ThemeId,
        #[arg(long)]
        label: Option<Label>,
        #[arg(long)]
        indicator: Option<String>,
        /// Only those of this account.
        #[arg(long)]
        author: Option<String>,
        /// From this leaf down, as the page before says.
        #[arg(long)]
        from: Option<u64>,
        #[arg(long, default_value_t = 20)]
        limit: usize,
    },
    /// Says how far two labellers agree.
    Agreement {
        #[arg(long)]
        theme: ThemeId,
        a: String,
        b: String,
        #[arg(long)]
        indicator: Option<String>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct LabelAbout {
    /// The indicator that it is about; the page as such, where it is not given.
    #[arg(long)]
    pub(crate) indicator: Option<String>,
}
