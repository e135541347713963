mod disk;
mod erasure;
mod generation;
mod language;
mod many;
mod naive;
mod paging;

use model::{Authority, Outcome, PageKind, Purpose, TargetId, Timestamp};
use tempfile::TempDir;

use super::*;
use crate::Joined;

/// An index in a directory of its own.
struct Bench {
    directory: TempDir,
    index: Index,
}

impl Bench {
    fn empty() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let index = open(&directory.path().join("index"));
        Self { directory, index }
    }

    fn with(entries: &[Entry]) -> Self {
        let bench = Self::empty();
        bench.fill(entries);
        bench
    }

    /// Adds and commits.
    fn fill(&self, entries: &[Entry]) {
        for entry in entries {
            self.index.add(entry).unwrap();
        }
        self.index.commit(entries.last().map_or(Seq(0), |entry| entry.seq)).unwrap();
    }

    fn path(&self) -> std::path::PathBuf {
        self.directory.path().join("index")
    }

    fn search(&self, query: &Query) -> Page {
        self.index.search(&grant(), query).unwrap()
    }

    /// The sequences that `text` finds, in order of sequence.
    fn find(&self, text: &str) -> Vec<u64> {
        sequences(&self.search(&Query { sort: Sort::Oldest, ..query(text) }))
    }
}

fn open(path: &Path) -> Index {
    Index::open(path, theme(), &Config::default()).unwrap()
}

fn theme() -> ThemeId {
    "marketplace".parse().unwrap()
}

fn grant() -> Grant {
    Authority::of_this_process().grant("tester", theme(), Phase::Analysis)
}

fn query(text: &str) -> Query {
    Query { text: text.to_owned(), limit: MAX_LIMIT, ..Query::default() }
}

fn sequences(page: &Page) -> Vec<u64> {
    assert!(page.next.is_none());
    assert_eq!(page.total, page.hits.len() as u64);
    page.hits.iter().map(|hit| hit.seq.0).collect()
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_micros(i64::try_from(seconds).unwrap() * 1_000_000)
}

/// An entry whose time goes with its sequence.
fn entry(seq: u64, text: &str) -> Entry {
    Entry {
        seq: Seq(seq),
        target: TargetId::from_u64(1),
        uri: format!("http://example.com/page/{seq}").parse().unwrap(),
        captured_at: at(seq),
        outcome: Outcome::Ok,
        kind: PageKind::Listing,
        language: Some("nld".into()),
        price: None,
        observables: Vec::new(),
        title: String::new(),
        text: text.to_owned(),
    }
}

#[test]
fn words_phrases_and_operators() {
    let bench = Bench::with(&[
        entry(1, "rode fiets met lamp"),
        entry(2, "fiets, rode lamp"),
        Entry { title: "Rode lamp".into(), ..entry(3, "blauwe step") },
        entry(4, "Café Ёлка"),
        entry(5, ""),
    ]);
    let check = |text: &str, expect: &[u64]| assert_eq!(bench.find(text), expect, "{text}");
    check("", &[1, 2, 3, 4, 5]);
    check("fiets", &[1, 2]);
    check("FIETS lamp", &[1, 2]);
    check("\"rode lamp\"", &[2, 3]);
    check("rode-lamp", &[2, 3]);
    check("\"rode fiets\" OR step", &[1, 3]);
    check("rode NOT fiets", &[3]);
    check("-rode", &[4, 5]);
    check("NOT (rode OR cafe)", &[5]);
    check("-rode -cafe", &[5]);
    check("fiets OR -rode", &[1, 2, 4, 5]);
    check("NOT NOT fiets", &[1, 2]);
    check("cafe", &[4]);
    check("CAFÉ елка", &[4]);
    check("title:lamp", &[3]);
    check("text:lamp", &[1, 2]);
    check("title:\"rode lamp\" blauwe", &[3]);
    check("uri:\"page 2\"", &[2]);
    check("absent", &[]);
    check("absent OR step", &[3]);
    // A phrase lies in one field; it does not begin in the title and end in the text.
    check("\"lamp blauwe\"", &[]);
}

#[test]
fn filters_in_the_text_and_beside_it() {
    let bench = Bench::with(&[
        Entry { target: TargetId::from_u64(7), ..entry(1, "a") },
        Entry { language: None, outcome: Outcome::HttpError(404), ..entry(2, "a") },
        Entry { kind: PageKind::AntiDdos, outcome: Outcome::HttpError(503), ..entry(3, "a") },
        Entry { language: Some("rus".into()), outcome: Outcome::TimedOut(model::Stage::Body), ..entry(4, "a") },
    ]);
    let check = |text: &str, beside: Query, expect: &[u64]| {
        assert_eq!(bench.find(text), expect, "{text}");
        let beside = Query { limit: MAX_LIMIT, sort: Sort::Oldest, ..beside };
        assert_eq!(sequences(&bench.search(&beside)), expect, "{beside:?}");
    };
    let none = Query::default;
    check("target:0000000000000007", Query { targets: vec![TargetId::from_u64(7)], ..none() }, &[1]);
    check("lang:nld", Query { languages: vec!["NLD".into()], ..none() }, &[1, 3]);
    check("lang:und", Query { languages: vec!["und".into()], ..none() }, &[2]);
    check("lang:und OR lang:rus", Query { languages: vec!["rus".into(), "und".into()], ..none() }, &[2, 4]);
    check("kind:anti-ddos", Query { kinds: vec![PageKind::AntiDdos], ..none() }, &[3]);
    check("outcome:HttpError(404)", Query { outcomes: vec![Outcome::HttpError(404)], ..none() }, &[2]);
    check("outcome:timedout(body)", Query { outcomes: vec![Outcome::TimedOut(model::Stage::Body)], ..none() }, &[4]);
    check("after:1970-01-01T00:00:02Z", Query { from: Some(at(2)), ..none() }, &[2, 3, 4]);
    check("before:1970-01-01T00:00:02Z", Query { until: Some(at(2)), ..none() }, &[1]);
    check(
        "after:1970-01-01T00:00:02Z before:1970-01-01T00:00:04Z",
        Query { from: Some(at(2)), until: Some(at(4)), ..none() },
        &[2, 3],
    );
    check("before:1970-01-01", Query { until: Some(Timestamp::from_micros(i64::MIN)), ..none() }, &[]);
    check("after:1970-01-01", Query { from: Some(Timestamp::from_micros(i64::MIN)), ..none() }, &[1, 2, 3, 4]);
    assert_eq!(bench.find("outcome:HttpError"), [2, 3]);
    assert_eq!(bench.find("-outcome:ok"), [2, 3, 4]);
    let many = Query { targets: vec![TargetId::from_u64(1); 257], ..none() };
    assert!(matches!(bench.index.search(&grant(), &many), Err(Error::TooManyFilters { limit: 256 })));
}

#[test]
fn long_addresses_are_found_and_invisible_characters_hide_nothing() {
    let wallet = "4".repeat(95);
    let onion = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd";
    let bench =
        Bench::with(&[entry(1, &format!("send to {wallet}, see http://{onion}.onion/x")), entry(2, "pa\u{200b}ss")]);
    assert_eq!(bench.find(&wallet), [1]);
    assert_eq!(bench.find(onion), [1]);
    assert_eq!(bench.find(&format!("http://{onion}.onion/x")), [1]);
    assert_eq!(bench.find("pass"), [2]);
}

#[test]
fn a_hit_carries_its_entry_and_its_highlights() {
    let entry = Entry {
        outcome: Outcome::HttpError(410),
        language: None,
        title: "Één lamp".into(),
        ..entry(3, "de rode lamp\nvan <b>Zoë</b>")
    };
    let page = Bench::with(std::slice::from_ref(&entry)).search(&query("lamp zoe title:een text:de"));
    let hit = &page.hits[0];
    assert_eq!((hit.seq, hit.target, &hit.uri), (entry.seq, entry.target, &entry.uri));
    assert_eq!((hit.captured_at, hit.outcome, hit.kind), (entry.captured_at, entry.outcome, entry.kind));
    assert_eq!((&hit.language, &hit.title), (&None, &entry.title));
    assert_eq!(hit.title_highlights, [0..3, 4..8]);
    assert_eq!(hit.snippet, "de rode lamp van <b>Zoë</b>");
    assert_eq!(hit.highlights, [0..2, 8..12, 20..23]);
    assert!(hit.score.is_some_and(|score| score > 0.0));
}

#[test]
fn better_matches_come_first_and_of_equals_the_latest() {
    let bench = Bench::with(&[
        entry(1, "lamp and many other words that make this text a long one"),
        entry(2, "lamp"),
        entry(3, "lamp"),
        Entry { title: "lamp".into(), ..entry(4, "") },
        entry(5, "none"),
        entry(6, "lamp rare"),
        entry(7, "lamp none"),
    ]);
    assert_eq!(sequences(&bench.search(&query("lamp"))), [4, 3, 2, 7, 6, 1]);
    // A rare word weighs more than a common one, and a word that an entry need not have is counted where it has it.
    assert_eq!(sequences(&bench.search(&query("none OR rare")))[0], 6);
    // Nothing to score by: all are equal.
    assert_eq!(sequences(&bench.search(&query("-lamp OR rare -none"))), [6, 5]);
    assert_eq!(sequences(&bench.search(&query("kind:listing"))), [7, 6, 5, 4, 3, 2, 1]);
}

#[test]
fn search_needs_leave() {
    let bench = Bench::with(&[entry(1, "a")]);
    let authority = Authority::of_this_process();
    let allowed = |grant: &Grant| match bench.index.search(grant, &query("a")) {
        Ok(page) => page.total == 1,
        Err(Error::NotGranted(_)) => false,
        Err(other) => panic!("{other}"),
    };
    assert!(allowed(&grant()));
    assert!(allowed(&Grant::system(Purpose::Maintenance)));
    assert!(!allowed(&authority.grant("tester", "cybercrime".parse().unwrap(), Phase::Analysis)));
    assert!(!allowed(&authority.grant("tester", theme(), Phase::Technique)));
}

#[test]
fn a_query_that_cannot_be_read_says_where() {
    let error = Bench::empty().index.search(&grant(), &query("one AND")).unwrap_err();
    assert_eq!(error.to_string(), "the query cannot be read: at character 8: expected a term after AND");
}

#[test]
fn an_empty_index_answers() {
    let page = Bench::empty().search(&query("anything OR -that"));
    assert_eq!((page.total, page.up_to), (0, Seq(0)));
}
