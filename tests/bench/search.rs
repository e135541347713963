//! `bench search`: queries beside bare tantivy and SQLite's FTS5 over the same texts, and how fast each takes them in.

#![expect(clippy::cast_precision_loss, reason = "counts, for ratios")]

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, ensure};
use model::{Grant, Label, ObservableKind, Outcome, PageKind, Price, Purpose, Seq, TargetId, Timestamp};
use search::{Entry, Facet, Index, Indexes, Joined, Query, Sort, Versions};
use tantivy::{
    IndexReader, IndexWriter, TantivyDocument,
    collector::{Count, TopDocs},
    indexer::IndexWriterOptions,
    query::QueryParser,
    schema::{Field, Schema, TEXT},
};
use tests::Chance;
use tokio::time::Instant;

use super::figures::Figures;

/// Words that there are, the frequent ones a few thousand times as frequent as the rare ones.
const VOCABULARY: u64 = 50_000;

/// Words of a text.
const WORDS: u64 = 120;

/// Entries between two commits while everything is taken in.
const BATCH: usize = 10_000;

/// Queries of each kind in a round.
const QUERIES: u64 = 40;

/// Hits that are asked for.
const HITS: usize = 10;

/// Memory of the writer, the same for ours and bare tantivy.
const MEMORY_MB: u32 = 64;

pub(crate) fn run(rounds: usize, documents: usize, is_large: bool) -> anyhow::Result<()> {
    measure(rounds, documents)?;
    if is_large { measure(rounds, 1_000_000) } else { Ok(()) }
}

/// The queries of one kind.
struct Kind {
    name: &'static str,
    /// As ours are written, and as the others' are; none where they have nothing alike.
    queries: Vec<(Query, Option<String>)>,
}

fn measure(rounds: usize, documents: usize) -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    eprintln!("taking in {documents} documents, three times");
    let ours = Ours::open(&dir.path().join("ours"))?;
    let bare = Bare::open(&dir.path().join("bare"))?;
    let mut fts = Fts::open(&dir.path().join("fts.db"))?;
    let rates = [ours.fill(documents)?, bare.fill(documents)?, fts.fill(documents)?];
    println!(
        "{documents} documents of {WORDS} words, {rounds} interleaved rounds of {QUERIES} queries; median (least … most)\n"
    );
    println!("| taken in | documents/s | of bare tantivy | aim |\n|---|---|---|---|");
    for (name, rate, aim) in [
        ("ours: forms of words, facets and all", rates[0], "0.85 at least"),
        ("bare tantivy, title and text alone", rates[1], ""),
        ("SQLite FTS5, title and text alone", rates[2], ""),
    ] {
        println!("| {name} | {rate:.0} | {:.2} | {aim} |", rate / rates[1]);
    }
    println!(
        "\n| queries | p50 ms | p99 ms | p99 of bare tantivy | of bare + 1 ms over 1.25 | p99 of FTS5 |\n|---|---|---|---|---|---|"
    );
    let kinds = kinds(documents);
    for kind in &kinds {
        let (mut of_ours, mut of_bare, mut of_fts) = (Both::default(), Both::default(), Both::default());
        for _ in 0..rounds {
            of_ours.add(kind.queries.iter().map(|(query, _)| ours.ask(query)))?;
            let others = || kind.queries.iter().filter_map(|(_, other)| other.as_deref());
            of_bare.add(others().map(|query| bare.ask(query)))?;
            of_fts.add(others().map(|query| fts.ask(query)))?;
        }
        let p99 = of_ours.p99.median();
        let limit = 1.25 * of_bare.p99.median() + 1.0;
        println!(
            "| {} | {:.2} | {:.2} | {:.2} | {:.2} | {:.2} |",
            kind.name,
            of_ours.p50,
            of_ours.p99,
            p99 / of_bare.p99.median(),
            p99 / limit,
            p99 / of_fts.p99.median()
        );
        for (name, times) in [("the same in bare tantivy", &of_bare), ("the same in SQLite FTS5", &of_fts)] {
            println!("| {name} | {:.2} | {:.2} | | | |", times.p50, times.p99);
        }
    }
    let (idle, busy) = ours.while_it_grows(rounds, documents, &kinds)?;
    println!(
        "\nWhile entries come in at full rate, p99 is {busy:.2} ms, {:.2} of {idle:.2} ms at rest (aim: 2 at most).\n",
        busy.median() / idle.median()
    );
    Ok(())
}

/// What queries took, in milliseconds: the median and the 99th percentile of each round.
#[derive(Default)]
struct Both {
    p50: Figures,
    p99: Figures,
}

impl Both {
    fn add(&mut self, queries: impl Iterator<Item = anyhow::Result<()>>) -> anyhow::Result<()> {
        let mut times = Vec::new();
        let mut queries = queries;
        loop {
            let begun = Instant::now();
            let Some(answered) = queries.next() else { break };
            answered?;
            times.push(begun.elapsed().as_secs_f64() * 1000.0);
        }
        times.sort_by(f64::total_cmp);
        let at = |percent: usize| times.get((times.len() * percent / 100).min(times.len().saturating_sub(1)));
        if let (Some(middle), Some(late)) = (at(50), at(99)) {
            self.p50.add(*middle);
            self.p99.add(*late);
        }
        Ok(())
    }
}

/// Our index, as the daemon keeps it.
struct Ours(Arc<Index>);

impl Ours {
    fn open(dir: &Path) -> anyhow::Result<Self> {
        let config = search::Config { writer_memory_mb: MEMORY_MB, ..search::Config::default() };
        Ok(Self(Indexes::open(dir, config)?.theme("marketplace".parse()?)?))
    }

    fn fill(&self, documents: usize) -> anyhow::Result<f64> {
        let mut spent = Duration::ZERO;
        for from in (0..documents).step_by(BATCH) {
            let entries: Vec<Entry> = (from..documents.min(from + BATCH)).map(entry).collect();
            let begun = Instant::now();
            entries.iter().try_for_each(|entry| self.0.add(entry))?;
            self.0.commit(entries.last().context("an empty batch")?.seq)?;
            spent += begun.elapsed();
        }
        Ok(documents as f64 / spent.as_secs_f64())
    }

    fn ask(&self, query: &Query) -> anyhow::Result<()> {
        self.0.search(&Grant::system(Purpose::Maintenance), query)?;
        Ok(())
    }

    /// The 99th percentile of all queries at rest, and while entries come in as fast as they can.
    fn while_it_grows(&self, rounds: usize, documents: usize, kinds: &[Kind]) -> anyhow::Result<(Figures, Figures)> {
        let mut idle = Both::default();
        let mut busy = Both::default();
        let asked = || kinds.iter().flat_map(|kind| &kind.queries).map(|(query, _)| self.ask(query));
        let mut next = documents;
        for _ in 0..rounds {
            idle.add(asked())?;
            let is_done = AtomicBool::new(false);
            let from = next;
            next = std::thread::scope(|scope| -> anyhow::Result<usize> {
                let growing = scope.spawn(|| -> anyhow::Result<usize> {
                    let (mut number, mut committed) = (from, Instant::now());
                    while !is_done.load(Ordering::Relaxed) {
                        let entry = entry(number);
                        self.0.add(&entry)?;
                        number += 1;
                        if committed.elapsed() > Duration::from_secs(1) {
                            self.0.commit(entry.seq)?;
                            committed = Instant::now();
                        }
                    }
                    self.0.commit(Seq(number as u64))?;
                    Ok(number)
                });
                let asked = busy.add(asked());
                is_done.store(true, Ordering::Relaxed);
                let grown = growing.join().map_err(|_| anyhow::anyhow!("the index died"))?;
                asked?;
                grown
            })?;
        }
        Ok((idle.p99, busy.p99))
    }
}

/// Tantivy as it comes: its own words, its own parser, its own order.
struct Bare {
    index: tantivy::Index,
    reader: IndexReader,
    fields: [Field; 2],
}

impl Bare {
    fn open(dir: &Path) -> anyhow::Result<Self> {
        std::fs::create_dir(dir)?;
        let mut schema = Schema::builder();
        let fields = [schema.add_text_field("title", TEXT), schema.add_text_field("text", TEXT)];
        let index = tantivy::Index::create_in_dir(dir, schema.build())?;
        Ok(Self { reader: index.reader()?, index, fields })
    }

    fn fill(&self, documents: usize) -> anyhow::Result<f64> {
        let options = IndexWriterOptions::builder()
            .memory_budget_per_thread(MEMORY_MB as usize * 1_000_000)
            .num_worker_threads(1)
            .num_merge_threads(1)
            .build();
        let mut writer: IndexWriter = self.index.writer_with_options(options)?;
        let mut spent = Duration::ZERO;
        for from in (0..documents).step_by(BATCH) {
            let entries: Vec<Entry> = (from..documents.min(from + BATCH)).map(entry).collect();
            let begun = Instant::now();
            for entry in entries {
                let mut document = TantivyDocument::new();
                for (field, text) in self.fields.into_iter().zip([entry.title, entry.text]) {
                    document.add_text(field, text);
                }
                writer.add_document(document)?;
            }
            writer.commit()?;
            spent += begun.elapsed();
        }
        writer.wait_merging_threads()?;
        self.reader.reload()?;
        Ok(documents as f64 / spent.as_secs_f64())
    }

    fn ask(&self, query: &str) -> anyhow::Result<()> {
        let mut parser = QueryParser::for_index(&self.index, self.fields.to_vec());
        parser.set_conjunction_by_default();
        let query = parser.parse_query(query)?;
        let (hits, count) =
            self.reader.searcher().search(&query, &(TopDocs::with_limit(HITS).order_by_score(), Count))?;
        ensure!(count >= hits.len(), "more hits than matches");
        Ok(())
    }
}

/// A table of SQLite's FTS5.
struct Fts(rusqlite::Connection);

impl Fts {
    fn open(file: &Path) -> anyhow::Result<Self> {
        let db = rusqlite::Connection::open(file)?;
        db.execute_batch("CREATE VIRTUAL TABLE pages USING fts5(title, text)")?;
        Ok(Self(db))
    }

    fn fill(&mut self, documents: usize) -> anyhow::Result<f64> {
        let mut spent = Duration::ZERO;
        for from in (0..documents).step_by(BATCH) {
            let entries: Vec<Entry> = (from..documents.min(from + BATCH)).map(entry).collect();
            let begun = Instant::now();
            let batch = self.0.transaction()?;
            for entry in entries {
                batch.execute("INSERT INTO pages (title, text) VALUES (?1, ?2)", (entry.title, entry.text))?;
            }
            batch.commit()?;
            spent += begun.elapsed();
        }
        Ok(documents as f64 / spent.as_secs_f64())
    }

    fn ask(&self, query: &str) -> anyhow::Result<()> {
        let count = "SELECT count(*) FROM pages WHERE pages MATCH ?1";
        let count: i64 = self.0.prepare_cached(count)?.query_row([query], |row| row.get(0))?;
        let hits = format!("SELECT rowid FROM pages WHERE pages MATCH ?1 ORDER BY rank LIMIT {HITS}");
        let mut hits = self.0.prepare_cached(&hits)?;
        let hits: Vec<i64> = hits.query_map([query], |row| row.get(0))?.collect::<Result<_, _>>()?;
        ensure!(count >= i64::try_from(hits.len())?, "more hits than matches");
        Ok(())
    }
}

/// A word of the vocabulary: letters that no two numbers share.
fn word(number: u64) -> String {
    let mut rest = number;
    let mut word = String::new();
    for _ in 0..4 {
        word.push(char::from(b'a' + u8::try_from(rest % 26).unwrap_or(0)));
        word.push(['a', 'e', 'i', 'o', 'u'][usize::try_from(rest / 26 % 5).unwrap_or(0)]);
        rest /= 130;
    }
    word
}

/// The number of a word of a text: the smaller, the more frequent (Zipf).
fn frequent(chance: &mut Chance) -> u64 {
    let exponent = chance.below(1 << 20) as f64 / f64::from(1 << 20);
    let number = (VOCABULARY as f64).powf(exponent);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and the vocabulary")]
    let number = number as u64;
    number.min(VOCABULARY - 1)
}

/// An invented page; the same for the same number.
fn entry(number: usize) -> Entry {
    let mut chance = Chance::of(7, number as u64);
    let text: Vec<String> = (0..WORDS).map(|_| word(frequent(&mut chance))).collect();
    let title: Vec<String> = (0..4).map(|_| word(frequent(&mut chance))).collect();
    let page = chance.below(1 + number as u64);
    let price = Price { amount: format!("{}.50", chance.below(500)), currency: "EUR".into() };
    Entry {
        seq: Seq(number as u64 + 1),
        target: TargetId::from_u64(chance.below(20)),
        uri: format!("http://example.com/{page}").parse().unwrap_or_else(|_| unreachable!("a plain address")),
        captured_at: Timestamp::from_micros(1_700_000_000_000_000 + i64::try_from(number).unwrap_or(0) * 60_000_000),
        outcome: Outcome::Ok,
        kind: if chance.below(3) == 0 { PageKind::Listing } else { PageKind::Thread },
        language: Some(["eng", "nld", "rus"][usize::try_from(chance.below(3)).unwrap_or(0)].to_owned()),
        price: (chance.below(3) == 0).then_some(price),
        observables: vec![(ObservableKind::Email, format!("{}@example.org", word(chance.below(VOCABULARY))))],
        title: title.join(" "),
        text: text.join(" "),
    }
}

fn kinds(documents: usize) -> Vec<Kind> {
    let asking = |text: String| Query { text, limit: HITS, ..Query::default() };
    let mut chance = Chance::of(11, 1);
    let mut draws = |count: u64| -> Vec<Vec<String>> {
        (0..QUERIES).map(|_| (0..count).map(|_| word(frequent(&mut chance))).collect()).collect()
    };
    let exact = |words: &Vec<String>| words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(" ");
    let kind = |name, words: Vec<Vec<String>>, written: &dyn Fn(&Vec<String>) -> (Query, Option<String>)| Kind {
        name,
        queries: words.iter().map(written).collect(),
    };
    let joined = Arc::new(Joined {
        labels: [(Label::Relevant, (0..documents as u64).step_by(10).map(Seq).collect())].into(),
        indicators: [("knives".to_owned(), (0..documents as u64).step_by(7).map(Seq).collect())].into(),
        ..Joined::default()
    });
    vec![
        kind("one word", draws(1), &|words| (asking(exact(words)), Some(exact(words)))),
        kind("two words", draws(2), &|words| (asking(exact(words)), Some(exact(words)))),
        kind("one of two words", draws(2), &|words| {
            let text = words.join("\" OR \"");
            (asking(format!("\"{text}\"")), Some(format!("\"{text}\"")))
        }),
        kind("a phrase", draws(2), &|words| {
            let text = format!("\"{}\"", words.join(" "));
            (asking(text.clone()), Some(text))
        }),
        kind("two words in any form", draws(2), &|words| (asking(words.join(" ")), Some(exact(words)))),
        kind("the beginning of a word", draws(1), &|words| {
            let text = format!("{}*", words[0].get(..6).unwrap_or_default());
            (asking(text.clone()), None)
        }),
        kind("two words, with four facets", draws(2), &|words| {
            let facets = vec![Facet::Target, Facet::Language, Facet::Kind, Facet::Month];
            (Query { facets, ..asking(exact(words)) }, Some(exact(words)))
        }),
        kind("a word that is labelled and flagged", draws(1), &|words| {
            let text = format!("{} label:relevant -indicator:knives", exact(words));
            (Query { joined: Arc::clone(&joined), ..asking(text) }, Some(exact(words)))
        }),
        kind("a word, the latest of each page, newest first", draws(1), &|words| {
            let query = Query { versions: Versions::Latest, sort: Sort::Newest, ..asking(exact(words)) };
            (query, Some(exact(words)))
        }),
    ]
}
