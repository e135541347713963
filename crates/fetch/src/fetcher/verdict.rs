//! From the bytes that were kept to an exchange: head, payload, framing, outcome.

use std::time::Duration;

use http::{StatusCode, header, response::Parts};
use model::{Digest, Framing, FramingPiece, Malformation, Outcome, Stage, Timestamp, Truncation, Uri};

use super::conversation::{Conversation, End, stage};
use crate::{
    Exchange, Limits, Request,
    chunked::{self, MAX_PIECES},
    head,
    policy::Blocks,
    redirect,
    tee::Record,
};

/// An exchange in which nothing was sent.
pub(crate) fn unsent(at: Timestamp, outcome: Outcome, detail: String) -> Exchange {
    let nothing = Digest::of(&[]);
    Exchange {
        outcome,
        detail: Some(detail),
        started_at: at,
        first_byte_at: None,
        ended_at: at,
        status: None,
        request: Vec::new(),
        secrets: Vec::new(),
        response_head: Vec::new(),
        payload: Vec::new(),
        payload_digest: nothing,
        block_digest: nothing,
        block_len: 0,
        framing: None,
        truncation: None,
        tls: None,
        reused_connection: false,
        redirect_to: None,
        retry_after: None,
        needs_new_epoch: false,
    }
}

/// What an exchange amounts to, and whether its connection can carry another one.
pub(crate) fn judge(
    record: Record,
    spoken: &Conversation,
    request: &Request,
    limits: &Limits,
    blocks: &Blocks,
    ended_at: Timestamp,
) -> (Exchange, bool) {
    let head_len = head::end(&record.received).unwrap_or(record.received.len());
    let (response_head, body) = record.received.split_at(head_len);
    let parted = part(body, spoken.head.as_ref());
    let verdict = verdict(spoken, &record, &parted, request, limits, blocks);
    let is_clean = matches!(spoken.end, End::Complete)
        && verdict.truncation.is_none()
        && parted.excess == Some(0)
        && !spoken.head.as_ref().is_some_and(promises_what_cannot_follow);
    let needs_new_epoch = matches!(&spoken.end, End::Overrun(overrun) if overrun.is_silence);
    let retry_after = spoken.head.as_ref().and_then(|head| redirect::retry_after(&head.headers, ended_at));
    let exchange = Exchange {
        detail: verdict.detail,
        first_byte_at: record.first_byte_at,
        ended_at,
        status: spoken.head.as_ref().map(|head| head.status.as_u16()),
        block_digest: Digest::of(&record.received),
        block_len: record.received.len() as u64,
        response_head: response_head.to_vec(),
        payload_digest: Digest::of(&parted.payload),
        payload: parted.payload,
        framing: parted.framing,
        request: record.sent,
        truncation: verdict.truncation,
        redirect_to: verdict.redirect_to,
        retry_after,
        needs_new_epoch,
        ..unsent(ended_at, verdict.outcome, String::new())
    };
    (exchange, is_clean)
}

/// Whether an answer without content (RFC 9110, section 15.3.5) speaks of its content all the same. Where some comes late, it would be taken for the
/// beginning of the next answer.
fn promises_what_cannot_follow(head: &Parts) -> bool {
    let fields = [header::CONTENT_LENGTH, header::CONTENT_TYPE, header::TRANSFER_ENCODING];
    head.status == StatusCode::NO_CONTENT && fields.iter().any(|field| head.headers.contains_key(field))
}

/// A body, taken apart.
struct Parted {
    payload: Vec<u8>,
    framing: Option<Framing>,
    /// How many bytes followed the end of the body; `None` when the end did not come or only the connection's end tells it.
    excess: Option<usize>,
    has_too_many_pieces: bool,
    is_chunked: bool,
}

/// Takes a body apart by the rules of RFC 9112, section 6.3. The body of a head that hyper rejects stays whole.
fn part(body: &[u8], head: Option<&Parts>) -> Parted {
    let Some(head) = head else { return Parted::whole(body) };
    if head.status.is_informational() || matches!(head.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) {
        return Parted::of_len(body, 0);
    }
    let coding = head.headers.get_all(header::TRANSFER_ENCODING).iter().next_back();
    if let Some(coding) = coding {
        let last = coding.as_bytes().rsplit(|&byte| byte == b',').next().unwrap_or_default().trim_ascii();
        if !last.eq_ignore_ascii_case(b"chunked") {
            return Parted::whole(body);
        }
        let unwoven = chunked::unweave(body);
        return Parted {
            payload: unwoven.payload,
            framing: Some(unwoven.framing),
            excess: unwoven.excess,
            has_too_many_pieces: unwoven.has_too_many_pieces,
            is_chunked: true,
        };
    }
    let len = head.headers.get(header::CONTENT_LENGTH).and_then(|len| len.to_str().ok());
    // The same number more than once, in a list, counts once: hyper has refused any other list.
    match len.and_then(|len| len.split(',').next()).and_then(|len| len.trim().parse().ok()) {
        Some(len) => Parted::of_len(body, len),
        None => Parted::whole(body),
    }
}

impl Parted {
    fn whole(body: &[u8]) -> Self {
        Self { payload: body.to_vec(), framing: None, excess: None, has_too_many_pieces: false, is_chunked: false }
    }

    /// A body of an announced length. What came behind it is kept as framing: received, and no part of the body.
    fn of_len(body: &[u8], len: usize) -> Self {
        let Some((payload, end)) = body.split_at_checked(len) else { return Self::whole(body) };
        let framing = (!end.is_empty()).then(|| Framing {
            pieces: vec![FramingPiece { before: Vec::new(), len: payload.len() as u64 }],
            end: end.to_vec(),
        });
        Self {
            payload: payload.to_vec(),
            framing,
            excess: Some(end.len()),
            has_too_many_pieces: false,
            is_chunked: false,
        }
    }
}

/// An outcome and what belongs to it.
struct Verdict {
    outcome: Outcome,
    detail: Option<String>,
    truncation: Option<Truncation>,
    redirect_to: Option<Uri>,
}

impl Verdict {
    fn new(outcome: Outcome, detail: impl Into<Option<String>>) -> Self {
        Self { outcome, detail: detail.into(), truncation: None, redirect_to: None }
    }

    fn truncated(self, truncation: Truncation) -> Self {
        Self { truncation: Some(truncation), ..self }
    }
}

fn verdict(
    spoken: &Conversation,
    record: &Record,
    parted: &Parted,
    request: &Request,
    limits: &Limits,
    blocks: &Blocks,
) -> Verdict {
    match &spoken.end {
        End::Complete => complete(spoken, parted, request, limits, blocks),
        End::TypeRefused(refused) => {
            let answer = spoken.head.as_ref().map(|head| answer(head, request, limits, blocks));
            // What a redirect or an error says, it says in its head.
            let verdict = match answer {
                Some(answer) if answer.outcome != Outcome::Ok => answer,
                _ => Verdict::new(Outcome::ContentTypeRefused, format!("content type {refused:?}")),
            };
            verdict.truncated(Truncation::Length)
        }
        End::TooLarge(detail) => Verdict::new(Outcome::TooLarge, detail.clone()).truncated(Truncation::Length),
        End::Bomb => Verdict::new(Outcome::DecompressionBomb, "the body decodes to more than is allowed".to_owned())
            .truncated(Truncation::Length),
        End::Overrun(overrun) => {
            let limit = if overrun.is_silence { "silence" } else { "the whole exchange" };
            Verdict::new(Outcome::TimedOut(overrun.stage), format!("the limit for {limit} ran out"))
                .truncated(Truncation::Time)
        }
        End::Broken(error) => broken(error, record, parted, spoken.head.is_some()),
    }
}

/// Hyper gave up. What the tee has seen says whose fault it was.
fn broken(error: &hyper::Error, record: &Record, parted: &Parted, has_head: bool) -> Verdict {
    let detail = with_source(error);
    if error.is_parse_too_large() || record.is_exhausted {
        return Verdict::new(Outcome::TooLarge, detail).truncated(Truncation::Length);
    }
    if error.is_parse() {
        let head_len = head::end(&record.received).unwrap_or(record.received.len());
        let is_length = head::has_bad_length(record.received.get(..head_len).unwrap_or_default());
        let what = if is_length { Malformation::Length } else { Malformation::Head };
        return Verdict::new(Outcome::Malformed(what), detail);
    }
    if record.ended.is_none() && has_head && parted.is_chunked {
        return Verdict::new(Outcome::Malformed(Malformation::Chunk), detail);
    }
    let detail = match &record.ended {
        Some(Err(cause)) => cause.clone(),
        _ => detail,
    };
    let stage = stage(&record.received);
    let verdict = Verdict::new(Outcome::Interrupted(stage), detail);
    // Before the first byte there is no response of which anything could be missing.
    if stage == Stage::FirstByte { verdict } else { verdict.truncated(Truncation::Disconnect) }
}

fn complete(spoken: &Conversation, parted: &Parted, request: &Request, limits: &Limits, blocks: &Blocks) -> Verdict {
    if parted.has_too_many_pieces {
        let detail = format!("a body in more than {MAX_PIECES} chunks");
        return Verdict::new(Outcome::TooLarge, detail).truncated(Truncation::Length);
    }
    // Two parsers have read this body. Where they differ, neither is believed.
    if spoken.body_len != parted.payload.len() as u64 {
        let what = if parted.is_chunked { Malformation::Chunk } else { Malformation::Length };
        return Verdict::new(Outcome::Malformed(what), "the end of the body is ambiguous".to_owned());
    }
    let Some(head) = &spoken.head else { return Verdict::new(Outcome::Malformed(Malformation::Head), None) };
    let answer = answer(head, request, limits, blocks);
    match &spoken.broken_encoding {
        Some(broken) if head.status.is_success() => {
            Verdict::new(Outcome::Malformed(Malformation::Encoding), broken.clone())
        }
        _ => answer,
    }
}

/// What the head of a response says.
fn answer(head: &Parts, request: &Request, limits: &Limits, blocks: &Blocks) -> Verdict {
    let follow = |reference: &str| match redirect::follow(reference, request, limits.redirects, blocks) {
        Ok(next) => Verdict { redirect_to: Some(next), ..Verdict::new(Outcome::Redirect, None) },
        Err(problem) => Verdict::new(Outcome::RedirectRefused, problem),
    };
    let status = head.status;
    if status.is_success() {
        let refresh = redirect::refresh(&head.headers)
            .filter(|(delay, _)| *delay <= Duration::from_secs(limits.refresh_delay_s.into()))
            // A page that loads itself anew is a page.
            .filter(|(_, reference)| request.uri.join(reference).as_ref() != Ok(&request.uri));
        return refresh.map_or_else(|| Verdict::new(Outcome::Ok, None), |(_, reference)| follow(&reference));
    }
    if status == StatusCode::NOT_MODIFIED && request.validators.is_some() {
        return Verdict::new(Outcome::NotModified, None);
    }
    match redirect::location(&head.headers).filter(|_| status.is_redirection()) {
        Some(reference) => follow(&reference),
        None => Verdict::new(Outcome::HttpError(status.as_u16()), None),
    }
}

/// The error and its cause, in one line.
fn with_source(error: &hyper::Error) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
