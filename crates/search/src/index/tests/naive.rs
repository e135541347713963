//! The index against an evaluation of the same query that knows nothing of indexes.

use proptest::{collection::vec, option, prelude::*, sample::select};

use super::*;

const WORDS: [&str; 5] = ["red", "lamp", "door", "élan", "нож"];
const LANGUAGES: [&str; 2] = ["nld", "rus"];
const KINDS: [PageKind; 2] = [PageKind::Listing, PageKind::Thread];
const OUTCOMES: [Outcome; 3] = [Outcome::Ok, Outcome::HttpError(404), Outcome::HttpError(500)];

/// A query as a tree, written out by `text` and carried out by `fits`.
#[derive(Debug, Clone)]
enum Tree {
    And(Vec<Tree>),
    Or(Vec<Tree>),
    Not(Box<Tree>),
    Words(Vec<&'static str>),
    Title(&'static str),
    Language(&'static str),
    Kind(PageKind),
    Outcome(Outcome),
    Target(u64),
    After(u64),
    Before(u64),
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
            Self::Title(word) => format!("title:{word}"),
            Self::Language(language) => format!("lang:{language}"),
            Self::Kind(kind) => format!("kind:{kind}"),
            Self::Outcome(outcome) => format!("outcome:{outcome}"),
            Self::Target(target) => format!("target:{}", TargetId::from_u64(*target)),
            Self::After(time) => format!("after:{}", at(*time)),
            Self::Before(time) => format!("before:{}", at(*time)),
        }
    }

    fn fits(&self, entry: &Entry) -> bool {
        let has =
            |text: &str, run: &[&str]| text.split(' ').collect::<Vec<_>>().windows(run.len()).any(|part| part == run);
        match self {
            Self::And(trees) => trees.iter().all(|tree| tree.fits(entry)),
            Self::Or(trees) => trees.iter().any(|tree| tree.fits(entry)),
            Self::Not(tree) => !tree.fits(entry),
            Self::Words(words) => has(&entry.title, words) || has(&entry.text, words),
            Self::Title(word) => has(&entry.title, &[word]),
            Self::Language(language) => entry.language.as_deref() == Some(language),
            Self::Kind(kind) => entry.kind == *kind,
            Self::Outcome(outcome) => entry.outcome == *outcome,
            Self::Target(target) => entry.target.as_u64() == *target,
            Self::After(time) => entry.captured_at >= at(*time),
            Self::Before(time) => entry.captured_at < at(*time),
        }
    }
}

fn tree() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![
        4 => vec(select(&WORDS[..]), 1..3).prop_map(Tree::Words),
        1 => select(&WORDS[..]).prop_map(Tree::Title),
        1 => select(&LANGUAGES[..]).prop_map(Tree::Language),
        1 => select(&KINDS[..]).prop_map(Tree::Kind),
        1 => select(&OUTCOMES[..]).prop_map(Tree::Outcome),
        1 => (0..3u64).prop_map(Tree::Target),
        1 => (0..10u64).prop_map(Tree::After),
        1 => (0..10u64).prop_map(Tree::Before),
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
    vec(select(&WORDS[..]), 0..6).prop_map(|words| words.join(" "))
}

/// Entries with gaps between their sequences, and with equal times.
fn entries() -> impl Strategy<Value = Vec<Entry>> {
    let one = (
        1..3u64,
        0..3u64,
        0..10u64,
        select(&OUTCOMES[..]),
        select(&KINDS[..]),
        option::of(select(&LANGUAGES[..])),
        sentence(),
        sentence(),
    );
    vec(one, 0..40).prop_map(|all| {
        let mut seq = 0;
        let make =
            |(gap, target, time, outcome, kind, language, title, text): (u64, _, _, _, _, Option<&str>, _, String)| {
                seq += gap;
                Entry {
                    target: TargetId::from_u64(target),
                    captured_at: at(time),
                    outcome,
                    kind,
                    language: language.map(str::to_owned),
                    title,
                    ..entry(seq, &text)
                }
            };
        all.into_iter().map(make).collect()
    })
}

fn expected(entries: &[Entry], tree: &Tree, up_to: u64, sort: Sort) -> Vec<u64> {
    let mut found: Vec<&Entry> = entries.iter().filter(|entry| entry.seq.0 <= up_to && tree.fits(entry)).collect();
    match sort {
        Sort::Oldest => found.sort_by_key(|entry| (entry.captured_at, entry.seq)),
        Sort::Newest => found.sort_by_key(|entry| std::cmp::Reverse((entry.captured_at, entry.seq))),
        Sort::Relevance => {}
    }
    found.into_iter().map(|entry| entry.seq.0).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_index_finds_what_reading_everything_finds(
        entries in entries(),
        trees in vec(tree(), 12),
        batch in 1..20usize,
        cut in 0..80u64,
    ) {
        let bench = Bench::empty();
        for part in entries.chunks(batch) {
            bench.fill(part);
        }
        let cut = cut.min(bench.index.indexed_up_to().0);
        for tree in trees {
            for (up_to, asked) in [(u64::MAX, None), (cut, Some(Seq(cut)))] {
                for sort in [Sort::Oldest, Sort::Newest] {
                    let page = bench.search(&Query { sort, up_to: asked, ..query(&tree.text()) });
                    prop_assert_eq!(sequences(&page), expected(&entries, &tree, up_to, sort), "{}", tree.text());
                }
                let mut by_relevance = sequences(&bench.search(&Query { up_to: asked, ..query(&tree.text()) }));
                by_relevance.sort_unstable();
                let mut all = expected(&entries, &tree, up_to, Sort::Relevance);
                all.sort_unstable();
                prop_assert_eq!(by_relevance, all, "{}", tree.text());
            }
        }
    }

    #[test]
    fn no_text_makes_a_search_panic(texts in vec("\\PC{0,60}|([(\")a:-]|é| |NOT |OR |AND |title:|after:){0,30}", 20)) {
        let bench = Bench::with(&[entry(1, "a é ( \" title")]);
        for text in texts {
            match bench.index.search(&grant(), &query(&text)) {
                Ok(_) | Err(Error::Query(_)) => {}
                Err(other) => prop_assert!(false, "{other}"),
            }
        }
    }
}
