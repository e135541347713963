//! `bench derive`: the analysis of pages, from payload to committed index entry, beside html5ever's bare parse of the same bytes.
//!
//! All figures are per second of CPU time, of whatever thread, so per core.

use std::{
    fs,
    hint::black_box,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, ensure};
use extract::{Limits, Page};
use fetch::{Config, Fetcher, Request};
use model::{Isolation, Outcome, Seq, SystemClock, TargetId, Timestamp, Uri};
use scraper::Html;
use search::{Entry, Indexes};
use testnet::{
    Loopback,
    sites::{Site, Sites},
};
use tokio::time::Instant;

use super::{figures::Figures, pages, process};

/// The least CPU time of one measurement: the kernel counts it in hundredths of a second.
const LEAST: Duration = Duration::from_secs(1);

/// A page as it was received.
struct Saved {
    uri: Uri,
    content_type: String,
    payload: Vec<u8>,
}

pub(crate) async fn run(rounds: usize, saved: Option<PathBuf>) -> anyhow::Result<()> {
    let mut corpora = vec![("market and forum".to_owned(), of_private_sites().await?)];
    if let Some(directory) = saved {
        corpora.push(("saved pages".to_owned(), of_directory(&directory)?));
    }
    for (what, length, count) in
        [("10 KB", 10_000, 100), ("100 KB", 100_000, 20), ("1 MB", 1_000_000, 4), ("10 MB", 10_000_000, 1)]
    {
        corpora.push((format!("generated, {what}"), generated(length, count)?));
    }
    println!("{rounds} interleaved rounds; pages per second of CPU time; median (least … most)\n");
    println!(
        "| pages | KB each | bare parse | extract | whole chain | chain of bare parse | chain MB/s | peak MB |\n|---|---|---|---|---|---|---|---|"
    );
    for (what, pages) in corpora {
        measure(&what, &pages, rounds)?;
    }
    Ok(())
}

fn measure(what: &str, pages: &[Saved], rounds: usize) -> anyhow::Result<()> {
    process::forget_peak()?;
    let (mut bare, mut extract, mut chain) = (Figures::default(), Figures::default(), Figures::default());
    for round in 0..rounds {
        eprintln!("{what}: round {}", round + 1);
        bare.add(per_second(pages, |page| {
            black_box(Html::parse_document(&String::from_utf8_lossy(&page.payload)));
            Ok(())
        })?);
        extract.add(per_second(pages, |page| {
            black_box(document(page));
            Ok(())
        })?);
        chain.add(whole_chain(pages)?);
    }
    let bytes: usize = pages.iter().map(|page| page.payload.len()).sum();
    #[expect(clippy::cast_precision_loss, reason = "a count of bytes")]
    let kilobytes = bytes as f64 / 1000.0 / pages.len() as f64;
    println!(
        "| {what} | {kilobytes:.0} | {bare:.0} | {extract:.0} | {chain:.0} | {:.2} | {:.1} | {} |",
        chain.median() / bare.median(),
        chain.median() * kilobytes / 1000.0,
        process::peak_mb(std::process::id())?,
    );
    Ok(())
}

/// Pages per second of CPU time, the pages taken again and again.
fn per_second(pages: &[Saved], mut work: impl FnMut(&Saved) -> anyhow::Result<()>) -> anyhow::Result<f64> {
    let (mut count, begun) = (0.0, process::cpu(std::process::id())?);
    loop {
        for page in pages {
            work(page)?;
            count += 1.0;
        }
        let spent = process::cpu(std::process::id())?.saturating_sub(begun);
        if spent >= LEAST {
            return Ok(count / spent.as_secs_f64());
        }
    }
}

/// Extraction, and the index as `derive` keeps it: committed once a second.
fn whole_chain(pages: &[Saved]) -> anyhow::Result<f64> {
    let directory = tempfile::tempdir()?;
    let index = Indexes::open(directory.path(), search::Config::default())?.theme("marketplace".parse()?)?;
    let pace = Duration::from_millis(derive::Config::default().index_after_ms.into());
    let (mut seq, mut committed) = (Seq(0), Instant::now());
    let figure = per_second(pages, |page| {
        seq = seq.next();
        let document = document(page);
        index.add(&Entry {
            seq,
            target: TargetId::from_u64(1),
            uri: page.uri.clone(),
            captured_at: Timestamp::default(),
            outcome: Outcome::Ok,
            kind: document.kind,
            language: document.language,
            price: None,
            observables: document.observables.into_iter().map(|found| (found.kind, found.value)).collect(),
            title: document.title,
            text: document.text,
        })?;
        if committed.elapsed() >= pace {
            index.commit(seq)?;
            committed = Instant::now();
        }
        Ok(())
    })?;
    index.commit(seq)?;
    Ok(figure)
}

fn document(page: &Saved) -> model::Document {
    let page = Page {
        uri: &page.uri,
        status: 200,
        content_type: Some(page.content_type.as_bytes()),
        content_encoding: None,
        refresh: None,
        payload: &page.payload,
    };
    extract::document(&page, &Limits::default()).0
}

/// Every page of the private market and forum, fetched once.
async fn of_private_sites() -> anyhow::Result<Vec<Saved>> {
    let sites = Sites::start(1).await?;
    let mut saved = Vec::new();
    for site in [sites.market(), sites.forum()] {
        saved.extend(of_site(site).await?);
    }
    sites.stop().await;
    Ok(saved)
}

async fn of_site(site: &Site) -> anyhow::Result<Vec<Saved>> {
    let onion = Loopback::address(site.name());
    let transport = Loopback::new([((onion, 80), site.http())]);
    let fetcher = Fetcher::new(Arc::new(transport), Arc::new(SystemClock), &Config::default())?;
    let mut saved = Vec::new();
    for path in site.pages() {
        let uri: Uri = format!("http://{onion}{path}").parse()?;
        let isolation = Isolation { target: TargetId::from_u64(1), epoch: 0 };
        let exchange = fetcher.fetch(&Request::new(uri.clone(), isolation)).await;
        ensure!(exchange.outcome == Outcome::Ok, "{uri}: {}", exchange.outcome);
        saved.push(Saved { uri, content_type: "text/html".to_owned(), payload: exchange.payload });
    }
    Ok(saved)
}

/// Every `.html` file beneath a directory.
fn of_directory(directory: &Path) -> anyhow::Result<Vec<Saved>> {
    let mut saved = Vec::new();
    let mut directories = vec![directory.to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(&directory).with_context(|| directory.display().to_string())? {
            let path = entry?.path();
            if path.is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|extension| extension == "html") {
                let uri = format!("http://saved.example.com/{}", saved.len()).parse()?;
                let content_type = "text/html; charset=utf-8".to_owned();
                saved.push(Saved { uri, content_type, payload: fs::read(path)? });
            }
        }
    }
    ensure!(!saved.is_empty(), "no .html file beneath {}", directory.display());
    Ok(saved)
}

fn generated(length: usize, count: usize) -> anyhow::Result<Vec<Saved>> {
    let onion = Loopback::address("generated");
    (0..count)
        .map(|number| {
            let uri = format!("http://{onion}/p/{number}").parse()?;
            let payload = pages::page(number, count * pages::LINKS, length).into_bytes();
            Ok(Saved { uri, content_type: "text/html; charset=utf-8".to_owned(), payload })
        })
        .collect()
}
