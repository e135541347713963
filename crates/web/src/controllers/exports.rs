//! Exports: ordered once, and then read as often as it takes, from any byte on.

use std::{
    ffi::OsStr,
    fs,
    io::{self, Write},
    path::Path,
};

use axum::{
    Json,
    body::{Body, Bytes},
    extract::State,
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode,
        header::{
            ACCEPT_RANGES, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, IF_RANGE, LOCATION,
            RANGE,
        },
    },
    response::IntoResponse,
};
use model::{Grant, Phase, Seq};
use release::{Format, Order, Selection};
use tokio::sync::mpsc;

use crate::{
    api::{Export, ExportFile, ExportFormat, ExportSelection, NewExport},
    app::Shared,
    lines::pieces,
    refusal::Refusal,
    request::{AtExport, AtTheme, Body as JsonBody},
};

/// Orders an export, which becomes a leaf of the evidence log
///
/// Nothing leaves yet. The answer comes when length and digest of the export are known, which takes as long as reading it will.
#[utoipa::path(
    post, path = "/themes/{theme}/exports", tag = "exports", operation_id = "order_export", params(AtTheme),
    request_body = NewExport,
    responses((status = 201, description = "The export; `Location` says where its bytes are.", body = Export)),
)]
pub(crate) async fn create(
    State(running): State<Shared>,
    at: AtTheme,
    JsonBody(wanted): JsonBody<NewExport>,
) -> Result<impl IntoResponse, Refusal> {
    let grant = at.grant(&running.app, Phase::OperationalUse);
    let order = Order {
        selection: selection(wanted.selection),
        format: format(wanted.format),
        purpose: wanted.purpose,
        with_revisits: wanted.revisits,
        checkpoint: wanted.checkpoint,
    };
    let order = move |running: &crate::app::Running| {
        Ok(running.exporter.order(&grant, at.theme, &order, running.app.clock.now())?)
    };
    let export = shown(&running.blocking(order).await?);
    Ok((StatusCode::CREATED, [(LOCATION, format!("/api/v1{}", export.path))], Json(export)))
}

/// The bytes of an export
///
/// `Range: bytes=N-` reads on where an earlier answer broke off. Who reads is not told from who ordered: the order is what the log keeps.
#[utoipa::path(
    get, path = "/themes/{theme}/exports/{leaf}", tag = "exports", operation_id = "read_export", params(
        AtExport,
        ("Range" = Option<String>, Header, description = "`bytes=N-`; anything else is ignored (RFC 9110, section 14.2)."),
        ("If-Range" = Option<String>, Header, description = "The `ETag` of the answer that broke off."),
    ),
    responses(
        (
            status = 200, description = "All of it; `ETag` is its SHA-256 in hexadecimal digits.", body = [u8],
            content_type = "application/octet-stream",
        ),
        (status = 206, description = "What lies behind the start.", body = [u8], content_type = "application/octet-stream"),
    ),
)]
pub(crate) async fn read(
    State(running): State<Shared>,
    at: AtExport,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Refusal> {
    let grant = at.grant(&running.app);
    let reader = grant.clone();
    let find = move |running: &crate::app::Running| {
        let export = running.exporter.find(&reader, at.theme, at.leaf)?.ok_or(Refusal::NoExport)?;
        running.exporter.check(&reader, &export)?;
        Ok(export)
    };
    let export = running.blocking(find).await?;
    let etag = format!("\"{}\"", export.digest);
    let start = start(&headers, &etag);
    if start.is_some_and(|start| start >= export.bytes) {
        return Err(Refusal::BeyondEnd(export.bytes));
    }
    let (offset, end) = (start.unwrap_or(0), export.bytes);
    let mut fields = vec![
        (CONTENT_TYPE, "application/octet-stream".to_owned()),
        (CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", export.filename())),
        (CONTENT_LENGTH, (end - offset).to_string()),
        (ACCEPT_RANGES, "bytes".to_owned()),
        (ETAG, etag),
    ];
    fields.extend(start.map(|start| (CONTENT_RANGE, format!("bytes {start}-{}/{end}", end - 1))));
    let status = if start.is_some() { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK };
    Ok((status, header_map(fields), stream(running, grant, export, offset)))
}

/// Note the file of this machine that an export is carried to
///
/// When something that the export holds is erased, the file is deleted. Only the command line can say where it lies.
#[utoipa::path(
    put, path = "/themes/{theme}/exports/{leaf}/file", tag = "exports", operation_id = "note_export_file", params(AtExport),
    request_body = ExportFile,
    responses((status = 204, description = "It is noted.")),
)]
pub(crate) async fn note_file(
    State(running): State<Shared>,
    at: AtExport,
    JsonBody(file): JsonBody<ExportFile>,
) -> Result<StatusCode, Refusal> {
    if !at.who.is_on_socket() {
        return Err(Refusal::SocketOnly);
    }
    let grant = at.grant(&running.app);
    let note = move |running: &crate::app::Running| {
        let export = running.exporter.find(&grant, at.theme, at.leaf)?.ok_or(Refusal::NoExport)?;
        check_file(&file.path, export.format.extension())?;
        Ok(running.exporter.note_file(&grant, &export, file.path)?)
    };
    running.blocking(note).await.map(|()| StatusCode::NO_CONTENT)
}

/// Nothing is noted, and so nothing deleted one day, that does not look like an export.
pub(super) fn check_file(path: &Path, extension: &str) -> Result<(), Refusal> {
    let invalid = |problem: String| Err(Refusal::Invalid { field: "path", problem });
    let end = format!(".{extension}");
    if !path.is_absolute() {
        return invalid("the file must have an absolute path".into());
    }
    if !path.file_name().and_then(OsStr::to_str).is_some_and(|name| name.ends_with(&end)) {
        return invalid(format!("the file's name must end with {end}"));
    }
    if !fs::symlink_metadata(path).is_ok_and(|meta| meta.is_file()) {
        return invalid(format!("the daemon sees no file {}, so that an erasure will not reach it", path.display()));
    }
    Ok(())
}

fn header_map(fields: Vec<(HeaderName, String)>) -> HeaderMap {
    let field = |(name, value): (HeaderName, String)| Some((name, HeaderValue::try_from(value).ok()?));
    fields.into_iter().filter_map(field).collect()
}

/// The bytes from an offset on, made while they are read. One that cannot be made to its end breaks the answer off.
fn stream(running: Shared, grant: Grant, export: release::Export, offset: u64) -> Body {
    let (tell, told) = mpsc::channel(4);
    tokio::task::spawn_blocking(move || {
        let mut pipe = Pipe(tell);
        if let Err(error) = running.exporter.write(&grant, &export, offset, &mut pipe)
            && !pipe.0.is_closed()
        {
            tracing::error!(%error, leaf = export.leaf, "an export broke off");
            let _ = pipe.0.blocking_send(Err(io::Error::other("the export broke off")));
        }
    });
    Body::from_stream(pieces(told))
}

/// Carries bytes to whoever reads an answer.
struct Pipe(mpsc::Sender<io::Result<Bytes>>);

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let sent = self.0.blocking_send(Ok(Bytes::copy_from_slice(bytes)));
        sent.map(|()| bytes.len()).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The first byte that is wanted, where not all are (RFC 9110, sections 13.1.5 and 14.2).
fn start(headers: &HeaderMap, etag: &str) -> Option<u64> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    if headers.contains_key(IF_RANGE) && text(IF_RANGE) != Some(etag) {
        return None;
    }
    let digits = text(RANGE)?.strip_prefix("bytes=")?.strip_suffix('-')?;
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

fn selection(wanted: ExportSelection) -> Selection {
    match wanted {
        ExportSelection::Captures(captures) => Selection::Captures(captures.into_iter().map(Seq).collect()),
        ExportSelection::Target { id, from, until } => Selection::Target { id, from, until },
        ExportSelection::Version(capture) => Selection::Version { first: Seq(capture), last: None },
        ExportSelection::Dossier(id) => Selection::Dossier { id, captures: Vec::new() },
    }
}

const fn format(wanted: ExportFormat) -> Format {
    match wanted {
        ExportFormat::Warc => Format::Warc,
        ExportFormat::Wacz => Format::Wacz,
    }
}

fn shown(export: &release::Export) -> Export {
    Export {
        leaf: export.leaf,
        path: format!("/themes/{}/exports/{}", export.theme, export.leaf),
        filename: export.filename(),
        at: export.at,
        format: match export.format {
            Format::Warc => ExportFormat::Warc,
            Format::Wacz => ExportFormat::Wacz,
        },
        captures: export.captures,
        log_size: export.log_size,
        bytes: export.bytes,
        digest: export.digest,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_open_range_is_served_in_part() {
        let check = |range: &'static str, if_range: Option<&'static str>, expected| {
            let mut headers = HeaderMap::from_iter([(RANGE, HeaderValue::from_static(range))]);
            headers.extend(if_range.map(|etag| (IF_RANGE, HeaderValue::from_static(etag))));
            assert_eq!(start(&headers, "\"a\""), expected, "{range} {if_range:?}");
        };
        check("bytes=0-", None, Some(0));
        check("bytes=17-", Some("\"a\""), Some(17));
        check("bytes=17-", Some("\"b\""), None);
        for other in
            ["bytes=-5", "bytes=1-2", "bytes=1-,3-", "bytes=+1-", "bytes=-", "lines=1-", "bytes=99999999999999999999-"]
        {
            check(other, None, None);
        }
        assert_eq!(start(&HeaderMap::new(), "\"a\""), None);
    }
}
