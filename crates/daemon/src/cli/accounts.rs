//! Commands about accounts, roles, tokens and the audit log.

use clap::{Args, Subcommand};
use model::{AccountName, Role, ThemeId};

#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Makes an account, and tells the password to begin with.
    Add {
        /// A lower-case letter, then lower-case letters, digits, `.`, `-` and `_`, at most 32.
        name: AccountName,
        /// What people call its owner.
        #[arg(long)]
        full_name: String,
    },
    /// Lists the accounts and the roles that they hold.
    List,
    /// Shows an account and every role that it was ever given.
    Show { name: AccountName },
    /// Gives a role.
    Give(GiveArgs),
    /// Takes a role away.
    End {
        name: AccountName,
        /// The number of the role, as `user show` tells it.
        number: u32,
        #[arg(long)]
        reason: String,
    },
    /// Gives somebody a new password to begin with; their sessions and tokens end.
    Reset { name: AccountName },
    /// Lets nobody use an account.
    Disable {
        name: AccountName,
        #[arg(long)]
        reason: String,
    },
    /// Lets an account be used again.
    Enable {
        name: AccountName,
        #[arg(long)]
        reason: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct GiveArgs {
    pub(crate) name: AccountName,
    /// operator, analyst, investigator, approver, auditor or administrator.
    pub(crate) role: Role,
    /// The theme; left out for an administrator and for an auditor of the house.
    #[arg(long)]
    pub(crate) theme: Option<ThemeId>,
    /// The training or appointment that makes the person fit for it.
    #[arg(long)]
    pub(crate) qualification: String,
    /// The moment at which the role lapses: RFC 3339, or a date.
    #[arg(long, value_name = "TIME")]
    pub(crate) ends: String,
    /// Lets an investigator search, and not only read what was released to them.
    #[arg(long)]
    pub(crate) may_search: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Lists one's tokens and sessions.
    List,
    /// Makes a token for a program, and tells its secret once.
    New {
        /// What to call it.
        label: String,
        /// The moment at which it lapses: RFC 3339, or a date.
        #[arg(long, value_name = "TIME")]
        ends: String,
        /// Limits it to a role, such as `analyst@marketplace` or `auditor`; may be given several times.
        #[arg(long = "scope", value_name = "ROLE[@THEME]")]
        scopes: Vec<String>,
    },
    /// Makes a token good for nothing.
    Revoke { id: String },
}

#[derive(Debug, Args)]
pub(crate) struct AuditArgs {
    /// Only what concerns this theme.
    #[arg(long)]
    pub(crate) theme: Option<ThemeId>,
    /// Only what this account did.
    #[arg(long)]
    pub(crate) who: Option<String>,
    /// Only this action, such as `GET /themes/{theme}/search`.
    #[arg(long)]
    pub(crate) action: Option<String>,
    /// Only what happened then or later: RFC 3339, or a date.
    #[arg(long, value_name = "TIME")]
    pub(crate) from: Option<String>,
    /// Only what happened before: RFC 3339, or a date.
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<String>,
    /// Only leaves before this one, as the page before says.
    #[arg(long)]
    pub(crate) before: Option<u64>,
    #[arg(long, default_value_t = 50)]
    pub(crate) limit: usize,
    /// Everything that is found, one JSON object a line, to be kept elsewhere.
    #[arg(long)]
    pub(crate) export: bool,
}
