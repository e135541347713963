//! Which answers are compressed (gzip, zstd) for those who take it: text and JSON that are worth it. Evidence leaves byte for byte.

use axum::http::{
    HeaderMap, StatusCode,
    header::{CONTENT_TYPE, ETAG},
};
use tower_http::compression::{
    CompressionLayer,
    predicate::{And, Predicate as _, SizeAbove},
};

/// Answers that are shorter gain nothing, in bytes.
const WORTH_IT: u64 = 1024;

type Extensions = axum::http::Extensions;

/// Compresses what is worth it.
pub(crate) fn compress()
-> CompressionLayer<And<SizeAbove, fn(StatusCode, axum::http::Version, &HeaderMap, &Extensions) -> bool>> {
    let is_text: fn(StatusCode, axum::http::Version, &HeaderMap, &Extensions) -> bool =
        |_, _, fields, _| is_text(fields);
    CompressionLayer::new().compress_when(SizeAbove::new(WORTH_IT).and(is_text))
}

/// Whether it is text or JSON. What carries an entity tag goes as it is: the tag is of those very bytes (RFC 9110, section 8.8.3).
fn is_text(fields: &HeaderMap) -> bool {
    let media = fields.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media = media.split(';').next().unwrap_or_default().trim();
    (media.starts_with("text/") || matches!(media, "application/json" | "application/problem+json"))
        && !fields.contains_key(ETAG)
}
