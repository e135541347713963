use axum::{extract::State, http::header::CONTENT_TYPE, response::IntoResponse};

use crate::{app::Shared, metrics, refusal::Refusal};

/// The media type of the text format of Prometheus.
const MEDIA: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Figures for Prometheus
///
/// About the house as a whole. `listen.metrics` in the configuration tells them without a token, on an address of this machine.
#[utoipa::path(
    get, path = "/metrics", tag = "daemon", operation_id = "metrics",
    responses((
        status = 200, description = "Figures in the text format of Prometheus.",
        body = String, content_type = "text/plain; version=0.0.4; charset=utf-8",
    )),
)]
pub(crate) async fn read(State(running): State<Shared>) -> Result<impl IntoResponse, Refusal> {
    let text = running.blocking(metrics::text).await?;
    Ok(([(CONTENT_TYPE, MEDIA)], text))
}
