//! Alerts: what watches found, and who has seen to it.

use axum::{
    Json,
    extract::{FromRequestParts, RawQuery, State},
    http::request::Parts,
};
use model::{CaptureId, Grant, Phase, ThemeId};
use store::AlertFilter;
use utoipa::IntoParams;

use crate::{
    api::{Acknowledgement, Alert, Alerts, NewAcknowledgement},
    app::{Running, Shared},
    authentication::Who,
    refusal::Refusal,
    request::{AtTheme, Body, Parameters, part, refused, said},
};

/// The most alerts on a page.
const MAX_LIMIT: usize = 100;

/// The most captures that a list tells of each alert.
const MOST_LISTED: usize = 100;

/// A path that points at an alert of a theme.
#[derive(Debug, Clone, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct AtAlert {
    /// The name of a theme.
    #[param(value_type = String, example = "marketplace")]
    theme: ThemeId,
    /// The number of an alert within the theme.
    #[param(example = 5)]
    alert: u64,
    #[param(ignore)]
    who: Who,
}

impl FromRequestParts<Shared> for AtAlert {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, running: &Shared) -> Result<Self, Refusal> {
        let AtTheme { theme, who } = AtTheme::from_request_parts(parts, running).await?;
        let alert = part(parts, "alert").await?.ok_or(Refusal::NoAlert)?;
        Ok(Self { theme, alert, who })
    }
}

impl AtAlert {
    fn grant(&self, running: &Running) -> Grant {
        running.app.authority.grant(self.who.name(), self.theme, Phase::Analysis)
    }
}

/// Which alerts.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListParameters {
    /// Only those of this watch.
    watch: Option<u64>,
    /// `open` for those that nobody has seen to, `acknowledged` for the others; absent: both.
    state: Option<String>,
    /// The newest first, from this number down: the `next` of the page before.
    from: Option<u64>,
    /// In the order in which they came, behind this number; 0 for the first: for a program that follows what comes.
    after: Option<u64>,
    /// How many at most; never more than 100.
    #[param(value_type = Option<usize>, default = 50)]
    limit: usize,
}

impl ListParameters {
    fn read(query: Option<&str>) -> Result<Self, Refusal> {
        let given = Parameters::read(query, &["watch", "state", "from", "after", "limit"])?;
        let wanted = Self {
            watch: given.one("watch")?,
            state: given.one("state")?,
            from: given.one("from")?,
            after: given.one("after")?,
            limit: given.limit(50, MAX_LIMIT)?.max(1),
        };
        if wanted.from.is_some() && wanted.after.is_some() {
            return Err(refused("after", "it goes the other way than `from`"));
        }
        Ok(wanted)
    }

    fn filter(&self) -> Result<AlertFilter, Refusal> {
        let is_acknowledged = match self.state.as_deref() {
            None => None,
            Some("open") => Some(false),
            Some("acknowledged") => Some(true),
            Some(_) => return Err(refused("state", "there are open and acknowledged")),
        };
        Ok(AlertFilter { watch: self.watch, is_acknowledged })
    }
}

/// The alerts of a theme
///
/// One whose captures are all sealed is not told of; of erased ones only the number is left.
#[utoipa::path(
    get, path = "/themes/{theme}/alerts", tag = "watches", operation_id = "list_alerts",
    params(AtTheme, ListParameters),
    responses((status = 200, description = "A page of alerts.", body = Alerts)),
)]
pub(crate) async fn list(
    State(running): State<Shared>,
    at: AtTheme,
    RawQuery(query): RawQuery,
) -> Result<Json<Alerts>, Refusal> {
    let wanted = ListParameters::read(query.as_deref())?;
    let filter = wanted.filter()?;
    let list = move |running: &Running| {
        let (store, theme) = (&running.app.store, at.theme);
        let grant = at.grant(&running.app, Phase::Analysis);
        // Asked first: whatever comes meanwhile is behind it.
        let newest = store.last_alert(theme)?;
        let page = match wanted.after {
            Some(after) => store.alerts_from(&grant, theme, filter, after.saturating_add(1), wanted.limit)?,
            None => store.alerts_back(&grant, theme, filter, wanted.from, wanted.limit)?,
        };
        // `after` names the last one that was seen, `from` the first one that was not.
        let next = page.next.map(|next| if wanted.after.is_some() { next.saturating_sub(1) } else { next });
        let mut alerts = Vec::with_capacity(page.alerts.len());
        for alert in page.alerts {
            if let Some(mut alert) = shown(running, theme, alert)? {
                alert.captures.truncate(MOST_LISTED);
                alerts.push(alert);
            }
        }
        Ok(Alerts { alerts, next, newest })
    };
    running.blocking(list).await.map(Json)
}

/// An alert
#[utoipa::path(
    get, path = "/themes/{theme}/alerts/{alert}", tag = "watches", operation_id = "show_alert", params(AtAlert),
    responses((status = 200, description = "The alert, with all of its captures.", body = Alert)),
)]
pub(crate) async fn show(State(running): State<Shared>, at: AtAlert) -> Result<Json<Alert>, Refusal> {
    let show = move |running: &Running| {
        let alert = running.app.store.alert(&at.grant(running), at.theme, at.alert)?.ok_or(Refusal::NoAlert)?;
        shown(running, at.theme, alert)?.ok_or(Refusal::NoAlert)
    };
    running.blocking(show).await.map(Json)
}

/// Say that one has seen to an alert
///
/// Once: the first word stands.
#[utoipa::path(
    post, path = "/themes/{theme}/alerts/{alert}/acknowledge", tag = "watches", operation_id = "acknowledge_alert",
    params(AtAlert),
    request_body = NewAcknowledgement,
    responses((status = 200, description = "The alert.", body = Alert)),
)]
pub(crate) async fn acknowledge(
    State(running): State<Shared>,
    at: AtAlert,
    Body(new): Body<NewAcknowledgement>,
) -> Result<Json<Alert>, Refusal> {
    if let Some(note) = &new.note {
        said("note", note)?;
    }
    let acknowledge = move |running: &Running| {
        let (store, grant) = (&running.app.store, at.grant(running));
        let alert = store.alert(&grant, at.theme, at.alert)?.ok_or(Refusal::NoAlert)?;
        shown(running, at.theme, alert)?.ok_or(Refusal::NoAlert)?;
        let now = running.app.clock.now();
        let alert = store.acknowledge(&grant, at.theme, at.alert, new.note.as_deref(), now)?.ok_or(Refusal::NoAlert)?;
        shown(running, at.theme, alert)?.ok_or(Refusal::NoAlert)
    };
    running.blocking(acknowledge).await.map(Json)
}

/// An alert as it may be shown; nothing where all that it is about is sealed.
fn shown(running: &Running, theme: ThemeId, alert: store::Alert) -> Result<Option<Alert>, Refusal> {
    let told = running.app.store.told(theme, &alert.captures)?;
    if told.open.is_empty() && told.erased == 0 {
        return Ok(None);
    }
    let acknowledged = |said: store::Acknowledgement| Acknowledgement { who: said.who, at: said.at, note: said.note };
    Ok(Some(Alert {
        alert: alert.number,
        id: format!("{theme}-{}", alert.id()),
        watch: alert.watch,
        version: alert.version,
        name: alert.name,
        owner: alert.owner,
        grouping: alert.grouping,
        at: alert.at,
        count: told.open.len() as u64 + told.erased,
        erased: told.erased,
        captures: told.open.into_iter().map(|seq| CaptureId { theme, seq }).collect(),
        has_more: alert.has_more,
        acknowledged: alert.acknowledged.map(acknowledged),
    }))
}
