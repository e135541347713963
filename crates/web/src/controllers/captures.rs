use axum::{
    Json,
    extract::{RawQuery, State},
};
use data_encoding::BASE64;
use model::{CaptureId, Phase, Seq, TargetId, ThemeId, Uri};
use store::{CaptureFilter, CapturePage};
use utoipa::IntoParams;

use crate::{
    api::{Analysis, Capture, CaptureSummary, Captures, Tls},
    app::{Running, Shared},
    refusal::Refusal,
    request::{AtCapture, AtTheme, Parameters},
};

/// The most captures on a page: each may have a head of some 100 KB, which is read with it.
const MAX_LIMIT: usize = 100;

/// Which captures to list.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListParameters {
    /// Only those made for this target.
    #[param(value_type = Option<String>)]
    target: Option<TargetId>,
    /// Only those of this URI.
    #[param(value_type = Option<String>)]
    uri: Option<Uri>,
    /// From this sequence down: the `next` of the page before.
    #[param(value_type = Option<u64>)]
    from: Option<Seq>,
    /// How many at most; never more than 100. With both `target` and `uri` a page may hold fewer though there are more.
    #[param(value_type = Option<usize>, default = 50)]
    limit: usize,
}

impl ListParameters {
    fn read(query: Option<&str>) -> Result<Self, Refusal> {
        let given = Parameters::read(query, &["target", "uri", "from", "limit"])?;
        Ok(Self {
            target: given.one("target")?,
            uri: given.one("uri")?,
            from: given.one("from")?.map(Seq),
            limit: given.limit(50, MAX_LIMIT)?.max(1),
        })
    }

    const fn filter(&self, uri: Option<model::UriId>) -> CaptureFilter {
        match (uri, self.target) {
            (Some(uri), _) => CaptureFilter::Uri(uri),
            (None, Some(target)) => CaptureFilter::Target(target),
            (None, None) => CaptureFilter::All,
        }
    }
}

/// The captures of a theme, the newest first
#[utoipa::path(
    get, path = "/themes/{theme}/captures", tag = "captures", operation_id = "list_captures",
    params(AtTheme, ListParameters),
    responses((status = 200, description = "A page of captures.", body = Captures)),
)]
pub(crate) async fn list(
    State(running): State<Shared>,
    at: AtTheme,
    RawQuery(query): RawQuery,
) -> Result<Json<Captures>, Refusal> {
    let wanted = ListParameters::read(query.as_deref())?;
    running.blocking(move |running| page(running, &at, &wanted)).await.map(Json)
}

fn page(running: &Running, at: &AtTheme, wanted: &ListParameters) -> Result<Captures, Refusal> {
    let grant = at.grant(&running.app, Phase::Analysis);
    let filter = wanted.filter(wanted.uri.as_ref().map(Uri::id));
    let CapturePage { captures, next } =
        running.app.store.captures(&grant, at.theme, filter, wanted.from, wanted.limit)?;
    let is_wanted = |capture: &model::Capture| wanted.target.is_none_or(|target| capture.target == target);
    let captures = captures.into_iter().filter(is_wanted).map(|capture| summary(at.theme, capture)).collect();
    Ok(Captures { captures, next })
}

pub(super) fn summary(theme: ThemeId, capture: model::Capture) -> CaptureSummary {
    CaptureSummary {
        capture: CaptureId { theme, seq: capture.seq },
        seq: capture.seq,
        target: capture.target,
        uri: capture.uri,
        started_at: capture.started_at,
        outcome: capture.outcome,
        status: capture.status,
        payload_len: capture.payload_len,
        truncation: capture.truncation,
    }
}

/// What is kept of a capture
#[utoipa::path(
    get, path = "/themes/{theme}/captures/{seq}", tag = "captures", operation_id = "show_capture", params(AtCapture),
    responses((status = 200, description = "All but its bytes.", body = Capture)),
)]
pub(crate) async fn read(State(running): State<Shared>, at: AtCapture) -> Result<Json<Capture>, Refusal> {
    let read = move |running: &Running| {
        let store = &running.app.store;
        let capture = store.capture(&at.grant(&running.app), at.id())?.ok_or(Refusal::NoCapture)?;
        let hint = store.crawl_hint(at.theme, at.seq)?;
        Ok(shown(at.id(), capture, hint.map(|hint| analysis(&hint))))
    };
    running.blocking(read).await.map(Json)
}

pub(super) const fn analysis(hint: &model::CrawlHint) -> Analysis {
    Analysis { kind: hint.kind, has_changed: hint.has_changed, is_quarantined: hint.is_quarantined }
}

pub(super) fn shown(id: CaptureId, capture: model::Capture, analysis: Option<Analysis>) -> Capture {
    let tls = |tls: model::TlsFacts| Tls {
        protocol: tls.protocol,
        certificate_digest: tls.certificate_digest,
        certificate: BASE64.encode(&tls.certificate),
    };
    Capture {
        capture: id,
        seq: capture.seq,
        target: capture.target,
        decision: capture.decision,
        uri: capture.uri,
        started_at: capture.started_at,
        first_byte_at: capture.first_byte_at,
        ended_at: capture.ended_at,
        clock: capture.clock,
        outcome: capture.outcome,
        detail: capture.detail,
        status: capture.status,
        epoch: capture.isolation.epoch,
        reused_connection: capture.reused_connection,
        tls: capture.tls.map(tls),
        request_len: capture.request.len() as u64,
        secrets: capture.secrets.len(),
        response_head: BASE64.encode(&capture.response_head),
        block_digest: capture.block_digest,
        block_len: capture.block_len,
        payload_digest: capture.payload_digest,
        payload_len: capture.payload_len,
        is_chunked: capture.framing.is_some(),
        truncation: capture.truncation,
        redirect_to: capture.redirect_to,
        via: capture.via,
        hops: capture.hops,
        software: capture.software,
        configuration: capture.configuration,
        analysis,
    }
}
