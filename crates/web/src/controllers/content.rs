//! What a site sent, and what was read in it. Bytes leave as an attachment without a type, text as plain text: nothing
//! here can become a page in somebody's browser.

use std::{
    collections::{BTreeSet, HashMap},
    ops::Range,
};

use axum::{
    Json,
    extract::State,
    http::{
        HeaderName,
        header::{CONTENT_DISPOSITION, CONTENT_TYPE},
    },
    response::IntoResponse,
};
use model::CaptureId;

use crate::{
    api::{Cue, Document, Link, Observable, PgpKey, PgpKeyPart, Refresh, Span, Spoken},
    app::{Running, Shared},
    refusal::Refusal,
    request::AtCapture,
};

/// What was received, byte for byte
#[utoipa::path(
    get, path = "/themes/{theme}/captures/{seq}/raw", tag = "captures", operation_id = "capture_raw", params(AtCapture),
    responses((
        status = 200, description = "Status line, header fields and body as they came.",
        body = [u8], content_type = "application/octet-stream",
    )),
)]
pub(crate) async fn raw(State(running): State<Shared>, at: AtCapture) -> Result<impl IntoResponse, Refusal> {
    let fields = attachment(at.id(), "block");
    let block =
        running.blocking(move |running| bytes(running, &at).map(|(capture, payload)| capture.block(&payload))).await?;
    Ok((fields, block))
}

/// The payload: the body without its transfer coding
#[utoipa::path(
    get, path = "/themes/{theme}/captures/{seq}/payload", tag = "captures", operation_id = "capture_payload",
    params(AtCapture),
    responses((
        status = 200, description = "The payload; its content coding, such as gzip, is not undone.",
        body = [u8], content_type = "application/octet-stream",
    )),
)]
pub(crate) async fn payload(State(running): State<Shared>, at: AtCapture) -> Result<impl IntoResponse, Refusal> {
    let fields = attachment(at.id(), "payload");
    let payload = running.blocking(move |running| bytes(running, &at).map(|(_, payload)| payload)).await?;
    Ok((fields, payload))
}

/// The visible text
#[utoipa::path(
    get, path = "/themes/{theme}/captures/{seq}/text", tag = "captures", operation_id = "capture_text",
    params(AtCapture),
    responses((
        status = 200, description = "The text, one block a line.",
        body = String, content_type = "text/plain; charset=utf-8",
    )),
)]
pub(crate) async fn text(State(running): State<Shared>, at: AtCapture) -> Result<impl IntoResponse, Refusal> {
    let text = running.blocking(move |running| read(running, &at).map(|document| document.text)).await?;
    Ok(([(CONTENT_TYPE, "text/plain; charset=utf-8")], text))
}

/// What the extractor made of it
#[utoipa::path(
    get, path = "/themes/{theme}/captures/{seq}/document", tag = "captures", operation_id = "capture_document",
    params(AtCapture),
    responses((status = 200, description = "The document.", body = Document)),
)]
pub(crate) async fn document(State(running): State<Shared>, at: AtCapture) -> Result<Json<Document>, Refusal> {
    let id = at.id();
    running.blocking(move |running| read(running, &at).map(|document| shown(id, document))).await.map(Json)
}

fn bytes(running: &Running, at: &AtCapture) -> Result<(model::Capture, Vec<u8>), Refusal> {
    let grant = at.grant(&running.app);
    let store = &running.app.store;
    let capture = store.capture(&grant, at.id())?.ok_or(Refusal::NoCapture)?;
    let payload = store.payload(&grant, at.theme, &capture)?;
    Ok((capture, payload))
}

/// The document of a capture, or why there is none.
pub(super) fn read(running: &Running, at: &AtCapture) -> Result<model::Document, Refusal> {
    let grant = at.grant(&running.app);
    let store = &running.app.store;
    if let Some(document) = store.document(&grant, at.id())? {
        return Ok(document);
    }
    store.capture(&grant, at.id())?.ok_or(Refusal::NoCapture)?;
    Err(Refusal::NoDocument(match store.crawl_hint(at.theme, at.seq)? {
        None => "the capture is not analysed yet",
        Some(hint) if hint.is_quarantined => "the capture is quarantined: it killed the analysis twice",
        Some(_) => "the capture has no content to analyse",
    }))
}

/// Header fields of bytes that nobody shall display.
pub(super) fn attachment(id: CaptureId, what: &str) -> [(HeaderName, String); 2] {
    let disposition = format!("attachment; filename=\"{}-{}-{what}.bin\"", id.theme, id.seq);
    [(CONTENT_TYPE, "application/octet-stream".to_owned()), (CONTENT_DISPOSITION, disposition)]
}

pub(super) fn shown(id: CaptureId, document: model::Document) -> Document {
    let languages = document.languages.iter().map(|run| &run.at);
    let observables = document.observables.iter().map(|observable| &observable.at);
    let characters = Characters::of(&document.text, document.hidden.iter().chain(languages).chain(observables));
    Document {
        capture: id,
        extractor: document.extractor,
        charset: document.charset,
        charset_source: document.charset_source,
        title: document.title,
        text: document.text,
        hidden: document.hidden.iter().map(|at| characters.span(at)).collect(),
        language: document.language,
        languages: document
            .languages
            .into_iter()
            .map(|run| Spoken { at: characters.span(&run.at), language: run.language })
            .collect(),
        kind: document.kind,
        cues: document.cues.into_iter().map(|cue| Cue { what: cue.what.to_string(), weight: cue.weight }).collect(),
        fields: document.fields,
        links: document.links.into_iter().map(link).collect(),
        images: document.images,
        refresh: document.refresh.map(refresh),
        forms: document.forms,
        observables: document.observables.into_iter().map(|found| observable(&characters, found)).collect(),
        content_digest: document.content_digest,
        digest_rule: document.digest_rule,
    }
}

/// Places in a text counted in characters, in one walk over it.
struct Characters(HashMap<u32, usize>);

impl Characters {
    /// Counts for these places, which the text is walked to in order.
    fn of<'a>(text: &str, places: impl Iterator<Item = &'a Range<u32>>) -> Self {
        let places: BTreeSet<u32> = places.flat_map(|place| [place.start, place.end]).collect();
        let mut characters = HashMap::with_capacity(places.len());
        let (mut count, mut before) = (0, 0);
        for place in places {
            let at = usize::try_from(place).unwrap_or(usize::MAX);
            count += text.get(before..at).map_or(0, |between| between.chars().count());
            before = at;
            characters.insert(place, count);
        }
        Self(characters)
    }

    fn span(&self, at: &Range<u32>) -> Span {
        let character = |place: u32| self.0.get(&place).copied().unwrap_or_default();
        Span { start: character(at.start), end: character(at.end) }
    }
}

fn observable(characters: &Characters, found: model::Observable) -> Observable {
    Observable {
        kind: found.kind,
        grade: found.grade,
        value: found.value,
        at: characters.span(&found.at),
        key: found.key.map(|key| PgpKey {
            primary: key_part(key.primary),
            user_ids: key.user_ids,
            subkeys: key.subkeys.into_iter().map(key_part).collect(),
        }),
    }
}

fn key_part(part: model::PgpKeyPart) -> PgpKeyPart {
    PgpKeyPart { fingerprint: part.fingerprint, algorithm: part.algorithm, created: part.created }
}

pub(super) fn link(link: model::Link) -> Link {
    Link { uri: link.uri, anchor: link.anchor, rel: link.rel }
}

fn refresh(refresh: model::Refresh) -> Refresh {
    let (to, is_fetchable) = match refresh.to {
        None => (None, true),
        Some(Ok(uri)) => (Some(uri.to_string()), true),
        Some(Err(written)) => (Some(written), false),
    };
    Refresh { delay_s: refresh.delay_s, to, is_fetchable }
}
