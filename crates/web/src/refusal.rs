//! Why a request is not answered as asked, and the one place that says with which status.

mod kind;

use axum::{
    http::{
        HeaderValue, StatusCode,
        header::{CONTENT_RANGE, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
    },
    response::{IntoResponse, Response},
};
use model::{InvalidTerms, TargetId};

pub(crate) use self::kind::Kind;
use crate::api::Problem;

/// The media type of a problem (RFC 9457, section 3).
pub(crate) const PROBLEM_JSON: &str = "application/problem+json";

/// What stands before the name of a kind of problem: a tag URI (RFC 4151), which identifies and leads nowhere.
pub(crate) const TAG: &str = "tag:nachtwacht,2026:";

/// Seconds after which it is worth to ask again.
const RETRY_AFTER_S: &str = "5";

/// Why a request is not answered as asked. The message is what the caller is told, but for what went wrong inside.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("there is nothing at this path")]
    NoRoute,
    #[error("what is at this path does not take this method")]
    MethodNotAllowed,
    #[error("log in, or send a valid bearer token")]
    Unauthenticated,
    #[error("name or password is wrong, or the account is disabled")]
    WrongPassword,
    #[error("too many wrong attempts: try again in {retry_after_s} s")]
    TooManyGuesses { retry_after_s: u64 },
    #[error("the request comes from a page of another server")]
    CrossOrigin,
    #[error("set a password of your own first: `PUT /account/password`, or `nachtwacht password`")]
    PasswordChangeNeeded,
    #[error("this needs the role of {}", roles(.0))]
    NoRole(&'static [model::Role]),
    #[error(
        "this theme asks for a purpose or a case number: send it in the field `nachtwacht-purpose`, or say `--purpose`"
    )]
    NoPurpose,
    #[error("there is no such account")]
    NoAccount,
    #[error("the account holds no such role now")]
    NoRoleGiven,
    #[error("there is no such token")]
    NoToken,
    #[error("nobody does this to their own account: ask another administrator")]
    Oneself,
    #[error("whoever opens the Unix socket has no account there: log in first")]
    NotAnAccount,
    /// Said of a theme that does not exist and of one that the caller has no grant for, so that they cannot be told
    /// apart.
    #[error("there is no such theme")]
    NoTheme,
    #[error("there is no such target in this theme")]
    NoTarget,
    #[error("there is no such proposal about this target")]
    NoProposal,
    #[error("there is no such capture in this theme")]
    NoCapture,
    #[error("the capture belongs to no version: it has no content, or is not analysed yet")]
    NoVersion,
    #[error("no page of this service was read in this theme")]
    NoService,
    #[error("the capture shows no item: it is not analysed yet, or no page about one offer")]
    NoItem,
    #[error("the version has no name")]
    NoName,
    #[error("there is no such hold in this theme")]
    NoHold,
    #[error("there is no such rule in this theme")]
    NoRule,
    #[error("there is no such watch in this theme")]
    NoWatch,
    #[error("there is no such alert in this theme")]
    NoAlert,
    #[error("there is no such dossier in this theme")]
    NoDossier,
    #[error("the log was not signed at this size; `POST /log/checkpoint` signs what it is now")]
    NoCheckpoint,
    #[error("the log has no such tile")]
    NoTile,
    #[error("there is no such export in this theme")]
    NoExport,
    #[error("the export has {0} bytes")]
    BeyondEnd(u64),
    #[error(transparent)]
    Export(release::Error),
    #[error("this generation cannot be answered from any more: {0}")]
    GenerationRetired(&'static str),
    #[error("{0}")]
    NoDocument(&'static str),
    #[error("{name}: {problem}")]
    Parameter { name: String, problem: String },
    #[error("this is only answered on the Unix socket")]
    SocketOnly,
    #[error("the body must be of the type application/json")]
    MediaType,
    #[error("the body is larger than {0} MiB")]
    TooLarge(usize),
    #[error("the body did not come in time")]
    TooSlow,
    #[error("the body broke off")]
    BrokenBody,
    #[error("the body cannot be read: {0}")]
    Body(serde_json::Error),
    #[error(transparent)]
    InvalidTerms(#[from] InvalidTerms),
    #[error("{field}: {problem}")]
    Invalid { field: &'static str, problem: String },
    #[error("target {0} is retired: it does not change any more")]
    Retired(TargetId),
    #[error("this is missing: {}", .0.join("; "))]
    NotReady(Vec<String>),
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error(transparent)]
    Search(#[from] search::Error),
    #[error("a request died: {0}")]
    Died(#[from] tokio::task::JoinError),
    #[error("no randomness: {0}")]
    NoRandomness(#[from] getrandom::Error),
    #[error("a password cannot be hashed: {0}")]
    Hash(String),
    #[error("more requests than are answered: try again in {retry_after_s} s")]
    TooManyRequests { retry_after_s: u64 },
    #[error("what is there now is {0}, and not what `If-Match` names: read it again")]
    PreconditionFailed(String),
    #[error("the request with this idempotency key is being carried out; ask again in a moment")]
    KeyInUse,
    #[error("this idempotency key was sent with another request: use a new one for each")]
    KeyReused,
    #[error(
        "the request with this idempotency key was begun and never answered: look whether it was done before you send it with a new key"
    )]
    OutcomeUnknown,
    #[error(
        "the request with this idempotency key was answered with status {status}{}, and its answer is not kept",
        location.as_ref().map(|location| format!(" and the location {location}")).unwrap_or_default()
    )]
    DoneAlready { status: u16, location: Option<String> },
}

/// Roles, as a sentence names them.
fn roles(roles: &[model::Role]) -> String {
    roles.iter().map(|role| role.as_str()).collect::<Vec<_>>().join(" or ")
}

impl From<release::Error> for Refusal {
    fn from(error: release::Error) -> Self {
        match error {
            release::Error::Store(error) => Self::Store(error),
            other => Self::Export(other),
        }
    }
}

impl Refusal {
    /// What kind of problem it is.
    fn kind(&self) -> Kind {
        use release::Error as Release;
        use search::Error as Find;
        use store::{DecisionError as Decide, Error as Keep};
        match self {
            Self::NoRoute => Kind::NOT_FOUND,
            Self::NoTheme | Self::Store(Keep::NotGranted(_)) | Self::Search(Find::NotGranted(_)) => Kind::UNKNOWN_THEME,
            Self::NoTarget | Self::Store(Keep::Decision(Decide::NoTarget)) => Kind::UNKNOWN_TARGET,
            Self::NoProposal | Self::Store(Keep::Decision(Decide::NoProposal)) => Kind::UNKNOWN_PROPOSAL,
            Self::Store(Keep::Decision(Decide::OwnProposal(_))) => Kind::OWN_PROPOSAL,
            Self::Store(Keep::Decision(Decide::NotYours(_))) => Kind::NOT_YOUR_PROPOSAL,
            Self::Store(Keep::Decision(Decide::Answered(..))) => Kind::ANSWERED,
            Self::Store(Keep::Decision(Decide::Overtaken(_))) => Kind::OVERTAKEN,
            Self::Store(Keep::Decision(Decide::NotInForce(_))) => Kind::NOT_IN_FORCE,
            Self::NoVersion | Self::Store(Keep::NoVersion(_)) | Self::Export(Release::NoVersion(_)) => {
                Kind::UNKNOWN_VERSION
            }
            Self::NoService => Kind::UNKNOWN_SERVICE,
            Self::NoItem => Kind::NO_ITEM,
            Self::NoName => Kind::UNKNOWN_NAME,
            Self::NoCapture | Self::Store(Keep::NotInDossier(..)) | Self::Export(Release::NoCapture(_)) => {
                Kind::UNKNOWN_CAPTURE
            }
            Self::NoCheckpoint | Self::Export(Release::NoCheckpoint(_)) => Kind::UNKNOWN_CHECKPOINT,
            Self::NoExport => Kind::UNKNOWN_EXPORT,
            Self::BeyondEnd(_) => Kind::BEYOND_END,
            Self::Export(Release::BeyondCheckpoint(..)) => Kind::BEYOND_CHECKPOINT,
            Self::Export(Release::Changed(_)) => Kind::CHANGED,
            Self::NoTile => Kind::UNKNOWN_TILE,
            Self::Store(Keep::Unproven(_)) => Kind::UNPROVEN,
            Self::NoRule => Kind::UNKNOWN_RULE,
            Self::Store(Keep::RuleChanged(_)) => Kind::RULE_CHANGED,
            Self::NoWatch => Kind::UNKNOWN_WATCH,
            Self::NoAlert => Kind::UNKNOWN_ALERT,
            Self::NoDossier | Self::Store(Keep::NoDossier(_)) => Kind::UNKNOWN_DOSSIER,
            Self::Store(Keep::WatchChanged(_)) => Kind::WATCH_CHANGED,
            Self::Store(Keep::TooManyTimestamps(_) | Keep::TooManyWatches(_)) => Kind::TOO_MANY,
            Self::Store(Keep::Acknowledged(_)) => Kind::ACKNOWLEDGED,
            Self::Store(Keep::DossierWithdrawn(..)) => Kind::WITHDRAWN,
            Self::NoHold => Kind::UNKNOWN_HOLD,
            Self::NoRole(_) => Kind::NO_ROLE,
            Self::NoPurpose => Kind::PURPOSE_NEEDED,
            Self::PasswordChangeNeeded => Kind::PASSWORD_CHANGE_NEEDED,
            Self::CrossOrigin => Kind::CROSS_ORIGIN,
            Self::Oneself => Kind::ONESELF,
            Self::WrongPassword => Kind::WRONG_PASSWORD,
            Self::TooManyGuesses { .. } => Kind::TOO_MANY_ATTEMPTS,
            Self::NoAccount => Kind::UNKNOWN_ACCOUNT,
            Self::NoRoleGiven => Kind::UNKNOWN_ROLE,
            Self::NoToken => Kind::UNKNOWN_TOKEN,
            Self::NotAnAccount => Kind::NO_ACCOUNT,
            Self::Store(Keep::AccountTaken(_)) => Kind::ACCOUNT_TAKEN,
            Self::Store(Keep::Unaudited(_)) => Kind::UNAUDITED,
            Self::Store(Keep::Sealed(..)) => Kind::SEALED,
            Self::Store(Keep::Held(..)) => Kind::HELD,
            Self::Store(Keep::NotAnalysed(_)) => Kind::NOT_ANALYSED,
            Self::Store(Keep::Changing(_)) | Self::Search(Find::Erasing(_)) => Kind::ERASING,
            Self::Store(Keep::Erased(..)) => Kind::ERASED,
            Self::GenerationRetired(_) => Kind::GENERATION_RETIRED,
            Self::Search(Find::TooCostly { .. }) => Kind::TOO_COSTLY,
            Self::NoDocument(_) => Kind::NO_DOCUMENT,
            Self::MethodNotAllowed => Kind::METHOD_NOT_ALLOWED,
            Self::Unauthenticated => Kind::UNAUTHENTICATED,
            Self::SocketOnly => Kind::SOCKET_ONLY,
            Self::Parameter { .. } | Self::Search(Find::TooManyFilters { .. }) => Kind::BAD_PARAMETER,
            Self::Search(Find::Cursor(_)) => Kind::BAD_CURSOR,
            Self::Search(Find::Query(_)) => Kind::BAD_QUERY,
            Self::Search(Find::NotYetIndexed { .. }) => Kind::NOT_YET_INDEXED,
            Self::Body(_) | Self::BrokenBody => Kind::BAD_BODY,
            Self::MediaType => Kind::MEDIA_TYPE,
            Self::TooLarge(_) => Kind::TOO_LARGE,
            Self::TooSlow => Kind::TOO_SLOW,
            Self::InvalidTerms(_)
            | Self::Invalid { .. }
            | Self::Store(Keep::Decision(Decide::Invalid(_)) | Keep::TooManyVersions(_))
            | Self::Export(Release::NoPurpose | Release::Nothing) => Kind::INVALID,
            Self::Retired(_) | Self::Store(Keep::Decision(Decide::Retired(_))) => Kind::RETIRED,
            Self::NotReady(_) => Kind::NOT_READY,
            Self::Store(Keep::Closing) => Kind::CLOSING,
            Self::TooManyRequests { .. } => Kind::TOO_MANY_REQUESTS,
            Self::PreconditionFailed(_) => Kind::PRECONDITION_FAILED,
            Self::KeyInUse => Kind::KEY_IN_USE,
            Self::KeyReused => Kind::KEY_REUSED,
            Self::OutcomeUnknown => Kind::OUTCOME_UNKNOWN,
            Self::DoneAlready { .. } => Kind::DONE_ALREADY,
            Self::Store(error) if error.is_disk_full() => Kind::NO_ROOM,
            Self::Store(_)
            | Self::Search(_)
            | Self::Export(_)
            | Self::Died(_)
            | Self::NoRandomness(_)
            | Self::Hash(_) => Kind::INTERNAL,
        }
    }

    /// The status, and what the caller is told.
    pub(crate) fn problem(&self) -> (StatusCode, Problem) {
        let Kind { status, name, title, .. } = self.kind();
        let detail = match self {
            // What the inner layers say of themselves is for the log; it may name paths, keys, or another theme.
            _ if status == StatusCode::INTERNAL_SERVER_ERROR => {
                tracing::error!(error = %self, "a request failed");
                "something failed inside; the log of the daemon says more".to_owned()
            }
            Self::Store(error) if error.is_disk_full() => {
                tracing::error!(%error, "a request found the disk full");
                "the disk has too little room: make room there, or erase something".to_owned()
            }
            Self::Store(error @ store::Error::Unaudited(_)) => {
                tracing::error!(%error, "an answer was not given");
                "what is asked cannot be recorded in the audit log, and so it is not answered".to_owned()
            }
            Self::Store(store::Error::NotGranted(_)) | Self::Search(search::Error::NotGranted(_)) => {
                Self::NoTheme.to_string()
            }
            told => told.to_string(),
        };
        let at = match self {
            Self::Search(search::Error::Query(error)) => Some(error.at),
            _ => None,
        };
        let missing = if let Self::NotReady(missing) = self { missing.clone() } else { Vec::new() };
        let problem =
            Problem { kind: format!("{TAG}{name}"), title: title.into(), status: status.as_u16(), detail, at, missing };
        (status, problem)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, problem) = self.problem();
        let retry_after = match (&self, status) {
            (Self::TooManyGuesses { retry_after_s } | Self::TooManyRequests { retry_after_s }, _) => {
                Some(HeaderValue::from(*retry_after_s))
            }
            (_, StatusCode::SERVICE_UNAVAILABLE) => Some(HeaderValue::from_static(RETRY_AFTER_S)),
            _ => None,
        };
        let kind = self.kind();
        let end =
            if let Self::BeyondEnd(end) = self { HeaderValue::try_from(format!("bytes */{end}")).ok() } else { None };
        let mut response = (status, axum::Json(problem)).into_response();
        response.extensions_mut().insert(kind);
        let fields = response.headers_mut();
        fields.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        if let Some(end) = end {
            fields.insert(CONTENT_RANGE, end);
        }
        if status == StatusCode::UNAUTHORIZED {
            fields.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(retry_after) = retry_after {
            fields.insert(RETRY_AFTER, retry_after);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(refusal: &Refusal, status: u16, kind: &str, detail: &str) {
        let (code, problem) = refusal.problem();
        assert_eq!((code.as_u16(), problem.status), (status, status), "{refusal:?}");
        assert_eq!((problem.kind.as_str(), problem.detail.as_str()), (format!("{TAG}{kind}").as_str(), detail));
    }

    #[test]
    fn no_grant_looks_like_no_theme() {
        let theme = "marketplace".parse().unwrap();
        for refusal in [
            Refusal::NoTheme,
            Refusal::Store(store::Error::NotGranted(theme)),
            Refusal::Search(search::Error::NotGranted(theme)),
        ] {
            check(&refusal, 404, "unknown-theme", "there is no such theme");
        }
    }

    #[test]
    fn what_fails_inside_stays_inside() {
        let damaged = store::Error::Corrupt { table: store::Table::Captures, key: "6d61726b6574".into() };
        check(&damaged.into(), 500, "internal", "something failed inside; the log of the daemon says more");
    }

    #[test]
    fn a_full_disk_says_what_to_do_and_not_where_it_is() {
        let full = store::Error::NoRoom { directory: "/var/lib".into(), free_mb: 3 };
        check(&full.into(), 507, "no-room", "the disk has too little room: make room there, or erase something");
    }

    #[test]
    fn a_closing_store_asks_for_patience() {
        let response = Refusal::Store(store::Error::Closing).into_response();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers()[RETRY_AFTER], RETRY_AFTER_S);
        assert_eq!(response.headers()[CONTENT_TYPE], PROBLEM_JSON);
    }

    #[test]
    fn a_state_that_is_not_reached_yet_is_a_conflict() {
        let error = search::Error::NotYetIndexed { asked: model::Seq(9), indexed: model::Seq(3) };
        check(&error.into(), 409, "not-yet-indexed", "sequence 9 is not indexed yet; the index is complete to 3");
    }
}
