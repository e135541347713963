//! Backups, and the list of erasures that a restore needs.

use std::time::Duration;

use axum::{Extension, Json, extract::State, response::IntoResponse};
use serde_json::json;
use store::{BackupError, Term};

use crate::{
    api::{ErasedCapture, ErasureList, NewBackup},
    app::Shared,
    authentication::Who,
    lines::lines,
    refusal::Refusal,
    request::Body,
};

const DAY: Duration = Duration::from_hours(24);

/// Makes a backup
///
/// Only over the Unix socket: the daemon writes where it is told. The answer comes line by line, each a JSON object: `{"progress": {"done", "total"}}`, in
/// bytes, now and then, and in the end `{"backup": …}` or `{"failed": "…"}`.
#[utoipa::path(
    post, path = "/backups", tag = "daemon", operation_id = "make_backup", request_body = NewBackup,
    responses((status = 200, description = "Lines of JSON.", body = String, content_type = "application/x-ndjson")),
)]
pub(crate) async fn create(
    State(running): State<Shared>,
    Extension(who): Extension<Who>,
    Body(backup): Body<NewBackup>,
) -> Result<impl IntoResponse, Refusal> {
    if !who.is_on_socket() {
        return Err(Refusal::SocketOnly);
    }
    if !backup.to.is_absolute() {
        return Err(Refusal::Invalid { field: "to", problem: "the directory must be an absolute path".into() });
    }
    if backup.keep_days == 0 {
        return Err(Refusal::Invalid { field: "keep_days", problem: "a backup that expires at once is none".into() });
    }
    Ok(lines(move |tell| {
        let app = &running.app;
        let made_at = app.clock.now();
        let term = Term { made_at, expires_at: made_at.after(DAY * backup.keep_days) };
        let mut progress = |moved| tell(&json!({ "progress": moved }));
        tell(&match app.store.backup(&backup.to, &app.backup_key, term, &mut progress) {
            Ok(done) => json!({ "backup": done }),
            Err(BackupError::Store(error)) => {
                tracing::error!(%error, "the backup could not go on");
                json!({ "failed": "something failed inside; the log of the daemon says more" })
            }
            // Whoever may open the socket chose the path, and may know what is wrong there.
            Err(error) => json!({ "failed": error.to_string() }),
        });
    }))
}

/// What was erased so far
///
/// Keep the newest list apart from the backups: a restore demands it, and erases again what it names.
#[utoipa::path(
    get, path = "/erasures", tag = "log", operation_id = "export_erasures",
    responses((status = 200, description = "The list.", body = ErasureList)),
)]
pub(crate) async fn erasures(State(running): State<Shared>) -> Result<Json<ErasureList>, Refusal> {
    let list = running.blocking(|running| Ok(running.app.store.erasure_list(running.app.clock.now())?)).await?;
    let shown = |erased: store::ErasedCapture| ErasedCapture {
        capture: erased.capture.to_string(),
        leaf: erased.leaf,
        erasure: erased.erasure,
    };
    Ok(Json(ErasureList {
        exported_at: list.exported_at,
        leaves: list.leaves,
        captures: list.captures.into_iter().map(shown).collect(),
    }))
}
