//! The one writer of captures. It gives out sequences and makes a group of captures durable with one sync, so that many
//! workers share the price of the disk; a capture is acknowledged when its group is on disk.

use std::{collections::HashMap, sync::Arc, thread::JoinHandle, time::Duration};

use model::{Digest, Seq, ServiceId, TargetId, ThemeId};
use rocksdb::WriteBatch;
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::Instant,
};

use crate::{
    Error, Evidence, Seal,
    decisions::probe_key,
    frontier::{CrawlState, FrontierEntry, HostRecord, UriRecord},
    key::{Key, Reader},
    log::{Appending, Log},
    payload::{self, CompressedPayload},
    schema::Table,
    seals,
    store::Tables,
};

/// How many captures may wait for the disk; whoever brings another one waits, so that a slow disk slows the fetches.
const QUEUE: usize = 64;

/// All that a finished attempt changes, recorded in one synced batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FinishedVisit {
    /// The theme of the capture.
    pub theme: ThemeId,
    /// The capture with its payload; its sequence is given out here.
    pub evidence: Evidence,
    /// The visit that is no longer owed.
    pub visit: FrontierEntry,
    /// The URI's new state; a due time in it is the next visit that is owed.
    pub uri: UriRecord,
    /// The service's new state.
    pub host: (ServiceId, HostRecord),
    /// The target's new state.
    pub state: (TargetId, CrawlState),
}

/// What a probe changes, recorded in one synced batch: the capture and the note that it was made. The frontier learns nothing of it, so that nothing follows
/// from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FinishedProbe {
    /// The theme of the capture.
    pub theme: ThemeId,
    /// The capture with its payload; it names the target, and the decision that the probe was made under.
    pub evidence: Evidence,
    /// The service's new state.
    pub host: (ServiceId, HostRecord),
    /// The target's new state.
    pub state: CrawlState,
}

/// A fetch that ended.
#[expect(clippy::large_enum_variant, reason = "nearly all are visits, and each lives for a moment in a short queue")]
pub(crate) enum Finished {
    Visit(FinishedVisit),
    Probe(FinishedProbe),
}

impl Finished {
    const fn theme(&self) -> ThemeId {
        match self {
            Self::Visit(visit) => visit.theme,
            Self::Probe(probe) => probe.theme,
        }
    }
}

/// The promise that a submitted capture will be on disk.
#[derive(Debug)]
pub struct Receipt(oneshot::Receiver<Result<Seq, Error>>);

impl Receipt {
    /// Waits until the capture is on disk with everything that it changes; returns its sequence.
    pub async fn acknowledged(self) -> Result<Seq, Error> {
        self.0.await.map_err(|_| Error::Closing)?
    }
}

struct Command {
    finished: Finished,
    done: oneshot::Sender<Result<Seq, Error>>,
}

pub(crate) struct Committer {
    queue: Option<mpsc::Sender<Command>>,
    thread: Option<JoinHandle<()>>,
    newest: watch::Receiver<HashMap<ThemeId, Seq>>,
}

impl Committer {
    pub(crate) fn start(tables: Arc<Tables>, log: Arc<Log>, group_size: usize) -> Result<Self, Error> {
        let sequences = last_sequences(&tables)?;
        let (queue, commands) = mpsc::channel(QUEUE);
        let (announce, newest) = watch::channel(sequences);
        let writer = Writer { tables, log, commands, announce, group_size: group_size.max(1) };
        let thread = std::thread::Builder::new()
            .name("committer".into())
            .spawn(move || writer.run())
            .map_err(|_| Error::Closing)?;
        Ok(Self { queue: Some(queue), thread: Some(thread), newest })
    }

    pub(crate) async fn submit(&self, finished: Finished) -> Result<Receipt, Error> {
        let (done, acknowledged) = oneshot::channel();
        let queue = self.queue.as_ref().ok_or(Error::Closing)?;
        queue.send(Command { finished, done }).await.map_err(|_| Error::Closing)?;
        Ok(Receipt(acknowledged))
    }

    pub(crate) fn newest(&self) -> watch::Receiver<HashMap<ThemeId, Seq>> {
        self.newest.clone()
    }
}

impl Drop for Committer {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            // A writer that panicked has told so already.
            let _ = thread.join();
        }
    }
}

/// The longest that a group waits for more captures, and the pause between two looks.
const PATIENCE: Duration = Duration::from_millis(2);
const PAUSE: Duration = Duration::from_micros(50);

struct Writer {
    tables: Arc<Tables>,
    log: Arc<Log>,
    commands: mpsc::Receiver<Command>,
    announce: watch::Sender<HashMap<ThemeId, Seq>>,
    group_size: usize,
}

impl Writer {
    fn run(mut self) {
        let mut group = Vec::with_capacity(self.group_size);
        let (mut size, mut took) = (1, Duration::ZERO);
        while let Some(first) = self.commands.blocking_recv() {
            group.push(first);
            self.gather(&mut group, size, PATIENCE.min(took / 4));
            size = group.len();
            let begun = Instant::now();
            self.commit(&mut group);
            took = begun.elapsed();
        }
    }

    /// Adds those that wait. Whoever was acknowledged a moment ago is about to bring the next one: until the group is as large as the last, it is
    /// given a part of the time that a sync takes, because a sync of its own would take all of it.
    fn gather(&mut self, group: &mut Vec<Command>, size: usize, patience: Duration) {
        let begun = Instant::now();
        loop {
            while group.len() < self.group_size
                && let Ok(next) = self.commands.try_recv()
            {
                group.push(next);
            }
            if group.len() >= size || begun.elapsed() >= patience {
                return;
            }
            std::thread::sleep(PAUSE);
        }
    }

    fn commit(&self, group: &mut Vec<Command>) {
        let mut sequences = self.announce.borrow().clone();
        let mut log = self.log.append();
        let mut acknowledgements = Vec::with_capacity(group.len());
        let mut latest = Latest::default();
        for Command { finished, done } in group.drain(..) {
            let last = sequences.entry(finished.theme()).or_default();
            let seq = last.next();
            match self.add(&mut log, &mut latest, finished, seq) {
                Ok(()) => {
                    *last = seq;
                    acknowledgements.push((done, seq));
                }
                Err(error) => _ = done.send(Err(error)),
            }
        }
        latest.put(&self.tables, &mut log.batch);
        match log.commit() {
            Ok(()) => {
                self.announce.send_replace(sequences);
                for (done, seq) in acknowledgements {
                    let _ = done.send(Ok(seq));
                }
            }
            Err(error) => {
                tracing::error!(%error, "captures could not be written");
                for (done, _) in acknowledgements {
                    let _ = done.send(Err(match &error {
                        Error::Database(cause) => Error::Database(cause.clone()),
                        _ => Error::Closing,
                    }));
                }
            }
        }
    }

    /// Adds what a fetch came to to the batch; on an error nothing of it is there.
    fn add(&self, log: &mut Appending<'_>, latest: &mut Latest, finished: Finished, seq: Seq) -> Result<(), Error> {
        let (host, target, state) = match finished {
            Finished::Visit(FinishedVisit { theme, evidence, visit, uri, host, state }) => {
                self.add_capture(log, theme, evidence, seq)?;
                log.batch.delete_cf(self.tables.family(Table::FrontierByDue), visit.key());
                uri.put(&self.tables, &mut log.batch, theme, Some(seq));
                (host, (theme, state.0), state.1)
            }
            Finished::Probe(FinishedProbe { theme, evidence, host, state }) => {
                let (target, decision) = (evidence.capture.target, evidence.capture.decision);
                self.add_capture(log, theme, evidence, seq)?;
                let key = probe_key(theme, target, decision);
                self.tables.put(&mut log.batch, Table::ProbeCaptures, &key, &seq);
                (host, (theme, target), state)
            }
        };
        latest.hosts.insert(host.0, host.1);
        latest.states.insert(target, state);
        Ok(())
    }

    fn add_capture(&self, log: &mut Appending<'_>, theme: ThemeId, evidence: Evidence, seq: Seq) -> Result<(), Error> {
        let tables = &self.tables;
        let payload = self.payload_row(theme, &evidence)?;
        let (target, uri_id) = (evidence.capture.target, evidence.capture.uri.id());
        let (digest, payload_len) = (evidence.capture.payload_digest, evidence.capture.payload_len);
        let ended_at = evidence.capture.ended_at;
        let (row, leaf) = evidence.seal(theme, seq, log.next());
        log.push(&leaf)?;
        let batch = &mut log.batch;
        if payload_len > 0 {
            let key = Key::theme(theme).digest(&digest).seq(seq);
            batch.put_cf(tables.family(Table::CapturesByPayload), key, []);
            // It was blocked while this capture was on its way here.
            if let Some(leaf) = seals::block_of(tables, &digest)? {
                let seal = Seal::of_blocked(leaf, digest, ended_at);
                tables.put(batch, Table::Seals, &Key::theme(theme).seq(seq), &seal);
            }
        }
        if let Some(payload) = payload {
            payload::put(tables, batch, theme, &digest, &payload);
        }
        tables.put(batch, Table::Captures, &Key::theme(theme).seq(seq), &row);
        batch.put_cf(tables.family(Table::CapturesByUri), Key::theme(theme).uri(uri_id).seq(seq), []);
        batch.put_cf(tables.family(Table::CapturesByTarget), Key::theme(theme).target(target).seq(seq), []);
        Ok(())
    }

    /// The payload as it is to be written; nothing where it is held already, or empty.
    fn payload_row(&self, theme: ThemeId, evidence: &Evidence) -> Result<Option<CompressedPayload>, Error> {
        let held = |digest: &Digest| self.tables.contains(Table::Payloads, &Key::theme(theme).digest(digest));
        if evidence.capture.payload_len == 0 || held(&evidence.capture.payload_digest)? {
            return Ok(None);
        }
        // What it builds on may have been erased since it was read.
        Ok(Some(match evidence.payload.base() {
            Some(base) if !held(base)? => evidence.payload.on_its_own(),
            _ => evidence.payload.clone(),
        }))
    }
}

/// What the visits of a group change one after the other: only the last word is written.
#[derive(Default)]
struct Latest {
    hosts: HashMap<ServiceId, HostRecord>,
    states: HashMap<(ThemeId, TargetId), CrawlState>,
}

impl Latest {
    fn put(&self, tables: &Tables, batch: &mut WriteBatch) {
        for (service, host) in &self.hosts {
            tables.put(batch, Table::Hosts, &Key::bytes(service.as_bytes()), host);
        }
        for ((theme, target), state) in &self.states {
            tables.put(batch, Table::CrawlStates, &Key::theme(*theme).target(*target), state);
        }
    }
}

/// The last sequence of each theme that has captures.
fn last_sequences(tables: &Tables) -> Result<HashMap<ThemeId, Seq>, Error> {
    let mut sequences = HashMap::new();
    let mut before: Option<Key> = None;
    loop {
        // Themes from the last to the first: jump to the end of each.
        let last = tables.scan_back(Table::Captures, &Key::default(), before.as_ref()).next().transpose()?;
        let Some((key, _)) = last else { return Ok(sequences) };
        let mut reader = Reader(&key);
        let (Some(theme), Some(seq)) = (reader.theme(), reader.seq()) else {
            return Err(Error::corrupt(Table::Captures, &key));
        };
        sequences.insert(theme, seq);
        before = Some(Key::theme(theme).seq(Seq(0)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::finished;

    /// A disk that does not move: nobody takes from the queue.
    #[tokio::test]
    async fn a_stuck_disk_makes_whoever_brings_a_capture_wait() {
        let (queue, _commands) = mpsc::channel(QUEUE);
        let committer = Committer { queue: Some(queue), thread: None, newest: watch::channel(HashMap::new()).1 };
        for n in 0..QUEUE {
            committer.submit(visit(&format!("/{n}"))).await.unwrap();
        }
        let mut next = waiting(committer.submit(visit("/one-more")));
        assert!(next(), "the queue has no end, and memory with it");
    }

    fn visit(path: &str) -> Finished {
        Finished::Visit(finished("marketplace", path, b"page"))
    }

    /// Polls a future once; says whether it is still waiting.
    fn waiting<F: Future>(future: F) -> impl FnMut() -> bool {
        let mut future = Box::pin(future);
        move || future.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop())).is_pending()
    }
}
