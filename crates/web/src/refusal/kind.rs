//! Every kind of problem that an answer may tell of: one catalogue, for the answers and for their description.

use axum::http::StatusCode;

/// A kind of problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kind {
    pub(crate) status: StatusCode,
    /// The last part of its tag URI.
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    /// What is wrong, for example.
    pub(crate) example: &'static str,
}

macro_rules! kinds {
    ($($constant:ident = $status:ident, $name:literal, $title:literal, $example:literal;)*) => {
        impl Kind {
            $(pub(crate) const $constant: Self =
                Self { status: StatusCode::$status, name: $name, title: $title, example: $example };)*

            /// All of them.
            pub(crate) const ALL: &[Self] = &[$(Self::$constant),*];
        }
    };
}

#[rustfmt::skip]
kinds! {
    BAD_PARAMETER = BAD_REQUEST, "bad-parameter", "Bad parameter", "limit: 2000 is more than 1000";
    BAD_CURSOR = BAD_REQUEST, "bad-cursor", "Bad cursor", "the cursor was made for another query";
    BAD_QUERY = BAD_REQUEST, "bad-query", "Bad query", "the query cannot be read: at character 7: a word is expected after NOT";
    BAD_BODY = BAD_REQUEST, "bad-body", "Bad body", "the body cannot be read: missing field `reason` at line 1 column 2";
    UNAUTHENTICATED = UNAUTHORIZED, "unauthenticated", "Not authenticated", "log in, or send a valid bearer token";
    WRONG_PASSWORD = UNAUTHORIZED, "wrong-password", "Wrong password", "name or password is wrong, or the account is disabled";
    NO_ROLE = FORBIDDEN, "no-role", "Not allowed", "this needs the role of analyst or investigator";
    PURPOSE_NEEDED = FORBIDDEN, "purpose-needed", "Purpose needed", "this theme asks for a purpose or a case number: send it in the field `nachtwacht-purpose`, or say `--purpose`";
    PASSWORD_CHANGE_NEEDED = FORBIDDEN, "password-change-needed", "Password change needed", "set a password of your own first: `PUT /account/password`, or `nachtwacht password`";
    CROSS_ORIGIN = FORBIDDEN, "cross-origin", "From another page", "the request comes from a page of another server";
    ONESELF = FORBIDDEN, "oneself", "Not to oneself", "nobody does this to their own account: ask another administrator";
    SOCKET_ONLY = FORBIDDEN, "socket-only", "Only on the socket", "this is only answered on the Unix socket";
    OWN_PROPOSAL = FORBIDDEN, "own-proposal", "Your own proposal", "proposal 17 is your own: it takes a second person to decide on it";
    NOT_YOUR_PROPOSAL = FORBIDDEN, "not-your-proposal", "Not your proposal", "proposal 17 is somebody else's: only whoever made it may withdraw it";
    NOT_FOUND = NOT_FOUND, "not-found", "Not found", "there is nothing at this path";
    UNKNOWN_THEME = NOT_FOUND, "unknown-theme", "Unknown theme", "there is no such theme";
    UNKNOWN_TARGET = NOT_FOUND, "unknown-target", "Unknown target", "there is no such target in this theme";
    UNKNOWN_PROPOSAL = NOT_FOUND, "unknown-proposal", "Unknown proposal", "there is no such proposal about this target";
    UNKNOWN_CAPTURE = NOT_FOUND, "unknown-capture", "Unknown capture", "there is no such capture in this theme";
    UNKNOWN_VERSION = NOT_FOUND, "unknown-version", "Unknown version", "the capture belongs to no version: it has no content, or is not analysed yet";
    UNKNOWN_SERVICE = NOT_FOUND, "unknown-service", "Unknown service", "no page of this service was read in this theme";
    NO_ITEM = NOT_FOUND, "no-item", "No item", "the capture shows no item: it is not analysed yet, or no page about one offer";
    UNKNOWN_NAME = NOT_FOUND, "unknown-name", "Unknown name", "the version has no name";
    UNKNOWN_HOLD = NOT_FOUND, "unknown-hold", "Unknown hold", "there is no such hold in this theme";
    UNKNOWN_RULE = NOT_FOUND, "unknown-rule", "Unknown rule", "there is no such rule in this theme";
    UNKNOWN_WATCH = NOT_FOUND, "unknown-watch", "Unknown watch", "there is no such watch in this theme";
    UNKNOWN_ALERT = NOT_FOUND, "unknown-alert", "Unknown alert", "there is no such alert in this theme";
    UNKNOWN_DOSSIER = NOT_FOUND, "unknown-dossier", "Unknown dossier", "there is no such dossier in this theme";
    UNKNOWN_CHECKPOINT = NOT_FOUND, "unknown-checkpoint", "Unknown checkpoint", "the log was not signed at this size; `POST /log/checkpoint` signs what it is now";
    UNKNOWN_TILE = NOT_FOUND, "unknown-tile", "Unknown tile", "the log has no such tile";
    UNKNOWN_EXPORT = NOT_FOUND, "unknown-export", "Unknown export", "there is no such export in this theme";
    UNKNOWN_ACCOUNT = NOT_FOUND, "unknown-account", "Unknown account", "there is no such account";
    UNKNOWN_ROLE = NOT_FOUND, "unknown-role", "Unknown role", "the account holds no such role now";
    UNKNOWN_TOKEN = NOT_FOUND, "unknown-token", "Unknown token", "there is no such token";
    NO_DOCUMENT = NOT_FOUND, "no-document", "No document", "the capture is not analysed yet";
    METHOD_NOT_ALLOWED = METHOD_NOT_ALLOWED, "method-not-allowed", "Method not allowed", "what is at this path does not take this method";
    TOO_SLOW = REQUEST_TIMEOUT, "too-slow", "Body too slow", "the body did not come in time";
    ANSWERED = CONFLICT, "answered", "Answered already", "proposal 17 was approved already";
    OVERTAKEN = CONFLICT, "overtaken", "Another decision came since", "another decision came since proposal 17 was made: propose it anew in view of that";
    NOT_IN_FORCE = CONFLICT, "not-in-force", "Not in force", "decision 17 is not in force";
    BEYOND_CHECKPOINT = CONFLICT, "beyond-checkpoint", "Beyond the checkpoint", "capture marketplace/17 came after the checkpoint of 410 leaves";
    TOO_MANY = CONFLICT, "too-many", "Too many", "the theme has 1000 watches already, and no more are kept; delete one that is not needed";
    RULE_CHANGED = CONFLICT, "rule-changed", "Rule has changed", "the version in force is 4711: look at it, and say what it should become";
    WATCH_CHANGED = CONFLICT, "watch-changed", "Watch has changed", "the version of the watch is 3 now: look at it, and say what it should become";
    ACKNOWLEDGED = CONFLICT, "acknowledged", "Already acknowledged", "alert 17 is acknowledged already, and the first word stands";
    ACCOUNT_TAKEN = CONFLICT, "account-taken", "Account taken", "there is an account anna already";
    NO_ACCOUNT = CONFLICT, "no-account", "No account", "whoever opens the Unix socket has no account there: log in first";
    HELD = CONFLICT, "held", "Held", "capture marketplace/17 is held: leaf 42 of the evidence log set the hold; it must be lifted first";
    NOT_ANALYSED = CONFLICT, "not-analysed", "Not yet analysed", "capture marketplace/17 is not analysed yet; it can be erased when it is";
    NOT_YET_INDEXED = CONFLICT, "not-yet-indexed", "Not yet indexed", "sequence 9 is not indexed yet; the index is complete to 3";
    RETIRED = CONFLICT, "retired", "Target is retired", "target 00000000000007f3 is retired: it does not change any more";
    KEY_IN_USE = CONFLICT, "key-in-use", "Key in use", "the request with this idempotency key is being carried out; ask again in a moment";
    DONE_ALREADY = CONFLICT, "done-already", "Done already", "the request with this idempotency key was answered with status 201, and its answer is not kept";
    OUTCOME_UNKNOWN = CONFLICT, "outcome-unknown", "Outcome unknown", "the request with this idempotency key was begun and never answered: look whether it was done before you send it with a new key";
    CHANGED = GONE, "changed", "Changed since", "what was exported has changed since";
    WITHDRAWN = GONE, "withdrawn", "Dossier was withdrawn", "dossier 17 was withdrawn; leaf 42 of the evidence log says when";
    ERASED = GONE, "erased", "Erased", "capture marketplace/17 was erased; leaf 42 of the evidence log says when and on what ground";
    GENERATION_RETIRED = GONE, "generation-retired", "Generation is retired", "this generation cannot be answered from any more: something was erased";
    PRECONDITION_FAILED = PRECONDITION_FAILED, "precondition-failed", "Changed since it was read", "what is there now is \"4711\", and not what `If-Match` names: read it again";
    TOO_LARGE = PAYLOAD_TOO_LARGE, "too-large", "Body too large", "the body is larger than 1 MiB";
    MEDIA_TYPE = UNSUPPORTED_MEDIA_TYPE, "media-type", "Unsupported media type", "the body must be of the type application/json";
    BEYOND_END = RANGE_NOT_SATISFIABLE, "beyond-end", "Beyond the end", "the export has 4096 bytes";
    INVALID = UNPROCESSABLE_ENTITY, "invalid", "Invalid value", "reason: say it in 1 to 4096 bytes";
    UNPROVEN = UNPROCESSABLE_ENTITY, "unproven", "Proves nothing", "the time-stamp is of something else";
    TOO_COSTLY = UNPROCESSABLE_ENTITY, "too-costly", "Query costs too much", "the query costs more than 5000000 looks at entries; ask for less, or narrow it";
    KEY_REUSED = UNPROCESSABLE_ENTITY, "key-reused", "Key of another request", "this idempotency key was sent with another request: use a new one for each";
    TOO_MANY_ATTEMPTS = TOO_MANY_REQUESTS, "too-many-attempts", "Too many attempts", "too many wrong attempts: try again in 60 s";
    TOO_MANY_REQUESTS = TOO_MANY_REQUESTS, "too-many-requests", "Too many requests", "more requests than are answered: try again in 1 s";
    SEALED = UNAVAILABLE_FOR_LEGAL_REASONS, "sealed", "Sealed", "capture marketplace/17 is sealed; leaf 42 of the evidence log says when, and a decision is pending";
    INTERNAL = INTERNAL_SERVER_ERROR, "internal", "Internal error", "something failed inside; the log of the daemon says more";
    UNAUDITED = SERVICE_UNAVAILABLE, "unaudited", "Cannot be recorded", "what is asked cannot be recorded in the audit log, and so it is not answered";
    ERASING = SERVICE_UNAVAILABLE, "erasing", "Erasure under way", "an erasure is being carried out in theme marketplace; ask again in a moment";
    NOT_READY = SERVICE_UNAVAILABLE, "not-ready", "Not ready", "this is missing: the Tor client is not ready";
    CLOSING = SERVICE_UNAVAILABLE, "closing", "Closing", "the store is closing";
    NO_ROOM = INSUFFICIENT_STORAGE, "no-room", "No room on the disk", "the disk has too little room: make room there, or erase something";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_kinds_have_one_name() {
        let names: BTreeSet<_> = Kind::ALL.iter().map(|kind| kind.name).collect();
        assert_eq!(names.len(), Kind::ALL.len());
    }
}
