//! The private sites, read as they are served: the market's mirror is found, a copy with another key is a suspected clone, and the forum is neither.

use derive::Verdict;
use fetch::{Fetcher, Request};
use model::{ClockSource, CrawlHint, Isolation, Seq, SystemClock, Uri};
use testnet::sites::Sites;

use super::*;

/// Every page of a site by its path.
async fn pages(site: &testnet::sites::Site) -> Vec<(String, Vec<u8>)> {
    let onion = Loopback::address(site.name());
    let transport = Loopback::new([((onion, 80), site.http())]);
    let fetcher = Fetcher::new(Arc::new(transport), Arc::new(SystemClock), &fetch::Config::default()).unwrap();
    let mut pages = Vec::new();
    for path in site.pages() {
        let uri: Uri = format!("http://{onion}{path}").parse().unwrap();
        let exchange = fetcher.fetch(&Request::new(uri, Isolation { target: TARGET, epoch: 0 })).await;
        assert_eq!(exchange.outcome, Outcome::Ok, "{path}");
        pages.push((path, exchange.payload));
    }
    pages
}

/// The first key block of a page.
fn key_block(pages: &[(String, Vec<u8>)]) -> String {
    const END: &str = "-----END PGP PUBLIC KEY BLOCK-----";
    let (_, page) = pages.iter().find(|(path, _)| path == "/rules").unwrap();
    let page = String::from_utf8_lossy(page);
    let from = page.find("-----BEGIN PGP PUBLIC KEY BLOCK-----").unwrap();
    let to = from + page[from..].find(END).unwrap() + END.len();
    page[from..to].to_owned()
}

/// Notes what the analysis makes of the pages of a service.
fn analyse(store: &Store, next: &mut Seq, host: &str, pages: &[(String, Vec<u8>)]) {
    for (path, payload) in pages {
        let uri: Uri = format!("http://{host}{path}").parse().unwrap();
        let page = extract::Page {
            uri: &uri,
            status: 200,
            content_type: Some(b"text/html"),
            content_encoding: None,
            refresh: None,
            payload,
        };
        let (document, _) = extract::document(&page, &extract::Limits::default());
        let hint = CrawlHint {
            target: TARGET,
            uri: uri.id(),
            outcome: Outcome::Ok,
            kind: document.kind,
            refresh: None,
            has_changed: true,
            is_quarantined: false,
        };
        let sketch = Some(derive::sketch(&capture(&uri, *next), &document));
        let analysis =
            store::Analysis { seq: *next, hint, document: Some(document), sketch, version: None, findings: Vec::new() };
        store.put_analyses(theme(), &[analysis], *next).unwrap();
        *next = next.next();
    }
}

fn capture(uri: &Uri, seq: Seq) -> Capture {
    let (now, nothing) = (Timestamp::from_micros(1), Digest::of(b""));
    Capture {
        seq,
        target: TARGET,
        decision: 1,
        uri: uri.clone(),
        started_at: now,
        first_byte_at: None,
        ended_at: now,
        clock: ClockSource::Manual,
        outcome: Outcome::Ok,
        detail: None,
        status: Some(200),
        isolation: Isolation { target: TARGET, epoch: 0 },
        reused_connection: false,
        tls: None,
        request: Vec::new(),
        secrets: Vec::new(),
        response_head: Vec::new(),
        block_digest: nothing,
        block_len: 0,
        payload_digest: nothing,
        payload_len: 0,
        framing: None,
        truncation: None,
        redirect_to: None,
        via: None,
        hops: 0,
        software: nothing,
        configuration: nothing,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mirror_is_found_and_a_copy_with_another_key_is_suspected() {
    let (sites, others) = (Sites::start(1).await.unwrap(), Sites::start(2).await.unwrap());
    let (market, forum, other) =
        (pages(sites.market()).await, pages(sites.forum()).await, pages(others.market()).await);
    // Prices moved on before the mirror was looked at.
    sites.market().set_step(3);
    let mirror = pages(sites.mirror()).await;
    let (own, foreign) = (key_block(&market), key_block(&other));
    let copied = |page: &[u8]| String::from_utf8_lossy(page).replace(&own, &foreign).into_bytes();
    let clone: Vec<(String, Vec<u8>)> = market.iter().map(|(path, page)| (path.clone(), copied(page))).collect();
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), &store::Config::default(), CredentialKey::from_bytes(&[1; 32])).unwrap();
    let host = |name: &str| Loopback::address(name).to_string();
    let mut next = Seq(1);
    for (name, pages) in
        [("market", &market), ("mirror", &mirror), ("forum", &forum), ("clone", &clone), ("other", &other)]
    {
        analyse(&store, &mut next, &host(name), pages);
    }
    let found = derive::clusters(&store, &grant(), theme(), Seq(u64::MAX)).unwrap().clusters;
    assert_eq!(found.len(), 1);
    let mut hosts = ["market", "mirror", "clone"].map(host);
    hosts.sort();
    assert_eq!(found[0].hosts, hosts, "neither the forum nor another market on the same software");
    let pairs = derive::alike(&store, &grant(), theme(), &host("market")).unwrap();
    let with = |name: &str| &pairs.iter().find(|pair| pair.b == host(name)).unwrap().likeness;
    assert_eq!(with("mirror").verdict, Verdict::Mirror, "{:#?}", with("mirror"));
    assert!(with("mirror").confidence >= 90, "{:?}", with("mirror").because);
    assert_eq!(with("clone").verdict, Verdict::SuspectedPhishingClone);
    let evidence: Vec<_> = with("clone").differing.iter().filter(|difference| difference.is_evidence).collect();
    assert_eq!(evidence.iter().map(|difference| difference.what).collect::<Vec<_>>(), ["pgp-fingerprint"]);
    sites.stop().await;
    others.stop().await;
}
