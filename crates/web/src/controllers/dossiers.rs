//! Dossiers: versions that were released to somebody, and reading what they hold.

use axum::{
    Json,
    extract::{FromRequestParts, RawQuery, State},
    http::{
        StatusCode,
        header::{CONTENT_TYPE, LOCATION},
        request::Parts,
    },
    response::IntoResponse,
};
use model::{CaptureId, Grant, Phase, Role, Seq, ThemeId};
use utoipa::IntoParams;

use super::{captures, content};
use crate::{
    api::{
        Capture, Document, Dossier, DossierAddition, DossierStep, DossierSummary, DossierVersion, DossierWithdrawal,
        Dossiers, NewDossier, Reason,
    },
    app::{Running, Shared},
    authentication::Who,
    refusal::Refusal,
    request::{AtTheme, Body, Parameters, checked, part, said},
};

/// The most dossiers on a page.
const MAX_LIMIT: usize = 100;

/// A path that points at a dossier of a theme.
#[derive(Debug, Clone, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct AtDossier {
    /// The name of a theme.
    #[param(value_type = String, example = "marketplace")]
    theme: ThemeId,
    /// The leaf that tells that the dossier was released.
    #[param(example = 17)]
    dossier: u64,
    #[param(ignore)]
    who: Who,
}

/// A path that points at a capture in a dossier.
#[derive(Debug, Clone, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct AtReleased {
    /// The name of a theme.
    #[param(value_type = String, example = "marketplace")]
    theme: ThemeId,
    /// The leaf that tells that the dossier was released.
    #[param(example = 17)]
    dossier: u64,
    /// The sequence of a capture that the dossier holds.
    #[param(value_type = u64, example = 9)]
    seq: Seq,
    #[param(ignore)]
    who: Who,
}

impl FromRequestParts<Shared> for AtDossier {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, running: &Shared) -> Result<Self, Refusal> {
        let AtTheme { theme, who } = AtTheme::from_request_parts(parts, running).await?;
        let dossier = part(parts, "dossier").await?.ok_or(Refusal::NoDossier)?;
        let at = Self { theme, dossier, who };
        let asked = at.clone();
        let is_theirs = running.blocking(move |running| asked.is_theirs(running)).await?;
        if is_theirs { Ok(at) } else { Err(Refusal::NoDossier) }
    }
}

impl FromRequestParts<Shared> for AtReleased {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, running: &Shared) -> Result<Self, Refusal> {
        let AtDossier { theme, dossier, who } = AtDossier::from_request_parts(parts, running).await?;
        let seq = part(parts, "seq").await?.map(Seq).ok_or(Refusal::NoCapture)?;
        Ok(Self { theme, dossier, seq, who })
    }
}

/// Whether somebody sees every dossier of a theme; others see those that were released to them.
fn sees_all(who: &Who, theme: ThemeId) -> bool {
    who.has(Role::Analyst, Some(theme))
}

impl AtDossier {
    /// Whether whoever asks may know of the dossier.
    fn is_theirs(&self, running: &Running) -> Result<bool, Refusal> {
        if sees_all(&self.who, self.theme) {
            return Ok(true);
        }
        let found = running.app.store.dossier(&self.reading(running), self.theme, self.dossier)?;
        Ok(found.is_some_and(|dossier| dossier.recipient == self.who.name()))
    }

    /// Leave to release, for whoever asks.
    fn releasing(&self, running: &Running) -> Grant {
        running.app.authority.grant(self.who.name(), self.theme, Phase::Analysis)
    }

    /// Leave to read what the dossier holds, and nothing else.
    fn reading(&self, running: &Running) -> Grant {
        running.app.authority.dossier(self.who.name(), self.theme, self.dossier)
    }
}

impl AtReleased {
    /// Leave to read what the dossier holds, and nothing else.
    fn reading(&self, running: &Running) -> Grant {
        running.app.authority.dossier(self.who.name(), self.theme, self.dossier)
    }

    const fn id(&self) -> CaptureId {
        CaptureId { theme: self.theme, seq: self.seq }
    }
}

/// Which dossiers to list.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListParameters {
    /// Only those that were released to this account or unit.
    recipient: Option<String>,
    /// From this one down: the `next` of the page before.
    from: Option<u64>,
    /// How many at most; never more than 100.
    #[param(value_type = Option<usize>, default = 50)]
    limit: usize,
}

/// The dossiers of a theme, the newest first
///
/// An analyst sees all of them, an investigator those that were released to them.
#[utoipa::path(
    get, path = "/themes/{theme}/dossiers", tag = "dossiers", operation_id = "list_dossiers",
    params(AtTheme, ListParameters),
    responses((status = 200, description = "A page of dossiers, those included that were withdrawn.", body = Dossiers)),
)]
pub(crate) async fn list(
    State(running): State<Shared>,
    at: AtTheme,
    RawQuery(query): RawQuery,
) -> Result<Json<Dossiers>, Refusal> {
    let given = Parameters::read(query.as_deref(), &["recipient", "from", "limit"])?;
    let wanted = ListParameters {
        recipient: given.one("recipient")?,
        from: given.one("from")?,
        limit: given.limit(50, MAX_LIMIT)?.max(1),
    };
    let list = move |running: &Running| {
        let grant = at.grant(&running.app, Phase::OperationalUse);
        let mut all = running.app.store.dossiers(&grant, at.theme)?;
        all.retain(|dossier| {
            (sees_all(&at.who, at.theme) || dossier.recipient == at.who.name())
                && wanted.recipient.as_ref().is_none_or(|recipient| dossier.recipient == *recipient)
                && wanted.from.is_none_or(|from| dossier.id <= from)
        });
        all.reverse();
        let next = all.get(wanted.limit).map(|dossier| dossier.id);
        all.truncate(wanted.limit);
        Ok(Dossiers { dossiers: all.into_iter().map(summary).collect(), next })
    };
    running.blocking(list).await.map(Json)
}

/// Release versions to somebody
///
/// It is a leaf of the evidence log. The captures of each version are released as they are now; later ones are released when they are added. A release
/// is no hold: the answer says whether retention will take what it holds, and when.
#[utoipa::path(
    post, path = "/themes/{theme}/dossiers", tag = "dossiers", operation_id = "release_dossier", params(AtTheme),
    request_body = NewDossier,
    responses((status = 201, description = "The dossier; `Location` says where it is.", body = Dossier)),
)]
pub(crate) async fn create(
    State(running): State<Shared>,
    at: AtTheme,
    Body(new): Body<NewDossier>,
) -> Result<impl IntoResponse, Refusal> {
    let (title, recipient) = (checked("title", &new.title)?, checked("recipient", &new.recipient)?);
    said("purpose", &new.purpose)?;
    let versions = named(&new.versions, new.note.as_deref())?;
    let theme = at.theme;
    let create = move |running: &Running| {
        let released = store::NewDossier {
            title: &title,
            purpose: &new.purpose,
            recipient: &recipient,
            note: new.note.as_deref(),
            versions: &versions,
            at: running.app.clock.now(),
        };
        let grant = at.grant(&running.app, Phase::Analysis);
        let dossier = running.app.store.release_dossier(&grant, at.theme, &released)?;
        shown(running, &AtDossier { theme: at.theme, dossier, who: at.who })
    };
    let released = running.blocking(create).await?;
    let location = format!("/api/v1/themes/{theme}/dossiers/{}", released.dossier.id);
    Ok((StatusCode::CREATED, [(LOCATION, location)], Json(released)))
}

/// A dossier, and what it holds
#[utoipa::path(
    get, path = "/themes/{theme}/dossiers/{dossier}", tag = "dossiers", operation_id = "show_dossier", params(AtDossier),
    responses((status = 200, description = "The dossier with its history.", body = Dossier)),
)]
pub(crate) async fn show(State(running): State<Shared>, at: AtDossier) -> Result<Json<Dossier>, Refusal> {
    running.blocking(move |running| shown(running, &at)).await.map(Json)
}

/// Release more versions in a dossier
#[utoipa::path(
    post, path = "/themes/{theme}/dossiers/{dossier}/versions", tag = "dossiers", operation_id = "add_to_dossier",
    params(AtDossier),
    request_body = DossierAddition,
    responses((status = 200, description = "The dossier.", body = Dossier)),
)]
pub(crate) async fn add(
    State(running): State<Shared>,
    at: AtDossier,
    Body(new): Body<DossierAddition>,
) -> Result<Json<Dossier>, Refusal> {
    let versions = named(&new.versions, new.note.as_deref())?;
    let add = move |running: &Running| {
        let (store, now) = (&running.app.store, running.app.clock.now());
        let more = (&versions[..], new.note.as_deref());
        store.add_to_dossier(&at.releasing(running), at.theme, at.dossier, more, now)?.ok_or(Refusal::NoDossier)?;
        shown(running, &at)
    };
    running.blocking(add).await.map(Json)
}

/// Withdraw a dossier
///
/// Nothing is read through it from then on. What left the house stays where it is; the leaves tell who exported what.
#[utoipa::path(
    post, path = "/themes/{theme}/dossiers/{dossier}/withdraw", tag = "dossiers", operation_id = "withdraw_dossier",
    params(AtDossier),
    request_body = Reason,
    responses((status = 200, description = "The dossier.", body = Dossier)),
)]
pub(crate) async fn withdraw(
    State(running): State<Shared>,
    at: AtDossier,
    Body(why): Body<Reason>,
) -> Result<Json<Dossier>, Refusal> {
    said("reason", &why.reason)?;
    let withdraw = move |running: &Running| {
        let (store, now) = (&running.app.store, running.app.clock.now());
        let grant = at.releasing(running);
        store.withdraw_dossier(&grant, at.theme, at.dossier, &why.reason, now)?.ok_or(Refusal::NoDossier)?;
        shown(running, &at)
    };
    running.blocking(withdraw).await.map(Json)
}

/// A capture that a dossier holds
#[utoipa::path(
    get, path = "/themes/{theme}/dossiers/{dossier}/captures/{seq}", tag = "dossiers", operation_id = "show_released",
    params(AtReleased),
    responses((status = 200, description = "All but its bytes.", body = Capture)),
)]
pub(crate) async fn capture(State(running): State<Shared>, at: AtReleased) -> Result<Json<Capture>, Refusal> {
    let read = move |running: &Running| {
        let store = &running.app.store;
        let capture = store.dossier_capture(&at.reading(running), at.theme, at.dossier, at.seq)?;
        let hint = store.crawl_hint(at.theme, at.seq)?;
        Ok(captures::shown(at.id(), capture, hint.as_ref().map(captures::analysis)))
    };
    running.blocking(read).await.map(Json)
}

/// The payload of a capture that a dossier holds
#[utoipa::path(
    get, path = "/themes/{theme}/dossiers/{dossier}/captures/{seq}/payload", tag = "dossiers",
    operation_id = "released_payload",
    params(AtReleased),
    responses((
        status = 200, description = "The payload; its content coding, such as gzip, is not undone.",
        body = [u8], content_type = "application/octet-stream",
    )),
)]
pub(crate) async fn payload(State(running): State<Shared>, at: AtReleased) -> Result<impl IntoResponse, Refusal> {
    let fields = content::attachment(at.id(), "payload");
    let read = move |running: &Running| {
        Ok(running.app.store.dossier_payload(&at.reading(running), at.theme, at.dossier, at.seq)?)
    };
    Ok((fields, running.blocking(read).await?))
}

/// The visible text of a capture that a dossier holds
#[utoipa::path(
    get, path = "/themes/{theme}/dossiers/{dossier}/captures/{seq}/text", tag = "dossiers", operation_id = "released_text",
    params(AtReleased),
    responses((
        status = 200, description = "The text, one block a line.",
        body = String, content_type = "text/plain; charset=utf-8",
    )),
)]
pub(crate) async fn text(State(running): State<Shared>, at: AtReleased) -> Result<impl IntoResponse, Refusal> {
    let text = running.blocking(move |running| read(running, &at).map(|document| document.text)).await?;
    Ok(([(CONTENT_TYPE, "text/plain; charset=utf-8")], text))
}

/// What the extractor made of a capture that a dossier holds, its observables among it
#[utoipa::path(
    get, path = "/themes/{theme}/dossiers/{dossier}/captures/{seq}/document", tag = "dossiers",
    operation_id = "released_document",
    params(AtReleased),
    responses((status = 200, description = "The document.", body = Document)),
)]
pub(crate) async fn document(State(running): State<Shared>, at: AtReleased) -> Result<Json<Document>, Refusal> {
    running.blocking(move |running| Ok(content::shown(at.id(), read(running, &at)?))).await.map(Json)
}

fn read(running: &Running, at: &AtReleased) -> Result<model::Document, Refusal> {
    let document = running.app.store.dossier_document(&at.reading(running), at.theme, at.dossier, at.seq)?;
    document.ok_or(Refusal::NoDocument("the capture has no content that was analysed"))
}

/// The versions that are named, of which there must be one.
fn named(versions: &[u64], note: Option<&str>) -> Result<Vec<Seq>, Refusal> {
    if let Some(note) = note {
        said("note", note)?;
    }
    if versions.is_empty() {
        return Err(Refusal::Invalid { field: "versions", problem: "name at least one".into() });
    }
    Ok(versions.iter().copied().map(Seq).collect())
}

fn shown(running: &Running, at: &AtDossier) -> Result<Dossier, Refusal> {
    let (store, grant) = (&running.app.store, at.reading(running));
    let dossier = store.dossier(&grant, at.theme, at.dossier)?.ok_or(Refusal::NoDossier)?;
    let mut versions = Vec::new();
    if dossier.withdrawn.is_none() {
        for released in &dossier.versions {
            versions.push(version(running, &grant, at, released)?);
        }
    }
    let step = |step: store::DossierStep| DossierStep {
        leaf: step.leaf,
        at: step.at,
        change: step.change,
        versions: step.versions,
        who: step.who,
        note: step.note,
    };
    let history = store.dossier_history(&grant, at.theme, at.dossier)?.into_iter().map(step).collect();
    Ok(Dossier { dossier: summary(dossier), versions, history })
}

fn version(
    running: &Running,
    grant: &Grant,
    at: &AtDossier,
    released: &store::ReleasedVersion,
) -> Result<DossierVersion, Refusal> {
    let (store, theme) = (&running.app.store, at.theme);
    let captures = store.dossier_version(grant, theme, at.dossier, released)?.open;
    let last = match captures.last() {
        Some(last) => Some(store.dossier_capture(grant, theme, at.dossier, *last)?),
        None => None,
    };
    let retention = running.theme(theme).map(|theme| theme.retention);
    let keeping = match &last {
        Some(last) => Some(store.keeping(theme, last, &retention.unwrap_or_default())?),
        None => None,
    };
    Ok(DossierVersion {
        version: CaptureId { theme, seq: released.first },
        uri: last.map(|last| last.uri),
        captures: captures.into_iter().map(|seq| CaptureId { theme, seq }).collect(),
        leaf: released.leaf,
        held_by: keeping.and_then(|keeping| keeping.held),
        kept_until: keeping.and_then(|keeping| keeping.until),
    })
}

fn summary(dossier: store::Dossier) -> DossierSummary {
    let withdrawn = |store::DossierWithdrawal { leaf, who, at, reason }| DossierWithdrawal { leaf, who, at, reason };
    DossierSummary {
        id: dossier.id,
        title: dossier.title,
        purpose: dossier.purpose,
        recipient: dossier.recipient,
        released_by: dossier.released_by,
        released_at: dossier.at,
        note: dossier.note,
        versions: dossier.versions.len() as u64,
        withdrawn: dossier.withdrawn.map(withdrawn),
    }
}
