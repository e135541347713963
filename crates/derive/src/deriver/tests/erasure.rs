//! What follows an erasure, a seal and its lifting, to the last byte, also after a crash.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
};

use model::{Authority, Subject};
use proptest::prelude::*;
use store::{Depth, ErasureOrder};

use super::*;

/// Long and unusual, so that it stands nowhere by chance, and hard to compress, so that it stands there as it is.
const SECRET: &str = "Xq7vKp2mZr9wTn4bJd8sLf3hGy6cAe5u";

fn custody() -> Grant {
    Authority::of_this_process().custody("custodian", theme())
}

fn order(subject: Subject) -> ErasureOrder {
    let at = Timestamp::from_micros(9_000_000);
    ErasureOrder { subject, ground: "article 17".into(), at, forgets_uris: true }
}

fn id(seq: u64) -> CaptureId {
    CaptureId { theme: theme(), seq: Seq(seq) }
}

async fn analyse_all(store: &Store, indexes: &Arc<Indexes>) {
    let config = Config { batch: 3, ..Config::default() };
    analyse(Deriver::new(config, store.clone(), Arc::clone(indexes))).await.unwrap();
}

fn check_soundness(store: &Store) {
    let report = store.verify(Depth::Full, &mut |_| true).unwrap();
    assert!(report.is_sound(), "{:?}", report.findings);
}

/// Views and hits are those that the captures that are left come to when everything is derived again.
async fn check_views(store: &Store, indexes: &Arc<Indexes>) {
    let (rows, hits) = (derived_rows(store), found(indexes, "page"));
    Deriver::forget(store, indexes, &[theme()]).unwrap();
    analyse_all(store, indexes).await;
    assert_eq!((derived_rows(store), found(indexes, "page")), (rows, hits));
}

impl House {
    /// Every file beneath the data directory.
    fn files(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        let mut directories = vec![self.dir.path().to_owned()];
        while let Some(directory) = directories.pop() {
            for entry in fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() { directories.push(path) } else { files.push(path) }
            }
        }
        files
    }

    /// The files that hold one of `needles`.
    fn files_with(&self, needles: &[Vec<u8>]) -> Vec<PathBuf> {
        let has = |bytes: &[u8]| {
            needles.iter().any(|needle| bytes.windows(needle.len()).any(|window| window == needle.as_slice()))
        };
        self.files().into_iter().filter(|file| fs::read(file).is_ok_and(|bytes| has(&bytes))).collect()
    }
}

/// Whether any row of any table says `text`: as it lies there, or as it is read.
fn is_in_a_row(store: &Store, text: &str) -> bool {
    let has = |bytes: &[u8]| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    let grant = custody();
    let system = Grant::system(Purpose::Maintenance);
    let raw = |table: &Table| store.raw_rows(&system, *table).unwrap();
    let lies_there = Table::ALL.iter().any(|table| raw(table).iter().any(|(key, value)| has(key) || has(value)));
    let run = store.captures_after(&grant, theme(), Seq(0), 1_000).unwrap();
    let is_read = run.captures.iter().any(|capture| {
        let document = store.document(&grant, id(capture.seq.0)).unwrap();
        has(&store.payload(&grant, theme(), capture).unwrap())
            || document.is_some_and(|document| has(format!("{document:?}").as_bytes()))
    });
    lies_there || is_read
}

/// The bytes of files are searched for the text and for the compressed rows that held it, because compressed bytes do not show their text; the
/// rows are decoded too, because a row that was written again would show neither.
#[tokio::test]
async fn no_file_and_no_row_holds_what_was_erased() {
    let house = House::new();
    let (store, indexes) = house.open();
    for n in 0..6 {
        record(&store, &format!("/{n}"), Outcome::Ok, &format!("<p>page {n} without anything")).await;
    }
    let padding = "<p>filler that compresses well ".repeat(40);
    for n in 0..3 {
        let body = format!("<title>{SECRET}</title>{padding}<p>page {n} of <b>{SECRET}</b> <a href='/{SECRET}'>x</a>");
        record(&store, &format!("/about?{SECRET}"), Outcome::Ok, &body).await;
    }
    record(&store, "/last", Outcome::Ok, "<p>page that stays").await;
    analyse_all(&store, &indexes).await;
    let system = Grant::system(Purpose::Maintenance);
    let mut needles = vec![SECRET.as_bytes().to_vec()];
    let rows_of =
        |table| -> BTreeMap<Vec<u8>, Vec<u8>> { store.raw_rows(&system, table).unwrap().into_iter().collect() };
    let before = [Table::Payloads, Table::Documents].map(|table| (table, rows_of(table)));
    assert!(is_in_a_row(&store, SECRET));
    let digests: Vec<Digest> =
        [7, 8, 9].map(|seq| store.capture(&system, id(seq)).unwrap().unwrap().payload_digest).into();
    assert!(house.files_with(&needles).len() > 1, "the text stands in the store and in the index");
    assert_eq!(found(&indexes, SECRET), [7, 8, 9]);

    store.erase(&custody(), theme(), &order(Subject::Uri(uri(&format!("/about?{SECRET}"))))).unwrap();
    for (table, rows) in before {
        let after = rows_of(table);
        for (_, value) in rows.into_iter().filter(|(key, value)| after.get(key) != Some(value)) {
            let middle = value.len() / 2;
            needles.push(value[middle..value.len().min(middle + 24)].to_vec());
        }
    }
    assert_eq!(needles.len(), 1 + 3 + 3);
    analyse_all(&store, &indexes).await;
    assert_eq!(house.files_with(&needles), Vec::<PathBuf>::new(), "while the store is open");
    assert!(!is_in_a_row(&store, SECRET));
    assert_eq!((found(&indexes, SECRET), found(&indexes, "page")), (vec![], vec![1, 2, 3, 4, 5, 6, 10]));
    assert_eq!(store.erased_up_to(theme(), Seq(8)).unwrap(), 2);
    drop((store, indexes));
    assert_eq!(house.files_with(&needles), Vec::<PathBuf>::new(), "when it is closed");
    let (store, indexes) = house.open();
    // Whoever guesses what a page was must not find that it was here. The database names keys in its list of files, which it begins anew when it
    // is opened.
    for digest in digests {
        let hex = digest.to_string();
        needles.extend([digest.as_bytes().to_vec(), hex.to_uppercase().into_bytes(), hex.into_bytes()]);
    }
    assert_eq!(house.files_with(&needles), Vec::<PathBuf>::new(), "when it is open again");
    check_soundness(&store);
    check_views(&store, &indexes).await;
}

/// Stops at each point where a crash leaves something done and something not, and begins anew.
#[tokio::test]
async fn an_erasure_goes_on_after_a_crash_wherever_it_was() {
    for steps in 0..4 {
        let house = House::new();
        {
            let (store, indexes) = house.open();
            for body in ["page one", SECRET, "page one"] {
                record(&store, "/a", Outcome::Ok, &format!("<p>{body}")).await;
            }
            analyse_all(&store, &indexes).await;
            store.erase(&custody(), theme(), &order(Subject::Capture(Seq(2)))).unwrap();
            let change = store.view_changes(theme()).unwrap().remove(0);
            if steps > 0 {
                store.forget_views(theme(), &change.captures).unwrap();
                store.replace_versions(theme(), uri("/a").id(), &[], &[]).unwrap();
            }
            if steps > 1 {
                indexes.theme(theme()).unwrap().replace(&[Seq(2)], &[]).unwrap();
            }
            if steps > 2 {
                let index = indexes.theme(theme()).unwrap();
                let (store, extractor, cursor) = (&store, analysis::document, Seq(3));
                let reading = &analysis::Reading::default();
                Eraser { store, index: &index, theme: theme(), extractor, reading, cursor }
                    .change_views(&change)
                    .unwrap();
            }
        }
        let (store, indexes) = house.open();
        assert_eq!(store.is_changing(theme()).unwrap(), steps < 3);
        analyse_all(&store, &indexes).await;
        assert_eq!(house.files_with(&[SECRET.as_bytes().to_vec()]), Vec::<PathBuf>::new(), "after {steps} steps");
        let version = store.version_before(theme(), uri("/a").id(), Seq(3)).unwrap().unwrap();
        assert_eq!((version.first, version.last, version.captures), (Seq(1), Seq(3), 2), "two runs became one");
        check_soundness(&store);
        check_views(&store, &indexes).await;
    }
}

#[tokio::test]
async fn analysis_passes_over_captures_that_are_gone_also_at_the_end() {
    let house = House::new();
    let (store, indexes) = house.open();
    for n in 0..4 {
        record(&store, &format!("/{n}"), Outcome::Ok, &format!("<p>page {n}")).await;
    }
    analyse_all(&store, &indexes).await;
    for seq in [3, 4] {
        store.erase(&custody(), theme(), &order(Subject::Capture(Seq(seq)))).unwrap();
    }
    record(&store, "/5", Outcome::Ok, "<p>page 5").await;
    store.set_seal(&custody(), theme(), Seq(5), "R23", Timestamp::from_micros(1)).unwrap();
    analyse_all(&store, &indexes).await;
    assert_eq!((store.derive_cursor(theme()).unwrap(), found(&indexes, "page")), (Seq(5), vec![1, 2]));
    assert_eq!(indexes.theme(theme()).unwrap().indexed_up_to(), Seq(5));
    check_views(&store, &indexes).await;
}

#[tokio::test]
async fn a_sealed_page_is_not_found_and_comes_back_when_the_seal_is_lifted() {
    let house = House::new();
    let (store, indexes) = house.open();
    for body in ["page one", "page two", "page two", "page one"] {
        record(&store, "/a", Outcome::Ok, &format!("<p>{body}")).await;
    }
    analyse_all(&store, &indexes).await;
    let before = derived_rows(&store);
    let at = Timestamp::from_micros(1);
    assert_eq!(store.set_seal(&custody(), theme(), Seq(2), "R23", at).unwrap().captures, 2);
    assert!(store.is_changing(theme()).unwrap());
    analyse_all(&store, &indexes).await;
    assert_eq!(found(&indexes, "page"), [1, 4]);
    check_views(&store, &indexes).await;
    store.lift_seal(&custody(), theme(), Seq(3), "lawful", at).unwrap();
    analyse_all(&store, &indexes).await;
    assert_eq!((found(&indexes, "page"), derived_rows(&store)), (vec![1, 2, 3, 4], before));
    check_soundness(&store);
}

/// What may happen to a store.
#[derive(Debug, Clone)]
enum Step {
    Record(u8, u8),
    Erase(u8),
    EraseUri(u8),
    EraseVersion(u8),
    Seal(u8),
    Lift(u8),
    Analyse,
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0u8..3, 0u8..4).prop_map(|(path, body)| Step::Record(path, body)),
        2 => (1u8..20).prop_map(Step::Erase),
        1 => (0u8..3).prop_map(Step::EraseUri),
        1 => (1u8..20).prop_map(Step::EraseVersion),
        1 => (1u8..20).prop_map(Step::Seal),
        1 => (1u8..20).prop_map(Step::Lift),
        1 => Just(Step::Analyse),
        1 => Just(Step::Reopen),
    ]
}

fn body(number: u8) -> String {
    format!("<title>page {number}</title>{}", "<p>the same in each of them".repeat(20))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10, max_shrink_iters: 20, ..ProptestConfig::default() })]

    /// Whatever is recorded, erased, sealed and lifted, and whenever it stops: the evidence holds, what is left can be read, and the views are
    /// those of what is left.
    #[test]
    fn whatever_goes_the_rest_is_right(steps in proptest::collection::vec(step(), 5..40)) {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(carry_out(steps));
    }
}

async fn carry_out(steps: Vec<Step>) {
    let house = House::new();
    let mut open = house.open();
    let mut bodies: Vec<String> = Vec::new();
    record(&open.0, "/0", Outcome::Ok, &body(0)).await;
    bodies.push(body(0));
    let at = Timestamp::from_micros(1);
    let erase = async |(store, indexes): &(Store, Arc<Indexes>), subject| {
        analyse_all(store, indexes).await;
        match store.erase(&custody(), theme(), &order(subject)) {
            Ok(_) | Err(store::Error::Erased(..)) => {}
            Err(error) => panic!("{error}"),
        }
    };
    for step in steps {
        match step {
            Step::Record(path, number) => {
                record(&open.0, &format!("/{path}"), Outcome::Ok, &body(number)).await;
                bodies.push(body(number));
            }
            Step::Erase(seq) => erase(&open, Subject::Capture(Seq(seq.into()))).await,
            Step::EraseUri(path) => erase(&open, Subject::Uri(uri(&format!("/{path}")))).await,
            Step::EraseVersion(seq) => erase(&open, Subject::Version(Seq(seq.into()))).await,
            Step::Seal(seq) => match open.0.set_seal(&custody(), theme(), Seq(seq.into()), "R23", at) {
                Ok(_) | Err(store::Error::Erased(..)) => {}
                Err(error) => panic!("{error}"),
            },
            Step::Lift(seq) => _ = open.0.lift_seal(&custody(), theme(), Seq(seq.into()), "no", at).unwrap(),
            Step::Analyse => analyse_all(&open.0, &open.1).await,
            Step::Reopen => {
                drop(open);
                open = house.open();
            }
        }
    }
    let (store, indexes) = open;
    analyse_all(&store, &indexes).await;
    check_soundness(&store);
    let mut readable = BTreeSet::new();
    for (seq, body) in (1..).zip(&bodies) {
        match store.capture(&custody(), id(seq)) {
            Err(store::Error::Erased(..)) => {}
            capture => {
                let capture = capture.unwrap().unwrap();
                let payload = store.payload(&custody(), theme(), &capture).unwrap();
                assert!(payload.is_empty() || payload == body.as_bytes(), "{seq}");
                readable.insert(seq);
            }
        }
    }
    let sealed: BTreeSet<u64> = store.seals(&custody(), theme()).unwrap().iter().map(|(seq, _)| seq.0).collect();
    let shown: Vec<u64> = readable.difference(&sealed).copied().collect();
    assert_eq!(found(&indexes, ""), shown);
    let erased = bodies.len() - readable.len();
    assert_eq!(store.erased_up_to(theme(), Seq(u64::MAX)).unwrap(), erased as u64);
    check_views(&store, &indexes).await;
}
