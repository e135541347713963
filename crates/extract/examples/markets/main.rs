//! `scripts/eval markets`: scores the extractor against saved pages whose fields are known, without a network and without a store.
//!
//! The directory holds one folder a market, each with `pages/` and `truth.json`; one such folder alone will do as well.

mod score;
mod truth;

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, ensure};
use clap::Parser;
use extract::{Limits, Page, SiteProfile};
use model::{Document, Uri};

use self::{
    score::Scores,
    truth::{Market, Truth},
};

/// Scores the extractor against saved pages whose fields are known.
#[derive(Parser)]
struct Arguments {
    /// The directory with the markets.
    directory: PathBuf,
    /// A site profile, or a directory of them, to read the pages with.
    #[arg(long)]
    profile: Option<PathBuf>,
    /// End with one line of JSON.
    #[arg(long)]
    json: bool,
    /// Show every value that differs.
    #[arg(long)]
    differences: bool,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let mut out = io::stdout().lock();
    let profiles = arguments.profile.as_deref().map(profiles).transpose()?.unwrap_or_default();
    let mut scores = Scores::new(arguments.differences);
    for market in markets(&arguments.directory)? {
        let truth = Market::read(&market)?;
        for page in &truth.pages {
            let payload = read(&market.join(&page.file))?;
            score(&truth.market, page, &payload, &profiles, &mut scores)?;
        }
    }
    write!(out, "{scores}")?;
    if arguments.json {
        writeln!(out, "{}", scores.to_json())?;
    }
    Ok(())
}

/// The folders that hold a `truth.json`: the directory itself, or those in it.
fn markets(directory: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if directory.join("truth.json").is_file() {
        return Ok(vec![directory.to_owned()]);
    }
    let entries = fs::read_dir(directory).with_context(|| format!("cannot read {}", directory.display()))?;
    let mut markets: Vec<PathBuf> = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            markets.push(path);
        }
    }
    markets.sort();
    ensure!(!markets.is_empty(), "no market in {}", directory.display());
    Ok(markets)
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

/// The site profile of a file, or all of a directory.
fn profiles(path: &Path) -> anyhow::Result<Vec<SiteProfile>> {
    let mut files = vec![path.to_owned()];
    if path.is_dir() {
        let entries = fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))?;
        files = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
        files.retain(|file| file.extension().is_some_and(|end| end == "toml"));
        files.sort();
    }
    let parse = |file: &PathBuf| {
        let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        SiteProfile::parse(&text).with_context(|| format!("in {}", file.display()))
    };
    files.iter().map(parse).collect()
}

fn score(
    market: &str,
    truth: &Truth,
    payload: &[u8],
    profiles: &[SiteProfile],
    scores: &mut Scores,
) -> anyhow::Result<()> {
    // Saved pages have lost their addresses, and with them all that an address tells.
    let uri: Uri = "http://site.example/".parse().context("the address of no site")?;
    let page = Page {
        uri: &uri,
        status: 200,
        content_type: Some(b"text/html; charset=utf-8"),
        content_encoding: None,
        refresh: None,
        payload,
    };
    let (document, _) = extract::document_of_site(&page, &Limits::default(), profiles);
    scores.add(&format!("{market}/{}", truth.file), truth, &document, &observables(&document));
    Ok(())
}

/// The observables of a document as kinds and values, by the names that the truth uses.
fn observables(document: &Document) -> Vec<(String, String)> {
    let named = |observable: &model::Observable| {
        let kind = match observable.kind.as_str() {
            "xmpp" => "jabber".to_owned(),
            kind => kind.replace('-', "_"),
        };
        truth::comparable(kind, observable.value.clone())
    };
    let known = |(kind, _): &(String, String)| truth::OBSERVABLES.contains(&kind.as_str());
    document.observables.iter().map(named).filter(known).collect()
}
