//! Invented markets and forums on several addresses, read as pages and compared.

mod market;

use model::{Purpose, Seq, ThemeId};
use store::{CredentialKey, ElementKind, Mark, Store};

use self::market::{Market, WATCHED, address, capture, document};
use super::*;
use crate::sketch::sketch;

/// A store that pages are shown to.
struct House {
    _dir: tempfile::TempDir,
    store: Store,
    next: Seq,
}

fn theme() -> ThemeId {
    "marketplace".parse().unwrap()
}

fn grant() -> model::Grant {
    model::Grant::system(Purpose::Maintenance)
}

impl House {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), &store::Config::default(), CredentialKey::from_bytes(&[7; 32])).unwrap();
        Self { _dir: dir, store, next: Seq(1) }
    }

    /// Shows a page to the analysis; returns the sequence of its capture.
    fn show(&mut self, theme: ThemeId, host: &str, path: &str, html: &str) -> Seq {
        let (seq, uri) = (self.next, format!("http://{host}{path}").parse().unwrap());
        self.next = seq.next();
        let capture = capture(&uri, seq);
        let document = document(&uri, html);
        let hint = model::CrawlHint {
            target: capture.target,
            uri: uri.id(),
            outcome: capture.outcome,
            kind: document.kind,
            refresh: None,
            has_changed: true,
            is_quarantined: false,
        };
        let sketch = Some(sketch(&capture, &document));
        let analysis =
            store::Analysis { seq, hint, document: Some(document), sketch, version: None, findings: Vec::new() };
        self.store.put_analyses(theme, &[analysis], seq).unwrap();
        seq
    }

    /// Shows all pages of a market; returns the captures by path.
    fn show_all(&mut self, host: &str, market: &Market) -> Vec<(String, Seq)> {
        let pages = market.pages(host);
        pages.into_iter().map(|(path, html)| (path.clone(), self.show(theme(), host, &path, &html))).collect()
    }

    fn alike(&self, host: &str) -> Vec<Pair> {
        alike(&self.store, &grant(), theme(), host).unwrap()
    }

    fn clusters(&self) -> Vec<Cluster> {
        self.clusters_as_of(Seq(u64::MAX))
    }

    fn clusters_as_of(&self, up_to: Seq) -> Vec<Cluster> {
        clusters(&self.store, &grant(), theme(), up_to).unwrap().clusters
    }
}

fn seq_of(pages: &[(String, Seq)], path: &str) -> Seq {
    pages.iter().find(|(known, _)| known == path).unwrap().1
}

#[test]
fn a_mirror_is_found_with_what_is_shared_and_what_differs() {
    let mut house = House::new();
    let (a, b) = (address(1), address(2));
    let last = house.show_all(&a, &Market::new("Lantern Row")).last().unwrap().1;
    house.show_all(&b, &Market::new("Lantern Row"));
    assert_eq!(house.clusters_as_of(last), [], "of the second nothing was captured yet");
    let [pair] = &house.alike(&a)[..] else { panic!("one pair") };
    assert_eq!((&pair.a, &pair.b, pair.likeness.verdict), (&a, &b, Verdict::Mirror));
    assert!(pair.likeness.confidence >= 90, "{pair:#?}");
    assert_eq!(pair.likeness.alike, pair.likeness.compared);
    let address = &pair.likeness.differing[0];
    assert_eq!((address.what, &address.a[..], &address.b[..]), ("address", &[a.clone()][..], &[b.clone()][..]));
    assert_eq!(pair.likeness.differing.len(), 1, "{:#?}", pair.likeness.differing);
    assert!(pair.likeness.shared.contains(&(model::ObservableKind::PgpFingerprint, "pgp~market".into())));
    assert!(pair.likeness.because[0].contains("near-equal"));
    let alike = pair.likeness.alike;
    assert_eq!(pair.likeness.because[1], format!("{alike} of these {alike} pairs are built alike"));
    let clusters = house.clusters();
    assert_eq!(clusters.len(), 1);
    assert_eq!(clusters[0].hosts.iter().collect::<std::collections::BTreeSet<_>>(), [&a, &b].into());
    // Whoever asks from the other side hears the same, turned.
    let turned = &house.alike(&b)[0];
    assert_eq!((&turned.a, &turned.b, turned.likeness.confidence), (&b, &a, pair.likeness.confidence));
    assert_eq!(turned.likeness.differing[0].a, [b]);
}

#[test]
fn prices_and_dates_that_moved_on_make_no_other_service() {
    let mut house = House::new();
    house.show_all(&address(1), &Market::new("Lantern Row"));
    house.show_all(&address(2), &Market { price: 77, ..Market::new("Lantern Row") });
    assert_eq!(house.alike(&address(1))[0].likeness.verdict, Verdict::Mirror);
}

#[test]
fn a_clone_with_another_key_is_suspected_and_says_which() {
    let mut house = House::new();
    let (a, b) = (address(1), address(2));
    house.show_all(&a, &Market::new("Lantern Row"));
    house.show_all(&b, &Market { key: "pgp~thief", ..Market::new("Lantern Row") });
    let likeness = &house.alike(&a)[0].likeness;
    assert_eq!(likeness.verdict, Verdict::SuspectedPhishingClone);
    let evidence: Vec<_> = likeness.differing.iter().filter(|difference| difference.is_evidence).collect();
    assert_eq!(evidence.len(), 1, "{evidence:#?}");
    assert_eq!((evidence[0].what, &evidence[0].a[..]), ("pgp-fingerprint", &["pgp~market".to_owned()][..]));
    assert_eq!(evidence[0].b, ["pgp~thief"]);
    assert!(evidence[0].captures.is_some());
    assert!(likeness.because.iter().any(|because| because.contains("differ")), "{:?}", likeness.because);
    assert_eq!(house.clusters()[0].pairs[0].likeness.verdict, Verdict::SuspectedPhishingClone);
}

#[test]
fn a_clone_with_other_wallets_is_suspected_once_they_are_seen_to_stay() {
    let mut house = House::new();
    let (a, b) = (address(1), address(2));
    let (market, clone) = (Market::new("Lantern Row"), Market { wallets: "thief", ..Market::new("Lantern Row") });
    house.show_all(&a, &market);
    house.show_all(&b, &clone);
    let first = house.alike(&a).remove(0).likeness;
    assert_eq!(first.verdict, Verdict::Mirror, "what was seen once may be another at each load");
    assert!(first.differing.iter().any(|difference| difference.what == "btc" && !difference.is_evidence));
    house.show_all(&a, &market);
    house.show_all(&b, &clone);
    let second = house.alike(&a).remove(0).likeness;
    assert_eq!(second.verdict, Verdict::SuspectedPhishingClone);
    assert!(second.differing.iter().filter(|difference| difference.is_evidence).all(|it| it.what == "btc"));
}

#[test]
fn addresses_that_change_at_each_load_make_no_clone() {
    let mut house = House::new();
    for load in ["w1", "w2", "w3"] {
        house.show_all(&address(1), &Market { wallets: load, ..Market::new("Lantern Row") });
        let other: &str = &format!("{load}-too");
        house.show_all(&address(2), &Market { wallets: other, ..Market::new("Lantern Row") });
    }
    assert_eq!(house.alike(&address(1))[0].likeness.verdict, Verdict::Mirror);
}

#[test]
fn two_markets_on_one_software_do_not_cluster() {
    let mut house = House::new();
    house.show_all(&address(1), &Market::new("Lantern Row"));
    let other = Market { key: "pgp~other", wallets: "other", ..Market::new("Harbour Street") };
    house.show_all(&address(2), &other);
    assert_eq!(house.clusters(), []);
    assert_eq!(house.alike(&address(1)), []);
}

#[test]
fn a_market_and_a_forum_that_names_it_do_not_cluster() {
    let mut house = House::new();
    let (market, forum) = (address(1), address(2));
    house.show_all(&market, &Market::new("Lantern Row"));
    for n in 0..8 {
        let text = market::words(&format!("thread {n}"), 80);
        house.show(
            theme(),
            &forum,
            &format!("/t/{n}"),
            &format!("<title>Thread {n}</title><p>{text}<p>key pgp~market"),
        );
    }
    assert_eq!(house.clusters(), []);
    let related = &house.alike(&forum)[0];
    assert_eq!((related.likeness.verdict, related.likeness.alike), (Verdict::Related, 0));
}

#[test]
fn walls_make_no_cluster() {
    let mut house = House::new();
    let login = "<title>Login</title><p>Please log in with your name and password to see this market. There is no other way in for anybody at \
                 all, so register first and come back.<form method=post><input name=user><input type=password name=password><button>Login";
    for host in [1, 2].map(address) {
        for n in 0..6 {
            house.show(theme(), &host, &format!("/{n}"), login);
        }
    }
    assert_eq!(house.clusters(), []);
}

#[test]
fn few_pages_prove_little() {
    let mut house = House::new();
    for host in [1, 2].map(address) {
        let text = market::words("one page", 80);
        house.show(theme(), &host, "/", &format!("<title>One page</title><p>{text}"));
    }
    assert_eq!(house.clusters(), []);
}

#[test]
fn another_theme_shows_nothing() {
    let mut house = House::new();
    let other: ThemeId = "cybercrime".parse().unwrap();
    house.show_all(&address(1), &Market::new("Lantern Row"));
    for (path, html) in Market::new("Lantern Row").pages(&address(2)) {
        house.show(other, &address(2), &path, &html);
    }
    assert_eq!(house.alike(&address(1)), []);
    assert_eq!(clusters(&house.store, &grant(), other, Seq(u64::MAX)).unwrap().clusters, []);
    assert_eq!(vendor_links(&house.store, &grant(), other, "nobody").unwrap().pages, []);
}

#[test]
fn an_item_keeps_its_identity_over_mirrors_and_tells_its_prices() {
    let mut house = House::new();
    let (a, b, elsewhere) = (address(1), address(2), address(3));
    let first = house.show_all(&a, &Market::new("Lantern Row"));
    house.show_all(&b, &Market::new("Lantern Row"));
    house.show_all(&a, &Market { price: 7, ..Market::new("Lantern Row") });
    // The same offer on a market that is no mirror is another item.
    house.show_all(&elsewhere, &Market { shared_goods: "Lantern Row", ..Market::new("Harbour Street") });
    let seq = seq_of(&first, "/listing/3");
    let item = item(&house.store, &grant(), theme(), seq).unwrap().unwrap();
    assert_eq!(item.hosts.iter().collect::<std::collections::BTreeSet<_>>(), [&a, &b].into());
    assert_eq!(item.captures.len(), 3, "{:#?}", item.captures);
    let told: Vec<String> =
        item.prices.iter().map(|run| format!("{} {} x{}", run.host, run.price, run.captures)).collect();
    let expect = [(&a, "103.00 EUR"), (&a, "110.00 EUR"), (&b, "103.00 EUR")];
    let mut expect: Vec<String> = expect.iter().map(|(host, price)| format!("{host} {price} x1")).collect();
    // Services come in the order of their addresses.
    expect.sort_by_key(|told| told.split(' ').next().map(str::to_owned));
    assert_eq!(told, expect);
    assert_eq!(super::item(&house.store, &grant(), theme(), seq_of(&first, "/rules")).unwrap(), None);
}

#[test]
fn sellers_are_linked_by_their_own_keys_and_by_nothing_else() {
    let mut house = House::new();
    let (a, b) = (address(1), address(2));
    house.show_all(&a, &Market::new("Lantern Row"));
    let other = Market { vendors: ["goldfinch", "Red_Hen", "owlet", "magpie"], ..Market::new("Harbour Street") };
    house.show_all(&b, &Market { key: "pgp~other", vendor_keys: "Lantern Row", ..other });
    let links = vendor_links(&house.store, &grant(), theme(), "RED hen").unwrap();
    let told = |pages: &[VendorPage]| -> Vec<(String, String)> {
        pages.iter().map(|page| (page.host.clone(), store::folded(&page.name))).collect()
    };
    assert_eq!(told(&links.pages).len(), 2, "{links:#?}");
    let own = links.keys.iter().find(|key| key.fingerprint == "pgp~Lantern_Row~1").unwrap();
    assert!(!own.is_shared);
    let mut expect = vec![(a, "red hen".to_owned()), (b, "red hen".to_owned())];
    expect.sort();
    assert_eq!(told(&own.pages), expect);
    // The market's own key stands on every seller's page.
    let shared = links.keys.iter().find(|key| key.fingerprint == "pgp~market").unwrap();
    assert!(shared.is_shared);
    assert_eq!(told(&shared.pages).iter().map(|(_, name)| name).collect::<Vec<_>>(), ["red hen"]);
}

#[test]
fn what_a_watched_service_calls_a_mirror_is_proposed_and_so_is_what_looks_like_it() {
    let mut house = House::new();
    let [twin, called, listed, linked, seen] = [2, 3, 4, 5, 6].map(address);
    let propose = |house: &House, id: u64, host: &str, hosts: Vec<String>| {
        let target = (model::TargetId::from_u64(id), "market");
        house.store.propose_target(&grant(), theme(), target, market::proposal(host, hosts)).unwrap();
    };
    propose(&house, 7, WATCHED, Vec::new());
    house.show_all(WATCHED, &Market::new("Lantern Row"));
    house.show_all(&twin, &Market::new("Lantern Row"));
    let page = format!(
        "<title>Contact</title><p>{}<p>Our mirrors: {called} and {listed}<p>A friendly forum where we read along and that we do not run \
         ourselves: {seen}, though nobody of us writes there, and nobody of them has ever been here at all or will come. {}\
         <p><a href='http://{linked}/'>alternative link</a>",
        market::words("contact", 40),
        market::words("more", 40),
    );
    let seq = house.show(theme(), WATCHED, "/contact", &page);
    let found = proposals(&house.store, &grant(), theme()).unwrap().proposals;
    let hosts: std::collections::BTreeSet<&String> = found.iter().map(|proposal| &proposal.host).collect();
    assert_eq!(hosts, [&twin, &called, &listed, &linked].into());
    let of = |host: &str| found.iter().find(|proposal| proposal.host == host).unwrap();
    assert_eq!(of(&called).called_by, [(WATCHED.to_owned(), seq, seq)]);
    assert_eq!(of(&twin).alike[0].likeness.verdict, Verdict::Mirror);
    assert!(of(&twin).because[0].contains("mirror"));
    // What a person has proposed is listed no more.
    propose(&house, 9, WATCHED, vec![called.clone()]);
    let found = proposals(&house.store, &grant(), theme()).unwrap().proposals;
    assert!(found.iter().all(|proposal| proposal.host != called));
}

#[test]
fn who_names_a_service_is_known_by_its_mark() {
    let mut house = House::new();
    let (a, b) = (address(1), address(2));
    house.show(theme(), &a, "/", &format!("<p>{} <a href='http://www.{b}/x'>there</a>", market::words("x", 20)));
    let store = &house.store;
    let named = store.services_with(&grant(), theme(), Mark::mention(&b), Seq(u64::MAX), 10).unwrap();
    assert_eq!(named, [model::ServiceId::of(&a)]);
    let kind = Some(ElementKind::Mention);
    let elements = store.elements(&grant(), theme(), model::ServiceId::of(&a), kind, None, 10).unwrap();
    assert_eq!(elements.iter().map(|element| &element.value).collect::<Vec<_>>(), [&b]);
}
