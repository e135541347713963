//! The audit log, for auditors: of the house, or of a theme.

use std::collections::BTreeMap;

use axum::{
    Extension, Json,
    extract::{RawQuery, State},
};
use model::{ThemeId, Timestamp};
use proof::{Fact, Leaf};
use serde_json::Value;
use store::{AuditFilter, RecordedAct};
use utoipa::IntoParams;

use crate::{
    api::{AuditEntry, AuditPage},
    app::{Running, Shared},
    authentication::Who,
    refusal::Refusal,
    request::{AtTheme, Parameters},
};

#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it describes the parameters, which are read by hand")]
pub(crate) struct AuditParameters {
    /// Only what this account did.
    who: Option<String>,
    /// Only this action: a method and a route, such as `GET /themes/{theme}/search`, or what became of an account.
    action: Option<String>,
    /// Only what happened at this time or later.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Only what happened before this time.
    #[param(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
    /// Only leaves before this one: the `next` of the page before.
    before: Option<u64>,
    /// How many at most.
    #[param(default = 100, maximum = 1000)]
    limit: Option<usize>,
}

/// What was done in the house
///
/// A page may hold fewer entries than there are: `next` says where to go on.
#[utoipa::path(
    get, path = "/audit", tag = "audit", operation_id = "read_audit_log", params(AuditParameters),
    responses((status = 200, description = "The newest first.", body = AuditPage)),
)]
pub(crate) async fn house(
    State(running): State<Shared>,
    Extension(who): Extension<Who>,
    RawQuery(query): RawQuery,
) -> Result<Json<AuditPage>, Refusal> {
    read(&running, who, None, query).await
}

/// What was done in a theme
#[utoipa::path(
    get, path = "/themes/{theme}/audit", tag = "audit", operation_id = "read_audit_log_of_theme",
    params(AtTheme, AuditParameters),
    responses((status = 200, description = "The newest first.", body = AuditPage)),
)]
pub(crate) async fn of_theme(
    State(running): State<Shared>,
    at: AtTheme,
    RawQuery(query): RawQuery,
) -> Result<Json<AuditPage>, Refusal> {
    read(&running, at.who.clone(), Some(at.theme), query).await
}

async fn read(
    running: &Shared,
    who: Who,
    theme: Option<ThemeId>,
    query: Option<String>,
) -> Result<Json<AuditPage>, Refusal> {
    let given = Parameters::read(query.as_deref(), &["who", "action", "from", "until", "before", "limit"])?;
    let filter = AuditFilter {
        who: given.one("who")?,
        action: given.one("action")?,
        from: given.one("from")?,
        until: given.one("until")?,
    };
    let (before, limit) = (given.one("before")?, given.limit(100, 1000)?);
    let read = move |running: &Running| {
        let grant = running.app.authority.audit(who.name(), theme);
        let page = running.app.store.audit_page(&grant, theme, &filter, before, limit)?;
        // How busy the whole house is, is nothing for an auditor of a theme.
        let head = running.app.store.audit_head();
        let head = theme.is_none().then_some(head);
        let (size, root) = (head.map(|head| head.size), head.map(|head| head.root.to_string()));
        Ok(AuditPage { size, root, entries: page.acts.into_iter().filter_map(shown).collect(), next: page.next })
    };
    running.blocking(read).await.map(Json)
}

fn shown(act: RecordedAct) -> Option<AuditEntry> {
    let leaf = Leaf::decode(&act.entry).ok()?;
    let text = |(name, part): (String, Vec<u8>)| (name, String::from_utf8_lossy(&part).into_owned());
    Some(AuditEntry {
        leaf: act.leaf,
        at: Timestamp::from_micros(leaf.time_us),
        kind: leaf.kind.name().to_owned(),
        commits_to: leaf.parts.into_keys().collect(),
        facts: leaf.facts.into_iter().map(|(name, fact)| (name, value(fact))).collect::<BTreeMap<_, _>>(),
        texts: act.parts.into_iter().map(text).collect(),
    })
}

fn value(fact: Fact) -> Value {
    match fact {
        Fact::Int(int) => int.into(),
        Fact::Text(text) => text.into(),
        Fact::Bytes(bytes) => data_encoding::HEXLOWER.encode(&bytes).into(),
        Fact::Bool(yes) => yes.into(),
    }
}
