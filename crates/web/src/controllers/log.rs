//! The evidence log, for whoever checks it.

use axum::{
    Json,
    extract::{Path, RawQuery, State},
    http::{HeaderName, header::CONTENT_TYPE},
    response::IntoResponse,
};
use proof::Tile;
use serde_json::json;
use store::Depth;
use utoipa::IntoParams;

use crate::{
    api::{Checkpoint, Checkpoints, Consistency, KeptCheckpoint},
    app::Shared,
    lines::lines,
    refusal::Refusal,
    request::{AtCapture, AtCheckpoint, Body as JsonBody, Media, Parameters},
};

/// Leaves that a quick verification looks at.
const TAIL: u64 = 10_000;

const TEXT: [(HeaderName, &str); 1] = [(CONTENT_TYPE, "text/plain; charset=utf-8")];
const BYTES: [(HeaderName, &str); 1] = [(CONTENT_TYPE, "application/octet-stream")];

#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it describes the parameters, which are read by hand")]
pub(crate) struct VerificationParameters {
    /// Whether only the end of the log is checked: its last 10,000 leaves.
    #[param(default = false)]
    quick: Option<bool>,
}

/// Checks the store against itself
///
/// The answer comes line by line, each a JSON object: `{"progress": {"done", "total"}}` now and then, and in the end `{"report": …}` or `{"failed": "…"}`.
#[utoipa::path(
    post, path = "/log/verification", tag = "log", operation_id = "verify_log", params(VerificationParameters),
    responses((status = 200, description = "Lines of JSON.", body = String, content_type = "application/x-ndjson")),
)]
pub(crate) async fn verify(
    State(running): State<Shared>,
    RawQuery(query): RawQuery,
) -> Result<impl IntoResponse, Refusal> {
    let is_quick = Parameters::read(query.as_deref(), &["quick"])?.one("quick")?.unwrap_or(false);
    let depth = if is_quick { Depth::Tail(TAIL) } else { Depth::Full };
    Ok(lines(move |tell| {
        // Whoever has gone needs no report: the check ends with the connection.
        let mut progress = |progress| tell(&json!({ "progress": progress }));
        let report = running.app.notary.verify(depth, &mut progress);
        tell(&match report {
            Ok(report) => json!({ "report": report }),
            Err(error) => {
                tracing::error!(%error, "the verification could not go on");
                json!({ "failed": "something failed inside; the log of the daemon says more" })
            }
        });
    }))
}

/// The newest checkpoint
#[utoipa::path(
    get, path = "/log/checkpoint", tag = "log", operation_id = "newest_checkpoint",
    responses((
        status = 200, description = "A signed note (C2SP tlog-checkpoint).", body = String,
        content_type = "text/plain; charset=utf-8",
    )),
)]
pub(crate) async fn checkpoint(State(running): State<Shared>) -> Result<impl IntoResponse, Refusal> {
    let newest = running.blocking(|running| Ok(running.app.notary.newest()?)).await?;
    Ok((TEXT, newest.ok_or(Refusal::NoCheckpoint)?.note))
}

/// Signs what the log is now
#[utoipa::path(
    post, path = "/log/checkpoint", tag = "log", operation_id = "sign_checkpoint",
    responses((
        status = 200, description = "A signed note; the newest one if the log has not grown since.", body = String,
        content_type = "text/plain; charset=utf-8",
    )),
)]
pub(crate) async fn sign(State(running): State<Shared>) -> Result<impl IntoResponse, Refusal> {
    let signed = running.blocking(|running| Ok(running.app.notary.sign(running.app.clock.now())?)).await?;
    Ok((TEXT, signed.note))
}

/// Every checkpoint
#[utoipa::path(
    get, path = "/log/checkpoints", tag = "log", operation_id = "list_checkpoints",
    responses((status = 200, description = "The newest first, at most 1000.", body = Checkpoints)),
)]
pub(crate) async fn checkpoints(State(running): State<Shared>) -> Result<Json<Checkpoints>, Refusal> {
    let list = |running: &crate::app::Running| {
        let notary = &running.app.notary;
        let checkpoints = notary.checkpoints(1_000)?.into_iter().map(shown).collect();
        Ok(Checkpoints { checkpoints, keys: notary.keys()? })
    };
    running.blocking(list).await.map(Json)
}

fn shown(checkpoint: store::Checkpoint) -> Checkpoint {
    Checkpoint {
        size: checkpoint.size,
        signed_at: checkpoint.signed_at,
        timestamps: checkpoint.timestamps.len(),
        note: checkpoint.note,
    }
}

/// Whether the log continues a checkpoint that was kept elsewhere
#[utoipa::path(
    post, path = "/log/consistency", tag = "log", operation_id = "check_consistency", request_body = KeptCheckpoint,
    responses((status = 200, description = "The verdict.", body = Consistency)),
)]
pub(crate) async fn consistency(
    State(running): State<Shared>,
    JsonBody(kept): JsonBody<KeptCheckpoint>,
) -> Result<Json<Consistency>, Refusal> {
    let verdict = running.blocking(move |running| Ok(running.app.notary.consistency(&kept.checkpoint)?)).await?;
    Ok(Json(Consistency { holds: verdict.holds(), verdict: verdict.to_string() }))
}

/// What a time-stamping authority is asked for a checkpoint
#[utoipa::path(
    get, path = "/log/checkpoints/{size}/request", tag = "log", operation_id = "time_stamp_request",
    params(AtCheckpoint),
    responses((
        status = 200, description = "A `TimeStampReq` (RFC 3161).", body = [u8], content_type = "application/timestamp-query",
    )),
)]
pub(crate) async fn request(
    State(running): State<Shared>,
    AtCheckpoint { size }: AtCheckpoint,
) -> Result<impl IntoResponse, Refusal> {
    let request = running.blocking(move |running| Ok(running.app.notary.request(size)?)).await?;
    Ok(([(CONTENT_TYPE, "application/timestamp-query")], request.ok_or(Refusal::NoCheckpoint)?))
}

/// Keeps the answer of a time-stamping authority with its checkpoint
#[utoipa::path(
    post, path = "/log/checkpoints/{size}/timestamps", tag = "log", operation_id = "attach_time_stamp",
    params(AtCheckpoint),
    request_body(content = [u8], content_type = "application/timestamp-reply"),
    responses((status = 200, description = "The checkpoint with its time-stamps.", body = Checkpoint)),
)]
pub(crate) async fn attach(
    State(running): State<Shared>,
    AtCheckpoint { size }: AtCheckpoint,
    Media(reply): Media,
) -> Result<Json<Checkpoint>, Refusal> {
    let attached = running.blocking(move |running| Ok(running.app.notary.attach(size, &reply)?)).await?;
    attached.map(shown).map(Json).ok_or(Refusal::NoCheckpoint)
}

/// The proof that a capture is in the log
#[utoipa::path(
    get, path = "/themes/{theme}/captures/{seq}/proof", tag = "log", operation_id = "capture_proof", params(AtCapture),
    responses((
        status = 200, description = "An inclusion proof with its checkpoint (C2SP tlog-proof@v1).", body = String,
        content_type = "text/plain; charset=utf-8",
    )),
)]
pub(crate) async fn proof(State(running): State<Shared>, at: AtCapture) -> Result<impl IntoResponse, Refusal> {
    let prove = move |running: &crate::app::Running| {
        let disclosure = running.app.store.disclosure(&at.grant(&running.app), at.id())?.ok_or(Refusal::NoCapture)?;
        Ok(running.app.notary.proof(disclosure.leaf, running.app.clock.now())?.to_string())
    };
    Ok((TEXT, running.blocking(prove).await?))
}

/// A tile of the log
#[utoipa::path(
    get, path = "/log/tile/{*path}", tag = "log", operation_id = "log_tile",
    params(("path" = String, Path, description = "As C2SP tlog-tiles says: `<level>/<index>[.p/<width>]`, or `entries/…`.")),
    responses((status = 200, description = "Hashes or entries.", body = [u8], content_type = "application/octet-stream")),
)]
pub(crate) async fn tile(
    State(running): State<Shared>,
    Path(path): Path<String>,
) -> Result<impl IntoResponse, Refusal> {
    let Ok(tile) = format!("tile/{path}").parse::<Tile>() else { return Err(Refusal::NoTile) };
    let tile = running.blocking(move |running| Ok(running.app.notary.tile(&tile)?)).await?;
    Ok((BYTES, tile.ok_or(Refusal::NoTile)?))
}
