//! Search results that leave the house: all hits of a query at once, as a table or as lines, and a leaf of the evidence log before the first of them.

use std::{io, str::FromStr};

use axum::{
    body::{Body, Bytes},
    extract::{RawQuery, State},
    http::{
        HeaderMap, HeaderName, HeaderValue,
        header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE, ETAG},
    },
    response::IntoResponse,
};
use model::{Digest, Grant, Phase, Seq, ThemeId};
use proof::LeafKind;
use search::Query;
use sha2::{Digest as _, Sha256};
use store::{Act, LocalCopy};
use tokio::sync::mpsc;
use utoipa::IntoParams;

use super::{exports::check_file, search as searches};
use crate::{
    api::{Hit, NewResults},
    app::{Running, Shared},
    csv,
    lines::{NDJSON, pieces},
    refusal::Refusal,
    request::{AtTheme, Body as JsonBody, Parameters, said},
};

/// The most hits of an export.
const MOST_HITS: u64 = 100_000;

/// Hits that are asked for at once.
const PAGE: usize = 1_000;

/// Bytes that go out at once.
const PIECE: usize = 64 << 10;

/// Tells the leaf of an export of search results.
const LEAF: HeaderName = HeaderName::from_static("nachtwacht-leaf");

const COLUMNS: [&str; 9] =
    ["capture", "captured_at", "target", "uri", "outcome", "kind", "language", "title", "snippet"];

/// The form of an export of search results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Csv,
    Jsonl,
}

impl FromStr for Format {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "csv" => Ok(Self::Csv),
            "jsonl" => Ok(Self::Jsonl),
            _ => Err("there are csv and jsonl"),
        }
    }
}

impl Format {
    /// Its name, and how the names of its files end.
    const fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
        }
    }

    const fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Jsonl => NDJSON,
        }
    }

    fn head(self) -> String {
        match self {
            Self::Csv => csv::row(&COLUMNS),
            Self::Jsonl => String::new(),
        }
    }

    fn line(self, hit: &Hit) -> String {
        match self {
            Self::Csv => csv::row(&[
                hit.capture.to_string(),
                hit.captured_at.to_string(),
                hit.target.to_string(),
                hit.uri.to_string(),
                hit.outcome.to_string(),
                hit.kind.as_str().to_owned(),
                hit.language.clone().unwrap_or_default(),
                hit.title.clone(),
                hit.snippet.clone(),
            ]),
            // Plain data has a JSON form.
            Self::Jsonl => serde_json::to_string(hit).unwrap_or_default() + "\n",
        }
    }
}

#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it describes the parameter, which is read by hand")]
pub(crate) struct FormatParameters {
    /// `csv`, of which no spreadsheet runs anything, or `jsonl`: on each line a hit as a search tells it.
    #[param(default = "csv")]
    format: Option<String>,
}

/// What was asked for, and as of when.
struct Wanted {
    theme: ThemeId,
    query: Query,
    format: Format,
}

/// What an export comes to.
struct Measured {
    digest: Digest,
    bytes: u64,
    captures: Vec<Seq>,
}

/// Export search results
///
/// All hits, at most 100,000, in the order that the query says, as of one sequence. That they leave, how many, and the digest of the bytes is a leaf of
/// the evidence log before the first byte goes. The answer takes as long as two searches through all pages.
#[utoipa::path(
    post, path = "/themes/{theme}/search/export", tag = "exports", operation_id = "export_results",
    params(AtTheme, FormatParameters),
    request_body = NewResults,
    responses((
        status = 200,
        description = "The hits; `ETag` is the SHA-256 of the bytes in hexadecimal digits, `Nachtwacht-Leaf` the leaf that tells of the export.",
        content((String = "text/csv"), (String = "application/x-ndjson")),
    )),
)]
pub(crate) async fn export(
    State(running): State<Shared>,
    at: AtTheme,
    RawQuery(query): RawQuery,
    JsonBody(new): JsonBody<NewResults>,
) -> Result<impl IntoResponse, Refusal> {
    let format = Parameters::read(query.as_deref(), &["format"])?.one("format")?.unwrap_or(Format::Csv);
    said("purpose", &new.purpose)?;
    if new.file.is_some() && !at.who.is_on_socket() {
        return Err(Refusal::SocketOnly);
    }
    let query = searches::read(Some(&new.query))?;
    let grant = at.grant(&running.app, Phase::OperationalUse);
    let wanted = Wanted { theme: at.theme, query, format };
    let reader = grant.clone();
    let order = move |running: &Running| {
        if let Some(file) = &new.file {
            check_file(file, format.name())?;
        }
        let (wanted, measured) = measure(running, &reader, wanted)?;
        let leaf = record(running, &reader, &wanted, &measured, &new)?;
        if let Some(path) = new.file {
            let mut captures = measured.captures.clone();
            captures.sort_unstable();
            running.app.store.note_copy(&LocalCopy { path, theme: wanted.theme, captures, must_go: false })?;
        }
        Ok((wanted, measured, leaf))
    };
    let (wanted, measured, leaf) = running.blocking(order).await?;
    let fields = [
        (CONTENT_TYPE, format.media_type().to_owned()),
        (CONTENT_DISPOSITION, format!("attachment; filename=\"{}-search-{leaf}.{}\"", wanted.theme, format.name())),
        (CONTENT_LENGTH, measured.bytes.to_string()),
        (ETAG, format!("\"{}\"", measured.digest)),
        (LEAF, leaf.to_string()),
    ];
    let field = |(name, value): (HeaderName, String)| Some((name, HeaderValue::try_from(value).ok()?));
    let fields: HeaderMap = fields.into_iter().filter_map(field).collect();
    Ok((fields, stream(running, grant, wanted, &measured, leaf)))
}

/// Settles as of when the query is answered, and what the answer comes to; nothing leaves yet.
fn measure(running: &Running, grant: &Grant, wanted: Wanted) -> Result<(Wanted, Measured), Refusal> {
    let only_counted = Query { limit: 0, after: None, ..wanted.query.clone() };
    let first = searches::find(running, wanted.theme, grant, only_counted)?.page;
    if first.total > MOST_HITS {
        let problem = format!("it finds {} captures, more than {MOST_HITS}: narrow it", first.total);
        return Err(Refusal::Invalid { field: "query", problem });
    }
    if first.total == 0 {
        return Err(Refusal::Export(release::Error::Nothing));
    }
    let wanted = Wanted { query: Query { up_to: None, generation: Some(first.generation), ..wanted.query }, ..wanted };
    let (mut hash, mut bytes, mut captures) = (Sha256::new(), 0, Vec::new());
    each_line(running, grant, &wanted, &mut |seq, line| {
        hash.update(line);
        bytes += line.len() as u64;
        captures.extend(seq);
        Ok(())
    })?;
    Ok((wanted, Measured { digest: Digest::from_bytes(hash.finalize().into()), bytes, captures }))
}

/// Hands out every line, the first of them perhaps about no capture.
fn each_line(
    running: &Running,
    grant: &Grant,
    wanted: &Wanted,
    each: &mut dyn FnMut(Option<Seq>, &str) -> Result<(), Refusal>,
) -> Result<(), Refusal> {
    each(None, &wanted.format.head())?;
    let mut after = None;
    loop {
        let query = Query { limit: PAGE, after, ..wanted.query.clone() };
        let page = searches::find(running, wanted.theme, grant, query)?.page;
        for hit in page.hits {
            let hit = searches::shown_hit(wanted.theme, hit);
            each(Some(hit.seq), &wanted.format.line(&hit))?;
        }
        after = page.next;
        if after.is_none() {
            return Ok(());
        }
    }
}

/// Writes into the log that the results leave.
fn record(
    running: &Running,
    grant: &Grant,
    wanted: &Wanted,
    measured: &Measured,
    new: &NewResults,
) -> Result<u64, Refusal> {
    let int = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let act = Act::new(wanted.theme, LeafKind::Export, running.app.clock.now())
        .fact("format", wanted.format.name())
        .fact("hits", int(measured.captures.len() as u64))
        .fact("generation", wanted.query.generation.map(|generation| generation.to_string()).unwrap_or_default())
        .fact("bytes", int(measured.bytes))
        .fact("digest", measured.digest.as_bytes().to_vec())
        .part("who", grant.who().as_bytes())
        .part("purpose", new.purpose.as_bytes())
        .part("query", new.query.as_bytes());
    Ok(running.app.store.record_act(grant, wanted.theme, act)?)
}

/// The lines, made anew while they are read. Where they do not come to what the log says, the answer breaks off before its end.
fn stream(running: Shared, grant: Grant, wanted: Wanted, measured: &Measured, leaf: u64) -> Body {
    let expected = measured.digest;
    let (tell, told) = mpsc::channel::<io::Result<Bytes>>(4);
    tokio::task::spawn_blocking(move || {
        let gone = || Refusal::BrokenBody;
        let (mut hash, mut piece) = (Sha256::new(), String::new());
        let sent = each_line(&running, &grant, &wanted, &mut |_, line| {
            hash.update(line);
            if piece.len() >= PIECE {
                let full = std::mem::take(&mut piece);
                tell.blocking_send(Ok(full.into())).map_err(|_| gone())?;
            }
            piece.push_str(line);
            Ok(())
        });
        let is_same = sent.is_ok() && Digest::from_bytes(hash.finalize().into()) == expected;
        let last = if is_same {
            Ok(piece.into())
        } else {
            if !tell.is_closed() {
                tracing::error!(leaf, "an export of search results broke off");
            }
            Err(io::Error::other("the export broke off"))
        };
        let _ = tell.blocking_send(last);
    });
    Body::from_stream(pieces(told))
}
