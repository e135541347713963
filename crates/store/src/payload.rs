//! Payloads at rest. A row is one byte that names the coding, the length of the payload, and then the bytes; a delta names before them the
//! payload that it builds on, and how long its chain is.
//!
//! A delta is zstd with an earlier payload of the same URI and theme as its prefix (RFC 8878 knows no dictionary here: the prefix is content that
//! comes before the frame). No dictionary is ever trained: it would hold fragments of what is erased one day.

use std::{
    collections::BTreeSet,
    io::{self, Read as _, Write as _},
};

use model::{Digest, ThemeId};
use rocksdb::WriteBatch;

use crate::{
    Error,
    key::{Key, Reader},
    schema::Table,
    store::Tables,
};

/// zstd's own default; 20 KB of HTML take some 0.1 ms.
const LEVEL: i32 = 3;

/// No payload is larger; a length beyond it in a row is damage, and must not become an allocation.
const MAX_LEN: usize = 256 << 20;

/// The most deltas between a payload and the key frame that it builds on, so that reading any of them takes a bounded time.
pub(crate) const MAX_CHAIN: u8 = 15;

const STORED: u8 = 0;
const ZSTD: u8 = 1;
const DELTA: u8 = 2;

/// A payload in the form in which it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CompressedPayload {
    row: Vec<u8>,
    /// What the row builds on, and the payload itself in case that is gone when the row is written.
    delta: Option<(Digest, Vec<u8>)>,
}

/// A payload that a later one may build on.
#[derive(Debug)]
pub(crate) struct Base {
    pub(crate) digest: Digest,
    pub(crate) payload: Vec<u8>,
    /// Deltas between it and its key frame.
    pub(crate) chain: u8,
}

impl CompressedPayload {
    /// Compresses on its own; some 0.1 ms of CPU for 20 KB.
    pub(crate) fn of(payload: &[u8]) -> Self {
        Self { row: compress(payload), delta: None }
    }

    /// Compresses as what has changed since `base`, where that is smaller.
    pub(crate) fn since(payload: &[u8], base: &Base) -> Self {
        if base.chain >= MAX_CHAIN || payload.is_empty() || base.payload.is_empty() {
            return Self::of(payload);
        }
        let Ok(delta) = encode_delta(payload, &base.payload) else { return Self::of(payload) };
        // A page that resembles its predecessor comes to a fraction of itself; only otherwise is it worth trying both.
        let alone = (delta.len() > payload.len() / 8).then(|| Self::of(payload));
        if let Some(alone) = alone.filter(|alone| alone.row.len() <= delta.len() + 34) {
            return alone;
        }
        let mut row = Vec::with_capacity(38 + delta.len());
        row.push(DELTA);
        row.extend_from_slice(&length(payload));
        row.extend_from_slice(base.digest.as_bytes());
        row.push(base.chain + 1);
        row.extend_from_slice(&delta);
        Self { row, delta: Some((base.digest, payload.to_vec())) }
    }

    pub(crate) fn row(&self) -> &[u8] {
        &self.row
    }

    /// The payload that it builds on, if any.
    pub(crate) fn base(&self) -> Option<&Digest> {
        self.delta.as_ref().map(|(base, _)| base)
    }

    /// The same payload, building on nothing.
    pub(crate) fn on_its_own(&self) -> Self {
        self.delta.as_ref().map_or_else(|| self.clone(), |(_, payload)| Self::of(payload))
    }
}

/// A row that is not a delta.
pub(crate) fn compress(payload: &[u8]) -> Vec<u8> {
    let (coding, body) = match zstd::bulk::compress(payload, LEVEL) {
        Ok(smaller) if smaller.len() < payload.len() => (ZSTD, smaller),
        _ => (STORED, payload.to_vec()),
    };
    let mut row = Vec::with_capacity(5 + body.len());
    row.push(coding);
    row.extend_from_slice(&length(payload));
    row.extend_from_slice(&body);
    row
}

fn length(payload: &[u8]) -> [u8; 4] {
    u32::try_from(payload.len()).unwrap_or(u32::MAX).to_be_bytes()
}

fn encode_delta(payload: &[u8], base: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = zstd::stream::write::Encoder::with_ref_prefix(Vec::new(), LEVEL, base)?;
    encoder.set_pledged_src_size(Some(payload.len() as u64))?;
    encoder.include_contentsize(false)?;
    // The whole of the prefix must lie within the window.
    let reach = (payload.len() + base.len()).next_power_of_two().ilog2().clamp(10, 27);
    encoder.window_log(reach)?;
    encoder.write_all(payload)?;
    encoder.finish()
}

fn decode_delta(body: &[u8], base: &[u8], len: usize) -> io::Result<Vec<u8>> {
    let mut decoder = zstd::stream::read::Decoder::with_ref_prefix(body, base)?;
    decoder.window_log_max(27)?;
    let mut payload = Vec::with_capacity(len);
    decoder.take(len as u64 + 1).read_to_end(&mut payload)?;
    Ok(payload)
}

/// A row taken apart.
struct Row<'a> {
    coding: u8,
    len: usize,
    /// What a delta builds on, and the length of its chain.
    base: Option<(Digest, u8)>,
    body: &'a [u8],
}

fn parse(row: &[u8]) -> Option<Row<'_>> {
    let (&coding, rest) = row.split_first()?;
    let (len, mut body) = rest.split_first_chunk::<4>()?;
    let len = usize::try_from(u32::from_be_bytes(*len)).ok().filter(|&len| len <= MAX_LEN)?;
    let mut base = None;
    if coding == DELTA {
        let (digest, rest) = body.split_first_chunk::<32>()?;
        let (&chain, rest) = rest.split_first()?;
        (base, body) = (Some((Digest::from_bytes(*digest), chain)), rest);
    }
    Some(Row { coding, len, base, body })
}

impl Row<'_> {
    /// The payload, given the one that it builds on where it is a delta.
    fn payload(&self, base: &[u8]) -> Option<Vec<u8>> {
        let plain = match self.coding {
            STORED => self.body.to_vec(),
            ZSTD => zstd::bulk::decompress(self.body, self.len).ok()?,
            DELTA => decode_delta(self.body, base, self.len).ok()?,
            _ => return None,
        };
        (plain.len() == self.len).then_some(plain)
    }
}

/// What was compressed on its own, of any table; nothing vouches for it.
pub(crate) fn decompress_unchecked(table: Table, key: &[u8], row: &[u8]) -> Result<Vec<u8>, Error> {
    let plain = parse(row).filter(|row| row.base.is_none()).and_then(|row| row.payload(&[]));
    plain.ok_or_else(|| Error::corrupt(table, key))
}

/// What a row of `payloads` builds on, if it is a delta.
pub(crate) fn base_of(key: &[u8], row: &[u8]) -> Result<Option<Digest>, Error> {
    let row = parse(row).ok_or_else(|| Error::corrupt(Table::Payloads, key))?;
    Ok(row.base.map(|(digest, _)| digest))
}

/// Writes a payload, and that it builds on another one where it does.
pub(crate) fn put(
    tables: &Tables,
    batch: &mut WriteBatch,
    theme: ThemeId,
    digest: &Digest,
    payload: &CompressedPayload,
) {
    batch.put_cf(tables.family(Table::Payloads), Key::theme(theme).digest(digest), payload.row());
    if let Some(base) = payload.base() {
        let key = Key::theme(theme).digest(base).digest(digest);
        batch.put_cf(tables.family(Table::PayloadDependants), key, []);
    }
}

/// Takes payloads away. What builds on one of them and stays is written again on its own.
pub(crate) fn erase(
    tables: &Tables,
    batch: &mut WriteBatch,
    theme: ThemeId,
    erased: &BTreeSet<Digest>,
) -> Result<(), Error> {
    let dependants = tables.family(Table::PayloadDependants);
    for digest in erased {
        let key = Key::theme(theme).digest(digest);
        if let Some(row) = tables.get_raw(Table::Payloads, &key)?
            && let Some(base) = base_of(key.as_ref(), &row)?
        {
            batch.delete_cf(dependants, Key::theme(theme).digest(&base).digest(digest));
        }
        batch.delete_cf(tables.family(Table::Payloads), &key);
        for row in tables.scan(Table::PayloadDependants, &key, None) {
            let (at, _) = row?;
            let damaged = || Error::corrupt(Table::PayloadDependants, &at);
            let dependant = Reader(&at[key.as_ref().len()..]).digest().ok_or_else(damaged)?;
            batch.delete_cf(dependants, &at);
            if !erased.contains(&dependant) {
                let payload = read(tables, theme, &dependant)?.ok_or_else(damaged)?.payload;
                let key = Key::theme(theme).digest(&dependant);
                batch.put_cf(tables.family(Table::Payloads), key, compress(&payload));
            }
        }
    }
    Ok(())
}

/// Reads a payload and checks it against its digest; `None` where there is no row.
///
/// Reads at most [`MAX_CHAIN`] further rows.
pub(crate) fn read(tables: &Tables, theme: ThemeId, digest: &Digest) -> Result<Option<Base>, Error> {
    let key_of = |digest: &Digest| Key::theme(theme).digest(digest);
    let Some(first) = tables.get_raw(Table::Payloads, &key_of(digest))? else { return Ok(None) };
    let mut rows = vec![(*digest, first)];
    while let Some((at, row)) = rows.last()
        && let Some(base) = base_of(key_of(at).as_ref(), row)?
    {
        let damaged = || Error::corrupt(Table::Payloads, key_of(at).as_ref());
        if rows.len() > usize::from(MAX_CHAIN) {
            return Err(damaged());
        }
        let row = tables.get_raw(Table::Payloads, &key_of(&base))?.ok_or_else(damaged)?;
        rows.push((base, row));
    }
    let chain = u8::try_from(rows.len() - 1).unwrap_or(MAX_CHAIN);
    let mut payload = Vec::new();
    for (at, row) in rows.iter().rev() {
        payload = parse(row)
            .and_then(|row| row.payload(&payload))
            .ok_or_else(|| Error::corrupt(Table::Payloads, key_of(at).as_ref()))?;
    }
    if Digest::of(&payload) != *digest {
        return Err(Error::corrupt(Table::Payloads, key_of(digest).as_ref()));
    }
    Ok(Some(Base { digest: *digest, payload, chain }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn base(payload: &[u8]) -> Base {
        Base { digest: Digest::of(payload), payload: payload.to_vec(), chain: 0 }
    }

    fn decompress(row: &[u8], base: &[u8]) -> Option<Vec<u8>> {
        parse(row).and_then(|row| row.payload(base))
    }

    proptest! {
        #[test]
        fn a_payload_comes_back(payload: Vec<u8>) {
            prop_assert_eq!(decompress(&compress(&payload), b"").unwrap(), payload);
        }

        #[test]
        fn a_delta_comes_back(before: Vec<u8>, insert: Vec<u8>, at: prop::sample::Index) {
            let at = if before.is_empty() { 0 } else { at.index(before.len()) };
            let after = [&before[..at], &insert, &before[at..]].concat();
            let row = CompressedPayload::since(&after, &base(&before));
            prop_assert_eq!(decompress(row.row(), &before).unwrap(), after.clone());
            prop_assert_eq!(decompress(row.on_its_own().row(), b"").unwrap(), after);
        }

        #[test]
        fn any_bytes_decompress_or_do_not(row: Vec<u8>, coding in 0u8..4) {
            let _ = decompress(&[&[coding, 0, 0, 0, 9], row.as_slice()].concat(), b"base");
        }
    }

    #[test]
    fn a_page_that_changed_little_costs_little() {
        let page = |price: u32| {
            let rows: String =
                (0..400).map(|n: u32| format!("<tr><td>{}</td></tr>", n.wrapping_mul(2_654_435_761))).collect();
            format!("<h1>{price}</h1>{rows}").into_bytes()
        };
        let delta = CompressedPayload::since(&page(2), &base(&page(1)));
        assert_eq!(delta.base(), Some(&Digest::of(&page(1))));
        assert!(delta.row().len() < 120, "{} bytes for one changed digit", delta.row().len());
    }

    #[test]
    fn a_chain_ends_in_a_key_frame() {
        let long = Base { chain: MAX_CHAIN, ..base(&[7; 500]) };
        assert_eq!(CompressedPayload::since(&[7; 501], &long).base(), None);
    }
}
