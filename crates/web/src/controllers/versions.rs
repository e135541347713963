//! Versions of a URI: listed, named, compared.

mod comparison;

use axum::{
    Json,
    extract::{RawQuery, State},
};
use model::{CaptureId, Grant, Phase, Seq, ThemeId, Uri};
use utoipa::IntoParams;

pub(crate) use comparison::{__path_compare, compare};

use crate::{
    api::{Naming, NewName, Version, VersionDetail, Versions},
    app::{Running, Shared},
    refusal::Refusal,
    request::{AtCapture, AtTheme, Body, Parameters, checked, refused},
};

/// The most versions on a page.
const MAX_LIMIT: usize = 100;

/// Which versions to list.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListParameters {
    /// The URI that they are versions of.
    #[param(value_type = String)]
    uri: Uri,
    /// From this version down: the `next` of the page before.
    #[param(value_type = Option<u64>)]
    from: Option<Seq>,
    /// How many at most; never more than 100.
    #[param(value_type = Option<usize>, default = 50)]
    limit: usize,
}

impl ListParameters {
    fn read(query: Option<&str>) -> Result<Self, Refusal> {
        let given = Parameters::read(query, &["uri", "from", "limit"])?;
        Ok(Self {
            uri: given.one("uri")?.ok_or_else(|| refused("uri", "which URI's versions?"))?,
            from: given.one("from")?.map(Seq),
            limit: given.limit(50, MAX_LIMIT)?.max(1),
        })
    }
}

/// The versions of a URI, the newest first
///
/// A version is a run of captures whose content is the same but for noise. Its number goes with the digest rule; its identity, the first
/// capture, goes with nothing.
#[utoipa::path(
    get, path = "/themes/{theme}/versions", tag = "versions", operation_id = "list_versions",
    params(AtTheme, ListParameters),
    responses((status = 200, description = "A page of versions.", body = Versions)),
)]
pub(crate) async fn list(
    State(running): State<Shared>,
    at: AtTheme,
    RawQuery(query): RawQuery,
) -> Result<Json<Versions>, Refusal> {
    let wanted = ListParameters::read(query.as_deref())?;
    let read = move |running: &Running| {
        let grant = at.grant(&running.app, Phase::Analysis);
        let page = running.app.store.versions(&grant, at.theme, wanted.uri.id(), wanted.from, wanted.limit)?;
        let shown = |version| detail(running, &grant, at.theme, &wanted.uri, version).map(|detail| detail.version);
        Ok(Versions { versions: page.versions.into_iter().map(shown).collect::<Result<_, _>>()?, next: page.next })
    };
    running.blocking(read).await.map(Json)
}

/// The version that a capture belongs to
#[utoipa::path(
    get, path = "/themes/{theme}/versions/{seq}", tag = "versions", operation_id = "show_version", params(AtCapture),
    responses((status = 200, description = "The version, and how it came to its name.", body = VersionDetail)),
)]
pub(crate) async fn read(State(running): State<Shared>, at: AtCapture) -> Result<Json<VersionDetail>, Refusal> {
    running.blocking(move |running| shown(running, &at)).await.map(Json)
}

/// Name a version
///
/// The name is the version's, whichever of its captures the path names. An earlier name stays in the history.
#[utoipa::path(
    put, path = "/themes/{theme}/versions/{seq}/name", tag = "versions", operation_id = "name_version",
    params(AtCapture),
    request_body = NewName,
    responses((status = 200, description = "The version with its name.", body = VersionDetail)),
)]
pub(crate) async fn name(
    State(running): State<Shared>,
    at: AtCapture,
    Body(new): Body<NewName>,
) -> Result<Json<VersionDetail>, Refusal> {
    let name = checked("name", &new.name)?;
    let keep = move |running: &Running| {
        let (capture, version) = version_of(running, &at)?;
        let id = CaptureId { theme: at.theme, seq: version.first };
        let now = running.app.clock.now();
        running.app.store.name_version(
            &at.grant(&running.app),
            id,
            capture.uri.id(),
            Some(&name),
            at.who.name(),
            now,
        )?;
        shown(running, &at)
    };
    running.blocking(keep).await.map(Json)
}

/// Take the name of a version away
///
/// It stays in the history. Of a version that has several names, the one that was given to this very capture goes, or else the first.
#[utoipa::path(
    delete, path = "/themes/{theme}/versions/{seq}/name", tag = "versions", operation_id = "unname_version",
    params(AtCapture),
    responses((status = 200, description = "The version without the name.", body = VersionDetail)),
)]
pub(crate) async fn unname(State(running): State<Shared>, at: AtCapture) -> Result<Json<VersionDetail>, Refusal> {
    let remove = move |running: &Running| {
        let (grant, store) = (at.grant(&running.app), &running.app.store);
        let (capture, version) = version_of(running, &at)?;
        let namings = store.namings(&grant, at.theme, capture.uri.id(), (version.first, version.last))?;
        let present = store::Naming::present(&namings);
        let named = present.iter().find(|naming| naming.version == at.seq).or(present.first());
        let id = CaptureId { theme: at.theme, seq: named.ok_or(Refusal::NoName)?.version };
        store.name_version(&grant, id, capture.uri.id(), None, at.who.name(), running.app.clock.now())?;
        shown(running, &at)
    };
    running.blocking(remove).await.map(Json)
}

pub(super) fn version_of(running: &Running, at: &AtCapture) -> Result<(model::Capture, store::Version), Refusal> {
    let (grant, store) = (at.grant(&running.app), &running.app.store);
    if let Some(found) = store.version_of(&grant, at.id())? {
        return Ok(found);
    }
    store.capture(&grant, at.id())?.ok_or(Refusal::NoCapture)?;
    Err(Refusal::NoVersion)
}

fn shown(running: &Running, at: &AtCapture) -> Result<VersionDetail, Refusal> {
    let (capture, version) = version_of(running, at)?;
    detail(running, &at.grant(&running.app), at.theme, &capture.uri, version)
}

fn detail(
    running: &Running,
    grant: &Grant,
    theme: ThemeId,
    uri: &Uri,
    version: store::Version,
) -> Result<VersionDetail, Refusal> {
    let namings = running.app.store.namings(grant, theme, uri.id(), (version.first, version.last))?;
    let naming = |naming: &store::Naming| Naming {
        version: CaptureId { theme, seq: naming.version },
        name: naming.name.clone(),
        author: naming.author.clone(),
        at: naming.at,
        is_removal: naming.is_removal,
        leaf: naming.leaf,
    };
    let version = Version {
        version: CaptureId { theme, seq: version.first },
        uri: uri.clone(),
        number: version.number,
        digest_rule: version.digest_rule,
        first: version.first,
        last: version.last,
        captures: version.captures,
        first_seen: version.first_seen,
        last_seen: version.last_seen,
        content_digest: version.content_digest,
        names: store::Naming::present(&namings).into_iter().map(naming).collect(),
    };
    Ok(VersionDetail { version, history: namings.iter().map(naming).collect() })
}
