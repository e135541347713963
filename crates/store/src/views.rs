//! The derived tables: what `derive` makes of captures, and what `crawl` and `web` read of it.

use std::collections::HashMap;

use model::{
    Capture, CaptureId, CrawlHint, Digest, Document, Finding, Grant, Link, Outcome, Seq, ThemeId, Timestamp, UriId,
};
use rocksdb::WriteBatch;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::{
    Error, Sketch, Store, codec,
    key::{Key, Reader},
    schema::Table,
    store::{cursor_key, demand_content},
};

/// The follower that fills the derived tables.
pub(crate) const DERIVE: &str = "derive";
/// The note of which extractor it works with.
const EXTRACTOR: &str = "extractor";
/// Its note of what it is at, so that a death leaves a trace.
const ATTEMPT: &str = "attempt";

/// What one capture came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Analysis {
    /// The sequence of the capture.
    pub seq: Seq,
    /// For the crawler.
    pub hint: CrawlHint,
    /// The document with its links, where there was content.
    pub document: Option<Document>,
    /// What the page shows of its service, where there is a document.
    pub sketch: Option<Sketch>,
    /// The URI's version that the capture belongs to, where there was content or word that it has not changed.
    pub version: Option<(UriId, Version)>,
    /// What the indicators found in the document.
    pub findings: Vec<Finding>,
}

/// A run of captures of a URI with one content digest. Its identity is its first capture; its number goes with the rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// Its place among the versions of the URI, from 1 on, as `digest_rule` tells them apart.
    pub number: u32,
    /// The version of the rule that says what counts as a change.
    pub digest_rule: u32,
    /// The first capture of the run.
    pub first: Seq,
    /// The last one so far.
    pub last: Seq,
    /// How many captures it has, those included that a service answered with 304.
    pub captures: u32,
    /// When the first attempt of the run began.
    pub first_seen: Timestamp,
    /// When the last one so far began.
    pub last_seen: Timestamp,
    /// The content digest that they share.
    pub content_digest: Digest,
}

/// A page of versions, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionPage {
    /// The versions.
    pub versions: Vec<Version>,
    /// The first capture of the version that the next page begins with, if there is one.
    pub next: Option<Seq>,
}

/// What analysis is busy with. One that is found at start is the trace of a death.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// The first capture of the group.
    pub first: Seq,
    /// The last one.
    pub last: Seq,
    /// How often analysis died with just this group in hand.
    pub deaths: u32,
}

impl Store {
    /// The sequence up to which the derived tables are filled.
    pub fn derive_cursor(&self, theme: ThemeId) -> Result<Seq, Error> {
        self.cursor(DERIVE, theme)
    }

    /// The version of the extractor that made the derived tables of a theme; `None` before the first.
    pub fn extractor(&self, theme: ThemeId) -> Result<Option<u32>, Error> {
        self.tables.get(Table::Cursors, &cursor_key(EXTRACTOR, theme))
    }

    /// Notes which version of the extractor makes the derived tables of a theme from now on.
    pub fn put_extractor(&self, theme: ThemeId, extractor: u32) -> Result<(), Error> {
        let mut batch = WriteBatch::default();
        self.tables.put(&mut batch, Table::Cursors, &cursor_key(EXTRACTOR, theme), &extractor);
        self.tables.write(batch)
    }

    /// Writes what a run of captures came to, and moves the cursor to its end, in one batch.
    pub fn put_analyses(&self, theme: ThemeId, analyses: &[Analysis], up_to: Seq) -> Result<(), Error> {
        let mut batch = WriteBatch::default();
        for analysis in analyses {
            self.put_views(&mut batch, theme, analysis);
            if let Some((uri, version)) = &analysis.version {
                self.tables.put(
                    &mut batch,
                    Table::VersionsByUri,
                    &Key::theme(theme).uri(*uri).seq(version.first),
                    version,
                );
            }
        }
        self.tables.put(&mut batch, Table::Cursors, &cursor_key(DERIVE, theme), &up_to);
        batch.delete_cf(self.tables.family(Table::Cursors), cursor_key(ATTEMPT, theme));
        self.tables.write(batch)?;
        self.analysed.send_modify(|analysed| _ = analysed.insert(theme, up_to));
        Ok(())
    }

    /// Adds the hint, the document and the links of a capture to a batch.
    pub(crate) fn put_views(&self, batch: &mut WriteBatch, theme: ThemeId, analysis: &Analysis) {
        let key = Key::theme(theme).seq(analysis.seq);
        self.tables.put(batch, Table::CrawlHints, &key, &analysis.hint);
        if let Some(document) = &analysis.document {
            if !document.links.is_empty() {
                self.tables.put(batch, Table::Links, &key, &document.links);
            }
            self.put_sightings(batch, theme, analysis.seq, document);
            self.add_findings(batch, theme, analysis.seq, &analysis.findings);
            batch.put_cf(self.tables.family(Table::Documents), &key, encode_document(document));
        }
        if let Some(sketch) = &analysis.sketch {
            self.put_sketch(batch, theme, analysis.seq, sketch);
        }
    }

    /// Tells when the derived tables of a theme have grown since this process began.
    pub fn analysed(&self) -> watch::Receiver<HashMap<ThemeId, Seq>> {
        self.analysed.subscribe()
    }

    /// Notes what analysis is about to work on.
    pub fn begin_attempt(&self, theme: ThemeId, attempt: &Attempt) -> Result<(), Error> {
        let mut batch = WriteBatch::default();
        self.tables.put(&mut batch, Table::Cursors, &cursor_key(ATTEMPT, theme), attempt);
        self.tables.write(batch)
    }

    /// What analysis was at when it last stopped without finishing.
    pub fn interrupted_attempt(&self, theme: ThemeId) -> Result<Option<Attempt>, Error> {
        self.tables.get(Table::Cursors, &cursor_key(ATTEMPT, theme))
    }

    /// The hints after `after`, at most `limit`, in order.
    pub fn crawl_hints_after(&self, theme: ThemeId, after: Seq, limit: usize) -> Result<Vec<(Seq, CrawlHint)>, Error> {
        let prefix = Key::theme(theme);
        let rows = self.tables.scan(Table::CrawlHints, &prefix, Some(&prefix.clone().seq(after.next())));
        let read = |(key, value): (Vec<u8>, Vec<u8>)| {
            let seq =
                Reader(&key[prefix.as_ref().len()..]).seq().ok_or_else(|| Error::corrupt(Table::CrawlHints, &key))?;
            Ok((seq, codec::decode(Table::CrawlHints, &key, &value)?))
        };
        rows.take(limit).map(|row| row.and_then(&read)).collect()
    }

    /// The links of a document: where they lead, for the crawler's scope.
    pub fn links(&self, grant: &Grant, theme: ThemeId, seq: Seq) -> Result<Vec<Link>, Error> {
        demand_content(grant, theme)?;
        Ok(self.tables.get(Table::Links, &Key::theme(theme).seq(seq))?.unwrap_or_default())
    }

    /// The document of a capture, with its links.
    pub fn document(&self, grant: &Grant, id: CaptureId) -> Result<Option<Document>, Error> {
        demand_content(grant, id.theme)?;
        self.demand_unsealed(grant, id)?;
        let key = Key::theme(id.theme).seq(id.seq);
        let Some(row) = self.tables.get_raw(Table::Documents, &key)? else { return Ok(None) };
        let mut document: Document = decode_document(&key, &row)?;
        document.links = self.links(grant, id.theme, id.seq)?;
        Ok(Some(document))
    }

    /// The version that `seq` continues, or belongs to already: the last one of the URI that begins at or before it.
    pub fn version_before(&self, theme: ThemeId, uri: UriId, seq: Seq) -> Result<Option<Version>, Error> {
        let prefix = Key::theme(theme).uri(uri);
        let row =
            self.tables.scan_back(Table::VersionsByUri, &prefix, Some(&prefix.clone().seq(seq))).next().transpose()?;
        row.map(|(key, value)| codec::decode(Table::VersionsByUri, &key, &value)).transpose()
    }

    /// A page of at most `limit` versions of a URI, newest first, from the one that begins at or before `from` down when given.
    pub fn versions(
        &self,
        grant: &Grant,
        theme: ThemeId,
        uri: UriId,
        from: Option<Seq>,
        limit: usize,
    ) -> Result<VersionPage, Error> {
        demand_content(grant, theme)?;
        let prefix = Key::theme(theme).uri(uri);
        let start = from.map(|seq| prefix.clone().seq(seq));
        let rows = self.tables.scan_back(Table::VersionsByUri, &prefix, start.as_ref()).take(limit + 1);
        let read = |(key, value): (Vec<u8>, Vec<u8>)| codec::decode(Table::VersionsByUri, &key, &value);
        let mut versions: Vec<Version> = rows.map(|row| row.and_then(read)).collect::<Result<_, _>>()?;
        let next = (versions.len() > limit).then(|| versions.pop()).flatten().map(|version| version.first);
        Ok(VersionPage { versions, next })
    }

    /// A capture with the version that it belongs to; `None` where there is no such capture, or it has no version (yet).
    pub fn version_of(&self, grant: &Grant, id: CaptureId) -> Result<Option<(Capture, Version)>, Error> {
        let Some(capture) = self.capture(grant, id)? else { return Ok(None) };
        if !capture.outcome.has_content() && capture.outcome != Outcome::NotModified {
            return Ok(None);
        }
        let version = self.version_before(id.theme, capture.uri.id(), id.seq)?;
        Ok(version.filter(|version| version.last >= id.seq).map(|version| (capture, version)))
    }

    /// The hint of a capture: what became of its analysis.
    pub fn crawl_hint(&self, theme: ThemeId, seq: Seq) -> Result<Option<CrawlHint>, Error> {
        self.tables.get(Table::CrawlHints, &Key::theme(theme).seq(seq))
    }
}

/// A document's text compresses well, and RocksDB's own blocks would compress it with its neighbours'.
fn encode_document(document: &Document) -> Vec<u8> {
    crate::payload::compress(&codec::encode(&Document { links: Vec::new(), ..document.clone() }))
}

pub(crate) fn decode_document(key: &Key, row: &[u8]) -> Result<Document, Error> {
    let plain = crate::payload::decompress_unchecked(Table::Documents, key.as_ref(), row)?;
    codec::decode(Table::Documents, key.as_ref(), &plain)
}
