use fetch::{BoxStream, ConnectFailure, ConnectOptions, Destination, TorStatus, Transport};
use model::{Clock as _, Digest, SystemClock, Uri};
use store::CredentialKey;

use super::*;

/// A network on which nothing ever happens.
struct Silence;

impl Transport for Silence {
    fn connect<'a>(
        &'a self,
        _: &'a Destination,
        _: &'a ConnectOptions,
    ) -> BoxFuture<'a, Result<BoxStream, ConnectFailure>> {
        Box::pin(std::future::pending())
    }

    fn status(&self) -> watch::Receiver<TorStatus> {
        watch::Sender::default().subscribe()
    }
}

/// Between the end of a fetch and its record nothing is in flight on the network; whoever took the crawl to be at rest would miss a page.
#[tokio::test]
async fn a_visit_is_in_flight_until_it_is_recorded() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), &store::Config::default(), CredentialKey::from_bytes(&[1; 32])).unwrap();
    let clock = Arc::new(SystemClock);
    let fetcher = fetch::Fetcher::new(Arc::new(Silence), clock.clone(), &fetch::Config::default()).unwrap();
    let identity = Identity { software: Digest::of(b"test"), configuration: Digest::of(b"test") };
    let mut crawler = Crawler::new(Config::default(), store, Arc::new(fetcher), clock, identity);
    let uri: Uri = "http://site.example/".parse().unwrap();
    let lease = (TargetId::from_u64(1), uri.id());
    crawler.leased.insert(lease);
    crawler.tell(true);
    assert_eq!((crawler.fetches.len(), crawler.status.borrow().in_flight), (0, 1));
    crawler.acknowledged(lease, Ok(Seq(1))).unwrap();
    crawler.tell(true);
    assert_eq!(crawler.status.borrow().in_flight, 0);
}

/// A crawl over what the store has, that nobody runs.
fn crawler(store: &Store) -> Crawler {
    let clock = Arc::new(SystemClock);
    let fetcher = fetch::Fetcher::new(Arc::new(Silence), clock.clone(), &fetch::Config::default()).unwrap();
    let identity = Identity { software: Digest::of(b"test"), configuration: Digest::of(b"test") };
    Crawler::new(Config::default(), store.clone(), Arc::new(fetcher), clock, identity)
}

/// What may be started is started in one go; nothing is before a second person has approved.
#[tokio::test]
async fn no_fetch_starts_without_a_decision_in_force() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), &store::Config::default(), CredentialKey::from_bytes(&[1; 32])).unwrap();
    let mut target = crate::schedule::tests::target();
    let now = SystemClock.now();
    crate::schedule::tests::decide(&mut target, |terms| {
        (terms.review_at, terms.ends_at) = (now.after(Duration::from_hours(1)), now.after(Duration::from_hours(1)));
    });
    let (theme, id) = (target.theme, target.id);
    let person = |name: &str| model::Authority::of_this_process().grant(name, theme, model::Phase::Technique);
    let matter = target.decisions[0].matter.clone();
    let new = store::NewProposal { matter, found_in: None, at: now };
    let (_, proposal) = store.propose_target(&person("ann"), theme, (id, "site"), new).unwrap();

    let mut crawler = crawler(&store);
    let mut started = || {
        crawler.load_targets().unwrap();
        crawler.dispatch().unwrap();
        crawler.fetches.len()
    };
    assert_eq!(started(), 0, "it is only proposed");
    let answer = store::NewAnswer { proposal: proposal.leaf, reasons: "r", at: now };
    store.approve(&person("ben"), theme, id, &answer).unwrap();
    assert_eq!(started(), 1, "the seed, or robots.txt");
    store.end_decision(&person("ben"), theme, id, 1, ("over", now)).unwrap();
    crawler.load_targets().unwrap();
    crawler.call_off();
    while let Some(visited) = crawler.fetches.join_next().await {
        crawler.finish(visited.unwrap()).await.unwrap();
    }
    crawler.dispatch().unwrap();
    assert_eq!(
        (crawler.fetches.len(), crawler.leased.len()),
        (0, 0),
        "what was in flight is called off and nothing begins"
    );
}
