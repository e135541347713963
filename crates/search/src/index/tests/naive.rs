//! The index against an evaluation of the same query that knows nothing of indexes.

use std::collections::BTreeMap;

use model::{Label, ObservableKind, Price, words::Words};
use proptest::{collection::vec, option, prelude::*, sample::select};

use super::*;
use crate::{Facet, FacetCount, FacetCounts};

const WORDS: [&str; 7] = ["red", "lamp", "lamps", "lump", "door", "élan", "нож"];
const LANGUAGES: [&str; 3] = ["nld", "rus", "eng"];
const KINDS: [PageKind; 2] = [PageKind::Listing, PageKind::Thread];
const OUTCOMES: [Outcome; 4] = [Outcome::Ok, Outcome::HttpError(404), Outcome::HttpError(500), Outcome::NotModified];
const OBSERVABLES: [(ObservableKind, &str); 3] =
    [(ObservableKind::Btc, "1a"), (ObservableKind::Xmr, "1a"), (ObservableKind::Btc, "1b")];
const LABELS: [Label; 2] = [Label::Relevant, Label::NotRelevant];
const CLUSTER: &str = "a.onion";

const INDICATORS: [&str; 2] = ["alpha", "beta"];
const SORTS: [Sort; 5] = [Sort::Relevance, Sort::Newest, Sort::Oldest, Sort::Price, Sort::Score];

/// A query as a tree, written out by `text` and carried out by `fits`.
#[derive(Debug, Clone)]
enum Tree {
    And(Vec<Tree>),
    Or(Vec<Tree>),
    Not(Box<Tree>),
    Words(Vec<&'static str>),
    Bare(&'static str),
    Title(&'static str),
    Near(Vec<&'static str>, usize),
    Prefix(&'static str),
    Fuzzy(&'static str),
    Language(&'static str),
    Kind(PageKind),
    Outcome(Outcome),
    Target(u64),
    After(u64),
    Before(u64),
    Captured(u64, u64),
    Seq(u64, u64),
    Price(u64, u64),
    Currency(&'static str),
    ObservableKind(ObservableKind),
    Observable(Option<ObservableKind>, &'static str),
    Label(Label),
    Indicator(&'static str),
}

/// A label is on every third or fifth capture, an indicator flags every second or seventh.
fn is_labelled(label: Label, seq: u64) -> bool {
    if label == Label::Relevant { seq.is_multiple_of(3) } else { seq.is_multiple_of(5) }
}

fn is_flagged(indicator: &str, seq: u64) -> bool {
    if indicator == "alpha" { seq.is_multiple_of(2) } else { seq.is_multiple_of(7) }
}

fn is_clustered(seq: u64) -> bool {
    seq.is_multiple_of(11)
}

fn score(seq: u64) -> i64 {
    i64::try_from(seq % 4).unwrap() - 1
}

fn joined() -> Joined {
    let all = || (0..200).map(Seq);
    let values = |value: &'static str| OBSERVABLES.into_iter().filter(move |known| known.1 == value);
    let mut observables = BTreeMap::new();
    for (kind, value) in OBSERVABLES {
        for of in [None, Some(kind)] {
            let found = values(value).filter(|known| of.is_none_or(|of| of == known.0));
            let found = found.map(|(kind, value)| (kind, value.to_owned())).collect();
            observables.insert(crate::Observed { kind: of, value: Some(value.into()) }, found);
        }
    }
    Joined {
        labels: LABELS.map(|label| (label, all().filter(|seq| is_labelled(label, seq.0)).collect())).into(),
        indicators: INDICATORS.map(|name| (name.into(), all().filter(|seq| is_flagged(name, seq.0)).collect())).into(),
        clusters: [(CLUSTER.into(), all().filter(|seq| is_clustered(seq.0)).collect())].into(),
        scores: all().filter(|seq| score(seq.0) != 0).map(|seq| (seq, score(seq.0))).collect(),
        observables,
    }
}

fn folded(word: &str) -> String {
    Words::of(word).advance().unwrap().folded.unwrap().to_owned()
}

fn words(text: &str) -> Vec<&str> {
    text.split(' ').filter(|word| !word.is_empty()).collect()
}

/// Whether one word becomes the other by one change, tried one by one.
fn is_one_mistake_away(word: &str, other: &str) -> bool {
    let (word, other): (Vec<char>, Vec<char>) = (word.chars().collect(), other.chars().collect());
    let alphabet: std::collections::BTreeSet<char> = other.iter().copied().collect();
    let mut ways = vec![word.clone()];
    for at in 0..=word.len() {
        for &letter in &alphabet {
            let mut longer = word.clone();
            longer.insert(at, letter);
            ways.push(longer);
            if at < word.len() {
                let mut changed = word.clone();
                changed[at] = letter;
                ways.push(changed);
            }
        }
        if at < word.len() {
            let mut shorter = word.clone();
            shorter.remove(at);
            ways.push(shorter);
        }
        if at + 1 < word.len() {
            let mut swapped = word.clone();
            swapped.swap(at, at + 1);
            ways.push(swapped);
        }
    }
    ways.contains(&other) && word.first() == other.first()
}

impl Tree {
    fn text(&self) -> String {
        let join =
            |trees: &[Self], by: &str| format!("({})", trees.iter().map(Self::text).collect::<Vec<_>>().join(by));
        match self {
            Self::And(trees) => join(trees, " "),
            Self::Or(trees) => join(trees, " OR "),
            Self::Not(tree) => format!("-{}", tree.text()),
            Self::Words(words) => format!("\"{}\"", words.join(" ").to_uppercase()),
            Self::Bare(word) => (*word).to_owned(),
            Self::Title(word) => format!("title:\"{word}\""),
            Self::Near(words, others) => format!("\"{}\"~{others}", words.join(" ")),
            Self::Prefix(prefix) => format!("{prefix}*"),
            Self::Fuzzy(word) => format!("{word}~"),
            Self::Language(language) => format!("lang:{language}"),
            Self::Kind(kind) => format!("kind:{kind}"),
            Self::Outcome(outcome) => format!("outcome:{outcome}"),
            Self::Target(target) => format!("target:{}", TargetId::from_u64(*target)),
            Self::After(time) => format!("after:{}", at(*time)),
            Self::Before(time) => format!("before:{}", at(*time)),
            Self::Captured(from, until) => format!("captured:[{} TO {}]", at(*from), at(*until)),
            Self::Seq(from, until) => format!("seq:{{{from} TO {until}]"),
            Self::Price(from, until) => format!("price:[{from} TO {until}}}"),
            Self::Currency(currency) => format!("currency:{currency}"),
            Self::ObservableKind(kind) => format!("observable:{kind}"),
            Self::Observable(Some(kind), value) => format!("observable:{kind}={value}"),
            Self::Observable(None, value) => format!("observable:{value}"),
            Self::Label(label) => format!("label:{label}"),
            Self::Indicator(name) => format!("indicator:{name}"),
        }
    }

    fn fits(&self, entry: &Entry) -> bool {
        let has = |text: &str, run: &[&str]| words(text).windows(run.len()).any(|part| part == run);
        let any = |fits: &dyn Fn(&str) -> bool| {
            words(&entry.title).into_iter().chain(words(&entry.text)).any(|word| fits(&folded(word)))
        };
        let amount = || entry.price.as_ref().map(|price| price.amount.parse::<f64>().unwrap());
        match self {
            Self::And(trees) => trees.iter().all(|tree| tree.fits(entry)),
            Self::Or(trees) => trees.iter().any(|tree| tree.fits(entry)),
            Self::Not(tree) => !tree.fits(entry),
            Self::Words(words) => has(&entry.title, words) || has(&entry.text, words),
            Self::Bare(word) => any(&|other| {
                let language = entry.language.as_deref().and_then(Language::of_code);
                let word = folded(word);
                other == word || language.is_some_and(|language| language.stem(other) == language.stem(&word))
            }),
            Self::Title(word) => has(&entry.title, &[word]),
            Self::Near(wanted, others) => [&entry.title, &entry.text].into_iter().any(|text| {
                let all = words(text);
                let holds = |part: &[&str]| {
                    let count = |of: &[&str], word: &str| of.iter().filter(|other| **other == word).count();
                    wanted.iter().all(|word| count(part, word) >= count(wanted, word))
                };
                (0..all.len()).any(|from| holds(&all[from..(from + wanted.len() + others).min(all.len())]))
            }),
            Self::Prefix(prefix) => any(&|word| word.starts_with(&folded(prefix))),
            Self::Fuzzy(wanted) => any(&|word| is_one_mistake_away(&folded(wanted), word)),
            Self::Language(language) => entry.language.as_deref() == Some(language),
            Self::Kind(kind) => entry.kind == *kind,
            Self::Outcome(outcome) => entry.outcome == *outcome,
            Self::Target(target) => entry.target.as_u64() == *target,
            Self::After(time) => entry.captured_at >= at(*time),
            Self::Before(time) => entry.captured_at < at(*time),
            Self::Captured(from, until) => entry.captured_at >= at(*from) && entry.captured_at <= at(*until),
            Self::Seq(from, until) => entry.seq.0 > *from && entry.seq.0 <= *until,
            Self::Price(from, until) => {
                let (from, until) =
                    (f64::from(u32::try_from(*from).unwrap()), f64::from(u32::try_from(*until).unwrap()));
                amount().is_some_and(|amount| amount >= from && amount < until)
            }
            Self::Currency(currency) => entry.price.as_ref().is_some_and(|price| price.currency == *currency),
            Self::ObservableKind(kind) => entry.observables.iter().any(|(of, _)| of == kind),
            Self::Observable(kind, value) => {
                entry.observables.iter().any(|(of, found)| found == value && kind.is_none_or(|kind| kind == *of))
            }
            Self::Label(label) => is_labelled(*label, entry.seq.0),
            Self::Indicator(name) => is_flagged(name, entry.seq.0),
        }
    }
}

fn tree() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![
        4 => vec(select(&WORDS[..]), 1..3).prop_map(Tree::Words),
        4 => select(&WORDS[..]).prop_map(Tree::Bare),
        1 => select(&WORDS[..]).prop_map(Tree::Title),
        3 => (vec(select(&WORDS[..]), 2..4), 0..3_usize).prop_map(|(words, others)| Tree::Near(words, others)),
        2 => select(&["la", "él", "no", "re", "lam", "но"][..]).prop_map(Tree::Prefix),
        2 => select(&["lamp", "dor", "ред", "rde", "elna"][..]).prop_map(Tree::Fuzzy),
        1 => select(&LANGUAGES[..]).prop_map(Tree::Language),
        1 => select(&KINDS[..]).prop_map(Tree::Kind),
        1 => select(&OUTCOMES[..]).prop_map(Tree::Outcome),
        1 => (0..3u64).prop_map(Tree::Target),
        1 => (0..10u64).prop_map(Tree::After),
        1 => (0..10u64).prop_map(Tree::Before),
        1 => (0..10u64, 0..10u64).prop_map(|(from, until)| Tree::Captured(from, until)),
        1 => (0..40u64, 0..40u64).prop_map(|(from, until)| Tree::Seq(from, until)),
        1 => (0..5u64, 0..5u64).prop_map(|(from, until)| Tree::Price(from, until)),
        1 => select(&["EUR", "XMR"][..]).prop_map(Tree::Currency),
        1 => select(&[ObservableKind::Btc, ObservableKind::Xmr, ObservableKind::Email][..]).prop_map(Tree::ObservableKind),
        1 => (select(&OBSERVABLES[..]), any::<bool>()).prop_map(|((kind, value), is_said)| Tree::Observable(is_said.then_some(kind), value)),
        1 => select(&LABELS[..]).prop_map(Tree::Label),
        1 => select(&INDICATORS[..]).prop_map(Tree::Indicator),
    ];
    leaf.prop_recursive(4, 16, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 1..4).prop_map(Tree::And),
            vec(inner.clone(), 1..4).prop_map(Tree::Or),
            inner.prop_map(|tree| Tree::Not(Box::new(tree))),
        ]
    })
}

fn sentence() -> impl Strategy<Value = String> {
    vec(select(&WORDS[..]), 0..8).prop_map(|words| words.join(" "))
}

fn price() -> impl Strategy<Value = Option<Price>> {
    let some = (0..5_u32, select(&["", ".5", ".25"][..]), select(&["EUR", "XMR"][..]));
    option::of(
        some.prop_map(|(whole, rest, currency)| Price { amount: format!("{whole}{rest}"), currency: currency.into() }),
    )
}

/// Entries with gaps between their sequences, with equal times, and several of one URI.
fn entries() -> impl Strategy<Value = Vec<Entry>> {
    let place = (1..3u64, 0..3u64, 0..10u64, 0..5u64);
    let facts = (select(&OUTCOMES[..]), select(&KINDS[..]), option::of(select(&LANGUAGES[..])));
    let content = (sentence(), sentence(), price(), vec(select(&OBSERVABLES[..]), 0..3));
    vec((place, facts, content), 0..40).prop_map(|all| {
        let mut seq = 0;
        let all = all.into_iter().map(|(place, facts, content)| {
            let ((gap, target, time, page), (outcome, kind, language)) = (place, facts);
            let (title, text, price, observables) = content;
            seq += gap;
            Entry {
                target: TargetId::from_u64(target),
                uri: format!("http://example.com/page/{page}").parse().unwrap(),
                captured_at: at(time),
                outcome,
                kind,
                language: language.map(str::to_owned),
                price,
                observables: observables.into_iter().map(|(kind, value)| (kind, value.to_owned())).collect(),
                title,
                ..entry(seq, &text)
            }
        });
        all.collect()
    })
}

/// How a query is asked, beside its text.
#[derive(Debug, Clone, Copy)]
struct Way {
    versions: Versions,
    as_of: Option<u64>,
    sort: Sort,
}

fn way() -> impl Strategy<Value = Way> {
    (select(&[Versions::All, Versions::Latest][..]), option::of(0..10_u64), select(&SORTS[..]))
        .prop_map(|(versions, as_of, sort)| Way { versions, as_of, sort })
}

/// Of each URI the latest with content.
fn latest<'a>(entries: impl Iterator<Item = &'a Entry>) -> Vec<&'a Entry> {
    let mut newest: BTreeMap<&str, &Entry> = BTreeMap::new();
    for entry in entries.filter(|entry| entry.outcome.has_content()) {
        let known = newest.entry(entry.uri.as_str()).or_insert(entry);
        if (known.captured_at, known.seq) < (entry.captured_at, entry.seq) {
            *known = entry;
        }
    }
    newest.into_values().collect()
}

fn expected<'a>(entries: &'a [Entry], tree: &Tree, up_to: u64, way: Way) -> Vec<&'a Entry> {
    let all = || entries.iter().filter(|entry| entry.seq.0 <= up_to);
    let states = way.as_of.map(|moment| latest(all().filter(|entry| entry.captured_at <= at(moment))));
    let is_state =
        |entry: &&Entry| states.as_ref().is_none_or(|states| states.iter().any(|state| state.seq == entry.seq));
    let mut found: Vec<&Entry> = all().filter(is_state).filter(|entry| tree.fits(entry)).collect();
    if way.versions == Versions::Latest {
        found = latest(found.into_iter());
    }
    let amount = |entry: &Entry| entry.price.as_ref().map(|price| crate::price::units(&price.amount));
    let currency = |entry: &Entry| entry.price.as_ref().map(|price| price.currency.clone());
    found.sort_by_key(|entry| std::cmp::Reverse(entry.seq));
    match way.sort {
        Sort::Oldest => found.sort_by_key(|entry| (entry.captured_at, entry.seq)),
        Sort::Newest => found.sort_by_key(|entry| std::cmp::Reverse((entry.captured_at, entry.seq))),
        Sort::Price => found.sort_by_key(|entry| (entry.price.is_none(), currency(entry), amount(entry))),
        Sort::Score => found.sort_by_key(|entry| std::cmp::Reverse(score(entry.seq.0))),
        Sort::Relevance => {}
    }
    found
}

/// The counts of a facet over these entries.
fn counted(entries: &[&Entry], facet: Facet) -> FacetCounts {
    let values = |entry: &Entry| -> Vec<String> {
        let date = |time: Timestamp| time.to_string()[..10].to_owned();
        match facet {
            Facet::Target => vec![entry.target.to_string()],
            Facet::Language => vec![entry.language.clone().unwrap_or_else(|| "und".into())],
            Facet::Kind => vec![entry.kind.to_string()],
            Facet::Outcome => vec![entry.outcome.to_string()],
            Facet::Indicator => {
                INDICATORS.iter().filter(|name| is_flagged(name, entry.seq.0)).map(ToString::to_string).collect()
            }
            Facet::Label => {
                LABELS.iter().filter(|label| is_labelled(**label, entry.seq.0)).map(ToString::to_string).collect()
            }
            Facet::Observable => {
                let kinds: std::collections::BTreeSet<_> = entry.observables.iter().map(|(kind, _)| *kind).collect();
                kinds.iter().map(ToString::to_string).collect()
            }
            Facet::Cluster => is_clustered(entry.seq.0).then(|| CLUSTER.to_owned()).into_iter().collect(),
            Facet::Day => vec![date(entry.captured_at)],
            // All times lie within the first seconds of 1970.
            Facet::Week => vec!["1969-12-29".into()],
            Facet::Month => vec!["1970-01-01".into()],
        }
    };
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    entries.iter().flat_map(|entry| values(entry)).for_each(|value| *counts.entry(value).or_default() += 1);
    let mut values: Vec<FacetCount> = counts.into_iter().map(|(value, count)| FacetCount { value, count }).collect();
    values.sort_by_key(|value| std::cmp::Reverse(value.count));
    FacetCounts { facet, values, other: 0 }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_index_finds_what_reading_everything_finds(
        entries in entries(),
        asked in vec((tree(), way()), 10),
        batch in 1..20usize,
        cut in 0..80u64,
    ) {
        let bench = Bench::empty();
        for part in entries.chunks(batch) {
            bench.fill(part);
        }
        let cut = cut.min(bench.index.indexed_up_to().0);
        let joined = Arc::new(joined());
        for (tree, way) in asked {
            for (up_to, asked) in [(u64::MAX, None), (cut, Some(Seq(cut)))] {
                let query = Query {
                    sort: way.sort,
                    versions: way.versions,
                    as_of: way.as_of.map(at),
                    up_to: asked,
                    facets: Facet::ALL.to_vec(),
                    joined: Arc::clone(&joined),
                    ..query(&tree.text())
                };
                let page = bench.search(&query);
                let expect = expected(&entries, &tree, up_to, way);
                for counts in &page.facets {
                    prop_assert_eq!(counts, &counted(&expect, counts.facet), "{}", tree.text());
                }
                let (mut found, mut expect) =
                    (sequences(&page), expect.iter().map(|entry| entry.seq.0).collect::<Vec<_>>());
                if way.sort == Sort::Relevance {
                    found.sort_unstable();
                    expect.sort_unstable();
                }
                prop_assert_eq!(found, expect, "{} {:?}", tree.text(), way);
            }
        }
    }

    #[test]
    fn no_text_makes_a_search_panic(texts in vec("\\PC{0,60}|([(\")a:-]|é| |NOT |OR |AND |title:|after:|aa\\*|aaa~|\"~3|seq:\\[1 TO 2\\]){0,30}", 20)) {
        let bench = Bench::with(&[entry(1, "a é ( \" title aaa")]);
        for text in texts {
            match bench.index.search(&grant(), &query(&text)) {
                Ok(_) | Err(Error::Query(_)) => {}
                Err(other) => prop_assert!(false, "{other}"),
            }
        }
    }
}
