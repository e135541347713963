//! Answers that come line by line, each a JSON object: progress now and then, and in the end what it came to.

use axum::{
    body::{Body, Bytes},
    http::header::CONTENT_TYPE,
    response::{IntoResponse, Response},
};
use futures::{Stream, StreamExt as _};
use serde_json::Value;
use tokio::sync::mpsc;

/// The media type of lines of JSON.
pub(crate) const NDJSON: &str = "application/x-ndjson";

/// Answers with what `work` tells, while it does what may take long, off the event loop. Telling answers `false` when whoever asked has gone.
pub(crate) fn lines(work: impl FnOnce(&dyn Fn(&Value) -> bool) + Send + 'static) -> Response {
    let (tell, told) = mpsc::channel(4);
    tokio::task::spawn_blocking(move || work(&|value| tell.blocking_send(format!("{value}\n")).is_ok()));
    let lines = pieces(told).map(|line| Ok::<_, std::convert::Infallible>(Bytes::from(line)));
    ([(CONTENT_TYPE, NDJSON)], Body::from_stream(lines)).into_response()
}

/// What is told piece by piece. What reads it may ask again after the end.
pub(crate) fn pieces<T: Send + 'static>(told: mpsc::Receiver<T>) -> impl Stream<Item = T> + Send + 'static {
    futures::stream::unfold(told, async |mut told| told.recv().await.map(|piece| (piece, told))).fuse()
}
