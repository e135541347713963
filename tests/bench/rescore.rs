//! `bench rescore`: what a changed indicator costs over everything that is stored, beside ripgrep over the same text.

#![expect(clippy::cast_precision_loss, reason = "counts and sizes, for ratios")]

use std::{fmt::Write as _, fs, path::Path, process::Command, sync::Arc, time::Duration};

use anyhow::{Context as _, ensure};
use futures::{StreamExt as _, stream};
use model::{CaptureId, Grant, Purpose, Seq, ThemeId, Timestamp};
use search::Indexes;
use store::{CredentialKey, RuleChange, RuleKind, Scoring, Store};
use tests::{Chance, Deadline, samples, wait_until};
use tokio::{task::JoinSet, time::Instant};
use tokio_util::sync::CancellationToken;

use super::figures::Figures;

/// The theme that everything lies in.
const THEME: &str = "marketplace";

/// Words that hardly any page has; the indicators look for them.
const RARE: [&str; 8] =
    ["astrolabe", "barometer", "chronometer", "dioptra", "ephemeris", "fathometer", "gnomon", "heliograph"];

/// One page in so many has a rare word.
const RARELY: u64 = 200;

/// Documents in one file of the text that ripgrep reads.
const IN_A_FILE: usize = 1000;

pub(crate) async fn run(rounds: usize, documents: usize) -> anyhow::Result<()> {
    let rg = Command::new("rg").arg("--version").output().context("ripgrep is missing: install the package ripgrep")?;
    ensure!(rg.status.success(), "ripgrep does not work");
    let dir = tempfile::tempdir()?;
    let house = House::fill(dir.path(), documents).await?;
    let text = dir.path().join("text");
    let bytes = house.write_texts(&text, documents)?;
    let (mut full, mut assisted, mut grep) = (Figures::default(), Figures::default(), Figures::default());
    for round in 0..rounds {
        eprintln!("round {}", round + 1);
        // A pattern that is never met: the index cannot tell that, so every document is looked at.
        full.add(house.rescore("full", &rule("full", "[[any]]\npattern = 'zzz+q'\n"), documents).await?);
        assisted.add(house.rescore("assisted", &rule("assisted", ""), documents).await?);
        let begun = Instant::now();
        let words: Vec<&str> = RARE.iter().flat_map(|word| ["-e", word]).collect();
        let found = Command::new("rg").args(["--count", "-w", "-i", "-j1"]).args(words).arg(&text).output()?;
        ensure!(found.status.success(), "ripgrep found nothing");
        grep.add(begun.elapsed().as_secs_f64());
    }
    println!(
        "{documents} documents, {:.0} MB of text, {rounds} interleaved rounds; median (least … most)\n",
        bytes as f64 / 1e6
    );
    println!("| what | seconds | MB/s | of the full one | aim |\n|---|---|---|---|---|");
    for (what, figures, aim) in [
        ("an indicator that every document is looked at for", &full, ""),
        ("one that the index finds candidates for", &assisted, "0.2 at most"),
        ("ripgrep over the same text, one thread", &grep, ""),
    ] {
        let of = figures.median() / full.median();
        println!("| {what} | {figures:.2} | {:.0} | {of:.3} | {aim} |", bytes as f64 / 1e6 / figures.median());
    }
    Ok(())
}

fn rule(name: &str, more: &str) -> String {
    let mut rule = format!("name = \"{name}\"\nwhy = \"Instruments.\"\n");
    for word in RARE {
        let _ = write!(rule, "[[any]]\nterms = [\"{word}\"]\n");
    }
    rule + more
}

/// A store and its index, filled once.
struct House {
    store: Store,
    indexes: Arc<Indexes>,
    theme: ThemeId,
}

impl House {
    async fn fill(dir: &Path, documents: usize) -> anyhow::Result<Self> {
        let store = Store::open(&dir.join("store"), &store::Config::default(), CredentialKey::from_bytes(&[7; 32]))?;
        let indexes = Arc::new(Indexes::open(dir.join("index"), search::Config::default())?);
        let house = Self { store, indexes, theme: THEME.parse()? };
        let mut chance = Chance::of(1, 1);
        for from in (0..documents).step_by(IN_A_FILE) {
            let pages = (from..documents.min(from + IN_A_FILE)).map(|n| (n, page(n, &mut chance)));
            let visits =
                pages.map(|(n, page)| samples::visit(&house.store, house.theme, &format!("/{n}"), page.as_bytes()));
            let visits = visits.collect::<Result<Vec<_>, _>>()?;
            let mut recorded = stream::iter(visits).map(|visit| house.store.record(visit)).buffer_unordered(64);
            while let Some(result) = recorded.next().await {
                result?;
            }
            eprint!("\r{from} of {documents} recorded");
        }
        eprintln!("\nanalysing");
        let last = Seq(documents as u64);
        house.derive(|| Ok(house.store.derive_cursor(house.theme)? == last)).await?;
        Ok(house)
    }

    /// Lets the analysis run until something is so; says how long that took.
    async fn derive(&self, is_done: impl Fn() -> anyhow::Result<bool>) -> anyhow::Result<Duration> {
        let config = derive::Config { rescored_per_s: 0, ..derive::Config::default() };
        let stop = CancellationToken::new();
        let deriver = derive::Deriver::new(config, self.store.clone(), Arc::clone(&self.indexes));
        let begun = Instant::now();
        let mut tasks = JoinSet::new();
        tasks.spawn(deriver.run(stop.clone()));
        wait_until("the analysis has come so far", Deadline::seconds(3600), || async { Ok(is_done()?.then_some(())) })
            .await?;
        let took = begun.elapsed();
        stop.cancel();
        while let Some(ended) = tasks.join_next().await {
            ended??;
        }
        Ok(took)
    }

    /// Seconds from a new indicator to the last document that was looked at for it.
    async fn rescore(&self, name: &str, text: &str, documents: usize) -> anyhow::Result<f64> {
        let grant = Grant::system(Purpose::Maintenance);
        let at = Timestamp::from_micros(1);
        let change = |text| RuleChange { kind: RuleKind::Indicator, name, text, author: "bench", replaces: None, at };
        let version = self.store.change_rule(&grant, self.theme, &change(Some(text)))?;
        let took = self.derive(|| Ok(self.store.scoring(self.theme, version)? == Some(Scoring::Follows))).await?;
        let flagged = self.store.flags(&grant, self.theme, version)?.count() as u64;
        let expected = documents as u64 / RARELY;
        ensure!(flagged > expected / 2 && flagged < expected * 2, "{flagged} documents are flagged");
        self.store.change_rule(&grant, self.theme, &change(None))?;
        Ok(took.as_secs_f64())
    }

    /// Writes the text of every document into files; says how many bytes these are.
    fn write_texts(&self, dir: &Path, documents: usize) -> anyhow::Result<usize> {
        fs::create_dir(dir)?;
        let (grant, mut bytes) = (Grant::system(Purpose::Maintenance), 0);
        for from in (0..documents).step_by(IN_A_FILE) {
            let mut text = String::new();
            for seq in from + 1..=documents.min(from + IN_A_FILE) {
                let id = CaptureId { theme: self.theme, seq: Seq(seq as u64) };
                text += &self.store.document(&grant, id)?.context("a document is missing")?.text;
                text.push('\n');
            }
            bytes += text.len();
            fs::write(dir.join(from.to_string()), text)?;
        }
        Ok(bytes)
    }
}

/// A page of some three kilobytes, all of invented words, now and then with a rare one.
fn page(number: usize, chance: &mut Chance) -> String {
    let mut html = format!("<!doctype html><meta charset=utf-8><title>Page {number}</title>");
    let rare = (chance.below(RARELY) == 0).then(|| chance.below(RARE.len() as u64));
    for paragraph in 0..10 {
        html.push_str("<p>");
        for _ in 0..50 {
            let word = chance.below(20_000);
            for letter in [word % 26, word / 26 % 26, word / 676 % 26, word % 7, word % 11] {
                html.push(char::from(b'a' + u8::try_from(letter).unwrap_or(0)));
            }
            html.push(' ');
        }
        if let Some(rare) = rare.filter(|_| paragraph == 5) {
            html.push_str(RARE[usize::try_from(rare).unwrap_or(0)]);
        }
    }
    html
}
