//! Watches, their alerts, and dossiers.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use model::{CaptureId, Grouping, QuietHours, ThemeId, Trigger};

#[derive(Debug, Subcommand)]
pub(crate) enum WatchCommand {
    /// Keeps a query that tells when something matches it; prints the watch.
    Add {
        #[arg(long)]
        theme: ThemeId,
        #[command(flatten)]
        watch: Box<WatchArgs>,
    },
    /// Lists the watches of a theme, how far each has come, and what keeps it.
    List {
        #[arg(long)]
        theme: ThemeId,
    },
    /// Shows a watch, such as marketplace/17, with its history.
    Show { watch: CaptureId },
    /// Writes a watch anew; it goes on from where it was, and is owned by whoever writes it.
    Change {
        /// The watch, such as marketplace/17.
        id: CaptureId,
        #[command(flatten)]
        watch: Box<WatchArgs>,
        /// Why it is changed.
        #[arg(long)]
        because: String,
    },
    /// Lets a watch rest; what matches meanwhile is told when it goes on.
    Pause {
        watch: CaptureId,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Lets a watch go on.
    Resume {
        watch: CaptureId,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Deletes a watch; its alerts stay.
    Remove {
        watch: CaptureId,
        /// Why.
        #[arg(long)]
        reason: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct WatchArgs {
    /// What people call it.
    #[arg(long)]
    pub(crate) name: String,
    /// Why it is kept.
    #[arg(long)]
    pub(crate) reason: String,
    /// The purpose or the number of the case that it serves.
    #[arg(long)]
    pub(crate) purpose: Option<String>,
    /// What makes it run: arrival, every:MINUTES, or daily:HH:MM (UTC).
    #[arg(long, default_value = "arrival")]
    pub(crate) trigger: Trigger,
    /// What one alert is about: hit, uri, target or run.
    #[arg(long = "group", default_value = "uri")]
    pub(crate) grouping: Grouping,
    /// Hours in which nobody is told, HH:MM-HH:MM (UTC).
    #[arg(long)]
    pub(crate) quiet: Option<QuietHours>,
    /// A filter of the search, such as kind=listing or label=relevant; may be given several times.
    #[arg(long = "filter", value_name = "NAME=VALUE")]
    pub(crate) filters: Vec<String>,
    /// What to look for, as a search takes it.
    pub(crate) query: Vec<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AlertsCommand {
    /// Lists what watches found, the newest first.
    List {
        #[arg(long)]
        theme: ThemeId,
        /// Only those of this watch.
        #[arg(long)]
        watch: Option<u64>,
        /// Also those that somebody has seen to.
        #[arg(long)]
        all: bool,
        /// From this number down, as the page before says.
        #[arg(long)]
        from: Option<u64>,
        #[arg(long, default_value_t = 20)]
        limit: usize,
    },
    /// Shows an alert, such as marketplace/5, with all of its captures.
    Show { alert: CaptureId },
    /// Says that one has seen to an alert.
    Ack {
        alert: CaptureId,
        /// What else is to be said.
        #[arg(long)]
        note: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum DossierCommand {
    /// Releases versions to somebody; prints the dossier.
    Release {
        #[arg(long)]
        title: String,
        /// What for.
        #[arg(long)]
        purpose: String,
        /// To whom: the name of an account or of a unit.
        #[arg(long = "to")]
        recipient: String,
        /// What else is to be said.
        #[arg(long)]
        note: Option<String>,
        /// A capture of each version, such as marketplace/17, all of one theme.
        #[arg(required = true)]
        versions: Vec<CaptureId>,
    },
    /// Lists the dossiers of a theme, the newest first.
    List {
        #[arg(long)]
        theme: ThemeId,
        /// Only those that were released to this account or unit.
        #[arg(long = "to")]
        recipient: Option<String>,
        /// From this one down, as the page before says.
        #[arg(long)]
        from: Option<u64>,
        #[arg(long, default_value_t = 20)]
        limit: usize,
    },
    /// Shows a dossier, such as marketplace/4711: what it holds, how long that is kept, and its history.
    Show { dossier: CaptureId },
    /// Releases more versions in a dossier.
    Add {
        dossier: CaptureId,
        /// What else is to be said.
        #[arg(long)]
        note: Option<String>,
        /// A capture of each version, of the dossier's theme.
        #[arg(required = true)]
        versions: Vec<CaptureId>,
    },
    /// Withdraws a dossier: nothing is read through it from then on.
    Withdraw {
        dossier: CaptureId,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Prints the text of a capture that a dossier holds.
    Text { dossier: CaptureId, capture: CaptureId },
    /// Shows what was read in a capture that a dossier holds, its observables among it.
    Document { dossier: CaptureId, capture: CaptureId },
    /// Writes the payload of a capture that a dossier holds to a file.
    Payload {
        dossier: CaptureId,
        capture: CaptureId,
        /// The file; it must not exist yet.
        #[arg(long, short)]
        output: PathBuf,
    },
}
