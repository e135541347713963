//! One request and its response over an open connection, within the limits.

use std::pin::pin;

use futures::future::{Either, select};
use http::{HeaderMap, header, response::Parts};
use http_body_util::BodyExt;
use model::Stage;
use tokio::time::{Instant, sleep_until};

use super::request::Message;
use crate::{
    Limits,
    connection::{Connection, MIN_BUFFER, Sender},
    head,
    meter::Meter,
    tee::{Record, Tape},
};

/// How far a conversation came.
pub(crate) struct Conversation {
    /// The head, if hyper could read it.
    pub(crate) head: Option<Parts>,
    /// How much of the body hyper delivered, in bytes.
    pub(crate) body_len: u64,
    /// What is wrong with the content encoding, if anything.
    pub(crate) broken_encoding: Option<String>,
    pub(crate) end: End,
    has_heard: bool,
}

/// How a conversation ended.
pub(crate) enum End {
    /// The whole response was read.
    Complete,
    /// The content type is none that is read.
    TypeRefused(String),
    /// A limit of size was reached.
    TooLarge(String),
    /// The body decodes to more than is allowed.
    Bomb,
    /// Hyper gave up: the connection ended, or what came is not HTTP.
    Broken(hyper::Error),
    /// A limit of time ran out.
    Overrun(Overrun),
}

/// Which limit of time ran out, and where.
pub(crate) struct Overrun {
    pub(crate) stage: Stage,
    /// Whether it was silence: a circuit may be to blame for that, and only the site for a response that never ends.
    pub(crate) is_silence: bool,
}

impl Conversation {
    /// Whether the connection ended before anything came back.
    pub(crate) fn died_unheard(&self) -> bool {
        matches!(&self.end, End::Broken(_)) && !self.has_heard
    }
}

/// Sends the request and reads the response.
pub(crate) async fn converse(
    connection: &mut Connection,
    message: Message,
    total: Instant,
    limits: &Limits,
) -> Conversation {
    let Connection { sender, driver, tape, .. } = connection;
    // Hyper reads at most one buffer ahead of the head, and nothing of a body that nobody has asked for.
    tape.begin(limits.head_bytes.max(MIN_BUFFER).saturating_mul(2));
    let mut conversation =
        Conversation { head: None, body_len: 0, broken_encoding: None, end: End::Complete, has_heard: false };
    let end = {
        let work = pin!(driver.during(exchange(sender, message, tape, limits, &mut conversation)));
        let watch = pin!(watch(tape, total, limits));
        match select(work, watch).await {
            Either::Left((end, _)) => end,
            Either::Right((overrun, _)) => End::Overrun(overrun),
        }
    };
    conversation.end = end;
    conversation.has_heard = tape.read(|record| !record.received.is_empty());
    conversation
}

async fn exchange(
    sender: &mut Sender,
    message: Message,
    tape: &Tape,
    limits: &Limits,
    so_far: &mut Conversation,
) -> End {
    if let Err(error) = sender.ready().await {
        return End::Broken(error);
    }
    let (head, mut body) = match sender.send_request(message).await {
        Ok(response) => response.into_parts(),
        Err(error) => return End::Broken(error),
    };
    let head_len = tape.read(|record| head::end(&record.received).unwrap_or(record.received.len()));
    tape.allow(head_len.saturating_add(limits.body_bytes));
    let refusal = refusal(&head.headers, limits);
    let announced = announced_len(&head.headers);
    let mut meter = Meter::new(&codings(&head.headers), limits.decoded_bytes, limits.decompression_ratio);
    so_far.head = Some(head);
    if head_len > limits.head_bytes {
        return End::TooLarge(format!("a head of {head_len} bytes"));
    }
    if let Some(refused) = refusal {
        return End::TypeRefused(refused);
    }
    // What came together with the head has been read already.
    if tape.read(|record| record.received.len().saturating_sub(head_len) > limits.body_bytes) {
        return End::TooLarge(format!("a body of more than {} bytes", limits.body_bytes));
    }
    if let Some(announced) = announced.filter(|len| *len > limits.body_bytes as u64) {
        return End::TooLarge(format!("a body of {announced} bytes is announced"));
    }
    while let Some(frame) = body.frame().await {
        let frame = match frame {
            Ok(frame) => frame,
            Err(error) => return End::Broken(error),
        };
        if let Some(data) = frame.data_ref() {
            so_far.body_len += data.len() as u64;
            if meter.add(data).is_err() {
                return End::Bomb;
            }
        }
    }
    if meter.finish().is_err() {
        return End::Bomb;
    }
    so_far.broken_encoding = meter.broken().map(str::to_owned);
    End::Complete
}

/// Waits until a limit of time runs out. Arti has none for reading.
async fn watch(tape: &Tape, total: Instant, limits: &Limits) -> Overrun {
    loop {
        let (deadline, is_silence) = tape.read(|record| deadline(record, total, limits));
        if deadline <= Instant::now() {
            return Overrun { stage: tape.read(|record| stage(&record.received)), is_silence };
        }
        // The first byte can bring the limit nearer: the patience for silence after it is another one.
        sleep_until(deadline.min(Instant::now() + limits.idle())).await;
    }
}

fn deadline(record: &Record, total: Instant, limits: &Limits) -> (Instant, bool) {
    let patience = if record.received.is_empty() { limits.first_byte() } else { limits.idle() };
    let silence = record.last_read + patience;
    (silence.min(total), silence <= total)
}

/// How far the response had come.
pub(crate) fn stage(received: &[u8]) -> Stage {
    if received.is_empty() {
        Stage::FirstByte
    } else if head::end(received).is_none() {
        Stage::Head
    } else {
        Stage::Body
    }
}

/// The content type, if it is none that is read.
fn refusal(headers: &HeaderMap, limits: &Limits) -> Option<String> {
    let content_type = String::from_utf8_lossy(headers.get(header::CONTENT_TYPE)?.as_bytes()).into_owned();
    (!limits.allows_type(&content_type)).then(|| content_type.chars().take(80).collect())
}

fn announced_len(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.trim().parse().ok()
}

/// The content codings in the order in which they were applied, in lower case.
fn codings(headers: &HeaderMap) -> Vec<String> {
    let fields = headers.get_all(header::CONTENT_ENCODING).iter();
    let text = fields.map(|field| String::from_utf8_lossy(field.as_bytes()).to_ascii_lowercase());
    let codings = text.flat_map(|field| field.split(',').map(|coding| coding.trim().to_owned()).collect::<Vec<_>>());
    codings.filter(|coding| !coding.is_empty() && coding != "identity").collect()
}
