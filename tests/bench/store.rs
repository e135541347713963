//! `bench store`: synced captures beside bare RocksDB and SQLite, verification beside `sha256sum`, the start beside a bare open.

#![expect(clippy::cast_precision_loss, reason = "counts and sizes, for ratios")]

use std::{fs, io::Write as _, path::Path, process::Command};

use anyhow::{Context as _, ensure};
use futures::{StreamExt as _, stream};
use model::{Grant, Purpose, ThemeId};
use rocksdb::{DB, Options, WriteBatch, WriteOptions};
use store::{CredentialKey, Depth, FinishedVisit, Store, Table};
use tests::{Chance, samples};
use tokio::time::Instant;

use super::{figures::Figures, pages};

/// Captures, or rows, in one synced batch.
const BATCH: usize = 64;

/// The theme that everything lies in.
const THEME: &str = "marketplace";

pub(crate) async fn run(rounds: usize, captures: usize, gigabytes: &[u64]) -> anyhow::Result<()> {
    println!(
        "{rounds} interleaved rounds; median (least … most)\n\n| what | figure | of the peer | aim |\n|---|---|---|---|"
    );
    recording(rounds, captures).await?;
    verifying(rounds, captures).await?;
    for gigabytes in gigabytes {
        starting(rounds, *gigabytes).await?;
    }
    Ok(())
}

fn open(directory: &Path) -> anyhow::Result<Store> {
    Ok(Store::open(directory, &store::Config::default(), CredentialKey::from_bytes(&[7; 32]))?)
}

/// Pages of 20 KB, no two alike.
fn page(n: usize) -> Vec<u8> {
    pages::page(n, n, pages::LENGTH).into_bytes()
}

/// Visits with their evidence, as whoever fetched hands them over.
fn visits(store: &Store, theme: ThemeId, count: usize) -> anyhow::Result<Vec<FinishedVisit>> {
    Ok((0..count).map(|n| samples::visit(store, theme, &format!("/{n}"), &page(n))).collect::<Result<_, _>>()?)
}

async fn recording(rounds: usize, captures: usize) -> anyhow::Result<()> {
    let (mut ours, mut bare, mut sqlite) = (Figures::default(), Figures::default(), Figures::default());
    let mut same = Figures::default();
    for round in 0..rounds {
        eprintln!("recording: round {}", round + 1);
        let dir = tempfile::tempdir()?;
        let store = open(&dir.path().join("ours"))?;
        let visits = visits(&store, THEME.parse()?, captures)?;
        // What a row of ours holds of a page: its record and its payload, compressed.
        let rows: Vec<Vec<u8>> = (0..captures).map(|n| zstd::bulk::compress(&page(n), 3)).collect::<Result<_, _>>()?;
        ours.add(ours_per_s(&store, visits).await?);
        let tables = raw(&store)?;
        drop(store);
        same.add(same_rows_per_s(&dir.path().join("same"), &tables, captures)?);
        bare.add(rocksdb_per_s(&dir.path().join("bare"), &rows)?);
        sqlite.add(sqlite_per_s(&dir.path().join("sqlite"), &rows)?);
    }
    let peer = bare.median();
    for (what, figures, aim) in [
        ("captures/s, recorded and acknowledged", &ours, "0.8"),
        ("the same pages/s in bare RocksDB, synced in batches of 64", &bare, ""),
        ("captures/s, if the same rows are put into bare RocksDB, synced in batches of 64", &same, ""),
        ("the same pages/s in SQLite, synchronous=FULL, in transactions of 64", &sqlite, ""),
    ] {
        row(what, figures, peer, aim);
    }
    Ok(())
}

/// 64 workers, each with one capture at the committer, as a crawl at its height.
async fn ours_per_s(store: &Store, visits: Vec<FinishedVisit>) -> anyhow::Result<f64> {
    let count = visits.len();
    let begun = Instant::now();
    let mut recorded = stream::iter(visits).map(|visit| store.record(visit)).buffer_unordered(BATCH);
    while let Some(result) = recorded.next().await {
        result?;
    }
    Ok(count as f64 / begun.elapsed().as_secs_f64())
}

fn rocksdb_per_s(directory: &Path, rows: &[Vec<u8>]) -> anyhow::Result<f64> {
    let mut options = Options::default();
    options.create_if_missing(true);
    options.set_compression_type(rocksdb::DBCompressionType::None);
    let db = DB::open(&options, directory)?;
    let mut synced = WriteOptions::default();
    synced.set_sync(true);
    let begun = Instant::now();
    for (at, chunk) in rows.chunks(BATCH).enumerate() {
        let mut batch = WriteBatch::default();
        for (n, row) in chunk.iter().enumerate() {
            batch.put(((at * BATCH + n) as u64).to_be_bytes(), row);
        }
        db.write_opt(batch, &synced)?;
    }
    Ok(rows.len() as f64 / begun.elapsed().as_secs_f64())
}

/// Every row of a store, by table.
fn raw(store: &Store) -> anyhow::Result<Vec<(Table, Vec<(Vec<u8>, Vec<u8>)>)>> {
    let grant = Grant::system(Purpose::Maintenance);
    Table::ALL.iter().map(|table| Ok((*table, store.raw_rows(&grant, *table)?))).collect()
}

/// What the engine alone costs: as many batches, each with its part of every table, into tables of the same names.
fn same_rows_per_s(
    directory: &Path,
    tables: &[(Table, Vec<(Vec<u8>, Vec<u8>)>)],
    captures: usize,
) -> anyhow::Result<f64> {
    let mut options = Options::default();
    options.create_if_missing(true);
    options.create_missing_column_families(true);
    let db = DB::open_cf(&options, directory, tables.iter().map(|(table, _)| table.name()))?;
    let mut synced = WriteOptions::default();
    synced.set_sync(true);
    let batches = captures.div_ceil(BATCH);
    let begun = Instant::now();
    for at in 0..batches {
        let mut batch = WriteBatch::default();
        for (table, rows) in tables {
            let family = db.cf_handle(table.name()).context("a table")?;
            for (key, value) in &rows[rows.len() * at / batches..rows.len() * (at + 1) / batches] {
                batch.put_cf(family, key, value);
            }
        }
        db.write_opt(batch, &synced)?;
    }
    Ok(captures as f64 / begun.elapsed().as_secs_f64())
}

fn sqlite_per_s(file: &Path, rows: &[Vec<u8>]) -> anyhow::Result<f64> {
    let mut db = rusqlite::Connection::open(file)?;
    db.execute_batch(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE pages (id INTEGER PRIMARY KEY, page BLOB)",
    )?;
    let begun = Instant::now();
    for (at, chunk) in rows.chunks(BATCH).enumerate() {
        let transaction = db.transaction()?;
        for (n, row) in chunk.iter().enumerate() {
            let id = i64::try_from(at * BATCH + n)?;
            transaction.execute("INSERT INTO pages VALUES (?1, ?2)", (id, row))?;
        }
        transaction.commit()?;
    }
    Ok(rows.len() as f64 / begun.elapsed().as_secs_f64())
}

async fn verifying(rounds: usize, captures: usize) -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let store = open(&dir.path().join("store"))?;
    let visits = visits(&store, THEME.parse()?, captures)?;
    ours_per_s(&store, visits).await?;
    let plain = dir.path().join("pages");
    let mut file = fs::File::create(&plain)?;
    for n in 0..captures {
        file.write_all(&page(n))?;
    }
    file.sync_all()?;
    let megabytes = file.metadata()?.len() as f64 / 1e6;
    let (mut ours, mut peer) = (Figures::default(), Figures::default());
    for round in 0..rounds {
        eprintln!("verifying: round {}", round + 1);
        let begun = Instant::now();
        let report = store.verify(Depth::Full, &mut |_| true)?;
        ours.add(megabytes / begun.elapsed().as_secs_f64());
        ensure!(report.is_sound() && report.captures == captures as u64, "{report:?}");
        let begun = Instant::now();
        ensure!(Command::new("sha256sum").arg(&plain).output()?.status.success(), "sha256sum failed");
        peer.add(megabytes / begun.elapsed().as_secs_f64());
    }
    let of = peer.median();
    row("MB/s of payload that `verify` checks in full", &ours, of, "0.5");
    row("MB/s of the same bytes through `sha256sum`", &peer, of, "");
    Ok(())
}

async fn starting(rounds: usize, gigabytes: u64) -> anyhow::Result<()> {
    const SIZE: usize = 100_000;
    let dir = tempfile::tempdir()?;
    let at = dir.path().join("store");
    let store = open(&at)?;
    let mut chance = Chance::of(1, 1);
    for batch in 0..gigabytes * 1_000_000_000 / (BATCH * SIZE) as u64 {
        let visits = (0..BATCH)
            .map(|n| {
                samples::visit(&store, THEME.parse()?, &format!("/{batch}/{n}"), &chance.bytes(SIZE))
                    .map_err(Into::into)
            })
            .collect::<anyhow::Result<Vec<_>>>()?;
        ours_per_s(&store, visits).await?;
    }
    drop(store);
    let (mut ours, mut bare) = (Figures::default(), Figures::default());
    for round in 0..rounds {
        eprintln!("starting with {gigabytes} GB: round {}", round + 1);
        let begun = Instant::now();
        drop(open(&at)?);
        ours.add(begun.elapsed().as_secs_f64() * 1e3);
        let mut options = Options::default();
        options.set_max_open_files(256);
        let begun = Instant::now();
        drop(DB::open_cf(&options, &at, Table::ALL.iter().map(|table| table.name())).context("the bare open")?);
        bare.add(begun.elapsed().as_secs_f64() * 1e3);
    }
    let of = bare.median();
    row(&format!("ms to open and close a store of {gigabytes} GB"), &ours, of, "1.5 at most");
    row("ms for the same tables in bare RocksDB", &bare, of, "");
    Ok(())
}

fn row(what: &str, figures: &Figures, peer: f64, aim: &str) {
    println!("| {what} | {figures:.0} | {:.2} | {aim} |", figures.median() / peer);
}
