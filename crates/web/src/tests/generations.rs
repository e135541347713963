//! The same query at the same generation has the same answer, whatever happened since, or is told that it cannot have it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use derive::Deriver;
use model::{
    Authority, Capture, CaptureId, Digest, Grant, Label, Outcome, Phase, Purpose, Seq, Subject, ThemeId, Timestamp,
};
use proptest::{collection::vec, option, prelude::*, sample::select};
use search::{Facet, FacetCounts, Generation, Page, Query, Sort, Versions};
use store::{
    CrawlState, ErasureOrder, Evidence, FinishedVisit, HostRecord, NewLabel, Priority, RuleChange, RuleKind, Scoring,
    Store, UriRecord,
};
use tokio_util::sync::CancellationToken;

use super::{
    House, MARKET,
    evidence::{HEAD, TARGET, capture, uri},
    noon, theme,
};
use crate::{
    app::{Running, Shared},
    controllers::search::{Found, find},
    refusal::Refusal,
};

/// What can happen to a theme.
#[derive(Debug, Clone)]
enum Event {
    Capture {
        page: usize,
        words: Vec<&'static str>,
    },
    Label {
        seq: u64,
        label: Option<Label>,
    },
    Indicator {
        variant: usize,
    },
    Profile {
        is_there: bool,
    },
    Erase {
        seq: u64,
    },
    Seal {
        seq: u64,
    },
    Unseal {
        seq: u64,
    },
    /// The index is emptied and filled again from the documents.
    Rebuild,
    /// All segments of the index become one.
    Merge,
    /// Everything is made again, as by another version of the extractor.
    Extractor,
    /// The process ends and begins again.
    Restart,
}

const WORDS: [&str; 8] =
    ["lantern", "lanterns", "oil", "rope", "lamp", "mail anna@example.org", "knife", "many other words to read"];

const INDICATORS: [Option<&str>; 3] = [
    Some("name = \"sharp\"\nwhy = \"Knives.\"\n[[any]]\nterms = [\"knife\"]\nweight = 2\n"),
    Some(
        "name = \"sharp\"\nwhy = \"Ropes too.\"\n[[any]]\nterms = [\"knife\"]\n[[any]]\nterms = [\"rope\"]\nweight = 5\n",
    ),
    None,
];

/// It makes listings with a price of what were none.
const PROFILE: &str = r#"
name = "stall"
[fingerprint]
title = " - Stall$"
[[page]]
kind = "listing"
when = { selector = "div.thing" }
require = ["title", "price"]
[page.fields]
title = "div.thing em"
price = "div.thing i"
"#;

fn event() -> impl Strategy<Value = Event> {
    let seq = || 1..14_u64;
    prop_oneof![
        6 => (0..4_usize, vec(select(&WORDS[..]), 1..5)).prop_map(|(page, words)| Event::Capture { page, words }),
        2 => (seq(), option::of(select(&Label::ALL[..]))).prop_map(|(seq, label)| Event::Label { seq, label }),
        2 => (0..INDICATORS.len()).prop_map(|variant| Event::Indicator { variant }),
        1 => any::<bool>().prop_map(|is_there| Event::Profile { is_there }),
        1 => seq().prop_map(|seq| Event::Erase { seq }),
        1 => seq().prop_map(|seq| Event::Seal { seq }),
        1 => seq().prop_map(|seq| Event::Unseal { seq }),
        1 => Just(Event::Rebuild),
        1 => Just(Event::Merge),
        1 => Just(Event::Extractor),
        1 => Just(Event::Restart),
    ]
}

/// What is asked: every join, every sort, every facet.
fn queries() -> Vec<Query> {
    let texts = [
        "",
        "lantern",
        "lantern OR -rope",
        "lant* OR knive~",
        "\"lantern oil\"~3 OR rope",
        "observable:anna@example.org OR lamp",
        "label:relevant",
        "-label:relevant rope",
        "indicator:sharp",
        "-indicator:sharp lantern",
        "price:[1 TO *] OR oil",
    ];
    let of = |text: &str, sort, versions, as_of| Query {
        text: text.into(),
        sort,
        versions,
        as_of,
        // What these count by depends on what was taken away, so that a generation is retired more often than not.
        facets: Facet::ALL
            .into_iter()
            .filter(|facet| !matches!(facet, Facet::Label | Facet::Indicator | Facet::Cluster))
            .collect(),
        limit: 1000,
        ..Query::default()
    };
    let mut queries: Vec<Query> = texts.iter().map(|text| of(text, Sort::Relevance, Versions::All, None)).collect();
    queries.push(of("lantern", Sort::Newest, Versions::Latest, None));
    queries.push(of("", Sort::Oldest, Versions::All, Some(at(4))));
    queries.push(of("", Sort::Price, Versions::All, None));
    queries.push(of("", Sort::Score, Versions::All, None));
    queries.push(Query { facets: Facet::ALL.to_vec(), ..of("lantern", Sort::Newest, Versions::All, None) });
    queries
}

fn market() -> ThemeId {
    theme(MARKET)
}

fn at(minute: u64) -> Timestamp {
    Timestamp::from_micros(noon().as_micros() + i64::try_from(minute).unwrap() * 60_000_000)
}

fn system() -> Grant {
    Grant::system(Purpose::Maintenance)
}

/// A house that events happen to.
struct Town {
    running: Shared,
    house: House,
    captured: u64,
}

impl Town {
    fn new() -> Self {
        let (app, house) = House::with_app();
        Self { running: Running::new(app), house, captured: 0 }
    }

    fn store(&self) -> &Store {
        &self.house.store
    }

    async fn happens(self, event: &Event) -> Self {
        let grant = Authority::of_this_process().custody("ann", market());
        let store = self.house.store.clone();
        let change = |kind, name, text| {
            let change = RuleChange { kind, name, text, author: "ann", replaces: None, at: at(0) };
            // Taking away what is not there is refused.
            _ = store.change_rule(&grant, market(), &change);
        };
        match event {
            Event::Capture { page, words } => return self.captures(*page, words).await,
            Event::Label { seq, label } => self.label(Seq(*seq), *label),
            Event::Indicator { variant } => change(RuleKind::Indicator, "sharp", INDICATORS[*variant]),
            Event::Profile { is_there } => change(RuleKind::SiteProfile, "stall", is_there.then_some(PROFILE)),
            Event::Erase { seq } => {
                let subject = Subject::Capture(Seq(*seq));
                let order = ErasureOrder { subject, ground: "g".into(), forgets_uris: false, at: at(0) };
                // What is not there, or held, is not erased.
                _ = store.erase(&grant, market(), &order);
            }
            Event::Seal { seq } => _ = store.set_seal(&grant, market(), Seq(*seq), "r", at(0)),
            Event::Unseal { seq } => _ = store.lift_seal(&grant, market(), Seq(*seq), "r", at(0)),
            Event::Rebuild => self.house.indexes.theme(market()).unwrap().clear().unwrap(),
            Event::Merge => self.house.indexes.theme(market()).unwrap().merge_all().unwrap(),
            Event::Extractor => store.put_extractor(market(), extract::EXTRACTOR - 1).unwrap(),
            Event::Restart => {
                drop(store);
                return self.restarted();
            }
        }
        self
    }

    fn restarted(self) -> Self {
        let Self { running, house, captured } = self;
        drop(running);
        let House { dir, store, indexes, crawler, router, clock, tor } = house;
        drop((store, indexes, crawler, router, clock, tor));
        let (app, house) = House::on(&store::Config::default(), dir);
        Self { running: Running::new(app), house, captured }
    }

    async fn captures(mut self, page: usize, words: &[&str]) -> Self {
        self.captured += 1;
        let path = format!("/{page}");
        let name = words.join(" ");
        let body = format!(
            "<html lang=en><title>{name} - Stall</title><p>{name} number {}<div class=thing><em>{name}</em> <i>{page}.50 EUR</i></div>",
            self.captured
        );
        let before = capture(TARGET, &path, Outcome::Ok, super::evidence::PAGE);
        let capture = Capture {
            started_at: at(self.captured),
            payload_digest: Digest::of(body.as_bytes()),
            payload_len: body.len() as u64,
            framing: None,
            response_head: HEAD.to_vec(),
            block_digest: Digest::of_parts(&[HEAD, body.as_bytes()]),
            block_len: (HEAD.len() + body.len()) as u64,
            ..before
        };
        let record = UriRecord {
            uri: uri(&path),
            target: TARGET,
            via: None,
            hops: 0,
            redirects: Vec::new(),
            priority: Priority::Normal,
            due: Some(noon()),
            attempts: 0,
            failures: 0,
            interval_s: 0,
            outcome: None,
            last: None,
        };
        let visit = FinishedVisit {
            theme: market(),
            visit: record.entry(market()).unwrap(),
            host: (uri(&path).service(), HostRecord::default()),
            state: (TARGET, CrawlState::default().counting(Outcome::Ok, capture.ended_at)),
            uri: UriRecord { due: None, ..record },
            evidence: Evidence::of(capture, body.as_bytes()).unwrap(),
        };
        self.store().record(visit).await.unwrap();
        self
    }

    fn label(&self, seq: Seq, label: Option<Label>) {
        let id = CaptureId { theme: market(), seq };
        let Ok(Some((capture, version))) = self.store().version_of(&system(), id) else { return };
        let said = NewLabel { label, indicator: None, author: "ann", note: None, at: at(0) };
        let id = CaptureId { theme: market(), seq: version.first };
        self.store().label_version(&system(), id, capture.uri.id(), &said).unwrap();
    }

    /// Lets the analysis do all that there is to do.
    async fn settle(&self) {
        let Some(&newest) = self.store().newest().borrow().get(&market()) else { return };
        let config = derive::Config { batch: 2, rescored_per_s: 0, ..derive::Config::default() };
        let deriver = Deriver::new(config, self.store().clone(), Arc::clone(&self.house.indexes));
        let stop = CancellationToken::new();
        let (mut analysed, mut changed) = (self.store().analysed(), self.store().changed());
        let run = deriver.run(stop.clone());
        tokio::pin!(run);
        loop {
            // Another extractor's documents are only told from these when the analysis begins.
            let is_begun = self.store().extractor(market()).unwrap() == Some(extract::EXTRACTOR);
            if is_begun && self.is_settled(newest) {
                stop.cancel();
                run.await.unwrap();
                return;
            }
            tokio::select! {
                result = &mut run => result.unwrap(),
                _ = analysed.changed() => {}
                _ = changed.changed() => {}
            }
        }
    }

    fn is_settled(&self, newest: Seq) -> bool {
        let store = self.store();
        let rules = |kind| store.rules(&system(), market(), kind).unwrap();
        let indicators = rules(RuleKind::Indicator).into_iter().flat_map(|rule| rule.versions);
        let mut indicators = indicators.filter(|version| !version.is_removal);
        let is_complete = |version: store::RuleVersion| match store.scoring(market(), version.leaf).unwrap() {
            Some(Scoring::Follows) => true,
            Some(Scoring::UpTo(done)) => version.until.is_some_and(|until| done >= until),
            None => version.until == Some(Seq(0)),
        };
        let profiles =
            rules(RuleKind::SiteProfile).iter().flat_map(|rule| &rule.versions).map(|version| version.leaf).max();
        store.derive_cursor(market()).unwrap() == newest
            && store.view_changes(market()).unwrap().is_empty()
            && indicators.all(is_complete)
            && store
                .site_reading(market())
                .unwrap()
                .is_some_and(|reading| reading.up_to.is_none() && reading.set == profiles.unwrap_or(0))
    }

    fn ask(&self, query: &Query) -> Result<Found, Refusal> {
        let grant = Authority::of_this_process().grant("ann", market(), Phase::Analysis);
        find(&self.running, market(), &grant, query.clone())
    }
}

/// The counts of those facets that can be told from the hits themselves.
fn counted(page: &Page) -> BTreeMap<Facet, BTreeMap<String, u64>> {
    let mut counts: BTreeMap<Facet, BTreeMap<String, u64>> = BTreeMap::new();
    for hit in &page.hits {
        let language = hit.language.clone().unwrap_or_else(|| "und".into());
        for (facet, value) in [(Facet::Kind, hit.kind.to_string()), (Facet::Language, language)] {
            *counts.entry(facet).or_default().entry(value).or_default() += 1;
        }
    }
    counts
}

fn as_counts(facets: &[FacetCounts]) -> BTreeMap<Facet, BTreeMap<String, u64>> {
    let told = facets.iter().filter(|counts| matches!(counts.facet, Facet::Kind | Facet::Language));
    let values = |counts: &FacetCounts| counts.values.iter().map(|value| (value.value.clone(), value.count)).collect();
    told.map(|counts| (counts.facet, values(counts)))
        .filter(|(_, values): &(_, BTreeMap<_, _>)| !values.is_empty())
        .collect()
}

/// Whether the answer now is the one before, but for what is withheld now.
fn check_same(town: &Town, query: &Query, before: &Page, now: &Found) {
    let page = &now.page;
    if now.withheld_since == 0 {
        assert_eq!(page, before, "{query:?}");
        return;
    }
    let is_open =
        |seq: Seq| town.store().capture_if_open(&system(), CaptureId { theme: market(), seq }).unwrap().is_some();
    let sequences = |page: &Page| page.hits.iter().map(|hit| hit.seq).collect::<Vec<_>>();
    let (mut expect, mut found) = (sequences(before), sequences(page));
    expect.retain(|seq| is_open(*seq));
    if query.sort == Sort::Relevance {
        // It is weighed without what was taken away.
        expect.sort_unstable();
        found.sort_unstable();
    }
    assert_eq!((found, page.total), (expect, page.hits.len() as u64), "{query:?}");
    assert_eq!(as_counts(&page.facets), counted(page), "{query:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    #[test]
    fn a_generation_is_answered_alike_or_is_retired(before in vec(event(), 6..14), since in vec(vec(event(), 1..4), 4)) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let mut town = Town::new();
            for event in &before {
                town = town.happens(event).await;
                if matches!(event, Event::Label { .. } | Event::Erase { .. } | Event::Restart | Event::Extractor) {
                    town.settle().await;
                }
            }
            town.settle().await;
            let first: Vec<(Query, Option<Page>)> = queries().into_iter().map(|query| {
                let page = match town.ask(&query) {
                    Ok(found) => Some(found.page),
                    Err(Refusal::NoRule) => None,
                    Err(other) => panic!("{query:?}: {other}"),
                };
                (query, page)
            }).collect();
            for events in &since {
                for event in events {
                    town = town.happens(event).await;
                    // Also while the analysis is behind: what it has not reached is refused, and not guessed.
                    again(&town, &first, false);
                }
                town.settle().await;
                again(&town, &first, true);
            }
        });
    }
}

/// Asks everything again; how often it was answered, and how often it was retired.
fn again(town: &Town, first: &[(Query, Option<Page>)], is_settled: bool) -> (usize, usize) {
    let (mut answered, mut retired) = (0, 0);
    for (query, before) in first {
        let Some(before) = before else { continue };
        match town.ask(&Query { generation: Some(before.generation), ..query.clone() }) {
            Ok(now) => {
                check_same(town, query, before, &now);
                answered += 1;
            }
            Err(Refusal::GenerationRetired(_)) => retired += 1,
            Err(
                Refusal::Search(search::Error::NotYetIndexed { .. } | search::Error::Erasing(_))
                | Refusal::Store(store::Error::Changing(_)),
            ) if !is_settled => {}
            Err(other) => panic!("{query:?}: {other}"),
        }
    }
    (answered, retired)
}

/// Three pages, a label and an indicator.
async fn small_town() -> Town {
    let mut town = Town::new();
    for (page, word) in [(0, "lantern"), (1, "rope"), (0, "knife"), (2, "lanterns")] {
        town = town.captures(page, &[word]).await;
    }
    town = town.happens(&Event::Indicator { variant: 0 }).await;
    town.settle().await;
    town.label(Seq(1), Some(Label::Relevant));
    town
}

fn ask_all(town: &Town) -> Vec<(Query, Option<Page>)> {
    queries().into_iter().map(|query| (query.clone(), Some(town.ask(&query).unwrap().page))).collect()
}

/// What is analysed anew is read with the profiles of now: where these are others, nobody has the old answer again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_analysed_anew_with_other_profiles_is_of_another_edition() {
    let mut town = Town::new().happens(&Event::Profile { is_there: true }).await;
    town = town.happens(&Event::Capture { page: 0, words: vec!["lantern", "oil"] }).await;
    town = town.happens(&Event::Indicator { variant: 0 }).await;
    town.settle().await;
    let first = ask_all(&town);
    for event in [Event::Extractor, Event::Profile { is_there: false }] {
        town = town.happens(&event).await;
    }
    town.settle().await;
    assert_eq!(again(&town, &first, true), (0, first.len()));
}

/// What a test of sameness would miss if everything were retired, and if nothing ever changed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_later_changes_new_answers_and_no_old_ones() {
    let mut town = small_town().await;
    let first = ask_all(&town);
    let events = [
        Event::Capture { page: 0, words: vec!["lantern", "knife", "rope"] },
        Event::Label { seq: 2, label: Some(Label::Relevant) },
        Event::Label { seq: 1, label: None },
        Event::Indicator { variant: 1 },
        Event::Merge,
        Event::Rebuild,
        Event::Restart,
        Event::Indicator { variant: 2 },
    ];
    for event in &events {
        town = town.happens(event).await;
        town.settle().await;
        assert_eq!(again(&town, &first, true), (first.len(), 0), "{event:?}");
    }
    let changed = first.iter().filter(|(query, before)| match town.ask(query) {
        Ok(now) => Some(now.page.hits) != before.as_ref().map(|page| page.hits.clone()),
        // The indicator is taken away.
        Err(Refusal::NoRule) => true,
        Err(other) => panic!("{other}"),
    });
    assert!(changed.count() > first.len() / 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_withheld_is_told_as_a_number_and_retires_only_what_depends_on_it() {
    let mut town = small_town().await;
    let first = ask_all(&town);
    town = town.happens(&Event::Erase { seq: 4 }).await;
    town.settle().await;
    let depending = first.iter().filter(|(query, _)| query.depends_on_withheld().unwrap()).count();
    assert_eq!(again(&town, &first, true), (first.len() - depending, depending));
    let (query, before) = &first[0];
    let now = town.ask(&Query { generation: before.as_ref().map(|page| page.generation), ..query.clone() }).unwrap();
    assert_eq!((now.withheld_since, now.erased, now.page.total), (1, 1, before.as_ref().unwrap().total - 1));
    // What is sealed and given back was there, or was not: nobody can tell, so nothing of before stands.
    for event in [Event::Seal { seq: 2 }, Event::Unseal { seq: 2 }] {
        town = town.happens(&event).await;
        town.settle().await;
    }
    assert_eq!(again(&town, &first, true), (0, first.len()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_that_are_read_anew_retire_what_was_answered() {
    let mut town = small_town().await;
    let first = ask_all(&town);
    let price = &first.iter().find(|(query, _)| query.sort == Sort::Price).unwrap().1.as_ref().unwrap().hits[0];
    town = town.happens(&Event::Profile { is_there: true }).await;
    town.settle().await;
    assert_eq!(again(&town, &first, true), (0, first.len()));
    let now = town.ask(&Query { sort: Sort::Price, limit: 10, ..Query::default() }).unwrap().page;
    assert_ne!(price.price, now.hits[0].price);
    town = town.happens(&Event::Extractor).await;
    let other = Query { generation: Some(now.generation), sort: Sort::Price, limit: 10, ..Query::default() };
    assert!(matches!(town.ask(&other), Err(Refusal::GenerationRetired(_))));
    town.settle().await;
    let other_log = Generation { acts: 1 << 40, ..now.generation };
    let mistyped = Generation { up_to: Seq(1), ..now.generation };
    for generation in [other_log, mistyped] {
        let asked = Query { generation: Some(generation), ..Query::default() };
        assert!(matches!(town.ask(&asked), Err(Refusal::GenerationRetired(_))));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_of_an_answer_hold_on_to_its_generation() {
    let mut town = small_town().await;
    let whole = town.ask(&Query { sort: Sort::Score, limit: 10, ..Query::default() }).unwrap().page;
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = town.ask(&Query { sort: Sort::Score, limit: 1, after, ..Query::default() }).unwrap().page;
        assert_eq!((page.generation, page.total), (whole.generation, whole.total));
        seen.extend(page.hits);
        let Some(next) = page.next else { break };
        after = Some(next);
        town = town.happens(&Event::Indicator { variant: seen.len() % 2 }).await;
        town = town.captures(3, &["knife"]).await;
        town.settle().await;
    }
    assert_eq!(seen, whole.hits);
    assert_eq!(seen.iter().map(|hit| hit.seq).collect::<BTreeSet<_>>().len(), 4);
}
