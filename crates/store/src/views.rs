//! The derived tables: what `derive` makes of captures, and what `crawl` and `web` read of it.

use std::collections::HashMap;

use model::{CaptureId, CrawlHint, Digest, Document, Grant, Link, Seq, ThemeId, UriId};
use rocksdb::WriteBatch;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::{
    Error, Store, codec,
    key::{Key, Reader},
    schema::Table,
    store::{cursor_key, demand},
};

/// The follower that fills the derived tables.
const DERIVE: &str = "derive";
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
    /// The URI's version that the capture belongs to, where there was content.
    pub version: Option<(UriId, Version)>,
}

/// A run of captures of a URI with one content digest. Its identity is its first capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// The first capture of the run.
    pub first: Seq,
    /// The last one so far.
    pub last: Seq,
    /// How many captures it has.
    pub captures: u32,
    /// The content digest that they share.
    pub content_digest: Digest,
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
            batch.put_cf(self.tables.family(Table::Documents), &key, encode_document(document));
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
        demand(grant, theme)?;
        Ok(self.tables.get(Table::Links, &Key::theme(theme).seq(seq))?.unwrap_or_default())
    }

    /// The document of a capture, with its links.
    pub fn document(&self, grant: &Grant, id: CaptureId) -> Result<Option<Document>, Error> {
        demand(grant, id.theme)?;
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

    /// The hint of a capture: what became of its analysis.
    pub fn crawl_hint(&self, theme: ThemeId, seq: Seq) -> Result<Option<CrawlHint>, Error> {
        self.tables.get(Table::CrawlHints, &Key::theme(theme).seq(seq))
    }
}

/// A document's text compresses well, and RocksDB's own blocks would compress it with its neighbours'.
fn encode_document(document: &Document) -> Vec<u8> {
    crate::payload::compress(&codec::encode(&Document { links: Vec::new(), ..document.clone() }))
}

fn decode_document(key: &Key, row: &[u8]) -> Result<Document, Error> {
    let plain = crate::payload::decompress_unchecked(Table::Documents, key.as_ref(), row)?;
    codec::decode(Table::Documents, key.as_ref(), &plain)
}
